"""The plain data that goes into the classifier and comes out of it.

The vocabulary (labels, primaries, mission classes, flags, fields) is the project's own; the other
packages import it from here, so that a label is spelled in one place only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

LABELS: tuple[str, ...] = (
    "access",
    "portability",
    "rectification",
    "erasure",
    "objection",
    "consent_withdrawal",
    "restriction",
    "post_mortem",
    "complaint",
    "breach_report",
)
"""The rights and other demands a message may carry, several at once."""

OTHER_PRIMARIES: tuple[str, ...] = (
    "identity_reply",
    "status_inquiry",
    "reminder",
    "authority",
    "not_request",
    "auto_reply",
    "bounce",
    "spam",
)
"""What a message may mainly be when it is not the first statement of a demand."""

PRIMARIES: tuple[str, ...] = LABELS + OTHER_PRIMARIES

MISSION_CLASS: Mapping[str, str] = MappingProxyType(
    {
        "access": "access",
        "portability": "access",
        "rectification": "rectification",
        "erasure": "erasure",
        "objection": "objection",
        "consent_withdrawal": "objection",
        "restriction": "objection",
        "complaint": "complaint",
        "breach_report": "complaint",
    }
)
"""The class of each label; ``post_mortem`` follows what is asked, every other primary is ``other``."""

FLAGS: tuple[str, ...] = (
    "third_party",
    "minor",
    "health_data",
    "image_rights",
    "litigation",
    "press",
    "employee",
    "urgent_tone",
    "mentions_authority",
    "reply_to_differs",
    "auth_failed",
    "bulk_platform",
)

THIRD_PARTY_KINDS: tuple[str, ...] = ("minor_child", "mandate", "deceased", "authority", "unrelated")

FIELDS: tuple[str, ...] = (
    "full_name",
    "postal_address",
    "phone",
    "email",
    "other_email",
    "date_of_birth",
    "booking_ref",
    "request_ref",
    "case_ref",
    "stay_dates",
    "data_subject_name",
    "relationship",
    "old_value",
    "new_value",
    "recipient",
    "recipient_email",
)

Decision = Literal["accept", "ask_dpo"]


@dataclass(frozen=True)
class Message:
    """What the classifier is given: one message, its new text only, already decoded."""

    id: str
    body: str
    subject: str = ""
    channel: str = "email"
    from_name: str = ""
    from_email: str = ""
    reply_to: str = ""
    attachments: tuple[tuple[str, str], ...] = ()
    """(file name, content type) of each attachment."""


@dataclass(frozen=True)
class Cue:
    """A span of the message that speaks for a label. Offsets count characters of ``Message.body``."""

    label: str
    text: str
    start: int
    end: int
    source: str
    """The rule's name, or ``"model"``."""


@dataclass(frozen=True)
class Reading:
    """What the classifier makes of a message: labels, why, and how sure (probabilities 0 to 1)."""

    id: str
    language: str
    """ISO 639-1 code, or ``"unknown"``."""
    primary: str
    labels: tuple[str, ...]
    """The labels decided, the primary first where it is one."""
    scores: Mapping[str, float]
    """Calibrated probability of each label and other primary."""
    mission_class: str
    decision: Decision
    confidence: float
    cues: tuple[Cue, ...] = ()
    fields: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    flags: Mapping[str, bool | str] = field(default_factory=dict)
    """The flags that are raised, and ``third_party_kind`` where there is one."""
