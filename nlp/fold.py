"""Text as the rules read it: lower case, without accents, with a way back to the original's offsets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_APOSTROPHES = frozenset("’‘ʼ′`´＇")
_SENTENCE_END = re.compile(r"(?<=[.!?;…])\s+|\n\s*")
_SOFT_WRAP = re.compile(r"(?<=[^\n]{56})(?<![.!?:;…\n])\n(?=[^\s\d•*-])")
_LIGATURES = {"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "đ": "d", "ł": "l"}


@dataclass(frozen=True)
class Folded:
    """A folded text and, for each of its characters, where that stands in the original."""

    text: str
    places: Sequence[int]
    length: int
    """Length of the original."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Turn offsets of the folded text into offsets of the original; a span of nothing stays one of nothing."""
        if start >= end:
            place = self.places[start] if start < len(self.places) else self.length
            return place, place
        last = self.places[end] if end < len(self.places) else self.length
        return self.places[start], last


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character in _APOSTROPHES:
        return "'"
    if character.isspace():
        return "\n" if character == "\n" else " "
    folded = ""
    for part in unicodedata.normalize("NFKD", character.lower()):
        if not unicodedata.combining(part):
            folded += _LIGATURES.get(part, part)
    return folded if len(folded) <= 4 else folded[:4]


def fold(text: str) -> Folded:
    """Fold *text*: lower case, no accents, plain apostrophes and spaces; ligatures are spelled out.

    The line breaks that a mail client puts into long lines become spaces.
    """
    pieces: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        piece = character if "a" <= character <= "z" or character == " " else _fold_character(character)
        pieces.append(piece)
        if len(piece) == 1:
            places.append(place)
        else:
            places.extend([place] * len(piece))
    return Folded(_SOFT_WRAP.sub(" ", "".join(pieces)), places, len(text))


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the spans of the sentences of *text*; a line break ends a sentence, as mails are typed."""
    spans: list[tuple[int, int]] = []
    start = 0
    for gap in _SENTENCE_END.finditer(text):
        if text[start : gap.start()].strip():
            spans.append((start, gap.start()))
        start = gap.end()
    if text[start:].strip():
        spans.append((start, len(text)))
    return spans
