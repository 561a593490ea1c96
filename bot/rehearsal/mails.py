"""Raw mails from what a step says: headers and body, files made by script, or an ``.eml`` as a real client wrote it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email import policy
from email.header import Header
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any

from bot.rehearsal.attachments import attachment
from bot.rehearsal.format import Scenario, Step, find_mail
from bot.rehearsal.placeholders import Lookup, fill, fill_raw

NUMBER_WORDS = {
    "once": 1, "une": 1, "one": 1, "twice": 2, "two": 2, "deux": 2, "three": 3, "trois": 3, "four": 4, "quatre": 4,
    "five": 5, "cinq": 5, "six": 6, "seven": 7, "ten": 10, "dix": 10,
}  # fmt: skip
LAST = timedelta(minutes=1)


class NotSupported(Exception):
    """The step, or a part of it, cannot be played. The message names the word at fault."""


MALFORMED = (TypeError, ValueError, LookupError, AttributeError, OverflowError, AssertionError)
"""What reading a value of the wrong shape raises: a list where a number belongs, a word where a date does."""


def raw_mail(scenario: Scenario, step: Step, look: Lookup) -> bytes:
    """Return the bytes of the mail a step describes."""
    payload = step.payload
    if payload.get("eml"):
        path = find_mail(scenario.folder, str(payload["eml"]))
        assert path is not None  # the loader looked
        return fill_raw(path.read_bytes(), look)
    headers = headers_of(payload)
    for name in ("From", "To", "Subject", "Cc", "Reply-To"):
        given = payload.get(name.lower().replace("-", "_"), payload.get(name.lower()))
        if given is not None and not _has(headers, name):
            headers[name] = given
    body = str(payload.get("body", payload.get("text", "")))
    return compose(headers, fill(body, look), payload, step=step, scenario_id=scenario.id, look=look)


def headers_of(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The headers of a step: an object, or a list of pairs in which a name may come again."""
    given = payload.get("headers") or {}
    if isinstance(given, Mapping):
        return {str(name): value for name, value in given.items()}
    found: dict[str, Any] = {}
    for pair in given:
        name, value = (pair.get("name"), pair.get("value")) if isinstance(pair, Mapping) else (pair[0], pair[1])
        found.setdefault(str(name), []).append(value)
    return found


def compose(
    headers: Mapping[str, Any], body: str, payload: Mapping[str, Any], *, step: Step, scenario_id: str, look: Lookup
) -> bytes:
    """Put a mail together. A header that is null is left out; what real mails always have is added where it is missing."""
    lines: list[tuple[str, str]] = []
    for name, value in headers.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                lines.append((name, fill(str(one), look)))
    word = re.sub(r"[^a-z0-9]+", "-", scenario_id.lower()).strip("-")
    defaults = {
        "Received": f"from client.example by mx.mije.com; {format_datetime(step.at)}",
        "Date": format_datetime(step.at),
        "To": "dpo@mije.com",
        "Message-ID": f"<{word}.{step.n}@{_domain(headers)}>",
        "MIME-Version": "1.0",
    }
    for name, value in defaults.items():
        # The sandbox's server adds no trace of its own, and neither do we: INTERNALDATE says when it arrived.
        if name != "Received" and not _has(headers, name):
            lines.append((name, value))
    own_type = next((value for name, value in lines if name.lower() == "content-type"), "")
    content = EmailMessage(policy=policy.SMTP)
    if own_type:
        rest = _as_declared(own_type, body, lines)
    else:
        content.set_content(body or "\n", charset="utf-8")
        if payload.get("html"):
            content.add_alternative(fill(str(payload["html"]), look), subtype="html")
        for index, wanted in enumerate(payload.get("attachments") or (), start=1):
            filename, kind, data = attachment(wanted, index)
            main, _, sub = kind.partition("/")
            if main == "message":
                content.add_attachment(data, maintype="application", subtype="octet-stream", filename=filename)
                content.get_payload()[-1].replace_header("Content-Type", f'{kind}; name="{filename}"')  # type: ignore[index,union-attr]
            else:
                content.add_attachment(data, maintype=main, subtype=sub or "octet-stream", filename=filename)
        rest = content.as_bytes()
        lines = [(name, value) for name, value in lines if name.lower() != "mime-version"]
    head = b"".join(_header(name, value) for name, value in lines)
    return head + rest


def _has(headers: Mapping[str, Any], name: str) -> bool:
    return any(known.lower() == name.lower() for known in headers)


def _domain(headers: Mapping[str, Any]) -> str:
    sender = next((str(value) for name, value in headers.items() if name.lower() == "from"), "")
    return parseaddr(sender)[1].rpartition("@")[2] or "client.example"


def _header(name: str, value: str) -> bytes:
    """Write a header as given; what is not ASCII becomes encoded words, an address in it stays an address."""
    if value.isascii():
        return f"{name}: {value}\r\n".encode("ascii")
    shown, address = parseaddr(value)
    if (
        name.lower() in ("from", "to", "cc", "reply-to", "sender")
        and address.isascii()
        and "@" in address
        and "," not in value
    ):
        return f"{name}: {Header(shown, 'utf-8', maxlinelen=900).encode()} <{address}>\r\n".encode("ascii")
    return f"{name}: {Header(value, 'utf-8', maxlinelen=900).encode(linesep='')}\r\n".encode("ascii")


def _as_declared(content_type: str, body: str, lines: list[tuple[str, str]]) -> bytes:
    """The body under a Content-Type of the story's own: in its charset and transfer encoding."""
    found = re.search(r"charset=\"?([\w.:-]+)", content_type, re.IGNORECASE)
    try:
        data = body.encode(found[1] if found else "utf-8", "replace")
    except LookupError:
        data = body.encode()
    data = re.sub(rb"\r?\n", b"\r\n", data)
    encoding = next((value.lower() for name, value in lines if name.lower() == "content-transfer-encoding"), "")
    if "base64" in encoding and not content_type.lower().startswith("multipart"):
        data = base64.encodebytes(data)
    elif "quoted-printable" in encoding and b"=\r\n" not in data and not re.search(rb"=[0-9A-F]{2}", data):
        import quopri

        data = quopri.encodestring(data)
    elif not encoding and not data.isascii():
        lines.append(("Content-Transfer-Encoding", "8bit"))
    return b"\r\n" + data


# --- many mails from one step


def copies(payload: Mapping[str, Any]) -> tuple[int, timedelta]:
    """Return how often the same bytes arrive, and how far apart. Raises :class:`NotSupported` for words that say neither."""
    given = payload.get("repeat")
    if given in (None, "", False):
        return 1, timedelta()
    words = str(given).lower()
    every = re.search(r"(?:every|each|toutes les|chaque)\s+(\d+)?\s*(minute|hour|day|heure|jour)", words)
    times = re.search(r"(\d+)\s*(?:times|fois|copies|mails)", words)
    if every and not isinstance(given, Mapping):
        if not times:
            raise NotSupported(f'repeat "{given}": how often is not said')
        unit = {"m": "minutes", "h": "hours", "d": "days", "j": "days"}[every[2][0]]
        return int(times[1]), timedelta(**{unit: int(every[1] or 1)})
    number = int(times[1]) if times else _number(given)
    if number is None:
        raise NotSupported(f'repeat "{given}": no number in it')
    gap = given.get("every_seconds", 60 * given.get("every_minutes", 0)) if isinstance(given, Mapping) else 0
    return max(number, 1), timedelta(seconds=float(gap))


def _number(given: Any) -> int | None:
    if isinstance(given, bool):
        return 2 if given else 1
    if isinstance(given, int | float):
        return int(given)
    if isinstance(given, Mapping):
        found = next((given[k] for k in ("times", "count", "n", "number") if k in given), None)
        return _number(found) if found is not None else None
    match = re.search(r"\d+", str(given))
    if match:
        return int(match[0])
    return next(
        (number for word, number in NUMBER_WORDS.items() if re.search(rf"\b{word}\b", str(given).lower())), None
    )


def generated(scenario: Scenario, step: Step, look: Lookup) -> Iterator[tuple[bytes, datetime]]:
    """Yield (mail, when it arrives) for a step that stands for many. ``{i}`` in its texts counts from 1."""
    payload = step.payload
    wanted = payload.get("generate")
    count = _number(wanted)
    if count is None:
        raise NotSupported(f'generate "{str(wanted)[:80]}": it names no number of mails')
    rule: Mapping[str, Any] = wanted if isinstance(wanted, Mapping) else {}
    base = {
        **payload,
        **(rule.get("template") or {}),
        **{k.removesuffix("_pattern").removesuffix("_template"): v for k, v in rule.items() if _is_text(k)},
    }
    every = rule.get("every_seconds", rule.get("interval_seconds", rule.get("seconds_between")))
    if every is None and rule.get("every_minutes"):
        every = 60 * float(rule["every_minutes"])
    if every is None and rule.get("within_minutes"):
        every = 60 * float(rule["within_minutes"]) / max(count, 1)
    if every is None:
        every = _spacing(rule, str(wanted), count)
    gap = timedelta(seconds=float(every or 0))
    # Mails of one sender unless the story says that they come from many.
    words = f"{rule.get('senders', '')} {rule.get('from', '')} {rule if isinstance(wanted, str) else ''}"
    many = bool(re.search(r"distinct|different|each|\{i\}", words)) or rule.get("distinct_senders") is True
    for i in range(1, count + 1):
        headers = headers_of(base)
        for name in ("From", "Subject"):
            named = next((v for k, v in rule.items() if k.startswith(name.lower()) and isinstance(v, str)), None)
            if named:
                headers = {k: v for k, v in headers.items() if k.lower() != name.lower()} | {name: named}
        given = next(
            (str(v) for k, v in headers.items() if k.lower() == "from"), "Personne <personne@courrier.example>"
        )
        if many and "{i}" not in given:
            shown, address = parseaddr(given)
            local, _, domain = address.partition("@")
            given = f"{shown} <{local}+{i}@{domain}>" if local else given
        headers = {k: v for k, v in headers.items() if k.lower() not in ("from", "message-id")}
        headers["From"] = given
        headers["Message-ID"] = f"<{re.sub('[^a-z0-9]+', '-', scenario.id.lower())}.{step.n}.{i}@{_domain(headers)}>"
        counted = {k: _counted(v, i) for k, v in headers.items()}
        body = _counted(str(base.get("body", "")), i)
        raw = compose(counted, fill(body, look), base, step=step, scenario_id=scenario.id, look=look)
        yield raw, step.at + i * gap if every else step.at


def _is_text(name: str) -> bool:
    return re.fullmatch(r"(?:headers|body|html|attachments)(?:_pattern|_template)?", name) is not None


def _spacing(rule: Mapping[str, Any], words: str, count: int) -> float | None:
    """Seconds between two of many mails, from "one per second", "over 10 minutes", {"spread": "PT10M"}."""
    for name, value in rule.items():
        if re.search(r"spread|over|within|during|window", name) and isinstance(value, str):
            length = lasting(value)
            return length.total_seconds() / max(count, 1) if length else None
        if re.search(r"every|interval|gap|apart", name) and isinstance(value, str):
            length = lasting(value)
            return length.total_seconds() if length else None
    said = words.lower() if not rule else ""
    found = re.search(
        r"(?:one|1|une?) (?:per|every|each|par|toutes les|a) (\d*\s*(?:second|minute|hour|heure)\w*)", said
    )
    if found:
        length = lasting(found[1] if found[1][0].isdigit() else f"1 {found[1]}")
        return length.total_seconds() if length else None
    found = re.search(r"(?:over|within|during|in|en|pendant) (\d+\s*(?:second|minute|hour|heure|day|jour)\w*)", said)
    if found:
        length = lasting(found[1])
        return length.total_seconds() / max(count, 1) if length else None
    return None


def lasting(text: str) -> timedelta | None:
    """Read a length of time: ``PT2H``, ``3 days``, ``10 minutes``, ``2 semaines``; None if none is named."""
    iso = re.fullmatch(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text.strip())
    if iso and any(iso.groups()):
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    total = timedelta()
    units = {"w": "weeks", "d": "days", "j": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    for number, word in re.findall(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]+)", text):
        unit = "weeks" if word.lower().startswith("sem") else units.get(word[0].lower())
        if word.lower().startswith("mo"):
            total += timedelta(days=30 * float(number))
        elif unit is not None:
            total += timedelta(**{unit: float(number)})
    return total or None


def _counted(value: Any, i: int) -> Any:
    if isinstance(value, str):
        return re.sub(r"\{(?:i|n|k)\}|%i%|#i#", str(i), value)
    return value
