"""Forwarded messages: who wrote what is passed on. The sender inside is the requester, if anybody is."""

from __future__ import annotations

import re
from collections.abc import Collection
from email.message import Message

from bot.channels.mime_headers import Headers, addresses, one_line
from bot.channels.mime_text import Content, collect
from handlers.types import Forwarded
from nlp.clean import HeaderBlock, header_block, history_start, is_divider, is_forward_divider, unquoted

MAX_CHAIN = 5
MAX_LINES = 5_000

_FORWARD_SUBJECT = re.compile(
    r"^\s*(?:tr|fw|fwd|wg|rv|i|inoltr?|doorst|enc|transf|transfert|transmis)\s*(?:\[\d+\]|\(\d+\))?\s?:", re.IGNORECASE
)
_QUOTED = re.compile(r"^\s{0,3}>")


def inline(
    text: str, subject: str, *, own_addresses: Collection[str] = (), own_domains: Collection[str] = ()
) -> tuple[str, Forwarded] | None:
    """Find a message forwarded within *text*; return the comment above it and the message.

    A chain of colleagues (*own_domains*) is followed to the first stranger. What we wrote ourselves
    (*own_addresses*) is history, even if somebody passes it on: None, as for any other mail.
    """
    found = _first(text, forward=_FORWARD_SUBJECT.match(subject) is not None)
    if found is None:
        return None
    comment, message = found
    own = {domain.lower().lstrip("@") for domain in own_domains}
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
        if not quoted and history_start(lines, place) != place:
            return None
    return None


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
    )
    return "\n".join(lines[:start]).strip("\n"), message


def sender(written: str) -> tuple[str, str]:
    """Read a sender as mail clients print it: ``Marie [mailto:m@x]``, ``Marie <m@x<mailto:m@x>>``, or a name only."""
    text = re.sub(r"<mailto:[^<>]*>", "", unquoted(written).replace("*", ""))
    text = re.sub(r"\[(?:mailto:)?([^\[\]\s]+@[^\[\]\s]+)\]", r"<\1>", text)
    text = re.sub(r"\((?:mailto:)?([^()\s]+@[^()\s]+)\)", r"<\1>", text)
    found = addresses([text])
    if found:
        return found[0]
    return one_line(text, 300).strip("\"' "), ""


def attached(message: Message) -> tuple[Forwarded, Content]:
    """Read a message that came as an attachment; also return its parts."""
    headers = Headers(message)
    content = collect(message)
    pairs = addresses(headers.all("from")[:1])
    display, address = pairs[0] if pairs else (headers.text("from", 300), "")
    subject = headers.text("subject")
    found = Forwarded(
        from_addr=address, from_name=display, date=headers.text("date", 100), subject=subject, text=content.text
    )
    return found, content


def shown(message: Forwarded) -> str:
    """Return an attached message as text, under a header block like the one mail clients write."""
    author = f"{message.from_name} <{message.from_addr}>" if message.from_addr else message.from_name
    fields = (("From", author.strip()), ("Date", message.date), ("Subject", message.subject))
    head = "\n".join(f"{key}: {value}" for key, value in fields if value)
    return f"---------- Forwarded message ----------\n{head}\n\n{message.text}".rstrip()
