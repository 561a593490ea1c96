"""The model behind both text classifiers, and the reader that feeds them.

Imported before a pipeline is trained or loaded, so that the names in ``training/config.cfg`` are known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from spacy import registry  # type: ignore[attr-defined]
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Model, SparseLinear_v2, chain

from nlp.corpus import CORPUS, load
from nlp.corpus import Example as CorpusExample
from nlp.cues import Rules
from nlp.excerpt import Excerpt
from nlp.features import (
    FLAG_PREFIX,
    LABEL_PREFIX,
    MAX_SENTENCES,
    SENTENCE_PREFIX,
    USER_DATA,
    Part,
    document,
    features,
    prepare,
)
from nlp.fields import LEARNED_FLAGS
from nlp.fold import fold
from nlp.types import LABELS, PRIMARIES, THIRD_PARTY_KINDS, Message

NOTHING = "nothing"
"""What a sentence asks for that is no cue of any label."""


@registry.architectures("dpobot.HashedLinear.v1")  # type: ignore[untyped-decorator]
def hashed_linear(nO: int | None = None, exclusive: bool = True, length: int = 65536) -> Any:  # noqa: N803
    """Return a linear classifier over the features that :func:`nlp.features.document` put into each document.

    *length* is the number of weights a class has; *exclusive* chooses one class (softmax) or each for itself.
    """
    with Model.define_operators({">>": chain}):
        model = gather() >> SparseLinear_v2(nO, length) >> probabilities(exclusive)
    model.set_ref("output_layer", model.layers[-1])
    model.attrs["multi_label"] = not exclusive
    return model


def gather() -> Any:
    """Return the layer that joins the features of a batch: keys, values, and how many each part has.

    A message is one part. Its sentences may be carried together, and then give a row of scores each.
    """
    return Model("dpobot_gather", _gather)


def _gather(model: Any, docs: list[Doc], is_train: bool) -> tuple[Any, Callable[[Any], list[Doc]]]:  # noqa: ARG001
    parts = [part for doc in docs for part in doc.user_data[USER_DATA]]
    keys = np.concatenate([keys for keys, _ in parts])
    values = np.concatenate([values for _, values in parts])
    lengths = np.array([len(keys) for keys, _ in parts], dtype=np.int32)
    return (keys, values, lengths), lambda _: []


def probabilities(exclusive: bool) -> Any:
    """Return the output layer, softmax or sigmoid.

    spaCy's text classifiers hand back ``scores - truth``, which is the gradient of the cross-entropy at the
    input of this layer; passing it through the layer's derivative, as thinc's own activations do, would
    turn it into that of the squared error, which learns rare classes much worse.
    """
    return Model("dpobot_probabilities", _softmax if exclusive else _sigmoid)


def _softmax(model: Any, scores: Any, is_train: bool) -> tuple[Any, Callable[[Any], Any]]:  # noqa: ARG001
    return model.ops.softmax(scores), lambda gradient: gradient


def _sigmoid(model: Any, scores: Any, is_train: bool) -> tuple[Any, Callable[[Any], Any]]:  # noqa: ARG001
    return model.ops.sigmoid(scores), lambda gradient: gradient


@registry.readers("dpobot.Corpus.v1")  # type: ignore[untyped-decorator]
def read_corpus(
    cues: str | None = None,
    splits: list[str] | None = None,
    path: str | None = None,
    leave_out: list[str] | None = None,
    limit: int = 0,
    held: str | None = None,
) -> Callable[[Any], Iterable[Example]]:
    """Return a reader of the corpus below *path* (by default the one that ships).

    *cues* is a JSON file with the cues of the rights; *splits* says which sides of the split are read (``test``
    is refused: it measures, it never trains); *leave_out* names voices that are held out for cross-validation;
    *limit* reads so many messages only; *held* names what :func:`holding` adds to every run.
    """
    wanted = _trainable(splits)

    def read(nlp: Any) -> Iterable[Example]:
        for one in _chosen(path, wanted, leave_out, limit, held):
            parts = [carried(one.message, cues)[0]]
            reference = document(nlp.vocab, parts)
            reference.cats = categories(one)
            yield Example(document(nlp.vocab, parts), reference)

    return read


@registry.readers("dpobot.Sentences.v1")  # type: ignore[untyped-decorator]
def read_sentences(
    cues: str | None = None,
    splits: list[str] | None = None,
    path: str | None = None,
    leave_out: list[str] | None = None,
    limit: int = 0,
    held: str | None = None,
) -> Callable[[Any], Iterable[Example]]:
    """Return a reader of the corpus' sentences, each with the label whose cue it holds, or with none.

    The settings are those of :func:`read_corpus`. A sentence that two rights claim is read once for each.
    """
    wanted = _trainable(splits)

    def read(nlp: Any) -> Iterable[Example]:
        for one in _chosen(path, wanted, leave_out, limit, held):
            for part, asked in zip(carried(one.message, cues)[1], asked_in_sentences(one, cues), strict=True):
                for label in asked or (NOTHING,):
                    reference = document(nlp.vocab, [part])
                    reference.cats = {f"{SENTENCE_PREFIX}{name}": float(name == label) for name in (*LABELS, NOTHING)}
                    yield Example(document(nlp.vocab, [part]), reference)

    return read


def _trainable(splits: list[str] | None) -> tuple[str, ...]:
    wanted = tuple(splits or ("train", "dev"))
    if "test" in wanted:
        raise ValueError("the test split is frozen: train and tune on train and dev")
    return wanted


def _chosen(
    path: str | None, splits: tuple[str, ...], leave_out: list[str] | None, limit: int, held: str | None
) -> list[CorpusExample]:
    left_out = frozenset(leave_out or ())
    chosen = [one for one in corpus(path) if one.split in splits and one.voice not in left_out]
    return [*chosen[: limit or None], *_held.get(held or "", ())]


def asked_in_sentences(one: CorpusExample, cues: str | None) -> list[list[str]]:
    """Return for each sentence that is read for itself the labels whose cue overlaps it."""
    text = prepare(Excerpt(one.message).message, rules_of(cues))
    places = []
    for label, cue in one.cues:
        told = fold(cue).text
        start = text.body.text.find(told)
        if told and start >= 0 and label in LABELS:
            places.append((label, start, start + len(told)))
    return [
        list(dict.fromkeys(label for label, begin, finish in places if begin < end and start < finish))
        for start, end in text.sentences[:MAX_SENTENCES]
    ]


_held: dict[str, tuple[CorpusExample, ...]] = {}


@contextmanager
def holding(examples: Sequence[CorpusExample]) -> Iterator[str]:
    """Let readers train on *examples* beside the corpus, under the name that is given.

    They are real people's words: they stay in memory, are written nowhere, and are let go of afterwards.
    """
    name = f"held-{len(_held)}"
    _held[name] = tuple(examples)
    try:
        yield name
    finally:
        del _held[name]
        carried.cache_clear()


def categories(one: CorpusExample) -> dict[str, float]:
    """Return what the three heads should say of a message of the corpus."""
    truth = {label: float(label == one.primary) for label in PRIMARIES}
    truth |= {f"{LABEL_PREFIX}{label}": float(label in one.labels) for label in LABELS}
    truth |= {f"{FLAG_PREFIX}{flag}": float(bool(one.flags.get(flag))) for flag in LEARNED_FLAGS}
    kind = one.flags.get("third_party_kind")
    return truth | {
        f"{FLAG_PREFIX}third_party_kind={one_kind}": float(kind == one_kind) for one_kind in THIRD_PARTY_KINDS
    }


@lru_cache(maxsize=4)
def corpus(path: str | None) -> tuple[CorpusExample, ...]:
    """Read the corpus once per process: cross-validation trains on it six times."""
    return tuple(load(Path(path) if path else CORPUS))


@lru_cache(maxsize=4)
def rules_of(cues: str | None) -> Rules:
    """Compile the cues in the JSON file *cues*, those of this package alone without one."""
    tables = json.loads(Path(cues).read_text(encoding="utf-8")) if cues else {}
    return Rules(
        {label: {language: tuple(found) for language, found in table.items()} for label, table in tables.items()}
    )


@lru_cache(maxsize=32768)
def carried(message: Message, cues: str | None) -> tuple[Part, tuple[Part, ...]]:
    """Return the features of *message* and of its sentences, counted once for all runs of a cross-validation."""
    return features(prepare(Excerpt(message).message, rules_of(cues)))
