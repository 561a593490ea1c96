"""What each method of the strict local Bot API does to the chats, and what it refuses as the real server does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from bot.sandbox.bot_api_entities import Entity, read_text, utf16_length
from bot.sandbox.bot_api_types import (
    ANSWER_LIMIT,
    CALLBACK_DATA_LIMIT,
    CAPTION_LIMIT,
    CHAT_ACTIONS,
    DELETE_LIFE,
    DOWNLOAD_LIMIT,
    PHOTO_LIMIT,
    TEXT_LIMIT,
    UPLOAD_LIMIT,
    ApiCall,
    ApiError,
    CallbackAnswer,
    ChatMessage,
    Params,
    bad_request,
    integer,
    keyboard,
    picture_size,
)
from bot.sandbox.bot_api_world import ChatWorld


class ChatMethods(ChatWorld):
    """The methods of the Bot API, by their names in lower case."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
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
            buttons=keyboard(markup),
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
        edited = self._edited(message, text=text, entities=entities, markup=markup, buttons=keyboard(markup))
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
        if kind == "photo" and picture_size(content) is None:
            raise bad_request("IMAGE_PROCESS_FAILED")
        caption, entities = self._text(params, "caption", CAPTION_LIMIT, "message caption is too long")
        markup, force_reply = self._markup(params)
        message = self._new_message(
            chat_id,
            self.bot_id,
            text=caption,
            entities=entities,
            markup=markup,
            buttons=keyboard(markup),
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
