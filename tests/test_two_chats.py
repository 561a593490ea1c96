"""Telegram and Matrix at once, on either store: one card in each, a decision in one is seen in the other, one letter leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.app import build_app
from bot.clock import SystemClock
from bot.sandbox.bot_api import BotApiServer
from bot.worker import Worker
from tests.fakes import KeepingMailer, WordReader
from tests.matrix_server import Synapse
from tests.test_matrix import MatrixWorld, at_desk, mailed
from tests.world import DPO, make_settings

pytest_plugins = ("tests.pg",)


@pytest.fixture(scope="module")
def synapse(tmp_path_factory) -> object:
    made = Synapse(tmp_path_factory.mktemp("synapse"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def world(synapse, tmp_path) -> AsyncIterator[MatrixWorld]:
    (tmp_path / "data").mkdir()
    made = MatrixWorld(synapse, tmp_path)
    yield made
    await made.close()


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
async def test_a_decision_in_one_chat_is_seen_in_the_other(world, tmp_path, request, store):
    url = request.getfixturevalue("postgres_server").new_database(migrated=False) if store == "postgresql" else ""
    dpo = await world.person("dpo")
    world.desk_room = await dpo.room(world.bot)
    clock, mailer = SystemClock(), KeepingMailer()
    with BotApiServer(now=clock.now) as chat:
        chat.add_chat(DPO)
        both = {"key": "dpo", "name": "DPO", "role": "dpo", "telegram_id": DPO, "matrix_id": dpo.id}
        settings = make_settings(
            tmp_path / "data",
            desk={"users": [both], "language": "fr"},
            matrix={
                "homeserver": world.server.url, "user": world.bot, "password": f"bot{world.number}", "desk_room": world.desk_room,
            },
            telegram={"token": chat.token, "base_url": chat.base_url.removesuffix("/bot")},
        )  # fmt: skip
        if url:
            settings = settings.model_copy(update={"store": settings.store.model_copy(update={"url": url})})
        app = build_app(settings, clock=clock, inboxes=(), mailer=mailer, reader=WordReader())
        worker = Worker(app)
        running = asyncio.create_task(worker.run())
        try:
            await at_desk(world, dpo)
            mailed(app, 1)
            card = await dpo.until(world.bot, lambda text: "✅ Approuver" in text)
            await asyncio.to_thread(chat.wait_until, lambda w: any(m.buttons for m in w.messages(DPO)), 20)
            (shown,) = [message for message in chat.messages(DPO) if message.buttons]
            assert "DSR-" in shown.text
            await dpo.say(world.desk_room, "je m'en charge", reply_to=card.event_id)
            assert await asyncio.to_thread(
                chat.wait_until, lambda w: any("En charge : dpo" in m.text for m in w.messages(DPO)), 20
            )
            label = next(text for row in shown.buttons for text, _ in row if text.startswith("Refuser le projet"))
            now = next(message for message in chat.messages(DPO) if message.buttons)
            chat.press(DPO, now.message_id, DPO, label)
            await asyncio.to_thread(chat.wait_until, lambda w: any("Pourquoi" in m.text for m in w.messages(DPO)), 20)
            chat.say(DPO, "à refaire")
            await dpo.until(world.bot, lambda text: text.startswith("* ") and "Projet" not in text)
        finally:
            worker.stop.set()
            await running
            app.close()
