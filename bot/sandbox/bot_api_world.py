"""The chats behind the strict local Bot API: people, messages, files, updates, and what each method does to them.

No network in here; :mod:`bot.sandbox.bot_api` puts it behind HTTP. All methods may be called from any thread.
"""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from bot.sandbox.bot_api_entities import Entity, read_text, utf16_length

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
CALLBACK_DATA_LIMIT = 64
"""Bytes of UTF-8."""
ANSWER_LIMIT = 200
DOWNLOAD_LIMIT = 20 * 1024 * 1024
UPLOAD_LIMIT = 50 * 1024 * 1024
PHOTO_LIMIT = 10 * 1024 * 1024
UPDATE_LIFE = timedelta(hours=24)
DELETE_LIFE = timedelta(hours=48)
DEFAULT_UPDATES = frozenset({"message", "edited_message", "callback_query", "my_chat_member"})
CHAT_ACTIONS = frozenset(
    {"typing", "upload_photo", "upload_document", "upload_video", "upload_voice", "upload_video_note"}
    | {"record_video", "record_voice", "record_video_note", "choose_sticker", "find_location"}
)
TOKEN_FORM = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{20,}")

Params = Mapping[str, str]
Button = tuple[str, str]
"""Label and callback data (or the URL of a link button)."""
Keyboard = tuple[tuple[Button, ...], ...]


class ApiError(Exception):
    """An answer with ``ok: false``: HTTP status, description and response parameters."""

    def __init__(self, status: int, description: str, parameters: dict[str, Any] | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters


def bad_request(description: str) -> ApiError:
    """Return the error with which the server refuses what was asked."""
    return ApiError(400, f"Bad Request: {description}")


@dataclass
class ApiCall:
    """One request the bot made; ``status`` is None until it was answered (or for ever, when it was dropped)."""

    method: str
    params: dict[str, str]
    files: dict[str, tuple[str, bytes]]
    at: datetime
    status: int | None = None
    description: str = ""


@dataclass(frozen=True)
class CallbackAnswer:
    """What the bot answered to a press: a toast (``text``), or a box to be closed (``alert``)."""

    callback_id: str
    text: str
    alert: bool
    at: datetime


@dataclass(frozen=True)
class MessageVersion:
    """How a message read before it was edited."""

    text: str
    buttons: Keyboard
    until: datetime


@dataclass(frozen=True)
class SentFile:
    """A file in a message: kind (``document``, ``photo``, ``voice``), name and content."""

    kind: str
    name: str
    content: bytes = field(repr=False)
    file_id: str


@dataclass(frozen=True)
class ChatMessage:
    """A message as the people in the chat see it now. Entity offsets count UTF-16 code units."""

    message_id: int
    chat_id: int
    user_id: int
    """Who wrote it; the bot's own id for the bot's messages."""
    date: datetime
    text: str
    """The text, or the caption of a file."""
    entities: tuple[Entity, ...] = ()
    buttons: Keyboard = ()
    reply_to: int | None = None
    force_reply: bool = False
    link_preview: bool = True
    file: SentFile | None = None
    edited_at: datetime | None = None
    history: tuple[MessageVersion, ...] = ()
    markup: dict[str, Any] | None = field(default=None, repr=False)
    """The inline keyboard as it was sent."""
    forward_date: datetime | None = None


@dataclass
class _Update:
    update_id: int
    kind: str
    body: dict[str, Any]
    at: datetime
    forced: bool = False

    def payload(self) -> dict[str, Any]:
        return {"update_id": self.update_id, self.kind: self.body}


@dataclass
class _Press:
    at: datetime
    answered: bool = False


def _whole(moment: datetime) -> int:
    return int(moment.timestamp())


def integer(params: Params, name: str, default: int = 0) -> int:
    """Read a number; what is none counts as absent, as on the real server."""
    try:
        return int(params.get(name, default))
    except ValueError:
        return default


def _keyboard(markup: Mapping[str, Any] | None) -> Keyboard:
    if markup is None:
        return ()
    rows = markup["inline_keyboard"]
    return tuple(tuple((b["text"], b.get("callback_data", b.get("url", ""))) for b in row) for row in rows)


class ChatWorld:
    """Everything the server knows, what people do in their chats, and the methods of the Bot API.

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
        self._presses: dict[str, _Press] = {}
        self._updates: list[_Update] = []
        self._old_updates: dict[int, _Update] = {}
        self._next_update_id = first_update_id
        self._next_message_id = 1
        self._next_callback = 1
        self._allowed: frozenset[str] = DEFAULT_UPDATES
        self._changed = threading.Condition(threading.RLock())
        self._methods: dict[str, Callable[[ApiCall], Any]] = {
            "getme": self._get_me,
            "sendmessage": self._send_message,
            "editmessagetext": self._edit_message_text,
            "editmessagereplymarkup": self._edit_message_reply_markup,
            "deletemessage": self._delete_message,
            "answercallbackquery": self._answer_callback_query,
            "senddocument": self._send_document,
            "sendphoto": self._send_photo,
            "getfile": self._get_file,
            "setmycommands": self._set_my_commands,
            "getmycommands": self._get_my_commands,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._get_webhook_info,
            "sendchataction": self._send_chat_action,
            "getchat": self._get_chat,
        }

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
            self._presses[callback_id] = _Press(self._now())
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
        update = _Update(self._next_update_id, kind, body, self._now())
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
        date = datetime.fromtimestamp(_whole(self._now()), UTC)
        message = ChatMessage(self._next_message_id, chat_id, user_id, date, **content)
        self._next_message_id += 1
        self._messages[chat_id, message.message_id] = message
        self._changed.notify_all()
        return message

    def _edited(self, message: ChatMessage, **changes: Any) -> ChatMessage:
        date = datetime.fromtimestamp(_whole(self._now()), UTC)
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
            "date": _whole(message.date),
        }
        if message.edited_at:
            body["edit_date"] = _whole(message.edited_at)
        if message.forward_date:
            origin = {"type": "hidden_user", "date": _whole(message.forward_date), "sender_user_name": "Hidden"}
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
            width, height = _picture_size(file.content) or (1280, 960)
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

    # --- methods

    def _chat(self, params: Params, *, writing: bool = True) -> int:
        given = params.get("chat_id", "").strip()
        if not given:
            raise bad_request("chat_id is empty")
        chat_id = int(given) if re.fullmatch(r"-?\d{1,18}", given) else 0
        if chat_id not in self._chats:
            raise bad_request("chat not found")
        if writing and chat_id in self._blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        return chat_id

    def _markup(self, params: Params, *, inline_only: bool = False) -> tuple[dict[str, Any] | None, bool]:
        """Read ``reply_markup``; return the inline keyboard, and whether a reply is forced."""
        source = params.get("reply_markup", "").strip()
        if not source:
            return None, False
        try:
            markup = json.loads(source)
        except ValueError:
            raise bad_request("can't parse reply keyboard markup JSON object") from None
        if not isinstance(markup, dict):
            raise bad_request("object expected as reply markup")
        if "inline_keyboard" in markup:
            return _checked_keyboard(markup["inline_keyboard"]), False
        if inline_only:
            raise bad_request("inline keyboard expected")
        if markup.get("force_reply") is True:
            return None, True
        if "keyboard" in markup and isinstance(markup["keyboard"], list):
            return None, False
        if markup and markup.get("remove_keyboard") is not True:
            raise bad_request("can't parse reply keyboard markup JSON object")
        return None, False

    def _reply_to(self, params: Params, chat_id: int) -> int | None:
        try:
            wanted = json.loads(params.get("reply_parameters", "{}"))
            target = int(wanted.get("message_id", params.get("reply_to_message_id", 0)))
        except (ValueError, AttributeError):
            raise bad_request("can't parse reply parameters JSON object") from None
        if not target or (chat_id, target) in self._messages:
            return target or None
        if wanted.get("allow_sending_without_reply") or params.get("allow_sending_without_reply") == "true":
            return None
        raise bad_request("message to be replied not found")

    def _link_preview(self, params: Params) -> bool:
        try:
            options = json.loads(params.get("link_preview_options", "{}"))
            off = options.get("is_disabled", False) is True
        except (ValueError, AttributeError):
            raise bad_request("can't parse link preview options JSON object") from None
        return not off and params.get("disable_web_page_preview", "").lower() != "true"

    def _text(self, params: Params, name: str, limit: int, too_long: str) -> tuple[str, tuple[Entity, ...]]:
        mode = params.get("parse_mode", "")
        if mode and mode.lower() not in {"html", "markdownv2"}:
            raise bad_request("unsupported parse_mode")
        source = params.get(name, "")
        if len(source) > 16 * limit:
            raise bad_request(too_long)
        text, entities = read_text(source, mode)
        if utf16_length(text) > limit:
            raise bad_request(too_long)
        return text, tuple(entities)

    def _get_me(self, _call: ApiCall) -> Any:
        return self._me() | {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    def _send_message(self, call: ApiCall) -> Any:
        chat_id = self._chat(call.params)
        text, entities = self._text(call.params, "text", TEXT_LIMIT, "message is too long")
        if not text:
            raise bad_request("message text is empty")
        markup, force_reply = self._markup(call.params)
        message = self._new_message(
            chat_id,
            self.bot_id,
            text=text,
            entities=entities,
            markup=markup,
            buttons=_keyboard(markup),
            force_reply=force_reply,
            reply_to=self._reply_to(call.params, chat_id),
            link_preview=self._link_preview(call.params),
        )
        return self._message_json(message)

    def _editable(self, params: Params) -> ChatMessage:
        chat_id = self._chat(params)
        message_id = integer(params, "message_id")
        if message_id <= 0:
            raise bad_request("message identifier is not specified")
        message = self._messages.get((chat_id, message_id))
        if message is None:
            raise bad_request("message to edit not found")
        if message.user_id != self.bot_id:
            raise bad_request("message can't be edited")
        return message

    def _edit_message_text(self, call: ApiCall) -> Any:
        message = self._editable(call.params)
        text, entities = self._text(call.params, "text", TEXT_LIMIT, "MESSAGE_TOO_LONG")
        if not text:
            raise bad_request("message text is empty")
        markup, _ = self._markup(call.params, inline_only=True)
        if message.file:
            raise bad_request("there is no text in the message to edit")
        return self._change(message, text=text, entities=entities, markup=markup)

    def _edit_message_reply_markup(self, call: ApiCall) -> Any:
        message = self._editable(call.params)
        markup, _ = self._markup(call.params, inline_only=True)
        return self._change(message, text=message.text, entities=message.entities, markup=markup)

    def _change(
        self, message: ChatMessage, *, text: str, entities: tuple[Entity, ...], markup: dict[str, Any] | None
    ) -> Any:
        if (text, entities, markup) == (message.text, message.entities, message.markup):
            raise bad_request(
                "message is not modified: specified new message content and reply markup are exactly the same "
                "as a current content and reply markup of the message"
            )
        edited = self._edited(message, text=text, entities=entities, markup=markup, buttons=_keyboard(markup))
        return self._message_json(edited)

    def _delete_message(self, call: ApiCall) -> Any:
        chat_id = self._chat(call.params)
        message = self._messages.get((chat_id, integer(call.params, "message_id")))
        if message is None:
            raise bad_request("message to delete not found")
        if self._now() - message.date > DELETE_LIFE:
            raise bad_request("message can't be deleted for everyone")
        del self._messages[message.chat_id, message.message_id]
        return True

    def _answer_callback_query(self, call: ApiCall) -> Any:
        callback_id = call.params.get("callback_query_id", "")
        press = self._presses.get(callback_id)
        if press is None or press.answered or self._now() - press.at > self._callback_life:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        text = call.params.get("text", "")
        if utf16_length(text) > ANSWER_LIMIT:
            raise bad_request("MESSAGE_TOO_LONG")
        press.answered = True
        self.answers.append(CallbackAnswer(callback_id, text, call.params.get("show_alert") == "true", self._now()))
        return True

    def _send_document(self, call: ApiCall) -> Any:
        return self._send_file(call, "document", UPLOAD_LIMIT)

    def _send_photo(self, call: ApiCall) -> Any:
        return self._send_file(call, "photo", PHOTO_LIMIT)

    def _send_file(self, call: ApiCall, kind: str, limit: int) -> Any:
        params, files = call.params, call.files
        chat_id = self._chat(params)
        given = params.get(kind, "")
        name, content = files.get(given.removeprefix("attach://") if given else kind, ("", b""))
        if not content and given in self._files:
            known = self._files[given][0]
            name, content = known.name, known.content
        elif given and not given.startswith("attach://"):
            raise bad_request("wrong file identifier/HTTP URL specified")
        elif not name and not content:
            raise bad_request(f"there is no {kind} in the request")
        if not content:
            raise bad_request("file must be non-empty")
        if len(content) > limit:
            raise ApiError(413, "Request Entity Too Large")
        if kind == "photo" and _picture_size(content) is None:
            raise bad_request("IMAGE_PROCESS_FAILED")
        caption, entities = self._text(params, "caption", CAPTION_LIMIT, "message caption is too long")
        markup, force_reply = self._markup(params)
        message = self._new_message(
            chat_id,
            self.bot_id,
            text=caption,
            entities=entities,
            markup=markup,
            buttons=_keyboard(markup),
            force_reply=force_reply,
            reply_to=self._reply_to(params, chat_id),
            file=self._keep_file(kind, name, content),
        )
        return self._message_json(message)

    def _get_file(self, call: ApiCall) -> Any:
        file_id = call.params.get("file_id", "")
        if file_id not in self._files:
            raise bad_request("invalid file_id" if file_id else "file_id not specified")
        file, path = self._files[file_id]
        if len(file.content) > DOWNLOAD_LIMIT:
            raise bad_request("file is too big")
        return {
            "file_id": file_id,
            "file_unique_id": file_id[::-1],
            "file_size": len(file.content),
            "file_path": path,
        }

    def _set_my_commands(self, call: ApiCall) -> Any:
        try:
            commands = json.loads(call.params.get("commands", ""))
            pairs = [(command["command"].removeprefix("/"), command["description"]) for command in commands]
        except (ValueError, TypeError, KeyError, AttributeError):
            raise bad_request("can't parse commands JSON array") from None
        for name, description in pairs:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", name):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= utf16_length(description) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        if len(pairs) > 100:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        self.commands = pairs
        return True

    def _get_my_commands(self, _call: ApiCall) -> Any:
        return [{"command": name, "description": description} for name, description in self.commands]

    def _set_webhook(self, call: ApiCall) -> Any:
        url = call.params.get("url", "")
        if url and not url.startswith("https://"):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if url:
            self._wake("webhook")
        if call.params.get("drop_pending_updates") == "true":
            self._updates.clear()
        self.webhook_url = url
        return True

    def _delete_webhook(self, call: ApiCall) -> Any:
        call.params.pop("url", None)
        return self._set_webhook(call)

    def _get_webhook_info(self, _call: ApiCall) -> Any:
        return {
            "url": self.webhook_url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates),
        }

    def _send_chat_action(self, call: ApiCall) -> Any:
        self._chat(call.params)
        if call.params.get("action") not in CHAT_ACTIONS:
            raise bad_request("wrong parameter action in request")
        return True

    def _get_chat(self, call: ApiCall) -> Any:
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
        return self._chats[self._chat(call.params, writing=False)] | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, False),
        }


def _checked_keyboard(rows: Any) -> dict[str, Any] | None:
    """Return an inline keyboard as the server stores it; raise :class:`ApiError` for what it refuses."""
    if not isinstance(rows, list):
        raise bad_request('field "inline_keyboard" must be of type Array')
    kept: list[list[dict[str, Any]]] = []
    for row in rows:
        if not isinstance(row, list):
            raise bad_request("can't parse inline keyboard button: expected an Array of InlineKeyboardButton")
        kept.append([_checked_button(button) for button in row])
    kept = [row for row in kept if row]
    if sum(len(row) for row in kept) > 100:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": kept} if kept else None


def _checked_button(button: Any) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: expected an Object")
    if not isinstance(button.get("text"), str) or not button["text"].strip():
        raise bad_request("can't parse inline keyboard button: field text must be non-empty")
    if isinstance(data := button.get("callback_data"), str):
        if not 1 <= len(data.encode("utf-8", "surrogatepass")) <= CALLBACK_DATA_LIMIT:
            raise bad_request("BUTTON_DATA_INVALID")
        return {"text": button["text"], "callback_data": data}
    if isinstance(url := button.get("url"), str):
        if not re.match(r"(https?|tg|tonsite)://[^\s]+$", url):
            raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
        return {"text": button["text"], "url": url}
    raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")


def _picture_size(content: bytes) -> tuple[int, int] | None:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
