"""Drafts and their revisions. An approval names the revision and the digest it saw; anything else changes no row."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import Session, col, select, update

from store.models import Case, Draft, DraftRevision
from store.sealing import SealingError, Vault

DECISIONS = frozenset({"approved", "rejected", "void"})
"""What can become of a proposed draft; each is final."""


@dataclass(frozen=True)
class LetterText:
    """A letter as it would leave: to whom, what, and in answer to what."""

    recipient: str
    """Mail address; empty for a person who is answered in chat."""
    subject: str
    text: str
    html: str
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    chat_id: int | None = None
    rights: tuple[str, ...] = ()
    """The rights it answers, where it answers a part of the message; empty: all of the case."""

    def digest(self) -> str:
        """SHA-256 over everything of the letter; one changed byte or recipient gives another digest."""
        # What was added to letters later is left out where empty, so that older letters keep their digest.
        values = {name: value for name, value in asdict(self).items() if name != "rights" or value}
        canonical = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def propose(
    session: Session,
    vault: Vault,
    *,
    case: Case,
    key: str,
    kind: str,
    template: str,
    language: str,
    message_id: str,
    letter: LetterText,
    automatic: bool,
    now: datetime,
    digest: str = "",
) -> Draft:
    """Propose a letter. *key* names the step that made it: proposed twice, it is the same draft.

    *digest* is that of what would leave (``bot.envelope``), which a decision has to name; where none is given, the letter's.
    """
    existing = session.exec(select(Draft).where(Draft.key == key)).first()
    if existing is not None:
        return existing
    draft = Draft(
        key=key, case_id=_number(case.id), kind=kind, template=template, language=language, automatic=automatic,
        message_id=message_id, digest=digest or letter.digest(), created_at=now,
    )  # fmt: skip
    session.add(draft)
    session.flush()
    _keep(session, vault, case=case, draft=draft, letter=letter, by="bot", now=now)
    return draft


def _number(row_id: int | None) -> int:
    if row_id is None:
        raise ValueError("the case is not in the store yet: flush it first")
    return row_id


def _purpose(draft_id: int, revision: int) -> str:
    # Bound to its place: the text of one revision does not open as that of another.
    return f"letter:{draft_id}:{revision}"


def _keep(
    session: Session, vault: Vault, *, case: Case, draft: Draft, letter: LetterText, by: str, now: datetime
) -> None:
    draft_id = _number(draft.id)
    session.add(
        DraftRevision(
            draft_id=draft_id, revision=draft.revision, digest=letter.digest(), made_by=by, made_at=now,
            letter_sealed=vault.seal_json(session, case.key_id, asdict(letter), _purpose(draft_id, draft.revision)),
        )
    )  # fmt: skip
    session.flush()


def revise(
    session: Session,
    vault: Vault,
    *,
    case: Case,
    draft: Draft,
    seen_revision: int,
    letter: LetterText,
    by: str,
    now: datetime,
    digest: str = "",
) -> bool:
    """Replace the text of a proposed draft if it still is at *seen_revision*; say whether it was.

    The older text stays readable: who changed what is part of the record. *digest* as in :func:`propose`.
    """
    changed = session.exec(
        update(Draft)
        .where(col(Draft.id) == draft.id, col(Draft.status) == "proposed", col(Draft.revision) == seen_revision)
        .values(revision=seen_revision + 1, digest=digest or letter.digest())
    )
    if changed.rowcount != 1:
        return False
    session.refresh(draft)
    _keep(session, vault, case=case, draft=draft, letter=letter, by=by, now=now)
    return True


def decide(session: Session, *, draft_id: int, revision: int, digest: str, status: str, by: str, now: datetime) -> bool:
    """Approve, reject or void a proposed draft if it is still what *by* saw; say whether it was.

    One conditional update: of two people who press at once, exactly one changes the row. Raises ``ValueError`` for a
    *status* that is no decision.
    """
    if status not in DECISIONS:
        raise ValueError(f"{status!r} is no decision; a draft becomes {', '.join(sorted(DECISIONS))}")
    changed = session.exec(
        update(Draft)
        .where(
            col(Draft.id) == draft_id,
            col(Draft.status) == "proposed",
            col(Draft.revision) == revision,
            col(Draft.digest) == digest,
        )
        .values(status=status, decided_by=by, decided_at=now)
    )
    return bool(changed.rowcount == 1)


def letter_of(session: Session, vault: Vault, *, case: Case, draft: Draft, revision: int | None = None) -> LetterText:
    """Open the letter of a draft (of its current revision unless another is named).

    Raises ``SealingError`` when the case was erased, or when the letter is not the one its digest stands for. Whether what
    would leave is what the draft's digest stands for is looked at where it is approved (``bot.envelope``).
    """
    number = draft.revision if revision is None else revision
    row = session.exec(
        select(DraftRevision).where(DraftRevision.draft_id == draft.id, DraftRevision.revision == number)
    ).one()
    values = vault.open_json(session, case.key_id, row.letter_sealed, _purpose(row.draft_id, number))
    lists = {name: tuple(values.get(name, ())) for name in ("references", "rights")}
    letter = LetterText(**{**values, **lists})
    if row.digest != letter.digest():
        raise SealingError(f"the letter of draft {draft.id}, revision {number}, is not the one that was recorded")
    return letter


def proposed(session: Session, case_id: int) -> list[Draft]:
    """Return the drafts of a case that wait for a decision, oldest first."""
    query = select(Draft).where(Draft.case_id == case_id, Draft.status == "proposed").order_by(col(Draft.id))
    return list(session.exec(query))


def all_proposed(session: Session) -> list[Draft]:
    """Return every draft that waits for a decision, oldest first."""
    return list(session.exec(select(Draft).where(Draft.status == "proposed").order_by(col(Draft.id))))


def of_case(session: Session, case_id: int) -> list[Draft]:
    """Return every draft of a case, oldest first."""
    return list(session.exec(select(Draft).where(Draft.case_id == case_id).order_by(col(Draft.id))))
