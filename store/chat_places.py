"""Numbers for what a chat platform names by words: rooms, messages, accounts; and what its client has to remember.

The name is sealed and found again by a keyed hash: who writes from which account stands nowhere in the clear.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from store.models import ChatPlace
from store.sealing import Vault

OFFSET = 1 << 60
"""Numbers begin here, beyond those of platforms that number by themselves."""


def _hash(vault: Vault, kind: str, name: str) -> str:
    return vault.address_hash(f"place:{kind}:{name}")


def _row(session: Session, vault: Vault, kind: str, name: str) -> ChatPlace | None:
    return session.exec(select(ChatPlace).where(ChatPlace.name_hash == _hash(vault, kind, name))).first()


def note(
    session: Session, vault: Vault, kind: str, name: str, *, now: datetime, facts: dict[str, Any] | None = None
) -> int:
    """Return the number of *name*, given now where it has none; *facts*, where given, replace those noted before."""
    row = _row(session, vault, kind, name)
    if row is None:
        key_id = vault.new_key(session, now=now)
        sealed = vault.seal_json(session, key_id, {"name": name, "facts": facts or {}}, "place")
        row = ChatPlace(kind=kind, name_hash=_hash(vault, kind, name), key_id=key_id, sealed=sealed, noted_at=now)
        session.add(row)
        session.flush()
    elif facts is not None:
        row.sealed = vault.seal_json(session, row.key_id, {"name": name, "facts": facts}, "place")
        session.add(row)
    return OFFSET + (row.id or 0)


def number_of(session: Session, vault: Vault, kind: str, name: str) -> int | None:
    """Return the number of *name*, None where it was never noted."""
    row = _row(session, vault, kind, name)
    return OFFSET + (row.id or 0) if row is not None else None


def named(session: Session, vault: Vault, kind: str, number: int) -> tuple[str, dict[str, Any]] | None:
    """Return (name, facts) behind a number, None where there is nothing of that kind."""
    row = session.get(ChatPlace, number - OFFSET)
    if row is None or row.kind != kind:
        return None
    held: dict[str, Any] = vault.open_json(session, row.key_id, row.sealed, "place")
    return str(held["name"]), dict(held["facts"])


def forget_chat(session: Session, vault: Vault, chat_id: int, *, now: datetime) -> int:
    """Forget a room, what was said there and by whom, and destroy the keys; return how many rows there were.

    An account is forgotten with the room it was first noted in: direct rooms are one person's.
    """
    found = named(session, vault, "room", chat_id)
    if found is None:
        return 0
    gone = [session.get_one(ChatPlace, chat_id - OFFSET)]
    for row in session.exec(select(ChatPlace).where(col(ChatPlace.kind).in_(("event", "account")))).all():
        facts = vault.open_json(session, row.key_id, row.sealed, "place")["facts"]
        if facts.get("room") == found[0]:
            gone.append(row)
    for row in gone:
        vault.destroy_key(session, row.key_id, now=now)
        session.delete(row)
    session.flush()
    return len(gone)
