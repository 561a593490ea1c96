"""Everything a person may do at the desk, one table and one function each, the same from chat, terminal or mail.

An action runs in one transaction and tells what really happened, after it happened. What is asked names the revision
and the digest it saw;
if the case moved on meanwhile, nothing happens and the answer says so.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parseaddr

from sqlmodel import Session, col, update

from bot import casework, intake, suppression
from bot.app import App
from bot.desk import casefile, lawful, office, outgoing, roster
from bot.desk.basics import HOLE, LONGEST_TEXT, Action, Ask, NeedsReason, Refused, Stale, Told, changed_since
from bot.desk.basics import both as _both
from bot.desk.basics import case_of as _case
from bot.desk.basics import draft_of as _draft
from bot.desk.basics import is_number as _is_number
from bot.desk.basics import message_of as _message
from bot.desk.basics import moment as _moment
from bot.desk.basics import say as _say
from bot.desk.masking import hider, still_masked, unmask
from bot.desk.moving import reseal
from bot.desk.review import findings_of
from bot.desk.words import RIGHTS, word
from bot.evidence import evidence_of
from bot.learning import learn
from bot.letters import with_text
from bot.sending import sent_by_post, settle_by_hand
from bot.settings import User, is_address
from handlers.annex import RegisterIncomplete
from handlers.identity import NEVER_PROVED, assess, at_least, looks_like_proof
from handlers.lifecycle import REASONS, UNSETTLED, may_approve
from handlers.opening import (
    extension_letter,
    identity_facts,
    identity_letter,
    letter_facts,
    need_data,
    part_of,
    refusal_letter,
)
from handlers.types import IdentityNeed, Letter, Notice
from nlp.types import LABELS
from store import cases, drafts, journal, messages, outbox
from store.models import Button, Case, Draft, Message, OutboxItem
from store.sealing import SealingError
from templates import TemplateError

__all__ = [
    "ACTIONS",
    "CHOICES",
    "HOLE",
    "LETTERS",
    "LONGEST_TEXT",
    "Action",
    "Ask",
    "NeedsReason",
    "Refused",
    "Told",
    "perform",
]

log = logging.getLogger("dpobot.desk")


def perform(app: App, ask: Ask, *, user: User) -> Told:
    """Do what *user* asks, in one transaction. A refusal changes nothing and says why."""
    now = app.clock.now()
    language = app.settings.desk.language
    action = ACTIONS.get(ask.action)
    if action is None:
        return Told(False, _say(language, "Action inconnue.", "Unknown action."))
    if user.role not in action.roles:
        return Told(False, _say(language, "Votre rôle ne le permet pas.", "Your role does not allow this."))
    if action.text == "required" and not ask.text.strip():
        return Told(False, _say(language, "Il manque un texte.", "A text is missing."))
    if ask.masked and ask.action in INTO_LETTERS and still_masked(ask.text):
        return Told(False, _masked_words(language))
    if len(ask.text) > LONGEST_TEXT:
        return Told(
            False,
            _say(
                language, "Texte trop long (20 000 caractères au plus).", "Text too long (20,000 characters at most)."
            ),
        )
    try:
        with app.database.transaction() as session:
            if ask.button:
                _press_once(session, app, ask, user, now)
            _as_seen(session, app, action, ask)
            told = action.run(session, app, user, ask, now)
            learn(session, app, ask.action, ask.subject, by=user.key, now=now)
            _refresh(session, app, ask, now)
    except Refused as refusal:
        if isinstance(refusal, Stale):
            with app.database.transaction() as session:
                _refresh(session, app, ask, now)
        return Told(False, str(refusal), isinstance(refusal, NeedsReason))
    except TemplateError as error:
        return Told(False, _say(language, f"Lettre impossible : {error}", f"Letter impossible: {error}"))
    except SealingError:
        return Told(False, _say(language, "Contenu effacé ou altéré.", "The content was erased or altered."))
    if ask.action == "erase_case":
        app.database.scrub()
    log.info("desk.action", extra={"action": ask.action, "subject": ask.subject, "user": user.key})
    return Told(True, told)


def _press_once(session: Session, app: App, ask: Ask, user: User, now: datetime) -> None:
    """Use up the button; of two presses, or a press delivered twice, one has an effect."""
    used = session.exec(
        update(Button)
        .where(col(Button.key) == ask.button, col(Button.used_at).is_(None))
        .values(used_at=now, used_by=user.key)
    )
    if used.rowcount == 1:
        return
    button = session.get(Button, ask.button)
    by = button.used_by if button else "?"
    raise Refused(_say(app.settings.desk.language, f"Déjà fait par {by}.", f"Done already by {by}."))


def _as_seen(session: Session, app: App, action: Action, ask: Ask) -> None:
    """Refuse a decision on a case that is no longer what the card showed, and say what came between.

    A draft that was edited or decided meanwhile says so itself, with the name of who did it.
    """
    kind, _, number = ask.subject.partition(":")
    if ask.seen is None or not action.bound or kind != "case" or not _is_number(number):
        return
    case = session.get(Case, int(number))
    changed = changed_since(session, app, case, ask.seen) if case is not None else ""
    draft = session.get(Draft, ask.draft_id) if ask.draft_id else None
    if not changed or (draft is not None and draft.status != "proposed"):
        return
    raise Stale(
        _say(
            app.settings.desk.language,
            f"Rien n'est fait : le dossier a changé depuis cette carte ({changed}). La voici à jour.",
            f"Nothing was done: the case has changed since this card ({changed}). Here it is as it stands.",
        )
    )


INTO_LETTERS = frozenset(
    {
        "fill",
        "extend",
        "identity_insufficient",
        "refuse",
        "refuse_partially",
        "ask_requester",
        "ask_fee",
        "lift_restriction",
    }
)
"""Actions whose text goes into a letter word for word (``edit`` restores what was masked, and looks for itself)."""


def _masked_words(language: str) -> str:
    return _say(
        language,
        "Le texte contient encore des passages masqués (•) : complétez-les, ou modifiez dans « dpobot desk ».",
        "The text still holds masked passages (•): complete them, or edit in 'dpobot desk'.",
    )


def _refresh(session: Session, app: App, ask: Ask, now: datetime) -> None:
    """Have the card drawn anew for everybody who sees it."""
    kind, _, number = ask.subject.partition(":")
    if kind == "case":
        case = session.get(Case, int(number))
        if case is not None:
            step = f"{_moment(session)}:{ask.action}"
            # The key of a case that was just erased seals nothing any more; that it is erased must be seen all the same.
            key_id = case.key_id if case.address_hash else app.vault.new_key(session, now=now)
            casework.tell_desk(
                session, app, Notice("refresh"), subject=ask.subject, key_id=key_id, step=step, now=now, case=case
            )
    elif kind == "message":
        message = session.get(Message, int(number))
        if message is not None:
            subject = f"case:{message.case_id}" if message.disposition == "opened" else ask.subject
            casework.tell_desk(
                session,
                app,
                Notice("refresh"),
                subject=subject,
                key_id=message.key_id,
                step=f"{_moment(session)}:{ask.action}",
                now=now,
            )


# --- finding what is meant -------------------------------------------------------------------------------------------


def _unsorted(session: Session, app: App, ask: Ask) -> Message:
    message = _message(session, app, ask)
    if message.disposition not in (*messages.TO_A_PERSON, "ignored"):
        raise Refused(
            _say(app.settings.desk.language, "Ce message est déjà trié.", "This message has been sorted already.")
        )
    return message


# --- letters ---------------------------------------------------------------------------------------------------------


def _approve(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case, draft = _draft(session, app, ask)
    letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
    reason = ask.text.strip()
    if letter.chat_id is not None and not letter.recipient and draft.kind in ("answer", "refusal", "partial_refusal"):
        raise Refused(
            _say(
                language,
                "Pas de réponse sur le fond par messagerie : indiquez une adresse (« Changer le demandeur ») ou le courrier.",
                "No answer on the merits by chat: set an address ('Set the requester'), or answer by post.",
            )
        )
    _identity_allows(session, app, user, case, draft, letter, reason, now)
    errors = [f for f in findings_of(app, case, draft, letter) if f.severity == "error"]
    if errors and (not reason or HOLE.search(letter.text)):
        listed = "\n".join(f"- {finding.message[language]}" for finding in errors)
        refusal = Refused if HOLE.search(letter.text) else NeedsReason
        raise refusal(_say(language, f"À corriger d'abord :\n{listed}", f"To mend first:\n{listed}"))
    if errors:
        data = {"draft": str(draft.id), "findings": [finding.code for finding in errors]}
        casework.note(session, app, case, "override", actor=user.key, now=now, data=data, text=reason)
    waits = _second_approval(session, app, user, case, draft, now)
    if waits:
        return waits
    stands_in = roster.standing_in(session, user, casework.today(app, now))
    behalf = ",".join(absence.user for absence in stands_in)
    if not casework.approve_bytes(session, app, case, draft, letter, by=user.key, now=now, on_behalf=behalf):
        raise Refused(_say(language, "Quelqu'un d'autre vient de décider.", "Somebody else has just decided."))
    return _say(
        language,
        f"Approuvé : la lettre du dossier {case.reference} part.",
        f"Approved: the letter of case {case.reference} is leaving.",
    )


def _second_approval(session: Session, app: App, user: User, case: Case, draft: Draft, now: datetime) -> str:
    """Note a first approval where two are needed, and say so; empty where the letter may leave (art. 32(4), attack 14).

    The first holds for the very text it was given to: an edit, or another letter, starts anew.
    """
    language = app.settings.desk.language
    rules = {
        "erasure": "erasure" in case.rights,
        "disclosure": bool({"access", "portability"} & set(case.rights)),
        "minor": case.minor,
        "sensitive": case.sensitive,
    }
    wanted = [rule for rule in app.settings.desk.second_approval if rules[rule]]
    if not wanted or draft.kind not in ("answer", "partial_refusal"):
        return ""
    given = {
        event.actor
        for event in journal.of_case(session, case.id or 0)
        if event.type == "approval_first"
        and (event.data["draft"], event.data["digest"]) == (str(draft.id), draft.digest)
    }
    if user.key in given:
        raise Refused(
            _say(
                language,
                "Vous avez déjà approuvé : il faut une seconde personne.",
                "You have approved already: a second person is needed.",
            )
        )
    if given:
        return ""
    data = {"draft": str(draft.id), "revision": draft.revision, "digest": draft.digest, "rules": wanted}
    casework.note(session, app, case, "approval_first", actor=user.key, now=now, data=data)
    return _say(
        language,
        "Première approbation notée ; rien n'est parti : une seconde personne doit approuver ce texte.",
        "First approval noted; nothing has left: a second person has to approve this text.",
    )


def _identity_allows(
    session: Session,
    app: App,
    user: User,
    case: Case,
    draft: Draft,
    letter: drafts.LetterText,
    reason: str,
    now: datetime,
) -> None:
    """Stop an answer to somebody whose identity is unsettled, unless the DPO says why it may go (art. 12(6))."""
    state = casework.state(journal.of_case(session, case.id or 0))
    allowed, why = may_approve(state, draft.kind, override_reason=reason, rights=letter.rights)
    if not allowed:
        refusal = NeedsReason if why.startswith("identity-") else Refused
        raise refusal(REASONS[why][app.settings.desk.language])
    if reason and not may_approve(state, draft.kind, rights=letter.rights)[0]:
        casework.note(session, app, case, "identity_waived", actor=user.key, now=now, text=reason)


def _edit(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case, draft = _draft(session, app, ask)
    letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
    return _new_text(session, app, user, case, draft, letter, _typed(session, app, case, letter, ask), now)


def _fill(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Replace the first marker of a draft by what the DPO typed: the quick way, from a phone."""
    language = app.settings.desk.language
    case, draft = _draft(session, app, ask)
    letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
    if not HOLE.search(letter.text):
        raise Refused(_say(language, "Rien n'est à compléter.", "Nothing is to be completed."))
    filled = HOLE.sub(lambda _: ask.text.strip(), letter.text, count=1)
    return _new_text(session, app, user, case, draft, letter, filled, now)


def _typed(session: Session, app: App, case: Case, letter: drafts.LetterText, ask: Ask) -> str:
    """Return the text as meant: what was typed over a masked draft gets its real values back, or is refused."""
    if not ask.masked:
        return ask.text
    person = cases.person_of(session, app.vault, case)
    hide = hider((person.name, person.address), keep=kept_in_letters(app))
    text = unmask(ask.text, name=person.name, address=person.address, original=letter.text, hide=hide)
    if still_masked(text):
        raise Refused(_masked_words(app.settings.desk.language))
    return text


def kept_in_letters(app: App) -> tuple[str, ...]:
    """What is ours in a letter, and therefore never masked."""
    settings = app.settings
    return (settings.dpo.name, *settings.own_addresses, settings.authority.address, settings.authority.url)


def _new_text(
    session: Session,
    app: App,
    user: User,
    case: Case,
    draft: Draft,
    letter: drafts.LetterText,
    text: str,
    now: datetime,
) -> str:
    language = app.settings.desk.language
    changed = with_text(letter, text, language=draft.language)
    if changed == letter:
        raise Refused(_say(language, "Le texte est le même.", "The text is the same."))
    if not drafts.revise(
        session, app.vault, case=case, draft=draft, seen_revision=draft.revision, letter=changed, by=user.key, now=now
    ):
        raise Refused(_say(language, "Quelqu'un d'autre vient de décider.", "Somebody else has just decided."))
    data = {"draft": str(draft.id), "kind": draft.kind, "revision": draft.revision, "digest": draft.digest}
    casework.note(session, app, case, "draft_edited", actor=user.key, now=now, data=data)
    return _say(
        language,
        f"Version {draft.revision} enregistrée ; à approuver.",
        f"Revision {draft.revision} saved; to be approved.",
    )


def _reject(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case, draft = _draft(session, app, ask)
    assert draft.id is not None
    if not drafts.decide(
        session,
        draft_id=draft.id,
        revision=draft.revision,
        digest=draft.digest,
        status="rejected",
        by=user.key,
        now=now,
    ):
        raise Refused(_say(language, "Quelqu'un d'autre vient de décider.", "Somebody else has just decided."))
    data = {"draft": str(draft.id), "kind": draft.kind, "revision": draft.revision}
    casework.note(session, app, case, "draft_rejected", actor=user.key, now=now, data=data, text=ask.text)
    return _say(language, "Projet refusé : rien n'est parti.", "Draft refused: nothing has left.")


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
    case = _case(session, app, ask, does="make_draft")
    wanted, _, named = (ask.argument or "answer").partition(":")
    if wanted not in LETTERS:
        raise Refused(_say(language, "Lettre inconnue.", "Unknown letter."))
    state = casework.state(journal.of_case(session, case.id or 0))
    rights = tuple(dict.fromkeys(right for right in re.split(r"[,+]", named) if right))
    if any(right not in case.rights for right in rights):
        raise Refused(_say(language, "Ce droit n'est pas dans le dossier.", "That right is not in the case."))
    decides = wanted in ("answer", "refusal", "partial", "nothing_held", "not_competent", "excessive")
    if not rights and decides:
        rights = state.ready_rights or state.open_rights or tuple(case.rights)
    if wanted == "excessive" and user.role != "dpo":
        # Art. 12(5): a high threshold, which nobody but the DPO may find reached.
        raise Refused(_say(language, "Réservé au DPO (art. 12.5).", "For the DPO only (art. 12(5))."))
    part, rest = casework.in_part(case, rights) if rights else ((), [])
    kind = KIND_OF.get(wanted, wanted)
    existing = [d for d in drafts.proposed(session, case.id or 0) if d.kind == kind]
    if wanted in ("nothing_held", "excessive") and not any(d.template == f"case/{wanted}" for d in existing):
        # Another outcome for what waits already: it takes its place.
        outgoing.replace_waiting(session, app, case, kind, user=user, now=now)
    elif any(drafts.letter_of(session, app.vault, case=case, draft=d).rights in ((), part) for d in existing):
        return _say(language, "Un projet attend déjà : le voici.", "A draft is waiting already: here it is.")
    step = f"desk:{_moment(session)}"
    if wanted == "answer":
        try:
            casework.draft_answer(session, app, case, step=step, now=now, rights=rights)
        except RegisterIncomplete as error:
            raise Refused(str(error)) from error
        return _say(language, "Projet préparé.", "Draft prepared.")
    situation = casework.situation(session, app, case, identity=IdentityNeed(0), now=now)
    facts = cases.facts_of(case)
    if wanted in ("refusal", "partial"):
        letter = refusal_letter(part_of(facts, rights), situation, partial=wanted == "partial", pending=rest)
    elif decides:
        context = {**letter_facts(part_of(facts, rights), situation, reviewed=True), "pending": rest}
        letter = Letter(f"case/{wanted}", case.language, context, kind)
    else:
        # Whoever could not be identified is told what would change that.
        identity = identity_facts(_need(session, app, case)) if wanted == "not_identified" else None
        context = {**letter_facts(facts, situation), "identity": identity}
        if wanted == "status":
            context |= {"state": case.state, "identity_state": case.identity}
        letter = Letter(f"case/{wanted}", case.language, context, kind)
    letter = replace(letter, rights=part)
    casework.write_letter(session, app, case, letter, step=f"{step}:{wanted}", now=now)
    return _say(language, "Projet préparé.", "Draft prepared.")


def _extend(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = _case(session, app, ask, does="extend")
    if any(draft.kind == "extension" for draft in drafts.proposed(session, case.id or 0)):
        raise Refused(
            _say(language, "Une lettre de prolongation attend déjà.", "A letter of extension is waiting already.")
        )
    deadline = casework.deadline_of(app, case, journal.of_case(session, case.id or 0))
    limit = deadline.due or deadline.due_if_not_paused
    if case.minor and "erasure" in case.rights:
        raise Refused(
            _say(
                language,
                "Effacement demandé pour un mineur : pas de prolongation (art. 51 II de la loi n° 78-17).",
                "Erasure asked for a minor: no extension (art. 51 II loi n° 78-17).",
            )
        )
    if deadline.extension_effective:
        raise Refused(
            _say(
                language,
                "Déjà prolongé ; une seconde prolongation n'a pas d'effet.",
                "Extended already; a second extension has no effect.",
            )
        )
    if casework.today(app, now) > limit:
        raise Refused(
            _say(
                language,
                "Trop tard : la prolongation s'annonce dans le premier mois (art. 12.3).",
                "Too late: an extension is notified within the first month (art. 12(3)).",
            )
        )
    situation = casework.situation(session, app, case, identity=IdentityNeed(0), now=now)
    letter = extension_letter(cases.facts_of(case), situation, until=deadline.extended_due.isoformat(), reason=ask.text)
    casework.write_letter(session, app, case, letter, step=f"desk:{_moment(session)}:extension", now=now)
    return _say(
        language,
        "Lettre de prolongation préparée ; la prolongation vaut quand elle est partie.",
        "Letter of extension prepared; the extension counts once it has left.",
    )


# --- identity --------------------------------------------------------------------------------------------------------


def _identity_settled(session: Session, app: App, case: Case, *, step: str, now: datetime) -> None:
    """Once identity is settled, the answer can be prepared; what was shown before rested on doubt."""
    casework.prepare(session, app, case, step=step, now=now)


def _identity_verified(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = _case(session, app, ask, does="identity_verified")
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
    _identity_settled(session, app, case, step=f"desk:{_moment(session)}", now=now)
    return _say(
        app.settings.desk.language,
        "Identité vérifiée ; les copies seront détruites. La réponse est à préparer.",
        "Identity verified; copies will be destroyed. The answer is to be prepared.",
    )


def _identity_in_person(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Somebody saw the person, or a document in her presence: nothing is copied, who saw what is noted (art. 77)."""
    case = _case(session, app, ask, does="identity_in_person")
    lawful.proof_received(session, app, user, ask, case, now)
    data = {"method": "in_person"}
    casework.note(session, app, case, "identity_verified", actor=user.key, now=now, data=data, text=ask.text)
    _identity_settled(session, app, case, step=f"desk:{_moment(session)}", now=now)
    return _say(
        app.settings.desk.language,
        "Identité vue sur place, notée ; la réponse est à préparer.",
        "Identity seen in person, noted; the answer is to be prepared.",
    )


def _identity_waived(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = _case(session, app, ask, does="identity_waived")
    casework.note(session, app, case, "identity_waived", actor=user.key, now=now, text=ask.text)
    _identity_settled(session, app, case, step=f"desk:{_moment(session)}", now=now)
    return _say(
        app.settings.desk.language,
        "Identité non nécessaire ; la raison est notée.",
        "Identity not needed; the reason is noted.",
    )


def _identity_insufficient(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = _case(session, app, ask, does="identity_insufficient")
    if case.identity == "rejected":
        _asking_already(session, app, case, now)
    casework.note(session, app, case, "identity_insufficient", actor=user.key, now=now, text=ask.text)
    need = _need(session, app, case)
    situation = casework.situation(session, app, case, identity=need, now=now)
    facts = {**letter_facts(cases.facts_of(case), situation), "identity": identity_facts(need), "reason": ask.text}
    automatic = app.settings.identity.request == "auto"
    letter = Letter("case/identity_insufficient", case.language, facts, "identity_request", automatic)
    draft = casework.write_letter(session, app, case, letter, step=f"desk:{_moment(session)}:insufficient", now=now)
    if draft.status != "approved":
        return _say(
            app.settings.desk.language,
            "Noté ; la lettre qui demande de compléter attend votre accord.",
            "Noted; the letter that asks for more waits for your approval.",
        )
    return _say(
        app.settings.desk.language, "Noté ; le demandeur est prié de compléter.", "Noted; the person is asked for more."
    )


def _assessed(session: Session, app: App, case: Case, rights: Sequence[str]) -> IdentityNeed:
    """What proof *rights* would need of the person who wrote the message that opened the case."""
    opening = messages.of_case(session, case.id or 0)
    if not opening:
        return IdentityNeed(0)
    arrival, reading, _ = intake.restored(opening[0], messages.view(session, app.vault, opening[0]))
    asked = case.model_copy(update={"rights": list(rights)})
    return assess(evidence_of(session, app, asked, arrival, reading))


def _need(session: Session, app: App, case: Case) -> IdentityNeed:
    need = casework.identity_need_of(journal.of_case(session, case.id or 0))
    return need if need.asked else at_least(_assessed(session, app, case, case.rights), 2)


def _asking_already(session: Session, app: App, case: Case, now: datetime) -> None:
    """Refuse to ask twice: two people at the desk, or a request that has only just been queued."""
    just_now = now - timedelta(minutes=10)
    for item in outbox.of_case(session, case.id or 0):
        waiting = item.status in ("pending", "sending") or (item.status == "sent" and item.created_at > just_now)
        if "identity_request" in item.kind and waiting and item.automatic:
            raise Refused(
                _say(
                    app.settings.desk.language,
                    "La demande de justificatif vient de partir.",
                    "The request for proof has just left.",
                )
            )


def _request_identity(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = _case(session, app, ask, does="request_identity")
    _asking_already(session, app, case, now)
    need = _need(session, app, case)
    casework.note(session, app, case, "identity_doubted", actor=user.key, now=now, data=need_data(need))
    situation = casework.situation(session, app, case, identity=need, now=now)
    letter = identity_letter(cases.facts_of(case), situation, automatic=True)
    casework.void_drafts(session, app, case, reason="identity-doubted", now=now, by=user.key)
    draft = casework.write_letter(session, app, case, letter, step=f"desk:{_moment(session)}:identity", now=now)
    if not NEVER_PROVED.issuperset(case.rights):
        casework.prepare(session, app, case, step=f"desk:{_moment(session)}", now=now)
    if draft.status != "approved":
        return _say(
            app.settings.desk.language,
            "La demande de justificatif est prête ; elle attend votre accord.",
            "The request for proof is ready; it waits for your approval.",
        )
    return _say(app.settings.desk.language, "La demande de justificatif part.", "The request for proof is leaving.")


# --- what the case is ------------------------------------------------------------------------------------------------


def _change_right(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = _case(session, app, ask, does="change_right")
    rights = list(dict.fromkeys(right for right in ask.argument.split(",") if right))
    if not rights or any(right not in app.rights for right in rights):
        raise Refused(_say(language, "Droit inconnu.", "Unknown right."))
    if rights == case.rights:
        raise Refused(_say(language, "C'est déjà ce droit.", "It is that right already."))
    data: dict[str, object] = {"rights": rights, "before": list(case.rights)}
    need = _assessed(session, app, case, rights)
    doubted = need.asked and case.identity == "not_required"
    if doubted:
        # A right that needs proof was added to one that needs none: what was not asked before is asked now.
        data |= {"identity": "required", **need_data(need)}
    casework.note(session, app, case, "rights_changed", actor=user.key, now=now, data=data)
    if suppression.enter(session, app, case, now=now):
        casework.note(session, app, case, "suppression_listed", actor=user.key, now=now)
    casework.void_drafts(session, app, case, reason="right-changed", now=now, by=user.key)
    step = f"desk:{_moment(session)}"
    if doubted:
        situation = casework.situation(session, app, case, identity=need, now=now)
        casework.write_letter(session, app, case, identity_letter(cases.facts_of(case), situation), step=step, now=now)
    casework.prepare(session, app, case, step=step, now=now)
    named = ", ".join(word(RIGHTS, language, right) for right in rights)
    return _say(
        language, f"Droit changé : {named}. L'échéance ne change pas.", f"Right changed: {named}. The due date stays."
    )


def _not_a_request(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = _case(session, app, ask, does="not_a_request")
    casework.void_drafts(session, app, case, reason="not-a-request", now=now, by=user.key)
    casework.note(session, app, case, "not_a_request", actor=user.key, now=now, text=ask.text)
    if suppression.RIGHTS & set(case.rights):
        suppression.remove(session, app, case)
    return _say(
        app.settings.desk.language,
        "Classé : pas une demande (« rouvrir » l'annule).",
        "Filed: not a request (“reopen” undoes it).",
    )


def _reopen(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = _case(session, app, ask, does="reopen")
    casework.note(session, app, case, "reopened", actor=user.key, now=now, text=ask.text)
    return _say(
        app.settings.desk.language,
        "Rouvert ; l'échéance court depuis la réception.",
        "Reopened; the clock runs from receipt.",
    )


def _close(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = _case(session, app, ask, does="close")
    if case.state not in ("answered", "refused", "partially_refused") and not ask.text.strip():
        raise NeedsReason(
            _say(
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
    return _say(language, f"Dossier {case.reference} clos.", f"Case {case.reference} closed.")


def _take_charge(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = _case(session, app, ask, does="take_charge")
    case.charge = user.key
    session.add(case)
    casework.note(session, app, case, "taken_charge", actor=user.key, now=now)
    return _say(app.settings.desk.language, "Vous êtes en charge.", "You are in charge.")


def _leave_charge(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = _case(session, app, ask, does="take_charge")
    if case.charge != user.key:
        raise Refused(_say(language, "Vous n'êtes pas en charge.", "You are not in charge."))
    case.charge = ""
    session.add(case)
    casework.note(session, app, case, "charge_left", actor=user.key, now=now)
    return _say(language, "Vous n'êtes plus en charge.", "You are no longer in charge.")


def _note(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case = _case(session, app, ask)
    casework.note(session, app, case, "note", actor=user.key, now=now, text=ask.text)
    return _say(app.settings.desk.language, "Note ajoutée au dossier.", "Note added to the case.")


def _sent_by_post(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = _case(session, app, ask)
    if not sent_by_post(session, app, case):
        raise Refused(_say(language, "Aucune lettre n'attend d'être postée.", "No letter waits to be posted."))
    casework.note(session, app, case, "posted", actor=user.key, now=now)
    return _say(language, "Noté : la lettre est postée.", "Noted: the letter was posted.")


def _set_requester(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = _case(session, app, ask)
    if case.state in cases.CLOSED:
        raise Refused(
            _say(language, "Le dossier est clos : rouvrez-le d'abord.", "The case is closed: reopen it first.")
        )
    typed = ask.text.strip()
    name, address = parseaddr(typed)
    if not typed.isprintable() or not is_address(address) or address.lower() in app.settings.own_addresses:
        raise Refused(_say(language, "Écrivez : Nom <adresse@domaine>.", "Write: Name <address@domain>."))
    before = cases.person_of(session, app.vault, case)
    cases.set_person(session, app.vault, case, cases.Person(name, address))
    casework.void_drafts(session, app, case, reason="recipient-changed", now=now, by=user.key)
    casework.note(session, app, case, "requester_set", actor=user.key, now=now)
    same = address.lower() == before.address.lower() or _first_address(session, case, before, name)
    if case.identity in ("verified", "waived") and not same:
        _asked_again(session, app, case, before.address, user=user, now=now)
        return _say(
            language,
            "Demandeur changé ; l'identité est redemandée à la nouvelle adresse, l'ancienne est prévenue.",
            "Requester changed; proof is asked for again at the new address, and the old one is told.",
        )
    return _say(language, "Demandeur changé ; les projets sont annulés.", "Requester changed; drafts are voided.")


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
    need = _need(session, app, case)
    if "changed_contact" not in need.doubts:
        need = replace(need, doubts=(*need.doubts, "changed_contact"))
    data = {"rights": list(case.rights), "identity": "unsettled", **need_data(need)}
    casework.note(session, app, case, "identity_doubted", actor=user.key, now=now, data=data)
    situation = casework.situation(session, app, case, identity=need, now=now)
    facts = cases.facts_of(case)
    automatic = app.settings.identity.request == "auto"
    step = f"desk:{_moment(session)}"
    letter = identity_letter(facts, situation, automatic=automatic)
    casework.write_letter(session, app, case, letter, step=f"{step}:identity", now=now)
    if before:
        told = Letter(
            "case/address_changed", case.language, letter_facts(facts, situation), "address_notice", automatic
        )
        casework.write_letter(session, app, case, told, step=f"{step}:address", now=now, recipient=before)
    casework.prepare(session, app, case, step=step, now=now)


# --- items to sort ---------------------------------------------------------------------------------------------------


def _open_as(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    message = _unsorted(session, app, ask)
    rights = list(dict.fromkeys(right for right in ask.argument.split(",") if right))
    if not rights or any(right not in app.rights for right in rights):
        raise Refused(_say(language, "Droit inconnu.", "Unknown right."))
    arrival, reading, verdict = intake.restored(message, messages.view(session, app.vault, message))
    case = intake.open_case(
        session, app, message, arrival, reading, verdict, rights=rights, key_id=message.key_id, now=now, by=user.key
    )
    return _say(
        language,
        f"Dossier {case.reference} ouvert ; l'échéance court depuis la réception.",
        f"Case {case.reference} opened; its clock runs from receipt.",
    )


def _file(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    message = _unsorted(session, app, ask)
    if message.sorted_at is not None:
        raise Refused(_say(app.settings.desk.language, "Ce message est déjà classé.", "This message is filed already."))
    if message.disposition != "authority":
        message.disposition = "ignored"
    message.sorted_at = now
    session.add(message)
    journal.append(session, type="message_filed", actor=user.key, at=now, now=now, data={"message": message.id})
    return _say(app.settings.desk.language, "Classé sans suite.", "Filed.")


def _attach(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Add an item to a case that a person names; a document among its files counts as the proof that is awaited."""
    language = app.settings.desk.language
    message = _unsorted(session, app, ask)
    case = cases.by_reference(session, ask.text)
    if case is None:
        raise Refused(_say(language, "Aucun dossier de cette référence.", "No case with that reference."))
    awaited = case.identity in UNSETTLED
    found = [
        attachment
        for attachment in messages.attachments(session, message.id or 0)
        if attachment.is_identity
        or looks_like_proof("", attachment.sniffed_type or attachment.content_type, requested=awaited, announced=False)
    ]
    file_key = message.raw_key_id
    if file_key == message.key_id:
        file_key = app.vault.new_key(session, now=now) if found else case.key_id
    reseal(session, app, message, case, file_key=file_key, proofs={a.id for a in found})
    message.sorted_at = now
    data = {"message": message.id, "by": "desk"}
    casework.note(session, app, case, "message_added", actor=user.key, now=now, at=message.received_at, data=data)
    if found and awaited:
        data = {"message": message.id, "documents": len(found)}
        casework.note(
            session, app, case, "identity_received", actor="person", now=now, at=message.received_at, data=data
        )
    casework.void_drafts(session, app, case, reason="new-message", now=now, by=user.key)
    return _say(language, f"Ajouté au dossier {case.reference}.", f"Added to case {case.reference}.")


def _uncertain(session: Session, app: App, ask: Ask) -> tuple[Case, OutboxItem]:
    language = app.settings.desk.language
    case = _case(session, app, ask)
    for item in outbox.of_case(session, case.id or 0):
        if item.status in ("uncertain", "failed") and item.channel in ("mail", "chat"):
            return case, item
    raise Refused(_say(language, "Aucun envoi n'est en suspens.", "No sending is in doubt."))


def _letter_left(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case, item = _uncertain(session, app, ask)
    settle_by_hand(session, app, item, left=True, by=user.key)
    return _say(
        app.settings.desk.language,
        f"Noté : la lettre du dossier {case.reference} est partie.",
        f"Noted: the letter of case {case.reference} left.",
    )


def _letter_again(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case, item = _uncertain(session, app, ask)
    settle_by_hand(session, app, item, left=False, by=user.key)
    return _say(
        app.settings.desk.language,
        f"La lettre du dossier {case.reference} repart.",
        f"The letter of case {case.reference} is sent again.",
    )


_TABLE = (
    Action(
        "approve",
        _approve,
        "draft",
        _both("Approuver et envoyer", "Approve and send"),
        "optional",
        _both("Raison de passer outre ?", "Reason to override?"),
        warning=_both(
            "Définitif : la lettre part aussitôt et ne se rappelle pas.",
            "Final: the letter leaves at once and cannot be recalled.",
        ),
    ),
    Action(
        "edit",
        _edit,
        "draft",
        _both("Modifier", "Edit"),
        "required",
        _both("Envoyez le texte entier de la lettre.", "Send the whole text of the letter."),
        undo="edit",
    ),
    Action(
        "fill",
        _fill,
        "draft",
        _both("Compléter", "Complete"),
        "required",
        _both("Que mettre à la place ?", "What goes in its place?"),
        undo="edit",
    ),
    Action(
        "reject",
        _reject,
        "draft",
        _both("Refuser le projet", "Refuse the draft"),
        "required",
        _both("Pourquoi ?", "Why?"),
        undo="make_draft",
    ),
    Action("make_draft", _make_draft, "case", _both("Préparer une lettre", "Prepare a letter"), undo="reject"),
    Action(
        "extend",
        _extend,
        "case",
        _both("Prolonger", "Extend"),
        "required",
        _both("Raisons concrètes (complexité ou nombre) :", "Concrete reasons (complexity or number):"),
        undo="reject",
    ),
    Action(
        "identity_verified",
        _identity_verified,
        "case",
        _both("Identité vérifiée", "Identity verified"),
        "optional",
        _both("Comment ?", "How?"),
        undo="request_identity",
    ),
    Action(
        "identity_in_person",
        _identity_in_person,
        "case",
        _both("Vue sur place", "Seen in person"),
        "required",
        _both("Qui a vu la personne, quand, avec quoi ?", "Who saw the person, when, with what?"),
        undo="request_identity",
    ),
    Action(
        "identity_insufficient",
        _identity_insufficient,
        "case",
        _both("Identité insuffisante", "Identity insufficient"),
        "required",
        _both("Que manque-t-il ? (écrit au demandeur)", "What is missing? (goes to the person)"),
        undo="identity_verified",
    ),
    Action(
        "identity_waived",
        _identity_waived,
        "case",
        _both("Identité non nécessaire", "Identity not needed"),
        "required",
        _both("Pourquoi ?", "Why?"),
        undo="request_identity",
    ),
    Action(
        "request_identity",
        _request_identity,
        "case",
        _both("Demander l'identité", "Ask for identity"),
        undo="identity_waived",
    ),
    Action("change_right", _change_right, "case", _both("Changer le droit", "Change the right"), undo="change_right"),
    Action(
        "not_a_request",
        _not_a_request,
        "case",
        _both("Pas une demande", "Not a request"),
        "optional",
        _both("Pourquoi ?", "Why?"),
        undo="reopen",
    ),
    Action("close", _close, "case", _both("Clore", "Close"), "optional", _both("Pourquoi ?", "Why?"), undo="reopen"),
    Action("reopen", _reopen, "case", _both("Rouvrir", "Reopen"), "optional", undo="close"),
    Action(
        "take_charge", _take_charge, "case", _both("Je m'en charge", "I take it"), undo="leave_charge", needs="assist"
    ),
    Action(
        "leave_charge",
        _leave_charge,
        "case",
        _both("Je ne m'en charge plus", "I no longer take it"),
        undo="take_charge",
        needs="assist",
    ),
    Action(
        "note",
        _note,
        "case",
        _both("Noter", "Note"),
        "required",
        _both("Votre note :", "Your note:"),
        needs="assist",
        warning=_both("Définitif : le journal garde chaque note.", "Final: the journal keeps every note."),
    ),
    Action(
        "set_requester",
        _set_requester,
        "case",
        _both("Changer le demandeur", "Set the requester"),
        "required",
        _both("Nom <adresse@domaine>", "Name <address@domain>"),
        undo="set_requester",
    ),
    Action(
        "sent_by_post",
        _sent_by_post,
        "case",
        _both("Lettre postée", "Letter posted"),
        needs="assist",
        warning=_both("Définitif : la lettre compte comme partie.", "Final: the letter counts as having left."),
    ),
    Action(
        "letter_left",
        _letter_left,
        "case",
        _both("La lettre est partie", "The letter left"),
        warning=_both("Définitif : la lettre compte comme partie.", "Final: the letter counts as having left."),
    ),
    Action(
        "letter_again",
        _letter_again,
        "case",
        _both("Renvoyer la lettre", "Send the letter again"),
        warning=_both("Définitif : le demandeur peut la recevoir deux fois.", "Final: the person may get it twice."),
    ),
    Action("open_as", _open_as, "message", _both("Ouvrir un dossier", "Open a case"), undo="not_a_request"),
    Action("file", _file, "message", _both("Pas une demande", "Not a request"), undo="open_as"),
    Action(
        "attach",
        _attach,
        "message",
        _both("Joindre à un dossier", "Add to a case"),
        "required",
        _both("Référence du dossier :", "Reference of the case:"),
        undo="detach",
    ),
)

ACTIONS: Mapping[str, Action] = {
    action.name: action for action in (*_TABLE, *outgoing.TABLE, *casefile.TABLE, *office.TABLE, *lawful.TABLE)
}
"""The one table of what can be done at the desk, by whom, and what it needs."""

CHOICES = (*LABELS, "unclear")
"""The rights one may choose from."""
