"""The parts of a mail: decoded bytes, text as a person would see it, attachments in their order.

The tree comes from the standard parser under its old policy (``compat32``): the new one raises on hostile
mail. Everything is bounded: parts, levels, lines, characters.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from email import policy
from email.message import Message
from email.parser import BytesParser
from quopri import decodestring

from bot.channels import mime_files
from bot.channels.mime_headers import (
    Headers,
    base64_bytes,
    codec,
    decode_bytes,
    decode_mixed,
    parameters,
    visible,
)
from bot.channels.mime_html import visible_text
from handlers.types import Attachment

MAX_TEXT = 1_000_000
MAX_PARTS = 1_000
MAX_DELIMITERS = 20_000
MAX_LINES = 700_000
MAX_HEADER_BYTES = 512_000
MAX_LEVELS = 200
MAX_WORK = 30_000_000
"""Lines times announced boundaries: what the parser must compare at worst."""
MAX_UUENCODED = 20

_PLACEHOLDER = re.compile(
    r"\b(?:html (?:version|message|e-?mail|format|mail)|version html|format html|html[- ]?(?:fähig|nachricht)|"
    r"view (?:this|it|the) .{0,40}(?:html|browser)|(?:see|voir|siehe|vedi|zie) (?:the |la |le )?(?:attached )?html|"
    r"(?:does not|doesn't|ne) support\w* .{0,20}html|ne prend pas .{0,30}html|mime[- ](?:format|compatible))",
    re.IGNORECASE,
)
_EXCHANGE_TEXT = re.compile(r"att\d{5}\.(?:txt|html?)", re.IGNORECASE)
_UU_BEGIN = re.compile(r"^begin [0-7]{3,4} (\S[^\n]{0,200})\n", re.MULTILINE)


class BoundedMessage(Message):
    """A message whose boundary is read in linear time: the standard parameter parser is quadratic."""

    def get_boundary(self, failobj: object = None) -> str | None:  # type: ignore[override]
        """Return the boundary of a multipart, or *failobj*."""
        for name, value in self.raw_items():
            if name.lower() == "content-type":
                boundary = _raw_parameter(str(value), "boundary")
                return boundary if boundary else failobj  # type: ignore[return-value]
        return failobj  # type: ignore[return-value]

    @property
    def content(self) -> object:
        """The payload as it stands: the public accessor replaces what it cannot decode."""
        return self.__dict__.get("_payload")


def _raw_parameter(value: str, wanted: str) -> str:
    """Return a parameter with its bytes kept (surrogates), since it is compared with the body."""
    found = re.search(rf"[;\s]{wanted}\s*=\s*(?:\"([^\"]{{0,500}})\"|([^;\s]{{1,500}}))", value[:8_192], re.IGNORECASE)
    if found:
        return (found[1] if found[1] is not None else found[2]).rstrip()
    return parameters(value)[1].get(wanted, "").rstrip()


@dataclass
class Content:
    """What was found in the parts of one message."""

    texts: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    embedded: list[tuple[str, Message]] = field(default_factory=list)
    """Whole messages inside (``message/rfc822``), outermost level only, in their order, each with its file name."""
    calendar_methods: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    parts: int = 0
    late_texts: list[str] = field(default_factory=list)
    """Texts sent as files: they count as the message only where there is no other text."""

    def note(self, problem: str) -> None:
        """Note a problem once."""
        if problem not in self.problems:
            self.problems.append(problem)

    @property
    def text(self) -> str:
        """All texts, a blank line between them."""
        texts = [text for text in self.texts if text.strip()] or [text for text in self.late_texts if text.strip()]
        return "\n\n".join(text.strip("\n") for text in texts)


def parse(raw: bytes, note: list[str]) -> Message:
    """Parse *raw* into a tree; where it is too large or too deep to be safe, cut it and say so in *note*."""
    data = raw
    head = re.search(rb"\A\r?\n|\n\r?\n", data[: MAX_HEADER_BYTES + 4])
    if head is None and len(data) > MAX_HEADER_BYTES:
        note.append("headers-too-large")
        data = data[:MAX_HEADER_BYTES] + b"\r\n\r\n" + data[MAX_HEADER_BYTES:]
    if data.count(b"\n") > MAX_LINES:
        note.append("too-many-lines")
        data = b"\n".join(data.split(b"\n", MAX_LINES)[:MAX_LINES])
    if data.count(b"\n--") > MAX_DELIMITERS:
        note.append("too-many-parts")
        data = b"\n--".join(data.split(b"\n--", MAX_DELIMITERS)[:MAX_DELIMITERS])
    boundaries = len(re.findall(rb"boundary", data, re.IGNORECASE))
    parser = BytesParser(_class=BoundedMessage, policy=policy.compat32)
    if boundaries <= 20 or boundaries * data.count(b"\n") <= MAX_WORK:
        try:
            return parser.parsebytes(data)
        except (RecursionError, ValueError, LookupError, TypeError, AttributeError, AssertionError):
            note.append("structure-unreadable")
    else:
        note.append("structure-too-deep")
    return parser.parsebytes(data, headersonly=True)


def payload(part: Message, problems: Content | None = None) -> bytes:
    """Return the decoded bytes of a leaf; whatever its transfer encoding claims, never raises."""
    content = part.content if isinstance(part, BoundedMessage) else part.get_payload()
    if not isinstance(content, str):
        return b""
    data = content.encode("utf-8", "surrogateescape")
    encoding = Headers(part).get("content-transfer-encoding").strip("\"' ;").lower()
    if encoding == "base64":
        return base64_bytes(data)
    if encoding == "quoted-printable":
        return decodestring(data)
    if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
        _, files = _uudecoded(decode_mixed(data).replace("\r\n", "\n"))
        return files[0][1] if files else data
    if encoding not in ("", "7bit", "8bit", "binary", "7-bit", "8-bit") and problems is not None:
        problems.note("transfer-encoding-unknown")
    return data


def collect(message: Message, raw: bytes = b"") -> Content:
    """Read the parts of *message*: texts in their order, files, messages inside.

    Where the structure gives nothing at all, the body of *raw* stands in for the text: the DPO must see
    what may be a request.
    """
    content = Content()
    _walk(message, content, 0)
    if not content.texts and not content.late_texts and not content.attachments and not content.embedded:
        body = message.content if isinstance(message, BoundedMessage) else None
        data = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else b""
        if not data and content.problems:
            data = re.split(rb"\r?\n\r?\n", raw[:MAX_TEXT], maxsplit=1)[-1]
        if data.strip() and not content.calendar_methods:
            content.note("structure-unreadable")
            content.texts.append(tidy(decode_mixed(data[:MAX_TEXT])))
    if len(content.text) > MAX_TEXT:
        content.note("text-cut")
    if not content.texts and content.late_texts:
        content.note("text-in-attachment")
    return content


def _walk(part: Message, content: Content, level: int) -> None:
    content.parts += 1
    if content.parts > MAX_PARTS:
        content.note("too-many-parts")
        return
    if level > MAX_LEVELS:
        content.note("nested-too-deep")
        return
    headers = Headers(part)
    kind, options = parameters(headers.get("content-type"))
    if "/" not in kind:
        kind = "text/plain"
    children = part.get_payload()
    if isinstance(children, list) and kind.startswith("message/"):
        name = parameters(headers.get("content-disposition"))[1].get("filename") or options.get("name", "")
        encoding = headers.get("content-transfer-encoding").lower()
        for child in children[:50]:
            if isinstance(child, Message):
                content.embedded.append((name, _unwrapped(child, encoding)))
        return
    if not isinstance(children, list) and kind.startswith("multipart/"):
        return
    if not isinstance(children, list):
        _leaf(part, headers, kind, options, content)
        return
    inner = [child for child in children if isinstance(child, Message)]
    if kind == "multipart/alternative":
        _alternative(inner, content, level)
        return
    for child in inner:
        _walk(child, content, level + 1)


def _unwrapped(message: Message, encoding: str) -> Message:
    """Undo a transfer encoding around a whole message: forbidden by RFC 2046, and done all the same."""
    content = message.content if isinstance(message, BoundedMessage) else message.get_payload()
    if encoding not in ("base64", "quoted-printable") or not isinstance(content, str):
        return message
    data = content.encode("utf-8", "surrogateescape")
    return parse(base64_bytes(data) if encoding == "base64" else decodestring(data), [])


def _alternative(children: list[Message], content: Content, level: int) -> None:
    """Take the plain text, unless it is empty, a placeholder, or says something else than the HTML."""
    found: list[tuple[str, Content]] = []
    for child in children[:50]:
        each = Content(parts=content.parts)
        _walk(child, each, level + 1)
        content.parts = each.parts
        kind = parameters(Headers(child).get("content-type"))[0]
        if kind == "text/x-amp-html":
            continue
        found.append((kind, each))
        for problem in each.problems:
            content.note(problem)
        content.attachments += each.attachments
        content.embedded += each.embedded
        content.calendar_methods += each.calendar_methods
        content.late_texts += each.late_texts
    spoken = [(kind, each.text) for kind, each in found if each.texts and each.text.strip()]
    plain = next((text for kind, text in spoken if kind in ("text/plain", "")), "")
    rich = next((text for kind, text in reversed(spoken) if kind not in ("text/plain", "")), "")
    if not plain or not rich:
        content.texts.append(plain or rich)
    elif len(plain) < 600 and _PLACEHOLDER.search(plain) and len(rich) > len(plain) / 2:
        content.texts.append(rich)
    elif _say_different_things(plain, rich):
        # Nothing is chosen for the reader: a request may stand in either of them.
        content.note("alternatives-differ")
        content.texts += [plain, rich]
    else:
        content.texts.append(plain)


def _say_different_things(plain: str, rich: str) -> bool:
    said = set(re.findall(r"\w{4,}", re.sub(r"https?://\S+", "", plain[:200_000]).lower()))
    shown = set(re.findall(r"\w{4,}", re.sub(r"https?://\S+", "", rich[:200_000]).lower()))
    common = said & shown
    return (len(shown) >= 6 and len(common) < 0.4 * len(shown)) or (len(said) >= 6 and not common)


def _leaf(part: Message, headers: Headers, kind: str, options: dict[str, str], content: Content) -> None:
    disposition, given = parameters(headers.get("content-disposition"))
    name = given.get("filename") or given.get("name") or options.get("name") or options.get("filename") or ""
    if kind.startswith("message/") and kind not in ("message/rfc822", "message/global"):
        if kind in ("message/external-body", "message/partial"):
            content.note(kind.replace("/", "-"))
        if kind != "message/delivery-status":
            data = payload(part, content)
            content.attachments.append(mime_files.attachment(data, name, kind, inline=False))
        return
    if kind == "text/rfc822-headers":
        return
    data = payload(part, content)
    if kind == "text/calendar":
        method = options.get("method", "") or _calendar_method(data)
        content.calendar_methods.append(method.lower())
    is_text = kind.startswith("text/") and kind not in ("text/calendar", "text/x-vcard", "text/vcard", "text/csv")
    is_text = is_text and kind not in (
        "text/rfc822-headers",
        "text/directory",
        "text/xml",
        "text/javascript",
        "text/css",
    )
    as_file = disposition == "attachment" or (bool(name) and not _EXCHANGE_TEXT.fullmatch(name.strip()))
    if is_text and not as_file:
        text = _decoded(data, kind, options, content)
        if kind != "text/html" and "begin " in text:
            text = _take_uuencoded(text, content)
        content.texts.append(text)
        return
    if is_text and len(data) <= MAX_TEXT:
        content.late_texts.append(_decoded(data, kind, options, Content()))
    inline = disposition == "inline" or (disposition != "attachment" and bool(headers.get("content-id")))
    found = mime_files.attachment(data, name, kind, inline=inline)
    for problem in mime_files.problems(found):
        content.note(problem)
    content.attachments.append(found)


def _calendar_method(data: bytes) -> str:
    found = re.search(rb"^METHOD:([A-Z-]{1,20})", data[:4_000], re.MULTILINE | re.IGNORECASE)
    return found[1].decode("ascii") if found else ""


def _decoded(data: bytes, kind: str, options: dict[str, str], content: Content) -> str:
    """Decode a text part and lay it out."""
    if len(data) > 4 * MAX_TEXT:
        content.note("text-cut")
        data = data[: 4 * MAX_TEXT]
    html = kind == "text/html"
    text = _characters(data, options.get("charset", "") or (_html_charset(data) if html else ""), content)
    if html:
        text, hid = visible_text(text)
        if hid:
            content.note("hidden-text")
    elif options.get("format", "").lower() == "flowed":
        text = _unflowed(_lines(text), options.get("delsp", "").lower() == "yes")
    elif kind == "text/enriched":
        text = re.sub(r"<[^<>]{1,80}>", "", text)
    text = tidy(text)
    if len(text) > MAX_TEXT:
        content.note("text-cut")
    return text[:MAX_TEXT]


def _html_charset(data: bytes) -> str:
    found = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]{1,40})", data[:4_096], re.IGNORECASE)
    return found[1].decode("ascii") if found else ""


def _characters(data: bytes, charset: str, content: Content) -> str:
    """Decode by the declared charset where it can be true, else by what the bytes say."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    if not charset:
        if not data.isascii():
            content.note("charset-missing")
        return decode_mixed(data)
    name = codec(charset) or ""
    if not name:
        content.note("charset-unknown")
        return decode_mixed(data)
    if data.isascii() and name.startswith(("cp125", "utf-8", "iso8859", "mac")):
        return data.decode("ascii")
    if name == "utf-8" or name.startswith(("cp125", "iso8859", "mac")):
        is_utf8 = _is_utf8(data)
        ascii_declared = charset.strip("\"' ").lower() in ("us-ascii", "ascii")
        if is_utf8 != (name == "utf-8") or ascii_declared:
            content.note("charset-wrong")
        if is_utf8 or name == "utf-8":
            return decode_mixed(data)
    return decode_bytes(data, charset)


def _is_utf8(data: bytes) -> bool:
    """Latin text hardly ever happens to be valid UTF-8, so what is valid is meant so."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def tidy(text: str) -> str:
    """Normalise line ends and spaces, and drop what no reader sees."""
    text = visible(_lines(text).replace("\x0c", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n"))
    text = re.sub("[\u00a0\u202f\u2007\u3000]", " ", text)
    text = (
        re.sub("(?<!\\w)[\u200c\u200d]|[\u200c\u200d](?!\\w)", "", text) if re.search("[\u200c\u200d]", text) else text
    )
    text = "\n".join("-- " if line == "-- " else line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n")


def _unflowed(text: str, delsp: bool) -> str:
    """Join flowed lines (RFC 3676): a trailing space means that the paragraph goes on."""
    lines: list[str] = []
    open_depth = -1
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        body = line[depth:]
        body = body[1:] if body.startswith(" ") else body
        flows = body.endswith(" ") and body != "-- "
        shown = body[:-1] if flows and delsp else body
        if open_depth == depth and body != "-- ":
            lines[-1] += shown
        else:
            lines.append(f"{'>' * depth} {shown}" if depth else shown)
        open_depth = depth if flows else -1
    return "\n".join(lines)


def _uudecoded(text: str) -> tuple[str, list[tuple[str, bytes]]]:
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
        data = b""
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


def _take_uuencoded(text: str, content: Content) -> str:
    rest, files = _uudecoded(text)
    for name, data in files:
        content.attachments.append(mime_files.attachment(data, name, "application/octet-stream", inline=False))
        content.note("uuencoded")
    return rest
