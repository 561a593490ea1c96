"""Items to sort: a message becomes a case, is filed, or joins a case that a person names."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from bot import casework, intake, parents
from bot.app import App
from bot.desk.basics import Action, Ask, Refused, both, message_of, say
from bot.desk.moving import reseal
from bot.settings import User
from handlers.identity import looks_like_proof
from handlers.lifecycle import UNSETTLED
from store import cases, journal, messages
from store.models import Message


def _unsorted(session: Session, app: App, ask: Ask) -> Message:
    message = message_of(session, app, ask)
    if message.disposition not in (*messages.TO_A_PERSON, "ignored"):
        raise Refused(
            say(app.settings.desk.language, "Ce message est déjà trié.", "This message has been sorted already.")
        )
    return message


def _open_as(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    message = _unsorted(session, app, ask)
    rights = list(dict.fromkeys(right for right in ask.argument.split(",") if right))
    if not rights or any(right not in app.rights for right in rights):
        raise Refused(say(language, "Droit inconnu.", "Unknown right."))
    arrival, reading, verdict = intake.restored(message, messages.view(session, app.vault, message))
    case = intake.open_case(
        session, app, message, arrival, reading, verdict, rights=rights, key_id=message.key_id, now=now, by=user.key
    )
    parents.look(session, app, message, arrival, case, now=now)
    return say(
        language,
        f"Dossier {case.reference} ouvert ; l'échéance court depuis la réception.",
        f"Case {case.reference} opened; its clock runs from receipt.",
    )


def _file(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    message = _unsorted(session, app, ask)
    if message.sorted_at is not None:
        raise Refused(say(app.settings.desk.language, "Ce message est déjà classé.", "This message is filed already."))
    if message.disposition != "authority":
        message.disposition = "ignored"
    message.sorted_at = now
    session.add(message)
    journal.append(session, type="message_filed", actor=user.key, at=now, now=now, data={"message": message.id})
    return say(app.settings.desk.language, "Classé sans suite.", "Filed.")


def _attach(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Add an item to a case that a person names; a document among its files counts as the proof that is awaited."""
    language = app.settings.desk.language
    message = _unsorted(session, app, ask)
    case = cases.by_reference(session, ask.text)
    if case is None:
        raise Refused(say(language, "Aucun dossier de cette référence.", "No case with that reference."))
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
    return say(language, f"Ajouté au dossier {case.reference}.", f"Added to case {case.reference}.")


TABLE = (
    Action("open_as", _open_as, "message", both("Ouvrir un dossier", "Open a case"), undo="not_a_request", sends=True),
    Action("file", _file, "message", both("Pas une demande", "Not a request"), undo="open_as"),
    Action(
        "attach",
        _attach,
        "message",
        both("Joindre à un dossier", "Add to a case"),
        "required",
        both("Référence du dossier :", "Reference of the case:"),
        undo="detach",
    ),
)
"""The actions of this group."""
