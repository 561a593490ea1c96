"""How much a short mail sounds like a robot: a small linear model over words, parts of words and concepts.

Robots that set no header are known by their manner only, and no list of phrases ends. The model was taught from
``training/robots`` (notices of absence, acknowledgements, dead mailboxes, and people who write of the same things)
and from the corpus of the classifier; ``python -m nlp.robots_train`` teaches it anew. What it says never files a mail
away: it only keeps the machine from answering by itself (``handlers.gates``).
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from nlp import manner
from nlp import manner_words as words
from nlp.fold import fold

WEIGHTS = Path(__file__).parent / "robots.npz"
SIZE = 1 << 16
MAX_READ = 1_500
"""Characters: a robot says what it has to say at once."""
LIKELY = 0.4
"""From here on an answer to one of our mails is not answered by itself; a doubt costs the DPO a look, an answer to a
robot may cost a loop."""
UNASKED = 0.55
"""The same for a mail that answers nothing: there most people begin."""
SURE = 0.85
"""The same where the mail asks a question or wants something, as people do."""
UNLIKELY = 0.1
"""Below this a stock phrase alone ("out of the office until Monday") is a person's."""

_WORD = re.compile(r"<\w+>|[^\W\d_]+(?:'[^\W\d_]+)?|\d+|[?!#]")
_ADDRESS = re.compile(r"\S+@\S+\.\w+")
_LINK = re.compile(r"https?://\S+|www\.\S+")
_ANSWERS = re.compile(r"^\s*(?:re|aw|r|rép|rif|sv|tr|fw|fwd|wg)\s*:", re.IGNORECASE)
_CONCEPTS = {
    "errand": manner.ERRAND,
    "away": manner.AWAY,
    "dead": manner.DEAD,
    "sequel": manner.SEQUEL,
    "received": manner.RECEIVED,
    "office": manner.OFFICE,
    "away-loose": words.AWAY,
    "promise": words.PROMISE,
    "referred": words.REFERRED,
    "ticket": words.TICKET,
    "wants": words.WANTS,
    "absence": words.ABSENCE_WORDS,
    "return": words.RETURN,
    "unread": words.NO_READING,
    "thanks": words.THANKS,
    "past": words.PAST,
    "absent": words.ABSENT,
    "automatic": words.AUTOMATIC_TEXT,
    "acknowledged": words.ACKNOWLEDGED,
    "no-answer": words.DO_NOT_ANSWER,
    "demanded": words.DEMANDED,
}


def features(subject: str, text: str) -> tuple[Any, Any]:
    """Return the places in the table of weights of what is written, and of what it is about."""
    text = text[:MAX_READ]
    said = _words(text)
    found = _grams(said)
    found |= {f"s:{gram}" for gram in _grams(_words(_ANSWERS.sub("", subject[:300])), parts=False)}
    found.add(f"length:{len(said).bit_length()}")
    found.add(f"start:{'_'.join(said[:2])}")
    if "?" in text:
        found.add("question")
    return _places(found), _places({f"concept:{each}" for each in _about(text)})


def _words(text: str) -> list[str]:
    plain = fold(_LINK.sub(" <link> ", _ADDRESS.sub(" <mail> ", text))).text
    return [f"<n{min(len(word), 5)}>" if word.isdigit() else word for word in _WORD.findall(plain)]


def _grams(said: list[str], *, parts: bool = True) -> set[str]:
    found = set(said) | {f"{a}_{b}" for a, b in pairwise(said)}
    if parts:
        found |= {"_".join(three) for three in zip(said, said[1:], said[2:], strict=False)}
        for word in said:
            if word.isalpha() and len(word) > 4:
                whole = f"^{word}$"
                found |= {
                    f"c:{whole[start : start + size]}" for size in (4, 5) for start in range(len(whole) - size + 1)
                }
    return found


def _about(text: str) -> set[str]:
    """Name the concepts in a text, and what they make together: nobody there and a return, a receipt and an office."""
    hits = {name for name, pattern in _CONCEPTS.items() if pattern.search(text)}
    found = set(hits)
    sequels = hits & {"sequel", "promise", "referred", "return", "unread"}
    if hits & {"away", "away-loose", "absent", "absence", "dead"}:
        found.add("nobody")
        if sequels:
            found.add("nobody-and-sequel")
    if hits & {"received", "acknowledged", "ticket", "thanks"} and hits & {"office", "promise"}:
        found.add("received-by-office")
    errand = bool(hits & {"errand", "wants", "past", "demanded"}) or "?" in text
    if not errand:
        found |= {"no-errand"} | {f"no-errand:{each}" for each in found}
    return found | {f"sequels:{min(len(sequels), 3)}", "errand-any" if errand else "errand-none"}


def _places(found: set[str]) -> Any:
    return np.array(sorted({zlib.crc32(each.encode()) & (SIZE - 1) for each in found}), dtype=np.int64)


@lru_cache(maxsize=1)
def _weights() -> tuple[Any, float]:
    with np.load(WEIGHTS) as stored:
        table = np.zeros(SIZE)
        table[stored["places"]] = stored["weights"]
        return table, float(stored["bias"])


def weigh(table: Any, bias: float, written: Any, about: Any) -> float:
    """Return the probability that *table* gives to these features; each of the two kinds counts as a whole."""
    said = table[written].sum() / np.sqrt(max(len(written), 1))
    meant = table[about].sum() / np.sqrt(max(len(about), 1))
    return float(1 / (1 + np.exp(-np.clip(said + meant + bias, -30, 30))))


def likelihood(subject: str, text: str) -> float:
    """Return how likely it is (0 to 1) that a robot wrote *text*: an absence, an acknowledgement, a dead mailbox."""
    if not text.strip():
        return 0.0
    return weigh(*_weights(), *features(subject, text))
