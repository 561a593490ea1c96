"""Forwarded messages: who wrote what is passed on. The sender inside is the requester, if anybody is."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime
from email.message import Message
from typing import Any, Literal

from bot.channels import mime_dates
from bot.channels.mime_headers import Headers, addresses, instant, one_line
from bot.channels.mime_text import Content, collect
from bot.channels.mime_trust import received_at
from handlers.types import Forwarded
from nlp.clean import HeaderBlock, header_block, history_start, is_divider, is_forward_divider, unquoted
from nlp.clean_words import LA_POSTE

MAX_CHAIN = 5
MAX_LINES = 5_000

_FORWARD_SUBJECT = re.compile(
    r"^\s*\[?(?:re\s?:\s*)?(?:tr|fw|fwd|wg|rv|i|inoltr?|doorst|enc|transf|transfert|transmis)\s*"
    r"(?:\[\d+\]|\(\d+\))?\s?:",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:]+@[^\s<>()\[\]\"',;:]+\w")
_NAME = re.compile(
    r"(?:\d{1,2}[:h.]\d{2}(?::\d{2})?(?:\s*(?:[ap]m|uhr|[a-z]{3,4}|(?:utc|gmt)?[+-]\d{1,4}))?|\d{4})\s*,?\s*"
    r"(?:(?:schrieb|schreef|by|von|de|par|di|da|door|por)\b\s*)?([^\d<>:]{0,80}?)\s*[<(\[]*$",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"^\s{0,3}>")


def inline(
    text: str,
    subject: str,
    *,
    from_addr: str = "",
    own_addresses: Collection[str] = (),
    own_domains: Collection[str] = (),
) -> tuple[str, Forwarded] | None:
    """Find a message forwarded within *text*; return the comment above it and the message.

    A colleague (*own_domains*) who sends a stranger's mail along passes it on, whatever the subject says. A chain of
    colleagues is followed to the first stranger. What we wrote ourselves
    (*own_addresses*) is history, even if somebody passes it on: None, as for any other mail.
    """
    own = {domain.lower().lstrip("@") for domain in own_domains}
    colleague = from_addr.lower().rpartition("@")[2] in own
    found = _first(text, forward=colleague or _FORWARD_SUBJECT.match(subject) is not None)
    if found is None:
        return None
    comment, message = found
    if colleague and not _FORWARD_SUBJECT.match(subject) and message.from_addr.rpartition("@")[2] in ("", *own):
        # A colleague who answers a colleague passes on nothing.
        return None
    for _ in range(MAX_CHAIN):
        deeper = _first(message.text, forward=True)
        if message.from_addr.rpartition("@")[2] not in own or deeper is None:
            break
        comment = f"{comment}\n\n{deeper[0]}".strip()
        message = deeper[1]
    if message.from_addr.lower() in {address.lower() for address in own_addresses}:
        return None
    return comment, message


def _first(text: str, *, forward: bool) -> tuple[str, Forwarded] | None:
    lines = text.split("\n")
    for place, line in enumerate(lines[:MAX_LINES]):
        if not line.strip():
            continue
        quoted = _QUOTED.match(line) is not None
        if not quoted and is_forward_divider(line):
            block = _block_at(lines, place + 1)
            return _message(lines, place, block, block.end if block else place + 1)
        if forward and (is_divider(line) or ":" in line or not line.strip("_- ")):
            block = _block_at(lines, place if ":" in line else place + 1)
            if block is not None:
                return _message(lines, place, block, block.end)
        if forward and LA_POSTE.match(line):
            block = _block_at(lines, place + 1)
            if block is not None:
                block.fields.setdefault("date", re.sub(r"^[^\d]*", "", line))
                return _message(lines, place, block, block.end)
        if not quoted and (behind := history_start(lines, place)) != place:
            return _attributed(lines, place, behind) if forward else None
    return None


def _attributed(lines: list[str], start: int, end: int) -> tuple[str, Forwarded] | None:
    """Read a message passed on below "24 Feb 2026, 09:12 by marie@x:" or "Le … Marie <marie@x> a écrit :"."""
    said = " ".join(unquoted(line).strip() for line in lines[start:end])
    found = _ADDRESS.search(said)
    if found is None:
        return None
    name = _NAME.search(said[: found.start()])
    dated = (
        re.sub(r"(?:[\s,]|\b(?:by|par|von|de|di|da|door|por|schrieb|schreef)\b)+$", "", said[: name.start(1)])
        if name
        else ""
    )
    fields = {"from": f"{name[1].strip() if name else ''} <{found[0]}>", "date": dated}
    return _message(lines, start, HeaderBlock(fields, start, end), end)


def _block_at(lines: list[str], start: int) -> HeaderBlock | None:
    for place in range(start, min(start + 3, len(lines))):
        if lines[place].strip(" >"):
            return header_block(lines, place)
    return None


def _message(lines: list[str], start: int, block: HeaderBlock | None, end: int) -> tuple[str, Forwarded]:
    fields = block.fields if block else {}
    body = lines[end:]
    written = [line for line in body if line.strip()]
    if written and sum(1 for line in written if _QUOTED.match(line)) > len(written) / 2:
        body = [re.sub(r"^\s{0,3}> ?", "", line) for line in body]
    name, address = sender(fields.get("from", ""))
    message = Forwarded(
        from_addr=address,
        from_name=name,
        date=one_line(fields.get("date", ""), 100),
        subject=one_line(fields.get("subject", "").strip("* ")),
        text="\n".join(body).strip("\n"),
        **_when(mime_dates.written(fields.get("date", "")), "written"),
    )
    return "\n".join(lines[:start]).strip("\n"), message


def _when(moment: datetime | None, by: Literal["server", "written"]) -> dict[str, Any]:
    return {"received_at": moment.isoformat(), "received_by": by} if moment else {}


def sender(written: str) -> tuple[str, str]:
    """Read a sender as mail clients print it: ``Marie [mailto:m@x]``, ``Marie <m@x<mailto:m@x>>``, or a name only."""
    text = re.sub(r"<mailto:[^<>]*>", "", unquoted(written).replace("*", ""))
    text = re.sub(r"\[(?:mailto:)?([^\[\]\s]+@[^\[\]\s]+)\]", r"<\1>", text)
    text = re.sub(r"\((?:mailto:)?([^()\s]+@[^()\s]+)\)", r"<\1>", text)
    found = addresses([text])
    if found:
        return found[0]
    return one_line(text, 300).strip("\"' "), ""


def attached(message: Message, authserv_ids: Collection[str] = ()) -> tuple[Forwarded, Content]:
    """Read a message that came as an attachment; also return its parts.

    Our own server's ``Received:`` line in it says when the organisation first got it, else its date must do.
    """
    headers = Headers(message)
    content = collect(message)
    pairs = addresses(headers.all("from")[:1])
    display, address = pairs[0] if pairs else (headers.text("from", 300), "")
    subject = headers.text("subject")
    taken_in = received_at(headers, authserv_ids)
    dated = instant(headers.get("date"))
    found = Forwarded(
        from_addr=address,
        from_name=display,
        date=headers.text("date", 100),
        subject=subject,
        text=content.text,
        **(_when(taken_in, "server") or _when(dated.astimezone(UTC) if dated else None, "written")),
    )
    return found, content


def shown(message: Forwarded) -> str:
    """Return an attached message as text, under a header block like the one mail clients write."""
    author = f"{message.from_name} <{message.from_addr}>" if message.from_addr else message.from_name
    fields = (("From", author.strip()), ("Date", message.date), ("Subject", message.subject))
    head = "\n".join(f"{key}: {value}" for key, value in fields if value)
    return f"---------- Forwarded message ----------\n{head}\n\n{message.text}".rstrip()
