"""The letter as the checks see it, and what they find in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Severity = Literal["error", "warning"]

OPEN_IDENTITY = frozenset({"required", "requested", "received", "rejected"})
"""States of identity in which nothing on the merits may leave (art. 5(1)(f), 12(6) GDPR)."""


_SAME_KIND: Mapping[str, str] = {
    "partial_refusal": "refusal",
    "extension_notice": "extension",
    "fee_notice": "fee",
    "notice": "not_identified",
}
"""Other names of kinds: a notice is the letter of art. 11(2), that the person could not be identified."""


@dataclass(frozen=True)
class LetterFacts:
    """A letter as it would leave, and what it has to agree with. Dates are Paris dates."""

    kind: str
    """As in ``handlers.types.Letter.kind``, joined by ``+``; also ``partial_refusal``, ``fee`` and ``not_identified``."""
    language: str
    subject: str
    text: str
    html: str
    """Empty for a chat."""
    rights: tuple[str, ...]
    reference: str
    dpo_email: str
    authority_name: str
    authority_address: str
    due: date | None
    """None while the clock is paused."""
    due_if_not_paused: date | None = None
    extended_due: date | None = None
    received_on: date | None = None
    today: date | None = None
    identity_state: str = "not_required"
    identity_level: int = 0
    """The rung of the ladder the case needs; 0: a document may be asked only by a letter that says why."""
    recipient_is_of_record: bool = True
    partial: bool = False
    recipient: str = ""
    """The address it goes to; empty where it is not known, or where it goes by chat or post."""
    own_addresses: frozenset[str] = frozenset()
    """Addresses that are ours, in lower case: like the recipient's own, they may stand in a letter."""
    organisation: str = ""
    """The controller's name, as letters give it; empty: not looked for."""
    open_tasks: tuple[str, ...] = ()
    """What has to be done before this letter is true and nobody has settled, in words for the desk."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of the letter, one word each, under the names the checks use."""
        return frozenset(_SAME_KIND.get(part, part) for part in self.kind.split("+"))

    @property
    def in_part(self) -> bool:
        """Whether the letter refuses a part only."""
        return self.partial or "partial_refusal" in self.kind


@dataclass(frozen=True)
class Finding:
    """Something wrong with a letter; ``message`` says by language what to write."""

    code: str
    severity: Severity
    message: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True)
class Letter:
    """The letter in the forms the checks look at."""

    facts: LetterFacts
    folded: str
    """Subject and text in lower case, without accents, quotes and spaces made plain."""
    paragraphs: tuple[str, ...]
    sentences: tuple[str, ...]


def fold(text: str) -> str:
    """Return *text* in lower case without accents, with plain quotes and single spaces: what the rules are written for."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'").replace("œ", "oe"))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def found(code: str, fr: str, en: str, severity: Severity = "error") -> Finding:
    """Return a finding with what to write, by language."""
    return Finding(code, severity, {"fr": fr, "en": en})
