"""The journal: append-only, hash-chained events. A case's state and due date are computed from it, never patched.

Accountability (art. 5(2) GDPR): each entry holds the hash of the one before, so that a removed, altered or reordered
entry is found by :func:`verify`; triggers in the database refuse change and removal in the first place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select, text

from store.database import WRITER_LOCK
from store.models import Case, Event

GENESIS = "0" * 64


def _digest(event: Event) -> str:
    secret = hashlib.sha256(event.secret_sealed).hexdigest() if event.secret_sealed is not None else ""
    parts = [
        event.previous,
        event.case_id,
        event.reference,
        event.at.astimezone(UTC).isoformat(),
        event.recorded_at.astimezone(UTC).isoformat(),
        event.actor,
        event.type,
        event.data,
        secret,
    ]
    return _hashed(parts)


def entry_of(event: Event) -> dict[str, Any]:
    """Return an entry as plain values, for a copy that can be checked elsewhere: its free text only as a hash."""
    secret = hashlib.sha256(event.secret_sealed).hexdigest() if event.secret_sealed is not None else ""
    return {
        "id": event.id,
        "previous": event.previous,
        "case_id": event.case_id,
        "reference": event.reference,
        "at": event.at.astimezone(UTC).isoformat(),
        "recorded_at": event.recorded_at.astimezone(UTC).isoformat(),
        "actor": event.actor,
        "type": event.type,
        "data": event.data,
        "secret_sha256": secret,
        "hash": event.hash,
    }


def entry_holds(entry: Mapping[str, Any]) -> bool:
    """Say whether an entry copied by :func:`entry_of` is what its hash says."""
    names = ("previous", "case_id", "reference", "at", "recorded_at", "actor", "type", "data", "secret_sha256")
    try:
        return _hashed([entry[name] for name in names]) == str(entry["hash"])
    except (KeyError, TypeError, ValueError):
        return False


def _hashed(parts: list[Any]) -> str:
    canonical = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def append(
    session: Session,
    *,
    type: str,
    actor: str,
    at: datetime,
    now: datetime,
    case: Case | None = None,
    data: Mapping[str, Any] | None = None,
    secret_sealed: bytes | None = None,
) -> Event:
    """Add an event to the end of the chain, inside the caller's transaction.

    *at* is when it happened, *now* when it is written (both aware). *data* holds codes, dates and references only, as
    JSON can hold them (``TypeError`` or ``ValueError`` otherwise); free text goes in *secret_sealed*.
    """
    if session.get_bind().dialect.name == "postgresql":
        # Appenders wait for each other until they commit, so that the chain never forks. In ``transaction()`` they
        # have waited already; this holds for any other session.
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})
    last = session.exec(select(Event.hash).order_by(col(Event.id).desc()).limit(1)).first()
    event = Event(
        case_id=case.id if case else None,
        reference=case.reference if case else "",
        at=at,
        recorded_at=now,
        actor=actor,
        type=type,
        # Through JSON and back, so that the hash is over what will be read again: 1 as a key becomes "1".
        data=json.loads(json.dumps(dict(data or {}), allow_nan=False)),
        secret_sealed=secret_sealed,
        previous=last or GENESIS,
        hash="",
    )
    event.hash = _digest(event)
    session.add(event)
    session.flush()
    return event


def of_no_case(session: Session, *, type: str, since: datetime) -> list[Event]:
    """Return the entries of a *type* that belong to no case, recorded since an instant (aware), oldest first."""
    query = select(Event).where(Event.type == type, col(Event.case_id).is_(None), col(Event.recorded_at) >= since)
    return list(session.exec(query.order_by(col(Event.id))))


def of_case(session: Session, case_id: int) -> list[Event]:
    """Return the events of a case, in the order they were written."""
    return list(session.exec(select(Event).where(Event.case_id == case_id).order_by(col(Event.id))))


def head(session: Session) -> str:
    """Return the hash of the newest entry: print it somewhere else, and the journal has a witness."""
    return session.exec(select(Event.hash).order_by(col(Event.id).desc()).limit(1)).first() or GENESIS


@dataclass(frozen=True)
class Break:
    """Where the chain does not hold."""

    event_id: int
    reason: str


def _holds(event: Event) -> bool:
    try:
        return event.hash == _digest(event)
    except (TypeError, ValueError, AttributeError):
        # SQLite takes a text where bytes belong; the program never wrote that.
        return False


def _entries(session: Session) -> Iterator[tuple[int, Event | None]]:
    """Yield (number, entry) in order; None for an entry that holds what the program cannot have written."""
    unreadable = (TypeError, ValueError, OperationalError)
    last = 0
    try:
        for event in session.exec(select(Event).order_by(col(Event.id)).execution_options(yield_per=500)):
            last = event.id or 0
            yield last, event
    except unreadable:
        # Rows are read by the hundred, so find out one by one which it is.
        numbers = session.exec(select(col(Event.id)).where(col(Event.id) > last).order_by(col(Event.id))).all()
        for number in numbers:
            try:
                entry = session.exec(select(Event).where(Event.id == number)).one()
            except unreadable:
                yield number or 0, None
            else:
                yield number or 0, entry


def verify(session: Session, *, witness: str = GENESIS) -> Break | None:
    """Check the whole chain; return the first entry that does not hold, or None.

    A chain cut off at its end holds in itself: only a *witness* (an earlier :func:`head`, kept elsewhere) shows that
    entries after it are gone, as a break at the last entry there is.
    """
    previous, last, witnessed = GENESIS, 0, witness == GENESIS
    for last, event in _entries(session):
        if event is not None and event.previous != previous:
            return Break(last, "the entry before it is missing or out of order")
        if event is None or not _holds(event):
            return Break(last, "the entry was altered")
        previous = event.hash
        witnessed = witnessed or event.hash == witness
    return None if witnessed else Break(last, "entries after it are missing: the witness is not in the chain")
