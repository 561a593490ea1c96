"""Reports of mail servers: delivery failures (RFC 3464, or the free text of older servers) and receipts."""

from __future__ import annotations

import re
from collections.abc import Collection
from email.message import Message
from quopri import decodestring

from bot.channels import mime_words as words
from bot.channels.mime_headers import (
    Headers,
    base64_bytes,
    clean_address,
    decode_mixed,
    message_ids,
    one_line,
    parameters,
)
from bot.channels.mime_text import payload
from handlers.types import Bounce, BounceKind

MAX_READ = 6_000


def report(
    message: Message, headers: Headers, *, subject: str, text: str, from_addr: str, robot: bool, own: Collection[str]
) -> tuple[str, Bounce | None]:
    """Say what a report is about, as a reason code, and give the bounce where it is one; ``("", None)`` for other mail.

    *text* is the whole text, *robot* says that other signs of a robot were found, *own* are our addresses
    in lower case: the address that failed is never one of them while another can be found.
    """
    kind, options = parameters(headers.get("content-type"))
    report_type = options.get("report-type", "").lower() if kind == "multipart/report" else ""
    parts = _leaves(message)
    kinds = [each for each, _ in parts]
    if report_type == "disposition-notification" or "message/disposition-notification" in kinds:
        return "read-receipt", None
    if report_type == "feedback-report":
        return "abuse-report", None
    status = next(
        (part for each, part in parts if each in ("message/delivery-status", "message/global-delivery-status")), None
    )
    original = _original_id(message, parts, headers, text)
    text = text[:MAX_READ]
    if status is not None:
        groups = _status_groups(status)
        if groups and all(group.get("action", "").lower() in ("delivered", "relayed", "expanded") for group in groups):
            return "delivery-receipt", None
        return "bounce", _bounce_from_groups(groups, text, original, own)
    daemon = words.DAEMON.match(from_addr.rpartition("@")[0]) is not None
    worded = words.BOUNCE_SUBJECT.match(subject) is not None
    told = words.BOUNCE_TEXT.search(text) is not None
    said = (worded or told) if daemon else (worded and told and robot)
    if "x-failed-recipients" in headers or report_type == "delivery-status" or said:
        given = clean_address(headers.get("x-failed-recipients").split(",")[0])
        return "bounce", _bounce_from_text(f"{subject}\n{text}", given, original, {*own, from_addr.lower()})
    if words.CHALLENGE.search(text):
        return "challenge", Bounce(from_addr, "", "policy", original)
    return "", None


def _leaves(message: Message) -> list[tuple[str, Message]]:
    """Return the first parts of a report with their types, nested ones as well."""
    found: list[tuple[str, Message]] = []
    stack: list[tuple[Message, int]] = [(message, 0)]
    while stack and len(found) < 60:
        part, level = stack.pop()
        kind = parameters(Headers(part).get("content-type"))[0]
        found.append((kind, part))
        inner = part.get_payload()
        if isinstance(inner, list) and level < 4 and not (kind.startswith("message/") and level > 0):
            stack += [(child, level + 1) for child in reversed(inner) if isinstance(child, Message)]
    return found


def _status_groups(part: Message) -> list[dict[str, str]]:
    """Return the per-recipient fields of a delivery report (RFC 3464), names in lower case."""
    inner = part.get_payload()
    blocks = [child for child in inner if isinstance(child, Message)] if isinstance(inner, list) else []
    groups: list[dict[str, str]] = []
    for block in blocks[:200]:
        fields = Headers(block)
        group = {name: fields.get(name) for name in ("final-recipient", "original-recipient", "action", "status")}
        group["diagnostic-code"] = fields.get("diagnostic-code")[:2_000]
        if any(group[name] for name in ("final-recipient", "original-recipient", "action", "status")):
            groups.append(group)
    if not groups:
        # Some servers encode the part, forget the blank line in it, or use the type for addresses beyond ASCII, which
        # the parser takes for a message.
        written = "".join(_as_written(block) for block in blocks[:200]) if blocks else decode_mixed(payload(part))
        encoding = Headers(part).get("content-transfer-encoding").lower()
        if blocks and encoding in ("base64", "quoted-printable"):
            data = written.strip().encode("utf-8", "replace")
            written = decode_mixed(base64_bytes(data) if encoding == "base64" else decodestring(data))
        for paragraph in re.split(r"\n[ \t\r]*\n", re.sub(r"\r?\n[ \t]+(?=\S)", " ", written[:200_000]))[:200]:
            found = dict(re.findall(r"^([\w-]{4,30}):[ \t]*(.*)$", paragraph, re.MULTILINE)[:50])
            lowered = {name.lower(): one_line(value) for name, value in found.items()}
            if lowered.get("action") or lowered.get("status") or lowered.get("final-recipient"):
                groups.append(lowered)
    return groups


def _as_written(block: Message) -> str:
    """Put a block of fields together again that the parser took apart."""
    inner = block.get_payload()
    fields = "\n".join(f"{name}: {value}" for name, value in Headers(block).fields)
    if isinstance(inner, list):
        body = "".join(_as_written(each) for each in inner if isinstance(each, Message))
    else:
        body = decode_mixed(payload(block))
    return f"{fields}\n\n{body}\n\n"


def _bounce_from_groups(groups: list[dict[str, str]], text: str, original: str, own: Collection[str]) -> Bounce:
    failed = [group for group in groups if group.get("action", "").lower() == "failed"]
    group = (failed or groups or [{}])[0]
    recipient = ""
    for name in ("original-recipient", "final-recipient"):
        # xtext (RFC 3461 section 4) is undone for the two characters it must encode.
        given = re.sub(
            r"\+(2B|3D)", lambda each: {"2B": "+", "3D": "="}[each[1]], group.get(name, "").rpartition(";")[2]
        )
        recipient = clean_address(given) or recipient
    if not recipient:
        recipient = _recipient(text, own)
    diagnostic = group.get("diagnostic-code", "")
    status = ".".join(found.groups()) if (found := words.STATUS.search(group.get("status", ""))) else ""
    if (not status or status.endswith(".0.0")) and (better := words.STATUS.search(diagnostic)):
        status = ".".join(better.groups())
    action = group.get("action", "").lower()
    kind = _kind(status, diagnostic or text, delayed=action == "delayed", final=bool(failed))
    return Bounce(recipient, status, kind, original)


def _bounce_from_text(text: str, given: str, original: str, known: Collection[str]) -> Bounce:
    recipient = given or _recipient(text, known)
    about = _own_words(text)
    found = words.STATUS.search(about)
    status = ".".join(found.groups()) if found else ""
    delayed = words.DELAYED.search(about[:1_500]) is not None and not status.startswith("5")
    return Bounce(recipient, status, _kind(status, about, delayed=delayed, final=not delayed), original)


def _own_words(text: str) -> str:
    """Cut a legacy report where the returned message begins: its words are not the server's."""
    cut = re.search(
        r"^(?:-{3,}.{0,20}(?:copy of|returned|original|copie|en-?t[êe]tes|message d).*|"
        r"\s*received: from .*|return-path: .*)$",
        text,
        re.IGNORECASE | re.MULTILINE,
    )
    return text[: cut.start()] if cut and cut.start() > 100 else text


def _kind(status: str, said: str, *, delayed: bool, final: bool) -> BounceKind:
    """Sort a report: a full box may be emptied, a policy may be talked about, an unknown address stays unknown."""
    if delayed:
        return "delayed"
    if words.FULL.search(said) or status in ("5.2.2", "4.2.2"):
        return "soft"
    klass, _, detail = status.partition(".")
    if klass == "4":
        return "soft" if final else "delayed"
    if detail.startswith("1.") or detail in ("4.4", "2.1"):
        return "hard"
    if words.UNKNOWN_USER.search(said) and not detail.startswith("7."):
        return "hard"
    if detail.startswith(("7.", "3.4", "2.3")):
        return "hard" if re.search(r"user unknown|no such user|does not exist|unknown user", said, re.I) else "policy"
    if detail in ("4.7", "4.1") and not words.POLICY.search(said):
        return "soft"
    if detail == "4.1":
        # Exchange Online: "Recipient address rejected: Access denied" is how it says that nobody has this address.
        return "hard"
    if words.POLICY.search(said):
        return "policy"
    if klass == "5":
        return "soft" if detail in ("0.0", "4.0", "4.2", "4.3", "3.0", "3.1") else "hard"
    code = words.REPLY_CODE.search(said)
    return "soft" if code is None or code[1] == "4" else "hard"


def _recipient(text: str, known: Collection[str]) -> str:
    """Return the address that failed: the one a server labels so, else the first behind words that announce it."""
    text = text[:MAX_READ]
    found: list[str] = []
    for pattern in words.RECIPIENT_LINES:
        found += [match[1] for match in re.finditer(pattern, text, re.IGNORECASE | re.MULTILINE)]
    for announced in words.RECIPIENT_BEHIND.finditer(text):
        found += words.ADDRESS.findall(text[announced.end() : announced.end() + 250])[:1]
    found += words.ADDRESS.findall(text)
    for candidate in found[:100]:
        address = clean_address(candidate)
        if address and address.lower() not in known and not words.DAEMON.match(address.rpartition("@")[0]):
            return address
    return ""


def _original_id(message: Message, parts: list[tuple[str, Message]], headers: Headers, text: str) -> str:
    """Return the id of the message that a report is about."""
    for kind, part in parts:
        inner = part.get_payload()
        if kind in ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"):
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                ids = message_ids(Headers(inner[0]).all("message-id"))
            else:
                ids = words.ORIGINAL_ID.findall(decode_mixed(payload(part))[:60_000])
            if ids:
                return ids[0]
    for name in ("x-original-message-id", "original-message-id"):
        if ids := message_ids(headers.all(name)):
            return ids[0]
    if ids := words.ORIGINAL_ID.findall(text):
        return str(ids[-1])
    if isinstance(message.get_payload(), str) and (
        ids := words.ORIGINAL_ID.findall(decode_mixed(payload(message)[:200_000]))
    ):
        return str(ids[-1])
    return next(iter(message_ids(headers.all("in-reply-to")) + message_ids(headers.all("references"))[-1:]), "")
