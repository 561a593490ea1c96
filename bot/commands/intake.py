"""``dpobot intake``: a request that came by post, phone, at the counter or through a colleague."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time

import click

from bot import intake as use_case
from bot.app import App
from bot.settings import is_address
from handlers.types import Arrival
from store.models import Case, Message

GDPR_APPLIES = date(2018, 5, 25)
"""Art. 99(2): what is dated earlier is a slip of the pen."""


def intake(app: App, kind: str, *, received: str, name: str, email: str, rights: tuple[str, ...], text: str) -> int:
    """Enter a request; its clock runs from *received*, when the organisation got it. Prints the reference.

    Entered twice, it is the same request. No letter leaves by itself. Exit status 2 for a date that cannot be read or
    lies in the future, an address that is none or ours, an unknown right, or an empty text.
    """
    now = app.clock.now()
    zone = app.settings.zone
    try:
        if len(received) <= 10:
            # A letter has a day and no hour: noon stands for it, far from both midnights.
            at = datetime.combine(date.fromisoformat(received), time(12), tzinfo=zone)
        else:
            at = datetime.fromisoformat(received)
            at = at if at.tzinfo else at.replace(tzinfo=zone)
        day = at.astimezone(zone).date()
    except (ValueError, OverflowError):
        click.echo("--received takes a date like 2026-03-02 or an instant like 2026-03-02T09:30+01:00", err=True)
        return 2
    if day > now.astimezone(zone).date():
        click.echo("--received lies in the future", err=True)
        return 2
    if day < GDPR_APPLIES:
        click.echo(f"--received lies before {GDPR_APPLIES}, when the GDPR began to apply: check the year", err=True)
        return 2
    if email and (not is_address(email) or email.lower() in app.settings.own_addresses):
        click.echo("--email takes the address of the person, like camille@courrier.example, and never ours", err=True)
        return 2
    at = min(at, now)
    unknown = [right for right in rights if right not in app.rights]
    if unknown or not text.strip():
        known = ", ".join(app.rights)
        click.echo(f"unknown right {unknown[0]}; known: {known}" if unknown else "the text is empty", err=True)
        return 2
    digest = hashlib.sha256(f"{kind}\0{received}\0{name}\0{email}\0{text}".encode()).hexdigest()
    arrival = Arrival(
        channel=kind,  # type: ignore[arg-type]  # the command line admits only channels
        source=f"desk:{kind}", external_id=digest[:32], received_at=at, raw=text.encode(), content_key=f"{kind}:{digest}",
        message_id=f"{kind}.{digest[:16]}", from_addr=email, from_name=name, text=text, new_text=text,
        # No automatic letter goes out for what a person enters: the address was typed, not proven.
        suppress=True, suppress_reasons=("entered-by-hand",) if email else ("entered-by-hand", "no-address"),
    )  # fmt: skip
    recorded = use_case.enter(app, arrival, rights=rights, now=now)
    click.echo(recorded.reference or _reference(app, recorded.message_id) or _place(recorded))
    return 0


def _reference(app: App, message_id: int) -> str | None:
    """The case of a message that was known already."""
    with app.database.reading() as session:
        message = session.get(Message, message_id)
        case = session.get(Case, message.case_id) if message and message.case_id else None
        return case.reference if case else None


def _place(recorded: use_case.Recorded) -> str:
    return f"message {recorded.message_id}: {recorded.disposition}"
