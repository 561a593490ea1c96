"""Messages that were set aside are read once more: by a program that has learnt since, with their old clock."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import select

from bot import intake
from bot.app import App
from bot.channels.base import RawMessage
from store import messages
from store.models import Message, Sighting
from store.sealing import SealingError

log = logging.getLogger("dpobot.replay")


class NotReplayed(Exception):
    """The message cannot be replayed; the sentence says why."""


@dataclass(frozen=True)
class Waiting:
    """A message that waits for a person: its number, its day of arrival, and why it waits. No personal data."""

    message_id: int
    received_at: datetime
    disposition: str
    reason: str


def waiting(app: App) -> list[Waiting]:
    """Return what can be replayed, oldest first."""
    with app.database.reading() as session:
        return [
            Waiting(each.id or 0, each.received_at, each.disposition, each.reason)
            for each in messages.waiting_for_a_person(session)
            if each.channel == "email"
        ]


def replay(app: App, message_id: int) -> intake.Recorded:
    """Read a waiting message as if it came now, but received when it was; what it was taken for before is withdrawn.

    All or nothing, in one transaction. Raises :class:`NotReplayed` for a message that does not wait, was decided by a
    person, or whose bytes are gone; and whatever reading it raises, then nothing changed.
    """
    now = app.clock.now()
    with app.database.reading() as session:
        message = session.get(Message, message_id)
        if message is None:
            raise NotReplayed(
                f"there is no message {message_id}: 'dpobot replay' without a number lists those that wait"
            )
        if (
            message.channel != "email"
            or message.disposition not in messages.TO_A_PERSON
            or message.sorted_at is not None
        ):
            raise NotReplayed(f"message {message_id} does not wait for anybody: only what waits can be replayed")
        try:
            raw = messages.raw(session, app.vault, message)
        except SealingError:
            raise NotReplayed(f"the bytes of message {message_id} are gone (retention)") from None
        received_at, key = message.received_at, message.content_key
    arrival = intake.reading_of(
        app,
        RawMessage(source="replay", external_id=f"{message_id}:{now.isoformat()}", received_at=received_at, raw=raw),
    )
    with app.database.transaction() as session:
        old = session.get(Message, message_id)
        if old is None or old.sorted_at is not None or old.content_key != key:
            raise NotReplayed(f"message {message_id} was dealt with meanwhile")
        # The old row keeps its bytes until retention ends, and gives up its place to the new one.
        old.content_key = f"replayed:{message_id}:{key}"[:200]
        old.disposition, old.reason, old.sorted_at = "ignored", f"replayed,{old.reason}"[:500], now
        session.add(old)
        session.flush()
        recorded = intake.record_in(session, app, arrival, now=now)
        for sighting in session.exec(select(Sighting).where(Sighting.message_id == message_id)):
            sighting.message_id = recorded.message_id
            session.add(sighting)
    log.info("message.replayed", extra={"message_id": message_id, "as": recorded.message_id})
    return recorded
