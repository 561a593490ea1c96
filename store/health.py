"""Signs of life of the parts, so that silence is noticed: last success, failures since."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from store.models import Health


def _row(session: Session, part: str) -> Health:
    return session.get(Health, part) or Health(part=part)


def worked(session: Session, *, part: str, now: datetime) -> bool:
    """Note that *part* works; say whether it had been failing."""
    row = _row(session, part)
    was_failing = row.failures > 0
    row.ok_at, row.failing_since, row.failures, row.problem = now, None, 0, ""
    session.add(row)
    session.flush()
    return was_failing


def failed(session: Session, *, part: str, now: datetime, problem: str) -> int:
    """Note that *part* failed; return how many times in a row."""
    row = _row(session, part)
    row.failures += 1
    row.failing_since = row.failing_since or now
    row.problem = problem[:500]
    session.add(row)
    session.flush()
    return row.failures


def all_parts(session: Session) -> list[Health]:
    """Return every part that ever reported."""
    return list(session.exec(select(Health).order_by(col(Health.part))))


def of(session: Session, part: str) -> Health | None:
    """Return what is known of one part."""
    return session.get(Health, part)
