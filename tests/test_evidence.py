"""The register, the figures, the bundle of a case and its check, and the first steps to the desk in chat."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from sqlmodel import select

from bot.commands.evidence import MANIFEST, bundle, self_access, verify_bundle
from bot.commands.register import COLUMNS, as_csv, as_xlsx, entries, export, figures, report
from bot.desk import roster
from bot.desk.first_run import code_for, first_steps
from bot.worker import CHAT_SILENCE, watch_chat
from store.models import DeskLink, OutboxItem
from tests.fakes import Office
from tests.world import DEPUTY, DPO, mail, paris

JEAN = "Jean Roche <jean@boite.example>"


@pytest.fixture
def office(tmp_path) -> Iterator[Office]:
    made = Office(tmp_path / "data")
    made.arrive(
        mail("Bonjour, arrêtez vos publicités.\nMon voisin : ana@ailleurs.example", sender=JEAN, subject="STOP")
    )
    made.complete("answer")
    made.clock.move_to(paris("2026-03-05 10:00"))
    assert made.do("approve", kind="answer").done
    yield made
    made.close()


def test_the_register_has_a_line_a_request_and_no_names(office, tmp_path, capsys):
    assert export(office.app, "csv", tmp_path / "register.csv") == 0
    text = (tmp_path / "register.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert rows[0] == [names["fr"] for names in COLUMNS.values()]
    assert rows[1] == [
        "DSR-2026-0001", "email", "fr", "2026-03-02", "opposition (art. 21)", "répondu", "non demandée", "2026-04-02",
        "2026-04-02", "non", "2026-03-05", "3", "oui", "", "",
    ]  # fmt: skip
    assert export(office.app, "json", tmp_path / "register.json") == 0
    assert json.loads((tmp_path / "register.json").read_text())[0]["reference"] == "DSR-2026-0001"
    assert [
        word for word in ("Jean", "Roche", "boite") if word in text + (tmp_path / "register.json").read_text()
    ] == []


@pytest.mark.parametrize("cell", ["=1+1", "+33", "-2", "@SUM(A1)", "\tx", "\r=x", "<b>&", 'a "b"; c', "é🙂", "a\x0bb"])
def test_no_cell_is_a_formula_and_none_breaks_the_file(cell):
    table = [["Référence"], [cell]]
    read = list(csv.reader(io.StringIO(as_csv(table).decode("utf-8-sig"), newline=""), delimiter=";"))
    assert read[1][0].lstrip("'") == cell
    assert read[1][0][0] not in "=+-@\t\r"
    with zipfile.ZipFile(io.BytesIO(as_xlsx(table))) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    texts = [node.text for node in sheet.iter("{http://schemas.openxmlformats.org/spreadsheetml/2006/main}t")]
    assert texts[1] is not None
    assert "".join(texts[1].split()) == "".join(cell.replace("\x0b", "").split())
    assert not any(node.tag.endswith("}f") for node in sheet.iter())


def test_the_figures_of_a_year(office, capsys):
    assert figures(entries(office.app), 2026) == {
        "year": 2026, "received": 1, "by_right": {"objection": 1}, "by_channel": {"email": 1}, "answered": 1, "on_time": 1,
        "late": 0, "median_days": 3, "extended": 0, "refused": 0, "partially_refused": 0, "open": 0,
    }  # fmt: skip
    assert report(office.app, 2025, as_json=False) == 0
    assert "Demandes reçues : 0" in capsys.readouterr().out


def test_a_bundle_proves_how_a_case_was_handled_and_any_change_in_it_is_found(office, tmp_path, capsys):
    made = tmp_path / "case.zip"
    assert bundle(office.app, "DSR-2026-0001", made) == 0
    assert verify_bundle(made) == 0
    assert re.search(r"DSR-2026-0001: \d+ files, \d+ journal entries hold", capsys.readouterr().out)
    with zipfile.ZipFile(made) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    assert b"ana@ailleurs.example" not in b"".join(content.values())
    assert any(name.endswith("-answer.txt") for name in content)

    for name in content:
        changed = dict(content)
        changed[name] = content[name].replace(b"e", b"f", 1)
        with zipfile.ZipFile(made, "w") as archive:
            for part, value in changed.items():
                archive.writestr(part, value)
        # A manifest whose prose changed proves the same; every other byte is found.
        assert verify_bundle(made) == 1 or name == MANIFEST
    capsys.readouterr()

    forged = json.loads(content["journal.json"])
    forged[0]["actor"] = "mallory"
    rewritten = {**content, "journal.json": json.dumps(forged).encode()}
    manifest = json.loads(content[MANIFEST])
    import hashlib

    manifest["sha256"]["journal.json"] = hashlib.sha256(rewritten["journal.json"]).hexdigest()
    rewritten[MANIFEST] = json.dumps(manifest).encode()
    with zipfile.ZipFile(made, "w") as archive:
        for part, value in rewritten.items():
            archive.writestr(part, value)
    assert verify_bundle(made) == 1
    assert capsys.readouterr().err == "journal entry 1 was altered\n"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"text"])
def test_what_is_no_bundle_is_told(tmp_path, content, capsys):
    (tmp_path / "x.zip").write_bytes(content)
    assert verify_bundle(tmp_path / "x.zip") == 1
    assert "is no bundle of dpobot" in capsys.readouterr().err


def test_self_access_writes_what_is_held_for_its_owner_only(office, tmp_path):
    assert self_access(office.app, "Jean@boite.example", tmp_path / "held.json") == 0
    assert (tmp_path / "held.json").stat().st_mode & 0o077 == 0
    assert json.loads((tmp_path / "held.json").read_text())["cases"][0]["person"]["name"] == "Jean Roche"
    assert self_access(office.app, "nobody@boite.example", tmp_path / "none.json") == 1


# --- linking an account ----------------------------------------------------------------------------------------------

CHAT = {"telegram": {"token": "700:x"}}


def test_without_chat_the_first_steps_are_told(office):
    (told,) = first_steps(office.app)
    assert "@BotFather" in told
    assert "dpobot desk" in told


def test_a_code_links_one_account_to_one_user_once(tmp_path):
    office = Office(tmp_path / "data", **CHAT)
    try:
        told = first_steps(office.app)
        (code,) = re.findall(r"/start (\S+)", told[0])

        def link(given: str, account: int, *, hours: float = 0) -> str:
            with office.app.database.transaction() as session:
                user = roster.link(
                    session, office.app, given, account, now=office.clock.now() + timedelta(hours=hours)
                )  # fmt: skip
            return user.key if user else ""

        assert [link("x", DPO), link(code, DPO, hours=2), link(code, DPO), link(code, DEPUTY)] == ["", "", "dpo", ""]
        assert first_steps(office.app) == []
        code = code_for(office.app, office.user("deputy")).rpartition(" ")[2]
        again = code_for(office.app, office.user("deputy")).rpartition(" ")[2]
        # An earlier code is dead, and an account that is somebody's already stays his.
        assert [link(code, DEPUTY), link(again, DPO), link(again, DEPUTY)] == ["", "", "deputy"]
        with office.app.database.reading() as session:
            found = {u.key: u.telegram_id for u in roster.users(session, office.app)}
            assert all(str(DPO).encode() not in row.account_sealed for row in session.exec(select(DeskLink)))
        assert found == {"dpo": DPO, "deputy": DEPUTY, "auditor": None}
    finally:
        office.close()


def test_a_silent_chat_is_told_by_mail_once_and_its_return_in_chat(tmp_path):
    office = Office(tmp_path / "data", **CHAT)
    try:
        start = office.clock.now()
        office.arrive(mail("Bonjour, arrêtez vos publicités.", sender=JEAN, subject="STOP"))

        def kinds(channel: str) -> list[str]:
            with office.app.database.reading() as session:
                return [i.kind for i in session.exec(select(OutboxItem)).all() if i.channel == channel]

        watch_chat(office.app, None, since=start)
        assert kinds("desk_mail") == []
        office.clock.move_to(start + CHAT_SILENCE + timedelta(minutes=1))
        for _ in range(3):
            watch_chat(office.app, None, since=start)
        # Told once, and with it what waits in the chat, by reference.
        assert kinds("desk_mail") == ["chat_down", "case_opened"]
        office.clock.move_to(start + timedelta(hours=1))
        for _ in range(3):
            watch_chat(office.app, office.clock.now(), since=start)
        assert kinds("desk_mail") == ["chat_down", "case_opened"]
        assert kinds("desk") == ["case_opened", "chat_back"]
    finally:
        office.close()
