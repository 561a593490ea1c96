"""A second deadline engine, written from the text of the law alone, as plainly as possible: the tests' other opinion.

It shares no line with the program: holidays come from Easter by Butcher's formula and the list of Code du travail
L3133-1, suspended days are a set of days, months are found by stepping back from too late a day. Slow, on purpose.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def easter(year: int) -> date:
    a, b, c = year % 19, year // 100, year % 100
    d, e, f = b // 4, b % 4, (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def public_holidays(year: int, calendar: str = "FR") -> set[date]:
    """Code du travail L3133-1; L3134-13 for Alsace-Moselle. The list of eleven is whole since 1982."""
    fixed = {(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)}
    days = {date(year, month, day) for month, day in fixed}
    days |= {easter(year) + timedelta(days=n) for n in (1, 39, 50)}
    if calendar == "FR-ALSACE-MOSELLE":
        days |= {easter(year) - timedelta(days=2), date(year, 12, 26)}
    return days


def rolled(day: date, calendar: str, extra: set[date]) -> date:
    while day.isoweekday() in (6, 7) or day in public_holidays(day.year, calendar) or day in extra:
        day += DAY
    return day


def same_number(start: date, months: int) -> date:
    """The day of the same number, or the nearest one before it that exists in that month."""
    index = start.year * 12 + start.month - 1 + months
    for number in range(start.day, 0, -1):
        try:
            return date(index // 12, index % 12 + 1, number)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


def civil(at: str, zone: str) -> date:
    if len(at) == 10:
        return date.fromisoformat(at)
    return datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).date()


ORDER = {"requested": 0, "received": 1, "insufficient": 2}


def waits(steps: list[tuple[date, str]]) -> list[tuple[date, date | None]]:
    """From each first question to the first answer that nobody found insufficient."""
    steps = sorted(steps, key=lambda s: (s[0], ORDER[s[1]]))
    judged = [s for s in steps if s[1] != "requested"]
    enough = [
        s for s, following in zip_longest(judged, judged[1:])
        if s[1] == "received" and (following is None or following[1] != "insufficient")
    ]  # fmt: skip
    found: list[tuple[date, date | None]] = []
    for day, kind in steps:
        if kind != "requested" or any(start <= day and (end is None or day < end) for start, end in found):
            continue
        found.append((day, min((d for d, _ in enough if d >= day), default=None)))
    return found


def second_opinion(given: dict) -> dict:
    """The dates for one input of the command-line contract, without warnings and trace."""
    zone, calendar = given.get("timezone", "Europe/Paris"), given.get("calendar", "FR")
    extra = {date.fromisoformat(day) for day in given.get("extra_holidays", [])}
    rule = given.get("rule", "edpb")
    received = civil(given["received"], zone)
    events = [(civil(e["at"], zone), e["type"]) for e in given.get("events", [])]
    # A verdict that comes after the date then due is too late to stop a clock that has run out.
    for verdict in sorted(e for e in events if e[1] == "identity_insufficient"):
        before = [
            e for e in given.get("events", [])
            if e["type"].startswith("identity_") and (civil(e["at"], zone), ORDER[e["type"].removeprefix("identity_")])
            < (verdict[0], ORDER["insufficient"])
        ]  # fmt: skip
        then_due = second_opinion({**given, "events": before})["due"]
        if then_due is not None and verdict[0] > date.fromisoformat(then_due):
            events.remove(verdict)
    zero = received + DAY if rule == "ico-next-day" else received
    first_month_ends = rolled(same_number(zero, 1), calendar, extra)

    identity = waits([(d, k.removeprefix("identity_")) for d, k in events if k.startswith("identity_")])
    scope = waits([(d, k.removeprefix("clarification_")) for d, k in events if k.startswith("clarification_")])
    if not given.get("pause_on_clarification"):
        scope = []
    identity = [w for w in identity if w[0] <= first_month_ends]
    scope = [w for w in scope if w[0] <= first_month_ends]
    standing = any(end is None for _, end in identity + scope)
    over = [(start, end) for start, end in identity + scope if end is not None]
    suspended = {start + DAY * n for start, end in over for n in range(1, (end - start).days + 1)}
    last_answer = max((end for _, end in over), default=received)

    start, added = zero, suspended
    if rule == "restart-on-id" and any(end for _, end in identity):
        start = max(end for _, end in identity if end)
        added = {
            s + DAY * n for s, e in scope if e for n in range(1, (e - s).days + 1) if s + DAY * n > start
        }  # fmt: skip

    def ends(months: int, begin: date, days: set[date], floor: date) -> date:
        return rolled(max(same_number(begin, months) + DAY * len(days), floor), calendar, extra)

    due, extended_due = ends(1, start, added, last_answer), ends(3, start, added, last_answer)
    notices = sorted(d for d, k in events if k == "extended")
    minor = bool(given.get("minor_at_collection")) and given.get("right", "erasure") == "erasure"
    effective = None
    if notices:
        effective = not minor and (standing or notices[0] <= due)
    end = None
    if not standing:
        midnight = datetime.combine(due + DAY, datetime.min.time(), ZoneInfo(zone))
        end = midnight.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {
        "due": None if standing else due.isoformat(),
        "extended_due": extended_due.isoformat(),
        "due_if_not_paused": ends(1, zero, set(), received).isoformat(),
        "due_end_utc": end,
        "extension_effective": effective,
        "suspended_days": len(suspended),
        "state": "paused" if standing else "extended" if effective else "running",
    }
