"""What passes between the rules and the shell: a message that arrived, and what should happen.

Plain, frozen data. Instants are aware datetimes in UTC, dates are Paris dates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    # Only named in annotations; importing it would bring the whole database layer into `dpobot deadline`.
    from store.models import CaseFacts

Channel = Literal["email", "telegram", "matrix", "letter", "phone", "counter", "forward"]
BounceKind = Literal["hard", "soft", "delayed", "policy"]


@dataclass(frozen=True)
class Attachment:
    """A file that came with a message. Inert: it is sealed and shown, never opened or served."""

    filename: str
    """Cleaned of paths, control and bidi characters; never empty."""
    content_type: str
    """As declared by the sender."""
    sniffed_type: str | None
    """As its first bytes say, from an allow-list (PDF, JPEG, PNG, HEIC, DOCX …); None when unknown."""
    size: int
    inline: bool
    sha256: str
    content: bytes = field(repr=False, default=b"")


@dataclass(frozen=True)
class Bounce:
    """A delivery report (RFC 3464 or the legacy text of a mail server)."""

    recipient: str
    status: str
    """Enhanced status code such as ``5.1.1``; empty where the report gives none."""
    kind: BounceKind
    original_message_id: str


@dataclass(frozen=True)
class Authentication:
    """SPF, DKIM and DMARC verdicts. ``trusted`` only when our own server's header gave them."""

    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    trusted: bool = False
    own_dkim: str = ""
    """Our own look at the signature, where no server of ours left a verdict: pass (aligned with From), fail, error."""


@dataclass(frozen=True)
class Forwarded:
    """The message inside a forward: its sender is the requester, the outer one only passes it on."""

    from_addr: str
    from_name: str
    date: str
    """As written in the forward; a claim, not evidence."""
    subject: str
    text: str
    received_at: str = ""
    """When the organisation first got it, as ISO instant in UTC; empty where nothing says so."""
    received_by: Literal["", "server", "written"] = ""
    """What says so: our own server's line in the attached message, or only the date in the forward."""
    passed_on_at: str = ""
    """When the forward itself came in, where that is later than ``received_at`` and the clock runs from there."""


@dataclass(frozen=True)
class Arrival:
    """One message as it lay in the mailbox or the chat, read without judgement.

    ``received_at`` is when the organisation's server took it in (own topmost ``Received:``, else
    IMAP INTERNALDATE; for chat the platform's time), never the sender's ``Date:`` and never now.
    """

    channel: Channel
    source: str
    """Which mailbox or chat it came from, e.g. ``imap:mail.example/dpo/INBOX``."""
    external_id: str
    """Its name there: ``UIDVALIDITY:UID``, an SMTP transaction id, a Telegram update id."""
    received_at: datetime
    raw: bytes = field(repr=False)
    content_key: str
    """SHA-256 over what makes two copies the same message (see ``mime.content_key``)."""
    message_id: str
    """Without angle brackets; made from the raw bytes where the sender gave none."""
    from_addr: str = ""
    from_name: str = ""
    reply_to: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    subject: str = ""
    date: str = ""
    """The sender's ``Date:`` as ISO instant where it parses, else empty."""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    delivered_to: tuple[str, ...] = ()
    """Envelope recipients where known (SMTP/LMTP, ``Delivered-To``, ``X-Original-To``)."""
    text: str = field(default="", repr=False)
    """Everything a person would see, as text."""
    new_text: str = field(default="", repr=False)
    """Without quoted history, signature and disclaimer; what the classifier reads."""
    quoted_text: str = field(default="", repr=False)
    is_auto_reply: bool = False
    is_bounce: bool = False
    is_list: bool = False
    suppress: bool = False
    """May not be answered automatically (RFC 3834 and its relatives)."""
    suppress_reasons: tuple[str, ...] = ()
    bounce: Bounce | None = None
    auth: Authentication = Authentication()
    attachments: tuple[Attachment, ...] = ()
    forwarded: Forwarded | None = None
    problems: tuple[str, ...] = ()
    """What was odd about the message, in words without personal data."""


@dataclass(frozen=True)
class Letter:
    """A letter to be rendered: which template, in which language, with which facts."""

    template: str
    """``<right>/<step>``."""
    language: str
    context: dict[str, Any]
    kind: str
    """acknowledgement, identity_request, information_request, answer, refusal, extension, reminder, status, closing."""
    automatic: bool = False
    """May leave without a click: routine letters only, never anything on the merits."""
    rights: tuple[str, ...] = ()
    """The rights it answers, where it answers a part of the message only; empty: all of them."""


@dataclass(frozen=True)
class Notice:
    """Something the DPO must see: a kind, a reference and facts without free text of the person."""

    kind: str
    urgent: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """An event for the journal: its type and data (no personal data in the clear)."""

    type: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a rule says should happen. The shell does it, all in one transaction."""

    events: tuple[Fact, ...] = ()
    letters: tuple[Letter, ...] = ()
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Deadline:
    """The answer of the deadline engine; see ``handlers.clock``. Dates are Paris dates.

    ``due`` and its companions are the first limit, which an extension does not move (its notice must leave by then);
    the last day that counts now is :attr:`in_force`.
    """

    due: date | None
    """End of the month with its suspensions, extended or not; None while suspended."""
    extended_due: date
    """The last day if the extension is, or were, notified in time."""
    due_if_not_paused: date
    """End of the month without any suspension, extended or not."""
    in_force_if_not_paused: date
    """What :attr:`in_force` would be without any suspension: the date to aim for where one may be contested."""
    due_end_utc: datetime | None
    """The instant ``due`` ends."""
    extension_effective: bool | None
    """Whether the extension holds; None where none was notified."""
    suspended_days: int
    state: Literal["running", "paused", "extended"]
    warnings: tuple[str, ...] = ()
    trace: tuple[TraceLine, ...] = ()

    @property
    def in_force(self) -> date | None:
        """The last day that counts now (art. 12(3) GDPR): the extended one once the extension holds, else ``due``.

        None while suspended (décret 2019-536 art. 77), extended or not.
        """
        if self.state == "paused":
            return None
        return self.extended_due if self.extension_effective else self.due


@dataclass(frozen=True)
class TraceLine:
    """One step of a deadline's computation, with the text of law that commands it."""

    rule: str
    source: str
    from_: str
    to: str
    text: str


@dataclass(frozen=True)
class IdentityNeed:
    """What proof of identity a request needs, and why (art. 12(6) GDPR, décret 2019-536 art. 77)."""

    level: int
    """0 none, 1 known channel, 2 knowledge, 3 document: the rung of the ladder."""
    doubts: tuple[str, ...] = ()
    """Codes of the reasonable doubt; empty when nothing is asked."""
    means: tuple[str, ...] = ()
    """Codes of the means offered, the least intrusive first."""

    @property
    def asked(self) -> bool:
        """Whether the person is asked for anything."""
        return self.level > 0


@dataclass(frozen=True)
class Situation:
    """What a right needs to know besides the case to say what should happen. Dates are Paris dates."""

    today: date
    due: date | None
    due_if_not_paused: date
    identity: IdentityNeed
    may_answer: bool
    """False for robots, lists and whatever else may not be answered automatically."""
    reply_language_supported: bool = True
    proof_at_hand: bool = False
    """Whether a proof of identity came with the request itself: it is looked at, not asked for."""
    identity_automatic: bool = True
    """Whether the identity request leaves without a click (``identity.request = "auto"``)."""
    acknowledge_automatic: bool = True


@dataclass(frozen=True)
class Task:
    """Something a right makes us do beside writing the answer, tracked by case: open, done, or without object."""

    code: str
    """Short and stable: it stands in the journal. A colon sets its group apart (``search:mail``)."""
    titles: Mapping[str, str]
    """What is to be done, in a few words, by language."""
    source: str
    """The article that wants it."""
    when: Literal["before", "after", "standing"] = "before"
    """``before`` the answer says it was done; ``after``: it stays a duty once the answer has left (art. 19);
    ``standing``: it falls due much later, and until then the case may not be forgotten (art. 18(3))."""
    about: str = ""
    """What the case must be about for it to be a task at all (``pictures``); empty: always."""

    @property
    def group(self) -> str:
        """What stands before the colon of the code; empty where there is none."""
        return self.code.partition(":")[0] if ":" in self.code else ""


@dataclass(frozen=True)
class Right:
    """One right: how it is called, recognised, opened and answered. Found by scanning ``handlers/rights``."""

    name: str
    article: str
    titles: Mapping[str, str]
    """What it is called in a sentence, by language."""
    identity_level: int
    """The rung it starts from for a person who is not yet known (0: never asks)."""
    open: Callable[[CaseFacts, Situation], Outcome]
    """What happens when a request arrives."""
    answer: Callable[[CaseFacts, Situation], Letter]
    """The draft of the answer, once identity is settled."""
    cues: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Regular expressions on folded text (lower case, no accents), by language."""
    tasks: tuple[Task, ...] = ()
    """What is to be done beside writing the answer; what several rights share has one code."""
    at_once: bool = False
    """Whether the law wants it done at once rather than within the month (art. 21(3))."""
