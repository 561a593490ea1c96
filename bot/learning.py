"""What the DPO corrects at the desk becomes an example that ``dpobot train`` learns from, on this machine only.

An example is the decision and the number of the message, sealed with the key of the case: the text stays where it is, and
with the case all of it goes. Only where the settings say so does a masked copy outlive the case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session

from bot import intake
from bot.app import App
from nlp.corpus import Example
from nlp.local import example as as_example
from nlp.local import pseudonymise
from nlp.types import LABELS, Reading
from nlp.types import Message as Question
from store import cases, examples, journal, messages
from store.models import Case, Message, TrainingExample
from store.sealing import SealingError

CORRECTIONS = frozenset(
    {"change_right", "not_a_request", "reopen", "set_about", "set_subject", "open_as", "file", "attach", "detach"}
)
"""Actions of the desk that say what a message is, or take such a word back."""
_NO_REQUEST = frozenset({"not_request", "spam", "auto_reply", "bounce"})
_NOT_ABOUT_WHAT_IT_IS = frozenset({"stranger-in-thread", "no-case-found", "delivery-report"})
"""Why a message waited for a person although it was plain what it is: to file it says nothing of that."""
_MADE_BY_MACHINE = frozenset({"bot", "person"})


def learn(session: Session, app: App, action: str, subject: str, *, by: str, now: datetime) -> None:
    """Bring the example of a message up to what the desk just decided; call it in the decision's own transaction.

    Nothing is kept where the settings forbid it, and nothing where the decision does not say what this one message is: the
    case was split or merged, or another message of the person added a right of its own.
    """
    if action not in CORRECTIONS or app.settings.learning.keep == "nothing":
        return
    kind, _, number = subject.partition(":")
    if kind == "case":
        case = session.get(Case, int(number))
        message = None if case is None else _opening(session, case)
    else:
        message = session.get(Message, int(number))
        case = session.get(Case, message.case_id) if message is not None and message.case_id else None
    if message is None or message.id is None:
        return
    try:
        arrival, reading, _ = intake.restored(message, messages.view(session, app.vault, message))
        empty = not arrival.new_text.strip() and not arrival.subject.strip()
        decision = None if empty else _decision(session, app, message, case, reading)
    except SealingError:
        return
    if decision is None:
        examples.forget(session, message.id)
    else:
        examples.keep(session, app.vault, message, decision, by=by, now=now)


def _opening(session: Session, case: Case) -> Message | None:
    """Return the message that opened a case, if it alone says what the case is about."""
    found = messages.of_case(session, case.id or 0)
    return next((message for message in found if message.disposition == "opened"), None)


def _decision(
    session: Session, app: App, message: Message, case: Case | None, reading: Reading
) -> dict[str, Any] | None:
    """Return what a person decided of *message*, or None where nobody corrected anything (any more)."""
    if case is None:
        # To file what an authority wrote, or what was set aside, is to have dealt with it, not to say what it is.
        sorted_out = (
            message.disposition == "ignored"
            and message.sorted_at is not None
            and not _NOT_ABOUT_WHAT_IT_IS & set(message.reason.split(","))
        )
        return _as_decided(app, message, reading, *_none(reading), dict(reading.flags)) if sorted_out else None
    events = journal.of_case(session, case.id or 0)
    others = [one for one in messages.of_case(session, case.id or 0) if one.id != message.id]
    if message.disposition != "opened" or any(one.primary in LABELS for one in others):
        return None
    if any(event.type in ("split", "case_merged_in", "merged") for event in events):
        return None
    flags = _flags(case, reading)
    if case.state == "not_request":
        return _as_decided(app, message, reading, *_none(reading), flags)
    named = any(event.type == "rights_changed" and event.actor not in _MADE_BY_MACHINE for event in events)
    if not named and message.sorted_at is None:
        same = flags == dict(reading.flags)
        return None if same else _as_decided(app, message, reading, reading.primary, reading.labels, flags)
    if any(right not in LABELS for right in case.rights):
        return None
    same = tuple(case.rights) == reading.labels and reading.decision == "accept" and reading.primary == case.rights[0]
    if same and flags == dict(reading.flags):
        return None
    return _as_decided(app, message, reading, case.rights[0], case.rights, flags)


def _none(reading: Reading) -> tuple[str, Sequence[str]]:
    """What a message is that is no request: what it was read as, if that is no request either."""
    return (reading.primary if reading.primary in _NO_REQUEST else "not_request"), ()


def _flags(case: Case, reading: Reading) -> dict[str, bool | str]:
    flags: dict[str, bool | str] = {
        name: value
        for name, value in reading.flags.items()
        if name not in ("minor", "third_party", "third_party_kind") and value
    }
    if case.minor:
        flags["minor"] = True
    if case.third_party:
        flags |= {"third_party": True, "third_party_kind": case.third_party}
    return flags


def _as_decided(
    app: App,
    message: Message,
    reading: Reading,
    primary: str,
    labels: Sequence[str],
    flags: Mapping[str, bool | str],
) -> dict[str, Any]:
    # One sender is one voice. Not the hash itself: a copy that outlives the case must not be found by it.
    voice = app.vault.token("voice", message.sender_hash) if message.sender_hash else f"message-{message.id}"
    return {
        "primary": primary, "labels": list(labels), "flags": dict(flags), "language": reading.language, "voice": voice,
    }  # fmt: skip


def question_of(session: Session, app: App, message: Message) -> Question:
    """Return a stored message as the classifier was asked about it. Raises ``SealingError`` once it was erased."""
    arrival, _, _ = intake.restored(message, messages.view(session, app.vault, message))
    question = asdict(intake.question_of(app, arrival))
    files = [
        (app.vault.open(session, one.key_id, one.name_sealed, "name").decode("utf-8", "replace"), one.content_type)
        for one in messages.attachments(session, message.id or 0)
        if one.deleted_at is None
    ]
    return Question(**{**question, "id": f"message:{message.id}", "attachments": tuple(files)})


def gathered(session: Session, app: App) -> list[tuple[int, Example]]:
    """Return (number, example) of everything that can still be read; what was erased meanwhile is passed over."""
    found: list[tuple[int, Example]] = []
    for row in examples.all_of_them(session):
        decision = examples.opened(session, app.vault, row)
        question = None if decision is None else _question(session, app, row, decision)
        if decision is None or question is None or row.id is None:
            continue
        found.append(
            (row.id, as_example(
                question, voice=decision["voice"], primary=decision["primary"], labels=decision["labels"],
                flags=decision["flags"], language=decision["language"],
            ))
        )  # fmt: skip
    return found


def _question(session: Session, app: App, row: TrainingExample, decision: Mapping[str, Any]) -> Question | None:
    if row.message_id is None:
        copy = decision["copy"]
        attachments = tuple(("", content_type) for content_type in copy["attachments"])
        return Question(
            id=f"copy:{row.id}", body=copy["body"], subject=copy["subject"], channel=copy["channel"],
            attachments=attachments,
        )  # fmt: skip
    message = session.get(Message, row.message_id)
    if message is None:
        return None
    try:
        return question_of(session, app, message)
    except SealingError:
        return None


def let_go(session: Session, app: App, message: Message, *, may_stay: bool, now: datetime) -> None:
    """Part with the example of a message that is about to be erased; call it before its key is destroyed.

    With *may_stay*, and where the settings say so, a masked copy stays under a key of its own; else the example goes too.
    """
    row = examples.of_message(session, message.id or 0)
    if row is None:
        return
    decision = examples.opened(session, app.vault, row)
    if decision is None or not may_stay or app.settings.learning.keep != "pseudonymised":
        examples.forget(session, message.id or 0)
        return
    try:
        view = messages.view(session, app.vault, message)
        question = question_of(session, app, message)
        case = session.get(Case, message.case_id) if message.case_id else None
        person = cases.person_of(session, app.vault, case).name if case is not None else ""
    except SealingError:
        examples.forget(session, message.id or 0)
        return
    desk = [user.name for user in app.settings.desk.users]
    masked = pseudonymise(
        question, view["reading"]["fields"], language=str(view["reading"]["language"]), known=(person, *desk)
    )
    copy = {
        "body": masked.body, "subject": masked.subject, "channel": masked.channel,
        "attachments": [content_type for _, content_type in masked.attachments],
    }  # fmt: skip
    examples.stand_alone(session, app.vault, row, {**decision, "copy": copy}, now=now)
