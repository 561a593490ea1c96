"""What the program itself holds on a person, written out for him: cases, messages, letters, journal (art. 15)."""

from __future__ import annotations

import json
import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from bot.app import App
from bot.tasks import listed
from store import cases, drafts, journal, messages, outbox
from store.models import Case, Message
from store.sealing import SealingError


def held_on(session: Session, app: App, address: str) -> dict[str, Any]:
    """Return everything kept under a mail address, as plain values; what was erased says so.

    Internal notes and reasons are part of it: the DPO decides what is withheld from the copy (art. 15(4)).
    """
    person_hash = app.vault.address_hash(address)
    found = cases.of_sender(session, person_hash)
    single = session.exec(
        select(Message)
        .where(Message.sender_hash == person_hash, col(Message.case_id).is_(None))
        .order_by(col(Message.id))
    ).all()
    return {
        "address": address,
        "controller": app.settings.organisation.model_dump(include={"name", "postal_address"}),
        "purpose": "RGPD art. 12-22: handling the person's requests and proving it (art. 5(2))",
        "cases": [_case(session, app, case) for case in found],
        "messages_without_case": [_message(session, app, message) for message in single],
    }


def _case(session: Session, app: App, case: Case) -> dict[str, Any]:
    number = case.id or 0
    try:
        person: Any = cases.person_of(session, app.vault, case).__dict__
    except SealingError:
        person = "erased"
    return {
        **case.model_dump(
            mode="json",
            include={
                "reference", "channel", "language", "received_at", "rights", "state", "identity", "due", "closed_at",
                "minor", "third_party", "sensitive",
            },
        ),
        "person": person,
        "messages": [_message(session, app, message) for message in messages.of_case(session, number)],
        "letters": [_letter(session, app, case, draft) for draft in drafts.of_case(session, number)],
        "sent": [
            {"kind": item.kind, "status": item.status, "sent_at": _iso(item.sent_at), "message_id": item.message_id}
            for item in outbox.of_case(session, number)
            if item.channel in ("mail", "chat", "post")
        ],
        "tasks": listed(session, app, case),
        "journal": [
            {"at": _iso(e.at), "actor": e.actor, "type": e.type, "data": e.data, "text": _secret(session, app, case, e)}
            for e in journal.of_case(session, number)
        ],
    }  # fmt: skip


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _secret(session: Session, app: App, case: Case, event: Any) -> str:
    if event.secret_sealed is None:
        return ""
    try:
        return app.vault.open(session, case.key_id, event.secret_sealed, "event").decode()
    except SealingError:
        return "erased"


def _message(session: Session, app: App, message: Message) -> dict[str, Any]:
    try:
        view: Any = messages.view(session, app.vault, message)
    except SealingError:
        view = "erased"
    files = [
        {
            "type": a.content_type,
            "size": a.size,
            "sha256": a.sha256,
            "identity": a.is_identity,
            "deleted": _iso(a.deleted_at),
        }
        for a in messages.attachments(session, message.id or 0)
    ]
    return {"received_at": _iso(message.received_at), "channel": message.channel, "read_as": view, "files": files}


def _letter(session: Session, app: App, case: Case, draft: Any) -> dict[str, Any]:
    try:
        text = drafts.letter_of(session, app.vault, case=case, draft=draft).text
    except SealingError:
        text = "erased"
    return {"kind": draft.kind, "status": draft.status, "revision": draft.revision, "text": text}


def write_export(session: Session, app: App, address: str, *, now: datetime) -> tuple[Path | None, tuple[str, ...]]:
    """Write what is held into a private folder of the desk; return it (None where nothing is held) and the cases.

    The folder is emptied with the others that hold copies in the clear, a day later (``bot.purge``).
    """
    held = held_on(session, app, address)
    references = tuple(case["reference"] for case in held["cases"])
    if not references and not held["messages_without_case"]:
        return None, ()
    folder = app.settings.store.data_dir / "desk" / f"person-{secrets.token_hex(4)}"
    save(folder / "held.json", json.dumps({**held, "made_at": now.isoformat()}, ensure_ascii=False, indent=2).encode())
    return folder, references


def save(path: Path, content: bytes) -> None:
    """Write a file only its owner can read, in folders only their owner can enter."""
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700, exist_ok=True, parents=True)
        folder.chmod(0o700)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
