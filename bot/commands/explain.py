"""``dpobot explain``: what a mail is, why, and what would be done. Played on an empty store that is thrown away."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import click

from bot import casework, intake
from bot.app import build_app
from bot.channels import mime
from bot.clock import SystemClock
from bot.commands.init import EXAMPLE
from bot.commands.parse import from_file
from bot.desk.cards import cue_lines, day, view_of
from bot.desk.reasons import in_words
from bot.desk.text import visible
from bot.desk.words import KINDS, RIGHTS, WORDS, word
from bot.models import running_model
from bot.settings import Settings, SettingsError, build, read, with_environment
from store import drafts, journal, messages
from store.models import Case, Message
from store.sealing import new_master_key

WHAT = {
    "fr": {
        "opened": "Une demande : un dossier serait ouvert.",
        "added": "Un message d'un dossier connu.",
        "to_sort": "Peut-être une demande : le DPO trierait ce message ; l'échéance court déjà.",
        "authority": "Une autorité : au DPO tout de suite, jamais de réponse automatique.",
        "quarantine": "Écrit dans le fil d'un autre : mis de côté, sans effet.",
        "ignored": "Pas une demande : classé, lisible dans la liste des messages classés.",
        "letters": "Lettres",
        "leaves": "partirait seule",
        "waits": "attendrait le DPO",
        "trace": "Échéance, article par article",
        "fields": "Relevé",
        "odd": "Particularités",
    },
    "en": {
        "opened": "A request: a case would be opened.",
        "added": "A message of a known case.",
        "to_sort": "Perhaps a request: the DPO would sort this message; its clock runs already.",
        "authority": "An authority: to the DPO at once, never answered automatically.",
        "quarantine": "Written into somebody else's thread: set aside, without effect.",
        "ignored": "Not a request: filed, and readable in the list of filed messages.",
        "letters": "Letters",
        "leaves": "would leave by itself",
        "waits": "would wait for the DPO",
        "trace": "Due date, article by article",
        "fields": "Found",
        "odd": "Peculiarities",
    },
}


def offline_settings(config: Path, language: str, folder: str = "") -> Settings:
    """The settings as they are (the shipped example where there are none), with a store of its own and no server: nothing can
    be sent, nothing is contacted."""
    values: dict[str, Any] = with_environment(read(config), os.environ) if config.exists() else read(EXAMPLE)
    real = values.get("store")
    values["store"] = {"data_dir": folder, "master_key": new_master_key()}
    if isinstance(values.get("desk"), dict):
        values["desk"] = {**values["desk"], "language": language}
    values |= {"imap": None, "listen": None, "telegram": None, "smtp": {"host": "localhost", "tls": "none"}}
    settings = build(values)
    if not isinstance(real, dict) or not isinstance(real.get("data_dir"), str):
        return settings
    # What is explained is what the worker would do: it reads with the same model.
    model = running_model(settings, Path(real["data_dir"]))
    return settings if model is None else build({**values, "model": str(model)})


def explain(config: Path, file: Path, language: str) -> int:
    """Print what *file* is for people, by the settings at *config* (the shipped example where there are none)."""
    now = SystemClock().now()
    try:
        message = from_file(str(file), now)
    except OSError as error:
        click.echo(f"{file} cannot be read: {error.strerror}", err=True)
        return 1
    with tempfile.TemporaryDirectory(prefix="dpobot-explain-") as folder:
        try:
            app = build_app(offline_settings(config, language, folder))
        except SettingsError as error:
            click.echo(str(error), err=True)
            return 2
        settings = app.settings
        arrival = mime.arrival(
            message,
            authserv_ids=settings.mail.authserv_ids,
            own_addresses=settings.own_addresses,
            own_domains=intake.own_domains(app),
        )
        recorded = intake.record(app, arrival, now=now)
        words = WHAT[language]
        click.echo(words[recorded.disposition])
        with app.database.reading() as session:
            row = session.get(Message, recorded.message_id)
            assert row is not None
            view = messages.view(session, app.vault, row)
            subject = f"case:{row.case_id}" if row.case_id else f"message:{row.id}"
            if row.disposition == "ignored":
                click.echo(f"{word(RIGHTS, language, row.primary)} ({in_words(row.reason, language)})")
                for cue in cue_lines(app, view["reading"], visible):
                    click.echo(cue)
            else:
                card = view_of(session, app, subject, masked=False, now=now, whole=True)
                click.echo(f"\n{card.text if card else ''}")
            for name, value in view["reading"]["fields"].items():
                said = value if isinstance(value, str) else ", ".join(value)
                click.echo(f"{words['fields']} : {name} = {visible(said)}")
            odd = in_words(",".join((*view["suppress_reasons"], *view["problems"])), language)
            if odd:
                click.echo(f"{words['odd']} : {odd}")
            case = session.get(Case, row.case_id) if row.case_id else None
            if case is not None:
                click.echo(f"\n{words['letters']} :")
                for draft in drafts.of_case(session, case.id or 0):
                    letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
                    fate = words["leaves"] if draft.status == "approved" else words["waits"]
                    click.echo(f"- {word(KINDS, language, draft.kind)} ({fate}) : {letter.subject}")
                computed = casework.deadline_of(
                    app, case, journal.of_case(session, case.id or 0), with_trace=True, language=language
                )
                click.echo(f"\n{words['trace']} ({WORDS[language]['received'].lower()} {day(case.received_at, app)}) :")
                for line in computed.trace:
                    click.echo(f"- {line.source} : {line.text}")
        app.close()
    return 0
