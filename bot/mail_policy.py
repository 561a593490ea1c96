"""How our mails are written as bytes: the standard library's rules for SMTP, with subjects folded rightly."""

from __future__ import annotations

from email.header import Header
from email.policy import EmailPolicy
from typing import Any


class _MailPolicy(EmailPolicy):
    """CRLF line ends; a subject beyond ASCII is encoded as a whole (RFC 2047), in words of at most 75 characters.

    The standard library mixes plain and encoded words and folds between them, where its blank and that of the
    fold add up: readers then see two.
    """

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Return the header as it stands in the mail."""
        if name.lower() == "subject" and not str(value).isascii():
            written = Header(str(value), "utf-8", header_name=name, maxlinelen=75).encode(linesep=self.linesep)
            return f"{name}: {written}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


MAIL_POLICY = _MailPolicy(linesep="\r\n")
"""For ``EmailMessage(policy=…)``: refuses CR and LF in headers, like the standard library's own."""
