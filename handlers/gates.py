"""The gates every message passes before any right is looked at: one ordered table.

Two questions are kept apart, always: *may this be answered automatically?* (RFC 3834: never answer a robot) and *may
this be a
request?* A real request that carries the headers of a robot is still a request: it opens a case and gets no
automatic answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from handlers.types import Arrival
from nlp.types import LABELS, Reading

SUSPICIOUS = ("lookalike-own-domain", "mixed-script-domain")
"""What makes a sender one that a person looks at before anything leaves."""

BY_WORDS = frozenset({"sounds-automatic", "out-of-office-text", "automatic-text", "acknowledgement-text"})
"""Signs of a robot that a person gives, too: what stands in the text, and nothing in the header."""

Way = Literal["judge", "ignore", "to_sort", "authority", "bounce"]


@dataclass(frozen=True)
class GateFacts:
    """What the gates look at: the message, its reading, and what the store knows of its sender."""

    arrival: Arrival
    reading: Reading
    own_addresses: frozenset[str]
    """Addresses the program or the organisation's mailbox sends from, lower case."""
    recent_from_sender: int = 0
    """Messages of the same sender within the last hour."""
    sender_budget: int = 20
    too_large: bool = False
    judged: bool = False
    """A person entered it and said what it asks for: no gate knows better."""
    is_ours: bool = False
    """Its Message-ID carries our signature: a mail of this program that came back."""


@dataclass(frozen=True)
class Verdict:
    """What the gates say: which way the message goes, whether it may be answered by the machine, and why."""

    way: Way
    may_answer: bool
    reasons: tuple[str, ...] = ()


def _asks_for_something(facts: GateFacts) -> bool:
    """Whether the text itself may be a request, whatever the headers say: when in doubt, yes."""
    reading = facts.reading
    return (
        bool(reading.labels)
        or reading.primary in LABELS
        or max((reading.scores.get(label, 0.0) for label in LABELS), default=0.0) >= 0.5
    )


def _dismissed(reading: Reading) -> bool:
    """Whether the classifier is sure that nothing is asked for."""
    return reading.decision == "accept" and reading.primary in {"auto_reply", "bounce", "not_request", "spam"}


def _own_mail(facts: GateFacts) -> Way | None:
    # The address alone proves nothing: a colleague forwards a request from the very same mailbox.
    return "ignore" if facts.is_ours and facts.arrival.from_addr.lower() in facts.own_addresses else None


def _delivery_report(facts: GateFacts) -> Way | None:
    return "bounce" if facts.arrival.is_bounce and facts.arrival.bounce is not None else None


def _authority(facts: GateFacts) -> Way | None:
    return "authority" if facts.reading.primary == "authority" else None


def _robot(facts: GateFacts) -> Way | None:
    if not (
        facts.arrival.is_auto_reply or facts.arrival.is_bounce or facts.reading.primary in {"auto_reply", "bounce"}
    ):
        return None
    if facts.arrival.is_bounce:
        return "to_sort"
    if BY_WORDS.issuperset(facts.arrival.suppress_reasons) and not _dismissed(facts.reading):
        # No header says so, words alone do: nothing is answered by itself, and a person decides.
        return None if _asks_for_something(facts) else "to_sort"
    # What comes with a file in a thread may be the proof somebody was asked for, whatever its headers say.
    with_file = bool(facts.arrival.attachments) and bool(facts.arrival.in_reply_to or facts.arrival.references)
    return None if _asks_for_something(facts) or with_file else "ignore"


def _list_mail(facts: GateFacts) -> Way | None:
    if "bulk-text" in facts.arrival.suppress_reasons:
        # Whatever it seems to ask, it asks everybody: a person looks, unless it is surely nothing.
        return "ignore" if _dismissed(facts.reading) else "to_sort"
    if facts.arrival.is_list and not _asks_for_something(facts):
        return "ignore" if facts.reading.primary in {"not_request", "spam"} else "to_sort"
    return None


def _unreadable(facts: GateFacts) -> Way | None:
    if facts.too_large:
        return "to_sort"
    if facts.arrival.channel == "email" and not facts.arrival.from_addr:
        return "to_sort"
    if {"pgp-encrypted", "smime-encrypted", "malware"}.intersection(facts.arrival.problems):
        # Only a person with the key can read it; only a person should look at what a scanner found.
        return "to_sort"
    empty = not facts.arrival.new_text.strip() and not facts.arrival.subject.strip()
    return "to_sort" if empty else None


TABLE: Mapping[str, Callable[[GateFacts], Way | None]] = {
    "own-mail": _own_mail,
    "delivery-report": _delivery_report,
    "authority": _authority,
    "robot": _robot,
    "list": _list_mail,
    "unreadable": _unreadable,
}
"""Asked in this order; the first gate that names a way decides it."""


def judge(facts: GateFacts) -> Verdict:
    """Send a message through the gates; ``way="judge"`` means that triage decides on what it asks for."""
    reasons = list(facts.arrival.suppress_reasons)
    if facts.recent_from_sender >= facts.sender_budget:
        reasons.append("sender-budget")
    reasons += [odd for odd in SUSPICIOUS if odd in facts.arrival.problems]
    may_answer = not facts.arrival.suppress and not {"sender-budget", *SUSPICIOUS}.intersection(reasons)
    for name, gate in () if facts.judged else TABLE.items():
        way = gate(facts)
        if way is not None:
            return Verdict(way, False, (name, *reasons))
    return Verdict("judge", may_answer, tuple(reasons))
