"""The second chat channel against a real Matrix server: people in direct rooms, the desk in a room of the approvers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import App, build_app
from bot.clock import SystemClock
from bot.worker import Worker
from store import cases
from tests.fakes import KeepingMailer, WordReader
from tests.matrix_server import Person, Synapse
from tests.world import make_settings

BOT, DPO = "@bot:mije.example", "@dpo:mije.example"
REQUEST = "Bonjour, je voudrais une copie de mes donnees. Jean Dupont"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> object:
    synapse = Synapse(tmp_path_factory.mktemp("synapse"))
    synapse.start()
    for name in ("bot", "dpo", "deputy", "jean", "stranger"):
        synapse.register(name)
    yield synapse
    synapse.stop()


class MatrixWorld:
    """The whole worker on a real server, and people who write to it."""

    def __init__(self, server: Synapse, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.mailer = KeepingMailer()
        self.people: list[Person] = []
        self.desk_room = ""
        self.key = ""

    async def person(self, name: str) -> Person:
        made = await Person(self.server, name, self.folder / "people").log_in()
        self.people.append(made)
        return made

    def app(self) -> App:
        users = [
            {"key": "dpo", "name": "Claude Martinez", "role": "dpo", "matrix_id": DPO},
            {"key": "deputy", "name": "Adjointe", "role": "deputy", "matrix_id": "@deputy:mije.example"},
        ]
        matrix = {"homeserver": self.server.url, "user": BOT, "password": "bot", "desk_room": self.desk_room}
        settings = make_settings(
            self.folder / "data", desk={"users": users, "language": "fr"}, matrix=matrix,
            **({"store": {"data_dir": str(self.folder / "data"), "master_key": self.key}} if self.key else {}),
        )  # fmt: skip
        self.key = settings.store.master_key.get_secret_value()
        return build_app(settings, clock=SystemClock(), inboxes=(), mailer=self.mailer, reader=WordReader())

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[App]:
        """The program at work, until the end of the block; then it stops, as it would."""
        app = self.app()
        worker = Worker(app)
        task = asyncio.create_task(worker.run())
        try:
            yield app
        finally:
            worker.stop.set()
            await task
            app.close()

    async def close(self) -> None:
        for person in self.people:
            await person.close()


@pytest.fixture
async def world(server, tmp_path) -> AsyncIterator[MatrixWorld]:
    (tmp_path / "data").mkdir()
    made = MatrixWorld(server, tmp_path)
    yield made
    await made.close()


def channels(app: App) -> list[tuple[str, str]]:
    with app.database.reading() as session:
        return sorted((case.reference, case.channel) for case in cases.listed(session))


async def settled(app: App, count: int) -> list[tuple[str, str]]:
    """Wait until there are as many cases."""
    for _ in range(200):
        if len(channels(app)) >= count:
            break
        await asyncio.sleep(0.05)
    return channels(app)


async def test_a_request_becomes_a_case_and_is_approved_by_a_sign_in_the_room_of_the_approvers(world):
    dpo, jean = await world.person("dpo"), await world.person("jean")
    world.desk_room = await dpo.room(BOT)
    async with world.working() as app:
        await dpo.joined(world.desk_room, BOT)
        direct = await jean.room(BOT, direct=True)
        await jean.until(BOT, lambda text: "Matrix" in text and "RGPD" in text)
        await jean.say(direct, REQUEST)
        assert [channel for _, channel in await settled(app, 1)] == ["matrix"]
        card = await dpo.until(BOT, lambda text: "DSR-" in text)
        assert "Dupont" not in card.body
        print(card.body)
