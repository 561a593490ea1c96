"""The suppression list: contacts that objected to advertising or took back a consent, as keyed hashes and nothing else.

Art. 21(3) GDPR wants the use to end at once, so the entry is made with the case, whoever answers it and when. The list tells
nobody's address: it can only say whether an address is on it (CNIL, liste repoussoir). It serves no other purpose.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlmodel import Session

from bot.app import App
from store import cases
from store.models import Case, Marker

RIGHTS = frozenset({"objection", "consent_withdrawal"})


def _key(app: App, address: str) -> str:
    return f"suppression:{app.vault.address_hash(address)}"


def enter(session: Session, app: App, case: Case, *, now: datetime) -> bool:
    """Put the requester's address on the list where the case is about advertising or a consent; say whether it was put."""
    if not RIGHTS & set(case.rights):
        return False
    address = cases.person_of(session, app.vault, case).address
    if not address or session.get(Marker, _key(app, address)) is not None:
        return False
    session.add(Marker(key=_key(app, address), at=now))
    session.flush()
    return True


def remove(session: Session, app: App, case: Case) -> None:
    """Take the requester's address off again: the message was no such demand after all."""
    address = cases.person_of(session, app.vault, case).address
    entry = session.get(Marker, _key(app, address)) if address else None
    if entry is not None:
        session.delete(entry)
        session.flush()


def suppressed(session: Session, app: App, address: str) -> bool:
    """Say whether an address is on the list."""
    return session.get(Marker, _key(app, address)) is not None


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
    with app.database.reading() as session:
        for row in rows:
            address = row[column].strip() if column < len(row) else ""
            yield row, not (address and suppressed(session, app, address))
