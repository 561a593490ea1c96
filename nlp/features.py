"""What the model sees of a message: hashed features in six groups, each of unit length times its weight.

Letters (character n-grams within words) forgive typos and inflection, words (n-grams) carry idioms, the
subject is a signal of its own since it often misleads, the gloss (concepts of the glossary) and its company
(which concept follows which) let other wordings and other languages count as what they say, and meaning (concepts and cues of the
rules, shape of the message) brings what the rules know.

Texts never reach spaCy's string store: a :class:`~spacy.tokens.Doc` carries one dummy token and, in
``user_data``, the hashed features, so that no personal data stay in memory or in a training file.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nlp.cues import Hit, Rules, concept_spans
from nlp.fold import Folded, fold, sentences
from nlp.glossary import Meaning, glossary
from nlp.language import detect
from nlp.types import Message

if TYPE_CHECKING:
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

Keys = NDArray[np.uint64]
Values = NDArray[np.float32]
Part = tuple[Keys, Values]
"""The hashed features of a message or of a sentence, and their values."""

MAX_SUBJECT = 400
USER_DATA = "dpobot"
MAX_SENTENCES = 60
_MEANT_SENTENCES = 200
LABEL_PREFIX = "label:"
"""Tells the ten labels from the primaries of the same name among a document's categories."""
FLAG_PREFIX = "flag:"
SENTENCE_PREFIX = "sentence:"
"""Tells what a single sentence asks for."""

_WORD = re.compile(r"\w+")
_REPLY = re.compile(r"\s*(?:re|aw|sv|rif|antw|rv) ?:", re.IGNORECASE)
_FORWARD = re.compile(r"\s*(?:fwd?|tr|wg|i|rv|enc|doorst) ?:", re.IGNORECASE)
_REFERENCE = re.compile(r"\bdsr-\d{4}-\d+")
_NEAR = 70
_COMPANY = 6
_GLOSS_REACH = 4
"""How many concepts further on one still keeps another company."""
_REMEMBERED = 40_000

WEIGHTS: Mapping[str, float] = {
    "letters": 1.0,
    "words": 1.0,
    "subject": 0.5,
    "gloss": 2.0,
    "company": 2.0,
    "meaning": 0.8,
}


@dataclass(frozen=True)
class Text:
    """A message prepared for reading: folded once, with concepts, cues and sentences found."""

    message: Message
    language: str
    body: Folded
    subject: Folded
    concepts: Mapping[str, Sequence[tuple[int, int]]]
    gloss: Sequence[Meaning]
    subject_gloss: Sequence[Meaning]
    hits: Sequence[Hit]
    subject_hits: Sequence[Hit]
    sentences: Sequence[tuple[int, int]]

    def part(self, start: int, end: int) -> Text:
        """Return the stretch of the body from *start* to *end* (folded offsets) as a text of its own, without subject."""
        inside = {
            name: [(begin - start, finish - start) for begin, finish in spans if start <= begin < end]
            for name, spans in self.concepts.items()
        }
        return replace(
            self,
            message=replace(self.message, subject="", body=self.body.text[start:end]),
            body=Folded(self.body.text[start:end], (), 0),
            subject=fold(""),
            concepts={name: spans for name, spans in inside.items() if spans},
            gloss=[
                (begin - start, finish - start, named) for begin, finish, named in self.gloss if start <= begin < end
            ],
            subject_gloss=(),
            hits=[
                replace(hit, start=hit.start - start, end=hit.end - start)
                for hit in self.hits
                if start <= hit.start < end
            ],
            subject_hits=(),
            sentences=((0, end - start),),
        )


def prepare(message: Message, rules: Rules) -> Text:
    """Fold *message* and find its concepts and cues. The body is read in full: pass an excerpt of a long one."""
    body = fold(message.body)
    subject = fold(message.subject[:MAX_SUBJECT])
    language = detect(message.body, message.subject)
    concepts = concept_spans(body.text)
    return Text(
        message=message,
        language=language,
        body=body,
        subject=subject,
        concepts=concepts,
        gloss=glossary().read(body.text, language),
        subject_gloss=glossary().read(subject.text, language),
        hits=rules.find(body, concepts),
        subject_hits=rules.find(subject),
        sentences=sentences(body.text),
    )


def company(concepts: Mapping[str, Sequence[tuple[int, int]]], span: tuple[int, int]) -> list[str]:
    """Return the concepts within *span*: each alone, with those that follow it closely, and with all the others."""
    start, end = span
    placed = sorted((begin, name) for name, spans in concepts.items() for begin, _ in spans if start <= begin < end)
    names = sorted({name for _, name in placed})
    found = list(names)
    for index, (begin, name) in enumerate(placed):
        for other, following in placed[index + 1 : index + 1 + _COMPANY]:
            if following != name and other - begin < _NEAR:
                found.append(f"{name}>{following}")
    found += [f"{one}&{two}" for index, one in enumerate(names) for two in names[index + 1 :]]
    return found


def _meaning(text: Text, kept_company: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of what the message means: concepts, cues, shape."""
    found = [name for names in kept_company for name in names]
    found += [f"subject {name}" for name in concept_spans(text.subject.text)]
    found += _cue_names(text)
    found += _shape(text)
    return found


def _cue_names(text: Text) -> list[str]:
    meant = sorted({hit.label for hit in text.hits if hit.meant})
    found = [f"cue {label}" for label in meant for _ in range(3)]
    found += [f"cue {one}+{two}" for index, one in enumerate(meant) for two in meant[index + 1 :]]
    found += [f"cue not {label}" for label in sorted({hit.label for hit in text.hits if not hit.meant})]
    found += [
        f"cue twice {label}" for label, count in Counter(h.label for h in text.hits if h.meant).items() if count > 1
    ]
    found += [f"subject cue {label}" for label in sorted({hit.label for hit in text.subject_hits})]
    found += [f"rule {rule}" for rule in sorted({hit.rule for hit in text.hits if hit.meant})]
    if not meant:
        found.append("cue none")
    return found


def _shape(text: Text) -> list[str]:
    message = text.message
    found = [f"length {int(math.log2(len(message.body) + 1))}", f"sentences {min(8, len(text.sentences))}"]
    found.append(f"channel {message.channel}")
    if _REPLY.match(message.subject):
        found.append("reply")
    if _FORWARD.match(message.subject):
        found.append("forward")
    if not message.subject.strip():
        found.append("no subject")
    if _REFERENCE.search(text.body.text) or _REFERENCE.search(text.subject.text):
        found.append("our reference")
    if "?" in message.body:
        found.append("question")
    for _, content_type in message.attachments[:5]:
        found.append(f"attachment {content_type.split('/')[0]}")
    if message.attachments:
        found.append("attachment")
    local = message.from_email.split("@")[0].lower()
    if re.search(r"no-?reply|do-?not-?reply|mailer-daemon|postmaster|bounce|notification", local):
        found.append("robot sender")
    if re.search(r"^(?:dpo|rgpd|privacy|info|contact|newsletter|marketing|sales|commercial)", local):
        found.append("role sender")
    return found


@lru_cache(maxsize=65536)
def _key_of_name(name: str) -> int:
    """Hash the name of a feature; names are the program's own words, never a message's."""
    from spacy.strings import hash_string  # type: ignore[attr-defined]

    return int(hash_string(name))


class _Letters:
    """The n-grams of words, hashed, remembered by the word's hash."""

    def __init__(self) -> None:
        self._known: dict[int, Keys] = {}

    def of(self, word: str) -> Keys:
        key = hash(word)
        found = self._known.get(key)
        if found is None:
            from spacy.strings import hash_string  # type: ignore[attr-defined]

            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            # The word itself comes first: word n-grams are made from it.
            found = np.array([hash_string(f"w:{word}"), *(hash_string(one) for one in letters(word))], dtype=np.uint64)
            self._known[key] = found
        return found


_LETTERS = _Letters()
_SALT = {name: np.uint64(0x9E3779B97F4A7C15 * (2 * place + 3) % 2**64) for place, name in enumerate(WEIGHTS)}
_FIRST, _SECOND, _HALF = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB), np.uint64(30)


def letters(word: str, shortest: int = 2, longest: int = 5) -> Iterable[str]:
    """Yield the character n-grams of *word*, with its edges marked by blanks."""
    padded = f" {word[:40]} "
    size = len(padded)
    for length in range(shortest, longest + 1):
        if length >= size:
            yield padded
            break
        for start in range(size - length + 1):
            yield padded[start : start + length]


def _pair(first: Keys, second: Keys) -> Keys:
    mixed: Keys = np.add(first * _FIRST, (second ^ (second >> _HALF)) * _SECOND, dtype=np.uint64)
    return np.bitwise_xor(mixed, np.right_shift(mixed, _HALF), dtype=np.uint64)


def _gloss_keys(gloss: Sequence[Meaning], spans: Sequence[tuple[int, int]]) -> tuple[list[Keys], list[Keys]]:
    """Return for each span the concepts named within it, and those that follow one another within a few words."""
    alone: list[Keys] = []
    company: list[Keys] = []
    place = 0
    for start, end in spans:
        ids: list[int] = []
        steps: list[int] = []
        step = 0
        while place < len(gloss) and gloss[place][0] < end:
            if gloss[place][0] >= start:
                ids += [_key_of_name(concept) for concept in gloss[place][2]]
                steps += [step] * len(gloss[place][2])
                step += 1
            place += 1
        keys = np.array(ids, dtype=np.uint64)
        at = np.array(steps)
        alone.append(keys)
        pairs: list[Keys] = []
        # Several concepts of one word stand at one step, so company may be further off in the list than in the text.
        for reach in range(1, min(len(keys), 3 * _GLOSS_REACH)):
            apart = at[reach:] - at[:-reach]
            near = (apart >= 1) & (apart <= _GLOSS_REACH)
            if near.any():
                pairs.append(_pair(keys[:-reach], keys[reach:])[near])
        company.append(_joined(pairs))
    return alone, company


def _joined(keys: Sequence[Keys]) -> Keys:
    return np.concatenate(keys) if keys else np.empty(0, dtype=np.uint64)


def _word_keys(words: Sequence[Keys]) -> Keys:
    if not words:
        return np.empty(0, dtype=np.uint64)
    one = np.array([keys[0] for keys in words], dtype=np.uint64)
    two = _pair(one[:-1], one[1:])
    three = _pair(two[:-1], one[2:])
    return np.concatenate([one, two, three])


def _named(names: Iterable[str]) -> Keys:
    return np.array([_key_of_name(name) for name in names], dtype=np.uint64)


def _group(group: str, keys: Keys, weight: float) -> Part:
    """Return the distinct *keys* of a group and their values: damped counts, of unit length times *weight*."""
    if not len(keys):
        return keys, np.empty(0, dtype=np.float32)
    distinct, counts = np.unique(keys, return_counts=True)
    values = 1.0 + np.log(counts)
    values *= weight / math.sqrt(float(values @ values))
    return distinct ^ _SALT[group], values.astype(np.float32)


def features(text: Text, weights: Mapping[str, float] = WEIGHTS) -> tuple[Part, tuple[Part, ...]]:
    """Return every feature of a message, hashed the same way on every machine, and its value; and those of its sentences.

    Of the sentences the first :data:`MAX_SENTENCES` are read for themselves: a demand is put in a sentence, and what
    stands around it, at whatever length, must not drown it.
    """
    words = [[_LETTERS.of(word) for word in _WORD.findall(text.body.text, *span)] for span in text.sentences]
    subject = [_LETTERS.of(word) for word in _WORD.findall(text.subject.text)]
    concepts, pairs = _gloss_keys(text.gloss, text.sentences)
    subject_concepts, _ = _gloss_keys(text.subject_gloss, ((0, len(text.subject.text)),))
    kept_company = [company(text.concepts, span) for span in text.sentences[:_MEANT_SENTENCES]]
    every = [word for sentence in words for word in sentence]
    groups = {
        "letters": _joined([keys[1:] for keys in every]),
        "words": _word_keys(every),
        "subject": _joined([keys[1:] for keys in subject]),
        "gloss": _joined([*concepts, _joined(subject_concepts) ^ _FIRST]),
        "company": _joined(pairs),
        "meaning": _named(_meaning(text, kept_company)),
    }
    found = [_group(name, keys, weights[name]) for name, keys in groups.items()]
    whole = np.concatenate([keys for keys, _ in found]), np.concatenate([values for _, values in found])
    sentences = []
    for place, span in enumerate(text.sentences[:MAX_SENTENCES]):
        own = (
            ("letters", [keys[1:] for keys in words[place]]),
            ("words", [_word_keys(words[place])]),
            ("gloss", [concepts[place]]),
            ("company", [pairs[place]]),
            ("meaning", [_named(kept_company[place] + _said(text, span))]),
        )
        sentences.append(_sentence(own, weights))
    return whole, tuple(sentences)


def _sentence(groups: Sequence[tuple[str, Sequence[Keys]]], weights: Mapping[str, float]) -> Part:
    # What is said twice in one sentence is rare enough not to be counted for that.
    found, values = [], []
    for name, given in groups:
        keys = _joined(given)
        if len(keys):
            found.append(keys ^ _SALT[name])
            values.append(np.full(len(keys), weights[name] / math.sqrt(len(keys)), dtype=np.float32))
    return _joined(found), np.concatenate(values) if values else np.empty(0, dtype=np.float32)


def _said(text: Text, span: tuple[int, int]) -> list[str]:
    """Return the names of the cues within *span*."""
    found: list[str] = []
    for hit in text.hits:
        if span[0] <= hit.start < span[1]:
            found += [f"cue {hit.label}", f"rule {hit.rule}"] if hit.meant else [f"cue not {hit.label}"]
    return found


class Carrier:
    """What :func:`document` makes for the pipeline, without the document: features of one or several texts."""

    def __init__(self, parts: Sequence[Part]) -> None:
        """Carry the features of *parts*, each to be scored for itself."""
        self.user_data = {USER_DATA: parts}


def document(vocab: Vocab, parts: Sequence[Part]) -> Doc:
    """Return the document that the pipeline reads: one dummy token and hashed features."""
    from spacy.tokens import Doc

    doc = Doc(vocab, words=["message"])
    user_data: dict[str, Any] = doc.user_data
    user_data[USER_DATA] = parts
    return doc
