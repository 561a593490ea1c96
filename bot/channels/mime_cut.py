"""Large mails: what is long is taken out before the parser sees it, so that 25 MB cost neither seconds nor hundreds of
megabytes. Files in base64 are decoded from where they lie; of a text only what is shown is kept."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

LARGE = 100_000
"""Bytes from which on a file is taken out."""
LONGEST_TEXT = 4_500_000
"""Bytes kept of a text: more than is shown, whatever its encoding."""
MAX_BOUNDARIES = 50
MAX_PARTS = 1_000

# All are sought in lower case.
_BOUNDARY = re.compile(rb"boundary\s{0,20}=\s{0,20}(?:\"([^\"\r\n]{1,200})\"|([^\s;\"]{1,200}))")
_BASE64 = re.compile(rb"\ncontent-transfer-encoding:[ \t]{0,20}base64\b")
_TEXT = re.compile(rb"\ncontent-type:[ \t]{0,20}text\b")
_CHUNK = 1_000_000
_LONGEST_FIELD = 500
_END_OF_HEADER = re.compile(rb"\r?\n[ \t]*\r?\n")
# Nobody outside can name a piece.
_MARK = f"piece-{secrets.token_hex(16)}-"


@dataclass
class Pieces:
    """What was taken out of a mail, by the mark that stands in its place."""

    raw: bytes = b""
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    text_was_cut: bool = False

    def found(self, content: str) -> memoryview | None:
        """Return the bytes that *content* stands for, without a copy; None where it stands for itself."""
        place = self.places.get(content[:100].strip()) if content.startswith(_MARK) else None
        return memoryview(self.raw)[place[0] : place[1]] if place else None

    def restored(self, data: bytes) -> bytes:
        """Put what was taken out back into *data*."""
        mark = _MARK.encode("ascii")
        if mark not in data:
            return data
        for name, (start, end) in self.places.items():
            if name.encode("ascii") in data:
                data = data.replace(name.encode("ascii"), self.raw[start:end].strip(b"\r\n"))
        return data


def cut(raw: bytes) -> tuple[bytes, Pieces]:
    """Return *raw* without its large files and without the end of overlong texts, and what was taken out."""
    if len(raw) <= LARGE:
        return raw, Pieces()
    pieces = Pieces(raw)
    places = [found.span(1) if found[1] else found.span(2) for found in _limited(_BOUNDARY, raw, MAX_BOUNDARIES)]
    boundaries = {b"\n--" + raw[start:end] for start, end in places}
    cuts: list[tuple[int, int, str]] = []
    for number, found in enumerate(_limited(_BASE64, raw, MAX_PARTS)):
        start, end = _body(raw, found.start(), boundaries)
        if end - start > LARGE:
            cuts.append((start, end, f"{_MARK}{number}."))
    first = _END_OF_HEADER.search(raw, 0, 512_000)
    untyped = [0] if first and b"\ncontent-type:" not in b"\n" + raw[: first.end()].lower() else []
    for begin in (*untyped, *(found.start() for found in _limited(_TEXT, raw, MAX_PARTS))):
        start, end = _body(raw, begin, boundaries)
        if end - start > LONGEST_TEXT:
            cuts.append((start + LONGEST_TEXT, end, ""))
    kept: list[bytes] = []
    place = 0
    for start, end, name in sorted(cuts):
        if start < place:
            continue
        kept += [raw[place:start], f"{name}\n".encode("ascii") if name else b""]
        if name:
            pieces.places[name] = (start, end)
        else:
            pieces.text_was_cut = True
        place = end
    return (b"".join((*kept, raw[place:])), pieces) if cuts else (raw, Pieces())


class _Found:
    """A match in lower case, with its places in the mail itself."""

    def __init__(self, match: re.Match[bytes], offset: int) -> None:
        self._match, self._offset = match, offset

    def __getitem__(self, group: int) -> bytes | None:
        return self._match[group]

    def start(self) -> int:
        return self._match.start() + self._offset

    def span(self, group: int) -> tuple[int, int]:
        start, end = self._match.span(group)
        return start + self._offset, end + self._offset


def _limited(pattern: re.Pattern[bytes], raw: bytes, most: int) -> list[_Found]:
    """Find *pattern*, at most so often; in pieces, since a lower-case copy of the whole would cost its size again."""
    found: list[_Found] = []
    for offset in range(0, len(raw), _CHUNK):
        for match in pattern.finditer(raw[offset : offset + _CHUNK + _LONGEST_FIELD].lower()):
            if match.start() >= _CHUNK:
                break
            found.append(_Found(match, offset))
            if len(found) >= most:
                return found
    return found


def _body(raw: bytes, header: int, boundaries: set[bytes]) -> tuple[int, int]:
    """Return where the body below the header field at *header* begins and ends."""
    blank = _END_OF_HEADER.search(raw, header, header + 100_000)
    if blank is None:
        return len(raw), len(raw)
    ends = [raw.find(boundary, blank.end() - 1) for boundary in boundaries]
    return blank.end(), min((end for end in ends if end >= 0), default=len(raw))
