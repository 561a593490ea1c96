"""``dpobot intake``: a request that came by post, phone, at the counter or through a colleague."""

from __future__ import annotations

import click

from bot.app import App
from bot.desk.office import GDPR_APPLIES, BadEntry, Entry, check, enter, receipt, received_at


def intake(app: App, kind: str, *, received: str, name: str, email: str, rights: tuple[str, ...], text: str) -> int:
    """Enter a request; its clock runs from *received*, when the organisation got it. Prints the reference.

    Entered twice, it is the same request. No letter leaves by itself. Exit status 2 for a date that cannot be read or
    lies in the future, an address that is none or ours, an unknown right, or an empty text.
    """
    now = app.clock.now()
    try:
        entry = Entry(kind, received_at(app, received, now=now), text, name, email, rights)
        check(app, entry)
    except BadEntry as problem:
        click.echo(_wrong(app, str(problem), rights), err=True)
        return 2
    with app.database.transaction() as session:
        recorded, case = enter(session, app, entry, now=now)
        printed = receipt(session, app, case, now=now) if case is not None and kind == "counter" else ""
    click.echo(case.reference if case else f"message {recorded.message_id}: {recorded.disposition}")
    if printed:
        # The reference alone is what scripts read; the receipt is for the printer.
        click.echo(printed, err=True)
    return 0


def _wrong(app: App, problem: str, rights: tuple[str, ...]) -> str:
    unknown = next((right for right in rights if right not in app.rights), "")
    return {
        "date": "--received takes a date like 2026-03-02 or an instant like 2026-03-02T09:30+01:00",
        "future": "--received lies in the future",
        "early": f"--received lies before {GDPR_APPLIES}, when the GDPR began to apply: check the year",
        "address": "--email takes the address of the person, like camille@courrier.example, and never ours",
        "right": f"unknown right {unknown}; known: {', '.join(app.rights)}",
        "text": "the text is empty",
    }[problem]
