"""The deadline engine: when an answer is due, as a pure function of what happened, with the reasons.

Art. 12(3) GDPR gives one calendar month from receipt, extended once to three months from receipt; Reg. 1182/71 says how
months are counted and where they end; art. 77 of décret 2019-536 suspends the period while necessary proof of identity
is awaited. Nothing is patched along the way: the same events give the same date, in whatever order they are listed.

How it counts (rule ``edpb``)::

    D    = civil date of receipt           m(D, n) = same day number n months on, else the last day of that month
    P    = days of the suspensions (asked, answered], overlaps once; not of one that began after roll(m(D, 1))
    due  = roll(m(D, 1) + |P|)             extended = roll(m(D, 3) + |P|), if notified on or before due
           in force: extended if so notified, else due; an extension does not move due itself
    roll = to the next day that is no Saturday, Sunday or public holiday, once, at the end

Two readings of the rule were open, and the earlier date was taken, which the law never calls late. The limit for asking is
the end of the *unpaused* month, also where an earlier suspension has moved the due date beyond it. That an answer is not due
before the day the proof came holds for suspensions that count only: proof asked after the month moves nothing, whenever
it comes, so that a late question cannot make a late answer punctual (``pause-too-late`` says so).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from handlers.clock_words import LANGUAGES, NOT_WORKING, in_words, trace_text, warning
from handlers.holidays import (
    CALENDARS,
    FIRST_YEAR,
    LAST_YEAR,
    UnknownCalendar,
    YearOutOfRange,
    holiday_dates,
    holiday_name,
)
from handlers.types import Deadline, TraceLine

RULES = ("edpb", "ico-next-day", "restart-on-id")
"""``edpb`` (default); ``ico-next-day``: day zero is the day after receipt; ``restart-on-id``: the month starts again
when identity was received (ICO)."""

EVENT_TYPES = (
    "identity_requested",
    "identity_received",
    "identity_insufficient",
    "clarification_requested",
    "clarification_received",
    "extended",
    "forwarded_to_dpo",
)
# Within one day, where times are not known: first the question, then the answer, then the verdict on it.
_PRIORITY = {name: index for index, name in enumerate(EVENT_TYPES)}
_QUESTIONS = frozenset({"identity_requested", "clarification_requested"})

NO_IDENTITY = frozenset({"consent_withdrawal", "complaint", "breach_report"})
"""Rights for which no identity is ever asked; an objection needs none where it is about marketing (art. 21(3))."""

_NO_DAYS: frozenset[date] = frozenset()
_ONE_DAY = timedelta(days=1)
_BREACH = timedelta(hours=72)


class ClockError(ValueError):
    """The events cannot have happened, or an option does not exist; the message says which in a sentence."""


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """Something that bears on the clock: one of :data:`EVENT_TYPES`, at an aware instant or on a civil date."""

    type: str
    at: datetime | date


@dataclass(frozen=True, slots=True)
class Reminder:
    """A day on which somebody should be told something; ``kind`` says what (see :func:`reminders`)."""

    date: date
    kind: str


class _Pause(NamedTuple):
    start: date
    end: date | None
    about: Literal["identity", "clarification"]


class _Options(NamedTuple):
    zone: tzinfo
    zone_name: str
    rule: str
    calendar: str
    extra: frozenset[date]
    never_extend: bool
    pause_on_clarification: bool
    late_after: int


class _Run(NamedTuple):
    """Every step of one computation, for the trace."""

    zero: date
    start: date
    first_end: date
    days: int
    """Suspended days; what is added to the months is less where the month starts again."""
    added: int
    latest: date | None
    """The last day an awaited answer came."""
    raw: date
    due: date
    extended_raw: date
    extended_due: date
    open: _Pause | None


def deadline(
    received: datetime | date,
    events: Sequence[ClockEvent] = (),
    *,
    timezone: str = "Europe/Paris",
    rule: str = "edpb",
    calendar: str = "FR",
    extra_holidays: Collection[date] = (),
    right: str | None = None,
    minor_at_collection: bool = False,
    pause_on_clarification: bool = False,
    late_identity_after: int = 3,
    as_of: date | None = None,
    with_trace: bool = True,
    language: str = "en",
) -> Deadline:
    """Return when the answer to a request received at *received* is due (art. 12(3) GDPR), and why.

    *received* and the events are aware instants, turned into civil dates of *timezone*, or dates taken as they are.
    ``due`` is the end of the month with its suspensions, which an extension does not move, None while suspended;
    ``extended_due`` counts the suspensions that are over; ``due_if_not_paused`` is ``due`` without any suspension;
    ``in_force`` is the last day that counts, ``extended_due`` once an extension is effective and ``due`` otherwise.
    *right* is a label of the vocabulary; with *minor_at_collection*, an erasure is never extended (loi 78-17 art. 51
    II). *late_identity_after* is in working days. With *as_of*, an event after that date is an error; without, the
    future may be told. *language* (``"en"``, ``"fr"``) is that of warnings and trace; a warning begins with its code.

    Raises :class:`ClockError`: naive instant, event before receipt, answer to a question never asked, unknown event,
    calendar, rule, time zone or language, or a year outside 1971-2100.
    """
    options = _Options(
        _zone(timezone),
        timezone,
        rule,
        calendar,
        extra_holidays if isinstance(extra_holidays, frozenset) else frozenset(extra_holidays),
        # A minor's data with no right named: the earlier date is the safe one.
        minor_at_collection and right in (None, "erasure"),
        pause_on_clarification,
        late_identity_after,
    )
    if rule not in RULES:
        raise ClockError(f"unknown rule {rule!r}: use one of {', '.join(RULES)}")
    if calendar not in CALENDARS:
        raise ClockError(f"unknown calendar {calendar!r}: use one of {', '.join(sorted(CALENDARS))}")
    if language not in LANGUAGES:
        raise ClockError(f"unknown language {language!r}: use one of {', '.join(LANGUAGES)}")
    try:
        return _deadline(received, events, options, right, as_of, with_trace, language)
    except (UnknownCalendar, YearOutOfRange) as error:
        raise ClockError(str(error)) from error
    except OverflowError as error:
        raise ClockError(f"a date lies outside the years {FIRST_YEAR} to {LAST_YEAR}") from error


def trace(
    received: datetime | date, events: Sequence[ClockEvent] = (), *, language: str = "en", **options: Any
) -> tuple[TraceLine, ...]:
    """Return only the lines that explain the date, in *language*; *options* and errors as for :func:`deadline`."""
    return deadline(received, events, language=language, with_trace=True, **options).trace


def _deadline(
    received: datetime | date,
    events: Sequence[ClockEvent],
    options: _Options,
    right: str | None,
    as_of: date | None,
    with_trace: bool,
    language: str,
) -> Deadline:
    zero = _day(received, options.zone, "the receipt")
    if not FIRST_YEAR <= zero.year <= LAST_YEAR:
        raise ClockError(f"receipt in {zero.year}: the clock counts in the years {FIRST_YEAR} to {LAST_YEAR} only")
    if as_of is not None and zero > as_of:
        raise ClockError(f"the receipt on {zero} lies in the future, after {as_of}")
    if not events:
        run = _reckon(zero, (), options)
        warnings = _right_warnings(right, options, language)
        if not options.never_extend:
            warnings += _month_end_warning(run, options, language)
        lines = _trace(received, run, run, (), (), (), None, [], (), options, language) if with_trace else ()
        return Deadline(
            run.due,
            run.extended_due,
            run.due,
            run.due,
            _end_of(run.due, options.zone),
            None,
            0,
            "running",
            tuple(warnings),
            lines,
        )
    ordered = _in_order(zero, events, options.zone, as_of)
    limit = _roll(_months(zero + _ONE_DAY if options.rule == "ico-next-day" else zero, 1), options)
    warnings = _right_warnings(right, options, language)
    plain = _reckon(zero, (), options)
    identity, verdicts = _identity_pauses(zero, ordered, limit, options)
    scope = _scope_pauses(ordered)
    asked = (*identity, *scope) if options.pause_on_clarification else identity
    counted = tuple(pause for pause in asked if pause.start <= limit)
    ignored = tuple(pause for pause in asked if pause.start > limit)
    disputed = () if options.pause_on_clarification else scope
    run = _reckon(zero, counted, options) if counted else plain

    notices = [day for kind, day in ordered if kind == "extended"]
    effective: bool | None = None
    in_time_unpaused = False
    if notices:
        effective = not options.never_extend and (run.open is not None or notices[0] <= run.due)
        in_time_unpaused = effective and notices[0] <= plain.due
    due = None if run.open else run.due
    # What to aim for where a suspension may be contested: an extension that is in time without it holds all the same.
    unpaused = plain.extended_due if in_time_unpaused else plain.due

    warnings += _pause_warnings(zero, ordered, counted, ignored, disputed, verdicts, limit, unpaused, options, language)
    if right in NO_IDENTITY and any(pause.about == "identity" for pause in counted):
        warnings.append(warning("identity-not-needed", language, unpaused=unpaused))
    if notices and not options.never_extend:
        if not effective:
            warnings.append(warning("extension-too-late", language, notice=notices[0], due=run.due))
        elif run.open is None and run.raw < notices[0]:
            warnings.append(warning("extension-on-rolled-day", language, notice=notices[0], month_end=run.raw))
        if effective and not in_time_unpaused:
            warnings.append(warning("extension-depends-on-pause", language, notice=notices[0], unpaused=plain.due))
        warnings += [warning("second-extension", language, notice=notice) for notice in notices[1:]]
    if not options.never_extend:
        warnings += _month_end_warning(run, options, language)
    lines = ()
    if with_trace:
        forwards = tuple(day for kind, day in ordered if kind == "forwarded_to_dpo")
        lines = _trace(
            received, run, plain, counted, ignored, disputed, effective, notices, forwards, options, language
        )
        if counted:
            lines += (_line("if-not-paused", language, zero, plain.due, day=plain.due),)
            if in_time_unpaused:
                lines += (_line("if-not-paused-extended", language, notices[0], unpaused, day=unpaused),)
    return Deadline(
        due,
        run.extended_due,
        plain.due,
        unpaused,
        _end_of(due, options.zone) if due else None,
        effective,
        run.days,
        "paused" if run.open else "extended" if effective else "running",
        tuple(warnings),
        lines,
    )


# --- dates -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    # zoneinfo answers a bad name with KeyError, ValueError or, for a folder of its data, an OSError.
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise ClockError(f"unknown time zone {name!r}: use a name such as Europe/Paris") from error


def _day(at: datetime | date, zone: tzinfo, what: str) -> date:
    if isinstance(at, datetime):
        if at.tzinfo is None or at.utcoffset() is None:
            raise ClockError(f"{what} has a time without an offset from UTC; write e.g. 2025-03-05T10:00:00+01:00")
        return at.astimezone(zone).date()
    return at


@lru_cache(maxsize=65536)
def _months(start: date, months: int) -> date:
    """Return the day with the same number *months* later, else that month's last day (Reg. 1182/71 art. 3(2)(c))."""
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    if start.day > 28:
        return date(year, month, min(start.day, monthrange(year, month)[1]))
    return date(year, month, start.day)


def _roll(day: date, options: _Options) -> date:
    """Return *day*, or the next working day where it is none (Reg. 1182/71 art. 3(4), 2(2); art. 642 CPC)."""
    while day.weekday() > 4 or day in holiday_dates(day.year, options.calendar) or day in options.extra:
        day += _ONE_DAY
    return day


def _after_working_days(day: date, count: int, options: _Options) -> date:
    for _ in range(count):
        day = _roll(day + _ONE_DAY, options)
    return day


@lru_cache(maxsize=65536)
def _end_of(day: date, zone: tzinfo) -> datetime:
    """Return the instant *day* ends in *zone*, in UTC: 24:00, whatever the clocks did that night."""
    return datetime.combine(day + _ONE_DAY, time.min, zone).astimezone(UTC)


# --- events ----------------------------------------------------------------------------------------------------------


def _in_order(zero: date, events: Iterable[ClockEvent], zone: tzinfo, as_of: date | None) -> list[tuple[str, date]]:
    """Check the events and return them by time; where only the date is known, questions before answers.

    Compared with the receipt by civil date, not by instant: a mail server's clock some seconds ahead of ours must not
    make a case impossible.
    """
    keyed = []
    for event in events:
        if event.type not in _PRIORITY:
            raise ClockError(f"unknown event type {event.type!r}: use one of {', '.join(EVENT_TYPES)}")
        day = _day(event.at, zone, event.type)
        if day < zero:
            raise ClockError(f"{event.type} on {day} lies before the receipt on {zero}")
        if as_of is not None and day > as_of:
            raise ClockError(f"{event.type} on {day} lies in the future, after {as_of}")
        if isinstance(event.at, datetime):
            moment = event.at.timestamp()
        else:
            moment = float("-inf") if event.type in _QUESTIONS else float("inf")
        keyed.append((day, moment, _PRIORITY[event.type], event.type))
    keyed.sort()
    return [(kind, day) for day, _, _, kind in keyed]


class _Verdicts(NamedTuple):
    late: list[tuple[date, date]]
    """(received, judged) of each verdict that came late but reopened the suspension."""
    void: list[date]
    unasked: list[date]


def _identity_pauses(
    zero: date, ordered: Iterable[tuple[str, date]], limit: date, options: _Options
) -> tuple[tuple[_Pause, ...], _Verdicts]:
    """Return the suspensions for identity: each runs from the first question until enough was received (EDPB-T).

    What was received and then found insufficient ended nothing, unless the verdict came after the due date: a clock
    that has run out is not stopped in retrospect.
    """
    pauses: list[_Pause] = []
    verdicts = _Verdicts([], [], [])
    since: date | None = None
    for kind, day in ordered:
        if kind == "identity_requested":
            since = since or day
        elif kind == "identity_received":
            if since is not None:
                pauses.append(_Pause(since, day, "identity"))
                since = None
            elif not pauses:
                raise ClockError(f"identity_received on {day}, but identity was not asked before")
        # Asked again on the day of the verdict: still the same suspension, whichever of the two is written down first.
        elif kind == "identity_insufficient" and since in (None, day):
            if not pauses:
                if since is None:
                    verdicts.unasked.append(day)
                continue
            last = pauses[-1]
            if day > _reckon(zero, tuple(p for p in pauses if p.start <= limit), options).due:
                verdicts.void.append(day)
                continue
            if last.end and day > _after_working_days(last.end, options.late_after, options):
                verdicts.late.append((last.end, day))
            since = pauses.pop().start
    if since is not None:
        pauses.append(_Pause(since, None, "identity"))
    return tuple(pauses), verdicts


def _scope_pauses(ordered: Iterable[tuple[str, date]]) -> tuple[_Pause, ...]:
    pauses: list[_Pause] = []
    since: date | None = None
    for kind, day in ordered:
        if kind == "clarification_requested":
            since = since or day
        elif kind == "clarification_received":
            if since is not None:
                pauses.append(_Pause(since, day, "clarification"))
                since = None
            elif not pauses:
                raise ClockError(f"clarification_received on {day}, but no clarification was asked before")
    if since is not None:
        pauses.append(_Pause(since, None, "clarification"))
    return tuple(pauses)


def clock_events(rows: Iterable[tuple[str, datetime]], received: datetime) -> tuple[ClockEvent, ...]:
    """Pick from a journal's (event type, instant) rows those that bear on the clock of a request got at *received*.

    The clock itself is strict; a journal is not always tidy. A proof or an explanation that came unasked ends no
    suspension and is left out, and an event that another machine's clock put just before the receipt (an hour at most)
    is taken as simultaneous with it.
    """
    picked: list[ClockEvent] = []
    asked: set[str] = set()
    for kind, at in sorted(((k, a) for k, a in rows if k in _PRIORITY), key=lambda r: (r[1], _PRIORITY[r[0]])):
        topic = kind.partition("_")[0]
        if kind in _QUESTIONS:
            asked.add(topic)
        elif topic in ("identity", "clarification") and topic not in asked:
            continue
        skewed = timedelta(0) < received - at <= timedelta(hours=1)
        picked.append(ClockEvent(kind, received if skewed else at))
    return tuple(picked)


# --- reckoning -------------------------------------------------------------------------------------------------------


def _suspended(pauses: Iterable[_Pause], after: date) -> int:
    """Count the days of the suspensions that are over, overlaps once: the day asked is not counted, the last one is."""
    days = 0
    covered = after
    for start, end, _ in sorted((p for p in pauses if p.end), key=lambda p: p.start):
        if end is not None and end > covered:
            days += (end - max(start, covered)).days
            covered = end
    return days


def _reckon(zero: date, counted: tuple[_Pause, ...], options: _Options) -> _Run:
    start = zero + _ONE_DAY if options.rule == "ico-next-day" else zero
    still_open = None
    latest: date | None = None
    days = added = 0
    if counted:
        ends = [p.end for p in counted if p.end]
        latest = max(ends, default=None)
        still_open = min((p for p in counted if p.end is None), default=None, key=lambda p: p.start)
        days = added = _suspended(counted, zero)
        if options.rule == "restart-on-id":
            # The month starts again, so the days before that are not added on top of it.
            start = max((p.end for p in counted if p.end and p.about == "identity"), default=zero)
            added = _suspended((p for p in counted if p.about == "clarification"), start)
    first_end = _months(start, 1)
    raw = first_end + timedelta(days=added) if added else first_end
    extended_raw = _months(start, 3)
    if added:
        extended_raw += timedelta(days=added)
    if latest is not None:
        raw, extended_raw = max(raw, latest), max(extended_raw, latest)
    return _Run(
        zero,
        start,
        first_end,
        days,
        added,
        latest,
        raw,
        _roll(raw, options),
        extended_raw,
        _roll(extended_raw, options),
        still_open,
    )


# --- warnings --------------------------------------------------------------------------------------------------------


def _right_warnings(right: str | None, options: _Options, language: str) -> list[str]:
    found = []
    if right == "objection":
        found.append(warning("marketing-objection", language))
    elif right == "consent_withdrawal":
        found.append(warning("withdrawal-at-once", language))
    elif right == "breach_report":
        found.append(warning("breach-72h", language))
    if options.never_extend:
        found.append(warning("minor-erasure", language))
    return found


def _pause_warnings(
    zero: date,
    ordered: Iterable[tuple[str, date]],
    counted: tuple[_Pause, ...],
    ignored: tuple[_Pause, ...],
    disputed: tuple[_Pause, ...],
    verdicts: _Verdicts,
    limit: date,
    unpaused: date,
    options: _Options,
    language: str,
) -> list[str]:
    found = []
    first = next((day for kind, day in ordered if kind == "identity_requested"), None)
    if first and counted and first <= limit and first > _after_working_days(zero, options.late_after, options):
        facts = {"asked": first, "limit": options.late_after, "unpaused": unpaused}
        found.append(warning("late-identity-request", language, **facts))
    for received, judged in verdicts.late:
        found.append(warning("late-verdict", language, received=received, judged=judged, unpaused=unpaused))
    found += [warning("verdict-too-late", language, judged=judged) for judged in verdicts.void]
    found += [warning("verdict-without-request", language, judged=judged) for judged in verdicts.unasked]
    found += [warning("pause-too-late", language, asked=pause.start, limit=limit) for pause in ignored]
    if disputed:
        found.append(warning("disputed-clarification", language))
    if any(pause.about == "clarification" for pause in counted):
        found.append(warning("clarification-paused", language, unpaused=unpaused))
    return found


def _month_end_warning(run: _Run, options: _Options, language: str) -> list[str]:
    """Warn where "three months from receipt" and "two further months" part: from a 31st, or around February."""
    if run.start.day < 29:
        return []
    shift = run.extended_raw - _months(run.start, 3)
    from_end = _roll(_months(run.first_end, 2) + shift, options)
    if from_end == run.extended_due:
        return []
    return [warning("month-end-extension", language, from_receipt=run.extended_due, from_end=from_end)]


# --- trace -----------------------------------------------------------------------------------------------------------


def _trace(
    received: datetime | date,
    run: _Run,
    plain: _Run,
    counted: tuple[_Pause, ...],
    ignored: tuple[_Pause, ...],
    disputed: tuple[_Pause, ...],
    effective: bool | None,
    notices: list[date],
    forwards: tuple[date, ...],
    options: _Options,
    language: str,
) -> tuple[TraceLine, ...]:
    lines: list[TraceLine] = []

    def say(rule: str, from_: object, to: object, **facts: object) -> None:
        lines.append(_line(rule, language, from_, to, **facts))

    say("receipt", received, run.zero, day=run.zero, zone=options.zone_name)
    for day in forwards:
        say("forwarded", day, run.zero, day=day, days=(day - run.zero).days)
    if options.rule == "ico-next-day":
        say("next-day", run.zero, run.start, day=run.start)
    elif run.start != run.zero:
        say("restart", run.zero, run.start, day=run.start)
    clamped = run.first_end.day != run.start.day
    say("month-end" if clamped else "month", run.start, run.first_end, number=run.start.day, day=run.first_end)
    for pause in sorted(counted, key=lambda p: p.start):
        if pause.end is None:
            say(f"{pause.about}-open", pause.start, "", asked=pause.start)
        else:
            days = (pause.end - pause.start).days
            say(f"{pause.about}-pause", pause.start, pause.end, asked=pause.start, received=pause.end, days=days)
    for pause in ignored:
        say("pause-not-counted", pause.start, pause.end or "", asked=pause.start, limit=plain.due)
    for pause in disputed:
        if pause.end is None:
            say("clarification-not-counted-open", pause.start, "", asked=pause.start)
        else:
            other = _reckon(run.zero, (*counted, pause) if pause.start <= plain.due else counted, options)
            say("clarification-not-counted", pause.start, pause.end, asked=pause.start, other=other.due)
    if run.open is None:
        shifted = run.first_end + timedelta(days=run.added)
        if run.added:
            say("suspension", run.first_end, shifted, days=run.added, day=shifted)
        if run.latest and run.raw == run.latest > shifted:
            say("guard", shifted, run.raw, day=run.raw)
        _say_roll(say, run.raw, run.due, options, language)
    if not notices:
        if run.open is None and not options.never_extend:
            say("extension-possible", run.start, run.extended_due, day=run.extended_due)
    elif options.never_extend:
        say("extension-minor", notices[0], "", notice=notices[0])
    elif effective:
        if run.open is None:
            say("first-limit", run.due, _end_of(run.due, options.zone), day=run.due, zone=options.zone_name)
        say("extension", notices[0], run.extended_raw, notice=notices[0], days=run.added, day=run.extended_raw)
        _say_roll(say, run.extended_raw, run.extended_due, options, language)
    else:
        say("extension-too-late", notices[0], "", notice=notices[0])
    for notice in notices[1:]:
        say("second-extension", notice, "", notice=notice)
    if run.open is None:
        last = run.extended_due if effective else run.due
        say("last-instant", last, _end_of(last, options.zone), day=last, zone=options.zone_name)
    return tuple(lines)


def _line(rule: str, language: str, from_: object, to: object, **facts: object) -> TraceLine:
    source, text = trace_text(rule, language, **facts)
    return TraceLine(rule, source, _iso(from_), _iso(to), text)


def _say_roll(say: Any, raw: date, due: date, options: _Options, language: str) -> None:
    if raw == due:
        say("no-roll", raw, due, day=due)
        return
    skipped = []
    day = raw
    while day < due:
        reasons = []
        if day.weekday() > 4:
            reasons.append(NOT_WORKING[language][day.weekday() - 5])
        name = holiday_name(day, options.calendar, language, options.extra)
        if name:
            reasons.append(name)
        skipped.append(f"{in_words(day, language)} ({', '.join(reasons)})")
        day += _ONE_DAY
    say("roll", raw, due, day=due, skipped="; ".join(skipped))


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


# --- other clocks ----------------------------------------------------------------------------------------------------


def reminders(
    deadline: Deadline,
    *,
    identity_requested: date | None = None,
    until: date | None = None,
    before: Sequence[int] = (10, 7, 3, 1),
    identity_after: int = 10,
    close_after: int = 30,
    notice_before: int = 3,
) -> tuple[Reminder, ...]:
    """Return the days on which somebody should be reminded, earliest first. All counts are in calendar days.

    Running or extended: ``due-in-N`` before the date in force for each N of *before*, ``due-today``, and ``overdue``
    daily up to *until* (without it, none). ``extension-decision``, while none was notified: the first of *before* ahead
    of ``due_if_not_paused``, the last calm moment to notify one. ``unpaused-warning``, where a suspension moved the
    date in force: as long before the date that would be in force without it.
    Suspended: ``identity-reminder`` to the person *identity_after* days after *identity_requested*;
    ``identity-notice`` *notice_before* days ahead of ``due_if_not_paused`` (what is missing and the remedies, art. 12(4):
    it must leave within the month, and somebody has to approve it); ``propose-closing`` *close_after* days after that date.
    """
    found: list[Reminder] = []
    first = before[0] if before else 0
    unpaused = deadline.due_if_not_paused
    last = deadline.in_force
    if deadline.extension_effective is None:
        found.append(Reminder(unpaused - timedelta(days=first), "extension-decision"))
    if last != deadline.in_force_if_not_paused:
        found.append(Reminder(deadline.in_force_if_not_paused - timedelta(days=first), "unpaused-warning"))
    if last is None:
        if identity_requested is not None:
            found.append(Reminder(identity_requested + timedelta(days=identity_after), "identity-reminder"))
        found.append(Reminder(unpaused - timedelta(days=notice_before), "identity-notice"))
        found.append(Reminder(unpaused + timedelta(days=close_after), "propose-closing"))
    else:
        found += [Reminder(last - timedelta(days=days), f"due-in-{days}") for days in before]
        found.append(Reminder(last, "due-today"))
        late = last + _ONE_DAY
        while until is not None and late <= until:
            found.append(Reminder(late, "overdue"))
            late += _ONE_DAY
    return tuple(sorted(found, key=lambda reminder: (reminder.date, reminder.kind)))


def after_working_days(day: date, count: int, *, calendar: str = "FR", extra_holidays: Collection[date] = ()) -> date:
    """Return the *count*-th working day after *day* (Reg. 1182/71 art. 2(2), 3(4)): no Saturday, Sunday or holiday.

    Raises :class:`ClockError` for an unknown calendar or a year outside 1971-2100.
    """
    if calendar not in CALENDARS:
        raise ClockError(f"unknown calendar {calendar!r}: use one of {', '.join(sorted(CALENDARS))}")
    options = _Options(UTC, "UTC", "edpb", calendar, frozenset(extra_holidays), False, False, 3)
    try:
        return _after_working_days(day, count, options)
    except YearOutOfRange as error:
        raise ClockError(str(error)) from error


def information_limit(
    obtained: datetime | date,
    *,
    timezone: str = "Europe/Paris",
    calendar: str = "FR",
    extra_holidays: Collection[date] = (),
) -> date:
    """Return the last day to inform somebody whose data came from another person: a month after they were obtained.

    Art. 14(3)(a) GDPR, counted by Reg. 1182/71 like the month of art. 12(3); sooner where the person is written to first.
    Raises :class:`ClockError`.
    """
    found = deadline(obtained, timezone=timezone, calendar=calendar, extra_holidays=extra_holidays, with_trace=False)
    return found.due_if_not_paused


def breach_limit(reported_at: datetime) -> datetime:
    """Return when a breach known at *reported_at* must be with the authority: 72 elapsed hours later, in UTC.

    Art. 33(1) GDPR. Hours elapse on weekends, holidays and both nights of the clock change; nothing is rolled (the
    argument from Reg. 1182/71 art. 3(5) is not relied on). Raises :class:`ClockError` for an instant without an offset.
    """
    if reported_at.tzinfo is None or reported_at.utcoffset() is None:
        raise ClockError("the report has a time without an offset from UTC; write e.g. 2025-03-05T10:00:00+01:00")
    return reported_at.astimezone(UTC) + _BREACH
