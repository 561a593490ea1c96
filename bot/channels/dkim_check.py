"""Our own look at a mail's DKIM signature (RFC 6376), where no server of ours left a verdict. Optional; never holds mail up.

Only a signature that holds says something: it ties the mail to the domain in From, as DMARC would. One that does not hold
proves nothing, since forwarders and scanners break it on honest mail.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
from collections.abc import Callable, Sequence
from typing import Literal

from bot.channels.mime_headers import addresses
from bot.clock import stopwatch

log = logging.getLogger("dpobot.mail")

Verdict = Literal["", "pass", "fail", "error"]
Lookup = Callable[[str, float], bytes | None]
"""Asks for the TXT record of a name, within so many seconds; None where there is none."""

MAX_BYTES = 10_000_000
MAX_SIGNATURES = 4
MAX_WAITING = 4
_ALGORITHMS = (b"rsa-sha256", b"ed25519-sha256")
"""RFC 8301 forbids rsa-sha1."""


class DkimCheck:
    """Checks signatures with keys that *lookup* finds in the DNS; *timeout* is in seconds, for a whole mail.

    Without *lookup* the name servers in *servers* are asked, or the system's where none is given. The name of the sender's
    mail domain is what these servers learn.
    """

    def __init__(self, *, servers: Sequence[str] = (), lookup: Lookup | None = None, timeout: float = 5) -> None:
        self._lookup = lookup or _resolver(tuple(servers))
        self._timeout = timeout
        self._slots = threading.BoundedSemaphore(MAX_WAITING)

    def verify(self, raw: bytes, from_addr: str) -> Verdict:
        """Say whether a signature by the domain of *from_addr*, or by one above it, holds for the whole of *raw*.

        Empty: there is no such signature, or the mail is above 10 MB. ``error``: the key could not be had in time. Never
        raises, and is back when the time is over, whatever the work is still doing.
        """
        if len(raw) > MAX_BYTES or "@" not in from_addr or not self._slots.acquire(blocking=False):
            return ""
        answers: queue.SimpleQueue[Verdict] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.put(_verify(raw, from_addr, self._lookup, stopwatch() + self._timeout))
            except Exception as error:  # noqa: BLE001 - strangers wrote the bytes and the key; the library raises many kinds
                log.info("dkim.not_checked", extra={"error": type(error).__name__})
                answers.put("error")
            finally:
                self._slots.release()

        threading.Thread(target=work, name="dkim", daemon=True).start()
        try:
            return answers.get(timeout=self._timeout + 0.5)
        except queue.Empty:
            return "error"

    def check(self) -> str:
        """Say in a line, for ``dpobot check``, that signatures can be checked; :class:`ValueError` says what is missing."""
        try:
            import dkim
            import dns.resolver
        except ImportError:
            raise ValueError("mail.check_dkim needs two more packages: pip install 'dpobot[dkim]'") from None
        return f"signatures are checked where our own server says nothing ({dkim.__name__}, {dns.__name__})"


def _verify(raw: bytes, from_addr: str, lookup: Lookup, until: float) -> Verdict:
    import dkim

    mail = dkim.DKIM(raw)
    author = from_addr.rpartition("@")[2].lower().rstrip(".")
    # Two From lines, or two addresses in one: what was signed may not be what is shown. The library's own view of the
    # header counts, since that is what it checks.
    authors = [value.decode("utf-8", "replace") for name, value in mail.headers if name.strip().lower() == b"from"]
    if len(authors) != 1 or {address.lower() for _, address in addresses(authors)} != {from_addr.lower()}:
        return ""
    signatures = [value for name, value in mail.headers if name.lower() == b"dkim-signature"]
    verdict: Verdict = ""
    for place, signature in enumerate(signatures[:MAX_SIGNATURES]):
        tags = _tags(signature.decode("ascii", "replace"))
        domain = tags.get("d", "").lower().rstrip(".")
        # "l=" signs the beginning only, behind which anybody may go on writing.
        if "l" in tags or tags.get("a", "").lower().encode() not in _ALGORITHMS or not _aligned(author, domain):
            continue
        asked: list[Verdict] = []

        def key(name: bytes, timeout: float = 5, asked: list[Verdict] = asked) -> bytes | None:
            left = min(timeout, until - stopwatch())
            try:
                found = lookup(name.decode("ascii").rstrip("."), left) if left > 0 else None
            except (OSError, ValueError):
                found = None
            if found is None:
                asked.append("error")
            # A key in test mode asks not to be relied upon (RFC 6376 3.6.1).
            elif re.search(rb"(?:^|;)\s*t\s*=[^;]*\by\b", found):
                asked.append("fail")
                return None
            return found

        try:
            if mail.verify(idx=place, dnsfunc=key):
                return "pass"
            verdict = asked[0] if asked else "fail"
        except dkim.DKIMException:
            verdict = asked[0] if asked else "fail"
    return verdict


def _aligned(author: str, signer: str) -> bool:
    """Whether *signer* speaks for *author*: the same domain, or one above it, whose owner has its DNS in hand."""
    return "." in signer and (author == signer or author.endswith(f".{signer}"))


def _tags(signature: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for piece in signature[:20_000].split(";"):
        name, separator, value = piece.partition("=")
        if separator:
            found.setdefault(name.strip().lower(), re.sub(r"\s+", "", value))
    return found


def _resolver(servers: tuple[str, ...]) -> Lookup:
    def ask(name: str, timeout: float) -> bytes | None:
        import dns.exception
        import dns.resolver

        try:
            resolver = dns.resolver.Resolver(configure=not servers)
            if servers:
                resolver.nameservers = list(servers)
            for record in resolver.resolve(name, "TXT", lifetime=timeout):
                return b"".join(record.strings)
        except dns.exception.DNSException:
            return None
        return None

    return ask
