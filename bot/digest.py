"""The weekly digest: when it is due, what it says, and how it gets into the outbox, once a week.

It leaves also when there is nothing to tell, since silence is the alarm (a worker that is down sends none), and carries
the head of the journal, so that the reader's mailbox bears witness to it (accountability, art. 5(2) GDPR).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, or_, select

from bot import casework, chart, switch
from bot.app import App
from bot.desk.words import IDENTITY, KINDS, RIGHTS, STATES, word
from bot.letters import new_message_id
from bot.mail_policy import MAIL_POLICY
from bot.settings import Settings
from bot.tasks import owed, tracked
from handlers import weekly
from handlers.lifecycle import WORKING
from handlers.tasks import restricted_since
from handlers.weekly import CaseLine, Digest, Entry, ItemLine, LetterLine, Part, TaskLine, Vitals
from store import cases, drafts, health, journal, messages, outbox
from store.models import Case, Event, Marker, Message, OutboxItem
from templates.digest import render_digest

log = logging.getLogger("dpobot.digest")

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
MARKER = "digest:"

_SILENT_AFTER = timedelta(minutes=30)
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class DigestMail:
    """The digest, ready to be wrapped into a mail. ``html`` shows ``png`` by ``cid:<cid>``."""

    subject: str
    text: str
    html: str
    png: bytes
    cid: str


# --- when ------------------------------------------------------------------------------------------------------------


def scheduled(now: datetime, settings: Settings) -> datetime:
    """Return the latest moment at or before *now* (aware) that the digest was set for, in UTC.

    Counted on the organisation's calendar, so that 8 o'clock stays 8 o'clock on both sides of a clock change. A public
    holiday moves nothing: the digest is for whoever comes back.
    """
    local = now.astimezone(settings.zone)
    day = local.date() - timedelta(days=(local.weekday() - DAYS.index(settings.digest.day)) % 7)
    moment = datetime.combine(day, settings.digest.at, tzinfo=settings.zone).astimezone(UTC)
    if moment > now:
        moment = datetime.combine(day - _WEEK, settings.digest.at, tzinfo=settings.zone).astimezone(UTC)
    return moment


def week_key(now: datetime, settings: Settings) -> str:
    """Return the marker of the digest in force at *now*: ``digest:2026-W10``, by the ISO week it was set for."""
    year, week, _ = scheduled(now, settings).astimezone(settings.zone).isocalendar()
    return f"{MARKER}{year}-W{week:02}"


BORN = "store:first-round"
"""Marks when the program first worked on this store."""


def digest_due(now: datetime, settings: Settings, last: datetime | None) -> bool:
    """Say whether a digest is to leave at *now*: the latest scheduled moment has passed, and *last* came before it.

    *last* is when the last digest was queued (:func:`last_digest`), None if none ever was. After downtime the latest
    missed digest is made up for, however many were missed; the same one is never due twice. The first digest of a new
    store is due at once, and shows that mail gets through.
    """
    return last is None or last < scheduled(now, settings)


def last_digest(session: Session) -> datetime | None:
    """Return when the last digest was queued; None before the first."""
    return session.exec(select(func.max(Marker.at)).where(col(Marker.key).startswith(MARKER))).one()


def run_digest(app: App, *, now: datetime) -> bool:
    """Queue the digest if it is due; say whether it was. Cheap when it is not: call it every round.

    A store seen for the first time starts with the next scheduled moment: there is no downtime to make up for.
    """
    with app.database.reading() as session:
        last = last_digest(session)
        born = session.get(Marker, BORN)
    if last is None and born is None:
        with app.database.transaction() as session:
            if session.get(Marker, BORN) is None:
                session.add(Marker(key=BORN, at=now))
        return False
    last = last or (born.at if born else None)
    return digest_due(now, app.settings, last) and queue_digest(app, now=now)


# --- into the outbox -------------------------------------------------------------------------------------------------


def queue_digest(app: App, *, now: datetime) -> bool:
    """Queue this week's digest, one mail a reader, in one transaction with its marker; False if that was done already.

    Readers get a mail each, so that none sees the others' addresses, and one refused mailbox holds up nobody else.
    """
    key = week_key(now, app.settings)
    with app.database.reading() as session:
        if session.get(Marker, key) is not None:
            return False
    # Drawn before the transaction: writers do not wait for a picture and a walk along the journal.
    mail = build_digest(app, now=now)
    try:
        with app.database.transaction() as session:
            if session.get(Marker, key) is not None:
                return False
            session.add(Marker(key=key, at=now))
            # Another worker that queues the same week fails here, before anything of it is written.
            session.flush()
            _enqueue(session, app, mail, key=key, now=now)
    except IntegrityError:
        return False
    log.info("digest.queued", extra={"digest": key, "readers": len(app.settings.digest.to)})
    return True


def _enqueue(session: Session, app: App, mail: DigestMail, *, key: str, now: datetime) -> None:
    key_id = app.vault.new_key(session, now=now)
    for reader in app.settings.digest.to:
        message_id = new_message_id(app, key.replace(":", "-"))
        outbox.enqueue(
            session, app.vault, key=f"{key}:{app.vault.address_hash(reader)[:16]}", channel="desk_mail", kind="digest",
            key_id=key_id, recipient=reader, payload=digest_bytes(app, mail, to=reader, message_id=message_id, now=now),
            now=now, message_id=message_id, automatic=True,
        )  # fmt: skip


def digest_bytes(app: App, mail: DigestMail, *, to: str, message_id: str, now: datetime) -> bytes:
    """Return the exact bytes of the digest for one reader: text, and HTML with its picture inside (RFC 2387).

    Marked as made by a machine (RFC 3834) and as our own, so that a copy in the mailbox we read is known as such.
    """
    made = EmailMessage(policy=MAIL_POLICY)
    user, _, domain = app.settings.mail.address.partition("@")
    made["From"] = Address(app.settings.mail.from_name, user, domain)
    made["To"] = to
    made["Subject"] = mail.subject
    made["Date"] = format_datetime(now.astimezone(app.settings.zone))
    made["Message-ID"] = f"<{message_id}>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    made["X-Dpobot"] = app.vault.token("own-mail", message_id)
    made.set_content(mail.text, subtype="plain", charset="utf-8", cte="quoted-printable")
    made.add_alternative(mail.html, subtype="html", charset="utf-8", cte="quoted-printable")
    html = made.get_body(("html",))
    assert html is not None
    html.add_related(
        mail.png, maintype="image", subtype="png", cid=f"<{mail.cid}>", disposition="inline", filename="digest.png"
    )
    made["Content-Language"] = app.settings.digest.language
    return made.as_bytes()


# --- what it says ----------------------------------------------------------------------------------------------------


def build_digest(app: App, *, now: datetime) -> DigestMail:
    """Make the digest of *now* (aware) from the store, without sending or marking anything."""
    language = app.settings.digest.language
    with app.database.reading() as session:
        since = last_digest(session) or now - _WEEK
        facts = gather(session, app, since=since, now=now)
    cid = f"digest-{facts.today.isoformat()}@{app.settings.mail.address.rsplit('@', 1)[1]}"
    rendered = render_digest(language, _context(app, facts, since=since, cid=cid))
    png = chart.bars(facts.by_days_left, language=language)
    return DigestMail(rendered.subject, rendered.text, rendered.html, png, cid)


def gather(session: Session, app: App, *, since: datetime, now: datetime) -> Digest:
    """Read the facts of the digest. States and dates are computed from the journal, like everywhere else."""
    waiting = Counter(draft.case_id for draft in drafts.all_proposed(session))
    lines: list[CaseLine] = []
    letters: list[LetterLine] = []
    for case in cases.listed(session, open_only=True):
        assert case.id is not None
        events = journal.of_case(session, case.id)
        lines.append(_case_line(app, case, events, drafts_waiting=waiting[case.id]))
        letters += _came_back(app, case, events, since=since)
    letters += _not_sent(session, app, since=since)
    return weekly.digest(
        lines,
        today=casework.today(app, now),
        vitals=_vitals(session, app, since=since, now=now),
        to_sort=_to_sort(session, app),
        letters=letters,
        ignored=_ignored(session, since=since, now=now),
        tasks=_tasks(session, app),
    )


def _tasks(session: Session, app: App) -> Iterable[TaskLine]:
    """Cases whose answer has left while tasks are open, closed or not, and those whose data are restricted."""
    for case in cases.listed(session):
        if not case.address_hash or case.state in WORKING | {"to_sort", "not_request", "withdrawn"}:
            continue
        events = journal.of_case(session, case.id or 0)
        left = owed(session, app, case, events)
        since = restricted_since(tracked(session, app, case, events))
        if left or since is not None:
            on = since.astimezone(app.settings.zone).date() if since is not None else None
            yield TaskLine(case.reference, tuple(case.rights), len(left), on)


def _case_line(app: App, case: Case, events: Sequence[Event], *, drafts_waiting: int) -> CaseLine:
    deadline = casework.deadline_of(app, case, events)
    state = casework.state(events)
    return CaseLine(
        reference=case.reference,
        rights=state.rights or tuple(case.rights),
        state=state.state,
        identity=state.identity,
        due=deadline.in_force,
        due_if_not_paused=deadline.in_force_if_not_paused,
        extended=deadline.state == "extended",
        drafts=drafts_waiting,
    )


def _came_back(app: App, case: Case, events: Sequence[Event], *, since: datetime) -> list[LetterLine]:
    """The letters of a case that a mail server gave back, unless one of the same kind has left since.

    A report of mere delay is told once: later the letter has arrived, or a final report has come.
    """
    found: dict[str, LetterLine] = {}
    for event in events:
        if event.type == "letter_sent":
            found.pop(str(event.data.get("kind", "")), None)
            found.pop("", None)
        elif event.type == "letter_bounced":
            delayed = event.data.get("kind") == "delayed"
            if delayed and event.recorded_at < since:
                continue
            kind = str(event.data.get("letter", ""))
            day = event.at.astimezone(app.settings.zone).date()
            found[kind] = LetterLine(case.reference, kind, "delayed" if delayed else "bounced", day)
    return list(found.values())


def _not_sent(session: Session, app: App, *, since: datetime) -> Iterable[LetterLine]:
    """What failed or may or may not have left, unless a letter of the same kind has left since, or the case is over."""
    for item in outbox.unsettled(session):
        case = session.get(Case, item.case_id) if item.case_id is not None else None
        over = case is None or case.state in cases.CLOSED
        if item.channel == "desk" or (over and item.created_at < since):
            continue
        if case is not None and case.id is not None:
            later = [
                i for i in outbox.of_case(session, case.id) if i.kind == item.kind and (i.id or 0) > (item.id or 0)
            ]
            if any(i.status == "sent" for i in later):
                continue
        day = (item.claimed_at or item.created_at).astimezone(app.settings.zone).date()
        fate: weekly.Fate = "uncertain" if item.status == "uncertain" else "failed"
        yield LetterLine(case.reference if case else "", item.kind, fate, day)


def _to_sort(session: Session, app: App) -> Iterable[ItemLine]:
    # Single columns: the messages themselves may be tens of megabytes each.
    query = select(Message.id, Message.disposition, Message.received_at, Message.primary).where(
        col(Message.disposition).in_(messages.TO_A_PERSON), col(Message.sorted_at).is_(None)
    )
    for number, kind, received_at, primary in session.exec(query):
        assert number is not None
        yield ItemLine(
            number=number,
            kind=kind,
            received_on=received_at.astimezone(app.settings.zone).date(),
            suggestion="" if kind == "authority" else primary,
            due_if_request=None if kind == "authority" else casework.would_be_due(app, received_at),
        )


def _ignored(session: Session, *, since: datetime, now: datetime) -> Mapping[str, int]:
    query = (
        select(Message.primary, func.count())
        .where(Message.disposition == "ignored", col(Message.recorded_at) > since, col(Message.recorded_at) <= now)
        .group_by(Message.primary)
    )
    return {primary or "not_request": count for primary, count in session.exec(query)}


def _vitals(session: Session, app: App, *, since: datetime, now: datetime) -> Vitals:
    due = or_(col(OutboxItem.next_try_at) <= now, col(OutboxItem.attempts) > 0)
    left_behind = select(func.count(), func.min(OutboxItem.created_at)).where(
        col(OutboxItem.status).in_(("pending", "sending")), due
    )
    queued, oldest = session.exec(left_behind).one()
    lost = select(func.count()).where(
        OutboxItem.channel == "desk",
        col(OutboxItem.status).in_(("failed", "uncertain")),
        col(OutboxItem.created_at) >= since,
    )
    broken = journal.verify(session)
    return Vitals(
        now=now,
        parts=_parts(session, app),
        queued=queued,
        queued_since=oldest,
        notices_failed=session.exec(lost).one(),
        journal_head=journal.head(session),
        journal_entries=session.exec(select(func.count()).select_from(Event)).one(),
        journal_broken_at=broken.event_id if broken else None,
        halted=switch.stopped(app.settings),
    )


def _parts(session: Session, app: App) -> tuple[Part, ...]:
    """The parts that ever reported, and those that are set up and never did."""
    settings = app.settings
    # A mailbox is asked all the time, so its silence means something; mail and cards leave when there are some.
    silence: dict[str, timedelta | None] = {"smtp": None}
    if settings.imap is not None:
        silence["imap"] = max(_SILENT_AFTER, 3 * timedelta(seconds=settings.imap.poll_seconds))
    if settings.telegram is not None:
        silence["telegram"] = None
    parts: list[Part] = []
    for row in health.all_parts(session):
        # What follows a colon may be an account.
        name = row.part.partition(":")[0]
        parts.append(Part(name, row.ok_at, row.failing_since, row.failures, silence.get(name)))
    missing = [
        Part(name, None, silent_after=after) for name, after in silence.items() if name not in {p.name for p in parts}
    ]
    return tuple(sorted((*parts, *missing), key=lambda part: part.name))


# --- for the templates -----------------------------------------------------------------------------------------------


def _context(app: App, facts: Digest, *, since: datetime, cid: str) -> dict[str, Any]:
    language = app.settings.digest.language
    sections = {
        name: [_row(entry, language) for entry in getattr(facts, name)]
        for name in ("overdue", "this_week", "later", "paused", "answered")
    }
    vitals = _health(app, facts.vitals)
    return {
        "organisation": app.settings.organisation.name,
        "today": facts.today,
        "since": since.astimezone(app.settings.zone),
        "figures": {
            **{name: len(rows) for name, rows in sections.items()},
            "open": facts.open,
            "to_sort": len(facts.to_sort),
            "drafts": sum(row["drafts"] for rows in sections.values() for row in rows),
        },
        "sections": sections,
        "to_sort": [_item(item, facts, language) for item in facts.to_sort],
        "letters": [
            {
                "reference": line.reference,
                "kind": _WEEKLY[language] if line.kind == "digest" else word(KINDS, language, line.kind),
                "fate": line.fate,
                "on": line.on,
            }
            for line in facts.letters
        ],
        "tasks": [
            {
                "reference": line.reference,
                "rights": ", ".join(word(RIGHTS, language, right) for right in line.rights),
                "open": line.open,
                "since": line.restricted_since,
            }
            for line in facts.tasks
        ],
        "ignored": {
            "total": sum(facts.ignored.values()),
            "kinds": [{"label": word(RIGHTS, language, code), "count": count} for code, count in facts.ignored.items()],
        },
        "health": vitals,
        "alarms": _alarms(vitals),
        "bars": [{"code": code, "count": count} for code, count in facts.by_days_left],
        "chart": {"cid": cid, "width": chart.WIDTH, "height": chart.height(len(facts.by_days_left))},
    }


_WEEKLY = {"fr": "bilan hebdomadaire", "en": "weekly digest"}


def _row(entry: Entry, language: str) -> dict[str, Any]:
    case = entry.case
    return {
        "reference": case.reference,
        "rights": ", ".join(word(RIGHTS, language, right) for right in case.rights),
        "date": case.due or case.due_if_not_paused,
        "days_left": entry.days_left,
        "state": word(STATES, language, case.state),
        "identity": word(IDENTITY, language, case.identity),
        "extended": case.extended,
        "drafts": case.drafts,
    }


def _item(item: ItemLine, facts: Digest, language: str) -> dict[str, Any]:
    return {
        "number": item.number,
        "kind": item.kind,
        "suggestion": word(RIGHTS, language, item.suggestion) if item.suggestion else "",
        "received_on": item.received_on,
        "due": item.due_if_request,
        "days_left": (item.due_if_request - facts.today).days if item.due_if_request else 0,
    }


def _health(app: App, vitals: Vitals) -> dict[str, Any]:
    def local(moment: datetime | None) -> datetime | None:
        return moment.astimezone(app.settings.zone) if moment else None

    def minutes(moment: datetime | None) -> int:
        return max(int((vitals.now - moment).total_seconds() // 60), 0) if moment else 0

    return {
        "well": vitals.well,
        "parts": [
            {
                "name": part.name,
                "alarm": part.alarm(vitals.now),
                "ok_at": local(part.ok_at),
                "minutes": minutes(part.ok_at),
                "failing_since": local(part.failing_since),
                "failures": part.failures,
            }
            for part in vitals.parts
        ],
        "queued": vitals.queued,
        "queue_minutes": minutes(vitals.queued_since),
        "queue_stuck": vitals.queue_stuck,
        "notices_failed": vitals.notices_failed,
        "journal_head": vitals.journal_head,
        "journal_entries": vitals.journal_entries,
        "journal_broken_at": vitals.journal_broken_at,
        "halted": vitals.halted,
    }


def _alarms(vitals: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What tops the digest: each part of the program that needs a look now."""
    found: list[dict[str, Any]] = [{"kind": "part", "part": part} for part in vitals["parts"] if part["alarm"]]
    if vitals["queue_stuck"]:
        found.append({"kind": "queue"})
    if vitals["notices_failed"]:
        found.append({"kind": "notices"})
    if vitals["halted"]:
        found.append({"kind": "halted"})
    if vitals["journal_broken_at"] is not None:
        found.append({"kind": "journal"})
    return found
