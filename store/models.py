"""Facts (validated, frozen, no table) and the tables that inherit from them.

Instants are aware UTC datetimes. Columns ending in ``_sealed`` hold AES-GCM ciphertext (``store.sealing``); everything
personal is in those. A table row is never built straight from outside data: table models do not validate.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

# Every constraint has a name from the start: a later migration can only change what it can name.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

# The journal, buttons and sealed bytes name rows by number, so SQLite must not give a number out twice.
NUMBERS_ONCE = {"sqlite_autoincrement": True}


class SealingKey(SQLModel, table=True):
    """A data key, wrapped by the master key; ``wrapped`` is None once it was destroyed."""

    __tablename__ = "sealing_key"
    __table_args__ = NUMBERS_ONCE
    id: int | None = Field(default=None, primary_key=True)
    wrapped: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    created_at: datetime
    destroyed_at: datetime | None = None


class CaseFacts(SQLModel):
    """What the rules need to know of a case: validated, frozen, no part of the database."""

    model_config: ClassVar[Any] = {"frozen": True}
    reference: str
    """``DSR-2026-0001``: year of receipt in Paris, then a running number."""
    channel: str
    language: str
    """Language we answer in: one the letters exist in."""
    received_at: datetime
    """Receipt by the organisation (art. 12(3) GDPR starts here)."""
    primary: str
    """The main right, or ``unclear``."""
    rights: list[str] = Field(sa_column=Column(JSON, nullable=False))
    """All the rights the person exercises, the primary first."""
    person_language: str = ""
    """Language the person wrote in; may be one without letters of its own."""
    minor: bool = False
    third_party: str = ""
    """Kind of third party who writes, empty when the person writes for himself."""
    sensitive: bool = False
    """Health data and the like (art. 9)."""


class Case(CaseFacts, table=True):
    """The row behind the facts. ``state`` to ``extended_due`` are a projection of the journal, never edited by hand."""

    model_config: ClassVar[Any] = {"frozen": False}
    __tablename__ = "case_file"
    __table_args__ = NUMBERS_ONCE
    id: int | None = Field(default=None, primary_key=True)
    reference: str = Field(unique=True, index=True)
    key_id: int = Field(foreign_key="sealing_key.id")
    rights: list[str] = Field(sa_column=Column(JSON, nullable=False))
    person_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """JSON: name, address (of record: where letters go), chat id."""
    address_hash: str = Field(index=True)
    opened_at: datetime
    state: str = Field(default="received", index=True)
    identity: str = "not_required"
    due: date | None = Field(default=None, index=True)
    due_if_not_paused: date | None = None
    extended_due: date | None = None
    closed_at: datetime | None = None
    charge: str = ""
    """Who took charge (a desk user's key), empty if nobody did."""


class Message(SQLModel, table=True):
    """A message as it came in, whatever became of it."""

    __tablename__ = "message"
    __table_args__ = NUMBERS_ONCE
    id: int | None = Field(default=None, primary_key=True)
    channel: str
    content_key: str = Field(unique=True)
    received_at: datetime = Field(index=True)
    recorded_at: datetime
    case_id: int | None = Field(default=None, foreign_key="case_file.id", index=True)
    disposition: str = Field(index=True)
    """opened, added, to_sort, authority, quarantine, ignored."""
    reason: str = ""
    """Short codes of why, without personal data."""
    primary: str = ""
    language: str = ""
    confidence: float = 0.0
    size: int = 0
    key_id: int = Field(foreign_key="sealing_key.id")
    raw_key_id: int = Field(foreign_key="sealing_key.id")
    """Its own key where the raw bytes carry an identity document: that copy goes before the case does."""
    sender_hash: str = Field(default="", index=True)
    view_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """JSON: headers and texts as read, and the classifier's reading."""
    raw_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sorted_at: datetime | None = None
    """When a person sorted it (to_sort, quarantine, authority)."""


class Sighting(SQLModel, table=True):
    """Where a copy of a message lay: the same message may lie in several places, and come again."""

    __tablename__ = "sighting"
    __table_args__ = (UniqueConstraint("source", "external_id"),)
    id: int | None = Field(default=None, primary_key=True)
    source: str
    external_id: str
    message_id: int = Field(foreign_key="message.id", index=True)
    seen_at: datetime


class SettledUid(SQLModel, table=True):
    """IMAP messages dealt with, above the low-water mark of their mailbox (``MailboxCursor``)."""

    __tablename__ = "settled_uid"
    __table_args__ = (UniqueConstraint("source", "uidvalidity", "uid"),)
    id: int | None = Field(default=None, primary_key=True)
    source: str
    uidvalidity: int = Field(sa_type=BigInteger)
    uid: int = Field(sa_type=BigInteger)


class MailboxCursor(SQLModel, table=True):
    """Up to which UID everything of a mailbox is settled, for one UIDVALIDITY."""

    __tablename__ = "mailbox_cursor"
    __table_args__ = (UniqueConstraint("source", "uidvalidity"),)
    id: int | None = Field(default=None, primary_key=True)
    source: str
    uidvalidity: int = Field(sa_type=BigInteger)
    low: int = Field(default=0, sa_type=BigInteger)


class StoredAttachment(SQLModel, table=True):
    """A file that came with a message, sealed and inert."""

    __tablename__ = "attachment"
    __table_args__ = NUMBERS_ONCE
    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id", index=True)
    key_id: int = Field(foreign_key="sealing_key.id")
    name_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    content_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    content_type: str
    sniffed_type: str | None = None
    size: int
    sha256: str
    is_identity: bool = False
    deleted_at: datetime | None = None


class TrainingExample(SQLModel, table=True):
    """What the DPO decided of a message, for the classifier to learn from. Nothing of it is readable without its key."""

    __tablename__ = "training_example"
    __table_args__ = NUMBERS_ONCE
    id: int | None = Field(default=None, primary_key=True)
    message_id: int | None = Field(default=None, foreign_key="message.id", unique=True)
    """The message, whose text is read where it lies; None once a pseudonymised copy stands for it."""
    key_id: int = Field(foreign_key="sealing_key.id")
    """The message's own key; that of the copy alone where there is one."""
    decision_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """JSON: primary, labels, flags, language and voice; with a copy also its masked subject and body."""
    decided_at: datetime = Field(index=True)
    decided_by: str


class Event(SQLModel, table=True):
    """One entry of the journal. Append-only (triggers refuse change and removal) and hash-chained."""

    __tablename__ = "journal"
    __table_args__ = NUMBERS_ONCE
    id: int | None = Field(default=None, primary_key=True)
    case_id: int | None = Field(default=None, foreign_key="case_file.id", index=True)
    reference: str = ""
    at: datetime
    """When it happened (receipt of a reply, departure of a letter)."""
    recorded_at: datetime
    actor: str
    """A desk user's key, ``bot`` or ``person``."""
    type: str
    data: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    secret_sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """Free text (reasons, notes), sealed with the case's key."""
    previous: str = Field(unique=True)
    """Unique, so that the database itself refuses a fork of the chain."""
    hash: str = Field(unique=True)


class Draft(SQLModel, table=True):
    """A letter on its way to being approved. The text of each revision is in :class:`DraftRevision`."""

    __tablename__ = "draft"
    __table_args__ = NUMBERS_ONCE
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    """Names the step that made it (``DSR-2026-0001:answer:1``): made once."""
    case_id: int = Field(foreign_key="case_file.id", index=True)
    kind: str
    template: str
    language: str
    automatic: bool = False
    status: str = Field(default="proposed", index=True)
    """proposed, approved, rejected, void."""
    revision: int = 1
    digest: str = ""
    """SHA-256 of the current revision's letter: recipient, subject, texts and headers."""
    message_id: str = Field(unique=True)
    """Ours, signed; fixed from the first revision on."""
    created_at: datetime
    decided_at: datetime | None = None
    decided_by: str = ""


class DraftRevision(SQLModel, table=True):
    """One revision of a draft, kept for ever: what was proposed, edited, and by whom."""

    __tablename__ = "draft_revision"
    __table_args__ = (UniqueConstraint("draft_id", "revision"),)
    id: int | None = Field(default=None, primary_key=True)
    draft_id: int = Field(foreign_key="draft.id", index=True)
    revision: int
    digest: str
    letter_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """JSON: recipient, subject, text, html, in_reply_to, references."""
    made_by: str
    made_at: datetime


class OutboxItem(SQLModel, table=True):
    """Something that is to leave. Written in the transaction that decided it; sent after it was committed."""

    __tablename__ = "outbox"
    __table_args__ = NUMBERS_ONCE
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    channel: str = Field(index=True)
    """mail (to a person), desk_mail (to the DPO or the readers of the digest), desk (a card or notice in chat)."""
    kind: str
    case_id: int | None = Field(default=None, foreign_key="case_file.id", index=True)
    draft_id: int | None = Field(default=None, foreign_key="draft.id")
    key_id: int = Field(foreign_key="sealing_key.id")
    message_id: str | None = Field(default=None, unique=True)
    recipient_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    payload_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """The exact MIME bytes, or the JSON of a notice."""
    sha256: str
    """Of the payload as decided; checked again before it leaves."""
    automatic: bool = False
    status: str = Field(default="pending", index=True)
    """pending, sending, sent, failed, uncertain, cancelled."""
    next_try_at: datetime = Field(index=True)
    attempts: int = 0
    last_error: str = ""
    created_at: datetime
    claimed_at: datetime | None = None
    sent_at: datetime | None = None
    response: str = ""


class ChatUpdate(SQLModel, table=True):
    """A Telegram update as it came, stored before it is acknowledged."""

    __tablename__ = "chat_update"
    update_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    key_id: int = Field(foreign_key="sealing_key.id")
    payload_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    received_at: datetime
    handled_at: datetime | None = Field(default=None, index=True)
    attempts: int = 0
    problem: str = ""


class ChatPlace(SQLModel, table=True):
    """The number of a room, a message or an account on a platform that names them by words (Matrix)."""

    __tablename__ = "chat_place"
    id: int | None = Field(default=None, primary_key=True)
    kind: str
    """``room``, ``event``, ``account`` or ``state`` (what the platform's client has to remember)."""
    name_hash: str = Field(unique=True)
    """Keyed hash of kind and name."""
    key_id: int = Field(foreign_key="sealing_key.id")
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    noted_at: datetime


class Card(SQLModel, table=True):
    """The one message in a desk user's chat that shows a case (or an item to sort); edited in place."""

    __tablename__ = "card"
    __table_args__ = (UniqueConstraint("subject", "chat_id"),)
    id: int | None = Field(default=None, primary_key=True)
    subject: str
    """``case:<id>`` or ``message:<id>``."""
    chat_id: int = Field(sa_type=BigInteger)
    chat_message_id: int = Field(sa_type=BigInteger)
    digest: str
    shown_at: datetime


class Button(SQLModel, table=True):
    """What a button in chat stands for: a random key, one use, one message, an expiry."""

    __tablename__ = "button"
    key: str = Field(primary_key=True)
    action: str
    subject: str
    draft_id: int | None = Field(default=None, foreign_key="draft.id")
    revision: int | None = None
    digest: str = ""
    argument: str = ""
    seen: int | None = None
    """The state of the case on the card it stands on: the last event that mattered then."""
    chat_id: int = Field(sa_type=BigInteger)
    chat_message_id: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    """The message it stands under; 0 until that message was sent. Pressed under any other, it does nothing."""
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    used_by: str = ""
    result: str = ""


class Dialog(SQLModel, table=True):
    """What the desk waits for from a user: the text of an edit, the reason of a refusal."""

    __tablename__ = "dialog"
    user_id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    action: str
    subject: str
    draft_id: int | None = None
    revision: int | None = None
    digest: str = ""
    argument: str = ""
    chat_id: int = Field(default=0, sa_type=BigInteger)
    prompt_id: int = Field(default=0, sa_type=BigInteger)
    """The message that asked: a reply to another message is not meant for it."""
    key_id: int | None = Field(default=None, foreign_key="sealing_key.id")
    text_sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    """Parts collected so far, where a text comes in several messages."""
    expires_at: datetime


class DeskLink(SQLModel, table=True):
    """The chat account a desk user linked by a one-time code, where the settings name none."""

    __tablename__ = "desk_link"
    user_key: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    """``telegram``."""
    key_id: int = Field(foreign_key="sealing_key.id")
    account_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    account_hash: str = Field(unique=True)
    """Keyed hash: one account works for one user only."""
    linked_at: datetime


class Marker(SQLModel, table=True):
    """Something that happens once: ``tick:2026-03-02``, ``digest:2026-W10``."""

    __tablename__ = "marker"
    key: str = Field(primary_key=True)
    at: datetime


class Health(SQLModel, table=True):
    """The last sign of life of a part (``imap``, ``telegram``, ``smtp``)."""

    __tablename__ = "health"
    part: str = Field(primary_key=True)
    ok_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    problem: str = ""


class Counter(SQLModel, table=True):
    """Running numbers (``reference:2026``)."""

    __tablename__ = "counter"
    name: str = Field(primary_key=True)
    value: int = 0
