"""What leaves for the chats: notices to the desk and letters to people who wrote there, each once, or later, or by mail."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

from sqlmodel import select

from bot import casework
from bot.app import App
from bot.channels.chat import Chat, ChatError, ChatRefused, ChatUnavailable, ChatUncertain, split_text
from bot.desk import roster
from bot.desk.chat_board import Board
from bot.sending import as_approved, chat_letter, settle_chat
from handlers.types import Notice
from store import health, outbox
from store.models import Card, Case, OutboxItem

log = logging.getLogger("dpobot.chat")


class Post:
    """The outbox's way into the chats."""

    def __init__(self, app: App, channel: Chat, board: Board) -> None:
        self.app = app
        self.channel = channel
        self.board = board

    async def deliver_next(self) -> bool:
        """Deliver the next notice to the desk or letter by chat that is due; False when there is none."""
        item = await asyncio.to_thread(self._claim)
        if item is None:
            return False
        payload = await asyncio.to_thread(self._opened, item)
        if payload is not None and item.channel == "chat":
            await self._letter(item, payload)
        elif payload is not None:
            await self._notice(item, json.loads(payload))
        return True

    def _claim(self) -> OutboxItem | None:
        with self.app.database.transaction() as session:
            return outbox.claim(session, channels=("desk", "chat"), now=self.app.clock.now())

    def _opened(self, item: OutboxItem) -> bytes | None:
        """What goes out; None for what was altered since it was decided, or whose case was erased: that does not leave."""
        try:
            with self.app.database.reading() as session:
                if item.channel == "chat":
                    return as_approved(session, self.app, item)[1]
                return outbox.opened(session, self.app.vault, item)[1]
        except ValueError:
            problem = "the payload differs from what was approved"
            if item.channel == "chat":
                settle_chat(self.app, item, "failed", error=problem)
            else:
                with self.app.database.transaction() as session:
                    now = self.app.clock.now()
                    outbox.finish(session, item_id=item.id or 0, status="failed", now=now, error=problem)
            return None

    async def _letter(self, item: OutboxItem, payload: bytes) -> None:
        chat_id, text = chat_letter(payload)
        parts = split_text(text)
        gone = 0
        try:
            for part in parts:
                await self.channel.send_text(chat_id, part, key=f"{item.key}:{gone}")
                gone += 1
        except ChatError as error:
            await self._not_sent(item, error, gone=0 if self.channel.repeats(chat_id) else gone)
        else:
            await asyncio.to_thread(settle_chat, self.app, item, "sent", response=f"chat, {len(parts)} messages")

    async def _not_sent(self, item: OutboxItem, error: ChatError, *, gone: int) -> None:
        """A letter of which a part has gone may not be sent again from its beginning: a person looks."""
        if gone or isinstance(error, ChatUncertain):
            await asyncio.to_thread(settle_chat, self.app, item, "uncertain", error=f"{error} ({gone} parts sent)")
        elif isinstance(error, ChatUnavailable):
            await asyncio.to_thread(self._later, item, error)
        else:
            await asyncio.to_thread(settle_chat, self.app, item, "failed", error=str(error))

    def _later(self, item: OutboxItem, error: ChatUnavailable) -> None:
        now = self.app.clock.now()
        wait = max(outbox.retry_delay(item.attempts), timedelta(seconds=error.retry_after or 0))
        with self.app.database.transaction() as session:
            outbox.finish(
                session, item_id=item.id or 0, status="pending", now=now, error=str(error), again_at=now + wait
            )
            health.failed(session, part="telegram", now=now, problem=str(error))

    async def _notice(self, item: OutboxItem, facts: dict[str, Any]) -> None:
        seats = await asyncio.to_thread(self._on_duty, facts)
        problem, shown = "", 0
        later: ChatUnavailable | None = None
        for user in seats:
            try:
                await self.board.post(
                    facts["subject"], user.chat_id, user, notice=facts["kind"],
                    anew=facts["kind"] != "refresh", decided_at=item.created_at, facts=facts["facts"],
                    urgent=bool(facts["urgent"]), key=item.key,
                )  # fmt: skip
                shown += 1
            except ChatRefused as error:
                # One user who blocked the bot must not keep the others from being told.
                problem = str(error)
                log.warning("chat.user_unreachable", extra={"user": user.key})
            except ChatUnavailable as error:
                # Nor one platform that is down the other.
                later = error
            except ChatUncertain as error:
                # A card seen twice harms nobody, a card never seen may cost the deadline.
                later = ChatUnavailable(str(error))
        if later is not None:
            await asyncio.to_thread(self._later, item, later)
            return
        await asyncio.to_thread(self._delivered, item, facts, problem, shown)

    def _on_duty(self, facts: dict[str, Any]) -> tuple[roster.Seat, ...]:
        """Where a notice goes to: everybody who is not away and has a chat; to draw anew, wherever the card is shown."""
        with self.app.database.reading() as session:
            seats = roster.seats_on_duty(session, self.app, casework.today(self.app, self.app.clock.now()))
            if facts["kind"] == "refresh":
                known = {seat.chat_id for seat in seats}
                shown = session.exec(select(Card.chat_id).where(Card.subject == facts["subject"])).all()
                others = (roster.seated(session, self.app, chat) for chat in shown if chat not in known)
                seats += tuple(seat for seat in others if seat is not None and seat.chat_id not in known)
            return seats

    def _delivered(self, item: OutboxItem, facts: dict[str, Any], problem: str, shown: int) -> None:
        """Note that a card was shown; where nobody could be shown it, the notice goes by mail instead."""
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            response = "shown" if shown else "by mail"
            outbox.finish(session, item_id=item.id or 0, status="sent", now=now, response=response, error=problem)
            if shown:
                health.worked(session, part="telegram", now=now)
            elif facts["kind"] != "refresh":
                case = session.get(Case, item.case_id) if item.case_id is not None else None
                notice = Notice(facts["kind"], urgent=facts["urgent"], facts=facts["facts"])
                casework.mail_desk(
                    session, self.app, notice, subject=facts["subject"], step=f"outbox-{item.id}", now=now, case=case
                )
