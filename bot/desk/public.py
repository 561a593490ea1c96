"""People who write to the bot in chat: the privacy notice first, requests as by mail, no documents, nothing of others.

A message opens or continues a case as a mail would. Whoever writes is known by the number of the chat alone; a name
proves nothing. Edits are kept beside the first text. That a message was taken back is noted where the platform tells
(Matrix; Telegram never does).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlmodel import col, select

from bot import casework, continuation, intake
from bot.app import App
from bot.channels.chat import FIRST_NUMBER, Chat
from handlers.types import Arrival, Channel, Notice
from store.models import Case, Marker, Message, Sighting

PUBLIC = {
    "fr": {
        "privacy": (
            "Bonjour. Vous écrivez à l'assistant du délégué à la protection des données de {organisation}. "
            "Vos messages passent par Telegram, un service tiers établi hors de l'Union européenne : n'envoyez ici ni pièce "
            "d'identité, ni donnée de santé. Ils servent à traiter votre demande (art. 12 à 22 du RGPD) et sont "
            "conservés de façon chiffrée. Vous pouvez aussi écrire à {email}."
        ),
        "privacy_matrix": (
            "Bonjour. Vous écrivez à l'assistant du délégué à la protection des données de {organisation}. "
            "Vos messages passent par un serveur Matrix : n'envoyez ici ni pièce d'identité, ni donnée de santé. "
            "Ils servent à traiter votre demande (art. 12 à 22 du RGPD) et sont conservés de façon chiffrée. "
            "Vous pouvez aussi écrire à {email}."
        ),
        "files": (
            "Merci de ne pas envoyer de fichier ici : écrivez à {email}, cette voie est plus sûre. Rien n'a été gardé."
        ),
        "text_only": "Je ne lis que du texte : écrivez-moi votre demande en quelques mots, ou à {email}.",
        "closed": "Ce compte est réservé à l'équipe. Pour toute demande sur vos données, écrivez à {email}.",
        "link_failed": "Ce code n'est pas valable : il a expiré, ou il a déjà servi.",
        "linked": "Compte relié au bureau ({key}). /help dit ce que vous pouvez faire.",
    },
    "en": {
        "privacy": (
            "Hello. You are writing to the assistant of the data protection officer of {organisation}. "
            "Your messages pass through Telegram, a third party outside the European Union: please send no identity document "
            "and no health data here. They are used to handle your request (art. 12 to 22 GDPR) and are kept "
            "encrypted. You may also write to {email}."
        ),
        "privacy_matrix": (
            "Hello. You are writing to the assistant of the data protection officer of {organisation}. "
            "Your messages pass through a Matrix server: please send no identity document and no health data here. "
            "They are used to handle your request (art. 12 to 22 GDPR) and are kept encrypted. "
            "You may also write to {email}."
        ),
        "files": "Please send no files here: write to {email}, which is safer. Nothing was kept.",
        "text_only": "I read text only: tell me what you want in a few words, or write to {email}.",
        "closed": "This account is for the team only. For any request about your data, write to {email}.",
        "link_failed": "This code is not valid: it has expired, or was used already.",
        "linked": "Account linked to the desk ({key}). /help says what you can do.",
    },
}
FILES = ("photo", "document", "video", "animation", "audio")


def language_of(message: dict[str, Any]) -> str:
    """The language to greet in: French unless the person's program is in another one."""
    code = str((message.get("from") or {}).get("language_code") or "fr")
    return "fr" if code.startswith("fr") else "en"


class PublicChat:
    """What is done with a message of somebody who does not work at the desk."""

    def __init__(self, app: App, channel: Chat) -> None:
        self.app = app
        self.channel = channel

    async def written(self, message: dict[str, Any], update_id: int) -> None:
        """Record a request, and say what has to be said: the privacy notice once, no files, text only."""
        chat_id = int(message["chat"]["id"])
        matrix = chat_id >= FIRST_NUMBER
        settings = self.app.settings.matrix if matrix else self.app.settings.telegram
        words = PUBLIC[language_of(message)]
        facts = {"organisation": self.app.settings.organisation.name, "email": self.app.settings.mail.address}
        greeted = await asyncio.to_thread(self._greeted, chat_id)
        if settings is None or not settings.public:
            if not greeted:
                await self.channel.send_text(chat_id, words["closed"].format(**facts))
                await asyncio.to_thread(self._note_greeting, chat_id)
            return
        text = str(message.get("text", "")).strip()
        with_file = any(kind in message for kind in FILES)
        body = str(message.get("caption", "")).strip() if with_file else text
        if body and not body.startswith("/"):
            # Recorded before anything is said: what cannot be sent now must not cost the request.
            arrival = arrival_of(self.app, message, body, update_id)
            await asyncio.to_thread(intake.record, self.app, arrival, now=self.app.clock.now())
        if not greeted or text.startswith("/start"):
            await self.channel.send_text(chat_id, words["privacy_matrix" if matrix else "privacy"].format(**facts))
            await asyncio.to_thread(self._note_greeting, chat_id)
        if with_file:
            await self.channel.send_text(chat_id, words["files"].format(**facts))
        if with_file or text.split(" ")[0].lower() in ("/mail", "/courriel"):
            await asyncio.to_thread(self._go_on_by_mail, chat_id)
        if not text and not with_file:
            await self.channel.send_text(chat_id, words["text_only"].format(**facts))

    def withdrawn(self, message: dict[str, Any]) -> None:
        """Note that somebody took a message back. The request stands, until the person says otherwise; the desk is told."""
        chat_id, now = int(message["chat"]["id"]), self.app.clock.now()
        place = _place(self.app, chat_id, {"message_id": message["message_id"]})
        with self.app.database.transaction() as session:
            query = select(Message).join(Sighting, col(Sighting.message_id) == Message.id)
            found = session.exec(
                query.where(Sighting.source == platform_of(chat_id), Sighting.external_id == place)
            ).first()
            case = session.get(Case, found.case_id) if found is not None and found.case_id is not None else None
            if case is None or found is None:
                return
            data = {"message": found.id, "at": int(message.get("date", 0))}
            casework.note(session, self.app, case, "message_withdrawn", actor="person", now=now, data=data)
            casework.tell_desk(
                session, self.app, Notice("message_withdrawn"), subject=f"case:{case.id}", key_id=case.key_id,
                step=f"withdrawn-{found.id}", now=now, case=case,
            )  # fmt: skip

    def _go_on_by_mail(self, chat_id: int) -> None:
        """Give the person a code by which the case goes on by mail, where there is a case."""
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            case = continuation.of_chat(session, self.app, chat_id)
            if case is not None:
                continuation.offer(session, self.app, case, by="bot", now=now)

    def _greeting_key(self, chat_id: int) -> str:
        return f"privacy-notice:{self.app.vault.address_hash(f'chat:{chat_id}')[:32]}"

    def _greeted(self, chat_id: int) -> bool:
        with self.app.database.reading() as session:
            return session.get(Marker, self._greeting_key(chat_id)) is not None

    def _note_greeting(self, chat_id: int) -> None:
        with self.app.database.transaction() as session:
            session.merge(Marker(key=self._greeting_key(chat_id), at=self.app.clock.now()))


def platform_of(chat_id: int) -> Channel:
    """Name the platform that a chat's number belongs to."""
    return "matrix" if chat_id >= FIRST_NUMBER else "telegram"


def _place(app: App, chat_id: int, message: dict[str, Any]) -> str:
    """Return where a message lies, as a keyed hash."""
    return app.vault.address_hash(f"chat:{chat_id}:{message['message_id']}:{message.get('edit_date', 0)}")


def arrival_of(app: App, message: dict[str, Any], text: str, update_id: int) -> Arrival:
    """An ``Arrival`` from a chat message: its time is the platform's, its sender the chat, never a display name.

    Where it lay is kept as a keyed hash: the number of somebody's chat is personal, and stands nowhere in the clear.
    """
    chat_id = int(message["chat"]["id"])
    sender = message["from"]
    name = " ".join(str(sender.get(part, "")) for part in ("first_name", "last_name")).strip()
    at = datetime.fromtimestamp(int(message.get("edit_date") or message["date"]), UTC)
    raw = json.dumps(message, ensure_ascii=False).encode()
    platform = platform_of(chat_id)
    identity = f"{platform}:{chat_id}:{message['message_id']}:{text}"
    place = _place(app, chat_id, message)
    return Arrival(
        channel=platform,
        source=platform,
        external_id=place,
        received_at=at,
        raw=raw,
        content_key=hashlib.sha256(identity.encode()).hexdigest(),
        message_id=f"{platform}.{update_id}",
        from_addr=f"chat:{chat_id}",
        from_name=name,
        text=text,
        new_text=text,
        problems=("edited",) if "edit_date" in message else (),
    )
