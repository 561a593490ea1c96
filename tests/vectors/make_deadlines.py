"""Writes ``deadlines.jsonl``: situations with the dates they must give, never computed by the program itself.

``python tests/vectors/make_deadlines.py``. A situation "by hand" states its due date here, reasoned from a calendar;
the others take theirs from ``tests/clock_reference.py``, the second engine. Where both speak they must agree, or nothing is
written. Look at the difference of the file before committing it: a changed line is a changed reading of the law.
"""

# ruff: noqa: E501 - a table is read by its rows

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tests.clock_reference import public_holidays, same_number, second_opinion  # noqa: E402

ALSACE = {"calendar": "FR-ALSACE-MOSELLE"}
SHORT = {
    "asked": "identity_requested", "got": "identity_received", "bad": "identity_insufficient",
    "scope": "clarification_requested", "scoped": "clarification_received", "ext": "extended", "fwd": "forwarded_to_dpo",
}  # fmt: skip


def events(text: str) -> list[dict[str, str]]:
    """``"asked 2025-09-02, got 2025-09-12"`` as events."""
    pairs = (part.split() for part in text.split(",") if part.strip())
    return [{"type": SHORT[kind], "at": at} for kind, at in pairs]


# received, events, due (None: suspended; "A then B": extended from A to B), why, source, more
BY_HAND: list[tuple[str, str, str | None, str, str, dict[str, Any]]] = [
    # The examples the authorities publish
    ("2024-03-05", "", "2024-04-05", "5 March: up to and including 5 April", "EDPB-T", {}),
    ("2025-08-31", "", "2025-09-30", "31 August: September has no 31st", "EDPB-T", {}),
    ("2026-08-31", "", "2026-09-30", "31 August: September has no 31st", "EDPB-T", {}),
    ("2025-09-03", "", "2025-10-03", "3 September: 3 October", "ICO", {}),
    ("2024-01-01", "", "2024-02-01", "received on a holiday: the start does not move", "ICO25", {}),
    ("2025-01-31", "", "2025-02-28", "31 January: last day of February, a Friday", "ICO25", {}),
    ("2024-01-31", "", "2024-02-29", "31 January of a leap year", "ICO25", {}),
    ("2026-01-31", "", "2026-03-02", "31 January: 28 February is a Saturday, so Monday", "ICO25", {}),
    ("2024-11-25", "", "2024-12-26", "Paris: Christmas, but the 26th is worked", "ICO25; CT", {}),
    ("2024-11-25", "", "2024-12-27", "Alsace-Moselle: 25 and 26 December", "ICO25; CT", ALSACE),
    ("2025-06-30", "", "2025-08-01", "30 June to 1 August: day zero is the day after", "ICO-P3", {"rule": "ico-next-day"}),
    ("2025-06-30", "", "2025-07-30", "30 June to 30 July: day zero is the day of receipt", "R1182 3(2)(c)", {}),
    ("2025-03-03", "asked 2025-03-03, bad 2025-03-10, asked 2025-03-10, got 2025-03-20", "2025-04-22",
     "asked at once, insufficient, asked again, received: one suspension of 17 days; 20 April is Easter", "EDPB-T", {}),
    # Weekends and holidays
    ("2025-03-05", "", "2025-04-07", "ends on a Saturday", "R1182 3(4)", {}),
    ("2025-03-06", "", "2025-04-07", "ends on a Sunday", "R1182 3(4)", {}),
    ("2025-03-21", "", "2025-04-22", "ends on Easter Monday", "R1182 3(4); CT", {}),
    ("2025-03-18", "", "2025-04-18", "Good Friday is worked in Paris", "CT; ETALAB", {}),
    ("2025-03-18", "", "2025-04-22", "Good Friday to Easter Monday: four days in Alsace-Moselle", "CT; ETALAB", ALSACE),
    ("2025-04-01", "", "2025-05-02", "ends on 1 May", "CT", {}),
    ("2025-04-08", "", "2025-05-09", "ends on 8 May; the Friday bridge is no holiday", "CT", {}),
    ("2027-04-08", "", "2027-05-10", "8 May on a Saturday: no substitute day", "CT", {}),
    ("2025-04-29", "", "2025-05-30", "ends on Ascension Day; the Friday bridge is worked", "CT; ETALAB", {}),
    ("2026-04-14", "", "2026-05-15", "ends on Ascension Day; the Friday bridge is worked", "CT; ETALAB", {}),
    ("2025-05-09", "", "2025-06-10", "Whit Monday stays a holiday, worked or not", "CT; ETALAB", {}),
    ("2025-06-14", "", "2025-07-15", "ends on Monday 14 July", "CT", {}),
    ("2026-06-14", "", "2026-07-15", "ends on Tuesday 14 July", "CT", {}),
    ("2025-07-15", "", "2025-08-18", "15 August is a Friday: over the weekend", "CT", {}),
    ("2026-07-15", "", "2026-08-17", "15 August is a Saturday", "CT", {}),
    ("2025-10-01", "", "2025-11-03", "1 November is a Saturday", "CT", {}),
    ("2026-10-01", "", "2026-11-02", "1 November is a Sunday", "CT", {}),
    ("2025-10-11", "", "2025-11-12", "ends on 11 November", "CT", {}),
    ("2025-11-25", "", "2025-12-26", "ends on Christmas Day", "CT", {}),
    ("2025-11-25", "", "2025-12-29", "25 and 26 December, then a weekend", "CT", ALSACE),
    ("2025-12-01", "", "2026-01-02", "ends on New Year's Day", "CT", {}),
    ("2024-02-29", "", "2024-03-29", "received on 29 February", "R1182 3(2)(c)", {}),
    ("2024-02-29", "", "2024-04-02", "29 March 2024 is Good Friday", "CT", ALSACE),
    ("2024-01-30", "", "2024-02-29", "30 January of a leap year", "R1182 3(2)(c)", {}),
    ("2025-01-29", "", "2025-02-28", "29 January: no 29th in February", "R1182 3(2)(c)", {}),
    ("2025-01-30", "", "2025-02-28", "30 January: no 30th in February", "R1182 3(2)(c)", {}),
    ("2025-10-31", "", "2025-12-01", "30 November is a Sunday: clamped, then rolled", "R1182 3(2)(c), 3(4)", {}),
    ("2023-12-31", "", "2024-01-31", "over the turn of the year", "R1182 3(2)(c)", {}),
    ("2025-04-30", "", "2025-06-02", "30 May, the bridge, added by the house: Friday is off, so Monday", "R1182 3(4)",
     {"extra_holidays": ["2025-05-30"]}),
    # The instant counts in Paris
    ("2025-03-05T22:30:00Z", "", "2025-04-07", "23:30 in Paris on the 5th", "EDPB-T", {}),
    ("2025-06-30T22:30:00Z", "", "2025-08-01", "00:30 in Paris on 1 July", "EDPB-T", {}),
    ("2025-06-30T21:59:59Z", "", "2025-07-30", "23:59:59 in Paris on 30 June", "EDPB-T", {}),
    ("2025-07-01T03:00:00+05:00", "", "2025-08-01", "another offset, the same instant as 00:00 in Paris", "EDPB-T", {}),
    ("2025-03-29T22:59:59Z", "", "2025-04-29", "last second before the spring night", "EDPB-T", {}),
    ("2025-03-29T23:00:00Z", "", "2025-04-30", "first second of the short Sunday", "EDPB-T", {}),
    ("2025-03-30T00:59:59Z", "", "2025-04-30", "just before the clocks go forward", "EDPB-T", {}),
    ("2025-03-30T01:00:00Z", "", "2025-04-30", "just after the clocks went forward", "EDPB-T", {}),
    ("2025-03-30T21:59:59Z", "", "2025-04-30", "last second of the short Sunday", "EDPB-T", {}),
    ("2025-03-30T22:00:00Z", "", "2025-04-30", "31 March: April has no 31st", "EDPB-T", {}),
    ("2025-10-25T21:59:59Z", "", "2025-11-25", "last second before the autumn night", "EDPB-T", {}),
    ("2025-10-25T22:00:00Z", "", "2025-11-26", "first second of the long Sunday", "EDPB-T", {}),
    ("2025-10-26T00:30:00Z", "", "2025-11-26", "02:30 for the first time", "EDPB-T", {}),
    ("2025-10-26T01:30:00Z", "", "2025-11-26", "02:30 for the second time", "EDPB-T", {}),
    ("2025-10-26T22:59:59Z", "", "2025-11-26", "last second of the long Sunday", "EDPB-T", {}),
    ("2025-10-26T23:00:00Z", "", "2025-11-27", "first second of the Monday after", "EDPB-T", {}),
    ("2025-03-05T23:30:00Z", "", "2025-04-07", "London still has the 5th, a Saturday a month on", "EDPB-T",
     {"timezone": "Europe/London"}),
    ("2025-07-01T05:00:00Z", "", "2025-07-30", "Tahiti still has 30 June", "EDPB-T", {"timezone": "Pacific/Tahiti"}),
    # Suspension for identity
    ("2025-09-01", "asked 2025-09-02, got 2025-09-12", "2025-10-13", "10 days: 11 October is a Saturday", "DEC 77", {}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-02", "2025-10-01", "asked and answered the same day: none", "DEC 77", {}),
    ("2025-09-01", "asked 2025-09-02", None, "still awaited: no due date", "DEC 77; EDPB-T", {}),
    ("2025-09-01", "asked 2025-10-01, got 2025-10-10", "2025-10-10", "asked on the last day: nine days", "DEC 77", {}),
    ("2025-09-01", "asked 2025-10-02, got 2025-10-10", "2025-10-01", "asked a day too late: suspends nothing", "DEC 77", {}),
    ("2025-09-01", "asked 2025-10-02", "2025-10-01", "asked too late and awaited: not suspended", "DEC 77", {}),
    ("2025-02-15", "asked 2025-03-17, got 2025-03-27", "2025-03-27",
     "asked on the rolled Monday: never before the answer came", "DEC 77", {}),
    ("2025-09-01", "asked 2025-09-02, asked 2025-09-08, got 2025-09-12", "2025-10-13", "asked twice: once", "DEC 77", {}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-05, asked 2025-09-10, got 2025-09-15", "2025-10-09",
     "two suspensions: 3 and 5 days", "DEC 77", {}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-05, bad 2025-09-08, got 2025-09-12", "2025-10-13",
     "insufficient: the first receipt ended nothing", "EDPB-T", {}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-05, bad 2025-09-08", None, "insufficient, nothing since", "EDPB-T", {}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-05, bad 2025-09-08, asked 2025-09-08, got 2025-09-12", "2025-10-13",
     "insufficient and asked again the same day: one suspension", "EDPB-T", {}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-12, bad 2025-10-14", "2025-10-13",
     "found insufficient after the due date: the clock had run out", "DEC 77", {}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-12, got 2025-09-20", "2025-10-13", "a second document", "DEC 77", {}),
    ("2025-09-01T09:00:00+02:00", "asked 2025-09-02T23:30:00+02:00, got 2025-09-13T00:30:00+02:00", "2025-10-13",
     "11 civil days, though little more than ten times 24 hours: 12 October, a Sunday", "DEC 77", {}),
    ("2025-03-20T09:00:00+01:00", "asked 2025-03-28T10:00:00+01:00, got 2025-03-31T09:30:00+02:00", "2025-04-23",
     "three civil days over the spring night", "DEC 77", {}),
    ("2025-10-20T09:00:00+02:00", "asked 2025-10-24T10:00:00+02:00, got 2025-10-27T10:30:00+01:00", "2025-11-24",
     "three civil days over the autumn night: 23 November is a Sunday", "DEC 77", {}),
    # Questions about the scope
    ("2025-09-01", "scope 2025-09-02, scoped 2025-09-12", "2025-10-01", "scope question: no suspension", "DEC 77", {}),
    ("2025-09-01", "scope 2025-09-02", "2025-10-01", "scope question awaited: no suspension", "DEC 77", {}),
    ("2025-09-01", "scope 2025-09-02, scoped 2025-09-12", "2025-10-13", "switched on", "EDPB-T; Recital 63",
     {"pause_on_clarification": True}),
    ("2025-09-01", "scope 2025-09-02", None, "switched on, awaited", "EDPB-T", {"pause_on_clarification": True}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-12, scope 2025-09-08, scoped 2025-09-18", "2025-10-17",
     "overlap counted once: 16 days", "DEC 77; EDPB-T", {"pause_on_clarification": True}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-12, scope 2025-09-04, scoped 2025-09-06", "2025-10-13",
     "one inside the other: 10 days", "DEC 77; EDPB-T", {"pause_on_clarification": True}),
    # Extension
    ("2025-01-15", "ext 2025-02-10", "2025-02-17 then 2025-04-15", "three months from receipt", "GDPR 12(3); ICO-X", {}),
    ("2025-01-15", "ext 2025-02-17", "2025-02-17 then 2025-04-15", "notified on the rolled Monday", "R1182 3(4)", {}),
    ("2025-01-15", "ext 2025-02-18", "2025-02-17", "notified a day too late: void", "GDPR 12(3)", {}),
    ("2025-01-15", "ext 2025-02-10, ext 2025-03-10", "2025-02-17 then 2025-04-15", "a second one changes nothing", "GDPR 12(3)", {}),
    ("2025-01-15", "ext 2025-02-18, ext 2025-02-19", "2025-02-17", "two late ones change nothing", "GDPR 12(3)", {}),
    ("2025-01-31", "ext 2025-02-20", "2025-02-28 then 2025-04-30", "from receipt, not from the clamped 28 February", "ICO-X", {}),
    ("2025-11-30", "ext 2025-12-20", "2025-12-30 then 2026-03-02", "28 February 2026 is a Saturday", "ICO-X; R1182 3(4)", {}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-12, ext 2025-10-10", "2025-10-13 then 2025-12-11",
     "notified within the suspended month; ten days added", "DEC 77; GDPR 12(3)", {}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-12, ext 2025-09-20", "2025-10-13 then 2025-12-11", "extended and suspended", "DEC 77", {}),
    ("2025-09-01", "asked 2025-09-02, ext 2025-09-20", None, "extended while suspended", "DEC 77", {}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-12, ext 2025-10-14", "2025-10-13", "after both dates", "GDPR 12(3)", {}),
    ("2025-01-15T10:00:00+01:00", "ext 2025-02-17T23:59:00+01:00", "2025-02-17 then 2025-04-15", "a minute before the end", "GDPR 12(3)", {}),
    ("2025-01-15T10:00:00+01:00", "ext 2025-02-18T00:00:00+01:00", "2025-02-17", "at the end", "GDPR 12(3)", {}),
    ("2025-01-15", "ext 2025-02-10", "2025-02-17", "erasure of a minor's data: never extended", "LIL 51 II; NOT-MIN",
     {"minor_at_collection": True, "right": "erasure"}),
    ("2025-01-15", "ext 2025-02-10", "2025-02-17 then 2025-04-15", "access to a minor's data: extended", "LIL 51 II",
     {"minor_at_collection": True, "right": "access"}),
    ("2025-01-15", "asked 2025-01-16, got 2025-01-20", "2025-02-19", "a minor's erasure is suspended as any", "DEC 77",
     {"minor_at_collection": True, "right": "erasure"}),
    # Passed on inside the house
    ("2025-09-01", "fwd 2025-09-20", "2025-10-01", "the first receipt counts", "EDPB-C", {}),
    # Other rules, by configuration
    ("2025-09-01", "asked 2025-09-02, got 2025-09-12", "2025-10-13", "12 October is a Sunday", "ICO25",
     {"rule": "restart-on-id"}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-15", "2025-10-15", "from the day identity came", "ICO25",
     {"rule": "restart-on-id"}),
    ("2025-09-01", "asked 2025-09-02", None, "awaited", "ICO25", {"rule": "restart-on-id"}),
    ("2025-09-01", "", "2025-10-01", "nothing asked: as ever", "ICO25", {"rule": "restart-on-id"}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-15, ext 2025-10-15", "2025-10-15 then 2025-12-15", "three months from identity", "ICO25",
     {"rule": "restart-on-id"}),
    ("2025-01-30", "", "2025-02-28", "the day after is the 31st", "MISH", {"rule": "ico-next-day"}),
    ("2025-09-03", "", "2025-10-06", "the day after is the 4th, a Saturday a month on", "MISH", {"rule": "ico-next-day"}),
    ("2025-09-01", "asked 2025-09-02, got 2025-09-12", "2025-10-13", "2 October and ten days", "MISH",
     {"rule": "ico-next-day"}),
]  # fmt: skip


def by_second_engine() -> Iterator[tuple[str, str, str, str, dict[str, Any]]]:
    """Received, events, why, source, more."""
    for year in (2024, 2025, 2027):
        for month in range(1, 13):
            last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
            for number in range(28, last + 1):
                yield f"{year}-{month:02}-{number}", "", "end of the month", "R1182 3(2)(c)", {}
    for year in range(2023, 2029):
        for holiday in sorted(public_holidays(year)):
            start = same_number(holiday, -1)
            yield start.isoformat(), "", "a month before a public holiday", "R1182 3(4); CT", {}
    for year in (2025, 2026, 2027, 2028):
        for holiday in sorted(public_holidays(year, "FR-ALSACE-MOSELLE") - public_holidays(year)):
            yield same_number(holiday, -1).isoformat(), "", "a local holiday", "CT", ALSACE
    for start in ("2026-01-31", "2026-03-31", "2026-11-27", "2026-04-13"):
        zero = date.fromisoformat(start)
        for asked in (0, 2, 29, 33):
            for took in (0, 1, 8, 30):
                first, second = zero + timedelta(days=asked), zero + timedelta(days=asked + took)
                yield start, f"asked {first}, got {second}", "a suspension", "DEC 77", {}
                notice = second + timedelta(days=1)
                yield start, f"asked {first}, got {second}, ext {notice}", "and an extension", "DEC 77; GDPR 12(3)", {}


def vectors() -> Iterator[dict[str, Any]]:
    for number, (received, happened, due, why, source, more) in enumerate(BY_HAND, start=1):
        given = {"received": received, "events": events(happened), **more}
        out = second_opinion(given)
        found = f"{out['due']} then {out['extended_due']}" if out["state"] == "extended" else out["due"]
        if found != due:
            raise SystemExit(f"by hand {due}, by the second engine {found}: {received} {happened} ({why})")
        yield {"id": f"hand-{number:03}", "why": why, "source": source, "in": given, "out": out}
    for number, (received, happened, why, source, more) in enumerate(by_second_engine(), start=1):
        given = {"received": received, "events": events(happened), **more}
        yield {"id": f"second-{number:03}", "why": why, "source": source, "in": given, "out": second_opinion(given)}


if __name__ == "__main__":
    lines = [json.dumps(vector, ensure_ascii=False) for vector in vectors()]
    (HERE / "deadlines.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(len(lines), "vectors written")
