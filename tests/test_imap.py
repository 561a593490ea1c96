"""The IMAP channel against two real servers: the embedded one, and Dovecot where it is installed."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.base import InboxError, RawMessage
from bot.channels.imap import (
    FolderRefused,
    ImapInbox,
    LoginRefused,
    OversizeMessage,
    Settled,
)
from bot.channels.imap_client import boundary_of, oauth_status
from bot.sandbox.imap import ImapServer
from tests.servers import (
    DOVECOT,
    Certificate,
    CursorInMemory,
    Dovecot,
    ScriptedServer,
    free_port,
    make_certificate,
    make_token,
)

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
Server = ImapServer | Dovecot

needs_dovecot = pytest.mark.skipif(DOVECOT is None, reason="Dovecot is not installed (Debian: dovecot-imapd)")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(params=["pymap", pytest.param("dovecot", marks=needs_dovecot)])
def server(request: pytest.FixtureRequest, certificate: Certificate) -> Iterator[Server]:
    if request.param == "pymap":
        with ImapServer(user="dpo@mije.example") as running:
            yield running
    else:
        with Dovecot(certificate) as running:
            yield running


@pytest.fixture
def dovecot(certificate: Certificate) -> Iterator[Dovecot]:
    with Dovecot(certificate) as running:
        yield running


@pytest.fixture
def cursor() -> CursorInMemory:
    return CursorInMemory()


@pytest.fixture
def make_inbox(cursor: CursorInMemory) -> Iterator[Callable[..., ImapInbox]]:
    made: list[ImapInbox] = []

    def make(server: Server | ScriptedServer | None = None, **changes: Any) -> ImapInbox:
        known: dict[str, Any] = {"name": "dpo", "cursor": cursor, "tls": "none", "host": "127.0.0.1"}
        if server is not None:
            known |= {"port": server.port, "user": "dpo@mije.example"}
            if "oauth_token" not in changes:
                known["password"] = lambda: getattr(server, "password", "secret")
        made.append(ImapInbox(**(known | changes)))
        return made[-1]

    yield make
    for inbox in made:
        inbox.close()


def mail(subject: str) -> bytes:
    return f"From: Lea <lea@guest.example>\r\nSubject: {subject}\r\n\r\nBonjour\r\n".encode()


def offered(inbox: ImapInbox) -> list[bytes]:
    return [message.raw for message in inbox.fetch()]


def subjects(inbox: ImapInbox) -> list[str]:
    return [re.findall(rb"Subject: (.*)\r", raw)[0].decode() for raw in offered(inbox)]


def later(*actions: Callable[[], object]) -> threading.Thread:
    """Do the actions in another thread, once the test's own thread had the time to begin to wait.

    Too short a pause would make such a test weaker, never red.
    """

    def act() -> None:
        for action in actions:
            time.sleep(0.4)
            action()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


# Reading


def test_messages_come_oldest_first_with_the_time_the_server_took_them_in(server, make_inbox):
    paris = timezone(timedelta(hours=1))
    second = server.append(mail("second"), internal_date=MONDAY + timedelta(hours=1))
    first = server.append(mail("first"), internal_date=MONDAY.astimezone(paris))
    inbox = make_inbox(server)

    messages = list(inbox.fetch())

    source = "imap:127.0.0.1/dpo/INBOX"
    validity = messages[0].external_id.split(":")[0]
    assert inbox.source == source
    assert messages == [
        RawMessage(source, f"{validity}:{first}", MONDAY, mail("first")),
        RawMessage(source, f"{validity}:{second}", MONDAY + timedelta(hours=1), mail("second")),
    ]
    assert {message.received_at.tzinfo for message in messages} == {UTC}


def test_an_empty_mailbox_offers_nothing(server, make_inbox):
    assert list(make_inbox(server).fetch()) == []


def test_reading_and_settling_leave_no_trace_in_the_mailbox(server, make_inbox):
    plain = server.append(mail("plain"), internal_date=MONDAY)
    flagged = server.append(mail("flagged"), internal_date=MONDAY, flags=[r"\Flagged"])
    inbox = make_inbox(server)

    for message in inbox.fetch():
        inbox.settle(message)

    kept = {uid: flags - {r"\Recent"} for uid, flags in server.flags().items()}
    assert kept == {plain: frozenset(), flagged: frozenset({r"\Flagged"})}


def test_a_message_that_people_have_read_is_offered_all_the_same(server, make_inbox):
    server.append(mail("read"), internal_date=MONDAY, flags=[r"\Seen", r"\Answered"])

    assert subjects(make_inbox(server)) == ["read"]


def test_only_settled_messages_are_left_out_whatever_the_order(server, cursor, make_inbox):
    uids = [server.append(mail(str(number)), internal_date=MONDAY) for number in range(4)]
    inbox = make_inbox(server)
    messages = list(inbox.fetch())
    key = (inbox.source, int(messages[0].external_id.split(":")[0]))

    inbox.settle(messages[3])
    inbox.settle(messages[1])

    assert subjects(inbox) == ["0", "2"]
    assert cursor.settled[key] == Settled(uids[0] - 1, frozenset({uids[1], uids[3]}))
    inbox.settle(messages[0])
    assert subjects(inbox) == ["2"]
    assert cursor.settled[key] == Settled(uids[1], frozenset({uids[3]}))
    inbox.settle(messages[2])
    assert subjects(inbox) == []
    assert cursor.settled[key] == Settled(uids[3], frozenset())
    server.append(mail("new"), internal_date=MONDAY - timedelta(days=9))
    assert subjects(inbox) == ["new"]


def test_what_is_settled_survives_a_new_start(server, make_inbox):
    server.append(mail("one"), internal_date=MONDAY)
    server.append(mail("two"), internal_date=MONDAY)
    before = make_inbox(server)
    before.settle(next(iter(before.fetch())))
    before.close()

    assert subjects(make_inbox(server)) == ["two"]


def test_a_message_removed_by_a_person_meanwhile_is_passed_over(server, make_inbox):
    server.append(mail("first"), internal_date=MONDAY)
    gone = server.append(mail("gone"), internal_date=MONDAY + timedelta(hours=1))
    server.append(mail("last"), internal_date=MONDAY + timedelta(hours=2))
    inbox = make_inbox(server)
    messages = inbox.fetch()

    first = next(messages)
    server.remove(gone)

    # A server may go on to show it to a session that was open before.
    rest = [message.raw for message in messages if message.raw != mail("gone")]
    assert [first.raw, *rest] == [mail("first"), mail("last")]
    assert [found.raw for found in make_inbox(server).fetch()] == [mail("first"), mail("last")]


def test_everything_is_offered_again_under_a_new_uidvalidity(server, make_inbox):
    for number in range(2):
        server.append(mail(str(number)), internal_date=MONDAY + timedelta(hours=number))
    inbox = make_inbox(server)
    before = list(inbox.fetch())
    for message in before:
        inbox.settle(message)

    server.restart(new_uidvalidity=True)
    after = list(inbox.fetch())

    assert [message.raw for message in after] == [message.raw for message in before]
    assert {m.external_id.split(":")[0] for m in after}.isdisjoint(m.external_id.split(":")[0] for m in before)


def test_a_change_of_uidvalidity_in_the_middle_ends_the_round(make_inbox):
    with ImapServer(user="dpo@mije.example") as server:
        for number in range(3):
            server.append(mail(str(number)), internal_date=MONDAY + timedelta(hours=number))
        inbox = make_inbox(server, after="seen")
        messages = inbox.fetch()
        first = next(messages)
        server.restart(new_uidvalidity=True)
        inbox.settle(first)

        assert list(messages) == []
        assert subjects(inbox) == ["0", "1", "2"]


def test_a_large_message_arrives_byte_by_byte(server, make_inbox):
    line = bytes(range(32, 107)) + b"\r\n"
    large = mail("large") + line * (25_000_000 // len(line))
    server.append(large, internal_date=MONDAY)

    (message,) = make_inbox(server).fetch()

    assert message.raw == large


def test_of_an_over_large_message_only_the_start_is_fetched(server, make_inbox):
    header = b'Subject: scans\r\nContent-Type: multipart/mixed; boundary="=_b 1"\r\n\r\n'
    first = b"Content-Type: text/plain; charset=utf-8\r\n\r\nCi-joint mes papiers"
    scan = b"Content-Type: application/pdf\r\n\r\n" + b"JVBERi0x\r\n" * 5_000
    whole = header + b"--=_b 1\r\n" + first + b"\r\n--=_b 1\r\n" + scan + b"--=_b 1--\r\n"
    uid = server.append(whole, internal_date=MONDAY)
    inbox = make_inbox(server, max_size=len(whole) - 1)

    (message,) = inbox.fetch()

    assert isinstance(message, OversizeMessage)
    # Servers differ on whether the last line break belongs to the part.
    raw = message.raw.replace(b"papiers\r\n\r\n", b"papiers\r\n")
    assert raw == header + b"--=_b 1\r\n" + first + b"\r\n--=_b 1--\r\n"
    assert (message.external_id.split(":")[1], message.received_at, message.full_size) == (str(uid), MONDAY, len(whole))
    assert [type(found) for found in make_inbox(server, max_size=len(whole)).fetch()] == [RawMessage]


def test_of_an_over_large_message_without_parts_the_start_of_the_text_is_fetched(server, make_inbox):
    whole = mail("long") + b"encore\r\n" * 200_000
    server.append(whole, internal_date=MONDAY)

    (message,) = make_inbox(server, max_size=1_000_000).fetch()

    assert message.raw == whole[: whole.index(b"\r\n\r\n") + 4 + 1_000_000]


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        (b"Content-Type: multipart/mixed; boundary=abc\r\n\r\n", b"abc"),
        (b"Content-Type: text/plain; boundary=abc\r\n\r\n", b""),
        (b"Content-Type: multipart/mixed\r\n\r\n", b""),
        (b"Content-Type: multipart/mixed; boundary*=bogus'charset'%FF\r\n\r\n", b""),
        (b"", b""),
    ],
)
def test_boundary_of_a_header(header, boundary):
    assert boundary_of(header) in {boundary, b"\xff"}


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_hostile_headers_and_challenges_never_raise(data):
    assert isinstance(boundary_of(b"Content-Type: multipart/mixed; boundary=" + data), bytes)
    assert isinstance(oauth_status(data), str)


# Courtesy


def test_a_settled_message_is_marked_as_read_if_asked_for(server, make_inbox):
    uid = server.append(mail("one"), internal_date=MONDAY)
    other = server.append(mail("two"), internal_date=MONDAY)
    inbox = make_inbox(server, after="seen")

    first, _ = inbox.fetch()
    inbox.settle(first)

    flags = {uid: flags - {r"\Recent"} for uid, flags in server.flags().items()}
    assert flags == {uid: frozenset({r"\Seen"}), other: frozenset()}
    assert subjects(inbox) == ["two"]


def test_a_settled_message_is_moved_if_asked_for_into_a_folder_that_is_made(server, make_inbox):
    for number in range(3):
        server.append(mail(str(number)), internal_date=MONDAY + timedelta(hours=number))
    inbox = make_inbox(server, after="move:Traité")

    for message in inbox.fetch():
        if message.raw != mail("1"):
            inbox.settle(message)

    assert server.messages() == [mail("1")]
    assert sorted(server.messages("Traité")) == [mail("0"), mail("2")]


def test_a_courtesy_that_fails_does_not_undo_the_settling(make_inbox, caplog):
    with ImapServer(user="dpo@mije.example") as server:
        server.append(mail("one"), internal_date=MONDAY)
        inbox = make_inbox(server, after="seen")
        (message,) = inbox.fetch()
        server.stop()

        inbox.settle(message)

        assert [record.message for record in caplog.records] == ["imap.courtesy_failed"]
        server.restart()
        assert subjects(inbox) == []


def test_a_message_of_another_mailbox_is_not_settled_here(make_inbox, cursor):
    inbox = make_inbox(None, user="dpo@mije.example", password=str, port=1)

    with pytest.raises(ValueError, match="not from this mailbox"):
        inbox.settle(RawMessage("imap:127.0.0.1/other/INBOX", "1:1", MONDAY, b""))

    assert cursor.settled == {}


# Any order of arrivals, settlings and removals


class _Model:
    """What must hold whatever happens: exactly what is there and not settled is offered."""

    def __init__(self, server: ImapServer, folder: str) -> None:
        self.server, self.folder = server, folder
        self.there: dict[int, bytes] = {}
        self.settled: set[int] = set()
        self.inbox = ImapInbox(
            name="dpo",
            host=server.host,
            port=server.port,
            tls="none",
            user=server.user,
            password=lambda: server.password,
            folder=folder,
            cursor=CursorInMemory(),
        )
        self.arrive(0)

    def arrive(self, pick: int) -> None:
        raw = mail(f"{len(self.there)}-{pick}")
        self.there[self.server.append(raw, internal_date=MONDAY, folder=self.folder)] = raw

    def remove(self, pick: int) -> None:
        if self.there:
            uid = sorted(self.there)[pick % len(self.there)]
            del self.there[uid]
            self.server.remove(uid, self.folder)

    def settle(self, pick: int) -> None:
        messages = self.fetch(pick)
        if messages:
            message = messages[pick % len(messages)]
            self.inbox.settle(message)
            self.settled.add(int(message.external_id.split(":")[1]))

    def fetch(self, _pick: int) -> list[RawMessage]:
        messages = list(self.inbox.fetch())
        found = {int(message.external_id.split(":")[1]): message.raw for message in messages}
        assert found == {uid: raw for uid, raw in self.there.items() if uid not in self.settled}
        return messages


@pytest.fixture(scope="module")
def shared_server() -> Iterator[ImapServer]:
    with ImapServer() as running:
        yield running


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["arrive", "settle", "settle", "remove", "fetch"]), st.integers(0, 5)), max_size=14
    )
)
@settings(max_examples=40, deadline=None)
def test_exactly_what_is_there_and_not_settled_is_offered(shared_server, steps):
    shared_server.rounds = getattr(shared_server, "rounds", 0) + 1
    model = _Model(shared_server, f"round-{shared_server.rounds}")
    try:
        for action, pick in steps:
            getattr(model, action)(pick)
        model.fetch(0)
    finally:
        model.inbox.close()


# Waiting


def test_waiting_ends_when_a_message_comes(server, make_inbox):
    inbox = make_inbox(server, poll_every=1000)
    assert subjects(inbox) == []

    arrival = later(lambda: server.append(mail("new"), internal_date=MONDAY))

    assert inbox.wait(60) is True
    arrival.join()
    assert subjects(inbox) == ["new"]


def test_waiting_does_not_miss_what_came_before_it_began(server, make_inbox):
    inbox = make_inbox(server, poll_every=1000)
    assert subjects(inbox) == []
    server.append(mail("early"), internal_date=MONDAY)

    assert inbox.wait(60) is True


def test_messages_known_but_not_settled_do_not_end_the_waiting(server, make_inbox):
    server.append(mail("known"), internal_date=MONDAY)
    inbox = make_inbox(server)
    assert subjects(inbox) == ["known"]

    assert inbox.wait(0.2) is False


def test_a_person_who_reads_meanwhile_does_not_end_the_waiting(make_inbox):
    with ImapServer(user="dpo@mije.example") as server:
        server.append(mail("known"), internal_date=MONDAY)
        inbox, person = make_inbox(server), make_inbox(server, after="seen", cursor=CursorInMemory(), name="person")
        assert subjects(inbox) == ["known"]
        (message,) = person.fetch()
        reading = later(lambda: person.settle(message))

        assert inbox.wait(1) is False
        reading.join()


def test_waiting_is_ended_from_another_thread(server, make_inbox):
    inbox = make_inbox(server)
    assert subjects(inbox) == []
    waking = later(inbox.wake)

    assert inbox.wait(60) is False
    waking.join()
    inbox.wake()
    assert inbox.wait(60) is False
    assert inbox.wait(0.1) is False


def test_idle_is_renewed_and_still_hears(server, make_inbox):
    inbox = make_inbox(server, idle_renewal=0.1, poll_every=1000)
    assert subjects(inbox) == []
    arrival = later(lambda: server.append(mail("new"), internal_date=MONDAY))

    assert inbox.wait(60) is True
    arrival.join()


def test_waiting_outlives_a_server_that_restarts(server, make_inbox):
    inbox = make_inbox(server, poll_every=1000)
    assert subjects(inbox) == []
    restart = later(server.stop, server.restart, lambda: server.append(mail("new"), internal_date=MONDAY))

    assert inbox.wait(60) is True
    restart.join()
    assert subjects(inbox) == ["new"]


def test_a_server_gone_for_good_is_told_by_the_next_fetch(server, make_inbox):
    inbox = make_inbox(server)
    assert subjects(inbox) == []
    stopping = later(server.stop)

    assert inbox.wait(1.5) is False
    stopping.join()
    with pytest.raises(InboxError, match="nothing listens there"):
        list(inbox.fetch())
    server.restart()
    assert subjects(inbox) == []


def test_a_connection_that_broke_between_two_rounds_is_opened_again(server, make_inbox):
    server.append(mail("one"), internal_date=MONDAY)
    inbox = make_inbox(server)
    assert subjects(inbox) == ["one"]

    server.restart()

    assert subjects(inbox) == ["one"]


def test_a_connection_that_breaks_in_the_middle_is_told_and_opened_again(server, make_inbox):
    for number in range(3):
        server.append(mail(str(number)), internal_date=MONDAY + timedelta(hours=number))
    inbox = make_inbox(server)
    messages = inbox.fetch()
    next(messages)
    server.restart()

    with pytest.raises(InboxError, match="broke the connection"):
        list(messages)

    assert subjects(inbox) == ["0", "1", "2"]


def test_closing_twice_is_harmless_and_a_later_fetch_opens_again(server, make_inbox):
    inbox = make_inbox(server)
    assert subjects(inbox) == []
    inbox.close()
    inbox.close()

    assert subjects(inbox) == []


# Servers that behave oddly

GREETING = b"* OK ready\r\n"
BASIC: dict[str, bytes | None] = {
    r"^\w+ CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n",
    r"^\w+ LOGIN": b"{tag} OK welcome\r\n",
    r"^\w+ EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n{tag} OK [READ-ONLY] open\r\n",
    r"^\w+ UID SEARCH": b"* SEARCH 5\r\n{tag} OK done\r\n",
    r"^\w+ UID FETCH 5 \(INTERNALDATE": (
        b'* 1 FETCH (UID 5 INTERNALDATE "02-Mar-2026 09:00:00 +0100" RFC822.SIZE 5)\r\n{tag} OK done\r\n'
    ),
    r"^\w+ UID FETCH 5 \(BODY": b"* 1 FETCH (UID 5 BODY[] {5}\r\nhello)\r\n{tag} OK done\r\n",
    r"^\w+ LOGOUT": b"* BYE\r\n{tag} OK bye\r\n",
    r"^DONE": b"{tag} OK done\r\n",
}
WITH_IDLE = {**BASIC, r"^\w+ CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n{tag} OK done\r\n"}


def test_news_in_one_packet_with_the_answer_to_idle_are_not_missed(make_inbox):
    script = {**WITH_IDLE, r"^\w+ IDLE": b"+ idling\r\n* 2 EXISTS\r\n"}
    heard: list[bool] = []
    with ScriptedServer(GREETING, script) as server:
        inbox = make_inbox(server, poll_every=1000)
        assert offered(inbox) == [b"hello"]
        waiting = threading.Thread(target=lambda: heard.append(inbox.wait(120)), daemon=True)
        waiting.start()
        waiting.join(30)

        assert heard == [True]


def test_a_server_without_idle_is_asked_now_and_then(make_inbox):
    with ScriptedServer(GREETING, BASIC) as server:
        inbox = make_inbox(server, poll_every=0.05)
        assert offered(inbox) == [b"hello"]

        assert inbox.wait(0.3) is False

        assert len([line for line in server.lines if "UID SEARCH" in line]) >= 3
        assert not any("IDLE" in line for line in server.lines)


def test_idle_that_is_switched_off_is_not_used_though_the_server_has_it(make_inbox):
    script = {**WITH_IDLE, r"^\w+ IDLE": b"+ idling\r\n"}
    with ScriptedServer(GREETING, script) as server:
        inbox = make_inbox(server, poll_every=0.05, idle=False)
        assert offered(inbox) == [b"hello"]
        assert inbox.check().endswith("asked every 0.05 s")

        assert inbox.wait(0.3) is False

        assert len([line for line in server.lines if "UID SEARCH" in line]) >= 3
        assert not any("IDLE" in line.split(" ") for line in server.lines)


def test_a_server_that_refuses_idle_is_polled_instead_of_stormed(make_inbox):
    with ScriptedServer(GREETING, {**WITH_IDLE, r"^\w+ IDLE": b"{tag} NO not today\r\n"}) as server:
        inbox = make_inbox(server, poll_every=1000)
        assert offered(inbox) == [b"hello"]

        assert inbox.wait(2.5) is False

        assert 1 <= len([line for line in server.lines if "IDLE" in line.split(" ")]) <= 2


def test_a_message_that_cannot_be_read_is_named_after_all_others_were_yielded(make_inbox):
    script = {
        **BASIC,
        r"^\w+ NOOP": b"{tag} OK done\r\n",
        r"^\w+ UID SEARCH": b"* SEARCH 4 5\r\n{tag} OK done\r\n",
        r"^\w+ UID FETCH 4,5 \(INTERNALDATE": (
            b'* 1 FETCH (UID 4 INTERNALDATE "01-Mar-2026 09:00:00 +0100" RFC822.SIZE 5)\r\n'
            b'* 2 FETCH (UID 5 INTERNALDATE "02-Mar-2026 09:00:00 +0100" RFC822.SIZE 5)\r\n{tag} OK done\r\n'
        ),
        r"^\w+ UID FETCH 4 \(BODY": b"{tag} NO [SERVERBUG] secret words of the server\r\n",
    }
    with ScriptedServer(GREETING, script) as server:
        inbox = make_inbox(server)
        messages = inbox.fetch()

        assert next(messages) == RawMessage(inbox.source, "7:5", MONDAY, b"hello")
        with pytest.raises(InboxError) as told:
            next(messages)

    assert str(told.value) == (
        "imap:127.0.0.1/dpo/INBOX: 1 message(s) could not be read (7:4). "
        "Look at them with a mail program; all others were read"
    )


def test_a_message_refused_because_it_is_gone_is_passed_over(make_inbox):
    script = {
        r"^\w+ UID SEARCH UID 5$": b"* SEARCH\r\n{tag} OK done\r\n",
        **BASIC,
        r"^\w+ NOOP": b"{tag} OK done\r\n",
        r"^\w+ UID FETCH 5 \(BODY": b"{tag} NO [EXPUNGEISSUED] gone\r\n",
    }
    with ScriptedServer(GREETING, script) as server:
        assert offered(make_inbox(server)) == []


def test_a_message_without_a_date_is_shown_to_a_person_instead_of_dated_now(make_inbox):
    script = {
        **BASIC,
        r"^\w+ NOOP": b"{tag} OK done\r\n",
        r"^\w+ UID FETCH 5 \(INTERNALDATE": b"* 1 FETCH (UID 5 INTERNALDATE NIL RFC822.SIZE 5)\r\n{tag} OK done\r\n",
    }
    with ScriptedServer(GREETING, script) as server, pytest.raises(InboxError, match=r"could not be read \(7:5\)"):
        list(make_inbox(server).fetch())


REFUSALS = {
    "basic authentication switched off": (
        GREETING,
        {**BASIC, r"^\w+ LOGIN": b"{tag} NO LOGIN failed: BasicAuthBlocked\r\n"},
        LoginRefused,
        "the server refused the login. Check user name and password. Basic authentication (a password) may be disabled "
        "there: give an OAuth2 token (XOAUTH2) instead, or an application password where the provider offers one",
    ),
    "login service out of order": (
        GREETING,
        {**BASIC, r"^\w+ LOGIN": b"{tag} NO [UNAVAILABLE] user backend of lea@guest.example is down\r\n"},
        InboxError,
        "the server refused the login (UNAVAILABLE): its login service is out of order. It is tried again",
    ),
    "hangs up at the login": (
        GREETING,
        {**BASIC, r"^\w+ LOGIN": None},
        InboxError,
        "the server broke the connection. It is tried again",
    ),
    "another service": (
        b"220 smtp.example ESMTP\r\n",
        {},
        InboxError,
        "no IMAP greeting: another service, or it refuses connections. Check host and port",
    ),
    "silence": (
        None,
        {},
        InboxError,
        "no answer within 0.2 seconds. Check host, port and firewall; it is tried again",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_are_told_without_the_words_of_the_server(name, make_inbox):
    greeting, script, kind, sentence = REFUSALS[name]
    with ScriptedServer(greeting, script) as server:
        inbox = make_inbox(server, connect_timeout=0.2, read_timeout=5)
        with pytest.raises(InboxError) as told:
            list(inbox.fetch())

        assert (type(told.value), str(told.value)) == (kind, f"127.0.0.1:{server.port}: {sentence}")


def test_a_folder_without_uidvalidity_cannot_be_followed(make_inbox):
    script = {**BASIC, r"^\w+ EXAMINE": b"* 1 EXISTS\r\n{tag} OK open\r\n"}
    with ScriptedServer(GREETING, script) as server, pytest.raises(FolderRefused, match="no UIDVALIDITY"):
        list(make_inbox(server).fetch())


def test_after_a_refused_login_waiting_does_not_try_again(make_inbox):
    with ScriptedServer(GREETING, {**BASIC, r"^\w+ LOGIN": b"{tag} NO wrong\r\n"}) as server:
        inbox = make_inbox(server)
        with pytest.raises(LoginRefused):
            list(inbox.fetch())

        assert inbox.wait(0.2) is False

        assert len([line for line in server.lines if " LOGIN " in line]) == 1


# Settings, protection, login


def test_wrong_password_is_told_with_what_to_do(server, make_inbox):
    inbox = make_inbox(server, password=lambda: "wrong")

    with pytest.raises(LoginRefused) as told:
        list(inbox.fetch())

    assert str(told.value).startswith(f"127.0.0.1:{server.port}: the server refused the login (AUTHENTICATIONFAILED). ")
    assert "dpo@" not in str(told.value)


def test_a_missing_folder_is_told_with_its_name(server, make_inbox):
    with pytest.raises(FolderRefused, match='the folder "Archives/Été" cannot be opened'):
        list(make_inbox(server, folder="Archives/Été").fetch())


def test_nobody_listens_and_unknown_host_are_told(make_inbox):
    port = free_port()
    nobody = make_inbox(None, port=port, user="dpo", password=str)
    unknown = make_inbox(None, host="imap.nowhere.invalid", tls="implicit", user="dpo", password=str)

    with pytest.raises(InboxError) as refused:
        nobody.check()
    with pytest.raises(InboxError) as not_found:
        unknown.check()

    assert str(refused.value) == (
        f"127.0.0.1:{port}: nothing listens there. Check host and port, and that the server is running"
    )
    assert str(not_found.value) == (
        "imap.nowhere.invalid:993: the host name is not known. Check the spelling and this machine's DNS"
    )


def test_a_password_command_that_fails_is_told_without_its_output(make_inbox):
    def command() -> str:
        raise OSError("secret path")

    with ImapServer() as server, pytest.raises(InboxError) as told:
        make_inbox(server, password=command).check()

    assert str(told.value) == (
        "imap:127.0.0.1/dpo/INBOX: the password or token could not be had (OSError). "
        "Check the file or command that gives it"
    )


@pytest.mark.parametrize("password", ["correct horse", "pässwörd €", 'quo"te\\d'])
def test_any_characters_in_a_password(password, make_inbox):
    with ImapServer(user="dpo@mije.example", password=password) as server:
        assert make_inbox(server).check() == "imap:127.0.0.1/dpo/INBOX: 0 messages, IDLE"


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_tls_with_a_certificate_that_is_trusted(tls, certificate, make_inbox):
    with ImapServer(user="dpo@mije.example", tls=tls, certificate=certificate.server_context()) as server:
        server.append(mail("one"), internal_date=MONDAY)
        inbox = make_inbox(server, tls=tls, ca_file=certificate.cert, poll_every=1000)
        assert subjects(inbox) == ["one"]
        arrival = later(lambda: server.append(mail("two"), internal_date=MONDAY))

        assert inbox.wait(60) is True

        arrival.join()
        assert subjects(inbox) == ["one", "two"]


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_a_self_signed_certificate_is_refused(tls, certificate, make_inbox):
    with ImapServer(user="dpo@mije.example", tls=tls, certificate=certificate.server_context()) as server:
        with pytest.raises(InboxError) as told:
            make_inbox(server, tls=tls).check()

        assert str(told.value) == (
            f"127.0.0.1:{server.port}: the server's certificate is not trusted (self-signed certificate). "
            "Check the host name; for an authority of your own, give its certificate as ca_file"
        )


@needs_dovecot
def test_dovecot_by_tls(dovecot, certificate, make_inbox):
    implicit = make_inbox(dovecot, tls="implicit", port=dovecot.tls_port, ca_file=certificate.cert)
    starttls = make_inbox(dovecot, tls="starttls", ca_file=certificate.cert, host="localhost")

    assert implicit.check() == "imap:127.0.0.1/dpo/INBOX: 0 messages, IDLE"
    assert starttls.check() == "imap:localhost/dpo/INBOX: 0 messages, IDLE"
    with pytest.raises(InboxError, match="self-signed certificate"):
        make_inbox(dovecot, tls="starttls").check()


@needs_dovecot
def test_dovecot_by_oauth2_token(dovecot, certificate, make_inbox):
    good = make_inbox(dovecot, oauth_token=lambda: make_token(dovecot.user))
    bad = make_inbox(dovecot, oauth_token=lambda: make_token(dovecot.user, key=b"another key, as long as the first"))

    assert good.check() == "imap:127.0.0.1/dpo/INBOX: 0 messages, IDLE"
    with pytest.raises(LoginRefused, match="The OAuth2 token is not accepted: renew it"):
        bad.check()


def test_a_server_without_starttls_gets_no_password(make_inbox):
    with ScriptedServer(GREETING, BASIC) as server:
        with pytest.raises(InboxError, match="does not offer STARTTLS"):
            make_inbox(server, tls="starttls").check()

        assert not any("LOGIN" in line for line in server.lines)


def test_tls_towards_a_port_without_it_is_told(make_inbox):
    with ImapServer() as server, pytest.raises(InboxError, match='whether tls should be "implicit" or "starttls"'):
        make_inbox(server, tls="implicit", connect_timeout=5).check()


def test_an_unreadable_ca_file_is_told(tmp_path, make_inbox):
    missing = tmp_path / "ca.pem"

    with pytest.raises(InboxError, match="cannot be read"):
        make_inbox(None, tls="implicit", user="dpo", password=str, ca_file=missing).check()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"tls": "none", "host": "imap.mije.example"}, "this machine only"),
        ({"tls": "maybe"}, "tls is"),
        ({"password": None}, "either a password or an OAuth2 token"),
        ({"oauth_token": str}, "either a password or an OAuth2 token"),
        ({"after": "delete"}, "after is"),
        ({"after": "move:"}, "after is"),
        ({"after": "move:INBOX"}, "into the folder that is watched"),
        ({"idle_renewal": 29 * 60}, "29 minutes"),
    ],
)
def test_settings_that_contradict_each_other(changes, complaint):
    known: dict[str, Any] = {
        "name": "dpo",
        "host": "localhost",
        "tls": "none",
        "user": "dpo",
        "password": str,
        "cursor": CursorInMemory(),
    }

    with pytest.raises(ValueError, match=complaint):
        ImapInbox(**(known | changes))


# The sandbox itself


def test_the_sandbox_keeps_its_content_while_stopped(make_inbox):
    with ImapServer() as server:
        port = server.port
        server.append(mail("before"), internal_date=MONDAY)
        server.stop()
        server.append(mail("meanwhile"), internal_date=MONDAY, folder="Autre", flags=[r"\Seen"])
        server.restart()

        assert (server.port, server.messages(), server.messages("Autre")) == (
            port,
            [mail("before")],
            [mail("meanwhile")],
        )
        assert list(server.flags("Autre").values()) == [frozenset({r"\Seen"})]
        assert server.messages("Nowhere") == []
        with pytest.raises(ValueError, match="time zone"):
            server.append(b"x", internal_date=datetime(2026, 3, 2))  # noqa: DTZ001


def test_the_sandbox_makes_a_password_of_its_own():
    first, second = ImapServer(), ImapServer()

    assert first.password != second.password
    with pytest.raises(RuntimeError, match="context manager"):
        first.messages()
