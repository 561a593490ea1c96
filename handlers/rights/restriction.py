"""Restriction: data are to be kept but not used, pending a check or a dispute (art. 18 GDPR)."""

from __future__ import annotations

from handlers.opening import answer_letter, open_request
from handlers.tasks import PROCESSORS, RECIPIENTS
from handlers.types import Letter, Outcome, Right, Situation, Task
from store.models import CaseFacts


def open_case(case: CaseFacts, situation: Situation) -> Outcome:
    """Acknowledge; ask who is writing where that is in doubt."""
    return open_request(case, situation)


def answer(case: CaseFacts, situation: Situation) -> Letter:
    """Say what is frozen, from when, by which case of art. 18(1), and that lifting will be announced (art. 18(3))."""
    return answer_letter(case, situation)


RIGHT = Right(
    name="restriction",
    article="18",
    titles={"fr": "limitation du traitement", "en": "restriction of processing"},
    identity_level=2,
    at_once=False,
    open=open_case,
    answer=answer,
    cues={
        "fr": (
            r"limitation du traitement|droit a la limitation|limit\w+ (?:le traitement|l'usage|l'utilisation)",
            r"\barticle 18\b",
            r"(?:gel(?:er|ez|e)\b|gelez|gel d[eu])<_>",
            (
                r"(?:mett\w+|met|mis\w*|rester?|garde[rz]?|laisse[rz]?)<_>(?:de cote|sous cle|sous cloche|en "
                r"sommeil|en pause|en quarantaine|tel quel|tels quels|telle quelle|en l'etat|a l'ecart|au frigo|"
                r"dormir|sous scelles)"
            ),
            (
                r"(?:garde[rz]?|conserve[rz]?|laisse[rz]?|garder|conserver|conserves?)<_>(?:sans|mais|ne |n'|"
                r"personne|ni )<_>(?:util\w+|servir|sert|serve|touch\w*|exploit\w+|usage|consult\w+|supprim\w+|"
                r"effac\w+)"
            ),
            (
                r"(?:ne |n'|ni |sans )(?:l'|les |la |le |en |vous en |s'en |y |rien )?(?:util\w+|servir|touch\w+|"
                r"exploit\w+)<_>(?:ni|sans|mais)<_>(?:supprim\w+|effac\w+|jet\w+|detrui\w+)"
            ),
            (
                r"(?:ne |n'|ni )(?:supprim\w+|effac\w+|jet\w+|detrui\w+|virez|la virez)<_>(?:rien|pas|"
                r"ni)<_>(?:util\w+|servir|tant que|avant|d'ici|jusqu|en attendant|pour l'instant|touch\w+)?"
            ),
            (
                r"(?:suspend\w+|bloqu\w+|isol\w+|limit\w+)<_>(?:donnees|dossier|fiche|compte|traitement|"
                r"utilisation|usage|diffusion|evaluation|sequence|images?)"
            ),
            r"(?:n'y touchez plus|touche[rz]? (?:plus|pas|a rien)|ne (?:rien|plus) (?:en )?(?:toucher|faire))",
            (
                r"(?:le temps (?:de|que|du)|en attendant|tant que|jusqu'a|jusqu'au|d'ici)<_>(?:verif\w+|jugement|"
                r"decision|litige|enquete|expertise|audience|contest\w+|regle|tranche)"
            ),
            r"(?:garde[rz]?|conserve[rz]?)[, ]+mais (?:enferm\w+|cach\w+|bloqu\w+|ne )",
            r"(?:rester|reste|soit|etre) (?:bloque\w*|gele\w*|en pause|suspendu\w*)",
            r"ne pas (?:bouger|toucher)<_>(?:dossier|fiche|donnees)",
            r"n'est (?:pas|plus) a (?:employer|utiliser)",
            r"(?:on )?ne l'efface pas,? (?:on )?ne",
        ),
        "en": (
            r"restriction of processing|right to restrict\w*|restrict (?:the )?(?:processing|use)",
            r"\b(?:article|art\.?) 18\b",
            (
                r"(?:freeze|frozen|on hold|on ice|lock(?:ed)? (?:away|down|it|my)|under lock|put aside|set aside|"
                r"litigation hold|ring-?fence)"
            ),
            (
                r"(?:keep|hold|leave|retain|preserve|park)<_>(?:but|do not|don'?t|without|and (?:do )?not|nobody|"
                r"no one|solely|only)<_>(?:us\w+|touch\w*|delet\w+|look\w*|open\w*|shar\w+|make any|evidence|"
                r"claims)?"
            ),
            (
                r"(?:do not|don'?t|neither|not) (?:\w+ ){0,2}(?:use|touch|open)<_>(?:or|nor|and|but|do not|"
                r"don'?t)<_>(?:delet\w+|destroy|keep|throw|erase)"
            ),
            (
                r"(?:do not|don'?t|must not|not) (?:be )?(?:\w+ )?(?:delete\w*|destroy\w*|erase\w*|throw|"
                r"overwritten)<_>(?:until|while|pending|before|or use|but|yet|anything)"
            ),
            (
                r"(?:pending|until|till|while)<_>(?:check\w*|verif\w*|dispute|court|decision|decided|settled|"
                r"investigat\w+|hearing|resolved|sorted|claim|coming)"
            ),
            r"(?:sit on|hold on to|hang on to) (?:my|the|it|them)<_>(?:but|don'?t|without|details)",
            r"rather you didn'?t (?:erase|delete|destroy)",
            r"stop (?:the|that|this) (?:automatic )?(?:erasure|deletion|erasing)",
            r"nobody (?:opens|uses|touches|looks)",
        ),
    },
    tasks=(
        Task(
            "mark",
            {
                "fr": "marquer les données et en fermer l'accès courant, sans rien effacer",
                "en": "mark the data and close everyday access, erasing nothing",
            },
            "18(1)",
        ),
        Task(
            "hold_deletion",
            {
                "fr": "suspendre les effacements automatiques, vidéo comprise",
                "en": "hold automatic deletion, video included",
            },
            "18(2)",
        ),
        RECIPIENTS,
        PROCESSORS,
        Task(
            "lift",
            {
                "fr": "lever la limitation, après l'avis à la personne",
                "en": "lift the restriction, after the notice to the person",
            },
            "18(3)",
            "standing",
        ),
    ),
)
