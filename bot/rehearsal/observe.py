"""What a rehearsal sees: mails that left, messages in chat, cases and items. Only reads.

A mail's kind is what the program's own record says of its Message-ID; a mail the record does not know has none, and is
reported as such.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import cached_property
from typing import Any

from sqlmodel import col, select

from bot import casework
from bot.app import App
from bot.desk.words import KINDS as LETTERS
from bot.rehearsal.world import DEPUTY, DEPUTY_MAIL, DPO, MAILBOX, Mark, World
from bot.sandbox.bot_api import ApiCall
from bot.sandbox.bot_api_entities import read_text
from bot.sandbox.smtp import Attempt
from handlers.lifecycle import CaseState
from nlp.types import LABELS
from store import cases, drafts, journal, messages, outbox
from store.models import Case, Draft, Event, Message, OutboxItem, Sighting
from store.sealing import SealingError

KINDS = {
    "answer": ("substantive_reply", "answer"),
    "refusal": ("refusal", "substantive_reply"),
    "partial_refusal": ("refusal", "partial_refusal", "substantive_reply"),
    "extension": ("extension_notice", "extension"),
    "reminder": ("reminder_to_subject", "reminder"),
    "notice": ("notice", "not_identified", "refusal", "substantive_reply"),
    "closing": ("closing", "substantive_reply"),
    "fee": ("fee_notice", "fee"),
    "status": ("status", "status_reply"),
    "identity_code": ("identity_code", "identity_request"),
}
"""The program's kinds of letter in the words of the format; what is not here is called the same in both."""
ROUTINE = frozenset(
    {"acknowledgement", "identity_request", "information_request", "reminder", "status"}
    # A code to the address on file asks for proof; a warning to the address that was left says nothing of the request.
    | {"identity_code", "address_notice"}
)
"""Parts of kinds that may leave without a person's approval."""
KNOWN_KINDS = frozenset(
    {*ROUTINE, *KINDS, *(name for names in KINDS.values() for name in names), *LETTERS["en"], "digest"}
)
"""Every word a story may call a kind of mail by."""
DPO_CHATS = (DPO, DEPUTY)
URGENT = re.compile(r"urgent|immédiat", re.IGNORECASE)


def folded(text: str) -> str:
    """Return text as it is compared: one space for any white space, plain apostrophes and hyphens, no letter case."""
    text = unicodedata.normalize("NFC", text)
    text = re.sub("[\u2018\u2019\u02bc]", "'", text)
    text = re.sub("[\u2010\u2011\u2012\u2013]", "-", text).replace("\u00ad", "")
    return " ".join(text.split()).casefold()


@dataclass(frozen=True)
class Mail:
    """A mail as it left, and what the program's record says of it."""

    number: int
    attempt: Attempt
    kind: str
    """As the program calls it; empty for a mail its record does not know."""
    automatic: bool
    approver: str
    reference: str
    dpo: frozenset[str] = frozenset()
    """The addresses that are the DPO's, or the organisation's own."""

    @cached_property
    def parsed(self) -> EmailMessage:
        """The message."""
        return BytesParser(policy=policy.default).parsebytes(self.attempt.raw)

    @property
    def kinds(self) -> set[str]:
        """What it is, in the words of the format."""
        parts = [part for part in self.kind.split("+") if part]
        named = {name for part in parts for name in KINDS.get(part, (part,))}
        return named | ({self.kind} if self.kind else {"unknown"})

    @property
    def routine(self) -> bool:
        """Whether it may leave by itself."""
        return bool(self.kind) and set(self.kind.split("+")) <= ROUTINE

    @property
    def text(self) -> str:
        """Subject and decoded body."""
        return f"{self.parsed['Subject'] or ''}\n{self.body}"

    @property
    def body(self) -> str:
        """The decoded body."""
        found = self.parsed.get_body(("plain", "html"))
        return str(found.get_content()) if found is not None else ""

    @property
    def html(self) -> str:
        """The HTML part, empty if there is none."""
        found = self.parsed.get_body(("html",))
        return str(found.get_content()) if found is not None else ""

    @property
    def to_dpo(self) -> bool:
        """Whether it went to nobody but the DPO's own addresses."""
        return {address.lower() for address in self.attempt.recipients} <= self.dpo

    @property
    def is_digest(self) -> bool:
        """Whether it is the weekly digest."""
        return self.kind == "digest"


DPO_ADDRESSES = {MAILBOX, DEPUTY_MAIL}


@dataclass(frozen=True)
class Notice:
    """Something the DPO was told: a message in chat or a mail."""

    user: int
    text: str
    new: bool
    """False for a message that was edited in place."""
    by: str
    """chat or mail"""
    call: ApiCall | None = None

    @property
    def urgent(self) -> bool:
        """Whether it is marked as urgent, where the eye falls first."""
        return URGENT.search("\n".join(self.text.splitlines()[:2])) is not None


class Observer:
    """Looks at a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def app(self) -> App:
        """The program's parts, for reading."""
        return self.world.app

    @property
    def dpo_addresses(self) -> frozenset[str]:
        """Where a mail counts as told to the DPO: the desk's people, the readers of the digest, our own addresses."""
        settings = self.app.settings
        desk = [user.email for user in settings.desk.users if user.email]
        return frozenset(a.lower() for a in (*DPO_ADDRESSES, *desk, *settings.digest.to, *settings.own_addresses))

    # --- mails

    def mails(self, since: Mark, until: Mark | None = None) -> list[Mail]:
        """The mails taken between two marks, with what the record says of them."""
        end = until.attempts if until else None
        taken = [
            (number, attempt)
            for number, attempt in enumerate(self.world.sink.attempts[:end])
            if attempt.taken and number >= since.attempts
        ]
        with self.app.database.reading() as session:
            return [self._mail(session, number, attempt) for number, attempt in taken]

    def _mail(self, session: Any, number: int, attempt: Attempt) -> Mail:
        found = re.search(rb"(?im)^message-id:\s*<?([^>\r\n]+)>?", attempt.raw)
        item: OutboxItem | None = None
        if found is not None:
            item = outbox.by_message_id(session, found[1].decode("ascii", "replace").strip())
        if item is None:
            return Mail(number, attempt, "", False, "", "", self.dpo_addresses)
        draft = session.get(Draft, item.draft_id) if item.draft_id else None
        case = session.get(Case, item.case_id) if item.case_id else None
        return Mail(
            number, attempt, item.kind, item.automatic, draft.decided_by if draft else "",
            case.reference if case else "", self.dpo_addresses,
        )  # fmt: skip

    def attempts(self, since: Mark) -> list[Attempt]:
        """Every try since, refused ones included."""
        return self.world.sink.attempts[since.attempts :]

    # --- the DPO and the chat

    def calls(self, since: Mark) -> list[ApiCall]:
        """What the bot asked of the Bot API since, without its polling."""
        return [call for call in self.world.chat.requests[since.requests :] if call.method.lower() != "getupdates"]

    def chat_messages(self, since: Mark, chat_ids: Iterable[int] | None = None) -> list[Notice]:
        """What the bot wrote or rewrote in chats since."""
        wanted = set(chat_ids) if chat_ids is not None else None
        found = []
        for call in self.calls(since):
            method = call.method.lower()
            if method not in ("sendmessage", "editmessagetext") or call.status != 200:
                continue
            chat_id = int(call.params.get("chat_id", "0"))
            if wanted is None or chat_id in wanted:
                text = call.params.get("text", "")
                found.append(Notice(chat_id, text, method == "sendmessage", "chat", call))
        return found

    def notices(self, since: Mark) -> list[Notice]:
        """What the DPO or the deputy was told since, digests aside."""
        told = [notice for notice in self.chat_messages(since, DPO_CHATS) if not _is_dialog(notice)]
        for mail in self.mails(since):
            if not mail.is_digest:
                for address in mail.attempt.recipients:
                    if address.lower() in self.dpo_addresses:
                        user = DEPUTY if address.lower() == DEPUTY_MAIL else DPO
                        told.append(Notice(user, mail.text, True, "mail"))
        return told

    # --- cases

    def cases(self) -> list[Case]:
        """Every case, in order of their references."""
        with self.app.database.reading() as session:
            return sorted(cases.listed(session), key=lambda case: case.reference)

    def message_named(self, message_id: str) -> int | None:
        """The recorded message with a Message-ID, or with the name a chat update gives it."""
        for message in reversed(self.all_messages()):
            try:
                with self.app.database.reading() as session:
                    view = messages.view(session, self.app.vault, message)
            except SealingError:
                continue
            if view["message_id"] == message_id:
                return message.id
        return None

    def message_by_uid(self, uid: int) -> int | None:
        """The recorded message that lay in the mailbox under a UID, whatever its UIDVALIDITY; the newest such."""
        with self.app.database.reading() as session:
            query = select(Sighting.message_id).where(
                col(Sighting.source).like("imap:%"), col(Sighting.external_id).like(f"%:{uid}")
            )
            return session.exec(query.order_by(col(Sighting.id).desc())).first()

    def message(self, message_id: int) -> Message | None:
        """A recorded message."""
        with self.app.database.reading() as session:
            return session.get(Message, message_id)

    def case_by_id(self, case_id: int) -> Case | None:
        """A case."""
        with self.app.database.reading() as session:
            return session.get(Case, case_id)

    def case_by_reference(self, reference: str) -> Case | None:
        """A case by its reference."""
        with self.app.database.reading() as session:
            return cases.by_reference(session, reference)

    def all_messages(self) -> list[Message]:
        """Every recorded message, oldest first."""
        with self.app.database.reading() as session:
            return list(session.exec(select(Message).order_by(col(Message.id))))

    def events(self, case: Case) -> list[Event]:
        """The journal of a case."""
        with self.app.database.reading() as session:
            return journal.of_case(session, case.id or 0)

    def state(self, case: Case) -> CaseState:
        """The state of a case, from its journal."""
        return casework.state(self.events(case))

    def statuses(self, case: Case, opened_by: Message | None) -> set[str]:
        """Everything the format may call the state of a case."""
        state = self.state(case)
        found = {state.state, *([state.outcome] if state.outcome else [])}
        if state.state in cases.CLOSED:
            found.add("closed")
        if state.state == "not_request":
            found.add("not_a_request")
        with self.app.database.reading() as session:
            items = outbox.of_case(session, case.id or 0)
        letters = [item for item in items if item.channel in ("mail", "chat", "post")]
        if any(item.status in ("pending", "sending") and not item.automatic for item in letters):
            found.add("approved")
        if any(item.status == "uncertain" for item in letters):
            found.add("delivery_uncertain")
        if any(item.status == "failed" for item in letters):
            found.add("delivery_failed")
        if state.delivery == "bounced":
            found.add("bounced")
        if state.held:
            found.add("on_hold")
        if opened_by is not None and opened_by.case_id == case.id and opened_by.disposition == "added":
            found.add("duplicate")
        return found

    def identity(self, case: Case) -> set[str]:
        """Everything the format may call the state of the proof of identity."""
        events = self.events(case)
        name = casework.state(events).identity
        found = {str(name)}
        shown = [e.type for e in events if e.type in ("identity_received", "identity_insufficient")]
        if name == "requested" and shown and shown[-1] == "identity_insufficient":
            # The letter that asks for more has left: it is asked for anew because what came was rejected.
            found.add("rejected")
        if name == "waived":
            found |= {"verified_by_other_means", "not_required"}
        if name == "verified":
            how = [event.data.get("method") for event in events if event.type == "identity_verified"]
            if how and how[-1] not in ("document", None, ""):
                found.add("verified_by_other_means")
        return found

    def due(self, case: Case) -> tuple[date | None, date | None]:
        """(Due date in force, None while suspended; the date shown beside it if not suspended)."""
        with self.app.database.reading() as session:
            computed = casework.deadline_of(self.app, case, journal.of_case(session, case.id or 0))
        return computed.in_force, computed.in_force_if_not_paused

    def labels(self, message: Message) -> set[str]:
        """What an item to sort is taken for."""
        try:
            with self.app.database.reading() as session:
                view = messages.view(session, self.app.vault, message)
        except SealingError:
            return set()
        return {label for label in (*view["reading"]["labels"], view["reading"]["primary"]) if label in LABELS}

    def drafts(self, case: Case) -> list[tuple[Draft, str]]:
        """The drafts the DPO sees of a case: those that wait, else the last one that was not voided; with their text."""
        with self.app.database.reading() as session:
            waiting = drafts.proposed(session, case.id or 0)
            if not waiting:
                waiting = [draft for draft in drafts.of_case(session, case.id or 0) if draft.status != "void"][-1:]
            found = []
            for draft in waiting:
                try:
                    letter = drafts.letter_of(session, self.app.vault, case=case, draft=draft)
                except SealingError:
                    continue
                found.append((draft, f"{letter.subject}\n{letter.text}"))
            return found

    def history(self, case: Case) -> str:
        """The history of a case as a person may read it: events, who, what, and the free texts."""
        names = {user.key: f"{user.key} {user.name} {user.telegram_id}" for user in self.app.settings.desk.users}
        lines = []
        with self.app.database.reading() as session:
            for event in journal.of_case(session, case.id or 0):
                said = ""
                if event.secret_sealed is not None:
                    try:
                        said = self.app.vault.open(session, case.key_id, event.secret_sealed, "event").decode()
                    except SealingError:
                        said = ""
                data = " ".join(f"{name}={value}" for name, value in event.data.items())
                local = event.at.astimezone(self.app.settings.zone)
                actor = names.get(event.actor, event.actor)
                lines.append(f"{local:%Y-%m-%d %d/%m/%Y %H:%M} {actor} {event.type} {data} {said}".strip())
        return "\n".join(lines)


def _is_dialog(notice: Notice) -> bool:
    """Whether a message only asks for the text of an action just begun."""
    return notice.call is not None and "force_reply" in notice.call.params.get("reply_markup", "")


def links_in(notices: Sequence[Notice]) -> Iterator[tuple[str, str]]:
    """(Type, text) of everything in messages that Telegram makes clickable."""
    for notice in notices:
        mode = notice.call.params.get("parse_mode", "") if notice.call else ""
        text, entities = read_text(notice.text, mode)
        units = text.encode("utf-16-le")
        for entity in entities:
            if entity["type"] in (
                "url",
                "text_link",
                "mention",
                "text_mention",
                "email",
                "phone_number",
                "bot_command",
            ):
                start, end = 2 * entity["offset"], 2 * (entity["offset"] + entity["length"])
                shown = units[start:end].decode("utf-16-le", "replace")
                yield entity["type"], f"{shown} {entity.get('url', '')}".strip()


def local_date(moment: datetime, app: App) -> date:
    """The civil date of an instant where the organisation is."""
    return moment.astimezone(app.settings.zone).date()
