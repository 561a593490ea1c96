"""The classifier: rules and model joined into a :class:`~nlp.types.Reading` that says what, why and how sure."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nlp.calibration import BARE, Calibration, Evidence, Matrix, primary_row
from nlp.cues import Cues, Hit, Rules
from nlp.excerpt import Excerpt
from nlp.features import FLAG_PREFIX, LABEL_PREFIX, Carrier, Part, Text, document, features, prepare
from nlp.field_model import FieldModel, leaning
from nlp.fields import as_mapping, find, flags
from nlp.types import LABELS, MISSION_CLASS, PRIMARIES, Cue, Decision, Message, Reading

if TYPE_CHECKING:
    from spacy.language import Language

MODEL = Path(__file__).parent / "model"
"""The model that ships with the program."""
SENTENCES = "sentences"
"""The part of the pipeline that reads sentences one by one."""
MAX_CUES = 12
_STRICTNESS = {"identity_reply": 2.0, "status_inquiry": 2.0, "reminder": 0.8}
"""How much more (or less) must speak for a label beside these primaries than elsewhere."""
_CUES_OF_LABEL = 3
_BATCH = 128

log = logging.getLogger(__name__)


class ModelError(Exception):
    """The model's folder is missing or damaged; the message says which. Reinstall, or run ``dpobot train``."""


class Classifier:
    """Reads messages: pure, batched, and bounded in time whatever comes in."""

    def __init__(
        self, pipeline: Language, calibration: Calibration, rules: Rules, fields: FieldModel | None = None
    ) -> None:
        """Join a trained pipeline, its calibration, the rules it was trained with, and a model of fields if there is one."""
        self._pipeline = pipeline
        self._calibration = calibration
        self._rules = rules
        self._fields = fields

    def read(self, message: Message) -> Reading:
        """Say what *message* asks for, why, and how sure; never raises for whatever the message holds."""
        return self.read_many([message])[0]

    def read_many(self, messages: Iterable[Message]) -> list[Reading]:
        """Read many messages at once, in order; quicker than one by one."""
        read: list[Reading] = []
        batch: list[Message] = []
        for message in messages:
            batch.append(message)
            if len(batch) == _BATCH:
                read += self._read_batch(batch)
                batch = []
        return read + self._read_batch(batch) if batch else read

    def _read_batch(self, messages: Sequence[Message]) -> list[Reading]:
        excerpts = [Excerpt(message) for message in messages]
        texts = [prepare(excerpt.message, self._rules) for excerpt in excerpts]
        parts = [features(text) for text in texts]
        scored = scores(self._pipeline, [whole for whole, _ in parts])
        asked = sentence_scores(self._pipeline, [sentences for _, sentences in parts])
        return [
            self._reading(message, excerpt, text, cats, sentences)
            for message, excerpt, text, cats, sentences in zip(messages, excerpts, texts, scored, asked, strict=True)
        ]

    def _reading(
        self, message: Message, excerpt: Excerpt, text: Text, cats: Mapping[str, float], sentences: Matrix
    ) -> Reading:
        best = best_sentence(sentences)
        probabilities = self._calibration.primaries(row_of(cats, best, text.hits))
        label_scores = {label: self._label_score(label, text, cats, best, probabilities) for label in LABELS}
        empty = not excerpt.message.body.strip() and not message.subject.strip()
        primary = "not_request" if empty else max(PRIMARIES, key=lambda one: probabilities[one])
        labels = self._labels(primary, label_scores)
        accepted = self._calibration.accepts(primary, probabilities, max(best.values())) and not empty
        decision: Decision = "accept" if accepted else "ask_dpo"

        def decide(name: str, rules: Sequence[float]) -> bool:
            return self._calibration.flag(name, cats[f"{FLAG_PREFIX}{name}"], rules)

        raised = flags(excerpt.message, text.body, primary, decide, cats)
        found = find(
            excerpt.message,
            labels,
            third_party="third_party" in raised,
            whole=message.body,
            model=self._fields,
            leaning=leaning(cats, primary, labels, raised, text.language) if self._fields else None,
        )
        return Reading(
            id=message.id,
            language=text.language,
            primary=primary,
            labels=labels,
            scores={**{one: probabilities[one] for one in PRIMARIES if one not in LABELS}, **label_scores},
            mission_class=mission_class(primary, labels),
            decision=decision,
            confidence=0.0 if empty else probabilities[primary],
            cues=self._cues(message, excerpt, text, sentences, primary, labels),
            fields=as_mapping(found),
            flags=raised,
        )

    def _label_score(
        self,
        label: str,
        text: Text,
        cats: Mapping[str, float],
        best: Mapping[str, float],
        probabilities: Mapping[str, float],
    ) -> float:
        return self._calibration.label(label, evidence(label, text.hits, cats, best, probabilities))

    def _labels(self, primary: str, scores: Mapping[str, float]) -> tuple[str, ...]:
        if primary in BARE:
            return ()
        strictness = _STRICTNESS.get(primary, 1.0)
        thresholds = {label: strictness * level for label, level in self._calibration.thresholds.items()}
        given = [label for label in LABELS if scores[label] >= thresholds[label] and label != primary]
        given.sort(key=lambda label: -scores[label])
        if primary == "reminder":
            # A reminder takes up one right nearly always; only which one may be in doubt.
            given = given or [label for label in LABELS if scores[label] >= max(0.05, *scores.values())]
        return (primary, *given) if primary in LABELS else tuple(given)

    def _cues(
        self,
        message: Message,
        excerpt: Excerpt,
        text: Text,
        sentences: Matrix,
        primary: str,
        labels: Sequence[str],
    ) -> tuple[Cue, ...]:
        wanted = [*labels] if primary in LABELS else [primary, *labels]
        cues: list[Cue] = []
        unexplained: list[str] = []
        for label in wanted:
            hits = _best_hits(label, text.hits)
            for hit in hits:
                cue = _cue(message, excerpt, label, text.body.span(hit.start, hit.end), hit.rule)
                if cue:
                    cues.append(cue)
            if not hits:
                unexplained.append(label)
        if unexplained:
            cues += self._model_cues(message, excerpt, text, sentences, unexplained)
        return tuple(cues[:MAX_CUES])

    def _model_cues(
        self, message: Message, excerpt: Excerpt, text: Text, sentences: Matrix, labels: Sequence[str]
    ) -> list[Cue]:
        """Return for each label the sentence that the model, reading it alone, finds most telling."""
        spans = text.sentences[: len(sentences)]
        if not spans:
            return []
        cues: list[Cue] = []
        whole: list[dict[str, float]] = []
        for label in labels:
            if label in LABELS:
                best = int(sentences[:, LABELS.index(label)].argmax())
            else:
                whole = whole or scores(self._pipeline, [features(text.part(start, end))[0] for start, end in spans])
                best = max(range(len(spans)), key=lambda place: whole[place][label])
            cue = _cue(message, excerpt, label, text.body.span(*spans[best]), "model")
            if cue:
                cues.append(cue)
        return cues


def scores(pipeline: Language, messages: Sequence[Part]) -> list[dict[str, float]]:
    """Return what the heads say of whole *messages*."""
    docs = [document(pipeline.vocab, [one]) for one in messages]
    return [dict(doc.cats) for doc in pipeline.pipe(docs, batch_size=_BATCH, disable=[SENTENCES])]


def sentence_scores(pipeline: Language, messages: Sequence[Sequence[Part]]) -> list[Matrix]:
    """Return for each message a row for each of its sentences: the probability of each label, in their order."""
    counts = [len(parts) for parts in messages]
    if not sum(counts):
        return [np.empty((0, len(LABELS))) for _ in messages]
    part: Any = pipeline.get_pipe(SENTENCES)
    rows = np.asarray(part.model.predict([Carrier([part for parts in messages for part in parts])]), dtype=np.float64)
    ends = np.cumsum(counts)
    return [rows[end - count : end, : len(LABELS)] for end, count in zip(ends, counts, strict=True)]


def best_sentence(sentences: Matrix) -> dict[str, float]:
    """Return for each label the probability of the sentence that says it best; 0 where there is no sentence."""
    best = sentences.max(axis=0) if len(sentences) else np.zeros(len(LABELS))
    return dict(zip(LABELS, (float(one) for one in best), strict=True))


def row_of(cats: Mapping[str, float], best: Mapping[str, float], hits: Sequence[Hit]) -> list[float]:
    """Return the numbers from which the primary is told."""
    meant = {(hit.label, hit.start, hit.end) for hit in hits if hit.meant}
    return primary_row(
        [cats[one] for one in PRIMARIES],
        [cats[f"{LABEL_PREFIX}{one}"] for one in LABELS],
        [best[one] for one in LABELS],
        [sum(label == one for label, _, _ in meant) for one in LABELS],
    )


def evidence(
    label: str,
    hits: Sequence[Hit],
    cats: Mapping[str, float],
    best: Mapping[str, float],
    probabilities: Mapping[str, float],
) -> Evidence:
    """Gather what speaks for *label*."""
    meant = {(hit.start, hit.end) for hit in hits if hit.label == label and hit.meant}
    return Evidence(
        head=cats[f"{LABEL_PREFIX}{label}"],
        sentence=best[label],
        primary=probabilities[label],
        meant=len(meant),
        taken_back=sum(1 for hit in hits if hit.label == label and not hit.meant),
    )


def mission_class(primary: str, labels: Sequence[str]) -> str:
    """Return the class of a message: that of its primary, or of the right that a case matter names.

    ``post_mortem`` follows what is asked (its second label); a reminder, a status question or proof of identity
    that names a right belongs to the class of the case that it is about.
    """
    if primary in MISSION_CLASS:
        return MISSION_CLASS[primary]
    asked = next((label for label in labels if label != "post_mortem"), None)
    if primary in ("post_mortem", "reminder", "status_inquiry", "identity_reply") and asked:
        return MISSION_CLASS[asked]
    return "other"


def _best_hits(label: str, hits: Sequence[Hit]) -> list[Hit]:
    meant = sorted(
        (hit for hit in hits if hit.label == label and hit.meant), key=lambda hit: (hit.start - hit.end, hit.start)
    )
    chosen: list[Hit] = []
    for hit in meant:
        if len(chosen) == _CUES_OF_LABEL:
            break
        if not any(hit.start < other.end and other.start < hit.end for other in chosen):
            chosen.append(hit)
    return sorted(chosen, key=lambda hit: hit.start)


def _cue(message: Message, excerpt: Excerpt, label: str, span: tuple[int, int], source: str) -> Cue | None:
    start, end = excerpt.place(span[0]), excerpt.place(span[1] - 1) + 1
    text = message.body[start:end]
    lead = len(text) - len(text.lstrip())
    text = text.strip()
    if not text:
        return None
    return Cue(label=label, text=text, start=start + lead, end=start + lead + len(text), source=source)


def cues_digest(cues: Cues) -> str:
    """Return a digest of the rights' cues, to see whether a model was trained with them."""
    plain = {label: {language: list(found) for language, found in table.items()} for label, table in cues.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def load_pipeline(folder: Path) -> Any:
    """Load the trained pipeline from *folder*. Raises :class:`ModelError`."""
    from spacy.util import load_model_from_path

    import nlp.architecture  # noqa: F401  registers the names that spaCy meets in the model's configuration

    if not (folder / "config.cfg").is_file():
        raise ModelError(f"no model in {folder}: reinstall dpobot, or train one with `dpobot train --out {folder}`")
    try:
        return load_model_from_path(folder)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"the model in {folder} is damaged ({type(error).__name__}): train it again") from error


def load_classifier(model: Path | None, *, cues: Cues) -> Classifier:
    """Load the classifier with the model in folder *model* (None: the one that ships) and the rights' *cues*.

    Raises :class:`ModelError` where there is no usable model, and :class:`nlp.cues.CueError` for a cue that
    cannot be compiled.
    """
    folder = model or MODEL
    try:
        calibration = Calibration.read(folder)
        fields = FieldModel.read(folder)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"no usable calibration or fields in {folder}: reinstall dpobot, or run `dpobot train`"
        ) from error
    rules = Rules(cues)
    if calibration.cues != cues_digest(cues):
        log.warning("classifier.cues-changed: the cues of the rights changed since training; run `dpobot train`")
    return Classifier(load_pipeline(folder), calibration, rules, fields)
