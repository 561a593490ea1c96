"""One writer, readers that hold up nobody, and a schema that can be brought forward and back."""

import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from sqlmodel import SQLModel, select, text

from store.database import MIGRATIONS, Database, StoreError
from store.models import Case, Counter, Marker, Message, SettledUid
from store.sealing import Vault
from tests.store_makers import NOW, make_case, together

pytest_plugins = ("tests.pg",)


def markers(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.exec(select(Marker.key).order_by(Marker.key)))


def test_transaction_keeps_everything_or_nothing(database: Database):
    with database.transaction() as session:
        session.add(Marker(key="tick:2026-03-02", at=NOW))
    with pytest.raises(KeyboardInterrupt), database.transaction() as session:  # noqa: PT012
        session.add(Marker(key="tick:2026-03-03", at=NOW))
        session.flush()
        raise KeyboardInterrupt

    assert markers(database) == ["tick:2026-03-02"]


def test_writers_wait_for_each_other_so_that_no_count_is_lost(database: Database):
    with database.transaction() as session:
        session.add(Counter(name="visits", value=0))

    def visit(_number: int) -> None:
        for _ in range(5):
            with database.transaction() as session:
                # Read first, then written: two that read the same value would lose one.
                counter = session.get_one(Counter, "visits")
                counter.value += 1

    together(6, visit)

    with database.reading() as session:
        assert session.get_one(Counter, "visits").value == 30


def test_a_writer_that_waits_too_long_says_so_and_changes_nothing(database: Database):
    impatient = Database(database.url, busy_timeout=0.05)
    with database.transaction() as session:
        session.add(Marker(key="first", at=NOW))
        session.flush()
        with pytest.raises(OperationalError), impatient.transaction() as second:
            second.add(Marker(key="second", at=NOW))
    impatient.close()

    assert markers(database) == ["first"]


def test_reading_holds_up_no_writer_and_sees_one_moment(database: Database):
    impatient = Database(database.url, busy_timeout=0.05)
    with database.transaction() as session:
        session.add(Marker(key="before", at=NOW))
    with database.reading() as session:
        seen_first = list(session.exec(select(Marker.key)))
        with impatient.transaction() as writer:
            writer.add(Marker(key="meanwhile", at=NOW))
        seen_later = list(session.exec(select(Marker.key)))
    impatient.close()

    assert (seen_first, seen_later, markers(database)) == (["before"], ["before"], ["before", "meanwhile"])


def test_a_writer_holds_up_no_reading(database: Database):
    with database.transaction() as session:
        session.add(Marker(key="unfinished", at=NOW))
        session.flush()
        assert markers(database) == []


def test_reading_cannot_write_and_the_next_transaction_can(database: Database):
    with pytest.raises(DBAPIError), database.reading() as session:  # noqa: PT012
        session.add(Marker(key="slipped in", at=NOW))
        session.flush()
    with database.transaction() as session:
        session.add(Marker(key="meant", at=NOW))

    assert markers(database) == ["meant"]


def test_a_row_cannot_point_nowhere(database: Database, vault: Vault):
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(
            Message(
                channel="email", content_key="k", received_at=NOW, recorded_at=NOW, disposition="opened", key_id=404,
                raw_key_id=404, view_sealed=b"", raw_sealed=b"",
            )
        )  # fmt: skip


def test_an_instant_without_its_zone_is_refused(database: Database):
    with pytest.raises(StatementError, match="timezone"), database.transaction() as session:
        session.add(Marker(key="tick", at=datetime(2026, 3, 2, 9, 0)))  # noqa: DTZ001


def test_instants_come_back_in_utc_with_every_microsecond(database: Database):
    at = datetime.fromisoformat("2026-03-29T03:30:00.123456+02:00")
    with database.transaction() as session:
        session.add(Marker(key="summer", at=at))
    with database.reading() as session:
        read = session.get_one(Marker, "summer").at

    assert read.isoformat() == "2026-03-29T01:30:00.123456+00:00"


def test_large_numbers_of_mail_servers_and_chats_fit(database: Database):
    with database.transaction() as session:
        session.add(SettledUid(source="imap", uidvalidity=2**32 - 1, uid=2**32 - 1))
    with database.reading() as session:
        assert session.exec(select(SettledUid.uidvalidity)).one() == 2**32 - 1


def test_a_number_is_never_given_out_twice(database: Database, vault: Vault):
    with database.transaction() as session:
        first = vault.new_key(session, now=NOW)
        session.flush()
        session.execute(text("DELETE FROM sealing_key"))
        session.expunge_all()
        second = vault.new_key(session, now=NOW)

    assert second > first


def test_the_file_can_be_read_by_its_owner_only(sqlite_store: Database, tmp_path: Path):
    store = Database(f"sqlite:///{tmp_path}/fresh/dpobot.db")
    store.migrate()
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "fresh").iterdir()}
    store.close()

    assert files == {"dpobot.db": 0o600, "dpobot.db-wal": 0o600, "dpobot.db-shm": 0o600}


# Migrations

HEAD = max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
"""The newest migration there is."""


def differences(store: Database) -> list[object]:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, SQLModel.metadata))


def test_migrations_lead_to_what_the_models_say(new_store: Database):
    assert new_store.version() == (None, HEAD)
    new_store.migrate()
    new_store.migrate()

    assert new_store.version() == (HEAD, HEAD)
    assert differences(new_store) == []


def test_migrations_can_be_undone_and_done_again(new_store: Database):
    new_store.migrate()
    new_store.downgrade("base")
    with new_store.engine.connect() as connection:
        left = set(inspect(connection).get_table_names())
        if not new_store.is_sqlite:
            left |= set(connection.scalars(text("SELECT proname FROM pg_proc WHERE proname LIKE 'journal%'")))
    new_store.migrate()

    assert (left, differences(new_store)) == ({"alembic_version"}, [])


def test_a_store_from_a_newer_program_is_left_alone(database: Database):
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StoreError) as refused:
        database.migrate()

    assert str(refused.value) == "the store was made by a newer dpobot; install that version, or restore a backup"
    assert database.version() == ("9999", HEAD)


LATER = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "9000", "{head}"
def upgrade():
    with op.batch_alter_table("case_file") as batch:
        batch.add_column(sa.Column("nickname", sa.String(), nullable=False, server_default="none"))
        batch.alter_column("charge", new_column_name="charged_to")
    {more}
def downgrade():
    raise NotImplementedError
"""


@pytest.fixture
def upgrade_with(tmp_path: Path) -> Callable[[Database, str], None]:
    """Run one more migration after ours, which rebuilds a table that others point to."""

    def upgrade(store: Database, more: str) -> None:
        (tmp_path / "later").mkdir()
        (tmp_path / "later" / "9000_later.py").write_text(LATER.format(more=more, head=HEAD))
        config = store._config()
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", f"{MIGRATIONS / 'versions'}\n{tmp_path / 'later'}")
        command.upgrade(config, "head")

    return upgrade


def test_a_later_migration_may_rebuild_a_table_and_carries_its_rows_along(
    database: Database, vault: Vault, upgrade_with: Callable[[Database, str], None]
):
    with database.transaction() as session:
        case = make_case(session, vault)
        session.add(
            Message(
                channel="email", content_key="k", received_at=NOW, recorded_at=NOW, disposition="opened",
                case_id=case.id, key_id=case.key_id, raw_key_id=case.key_id, view_sealed=b"", raw_sealed=b"",
            )
        )  # fmt: skip

    upgrade_with(database, "pass")

    with database.reading() as session:
        rows = session.execute(
            text("SELECT reference, nickname FROM case_file JOIN message ON case_id = case_file.id")
        ).all()
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text("DELETE FROM case_file"))
    assert rows == [("DSR-2026-0001", "none")]


@pytest.mark.parametrize("failure", ['raise OSError("disk full")', 'op.execute("DELETE FROM case_file")'])
def test_a_migration_that_fails_leaves_the_store_as_it_was(
    database: Database, vault: Vault, upgrade_with: Callable[[Database, str], None], failure: str
):
    with database.transaction() as session:
        case = make_case(session, vault)
        session.add(
            Message(
                channel="email", content_key="k", received_at=NOW, recorded_at=NOW, disposition="opened",
                case_id=case.id, key_id=case.key_id, raw_key_id=case.key_id, view_sealed=b"", raw_sealed=b"",
            )
        )  # fmt: skip

    with pytest.raises((OSError, IntegrityError)):
        upgrade_with(database, failure)

    assert (database.version()[0], differences(database)) == (HEAD, [])
    with database.reading() as session:
        assert list(session.exec(select(Case.reference))) == ["DSR-2026-0001"]


def test_two_programs_that_start_at_once_migrate_once(new_store: Database):
    program = "import sys; from store.database import Database; Database(sys.argv[1]).migrate()"
    started = [subprocess.Popen([sys.executable, "-c", program, new_store.url]) for _ in range(2)]

    assert [process.wait(60) for process in started] == [0, 0]
    assert differences(new_store) == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("not a url", "store.url is not a database URL; e.g. sqlite:////var/lib/dpobot/dpobot.db"),
        ("mysql://x/y", "store.url names mysql; the store runs on sqlite and postgresql"),
        (
            "sqlite:////dev/null/x/dpobot.db",
            "the store's file cannot be written (Not a directory); check store.data_dir",
        ),
    ],
)
def test_a_bad_url_says_what_to_do(url: str, message: str):
    with pytest.raises(StoreError) as refused:
        Database(url)

    assert str(refused.value) == message


def test_a_file_that_is_no_store_says_what_to_do(tmp_path: Path):
    (tmp_path / "dpobot.db").write_text("Dear diary, this is no database at all.\n" * 20)

    with pytest.raises(StoreError) as refused:
        Database(f"sqlite:///{tmp_path}/dpobot.db").migrate()

    message = "the store cannot be opened (file is not a database); check store.url and store.data_dir"
    assert str(refused.value) == message


def test_a_server_that_is_not_there_says_what_to_do(tmp_path: Path):
    with pytest.raises(StoreError, match=r"the store cannot be opened \(.+\); check store.url and store.data_dir"):
        Database(f"postgresql+psycopg://tester@/none?host={tmp_path}").migrate()
