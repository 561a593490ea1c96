"""A real PostgreSQL for the tests, where Debian's server is installed, and the stores the tests run on.

A test module that says ``pytest_plugins = ("tests.pg",)`` has the fixtures ``database`` (an empty store at the newest
schema, once on SQLite and once on PostgreSQL), ``new_store`` (makes a store without a schema, on both),
``sqlite_store``, ``postgres_server`` and ``vault``.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from store.database import Database
from store.sealing import Vault
from tests.store_makers import MASTER_KEY, quick_folder

INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
ABSENT = "no PostgreSQL server: apt-get install postgresql (looked for /usr/lib/postgresql/*/bin/postgres)"
OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=60 -c shared_buffers=16MB"


class PostgresServer:
    """One server on a socket in a folder of its own, without network; gone with its data when stopped."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._numbers = itertools.count(1)
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir=quick_folder()))
        self.data = self.folder / "data"
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            # The server refuses to run as root; Debian's package made a user for it.
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._as = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self._run("initdb", "-D", self.data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"{OPTIONS} -c listen_addresses='' -c unix_socket_directories={self.folder}"
        self._run("pg_ctl", "-D", self.data, "-w", "-l", self.folder / "log", "-o", options, "start")
        self._admin = psycopg.connect(f"host={self.folder} user=tester dbname=postgres", autocommit=True)
        self._admin.execute("CREATE DATABASE migrated")
        template = Database(self.url("migrated"))
        template.migrate()
        template.close()

    def _run(self, program: str, *arguments: str | Path) -> None:
        # Not captured: the server would inherit the pipe and keep it open.
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([self._programs / program, *arguments], check=True, cwd=self.folder, **quiet, **self._as)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://tester@/{name}?host={self.folder}"

    def new_database(self, *, migrated: bool = True) -> str:
        """Make a database and return its URL."""
        name = f"store{next(self._numbers)}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {'migrated' if migrated else 'template0'}")
        return self.url(name)

    def drop(self, url: str) -> None:
        name = url.partition("@/")[2].partition("?")[0]
        self._admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def checkpointed(self) -> Path:
        """Let the server write everything to its files; return where they are."""
        self._admin.execute("CHECKPOINT")
        return self.data

    def stop(self) -> None:
        self._admin.close()
        self._run("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    if not INSTALLED:
        pytest.skip(ABSENT)
    server = PostgresServer(INSTALLED[-1].parent)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store at the newest schema, to copy: Alembic takes long."""
    path = tmp_path_factory.mktemp("migrated") / "dpobot.db"
    store = Database(f"sqlite:///{path}")
    store.migrate()
    store.close()
    return path


@pytest.fixture
def sqlite_store(tmp_path: Path, migrated_file: Path) -> Iterator[Database]:
    path = tmp_path / "data" / "dpobot.db"
    path.parent.mkdir()
    shutil.copy(migrated_file, path)
    store = Database(f"sqlite:///{path}")
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_store")
        return
    server = request.getfixturevalue("postgres_server")
    store = Database(server.new_database())
    yield store
    store.close()
    server.drop(store.url)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A store without any table."""
    if request.param == "sqlite":
        store = Database(f"sqlite:///{tmp_path}/new/dpobot.db")
    else:
        store = Database(request.getfixturevalue("postgres_server").new_database(migrated=False))
    yield store
    store.close()


@pytest.fixture
def vault() -> Vault:
    return Vault(MASTER_KEY)
