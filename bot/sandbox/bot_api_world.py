"""The chats behind the strict local Bot API: people, messages, files, updates.

No network in here; :mod:`bot.sandbox.bot_api` puts it behind HTTP. All methods may be called from any thread.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from bot.sandbox.bot_api_entities import read_text
from bot.sandbox.bot_api_types import (
    DEFAULT_UPDATES,
    TOKEN_FORM,
    UPDATE_LIFE,
    ApiCall,
    CallbackAnswer,
    ChatMessage,
    MessageVersion,
    Press,
    SentFile,
    Update,
    picture_size,
    whole,
)


class ChatWorld:
    """Everything the server knows, and what people do in their chats.

    See :class:`bot.sandbox.bot_api.BotApiServer` for the parameters.
    """

    def __init__(
        self, *, now: Callable[[], datetime], token: str, username: str, first_update_id: int, callback_life: timedelta
    ) -> None:
        if not TOKEN_FORM.fullmatch(token):
            raise ValueError("a token is the bot's number, a colon and at least 20 letters, digits, '_' or '-'")
        self.token = token
        self.bot_id = int(token.partition(":")[0])
        self.username = username
        self.requests: list[ApiCall] = []
        """Every call that reached the server with the right token, in order."""
        self.answers: list[CallbackAnswer] = []
        self.commands: list[tuple[str, str]] = []
        self.webhook_url = ""
        self._now = now
        self._callback_life = callback_life
        self._chats: dict[int, dict[str, Any]] = {}
        self._users: dict[int, dict[str, Any]] = {}
        self._blocked: set[int] = set()
        self._messages: dict[tuple[int, int], ChatMessage] = {}
        self._files: dict[str, tuple[SentFile, str]] = {}
        self._presses: dict[str, Press] = {}
        self._updates: list[Update] = []
        self._old_updates: dict[int, Update] = {}
        self._next_update_id = first_update_id
        self._next_message_id = 1
        self._next_callback = 1
        self._allowed: frozenset[str] = DEFAULT_UPDATES
        self._changed = threading.Condition(threading.RLock())

    # --- the people

    def add_chat(self, chat_id: int, *, title: str = "", kind: str = "", username: str | None = None) -> None:
        """Make a chat known to the bot without a message: a group it was added to, a person who pressed *Start*.

        *kind* is ``private``, ``group``, ``supergroup`` or ``channel``; by default what the sign of the id says.
        """
        with self._changed:
            kind = kind or ("private" if chat_id > 0 else "supergroup" if chat_id < -1_000_000_000_000 else "group")
            chat: dict[str, Any] = {"id": chat_id, "type": kind}
            if kind != "private":
                chat["title"] = title or "Group"
            elif chat_id in self._users:
                chat |= {k: v for k, v in self._users[chat_id].items() if k in {"first_name", "last_name", "username"}}
            else:
                chat["first_name"] = title or f"User {chat_id}"
            if username:
                chat["username"] = username
            self._chats[chat_id] = chat

    def say(
        self,
        user_id: int,
        text: str,
        *,
        chat_id: int | None = None,
        username: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        language: str | None = None,
        reply_to: int | None = None,
        forwarded: bool = False,
    ) -> int:
        """Write *text* as a person, in the private chat with the bot unless *chat_id* says else; return the update id.

        *reply_to* is the message answered; *forwarded* marks the message as forwarded from somebody hidden.
        """
        with self._changed:
            self._meet(user_id, chat_id, username, first_name, last_name, language)
            clean, entities = read_text(text, None)
            message = self._new_message(
                chat_id or user_id, user_id, text=clean, entities=tuple(entities), reply_to=reply_to
            )
            if forwarded:
                message = replace(message, forward_date=message.date)
                self._messages[message.chat_id, message.message_id] = message
            return self._push("message", self._message_json(message))

    def edit_text(self, chat_id: int, message_id: int, text: str) -> int:
        """Edit a person's own message; return the id of the ``edited_message`` update.

        Raises :class:`LookupError` when there is no such message, :class:`ValueError` when it is the bot's.
        """
        with self._changed:
            message = self._messages[chat_id, message_id]
            if message.user_id == self.bot_id:
                raise ValueError("a person cannot edit the bot's message")
            clean, entities = read_text(text, None)
            message = self._edited(message, text=clean, entities=tuple(entities))
            return self._push("edited_message", self._message_json(message))

    def send_photo(self, user_id: int, content: bytes, *, chat_id: int | None = None, caption: str = "") -> int:
        """Send a photo as a person (the bytes are handed on as they are); return the update id."""
        return self._send_as_person(user_id, "photo", "photo.jpg", content, chat_id, caption)

    def send_voice(self, user_id: int, content: bytes, *, chat_id: int | None = None, caption: str = "") -> int:
        """Send a voice message as a person; return the update id."""
        return self._send_as_person(user_id, "voice", "voice.oga", content, chat_id, caption)

    def send_document(
        self, user_id: int, name: str, content: bytes, *, chat_id: int | None = None, caption: str = ""
    ) -> int:
        """Send a file as a person; return the update id."""
        return self._send_as_person(user_id, "document", name, content, chat_id, caption)

    def _send_as_person(
        self, user_id: int, kind: str, name: str, content: bytes, chat_id: int | None, caption: str
    ) -> int:
        with self._changed:
            self._meet(user_id, chat_id)
            clean, entities = read_text(caption, None)
            message = self._new_message(
                chat_id or user_id,
                user_id,
                text=clean,
                entities=tuple(entities),
                file=self._keep_file(kind, name, content),
            )
            return self._push("message", self._message_json(message))

    def press(
        self, user_id: int, message_id: int, chat_id: int, button: str, *, stale: bool = False, forged: bool = False
    ) -> str:
        """Press a button, named by its label or its callback data; return the callback query's id.

        Anybody in the chat may press. *stale* also finds buttons of the message's earlier versions, as on a phone that
        has not caught up; *forged* sends *button* as callback data unseen, as a tampered client can. Raises
        :class:`LookupError` when the message or the button does not exist.
        """
        with self._changed:
            message = self._messages[chat_id, message_id]
            self._meet(user_id, chat_id)
            data = button if forged else self._find_button(message, button, stale)
            callback_id = str(4_000_000_000_000_000_000 + self._next_callback)
            self._next_callback += 1
            self._presses[callback_id] = Press(self._now())
            body = {
                "id": callback_id,
                "from": self._users[user_id],
                "message": self._message_json(message),
                "chat_instance": str(-7_000_000_000 - abs(chat_id)),
                "data": data,
            }
            self._push("callback_query", body)
            return callback_id

    @staticmethod
    def _find_button(message: ChatMessage, button: str, stale: bool) -> str:
        keyboards = [message.buttons]
        if stale:
            keyboards += [version.buttons for version in reversed(message.history)]
        for keyboard in keyboards:
            for row in keyboard:
                for label, data in row:
                    if button in {label, data}:
                        return data
        raise LookupError(f"message {message.message_id} has no such button")

    def block(self, user_id: int) -> None:
        """Let a person block the bot: from now on messages to that private chat are refused with 403."""
        with self._changed:
            self._blocked.add(user_id)

    def unblock(self, user_id: int) -> None:
        """Let the person think better of it."""
        with self._changed:
            self._blocked.discard(user_id)

    # --- what the observer sees

    def messages(self, chat_id: int) -> list[ChatMessage]:
        """Return the messages of a chat as they stand now, oldest first; deleted ones are gone."""
        with self._changed:
            return [message for (chat, _), message in sorted(self._messages.items()) if chat == chat_id]

    def update(self, update_id: int) -> dict[str, Any]:
        """Return an update as the bot gets or got it."""
        with self._changed:
            return self._old_updates[update_id].payload()

    @property
    def pending_updates(self) -> list[int]:
        """Ids of the updates that no higher offset has acknowledged yet."""
        with self._changed:
            return [update.update_id for update in self._updates]

    def wait_until(self, condition: Callable[[Self], bool], timeout: float = 30.0) -> bool:
        """Block until *condition* holds, asked anew after each change; False when *timeout* seconds went by.

        From async code call it by ``asyncio.to_thread``.
        """
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), timeout)

    def redeliver(self, update_id: int, *, new_id: bool = False) -> int:
        """Deliver an update once more although it was acknowledged; return its id.

        With *new_id* it comes under a fresh id, as one press sometimes does.
        """
        with self._changed:
            update = self._old_updates[update_id]
            if new_id:
                return self._push(update.kind, update.body)
            self._updates.append(replace(update, forced=True, at=self._now()))
            self._wake("update")
            return update_id

    def restart_update_ids(self, first: int) -> None:
        """Number further updates from *first*, as Telegram does at random after a week without any."""
        with self._changed:
            self._next_update_id = first

    # --- state

    def _meet(
        self,
        user_id: int,
        chat_id: int | None,
        username: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        language: str | None = None,
    ) -> None:
        known = self._users.get(user_id, {"id": user_id, "is_bot": False, "first_name": f"User {user_id}"})
        given = {
            "username": username,
            "first_name": first_name,
            "last_name": last_name,
            "language_code": language,
        }
        self._users[user_id] = known | {name: value for name, value in given.items() if value is not None}
        chat = chat_id or user_id
        if chat not in self._chats or chat == user_id:
            self.add_chat(chat)

    def _push(self, kind: str, body: dict[str, Any]) -> int:
        update = Update(self._next_update_id, kind, body, self._now())
        self._next_update_id += 1
        self._old_updates[update.update_id] = update
        if kind in self._allowed:
            self._updates.append(update)
            self._wake("update")
        self._changed.notify_all()
        return update.update_id

    def _wake(self, word: str) -> None:
        """Tell a waiting long poll what happened: ``update``, ``conflict``, ``webhook`` or ``closed``."""

    def _new_message(self, chat_id: int, user_id: int, **content: Any) -> ChatMessage:
        date = datetime.fromtimestamp(whole(self._now()), UTC)
        message = ChatMessage(self._next_message_id, chat_id, user_id, date, **content)
        self._next_message_id += 1
        self._messages[chat_id, message.message_id] = message
        self._changed.notify_all()
        return message

    def _edited(self, message: ChatMessage, **changes: Any) -> ChatMessage:
        date = datetime.fromtimestamp(whole(self._now()), UTC)
        version = MessageVersion(message.text, message.buttons, date)
        edited = replace(message, edited_at=date, history=(*message.history, version), **changes)
        self._messages[message.chat_id, message.message_id] = edited
        self._changed.notify_all()
        return edited

    def _keep_file(self, kind: str, name: str, content: bytes) -> SentFile:
        number = len(self._files) + 1
        file = SentFile(kind, name, content, f"AgAD{number:012d}{kind}")
        ending = re.search(r"\.[A-Za-z0-9]{1,8}$", name)
        self._files[file.file_id] = (file, f"{kind}s/file_{number}{ending[0] if ending else ''}")
        return file

    def _message_json(self, message: ChatMessage) -> dict[str, Any]:
        body: dict[str, Any] = {
            "message_id": message.message_id,
            "from": self._me() if message.user_id == self.bot_id else self._users[message.user_id],
            "chat": self._chats[message.chat_id],
            "date": whole(message.date),
        }
        if message.edited_at:
            body["edit_date"] = whole(message.edited_at)
        if message.forward_date:
            origin = {"type": "hidden_user", "date": whole(message.forward_date), "sender_user_name": "Hidden"}
            body["forward_origin"] = origin
        if message.reply_to and (original := self._messages.get((message.chat_id, message.reply_to))):
            body["reply_to_message"] = self._message_json(replace(original, reply_to=None))
        if message.file:
            body |= self._file_json(message.file)
            if message.text:
                body["caption"] = message.text
                body["caption_entities"] = list(message.entities)
        else:
            body["text"] = message.text
            body["entities"] = list(message.entities)
        if message.markup:
            body["reply_markup"] = message.markup
        return {name: value for name, value in body.items() if value != []}

    def _file_json(self, file: SentFile) -> dict[str, Any]:
        common = {"file_id": file.file_id, "file_unique_id": file.file_id[::-1], "file_size": len(file.content)}
        if file.kind == "photo":
            width, height = picture_size(file.content) or (1280, 960)
            return {"photo": [common | {"width": width, "height": height}]}
        if file.kind == "voice":
            return {"voice": common | {"duration": 1, "mime_type": "audio/ogg"}}
        return {"document": common | {"file_name": file.name, "mime_type": "application/octet-stream"}}

    def _me(self) -> dict[str, Any]:
        return {"id": self.bot_id, "is_bot": True, "first_name": "dpobot", "username": self.username}

    # --- updates

    def _allow(self, source: str) -> None:
        try:
            names = json.loads(source)
        except ValueError:
            return
        if isinstance(names, list):
            self._allowed = frozenset(str(name).lower() for name in names) or DEFAULT_UPDATES

    def _take(self, offset: int, limit: int) -> list[dict[str, Any]]:
        """Forget what *offset* acknowledges and what is a day old; return what is left, oldest first."""
        oldest = self._now() - UPDATE_LIFE
        kept = [update for update in self._updates if update.at > oldest]
        if offset < 0:
            kept = kept[offset:]
        elif offset <= self._next_update_id + 10:
            # An offset far in the future acknowledges nothing: the real server starts from the head of its queue.
            kept = [update for update in kept if update.forced or update.update_id >= offset]
        taken = kept[:limit]
        self._updates = [update for update in kept if not (update.forced and update in taken)]
        return [update.payload() for update in taken]
