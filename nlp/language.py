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

_COMMON_WORDS = """
fr: au avec bonjour bonsoir c'est ce cette comment compte coucou d'un dans des donc données du enlevez est
    et etre j'ai j'en je la le les ma mais merci mes moi mon n'est non nous ou oui où parfait pas photo
    plait plus pour pourquoi quand que qui quoi reçu rien s'il salut slt stop supprimer supprimez sur svp
    toujours une veux voici voilà vos votre voudrais vous à été être
en: and any are at attached can cheers could dear delete did do don't for from get has have hello here
    here's hi how i i'm in is it's just me my no not of on our please pls received regards remove sent
    sorry still thank thanks that the this to u ur was we what when where will with would yes you your
de: auf bitte danke das daten den der die ein eine frau für guten haben hallo herr ich ist keine löschen
    mehr mein meine meinen mir mit nicht sie tag und uns von wann werbung wie wir wo zu
es: borrar buenos con cuenta cuándo cómo datos del días dónde el eliminar es está favor foto gracias hola
    incluido las los mi mis más no para por que quiero saludos una usted yo
it: buongiorno cancellare che ciao come con dati dei della dove foto gli grazie ho il io mia mie miei mio
    non per prego quando salve sono una voi vorrei è
nl: alstublieft bedankt dag dank de een en geen gegevens graag hallo het hoe ik in inzage is meer met mijn
    niet op u van verwijderen voor waar wanneer wil
pt: a apagar as bom com como conta da dados das dia do dos eu favor já meu meus minha minhas não o obrigada
    obrigado olá onde os para por quando que quero uma vocês é
"""
_COMMON: dict[str, frozenset[str]] = {
    entry[:2]: frozenset(entry[3:].split()) for entry in re.split(r"\n(?=[a-z]{2}:)", _COMMON_WORDS.strip())
}
_LANGUAGES_OF_WORD: dict[str, list[str]] = {}
for _code, _words in _COMMON.items():
    for _word in _words:
        _LANGUAGES_OF_WORD.setdefault(_word, []).append(_code)
_LANGUAGES_OF_ELISION = {
    **dict.fromkeys(["j", "d", "c", "n", "s", "qu", "m", "t"], ("fr",)),
    **dict.fromkeys(["un", "dell", "all"], ("it",)),
    "l": ("fr", "it"),
    "c": ("fr", "it"),
}


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """Load the identifier at first use: it costs half a second and 50 MB, and short commands need none."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found.set_languages(list(LANGUAGES))
    # It keeps the weights of all its 142 languages, to be restricted anew: 28 MB for what never happens here.
    found._full_model = (found.nb_ptc, found.nb_pc, found.nb_classes)
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
    counts = dict.fromkeys(_COMMON, 0)
    for word in found:
        lowered = word.lower().replace("’", "'")
        head, apostrophe, _ = lowered.partition("'")
        for code in _LANGUAGES_OF_WORD.get(lowered, ()) or (apostrophe and _LANGUAGES_OF_ELISION.get(head, ())):
            counts[code] += 1
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
