"""What a chat platform brought: stored, sealed, before the platform is told that it arrived; handled once, after."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from bot import casework
from bot.app import App
from bot.channels.chat import FIRST_NUMBER
from store.models import ChatUpdate


class Updates:
    """The updates of all platforms, as rows of the store."""

    def __init__(self, app: App) -> None:
        self.app = app

    def last_update_id(self) -> int | None:
        """Return the update stored last, None when there is none yet."""
        with self.app.database.reading() as session:
            own = select(ChatUpdate.update_id).where(col(ChatUpdate.update_id) < FIRST_NUMBER)
            query = own.order_by(col(ChatUpdate.received_at).desc(), col(ChatUpdate.update_id).desc())
            return session.exec(query.limit(1)).first()

    def store(self, update_id: int, payload: dict[str, Any]) -> None:
        """Keep an update, sealed; an update that came before is left as it is."""
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            if session.get(ChatUpdate, update_id) is not None:
                return
            key_id = self.app.vault.new_key(session, now=now)
            sealed = self.app.vault.seal_json(session, key_id, payload, "update")
            session.add(ChatUpdate(update_id=update_id, key_id=key_id, payload_sealed=sealed, received_at=now))

    def unhandled(self) -> list[int]:
        """Return the updates that were stored but not handled when the program stopped; given up after three tries."""
        with self.app.database.reading() as session:
            query = select(ChatUpdate.update_id).where(
                col(ChatUpdate.handled_at).is_(None), col(ChatUpdate.attempts) < 3
            )
            return list(session.exec(query.order_by(col(ChatUpdate.received_at), col(ChatUpdate.update_id))))

    def begin(self, update_id: int) -> dict[str, Any] | None:
        """Count a try and return what the update says; None for one that is handled already."""
        with self.app.database.transaction() as session:
            row = session.get(ChatUpdate, update_id)
            if row is None or row.handled_at is not None:
                return None
            row.attempts += 1
            session.add(row)
            payload: dict[str, Any] = self.app.vault.open_json(session, row.key_id, row.payload_sealed, "update")
            return payload

    def end(self, update_id: int) -> None:
        """Note that it was handled, and destroy what it said."""
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            row = session.get(ChatUpdate, update_id)
            assert row is not None
            row.handled_at = now
            session.add(row)
            # What it said lives on in the case; the raw update is not needed any more.
            self.app.vault.destroy_key(session, row.key_id, now=now)

    def give_up(self) -> None:
        """Tell the desk of what failed three times, by its number."""
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            query = select(ChatUpdate).where(
                col(ChatUpdate.handled_at).is_(None), col(ChatUpdate.attempts) >= 3, ChatUpdate.problem == ""
            )
            for row in session.exec(query).all():
                row.problem = "given-up"
                session.add(row)
                casework.tell_system(
                    session, self.app, "chat_update_failed", part="telegram", step=f"update-{row.update_id}", now=now,
                    facts={"update": row.update_id},
                )  # fmt: skip
