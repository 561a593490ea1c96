"""A second parent who wants the contrary about the same child: both cases are linked and flagged, and nothing is granted on one
person's word (:mod:`handlers.parents`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from bot import casework
from bot.app import App
from handlers.linter import fold
from handlers.parents import contradict, opposes, same_child
from handlers.types import Arrival, Notice
from store import cases, journal
from store.models import Case, Event, Message

FLAGGED, SETTLED = "parents_in_conflict", "parents_agree"


def in_conflict(events: Sequence[Event]) -> bool:
    """Whether the parents of a case's child want opposite things, as far as anybody knows; the last word counts."""
    said = [event.type for event in events if event.type in (FLAGGED, SETTLED)]
    return bool(said) and said[-1] == FLAGGED


def of_whom(events: Sequence[Event]) -> tuple[str, ...]:
    """The other cases about the same child, by reference."""
    found = (str(event.data.get("with", "")) for event in events if event.type == FLAGGED)
    return tuple(dict.fromkeys(reference for reference in found if reference))


def look(
    session: Session,
    app: App,
    message: Message,
    arrival: Arrival,
    case: Case | None,
    *,
    now: datetime,
) -> None:
    """Flag the cases of a child whose parents disagree, once a message has been recorded (in *case*, if in any).

    A case is one of a child where a parent writes or the child does. The message may itself open none: who only forbids
    what the other parent asks for still makes that case a matter for two.
    """
    text = fold(f"{arrival.subject}\n{arrival.new_text}")
    against = opposes(text)
    if case is not None and against and _about_child(case):
        _flag(session, app, case, "", message, now=now)
    for other in cases.listed(session, open_only=True):
        if (case is not None and other.id == case.id) or not other.address_hash or not _about_child(other):
            continue
        if other.address_hash == message.sender_hash:
            continue
        person = cases.person_of(session, app.vault, other)
        child = person.subject or ("" if other.third_party else person.name)
        children = [fold(name) for name in child.split(",") if name.strip()]
        if not any(same_child(name, fold(person.name), text, fold(arrival.from_name)) for name in children):
            continue
        disagree = against or (case is not None and contradict(case.rights, other.rights))
        if case is not None:
            _link(session, app, case, other, now=now)
            if disagree and _about_child(case):
                _flag(session, app, case, other.reference, message, now=now)
        if disagree:
            _flag(session, app, other, case.reference if case is not None else "", message, now=now)


def _about_child(case: Case) -> bool:
    return case.third_party == "minor_child" or case.minor


def _link(session: Session, app: App, one: Case, other: Case, *, now: datetime) -> None:
    for case, linked in ((one, other), (other, one)):
        events = journal.of_case(session, case.id or 0)
        if not any(e.type == "linked" and e.data.get("reference") == linked.reference for e in events):
            casework.note(session, app, case, "linked", actor="bot", now=now, data={"reference": linked.reference})


def _flag(session: Session, app: App, case: Case, reference: str, message: Message, *, now: datetime) -> None:
    events = journal.of_case(session, case.id or 0)
    if in_conflict(events) and (not reference or reference in of_whom(events)):
        return
    data = {"with": reference, "message": message.id}
    casework.note(session, app, case, FLAGGED, actor="bot", now=now, data=data)
    notice = Notice(FLAGGED, urgent=True, facts={"reference": case.reference})
    casework.tell_desk(
        session, app, notice, subject=f"case:{case.id}", key_id=case.key_id, step=f"message-{message.id}", now=now, case=case
    )  # fmt: skip
