"""The worker of a rehearsal: a process of its own, which dies by SIGKILL where the story says so.

``python -m bot.rehearsal.worker`` is the template: it loads what is slow (the classifier) once, and forks a worker for each
folder named on its standard input. A worker is the real program, put together by ``build_app`` from the settings
of its folder; it differs from ``dpobot run`` in two things only. Its clock is the file ``clock`` of the folder, and its
rounds are asked for over a socket and answered once nothing is left to do, so that nobody has to wait and guess.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlmodel import col, func, select

from bot.ahead import next_due
from bot.app import App, Reader, build_app
from bot.channels.base import Inbox, Mailer, RawMessage
from bot.channels.telegram import TelegramChannel
from bot.clock import FileClock
from bot.desk.chat import ChatDesk
from bot.logs import set_up
from bot.settings import Settings, build
from bot.worker import CHAT_POLL, Worker
from store import health, journal, messages
from store.lock import WorkerLock
from store.models import ChatUpdate, Marker, OutboxItem

log = logging.getLogger("dpobot.rehearsal")

STATEMENT = re.compile(r'(?i)\s*(BEGIN|INSERT(?= INTO)|UPDATE)(?: INTO)? ?"?(\w+)?')
POINTS = (
    "before_intake_commit", "after_intake_commit", "before_send", "after_send", "before_answer", "after_card",
    "before_update_commit", "after_update_commit", "before_tick_commit", "before_digest_commit",
)  # fmt: skip
"""Where a worker can be made to die: each names an instant between two steps of its work."""


@dataclass
class Doom:
    """The point at which this worker dies, if any, and after how many passes over it."""

    point: str = ""
    passes: int = 1

    def at(self, point: str) -> None:
        """Die here, at once and without a word, if this is the point."""
        if point != self.point:
            return
        self.passes -= 1
        if self.passes <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


class FatalInbox:
    """An inbox at whose edges a worker can die."""

    def __init__(self, inner: Inbox, doom: Doom) -> None:
        self._inner, self._doom = inner, doom

    @property
    def source(self) -> str:
        """As of the inbox within."""
        return self._inner.source

    def fetch(self) -> Iterator[RawMessage]:
        """Yield what is new."""
        yield from self._inner.fetch()

    def settle(self, message: RawMessage) -> None:
        """Settle a message: its transaction is committed by now."""
        self._doom.at("after_intake_commit")
        self._inner.settle(message)

    def wait(self, timeout: float) -> bool:
        """Wait for mail."""
        return self._inner.wait(timeout)

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()


class FatalMailer:
    """A mailer at whose edges a worker can die."""

    def __init__(self, inner: Mailer, doom: Doom) -> None:
        self._inner, self._doom = inner, doom

    def send(self, *, sender: str, recipient: str, mime: bytes) -> str:
        """Send a letter; between the server's answer and our noting it lies the worst moment to die."""
        self._doom.at("before_send")
        answer = self._inner.send(sender=sender, recipient=recipient, mime=mime)
        self._doom.at("after_send")
        return answer


class FatalChannel(TelegramChannel):
    """A chat at whose edges a worker can die."""

    def __init__(self, doom: Doom, token: str, **settings: Any) -> None:
        super().__init__(token, **settings)
        self._doom = doom
        self.polls = 0
        """How many polls have ended, well or not."""

    async def _get_updates(self, offset: int) -> list[dict[str, Any]]:
        try:
            return await super()._get_updates(offset)
        finally:
            self.polls += 1

    async def answer(self, callback_id: str, text: str, alert: bool = False) -> bool:
        """Answer a press: what was decided is committed by now."""
        self._doom.at("before_answer")
        return await super().answer(callback_id, text, alert)

    async def send_text(self, chat_id: int, text: str, **more: Any) -> int:
        """Send a message or a card; that it was sent is noted afterwards."""
        sent = await super().send_text(chat_id, text, **more)
        self._doom.at("after_card")
        return sent


class Live:
    """One worker at its work."""

    def __init__(self, folder: Path, reader: Reader | None) -> None:
        self.folder = folder
        self.settings: Settings = build(json.loads((folder / "settings.json").read_text(encoding="utf-8")))
        self.doom = Doom()
        self.patience = 30_000
        """Milliseconds a transaction waits for the store; less while the story holds the store locked on purpose."""
        clock = FileClock(folder / "clock")
        self.channel = self._channel(clock)
        first = build_app(self.settings, clock=clock, telegram=self.channel, reader=reader)
        self.app: App = first
        self.app.inboxes = tuple(FatalInbox(inbox, self.doom) for inbox in first.inboxes)
        self.app.mailer = FatalMailer(first.mailer, self.doom)
        self.worker = Worker(self.app)
        self.since = self.app.clock.now()
        self._watch_commits()

    def _channel(self, clock: FileClock) -> FatalChannel | None:
        telegram = self.settings.telegram
        if telegram is None:
            return None
        base = telegram.base_url.rstrip("/")
        # A server on this machine answers at once or never: the patience meant for the Internet would only cost time.
        return FatalChannel(
            self.doom, telegram.token.get_secret_value(), now=clock.now, base_url=f"{base}/bot", base_file_url=f"{base}/file/bot",
            poll_timeout=20, timeout=3.0, backoff=(0.05, 0.5),
        )  # fmt: skip

    def _watch_commits(self) -> None:
        """Listen to the engine, so that the worker can die with its work done and not committed."""
        doom, written = self.doom, set[str]()

        def before_statement(_c: Any, _cur: Any, statement: str, _p: Any, _ctx: Any, _many: Any) -> None:
            found = STATEMENT.match(statement)
            if found is None:
                return
            if found[1].upper() == "BEGIN":
                written.clear()
            else:
                written.add(f"{found[1].lower()} {found[2]}")

        def before_commit(_connection: Any) -> None:
            if "insert message" in written:
                doom.at("before_intake_commit")
            if "insert chat_update" in written:
                doom.at("before_update_commit")
            if "insert marker" in written:
                doom.at("before_digest_commit" if "insert outbox" in written else "before_tick_commit")

        def on_checkout(connection: Any, _record: Any, _proxy: Any) -> None:
            connection.execute(f"PRAGMA busy_timeout={self.patience}")

        event.listen(self.app.database.engine, "checkout", on_checkout)
        event.listen(self.app.database.engine, "before_cursor_execute", before_statement)
        event.listen(self.app.database.engine, "commit", before_commit)

    # --- rounds

    async def serve(self, control: socket.socket) -> None:
        """Work as asked until the other side goes away."""
        reader, writer = await asyncio.open_unix_connection(sock=control)
        desk = ChatDesk(self.app, self.channel) if self.channel is not None else None
        with WorkerLock(self.app.database, self.app.settings.store.data_dir) as lock:
            await self.worker.begin(desk, everything=lock.exclusive)
            stop = asyncio.Event()
            chat = asyncio.create_task(self._chat(desk, stop)) if desk is not None else None
            _say(writer, {"ready": os.getpid()})
            while line := await reader.readline():
                asked = json.loads(line)
                if asked["do"] == "stop":
                    break
                _say(writer, await self._answer(asked, desk))
            stop.set()
            if chat is not None:
                await chat
                assert self.channel is not None
                await self.channel.close()
        self.app.close()

    async def _answer(self, asked: dict[str, Any], desk: ChatDesk | None) -> dict[str, Any]:
        if asked["do"] == "doom":
            self.doom.point, self.doom.passes = asked["point"], int(asked.get("passes", 1))
            return {"armed": asked["point"]}
        if asked["do"] == "patience":
            self.patience = int(asked["milliseconds"])
            return {"patience": self.patience}
        if desk is not None:
            await self._hear()
        rounds = 0
        while rounds < int(asked.get("limit", 60)):
            before = await asyncio.to_thread(self._mark)
            await self.worker.turn(
                desk, heard=lambda: self.channel.last_poll_ok if self.channel is not None else None, since=self.since
            )
            rounds += 1
            if await asyncio.to_thread(self._mark) == before:
                break
        return {"rounds": rounds, **await asyncio.to_thread(self._outlook)}

    async def _hear(self) -> None:
        """Wait until a poll of the chat has ended since the clock was moved: an hour passes here without one."""
        channel, now = self.channel, self.app.clock.now()
        assert channel is not None
        before = channel.polls
        for _ in range(400):
            if (channel.last_poll_ok or self.since) >= now or channel.polls > before:
                return
            await asyncio.sleep(0.005)

    async def _chat(self, desk: ChatDesk, stop: asyncio.Event) -> None:
        assert self.channel is not None

        async def handle(update_id: int) -> None:
            self.doom.at("after_update_commit")
            await desk.handle(update_id)

        while not stop.is_set():
            try:
                await self.channel.run(
                    stop, last_update_id=desk.updates.last_update_id, store_update=desk.updates.store, handle=handle,
                    notice=self.worker.tell_chat_trouble,
                )  # fmt: skip
            except Exception as error:  # noqa: BLE001 - as in the worker's own loop: one part must not stop the others
                log.error("chat.error", extra={"problem": type(error).__name__})
                await asyncio.sleep(0.2)

    def _mark(self) -> tuple[Any, ...]:
        """A fingerprint of the store: the same twice means that a round changed nothing."""
        with self.app.database.reading() as session:
            items = session.exec(select(OutboxItem.status, func.count()).group_by(OutboxItem.status)).all()
            tries = session.exec(select(func.sum(OutboxItem.attempts))).one()
            marks = session.exec(select(func.count()).select_from(Marker)).one()
            updates = session.exec(
                select(func.count()).select_from(ChatUpdate).where(col(ChatUpdate.handled_at).is_(None))
            ).one()
            return (
                sorted(items), tries, marks, updates, messages.count(session), journal.head(session),
            )  # fmt: skip

    def _outlook(self) -> dict[str, Any]:
        """Say when the next thing falls due that time alone brings, and whether all is well meanwhile."""
        now = self.app.clock.now()
        with self.app.database.reading() as session:
            part = health.of(session, "imap")
            failing = part is not None and part.failures > 0
            heard = self.channel.last_poll_ok or self.since if self.channel is not None else now
            silence = health.of(session, CHAT_POLL)
            # A chat that does not answer is worth a look every minute, too, until that is told.
            failing = failing or (heard < now and (silence is None or silence.failures == 0))
        return {"next": next_due(self.app, now=now).isoformat(), "failing": failing}


def _say(writer: asyncio.StreamWriter, words: dict[str, Any]) -> None:
    writer.write(json.dumps(words).encode() + b"\n")


def _watch_network(folder: Path) -> None:
    """Write down every attempt to reach another machine: a worker that fetches a picture from a mail shows here."""
    note = folder / "network.log"

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        target = ""
        if name == "socket.connect" and isinstance(arguments[1], tuple):
            target = str(arguments[1][0])
        elif name == "socket.getaddrinfo":
            target = str(arguments[0])
        if target and target not in ("127.0.0.1", "::1", "localhost", "b'127.0.0.1'"):
            with note.open("a", encoding="utf-8") as out:
                out.write(f"{name} {target}\n")

    sys.addaudithook(hook)


def _be_worker(folder: Path, control_path: str, reader: Reader | None) -> None:
    """Be the worker of *folder* from now on; called in the forked process, never returns."""
    status = 1
    try:
        # What it says goes into a file of its own; the pipes belong to the template.
        said = os.open(folder / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(said, 1)
        os.dup2(said, 2)
        set_up(verbose=True)
        _watch_network(folder)
        control = socket.socket(socket.AF_UNIX)
        control.connect(control_path)
        asyncio.run(Live(folder, reader).serve(control))
        status = 0
    except BaseException:  # noqa: BLE001 - the log of a worker that stops on an error says why
        logging.getLogger("dpobot").setLevel(logging.INFO)
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def template() -> None:
    """Load what is slow, then fork a worker for each folder named on standard input, and print its process id."""
    from handlers.rights import load_rights
    from nlp.classifier import load_classifier
    from nlp.types import Message

    reader = load_classifier(None, cues={right.name: right.cues for right in load_rights().values()})
    # Some parts load with the first message, or the first request, only.
    for name in ("anyio._backends._asyncio", "anyio._core._synchronization", "h11", "holidays", "httpcore", "sqlite3"):
        import_module(name)
    reader.read(Message(id="warm", body="Bonjour, je souhaite une copie de mes données personnelles. Hello."))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _be_worker(Path(asked["folder"]), asked["control"], reader)
        print(pid, flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):
        template()
