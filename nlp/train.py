"""Training the classifier: six runs of its two configurations, then calibration on what no run had seen."""

from __future__ import annotations

import io
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as run
from spacy.util import load_config, load_model_from_path

from nlp import architecture
from nlp.calibration import (
    BARE,
    DISMISSED,
    REQUESTS,
    Calibration,
    Matrix,
    fit_label,
    fit_primaries,
    fit_threshold,
    flag_row,
)
from nlp.classifier import (
    MODEL,
    SENTENCES,
    Classifier,
    best_sentence,
    cues_digest,
    evidence,
    row_of,
    scores,
    sentence_scores,
)
from nlp.corpus import Example
from nlp.cues import Cues, Hit, Rules
from nlp.evaluate import Pair, measure, read_all
from nlp.excerpt import Excerpt
from nlp.features import FLAG_PREFIX, prepare
from nlp.field_model import leaning
from nlp.field_training import Lesson, train_fields
from nlp.fields import LEARNED_FLAGS, flag_cues, flag_evidence, flag_text
from nlp.types import LABELS, PRIMARIES

HELD = "held"
"""Name, among the settings of a run, of the examples from this machine."""
CONFIG = Path(__file__).parent / "training" / "config.cfg"
SENTENCES_CONFIG = Path(__file__).parent / "training" / "sentences.cfg"
FOLDS = 5
ASK_SHARE = 0.18
"""How many of the messages the DPO may be asked about; tuned on the training side."""
LOST_SHARE = 0.003
"""How many of the requests may be dismissed without a look: less than one may be willing to lose, since it is counted on
the very messages that the limits are fitted to."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unseen:
    """What the model says of a message while it had not seen the message's voice."""

    example: Example
    cats: Mapping[str, float]
    best: Mapping[str, float]
    """Of each label the probability of the sentence that says it best."""
    hits: Sequence[Hit]
    text: str
    """Folded, as flags are looked for in it."""


@dataclass(frozen=True)
class Trained:
    """What training gives besides the model's folder."""

    calibration: Calibration
    cross_validated: list[Pair]
    """Every message of the training side, read by a model that had not seen its voice."""


def train(
    out: Path = MODEL,
    *,
    cues: Cues,
    corpus: Path | None = None,
    limit: int = 0,
    folds: int = FOLDS,
    epochs: int | None = None,
    held: Sequence[Example] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train, calibrate and write the model to folder *out*.

    *cues* are those of the rights; *corpus* is another corpus folder, *limit* and *epochs* make a quick trial.
    *held* are examples from this machine: they weigh as much as any other, in every run. They are errors by choice, so
    that they teach but never calibrate.
    Deterministic: the same corpus, cues and configuration give the same model. *tell* is given a line per step.
    """
    with tempfile.TemporaryDirectory(prefix="dpobot-train-") as temporary, architecture.holding(held) as held_name:
        folder = Path(temporary)
        cues_file = folder / "cues.json"
        cues_file.write_text(
            json.dumps({label: dict(table) for label, table in cues.items()}, sort_keys=True), encoding="utf-8"
        )
        settings: dict[str, Any] = {"paths.cues": str(cues_file), "paths.corpus": str(corpus) if corpus else None}
        settings[HELD] = held_name
        settings |= {"corpora.train.limit": limit}
        if epochs is not None:
            settings["training.max_epochs"] = epochs
        examples = [one for one in architecture.corpus(settings["paths.corpus"]) if one.split != "test"]
        if limit:
            examples = examples[:limit]
        runs = cross_validate(examples, folder, settings, folds, tell)
        tell("calibrating")
        calibration = calibrate([one for _, unseen in runs for one in unseen], cues_digest(cues))
        rules = Rules(cues)
        pairs = [
            pair
            for pipeline, unseen in runs
            for pair in read_all(Classifier(pipeline, calibration, rules), [one.example for one in unseen])
        ]
        tell("learning the fields")
        seen = [one for _, unseen in runs for one in unseen]
        fields = train_fields(
            [
                Lesson(given.example, leaning(given.cats, said.primary, said.labels, said.flags, said.language))
                for given, (_, said) in zip(seen, pairs, strict=True)
            ]
        )
        tell(f"training on all {len(examples) + len(held)} messages")
        fit([], folder, settings)
        _keep(folder / "model-last", out)
    calibration.write(out)
    fields.write(out)
    report = json.dumps({"cross_validation": measure(pairs)}, indent=1, sort_keys=True, ensure_ascii=False)
    (out / "training.json").write_text(report + "\n", encoding="utf-8")
    return Trained(calibration, pairs)


def fit(leave_out: Sequence[str], folder: Path, settings: Mapping[str, Any]) -> Language:
    """Train one pipeline without the voices in *leave_out*; return it as it was saved."""
    overrides = {name: value for name, value in settings.items() if name != HELD}
    parts: list[Language] = []
    for number, path in enumerate((CONFIG, SENTENCES_CONFIG)):
        config = load_config(path, overrides=overrides)
        config["corpora"]["train"]["held"] = settings.get(HELD)
        config["corpora"]["train"]["leave_out"] = list(leave_out)
        # spaCy's own progress would be written for every one of the six runs.
        own = folder / str(number)
        own.mkdir(exist_ok=True)
        run(init_nlp(config), own, stdout=io.StringIO(), stderr=io.StringIO())
        parts.append(load_model_from_path(own / "model-last"))
    whole, sentences = parts
    whole.add_pipe(SENTENCES, source=sentences)
    whole.to_disk(folder / "model-last")
    return load_model_from_path(folder / "model-last")


def voices_by_fold(examples: Sequence[Example], folds: int) -> list[list[str]]:
    """Deal the voices out to folds of about the same number of messages; all messages of a voice stay together."""
    sizes: dict[str, int] = {}
    for one in examples:
        sizes[one.voice] = sizes.get(one.voice, 0) + 1
    dealt: list[list[str]] = [[] for _ in range(folds)]
    totals = [0] * folds
    for voice in sorted(sizes, key=lambda name: (-sizes[name], name)):
        lightest = totals.index(min(totals))
        dealt[lightest].append(voice)
        totals[lightest] += sizes[voice]
    return dealt


def cross_validate(
    examples: Sequence[Example], folder: Path, settings: Mapping[str, Any], folds: int, tell: Callable[[str], None]
) -> list[tuple[Language, list[Unseen]]]:
    """Return for each fold the pipeline trained without its voices, and what it says of their messages."""
    runs: list[tuple[Language, list[Unseen]]] = []
    cues = settings["paths.cues"]
    rules = architecture.rules_of(cues)
    for number, voices in enumerate(voices_by_fold(examples, folds), start=1):
        tell(f"cross-validation {number} of {folds}")
        pipeline = fit(voices, folder, settings)
        held_out = [one for one in examples if one.voice in set(voices)]
        parts = [architecture.carried(one.message, cues) for one in held_out]
        whole = scores(pipeline, [one for one, _ in parts])
        asked = sentence_scores(pipeline, [one for _, one in parts])
        unseen = []
        for one, cats, sentences in zip(held_out, whole, asked, strict=True):
            text = prepare(Excerpt(one.message).message, rules)
            best = best_sentence(sentences)
            unseen.append(Unseen(one, cats, best, text.hits, flag_text(one.message, text.body)))
        runs.append((pipeline, unseen))
    return runs


def calibrate(unseen: Sequence[Unseen], digest: str) -> Calibration:
    """Fit probabilities, thresholds and the decision on *unseen* messages."""
    told = np.array([row_of(one.cats, one.best, one.hits) for one in unseen])
    truth = np.array([PRIMARIES.index(one.example.primary) for one in unseen])
    primary_weights = fit_primaries(told, truth)
    plain = Calibration(primary_weights, {}, {}, {}, {}, 0.0, 0.0, 1.0, 1.0, digest)
    probabilities = [plain.primaries(row) for row in told]
    weights: dict[str, tuple[float, ...]] = {}
    thresholds: dict[str, float] = {}
    for label in LABELS:
        rows = np.array(
            [
                evidence(label, one.hits, one.cats, one.best, given).row()
                for one, given in zip(unseen, probabilities, strict=True)
            ]
        )
        holds = np.array([label in one.example.labels for one in unseen])
        weights[label] = fit_label(rows, holds)
        # Messages whose primary carries no label never get one, so they have no say in the threshold.
        bare = np.array([max(given, key=lambda name: given[name]) in BARE for given in probabilities])
        scores = 1.0 / (1.0 + np.exp(-np.clip(rows @ np.array(weights[label]), -30, 30)))
        thresholds[label] = fit_threshold(scores[~bare], holds[~bare])
    accept, dismiss, leftover, asked = fit_decision(
        np.array([[given[name] for name in PRIMARIES] for given in probabilities]),
        np.array([max(one.best.values()) for one in unseen]),
        truth,
    )
    flag_weights, flag_thresholds = fit_flags(unseen, probabilities)
    return Calibration(
        primary_weights, weights, thresholds, flag_weights, flag_thresholds, accept, dismiss, leftover, asked, digest
    )


def fit_flags(
    unseen: Sequence[Unseen], probabilities: Sequence[Mapping[str, float]]
) -> tuple[dict[str, tuple[float, ...]], dict[str, float]]:
    """Return weights and threshold of each flag that the model has learned."""
    weights: dict[str, tuple[float, ...]] = {}
    thresholds: dict[str, float] = {}
    cues = [flag_cues(one.text) for one in unseen]
    for name in LEARNED_FLAGS:
        rows = []
        for one, cued, given in zip(unseen, cues, probabilities, strict=True):
            primary = max(given, key=lambda label: given[label])
            rules = flag_evidence(name, cued, primary, one.cats)
            rows.append(flag_row(one.cats[f"{FLAG_PREFIX}{name}"], rules))
        matrix = np.array(rows)
        holds = np.array([bool(one.example.flags.get(name)) for one in unseen])
        weights[name] = fit_label(matrix, holds)
        scores = 1.0 / (1.0 + np.exp(-np.clip(matrix @ np.array(weights[name]), -30, 30)))
        # The corpus holds more children and mandates than a mailbox does, so that these two are raised less readily.
        thresholds[name] = fit_threshold(scores, holds, recall_weight=0.8 if name in ("third_party", "minor") else 1.0)
    return weights, thresholds


def fit_decision(probabilities: Matrix, strongest: Any, truth: Any) -> tuple[float, float, float, float]:
    """Return the confidence to accept and to dismiss, and what dismissing allows: a request's share, a sentence that asks.

    *strongest* is, for each message, how surely the sentence that asks most asks for something.

    First the mildest rule for dismissing under which at most :data:`LOST_SHARE` of the requests are lost; then
    the strictest one for accepting that keeps the questions to the DPO below :data:`ASK_SHARE`.
    """
    chosen = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    requests = [PRIMARIES.index(name) for name in REQUESTS]
    request_share = probabilities[:, requests].sum(axis=1)
    is_request = np.isin(truth, requests)
    dismissed = np.isin(chosen, [PRIMARIES.index(name) for name in DISMISSED])
    allowed = LOST_SHARE * max(1, int(is_request.sum()))
    best, chosen_rule = -1, (0.99, 0.0, 0.0)
    kept = np.zeros(len(truth), dtype=bool)
    for asked in (step / 20 for step in range(2, 21)):
        quiet = dismissed & (strongest <= asked)
        for dismiss in (step / 100 for step in range(30, 100, 2)):
            sure = quiet & (confidence >= dismiss)
            for leftover in (step / 100 for step in range(1, 50)):
                let_go = sure & (request_share <= leftover)
                if int(let_go.sum()) > best and int((let_go & is_request).sum()) <= allowed:
                    best, chosen_rule, kept = int(let_go.sum()), (dismiss, leftover, asked), let_go
    dismiss, leftover, asked = chosen_rule
    asked_anyway = int((dismissed & ~kept).sum())
    room = ASK_SHARE * len(truth) - asked_anyway
    accept = 0.30
    for step in (step / 100 for step in range(30, 96)):
        if int((~dismissed & (confidence < step)).sum()) <= room:
            accept = step
    return accept, dismiss, leftover, asked


def _keep(trained: Path, out: Path) -> None:
    """Move the parts that are needed for reading to *out*: smaller, and without the paths of this machine."""
    pipeline = load_model_from_path(trained)
    for name in ("paths", "corpora"):
        pipeline.config[name] = {} if name == "corpora" else dict.fromkeys(pipeline.config[name])
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    pipeline.to_disk(out)
