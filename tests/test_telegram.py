"""The Telegram channel against the strict local Bot API: nothing lost, nothing doubled, nothing clickable, no leaks."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.chat import (
    ChatMessageGone,
    ChatRefused,
    ChatUnavailable,
    ChatUncertain,
    cut_text,
    split_text,
    utf16_length,
)
from bot.channels.telegram import (
    ChatTokenRejected,
    TelegramChannel,
)
from bot.clock import MovedClock
from bot.sandbox.bot_api import BotApiServer

DPO = 700000001
STRANGER = 799999999
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BUTTONS = [[("Valider", "ok:1"), ("Refuser", "no:1")], [("Plus tard", "later:1")]]


class Killed(BaseException):
    """The process dies here."""


class Worker:
    """What the program does with updates: a table of stored ones, a list of handled ones, and accidents on demand."""

    def __init__(self):
        self.stored = {}
        self.handled = []
        self.notices = []
        self.stop = asyncio.Event()
        self.stop_after = 1
        self.store_failures = 0
        self.kill_before_handling = False
        self.bad = set()
        self.seen_at_handling = []
        self.server = None

    def last_update_id(self):
        return list(self.stored)[-1] if self.stored else None

    def store_update(self, update_id, payload):
        if self.store_failures:
            self.store_failures -= 1
            raise OSError("database is locked")
        self.stored[update_id] = payload

    async def handle(self, update_id):
        if self.kill_before_handling:
            raise Killed
        if self.server:
            self.seen_at_handling.append((update_id in self.stored, update_id in self.server.pending_updates))
        self.handled.append(update_id)
        if len(self.handled) >= self.stop_after:
            self.stop.set()
        if update_id in self.bad:
            raise ValueError("a bad update")

    def notice(self, code, sentence):
        self.notices.append(code)

    async def run(self, channel):
        self.stop.clear()
        await channel.run(
            self.stop,
            last_update_id=self.last_update_id,
            store_update=self.store_update,
            handle=self.handle,
            notice=self.notice,
        )


@pytest.fixture
def clock():
    return MovedClock(START)


@pytest.fixture
def server(clock):
    with BotApiServer(now=clock.now) as running:
        running.add_chat(DPO)
        yield running


def channel_to(server, clock, **changes):
    options = {"poll_timeout": 15, "backoff": (0.01, 0.05), "timeout": 10.0} | changes
    token = options.pop("token", server.token)
    return TelegramChannel(
        token, now=clock.now, base_url=server.base_url, base_file_url=server.base_file_url, **options
    )


@pytest.fixture
async def channel(server, clock):
    async with channel_to(server, clock) as open_channel:
        yield open_channel


@pytest.fixture
def worker():
    return Worker()


def polls(server):
    return [call for call in server.requests if call.method == "getUpdates"]


# --- in: nothing lost


async def test_updates_are_stored_before_they_are_acknowledged(server, channel, worker, clock):
    worker.server, worker.stop_after = server, 2
    ids = [server.say(DPO, "un"), server.say(DPO, "deux")]

    await worker.run(channel)

    assert worker.stored == {update_id: server.update(update_id) for update_id in ids}
    assert (worker.handled, worker.seen_at_handling) == (ids, [(True, True), (True, True)])
    assert channel.last_poll_ok == clock.now()


async def test_a_process_killed_between_storing_and_acknowledging_loses_nothing(server, clock, worker):
    ids = [server.say(DPO, "un"), server.say(DPO, "deux")]
    worker.kill_before_handling = True
    async with channel_to(server, clock) as first:
        with pytest.raises(Killed):
            await worker.run(first)
    assert (list(worker.stored), worker.handled, server.pending_updates) == (ids, [], ids)

    worker.kill_before_handling = False
    third = server.say(DPO, "trois")
    async with channel_to(server, clock) as second:
        await worker.run(second)

    # The second process begins after what is stored; what it stored but did not handle is its own to take up.
    assert (list(worker.stored), worker.handled) == ([*ids, third], [third])


async def test_a_process_killed_before_storing_gets_the_update_again(server, clock, worker):
    update_id = server.say(DPO, "un")
    worker.store_failures = 1_000_000
    async with channel_to(server, clock) as first:
        task = asyncio.create_task(worker.run(first))
        assert await asyncio.to_thread(server.wait_until, lambda s: len(polls(s)) >= 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert (worker.stored, worker.handled, server.pending_updates) == ({}, [], [update_id])

    worker.store_failures = 0
    async with channel_to(server, clock) as second:
        await worker.run(second)
    assert (list(worker.stored), worker.handled) == ([update_id], [update_id])


async def test_an_update_that_could_not_be_stored_is_fetched_again_in_order(server, channel, worker):
    worker.store_failures, worker.stop_after = 2, 2
    ids = [server.say(DPO, "un"), server.say(DPO, "deux")]

    await worker.run(channel)

    assert (list(worker.stored), worker.handled) == (ids, ids)
    assert len(polls(server)) == 3


async def test_an_update_that_cannot_be_handled_does_not_stop_the_others(server, channel, worker, caplog):
    worker.stop_after = 2
    ids = [server.say(DPO, "Camille Durand"), server.say(DPO, "deux")]
    worker.bad = {ids[0]}

    with caplog.at_level(logging.DEBUG):
        await worker.run(channel)

    assert worker.handled == ids
    (record,) = [record for record in caplog.records if record.message == "telegram.handle_failed"]
    assert (record.update_id, record.error) == (ids[0], "ValueError")
    assert "Camille" not in caplog.text
    assert server.token not in caplog.text


async def test_numbers_that_start_again_lower_are_taken_and_acknowledged(server, channel, worker):
    worker.stop_after = 2
    worker.stored = {900_000_000: {}}
    server.restart_update_ids(5)
    first = server.say(DPO, "après une semaine calme")
    task = asyncio.create_task(worker.run(channel))
    assert await asyncio.to_thread(server.wait_until, lambda s: not s.pending_updates)
    second = server.say(DPO, "encore")
    await task

    assert worker.handled == [first, second]
    assert [call.params["offset"] for call in polls(server)[:2]] == ["900000001", "6"]


async def test_updates_the_library_cannot_read_come_through_raw(server, channel, worker):
    server.update(server.say(DPO, "x"))["message"]["chat"] = {"id": "of a new kind"}

    await worker.run(channel)

    assert [update["message"]["chat"] for update in worker.stored.values()] == [{"id": "of a new kind"}]


async def test_one_update_delivered_twice_is_handed_on_twice(server, channel, worker):
    worker.stop_after = 2
    update_id = server.say(DPO, "un")
    task = asyncio.create_task(worker.run(channel))
    assert await asyncio.to_thread(server.wait_until, lambda s: not s.pending_updates)
    server.redeliver(update_id)
    await task

    assert (worker.handled, list(worker.stored)) == ([update_id, update_id], [update_id])


async def test_stopping_does_not_wait_for_the_long_poll(server, channel, worker):
    task = asyncio.create_task(worker.run(channel))
    assert await asyncio.to_thread(server.wait_until, lambda s: bool(polls(s)))
    worker.stop.set()
    await task

    assert (polls(server)[0].status, worker.stored) == (None, {})


# --- in: trouble


async def test_the_loop_outlives_errors_of_all_kinds(server, channel, worker, caplog):
    server.fault("getUpdates", 500, "Internal Server Error")
    server.fault("getUpdates", 502, "Bad Gateway")
    server.fault("getUpdates", 400, "Bad Request: what?")
    server.drop("getUpdates")
    server.answer_html("getUpdates")
    server.answer_html("getUpdates", status=503)
    update_id = server.say(DPO, "enfin")

    with caplog.at_level(logging.DEBUG):
        await worker.run(channel)

    assert (worker.handled, worker.notices, len(polls(server))) == ([update_id], [], 7)
    assert [r.failures for r in caplog.records if r.message == "telegram.poll_failed"] == [1, 2, 3, 4, 5, 6]
    assert "log in to the network" not in caplog.text
    assert server.token not in caplog.text


async def test_a_poll_that_hangs_is_given_up(server, clock, worker):
    server.hang("getUpdates")
    update_id = server.say(DPO, "un")
    async with channel_to(server, clock, poll_timeout=0, timeout=0.3) as impatient:
        await worker.run(impatient)

    assert worker.handled == [update_id]


async def test_being_told_to_wait_is_obeyed(server, channel, worker, caplog):
    server.fault("getUpdates", 429, "Too Many Requests: retry after 1", retry_after=1)
    update_id = server.say(DPO, "un")

    await worker.run(channel)

    (record,) = [record for record in caplog.records if record.message == "telegram.poll_told_to_wait"]
    assert (worker.handled, record.seconds) == ([update_id], 1.0)


async def test_a_second_poller_is_noticed_once_an_hour(server, channel, worker, clock, caplog):
    conflict = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    server.fault("getUpdates", 409, conflict, times=3)
    worker.stop_after = 1
    server.say(DPO, "un")
    await worker.run(channel)
    clock.advance(timedelta(minutes=59))
    server.fault("getUpdates", 409, conflict)
    server.say(DPO, "deux")
    await worker.run(channel)
    assert worker.notices == ["telegram-conflict"]

    clock.advance(timedelta(minutes=1))
    server.fault("getUpdates", 409, conflict)
    server.say(DPO, "trois")
    await worker.run(channel)
    assert worker.notices == ["telegram-conflict", "telegram-conflict"]
    assert len([r for r in caplog.records if r.message == "telegram.second_poller"]) == 5


async def test_two_real_pollers_fight_and_both_say_so(server, clock):
    workers = [Worker(), Worker()]
    async with channel_to(server, clock) as one, channel_to(server, clock) as two:
        tasks = [asyncio.create_task(w.run(c)) for w, c in zip(workers, (one, two), strict=True)]
        both = asyncio.create_task(
            asyncio.to_thread(server.wait_until, lambda _: all(w.notices for w in workers), 20.0)
        )
        assert await both
        for each in workers:
            each.stop.set()
        await asyncio.gather(*tasks)

    assert [each.notices for each in workers] == [["telegram-conflict"], ["telegram-conflict"]]


async def test_a_web_hook_is_named_as_the_cause(server, channel, worker):
    server.webhook_url = "https://hook.example/x"
    task = asyncio.create_task(worker.run(channel))
    assert await asyncio.to_thread(server.wait_until, lambda s: len(polls(s)) >= 2)
    server.webhook_url = ""
    server.say(DPO, "un")
    await task

    assert worker.notices == ["telegram-webhook"]


@pytest.mark.parametrize("status", [401, 404])
async def test_a_refused_token_ends_the_loop_with_a_clear_error(server, channel, worker, status):
    server.fault("getUpdates", status, "Unauthorized")

    with pytest.raises(ChatTokenRejected) as caught:
        await worker.run(channel)

    assert "check the token in the settings" in str(caught.value)
    assert (worker.notices, len(polls(server)), channel.last_poll_ok) == (["telegram-token"], 1, None)


async def test_another_token_is_refused_without_being_named(server, clock, worker):
    token = "7000000001:another-token-of-the-right-form"
    async with channel_to(server, clock, token=token) as stranger:
        for call in (worker.run(stranger), stranger.check(), stranger.send_text(DPO, "x")):
            with pytest.raises(ChatTokenRejected) as caught:
                await call
            assert token not in f"{caught.value!r} {caught.value.__cause__!r}"


async def test_a_silent_telegram_shows_in_the_age_of_the_last_poll(server, channel, worker, clock):
    server.say(DPO, "un")
    await worker.run(channel)
    assert channel.last_poll_ok == START
    clock.advance(timedelta(hours=3))
    server.fault("getUpdates", 500, "Internal Server Error", times=None)
    task = asyncio.create_task(worker.run(channel))
    assert await asyncio.to_thread(server.wait_until, lambda s: len(polls(s)) >= 3)
    worker.stop.set()
    await task

    assert channel.last_poll_ok == START


# --- out


async def test_text_goes_out_plain_with_buttons_and_without_previews(server, channel):
    hostile = "<b>*Camille*</b> [x](http://evil.example) _"
    message_id = await channel.send_text(DPO, hostile, buttons=BUTTONS)

    (message,) = server.messages(DPO)
    assert (message.message_id, message.text, message.link_preview) == (message_id, hostile, False)
    assert message.buttons == tuple(tuple(row) for row in BUTTONS)
    assert "parse_mode" not in server.requests[-1].params
    assert {entity["type"] for entity in message.entities} == {"url"}


async def test_replies_and_forced_replies(server, channel):
    said = server.update(server.say(DPO, "bonjour"))["message"]["message_id"]
    await channel.send_text(DPO, "oui ?", reply_to=said, force_reply=True)
    await channel.send_text(DPO, "à un message effacé", reply_to=999)

    assert [(m.reply_to, m.force_reply) for m in server.messages(DPO)[1:]] == [(said, True), (None, False)]
    with pytest.raises(ValueError, match="not both"):
        await channel.send_text(DPO, "x", buttons=BUTTONS, force_reply=True)


async def test_callback_data_of_64_bytes_go_and_65_are_refused_unsent(server, channel):
    await channel.send_text(DPO, "x", buttons=[[("ok", "é" * 32)]])
    for data in ("é" * 32 + "a", ""):
        with pytest.raises(ChatRefused, match="1 to 64 are allowed"):
            await channel.send_text(DPO, "y", buttons=[[("ok", data)]])

    assert [m.text for m in server.messages(DPO)] == ["x"]


async def test_long_text_is_cut_at_a_line_with_a_mark(server, channel):
    lines = [f"ligne {number} 😀" for number in range(1000)]
    await channel.send_text(DPO, "\n".join(lines))

    (message,) = server.messages(DPO)
    *kept, mark = message.text.split("\n")
    assert kept == lines[: len(kept)]
    assert mark == f"… ({len(chr(10).join(lines)) - len(chr(10).join(kept))} more characters)"
    assert 3900 < utf16_length(message.text) <= 4096


async def test_edits(server, channel):
    message_id = await channel.send_text(DPO, "v1", buttons=BUTTONS)
    await channel.edit_text(DPO, message_id, "v1", BUTTONS)
    await channel.edit_text(DPO, message_id, "v2", [[("Fermer", "close:1")]])
    await channel.edit_text(DPO, message_id, "v3")

    (message,) = server.messages(DPO)
    assert (message.text, message.buttons) == ("v3", ())
    assert [(v.text, v.buttons) for v in message.history] == [
        ("v1", tuple(tuple(row) for row in BUTTONS)),
        ("v2", ((("Fermer", "close:1"),),)),
    ]
    with pytest.raises(ChatMessageGone):
        await channel.edit_text(DPO, 999, "x")
    own = server.update(server.say(DPO, "moi"))["message"]["message_id"]
    with pytest.raises(ChatMessageGone):
        await channel.edit_text(DPO, own, "x")


async def test_presses_are_answered_once_and_old_ones_do_no_harm(server, channel, clock):
    message_id = await channel.send_text(DPO, "x", buttons=BUTTONS)
    first = server.press(DPO, message_id, DPO, "Valider")
    second = server.press(DPO, message_id, DPO, "Refuser")

    assert await channel.answer(first, "é" * 500, alert=True)
    assert not await channel.answer(first, "encore")
    clock.advance(timedelta(hours=1))
    assert not await channel.answer(second, "trop tard")
    assert not await channel.answer("123", "jamais vu")
    (answer,) = server.answers
    assert (answer.callback_id, answer.alert, utf16_length(answer.text) <= 200) == (first, True, True)


async def test_documents_go_out_and_files_come_in(server, channel):
    await channel.send_document(DPO, "dossier n°1.zip", b"PK\x03\x04", "x" * 3000)
    (message,) = server.messages(DPO)
    assert (message.file.name, message.file.content) == ("dossier n°1.zip", b"PK\x03\x04")
    assert message.text == "x" * (len(message.text) - 25) + "\n… (2001 more characters)"

    update = server.update(server.send_document(STRANGER, "carte.jpg", b"0123456789"))
    file_id = update["message"]["document"]["file_id"]
    assert await channel.get_file(file_id) == b"0123456789"
    with pytest.raises(ChatRefused, match="10 bytes; 9 are allowed"):
        await channel.get_file(file_id, max_size=9)
    with pytest.raises(ChatRefused):
        await channel.get_file("unknown")


async def test_files_above_telegrams_limit_are_refused(server, channel):
    update = server.update(server.send_document(STRANGER, "big.bin", b"x" * (20 * 1024 * 1024 + 1)))

    with pytest.raises(ChatRefused, match="File is too big"):
        await channel.get_file(update["message"]["document"]["file_id"])


async def test_check_and_commands(server, channel):
    assert await channel.check() == "dpobot_sandbox_bot"
    await channel.set_commands([("cases", "Dossiers ouverts")])
    assert server.commands == [("cases", "Dossiers ouverts")]


# --- out: trouble


@pytest.mark.parametrize(
    ("arm", "error", "arrived"),
    [
        (lambda s: s.fault("sendMessage", 400, "Bad Request: chat not found"), ChatRefused, False),
        (lambda s: s.fault("sendMessage", 403, "Forbidden: bot was blocked by the user"), ChatRefused, False),
        (lambda s: s.fault("sendMessage", 400, "Bad Request: upgraded", migrate_to_chat_id=-5), ChatRefused, False),
        (lambda s: s.fault("sendMessage", 413, "Request Entity Too Large"), ChatRefused, False),
        (lambda s: s.fault("sendMessage", 401, "Unauthorized"), ChatTokenRejected, False),
        (lambda s: s.fault("sendMessage", 500, "Internal Server Error"), ChatUnavailable, False),
        (lambda s: s.fault("sendMessage", 502, "Bad Gateway"), ChatUnavailable, False),
        (lambda s: s.fault("sendMessage", 504, "Gateway Timeout"), ChatUncertain, False),
        (lambda s: s.answer_html("sendMessage"), ChatUncertain, False),
        (lambda s: s.drop("sendMessage"), ChatUncertain, False),
        (lambda s: s.drop("sendMessage", after=True), ChatUncertain, True),
        (lambda s: s.hang("sendMessage", after=True), ChatUncertain, True),
        (lambda s: s.stop(), ChatUnavailable, False),
    ],
    ids=["400", "403", "migrated", "413", "401", "500", "502", "504", "html", "drop", "late drop", "late hang", "down"],
)
async def test_what_became_of_a_message_that_was_not_confirmed(server, clock, arm, error, arrived):
    arm(server)
    async with channel_to(server, clock, timeout=0.5) as channel:
        with pytest.raises(error) as caught:
            await channel.send_text(DPO, "Camille Durand")

    assert type(caught.value) is error
    assert "Camille" not in str(caught.value)
    assert [m.text for m in server.messages(DPO)] == (["Camille Durand"] if arrived else [])
    assert len([c for c in server.requests if c.method == "sendMessage"]) <= 1


async def test_429_says_how_long_to_wait_and_is_not_waited_for(server, channel):
    server.fault("sendMessage", 429, "Too Many Requests: retry after 3600", retry_after=3600)
    with pytest.raises(ChatUnavailable) as caught:
        await channel.send_text(DPO, "un")
    await channel.send_text(DPO, "deux")

    assert (caught.value.retry_after, [m.text for m in server.messages(DPO)]) == (3600.0, ["deux"])


async def test_what_can_be_repeated_is_never_uncertain(server, clock):
    async with channel_to(server, clock, timeout=0.5) as channel:
        message_id = await channel.send_text(DPO, "v1", buttons=BUTTONS)
        callback_id = server.press(DPO, message_id, DPO, "Valider")
        file_id = server.update(server.send_document(DPO, "x.pdf", b"x"))["message"]["document"]["file_id"]
        for method, call in (
            ("editMessageText", lambda: channel.edit_text(DPO, message_id, "v2")),
            ("answerCallbackQuery", lambda: channel.answer(callback_id, "ok")),
            ("getFile", lambda: channel.get_file(file_id)),
            ("getMe", channel.check),
        ):
            server.drop(method, after=True)
            with pytest.raises(ChatUnavailable):
                await call()
            server.clear_faults()
        await channel.edit_text(DPO, message_id, "v2")
        assert not await channel.answer(callback_id, "ok")

    assert [m.text for m in server.messages(DPO) if m.buttons == () and not m.file] == ["v2"]


async def test_a_document_may_have_gone_out_too(server, clock):
    server.drop("sendDocument", after=True)
    async with channel_to(server, clock) as channel:
        with pytest.raises(ChatUncertain):
            await channel.send_document(DPO, "x.zip", b"x")


# --- cutting


TEXTS = st.lists(st.text("ab é😀\n", max_size=40), max_size=20).map("\n".join)


@given(text=TEXTS, limit=st.integers(2, 60))
@settings(max_examples=200, deadline=None)
def test_parts_fit_and_only_white_space_is_lost(text, limit):
    parts = split_text(text, limit)

    assert all(0 < utf16_length(part) <= limit and part.strip() for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(text=TEXTS, limit=st.integers(40, 200))
@settings(max_examples=200, deadline=None)
def test_cut_text_fits_and_says_how_much_is_missing(text, limit):
    cut = cut_text(text, limit)

    if cut == text:
        assert utf16_length(text) <= limit
    else:
        kept, mark = cut.rsplit("\n", 1)
        assert utf16_length(cut) <= limit < utf16_length(text)
        assert text.startswith(kept)
        assert mark == f"… ({len(text) - len(kept)} more characters)"


def test_a_line_end_is_preferred_to_a_blank_and_a_blank_to_none():
    assert split_text("un deux trois\nquatre cinq", 16) == ["un deux trois", "quatre cinq"]
    assert split_text("un deux trois", 9) == ["un deux", "trois"]
    assert split_text("undeuxtrois", 5) == ["undeu", "xtroi", "s"]
    assert split_text(" \n ") == []
