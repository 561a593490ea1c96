"""``dpobot parse``: raw mails to JSON lines, for debugging and for measuring the reader."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from bot.channels import mime
from bot.channels.base import RawMessage
from bot.channels.mime_trust import first_received


def parse(
    paths: Iterable[str | Path],
    out: TextIO,
    *,
    authserv_ids: Collection[str] = (),
    own_addresses: Collection[str] = (),
    own_domains: Collection[str] = (),
) -> int:
    """Print one JSON object per file, in the order given; ``-`` is standard input. Return the exit status.

    A file has no server that says when it took the mail in: its topmost ``Received:`` line stands for that,
    else the file's own time. A missing or unreadable file gives ``{"id", "error"}``, the rest goes on, and
    the status is 1.
    """
    status = 0
    for path in paths:
        name = str(path)
        try:
            raw = from_file(name)
        except OSError as error:
            shape = {"id": name, "error": error.strerror or type(error).__name__}
            status = 1
        else:
            arrived = mime.arrival(raw, authserv_ids=authserv_ids, own_addresses=own_addresses, own_domains=own_domains)
            shape = mime.to_json(arrived, name)
        out.write(json.dumps(shape, ensure_ascii=False) + "\n")
    return status


def from_file(name: str, now: datetime | None = None) -> RawMessage:
    """Return the mail in the file *name* (``-``: standard input) with the time it was received: that of its topmost
    ``Received:`` line, else of the file; never later than *now*. Raises :class:`OSError`."""
    if name == "-":
        raw = sys.stdin.buffer.read()
        changed = os.fstat(sys.stdin.fileno()).st_mtime
    else:
        raw = Path(name).read_bytes()
        changed = Path(name).stat().st_mtime
    received = first_received(raw) or datetime.fromtimestamp(changed, UTC)
    return RawMessage(source="file", external_id=name, received_at=min(received, now or received), raw=raw)
