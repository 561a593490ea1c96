"""Dates as mail programs write them into forwards: "dimanche 1 mars 2026 20:11", "So., 1. März 2026 um 20:11 Uhr"."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.channels.mime_headers import instant

LOCAL = ZoneInfo("Europe/Paris")
"""Where a date without zone was written: colleagues' mail programs write local time."""

_MONTHS = (
    ("jan", "janv", "gen", "ene"),
    ("feb", "févr", "fév", "fevr", "fev"),
    ("mar", "mär", "maa", "mrt"),
    ("apr", "avr", "abr"),
    ("may", "mai", "mag", "mei"),
    ("jun", "juin", "giu"),
    ("jul", "juil", "lug"),
    ("aug", "août", "aout", "ago"),
    ("sep", "set"),
    ("oct", "okt", "ott", "out"),
    ("nov",),
    ("dec", "déc", "dez", "dic"),
)
_NAMES = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_TIME = re.compile(
    r"(?<!\d)(\d{1,2})(?:[:h]|(?<=\d)\.(?=\d\d\b))(\d{2})(?:[:.]\d{2})?\s*([ap]\.?\s?m\.?)?", re.IGNORECASE
)
_ZONE = re.compile(r"(?:GMT|UTC)\s*([+-])(\d{1,2}):?(\d{2})?|(?<=\s)([+-])(\d{2}):?(\d{2})\b")
_UTC = re.compile(r"\b(?:GMT|UTC|Z)\b(?!\s*[+-])")
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?!\d)")
_DAY_FIRST = re.compile(
    r"(?<!\d)(\d{1,2})(?:er|st|nd|rd|th|º|ª|\.)?\s*(?:de\s+|of\s+|-)?([^\W\d_]{3,10})\.?,?\s*(?:de\s+|-)?(\d{4})"
)
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")


def written(text: str) -> datetime | None:
    """Read a date as mail programs write it, in our languages; aware, in UTC. None where it makes no sense.

    A date without zone is taken as Paris time, a numeric one as day before month.
    """
    text = re.sub(r"[\u00a0\u202f]", " ", text)[:200]
    if re.match(r"\s*(?:\w{3},\s+)?\d{1,2} \w{3} \d{4} \d{2}:\d{2}(?::\d{2})? [+-]\d{4}", text):
        found = instant(text)
        return found.astimezone(UTC) if found else None
    day = _day(text)
    if day is None:
        return None
    hour, minute = _time(text)
    try:
        when = datetime(*day, hour, minute, tzinfo=UTC if _UTC.search(text) else LOCAL)
        if zone := _ZONE.search(text):
            sign, hours, minutes = (zone[1], zone[2], zone[3]) if zone[1] else (zone[4], zone[5], zone[6])
            when = datetime.fromisoformat(f"{when:%Y-%m-%dT%H:%M}:00{sign}{int(hours):02}:{int(minutes or 0):02}")
        return when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _day(text: str) -> tuple[int, int, int] | None:
    if found := _ISO.search(text):
        return int(found[1]), int(found[2]), int(found[3])
    for found in _DAY_FIRST.finditer(text):
        if month := _month(found[2]):
            return int(found[3]), month, int(found[1])
    for found in _MONTH_FIRST.finditer(text):
        if month := _month(found[1]):
            return int(found[3]), month, int(found[2])
    if found := _NUMERIC.search(text):
        day, month, year = int(found[1]), int(found[2]), int(found[3])
        if month > 12:
            day, month = month, day
        return year + 2000 if year < 100 else year, month, day
    return None


def _month(name: str) -> int:
    name = name.lower()
    return next((_NAMES[name[:length]] for length in (4, 3) if name[:length] in _NAMES), 0)


def _time(text: str) -> tuple[int, int]:
    """Return hour and minute; noon where none is given, which is no day too early or late anywhere near Paris."""
    without_day = _NUMERIC.sub(" ", _ISO.sub(" ", text))
    found = _TIME.search(without_day)
    if not found:
        return 12, 0
    hour = int(found[1])
    if found[3]:
        hour = hour % 12 + (12 if found[3].lower().startswith("p") else 0)
    return hour, int(found[2])
