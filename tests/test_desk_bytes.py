"""What is approved is what leaves, to the byte: the digest on the card is that of the mail, and nothing else goes out."""

from __future__ import annotations

import hashlib
from email import policy
from email.parser import BytesParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from bot.app import build_app
from bot.desk.actions import perform
from bot.desk.cards import view_of
from bot.envelope import digest_of
from bot.sending import as_approved, send_due
from bot.settings import build
from store import journal
from store.models import Draft, OutboxItem
from tests.fakes import JEAN, OBJECTION, Office, WordReader
from tests.test_terminal import sit
from tests.world import mail

ADDRESS = "jean@boite.example"


@pytest.fixture
def approved(office) -> Office:
    """A letter that was approved and waits in the outbox."""
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    office.complete()
    told = perform(office.app, office.ask("approve"), user=office.user("dpo"))
    assert told.done, told
    return office


def waiting(office: Office) -> OutboxItem:
    with office.app.database.reading() as session:
        return session.exec(select(OutboxItem).where(OutboxItem.kind == "answer")).one()


def put(office: Office, *, recipient: str | None = None, payload: bytes | None = None, **columns: object) -> None:
    """Change the row as somebody could who has the database *and* its keys: sealed anew, with a hash that fits."""
    vault = office.app.vault
    with office.app.database.transaction() as session:
        item = session.exec(select(OutboxItem).where(OutboxItem.kind == "answer")).one()
        if recipient is not None:
            item.recipient_sealed = vault.seal(session, item.key_id, recipient.encode(), f"recipient:{item.key}")
        if payload is not None:
            item.payload_sealed = vault.seal(session, item.key_id, payload, f"payload:{item.key}")
            item.sha256 = hashlib.sha256(payload).hexdigest()
        for name, value in {"status": "pending", **columns}.items():
            setattr(item, name, value)
        session.add(item)


def original(office: Office) -> tuple[str, bytes]:
    with office.app.database.reading() as session:
        return as_approved(session, office.app, waiting(office))


def answers(office: Office) -> list[bytes]:
    return [raw for _, raw in office.mailer.raw if b"\r\nAuto-Submitted: auto-replied" not in raw and b"DSR-" in raw]


def restarted(office: Office, **changes: object) -> None:
    office.app.close()
    office.settings = build({**office.settings.model_dump(), **changes})
    office.app = build_app(
        office.settings, clock=office.clock, inboxes=(), mailer=office.mailer, reader=WordReader()
    )  # fmt: skip


def test_the_digest_on_the_card_is_that_of_the_mail_which_leaves(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    office.complete()
    draft = office.drafts()[-1]
    with office.app.database.reading() as session:
        card = view_of(session, office.app, "case:1", masked=True, now=office.clock.now(), user=office.user("dpo"))
    assert card is not None
    assert draft.digest[:12] in card.text
    assert office.do("approve").done
    recipient, raw = office.mailer.raw[-1]
    assert (recipient, digest_of("mail", recipient, raw)) == (ADDRESS, draft.digest)
    with office.app.database.reading() as session:
        event = [e for e in journal.of_case(session, 1) if e.type == "draft_approved"][-1]
    assert (event.data["digest"], event.data["envelope"]) == (draft.digest, draft.digest)
    assert event.data["sha256"] == hashlib.sha256(raw).hexdigest()


def test_the_digest_says_nothing_of_when_and_everything_of_what_and_to_whom(approved):
    recipient, raw = original(approved)
    digest = digest_of("mail", recipient, raw)
    later = raw.replace(b"\r\nDate: Mon, 02 Mar 2026", b"\r\nDate: Tue, 03 Mar 2026")
    assert later != raw
    assert digest_of("mail", recipient, later) == digest
    assert digest_of("mail", "other@boite.example", raw) != digest
    assert digest_of("chat", recipient, raw) != digest
    # A line that only looks like the date counts.
    assert digest_of("mail", recipient, raw.replace(b"\r\n\r\n", b"\r\n\r\nDate: now\r\n", 1)) != digest


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_can_be_changed_after_the_approval(approved, data):
    recipient, raw = original(approved)
    place = data.draw(st.integers(0, len(raw) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != raw[place]))
    put(approved, payload=raw[:place] + bytes([byte]) + raw[place + 1 :])
    send_due(approved.app)
    assert answers(approved) == []
    assert waiting(approved).status == "failed"
    assert approved.types()[-1] == "letter_failed"
    put(approved, recipient=recipient, payload=raw)


def attached(raw: bytes) -> bytes:
    made = BytesParser(policy=policy.SMTP).parsebytes(raw)
    made.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="dossier.pdf")
    return made.as_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"recipient": "other@boite.example"},
        {"payload": lambda raw: raw.replace(ADDRESS.encode(), b"other@boite.example"), "recipient": "other@boite.example"},
        {"payload": lambda raw: raw.replace(b"\r\nTo: ", b"\r\nBcc: other@boite.example\r\nTo: ")},
        {"payload": attached},
        {"payload": lambda raw: raw.replace(b"\r\nDate: Mon, 02 Mar 2026", b"\r\nDate: Tue, 03 Mar 2026")},
        {"payload": lambda raw: raw + b"\r\n"},
        {"channel": "desk_mail"},
        {"channel": "desk_mail", "draft_id": None, "recipient": "other@boite.example"},
        {"draft_id": None, "case_id": None},
        {"draft_id": 1},
    ],
    ids=["recipient", "both recipients", "blind copy", "attachment", "date", "end", "channel", "way", "approval", "draft"],
)  # fmt: skip
def test_nothing_else_than_what_was_approved_leaves_and_the_dpo_is_told(approved, change):
    _, raw = original(approved)
    made = dict(change)
    if "payload" in made:
        made["payload"] = made["payload"](raw)
        assert made["payload"] != raw
    put(approved, **made)
    send_due(approved.app)
    assert answers(approved) == []
    assert waiting(approved).status == "failed"
    told = approved.mailer.to("dpo@mije.com")[-1]
    assert told["Subject"] == "[URGENT] Une lettre n'est pas partie – DSR-2026-0001"


def test_settings_that_change_what_would_leave_void_the_approval_and_say_so(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    office.complete()
    seen = office.ask("approve")
    mailing = office.settings.mail.model_copy(update={"from_name": "Quelqu'un d'autre"})
    restarted(office, mail=mailing.model_dump())
    told = perform(office.app, seen, user=office.user("dpo"))
    assert (told.done, told.text) == (
        False, "Rien n'est parti : la lettre partirait autrement (réglages ou adresse changés). La voici à jour.",
    )  # fmt: skip
    send_due(office.app)
    assert answers(office) == []
    # The new card shows what would leave now, and that can be approved.
    now = office.drafts()[-1]
    assert (now.revision, now.digest != seen.digest) == ((seen.revision or 0) + 1, True)
    assert office.do("approve").done
    recipient, raw = office.mailer.raw[-1]
    assert b"Quelqu'un d'autre" in raw
    assert digest_of("mail", recipient, raw) == now.digest


def test_a_draft_whose_digest_was_altered_is_not_approved(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    office.complete()
    seen = office.ask("approve")
    with office.app.database.transaction() as session:
        draft = session.get(Draft, seen.draft_id)
        assert draft is not None
        draft.digest = "0" * 64
        session.add(draft)
    for ask in (seen, office.ask("approve")):
        assert not perform(office.app, ask, user=office.user("dpo")).done
    send_due(office.app)
    assert answers(office) == []


def test_a_letter_for_the_post_that_was_altered_is_not_printed(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    office.complete()
    assert office.do("by_post").done
    assert office.do("approve", text="vu").done
    put(office, payload=b"Cher Monsieur, rien.")
    with office.app.database.reading() as session, pytest.raises(ValueError, match="not what was approved"):
        as_approved(session, office.app, waiting(office))
    said = sit(office, "=DSR-2026-0001", "=Mettre les pièces", "", "q")
    assert any("n'est plus celle qui a été approuvée" in line for line in said)
    assert not list(office.settings.store.data_dir.rglob("a-poster*"))
