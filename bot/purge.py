"""Retention: copies of identity documents go first, then what was no request, then whole cases (art. 5(1)(e) GDPR).

To purge is to destroy the key: the ciphertext left behind, here and in backups made later, can never be read again.
The fact that a request came
and was answered stays, without a person (accountability, art. 5(2)).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from bot import casework
from bot.app import App
from bot.learning import let_go
from bot.status import forget
from bot.suppression import expire
from bot.tasks import binding
from handlers.types import Notice
from store import cases, chat_places, examples, journal
from store.models import Case, Message, StoredAttachment
from store.sealing import SealingError


@dataclass(frozen=True)
class Purged:
    """What a purge took, or would take."""

    documents: int = 0
    messages: int = 0
    cases: tuple[str, ...] = ()
    examples: int = 0
    """Masked copies that the classifier learned from, past their own time."""
    suppressions: int = 0
    """Entries of the suppression list that nothing renewed."""


def purge(app: App, *, dry_run: bool = False) -> Purged:
    """Destroy what is past its time. Repeating it changes nothing; with *dry_run* it only counts."""
    with app.database.transaction() as session:
        documents = _documents(session, app, dry_run=dry_run)
        filed = _filed(session, app, dry_run=dry_run)
        closed = _cases(session, app, dry_run=dry_run)
        copies = _copies(session, app, dry_run=dry_run)
        kept = timedelta(days=app.settings.retention.suppression_days)
        entries = expire(session, before=app.clock.now() - kept, dry_run=dry_run)
        if not dry_run:
            forget(session, now=app.clock.now())
    if not dry_run:
        _looked_at(app)
        if documents or filed or closed or copies or entries:
            app.database.scrub()
    return Purged(documents, filed, closed, copies, entries)


def purge_documents(app: App) -> int:
    """Destroy the copies of identity documents that are past their time; cheap, so that it can be asked at every round.

    A day after the decision is a day, not the next morning but one (law: CNIL SAN-2020-008; EDPB 01/2022 § 79).
    """
    with app.database.reading() as session:
        query = select(StoredAttachment.id).where(
            col(StoredAttachment.is_identity), col(StoredAttachment.deleted_at).is_(None)
        )
        if session.exec(query.limit(1)).first() is None or _documents(session, app, dry_run=True) == 0:
            return 0
    with app.database.transaction() as session:
        count = _documents(session, app, dry_run=False)
    app.database.scrub()
    return count


def _looked_at(app: App) -> None:
    """Remove the files that were put into a folder to be looked at, a day after: they are copies in the clear."""
    folder = app.settings.store.data_dir / "desk"
    limit = app.clock.now().timestamp() - app.settings.retention.identity_after_decision_hours * 3600
    for path in sorted(folder.glob("*/*")) if folder.is_dir() else ():
        if path.stat().st_mtime <= limit:
            path.unlink()
    for case_folder in sorted(folder.glob("*")) if folder.is_dir() else ():
        if not any(case_folder.iterdir()):
            case_folder.rmdir()


def _kept_documents(session: Session, app: App) -> Iterator[tuple[StoredAttachment, Message, Case | None, datetime]]:
    """Identity documents that are there, and when each is past its time: a day after the decision, thirty days after
    it came at the latest (law.md 3.3)."""
    keep = timedelta(hours=app.settings.retention.identity_after_decision_hours)
    longest = timedelta(days=app.settings.identity.delete_after_days)
    query = select(StoredAttachment, Message).join(Message, col(Message.id) == StoredAttachment.message_id)
    for attachment, message in session.exec(
        query.where(col(StoredAttachment.is_identity), col(StoredAttachment.deleted_at).is_(None))
    ).all():
        case = session.get(Case, message.case_id) if message.case_id else None
        due = message.recorded_at + longest
        if case is not None:
            decided = [
                e.at
                for e in journal.of_case(session, case.id or 0)
                if e.type in ("identity_verified", "identity_waived", "identity_insufficient")
                and e.at >= message.received_at
            ]
            if decided:
                due = min(due, decided[0] + keep)
        yield attachment, message, case, due


def documents_due(session: Session, app: App) -> list[datetime]:
    """When the identity documents that are there are past their time (UTC)."""
    return [due for _, _, _, due in _kept_documents(session, app)]


def _documents(session: Session, app: App, *, dry_run: bool) -> int:
    """Destroy the identity documents that are past their time."""
    now = app.clock.now()
    count = 0
    for attachment, message, case, due in list(_kept_documents(session, app)):
        if due > now:
            continue
        count += 1
        if dry_run:
            continue
        attachment.deleted_at = now
        session.add(attachment)
        app.vault.destroy_key(session, attachment.key_id, now=now)
        if case is not None:
            data = {"message": message.id, "sha256": attachment.sha256}
            casework.note(session, app, case, "identity_document_deleted", actor="bot", now=now, data=data)
            if message.channel == "email":
                _still_in_the_mailbox(session, app, case, message)
    return count


def _still_in_the_mailbox(session: Session, app: App, case: Case, message: Message) -> None:
    """The mail a copy came in is the mailbox's: only a person can delete it there, and is asked to."""
    received = message.received_at.astimezone(app.settings.zone)
    notice = Notice("document_deleted", facts={"received": f"{received:%Y-%m-%d %H:%M}"})
    casework.tell_desk(
        session, app, notice, subject=f"case:{case.id}", key_id=case.key_id, step=f"document-{message.id}",
        now=app.clock.now(), case=case,
    )  # fmt: skip


def _filed(session: Session, app: App, *, dry_run: bool) -> int:
    """Messages that were no request: they stay in the mailbox by its own policy, and leave the bot."""
    now = app.clock.now()
    limit = now - timedelta(days=app.settings.retention.not_a_request_days)
    query = select(Message).where(
        Message.disposition == "ignored",
        col(Message.case_id).is_(None),
        col(Message.recorded_at) < limit,
        Message.reason != "purged",
    )
    found = session.exec(query).all()
    if not dry_run:
        for message in found:
            let_go(session, app, message, may_stay=True, now=now)
            app.vault.destroy_key(session, message.key_id, now=now)
            app.vault.destroy_key(session, message.raw_key_id, now=now)
            message.reason, message.sender_hash = "purged", ""
            session.add(message)
    return len(found)


def _cases(session: Session, app: App, *, dry_run: bool) -> tuple[str, ...]:
    """Whole cases, at the end of their retention after closing."""
    now = app.clock.now()
    limit = now - timedelta(days=app.settings.retention.case_days)
    gone = []
    for case in session.exec(select(Case).where(col(Case.closed_at).is_not(None), col(Case.closed_at) < limit)).all():
        if case.state not in cases.CLOSED or case.address_hash == "" or _held(session, case):
            continue
        if binding(session, app, case, journal.of_case(session, case.id or 0)):
            # What is restricted is lifted with a word to the person, and recipients are told, before the case is forgotten.
            continue
        gone.append(case.reference)
        if not dry_run:
            erase(session, app, case, actor="bot", reason="retention")
    return tuple(gone)


def _copies(session: Session, app: App, *, dry_run: bool) -> int:
    """Masked copies of what was corrected: past their time, or all of them once the settings keep none any more."""
    now = app.clock.now()
    learning = app.settings.learning
    limit = now - timedelta(days=learning.pseudonymised_days) if learning.keep == "pseudonymised" else now
    found = examples.masked_before(session, limit)
    if not dry_run:
        for example in found:
            examples.remove_copy(session, app.vault, example, now=now)
    return len(found)


def _held(session: Session, case: Case) -> bool:
    """Whether the DPO put the case on hold (a dispute, an inquiry): then nothing of it is erased (art. 17(3)(e))."""
    return casework.state(journal.of_case(session, case.id or 0)).held


def erase(session: Session, app: App, case: Case, *, actor: str, reason: str) -> None:
    """Erase a case: every key of it is destroyed, its row keeps what is not personal."""
    now = app.clock.now()
    casework.note(session, app, case, "case_erased", actor=actor, now=now, data={"reason": reason})
    # First, while it can be read who wrote: a message may be sealed with the case's own key.
    _forget_chat(session, app, case)
    for message in session.exec(select(Message).where(Message.case_id == case.id)).all():
        # What a person orders erased is erased whole: a masked copy stays only at the regular end of retention.
        let_go(session, app, message, may_stay=reason == "retention", now=now)
        app.vault.destroy_key(session, message.raw_key_id, now=now)
        message.sender_hash = ""
        session.add(message)
    app.vault.destroy_key(session, case.key_id, now=now)
    case.address_hash = ""
    session.add(case)


def _forget_chat(session: Session, app: App, case: Case) -> None:
    """Forget the room and the account of somebody who wrote in a chat whose names we keep, with the last case from there."""
    if case.address_hash == "" or any(other.id != case.id for other in cases.of_sender(session, case.address_hash)):
        return
    try:
        chat_id = cases.person_of(session, app.vault, case).chat_id
    except SealingError:
        return
    if chat_id is not None and chat_id >= chat_places.OFFSET:
        chat_places.forget_chat(session, app.vault, chat_id, now=app.clock.now())
