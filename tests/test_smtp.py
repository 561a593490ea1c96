"""Mail out (SmtpMailer), mail in by push (SmtpIntake) and the sandbox's sink, all over real sockets on loopback."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.base import PermanentRefusal, RawMessage, TemporaryRefusal, Uncertain
from bot.channels.smtp_in import SmtpIntake
from bot.channels.smtp_out import SmtpMailer
from bot.channels.transport import is_loopback
from bot.sandbox.smtp import Attempt, SmtpSink
from tests.servers import Certificate, ScriptedServer, free_port, make_certificate

T = TypeVar("T")
NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
MAIL = b"From: dpo@mije.example\r\nSubject: Votre demande\r\n\r\nBonjour,\r\n.\r\nun point seul.\r\n"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


def make_mailer(server: Any, **changes: Any) -> SmtpMailer:
    known = {"host": server.host, "port": server.port, "tls": "none", "hostname": "dpobot.example"}
    return SmtpMailer(**(known | changes))


def send(
    mailer: SmtpMailer, *, to: str = "lea@guest.example", mime: bytes = MAIL, sender: str = "dpo@mije.example"
) -> str:
    return mailer.send(sender=sender, recipient=to, mime=mime)


# Out


def test_a_letter_arrives_byte_by_byte_and_the_answer_is_kept(sink):
    answer = send(make_mailer(sink))

    assert answer == "250 2.0.0 taken as 1"
    assert sink.attempts == [
        Attempt("dpo@mije.example", ("lea@guest.example",), "250 2.0.0 taken as 1", taken=True, raw=MAIL)
    ]


def test_a_letter_with_an_empty_return_path(sink):
    send(make_mailer(sink), sender="")

    assert [attempt.sender for attempt in sink.taken] == [""]


@given(
    st.lists(
        st.sampled_from([b".", b"..", b"a", b"\r\n", b"\n", b"\r", b"\xc3\xa9", b" ", b".\r\n", b"\0"]), max_size=30
    )
)
@settings(max_examples=100, deadline=None)
def test_any_text_arrives_with_its_line_ends_made_regular(module_sink, pieces):
    mime = b"Subject: x\r\n\r\n" + b"".join(pieces)

    send(make_mailer(module_sink), mime=mime)

    lines = mime.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    assert module_sink.taken[-1].raw == lines + (b"" if lines.endswith(b"\r\n") else b"\r\n")


@pytest.fixture(scope="module")
def module_sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


FATES = {
    "4xx at the greeting": (
        lambda sink: sink.refuse("421 4.3.2 full of lea@guest.example", stage="connect"),
        TemporaryRefusal,
        "the server takes no mail from us now (421 4.3.2). It is tried again; if that lasts, ask its operator",
    ),
    "5xx at the greeting": (
        lambda sink: sink.refuse("554 5.7.1 go away", stage="connect"),
        TemporaryRefusal,
        "the server takes no mail from us now (554 5.7.1). It is tried again; if that lasts, ask its operator",
    ),
    "4xx for the sender": (
        lambda sink: sink.refuse("451 4.7.1 greylisted", stage="mail"),
        TemporaryRefusal,
        "the server refused the sender (451 4.7.1). It is tried again",
    ),
    "5xx for the sender": (
        lambda sink: sink.refuse("550 5.7.1 dpo@mije.example may not", stage="mail"),
        PermanentRefusal,
        "the server refused the sender (550 5.7.1). It will not be taken as it is: a person must look",
    ),
    "login wanted": (
        lambda sink: sink.refuse("530 5.7.0 Authentication required", stage="mail"),
        TemporaryRefusal,
        "the server wants a login or more protection (530 5.7.0). Check user, password and tls; it is tried again",
    ),
    "4xx for the recipient": (
        lambda sink: sink.refuse("452 4.2.2 mailbox full"),
        TemporaryRefusal,
        "the server refused the recipient (452 4.2.2). It is tried again",
    ),
    "5xx for the recipient": (
        lambda sink: sink.refuse("550 5.1.1 no lea here"),
        PermanentRefusal,
        "the server refused the recipient (550 5.1.1). It will not be taken as it is: a person must look",
    ),
    "4xx for the letter": (
        lambda sink: sink.refuse("451 later", stage="data"),
        TemporaryRefusal,
        "the server refused the letter (451). It is tried again",
    ),
    "5xx for the letter": (
        lambda sink: sink.refuse("554 5.6.0 spam", stage="data"),
        PermanentRefusal,
        "the server refused the letter (554 5.6.0). It will not be taken as it is: a person must look",
    ),
    "broken before DATA": (
        lambda sink: sink.drop_before_data(),
        TemporaryRefusal,
        "the server broke the connection or fell silent. It is tried again",
    ),
    "broken after DATA": (
        lambda sink: sink.drop_after_data(),
        Uncertain,
        "the connection broke after the letter was handed over. It may have left: look for it at the server or ask "
        "the recipient before sending it again",
    ),
}


@pytest.mark.parametrize("name", FATES)
def test_what_became_of_a_letter_is_told_exactly(name, sink):
    prepare, kind, sentence = FATES[name]
    prepare(sink)

    with pytest.raises(Exception) as told:  # noqa: PT011  # the kind is compared below
        send(make_mailer(sink))

    assert (type(told.value), str(told.value)) == (kind, f"127.0.0.1:{sink.port}: {sentence}")
    assert [attempt.taken for attempt in sink.attempts] == [name == "broken after DATA"]
    assert send(make_mailer(sink)).startswith("250 ")


def test_a_letter_broken_off_before_its_end_was_not_handed_over(sink):
    sink.drop_during_data()

    with pytest.raises(TemporaryRefusal, match="broke the connection"):
        send(make_mailer(sink), mime=MAIL * 200_000)

    assert sink.taken == []


SMTP_SCRIPT: dict[str, bytes | None] = {
    r"(?i)^[eh][eh]lo": b"250 odd.example\r\n",
    r"^MAIL": b"250 OK\r\n",
    r"^RCPT": b"250 OK\r\n",
    r"^DATA": b"354 go ahead\r\n",
    r"(?i)^quit": b"221 bye\r\n",
}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, Uncertain),
        ({r"^\.$": b"what?\r\n"}, Uncertain),
        ({r"^\.$": None}, Uncertain),
        ({r"^\.$": b"250 OK\r\n"}, None),
        ({r"^RCPT": b"251 will forward\r\n", r"^\.$": b"250 OK\r\n"}, None),
        ({r"^RCPT": b"what?\r\n"}, TemporaryRefusal),
        ({r"^DATA": b"250 OK\r\n"}, TemporaryRefusal),
        ({r"^MAIL": None}, TemporaryRefusal),
        ({r"(?i)^[eh][eh]lo": b"502 no\r\n"}, TemporaryRefusal),
    ],
    ids=[
        "silence",
        "gibberish",
        "hangs up",
        "taken",
        "forwarded",
        "gibberish for RCPT",
        "no 354",
        "gone at MAIL",
        "no EHLO",
    ],
)
def test_odd_servers(changes, kind):
    with ScriptedServer(b"220 odd.example\r\n", {**SMTP_SCRIPT, **changes}) as server:
        mailer = make_mailer(server, final_timeout=0.3)
        if kind is None:
            assert send(mailer) == "250 OK"
        else:
            with pytest.raises(kind):
                send(mailer)


def test_a_silent_server_nobody_and_an_unknown_host_are_temporary():
    port = free_port()
    with ScriptedServer(None, {}) as silent:
        with pytest.raises(TemporaryRefusal, match="fell silent"):
            send(make_mailer(silent, timeout=0.2))
        with pytest.raises(TemporaryRefusal, match="nothing listens there"):
            send(SmtpMailer(host="127.0.0.1", port=port, tls="none"))
        with pytest.raises(TemporaryRefusal, match=r"smtp\.nowhere\.invalid:465: the host name is not known"):
            send(SmtpMailer(host="smtp.nowhere.invalid"))


@pytest.mark.parametrize(
    ("sender", "to"),
    [
        ("dpo@mije.example", "lea@guest.example>\r\nRCPT TO:<all@guest.example"),
        ("dpo@mije.example", "lea"),
        ("dpo@mije.example", ""),
        ("dpo@mije.example", "lea@guest.example, max@guest.example"),
        ("dpo mije.example", "lea@guest.example"),
        ("dpo@mije.example", "l\udce9a@guest.example"),
    ],
)
def test_what_is_no_address_never_reaches_the_server(sender, to, sink):
    with pytest.raises(PermanentRefusal) as told:
        send(make_mailer(sink), sender=sender, to=to)

    assert "lea" not in str(told.value)
    assert sink.attempts == []


def test_addresses_beyond_ascii_use_smtputf8(sink):
    send(make_mailer(sink), to="léa@château.example", mime="Subject: été\r\n\r\nàé\r\n".encode())

    assert [attempt.recipients for attempt in sink.taken] == [("léa@château.example",)]


def test_without_smtputf8_only_the_domain_can_be_translated():
    with SmtpSink(smtputf8=False) as sink:
        send(make_mailer(sink), to="lea@château.example")
        with pytest.raises(PermanentRefusal, match="no SMTPUTF8"):
            send(make_mailer(sink), to="léa@guest.example")
        with pytest.raises(PermanentRefusal, match="no SMTPUTF8"):
            send(make_mailer(sink), mime="Subject: été\r\n\r\nx\r\n".encode())

        assert [attempt.recipients for attempt in sink.taken] == [("lea@xn--chteau-xta.example",)]


def test_a_letter_too_large_for_the_server_is_refused_for_good():
    with SmtpSink(max_size=100) as sink, pytest.raises(PermanentRefusal, match=r"refused the sender \(552\)"):
        send(make_mailer(sink), mime=MAIL * 2)


@pytest.mark.parametrize("password", ["secret", "pässwörd €"])
def test_login(password):
    with SmtpSink(user="dpo@mije.example", password=password) as sink:
        good = make_mailer(sink, user="dpo@mije.example", password=lambda: password)
        wrong = make_mailer(sink, user="dpo@mije.example", password=lambda: password + "x")

        assert good.check() == f"127.0.0.1:{sink.port}: tls none, logged in, SMTPUTF8 8BITMIME SIZE"
        assert send(good) == "250 2.0.0 taken as 1"
        with pytest.raises(TemporaryRefusal) as told:
            send(wrong)
        assert str(told.value) == (
            f"127.0.0.1:{sink.port}: the server refused the login (535 5.7.8). Check user name and password. "
            "Basic authentication (a password) may be disabled there: give an OAuth2 token (XOAUTH2) instead, "
            "or an application password where the provider offers one"
        )
        assert len(sink.attempts) == 1


def test_login_with_a_token():
    with SmtpSink(user="dpo@mije.example", password="token") as sink:
        assert send(make_mailer(sink, user="dpo@mije.example", oauth_token=lambda: "token")) == "250 2.0.0 taken as 1"
        with pytest.raises(TemporaryRefusal, match="The OAuth2 token is not accepted: renew it"):
            send(make_mailer(sink, user="dpo@mije.example", oauth_token=lambda: "stale"))


def test_a_login_the_server_does_not_offer_and_a_password_that_cannot_be_had(sink):
    def command() -> str:
        raise OSError("secret path")

    with pytest.raises(TemporaryRefusal, match="does not offer STARTTLS or a login as set"):
        make_mailer(sink, user="dpo", password=lambda: "x").check()
    with SmtpSink(user="dpo", password="x") as locked, pytest.raises(TemporaryRefusal) as told:
        make_mailer(locked, user="dpo", password=command).check()
    assert "could not be had (OSError)" in str(told.value)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_tls(tls, certificate):
    with SmtpSink(tls=tls, certificate=certificate.server_context(), user="dpo", password="secret") as sink:
        known = {"tls": tls, "user": "dpo", "password": lambda: "secret"}

        assert send(make_mailer(sink, **known, ca_file=certificate.cert)) == "250 2.0.0 taken as 1"
        with pytest.raises(TemporaryRefusal, match=r"certificate is not trusted \(self-signed certificate\)"):
            send(make_mailer(sink, **known))
        assert len(sink.attempts) == 1


def test_without_starttls_nothing_is_sent(sink):
    with pytest.raises(TemporaryRefusal, match="does not offer STARTTLS"):
        send(make_mailer(sink, tls="starttls"))
    with pytest.raises(TemporaryRefusal, match="no TLS connection"):
        send(make_mailer(sink, tls="implicit"))

    assert sink.attempts == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"tls": "none", "host": "smtp.mije.example"}, "this machine only"),
        ({"user": "dpo"}, "belong together"),
        ({"password": str}, "belong together"),
        ({"user": "dpo", "password": str, "oauth_token": str}, "not both"),
    ],
)
def test_settings_that_contradict_each_other(changes, complaint):
    known: dict[str, Any] = {"host": "localhost", "tls": "implicit"}

    with pytest.raises(ValueError, match=complaint):
        SmtpMailer(**(known | changes))


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost.mije.example", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("127.0.0.1.mije.example", False),
        ("", False),
    ],
)
def test_what_counts_as_this_machine(host, here):
    assert is_loopback(host) is here


# The sink


def test_the_sink_writes_each_mail_it_takes_into_its_folder(tmp_path):
    with SmtpSink(folder=tmp_path / "out") as sink:
        sink.refuse(times=2, recipient="max@guest.example")
        for to in ("lea@guest.example", "max@guest.example", "max@guest.example", "max@guest.example"):
            try:
                send(make_mailer(sink), to=to, mime=b"Subject: " + to.encode() + b"\r\n\r\nx\r\n")
            except TemporaryRefusal:
                continue

        assert [(attempt.recipients, attempt.taken) for attempt in sink.attempts] == [
            (("lea@guest.example",), True),
            (("max@guest.example",), False),
            (("max@guest.example",), False),
            (("max@guest.example",), True),
        ]
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {
        "0001.eml": b"Subject: lea@guest.example\r\n\r\nx\r\n",
        "0002.eml": b"Subject: max@guest.example\r\n\r\nx\r\n",
    }


def test_the_sink_can_be_stopped_and_started_again_on_its_port(sink):
    mailer = make_mailer(sink)
    sink.stop()
    with pytest.raises(TemporaryRefusal, match="nothing listens there"):
        send(mailer)
    sink.restart()
    sink.refuse()
    sink.clear_faults()

    assert send(mailer) == "250 2.0.0 taken as 1"


# In


class Intake:
    """A running listener and what it delivered."""

    def __init__(self, **changes: Any) -> None:
        self.delivered: list[RawMessage] = []
        known: dict[str, Any] = {
            "name": "mx",
            "host": "127.0.0.1",
            "port": 0,
            "deliver": self.delivered.append,
            "now": lambda: NOON,
            "recipients": ["DPO@mije.example"],
        }
        self.listener = SmtpIntake(**(known | changes))

    @property
    def host(self) -> str:
        return self.listener.host

    @property
    def port(self) -> int:
        return self.listener.port


@pytest.fixture
async def make_intake() -> AsyncIterator[Callable[..., Awaitable[Intake]]]:
    made: list[Intake] = []

    async def make(**changes: Any) -> Intake:
        made.append(Intake(**changes))
        await made[-1].listener.start()
        return made[-1]

    yield make
    for intake in made:
        await intake.listener.stop()


async def blocking(action: Callable[[], T]) -> T:
    return await asyncio.to_thread(action)


async def test_a_message_is_delivered_with_its_envelope(make_intake):
    intake = await make_intake()

    answer = await blocking(lambda: send(make_mailer(intake), to="dpo@MIJE.example", sender="lea@guest.example"))

    (message,) = intake.delivered
    assert message == RawMessage("smtp:mx", message.external_id, NOON, MAIL, "lea@guest.example", ("dpo@MIJE.example",))
    assert answer == f"250 2.0.0 stored as {message.external_id}"


async def test_a_bounce_has_an_empty_sender_and_every_message_a_name_of_its_own(make_intake):
    intake = await make_intake()

    for _ in range(2):
        await blocking(lambda: send(make_mailer(intake), to="dpo@mije.example", sender=""))

    assert [message.envelope_from for message in intake.delivered] == ["", ""]
    assert len({message.external_id for message in intake.delivered}) == 2


async def test_the_sender_is_told_250_only_when_the_message_is_stored(make_intake):
    order: list[str] = []
    entered, stored = threading.Event(), threading.Event()

    def deliver(_message: RawMessage) -> None:
        entered.set()
        stored.wait(30)
        order.append("stored")

    intake = await make_intake(deliver=deliver)
    sending = asyncio.create_task(blocking(lambda: send(make_mailer(intake), to="dpo@mije.example")))
    sending.add_done_callback(lambda _: order.append("answered"))
    await blocking(entered.wait)
    stored.set()
    await sending
    await asyncio.sleep(0)

    assert order == ["stored", "answered"]


async def test_what_could_not_be_stored_stays_with_the_sender(make_intake, caplog):
    def deliver(_message: RawMessage) -> None:
        raise RuntimeError("disk full of lea@guest.example")

    intake = await make_intake(deliver=deliver)

    with pytest.raises(TemporaryRefusal, match=r"\(451 4\.3\.0\)"):
        await blocking(lambda: send(make_mailer(intake), to="dpo@mije.example"))

    assert [(record.message, record.error) for record in caplog.records] == [("smtp_in.not_stored", "RuntimeError")]


@pytest.mark.parametrize(
    ("accepted", "address", "taken"),
    [
        ({"recipients": ["dpo@mije.example"]}, "dpo@mije.example", True),
        ({"recipients": ["dpo@mije.example"]}, "Dpo@Mije.Example", True),
        ({"recipients": ["dpo@mije.example"]}, "rgpd@mije.example", False),
        ({"recipients": ["dpo@mije.example"]}, "dpo@mije.example.evil.example", False),
        ({"recipients": [], "domains": ["mije.example"]}, "anybody@mije.example", True),
        ({"recipients": [], "domains": ["@MIJE.example"]}, "anybody@mije.example", True),
        ({"recipients": [], "domains": ["mije.example"]}, "anybody@sub.mije.example", False),
        ({"recipients": [], "domains": ["château.example"]}, "dpo@xn--chteau-xta.example", True),
        ({"recipients": [], "domains": ["château.example"]}, "dpo@château.example", True),
    ],
)
async def test_only_our_own_addresses_are_accepted(accepted, address, taken, make_intake):
    intake = await make_intake(**accepted)

    if taken:
        await blocking(lambda: send(make_mailer(intake), to=address))
    else:
        with pytest.raises(PermanentRefusal, match=r"refused the recipient \(550 5\.1\.1\)"):
            await blocking(lambda: send(make_mailer(intake), to=address))

    assert len(intake.delivered) == taken


def test_a_listener_without_addresses_would_be_a_relay_or_a_wall():
    with pytest.raises(ValueError, match="recipients or domains"):
        Intake(recipients=[])


async def test_too_large_is_refused_whether_announced_or_not(make_intake):
    intake = await make_intake(max_size=1000)

    def unannounced() -> tuple[int, bytes]:
        with smtplib.SMTP(intake.host, intake.port, local_hostname="mx.example") as smtp:
            smtp.ehlo()
            smtp.mail("lea@guest.example")
            smtp.rcpt("dpo@mije.example")
            return smtp.data(b"x" * 70 + b"\r\n" + b"y" * 2000)

    with pytest.raises(PermanentRefusal, match=r"\(552\)"):
        await blocking(lambda: send(make_mailer(intake), to="dpo@mije.example", mime=MAIL * 20))
    assert (await blocking(unannounced))[0] == 552
    assert intake.delivered == []


async def test_lines_longer_than_the_standard_allows_are_borne(make_intake):
    intake = await make_intake()
    mime = b"Subject: one line\r\n\r\n" + b"<p>" * 100_000 + b"\r\n"

    await blocking(lambda: send(make_mailer(intake), to="dpo@mije.example", mime=mime))

    assert [message.raw for message in intake.delivered] == [mime]


async def test_senders_beyond_ascii_and_broken_ones(make_intake):
    intake = await make_intake()

    def broken() -> int:
        with smtplib.SMTP(intake.host, intake.port, local_hostname="mx.example") as smtp:
            smtp.ehlo()
            smtp.send(b"MAIL FROM:<l\xe9a@guest.example>\r\n")
            return smtp.getreply()[0]

    await blocking(lambda: send(make_mailer(intake), to="dpo@mije.example", sender="léa@château.example"))

    assert [message.envelope_from for message in intake.delivered] == ["léa@château.example"]
    assert await blocking(broken) == 553


def lmtp_session(port: int, recipients: list[str]) -> list[int]:
    """Deliver one message by LMTP and return every code after DATA's 354."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection, connection.makefile("rb") as answers:

        def answer() -> int:
            while (line := answers.readline())[3:4] == b"-":
                pass
            return int(line[:3])

        def say(command: str) -> int:
            connection.sendall(command.encode() + b"\r\n")
            return answer()

        assert answer() == 220
        assert say("LHLO mx.example") == 250
        assert say("MAIL FROM:<lea@guest.example>") == 250
        accepted = [code for code in [say(f"RCPT TO:<{to}>") for to in recipients] if code == 250]
        assert say("DATA") == 354
        connection.sendall(b"Subject: x\r\n\r\nBonjour\r\n.\r\n")
        codes = [answer() for _ in accepted]
        assert say("QUIT") == 221
        return codes


async def test_lmtp_answers_once_for_each_accepted_recipient(make_intake):
    intake = await make_intake(protocol="lmtp", recipients=["dpo@mije.example", "rgpd@mije.example"])

    codes = await blocking(
        lambda: lmtp_session(intake.port, ["dpo@mije.example", "nobody@mije.example", "rgpd@mije.example"])
    )

    assert codes == [250, 250]
    assert [(message.envelope_to, message.raw) for message in intake.delivered] == [
        (("dpo@mije.example", "rgpd@mije.example"), b"Subject: x\r\n\r\nBonjour\r\n")
    ]


async def test_lmtp_answers_each_recipient_when_nothing_was_stored(make_intake):
    def deliver(_message: RawMessage) -> None:
        raise RuntimeError

    intake = await make_intake(protocol="lmtp", deliver=deliver, domains=["mije.example"])

    assert await blocking(lambda: lmtp_session(intake.port, ["a@mije.example", "b@mije.example"])) == [451, 451]


async def test_lmtp_does_not_speak_smtp(make_intake):
    intake = await make_intake(protocol="lmtp")

    with pytest.raises(TemporaryRefusal, match=r"takes no mail from us now \(500\)"):
        await blocking(lambda: send(make_mailer(intake), to="dpo@mije.example"))


async def test_starttls_is_offered_with_a_certificate(make_intake, certificate):
    intake = await make_intake(tls_context=certificate.server_context())

    await blocking(lambda: send(make_mailer(intake, tls="starttls", ca_file=certificate.cert), to="dpo@mije.example"))

    assert [message.raw for message in intake.delivered] == [MAIL]


async def stop_after_a_while(intake: Intake) -> None:
    await asyncio.sleep(0.2)
    await intake.listener.stop()


async def still_running(task: asyncio.Task[None]) -> bool:
    """Tell whether *task* waits for something; on a slow machine this says yes too readily, never no."""
    done, _ = await asyncio.wait([task], timeout=0.4)
    return not done


async def test_a_sender_who_hangs_up_while_the_message_is_stored_leaves_it_stored(make_intake):
    entered, gone = threading.Event(), threading.Event()
    delivered: list[bytes] = []

    def deliver(message: RawMessage) -> None:
        entered.set()
        gone.wait(30)
        delivered.append(message.raw)

    def hang_up() -> None:
        smtp = smtplib.SMTP(intake.host, intake.port, local_hostname="mx.example")
        smtp.ehlo()
        smtp.mail("lea@guest.example")
        smtp.rcpt("dpo@mije.example")
        smtp.docmd("DATA")
        smtp.send(MAIL.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        entered.wait(30)
        smtp.close()

    intake = await make_intake(deliver=deliver)
    await blocking(hang_up)
    stopping = asyncio.create_task(stop_after_a_while(intake))
    assert await still_running(stopping)
    gone.set()
    await stopping

    assert delivered == [MAIL]


async def test_stopping_lets_a_delivery_finish_and_tells_the_sender(make_intake):
    entered, go_on = threading.Event(), threading.Event()

    def deliver(_message: RawMessage) -> None:
        entered.set()
        go_on.wait(30)

    intake = await make_intake(deliver=deliver)
    sending = asyncio.create_task(blocking(lambda: send(make_mailer(intake), to="dpo@mije.example")))
    await blocking(entered.wait)
    stopping = asyncio.create_task(intake.listener.stop())
    assert await still_running(stopping)
    go_on.set()
    await stopping
    await intake.listener.stop()

    assert (await sending).startswith("250 2.0.0 stored as ")
    with pytest.raises(TemporaryRefusal, match="nothing listens there"):
        await blocking(lambda: send(make_mailer(intake), to="dpo@mije.example"))
