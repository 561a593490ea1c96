"""Words that no letter may hold, promises beyond the law, and what is admitted too early."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handlers.linter.dates import KEPT
from handlers.linter.demands import broken
from handlers.linter.forbidden import FORBIDDEN
from handlers.linter.letter import Finding, Letter, found

_TO_ANSWER = re.compile(r"repon[ds]|delai|answer|repl(?:y|ies)|respond|time limit|deadline")
_THIRTY_DAYS = re.compile(r"\b(?:30|trente|thirty|45|forty-five) (?:jours|days)\b")
_SHORT_TIME = re.compile(
    r"\b(?:sous|dans les|d'ici|en moins de|within|in the next|in less than) "
    r"(?:un delai de |a period of )?(?:\d+|[a-z-]+) ?(?:h\b|heures|jours|hours|days|working days)"
)
_GUARANTEE = re.compile(
    r"nous (?:vous )?garantissons|nous nous engageons|nous promettons|we (?:guarantee|promise|undertake)"
)
_GRANTED = re.compile(
    r"nous (?:allons|venons de) (?:vous )?(?:effacer|supprimer|corriger|transmettre|envoyer|communiquer)"
    r"|nous (?:effacerons|supprimerons|corrigerons)"
    r"|\bseront? (?:effacee?s?|supprimee?s?|corrigee?s?)\b|faisons droit|accedons a|demande est (?:acceptee|accordee)"
    r"|we (?:will|shall|are going to) (?:erase|delete|correct|provide|send you (?:a|the|your))"
    r"|will be (?:erased|deleted|corrected)"
    r"|request (?:is|has been) (?:granted|accepted)|we (?:grant|accept) your"
)
_ADMITS = re.compile(
    r"(?:reconnaissons|admettons)|(?:notre|de notre) (?:faute|responsabilite|erreur|negligence)"
    r"|nous sommes (?:seuls )?responsables"
    r"|nous confirmons (?:la|une|cette) (?:violation|fuite|faille)"
    r"|we (?:admit|accept|acknowledge) (?:liability|responsibility|fault|that)"
    r"|our (?:fault|mistake|liability|negligence)|we are (?:liable|responsible for)"
    r"|we confirm (?:the|a|this|that) (?:\w+ )?(?:breach|leak)"
)


def words(letter: Letter) -> Iterator[Finding]:
    """Find what no letter may say, and promises beyond the law."""
    for code, pattern, fr, en in FORBIDDEN:
        if re.search(pattern, letter.folded):
            yield found(code, fr, en)
    for sentence in letter.sentences:
        for rule in broken(sentence, kinds=letter.facts.kinds, rights=letter.facts.rights):
            yield found(rule.code, rule.fr, rule.en)
        if _THIRTY_DAYS.search(sentence) and _TO_ANSWER.search(sentence) and not KEPT.search(sentence):
            yield found(
                "thirty-days",
                "Le délai est d'un mois, non de 30 jours : écrivez « un mois à compter de la réception ».",
                'The time limit is a month, not 30 days: write "one month of receipt".',
            )
    kinds = letter.facts.kinds
    if "answer" not in kinds and "refusal" not in kinds:
        yield from _promises(letter)
    if "breach_report" in letter.facts.rights and "acknowledgement" in kinds and _ADMITS.search(letter.folded):
        yield found(
            "admission",
            "Un accusé de réception ne confirme rien et n'admet aucune faute : dites que vous vérifiez.",
            "An acknowledgement confirms nothing and admits no fault: say that you are checking.",
        )


def _promises(letter: Letter) -> Iterator[Finding]:
    for sentence in letter.sentences:
        if (_SHORT_TIME.search(sentence) or _GUARANTEE.search(sentence)) and not KEPT.search(sentence):
            yield found(
                "promise",
                "Ne promettez que « un mois à compter de la réception, prolongeable dans les cas prévus par la loi ».",
                'Promise only "one month of receipt, which may be extended in the cases provided for by law".',
            )
        if (
            letter.facts.kinds & {"acknowledgement", "identity_request"}
            and _GRANTED.search(sentence)
            and not _NEGATION.search(sentence)
        ):
            yield found(
                "outcome-promised",
                "Un accusé de réception ne dit rien de l'issue : écrivez que la demande est examinée.",
                "An acknowledgement says nothing of the outcome: write that the request is being examined.",
            )


_NEGATION = re.compile(r"\brien\b|\bnothing\b|\bne\b|\bn'|\bnot\b|copie|copy")
