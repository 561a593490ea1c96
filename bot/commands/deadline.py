"""``dpobot deadline``: due dates as a filter (JSON lines) and for people, from the same engine as the worker's.

Needs neither settings nor database; see :mod:`handlers.clock` for the rules.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, TextIO

from handlers.clock import ClockError, ClockEvent, deadline
from handlers.clock_words import in_words
from handlers.types import Deadline

_FLAGS = ("minor_at_collection", "pause_on_clarification")
_TEXTS = ("timezone", "rule", "calendar", "right", "language")


def deadline_jsonl(lines: Iterable[str], out: TextIO) -> int:
    """Answer each JSON line of *lines* with one JSON line on *out*, in the same order; return the exit status.

    A line that is no JSON object, or whose events cannot have happened, gives ``{"id": …, "error": "…"}`` and the rest
    goes on; the status is then 1, else 0. Empty lines are skipped. Beside the documented keys a line may carry
    ``pause_on_clarification``, ``late_identity_after``, ``extra_holidays``, ``as_of`` and ``language``.
    """
    status = 0
    for line in lines:
        if not line.strip():
            continue
        given: Any = None
        try:
            given = json.loads(line)
            answer = _answer(given)
        except json.JSONDecodeError as error:
            answer = {"id": None, "error": f"not JSON: {error.msg} at character {error.pos + 1}"}
            status = 1
        except (ValueError, RecursionError) as error:
            answer = {"id": given.get("id") if isinstance(given, dict) else None, "error": str(error)}
            status = 1
        out.write(_dumped(answer) + "\n")
    return status


def _dumped(answer: dict[str, Any]) -> str:
    text = json.dumps(answer, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        # An id may hold half a character pair, which UTF-8 cannot write but JSON can escape.
        return json.dumps(answer)
    return text


def as_json(result: Deadline) -> dict[str, Any]:
    """Return *result* in the shape of the command-line contract: ISO dates, the instant with ``Z``."""
    end = result.due_end_utc
    return {
        "due": result.due.isoformat() if result.due else None,
        "extended_due": result.extended_due.isoformat(),
        "due_if_not_paused": result.due_if_not_paused.isoformat(),
        "due_end_utc": end.isoformat().replace("+00:00", "Z") if end else None,
        "extension_effective": result.extension_effective,
        "suspended_days": result.suspended_days,
        "state": result.state,
        "warnings": list(result.warnings),
        "trace": [
            {"rule": line.rule, "source": line.source, "from": line.from_, "to": line.to, "text": line.text}
            for line in result.trace
        ],
    }


def deadline_person(
    received: str,
    identity_asked: Sequence[str] = (),
    identity_received: Sequence[str] = (),
    extended: Sequence[str] = (),
    *,
    identity_insufficient: Sequence[str] = (),
    timezone: str = "Europe/Paris",
    rule: str = "edpb",
    calendar: str = "FR",
    right: str | None = None,
    minor_at_collection: bool = False,
    language: str = "en",
    out: TextIO,
    err: TextIO | None = None,
) -> int:
    """Write the due date and the way to it for a person; dates and instants are ISO texts. Return the exit status.

    0 when there is an answer; 2 with a sentence on *err* (standard error) when what was given cannot be.
    """
    try:
        happened = {
            "identity_requested": identity_asked,
            "identity_received": identity_received,
            "identity_insufficient": identity_insufficient,
            "extended": extended,
        }
        events = [ClockEvent(kind, _moment(at, kind)) for kind, moments in happened.items() for at in moments]
        result = deadline(
            _moment(received, "received"),
            events,
            timezone=timezone,
            rule=rule,
            calendar=calendar,
            right=right,
            minor_at_collection=minor_at_collection,
            language=language,
        )
    except ValueError as error:
        print(str(error), file=err or sys.stderr)
        return 2
    for line in _for_people(result, language):
        out.write(line + "\n")
    return 0


def _for_people(result: Deadline, language: str) -> Iterable[str]:
    french = language == "fr"
    last, unpaused = result.in_force, result.in_force_if_not_paused
    if last is None:
        yield "Échéance : aucune, le délai est suspendu" if french else "Due: no date, the clock is suspended"
    else:
        state = {"running": "", "extended": " (prolongée)" if french else " (extended)"}.get(result.state, "")
        yield f"{'Échéance : ' if french else 'Due: '}{in_words(last, language)}{state}"
    if result.due is not None and result.due != last:
        yield f"{'Sans la prolongation : ' if french else 'Without the extension: '}{in_words(result.due, language)}"
    if last != unpaused:
        yield f"{'Sans la suspension : ' if french else 'Without the suspension: '}{in_words(unpaused, language)}"
    if result.extension_effective is None:
        label = "Dernier jour en cas de prolongation : " if french else "Last day if extended: "
        yield f"{label}{in_words(result.extended_due, language)}"
    yield ""
    for number, line in enumerate(result.trace, start=1):
        yield f"{number:2}. {line.text} [{line.source}]"
    if result.warnings:
        yield ""
    for text in result.warnings:
        yield f"! {text}"


def _answer(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ClockError("a line must be a JSON object")
    if "received" not in given:
        raise ClockError("the key 'received' is missing")
    listed = given.get("events") or []
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise ClockError("'events' must be a list of objects with 'type' and 'at'")
    events = [ClockEvent(str(item.get("type")), _moment(item.get("at"), str(item.get("type")))) for item in listed]
    options: dict[str, Any] = {}
    for name in _TEXTS:
        if given.get(name) is not None:
            options[name] = _typed(given[name], str, name, "a text")
    for name in _FLAGS:
        if given.get(name) is not None:
            options[name] = _typed(given[name], bool, name, "true or false")
    if given.get("late_identity_after") is not None:
        days = _typed(given["late_identity_after"], int, "late_identity_after", "a number of working days")
        if isinstance(days, bool) or not 0 <= days <= 366:
            raise ClockError("'late_identity_after' must be a number of working days from 0 to 366")
        options["late_identity_after"] = days
    if given.get("extra_holidays") is not None:
        extra = _typed(given["extra_holidays"], list, "extra_holidays", "a list of dates")
        options["extra_holidays"] = [_date(item, "extra_holidays") for item in extra]
    if given.get("as_of") is not None:
        options["as_of"] = _date(given["as_of"], "as_of")
    return {"id": given.get("id"), **as_json(deadline(_moment(given["received"], "received"), events, **options))}


def _typed(value: Any, kind: type, name: str, what: str) -> Any:
    if not isinstance(value, kind):
        raise ClockError(f"{name!r} must be {what}")
    return value


def _date(value: Any, name: str) -> date:
    moment = _moment(value, name)
    if isinstance(moment, datetime):
        raise ClockError(f"{name!r} must be a date such as 2025-03-05")
    return moment


def _moment(value: Any, name: str) -> datetime | date:
    if isinstance(value, str):
        try:
            # A date says "that day, by the civil calendar"; only an instant needs an offset.
            return date.fromisoformat(value) if len(value) <= 10 else datetime.fromisoformat(value)
        except ValueError:
            pass
    raise ClockError(f"{name!r} must be a date such as 2025-03-05 or an instant such as 2025-03-05T10:00:00+01:00")
