"""The weekly digest as a pure rule: facts in, sections out. Every open case stands in exactly one section.

The digest is what the DPO reads when nothing else is read (art. 12(3) GDPR: a month, whoever is on leave), and it
leaves also when there is nothing to tell: silence is the alarm. Its lines carry references, rights, dates and states,
never a name, an address or a word of what people wrote, since mails are forwarded and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from handlers.lifecycle import ANSWERED, FINISHED

WEEK = 7
"""Days ahead that count as this week: up to the day of the next digest, that day included."""

QUEUE_STUCK_AFTER = timedelta(hours=1)
"""A mail or notice that waits longer than this to leave is worth a look."""


@dataclass(frozen=True)
class TaskLine:
    """A case whose answer has left while something it speaks of is still to be done, or whose data are restricted."""

    reference: str
    rights: tuple[str, ...]
    open: int
    """Tasks nobody has settled."""
    restricted_since: date | None = None
    """Since when a restriction is in force (art. 18(1)); None where there is none."""


Fate = Literal["bounced", "failed", "uncertain", "delayed"]
Alarm = Literal["never", "failing", "silent", ""]

_FATES: tuple[Fate, ...] = ("bounced", "failed", "uncertain", "delayed")
_FIRST_TO_SORT = ("authority", "to_sort", "quarantine")


@dataclass(frozen=True)
class CaseLine:
    """An open case as the digest shows it. Dates are civil dates of the organisation."""

    reference: str
    rights: tuple[str, ...]
    state: str
    identity: str
    due: date | None
    """None while the clock is suspended (décret 2019-536 art. 77)."""
    due_if_not_paused: date
    extended: bool = False
    drafts: int = 0
    """Letters that wait for the DPO's decision."""


@dataclass(frozen=True)
class ItemLine:
    """A message that waits for a person to sort it: its clock runs from arrival, should it be a request."""

    number: int
    """Of the message at the desk."""
    kind: str
    """to_sort, authority or quarantine."""
    received_on: date
    suggestion: str
    """What the classifier leans to, as a label; empty if nothing."""
    due_if_request: date | None
    """None where it is surely no request of a person (an authority)."""


@dataclass(frozen=True)
class LetterLine:
    """A letter of ours that did not reach its reader, or may not have."""

    reference: str
    """Of the case; empty for mail about no case (a digest)."""
    kind: str
    fate: Fate
    on: date


@dataclass(frozen=True)
class Part:
    """The last sign of life of a part of the program (``imap``, ``smtp``, ``telegram``). Instants are aware."""

    name: str
    ok_at: datetime | None
    failing_since: datetime | None = None
    failures: int = 0
    silent_after: timedelta | None = None
    """Silence longer than this is an alarm; None for a part that only works when there is something to do."""

    def alarm(self, now: datetime) -> Alarm:
        """Say what is wrong with this part at *now*; empty when nothing is."""
        if self.failing_since is not None:
            return "failing"
        if self.silent_after is None:
            return ""
        if self.ok_at is None:
            return "never"
        return "silent" if now - self.ok_at > self.silent_after else ""


@dataclass(frozen=True)
class Vitals:
    """What says whether the program itself is well. Instants are aware."""

    now: datetime
    parts: tuple[Part, ...]
    queued: int
    """Mails and notices that are due and have not left."""
    queued_since: datetime | None
    """When the oldest of them was decided."""
    notices_failed: int
    """Cards that never reached the desk's chat."""
    journal_head: str
    journal_entries: int
    journal_broken_at: int | None = None
    """The first entry of the journal that does not hold; None while the chain is whole (art. 5(2))."""
    halted: bool = False
    """Automatic mail is stopped: acknowledgements and requests for proof wait for a person."""

    @property
    def queue_stuck(self) -> bool:
        """Whether something has waited too long to leave."""
        return self.queued_since is not None and self.now - self.queued_since > QUEUE_STUCK_AFTER

    @property
    def well(self) -> bool:
        """Whether nothing of this asks for a look."""
        failing = any(part.alarm(self.now) for part in self.parts)
        broken = self.journal_broken_at is not None
        return not (failing or self.queue_stuck or self.notices_failed or broken or self.halted)


@dataclass(frozen=True)
class Entry:
    """A case in its section. ``days_left`` counts calendar days to the due date, or to the date that would hold without
    the suspension; negative when it has passed."""

    case: CaseLine
    days_left: int


@dataclass(frozen=True)
class Digest:
    """The digest, section by section; within each, what is due first stands first."""

    today: date
    overdue: tuple[Entry, ...]
    this_week: tuple[Entry, ...]
    later: tuple[Entry, ...]
    paused: tuple[Entry, ...]
    """The person's answer is awaited (identity, as a rule); days count to the date without suspension."""
    answered: tuple[Entry, ...]
    """Answered and not closed yet."""
    to_sort: tuple[ItemLine, ...]
    letters: tuple[LetterLine, ...]
    ignored: Mapping[str, int]
    """Messages filed as no request since the last digest, by what they were taken for; the most frequent first."""
    vitals: Vitals
    tasks: tuple[TaskLine, ...] = ()
    by_days_left: tuple[tuple[str, int], ...] = field(default=())
    """How many unanswered cases have how many days left; the codes of :data:`BUCKETS`, all of them."""

    @property
    def open(self) -> int:
        """How many requests wait for an answer."""
        return len(self.overdue) + len(self.this_week) + len(self.later) + len(self.paused)


BUCKETS: tuple[tuple[str, Callable[[int], bool]], ...] = (
    ("overdue", lambda left: left < 0),
    ("0-7", lambda left: 0 <= left <= WEEK),
    ("8-14", lambda left: WEEK < left <= 14),
    ("15-21", lambda left: 14 < left <= 21),
    ("22-31", lambda left: 21 < left <= 31),
    ("32+", lambda left: left > 31),
)
"""Bars of the picture: code and which days left fall under it; suspended cases are counted as ``paused``."""


def digest(
    cases: Sequence[CaseLine],
    *,
    today: date,
    vitals: Vitals,
    to_sort: Iterable[ItemLine] = (),
    letters: Iterable[LetterLine] = (),
    ignored: Mapping[str, int] | None = None,
    tasks: Iterable[TaskLine] = (),
) -> Digest:
    """Sort facts into the sections of the digest of *today* (a civil date of the organisation).

    A finished case has no place in it; every other stands in exactly one section: answered, else suspended, else by its
    due date (art. 12(3) GDPR). What came back as undeliverable is in ``letters`` whatever the state of its case.
    """
    sections: dict[str, list[Entry]] = {"overdue": [], "this_week": [], "later": [], "paused": [], "answered": []}
    for case in sorted((c for c in cases if c.state not in FINISHED), key=_by_due):
        entry = Entry(case, (_date_of(case) - today).days)
        sections[_section(entry)].append(entry)
    waiting = [entry.days_left for name in ("overdue", "this_week", "later") for entry in sections[name]]
    bars = tuple((code, sum(map(falls, waiting))) for code, falls in BUCKETS)
    return Digest(
        today=today,
        overdue=tuple(sections["overdue"]),
        this_week=tuple(sections["this_week"]),
        later=tuple(sections["later"]),
        paused=tuple(sections["paused"]),
        answered=tuple(sections["answered"]),
        to_sort=tuple(sorted(to_sort, key=_item_order)),
        letters=tuple(sorted(letters, key=lambda line: (_FATES.index(line.fate), line.on, line.reference, line.kind))),
        ignored=dict(sorted((ignored or {}).items(), key=lambda pair: (-pair[1], pair[0]))),
        vitals=vitals,
        tasks=tuple(sorted(tasks, key=lambda line: (not line.open, len(line.reference), line.reference))),
        by_days_left=(*bars, ("paused", len(sections["paused"]))),
    )


def _date_of(case: CaseLine) -> date:
    return case.due or case.due_if_not_paused


def _by_due(case: CaseLine) -> tuple[date, int, str]:
    # The longer number is the later one: DSR-2026-10000 comes after DSR-2026-9999.
    return _date_of(case), len(case.reference), case.reference


def _item_order(item: ItemLine) -> tuple[int, date, int]:
    # An authority does not wait; the others stand by the date they would be due.
    place = _FIRST_TO_SORT.index(item.kind) if item.kind in _FIRST_TO_SORT else 1
    return min(place, 1), item.due_if_request or item.received_on, item.number


def _section(entry: Entry) -> str:
    if entry.case.state in ANSWERED:
        return "answered"
    if entry.case.due is None:
        return "paused"
    if entry.days_left < 0:
        return "overdue"
    return "this_week" if entry.days_left <= WEEK else "later"
