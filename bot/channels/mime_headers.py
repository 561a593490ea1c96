"""Header fields of hostile and careless mail: encoded words, parameters, addresses, ids, dates.

The standard library's modern policy raises on a tenth of all mutated mail, and its parameter parser is
quadratic. What stands here reads raw values only, is linear, and never raises: a field that makes no
sense comes out empty.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

MAX_HEADERS = 2_000
MAX_VALUE = 16_384
MAX_ADDRESSES = 500
MAX_IDS = 100

_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?((?:[^?]|\?(?!=)){0,2000}?)\?=")
_BETWEEN_WORDS = re.compile(r"(?<=\?=)\s+(?==\?[^?\s]{1,80}\?[bBqQ]\?)")
_NOT_TEXT = {"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "unicode-escape"}
_CHARSET_ALIASES = {
    # Browsers and mail clients read these labels as their Microsoft supersets, which is what senders mean.
    "iso8859-1": "cp1252",
    "latin-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
}
_CHARSET_SLIPS = {
    "ansi": "cp1252",
    "utf8mb4": "utf-8",
    "unicode": "utf-8",
    "utf": "utf-8",
    "win-1252": "cp1252",
    "windows1252": "cp1252",
    "x-ansi": "cp1252",
    "ks_c_5601-1987": "cp949",
    "iso-8859-8-i": "iso-8859-8",
    "ansi_x3.110-1983": "cp1252",
    "macroman": "mac_roman",
    "x-mac-roman": "mac_roman",
}
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_ASCII = re.compile("[\x00-\x7f]?[^\x00-\x7f]{1,200}")
_SPACES = re.compile(r"\s+")
_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]\\]+@[^\s<>@,;:\"()\\]+")

_QUOTED_LOCAL = re.compile(r"(\"[^\"@<>]{1,64}\")@([^\s<>@,;:\"()\\]{1,255})")


def codec(name: str) -> str | None:
    """Return the Python codec to read *name* with, or None where no text codec has that name."""
    label = name.strip().strip("\"'").lower().split("*")[0]
    label = _CHARSET_SLIPS.get(label, label)
    try:
        found = codecs.lookup(label).name
        b"".decode(found)
    except (LookupError, ValueError, UnicodeError):
        return None
    if found in _NOT_TEXT:
        return None
    return _CHARSET_ALIASES.get(found, found)


def decode_mixed(data: bytes) -> str:
    """Decode as UTF-8, each byte that is none as windows-1252: right for both, and for a mixture."""
    text = data.decode("utf-8", "surrogateescape")
    return _SURROGATE.sub(lambda m: bytes([ord(m[0]) & 0xFF]).decode("cp1252", "replace"), text)


def raw_text(value: str) -> str:
    """Turn a raw header value (surrogate-escaped by the parser) into text."""
    value = value[:MAX_VALUE]
    if value.isascii():
        return value
    return decode_mixed(value.encode("utf-8", "surrogateescape"))


def visible(text: str) -> str:
    """Remove what no reader sees but a machine does: controls, bidi marks, zero-width and tag characters.

    Line breaks and tabs stay. The result is NFC and always encodable as UTF-8.
    """
    if text.isascii():
        return _CONTROL.sub("", text)
    text = _HIDDEN.sub("", _CONTROL.sub("", _SURROGATE.sub("\ufffd", text)))
    # In small pieces: over a long run of combining marks the normalisation is quadratic.
    return _NOT_ASCII.sub(lambda run: unicodedata.normalize("NFC", run[0]), text)


def one_line(text: str, limit: int = 998) -> str:
    """Return *text* as a single clean line: for subjects, names and file names."""
    return _SPACES.sub(" ", visible(_SPACES.sub(" ", text))).strip()[:limit].strip()


def _word_bytes(encoding: str, payload: str) -> bytes:
    data = payload.encode("utf-8", "replace")
    if encoding in "qQ":
        return re.sub(rb"=([0-9A-Fa-f]{2})", lambda m: binascii.unhexlify(m[1]), data.replace(b"_", b" "))
    return base64_bytes(data)


def base64_bytes(data: bytes | memoryview) -> bytes:
    """Decode base64, forgiving junk, missing padding and a cut end."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        clean = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
        clean = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
        return base64.b64decode(clean + b"=" * (-len(clean) % 4))


def decode_bytes(data: bytes, charset: str) -> str:
    """Decode *data* by the declared *charset*; where that fails, as UTF-8 or windows-1252."""
    name = codec(charset)
    if name is not None and name != "utf-8":
        try:
            return data.decode(name)
        except (UnicodeError, ValueError):
            pass
    return decode_mixed(data)


def decode_words(value: str) -> str:
    """Decode RFC 2047 encoded words, also inside quotes, without spaces between, or split inside a character."""
    value = _BETWEEN_WORDS.sub("", value)
    pieces: list[str] = []
    pending = b""
    pending_charset = ""
    end = 0
    for word in _ENCODED_WORD.finditer(value):
        charset = word[1].split("*")[0].lower()
        between = value[end : word.start()]
        if pending and (between or charset != pending_charset):
            pieces.append(decode_bytes(pending, pending_charset))
            pending = b""
        pieces.append(between)
        pending += _word_bytes(word[2], word[3])
        pending_charset = charset
        end = word.end()
    if pending:
        pieces.append(decode_bytes(pending, pending_charset))
    pieces.append(value[end:])
    return "".join(pieces)


class Headers:
    """The header fields of a part, indexed once; values are raw text, not yet decoded."""

    def __init__(self, part: Message) -> None:
        self.fields: list[tuple[str, str]] = []
        for name, value in part.raw_items():
            if len(self.fields) >= MAX_HEADERS:
                break
            self.fields.append((name.lower(), raw_text(str(value))))
        self._index: dict[str, list[str]] = {}
        for name, value in self.fields:
            self._index.setdefault(name, []).append(value)

    def all(self, name: str) -> list[str]:
        """Return every value of a field, topmost first."""
        return self._index.get(name.lower(), [])

    def get(self, name: str) -> str:
        """Return the topmost value, unfolded, or an empty string."""
        values = self.all(name)
        return _SPACES.sub(" ", values[0]).strip() if values else ""

    def text(self, name: str, limit: int = 998) -> str:
        """Return the topmost value decoded and clean, for people to read."""
        return one_line(decode_words(self.get(name)), limit)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._index


def _split_outside(value: str, separators: str) -> Iterator[str]:
    """Split at *separators* outside quotes, comments and angle brackets."""
    piece: list[str] = []
    quoted = angle = False
    depth = 0
    skip = False
    for char in value:
        if skip:
            skip = False
        elif char == "\\" and (quoted or depth):
            skip = True
        elif char == '"' and not depth:
            quoted = not quoted
        elif quoted:
            pass
        elif char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif depth:
            pass
        elif char == "<":
            angle = True
        elif char == ">":
            angle = False
        elif char in separators and not angle:
            yield "".join(piece)
            piece = []
            continue
        piece.append(char)
    yield "".join(piece)


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """Split a ``Content-Type`` or ``Content-Disposition`` value into its main value and its parameters.

    Understands RFC 2231 (continuations, charsets) and what is sent in its place: encoded words in or
    without quotes, raw 8-bit names.
    """
    pieces = list(_split_outside(value[:MAX_VALUE], ";"))
    plain: dict[str, str] = {}
    extended: dict[str, dict[int, tuple[bool, str]]] = {}
    for piece in pieces[1:500]:
        name, equals, content = piece.partition("=")
        name = name.strip().lower()
        if not equals or not name:
            continue
        content = content.strip()
        if content.startswith('"'):
            # Only quotes and backslashes are undone: old clients send Windows paths as they are.
            content = re.sub(r'\\(["\\])', r"\1", content[1:].removesuffix('"'))
        if "*" not in name:
            plain.setdefault(name, content)
            continue
        base, _, rest = name.partition("*")
        encoded = rest.endswith("*") or rest == ""
        number = rest.rstrip("*")
        place = int(number) if number.isdecimal() and len(number) < 5 else 0
        extended.setdefault(base, {}).setdefault(place, (encoded, content))
    for base, parts in extended.items():
        plain[base] = _join_extended([parts[place] for place in sorted(parts)])
    return pieces[0].strip().lower(), {name: decode_words(content) for name, content in plain.items()}


def _join_extended(parts: list[tuple[bool, str]]) -> str:
    charset = "utf-8"
    data = b""
    for number, (encoded, given) in enumerate(parts):
        content = given
        if encoded:
            if number == 0 and content.count("'") >= 2:
                charset, _, content = content.split("'", 2)
            data += unquote_to_bytes(content)
        else:
            data += content.encode("utf-8", "replace")
    return decode_bytes(data, charset or "utf-8")


def _without_comments(value: str) -> tuple[str, str]:
    """Return *value* without its RFC 5322 comments, and the comments' text."""
    outside: list[str] = []
    inside: list[str] = []
    depth = 0
    quoted = skip = False
    for char in value:
        if skip:
            skip = False
        elif char == "\\":
            skip = True
        elif char == '"' and not depth:
            quoted = not quoted
        elif char == "(" and not quoted:
            depth += 1
            continue
        elif char == ")" and depth and not quoted:
            depth -= 1
            continue
        (inside if depth else outside).append(char)
    return "".join(outside), "".join(inside)


def clean_address(text: str) -> str:
    """Return the address in *text* with its domain in lower case, or an empty string."""
    given = one_line(text, 400)
    if quoted := _QUOTED_LOCAL.search(given):
        return f"{quoted[1]}@{quoted[2].lower().rstrip('.>')}"
    candidate = given.strip("<>\"' ").removeprefix("mailto:")
    found = _ADDRESS.search(candidate) or _ADDRESS.search(candidate.replace(" ", ""))
    if not found:
        return ""
    local, _, domain = found[0].strip(".'").rpartition("@")
    return f"{local}@{domain.lower().rstrip('.>')}" if local and domain else ""


def addresses(values: Iterable[str]) -> list[tuple[str, str]]:
    """Read address fields into (display name, address) pairs.

    An unquoted comma in a name, a name after the address, an encoded word around everything: the
    usual violations give the pair that was meant. Group names and entries without address are left out.
    """
    found: list[tuple[str, str]] = []
    for value in values:
        stray = ""
        text = _SPACES.sub(" ", value)
        if "@" not in text:
            text = decode_words(text)
        for entry in _split_outside(text, ",;"):
            pair = _address_entry(entry)
            if pair is None:
                stray = f"{stray}{entry.strip()}, " if entry.strip() and ":" not in entry else ""
                continue
            name, address = pair
            if stray and name and '"' not in entry:
                name = one_line(decode_words(stray) + name, 300)
            stray = ""
            found.append((name, address))
            if len(found) >= MAX_ADDRESSES:
                return found
    return found


def _address_entry(entry: str) -> tuple[str, str] | None:
    if "@" not in entry:
        entry = decode_words(entry)
        if "@" not in entry:
            return None
    outside, comment = _without_comments(entry)
    opening = outside.rfind("<")
    if opening >= 0 and "@" in outside[opening:]:
        address = clean_address(outside[opening + 1 :].split(">")[0])
        name = outside[:opening]
    else:
        address = clean_address(outside.rsplit(":", 1)[-1])
        place = outside.lower().find(address.lower()) if address else -1
        name = outside[:place] if place > 0 else ""
    if not address:
        address = clean_address(decode_words(entry))
        if not address:
            return None
    if ":" in name and '"' not in name:
        name = name.rsplit(":", 1)[-1]
    name = name.strip()
    if not name.strip("\"' "):
        name = comment
    name = re.sub(r"\\(.)", r"\1", name).strip().strip('"')
    name = one_line(decode_words(name), 300).strip("\"' ")
    return name, address


def message_ids(values: Iterable[str]) -> list[str]:
    """Return the message ids in the values, without angle brackets and without the blanks of bad folding."""
    found: list[str] = []
    for value in values:
        written = decode_words(value) if "=?" in value else value
        ids = re.findall(r"<([^<>]{1,998})>", written)
        if not ids:
            ids = [word for word in written.split() if "@" in word]
        for each in ids:
            cleaned = visible(_SPACES.sub("", each)).strip("<>")
            if cleaned and cleaned not in found:
                found.append(cleaned)
            if len(found) >= MAX_IDS:
                return found
    return found


def instant(value: str) -> datetime | None:
    """Read an RFC 5322 date; a missing or unknown zone counts as UTC; None where it makes no sense."""
    try:
        when = parsedate_to_datetime(one_line(value, 200))
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        when.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
    return when
