"""``dpobot check``: every part, a line each, with what is wrong and what to do."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import click

from bot import switch
from bot.app import App, Reader, build_app
from bot.channels.base import InboxError, MailerError
from bot.contacts import ContactsError
from bot.register import register_of
from bot.settings import SettingsError, load
from handlers.annex import RegisterIncomplete, problems
from store import journal
from store.database import StoreError
from store.sealing import SealingError


def _line(name: str, test: Callable[[], str]) -> bool:
    """Run one test and print its line; the sentence of a known error is the mend."""
    try:
        said = test()
    except (
        SettingsError,
        StoreError,
        SealingError,
        InboxError,
        MailerError,
        ContactsError,
        ValueError,
        OSError,
    ) as error:
        click.echo(f"✘ {name:<10} {error}")
        return False
    except Exception as error:  # noqa: BLE001 - a check reports whatever it meets and goes on with the next
        click.echo(f"✘ {name:<10} {type(error).__name__}: {error}")
        return False
    click.echo(f"✔ {name:<10} {said}")
    return True


def policies(config: Path, texts: Sequence[Path] = (), *, language: str = "fr") -> int:
    """Report where published promises, configuration, register and law contradict each other, a paragraph each.

    *texts*: the published policies as text files; without them, the promises read in MIJE's two notices. Exit status 1
    where something contradicts, 2 when settings or texts cannot be read.
    """
    from bot.commands.explain import offline_settings
    from handlers.policies import compared

    try:
        settings = offline_settings(config, language)
        given = {path.name: path.read_text(encoding="utf-8") for path in texts} or None
        found = compared(settings.model_dump(), register_of(settings), given)
    except (SettingsError, RegisterIncomplete, OSError, UnicodeDecodeError) as error:
        click.echo(str(error), err=True)
        return 2
    for one in found:
        click.echo(f"✘ {one.code} ({', '.join(one.places)}; {one.against})\n  {one.said[language]}")
    click.echo(f"{len(found)} contradiction(s)")
    return 1 if found else 0


def check(config: Path, *, reader: Reader | None = None) -> int:
    """Test all parts; exit status 0 when all are well, 1 when one is not, 2 when the settings cannot be read.

    *reader* replaces the classifier that the settings name.
    """
    apps: list[App] = []

    def settings() -> str:
        apps.append(build_app(load(config), reader=reader))
        return str(config)

    if not _line("settings", settings):
        return 2
    app = apps[0]
    tests: list[tuple[str, Callable[[], str]]] = [
        ("store", lambda: _store(app)),
        ("journal", lambda: _journal(app)),
        ("templates", lambda: _templates(app)),
        ("model", lambda: _model(app)),
        ("clock", lambda: _clock(app)),
        ("disk", lambda: _disk(app)),
        ("contacts", lambda: _contacts(app)),
        ("register", lambda: _register(app)),
        *[("mailbox", getattr(inbox, "check")) for inbox in app.inboxes if hasattr(inbox, "check")],  # noqa: B009
        ("smtp", lambda: str(getattr(app.mailer, "check")())),  # noqa: B009
        ("chat", lambda: _chat(app)),
        *([("antivirus", app.scanner.check)] if app.scanner is not None else []),
        *([("dkim", app.signatures.check)] if app.signatures is not None else []),
        *([("automatic", _automatic)] if switch.stopped(app.settings) else []),
    ]
    fine = [_line(name, test) for name, test in tests]
    app.close()
    return 0 if all(fine) else 1


def _store(app: App) -> str:
    current, wanted = app.database.version()
    if current != wanted:
        raise StoreError(f"schema {current}, this program wants {wanted}; start the worker once to bring it up to date")
    with app.database.transaction() as session:
        app.vault.check(session)
        key = app.vault.new_key(session, now=app.clock.now())
        app.vault.open(session, key, app.vault.seal(session, key, b"x", "check"), "check")
        session.rollback()
    return f"schema {current}, sealing works"


def _journal(app: App) -> str:
    with app.database.reading() as session:
        broken = journal.verify(session)
        if broken is not None:
            raise StoreError(f"entry {broken.event_id}: {broken.reason}; restore a backup from before and compare")
        return f"the chain holds, head {journal.head(session)[:16]}"


def _templates(app: App) -> str:
    from templates import FOLDER, names

    missing = [
        f"{name}.{language}" for name in names() for language in app.settings.languages
        if not (FOLDER / f"{name}.{language}.j2").exists()
    ]  # fmt: skip
    for right in app.rights:
        missing += [f"{right}/{step}" for step in ("receipt", "answer", "refusal") if f"{right}/{step}" not in names()]
    if missing:
        raise ValueError(f"missing: {', '.join(missing)}; reinstall dpobot, or add the file")
    return f"{len(names())} letters in {', '.join(app.settings.languages)}"


def _model(app: App) -> str:
    from nlp.types import Message

    reading = app.reader.read(Message(id="check", body="Bonjour, je souhaite une copie de toutes mes données. Merci."))
    if reading.primary != "access":
        raise ValueError("the classifier does not recognise a plain request for access; reinstall, or 'dpobot train'")
    return "a plain request is recognised"


def _clock(app: App) -> str:
    now: datetime = app.clock.now()
    if now.year < 2025:
        raise ValueError(f"the machine says it is {now:%Y-%m-%d}: set its clock, deadlines are counted by it")
    return f"{now.astimezone(app.settings.zone):%Y-%m-%d %H:%M} {app.settings.calendar.timezone}"


def _disk(app: App) -> str:
    folder = app.settings.store.data_dir
    # With PostgreSQL it is made when the first file needs it.
    free = shutil.disk_usage(next(f for f in (folder, *folder.absolute().parents) if f.exists())).free
    if free < 500 * 1024 * 1024:
        raise OSError(f"only {free // 2**20} MB free at store.data_dir; make room")
    return f"{free // 2**30} GB free"


def _register(app: App) -> str:
    register = register_of(app.settings)
    lacking = problems(register, app.settings.languages)
    if lacking:
        more = f" (and {len(lacking) - 1} more)" if len(lacking) > 1 else ""
        raise RegisterIncomplete(lacking[0] + more)
    return f"{len(register)} activities; compare them with your notices: dpobot check --policies"


def _contacts(app: App) -> str:
    if app.contacts is None:
        return "none on file: every sender is unknown until verified once"
    app.contacts.by_address("nobody@dpobot.invalid")
    app.contacts.by_booking("none")
    return "the source of contacts answers"


def _automatic() -> str:
    return "stopped by hand: nothing leaves without a click; 'dpobot automatic start' lets it"


def _chat(app: App) -> str:
    from bot.app import open_chat

    channel = open_chat(app)
    if channel is None:
        return "none configured: the desk is 'dpobot desk', notices go by mail"

    async def ask() -> str:
        try:
            return await channel.check()
        finally:
            await channel.close()

    return asyncio.run(ask())
