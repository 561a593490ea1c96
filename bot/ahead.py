"""When time alone makes the program do something next: for whoever moves its clock, and wants to skip only idle time.

Everything that a date brings is named here, in the terms of the parts that do it: the day's work (``bot.tick``), the digest,
what waits to leave, retention (``bot.purge``). ``tests/test_rehearsals.py`` compares skipping with going hour by hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, func, select

from bot.app import App
from bot.digest import scheduled
from bot.purge import documents_due
from bot.tick import START
from store import cases, messages
from store.models import Case, Marker, Message, OutboxItem, TrainingExample

DAY = timedelta(days=1)


def next_due(app: App, *, now: datetime) -> datetime:
    """Return the earliest moment after *now* (aware, UTC) at which something is due though nothing comes from outside."""
    with app.database.reading() as session:
        # A week in which the clocks go back is an hour longer.
        weeks = (7 * DAY, 7 * DAY + timedelta(hours=2))
        found = [scheduled(now + week, app.settings) for week in weeks]
        found += [*_leaving(session), *documents_due(session, app)]
        if cases.listed(session, open_only=True) or messages.waiting_for_a_person(session):
            # Any day may bring a reminder, or an item to be called up.
            found.append(_tick(session, app, now, now))
        else:
            found += [_tick(session, app, end, now) for end in _retained(session, app)]
    return min(moment for moment in found if moment > now)


def _tick(session: Session, app: App, moment: datetime, now: datetime) -> datetime:
    """The first day's work at or after *moment* that is still to be done."""
    zone = app.settings.zone
    day = max(moment, now).astimezone(zone).date()
    while session.get(Marker, f"tick:{day}") is not None or datetime.combine(day, START, tzinfo=zone) < moment:
        day += DAY
    # In the morning of a day whose work is late it is due at once.
    return max(datetime.combine(day, START, tzinfo=zone).astimezone(UTC), now + timedelta(seconds=1))


def _leaving(session: Session) -> Iterator[datetime]:
    """When the next try is of what waits to leave; paper waits for a person."""
    query = select(func.min(OutboxItem.next_try_at)).where(OutboxItem.status == "pending", OutboxItem.channel != "post")
    again = session.exec(query).one()
    if again is not None:
        yield again


def _retained(session: Session, app: App) -> Iterator[datetime]:
    """When the retention ends of the oldest of each kind; what is kept beyond it on purpose is looked at daily."""
    kept = app.settings.retention
    oldest = (
        (select(func.min(Case.closed_at)).where(Case.address_hash != ""), kept.case_days),
        (
            select(func.min(Message.recorded_at)).where(
                Message.disposition == "ignored", col(Message.case_id).is_(None), Message.reason != "purged"
            ),
            kept.not_a_request_days,
        ),
        (select(func.min(Marker.at)).where(col(Marker.key).startswith("suppression:")), kept.suppression_days),
        (
            select(func.min(TrainingExample.decided_at)).where(col(TrainingExample.message_id).is_(None)),
            app.settings.learning.pseudonymised_days if app.settings.learning.keep == "pseudonymised" else 0,
        ),
    )
    for query, days in oldest:
        since = session.exec(query).one()
        if since is not None:
            # A moment later, for what is older than its time goes, not what is just as old.
            yield since + timedelta(days=days, seconds=1)
