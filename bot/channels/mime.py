"""A raw mail becomes an :class:`~handlers.types.Arrival`: bytes in, plain data out, whatever the bytes.

The steps: parse the tree (``mime_text``), read the header fields (``mime_headers``), lay out what a person
would see (``mime_html``), tell robots and reports (``mime_robots``, ``mime_bounces``), believe our own server
only (``mime_trust``), find what is passed on (``mime_forwards``), part the new text from history (``nlp.clean``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC
from email.message import Message
from functools import lru_cache
from typing import Any

from bot.channels import mime_crypto, mime_forwards, mime_robots, mime_text
from bot.channels.base import RawMessage
from bot.channels.mime_headers import Headers, addresses, decode_mixed, decode_words, instant, message_ids, one_line
from bot.channels.mime_trust import authentication, disproved, received_at
from handlers.types import Arrival, Attachment, Forwarded
from nlp.clean import Split, split

MAX_ATTACHMENTS = 200
MAX_DEPTH = 5
NO_ID_DOMAIN = "no-message-id.invalid"


def arrival(
    raw: RawMessage,
    *,
    authserv_ids: Collection[str] = (),
    own_addresses: Collection[str] = (),
    own_domains: Collection[str] = (),
) -> Arrival:
    """Read a raw mail. Never raises: what cannot be read is left empty and named in ``problems``.

    *authserv_ids* are the host names of our own mail servers (``mx.example``, or ``.example`` for all
    hosts below): only their ``Received:`` and ``Authentication-Results:`` lines are believed.
    *own_addresses* are the addresses we send from, *own_domains* those of colleagues, who pass on
    requests but do not make them. Instants are aware and in UTC; ``date`` keeps the sender's offset.
    """
    problems: list[str] = []
    try:
        message = mime_text.parse(raw.raw, problems)
        return _read(raw, message, problems, tuple(authserv_ids), tuple(own_addresses), tuple(own_domains))
    except Exception as error:  # noqa: BLE001 - whatever the bytes make the library raise, the mail is not lost
        # A mail that defeats the reader still has to reach the DPO; its clock may be running.
        return _unreadable(raw, type(error).__name__)


def _unreadable(raw: RawMessage, why: str) -> Arrival:
    key = hashlib.sha256(raw.raw).hexdigest()
    text = mime_text.tidy(decode_mixed(raw.raw[: mime_text.MAX_TEXT]))
    return Arrival(
        channel="email",
        source=raw.source,
        external_id=raw.external_id,
        received_at=raw.received_at,
        raw=raw.raw,
        content_key=key,
        message_id=f"{key[:32]}@{NO_ID_DOMAIN}",
        delivered_to=tuple(raw.envelope_to),
        text=text,
        new_text=text,
        suppress=True,
        suppress_reasons=("unreadable",),
        problems=(f"unreadable-{why.lower()}",),
    )


def _read(
    raw: RawMessage,
    message: Message,
    problems: list[str],
    authserv_ids: tuple[str, ...],
    own_addresses: tuple[str, ...],
    own_domains: tuple[str, ...],
) -> Arrival:
    headers = Headers(message)
    content = mime_text.collect(message, raw.raw)
    senders = _senders(headers, problems)
    from_name, from_addr = senders[0] if senders else ("", "")
    subject = headers.text("subject")
    auth = authentication(headers, authserv_ids, problems)
    readable, armour = mime_crypto.unarmoured(content.text)
    if armour:
        content.note(armour)
    parts = split(readable)
    robots = mime_robots.judge(
        message,
        headers,
        subject=subject,
        text=content.text,
        new_text=parts.new,
        from_addr=from_addr,
        envelope_from=raw.envelope_from,
        own_addresses=own_addresses,
        calendar_methods=content.calendar_methods,
    )
    if "several-senders" in problems:
        robots.because("several-senders")
    if "own-address" in robots.reasons and not disproved(auth):
        robots.because("own-mail")
    text, new_text, quoted_text, forwarded, attachments = _texts(
        content,
        parts,
        subject,
        report=robots.is_bounce or not {"read-receipt", "delivery-receipt"}.isdisjoint(robots.reasons),
        from_addr=from_addr,
        authserv_ids=authserv_ids,
        own_addresses=own_addresses,
        own_domains=own_domains,
    )
    if robots.is_list:
        forwarded = None
    key = _content_key(headers, message)
    ids = message_ids(headers.all("message-id"))
    if not ids:
        problems.append("no-message-id")
    if len(attachments) > MAX_ATTACHMENTS:
        problems.append("too-many-attachments")
    if getattr(raw, "full_size", 0) > len(raw.raw):
        problems.append("oversize")
    if not text.strip() and not attachments:
        problems.append("empty")
    date = instant(headers.get("date"))
    if date is None:
        problems.append("date-unreadable" if "date" in headers else "no-date")
    elif abs((date.astimezone(UTC) - raw.received_at.astimezone(UTC)).total_seconds()) > 3 * 86_400:
        problems.append("date-differs")
    return Arrival(
        channel="email",
        source=raw.source,
        external_id=raw.external_id,
        received_at=received_at(headers, authserv_ids) or raw.received_at,
        raw=raw.raw,
        content_key=key,
        message_id=ids[0] if ids else f"{key[:32]}@{NO_ID_DOMAIN}",
        from_addr=from_addr,
        from_name=from_name,
        reply_to=_first_address(headers, "reply-to"),
        to=_addresses(headers, "to"),
        cc=_addresses(headers, "cc"),
        subject=subject,
        date=date.isoformat() if date else "",
        in_reply_to=next(iter(message_ids(headers.all("in-reply-to"))), ""),
        references=tuple(message_ids(headers.all("references"))),
        delivered_to=_delivered_to(raw, headers),
        text=text,
        new_text=new_text,
        quoted_text=quoted_text,
        is_auto_reply=robots.is_auto_reply,
        is_bounce=robots.is_bounce,
        is_list=robots.is_list,
        suppress=bool(robots.reasons),
        suppress_reasons=tuple(robots.reasons),
        bounce=robots.bounce,
        auth=auth,
        attachments=tuple(attachments[:MAX_ATTACHMENTS]),
        forwarded=forwarded,
        problems=tuple(dict.fromkeys((*problems, *content.problems, *robots.problems))),
    )


def _senders(headers: Headers, problems: list[str]) -> list[tuple[str, str]]:
    values = headers.all("from")
    found = addresses(values)
    if len(values) > 1 and len({address.lower() for _, address in found}) > 1:
        problems.append("several-senders")
    if not found:
        problems.append("no-sender")
        if name := headers.text("from", 300):
            return [(name, "")]
    return found


def _addresses(headers: Headers, field: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address for _, address in addresses(headers.all(field))))


def _first_address(headers: Headers, field: str) -> str:
    return next(iter(_addresses(headers, field)), "")


def _delivered_to(raw: RawMessage, headers: Headers) -> tuple[str, ...]:
    noted = [
        address
        for field in ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to")
        for address in _addresses(headers, field)
    ]
    return tuple(dict.fromkeys((*raw.envelope_to, *noted)))


def _texts(
    content: mime_text.Content,
    parts: Split,
    subject: str,
    *,
    report: bool,
    from_addr: str,
    authserv_ids: tuple[str, ...],
    own_addresses: tuple[str, ...],
    own_domains: tuple[str, ...],
) -> tuple[str, str, str, Forwarded | None, list[Attachment]]:
    """Return text, new text, history, the forwarded message and all attachments.

    What a forward passes on is new, since its comment often says nothing but "for you"; what a report of
    a mail server returns is our own letter, and stays out.
    """
    attachments = list(content.attachments)
    text = content.text[: mime_text.MAX_TEXT]
    if report:
        returned = [each for each in attachments if each.content_type != "message/rfc822"]
        return text, parts.new, parts.quoted, None, returned
    found = mime_forwards.inline(
        text, subject, from_addr=from_addr, own_addresses=own_addresses, own_domains=own_domains
    )
    if found:
        comment, forwarded = found
        new, quoted = _joined_parts(comment, forwarded.text)
    else:
        forwarded = None
        new, quoted = parts.new, parts.quoted
    own = {address.lower() for address in own_addresses}
    for message in content.embedded:
        for inner in _embedded(message, content, attachments, authserv_ids, MAX_DEPTH):
            text = f"{text}\n\n{mime_forwards.shown(inner)}".strip("\n")[: mime_text.MAX_TEXT]
            if inner.from_addr.lower() in own:
                quoted = f"{quoted}\n\n{inner.text}".strip("\n")
                continue
            inner_parts = split(inner.text)
            new = f"{new}\n\n{inner_parts.new}".strip("\n")[: mime_text.MAX_TEXT]
            quoted = f"{quoted}\n\n{inner_parts.quoted}".strip("\n")[: mime_text.MAX_TEXT]
            if forwarded is not None:
                content.note("several-forwarded")
            forwarded = forwarded or inner
    return text, new, quoted, forwarded, attachments


def _joined_parts(comment: str, passed_on: str) -> tuple[str, str]:
    below = split(passed_on)
    # A comment may be nothing but a signature; what is passed on says enough.
    above = split(comment, alone=not below.new.strip())
    new = "\n\n".join(part for part in (above.new, below.new) if part.strip())
    return new, "\n\n".join(part for part in (above.quoted, below.quoted) if part.strip())


def _embedded(
    message: Message,
    content: mime_text.Content,
    attachments: list[Attachment],
    authserv_ids: tuple[str, ...],
    depth: int,
) -> list[Forwarded]:
    """Read an attached message and those inside it; their files count as ours."""
    forwarded, inner = mime_forwards.attached(message, authserv_ids)
    attachments += inner.attachments
    for problem in inner.problems:
        content.note(problem)
    found = [forwarded]
    if depth <= 0:
        content.note("nested-too-deep")
        return found
    for deeper in inner.embedded:
        found += _embedded(deeper, content, attachments, authserv_ids, depth - 1)
    return found


def content_key(raw: bytes) -> str:
    """Return the SHA-256 (hex) of what makes two copies of a mail the same.

    Sender, recipients, subject, date, thread and decoded content count; where it passed, how it was
    encoded on the way and under which number it lies do not. So a mail to two of our addresses has one
    key, and two mails that share a ``Message-ID`` have two.
    """
    message = mime_text.parse(raw, [])
    return _content_key(Headers(message), message)


def _content_key(headers: Headers, message: Message) -> str:
    digest = hashlib.sha256()
    for field in ("message-id", "from", "to", "cc", "subject", "date", "in-reply-to"):
        value = "\n".join(one_line(decode_words(each), 10_000) for each in headers.all(field))
        digest.update(f"{field}:{value}\0".encode("utf-8", "replace"))
    stack = [message]
    count = 0
    while stack and count < 5 * mime_text.MAX_PARTS:
        part = stack.pop()
        count += 1
        inner = part.get_payload()
        if isinstance(inner, list):
            stack += [child for child in reversed(inner) if isinstance(child, Message)]
            continue
        data = mime_text.payload(part)
        if not part.get_content_maintype() or part.get_content_maintype() == "text":
            # Servers change line ends and trailing space when they re-encode.
            data = b" ".join(data.split())
        digest.update(part.get_content_type().encode("utf-8", "replace") + b"\0" + hashlib.sha256(data).digest())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(["fr", "en", "de", "es", "it", "nl", "pt"])
    return identifier


def language(text: str) -> str:
    """Return the ISO 639-1 code of the language of *text*, or ``unknown`` where it is too short to say."""
    if len(re.findall(r"[^\W\d_]", text)) < 8:
        return "unknown"
    code, probability = _identifier().classify(text[:5_000])
    return str(code) if probability >= 0.6 else "unknown"


def to_json(arrived: Arrival, id: str) -> dict[str, Any]:
    """Return *arrived* in the shape that ``dpobot parse`` prints: plain JSON values, no file contents."""
    attachments = [
        {name: getattr(each, name) for name in ("filename", "content_type", "sniffed_type", "size", "inline", "sha256")}
        for each in arrived.attachments
    ]
    forwarded = arrived.forwarded
    shape: dict[str, Any] = {"id": id}
    for name in ("from_addr", "from_name", "reply_to", "to", "cc", "subject", "date"):
        value = getattr(arrived, name)
        shape[name] = list(value) if isinstance(value, tuple) else value
    shape |= {
        "received_at": arrived.received_at.astimezone(UTC).isoformat(),
        "message_id": arrived.message_id,
        "in_reply_to": arrived.in_reply_to,
        "references": list(arrived.references),
        "text": arrived.text,
        "new_text": arrived.new_text,
        "quoted_text": arrived.quoted_text,
        "language": language(arrived.new_text or arrived.subject),
        "is_auto_reply": arrived.is_auto_reply,
        "is_bounce": arrived.is_bounce,
        "is_list": arrived.is_list,
        "suppress": arrived.suppress,
        "suppress_reasons": list(arrived.suppress_reasons),
        "bounce": asdict(arrived.bounce) if arrived.bounce else None,
        "auth": {name: getattr(arrived.auth, name) for name in ("spf", "dkim", "dmarc", "trusted")},
        "attachments": attachments,
        "forwarded": (
            {name: getattr(forwarded, name) for name in ("from_addr", "from_name", "date", "subject")}
            if forwarded
            else None
        ),
        "problems": list(arrived.problems),
    }
    return shape
