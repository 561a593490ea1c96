"""A mail server on loopback that keeps what it is given and fails when told to: for the demo, tests and rehearsals."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from base64 import b64decode
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bot.sandbox.loop import LoopThread

Stage = Literal["connect", "mail", "rcpt", "data"]


@dataclass(frozen=True)
class Attempt:
    """One try to send a mail, as the sink saw it."""

    sender: str
    """Envelope sender, ``""`` for the null return path."""
    recipients: tuple[str, ...]
    answer: str
    """What the sink said at the end, or ``dropped before DATA``, ``dropped during DATA``, ``dropped after DATA``."""
    taken: bool
    """True if the sink has the mail, whether it told the sender or not."""
    raw: bytes = field(default=b"", repr=False)


@dataclass
class _Fault:
    """A failure that lies in wait."""

    kind: Literal["refuse", "before", "during", "after"]
    times: int
    answer: str = ""
    stage: Stage = "rcpt"
    recipient: str | None = None


class SmtpSink:
    """Takes every mail, sends none on. Use as a context manager; the attributes may be read from any thread.

    With *folder* each mail taken is also written there as ``0001.eml`` and so on. With *user* and *password* it wants
    authentication (PLAIN, LOGIN, and XOAUTH2 with the password as token). With *certificate* (a TLS context for
    servers) it offers STARTTLS and insists on it, or speaks TLS from the first byte with ``tls="implicit"``.
    *smtputf8* says whether it takes addresses beyond ASCII, *max_size* in bytes how long a mail may be.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        user: str = "",
        password: str = "",
        tls: Literal["none", "starttls", "implicit"] = "none",
        certificate: ssl.SSLContext | None = None,
        smtputf8: bool = True,
        max_size: int = 50_000_000,
    ) -> None:
        if (tls == "none") != (certificate is None):
            raise ValueError("TLS needs a certificate, and a certificate needs TLS")
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self._folder = folder
        self._tls = tls
        self._certificate = certificate
        self._smtputf8 = smtputf8
        self._max_size = max_size
        self._lock = threading.Lock()
        self._attempts: list[Attempt] = []
        self._faults: list[_Fault] = []
        self._sessions: set[_Session] = set()
        self._loop: LoopThread | None = None
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        # Below ERROR the library logs addresses and commands.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
        self._loop = LoopThread("sandbox-smtp")
        self._loop.run(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._loop is not None:
            self._loop.close()

    @property
    def attempts(self) -> list[Attempt]:
        """Every try so far, refused and broken ones included, in order."""
        with self._lock:
            return list(self._attempts)

    @property
    def taken(self) -> list[Attempt]:
        """The mails the sink has, in order."""
        return [attempt for attempt in self.attempts if attempt.taken]

    def refuse(
        self,
        answer: str = "451 4.3.0 try later",
        *,
        times: int = 1,
        stage: Stage = "rcpt",
        recipient: str | None = None,
    ) -> None:
        """Answer the next *times* tries with *answer* (4xx or 5xx) at *stage*; only for *recipient* if given."""
        self._arm(_Fault("refuse", times, answer, stage, recipient and recipient.lower()))

    def drop_before_data(self, *, times: int = 1) -> None:
        """Break the connection at the DATA command: the sender knows that nothing was sent."""
        self._arm(_Fault("before", times))

    def drop_during_data(self, *, times: int = 1) -> None:
        """Break the connection once the sender may begin to send the mail."""
        self._arm(_Fault("during", times))

    def drop_after_data(self, *, times: int = 1) -> None:
        """Take the mail and break the connection instead of answering: the sender cannot know."""
        self._arm(_Fault("after", times))

    def clear_faults(self) -> None:
        """Forget failures that still lie in wait."""
        with self._lock:
            self._faults.clear()

    def stop(self) -> None:
        """Stop listening and break every connection; harmless when stopped already."""
        if self._loop is not None:
            self._loop.run(self._close())

    def restart(self) -> None:
        """Stop, and listen again on the same port."""
        self.stop()
        if self._loop is not None:
            self._loop.run(self._listen())

    def _arm(self, fault: _Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def _strike(self, kind: str, stage: Stage | None = None, recipient: str = "") -> str | None:
        """Use up one failure that fits; return its answer, None if there is none."""
        with self._lock:
            for fault in self._faults:
                if (
                    fault.kind == kind
                    and (stage is None or fault.stage == stage)
                    and fault.recipient in {None, recipient.lower()}
                ):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                    return fault.answer
        return None

    def _record(self, envelope: Envelope, answer: str, *, taken: bool = False, extra_recipient: str = "") -> None:
        sender = envelope.mail_from or ""
        recipients = (*envelope.rcpt_tos, *((extra_recipient,) if extra_recipient else ()))
        raw = (envelope.original_content or b"") if taken else b""
        with self._lock:
            self._attempts.append(Attempt("" if sender == "<>" else sender, recipients, answer, taken, raw))
            number = sum(attempt.taken for attempt in self._attempts)
        if taken and self._folder is not None:
            (self._folder / f"{number:04d}.eml").write_bytes(raw)

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        context = self._certificate if self._tls == "implicit" else None
        self._server = await loop.create_server(lambda: _Session(self), self.host, self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for session in list(self._sessions):
            session.cut()
        await self._server.wait_closed()
        while self._sessions:
            await asyncio.sleep(0)
        self._server = None


class _Session(SMTP):
    """One connection to the sink; it is its own handler."""

    line_length_limit = 1_048_576

    def __init__(self, sink: SmtpSink) -> None:
        self._sink = sink
        super().__init__(
            _Handler(sink),
            data_size_limit=sink._max_size,
            enable_SMTPUTF8=sink._smtputf8,
            hostname="sink.example",
            tls_context=sink._certificate if sink._tls == "starttls" else None,
            require_starttls=sink._tls == "starttls",
            auth_require_tls=False,
            auth_exclude_mechanism=() if sink.user else ("PLAIN", "LOGIN", "XOAUTH2"),
            authenticator=self._authenticate_login,
            loop=asyncio.get_running_loop(),
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._sink._sessions.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._sink._sessions.discard(self)
        super().connection_lost(error)

    def cut(self) -> None:
        """Break the connection without a word."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    async def _handle_client(self) -> None:
        refusal = self._sink._strike("refuse", "connect")
        if refusal is None:
            await super()._handle_client()
        else:
            self._sink._record(Envelope(), refusal)
            await self.push(refusal)
            self._writer.close()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if self.envelope is not None and self.envelope.rcpt_tos:
            if self._sink._strike("before") is not None:
                self._sink._record(self.envelope, "dropped before DATA")
                self._hang_up()
            if self._sink._strike("during") is not None:
                self._sink._record(self.envelope, "dropped during DATA")
                await self.push("354 go ahead")
                self._hang_up()
        await super().smtp_DATA(arg)

    def _hang_up(self) -> None:
        self.cut()
        # The library's own way to end a session whose connection is gone.
        raise asyncio.CancelledError

    def _authenticate_login(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        given = (data.login.decode("utf-8", "replace"), data.password.decode("utf-8", "replace"))
        # handled=False, for otherwise the library answers nothing and the client waits for ever.
        return AuthResult(success=given == (self._sink.user, self._sink.password), handled=False)


class _Handler:
    """What the library calls at each step of a session."""

    def __init__(self, sink: SmtpSink) -> None:
        self._sink = sink

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        expected = f"user={self._sink.user}\1auth=Bearer {self._sink.password}\1\1"
        if len(args) == 2 and b64decode(args[1]).decode("utf-8", "replace") == expected:
            return AuthResult(success=True)
        await server.challenge_auth(b'{"status":"401","schemes":"bearer"}')
        return AuthResult(success=False, handled=False)

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._sink.user and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        refusal = self._sink._strike("refuse", "mail")
        if refusal is not None:
            self._sink._record(envelope, refusal)
            envelope.mail_from = None
            return refusal
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self._sink._strike("refuse", "rcpt", address)
        if refusal is not None:
            self._sink._record(envelope, refusal, extra_recipient=address)
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: _Session, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self._sink._strike("after") is not None:
            self._sink._record(envelope, "dropped after DATA", taken=True)
            server._hang_up()
        refusal = next(
            (found for to in envelope.rcpt_tos if (found := self._sink._strike("refuse", "data", to)) is not None), None
        )
        if refusal is not None:
            self._sink._record(envelope, refusal)
            return refusal
        answer = f"250 2.0.0 taken as {len(self._sink.taken) + 1}"
        self._sink._record(envelope, answer, taken=True)
        return answer
