"""Whose case it is: proof of identity asked for, come, insufficient, waived, or seen in person (art. 12(6))."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from bot import casework, intake
from bot.app import App
from bot.desk import lawful
from bot.desk.basics import Action, Ask, Refused, both, case_of, moment, say
from bot.evidence import evidence_of
from bot.settings import User
from handlers.identity import NEVER_PROVED, assess, at_least
from handlers.opening import identity_facts, identity_letter, letter_facts, need_data
from handlers.types import IdentityNeed, Letter
from store import cases, journal, messages, outbox
from store.models import Case


def _identity_settled(session: Session, app: App, case: Case, *, step: str, now: datetime) -> None:
    """Once identity is settled, the answer can be prepared; what was shown before rested on doubt."""
    casework.prepare(session, app, case, step=step, now=now)


def _identity_verified(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = case_of(session, app, ask, does="identity_verified")
    lawful.proof_received(session, app, user, ask, case, now)
    casework.note(
        session,
        app,
        case,
        "identity_verified",
        actor=user.key,
        now=now,
        data={"method": ask.argument or "document"},
        text=ask.text,
    )
    _identity_settled(session, app, case, step=f"desk:{moment(session)}", now=now)
    return say(
        app.settings.desk.language,
        "Identité vérifiée ; les copies seront détruites. La réponse est à préparer.",
        "Identity verified; copies will be destroyed. The answer is to be prepared.",
    )


def _identity_in_person(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Somebody saw the person, or a document in her presence: nothing is copied, who saw what is noted (art. 77)."""
    case = case_of(session, app, ask, does="identity_in_person")
    lawful.proof_received(session, app, user, ask, case, now)
    data = {"method": "in_person"}
    casework.note(session, app, case, "identity_verified", actor=user.key, now=now, data=data, text=ask.text)
    _identity_settled(session, app, case, step=f"desk:{moment(session)}", now=now)
    return say(
        app.settings.desk.language,
        "Identité vue sur place, notée ; la réponse est à préparer.",
        "Identity seen in person, noted; the answer is to be prepared.",
    )


def _identity_waived(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = case_of(session, app, ask, does="identity_waived")
    casework.note(session, app, case, "identity_waived", actor=user.key, now=now, text=ask.text)
    _identity_settled(session, app, case, step=f"desk:{moment(session)}", now=now)
    return say(
        app.settings.desk.language,
        "Identité non nécessaire ; la raison est notée.",
        "Identity not needed; the reason is noted.",
    )


def _identity_insufficient(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = case_of(session, app, ask, does="identity_insufficient")
    if case.identity == "rejected":
        _asking_already(session, app, case, now)
    casework.note(session, app, case, "identity_insufficient", actor=user.key, now=now, text=ask.text)
    need = need_of(session, app, case)
    situation = casework.situation(session, app, case, identity=need, now=now)
    facts = {**letter_facts(cases.facts_of(case), situation), "identity": identity_facts(need), "reason": ask.text}
    automatic = app.settings.identity.request == "auto"
    letter = Letter("case/identity_insufficient", case.language, facts, "identity_request", automatic)
    draft = casework.write_letter(session, app, case, letter, step=f"desk:{moment(session)}:insufficient", now=now)
    if draft.status != "approved":
        return say(
            app.settings.desk.language,
            "Noté ; la lettre qui demande de compléter attend votre accord.",
            "Noted; the letter that asks for more waits for your approval.",
        )
    return say(
        app.settings.desk.language, "Noté ; le demandeur est prié de compléter.", "Noted; the person is asked for more."
    )


def assessed(session: Session, app: App, case: Case, rights: Sequence[str]) -> IdentityNeed:
    """What proof *rights* would need of the person who wrote the message that opened the case."""
    opening = messages.of_case(session, case.id or 0)
    if not opening:
        return IdentityNeed(0)
    arrival, reading, _ = intake.restored(opening[0], messages.view(session, app.vault, opening[0]))
    asked = case.model_copy(update={"rights": list(rights)})
    return assess(evidence_of(session, app, asked, arrival, reading))


def need_of(session: Session, app: App, case: Case) -> IdentityNeed:
    """What proof the case needs: as it was asked for, or else as its rights and circumstances want it, level 2 at least."""
    need = casework.identity_need_of(journal.of_case(session, case.id or 0))
    return need if need.asked else at_least(assessed(session, app, case, case.rights), 2)


def _asking_already(session: Session, app: App, case: Case, now: datetime) -> None:
    """Refuse to ask twice: two people at the desk, or a request that has only just been queued."""
    just_now = now - timedelta(minutes=10)
    for item in outbox.of_case(session, case.id or 0):
        waiting = item.status in ("pending", "sending") or (item.status == "sent" and item.created_at > just_now)
        if "identity_request" in item.kind and waiting and item.automatic:
            raise Refused(
                say(
                    app.settings.desk.language,
                    "La demande de justificatif vient de partir.",
                    "The request for proof has just left.",
                )
            )


def _request_identity(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = case_of(session, app, ask, does="request_identity")
    _asking_already(session, app, case, now)
    need = need_of(session, app, case)
    casework.note(session, app, case, "identity_doubted", actor=user.key, now=now, data=need_data(need))
    situation = casework.situation(session, app, case, identity=need, now=now)
    letter = identity_letter(cases.facts_of(case), situation, automatic=True)
    casework.void_drafts(session, app, case, reason="identity-doubted", now=now, by=user.key)
    draft = casework.write_letter(session, app, case, letter, step=f"desk:{moment(session)}:identity", now=now)
    if not NEVER_PROVED.issuperset(case.rights):
        casework.prepare(session, app, case, step=f"desk:{moment(session)}", now=now)
    if draft.status != "approved":
        return say(
            app.settings.desk.language,
            "La demande de justificatif est prête ; elle attend votre accord.",
            "The request for proof is ready; it waits for your approval.",
        )
    return say(app.settings.desk.language, "La demande de justificatif part.", "The request for proof is leaving.")


TABLE = (
    Action(
        "identity_verified",
        _identity_verified,
        "case",
        both("Identité vérifiée", "Identity verified"),
        "optional",
        both("Comment ?", "How?"),
        undo="request_identity",
    ),
    Action(
        "identity_in_person",
        _identity_in_person,
        "case",
        both("Vue sur place", "Seen in person"),
        "required",
        both("Qui a vu la personne, quand, avec quoi ?", "Who saw the person, when, with what?"),
        undo="request_identity",
    ),
    Action(
        "identity_insufficient",
        _identity_insufficient,
        "case",
        both("Identité insuffisante", "Identity insufficient"),
        "required",
        both("Que manque-t-il ? (écrit au demandeur)", "What is missing? (goes to the person)"),
        undo="identity_verified",
        sends=True,
    ),
    Action(
        "identity_waived",
        _identity_waived,
        "case",
        both("Identité non nécessaire", "Identity not needed"),
        "required",
        both("Pourquoi ?", "Why?"),
        undo="request_identity",
    ),
    Action(
        "request_identity",
        _request_identity,
        "case",
        both("Demander l'identité", "Ask for identity"),
        undo="identity_waived",
        sends=True,
    ),
)
"""The actions of this group."""
