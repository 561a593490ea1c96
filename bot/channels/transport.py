"""What the mail channels share: how a connection is protected, and how its failures are told to a person."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from pathlib import Path
from typing import Literal

Tls = Literal["implicit", "starttls", "none"]
"""TLS from the first byte, TLS after STARTTLS, or none at all (loopback only)."""


def is_loopback(host: str) -> bool:
    """Tell whether *host* is this machine itself, by its name or address alone (nothing is looked up)."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_protection(tls: Tls, host: str) -> None:
    """Refuse to send passwords and personal data in the clear over a network (GDPR art. 32(1)(a)).

    Raises :class:`ValueError`, naming the setting, for an unknown mode or for ``none`` with another machine.
    """
    if tls not in {"implicit", "starttls", "none"}:
        raise ValueError(f'tls is "implicit", "starttls" or "none", not {tls!r}')
    if tls == "none" and not is_loopback(host):
        raise ValueError('tls = "none" is accepted for this machine only; use "implicit" or "starttls"')


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a TLS context that verifies certificate and host name.

    *ca_file* (PEM) replaces the system's authorities, for an organisation with its own. Raises
    :class:`OSError` (:class:`ssl.SSLError` is one) when it cannot be read.
    """
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))


def explain_failure(error: OSError, *, place: str, tls: Tls, seconds: float) -> str:
    """Say in a sentence why *place* (``host:port``) could not be talked to, and what to do about it.

    *seconds* is the timeout that applied. The text of the error itself is left out: it may quote the server.
    """
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"{place}: the server's certificate is not trusted ({error.verify_message or 'verification failed'}). "
                "Check the host name; for an authority of your own, give its certificate as ca_file"
            )
        case ssl.SSLError() if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return f"{place}: the server closed the encrypted connection. It is tried again"
        case ssl.SSLError():
            return (
                f"{place}: no TLS connection ({error.reason or 'handshake failed'}). Check the port and whether "
                f'tls should be "implicit" or "starttls" (it is "{tls}")'
            )
        case socket.gaierror():
            return f"{place}: the host name is not known. Check the spelling and this machine's DNS"
        case TimeoutError():
            return f"{place}: no answer within {seconds:g} seconds. Check host, port and firewall; it is tried again"
        case ConnectionRefusedError():
            return f"{place}: nothing listens there. Check host and port, and that the server is running"
        case ConnectionError():
            return f"{place}: the server broke the connection. It is tried again"
        case _:
            return f"{place}: cannot be reached ({error.strerror or type(error).__name__}). Check network and settings"
