"""The deadline engine against the law: published examples, a second engine, and what must hold for any events."""

import io
import json
import runpy
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands.deadline import deadline_jsonl, deadline_person
from handlers.clock import (
    ClockError,
    ClockEvent,
    Reminder,
    after_working_days,
    breach_limit,
    clock_events,
    deadline,
    information_limit,
    reminders,
    trace,
)
from handlers.clock_words import TRACE, WARNINGS
from handlers.types import Deadline, TraceLine
from tests.clock_reference import public_holidays, rolled, same_number, second_opinion

HERE = Path(__file__).parent
PARIS = ZoneInfo("Europe/Paris")
VECTORS = [json.loads(line) for line in (HERE / "vectors" / "deadlines.jsonl").read_text("utf-8").splitlines()]


def asked(day: str) -> ClockEvent:
    return ClockEvent("identity_requested", date.fromisoformat(day))


def got(day: str) -> ClockEvent:
    return ClockEvent("identity_received", date.fromisoformat(day))


def insufficient(day: str) -> ClockEvent:
    return ClockEvent("identity_insufficient", date.fromisoformat(day))


def scope(day: str) -> ClockEvent:
    return ClockEvent("clarification_requested", date.fromisoformat(day))


def scoped(day: str) -> ClockEvent:
    return ClockEvent("clarification_received", date.fromisoformat(day))


def extended(day: str) -> ClockEvent:
    return ClockEvent("extended", date.fromisoformat(day))


def codes(result: Deadline) -> list[str]:
    return [text.partition(":")[0] for text in result.warnings]


# --- vectors ---------------------------------------------------------------------------------------------------------


def test_every_vector_gives_the_dates_that_were_reasoned_out_for_it():
    out = io.StringIO()

    status = deadline_jsonl([json.dumps({"id": v["id"], **v["in"]}) for v in VECTORS], out)

    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    dates = [{key: value for key, value in a.items() if key not in ("warnings", "trace")} for a in answers]
    assert dates == [{"id": v["id"], **v["out"]} for v in VECTORS]
    assert status == 0


def test_there_are_enough_vectors_each_with_its_source():
    assert len(VECTORS) >= 200
    assert [v["id"] for v in VECTORS if not v["source"] or not v["why"]] == []


def test_the_vector_file_is_what_its_situations_make():
    assert list(runpy.run_path(str(HERE / "vectors" / "make_deadlines.py"))["vectors"]()) == VECTORS


# --- what must hold for any events -----------------------------------------------------------------------------------

DAYS = st.dates(date(2018, 5, 25), date(2060, 12, 31))
GAP = st.integers(0, 40)


@st.composite
def histories(draw) -> list[tuple[int, str]]:
    """Things that can have happened, as (days after receipt, type); questions and answers alternate."""
    found = []
    for topic in ("identity", "clarification"):
        day = draw(GAP)
        for _ in range(draw(st.integers(0, 3))):
            found.append((day, f"{topic}_requested"))
            if draw(st.integers(0, 9)) == 0:
                break
            day += draw(GAP)
            found.append((day, f"{topic}_received"))
            if topic == "identity" and draw(st.booleans()):
                day += draw(st.integers(0, 5))
                found.append((day, "identity_insufficient"))
            day += 1 + draw(GAP)
    found += [(draw(st.integers(0, 120)), "extended") for _ in range(draw(st.integers(0, 2)))]
    found += [(draw(st.integers(0, 120)), "forwarded_to_dpo") for _ in range(draw(st.integers(0, 1)))]
    return found


def as_events(zero: date, history) -> list[ClockEvent]:
    return [ClockEvent(kind, zero + timedelta(days=offset)) for offset, kind in history]


@given(DAYS, histories(), st.sampled_from(["edpb", "ico-next-day", "restart-on-id"]), st.booleans(),
       st.sampled_from(["FR", "FR-ALSACE-MOSELLE"]), st.booleans())  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_the_second_engine_agrees(zero, history, rule, pauses, calendar, minor):
    events = as_events(zero, history)
    options = {"rule": rule, "calendar": calendar, "pause_on_clarification": pauses, "minor_at_collection": minor}

    result = deadline(zero, events, **options)

    other = second_opinion(
        {"received": zero.isoformat(), **options, "events": [{"type": e.type, "at": e.at.isoformat()} for e in events]}
    )
    assert {
        "due": result.due and result.due.isoformat(),
        "extended_due": result.extended_due.isoformat(),
        "due_if_not_paused": result.due_if_not_paused.isoformat(),
        "due_end_utc": result.due_end_utc and result.due_end_utc.isoformat().replace("+00:00", "Z"),
        "extension_effective": result.extension_effective,
        "suspended_days": result.suspended_days,
        "state": result.state,
    } == other


@given(DAYS, histories(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_never_later_than_the_law_allows_and_never_sooner(zero, history, pauses):
    result = deadline(zero, as_events(zero, history), pause_on_clarification=pauses)

    # However the questions lay, no more can be suspended than the days on which somebody waited for an answer.
    waited, since = set(), {}
    for offset, kind in sorted(history, key=lambda h: (h[0], "requested" not in h[1])):
        topic, _, step = kind.partition("_")
        if step == "requested":
            since.setdefault(topic, offset)
        elif step in ("received", "insufficient") and topic in since:
            waited |= set(range(since[topic] + 1, offset + 1))

    def within(months: int, day: date) -> bool:
        latest = [same_number(zero, months) + timedelta(days=len(waited)), *(zero + timedelta(days=d) for d in waited)]
        return same_number(zero, months) <= day <= rolled(max(latest), "FR", set())

    if result.in_force is None:
        assert (result.state, result.due) == ("paused", None)
    else:
        assert within(1, result.due)
        assert within(3 if result.state == "extended" else 1, result.in_force)
    assert result.extended_due >= same_number(zero, 3)


@given(DAYS, st.integers(0, 20), histories(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_later_receipt_is_never_due_sooner(zero, later, history, pauses):
    events = as_events(zero + timedelta(days=later), history)

    sooner = deadline(zero, events, pause_on_clarification=pauses, with_trace=False)
    after = deadline(zero + timedelta(days=later), events, pause_on_clarification=pauses, with_trace=False)

    assert (sooner.due or date.max) <= (after.due or date.max)
    assert (sooner.in_force or date.max) <= (after.in_force or date.max)
    assert sooner.due_if_not_paused <= after.due_if_not_paused


@given(DAYS, histories(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_an_extension_moves_the_date_in_force_and_no_other(zero, history, pauses):
    never = [(offset, kind) for offset, kind in history if kind != "extended"]

    result = deadline(zero, as_events(zero, history), pause_on_clarification=pauses)
    without = deadline(zero, as_events(zero, never), pause_on_clarification=pauses)

    def unmoved(answer: Deadline) -> tuple[object, ...]:
        return answer.due, answer.due_end_utc, answer.extended_due, answer.due_if_not_paused, answer.suspended_days

    assert unmoved(result) == unmoved(without)
    assert result.in_force == {"paused": None, "running": without.due, "extended": without.extended_due}[result.state]


@given(DAYS, histories(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_date_to_aim_for_is_that_of_a_request_nobody_asked_anything_about(zero, history, pauses):
    unasked = [(offset, kind) for offset, kind in history if kind in ("extended", "forwarded_to_dpo")]

    result = deadline(zero, as_events(zero, history), pause_on_clarification=pauses)

    assert result.in_force_if_not_paused == deadline(zero, as_events(zero, unasked)).in_force


@given(DAYS, histories(), st.randoms())
@settings(max_examples=100, deadline=None)
def test_the_order_in_which_events_are_listed_changes_nothing(zero, history, random):
    events = as_events(zero, history)
    shuffled = events[:]
    random.shuffle(shuffled)

    assert deadline(zero, shuffled) == deadline(zero, events)


@given(DAYS, histories(), st.sampled_from(["FR", "FR-ALSACE-MOSELLE"]), st.sets(DAYS, max_size=5))
@settings(max_examples=100, deadline=None)
def test_an_answer_is_always_due_on_a_working_day(zero, history, calendar, extra):
    result = deadline(zero, as_events(zero, history), calendar=calendar, extra_holidays=extra)

    dates = (result.due, result.extended_due, result.due_if_not_paused, result.in_force, result.in_force_if_not_paused)
    for day in dates:
        assert day is None or (day.isoweekday() < 6 and day not in public_holidays(day.year, calendar) | extra)


NIGHTS = [datetime(2025, 3, 30, 1, tzinfo=UTC), datetime(2025, 10, 26, 1, tzinfo=UTC)]


@given(st.sampled_from(NIGHTS), st.integers(-172_800, 172_800), st.integers(-12, 14))
@settings(max_examples=150, deadline=None)
def test_across_both_nights_of_the_clock_change_the_paris_date_counts(night, seconds, offset):
    instant = (night + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=offset)))

    result = deadline(instant, with_trace=False)

    assert result == deadline(instant.astimezone(PARIS).date(), with_trace=False)
    assert result.due_end_utc.astimezone(PARIS).timetz() == datetime(2025, 1, 1, tzinfo=PARIS).timetz()
    assert result.due_end_utc.astimezone(PARIS).date() == result.due + timedelta(days=1)


@given(DAYS, histories(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_trace_says_the_same_in_both_languages_and_fits_a_screen(zero, history, pauses):
    events = as_events(zero, history)

    english = trace(zero, events, pause_on_clarification=pauses)
    french = trace(zero, events, pause_on_clarification=pauses, language="fr")

    assert [(t.rule, t.source, t.from_, t.to) for t in english] == [(t.rule, t.source, t.from_, t.to) for t in french]
    assert [t.text for t in english if "{" in t.text or not t.text] == []
    assert {t.rule for t in english} <= set(TRACE)
    assert len(english) <= 24


# --- trace and warnings ----------------------------------------------------------------------------------------------


def test_the_trace_names_each_step_its_source_and_both_dates():
    lines = trace(date(2025, 9, 1), [asked("2025-09-02"), got("2025-09-12")])

    assert lines == (
        TraceLine(
            "receipt", "EDPB-T", "2025-09-01", "2025-09-01",
            "Received on Mon 1 September 2025 (Europe/Paris): day zero, whatever the hour. A night, a weekend or a "
            "holiday counts too.",
        ),
        TraceLine(
            "month", "GDPR 12(3); R1182 3(2)(c)", "2025-09-01", "2025-10-01",
            "One month: the day with the same number in the next month, Wed 1 October 2025.",
        ),
        TraceLine(
            "identity-pause", "DEC 77; EDPB-T", "2025-09-02", "2025-09-12",
            "Identity asked on Tue 2 September 2025, enough received on Fri 12 September 2025. Suspended days, the "
            "first not counted: 10.",
        ),
        TraceLine(
            "suspension", "CPC 641; DEC 77", "2025-10-01", "2025-10-11",
            "Months first, then days: suspended days added (overlaps counted once): 10, to Sat 11 October 2025.",
        ),
        TraceLine(
            "roll", "R1182 3(4), 2(2); CPC 642", "2025-10-11", "2025-10-13",
            "Moved once, at the end, to the next working day, Mon 13 October 2025; not working: Sat 11 October 2025 "
            "(Saturday); Sun 12 October 2025 (Sunday).",
        ),
        TraceLine(
            "extension-possible", "GDPR 12(3); ICO-X", "2025-09-01", "2025-12-11",
            "If an extension with its reasons is notified in time: three months from receipt, Thu 11 December 2025.",
        ),
        TraceLine(
            "last-instant", "R1182 3(2)(c)", "2025-10-13", "2025-10-13T22:00:00Z",
            "The answer is in time until 24:00 on Mon 13 October 2025 (Europe/Paris).",
        ),
        TraceLine(
            "if-not-paused", "EDPB-T", "2025-09-01", "2025-10-01",
            "If the suspension were contested, the month would end on Wed 1 October 2025.",
        ),
    )  # fmt: skip


def test_the_trace_of_an_extension_shows_the_limit_it_does_not_move_then_the_last_day():
    lines = trace(date(2025, 9, 1), [asked("2025-09-02"), got("2025-09-12"), extended("2025-09-20")])

    assert lines[4:] == (
        TraceLine(
            "roll", "R1182 3(4), 2(2); CPC 642", "2025-10-11", "2025-10-13",
            "Moved once, at the end, to the next working day, Mon 13 October 2025; not working: Sat 11 October 2025 "
            "(Saturday); Sun 12 October 2025 (Sunday).",
        ),
        TraceLine(
            "first-limit", "GDPR 12(3); R1182 3(2)(c)", "2025-10-13", "2025-10-13T22:00:00Z",
            "The first limit stays Mon 13 October 2025, 24:00 (Europe/Paris): a notice of extension must leave by "
            "then.",
        ),
        TraceLine(
            "extension", "GDPR 12(3); ICO-X", "2025-09-20", "2025-12-11",
            "Extension notified in time, on Sat 20 September 2025: three months from receipt, plus suspended days "
            "(10), Thu 11 December 2025.",
        ),
        TraceLine(
            "no-roll", "R1182 3(4), 2(2); CPC 642", "2025-12-11", "2025-12-11",
            "Thu 11 December 2025 is a working day: nothing to move.",
        ),
        TraceLine(
            "last-instant", "R1182 3(2)(c)", "2025-12-11", "2025-12-11T23:00:00Z",
            "The answer is in time until 24:00 on Thu 11 December 2025 (Europe/Paris).",
        ),
        TraceLine(
            "if-not-paused", "EDPB-T", "2025-09-01", "2025-10-01",
            "If the suspension were contested, the month would end on Wed 1 October 2025.",
        ),
        TraceLine(
            "if-not-paused-extended", "EDPB-T; GDPR 12(3)", "2025-09-20", "2025-12-01",
            "The extension would hold even then, since its notice left in time: Mon 1 December 2025.",
        ),
    )  # fmt: skip


def test_the_french_trace_names_the_holiday_that_moved_the_date():
    rolls = [line.text for line in trace(date(2025, 3, 21), language="fr") if line.rule == "roll"]

    assert rolls == [
        "Reporté une seule fois, à la fin, au jour ouvré suivant, mar. 22 avril 2025 ; non ouvrés : "
        "lun. 21 avril 2025 (Lundi de Pâques)."
    ]


JAN = date(2025, 1, 15)
WARNED = {
    "nothing to say": (JAN, [], {}, []),
    "asked on the third working day": (JAN, [asked("2025-01-20"), got("2025-01-21")], {}, []),
    "asked on the fourth": (JAN, [asked("2025-01-21"), got("2025-01-22")], {}, ["late-identity-request"]),
    "asked late but the limit is looser": (
        JAN, [asked("2025-01-21"), got("2025-01-22")], {"late_identity_after": 4}, []),
    "judged at once": (JAN, [asked("2025-01-15"), got("2025-01-20"), insufficient("2025-01-21")], {}, []),
    "judged late": (
        JAN, [asked("2025-01-15"), got("2025-01-20"), insufficient("2025-01-27")], {}, ["late-verdict"]),
    "judged after the end": (
        JAN, [asked("2025-01-15"), got("2025-01-20"), insufficient("2025-03-27")], {}, ["verdict-too-late"]),
    "judged though not asked": (JAN, [insufficient("2025-01-20")], {}, ["verdict-without-request"]),
    "asked after the first month": (JAN, [asked("2025-02-18")], {}, ["pause-too-late"]),
    "scope asked": (JAN, [scope("2025-01-20")], {}, ["disputed-clarification"]),
    "scope asked, switched on": (
        JAN, [scope("2025-01-20"), scoped("2025-01-21")], {"pause_on_clarification": True}, ["clarification-paused"]),
    "identity asked for a complaint": (
        JAN, [asked("2025-01-15"), got("2025-01-16")], {"right": "complaint"}, ["identity-not-needed"]),
    "objection": (JAN, [], {"right": "objection"}, ["marketing-objection"]),
    "withdrawal": (JAN, [], {"right": "consent_withdrawal"}, ["withdrawal-at-once"]),
    "breach": (JAN, [], {"right": "breach_report"}, ["breach-72h"]),
    "a minor's erasure": (
        JAN, [extended("2025-01-20")], {"right": "erasure", "minor_at_collection": True}, ["minor-erasure"]),
    "extended too late": (JAN, [extended("2025-02-18")], {}, ["extension-too-late"]),
    "extended twice": (JAN, [extended("2025-02-10"), extended("2025-02-11")], {}, ["second-extension"]),
    "extended on the rolled day": (JAN, [extended("2025-02-17")], {}, ["extension-on-rolled-day"]),
    "extended in time by the suspension": (
        JAN, [asked("2025-01-15"), got("2025-01-25"), extended("2025-02-20")], {}, ["extension-depends-on-pause"]),
    "three months from a 31st": (date(2025, 1, 31), [], {}, ["month-end-extension"]),
}  # fmt: skip


@pytest.mark.parametrize("situation", WARNED)
def test_warnings(situation):
    received, events, options, expected = WARNED[situation]

    assert codes(deadline(received, events, **options)) == expected
    assert codes(deadline(received, events, language="fr", **options)) == expected


def test_every_warning_has_a_situation():
    assert {code for *_, expected in WARNED.values() for code in expected} == set(WARNINGS)


def test_a_late_question_names_the_date_to_aim_for():
    assert deadline(JAN, [asked("2025-01-21"), got("2025-01-22")]).warnings == (
        "late-identity-request: identity was asked on Tue 21 January 2025, more than 3 working days after receipt; the "
        "decree suspends all the same, the EDPB only when asked without undue delay: aim for Mon 17 February 2025 "
        "[DEC 77; EDPB-T]",
    )


# --- what cannot be --------------------------------------------------------------------------------------------------

UNASKED = "identity_received on 2025-01-16, but identity was not asked before"
IMPOSSIBLE = {
    "event before receipt": (
        [asked("2025-01-14")], {}, "identity_requested on 2025-01-14 lies before the receipt on 2025-01-15"),
    "answer before question": ([got("2025-01-16"), asked("2025-01-17")], {}, UNASKED),
    "answer without question": ([got("2025-01-16")], {}, UNASKED),
    "scope answered, not asked": (
        [scoped("2025-01-16")], {}, "clarification_received on 2025-01-16, but no clarification was asked before"),
    "unknown calendar": ([], {"calendar": "GB"}, "unknown calendar 'GB': use one of FR, FR-ALSACE-MOSELLE"),
    "unknown rule": (
        [], {"rule": "30-days"}, "unknown rule '30-days': use one of edpb, ico-next-day, restart-on-id"),
    "unknown time zone": (
        [], {"timezone": "Europe/Pariss"}, "unknown time zone 'Europe/Pariss': use a name such as Europe/Paris"),
    "a folder for a time zone": (
        [], {"timezone": "Europe"}, "unknown time zone 'Europe': use a name such as Europe/Paris"),
    "a path for a time zone": (
        [], {"timezone": "../etc"}, "unknown time zone '../etc': use a name such as Europe/Paris"),
    "unknown language": ([], {"language": "de"}, "unknown language 'de': use one of en, fr"),
    "naive instant": (
        [ClockEvent("extended", datetime(2025, 1, 16, 10))], {},  # noqa: DTZ001
        "extended has a time without an offset from UTC; write e.g. 2025-03-05T10:00:00+01:00"),
    "the future, told on a day": (
        [asked("2025-01-20")], {"as_of": date(2025, 1, 19)},
        "identity_requested on 2025-01-20 lies in the future, after 2025-01-19"),
    "receipt in the future": (
        [], {"as_of": date(2025, 1, 14)}, "the receipt on 2025-01-15 lies in the future, after 2025-01-14"),
}  # fmt: skip


@pytest.mark.parametrize("situation", IMPOSSIBLE)
def test_impossible_input_is_refused_with_a_sentence(situation):
    events, options, sentence = IMPOSSIBLE[situation]

    with pytest.raises(ClockError) as caught:
        deadline(JAN, events, **options)

    assert str(caught.value) == sentence


def test_a_date_without_a_time_is_put_where_it_makes_sense_within_its_day():
    morning = datetime(2025, 1, 20, 8, tzinfo=UTC)
    late = datetime(2025, 1, 20, 20, tzinfo=UTC)

    asked_then_got = deadline(JAN, [got("2025-01-20"), ClockEvent("identity_requested", late)])
    got_then_asked = deadline(
        JAN, [asked("2025-01-16"), ClockEvent("identity_received", morning), ClockEvent("identity_requested", late)]
    )

    assert (asked_then_got.state, asked_then_got.suspended_days) == ("running", 0)
    assert (got_then_asked.state, got_then_asked.suspended_days) == ("paused", 4)


def test_unknown_event_is_refused():
    with pytest.raises(ClockError, match="unknown event type 'paused'"):
        deadline(JAN, [ClockEvent("paused", JAN)])


@pytest.mark.parametrize("received", [date(1970, 12, 31), date(2101, 1, 1), date.max, date.min, date(2100, 12, 1)])
def test_years_without_known_holidays_are_refused(received):
    with pytest.raises(ClockError):
        deadline(received)


def test_the_future_may_be_told_where_no_day_is_given():
    assert deadline(date(2090, 1, 16), [extended("2090-02-01")]).in_force == date(2090, 4, 18)


# --- from a journal --------------------------------------------------------------------------------------------------


def test_a_journal_gives_only_what_bears_on_the_clock():
    received = datetime(2025, 9, 1, 8, tzinfo=UTC)
    later = received + timedelta(days=1)

    picked = clock_events(
        [
            ("case_opened", received),
            ("identity_received", received + timedelta(minutes=1)),
            ("identity_requested", received - timedelta(seconds=5)),
            ("clarification_received", later),
            ("identity_received", later),
            ("note", later),
        ],
        received,
    )

    assert picked == (
        ClockEvent("identity_requested", received),
        ClockEvent("identity_received", received + timedelta(minutes=1)),
        ClockEvent("identity_received", later),
    )


def test_an_unasked_proof_in_a_journal_ends_nothing():
    received = datetime(2025, 9, 1, 8, tzinfo=UTC)

    picked = clock_events(
        [("identity_received", received), ("identity_requested", received + timedelta(hours=2))], received
    )

    assert deadline(received, picked).state == "paused"


# --- reminders and the breach clock ----------------------------------------------------------------------------------


def test_reminders_of_a_running_clock_and_the_days_it_is_late():
    assert reminders(deadline(JAN), until=date(2025, 2, 19)) == (
        Reminder(date(2025, 2, 7), "due-in-10"),
        Reminder(date(2025, 2, 7), "extension-decision"),
        Reminder(date(2025, 2, 10), "due-in-7"),
        Reminder(date(2025, 2, 14), "due-in-3"),
        Reminder(date(2025, 2, 16), "due-in-1"),
        Reminder(date(2025, 2, 17), "due-today"),
        Reminder(date(2025, 2, 18), "overdue"),
        Reminder(date(2025, 2, 19), "overdue"),
    )


def test_reminders_while_identity_is_awaited():
    result = deadline(JAN, [asked("2025-01-16")])

    assert reminders(result, identity_requested=date(2025, 1, 16), until=date(2025, 12, 31)) == (
        Reminder(date(2025, 1, 26), "identity-reminder"),
        Reminder(date(2025, 2, 7), "extension-decision"),
        Reminder(date(2025, 2, 7), "unpaused-warning"),
        Reminder(date(2025, 2, 14), "identity-notice"),
        Reminder(date(2025, 3, 19), "propose-closing"),
    )


def test_reminders_after_an_extension_ask_for_no_decision():
    result = deadline(JAN, [asked("2025-01-16"), got("2025-01-18"), extended("2025-02-01")])

    assert reminders(result, before=(5,)) == (
        Reminder(date(2025, 4, 10), "unpaused-warning"),
        Reminder(date(2025, 4, 12), "due-in-5"),
        Reminder(date(2025, 4, 17), "due-today"),
    )


def test_reminders_while_identity_is_awaited_in_an_extended_case():
    result = deadline(JAN, [extended("2025-01-20"), asked("2025-02-01")])

    assert reminders(result, identity_requested=date(2025, 2, 1), before=(5,)) == (
        Reminder(date(2025, 2, 11), "identity-reminder"),
        Reminder(date(2025, 2, 14), "identity-notice"),
        Reminder(date(2025, 3, 19), "propose-closing"),
        Reminder(date(2025, 4, 10), "unpaused-warning"),
    )


@pytest.mark.parametrize(
    ("reported", "limit"),
    [
        ("2025-12-24T18:00:00+01:00", "2025-12-27T17:00:00+00:00"),
        ("2025-03-28T18:00:00+01:00", "2025-03-31T17:00:00+00:00"),
        ("2025-10-24T18:00:00+02:00", "2025-10-27T16:00:00+00:00"),
    ],
    ids=["over Christmas", "over the short night", "over the long night"],
)
def test_a_breach_leaves_72_elapsed_hours(reported, limit):
    assert breach_limit(datetime.fromisoformat(reported)) == datetime.fromisoformat(limit)


def test_a_breach_needs_an_instant_with_an_offset():
    with pytest.raises(ClockError, match="offset"):
        breach_limit(datetime(2025, 1, 1))  # noqa: DTZ001


# --- dpobot deadline -------------------------------------------------------------------------------------------------


def test_a_bad_line_gives_an_error_and_the_rest_goes_on():
    lines = [
        '{"id": 7, "received": "2025-03-05", "events": [{"type": "extended", "at": "2025-03-01"}]}\n',
        "not json\n",
        "\n",
        "[1]\n",
        '{"id": "no-date"}',
        '{"id": "naive", "received": "2025-03-05T10:00:00"}',
        '{"id": "odd", "received": 20250305}',
        '{"id": "events", "received": "2025-03-05", "events": ["extended"]}',
        '{"id": "flag", "received": "2025-03-05", "minor_at_collection": "yes"}',
        '{"id": "days", "received": "2025-03-05", "late_identity_after": true}',
        '{"id": "zone", "received": "2025-03-05", "timezone": ""}',
        '{"id": "\\ud800", "received": "2025-03-32"}',
        '{"id": "fine", "received": "2024-03-05"}',
    ]
    out = io.StringIO()

    status = deadline_jsonl(lines, out)

    answers = [json.loads(line) for line in out.getvalue().encode().decode().splitlines()]
    when = "must be a date such as 2025-03-05 or an instant such as 2025-03-05T10:00:00+01:00"
    assert status == 1
    assert answers[:-1] == [
        {"id": 7, "error": "extended on 2025-03-01 lies before the receipt on 2025-03-05"},
        {"id": None, "error": "not JSON: Expecting value at character 1"},
        {"id": None, "error": "a line must be a JSON object"},
        {"id": "no-date", "error": "the key 'received' is missing"},
        {
            "id": "naive",
            "error": "the receipt has a time without an offset from UTC; write e.g. 2025-03-05T10:00:00+01:00",
        },
        {"id": "odd", "error": f"'received' {when}"},
        {"id": "events", "error": "'events' must be a list of objects with 'type' and 'at'"},
        {"id": "flag", "error": "'minor_at_collection' must be true or false"},
        {"id": "days", "error": "'late_identity_after' must be a number of working days from 0 to 366"},
        {"id": "zone", "error": "unknown time zone '': use a name such as Europe/Paris"},
        {"id": "\ud800", "error": f"'received' {when}"},
    ]
    assert answers[-1]["due"] == "2024-04-05"


def test_a_line_out_has_the_shape_of_the_contract():
    out = io.StringIO()

    status = deadline_jsonl(
        ['{"id": "a", "received": "2025-01-15T10:00:00+01:00", "right": "access", "extra_holidays": ["2025-02-17"]}'],
        out,
    )

    answer = json.loads(out.getvalue())
    first = answer.pop("trace")[0]
    assert status == 0
    assert first == {
        "rule": "receipt",
        "source": "EDPB-T",
        "from": "2025-01-15T10:00:00+01:00",
        "to": "2025-01-15",
        "text": "Received on Wed 15 January 2025 (Europe/Paris): day zero, whatever the hour. A night, a weekend or a "
        "holiday counts too.",
    }
    assert answer == {
        "id": "a",
        "due": "2025-02-18",
        "extended_due": "2025-04-15",
        "due_if_not_paused": "2025-02-18",
        "due_end_utc": "2025-02-18T23:00:00Z",
        "extension_effective": None,
        "suspended_days": 0,
        "state": "running",
        "warnings": [],
    }


def test_a_person_reads_the_date_first_then_why():
    out = io.StringIO()

    status = deadline_person("2025-01-31", language="fr", out=out)

    assert status == 0
    assert out.getvalue().splitlines() == [
        "Échéance : ven. 28 février 2025",
        "Dernier jour en cas de prolongation : mer. 30 avril 2025",
        "",
        " 1. Reçu le ven. 31 janvier 2025 (Europe/Paris) : jour zéro, quelle que soit l'heure. La nuit, le week-end et "
        "les fériés comptent. [EDPB-T]",
        " 2. Un mois : le mois suivant n'a pas de 31, il finit donc son dernier jour, ven. 28 février 2025. "
        "[GDPR 12(3); R1182 3(2)(c)]",
        " 3. Le ven. 28 février 2025 est un jour ouvré : aucun report. [R1182 3(4), 2(2); CPC 642]",
        " 4. Si une prolongation motivée est notifiée à temps : trois mois depuis la réception, mer. 30 avril 2025. "
        "[GDPR 12(3); ICO-X]",
        " 5. La réponse est à temps jusqu'au ven. 28 février 2025 à 24 h (Europe/Paris). [R1182 3(2)(c)]",
        "",
        "! month-end-extension: trois mois depuis la réception donnent le mer. 30 avril 2025, deux mois depuis la "
        "première échéance le lun. 28 avril 2025 ; en cas de prolongation, visez la date la plus proche "
        "[RGPD 12(3); ICO-X]",
    ]


def test_a_person_sees_that_the_clock_stands():
    out = io.StringIO()

    deadline_person("2025-01-15", ["2025-01-16"], out=out)

    assert out.getvalue().splitlines()[:3] == [
        "Due: no date, the clock is suspended",
        "Without the suspension: Mon 17 February 2025",
        "Last day if extended: Tue 15 April 2025",
    ]


def test_a_person_sees_the_extended_date_first_and_the_limit_it_left_behind():
    out = io.StringIO()

    deadline_person("2025-09-01", ["2025-09-02"], ["2025-09-12"], ["2025-09-20"], out=out)

    assert out.getvalue().splitlines()[:4] == [
        "Due: Thu 11 December 2025 (extended)",
        "Without the extension: Mon 13 October 2025",
        "Without the suspension: Mon 1 December 2025",
        "",
    ]


def test_the_command_needs_no_database():
    probe = (
        "import sys; from bot.commands.deadline import deadline_jsonl; "
        'deadline_jsonl([\'{"received": "2024-03-05"}\'], sys.stderr); '
        "print([name for name in ('sqlmodel', 'sqlalchemy', 'pydantic') if name in sys.modules])"
    )

    ran = subprocess.run([sys.executable, "-c", probe], cwd=HERE.parent, capture_output=True, text=True, check=True)

    assert ran.stdout == "[]\n"


def test_a_person_is_told_what_cannot_be():
    out, err = io.StringIO(), io.StringIO()

    status = deadline_person("2025-01-15", [], ["2025-01-16"], out=out, err=err)

    assert (status, out.getvalue(), err.getvalue()) == (
        2,
        "",
        "identity_received on 2025-01-16, but identity was not asked before\n",
    )


# --- other clocks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("obtained", "last"),
    [
        ("2026-01-31", "2026-03-02"),  # 28 February is a Saturday
        ("2026-03-02", "2026-04-02"),
        ("2026-03-06", "2026-04-07"),  # Easter Monday
    ],
)
def test_whose_data_came_from_another_is_informed_within_a_month(obtained, last):
    """Art. 14(3)(a) GDPR."""
    assert information_limit(date.fromisoformat(obtained)) == date.fromisoformat(last)


@pytest.mark.parametrize(
    ("day", "count", "calendar", "expected"),
    [
        ("2026-03-02", 2, "FR", "2026-03-04"),
        ("2026-03-06", 2, "FR", "2026-03-10"),
        ("2026-04-02", 2, "FR", "2026-04-07"),  # Good Friday is a working day in Paris, Easter Monday is none
        ("2026-04-02", 2, "FR-ALSACE-MOSELLE", "2026-04-08"),
        ("2026-03-02", 0, "FR", "2026-03-02"),
    ],
)
def test_working_days_are_neither_weekends_nor_holidays(day, count, calendar, expected):
    assert after_working_days(date.fromisoformat(day), count, calendar=calendar) == date.fromisoformat(expected)


def test_working_days_of_an_unknown_calendar_are_refused():
    with pytest.raises(ClockError, match="unknown calendar"):
        after_working_days(date(2026, 3, 2), 2, calendar="DE")


# --- worked by hand from the rule, before the engine was asked ---------------------------------------------------------

BY_HAND = [
    json.loads(line)
    for line in (Path(__file__).parent / "vectors" / "deadlines_by_hand.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize("case", BY_HAND, ids=lambda case: case["id"])
def test_the_engine_agrees_with_what_was_worked_by_hand(case):
    out = io.StringIO()
    status = deadline_jsonl([json.dumps({"id": case["id"], **case["in"]})], out)
    answer = json.loads(out.getvalue())
    if case["out"].get("error"):
        assert (status, "error" in answer) == (1, True)
    else:
        assert {name: answer[name] for name in case["out"]} == case["out"]
