"""A small world for journeys: a mailbox, an SMTP sink, a local Bot API, a store on disk, and a clock that the test moves.

Nothing in it is patched: the program is built by ``build_app`` and works as it would, round by round, until it is quiet.
"""

from __future__ import annotations

import asyncio
import tomllib
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.app import App, build_app, open_chat
from bot.channels.base import Mailer
from bot.clock import MovedClock
from bot.desk.actions import Ask, Told, perform
from bot.desk.chat import ChatDesk
from bot.sandbox.bot_api import BotApiServer, ChatMessage
from bot.sandbox.imap import ImapServer
from bot.sandbox.smtp import SmtpSink
from bot.sending import recover
from bot.settings import Settings, build
from bot.worker import round_once
from store import cases, drafts, journal, messages
from store.models import Case, Message
from store.sealing import new_master_key

PARIS = ZoneInfo("Europe/Paris")
DPO, DEPUTY, STRANGER = 700000001, 700000002, 799999999
EXAMPLE = Path(__file__).parent.parent / "bot" / "example.toml"


def paris(text: str) -> datetime:
    """``2026-03-02 09:00`` in Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def make_settings(folder: Path, **changes: Any) -> Settings:
    """The settings that ship, with a store in *folder* and no servers unless *changes* name them."""
    values = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    values["store"] = {"data_dir": str(folder), "master_key": new_master_key()}
    values["imap"] = None
    values["smtp"] = {"host": "localhost", "tls": "none"}
    values["processing"] = []
    values["desk"]["users"] = [
        {"key": "dpo", "name": "Claude Martinez", "role": "dpo", "telegram_id": DPO},
        {"key": "deputy", "name": "Adjointe", "role": "deputy", "telegram_id": DEPUTY},
    ]
    return build({**values, **changes})


def mail(body: str, *, sender: str, subject: str = "", message_id: str = "", **headers: str) -> bytes:
    """Make a plain mail to the DPO."""
    made = EmailMessage(policy=policy.SMTP)
    made["From"], made["To"] = sender, "dpo@mije.com"
    made["Subject"] = subject
    made["Message-ID"] = message_id or f"<{abs(hash((body, sender, subject)))}@{sender.rsplit('@', 1)[-1].strip('>')}>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(body)
    return made.as_bytes()


class World:
    """The program and its surroundings."""

    def __init__(
        self,
        folder: Path,
        *,
        mailbox: Any,
        sink: SmtpSink,
        chat: BotApiServer | None,
        clock: MovedClock,
        mailer: Mailer | None = None,
        **changes: Any,
    ) -> None:
        self.folder, self.mailbox, self.sink, self.chat, self.clock = folder, mailbox, sink, chat, clock
        servers: dict[str, Any] = {
            "imap": {
                "host": "127.0.0.1", "port": mailbox.port, "tls": "none", "user": mailbox.user,
                "password": mailbox.password, "poll_seconds": 5,
            },
            "smtp": {"host": sink.host, "port": sink.port, "tls": "none"},
        }  # fmt: skip
        if chat is not None:
            servers["telegram"] = {"token": chat.token, "base_url": chat.base_url.removesuffix("/bot")}
        self.settings = make_settings(folder, **{**servers, **changes})
        self.mailer = mailer
        self.app = self._build()

    def _build(self) -> App:
        return build_app(self.settings, clock=self.clock, mailer=self.mailer)

    def restart(self) -> None:
        """Start the program anew on the same store, as after a crash."""
        self.app.close()
        self.app = self._build()
        recover(self.app)

    # --- what happens

    def arrive(self, raw: bytes, *, at: datetime | None = None) -> None:
        """Let a mail arrive in the mailbox, now or at another moment of the past, and the program work."""
        self.mailbox.append(raw, internal_date=at or self.clock.now())
        self.work()

    def work(self) -> None:
        """Let the program work until it is quiet."""
        asyncio.run(self._work())

    async def _work(self) -> None:
        channel = open_chat(self.app)
        desk = ChatDesk(self.app, channel) if channel is not None else None
        for _ in range(20):
            await asyncio.to_thread(round_once, self.app)
            if desk is None or channel is None or self.chat is None:
                break
            delivered = False
            while await desk.post.deliver_next():
                delivered = True
            if not self.chat.pending_updates and not delivered:
                break
            if self.chat.pending_updates:
                await self._read_chat(desk, channel)
        if channel is not None:
            await channel.close()

    async def _read_chat(self, desk: ChatDesk, channel: Any) -> None:
        assert self.chat is not None
        stop = asyncio.Event()
        reading = asyncio.create_task(
            channel.run(
                stop, last_update_id=desk.updates.last_update_id, store_update=desk.updates.store, handle=desk.handle,
                notice=lambda code, sentence: None,
            )
        )  # fmt: skip
        await asyncio.to_thread(self.chat.wait_until, lambda world: not world.pending_updates)
        stop.set()
        await reading

    def pass_time(self, to: datetime, *, step: timedelta = timedelta(hours=12)) -> None:
        """Let time pass, the program working all the while."""
        while self.clock.now() < to:
            self.clock.move_to(min(self.clock.now() + step, to))
            self.work()

    # --- the desk

    def cards(self, user: int = DPO) -> list[ChatMessage]:
        """The messages with buttons in a desk user's chat."""
        assert self.chat is not None
        return [m for m in self.chat.messages(user) if m.buttons]

    def card(self, user: int = DPO) -> ChatMessage:
        """The newest card."""
        return self.cards(user)[-1]

    def press(self, label: str, *, user: int = DPO, card: ChatMessage | None = None, chat: int | None = None) -> str:
        """Press the button whose label begins with *label* on the newest card; return the answer shown."""
        assert self.chat is not None
        card = card or next(c for c in reversed(self.cards(chat or user)) if self._has(c, label))
        named = next(text for row in card.buttons for text, _ in row if text.startswith(label))
        callback = self.chat.press(user, card.message_id, card.chat_id, named)
        self.work()
        return next(a.text for a in self.chat.answers if a.callback_id == callback)

    @staticmethod
    def _has(card: ChatMessage, label: str) -> bool:
        return any(text.startswith(label) for row in card.buttons for text, _ in row)

    def type(self, text: str, *, user: int = DPO) -> str:
        """Write into the desk's chat; return the last thing the program wrote there that is no card."""
        assert self.chat is not None
        self.chat.say(user, text)
        self.work()
        return [m for m in self.chat.messages(user) if m.user_id != user and not m.buttons][-1].text

    def fill(self, *, user: int = DPO, text: str = "Rien de plus n'est conservé.") -> None:
        """Complete every marker of the newest card's draft."""
        while any(self._has(card, "Compléter") for card in self.cards(user)):
            self.press("Compléter", user=user)
            self.type(text, user=user)

    def do(self, action: str, reference: str, **more: Any) -> Told:
        """Act at the desk as the DPO, on the newest proposed draft where the action needs one."""
        with self.app.database.reading() as session:
            case = cases.by_reference(session, reference)
            assert case is not None
            waiting = drafts.proposed(session, case.id or 0)
            draft = waiting[0] if waiting else None
        ask = Ask(
            action, f"case:{case.id}", draft.id if draft else None, draft.revision if draft else None,
            draft.digest if draft else "", **more,
        )  # fmt: skip
        return perform(self.app, ask, user=self.settings.desk.users[0])

    # --- what is seen

    def case(self, reference: str) -> Case:
        """A case as the register shows it."""
        with self.app.database.reading() as session:
            found = cases.by_reference(session, reference)
        assert found is not None
        return found

    def cases(self) -> list[Case]:
        """Every case, in the order of their references."""
        with self.app.database.reading() as session:
            return sorted(cases.listed(session), key=lambda case: case.reference)

    def events(self, reference: str) -> list[str]:
        """The types of a case's events, in order."""
        with self.app.database.reading() as session:
            case = cases.by_reference(session, reference)
            assert case is not None
            return [event.type for event in journal.of_case(session, case.id or 0)]

    def dispositions(self) -> list[tuple[str, str]]:
        """(disposition, reason) of every message, in the order they were recorded."""
        with self.app.database.reading() as session:
            rows = [session.get(Message, number + 1) for number in range(messages.count(session))]
        return [(row.disposition, row.reason) for row in rows if row is not None]

    def sent(self, to: str | None = None) -> list[EmailMessage]:
        """The mails the sink has, parsed; only those to *to*."""
        return [
            BytesParser(policy=policy.default).parsebytes(attempt.raw)  # type: ignore[misc]
            for attempt in self.sink.taken
            if to is None or attempt.recipients == (to,)
        ]


def text_of(message: EmailMessage) -> str:
    """The plain text of a mail."""
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def make_mailbox() -> ImapServer:
    """An embedded mailbox."""
    return ImapServer(user="dpo@mije.example")
