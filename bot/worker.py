"""The loop: mail in, mail out, chat, the day's work. One bad item is set aside and the rest goes on."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import Session, col, select

from bot import casework, intake
from bot.app import App, open_chat
from bot.channels.base import Inbox, InboxError, RawMessage
from bot.channels.chat import Chat
from bot.channels.smtp_in import SmtpIntake
from bot.desk import mail_orders
from bot.desk.chat import ChatDesk
from bot.digest import run_digest
from bot.purge import purge_documents
from bot.sending import recover, send_due
from bot.tick import tick
from handlers.types import Notice
from store import health, outbox
from store.lock import WorkerLock
from store.models import Case, OutboxItem

log = logging.getLogger("dpobot.worker")

LONGEST_SENDING = timedelta(minutes=30)
"""Longer than any sending lasts: what is still claimed then was left behind."""
CHAT_POLL = "telegram-poll"
CHAT_SILENCE = timedelta(minutes=10)
"""How long Telegram may leave the poll unanswered (it answers every half minute) before that counts as silence."""
ALARM_AFTER = 3
"""Failures in a row of one part before the DPO is told by the other channel."""


def poll(app: App, inbox: Inbox) -> int:
    """Take in everything new of one mailbox; return how many messages were recorded.

    A mailbox that cannot be read is noted, and from the third time on told; a message that fails is set aside with
    its clock running and does not stop the others.
    """
    count = 0
    part = getattr(inbox, "part", "imap")
    try:
        for raw in inbox.fetch():
            if not receive(app, raw):
                continue
            count += 1
            inbox.settle(raw)
    except InboxError as error:
        _failed(app, part, str(error), kind="mailbox_down")
        return count
    with app.database.transaction() as session:
        health.worked(session, part=part, now=app.clock.now())
    return count


def receive(app: App, raw: RawMessage) -> bool:
    """Record one message, whatever it is; False when the store would not take it now (it will be offered again)."""
    try:
        if not mail_orders.take(app, raw):
            intake.take_in(app, raw)
    except (OperationalError, InterfaceError) as error:
        log.error("intake.store_busy", extra={"problem": type(error).__name__})
        return False
    except Exception as error:  # noqa: BLE001 - one message must never stop the mailbox; it goes to a person
        log.error("intake.set_aside", extra={"problem": type(error).__name__, "place": _place(error)})
        intake.set_aside(app, raw, problem=type(error).__name__)
    return True


def _place(error: BaseException) -> str:
    """Where an exception was raised, without its text, which may quote the mail."""
    steps = traceback.extract_tb(error.__traceback__)
    return f"{Path(steps[-1].filename).name}:{steps[-1].lineno}" if steps else ""


def _failed(app: App, part: str, problem: str, *, kind: str) -> None:
    now = app.clock.now()
    log.error(f"{part.partition(':')[0]}.failed", extra={"part": part, "problem": problem})
    with app.database.transaction() as session:
        failures = health.failed(session, part=part, now=now, problem=problem)
        if failures == ALARM_AFTER:
            row = health.of(session, part)
            since = row.failing_since if row and row.failing_since else now
            casework.tell_system(
                session,
                app,
                kind,
                part=part.partition(":")[0],
                step=f"{since.isoformat()}{part.partition(':')[2]}",
                now=now,
                facts={"problem": problem[:300]},
            )


def round_once(app: App) -> None:
    """One round of everything that is due, mail first."""
    for inbox in app.inboxes:
        try:
            poll(app, inbox)
        except Exception as error:  # noqa: BLE001 - a fault in one mailbox must not stop the others, nor the day's work
            log.error("mailbox.error", extra={"problem": type(error).__name__, "place": _place(error)})
    daily(app)
    send_due(app)


def daily(app: App) -> None:
    """What the date brings, and the digest when its hour has come."""
    tick(app)
    purge_documents(app)
    run_digest(app, now=app.clock.now())


def watch_chat(app: App, last_poll_ok: datetime | None, *, since: datetime) -> None:
    """The chat's watchdog: a poller that hears nothing looks just like a quiet chat, so its silence is told by mail.

    Once for each silence, *since* the start where it never worked. Notices that wait meanwhile are told by mail too, by
    reference; in chat they arrive once it is back, which is told there.
    """
    now = app.clock.now()
    heard = max(last_poll_ok or since, since)
    with app.database.transaction() as session:
        row = health.of(session, CHAT_POLL)
        silent = row is not None and row.failures > 0
        if now - heard > CHAT_SILENCE:
            if not silent:
                health.failed(session, part=CHAT_POLL, now=now, problem="silent")
                facts = {"last": heard.isoformat(timespec="minutes")}
                casework.mail_desk(
                    session, app, Notice("chat_down", urgent=True, facts=facts), subject="system:telegram",
                    step=heard.isoformat(), now=now,
                )  # fmt: skip
            _waiting_by_mail(session, app, now=now)
        elif silent and last_poll_ok is not None:
            health.worked(session, part=CHAT_POLL, now=now)
            casework.tell_system(
                session, app, "chat_back", part="telegram", step=last_poll_ok.isoformat(), now=now, facts={}
            )


def _waiting_by_mail(session: Session, app: App, *, now: datetime) -> None:
    query = select(OutboxItem).where(
        OutboxItem.channel == "desk",
        OutboxItem.status == "pending",
        OutboxItem.kind != "refresh",
        col(OutboxItem.created_at) < now - CHAT_SILENCE,
    )
    for item in session.exec(query).all():
        told = json.loads(outbox.opened(session, app.vault, item)[1])
        notice = Notice(told["kind"], urgent=told["urgent"], facts=told["facts"])
        case = session.get(Case, item.case_id) if item.case_id is not None else None
        casework.mail_desk(session, app, notice, subject=told["subject"], step=f"outbox-{item.id}", now=now, case=case)


class Worker:
    """The running program: its tasks, and how to stop them."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.stop = asyncio.Event()
        self._work = asyncio.Event()

    async def run_once(self) -> None:
        """One round of everything that is due, the desk's chat included, then return."""
        with WorkerLock(self.app.database, self.app.settings.store.data_dir) as lock:
            channel = open_chat(self.app)
            desk = ChatDesk(self.app, channel) if channel is not None else None
            await self.begin(desk, everything=lock.exclusive)
            await asyncio.to_thread(round_once, self.app)
            if desk is not None and channel is not None:
                while await desk.post.deliver_next():
                    pass
                await channel.close()

    async def begin(self, desk: ChatDesk | None, *, everything: bool) -> None:
        """Take up what a worker before us left half done; *everything* where the store is ours alone."""
        await asyncio.to_thread(self._recover, everything)
        if desk is not None:
            await desk.take_up()

    async def turn(self, desk: ChatDesk | None, *, heard: Callable[[], datetime | None], since: datetime) -> None:
        """What the loops of :meth:`run` do, once, one after the other: for a program whose clock is moved.

        *heard* tells when the chat answered last, *since* is when the program began (both in UTC).
        As there, an error in one part is logged by its type and does not stop the others.
        """

        async def mail() -> None:
            for inbox in self.app.inboxes:
                try:
                    await asyncio.to_thread(poll, self.app, inbox)
                except Exception as error:  # noqa: BLE001 - nor one mailbox the next
                    log.error("mailbox.error", extra={"problem": type(error).__name__, "place": _place(error)})

        async def days() -> None:
            await asyncio.to_thread(daily, self.app)
            await asyncio.to_thread(self._watch)
            await asyncio.to_thread(self._recover, False)
            if desk is not None:
                await desk.take_up()
                await asyncio.to_thread(watch_chat, self.app, heard(), since=since)

        async def outgoing() -> None:
            await asyncio.to_thread(send_due, self.app)
            while desk is not None and await desk.post.deliver_next():
                pass

        for name, part in (("mailbox", mail), ("days", days), ("outbox", outgoing)):
            try:
                await part()
            except Exception as error:  # noqa: BLE001 - a fault in one part must not stop the others
                log.error(f"{name}.error", extra={"problem": type(error).__name__, "place": _place(error)})

    def tell_chat_trouble(self, code: str, sentence: str) -> None:
        """Tell the DPO by mail that the chat does not work, once an hour at most."""
        now = self.app.clock.now()
        with self.app.database.transaction() as session:
            casework.mail_desk(
                session, self.app, Notice("chat_down", urgent=True, facts={"problem": sentence}),
                subject=f"system:{code}", step=now.strftime("%Y-%m-%dT%H"), now=now,
            )  # fmt: skip

    async def run(self) -> None:
        """Work until :attr:`stop` is set. Raises ``AlreadyRunning`` when another worker has this store."""
        with WorkerLock(self.app.database, self.app.settings.store.data_dir) as lock:
            found = await asyncio.to_thread(self._recover, lock.exclusive)
            if found:
                log.warning("outbox.uncertain", extra={"count": found})
            channel = open_chat(self.app)
            desk = ChatDesk(self.app, channel) if channel is not None else None
            listener = await self._listen()
            jobs: list[Awaitable[None]] = [self._outgoing(desk), self._days(desk, channel)]
            jobs += [self._mailbox(inbox) for inbox in self.app.inboxes]
            if desk is not None and channel is not None:
                jobs.append(self._chat(desk, channel))
            tasks = [asyncio.ensure_future(job) for job in jobs]
            stopper = asyncio.create_task(self.stop.wait())
            try:
                await asyncio.wait([stopper, *tasks], return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task.done() and task.exception() is not None:
                        await task
            finally:
                self.stop.set()
                self._work.set()
                for inbox in self.app.inboxes:
                    wake = getattr(inbox, "wake", None)
                    if wake is not None:
                        wake()
                await asyncio.gather(*tasks, return_exceptions=True)
                stopper.cancel()
                if listener is not None:
                    await listener.stop()
                if channel is not None:
                    await channel.close()

    def _recover(self, everything: bool) -> int:
        """Find what was claimed and never settled; all of it only where no other worker can be sending."""
        limit = None if everything else self.app.clock.now() - LONGEST_SENDING
        return recover(self.app, claimed_before=limit)

    async def _listen(self) -> SmtpIntake | None:
        settings = self.app.settings.listen
        if settings is None:
            return None

        def deliver(raw: RawMessage) -> None:
            if not receive(self.app, raw):
                raise RuntimeError("the store is busy")
            self._loop.call_soon_threadsafe(self._work.set)

        self._loop = asyncio.get_running_loop()
        recipients = settings.recipients or (self.app.settings.mail.address, *self.app.settings.mail.aliases)
        listener = SmtpIntake(
            name="listener", host=settings.host, port=settings.port, deliver=deliver, now=self.app.clock.now,
            protocol=settings.protocol, recipients=recipients, max_size=settings.max_megabytes * 1_000_000,
            max_connections=settings.max_connections, max_recipients=settings.max_recipients,
        )  # fmt: skip
        await listener.start()
        return listener

    async def _guarded(self, name: str, step: Callable[[], Awaitable[None]], pause: float) -> None:
        """Repeat *step* until stopped; an error is logged by type and the next round goes on after a pause."""
        while not self.stop.is_set():
            try:
                await step()
            except Exception as error:  # noqa: BLE001 - a fault in one part must not stop the others
                log.error(
                    f"{name}.error",
                    extra={"problem": type(error).__name__, "place": _place(error)},
                )
                await self._rest(max(pause, 5.0))

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.stop.wait(), seconds)
        except TimeoutError:
            return

    async def _mailbox(self, inbox: Inbox) -> None:
        seconds = self.app.settings.imap.poll_seconds if self.app.settings.imap else 60

        async def step() -> None:
            await asyncio.to_thread(poll, self.app, inbox)
            self._work.set()
            if not self.stop.is_set():
                try:
                    await asyncio.to_thread(inbox.wait, seconds)
                except InboxError as error:
                    log.warning("imap.wait_failed", extra={"problem": str(error)})
                    await self._rest(min(seconds, 15))

        await self._guarded("mailbox", step, 5)

    async def _outgoing(self, desk: ChatDesk | None) -> None:
        async def step() -> None:
            await asyncio.to_thread(send_due, self.app)
            while desk is not None and await desk.post.deliver_next():
                pass
            self._work.clear()
            try:
                await asyncio.wait_for(self._work.wait(), 1.0)
            except TimeoutError:
                return

        await self._guarded("outbox", step, 1)

    async def _days(self, desk: ChatDesk | None, channel: Chat | None) -> None:
        started = self.app.clock.now()

        async def step() -> None:
            await asyncio.to_thread(daily, self.app)
            await asyncio.to_thread(self._watch)
            await asyncio.to_thread(self._recover, False)
            if desk is not None:
                await desk.take_up()
            if channel is not None:
                await asyncio.to_thread(watch_chat, self.app, channel.last_poll_ok, since=started)
            await self._rest(20)

        await self._guarded("days", step, 20)

    def _watch(self) -> None:
        """The watchdog: a mailbox nobody has read for long is told, even if nothing reported an error."""
        now = self.app.clock.now()
        slowest = max((mailbox.poll_seconds for mailbox in self.app.settings.all_mailboxes), default=60)
        limit = timedelta(seconds=max(15 * slowest, 1800))
        with self.app.database.transaction() as session:
            for part in {getattr(inbox, "part", "imap") for inbox in self.app.inboxes}:
                row = health.of(session, part)
                if row is None or row.ok_at is None or now - row.ok_at <= limit or row.failures >= ALARM_AFTER:
                    continue
                casework.tell_system(
                    session, self.app, "mailbox_down", part="imap",
                    step=f"{row.ok_at.isoformat()}{part.partition(':')[2]}", now=now,
                    facts={"last": row.ok_at.isoformat()},
                )  # fmt: skip

    async def _chat(self, desk: ChatDesk, channel: Chat) -> None:
        await desk.take_up()

        async def handle(update_id: int) -> None:
            await desk.handle(update_id)
            self._work.set()

        async def step() -> None:
            await channel.run(
                self.stop,
                last_update_id=desk.updates.last_update_id,
                store_update=desk.updates.store,
                handle=handle,
                notice=self.tell_chat_trouble,
            )

        await self._guarded("chat", step, 30)
