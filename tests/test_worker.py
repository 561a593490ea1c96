"""The worker as it runs: its own loop, a listener that a server pushes to, and mail that a person sees within seconds."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import build_app
from bot.channels.base import RawMessage
from bot.clock import SystemClock, stopwatch
from bot.sandbox.imap import ImapServer
from bot.sandbox.smtp import SmtpSink
from bot.worker import Worker, receive
from store import messages
from store.models import Message
from tests.servers import free_port
from tests.world import mail, make_settings

REQUEST = mail(
    "Bonjour, je souhaite une copie de toutes les données que vous avez sur moi.\n",
    sender="Zoé <zoe@courrier.example>",
    subject="Mes données",
)


@contextlib.contextmanager
def running(app) -> Iterator[Worker]:
    """Run the worker in a thread of its own while the block lasts."""
    ready = threading.Event()
    held: list[tuple[Worker, asyncio.AbstractEventLoop]] = []

    async def work() -> None:
        held.append((Worker(app), asyncio.get_running_loop()))
        ready.set()
        await held[0][0].run()

    thread = threading.Thread(target=lambda: asyncio.run(work()), daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield held[0][0]
    finally:
        held[0][1].call_soon_threadsafe(held[0][0].stop.set)
        thread.join(30)
        assert not thread.is_alive()


def eventually(true: Callable[[], bool]) -> bool:
    end = stopwatch() + 30
    while stopwatch() < end:
        if true():
            return True
        threading.Event().wait(0.05)
    return False


@pytest.mark.parametrize("protocol", ["lmtp", "smtp"])
def test_mail_that_a_server_pushes_becomes_a_case_and_is_acknowledged(tmp_path, protocol):
    port = free_port()
    with SmtpSink() as sink:
        settings = make_settings(
            tmp_path / "data",
            listen={"host": "127.0.0.1", "port": port, "protocol": protocol},
            smtp={"host": sink.host, "port": sink.port, "tls": "none"},
        )
        app = build_app(settings, clock=SystemClock())
        _ = app.reader
        client = smtplib.LMTP if protocol == "lmtp" else smtplib.SMTP
        with running(app):
            assert eventually(lambda: _listens(client, port))
            with client("127.0.0.1", port) as server:
                assert server.sendmail("zoe@courrier.example", ["dpo@mije.com"], REQUEST) == {}
                with pytest.raises(smtplib.SMTPRecipientsRefused):
                    server.sendmail("zoe@courrier.example", ["somebody@else.example"], REQUEST)
            assert eventually(lambda: any(a.recipients == ("zoe@courrier.example",) for a in sink.taken))
        app.close()


def _listens(client, port: int) -> bool:
    try:
        with client("127.0.0.1", port):
            return True
    except OSError:
        return False


def test_mail_in_the_mailbox_is_taken_in_while_the_worker_waits(tmp_path):
    with ImapServer() as mailbox, SmtpSink() as sink:
        settings = make_settings(
            tmp_path / "data",
            imap={
                "host": "127.0.0.1", "port": mailbox.port, "tls": "none", "user": mailbox.user,
                "password": mailbox.password, "poll_seconds": 5,
            },
            smtp={"host": sink.host, "port": sink.port, "tls": "none"},
        )  # fmt: skip
        app = build_app(settings, clock=SystemClock())
        _ = app.reader
        with running(app):
            assert eventually(lambda: _health(app) is not None)
            mailbox.append(REQUEST, internal_date=datetime.now(UTC) - timedelta(minutes=1))
            assert eventually(lambda: any(a.recipients == ("zoe@courrier.example",) for a in sink.taken))
        app.close()


def _health(app) -> object:
    from store import health

    with app.database.reading() as session:
        return health.of(session, "imap")


class Broken:
    """A reader with a defect."""

    def read(self, message):
        raise ZeroDivisionError("the text of " + message.body)


def test_a_message_that_breaks_the_program_is_set_aside_with_its_clock_and_without_its_text_in_the_log(
    tmp_path, caplog
):
    app = build_app(make_settings(tmp_path / "data"), clock=SystemClock(), inboxes=(), reader=Broken())
    raw = RawMessage(source="imap:x", external_id="1:1", received_at=datetime(2026, 3, 2, 8, tzinfo=UTC), raw=REQUEST)
    assert receive(app, raw) is True
    with app.database.reading() as session:
        kept = session.get(Message, 1)
        assert kept is not None
        assert (kept.disposition, kept.received_at) == ("to_sort", raw.received_at)
        assert messages.raw(session, app.vault, kept) == REQUEST
    assert "données" not in caplog.text
    app.close()
