"""What is known about who wrote, gathered for :mod:`handlers.identity` from the message, the register and the contacts."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from bot.app import App
from bot.contacts import Contact, looked_up
from handlers.documents import same_name
from handlers.identity import Evidence, discloses
from handlers.types import Arrival
from nlp.types import Reading
from store import cases
from store.models import Case


def vouched(arrival: Arrival) -> bool:
    """Whether our own server vouches for the sender: DMARC alone ties the checks to the address in From."""
    return arrival.auth.trusted and arrival.auth.dmarc == "pass"


def own_check(arrival: Arrival) -> bool:
    """Whether our own look at the signature ties the mail to the address in From, where no server of ours says anything.

    One that does not hold is no doubt: forwarders break signatures on honest mail.
    """
    return not arrival.auth.trusted and arrival.auth.own_dkim == "pass"


def disproved(arrival: Arrival) -> bool:
    """Whether our own server found that the sender is not who From says."""
    auth = arrival.auth
    if not auth.trusted:
        return False
    return auth.dmarc == "fail" or (auth.dmarc in ("", "none") and auth.spf == "fail" and auth.dkim != "pass")


def verified_before(session: Session, case: Case) -> bool:
    """Whether the case's contact was proven in an earlier case."""
    return any(
        earlier.identity == "verified"
        for earlier in cases.of_sender(session, case.address_hash)
        if earlier.id != case.id and earlier.address_hash
    )


def contact_on_file(session: Session, app: App, case: Case, reading: Reading | None = None) -> Contact | None:
    """Return the contact to which a code may be sent: the requester's own address where it is on file, else that of
    the booking the message names, where the name is the same. None where nothing is on file."""
    person = cases.person_of(session, app.vault, case)
    found = looked_up(app.contacts, address=person.address)
    if found is not None:
        return found
    if verified_before(session, case) and person.address:
        return Contact(person.name, (person.address,))
    if reading is None:
        return None
    booking = reading.fields.get("booking_ref", "")
    for number in (booking,) if isinstance(booking, str) else booking:
        found = looked_up(app.contacts, booking=number)
        if found is not None and found.addresses and same_name(found.name, person.name):
            return found
    return None


def evidence_of(session: Session, app: App, case: Case, arrival: Arrival, reading: Reading) -> Evidence:
    """Return what the message, the register and the contacts on file say about who wrote."""
    auth = arrival.auth
    chat = arrival.channel in ("telegram", "matrix")
    on_file = looked_up(app.contacts, address=arrival.from_addr) if case.channel == "email" else None
    known = on_file is not None or verified_before(session, case)
    stale = False
    if on_file is not None and on_file.last_contact is not None and app.settings.contacts is not None:
        limit = timedelta(days=app.settings.contacts.stale_after_days)
        stale = arrival.received_at.astimezone(app.settings.zone).date() - on_file.last_contact > limit
    return Evidence(
        levels=tuple(app.rights[right].identity_level for right in case.rights),
        known_contact=known,
        authenticated=chat or vouched(arrival) or own_check(arrival),
        authentication_failed=auth.trusted and "fail" in (auth.spf, auth.dkim, auth.dmarc) and auth.dmarc != "pass",
        reply_to_differs=bool(arrival.reply_to) and arrival.reply_to.lower() != arrival.from_addr.lower(),
        changed_contact="rectification" in case.rights and _new_contact(reading),
        stale_contact=stale,
        chat_account=chat,
        sensitive=case.sensitive,
        discloses=discloses(case.rights),
        acts_for=case.third_party,
        minor_alone=case.minor and not case.third_party,
    )


def _new_contact(reading: Reading) -> bool:
    """Whether a rectification brings another address or number: how accounts are taken over."""
    value = reading.fields.get("new_value", "")
    values = [value] if isinstance(value, str) else list(value)
    if reading.fields.get("other_email"):
        return True
    return any("@" in text or sum(character.isdigit() for character in text) >= 9 for text in values)
