"""Sample facts for every letter, with invented people: for the tests, and for the letters in ``docs/letters``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from templates import names

RIGHTS = (
    "access",
    "rectification",
    "erasure",
    "objection",
    "complaint",
    "restriction",
    "portability",
    "consent_withdrawal",
    "post_mortem",
    "breach_report",
    "unclear",
)
"""Every right that has a folder of letters."""

NO_IDENTITY = frozenset({"objection", "complaint", "consent_withdrawal", "breach_report", "unclear"})
"""Rights that need no proof of identity (law: art. 12(6) and 21(2)-(3) GDPR)."""

ABOUT_IDENTITY = frozenset(
    {"case/identity", "case/identity_reminder", "case/identity_insufficient", "case/not_identified"}
)
"""Letters that always have something to say about proof."""

DOUBTS = (
    "unknown_address",
    "authentication_failed",
    "reply_to_differs",
    "changed_contact",
    "sensitive_data",
    "chat_account",
    "acts_for_other",
)
MEANS = ("known_contact_code", "booking_facts", "masked_document", "in_person", "registered_letter")
ACTS_FOR = ("", "minor_child", "mandate", "deceased", "unrelated")

REGISTER = (
    {
        "name": "Réservations / Bookings",
        "purposes": "gestion du séjour / management of the stay",
        "categories": "nom, adresse, dates / name, address, dates",
        "recipients": "Hébergeur Exemple SARL",
        "retention": "5 ans / 5 years",
        "legal_basis": "contrat / contract",
        "source": "la personne / the person",
        "transfers": "",
    },
)


def identity(level: int = 3, *, pause: bool = True) -> dict[str, Any]:
    """Return what a letter says about the proof asked for at *level* of the ladder (1 contact, 2 knowledge, 3 document)."""
    means = {1: MEANS, 2: MEANS, 3: MEANS[2:]}[level]
    doubts = {
        1: ("unknown_address", "changed_contact"),
        2: ("unknown_address",),
        3: ("unknown_address", "sensitive_data"),
    }[level]
    return {
        "level": level,
        "doubts": list(doubts),
        "means": list(means),
        "reply_to": "dpo@mije.example",
        "delete_after_days": 30,
        "pause": pause,
    }


def facts(primary: str = "access", *others: str, **more: Any) -> dict[str, Any]:
    """Return the facts of a letter about a case with the right *primary* and *others*; *more* replaces single facts."""
    return {
        "organisation": {
            "name": "Association MIJE",
            "short_name": "MIJE",
            "postal_address": "13 boulevard Beaumarchais, 75004 Paris",
            "website": "https://www.mije.example",
        },
        "dpo": {"name": "Claude Exemple", "email": "dpo@mije.example"},
        "authority": {
            "name": "CNIL",
            "full_name": "Commission nationale de l'informatique et des libertés",
            "address": "3 place de Fontenoy, TSA 80715, 75334 Paris Cedex 07",
            "url": "https://www.cnil.fr/fr/plaintes",
        },
        "reference": "DSR-2026-0014",
        "person_name": "Camille Exemple",
        "child": False,
        "acts_for": "",
        "channel": "email",
        "received_on": "2026-03-02",
        "today": "2026-03-03",
        "due": "2026-04-02",
        "due_if_not_paused": "2026-04-02",
        "primary": primary,
        "rights": [primary, *others],
        "other_rights": list(others),
        "identity": None,
        "register": [],
        "partial": False,
        "extended_due": "2026-06-02",
        "reason": "La demande porte sur douze séjours de groupe / The request concerns twelve group stays.",
        "state": "open",
        "code": "K7PM-2QXD",
        "code_hours": 72,
        **more,
    }


def _said(fr: str, en: str) -> dict[str, str]:
    return {"fr": fr, "en": en}


_VARIANTS: dict[str, tuple[tuple[dict[str, str], dict[str, Any]], ...]] = {
    "access/receipt": ((_said("un justificatif est joint", "a proof is enclosed"), {"proof_enclosed": True}),),
    "access/refusal": (
        (_said("plusieurs droits", "several rights"), {"rights": ["access", "erasure"], "other_rights": ["erasure"]}),
    ),
    "case/status": (
        (
            _said("un justificatif est arrivé", "a proof has arrived"),
            {"state": "awaiting_identity", "identity_state": "received"},
        ),
        (_said("déjà répondu", "already answered"), {"state": "answered"}),
    ),
    "case/moved_to_mail": ((_said("avec un code", "with a code"), {"code": "7K2M-PX4R"}),),
    "erasure/receipt": ((_said("collecte auprès d'un mineur", "collected from a minor"), {"minor_erasure": True}),),
}
"""Letters whose text changes with a fact that they may have; what that shows, and the fact."""


@dataclass(frozen=True)
class Sample:
    """A letter with sample facts, and what the sample shows."""

    letter: str
    shows: dict[str, str]
    """In a few words, by language."""
    facts: dict[str, Any]


def samples() -> Iterator[Sample]:
    """Yield every letter in the situations that change its text most, sorted by letter."""
    for letter in names():
        folder, step = letter.split("/")
        primary = folder if folder in RIGHTS else "access"
        if letter in ABOUT_IDENTITY:
            yield from _about_identity(letter)
            continue
        plain = _said("un adulte", "an adult")
        if folder == "post_mortem":
            yield Sample(letter, _said("un proche d'une personne décédée", "a relative of a person who has died"),
                         facts(primary, acts_for="deceased"))  # fmt: skip
            plain = _said("une personne qui laisse ses directives", "a person who leaves directives")
        yield Sample(letter, plain, facts(primary))
        if step == "receipt" and primary not in NO_IDENTITY:
            means = _said(
                "un adulte, avec demande de preuve d'identité", "an adult, with the request for proof of identity"
            )
            yield Sample(letter, means, facts(primary, identity=identity(2)))
        if step == "answer" and primary == "access":
            several = _said("plusieurs droits, registre renseigné", "several rights, with the register of processing")
            yield Sample(letter, several, facts(primary, "erasure", "objection", register=list(REGISTER)))
        if step == "refusal":
            yield Sample(letter, _said("refus partiel", "refusal in part"), facts(primary, partial=True))
        if letter in _VARIANTS:
            for shows, more in _VARIANTS[letter]:
                yield Sample(letter, shows, facts(primary, **more))
        if step in ("receipt", "answer"):
            yield Sample(letter, _said("un enfant", "a child"), facts(primary, child=True))


def _about_identity(letter: str) -> Iterator[Sample]:
    yield Sample(letter, _said("un adulte", "an adult"), facts(identity=identity(2)))
    yield Sample(letter, _said("un enfant", "a child"), facts(child=True, identity=identity(2)))
    if letter == "case/identity_reminder":
        insufficient = _said("des éléments envoyés ne suffisaient pas", "what had been sent was not enough")
        yield Sample(letter, insufficient, facts(identity=identity(2), reminder=True, insufficient=True))
    if letter == "case/identity":
        for kind, fr, en in (
            ("minor_child", "un parent", "a parent"),
            ("mandate", "un mandataire", "an agent"),
            ("deceased", "un héritier", "an heir"),
            ("unrelated", "une autre personne", "another person"),
        ):
            asked = {**identity(3), "doubts": ["acts_for_other"]}
            yield Sample(letter, _said(fr, en), facts(acts_for=kind, identity=asked))
