"""The way out: hands letters to the organisation's submission server, and is exact about what became of them."""

from __future__ import annotations

import base64
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from bot.channels.base import PermanentRefusal, TemporaryRefusal, Uncertain
from bot.channels.transport import Tls, client_context, explain_failure, require_protection

LOGIN_WANTED = frozenset({530, 534, 535, 538})
"""Codes that speak of our login and not of the letter (RFC 4954 section 6, RFC 3207 section 4)."""


class SmtpMailer:
    """Sends through one SMTP server, one connection per letter (a ``Mailer``).

    Failures of connection, TLS or login say nothing about the letter, so they are
    :class:`TemporaryRefusal` whatever their code: it waits until the setting is put right. From MAIL FROM on, 4xx is
    :class:`TemporaryRefusal` and 5xx :class:`PermanentRefusal`. The letter counts as handed over with its
    final dot (RFC 5321 section 4.1.1.4): a connection lost earlier is temporary, one lost later :class:`Uncertain`.

    *user* with *password* or *oauth_token* (XOAUTH2), called at every login, switch authentication on. *timeout* is for
    each command, *final_timeout* for the answer to the whole letter, in seconds; servers take their time for that
    (RFC 5321 section 4.5.3.2.6). *hostname* is what we call ourselves. Without state, so for several threads at once.

    Raises :class:`ValueError` for settings that contradict each other.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int | None = None,
        tls: Tls = "implicit",
        ca_file: Path | None = None,
        user: str = "",
        password: Callable[[], str] | None = None,
        oauth_token: Callable[[], str] | None = None,
        timeout: float = 30,
        final_timeout: float = 600,
        hostname: str | None = None,
    ) -> None:
        require_protection(tls, host)
        if password is not None and oauth_token is not None:
            raise ValueError("the mailer needs a password or an OAuth2 token, not both")
        if bool(user) != (password is not None or oauth_token is not None):
            raise ValueError("the mailer's user name and its password or token belong together")
        self._host = host
        self._port = port or {"implicit": 465, "starttls": 587, "none": 25}[tls]
        self._tls: Tls = tls
        self._ca_file = ca_file
        self._user = user
        self._password = password
        self._oauth_token = oauth_token
        self._timeout = timeout
        self._final_timeout = final_timeout
        self._hostname = hostname

    def send(self, *, sender: str, recipient: str, mime: bytes) -> str:
        """Hand *mime* to the server for one recipient; return its answer, e.g. ``250 2.0.0 queued as …``.

        *sender* may be empty (null return path). Addresses beyond ASCII use SMTPUTF8, or the A-labels of the domain
        where that suffices. Lines are sent as CRLF.

        Raises :class:`TemporaryRefusal`, :class:`PermanentRefusal` or :class:`Uncertain`.
        """
        payload = _dotted(mime)
        with self._connected() as smtp:
            sender, recipient, options = self._envelope(smtp, sender, recipient, mime)
            self._step("the sender", smtp, f"MAIL FROM:<{sender}>{options}")
            self._step("the recipient", smtp, f"RCPT TO:<{recipient}>")
            self._step("the letter", smtp, "DATA", expected=354)
            smtp.send(payload)
            return self._finish(smtp)

    def check(self) -> str:
        """Connect, log in and leave, and say in a line what was found, for ``dpobot check``.

        Raises :class:`TemporaryRefusal` with a sentence that says what is wrong and what to do.
        """
        with self._connected() as smtp:
            self._step("the session", smtp, "NOOP")
            extras = [word for word in ("smtputf8", "8bitmime", "size") if smtp.has_extn(word)]
            login = "logged in" if self._user else "no login"
            return f"{self._place}: tls {self._tls}, {login}, {' '.join(extras).upper() or 'no extensions'}"

    @property
    def _place(self) -> str:
        return f"{self._host}:{self._port}"

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """Give a session that is ready for MAIL FROM; any break of the connection inside is temporary."""
        smtp: smtplib.SMTP | None = None
        try:
            smtp = self._open()
            self._log_in(smtp)
            yield smtp
        except smtplib.SMTPServerDisconnected:
            raise TemporaryRefusal(
                f"{self._place}: the server broke the connection or fell silent. It is tried again"
            ) from None
        except smtplib.SMTPResponseException as error:
            raise TemporaryRefusal(
                f"{self._place}: the server takes no mail from us now ({_code(error.smtp_code, error.smtp_error)}). "
                "It is tried again; if that lasts, ask its operator"
            ) from None
        except smtplib.SMTPNotSupportedError:
            raise TemporaryRefusal(
                f"{self._place}: the server does not offer STARTTLS or a login as set. "
                f'Check port, user and tls (it is "{self._tls}")'
            ) from None
        except smtplib.SMTPException as error:
            raise TemporaryRefusal(
                f"{self._place}: no proper answer ({type(error).__name__}). Check host and port"
            ) from None
        except OSError as error:
            raise TemporaryRefusal(
                explain_failure(error, place=self._place, tls=self._tls, seconds=self._timeout)
            ) from None
        except UnicodeError:
            raise TemporaryRefusal(f"{self._place}: the host name is not a name. Check the spelling") from None
        finally:
            if smtp is not None:
                _leave(smtp)

    def _open(self) -> smtplib.SMTP:
        context = None if self._tls == "none" else self._context()
        smtp: smtplib.SMTP
        if self._tls == "implicit":
            smtp = smtplib.SMTP_SSL(
                self._host, self._port, local_hostname=self._hostname, timeout=self._timeout, context=context
            )
        else:
            smtp = smtplib.SMTP(self._host, self._port, local_hostname=self._hostname, timeout=self._timeout)
        try:
            if smtp.sock is not None:
                # The final dot goes out by itself, and must not wait for the acknowledgement of the letter.
                smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            smtp.ehlo_or_helo_if_needed()
            if self._tls == "starttls":
                code, text = smtp.starttls(context=context)
                if code != 220:
                    raise smtplib.SMTPResponseException(code, text)
                smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _context(self) -> ssl.SSLContext:
        try:
            return client_context(self._ca_file)
        except OSError:
            raise TemporaryRefusal(f"the certificates in {self._ca_file} cannot be read. Check ca_file (PEM)") from None

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        if not self._user:
            return
        if not smtp.has_extn("auth"):
            raise smtplib.SMTPNotSupportedError("AUTH")
        if self._oauth_token is not None:
            method, secret = "XOAUTH2", f"user={self._user}\1auth=Bearer {self._secret(self._oauth_token)}\1\1"
        elif self._password is not None:
            secret = self._secret(self._password)
            if (self._user + secret).isascii():
                try:
                    smtp.login(self._user, secret)
                except smtplib.SMTPAuthenticationError as error:
                    self._login_refused(smtp, error.smtp_code, error.smtp_error)
                except smtplib.SMTPServerDisconnected:
                    raise
                except smtplib.SMTPException:
                    raise smtplib.SMTPNotSupportedError("AUTH") from None
                return
            # smtplib knows ASCII only; PLAIN is UTF-8 by definition (RFC 4616).
            method, secret = "PLAIN", f"\0{self._user}\0{secret}"
        code, text = smtp.docmd("AUTH", f"{method} {base64.b64encode(secret.encode()).decode('ascii')}")
        if code == 334:
            # The reason of an XOAUTH2 refusal comes as a challenge that wants an empty answer.
            code, text = smtp.docmd("")
        if code != 235:
            self._login_refused(smtp, code, text)

    def _secret(self, source: Callable[[], str]) -> str:
        try:
            return source()
        except Exception as error:  # noqa: BLE001  # it is the operator's own command or file: anything may go wrong
            raise TemporaryRefusal(
                f"{self._place}: the password or token could not be had ({type(error).__name__}). "
                "Check the file or command that gives it"
            ) from None

    def _login_refused(self, smtp: smtplib.SMTP, code: int, text: bytes | str) -> NoReturn:
        hint = ""
        if self._oauth_token is not None:
            hint = " The OAuth2 token is not accepted: renew it, and check user name and scope"
        elif "XOAUTH2" in smtp.esmtp_features.get("auth", "").upper().split():
            hint = (
                " Basic authentication (a password) may be disabled there: give an OAuth2 token (XOAUTH2) instead,"
                " or an application password where the provider offers one"
            )
        raise TemporaryRefusal(
            f"{self._place}: the server refused the login ({_code(code, text)}). Check user name and password.{hint}"
        )

    def _envelope(self, smtp: smtplib.SMTP, sender: str, recipient: str, mime: bytes) -> tuple[str, str, str]:
        """Return both addresses as this server can take them, and the parameters for MAIL FROM."""
        for address in (sender, recipient):
            if re.search(r"[\x00-\x20<>\x7f\ud800-\udfff]", address) or not re.fullmatch(r"|[^@].*@[^@]+", address):
                raise PermanentRefusal("an address of this letter is not an address; correct it")
        if not recipient:
            raise PermanentRefusal("this letter has no recipient")
        header = re.split(rb"\r?\n\r?\n", mime, maxsplit=1)[0]
        if not (sender.isascii() and recipient.isascii() and header.isascii()) and not smtp.has_extn("smtputf8"):
            sender, recipient = _a_labels(sender), _a_labels(recipient)
            if not (sender.isascii() and recipient.isascii() and header.isascii()):
                raise PermanentRefusal(
                    f"{self._place}: the server cannot send to addresses beyond ASCII (no SMTPUTF8). "
                    "Answer by another way, or ask for another address"
                )
        options = ""
        if smtp.has_extn("size"):
            options += f" SIZE={len(mime)}"
        if not mime.isascii() and smtp.has_extn("8bitmime"):
            options += " BODY=8BITMIME"
        if not (sender.isascii() and recipient.isascii() and header.isascii()):
            options += " SMTPUTF8"
            smtp.command_encoding = "utf-8"
        return sender, recipient, options

    def _step(self, what: str, smtp: smtplib.SMTP, command: str, *, expected: int = 250) -> None:
        code, text = smtp.docmd(command)
        if code == expected or (expected == 250 and code in {251, 252}):
            return
        if code in LOGIN_WANTED:
            raise TemporaryRefusal(
                f"{self._place}: the server wants a login or more protection ({_code(code, text)}). "
                "Check user, password and tls; it is tried again"
            )
        self._refuse(what, code, text)

    def _finish(self, smtp: smtplib.SMTP) -> str:
        """Send the final dot: from here on the letter may have left, unless the server says that it refuses it."""
        try:
            if smtp.sock is not None:
                smtp.sock.settimeout(self._final_timeout)
            smtp.send(b".\r\n")
            code, text = smtp.getreply()
        except (OSError, smtplib.SMTPException):
            code, text = -1, b""
        if 200 <= code < 300:
            return _answer(code, text)
        if 400 <= code < 600:
            self._refuse("the letter", code, text)
        raise Uncertain(
            f"{self._place}: the connection broke after the letter was handed over. It may have left: look for it at "
            "the server or ask the recipient before sending it again"
        )

    def _refuse(self, what: str, code: int, text: bytes | str) -> NoReturn:
        sentence = f"{self._place}: the server refused {what} ({_code(code, text)})"
        if 500 <= code < 600:
            raise PermanentRefusal(f"{sentence}. It will not be taken as it is: a person must look")
        raise TemporaryRefusal(f"{sentence}. It is tried again")


def _leave(smtp: smtplib.SMTP) -> None:
    """Say goodbye without waiting for long; the letter's fate is known already."""
    with suppress(OSError, smtplib.SMTPException):
        if smtp.sock is not None:
            smtp.sock.settimeout(5)
        smtp.quit()
    smtp.close()


def _dotted(mime: bytes) -> bytes:
    """Return *mime* as it goes over the wire: lines end with CRLF, and a leading dot is doubled (RFC 5321 4.5.2)."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", mime)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", lines)


def _a_labels(address: str) -> str:
    """Return *address* with its domain in A-labels (RFC 5891); unchanged where that is impossible."""
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return address


def _answer(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())}".strip()


def _code(code: int, text: bytes | str) -> str:
    """Return the code and the enhanced code of an answer, without its words: they may quote the address."""
    enhanced = re.match(r"\s*([245]\.\d{1,3}\.\d{1,3})\b", _answer(code, text).partition(" ")[2])
    return f"{code} {enhanced[1]}" if enhanced else str(code)
