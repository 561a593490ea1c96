"""Reasonable doubt and the least intrusive proof (art. 12(6) GDPR; décret 2019-536 art. 77; EDPB 01/2022 §§ 58-79).

Nothing is asked for an objection to advertising, the withdrawal of a newsletter consent, a complaint or a breach
report, and nothing of a sender whose address is on file and for whom our own server vouches. The others are asked by
the lowest rung that settles the doubt: the contact on file, then knowledge of a stay, then a masked document.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from handlers.types import IdentityNeed

SENSITIVE_RIGHTS = frozenset({"access", "portability", "erasure", "post_mortem"})
"""Rights whose wrong exercise discloses or destroys another person's data."""

NEVER_PROVED = frozenset({"objection", "consent_withdrawal", "complaint", "breach_report", "unclear"})
"""What needs no proof of identity (art. 21(2)-(3), 7(3), 38(4) GDPR), and is answered while proof for the rest is awaited."""

ALL_MEANS = ("known_contact_code", "booking_facts", "masked_document", "in_person", "registered_letter")
"""The least intrusive first. The code is offered to everybody alike: an offer made only to those on file would tell who is."""

UNSAID = frozenset({"authentication_missing", "stale_contact", "dpo_decision"})
"""Doubts that no letter names: they would tell that the person is on file, or are the DPO's own."""


@dataclass(frozen=True)
class Evidence:
    """What is known about who wrote."""

    levels: tuple[int, ...]
    """The starting rung of each right that is exercised."""
    known_contact: bool = False
    """The sender's address or account is on file: verified in an earlier case, or in the contacts source."""
    authenticated: bool = False
    """Our own server vouches for the sender (DMARC), or our own check of the signature, or the platform for the account."""
    authentication_failed: bool = False
    """Our own server found SPF, DKIM or DMARC failing."""
    reply_to_differs: bool = False
    """An answer is asked for elsewhere. We never answer there, so alone it is no doubt."""
    changed_contact: bool = False
    """New contact details came with the request, or after a proof given for others."""
    stale_contact: bool = False
    """The contact on file is so old that the address may belong to somebody else by now."""
    chat_account: bool = False
    sensitive: bool = False
    """Health data, a passport and the like are asked for (art. 9)."""
    discloses: bool = True
    """A right is exercised whose wrong exercise discloses or destroys (:data:`SENSITIVE_RIGHTS`)."""
    acts_for: str = ""
    """Kind of third party who writes: minor_child, mandate, deceased, unrelated; empty for oneself."""
    minor_alone: bool = False
    """A minor who writes for himself: no parent's proof, no more than knowledge (CNIL, minors, recommendation 2)."""


def discloses(rights: Collection[str]) -> bool:
    """Say whether a wrong exercise of *rights* would disclose or destroy somebody's data."""
    return not SENSITIVE_RIGHTS.isdisjoint(rights)


def assess(evidence: Evidence) -> IdentityNeed:
    """Return the rung of the ladder this request needs, the coded doubts, and the means to offer (law: DEC 77, 12(6)).

    0 nothing, 1 a code to the contact on file, 2 knowledge, 3 a masked document or presence. A request that needs no
    identity at all (level 0) never gets a question, whatever the doubts; sensitive data and a foreign Reply-To are no
    doubt by themselves, but sensitive data raise the rung where there is one.
    """
    level = max(evidence.levels, default=0)
    if level == 0:
        return IdentityNeed(0)
    doubts = _doubts(evidence)
    if not doubts:
        return IdentityNeed(0)
    sensitive = evidence.sensitive and evidence.discloses
    rung = _rung(evidence, doubts, level)
    if evidence.reply_to_differs:
        doubts.append("reply_to_differs")
    if sensitive:
        doubts.append("sensitive_data")
    return IdentityNeed(rung, tuple(doubts), means_at(rung))


def at_least(need: IdentityNeed, level: int) -> IdentityNeed:
    """Return *need*, or, where nothing would be asked, what the DPO's own doubt asks for at *level*."""
    return need if need.asked else IdentityNeed(level, ("dpo_decision",), means_at(level))


def means_at(level: int) -> tuple[str, ...]:
    """Return the means a letter offers at a rung: at the third, knowledge and a code are not enough."""
    if level == 0:
        return ()
    return ALL_MEANS if level < 3 else tuple(m for m in ALL_MEANS if m not in ("known_contact_code", "booking_facts"))


def tells_a_stay(means: Collection[str], fields: Mapping[str, str | tuple[str, ...]]) -> bool:
    """Say whether a message brings what was asked for: facts of a stay, where they are among the *means* offered.

    However it reads otherwise: who is asked for a booking number answers with a booking number, in few words.
    """
    return "booking_facts" in means and any(fields.get(name) for name in ("booking_ref", "stay_dates"))


_STAY = re.compile(
    r"sejour|chambre|dortoir|reserv|inscri|nuits?\b|arriv|groupe|classe\b|badge|facture|dossier|voyage|carte"
    r"|\bstay|\broom|\bdorm|\bbook|registr|nights?\b|check(?:ed)?[- ]?in|\bgroup|invoice|\bclass\b|\btrip\b|member"
    r"|aufenthalt|zimmer|buchung|rechnung|gruppe|ubernacht|reserva|habitacion|estancia|factura|grupo|noches"
    r"|prenotaz|camera|soggiorno|fattura|gruppo|notti|quarto|estadia"
)
_CODE = re.compile(r"\b(?=[\w/.-]*\d)(?=[\w/.-]*[a-z])[a-z0-9]+(?:[-/.][a-z0-9]+)*\b|\b\d{5,}\b")
_HOUR_OR_ORDINAL = re.compile(r"\b\d{1,2}(?:h\d{0,2}|er|eme|e|st|nd|rd|th|am|pm)\b")
_AROUND_A_STAY = 60
"""Characters between what names a stay and the number that goes with it."""


def tells_a_fact(means: Collection[str], folded: str) -> bool:
    """Say whether a reply to our question brings a fact of a stay in whatever form: a registration number of a form that no
    reader knows, a room, a group with its year. *folded* is its text without our own references.

    What it is worth the DPO says; that something came, and when, must not depend on its form (décret 2019-536 art. 77).
    """
    if "booking_facts" not in means:
        return False
    text = _HOUR_OR_ORDINAL.sub(" ", folded)
    for sentence in re.split(r"(?<=[.!?;])\s+|\n", text):
        if sentence.rstrip().endswith("?"):
            continue
        if _CODE.search(sentence):
            return True
        for named in _STAY.finditer(sentence):
            near = sentence[max(0, named.start() - _AROUND_A_STAY) : named.end() + _AROUND_A_STAY]
            if re.search(r"\d", near):
                return True
    return False


def _doubts(evidence: Evidence) -> list[str]:
    found = []
    if not evidence.known_contact:
        found.append("chat_account" if evidence.chat_account else "unknown_address")
    elif evidence.stale_contact:
        found.append("stale_contact")
    if evidence.authentication_failed:
        found.append("authentication_failed")
    elif evidence.known_contact and not evidence.authenticated:
        found.append("authentication_missing")
    if evidence.changed_contact:
        found.append("changed_contact")
    if evidence.acts_for:
        found.append("acts_for_other")
    return found


def _rung(evidence: Evidence, doubts: Collection[str], level: int) -> int:
    if evidence.acts_for == "deceased":
        # Heirs prove who they are and that they are heirs (décret 2019-536 art. 124).
        return 3
    on_file = evidence.known_contact and not evidence.stale_contact
    # Where the contact on file is sound, asking there settles who writes; whether he may act for somebody does not follow.
    rung = 1 if on_file and "acts_for_other" not in doubts else max(level, 2)
    if evidence.sensitive and evidence.discloses and not evidence.minor_alone:
        rung = 3
    return min(rung, 2) if evidence.minor_alone else rung


def said_doubts(need: IdentityNeed) -> tuple[str, ...]:
    """Return the doubts as a letter names them: to somebody on file and to a stranger it reads the same.

    Every such letter begins with what is true of both: that who writes could not be verified.
    """
    base = "chat_account" if "chat_account" in need.doubts else "unknown_address"
    more = [doubt for doubt in need.doubts if doubt not in UNSAID and doubt != base]
    return (base, *more) if need.doubts else ()


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
