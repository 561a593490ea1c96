"""Contacts on file: what the organisation knew of a person before the request. Read-only, optional, a CSV file or a query.

Without a source everybody is unknown who was not verified in an earlier case. A source that cannot be read makes nobody
known: the request goes on by the next rung, and ``dpobot check`` says what is wrong.
"""

from __future__ import annotations

import csv
import io
import logging
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

log = logging.getLogger("dpobot.contacts")

COLUMNS = ("name", "email", "other_emails", "phone", "booking", "last_contact", "birth_date")
"""What a row may have; ``email`` it must have. Several values are separated by semicolons, dates are ISO dates."""


class ContactsError(Exception):
    """The contacts source cannot be read or lacks a column; the message says which, without quoting a row."""


@dataclass(frozen=True)
class Contact:
    """One person on file. Personal data: it is compared with, and never stored or logged."""

    name: str = ""
    addresses: tuple[str, ...] = ()
    """Mail addresses, the one in use first."""
    phone: str = ""
    bookings: tuple[str, ...] = ()
    last_contact: date | None = None
    birth_date: date | None = None


class ContactSource(Protocol):
    """Where contacts on file are looked up. May raise :class:`ContactsError`."""

    def by_address(self, address: str) -> Contact | None:
        """Find whom a mail address belongs to."""

    def by_booking(self, booking: str) -> Contact | None:
        """Find who made a booking."""


def _key(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _parts(value: Any) -> tuple[str, ...]:
    return tuple(part.strip() for part in str(value or "").split(";") if part.strip())


def _date(value: Any, column: str) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date) or value in (None, ""):
        return value or None
    try:
        return date.fromisoformat(str(value).strip()[:10])
    except ValueError:
        raise ContactsError(f"the column {column} holds something that is no date like 2025-03-05") from None


def contact_of(row: Mapping[str, Any]) -> Contact:
    """Turn a row into a contact. Raises :class:`ContactsError` for a date that is none."""
    return Contact(
        name=str(row.get("name") or "").strip(),
        addresses=(*_parts(row.get("email")), *_parts(row.get("other_emails"))),
        phone=str(row.get("phone") or "").strip(),
        bookings=_parts(row.get("booking")),
        last_contact=_date(row.get("last_contact"), "last_contact"),
        birth_date=_date(row.get("birth_date"), "birth_date"),
    )


class CsvContacts:
    """Contacts in a CSV file with a header row; read again when the file changed. Separated by comma or semicolon."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._by_address: dict[str, Contact] = {}
        self._by_booking: dict[str, Contact] = {}

    def by_address(self, address: str) -> Contact | None:
        """Find whom a mail address belongs to."""
        self._refresh()
        return self._by_address.get(_key(address))

    def by_booking(self, booking: str) -> Contact | None:
        """Find who made a booking."""
        self._refresh()
        return self._by_booking.get(_key(booking))

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
            if (status.st_mtime_ns, status.st_size) == self._stamp:
                return
            text = self._path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise ContactsError(f"contacts.csv cannot be read ({error.strerror}): mend its path or rights") from None
        except UnicodeDecodeError:
            raise ContactsError("contacts.csv is not UTF-8 text: save it again as UTF-8") from None
        self._index(contact_of(row) for row in _rows(text))
        self._stamp = (status.st_mtime_ns, status.st_size)

    def _index(self, contacts: Iterable[Contact]) -> None:
        by_address: dict[str, Contact] = {}
        by_booking: dict[str, Contact] = {}
        for contact in contacts:
            for address in contact.addresses:
                by_address.setdefault(_key(address), contact)
            for booking in contact.bookings:
                by_booking.setdefault(_key(booking), contact)
        self._by_address, self._by_booking = by_address, by_booking


def _rows(text: str) -> Iterable[dict[str, str]]:
    header = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if header.count(";") > header.count(",") else ",")
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    if "email" not in names:
        raise ContactsError("contacts.csv has no column named email: give it a header row with email and what you have")
    for row in reader:
        yield {name: value or "" for name, value in zip(names, row.values(), strict=False) if name in COLUMNS}


class SqlContacts:
    """Contacts behind a query of the organisation's own database, which is only ever read.

    The query names its columns as in :data:`COLUMNS` and takes ``:address`` and ``:booking`` (lower case, one of them empty).
    """

    def __init__(self, url: str, query: str) -> None:
        from sqlalchemy import create_engine, text

        self._query = text(query)
        self._sqlite = url.startswith("sqlite")
        if self._sqlite and "mode=" not in url:
            place = url.removeprefix("sqlite:///")
            url = f"sqlite:///file:{place}?mode=ro&uri=true"
        self._engine = create_engine(url, pool_pre_ping=True)

    def by_address(self, address: str) -> Contact | None:
        """Find whom a mail address belongs to."""
        return self._first(address=_key(address), booking="")

    def by_booking(self, booking: str) -> Contact | None:
        """Find who made a booking."""
        return self._first(address="", booking=_key(booking))

    def _first(self, **parameters: str) -> Contact | None:
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._engine.connect() as connection:
                # Whatever the account may do, and whatever the query says, nothing is written.
                connection.execute(text("PRAGMA query_only = ON" if self._sqlite else "SET TRANSACTION READ ONLY"))
                row = connection.execute(self._query, parameters).mappings().first()
                connection.rollback()
        except SQLAlchemyError as error:
            raise ContactsError(f"the contacts query failed ({type(error).__name__}): try it in the database") from None
        return contact_of({str(name).lower(): value for name, value in row.items()}) if row is not None else None


def looked_up(source: ContactSource | None, *, address: str = "", booking: str = "") -> Contact | None:
    """Look somebody up; None without a source, for an empty key, and where the source fails (which is logged)."""
    if source is None or not (address or booking):
        return None
    try:
        return source.by_address(address) if address else source.by_booking(booking)
    except ContactsError as error:
        log.warning("contacts.unavailable", extra={"problem": str(error)})
        return None
