"""Settings: the example that ships loads, each mistake gives one sentence that names it, and no secret shows."""

from __future__ import annotations

import copy
import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.__main__ import main
from bot.app import build_app
from bot.settings import SettingsError, User, build, load, read
from store.sealing import MasterKeyError, new_master_key

EXAMPLE = Path(__file__).parent.parent / "bot" / "example.toml"
SECRET = "geheim-7f3a9c"


def example_folder(folder: Path) -> Path:
    """The example as it ships, with its secrets in files."""
    (folder / "secrets").mkdir()
    (folder / "secrets" / "imap.password").write_text(f"{SECRET}-imap\n", encoding="utf-8")
    (folder / "secrets" / "smtp.password").write_text(f"{SECRET}-smtp\n", encoding="utf-8")
    (folder / "secrets" / "master.key").write_text(new_master_key(), encoding="utf-8")
    path = folder / "dpobot.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    return path


def values() -> dict[str, Any]:
    """What a settings file that works says."""
    made = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    made["imap"] |= {"password": f"{SECRET}-imap"}
    made["smtp"] |= {"password": f"{SECRET}-smtp"}
    made["store"] = {"data_dir": "data", "master_key": SECRET}
    del made["imap"]["password_file"], made["smtp"]["password_file"]
    return made


def changed(where: str, value: Any) -> dict[str, Any]:
    """The working settings with one setting changed; ``...`` removes it."""
    made = copy.deepcopy(values())
    *path, last = where.split(".")
    place: Any = made
    for part in path:
        place = place[int(part)] if part.isdigit() else place.setdefault(part, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return made


def refusal(given: dict[str, Any], **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        build(given, environ=environ)
    # Nothing of the value may come along in a traceback either.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return str(caught.value)


def said_of(given: dict[str, Any]) -> str:
    """What is said of settings; nothing where they are fine."""
    try:
        build(given)
    except SettingsError as error:
        return str(error)
    return ""


def test_the_example_that_ships_loads_with_its_secrets_in_files(tmp_path):
    found = load(example_folder(tmp_path), environ={})
    assert found.imap is not None
    assert found.imap.password.get_secret_value() == f"{SECRET}-imap"
    assert found.smtp.password.get_secret_value() == f"{SECRET}-smtp"
    assert (found.imap.host, found.imap.since, found.imap.after) == ("imap.mije.com", None, "leave")
    assert found.store.data_dir == tmp_path / "data"
    assert found.store.database_url == f"sqlite:///{tmp_path / 'data' / 'dpobot.db'}"
    assert [user.key for user in found.desk.users] == ["dpo", "deputy"]
    assert found.own_addresses == {"dpo@mije.com"}
    assert (found.telegram, found.listen, len(found.processing)) == (None, None, 0)


def test_the_settings_file_may_begin_with_a_byte_order_mark(tmp_path):
    path = example_folder(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(path, environ={}).dpo.name == "Claude Martinez"


def test_paths_are_taken_from_the_folder_of_the_file(tmp_path):
    path = example_folder(tmp_path)
    text = path.read_text(encoding="utf-8").replace('data_dir = "data"', 'data_dir = "~/register"')
    path.write_text(text, encoding="utf-8")
    found = read(path)
    assert found["store"]["data_dir"] == str(Path("~/register").expanduser())
    assert found["imap"]["password_file"] == str(tmp_path / "secrets" / "imap.password")


NO_PASSWORD = (
    "password is missing: write it into the file that password_file names, set DPOBOT_IMAP__PASSWORD, "
    "or give token_command"
)
MISTAKES = {
    "missing section": (
        changed("smtp", ...),
        "section [smtp] is missing: add it to dpobot.toml; 'dpobot init' writes an example",
    ),
    "missing setting": (
        changed("imap.host", ...),
        "setting imap.host is missing: add it to dpobot.toml, or set DPOBOT_IMAP__HOST",
    ),
    "missing in an entry": (
        changed("desk.users.1.name", ...),
        "setting name of entry 2 of desk.users is missing: add it to dpobot.toml",
    ),
    "two missing": (
        changed("dpo", {}),
        "setting dpo.name is missing: add it to dpobot.toml, or set DPOBOT_DPO__NAME (and 1 more)",
    ),
    "unknown setting": (
        changed("imap.pasword", "x"),
        "setting imap.pasword is unknown: correct its spelling or remove it",
    ),
    "unknown section": (
        changed("imapp", {"host": "x"}),
        "setting imapp is unknown: correct its spelling or remove it",
    ),
    "bad address": (changed("dpo.email", "dpo"), "setting dpo.email: is not a mail address like dpo@mije.com"),
    "address with a name": (
        changed("digest.to", ["Claude <dpo@mije.com>"]),
        "setting entry 1 of digest.to: is not a mail address like dpo@mije.com",
    ),
    "nobody gets the digest": (
        changed("digest.to", []),
        "setting digest.to: is empty: name at least one",
    ),
    "bad time zone": (
        changed("calendar.timezone", "Europe/Lutece"),
        "setting calendar.timezone: is not a time zone like Europe/Paris",
    ),
    "bad TLS word": (
        changed("imap.tls", "ssl"),
        "setting imap.tls: input should be 'implicit', 'starttls' or 'none'",
    ),
    "no TLS to another machine": (
        changed("smtp.tls", "none"),
        'setting smtp: tls = "none" is accepted for this machine only; use "implicit" or "starttls"',
    ),
    "bad port": (changed("imap.port", 70000), "setting imap.port: input should be less than or equal to 65535"),
    "empty mailbox password": (
        changed("imap.password", ""),
        f"setting imap: {NO_PASSWORD}",
    ),
    "empty SMTP password": (
        changed("smtp.password", ""),
        "setting smtp: password is missing: write it into the file that password_file names, "
        "set DPOBOT_SMTP__PASSWORD, or remove user where the server wants no login",
    ),
    "empty token": (
        changed("telegram.token", ""),
        "setting telegram: token is missing: write it into the file that token_file names, "
        "set DPOBOT_TELEGRAM__TOKEN, or remove the section to work without chat",
    ),
    "a secret given twice": (
        changed("imap.password_file", "/nowhere/imap.password"),
        "setting imap: password and password_file are both given: keep one of them",
    ),
    "unknown courtesy": (changed("imap.after", "delete"), 'setting imap: after is "leave", "seen" or "move:FOLDER"'),
    "moved in circles": (
        changed("imap.after", "move:INBOX"),
        "setting imap: after: name another folder than the one that is read, or messages would move in circles",
    ),
    "bad first day": (
        changed("imap.since", "2026-02-30"),
        "setting imap.since: input should be a valid date or datetime, day value is outside expected range",
    ),
    "two users with one key": (
        changed("desk.users.1.key", "dpo"),
        "setting desk: users: two users have the same key: give each one of its own",
    ),
    "two users with one account": (
        changed("desk.users", [{"key": k, "name": k, "telegram_id": 7} for k in ("a", "b")]),
        "setting desk: users: two users have the same telegram_id: give each the number of their own account",
    ),
    "a user called like the program": (
        changed("desk.users.1.key", "bot"),
        "setting desk: users: the key bot stands for the program or the person who asks: choose another",
    ),
    "nobody may decide": (
        changed("desk.users", [{"key": "a", "name": "A", "role": "auditor"}]),
        "setting desk: users: name at least one user with role dpo or deputy",
    ),
    "unknown role": (
        changed("desk.users.0.role", "boss"),
        "setting role of entry 1 of desk.users: input should be 'dpo', 'deputy', 'helper' or 'auditor'",
    ),
    "unknown digest day": (
        changed("digest.day", "sunday"),
        "setting digest.day: input should be 'monday', 'tuesday', 'wednesday', 'thursday' or 'friday'",
    ),
    "unknown calendar": (
        changed("calendar.holidays", "DE"),
        "setting calendar.holidays: input should be 'FR' or 'FR-ALSACE-MOSELLE'",
    ),
    "unknown counting rule": (
        changed("calendar.rule", "thirty-days"),
        "setting calendar.rule: input should be 'edpb', 'ico-next-day' or 'restart-on-id'",
    ),
    "no language": (
        changed("languages", []),
        "setting languages: is empty: name at least one",
    ),
    "no time to answer": (
        changed("retention.case_days", 0),
        "setting retention.case_days: input should be greater than or equal to 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gives_one_sentence_that_names_it_and_its_mend(mistake):
    given, sentence = MISTAKES[mistake]
    assert refusal(given) == sentence


def test_what_the_mistakes_are_made_of_is_fine():
    assert build(values()).dpo.name == "Claude Martinez"


@pytest.mark.parametrize("section", ["organisation", "authority", "dpo", "desk", "mail", "smtp", "store", "digest"])
def test_every_section_that_is_needed_is_asked_for(section):
    said = f"section [{section}] is missing: add it to dpobot.toml; 'dpobot init' writes an example"
    assert refusal(changed(section, ...)) == said


@pytest.mark.parametrize("section", ["imap", "telegram", "listen", "calendar", "identity", "replies", "retention"])
def test_every_other_section_may_be_left_out(section):
    given = values()
    given.pop(section, None)
    assert build(given).mail.address == "dpo@mije.com"


def test_telegram_numbers_without_telegram_are_fine():
    given = changed("desk.users.0.telegram_id", 700000001)
    assert build(given).user_by_telegram(700000001) == User(key="dpo", name="Claude Martinez", telegram_id=700000001)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, r"password_file {path} cannot be read (No such file or directory): mend its path or rights, or make the file"),
        (b"\xff\xfe\x00", r"password_file {path} is not text: write the secret into it as plain text"),
        (b"\n", NO_PASSWORD),
    ],
    ids=["missing", "not text", "empty"],
)  # fmt: skip
def test_a_secret_file_that_holds_no_secret_is_named(tmp_path, content, said):
    path = tmp_path / "imap.password"
    if content is not None:
        path.write_bytes(content)
    given = changed("imap.password_file", str(path))
    del given["imap"]["password"]
    assert refusal(given) == f"setting imap: {said.format(path=path)}"


def test_a_secret_file_that_may_not_be_read_is_named(tmp_path):
    given = changed("store.master_key_file", str(tmp_path))  # a folder: unreadable even to root
    del given["store"]["master_key"]
    said = f"master_key_file {tmp_path} cannot be read (Is a directory): mend its path or rights, or make the file"
    assert refusal(given) == f"setting store: {said}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = [1\n", "the settings file {path} is not valid TOML: Unclosed array (at end of document)"),
        ("[imap]\nhost = \"é\"".encode("latin-1"), "the settings file {path} is not UTF-8 text: save it again as UTF-8"),
        (None, "there is no settings file at {path}: make one with 'dpobot init', or name yours with --config"),
    ],
    ids=["bad TOML", "not UTF-8", "no file"],
)  # fmt: skip
def test_a_settings_file_that_cannot_be_read_gives_a_sentence_and_status_2(tmp_path, content, said):
    path = tmp_path / "dpobot.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load(path, environ={})
    assert str(caught.value) == said.format(path=path)
    for command in (["run", "--once"], ["cases", "list"], ["verify"]):
        result = CliRunner().invoke(main, ["--config", str(path), *command])
        assert (result.exit_code, result.stderr) == (2, f"Error: {said.format(path=path)}\n")
    checked = CliRunner().invoke(main, ["--config", str(path), "check"])
    assert (checked.exit_code, checked.stdout) == (2, f"✘ settings   {said.format(path=path)}\n")


def test_a_folder_in_the_place_of_the_settings_file_is_told(tmp_path):
    with pytest.raises(SettingsError, match=r"cannot be read \(Is a directory\): mend its rights$"):
        load(tmp_path, environ={})


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('tls = "implicit"                  # implicit (465)', 'tls = "none"  #', "is accepted for this machine only"),
        ('after = "leave"', 'after = "burn"', 'after is "leave", "seen" or "move:FOLDER"'),
        ('master_key_file = "secrets/master.key"', 'master_key = "c2hvcnQ="', "the master key must be 32 bytes in base64"),
        ('master_key_file = "secrets/master.key"', 'master_key = "é"', "the master key is not base64"),
        ('data_dir = "data"', 'data_dir = "data"\nurl = "mysql://x/y"', "store.url names mysql"),
    ],
    ids=["tls", "after", "short key", "no base64", "wrong database"],
)  # fmt: skip
def test_settings_that_cannot_work_stop_check_and_run_with_status_2(tmp_path, command, old, new, said):
    path = example_folder(tmp_path)
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    result = CliRunner().invoke(main, ["--config", str(path), command])
    assert result.exit_code == 2
    assert said in result.output
    assert len(result.output.splitlines()) == 1
    assert "Traceback" not in result.output


def test_a_bad_master_key_stops_the_program_before_anything_is_read(tmp_path):
    given = values() | {"store": {"data_dir": tmp_path / "data", "master_key": "kurz"}}
    with pytest.raises(MasterKeyError, match="'dpobot init'"):
        build_app(build(given))


# --- environment


def test_a_variable_takes_the_place_of_the_setting_and_of_its_file(tmp_path):
    path = example_folder(tmp_path)
    environ = {
        "DPOBOT_IMAP__PASSWORD": "aus der Umgebung",
        "DPOBOT_SMTP__PASSWORD_FILE": str(tmp_path / "other"),
        "DPOBOT_SMTP__PORT": "587",
        "DPOBOT_DIGEST__TO": '["a@mije.com", "b@mije.com"]',
        "DPOBOT_LANGUAGES": '["en"]',
        "DPOBOT_IMAP__SINCE": "2026-03-02",
        "DPOBOT_TELEGRAM__TOKEN": "1:abc",
        "DPOBOT_CONFIG": str(path),
        "DPOBOT_DPO__NAME": "",
        "HOME": "/",
    }
    (tmp_path / "other").write_text("anders", encoding="utf-8")
    found = load(path, environ=environ)
    assert found.imap is not None
    assert found.telegram is not None
    assert found.imap.password.get_secret_value() == "aus der Umgebung"
    assert found.smtp.password.get_secret_value() == "anders"
    assert (found.smtp.port, found.imap.host) == (587, "imap.mije.com")
    assert found.digest.to == ("a@mije.com", "b@mije.com")
    assert found.languages == ("en",)
    assert found.imap.since == date(2026, 3, 2)
    assert found.telegram.token.get_secret_value() == "1:abc"
    assert found.dpo.name == "Claude Martinez"


@pytest.mark.parametrize("password", ["12345678", "true", "null", '{"a": 1}', "[1]", "e=mc²", '"quoted"', "a__b"])
def test_a_password_in_a_variable_is_taken_as_it_stands(password):
    found = build(values(), environ={"DPOBOT_IMAP__PASSWORD": password})
    assert found.imap is not None
    assert found.imap.password.get_secret_value() == password


AS_JSON = 'a list or a table is written as JSON there, e.g. ["fr", "en"]'


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DPOBOT_IMPA__PASSWORD", "x", "the variable DPOBOT_IMPA__PASSWORD names no setting: correct its spelling or remove it"),
        ("DPOBOT_IMAP__PASWORD", "x", "setting imap.pasword is unknown: correct its spelling or remove it"),
        ("DPOBOT_LANGUAGES", "fr", f"the variable DPOBOT_LANGUAGES cannot be read: {AS_JSON}"),
        ("DPOBOT_SMTP__PORT", "smtp", "setting smtp.port: input should be a valid integer, unable to parse string as an integer"),
    ],
    ids=["section", "setting", "list", "number"],
)  # fmt: skip
def test_a_variable_that_cannot_be_used_is_named(name, value, said):
    assert refusal(values(), **{name: value}) == said


def test_build_looks_at_no_variable_it_was_not_given():
    os.environ["DPOBOT_DPO__NAME"] = "Somebody Else"
    try:
        assert build(values()).dpo.name == "Claude Martinez"
        assert build(values(), environ=os.environ).dpo.name == "Somebody Else"
    finally:
        del os.environ["DPOBOT_DPO__NAME"]


def test_the_program_looks_at_its_own_environment(tmp_path):
    path = example_folder(tmp_path)
    result = CliRunner().invoke(main, ["--config", str(path), "check"], env={"DPOBOT_DIGEST__DAY": "someday"})
    assert result.exit_code == 2
    assert result.stdout.startswith("✘ settings   setting digest.day: input should be 'monday'")


# --- secrets


def test_no_secret_shows_in_a_representation():
    given = changed("telegram.token", SECRET)
    given["store"]["url"] = f"postgresql+psycopg://dpobot:{SECRET}@localhost/dpobot"
    found = build(given)
    assert SECRET not in repr(found)
    assert SECRET not in str(found)
    assert SECRET not in repr(found.store)


@pytest.mark.parametrize(
    "where",
    ["imap.password", "smtp.password", "store.master_key", "telegram.token", "store.url", "imap", "smtp", "store"],
)
@pytest.mark.parametrize("shape", [SECRET, [SECRET], {"secret": SECRET}, {SECRET: 1}])
def test_no_secret_shows_in_an_error(where, shape):
    given = changed(where, shape)
    given["dpo"] = {"name": "x", "email": "bad"}
    said = refusal(given)
    assert SECRET not in re.sub(rf"setting [a-z_.]*{SECRET} is unknown", "", said)


@given(st.text(max_size=20))
@settings(max_examples=60, deadline=None)
def test_no_value_whatever_gives_anything_but_settings_or_a_sentence(text):
    """Whatever stands for the name, the zone or the pattern: settings, or one line that says what is wrong."""
    for where in ("calendar.timezone", "desk.users.0.key", "reference_prefix", "imap.after", "imap.host", "digest.at"):
        assert re.fullmatch(r"|setting \S.*", said_of(changed(where, text)))
