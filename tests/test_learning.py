"""Learning from the DPO: what a correction leaves, what becomes of it with the case, and what training makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from bot import learning
from bot.purge import purge
from nlp.local import pseudonymise
from nlp.types import Message
from store import examples
from store.models import Message as Row
from store.models import SealingKey, TrainingExample
from tests.fakes import Office
from tests.world import mail, paris

JEAN = "Jean Roche <jean@boite.example>"
ACCESS = "Bonjour, je voudrais une copie de mes données. Jean Roche"
UNSURE = "Bonjour, peut-être pourriez-vous voir ce que devient mon dossier. Jean Roche"


@pytest.fixture
def office(tmp_path) -> Iterator[Office]:
    made = Office(tmp_path / "data")
    yield made
    made.close()


def learned(office: Office) -> list[tuple[str, tuple[str, ...], dict[str, bool | str], str]]:
    """What training would read: primary, labels, flags, body."""
    with office.app.database.reading() as session:
        return [
            (one.primary, one.labels, one.flags, one.message.body.strip())
            for _, one in learning.gathered(session, office.app)
        ]


# --- what a correction leaves ----------------------------------------------------------------------------------------


def test_a_changed_right_is_learned_and_changing_it_back_takes_that_back(office):
    office.arrive(mail(ACCESS, sender=JEAN))
    assert learned(office) == []

    assert office.do("change_right", argument="portability,erasure").done
    assert learned(office) == [("portability", ("portability", "erasure"), {}, ACCESS)]

    assert office.do("change_right", argument="access").done
    assert learned(office) == []


def test_no_request_is_learned_and_reopening_takes_that_back(office):
    office.arrive(mail(ACCESS, sender=JEAN))

    assert office.do("not_a_request", text="une réservation").done
    assert learned(office) == [("not_request", (), {}, ACCESS)]

    assert office.do("reopen", text="si, pourtant").done
    assert learned(office) == []


def test_an_unsure_message_is_learned_as_it_was_sorted_and_sorted_again(office):
    office.arrive(mail(UNSURE, sender=JEAN))

    assert office.do("file", "message:1").done
    assert learned(office) == [("not_request", (), {}, UNSURE)]

    assert office.do("open_as", "message:1", argument="access").done
    assert learned(office) == [("access", ("access",), {}, UNSURE)]


def test_a_minor_and_a_third_party_are_learned_and_the_rights_stay(office):
    office.arrive(mail(ACCESS, sender=JEAN))

    assert office.do("set_about", argument="minor=yes").done
    assert office.do("set_about", argument="third_party=minor_child").done

    flags = {"minor": True, "third_party": True, "third_party_kind": "minor_child"}
    assert learned(office) == [("access", ("access",), flags, ACCESS)]


def test_a_decision_that_may_be_about_another_message_is_not_learned(office):
    office.arrive(mail(ACCESS, sender=JEAN))
    office.arrive(mail("Et peut-être, supprimez mon compte.", sender=JEAN))
    assert office.do("attach", "message:2", text="DSR-2026-0001").done

    assert office.do("change_right", argument="portability,erasure").done
    assert learned(office) == []


def test_what_stays_unclear_teaches_nothing(office):
    office.arrive(mail(ACCESS, sender=JEAN))
    assert office.do("change_right", argument="unclear").done
    assert learned(office) == []


def test_nothing_is_kept_where_the_settings_say_so(tmp_path):
    office = Office(tmp_path / "data", learning={"keep": "nothing"})
    office.arrive(mail(ACCESS, sender=JEAN))
    assert office.do("change_right", argument="erasure").done
    with office.app.database.reading() as session:
        assert examples.all_of_them(session) == []
    office.close()


def test_one_sender_is_one_voice_and_nothing_of_it_is_readable_in_the_store(office):
    office.arrive(mail(ACCESS, sender=JEAN))
    office.arrive(mail(UNSURE, sender=JEAN))
    office.arrive(mail(UNSURE + " !", sender="Ana Lima <ana@boite.example>"))
    office.do("change_right", argument="erasure")
    office.do("file", "message:2")
    office.do("file", "message:3")

    with office.app.database.reading() as session:
        voices = [one.voice for _, one in learning.gathered(session, office.app)]
        (row, *_) = examples.all_of_them(session)
        hashes = {message.sender_hash for message in session.exec(select(Row)).all()}
    assert (voices[0] == voices[1], voices[1] == voices[2], len(hashes)) == (True, False, 2)
    assert all(voice.startswith("local:") for voice in voices)
    assert not any(clear in row.decision_sealed for clear in (b"erasure", b"Roche", b"primary"))


def test_an_example_follows_its_message_under_another_key(office):
    office.arrive(mail(UNSURE, sender=JEAN))
    office.do("file", "message:1")
    office.arrive(mail(ACCESS, sender=JEAN))
    with office.app.database.transaction() as session:
        example = examples.of_message(session, 1)
        assert example is not None
        before = examples.opened(session, office.app.vault, example)
        key_id = office.app.vault.new_key(session, now=office.clock.now())
        examples.follow(session, office.app.vault, 1, key_id)
        assert (example.key_id, examples.opened(session, office.app.vault, example)) == (key_id, before)


# --- what becomes of it with the case --------------------------------------------------------------------------------


def close_and_wait(office: Office) -> None:
    office.do("change_right", argument="erasure")
    assert office.do("close", text="rien à faire").done
    office.clock.move_to(office.clock.now() + timedelta(days=office.settings.retention.case_days + 1))


def test_the_example_goes_with_its_case(office):
    office.arrive(mail(ACCESS, sender=JEAN))
    close_and_wait(office)
    assert len(learned(office)) == 1

    assert purge(office.app).cases == ("DSR-2026-0001",)

    with office.app.database.reading() as session:
        assert session.exec(select(TrainingExample)).all() == []


def test_the_example_of_what_was_no_request_goes_with_the_message(office):
    office.arrive(mail(UNSURE, sender=JEAN))
    office.do("file", "message:1")
    office.clock.move_to(office.clock.now() + timedelta(days=31))

    assert purge(office.app).messages == 1
    with office.app.database.reading() as session:
        assert session.exec(select(TrainingExample)).all() == []


@pytest.fixture
def keeping(tmp_path) -> Iterator[Office]:
    kept = {"keep": "pseudonymised", "pseudonymised_days": 4000}
    made = Office(tmp_path / "data", learning=kept, retention={"case_days": 30})
    yield made
    made.close()


def test_a_masked_copy_stays_where_the_settings_say_so_until_its_own_time(keeping):
    body = "Bonjour, une copie de mes données du 12 mars 2024, tél. 06 12 34 56 78. Jean Roche, jean@boite.example"
    keeping.arrive(mail(body, sender=JEAN, subject="Demande de Jean Roche"))
    close_and_wait(keeping)

    assert purge(keeping.app).cases == ("DSR-2026-0001",)

    with keeping.app.database.reading() as session:
        ((_, one),) = learning.gathered(session, keeping.app)
        (row,) = examples.all_of_them(session)
    assert (one.primary, one.labels) == ("erasure", ("erasure",))
    assert one.message.body.strip() == (
        "bonjour, une copie de mes donnees du 00/00/0000, tel. 00 00 00 00 00. xxx xxx, x@x.example"
    )
    assert (one.message.subject, one.message.from_name, one.message.from_email) == ("demande de xxx xxx", "", "")
    assert row.message_id is None

    keeping.clock.move_to(paris("2037-03-02 09:00"))
    assert purge(keeping.app).examples == 1
    with keeping.app.database.reading() as session:
        key = session.get(SealingKey, row.key_id)
        assert (session.exec(select(TrainingExample)).all(), key and key.wrapped) == ([], None)


def test_a_case_that_a_person_has_erased_leaves_no_copy(keeping):
    keeping.arrive(mail(ACCESS, sender=JEAN))
    close_and_wait(keeping)
    assert keeping.do("erase_case", text="DSR-2026-0001").done
    with keeping.app.database.reading() as session:
        assert session.exec(select(TrainingExample)).all() == []


# --- masking ---------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["Odile Vasseur", "Søren Quist", "Anne-Lise d'Arcy", "Zoé Nwosu", "Ömer Yıldız"])


@settings(max_examples=60)
@given(
    name=NAMES, number=st.from_regex(r"0[1-9]( ?\d\d){4}", fullmatch=True), upper=st.booleans(), place=st.integers(0, 3)
)
def test_no_name_number_or_address_survives_masking(name, number, upper, place):
    local = name.split()[0].lower().replace("'", "")
    parts = ["effacez tout ce que vous avez", f"appelez au {number}", f"écrivez à {local}.x@boite.example"]
    parts.insert(place, name.upper() if upper else name)
    given_ = Message(id="1", body=", ".join(parts), subject=f"de {name}", from_name=name, from_email="a@b.example")

    masked = pseudonymise(given_, {"full_name": name, "phone": number}, language="fr")

    both = masked.body + " " + masked.subject
    words = {word for word in name.lower().replace("-", " ").replace("'", " ").split() if len(word) > 1}
    assert not any(f" {word}" in f" {both}".replace(",", " ") for word in words)
    assert (any(c in "123456789" for c in both), "@boite" in both, "effacez tout" in both) == (False, False, True)
