"""``dpobot cases`` and ``dpobot verify``: the register and the journal, for people and for scripts."""

from __future__ import annotations

import json
from typing import Any

import click

from bot import casework
from bot.app import App
from bot.desk.cards import day, view_of
from bot.desk.words import RIGHTS, STATES, word
from bot.tasks import listed
from store import cases, drafts, journal, outbox
from store.models import Case, Event
from store.sealing import SealingError


def summary(case: Case) -> dict[str, Any]:
    """Return the register's line of a case; no personal data."""
    return {
        "reference": case.reference,
        "channel": case.channel,
        "language": case.language,
        "received_at": case.received_at.isoformat(),
        "primary": case.primary,
        "rights": case.rights,
        "state": case.state,
        "identity": case.identity,
        "due": case.due.isoformat() if case.due else None,
        "due_if_not_paused": case.due_if_not_paused.isoformat() if case.due_if_not_paused else None,
        "extended_due": case.extended_due.isoformat() if case.extended_due else None,
        "closed_at": case.closed_at.isoformat() if case.closed_at else None,
        "charge": case.charge,
    }


def list_cases(app: App, *, everything: bool, as_json: bool) -> int:
    """Print the register, by due date."""
    language = app.settings.desk.language
    with app.database.reading() as session:
        for case in cases.listed(session, open_only=not everything):
            if as_json:
                click.echo(json.dumps(summary(case), ensure_ascii=False))
            else:
                rights = ", ".join(word(RIGHTS, language, right) for right in case.rights)
                click.echo(
                    f"{case.reference}  {day(case.due, app):<20} {word(STATES, language, case.state):<20} {rights}"
                )
    return 0


def _find(app: App, reference: str) -> Case | None:
    with app.database.reading() as session:
        case = cases.by_reference(session, reference)
    if case is None:
        click.echo(f"there is no case {reference}; 'dpobot cases list --all' shows them", err=True)
    return case


def show_case(app: App, reference: str, *, as_json: bool) -> int:
    """Print one case as the desk sees it, unmasked."""
    case = _find(app, reference)
    if case is None:
        return 1
    with app.database.reading() as session:
        if as_json:
            letters = [
                {
                    "kind": d.kind,
                    "status": d.status,
                    "revision": d.revision,
                    "digest": d.digest,
                    "decided_by": d.decided_by,
                }
                for d in drafts.of_case(session, case.id or 0)
            ]
            sent = [
                {"kind": i.kind, "status": i.status, "message_id": i.message_id, "sha256": i.sha256,
                 "sent_at": i.sent_at.isoformat() if i.sent_at else None, "response": i.response}
                for i in outbox.of_case(session, case.id or 0) if i.channel in ("mail", "chat")
            ]  # fmt: skip
            whole = {**summary(case), "drafts": letters, "letters": sent, "tasks": listed(session, app, case)}
            click.echo(json.dumps(whole, ensure_ascii=False, indent=1))
        else:
            card = view_of(session, app, f"case:{case.id}", masked=False, now=app.clock.now(), whole=True)
            # Erased (art. 17): what the register keeps is all there is.
            click.echo(card.text if card else "\n".join(f"{name}: {value}" for name, value in summary(case).items()))
    return 0


def _secret(session: Any, app: App, case: Case, event: Event) -> str:
    if event.secret_sealed is None:
        return ""
    try:
        return app.vault.open(session, case.key_id, event.secret_sealed, "event").decode()
    except SealingError:
        return "(erased)"


def history(app: App, reference: str, *, as_json: bool) -> int:
    """Print the journal of a case, oldest first, then how its due date was computed, article by article."""
    case = _find(app, reference)
    if case is None:
        return 1
    zone = app.settings.zone
    with app.database.reading() as session:
        events = journal.of_case(session, case.id or 0)
        computed = casework.deadline_of(app, case, events, with_trace=True, language=app.settings.desk.language)
        for event in events:
            text = _secret(session, app, case, event)
            if as_json:
                row = {"at": event.at.isoformat(), "recorded_at": event.recorded_at.isoformat(), "actor": event.actor,
                       "type": event.type, "data": event.data, "text": text, "hash": event.hash}  # fmt: skip
                click.echo(json.dumps(row, ensure_ascii=False))
            else:
                facts = " ".join(f"{k}={v}" for k, v in event.data.items() if v not in ("", None, []))
                click.echo(
                    f"{event.at.astimezone(zone):%Y-%m-%d %H:%M}  {event.actor:<8} {event.type:<22} {facts} {text}".rstrip()
                )
    if not as_json:
        click.echo()
        for line in computed.trace:
            click.echo(f"{line.source:<18} {line.text}")
        for warning in computed.warnings:
            click.echo(f"! {warning}")
    return 0


def verify_journal(app: App) -> int:
    """Check the whole chain; exit status 1 and the place where it breaks, else its head."""
    with app.database.reading() as session:
        broken = journal.verify(session)
        head = journal.head(session)
    if broken is not None:
        click.echo(f"journal entry {broken.event_id}: {broken.reason}")
        return 1
    click.echo(f"the journal holds; head {head}")
    return 0
