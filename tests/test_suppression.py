"""Those who said no to advertising stay off the mailing lists from the day they wrote (art. 21(3)); copies of documents go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from bot.commands.suppression import suppression
from bot.purge import purge, purge_documents
from bot.settings import SettingsError
from bot.tick import tick
from handlers.standing import advice
from nlp.types import THIRD_PARTY_KINDS
from store import journal
from store.models import Marker, OutboxItem, StoredAttachment
from tests.fakes import Office
from tests.world import mail, make_settings

JEAN = "Jean Roche <jean@boite.example>"
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + b"\0" * 64 + b"\xff\xd9"


@pytest.fixture
def office(tmp_path) -> Iterator[Office]:
    made = Office(tmp_path / "data")
    yield made
    made.close()


def filtered(office: Office, tmp_path, capsys, text: str) -> tuple[int, str, str]:
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    status = suppression(office.app, tmp_path / "list.csv")
    said = capsys.readouterr()
    return status, said.out, said.err


def test_who_objected_is_left_out_of_every_mailing_list_from_the_start(office, tmp_path, capsys):
    office.arrive(mail("Bonjour, arrêtez vos publicités.", sender=JEAN, subject="STOP"))
    assert "suppression_listed" in office.types()
    given_list = "nom,email\nJean,JEAN@boite.example\nAna,ana@post.example\n"
    assert filtered(office, tmp_path, capsys, given_list) == (0, "nom,email\nAna,ana@post.example\n", "1 left out\n")
    with office.app.database.reading() as session:
        assert not any("jean" in marker.key for marker in session.exec(select(Marker)))


def test_filed_as_no_request_the_address_is_free_again(office, tmp_path, capsys):
    office.arrive(mail("Bonjour, arrêtez vos publicités.", sender=JEAN, subject="STOP"))
    office.do("not_a_request")
    assert filtered(office, tmp_path, capsys, "email\njean@boite.example\n")[2] == "0 left out\n"


def test_who_asked_for_something_else_is_not_on_the_list(office, tmp_path, capsys):
    office.arrive(mail("Bonjour, je voudrais une copie de mes données.", sender=JEAN, subject="x"))
    assert filtered(office, tmp_path, capsys, "email\njean@boite.example\n")[2] == "0 left out\n"
    office.do("change_right", argument="access,consent_withdrawal")
    assert filtered(office, tmp_path, capsys, "email\njean@boite.example\n")[2] == "1 left out\n"


def test_a_list_without_addresses_is_refused(office, tmp_path, capsys):
    status, out, err = filtered(office, tmp_path, capsys, "nom,ville\nJean,Paris\n")
    assert (status, out) == (2, "")
    assert "no column named email" in err


def list_of(office: Office) -> int:
    with office.app.database.reading() as session:
        return len([m for m in session.exec(select(Marker)) if m.key.startswith("suppression:")])


def test_an_entry_ends_three_years_after_the_last_word_or_the_last_list_it_stood_in(office, tmp_path, capsys):
    office.arrive(mail("Bonjour, arrêtez vos publicités.", sender=JEAN, subject="STOP"))
    office.clock.advance(timedelta(days=1000))
    assert filtered(office, tmp_path, capsys, "email\njean@boite.example\n")[2] == "1 left out\n"
    office.clock.advance(timedelta(days=1098))
    assert (purge(office.app).suppressions, list_of(office)) == (0, 1)
    office.clock.advance(timedelta(seconds=1))
    assert purge(office.app, dry_run=True).suppressions == 1
    assert (purge(office.app).suppressions, list_of(office)) == (1, 0)


def test_saying_it_again_renews_the_entry(office):
    office.arrive(mail("Bonjour, arrêtez vos publicités.", sender=JEAN, subject="STOP"))
    office.do("approve", text="fait")
    office.clock.advance(timedelta(days=1000))
    office.arrive(mail("Bonjour, encore de la publicité : arrêtez.", sender=JEAN, subject="STOP, deuxième fois"))
    office.clock.advance(timedelta(days=1000))
    purge(office.app)
    assert list_of(office) == 1


def test_a_later_message_filed_as_no_request_does_not_undo_an_earlier_objection(office, tmp_path, capsys):
    office.arrive(mail("Bonjour, arrêtez vos publicités.", sender=JEAN, subject="STOP"))
    office.complete("answer")
    office.do("approve", text="fait")
    office.do("close", text="fait")
    office.arrive(mail("Bonjour, merci pour la newsletter papier.", sender=JEAN, subject="merci"))
    assert office.do("not_a_request", "case:2").done
    assert filtered(office, tmp_path, capsys, "email\njean@boite.example\n")[2] == "1 left out\n"


def test_a_shorter_life_than_three_years_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="suppression_days"):
        make_settings(tmp_path, retention={"suppression_days": 365})


# --- documents -------------------------------------------------------------------------------------------------------


def with_document(sender: str = JEAN) -> bytes:
    made = EmailMessage(policy=policy.SMTP)
    made["From"], made["To"], made["Subject"] = sender, "dpo@mije.com", "Mes données"
    made["Message-ID"] = f"<proof-{len(sender)}@boite.example>"
    made.set_content("Bonjour, je voudrais une copie de mes données.\n\nJean Roche\n")
    made.add_attachment(JPEG, maintype="image", subtype="jpeg", filename="cni.jpg")
    return made.as_bytes()


def test_a_copy_goes_a_day_after_the_decision_and_the_desk_is_asked_to_delete_the_mail(office):
    office.arrive(with_document())
    office.do("identity_verified", argument="document")
    office.clock.advance(timedelta(hours=23, minutes=59))
    assert purge_documents(office.app) == 0
    office.clock.advance(timedelta(minutes=1))
    assert (purge_documents(office.app), purge_documents(office.app)) == (1, 0)
    with office.app.database.reading() as session:
        (document,) = session.exec(select(StoredAttachment)).all()
        kinds = [item.kind for item in session.exec(select(OutboxItem))]
    assert document.deleted_at is not None
    assert kinds.count("document_deleted") == 1
    assert "identity_document_deleted" in office.types()


def test_an_undecided_copy_goes_after_thirty_days(office):
    office.arrive(with_document())
    office.clock.advance(timedelta(days=29, hours=23))
    assert purge_documents(office.app) == 0
    office.clock.advance(timedelta(hours=1))
    assert purge_documents(office.app) == 1


def kinds(office: Office) -> list[str]:
    with office.app.database.reading() as session:
        return [item.kind for item in session.exec(select(OutboxItem))]


def test_the_same_picture_under_two_names_is_told(office):
    office.arrive(with_document())
    assert "document_reused" not in kinds(office)
    office.arrive(with_document("Anatole Petit <anatole.petit@ailleurs.example>"))
    assert "document_reused" in kinds(office)
    assert "document_reused" in office.types("DSR-2026-0002")


def test_a_holiday_added_later_moves_the_date_and_the_desk_is_told(office, tmp_path):
    office.arrive(mail("Bonjour, arrêtez vos publicités.", sender=JEAN, subject="STOP"))
    due = office.case().due
    assert due is not None
    office.clock.advance(timedelta(days=1))
    settings = office.settings.model_copy(
        update={"calendar": office.settings.calendar.model_copy(update={"extra_holidays": (due,)})}
    )
    office.app.settings = settings
    tick(office.app)
    assert (office.case().due, "due_changed" in kinds(office)) == (due + timedelta(days=1), True)
    office.clock.advance(timedelta(days=1))
    tick(office.app)
    assert office.types().count("due_changed") == 1


# --- who may act -----------------------------------------------------------------------------------------------------


@given(st.sampled_from(["", *THIRD_PARTY_KINDS]), st.booleans(), st.sampled_from(["fr", "en"]))
def test_there_is_advice_for_whoever_acts_for_another_and_for_a_minor_alone(kind, minor, language):
    said = advice(kind, minor=minor, language=language)
    assert bool(said) == (kind not in ("", "authority") or (minor and not kind))
    assert len(said) == len(advice(kind, minor=minor, language="en"))


def test_the_wording_a_case_was_written_with_is_kept(office):
    office.arrive(mail("Bonjour, arrêtez vos publicités.", sender=JEAN, subject="STOP"))
    with office.app.database.reading() as session:
        proposed = [e.data for e in journal.of_case(session, 1) if e.type == "draft_proposed"]
    assert all(len(data["template_sha256"]) == 64 for data in proposed)
    assert len({data["template"] for data in proposed}) == len({data["template_sha256"] for data in proposed}) == 2
