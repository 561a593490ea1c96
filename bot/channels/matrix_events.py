"""What is said in Matrix, translated: events of rooms become updates in the shape of the Bot API, the desk's vocabulary."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol

from bot.channels.matrix_memory import Memory
from bot.channels.matrix_signs import chosen

if TYPE_CHECKING:
    from bot.settings import Matrix

log = logging.getLogger("dpobot.matrix")

MEDIA: Final = {"m.image": "photo", "m.file": "document", "m.video": "video", "m.audio": "audio"}
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


TYPED: Final = {
    "fr": "Rien n'est fait : dans ce salon, une réaction ne décide de rien. Répondez à la carte par le numéro ou par le mot.",
    "en": "Nothing was done: in this room a reaction decides nothing. Reply to the card with the number or the word.",
}
BY_SIGN: Final = frozenset({"show", "diff", "more"})
"""What a sign may do everywhere: it only shows something, in the room that shows it anyway."""


class Say(Protocol):
    """How something is said in a room by the way."""

    def __call__(self, client: Any, room_id: str, text: str, *, key: str) -> Awaitable[None]:
        """Say it, once for each *key*."""


class Reader:
    """Reads events as the settings allow. *editing* is held while a card's new version is being noted."""

    def __init__(
        self, settings: Matrix, desk: frozenset[str], language: str, memory: Memory, say: Say, editing: asyncio.Lock
    ) -> None:
        self._settings, self._desk, self._language, self._memory = settings, desk, language, memory
        self._say, self._editing = say, editing

    def typed(self, client: Any, room_id: str) -> bool:
        """Whether decisions in a room are written, not given by a sign: the server could make a sign, since none is encrypted."""
        room = client.rooms.get(room_id)
        by_sign = self._settings.approve_by_sign
        return room is not None and not (by_sign if by_sign is not None else not room.encrypted)

    async def updates(self, client: Any, room_id: str, event: Any) -> list[tuple[int, dict[str, Any]]]:
        """Translate an event; nothing for what concerns nobody here."""
        source = event.source
        sender, content = str(source.get("sender", "")), content_of(event)
        event_id, kind = str(event.event_id), str(source.get("type", ""))
        if sender == self._settings.user:
            return await self._own(client, room_id, event)
        if kind == "m.room.redaction":
            return await self._withdrawn(event, room_id, sender)
        if kind not in ("m.room.message", "m.reaction", "m.room.encrypted", "m.sticker"):
            return []
        room = client.rooms.get(room_id)
        if room_id == self._settings.desk_room and sender not in self._desk:
            log.warning("matrix.stranger_at_desk")
            await self._say(client, room_id, STRANGER[self._language], key=f"stranger:{event_id}")
            return []
        number = await asyncio.to_thread(self._memory.note, "event", event_id, {"room": room_id})
        chat_id = await asyncio.to_thread(self._memory.note, "room", room_id)
        at_desk = room_id == self._settings.desk_room
        of = None if at_desk else {"room": room_id}
        account = await asyncio.to_thread(self._memory.note, "account", sender, of)
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
            press["data"] = chosen(target[1], str(relation.get("key", "")))
            if at_desk and press["data"] and self.typed(client, room_id):
                actions = await asyncio.to_thread(self._memory.actions, [str(press["data"])])
                if not BY_SIGN.issuperset(actions.values()):
                    await self._say(client, room_id, TYPED[self._language], key=f"typed:{event_id}")
                    return []
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
            meant = chosen(shown[1], str(message.get("text", ""))) if shown is not None else ""
            if shown is not None and meant:
                press["message"], press["data"] = {"chat": chat, "message_id": shown[0]}, meant
                return [(number, {"callback_query": press})]
        if at_desk and str(message.get("text", "")).startswith("!"):
            # Most programs keep words with a slash for themselves.
            message["text"] = "/" + message["text"][1:]
        if edited:
            message["edit_date"] = message["date"]
        return [(number, {"edited_message" if edited else "message": message})]

    async def _withdrawn(self, event: Any, room_id: str, sender: str) -> list[tuple[int, dict[str, Any]]]:
        """Somebody took back what he had written to us; nothing for what we never read."""
        target = str(event.source.get("redacts") or content_of(event).get("redacts") or "")
        facts = await asyncio.to_thread(self._memory.facts, "event", target)
        if facts.get("room") != room_id or room_id == self._settings.desk_room:
            return []
        number = await asyncio.to_thread(self._memory.note, "event", str(event.event_id), {"room": room_id})
        taken_back = {
            "message_id": await asyncio.to_thread(self._memory.note, "event", target),
            "date": int(event.source.get("origin_server_ts", 0)) // 1000,
            "chat": {"id": await asyncio.to_thread(self._memory.note, "room", room_id), "type": "private"},
            "from": {"id": await asyncio.to_thread(self._memory.note, "account", sender), "is_bot": False},
        }
        return [(number, {"deleted_message": taken_back})]

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
        if not greets or content_of(event).get("membership") != "join" or membership_before(event) == "join":
            return []
        inviter = next(iter(others), "")
        if len(others) != 1 or inviter in self._desk:
            return []
        number = await asyncio.to_thread(self._memory.note, "event", event_id, {"room": room_id})
        chat_id = await asyncio.to_thread(self._memory.note, "room", room_id)
        account = await asyncio.to_thread(self._memory.note, "account", inviter, {"room": room_id})
        greeting = {
            "message_id": number, "date": int(source.get("origin_server_ts", 0)) // 1000, "text": "/start",
            "chat": {"id": chat_id, "type": "private"}, "from": {"id": account, "is_bot": False},
        }  # fmt: skip
        return [(number, {"message": greeting})]

    async def _shown(self, event_id: str) -> tuple[int, dict[str, Any]] | None:
        """Return (number, facts) of a message of ours with signs under it."""
        facts = await asyncio.to_thread(self._memory.facts, "event", event_id)
        if "versions" not in facts:
            return None
        return await asyncio.to_thread(self._memory.note, "event", event_id), facts

    def _make_current(self, card: str, version: str) -> None:
        facts = self._memory.facts("event", card)
        if version in facts.get("versions", {}):
            facts["current"] = version
            self._memory.note("event", card, facts)


def content_of(event: Any) -> dict[str, Any]:
    """What an event says; the library takes the content of some kinds out of the source. Anything but a table: empty."""
    content = event.source.get("content") or getattr(event, "content", None)
    return content if isinstance(content, dict) else {}


def membership_before(event: Any) -> str:
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
