"""After death: a deceased person's data, or instructions for one's own (art. 84-86 loi Informatique et Libertés)."""

from __future__ import annotations

from handlers.opening import answer_letter, open_request
from handlers.types import Letter, Outcome, Right, Situation, Task
from store.models import CaseFacts


def open_case(case: CaseFacts, situation: Situation) -> Outcome:
    """Acknowledge, freeze, ask for the quality of heir or executor (décret 2019-536 art. 124).

    Nothing is disclosed or destroyed by default.
    """
    return open_request(case, situation)


def answer(case: CaseFacts, situation: Situation) -> Letter:
    """Say what was done within the purposes of art. 85 II, or how the instructions were recorded."""
    return answer_letter(case, situation)


RIGHT = Right(
    name="post_mortem",
    article="LIL 85",
    titles={"fr": "données d'une personne décédée", "en": "data of a deceased person"},
    identity_level=2,
    at_once=False,
    open=open_case,
    answer=answer,
    cues={
        "fr": (
            (
                r"(?:mon|ma|notre|nos|son|sa|leur) (?:\w+[ ,'-]{1,2}){0,5}?(?:est |a ete )?(?:decede\w*|mort\w*|"
                r"s'est eteinte?|disparue?|nous a quitte\w*|n'est plus)\b"
            ),
            r"(?:il|elle|marcel|est|a) (?:est )?(?:decede\w*|mort(?:e)?\b(?! de (?:rire|faim|froid|fatigue)))",
            r"acte de deces|certificat de deces|\bdeces de\b|\bdefunte?\b|\bfeue? (?:mon|ma|notre)",
            r"(?:succession|heriti\w+|acte de notoriete|de cujus)<_>",
            (
                r"(?:a|apres) (?:ma mort|mon deces)|si je (?:venais a )?(?:mourir|meurs|deced\w+)|quand je (?:ne "
                r")?serai (?:plus|mort\w*)|ne serai plus (?:la)?|ou (?:je|elle|il) ne sera plus|le jour ou je "
                r"partirai"
            ),
            (
                r"directives? (?:particulieres?|generales?|anticipees?|relatives?)|\barticle 85\b|sort de mes "
                r"donnees|dernieres volontes|legataire"
            ),
            r"(?:il|elle|qu'elle|qu'il) n'est plus (?:la|de ce monde|parmi)|depuis son (?:depart|deces)",
        ),
        "en": (
            r"(?:my|our|his|her|the) (?:late|deceased|departed) \w+",
            r"(?:passed away|passed (?:in|on|last)|has died|\bdied\b|is dead|was killed)",
            r"(?:executor|executrix|probate|estate of|the estate\b|next of kin|letters of administration|decedent)",
            (
                r"we lost (?:our|my)|lost (?:my|our) (?:husband|wife|father|mother|dad|mum|mom|son|daughter|"
                r"brother|sister)"
            ),
            r"(?:when|after|upon|once)<_>(?:i(?:'m| am) (?:gone|dead)|i die|my death|notice of my death)",
            r"death certificate|her death|his death|since (?:his|her) death",
        ),
    },
    tasks=(
        Task(
            "freeze",
            {"fr": "geler : arrêter la prospection, ne rien détruire", "en": "freeze: stop marketing, destroy nothing"},
            "LIL 85",
        ),
        Task(
            "standing",
            {
                "fr": "vérifier le décès et la qualité de qui écrit, ou enregistrer les directives",
                "en": "verify the death and the standing of the writer, or record the instructions",
            },
            "LIL 85, DEC 124",
        ),
        Task(
            "directives",
            {
                "fr": "chercher des directives laissées de son vivant",
                "en": "look for instructions left in their lifetime",
            },
            "LIL 85 I",
        ),
        Task(
            "estate",
            {
                "fr": "faire ce que l'article 85 permet : succession, clôture, mise à jour",
                "en": "do what article 85 allows: estate, closing, updating",
            },
            "LIL 85 II",
        ),
    ),
)
