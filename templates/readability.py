"""How easy a letter is to read: a number, for the tests and for whoever writes letters (art. 12(1) GDPR: plain language).

Flesch's reading ease, in Kandel and Moles' form for French: about 100 is very easy, 60 plain, 30 hard. Syllables are counted by
groups of vowels, which is right often enough for the mean of a letter.
"""

from __future__ import annotations

import re
import unicodedata

_WEIGHTS = {"en": (206.835, 1.015, 84.6), "fr": (207.0, 1.015, 73.6)}
_VOWELS = {"en": re.compile(r"[aeiouy]+"), "fr": re.compile(r"[aeiouy]+")}


def sentences_of(text: str) -> list[list[str]]:
    """Return the words of each sentence; a heading or an item of a list is one of its own, addresses and numbers are none."""
    plain = re.sub(r"https?://\S+|\S+@\S+|\([^)]*\)|\[\[.*?\]\]", " ", text)
    parts = re.split(r"(?<=[.!?;:])\s+|\n", plain)
    words = [re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", part) for part in parts]
    return [sentence for sentence in words if len(sentence) > 2]


def syllables(word: str, language: str) -> int:
    """Count the syllables of a word, at least one; a mute final e counts for nothing."""
    folded = "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))
    silent = r"(?<=[^aeiouy])(?:e|es|ent)$" if language == "fr" else r"(?<=[^aeiouyl])e$|(?<=[^aeiouytd])ed$"
    return max(1, len(_VOWELS[language].findall(re.sub(silent, "", folded))))


def reading_ease(text: str, language: str) -> float:
    """Return Flesch's reading ease of *text* ("en"; Kandel-Moles for "fr"); 100 for a text without a sentence."""
    found = sentences_of(text)
    words = [word for sentence in found for word in sentence]
    if not words:
        return 100.0
    base, by_length, by_syllables = _WEIGHTS[language]
    mean = sum(syllables(word, language) for word in words) / len(words)
    return base - by_length * len(words) / len(found) - by_syllables * mean
