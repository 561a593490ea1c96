"""Who may act for somebody else, by which proof, and who gets the answer: advice for the DPO (law: DEC 77, 124; LIL 85).

The person who writes and the person the data are about are two. What is said here is put before the answer on the card; the
letters ask for the same (``templates/_parts/identity``), and the decision is the DPO's.
"""

from __future__ import annotations

from collections.abc import Mapping

_ADVICE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "minor_child": {
        "fr": (
            "Parent : une phrase sur le lien, et la réservation à son nom, suffisent d'ordinaire ; livret de famille ou jugement "
            "seulement si un doute demeure",
            "Les deux parents ont en principe le même droit ; s'ils s'opposent, ne rien remettre ni effacer sans décision du DPO",
            "L'avis du mineur compte selon son âge ; il peut aussi écrire lui-même",
        ),
        "en": (
            "Parent: a sentence on the relationship and the booking in their name are usually enough; a family book or court "
            "decision only if a doubt remains",
            "Both parents have the same right in principle; where they disagree, hand over and erase nothing without the DPO",
            "The minor's own view counts according to age; the minor may write as well",
        ),
    },
    "mandate": {
        "fr": (
            "Mandat signé : qui, quels droits, quelles données, combien de temps, à qui répondre ; la pièce d'identité du "
            "mandant seulement si un doute demeure",
            "Répondre à la personne elle-même, sauf si le mandat désigne le mandataire pour recevoir la réponse",
            "Plateforme : un mandat par personne ; sans mandat, écrire à la personne par l'adresse connue",
        ),
        "en": (
            "Signed mandate: who, which rights, which data, for how long, whom to answer; the principal's identity document "
            "only if a doubt remains",
            "Answer the person, unless the mandate names the agent to receive the answer",
            "Platform: a mandate a person; without one, write to the person at the address on file",
        ),
    },
    "deceased": {
        "fr": (
            "Preuve du décès, identité, et qualité d'héritier (acte de notoriété ou livret de famille) ou directives",
            "Geler d'abord : arrêter la prospection, ne rien détruire avant l'examen des droits des héritiers (art. 85 II)",
        ),
        "en": (
            "Proof of death, identity, and standing as heir (notary's certificate or family book) or directives",
            "Freeze first: stop marketing, destroy nothing before the heirs' rights were checked (art. 85 II)",
        ),
    },
    "unrelated": {
        "fr": (
            "Responsable de groupe, école, employeur, conjoint : pas un représentant de ce seul fait ; ne pas lui remettre les "
            "données des autres (art. 15(4))",
            "Lui dire que chaque personne peut écrire elle-même",
        ),
        "en": (
            "Group leader, school, employer, spouse: not a representative by that fact; do not give them others' data",
            "Tell them that each person may write for themselves",
        ),
    },
}  # fmt: skip
_MINOR = {
    "fr": (
        "Mineur qui écrit seul : répondre avec des mots simples ; ne pas exiger l'accord d'un parent (CNIL, mineurs)",
    ),
    "en": ("Minor who writes alone: answer in plain words; do not require a parent's consent (CNIL, minors)",),
}


def advice(acts_for: str, *, minor: bool, language: str) -> tuple[str, ...]:
    """Return what to check before anything is handed over or erased for somebody; empty for an adult's own request."""
    if acts_for:
        known = _ADVICE.get(acts_for)
        return known[language] if known else ()
    return _MINOR[language] if minor else ()
