"""What a letter must and must not say, checked before anybody may approve it.

The linter reads the letter as it would leave, so it also sees what the DPO changed by hand. An *error* forbids approval:
the law wants something that is not there (art. 12(3), 12(4), 12(6) GDPR), or the letter says what it must not. A *warning*
is advice. Every finding says what to write instead. It judges words, not facts: whether data were erased, only the DPO knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from handlers.linter.articles import articles
from handlers.linter.dates import due_dates, overdue
from handlers.linter.decisions import decision, undone
from handlers.linter.form import language, people, two_parts, whole
from handlers.linter.letter import OPEN_IDENTITY, Finding, Letter, LetterFacts, Severity, fold
from handlers.linter.proof import identity, reveals
from handlers.linter.words import words

__all__ = ["OPEN_IDENTITY", "Finding", "LetterFacts", "Severity", "fold", "lint"]


def lint(text: LetterFacts) -> tuple[Finding, ...]:
    """Return what is wrong with a letter, errors first, in the order of the checks; nothing if it may be approved."""
    paragraphs = tuple(fold(part) for part in re.split(r"\n\s*\n", text.text) if part.strip())
    # A list item or a heading is a sentence of its own: the words of two items must not be read together.
    lines = [fold(line) for line in (text.subject, *text.text.split("\n")) if line.strip()]
    sentences = tuple(part for line in lines for part in re.split(r"(?<=[.!?;])\s+(?![a-z0-9]\))", line) if part)
    letter = Letter(text, fold(f"{text.subject}\n{text.text}"), paragraphs, sentences)
    found = [finding for check in _CHECKS for finding in check(letter)]
    unique = list({finding.code: finding for finding in reversed(found)}.values())[::-1]
    return tuple(sorted(unique, key=lambda finding: finding.severity != "error"))


_CHECKS: tuple[Callable[[Letter], Iterator[Finding]], ...] = (
    whole, people, language, two_parts, identity, reveals, decision, due_dates, overdue, articles, words, undone,
)  # fmt: skip
