"""Copies of a SQLite store: taken while the worker runs, checked before they count, never written over anything.

A copy is sealed like the store itself and worthless without the master key, which is not in it: keep that elsewhere.
What was erased after a copy was taken comes back with it: whoever restores must erase it again (art. 17 GDPR).
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from store.database import Database, StoreError


def backup(database: Database, target: Path) -> None:
    """Copy the store as it stands at one moment to the new file *target*; nobody waits meanwhile.

    The copy is one file, readable by its owner only, and is in place under its name only when it was checked. Raises
    :class:`StoreError` when *target* exists or cannot be written, or when the store is not SQLite.
    """
    if not database.is_sqlite:
        raise StoreError("this store is on PostgreSQL: back it up with pg_dump (and restore it with pg_restore)")
    if database.path is None:
        raise StoreError("a store in memory cannot be backed up")
    with _new_file(target) as part, closing(sqlite3.connect(part)) as copy:
        connection = database.engine.raw_connection()
        try:
            source = connection.driver_connection
            if source is None:
                raise StoreError("the store is closed")
            # In one step: a step-by-step copy starts again whenever somebody writes, and might never end.
            source.backup(copy)
        finally:
            connection.close()
        _check(copy)


def restore(source: Path, target: Path) -> None:
    """Put the copy *source* in place as the store file *target*, which must not exist yet. Stop the worker before.

    Raises :class:`StoreError` when *target* exists, or when *source* is damaged or no store of ours. The program
    brings an older copy's schema up to date when it next opens it.
    """
    if not source.is_file():
        raise StoreError("there is no such backup file")
    left_over = target.with_name(target.name + "-wal")
    if left_over.exists():
        # SQLite would play this log into the restored file.
        raise StoreError(f"{left_over.name} of another store is in the way; move it aside first")
    with _new_file(target) as part, closing(sqlite3.connect(part)) as copy:
        uri = f"file:{quote(str(source.absolute()))}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as original:
            original.backup(copy)
        _check(copy)


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """Yield a private file beside *target*, which becomes *target* if all goes well and is gone otherwise."""
    if target.exists():
        raise StoreError(f"{target.name} exists already and is not overwritten; choose another name or move it aside")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise StoreError(f"{target.name} cannot be written ({error.strerror})") from error
    part = Path(name)
    try:
        yield part
        os.fsync(handle)
        _publish(part, target)
    except sqlite3.Error as error:
        raise StoreError(f"the copy could not be made ({error})") from error
    finally:
        os.close(handle)
        part.unlink(missing_ok=True)


def _publish(part: Path, target: Path) -> None:
    try:
        os.link(part, target)
    except FileExistsError as error:
        raise StoreError(f"{target.name} appeared meanwhile and is not overwritten") from error
    except OSError:
        # File systems of memory sticks know no links.
        part.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _check(copy: sqlite3.Connection) -> None:
    # Without this the copy would want a log file beside it, and could not be read from a read-only place.
    copy.execute("PRAGMA journal_mode=DELETE")
    tables = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"alembic_version", "sealing_key", "journal"} <= tables:
        raise StoreError("this is no dpobot store")
    if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
        raise StoreError("the copy is damaged")
    if copy.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise StoreError("the copy is damaged: a row points nowhere")
