"""How an expression can begin: an index by first letters, so that a text is not searched once per expression.

A few hundred expressions over a text of a hundred words are forty thousand attempts, nearly all of which fail at
the first letters. From its parse tree one can tell with which letters an expression begins; then only those are
tried at a word which begin like it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

LONGEST = 3
_MANY = 400
"""More beginnings than this are as good as none."""

WORD = re.compile(r"\w+")


def openings(expression: str) -> frozenset[str] | None:
    """Return the beginnings (up to three characters) that a match of *expression* may have.

    None where they cannot be told, where the empty text matches, or where a match may begin with something
    other than a letter or digit: such an expression has to be searched for.
    """
    found = _beginnings(parser.parse(expression), LONGEST)
    if found is None or len(found) > _MANY:
        return None
    texts = {text for text, _ in found}
    return frozenset(texts) if all(text and WORD.match(text) for text in texts) else None


_Beginnings = set[tuple[str, bool]]
"""Texts, each with whether it may be continued by what follows."""


def _beginnings(items: Iterable[Any], room: int) -> _Beginnings | None:
    """Return the beginnings of a sequence; None where they cannot be told."""
    begun: _Beginnings = {("", True)}
    for operation, argument in items:
        if all(not open_ for _, open_ in begun):
            break
        step = _step(operation, argument, room)
        joined: _Beginnings = set()
        for text, open_ in begun:
            if not open_:
                joined.add((text, False))
            elif step is None:
                # What comes next is not known: what is known so far must do.
                joined.add((text, False))
            else:
                for more, goes_on in step:
                    whole = (text + more)[:room]
                    joined.add((whole, goes_on and len(whole) < room))
        begun = joined
        if len(begun) > _MANY:
            return None
    return {(text, open_) for text, open_ in begun}


def _step(operation: Any, argument: Any, room: int) -> _Beginnings | None:
    if operation is codes.LITERAL:
        return {(chr(argument), True)}
    if operation is codes.IN:
        return _one_of(argument)
    if operation is codes.AT or operation in (codes.ASSERT, codes.ASSERT_NOT):
        return {("", True)}
    if operation is codes.SUBPATTERN:
        return _beginnings(argument[-1], room)
    if operation is codes.BRANCH:
        found: _Beginnings = set()
        for branch in argument[1]:
            begun = _beginnings(branch, room)
            if begun is None:
                return None
            found |= begun
        return found
    if operation in (codes.MAX_REPEAT, codes.MIN_REPEAT):
        least, most, inner = argument
        begun = _beginnings(inner, room)
        if begun is None:
            return None
        if most != 1:
            # Repeated, it may be followed by itself: only its first letters are certain.
            begun = {(text, False if text else open_) for text, open_ in begun}
        return begun if least else begun | {("", True)}
    return None


def _one_of(items: Sequence[tuple[Any, Any]]) -> _Beginnings | None:
    found: _Beginnings = set()
    for operation, argument in items:
        if operation is codes.LITERAL:
            found.add((chr(argument), True))
        elif operation is codes.RANGE and argument[1] - argument[0] < 40:
            found |= {(chr(code), True) for code in range(argument[0], argument[1] + 1)}
        elif operation is codes.CATEGORY and argument is codes.CATEGORY_DIGIT:
            found |= {(digit, True) for digit in "0123456789"}
        else:
            return None
    return found


class Index:
    """Expressions by how they begin. An expression is tried where a word begins, not inside words."""

    def __init__(self, expressions: Sequence[re.Pattern[str]]) -> None:
        """Index *expressions*; those whose beginning cannot be told are searched for in the whole text."""
        self._expressions = expressions
        self._searched: list[int] = []
        self._by_beginning: dict[str, list[int]] = {}
        for number, expression in enumerate(expressions):
            begun = openings(expression.pattern)
            if begun is None:
                self._searched.append(number)
                continue
            for beginning in begun:
                self._by_beginning.setdefault(beginning, []).append(number)

    def find(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Yield (number of the expression, start, end) of what is found in *text*; per expression without overlaps."""
        for number in self._searched:
            for found in self._expressions[number].finditer(text):
                yield number, found.start(), found.end()
        passed = [0] * len(self._expressions)
        by_beginning = self._by_beginning
        for word in WORD.finditer(text):
            start = word.start()
            for length in range(1, LONGEST + 1):
                for number in by_beginning.get(text[start : start + length], ()):
                    if passed[number] <= start:
                        match = self._expressions[number].match(text, start)
                        if match and match.end() > start:
                            passed[number] = match.end()
                            yield number, start, match.end()
