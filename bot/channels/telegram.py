"""Telegram, the transport only: raw updates in, plain text, buttons and files out. No business in here.

An update is stored before Telegram is told that it arrived: the library's own ``Updater`` moves the offset on as soon
as an update was fetched, so an update whose handling fails is lost. Here the offset is what was stored, and nothing
else moves it. Text leaves as plain text without a parse mode, so that markup in a stranger's name stays inert.

Exceptions and log lines carry error codes and update ids, never the text of a message, a name or the bot's token.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlencode

import httpx
from telegram import (
    BotCommand,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest

from bot.channels.chat import (
    Buttons,
    ChatError,
    ChatMessageGone,
    ChatRefused,
    ChatUnavailable,
    ChatUncertain,
    Teller,
    cut_text,
)

if TYPE_CHECKING:
    from bot.app import App

log = logging.getLogger(__name__)

CAPTION_LIMIT: Final = 1024
ANSWER_LIMIT: Final = 200
CALLBACK_DATA_LIMIT: Final = 64
"""Longest callback data of a button, in bytes of UTF-8."""
DOWNLOAD_LIMIT: Final = 20 * 1024 * 1024
API_URL: Final = "https://api.telegram.org/bot"
FILE_URL: Final = "https://api.telegram.org/file/bot"


class ChatTokenRejected(ChatUnavailable):
    """The platform does not know the bot's token (401, 404). Put the right one into the settings and start again."""

    def __init__(self) -> None:
        super().__init__(
            "Telegram does not accept the bot token (401/404): check the token in the settings, "
            "ask @BotFather for a new one if it was revoked, then start dpobot again"
        )


class _Request(HTTPXRequest):
    """The library's HTTP client, which keeps unreadable answers out of the log: they may carry personal data."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(payload.decode("utf-8", "replace"))
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise TelegramError("Invalid server response")
        return answer


def _seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def _reason(error: TelegramError) -> str:
    """Return the server's words, unless they are the raw page of something that is not the server."""
    return "the answer was unreadable" if error.__cause__ is not None else error.message[:120]


NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)


def _translated(error: TelegramError, *, repeatable: bool) -> ChatError:
    """Turn the library's exception into ours, in this order: there ``BadRequest`` and ``TimedOut`` are network errors.

    *repeatable* says that doing it twice is harmless, so that a doubtful end counts as "try later".
    """
    if isinstance(error, RetryAfter):
        return ChatUnavailable("Telegram asks to slow down (429)", _seconds(error))
    if isinstance(error, InvalidToken):
        return ChatTokenRejected()
    if isinstance(error, ChatMigrated):
        return ChatRefused("the group became a supergroup (its id changed): put the new chat id into the settings")
    if isinstance(error, BadRequest):
        reason = _reason(error)
        if "message to edit not found" in reason.lower() or "message can't be edited" in reason.lower():
            return ChatMessageGone(f"Telegram: {reason}")
        return ChatRefused(f"Telegram refused (400): {reason}")
    if isinstance(error, Forbidden):
        return ChatRefused(f"Telegram refused (403): {_reason(error)}")
    if isinstance(error, Conflict):
        return ChatUnavailable("Telegram reports a conflict (409)")
    if isinstance(error, NetworkError) and isinstance(error.__cause__, NOT_SENT):
        return ChatUnavailable("Telegram could not be reached")
    if isinstance(error, NetworkError) and "too large" in error.message.lower():
        return ChatRefused("Telegram refused (413): too large")
    if isinstance(error, NetworkError) and not _lost_on_the_way(error):
        return ChatUnavailable("Telegram has an error of its own (5xx)")
    if repeatable:
        return ChatUnavailable("no usable answer from Telegram")
    return ChatUncertain("no usable answer from Telegram: the message may have gone out")


def _lost_on_the_way(error: NetworkError) -> bool:
    """Whether the request may have been acted on although no answer came."""
    if isinstance(error, TimedOut) or isinstance(error.__cause__, httpx.HTTPError):
        return True
    return error.message.startswith("Unknown error in HTTP") or "gateway timeout" in error.message.lower()


def _keyboard(buttons: Buttons) -> InlineKeyboardMarkup | None:
    for row in buttons:
        for _, data in row:
            if not 1 <= len(data.encode()) <= CALLBACK_DATA_LIMIT:
                raise ChatRefused(f"a button's callback data has {len(data.encode())} bytes; 1 to 64 are allowed")
    rows = [[InlineKeyboardButton(label, callback_data=data) for label, data in row] for row in buttons if row]
    return InlineKeyboardMarkup(rows) if rows else None


class TelegramChannel:
    """A bot's way in and out. Use it as ``async with``, or call :meth:`close` in the end, all in one event loop.

    *now* tells the time (aware, UTC) for :attr:`last_poll_ok`. *poll_timeout* is how long one long poll may wait,
    *timeout* how long an ordinary call may, in seconds; *backoff* is the first and the longest pause after errors.
    *base_url* and *base_file_url* end before the token and lead to a self-hosted Bot API server or to a sandbox.
    """

    def __init__(
        self,
        token: str,
        *,
        now: Callable[[], datetime],
        base_url: str = API_URL,
        base_file_url: str = FILE_URL,
        poll_timeout: int = 30,
        timeout: float = 10.0,
        backoff: tuple[float, float] = (1.0, 60.0),
        allowed_updates: Sequence[str] = ("message", "edited_message", "callback_query"),
        proxy: str | None = None,
    ) -> None:
        # Without it the library hands out waiting times as bare numbers and warns each time.
        os.environ.setdefault("PTB_TIMEDELTA", "1")
        # Their lines hold the token (httpx: the URL) and texts of messages (the library, when debugging).
        for name in ("httpx", "httpcore", "telegram"):
            logger = logging.getLogger(name)
            logger.setLevel(max(logger.level, logging.WARNING))
        self._now = now
        self._poll_timeout = poll_timeout
        self._backoff = backoff
        self._allowed_updates = json.dumps(list(allowed_updates))
        self._request = _Request(
            connection_pool_size=8,
            connect_timeout=timeout,
            read_timeout=timeout,
            write_timeout=timeout,
            pool_timeout=timeout,
            proxy=proxy,
        )
        self._poller = _Request(
            connection_pool_size=1,
            connect_timeout=timeout,
            read_timeout=poll_timeout + timeout,
            write_timeout=timeout,
            pool_timeout=timeout,
            proxy=proxy,
        )
        # It paces what we send (30 a second, 20 a minute per group); after a 429 the caller's outbox waits, not this.
        self._bot: ExtBot[Any] = ExtBot(
            token,
            base_url=base_url,
            base_file_url=base_file_url,
            request=self._request,
            get_updates_request=self._poller,
            rate_limiter=AIORateLimiter(max_retries=0),
        )
        self._teller = Teller(now)
        self.last_poll_ok: datetime | None = None
        """When Telegram last answered a poll; a watchdog's measure, for a deaf bot looks just like a quiet one."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._request.shutdown()
        await self._poller.shutdown()

    # --- in

    async def run(
        self,
        stop: asyncio.Event,
        *,
        last_update_id: Callable[[], int | None],
        store_update: Callable[[int, dict[str, Any]], None],
        handle: Callable[[int], Awaitable[None]],
        notice: Callable[[str, str], None],
    ) -> None:
        """Fetch updates until *stop* is set; raise :class:`ChatTokenRejected` when the token is refused.

        For each batch: *store_update* (update id, raw update) commits each update, in order; only then *handle* is
        awaited with each id, and only the next poll tells Telegram that they arrived. *last_update_id* gives the id
        stored last (not the highest: Telegram restarts the numbers at random after a quiet week), None at first. It,
        *store_update* and *notice* are plain functions and run in a thread.

        An update may come twice after a crash: *store_update* must not mind an id it has, and *handle* must leave
        alone what is done. What was stored but not handled when the program died is the caller's to take up, before
        calling this. When *store_update* fails, the update is fetched again; when *handle* fails, the error is logged
        and the loop goes on, the stored update being there still. *notice* gets a code and a sentence for a person,
        once an hour at most for each code: ``telegram-conflict``, ``telegram-webhook``, ``telegram-token``.
        """
        offset: int | None = None
        failures = 0
        while not stop.is_set():
            try:
                if offset is None:
                    last = await asyncio.to_thread(last_update_id)
                    offset = 0 if last is None else last + 1
                updates = await self._until(stop, self._get_updates(offset))
                if updates is None:
                    return
                self.last_poll_ok = self._now()
                stored: list[int] = []
                try:
                    for update in updates:
                        update_id = int(update["update_id"])
                        if update_id < offset:
                            log.warning("telegram.update_ids_restarted", extra={"update_id": update_id})
                        await asyncio.to_thread(store_update, update_id, update)
                        stored.append(update_id)
                        offset = update_id + 1
                finally:
                    for update_id in stored:
                        await self._handle(handle, update_id)
                failures = 0
            except InvalidToken:
                rejected = ChatTokenRejected()
                await self._teller.tell(notice, "telegram-token", str(rejected))
                raise rejected from None
            except Conflict as error:
                failures += 1
                await self._conflict(notice, error)
                await self._pause(stop, self._delay(failures))
            except RetryAfter as error:
                failures += 1
                log.warning("telegram.poll_told_to_wait", extra={"seconds": _seconds(error)})
                await self._pause(stop, _seconds(error))
            except TelegramError as error:
                failures += 1
                log.warning("telegram.poll_failed", extra={"error": type(error).__name__, "failures": failures})
                await self._pause(stop, self._delay(failures))
            except Exception as error:  # noqa: BLE001 (the caller's storing failed, whatever the reason: fetch again)
                failures += 1
                log.error("telegram.store_failed", extra={"error": type(error).__name__, "failures": failures})
                await self._pause(stop, self._delay(failures))

    async def _get_updates(self, offset: int) -> list[dict[str, Any]]:
        """Poll once, raw: the library's own ``get_updates`` gives up a whole batch over one field it does not know."""
        query = {"timeout": self._poll_timeout, "allowed_updates": self._allowed_updates}
        if offset:
            query["offset"] = offset
        answer = await self._poller.post(f"{self._bot.base_url}/getUpdates?{urlencode(query)}")
        if not isinstance(answer, list):
            raise TelegramError("Invalid server response")
        return answer

    @staticmethod
    async def _until(stop: asyncio.Event, work: Awaitable[list[dict[str, Any]]]) -> list[dict[str, Any]] | None:
        """Await *work*, or give it up and return None once *stop* is set."""
        task = asyncio.ensure_future(work)
        stopped = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            for future in (task, stopped):
                future.cancel()
            await asyncio.gather(task, stopped, return_exceptions=True)

    async def _handle(self, handle: Callable[[int], Awaitable[None]], update_id: int) -> None:
        try:
            await handle(update_id)
        except Exception as error:  # noqa: BLE001 (one bad update must not make the bot deaf)
            log.error("telegram.handle_failed", extra={"update_id": update_id, "error": type(error).__name__})

    async def _conflict(self, notice: Callable[[str, str], None], error: Conflict) -> None:
        if "webhook" in error.message.lower():
            log.error("telegram.webhook_active")
            sentence = (
                "A web hook is set for this bot, so Telegram gives dpobot no messages: "
                "remove it (Bot API method deleteWebhook), or use another bot"
            )
            await self._teller.tell(notice, "telegram-webhook", sentence)
        else:
            log.error("telegram.second_poller")
            sentence = (
                "A second program fetches this bot's messages: stop the other one, "
                "or ask @BotFather for a new token if you do not know it"
            )
            await self._teller.tell(notice, "telegram-conflict", sentence)

    def _delay(self, failures: int) -> float:
        first, longest = self._backoff
        return min(longest, first * 2.0 ** min(failures - 1, 20))

    @staticmethod
    async def _pause(stop: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)

    # --- out

    @staticmethod
    def repeats(chat_id: int) -> bool:  # noqa: ARG004 (no chat of Telegram's does)
        """Never: Telegram knows no idempotent sending."""
        return False

    async def check(self) -> str:
        """Return the bot's user name; raise :class:`ChatError` when it cannot be asked."""
        try:
            return (await self._bot.get_me()).username or ""
        except TelegramError as error:
            raise _translated(error, repeatable=True) from None

    async def set_commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """Offer (command, description) pairs in the client's menu."""
        try:
            await self._bot.set_my_commands([BotCommand(name, description) for name, description in commands])
        except TelegramError as error:
            raise _translated(error, repeatable=True) from None

    async def send_text(
        self,
        chat_id: int,
        text: str,
        *,
        buttons: Buttons = (),
        reply_to: int | None = None,
        force_reply: bool = False,
        key: str = "",  # noqa: ARG002 (see below)
    ) -> int:
        """Send plain text, cut to Telegram's limit (see :func:`split_text` for the rest); return the message's id.

        Telegram knows no idempotent sending, so *key* is of no use here.

        Raises :class:`ChatRefused`, :class:`ChatUnavailable` or, when it may have gone out, :class:`ChatUncertain`.
        """
        if buttons and force_reply:
            raise ValueError("a message has buttons or forces a reply, not both")
        markup = ForceReply(selective=True) if force_reply else _keyboard(buttons)
        try:
            message = await self._bot.send_message(
                chat_id,
                cut_text(text),
                reply_markup=markup,
                reply_parameters=ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to else None,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        except TelegramError as error:
            raise _translated(error, repeatable=False) from None
        return message.message_id

    async def edit_text(self, chat_id: int, message_id: int, text: str, buttons: Buttons = ()) -> None:
        """Replace text and buttons of a message of ours; that it reads so already is fine.

        Raises :class:`ChatMessageGone` when there is nothing to edit any more, else as :meth:`send_text`, but never
        :class:`ChatUncertain`: an edit can be repeated.
        """
        try:
            await self._bot.edit_message_text(
                cut_text(text),
                chat_id=chat_id,
                message_id=message_id,
                reply_markup=_keyboard(buttons),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        except TelegramError as error:
            if not (isinstance(error, BadRequest) and "message is not modified" in error.message.lower()):
                raise _translated(error, repeatable=True) from None

    async def answer(self, callback_id: str, text: str, alert: bool = False) -> bool:
        """Answer a press with a short text; False when Telegram no longer waits for it, which is harmless.

        *alert* shows a box that has to be closed. Raises :class:`ChatRefused` or :class:`ChatUnavailable`.
        """
        try:
            await self._bot.answer_callback_query(callback_id, cut_text(text, ANSWER_LIMIT), show_alert=alert)
        except TelegramError as error:
            if isinstance(error, BadRequest) and "query is too old" in error.message.lower():
                return False
            raise _translated(error, repeatable=True) from None
        return True

    async def send_document(self, chat_id: int, name: str, content: bytes, caption: str = "") -> int:
        """Send a file; return the message's id. Raises as :meth:`send_text`."""
        try:
            message = await self._bot.send_document(
                chat_id, InputFile(content, filename=name), caption=cut_text(caption, CAPTION_LIMIT) or None
            )
        except TelegramError as error:
            raise _translated(error, repeatable=False) from None
        return message.message_id

    async def get_file(self, file_id: str, max_size: int = DOWNLOAD_LIMIT) -> bytes:
        """Fetch a file that somebody sent, of at most *max_size* bytes.

        Raises :class:`ChatRefused` when it is larger or unknown, :class:`ChatUnavailable` when it can be tried again.
        """
        try:
            file = await self._bot.get_file(file_id)
            if file.file_size is not None and file.file_size > max_size:
                raise ChatRefused(f"the file has {file.file_size} bytes; {max_size} are allowed")
            try:
                content = bytes(await file.download_as_bytearray())
            except InvalidToken:
                # The library takes every 404 for a bad token; here it is the link, good for an hour, that is gone.
                raise ChatUnavailable("the file's link has expired") from None
        except TelegramError as error:
            raise _translated(error, repeatable=True) from None
        if len(content) > max_size:
            raise ChatRefused(f"the file has {len(content)} bytes; {max_size} are allowed")
        return content


def open_channel(app: App) -> TelegramChannel:
    """The channel as the settings say (``[telegram]``)."""
    settings = app.settings.telegram
    assert settings is not None
    token, now = settings.token.get_secret_value(), app.clock.now
    if settings.base_url:
        base = settings.base_url.rstrip("/")
        return TelegramChannel(token, now=now, base_url=f"{base}/bot", base_file_url=f"{base}/file/bot")
    return TelegramChannel(token, now=now)
