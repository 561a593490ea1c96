"""A group as the desk's room: orders from configured users only, nothing of the person on what it shows, texts in private."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.test_desk_chat import GROUP, JEAN, STOP, a_world, said
from tests.world import DEPUTY, DPO, STRANGER, World, mail

OTHER_GROUP = -1009876543210


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    for made in a_world(tmp_path):
        assert made.chat is not None
        made.chat.add_chat(OTHER_GROUP, title="Ailleurs", kind="supergroup")
        telegram = made.settings.telegram.model_copy(update={"desk_group": GROUP})
        made.settings = made.settings.model_copy(update={"telegram": telegram})
        made.restart()
        from tests.fakes import WordReader

        made.app.load_reader = WordReader
        yield made


@pytest.fixture
def request_in(world) -> World:
    world.arrive(mail(STOP + "\nJean Roche, né le 3 mars 1980, 06 12 34 56 78", sender=JEAN, subject="Hôpital"))
    return world


def everything(world: World, chat: int) -> str:
    assert world.chat is not None
    return "\n".join(
        message.text for message in world.chat.messages(chat) if message.user_id not in (DPO, DEPUTY, STRANGER)
    )


def test_the_card_comes_to_the_group_once_and_says_nothing_of_the_person(request_in):
    assert len(request_in.cards(GROUP)) == 1
    assert request_in.cards(DPO) == request_in.cards(DEPUTY) == []
    card = request_in.card(GROUP).text
    assert card.startswith("■ Nouvelle demande\nDossier DSR-2026-0001 – opposition (art. 21)")
    assert "De : (courriel, français)" in card
    assert "en privé" in card
    for personal in (
        "Jean",
        "Roche",
        "J. R.",
        "boite",
        "j•••",
        "Hôpital",
        "publicités",
        "1980",
        "Bonjour",
        "06 12",
        "0612",
    ):
        assert personal not in card, personal


def test_reading_and_writing_happen_in_private_and_an_order_is_carried_out_in_the_group(request_in):
    world = request_in
    assert world.press("Lire en entier", user=DEPUTY, chat=GROUP) == "Réponse en privé."
    assert "Bonjour J. R." in said(world, DEPUTY)[-1].replace("\u200b", "")
    while any(world._has(card, "Compléter") for card in world.cards(GROUP)):
        assert world.press("Compléter", user=DPO, chat=GROUP) == "Réponse en privé."
        assert "Que mettre à la place" in said(world, DPO)[-1]
        world.type("C'est arrêté. EDIT-0009", user=DPO)
    assert "EDIT-0009" not in everything(world, GROUP)
    told = world.press("Approuver", user=DPO, chat=GROUP)
    assert told.startswith("Approuvé : la lettre du dossier DSR-2026-0001 part.")
    assert len([m for m in world.sent("jean@boite.example") if "EDIT-0009" in str(m.get_body())]) == 1
    assert "Jean" not in everything(world, GROUP)


def test_somebody_who_never_wrote_in_private_is_told_to(request_in):
    world = request_in
    assert world.chat is not None
    world.chat.block(DEPUTY)
    assert world.press("Lire en entier", user=DEPUTY, chat=GROUP).startswith("Écrivez-moi d'abord en privé")
    assert "Bonjour" not in everything(world, GROUP)


def test_a_stranger_in_the_group_gives_no_orders_and_gets_nothing(request_in):
    world = request_in
    before = everything(world, GROUP)
    assert world.press("Refuser le projet", user=STRANGER, chat=GROUP) == "Vous n'êtes pas autorisé."
    assert world.chat is not None
    for text in ("/cases", "/case DSR-2026-0001", "Bonjour", "/start"):
        world.chat.say(STRANGER, text, chat_id=GROUP)
        world.work()
    assert everything(world, GROUP) == before
    assert said(world, STRANGER) == []
    assert world.events("DSR-2026-0001")[-1] != "draft_rejected"


def test_the_desk_asks_for_cards_in_the_group_and_its_talk_is_nobody_elses_business(request_in):
    world = request_in
    assert world.chat is not None
    count = len(world.chat.messages(GROUP))
    for text in ("tu as vu DSR-2026-0001 ?", "oui, j'approuve", "/cases@somebody_else_bot"):
        world.chat.say(DPO, text, chat_id=GROUP)
        world.work()
    assert len(world.chat.messages(GROUP)) == count + 3
    world.chat.say(DPO, "/cases", chat_id=GROUP)
    world.work()
    assert said(world, GROUP)[-1].startswith("DSR-2026-0001 – opposition")
    world.chat.say(DEPUTY, "/case DSR-2026-0001", chat_id=GROUP)
    world.work()
    assert "De : (courriel, français)" in world.card(GROUP).text
    world.chat.say(DPO, "/new guichet 02/03/2026 Paul Ferry effacement\nEffacez.", chat_id=GROUP)
    world.work()
    assert said(world, GROUP)[-1].startswith("Écrivez-moi d'abord en privé")
    assert [case.reference for case in world.cases()] == ["DSR-2026-0001"]


def test_any_other_group_is_ignored(request_in):
    world = request_in
    assert world.chat is not None
    for who, text in (
        (DPO, "/cases"),
        (DPO, "/case DSR-2026-0001"),
        (STRANGER, "Effacez mes données."),
        (DPO, "/start"),
    ):
        world.chat.say(who, text, chat_id=OTHER_GROUP)
        world.work()
    assert everything(world, OTHER_GROUP) == ""
    assert len(world.cases()) == 1


def test_a_card_asked_for_in_private_is_drawn_anew_as_well(request_in):
    world = request_in
    assert world.chat is not None
    world.chat.say(DEPUTY, "/case DSR-2026-0001")
    world.work()
    assert "J. R." in world.card(DEPUTY).text
    world.press("Je m'en charge", user=DPO, chat=GROUP)
    assert "En charge : dpo" in world.card(DEPUTY).text
    assert "En charge : dpo" in world.card(GROUP).text
