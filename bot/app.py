"""The composition root: everything is put together here, once. Tests pass their own clock, inboxes, mailer and chat."""

from __future__ import annotations

import importlib
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from bot.channels.base import Inbox, InboxError, Mailer
from bot.channels.clamd import Clamd
from bot.channels.dkim_check import DkimCheck
from bot.channels.imap import ImapInbox, Settled
from bot.channels.smtp_out import SmtpMailer
from bot.clock import Clock, SystemClock
from bot.contacts import ContactSource, CsvContacts, SqlContacts
from bot.settings import Settings
from handlers.rights import load_rights
from handlers.types import Right
from nlp.types import Message, Reading
from store import messages
from store.database import Database
from store.sealing import Vault

if TYPE_CHECKING:
    from bot.channels.chat import Chat


class Reader(Protocol):
    """The classifier, as the use cases need it."""

    def read(self, message: Message) -> Reading:
        """Say what a message asks for, why, and how sure; pure, and never raises."""


@dataclass
class App:
    """The parts of the running program."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    rights: Mapping[str, Right]
    inboxes: Sequence[Inbox]
    mailer: Mailer
    telegram: Chat | None
    """The chat a test brings; None: the platforms the settings name."""
    load_reader: Callable[[], Reader]
    contacts: ContactSource | None = None
    scanner: Clamd | None = None
    signatures: DkimCheck | None = None
    _reader: Reader | None = field(default=None, init=False)

    @property
    def reader(self) -> Reader:
        """The classifier, loaded at first use: commands that read no message start without it."""
        if self._reader is None:
            self._reader = self.load_reader()
        return self._reader

    def close(self) -> None:
        """Close the connections of every part."""
        for inbox in self.inboxes:
            inbox.close()
        self.database.close()


CHATS: Mapping[str, str] = MappingProxyType(
    {
        "telegram": "bot.channels.telegram",
        "matrix": "bot.channels.matrix",
    }
)
"""The chat platforms: section of the settings -> module, imported only where that section is given."""


def open_chat(app: App) -> Chat | None:
    """Open the chat platforms that the settings name, as one; None where there is none."""
    if app.telegram is not None:
        return app.telegram
    opened: list[Chat] = [
        importlib.import_module(module).open_channel(app)
        for section, module in CHATS.items()
        if getattr(app.settings, section) is not None
    ]
    if len(opened) < 2:
        return opened[0] if opened else None
    from bot.channels.chat import Switchboard

    return Switchboard(*opened)


def build_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    inboxes: Sequence[Inbox] | None = None,
    mailer: Mailer | None = None,
    telegram: Chat | None = None,
    reader: Reader | None = None,
    contacts: ContactSource | None = None,
    signatures: DkimCheck | None = None,
) -> App:
    """Put the program together as *settings* say; whatever is passed replaces the real part.

    Opens the store and brings its schema up to date. Nothing is contacted yet.
    """
    database = Database(settings.store.database_url)
    database.migrate()
    clock = clock or SystemClock()
    vault = Vault(settings.store.master_key.get_secret_value())

    def load_reader() -> Reader:
        if reader is not None:
            return reader
        from bot.models import running_model
        from nlp.classifier import load_classifier

        cues = {right.name: right.cues for right in load_rights().values()}
        loaded: Reader = load_classifier(running_model(settings), cues=cues)
        return loaded

    if inboxes is None:
        inboxes = _inboxes(settings, database)
    if mailer is None:
        mailer = _mailer(settings)
    return App(
        settings=settings, clock=clock, database=database, vault=vault, rights=load_rights(), inboxes=inboxes,
        mailer=mailer, telegram=telegram, load_reader=load_reader, contacts=contacts or _contacts(settings),
        scanner=_scanner(settings), signatures=signatures or _signatures(settings),
    )  # fmt: skip


class StoreCursor:
    """The memory of a mailbox's settled messages, kept in the store (``bot.channels.imap.Cursor``)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def seen(self, source: str, uidvalidity: int) -> Settled:
        """Return what is settled."""
        with self._database.reading() as session:
            low, above = messages.settled(session, source=source, uidvalidity=uidvalidity)
        return Settled(low, above)

    def note(self, source: str, uidvalidity: int, uid: int) -> None:
        """Add one settled message."""
        with self._database.transaction() as session:
            messages.settle(session, source=source, uidvalidity=uidvalidity, uid=uid)

    def raise_low(self, source: str, uidvalidity: int, low: int) -> None:
        """Count every UID up to *low* as settled."""
        with self._database.transaction() as session:
            messages.raise_low_water(session, source=source, uidvalidity=uidvalidity, low=low)


def _token_from(command: str) -> Callable[[], str]:
    def ask() -> str:
        try:
            done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
        except FileNotFoundError:
            raise InboxError("token_command: no such program. Give its full path, or install it") from None
        except PermissionError:
            raise InboxError("token_command: the program may not be run by this user. Check its rights") from None
        except subprocess.TimeoutExpired:
            raise InboxError(
                "token_command gave no token within 30 seconds: it may be waiting for a person to log in. "
                "Run it by hand once"
            ) from None
        except (OSError, ValueError) as error:
            raise InboxError(f"token_command cannot be run ({type(error).__name__}): check its quotes") from None
        token = done.stdout.strip()
        if done.returncode != 0:
            raise InboxError(f"token_command failed with status {done.returncode}: run it by hand to see why")
        if not token:
            raise InboxError("token_command printed nothing: it must print the access token, and nothing else")
        if len(token.split()) != 1:
            raise InboxError(
                "token_command printed more than a token: it must print the access token, and nothing else"
            )
        return token

    return ask


def _inboxes(settings: Settings, database: Database) -> Sequence[Inbox]:
    cursor = StoreCursor(database)
    inboxes: list[Inbox] = []
    for mailbox in settings.all_mailboxes:
        oauth = _token_from(mailbox.token_command) if mailbox.token_command else None
        for folder in dict.fromkeys((mailbox.folder, *mailbox.folders)):
            inboxes.append(
                ImapInbox(
                    name=mailbox.name, host=mailbox.host, port=mailbox.port, user=mailbox.user, cursor=cursor,
                    tls=mailbox.tls, ca_file=mailbox.ca_file,
                    password=None if oauth else mailbox.password.get_secret_value, oauth_token=oauth, folder=folder,
                    after=mailbox.after, read_timeout=mailbox.timeout_seconds, poll_every=mailbox.poll_seconds,
                    idle=mailbox.idle, since=mailbox.since, zone=settings.zone,
                )
            )  # fmt: skip
    return inboxes


def _contacts(settings: Settings) -> ContactSource | None:
    source = settings.contacts
    if source is None:
        return None
    return CsvContacts(source.csv) if source.csv is not None else SqlContacts(source.url, source.query)


def _scanner(settings: Settings) -> Clamd | None:
    antivirus = settings.antivirus
    return Clamd(antivirus.clamd, timeout=antivirus.timeout_seconds) if antivirus else None


def _signatures(settings: Settings) -> DkimCheck | None:
    return DkimCheck(servers=settings.mail.dns_servers) if settings.mail.check_dkim else None


def _mailer(settings: Settings) -> Mailer:
    smtp = settings.smtp
    return SmtpMailer(
        host=smtp.host, port=smtp.port, tls=smtp.tls, ca_file=smtp.ca_file, user=smtp.user,
        password=smtp.password.get_secret_value if smtp.user else None, timeout=smtp.timeout_seconds,
    )  # fmt: skip
