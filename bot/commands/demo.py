"""``dpobot demo``: the main job on embedded defaults. Invented mails are delivered for real, the worker works, you
are the DPO.

Everything runs on this machine: an IMAP server, an SMTP server that keeps what is sent, a local Bot API and SQLite
in a fresh folder. With ``--auto``
the DPO is played too, in chat, by pressing the same buttons a person would.
"""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default
from pathlib import Path

import click

from bot.app import App, build_app
from bot.clock import SystemClock, stopwatch
from bot.commands.digest import digest_now
from bot.commands.init import EXAMPLE, private
from bot.desk.terminal import Terminal
from bot.digest import queue_digest
from bot.sandbox.bot_api import BotApiServer
from bot.sandbox.imap import ImapServer
from bot.sandbox.smtp import SmtpSink
from bot.settings import Settings, build
from bot.worker import Worker
from store import cases, messages, outbox
from store.sealing import new_master_key

MAILS = Path(__file__).parent.parent / "sandbox" / "mails"
DPO = 700000001
PATIENCE = 60.0
"""Seconds the demo waits for the worker before it says that something is wrong."""
QUIET = 1.5
"""Seconds without anything new in chat after which the played DPO is through."""


def demo(folder: Path, *, auto: bool) -> int:
    """Play the demo in *folder*, which is emptied first if a demo made it; return the exit status."""
    started = stopwatch()
    if folder.exists() and any(folder.iterdir()) and not (folder / "dpobot.toml").exists():
        click.echo(f"{folder} is not empty and holds no demo: name another folder with --dir", err=True)
        return 2
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    clock = SystemClock()
    _say("1/5", "starting an IMAP server, an SMTP server and a local Bot API on this machine")
    with ImapServer() as imap, SmtpSink(folder=folder / "sent") as sink, BotApiServer(now=clock.now) as chat:
        chat.add_chat(DPO)
        settings = _settings(folder, imap, sink, chat if auto else None)
        app = build_app(settings, clock=clock)
        _say("2/5", "loading the classifier")
        _ = app.reader
        _say("3/5", f"delivering {_deliver(imap, clock.now())} invented mails")
        with _worker(app) as worker:
            if not _settled(app, expected=len(list(MAILS.glob("*.eml")))):
                click.echo("the worker did not take in the mails in time; see the log above", err=True)
                return 1
            _reply_with_proof(imap, sink, clock.now())
            if not _settled(app, expected=len(list(MAILS.glob("*.eml"))) + 1):
                click.echo("the worker did not take in the reply in time; see the log above", err=True)
                return 1
            _say("4/5", "the DPO decides" + (" (played, in chat)" if auto else ": that is you"))
            if auto:
                _play(chat)
                _transcript(chat, folder / "chat.txt")
            else:
                user = settings.desk.users[0]
                Terminal(app, user, ask=input, say=print).run()
            digest_now(app, folder / "digest")
            queue_digest(app, now=clock.now())
            _wait(lambda: not _pending(app))
            worker.stop.set()
        _say("5/5", "writing the register")
        _register(app, folder / "register.txt")
        _summary(app, folder, sink, stopwatch() - started, auto=auto)
        app.close()
    return 0


def _say(step: str, text: str) -> None:
    click.echo(f"[{step}] {text} …")


def _settings(folder: Path, imap: ImapServer, sink: SmtpSink, chat: BotApiServer | None) -> Settings:
    """The settings that ship, on the embedded servers."""
    import tomllib

    (folder / "secrets").mkdir(mode=0o700)
    private(folder / "secrets" / "master.key", new_master_key())
    text = EXAMPLE.read_text(encoding="utf-8")
    text = text.replace("# telegram_id = 700000001", f"telegram_id = {DPO}")
    private(folder / "dpobot.toml", text)
    values = tomllib.loads(text)
    values["store"] = {"data_dir": str(folder / "data"), "master_key_file": str(folder / "secrets" / "master.key")}
    values["imap"] = {
        "host": imap.host, "port": imap.port, "tls": "none", "user": imap.user,
        "password": imap.password, "poll_seconds": 5,
    }  # fmt: skip
    values["smtp"] = {"host": sink.host, "port": sink.port, "tls": "none"}
    if chat is not None:
        values["telegram"] = {"token": chat.token, "base_url": chat.base_url.removesuffix("/bot")}
    return build(values)


def _deliver(imap: ImapServer, now: datetime) -> int:
    paths = sorted(MAILS.glob("*.eml"))
    for index, path in enumerate(paths):
        imap.append(path.read_bytes(), internal_date=now - timedelta(hours=7 * (len(paths) - index)))
    return len(paths)


@contextmanager
def _worker(app: App) -> Iterator[Worker]:
    """Run the real worker in a thread of its own while the block lasts."""
    ready: list[tuple[Worker, asyncio.AbstractEventLoop]] = []
    up = threading.Event()

    async def work() -> None:
        worker = Worker(app)
        ready.append((worker, asyncio.get_running_loop()))
        up.set()
        await worker.run()

    thread = threading.Thread(target=lambda: asyncio.run(work()), name="worker", daemon=True)
    thread.start()
    up.wait(PATIENCE)
    worker, loop = ready[0]
    try:
        yield worker
    finally:
        loop.call_soon_threadsafe(worker.stop.set)
        thread.join(PATIENCE)


def _wait(done: object) -> bool:
    assert callable(done)
    end = stopwatch() + PATIENCE
    while stopwatch() < end:
        if done():
            return True
        threading.Event().wait(0.1)
    return False


def _pending(app: App) -> int:
    with app.database.reading() as session:
        return outbox.count_unsent(session)


def _settled(app: App, *, expected: int) -> bool:
    """Wait until *expected* messages are recorded and everything that follows from them has left."""

    def done() -> bool:
        with app.database.reading() as session:
            return messages.count(session) >= expected and outbox.count_unsent(session) == 0

    return _wait(done)


def _reply_with_proof(imap: ImapServer, sink: SmtpSink, now: datetime) -> None:
    """Let the first person who was asked for proof answer our mail, with a masked document, as people do."""
    asked = next(a for a in sink.taken if "camille.durand" in a.recipients[0])
    ours = BytesParser(policy=default).parsebytes(asked.raw)
    reply = EmailMessage(policy=SMTP)
    reply["From"] = "Camille Durand <camille.durand@courrier.example>"
    reply["To"] = "dpo@mije.com"
    reply["Subject"] = f"Re: {ours['Subject']}"
    reply["Message-ID"] = "<a1f1.camille@courrier.example>"
    reply["In-Reply-To"] = ours["Message-ID"]
    reply["References"] = ours["Message-ID"]
    reply.set_content(
        "Bonjour,\n\nVoici la copie de ma carte d'identité, avec les parties inutiles masquées.\n\nCamille Durand\n"
    )
    reply.add_attachment(_document(), maintype="image", subtype="jpeg", filename="carte-identite-masquee.jpg")
    imap.append(reply.as_bytes(), internal_date=now)


def _document() -> bytes:
    """Draw an invented, masked identity card."""
    from PIL import Image, ImageDraw

    picture = Image.new("L", (640, 400), 225)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 20, 620, 380), outline=90, width=3)
    draw.rectangle((40, 90, 200, 300), fill=30)
    draw.rectangle((230, 300, 600, 360), fill=30)
    for row, line in enumerate(("SPECIMEN", "DURAND", "Camille", "copie pour le DPO de la MIJE")):
        draw.text((240, 80 + 45 * row), line, fill=20)
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=70)
    return held.getvalue()


# --- the DPO, played -------------------------------------------------------------------------------------------------

_FILLED = "Vérifié le jour de la réponse dans le système de réservation et la messagerie (texte de démonstration)."
_ORDER = ("Compléter", "Identité vérifiée", "Approuver et envoyer", "Ouvrir un dossier", "Clore", "Pas une demande")
"""What the played DPO presses first, by the beginning of the label."""


def _play(chat: BotApiServer) -> None:
    """Work through the cards in chat until nothing is left to press; each press waits for its answer."""
    for _ in range(200):
        pressed = _press_next(chat)
        if not pressed:
            if not chat.wait_until(lambda world: _choice(world) is not None, QUIET):
                return
            continue


def _choice(chat: object) -> tuple[int, str, str] | None:
    """Return (message id, label, text) of the next button worth pressing."""
    assert isinstance(chat, BotApiServer)
    for wanted in _ORDER:
        for message in chat.messages(DPO):
            labels = [label for row in message.buttons for label, _ in row]
            for label in labels:
                if label.startswith(wanted) and _sensible(wanted, message.text):
                    return message.message_id, label, message.text
    return None


def _sensible(wanted: str, text: str) -> bool:
    if wanted == "Identité vérifiée":
        return "reçue, à vérifier" in text
    if wanted == "Approuver et envoyer":
        return "[[" not in text
    if wanted == "Clore":
        return re.search(r"^État : répondu", text, re.MULTILINE) is not None
    if wanted == "Pas une demande":
        return text.startswith(("■ Message à trier", "À trier", "■ Courrier")) and "Ouvrir un dossier" not in text
    return True


def _press_next(chat: BotApiServer) -> bool:
    chosen = _choice(chat)
    if chosen is None:
        return False
    message_id, label, text = chosen
    before = len(chat.messages(DPO))
    callback = chat.press(DPO, message_id, DPO, label)
    chat.wait_until(lambda world: any(answer.callback_id == callback for answer in world.answers), PATIENCE)
    if label.startswith("Compléter"):
        chat.wait_until(lambda world: any(m.force_reply for m in world.messages(DPO)[before:]), PATIENCE)
        said = len(chat.messages(DPO))
        chat.say(DPO, _FILLED)
        chat.wait_until(lambda world: len(world.messages(DPO)) > said + 1, PATIENCE)
    # The card is drawn anew after the action; wait for that before looking again.
    chat.wait_until(lambda world: _text_of(world, message_id) != text, PATIENCE / 4)
    return True


def _text_of(chat: object, message_id: int) -> str:
    assert isinstance(chat, BotApiServer)
    return next((m.text for m in chat.messages(DPO) if m.message_id == message_id), "")


def _transcript(chat: BotApiServer, path: Path) -> None:
    lines = []
    for message in chat.messages(DPO):
        who = "DPO" if message.user_id == DPO else "dpobot"
        lines.append(f"--- {who}, {message.date:%H:%M:%S}\n{message.text}")
        lines += ["    " + "  ".join(f"[{label}]" for label, _ in row) for row in message.buttons]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


# --- what is left at the end -----------------------------------------------------------------------------------------


def _register(app: App, path: Path) -> None:
    from bot.commands.cases import summary

    lines = []
    with app.database.reading() as session:
        for case in cases.listed(session):
            row = summary(case)
            lines.append(
                "\t".join(str(row[name]) for name in ("reference", "received_at", "rights", "state", "identity", "due"))
            )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _summary(app: App, folder: Path, sink: SmtpSink, seconds: float, *, auto: bool) -> None:
    with app.database.reading() as session:
        taken, opened = messages.count(session), cases.listed(session)
        waiting = len(messages.waiting_for_a_person(session))
    click.echo()
    click.echo(
        f"{taken} messages read, {len(opened)} cases, {waiting} left to sort, {len(sink.taken)} mails sent, {seconds:.1f} s"
    )
    click.echo(f"sent mails   {folder / 'sent'}")
    click.echo(f"digest       {folder / 'digest' / 'digest.html'} and digest.png")
    click.echo(f"register     {folder / 'register.txt'}")
    if auto:
        click.echo(f"the chat     {folder / 'chat.txt'}")
