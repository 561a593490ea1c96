"""A copy is whole, taken without stopping anybody, and never put over anything that exists."""

import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import select

from store import cases, journal
from store.backup import backup, restore
from store.database import Database, StoreError
from store.models import Case, Event
from store.sealing import Vault
from tests.store_makers import NOW, PERSON, make_case, make_draft

pytest_plugins = ("tests.pg",)


def opened(path: Path) -> Database:
    store = Database(f"sqlite:///{path}")
    store.migrate()
    return store


def write_case(store: Database, vault: Vault) -> None:
    with store.transaction() as session:
        case = make_case(session, vault)
        make_draft(session, vault, case)
        journal.append(session, type="case_opened", actor="bot", at=NOW, now=NOW, case=case)


def test_what_was_backed_up_is_there_again_after_a_restore(sqlite_store: Database, vault: Vault, tmp_path: Path):
    write_case(sqlite_store, vault)
    backup(sqlite_store, tmp_path / "copies" / "monday.db")
    write_case(sqlite_store, vault)
    restore(tmp_path / "copies" / "monday.db", tmp_path / "again" / "dpobot.db")

    store = opened(tmp_path / "again" / "dpobot.db")
    with store.reading() as session:
        found = [(case.reference, cases.person_of(session, vault, case)) for case in session.exec(select(Case))]
        verified = journal.verify(session)
    write_case(store, vault)
    with store.reading() as session:
        numbers = [case.reference for case in cases.listed(session)]
    store.close()
    assert (found, verified) == ([("DSR-2026-0001", PERSON)], None)
    assert numbers == ["DSR-2026-0001", "DSR-2026-0002"]


def test_a_copy_is_one_private_file_that_can_be_read_where_nothing_can_be_written(
    sqlite_store: Database, vault: Vault, tmp_path: Path
):
    write_case(sqlite_store, vault)
    backup(sqlite_store, tmp_path / "copies" / "monday.db")

    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "copies").iterdir()}
    copy = sqlite3.connect(f"file:{tmp_path}/copies/monday.db?immutable=1", uri=True)
    assert copy.execute("SELECT reference FROM case_file").fetchall() == [("DSR-2026-0001",)]
    copy.close()
    header = (tmp_path / "copies" / "monday.db").read_bytes()[18:20]
    assert (files, header) == ({"monday.db": 0o600}, b"\x01\x01")  # 2 would ask for a log beside it


def test_a_copy_taken_while_others_write_holds_every_case_whole(sqlite_store: Database, vault: Vault, tmp_path: Path):
    stop, written = threading.Event(), threading.Semaphore(0)

    def work() -> None:
        while not stop.is_set():
            write_case(sqlite_store, vault)
            written.release()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    copies = []
    for number in range(4):
        for _ in range(3):
            assert written.acquire(timeout=30)
        copies.append(tmp_path / f"copy-{number}.db")
        backup(sqlite_store, copies[-1])
    stop.set()
    for worker in workers:
        worker.join()

    sizes = []
    for path in copies:
        store = opened(path)
        with store.reading() as session:
            references = list(session.exec(select(Case.reference).order_by("id")))
            told = list(session.exec(select(Event.reference).order_by("id")))
            assert journal.verify(session) is None
        store.close()
        assert references == told == [f"DSR-2026-{number + 1:04d}" for number in range(len(references))]
        sizes.append(len(references))
    assert sizes == sorted(sizes)
    assert sizes[0] >= 3


def test_nothing_that_exists_is_overwritten(sqlite_store: Database, tmp_path: Path):
    backup(sqlite_store, tmp_path / "copy.db")
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "other.db-wal").write_text("a log")
    refusals = []
    for act in (
        lambda: backup(sqlite_store, tmp_path / "mine.txt"),
        lambda: restore(tmp_path / "copy.db", tmp_path / "mine.txt"),
        lambda: restore(tmp_path / "copy.db", tmp_path / "other.db"),
    ):
        with pytest.raises(StoreError) as refused:
            act()
        refusals.append(str(refused.value))

    in_the_way = "mine.txt exists already and is not overwritten; choose another name or move it aside"
    log_in_the_way = "other.db-wal of another store is in the way; move it aside first"
    assert refusals == [in_the_way, in_the_way, log_in_the_way]
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "data", "mine.txt", "other.db-wal"]


def damaged(path: Path) -> None:
    """The row says one thing and its index another, as after a bit that turned over on the disk."""
    path.write_bytes(path.read_bytes().replace(b"DSR-2026-0001", b"DSR-2026-0009", 1))


def dangling(path: Path) -> None:
    copy = sqlite3.connect(path)
    copy.execute("INSERT INTO sighting (source, external_id, message_id, seen_at) VALUES ('imap', '1:1', 404, '')")
    copy.commit()
    copy.close()


def foreign(path: Path) -> None:
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "there is no such backup file"),
        (lambda path: path.write_text("Dear diary, " * 500), "the copy could not be made (file is not a database)"),
        (lambda path: path.write_bytes(b""), "this is no dpobot store"),
        (foreign, "this is no dpobot store"),
        (damaged, "the copy is damaged"),
        (dangling, "the copy is damaged: a row points nowhere"),
        (lambda path: path.write_bytes(path.read_bytes()[:20000]), "malformed"),
    ],
)
def test_what_is_no_whole_copy_is_not_restored(
    sqlite_store: Database, vault: Vault, tmp_path: Path, spoil: Callable[[Path], None], message: str
):
    write_case(sqlite_store, vault)
    copy = tmp_path / "copies" / "monday.db"
    backup(sqlite_store, copy)
    spoil(copy)

    with pytest.raises(StoreError) as refused:
        restore(copy, tmp_path / "again" / "dpobot.db")

    assert message in str(refused.value)
    assert not (tmp_path / "again").exists() or list((tmp_path / "again").iterdir()) == []


def test_postgresql_is_backed_up_by_its_own_tools(postgres_server, tmp_path: Path):
    store = Database(postgres_server.new_database())
    with pytest.raises(StoreError) as refused:
        backup(store, tmp_path / "copy.db")
    store.close()

    assert str(refused.value) == (
        "this store is on PostgreSQL: back it up with pg_dump (and restore it with pg_restore)"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_cannot_be_written_says_why(sqlite_store: Database):
    with pytest.raises(StoreError) as refused:
        backup(sqlite_store, Path("/dev/null/copies/monday.db"))

    assert str(refused.value) == "monday.db cannot be written (Not a directory)"
