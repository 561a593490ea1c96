"""From what the heads say to probabilities: the regression over the primaries, and what a sentence alone asks for."""

from __future__ import annotations

import numpy as np
import pytest

from handlers.rights import load_rights
from nlp.architecture import NOTHING, asked_in_sentences
from nlp.calibration import fit_primaries, primary_row
from nlp.classifier import MODEL, best_sentence, load_pipeline, sentence_scores
from nlp.corpus import Example
from nlp.cues import Rules
from nlp.features import features, prepare
from nlp.types import LABELS, PRIMARIES, Message

CUES = {right.name: right.cues for right in load_rights().values()}


def text(body: str):
    return prepare(Message("m", body), Rules(CUES))


def told(primary: str, sentence: str | None, rng: np.random.Generator) -> list[float]:
    """What the heads might say of a message: unsure of the whole, surer of a sentence."""
    raw = rng.dirichlet(np.full(len(PRIMARIES), 0.3)) * 0.8
    raw[PRIMARIES.index(primary)] += 0.2
    sentences = rng.uniform(0.0, 0.2, len(LABELS))
    if sentence:
        sentences[LABELS.index(sentence)] = rng.uniform(0.7, 1.0)
    return primary_row(raw, np.full(len(LABELS), 0.1), sentences, [0] * len(LABELS))


def accuracy(weights: list[list[float]], rows: np.ndarray, truth: np.ndarray) -> float:
    return float(((rows @ np.array(weights).T).argmax(axis=1) == truth).mean())


def test_what_a_sentence_says_counts_once_it_has_proved_right():
    rng = np.random.default_rng(7)
    names = [PRIMARIES[n] for n in rng.integers(0, len(PRIMARIES), 3000)]
    rows = np.array([told(name, name if name in LABELS else None, rng) for name in names])
    truth = np.array([PRIMARIES.index(name) for name in names])
    weights = fit_primaries(rows[:2000], truth[:2000])
    assert np.array(weights).shape == (len(PRIMARIES), len(PRIMARIES) + 3 * len(LABELS) + 1)
    unjoined = np.eye(*np.array(weights).shape).tolist()
    assert accuracy(weights, rows[2000:], truth[2000:]) > accuracy(unjoined, rows[2000:], truth[2000:]) + 0.2


def test_with_next_to_nothing_to_learn_from_the_whole_message_decides():
    rng = np.random.default_rng(8)
    rows = np.array([told("access", None, rng) for _ in range(3)])
    weights = fit_primaries(rows, np.zeros(3, dtype=np.int64), ridge=1e6)
    assert np.array(weights) == pytest.approx(np.eye(*np.array(weights).shape), abs=1e-3)


def test_the_sentence_that_holds_a_cue_is_the_one_that_teaches():
    body = "Bonjour. Merci pour l'accueil. Effacez mon dossier. Bonne journée."
    one = Example(
        Message("m", body), "v", "train", "fr", "erasure", ("erasure",), (("erasure", "Effacez mon dossier"),)
    )
    assert asked_in_sentences(one, None) == [[], [], ["erasure"], []]
    assert NOTHING not in LABELS


def test_a_sentence_is_read_alike_alone_and_among_others():
    """What stands around a sentence, before or behind, changes nothing of what it says by itself."""
    alone = features(text("Effacez toutes mes données."))[1]
    among = features(text("Quel séjour ! Effacez toutes mes données. Il a plu."))[1]
    assert [len(alone), len(among)] == [1, 3]
    assert [sorted(keys.tolist()) for keys, _ in alone] == [sorted(among[1][0].tolist())]


def test_the_demand_in_a_long_story_is_found_in_its_sentence():
    story = "Nous sommes arrivés sous la pluie et l'ascenseur était en panne. " * 12
    body = f"{story}Au fait, je voudrais que vous effaciez toutes les données que vous avez sur moi. {story}"
    pipeline = load_pipeline(MODEL)
    rows = sentence_scores(pipeline, [features(text(body))[1], ()])
    assert [one.shape for one in rows] == [(25, len(LABELS)), (0, len(LABELS))]
    best = best_sentence(rows[0])
    assert (max(best, key=lambda label: best[label]), rows[0][:, LABELS.index("erasure")].argmax()) == ("erasure", 12)
    assert best_sentence(rows[1]) == dict.fromkeys(LABELS, 0.0)
