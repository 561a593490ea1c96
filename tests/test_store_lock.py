"""A second worker on the same store is refused, and a dead one stands in nobody's way."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from store.database import Database, StoreError
from store.lock import AlreadyRunning, WorkerLock

pytest_plugins = ("tests.pg",)
WORKER = """
import sys
from pathlib import Path
from store.database import Database
from store.lock import WorkerLock
with WorkerLock(Database(sys.argv[1]), Path(sys.argv[2])):
    print("working", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_worker(store: Database, data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A real second process that holds the lock until the block ends or it is killed."""
    command = [sys.executable, "-c", WORKER, store.url, str(data_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "working\n"
        yield worker


def test_a_second_worker_is_refused_with_the_first_ones_number(sqlite_store: Database, tmp_path: Path):
    lock = WorkerLock(sqlite_store, tmp_path)
    with other_worker(sqlite_store, tmp_path) as worker:
        with pytest.raises(AlreadyRunning) as refused:
            lock.acquire()
        assert str(refused.value) == (
            f"another dpobot worker (pid {worker.pid}) is running on this store; stop it first"
        )
        assert isinstance(refused.value, StoreError)
        # A refused worker must not have touched what the first one wrote.
        assert (tmp_path / "worker.lock").read_text() == f"{worker.pid}\n"

    with lock:
        assert (tmp_path / "worker.lock").read_text() == f"{os.getpid()}\n"


def test_a_killed_worker_leaves_no_lock_behind(sqlite_store: Database, tmp_path: Path):
    with other_worker(sqlite_store, tmp_path) as worker:
        worker.kill()
        worker.wait()

        with WorkerLock(sqlite_store, tmp_path):
            assert (tmp_path / "worker.lock").read_text() == f"{os.getpid()}\n"


def test_the_lock_is_held_until_it_is_released_and_can_be_taken_again(sqlite_store: Database, tmp_path: Path):
    first, second = WorkerLock(sqlite_store, tmp_path / "new"), WorkerLock(sqlite_store, tmp_path / "new")
    first.acquire()
    first.acquire()
    with pytest.raises(AlreadyRunning):
        second.acquire()
    first.release()
    first.release()
    assert (tmp_path / "new" / "worker.lock").read_text() == ""
    second.acquire()
    with pytest.raises(AlreadyRunning):
        first.acquire()
    second.release()


def test_a_lock_that_cannot_be_written_says_what_to_do(sqlite_store: Database):
    with pytest.raises(StoreError) as refused:
        WorkerLock(sqlite_store, Path("/dev/null/data")).acquire()

    assert str(refused.value) == "worker.lock cannot be written (Not a directory); check store.data_dir"


def test_several_workers_share_a_store_on_postgresql(postgres_server, tmp_path: Path):
    store = Database(postgres_server.new_database())
    with WorkerLock(store, tmp_path) as first, WorkerLock(store, tmp_path) as second:
        shared = (first.exclusive, second.exclusive, list(tmp_path.iterdir()))
    store.close()

    assert shared == (False, False, [])
