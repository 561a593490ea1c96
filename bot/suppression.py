"""The suppression list: contacts that objected to advertising or took back a consent, as keyed hashes and nothing else.

Art. 21(3) GDPR wants the use to end at once, so the entry is made with the case, whoever answers it and when. The list tells
nobody's address: it can only say whether an address is on it (CNIL, liste repoussoir). It serves no other purpose.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlmodel import Session, col, select

from bot.app import App
from store import cases
from store.models import Case, Marker

RIGHTS = frozenset({"objection", "consent_withdrawal"})


def _key(app: App, address: str) -> str:
    return f"suppression:{app.vault.address_hash(address)}"


def enter(session: Session, app: App, case: Case, *, now: datetime) -> bool:
    """Put the requester's address on the list where the case is about advertising or a consent, or renew its entry; say
    whether it stands there now."""
    if not RIGHTS & set(case.rights):
        return False
    address = cases.person_of(session, app.vault, case).address
    if not address:
        return False
    # Who says it again is kept from then on: the entry lives three years at least after the last word (CNIL, NS-48).
    session.merge(Marker(key=_key(app, address), at=now))
    session.flush()
    return True


def remove(session: Session, app: App, case: Case) -> None:
    """Take the requester's address off again: the message was no such demand after all. An earlier one of his still holds."""
    address = cases.person_of(session, app.vault, case).address
    others = (c for c in cases.of_sender(session, case.address_hash) if c.id != case.id and c.state != "not_request")
    if any(RIGHTS & set(other.rights) for other in others):
        return
    entry = session.get(Marker, _key(app, address)) if address else None
    if entry is not None:
        session.delete(entry)
        session.flush()


def suppressed(session: Session, app: App, address: str) -> bool:
    """Say whether an address is on the list."""
    return session.get(Marker, _key(app, address)) is not None


def expire(session: Session, *, before: datetime, dry_run: bool = False) -> int:
    """Remove the entries that nothing has renewed since *before* (aware); return how many there are."""
    found = session.exec(
        select(Marker).where(col(Marker.key).startswith("suppression:"), col(Marker.at) < before)
    ).all()
    for entry in () if dry_run else found:
        session.delete(entry)
    return len(found)


class NoAddresses(ValueError):
    """A mailing list has no column with addresses; the message names the columns that are looked for."""


def allowed_rows(app: App, lines: Iterable[str]) -> Iterator[tuple[list[str], bool]]:
    """Yield every row of a mailing list (CSV with a header that has ``email``) and whether it may be written to.

    The header comes first, as a row that may stay. Raises :class:`NoAddresses`.
    """
    rows = csv.reader(lines)
    header = next(rows, [])
    names = [name.strip().lower().lstrip("\ufeff") for name in header]
    column = next(
        (names.index(name) for name in ("email", "e-mail", "mail", "courriel", "address") if name in names), None
    )
    if column is None:
        raise NoAddresses("the list has no column named email, e-mail, mail, courriel or address: give it a header row")
    yield header, True
    left_out: list[str] = []
    with app.database.reading() as session:
        for row in rows:
            address = row[column].strip() if column < len(row) else ""
            listed = bool(address) and suppressed(session, app, address)
            if listed:
                left_out.append(address)
            yield row, not listed
    # Who still stands in a mailing list would be written to as soon as the entry ended: it begins anew.
    if left_out:
        with app.database.transaction() as session:
            for address in left_out:
                session.merge(Marker(key=_key(app, address), at=app.clock.now()))
