"""A card with everything on it fits and keeps what matters; what strangers write is inert on every other surface, too."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot import casework, intake
from bot.channels.chat import utf16_length
from bot.desk.cards import CARD_LIMIT, view_of
from bot.desk.offers import more_offers
from bot.desk.terminal import Terminal
from bot.digest import build_digest, digest_bytes
from bot.sandbox.bot_api_entities import read_text
from bot.sending import send_due
from handlers.types import Notice
from nlp.types import LABELS
from store import cases, drafts
from store.models import Case
from tests.fakes import Office
from tests.test_desk_hostile import HOSTILE, faults, written
from tests.world import paris

QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
LONG = st.sampled_from(["A", "é", "x. ", "\U0001f4a3", "﷽", "a\n", "https://evil.example/ ", "• ", "[[", "e\u0301"])
SIZE = st.integers(0, 20_000)
TEXTS = st.builds(lambda piece, size: (piece * size)[:20_000], LONG, SIZE)


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Iterator[Office]:
    users = [
        {"key": "dpo", "name": "Claude Martinez", "role": "dpo", "email": "claude@bureau.example"},
        {"key": "deputy", "name": "Adjointe", "role": "deputy"},
    ]
    made = Office(
        tmp_path_factory.mktemp("limits") / "data",
        desk={"users": users, "language": "fr", "second_approval": ["erasure"], "cards_per_hour": 10_000},
    )
    yield made
    made.close()


def filled(office: Office, name: str, subject: str, text: str, typed: str) -> Case:
    """A case with everything: all rights, doubts, proofs, a person concerned, a hold, a failed letter, a long draft."""
    opened = intake.enter(
        office.app, written(office, name, subject, text), rights=[label for label in LABELS if label in office.app.rights],
        now=office.clock.now(),
    )  # fmt: skip
    reference = opened.reference or ""
    with office.app.database.transaction() as session:
        case = cases.by_reference(session, reference)
        assert case is not None
        case.minor, case.third_party, case.charge, case.sensitive = True, "parent", "d" * 40, True
        session.add(case)
        person = cases.person_of(session, office.app.vault, case)
        cases.set_person(
            session, office.app.vault, case,
            cases.Person(person.name, person.address, subject=typed[:10_000] or "Lucie", postal=typed[:10_000]),
        )  # fmt: skip
        casework.note(session, office.app, case, "held", actor="dpo", now=office.clock.now(), text=typed)
        for draft in drafts.proposed(session, case.id or 0):
            letter = drafts.letter_of(session, office.app.vault, case=case, draft=draft)
            longer = letter.__class__(**{**letter.__dict__, "text": letter.text + "\n\n" + typed})
            casework.revise_letter(session, office.app, case, draft, longer, by="dpo", now=office.clock.now())
        session.flush()
        session.refresh(case)
        session.expunge(case)
    return case


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=QUICK)
@given(name=TEXTS, subject=TEXTS, text=TEXTS, typed=TEXTS, notice=st.sampled_from(["new", "deadline_near", "", "x"]))
def test_a_card_with_everything_on_it_fits_and_keeps_what_is_to_be_seen(office, name, subject, text, typed, notice):
    case = filled(office, name, subject, text, typed)
    with office.app.database.reading() as session:
        now = office.clock.now()
        view = view_of(
            session, office.app, f"case:{case.id}", masked=True, now=now, notice=notice, user=office.user("dpo")
        )
        waiting = drafts.proposed(session, case.id or 0)
        more = more_offers(session, office.app, f"case:{case.id}")
    assert view is not None
    assert utf16_length(view.text) <= CARD_LIMIT
    assert faults(view.text) == []
    assert view.text.startswith(("■", "Dossier"))
    assert f"Dossier {case.reference}" in view.text
    for needed in (
        "Échéance : ",
        "Identité : ",
        *(["empreinte ", "À corriger avant d'approuver", "Définitif : "] if waiting else []),
    ):
        assert needed in view.text, needed
    assert all(utf16_length(offer.label) <= 64 for row in (*view.offers, *more) for offer in row)


def test_the_limit_is_reached_by_a_long_letter_and_not_passed(office):
    case = filled(office, "A. " * 4000, "x" * 9000, "a" * 9000, "Une phrase de plus, assez longue pour compter. " * 400)
    with office.app.database.reading() as session:
        view = view_of(session, office.app, f"case:{case.id}", masked=True, now=office.clock.now(), notice="new")
    assert view is not None
    assert "[…]" in view.text
    assert 2500 <= utf16_length(view.text) <= CARD_LIMIT


def controls(text: str) -> list[str]:
    """What a terminal would obey, or would not show, or would show in another order."""
    return [f"U+{ord(c):04X}" for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs")]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=QUICK)
@given(name=HOSTILE, subject=HOSTILE, text=HOSTILE)
def test_nothing_a_stranger_wrote_moves_the_terminal(office, name, subject, text):
    hostile = f"\x1b]0;{text}\x07\x9b31m\r{text}"
    arrival = written(office, f"{name}\x1b[2J", f"{subject}\x07", hostile)
    opened = intake.enter(office.app, arrival, rights=["access"], now=office.clock.now())
    case = cases_by(office, opened.reference or "")
    said: list[str] = []
    lines = iter([case.reference, "1", "1", "q"])

    def ask(prompt: str) -> str:
        said.append(prompt)
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    Terminal(office.app, office.user("dpo"), ask=ask, say=said.append).run()
    assert case.reference in "\n".join(said)
    assert controls("\n".join(said)) == []


def cases_by(office: Office, reference: str) -> Case:
    with office.app.database.reading() as session:
        found = cases.by_reference(session, reference)
        assert found is not None
        session.expunge(found)
    return found


MARK = "zqxjkv"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=QUICK)
@given(name=HOSTILE, subject=HOSTILE, text=HOSTILE)
def test_notices_by_mail_and_the_digest_carry_nothing_that_a_stranger_wrote(office, name, subject, text):
    marked = [f"{MARK} <img src=x onerror=alert(1)> {part}" for part in (name, subject, text)]
    arrival = written(office, *marked)
    intake.enter(office.app, arrival, rights=["objection"], now=office.clock.now())
    intake.record(office.app, written(office, marked[0], marked[1], f"{marked[2]} peut-être"), now=office.clock.now())
    before = len(office.mailer.sent)
    send_due(office.app)
    told = [mail for to, mail in office.mailer.sent[before:] if to in ("claude@bureau.example", "dpo@mije.com")]
    assert told
    for mail in told:
        shown = "\n".join(str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text")
        assert MARK not in f"{mail['Subject']}\n{shown}"
        quoted = "\n".join(line[2:] for line in shown.splitlines() if line.startswith("| "))
        assert [str(entity) for entity in read_text(quoted, None)[1]] == []
    now = paris("2026-03-09 08:00")
    made = build_digest(office.app, now=now)
    raw = digest_bytes(office.app, made, to="claude@bureau.example", message_id="x@mije.com", now=now).decode("latin-1")
    assert MARK not in raw
    assert MARK not in made.text
    assert MARK not in made.html


@settings(max_examples=40, deadline=None, phases=QUICK)
@given(told=st.dictionaries(st.sampled_from(["part", "problem", "count", "waiting"]), HOSTILE, min_size=1))
def test_a_notice_about_the_program_is_inert_and_fits_whatever_a_server_said(office, told):
    with office.app.database.reading() as session:
        view = view_of(
            session, office.app, "system:imap", masked=True, now=office.clock.now(), notice="mailbox_down", facts=told
        )
    assert view is not None
    assert faults(view.text) == []
    with office.app.database.transaction() as session:
        key = office.app.vault.new_key(session, now=office.clock.now())
        casework.mail_desk(
            session, office.app, Notice("mailbox_down", facts=told), subject="system:imap", step=str(key),
            now=office.clock.now(),
        )  # fmt: skip
    send_due(office.app)
    (mail,) = [mail for to, mail in office.mailer.sent[-1:] if to == "claude@bureau.example"]
    assert [line for line in str(mail.get_content()).splitlines() if line.startswith(("Clé", "Key", "■"))] == []
    assert controls(f"{mail['Subject']}{mail.get_content()!s}".replace("\r", "")) == []
