"""Reasonable doubt and the least intrusive proof (art. 12(6) GDPR; décret 2019-536 art. 77; EDPB 01/2022 §§ 58-79).

Nothing is asked for an objection to advertising, the withdrawal of a newsletter consent, a complaint or a breach
report. For the other rights a sender who is not
yet known and verified is asked, with the least intrusive means first and a masked copy of a document as one means
among others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.types import IdentityNeed

SENSITIVE_RIGHTS = frozenset({"access", "portability", "erasure", "post_mortem"})
"""Rights whose wrong exercise discloses or destroys another person's data."""


@dataclass(frozen=True)
class Evidence:
    """What is known about who wrote."""

    levels: tuple[int, ...]
    """The starting rung of each right that is exercised."""
    known_contact: bool = False
    """The sender's address or account is on file and was verified before."""
    authentication_failed: bool = False
    """Our own server found SPF, DKIM or DMARC failing."""
    reply_to_differs: bool = False
    chat_account: bool = False
    sensitive: bool = False
    """Health data, or data of minors, are asked for."""
    acts_for_other: bool = False


def assess(evidence: Evidence) -> IdentityNeed:
    """Return the rung of the ladder this request needs, the coded doubts, and the means to offer.

    The rung never falls below what the most demanding right of the message needs, and a request that needs no
    identity at all
    (level 0) never gets a question, whatever the doubts.
    """
    level = max(evidence.levels, default=0)
    if level == 0:
        return IdentityNeed(0)
    doubts = _doubts(evidence)
    if not doubts:
        return IdentityNeed(0)
    if evidence.sensitive or evidence.acts_for_other:
        level = 3
    elif not evidence.known_contact:
        level = max(level, 2)
    means: Sequence[str] = ("booking_facts", "masked_document", "in_person", "registered_letter")
    if evidence.known_contact:
        means = ("known_contact_code", *means)
    if level == 3:
        means = tuple(m for m in means if m != "booking_facts")
    return IdentityNeed(level, doubts, tuple(means))


def _doubts(evidence: Evidence) -> tuple[str, ...]:
    found = []
    if not evidence.known_contact:
        found.append("chat_account" if evidence.chat_account else "unknown_address")
    if evidence.authentication_failed:
        found.append("authentication_failed")
    if evidence.reply_to_differs:
        found.append("reply_to_differs")
    if evidence.sensitive:
        found.append("sensitive_data")
    if evidence.acts_for_other:
        found.append("acts_for_other")
    return tuple(found)


def looks_like_proof(filename: str, content_type: str, *, requested: bool, announced: bool) -> bool:
    """Say whether an attachment is probably an identity document, by its context: handled as one when in doubt.

    *requested*: we asked this person for proof. *announced*: the message says it sends one.
    """
    media = content_type.startswith("image/") or content_type == "application/pdf"
    folded = filename.casefold()
    named = any(
        word in folded
        for word in (
            "cni",
            "identit",
            "passeport",
            "passport",
            "id_card",
            "idcard",
            "id-card",
            "permis",
            "ausweis",
            "titre_sejour",
            "dni",
            "recto",
            "verso",
        )
    )
    return media and (requested or announced or named)
