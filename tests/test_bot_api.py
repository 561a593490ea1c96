"""The strict local Bot API, asked through python-telegram-bot's real client: what it refuses, delivers and shows."""

import asyncio
import io
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from PIL import Image
from telegram import Bot, BotCommand, ForceReply, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from bot.clock import MovedClock
from bot.sandbox.bot_api import BotApiServer, CallbackAnswer, MessageVersion
from bot.sandbox.bot_api_entities import EntityError, read_text

DPO = 700000001
STRANGER = 799999999
START = datetime(2026, 3, 2, 8, 0, 0, 900_000, tzinfo=UTC)


@pytest.fixture
def clock():
    return MovedClock(START)


@pytest.fixture
def server(clock):
    with BotApiServer(now=clock.now) as running:
        running.add_chat(DPO)
        yield running


@pytest.fixture
async def bot(server):
    async with bot_of(server) as client:
        yield client


def bot_of(server, token=None):
    slow = HTTPXRequest(read_timeout=20.0)
    return Bot(
        token or server.token, base_url=server.base_url, base_file_url=server.base_file_url, get_updates_request=slow
    )


def keyboard(*labels):
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=f"do:{label}") for label in labels]])


async def refused(call):
    with pytest.raises(BadRequest) as caught:
        await call
    return caught.value.message


# --- texts


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("", None, "Message text is empty"),
        (" \n\t ", None, "Message text is empty"),
        ("<b></b>", "HTML", "Message text is empty"),
        ("x" * 4097, None, "Message is too long"),
        ("😀" * 2049, None, "Message is too long"),
        ("<b>" + "x" * 4097 + "</b>", "HTML", "Message is too long"),
        ("<b>x", "HTML", "Can't parse entities: can't find end tag corresponding to start tag \"b\""),
        (
            "é<i>x</b>",
            "HTML",
            'Can\'t parse entities: unmatched end tag at byte offset 6, expected "</i>", found "</b>"',
        ),
        ("x</b>", "HTML", "Can't parse entities: unexpected end tag at byte offset 1"),
        ("<script>x</script>", "HTML", 'Can\'t parse entities: unsupported start tag "script" at byte offset 0'),
        ("a < b", "HTML", 'Can\'t parse entities: unsupported start tag "" at byte offset 2'),
        ("*x", "MarkdownV2", "Can't parse entities: can't find end of bold entity at byte offset 0"),
        (
            "1.",
            "MarkdownV2",
            "Can't parse entities: character '.' is reserved and must be escaped with the preceding '\\'",
        ),
        ("`x", "MarkdownV2", "Can't parse entities: can't find end of code entity at byte offset 0"),
        ("x", "BBCode", "Unsupported parse_mode"),
    ],
)
async def test_texts_that_are_refused(server, bot, text, mode, reason):
    assert (await refused(bot.send_message(DPO, text, parse_mode=mode)), server.messages(DPO)) == (reason, [])


async def test_limits_count_what_is_left_after_the_markup(server, bot):
    await bot.send_message(DPO, "<b>" + "😀" * 2048 + "</b>", parse_mode="HTML")

    assert [(len(m.text), m.entities) for m in server.messages(DPO)] == [
        (2048, ({"type": "bold", "offset": 0, "length": 4096},))
    ]


@pytest.mark.parametrize(
    ("source", "mode", "text", "entities"),
    [
        ("Bonjour & <b>", None, "Bonjour & <b>", []),
        (
            "<b>é<i>x</i></b> &lt;&#233;&amp;<a href='https://a.example'>ici</a>",
            "HTML",
            "éx <é&ici",
            [("bold", 0, 2), ("italic", 1, 1), ("text_link", 6, 3)],
        ),
        (
            '<pre><code class="language-py">x</code></pre><blockquote expandable>q</blockquote>',
            "HTML",
            "xq",
            [("code", 0, 1), ("pre", 0, 1), ("expandable_blockquote", 1, 1)],
        ),
        (
            "*gras _ital_* __soul__ ~barre~ ||voile|| `c\\`d` [lien](https://a.example) 1\\.",
            "MarkdownV2",
            "gras ital soul barre voile c`d lien 1.",
            [
                ("bold", 0, 9),
                ("italic", 5, 4),
                ("underline", 10, 4),
                ("strikethrough", 15, 5),
                ("spoiler", 21, 5),
                ("code", 27, 3),
                ("text_link", 31, 4),
            ],
        ),
        (">cité\nhors", "MarkdownV2", "cité\nhors", [("blockquote", 0, 5)]),
        ("```py\nx = 1\n```", "markdownv2", "x = 1", [("pre", 0, 5)]),
        (
            "😀 http://a.example/x b.fr c@d.fr @admin /start #rgpd $USD +33 6 12 34 56 78, 10.0.0.1",
            None,
            "😀 http://a.example/x b.fr c@d.fr @admin /start #rgpd $USD +33 6 12 34 56 78, 10.0.0.1",
            [
                ("url", 3, 18),
                ("url", 22, 4),
                ("email", 27, 6),
                ("mention", 34, 6),
                ("bot_command", 41, 6),
                ("hashtag", 48, 5),
                ("cashtag", 54, 4),
                ("phone_number", 59, 17),
                ("url", 78, 8),
            ],
        ),
        ("<code>http://a.fr</code>", "HTML", "http://a.fr", [("code", 0, 11)]),
        ("  a\r\n\x07b\u202e ", None, "a\n b", []),
    ],
)
def test_text_becomes_plain_text_and_entities(source, mode, text, entities):
    plain, found = read_text(source, mode)

    assert (plain, [(e["type"], e["offset"], e["length"]) for e in found]) == (text, entities)


def test_the_old_markdown_mode_is_not_read():
    with pytest.raises(EntityError):
        read_text("*x*", "Markdown")


# --- messages


async def test_a_message_is_shown_as_it_stands_with_whole_seconds(server, bot, clock):
    sent = await bot.send_message(DPO, "Dossier DSR-2026-001", reply_markup=keyboard("Valider", "Refuser"))
    clock.advance(timedelta(minutes=1))
    await bot.edit_message_text("Validé", DPO, sent.message_id)

    (message,) = server.messages(DPO)
    first, second = datetime(2026, 3, 2, 8, 0, tzinfo=UTC), datetime(2026, 3, 2, 8, 1, tzinfo=UTC)
    assert sent.date == first
    assert (message.text, message.buttons, message.date, message.edited_at) == ("Validé", (), first, second)
    assert message.history == (
        MessageVersion("Dossier DSR-2026-001", ((("Valider", "do:Valider"), ("Refuser", "do:Refuser")),), second),
    )


async def test_edits_that_are_refused(server, bot):
    sent = await bot.send_message(DPO, "Un", reply_markup=keyboard("a"))
    own = server.update(server.say(DPO, "moi"))["message"]["message_id"]
    same = (
        "Message is not modified: specified new message content and reply markup are exactly the same "
        "as a current content and reply markup of the message"
    )

    assert await refused(bot.edit_message_text("Un ", DPO, sent.message_id, reply_markup=keyboard("a"))) == same
    assert await refused(bot.edit_message_reply_markup(DPO, sent.message_id, reply_markup=keyboard("a"))) == same
    assert await refused(bot.edit_message_text("Deux", DPO, 999)) == "Message to edit not found"
    assert await refused(bot.edit_message_text("Deux", DPO, own)) == "Message can't be edited"
    assert await refused(bot.edit_message_text("", DPO, sent.message_id)) == "Message text is empty"
    assert await refused(bot.edit_message_text("x" * 4097, DPO, sent.message_id)) == "Message_too_long"


async def test_buttons_can_be_changed_alone(server, bot):
    sent = await bot.send_message(DPO, "Un", reply_markup=keyboard("a"))
    await bot.edit_message_reply_markup(DPO, sent.message_id, reply_markup=keyboard("b"))

    assert [(m.text, m.buttons) for m in server.messages(DPO)] == [("Un", ((("b", "do:b"),),))]


async def test_deleting(server, bot, clock):
    sent = [await bot.send_message(DPO, text) for text in ("un", "deux")]
    await bot.delete_message(DPO, sent[0].message_id)
    assert await refused(bot.delete_message(DPO, sent[0].message_id)) == "Message to delete not found"
    clock.advance(timedelta(hours=49))
    assert await refused(bot.delete_message(DPO, sent[1].message_id)) == "Message can't be deleted for everyone"
    assert [m.text for m in server.messages(DPO)] == ["deux"]


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        ("not json", "Can't parse reply keyboard markup json object"),
        ("[]", "Object expected as reply markup"),
        ('{"inline_keyboard": {}}', 'Field "inline_keyboard" must be of type array'),
        ('{"inline_keyboard": [[{"text": "x"}]]}', "Can't parse inline keyboard button: text buttons are unallowed"),
        (
            '{"inline_keyboard": [[{"text": " ", "callback_data": "x"}]]}',
            "Can't parse inline keyboard button: field text",
        ),
        ('{"inline_keyboard": [[{"text": "x", "callback_data": ""}]]}', "Button_data_invalid"),
        (json.dumps({"inline_keyboard": [[{"text": "x", "callback_data": "é" * 33}]]}), "Button_data_invalid"),
        ('{"inline_keyboard": [[{"text": "x", "url": "nowhere"}]]}', "Inline keyboard button url 'nowhere' is invalid"),
        ('{"resize": 1}', "Can't parse reply keyboard markup json object"),
    ],
)
async def test_keyboards_that_are_refused(server, bot, markup, reason):
    assert (await refused(bot.send_message(DPO, "x", reply_markup=markup))).startswith(reason)
    assert server.messages(DPO) == []


async def test_64_bytes_of_callback_data_are_accepted(server, bot):
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="é" * 32)]])
    await bot.send_message(DPO, "x", reply_markup=markup)

    assert server.messages(DPO)[0].buttons == ((("x", "é" * 32),),)


async def test_a_reply_can_be_forced_and_has_to_answer_something(server, bot):
    first = await bot.send_message(DPO, "Motif ?", reply_markup=ForceReply())
    update = server.update(server.say(DPO, "Trop vague", reply_to=first.message_id))

    assert server.messages(DPO)[0].force_reply
    assert update["message"]["reply_to_message"]["message_id"] == first.message_id
    assert await refused(bot.send_message(DPO, "x", reply_to_message_id=77)) == "Message to be replied not found"


async def test_chats_the_bot_may_not_write_to(server, bot):
    assert await refused(bot.send_message(STRANGER, "x")) == "Chat not found"
    assert await refused(bot.send_message("@nobody", "x")) == "Chat not found"
    server.block(DPO)
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(DPO, "x")
    server.unblock(DPO)
    assert (await bot.send_message(DPO, "x")).chat_id == DPO


# --- updates


async def test_an_update_comes_again_until_a_higher_offset_is_seen(server, bot):
    first, second = server.say(DPO, "un"), server.say(DPO, "deux")

    assert [u.update_id for u in await bot.get_updates()] == [first, second]
    assert [u.update_id for u in await bot.get_updates(offset=first)] == [first, second]
    assert [u.update_id for u in await bot.get_updates(offset=second)] == [second]
    assert server.pending_updates == [second]
    assert await bot.get_updates(offset=second + 1) == ()
    assert server.pending_updates == []


async def test_a_negative_offset_keeps_the_last_ones_only(server, bot):
    ids = [server.say(DPO, str(number)) for number in range(3)]

    assert [u.update_id for u in await bot.get_updates(offset=-1)] == ids[-1:]
    assert server.pending_updates == ids[-1:]


async def test_an_offset_far_ahead_acknowledges_nothing(server, bot):
    server.restart_update_ids(1000)
    update_id = server.say(DPO, "après une semaine calme")

    assert [u.update_id for u in await bot.get_updates(offset=500_000_009)] == [update_id]
    assert server.pending_updates == [update_id]


async def test_updates_are_forgotten_after_a_day(server, bot, clock):
    server.say(DPO, "hier")
    clock.advance(timedelta(hours=24))
    today = server.say(DPO, "aujourd'hui")

    assert [u.update_id for u in await bot.get_updates()] == [today]


async def test_a_long_poll_ends_with_the_next_update(server, bot):
    poll = asyncio.create_task(bot.get_updates(timeout=15))
    assert await asyncio.to_thread(server.wait_until, lambda s: s.requests[-1].method == "getUpdates")
    update_id = server.say(DPO, "bonjour", username="dpo_mije", first_name="Dominique", language="fr")

    (update,) = await poll
    assert (update.update_id, update.message.text, update.message.date) == (
        update_id,
        "bonjour",
        datetime(2026, 3, 2, 8, 0, tzinfo=UTC),
    )
    assert update.effective_user.to_dict() == {
        "id": DPO,
        "is_bot": False,
        "first_name": "Dominique",
        "username": "dpo_mije",
        "language_code": "fr",
    }


async def test_of_two_long_polls_the_older_is_thrown_out(server, bot):
    async with bot_of(server) as second:
        polls = [asyncio.create_task(bot.get_updates(timeout=15))]
        assert await asyncio.to_thread(server.wait_until, lambda s: s.requests[-1].method == "getUpdates")
        polls.append(asyncio.create_task(second.get_updates(timeout=15)))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await polls[0]
        update_id = server.say(DPO, "bonjour")

        assert [u.update_id for u in await polls[1]] == [update_id]


async def test_only_allowed_updates_are_kept(server, bot):
    await bot.get_updates(allowed_updates=["callback_query"])
    server.say(DPO, "non")
    assert server.pending_updates == []
    await bot.get_updates(allowed_updates=[])
    wanted = server.say(DPO, "oui")
    assert server.pending_updates == [wanted]


async def test_web_hook_and_polling_exclude_each_other(server, bot):
    assert await refused(bot.set_webhook("http://a.example")) == (
        "Bad webhook: an https url must be provided for webhook"
    )
    poll = asyncio.create_task(bot.get_updates(timeout=15))
    assert await asyncio.to_thread(server.wait_until, lambda s: s.requests[-1].method == "getUpdates")
    await bot.set_webhook("https://hook.example/x")
    with pytest.raises(Conflict, match="terminated by setWebhook"):
        await poll
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    assert (await bot.get_webhook_info()).url == "https://hook.example/x"
    await bot.delete_webhook()
    assert await bot.get_updates() == ()


async def test_people_edit_forward_and_send_files(server, bot):
    said = server.update(server.say(DPO, "brouillon", forwarded=True))["message"]
    server.edit_text(DPO, said["message_id"], "corrigé")
    server.send_document(DPO, "pièce d'identité.pdf", b"%PDF-1.4 x", caption="voici")
    server.send_photo(DPO, b"\xff\xd8 no picture")
    server.send_voice(DPO, b"OggS")

    plain, edited, document, photo, voice = await bot.get_updates()
    assert plain.message.forward_origin.sender_user_name == "Hidden"
    assert (edited.edited_message.text, edited.edited_message.edit_date) == ("corrigé", said_at(said))
    assert (document.message.document.file_name, document.message.caption) == ("pièce d'identité.pdf", "voici")
    content = [
        bytes(await (await part.get_file()).download_as_bytearray())
        for part in (document.message.document, photo.message.photo[0], voice.message.voice)
    ]
    assert content == [b"%PDF-1.4 x", b"\xff\xd8 no picture", b"OggS"]


def said_at(message):
    return datetime.fromtimestamp(message["date"], UTC)


def test_a_person_edits_only_own_messages(server):
    with pytest.raises(LookupError):
        server.edit_text(DPO, 77, "x")


# --- presses


async def test_anybody_in_the_chat_may_press_and_is_answered_once(server, bot, clock):
    server.add_chat(-100200, title="DPO")
    sent = await bot.send_message(-100200, "Dossier", reply_markup=keyboard("Valider"))
    callback_id = server.press(STRANGER, sent.message_id, -100200, "Valider")

    (update,) = await bot.get_updates()
    query = update.callback_query
    assert (query.id, query.data, query.from_user.id, query.message.message_id, query.message.chat.type) == (
        callback_id,
        "do:Valider",
        STRANGER,
        sent.message_id,
        "group",
    )
    await bot.answer_callback_query(callback_id, "Vu", show_alert=True)
    assert server.answers == [CallbackAnswer(callback_id, "Vu", True, START)]
    too_old = "Query is too old and response timeout expired or query id is invalid"
    assert await refused(bot.answer_callback_query(callback_id)) == too_old
    assert await refused(bot.answer_callback_query("123")) == too_old
    later = server.press(DPO, sent.message_id, -100200, "do:Valider")
    assert await refused(bot.answer_callback_query(later, "x" * 201)) == "Message_too_long"
    clock.advance(timedelta(minutes=2))
    assert await refused(bot.answer_callback_query(later)) == too_old


async def test_old_and_forged_buttons_need_saying_so(server, bot):
    sent = await bot.send_message(DPO, "v1", reply_markup=keyboard("Valider"))
    await bot.edit_message_text("v2", DPO, sent.message_id)

    with pytest.raises(LookupError):
        server.press(DPO, sent.message_id, DPO, "Valider")
    server.press(DPO, sent.message_id, DPO, "Valider", stale=True)
    server.press(DPO, sent.message_id, DPO, "rm -rf", forged=True)
    assert [u.callback_query.data for u in await bot.get_updates()] == ["do:Valider", "rm -rf"]


async def test_an_acknowledged_update_can_come_again(server, bot):
    first = server.say(DPO, "un")
    await bot.get_updates(offset=first + 1)
    assert server.redeliver(first) == first
    again = server.redeliver(first, new_id=True)

    updates = await bot.get_updates(offset=first + 1)
    assert [(u.update_id, u.message.text) for u in updates] == [(first, "un"), (again, "un")]
    assert await bot.get_updates(offset=again + 1) == ()


# --- files, commands, chats


async def test_files_are_uploaded_with_their_names(server, bot):
    picture = io.BytesIO()
    Image.new("RGB", (3, 2)).save(picture, "PNG")
    document = await bot.send_document(
        DPO, b"contenu", filename="réponse.txt", caption="Art. 15", reply_markup=keyboard("ok")
    )
    photo = await bot.send_photo(DPO, picture.getvalue())
    again = await bot.send_document(DPO, document.document.file_id)

    assert (photo.photo[0].width, photo.photo[0].height) == (3, 2)
    assert again.document.file_name == "réponse.txt"
    shown = [(m.text, m.file.kind, m.file.name, m.file.content) for m in server.messages(DPO)]
    assert shown[0] == ("Art. 15", "document", "réponse.txt", b"contenu")
    assert shown[1][1:] == ("photo", photo_name(server), picture.getvalue())
    assert await refused(bot.send_photo(DPO, b"no picture")) == "Image_process_failed"
    assert await refused(bot.send_document(DPO, b"", filename="x.txt")) == "File must be non-empty"
    assert await refused(bot.send_document(DPO, "unknown")) == "Wrong file identifier/http url specified"
    assert await refused(bot.send_document(DPO, b"x", caption="x" * 1025)) == "Message caption is too long"
    assert await refused(bot.get_file("unknown")) == "Invalid file_id"


def photo_name(server):
    return server.messages(DPO)[1].file.name


async def test_large_files_cannot_be_fetched(server, bot):
    server.send_document(DPO, "big.bin", b"x" * (20 * 1024 * 1024 + 1))
    (update,) = await bot.get_updates()

    assert await refused(bot.get_file(update.message.document.file_id)) == "File is too big"


async def test_commands_actions_and_chats(server, bot):
    await bot.set_my_commands([BotCommand("cases", "Dossiers ouverts")])
    assert [(c.command, c.description) for c in await bot.get_my_commands()] == [("cases", "Dossiers ouverts")]
    assert await refused(bot.set_my_commands([("Cases!", "x")])) == "Bot_command_invalid"
    assert await bot.send_chat_action(DPO, "typing")
    assert await refused(bot.send_chat_action(DPO, "dancing")) == "Wrong parameter action in request"
    server.say(DPO, "x", first_name="Dominique")
    chat = await bot.get_chat(DPO)
    assert (chat.id, chat.type, chat.first_name) == (DPO, "private", "Dominique")


# --- tokens, transport, trouble


async def test_other_tokens_and_unknown_methods(server, bot):
    with pytest.raises(InvalidToken):
        await bot_of(server, "7000000001:another-token-of-the-right-form").initialize()
    async with httpx.AsyncClient() as client:
        answers = [
            await client.post(f"{server.base_url}{token}/{method}")
            for token, method in (
                ("7000000001:another-token-of-the-right-form", "getMe"),
                ("nonsense", "getMe"),
                (server.token, "getNothing"),
                (server.token, "GETME"),
            )
        ]
    assert [(a.status_code, a.json().get("description")) for a in answers] == [
        (401, "Unauthorized"),
        (404, "Not Found"),
        (404, "Not Found"),
        (200, None),
    ]


async def test_parameters_come_by_query_form_json_or_multipart(server):
    url = f"{server.base_url}{server.token}/sendMessage"
    async with httpx.AsyncClient() as client:
        answers = [
            await client.get(url, params={"chat_id": DPO, "text": "query"}),
            await client.post(url, data={"chat_id": str(DPO), "text": "form"}),
            await client.post(url, json={"chat_id": DPO, "text": "json"}),
            await client.post(url, files={"chat_id": (None, str(DPO)), "text": (None, "multipart")}),
            await client.post(url, json={"text": "nobody"}),
            await client.post(
                url, content=b'{"chat_id": 700000001, "text": "\\ud800"}', headers={"content-type": "application/json"}
            ),
        ]
    assert [a.status_code for a in answers] == [200, 200, 200, 200, 400, 400]
    assert answers[4].json() == {"ok": False, "error_code": 400, "description": "Bad Request: chat_id is empty"}
    assert [m.text for m in server.messages(DPO)] == ["query", "form", "json", "multipart"]


async def test_scripted_faults(server, bot):
    server.fault("sendMessage", 429, "Too Many Requests: retry after 7", retry_after=7)
    server.fault("sendMessage", 500, "Internal Server Error", times=2)
    with pytest.raises(RetryAfter):
        await bot.send_message(DPO, "un")
    for _ in range(2):
        with pytest.raises(NetworkError, match="Internal Server Error"):
            await bot.send_message(DPO, "deux")
    server.answer_html("*")
    with pytest.raises(TelegramError, match="Invalid server response"):
        await bot.send_message(DPO, "trois")
    server.drop("sendMessage", after=True)
    with pytest.raises(NetworkError):
        await bot.send_message(DPO, "quatre")
    await bot.send_message(DPO, "cinq")

    assert [m.text for m in server.messages(DPO)] == ["quatre", "cinq"]
    sent = [(c.params["text"], c.status) for c in server.requests if c.method == "sendMessage"]
    assert sent == [("un", 429), ("deux", 500), ("deux", 500), ("trois", 200), ("quatre", None), ("cinq", 200)]
    with pytest.raises(ValueError, match="no method"):
        server.fault("sendMesage", 500, "x")


async def test_a_call_that_hangs_can_be_let_go(server, bot):
    server.hang("sendMessage")
    call = asyncio.create_task(bot.send_message(DPO, "x", read_timeout=30))
    assert await asyncio.to_thread(server.wait_until, lambda s: s.requests[-1].method == "sendMessage")
    server.release()
    with pytest.raises(NetworkError):
        await call
    assert server.messages(DPO) == []


async def test_the_server_goes_and_comes_back_with_what_it_knew(server, bot):
    update_id = server.say(DPO, "avant")
    server.stop()
    with pytest.raises(NetworkError):
        await bot.get_me()
    server.start()

    assert [u.update_id for u in await bot.get_updates()] == [update_id]


async def test_it_runs_in_the_callers_loop_too(clock):
    async with BotApiServer(now=clock.now) as server, bot_of(server) as bot:
        poll = asyncio.create_task(bot.get_updates(timeout=15))
        update_id = server.say(DPO, "ici")
        assert [u.update_id for u in await poll] == [update_id]


def test_every_update_is_readable_by_the_library(server):
    said = server.update(server.say(DPO, "x", chat_id=-1_001_000_000_001))
    answered = server.say(DPO, "y", chat_id=-1_001_000_000_001, reply_to=said["message"]["message_id"])
    update = Update.de_json(server.update(answered), None)

    seen = (update.message.text, update.message.chat.type, update.message.reply_to_message.text)
    assert seen == ("y", "supergroup", "x")


def test_a_token_has_the_right_form(clock):
    with pytest.raises(ValueError, match="a token is"):
        BotApiServer(now=clock.now, token="secret")
