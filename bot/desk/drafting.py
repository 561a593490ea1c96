"""Letters the desk has prepared: an answer, a refusal, a notice of extension, whatever the case needs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from bot import casework
from bot.app import App
from bot.desk import outgoing
from bot.desk.basics import Action, Ask, Refused, both, case_of, moment, register_words, say
from bot.desk.proof import need_of
from bot.settings import User
from handlers.annex import RegisterIncomplete
from handlers.opening import extension_letter, identity_facts, letter_facts, part_of, refusal_letter
from handlers.types import IdentityNeed, Letter
from store import cases, drafts, journal

LETTERS = (
    "answer", "refusal", "partial", "nothing_held", "not_competent", "excessive", "clarification", "not_identified", "status",
    "closing",
)  # fmt: skip


KIND_OF = {
    "partial": "partial_refusal", "clarification": "information_request", "not_identified": "notice",
    "nothing_held": "answer", "excessive": "refusal",
}  # fmt: skip
"""Letters whose kind has another name."""


def _make_draft(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Prepare a letter. The argument names it, and after a colon the rights it answers: ``refusal:objection``."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="make_draft")
    wanted, _, named = (ask.argument or "answer").partition(":")
    if wanted not in LETTERS:
        raise Refused(say(language, "Lettre inconnue.", "Unknown letter."))
    state = casework.state(journal.of_case(session, case.id or 0))
    rights = tuple(dict.fromkeys(right for right in re.split(r"[,+]", named) if right))
    if any(right not in case.rights for right in rights):
        raise Refused(say(language, "Ce droit n'est pas dans le dossier.", "That right is not in the case."))
    decides = wanted in ("answer", "refusal", "partial", "nothing_held", "not_competent", "excessive")
    if not rights and decides:
        rights = state.ready_rights or state.open_rights or tuple(case.rights)
    if wanted == "excessive" and user.role != "dpo":
        # Art. 12(5): a high threshold, which nobody but the DPO may find reached.
        raise Refused(say(language, "Réservé au DPO (art. 12.5).", "For the DPO only (art. 12(5))."))
    part, rest = casework.in_part(case, rights) if rights else ((), [])
    kind = KIND_OF.get(wanted, wanted)
    existing = [d for d in drafts.proposed(session, case.id or 0) if d.kind == kind]
    if wanted in ("nothing_held", "excessive") and not any(d.template == f"case/{wanted}" for d in existing):
        # Another outcome for what waits already: it takes its place.
        outgoing.replace_waiting(session, app, case, kind, user=user, now=now)
    elif any(drafts.letter_of(session, app.vault, case=case, draft=d).rights in ((), part) for d in existing):
        return say(language, "Un projet attend déjà : le voici.", "A draft is waiting already: here it is.")
    step = f"desk:{moment(session)}"
    if wanted == "answer":
        try:
            casework.draft_answer(session, app, case, step=step, now=now, rights=rights)
        except RegisterIncomplete as error:
            raise Refused(register_words(error, language)) from error
        return say(language, "Projet préparé.", "Draft prepared.")
    situation = casework.situation(session, app, case, identity=IdentityNeed(0), now=now)
    facts = cases.facts_of(case)
    if wanted in ("refusal", "partial"):
        letter = refusal_letter(part_of(facts, rights), situation, partial=wanted == "partial", pending=rest)
    elif decides:
        context = {**letter_facts(part_of(facts, rights), situation, reviewed=True), "pending": rest}
        letter = Letter(f"case/{wanted}", case.language, context, kind)
    else:
        # Whoever could not be identified is told what would change that.
        identity = identity_facts(need_of(session, app, case)) if wanted == "not_identified" else None
        context = {**letter_facts(facts, situation), "identity": identity}
        if wanted == "status":
            context |= {"state": case.state, "identity_state": case.identity}
        letter = Letter(f"case/{wanted}", case.language, context, kind)
    letter = replace(letter, rights=part)
    casework.write_letter(session, app, case, letter, step=f"{step}:{wanted}", now=now)
    return say(language, "Projet préparé.", "Draft prepared.")


def _extend(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="extend")
    if any(draft.kind == "extension" for draft in drafts.proposed(session, case.id or 0)):
        raise Refused(
            say(language, "Une lettre de prolongation attend déjà.", "A letter of extension is waiting already.")
        )
    deadline = casework.deadline_of(app, case, journal.of_case(session, case.id or 0))
    limit = deadline.due or deadline.due_if_not_paused
    if case.minor and "erasure" in case.rights:
        raise Refused(
            say(
                language,
                "Effacement demandé pour un mineur : pas de prolongation (art. 51 II de la loi n° 78-17).",
                "Erasure asked for a minor: no extension (art. 51 II loi n° 78-17).",
            )
        )
    if deadline.extension_effective:
        raise Refused(
            say(
                language,
                "Déjà prolongé ; une seconde prolongation n'a pas d'effet.",
                "Extended already; a second extension has no effect.",
            )
        )
    if casework.today(app, now) > limit:
        raise Refused(
            say(
                language,
                "Trop tard : la prolongation s'annonce dans le premier mois (art. 12.3).",
                "Too late: an extension is notified within the first month (art. 12(3)).",
            )
        )
    situation = casework.situation(session, app, case, identity=IdentityNeed(0), now=now)
    letter = extension_letter(cases.facts_of(case), situation, until=deadline.extended_due.isoformat(), reason=ask.text)
    casework.write_letter(session, app, case, letter, step=f"desk:{moment(session)}:extension", now=now)
    return say(
        language,
        "Lettre de prolongation préparée ; la prolongation vaut quand elle est partie.",
        "Letter of extension prepared; the extension counts once it has left.",
    )


TABLE = (
    Action("make_draft", _make_draft, "case", both("Préparer une lettre", "Prepare a letter"), undo="reject"),
    Action(
        "extend",
        _extend,
        "case",
        both("Prolonger", "Extend"),
        "required",
        both("Raisons concrètes (complexité ou nombre) :", "Concrete reasons (complexity or number):"),
        undo="reject",
    ),
)
"""The actions of this group."""
