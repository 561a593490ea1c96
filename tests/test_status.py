"""« Où en est ma demande ? »: content-free to the verified address of record, the same words to everybody else, and seldom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.purge import purge
from tests.fakes import Office
from tests.world import mail, text_of

CAMILLE = "Camille Durand <camille.durand@courrier.example>"
NOBODY = "Paul Inconnu <paul@ailleurs.example>"
ASKS = "Bonjour, où en est ma demande ?"


@pytest.fixture
def office(tmp_path) -> Iterator[Office]:
    made = Office(tmp_path / "data")
    made.arrive(mail("Bonjour, je voudrais une copie de mes données.", sender=CAMILLE, subject="Mes données"))
    yield made
    made.close()


def asked(office: Office, sender: str, subject: str = "Question", text: str = ASKS, **more: str) -> list[str]:
    """What leaves for *sender* in answer, as text."""
    address = re.search(r"<(.*)>", sender)
    assert address is not None
    before = len(office.mailer.to(address[1]))
    office.arrive(
        mail(text, sender=sender, subject=subject, message_id=f"<{len(office.mailer.raw)}.q@x.example>", **more)
    )
    return [text_of(m) for m in office.mailer.to(address[1])[before:]]


def test_the_verified_address_of_record_learns_number_date_and_state_and_nothing_else(office):
    office.do("identity_verified")
    (told,) = asked(office, CAMILLE)
    assert "DSR-2026-0001" in told
    assert "2 avril 2026" in told


def test_known_but_unverified_unknown_and_stranger_read_the_same_words(office):
    unverified = asked(office, CAMILLE)
    unknown = asked(office, NOBODY)
    stranger = asked(office, "Eve <eve@ailleurs.example>", subject="Re: DSR-2026-0001")
    assert len(unverified) == len(unknown) == len(stranger) == 1
    assert unverified == unknown
    assert stranger[0].replace(" (vous citez DSR-2026-0001)", "") == unknown[0]
    assert "DSR-" not in unknown[0]


def test_a_number_that_does_not_exist_reads_like_one_that_does(office):
    real = asked(office, "Eve <eve@ailleurs.example>", subject="DSR-2026-0001")
    made_up = asked(office, "Max <max@ailleurs.example>", subject="DSR-2026-0777")
    assert real[0].replace("0001", "0777") == made_up[0]


def test_all_three_leave_in_the_round_the_question_came_in_and_say_they_are_automatic(office):
    asked(office, CAMILLE)
    asked(office, NOBODY)
    last = [office.mailer.to(address)[-1] for address in ("camille.durand@courrier.example", "paul@ailleurs.example")]
    assert [m["Auto-Submitted"] for m in last] == ["auto-replied", "auto-replied"]
    names = [sorted(name for name in m if name != "References") for m in last]
    assert names[0] == names[1]


def test_an_address_is_answered_once_a_week_whoever_it_is(office):
    assert (len(asked(office, NOBODY)), len(asked(office, NOBODY))) == (1, 0)
    assert (len(asked(office, CAMILLE)), len(asked(office, CAMILLE))) == (1, 0)
    office.clock.advance(timedelta(days=7))
    purge(office.app)
    assert (len(asked(office, NOBODY)), len(asked(office, CAMILLE))) == (1, 1)


def test_a_robot_and_a_forged_sender_get_nothing(office):
    assert asked(office, "Robot <robot@ailleurs.example>", Auto_Submitted="auto-replied") == []
    forged = "mx.mije.com; dmarc=fail header.from=ailleurs.example; spf=fail; dkim=none"
    assert asked(office, "Faux <faux@ailleurs.example>", Authentication_Results=forged) == []


def test_whose_address_nobody_ever_looked_at_is_not_told_the_state(office):
    other = "Jean Roche <jean@boite.example>"
    office.arrive(mail("Bonjour, arrêtez la publicité.", sender=other, subject="STOP"))
    (told,) = asked(office, other)
    assert "DSR-2026-0002" not in told


def test_the_desk_still_sees_the_question_of_somebody_unknown(office):
    office.arrive(mail(ASKS, sender=NOBODY, subject="Question"))
    from store import messages

    with office.app.database.reading() as session:
        assert [m.reason for m in messages.waiting_for_a_person(session)] == ["no-case-found"]
