"""Queries on messages: what came in, where it lay, and what became of it. Never commits."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, delete, func, select

from store.models import MailboxCursor, Message, SettledUid, Sighting, StoredAttachment
from store.sealing import Vault

TO_A_PERSON = ("to_sort", "authority", "quarantine")
"""Dispositions that wait for a person."""


def seen_at(session: Session, *, source: str, external_id: str) -> int | None:
    """Return the id of the message recorded from this very place, or None."""
    return session.exec(
        select(Sighting.message_id).where(Sighting.source == source, Sighting.external_id == external_id)
    ).first()


def by_content(session: Session, content_key: str) -> Message | None:
    """Return the message with the same content, wherever it lay, or None."""
    return session.exec(select(Message).where(Message.content_key == content_key)).first()


def note_sighting(session: Session, *, source: str, external_id: str, message_id: int, now: datetime) -> None:
    """Note another place where a known message lies."""
    session.add(Sighting(source=source, external_id=external_id, message_id=message_id, seen_at=now))
    session.flush()


def view(session: Session, vault: Vault, message: Message) -> dict[str, Any]:
    """Open what a person may read of a message: headers, texts, reading."""
    opened: dict[str, Any] = vault.open_json(session, message.key_id, message.view_sealed, "view")
    return opened


def raw(session: Session, vault: Vault, message: Message) -> bytes:
    """Open the message as it came. Raises ``SealingError`` once an identity document in it was deleted."""
    return vault.open(session, message.raw_key_id, message.raw_sealed, "raw")


def attachments(session: Session, message_id: int) -> list[StoredAttachment]:
    """Return the files of a message."""
    query = select(StoredAttachment).where(StoredAttachment.message_id == message_id).order_by(col(StoredAttachment.id))
    return list(session.exec(query))


def of_case(session: Session, case_id: int) -> list[Message]:
    """Return the messages of a case, oldest first."""
    query = select(Message).where(Message.case_id == case_id).order_by(col(Message.received_at), col(Message.id))
    return list(session.exec(query))


def waiting_for_a_person(session: Session) -> list[Message]:
    """Return the items to sort (unsure, authority, quarantine) nobody has sorted yet, oldest first."""
    query = (
        select(Message)
        .where(col(Message.disposition).in_(TO_A_PERSON), col(Message.sorted_at).is_(None))
        .order_by(col(Message.received_at), col(Message.id))
    )
    return list(session.exec(query))


def ignored_since(session: Session, since: datetime) -> list[Message]:
    """Return the messages filed as no request since *since*, newest first: the list the DPO can read."""
    query = select(Message).where(Message.disposition == "ignored", col(Message.recorded_at) >= since)
    return list(session.exec(query.order_by(col(Message.id).desc())))


def count_from_sender(session: Session, sender_hash: str, *, since: datetime) -> int:
    """Return how many messages one sender sent since *since*."""
    query = select(func.count()).where(Message.sender_hash == sender_hash, col(Message.received_at) >= since)
    return session.exec(query).one()


def settled(session: Session, *, source: str, uidvalidity: int) -> tuple[int, frozenset[int]]:
    """Return (low-water mark, settled UIDs above it) of a mailbox under one UIDVALIDITY."""
    cursor = session.exec(
        select(MailboxCursor).where(MailboxCursor.source == source, MailboxCursor.uidvalidity == uidvalidity)
    ).first()
    above = session.exec(
        select(SettledUid.uid).where(SettledUid.source == source, SettledUid.uidvalidity == uidvalidity)
    )
    return (cursor.low if cursor else 0), frozenset(above)


def settle(session: Session, *, source: str, uidvalidity: int, uid: int) -> None:
    """Note that a UID is dealt with. Harmless when repeated."""
    low = session.exec(
        select(MailboxCursor.low).where(MailboxCursor.source == source, MailboxCursor.uidvalidity == uidvalidity)
    ).first()
    known = session.exec(
        select(SettledUid.id).where(
            SettledUid.source == source, SettledUid.uidvalidity == uidvalidity, SettledUid.uid == uid
        )
    ).first()
    if uid > (low or 0) and known is None:
        session.add(SettledUid(source=source, uidvalidity=uidvalidity, uid=uid))
        session.flush()


def raise_low_water(session: Session, *, source: str, uidvalidity: int, low: int) -> None:
    """Note that everything up to *low* is dealt with, and forget the single UIDs below it. It never falls again."""
    query = select(MailboxCursor).where(MailboxCursor.source == source, MailboxCursor.uidvalidity == uidvalidity)
    cursor = session.exec(query).first() or MailboxCursor(source=source, uidvalidity=uidvalidity, low=0)
    if low <= cursor.low:
        return
    cursor.low = low
    session.add(cursor)
    session.flush()
    session.exec(
        delete(SettledUid).where(
            col(SettledUid.source) == source, col(SettledUid.uidvalidity) == uidvalidity, col(SettledUid.uid) <= low
        )
    )


def count(session: Session) -> int:
    """Return how many messages were ever recorded."""
    return session.exec(select(func.count()).select_from(Message)).one()


def sent_by_another(session: Session, hashes: Collection[str], sender_hash: str) -> bool:
    """Say whether an identity document with one of these hashes came before in a message of another sender."""
    query = (
        select(StoredAttachment.id)
        .join(Message, col(Message.id) == StoredAttachment.message_id)
        .where(
            col(StoredAttachment.sha256).in_(list(hashes)),
            col(StoredAttachment.is_identity),
            col(Message.sender_hash) != sender_hash,
            col(Message.sender_hash) != "",
        )
    )
    return session.exec(query.limit(1)).first() is not None
