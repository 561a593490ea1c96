"""An IMAP server inside the program, on loopback and in memory: for the demo, the tests and rehearsals.

Built from the ``pymap`` package, which has no public way to be embedded: its parts are put together here, so the
version is pinned in ``pyproject.toml``.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
from argparse import Namespace
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from types import TracebackType
from typing import Literal, Self

from proxyprotocol.result import ProxyResultUnknown
from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, Login, Session
from pymap.backend.dict.mailbox import MailboxData, Message
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag
from pymap.user import Passwords, UserMetadata
from pysasl.hashing import BuiltinHash

from bot.sandbox.loop import LoopThread

log = logging.getLogger(__name__)


class _Config(Config):
    """As pymap's, without asking the network for this machine's name."""

    @property
    def greeting(self) -> bytes:
        return b"Sandbox ready"


class ImapServer:
    """A mailbox of one user, reachable by any IMAP client on this machine while the context is open.

    *password* is random unless given. With *certificate* (a TLS context for servers) it offers STARTTLS, or speaks TLS
    from the first byte with ``tls="implicit"``. The content lives in memory: it survives :meth:`stop` and
    :meth:`restart`, not the end of the context.
    """

    def __init__(
        self,
        *,
        user: str = "dpo",
        password: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: Literal["none", "starttls", "implicit"] = "none",
        certificate: ssl.SSLContext | None = None,
    ) -> None:
        if (tls == "none") != (certificate is None):
            raise ValueError("TLS needs a certificate, and a certificate needs TLS")
        self.host = host
        self.port = port
        self.user = user
        self.password = password or secrets.token_urlsafe(16)
        self._tls = tls
        self._certificate = certificate
        self._loop: LoopThread | None = None
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def __enter__(self) -> Self:
        # Its DEBUG shows every line, and its warnings concern no one here.
        logging.getLogger("pymap").setLevel(logging.ERROR)
        self._loop = LoopThread("sandbox-imap")
        self._loop.run(self._build())
        self._loop.run(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._thread.close()

    def append(self, raw: bytes, *, internal_date: datetime, folder: str = "INBOX", flags: Iterable[str] = ()) -> int:
        """Put a message into *folder*, which is made if need be, and return its UID.

        *internal_date* is aware; it becomes INTERNALDATE. Works while the server is stopped, too. Raises
        :class:`ValueError` for a naive date.
        """
        if internal_date.tzinfo is None:
            raise ValueError("internal_date needs a time zone")
        message = AppendMessage(raw, internal_date, frozenset(Flag(flag) for flag in flags))
        return self._thread.run(self._append(message, folder))

    def messages(self, folder: str = "INBOX") -> list[bytes]:
        """Return the raw messages of *folder* in the order of their UIDs; empty if there is no such folder."""
        return [raw for _, raw, _ in self._thread.run(self._list(folder))]

    def flags(self, folder: str = "INBOX") -> dict[int, frozenset[str]]:
        """Return the flags of each message of *folder* by UID."""
        return {uid: flags for uid, _, flags in self._thread.run(self._list(folder))}

    def remove(self, uid: int, folder: str = "INBOX") -> None:
        """Delete a message for good, as a person would."""
        self._thread.run(self._remove(uid, folder))

    def drop_connections(self) -> None:
        """Break every open connection, and go on listening."""
        self._thread.run(self._drop())

    def stop(self) -> None:
        """Stop listening and break every connection; harmless when stopped already."""
        if self._loop is not None:
            self._thread.run(self._close())

    def restart(self, *, new_uidvalidity: bool = False) -> None:
        """Stop, and listen again on the same port; with new UIDs and UIDVALIDITY everywhere if asked for."""
        self.stop()
        if new_uidvalidity:
            self._thread.run(self._renumber())
        self._thread.run(self._listen())

    @property
    def _thread(self) -> LoopThread:
        if self._loop is None:
            raise RuntimeError("the sandbox mailbox is not open: use it as a context manager")
        return self._loop

    async def _build(self) -> None:
        args = Namespace(
            host=self.host,
            port=self.port,
            debug=False,
            cert=None,
            key=None,
            tls=self._tls == "starttls",
            passlib_cfg=None,
            proxy_protocol=None,
            demo_data=False,
            demo_user=self.user,
            demo_password=self.password,
        )
        self._config = _Config.from_args(
            args,
            # Without one it would look for certificates in the environment.
            ssl_context=self._certificate or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
            # A slow hash protects nothing here: the password lives as long as this process.
            hash_context=BuiltinHash(rounds=1),
            cpu_subsystem=Subsystem.for_asyncio(),
            reject_dnsbl=False,
            invalid_user_sleep=0.0,
        )
        self._login = Login(self._config)
        hashed = await Passwords(self._config).hash_password(self.password)
        await self._login.demo_user_identity.set(UserMetadata(self._config, self.user, password=hashed))

    async def _listen(self) -> None:
        certificate = self._certificate if self._tls == "implicit" else None
        self._server = await asyncio.start_server(self._serve, self.host, self.port, ssl=certificate)
        self.port = self._server.sockets[0].getsockname()[1]

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._talk(reader, writer))
        self._connections[task] = writer

        def done(ended: asyncio.Task[None]) -> None:
            # A task that was cancelled before its first step has closed nothing (and TLS must not be closed twice).
            if not writer.is_closing():
                writer.close()
            del self._connections[ended]

        task.add_done_callback(done)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        info = SocketInfo.get(writer, ProxyResultUnknown(), unique_id=secrets.token_bytes(8))
        try:
            await IMAPServer(self._login, self._config)(reader, writer, info)
        except Exception as error:  # noqa: BLE001  # a client that talks nonsense ends its own connection only
            log.info("sandbox_imap.connection_failed", extra={"error": type(error).__name__})

    async def _drop(self) -> None:
        connections = dict(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        # Time for the last words to leave; TLS would then wait for the client's farewell.
        for _ in range(5):
            await asyncio.sleep(0)
        for writer in connections.values():
            writer.transport.abort()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._drop()
            await self._server.wait_closed()
            self._server = None

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Session]:
        async with self._login.demo_user_identity.new_session() as session:
            yield session

    async def _mailbox(self, session: Session, folder: str) -> MailboxData | None:
        try:
            return await session.mailbox_set.get_mailbox(folder)
        except KeyError:
            return None

    async def _append(self, message: AppendMessage, folder: str) -> int:
        async with self._session() as session:
            if await self._mailbox(session, folder) is None:
                await session.create_mailbox(folder)
            placed, _ = await session.append_messages(folder, [message])
            return int(next(iter(placed.uids)))

    async def _list(self, folder: str) -> list[tuple[int, bytes, frozenset[str]]]:
        async with self._session() as session:
            mailbox = await self._mailbox(session, folder)
            if mailbox is None:
                return []
            found: list[tuple[int, bytes, frozenset[str]]] = []
            async for message in mailbox.messages():
                flags = frozenset(bytes(flag).decode("ascii") for flag in message.permanent_flags)
                found.append((message.uid, _raw(message), flags))
            return sorted(found)

    async def _remove(self, uid: int, folder: str) -> None:
        async with self._session() as session:
            mailbox = await self._mailbox(session, folder)
            if mailbox is not None:
                await mailbox.delete([uid])

    async def _renumber(self) -> None:
        """Move every message into a fresh mailbox of the same name: UIDs begin anew, so UIDVALIDITY must grow."""
        async with self._session() as session:
            boxes = session.mailbox_set
            for entry in (await boxes.list_mailboxes()).list():
                old = await boxes.get_mailbox(entry.name)
                new = MailboxData(boxes._content_cache, boxes._thread_cache)
                new._uid_validity = old.uid_validity + 1
                async for message in old.messages():
                    await new.append(AppendMessage(_raw(message), message.internal_date, message.permanent_flags))
                if entry.name == "INBOX":
                    boxes._inbox = new
                else:
                    boxes._set[entry.name] = new


def _raw(message: Message) -> bytes:
    return b"" if message._content is None else bytes(message._content)
