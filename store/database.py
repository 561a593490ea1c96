"""The engine and the one way to change the store: ``transaction()``, which rolls back unless all went well."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlmodel import Session, create_engine

MIGRATIONS = Path(__file__).parent / "migrations"
WRITER_LOCK = 7305321
"""Number of the advisory lock that the one writer holds on PostgreSQL."""


class StoreError(Exception):
    """The store cannot be opened or is not at the right version; the message says what to do."""


class Database:
    """A store: one engine, opened by URL (SQLite by default, PostgreSQL by URL).

    Raises :class:`StoreError` when the URL is no such database or its folder cannot be made.
    """

    def __init__(self, url: str, *, busy_timeout: float = 30.0) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise StoreError("store.url is not a database URL; e.g. sqlite:////var/lib/dpobot/dpobot.db") from error
        self.url = url
        backend = parsed.get_backend_name()
        if backend not in ("sqlite", "postgresql"):
            raise StoreError(f"store.url names {backend}; the store runs on sqlite and postgresql")
        self.is_sqlite = backend == "sqlite"
        self.path: Path | None = _file_of(parsed) if self.is_sqlite else None
        """The file of a SQLite store; None for PostgreSQL and for a store in memory."""
        if self.path is not None:
            _make_private(self.path)
        try:
            self.engine: Engine = create_engine(parsed, **_options(parsed, busy_timeout))
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise StoreError(
                "the driver for store.url is not installed; for PostgreSQL: pip install 'dpobot[postgres]'"
            ) from error
        if self.is_sqlite:
            _prepare_sqlite(self.engine)
        else:
            _prepare_postgresql(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a transaction that commits at the end of the block and rolls back on any exception.

        There is one writer: the write lock is taken at the start (``BEGIN IMMEDIATE``, on PostgreSQL an advisory
        lock), so that a decision never rests on what another worker is just changing. Whoever waits longer than
        ``busy_timeout`` seconds gets the driver's ``OperationalError`` and has changed nothing.
        """
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a look at the store as it stands now; it holds up no writer and cannot write.

        What was read stays usable after the block.
        """
        engine = self.engine.execution_options(reading=True)
        with Session(engine, expire_on_commit=False) as session:
            # Closing rolls back; a rollback of our own would expire what the caller takes along.
            yield session

    def migrate(self) -> None:
        """Bring the schema to the version of this program. Raises :class:`StoreError` if the store is newer."""
        current, wanted = self.version()
        script = ScriptDirectory(str(MIGRATIONS))
        if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
            raise StoreError("the store was made by a newer dpobot; install that version, or restore a backup")
        if current != wanted:
            command.upgrade(self._config(), "head")

    def version(self) -> tuple[str | None, str | None]:
        """Return (the store's schema revision, the revision this program wants); None for an empty store.

        Raises :class:`StoreError` when the store cannot be opened.
        """
        try:
            with self.engine.execution_options(reading=True).connect() as connection:
                current = MigrationContext.configure(connection).get_current_revision()
        except DBAPIError as error:
            said = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
            raise StoreError(f"the store cannot be opened ({said[0]}); check store.url and store.data_dir") from error
        return current, ScriptDirectory(str(MIGRATIONS)).get_current_head()

    def _config(self) -> Config:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["engine"] = self.engine
        return config

    def downgrade(self, revision: str) -> None:
        """Undo migrations down to *revision* (``base`` for none)."""
        command.downgrade(self._config(), revision)

    def scrub(self) -> bool:
        """Clear the store's files of what was overwritten; call it after the commit that destroyed a key.

        Until then the wrapped key still lies in SQLite's write-ahead log, or in a dead row on PostgreSQL. False means
        that somebody was reading: call it again later. PostgreSQL's own write-ahead log and any archive of it keep
        what they hold for as long as the server is told to keep them.
        """
        if not self.is_sqlite:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM (FULL) sealing_key")
            return True
        raw = self.engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            answer = cursor.fetchone()
            cursor.close()
        finally:
            raw.close()
        return answer is not None and answer[0] == 0

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()


def _file_of(url: URL) -> Path | None:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        return None
    return Path(url.database)


def _make_private(path: Path) -> None:
    """Make the file before SQLite does, readable by its owner only; its log and index take after it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Only where there is none: to close an open store's file here would drop SQLite's locks on it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(f"the store's file cannot be written ({error.strerror}); check store.data_dir") from error


def _options(url: URL, busy_timeout: float) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": busy_timeout, "check_same_thread": False}}
    arguments = {} if "options" in url.query else {"options": f"-c lock_timeout={int(busy_timeout * 1000)}"}
    return {"pool_pre_ping": True, "connect_args": arguments}


def _is_reading(connection: Any) -> bool:
    return bool(connection.get_execution_options().get("reading", False))


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN comes too late and is not IMMEDIATE; we begin ourselves (below).
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # What was deleted must not be readable in the free pages of the file.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        reading = _is_reading(connection)
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _prepare_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            return
        if _is_reading(connection):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
