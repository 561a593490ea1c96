"""One IMAP connection: an IDLE that can be ended, the ways to log in, and fetching and moving what servers differ in.

What is read and what is remembered of it stands in ``imap``.
"""

from __future__ import annotations

import base64
import binascii
import email.parser
import json
import re
import select
import selectors
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from imapclient import DELETED, IMAPClient
from imapclient.exceptions import CapabilityError, IMAPClientAbortError, IMAPClientError, LoginError

EXCERPT_SIZE = 1_000_000
"""How many bytes of the first part of an over-large message are fetched."""
HEADER_SIZE = 256_000
"""How many bytes of the header of an over-large message are fetched."""


class Bell:
    """Ends a wait from another thread: a socket pair, since IDLE waits on sockets anyway."""

    def __init__(self) -> None:
        self._ear, self._button = socket.socketpair()
        self._ear.setblocking(False)
        self._button.setblocking(False)

    def fileno(self) -> int:
        """The socket to wait on beside the server's."""
        return self._ear.fileno()

    def ring(self) -> None:
        """End the wait; harmless where nobody waits."""
        # Full or closed: then the bell rings already, or nobody waits any more.
        with suppress(OSError):
            self._button.send(b"!")

    def hush(self) -> bool:
        """Stop ringing; True if it rang."""
        rang = False
        with suppress(BlockingIOError):
            while self._ear.recv(1024):
                rang = True
        return rang

    def wait(self, seconds: float) -> bool:
        """Wait until it rings, *seconds* at most; True if it rang."""
        select.select([self._ear], [], [], max(0.0, seconds))
        return self.hush()

    def __del__(self) -> None:
        self._ear.close()
        self._button.close()


class Client(IMAPClient):  # type: ignore[misc]  # imapclient has no type information
    """An IMAP connection whose IDLE can be ended by a bell."""

    bell: Bell
    _look_first = False

    def idle(self) -> None:
        """Begin IDLE (RFC 2177)."""
        super().idle()
        self._look_first = True

    def _poll_socket(self, sock: socket.socket, timeout: float | None = None) -> Sequence[Any]:
        """Wait for the server or the bell.

        News that came in one packet with the answer to IDLE lie in a buffer already, where waiting on the
        socket would miss them: so the first look after ``idle()`` does not wait.
        """
        if self._look_first:
            self._look_first = False
            return [sock]
        with selectors.DefaultSelector() as selector:
            selector.register(sock, selectors.EVENT_READ)
            selector.register(self.bell, selectors.EVENT_READ)
            return [key for key, _ in selector.select(timeout) if key.fileobj is sock]

    _select_poll_socket = _poll_socket


def xoauth2(client: Client, user: str, token: str) -> None:
    """Log in with an OAuth2 token; the server explains a refusal in a challenge that wants an empty answer."""
    reason: list[str] = []

    def respond(challenge: bytes) -> str:
        if not challenge:
            return f"user={user}\1auth=Bearer {token}\1\1"
        reason.append(oauth_status(challenge))
        return ""

    try:
        client.sasl_login("XOAUTH2", respond)
    except LoginError as error:
        if isinstance(error.__context__, IMAPClientAbortError):
            raise
        raise LoginError(f"{error} [OAUTH-{reason[0]}]" if reason and reason[0] else str(error)) from None


def oauth_status(challenge: bytes) -> str:
    """Return the status code of an XOAUTH2 error (``{"status": "401", …}``), empty if there is none."""
    with suppress(ValueError, binascii.Error):
        text = challenge if challenge.lstrip().startswith(b"{") else base64.b64decode(challenge)
        status = json.loads(text)
        return re.sub(r"\W", "", str(status.get("status", "")))[:20] if isinstance(status, dict) else ""
    return ""


def password_login(client: Client, user: str, password: str) -> None:
    """Log in with LOGIN, or with AUTHENTICATE PLAIN where LOGIN is off or cannot carry the characters."""
    if client.has_capability("LOGINDISABLED") and not client.has_capability("AUTH=PLAIN"):
        raise CapabilityError("LOGINDISABLED")
    if client.has_capability("LOGINDISABLED") or not (user + password).isascii():
        client.plain_login(user, password)
    else:
        client.login(user, password)


def response_code(error: Exception | str) -> str:
    """Return the response code of a server's refusal (RFC 5530), such as ``AUTHENTICATIONFAILED``, in brackets."""
    found = re.search(r"\[([A-Z][A-Z0-9-]{2,40})\]", str(error))
    return f" ({found[1]})" if found else ""


def sections(client: Client, uid: int, *items: str) -> list[bytes] | None:
    """Fetch some ``BODY`` sections of one message, in order; None if the message is gone."""
    answer = client.fetch([uid], [item.encode("ascii") for item in items]).get(uid)
    if answer is None:
        return None
    found: list[bytes] = []
    for item in items:
        # "BODY.PEEK[1]<0.500>" is answered as "BODY[1]<0>".
        key = re.sub(r"<(\d+)\.\d+>$", r"<\1>", item.replace(".PEEK", "")).encode("ascii")
        if key not in answer:
            return None
        found.append(answer[key] or b"")
    return found


def excerpt(client: Client, uid: int) -> bytes | None:
    """Fetch the header and the start of the first part of a message, and close it properly as MIME."""
    head = sections(client, uid, f"BODY.PEEK[HEADER]<0.{HEADER_SIZE}>")
    if head is None:
        return None
    if not head[0]:
        raise IMAPClientError("empty")
    header = head[0] if head[0].endswith(b"\r\n\r\n") else head[0].rstrip(b"\r\n") + b"\r\n\r\n"
    boundary = boundary_of(header)
    if boundary:
        parts = sections(client, uid, "BODY.PEEK[1.MIME]", f"BODY.PEEK[1]<0.{EXCERPT_SIZE}>")
        if parts is None:
            return None
        return b"".join((header, b"--", boundary, b"\r\n", *parts, b"\r\n--", boundary, b"--\r\n"))
    text = sections(client, uid, f"BODY.PEEK[TEXT]<0.{EXCERPT_SIZE}>")
    return None if text is None else header + text[0]


def boundary_of(header: bytes) -> bytes:
    """Return the multipart boundary that *header* declares, empty for anything else or anything odd."""
    try:
        parsed = email.parser.BytesHeaderParser().parsebytes(header)
        boundary = parsed.get_boundary() if parsed.get_content_maintype() == "multipart" else None
        return (boundary or "").encode("ascii", "surrogateescape")
    except Exception:  # noqa: BLE001  # the standard parser raises nearly anything on hostile headers
        return b""


def move(client: Client, uid: int, target: str) -> None:
    """Move a message to the folder *target*, also on a server that cannot (RFC 6851)."""
    if client.has_capability("MOVE"):
        client.move([uid], target)
        return
    client.copy([uid], target)
    client.add_flags([uid], [DELETED], silent=True)
    # Without UIDPLUS an EXPUNGE would take along what people have marked as deleted; then ours stays marked, too.
    if client.has_capability("UIDPLUS"):
        client.uid_expunge([uid])
