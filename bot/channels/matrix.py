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
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlmodel import col, select

from bot.channels.chat import (
    Buttons,
    ChatError,
    ChatMessageGone,
    ChatRefused,
    ChatUnavailable,
    cut_text,
)
from store import chat_places
from store.models import Button

if TYPE_CHECKING:
    from bot.app import App
    from bot.settings import Matrix
    from store.database import Database
    from store.sealing import Vault

log = logging.getLogger("dpobot.matrix")

POLL_MS: Final = 30_000
TIMELINE: Final = 50
"""Events of a room that one sync brings; what lies between is fetched from the room's history."""
PAGES: Final = 100
"""Pages of history after an outage, at most, for each room."""
NOTICE_AGAIN: Final = timedelta(hours=1)
VERSIONS: Final = 8
DIGITS: Final = (*(f"{digit}\ufe0f\u20e3" for digit in range(1, 10)), "🔟")
SIGNS: Final = {"approve": "✅", "reject": "❌"}
"""Actions with a sign of their own, where a card offers each once."""
SAME_SIGN: Final = {"👍": "✅", "✔": "✅", "☑": "✅", "👎": "❌", "✖": "❌"}
MEDIA: Final = {"m.image": "photo", "m.file": "document", "m.video": "video", "m.audio": "audio"}
HINT: Final = {
    "fr": "Réagissez par le signe, ou répondez par le numéro :",
    "en": "React with the sign, or reply with the number:",
}
UNREADABLE: Final = {
    "fr": "Ce message chiffré n'a pas pu être lu : envoyez-le de nouveau.",
    "en": "This encrypted message could not be read: please send it again.",
}


STRANGER: Final = {
    "fr": "Vous n'êtes pas autorisé : ce salon est celui du délégué à la protection des données. "
    "Pour toute demande, écrivez-lui dans un salon direct ou par courriel.",
    "en": "You are not authorised: this is the data protection officer's room. "
    "For any request, write in a direct room or by mail.",
}


class ChatPasswordRejected(ChatUnavailable):
    """The server does not accept the account's password. Put the right one into the settings."""

    def __init__(self) -> None:
        super().__init__("The Matrix server does not accept the bot's password: check [matrix] in the settings")


class _TokenGone(ChatUnavailable):
    """The server no longer knows our session: log in again."""

    def __init__(self) -> None:
        super().__init__("the Matrix server no longer knows the bot's session")


def _bare(sign: str) -> str:
    """A reaction without what only says how to draw it: variation selectors and skin tones."""
    return "".join(c for c in sign if c not in "\ufe0e\ufe0f" and not "\U0001f3fb" <= c <= "\U0001f3ff")


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

    def signs(self, keys: Sequence[str]) -> list[str]:
        """Return the sign of each button: its own where it has one, else the number of its place."""
        with self._database.reading() as session:
            rows = session.exec(select(Button).where(col(Button.key).in_(keys))).all()
        actions = {row.key: row.action for row in rows}
        named = list(actions.values())
        return [
            SIGNS[actions[key]]
            if actions.get(key) in SIGNS and named.count(actions[key]) == 1
            else DIGITS[place]
            if place < len(DIGITS)
            else f"{place + 1}."
            for place, key in enumerate(keys)
        ]


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
        self._memory, self._folder, self._now, self._backoff = memory, folder, now, backoff
        self._client: Any = None
        self._first: Any = None
        self._opening, self._editing = asyncio.Lock(), asyncio.Lock()
        self._noticed: dict[str, datetime] = {}
        self.last_poll_ok: datetime | None = None
        """When the server last answered a poll."""

    # --- the session

    async def _ready(self) -> Any:
        """Return the client, logged in and knowing its rooms."""
        async with self._opening:
            if self._client is None:
                client = self._new_client()
                try:
                    await self._log_in(client)
                    # One sync tells the rooms and what came since; it is kept for run(), which stores before it moves on.
                    token = (await asyncio.to_thread(self._memory.facts, "state", "sync")).get("token")
                    first = await self._asked(
                        client.sync(timeout=0, since=token, full_state=True, sync_filter=self._filter())
                    )
                    await self._exchange_keys(client)
                except BaseException:
                    await client.close()
                    raise
                if self._settings.desk_room in client.rooms:
                    await asyncio.to_thread(self._memory.note, "room", self._settings.desk_room)
                self._first, self._client = first, client
        return self._client

    def _new_client(self) -> Any:
        try:
            # Here, so that nothing of it is loaded where Matrix is not configured.
            from nio import AsyncClient, AsyncClientConfig
            from nio.crypto import ENCRYPTION_ENABLED
        except ImportError:
            raise ChatRefused("Matrix needs the extra of that name: pip install 'dpobot[matrix]'") from None
        if not ENCRYPTION_ENABLED:
            raise ChatRefused("Matrix needs encryption: pip install 'dpobot[matrix]'")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = AsyncClientConfig(
            max_timeouts=0,
            max_limit_exceeded=0,
            request_timeout=20,
            pickle_key=self._memory.vault.token("matrix", "keys of the encryption"),
        )
        return AsyncClient(self._settings.homeserver, self._settings.user, store_path=str(self._folder), config=config)

    async def _log_in(self, client: Any) -> None:
        """Take up the session of last time, or begin one; the device stays the same, and with it the keys."""
        login = await asyncio.to_thread(self._memory.facts, "state", "login")
        if login.get("user") == self._settings.user and login.get("token"):
            client.restore_login(login["user"], login["device"], login["token"])
            if type(await self._answered(client.whoami())).__name__ == "WhoamiResponse":
                return
        client.access_token = ""
        client.device_id = login.get("device") or client.device_id
        answer = await self._answered(
            client.login(self._settings.password.get_secret_value(), device_name="dpobot"), login=True
        )
        facts = {"user": answer.user_id, "device": answer.device_id, "token": answer.access_token}
        await asyncio.to_thread(self._memory.note, "state", "login", facts)

    async def _answered(self, call: Awaitable[Any], *, login: bool = False) -> Any:
        """Return the server's answer, a refused access token included. Raises as :meth:`_asked`."""
        try:
            return await self._asked(call)
        except ChatRefused as error:
            if login:
                raise ChatPasswordRejected from error
            return None
        except _TokenGone:
            return None

    async def _asked(self, call: Awaitable[Any]) -> Any:
        """Return the server's answer, or raise what it means: the library hands errors out instead of raising them."""
        from aiohttp import ClientError
        from nio import ErrorResponse
        from nio.exceptions import LocalProtocolError, SendRetryError

        try:
            answer = await call
        except (ClientError, TimeoutError, OSError, SendRetryError):
            raise ChatUnavailable("the Matrix server could not be reached") from None
        except LocalProtocolError:
            raise ChatRefused("the bot is not in that Matrix room") from None
        if not isinstance(answer, ErrorResponse):
            return answer
        code = str(answer.status_code or "")
        status = getattr(answer.transport_response, "status", 0)
        if code == "M_LIMIT_EXCEEDED" or status == 429:
            wait = (getattr(answer, "retry_after_ms", None) or 5000) / 1000
            raise ChatUnavailable("the Matrix server asks to slow down (429)", wait)
        if code == "M_UNKNOWN_TOKEN":
            raise _TokenGone
        if 400 <= status < 500:
            raise ChatRefused(f"the Matrix server refused ({status} {code[:40]})")
        raise ChatUnavailable(f"the Matrix server has an error of its own ({status})")

    async def _exchange_keys(self, client: Any) -> None:
        """What encryption wants after a sync: our keys published, others' devices asked for, waiting keys sent on."""
        if client.olm is None:
            return
        if client.should_upload_keys:
            await self._asked(client.keys_upload())
        if client.should_query_keys:
            await self._asked(client.keys_query())
        if client.should_claim_keys:
            await self._asked(client.keys_claim(client.get_users_for_key_claiming()))
        with contextlib.suppress(ChatRefused):
            await client.send_to_device_messages()

    @staticmethod
    def _filter() -> dict[str, Any]:
        return {"room": {"timeline": {"limit": TIMELINE}}, "presence": {"types": []}}

    async def check(self) -> str:
        """Return the bot's account; raise :class:`ChatError` when the server cannot be asked."""
        await self._ready()
        return self._settings.user

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

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
                client = await self._ready()
                answer, self._first = self._first, None
                if answer is None:
                    answer = await self._poll(client, stop)
                if answer is None:
                    return
                numbers = await self._take(client, answer, store_update)
                self.last_poll_ok, failures = self._now(), 0
                for number in numbers:
                    await self._handled(handle, number)
                await self._exchange_keys(client)
            except ChatPasswordRejected as error:
                failures = max(failures, 5) + 1
                log.error("matrix.password_rejected")
                await self._tell(notice, "matrix-login", str(error))
                await self._pause(stop, failures)
            except ChatError as error:
                failures += 1
                log.warning("matrix.poll_failed", extra={"problem": str(error), "failures": failures})
                if isinstance(error, _TokenGone):
                    await self._forget_session()
                await self._pause(stop, failures, getattr(error, "retry_after", None))

    async def _forget_session(self) -> None:
        client, self._client, self._first = self._client, None, None
        if client is not None:
            await client.close()

    async def _pause(self, stop: asyncio.Event, failures: int, at_least: float | None = None) -> None:
        first, longest = self._backoff
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), max(at_least or 0, min(longest, first * 2.0 ** min(failures - 1, 20))))

    async def _tell(self, notice: Callable[[str, str], None], code: str, sentence: str) -> None:
        now = self._now()
        told = self._noticed.get(code)
        if told is None or now - told >= NOTICE_AGAIN:
            self._noticed[code] = now
            try:
                await asyncio.to_thread(notice, code, sentence)
            except Exception as error:  # noqa: BLE001 (a notice that fails must not end the loop)
                log.error("matrix.notice_failed", extra={"code": code, "problem": type(error).__name__})

    async def _handled(self, handle: Callable[[int], Awaitable[None]], number: int) -> None:
        try:
            await handle(number)
        except Exception as error:  # noqa: BLE001 (one bad update must not make the bot deaf)
            log.error("matrix.handle_failed", extra={"update_id": number, "problem": type(error).__name__})

    async def _poll(self, client: Any, stop: asyncio.Event) -> Any:
        """Wait for news; None when *stop* was set first."""
        token = (await asyncio.to_thread(self._memory.facts, "state", "sync")).get("token")
        poll = asyncio.ensure_future(self._asked(client.sync(timeout=POLL_MS, since=token, sync_filter=self._filter())))
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
                for number, update in await self._updates(client, room_id, event):
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
                and _content(event).get("membership") == "join"
                and _before(event) != "join"
            ):
                return place + 1
        return 0

    async def _gap(self, client: Any, room_id: str, start: str, end: str | None) -> list[Any]:
        """Fetch what the sync left out of a room, oldest first."""
        found: list[Any] = []
        for _ in range(PAGES):
            page = await self._asked(client.room_messages(room_id, start=start, end=end, limit=100))
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
                direct = _content(event).get("is_direct") is True
        welcome = inviter in self._desk or (
            room_id != self._settings.desk_room and direct and self._settings.may_invite(inviter)
        )
        try:
            await self._asked(client.join(room_id) if welcome else client.room_leave(room_id))
        except ChatRefused as error:
            log.warning("matrix.invite_failed", extra={"problem": str(error)})

    async def _updates(self, client: Any, room_id: str, event: Any) -> list[tuple[int, dict[str, Any]]]:
        """Translate an event; nothing for what concerns nobody here."""
        source = event.source
        sender, content = str(source.get("sender", "")), _content(event)
        event_id, kind = str(event.event_id), str(source.get("type", ""))
        if sender == self._settings.user:
            return await self._own(client, room_id, event)
        if kind not in ("m.room.message", "m.reaction", "m.room.encrypted", "m.sticker"):
            return []
        room = client.rooms.get(room_id)
        if room_id == self._settings.desk_room and sender not in self._desk:
            log.warning("matrix.stranger_at_desk")
            await self._say(client, room_id, STRANGER[self._language], key=f"stranger:{event_id}")
            return []
        number = await asyncio.to_thread(self._memory.note, "event", event_id, {"room": room_id})
        chat_id = await asyncio.to_thread(self._memory.note, "room", room_id)
        account = await asyncio.to_thread(self._memory.note, "account", sender)
        at_desk = room_id == self._settings.desk_room
        person = {"id": account, "is_bot": False, "first_name": (room and room.user_name(sender)) or ""}
        few = room is not None and len(room.users) + len(room.invited_users) <= 2
        chat = {"id": chat_id, "type": "private" if few or at_desk else "group"}
        press = {"id": f"place:{number}", "from": person, "message": {"chat": chat, "message_id": 0}, "data": ""}
        relation = content.get("m.relates_to") or {}
        if kind == "m.reaction":
            target = await self._shown(str(relation.get("event_id", "")))
            if target is None:
                return []
            press["message"] = {"chat": chat, "message_id": target[0]}
            press["data"] = self._chosen(target[1], str(relation.get("key", "")))
            return [(number, {"callback_query": press})]
        if kind == "m.room.encrypted":
            await self._say(client, room_id, UNREADABLE[self._language], key=f"unreadable:{event_id}")
            return []
        if content.get("msgtype") == "m.notice":
            return []
        if at_desk and room is not None and room.encrypted and not event.decrypted:
            # What the server could have put there is no order.
            await self._say(client, room_id, UNREADABLE[self._language], key=f"clear:{event_id}")
            return []
        message = await self._message(content, relation, number)
        message.update({"chat": chat, "from": person, "date": int(source.get("origin_server_ts", 0)) // 1000})
        edited = relation.get("rel_type") == "m.replace"
        if at_desk and not edited and "reply_to_message" in message:
            shown = await self._shown(str(relation.get("m.in_reply_to", {}).get("event_id", "")))
            chosen = self._chosen(shown[1], str(message.get("text", ""))) if shown is not None else ""
            if shown is not None and chosen:
                press["message"], press["data"] = {"chat": chat, "message_id": shown[0]}, chosen
                return [(number, {"callback_query": press})]
        if at_desk and str(message.get("text", "")).startswith("!"):
            # Most programs keep words with a slash for themselves.
            message["text"] = "/" + message["text"][1:]
        if edited:
            message["edit_date"] = message["date"]
        return [(number, {"edited_message" if edited else "message": message})]

    async def _message(self, content: dict[str, Any], relation: dict[str, Any], number: int) -> dict[str, Any]:
        """A message in the Bot API's shape, without who and where."""
        message: dict[str, Any] = {"message_id": number}
        said = content
        if relation.get("rel_type") == "m.replace":
            said = content.get("m.new_content") or content
            original = await asyncio.to_thread(self._memory.facts, "event", str(relation.get("event_id", "")))
            if original:
                message["message_id"] = await asyncio.to_thread(self._memory.note, "event", str(relation["event_id"]))
        replied = (relation.get("m.in_reply_to") or {}).get("event_id")
        body = str(said.get("body", ""))
        if replied:
            message["reply_to_message"] = {
                "message_id": await asyncio.to_thread(self._memory.note, "event", str(replied))
            }
            body = _without_quote(body)
        kind = str(said.get("msgtype", "m.sticker"))
        if kind in MEDIA:
            lies = said.get("file") or {"url": said.get("url", "")}
            size = (said.get("info") or {}).get("size")
            message[MEDIA[kind]] = {
                "file_id": "mxc:" + json.dumps(lies), "file_size": size if isinstance(size, int) else 0
            }  # fmt: skip
            if said.get("filename") not in (None, body):
                message["caption"] = body
        elif kind in ("m.text", "m.emote"):
            message["text"] = body
        return message

    async def _own(self, client: Any, room_id: str, event: Any) -> list[tuple[int, dict[str, Any]]]:
        """Our own: an edit of a card counts from where the server shows it; our arrival greets who invited us."""
        source, event_id = event.source, str(event.event_id)
        async with self._editing:
            # An edit may be shown to us before its sending has returned.
            facts = await asyncio.to_thread(self._memory.facts, "event", event_id)
        if facts.get("edits"):
            await asyncio.to_thread(self._make_current, facts["edits"], event_id)
        greets = source.get("type") == "m.room.member" and room_id != self._settings.desk_room
        room = client.rooms.get(room_id)
        others = set(room.users) - {self._settings.user} if room is not None else set()
        if not greets or _content(event).get("membership") != "join" or _before(event) == "join":
            return []
        inviter = next(iter(others), "")
        if len(others) != 1 or inviter in self._desk:
            return []
        number = await asyncio.to_thread(self._memory.note, "event", event_id, {"room": room_id})
        chat_id = await asyncio.to_thread(self._memory.note, "room", room_id)
        account = await asyncio.to_thread(self._memory.note, "account", inviter)
        greeting = {
            "message_id": number, "date": int(source.get("origin_server_ts", 0)) // 1000, "text": "/start",
            "chat": {"id": chat_id, "type": "private"}, "from": {"id": account, "is_bot": False},
        }  # fmt: skip
        return [(number, {"message": greeting})]

    # --- signs under cards

    async def _shown(self, event_id: str) -> tuple[int, dict[str, Any]] | None:
        """Return (number, facts) of a message of ours with signs under it."""
        facts = await asyncio.to_thread(self._memory.facts, "event", event_id)
        if "versions" not in facts:
            return None
        return await asyncio.to_thread(self._memory.note, "event", event_id), facts

    @staticmethod
    def _chosen(facts: dict[str, Any], said: str) -> str:
        """Return the key of the button that a sign, a number or the beginning of its words means; empty for none."""
        options = facts["versions"].get(facts["current"], [])
        wanted = _bare(said.strip())
        wanted = _bare(SAME_SIGN.get(wanted, wanted))
        number = wanted.rstrip(".\u20e3")
        for place, (sign, label, key) in enumerate(options, start=1):
            if wanted == _bare(sign) or number == str(place):
                return str(key)
            _ = label
        folded = wanted.casefold()
        meant = [key for _, label, key in options if len(folded) > 2 and _words(label).startswith(folded)]
        return str(meant[0]) if len(meant) == 1 else ""

    def _make_current(self, card: str, version: str) -> None:
        facts = self._memory.facts("event", card)
        if version in facts.get("versions", {}):
            facts["current"] = version
            self._memory.note("event", card, facts)

    def _drawn(self, text: str, buttons: Buttons) -> tuple[str, list[tuple[str, str, str]]]:
        """Write the buttons under a text; return it with (sign, label, key) of each."""
        flat = [pair for row in buttons for pair in row]
        if not flat:
            return cut_text(text), []
        signs = self._memory.signs([key for _, key in flat])
        options = [(sign, label, key) for sign, (label, key) in zip(signs, flat, strict=True)]
        under = "\n".join(
            [HINT[self._language], *(f"{place}. {sign} {label}" if sign in SIGNS.values() else f"{sign} {label}"
                                     for place, (sign, label, _) in enumerate(options, start=1))]
        )  # fmt: skip
        return f"{text}\n\n{under}", options

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
        client = await self._ready()
        room_id, _ = await asyncio.to_thread(self._memory.name, "room", chat_id)
        body, options = await asyncio.to_thread(self._drawn, text, buttons)
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
        answer = await self._asked(
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
        except (ChatError, _TokenGone) as error:
            log.info("matrix.not_said", extra={"problem": str(error)})

    async def edit_text(self, chat_id: int, message_id: int, text: str, buttons: Buttons = ()) -> None:
        """Replace text and signs of a message of ours. Raises as :meth:`send_text`."""
        client = await self._ready()
        room_id, _ = await asyncio.to_thread(self._memory.name, "room", chat_id)
        try:
            card, _ = await asyncio.to_thread(self._memory.name, "event", message_id)
        except ChatRefused as error:
            raise ChatMessageGone(str(error)) from None
        body, options = await asyncio.to_thread(self._drawn, text, buttons)
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
        client = await self._ready()
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
        client = await self._ready()
        room_id, _ = await asyncio.to_thread(self._memory.name, "room", chat_id)
        room = client.rooms.get(room_id)
        sealed = room is not None and room.encrypted

        async def put() -> Any:
            answer, keys = await client.upload(
                BytesIO(content), "application/octet-stream", name, encrypt=sealed, filesize=len(content)
            )
            self._attached = keys
            return answer

        answer = await self._asked(put())
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

        client = await self._ready()
        lies = json.loads(file_id.removeprefix("mxc:"))
        content = bytes((await self._asked(client.download(mxc=str(lies["url"])))).body)
        if max_size and len(content) > max_size:
            raise ChatRefused(f"the file has {len(content)} bytes; {max_size} are allowed")
        if "key" in lies:
            try:
                content = decrypt_attachment(content, lies["key"]["k"], lies["hashes"]["sha256"], lies["iv"])
            except (EncryptionError, KeyError, TypeError):
                raise ChatRefused("the file could not be decrypted") from None
        return content


def _content(event: Any) -> dict[str, Any]:
    """What an event says; the library takes the content of some kinds out of the source. Anything but a table: empty."""
    content = event.source.get("content") or getattr(event, "content", None)
    return content if isinstance(content, dict) else {}


def _before(event: Any) -> str:
    """The membership that a membership took the place of; empty for none."""
    previous = getattr(event, "prev_content", None) or (event.source.get("unsigned") or {}).get("prev_content")
    return str(previous.get("membership", "")) if isinstance(previous, dict) else ""


def _without_quote(body: str) -> str:
    """A reply without the quote that programs put before it."""
    lines = body.split("\n")
    if not lines[0].startswith("> "):
        return body
    rest: Iterator[str] = iter(lines)
    kept = [line for line in rest if not line.startswith(">")]
    return "\n".join(kept[1:] if kept and not kept[0].strip() else kept)


def _words(label: str) -> str:
    """A label's words, without the sign before them."""
    return label.lstrip("".join(c for c in label if not c.isalnum())).casefold()


def open_channel(app: App) -> MatrixChannel:
    """The channel as the settings say (``[matrix]``)."""
    settings = app.settings.matrix
    assert settings is not None
    users = frozenset(user.matrix_id for user in app.settings.desk.users if user.matrix_id is not None)
    return MatrixChannel(
        settings, desk=users, language=app.settings.desk.language, now=app.clock.now,
        memory=Memory(app.database, app.vault, app.clock.now), folder=app.settings.store.data_dir / "matrix",
    )  # fmt: skip
