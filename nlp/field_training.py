"""Teaching the field model: from the corpus, and from what models thought of messages that they had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

import numpy as np

from nlp.candidates import Candidate
from nlp.corpus import Example
from nlp.excerpt import Excerpt
from nlp.field_model import LEARNED, SIZE, FieldModel, Leaning, Scene, best, fit, marks_of
from nlp.fields import scene
from nlp.fold import fold

RIDGE = 2.0
FOLDS = 3
PRICE = 0.3
"""What a value taken costs, in values that are right: the F1 of all fields together gains where more of them are right."""
_LEVELS = tuple(step / 100 for step in range(14, 61, 2))


@dataclass(frozen=True)
class Lesson:
    """A message of the corpus with what a model thought of it that had not seen its voice."""

    example: Example
    leaning: Leaning


@dataclass(frozen=True)
class _Read:
    scene: Scene
    found: Sequence[Candidate]
    rows: Sequence[Sequence[int]]
    truth: Mapping[str, frozenset[str]]
    fold: int


def train_fields(lessons: Sequence[Lesson]) -> FieldModel:
    """Return the field model fitted on *lessons*, its thresholds chosen on voices that each fit had not seen."""
    read = [_read(lesson) for lesson in lessons]
    weights = np.zeros((len(LEARNED), SIZE), dtype=np.float32)
    bases = np.full(len(LEARNED), -20.0, dtype=np.float32)
    thresholds = {}
    for place, name in enumerate(LEARNED):
        cells = [
            (number, one)
            for number, given in enumerate(read)
            for one in range(len(given.found))
            if given.scene.may_be(name, given.found[one])
        ]
        rows = [read[number].rows[one] for number, one in cells]
        truth = np.array([_text(read[number], one) in read[number].truth[name] for number, one in cells], dtype=bool)
        thresholds[name] = 0.5
        if truth.any():
            thresholds[name] = _threshold(name, read, cells, rows, truth)
            weights[place], bases[place] = fit(rows, truth, RIDGE)
    return FieldModel(weights, bases, thresholds)


def _read(lesson: Lesson) -> _Read:
    one = lesson.example
    given = scene(Excerpt(one.message).message, lesson.leaning)
    if crc32(one.message.id.encode()) & 1:
        # The rules know this corpus too well: half of it is learned without them, so that the words count as well.
        given = replace(given, ruled=())
    found = given.candidates()
    truth = {name: frozenset(_folded(text) for text in _values(one, name)) for name in LEARNED}
    return _Read(given, found, marks_of(given, found), truth, crc32(one.voice.encode()) % FOLDS)


def _values(one: Example, name: str) -> list[str]:
    value = one.fields.get(name, [])
    return [value] if isinstance(value, str) else list(value)


def _folded(text: str) -> str:
    return " ".join(fold(text).text.split())


def _text(read: _Read, number: int) -> str:
    one = read.found[number]
    return _folded(read.scene.body[one.start : one.end])


def _threshold(
    name: str, read: Sequence[_Read], cells: Sequence[tuple[int, int]], rows: Sequence[Sequence[int]], truth: Any
) -> float:
    """Return the probability from which taking a candidate pays on unseen voices, at :data:`PRICE` a value taken."""
    folds = np.array([read[number].fold for number, _ in cells])
    scores = np.zeros(len(cells))
    for number in range(FOLDS):
        known, unseen = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
        if not truth[known].any():
            continue
        weights, base = fit([rows[int(place)] for place in known], truth[known], RIDGE)
        scores[unseen] = [weights[np.array(rows[int(place)]) & (SIZE - 1)].sum() + base for place in unseen]
    chances = 1.0 / (1.0 + np.exp(-np.clip(scores, -30, 30)))
    likely: dict[int, list[tuple[float, Candidate]]] = {}
    for (number, one), chance in zip(cells, chances, strict=True):
        if chance >= _LEVELS[0]:
            likely.setdefault(number, []).append((float(chance), read[number].found[one]))

    def measure(level: float) -> float:
        right = taken = 0
        for number, pairs in likely.items():
            chosen = best([pair for pair in pairs if pair[0] >= level], LEARNED[name])
            texts = {_folded(read[number].scene.body[one.start : one.end]) for one in chosen}
            right += len(texts & read[number].truth[name])
            taken += len(texts)
        return right - PRICE * taken

    return max(_LEVELS, key=measure)
