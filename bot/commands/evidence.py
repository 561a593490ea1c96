"""``dpobot bundle``, ``dpobot verify FILE`` and ``dpobot self-access``: what proves how a request was handled."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import click
from sqlmodel import Session

from bot import casework
from bot.app import App
from bot.commands.cases import summary
from bot.desk.actions import kept_in_letters
from bot.desk.export import held_on
from bot.desk.masking import hider
from bot.tasks import listed
from store import cases, drafts, journal, messages, outbox
from store.models import Case
from store.sealing import SealingError

MANIFEST = "manifest.json"


def _private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def self_access(app: App, address: str, out: Path | None) -> int:
    """Write out what is held on a person, as JSON; return the exit status (1 where nothing is)."""
    now = app.clock.now()
    with app.database.transaction() as session:
        held = held_on(session, app, address.strip().lower())
        references = [case["reference"] for case in held["cases"]]
        journal.append(
            session, type="person_exported", actor="console", at=now, now=now,
            data={"cases": references, "person": app.vault.address_hash(address)[:16]},
        )  # fmt: skip
    content = json.dumps(held, ensure_ascii=False, indent=2, default=str)
    if out is not None:
        _private(out, content.encode())
        click.echo(out)
    else:
        click.echo(content)
    return 0 if references or held["messages_without_case"] else 1


def bundle(app: App, reference: str, out: Path) -> int:
    """Put the evidence of a case into a ZIP for the authority (art. 5(2), 31): return the exit status.

    Addresses, numbers and names of others than the person are masked in what people wrote; identity documents are never
    in it. The manifest holds the hash of every file and the head of the journal.
    """
    with app.database.reading() as session:
        case = cases.by_reference(session, reference)
        if case is None:
            click.echo(f"no case {reference}", err=True)
            return 2
        files = _files(session, app, case)
        head = journal.head(session)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files[MANIFEST] = _json(
        {"reference": case.reference, "made_at": app.clock.now(), "journal_head": head, "sha256": hashes}
    )
    made = out.with_name(out.name + ".part")
    _private(made, b"")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    made.replace(out)
    click.echo(out)
    return 0


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str).encode() + b"\n"


def _files(session: Session, app: App, case: Case) -> dict[str, bytes]:
    events = journal.of_case(session, case.id or 0)
    clock = casework.deadline_of(app, case, events, with_trace=True, language=app.settings.desk.language)
    files = {
        "case.json": _json(summary(case)),
        "tasks.json": _json(listed(session, app, case, events)),
        "journal.json": _json([journal.entry_of(event) for event in events]),
        "timeline.txt": "\n".join(
            f"{e.at.isoformat()}  {e.actor:<10} {e.type}  {json.dumps(e.data)}" for e in events
        ).encode(),
        "clock.txt": "\n".join(
            f"{line.rule} [{line.source}] {line.from_} -> {line.to}: {line.text}" for line in clock.trace
        ).encode(),
        "sent.json": _json(
            [
                {"kind": i.kind, "status": i.status, "sha256": i.sha256, "message_id": i.message_id, "sent_at": i.sent_at,
                 "response": i.response, "automatic": i.automatic}
                for i in outbox.of_case(session, case.id or 0) if i.channel in ("mail", "chat", "post")
            ]
        ),
    }  # fmt: skip
    try:
        person = cases.person_of(session, app.vault, case)
    except SealingError:
        return files
    hide = hider((), keep=tuple(p for p in (person.name, person.address, *kept_in_letters(app)) if p))
    for number, message in enumerate(messages.of_case(session, case.id or 0), start=1):
        try:
            view = messages.view(session, app.vault, message)
        except SealingError:
            continue
        told = {
            "received_at": message.received_at, "channel": message.channel, "disposition": message.disposition,
            "reason": message.reason, "subject": hide(view["subject"]), "text": hide(view["text"]),
            "read_as": {name: view["reading"][name] for name in ("primary", "labels", "confidence", "language")},
            "attachments": [
                {"type": a.content_type, "size": a.size, "sha256": a.sha256, "identity": a.is_identity}
                for a in messages.attachments(session, message.id or 0)
            ],
        }  # fmt: skip
        files[f"messages/{number:02d}.json"] = _json(told)
    for draft in drafts.of_case(session, case.id or 0):
        if draft.status == "approved":
            letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
            head = f"{draft.kind}, revision {draft.revision}, approved by {draft.decided_by}\nsha256 {draft.digest}"
            files[f"letters/{draft.id:04d}-{draft.kind}.txt"] = f"{head}\n\n{letter.text}".encode()
    return files


def verify_bundle(path: Path) -> int:
    """Check a bundle: every file is what the manifest says, and every entry of the journal what its hash says."""
    try:
        with zipfile.ZipFile(path) as archive:
            content = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(content.pop(MANIFEST))
        reference, expected = str(manifest["reference"]), dict(manifest["sha256"])
        entries = json.loads(content["journal.json"])
    except OSError as error:
        click.echo(f"{path} cannot be read: {error.strerror or type(error).__name__}", err=True)
        return 1
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        click.echo(f"{path} is no bundle of dpobot, or is damaged ({type(error).__name__})", err=True)
        return 1
    wrong = [name for name in expected if hashlib.sha256(content.get(name, b"")).hexdigest() != expected[name]]
    wrong += [f"{name} (not in the manifest)" for name in content if name not in expected]
    altered = [str(entry.get("id")) for entry in entries if not journal.entry_holds(entry)]
    for name in wrong:
        click.echo(f"altered or missing: {name}", err=True)
    for number in altered:
        click.echo(f"journal entry {number} was altered", err=True)
    if wrong or altered:
        return 1
    click.echo(f"{reference}: {len(expected)} files, {len(entries)} journal entries hold")
    return 0
