"""What was decided leaves: claim (commit), talk to the server with no transaction open, note the fate (commit).

The one way out. A letter whose payload is not what was approved never leaves; an answer that may or may not have
left is shown to the DPO
with its Message-ID and never sent again on a guess.
"""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from email.utils import parseaddr

from sqlmodel import Session

from bot import casework, switch
from bot.app import App
from bot.channels.base import PermanentRefusal, TemporaryRefusal, Uncertain
from bot.envelope import digest_of
from bot.mail_policy import MAIL_POLICY
from handlers.types import Notice
from store import cases, health, journal, outbox
from store.models import Case, OutboxItem

log = logging.getLogger("dpobot.sending")

GIVE_UP_AFTER = timedelta(days=2)
"""A letter the server keeps refusing temporarily is shown to the DPO after this long, and still tried again."""


WAIT_AT_SWITCH = timedelta(minutes=5)
"""How long an automatic mail waits before the switch is looked at again."""


def recover(app: App, *, claimed_before: datetime | None = None) -> int:
    """What a dead worker had claimed may or may not have left: mark it uncertain, tell the DPO, return how many.

    At start on a store that is ours alone, everything claimed; otherwise only what was *claimed_before* any sending
    still under way can have begun. Cards and notices to the desk are simply tried again: seen twice, they harm nobody.
    """
    now = app.clock.now()
    with app.database.transaction() as session:
        found = outbox.left_in_sending(session, claimed_before=claimed_before)
        for item in found:
            assert item.id is not None
            if item.channel == "desk":
                outbox.finish(session, item_id=item.id, status="pending", now=now, again_at=now)
            else:
                _settle(session, app, item, "uncertain", error="the program stopped while sending")
    return len(found)


def send_next(app: App) -> bool:
    """Send the next mail that is due; False when there is none."""
    now = app.clock.now()
    with app.database.transaction() as session:
        item = outbox.claim(session, channels=("mail", "desk_mail"), now=now)
    if item is None:
        return False
    if item.automatic and item.channel == "mail" and switch.stopped(app.settings):
        with app.database.transaction() as session:
            outbox.finish(
                session, item_id=item.id or 0, status="pending", now=now, error="automatic mail is stopped",
                again_at=now + WAIT_AT_SWITCH,
            )  # fmt: skip
        return True
    try:
        with app.database.reading() as session:
            recipient, mime = as_approved(session, app, item)
    except ValueError:
        with app.database.transaction() as session:
            _settle(session, app, item, "failed", error="the payload differs from what was approved")
        return True
    try:
        response = app.mailer.send(sender=app.settings.mail.address, recipient=recipient, mime=mime)
    except TemporaryRefusal as refusal:
        _later(app, item, str(refusal))
    except PermanentRefusal as refusal:
        with app.database.transaction() as session:
            _settle(session, app, item, "failed", error=str(refusal))
    except Uncertain as doubt:
        with app.database.transaction() as session:
            _settle(session, app, item, "uncertain", error=str(doubt))
    else:
        with app.database.transaction() as session:
            _settle(session, app, item, "sent", response=response)
    return True


def as_approved(session: Session, app: App, item: OutboxItem) -> tuple[str, bytes]:
    """Return (recipient, payload) of an item. Raises ``ValueError`` unless a letter is, byte for byte and for its recipient,
    what the journal says was approved.

    The journal cannot be changed afterwards (triggers, a chain of hashes); a row of the outbox can. Whoever would make one
    pass as another kind of item stops it as well: what is for a person has an approval, or does not leave.
    """
    recipient, payload = outbox.opened(session, app.vault, item)
    if item.channel in ("mail", "desk_mail"):
        named = str(BytesHeaderParser(policy=MAIL_POLICY).parsebytes(payload)["To"] or "").strip()
        if recipient not in (named, parseaddr(named)[1]) or "," in named.replace(recipient, ""):
            raise ValueError(f"outbox item {item.id} is not addressed to whom it would go")
    if not _is_letter(item):
        return recipient, payload
    approved = [
        event.data
        for event in (journal.of_case(session, item.case_id) if item.case_id is not None else ())
        if event.type == "draft_approved" and event.data.get("draft") == str(item.draft_id)
    ]
    if item.case_id is None and item.draft_id is None:
        # A routine answer about no case was noted with its digest when it was made.
        noted = journal.of_no_case(session, type="mail_made", since=item.created_at)
        approved = [event.data for event in noted if event.data.get("message_id") == item.message_id]
    # What was approved before the envelope was noted names the content only.
    if (
        not approved
        or approved[-1].get("sha256") != hashlib.sha256(payload).hexdigest()
        or approved[-1].get("envelope") not in (None, digest_of(item.channel, recipient, payload))
    ):
        raise ValueError(f"outbox item {item.id} is not what was approved")
    return recipient, payload


def _is_letter(item: OutboxItem) -> bool:
    """Whether an item is for a person: by its channel, its draft or its name; no change of one of them makes it a notice."""
    return item.channel not in ("desk_mail", "desk") or item.draft_id is not None or item.key.endswith(":letter")


def _case_of(session: Session, item: OutboxItem) -> Case | None:
    """The case of an item, also where its row no longer says which: a letter's key begins with the reference."""
    if item.case_id is not None:
        return session.get(Case, item.case_id)
    return cases.by_reference(session, item.key.partition(":")[0]) if item.key.endswith(":letter") else None


def send_due(app: App, *, limit: int = 500) -> int:
    """Send everything that is due, at most *limit* mails; return how many were tried."""
    count = 0
    while count < limit and send_next(app):
        count += 1
    return count


def _later(app: App, item: OutboxItem, error: str) -> None:
    now = app.clock.now()
    again = now + outbox.retry_delay(item.attempts)
    with app.database.transaction() as session:
        outbox.finish(session, item_id=item.id or 0, status="pending", now=now, error=error, again_at=again)
        health.failed(session, part="smtp", now=now, problem=error)
        waiting = now - item.created_at
        if item.case_id is not None and waiting > GIVE_UP_AFTER:
            case = session.get(Case, item.case_id)
            assert case is not None
            facts = {"message_id": item.message_id or "", "kind": item.kind}
            casework.tell_desk(
                session, app, Notice("letter_failed", urgent=True, facts=facts), subject=f"case:{case.id}",
                key_id=case.key_id, step=f"outbox-{item.id}-late-{waiting.days}", now=now, case=case,
            )  # fmt: skip
    log.warning("mail.later", extra={"outbox": item.id, "attempts": item.attempts})


def settle_chat(app: App, item: OutboxItem, status: str, *, response: str = "", error: str = "") -> None:
    """Note the fate of a letter that went by chat."""
    with app.database.transaction() as session:
        _settle(session, app, item, status, response=response, error=error)


def sent_by_post(session: Session, app: App, case: Case) -> int:
    """Note that the letters of a case that go by post were posted; return how many there were."""
    count = 0
    for item in outbox.of_case(session, case.id or 0):
        if item.channel == "post" and item.status == "pending":
            item.status = "sending"
            session.add(item)
            session.flush()
            _settle(session, app, item, "sent", response="by post")
            count += 1
    return count


def _settle(session: Session, app: App, item: OutboxItem, status: str, *, response: str = "", error: str = "") -> None:
    """Note the fate of a letter in the outbox, the journal and, unless it simply left, on the desk."""
    now = app.clock.now()
    assert item.id is not None
    if not outbox.finish(session, item_id=item.id, status=status, now=now, response=response, error=error):
        return
    if item.channel in ("mail", "desk_mail") and status == "sent":
        health.worked(session, part="smtp", now=now)
    log.info(f"mail.{status}", extra={"outbox": item.id, "kind": item.kind})
    case = _case_of(session, item)
    if case is None or not _is_letter(item):
        return
    data = {
        "kind": item.kind,
        "message_id": item.message_id or "",
        "sha256": item.sha256,
        "draft": str(item.draft_id or ""),
        "response": response[:200],
    }
    casework.note(session, app, case, f"letter_{status}", actor="bot", now=now, data=data)
    if status == "sent":
        _follow(session, app, case, item)
    else:
        facts = {"message_id": item.message_id or "", "kind": item.kind}
        casework.tell_desk(
            session, app, Notice(f"letter_{status}", urgent=True, facts=facts), subject=f"case:{case.id}",
            key_id=case.key_id, step=f"outbox-{item.id}", now=now, case=case,
        )  # fmt: skip


def _follow(session: Session, app: App, case: Case, item: OutboxItem) -> None:
    """What counts only once a letter has really left: identity asked, extension notified (law.md 2.1)."""
    now = app.clock.now()
    if "identity_request" in item.kind and case.identity not in ("verified", "waived", "received"):
        casework.note(
            session, app, case, "identity_requested", actor="bot", now=now, data={"message_id": item.message_id}
        )
    elif item.kind == "extension":
        casework.note(session, app, case, "extended", actor="bot", now=now, data={"message_id": item.message_id})
    elif item.kind == "information_request":
        casework.note(
            session, app, case, "clarification_requested", actor="bot", now=now, data={"message_id": item.message_id}
        )
    if not item.automatic:
        casework.tell_desk(
            session,
            app,
            Notice("refresh"),
            subject=f"case:{case.id}",
            key_id=case.key_id,
            step=f"sent-{item.id}",
            now=now,
            case=case,
        )


def settle_by_hand(session: Session, app: App, item: OutboxItem, *, left: bool, by: str) -> None:
    """Settle a letter whose fate was unknown, as a person found: it left, with all that follows, or it is sent again."""
    now = app.clock.now()
    assert item.id is not None
    if not outbox.resolve(session, item_id=item.id, status="sent" if left else "pending", now=now):
        return
    case = session.get(Case, item.case_id) if item.case_id is not None else None
    if case is None:
        return
    data = {
        "kind": item.kind,
        "message_id": item.message_id or "",
        "sha256": item.sha256,
        "draft": str(item.draft_id or ""),
    }
    if left:
        casework.note(session, app, case, "letter_sent", actor=by, now=now, data={**data, "response": "by hand"})
        _follow(session, app, case, item)
    else:
        casework.note(session, app, case, "letter_again", actor=by, now=now, data=data)


def chat_letter(payload: bytes) -> tuple[int, str]:
    """Return (chat id, text) of a letter that goes by chat."""
    letter = json.loads(payload)
    return int(letter["chat_id"]), str(letter["text"])
