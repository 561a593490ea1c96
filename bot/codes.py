"""One-time codes to the contact on file: sent, checked, expired, locked (law: DEC 77 al. 1, EDPB-I; rung 1 of the ladder).

A code is bound to its case, works once, lives for ``identity.code_hours`` and is never stored: the journal keeps a keyed
hash of it. It goes to the contact *on file* only, never to an address of the request, so that who sends it back has read
that mailbox. Wrong codes are counted, and a code of another case locks the case's codes at once.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from bot import casework
from bot.app import App
from bot.evidence import contact_on_file
from handlers.lifecycle import UNSETTLED
from handlers.opening import letter_facts
from handlers.types import Arrival, IdentityNeed, Letter, Notice
from nlp.types import Reading
from store import cases, journal
from store.models import Case, Event

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without what is taken for something else: 0 and O, 1 and I."""
_CODE = re.compile(rf"(?<![\w-])([{ALPHABET}]{{4}})[ -]?([{ALPHABET}]{{4}})(?![\w-])", re.IGNORECASE)


def new_code() -> str:
    """Return a code of eight random characters, in two groups that can be read aloud, with a digit in it as no word has."""
    while True:
        drawn = "".join(secrets.choice(ALPHABET) for _ in range(8))
        if any(character.isdecimal() for character in drawn):
            return f"{drawn[:4]}-{drawn[4:]}"


def codes_in(text: str) -> tuple[str, ...]:
    """Return what looks like codes in *text*, upper case, each once. A word of letters alone is none."""
    found = (f"{a}-{b}".upper() for a, b in _CODE.findall(text))
    return tuple(dict.fromkeys(code for code in found if any(c.isdecimal() for c in code)))


def _mark(app: App, reference: str, code: str) -> str:
    return app.vault.token("code", reference, code)


def _sent(events: list[Event]) -> Iterator[Event]:
    """The codes of a case that were not used, oldest first."""
    used = {event.data.get("code") for event in events if event.type in ("code_used", "code_void")}
    return (event for event in events if event.type == "code_sent" and event.data.get("code") not in used)


def locked(app: App, events: list[Event]) -> bool:
    """Whether the codes of a case are locked: too many wrong ones, or one of another case. The DPO decides then."""
    wrong = sum(event.type == "code_refused" for event in events)
    return wrong >= app.settings.identity.code_attempts or any(event.type == "codes_locked" for event in events)


def send(session: Session, app: App, case: Case, reading: Reading | None, *, now: datetime, by: str = "bot") -> str:
    """Send a new code to the contact on file; an older one dies. Return how it went: ``sent``, ``waits`` (for the DPO's
    approval or the mail budget), ``nobody`` (nothing is on file), ``locked`` or ``settled``."""
    events = journal.of_case(session, case.id or 0)
    if case.identity not in UNSETTLED:
        return "settled"
    if locked(app, events):
        return "locked"
    contact = contact_on_file(session, app, case, reading)
    if contact is None or not contact.addresses:
        return "nobody"
    for old in _sent(events):
        casework.note(session, app, case, "code_void", actor=by, now=now, data={"code": old.data["code"]})
    code, recipient = new_code(), contact.addresses[0]
    mark = _mark(app, case.reference, code)
    expires = now + timedelta(hours=app.settings.identity.code_hours)
    data = {"code": mark, "to": app.vault.address_hash(recipient), "expires": expires.isoformat()}
    casework.note(session, app, case, "code_sent", actor=by, now=now, data=data)
    situation = casework.situation(session, app, case, identity=IdentityNeed(0), now=now)
    facts = {
        **letter_facts(cases.facts_of(case), situation),
        "identity": None,
        "code": code,
        "code_hours": app.settings.identity.code_hours,
    }
    letter = Letter("case/code", case.language, facts, "identity_code", automatic=True)
    draft = casework.write_letter(session, app, case, letter, step=f"code:{mark}", now=now, recipient=recipient)
    return "sent" if draft.status == "approved" else "waits"


def sent_back(session: Session, app: App, reference: str | None, arrival: Arrival, sender_hash: str) -> bool:
    """Whether a message from somebody else than the requester comes from the contact the code of *reference* went to,
    with that code in it: then it is no stranger's."""
    case = cases.by_reference(session, reference or "")
    if case is None or not sender_hash:
        return False
    events = journal.of_case(session, case.id or 0)
    marks = {_mark(app, case.reference, code) for code in codes_in(arrival.text)}
    return any(event.data["to"] == sender_hash and event.data["code"] in marks for event in _sent(events))


def check(session: Session, app: App, case: Case, arrival: Arrival, *, now: datetime) -> bool:
    """Look for the case's code in a message and note what follows; say whether the code was right.

    A right code proves that its sender reads the mailbox on file: identity is verified up to the second rung; at the
    third the DPO still decides. Nothing is told to the sender in either case.
    """
    events = journal.of_case(session, case.id or 0)
    waiting = list(_sent(events))
    tried = codes_in(arrival.text)
    if not tried or not any(event.type == "code_sent" for event in events) or case.identity not in UNSETTLED:
        return False
    if locked(app, events):
        return False
    for event in waiting:
        if event.data["code"] in {_mark(app, case.reference, code) for code in tried}:
            return _right(session, app, case, event, arrival, events, now=now)
    # Only what was newly written is a try: a quoted letter repeats its own old code.
    for code in codes_in(arrival.new_text):
        _wrong(session, app, case, code, arrival, now=now)
    return False


def _right(
    session: Session, app: App, case: Case, event: Event, arrival: Arrival, events: list[Event], *, now: datetime
) -> bool:
    if arrival.received_at > datetime.fromisoformat(event.data["expires"]):
        data = {"code": event.data["code"], "reason": "expired"}
        casework.note(session, app, case, "code_refused", actor="person", now=now, at=arrival.received_at, data=data)
        return False
    data = {"code": event.data["code"]}
    casework.note(session, app, case, "code_used", actor="person", now=now, at=arrival.received_at, data=data)
    data = {"documents": 0, "method": "code"}
    casework.note(session, app, case, "identity_received", actor="person", now=now, at=arrival.received_at, data=data)
    if casework.identity_need_of(events).level <= 2:
        casework.note(session, app, case, "identity_verified", actor="bot", now=now, data={"method": "code"})
    return True


def _wrong(session: Session, app: App, case: Case, code: str, arrival: Arrival, *, now: datetime) -> None:
    other = _of_another_case(session, app, case, code)
    data = {"reason": "other-case" if other else "wrong"}
    casework.note(session, app, case, "code_refused", actor="person", now=now, at=arrival.received_at, data=data)
    if other or locked(app, journal.of_case(session, case.id or 0)):
        casework.note(session, app, case, "codes_locked", actor="bot", now=now, data=data)
        notice = Notice("codes_locked", urgent=True, facts={"reason": data["reason"]})
        casework.tell_desk(
            session, app, notice, subject=f"case:{case.id}", key_id=case.key_id,
            step=f"codes-{arrival.content_key[:12]}", now=now, case=case,
        )  # fmt: skip


def _of_another_case(session: Session, app: App, case: Case, code: str) -> bool:
    """Whether a code was given out for another case (used or not): somebody tries his luck."""
    query = select(Event).where(Event.type == "code_sent", col(Event.case_id) != case.id)
    return any(event.data.get("code") == _mark(app, event.reference, code) for event in session.exec(query))
