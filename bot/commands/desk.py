"""``dpobot desk``: the desk in the terminal."""

from __future__ import annotations

import sys

import click

from bot.app import App
from bot.desk.first_run import code_for, first_steps
from bot.desk.terminal import Terminal
from bot.settings import User


def user_of(app: App, key: str | None) -> User | None:
    """Return the desk user named *key*, or the first DPO."""
    users = app.settings.desk.users
    if key is None:
        return next(user for user in users if user.role in ("dpo", "deputy"))
    return next((user for user in users if user.key == key), None)


def desk(app: App, key: str | None) -> int:
    """Sit down at the desk; return the exit status."""
    user = user_of(app, key)
    if user is None:
        known = ", ".join(u.key for u in app.settings.desk.users)
        click.echo(f"no desk user is called {key}; the settings know: {known}", err=True)
        return 2
    edit = click.edit if sys.stdin.isatty() else None
    Terminal(app, user, ask=input, say=print, edit=edit).run()
    app.close()
    return 0


def link(app: App, key: str | None) -> int:
    """Print a code that links the Telegram account of a desk user; return the exit status."""
    user = user_of(app, key)
    if user is None or app.settings.telegram is None:
        known = ", ".join(u.key for u in app.settings.desk.users)
        click.echo(
            f"no desk user is called {key}; the settings know: {known}" if user is None else first_steps(app)[0],
            err=True,
        )
        return 2
    said = code_for(app, user)
    click.echo(said or f"{user.key} has a Telegram account already: change it in the settings", err=not said)
    return 0 if said else 2
