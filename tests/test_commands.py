"""The commands, as typed: what they print, what they leave behind, and their exit status."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import main
from bot.app import App, build_app
from bot.clock import MovedClock
from bot.commands.check import check
from bot.commands.init import init
from bot.commands.intake import intake
from bot.purge import erase
from bot.sandbox.bot_api import BotApiServer
from bot.sandbox.imap import ImapServer
from bot.sandbox.smtp import SmtpSink
from bot.settings import load
from store import cases, journal
from store.models import Case
from store.sealing import new_master_key
from tests.fakes import ACCESS, CAMILLE, JEAN, OBJECTION, Office, WordReader
from tests.world import EXAMPLE, World, mail, make_mailbox, paris


@pytest.fixture
def busy(office) -> Office:
    """An office with one case of each kind."""
    office.arrive(mail(ACCESS, sender=CAMILLE, subject="Mes données"))
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    return office


def environment(data_dir: Path, master_key: str, **more: str) -> dict[str, str]:
    """What the example lacks to run on a store: where it is, its key, and passwords that open nothing."""
    return {
        "DPOBOT_STORE__DATA_DIR": str(data_dir), "DPOBOT_STORE__MASTER_KEY": master_key,
        "DPOBOT_IMAP__PASSWORD": "x", "DPOBOT_SMTP__PASSWORD": "x", **more,
    }  # fmt: skip


def cli(office: Office, *args: str, stdin: str = "", **more: str) -> Result:
    """Type a command beside the office, on its store and with the settings that ship."""
    settings = office.settings.store
    env = environment(settings.data_dir, settings.master_key.get_secret_value(), **more)
    return CliRunner().invoke(main, ["--config", str(EXAMPLE), *args], env=env, input=stdin)


# --- init


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_init_makes_private_files_and_an_empty_store(tmp_path, capsys):
    folder = tmp_path / "new" / "dpobot"
    assert init(folder, today=date(2026, 4, 5)) == 0
    found = {str(path.relative_to(folder)): mode(path) for path in folder.rglob("*") if "-" not in path.name}
    assert found == {
        "dpobot.toml": 0o600, "secrets": 0o700, "secrets/master.key": 0o600, "secrets/imap.password": 0o600,
        "secrets/smtp.password": 0o600, "secrets/telegram.token": 0o600, "data": 0o700, "data/dpobot.db": 0o600,
        "processing.toml": 0o600,
    }  # fmt: skip
    written = tomllib.loads((folder / "dpobot.toml").read_text(encoding="utf-8"))
    assert written["imap"].pop("since") == date(2026, 4, 5)
    assert written.pop("processing_file") == "processing.toml"
    assert written == tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert capsys.readouterr().out.splitlines()[-1] == f"then: dpobot --config {folder / 'dpobot.toml'} check"


def test_what_init_wrote_runs_once_the_passwords_are_in(tmp_path):
    assert CliRunner().invoke(main, ["init", str(tmp_path / "x")]).exit_code == 0
    config = tmp_path / "x" / "dpobot.toml"
    assert CliRunner().invoke(main, ["--config", str(config), "cases", "list"]).exit_code == 2
    for name in ("imap", "smtp"):
        (tmp_path / "x" / "secrets" / f"{name}.password").write_text("geheim\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["--config", str(config), "cases", "list"])
    assert (result.exit_code, result.output) == (0, "")
    settings = load(config, environ={})
    assert settings.imap is not None
    assert settings.imap.since is not None


def test_init_never_writes_over_anything(tmp_path, capsys):
    assert init(tmp_path) == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert init(tmp_path) == 2
    assert capsys.readouterr().err.endswith("exists already: remove it first, or choose another folder\n")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_init_goes_on_where_it_was_interrupted(tmp_path):
    assert init(tmp_path) == 0
    key = (tmp_path / "secrets" / "master.key").read_bytes()
    (tmp_path / "dpobot.toml").unlink()
    assert init(tmp_path) == 0
    assert (tmp_path / "secrets" / "master.key").read_bytes() == key


def test_init_makes_no_new_key_for_a_store_that_has_one(tmp_path, capsys):
    assert init(tmp_path) == 0
    (tmp_path / "dpobot.toml").unlink()
    (tmp_path / "secrets" / "master.key").unlink()
    assert init(tmp_path) == 2
    assert "not the key it is sealed with" in capsys.readouterr().err
    assert not (tmp_path / "secrets" / "master.key").exists()


def test_each_init_makes_a_key_of_its_own(tmp_path):
    for name in "ab":
        init(tmp_path / name)
    keys = [(tmp_path / name / "secrets" / "master.key").read_text(encoding="ascii") for name in "ab"]
    assert len(set(keys)) == 2


def test_init_where_nothing_can_be_written_says_so(tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert init(tmp_path / "file") == 2
    assert capsys.readouterr().err.startswith(f"{tmp_path / 'file'} cannot be set up: ")


# --- check


class Servers:
    """The sandbox, and settings that name it."""

    def __init__(self, folder: Path, mailbox: ImapServer, sink: SmtpSink, chat: BotApiServer) -> None:
        self.mailbox, self.sink, self.chat = mailbox, sink, chat
        self.values: dict[str, dict[str, Any]] = {
            "imap": {"host": mailbox.host, "port": mailbox.port, "tls": "none", "user": mailbox.user,
                     "password": mailbox.password},
            "smtp": {"host": sink.host, "port": sink.port, "tls": "none"},
            "telegram": {"token": chat.token, "base_url": chat.base_url.removesuffix("/bot")},
            "store": {"data_dir": str(folder / "data"), "master_key": new_master_key()},
        }  # fmt: skip
        self.path = folder / "dpobot.toml"

    def write(self) -> Path:
        """Write the settings: the example, with these sections in place of its own."""
        text = EXAMPLE.read_text(encoding="utf-8")
        for section, values in self.values.items():
            text = re.sub(rf"(?ms)^\[{section}\].*?(?=^\[|\Z)", "", text)
            text += f"\n[{section}]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
        self.path.write_text(text, encoding="utf-8")
        return self.path


@pytest.fixture
def servers(tmp_path) -> Iterator[Servers]:
    clock = MovedClock(paris("2026-03-02 09:00"))
    with make_mailbox() as mailbox, SmtpSink() as sink, BotApiServer(now=clock.now) as chat:
        yield Servers(tmp_path, mailbox, sink, chat)


PARTS = [
    "settings",
    "store",
    "journal",
    "templates",
    "model",
    "clock",
    "disk",
    "contacts",
    "register",
    "mailbox",
    "smtp",
    "chat",
]


def checked(servers: Servers, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    """The exit status of ``check``, and each part's line without its name."""
    status = check(servers.write(), reader=WordReader())
    lines = capsys.readouterr().out.splitlines()
    assert [line[2:].split(maxsplit=1)[0] for line in lines] == PARTS
    return status, {line[2:].split(maxsplit=1)[0]: line[0] + line[12:] for line in lines}


def test_check_finds_everything_well(servers, capsys):
    status, lines = checked(servers, capsys)
    assert status == 0, lines
    assert {line[0] for line in lines.values()} == {"✔"}
    assert lines["mailbox"] == "✔ imap:127.0.0.1/dpo/INBOX: 0 messages, IDLE"
    assert lines["chat"] == "✔ dpobot_sandbox_bot"
    assert servers.sink.attempts == []


def alone(lines: dict[str, str]) -> dict[str, str]:
    return {part: line for part, line in lines.items() if line[0] == "✘"}


def test_check_tells_a_wrong_password(servers, capsys):
    servers.values["imap"]["password"] = "wrong-7f3a"
    status, lines = checked(servers, capsys)
    place = f"127.0.0.1:{servers.mailbox.port}"
    (said,) = alone(lines).values()
    assert status == 1
    assert said.startswith(f"✘ {place}: the server refused the login")
    assert "Check user name and password" in said
    assert "wrong-7f3a" not in str(lines)


def test_check_tells_a_server_that_is_down(servers, capsys):
    servers.mailbox.stop()
    servers.sink.stop()
    status, lines = checked(servers, capsys)
    down = "nothing listens there. Check host and port, and that the server is running"
    assert (status, alone(lines)) == (1, {
        "mailbox": f"✘ 127.0.0.1:{servers.mailbox.port}: {down}", "smtp": f"✘ 127.0.0.1:{servers.sink.port}: {down}",
    })  # fmt: skip


def test_check_tells_a_folder_that_is_not_there(servers, capsys):
    servers.values["imap"]["folder"] = "DPO"
    status, lines = checked(servers, capsys)
    (said,) = alone(lines).values()
    assert status == 1
    assert said.startswith('✘ imap:127.0.0.1/dpo/DPO: the folder "DPO" cannot be opened')


def test_check_tells_a_token_that_is_refused_without_showing_it(servers, capsys):
    servers.values["telegram"]["token"] = "7000000001:quite-another-token-7f3a"
    status, lines = checked(servers, capsys)
    assert (status, list(alone(lines))) == (1, ["chat"])
    assert "quite-another-token-7f3a" not in str(lines)


def test_check_tells_a_master_key_that_is_not_the_stores(servers, capsys):
    assert checked(servers, capsys)[0] == 0
    with closing(build_app(load(servers.path, environ={}))) as app, app.database.transaction() as session:
        app.vault.new_key(session, now=app.clock.now())
    servers.values["store"]["master_key"] = new_master_key()
    status, lines = checked(servers, capsys)
    fits = "✘ the master key does not fit this store; use the one it was made with"
    assert (status, alone(lines)) == (1, {"store": fits})


def test_check_tells_an_altered_journal(servers, capsys, tmp_path):
    with closing(build_app(load(servers.write(), environ={}))) as app, app.database.transaction() as session:
        journal.append(session, type="note", actor="dpo", at=app.clock.now(), now=app.clock.now())
    tamper(tmp_path / "data", "UPDATE journal SET actor = 'nobody'")
    status, lines = checked(servers, capsys)
    assert status == 1
    assert alone(lines) == {
        "journal": "✘ entry 1: the entry was altered; restore a backup from before and compare",
    }  # fmt: skip


def test_check_without_chat_says_where_notices_go(servers, capsys):
    del servers.values["telegram"]
    status, lines = checked(servers, capsys)
    assert (status, lines["chat"]) == (0, "✔ none configured: the desk is 'dpobot desk', notices go by mail")


def test_check_with_settings_it_cannot_read_says_only_that(servers, capsys):
    servers.values["imap"]["tls"] = "yes"
    assert check(servers.write(), reader=WordReader()) == 2
    assert (
        capsys.readouterr().out == "✘ settings   setting imap.tls: input should be 'implicit', 'starttls' or 'none'\n"
    )


# --- cases


def test_cases_list_for_people_and_for_programs(busy):
    people = cli(busy, "cases", "list")
    assert people.output.splitlines() == [
        "DSR-2026-0002  2 avril 2026         en préparation       opposition (art. 21)",
        "DSR-2026-0001  –                    identité attendue    accès (art. 15)",
    ]
    rows = [json.loads(line) for line in cli(busy, "cases", "list", "--json").output.splitlines()]
    assert rows[0] == {
        "reference": "DSR-2026-0002", "channel": "email", "language": "fr", "received_at": "2026-03-02T08:00:00+00:00",
        "primary": "objection", "rights": ["objection"], "state": "open", "identity": "not_required",
        "due": "2026-04-02", "due_if_not_paused": "2026-04-02", "extended_due": "2026-06-02", "closed_at": None,
        "charge": "",
    }  # fmt: skip
    assert [(row["reference"], row["due"]) for row in rows] == [
        ("DSR-2026-0002", "2026-04-02"),
        ("DSR-2026-0001", None),
    ]


def test_closed_cases_are_listed_on_demand(busy):
    busy.do("close", subject="case:2", text="Fini.")
    assert [line[:13] for line in cli(busy, "cases", "list").output.splitlines()] == ["DSR-2026-0001"]
    assert [line[:13] for line in cli(busy, "cases", "list", "--all").output.splitlines()] == [
        "DSR-2026-0002", "DSR-2026-0001",
    ]  # fmt: skip


def test_a_case_is_shown_unmasked_to_people_and_without_personal_data_to_programs(busy):
    people = cli(busy, "cases", "show", "dsr-2026-0002")
    assert people.exit_code == 0
    assert "De : Jean Roche <jean@boite.example>" in people.output
    shown = json.loads(cli(busy, "cases", "show", "DSR-2026-0002", "--json").output)
    assert [(d["kind"], d["status"], d["revision"], d["decided_by"]) for d in shown["drafts"]] == [
        ("acknowledgement", "approved", 1, "bot"), ("answer", "proposed", 1, ""),
    ]  # fmt: skip
    assert [(i["kind"], i["status"], i["response"]) for i in shown["letters"]] == [
        ("acknowledgement", "sent", "250 2.0.0 queued"),
    ]  # fmt: skip
    assert not re.search("jean|Roche", json.dumps(shown))


def test_the_history_tells_what_happened_and_why_the_date_is_what_it_is(busy):
    busy.clock.advance(timedelta(days=1))
    busy.do("note", text="Rappelée au téléphone.")
    people = cli(busy, "cases", "history", "DSR-2026-0001").output
    events, _, trace = people.partition("\n\n")
    assert [re.split(r"\s{2,}", line)[:1] + line.split()[2:4] for line in events.splitlines()][-1] == [
        "2026-03-03 09:00", "dpo", "note",
    ]  # fmt: skip
    assert events.splitlines()[-1].endswith("Rappelée au téléphone.")
    assert [line.split()[3] for line in events.splitlines()] == busy.types()
    assert trace.startswith("EDPB-T             Reçu le lun. 2 mars 2026 (Europe/Paris) : jour zéro")
    assert "le jeu. 2 avril 2026" in trace
    rows = [json.loads(line) for line in cli(busy, "cases", "history", "DSR-2026-0001", "--json").output.splitlines()]
    assert [row["type"] for row in rows] == busy.types()
    assert set(rows[0]) == {"at", "recorded_at", "actor", "type", "data", "text", "hash"}
    assert (rows[-1]["text"], rows[-1]["actor"]) == ("Rappelée au téléphone.", "dpo")


@pytest.mark.parametrize("command", ["show", "history"])
def test_a_case_that_does_not_exist_is_told_with_status_1(busy, command):
    result = cli(busy, "cases", command, "DSR-2026-0099")
    said = "there is no case DSR-2026-0099; 'dpobot cases list --all' shows them\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", said)


def test_of_an_erased_case_what_is_not_personal_stays(busy):
    busy.do("note", text="Un mot.")
    busy.do("close", text="Fini.")
    with busy.app.database.transaction() as session:
        case = session.get(Case, 1)
        assert case is not None
        erase(session, busy.app, case, actor="bot", reason="retention")
    shown, told = cli(busy, "cases", "show", "DSR-2026-0001"), cli(busy, "cases", "history", "DSR-2026-0001")
    assert (shown.exit_code, told.exit_code) == (0, 0)
    assert "reference: DSR-2026-0001" in shown.output
    assert "(erased)" in told.output
    assert not re.search("Camille|Un mot|Fini", shown.output + told.output)


# --- the journal


def tamper(data_dir: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data_dir / "dpobot.db")) as store, store:
        for change in ("update", "delete", "replace"):
            store.execute(f"DROP TRIGGER journal_no_{change}")
        for statement in statements:
            store.execute(statement)


def test_a_journal_that_holds_shows_its_head(busy):
    with busy.app.database.reading() as session:
        head = journal.head(session)
    result = cli(busy, "verify")
    assert (result.exit_code, result.output) == (0, f"the journal holds; head {head}\n")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE journal SET actor = 'deputy' WHERE id = 3", "journal entry 3: the entry was altered"),
        ("UPDATE journal SET data = '{}' WHERE id = 2", "journal entry 2: the entry was altered"),
        ("DELETE FROM journal WHERE id = 2", "journal entry 3: the entry before it is missing or out of order"),
        ("UPDATE journal SET id = 99 WHERE id = 1", "journal entry 2: the entry before it is missing or out of order"),
    ],
    ids=["altered", "emptied", "removed", "reordered"],
)
def test_a_journal_somebody_changed_is_told_with_status_1(busy, statement, said):
    tamper(busy.settings.store.data_dir, statement)
    result = cli(busy, "verify")
    assert (result.exit_code, result.output) == (1, f"{said}\n")


# --- what comes by other ways


def enter(office: Office, kind: str = "letter", **more: Any) -> int:
    given = {
        "received": "2026-02-20",
        "name": "Paul Roche",
        "email": "",
        "rights": (),
        "text": "Une copie de mes données.",
    }
    return intake(office.app, kind, **{**given, **more})


@pytest.mark.parametrize("kind", ["letter", "phone", "counter", "forward"])
def test_what_is_entered_counts_from_the_day_it_came(office, capsys, kind):
    assert enter(office, kind) == 0
    assert capsys.readouterr().out == "DSR-2026-0001\n"
    case = office.case()
    assert (case.channel, case.primary, case.due_if_not_paused) == (kind, "access", date(2026, 3, 20))
    assert case.received_at == paris("2026-02-20 12:00")


def test_no_letter_leaves_by_itself_to_an_address_that_was_typed(office):
    assert enter(office, "phone", email="paul@boite.example", rights=("objection",)) == 0
    assert [draft.kind for draft in office.drafts()] == ["acknowledgement", "answer"]
    office.complete("answer")
    assert office.do("approve", kind="answer").done
    assert len(office.mailer.to("paul@boite.example")) == 1


def test_entered_twice_it_is_one_request(office, capsys):
    assert [enter(office), enter(office)] == [0, 0]
    assert capsys.readouterr().out == "DSR-2026-0001\nDSR-2026-0001\n"
    with office.app.database.reading() as session:
        assert len(cases.listed(session)) == 1


def test_what_the_reader_doubts_waits_to_be_sorted(office, capsys):
    assert enter(office, text="Peut-être une copie de mes données ?") == 0
    assert capsys.readouterr().out == "message 1: to_sort\n"


def test_the_rights_a_person_names_win_over_the_reading(office):
    assert enter(office, rights=("erasure", "access"), text="Bonjour.") == 0
    assert (office.case().primary, office.case().rights) == ("erasure", ["erasure", "access"])


BAD_DATE = "--received takes a date like 2026-03-02 or an instant like 2026-03-02T09:30+01:00"
BAD_ADDRESS = "--email takes the address of the person, like camille@courrier.example, and never ours"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"received": "20/02/2026"}, BAD_DATE),
        ({"received": "2026-02-30"}, BAD_DATE),
        ({"received": ""}, BAD_DATE),
        ({"received": "yesterday evening"}, BAD_DATE),
        ({"received": "0001-01-01T00:00+14:00"}, BAD_DATE),
        ({"received": "2026-03-03"}, "--received lies in the future"),
        ({"received": "2206-02-20"}, "--received lies in the future"),
        ({"received": "0206-02-20"}, "--received lies before 2018-05-25, when the GDPR began to apply: check the year"),
        ({"email": "paul"}, BAD_ADDRESS),
        ({"email": "Paul <paul@boite.example>"}, BAD_ADDRESS),
        ({"email": "DPO@mije.com"}, BAD_ADDRESS),
        ({"text": " \n"}, "the text is empty"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_entered_is_told_with_status_2_and_leaves_nothing(office, capsys, given, said):
    before = office.footprint()
    assert enter(office, **given) == 2
    assert capsys.readouterr().err == f"{said}\n"
    assert office.footprint() == before


def test_an_unknown_right_is_told_with_those_there_are(office, capsys):
    assert enter(office, rights=("access", "divorce")) == 2
    said = capsys.readouterr().err
    assert said.startswith("unknown right divorce; known: ")
    assert set(said.strip().partition("known: ")[2].split(", ")) == set(office.app.rights)


def test_later_today_is_now(office):
    assert enter(office, received="2026-03-02") == 0
    assert office.case().received_at == office.clock.now()


@pytest.mark.parametrize(
    "args",
    [("pigeon", "--received", "2026-03-02"), ("letter",), ("letter", "--received", "2026-03-02", "--file", "/nowhere")],
)
def test_a_command_typed_wrongly_has_status_2(office, args):
    assert cli(office, "intake", *args).exit_code == 2


# --- retention, copies, digest, desk


def test_purge_counts_first_and_destroys_after(tmp_path):
    """The commands go by the machine's clock, so these cases are old: closed in 2020."""
    office = Office(tmp_path / "data", start="2020-03-02 09:00")
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    office.arrive(mail("Bonjour, à quelle heure ouvrez-vous ?", sender=CAMILLE))
    ask = office.ask("close", text="Fini.")
    from bot.desk.actions import perform

    assert perform(office.app, ask, user=office.user("dpo")).done
    said = "identity documents: 0; messages: 1; cases: DSR-2020-0001\n"
    before = office.footprint()
    dry = [cli(office, "purge", "--dry-run") for _ in range(2)]
    assert [(result.exit_code, result.output) for result in dry] == [(0, said)] * 2
    assert office.footprint() == before
    assert "Jean Roche" in cli(office, "cases", "show", "DSR-2020-0001").output
    assert cli(office, "purge").output == said
    assert cli(office, "purge").output == "identity documents: 0; messages: 0; cases: 0\n"
    assert "Jean" not in cli(office, "cases", "show", "DSR-2020-0001").output
    assert cli(office, "verify").exit_code == 0
    office.close()


def test_a_backup_comes_back_as_it_was_and_over_nothing(busy, tmp_path):
    copy, elsewhere = tmp_path / "copy.db", tmp_path / "elsewhere"
    head = cli(busy, "verify").output
    assert cli(busy, "backup", str(copy)).output == f"{copy}\n"
    again = cli(busy, "backup", str(copy))
    assert (again.exit_code, again.stderr) == (
        2, "Error: copy.db exists already and is not overwritten; choose another name or move it aside\n",
    )  # fmt: skip
    assert mode(copy) == 0o600
    assert b"Camille" not in copy.read_bytes()
    busy.do("note", text="Après la copie.")
    there = {"DPOBOT_STORE__DATA_DIR": str(elsewhere)}
    assert cli(busy, "restore", str(copy), **there).exit_code == 0
    assert cli(busy, "verify", **there).output == head != cli(busy, "verify").output
    assert "Camille Durand" in cli(busy, "cases", "show", "DSR-2026-0001", **there).output
    assert cli(busy, "restore", str(copy), **there).exit_code == 2
    assert cli(busy, "restore", str(tmp_path / "none.db"), **there).exit_code == 2


def test_what_is_no_backup_is_not_restored(busy, tmp_path):
    bad = tmp_path / "bad.db"
    bad.write_bytes(b"something else entirely, and long enough to be looked at" * 100)
    result = cli(busy, "restore", str(bad), DPOBOT_STORE__DATA_DIR=str(tmp_path / "elsewhere"))
    assert (result.exit_code, "Traceback" in result.output) == (2, False)
    assert not (tmp_path / "elsewhere" / "dpobot.db").exists()


def test_the_digest_of_now_is_built_and_not_sent(busy, tmp_path):
    before = busy.footprint()
    shown = cli(busy, "digest", "--now")
    assert (shown.exit_code, "DSR-2026-0002" in shown.output) == (0, True)
    written = cli(busy, "digest", "--now", "--out", str(tmp_path / "digest"))
    files = ["digest.html", "digest.txt", "digest.png", "digest.eml"]
    assert written.output.splitlines() == [str(tmp_path / "digest" / name) for name in files]
    assert sorted(path.name for path in (tmp_path / "digest").iterdir()) == sorted(files)
    assert busy.footprint() == before
    assert cli(busy, "digest").exit_code == 2


def test_the_desk_opens_for_those_it_knows(busy):
    shown = cli(busy, "desk", stdin="q\n")
    assert shown.exit_code == 0
    assert "Dossiers ouverts (2)" in shown.output
    unknown = cli(busy, "desk", "--user", "boss")
    said = "no desk user is called boss; the settings know: dpo, deputy\n"
    assert (unknown.exit_code, unknown.stderr) == (2, said)


def test_explain_stops_on_bad_settings_and_missing_files(tmp_path):
    bad = tmp_path / "dpobot.toml"
    bad.write_text("[imap\n", encoding="utf-8")
    letter = tmp_path / "a.eml"
    letter.write_bytes(mail(OBJECTION, sender=JEAN))
    result = CliRunner().invoke(main, ["--config", str(bad), "explain", str(letter)])
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    missing = CliRunner().invoke(main, ["--config", str(bad), "explain", str(tmp_path / "b.eml")])
    said = f"{tmp_path / 'b.eml'} cannot be read: No such file or directory\n"
    assert (missing.exit_code, missing.stderr) == (1, said)


def test_explain_counts_from_when_the_mail_server_took_the_mail_in(tmp_path):
    letter = tmp_path / "a.eml"
    letter.write_bytes(
        b"Received: from a.example by mx.mije.com; Fri, 20 Mar 2026 23:30:00 +0000\r\n" + mail(OBJECTION, sender=JEAN)
    )
    said = CliRunner().invoke(main, ["--config", str(tmp_path / "none.toml"), "explain", str(letter)]).stdout
    assert "\nReçu le : 21 mars 2026\n" in said
    assert "(reçu le 21 mars 2026) :" in said


def test_verify_says_that_a_file_is_missing(tmp_path):
    missing = CliRunner().invoke(main, ["verify", str(tmp_path / "b.zip")])
    assert (missing.exit_code, missing.stderr) == (
        1,
        f"{tmp_path / 'b.zip'} cannot be read: No such file or directory\n",
    )


# --- the worker


def worker(servers: Servers) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("DPOBOT_")}
    command = [sys.executable, "-m", "bot", "--config", str(servers.path), "run"]
    root = Path(__file__).parent.parent
    return subprocess.Popen(command, env=env, cwd=root, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def read_until(stream: io.TextIOBase, word: str) -> None:
    """Read a stream up to the line with *word* and go on reading in the background, so that its writer never waits."""
    assert any(word in line for line in stream)
    threading.Thread(target=stream.read, daemon=True).start()


def test_a_second_worker_on_one_store_says_so_and_the_first_stops_when_asked(servers, tmp_path):
    servers.write()
    lock = tmp_path / "data" / "worker.lock"
    first = worker(servers)
    try:
        assert first.stderr is not None
        read_until(first.stderr, "worker.started")
        while not (lock.exists() and lock.read_text(encoding="ascii").strip()):
            assert first.poll() is None
            threading.Event().wait(0.02)
        second = worker(servers)
        _, said = second.communicate(timeout=60)
        assert second.returncode == 2
        assert said.splitlines()[-1] == (
            f"Error: another dpobot worker (pid {first.pid}) is running on this store; stop it first"
        )
        assert "Traceback" not in said
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=20) == 0
    finally:
        first.kill()
        first.wait()


def test_run_once_does_one_round_and_returns(servers):
    result = CliRunner().invoke(main, ["--config", str(servers.write()), "run", "--once"])
    assert (result.exit_code, result.stdout) == (0, "")


# --- mail from before our time


class ReadWorld(World):
    """A world whose classifier knows a few words."""

    def _build(self) -> App:
        return build_app(self.settings, clock=self.clock, mailer=self.mailer, reader=WordReader())


@pytest.fixture
def aged(tmp_path) -> Iterator[ReadWorld]:
    """A mailbox with mail of before, at and after midnight of the first day that counts, in Paris."""
    with make_mailbox() as mailbox, SmtpSink() as sink:
        moments = ("2019-05-01 10:00", "2026-03-01 23:59", "2026-03-02 00:00", "2026-03-02 08:00")
        for number, moment in enumerate(moments):
            raw = mail(OBJECTION, sender=f"p{number}@boite.example", message_id=f"<{number}@boite.example>")
            mailbox.append(raw, internal_date=paris(moment))
        imap = {
            "host": "127.0.0.1", "port": mailbox.port, "tls": "none", "user": mailbox.user,
            "password": mailbox.password, "poll_seconds": 5, "since": date(2026, 3, 2),
        }  # fmt: skip
        clock = MovedClock(paris("2026-03-02 09:00"))
        made = ReadWorld(tmp_path / "data", mailbox=mailbox, sink=sink, chat=None, clock=clock, imap=imap)
        yield made
        made.app.close()


def test_mail_from_before_the_first_day_is_settled_and_neither_recorded_nor_answered(aged):
    before = aged.mailbox.flags()
    aged.work()
    assert [case.received_at for case in aged.cases()] == [paris("2026-03-02 00:00"), paris("2026-03-02 08:00")]
    assert len(aged.dispositions()) == 2
    assert (aged.sent("p0@boite.example"), aged.sent("p1@boite.example")) == ([], [])
    assert (len(aged.sent("p2@boite.example")), len(aged.sent("p3@boite.example"))) == (1, 1)
    assert aged.mailbox.flags() == before
    # Settled: it is not even fetched again.
    assert list(aged.app.inboxes[0].fetch()) == []


def test_after_the_mailbox_was_rebuilt_old_mail_is_passed_over_again(aged):
    aged.work()
    aged.mailbox.restart(new_uidvalidity=True)
    aged.work()
    assert (len(aged.cases()), len(aged.dispositions())) == (2, 2)
    assert list(aged.app.inboxes[0].fetch()) == []
