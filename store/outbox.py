"""The outbox: what is decided is written here in the same transaction, and leaves afterwards, once.

pending -> sending -> sent | pending (later, 4xx) | failed (5xx) | uncertain (the connection broke after the data went
over). An item found in ``sending`` by a fresh worker is uncertain too: it is shown to a person with its Message-ID and
never sent again on a guess; what failed or is uncertain moves on only when a person resolves it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select, update

from store.models import OutboxItem
from store.sealing import SealingError, Vault

FATES = frozenset({"sent", "pending", "failed", "uncertain"})
"""What can become of an item that is being sent."""
RESOLUTIONS = frozenset({"sent", "pending", "cancelled"})
"""What a person can say of an item that failed or is uncertain: it did leave, send it again, leave it."""


def enqueue(
    session: Session,
    vault: Vault,
    *,
    key: str,
    channel: str,
    kind: str,
    key_id: int,
    recipient: str,
    payload: bytes,
    now: datetime,
    case_id: int | None = None,
    draft_id: int | None = None,
    message_id: str | None = None,
    automatic: bool = False,
    not_before: datetime | None = None,
) -> OutboxItem:
    """Add an item inside the caller's transaction; *key* names the decision, which taken twice gives one item.

    Recipient and payload are sealed for this *key*: they do not open as those of another item.
    """
    existing = session.exec(select(OutboxItem).where(OutboxItem.key == key)).first()
    if existing is not None:
        return existing
    item = OutboxItem(
        key=key, channel=channel, kind=kind, case_id=case_id, draft_id=draft_id, key_id=key_id, message_id=message_id,
        recipient_sealed=vault.seal(session, key_id, recipient.encode(), f"recipient:{key}"),
        payload_sealed=vault.seal(session, key_id, payload, f"payload:{key}"),
        sha256=hashlib.sha256(payload).hexdigest(), automatic=automatic, next_try_at=not_before or now, created_at=now,
    )  # fmt: skip
    session.add(item)
    session.flush()
    return item


def claim(session: Session, *, channels: tuple[str, ...], now: datetime) -> OutboxItem | None:
    """Take the next due item and mark it ``sending``; None when nothing is due. The caller commits before it sends."""
    query = (
        select(OutboxItem)
        .where(
            OutboxItem.status == "pending", col(OutboxItem.channel).in_(channels), col(OutboxItem.next_try_at) <= now
        )
        .order_by(col(OutboxItem.next_try_at), col(OutboxItem.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    item = session.exec(query).first()
    if item is None:
        return None
    changed = session.exec(
        update(OutboxItem)
        .where(col(OutboxItem.id) == item.id, col(OutboxItem.status) == "pending")
        .values(status="sending", claimed_at=now, attempts=item.attempts + 1)
    )
    if changed.rowcount != 1:
        return None
    session.refresh(item)
    return item


def opened(session: Session, vault: Vault, item: OutboxItem) -> tuple[str, bytes]:
    """Open (recipient, payload) of an item.

    Raises ``ValueError`` if either is not what was decided, or cannot be opened any more because its case was erased.
    """
    try:
        payload = vault.open(session, item.key_id, item.payload_sealed, f"payload:{item.key}")
        recipient = vault.open(session, item.key_id, item.recipient_sealed, f"recipient:{item.key}").decode()
    except SealingError as error:
        raise ValueError(f"outbox item {item.id} does not open: altered, or its case was erased") from error
    if hashlib.sha256(payload).hexdigest() != item.sha256:
        raise ValueError(f"outbox item {item.id} differs from what was approved")
    return recipient, payload


def finish(
    session: Session,
    *,
    item_id: int,
    status: str,
    now: datetime,
    response: str = "",
    error: str = "",
    again_at: datetime | None = None,
) -> bool:
    """Note the fate of an item that was ``sending``; say whether it still was. ``ValueError`` for no such fate."""
    if status not in FATES:
        raise ValueError(f"{status!r} is no fate; an item becomes {', '.join(sorted(FATES))}")
    values: dict[str, object] = {"status": status, "last_error": error}
    if status == "sent":
        values |= {"sent_at": now, "response": response}
    if again_at is not None:
        values["next_try_at"] = again_at
    changed = session.exec(
        update(OutboxItem).where(col(OutboxItem.id) == item_id, col(OutboxItem.status) == "sending").values(**values)
    )
    return bool(changed.rowcount == 1)


def cancel(session: Session, *, item_id: int) -> bool:
    """Call back an item that has not been claimed yet; say whether it was still in time."""
    changed = session.exec(
        update(OutboxItem)
        .where(col(OutboxItem.id) == item_id, col(OutboxItem.status) == "pending")
        .values(status="cancelled")
    )
    return bool(changed.rowcount == 1)


def resolve(session: Session, *, item_id: int, status: str, now: datetime) -> bool:
    """Settle an item that failed or is uncertain, as a person decided; say whether it still was either.

    ``pending`` sends it again at once: only a person may risk that it arrives twice. ``ValueError`` for anything else
    than ``sent``, ``pending`` or ``cancelled``.
    """
    if status not in RESOLUTIONS:
        raise ValueError(f"{status!r} resolves nothing; an item becomes {', '.join(sorted(RESOLUTIONS))}")
    values: dict[str, object] = {"status": status}
    if status == "pending":
        values["next_try_at"] = now
    if status == "sent":
        values["sent_at"] = now
    changed = session.exec(
        update(OutboxItem)
        .where(col(OutboxItem.id) == item_id, col(OutboxItem.status).in_(("failed", "uncertain")))
        .values(**values)
    )
    return bool(changed.rowcount == 1)


def left_in_sending(session: Session, *, claimed_before: datetime | None = None) -> list[OutboxItem]:
    """Return the items a worker had claimed when it died.

    Where several workers share a store (PostgreSQL), pass *claimed_before*, earlier than any sending can last: what was
    claimed since may just be on its way in another worker.
    """
    query = select(OutboxItem).where(OutboxItem.status == "sending")
    if claimed_before is not None:
        query = query.where(col(OutboxItem.claimed_at) < claimed_before)
    return list(session.exec(query.order_by(col(OutboxItem.id))))


def by_key(session: Session, key: str) -> OutboxItem | None:
    """Return what was queued for a decision, if it was."""
    return session.exec(select(OutboxItem).where(OutboxItem.key == key)).first()


def by_message_id(session: Session, message_id: str) -> OutboxItem | None:
    """Return the mail that left with this Message-ID (without angle brackets)."""
    return session.exec(select(OutboxItem).where(OutboxItem.message_id == message_id)).first()


def of_case(session: Session, case_id: int) -> list[OutboxItem]:
    """Return what was or is to be sent about a case, oldest first."""
    return list(session.exec(select(OutboxItem).where(OutboxItem.case_id == case_id).order_by(col(OutboxItem.id))))


def unsettled(session: Session) -> list[OutboxItem]:
    """Return what failed or may or may not have left: for the DPO to see."""
    query = select(OutboxItem).where(col(OutboxItem.status).in_(("failed", "uncertain")))
    return list(session.exec(query.order_by(col(OutboxItem.id))))


def count_automatic(session: Session, *, since: datetime, case_ids: tuple[int, ...] | None = None) -> int:
    """Return how many automatic mails were queued since *since* (about *case_ids*, or about any case)."""
    query = select(func.count()).where(
        OutboxItem.channel == "mail", col(OutboxItem.automatic), col(OutboxItem.created_at) >= since
    )
    if case_ids is not None:
        query = query.where(col(OutboxItem.case_id).in_(case_ids))
    return session.exec(query).one()


def count_told(session: Session, *, kinds: tuple[str, ...], since: datetime) -> int:
    """Return how many notices of *kinds* were queued for the desk, in chat or by mail, since *since*."""
    # A notice by mail is an item a recipient, numbered from 0.
    channel = col(OutboxItem.channel)
    one = (channel == "desk") | ((channel == "desk_mail") & col(OutboxItem.key).like("%:0"))
    query = select(func.count()).where(one, col(OutboxItem.kind).in_(kinds), col(OutboxItem.created_at) >= since)
    return session.exec(query).one()


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after the n-th temporary refusal: 1, 2, 4 … minutes, at most two hours."""
    return timedelta(minutes=min(2 ** max(attempts - 1, 0), 120))


def count_unsent(session: Session) -> int:
    """Return how many items still wait to leave (letters for the post aside)."""
    query = select(func.count()).where(
        col(OutboxItem.status).in_(("pending", "sending")), col(OutboxItem.channel) != "post"
    )
    return session.exec(query).one()
