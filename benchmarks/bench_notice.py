"""How long it takes from a mail's arrival to its card in the chat: the whole program, real IMAP, store and Bot API on loopback.

python benchmarks/bench_notice.py [mails]

The mailbox waits in IDLE, as it does where the server knows it; the model is loaded before the first mail, as in a program that
runs. *Intake* is counted from the moment the server has the mail, so that nothing of ours is left out.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bot.app import build_app
from bot.clock import SystemClock
from bot.sandbox.bot_api import BotApiServer
from bot.sandbox.imap import ImapServer
from bot.sandbox.smtp import SmtpSink
from bot.worker import Worker
from nlp.types import Message
from tests.world import DPO, mail, make_mailbox, make_settings

LIMIT = 2.0
"""Seconds within which the DPO is to be told."""
TEXTS = (
    "Bonjour,\n\nJe voudrais une copie de toutes les données que vous avez sur moi.\n\nCamille Durand, mail n° {n}",
    "Bonjour, arrêtez de m'envoyer vos publicités, s'il vous plaît. Message {n}.",
    "Hello, please delete my account and everything you hold about me. Message {n}.",
)


def main(count: int) -> None:
    """Send *count* mails one after the other and print how long each took to be seen."""
    clock = SystemClock()
    with (
        tempfile.TemporaryDirectory() as folder,
        make_mailbox() as mailbox,
        SmtpSink() as sink,
        BotApiServer(now=clock.now) as chat,
    ):
        chat.add_chat(DPO)
        settings = make_settings(
            Path(folder) / "data",
            imap={
                "host": "127.0.0.1", "port": mailbox.port, "tls": "none", "user": mailbox.user, "password": mailbox.password,
                "since": "2020-01-01",
            },
            smtp={"host": sink.host, "port": sink.port, "tls": "none"},
            telegram={"token": chat.token, "base_url": chat.base_url.removesuffix("/bot")},
            desk={
                "users": [{"key": "dpo", "name": "DPO", "role": "dpo", "telegram_id": DPO}], "cards_per_hour": 10_000,
            },
        )  # fmt: skip
        app = build_app(settings, clock=clock)
        app.reader.read(Message(id="warm", subject="", body="Bonjour"))
        spent = asyncio.run(measured(Worker(app), mailbox, chat, count))
        app.close()
    ordered = sorted(spent)
    if ordered[-1] > LIMIT:
        print(f"slower than {LIMIT} s: {sum(value > LIMIT for value in ordered)}")
    print(f"{count} mails, one after the other, from the mailbox to the card")
    print(
        f"median {statistics.median(ordered):.2f} s   95 % {ordered[int(0.95 * (count - 1))]:.2f} s   slowest {ordered[-1]:.2f} s"
    )


async def measured(worker: Worker, mailbox: ImapServer, chat: BotApiServer, count: int) -> list[float]:
    """Let the program run, and time each mail."""
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(3)
    try:
        return [await asyncio.to_thread(one, mailbox, chat, number) for number in range(count)]
    finally:
        worker.stop.set()
        await running


def one(mailbox: ImapServer, chat: BotApiServer, number: int) -> float:
    """Let a mail arrive, wait for its card; return the seconds between."""
    raw = mail(
        TEXTS[number % len(TEXTS)].format(n=number),
        sender=f"P{number} <p{number}@boite.example>",
        subject=f"Demande {number}",
    )
    before = len([m for m in chat.messages(DPO) if m.buttons])
    started = time.perf_counter()
    mailbox.append(raw, internal_date=SystemClock().now())
    if not chat.wait_until(lambda world: len([m for m in world.messages(DPO) if m.buttons]) > before, timeout=30):
        raise SystemExit("no card came within 30 seconds")
    return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
