"""Transfer encodings: the bytes of a part, whatever its header claims about them. Nothing here raises."""

from __future__ import annotations

import binascii
import re
from email.message import Message
from quopri import decodestring

from bot.channels.mime_headers import Headers, base64_bytes, decode_mixed

MAX_UUENCODED = 20

_KNOWN = ("", "7bit", "8bit", "binary", "7-bit", "8-bit", "7bits", "8bits", "none")
_UU_BEGIN = re.compile(r"^begin [0-7]{3,4} (\S[^\n]{0,200})\n", re.MULTILINE)
_QUOTED = (
    re.compile(rb"=[C-F][0-9A-F](?:=\r?\n)?(?:=[89AB][0-9A-F])"),
    re.compile(rb"(?<=[A-Za-z])=[EF][0-9A-F](?=[a-z])|=3D[\"']"),
)
"""What quoted-printable leaves of letters beyond ASCII, and of markup."""
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,3}\Z")


def encoding_of(headers: Headers) -> str:
    """Return the transfer encoding a part declares, in lower case and without comments."""
    value = headers.get("content-transfer-encoding").strip("\"' ;").lower()
    return re.split(r"[\s;(]", value, maxsplit=1)[0].strip("\"'")


def decoded(data: bytes, encoding: str, *, text: bool) -> bytes:
    """Undo *encoding*. *text* says that it is a text part: one that is not what it claims stays as it is."""
    if encoding == "base64":
        return _base64_text(data) if text else base64_bytes(data)
    if encoding in ("quoted-printable", "quotedprintable"):
        # Blanks at a line's end were added on the way (RFC 2045 section 6.7), also behind a soft break.
        return decodestring(re.sub(rb"=[ \t]+(?=\r?\n)", b"=", data))
    if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
        _, files = uudecoded(decode_mixed(data).replace("\r\n", "\n"))
        return files[0][1] if files else data
    return data


def is_known(encoding: str) -> bool:
    """Whether *encoding* is one that leaves the bytes alone, or that :func:`decoded` undoes."""
    return encoding in (
        *_KNOWN,
        "base64",
        "quoted-printable",
        "quotedprintable",
        "x-uuencode",
        "uuencode",
        "uue",
        "x-uue",
    )


def _base64_text(data: bytes) -> bytes:
    """Decode a text in base64; a footer that a list put below stays, and so does what never was base64."""
    lines = data.split(b"\n")
    kept: list[bytes] = []
    for number, line in enumerate(lines):
        stripped = line.strip()
        if not stripped:
            continue
        if not _BASE64_LINE.match(stripped):
            rest = b"\n".join(lines[number:])
            wordy = sum(1 for each in lines[number : number + 20] if b" " in each.strip())
            if not kept or not wordy:
                return rest if wordy and not kept else base64_bytes(data)
            return base64_bytes(b"".join(kept)) + b"\n\n" + rest
        if kept and kept[-1].endswith(b"="):
            rest = b"\n".join(lines[number:])
            if b"=" not in rest and b" " in rest:
                return base64_bytes(b"".join(kept)) + b"\n\n" + rest
        kept.append(stripped)
    return base64_bytes(data)


def payload_of(part: Message, content: object, problems: list[str] | None = None) -> bytes:
    """Return the decoded bytes of a leaf with the raw *content* (a str with surrogates)."""
    if not isinstance(content, str):
        return b""
    headers = Headers(part)
    encoding = encoding_of(headers)
    if problems is not None and not is_known(encoding):
        problems.append("transfer-encoding-unknown")
    kind = headers.get("content-type").lower()
    data = content.encode("utf-8", "surrogateescape")
    is_text = not kind or kind.startswith("text")
    if is_text and encoding in _KNOWN and _is_quoted(data):
        encoding = "quoted-printable"
    return decoded(data, encoding, text=is_text)


def _is_quoted(data: bytes) -> bool:
    """Whether a text that declares no such thing is quoted-printable: no bytes beyond ASCII, but their codes."""
    sample = data[:20_000]
    if b"=" not in sample or not sample.isascii():
        return False
    return len(_QUOTED[0].findall(sample)) >= 2 or len(_QUOTED[1].findall(sample)) >= 3


def uudecoded(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Take uuencoded files out of *text*; return the rest and (name, bytes) of each."""
    files: list[tuple[str, bytes]] = []
    kept: list[str] = []
    place = 0
    for begin in _UU_BEGIN.finditer(text):
        if begin.start() < place or len(files) >= MAX_UUENCODED:
            continue
        end = text.find("\nend", begin.end() - 1)
        if end < 0:
            break
        try:
            data = b"".join(
                binascii.a2b_uu(line) for line in text[begin.end() : end].split("\n") if line.strip() and line.isascii()
            )
        except binascii.Error:
            continue
        kept.append(text[place : begin.start()])
        files.append((begin[1].strip(), data))
        place = end + 4
    return "".join(kept) + text[place:], files
