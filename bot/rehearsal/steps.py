"""What happens in a story: each action of the format, done to the world. What follows from it is not waited for here."""

from __future__ import annotations

import re
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import policy
from email.parser import BytesParser
from functools import partial
from pathlib import Path
from typing import Any

from bot.desk.actions import ACTIONS
from bot.rehearsal import faults
from bot.rehearsal.attachments import WORDS, attachment
from bot.rehearsal.config import config_change
from bot.rehearsal.format import Scenario, Step, instant, shown
from bot.rehearsal.intents import Desk, Done, read_intent
from bot.rehearsal.mails import MALFORMED, NotSupported, copies, generated, raw_mail
from bot.rehearsal.observe import Observer
from bot.rehearsal.people import number_of
from bot.rehearsal.placeholders import fill, left_in
from bot.rehearsal.world import DPO, Mark, World
from bot.sandbox.bot_api import ChatMessage
from store.models import Case, Message


@dataclass
class Outcome:
    """What became of a step."""

    step: Step
    mark: Mark
    """Where the record stood when it began."""
    done: bool | None = None
    """For commands and presses: whether the program did it; None for what merely happens."""
    told: str = ""
    """What its author was told, or a note on what was done."""
    unsupported: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    uids: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    callbacks: list[str] = field(default_factory=list)
    reference: str = ""
    lasts_until: datetime | None = None
    """When the last of several mails arrives."""


class Cast:
    """Plays steps, and remembers what opened what."""

    def __init__(self, scenario: Scenario, world: World) -> None:
        self.scenario, self.world = scenario, world
        self.observer = Observer(world)
        self.desk = Desk(world, self.observer)
        self.outcomes: dict[int, Outcome] = {}
        self.sent_chat: dict[int, tuple[int, int]] = {}
        """Step -> (chat, message) of what a person wrote."""
        self.bound: dict[str, int] = {}
        """Handle -> recorded message, once found: UIDs change, messages do not."""
        self.last_command_at: datetime = world.now()

    # --- handles

    def opened_by(self, handle: str) -> Message | None:
        """The recorded message that a handle stands for; None while there is none."""
        if handle in self.bound:
            return self.observer.message(self.bound[handle])
        bound = self.scenario.cases.get(handle)
        outcome = self.outcomes.get(bound.opened_by_step) if bound else None
        if outcome is None:
            return None
        found: int | None = None
        for name in outcome.names:
            found = found or self.observer.message_named(name)
        for uid in outcome.uids:
            found = found or self.observer.message_by_uid(uid)
        if found is None and outcome.reference:
            case = self.observer.case_by_reference(outcome.reference)
            found = next((m.id for m in self.observer.all_messages() if case and m.case_id == case.id), None)
        if found is None:
            return None
        self.bound[handle] = found
        return self.observer.message(found)

    def bind_all(self) -> None:
        """Find what every handle stands for, as far as it has happened."""
        for handle in self.scenario.cases:
            self.opened_by(handle)

    def case_of(self, handle: str) -> Case | None:
        """The case of a handle; None where it is none, or not yet."""
        message = self.opened_by(handle)
        if message is not None and message.case_id is not None:
            return self.observer.case_by_id(message.case_id)
        return None

    def look(self, kind: str, handle: str) -> str | None:
        """What a placeholder stands for; None where that is unknown."""
        case = self.case_of(handle)
        if case is None:
            return None
        if kind == "ref":
            return case.reference
        mails = [
            mail for mail in self.observer.mails(self.start) if mail.reference == case.reference and not mail.to_dpo
        ]
        if not mails:
            return None
        parsed = mails[-1].parsed
        return str(parsed["Message-ID" if kind == "outmid" else "Subject"] or "").strip() or None

    @property
    def start(self) -> Mark:
        """The beginning of the record."""
        return Mark(self.world.now(), 0, 0, 0, 0)

    # --- playing

    def play(self, group: list[Step], expects_refusal: Callable[[Step], bool]) -> None:
        """Let the steps of a group happen together; commands in it run at the same time."""
        commands: list[tuple[Step, Outcome]] = []
        for step in self.world.chance.shuffled(group):
            outcome = Outcome(step, self.world.mark())
            self.outcomes[step.n] = outcome
            if step.action == "dpo_command" and len(group) > 1:
                commands.append((step, outcome))
            else:
                self._guarded(step, outcome, expects_refusal(step))
        threads = [
            threading.Thread(target=self._guarded, args=(step, outcome, expects_refusal(step)))
            for step, outcome in self.world.chance.shuffled(commands)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _guarded(self, step: Step, outcome: Outcome, refusal_expected: bool) -> None:
        try:
            self._one(step, outcome, refusal_expected)
        except NotSupported as missing:
            outcome.unsupported.append(str(missing))
        except MALFORMED as error:
            # Only what the story says is read here; the program works in a process of its own.
            given = {name: value for name, value in step.payload.items() if name != "body"}
            place = traceback.extract_tb(error.__traceback__)[-1]
            outcome.unsupported.append(
                f"{step.action}: the payload cannot be read ({type(error).__name__}: {error}; "
                f"{Path(place.filename).name}:{place.lineno}): {shown(given)}"
            )

    def _one(self, step: Step, outcome: Outcome, refusal_expected: bool) -> None:
        action = step.action
        if action == "email":
            self._email(step, outcome)
        elif action == "telegram_message":
            self._telegram_message(step, outcome)
        elif action == "telegram_button":
            self._press(step, outcome, refusal_expected)
        elif action == "dpo_command":
            self._command(step, outcome, refusal_expected)
        elif action == "time_passes":
            outcome.told = "time passes"
        elif action == "restart":
            if self.world.worker is not None:
                self.world.worker.stop()
            self.world.start()
            outcome.told = "worker started"
        elif action == "config_change":
            outcome.told = config_change(self.world, step.payload)
        elif action in FAULTS:
            outcome.told = FAULTS[action](self.world, step)
            if action == "imap_uidvalidity_change":
                self.bind_all()
        else:
            raise NotSupported(f'action "{action}" is unknown')

    # --- mail

    def _email(self, step: Step, outcome: Outcome) -> None:
        payload = step.payload
        folder = str(payload.get("folder") or "INBOX")
        flags = [str(flag) for flag in payload.get("flags") or ()]
        arrivals: list[tuple[bytes, datetime]]
        if payload.get("loopback") or payload.get("loopback_copy_of"):
            arrivals = [(self._our_own(step), step.at)]
        elif payload.get("generate"):
            arrivals = list(generated(self.scenario, step, self.look))
        else:
            number, gap = copies(payload)
            raw = raw_mail(self.scenario, step, self.look)
            arrivals = [(raw, step.at + i * gap) for i in range(number)]
        unknown = sorted(set(payload) - MAIL_WORDS)
        if unknown:
            outcome.notes.append(f"not known of a mail, passed over: {', '.join(unknown)}")
        for given in payload.get("attachments") or ():
            strange = sorted(set(given) - WORDS) if isinstance(given, Mapping) else []
            if strange:
                outcome.notes.append(f"not known of a file, passed over: {', '.join(strange)}")

        def deliver(raw: bytes, at: datetime) -> None:
            uid = self.world.imap.append(raw, internal_date=at, folder=folder, flags=flags)
            if folder.upper() == "INBOX":
                outcome.uids.append(uid)

        for raw, at in arrivals:
            if at <= max(self.world.now(), step.at):
                deliver(raw, at)
            else:
                # What comes later comes when the clock says so, the program working meanwhile.
                self.world.agenda.append((at, partial(deliver, raw, at)))
                outcome.lasts_until = max(outcome.lasts_until or at, at)
        outcome.told = f"{len(arrivals)} mail(s) in {folder}"
        self.world.fail_fetches()

    def _our_own(self, step: Step) -> bytes:
        """A mail of ours that comes back into the mailbox: of a case, of a step, the digest, or simply the last one."""
        wanted = step.payload.get("loopback_copy_of", step.payload.get("loopback"))
        named = re.search(r"step (\d+)", str(wanted))
        if named:
            wanted = int(named[1])
        mails = self.observer.mails(self.start)
        case = self.case_of(step.case) if step.case else None
        if isinstance(wanted, str) and wanted in self.scenario.cases:
            case = self.case_of(wanted)
        if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted in self.outcomes:
            since = self.outcomes[wanted].mark
            later = [mail for mail in mails if mail.number >= since.attempts]
            mails = later[:1] or mails
        elif isinstance(wanted, str) and "digest" in wanted.lower():
            mails = [mail for mail in mails if mail.is_digest]
        elif case is not None:
            mails = [mail for mail in mails if mail.reference == case.reference]
        if not mails:
            raise NotSupported("loopback: the program has sent no such mail yet")
        added = "".join(f"{k}: {v}\r\n" for k, v in (step.payload.get("headers") or {}).items() if str(v).isascii())
        return added.encode("ascii") + mails[-1].attempt.raw

    # --- chat

    def _telegram_message(self, step: Step, outcome: Outcome) -> None:
        payload, chat = step.payload, self.world.chat
        user = number_of(payload.get("user", payload.get("from", payload.get("user_id"))), _default_user(step))
        text = fill(str(payload.get("text", payload.get("caption", "")) or ""), self.look)
        place = payload.get("chat", payload.get("chat_id"))
        chat_id = user
        if isinstance(place, int) or (isinstance(place, str) and re.fullmatch(r"-?\d+", place)):
            chat_id = int(place)
        elif isinstance(place, str) and re.search(r"group", place.lower()):
            chat_id = -1_001_000_000_000 - 1
            chat.add_chat(chat_id, title="Équipe")
        edited = payload.get("edit_of_step", payload.get("edit_of"))
        if edited:
            if edited not in self.sent_chat:
                raise NotSupported(f"edit_of_step {edited}: no chat message of that step")
            update = chat.edit_text(*self.sent_chat[edited], text)
            self._placed(step, outcome, update)
            return
        for kind, send in (("photo", chat.send_photo), ("voice", chat.send_voice)):
            if payload.get(kind):
                content = attachment(
                    {"filename": "x.jpg" if kind == "photo" else "x.oga", **_described(payload[kind])}
                )[2]
                update = send(user, content, chat_id=chat_id, caption=text)
                self._placed(step, outcome, update)
                return
        if payload.get("document"):
            name, _, content = attachment(payload["document"])
            update = chat.send_document(user, name, content, chat_id=chat_id, caption=text)
        else:
            update = chat.say(
                user, text, chat_id=chat_id, username=payload.get("username"), first_name=payload.get("first_name"),
                last_name=payload.get("last_name"), language=payload.get("language_code", payload.get("language")),
                forwarded=bool(payload.get("forwarded") or payload.get("forward")),
            )  # fmt: skip
        self._placed(step, outcome, update)

    def _placed(self, step: Step, outcome: Outcome, update_id: int) -> None:
        update = self.world.chat.update(update_id)
        message = update.get("message") or update.get("edited_message") or {}
        chat_id, message_id = int(message["chat"]["id"]), int(message["message_id"])
        self.sent_chat[step.n] = (chat_id, message_id)
        outcome.names.append(f"telegram.{update_id}")
        outcome.told = "written in chat"

    def _press(self, step: Step, outcome: Outcome, refusal_expected: bool) -> None:
        payload, chat = step.payload, self.world.chat
        user = number_of(payload.get("user", payload.get("user_id")), _default_user(step))
        case = self.case_of(step.case) if step.case else self._only_case()
        label = self._label(
            str(payload.get("button", payload.get("label", payload.get("action", payload.get("press", "approve")))))
        )
        on = str(payload.get("on", "latest_draft_message"))
        home = user if any(u.telegram_id == user for u in self.world.app.settings.desk.users) else DPO
        if (
            label == "Approuver et envoyer"
            and home == user
            and not refusal_expected
            and on.startswith("latest")
            and case
        ):
            desk_user = self.desk.user(user)
            if desk_user is not None:
                # A person completes first what the letter leaves open; the card is drawn anew.
                self.desk.complete(desk_user, case)
                self.world.settle()
        forged = payload.get("callback_data", payload.get("data"))
        if forged:
            newest = self.world.chat.messages(home)[-1:]
            if not newest:
                raise NotSupported("telegram_button: there is no message in that chat yet")
            outcome.callbacks.append(
                chat.press(user, newest[0].message_id, newest[0].chat_id, str(forged), forged=True)
            )
            outcome.told = "a forged press"
            return
        shown = self._shown(on, case, label, home)
        if shown is None:
            about = case.reference if case else "a case"
            raise NotSupported(f'telegram_button on "{on}": no message in chat shows "{label}" for {about}')
        message, data = shown
        times = payload.get("times", 1)
        for _ in range(times if isinstance(times, int) else 1):
            # As a phone does that has not caught up: the button that was there when the message read so.
            outcome.callbacks.append(chat.press(user, message.message_id, message.chat_id, data, stale=True))
        outcome.told = "pressed"
        if case is not None and self.desk.user(user) is not None and label == "Approuver et envoyer":
            self.desk.approvals.append((len(self.world.sink.attempts), case.reference))

    def _only_case(self) -> Case | None:
        found = [case for handle in self.scenario.cases if (case := self.case_of(handle)) is not None]
        return found[-1] if found else None

    @staticmethod
    def _label(wanted: str) -> str:
        """The label of the button that is meant: by the desk's action, or as it is written."""
        simple = wanted.lower().strip().replace("-", "_").replace(" ", "_")
        for word, action in BUTTONS:
            if word in simple:
                return ACTIONS[action].label["fr"] if action in ACTIONS else wanted
        return ACTIONS[simple].label["fr"] if simple in ACTIONS else wanted

    def _shown(self, on: str, case: Case | None, label: str, home: int) -> tuple[ChatMessage, str] | None:
        """The message in chat that is meant and the button on it, as it was when the message read so.

        The latest version with the button, the first that ever had it, or the one that showed V1.
        """
        versions: list[tuple[datetime, ChatMessage, str, str]] = []
        for message in self.world.chat.messages(home):
            since = message.date
            past = [(version.text, version.buttons, version.until) for version in message.history]
            for text, buttons, until in [*past, (message.text, message.buttons, since)]:
                data = next((data for row in buttons for shown, data in row if shown.startswith(label)), "")
                if data and (case is None or case.reference in text):
                    versions.append((since, message, text, data))
                since = until
        if not versions:
            return None
        versions.sort(key=lambda version: (version[0], version[1].message_id))
        wanted = re.search(r"V\d+", on, re.IGNORECASE) if "showing" in on.lower() else None
        if wanted:
            number = re.compile(rf"\b(?:version|revision) {wanted[0][1:]}\b")
            named = [version for version in versions if wanted[0] in version[2]]
            versions = named or [version for version in versions if number.search(version[2])]
            if not versions:
                return None
        first = wanted or re.search(r"first|old|stale", on.lower())
        _, message, _, data = versions[0 if first else -1]
        return message, data

    # --- commands

    def _command(self, step: Step, outcome: Outcome, refusal_expected: bool) -> None:
        intent = read_intent(step, self.scenario.cases)
        intent = type(intent)(intent.name, intent.case, intent.user, _filled(intent.given, self.look))
        case = self.case_of(intent.case) if intent.case else None
        item = self.opened_by(intent.case) if intent.case else None
        since = self.last_command_at
        if intent.name != "approve_pending":
            self.last_command_at = self.world.now()
        done: Done = self.desk.carry_out(intent, case, item, helpful=not refusal_expected, since=since)
        outcome.done, outcome.told = done.done, done.told
        outcome.notes += self.desk.notes
        self.desk.notes = []
        if intent.name == "manual_intake" and done.done:
            outcome.reference = done.told
        if case is not None and item is not None:
            outcome.reference = outcome.reference or case.reference


def _filled(given: Mapping[str, Any], look: Any) -> dict[str, Any]:
    return {
        key: fill(value, look) if isinstance(value, str) and left_in(value) else value for key, value in given.items()
    }


def _described(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {"marker": value} if isinstance(value, str) else {}


def _default_user(step: Step) -> int:
    return {"dpo": DPO, "staff": DPO}.get(step.actor, number_of(step.actor or "subject"))


BUTTONS = (
    ("approv", "approve"), ("reject", "reject"), ("refus", "reject"), ("edit", "edit"), ("modif", "edit"),
    ("not_a_request", "not_a_request"), ("identity_accept", "identity_verified"), ("verified", "identity_verified"),
    ("identity_reject", "identity_insufficient"), ("waive", "identity_waived"), ("close", "close"), ("take", "take_charge"),
)  # fmt: skip
MAIL_WORDS = frozenset(
    {"headers", "body", "attachments", "eml", "flags", "folder", "generate", "repeat", "loopback", "loopback_copy_of"}
    | {"html", "text", "case", "from", "to", "subject", "cc", "reply_to", "body_start", "note", "notes"}
)
FAULTS: Mapping[str, Callable[[World, Step], str]] = {
    "crash": faults.crash,
    "smtp_refuses": faults.smtp_refuses,
    "imap_drops": faults.imap_drops,
    "imap_uidvalidity_change": faults.imap_uidvalidity_change,
    "db_locked": faults.db_locked,
    "disk_full": faults.disk_full,
    "telegram_fault": faults.telegram_fault,
}


def target_of(step: Step, previous: datetime, following: datetime | None) -> datetime:
    """Return until when a ``time_passes`` lasts: the instant it names, else its length, else its own ``at``.

    Where both a length and ``at`` are given, ``at`` is the beginning, unless the story could then not go on.
    """
    payload = step.payload
    for key in ("until", "to", "till", "end"):
        if payload.get(key):
            return instant(payload[key])
    length = faults.duration(payload) or faults.duration({"for": payload.get("text", payload.get("note", ""))})
    if length is None:
        return step.at
    end = step.at + length
    if following is not None and end > following:
        return step.at
    return step.at if abs(previous + length - step.at) < timedelta(hours=2) and length > timedelta(hours=4) else end


def parsed_subject(raw: bytes) -> str:
    """The subject of a mail."""
    return str(BytesParser(policy=policy.default).parsebytes(raw, headersonly=True)["Subject"] or "")
