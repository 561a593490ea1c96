"""The chat fails in every way it knows: what waits arrives later, once; meanwhile the desk works by mail; then back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from bot.app import open_chat
from bot.desk.chat import ChatDesk
from bot.sandbox.bot_api import BotApiServer
from bot.worker import CHAT_SILENCE, Worker
from tests.test_desk_chat import JEAN, STOP, a_world, said
from tests.world import DPO, World, mail

OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"
USERS = [
    {"key": "dpo", "name": "Claude Martinez", "role": "dpo", "telegram_id": DPO, "email": "claude@bureau.example"},
]


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    yield from a_world(tmp_path, desk={"users": USERS, "language": "fr"})


class Shift:
    """The worker's loops by hand, on one open channel, as a program does that runs for hours."""

    def __init__(self, world: World) -> None:
        self.world, self.worker = world, Worker(world.app)
        self.channel = open_chat(world.app)
        assert self.channel is not None
        self.desk = ChatDesk(world.app, self.channel)
        self.since = world.clock.now()

    async def turn(self, *, after: timedelta = timedelta(0), reading: bool = False) -> None:
        """Let time pass, hear what people wrote, and do what is due."""
        self.world.clock.move_to(self.world.clock.now() + after)
        if reading:
            await self.world._read_chat(self.desk, self.channel)
        await self.worker.turn(self.desk, heard=lambda: self.channel.last_poll_ok, since=self.since)


def notices(world: World) -> list[str]:
    return [str(mail["Subject"]) for mail in world.sent("claude@bureau.example")]


def shown(world: World, word: str) -> int:
    return sum(word in text for text in said(world, DPO))


FAULTS: dict[str, Callable[[BotApiServer], None]] = {
    "429": lambda chat: chat.fault("*", 429, "Too Many Requests: retry after 7", times=None, retry_after=7),
    "502": lambda chat: chat.answer_html("*", times=None, status=502),
    "401": lambda chat: chat.fault("*", 401, "Unauthorized", times=None),
    "refused connections": lambda chat: chat.drop("*", times=None),
    "409": lambda chat: chat.fault("*", 409, "Conflict: terminated by other getUpdates request", times=None),
}


@pytest.mark.parametrize("kind", list(FAULTS))
def test_what_waits_while_the_chat_is_down_goes_by_mail_and_arrives_in_chat_once_when_it_is_back(world, kind):
    chat = world.chat
    assert chat is not None

    async def hours() -> None:
        shift = Shift(world)
        chat.say(DPO, "/cases")
        await shift.turn(reading=True)
        FAULTS[kind](chat)
        world.mailbox.append(mail(STOP, sender=JEAN, subject="STOP"), internal_date=world.clock.now())
        for _ in range(3):
            await shift.turn(after=timedelta(minutes=2))
        assert (world.cards(DPO), notices(world)) == ([], [])
        # The watchdog: silence is told by mail, once, with what waits, and a key to decide by.
        for _ in range(3):
            await shift.turn(after=CHAT_SILENCE)
        subjects = notices(world)
        assert sorted(subject.partition(" – ")[0] for subject in subjects) == [
            "Nouvelle demande", "[URGENT] La messagerie ne répond plus",
        ]  # fmt: skip
        waiting = next(
            mail for mail in world.sent("claude@bureau.example") if str(mail["Subject"]).startswith("Nouvelle")
        )
        assert "Clé (une seule fois) : dk_" in str(waiting.get_content())
        # Back: the card comes once, the return is told once, and nothing more goes by mail.
        chat.clear_faults()
        for _ in range(4):
            chat.say(DPO, "/sort")
            await shift.turn(after=timedelta(hours=2), reading=True)
        assert len(world.cards(DPO)) == 1
        assert shown(world, "DSR-2026-0001 – opposition") == 1
        assert shown(world, "La messagerie répond de nouveau") == 1
        assert notices(world) == subjects
        await shift.channel.close()

    asyncio.run(hours())


def test_a_press_whose_query_is_too_old_counts_once_and_the_card_tells_it(world):
    chat = world.chat
    assert chat is not None
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    world.fill()
    chat.fault("answerCallbackQuery", 400, OLD, times=None)
    card = next(c for c in reversed(world.cards(DPO)) if world._has(c, "Approuver"))
    label = next(text for row in card.buttons for text, _ in row if text.startswith("Approuver"))
    for _ in range(2):
        chat.press(DPO, card.message_id, card.chat_id, label, stale=True)
        world.work()
    chat.clear_faults()
    world.work()
    assert world.events("DSR-2026-0001").count("draft_approved") == 2  # the receipt's, and this one
    assert len([m for m in world.sent("jean@boite.example") if "Auto-Submitted" not in m]) == 1
    assert "État : répondu" in world.card(DPO).text


@pytest.mark.parametrize(
    ("status", "text", "more"),
    [(429, "Too Many Requests: retry after 7", {"retry_after": 7}), (502, "Bad Gateway", {})],
)
def test_an_answer_that_cannot_be_told_is_done_all_the_same_and_not_twice(world, status, text, more):
    chat = world.chat
    assert chat is not None
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    world.fill()
    chat.fault("answerCallbackQuery", status, text, times=1, **more)
    card = next(c for c in reversed(world.cards(DPO)) if world._has(c, "Approuver"))
    label = next(text for row in card.buttons for text, _ in row if text.startswith("Approuver"))
    chat.press(DPO, card.message_id, card.chat_id, label)
    world.work()
    chat.press(DPO, card.message_id, card.chat_id, label, stale=True)
    world.work()
    assert len([m for m in world.sent("jean@boite.example") if "Auto-Submitted" not in m]) == 1


def test_a_deaf_poller_is_noticed_although_cards_still_go_out(world):
    chat = world.chat
    assert chat is not None

    async def hours() -> None:
        shift = Shift(world)
        chat.say(DPO, "/cases")
        await shift.turn(reading=True)
        await shift.turn(after=CHAT_SILENCE + timedelta(minutes=1))
        assert [subject.partition(" – ")[0] for subject in notices(world)] == ["[URGENT] La messagerie ne répond plus"]
        chat.say(DPO, "/cases")
        await shift.turn(after=timedelta(minutes=1), reading=True)
        await shift.turn(after=timedelta(minutes=1))
        assert shown(world, "La messagerie répond de nouveau") == 1
        assert len(notices(world)) == 1
        await shift.channel.close()

    asyncio.run(hours())
