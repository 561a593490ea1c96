"""The only place that reads the time. Everything else is handed ``now`` or ``today``."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells the time; tests and rehearsals bring a clock that they move."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)


class MovedClock:
    """A clock that stands still until somebody moves it (tests, demo)."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware instant, e.g. 2026-03-02T09:00:00+01:00")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant the clock was last moved to, in UTC."""
        return self._now

    def move_to(self, instant: datetime) -> None:
        """Move forward to *instant*; time never runs backwards."""
        if instant < self._now:
            raise ValueError("the clock cannot be moved backwards")
        self._now = instant.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move forward by *by*."""
        self.move_to(self._now + by)


class FileClock:
    """A clock kept in a file (ISO instant), so that a second process sees the same moved time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        """Return the instant written in the file, in UTC."""
        return datetime.fromisoformat(self._path.read_text(encoding="ascii").strip()).astimezone(UTC)


def stopwatch() -> float:
    """Return seconds on a clock that only runs forward, for durations in logs and benchmarks."""
    return time.monotonic()
