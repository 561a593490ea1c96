"""The classifier that ships: what it must say, what it must survive, and the figures it is held to."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands.classify import classify
from handlers.rights import load_rights
from nlp.classifier import ModelError, load_classifier
from nlp.corpus import CORPUS, CorpusError, agreement, load
from nlp.evaluate import METRICS, evaluate
from nlp.types import LABELS, OTHER_PRIMARIES, Message

CUES = {right.name: right.cues for right in load_rights().values()}
MAIL = Path(__file__).parent / "mail"


@pytest.fixture(scope="module")
def classifier():
    return load_classifier(None, cues=CUES)


# --- the corpus ------------------------------------------------------------------------------------------------------


def test_the_corpus_is_sound_and_no_voice_stands_on_two_sides():
    examples = load()
    sides: dict[str, set[str]] = {}
    for one in examples:
        sides.setdefault(one.voice, set()).add(one.split)
    assert len([one for one in examples if one.split == "train"]) >= 1000
    assert {len(found) for found in sides.values()} == {1}


def test_a_faulty_corpus_line_is_named(tmp_path):
    folder = tmp_path / "train"
    folder.mkdir()
    row = {
        "id": "x",
        "voice": "v",
        "language": "fr",
        "primary": "erasure",
        "labels": ["erasure"],
        "cues": {},
        "body": "Effacez-moi.",
    }
    (folder / "a.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"^train/a\.jsonl:1: no cue for erasure$"):
        load(tmp_path)


def test_a_second_labelling_agrees_with_the_first():
    found = agreement(load())
    assert found["messages"] == 300
    assert (found["primary"] >= 0.96, found["labels"] >= 0.95) == (True, True)


# --- what it says ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "primary"),
    [
        ("Bonjour, je souhaite recevoir une copie de toutes les données que vous avez sur moi.", "access"),
        ("Merci de supprimer mon compte et toutes mes données.", "erasure"),
        ("Please delete all the personal data you hold about me.", "erasure"),
        ("Je me suis inscrit à votre newsletter ; je retire mon consentement.", "consent_withdrawal"),
        ("Mon nom est mal orthographié dans votre fichier, merci de le corriger.", "rectification"),
        ("I stayed with you last year. What information do you keep about me?", "access"),
    ],
)
def test_plain_requests_are_recognised(classifier, body, primary):
    reading = classifier.read(Message(id="1", body=body))
    assert (reading.primary, reading.decision) == (primary, "accept")


@pytest.mark.parametrize(
    ("body", "primary"),
    [
        ("Je réclame l'accès à toutes mes données personnelles.", "access"),
        ("Je vous demande l'accès aux informations me concernant.", "access"),
        ("I am requesting access to the personal data you hold.", "access"),
        ("Ich verlange Auskunft nach Artikel 15.", "access"),
        ("Je demande que mes données soient rectifiées.", "rectification"),
        ("I ask for my data to be corrected.", "rectification"),
        ("Je demande que mes données soient supprimées.", "erasure"),
        ("I want all my personal data erased.", "erasure"),
        ("Quiero que eliminen mis datos personales.", "erasure"),
        ("Je m'oppose à tout traitement de mes informations personnelles.", "objection"),
        ("I object to you processing my data.", "objection"),
        ("Je demande que le traitement de mes données soit limité.", "restriction"),
        ("I hereby withdraw the consent I gave.", "consent_withdrawal"),
        ("Je tiens à me plaindre de l'usage que vous faites de mes données.", "complaint"),
    ],
)
def test_the_plainest_words_of_the_law_are_understood_and_never_dismissed(classifier, body, primary):
    for subject in ("", "Demande", "Encore"):
        reading = classifier.read(Message(id="1", body=body, subject=subject))
        assert (reading.primary, reading.labels[:1]) == (primary, (primary,)), subject


def test_every_label_has_a_score_and_every_cue_stands_in_the_body(classifier):
    examples = [one for one in load() if one.split == "dev"]
    for one, reading in zip(examples, classifier.read_many([e.message for e in examples]), strict=True):
        assert set(reading.scores) == {*LABELS, *OTHER_PRIMARIES}
        assert [one.message.body[cue.start : cue.end] for cue in reading.cues] == [cue.text for cue in reading.cues]


# --- what it survives ------------------------------------------------------------------------------------------------


@given(body=st.text(max_size=400), subject=st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_text_gets_an_answer_and_its_cues_are_literal(body, subject):
    reading = SHARED.read(Message(id="1", body=body, subject=subject))
    assert reading.decision in ("accept", "ask_dpo")
    assert [body[cue.start : cue.end] for cue in reading.cues] == [cue.text for cue in reading.cues]


SHARED = load_classifier(None, cues=CUES)


@pytest.mark.parametrize(
    "body", ["", "a" * 1_000_000, "😀" * 5000, "\u202e\u202d" * 100, "Le " * 60_000, "\x00\x01\x02"], ids=str
)
def test_monsters_get_an_answer(classifier, body):
    assert classifier.read(Message(id="1", body=body)).decision in ("accept", "ask_dpo")


def test_an_empty_message_goes_to_a_person(classifier):
    assert classifier.read(Message(id="1", body=" \n")).decision == "ask_dpo"


def test_a_missing_model_says_what_to_do(tmp_path):
    with pytest.raises(ModelError, match="dpobot train"):
        load_classifier(tmp_path, cues=CUES)


# --- the figures -----------------------------------------------------------------------------------------------------


def test_the_shipped_model_has_the_figures_that_are_written_down():
    figures, _ = evaluate(None, cues=CUES, split="test", corpus=CORPUS)
    kept = json.loads(METRICS.read_text(encoding="utf-8"))["test"]
    for name in ("messages", "primary_accuracy", "mission_accuracy", "asked_share", "requests_dismissed"):
        assert figures[name] == pytest.approx(kept[name], abs=0.02), name
    assert figures["primary_accuracy"] >= 0.65
    assert figures["requests_dismissed_share"] <= 0.01


# --- the command -----------------------------------------------------------------------------------------------------


def test_classify_answers_line_by_line_and_goes_on_after_a_bad_one(tmp_path):
    lines = [
        json.dumps(
            {
                "id": "a",
                "channel": "email",
                "subject": "",
                "from_name": "",
                "from_email": "",
                "body": "Supprimez mes données.",
            }
        ),
        "no json",
        json.dumps({"id": "c", "body": 5}),
        json.dumps({"id": "d", "body": "Bonjour"}),
    ]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    out = io.StringIO()
    assert classify(str(path), [], out) == 1
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [row["id"] for row in rows] == ["a", None, "c", "d"]
    assert rows[0]["primary"] == "erasure"
    assert rows[2] == {"id": "c", "error": "body must be a text"}
    assert list(rows[0]) == [
        "id", "language", "primary", "labels", "scores", "mission_class", "decision", "confidence", "cues", "fields", "flags",
    ]  # fmt: skip


def test_classify_reads_mails():
    out = io.StringIO()
    file = str(sorted(MAIL.glob("*.eml"))[0])
    assert classify(None, [file, "missing.eml"], out) == 1
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [row["id"] for row in rows] == [file, "missing.eml"]
    assert "error" in rows[1]
