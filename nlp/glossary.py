"""Words and idioms by the concept that they name, in seven languages.

``glossary/<language>.tsv`` maps words to concepts, ``glossary/<language>.phrases.tsv`` idioms of several words;
concepts are plain French words. What one person calls "virez", another "wipe", "löschen" or "in die Tonne" is
one concept to the model, so that a wording never seen in training, or a language seen little, still counts as
the deed that it names.

Nothing of a message is kept: what has been looked up is remembered by hash only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nlp.fold import fold

FOLDER = Path(__file__).parent / "glossary"
LANGUAGES = ("fr", "en", "de", "es", "it", "nl", "pt")
COMPOUNDING = frozenset({"de", "nl"})
"""Languages that write compounds as one word."""
_REMEMBERED = 40_000
_SHORTEST_STEM = 4
_WORD = re.compile(r"\w+")

Concepts = tuple[str, ...]
Meaning = tuple[int, int, Concepts]
"""Where it stands in the folded text, and the concepts that it names."""
_NOTHING: Concepts = ()


class GlossaryError(ValueError):
    """A line of the glossary is no entry; the message names file and line. Mend the line."""


@dataclass(frozen=True)
class _Table:
    words: Mapping[str, Concepts]
    stems: Mapping[str, Concepts]
    """Words less an ending of up to two letters: what inflection leaves alone."""
    phrases: Mapping[str, Sequence[tuple[tuple[str, ...], Concepts]]]
    """By how the first two words begin: the words of each idiom (``*`` stands for any ending), longest first."""


class Glossary:
    """All languages' tables."""

    def __init__(self, tables: Mapping[str, _Table]) -> None:
        """Keep *tables* by language; :func:`glossary` gives the one that ships."""
        self._tables = tables
        self._remembered: dict[tuple[str, int], Concepts] = {}

    def read(self, text: str, language: str) -> list[Meaning]:
        """Return the concepts named in the folded *text*, in order; words that name none are left out.

        Words are looked up in *language* first, then as French and English, which people mix in.
        """
        found: list[Meaning] = []
        order = _order(language)
        tokens = [match.span() for match in _WORD.finditer(text)]
        words = [text[start:end] for start, end in tokens]
        tables = [self._tables[one] for one in order if one in self._tables]
        place = 0
        while place < len(words):
            length, concepts = _phrase(tables, words, place)
            if not length:
                length, concepts = 1, self._word(words[place], order)
            if concepts:
                found.append((tokens[place][0], tokens[place + length - 1][1], concepts))
            place += length
        return found

    def _word(self, word: str, order: Sequence[str]) -> Concepts:
        key = (order[0], hash(word))
        known = self._remembered.get(key)
        if known is None:
            known = self._look_up(word, order)
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = known
        return known

    def _look_up(self, word: str, order: Sequence[str]) -> Concepts:
        own, *others = order
        for language in (own, *(others if len(word) > 3 else ())):
            table = self._tables.get(language)
            if table is None:
                continue
            found = table.words.get(word)
            if not found and language in COMPOUNDING:
                found = _by_parts(table, word)
            found = found or _by_stem(table, word)
            if found:
                return found
        return _NOTHING


def _order(language: str) -> tuple[str, ...]:
    return (language, *(one for one in ("fr", "en") if one != language)) if language in LANGUAGES else ("fr", "en")


def _by_stem(table: _Table, word: str) -> Concepts:
    for length in range(len(word), max(_SHORTEST_STEM, len(word) - 5) - 1, -1):
        found = table.stems.get(word[:length])
        if found:
            return found
    return _NOTHING


def _by_parts(table: _Table, word: str) -> Concepts:
    """Return the concepts of a compound of two known words: ``Gästekonto``, ``adreswijziging``."""
    for cut in range(len(word) - 4, 3, -1):
        last = table.words.get(word[cut:])
        if last:
            first = table.words.get(word[:cut]) or table.words.get(word[: cut - 1]) or _by_stem(table, word[:cut])
            if first:
                return (*first, *last)[:3]
    return _NOTHING


def _beginning(first: str, second: str) -> str:
    return f"{first[:3]} {second[:1]}"


def _phrase(tables: Sequence[_Table], words: Sequence[str], place: int) -> tuple[int, Concepts]:
    first = words[place]
    second = words[place + 1] if place + 1 < len(words) else ""
    keys = (_beginning(first, second), _beginning(first, "")) if second else (_beginning(first, ""),)
    for table in tables:
        for key in keys:
            for pattern, concepts in table.phrases.get(key, ()):
                if len(pattern) <= len(words) - place and all(
                    word.startswith(wanted[:-1]) if wanted[-1] == "*" else word == wanted
                    for wanted, word in zip(pattern, words[place : place + len(pattern)], strict=True)
                ):
                    return len(pattern), concepts
    return 0, _NOTHING


def entries(path: Path) -> Iterator[tuple[str, Concepts]]:
    """Yield (folded word or idiom, concepts) of each line of the glossary file *path*.

    Raises :class:`GlossaryError` for a line that is no entry.
    """
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        said, _, named = line.partition("\t")
        concepts = tuple(dict.fromkeys(named.split()))
        if not said.strip() or not concepts:
            raise GlossaryError(f"{path.name}:{number}: wants `word<TAB>concept`, it is {line!r}")
        said = said.strip()
        yield said.lower() if said.isascii() else fold(said).text, concepts


def table(words: Iterable[tuple[str, Concepts]], phrases: Iterable[tuple[str, Concepts]]) -> _Table:
    """Make the table of one language from its *words* and *phrases*; an earlier entry wins over a later one."""
    known: dict[str, Concepts] = {}
    joined: list[tuple[str, Concepts]] = []
    for word, concepts in words:
        if _WORD.fullmatch(word):
            known.setdefault(word, concepts)
        else:
            # With a hyphen or an apostrophe it is several words to the text.
            joined.append((word, concepts))
    stems: dict[str, Concepts] = {}
    for less in (0, 1, 2):
        for word, concepts in known.items():
            if len(word) - less >= (_SHORTEST_STEM if not less else _SHORTEST_STEM + 1):
                stems.setdefault(word[: len(word) - less], concepts)
    idioms: dict[str, list[tuple[tuple[str, ...], Concepts]]] = {}
    for phrase, concepts in (*phrases, *joined):
        pattern = list(re.findall(r"\w+\*?", phrase))
        if not pattern:
            continue
        if pattern[0].endswith("*") and len(pattern[0]) < 4:
            # The index goes by three letters: behind fewer, the ending cannot be open.
            pattern[0] = pattern[0][:-1]
        second = pattern[1].rstrip("*") if len(pattern) > 1 else ""
        idioms.setdefault(_beginning(pattern[0].rstrip("*"), second), []).append((tuple(pattern), concepts))
    for found in idioms.values():
        found.sort(key=lambda one: -len(one[0]))
    return _Table(known, stems, idioms)


@lru_cache(maxsize=1)
def glossary() -> Glossary:
    """Return the glossary that ships, read once. Raises :class:`GlossaryError`."""
    tables = {}
    for language in LANGUAGES:
        words, phrases = FOLDER / f"{language}.tsv", FOLDER / f"{language}.phrases.tsv"
        if words.is_file():
            tables[language] = table(entries(words), entries(phrases) if phrases.is_file() else ())
    return Glossary(tables)
