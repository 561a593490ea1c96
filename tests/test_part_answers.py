"""Several rights in one message: each its own answer and clock, and what needs no proof waits for none (art. 21(3))."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlmodel import select

from bot import casework
from bot.tick import tick
from handlers.linter import fold
from handlers.rights.objection import about_advertising
from store import journal
from store.models import OutboxItem
from tests.fakes import Office
from tests.world import mail, paris, text_of

CAMILLE = "Camille Durand <camille.durand@courrier.example>"
BOTH = "Bonjour, je voudrais une copie de mes données. Et plus de publicité.\n\nCamille Durand"


@pytest.fixture
def office(tmp_path) -> Iterator[Office]:
    made = Office(tmp_path / "data")
    made.arrive(mail(BOTH, sender=CAMILLE, subject="Mes données"))
    yield made
    made.close()


def letters(office: Office) -> list[str]:
    return [text_of(m) for m in office.mailer.to("camille.durand@courrier.example")]


def test_the_objection_is_answered_at_once_while_proof_for_the_access_is_awaited(office):
    case = office.case()
    assert (case.rights, case.identity, case.due) == (["access", "objection"], "requested", None)
    (draft,) = office.drafts()
    letter = office.letter(draft)
    assert (draft.kind, draft.template, letter.rights) == ("answer", "objection/answer", ("objection",))
    assert "ne répond qu'à une partie" in letter.text
    assert "article 15" in letter.text
    office.complete()
    assert office.do("approve").text.startswith("Approuvé")
    assert "prospection" in letters(office)[-1]
    assert (office.case().state, office.case().identity) == ("awaiting_identity", "requested")

    office.do("identity_verified", argument="document")
    (rest,) = office.drafts()
    assert (rest.template, office.letter(rest).rights) == ("access/answer", ("access",))
    office.complete()
    office.do("approve")
    assert office.case().state == "answered"


def test_the_answer_to_what_needs_proof_still_waits_for_it(office):
    office.do("reject", text="plus tard")
    assert office.do("make_draft", argument="answer:access").done
    office.complete()
    refused = office.do("approve")
    assert not refused.done
    assert "identité" in refused.text


def test_a_new_message_brings_the_part_forward_again(office):
    office.arrive(mail("Bonjour, une précision.", sender=CAMILLE, subject="Re: DSR-2026-0001"))
    (draft,) = office.drafts()
    assert office.letter(draft).rights == ("objection",)


def test_one_letter_for_both_where_nothing_is_asked(tmp_path):
    made = Office(tmp_path / "more")
    vouched = "mx.mije.com; dmarc=pass header.from=courrier.example"
    made.arrive(mail(BOTH, sender=CAMILLE, subject="Mes données"))
    made.do("identity_verified", argument="document")
    made.arrive(
        mail(BOTH.replace("une copie", "encore une copie"), sender=CAMILLE, subject="x", Authentication_Results=vouched)
    )
    (draft, *_) = made.drafts("DSR-2026-0001")
    assert made.letter(draft).rights in ((), ("objection",))
    made.close()


def test_each_right_has_a_clock_of_its_own(office):
    with office.app.database.reading() as session:
        events = journal.of_case(session, 1)
        found = casework.clocks(office.app, office.case(), events)
    assert {right: clock.in_force for right, clock in found.items()} == {"access": None, "objection": date(2026, 4, 2)}


def test_a_right_that_is_not_in_the_case_is_not_answered(office):
    told = office.do("make_draft", argument="refusal:erasure")
    assert (told.done, told.text) == (False, "Ce droit n'est pas dans le dossier.")


def notices(office: Office) -> set[str]:
    with office.app.database.reading() as session:
        return {item.kind for item in session.exec(select(OutboxItem)) if item.channel == "desk_mail"}


def test_what_the_law_wants_at_once_is_called_up_after_two_working_days_and_no_more_once_answered(office):
    for day in ("2026-03-03 08:00", "2026-03-04 08:00"):
        office.clock.move_to(paris(day))
        tick(office.app)
    assert "at_once_overdue" not in notices(office)
    office.clock.move_to(paris("2026-03-05 08:00"))
    tick(office.app)
    assert "at_once_overdue" in notices(office)


def test_the_last_days_of_what_needs_no_proof_are_told_while_the_rest_is_suspended(office):
    for day in range(3, 32):
        office.clock.move_to(paris(f"2026-03-{day:02} 08:00"))
        tick(office.app)
    assert "due" in notices(office)


def test_an_incident_within_a_request_keeps_its_72_hours_and_says_when_they_are_over(tmp_path):
    made = Office(tmp_path / "more")
    made.arrive(mail("Bonjour, je voudrais une copie de mes données.", sender=CAMILLE, subject="x"))
    made.do("change_right", argument="access,breach_report")
    for day in ("2026-03-04 08:00", "2026-03-06 08:00"):
        made.clock.move_to(paris(day))
        tick(made.app)
    assert {"breach_clock", "breach_overdue"} <= notices(made)
    made.close()


@pytest.mark.parametrize(
    ("body", "advertising"),
    [
        ("Arrêtez de m'envoyer vos publicités.", True),
        ("STOP SMS", True),
        ("Je m'oppose à ce que ma newsletter et mon profil soient croisés.", True),
        ("Je m'oppose à être filmée par les caméras du hall.", False),
        ("I object to my data being shared with your partners for profiling.", False),
        ("I object.", True),
        ("Please remove me from your mailing list.", True),
    ],
)
def test_an_objection_to_another_use_is_not_answered_as_one_to_advertising(body, advertising):
    """Art. 21(2) is absolute, art. 21(1) is a balance: the answers differ."""
    assert about_advertising(fold(body)) is advertising
