"""Public holidays against the official list (data.gouv.fr, "jours fériés en France"), copied here year by year."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.holidays import (
    UnknownCalendar,
    YearOutOfRange,
    holiday_name,
    holidays_of,
    is_holiday,
    is_working_day,
)
from tests.clock_reference import public_holidays

FIXED = ("01-01", "05-01", "05-08", "07-14", "08-15", "11-01", "11-11", "12-25")
# Easter Monday, Ascension Day, Whit Monday
OFFICIAL = {
    2005: ("03-28", "05-05", "05-16"),
    2006: ("04-17", "05-25", "06-05"),
    2007: ("04-09", "05-17", "05-28"),
    2008: ("03-24", "05-01", "05-12"),
    2016: ("03-28", "05-05", "05-16"),
    2018: ("04-02", "05-10", "05-21"),
    2019: ("04-22", "05-30", "06-10"),
    2020: ("04-13", "05-21", "06-01"),
    2021: ("04-05", "05-13", "05-24"),
    2022: ("04-18", "05-26", "06-06"),
    2023: ("04-10", "05-18", "05-29"),
    2024: ("04-01", "05-09", "05-20"),
    2025: ("04-21", "05-29", "06-09"),
    2026: ("04-06", "05-14", "05-25"),
    2027: ("03-29", "05-06", "05-17"),
}
# Good Friday
OFFICIAL_ALSACE_MOSELLE = {2008: "03-21", 2024: "03-29", 2025: "04-18", 2026: "04-03", 2027: "03-26"}


def official(year: int) -> set[date]:
    return {date.fromisoformat(f"{year}-{day}") for day in (*FIXED, *OFFICIAL[year])}


@pytest.mark.parametrize("year", OFFICIAL)
def test_the_eleven_days_are_those_of_the_official_list(year):
    assert set(holidays_of(year)) == official(year)


@pytest.mark.parametrize("year", OFFICIAL_ALSACE_MOSELLE)
def test_alsace_moselle_has_good_friday_and_26_december_besides(year):
    good_friday = date.fromisoformat(f"{year}-{OFFICIAL_ALSACE_MOSELLE[year]}")

    assert set(holidays_of(year, "FR-ALSACE-MOSELLE")) == official(year) | {good_friday, date(year, 12, 26)}


@given(st.integers(1982, 2100), st.sampled_from(["FR", "FR-ALSACE-MOSELLE"]))
@settings(max_examples=60, deadline=None)
def test_the_days_agree_with_a_second_reckoning_of_easter(year, calendar):
    assert set(holidays_of(year, calendar)) == public_holidays(year, calendar)


@given(st.dates(date(1971, 1, 1), date(2100, 12, 31)))
@settings(max_examples=100, deadline=None)
def test_a_working_day_is_no_weekend_and_no_holiday(day):
    assert is_working_day(day) == (day.isoweekday() < 6 and not is_holiday(day))
    assert is_holiday(day) == (holiday_name(day) is not None)


def test_8_may_was_worked_from_1971_to_1981():
    # In 1975 Ascension Day fell on it.
    assert [year for year in range(1971, 1984) if is_holiday(date(year, 5, 8))] == [1975, 1982, 1983]


def test_names_in_both_languages():
    assert list(holidays_of(2025, "FR-ALSACE-MOSELLE", "fr").values()) == [
        "Jour de l'an",
        "Vendredi saint",
        "Lundi de Pâques",
        "Fête du Travail",
        "Fête de la Victoire",
        "Ascension",
        "Lundi de Pentecôte",
        "Fête nationale",
        "Assomption",
        "Toussaint",
        "Armistice",
        "Noël",
        "Saint-Étienne",
    ]
    assert holiday_name(date(2025, 6, 9)) == "Pentecost Monday"
    assert holiday_name(date(2006, 6, 5), language="fr") == "Lundi de Pentecôte"
    assert holiday_name(date(2025, 6, 10)) is None


def test_days_the_dpo_adds():
    bridge = date(2025, 5, 30)

    assert (is_holiday(bridge), is_working_day(bridge)) == (False, True)
    assert (is_holiday(bridge, extra={bridge}), is_working_day(bridge, extra={bridge})) == (True, False)
    assert holiday_name(bridge, language="fr", extra={bridge}) == "jour non ouvrable ajouté par réglage"


def test_the_bridge_and_easter_sunday_are_no_holidays():
    assert [is_holiday(date(2025, 4, 20)), is_holiday(date(2025, 5, 29) + timedelta(days=1))] == [False, False]


def test_an_unknown_calendar_is_named():
    with pytest.raises(UnknownCalendar, match="unknown calendar 'PARIS': use one of FR, FR-ALSACE-MOSELLE"):
        is_holiday(date(2025, 1, 1), "PARIS")


@pytest.mark.parametrize("year", [1970, 2101])
def test_years_that_are_not_known_are_refused_not_taken_as_worked(year):
    with pytest.raises(YearOutOfRange, match=f"from 1971 to 2100, not in {year}"):
        is_holiday(date(year, 1, 1))
