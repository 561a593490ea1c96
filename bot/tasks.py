"""The tasks of a case as they stand: gathered from its journal for the desk, the linter, the digest, the purge and exports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlmodel import Session

from bot.app import App
from handlers.clock import information_limit
from handlers.lifecycle import CaseState, state_of
from handlers.tasks import INFORM, OWN, Tracked, duties, restricted_since, tasks_of
from handlers.types import Fact
from store import journal
from store.models import Case, Event
from store.sealing import SealingError

GRANTED = frozenset({"answered", "partially_refused"})


def tracked(session: Session, app: App, case: Case, events: Sequence[Event] | None = None) -> tuple[Tracked, ...]:
    """Return the tasks of a case, with who settled them and when."""
    noted = journal.of_case(session, case.id or 0) if events is None else events
    return tasks_of(app.rights, case.rights, noted, own=_own(session, app, case, noted))


def owed(session: Session, app: App, case: Case, events: Sequence[Event]) -> tuple[Tracked, ...]:
    """Return what is still owed although an answer that grants something has left; nothing before, nor after a refusal."""
    granted = granted_rights(state_of([Fact(event.type, event.data) for event in events]))
    return duties(tracked(session, app, case, events), granted) if granted else ()


def granted_rights(state: CaseState) -> tuple[str, ...]:
    """The rights whose answer has left and was no refusal of the whole."""
    return tuple(entry.right for entry in state.settled if entry.outcome in GRANTED)


def binding(session: Session, app: App, case: Case, events: Sequence[Event]) -> bool:
    """Whether a case may not be forgotten yet, whatever its age: a restriction is in force (art. 18(3)), or recipients still
    have to be told (art. 19)."""
    found = tracked(session, app, case, events)
    after = any(task.task.when == "after" for task in owed(session, app, case, events))
    return after or restricted_since(found) is not None


def inform_by(app: App, events: Sequence[Event]) -> date | None:
    """Return by when the person is to be told that data came from somebody else (art. 14(3)(a)); None where nothing says
    they did. The last date noted counts."""
    noted = [event for event in events if event.type == "data_obtained"]
    if not noted:
        return None
    calendar = app.settings.calendar
    obtained = date.fromisoformat(str(noted[-1].data["on"]))
    return information_limit(
        obtained, timezone=calendar.timezone, calendar=calendar.holidays, extra_holidays=calendar.extra_holidays
    )


def inform_open(session: Session, app: App, case: Case, events: Sequence[Event]) -> date | None:
    """Return the last day of art. 14 while the person has not been told; None once that is settled."""
    limit = inform_by(app, events)
    if limit is None:
        return None
    waiting = any(t.task.code == INFORM.code and t.open for t in tracked(session, app, case, events))
    return limit if waiting else None


def listed(session: Session, app: App, case: Case, events: Sequence[Event] | None = None) -> list[dict[str, Any]]:
    """Return the tasks of a case as plain values, for exports."""
    language = app.settings.desk.language
    return [
        {
            "task": t.task.code, "title": t.task.titles[language], "source": t.task.source, "rights": list(t.rights),
            "state": t.state, "by": t.by, "at": t.at.isoformat() if t.at else None,
        }
        for t in tracked(session, app, case, events)
    ]  # fmt: skip


def _own(session: Session, app: App, case: Case, events: Sequence[Event]) -> dict[str, str]:
    """The titles of the tasks the desk added, by code; of an erased case none can be read any more."""
    titles = {}
    for event in events:
        if event.type == "task_added" and event.secret_sealed is not None:
            code = str(event.data.get("task", ""))
            try:
                titles[code] = app.vault.open(session, case.key_id, event.secret_sealed, "event").decode()
            except SealingError:
                titles[code] = f"({OWN})"
    return titles
