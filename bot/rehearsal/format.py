"""Rehearsal files: one story a line, read and checked before anything is played (``docs/rehearsals.md``).

What cannot be played at all (no JSON, no steps, a handle nobody bound, a step out of order, a mail that is not there) is
told with its line and the word at fault, and the other stories of the file are played. What is merely unknown is kept
and reported when it is met.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
LEVELS = ("must", "should", "info")
FRAME = frozenset(
    {"after_step", "since_step", "level", "debatable", "alternatives", "why", "note", "notes", "law", "id"}
)
"""Names of an expectation that say how it is judged, not what is expected."""
CASE_NAMES = ("case", "handle", "case_handle")


class BadScenario(Exception):
    """A story that cannot be played. The message names file, line and the word at fault."""

    def __init__(self, path: Path, line: int, name: str, problem: str) -> None:
        where = f"{path.name}:{line}" + (f" ({name})" if name else "")
        super().__init__(f"{where}: {problem}")
        self.path, self.line, self.name, self.problem = path, line, name, problem


@dataclass(frozen=True)
class Handle:
    """What a letter such as ``A`` stands for: whatever the mail, message or command of a step opened."""

    name: str
    opened_by_step: int
    optional: bool = False
    """It may turn out to be an item to sort, or no case at all."""
    which: str = ""
    """In words: which of several rights or cases is meant."""


@dataclass(frozen=True)
class Step:
    """Something that happens, at an instant (aware, Paris)."""

    n: int
    at: datetime
    actor: str
    action: str
    payload: Mapping[str, Any]
    concurrent_with: tuple[int, ...] = ()

    @property
    def case(self) -> str:
        """The handle the step is about, empty if it names none."""
        return next((str(self.payload[name]) for name in CASE_NAMES if self.payload.get(name)), "")


@dataclass(frozen=True)
class Expectation:
    """What must be true once the program is quiet after a step."""

    index: int
    after_step: int
    since_step: int
    level: str
    debatable: bool
    alternatives: tuple[Any, ...]
    checks: Mapping[str, Any]


@dataclass(frozen=True)
class Scenario:
    """One story."""

    path: Path
    line: int
    id: str
    title: str
    why: str
    setup: Any
    cases: Mapping[str, Handle]
    steps: tuple[Step, ...]
    expect: tuple[Expectation, ...]
    intents_needed: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    unknown: tuple[str, ...] = field(default=())
    """Names this version does not know."""

    @property
    def folder(self) -> Path:
        """Where the file lies; ``emails/`` is beside it."""
        return self.path.parent


KNOWN = frozenset(
    {
        "id",
        "title",
        "why",
        "languages",
        "tags",
        "decisive",
        "intents_needed",
        "setup",
        "notes",
        "cases",
        "steps",
        "expect",
    }
)


def load(path: Path) -> Iterator[Scenario | BadScenario]:
    """Read the stories of a file in order, a :class:`BadScenario` in the place of each that cannot be played."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        yield BadScenario(path, 0, "", f"the file cannot be read ({error.strerror})")
        return
    except UnicodeDecodeError as error:
        yield BadScenario(path, 0, "", f"the file is not UTF-8 text (byte {error.start})")
        return
    seen: dict[str, int] = {}
    # Not splitlines(): JSON may hold U+2028 and its like within a string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("//"):
            continue
        try:
            found = _scenario(path, number, line)
        except BadScenario as bad:
            yield bad
            continue
        if found.id in seen:
            yield BadScenario(path, number, found.id, f'the id "{found.id}" is used already in line {seen[found.id]}')
            continue
        seen[found.id] = number
        yield found


def instant(value: Any) -> datetime:
    """Read an ISO instant; without an offset it is Paris time. Raises :class:`ValueError`."""
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=PARIS)


def _scenario(path: Path, number: int, line: str) -> Scenario:
    def bad(problem: str, name: str = "") -> BadScenario:
        return BadScenario(path, number, name, problem)

    try:
        given = json.loads(line)
    except ValueError as error:
        column = getattr(error, "colno", 0)
        raise bad(
            f"no JSON: {getattr(error, 'msg', error)} at column {column}, near {line[max(column - 10, 0) :][:20]!r}"
        ) from None
    if not isinstance(given, dict):
        raise bad(f"a story is a JSON object, not {type(given).__name__}")
    name = str(given.get("id") or "")
    if not name:
        raise bad('"id" is missing')
    steps = _steps(given, lambda problem: bad(problem, name))
    numbers = {step.n for step in steps}
    cases: dict[str, Handle] = {}
    listed = given.get("cases") or {}
    if not isinstance(listed, dict):
        raise bad('"cases" is an object that binds handles, e.g. {"A": {"opened_by_step": 1}}', name)
    for handle, entry in listed.items():
        bound = entry if isinstance(entry, dict) else {"opened_by_step": entry}
        opened = bound.get("opened_by_step", bound.get("step"))
        if type(opened) is not int or opened not in numbers:
            raise bad(f'case "{handle}": opened_by_step {opened!r} is no step of this story', name)
        optional = bool(bound.get("optional")) or "optional" in str(bound.get("which", ""))
        cases[handle] = Handle(handle, opened, optional, str(bound.get("which", "")))
    for step in steps:
        if step.case and step.case not in cases:
            raise bad(f'step {step.n}: the handle "{step.case}" is bound nowhere in "cases"', name)
        wanted = step.payload.get("eml")
        if wanted and find_mail(path.parent, str(wanted)) is None:
            raise bad(f'step {step.n}: there is no mail "{wanted}" in {path.parent.name}/emails', name)
    expected = given.get("expect") or []
    if not isinstance(expected, list):
        raise bad(f'"expect" is a list of objects, not {expected!r}', name)
    expect = tuple(
        _expectation(index, entry, numbers, max(numbers), cases, lambda problem: bad(problem, name))
        for index, entry in enumerate(expected, start=1)
    )
    return Scenario(
        path, number, name, str(given.get("title", "")), str(given.get("why", "")), given.get("setup"), cases, steps,
        expect, _words(given.get("intents_needed")), _words(given.get("tags")),
        tuple(sorted(set(given) - KNOWN)),
    )  # fmt: skip


def _words(given: Any) -> tuple[str, ...]:
    """A list of words, which one word may stand for; nothing hangs on it."""
    return tuple(map(str, given)) if isinstance(given, list) else (given,) if isinstance(given, str) else ()


def _steps(given: Mapping[str, Any], bad: Any) -> tuple[Step, ...]:
    listed = given.get("steps")
    if not isinstance(listed, list) or not listed:
        raise bad('"steps" is missing or empty')
    steps: list[Step] = []
    for position, entry in enumerate(listed, start=1):
        if not isinstance(entry, dict):
            raise bad(f"step {position} is no object")
        n = entry.get("n", position)
        if type(n) is not int:
            raise bad(f'step {position}: "n" is {n!r}, not a number')
        if not entry.get("action"):
            raise bad(f'step {n}: "action" is missing')
        if not isinstance(entry["action"], str):
            raise bad(f'step {n}: "action" is {entry["action"]!r}, not a word')
        payload = entry.get("payload") or {}
        if not isinstance(payload, dict):
            payload = {"text": payload}
        try:
            at = instant(entry.get("at"))
        except (ValueError, TypeError):
            raise bad(f'step {n}: "at" is {entry.get("at")!r}, not an instant like 2026-03-02T09:00:00+01:00') from None
        together = entry.get("concurrent_with") or ()
        together = tuple(together) if isinstance(together, list) else (together,) if together else ()
        if steps and n <= steps[-1].n:
            raise bad(f"step {n} is out of order: it comes after step {steps[-1].n}")
        if steps and at < steps[-1].at:
            raise bad(
                f"step {n} is out of order: {at.isoformat()} lies before {steps[-1].at.isoformat()} of step {steps[-1].n}"
            )
        there = [e.get("n", i) for i, e in enumerate(listed, start=1) if isinstance(e, dict)]
        unknown = [other for other in together if type(other) is not int or other not in there]
        if unknown:
            raise bad(f"step {n}: concurrent_with names step {unknown[0]}, which does not exist")
        steps.append(Step(n, at, str(entry.get("actor", "")), str(entry["action"]), payload, together))
    return tuple(steps)


def _expectation(
    index: int, entry: Any, numbers: set[int], last: int, cases: Mapping[str, Handle], bad: Any
) -> Expectation:
    if not isinstance(entry, dict):
        raise bad(f"expectation {index} is no object")
    after = last if entry.get("after_step") is None else entry["after_step"]
    since = after if entry.get("since_step") is None else entry["since_step"]
    for name, value in (("after_step", after), ("since_step", since)):
        if type(value) is not int or value not in numbers:
            raise bad(f"expectation {index}: {name} {value!r} is no step of this story")
    if since > after:
        raise bad(f"expectation {index}: since_step {since} comes after after_step {after}")
    level = str(entry.get("level", "must"))
    if level not in LEVELS:
        raise bad(f'expectation {index}: level "{level}" is none of {", ".join(LEVELS)}')
    checks = {key: value for key, value in entry.items() if key not in FRAME}
    handle = checks.get("case")
    for one in handle if isinstance(handle, list) else [handle] if handle else []:
        if not isinstance(one, str) or one not in cases:
            raise bad(f'expectation {index}: the handle "{one}" is bound nowhere in "cases"')
    alternatives = entry.get("alternatives") or ()
    alternatives = tuple(alternatives) if isinstance(alternatives, list) else (alternatives,)
    return Expectation(index, after, since, level, bool(entry.get("debatable")), alternatives, checks)


def find_mail(folder: Path, name: str) -> Path | None:
    """Find a raw mail a step names: beside the file, in ``emails/``, by its bare name."""
    bare = Path(name).name
    for candidate in (folder / "emails" / bare, folder / name, folder / "emails" / name):
        if candidate.is_file():
            return candidate
    return None


def shown(value: Any) -> str:
    """A value as a report prints it."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 160 else text[:157] + "…"
