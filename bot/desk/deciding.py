"""Letters that wait: approve, edit, complete, refuse; and what became of those that were approved."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from bot import casework, parents
from bot.app import App
from bot.desk import roster
from bot.desk.basics import (
    HOLE,
    Action,
    Ask,
    NeedsReason,
    Outdated,
    Refused,
    both,
    case_of,
    draft_of,
    masked_words,
    say,
)
from bot.desk.masking import hider, still_masked, unmask
from bot.desk.review import findings_of, open_titles
from bot.envelope import envelope
from bot.letters import with_text
from bot.sending import sent_by_post, settle_by_hand
from bot.settings import User
from bot.tasks import tracked
from handlers.lifecycle import REASONS, may_approve
from store import cases, drafts, journal, outbox
from store.models import Case, Draft, OutboxItem

_APPROVED = {
    "mail": (
        "Approuvé : la lettre du dossier {reference} part.",
        "Approved: the letter of case {reference} is leaving.",
    ),
    "post": (
        "Approuvé : la lettre du dossier {reference} est à imprimer et à poster ; dites-le ensuite par « Lettre postée ».",
        "Approved: the letter of case {reference} is to be printed and posted; then say so with “Letter posted”.",
    ),
}
"""What an approval did: nothing has left yet that goes by post."""


def _approve(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case, draft = draft_of(session, app, ask)
    letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
    reason = ask.text.strip()
    way = _would_leave_as_seen(session, app, case, draft, letter, now)
    if letter.chat_id is not None and not letter.recipient and draft.kind in ("answer", "refusal", "partial_refusal"):
        raise Refused(
            say(
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
        raise refusal(say(language, f"À corriger d'abord :\n{listed}", f"To mend first:\n{listed}"))
    if errors:
        data = {"draft": str(draft.id), "findings": [finding.code for finding in errors]}
        casework.note(session, app, case, "override", actor=user.key, now=now, data=data, text=reason)
    waits = _second_approval(session, app, user, case, draft, now, reason=reason)
    if waits:
        return waits
    stands_in = roster.standing_in(session, user, casework.today(app, now))
    behalf = ",".join(absence.user for absence in stands_in)
    if not casework.approve_bytes(session, app, case, draft, letter, by=user.key, now=now, on_behalf=behalf):
        raise Refused(say(language, "Quelqu'un d'autre vient de décider.", "Somebody else has just decided."))
    told = say(language, *_APPROVED["post" if way == "post" else "mail"]).format(reference=case.reference)
    undone = open_titles(tracked(session, app, case), case, draft, letter, language)
    if undone:
        told += say(
            language,
            f" Tâches encore ouvertes ({len(undone)}) : {', '.join(undone[:4])}.",
            f" Tasks still open ({len(undone)}): {', '.join(undone[:4])}.",
        )
    return told


def _would_leave_as_seen(
    session: Session, app: App, case: Case, draft: Draft, letter: drafts.LetterText, now: datetime
) -> str:
    """Return the way a letter goes; stop one that would leave otherwise than its digest says: the settings or the postal
    address changed since.

    A draft from before the digest was that of the whole mail carries that of its text and recipient.
    """
    sent = envelope(session, app, case, letter, message_id=draft.message_id, now=now)
    if draft.digest not in (sent.digest(), letter.digest()):
        raise Outdated(
            say(
                app.settings.desk.language,
                "Rien n'est parti : la lettre partirait autrement (réglages ou adresse changés). La voici à jour.",
                "Nothing has left: the letter would leave otherwise (settings or address changed). Here it is as it stands.",
            )
        )
    return sent.channel


def renew(session: Session, app: App, ask: Ask, *, by: str, now: datetime) -> None:
    """Make a draft's digest anew from what would leave now: a revision of the same text, to be looked at again."""
    case, draft = draft_of(session, app, ask)
    letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
    if casework.revise_letter(session, app, case, draft, letter, by=by, now=now):
        data = {"draft": str(draft.id), "kind": draft.kind, "revision": draft.revision, "digest": draft.digest}
        casework.note(session, app, case, "draft_edited", actor=by, now=now, data={**data, "reason": "settings"})


def _second_approval(
    session: Session, app: App, user: User, case: Case, draft: Draft, now: datetime, *, reason: str
) -> str:
    """Note a first approval where two are needed, and say so; empty where the letter may leave (art. 32(4), attack 14).

    Where two parents want opposite things about a child, two are needed whatever the settings, or a *reason*, which is kept.

    The first holds for the very text it was given to: an edit, or another letter, starts anew.
    """
    language = app.settings.desk.language
    rules = {
        "erasure": "erasure" in case.rights,
        "disclosure": bool({"access", "portability"} & set(case.rights)),
        "minor": case.minor,
        "sensitive": case.sensitive,
    }
    wanted: list[str] = [rule for rule in app.settings.desk.second_approval if rules[rule]]
    if draft.kind not in ("answer", "partial_refusal"):
        return ""
    if parents.in_conflict(journal.of_case(session, case.id or 0)):
        if reason and not wanted:
            data = {"draft": str(draft.id), "findings": ["parents-conflict"]}
            casework.note(session, app, case, "override", actor=user.key, now=now, data=data, text=reason)
            return ""
        wanted.append("parents")
    if not wanted:
        return ""
    given = {
        event.actor
        for event in journal.of_case(session, case.id or 0)
        if event.type == "approval_first"
        and (event.data["draft"], event.data["digest"]) == (str(draft.id), draft.digest)
    }
    if user.key in given:
        raise Refused(
            say(
                language,
                "Vous avez déjà approuvé : il faut une seconde personne.",
                "You have approved already: a second person is needed.",
            )
        )
    if given:
        return ""
    first = {"draft": str(draft.id), "revision": draft.revision, "digest": draft.digest, "rules": wanted}
    casework.note(session, app, case, "approval_first", actor=user.key, now=now, data=first)
    return say(
        language,
        "Première approbation notée ; rien n'est parti : une seconde personne doit approuver ce texte."
        + _or_reason(wanted)[0],
        "First approval noted; nothing has left: a second person has to approve this text." + _or_reason(wanted)[1],
    )


def _or_reason(wanted: list[str]) -> tuple[str, str]:
    """What else a single approver may do where only the parents' conflict asks for two."""
    if wanted != ["parents"]:
        return "", ""
    return (
        " Les deux parents s'opposent ; une raison écrite avec l'approbation en tient lieu, elle est gardée.",
        " The two parents disagree; a reason written with the approval stands for it and is kept.",
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
    case, draft = draft_of(session, app, ask)
    letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
    return _new_text(session, app, user, case, draft, letter, _typed(session, app, case, letter, ask), now)


def _fill(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Replace the first marker of a draft by what the DPO typed: the quick way, from a phone."""
    language = app.settings.desk.language
    case, draft = draft_of(session, app, ask)
    letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
    if not HOLE.search(letter.text):
        raise Refused(say(language, "Rien n'est à compléter.", "Nothing is to be completed."))
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
        raise Refused(masked_words(app.settings.desk.language))
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
        raise Refused(say(language, "Le texte est le même.", "The text is the same."))
    if not casework.revise_letter(session, app, case, draft, changed, by=user.key, now=now):
        raise Refused(say(language, "Quelqu'un d'autre vient de décider.", "Somebody else has just decided."))
    data = {"draft": str(draft.id), "kind": draft.kind, "revision": draft.revision, "digest": draft.digest}
    casework.note(session, app, case, "draft_edited", actor=user.key, now=now, data=data)
    return say(
        language,
        f"Version {draft.revision} enregistrée ; à approuver.",
        f"Revision {draft.revision} saved; to be approved.",
    )


def _reject(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case, draft = draft_of(session, app, ask)
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
        raise Refused(say(language, "Quelqu'un d'autre vient de décider.", "Somebody else has just decided."))
    data = {"draft": str(draft.id), "kind": draft.kind, "revision": draft.revision}
    casework.note(session, app, case, "draft_rejected", actor=user.key, now=now, data=data, text=ask.text)
    return say(language, "Projet refusé : rien n'est parti.", "Draft refused: nothing has left.")


# --- what became of a letter -----------------------------------------------------------------------------------------


def _sent_by_post(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = case_of(session, app, ask)
    if not sent_by_post(session, app, case):
        raise Refused(say(language, "Aucune lettre n'attend d'être postée.", "No letter waits to be posted."))
    casework.note(session, app, case, "posted", actor=user.key, now=now)
    return say(language, "Noté : la lettre est postée.", "Noted: the letter was posted.")


def _uncertain(session: Session, app: App, ask: Ask) -> tuple[Case, OutboxItem]:
    language = app.settings.desk.language
    case = case_of(session, app, ask)
    for item in outbox.of_case(session, case.id or 0):
        if item.status in ("uncertain", "failed") and item.channel in ("mail", "chat"):
            return case, item
    raise Refused(say(language, "Aucun envoi n'est en suspens.", "No sending is in doubt."))


def _letter_left(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case, item = _uncertain(session, app, ask)
    settle_by_hand(session, app, item, left=True, by=user.key)
    return say(
        app.settings.desk.language,
        f"Noté : la lettre du dossier {case.reference} est partie.",
        f"Noted: the letter of case {case.reference} left.",
    )


def _letter_again(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    case, item = _uncertain(session, app, ask)
    settle_by_hand(session, app, item, left=False, by=user.key)
    return say(
        app.settings.desk.language,
        f"La lettre du dossier {case.reference} repart.",
        f"The letter of case {case.reference} is sent again.",
    )


_COUNTS_AS_LEFT = both("Définitif : la lettre compte comme partie.", "Final: the letter counts as having left.")

TABLE = (
    Action(
        "approve",
        _approve,
        "draft",
        both("Approuver et envoyer", "Approve and send"),
        "optional",
        both("Raison de passer outre ?", "Reason to override?"),
        warning=both(
            "Définitif : la lettre part aussitôt et ne se rappelle pas.",
            "Final: the letter leaves at once and cannot be recalled.",
        ),
    ),
    Action(
        "edit",
        _edit,
        "draft",
        both("Modifier", "Edit"),
        "required",
        both("Envoyez le texte entier de la lettre.", "Send the whole text of the letter."),
        undo="edit",
    ),
    Action(
        "fill",
        _fill,
        "draft",
        both("Compléter", "Complete"),
        "required",
        both("Que mettre à la place ?", "What goes in its place?"),
        undo="edit",
    ),
    Action(
        "reject",
        _reject,
        "draft",
        both("Refuser le projet", "Refuse the draft"),
        "required",
        both("Pourquoi ?", "Why?"),
        undo="make_draft",
    ),
    Action(
        "sent_by_post",
        _sent_by_post,
        "case",
        both("Lettre postée", "Letter posted"),
        needs="assist",
        warning=_COUNTS_AS_LEFT,
    ),
    Action(
        "letter_left",
        _letter_left,
        "case",
        both("La lettre est partie", "The letter left"),
        warning=_COUNTS_AS_LEFT,
    ),
    Action(
        "letter_again",
        _letter_again,
        "case",
        both("Renvoyer la lettre", "Send the letter again"),
        warning=both("Définitif : le demandeur peut la recevoir deux fois.", "Final: the person may get it twice."),
    ),
)
"""The actions of this group."""
