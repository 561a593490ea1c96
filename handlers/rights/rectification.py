"""Rectification: stored data are to be corrected, completed or brought up to date (art. 16 GDPR)."""

from __future__ import annotations

from handlers.opening import answer_letter, open_request
from handlers.tasks import RECIPIENTS
from handlers.types import Letter, Outcome, Right, Situation, Task
from store.models import CaseFacts


def open_case(case: CaseFacts, situation: Situation) -> Outcome:
    """Acknowledge; ask who is writing where that is in doubt: a changed address is how accounts are taken over."""
    return open_request(case, situation)


def answer(case: CaseFacts, situation: Situation) -> Letter:
    """Say what was changed, and which recipients were told (art. 19)."""
    return answer_letter(case, situation)


RIGHT = Right(
    name="rectification",
    article="16",
    titles={"fr": "rectification de vos données", "en": "rectification of your data"},
    identity_level=2,
    at_once=False,
    open=open_case,
    answer=answer,
    cues={
        "fr": (
            r"(?:droit de rectification|demande de rectification)",
            r"\barticle 16\b",
            (
                r"<correct><_>(?:mon|ma|mes|mes|son|sa|ses|notre|nos|leurs?|l'|la|le|cette|cet|ce|les|votre|"
                r"vos)\b<_>(?:nom|prenom|adresse|fiche|dossier|mail|numero|tel\w*|date|email|courriel|compte|"
                r"donnees|coordonnees|logiciel|systeme|fichiers?|registres?|mention|civilite|orthographe|iban|rib|"
                r"nationalite|erreur|profil|allergie)"
            ),
            (
                r"(?:nom|prenom|adresse|date de naissance|mail|numero|civilite|nationalite|mention|orthographe|"
                r"iban|fiche|tel\w*)<_>(?:est |sont |etait )?(?:fausse?|faux|mauvais\w*|erron\w+|inexact\w*|mal "
                r"(?:ecrit|orthographi)\w*|perime\w*|incomplet\w*|incorrect\w*)"
            ),
            r"(?:au lieu d[eu']|et (?:non|pas) |pas )<_>(?:corrig|chang|rectifi|modifi|svp|merci|mett)\w*",
            r"(?:j'ai|nous avons|on a|ai) (?:\w+ )?(?:demenage|change d(?:e|'))\b<_>",
            r"(?:nouvelle adresse|nouveau (?:numero|mail|nom|tel\w*|rib|portable)|nouvel (?:email|iban))",
            (
                r"(?:mett\w+|mise) (?:\w+ ){0,3}a jour<_>(?:mon|ma|mes|fiche|dossier|compte|adresse|coordonnees|"
                r"fichiers?|systeme)"
            ),
            (
                r"(?:vous avez|vs avez|c'est) (?:mis|ecrit|note|marque|saisi|enregistre)<_>(?:au lieu|alors que|"
                r"c'est|mais|or |pas )"
            ),
            (
                r"(?:mon|ma|notre|son) (?:nom|prenom|adresse|mail|numero|date de naissance)<_>(?:c'est|est|"
                r"s'ecrit)<_>(?:pas|et non|plus|maintenant|avec|sans)"
            ),
            r"(?:s'ecrit|s'orthographie|prend (?:un|deux))",
            (
                r"(?:remplace[rz]?|substituer|inverser|completer|completez|retablir)\b<_>(?:par|mon|ma|la|le|nom|"
                r"prenom|fiche)"
            ),
            r"\b(?:deux|un|une|sans|avec(?: un| une| deux)?) '?[b-z]\b(?= |,|\.|$)",
            r"\bc(?:'est)? pas [^.,!?]{2,25},? (?:mais )?c(?:'est)? ",
            r"(?:devrait|doit) (?:etre|figurer|indiquer)",
            r"\bpas \+?\w+\.(?=$|\s)",
            r"(?:mme|madame|monsieur|m\.) et (?:pas|non)",
            r"<correct><_>(?:s'il vous plait|svp|merci)",
        ),
        "en": (
            r"right to rectification|rectification",
            r"\b(?:article|art\.?) 16\b",
            (
                r"<correct><_>(?:my|the|your|her|his|our|this|it|that|these|them|entry|records?)\b<_>(?:name|"
                r"address|details|records?|file|system|date|number|email|entry|profile|account|data|spelling|"
                r"statement|phone|surname|title|birth)"
            ),
            (
                r"(?:name|address|details|date|number|email|entry|spelling|surname|birth\w*|title|phone)<_>(?:is|"
                r"are|was|has been|have been)? ?(?:\w+ )?(?:wrong|incorrect|misspel\w+|inaccurate|out of date|"
                r"outdated|mis-?typed)"
            ),
            r"(?:wrong|incorrect|misspel\w+) (?:name|address|date|spelling|number|email|title|birth\w*|age|surname)",
            (
                r"(?:i|we)(?:'ve| have)? (?:just |recently )?moved|new (?:address|phone|number|email|surname|"
                r"mobile)|changed my (?:name|address|email|number)"
            ),
            (
                r"(?:you (?:have|spell|put|wrote|got|call)|it says|down as|recorded as|listed as)<_>(?:but|"
                r"instead|should|not|it'?s|please)"
            ),
            r"should (?:be|read|say)\b",
            r"(?:please|kindly|can you|could you) (?:\w+ ){0,2}(?:correct|update|amend|fix|change|rectify)\b",
            r"(?:it'?s|i am|i'm|name is|called) [^.,]{1,30}, not ",
            r"(?:be|to be) (?:corrected|updated|amended|changed|fixed|replaced|put right)",
            r"new (?:phone|mobile|number|email|address)\s?:",
            r"(?:wants|needs|ought) to (?:be|say|read)\b",
            r"(?:one|two|double|with an?|without an?) ['\x22]?[b-z]\b(?: |\.|,|$)",
            r"(?:correct|fix|repair|change|amend) (?:this|it|that|please)\b",
            r"now (?:\d|at \d)",
            r"you (?:spell|have me (?:down )?as|got me (?:down )?as)",
        ),
    },
    tasks=(
        Task(
            "compare",
            {
                "fr": "comparer l'ancienne et la nouvelle valeur ; justificatif seulement si le doute est réel",
                "en": "compare the old and the new value; evidence only where the doubt is real",
            },
            "16",
        ),
        Task(
            "correct", {"fr": "corriger partout où la donnée est tenue", "en": "correct it wherever it is held"}, "16"
        ),
        RECIPIENTS,
    ),
)
