"""Which language a text is written in: one of seven, or ``"unknown"`` where a text is too short to tell."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, cast

LANGUAGES = ("fr", "en", "de", "es", "it", "nl", "pt")
UNKNOWN = "unknown"
FLOOR = 0.6
"""Below this probability the identifier's best guess is no better than chance ("ok" scores 0.14)."""
MAX_CHARACTERS = 2_000

_NOISE = re.compile(r"https?://\S+|\S+@\S+|[\d_]+|[A-Z]{2,}-[\w-]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

_COMMON: dict[str, frozenset[str]] = {
    "fr": frozenset(
        "je j'ai vous nous mon ma mes merci bonjour svp est pas plus pour avec dans sur une les des du que qui et au la le ce cette votre vos "
        "supprimez supprimer oui non s'il plait salut coucou veux voudrais moi toujours rien slt bonsoir voici voilà reçu c'est j'en d'un n'est "
        "compte photo données quoi quand où comment pourquoi à été etre être mais ou donc enlevez stop parfait".split()
    ),
    "en": frozenset(
        "i you my me we our your the and is are was to of for with not please thanks thank hello hi dear delete remove what when where how this that "
        "have has do don't can could would will it's i'm on in at from any still yes no sorry regards cheers sent received attached here's here u ur "
        "pls just did get".split()
    ),
    "de": frozenset(
        "ich sie wir mein meine meinen ist nicht und der die das den bitte danke hallo mit für auf von zu ein eine keine mehr daten löschen werbung "
        "herr frau guten tag mir uns haben wann wo wie".split()
    ),
    "es": frozenset(
        "yo usted mi mis por favor gracias hola es no que los las del para con una el datos quiero borrar eliminar cuenta foto más cómo cuándo dónde "
        "está incluido buenos días saludos".split()
    ),
    "it": frozenset(
        "io voi il mio mia miei mie grazie buongiorno ciao è non che per con una gli dei della vorrei dati cancellare come quando dove ho sono "
        "salve prego foto".split()
    ),
    "nl": frozenset(
        "ik u mijn het de een en niet graag alstublieft bedankt hallo dag met voor van op is geen meer gegevens verwijderen wanneer waar hoe inzage in "
        "wil dank".split()
    ),
    "pt": frozenset(
        "eu vocês meu minha meus minhas por favor obrigado obrigada olá é não que os as dos das para com uma quero dados apagar conta como quando onde "
        "já o a do da bom dia".split()
    ),
}


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """Load the identifier at first use: it costs half a second and 75 MB, and short commands need none."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found.set_languages(list(LANGUAGES))
    return found


def detect(text: str, subject: str = "") -> str:
    """Return the ISO 639-1 code of *text*, or ``"unknown"``. *subject* helps where the text is very short."""
    code, probability = guess(text)
    if probability < FLOOR and subject:
        again, better = guess(f"{subject}\n{text}")
        if better > probability:
            code, probability = again, better
    return code if probability >= FLOOR else UNKNOWN


def guess(text: str) -> tuple[str, float]:
    """Return the likeliest language of *text* and a probability from 0 to 1.

    Up to a few lines, common words have a say as well: character statistics take "STOP PUB" for English
    and "merci" for Spanish.
    """
    cleaned = _NOISE.sub(" ", text[:MAX_CHARACTERS])
    if cleaned.isupper():
        # The statistics are of ordinary writing; capitals look like no language at all.
        cleaned = cleaned.lower()
    found = _WORD.findall(cleaned)
    if not found:
        return UNKNOWN, 0.0
    lowered = [word.lower().replace("’", "'") for word in found]
    counts = {
        code: sum(word in common or word.split("'")[0] + "'" in _ELISIONS.get(code, ()) for word in lowered)
        for code, common in _COMMON.items()
    }
    code, probability = cast(tuple[str, float], _identifier().classify(" ".join(found)))
    probability = float(probability)
    best = max(counts, key=lambda one: counts[one])
    second = max((count for one, count in counts.items() if one != best), default=0)
    clear = counts[best] - second
    if clear >= 2 or (clear == 1 and len(found) <= 6):
        if best == code:
            return code, max(probability, 0.9)
        # The identifier is sure of a long text; of a short one the common words know better.
        if len(found) <= 25 or clear >= 4:
            return best, 0.8
    if len(found) == 1 and not clear:
        probability = min(probability, 0.5)
    return code, probability


_ELISIONS = {"fr": ("j'", "l'", "d'", "c'", "n'", "s'", "qu'", "m'", "t'"), "it": ("l'", "un'", "dell'", "all'", "c'")}
