"""Complaint: a grievance about how personal data, or a request about them, were handled (art. 38(4) and 77 GDPR)."""

from __future__ import annotations

from handlers.opening import answer_letter, open_request
from handlers.types import Letter, Outcome, Right, Situation, Task
from store.models import CaseFacts


def open_case(case: CaseFacts, situation: Situation) -> Outcome:
    """Acknowledge; identity is no condition for being heard."""
    return open_request(case, situation)


def answer(case: CaseFacts, situation: Situation) -> Letter:
    """Findings, measures, and where to go if that does not satisfy."""
    return answer_letter(case, situation)


RIGHT = Right(
    name="complaint",
    article="38(4)",
    titles={"fr": "réclamation", "en": "complaint"},
    identity_level=0,
    at_once=False,
    open=open_case,
    answer=answer,
    cues={
        "fr": (
            (
                r"(?:je |nous )?(?:me plains|nous plaignons|porter? plainte|porte (?:plainte|reclamation)|"
                r"depos\w+ (?:une )?(?:plainte|reclamation)|form\w+ (?:donc )?(?:une )?reclamation|faire une "
                r"(?:plainte|reclamation)|plainte (?:officielle|formelle)|reclamation (?:officielle|formelle))"
            ),
            r"(?:ceci|c')<_>(?:est )?(?:donc )?une (?:vraie )?reclamation",
            (
                r"(?:je |nous )?(?:conteste|contestons|proteste|protestons)<_>(?:reponse|traitement|refus|"
                r"decision|frais|procede|formellement|exigence|maniere|facon)"
            ),
            r"(?:reponse|refus)<_>(?:je la conteste|lacunaire|incomplet\w*|insatisfaisant\w*|inacceptable)",
            (
                r"(?:trouve|estime|est|c'est) (?:\w+ )?(?:inadmissible|inacceptable|scandaleu\w+|honteu\w+|pas "
                r"normal|anormal|choquant|intolerable)"
            ),
            (
                r"(?:je |nous )?(?:veux|voudrais|demande|souhaite|attends|exige|entends|voulons)<_>(?:explication|"
                r"expliqu\w+|enquete interne|sanction|qu'on m'explique|ce que vous (?:comptez|allez)|mesures|"
                r"direction|que (?:ca|cela) cesse|mis fin|dispositions prises|constate)"
            ),
            r"(?:manquement|infraction|illegal|abusi\w+|excessi\w+|disproportionn\w+|de quel droit)<_>",
            (
                r"votre (?:gardien|receptionniste|personnel|employe\w*|animateur|accueil)<_>(?:lit|a lu|note|"
                r"regarde|photographie|demande|dit|raconte)"
            ),
            r"article 77|article 38",
        ),
        "en": (
            r"(?:formal |official )?complain(?:t|ing)?\b<_>",
            (
                r"(?:i|we) (?:want|demand|expect|require|ask|would like|wish)<_>(?:explan\w+|explain|account from|"
                r"to know what (?:you|is)|apolog\w+|investigat\w+|supervisor|responsib\w+|admission|undertaking|"
                r"looked (?:into|at)|what'?s going to|what you(?:'re| are| will))"
            ),
            r"(?:not satisfied|unsatisfied|dissatisfied|unhappy) with (?:how|the way|your)",
            r"(?:i (?:don'?t|do not|cannot) accept)<_>(?:answer|reply|response|refusal)",
            r"(?:unacceptable|disgrace\w*|outrageous|appalling|not normal|not acceptable|no business)",
            r"(?:look into|put a stop to|own this|re-?seen|reviewed by)",
            (
                r"your (?:staff|receptionist|employee|people|guard|team|reception)<_>(?:read|reads|wrote|write|"
                r"photograph\w*|looked|listens|shout\w*|said)"
            ),
            r"who (?:do|can) i (?:talk|complain|speak) to",
            r"\b(?:article|art\.?) 77\b",
            r"(?:thats|that's|that is|it is|it's) (?:gross|wrong|disgusting|not right|creepy)",
        ),
    },
    tasks=(
        Task(
            "facts",
            {
                "fr": "établir les faits avec le service concerné",
                "en": "establish the facts with the department concerned",
            },
            "38(4)",
        ),
        Task("measures", {"fr": "décider ce qui change, et quand", "en": "decide what changes, and when"}, "24"),
    ),
)
