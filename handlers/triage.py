"""What to do with a message: open a case, add it to one, let a person sort it, or file it as no request.

A missed request costs far more than a needless question: whatever is not clearly something else goes to the DPO,
with its day of
arrival, since a message that may be a request starts the clock of art. 12(3) when it arrives, not when it is
understood.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from handlers.gates import Verdict
from handlers.matching import Match
from nlp.types import LABELS, Reading

Action = Literal["open", "add", "to_sort", "authority", "quarantine", "bounce", "ignore"]

CONTINUES = frozenset({"identity_reply", "status_inquiry", "reminder"})
"""Primaries that speak of an earlier message."""


@dataclass(frozen=True)
class Plan:
    """The decision on one message."""

    action: Action
    reason: str
    reference: str | None = None
    """The case it is added to, or in whose thread a new request came."""
    rights: tuple[str, ...] = ()
    """The rights of the case to open, the primary first."""
    urgent: bool = False


def decide(
    verdict: Verdict,
    reading: Reading,
    match: Match,
    *,
    case_rights: Collection[str] = (),
    case_live: bool = True,
    twin: str | None = None,
    proves: bool = False,
    judged: bool = False,
) -> Plan:
    """Decide on one message.

    *case_rights*: the rights of the matched case; *case_live*: whether it still awaits an answer. *twin*: an open case of
    the same sender that already carries all the rights this message names (a repeat). *proves*: it brings the facts of a
    stay that were asked for in that case. *judged*: a person entered it and said what it asks for.
    """
    if verdict.way == "ignore":
        return Plan("ignore", verdict.reasons[0])
    if verdict.way == "bounce":
        # A report about a letter we cannot name may be about an answer that never arrived: a person looks.
        return (
            Plan("bounce", "delivery-report", match.reference)
            if match.reference
            else Plan("to_sort", "delivery-report")
        )
    if verdict.way == "authority":
        return Plan("authority", "authority", urgent=True)
    if verdict.way == "to_sort":
        return Plan("to_sort", verdict.reasons[0])
    if match.stranger and not judged:
        return Plan("quarantine", "stranger-in-thread", urgent=True)
    rights = tuple(label for label in _ordered(reading) if label in LABELS)
    if match.reference is not None and not match.stranger:
        said = {cue.label for cue in reading.cues if cue.source != "model"}
        if proves and case_live and not said & set(rights):
            # An answer to our question, unless it names a right in so many words: a person sees it with the case.
            return Plan("add", "proof-in-thread", match.reference)
        return _in_thread(reading, rights, match, case_rights=case_rights, case_live=case_live)
    return _without_case(reading, rights, twin)


def _in_thread(
    reading: Reading, rights: tuple[str, ...], match: Match, *, case_rights: Collection[str], case_live: bool
) -> Plan:
    """A message of the requester in his own thread: a new demand has a month of its own, from the day it came."""
    new = rights if not case_live else tuple(right for right in rights if right not in case_rights)
    if reading.primary in LABELS and new:
        if reading.decision == "accept":
            return Plan("open", "new-request-in-thread", match.reference, new, urgent="breach_report" in new)
        if not case_live:
            return Plan("to_sort", "unsure", rights=new)
    return Plan("add", f"matched-by-{match.by}", match.reference, urgent=reading.primary == "reminder")


def _without_case(reading: Reading, rights: tuple[str, ...], twin: str | None) -> Plan:
    if reading.decision != "accept":
        return Plan("to_sort", "unsure", rights=rights, urgent="breach_report" in rights)
    if rights and twin is not None:
        return Plan("add", "repeat", twin, urgent=reading.primary == "reminder")
    if rights:
        return Plan("open", "request", rights=rights, urgent="breach_report" in rights)
    if reading.primary in CONTINUES:
        return Plan("to_sort", "no-case-found", urgent=reading.primary == "reminder")
    return Plan("ignore", reading.primary)


def _ordered(reading: Reading) -> tuple[str, ...]:
    first = (reading.primary,) if reading.primary in LABELS else ()
    return first + tuple(label for label in reading.labels if label not in first)
