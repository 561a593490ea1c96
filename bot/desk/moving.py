"""Messages that change cases: put under another case's key, so that what goes with a case is erased with it."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from bot.app import App
from store import examples, messages
from store.models import Case, Message, StoredAttachment


def reseal(session: Session, app: App, message: Message, case: Case, *, file_key: int, proofs: set[int | None]) -> None:
    """Put a message under the case's key, its documents of identity (and the raw mail they are in) under their own."""
    _seal_again(session, app, message, key_id=case.key_id, file_key=file_key, proofs=proofs)
    message.case_id = case.id
    message.disposition = "added"
    session.add(message)


def move(session: Session, app: App, message: Message, case: Case, *, disposition: str) -> None:
    """Move a message from one case to another; documents of identity keep their own key, and so go on their own day."""
    proofs = {a.id for a in messages.attachments(session, message.id or 0) if a.is_identity}
    own = message.raw_key_id != message.key_id
    reseal(session, app, message, case, file_key=message.raw_key_id if own else case.key_id, proofs=proofs)
    message.disposition = disposition
    session.add(message)


def take_out(session: Session, app: App, message: Message, *, now: datetime) -> None:
    """Take a message out of its case, back among the items to sort, under a key of its own."""
    key_id = app.vault.new_key(session, now=now)
    proofs = {a.id for a in messages.attachments(session, message.id or 0) if a.is_identity}
    own = message.raw_key_id != message.key_id
    _seal_again(session, app, message, key_id=key_id, file_key=message.raw_key_id if own else key_id, proofs=proofs)
    message.case_id, message.disposition, message.sorted_at = None, "to_sort", None
    session.add(message)


def _seal_again(
    session: Session, app: App, message: Message, *, key_id: int, file_key: int, proofs: set[int | None]
) -> None:
    view = messages.view(session, app.vault, message)
    message.view_sealed = app.vault.seal_json(session, key_id, view, "view")
    if file_key != message.raw_key_id:
        raw = messages.raw(session, app.vault, message)
        message.raw_sealed, message.raw_key_id = app.vault.seal(session, file_key, raw, "raw"), file_key
    for attachment in messages.attachments(session, message.id or 0):
        attachment.is_identity = attachment.id in proofs
        wanted = file_key if attachment.is_identity else key_id
        # A document that was deleted has no key any more; nothing of it is left to move.
        if wanted != attachment.key_id and attachment.deleted_at is None:
            _move_file(session, app, attachment, wanted)
        session.add(attachment)
    message.key_id = key_id
    examples.follow(session, app.vault, message.id or 0, key_id)


def _move_file(session: Session, app: App, attachment: StoredAttachment, key_id: int) -> None:
    name = app.vault.open(session, attachment.key_id, attachment.name_sealed, "name")
    content = app.vault.open(session, attachment.key_id, attachment.content_sealed, "content")
    attachment.key_id = key_id
    attachment.name_sealed = app.vault.seal(session, key_id, name, "name")
    attachment.content_sealed = app.vault.seal(session, key_id, content, "content")
