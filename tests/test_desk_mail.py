"""The desk by mail: a reply with the key of a notice decides once; a mail that only says it is the DPO decides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.app import build_app
from bot.channels.base import RawMessage
from bot.desk import mail_orders
from bot.sending import send_due
from bot.settings import User
from bot.worker import receive
from store import journal
from tests.fakes import Office, WordReader
from tests.world import mail, text_of

JEAN = "Jean Roche <jean@boite.example>"
DPO = "claude@bureau.example"
USERS = [
    {"key": "dpo", "name": "Claude Martinez", "role": "dpo", "email": DPO},
    {"key": "deputy", "name": "Adjointe", "role": "deputy", "email": "adjointe@bureau.example"},
    {"key": "helper", "name": "Accueil", "role": "helper", "email": "accueil@bureau.example"},
]


@pytest.fixture
def office(tmp_path) -> Iterator[Office]:
    made = Office(tmp_path / "data", desk={"users": USERS, "language": "fr"})
    made.arrive(mail("Bonjour, arrêtez vos publicités.", sender=JEAN, subject="STOP"))
    yield made
    made.close()


def notice(office: Office, to: str = DPO) -> str:
    """The newest notice to a desk user."""
    return text_of(office.mailer.to(to)[-1])


def key_in(text: str) -> str:
    return re.findall(r"dk_[\w-]{24}", text)[0]


def ready(office: Office) -> str:
    """Complete the answer, have the desk told again, and return the key that came to the DPO."""
    office.complete("answer")
    office.arrive(
        mail("Je relance : arrêtez vos publicités.", sender=JEAN, subject="STOP", message_id="<2@boite.example>")
    )
    office.complete("answer")
    (draft,) = office.drafts()
    with office.app.database.transaction() as session:
        from bot.casework import mail_desk
        from handlers.types import Notice
        from store.models import Case

        case = session.get(Case, draft.case_id)
        mail_desk(
            session, office.app, Notice("due"), subject="case:1", step="again", now=office.clock.now(), case=case
        )  # fmt: skip
    send_due(office.app)
    return key_in(notice(office))


def reply(office: Office, body: str, *, sender: str = DPO, **headers: str) -> bool:
    raw = mail(
        body, sender=sender, subject="Re: Échéance proche", message_id=f"<{abs(hash(body))}@bureau.example>", **headers
    )
    done = receive(office.app, RawMessage("imap:test", f"9:{abs(hash(raw))}", office.clock.now(), raw))
    send_due(office.app)
    return done


def test_a_notice_shows_the_masked_draft_and_only_those_who_decide_get_a_key(office):
    text = notice(office)
    assert "La lettre qui attend (données masquées) :" in text
    assert [word for word in ("Jean", "Roche", "boite") if word in text] == []
    assert key_in(text) != key_in(notice(office, "adjointe@bureau.example"))
    assert "dk_" not in notice(office, "accueil@bureau.example")


def test_a_reply_with_the_key_approves_once(office):
    key = ready(office)
    before = len(office.mailer.to("jean@boite.example"))
    reply(office, f"APPROUVER\n\n> Clé : {key}\n")
    assert len(office.mailer.to("jean@boite.example")) == before + 1
    assert notice(office).startswith("Approuvé : la lettre du dossier DSR-2026-0001 part.")
    reply(office, f"Approuver.\n\n> encore {key}\n")
    assert notice(office).startswith("Déjà fait par dpo.")
    assert len(office.mailer.to("jean@boite.example")) == before + 1
    with office.app.database.reading() as session:
        assert [e.actor for e in journal.of_case(session, 1) if e.type == "draft_approved"][-1] == "dpo"


@pytest.mark.parametrize(
    ("body", "sender", "headers"),
    [
        ("APPROUVER", DPO, {}),
        ("APPROUVER\n\ndk_AAAAAAAAAAAAAAAAAAAAAAAA", DPO, {}),
        ("APPROUVER\n\n{key}", "mallory@boite.example", {}),
        ("APPROUVER\n\n{key}", f"{DPO} <mallory@boite.example>", {}),
        ("APPROUVER\n\n{key}", "adjointe@bureau.example", {}),
        ("APPROUVER\n\n{key}", DPO, {"Auto_Submitted": "auto-replied"}),
        ("Je suis absent jusqu'à lundi.\n\n{key}", DPO, {}),
    ],
    ids=["no key", "a guess", "a stranger", "a display name", "another's key", "a robot", "no order"],
)
def test_anything_but_the_right_reply_decides_nothing(office, body, sender, headers):
    key = ready(office)
    reply(office, body.format(key=key), sender=sender, **headers)
    assert [draft.status for draft in office.drafts()] == ["proposed"]


def test_a_key_dies_with_the_state_it_was_given_for_and_with_time(office):
    key = ready(office)
    office.do("change_right", argument="complaint", user="deputy")
    reply(office, f"APPROUVER\n\n{key}")
    assert "n'est plus valable" in notice(office)


def test_a_key_expires(office):
    key = ready(office)
    office.clock.move_to(office.clock.now() + timedelta(days=15))
    reply(office, f"APPROUVER\n\n{key}")
    assert notice(office).startswith("Cette clé n'est pas valable, ou a expiré.")


def test_a_reply_may_refuse_the_draft_with_a_reason(office):
    key = ready(office)
    reply(office, f"REFUSER le ton ne va pas\n\n> {key}\n")
    assert notice(office).startswith("Projet refusé : rien n'est parti.")
    assert office.drafts() == []


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "case:2"}, {"revision": 1}, {"digest": "0" * 64}, {"seen": 0}, {"expires_at": timedelta(days=900)},
        {"draft_id": 1},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_key_whose_row_was_altered_opens_nothing(office, change):
    from sqlmodel import select

    from store.models import Button

    key = ready(office)
    with office.app.database.transaction() as session:
        (row,) = [row for row in session.exec(select(Button)).all() if row.key == mail_orders._button_key(key[3:])]
        for name, value in change.items():
            setattr(row, name, row.expires_at + value if name == "expires_at" else value)
        session.add(row)
    if "expires_at" in change:
        office.clock.move_to(office.clock.now() + timedelta(days=30))
    before = office.types().count("draft_approved")
    assert reply(office, f"APPROUVER\n\n> {key}")
    assert office.types().count("draft_approved") == before
    assert "n'est pas valable" in notice(office)


def test_a_key_is_for_the_address_it_went_to(office):
    key = ready(office)
    moved = [{**USERS[0], "email": "claude.martinez@bureau.example"}, *USERS[1:]]
    desk = office.settings.desk.model_copy(update={"users": tuple(User(**user) for user in moved)})
    office.app.close()
    office.settings = office.settings.model_copy(update={"desk": desk})
    office.app = build_app(
        office.settings, clock=office.clock, inboxes=(), mailer=office.mailer, reader=WordReader()
    )  # fmt: skip
    before = office.types().count("draft_approved")
    assert reply(office, f"APPROUVER\n\n> {key}", sender="claude.martinez@bureau.example")
    assert office.types().count("draft_approved") == before
