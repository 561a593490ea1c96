"""What must be true: each key of an expectation is a function that says what it saw (``bot/rehearsal/keys``).

All keys of one expectation must hold. A key that is not known, a word that has no meaning here, and whatever only a
person can judge is said to be so, and never counts as passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bot.rehearsal.format import Expectation, shown
from bot.rehearsal.keys import cases, machine, mails, notices
from bot.rehearsal.keys.base import FAILED, UNSUPPORTED, Check, Finding, Unknown, View, holds, texts
from bot.rehearsal.mails import MALFORMED
from bot.rehearsal.placeholders import PLACEHOLDER, fill
from bot.rehearsal.steps import Cast


def judge(cast: Cast, expectation: Expectation) -> list[Finding]:
    """Look at every key of an expectation, now."""
    handles = expectation.checks.get("case")
    if isinstance(handles, list):
        each = [replace(expectation, checks={**expectation.checks, "case": handle}) for handle in handles]
        return [finding for one in each for finding in judge(cast, one)]
    checks = _filled(expectation.checks, cast)
    since = cast.outcomes[expectation.since_step].mark
    view = View(cast, expectation, since, cast.outcomes[expectation.after_step], checks)
    findings: list[Finding] = []
    left = [match[0] for value in _strings(checks) for match in PLACEHOLDER.finditer(value)]
    if left:
        return [Finding(FAILED, "placeholder", left[0], "nothing it could stand for yet")]
    for key, value in checks.items():
        if key in PARTS_OF_OTHERS:
            continue
        if key not in KEYS:
            findings.append(Finding(UNSUPPORTED, key, shown(value), "this key is not known"))
            continue
        shape, check = KEYS[key]
        findings += _readable(check, view, key, value) if shape(value) else [_odd(key, value)]
    parts = {key: checks[key] for key in checks if key in mails.PARTS}
    odd = [_odd(key, value) for key, value in parts.items() if not mails.PARTS[key](value)]
    findings += odd
    if parts and not odd:
        findings += _readable(lambda view, _key, _value: mails.mail(view), view, "+".join(parts), parts)
    if "telegram_to" in checks and not any(key.startswith("telegram_") and key != "telegram_to" for key in checks):
        given = checks["telegram_to"]
        findings += (
            _readable(notices.telegram_to, view, "telegram_to", given) if texts(given) else [_odd("telegram_to", given)]
        )
    if not findings and "case" in checks:
        there = view.case is not None or view.item is not None
        findings.append(holds(there, "case", str(checks["case"]), "there" if there else "neither case nor item"))
    return findings or [Finding(UNSUPPORTED, "nothing", "", "no key says what is expected")]


def _odd(key: str, value: Any) -> Finding:
    return Finding(UNSUPPORTED, key, shown(value), "this value cannot be read")


def _readable(check: Check, view: View, key: str, value: Any) -> list[Finding]:
    """What a key came to; a value that cannot be read is said to be so, and the other expectations are judged."""
    try:
        return check(view, key, value)
    except Unknown as unknown:
        return [Finding(UNSUPPORTED, key, shown(value), str(unknown))]
    except MALFORMED as error:
        return [Finding(UNSUPPORTED, key, shown(value), f"this value cannot be read ({type(error).__name__}: {error})")]


def _filled(value: Any, cast: Cast) -> Any:
    if isinstance(value, str):
        return fill(value, cast.look)
    if isinstance(value, Mapping):
        return {key: _filled(part, cast) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, cast) for part in value]
    return value


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


KEYS = {**cases.KEYS, **mails.KEYS, **notices.KEYS, **machine.KEYS}
PARTS_OF_OTHERS = frozenset({"case", "telegram_to", *mails.PARTS})
