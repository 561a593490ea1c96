"""What the shell asks of the world outside: an inbox, a mailer, a desk. Tests pass their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class RawMessage:
    """A message as its server keeps it: bytes, where they lie, and when the server took them in.

    ``received_at`` is an aware UTC instant (IMAP INTERNALDATE, or the moment of the SMTP transaction).
    """

    source: str
    external_id: str
    received_at: datetime
    raw: bytes = field(repr=False)
    envelope_from: str | None = None
    """``""`` for the null return path; None where the channel does not know it."""
    envelope_to: tuple[str, ...] = ()


class InboxError(Exception):
    """The mailbox could not be reached or read. The message says which, why and what to do."""


class Inbox(Protocol):
    """A mailbox that is polled."""

    @property
    def source(self) -> str:
        """A stable name of this mailbox, free of secrets."""

    def fetch(self) -> Iterable[RawMessage]:
        """Yield the messages not yet settled, oldest first; the same one may come twice.

        Raises :class:`InboxError` when the server cannot be reached or refuses.
        """

    def settle(self, message: RawMessage) -> None:
        """Note that a message is dealt with; called only after its transaction is committed."""

    def wait(self, timeout: float) -> bool:
        """Block until the mailbox may hold something new or *timeout* seconds passed; True if new."""

    def close(self) -> None:
        """Close the connection; harmless when it is closed already."""


class MailerError(Exception):
    """Base of what can go wrong when handing a mail to the submission server."""


class TemporaryRefusal(MailerError):
    """The server said 4xx, or could not be reached before the message was handed over: try later."""


class PermanentRefusal(MailerError):
    """The server said 5xx: this mail will not be taken; a person must look."""


class Uncertain(MailerError):
    """The connection broke after the message was handed over: it may have left. Never retry blindly."""


class Mailer(Protocol):
    """The way out for mail."""

    def send(self, *, sender: str, recipient: str, mime: bytes) -> str:
        """Hand *mime* to the server for one recipient; return the server's answer (``250 …``).

        Raises :class:`TemporaryRefusal`, :class:`PermanentRefusal` or :class:`Uncertain`.
        """
