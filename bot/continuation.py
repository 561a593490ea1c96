"""From the chat to mail: a code given in the chat, sent back from a mail address, says that both are one person's.

A chat belongs to a third party outside the Union, so nothing on the merits and no document passes through it (art. 32 GDPR).
The code is bound to its case, works once and for a week, and is never stored: the journal keeps a keyed hash. It proves
that the same person writes, not who that is: identity stays as it was.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from bot import casework
from bot.app import App
from bot.codes import codes_in, new_code
from handlers.lifecycle import FINISHED
from handlers.opening import letter_facts
from handlers.types import Arrival, IdentityNeed, Letter
from store import cases, journal
from store.models import Case, Event

CODE_FOR = timedelta(days=7)
A_DAY = 3
"""Codes a case gets in a day: who sends ten pictures is told three times."""
TRIES = 5
"""Wrong codes under a case's number before its codes count no more; the DPO sets the address then."""


def _mark(app: App, reference: str, code: str) -> str:
    return app.vault.token("chat-code", reference, code)


def offer(session: Session, app: App, case: Case, *, by: str, now: datetime) -> bool:
    """Tell a person in the chat how to go on by mail, with a fresh code; False where the case is not in a chat."""
    person = cases.person_of(session, app.vault, case)
    if person.chat_id is None or person.address or case.state in FINISHED:
        return False
    day = now - timedelta(days=1)
    if sum(e.type == "chat_code" and e.at > day for e in journal.of_case(session, case.id or 0)) >= A_DAY:
        return False
    code = new_code()
    data = {"code": _mark(app, case.reference, code), "expires": (now + CODE_FOR).isoformat()}
    casework.note(session, app, case, "chat_code", actor=by, now=now, data=data)
    situation = casework.situation(session, app, case, identity=IdentityNeed(0), now=now)
    facts = {**letter_facts(cases.facts_of(case), situation), "identity": None, "code": code}
    letter = Letter("case/moved_to_mail", case.language, facts, "moved_to_mail", automatic=True)
    draft = casework.write_letter(session, app, case, letter, step=f"chat-code:{data['code']}", now=now)
    return draft.status == "approved"


def of_chat(session: Session, app: App, chat_id: int) -> Case | None:
    """Return the newest open case of a chat account, or None."""
    found = cases.of_sender(session, app.vault.address_hash(f"chat:{chat_id}"))
    return next((case for case in reversed(found) if case.state not in FINISHED), None)


def moved(session: Session, app: App, reference: str | None, arrival: Arrival, *, now: datetime) -> bool:
    """Move a case to the address a mail came from, if the mail brings the newest code of that case; say whether it did.

    A wrong code is noted; after :data:`TRIES` of them no code of the case counts any more.
    """
    case = cases.by_reference(session, reference or "")
    tried = codes_in(arrival.new_text) or codes_in(arrival.subject)
    if case is None or not tried or not arrival.from_addr or case.state in FINISHED:
        return False
    events = journal.of_case(session, case.id or 0)
    given = [event for event in events if event.type == "chat_code"]
    if not given or sum(event.type == "chat_code_refused" for event in events) >= TRIES:
        return False
    newest = given[-1]
    right = newest.data["code"] in {_mark(app, case.reference, code) for code in tried}
    if not right or _used(events, newest) or now > datetime.fromisoformat(newest.data["expires"]):
        casework.note(session, app, case, "chat_code_refused", actor="person", now=now, at=arrival.received_at)
        return False
    person = cases.person_of(session, app.vault, case)
    cases.set_person(session, app.vault, case, replace(person, address=arrival.from_addr, chat_id=None))
    data = {"code": newest.data["code"]}
    casework.note(session, app, case, "chat_code_used", actor="person", now=now, at=arrival.received_at, data=data)
    casework.note(session, app, case, "requester_set", actor="person", now=now, data={"by": "code"})
    casework.void_drafts(session, app, case, reason="recipient-changed", now=now)
    return True


def _used(events: list[Event], code: Event) -> bool:
    return any(event.type == "chat_code_used" and event.data.get("code") == code.data["code"] for event in events)
