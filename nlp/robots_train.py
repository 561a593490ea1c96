"""Teach the model of ``nlp.robots`` anew: ``python -m nlp.robots_train`` measures by cross-validation and writes it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nlp.robots import LIKELY, SIZE, WEIGHTS, features, weigh

TRAINING = Path(__file__).parent / "training"
EPOCHS = 25
RATE = 0.5
SHRINK = 2e-6
FOLDS = 5
_LINE = re.compile(r"([+-]) (.*?) \| (.*)")


@dataclass(frozen=True)
class Lesson:
    """A mail to learn from, and how much it counts."""

    robot: bool
    subject: str
    text: str
    weight: float


def lessons(folder: Path = TRAINING) -> list[Lesson]:
    """Read ``robots/*.txt`` (a mail a line: ``+`` a robot, ``-`` a person) and the training part of the corpus."""
    found: list[Lesson] = []
    for path in sorted((folder / "robots").glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            parts = _LINE.fullmatch(line)
            if parts is None:
                raise ValueError(f"{path.name}: a line is '+ subject | text' or '- subject | text', not {line[:40]!r}")
            found.append(Lesson(parts[1] == "+", parts[2], parts[3], 4.0 if parts[1] == "+" else 3.0))
    for path in sorted((folder / "corpus" / "train").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            if one["primary"] != "bounce":
                robot = one["primary"] == "auto_reply"
                found.append(Lesson(robot, one.get("subject") or "", one["body"], 2.0 if robot else 0.6))
    return found


def teach(given: Sequence[Lesson], *, seed: int = 1) -> tuple[Any, float]:
    """Fit a logistic regression by stochastic descent with a rate of its own for each weight; the same every time."""
    read = [features(one.subject, one.text) for one in given]
    table, seen = np.zeros(SIZE), np.full(SIZE, 1e-2)
    bias, bias_seen = 0.0, 1e-2
    order = list(range(len(read)))
    shuffler = random.Random(seed)
    for _ in range(EPOCHS):
        shuffler.shuffle(order)
        for number in order:
            one = given[number]
            wrong = (weigh(table, bias, *read[number]) - one.robot) * one.weight
            for places in read[number]:
                slope = wrong / np.sqrt(max(len(places), 1)) + SHRINK * 0.02 * len(read) * table[places]
                seen[places] += slope * slope
                table[places] -= RATE * slope / np.sqrt(seen[places])
            bias_seen += wrong * wrong
            bias -= RATE * 0.1 * wrong / float(np.sqrt(bias_seen))
    return table, float(bias)


def cross_validated(given: Sequence[Lesson]) -> tuple[int, int, int, int]:
    """Return robots found, robots, people taken for robots, people: each judged by a model that did not see it."""
    found = robots = wrong = people = 0
    for fold in range(FOLDS):
        table, bias = teach([one for number, one in enumerate(given) if number % FOLDS != fold])
        for one in given[fold::FOLDS]:
            said = weigh(table, bias, *features(one.subject, one.text)) >= LIKELY
            robots, people = robots + one.robot, people + (not one.robot)
            found, wrong = found + (said and one.robot), wrong + (said and not one.robot)
    return found, robots, wrong, people


def write(table: Any, bias: float, path: Path = WEIGHTS) -> None:
    """Store the weights that count, at half precision: what is smaller changes nothing."""
    places = np.flatnonzero(np.abs(table) > 0.01)
    np.savez_compressed(
        path, places=places.astype(np.uint16), weights=table[places].astype(np.float16), bias=np.float32(bias)
    )


if __name__ == "__main__":
    given = lessons()
    found, of_robots, wrong, of_people = cross_validated(given)
    print(f"robots found {found} of {of_robots}, people taken for robots {wrong} of {of_people}")
    write(*teach(given))
