"""RTF as Outlook wraps mail in it: decompressed (MS-OXRTFCP), and turned into text or the HTML it was made from
(MS-OXRTFEX). Bounded, and nothing here raises."""

from __future__ import annotations

import re
import struct

from bot.channels.mime_headers import codec

MAX_RTF = 8_000_000

_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans "
    b"SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_TOKEN = re.compile(rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|([{}])|([^\\{}\r\n]+)|[\r\n]+")
_SILENT = {
    *(
        b"fonttbl",
        b"colortbl",
        b"stylesheet",
        b"info",
        b"pict",
        b"object",
        b"header",
        b"footer",
        b"listtable",
        b"rsidtbl",
    ),
    *(
        b"listoverridetable",
        b"generator",
        b"themedata",
        b"datastore",
        b"latentstyles",
        b"xmlnstbl",
        b"mmathPr",
        b"fldinst",
    ),
}
_BREAKS = {b"par": "\n", b"line": "\n", b"tab": "\t", b"cell": "\t", b"row": "\n", b"sect": "\n", b"page": "\n"}
_SIGNS = {
    b"lquote": "‘",
    b"rquote": "’",
    b"ldblquote": "“",
    b"rdblquote": "”",
    b"endash": "–",
    b"emdash": "—",
    b"bullet": "•",
}


def decompressed(data: bytes) -> bytes:
    """Return the RTF in a ``PR_RTF_COMPRESSED`` property, or nothing where it makes no sense."""
    if len(data) < 16:
        return b""
    size, kind = struct.unpack("<4xI4s", data[:12])
    if kind == b"MELA":
        return data[16 : 16 + min(size, MAX_RTF)]
    if kind != b"LZFu":
        return b""
    window = bytearray(4_096)
    window[: len(_DICTIONARY)] = _DICTIONARY
    at = len(_DICTIONARY)
    out = bytearray()
    place = 16
    while place < len(data) and len(out) < min(size, MAX_RTF):
        control = data[place]
        place += 1
        for bit in range(8):
            if place >= len(data):
                break
            if not control >> bit & 1:
                out.append(data[place])
                window[at] = data[place]
                at = (at + 1) % 4_096
                place += 1
                continue
            if place + 1 >= len(data):
                return bytes(out)
            reference = data[place] << 8 | data[place + 1]
            place += 2
            offset = reference >> 4
            if offset == at:
                return bytes(out)
            for step in range((reference & 0xF) + 2):
                byte = window[(offset + step) % 4_096]
                out.append(byte)
                window[at] = byte
                at = (at + 1) % 4_096
    return bytes(out[:size])


def as_text(rtf: bytes) -> tuple[str, bool]:
    """Return the text of *rtf*, and whether it is HTML that was wrapped in it."""
    rtf = rtf[:MAX_RTF]
    if not rtf.lstrip().startswith(b"{\\rtf"):
        return "", False
    html = b"\\fromhtml" in rtf[:2_000]
    charset = re.search(rb"\\ansicpg(\d{3,5})", rtf[:2_000])
    name = (codec(f"cp{charset[1].decode('ascii')}") if charset else None) or "cp1252"
    return "".join(_pieces(rtf, name, html)), html


def _pieces(rtf: bytes, charset: str, html: bool) -> list[str]:
    out: list[str] = []
    pending = bytearray()
    stack: list[tuple[bool, bool]] = []
    silent = hidden = starred = tag = False
    skip = 0

    def flush() -> None:
        if pending:
            out.append(pending.decode(charset, "replace"))
            pending.clear()

    for found in _TOKEN.finditer(rtf):
        word, number, code, sign, brace, plain = found.groups()
        if brace == b"{":
            stack.append((silent, tag))
            starred = False
        elif brace == b"}":
            silent, tag = stack.pop() if stack else (False, False)
            starred = False
        elif word is not None:
            if word == b"htmltag" and html and starred:
                silent, tag = False, True
            elif (starred and word != b"htmlrtf") or word in _SILENT:
                silent = True
            starred = False
            if word == b"htmlrtf":
                hidden = number != b"0"
            elif silent or (hidden and not tag):
                continue
            elif word == b"u" and number:
                flush()
                out.append(chr(int(number) % 0x10000))
                skip = 1
            elif word in _BREAKS and not (html and not tag and word == b"row"):
                flush()
                out.append(_BREAKS[word])
            elif word in _SIGNS:
                flush()
                out.append(_SIGNS[word])
        elif silent or (hidden and not tag):
            starred = starred or sign == b"*"
            continue
        elif sign is not None:
            if sign == b"*":
                starred = True
            elif sign in b"\\{}":
                pending += sign
            elif sign == b"~":
                pending += b" "
        elif code is not None:
            if skip:
                skip = 0
            else:
                pending.append(int(code, 16))
        elif plain is not None:
            pending += plain[skip:]
            skip = 0
        if sign == b"*":
            starred = True
    flush()
    joined = "".join(out)
    # Characters beyond the first plane come as two surrogates.
    return [joined.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")]
