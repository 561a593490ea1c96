"""Outlook's own containers: ``winmail.dat`` (TNEF, MS-OXTNEF) and saved messages (``.msg``, MS-OXMSG), opened for the text
and the files in them. Only read, within bounds, and nothing here raises."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from bot.channels import mime_rtf
from bot.channels.mime_charset import guessed
from bot.channels.mime_headers import codec, one_line

MAX_FILES = 200
MAX_PROPERTIES = 5_000
MAX_ATTRIBUTES = 20_000

SUBJECT, BODY, HTML, RTF = 0x0037, 0x1000, 0x1013, 0x1009
SENDER_NAME, SENDER_ADDRESS, SENDER_SMTP, HEADERS = 0x0C1A, 0x0C1F, 0x5D01, 0x007D
SUBMITTED, DELIVERED = 0x0039, 0x0E06
FILE_LONG, FILE_SHORT, FILE_TYPE, FILE_DATA, DISPLAY_NAME = 0x3707, 0x3704, 0x370E, 0x3701, 0x3001

_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_VARIABLE = (0x1E, 0x1F, 0x102, 0x0D)
Properties = dict[int, Any]


@dataclass
class Opened:
    """What was found in a container."""

    subject: str = ""
    from_name: str = ""
    from_addr: str = ""
    date: datetime | None = None
    text: str = ""
    html: str = ""
    files: list[tuple[str, str, bytes]] = field(default_factory=list)
    """(name, type, bytes) of each file."""


def tnef(data: bytes) -> Opened | None:
    """Open a ``winmail.dat``; None where it is none."""
    if data[:4] != b"\x78\x9f\x3e\x22":
        return None
    opened = Opened()
    charset = "cp1252"
    message: Properties = {}
    body = b""
    files: list[dict[str, Any]] = []
    for level, kind, value in _attributes(data):
        if kind == 0x9007 and len(value) >= 4:
            charset = codec(f"cp{struct.unpack('<I', value[:4])[0]}") or charset
        elif kind == 0x800C:
            body = value
        elif kind == 0x8004 and not opened.subject:
            opened.subject = one_line(value.rstrip(b"\0").decode(charset, "replace"))
        elif kind == 0x9003 and level == 1:
            message.update(_properties(value, charset))
        elif kind == 0x9002 and len(files) < MAX_FILES:
            files.append({})
        elif level == 2 and files:
            if kind == 0x8010:
                files[-1]["title"] = value.rstrip(b"\0").decode(charset, "replace")
            elif kind == 0x800F:
                files[-1]["data"] = value
            elif kind == 0x9005:
                files[-1]["properties"] = _properties(value, charset)
    _fill(opened, message)
    opened.text = opened.text or body.rstrip(b"\0").decode(charset, "replace")
    for each in files:
        found = each.get("properties", {})
        content = each.get("data") or found.get(FILE_DATA, b"")
        name = (
            _text(found, FILE_LONG) or _text(found, FILE_SHORT) or each.get("title", "") or _text(found, DISPLAY_NAME)
        )
        if isinstance(content, bytes) and content:
            opened.files.append((name, _text(found, FILE_TYPE) or "application/octet-stream", content))
    return opened


def msg(data: bytes) -> Opened | None:
    """Open a saved Outlook message; None where it is none, or is damaged."""
    import olefile  # type: ignore[import-untyped]

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as container:
            if not container.exists("__properties_version1.0"):
                return None
            return _message(container)
    except Exception:  # noqa: BLE001
        # It must be broad: the library indexes into what the file claims to hold, and a hostile container makes it raise
        # OSError, struct.error, IndexError, KeyError, OverflowError, RecursionError and errors of its own. The file
        # itself stays an attachment, so nothing is lost by not opening it.
        return None


def as_mail(opened: Opened, parse: Callable[[bytes, list[str]], Message]) -> Message | None:
    """Write a saved message as mail, so that it is read like any other that was forwarded."""
    mail = EmailMessage(policy=SMTP.clone(utf8=True))
    try:
        name = one_line(opened.from_name, 200).replace('"', "'")
        mail["Subject"] = one_line(opened.subject)
        if opened.date:
            mail["Date"] = format_datetime(opened.date)
        mail.set_content(opened.text or " ", cte="base64")
        if opened.html:
            mail.add_alternative(opened.html, subtype="html", cte="base64")
        for filename, kind, content in opened.files:
            main, _, sub = kind.partition("/")
            mail.add_attachment(
                content, maintype=main or "application", subtype=sub or "octet-stream",
                filename=one_line(filename, 200) or "attachment.bin",
            )  # fmt: skip
        sender = f'From: "{name}" <{one_line(opened.from_addr, 300)}>\r\n' if opened.from_addr or name else ""
        return parse(sender.encode("utf-8", "replace") + mail.as_bytes(), [])
    except (ValueError, LookupError, TypeError, AttributeError, IndexError):
        return None


def _attributes(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    place = 6
    for _ in range(MAX_ATTRIBUTES):
        if place + 9 > len(data):
            return
        level, kind, length = struct.unpack("<BII", data[place : place + 9])
        value = data[place + 9 : place + 9 + length]
        if level not in (1, 2):
            return
        yield level, kind & 0xFFFF, value
        place += 9 + length + 2


def _properties(data: bytes, charset: str) -> Properties:
    """Read a list of MAPI properties; what is cut off is left out."""
    found: Properties = {}
    try:
        (count,) = struct.unpack("<I", data[:4])
        place = 4
        for _ in range(min(count, MAX_PROPERTIES)):
            if place >= len(data):
                break
            kind, name = struct.unpack("<HH", data[place : place + 4])
            place += 4
            if name >= 0x8000:
                (form,) = struct.unpack("<I", data[place + 16 : place + 20])
                place += 20
                (length,) = struct.unpack("<I", data[place : place + 4])
                place += 4 + ((length + 3) // 4 * 4 if form == 1 else 0)
            several, kind = kind & 0x1000, kind & 0x0FFF
            values = 1
            if several or kind in _VARIABLE:
                (values,) = struct.unpack("<I", data[place : place + 4])
                place += 4
            for _ in range(min(values, MAX_PROPERTIES)):
                if place >= len(data):
                    break
                if kind in _FIXED:
                    value = data[place : place + _FIXED[kind]]
                    place += _FIXED[kind]
                elif kind in _VARIABLE:
                    (length,) = struct.unpack("<I", data[place : place + 4])
                    value = data[place + 4 : place + 4 + length]
                    place += 4 + (length + 3) // 4 * 4
                else:
                    return found
                found.setdefault(name, _value(kind, value, charset))
    except struct.error:
        return found
    return found


def _value(kind: int, value: bytes, charset: str) -> Any:
    if kind == 0x1E:
        return value.split(b"\0")[0].decode(charset, "replace")
    if kind == 0x1F:
        return value.decode("utf-16-le", "replace").split("\0")[0]
    if kind == 0x40 and len(value) == 8:
        return _filetime(value)
    return value


def _filetime(value: bytes) -> datetime | None:
    """Read 100-nanosecond steps since 1601, UTC."""
    try:
        return datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=int.from_bytes(value, "little") // 10)
    except OverflowError:
        return None


def _text(found: Properties, name: int) -> str:
    value = found.get(name, "")
    return value if isinstance(value, str) else ""


def _fill(opened: Opened, found: Properties) -> None:
    """Take over what the properties say of the message."""
    opened.subject = one_line(_text(found, SUBJECT)) or opened.subject
    opened.from_name = _text(found, SENDER_NAME)
    addresses = (_text(found, SENDER_SMTP), _text(found, SENDER_ADDRESS))
    opened.from_addr = next((each for each in addresses if "@" in each), "")
    date = found.get(SUBMITTED) or found.get(DELIVERED)
    opened.date = date if isinstance(date, datetime) else None
    opened.text = _text(found, BODY)
    html = found.get(HTML, b"")
    opened.html = html if isinstance(html, str) else guessed(html.rstrip(b"\0"))
    rtf = found.get(RTF)
    if not opened.text and not opened.html and isinstance(rtf, bytes):
        text, is_html = mime_rtf.as_text(mime_rtf.decompressed(rtf))
        if is_html:
            opened.html = text
        else:
            opened.text = text


def _message(container: Any) -> Opened:
    opened = Opened()
    found: Properties = {}
    files: dict[str, Properties] = {}
    fixed: dict[str, bytes] = {}
    for path in container.listdir(streams=True, storages=False)[:MAX_PROPERTIES]:
        if len(path) == 2 and path[0].startswith("__attach_version1.0_"):
            target = files.setdefault(path[0], {})
        elif len(path) == 1:
            target = found
        else:
            continue
        name = path[-1]
        if name == "__properties_version1.0" and len(path) == 1:
            fixed["message"] = container.openstream(path).read()
        elif name.startswith("__substg1.0_") and len(name) >= 20:
            number, kind = int(name[12:16], 16), int(name[16:20], 16)
            target[number] = _value(kind, container.openstream(path).read(), "cp1252")
    table = fixed.get("message", b"")[32:]
    for place in range(0, min(len(table), 16 * MAX_PROPERTIES) - 15, 16):
        kind, number = struct.unpack("<HH", table[place : place + 4])
        if kind == 0x40:
            found.setdefault(number, _filetime(table[place + 8 : place + 16]))
    _fill(opened, found)
    for each in [files[key] for key in sorted(files)][:MAX_FILES]:
        content = each.get(FILE_DATA)
        if isinstance(content, bytes) and content:
            name = _text(each, FILE_LONG) or _text(each, FILE_SHORT) or _text(each, DISPLAY_NAME)
            opened.files.append((name, _text(each, FILE_TYPE) or "application/octet-stream", content))
    return opened
