"""Keys about cases: how many, of which right, in which state, due when, and what their history says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bot import casework
from bot.rehearsal.format import shown
from bot.rehearsal.keys.base import (
    FAILED,
    PASSED,
    PERSON,
    Finding,
    Keys,
    Unknown,
    View,
    contains,
    counts,
    days,
    holds,
    listed,
    texts,
)
from handlers.lifecycle import STATES
from nlp.types import LABELS


def _cases_open(view: View, key: str, value: Any) -> list[Finding]:
    cases = view.cast.observer.cases()
    if key == "cases_open":
        cases = [case for case in cases if case.state not in ("closed", "not_request", "withdrawn")]
    # What a person has yet to sort is no case of a right.
    cases = [case for case in cases if case.state != "to_sort"]
    wanted = [int(one) for one in listed(value)]
    seen = f"{len(cases)}: " + ", ".join(f"{case.reference} {'+'.join(case.rights)} {case.state}" for case in cases)
    return [holds(len(cases) in wanted, key, value, seen)]


def _optional(view: View) -> bool:
    handle = view.cast.scenario.cases.get(view.handle)
    return handle is not None and handle.optional


def _class(view: View, key: str, value: Any) -> list[Finding]:
    wanted = {CLASSES.get(str(one), str(one)) for one in listed(value)}
    strange = sorted(wanted - {*LABELS, "unclear"})
    if strange:
        raise Unknown(f'there is no right "{strange[0]}"')
    case, item = view.case, view.item
    if case is None:
        labels = view.cast.observer.labels(item) if item is not None else set()
        if key == "case_class_not":
            return [holds(True, key, value, "no case")]
        if not _optional(view):
            return [holds(False, key, value, f"no case; the item is taken for {sorted(labels)}" if item else "nothing")]
        return [holds(bool(wanted & labels) or not labels, key, value, f"an item to sort, taken for {sorted(labels)}")]
    rights = set(case.rights)
    good = {
        "case_class": bool(wanted & rights),
        "case_class_all": wanted <= rights,
        "case_class_not": not wanted & rights,
    }[key]
    return [holds(good, key, value, f"{case.reference}: {'+'.join(case.rights)}")]


CLASSES = {"withdrawal": "consent_withdrawal", "post-mortem": "post_mortem", "deletion": "erasure"}
STATUS_WORDS = {
    *STATES, "closed", "answered", "refused", "partially_refused", "approved", "awaiting_identity", "duplicate",
    "delivery_uncertain", "delivery_failed", "bounced", "not_a_request", "to_sort",
}  # fmt: skip


def _status(view: View, key: str, value: Any) -> list[Finding]:
    wanted = {str(one) for one in listed(value)}
    strange = sorted(wanted - STATUS_WORDS)
    if strange and not wanted & STATUS_WORDS:
        raise Unknown(f'the status "{strange[0]}" is unknown')
    case = view.case
    if case is None:
        item = view.item
        seen = {"to_sort", item.disposition} if item is not None else set[str]()
        if item is not None and item.sorted_at is not None:
            seen |= {"closed", "not_a_request"}
        if key == "status_in" and not (_optional(view) or wanted & {"to_sort", "not_a_request", "duplicate"}):
            return [holds(False, key, value, f"no case ({', '.join(sorted(seen)) or 'nothing'})")]
    else:
        seen = view.cast.observer.statuses(case, view.item)
    good = bool(seen & wanted) if key == "status_in" else not seen & wanted
    if case is None and _optional(view) and not good:
        good = key == "status_in"
    return [holds(good, key, value, ", ".join(sorted(seen)))]


IDENTITY_WORDS = {
    "requested", "received", "verified", "rejected", "not_required", "verified_by_other_means", "pending_dpo_decision",
    "waived",
}  # fmt: skip


def _identity(view: View, key: str, value: Any) -> list[Finding]:
    wanted = {str(one) for one in listed(value)}
    strange = sorted(wanted - IDENTITY_WORDS)
    if strange:
        raise Unknown(f'the state of identity "{strange[0]}" is unknown')
    case = view.case
    if case is None:
        good = key == "identity_status_not" or _optional(view)
        return [holds(good, key, value, "no case")]
    seen = view.cast.observer.identity(case)
    good = bool(seen & wanted) if key == "identity_status" else not seen & wanted
    return [holds(good, key, value, ", ".join(sorted(seen)))]


def _due(view: View, key: str, value: Any) -> list[Finding]:
    wanted = {None if one in (None, "paused", "suspended", "none") else str(one)[:10] for one in listed(value)}
    case, item = view.case, view.item
    if case is None:
        if item is None:
            return [holds(False, key, value, "nothing was opened")]
        would = casework.would_be_due(view.cast.world.app, item.received_at)
        return [holds(str(would) in wanted, key, value, f"{would} (an item to sort, if it is a request)")]
    due, unpaused = view.cast.observer.due(case)
    if due is None:
        return [holds(None in wanted or str(unpaused) in wanted, key, value, f"suspended; {unpaused} if it were not")]
    return [holds(str(due) in wanted, key, value, due)]


def _record(view: View, key: str, value: Any) -> list[Finding]:
    case = view.case
    if case is None:
        only = view.cast.observer.cases()
        if view.handle or len(only) != 1:
            return [holds(False, key, value, "no case")]
        case = only[0]
    told = view.cast.observer.history(case)
    kinds = {event.type for event in view.cast.observer.events(case)}
    found = []
    for wanted in listed(value):
        if contains(told, wanted) or contains(told.replace("_", " "), wanted):
            found.append(Finding(PASSED, key, shown(wanted), "in the history"))
            continue
        meant = [types for pattern, types in CONCEPTS if re.search(pattern, str(wanted).lower())]
        if meant:
            good = any(kinds & types for types in meant)
            found.append(holds(good, key, wanted, ", ".join(sorted(kinds))))
        elif len(str(wanted).split()) > 2:
            found.append(Finding(PERSON, key, shown(wanted), f"read the history of {case.reference}"))
        else:
            found.append(Finding(FAILED, key, shown(wanted), ", ".join(sorted(kinds))))
    return found


CONCEPTS: Sequence[tuple[str, frozenset[str]]] = tuple(
    (pattern, frozenset(types.split()))
    for pattern, types in (
        (r"bounce|non.?remis|undeliver", "letter_bounced letter_delayed"),
        (r"uncertain|incertain|may have left", "letter_uncertain"),
        (r"reject.*identit|identit.*(?:reject|insuff|refus)", "identity_insufficient"),
        (r"(?:waive|dispens)", "identity_waived"),
        (r"identit.*(?:verif|accept|vérif|check)|verif.*identit", "identity_verified"),
        (r"identit.*(?:receiv|reçu|arriv)|proof.*(?:receiv|arriv)", "identity_received"),
        (r"identit.*(?:request|demand|ask)|ask.*identit", "identity_requested"),
        (r"\bhold|\bheld|on hold|attente", "held"),
        (r"releas|lev[ée]e de l'attente", "released"),
        (r"exten|prolong", "extended"),
        (r"approv|approuv", "draft_approved"),
        (r"reject.*draft|draft.*reject|projet refus", "draft_rejected"),
        (r"edit|modif", "draft_edited"),
        (r"void|stale|annul", "draft_voided"),
        (r"reclass|right.*chang|droit.*chang", "rights_changed"),
        (r"charge", "taken_charge"),
        (r"clos(?:ed|ing)|clôt", "closed"),
        (r"reopen|rouv", "reopened"),
        (r"requester|demandeur.*chang", "requester_set"),
        (r"not a request|pas une demande", "not_a_request"),
        (r"post(?:ed|é)|courrier", "posted"),
        (r"override|outrepass|passé outre", "override identity_waived"),
        (r"sent|envoy|left|parti", "letter_sent posted"),
        (r"received|reçu|opened|arriv", "case_opened message_added"),
    )
)
"""What a story's words mean among the events of the journal; the first that fits."""


KEYS: Keys = {
    "cases_open": (counts, _cases_open), "cases_total": (counts, _cases_open),
    "case_class": (texts, _class), "case_class_all": (texts, _class), "case_class_not": (texts, _class),
    "status_in": (texts, _status), "status_not_in": (texts, _status),
    "identity_status": (texts, _identity), "identity_status_not": (texts, _identity),
    "due": (days, _due), "record_must_show": (texts, _record),
}  # fmt: skip
