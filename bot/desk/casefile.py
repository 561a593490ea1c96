"""What a case is and holds, as the desk decides: split, merge, who it concerns, where letters go, on hold, erased.

Splitting and merging leave one clock: what is split off was received when the whole was, and of two cases that are merged
the older stays. Nothing leaves by any of these; letters that waited are voided, since what they rest on has changed.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from bot import casework, parents
from bot.app import App
from bot.desk.basics import Action, Ask, NeedsReason, Refused, both, case_of, message_of, moment, say
from bot.desk.moving import move, take_out
from bot.desk.words import RIGHTS, word
from bot.purge import erase
from bot.settings import User
from bot.tasks import binding
from handlers.identity import Evidence, assess, discloses
from handlers.opening import need_data
from handlers.types import IdentityNeed
from nlp.types import THIRD_PARTY_KINDS
from store import cases, journal, messages
from store.models import Case, CaseFacts, Event, Message

SETTLED = ("not_required", "verified", "waived")
_CARRIED = frozenset(
    {
        "identity_doubted", "identity_requested", "identity_insufficient", "identity_received", "identity_verified",
        "identity_waived", "letter_bounced", "extended", "clarification_requested", "clarification_received",
    }
)  # fmt: skip
"""What happened to the whole and counts for a part of it: proof, suspension, extension."""


def _redraft(session: Session, app: App, case: Case, *, step: str, now: datetime) -> None:
    """Prepare the answer again, where nothing stands in its way."""
    if case.identity in SETTLED and case.state in ("open", "received") and case.rights:
        casework.draft_answer(session, app, case, step=step, now=now)


def _need(session: Session, app: App, case: Case, rights: list[str]) -> IdentityNeed:
    """What proof the case would need for these rights; what was asked before stays the measure of what it is."""
    before = casework.identity_need_of(journal.of_case(session, case.id or 0))
    if not any(app.rights[right].identity_level for right in rights):
        return IdentityNeed(0)
    if before.asked:
        return before
    evidence = Evidence(
        levels=tuple(app.rights[right].identity_level for right in rights), chat_account=case.channel in ("telegram", "matrix"),
        sensitive=case.sensitive, discloses=discloses(rights), acts_for=case.third_party,
        minor_alone=case.minor and not case.third_party,
    )  # fmt: skip
    return assess(evidence)


# --- split and merge -------------------------------------------------------------------------------------------------


def _split(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="split")
    apart = [right for right in case.rights if right in ask.argument.split(",")]
    rest = [right for right in case.rights if right not in apart]
    if not apart or not rest:
        raise Refused(
            say(
                language,
                "Nommez un droit de ce dossier, et laissez-en un au moins.",
                "Name a right of this case, and leave at least one.",
            )
        )
    made = _part(session, app, case, apart, user=user, now=now)
    casework.void_drafts(session, app, case, reason="split", now=now, by=user.key)
    data = {"reference": made.reference, "case": made.id, "rights": apart}
    casework.note(session, app, case, "split", actor=user.key, now=now, data=data)
    casework.note(
        session, app, case, "rights_changed", actor=user.key, now=now, data={"rights": rest, "before": case.rights}
    )
    step = f"desk:{moment(session)}:split"
    _redraft(session, app, case, step=step, now=now)
    _redraft(session, app, made, step=step, now=now)
    named = ", ".join(word(RIGHTS, language, right) for right in apart)
    return say(
        language,
        f"Mis à part : {named}, dossier {made.reference}, même date de réception. « Réunir » l'annule.",
        f"Set apart: {named}, case {made.reference}, same date of receipt. “Merge” undoes it.",
    )


def _part(session: Session, app: App, case: Case, rights: list[str], *, user: User, now: datetime) -> Case:
    """Open a case for some rights of another: the same person and receipt, and what happened about proof."""
    settings = app.settings
    year = case.received_at.astimezone(settings.zone).year
    facts = CaseFacts.model_validate(
        {
            **case.model_dump(include=set(CaseFacts.model_fields)),
            "reference": cases.next_reference(session, prefix=settings.reference_prefix, year=year),
            "primary": rights[0],
            "rights": rights,
        }
    )
    person = cases.person_of(session, app.vault, case)
    key_id = app.vault.new_key(session, now=now)
    made = cases.create(session, app.vault, facts=facts, person=person, key_id=key_id, now=now)
    need = _need(session, app, case, rights)
    asked = need.asked and case.identity != "not_required"
    opened = {
        "rights": rights, "language": case.language, "channel": case.channel,
        "identity": "required" if asked else "not_required", "split_from": case.reference, "origin": case.id,
        **(need_data(need) if asked else {}),
    }  # fmt: skip
    casework.note(session, app, made, "case_opened", actor=user.key, now=now, data=opened)
    if asked:
        for event in journal.of_case(session, case.id or 0):
            if event.type in _CARRIED:
                casework.note(session, app, made, event.type, actor=event.actor, now=now, at=event.at, data=event.data)
    return made


def _merge(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="merge")
    reference, _, reason = ask.text.strip().partition(" ")
    other = cases.by_reference(session, reference)
    if other is None or other.id == case.id:
        raise Refused(say(language, "Aucun autre dossier de cette référence.", "No other case with that reference."))
    if other.state in cases.CLOSED:
        raise Refused(say(language, "Ce dossier est clos.", "That case is closed."))
    if other.address_hash != case.address_hash and not reason.strip():
        raise NeedsReason(
            say(
                language,
                f"Les demandeurs diffèrent : écrivez la référence puis la raison ({other.reference} …).",
                f"The requesters differ: write the reference, then the reason ({other.reference} …).",
            )
        )
    kept, gone = sorted((case, other), key=lambda c: (c.received_at, c.id or 0))
    moved = _move_all(session, app, gone, kept)
    before = list(kept.rights)
    rights = list(dict.fromkeys([*before, *gone.rights]))
    casework.void_drafts(session, app, kept, reason="merged", now=now, by=user.key)
    casework.void_drafts(session, app, gone, reason="merged", now=now, by=user.key)
    data = {"reference": gone.reference, "case": gone.id, "messages": moved, "before": before, "rights": rights}
    casework.note(session, app, kept, "case_merged_in", actor=user.key, now=now, data=data, text=reason)
    if rights != before:
        need = _need(session, app, kept, rights)
        change: dict[str, object] = {"rights": rights, "before": before}
        if need.asked and kept.identity == "not_required":
            change |= {"identity": "required", **need_data(need)}
        casework.note(session, app, kept, "rights_changed", actor=user.key, now=now, data=change)
    into = {"reference": kept.reference, "case": kept.id}
    casework.note(session, app, gone, "merged", actor=user.key, now=now, data=into)
    casework.note(session, app, gone, "closed", actor=user.key, now=now, data={"outcome": "merged"})
    _redraft(session, app, kept, step=f"desk:{moment(session)}:merge", now=now)
    return say(
        language,
        f"{gone.reference} est réuni à {kept.reference} (« Annuler la réunion » sur {gone.reference}).",
        f"{gone.reference} is merged into {kept.reference} (“Undo the merging” on {gone.reference}).",
    )


def _move_all(session: Session, app: App, source: Case, target: Case) -> dict[str, str]:
    """Move every message of a case; return message number -> what it was there, for the way back."""
    moved = {}
    for message in messages.of_case(session, source.id or 0):
        moved[str(message.id)] = message.disposition
        move(session, app, message, target, disposition="added")
    return moved


def merged_into(events: Sequence[Event]) -> Event | None:
    """Return the event by which a case was merged into another, unless that was undone."""
    found = [event for event in events if event.type in ("merged", "unmerged")]
    return found[-1] if found and found[-1].type == "merged" else None


def _unmerge(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    gone = case_of(session, app, ask, does="unmerge")
    event = merged_into(journal.of_case(session, gone.id or 0))
    kept = session.get(Case, event.data["case"]) if event is not None else None
    if kept is None:
        raise Refused(say(language, "Ce dossier n'a pas été réuni à un autre.", "This case was not merged."))
    joined = next(
        e
        for e in reversed(journal.of_case(session, kept.id or 0))
        if e.type == "case_merged_in" and e.data.get("case") == gone.id
    )
    for number, disposition in joined.data["messages"].items():
        message = session.get(Message, int(number))
        if message is not None and message.case_id == kept.id:
            move(session, app, message, gone, disposition=disposition)
    added = [right for right in joined.data["rights"] if right not in joined.data["before"]]
    rest = [right for right in kept.rights if right not in added] or list(joined.data["before"])
    casework.void_drafts(session, app, kept, reason="split", now=now, by=user.key)
    if rest != kept.rights:
        change: dict[str, object] = {"rights": rest, "before": kept.rights}
        casework.note(session, app, kept, "rights_changed", actor=user.key, now=now, data=change)
    casework.note(session, app, kept, "split", actor=user.key, now=now, data={"reference": gone.reference})
    casework.note(session, app, gone, "unmerged", actor=user.key, now=now, data={"reference": kept.reference})
    casework.note(session, app, gone, "reopened", actor=user.key, now=now)
    step = f"desk:{moment(session)}:unmerge"
    _redraft(session, app, kept, step=step, now=now)
    _redraft(session, app, gone, step=step, now=now)
    return say(
        language,
        f"{gone.reference} et {kept.reference} sont de nouveau séparés.",
        f"{gone.reference} and {kept.reference} are apart again.",
    )


def _detach(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Take a message that was added to a case by hand out again: it waits among the items to sort."""
    language = app.settings.desk.language
    message = message_of(session, app, ask)
    case = session.get(Case, message.case_id) if message.case_id is not None else None
    if case is None or message.disposition != "added" or message.sorted_at is None:
        raise Refused(say(language, "Ce message n'est joint à aucun dossier.", "This message is in no case."))
    take_out(session, app, message, now=now)
    data = {"message": message.id}
    casework.note(session, app, case, "message_removed", actor=user.key, now=now, data=data)
    casework.void_drafts(session, app, case, reason="new-message", now=now, by=user.key)
    _redraft(session, app, case, step=f"desk:{moment(session)}:detach", now=now)
    return say(language, f"Retiré du dossier {case.reference}.", f"Taken out of case {case.reference}.")


# --- who it is about -------------------------------------------------------------------------------------------------


def _changed(session: Session, app: App, case: Case, user: User, *, reason: str, now: datetime) -> None:
    casework.void_drafts(session, app, case, reason=reason, now=now, by=user.key)
    _redraft(session, app, case, step=f"desk:{moment(session)}:{reason}", now=now)


def _set_subject(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Name the person the data are about, where that is not the one who writes."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="set_subject")
    name = " ".join(ask.text.split())
    if not name.isprintable() or len(name) > 200:
        raise Refused(say(language, "Écrivez un nom.", "Write a name."))
    person = cases.person_of(session, app.vault, case)
    cases.set_person(session, app.vault, case, replace(person, subject=name))
    if not case.third_party:
        case.third_party = "unrelated"
    session.add(case)
    data = {"third_party": case.third_party}
    casework.note(session, app, case, "subject_set", actor=user.key, now=now, data=data)
    _changed(session, app, case, user, reason="subject-changed", now=now)
    return say(
        language,
        "Personne concernée notée ; les projets sont refaits. Vérifiez le mandat avant de répondre.",
        "Person concerned noted; drafts are made anew. Check the mandate before answering.",
    )


def _set_about(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Correct what was read of the person: a minor or not, for whom he acts, in which language he is answered."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="set_about")
    name, _, value = ask.argument.partition("=")
    if name == "parents" and value in ("agree", "conflict"):
        return _set_parents(session, app, user, case, agree=value == "agree", now=now)
    before = (case.minor, case.third_party, case.language)
    if name == "minor" and value in ("yes", "no"):
        case.minor = value == "yes"
    elif name == "third_party" and value in ("", "self", *THIRD_PARTY_KINDS):
        case.third_party = "" if value == "self" else value
    elif name == "language" and value in app.settings.languages:
        case.language = value
    else:
        raise Refused(say(language, "Choix inconnu.", "Unknown choice."))
    if before == (case.minor, case.third_party, case.language):
        raise Refused(say(language, "C'est déjà le cas.", "It is so already."))
    session.add(case)
    data = {"minor": case.minor, "third_party": case.third_party, "language": case.language}
    casework.note(session, app, case, "subject_set", actor=user.key, now=now, data=data)
    _changed(session, app, case, user, reason="subject-changed", now=now)
    return say(
        language,
        "Corrigé ; les projets et l'échéance sont refaits d'après cela.",
        "Corrected; drafts and due date are made anew from it.",
    )


def _set_parents(session: Session, app: App, user: User, case: Case, *, agree: bool, now: datetime) -> str:
    """Note that the parents of a case's child want opposite things, or that they no longer do."""
    language = app.settings.desk.language
    if parents.in_conflict(journal.of_case(session, case.id or 0)) is not agree:
        raise Refused(say(language, "C'est déjà le cas.", "It is so already."))
    event = parents.SETTLED if agree else parents.FLAGGED
    casework.note(session, app, case, event, actor=user.key, now=now, data={} if agree else {"with": ""})
    return say(
        language,
        "Noté : les parents sont d'accord." if agree else "Noté : accorder demande deux approbations, ou une raison.",
        "Noted: the parents agree." if agree else "Noted: granting takes two approvals, or a reason.",
    )


def _set_address(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Say where letters go: a postal address, by which they are printed, or a mail address, unproven at first."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="set_address")
    typed = "\n".join(line.strip() for line in ask.text.strip().splitlines() if line.strip())
    if len(typed) > 500 or not all(line.isprintable() for line in typed.splitlines()) or "@" in typed:
        raise Refused(
            say(
                language,
                "Écrivez une adresse postale (une adresse électronique : « Changer le demandeur »).",
                "Write a postal address (a mail address: “Set the requester”).",
            )
        )
    person = cases.person_of(session, app.vault, case)
    cases.set_person(session, app.vault, case, replace(person, postal=typed, address="", chat_id=None))
    casework.note(session, app, case, "requester_set", actor=user.key, now=now, data={"by": "post"})
    _changed(session, app, case, user, reason="recipient-changed", now=now)
    return say(
        language,
        "Les lettres de ce dossier iront par la poste ; les projets sont refaits.",
        "Letters of this case will go by post; drafts are made anew.",
    )


# --- hold, erase -----------------------------------------------------------------------------------------------------


def _hold(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="hold")
    if casework.state(journal.of_case(session, case.id or 0)).held:
        raise Refused(say(language, "Ce dossier est déjà en attente.", "This case is on hold already."))
    casework.note(session, app, case, "held", actor=user.key, now=now, text=ask.text)
    return say(
        language,
        "Mis en attente : le délai légal court toujours, rien de ce dossier n'est effacé. « Lever l'attente » l'annule.",
        "Put on hold: the legal period runs on, nothing of this case is erased. “Lift the hold” undoes it.",
    )


def _release(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="release")
    if not casework.state(journal.of_case(session, case.id or 0)).held:
        raise Refused(say(language, "Ce dossier n'est pas en attente.", "This case is not on hold."))
    casework.note(session, app, case, "released", actor=user.key, now=now, text=ask.text)
    return say(language, "L'attente est levée.", "The hold is lifted.")


def _erase_case(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Erase what a closed case holds: its keys are destroyed; that it came and was answered stays (art. 5(1)(e), 5(2))."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="erase_case")
    if case.reference not in ask.text.upper().split():
        confirm = say(language, "Pour confirmer, écrivez la référence :", "To confirm, write the reference:")
        raise Refused(f"{confirm} {case.reference}")
    if case.address_hash == "":
        raise Refused(say(language, "Ce dossier est déjà effacé.", "This case is erased already."))
    if casework.state(journal.of_case(session, case.id or 0)).held:
        raise Refused(
            say(
                language, "Ce dossier est en attente : levez l'attente d'abord.", "This case is on hold: lift it first."
            )
        )
    if binding(session, app, case, journal.of_case(session, case.id or 0)):
        raise Refused(
            say(
                language,
                "Une limitation est en vigueur, ou des destinataires restent à prévenir : réglez d'abord ces tâches.",
                "A restriction is in force, or recipients are still to be told: settle these tasks first.",
            )
        )
    erase(session, app, case, actor=user.key, reason="desk")
    folder = app.settings.store.data_dir / "desk" / f"case-{case.id}"
    shutil.rmtree(folder, ignore_errors=True)
    return say(
        language,
        f"Dossier {case.reference} effacé. Restent le numéro, les dates et l'issue. Effacez aussi le courriel dans la boîte.",
        f"Case {case.reference} erased. Its number, dates and outcome stay. Remove the mail from the mailbox, too.",
    )


TABLE = (
    Action("split", _split, "case", both("Mettre à part", "Set apart"), undo="merge"),
    Action(
        "merge", _merge, "case", both("Réunir à un autre dossier", "Merge with another case"), "required",
        both("Référence de l'autre dossier :", "Reference of the other case:"), undo="unmerge",
    ),
    Action("unmerge", _unmerge, "case", both("Annuler la réunion", "Undo the merging"), undo="merge"),
    Action("detach", _detach, "message", both("Retirer du dossier", "Take out of the case"), undo="attach"),
    Action(
        "set_subject", _set_subject, "case", both("Personne concernée", "Person concerned"), "required",
        both("Nom de la personne dont les données sont demandées :", "Name of the person the data are about:"),
        undo="set_subject",
    ),
    Action("set_about", _set_about, "case", both("Mineur, tiers, langue", "Minor, third party, language"), undo="set_about"),
    Action(
        "set_address", _set_address, "case", both("Répondre par la poste", "Answer by post"), "required",
        both("Adresse postale, plusieurs lignes :", "Postal address, several lines:"), undo="set_requester",
    ),
    Action(
        "hold", _hold, "case", both("Mettre en attente", "Put on hold"), "required", both("Pourquoi ?", "Why?"),
        undo="release",
    ),
    Action("release", _release, "case", both("Lever l'attente", "Lift the hold"), "optional", undo="hold"),
    Action(
        "erase_case", _erase_case, "case", both("Effacer le dossier", "Erase the case"), "required",
        both("Pour confirmer, écrivez la référence du dossier :", "To confirm, write the reference of the case:"),
        warning=both(
            "Définitif : ce que le dossier contient ne pourra plus être lu, ni ici ni dans les sauvegardes.",
            "Final: what the case holds can never be read again, neither here nor in backups.",
        ),
    ),
)  # fmt: skip
"""The actions of this group."""
