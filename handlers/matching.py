"""Which case a message belongs to: by our signed Message-ID, then by our reference, always with the sender checked.

A thread is a claim, not a proof: whoever knows a Message-ID or a reference could write into somebody else's case. So
a match counts
only when the sender is the case's own requester; anybody else goes to quarantine, with no effect on the case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Candidate:
    """A case that the message points to, and by what."""

    reference: str
    by: Literal["token", "reference", "sender"]
    """``token``: our own signed Message-ID; ``reference``: our number in subject or text; ``sender``: same address."""
    same_sender: bool
    open: bool


@dataclass(frozen=True)
class Match:
    """The case a message belongs to, or the reason why it belongs to none."""

    reference: str | None
    by: str = ""
    stranger: bool = False
    """It points to a case of somebody else."""


def references_in(*texts: str, prefix: str) -> tuple[str, ...]:
    """Return our case references (``DSR-2026-0001``) named in *texts*, upper case, each once, in order."""
    pattern = re.compile(rf"(?<![A-Z0-9]){re.escape(prefix)}-(\d{{4}})-(\d{{4,6}})(?!\d)", re.IGNORECASE)
    found: dict[str, None] = {}
    for text in texts:
        for year, number in pattern.findall(text):
            found[f"{prefix}-{year}-{number}"] = None
    return tuple(found)


def match(candidates: Sequence[Candidate], *, continues: bool) -> Match:
    """Choose among *candidates*. *continues*: the message reads as part of a conversation (a reply, a proof, a
    question).

    Order: signed token, reference, then an open case of the same sender (only for a message that continues one, since a
    person may well make a second, different request).
    """
    pointing = [c for c in candidates if c.by in ("token", "reference")]
    for by in ("token", "reference"):
        own = [c for c in pointing if c.by == by and c.same_sender]
        if own:
            chosen = next((c for c in own if c.open), own[-1])
            return Match(chosen.reference, by)
    if pointing:
        return Match(pointing[0].reference, pointing[0].by, stranger=True)
    if continues:
        mine = [c for c in candidates if c.by == "sender" and c.same_sender and c.open]
        if len(mine) == 1:
            return Match(mine[0].reference, "sender")
    return Match(None)
