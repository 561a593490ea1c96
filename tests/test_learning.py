"""Learning from the DPO: what a correction leaves, what becomes of it with the case, and what training makes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from bot import learning
from bot.app import build_app
from bot.commands.train import learn, listed, worse
from bot.models import local_folder, record_of, running_model, shipped_digest, write_record
from bot.purge import purge
from nlp.corpus import CORPUS
from nlp.local import pseudonymise
from nlp.types import Message
from store import examples
from store.models import Message as Row
from store.models import SealingKey, TrainingExample
from tests.fakes import JEAN, Office
from tests.world import mail, paris

ACCESS = "Bonjour, je voudrais une copie de mes données. Jean Roche"
UNSURE = "Bonjour, peut-être pourriez-vous voir ce que devient mon dossier. Jean Roche"


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


def test_a_filed_message_that_is_added_to_a_case_after_all_teaches_nothing(office):
    office.arrive(mail(ACCESS, sender=JEAN))
    office.arrive(mail(UNSURE, sender=JEAN))
    assert office.do("file", "message:2").done
    assert len(learned(office)) == 1

    assert office.do("attach", "message:2", text="DSR-2026-0001").done
    assert learned(office) == []


def test_what_waited_for_another_reason_says_nothing_when_it_is_filed(office):
    office.arrive(mail(ACCESS, sender=JEAN))
    office.arrive(mail("Voici ma carte d'identité.", sender="Ana Lima <ana@boite.example>"))
    with office.app.database.reading() as session:
        row = session.get(Row, 2)
        assert (row and row.reason) == "no-case-found"

    assert office.do("file", "message:2").done
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
    office.arrive(mail(ACCESS, sender=JEAN))
    office.arrive(mail("Supprimez mes données.", sender=JEAN))
    assert office.do("change_right", "case:2", argument="restriction").done
    before = learned(office)

    assert office.do("merge", "case:1", text="DSR-2026-0002").done

    with office.app.database.reading() as session:
        example, row = examples.of_message(session, 2), session.get(Row, 2)
        assert (example and example.key_id) == (row and row.key_id) == office.case().key_id
    assert (before[0][:2], learned(office)) == (("restriction", ("restriction",)), before)


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


# --- training on it, from the desk to the next message ---------------------------------------------------------------

QUICK: dict[str, Any] = {"folds": 2, "epochs": 14}
ODD = "Le perroquet bleu ne chante plus sous la tonnelle, et la clepsydre du vieux moulin attend."


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """A corpus of some five hundred messages, a quarter of them the frozen part."""
    folder = tmp_path_factory.mktemp("corpus")
    for split, many in (("train", 400), ("test", 120)):
        (folder / split).mkdir()
        # Always the same messages, however the corpus grows: what so few of them teach hangs on each.
        wanted = "*-a-*.jsonl" if split == "train" else "*.jsonl"
        lines = [line for path in sorted((CORPUS / split).glob(wanted)) for line in path.open(encoding="utf-8")]
        step = len(lines) // many
        (folder / split / "small.jsonl").write_text("".join(lines[::step][:many]), encoding="utf-8")
    return folder


def read_with(office: Office) -> tuple[str, tuple[str, ...]]:
    """What the program, started anew, makes of the odd message."""
    app = build_app(office.settings, inboxes=(), mailer=office.mailer)
    reading = app.reader.read(Message(id="1", body=ODD))
    app.close()
    return reading.primary, reading.labels


def test_from_a_correction_to_the_next_message_and_to_its_erasure(office, small, capsys):
    shipped = read_with(office)
    office.arrive(mail(ODD, sender=JEAN))
    assert office.do("open_as", "message:1", argument="restriction").done
    # The small corpus cannot do as well as the one that ships, and of two models that differ in one message either may be
    # the better by chance. So the model that runs is one like that which is made next: the same data make the same model.
    first = office.settings.store.data_dir / "first"
    assert learn(office.app, out=first, corpus=small, **QUICK) == 0
    assert "corrections read as decided  0 -> 1 of 1" in capsys.readouterr().out
    taught = office.settings.model_copy(update={"model": first})
    app = build_app(taught, clock=office.clock, inboxes=(), mailer=office.mailer)

    assert learn(app, corpus=small, **QUICK) == 0

    said = capsys.readouterr().out
    assert re.search(
        r"frozen set +before +after\nprimary .*\nmission class .*\nlabels F1 .*\nasked .*\nrequests missed", said
    )
    assert "corrections read as decided  1 -> 1 of 1" in said
    app.close()
    assert (shipped[0], read_with(office)) == (shipped[0], ("restriction", ("restriction",)))
    assert record_of(local_folder(office.settings))["examples"] == [1]
    assert [str(path) for path in office.settings.store.data_dir.rglob("*") if "-new" in path.name] == []

    assert office.do("close", text="rien à faire").done
    office.clock.move_to(office.clock.now() + timedelta(days=office.settings.retention.case_days + 1))
    assert purge(office.app).cases == ("DSR-2026-0001",)
    assert learned(office) == []

    assert learn(office.app, corpus=small, **QUICK) == 0
    assert capsys.readouterr().out.startswith("What was learned from is gone")
    assert (local_folder(office.settings).exists(), read_with(office)) == (False, shipped)


def test_a_worse_model_is_refused_and_the_one_that_runs_stays(office, small, capsys):
    office.arrive(mail(ODD, sender=JEAN))
    office.do("open_as", "message:1", argument="restriction")

    # Trained on a handful of messages it cannot keep up with the model that ships.
    assert learn(office.app, corpus=small, limit=40, folds=2, epochs=2) == 1

    told = capsys.readouterr().err
    refused = office.settings.store.data_dir / "model-refused"
    assert ("The new model is worse: " in told, "The model that runs stays." in told) == (True, True)
    assert (f"dpobot evaluate --model {refused}" in told, refused.is_dir()) == (True, True)
    assert (local_folder(office.settings).exists(), running_model(office.settings)) == (False, None)


def test_nothing_corrected_is_nothing_to_learn(office, capsys):
    assert learn(office.app) == 0
    assert capsys.readouterr().out.startswith("Nothing was corrected at the desk yet")


def test_what_there_is_to_learn_is_listed_without_a_word_of_the_message(office, capsys):
    office.arrive(mail(ACCESS, sender=JEAN))
    office.do("change_right", argument="portability,erasure")
    assert listed(office.app) == 0
    assert capsys.readouterr().out == "   1  message:1      fr  portability [portability, erasure]\n1 to learn from\n"


def test_a_model_that_builds_on_another_shipped_one_is_set_aside(office):
    folder = local_folder(office.settings)
    folder.mkdir(parents=True)
    write_record(folder, {"examples": [1], "shipped": shipped_digest()})
    assert running_model(office.settings) == folder
    switched_off = office.settings.learning.model_copy(update={"use": False})
    assert running_model(office.settings.model_copy(update={"learning": switched_off})) is None

    write_record(folder, {"examples": [1], "shipped": "of an older version"})
    assert running_model(office.settings) is None
    (folder / "learned.json").write_text("no json", encoding="utf-8")
    assert running_model(office.settings) is None


FIGURES: dict[str, Any] = {
    "messages": 1000, "primary_accuracy": 0.9, "mission_accuracy": 0.95, "labels_micro": {"f1": 0.88}, "asked_share": 0.1,
    "requests_dismissed": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({}, []),
        ({"primary_accuracy": 0.896}, []),
        ({"primary_accuracy": 0.894}, ["primary 0.894 instead of 0.900"]),
        ({"mission_accuracy": 0.94}, ["mission class 0.940 instead of 0.950"]),
        ({"labels_micro": {"f1": 0.87}}, ["labels F1 0.870 instead of 0.880"]),
        ({"requests_dismissed": 3}, ["3 requests missed instead of 2"]),
        ({"asked_share": 0.115}, []),
        ({"asked_share": 0.13}, ["asks about 0.130 instead of 0.100"]),
        ({"primary_accuracy": 0.99, "requests_dismissed": 3}, ["3 requests missed instead of 2"]),
    ],
)
def test_what_makes_a_model_worse(changed, faults):
    assert worse(FIGURES, {**FIGURES, **changed}) == faults


def test_on_a_small_frozen_set_one_message_is_no_proof():
    few = {**FIGURES, "messages": 50}
    assert worse(few, {**few, "primary_accuracy": 0.88}) == []
    assert worse(few, {**few, "primary_accuracy": 0.86}) == ["primary 0.860 instead of 0.900"]
