"""What the model sees of a message: hashed features in four groups, each of unit length times its weight.

Letters (character n-grams within words) forgive typos and inflection, words (n-grams) carry idioms, the
subject is a signal of its own since it often misleads, and meaning (concepts, their company within a
sentence, rule cues, shape of the message) lets a phrasing never seen count as what it says.

Texts never reach spaCy's string store: a :class:`~spacy.tokens.Doc` carries one dummy token and, in
``user_data``, the hashed features, so that no personal data stay in memory or in a training file.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nlp.cues import Hit, Rules, concept_spans
from nlp.fold import Folded, fold, sentences
from nlp.types import Message

if TYPE_CHECKING:
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

MAX_SUBJECT = 400
USER_DATA = "dpobot"
LABEL_PREFIX = "label:"
"""Tells the ten labels from the primaries of the same name among a document's categories."""
FLAG_PREFIX = "flag:"

_WORD = re.compile(r"\w+")
_REPLY = re.compile(r"\s*(?:re|aw|sv|rif|antw|rv) ?:", re.IGNORECASE)
_FORWARD = re.compile(r"\s*(?:fwd?|tr|wg|i|rv|enc|doorst) ?:", re.IGNORECASE)
_REFERENCE = re.compile(r"\bdsr-\d{4}-\d+")
_NEAR = 70
_COMPANY = 6

WEIGHTS: Mapping[str, float] = {"letters": 1.0, "words": 1.0, "subject": 0.5, "meaning": 1.4}


@dataclass(frozen=True)
class Text:
    """A message prepared for reading: folded once, with concepts, cues and sentences found."""

    message: Message
    body: Folded
    subject: Folded
    concepts: Mapping[str, Sequence[tuple[int, int]]]
    hits: Sequence[Hit]
    subject_hits: Sequence[Hit]
    sentences: Sequence[tuple[int, int]]


def prepare(message: Message, rules: Rules) -> Text:
    """Fold *message* and find its concepts and cues. The body is read in full: pass an excerpt of a long one."""
    body = fold(message.body)
    subject = fold(message.subject[:MAX_SUBJECT])
    concepts = concept_spans(body.text)
    return Text(
        message=message,
        body=body,
        subject=subject,
        concepts=concepts,
        hits=rules.find(body, concepts),
        subject_hits=rules.find(subject),
        sentences=sentences(body.text),
    )


def letters(text: str, shortest: int = 2, longest: int = 5) -> Iterable[str]:
    """Yield the character n-grams of each word of *text*, with its edges marked by blanks."""
    for word in _WORD.findall(text):
        padded = f" {word[:40]} "
        size = len(padded)
        for length in range(shortest, longest + 1):
            if length >= size:
                yield padded
                break
            for start in range(size - length + 1):
                yield padded[start : start + length]


def words(text: str, longest: int = 3) -> Iterable[str]:
    """Yield the word n-grams of *text*."""
    found = _WORD.findall(text)
    for length in range(1, longest + 1):
        for start in range(len(found) - length + 1):
            yield " ".join(found[start : start + length])


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


def meaning(text: Text) -> list[str]:
    """Return the names of what the message means: concepts, cues, shape."""
    found: list[str] = []
    for span in text.sentences[:200]:
        found += company(text.concepts, span)
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


def _group(prefix: str, names: Iterable[str], weight: float) -> dict[str, float]:
    counts = Counter(names)
    values = {name: 1.0 + math.log(count) for name, count in counts.items()}
    norm = math.sqrt(sum(value * value for value in values.values())) or 1.0
    return {f"{prefix}{name}": weight * value / norm for name, value in values.items()}


def features(text: Text, weights: Mapping[str, float] = WEIGHTS) -> dict[str, float]:
    """Return every feature of a message by name."""
    found = _group("l:", letters(text.body.text), weights["letters"])
    found |= _group("w:", words(text.body.text), weights["words"])
    found |= _group("s:", letters(text.subject.text), weights["subject"])
    found |= _group("m:", meaning(text), weights["meaning"])
    return found


def hashed(found: Mapping[str, float]) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
    """Hash feature names, the same way on every machine."""
    from spacy.strings import hash_string  # type: ignore[attr-defined]

    keys = np.fromiter((hash_string(name) for name in found), dtype=np.uint64, count=len(found))
    return keys, np.fromiter(found.values(), dtype=np.float32, count=len(found))


def document(vocab: Vocab, text: Text) -> Doc:
    """Return the document that the pipeline reads: one dummy token and the hashed features."""
    from spacy.tokens import Doc

    doc = Doc(vocab, words=["message"])
    keys, values = hashed(features(text))
    user_data: dict[str, Any] = doc.user_data
    user_data[USER_DATA] = {"keys": keys, "values": values}
    return doc
