"""Examples from this machine: messages that the DPO corrected, as the training reads them, and their masked copies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from nlp.corpus import Example
from nlp.fold import fold
from nlp.types import LABELS, PRIMARIES, THIRD_PARTY_KINDS, Message

VOICE = "local:"
"""How the voices of this machine begin; no voice of the corpus does."""

_NAMED = ("full_name", "data_subject_name", "recipient")
_WHOLE = (
    "postal_address", "phone", "email", "other_email", "date_of_birth", "booking_ref", "request_ref", "case_ref",
    "stay_dates", "old_value", "new_value", "recipient_email",
)  # fmt: skip
_MASK = "xxx"
_DATE = "00/00/0000"
_KEPT = frozenset(
    (
        "rgpd", "gdpr", "dsgvo", "avg", "cnil", "ico", "dpo", "dpd", "mije", "sms", "pdf", "csv", "json", "xml", "email",
        "mail", "whatsapp", "telegram", "facebook", "instagram", "google", "youtube", "paris", "france", "internet",
        "monsieur", "madame", "messieurs", "mesdames", "mr", "mrs", "ms", "sir", "madam", "dear", "bonjour", "bonsoir",
        "hello",
    )
)  # fmt: skip
"""Words that name nobody and say much, kept although they are written with a capital."""
_ADDRESS = re.compile(r"[^\s<>()\[\],;:]+@[^\s<>()\[\],;:]+")
_LINK = re.compile(r"(?i)\b(?:https?://|www\.)\S+")
_MONTHS = (
    r"janv\w*|f[ée]vr\w*|mars|avril|mai|juin|juil\w*|ao[uû]t|sept\w*|oct\w*|nov\w*|d[ée]c\w*|jan\w*|feb\w*|march|apr\w*|"
    r"may|june?|july?|aug\w*|m[äa]rz|juni|juli|okt\w*|dez\w*|enero|febrero|marzo|abril|mayo|junio|julio|agosto|"
    r"gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|maart|mei|janeiro|fevereiro|mar[çc]o|maio|"
    r"junho|julho|setembro|outubro|novembro|dezembro"
)
_DAY_MONTH = re.compile(
    rf"(?i)\b\d{{1,2}}(?:er|st|nd|rd|th|\.)?\s+(?:de\s+|of\s+)?(?:{_MONTHS})\b(?:\s+(?:de\s+)?\d{{2,4}})?"
    rf"|\b(?:{_MONTHS})\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}})?"
)
_CODE = re.compile(r"\b(?=\w*\d)(?=\w*[^\W\d_])\w[\w-]{3,}\b")
_TITLED = re.compile(
    r"\b(M\.|Mme|Mlle|Mr|Mrs|Ms|Monsieur|Madame|Ma[îi]tre|Me|Dr|Herr|Frau|Sr|Sra|Signor|Signora|Mevrouw|Meneer|Senhor|"
    r"Senhora)(\.?[ ]+)((?:[^\W\d_a-zà-ÿ][\w'’-]*[ ]?)+)"
)
_INSIDE = re.compile(r"(?<=[^\W\d_][ ,])([ ]?)([^\W\d_a-zà-ÿ][\w'’-]+)")
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_PARTICLES = frozenset(
    ("de", "du", "des", "la", "le", "les", "von", "van", "der", "den", "di", "da", "dos", "el", "al", "of", "and", "et")
)


def example(
    message: Message,
    *,
    voice: str,
    primary: str,
    labels: Sequence[str],
    flags: Mapping[str, bool | str],
    language: str,
) -> Example:
    """Return a corrected message as an example of the training side. Raises ``ValueError`` for what is no label."""
    kind = flags.get("third_party_kind")
    if primary not in PRIMARIES or any(label not in LABELS for label in labels):
        raise ValueError("the decision names something that is no label")
    if kind is not None and kind not in THIRD_PARTY_KINDS:
        raise ValueError("the decision names a kind of third party that there is not")
    return Example(
        message=message, voice=f"{VOICE}{voice}", split="train", language=language, primary=primary,
        labels=tuple(labels), cues=(), flags=dict(flags),
    )  # fmt: skip


def pseudonymise(
    message: Message, fields: Mapping[str, str | Sequence[str]], *, language: str, known: Iterable[str] = ()
) -> Message:
    """Return *message* with what points to a person masked, in lower case and without accents.

    Masked are: the values of the fields that were found and the *known* names, wherever they stand; mail addresses and
    links; dates; every digit; codes of letters and digits; names after a title; and, except in German, where every noun
    has one, words with a capital inside a sentence. The sender and the names of files go altogether. What remains may
    still tell a person to somebody who knows the story: it is pseudonymised, not anonymous (art. 4(5) GDPR).
    """
    names = [message.from_name, *known, *(text for name in _NAMED for text in _texts(fields.get(name)))]
    whole = [text for name in _WHOLE for text in _texts(fields.get(name))]

    def masked(text: str) -> str:
        for value in sorted({one for one in whole if one.strip()}, key=len, reverse=True):
            text = text.replace(value, _MASK)
        text = _LINK.sub("https://x.example", _ADDRESS.sub("x@x.example", text))
        text = _DAY_MONTH.sub(_DATE, text)
        text = _CODE.sub(f"{_MASK}0", text)
        text = re.sub(r"\d", "0", text)
        text = _TITLED.sub(lambda found: f"{found[1]}{found[2]}{_MASK} ", text)
        shouting = sum(c.isupper() for c in text) > sum(c.islower() for c in text)
        if language != "de" and not shouting:
            text = _INSIDE.sub(lambda found: found[0] if _plain(found[2]) in _KEPT else f"{found[1]}{_MASK}", text)
        return _without(fold(text).text, names)

    return replace(
        message, body=masked(message.body), subject=masked(message.subject), from_name="", from_email="", reply_to="",
        attachments=tuple(("", content_type) for _, content_type in message.attachments),
    )  # fmt: skip


def _texts(value: str | Sequence[str] | None) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _plain(word: str) -> str:
    return fold(word).text


def _without(folded: str, names: Iterable[str]) -> str:
    """Mask each word of *names* in a folded text; particles, single letters and what names nobody excepted."""
    words = {_plain(word) for name in names for word in _WORD.findall(name)}
    words |= {part for word in words for part in re.split(r"['-]", word)}
    words = {word for word in words if len(word) > 1} - _PARTICLES - _KEPT
    if not words:
        return folded
    listed = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{listed})(?!\w)", _MASK, folded)
