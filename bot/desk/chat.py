"""The desk in chat, and the chat channel for the public: translates what was pressed and written to actions.

Only configured accounts work at the desk, whatever chat they press in; names prove nothing. A press is answered after
its action was committed, with what really happened. What came is kept by ``chat_updates``, cards are shown by
``chat_board``, awaited texts held by ``chat_dialogs``, and what leaves goes through ``chat_post``.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot import casework, switch
from bot.app import App
from bot.channels.chat import (
    FIRST_NUMBER,
    Chat,
    ChatError,
    ChatRefused,
    split_text,
)
from bot.desk import roster
from bot.desk.actions import ACTIONS, Ask, Told, perform
from bot.desk.basics import Refused, case_of, changed_since, draft_of, permits
from bot.desk.cards import day, diff_text, draft_text, time_left
from bot.desk.chat_board import SUPERSEDED, Board
from bot.desk.chat_dialogs import Dialogs
from bot.desk.chat_post import Post
from bot.desk.chat_updates import Updates
from bot.desk.chat_words import DESK
from bot.desk.offers import SHOWN, Offer, allowed, choices, more_offers, needed
from bot.desk.public import PUBLIC, PublicChat, language_of
from bot.desk.reasons import in_words
from bot.desk.words import RIGHTS, STATES, WORDS, word
from bot.settings import User
from store import cases, messages
from store.models import Button, Case, Dialog, Draft

log = logging.getLogger("dpobot.chat")

MENU_ROW = 2
LARGEST_FILE = 200_000
"""Bytes of a text file that is taken for a letter."""
DESK_COMMANDS = {
    "/new": "manual_intake",
    "/absence": "set_absence",
    "/export": "export_person",
    "/halt": "stop_automatic",
    "/resume": "start_automatic",
}
"""Commands that stand for an action of the desk as a whole."""


class ChatDesk:
    """The desk's users and the public, on one bot account."""

    def __init__(self, app: App, channel: Chat) -> None:
        self.app = app
        self.channel = channel
        self.language = app.settings.desk.language
        self.words = DESK[self.language]
        self._turn = asyncio.Lock()
        self.updates, self.dialogs, self.board = Updates(app), Dialogs(app), Board(app, channel)
        self.post = Post(app, channel, self.board)
        self.public = PublicChat(app, channel)

    # --- updates: stored first, handled after

    async def take_up(self) -> None:
        """Handle what was stored and not handled: after a crash, or after an error that has passed.

        What fails three times is told to the desk, by its number, and left for a person to look at.
        """
        for update_id in await asyncio.to_thread(self.updates.unhandled):
            try:
                await self.handle(update_id)
            except Exception as error:  # noqa: BLE001 - one update must not keep the others from being handled
                log.error("chat.update_failed", extra={"update_id": update_id, "problem": type(error).__name__})
        await asyncio.to_thread(self.updates.give_up)

    async def handle(self, update_id: int) -> None:
        """Handle one stored update, once."""
        async with self._turn:
            await self._handle(update_id)

    async def _handle(self, update_id: int) -> None:
        payload = await asyncio.to_thread(self.updates.begin, update_id)
        if payload is None:
            return
        try:
            if "callback_query" in payload:
                await self._pressed(payload["callback_query"])
            elif "deleted_message" in payload:
                await asyncio.to_thread(self.public.withdrawn, payload["deleted_message"])
            else:
                await self._written(payload.get("message") or payload.get("edited_message") or {}, update_id)
        except ChatError as error:
            # What was asked is done or not done by now; only telling it failed. The card will show the truth.
            log.warning("chat.answer_lost", extra={"update_id": update_id, "problem": type(error).__name__})
        await asyncio.to_thread(self.updates.end, update_id)

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
        elif button.chat_id != chat_id or chat_id not in (user.chat_id, user.group):
            await self.channel.answer(callback_id, self.words["other_chat"], alert=True)
        elif button.result == SUPERSEDED or button.chat_message_id not in (0, message_id):
            await self.channel.answer(callback_id, await asyncio.to_thread(self._outdated, button), alert=True)
        elif button.expires_at < now:
            await self.channel.answer(callback_id, self.words["expired"], alert=True)
        else:
            try:
                await self._act(callback_id, button, user, chat_id)
            except ChatRefused:
                if chat_id != user.group:
                    raise
                # A bot may not write first to somebody: what is for one pair of eyes waits until he has written.
                await self.channel.answer(callback_id, self.words["private_first"], alert=True)

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
                await self._show(button, user.chat_id)
                await self.channel.answer(callback_id, self.words["in_private"] if chat_id == user.group else "")
            else:
                await self.channel.answer(callback_id, self.words["role"], alert=True)
            return
        if button.used_at is not None:
            await self.channel.answer(callback_id, self.words["done"].format(user=button.used_by), alert=True)
            return
        menu = allowed(await asyncio.to_thread(self._menu, button), user)
        if menu:
            title = await asyncio.to_thread(self._title, button.subject)
            await self.board.offer(chat_id, button.subject, f"{title} – {self.words['choose']}", menu)
            await self.channel.answer(callback_id, "")
            return
        action = ACTIONS.get(button.action)
        if action is not None and action.text == "required":
            await self._prompt(button, user, action.asked(self.language))
            await self.channel.answer(callback_id, self.words["in_private"] if chat_id == user.group else "")
            return
        told = await asyncio.to_thread(perform, self.app, self._ask(button), user=user)
        await self.channel.answer(callback_id, told.text, alert=not told.done)
        if told.reason_helps and action is not None and not told.done:
            # What is refused for want of a reason is asked for one; the button still works, nothing has happened yet.
            await self._prompt(button, user, f"{told.text}\n{action.asked(self.language)}")
        elif len(told.text) > 180:
            await self.channel.send_text(user.chat_id, told.text)

    async def _prompt(self, button: Button, user: roster.Seat, asked: str) -> None:
        """Ask for a text, and wait for it: the next new message of this user, in the user's own chat."""
        title = await asyncio.to_thread(self._title, button.subject)
        prompt_id = await self.channel.send_text(user.chat_id, f"{title} – {asked}", force_reply=True)
        await asyncio.to_thread(self.dialogs.open, button, user, user.chat_id, prompt_id)

    @staticmethod
    def _ask(button: Button, text: str = "") -> Ask:
        return Ask(
            button.action, button.subject, button.draft_id, button.revision, button.digest, button.argument, text,
            button=button.key, seen=button.seen,
        )  # fmt: skip

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

    async def _answer_dialog(
        self, dialog: Dialog, user: roster.Seat, chat_id: int, text: str, *, file: bool = False
    ) -> None:
        if dialog.expires_at < self.app.clock.now():
            await asyncio.to_thread(self.dialogs.close, user)
            await self.channel.send_text(chat_id, self.words["timeout"])
            return
        whole = await asyncio.to_thread(self.dialogs.collect, user, text, file)
        if whole is None:
            await self.channel.send_text(chat_id, self.words["more"])
            return
        button = await asyncio.to_thread(self._button, dialog.argument)
        if button is None:
            await self.channel.send_text(chat_id, self.words["unknown_button"])
            return
        ask = replace(self._ask(button, whole), masked=self.app.settings.desk.mask)
        told: Told = await asyncio.to_thread(perform, self.app, ask, user=user)
        await asyncio.to_thread(self.dialogs.close, user)
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
            await self._in_group(message, int(chat["id"]), int(sender["id"]))
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

    async def _in_group(self, message: dict[str, Any], group: int, account: int) -> None:
        """What is said in a group: nothing comes of it, but for the desk's own group, its users, and what only shows cards.

        What is said at the desk is for one pair of eyes; a group has others, and members who come and go.
        """
        text = str(message.get("text", ""))
        if not text.startswith("/") or "edit_date" in message:
            return
        user = await asyncio.to_thread(self._user, account)
        if user is None:
            return
        if group != user.group:
            # So that who sets up the group learns its number; it names nobody.
            log.info("chat.group_ignored", extra={"group": group})
            return
        command, _, argument = text.strip().partition(" ")
        command, _, meant = command.partition("@")
        if meant and meant.lower() != (await self.channel.check()).split(",")[0].lower():
            return
        if not await self._list_or_card(command.lower(), argument.strip(), group, user):
            await self.channel.send_text(group, self.words["private_first"])

    async def _list_or_card(self, command: str, argument: str, chat_id: int, user: roster.Seat) -> bool:
        """Carry out a command that only shows something; False for any other."""
        lists = {"/cases": self._open_cases, "/sort": self._to_sort, "/ignored": self._ignored}
        if command in lists:
            await self._list(chat_id, lists[command])
        elif command == "/case" and argument:
            await self._find(chat_id, user, argument)
        elif command == "/item" and argument:
            await self._item(chat_id, user, argument)
        else:
            return False
        return True

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
        dialog = await asyncio.to_thread(self.dialogs.of, user)
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
            await asyncio.to_thread(self.dialogs.close, user)
            await self.channel.send_text(chat_id, self.words["cancelled"])
        elif await self._list_or_card(command, argument, chat_id, user):
            return
        elif command == "/desk":
            await self._desk_menu(chat_id, user)
        elif command in DESK_COMMANDS and document is None:
            await self._desk_prompt(chat_id, user, DESK_COMMANDS[command], argument)
        elif dialog is not None and text and (document is not None or not text.startswith("/")):
            await self._answer_dialog(dialog, user, chat_id, text, file=document is not None)
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
        await self.board.offer(chat_id, "desk", self.words["choose"], allowed(offers, user))

    async def _desk_prompt(self, chat_id: int, user: User, name: str, typed: str) -> None:
        """Do an action of the desk with what was typed after its command, or ask for it."""
        action = ACTIONS[name]
        if not permits(user, action.needs):
            await self.channel.send_text(chat_id, self.words["role"])
        elif typed.strip() or action.text == "none":
            told = await asyncio.to_thread(perform, self.app, Ask(name, "desk", text=typed.strip()), user=user)
            for part in split_text(told.text):
                await self.channel.send_text(chat_id, part)
        else:
            await self.board.offer(
                chat_id, "desk", self.words["choose"], ((Offer(name, action.button(self.language)),),)
            )

    async def _list(self, chat_id: int, make: Any) -> None:
        lines = await asyncio.to_thread(make)
        for part in split_text("\n".join(lines) or self.words["empty"]):
            await self.channel.send_text(chat_id, part)

    def _open_cases(self) -> list[str]:
        app, language = self.app, self.language
        today = casework.today(app, app.clock.now())
        halted = [self.words["halted"]] if switch.stopped(app.settings) else []
        with app.database.reading() as session:
            return halted + [
                f"{case.reference} – {word(RIGHTS, language, case.primary)} – {word(STATES, language, case.state)} – "
                f"{day(case.due, app)} {time_left(case.due, today, WORDS[language])}".strip()
                for case in cases.listed(session, open_only=True)
            ]

    def _to_sort(self) -> list[str]:
        with self.app.database.reading() as session:
            return [
                f"/item {m.id} – {word(RIGHTS, self.language, m.primary)} – {day(m.received_at, self.app)}"
                f" ({in_words(m.reason, self.language)})"
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
        await self.board.post(subject, chat_id, user, notice="", anew=True)

    async def _item(self, chat_id: int, user: User, number: str) -> None:
        if number.strip().isdigit():
            await self.board.post(f"message:{number.strip()}", chat_id, user, notice="", anew=True)
