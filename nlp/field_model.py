"""Which candidate is which field: a small logistic regression a field, learned from the corpus.

Rules say what they think of a span; this model weighs that together with the words around the span, its shape and what
the message asks for. Its weights are plain numbers, looked up by hash: no word of a message is kept.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import chain
from math import log
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from nlp.candidates import KIN_KINDS, NAME_KINDS, Candidate, codes, dates, distinct, names, relations, values
from nlp.patterns import Field
from nlp.types import THIRD_PARTY_KINDS

FILE = "fields.npz"
SIZE = 1 << 14
"""Weights a field."""

LEARNED: Mapping[str, int] = {
    "data_subject_name": 4,
    "relationship": 1,
    "stay_dates": 4,
    "old_value": 4,
    "new_value": 4,
    "recipient": 2,
    "date_of_birth": 3,
    "booking_ref": 3,
    "case_ref": 3,
}
"""The fields that are learned, and how many values of each one message gives at most."""
_LEAST = 0.1
"""Below this probability of what a field presupposes, it is not looked for."""
_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|\n")
_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"[0-9]+")
LINE = b"\n"


@dataclass(frozen=True)
class Leaning:
    """What the classifier thinks of a message before its fields are read; probabilities from 0 to 1."""

    third_party: float
    rectification: float
    portability: float
    marks: tuple[str, ...]
    """What was decided, in the program's own words: primary, labels, flags, language."""


def leaning(
    cats: Mapping[str, float], primary: str, labels: Sequence[str], flags: Mapping[str, bool | str], language: str
) -> Leaning:
    """Gather what the heads say (*cats*, by their names in the model) and what was decided."""
    somebody, rectification, portability = (
        cats[name] for name in ("flag:third_party", "label:rectification", "label:portability")
    )
    kind = max(THIRD_PARTY_KINDS, key=lambda name: cats[f"flag:third_party_kind={name}"])
    marks = (
        f"somebody {_step(somebody)} {'third_party' in flags}",
        f"rectification {_step(rectification)} {'rectification' in labels}",
        f"kind {kind}" if somebody > 0.2 else "kind none",
        f"portability {_step(portability)}",
        f"minor {_step(cats['flag:minor'])}",
        f"primary {primary}",
        f"language {language}",
    )
    return Leaning(
        max(somebody, float("third_party" in flags)),
        max(rectification, float("rectification" in labels)),
        max(portability, float("portability" in labels)),
        marks,
    )


def _step(probability: float) -> int:
    return sum(probability >= level for level in (0.05, 0.15, 0.35, 0.6, 0.85))


@dataclass(frozen=True)
class Scene:
    """A message as its candidates are judged."""

    body: str
    folded: str
    """The body by :func:`nlp.patterns.plain`, of the same length."""
    sender: str
    """The name in the header, folded likewise."""
    leaning: Leaning
    ruled: tuple[Field, ...] = ()
    """What the rules say."""

    def candidates(self) -> list[Candidate]:
        """Return the spans that may be a field in this message."""
        found: list[Candidate] = []
        others = self.leaning.third_party >= _LEAST
        corrected = self.leaning.rectification >= _LEAST
        if others or corrected or self.leaning.portability >= _LEAST:
            found += names(self.body)
        if others:
            found += relations(self.folded)
        if any(character in self.body for character in "0123456789"):
            found += codes(self.body)
        found += dates(self.folded)
        if corrected:
            found += values(self.body, self.folded)
        return distinct(found)

    def may_be(self, name: str, candidate: Candidate) -> bool:
        """Say whether *candidate* could be field *name* at all in this message."""
        kind = candidate.kind
        if name == "data_subject_name":
            return kind in NAME_KINDS and self.leaning.third_party >= _LEAST
        if name == "relationship":
            return kind in KIN_KINDS
        if name in ("stay_dates", "date_of_birth"):
            return kind.endswith("date")
        if name in ("booking_ref", "case_ref"):
            return kind == "code"
        if name == "recipient":
            return kind in NAME_KINDS and self.leaning.portability >= _LEAST
        return self.leaning.rectification >= _LEAST and kind not in KIN_KINDS


def marks_of(scene: Scene, found: Sequence[Candidate]) -> list[list[int]]:
    """Return for each candidate what is to be said of it, hashed; a place among the weights is the hash modulo their number."""
    sender = [word for word in _WORD.findall(scene.sender) if len(word) > 1]
    texts = [scene.folded[one.start : one.end] for one in found]
    groups = [one.kind.rpartition(" ")[2] for one in found]
    counts = {group: groups.count(group) for group in set(groups)}
    common = {group: [_own(f"m {group} {mark}") for mark in scene.leaning.marks] for group in counts}
    seen = dict.fromkeys(counts, 0)
    last = scene.body.rstrip().rfind("\n") + 1
    corrected = scene.leaning.rectification >= _LEAST
    rows: list[list[int]] = []
    for one, text, group in zip(found, texts, groups, strict=True):
        said = [
            *common[group],
            _own(f"# {group} {min(seen[group], 4)} {min(counts[group], 5)}"),
            _own(f"at {group} {'last' if one.start >= last > 0 else 'first' if one.start < 60 else 'mid'}"),
        ]
        said += _around(scene, one, group)
        said += _inside(scene, one, text, group, sender)
        spelt = corrected and group in ("name", "quote") and len(texts) < 60 and len(text) > 3
        if spelt and _has_twin(text, texts):
            said.append(_own(f"twin {group} {min(seen[group], 4)}"))
        seen[group] += 1
        rows.append(said)
    return rows


@lru_cache(maxsize=4096)
def _own(text: str) -> int:
    """Hash what consists of the program's own words only: these are remembered, a message's never."""
    return crc32(text.encode())


def _around(scene: Scene, one: Candidate, group: str) -> list[int]:
    """Return what the words before and behind a candidate and the rules say."""
    folded, start, end, kind = scene.folded, one.start, one.end, one.kind
    before = [word.encode() for word in _TOKEN.findall(folded, max(0, start - 50), start)[-7:]]
    after = [word.encode() for word in _TOKEN.findall(folded, end, end + 40)[:5]]
    if start == 0 or (start < 50 and not before):
        before = [b"^", *before]
    if end >= len(folded) - 1:
        after = [*after, b"$"]
    last = before[-1] if before else b"^"
    second = before[-2] if len(before) > 1 else b"^"
    first = after[0] if after else b"$"
    marks = scene.leaning.marks
    said = [
        crc32(last, _own(f"p1 {group} ")),
        crc32(second, _own("p2 ")),
        crc32(last, crc32(second, _own("p21 "))),
        crc32(first, _own(f"n1 {group} ")),
        crc32(after[1] if len(after) > 1 else b"$", crc32(first, _own("n12 "))),
        crc32(first, crc32(last, _own("pn "))),
        _own(f"line {group} {last in (b'^', LINE)} {first in (b'$', LINE)}"),
    ]
    ahead, behind = _own(f"b {group} "), _own(f"a {group} ")
    said += [crc32(word, ahead) for word in before[:-1]]
    said += [crc32(word, behind) for word in after[1:]]
    said += [crc32(last, _own(f"mk {mark} {kind} ")) for mark in marks[:2]]
    for field in scene.ruled:
        if field.start == start and field.end == end:
            said.append(_own(f"r= {field.name}"))
            said += [_own(f"r= {field.name} {mark}") for mark in marks[:2]]
        elif field.start < end and start < field.end:
            said.append(_own(f"r~ {field.name} {kind} {field.start <= start and end <= field.end}"))
    return said


def _inside(scene: Scene, one: Candidate, text: str, group: str, sender: Sequence[str]) -> list[int]:
    """Return what a candidate's own words and shape say, and how they are like the sender's name."""
    words = text.split()
    shape = _shape(scene.body[one.start : one.end])
    said = [
        _own(f"k {one.kind}"),
        _own(f"s {one.kind} {shape}"),
        crc32(scene.folded[max(0, one.start - 3) : one.start].encode(), _own(f"kp {one.kind} {shape} ")),
        _own(f"size {group} {min(8, len(text) // 4)}"),
        crc32(words[0].encode() if words else b"", _own("w1 ")),
    ]
    phrase = group.isdigit() or group in ("quote", "stop")
    if group == "code":
        said += [crc32(_DIGITS.sub("9", text).encode(), _own("form ")), crc32(text[:2].encode(), _own("begins "))]
    elif phrase or group in ("kin", "date"):
        inner = _own(f"i {group} ")
        said += [crc32(word.encode(), inner) for word in words[:4]]
    shared = sum(word in sender for word in words)
    if shared:
        said.append(_own(f"own {group} {min(shared, 3)} {shared == len(words)} {shared == len(sender)}"))
    elif (group == "name" or phrase) and scene.leaning.rectification >= _LEAST:
        alike = max(
            (
                SequenceMatcher(None, word, other).ratio()
                for word in words[:3]
                for other in sender[:4]
                if word[0] == other[0]
            ),
            default=0.0,
        )
        if alike > 0.6:
            said.append(_own(f"like own {group} {alike > 0.8}"))
    if scene.folded.count(text) > 1:
        said.append(_own(f"again {group}"))
    return said


def _has_twin(text: str, texts: Sequence[str]) -> bool:
    """Say whether another candidate is spelt nearly like *text*: one of the two may be the correction."""
    return any(
        other != text
        and other[0] == text[0]
        and abs(len(other) - len(text)) < 5
        and SequenceMatcher(None, text, other).ratio() > 0.72
        for other in texts
    )


def _shape(text: str) -> str:
    def letter(word: str) -> str:
        if word[0].isdigit():
            return "9"
        if not word[0].isalpha():
            return "."
        return "x" if word[0].islower() else "X" if word.isupper() and len(word) > 1 else "A"

    words = text.split()
    return "".join(letter(word) for word in words[:4]) + ("+" if len(words) > 4 else "")


@dataclass(frozen=True)
class FieldModel:
    """The fitted weights, a row a learned field in the order of :data:`LEARNED`."""

    weights: NDArray[np.float32]
    bases: NDArray[np.float32]
    """What speaks for a candidate of which nothing is known."""
    thresholds: Mapping[str, float]
    """From which probability a candidate is taken."""

    @classmethod
    def read(cls, folder: Path) -> FieldModel | None:
        """Read the model kept in *folder*; None where there is none. Raises :class:`ValueError` for a damaged one."""
        if not (folder / FILE).is_file():
            return None
        try:
            with np.load(folder / FILE, allow_pickle=False) as kept:
                weights, bases, levels = (kept[name] for name in ("weights", "bases", "thresholds"))
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise ValueError(f"{folder / FILE} is damaged: train the model again") from error
        if weights.shape != (len(LEARNED), SIZE) or bases.shape != (len(LEARNED),) or levels.shape != bases.shape:
            raise ValueError(f"{folder / FILE} is of another version: train the model again")
        thresholds = {name: float(level) for name, level in zip(LEARNED, levels, strict=True)}
        return cls(weights.astype(np.float32), bases.astype(np.float32), thresholds)

    def write(self, folder: Path) -> None:
        """Keep the model in *folder*."""
        levels = np.array([self.thresholds[name] for name in LEARNED], dtype=np.float32)
        np.savez_compressed(folder / FILE, weights=self.weights.astype(np.float16), bases=self.bases, thresholds=levels)

    def choose(self, scene: Scene) -> list[Field]:
        """Return the learned fields of a message."""
        found = scene.candidates()
        if not found:
            return []
        rows = marks_of(scene, found)
        flat = np.fromiter(chain.from_iterable(rows), dtype=np.int64) & (SIZE - 1)
        starts = np.cumsum([0, *(len(row) for row in rows[:-1])])
        scores = np.add.reduceat(self.weights[:, flat], starts, axis=1) + self.bases[:, None]
        chosen: list[Field] = []
        for name, row in zip(LEARNED, scores.tolist(), strict=True):
            threshold = self.thresholds[name]
            level = log(threshold / (1 - threshold))
            likely = [
                (score, one)
                for score, one in zip(row, found, strict=True)
                if score >= level and scene.may_be(name, one)
            ]
            if likely:
                chosen += [
                    Field(name, scene.body[one.start : one.end], one.start, one.end)
                    for one in best(likely, LEARNED[name])
                ]
        return chosen


def best(likely: Sequence[tuple[float, Candidate]], most: int) -> list[Candidate]:
    """Return the likeliest candidates that do not overlap, *most* of them at most."""
    taken: list[Candidate] = []
    for _, one in sorted(likely, key=lambda pair: (-pair[0], pair[1].start, pair[1].end)):
        if len(taken) < most and all(one.end <= other.start or other.end <= one.start for other in taken):
            taken.append(one)
    return taken


def fit(rows: Sequence[Sequence[int]], truth: NDArray[np.bool_], ridge: float, steps: int = 60) -> tuple[Any, float]:
    """Return weights and base of a ridge-penalised logistic regression over hashed marks, by L-BFGS.

    *rows* hold each candidate's marks. The base is the log-odds of all of *truth*.
    """
    flat = np.fromiter(chain.from_iterable(rows), dtype=np.int64) & (SIZE - 1)
    lengths = np.array([len(row) for row in rows])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    holds = truth.astype(np.float64)
    base = float(np.log((holds.sum() + 1) / (len(holds) - holds.sum() + 1)))

    def at(weights: Any) -> tuple[float, Any]:
        scores = np.clip(np.add.reduceat(weights[flat], starts) + base, -30, 30)
        loss = np.logaddexp(0, scores).sum() - scores @ holds + 0.5 * ridge * (weights @ weights)
        slope = np.repeat(1.0 / (1.0 + np.exp(-scores)) - holds, lengths)
        return float(loss), np.bincount(flat, weights=slope, minlength=SIZE) + ridge * weights

    weights = np.zeros(SIZE)
    loss, gradient = at(weights)
    past: list[tuple[Any, Any, float]] = []
    for _ in range(steps):
        direction = _descent(gradient, past)
        step = 1.0
        trial_loss, trial_gradient = at(weights - step * direction)
        while trial_loss > loss - 1e-4 * step * float(gradient @ direction) and step > 1e-6:
            step /= 2
            trial_loss, trial_gradient = at(weights - step * direction)
        moved, turned = -step * direction, trial_gradient - gradient
        if float(moved @ turned) > 1e-10:
            past = [*past[-7:], (moved, turned, 1.0 / float(moved @ turned))]
        settled = loss - trial_loss < 1e-5 * max(1.0, abs(loss))
        weights, loss, gradient = weights + moved, trial_loss, trial_gradient
        if settled:
            break
    return weights, base


def _descent(gradient: Any, past: Sequence[tuple[Any, Any, float]]) -> Any:
    """Return the direction of L-BFGS: the gradient, bent by the last few steps."""
    direction = gradient.copy()
    if not past:
        return direction / max(1.0, float(np.abs(gradient).max()))
    shares = []
    for moved, turned, scale in reversed(past):
        share = scale * float(moved @ direction)
        direction -= share * turned
        shares.append(share)
    moved, turned, _ = past[-1]
    direction *= float(moved @ turned) / float(turned @ turned)
    for (moved, turned, scale), share in zip(past, reversed(shares), strict=True):
        direction += moved * (share - scale * float(turned @ direction))
    return direction
