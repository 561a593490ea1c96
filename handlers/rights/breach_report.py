"""Breach report: somebody's data were or may be seen, lost or sent wrongly (art. 33-34 GDPR)."""

from __future__ import annotations

from handlers.opening import answer_letter, open_request
from handlers.types import Letter, Outcome, Right, Situation, Task
from store.models import CaseFacts


def open_case(case: CaseFacts, situation: Situation) -> Outcome:
    """Thank, alert the DPO at once: 72 elapsed hours to the authority run from awareness (art. 33(1))."""
    return open_request(case, situation, urgent=True)


def answer(case: CaseFacts, situation: Situation) -> Letter:
    """Thank, say what was done; a notice under art. 34 is a letter of its own."""
    return answer_letter(case, situation)


RIGHT = Right(
    name="breach_report",
    article="33-34",
    titles={"fr": "signalement d'un incident", "en": "report of an incident"},
    identity_level=0,
    at_once=True,
    open=open_case,
    answer=answer,
    cues={
        "fr": (
            (
                r"(?:fuite|violation|perte|vol|divulgation) (?:de |des |d')(?:mes |nos |vos )?(?:donnees|"
                r"informations|dates|dossier|fiches?)"
            ),
            r"(?:\barticles? 33\b|\barticle 34\b)",
            (
                r"(?:j'ai|jai|j ai|nous avons|on a|je viens de|viens de) (?:\w+ )?(?:recu|trouve\w*|recevoir|"
                r"recupere|tombe\w*)<_>(?:(?:d'un|d'une|des|du|d'autres?|un|une|le|la|l') ?)<_>(?:autre|inconnue?|"
                r"dossier|fiche|passeport|facture|liste|monsieur|madame|dame|cahier|classeur|avis|client\w*|mec|"
                r"groupe|voisin)"
            ),
            r"je (?:suis )?tombe\w* sur<_>(?:pdf|liste|dossier|fiche|madame|monsieur|voyage|compte|page|fichier)",
            (
                r"(?:vous (?:m')?(?:avez|venez)|votre (?:reception|accueil|personnel|collegue)<_>a|quelqu'un "
                r"(?:chez vous )?a|on a)<_>(?:donne|confirme|dit|communique|repete|envoye|transmis|divulgue|"
                r"outer?|revele)<_>(?:a (?:mon|ma|un|une|n'importe|cette|des|la|tout)|chambre|mes dates|adresses|"
                r"en copie|psy|d'un|d'une)"
            ),
            r"(?:adresses|liste|mails?|noms)<_>(?:en clair|visibles?|en copie|champ a\b|sans cci|a la vue)",
            (
                r"(?:visible|affiche\w*|accessible|ouverts?|expose\w*|tourne) <_>(?:a tous|dans le hall|sur "
                r"(?:google|internet|le net|snap)|a la vue|vers la rue|par (?:tous|n'importe)|publique?)"
            ),
            r"(?:compte|site|boite|serveur|systeme|ordinateur)<_>(?:pirat\w+|hack\w+|compromis\w*)",
            (
                r"(?:dossier|fiche|facture|reservation|passeport|resa|page|voucher) (?:de |d'|du )(?:qq1|"
                r"quelqu'un|un autre|une autre|voisin)"
            ),
            r"en changeant (?:un|le) (?:chiffre|numero)",
            (
                r"(?:classeur|fiches?|cle usb|dossier|papiers?|ordinateur|listes?)<_>(?:vole\w*|perdu\w*|"
                r"disparu\w*|plus la\b|n'y etait plus|oublie\w*|reste sur)"
            ),
            r"(?:mon|ma|mes) (?:\w+ ){1,4}(?:renvoye|retrouve|lu|entendu|vue?)<_>(?:par (?:une|un|tout)|tout le monde)",
            r"mot de passe<_>en clair",
            r"(?:disparu|envole\w*|plus) (?:du|de la|des) (?:comptoir|accueil|bureau|tiroir)",
            r"(?:ecran)<_>(?:tourne|visible|vers)<_>",
            r"(?:envoye|parti|partie|transmis|diffuse|adresse)\w*<_>(?:a toute?s?|aux \d+|a \d+|l'ensemble)<_>",
            r"(?:avait|a|avaient|ont)<_>(?:ma|mes|mon|nos) (?:fiche|dossier|donnees|papiers)<_>(?:dans|chez|sur|entre)",
            r"consultables?<_>(?:par|tous)",
            r"(?:on|je) (?:tombe|lisait|lit|voit)<_>(?:reservation|le nom des gens|tout|client)<_>",
            r"(?:retrouve|trouve)<_>cle usb",
            (
                r"(?:recu|recois)<_>(?:code|facture|lettre|dossier|attestation) (?:de|d'|pour) (?:un autre|une "
                r"autre|quelqu'un)"
            ),
        ),
        "en": (
            r"(?:data|privacy|security|personal data) (?:breach|leak)|\bleak(?:ed|ing)?\b|been hacked|got hacked",
            r"\b(?:article|art\.?) 3[34]\b",
            (
                r"(?:i(?:'ve| have)?|we(?:'ve| have)?|you(?:'ve| have)?|just) (?:just )?(?:received|found|got|"
                r"been sent|sent (?:me|us))<_>(?:someone|somebody|another|other|stranger'?s?|a list|the list|file "
                r"of|file|letter|passport|invoice|health|medical|petit|names|fiche)"
            ),
            (
                r"(?:i(?:'m| am)|i can|we can|one can|anyone can|one)<_>(?:see|sees|open|read|in)<_>(?:somebody|"
                r"someone|other|everyone|all (?:the )?(?:names|files)|some lady|her card|else'?s?|list of all|"
                r"names)"
            ),
            (
                r"(?:visible|readable|accessible|public|open) (?:to|on|for|by) (?:\w+ )?(?:all|everyone|anyone|"
                r"google|street|the whole|world|public|others)"
            ),
            (
                r"(?:told|texted|gave|given|confirmed|sent|emailed)<_>(?:my|our|her|his) (?:\w+ )?(?:room|number|"
                r"address|dates|name|details)<_>(?:to|and|by)?"
            ),
            (
                r"(?:mail|email|letter|message|bill|invoice)<_>(?:meant for|for other|addressed to|of another|"
                r"someone else)"
            ),
            (
                r"(?:lost|stolen|missing|left (?:on|in)|pushed up)<_>(?:forms?|passports?|folder|laptop|usb|"
                r"paperwork|list|copies|payslips|bank details)"
            ),
            r"if i change (?:the|a) (?:last )?(?:digit|number)",
            r"46 others|everyone'?s? (?:email|address)|in cc\b|cc'?d",
            r"(?:somebody|someone) told (?:her|him|them)",
            r"(?:found|pulled)<_>(?:folder|file|list|paperwork|usb|copies)<_>",
            r"(?:list|file|names?)<_>(?:on|in) (?:the|your) (?:site|internet|website|google)",
            r"has just (?:texted|called|written)",
        ),
    },
    tasks=(
        Task(
            "contain",
            {"fr": "faire cesser l'exposition et garder les preuves", "en": "stop the exposure and keep the evidence"},
            "32",
        ),
        Task(
            "assess",
            {
                "fr": "évaluer le risque ; notifier à la CNIL sous 72 heures s'il y en a un",
                "en": "assess the risk; notify the CNIL within 72 hours where there is one",
            },
            "33(1)",
        ),
        Task(
            "people",
            {
                "fr": "risque élevé, ou promesse des notices : informer les personnes",
                "en": "high risk, or promised by the notices: inform the people",
            },
            "34",
        ),
        Task(
            "breach_register",
            {
                "fr": "inscrire la violation au registre, notifiée ou non",
                "en": "enter the breach in the register, notified or not",
            },
            "33(5)",
        ),
        Task(
            "destroy",
            {
                "fr": "demander à qui a reçu les données de les détruire",
                "en": "ask whoever received the data to destroy them",
            },
            "32",
        ),
    ),
)
