"""What the strict local Bot API is made of: calls and errors, messages with their versions, files, updates, limits."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.sandbox.bot_api_entities import Entity

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
class Update:
    """Something the bot has not heard of yet, or has."""

    update_id: int
    kind: str
    body: dict[str, Any]
    at: datetime
    forced: bool = False

    def payload(self) -> dict[str, Any]:
        """As the server hands it out."""
        return {"update_id": self.update_id, self.kind: self.body}


@dataclass
class Press:
    """A press of a button that may be answered once."""

    at: datetime
    answered: bool = False


def whole(moment: datetime) -> int:
    """Seconds since 1970, as the API counts."""
    return int(moment.timestamp())


def integer(params: Params, name: str, default: int = 0) -> int:
    """Read a number; what is none counts as absent, as on the real server."""
    try:
        return int(params.get(name, default))
    except ValueError:
        return default


def keyboard(markup: Mapping[str, Any] | None) -> Keyboard:
    """The rows of an inline keyboard."""
    if markup is None:
        return ()
    rows = markup["inline_keyboard"]
    return tuple(tuple((b["text"], b.get("callback_data", b.get("url", ""))) for b in row) for row in rows)


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a picture; None for what is none."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
