"""Placeholders: ``{{ref:A}}``, ``{{outmid:A}}``, ``{{outsubject:A}}``. Any other double braces are hostile and stay."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.header import Header

PLACEHOLDER = re.compile(r"(<?)\{\{\s*(ref|outmid|outsubject)\s*:\s*([^{}\s]+)\s*\}\}(>?)")

Lookup = Callable[[str, str], str | None]
"""(ref, outmid or outsubject; handle) -> what it stands for, None where that is unknown."""


def fill(text: str, look: Lookup) -> str:
    """Replace the placeholders in *text*. A Message-ID comes with its brackets, once; what is unknown stays."""

    def put(match: re.Match[str]) -> str:
        opened, kind, handle, closed = match.groups()
        value = look(kind, handle)
        if value is None:
            return match[0]
        if kind != "outmid":
            return f"{opened}{value}{closed}"
        return f"<{value.strip('<>')}>"

    return PLACEHOLDER.sub(put, text)


def fill_raw(raw: bytes, look: Lookup) -> bytes:
    """Replace the placeholders in the bytes of a mail; in its header, what is not ASCII becomes encoded words."""
    head, separator, body = _split(raw)
    header = fill(head.decode("utf-8", "surrogateescape"), lambda kind, handle: _encoded(look(kind, handle)))
    text = fill(body.decode("utf-8", "surrogateescape"), look)
    return header.encode("utf-8", "surrogateescape") + separator + text.encode("utf-8", "surrogateescape")


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    found = re.search(rb"\r?\n\r?\n", raw)
    if found is None:
        return raw, b"", b""
    return raw[: found.start()], found[0], raw[found.end() :]


def _encoded(value: str | None) -> str | None:
    if value is None or value.isascii():
        return value
    return Header(value, "utf-8", maxlinelen=10_000).encode(linesep="")


def left_in(value: object) -> list[str]:
    """The placeholders (kind:handle) in a value, however deep."""
    if isinstance(value, str):
        return [f"{match[2]}:{match[3]}" for match in PLACEHOLDER.finditer(value)]
    if isinstance(value, dict):
        return [found for part in value.values() for found in left_in(part)]
    if isinstance(value, list | tuple):
        return [found for part in value for found in left_in(part)]
    return []
