"""What a case is about and how far it is: its right, closed and reopened, in whose charge, notes, its requester."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr

from sqlmodel import Session

from bot import casework, suppression
from bot.app import App
from bot.desk.basics import Action, Ask, NeedsReason, Refused, both, case_of, moment, say
from bot.desk.proof import assessed, need_of
from bot.desk.words import RIGHTS, word
from bot.settings import User, is_address
from handlers.opening import identity_letter, letter_facts, need_data
from handlers.types import Letter
from store import cases, journal
from store.models import Case


def _change_right(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="change_right")
    rights = list(dict.fromkeys(right for right in ask.argument.split(",") if right))
    if not rights or any(right not in app.rights for right in rights):
        raise Refused(say(language, "Droit inconnu.", "Unknown right."))
    if rights == case.rights:
        raise Refused(say(language, "C'est déjà ce droit.", "It is that right already."))
    data: dict[str, object] = {"rights": rights, "before": list(case.rights)}
    need = assessed(session, app, case, rights)
    doubted = need.asked and case.identity == "not_required"
    if doubted:
        # A right that needs proof was added to one that needs none: what was not asked before is asked now.
        data |= {"identity": "required", **need_data(need)}
    casework.note(session, app, case, "rights_changed", actor=user.key, now=now, data=data)
    if suppression.enter(session, app, case, now=now):
        casework.note(session, app, case, "suppression_listed", actor=user.key, now=now)
    casework.void_drafts(session, app, case, reason="right-changed", now=now, by=user.key)
    step = f"desk:{moment(session)}"
    if doubted:
        situation = casework.situation(session, app, case, identity=need, now=now)
        casework.write_letter(session, app, case, identity_letter(cases.facts_of(case), situation), step=step, now=now)
    casework.prepare(session, app, case, step=step, now=now)
    named = ", ".join(word(RIGHTS, language, right) for right in rights)
    return say(
        language, f"Droit changé : {named}. L'échéance ne change pas.", f"Right changed: {named}. The due date stays."
    )


def _not_a_request(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = case_of(session, app, ask, does="not_a_request")
    casework.void_drafts(session, app, case, reason="not-a-request", now=now, by=user.key)
    casework.note(session, app, case, "not_a_request", actor=user.key, now=now, text=ask.text)
    if suppression.RIGHTS & set(case.rights):
        suppression.remove(session, app, case)
    return say(
        app.settings.desk.language,
        "Classé : pas une demande (« rouvrir » l'annule).",
        "Filed: not a request (“reopen” undoes it).",
    )


def _reopen(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = case_of(session, app, ask, does="reopen")
    casework.note(session, app, case, "reopened", actor=user.key, now=now, text=ask.text)
    return say(
        app.settings.desk.language,
        "Rouvert ; l'échéance court depuis la réception.",
        "Reopened; the clock runs from receipt.",
    )


def _close(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="close")
    if case.state not in ("answered", "refused", "partially_refused") and not ask.text.strip():
        raise NeedsReason(
            say(
                language,
                "Aucune réponse n'est partie : dites pourquoi le dossier est clos.",
                "No answer has left: say why the case is closed.",
            )
        )
    casework.void_drafts(session, app, case, reason="closed", now=now, by=user.key)
    casework.note(
        session,
        app,
        case,
        "closed",
        actor=user.key,
        now=now,
        data={"outcome": ask.argument or case.state},
        text=ask.text,
    )
    return say(language, f"Dossier {case.reference} clos.", f"Case {case.reference} closed.")


def _take_charge(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = case_of(session, app, ask, does="take_charge")
    case.charge = user.key
    session.add(case)
    casework.note(session, app, case, "taken_charge", actor=user.key, now=now)
    return say(app.settings.desk.language, "Vous êtes en charge.", "You are in charge.")


def _leave_charge(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="take_charge")
    if case.charge != user.key:
        raise Refused(say(language, "Vous n'êtes pas en charge.", "You are not in charge."))
    case.charge = ""
    session.add(case)
    casework.note(session, app, case, "charge_left", actor=user.key, now=now)
    return say(language, "Vous n'êtes plus en charge.", "You are no longer in charge.")


def _note(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = case_of(session, app, ask)
    casework.note(session, app, case, "note", actor=user.key, now=now, text=ask.text)
    return say(app.settings.desk.language, "Note ajoutée au dossier.", "Note added to the case.")


# --- the requester ---------------------------------------------------------------------------------------------------


def _set_requester(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = case_of(session, app, ask)
    if case.state in cases.CLOSED:
        raise Refused(
            say(language, "Le dossier est clos : rouvrez-le d'abord.", "The case is closed: reopen it first.")
        )
    typed = ask.text.strip()
    name, address = parseaddr(typed)
    if not typed.isprintable() or not is_address(address) or address.lower() in app.settings.own_addresses:
        raise Refused(say(language, "Écrivez : Nom <adresse@domaine>.", "Write: Name <address@domain>."))
    before = cases.person_of(session, app.vault, case)
    # Whose data are asked for does not change with the one who asks for them.
    cases.set_person(session, app.vault, case, cases.Person(name, address, subject=before.subject))
    casework.void_drafts(session, app, case, reason="recipient-changed", now=now, by=user.key)
    casework.note(session, app, case, "requester_set", actor=user.key, now=now)
    same = address.lower() == before.address.lower() or _first_address(session, case, before, name)
    if case.identity in ("verified", "waived") and not same:
        _asked_again(session, app, case, before.address, user=user, now=now)
        return say(
            language,
            "Demandeur changé ; l'identité est redemandée à la nouvelle adresse, l'ancienne est prévenue.",
            "Requester changed; proof is asked for again at the new address, and the old one is told.",
        )
    return say(language, "Demandeur changé ; les projets sont annulés.", "Requester changed; drafts are voided.")


def _first_address(session: Session, case: Case, before: cases.Person, name: str) -> bool:
    """Whether this is the first address of somebody the desk saw in person: what she gave at the counter is hers, nothing
    proven before is moved elsewhere, and asking again would ask more than is necessary (art. 12(6), decree art. 77)."""
    proofs = [event for event in journal.of_case(session, case.id or 0) if event.type == "identity_verified"]
    seen = bool(proofs) and proofs[-1].data.get("method") == "in_person"
    return (
        seen
        and not before.address
        and before.chat_id is None
        and name.casefold().split() == before.name.casefold().split()
    )


def _asked_again(session: Session, app: App, case: Case, before: str, *, user: User, now: datetime) -> None:
    """What was proven was proven for another address: ask again at the new one, and tell the old one (a takeover begins so)."""
    need = need_of(session, app, case)
    if "changed_contact" not in need.doubts:
        need = replace(need, doubts=(*need.doubts, "changed_contact"))
    data = {"rights": list(case.rights), "identity": "unsettled", **need_data(need)}
    casework.note(session, app, case, "identity_doubted", actor=user.key, now=now, data=data)
    situation = casework.situation(session, app, case, identity=need, now=now)
    facts = cases.facts_of(case)
    automatic = app.settings.identity.request == "auto"
    step = f"desk:{moment(session)}"
    letter = identity_letter(facts, situation, automatic=automatic)
    casework.write_letter(session, app, case, letter, step=f"{step}:identity", now=now)
    if before:
        told = Letter(
            "case/address_changed", case.language, letter_facts(facts, situation), "address_notice", automatic
        )
        casework.write_letter(session, app, case, told, step=f"{step}:address", now=now, recipient=before)
    casework.prepare(session, app, case, step=step, now=now)


TABLE = (
    Action("change_right", _change_right, "case", both("Changer le droit", "Change the right"), undo="change_right"),
    Action(
        "not_a_request",
        _not_a_request,
        "case",
        both("Pas une demande", "Not a request"),
        "optional",
        both("Pourquoi ?", "Why?"),
        undo="reopen",
    ),
    Action("close", _close, "case", both("Clore", "Close"), "optional", both("Pourquoi ?", "Why?"), undo="reopen"),
    Action("reopen", _reopen, "case", both("Rouvrir", "Reopen"), "optional", undo="close"),
    Action(
        "take_charge", _take_charge, "case", both("Je m'en charge", "I take it"), undo="leave_charge", needs="assist"
    ),
    Action(
        "leave_charge",
        _leave_charge,
        "case",
        both("Je ne m'en charge plus", "I no longer take it"),
        undo="take_charge",
        needs="assist",
    ),
    Action(
        "note",
        _note,
        "case",
        both("Noter", "Note"),
        "required",
        both("Votre note :", "Your note:"),
        needs="assist",
        warning=both("Définitif : le journal garde chaque note.", "Final: the journal keeps every note."),
    ),
    Action(
        "set_requester",
        _set_requester,
        "case",
        both("Changer le demandeur", "Set the requester"),
        "required",
        both("Nom <adresse@domaine>", "Name <address@domain>"),
        undo="set_requester",
        warning=both(
            "Si l'identité était prouvée, elle est redemandée aussitôt à la nouvelle adresse, et l'ancienne est prévenue.",
            "Where identity was proven, it is asked for again at the new address at once, and the old one is told.",
        ),
    ),
)
"""The actions of this group."""
