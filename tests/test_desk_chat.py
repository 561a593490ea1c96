"""The desk in chat: live messages, stale cards, long texts, groups, absence, people who write; against the local Bot API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select

from bot.clock import MovedClock
from bot.desk import roster
from bot.desk.first_run import code_for
from bot.sandbox.bot_api import BotApiServer
from bot.sandbox.smtp import SmtpSink
from store.models import Sighting
from tests.fakes import WordReader
from tests.world import DEPUTY, DPO, STRANGER, World, mail, make_mailbox, paris, text_of

GROUP = -1001234567890
JEAN = "Jean Roche <jean@boite.example>"
STOP = "Bonjour, arrêtez vos publicités."
USERS = [
    {"key": "dpo", "name": "Claude Martinez", "role": "dpo", "telegram_id": DPO},
    {"key": "deputy", "name": "Adjointe", "role": "deputy", "telegram_id": DEPUTY},
]


def a_world(tmp_path: Any, **changes: Any) -> Iterator[World]:
    clock = MovedClock(paris("2026-03-02 09:00"))
    with make_mailbox() as mailbox, SmtpSink() as sink, BotApiServer(now=clock.now) as chat:
        for user in (DPO, DEPUTY, STRANGER):
            chat.add_chat(user)
        chat.add_chat(GROUP, title="Équipe", kind="supergroup")
        made = World(tmp_path / "data", mailbox=mailbox, sink=sink, chat=chat, clock=clock, **changes)
        made.app.load_reader = WordReader
        yield made
        made.app.close()


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    yield from a_world(tmp_path)


def said(world: World, user: int) -> list[str]:
    """What the program wrote in a chat, in order."""
    assert world.chat is not None
    return [message.text for message in world.chat.messages(user) if message.user_id != user]


def test_an_edit_of_several_messages_is_put_together_and_shown_word_by_word(world):
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    world.press("Modifier")
    first = "Bonjour,\n\n" + "C'est fait, vos publicités sont arrêtées. " * 95
    world.chat.say(DPO, first)
    world.work()
    assert said(world, DPO)[-1].startswith("Reçu ; la suite ?")
    world.chat.say(DPO, "EDIT-0002 " + "et plus rien ne partira. " * 160)
    world.work()
    world.chat.say(DPO, "/fin")
    world.work()
    told = "\n".join(said(world, DPO))
    assert "Version 2 enregistrée ; à approuver." in told
    assert "Par rapport au texte précédent, qui est celui du modèle :" in told
    assert "{+" in told
    world.press("Approuver", card=next(c for c in reversed(world.cards(DPO)) if world._has(c, "Approuver")))
    answer = text_of(world.sent("jean@boite.example")[-1])
    assert "C'est fait" in answer
    assert "EDIT-0002" in answer


def test_a_long_text_file_is_the_whole_letter(world):
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    world.press("Modifier")
    world.chat.send_document(DPO, "lettre.txt", ("Bonjour, c'est fait, et rien ne partira plus.\n" * 150).encode())
    world.work()
    assert "Version 2 enregistrée ; à approuver." in said(world, DPO)
    assert not any(text.startswith("Reçu ; la suite") for text in said(world, DPO))


def test_a_letter_may_be_edited_by_a_text_file_and_no_other(world):
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    world.press("Modifier")
    world.chat.send_document(DPO, "lettre.txt", b"\xff\xfe\x00 broken")
    world.work()
    assert said(world, DPO)[-1].startswith("Je n'ai pas pu lire ce fichier")
    world.chat.send_document(DPO, "lettre.txt", b"Bonjour, c'est fait. EDIT-0003")
    world.work()
    assert "Version 2 enregistrée ; à approuver." in "\n".join(said(world, DPO))


def test_what_is_said_in_a_group_is_ignored_even_from_the_dpo(world):
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    world.chat.say(DPO, "/cases", chat_id=GROUP)
    world.chat.say(STRANGER, "Bonjour, je veux une copie de mes données.", chat_id=GROUP)
    world.work()
    assert [m for m in world.chat.messages(GROUP) if m.user_id not in (DPO, STRANGER)] == []
    assert len(world.cases()) == 1


def test_an_older_card_says_what_came_between(world):
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    old = world.card()
    assert world.do("change_right", "DSR-2026-0001", argument="complaint").done
    world.work()
    key = next(data for row in old.buttons for text, data in row if text == "Clore")
    callback = world.chat.press(DPO, old.message_id, DPO, key, forged=True)
    world.work()
    answer = next(a.text for a in world.chat.answers if a.callback_id == callback)
    assert answer.startswith("Rien n'est fait : le dossier a changé depuis cette carte (droit changé (dpo)).")
    assert world.case("DSR-2026-0001").state == "open"


def test_a_button_works_only_under_its_own_message(world):
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    card = world.card()
    key = next(data for row in card.buttons for text, data in row if text.startswith("Je m'en charge"))
    world.chat.say(DPO, "/cases")
    world.work()
    other = [m for m in world.chat.messages(DPO) if m.user_id != DPO][-1]
    for user, message in ((DPO, other.message_id), (DEPUTY, world.card(DEPUTY).message_id)):
        callback = world.chat.press(user, message, user, key, forged=True)
        world.work()
        answer = next(a.text for a in world.chat.answers if a.callback_id == callback)
        assert answer.startswith(("Cette carte n'est plus à jour", "Ce bouton appartient à une autre conversation"))
    assert world.case("DSR-2026-0001").charge == ""
    assert world.press("Je m'en charge", card=card) == "Vous êtes en charge."


def test_rarer_actions_are_behind_one_button(world):
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    world.press("Autres actions")
    world.press("Mettre en attente")
    assert "le délai légal court toujours" in world.type("litige")
    assert "EN ATTENTE depuis le 2 mars 2026" in [c for c in world.cards() if world._has(c, "Autres actions")][-1].text


def test_a_request_is_entered_in_chat_with_its_date_of_receipt(world):
    told = world.type("/new courrier 2026-02-27 Paul Ferry accès\nJe voudrais une copie de mes données.")
    assert told.startswith("Dossier DSR-2026-0001 ouvert, reçu le 27 février 2026")


def test_automatic_mail_is_stopped_and_resumed_in_chat(world):
    assert world.type("/halt").startswith("Envois automatiques arrêtés")
    assert world.type("/cases").startswith("⚠ Envois automatiques arrêtés")
    assert world.type("/resume").startswith("Les envois automatiques reprennent")
    assert world.type("/cases") == "Rien."


def test_while_the_dpo_is_away_cards_go_to_the_deputy(world):
    told = world.type("/absence deputy 2026-03-02 2026-03-06")
    assert "deputy reçoit les cartes de dpo" in told
    before = len(world.cards(DPO))
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    assert len(world.cards(DPO)) == before
    assert world.card(DEPUTY).text.startswith("En l'absence de Claude Martinez")


def test_a_code_links_an_account_and_a_wrong_one_is_a_stranger(tmp_path):
    users = [{**USERS[0], "telegram_id": None}, USERS[1]]
    for world in a_world(tmp_path, desk={"users": users, "language": "fr"}):
        code = code_for(world.app, world.settings.desk.users[0]).rpartition(" ")[2]
        world.chat.say(STRANGER, "/start wrong")
        world.chat.say(DPO, f"/start {code}")
        world.work()
        assert "Vous écrivez à l'assistant" in said(world, STRANGER)[-1]
        assert said(world, DPO) == ["Compte relié au bureau (dpo). /help dit ce que vous pouvez faire."]
        with world.app.database.reading() as session:
            linked = roster.by_telegram(session, world.app, DPO)
        assert linked is not None
        world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
        assert world.card(DPO).text.startswith("■ Nouvelle demande")


def test_a_closed_bot_refuses_politely_once(tmp_path):
    for world in a_world(tmp_path, telegram={"token": "700:x", "public": False}):
        assert world.chat is not None
        settings = world.settings.model_copy(
            update={
                "telegram": world.settings.telegram.model_copy(
                    update={
                        "token": type(world.settings.telegram.token)(world.chat.token),
                        "base_url": world.chat.base_url.removesuffix("/bot"),
                    }
                )
            }
        )
        world.settings = settings
        world.restart()
        for _ in range(3):
            world.chat.say(STRANGER, "Bonjour, je veux une copie de mes données.")
            world.work()
        assert [text[:36] for text in said(world, STRANGER)] == ["Ce compte est réservé à l'équipe. Po"]
        assert world.cases() == []


def test_nothing_of_one_persons_case_is_shown_to_another_account(world):
    world.chat.say(STRANGER, "Bonjour, je voudrais une copie de mes données.", first_name="Zoé")
    world.work()
    other = 788888888
    world.chat.add_chat(other)
    world.chat.say(other, "DSR-2026-0001 : où en est mon dossier ? /case DSR-2026-0001")
    world.chat.say(other, "/case DSR-2026-0001")
    world.chat.say(other, "/cases")
    world.work()
    told = "\n".join(said(world, other))
    assert [word for word in ("Zoé", "accès", "avril") if word in told] == []
    with world.app.database.reading() as session:
        places = [row.external_id for row in session.exec(select(Sighting)).all()]
    assert [place for place in places if str(STRANGER) in place or str(other) in place] == []


def test_the_notice_reaches_the_chat_with_the_round_that_took_the_message_in(world):
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    received = world.clock.now()
    assert world.card().date is not None
    assert (world.clock.now() - received).total_seconds() <= 2
    assert "Nouvelle demande" in world.card().text


HOSTILE = (
    "*gras* _x_ [lien](http://mal.example)", "<b>gras</b><script>alert(1)</script>", "\u202egnp.exe\u202c", "{{7*7}}{% raw %}",
    "/start /cases@bot", "@quelquun #tag $CASH", "tg://user?id=1", "a\r\nBcc: x@y.example", "\x1b[31mrouge", "0" * 300,
)  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_subjects_and_texts_are_inert_in_chat(world, hostile):
    made = mail(f"{STOP}\n{hostile}", sender=JEAN, subject=" ".join(hostile.split()))
    world.arrive(made)
    world.press("Lire en entier")
    shown = [m for m in world.chat.messages(DPO) if m.user_id != DPO]
    clickable = {
        "url",
        "text_link",
        "mention",
        "text_mention",
        "bot_command",
        "hashtag",
        "cashtag",
        "email",
        "phone_number",
    }
    assert [e for m in shown for e in m.entities if e["type"] in clickable] == []
    assert not any(sign in m.text for m in shown for sign in ("\u202e", "\x1b"))


def chat_code(world: World, user: int) -> str:
    """The newest code that was given in a chat."""
    return re.findall(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b", "\n".join(said(world, user)))[-1]


def test_who_wrote_in_chat_goes_on_by_mail_with_the_code_given_there(world):
    world.chat.say(STRANGER, "Bonjour, arrêtez vos publicités.", first_name="Zoé")
    world.work()
    world.chat.send_photo(STRANGER, b"\xff\xd8\xff\xe0" + b"\0" * 64)
    world.work()
    code = chat_code(world, STRANGER)
    zoe = "Zoé <zoe@courrier.example>"

    world.arrive(mail("Voici la suite, code 2222-3333.", sender=zoe, subject="DSR-2026-0001"))
    assert world.dispositions()[-1][0] == "quarantine"
    world.arrive(mail(f"Voici la suite. Le code : {code}", sender=zoe, subject="Dossier DSR-2026-0001"))

    assert world.dispositions()[-1][0] == "added"
    world.fill()
    assert world.press("Approuver").startswith("Approuvé")
    assert "prospection" in text_of(world.sent("zoe@courrier.example")[-1])
    # The code is spent: from anywhere else it moves nothing.
    world.arrive(mail(f"Et ici ? {code}", sender="Mallory <m@boite.example>", subject="DSR-2026-0001"))
    assert world.dispositions()[-1][0] == "quarantine"


def test_codes_that_are_guessed_are_counted_and_then_count_no_more(world):
    world.chat.say(STRANGER, "Bonjour, arrêtez vos publicités.", first_name="Zoé")
    world.chat.say(STRANGER, "/courriel")
    world.work()
    code = chat_code(world, STRANGER)
    for guess in ("2222-2222", "3333-3333", "4444-4444", "5555-5555", "6666-6666"):
        world.arrive(mail(f"Code {guess}", sender="Mallory <m@boite.example>", subject="DSR-2026-0001"))
    world.arrive(mail(f"Code {code}", sender="Mallory <m@boite.example>", subject="DSR-2026-0001"))
    assert {disposition for disposition, _ in world.dispositions()[1:]} == {"quarantine"}


def test_the_desk_sends_a_person_from_the_chat_to_mail(world):
    world.chat.say(STRANGER, "Bonjour, arrêtez vos publicités.", first_name="Zoé")
    world.work()
    world.press("Autres actions")
    assert world.press("Passer au courriel").startswith("Le demandeur reçoit un code")
    assert "sept jours" in said(world, STRANGER)[-1]
