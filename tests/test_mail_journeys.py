"""Mail against the whole program: loops with robots, several mailboxes, forwards, strangers, replay, the switch."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

import pytest
from imapclient import IMAPClient
from sqlmodel import select

from bot import switch
from bot.app import _token_from
from bot.channels.base import InboxError
from bot.channels.clamd import Clamd
from bot.channels.smtp_in import SmtpIntake
from bot.clock import MovedClock
from bot.commands.replay import automatic, replay
from bot.desk.actions import Ask, Told, perform
from bot.desk.terminal import Terminal
from bot.digest import build_digest
from bot.intake import set_aside
from bot.letters import plus_address, reference_in_address
from bot.replay import waiting
from bot.sandbox.imap import ImapServer
from bot.sandbox.smtp import SmtpSink
from bot.settings import SettingsError
from bot.worker import poll, round_once
from handlers.lookalike import is_mixed, resembles
from store.models import Event
from tests.servers import DOVECOT, Dovecot, make_certificate
from tests.world import World, mail, make_mailbox, make_settings, paris, text_of

CAMILLE = "Camille Durand <camille.durand@courrier.example>"
REQUEST = (
    "Bonjour,\n\nJ'aimerais savoir quelles données personnelles vous avez sur moi, et en recevoir une copie.\n\n"
    "Cordialement,\nCamille Durand\n"
)


@contextmanager
def world_on(folder: Path, mailbox: object, **changes: object) -> Iterator[World]:
    with SmtpSink() as sink:
        made = World(
            folder, mailbox=mailbox, sink=sink, chat=None, clock=MovedClock(paris("2026-03-02 09:00")), **changes
        )
        yield made
        made.app.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_mailbox() as mailbox, world_on(tmp_path / "data", mailbox) as made:
        yield made


@pytest.fixture(params=["pymap", "dovecot"])
def any_mailbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[object]:
    if request.param == "dovecot" and DOVECOT is None:
        pytest.skip("Dovecot is not installed (Debian: dovecot-imapd)")
    with make_mailbox() if request.param == "pymap" else Dovecot(make_certificate(tmp_path)) as mailbox:
        yield mailbox


# --- loops -----------------------------------------------------------------------------------------------------------

Robot = Callable[[EmailMessage, int], tuple[str, dict[str, str]]]


def vacation(ours: EmailMessage, number: int) -> tuple[str, dict[str, str]]:
    """Follows RFC 3834 in nothing but its subject."""
    return "Je suis absente jusqu'au 12 mars.\n", {"Subject": f"Réponse automatique : {ours['Subject']}"}


def mute_vacation(ours: EmailMessage, number: int) -> tuple[str, dict[str, str]]:
    """Says in words alone that nobody is there."""
    text = "Bonjour,\n\nActuellement en congés, je vous répondrai à mon retour le 12 mars.\n\nCamille"
    return text, {"Subject": f"Re: {ours['Subject']}", "In-Reply-To": str(ours["Message-ID"])}


def ticket(ours: EmailMessage, number: int) -> tuple[str, dict[str, str]]:
    """Sets no header, answers everything, each time under another number, and quotes us."""
    text = f"Bonjour,\n\nNous avons bien reçu votre message, n° {4400 + number}. Un conseiller vous répondra sous 48 h.\n\n"
    quoted = "\n".join(f"> {line}" for line in text_of(ours).split("\n"))
    return text + quoted, {"Subject": f"[#{4400 + number}] {ours['Subject']}", "In-Reply-To": str(ours["Message-ID"])}


def parrot(ours: EmailMessage, number: int) -> tuple[str, dict[str, str]]:
    """Sets no header, says nothing a robot would say, and asks for something new each time."""
    return f"{REQUEST}\nRéf. interne {number}\n", {"Subject": f"Demande {number}"}


@pytest.mark.parametrize(
    ("robot", "letters"), [(vacation, 1), (mute_vacation, 1), (ticket, 1), (parrot, 5)], ids=lambda each: str(each)[:20]
)
def test_no_robot_makes_a_loop(world: World, robot: Robot, letters: int):
    """Every mail of ours is answered by the robot, for twelve hours."""
    world.arrive(mail(REQUEST, sender=CAMILLE, subject="Mes données"))
    for answered in range(24):
        ours = world.sent("camille.durand@courrier.example")
        if len(ours) == answered and robot is not parrot:
            break
        text, headers = robot(ours[-1], answered)
        made = EmailMessage()
        made["From"], made["To"], made["Message-ID"] = CAMILLE, "dpo@mije.com", f"<robot-{answered}@courrier.example>"
        for name, value in headers.items():
            made[name] = value
        made.set_content(text)
        world.clock.advance(timedelta(minutes=30))
        world.arrive(made.as_bytes())

    assert len(world.sent("camille.durand@courrier.example")) <= letters


def test_budgets_hold_for_a_case_and_the_switch_for_everything(tmp_path: Path):
    with make_mailbox() as mailbox, world_on(tmp_path / "data", mailbox, replies={"per_case_per_day": 0}) as world:
        world.arrive(mail(REQUEST, sender=CAMILLE, subject="Mes données"))
        assert world.sent("camille.durand@courrier.example") == []

    with make_mailbox() as mailbox, world_on(tmp_path / "other", mailbox) as world:
        assert automatic(world.settings, "stop") == 0
        world.arrive(mail(REQUEST, sender=CAMILLE, subject="Mes données"))
        assert (world.sent("camille.durand@courrier.example"), world.case("DSR-2026-0001").identity != "requested") == (
            [],
            True,
        )
        automatic(world.settings, "start")
        assert not switch.stopped(world.settings)


def test_what_was_queued_waits_at_the_switch_and_leaves_afterwards(world: World):
    world.sink.stop()
    world.arrive(mail(REQUEST, sender=CAMILLE, subject="Mes données"))
    switch.stop(world.settings)
    world.sink.restart()
    world.clock.advance(timedelta(hours=1))
    world.work()
    assert world.sent("camille.durand@courrier.example") == []

    switch.start(world.settings)
    world.clock.advance(timedelta(hours=1))
    world.work()
    assert len(world.sent("camille.durand@courrier.example")) == 1


def test_the_desk_throws_the_switch_and_everything_says_so(world: World):
    dpo = world.settings.desk.users[0]

    def press(action: str) -> Told:
        return perform(world.app, Ask(action, "desk"), user=dpo)

    said: list[str] = []
    terminal = Terminal(world.app, dpo, ask=lambda prompt: "q", say=said.append)
    terminal.run()
    assert "Envois automatiques arrêtés" not in "\n".join(said)
    assert not press("start_automatic").done
    assert press("stop_automatic").done
    assert press("stop_automatic").text == "Les envois automatiques sont déjà arrêtés."
    terminal.run()
    assert "Envois automatiques arrêtés" in "\n".join(said)
    world.arrive(mail(REQUEST, sender=CAMILLE, subject="Mes données"))
    assert world.sent("camille.durand@courrier.example") == []
    weekly = build_digest(world.app, now=world.clock.now())
    assert "! Envois automatiques ARRÊTÉS" in weekly.text
    assert "service à vérifier" in weekly.subject

    assert press("start_automatic").done
    assert "ARRÊTÉS" not in build_digest(world.app, now=world.clock.now()).text
    with world.app.database.reading() as session:
        thrown = [e for e in session.exec(select(Event)) if e.type.startswith("automatic_")]
        assert [(e.type, e.actor) for e in thrown] == [("automatic_stopped", "dpo"), ("automatic_started", "dpo")]


def test_a_newsletter_about_your_data_is_no_request_and_a_request_over_a_list_is_one(world: World):
    bulk = {"List_Unsubscribe": "<mailto:stop@promo.example>", "Precedence": "bulk"}
    world.arrive(
        mail(
            "Supprimez vos données du fichier des mauvais payeurs !",
            sender="L <l@promo.example>",
            subject="Vos données",
            **bulk,
        )
    )
    assert (world.cases(), world.dispositions()[-1][0] in ("to_sort", "ignored")) == ([], True)
    world.arrive(mail(REQUEST, sender=CAMILLE, subject="Mes données", **bulk))
    assert [case.reference for case in world.cases()] == ["DSR-2026-0001"]
    assert world.sent("camille.durand@courrier.example") == []


def test_two_people_who_write_through_one_form_have_two_cases(world: World):
    for name in ("Camille Durand", "Paul Imbert"):
        text = f"{REQUEST}\n{name}"
        world.arrive(mail(text, sender="Formulaire <no-reply@formulaire.example>", subject="Mes données"))
    assert [case.reference for case in world.cases()] == ["DSR-2026-0001", "DSR-2026-0002"]


# --- forwards --------------------------------------------------------------------------------------------------------


def test_the_clock_of_a_forward_runs_from_when_the_organisation_first_got_it(world: World):
    body = (
        "Pour toi, merci.\n\nDe : Tom Whitfield <tom.whitfield@post.example>\nEnvoyé : vendredi 20 février 2026 08:00\n"
        f"À : contact@mije.com\nObjet : mes données\n\n{REQUEST}"
    )
    world.arrive(mail(body, sender="Accueil <accueil@mije.com>", subject="TR: mes données"))

    case = world.case("DSR-2026-0001")
    assert (case.received_at, case.due_if_not_paused) == (paris("2026-02-20 08:00"), date(2026, 3, 20))
    assert "forwarded_to_dpo" in world.events("DSR-2026-0001")


def test_a_forward_by_somebody_else_proves_nothing_about_dates(world: World):
    body = (
        "Supprimez mon compte et mes données.\n\n---------- Forwarded message ---------\nDe : MIJE <contact@mije.com>\n"
        "Date: lun. 2 févr. 2026 à 08:00\nSubject: x\nTo: <camille.durand@courrier.example>\n\nVotre réservation"
    )
    world.arrive(mail(body, sender=CAMILLE, subject="Fwd: x"))

    assert [case.received_at for case in world.cases()] in ([], [paris("2026-03-02 09:00")])


# --- strangers and look-alikes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "others", "found"),
    [
        ("dpo@mlje.com", ["mije.com"], "mije.com"),
        ("dpo@rnije.com", ["mije.com"], "mije.com"),
        ("dpo@mije.co", ["mije.com"], "mije.com"),
        ("dpo@mіje.com", ["mije.com"], "mije.com"),
        ("dpo@mijje.com", ["mije.com"], "mije.com"),
        ("dpo@mije.com", ["mije.com"], ""),
        ("dpo@courrier.example", ["mije.com"], ""),
        ("camille.durand@c0urrier.example", ["camille.durand@courrier.example"], "camille.durand@courrier.example"),
        ("camille.durаnd@courrier.example", ["camille.durand@courrier.example"], "camille.durand@courrier.example"),
        ("paul@courrier.example", ["camille.durand@courrier.example"], ""),
        ("camille.durand@autre.example", ["camille.durand@courrier.example"], ""),
    ],
)
def test_addresses_made_to_be_taken_for_others(address: str, others: list[str], found: str):
    assert resembles(address, others) == found


def test_a_word_of_two_scripts_is_seen_also_in_its_encoded_form():
    assert (is_mixed("pаypal.example"), is_mixed("xn--pypal-4ve.example"), is_mixed("bücher.example")) == (
        True,
        True,
        False,
    )


def test_a_look_alike_in_a_thread_is_set_aside_by_that_name_and_changes_nothing(world: World):
    world.arrive(mail(REQUEST, sender=CAMILLE, subject="Mes données"))
    before = world.events("DSR-2026-0001")
    world.arrive(
        mail("Voici ma pièce.", sender="Camille Durand <camille.durand@c0urrier.example>", subject="Re: DSR-2026-0001")
    )

    assert world.dispositions()[-1] == ("quarantine", "lookalike-in-thread")
    assert world.events("DSR-2026-0001") == before


def test_nobody_who_imitates_our_domain_is_answered_by_the_machine(world: World):
    world.arrive(mail(REQUEST, sender="Direction <direction@mlje.com>", subject="Mes données"))

    assert world.sent("direction@mlje.com") == []


# --- several mailboxes -----------------------------------------------------------------------------------------------


def test_two_mailboxes_and_two_folders_are_read_and_one_that_fails_stops_no_other(tmp_path: Path):
    with make_mailbox() as first, ImapServer(user="rgpd@mije.example") as second:
        broken = {"name": "broken", "host": "127.0.0.1", "port": 1, "tls": "none", "user": "x", "password": "x"}
        other = {
            "name": "rgpd", "host": "127.0.0.1", "port": second.port, "tls": "none", "user": second.user,
            "password": second.password, "folders": ["Sent"],
        }  # fmt: skip
        with world_on(tmp_path / "data", first, mailboxes=[broken, other]) as world:
            first.append(mail(REQUEST, sender=CAMILLE, subject="un"), internal_date=world.clock.now())
            tom, ida = "Tom <tom@post.example>", "Ida <ida@post.example>"
            second.append(mail(REQUEST, sender=tom, subject="deux"), internal_date=world.clock.now())
            second.append(mail(REQUEST, sender=ida, subject="trois"), internal_date=world.clock.now(), folder="Sent")
            round_once(world.app)

            assert len(world.cases()) == 3
            assert [inbox.part for inbox in world.app.inboxes] == [
                "imap", "imap:broken/INBOX", "imap:rgpd/INBOX", "imap:rgpd/Sent",
            ]  # fmt: skip


def test_two_mailboxes_of_one_name_are_refused(tmp_path: Path):
    box = {"host": "127.0.0.1", "tls": "none", "user": "x", "password": "x"}

    with pytest.raises(SettingsError, match="same name"):
        make_settings(tmp_path, imap=box, mailboxes=[box])


def test_mail_from_before_the_first_day_is_settled_without_being_fetched(any_mailbox, tmp_path: Path):
    for number in range(5):
        any_mailbox.append(mail(f"vieux {number}", sender=CAMILLE), internal_date=paris(f"2026-01-0{number + 1} 10:00"))
    any_mailbox.append(mail(REQUEST, sender=CAMILLE), internal_date=paris("2026-03-02 08:00"))
    any_mailbox.append(mail("vieux, mais tard venu", sender=CAMILLE), internal_date=paris("2026-01-20 10:00"))
    imap = {
        "host": "127.0.0.1", "port": any_mailbox.port, "tls": "none", "user": any_mailbox.user,
        "password": any_mailbox.password, "since": "2026-03-02",
    }  # fmt: skip
    with world_on(tmp_path / "data", any_mailbox, imap=imap) as world:
        (inbox,) = world.app.inboxes
        assert [raw.received_at for raw in inbox.fetch()] == [paris("2026-03-02 08:00")]
        assert poll(world.app, inbox) == 1
        assert list(inbox.fetch()) == []


def test_a_message_a_person_moves_away_and_back_is_one_message(any_mailbox, tmp_path: Path):
    with world_on(tmp_path / "data", any_mailbox) as world:
        world.arrive(mail(REQUEST, sender=CAMILLE, subject="Mes données"))
        with IMAPClient("127.0.0.1", any_mailbox.port, ssl=False) as client:
            client.login(any_mailbox.user, any_mailbox.password)
            if not client.folder_exists("Traité"):
                client.create_folder("Traité")
            for origin, target in (("INBOX", "Traité"), ("Traité", "INBOX")):
                client.select_folder(origin)
                client.move(client.search("ALL"), target)
        world.work()

        assert ([case.reference for case in world.cases()], len(world.dispositions())) == (["DSR-2026-0001"], 1)


@pytest.mark.skipif(DOVECOT is None, reason="Dovecot is not installed (Debian: dovecot-imapd)")
def test_a_new_uidvalidity_on_a_real_server_takes_nothing_twice(tmp_path: Path):
    with Dovecot(make_certificate(tmp_path)) as mailbox, world_on(tmp_path / "data", mailbox) as world:
        world.arrive(mail(REQUEST, sender=CAMILLE, subject="Mes données"))
        sent = len(world.sent())
        mailbox.restart(new_uidvalidity=True)
        world.restart()
        world.work()

        assert (len(world.cases()), len(world.dispositions()), len(world.sent())) == (1, 1, sent)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/does/not/exist", "no such program"),
        ("false", "failed with status 1"),
        ("true", "printed nothing"),
        ("echo a token", "more than a token"),
        ('echo "', "check its quotes"),
    ],
)
def test_a_token_command_that_gives_no_token_says_what_to_do(command: str, words: str):
    with pytest.raises(InboxError, match=words):
        _token_from(command)()


def test_a_token_command_gives_its_token():
    assert _token_from("echo secret-token")() == "secret-token"


# --- addresses that name the case ------------------------------------------------------------------------------------


def test_an_answer_to_the_plus_address_needs_no_thread(tmp_path: Path):
    with make_mailbox() as mailbox:
        changes = {"mail": {"address": "dpo@mije.com", "from_name": "DPO", "plus_addresses": True}}
        with world_on(tmp_path / "data", mailbox, **changes) as world:
            world.arrive(mail(REQUEST, sender=CAMILLE, subject="Mes données"))
            (ours,) = world.sent("camille.durand@courrier.example")
            address = parseaddr(str(ours["Reply-To"]))[1]
            assert address == plus_address(world.app, "DSR-2026-0001")

            bare = mail("Ma pièce suit par la poste, bien à vous.", sender=CAMILLE, subject="identité")
            world.arrive(bare.replace(b"dpo@mije.com", address.encode(), 1))
            assert world.dispositions()[-1] == ("added", "matched-by-token")

            forged = address.replace("0001", "0002")
            assert (reference_in_address(world.app, address), reference_in_address(world.app, forged)) == (
                "DSR-2026-0001",
                None,
            )


# --- replay ----------------------------------------------------------------------------------------------------------


def test_what_was_set_aside_is_replayed_with_its_old_clock(world: World, capsys: pytest.CaptureFixture[str]):
    from bot.channels.base import RawMessage

    raw = RawMessage("imap:x", "1:1", paris("2026-02-27 10:00"), mail(REQUEST, sender=CAMILLE, subject="Mes données"))
    set_aside(world.app, raw, problem="KeyError")
    (item,) = waiting(world.app)

    assert replay(world.app, [item.message_id, 99]) == 1
    told = capsys.readouterr()
    assert told.out == f"message {item.message_id} is now message 2: opened DSR-2026-0001\n"
    assert "there is no message 99" in told.err
    assert world.case("DSR-2026-0001").received_at == paris("2026-02-27 10:00")
    assert waiting(world.app) == []
    assert replay(world.app, [item.message_id]) == 1  # done already


# --- the scanner -----------------------------------------------------------------------------------------------------


class Scanner:
    """Speaks clamd's protocol on loopback and finds EICAR's first words."""

    def __enter__(self) -> Scanner:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                command = b""
                while not command.endswith(b"\0"):
                    command += stream.read(1)
                if command == b"zPING\0":
                    connection.sendall(b"PONG\0")
                    continue
                data = b""
                while size := struct.unpack("!I", stream.read(4))[0]:
                    data += stream.read(size)
                connection.sendall(b"stream: Eicar FOUND\0" if b"EICAR-STANDARD" in data else b"stream: OK\0")


def test_what_the_scanner_finds_goes_to_a_person_and_a_dead_scanner_holds_nothing_up(tmp_path: Path):
    with Scanner() as scanner, make_mailbox() as mailbox:
        assert (Clamd(scanner.place).scan(b"x" * 200_000), Clamd(scanner.place).check()) == (
            "clean", f"clamd answers at {scanner.place}",
        )  # fmt: skip
        with world_on(tmp_path / "data", mailbox, antivirus={"clamd": scanner.place, "timeout_seconds": 5}) as world:
            world.arrive(mail(f"{REQUEST}\nEICAR-STANDARD", sender=CAMILLE, subject="Mes données"))
            assert world.dispositions()[-1][0] == "to_sort"
    with make_mailbox() as mailbox:
        nowhere = {"clamd": str(tmp_path / "no.sock"), "timeout_seconds": 1}
        with world_on(tmp_path / "other", mailbox, antivirus=nowhere) as world:
            world.arrive(mail(REQUEST, sender=CAMILLE, subject="Mes données"))
            assert [case.reference for case in world.cases()] == ["DSR-2026-0001"]


# --- the listener ----------------------------------------------------------------------------------------------------


async def _talk(port: int, *lines: str) -> list[str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = [(await reader.readline()).decode()]
    for line in lines:
        writer.write(f"{line}\r\n".encode())
        await writer.drain()
        answers.append((await reader.readline()).decode())
    writer.close()
    return answers


async def test_the_listener_keeps_to_its_limits_and_takes_tagged_addresses():
    listener = SmtpIntake(
        name="x", host="127.0.0.1", port=0, deliver=lambda raw: None, now=lambda: paris("2026-03-02 09:00"),
        recipients=["dpo@mije.com", "rgpd@mije.com"], max_connections=1, max_recipients=1,
    )  # fmt: skip
    await listener.start()
    try:
        answers = await _talk(
            listener.port, "HELO x", "MAIL FROM:<a@b.example>", "RCPT TO:<dpo+DSR-2026-0001.abc@mije.com>",
            "RCPT TO:<rgpd@mije.com>", "RCPT TO:<nobody@mije.com>",
        )  # fmt: skip
        assert [answer[:3] for answer in answers] == ["220", "250", "250", "250", "452", "550"]
        await asyncio.sleep(0)
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        reader, second = await asyncio.open_connection("127.0.0.1", listener.port)
        assert (await reader.readline())[:3] in (b"421", b"220")
        writer.close()
        second.close()
    finally:
        await listener.stop()


def test_no_copy_goes_to_those_in_cc(world: World):
    world.arrive(
        mail(REQUEST, sender=CAMILLE, subject="Mes données", Cc="presse@journal.example", Reply_To="x@y.example")
    )

    assert {attempt.recipients for attempt in world.sink.taken} == {
        ("camille.durand@courrier.example",),
        ("dpo@mije.com",),
    }
    assert all(message_from_bytes(attempt.raw)["Cc"] is None for attempt in world.sink.taken)
