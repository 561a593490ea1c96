"""The command line. Nothing heavy is imported here: ``dpobot --help`` answers at once, each command brings its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from bot.app import App
    from bot.settings import Settings

EXISTING = click.Path(path_type=Path)


class Failure(click.ClickException):
    """A command stopped on its settings or the state of the system: one sentence on standard error, exit status 2."""

    exit_code = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--config",
    type=EXISTING,
    envvar="DPOBOT_CONFIG",
    default=Path("dpobot.toml"),
    show_default=True,
    help="The settings file.",
)
@click.option("--verbose", is_flag=True, help="Log every event to standard error.")
@click.version_option(package_name="dpobot")
@click.pass_context
def main(context: click.Context, config: Path, verbose: bool) -> None:
    """Read the data protection officer's mailbox, keep the one-month clock, draft the replies that the DPO approves
    in chat."""
    context.obj = config
    from bot.logs import set_up

    set_up(verbose=verbose)


def settings_of(context: click.Context) -> Settings:
    """Read the settings or stop with the sentence that says what is wrong."""
    from bot.settings import SettingsError, load

    try:
        return load(context.obj)
    except SettingsError as error:
        raise Failure(str(error)) from error


def app_of(context: click.Context) -> App:
    """Put the program together or stop with the sentence that says what is wrong."""
    from bot.app import build_app
    from store.database import StoreError
    from store.sealing import SealingError

    try:
        app = build_app(settings_of(context))
        with app.database.reading() as session:
            app.vault.check(session)
    except (StoreError, SealingError, ValueError) as error:
        raise Failure(str(error)) from error
    context.call_on_close(app.close)
    return app


@main.command()
@click.argument("folder", type=EXISTING, default=Path())
def init(folder: Path) -> None:
    """Write a commented dpobot.toml with fresh secrets into FOLDER and create the database."""
    from bot.commands.init import init as run

    sys.exit(run(folder))


@main.command()
@click.option("--policies", is_flag=True, help="Compare published policies, settings, register and law instead.")
@click.option("--policy", "texts", type=EXISTING, multiple=True, help="A policy as a text file; may be repeated.")
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True, help="Of the comparison.")
@click.pass_context
def check(context: click.Context, policies: bool, texts: tuple[Path, ...], language: str) -> None:
    """Test settings, store, model, templates, mailbox, SMTP, chat, clock and disk: a line each, with the mend."""
    from bot.commands import check as commands

    if policies or texts:
        sys.exit(commands.policies(context.obj, texts, language=language))
    sys.exit(commands.check(context.obj))


@main.command()
@click.argument("file", type=EXISTING)
@click.pass_context
def suppression(context: click.Context, file: Path) -> None:
    """Print a mailing list (CSV with an email column) without those who objected or took back their consent."""
    from bot.commands.suppression import suppression as run

    sys.exit(run(app_of(context), file))


@main.command()
@click.option("--once", is_flag=True, help="One round of everything that is due, then exit.")
@click.pass_context
def run(context: click.Context, once: bool) -> None:
    """The worker."""
    from bot.commands.run import run as work
    from nlp.classifier import ModelError
    from store.database import StoreError

    app = app_of(context)
    try:
        sys.exit(work(app, once=once))
    except (StoreError, ModelError) as error:
        raise Failure(str(error)) from error


@main.command()
@click.option("--auto", is_flag=True, help="Play the DPO too.")
@click.option(
    "--dir",
    "folder",
    type=EXISTING,
    default=Path(".dpobot-demo"),
    show_default=True,
    help="Where to put it; emptied first.",
)
def demo(auto: bool, folder: Path) -> None:
    """The main job on embedded servers: invented mails arrive, you are the DPO."""
    from bot.commands.demo import demo as play

    sys.exit(play(folder, auto=auto))


@main.command()
@click.argument("files", nargs=-1, required=True, type=str)
@click.option("--only", multiple=True, metavar="ID", help="Only the story of this id; may be given several times.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a story.")
@click.option("--keep", type=EXISTING, default=None, metavar="DIR", help="Keep mails, chats, journal and log in DIR.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 64), help="Stories played at a time.")
@click.option("--hourly", is_flag=True, help="A round every hour, also where nothing can be due (slow).")
@click.option("--seed", default=None, type=int, help="Other ports, another order of stories and of what is at once.")
def rehearse(
    files: tuple[str, ...],
    only: tuple[str, ...],
    as_json: bool,
    keep: Path | None,
    jobs: int,
    hourly: bool,
    seed: int | None,
) -> None:
    """Play stories (JSON lines) against the whole program under a moved clock; 'attacks' names those that ship."""
    from bot.commands.rehearse import rehearse as play

    sys.exit(play(files, only=only, as_lines=as_json, keep=keep, jobs=jobs, hourly=hourly, seed=seed))


@main.command()
@click.argument("numbers", nargs=-1, type=int)
@click.pass_context
def replay(context: click.Context, numbers: tuple[int, ...]) -> None:
    """Read waiting messages once more, received when they were; without numbers, list those that wait."""
    from bot.commands.replay import replay as again

    sys.exit(again(app_of(context), numbers))


@main.command()
@click.argument("what", type=click.Choice(["stop", "start", "status"]))
@click.pass_context
def automatic(context: click.Context, what: str) -> None:
    """Stop everything that leaves without a click, at once; start it again; say how it stands."""
    from bot.commands.replay import automatic as throw

    sys.exit(throw(settings_of(context), what))


@main.command()
@click.option("--user", "key", default=None, help="Which desk user you are (key in the settings).")
@click.pass_context
def desk(context: click.Context, key: str | None) -> None:
    """The DPO's desk in the terminal: the same actions as in chat, unmasked."""
    from bot.commands.desk import desk as sit

    sys.exit(sit(app_of(context), key))


@main.command()
@click.option("--user", "key", default=None, help="Which desk user (key in the settings); the first DPO otherwise.")
@click.pass_context
def link(context: click.Context, key: str | None) -> None:
    """Print a one-time code that links a desk user's Telegram account."""
    from bot.commands.desk import link as give_code

    sys.exit(give_code(app_of(context), key))


@main.command("self-access")
@click.argument("address")
@click.option("--out", type=EXISTING, default=None, help="A file to write to; standard output otherwise.")
@click.pass_context
def self_access(context: click.Context, address: str, out: Path | None) -> None:
    """Write out what dpobot itself holds on a person, as JSON (art. 15)."""
    from bot.commands.evidence import self_access as tell

    sys.exit(tell(app_of(context), address, out))


@main.group()
def register() -> None:
    """The register of requests, for the record."""


@register.command("export")
@click.option("--format", "kind", type=click.Choice(["csv", "xlsx", "json"]), default="csv", show_default=True)
@click.option("--out", type=EXISTING, default=None, help="A file to write to; standard output otherwise.")
@click.pass_context
def register_export(context: click.Context, kind: str, out: Path | None) -> None:
    """Export the register, without names."""
    from bot.commands.register import export

    sys.exit(export(app_of(context), kind, out))


@main.command()
@click.option("--year", type=int, required=True)
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def report(context: click.Context, year: int, as_json: bool) -> None:
    """The figures of a year: volume, on time, median days, extensions, refusals."""
    from bot.commands.register import report as tell

    sys.exit(tell(app_of(context), year, as_json=as_json))


@main.command()
@click.argument("reference")
@click.option("--out", type=EXISTING, required=True, help="The ZIP file to write.")
@click.pass_context
def bundle(context: click.Context, reference: str, out: Path) -> None:
    """Put the evidence of a case into a ZIP: timeline, computation of the due date, letters, hashes."""
    from bot.commands.evidence import bundle as pack

    sys.exit(pack(app_of(context), reference, out))


@main.command()
@click.argument("files", nargs=-1, required=True, type=str)
@click.pass_context
def parse(context: click.Context, files: tuple[str, ...]) -> None:
    """Read raw mails, print one JSON object each. With a settings file, our own server's verdicts are believed."""
    from bot.commands.parse import parse as read

    if not context.obj.exists():
        sys.exit(read(files, sys.stdout))
    settings = settings_of(context)
    own = settings.own_addresses
    domains = {address.rpartition("@")[2] for address in own}
    sys.exit(read(files, sys.stdout, authserv_ids=settings.mail.authserv_ids, own_addresses=own, own_domains=domains))


@main.command()
@click.option("--jsonl", default=None, help="Messages as JSON lines; - for standard input.")
@click.argument("files", nargs=-1, type=str)
@click.pass_context
def classify(context: click.Context, jsonl: str | None, files: tuple[str, ...]) -> None:
    """Say what messages ask for, why, and how sure."""
    from bot.commands.classify import classify as read
    from bot.models import running_model

    model = running_model(settings_of(context)) if context.obj.exists() else None
    sys.exit(read(jsonl, list(files), sys.stdout, model=model))


@main.command()
@click.option("--jsonl", default=None, help="Events as JSON lines; - for standard input.")
@click.option("--received", default=None, help="When the request was received (ISO date or instant).")
@click.option("--identity-asked", multiple=True, help="When proof of identity was asked for.")
@click.option("--identity-insufficient", multiple=True, help="When the proof was found insufficient.")
@click.option("--identity-received", multiple=True, help="When the proof came.")
@click.option("--extended", multiple=True, help="When the notice of extension left.")
@click.option("--timezone", default="Europe/Paris", show_default=True)
@click.option("--rule", default="edpb", show_default=True, help="edpb, ico-next-day or restart-on-id.")
@click.option("--calendar", default="FR", show_default=True, help="FR or FR-ALSACE-MOSELLE.")
@click.option("--right", default=None, help="The right exercised (a label).")
@click.option("--minor-at-collection", is_flag=True)
@click.option("--language", default="fr", type=click.Choice(["fr", "en"]), show_default=True)
def deadline(
    jsonl: str | None,
    received: str | None,
    identity_asked: tuple[str, ...],
    identity_insufficient: tuple[str, ...],
    identity_received: tuple[str, ...],
    extended: tuple[str, ...],
    timezone: str,
    rule: str,
    calendar: str,
    right: str | None,
    minor_at_collection: bool,
    language: str,
) -> None:
    """When an answer is due, and why, article by article."""
    from bot.commands.deadline import deadline_jsonl, deadline_person

    if received is None:
        with click.open_file(jsonl or "-", encoding="utf-8") as lines:
            sys.exit(deadline_jsonl(lines, sys.stdout))
    sys.exit(
        deadline_person(
            received, identity_asked, identity_received, extended, identity_insufficient=identity_insufficient,
            timezone=timezone, rule=rule, calendar=calendar, right=right, minor_at_collection=minor_at_collection,
            language=language, out=sys.stdout, err=sys.stderr,
        )
    )  # fmt: skip


@main.command()
@click.argument("file", type=EXISTING)
@click.option("--language", default="fr", type=click.Choice(["fr", "en"]), show_default=True)
@click.pass_context
def explain(context: click.Context, file: Path, language: str) -> None:
    """Say for people what a mail is, why, and what would be done: which letters, which dates."""
    from bot.commands.explain import explain as tell

    sys.exit(tell(context.obj, file, language))


@main.group()
def cases() -> None:
    """The register as it stands."""


@cases.command("list")
@click.option("--all", "everything", is_flag=True, help="Closed cases too.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def cases_list(context: click.Context, everything: bool, as_json: bool) -> None:
    """List the cases, by due date."""
    from bot.commands.cases import list_cases

    sys.exit(list_cases(app_of(context), everything=everything, as_json=as_json))


@cases.command("show")
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def cases_show(context: click.Context, reference: str, as_json: bool) -> None:
    """Show one case as the desk sees it, unmasked."""
    from bot.commands.cases import show_case

    sys.exit(show_case(app_of(context), reference, as_json=as_json))


@cases.command("history")
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def cases_history(context: click.Context, reference: str, as_json: bool) -> None:
    """Print the journal of one case and how its due date was computed."""
    from bot.commands.cases import history

    sys.exit(history(app_of(context), reference, as_json=as_json))


@main.command()
@click.argument("kind", type=click.Choice(["letter", "phone", "counter", "forward"]))
@click.option(
    "--received", required=True, help="When the organisation got it (ISO date or instant), not when it is entered."
)
@click.option("--name", default="", help="Who asks.")
@click.option("--email", default="", help="Where letters go; may be empty (answered by post).")
@click.option("--right", "rights", multiple=True, help="The right(s), if you know; else the text is read.")
@click.option(
    "--file", "file", type=click.File("r", encoding="utf-8"), default="-", help="The text; - for standard input."
)
@click.pass_context
def intake(
    context: click.Context,
    kind: str,
    received: str,
    name: str,
    email: str,
    rights: tuple[str, ...],
    file: TextIO,
) -> None:
    """Enter a request that came by post, phone, at the counter or through a colleague."""
    from bot.commands.intake import intake as enter

    sys.exit(enter(app_of(context), kind, received=received, name=name, email=email, rights=rights, text=file.read()))


@main.command()
@click.option("--now", is_flag=True, required=True, expose_value=False, help="Build it now.")
@click.option("--out", type=EXISTING, default=None, help="Folder to write it to.")
@click.pass_context
def digest(context: click.Context, out: Path | None) -> None:
    """Build the weekly digest without sending it."""
    from bot.commands.digest import digest_now

    sys.exit(digest_now(app_of(context), out))


@main.command()
@click.argument("file", type=EXISTING, required=False, default=None)
@click.pass_context
def verify(context: click.Context, file: Path | None) -> None:
    """Check the hash chain of the whole journal, or the bundle in FILE (no settings are needed for that)."""
    if file is not None:
        from bot.commands.evidence import verify_bundle

        sys.exit(verify_bundle(file))
    from bot.commands.cases import verify_journal

    sys.exit(verify_journal(app_of(context)))


@main.command()
@click.option("--dry-run", is_flag=True)
@click.pass_context
def purge(context: click.Context, dry_run: bool) -> None:
    """Destroy what is past its retention."""
    from bot.purge import purge as take

    taken = take(app_of(context), dry_run=dry_run)
    click.echo(
        f"identity documents: {taken.documents}; messages: {taken.messages}; cases: {', '.join(taken.cases) or 0}"
        + (f"; masked examples: {taken.examples}" if taken.examples else "")
    )


@main.command()
@click.argument("target", type=EXISTING)
@click.pass_context
def backup(context: click.Context, target: Path) -> None:
    """Copy the store to TARGET while it is in use. The master key is not in it: keep that apart."""
    from store.backup import backup as copy
    from store.database import StoreError

    try:
        copy(app_of(context).database, target)
    except StoreError as error:
        raise Failure(str(error)) from error
    click.echo(target)


@main.command()
@click.argument("source", type=EXISTING)
@click.pass_context
def restore(context: click.Context, source: Path) -> None:
    """Put a backup back where the settings say the store is; never over an existing one."""
    from store.backup import restore as put_back
    from store.database import StoreError

    settings = settings_of(context)
    try:
        put_back(source, settings.store.data_dir / "dpobot.db")
    except StoreError as error:
        raise Failure(str(error)) from error


@main.command()
@click.option("--out", type=EXISTING, default=None, help="Folder for the model; nothing is replaced then.")
@click.option("--corpus-only", is_flag=True, help="From the corpus alone, into the package: the model that ships.")
@click.option("--list", "listing", is_flag=True, help="Show what there is to learn from, without text.")
@click.option("--without", type=int, multiple=True, help="Leave out an example by its number; repeat for more.")
@click.pass_context
def train(context: click.Context, out: Path | None, corpus_only: bool, listing: bool, without: tuple[int, ...]) -> None:
    """Train the classifier from the corpus and from what was corrected at the desk.

    With settings, the model goes into the data folder if it is no worse on the frozen messages; without, or with
    --corpus-only, the corpus alone makes the model that ships.
    """
    from bot.commands.train import learn, listed
    from bot.commands.train import train as teach

    if listing:
        sys.exit(listed(app_of(context)))
    if corpus_only or not context.obj.exists():
        sys.exit(teach(out))
    sys.exit(learn(app_of(context), without=without, out=out))


@main.command()
@click.option("--split", default="test", type=click.Choice(["dev", "test", "local"]), show_default=True)
@click.option("--model", type=EXISTING, default=None, help="Folder of a model; the one that reads by default.")
@click.option("--show", is_flag=True, help="Print the texts of the worst errors; local ones are personal data.")
@click.option("--curve", type=EXISTING, default=None, help="Draw the reliability curve into this file (.svg, .html).")
@click.pass_context
def evaluate(context: click.Context, split: str, model: Path | None, show: bool, curve: Path | None) -> None:
    """Measure the classifier on messages it never saw (local: on what was corrected here)."""
    from bot.commands.evaluate import evaluate as measure

    app = app_of(context) if split == "local" else None
    settings = settings_of(context) if context.obj.exists() else None
    sys.exit(measure(split=split, model=model, settings=settings, app=app, show=show, curve=curve))


if __name__ == "__main__":
    main()
