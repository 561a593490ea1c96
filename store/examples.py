"""Queries on what the classifier may learn from: one decision of the DPO a message. Never commits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from store.models import Message, TrainingExample
from store.sealing import SealingError, Vault

_PURPOSE = "decision"


def of_message(session: Session, message_id: int) -> TrainingExample | None:
    """Return the example made of a message, or None."""
    return session.exec(select(TrainingExample).where(TrainingExample.message_id == message_id)).first()


def keep(
    session: Session, vault: Vault, message: Message, decision: Mapping[str, Any], *, by: str, now: datetime
) -> TrainingExample:
    """Keep what was decided of *message*, sealed with the message's key; a later decision takes the place of an earlier."""
    example = of_message(session, message.id or 0) or TrainingExample(
        message_id=message.id, key_id=message.key_id, decision_sealed=b"", decided_at=now, decided_by=by
    )
    example.key_id, example.decided_at, example.decided_by = message.key_id, now, by
    example.decision_sealed = vault.seal_json(session, message.key_id, dict(decision), _PURPOSE)
    session.add(example)
    session.flush()
    return example


def forget(session: Session, message_id: int) -> None:
    """Remove the example made of a message, if there is one."""
    example = of_message(session, message_id)
    if example is not None:
        session.delete(example)
        session.flush()


def follow(session: Session, vault: Vault, message_id: int, key_id: int) -> None:
    """Seal the example of a message that goes under another key anew, so that the two are erased together."""
    example = of_message(session, message_id)
    if example is not None and example.key_id != key_id:
        decision = opened(session, vault, example)
        if decision is None:
            session.delete(example)
            session.flush()
            return
        example.decision_sealed, example.key_id = vault.seal_json(session, key_id, decision, _PURPOSE), key_id
        session.add(example)


def stand_alone(
    session: Session, vault: Vault, example: TrainingExample, decision: Mapping[str, Any], *, now: datetime
) -> None:
    """Let a masked copy stand for the message, under a key of its own: what it was made of can then be erased."""
    key_id = vault.new_key(session, now=now)
    example.decision_sealed = vault.seal_json(session, key_id, dict(decision), _PURPOSE)
    example.key_id, example.message_id = key_id, None
    session.add(example)
    session.flush()


def opened(session: Session, vault: Vault, example: TrainingExample) -> dict[str, Any] | None:
    """Return what was decided, or None where its key is gone."""
    try:
        decision: dict[str, Any] = vault.open_json(session, example.key_id, example.decision_sealed, _PURPOSE)
    except SealingError:
        return None
    return decision


def all_of_them(session: Session) -> list[TrainingExample]:
    """Return every example, in the order they were first made."""
    return list(session.exec(select(TrainingExample).order_by(col(TrainingExample.id))))


def masked_before(session: Session, limit: datetime) -> list[TrainingExample]:
    """Return the masked copies whose decision is older than *limit*."""
    query = select(TrainingExample).where(
        col(TrainingExample.message_id).is_(None), col(TrainingExample.decided_at) < limit
    )
    return list(session.exec(query))


def remove_copy(session: Session, vault: Vault, example: TrainingExample, *, now: datetime) -> None:
    """Remove a masked copy and destroy its key."""
    vault.destroy_key(session, example.key_id, now=now)
    session.delete(example)
    session.flush()
