"""Whole journeys: from raw mail in the mailbox to the reply that the DPO approved in chat, and the case closed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from bot.clock import MovedClock
from bot.sandbox.bot_api import BotApiServer
from bot.sandbox.smtp import SmtpSink
from store.sealing import new_master_key
from tests.servers import DOVECOT, Dovecot, make_certificate
from tests.world import DEPUTY, DPO, STRANGER, World, mail, make_mailbox, paris, text_of

pytest_plugins = ("tests.pg",)
needs_dovecot = pytest.mark.skipif(DOVECOT is None, reason="Dovecot is not installed (Debian: dovecot-imapd)")
CAMILLE = "Camille Durand <camille.durand@courrier.example>"
TOM = "Tom Whitfield <tom.whitfield@post.example>"
ACCESS_FR = (
    "Bonjour,\n\nNous avons séjourné chez vous en octobre (réservation MJ-2025-10882). J'aimerais savoir quelles données "
    "personnelles vous avez sur moi, et en recevoir une copie.\n\nCordialement,\nCamille Durand\n"
)
ERASURE_EN = (
    "Hello,\n\nI stayed with you in 2023. Please delete my account and all the personal data you hold about me.\n\n"
    "Thanks,\nTom Whitfield\n"
)
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + b"\0" * 64 + b"\xff\xd9"


def make_world(tmp_path, mailbox, **changes) -> Iterator[World]:
    clock = MovedClock(paris("2026-03-02 09:00"))
    with SmtpSink() as sink, BotApiServer(now=clock.now) as chat:
        for user in (DPO, DEPUTY, STRANGER):
            chat.add_chat(user)
        made = World(tmp_path / "data", mailbox=mailbox, sink=sink, chat=chat, clock=clock, **changes)
        yield made
        made.app.close()


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    with make_mailbox() as mailbox:
        yield from make_world(tmp_path, mailbox)


@pytest.fixture(params=["pymap", pytest.param("dovecot", marks=needs_dovecot)])
def any_world(request, tmp_path) -> Iterator[World]:
    if request.param == "pymap":
        with make_mailbox() as mailbox:
            yield from make_world(tmp_path, mailbox)
    else:
        with Dovecot(make_certificate(tmp_path)) as mailbox:
            yield from make_world(tmp_path, mailbox)


@pytest.fixture
def world_on_postgresql(tmp_path, postgres_server) -> Iterator[World]:
    store = {"data_dir": str(tmp_path / "data"), "url": postgres_server.new_database(migrated=False)}
    with make_mailbox() as mailbox:
        yield from make_world(tmp_path, mailbox, store={**store, "master_key": new_master_key()})


def reply_to(world: World, sender: str, body: str, *, attach: bool = False, **headers: str) -> bytes:
    """A person's reply to our newest mail, with a picture of a document if *attach*."""
    from email import policy
    from email.message import EmailMessage

    ours = world.sent(sender.partition("<")[2].strip(">"))[-1]
    made = EmailMessage(policy=policy.SMTP)
    made["From"], made["To"], made["Subject"] = sender, "dpo@mije.com", f"Re: {ours['Subject']}"
    made["Message-ID"] = f"<reply-{len(world.dispositions())}@courrier.example>"
    made["In-Reply-To"] = made["References"] = ours["Message-ID"]
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(body)
    if attach:
        made.add_attachment(JPEG, maintype="image", subtype="jpeg", filename="cni.jpg")
    return made.as_bytes()


def test_from_a_french_mail_to_the_approved_answer_and_the_closed_case(any_world):
    world = any_world
    world.arrive(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))

    (first,) = world.sent("camille.durand@courrier.example")
    assert first["Auto-Submitted"] == "auto-replied"
    assert "DSR-2026-0001" in first["Subject"]
    assert "document d'identité" in text_of(first)
    case = world.case("DSR-2026-0001")
    assert (case.primary, case.state, case.identity, case.due) == ("access", "awaiting_identity", "requested", None)
    assert case.due_if_not_paused == date(2026, 4, 2)

    world.clock.advance(timedelta(days=3))
    world.arrive(reply_to(world, CAMILLE, "Voici la copie de ma carte d'identité.\n", attach=True))
    case = world.case("DSR-2026-0001")
    assert (case.identity, case.due) == (
        "received",
        date(2026, 4, 7),
    )  # the month + 3 days = Easter Sunday; Monday is a holiday

    assert world.press("Identité vérifiée").startswith("Identité vérifiée")
    refused = world.press("Approuver et envoyer")
    assert refused.startswith("À corriger d'abord")
    assert len(world.sent("camille.durand@courrier.example")) == 1
    world.fill(text="Nom, adresse électronique et dates du séjour d'octobre 2025.")
    assert world.press("Approuver et envoyer").startswith("Approuvé")

    answer = world.sent("camille.durand@courrier.example")[-1]
    assert answer["Auto-Submitted"] is None
    assert answer["In-Reply-To"].startswith("<reply-")
    assert "Nom, adresse électronique et dates du séjour d'octobre 2025." in text_of(answer)
    assert "CNIL" in text_of(answer)
    assert "[[" not in text_of(answer)
    assert world.case("DSR-2026-0001").state == "answered"

    assert world.press("Clore") == "Dossier DSR-2026-0001 clos."
    assert world.case("DSR-2026-0001").state == "closed"
    assert world.events("DSR-2026-0001") == [
        "case_opened",
        "draft_proposed",
        "draft_approved",
        "letter_sent",
        "identity_requested",
        "message_added",
        "identity_received",
        "identity_verified",
        "draft_proposed",
        *["draft_edited"] * world.events("DSR-2026-0001").count("draft_edited"),
        "draft_approved",
        "letter_sent",
        "closed",
    ]


def test_from_an_english_mail_to_the_approved_answer_and_the_closed_case(any_world):
    world = any_world
    world.arrive(mail(ERASURE_EN, sender=TOM, subject="please delete my account"))

    (first,) = world.sent("tom.whitfield@post.example")
    assert "identity" in text_of(first)
    assert world.case("DSR-2026-0001").primary == "erasure"

    world.arrive(reply_to(world, TOM, "Here is the copy of my ID card.\n", attach=True))
    world.press("Identité vérifiée")
    world.fill(text="Your account and your contact details.")
    assert world.press("Approuver et envoyer").startswith("Approuvé")
    answer = world.sent("tom.whitfield@post.example")[-1]
    assert "Your account and your contact details." in text_of(answer)
    assert "Kind regards" in text_of(answer) or "Yours" in text_of(answer)
    world.press("Clore")
    assert world.case("DSR-2026-0001").state == "closed"


def test_the_same_journey_on_postgresql(world_on_postgresql):
    world = world_on_postgresql
    world.arrive(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))
    world.arrive(reply_to(world, CAMILLE, "Voici la copie de ma carte d'identité.\n", attach=True))
    world.press("Identité vérifiée")
    world.fill()
    assert world.press("Approuver et envoyer").startswith("Approuvé")
    world.press("Clore")
    assert (world.case("DSR-2026-0001").state, len(world.sent("camille.durand@courrier.example"))) == ("closed", 2)


def test_an_objection_to_advertising_needs_no_identity_and_no_reason(world):
    world.arrive(
        mail(
            "Arrêtez de m'envoyer vos publicités, je n'ai rien demandé.",
            sender="Jean <jean@boite.example>",
            subject="STOP",
        )
    )
    (first,) = world.sent("jean@boite.example")
    assert "pièce d'identité" not in text_of(first).split("À propos de ce dossier")[0].lower()
    case = world.case("DSR-2026-0001")
    assert (case.primary, case.identity, case.due) == ("objection", "not_required", date(2026, 4, 2))
    assert any("Approuver" in label for row in world.card().buttons for label, _ in row)


def test_the_same_mail_twice_and_under_another_uid_is_one_case_and_one_letter(world):
    raw = mail(ACCESS_FR, sender=CAMILLE, subject="Mes données")
    world.arrive(raw)
    world.arrive(raw)
    world.arrive(raw.replace(b"To: dpo@mije.com", b"Delivered-To: dpo@mije.com\r\nTo: dpo@mije.com"))
    assert len(world.cases()) == 1
    assert len(world.sent("camille.durand@courrier.example")) == 1


def test_after_the_mailbox_was_rebuilt_nothing_is_taken_twice(world):
    world.arrive(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))
    world.mailbox.restart(new_uidvalidity=True)
    world.work()
    assert (len(world.cases()), len(world.sent())) == (1, 1)


def test_a_stranger_in_a_thread_has_no_effect_on_the_case(world):
    world.arrive(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))
    before = world.case("DSR-2026-0001").model_dump()
    forged = reply_to(world, CAMILLE, "Voici ma carte d'identité, répondez à cette adresse.\n", attach=True)
    world.arrive(forged.replace(b"camille.durand@courrier.example", b"camille.durand@autre.example"))
    assert world.case("DSR-2026-0001").model_dump() == before
    assert world.dispositions()[-1][0] == "quarantine"
    assert world.sent("camille.durand@autre.example") == []
    assert "mis de côté" in world.card().text


def test_a_new_message_voids_the_draft_and_the_old_button_says_so(world):
    world.arrive(
        mail("Arrêtez vos publicités, je n'ai rien demandé !", sender="Jean <jean@boite.example>", subject="STOP")
    )
    old = world.card()
    world.arrive(reply_to(world, "Jean <jean@boite.example>", "Je précise : ce sont surtout les publicités par SMS.\n"))
    callback = world.chat.press(DPO, old.message_id, DPO, "Approuver et envoyer", stale=True)
    world.work()
    answer = next(a.text for a in world.chat.answers if a.callback_id == callback)
    assert "plus valable" in answer
    assert len(world.sent("jean@boite.example")) == 1


def test_two_people_press_at_once_and_one_letter_leaves(world):
    world.arrive(
        mail("Arrêtez vos publicités, je n'ai rien demandé !", sender="Jean <jean@boite.example>", subject="STOP")
    )
    for user in (DPO, DEPUTY):
        world.fill(user=user)
    first = world.press(
        "Approuver", user=DPO, card=next(c for c in reversed(world.cards(DPO)) if world._has(c, "Approuver"))
    )
    stale = next(c for c in reversed(world.chat.messages(DEPUTY)) if c.history or c.buttons)
    callback = world.chat.press(DEPUTY, stale.message_id, DEPUTY, "Approuver et envoyer", stale=True)
    world.work()
    second = next(a.text for a in world.chat.answers if a.callback_id == callback)
    assert (first[:8], second) == ("Approuvé", "Déjà approuvé par dpo.")
    assert len(world.sent("jean@boite.example")) == 2


def test_a_stranger_who_presses_is_refused(world):
    world.arrive(
        mail("Arrêtez vos publicités, je n'ai rien demandé !", sender="Jean <jean@boite.example>", subject="STOP")
    )
    world.chat.add_chat(-5, title="Équipe", kind="group")
    card = world.card()
    data = card.buttons[0][0][1]
    callback = world.chat.press(STRANGER, card.message_id, DPO, data, forged=True)
    world.work()
    assert next(a for a in world.chat.answers if a.callback_id == callback).text == "Vous n'êtes pas autorisé."
    assert len(world.sent("jean@boite.example")) == 1


def test_a_crash_between_claim_and_answer_never_sends_twice(world):
    world.sink.drop_after_data()
    world.arrive(
        mail("Arrêtez vos publicités, je n'ai rien demandé !", sender="Jean <jean@boite.example>", subject="STOP")
    )
    world.restart()
    world.work()
    assert len(world.sink.taken) == 1
    assert "letter_uncertain" in world.events("DSR-2026-0001")
    assert any("peut-être partie" in c.text for c in world.cards())


def test_a_temporary_refusal_is_tried_again_and_a_final_one_is_told(world):
    world.sink.refuse("451 4.3.0 try later")
    world.arrive(
        mail("Arrêtez vos publicités, je n'ai rien demandé !", sender="Jean <jean@boite.example>", subject="STOP")
    )
    assert world.sink.taken == []
    world.clock.advance(timedelta(minutes=2))
    world.work()
    assert len(world.sent("jean@boite.example")) == 1
    world.sink.refuse("550 5.1.1 no such user", times=1)
    world.fill()
    world.press("Approuver")
    assert "letter_failed" in world.events("DSR-2026-0001")
    assert any("n'est pas partie" in c.text for c in world.cards())


def test_robots_lists_and_no_requests_get_no_answer(world):
    world.arrive(
        mail(
            "Je suis absente jusqu'au 16 mars.",
            sender="a@voyages.example",
            subject="Réponse automatique : facture",
            Auto_Submitted="auto-replied",
        )
    )
    world.arrive(
        mail(
            "Bonjour, peut-on arriver une heure plus tard samedi ? Réservation MJ-2026-1.",
            sender="b@posta.example",
            subject="Arrivée tardive",
        )
    )
    assert world.sent() == []
    assert world.cases() == []


def test_a_real_request_with_robot_headers_reaches_the_dpo_and_gets_no_automatic_answer(world):
    world.arrive(
        mail(ACCESS_FR, sender=CAMILLE, subject="Mes données", Auto_Submitted="auto-generated", Precedence="bulk")
    )
    assert world.sent() == []
    assert [case.primary for case in world.cases()] == ["access"]
    assert "DSR-2026-0001" in world.card().text


def test_our_own_mail_coming_back_starts_no_loop(world):
    world.arrive(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))
    ours = world.sink.taken[0].raw
    world.arrive(ours)
    assert world.dispositions()[-1][0] == "ignored"
    assert len(world.sent()) == 1


def test_nothing_personal_is_readable_in_the_store(world):
    world.arrive(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))
    world.arrive(reply_to(world, CAMILLE, "Voici ma carte.\n", attach=True))
    found = [
        path.name
        for path in (world.folder).rglob("*")
        if path.is_file() and any(mark in path.read_bytes() for mark in (b"camille", b"Camille", b"10882", JPEG))
    ]
    assert found == []


def test_the_document_is_destroyed_a_day_after_the_decision_and_the_text_stays(world):
    world.arrive(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))
    world.arrive(reply_to(world, CAMILLE, "Voici ma carte.\n", attach=True))
    world.press("Identité vérifiée")
    world.pass_time(paris("2026-03-04 09:00"))
    assert "identity_document_deleted" in world.events("DSR-2026-0001")
    from store import messages
    from store.models import Message
    from store.sealing import SealingError

    with world.app.database.reading() as session:
        message = session.get(Message, 2)
        assert "Voici ma carte." in messages.view(session, world.app.vault, message)["text"]
        with pytest.raises(SealingError):
            messages.raw(session, world.app.vault, message)


def test_in_chat_personal_data_are_masked_and_what_leaves_is_not(world):
    world.arrive(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))
    world.press("Identité vérifiée")
    world.fill()
    seen = "\n".join(m.text for m in world.chat.messages(DPO))
    assert "camille.durand" not in seen.lower()
    assert "Camille" not in seen
    assert "10882" in text_of(world.sent()[0]) or "Camille Durand" in text_of(world.sent()[0])
    world.press("Approuver")
    assert "Camille Durand" in text_of(world.sent()[-1])


def test_an_edit_over_the_masked_draft_keeps_the_real_values(world):
    world.arrive(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))
    world.press("Identité vérifiée")
    world.press("Lire en entier")
    shown = next(m.text for m in reversed(world.chat.messages(DPO)) if "Bonjour" in m.text and not m.buttons)
    text = shown.partition("\n\n")[2].replace("[.]", ".").replace("[@]", "@")
    import re

    edited = re.sub(r"\[\[.*?\]\]", "EDIT-0001", text, flags=re.DOTALL)
    world.press("Modifier")
    world.type(edited)
    assert world.press("Approuver").startswith("Approuvé")
    answer = text_of(world.sent()[-1])
    assert "Bonjour Camille Durand," in answer
    assert "EDIT-0001" in answer
    assert "•" not in answer


def test_a_request_by_chat_is_taken_with_a_privacy_notice_first(world):
    world.chat.say(
        STRANGER, "Bonjour, je veux une copie de toutes mes données personnelles.", first_name="Zoé", language="fr"
    )
    world.work()
    said = [m.text for m in world.chat.messages(STRANGER) if m.user_id != STRANGER]
    assert "hors de l'Union européenne" in said[0]
    assert "DSR-2026-0001" in said[1]
    case = world.case("DSR-2026-0001")
    assert (case.channel, case.primary) == ("telegram", "access")


def test_a_picture_in_the_public_chat_is_refused_and_not_kept(world):
    world.chat.send_photo(STRANGER, JPEG)
    world.work()
    said = [m.text for m in world.chat.messages(STRANGER) if m.user_id != STRANGER]
    assert "plus sûre" in said[-1]
    assert world.dispositions() == []


def test_due_dates_are_called_and_the_digest_leaves_once_a_week(world):
    world.arrive(
        mail("Arrêtez vos publicités, je n'ai rien demandé !", sender="Jean <jean@boite.example>", subject="STOP")
    )
    world.pass_time(paris("2026-04-04 20:00"))
    digests = world.sent("dpo@mije.com")
    assert len(digests) == 4  # the Mondays after the first start: 9, 16, 23 and 30 March
    assert any("dépassée" in c.text for c in world.cards())


def test_what_the_dpo_files_as_no_request_can_be_reopened(world):
    world.arrive(
        mail("Arrêtez vos publicités, je n'ai rien demandé !", sender="Jean <jean@boite.example>", subject="STOP")
    )
    world.press("Pas une demande")
    assert world.case("DSR-2026-0001").state == "not_request"
    world.press("Rouvrir")
    case = world.case("DSR-2026-0001")
    assert (case.state, case.due) == ("open", date(2026, 4, 2))


def test_a_letter_entered_by_hand_counts_from_the_day_it_came(world, capsys):
    from bot.commands.intake import intake

    assert (
        intake(
            world.app,
            "letter",
            received="2026-02-20",
            name="Paul Roche",
            email="",
            rights=("access",),
            text="Je demande mes données.",
        )
        == 0
    )
    assert capsys.readouterr().out.strip() == "DSR-2026-0001"
    case = world.case("DSR-2026-0001")
    assert (case.channel, case.due_if_not_paused) == ("letter", date(2026, 3, 20))
    assert world.sent() == []


def test_an_unreadable_message_is_set_aside_and_the_rest_goes_on(world):
    world.mailbox.append(b"\xff\xfe\x00" * 50, internal_date=world.clock.now())
    world.arrive(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))
    assert [d[0] for d in world.dispositions()] == ["to_sort", "opened"]


def test_the_journal_holds_after_a_whole_journey(world):
    from store import journal

    world.arrive(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))
    world.arrive(reply_to(world, CAMILLE, "Voici ma carte.\n", attach=True))
    world.press("Identité vérifiée")
    with world.app.database.reading() as session:
        assert journal.verify(session) is None


STOP = "Arrêtez vos publicités, je n'ai rien demandé !"
JEAN = "Jean <jean@boite.example>"


def test_a_new_demand_in_the_thread_has_a_month_of_its_own(world):
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    world.clock.advance(timedelta(days=20))
    world.arrive(reply_to(world, JEAN, "Je demande aussi l'effacement de toutes mes données personnelles.\n"))
    assert [(case.reference, case.primary, case.due_if_not_paused) for case in world.cases()] == [
        ("DSR-2026-0001", "objection", date(2026, 4, 2)),
        ("DSR-2026-0002", "erasure", date(2026, 4, 22)),
    ]
    assert "identité" in text_of(world.sent("jean@boite.example")[-1])


def test_a_new_request_after_the_answer_is_a_new_case(world):
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    world.fill()
    world.press("Approuver")
    world.press("Clore")
    world.clock.advance(timedelta(days=200))
    world.arrive(
        reply_to(world, JEAN, "Je voudrais maintenant une copie de toutes les données que vous avez sur moi.\n")
    )
    assert [case.primary for case in world.cases()] == ["objection", "access"]
    assert world.cases()[1].due_if_not_paused > date(2026, 10, 1)


def test_an_approval_does_not_survive_a_new_message(world):
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    world.fill()
    world.sink.refuse("451 4.3.0 try later", times=1)
    world.press("Approuver")
    world.clock.advance(timedelta(seconds=10))
    world.arrive(reply_to(world, JEAN, "Je précise : ce sont surtout les publicités par SMS.\n"))
    world.clock.advance(timedelta(hours=3))
    world.work()
    assert len(world.sent("jean@boite.example")) == 1
    assert world.case("DSR-2026-0001").state == "open"


def test_changing_to_a_right_that_needs_proof_asks_for_it(world):
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    assert world.do("change_right", "DSR-2026-0001", argument="access").done
    world.work()
    assert world.case("DSR-2026-0001").identity == "pending_dpo_decision"
    assert "demande d'identité" in world.card().text


def test_a_sender_whom_our_own_server_disproves_is_a_stranger(world):
    world.arrive(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))
    verdict = "mx.mije.com; spf=fail smtp.mailfrom=courrier.example; dmarc=fail header.from=courrier.example"
    raw = reply_to(world, CAMILLE, "Voici ma carte d'identité.\n", attach=True)
    world.arrive(b"Authentication-Results: " + verdict.encode() + b"\r\n" + raw)
    assert world.dispositions()[-1][0] == "quarantine"
    assert world.case("DSR-2026-0001").identity == "requested"


def test_proof_that_came_with_the_request_is_not_asked_for_again(world):
    from email import policy
    from email.parser import BytesParser

    made = BytesParser(policy=policy.SMTP).parsebytes(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))
    made.add_attachment(JPEG, maintype="image", subtype="jpeg", filename="CNI Durand.jpg")
    world.arrive(made.as_bytes())
    case = world.case("DSR-2026-0001")
    assert (case.identity, case.due) == ("received", date(2026, 4, 2))
    assert "identity_requested" not in world.events("DSR-2026-0001")


def test_a_request_by_chat_survives_a_chat_that_does_not_answer(world):
    world.chat.fault("sendMessage", 429, "Too Many Requests", retry_after=5)
    world.chat.say(
        STRANGER, "Bonjour, je veux une copie de toutes mes données personnelles.", first_name="Zoé", language="fr"
    )
    world.work()
    assert [case.primary for case in world.cases()] == ["access"]


def test_a_forward_by_a_colleague_is_a_request_of_the_inner_sender(world):
    body = (
        "Pour toi, merci.\n\n---------- Forwarded message ---------\nDe : Tom Whitfield <tom.whitfield@post.example>\n"
        "Date: lun. 2 mars 2026 à 08:00\nSubject: my data\nTo: <contact@mije.com>\n\n" + ERASURE_EN
    )
    world.arrive(mail(body, sender="Accueil <accueil@mije.com>", subject="TR: my data"))
    (case,) = world.cases()
    with world.app.database.reading() as session:
        from store.cases import person_of

        assert person_of(session, world.app.vault, case).address == "tom.whitfield@post.example"
    assert world.sent() == []  # nothing leaves by itself for an address that was only typed


def test_an_uncertain_letter_is_settled_by_a_person(world):
    world.sink.drop_after_data()
    world.arrive(mail(ACCESS_FR, sender=CAMILLE, subject="Mes données"))
    assert world.case("DSR-2026-0001").identity == "pending_dpo_decision"
    world.press("La lettre est partie")
    assert world.case("DSR-2026-0001").identity == "requested"


def test_in_chat_an_unanswered_case_is_closed_with_a_reason(world):
    world.arrive(mail(STOP, sender=JEAN, subject="STOP"))
    assert "dites pourquoi" in world.press("Clore")
    assert world.case("DSR-2026-0001").state == "open"
    world.type("Doublon d'une demande traitée par courrier.")
    assert world.case("DSR-2026-0001").state == "closed"


def test_a_letter_that_goes_by_post_is_read_at_the_desk_and_noted_as_posted(world, capsys):
    from bot.commands.intake import intake
    from bot.desk.terminal import Terminal

    text = "Arrêtez de m'envoyer vos brochures."
    intake(world.app, "letter", received="2026-02-27", name="Paul Roche", email="", rights=("objection",), text=text)
    world.work()
    while any(label.startswith("Compléter") for row in world.card().buttons for label, _ in row):
        world.fill()
    while world.case("DSR-2026-0001").state == "open" and any(
        label.startswith("Approuver") for row in world.card().buttons for label, _ in row
    ):
        world.press("Approuver")
        world.fill()
    terminal = Terminal(world.app, world.settings.desk.users[0], ask=lambda prompt: "", say=lambda said: None)
    terminal._files("case:1")
    letters = sorted((world.folder / "desk" / "case-1").glob("a-poster-*.txt"))
    assert any("Paul Roche" in letter.read_text(encoding="utf-8") for letter in letters)
    world.press("Lettre postée")
    assert world.case("DSR-2026-0001").state == "answered"
