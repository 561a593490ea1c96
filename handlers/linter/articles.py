"""The article cited is that of the right, and of the law that is named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from handlers.linter.letter import Finding, Letter, found

_NUMBER = r"\d{1,4}(?:-\d+)?(?:\s?\([0-9a-z]{1,2}\))*"
CITATION = re.compile(
    rf"\barticles? ({_NUMBER}(?:(?:, | et | ou | a | and | or | to ){_NUMBER})*)|\bart\. ?({_NUMBER})"
)
LAW = re.compile(
    rf"{CITATION.pattern}|article l\.? ?\d|\bloi n|\bdecret n|code (?:de|du|civil|general)|\bact no|\bdecree no"
)
_INSTRUMENT = re.compile(
    r"^\s*(?:i+\b\s*)?(?:du|de la|of the|of)?\s*(?:french\s+)?(?:civil\s+|commercial\s+)?"
    r"(decret|decree|loi|act\b|data protection act|code)"
)
_INSTRUMENTS = {"dec": "decree", "loi": "act", "act": "act", "dat": "act", "cod": "code"}
_OF_DECREE = frozenset({77, 80, 124, 144})
_OF_ACT = frozenset({8, 45, *range(48, 57), 82, 84, 85, 86})
_GENERAL = frozenset(
    {4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 19, 22, 23, 24, 25, 26, 28, 30, 32, 37, 38, 39, 77, 78, 79, 80, 82, 89}
)
_RIGHTS_OF_ARTICLES = frozenset({7, 15, 16, 17, 18, 20, 21, 33, 34})
_OWN: Mapping[str, int] = {
    "access": 15,
    "rectification": 16,
    "erasure": 17,
    "restriction": 18,
    "portability": 20,
    "objection": 21,
    "consent_withdrawal": 7,
}
_MAY_CITE: Mapping[str, frozenset[int]] = {
    # Beside its own article, the neighbours an honest letter points to.
    "access": frozenset({15, 16, 17, 18, 20, 21}),
    "rectification": frozenset({16, 18}),
    "erasure": frozenset({7, 17, 18, 21}),
    "restriction": frozenset({16, 17, 18, 21}),
    "portability": frozenset({15, 17, 20}),
    "objection": frozenset({17, 18, 21}),
    "consent_withdrawal": frozenset({7, 17, 21}),
    "post_mortem": frozenset(),
    "complaint": _RIGHTS_OF_ARTICLES,
    "breach_report": frozenset({33, 34}),
    "unclear": _RIGHTS_OF_ARTICLES,
}
_NAMES: tuple[tuple[re.Pattern[str], int], ...] = tuple(
    (re.compile(pattern), article)
    for pattern, article in (
        (
            r"droit d'acces|demande d'acces|acces aux donnees|right of access"
            r"|access to (?:the |your )?(?:personal )?data",
            15,
        ),
        (r"rectification", 16),
        (r"effacement|droit a l'oubli|\berasure|right to be forgotten", 17),
        (r"\blimitation\b|\brestriction\b", 18),
        (r"portabilite|portability", 20),
        (r"\bopposition\b|vous opposer|s'opposer|\bobjection\b|\bobject to", 21),
        (r"retrait (?:d'un|du|de (?:votre|ce)) consentement|withdrawal of (?:a |the |your |this )?consent", 7),
    )
)


def articles(letter: Letter) -> Iterator[Finding]:
    """Find citations of a law's article that is not that of the right, or that does not exist there."""
    rights = letter.facts.rights
    cited = frozenset[int]().union(*(_MAY_CITE.get(right, frozenset()) for right in rights))
    own = {_OWN[right] for right in rights if right in _OWN}
    for sentence in letter.sentences:
        for number, instrument, before in _citations(sentence):
            known = {"gdpr": _GENERAL | _RIGHTS_OF_ARTICLES, "decree": _OF_DECREE, "act": _OF_ACT}.get(instrument)
            if known is None:
                continue
            if number not in known:
                yield found(
                    "unknown-article",
                    f"L'article {number} cité n'a pas de rapport : vérifiez le numéro et le texte.",
                    f"Article {number} as cited has nothing to do with this: check the number and the text of law.",
                )
            elif instrument == "gdpr" and number in _RIGHTS_OF_ARTICLES - own:
                # A right named just before settles which article belongs to it; else the rights of the case do.
                named = [article for name, article in _NAMES if name.search(before)]
                if number not in (named or cited):
                    yield _wrong_article(number)


def _wrong_article(number: int) -> Finding:
    return found(
        "wrong-article",
        f"L'article {number} n'est pas celui du droit exercé : accès 15, rectification 16, effacement 17, limitation 18, "
        "portabilité 20, opposition 21, retrait du consentement 7(3).",
        f"Article {number} is not that of the right exercised: access 15, rectification 16, erasure 17, restriction 18, "
        "portability 20, objection 21, withdrawal of consent 7(3).",
    )


def _citations(sentence: str) -> Iterator[tuple[int, str, str]]:
    """Yield every article cited, the text of law it is of (gdpr, decree, act, code), and the words just before it."""
    for match in CITATION.finditer(sentence):
        after = _INSTRUMENT.match(sentence[match.end() :])
        instrument = _INSTRUMENTS[after[1][:3]] if after else "gdpr"
        before = re.split(r"[,;.)]", sentence[max(0, match.start() - 90) : match.start()])[-1]
        for number in re.findall(_NUMBER, match[1] or match[2]):
            yield int(re.split(r"\D", number)[0]), instrument, before
