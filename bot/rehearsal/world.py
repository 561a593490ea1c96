"""The world of a rehearsal: servers on this machine, the worker's process, the store on disk, and the clock.

Nothing waits for time to pass. The clock is a file that the worker, the servers and the desk read; :meth:`World.advance`
moves it, and :meth:`World.settle` asks the worker to go on until nothing is left to do.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tomllib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import event
from sqlmodel import func, select

from bot.app import App, build_app
from bot.clock import FileClock
from bot.commands.init import EXAMPLE
from bot.rehearsal.chance import Chance
from bot.rehearsal.process import Died, Template, WorkerProcess
from bot.sandbox.bot_api import BotApiServer
from bot.sandbox.imap import ImapServer
from bot.sandbox.smtp import SmtpSink
from bot.settings import SettingsError, build
from store.models import Event
from store.sealing import new_master_key

DPO, DEPUTY, STRANGER = 700000001, 700000002, 799999999
MAILBOX, DEPUTY_MAIL = "dpo@mije.com", "dpo.adjoint@mije.com"
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Mark:
    """A moment as a place in what the servers have recorded."""

    at: datetime
    attempts: int
    requests: int
    answers: int
    journal: int


class World:
    """Everything around the worker, and the worker. Use it as a context manager.

    *changes* are settings, section by section, laid over those that ship. *hourly* lets no hour pass without a round,
    although nothing may be due in it; the result is the same, and ``tests/test_rehearsals.py`` compares the two.
    """

    def __init__(
        self,
        folder: Path,
        *,
        start: datetime,
        template: Template,
        changes: Mapping[str, Any],
        hourly: bool = False,
        chance: Chance | None = None,
    ) -> None:
        self.folder = folder
        self.chance = chance or Chance(None, "")
        self.template = template
        self.changes: dict[str, Any] = dict(changes)
        self.hourly = hourly
        self.key = new_master_key()
        self.agenda: list[tuple[datetime, Callable[[], None]]] = []
        """What the story wants to happen at a later moment (a server that comes back)."""
        self.restart_by_hand = False
        """Whether the story starts the worker again itself; otherwise it is started at once, as systemd would."""
        self.unexpected_deaths = 0
        self.doomed = False
        self.deaths = 0
        self.drop_next_fetches = 0
        """How many of the next looks at the mailbox find no server."""
        self.after_group: list[Callable[[], None]] = []
        """What ends with the next event (a lock held, a full disk)."""
        self.locked_by: sqlite3.Connection | None = None
        self._outlook: dict[str, Any] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.clock = FileClock(folder / "clock")
        self._set_clock(start)

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self.imap = self._stack.enter_context(ImapServer(user=MAILBOX, port=self.chance.port()))
        self.sink = self._stack.enter_context(SmtpSink(folder=self.folder / "sent", port=self.chance.port()))
        self.chat = self._stack.enter_context(
            BotApiServer(now=self.clock.now, port=self.chance.port(), first_update_id=self.chance.number(500_000_001))
        )
        for person in (DPO, DEPUTY, STRANGER):
            self.chat.add_chat(person)
        self.app = self._open()
        self._stack.callback(self._close_app)
        self.worker: WorkerProcess | None = None
        self._stack.callback(self._stop_worker)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release_lock()
        if kind is not None and self.worker is not None:
            self.worker.kill()
        self._stack.close()

    def _close_app(self) -> None:
        # The one in use then: a change of settings opens another.
        self.app.close()

    def _stop_worker(self) -> None:
        if self.worker is not None:
            self.worker.stop()

    # --- the program

    def settings_values(self) -> dict[str, Any]:
        """The settings that ship, on the servers of this world, with the story's changes."""
        values = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
        values["store"] = {"data_dir": str(self.folder / "data"), "master_key": self.key}
        values["imap"] = {
            "host": self.imap.host, "port": self.imap.port, "tls": "none", "user": self.imap.user,
            "password": self.imap.password, "poll_seconds": 60, "timeout_seconds": 20,
        }  # fmt: skip
        values["smtp"] = {"host": self.sink.host, "port": self.sink.port, "tls": "none", "timeout_seconds": 20}
        values["telegram"] = {"token": self.chat.token, "base_url": self.chat.base_url.removesuffix("/bot")}
        values["desk"]["users"] = [
            {"key": "dpo", "name": "Claude Martinez", "role": "dpo", "telegram_id": DPO, "email": MAILBOX},
            {"key": "deputy", "name": "Adjointe", "role": "deputy", "telegram_id": DEPUTY, "email": DEPUTY_MAIL},
        ]
        for section, change in self.changes.items():
            if isinstance(change, Mapping) and isinstance(values.get(section), dict):
                values[section] = {**values[section], **change}
            elif change is None:
                values.pop(section, None)
            else:
                values[section] = change
        return values

    def _open(self) -> App:
        """Write the settings down for the worker, and open the store for the desk."""
        values = self.settings_values()
        settings = build(values)
        path = self.folder / "settings.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(values, default=str), encoding="utf-8")
        app = build_app(settings, clock=self.clock, inboxes=())

        def on_checkout(connection: Any, _record: Any, _proxy: Any) -> None:
            connection.execute(f"PRAGMA busy_timeout={150 if self.locked_by else 30_000}")

        event.listen(app.database.engine, "checkout", on_checkout)
        return app

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Change settings, and start the program anew with them. Raises ``SettingsError`` for what they do not admit."""
        before = dict(self.changes)
        for section, change in changes.items():
            known = self.changes.get(section)
            laid = {**known, **change} if isinstance(change, Mapping) and isinstance(known, Mapping) else change
            self.changes[section] = laid
        try:
            app = self._open()
        except SettingsError:
            self.changes = before
            raise
        self.app.close()
        self.app = app
        if self.worker is not None and self.worker.alive:
            self.worker.stop()
            self.start()

    def start(self) -> None:
        """Start the worker on what is in the store; harmless when it runs."""
        if self.worker is None or not self.worker.alive:
            self.worker = WorkerProcess(self.template, self.folder)
            self.doomed = False

    def kill(self) -> None:
        """Kill the worker."""
        if self.worker is not None and self.worker.alive:
            self.worker.kill()
            self.deaths += 1

    @property
    def alive(self) -> bool:
        """Whether the worker runs."""
        return self.worker is not None and self.worker.alive

    def doom(self, point: str, passes: int = 1) -> None:
        """Let the worker die by itself once it reaches *point* (``bot.rehearsal.worker.POINTS``)."""
        if self.worker is not None and self.worker.alive:
            self.worker.ask(do="doom", point=point, passes=passes)
            self.doomed = True

    def patience(self, milliseconds: int) -> None:
        """Say how long the worker waits for a locked store, in real milliseconds."""
        if self.worker is not None and self.worker.alive:
            self.worker.ask(do="patience", milliseconds=milliseconds)

    # --- time

    def now(self) -> datetime:
        """The instant it is."""
        return self.clock.now()

    def _set_clock(self, moment: datetime) -> None:
        # In one step: the worker reads at any time.
        new = self.folder / "clock.new"
        new.write_text(moment.astimezone(UTC).isoformat(), encoding="ascii")
        os.replace(new, self.folder / "clock")

    def advance(self, to: datetime) -> None:
        """Let time pass until *to*, the program working at every moment at which something is due.

        Between two such moments nothing can happen, since nothing comes from outside and every date the program minds is
        among those it names: the next day's work, the next digest, the next try of what waits to leave.
        While something is out of order it works every minute at first, and every hour then.
        """
        quick = 0
        while self.now() < to:
            now = self.now()
            target = to
            if self.agenda:
                target = min(target, max(min(moment for moment, _ in self.agenda), now))
            if self.alive and self._outlook:
                target = min(target, max(datetime.fromisoformat(self._outlook["next"]), now + timedelta(seconds=1)))
                if self._outlook["failing"]:
                    quick += 1
                    target = min(target, now + (timedelta(minutes=1) if quick <= 5 else HOUR))
            if self.hourly:
                target = min(target, now + HOUR)
            self._set_clock(target)
            due = [entry for entry in self.agenda if entry[0] <= target]
            self.agenda = [entry for entry in self.agenda if entry[0] > target]
            for _, happen in due:
                happen()
            self.settle()

    def settle(self) -> None:
        """Let the program work until it is quiet: nothing it could do now is left, in the mailbox or in chat."""
        for _ in range(60):
            if not self.alive and not self._come_back():
                return
            assert self.worker is not None
            try:
                self._chat_heard()
                self.chat.tick()
                self._outlook = self.worker.ask(do="round")
            except Died:
                self._died()
                continue
            if not self.chat.pending_updates or self.chat.deaf:
                return

    def _chat_heard(self) -> None:
        """Wait until the worker has taken every update up. Raises :class:`Died` when it died over it."""
        assert self.worker is not None
        for _ in range(60):
            # A chat that misbehaves on purpose keeps its updates for later.
            if self.chat.deaf or self.chat.wait_until(lambda world: not world.pending_updates, 0.25):
                return
            try:
                os.kill(self.worker.pid, 0)
            except ProcessLookupError:
                raise Died from None

    def _died(self) -> None:
        self.deaths += 1
        if self.worker is not None and self.worker.alive:
            self.worker.alive = False
            self.worker.close()
        if not self.doomed:
            self.unexpected_deaths += 1

    def _come_back(self) -> bool:
        if self.restart_by_hand or self.unexpected_deaths > 3:
            return False
        self.start()
        return True

    def fail_fetches(self) -> None:
        """Let the looks at the mailbox fail that the story wants to fail, the program working at each."""
        while self.drop_next_fetches and self.alive:
            self.drop_next_fetches -= 1
            self.imap.stop()
            self.settle()
            self.imap.restart()

    def release_lock(self) -> None:
        """Let go of the store's write lock, if the story holds it."""
        if self.locked_by is not None:
            self.locked_by.execute("ROLLBACK")
            self.locked_by.close()
            self.locked_by = None
            self.patience(30_000)

    # --- places in the record

    def mark(self) -> Mark:
        """Return where the record stands now."""
        with self.app.database.reading() as session:
            last = session.exec(select(func.max(Event.id))).one()
        return Mark(
            self.now(), len(self.sink.attempts), len(self.chat.requests), len(self.chat.answers), int(last or 0)
        )
