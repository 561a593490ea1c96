"""Mail by push: a listener for SMTP and LMTP that says "250" only once the message is stored.

Meant to stand behind the organisation's own mail server, which delivers one address here. What is not stored yet is
answered with 451, so that the server before us keeps it and tries again.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Literal
from weakref import WeakSet

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from bot.channels.base import RawMessage

log = logging.getLogger(__name__)

LONGEST_LINE = 1_048_576
"""Bytes of a line that are borne. RFC 5321 allows 1,000; refusing longer ones would lose requests for a formality."""


class _Smtp(SMTP):
    line_length_limit = LONGEST_LINE


class _Lmtp(LMTP):
    line_length_limit = LONGEST_LINE


class _Busy(SMTP):
    """Says that we are busy, and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Refuse at once; nothing the sender says is read."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"421 4.3.2 too many connections, please try again later\r\n")
        transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Nothing was begun."""


class SmtpIntake:
    """Listens for mail to our addresses and hands each message to *deliver*, in a thread.

    *recipients* are full addresses, *domains* whole domains that are accepted; anything else is refused with 550, so
    this is never a relay. *deliver* stores durably and returns, or raises: then the sender is told 451 and comes again.
    *now* gives the instant of receipt, aware, in UTC. *max_size* is in bytes (552 above it), *timeout* in seconds of
    silence. With *tls_context* STARTTLS is offered. Above *max_connections* at a time a sender is told 421, for more
    than *max_recipients* of one message 452: both come again. An address of ours may carry a ``+tag``.

    Runs in the event loop of whoever calls :meth:`start`. Raises :class:`ValueError` when no address is accepted.
    """

    def __init__(
        self,
        *,
        name: str,
        host: str,
        port: int,
        deliver: Callable[[RawMessage], None],
        now: Callable[[], datetime],
        protocol: Literal["smtp", "lmtp"] = "smtp",
        recipients: Collection[str] = (),
        domains: Collection[str] = (),
        max_size: int = 35_000_000,
        hostname: str = "localhost",
        tls_context: ssl.SSLContext | None = None,
        timeout: float = 300,
        max_connections: int = 20,
        max_recipients: int = 50,
    ) -> None:
        if not recipients and not domains:
            raise ValueError("a listener for mail needs recipients or domains that it accepts")
        self.host = host
        self.port = port
        self._source = f"smtp:{name}"
        self._deliver = deliver
        self._now = now
        self._protocol = protocol
        self._recipients = frozenset(map(_folded, recipients))
        self._domains = frozenset(_folded_domain(domain) for domain in domains)
        self._max_size = max_size
        self._hostname = hostname
        self._tls_context = tls_context
        self._timeout = timeout
        self._max_connections = max_connections
        self._max_recipients = max_recipients
        self._server: asyncio.Server | None = None
        self._sessions: WeakSet[SMTP] = WeakSet()
        self._deliveries: set[asyncio.Task[str]] = set()
        self._closing = False

    @property
    def source(self) -> str:
        """``smtp:NAME``, the ``source`` of every message from here (LMTP as well)."""
        return self._source

    async def start(self) -> None:
        """Begin to listen; with port 0 the system picks one, which ``port`` then tells.

        Raises :class:`OSError` when the address cannot be listened on.
        """
        # At INFO and WARNING the library logs addresses and commands.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self._closing = False
        self._server = await asyncio.get_running_loop().create_server(self._session, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, let deliveries under way finish, then close what is open; harmless when stopped already."""
        if self._server is None:
            return
        self._closing = True
        self._server.close()
        if self._deliveries:
            await asyncio.wait(self._deliveries)
        # A few turns of the loop, in which the sessions that waited get to say 250; the message is stored anyway.
        for _ in range(5):
            await asyncio.sleep(0)
        for session in list(self._sessions):
            if session.transport is not None:
                session.transport.close()
        await self._server.wait_closed()
        # Connections are closed by the loop's next turns, which a loop that ends now would not have.
        for _ in range(5):
            await asyncio.sleep(0)
        self._server = None

    def _session(self) -> SMTP:
        kind: type[SMTP] = _Lmtp if self._protocol == "lmtp" else _Smtp
        if len([each for each in self._sessions if each.transport is not None]) >= self._max_connections:
            kind = _Busy
        session = kind(
            _Handler(self),
            data_size_limit=self._max_size,
            enable_SMTPUTF8=True,
            hostname=self._hostname,
            ident="dpobot",
            tls_context=self._tls_context,
            timeout=self._timeout,
            loop=asyncio.get_running_loop(),
        )
        self._sessions.add(session)
        return session

    def _accepts(self, address: str) -> bool:
        folded = _untagged(_folded(address))
        return folded in self._recipients or ("@" in folded and folded.rpartition("@")[2] in self._domains)

    async def _take(self, envelope: Envelope) -> str:
        """Have the message stored; return the answer for the sender."""
        if self._closing:
            return "421 4.3.2 closing down, please try again later"
        transaction = secrets.token_hex(12)
        content = envelope.original_content or b""
        sender = envelope.mail_from or ""
        message = RawMessage(
            source=self._source,
            external_id=transaction,
            received_at=self._now(),
            raw=content,
            envelope_from="" if sender == "<>" else sender,
            envelope_to=tuple(envelope.rcpt_tos),
        )
        delivery = asyncio.create_task(self._store(message))
        self._deliveries.add(delivery)
        delivery.add_done_callback(self._deliveries.discard)
        # Shielded: a sender who hangs up now must not leave half a transaction behind.
        return await asyncio.shield(delivery)

    async def _store(self, message: RawMessage) -> str:
        try:
            await asyncio.to_thread(self._deliver, message)
        except Exception as error:  # noqa: BLE001  # whatever went wrong, the sender must keep the message
            log.error("smtp_in.not_stored", extra={"transaction": message.external_id, "error": type(error).__name__})
            return "451 4.3.0 not stored, please try again later"
        return f"250 2.0.0 stored as {message.external_id}"


class _Handler:
    """What the library calls at each step of a session."""

    def __init__(self, intake: SmtpIntake) -> None:
        self._intake = intake

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not _encodable(address):
            return "553 5.6.7 the sender's address is not valid UTF-8"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not _encodable(address) or not self._intake._accepts(address):
            return "550 5.1.1 no such recipient here"
        if len(envelope.rcpt_tos) >= self._intake._max_recipients:
            return "452 4.5.3 too many recipients, send the others separately"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await self._intake._take(envelope)
        # LMTP wants one answer per accepted recipient (RFC 2033 section 4.2).
        return "\r\n".join([answer] * len(envelope.rcpt_tos)) if isinstance(server, LMTP) else answer

    async def handle_exception(self, error: Exception) -> str:
        log.error("smtp_in.session_failed", extra={"error": type(error).__name__})
        return "451 4.3.0 internal error, please try again later"


def _encodable(address: str) -> bool:
    try:
        address.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _untagged(address: str) -> str:
    """Return *address* without the ``+tag`` of its local part (RFC 5233)."""
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def _folded(address: str) -> str:
    """Return *address* for comparison: mailbox names of ours are not case-sensitive, domains never are."""
    local, at, domain = address.strip().rpartition("@")
    return f"{local}{at}{_folded_domain(domain)}".casefold()


def _folded_domain(domain: str) -> str:
    """Return *domain* in lower case and with its A-labels, so that both spellings of an IDN are one."""
    plain = domain.strip().lstrip("@").rstrip(".").lower()
    try:
        return plain.encode("idna").decode("ascii")
    except UnicodeError:
        return plain
