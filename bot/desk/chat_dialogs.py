"""A text that is awaited from somebody at the desk: for which button, where, until when; long ones in parts, sealed."""

from __future__ import annotations

from datetime import timedelta

from bot.app import App
from bot.desk import roster
from store.models import Button, Dialog

DIALOG_FOR = timedelta(hours=4)
MORE_COMES = 3900
"""A message this long was probably cut by Telegram (4,096): the rest of the text follows."""


class Dialogs:
    """What is awaited, one text an account."""

    def __init__(self, app: App) -> None:
        self.app = app

    def open(self, button: Button, user: roster.Seat, chat_id: int, prompt_id: int) -> None:
        """Wait for the text of a button's action, from this user in this chat; what was awaited before is given up."""
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            row = session.get(Dialog, user.account) or Dialog(
                user_id=user.account, action="", subject="", expires_at=now
            )
            row.action, row.subject, row.argument = button.action, button.subject, button.key
            row.draft_id, row.revision, row.digest = button.draft_id, button.revision, button.digest
            row.text_sealed, row.key_id, row.expires_at = None, None, now + DIALOG_FOR
            row.chat_id, row.prompt_id = chat_id, prompt_id
            session.add(row)

    def of(self, user: roster.Seat) -> Dialog | None:
        """Return what is awaited from this user, None where nothing is."""
        with self.app.database.reading() as session:
            return session.get(Dialog, user.account)

    def close(self, user: roster.Seat) -> bool:
        """Wait no longer, and forget the parts that came; False where nothing was awaited."""
        with self.app.database.transaction() as session:
            row = session.get(Dialog, user.account)
            if row is None:
                return False
            if row.key_id is not None:
                self.app.vault.destroy_key(session, row.key_id, now=self.app.clock.now())
            session.delete(row)
            return True

    def collect(self, user: roster.Seat, part: str, last: bool = False) -> str | None:
        """Add a part of the awaited text; return the whole once it is complete (*last*: a file always is), None while
        more is to come."""
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            row = session.get(Dialog, user.account)
            assert row is not None
            before = ""
            if row.key_id is not None and row.text_sealed is not None:
                before = self.app.vault.open(session, row.key_id, row.text_sealed, "dialog").decode()
            if part.strip().lower() in ("/fin", "/done"):
                return before
            whole = f"{before}\n{part}" if before else part
            if last or len(part) < MORE_COMES:
                return whole
            row.key_id = row.key_id or self.app.vault.new_key(session, now=now)
            row.text_sealed = self.app.vault.seal(session, row.key_id, whole.encode(), "dialog")
            session.add(row)
            return None
