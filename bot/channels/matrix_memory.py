"""What the Matrix channel remembers, in the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from bot.channels.chat import ChatRefused
from store import chat_places
from store.models import Button

if TYPE_CHECKING:
    from store.database import Database
    from store.sealing import Vault


class Memory:
    """What the channel remembers, in the store: numbers for names, the sync token, the login, signs under cards."""

    def __init__(self, database: Database, vault: Vault, now: Callable[[], datetime]) -> None:
        self._database, self.vault, self._now = database, vault, now

    def note(self, kind: str, name: str, facts: dict[str, Any] | None = None) -> int:
        """Return the number of a name, and keep *facts* with it where given."""
        with self._database.transaction() as session:
            return chat_places.note(session, self.vault, kind, name, now=self._now(), facts=facts)

    def name(self, kind: str, number: int) -> tuple[str, dict[str, Any]]:
        """Return (name, facts) behind a number. Raises :class:`ChatRefused` where there is nothing."""
        with self._database.reading() as session:
            found = chat_places.named(session, self.vault, kind, number)
        if found is None:
            raise ChatRefused(f"nothing is known in Matrix under this number ({kind})")
        return found

    def facts(self, kind: str, name: str) -> dict[str, Any]:
        """Return what is kept with a name; empty where it was never noted."""
        with self._database.reading() as session:
            number = chat_places.number_of(session, self.vault, kind, name)
            found = chat_places.named(session, self.vault, kind, number) if number is not None else None
        return found[1] if found is not None else {}

    def actions(self, keys: Sequence[str]) -> dict[str, str]:
        """Return what each button does, by its key."""
        with self._database.reading() as session:
            return {row.key: row.action for row in session.exec(select(Button).where(col(Button.key).in_(keys))).all()}
