"""``dpobot replay`` and ``dpobot automatic``: what was set aside is read again; what leaves by itself is stopped."""

from __future__ import annotations

from collections.abc import Sequence

import click

from bot import switch
from bot.app import App
from bot.desk.cards import day
from bot.replay import NotReplayed, waiting
from bot.replay import replay as again
from bot.settings import Settings


def replay(app: App, numbers: Sequence[int]) -> int:
    """Replay the messages of these *numbers* and say what became of each; without any, list those that wait.

    Exit status 1 when one could not be replayed; the others were.
    """
    if not numbers:
        for each in waiting(app):
            click.echo(f"{each.message_id:>6}  {day(each.received_at, app):<20} {each.disposition:<11} {each.reason}")
        return 0
    status = 0
    for number in numbers:
        try:
            recorded = again(app, number)
        except NotReplayed as problem:
            click.echo(str(problem), err=True)
            status = 1
        except Exception as error:  # noqa: BLE001 - it was set aside because it breaks the program; it may still do
            click.echo(f"message {number} cannot be read yet ({type(error).__name__}): it waits as before", err=True)
            status = 1
        else:
            about = f" {recorded.reference}" if recorded.reference else ""
            click.echo(f"message {number} is now message {recorded.message_id}: {recorded.disposition}{about}")
    return status


def automatic(settings: Settings, what: str) -> int:
    """Throw the switch and say how it stands now. Exit status 1 where the folder cannot be written."""
    try:
        if what == "stop":
            switch.stop(settings)
        elif what == "start":
            switch.start(settings)
    except OSError as error:
        click.echo(f"{switch.path(settings)}: {error.strerror}; run it as the user of the worker", err=True)
        return 1
    if switch.stopped(settings):
        click.echo("stopped: nothing leaves without a click; 'dpobot automatic start' lets it")
    else:
        click.echo("running: routine letters leave by themselves, within the limits of [replies]")
    return 0
