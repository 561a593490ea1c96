"""What the desk asks of a chat platform, and what all of them have in common: errors, the length of a text, numbers.

The desk knows chats, messages and accounts by numbers. Telegram has numbers of its own; a platform that names things
by words is given numbers from :data:`FIRST_NUMBER` on (``store.chat_places``), which no Telegram number reaches.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

log = logging.getLogger("dpobot.chat")

TEXT_LIMIT: Final = 4096
"""Longest text of a message, in UTF-16 code units."""
FIRST_NUMBER: Final = 1 << 60
"""Below are Telegram's numbers (52 bits at most), from here on those of other platforms."""

TELL_AGAIN: Final = timedelta(hours=1)

Buttons = Sequence[Sequence[tuple[str, str]]]
"""Rows of (label, callback data)."""
StoreUpdate = Callable[[int, dict[str, Any]], None]
Handle = Callable[[int], Awaitable[None]]
Tell = Callable[[str, str], None]


class ChatError(Exception):
    """Base of what can go wrong in talking to the chat platform."""


class ChatRefused(ChatError):
    """The platform says no and will say no again: unknown or blocked chat, bad request. A person must look."""


class ChatMessageGone(ChatRefused):
    """The message to edit was deleted or cannot be edited any more: send a new one."""


class ChatUnavailable(ChatError):
    """Not reached, or told to wait: nothing was done, try later, not before *retry_after* seconds where given."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ChatUncertain(ChatError):
    """The connection broke after the message was handed over: it may be in the chat. Never send again on a guess."""


def utf16_length(text: str) -> int:
    """Count the UTF-16 code units of *text*, which is what Telegram's limits are made of."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _fitting(text: str, limit: int) -> int:
    """Return how many characters from the start fit into *limit* UTF-16 units, up to a line's or a word's end."""
    units = 0
    end = 0
    for end, character in enumerate(text):  # noqa: B007 (the index is what is wanted)
        units += 2 if character > "\uffff" else 1
        if units > limit:
            break
    else:
        return len(text)
    for separator in ("\n", " "):
        cut = text.rfind(separator, 0, end + 1)
        # A line end far up would throw away most of what fits.
        if cut > end // 2:
            return cut
    return max(end, 1)


def cut_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return *text*, or its start, cut at a line and marked so, where it is longer than *limit* UTF-16 units."""
    if utf16_length(text) <= limit:
        return text
    room = limit - len(f"\n… ({len(text)} more characters)")
    if room < 2:
        return text[: _fitting(text, limit)]
    kept = text[: _fitting(text, room)].rstrip()
    return f"{kept}\n… ({len(text) - len(kept)} more characters)"


def split_text(text: str, limit: int = TEXT_LIMIT) -> list[str]:
    """Split *text* into parts of at most *limit* UTF-16 units, at lines where possible; blank parts are left out.

    Only white space at the seams is lost. Raises :class:`ValueError` for a limit below two units.
    """
    if limit < 2:
        raise ValueError("a part must have room for one character of two units")
    parts: list[str] = []
    rest = text.strip()
    while rest:
        end = _fitting(rest, limit)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return parts


class Teller:
    """Tells a person of trouble with a platform: each kind once an hour at most, and a notice that fails ends nothing."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._told: dict[str, datetime] = {}

    async def tell(self, notice: Tell, code: str, sentence: str) -> None:
        """Hand *code* and *sentence* to *notice*, in a thread, unless the code was told within the hour."""
        now = self._now()
        told = self._told.get(code)
        if told is not None and now - told < TELL_AGAIN:
            return
        self._told[code] = now
        try:
            await asyncio.to_thread(notice, code, sentence)
        except Exception as error:  # noqa: BLE001 (a notice that fails must not end the loop)
            log.error("chat.notice_failed", extra={"code": code, "problem": type(error).__name__})


class Chat(Protocol):
    """A chat platform. Updates come in the shape of the Bot API, whatever the platform: it is the desk's vocabulary."""

    @property
    def last_poll_ok(self) -> datetime | None:
        """When the platform last answered a poll (aware, UTC); None: never yet."""

    async def run(
        self,
        stop: asyncio.Event,
        *,
        last_update_id: Callable[[], int | None],
        store_update: StoreUpdate,
        handle: Handle,
        notice: Tell,
    ) -> None:
        """Fetch updates until *stop* is set: each stored and committed first, then handled; see ``TelegramChannel.run``."""

    async def send_text(
        self,
        chat_id: int,
        text: str,
        *,
        buttons: Buttons = (),
        reply_to: int | None = None,
        force_reply: bool = False,
        key: str = "",
    ) -> int:
        """Send plain text and return the message's number. The same *key* again is the same message, where the platform
        can (:meth:`repeats`). Raises :class:`ChatError`."""

    def repeats(self, chat_id: int) -> bool:
        """Whether sending again under the same key is recognised there, and harmless."""

    async def edit_text(self, chat_id: int, message_id: int, text: str, buttons: Buttons = ()) -> None:
        """Replace text and buttons of a message of ours. Raises :class:`ChatMessageGone`, else :class:`ChatError`."""

    async def answer(self, callback_id: str, text: str, alert: bool = False) -> bool:
        """Answer a press; False when nobody waits for it any more."""

    async def send_document(self, chat_id: int, name: str, content: bytes, caption: str = "") -> int:
        """Send a file; return the message's number."""

    async def get_file(self, file_id: str, max_size: int = 0) -> bytes:
        """Fetch a file somebody sent, of at most *max_size* bytes."""

    async def check(self) -> str:
        """Return the bot's own name there. Raises :class:`ChatError` when it cannot be asked."""

    async def close(self) -> None:
        """Close the connections."""


class Switchboard:
    """Several platforms as one: each number says whose it is."""

    def __init__(self, telegram: Chat, other: Chat) -> None:
        self._telegram, self._other = telegram, other

    @property
    def last_poll_ok(self) -> datetime | None:
        """When the one that was silent longest was last heard; None while one was never heard."""
        first, second = self._telegram.last_poll_ok, self._other.last_poll_ok
        return min(first, second) if first is not None and second is not None else None

    def _of(self, number: int) -> Chat:
        return self._other if number >= FIRST_NUMBER else self._telegram

    async def run(
        self,
        stop: asyncio.Event,
        *,
        last_update_id: Callable[[], int | None],
        store_update: StoreUpdate,
        handle: Handle,
        notice: Tell,
    ) -> None:
        """Run both until *stop* is set; one that fails for good does not stop the other, and is raised in the end."""
        both = await asyncio.gather(
            *(
                chat.run(stop, last_update_id=last_update_id, store_update=store_update, handle=handle, notice=notice)
                for chat in (self._telegram, self._other)
            ),
            return_exceptions=True,
        )
        for failed in both:
            if isinstance(failed, BaseException):
                raise failed

    async def send_text(
        self,
        chat_id: int,
        text: str,
        *,
        buttons: Buttons = (),
        reply_to: int | None = None,
        force_reply: bool = False,
        key: str = "",
    ) -> int:
        """Send where the number belongs."""
        return await self._of(chat_id).send_text(
            chat_id, text, buttons=buttons, reply_to=reply_to, force_reply=force_reply, key=key
        )

    def repeats(self, chat_id: int) -> bool:
        """As the platform of the chat."""
        return self._of(chat_id).repeats(chat_id)

    async def edit_text(self, chat_id: int, message_id: int, text: str, buttons: Buttons = ()) -> None:
        """Edit where the number belongs."""
        await self._of(chat_id).edit_text(chat_id, message_id, text, buttons)

    async def answer(self, callback_id: str, text: str, alert: bool = False) -> bool:
        """Answer where the press came from."""
        telegram = callback_id.isdecimal()
        return await (self._telegram if telegram else self._other).answer(callback_id, text, alert)

    async def send_document(self, chat_id: int, name: str, content: bytes, caption: str = "") -> int:
        """Send where the number belongs."""
        return await self._of(chat_id).send_document(chat_id, name, content, caption)

    async def get_file(self, file_id: str, max_size: int = 0) -> bytes:
        """Fetch from where the file lies: a Matrix file has an ``mxc:`` address."""
        chat = self._other if file_id.startswith("mxc:") else self._telegram
        return await chat.get_file(file_id, max_size)

    async def check(self) -> str:
        """Ask both."""
        return f"{await self._telegram.check()}, {await self._other.check()}"

    async def close(self) -> None:
        """Close both."""
        await asyncio.gather(self._telegram.close(), self._other.close())
