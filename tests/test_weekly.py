"""The digest's rule: every open case in exactly one section, what is due first standing first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.lifecycle import ANSWERED, FINISHED, IDENTITY_STATES, STATES
from handlers.weekly import CaseLine, Digest, Entry, Fate, ItemLine, LetterLine, Part, Vitals, digest

TODAY = date(2026, 3, 9)
NOW = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
WELL = Vitals(NOW, (), 0, None, 0, "0" * 64, 0)
SECTIONS = ("overdue", "this_week", "later", "paused", "answered")


def line(due: date | None = TODAY, *, reference: str = "DSR-2026-0001", state: str = "open", **more: Any) -> CaseLine:
    return CaseLine(reference, ("access",), state, "not_required", due, more.pop("unpaused", due or TODAY), **more)


def after(days: int) -> date:
    return TODAY + timedelta(days=days)


def empty(**changes: Any) -> Digest:
    bars = tuple((code, 0) for code in ("overdue", "0-7", "8-14", "15-21", "22-31", "32+", "paused"))
    return replace(Digest(TODAY, (), (), (), (), (), (), (), {}, WELL, by_days_left=bars), **changes)


@pytest.mark.parametrize(
    ("case", "section", "days_left", "bar"),
    [
        pytest.param(line(after(-1)), "overdue", -1, "overdue", id="yesterday is overdue"),
        pytest.param(line(after(0)), "this_week", 0, "0-7", id="today is this week, not overdue"),
        pytest.param(line(after(7)), "this_week", 7, "0-7", id="the day of the next digest is this week"),
        pytest.param(line(after(8)), "later", 8, "8-14", id="the day after the next digest is later"),
        pytest.param(line(after(21)), "later", 21, "15-21", id="three weeks"),
        pytest.param(line(after(31)), "later", 31, "22-31", id="a long month"),
        pytest.param(line(after(32)), "later", 32, "32+", id="extended"),
        pytest.param(line(None, unpaused=after(-3)), "paused", -3, "paused", id="suspended, whatever its other date"),
        pytest.param(line(after(-9), state="refused"), "answered", -9, None, id="answered cases are not overdue"),
        pytest.param(line(None, state="answered"), "answered", 0, None, id="answered while suspended"),
    ],
)
def test_a_case_stands_where_its_state_and_date_say(
    case: CaseLine, section: str, days_left: int, bar: str | None
) -> None:
    found = digest([case], today=TODAY, vitals=WELL)

    counted = tuple((code, 1 if code == bar else 0) for code, _ in empty().by_days_left)
    assert found == empty(**{section: (Entry(case, days_left),), "by_days_left": counted})
    assert found.open == (0 if section == "answered" else 1)


def test_a_week_without_anything_is_a_digest_all_the_same() -> None:
    assert digest([], today=TODAY, vitals=WELL) == empty()
    assert digest([], today=TODAY, vitals=WELL).open == 0


@pytest.mark.parametrize("state", sorted(FINISHED))
def test_finished_cases_have_no_place_in_it(state: str) -> None:
    assert digest([line(after(-5), state=state)], today=TODAY, vitals=WELL) == empty()


def test_references_are_ordered_as_numbers_within_a_day() -> None:
    young, old = line(reference="DSR-2026-10000"), line(reference="DSR-2026-9999")

    assert [entry.case for entry in digest([young, old], today=TODAY, vitals=WELL).this_week] == [old, young]


def test_an_authority_does_not_wait_behind_messages_that_may_be_requests() -> None:
    doubtful = ItemLine(1, "to_sort", after(-40), "erasure", after(-9))
    stranger = ItemLine(2, "quarantine", after(-41), "", after(-10))
    letter = ItemLine(3, "authority", after(-1), "", None)

    found = digest([], today=TODAY, vitals=WELL, to_sort=[doubtful, stranger, letter])

    assert found == empty(to_sort=(letter, stranger, doubtful))


def test_letters_that_surely_did_not_arrive_come_before_those_that_may_have() -> None:
    fates: tuple[Fate, ...] = ("delayed", "uncertain", "failed", "bounced")
    letters = [LetterLine("DSR-2026-0001", "answer", fate, after(-day)) for day, fate in enumerate(fates)]

    assert digest([], today=TODAY, vitals=WELL, letters=letters) == empty(letters=tuple(reversed(letters)))


def test_what_was_filed_most_often_stands_first() -> None:
    found = digest([], today=TODAY, vitals=WELL, ignored={"spam": 1, "bounce": 1, "auto_reply": 3})

    assert list(found.ignored.items()) == [("auto_reply", 3), ("bounce", 1), ("spam", 1)]


dates = st.integers(-60, 120).map(after)
case_lines = st.builds(
    CaseLine,
    reference=st.integers(1, 99_999).map(lambda number: f"DSR-2026-{number:04}"),
    rights=st.just(("access",)),
    state=st.sampled_from(STATES),
    identity=st.sampled_from(IDENTITY_STATES),
    due=st.none() | dates,
    due_if_not_paused=dates,
    extended=st.booleans(),
    drafts=st.integers(0, 2),
)
registers = st.lists(case_lines, unique_by=lambda case: case.reference, max_size=30)


@settings(max_examples=150)
@given(registers)
def test_every_open_case_stands_in_exactly_one_section_and_in_order(cases: list[CaseLine]) -> None:
    found = digest(cases, today=TODAY, vitals=WELL)

    entries = [entry for name in SECTIONS for entry in getattr(found, name)]
    unfinished = [case for case in cases if case.state not in FINISHED]
    assert sorted(entry.case.reference for entry in entries) == sorted(case.reference for case in unfinished)
    for name in SECTIONS:
        for one, next_one in pairwise(getattr(found, name)):
            assert one.days_left <= next_one.days_left
    for entry in entries:
        assert after(entry.days_left) == (entry.case.due or entry.case.due_if_not_paused)


@settings(max_examples=100)
@given(registers, st.randoms())
def test_the_order_of_the_facts_does_not_matter_and_the_bars_count_what_is_open(
    cases: list[CaseLine], random: Any
) -> None:
    shuffled = random.sample(cases, len(cases))

    found = digest(shuffled, today=TODAY, vitals=WELL)

    assert found == digest(cases, today=TODAY, vitals=WELL)
    unanswered = [case for case in cases if case.state not in FINISHED | ANSWERED]
    assert sum(count for _, count in found.by_days_left) == found.open == len(unanswered)


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("part", "alarm"),
    [
        pytest.param(Part("imap", NOW - 30 * MINUTE, silent_after=30 * MINUTE), "", id="just polled enough"),
        pytest.param(Part("imap", NOW - 31 * MINUTE, silent_after=30 * MINUTE), "silent", id="not polled any more"),
        pytest.param(Part("imap", None, silent_after=30 * MINUTE), "never", id="never polled"),
        pytest.param(Part("imap", NOW, NOW, 1, silent_after=30 * MINUTE), "failing", id="failing at this moment"),
        pytest.param(Part("smtp", NOW - 9000 * MINUTE), "", id="nothing to send for days"),
        pytest.param(Part("smtp", None), "", id="nothing to send ever"),
        pytest.param(Part("smtp", None, NOW, 3), "failing", id="refused"),
    ],
)
def test_a_part_that_is_silent_or_fails_raises_an_alarm(part: Part, alarm: str) -> None:
    assert part.alarm(NOW) == alarm
    assert replace(WELL, parts=(part,)).well is (alarm == "")


@pytest.mark.parametrize(
    ("change", "well"),
    [
        pytest.param({}, True, id="all is well"),
        pytest.param({"queued": 1, "queued_since": NOW - 60 * MINUTE}, True, id="an hour in the queue"),
        pytest.param({"queued": 1, "queued_since": NOW - 61 * MINUTE}, False, id="stuck in the queue"),
        pytest.param({"notices_failed": 1}, False, id="a card that never arrived"),
        pytest.param({"journal_broken_at": 7}, False, id="a journal that was altered"),
    ],
)
def test_the_program_knows_when_it_is_unwell(change: dict[str, Any], well: bool) -> None:
    assert replace(WELL, **change).well is well
