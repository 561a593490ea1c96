"""Cards in chat: drawn, posted or edited in place, one a case and chat, with buttons that stand for keys kept here."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select, update

from bot.app import App
from bot.channels.chat import Chat, ChatError, ChatMessageGone
from bot.desk import roster
from bot.desk.cards import View, view_of
from bot.desk.chat_words import DESK
from bot.desk.offers import Offer
from bot.settings import User
from store.models import Button, Card

log = logging.getLogger("dpobot.chat")

SUPERSEDED = "superseded"
"""What is noted at the buttons of a card that a newer one took the place of."""


class Board:
    """The cards that are shown in the chats."""

    def __init__(self, app: App, channel: Chat) -> None:
        self.app = app
        self.channel = channel
        self.words = DESK[app.settings.desk.language]

    async def post(
        self,
        subject: str,
        chat_id: int,
        user: User,
        *,
        notice: str,
        anew: bool,
        decided_at: datetime | None = None,
        facts: dict[str, Any] | None = None,
        urgent: bool = False,
        key: str = "",
    ) -> None:
        """Show a card: edited in place, or posted anew at the bottom where it should be noticed."""
        drawn = await asyncio.to_thread(self._draw, subject, notice, facts or {}, user, chat_id)
        if drawn is None:
            return
        if urgent and drawn.text.startswith("■ "):
            # The same word in both languages, where the eye and the telephone's preview fall first.
            drawn = replace(drawn, text=f"■ URGENT – {drawn.text[2:]}")
        card = await asyncio.to_thread(self._card, subject, chat_id)
        offers = drawn.offers
        digest = hashlib.sha256(repr((drawn.text, offers)).encode()).hexdigest()
        if card is not None and decided_at is not None and card.digest == digest and card.shown_at >= decided_at:
            return
        if card is not None and not anew and card.digest == digest:
            return
        rows = await asyncio.to_thread(self._keyboard, subject, chat_id, offers)
        if card is not None and not anew:
            await asyncio.to_thread(self._bind, rows, card.chat_message_id)
            try:
                await self.channel.edit_text(chat_id, card.chat_message_id, drawn.text, rows)
                await asyncio.to_thread(self._remember, subject, chat_id, card.chat_message_id, digest)
                return
            except ChatMessageGone:
                pass
        same = f"{key}:{digest}" if key else ""
        message_id = await self.channel.send_text(chat_id, drawn.text, buttons=rows, key=same)
        await asyncio.to_thread(self._bind, rows, message_id)
        await asyncio.to_thread(self._remember, subject, chat_id, message_id, digest)
        if card is not None:
            title = next((line for line in drawn.text.splitlines() if not line.startswith("■")), "")[:80]
            try:
                await self.channel.edit_text(chat_id, card.chat_message_id, self.words["below"].format(subject=title))
            except ChatError:
                log.info("chat.old_card_stays", extra={"subject": subject})

    async def offer(self, chat_id: int, subject: str, text: str, offers: Sequence[Sequence[Offer]]) -> None:
        """Send a message with buttons under it, and bind them to it."""
        rows = await asyncio.to_thread(self._keyboard, subject, chat_id, offers)
        message_id = await self.channel.send_text(chat_id, text, buttons=rows)
        await asyncio.to_thread(self._bind, rows, message_id)

    # --- the store's side

    def _draw(self, subject: str, notice: str, facts: dict[str, Any], user: User, chat_id: int) -> View | None:
        with self.app.database.reading() as session:
            return view_of(
                session,
                self.app,
                subject,
                masked=self.app.settings.desk.mask,
                now=self.app.clock.now(),
                notice=notice,
                facts=facts,
                user=user,
                discreet=chat_id == roster.desk_group(self.app),
            )

    def _card(self, subject: str, chat_id: int) -> Card | None:
        with self.app.database.reading() as session:
            return session.exec(select(Card).where(Card.subject == subject, Card.chat_id == chat_id)).first()

    def _remember(self, subject: str, chat_id: int, message_id: int, digest: str) -> None:
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            card = session.exec(select(Card).where(Card.subject == subject, Card.chat_id == chat_id)).first()
            card = card or Card(
                subject=subject, chat_id=chat_id, chat_message_id=message_id, digest=digest, shown_at=now
            )
            if card.chat_message_id != message_id:
                # Only the newest card works, even where the older one could not be changed.
                session.exec(
                    update(Button)
                    .where(
                        col(Button.chat_id) == chat_id,
                        col(Button.chat_message_id) == card.chat_message_id,
                        col(Button.used_at).is_(None),
                    )
                    .values(result=SUPERSEDED)
                )
            card.chat_message_id, card.digest, card.shown_at = message_id, digest, now
            session.add(card)

    def _keyboard(self, subject: str, chat_id: int, offers: Sequence[Sequence[Offer]]) -> list[list[tuple[str, str]]]:
        """Make buttons: each stands for a random key kept on our side, so that nothing can be forged or guessed."""
        now = self.app.clock.now()
        expires = now + timedelta(hours=self.app.settings.desk.button_hours)
        rows: list[list[tuple[str, str]]] = []
        with self.app.database.transaction() as session:
            for row in offers:
                made = []
                for offer in row:
                    key = secrets.token_urlsafe(18)
                    session.add(
                        Button(
                            key=key,
                            action=offer.action,
                            subject=subject,
                            draft_id=offer.draft_id,
                            revision=offer.revision,
                            digest=offer.digest,
                            argument=offer.argument,
                            seen=offer.seen,
                            chat_id=chat_id,
                            created_at=now,
                            expires_at=expires,
                        )
                    )
                    made.append((offer.label, key))
                rows.append(made)
        return rows

    def _bind(self, rows: Sequence[Sequence[tuple[str, str]]], message_id: int) -> None:
        """Tie buttons to the message they stand under: pressed under another one, they do nothing."""
        keys = [key for row in rows for _, key in row]
        with self.app.database.transaction() as session:
            session.exec(update(Button).where(col(Button.key).in_(keys)).values(chat_message_id=message_id))
