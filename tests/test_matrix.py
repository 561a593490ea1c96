"""The second chat channel against a real Matrix server: people in direct rooms, the desk in a room of the approvers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import App, build_app
from bot.channels.base import RawMessage
from bot.channels.chat import FIRST_NUMBER
from bot.channels.matrix import open_channel
from bot.channels.matrix_client import TIMELINE
from bot.clock import SystemClock
from bot.settings import Matrix
from bot.worker import Worker, receive
from store import cases, chat_places, journal
from tests.fakes import KeepingMailer, WordReader
from tests.matrix_server import Person, Synapse
from tests.world import mail, make_settings

NUMBERS = itertools.count(1)
REQUEST = "Bonjour, je voudrais une copie de mes donnees. Jean Dupont"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> object:
    synapse = Synapse(tmp_path_factory.mktemp("synapse"))
    synapse.start()
    yield synapse
    synapse.stop()


class MatrixWorld:
    """The whole worker on a real server, and people who write to it."""

    def __init__(self, server: Synapse, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.mailer = KeepingMailer()
        self.people: list[Person] = []
        self.number = next(NUMBERS)
        """Each world has accounts of its own on the shared server."""
        self.bot = server.register(f"bot{self.number}")
        self.desk_room = ""
        self.key = ""

    async def person(self, name: str) -> Person:
        self.server.register(f"{name}{self.number}")
        made = await Person(self.server, f"{name}{self.number}", self.folder / "people").log_in()
        self.people.append(made)
        return made

    def app(self) -> App:
        users = [
            {"key": "dpo", "name": "Claude Martinez", "role": "dpo", "matrix_id": f"@dpo{self.number}:mije.example"},
            {"key": "deputy", "name": "Adjointe", "role": "deputy", "matrix_id": f"@deputy{self.number}:mije.example"},
        ]
        matrix = {
            "homeserver": self.server.url,
            "user": self.bot,
            "password": f"bot{self.number}",
            "desk_room": self.desk_room,
        }
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


async def at_desk(world: MatrixWorld, dpo: Person) -> None:
    """Wait until the bot is in the desk's room, and answers there."""
    await dpo.joined(world.desk_room, world.bot)
    await dpo.say(world.desk_room, "!cases")
    await dpo.until(world.bot, lambda text: text == "Rien.")


async def settled(app: App, count: int) -> list[tuple[str, str]]:
    """Wait until there are as many cases."""
    for _ in range(200):
        if len(channels(app)) >= count:
            break
        await asyncio.sleep(0.05)
    return channels(app)


STOP = "Bonjour, je ne veux plus recevoir votre newsletter. Jean Dupont"


def mailed(app: App, number: int, text: str = STOP) -> None:
    """A mail arrives."""
    raw = mail(text, sender="Jean Dupont <jean@boite.example>", subject="STOP", message_id=f"<{number}@boite.example>")
    assert receive(app, RawMessage("imap:test", f"1:{number}", app.clock.now(), raw))


def sign_of(card: str, label: str) -> str:
    """What stands before a choice on a card."""
    return next(line for line in card.splitlines() if line.endswith(label)).partition(" ")[0]


async def reaches(world: MatrixWorld, count: int) -> list[str]:
    """Wait until that many letters left by mail; return whom they went to."""
    for _ in range(100):
        if len(world.mailer.sent) >= count:
            break
        await asyncio.sleep(0.1)
    return [to for to, _ in world.mailer.sent]


async def test_a_request_becomes_a_case_with_the_privacy_notice_first_and_a_card_in_the_desk_room(world):
    dpo, jean = await world.person("dpo"), await world.person("jean")
    world.desk_room = await dpo.room(world.bot)
    async with world.working() as app:
        await at_desk(world, dpo)
        direct = await jean.room(world.bot, direct=True)
        await jean.until(world.bot, lambda text: "Matrix" in text and "RGPD" in text)
        await jean.say(direct, REQUEST)
        assert [channel for _, channel in await settled(app, 1)] == ["matrix"]
        card = await dpo.until(world.bot, lambda text: "DSR-" in text)
        assert "Dupont" not in card.body
        assert "jean" not in card.body
        with app.database.reading() as session:
            case = cases.listed(session)[0]
            person = cases.person_of(session, app.vault, case)
        assert person.chat_id is not None
        assert person.chat_id > FIRST_NUMBER
        await jean.until(world.bot, lambda text: case.reference in text)
        said = next(event for event in jean.seen if getattr(event, "body", "") == REQUEST)
        await jean.client.room_redact(direct, said.event_id)
        await dpo.until(world.bot, lambda text: text.startswith("■ Le demandeur a retiré un message"))


async def test_a_sign_under_the_card_approves_and_a_strangers_does_not(world):
    dpo, stranger = await world.person("dpo"), await world.person("stranger")
    world.desk_room = await dpo.room(world.bot)
    async with world.working() as app:
        await at_desk(world, dpo)
        mailed(app, 1)
        card = await dpo.until(world.bot, lambda text: "✅ Approuver" in text)
        receipts = len(await reaches(world, 1))
        await dpo.react(world.desk_room, card.event_id, sign_of(card.body, "Compléter"))
        await dpo.until(world.bot, lambda text: text.startswith("DSR-"))
        await dpo.say(world.desk_room, "le 2 mars, courriel et SMS")
        await dpo.until(world.bot, lambda text: text.startswith("* ") and "[[" not in text and "✅" in text)
        await dpo.client.room_invite(world.desk_room, stranger.id)
        await stranger.client.join(world.desk_room)
        await stranger.look()
        await stranger.react(world.desk_room, card.event_id, "✅")
        await stranger.say(world.desk_room, "!cases")
        await asyncio.sleep(1)
        await dpo.client.room_kick(world.desk_room, stranger.id)
        await dpo.look()
        assert len(world.mailer.sent) == receipts
        await dpo.react(world.desk_room, card.event_id, "✅")
        assert await reaches(world, receipts + 1) == ["jean@boite.example"] * 2
        await dpo.react(world.desk_room, card.event_id, "👍")
        await dpo.until(
            world.bot, lambda text: text.startswith("Déjà") or "plus à jour" in text or "approuv" in text.lower()
        )
        assert len(world.mailer.sent) == receipts + 1


async def test_a_letter_is_edited_by_reply_and_the_card_in_place_and_approved_by_a_word(world):
    dpo = await world.person("dpo")
    world.desk_room = await dpo.room(world.bot)
    async with world.working() as app:
        await at_desk(world, dpo)
        mailed(app, 1)
        card = await dpo.until(world.bot, lambda text: "✅ Approuver" in text)
        receipts = len(await reaches(world, 1))
        number = sign_of(card.body, "Modifier")[0]
        await dpo.say(world.desk_room, number, reply_to=card.event_id)
        asked = await dpo.until(world.bot, lambda text: text.startswith("DSR-") and "✅" not in text)
        await dpo.say(world.desk_room, "Bonjour, c'est fait. EDIT-0042", reply_to=asked.event_id)
        await dpo.until(world.bot, lambda text: "Version 2 enregistrée" in text)
        edit = await dpo.until(world.bot, lambda text: text.startswith("* ") and "✅ Approuver" in text)
        assert edit.source["content"]["m.relates_to"] == {"rel_type": "m.replace", "event_id": card.event_id}
        await dpo.say(world.desk_room, "approuver", reply_to=card.event_id)
        await reaches(world, receipts + 1)
        assert "EDIT-0042" in str(world.mailer.sent[-1][1].get_body(("plain",)).get_content())


async def test_what_was_said_during_an_outage_is_taken_up_and_nothing_twice(world):
    dpo, jean = await world.person("dpo"), await world.person("jean")
    world.desk_room = await dpo.room(world.bot)
    async with world.working() as app:
        await at_desk(world, dpo)
        direct = await jean.room(world.bot, direct=True)
        await jean.until(world.bot, lambda text: "RGPD" in text)
    await jean.say(direct, REQUEST)
    await asyncio.gather(
        *(
            jean.client.room_send(direct, "m.room.message", {"msgtype": "m.notice", "body": f"{number}"})
            for number in range(TIMELINE + 10)
        )
    )
    async with world.working() as app:
        assert [channel for _, channel in await settled(app, 1)] == ["matrix"]
        await dpo.until(world.bot, lambda text: "DSR-" in text)
    for _ in range(2):
        async with world.working() as app:
            await asyncio.sleep(0.5)
            assert len(channels(app)) == 1
    await dpo.look()
    cards = [text for text in dpo.texts(world.bot) if "DSR-" in text and not text.startswith("* ")]
    assert len(cards) == len(set(cards))


async def test_sending_again_under_the_same_key_is_the_same_message(world):
    dpo = await world.person("dpo")
    world.desk_room = await dpo.room(world.bot)
    async with world.working() as app:
        await at_desk(world, dpo)
        with app.database.reading() as session:
            room = chat_places.number_of(session, app.vault, "room", world.desk_room)
    app = world.app()
    numbers = set()
    for _ in range(2):
        channel = open_channel(app)
        numbers.add(await channel.send_text(room, "Une fois.", key="notice:1"))
        await channel.close()
    app.close()
    await dpo.look()
    assert len(numbers) == 1
    assert dpo.texts(world.bot) == ["Rien.", "Une fois."]


async def test_rooms_are_encrypted_end_to_end_across_a_restart(world):
    dpo, jean = await world.person("dpo"), await world.person("jean")
    world.desk_room = await dpo.room(world.bot, encrypted=True)
    async with world.working() as app:
        await at_desk(world, dpo)
        direct = await jean.room(world.bot, direct=True, encrypted=True)
        await jean.joined(direct, world.bot)
        await jean.until(world.bot, lambda text: "RGPD" in text)
        await jean.say(direct, "Bonjour, juste une question. Merci")
    async with world.working() as app:
        await jean.say(direct, REQUEST)
        assert [channel for _, channel in await settled(app, 1)] == ["matrix"]
        card = await dpo.until(world.bot, lambda text: "DSR-" in text)
        assert card.decrypted
        await dpo.say(world.desk_room, "!cases")
        listed = await dpo.until(world.bot, lambda text: text.startswith("DSR-") and "\n" not in text)
        assert listed.decrypted
    kept = b"".join(path.read_bytes() for path in (world.folder / "data").rglob("*") if path.is_file())
    assert b"copie de mes donnees" not in kept
    assert jean.id.encode() not in (world.folder / "data" / "dpobot.db").read_bytes()


async def test_in_an_encrypted_room_a_sign_decides_nothing_and_the_word_does(world):
    dpo = await world.person("dpo")
    world.desk_room = await dpo.room(world.bot, encrypted=True)
    async with world.working() as app:
        await at_desk(world, dpo)
        mailed(app, 1)
        card = await dpo.until(world.bot, lambda text: "✅ Approuver" in text)
        assert "Répondez à cette carte par le numéro ou par le mot :" in card.body
        await dpo.react(world.desk_room, card.event_id, "❌")
        await dpo.until(world.bot, lambda text: text.startswith("Rien n'est fait : dans ce salon, une réaction"))
        await dpo.say(world.desk_room, "Je m'en charge", reply_to=card.event_id)
        await dpo.until(world.bot, lambda text: text == "Vous êtes en charge.")
        with app.database.reading() as session:
            types = [event.type for event in journal.of_case(session, 1)]
    assert "draft_rejected" not in types
    assert types[-1] == "taken_charge"


async def test_invitations_are_accepted_by_rule_only(world):
    dpo, jean = await world.person("dpo"), await world.person("jean")
    world.desk_room = await dpo.room(world.bot)
    async with world.working():
        crowd = await jean.room(world.bot, direct=False)
        await at_desk(world, dpo)
        left = await jean.room(world.bot, direct=True)
        await jean.joined(left, world.bot)
        assert world.bot not in jean.client.rooms[crowd].users


def test_who_may_invite():
    own = {"homeserver": "https://m.mije.example", "user": "@bot:mije.example", "password": "x"}
    assert Matrix(**own).may_invite("@a:mije.example")
    assert not Matrix(**own).may_invite("@a:else.example")
    assert not Matrix(**own, public=False).may_invite("@a:mije.example")
    assert Matrix(**own, servers=("else.example",)).may_invite("@a:else.example")
    assert Matrix(**own, servers=("*",)).may_invite("@a:anywhere.example")
