"""One worker to a SQLite store: a second one says who is there already, instead of doing everything twice."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from store.database import Database, StoreError


class AlreadyRunning(StoreError):
    """Another worker runs on this store. Stop it first; the message has its process id."""


class WorkerLock:
    """Held by a worker as long as it runs: ``with WorkerLock(database, data_dir): …``.

    SQLite: an exclusive lock on ``data_dir/worker.lock``, which holds the worker's process id. The system gives it
    back when the process ends, however it ends, so there is never a stale lock to remove. PostgreSQL: nothing is
    locked; transactions have one writer at a time (``Database.transaction``) and outbox items are claimed by row, so
    that several workers may share a store.
    """

    def __init__(self, database: Database, data_dir: Path) -> None:
        self.path = data_dir / "worker.lock"
        self.exclusive = database.is_sqlite
        """Whether this is the only worker, so that what is found half done can only be a dead worker's."""
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise :class:`AlreadyRunning` at once. Harmless when it is held already."""
        if not self.exclusive or self._file is not None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"worker.lock cannot be written ({error.strerror}); check store.data_dir") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            if not isinstance(error, BlockingIOError):
                raise StoreError(f"worker.lock cannot be locked ({error.strerror}); check store.data_dir") from error
            message = f"another dpobot worker (pid {holder}) is running on this store; stop it first"
            raise AlreadyRunning(message) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode("ascii"), 0)
        self._file = file

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._file is not None:
            # The file stays: to remove it would race with the next worker, which may have opened it already.
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
