"""The mailbox over IMAP: reads without leaving a trace, and forgets nothing that was not dealt with.

What is settled is remembered by UID on our side (:class:`Cursor`), never by ``\\Seen`` or keywords: people read,
flag and move mail in the same mailbox, and some servers drop keywords silently.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Protocol

from imapclient import SEEN, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientAbortError, IMAPClientError, LoginError

from bot.channels.base import InboxError, RawMessage
from bot.channels.imap_client import (
    Bell,
    Client,
    excerpt,
    move,
    password_login,
    response_code,
    sections,
    xoauth2,
)
from bot.channels.transport import Tls, client_context, explain_failure, require_protection
from bot.clock import stopwatch

log = logging.getLogger(__name__)

LISTING_STEP = 300
"""How many messages are asked about in one command (servers limit the length of a line)."""
LONGEST_IDLE = 29 * 60
"""Seconds after which a server may hang up on a client in IDLE (RFC 2177 section 3)."""


@dataclass(frozen=True)
class Settled:
    """What is dealt with in a mailbox: every UID up to ``low``, and those of ``above``."""

    low: int = 0
    above: frozenset[int] = frozenset()

    def __contains__(self, uid: int) -> bool:
        return uid <= self.low or uid in self.above


class Cursor(Protocol):
    """The memory of what is settled, kept by the store; each call is durable when it returns.

    UIDs mean nothing under another UIDVALIDITY (RFC 3501 section 2.3.1.1), so it is part of the key.
    """

    def seen(self, source: str, uidvalidity: int) -> Settled:
        """Return what is settled in *source* under *uidvalidity*; ``Settled()`` when nothing is known."""

    def note(self, source: str, uidvalidity: int, uid: int) -> None:
        """Add one settled message; noting it twice is harmless."""

    def raise_low(self, source: str, uidvalidity: int, low: int) -> None:
        """Count every UID up to *low* as settled and forget them one by one; the mark never falls."""


@dataclass(frozen=True)
class OversizeMessage(RawMessage):
    """A message above the size limit: ``raw`` holds its header and the start of its first part only."""

    full_size: int = 0
    """Bytes of the whole message as the server counts them (RFC822.SIZE)."""


class LoginRefused(InboxError):
    """The server knows us not: password, token or method is wrong. Trying again would only lock the account."""


class FolderRefused(InboxError):
    """The folder does not exist or may not be opened: a setting is wrong."""


@dataclass(frozen=True)
class _Listed:
    """A message in the mailbox, before its content is fetched."""

    received_at: datetime | None
    """INTERNALDATE in UTC; None where the server gives none."""
    uid: int
    size: int


class ImapInbox:
    """One folder of one mailbox, read over IMAP (an ``Inbox``).

    Used by one thread at a time; only :meth:`wake` may be called from another one meanwhile. Connections are opened
    when needed and opened again after they broke.

    *name* stands for the mailbox in ``source``, logs and errors, so that the address need not. *password* or
    *oauth_token* (XOAUTH2) is called at every login and returns the secret. *after* says what is done to a settled
    message, as a courtesy to the people who read the same mailbox: ``leave``, ``seen`` or ``move:FOLDER``; with
    ``leave`` the folder is opened read-only. What the server took in before the day *since* (in *zone*) is settled
    without being fetched. Sizes are bytes, times are seconds.

    Raises :class:`ValueError` for settings that contradict each other.
    """

    def __init__(
        self,
        *,
        name: str,
        host: str,
        user: str,
        cursor: Cursor,
        port: int | None = None,
        tls: Tls = "implicit",
        ca_file: Path | None = None,
        password: Callable[[], str] | None = None,
        oauth_token: Callable[[], str] | None = None,
        folder: str = "INBOX",
        after: str = "leave",
        max_size: int = 35_000_000,
        connect_timeout: float = 15,
        read_timeout: float = 60,
        idle_renewal: float = 9 * 60,
        poll_every: float = 60,
        idle: bool = True,
        since: date | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        require_protection(tls, host)
        if (password is None) == (oauth_token is None):
            raise ValueError("a mailbox needs either a password or an OAuth2 token")
        if after not in {"leave", "seen"} and not re.fullmatch(r"move:.+", after):
            raise ValueError('after is "leave", "seen" or "move:FOLDER"')
        if after == f"move:{folder}":
            raise ValueError("settled messages cannot be moved into the folder that is watched")
        if not 0 < idle_renewal < LONGEST_IDLE:
            raise ValueError("idle_renewal lies between 0 and 29 minutes (RFC 2177)")
        self._source = f"imap:{host}/{name}/{folder}"
        self._host = host
        self._port = port or (993 if tls == "implicit" else 143)
        self._user = user
        self._cursor = cursor
        self._tls: Tls = tls
        self._ca_file = ca_file
        self._password = password
        self._oauth_token = oauth_token
        self._folder = folder
        self._after = after
        self._max_size = max_size
        self._timeout = SocketTimeout(connect_timeout, read_timeout)
        self._idle_renewal = idle_renewal
        self._poll_every = poll_every
        self._idle_wanted = idle
        self._since = since
        self._zone = zone
        self._name = name
        self._bell = Bell()
        self._client: Client | None = None
        self._uidvalidity = 0
        self._exists = 0
        self._locked_out = False
        self._listed_up_to: tuple[int, int] | None = None
        self._idle_refusals = 0

    @property
    def source(self) -> str:
        """``imap:HOST/NAME/FOLDER``, stable and free of secrets."""
        return self._source

    @property
    def part(self) -> str:
        """What its signs of life are kept under: ``imap`` for the main mailbox, ``imap:NAME/FOLDER`` for others."""
        return "imap" if (self._name, self._folder) == ("dpo", "INBOX") else f"imap:{self._name}/{self._folder}"

    def fetch(self) -> Iterator[RawMessage]:
        """Yield the messages not yet settled, oldest INTERNALDATE first, each fetched when it is asked for.

        Nothing is marked in the mailbox (``BODY.PEEK``). A message that vanishes meanwhile is passed over: a
        person removed or moved it. After a change of UIDVALIDITY every message is offered again, and the store
        knows those it has by their content. A message above the size limit comes as :class:`OversizeMessage`.

        Raises :class:`InboxError` when the server cannot be reached, refuses or goes away; and at the end, after all
        others were yielded, for messages that could not be read.
        """
        with self._told():
            client = self._select()
            uidvalidity = self._uidvalidity
            pending = self._pending(client)
        unreadable: list[str] = []
        for listed in pending:
            with self._told():
                # The connection may have been replaced while the caller dealt with the message before.
                client = self._client or self._select()
                if self._uidvalidity != uidvalidity:
                    return
                try:
                    message = self._message(client, listed)
                except IMAPClientAbortError:
                    raise
                except (IMAPClientError, ValueError):
                    # Some servers refuse to give what was just expunged ([EXPUNGEISSUED]), others give it empty.
                    client.noop()
                    if listed.uid in client.search(["UID", str(listed.uid)]):
                        unreadable.append(f"{uidvalidity}:{listed.uid}")
                    continue
            if message is not None:
                yield message
        if unreadable:
            raise InboxError(
                f"{self._source}: {len(unreadable)} message(s) could not be read ({', '.join(unreadable[:10])}). "
                "Look at them with a mail program; all others were read"
            )

    def settle(self, message: RawMessage) -> None:
        """Note that *message* is dealt with, then do the courtesy of ``after``, whose failure is only logged.

        Raises :class:`ValueError` for a message of another mailbox.
        """
        if message.source != self._source:
            raise ValueError("the message is not from this mailbox")
        uidvalidity, uid = map(int, message.external_id.split(":"))
        self._cursor.note(self._source, uidvalidity, uid)
        if self._after == "leave":
            return
        try:
            with self._told():
                client = self._client or self._select()
                if self._uidvalidity == uidvalidity:
                    self._courtesy(client, uid)
        except InboxError:
            log.warning("imap.courtesy_failed", extra={"source": self._source, "external_id": message.external_id})

    def wait(self, timeout: float) -> bool:
        """Block until the mailbox may hold something new (True), *timeout* seconds passed or :meth:`wake` was called.

        By IDLE where the server has it and the settings do not forbid it, else by looking every ``poll_every``
        seconds. Never raises :class:`InboxError`: a lost connection is opened again, with growing pauses; the next
        :meth:`fetch` says what is wrong.
        """
        until = stopwatch() + timeout
        pause = 1.0
        if self._locked_out:
            # Only fetch() tries the login again: more attempts might lock the account.
            self._bell.wait(timeout)
            return False
        while (left := until - stopwatch()) > 0:
            try:
                with self._told():
                    client = self._select()
                    if self._has_new(client):
                        return True
                    pause = 1.0
                    if self._may_idle(client) and self._idle_refusals < 2:
                        new, rang = self._idle(client, min(left, self._idle_renewal))
                        if new:
                            return True
                    else:
                        rang = self._bell.wait(min(left, self._poll_every))
            except (LoginRefused, FolderRefused):
                self._bell.wait(left)
                return False
            except InboxError:
                log.info("imap.wait_interrupted", extra={"source": self._source})
                rang = self._bell.wait(min(left, pause))
                pause = min(2 * pause, 30.0)
            if rang:
                return False
        return False

    def wake(self) -> None:
        """End a :meth:`wait` at once, from any thread; a wait that begins later ends at once, too."""
        self._bell.ring()

    def check(self) -> str:
        """Log in, open the folder and say in a line what was found, for ``dpobot check``.

        Raises :class:`InboxError`.
        """
        with self._told():
            client = self._select()
            how = "IDLE" if self._may_idle(client) else f"asked every {self._poll_every:g} s"
            return f"{self._source}: {self._exists} messages, {how}"

    def _may_idle(self, client: Client) -> bool:
        return self._idle_wanted and bool(client.has_capability("IDLE"))

    def close(self) -> None:
        """Log out and close the connection; harmless when it is closed already. A later call opens it again."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, IMAPClientError):
                client.socket().settimeout(5)
                client.logout()
            with suppress(OSError):
                client.shutdown()

    # Connection

    def _select(self) -> Client:
        """Open the folder, so that we see it as it is now; connect first where need be."""
        if self._client is not None:
            try:
                return self._open_folder(self._client)
            except (OSError, IMAPClientAbortError):
                # It died of old age since the last use, which says nothing about the server.
                self._drop()
        self._client = self._connect()
        return self._open_folder(self._client)

    def _open_folder(self, client: Client) -> Client:
        try:
            state = client.select_folder(self._folder, readonly=self._after == "leave")
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            raise FolderRefused(
                f'{self._source}: the folder "{self._folder}" cannot be opened{response_code(error)}. '
                "Check its name, and that this user may read it"
            ) from None
        uidvalidity = state.get(b"UIDVALIDITY")
        if not uidvalidity:
            raise FolderRefused(f"{self._source}: the server gives no UIDVALIDITY; such a folder cannot be followed")
        self._uidvalidity = int(uidvalidity)
        self._exists = int(state.get(b"EXISTS", 0))
        return client

    def _connect(self) -> Client:
        # The library logs every line at DEBUG, and quotes the server in warnings.
        logging.getLogger("imapclient").setLevel(logging.ERROR)
        context = None if self._tls == "none" else self._context()
        try:
            client = Client(
                self._host, self._port, ssl=self._tls == "implicit", ssl_context=context, timeout=self._timeout
            )
        except IMAPClientError as error:
            if isinstance(error, IMAPClientAbortError) and "EOF" in str(error):
                raise
            raise InboxError(
                f"{self._place}: no IMAP greeting: another service, or it refuses connections. Check host and port"
            ) from None
        except UnicodeError:
            raise InboxError(f"{self._place}: the host name is not a name. Check the spelling") from None
        try:
            if self._tls == "starttls":
                client.starttls(context)
            self._tune(client.socket())
            client.bell = self._bell
            client.normalise_times = False
            self._log_in(client)
        except BaseException as error:
            self._locked_out = isinstance(error, LoginRefused)
            with suppress(OSError):
                client.shutdown()
            raise
        self._locked_out = False
        return client

    def _context(self) -> ssl.SSLContext:
        try:
            return client_context(self._ca_file)
        except OSError:
            raise InboxError(
                f"{self._source}: the certificates in {self._ca_file} cannot be read. Check ca_file (PEM)"
            ) from None

    @staticmethod
    def _tune(sock: socket.socket) -> None:
        # Small commands wait 40 ms for each other otherwise.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def _log_in(self, client: Client) -> None:
        try:
            if self._oauth_token is not None:
                xoauth2(client, self._user, self._secret(self._oauth_token))
            elif self._password is not None:
                password_login(client, self._user, self._secret(self._password))
        except LoginError as error:
            # The library wraps a connection that broke during the login as well.
            if isinstance(error.__context__, IMAPClientAbortError):
                raise error.__context__ from None
            raise self._login_refused(client, str(error)) from None
        except CapabilityError:
            raise self._login_refused(client, "") from None

    def _secret(self, source: Callable[[], str]) -> str:
        try:
            return source()
        except InboxError:
            raise
        except Exception as error:  # noqa: BLE001  # it is the operator's own command or file: anything may go wrong
            raise InboxError(
                f"{self._source}: the password or token could not be had ({type(error).__name__}). "
                "Check the file or command that gives it"
            ) from None

    def _login_refused(self, client: Client, answer: str) -> InboxError:
        refusal = f"{self._place}: the server refused the login{response_code(answer)}"
        if "[UNAVAILABLE]" in answer:
            return InboxError(f"{refusal}: its login service is out of order. It is tried again")
        if self._oauth_token is not None:
            return LoginRefused(f"{refusal}. The OAuth2 token is not accepted: renew it, and check user name and scope")
        told = re.search(r"basic.?auth|oauth|web ?login|less secure|application-specific|app password", answer, re.I)
        with suppress(OSError, IMAPClientError):
            told = told or client.has_capability("AUTH=XOAUTH2")
        hint = (
            " Basic authentication (a password) may be disabled there: give an OAuth2 token (XOAUTH2) instead,"
            " or an application password where the provider offers one"
        )
        return LoginRefused(f"{refusal}. Check user name and password.{hint if told else ''}")

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError):
                client.shutdown()

    @property
    def _place(self) -> str:
        return f"{self._host}:{self._port}"

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what goes wrong into an :class:`InboxError`, without the server's words, and drop the connection."""
        try:
            yield
        except InboxError:
            self._drop()
            raise
        except CapabilityError as error:
            self._drop()
            lacking = "STARTTLS" if "STARTTLS" in str(error) else "a command we need"
            raise InboxError(
                f'{self._place}: the server does not offer {lacking}. Check the port, or tls = "implicit"'
            ) from None
        except IMAPClientAbortError:
            self._drop()
            raise InboxError(f"{self._place}: the server broke the connection. It is tried again") from None
        except OSError as error:
            connected = self._client is not None
            self._drop()
            seconds = self._timeout.read if connected else self._timeout.connect
            raise InboxError(
                explain_failure(error, place=self._place, tls=self._tls, seconds=seconds),
            ) from None
        except IMAPClientError as error:
            self._drop()
            raise InboxError(
                f"{self._source}: the server refused a command{response_code(error)}. "
                "It is tried again; if that lasts, ask its operator"
            ) from None

    # Reading

    def _pending(self, client: Client) -> list[_Listed]:
        """List what is not settled, oldest first, and raise the low-water mark as far as may be.

        UIDs only grow (RFC 3501 section 2.3.1.1), so nothing new can appear below one that is there.
        """
        settled = self._cursor.seen(self._source, self._uidvalidity)
        # "n:*" names the last message even when its UID is below n.
        present = [uid for uid in client.search(["UID", f"{settled.low + 1}:*"]) if uid > settled.low]
        self._listed_up_to = (self._uidvalidity, max(present, default=settled.low))
        open_uids = sorted(uid for uid in present if uid not in settled)
        low = open_uids[0] - 1 if open_uids else max([settled.low, *present, *settled.above])
        if low > settled.low:
            self._cursor.raise_low(self._source, self._uidvalidity, low)
        listed: list[_Listed] = []
        for start in range(0, len(open_uids), LISTING_STEP):
            answer = client.fetch(open_uids[start : start + LISTING_STEP], [b"INTERNALDATE", b"RFC822.SIZE"])
            for uid in open_uids[start : start + LISTING_STEP]:
                if uid in answer:
                    when, size = answer[uid].get(b"INTERNALDATE"), answer[uid].get(b"RFC822.SIZE") or 0
                    listed.append(_Listed(when and when.astimezone(UTC), uid, size))
        listed = self._passed_over(listed)
        return sorted(listed, key=lambda one: (one.received_at or datetime.min.replace(tzinfo=UTC), one.uid))

    def _passed_over(self, listed: list[_Listed]) -> list[_Listed]:
        """Settle what came before ``since``, unread: years of old mail are neither to be answered nor to be fetched."""
        if self._since is None:
            return listed
        old = {
            one.uid for one in listed if one.received_at and one.received_at.astimezone(self._zone).date() < self._since
        }
        if not old:
            return listed
        young = [one for one in listed if one.uid not in old]
        # Most of it lies below everything that is new, and is settled by one mark instead of thousands.
        low = min((one.uid for one in young), default=max(old) + 1) - 1
        self._cursor.raise_low(self._source, self._uidvalidity, low)
        for uid in sorted(uid for uid in old if uid > low):
            self._cursor.note(self._source, self._uidvalidity, uid)
        log.info("imap.passed_over", extra={"source": self._source, "count": len(old)})
        return young

    def _message(self, client: Client, listed: _Listed) -> RawMessage | None:
        """Fetch one message whole, or its start if it is too large; None if it is gone."""
        if listed.received_at is None:
            # The month would run from nowhere (GDPR art. 12(3)): a person must look.
            raise IMAPClientError("no INTERNALDATE")
        external_id = f"{self._uidvalidity}:{listed.uid}"
        if listed.size > self._max_size:
            raw = excerpt(client, listed.uid)
            if raw is None:
                return None
            return OversizeMessage(self._source, external_id, listed.received_at, raw, full_size=listed.size)
        parts = sections(client, listed.uid, "BODY.PEEK[]")
        if parts is None:
            return None
        if listed.size and not parts[0]:
            raise IMAPClientError("empty")
        return RawMessage(self._source, external_id, listed.received_at, parts[0])

    def _courtesy(self, client: Client, uid: int) -> None:
        if self._after == "seen":
            client.add_flags([uid], [SEEN], silent=True)
            return
        target = self._after.removeprefix("move:")
        try:
            move(client, uid, target)
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            # Most likely the folder is not there yet ([TRYCREATE]).
            client.create_folder(target)
            move(client, uid, target)

    # Waiting

    def _has_new(self, client: Client) -> bool:
        """Tell whether something came since the last listing: news told in between are told only once."""
        if self._listed_up_to is None or self._listed_up_to[0] != self._uidvalidity:
            return True
        last = self._listed_up_to[1]
        return any(uid > last for uid in client.search(["UID", f"{last + 1}:*"]))

    def _idle(self, client: Client, seconds: float) -> tuple[bool, bool]:
        """Stay in IDLE until the server says something, the bell rings or *seconds* passed.

        Return whether messages were announced, and whether the bell rang. ``idle_check`` returns nothing, at once and
        for ever, for a dead connection as well; ending IDLE by the book tells the difference: it needs an answer.
        """
        try:
            client.idle()
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            self._idle_refusals += 1
            raise
        self._idle_refusals = 0
        news = client.idle_check(timeout=0) or client.idle_check(timeout=seconds)
        rang = self._bell.hush()
        if any(line[0] == b"BYE" for line in news):
            raise IMAPClientAbortError("BYE")
        _, more = client.idle_done()
        return any(len(line) > 1 and line[1] == b"EXISTS" for line in [*news, *more]), rang
