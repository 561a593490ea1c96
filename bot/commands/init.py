"""``dpobot init``: settings with fresh secrets, and an empty store."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from bot.clock import SystemClock
from bot.register import SHIPPED
from store.database import Database, StoreError
from store.sealing import new_master_key

EXAMPLE = Path(__file__).parent.parent / "example.toml"
SECRETS = ("imap.password", "smtp.password", "telegram.token")


def private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; fails if it exists."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def example_settings(since: date) -> str:
    """Return the settings that ship, which read no mail the server took in before *since* (a Paris date)."""
    text = EXAMPLE.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^# (?=processing_file = )", "", text)
    return re.sub(r"(?m)^# since = \S+  ", f"since = {since.isoformat()}    ", text)


def init(folder: Path, *, today: date | None = None) -> int:
    """Write ``dpobot.toml``, ``secrets/`` and the database into *folder*; never over what is there.

    The settings come last, so that an attempt that failed can be repeated. Exit status 2 when there are settings
    already, or a store whose key is gone.
    """
    today = today or SystemClock().now().astimezone(ZoneInfo("Europe/Paris")).date()
    target, secrets, store = folder / "dpobot.toml", folder / "secrets", folder / "data" / "dpobot.db"
    if target.exists():
        click.echo(f"{target} exists already: remove it first, or choose another folder", err=True)
        return 2
    if store.exists() and not (secrets / "master.key").exists():
        click.echo(f"{store} exists, but not the key it is sealed with: bring {secrets / 'master.key'} back", err=True)
        return 2
    try:
        secrets.mkdir(parents=True, exist_ok=True)
        secrets.chmod(0o700)
        if not (secrets / "master.key").exists():
            private(secrets / "master.key", new_master_key() + "\n")
        for name in SECRETS:
            if not (secrets / name).exists():
                private(secrets / name, "")
        database = Database(f"sqlite:///{store.resolve()}")
        store.parent.chmod(0o700)
        database.migrate()
        database.close()
        if not (folder / "processing.toml").exists():
            private(folder / "processing.toml", SHIPPED.read_text(encoding="utf-8"))
        private(target, example_settings(today))
    except (OSError, StoreError) as error:
        click.echo(f"{folder} cannot be set up: {error}", err=True)
        return 2
    click.echo(f"{target}: read it through and change what is yours")
    click.echo(f"{secrets}: put the passwords of the mailbox and of SMTP in; keep a copy of master.key elsewhere")
    click.echo(f"then: dpobot --config {target} check")
    return 0
