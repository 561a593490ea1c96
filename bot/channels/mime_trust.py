"""What our own mail server says of a mail: when it took it in, and whether the sender is who it claims.

Everybody can write such lines; only those count that our server put on top.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime

from bot.channels.mime_headers import Headers, instant
from bot.channels.mime_text import MAX_HEADER_BYTES, parse
from handlers.types import Authentication

_RESULTS = ("pass", "fail", "softfail", "neutral", "none", "temperror", "permerror", "policy", "bestguesspass")


def _is_ours(host: str, authserv_ids: Collection[str]) -> bool:
    host = host.lower().rstrip(".")
    for own in authserv_ids:
        name = own.lower().lstrip("*")
        if host == name or (name.startswith(".") and host.endswith(name)):
            return True
    return False


def _host(received: str) -> str:
    found = re.search(r"(?:^|\s)by\s+([^\s;()]{1,255})", received[:2_000])
    return found[1] if found else ""


def received_at(headers: Headers, authserv_ids: Collection[str]) -> datetime | None:
    """Return when our own server took the message in: its topmost ``Received:`` line, in UTC.

    A request is received when it reaches the controller (GDPR art. 12(3)), not when it is read; the
    sender's own lines lie below ours and prove nothing.
    """
    for value in headers.all("received"):
        if _is_ours(_host(value), authserv_ids):
            when = instant(value.rpartition(";")[2])
            return when.astimezone(UTC) if when else None
    return None


def first_received(raw: bytes) -> datetime | None:
    """Return the instant of the topmost ``Received:`` line of a stored mail, in UTC; None without one.

    For mails read from files only, where no server says when it took them in.
    """
    for value in Headers(parse(raw[:MAX_HEADER_BYTES], [])).all("received"):
        when = instant(value.rpartition(";")[2])
        return when.astimezone(UTC) if when else None
    return None


def disproved(auth: Authentication) -> bool:
    """Say whether our own server found that the sender's address is not the sender's."""
    return auth.trusted and (auth.dmarc == "fail" or (not auth.dmarc and "pass" not in (auth.spf, auth.dkim)))


def authentication(headers: Headers, authserv_ids: Collection[str], problems: list[str]) -> Authentication:
    """Read the verdicts of our own server (RFC 8601): its lines stand above all that the sender sent.

    The zone of trust ends at the first foreign ``Received:`` below our own, or, where we left no such
    line, behind the first run of our results.
    """
    own_received = [
        place
        for place, (name, value) in enumerate(headers.fields)
        if name == "received" and _is_ours(_host(value), authserv_ids)
    ]
    verdicts: dict[str, str] = {}
    seen_own = ended = False
    seen_result = False
    for name, value in headers.fields:
        if name == "received":
            if _is_ours(_host(value), authserv_ids):
                seen_own = True
            elif seen_own or (seen_result and not own_received):
                ended = True
        elif name == "authentication-results":
            identity, results = _results(value)
            ours = _is_ours(identity, authserv_ids) or (not identity and bool(own_received))
            if not ours:
                problems.append("authentication-results-foreign")
            elif ended:
                problems.append("authentication-results-forged")
            else:
                seen_result = True
                _merge(verdicts, results)
        elif seen_result and not own_received:
            ended = True
    if not seen_result:
        return Authentication()
    return Authentication(
        spf=verdicts.get("spf", ""), dkim=verdicts.get("dkim", ""), dmarc=verdicts.get("dmarc", ""), trusted=True
    )


def _merge(verdicts: dict[str, str], results: list[tuple[str, str]]) -> None:
    for method, result in results:
        # Several signatures: one that holds is enough.
        if method not in verdicts or (method == "dkim" and result == "pass"):
            verdicts[method] = result


def _results(value: str) -> tuple[str, list[tuple[str, str]]]:
    """Return (authserv-id, [(method, result)]) of a header value; the id is empty where Exchange gives none."""
    import authres

    text = re.sub(r"\s+", " ", value[:8_000]).strip()
    head = text.split(";")[0].strip()
    identity = "" if "=" in head else head.split(" ")[0].lower()
    try:
        parsed = authres.AuthenticationResultsHeader.parse_value(text if identity else f"x; {text}")
        found = [
            (str(each.method).lower(), str(each.result).lower()) for each in parsed.results if hasattr(each, "result")
        ]
    except (authres.AuthResError, ValueError, TypeError, AttributeError, RecursionError, IndexError):
        found = [
            (m[1].lower(), m[2].lower()) for m in re.finditer(r"(?:^|[;\s])(spf|dkim|dmarc)=(\w{1,20})", text, re.I)
        ]
    return identity, [(m, r) for m, r in found if m in ("spf", "dkim", "dmarc") and r in _RESULTS]
