"""Letters the desk asks for with its own words: a refusal with its ground, a question, and what goes by post."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from bot import casework, continuation
from bot.app import App
from bot.desk.basics import HOLE, Action, Ask, Refused, both, case_of, draft_of, moment, say
from bot.letters import with_text
from bot.settings import User
from handlers.opening import letter_facts, part_of, refusal_letter
from handlers.types import IdentityNeed, Letter
from store import cases, drafts, journal
from store.models import Case, Draft


def _refuse(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    return _refusal(session, app, user, ask, now, partial=False)


def _refuse_partially(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    return _refusal(session, app, user, ask, now, partial=True)


def _refusal(session: Session, app: App, user: User, ask: Ask, now: datetime, *, partial: bool) -> str:
    """Prepare a refusal that states the ground given (art. 12(4)); a refusal that waits already is replaced."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="refuse_partially" if partial else "refuse")
    kind = "partial_refusal" if partial else "refusal"
    replace_waiting(session, app, case, kind, user=user, now=now)
    situation = casework.situation(session, app, case, identity=IdentityNeed(0), now=now)
    state = casework.state(journal.of_case(session, case.id or 0))
    rights = state.ready_rights or state.open_rights or tuple(case.rights)
    part, rest = casework.in_part(case, rights)
    letter = refusal_letter(part_of(cases.facts_of(case), rights), situation, partial=partial, pending=rest)
    letter = replace(letter, rights=part)
    draft = casework.write_letter(session, app, case, letter, step=f"desk:{moment(session)}:{kind}", now=now)
    _put_in(session, app, case, draft, ask.text.strip(), which=1 if partial else 0, user=user, now=now)
    return say(
        language,
        "Lettre de refus préparée avec ce motif ; relisez-la, puis approuvez.",
        "Letter of refusal prepared with this ground; read it, then approve.",
    )


def _ask_requester(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Ask the person something in the DPO's own words (recital 63); it does not stop the clock unless configured."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="ask_requester")
    replace_waiting(session, app, case, "information_request", user=user, now=now)
    situation = casework.situation(session, app, case, identity=IdentityNeed(0), now=now)
    facts = {**letter_facts(cases.facts_of(case), situation), "identity": None}
    facts["pause_on_clarification"] = app.settings.calendar.pause_on_clarification
    letter = Letter("case/clarification", case.language, facts, "information_request")
    draft = casework.write_letter(session, app, case, letter, step=f"desk:{moment(session)}:ask", now=now)
    _put_in(session, app, case, draft, ask.text.strip(), which=0, user=user, now=now)
    return say(
        language, "Question préparée ; elle part quand vous l'approuvez.", "Question prepared; it leaves once approved."
    )


def replace_waiting(session: Session, app: App, case: Case, kind: str, *, user: User, now: datetime) -> None:
    """Void the drafts of a kind that wait: another takes their place."""
    for waiting in drafts.proposed(session, case.id or 0):
        if waiting.kind != kind:
            continue
        drafts.decide(
            session, draft_id=waiting.id or 0, revision=waiting.revision, digest=waiting.digest, status="void",
            by=user.key, now=now,
        )  # fmt: skip
        data = {"draft": str(waiting.id), "reason": "superseded"}
        casework.note(session, app, case, "draft_voided", actor=user.key, now=now, data=data)


def _put_in(
    session: Session, app: App, case: Case, draft: Draft, text: str, *, which: int, user: User, now: datetime
) -> None:
    """Put what was typed in the place of a letter's marker, counted from 0; in part, a refusal first says what is done."""
    letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
    holes = list(HOLE.finditer(letter.text))
    if not holes:
        return
    hole = holes[min(which, len(holes) - 1)]
    filled = with_text(letter, letter.text[: hole.start()] + text + letter.text[hole.end() :], language=draft.language)
    casework.revise_letter(session, app, case, draft, filled, by=user.key, now=now)
    data = {"draft": str(draft.id), "kind": draft.kind, "revision": draft.revision, "digest": draft.digest}
    casework.note(session, app, case, "draft_edited", actor=user.key, now=now, data=data)


def _move_to_mail(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Give a person who wrote in a chat the code by which she goes on by mail, where answers and documents may go."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="ask_requester")
    if not continuation.offer(session, app, case, by=user.key, now=now):
        raise Refused(
            say(language, "Ce dossier n'est pas dans une messagerie.", "This case is not in a chat."),
        )
    return say(
        language,
        "Le demandeur reçoit un code dans la messagerie ; renvoyé par courriel, il y fait passer le dossier.",
        "The person gets a code in the chat; sent back by mail, it moves the case there.",
    )


def _by_post(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Have a letter go by post instead: printed once approved, and sent once somebody says that it was posted."""
    language = app.settings.desk.language
    case, draft = draft_of(session, app, ask)
    letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
    if not letter.recipient and letter.chat_id is None:
        raise Refused(say(language, "Cette lettre va déjà par la poste.", "This letter goes by post already."))
    changed = replace(letter, recipient="", chat_id=None)
    if not casework.revise_letter(session, app, case, draft, changed, by=user.key, now=now):
        raise Refused(say(language, "Quelqu'un d'autre vient de décider.", "Somebody else has just decided."))
    data = {
        "draft": str(draft.id),
        "kind": draft.kind,
        "revision": draft.revision,
        "digest": draft.digest,
        "by": "post",
    }
    casework.note(session, app, case, "draft_edited", actor=user.key, now=now, data=data)
    return say(
        language,
        "Cette lettre ira par la poste : approuvez, imprimez (dpobot desk), postez, puis « Lettre postée ».",
        "This letter will go by post: approve, print (dpobot desk), post it, then “Letter posted”.",
    )


TABLE = (
    Action(
        "refuse", _refuse, "case", both("Refuser la demande", "Refuse the request"), "required",
        both("Motif, avec le texte (art. 12.4) :", "Ground, with the article (art. 12(4)):"), undo="reject",
    ),
    Action(
        "refuse_partially", _refuse_partially, "case", both("Refuser en partie", "Refuse in part"), "required",
        both("Ce qui est refusé et pourquoi, avec le texte :", "What is refused and why, with the article:"), undo="reject",
    ),
    Action(
        "ask_requester", _ask_requester, "case", both("Poser une question", "Ask the person"), "required",
        both("Votre question au demandeur :", "Your question to the person:"), undo="reject",
    ),
    Action(
        "move_to_mail", _move_to_mail, "case", both("Passer au courriel", "Go on by mail"), undo="set_requester", sends=True,
    ),
    Action("by_post", _by_post, "draft", both("Envoyer par la poste", "Send by post"), undo="reject"),
)  # fmt: skip
"""The actions of this group."""
