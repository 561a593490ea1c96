"""The fields that are learned: what may be one, what the model takes of it, and what becomes of a damaged file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp import candidates
from nlp.corpus import Example
from nlp.field_model import FILE, LEARNED, SIZE, FieldModel, Leaning, Scene, best
from nlp.field_training import Lesson, train_fields
from nlp.fields import as_mapping, find
from nlp.patterns import plain
from nlp.types import LABELS, Message

CERTAIN = Leaning(1.0, 1.0, 1.0, ("somebody 5 True", "rectification 5 True"))


def texts(found: object, body: str) -> set[str]:
    return {body[one.start : one.end] for one in found}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("reader", "body", "wanted"),
    [
        ("names", "Ma fille Lola Perrin et Mme Vidal arrivent.", {"Lola Perrin", "Vidal", "Mme Vidal"}),
        ("relations", "my late little brother, sa belle-mere", {"brother", "late little brother", "my late little brother"}),
        ("dates", "we came from 3 to 7 june 2024, then in may", {"3 to 7 june 2024", "from 3 to 7 june 2024", "in may"}),
        ("codes", "Dossier COL-26-0719 du 12/03/2024, résa K7-20551", {"COL-26-0719", "K7-20551"}),
    ],
)  # fmt: skip
def test_candidates_are_generous(reader: str, body: str, wanted: set[str]) -> None:
    assert wanted <= texts(getattr(candidates, reader)(body), body)


def test_no_date_is_taken_for_a_reference() -> None:
    assert texts(candidates.codes("le 12/03/2024 à 14h30, en 2024, 3/5"), "") == set()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("Vous avez noté « noix », c'est noisette. Merci.", "noisette"),
        ("On my card it says lactose and it should be gluten", "gluten"),
        ("Hij heeft geen pinda maar aardbei.", "aardbei"),
    ],
)
def test_a_correction_in_plain_words_is_a_candidate(body: str, value: str) -> None:
    assert value in texts(candidates.values(body, plain(body)), body)


def lessons() -> list[Lesson]:
    """Return messages in which the child stands behind "for", and the helper behind "with"."""
    children = ["Mira", "Tomek", "Lilou", "Enzo", "Saskia", "Noor", "Pavel", "Ines", "Jonas", "Wanda", "Olek", "Rosa"]
    found = []
    for number, child in enumerate(children):
        helper = children[number - 1]
        message = Message(id=f"t-{number}", body=f"please delete the sheet for {child}, filled in with {helper} there")
        fields: dict[str, str | list[str]] = {"data_subject_name": child}
        example = Example(message, f"v{number}", "train", "en", "erasure", ("erasure",), (), fields=fields)
        found.append(Lesson(example, CERTAIN))
    return found


@pytest.fixture(scope="module")
def model() -> FieldModel:
    return train_fields(lessons())


def test_what_was_taught_holds_for_names_never_seen(model: FieldModel) -> None:
    body = "please delete the sheet for Zélie, filled in with Kasimir there"
    found = find(Message(id="m", body=body), ("erasure",), model=model, leaning=CERTAIN)
    assert as_mapping(found) == {"data_subject_name": "Zélie"}


def test_nobody_else_is_looked_for_where_nobody_is_concerned(model: FieldModel) -> None:
    body = "please delete the sheet for Zélie, filled in with Kasimir there"
    alone = Leaning(0.0, 0.0, 0.0, CERTAIN.marks)
    assert find(Message(id="m", body=body), ("erasure",), model=model, leaning=alone) == []


def test_the_model_is_kept_and_read_again(model: FieldModel, tmp_path: Path) -> None:
    model.write(tmp_path)
    again = FieldModel.read(tmp_path)
    assert again is not None
    assert dict(again.thresholds) == pytest.approx(dict(model.thresholds))
    assert np.abs(again.weights - model.weights).max() < 0.01
    assert (tmp_path / FILE).stat().st_size < 2_000_000


def test_without_a_file_rules_decide(tmp_path: Path) -> None:
    assert FieldModel.read(tmp_path) is None


def test_a_damaged_file_is_refused(model: FieldModel, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match="damaged"):
        FieldModel.read(tmp_path)
    np.savez(tmp_path / FILE, weights=model.weights[:, :4], bases=model.bases, thresholds=model.bases)
    with pytest.raises(ValueError, match="another version"):
        FieldModel.read(tmp_path)


def test_of_overlapping_candidates_the_likeliest_is_taken() -> None:
    one, wider, other = (candidates.Candidate(*span, "name") for span in ((5, 9), (0, 9), (12, 15)))
    assert best([(1.0, one), (2.0, wider), (0.5, other)], 2) == [wider, other]
    assert best([(1.0, one), (2.0, wider), (0.5, other)], 1) == [wider]


EAGER = FieldModel(
    np.full((len(LEARNED), SIZE), 0.5, dtype=np.float32), np.zeros(len(LEARNED), dtype=np.float32),
    dict.fromkeys(LEARNED, 0.5),
)  # fmt: skip
PIECES = ["Ma fille", "Zoé", "«", "»", "pas", "c'est", "12", "du 3 au", "5 mai", "\n", "M.", "Ł. É", "né le", "İ", "ß", "@",
          "a@b.example", "+33 6", "Réf. A-12", "1/2/2003", "J.", "‘", "''", "mi-"]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40), st.text(max_size=12))
def test_learned_fields_stand_in_the_message_to_the_letter(pieces: list[str], sender: str) -> None:
    body = " ".join(pieces)
    found = find(Message(id="m", body=body, from_name=sender), LABELS, model=EAGER, leaning=CERTAIN)
    assert [one for one in found if one.start >= 0 and body[one.start : one.end] != one.text] == []
    named = [one.name for one in found]
    assert {name: named.count(name) for name in LEARNED if named.count(name) > LEARNED[name]} == {}


@pytest.mark.parametrize(
    "piece", ["A. ", "Ab-", "1 ", "«", "not a ", "12 rue a ", "a-1", "my son ", "du 1 ", "3/4-", "'a' "]
)
def test_hostile_text_has_a_bounded_number_of_candidates(piece: str) -> None:
    body = piece * (12_000 // len(piece))
    assert len(Scene(body, plain(body), "a b", CERTAIN).candidates()) < 900
