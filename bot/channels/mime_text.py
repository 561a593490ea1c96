"""The parts of a mail: decoded bytes, text as a person would see it, attachments in their order.

The tree comes from the standard parser under its old policy (``compat32``): the new one raises on hostile
mail. Everything is bounded: parts, levels, lines, characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email import policy
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser

from bot.channels import mime_calendar, mime_charset, mime_crypto, mime_files, mime_outlook
from bot.channels.mime_cut import LONGEST_TEXT, Pieces, cut
from bot.channels.mime_decode import decoded, encoding_of, payload_of, uudecoded
from bot.channels.mime_headers import Headers, base64_bytes, decode_mixed, one_line, parameters, visible
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
MAX_INSIDE = 3
"""How deep containers are opened: a signed mail in a signed mail, a mail in a file."""

_PLACEHOLDER = re.compile(
    r"\b(?:html (?:version|message|e-?mail|format|mail)|version html|format html|html[- ]?(?:fähig|nachricht)|"
    r"view (?:this|it|the) .{0,40}(?:html|browser)|(?:see|voir|siehe|vedi|zie) (?:the |la |le )?(?:attached )?html|"
    r"(?:does not|doesn't|ne) support\w* .{0,20}html|ne prend pas .{0,30}html|mime[- ](?:format|compatible))",
    re.IGNORECASE,
)
_EXCHANGE_TEXT = re.compile(r"att\d{5}\.(?:txt|html?)", re.IGNORECASE)
_MARKUP = re.compile(r"\s*(?:<!doctype html|<html[\s>])", re.IGNORECASE)
_FIELD_AHEAD = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,60}[ \t]*:")
_LOOSE_COLON = re.compile(rb"^([A-Za-z][A-Za-z0-9-]{0,60})[ \t]+:", re.MULTILINE)
_DELIMITER = re.compile(rb"^--([^\s-][^\r\n]{0,69}?)[ \t]*\r?\n(?=Content-)", re.MULTILINE | re.IGNORECASE)


class BoundedMessage(Message):
    """A message whose boundary is read in linear time: the standard parameter parser is quadratic."""

    def get_boundary(self, failobj: object = None) -> str | None:  # type: ignore[override]
        """Return the boundary of a multipart, or *failobj*."""
        for name, value in self.raw_items():
            if name.lower() == "content-type":
                boundary = _raw_parameter(str(value), "boundary")
                return boundary if boundary else failobj  # type: ignore[return-value]
        return failobj  # type: ignore[return-value]

    pieces = Pieces()
    """What was taken out of the whole mail, since it is large."""

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
    embedded: list[Message] = field(default_factory=list)
    """Whole messages inside (``message/rfc822``, ``.eml``, ``.msg``), outermost level only, in their order."""
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
    data, pieces = cut(_begun(raw))
    if pieces.text_was_cut:
        note.append("text-cut")
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
    kind = type("BoundedMessage", (BoundedMessage,), {"pieces": pieces}) if pieces.places else BoundedMessage
    parser = BytesParser(_class=kind, policy=policy.compat32)
    if boundaries <= 20 or boundaries * data.count(b"\n") <= MAX_WORK:
        try:
            return parser.parsebytes(data)
        except (RecursionError, ValueError, LookupError, TypeError, AttributeError, AssertionError):
            note.append("structure-unreadable")
    else:
        note.append("structure-too-deep")
    return parser.parsebytes(data, headersonly=True)


def _begun(raw: bytes) -> bytes:
    """Let the header begin where it was meant to: a byte order mark, blank lines above it and blanks before the colons
    are how badly made mail arrives, and the parser takes each for the end of the header."""
    data = raw.removeprefix(b"\xef\xbb\xbf")
    start = data.lstrip(b"\r\n")
    if len(start) != len(data) and _FIELD_AHEAD.match(start):
        data = start
    end = re.search(rb"\r?\n\r?\n", data[:MAX_HEADER_BYTES])
    head = data[: end.start()] if end else data[:MAX_HEADER_BYTES]
    if _LOOSE_COLON.search(head):
        data = _LOOSE_COLON.sub(rb"\1:", head) + data[len(head) :]
    return data


def payload(part: Message, problems: Content | None = None) -> bytes:
    """Return the decoded bytes of a leaf; whatever its transfer encoding claims, never raises."""
    content = part.content if isinstance(part, BoundedMessage) else part.get_payload()
    if isinstance(part, BoundedMessage) and isinstance(content, str):
        taken_out = part.pieces.found(content)
        if taken_out is not None:
            is_text = Headers(part).get("content-type").lower().startswith("text")
            return base64_bytes(taken_out[:LONGEST_TEXT] if is_text else taken_out)
    noted: list[str] = []
    data = payload_of(part, content, noted)
    if problems is not None and noted:
        problems.note(noted[0])
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


def _walk(part: Message, content: Content, level: int, inside: int = 0) -> None:
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
        encoding = encoding_of(headers)
        for child in children[:50]:
            if isinstance(child, Message):
                inner_message = _unwrapped(child, encoding)
                filename = name or f"{Headers(inner_message).text('subject') or 'message'}.eml"
                if kind in ("message/rfc822", "message/global"):
                    content.attachments.append(
                        mime_files.attachment(_as_bytes(inner_message), filename, "message/rfc822", inline=False)
                    )
                content.embedded.append(inner_message)
        return
    if not isinstance(children, list) and kind.startswith("multipart/"):
        children = _recovered(part, kind)
        if children is None:
            return
        content.note("boundary-missing")
    if not isinstance(children, list):
        _leaf(part, headers, kind, options, content, level, inside)
        return
    inner = [child for child in children if isinstance(child, Message)]
    if kind == "multipart/alternative":
        _alternative(inner, content, level, inside)
        return
    for child in inner:
        _walk(child, content, level + 1, inside)


def _recovered(part: Message, kind: str) -> list[Message] | None:
    """Find the parts of a multipart whose boundary is missing or is not the one in its body."""
    body = part.content if isinstance(part, BoundedMessage) else None
    data = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else b""
    found = _DELIMITER.search(data)
    if not found:
        return None
    boundary = found[1].replace(b'"', b"")
    again = parse(
        b"Content-Type: " + kind.encode("ascii", "replace") + b'; boundary="' + boundary + b'"\n\n' + data, []
    )
    found_parts = again.get_payload()
    return [each for each in found_parts if isinstance(each, Message)] if isinstance(found_parts, list) else None


def _as_bytes(message: Message) -> bytes:
    try:
        data = message.as_bytes()
        return message.pieces.restored(data) if isinstance(message, BoundedMessage) else data
    except (MessageError, RecursionError, ValueError, LookupError, TypeError, AttributeError):
        return _flat(message)


def _flat(message: Message) -> bytes:
    """Write a message that the library refuses to write, such as one with a line break within a field."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in message.raw_items())
    content = message.content if isinstance(message, BoundedMessage) else ""
    body = content if isinstance(content, str) else ""
    return f"{fields}\r\n{body}".encode("utf-8", "surrogateescape")


def _unwrapped(message: Message, encoding: str) -> Message:
    """Undo a transfer encoding around a whole message: forbidden by RFC 2046, and done all the same."""
    content = message.content if isinstance(message, BoundedMessage) else message.get_payload()
    if encoding not in ("base64", "quoted-printable") or not isinstance(content, str):
        return message
    return parse(decoded(content.encode("utf-8", "surrogateescape"), encoding, text=False), [])


def _alternative(children: list[Message], content: Content, level: int, inside: int) -> None:
    """Take the plain text, unless it is empty, a placeholder, or says something else than the HTML."""
    found: list[tuple[str, Content]] = []
    for child in children[:50]:
        each = Content(parts=content.parts)
        _walk(child, each, level + 1, inside)
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
        # A mail program may put the rest of a mail beside the pictures of its rich half only.
        for _, each in found:
            content.texts += [text for text in each.texts[1:] if _not_in(plain, text)]


def _not_in(plain: str, text: str) -> bool:
    """Whether most of what *text* says is missing from *plain*."""
    words = set(re.findall(r"\w{4,}", text[:200_000].lower()))
    return bool(words) and len(words & set(re.findall(r"\w{4,}", plain[:200_000].lower()))) < 0.5 * len(words)


def _say_different_things(plain: str, rich: str) -> bool:
    said = set(re.findall(r"\w{4,}", re.sub(r"https?://\S+", "", plain[:200_000]).lower()))
    shown = set(re.findall(r"\w{4,}", re.sub(r"https?://\S+", "", rich[:200_000]).lower()))
    common = said & shown
    return (len(shown) >= 6 and len(common) < 0.4 * len(shown)) or (max(len(said), len(shown)) >= 3 and not common)


def _leaf(
    part: Message, headers: Headers, kind: str, options: dict[str, str], content: Content, level: int, inside: int
) -> None:
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
        calendar = _characters(data[: 4 * MAX_TEXT], options.get("charset", "utf-8"), Content())
        content.calendar_methods.append((options.get("method", "") or mime_calendar.method(calendar)).lower())
        if said := tidy(mime_calendar.as_text(calendar)):
            content.late_texts.append(said)
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
        # What says that it is shown with the mail is part of it for its reader, though it has a name.
        shown = disposition == "inline" and kind == "text/plain"
        (content.texts if shown else content.late_texts).append(_decoded(data, kind, options, Content()))
    inline = disposition == "inline" or (disposition != "attachment" and bool(headers.get("content-id")))
    found = mime_files.attachment(data, name, kind, inline=inline)
    for problem in mime_files.problems(found):
        content.note(problem)
    if options.get("smime-type", "").lower() in ("enveloped-data", "authenveloped-data"):
        content.note("smime-encrypted")
    content.attachments.append(found)
    if inside < MAX_INSIDE:
        _open(found, content, level, inside)


def _open(found: Attachment, content: Content, level: int, inside: int) -> None:
    """Look into the containers that mail programs make of mail: a file in them is a file of the sender's."""
    ending = found.filename.rpartition(".")[2].lower()
    if ending == "eml" and _FIELD_AHEAD.match(found.content.lstrip(b"\xef\xbb\xbf\r\n")):
        content.embedded.append(parse(found.content, []))
    elif ending == "msg" or found.content_type == "application/vnd.ms-outlook":
        opened = mime_outlook.msg(found.content)
        message = mime_outlook.as_mail(opened, parse) if opened else None
        if message is not None:
            content.embedded.append(message)
    elif "winmail-dat" in mime_files.problems(found):
        _open_winmail(found.content, content)
    elif ending == "p7m" or found.content_type in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
        kind, inner = mime_crypto.smime(found.content)
        if kind == "encrypted":
            content.note("smime-encrypted")
        if inner.strip():
            _walk(parse(inner, []), content, level + 1, inside + 1)


def _open_winmail(data: bytes, content: Content) -> None:
    opened = mime_outlook.tnef(data)
    if opened is None:
        return
    text = visible_text(opened.html)[0] if opened.html and not opened.text.strip() else opened.text
    if text.strip():
        content.late_texts.append(tidy(text))
    for name, kind, inner in opened.files:
        content.attachments.append(mime_files.attachment(inner, name, one_line(kind, 100), inline=False))


def _decoded(data: bytes, kind: str, options: dict[str, str], content: Content) -> str:
    """Decode a text part and lay it out."""
    if len(data) > 4 * MAX_TEXT:
        content.note("text-cut")
        data = data[: 4 * MAX_TEXT]
    html = kind == "text/html"
    text = _characters(data, options.get("charset", "") or (_html_charset(data) if html else ""), content)
    if not html and kind == "text/plain" and _MARKUP.match(text):
        content.note("html-as-plain")
        html = True
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
    text, problem = mime_charset.decode(data, charset)
    if problem:
        content.note(problem)
    return text


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


def _take_uuencoded(text: str, content: Content) -> str:
    rest, files = uudecoded(text)
    for name, data in files:
        content.attachments.append(mime_files.attachment(data, name, "application/octet-stream", inline=False))
        content.note("uuencoded")
    return rest
