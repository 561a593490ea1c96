"""Portability: the person wants a reusable file, or a transfer to someone else (art. 20 GDPR)."""

from __future__ import annotations

from handlers.opening import answer_letter, open_request
from handlers.types import Letter, Outcome, Right, Situation, Task
from store.models import CaseFacts


def open_case(case: CaseFacts, situation: Situation) -> Outcome:
    """Acknowledge; ask who is writing where that is in doubt."""
    return open_request(case, situation)


def answer(case: CaseFacts, situation: Situation) -> Letter:
    """Give the data the person provided, in a machine-readable form, and say what lies outside art. 20(1)."""
    return answer_letter(case, situation)


RIGHT = Right(
    name="portability",
    article="20",
    titles={"fr": "portabilité de vos données", "en": "portability of your data"},
    identity_level=2,
    at_once=False,
    open=open_case,
    answer=answer,
    cues={
        "fr": (
            r"portabilite",
            r"\barticle 20\b",
            (
                r"(?:mes|mon|ma|nos|notre|son|les?|leur) (?:\w+ ){0,3}?(?:donnees|historique|reservations?|"
                r"sejours|nuits|profil|dossier|fiche|avis)<_>(?:csv|json|xml|excel|xlsx?|tableur|fichier|format|"
                r"lisible par|reimport\w+|api\b|informatique|numerique)"
            ),
            (
                r"(?:csv|json|xml|excel|xlsx?|tableur|fichier (?:structure|excel|reutilisable|informatique)|"
                r"format (?:structure|ouvert|interoperable|exploitable|reutilisable))<_>(?:donnees|historique|"
                r"reservations?|sejours|profil|dossier|prestataire|reutiliser|importer|ailleurs)"
            ),
            r"export(?:er|ez|ation)?\b<_>(?:mes|mon|ma|profil|donnees|reservations|historique|complet|format)",
            r"(?:un )?export (?:complet |de )(?:mes|de mes|ma|mon)",
            (
                r"(?:transferer|transfert|transmettre|basculer|basculez|verser|envoyer|passer|"
                r"migrer)<_>(?:directement|dossier|donnees|fiche|historique|profil)<_>(?:a |au |aux |chez |vers |"
                r"nouveau|nouvelle|prestataire|autre)"
            ),
            r"lisible par (?:une )?machine|couramment utilise|format interoperable",
            (
                r"(?:leur|lui) (?:envoyer|transmettre|passer|basculer|verser|transferer)<_>(?:dossier|fiche|"
                r"donnees|historique)"
            ),
            (
                r"(?:sous (?:cette|une) forme|dans un (?:fichier|format))<_>(?:que|exploitable|reutilis\w+|sache|"
                r"puisse|ailleurs)"
            ),
        ),
        "en": (
            r"portab(?:le|ility)",
            r"\b(?:article|art\.?) 20\b",
            (
                r"(?:my|our|her|his|the|all|it|them) (?:\w+ ){0,5}?(?:data|history|bookings?|stays?|profile|thing|"
                r"that|it|them)?<_>(?:csv|json|xml|xlsx?|excel|spreadsheet|machine[- ]readable|structured|"
                r"importable|can import)"
            ),
            (
                r"(?:csv|json|xml|xlsx?|excel|spreadsheet|machine[- ]readable)<_>(?:my|please|data|history|"
                r"bookings?|stays?|profile)"
            ),
            r"export\b<_>(?:it|my|them|data|history|profile|bookings)",
            (
                r"(?:transfer\w*|send|sent|port|move|migrate)<_>(?:straight|direct\w*|over|across)<_>(?:to|"
                r"into)<_>(?:my|their|our|new|them|another|provider|platform)"
            ),
            r"(?:data|history|profile|records?) (?:\w+ )?transferred",
        ),
    },
    tasks=(
        Task(
            "gather",
            {
                "fr": "réunir ce que la personne a fourni, par consentement ou contrat",
                "en": "gather what the person provided, by consent or contract",
            },
            "20(1)",
        ),
        Task(
            "file",
            {"fr": "exporter en CSV ou JSON, relire le fichier", "en": "export as CSV or JSON, check the file"},
            "20(1)",
        ),
        Task(
            "transfer",
            {
                "fr": "transfert demandé : vérifier le destinataire et la voie",
                "en": "transfer asked for: verify the recipient and the way",
            },
            "20(2)",
        ),
    ),
)
