"""The journal only grows, stays one chain whoever writes at once, and shows every change made behind its back."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session, SQLModel, create_engine, select, text

from store import journal
from store.database import Database
from store.journal import GENESIS, Break
from store.models import Event
from store.sealing import Vault
from tests.store_makers import NOW, make_case, together

pytest_plugins = ("tests.pg",)
TRIGGERS = {
    True: ("DROP TRIGGER journal_no_update", "DROP TRIGGER journal_no_delete", "DROP TRIGGER journal_no_replace"),
    False: ("ALTER TABLE journal DISABLE TRIGGER ALL",),
}


@pytest.fixture
def database(database: Database, vault: Vault) -> Database:
    """A store whose journal has five entries about one case, and a second case without any."""
    with database.transaction() as session:
        case = make_case(session, vault)
        make_case(session, vault)
        for number in range(1, 6):
            journal.append(
                session, type="note", actor="bot", at=NOW + timedelta(hours=number), now=NOW + timedelta(hours=number),
                case=case, data={"number": number}, secret_sealed=vault.seal(session, case.key_id, b"why", "event"),
            )  # fmt: skip
    return database


def tamper(database: Database, *statements: str) -> None:
    """Change the journal as somebody who owns the database could."""
    with database.transaction() as session:
        for statement in (*TRIGGERS[database.is_sqlite], *statements):
            session.execute(text(statement))


def verified(database: Database, **options: str) -> Break | None:
    with database.reading() as session:
        return journal.verify(session, **options)


def test_entries_are_one_chain_in_the_order_they_were_written(database: Database):
    with database.reading() as session:
        events = journal.of_case(session, 1)
        head = journal.head(session)

    assert [event.data for event in events] == [{"number": number} for number in range(1, 6)]
    assert [event.previous for event in events] == [GENESIS, *(event.hash for event in events[:-1])]
    assert (head, verified(database), verified(database, witness=head)) == (events[-1].hash, None, None)


def test_an_empty_journal_holds(new_store: Database):
    new_store.migrate()
    with new_store.reading() as session:
        assert (journal.head(session), journal.verify(session)) == (GENESIS, None)
        assert journal.verify(session, witness="f" * 64) == Break(
            0, "entries after it are missing: the witness is not in the chain"
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET actor = 'nobody' WHERE id = 3",
        "UPDATE journal SET data = data",
        "DELETE FROM journal WHERE id = 5",
        "DELETE FROM journal",
    ],
)
def test_the_database_refuses_to_change_or_remove_an_entry(database: Database, statement: str):
    with pytest.raises(DBAPIError, match="the journal is append-only"), database.transaction() as session:
        session.execute(text(statement))

    assert verified(database) is None


COLUMNS = "id, case_id, reference, at, recorded_at, actor, type, data, secret_sealed, previous, hash"


def test_sqlite_refuses_to_replace_an_entry(sqlite_store: Database):
    with sqlite_store.transaction() as session:
        journal.append(session, type="started", actor="bot", at=NOW, now=NOW)
    columns = COLUMNS.replace("actor", "'nobody'")
    with pytest.raises(DBAPIError, match="append-only"), sqlite_store.transaction() as session:
        session.execute(text(f"INSERT OR REPLACE INTO journal ({COLUMNS}) SELECT {columns} FROM journal"))

    with sqlite_store.reading() as session:
        assert session.exec(select(Event.actor)).all() == ["bot"]


def test_postgresql_refuses_to_empty_the_journal(postgres_server: Any):
    store = Database(postgres_server.new_database())
    with pytest.raises(DBAPIError, match="append-only"), store.transaction() as session:
        session.execute(text("TRUNCATE journal"))
    store.close()


def test_the_database_refuses_a_fork(database: Database):
    with database.reading() as session:
        third = journal.of_case(session, 1)[2]
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(
            Event(at=NOW, recorded_at=NOW, actor="x", type="x", data={}, previous=third.previous, hash="a" * 64)
        )


def test_a_case_with_a_history_cannot_be_removed(database: Database):
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text("DELETE FROM case_file WHERE id = 1"))


MISSING = "the entry before it is missing or out of order"
ALTERED = "the entry was altered"


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["UPDATE journal SET actor = 'nobody' WHERE id = 3"], Break(3, ALTERED)),
        (["UPDATE journal SET type = 'closed' WHERE id = 1"], Break(1, ALTERED)),
        (["UPDATE journal SET reference = 'DSR-2026-0002' WHERE id = 2"], Break(2, ALTERED)),
        (["UPDATE journal SET case_id = 2 WHERE id = 2"], Break(2, ALTERED)),
        (["UPDATE journal SET case_id = NULL WHERE id = 2"], Break(2, ALTERED)),
        (["UPDATE journal SET at = '2026-03-01 00:00:00.000000+00:00' WHERE id = 5"], Break(5, ALTERED)),
        (["UPDATE journal SET recorded_at = '2026-03-01 00:00:00.000000+00:00' WHERE id = 4"], Break(4, ALTERED)),
        (["UPDATE journal SET data = '{\"number\": 9}' WHERE id = 4"], Break(4, ALTERED)),
        (["UPDATE journal SET secret_sealed = NULL WHERE id = 4"], Break(4, ALTERED)),
        (["UPDATE journal SET secret_sealed = '' WHERE id = 4"], Break(4, ALTERED)),
        (
            ["UPDATE journal SET data = '7' WHERE id = 4", "UPDATE journal SET actor = 'x' WHERE id = 2"],
            Break(2, ALTERED),
        ),
        (["UPDATE journal SET hash = 'beef' WHERE id = 4"], Break(4, ALTERED)),
        (["UPDATE journal SET previous = 'beef' WHERE id = 4"], Break(4, MISSING)),
        (["DELETE FROM journal WHERE id = 1"], Break(2, MISSING)),
        (["DELETE FROM journal WHERE id = 3"], Break(4, MISSING)),
        (
            [f"UPDATE journal SET id = {new} WHERE id = {old}" for old, new in ((2, 99), (3, 2), (99, 3))],
            Break(2, MISSING),
        ),
    ],
)
def test_a_change_behind_its_back_is_found(database: Database, statements: list[str], found: Break):
    tamper(database, *statements)

    assert verified(database) == found


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET data = '{not json' WHERE id = 3",
        "UPDATE journal SET at = 'yesterday' WHERE id = 3",
        "UPDATE journal SET actor = CAST(x'ff00' AS TEXT) WHERE id = 3",
        "UPDATE journal SET secret_sealed = 'text' WHERE id = 3",
        "UPDATE journal SET data = 'null', reference = x'00' WHERE id = 3",
    ],
)
def test_an_entry_that_cannot_even_be_read_is_found(sqlite_store: Database, statement: str):
    with sqlite_store.transaction() as session:
        for _ in range(5):
            journal.append(session, type="note", actor="bot", at=NOW, now=NOW)
    tamper(sqlite_store, statement)

    assert verified(sqlite_store) == Break(3, ALTERED)


def test_a_cut_off_end_is_found_with_a_witness_only(database: Database):
    with database.reading() as session:
        witness = journal.head(session)
    tamper(database, "DELETE FROM journal WHERE id >= 4")

    assert verified(database) is None
    assert verified(database, witness=witness) == Break(
        3, "entries after it are missing: the witness is not in the chain"
    )


def test_many_who_append_at_once_keep_one_chain(database: Database):
    def write(number: int) -> None:
        for step in range(6):
            with database.transaction() as session:
                journal.append(session, type="note", actor=f"{number}", at=NOW, now=NOW, data={"step": step})

    together(6, write)

    with database.reading() as session:
        written = session.exec(select(Event.actor, Event.type).where(Event.case_id == None)).all()  # noqa: E711
    assert sorted(written) == sorted((str(number), "note") for number in range(6) for _ in range(6))
    assert verified(database) is None


def test_appending_outside_of_a_transaction_of_ours_keeps_one_chain_too(postgres_server: Any):
    store = Database(postgres_server.new_database())
    plain = create_engine(store.url)

    def write(number: int) -> None:
        for _ in range(6):
            with Session(plain) as session, session.begin():
                journal.append(session, type="note", actor=f"{number}", at=NOW, now=NOW)

    together(6, write)

    assert verified(store) is None
    plain.dispose()
    store.close()


def test_what_was_rolled_back_leaves_no_gap_in_the_chain(database: Database):
    with pytest.raises(OSError, match="power"), database.transaction() as session:  # noqa: PT012
        journal.append(session, type="lost", actor="bot", at=NOW, now=NOW)
        raise OSError("power")
    with database.transaction() as session:
        journal.append(session, type="kept", actor="bot", at=NOW, now=NOW)

    with database.reading() as session:
        assert [event.type for event in session.exec(select(Event).order_by("id"))] == ["note"] * 5 + ["kept"]
    assert verified(database) is None


@pytest.mark.parametrize("data", [{"at": NOW}, {"score": float("nan")}])
def test_what_json_cannot_hold_is_refused(database: Database, data: dict[str, Any]):
    with pytest.raises((TypeError, ValueError)), database.transaction() as session:
        journal.append(session, type="note", actor="bot", at=NOW, now=NOW, data=data)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
keys = st.text() | st.integers()
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=6,
)


IN_MEMORY = create_engine("sqlite://")
SQLModel.metadata.create_all(IN_MEMORY)


@settings(max_examples=150)
@given(data=st.dictionaries(keys, trees, max_size=4), zone=st.timezones())
def test_whatever_is_written_verifies_when_it_is_read_again(data: dict[str, Any], zone: Any):
    with Session(IN_MEMORY) as session:
        journal.append(session, type="note", actor="bot", at=NOW.astimezone(zone), now=NOW, data=data)
        session.expire_all()
        assert journal.verify(session) is None
