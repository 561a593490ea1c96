"""Matrix, the transport only: the desk in a room of the approvers, people in direct rooms, end-to-end encrypted.

What the server sends is stored before the sync token moves on, and a gap after an outage is read from the room's history.
Each message leaves under a transaction id made from what it is, so that sending it again is the same message. Buttons
are reactions (or replies by number); what a sign under a card stands for is kept on our side, in the order in which the
server showed the card's versions. Text leaves as plain text, so that markup in a stranger's name stays inert.

Exceptions and log lines carry error codes, never a text, a name, an account or the password.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot.channels.chat import (
    Buttons,
    ChatError,
    ChatMessageGone,
    ChatRefused,
    Teller,
    cut_text,
)
from bot.channels.matrix_client import ChatPasswordRejected, Connection, TokenGone
from bot.channels.matrix_events import Reader, content_of, membership_before
from bot.channels.matrix_memory import Memory
from bot.channels.matrix_signs import drawn

if TYPE_CHECKING:
    from bot.app import App
    from bot.settings import Matrix

log = logging.getLogger("dpobot.matrix")

POLL_MS: Final = 30_000
PAGES: Final = 100
"""Pages of history after an outage, at most, for each room."""
VERSIONS: Final = 8


class MatrixChannel:
    """A bot account on a Matrix server. Use it in one event loop, and :meth:`close` it in the end.

    *desk* are the accounts of the desk's users: only they may invite the bot into the desk's room and give orders there.
    *folder* keeps the keys of the encryption, itself encrypted with a key made from the store's.
    """

    def __init__(
        self,
        settings: Matrix,
        *,
        desk: frozenset[str],
        language: str,
        memory: Memory,
        folder: Path,
        now: Callable[[], datetime],
        backoff: tuple[float, float] = (1.0, 60.0),
    ) -> None:
        # The library's lines hold accounts and rooms.
        for name in ("nio", "peewee"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._settings, self._desk, self._language = settings, desk, language
        self._memory, self._now, self._backoff = memory, now, backoff
        self._line, self._editing = Connection(settings, memory, folder), asyncio.Lock()
        self._reader = Reader(settings, desk, language, memory, self._say, self._editing)
        self._teller = Teller(now)
        self.last_poll_ok: datetime | None = None
        """When the server last answered a poll."""

    async def check(self) -> str:
        """Return the bot's account; raise :class:`ChatError` when the server cannot be asked."""
        await self._line.ready()
        return self._settings.user

    async def close(self) -> None:
        """Close the connections."""
        if self._line.client is not None:
            await self._line.client.close()

    # --- in

    async def run(
        self,
        stop: asyncio.Event,
        *,
        last_update_id: Callable[[], int | None],  # noqa: ARG002 (the sync token is kept here)
        store_update: Callable[[int, dict[str, Any]], None],
        handle: Callable[[int], Awaitable[None]],
        notice: Callable[[str, str], None],
    ) -> None:
        """Sync until *stop* is set. For each answer: *store_update* commits each update, then the sync token is kept, and
        only then *handle* is awaited with each; an update may come twice after a crash."""
        failures = 0
        while not stop.is_set():
            try:
                client = await self._line.ready()
                answer, self._line.first = self._line.first, None
                if answer is None:
                    answer = await self._poll(client, stop)
                if answer is None:
                    return
                numbers = await self._take(client, answer, store_update)
                self.last_poll_ok, failures = self._now(), 0
                for number in numbers:
                    await self._handled(handle, number)
                await self._line.exchange_keys(client)
            except ChatPasswordRejected as error:
                failures = max(failures, 5) + 1
                log.error("matrix.password_rejected")
                await self._teller.tell(notice, "matrix-login", str(error))
                await self._pause(stop, failures)
            except ChatError as error:
                failures += 1
                log.warning("matrix.poll_failed", extra={"problem": str(error), "failures": failures})
                if isinstance(error, TokenGone):
                    await self._line.forget()
                await self._pause(stop, failures, getattr(error, "retry_after", None))

    async def _pause(self, stop: asyncio.Event, failures: int, at_least: float | None = None) -> None:
        first, longest = self._backoff
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), max(at_least or 0, min(longest, first * 2.0 ** min(failures - 1, 20))))

    async def _handled(self, handle: Callable[[int], Awaitable[None]], number: int) -> None:
        try:
            await handle(number)
        except Exception as error:  # noqa: BLE001 (one bad update must not make the bot deaf)
            log.error("matrix.handle_failed", extra={"update_id": number, "problem": type(error).__name__})

    async def _poll(self, client: Any, stop: asyncio.Event) -> Any:
        """Wait for news; None when *stop* was set first."""
        token = (await asyncio.to_thread(self._memory.facts, "state", "sync")).get("token")
        poll = asyncio.ensure_future(
            self._line.asked(client.sync(timeout=POLL_MS, since=token, sync_filter=self._line.filter()))
        )
        stopped = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({poll, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return poll.result() if poll.done() else None
        finally:
            for future in (poll, stopped):
                future.cancel()
            await asyncio.gather(poll, stopped, return_exceptions=True)

    async def _take(self, client: Any, answer: Any, store_update: Callable[[int, dict[str, Any]], None]) -> list[int]:
        """Store what an answer of the server brought, then move the token on; return the numbers of the updates."""
        before = (await asyncio.to_thread(self._memory.facts, "state", "sync")).get("token")
        for room_id, info in answer.rooms.invite.items():
            await self._invited(client, room_id, info)
        numbers: list[int] = []
        for room_id, info in answer.rooms.join.items():
            joined = self._joined_here(info)
            if before is None:
                # The account's past, before it worked for us.
                continue
            events = list(info.timeline.events)
            if joined and room_id == self._settings.desk_room:
                # What was said there before us was not said to us.
                events = events[joined:]
            elif not joined and info.timeline.limited and info.timeline.prev_batch:
                events = [*await self._gap(client, room_id, info.timeline.prev_batch, before), *events]
            if joined:
                await asyncio.to_thread(self._memory.note, "room", room_id)
            for event in events:
                for number, update in await self._reader.updates(client, room_id, event):
                    await asyncio.to_thread(store_update, number, update)
                    numbers.append(number)
        await asyncio.to_thread(self._memory.note, "state", "sync", {"token": answer.next_batch})
        return numbers

    def _joined_here(self, info: Any) -> int:
        """Return the place after the event by which the bot came into the room; 0 where it was there before."""
        for place, event in enumerate(info.timeline.events):
            source = event.source
            if (
                source.get("type") == "m.room.member"
                and source.get("state_key") == self._settings.user
                and content_of(event).get("membership") == "join"
                and membership_before(event) != "join"
            ):
                return place + 1
        return 0

    async def _gap(self, client: Any, room_id: str, start: str, end: str | None) -> list[Any]:
        """Fetch what the sync left out of a room, oldest first."""
        found: list[Any] = []
        for _ in range(PAGES):
            page = await self._line.asked(client.room_messages(room_id, start=start, end=end, limit=100))
            found += page.chunk
            if not page.chunk or not page.end or page.end == end:
                break
            start = page.end
        else:
            log.error("matrix.gap_too_long")
        return found[::-1]

    async def _invited(self, client: Any, room_id: str, info: Any) -> None:
        """Accept an invitation where the rules allow it, refuse it elsewhere."""
        inviter, direct = "", False
        for event in info.invite_state:
            source = event.source
            if source.get("type") == "m.room.member" and source.get("state_key") == self._settings.user:
                inviter = str(source.get("sender", ""))
                direct = content_of(event).get("is_direct") is True
        welcome = inviter in self._desk or (
            room_id != self._settings.desk_room and direct and self._settings.may_invite(inviter)
        )
        try:
            await self._line.asked(client.join(room_id) if welcome else client.room_leave(room_id))
        except ChatRefused as error:
            log.warning("matrix.invite_failed", extra={"problem": str(error)})

    def _drawn(self, text: str, buttons: Buttons, typed: bool) -> tuple[str, list[tuple[str, str, str]]]:
        actions = self._memory.actions([key for row in buttons for _, key in row])
        return drawn(text, buttons, actions, self._language, typed=typed)

    # --- out

    @staticmethod
    def repeats(chat_id: int) -> bool:  # noqa: ARG004 (in every room)
        """Always: the server knows a transaction id again."""
        return True

    async def send_text(
        self,
        chat_id: int,
        text: str,
        *,
        buttons: Buttons = (),
        reply_to: int | None = None,
        force_reply: bool = False,  # noqa: ARG002 (Matrix has no such thing: the next message is the answer)
        key: str = "",
    ) -> int:
        """Send plain text; return the message's number. The same *key* again is the same message.

        Raises :class:`ChatRefused` or :class:`ChatUnavailable`: sending again never doubles what has a key.
        """
        client = await self._line.ready()
        room_id, _ = await asyncio.to_thread(self._memory.name, "room", chat_id)
        body, options = await asyncio.to_thread(self._drawn, text, buttons, self._reader.typed(client, room_id))
        content: dict[str, Any] = {"msgtype": "m.text", "body": body, "m.mentions": {}}
        if reply_to is not None:
            name, _ = await asyncio.to_thread(self._memory.name, "event", reply_to)
            content["m.relates_to"] = {"m.in_reply_to": {"event_id": name}}
        event_id = await self._put(client, room_id, content, key)
        facts: dict[str, Any] = {"room": room_id}
        if options:
            facts |= {"versions": {"": options}, "current": ""}
        return await asyncio.to_thread(self._memory.note, "event", event_id, facts)

    async def _put(
        self, client: Any, room_id: str, content: dict[str, Any], key: str, *, before_strangers: bool = False
    ) -> str:
        """Send an event, encrypted where the room is; return its id."""
        if room_id == self._settings.desk_room and not before_strangers:
            self._only_desk(client, room_id)
        transaction = hashlib.sha256(f"{room_id}\n{key}".encode()).hexdigest() if key else None
        answer = await self._line.asked(
            client.room_send(room_id, "m.room.message", content, tx_id=transaction, ignore_unverified_devices=True)
        )
        return str(answer.event_id)

    def _only_desk(self, client: Any, room_id: str) -> None:
        """Nothing is shown in the desk's room while somebody is in it who does not work at the desk."""
        room = client.rooms.get(room_id)
        if room is not None and set(room.users) - self._desk - {self._settings.user}:
            raise ChatRefused("somebody is in the desk's Matrix room who is no user of the desk: remove them there")

    async def _say(self, client: Any, room_id: str, text: str, *, key: str) -> None:
        """Say something by the way: that it cannot be said harms nobody."""
        try:
            content = {"msgtype": "m.notice", "body": text, "m.mentions": {}}
            await self._put(client, room_id, content, key, before_strangers=True)
        except (ChatError, TokenGone) as error:
            log.info("matrix.not_said", extra={"problem": str(error)})

    async def edit_text(self, chat_id: int, message_id: int, text: str, buttons: Buttons = ()) -> None:
        """Replace text and signs of a message of ours. Raises as :meth:`send_text`."""
        client = await self._line.ready()
        room_id, _ = await asyncio.to_thread(self._memory.name, "room", chat_id)
        try:
            card, _ = await asyncio.to_thread(self._memory.name, "event", message_id)
        except ChatRefused as error:
            raise ChatMessageGone(str(error)) from None
        body, options = await asyncio.to_thread(self._drawn, text, buttons, self._reader.typed(client, room_id))
        new = {"msgtype": "m.text", "body": body, "m.mentions": {}}
        content = {**new, "body": f"* {body}", "m.new_content": new,
                   "m.relates_to": {"rel_type": "m.replace", "event_id": card}}  # fmt: skip

        def note(version: str) -> None:
            held = self._memory.facts("event", card)
            versions = dict(list(held.get("versions", {}).items())[-VERSIONS:]) | {version: options}
            self._memory.note("event", version, {"room": room_id, "edits": card})
            self._memory.note("event", card, {"current": "", **held, "versions": versions})

        async with self._editing:
            await asyncio.to_thread(note, await self._put(client, room_id, content, ""))

    async def answer(self, callback_id: str, text: str, alert: bool = False) -> bool:  # noqa: ARG002
        """Say in the room what a sign or order led to, as a reply to it."""
        if not text:
            return True
        client = await self._line.ready()
        number = int(callback_id.removeprefix("place:"))
        event_id, facts = await asyncio.to_thread(self._memory.name, "event", number)
        content = {
            "msgtype": "m.text", "body": cut_text(text), "m.mentions": {},
            "m.relates_to": {"m.in_reply_to": {"event_id": event_id}},
        }  # fmt: skip
        await self._put(client, facts["room"], content, f"answer:{callback_id}:{text}")
        return True

    async def send_document(self, chat_id: int, name: str, content: bytes, caption: str = "") -> int:
        """Send a file, encrypted where the room is; return the message's number."""
        client = await self._line.ready()
        room_id, _ = await asyncio.to_thread(self._memory.name, "room", chat_id)
        room = client.rooms.get(room_id)
        sealed = room is not None and room.encrypted

        async def put() -> Any:
            answer, keys = await client.upload(
                BytesIO(content), "application/octet-stream", name, encrypt=sealed, filesize=len(content)
            )
            self._attached = keys
            return answer

        answer = await self._line.asked(put())
        message: dict[str, Any] = {
            "msgtype": "m.file", "body": caption or name, "filename": name, "info": {"size": len(content)}
        }  # fmt: skip
        if sealed:
            message["file"] = {**self._attached, "url": answer.content_uri}
        else:
            message["url"] = answer.content_uri
        event_id = await self._put(client, room_id, message, "")
        return await asyncio.to_thread(self._memory.note, "event", event_id, {"room": room_id})

    async def get_file(self, file_id: str, max_size: int = 0) -> bytes:
        """Fetch a file that somebody sent. Raises :class:`ChatRefused` when it is larger than *max_size* or broken."""
        from nio.crypto import decrypt_attachment
        from nio.exceptions import EncryptionError

        client = await self._line.ready()
        lies = json.loads(file_id.removeprefix("mxc:"))
        content = bytes((await self._line.asked(client.download(mxc=str(lies["url"])))).body)
        if max_size and len(content) > max_size:
            raise ChatRefused(f"the file has {len(content)} bytes; {max_size} are allowed")
        if "key" in lies:
            try:
                content = decrypt_attachment(content, lies["key"]["k"], lies["hashes"]["sha256"], lies["iv"])
            except (EncryptionError, KeyError, TypeError):
                raise ChatRefused("the file could not be decrypted") from None
        return content


def open_channel(app: App) -> MatrixChannel:
    """The channel as the settings say (``[matrix]``)."""
    settings = app.settings.matrix
    assert settings is not None
    users = frozenset(user.matrix_id for user in app.settings.desk.users if user.matrix_id is not None)
    return MatrixChannel(
        settings, desk=users, language=app.settings.desk.language, now=app.clock.now,
        memory=Memory(app.database, app.vault, app.clock.now), folder=app.settings.store.data_dir / "matrix",
    )  # fmt: skip
