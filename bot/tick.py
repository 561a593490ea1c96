"""Once a day: what a date brings. Repeated, it changes nothing; after downtime, it catches up on every day it
missed."""

from __future__ import annotations

import logging
from datetime import date, datetime, time, timedelta

from sqlmodel import Session, col, select

from bot import casework
from bot.app import App
from bot.purge import purge
from bot.tasks import inform_open
from handlers.clock import Reminder, after_working_days, breach_limit, reminders
from handlers.opening import identity_facts, letter_facts
from handlers.types import Deadline, Letter, Notice
from store import cases, journal, messages
from store.models import Case, Event, Marker

log = logging.getLogger("dpobot.tick")

START = time(7, 30)
"""Reminders come at a civil hour, never at midnight."""
LONGEST_GAP = 60
"""Days of downtime that are looked back upon."""

_NOTICES = {
    "due-today": ("due", True),
    "overdue": ("overdue", True),
    "extension-decision": ("extension_decision", False),
    "unpaused-warning": ("unpaused_warning", True),
    "propose-closing": ("propose_closing", False),
}


def tick(app: App) -> bool:
    """Do what today brings, if it was not done yet and the day has begun; say whether something was done."""
    now = app.clock.now()
    local = now.astimezone(app.settings.zone)
    if local.time() < START:
        return False
    today = local.date()
    with app.database.transaction() as session:
        last = _last(session)
        if session.get(Marker, f"tick:{today}") is not None:
            return False
        session.add(Marker(key=f"tick:{today}", at=now))
        since = max(last or today - timedelta(days=1), today - timedelta(days=LONGEST_GAP))
        for case in cases.listed(session, open_only=True):
            _case(session, app, case, since=since, today=today, now=now)
        _unsorted(session, app, today=today, now=now)
    taken = purge(app)
    log.info("tick.done", extra={"day": today.isoformat(), "documents": taken.documents, "messages": taken.messages})
    return True


def _last(session: Session) -> date | None:
    query = select(Marker.key).where(col(Marker.key).like("tick:%")).order_by(col(Marker.key).desc()).limit(1)
    found = session.exec(query).first()
    return date.fromisoformat(found.removeprefix("tick:")) if found else None


def _case(session: Session, app: App, case: Case, *, since: date, today: date, now: datetime) -> None:
    _inform(session, app, case, since=since, today=today, now=now)
    before = case.due
    computed = casework.project(session, app, case)
    if case.due != before:
        # Every event of a case computes its dates anew; what moves one overnight is the calendar: a holiday, a rule.
        moved = {"before": before.isoformat() if before else "", "due": case.due.isoformat() if case.due else ""}
        casework.note(session, app, case, "due_changed", actor="bot", now=now, data=moved)
        _tell(session, app, case, Notice("due_changed", urgent=True, facts=moved), today=today, now=now)
    if case.state in ("answered", "refused", "partially_refused"):
        return
    events = journal.of_case(session, case.id or 0)
    asked = _asked_on(app, events)
    settings = app.settings.identity
    found = reminders(
        computed,
        identity_requested=asked,
        until=today,
        identity_after=settings.remind_after_days,
        close_after=settings.close_after_days,
    )
    # Of what was missed during downtime only the newest of each kind is told: a reminder of a date long past helps
    # nobody.
    newest = {reminder.kind: reminder for reminder in found if since < reminder.date <= today}
    for reminder in newest.values():
        _remind(session, app, case, reminder, events, today=today, now=now)
    _parts(session, app, case, computed, events, since=since, today=today, now=now)
    if "breach_report" in casework.state(events).open_rights:
        limit = breach_limit(case.received_at)
        kind = "breach_clock" if now < limit else "breach_overdue"
        facts = {"limit": limit.astimezone(app.settings.zone).strftime("%d/%m %H:%M")}
        _tell(session, app, case, Notice(kind, urgent=True, facts=facts), today=today, now=now)


def _inform(session: Session, app: App, case: Case, *, since: date, today: date, now: datetime) -> None:
    """Art. 14(3): remind while a person whose data came from somebody else has not been told, answered or not."""
    limit = inform_open(session, app, case, journal.of_case(session, case.id or 0))
    if limit is None:
        return
    due = any(since < limit - timedelta(days=days) <= today for days in (7, 3, 1, 0))
    if due or today > limit:
        kind = "inform_overdue" if today > limit else "inform_due"
        notice = Notice(kind, urgent=today >= limit, facts={"due": limit.isoformat()})
        _tell(session, app, case, notice, today=today, now=now)


def _parts(
    session: Session,
    app: App,
    case: Case,
    computed: Deadline,
    events: list[Event],
    *,
    since: date,
    today: date,
    now: datetime,
) -> None:
    """The rights of a case that do not wait for proof: their own last days, and what the law wants at once.

    An objection to advertising and the withdrawal of a consent are not a month's business (art. 21(3), 7(3)): two working
    days after receipt the desk is told, urgently and daily, until the answer has left.
    """
    left = casework.state(events).open_rights
    calendar = app.settings.calendar
    at_once = [right for right in left if right in ("objection", "consent_withdrawal")]
    limit = after_working_days(
        casework.today(app, case.received_at), 2, calendar=calendar.holidays, extra_holidays=calendar.extra_holidays
    )
    over = casework.clocks(app, case, events)
    late = any(clock.in_force is not None and today > clock.in_force for clock in over.values())
    # Past the month, that it is overdue says more.
    if at_once and today > limit and not late:
        facts = {"rights": ", ".join(at_once), "since": limit.isoformat()}
        _tell(session, app, case, Notice("at_once_overdue", urgent=True, facts=facts), today=today, now=now)
    if computed.in_force is not None:
        return
    # The case is suspended; what needs no proof runs on.
    running = {c.in_force: c for right, c in over.items() if right in left and c.in_force}
    for clock in running.values():
        found = [r for r in reminders(clock, until=today) if r.kind.startswith(("due-", "overdue"))]
        for reminder in {r.kind: r for r in found if since < r.date <= today}.values():
            kind, urgent = _NOTICES.get(reminder.kind, ("due", reminder.kind in ("due-in-1", "due-in-3")))
            facts = {"part": "true", "due": clock.in_force.isoformat() if clock.in_force else ""}
            _tell(session, app, case, Notice(kind, urgent=urgent, facts=facts), today=today, now=now)


def _asked_on(app: App, events: list[Event]) -> date | None:
    asked = [e.at for e in events if e.type in ("identity_requested", "identity_insufficient")]
    return asked[-1].astimezone(app.settings.zone).date() if asked else None


def _remind(
    session: Session, app: App, case: Case, reminder: Reminder, events: list[Event], *, today: date, now: datetime
) -> None:
    if reminder.kind == "identity-reminder":
        automatic = app.settings.identity.request == "auto"
        _letter(session, app, case, "case/identity_reminder", "reminder", events, automatic=automatic, now=now)
    elif reminder.kind == "identity-notice":
        _letter(session, app, case, "case/not_identified", "notice", events, automatic=False, now=now)
        _tell(session, app, case, Notice("identity_notice", urgent=True), today=today, now=now)
    else:
        kind, urgent = _NOTICES.get(reminder.kind, ("due", reminder.kind in ("due-in-1", "due-in-3")))
        _tell(session, app, case, Notice(kind, urgent=urgent), today=today, now=now)


def _letter(
    session: Session,
    app: App,
    case: Case,
    template: str,
    kind: str,
    events: list[Event],
    *,
    automatic: bool,
    now: datetime,
) -> None:
    need = casework.identity_need_of(events)
    situation = casework.situation(session, app, case, identity=need, now=now)
    facts = {
        **letter_facts(cases.facts_of(case), situation),
        "identity": identity_facts(need),
        "reminder": True,
        "insufficient": any(event.type == "identity_insufficient" for event in events),
    }
    letter = Letter(template, case.language, facts, kind, automatic)
    step = f"{template}:{sum(e.type == 'identity_requested' for e in events)}"
    casework.write_letter(session, app, case, letter, step=step, now=now)


def _tell(session: Session, app: App, case: Case, notice: Notice, *, today: date, now: datetime) -> None:
    casework.tell_desk(
        session, app, notice, subject=f"case:{case.id}", key_id=case.key_id, step=f"tick-{today}", now=now, case=case
    )


def _unsorted(session: Session, app: App, *, today: date, now: datetime) -> None:
    """Items nobody sorted: their clock runs too, so they are called up as their would-be date draws near."""
    for message in messages.waiting_for_a_person(session):
        left = (casework.would_be_due(app, message.received_at) - today).days
        waited = (now - message.received_at).days
        if waited in (2, 5) or left in (10, 7, 3, 1, 0) or left < 0:
            notice = Notice("to_sort", urgent=left <= 3)
            casework.tell_desk(
                session,
                app,
                notice,
                subject=f"message:{message.id}",
                key_id=message.key_id,
                step=f"tick-{today}",
                now=now,
            )
