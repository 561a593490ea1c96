"""Queries on cases. Functions take the caller's session and never commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from store.models import Case, CaseFacts, Counter
from store.sealing import Vault

CLOSED = frozenset({"closed", "not_request", "withdrawn"})
"""States in which nothing is awaited any more."""


@dataclass(frozen=True)
class Person:
    """Who asked: the address of record is where letters go, and no other."""

    name: str
    address: str
    """Mail address, or empty for a person who wrote by chat."""
    chat_id: int | None = None
    subject: str = ""
    """Whose data are asked for, where that is somebody else."""
    postal: str = ""
    """Postal address, where letters go by post; lines are kept apart."""


def next_reference(session: Session, *, prefix: str, year: int) -> str:
    """Return the next case reference of *year*: ``DSR-2026-0001``. Numbers have no gaps and are never reused."""
    name = f"reference:{year}"
    counter = session.exec(select(Counter).where(Counter.name == name).with_for_update()).first()
    if counter is None:
        counter = Counter(name=name, value=0)
    counter.value += 1
    session.add(counter)
    session.flush()
    return f"{prefix}-{year}-{counter.value:04d}"


def create(session: Session, vault: Vault, *, facts: CaseFacts, person: Person, key_id: int, now: datetime) -> Case:
    """Create the row of a case; its state follows from the journal entry that opens it."""
    case = Case(
        **facts.model_dump(),
        key_id=key_id,
        person_sealed=vault.seal_json(session, key_id, person.__dict__, "person"),
        address_hash=_contact_hash(vault, person, key_id),
        opened_at=now,
    )
    session.add(case)
    session.flush()
    return case


def person_of(session: Session, vault: Vault, case: Case) -> Person:
    """Open who asked. Raises ``SealingError`` when the case was erased."""
    return Person(**vault.open_json(session, case.key_id, case.person_sealed, "person"))


def set_person(session: Session, vault: Vault, case: Case, person: Person) -> None:
    """Change the person of record (the DPO's decision, noted in the journal by the caller)."""
    case.person_sealed = vault.seal_json(session, case.key_id, person.__dict__, "person")
    case.address_hash = _contact_hash(vault, person, case.key_id)
    session.add(case)


def _contact_hash(vault: Vault, person: Person, key_id: int) -> str:
    """Tell one requester from another; two who left neither address nor chat (by letter, by phone) stay two."""
    if person.address:
        return vault.address_hash(person.address)
    return vault.address_hash(f"chat:{person.chat_id}" if person.chat_id is not None else f"nobody:{key_id}")


def facts_of(case: Case) -> CaseFacts:
    """Return the case as the rules see it."""
    return CaseFacts.model_validate(case.model_dump(include=set(CaseFacts.model_fields)))


def by_reference(session: Session, reference: str) -> Case | None:
    """Find a case by its reference, in any letter case."""
    return session.exec(select(Case).where(Case.reference == reference.strip().upper())).first()


def by_references(session: Session, references: Iterable[str]) -> list[Case]:
    """Find the cases named."""
    wanted = list(references)
    return list(session.exec(select(Case).where(col(Case.reference).in_(wanted)))) if wanted else []


def of_sender(session: Session, address_hash: str) -> list[Case]:
    """Return the cases of one requester, oldest first."""
    return list(session.exec(select(Case).where(Case.address_hash == address_hash).order_by(col(Case.id))))


def listed(session: Session, *, open_only: bool = False) -> list[Case]:
    """Return the register, by due date (paused cases last)."""
    query = select(Case)
    if open_only:
        query = query.where(col(Case.state).not_in(CLOSED))
    return list(session.exec(query.order_by(col(Case.due).is_(None), col(Case.due), col(Case.id))))


def projection(case: Case) -> dict[str, Any]:
    """Return what the journal says of a case as kept in its row (for comparison in tests and ``check``)."""
    return case.model_dump(include={"state", "identity", "due", "due_if_not_paused", "extended_due", "rights"})
