"""Public holidays that move the end of a period (Reg. 1182/71 art. 2(1) and 3(4); Code du travail L3133-1, L3134-13).

Regulation (EEC, Euratom) 1182/71 leaves the days to the State in which the action is taken. The dates come from the
package ``holidays``; the official list (data.gouv.fr, "jours fériés en France") decides where the two differ.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType

FIRST_YEAR, LAST_YEAR = 1971, 2100
"""Regulation 1182/71 applies from 1971; the package computes no year after 2100 and answers "no holiday" there."""

CALENDARS: Mapping[str, str | None] = MappingProxyType({"FR": None, "FR-ALSACE-MOSELLE": "57"})
"""Our calendars, and the package's subdivision of France behind each."""

_PACKAGE_LANGUAGE = {"fr": "fr", "en": "en_US"}
_EXTRA_NAME = {"fr": "jour non ouvrable ajouté par réglage", "en": "day off added by configuration"}
_PENTECOST_MONDAY = {"fr": "Lundi de Pentecôte", "en": "Pentecost Monday"}
# The package drops Whit Monday in the years it was worked by law (loi 2004-626); the official list keeps it.
_WORKED_PENTECOST_MONDAYS = {2005: date(2005, 5, 16), 2006: date(2006, 6, 5), 2007: date(2007, 5, 28)}
_NO_DAYS: frozenset[date] = frozenset()


class UnknownCalendar(ValueError):
    """There is no such calendar; the message names those that exist."""


class YearOutOfRange(ValueError):
    """The holidays of that year are not known; the message names the years that are."""


def holidays_of(year: int, calendar: str = "FR", language: str = "en") -> Mapping[date, str]:
    """Return the public holidays of *year* with their names; *language* is ``"fr"`` or ``"en"``.

    No substitute day where one falls on a weekend, no *pont*.
    Raises :class:`UnknownCalendar` and :class:`YearOutOfRange`.
    """
    return _holidays_of(year, calendar, language)


@lru_cache(maxsize=1024)
def _holidays_of(year: int, calendar: str, language: str) -> Mapping[date, str]:
    if calendar not in CALENDARS:
        raise UnknownCalendar(f"unknown calendar {calendar!r}: use one of {', '.join(sorted(CALENDARS))}")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise YearOutOfRange(f"public holidays are known from {FIRST_YEAR} to {LAST_YEAR}, not in {year}")
    # Here and not above: a command that needs no holiday should not pay for the package.
    from holidays import country_holidays

    found = country_holidays("FR", subdiv=CALENDARS[calendar], years=year, language=_PACKAGE_LANGUAGE[language])
    days: dict[date, str] = {day: str(name) for day, name in found.items() if day.year == year}
    if year in _WORKED_PENTECOST_MONDAYS:
        days.setdefault(_WORKED_PENTECOST_MONDAYS[year], _PENTECOST_MONDAY[language])
    return MappingProxyType(dict(sorted(days.items())))


@lru_cache(maxsize=1024)
def holiday_dates(year: int, calendar: str = "FR") -> frozenset[date]:
    """Return the dates alone, for rules that ask often. Raises as :func:`holidays_of`."""
    return frozenset(_holidays_of(year, calendar, "en"))


def is_holiday(day: date, calendar: str = "FR", extra: Collection[date] = _NO_DAYS) -> bool:
    """Say whether *day* is a public holiday in *calendar*, or one of the *extra* days the DPO added.

    Saturdays and Sundays are no holidays here; they end no period either, but by another rule (Reg. 1182/71 art. 2(2)).
    Raises :class:`UnknownCalendar` and :class:`YearOutOfRange`.
    """
    return day in holiday_dates(day.year, calendar) or day in extra


def holiday_name(
    day: date, calendar: str = "FR", language: str = "en", extra: Collection[date] = _NO_DAYS
) -> str | None:
    """Return the holiday's name in *language* (``"fr"`` or ``"en"``), or None on any other day.

    Raises as :func:`is_holiday`.
    """
    name = _holidays_of(day.year, calendar, language).get(day)
    if name is None and day in extra:
        return _EXTRA_NAME[language]
    return name


def is_working_day(day: date, calendar: str = "FR", extra: Collection[date] = _NO_DAYS) -> bool:
    """Say whether a period may end on *day*: no Saturday, Sunday or public holiday (Reg. 1182/71 art. 2(2), 3(4)).

    French labour law counts Saturday as *ouvrable*; the regulation and art. 642 CPC do not.
    Raises as :func:`is_holiday`.
    """
    return day.weekday() < 5 and not is_holiday(day, calendar, extra)
