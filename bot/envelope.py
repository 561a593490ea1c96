"""What would leave, to the byte: the mail, the sheet for the post or the chat's message, and its digest.

The digest is made when a letter is drafted, from the message as it would go over the wire: every header (``Message-ID`` and
the parts' boundary are fixed by then), every part, the recipient of the envelope and the way it goes. Only the line
``Date:`` is left out, since it says when the letter was sent. Cards show this digest, a decision names it, and before a
letter goes over the wire it is compared once more: what leaves is what was approved.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from bot.app import App
from bot.letters import mime_bytes
from store.cases import person_of
from store.drafts import LetterText
from store.models import Case

_DATE = re.compile(rb"^Date:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*", re.MULTILINE)


@dataclass(frozen=True)
class Envelope:
    """A letter ready to leave."""

    channel: str
    """``mail``, ``chat`` or ``post``."""
    recipient: str
    """A mail address, ``chat:<number>``, or ``post``."""
    payload: bytes

    def digest(self) -> str:
        """Return the SHA-256 (hexadecimal) over way, recipient and content, whenever it was sent."""
        return digest_of(self.channel, self.recipient, self.payload)


def digest_of(channel: str, recipient: str, payload: bytes) -> str:
    """Return the digest of what goes this way to this recipient; the date of a mail does not count."""
    if channel == "mail":
        head, blank, body = payload.partition(b"\r\n\r\n")
        payload = _DATE.sub(b"", head + b"\r\n", count=1) + blank + body
    named = json.dumps([channel, recipient]).encode()
    return hashlib.sha256(named + b"\n" + payload).hexdigest()


def envelope(
    session: Session,
    app: App,
    case: Case,
    letter: LetterText,
    *,
    message_id: str,
    now: datetime,
    automatic: bool = False,
) -> Envelope:
    """Return *letter* as it would leave at *now*: by mail where there is an address, else in its chat, else by post."""
    if letter.recipient:
        mime = mime_bytes(app, letter, message_id=message_id, now=now, automatic=automatic)
        return Envelope("mail", letter.recipient, mime)
    if letter.chat_id is not None:
        payload = json.dumps({"chat_id": letter.chat_id, "text": letter.text}, ensure_ascii=False).encode()
        return Envelope("chat", f"chat:{letter.chat_id}", payload)
    # No address and no chat: the letter goes by post, and counts as sent once a person says that it went.
    postal = person_of(session, app.vault, case).postal
    return Envelope("post", "post", (f"{postal}\n\n{letter.text}" if postal else letter.text).encode())
