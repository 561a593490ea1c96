"""« Où en est ma demande ? » by mail: content-free to the verified address of record, and the same neutral words to all others.

Nothing in the answer, in its words or in its time, tells whether somebody is known (art. 5(1)(f), 32 GDPR): an unknown sender, a
stranger who names a case, and a requester whose address nobody has verified all get one letter, by the same way, as seldom.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from bot import casework, switch
from bot.app import App
from bot.envelope import digest_of
from bot.letters import mime_bytes, new_message_id
from handlers.identity import NEVER_PROVED
from handlers.opening import letter_facts
from handlers.types import Arrival, IdentityNeed, Letter
from store import cases, journal, outbox
from store.drafts import LetterText
from store.models import Case, Marker
from templates import render

EVERY = timedelta(days=7)
"""An address is answered once in this time, whoever it belongs to."""
_PREFIX = "status-answered:"


def verified(case: Case) -> bool:
    """Whether the address of record was verified: by a proof, by the DPO, or because the ladder found nothing to doubt.

    Where no proof is ever needed (a complaint, an objection) nobody has looked, so it was not.
    """
    if case.identity == "not_required":
        return not NEVER_PROVED.issuperset(case.rights)
    return case.identity in ("verified", "waived")


def answer(
    session: Session,
    app: App,
    arrival: Arrival,
    *,
    case: Case | None,
    named: Sequence[str],
    language: str,
    now: datetime,
) -> None:
    """Answer a question about progress, where the settings and the budgets allow it.

    *case* is the case of the sender himself, if the message belongs to one; *named* the references he wrote.
    """
    if app.settings.replies.status != "auto" or switch.stopped(app.settings):
        return
    if arrival.channel != "email":
        if case is not None and case.state not in cases.CLOSED:
            _of_case(session, app, case, now=now)
        return
    if not arrival.from_addr or not _within_budget(session, app, arrival.from_addr, now=now):
        return
    session.merge(Marker(key=_key(app, arrival.from_addr), at=now))
    own = case is not None and case.address_hash == app.vault.address_hash(arrival.from_addr)
    if case is not None and own and verified(case) and case.state not in cases.CLOSED:
        _of_case(session, app, case, now=now)
    else:
        _neutral(session, app, arrival, named=named, language=language, now=now)


def _key(app: App, address: str) -> str:
    return f"{_PREFIX}{app.vault.address_hash(address)}"


def _within_budget(session: Session, app: App, address: str, *, now: datetime) -> bool:
    last = session.get(Marker, _key(app, address))
    if last is not None and now - last.at < EVERY:
        return False
    return outbox.count_automatic(session, since=now - timedelta(hours=1)) < app.settings.replies.total_per_hour


def forget(session: Session, *, now: datetime) -> None:
    """Remove the marks of who was answered, once they hold nothing back any more."""
    for mark in session.exec(select(Marker).where(col(Marker.key).startswith(_PREFIX), col(Marker.at) < now - EVERY)):
        session.delete(mark)


def _of_case(session: Session, app: App, case: Case, *, now: datetime) -> None:
    recent = [i for i in outbox.of_case(session, case.id or 0) if i.kind == "status" and now - i.created_at < EVERY]
    if recent:
        return
    current = casework.situation(session, app, case, identity=IdentityNeed(0), now=now)
    facts = {
        **letter_facts(cases.facts_of(case), current),
        "state": case.state,
        "identity": None,
        "identity_state": case.identity,
    }
    letter = Letter("case/status", case.language, facts, "status", automatic=True)
    casework.write_letter(session, app, case, letter, step=f"status:{now:%Y%m%d%H%M}", now=now)


def _neutral(
    session: Session, app: App, arrival: Arrival, *, named: Sequence[str], language: str, now: datetime
) -> None:
    settings = app.settings
    context = {
        "organisation": settings.organisation.model_dump(include={"name", "short_name", "postal_address", "website"}),
        "dpo": {"name": settings.dpo.name, "email": settings.dpo.email},
        "authority": settings.authority.model_dump(),
        "named": list(named)[:3],
        "child": False,
        "acts_for": "",
        "channel": "email",
        "rights": [],
        "person_name": "",
        "reference": "",
    }
    rendered = render("case/status_neutral", language, context)
    message_id = new_message_id(app, f"{settings.reference_prefix}-0000-0000")
    letter = LetterText(
        recipient=arrival.from_addr, subject=rendered.subject, text=rendered.text, html=rendered.html,
        in_reply_to=arrival.message_id, references=arrival.references,
    )  # fmt: skip
    payload = mime_bytes(app, letter, message_id=message_id, now=now, automatic=True)
    item = outbox.enqueue(
        session, app.vault, key=f"status:{arrival.content_key[:32]}", channel="mail", kind="status",
        key_id=app.vault.new_key(session, now=now), recipient=arrival.from_addr,
        payload=payload, now=now, message_id=message_id, automatic=True,
    )  # fmt: skip
    data = {
        "kind": "status",
        "message_id": message_id,
        "sha256": item.sha256,
        "envelope": digest_of("mail", arrival.from_addr, payload),
    }
    journal.append(session, type="mail_made", actor="bot", at=now, now=now, data=data)
