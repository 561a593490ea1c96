"""From the model's raw scores to probabilities that can be believed, and to a decision.

Fitted on messages whose voice the model has not seen (cross-validation), kept as JSON beside the model. The primary
is told by a regression over what the heads say of the whole message and of its sentences; each label has a small
logistic regression over what the heads and the rules say of it; thresholds follow from what an error costs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.types import LABELS, PRIMARIES

Matrix = NDArray[np.float64]

FILE = "calibration.json"
DISMISSED = frozenset({"not_request", "spam", "auto_reply", "bounce"})
"""Primaries that end a message's journey when accepted: a request lost here is lost for good."""
BARE = frozenset({"not_request", "spam", "auto_reply", "bounce", "authority"})
"""Primaries that carry no label."""
REQUESTS = (*LABELS, "reminder")
"""Primaries that state or restate a right: those that must hardly ever be dismissed."""

_TINY = 1e-6


@dataclass(frozen=True)
class Evidence:
    """What speaks for one label in one message."""

    head: float
    """Probability of the head that judges each label for itself."""
    sentence: float
    """Probability that the sentence which says it best asks for it."""
    primary: float
    """Probability that it is the primary."""
    meant: int
    """Rule cues that are meant."""
    taken_back: int
    """Rule cues that are negated, conditional or quoted."""

    def row(self) -> list[float]:
        """Return the numbers that the regression reads."""
        return [
            _logit(self.head),
            _logit(self.sentence),
            _logit(self.primary),
            float(min(self.meant, 2)),
            float(min(self.taken_back, 1)),
            1.0,
        ]


@dataclass(frozen=True)
class Calibration:
    """The fitted numbers."""

    primary_weights: Sequence[Sequence[float]]
    """Of each primary: weights of what :func:`primary_row` gives."""
    weights: Mapping[str, tuple[float, ...]]
    thresholds: Mapping[str, float]
    """From which probability a label is given."""
    flag_weights: Mapping[str, tuple[float, ...]]
    """Of each flag that the model has learned: weight of the head, weights of what the rules say, constant."""
    flag_thresholds: Mapping[str, float]
    accept: float
    """From which confidence a request, a reminder or another case matter is accepted without a look."""
    dismiss: float
    """From which confidence a message is dismissed without a look."""
    leftover: float
    """How much probability of a request a dismissed message may keep."""
    asked: float
    """How surely a single sentence of a dismissed message may ask for something."""
    cues: str = ""
    """Digest of the rights' cues that the model was trained with."""

    @classmethod
    def read(cls, folder: Path) -> Calibration:
        """Read the calibration kept in *folder*. Raises :class:`OSError` or :class:`ValueError` where it is damaged."""
        given: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        try:
            for name in ("weights", "flag_weights"):
                given[name] = {label: tuple(weights) for label, weights in given[name].items()}
            return cls(**given)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{folder / FILE} is of another version: train the model again") from error

    def write(self, folder: Path) -> None:
        """Keep the calibration in *folder*."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")

    def primaries(self, row: Sequence[float]) -> dict[str, float]:
        """Return the calibrated probability of each primary, given a :func:`primary_row`."""
        logits = np.asarray(self.primary_weights) @ np.asarray(row)
        powers = np.exp(logits - logits.max())
        return dict(zip(PRIMARIES, (float(one) for one in powers / powers.sum()), strict=True))

    def label(self, label: str, evidence: Evidence) -> float:
        """Return the calibrated probability of *label*."""
        return _sigmoid(sum(w * x for w, x in zip(self.weights[label], evidence.row(), strict=True)))

    def flag(self, name: str, head: float, rules: Sequence[float]) -> bool:
        """Say whether flag *name* is raised, given the head's probability and what the rules say."""
        row = flag_row(head, rules)
        return (
            _sigmoid(sum(w * x for w, x in zip(self.flag_weights[name], row, strict=True)))
            >= self.flag_thresholds[name]
        )

    def accepts(self, primary: str, probabilities: Mapping[str, float], strongest: float) -> bool:
        """Say whether *primary* may stand without the DPO's look; *strongest* is how surely some sentence asks.

        Missing a request costs far more than asking once too often, so a message is dismissed only when hardly
        anything speaks for a request, in the whole of it or in any sentence.
        """
        if primary in DISMISSED:
            request = sum(probabilities[one] for one in REQUESTS)
            return probabilities[primary] >= self.dismiss and request <= self.leftover and strongest <= self.asked
        return probabilities[primary] >= self.accept


def flag_row(head: float, rules: Sequence[float]) -> list[float]:
    """Return the numbers that a flag's regression reads."""
    return [_logit(head), *rules, 1.0]


def primary_row(
    raw: Sequence[float], heads: Sequence[float], sentences: Sequence[float], meant: Sequence[int]
) -> list[float]:
    """Return the numbers from which the primary is told.

    *raw* are the probabilities of the primaries over the whole message; *heads* those of each label for itself,
    *sentences* those of each label in the sentence that says it best, and *meant* how many cues of the rules stand for
    it, all in the order of ``LABELS``.
    """
    logs = (math.log(max(one, _TINY)) for one in raw)
    return [*logs, *map(_logit, heads), *map(_logit, sentences), *(min(one, 2) for one in meant), 1.0]


def fit_primaries(rows: Matrix, truth: NDArray[np.int64], ridge: float = 10.0) -> list[list[float]]:
    """Return the weights of a multinomial regression over :func:`primary_row`, by Newton's method.

    The penalty draws it towards what the whole message says, not towards nothing: with few messages to calibrate on
    it changes little.
    """
    classes, columns = len(PRIMARIES), rows.shape[1]
    start = np.eye(classes, columns)
    weights = start.copy()
    wanted = np.eye(classes)[truth]
    for _ in range(30):
        logits = rows @ weights.T
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        given = powers / powers.sum(axis=1, keepdims=True)
        gradient = (given - wanted).T @ rows + ridge * (weights - start)
        curvature = np.empty((classes, columns, classes, columns))
        for one in range(classes):
            for other in range(one, classes):
                shared = given[:, one] * (float(one == other) - given[:, other])
                block = (rows * shared[:, None]).T @ rows
                curvature[one, :, other, :] = block
                curvature[other, :, one, :] = block
        flat = curvature.reshape(classes * columns, classes * columns) + ridge * np.eye(classes * columns)
        step = np.linalg.solve(flat, gradient.ravel()).reshape(classes, columns)
        weights -= step
        if float(np.abs(step).max()) < 1e-6:
            break
    return [[round(float(weight), 5) for weight in row] for row in weights]


def fit_label(rows: Matrix, truth: NDArray[np.bool_], ridge: float = 1.0) -> tuple[float, ...]:
    """Return the weights of a ridge-penalised logistic regression, by Newton's method."""
    weights = np.zeros(rows.shape[1])
    penalty = np.full(rows.shape[1], ridge)
    penalty[-1] = 1e-3
    for _ in range(30):
        probabilities = 1.0 / (1.0 + np.exp(-np.clip(rows @ weights, -30, 30)))
        gradient = rows.T @ (probabilities - truth) + penalty * weights
        curvature = (rows * (probabilities * (1 - probabilities))[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if float(np.abs(step).max()) < 1e-8:
            break
    return tuple(round(float(weight), 6) for weight in weights)


def fit_threshold(probabilities: NDArray[np.float64], truth: NDArray[np.bool_], recall_weight: float = 1.2) -> float:
    """Return the threshold with the best F-measure; *recall_weight* above 1 makes a missed label the dearer error."""
    square = recall_weight * recall_weight

    def measure(threshold: float) -> float:
        given = probabilities >= threshold
        right = float((given & truth).sum())
        return (1 + square) * right / (float(given.sum()) + square * float(truth.sum()) + 1e-9)

    steps = [step / 100 for step in range(15, 76)]
    best = max(measure(step) for step in steps)
    level = [step for step in steps if measure(step) >= best - 1e-9]
    return level[len(level) // 2]


def _logit(probability: float) -> float:
    clipped = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(clipped / (1 - clipped))


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(value, -30.0), 30.0)))
