"""The desk in chat, and the chat channel for the public: translates updates to actions and cards to messages.

Only configured user numbers work at the desk, whatever chat they press in; names prove nothing. An update is stored
before Telegram is told that it
arrived, and a press is answered after its action was committed, with what really happened.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select, update

from bot import casework
from bot.app import App
from bot.channels.chat import (
    FIRST_NUMBER,
    Chat,
    ChatError,
    ChatMessageGone,
    ChatRefused,
    ChatUnavailable,
    ChatUncertain,
    split_text,
)
from bot.desk import roster
from bot.desk.actions import ACTIONS, Ask, Told, perform
from bot.desk.basics import Refused, case_of, changed_since, draft_of, permits
from bot.desk.cards import (
    SHOWN,
    Offer,
    View,
    allowed,
    choices,
    day,
    diff_text,
    draft_text,
    more_offers,
    needed,
    time_left,
    view_of,
)  # fmt: skip
from bot.desk.public import PUBLIC, PublicChat, language_of
from bot.desk.words import RIGHTS, STATES, WORDS, word
from bot.sending import chat_letter, settle_chat
from bot.settings import User
from handlers.types import Notice
from store import cases, health, messages, outbox
from store.models import Button, Card, Case, ChatUpdate, Dialog, Draft, OutboxItem

log = logging.getLogger("dpobot.chat")

DIALOG_FOR = timedelta(hours=4)
MORE_COMES = 3900
"""A message this long was probably cut by Telegram (4,096): the rest of the text follows."""
MENU_ROW = 2
LARGEST_FILE = 200_000
"""Bytes of a text file that is taken for a letter."""
SUPERSEDED = "superseded"
DESK_COMMANDS = {"/new": "manual_intake", "/absence": "set_absence", "/export": "export_person"}
"""Commands that stand for an action of the desk as a whole."""

DESK = {
    "fr": {
        "help": "/cases – dossiers ouverts\n/sort – messages à trier\n"
        "/ignored – classés sans suite (7 jours)\n/case RÉF – un dossier\n/cancel – annuler la saisie\n"
        "/new – saisir une demande\n/absence – absence et remplaçant\n/export – ce qui est détenu sur une personne",
        "desk": "Bureau",
        "role": "Votre rôle ne le permet pas.",
        "file": "Je n'ai pas pu lire ce fichier : envoyez un texte (UTF-8, 200 Ko au plus) ou collez la lettre.",
        "no_case": "Aucun dossier {ref}.",
        "empty": "Rien.",
        "unknown_button": "Cette carte n'est plus à jour : voyez la plus récente.",
        "expired": "Ce bouton a expiré : demandez la carte avec /case.",
        "stranger": "Vous n'êtes pas autorisé.",
        "choose": "Choisissez :",
        "cancelled": "Saisie annulée.",
        "more": "Reçu ; la suite ? (/fin s'il n'y en a pas)",
        "below": "{subject} : voir plus bas.",
        "timeout": "Trop tard : reprenez depuis la carte.",
        "done": "Déjà fait par {user}.",
        "elsewhere": "Le bureau est dans l'autre salon : écrivez là-bas.",
        "other_chat": "Ce bouton appartient à une autre conversation.",
    },
    "en": {
        "help": "/cases – open cases\n/sort – messages to sort\n"
        "/ignored – filed as no request (7 days)\n/case REF – one case\n/cancel – cancel what you are typing\n"
        "/new – enter a request\n/absence – absence and deputy\n/export – what is held on a person",
        "desk": "Desk",
        "role": "Your role does not allow this.",
        "file": "I could not read this file: send a text (UTF-8, 200 kB at most), or paste the letter.",
        "no_case": "No case {ref}.",
        "empty": "Nothing.",
        "unknown_button": "This card is out of date: see the newest one.",
        "expired": "This button has expired: ask for the card with /case.",
        "stranger": "You are not authorised.",
        "choose": "Choose:",
        "cancelled": "Cancelled.",
        "more": "Received; the rest? (/done if there is none)",
        "below": "{subject}: see below.",
        "timeout": "Too late: start again from the card.",
        "done": "Done already by {user}.",
        "elsewhere": "The desk is in the other room: write there.",
        "other_chat": "This button belongs to another chat.",
    },
}


class ChatDesk:
    """The desk's users and the public, on one bot account."""

    def __init__(self, app: App, channel: Chat) -> None:
        self.app = app
        self.channel = channel
        self.language = app.settings.desk.language
        self.words = DESK[self.language]
        self._turn = asyncio.Lock()
        self.public = PublicChat(app, channel)

    # --- updates: stored first, handled after

    def last_update_id(self) -> int | None:
        """Return the update stored last, None when there is none yet."""
        with self.app.database.reading() as session:
            own = select(ChatUpdate.update_id).where(col(ChatUpdate.update_id) < FIRST_NUMBER)
            query = own.order_by(col(ChatUpdate.received_at).desc(), col(ChatUpdate.update_id).desc())
            return session.exec(query.limit(1)).first()

    def store_update(self, update_id: int, payload: dict[str, Any]) -> None:
        """Keep an update, sealed; an update that came before is left as it is."""
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            if session.get(ChatUpdate, update_id) is not None:
                return
            key_id = self.app.vault.new_key(session, now=now)
            sealed = self.app.vault.seal_json(session, key_id, payload, "update")
            session.add(ChatUpdate(update_id=update_id, key_id=key_id, payload_sealed=sealed, received_at=now))

    def unhandled(self) -> list[int]:
        """Return the updates that were stored but not handled when the program stopped; given up after three tries."""
        with self.app.database.reading() as session:
            query = select(ChatUpdate.update_id).where(
                col(ChatUpdate.handled_at).is_(None), col(ChatUpdate.attempts) < 3
            )
            return list(session.exec(query.order_by(col(ChatUpdate.received_at), col(ChatUpdate.update_id))))

    async def take_up(self) -> None:
        """Handle what was stored and not handled: after a crash, or after an error that has passed.

        What fails three times is told to the desk, by its number, and left for a person to look at.
        """
        for update_id in await asyncio.to_thread(self.unhandled):
            try:
                await self.handle(update_id)
            except Exception as error:  # noqa: BLE001 - one update must not keep the others from being handled
                log.error("chat.update_failed", extra={"update_id": update_id, "problem": type(error).__name__})
        await asyncio.to_thread(self._give_up)

    def _give_up(self) -> None:
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            query = select(ChatUpdate).where(
                col(ChatUpdate.handled_at).is_(None), col(ChatUpdate.attempts) >= 3, ChatUpdate.problem == ""
            )
            for row in session.exec(query).all():
                row.problem = "given-up"
                session.add(row)
                casework.tell_system(
                    session, self.app, "chat_update_failed", part="telegram", step=f"update-{row.update_id}", now=now,
                    facts={"update": row.update_id},
                )  # fmt: skip

    async def handle(self, update_id: int) -> None:
        """Handle one stored update, once."""
        async with self._turn:
            await self._handle(update_id)

    async def _handle(self, update_id: int) -> None:
        payload = await asyncio.to_thread(self._begin, update_id)
        if payload is None:
            return
        try:
            if "callback_query" in payload:
                await self._pressed(payload["callback_query"])
            else:
                await self._written(payload.get("message") or payload.get("edited_message") or {}, update_id)
        except ChatError as error:
            # What was asked is done or not done by now; only telling it failed. The card will show the truth.
            log.warning("chat.answer_lost", extra={"update_id": update_id, "problem": type(error).__name__})
        await asyncio.to_thread(self._end, update_id)

    def _begin(self, update_id: int) -> dict[str, Any] | None:
        with self.app.database.transaction() as session:
            row = session.get(ChatUpdate, update_id)
            if row is None or row.handled_at is not None:
                return None
            row.attempts += 1
            session.add(row)
            payload: dict[str, Any] = self.app.vault.open_json(session, row.key_id, row.payload_sealed, "update")
            return payload

    def _end(self, update_id: int) -> None:
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            row = session.get(ChatUpdate, update_id)
            assert row is not None
            row.handled_at = now
            session.add(row)
            # What it said lives on in the case; the raw update is not needed any more.
            self.app.vault.destroy_key(session, row.key_id, now=now)

    # --- presses

    async def _pressed(self, query: dict[str, Any]) -> None:
        callback_id, key = str(query["id"]), str(query.get("data", ""))
        user = await asyncio.to_thread(self._user, int(query["from"]["id"]))
        if user is None:
            log.warning("chat.stranger_pressed")
            await self.channel.answer(callback_id, self.words["stranger"], alert=True)
            return
        pressed = query.get("message") or {}
        chat_id, message_id = int(pressed.get("chat", {}).get("id", 0)), int(pressed.get("message_id", 0))
        button = await asyncio.to_thread(self._button, key)
        now = self.app.clock.now()
        if button is None:
            await self.channel.answer(callback_id, self.words["unknown_button"], alert=True)
        elif button.chat_id != chat_id or chat_id != user.chat_id:
            await self.channel.answer(callback_id, self.words["other_chat"], alert=True)
        elif button.result == SUPERSEDED or button.chat_message_id not in (0, message_id):
            await self.channel.answer(callback_id, await asyncio.to_thread(self._outdated, button), alert=True)
        elif button.expires_at < now:
            await self.channel.answer(callback_id, self.words["expired"], alert=True)
        else:
            await self._act(callback_id, button, user, chat_id)

    def _user(self, account: int) -> roster.Seat | None:
        with self.app.database.reading() as session:
            return roster.seated(session, self.app, account)

    def _outdated(self, button: Button) -> str:
        """Say what came between an old card and now; at the least, that there is a newer one."""
        ask = self._ask(button)
        with self.app.database.reading() as session:
            try:
                case = draft_of(session, self.app, ask)[0] if button.draft_id else case_of(session, self.app, ask)
            except Refused as refusal:
                return str(refusal)
            changed = changed_since(session, self.app, case, button.seen) if button.seen is not None else ""
        return f"{self.words['unknown_button']} {changed}".strip()

    def _button(self, key: str) -> Button | None:
        with self.app.database.reading() as session:
            return session.get(Button, key)

    async def _act(self, callback_id: str, button: Button, user: roster.Seat, chat_id: int) -> None:
        if button.action in SHOWN:
            if permits(user, needed(button.action)):
                await self._show(button, chat_id)
                await self.channel.answer(callback_id, "")
            else:
                await self.channel.answer(callback_id, self.words["role"], alert=True)
            return
        if button.used_at is not None:
            await self.channel.answer(callback_id, self.words["done"].format(user=button.used_by), alert=True)
            return
        menu = allowed(await asyncio.to_thread(self._menu, button), user)
        if menu:
            title = await asyncio.to_thread(self._title, button.subject)
            await self._offer(chat_id, button.subject, f"{title} – {self.words['choose']}", menu)
            await self.channel.answer(callback_id, "")
            return
        action = ACTIONS.get(button.action)
        if action is not None and action.text == "required":
            await self._prompt(button, user, chat_id, action.asked(self.language))
            await self.channel.answer(callback_id, "")
            return
        told = await asyncio.to_thread(perform, self.app, self._ask(button), user=user)
        await self.channel.answer(callback_id, told.text, alert=not told.done)
        if told.reason_helps and action is not None and not told.done:
            # What is refused for want of a reason is asked for one; the button still works, nothing has happened yet.
            await self._prompt(button, user, chat_id, f"{told.text}\n{action.asked(self.language)}")
        elif len(told.text) > 180:
            await self.channel.send_text(chat_id, told.text)

    async def _prompt(self, button: Button, user: roster.Seat, chat_id: int, asked: str) -> None:
        """Ask for a text, and wait for it: the next new message of this user in this chat."""
        title = await asyncio.to_thread(self._title, button.subject)
        prompt_id = await self.channel.send_text(chat_id, f"{title} – {asked}", force_reply=True)
        await asyncio.to_thread(self._open_dialog, button, user, chat_id, prompt_id)

    @staticmethod
    def _ask(button: Button, text: str = "") -> Ask:
        return Ask(
            button.action, button.subject, button.draft_id, button.revision, button.digest, button.argument, text,
            button=button.key, seen=button.seen,
        )  # fmt: skip

    async def _offer(self, chat_id: int, subject: str, text: str, offers: Sequence[Sequence[Offer]]) -> None:
        """Send a message with buttons under it, and bind them to it."""
        rows = await asyncio.to_thread(self._keyboard, subject, chat_id, offers)
        message_id = await self.channel.send_text(chat_id, text, buttons=rows)
        await asyncio.to_thread(self._bind, rows, message_id)

    def _bind(self, rows: Sequence[Sequence[tuple[str, str]]], message_id: int) -> None:
        """Tie buttons to the message they stand under: pressed under another one, they do nothing."""
        keys = [key for row in rows for _, key in row]
        with self.app.database.transaction() as session:
            session.exec(update(Button).where(col(Button.key).in_(keys)).values(chat_message_id=message_id))

    def _menu(self, button: Button) -> tuple[tuple[Offer, ...], ...]:
        """The choices behind a button that needs one: a right, a kind of letter, the actions used more rarely."""
        if button.action == "more":
            with self.app.database.reading() as session:
                return more_offers(session, self.app, button.subject)
        if button.argument:
            return ()
        offers = [
            Offer(made.action, made.label, button.draft_id, button.revision, button.digest, made.argument, button.seen)
            for made in choices(button.action, self.language)
        ]
        return tuple(tuple(offers[i : i + MENU_ROW]) for i in range(0, len(offers), MENU_ROW))

    async def _show(self, button: Button, chat_id: int) -> None:
        text = await asyncio.to_thread(self._whole_draft, button)
        for part in split_text(text):
            await self.channel.send_text(chat_id, part)

    def _changes(self, button: Button) -> str:
        """What an edit changed, word by word, masked like everything in chat."""
        with self.app.database.reading() as session:
            draft = session.get(Draft, button.draft_id)
            case = session.get(Case, draft.case_id) if draft else None
            if draft is None or case is None:
                return ""
            return diff_text(session, self.app, case, draft, masked=self.app.settings.desk.mask)

    def _whole_draft(self, button: Button) -> str:
        with self.app.database.reading() as session:
            draft = session.get(Draft, button.draft_id)
            case = session.get(Case, draft.case_id) if draft else None
            if draft is None or case is None:
                return self.words["unknown_button"]
            made = diff_text if button.action == "diff" else draft_text
            return made(session, self.app, case, draft, masked=self.app.settings.desk.mask)

    # --- dialogs: a text that is awaited

    def _open_dialog(self, button: Button, user: roster.Seat, chat_id: int, prompt_id: int) -> None:
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            row = session.get(Dialog, user.account) or Dialog(
                user_id=user.account, action="", subject="", expires_at=now
            )
            row.action, row.subject, row.argument = button.action, button.subject, button.key
            row.draft_id, row.revision, row.digest = button.draft_id, button.revision, button.digest
            row.text_sealed, row.key_id, row.expires_at = None, None, now + DIALOG_FOR
            row.chat_id, row.prompt_id = chat_id, prompt_id
            session.add(row)

    def _title(self, subject: str) -> str:
        """What an awaited text is about, so that no text meant for one case is typed into another."""
        kind, _, number = subject.partition(":")
        if kind == "desk":
            return self.words["desk"]
        if kind != "case":
            return f"{WORDS[self.language]['item']} #{number}"
        with self.app.database.reading() as session:
            case = session.get(Case, int(number))
            return case.reference if case is not None else subject

    def _dialog(self, user: roster.Seat) -> Dialog | None:
        with self.app.database.reading() as session:
            return session.get(Dialog, user.account)

    def _close_dialog(self, user: roster.Seat) -> bool:
        with self.app.database.transaction() as session:
            row = session.get(Dialog, user.account)
            if row is None:
                return False
            if row.key_id is not None:
                self.app.vault.destroy_key(session, row.key_id, now=self.app.clock.now())
            session.delete(row)
            return True

    def _collect(self, user: roster.Seat, part: str) -> str | None:
        """Add a part of the awaited text; return the whole once it is complete, None while more is to come."""
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            row = session.get(Dialog, user.account)
            assert row is not None
            before = ""
            if row.key_id is not None and row.text_sealed is not None:
                before = self.app.vault.open(session, row.key_id, row.text_sealed, "dialog").decode()
            if part.strip().lower() in ("/fin", "/done"):
                return before
            whole = f"{before}\n{part}" if before else part
            if len(part) < MORE_COMES:
                return whole
            row.key_id = row.key_id or self.app.vault.new_key(session, now=now)
            row.text_sealed = self.app.vault.seal(session, row.key_id, whole.encode(), "dialog")
            session.add(row)
            return None

    async def _answer_dialog(self, dialog: Dialog, user: roster.Seat, chat_id: int, text: str) -> None:
        if dialog.expires_at < self.app.clock.now():
            await asyncio.to_thread(self._close_dialog, user)
            await self.channel.send_text(chat_id, self.words["timeout"])
            return
        whole = await asyncio.to_thread(self._collect, user, text)
        if whole is None:
            await self.channel.send_text(chat_id, self.words["more"])
            return
        button = await asyncio.to_thread(self._button, dialog.argument)
        if button is None:
            await self.channel.send_text(chat_id, self.words["unknown_button"])
            return
        ask = replace(self._ask(button, whole), masked=self.app.settings.desk.mask)
        told: Told = await asyncio.to_thread(perform, self.app, ask, user=user)
        await asyncio.to_thread(self._close_dialog, user)
        for part in split_text(told.text):
            await self.channel.send_text(chat_id, part)
        if told.done and dialog.action in ("edit", "fill"):
            shown = await asyncio.to_thread(self._changes, button)
            for part in split_text(shown):
                await self.channel.send_text(chat_id, part)

    # --- what desk users and others write

    async def _written(self, message: dict[str, Any], update_id: int) -> None:
        sender = message.get("from") or {}
        chat = message.get("chat") or {}
        if not sender or not chat:
            return
        if chat.get("type") != "private":
            # What is said at the desk is for one pair of eyes; a group has others, and members who come and go.
            return
        user = await asyncio.to_thread(self._user, int(sender["id"]))
        telegram = int(sender["id"]) < FIRST_NUMBER
        if user is None and telegram and await self._linked(message, int(sender["id"])) is not None:
            return
        if user is not None and int(chat["id"]) != user.chat_id:
            await self.channel.send_text(int(chat["id"]), self.words["elsewhere"])
        elif user is not None:
            await self._from_desk(message, user, int(chat["id"]))
        elif not sender.get("is_bot"):
            await self.public.written(message, update_id)

    @staticmethod
    def _answers(dialog: Dialog, message: dict[str, Any], chat_id: int) -> bool:
        """Whether a message may be the text a dialog waits for: new, in the same chat, and no reply to something else."""
        replied = message.get("reply_to_message", {}).get("message_id")
        return "edit_date" not in message and chat_id == dialog.chat_id and replied in (None, dialog.prompt_id)

    async def _linked(self, message: dict[str, Any], account: int) -> User | None:
        """Link the account of somebody who sends the one-time code of a desk user (``/start CODE``)."""
        command, _, code = str(message.get("text", "")).strip().partition(" ")
        if command != "/start" or not code.strip():
            return None

        def link() -> User | None:
            with self.app.database.transaction() as session:
                return roster.link(session, self.app, code, account, now=self.app.clock.now())

        user = await asyncio.to_thread(link)
        words = PUBLIC[self.language if user else language_of(message)]
        if user is not None:
            log.info("chat.account_linked", extra={"user": user.key})
            await self.channel.send_text(int(message["chat"]["id"]), words["linked"].format(key=user.key))
        return user

    async def _from_desk(self, message: dict[str, Any], user: roster.Seat, chat_id: int) -> None:
        text = str(message.get("text", "")).strip()
        dialog = await asyncio.to_thread(self._dialog, user)
        if dialog is not None and not self._answers(dialog, message, chat_id):
            dialog = None
        document = message.get("document")
        if dialog is not None and document is not None:
            read = await self._text_file(document)
            if read is None:
                await self.channel.send_text(chat_id, self.words["file"])
                return
            text = read
        command, _, argument = text.partition(" ")
        command = command.partition("@")[0].lower()
        if document is None and dialog is not None and command in ("/fin", "/done"):
            await self._answer_dialog(dialog, user, chat_id, text)
        elif command == "/cancel":
            await asyncio.to_thread(self._close_dialog, user)
            await self.channel.send_text(chat_id, self.words["cancelled"])
        elif command == "/cases":
            await self._list(chat_id, self._open_cases)
        elif command == "/sort":
            await self._list(chat_id, self._to_sort)
        elif command == "/ignored":
            await self._list(chat_id, self._ignored)
        elif command == "/case" and argument:
            await self._find(chat_id, user, argument)
        elif command == "/item" and argument:
            await self._item(chat_id, user, argument)
        elif command == "/desk":
            await self._desk_menu(chat_id, user)
        elif command in DESK_COMMANDS and document is None:
            await self._desk_prompt(chat_id, user, DESK_COMMANDS[command], argument)
        elif dialog is not None and text and (document is not None or not text.startswith("/")):
            await self._answer_dialog(dialog, user, chat_id, text)
        elif text:
            await self.channel.send_text(chat_id, self.words["help"])

    async def _text_file(self, document: dict[str, Any]) -> str | None:
        """Return the text of a small text file; None for anything else, which is no letter."""
        if int(document.get("file_size", 0)) > LARGEST_FILE:
            return None
        content = await self.channel.get_file(document["file_id"], LARGEST_FILE)
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    async def _desk_menu(self, chat_id: int, user: User) -> None:
        """What concerns no single case: entering a request, an absence, what is held on a person."""
        offers = tuple(
            (Offer(action.name, action.button(self.language)),) for action in ACTIONS.values() if action.on == "desk"
        )
        await self._offer(chat_id, "desk", self.words["choose"], allowed(offers, user))

    async def _desk_prompt(self, chat_id: int, user: User, name: str, typed: str) -> None:
        """Do an action of the desk with what was typed after its command, or ask for it."""
        action = ACTIONS[name]
        if not permits(user, action.needs):
            await self.channel.send_text(chat_id, self.words["role"])
        elif typed.strip():
            told = await asyncio.to_thread(perform, self.app, Ask(name, "desk", text=typed.strip()), user=user)
            for part in split_text(told.text):
                await self.channel.send_text(chat_id, part)
        else:
            await self._offer(chat_id, "desk", self.words["choose"], ((Offer(name, action.button(self.language)),),))

    async def _list(self, chat_id: int, make: Any) -> None:
        lines = await asyncio.to_thread(make)
        for part in split_text("\n".join(lines) or self.words["empty"]):
            await self.channel.send_text(chat_id, part)

    def _open_cases(self) -> list[str]:
        app, language = self.app, self.language
        today = casework.today(app, app.clock.now())
        with app.database.reading() as session:
            return [
                f"{case.reference} – {word(RIGHTS, language, case.primary)} – {word(STATES, language, case.state)} – "
                f"{day(case.due, app)} {time_left(case.due, today, WORDS[language])}".strip()
                for case in cases.listed(session, open_only=True)
            ]

    def _to_sort(self) -> list[str]:
        with self.app.database.reading() as session:
            return [
                f"/item {m.id} – {word(RIGHTS, self.language, m.primary)} – {day(m.received_at, self.app)} ({m.reason})"
                for m in messages.waiting_for_a_person(session)
            ]

    def _ignored(self) -> list[str]:
        since = self.app.clock.now() - timedelta(days=7)
        with self.app.database.reading() as session:
            return [
                f"/item {m.id} – {word(RIGHTS, self.language, m.primary)} – {day(m.received_at, self.app)}"
                for m in messages.ignored_since(session, since)[:50]
            ]

    async def _find(self, chat_id: int, user: User, reference: str) -> None:
        def find() -> str | None:
            with self.app.database.reading() as session:
                case = cases.by_reference(session, reference)
                return f"case:{case.id}" if case else None

        subject = await asyncio.to_thread(find)
        if subject is None:
            await self.channel.send_text(chat_id, self.words["no_case"].format(ref=reference[:40]))
            return
        await self._post(subject, chat_id, user, notice="", anew=True)

    async def _item(self, chat_id: int, user: User, number: str) -> None:
        if number.strip().isdigit():
            await self._post(f"message:{number.strip()}", chat_id, user, notice="", anew=True)

    # --- cards and letters out

    async def deliver_next(self) -> bool:
        """Deliver the next notice to the desk or letter by chat that is due; False when there is none."""
        item = await asyncio.to_thread(self._claim)
        if item is None:
            return False
        with_key = await asyncio.to_thread(self._opened, item)
        if item.channel == "chat":
            await self._letter(item, with_key)
        else:
            await self._notice(item, json.loads(with_key))
        return True

    def _claim(self) -> OutboxItem | None:
        with self.app.database.transaction() as session:
            return outbox.claim(session, channels=("desk", "chat"), now=self.app.clock.now())

    def _opened(self, item: OutboxItem) -> bytes:
        with self.app.database.reading() as session:
            return outbox.opened(session, self.app.vault, item)[1]

    async def _letter(self, item: OutboxItem, payload: bytes) -> None:
        chat_id, text = chat_letter(payload)
        parts = split_text(text)
        gone = 0
        try:
            for part in parts:
                await self.channel.send_text(chat_id, part, key=f"{item.key}:{gone}")
                gone += 1
        except ChatError as error:
            await self._not_sent(item, error, gone=0 if self.channel.repeats(chat_id) else gone)
        else:
            await asyncio.to_thread(settle_chat, self.app, item, "sent", response=f"chat, {len(parts)} messages")

    async def _not_sent(self, item: OutboxItem, error: ChatError, *, gone: int) -> None:
        """A letter of which a part has gone may not be sent again from its beginning: a person looks."""
        if gone or isinstance(error, ChatUncertain):
            await asyncio.to_thread(settle_chat, self.app, item, "uncertain", error=f"{error} ({gone} parts sent)")
        elif isinstance(error, ChatUnavailable):
            await asyncio.to_thread(self._later, item, error)
        else:
            await asyncio.to_thread(settle_chat, self.app, item, "failed", error=str(error))

    def _later(self, item: OutboxItem, error: ChatUnavailable) -> None:
        now = self.app.clock.now()
        wait = max(outbox.retry_delay(item.attempts), timedelta(seconds=error.retry_after or 0))
        with self.app.database.transaction() as session:
            outbox.finish(
                session, item_id=item.id or 0, status="pending", now=now, error=str(error), again_at=now + wait
            )
            health.failed(session, part="telegram", now=now, problem=str(error))

    async def _notice(self, item: OutboxItem, facts: dict[str, Any]) -> None:
        seats = await asyncio.to_thread(self._on_duty)
        problem, shown = "", 0
        later: ChatUnavailable | None = None
        for user in seats:
            try:
                await self._post(
                    facts["subject"], user.chat_id, user, notice=facts["kind"],
                    anew=facts["kind"] != "refresh", decided_at=item.created_at, facts=facts["facts"],
                    urgent=bool(facts["urgent"]), key=item.key,
                )  # fmt: skip
                shown += 1
            except ChatRefused as error:
                # One user who blocked the bot must not keep the others from being told.
                problem = str(error)
                log.warning("chat.user_unreachable", extra={"user": user.key})
            except ChatUnavailable as error:
                # Nor one platform that is down the other.
                later = error
            except ChatUncertain as error:
                # A card seen twice harms nobody, a card never seen may cost the deadline.
                later = ChatUnavailable(str(error))
        if later is not None:
            await asyncio.to_thread(self._later, item, later)
            return
        await asyncio.to_thread(self._delivered, item, facts, problem, shown)

    def _on_duty(self) -> tuple[roster.Seat, ...]:
        """Where a notice goes to: everybody who is not away and has a chat."""
        with self.app.database.reading() as session:
            return roster.seats_on_duty(session, self.app, casework.today(self.app, self.app.clock.now()))

    def _delivered(self, item: OutboxItem, facts: dict[str, Any], problem: str, shown: int) -> None:
        """Note that a card was shown; where nobody could be shown it, the notice goes by mail instead."""
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            response = "shown" if shown else "by mail"
            outbox.finish(session, item_id=item.id or 0, status="sent", now=now, response=response, error=problem)
            if shown:
                health.worked(session, part="telegram", now=now)
            elif facts["kind"] != "refresh":
                case = session.get(Case, item.case_id) if item.case_id is not None else None
                notice = Notice(facts["kind"], urgent=facts["urgent"], facts=facts["facts"])
                casework.mail_desk(
                    session, self.app, notice, subject=facts["subject"], step=f"outbox-{item.id}", now=now, case=case
                )

    async def _post(
        self,
        subject: str,
        chat_id: int,
        user: User,
        *,
        notice: str,
        anew: bool,
        decided_at: datetime | None = None,
        facts: dict[str, Any] | None = None,
        urgent: bool = False,
        key: str = "",
    ) -> None:
        """Show a card: edited in place, or posted anew at the bottom where it should be noticed."""
        drawn = await asyncio.to_thread(self._draw, subject, notice, facts or {}, user)
        if drawn is None:
            return
        if urgent and drawn.text.startswith("■ "):
            # The same word in both languages, where the eye and the telephone's preview fall first.
            drawn = replace(drawn, text=f"■ URGENT – {drawn.text[2:]}")
        card = await asyncio.to_thread(self._card, subject, chat_id)
        offers = drawn.offers
        digest = hashlib.sha256(repr((drawn.text, offers)).encode()).hexdigest()
        if card is not None and decided_at is not None and card.digest == digest and card.shown_at >= decided_at:
            return
        if card is not None and not anew and card.digest == digest:
            return
        rows = await asyncio.to_thread(self._keyboard, subject, chat_id, offers)
        if card is not None and not anew:
            await asyncio.to_thread(self._bind, rows, card.chat_message_id)
            try:
                await self.channel.edit_text(chat_id, card.chat_message_id, drawn.text, rows)
                await asyncio.to_thread(self._remember, subject, chat_id, card.chat_message_id, digest)
                return
            except ChatMessageGone:
                pass
        same = f"{key}:{digest}" if key else ""
        message_id = await self.channel.send_text(chat_id, drawn.text, buttons=rows, key=same)
        await asyncio.to_thread(self._bind, rows, message_id)
        await asyncio.to_thread(self._remember, subject, chat_id, message_id, digest)
        if card is not None:
            title = next((line for line in drawn.text.splitlines() if not line.startswith("■")), "")[:80]
            try:
                await self.channel.edit_text(chat_id, card.chat_message_id, self.words["below"].format(subject=title))
            except ChatError:
                log.info("chat.old_card_stays", extra={"subject": subject})

    def _draw(self, subject: str, notice: str, facts: dict[str, Any], user: User) -> View | None:
        with self.app.database.reading() as session:
            return view_of(
                session,
                self.app,
                subject,
                masked=self.app.settings.desk.mask,
                now=self.app.clock.now(),
                notice=notice,
                facts=facts,
                user=user,
            )

    def _card(self, subject: str, chat_id: int) -> Card | None:
        with self.app.database.reading() as session:
            return session.exec(select(Card).where(Card.subject == subject, Card.chat_id == chat_id)).first()

    def _remember(self, subject: str, chat_id: int, message_id: int, digest: str) -> None:
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            card = session.exec(select(Card).where(Card.subject == subject, Card.chat_id == chat_id)).first()
            card = card or Card(
                subject=subject, chat_id=chat_id, chat_message_id=message_id, digest=digest, shown_at=now
            )
            if card.chat_message_id != message_id:
                # Only the newest card works, even where the older one could not be changed.
                session.exec(
                    update(Button)
                    .where(
                        col(Button.chat_id) == chat_id,
                        col(Button.chat_message_id) == card.chat_message_id,
                        col(Button.used_at).is_(None),
                    )
                    .values(result=SUPERSEDED)
                )
            card.chat_message_id, card.digest, card.shown_at = message_id, digest, now
            session.add(card)

    def _keyboard(self, subject: str, chat_id: int, offers: Sequence[Sequence[Offer]]) -> list[list[tuple[str, str]]]:
        """Make buttons: each stands for a random key kept on our side, so that nothing can be forged or guessed."""
        now = self.app.clock.now()
        expires = now + timedelta(hours=self.app.settings.desk.button_hours)
        rows: list[list[tuple[str, str]]] = []
        with self.app.database.transaction() as session:
            for row in offers:
                made = []
                for offer in row:
                    key = secrets.token_urlsafe(18)
                    session.add(
                        Button(
                            key=key,
                            action=offer.action,
                            subject=subject,
                            draft_id=offer.draft_id,
                            revision=offer.revision,
                            digest=offer.digest,
                            argument=offer.argument,
                            seen=offer.seen,
                            chat_id=chat_id,
                            created_at=now,
                            expires_at=expires,
                        )
                    )
                    made.append((offer.label, key))
                rows.append(made)
        return rows
