"""Erasure: data, an account or a picture are to be deleted or taken down (art. 17 GDPR)."""

from __future__ import annotations

from handlers.opening import answer_letter, open_request
from handlers.tasks import MEDIA, PROCESSORS, RECIPIENTS, SEARCH
from handlers.types import Letter, Outcome, Right, Situation, Task
from store.models import CaseFacts


def open_case(case: CaseFacts, situation: Situation) -> Outcome:
    """Acknowledge; ask who is writing where that is in doubt: erasing a stranger's data cannot be undone."""
    return open_request(case, situation)


def answer(case: CaseFacts, situation: Situation) -> Letter:
    """Say what was erased, what is kept, on which ground of art. 17(3) and until when."""
    return answer_letter(case, situation)


RIGHT = Right(
    name="erasure",
    article="17",
    titles={"fr": "effacement de vos données", "en": "erasure of your data"},
    identity_level=2,
    at_once=False,
    open=open_case,
    answer=answer,
    cues={
        "fr": (
            r"droit a (?:l'oubli|l'effacement)|demande d'effacement|demande de suppression",
            r"\barticle 17\b",
            (
                r"<delete><_>(?:mon|ma|mes|nos|notre|son|sa|ses|leurs?|tout(?:es)?|cette|ces|cet|ce|la|le|les|"
                r"l')\b ?(?:\w+ ){0,3}(?:compte|donnees?|donnes|dossiers?|fiches?|photos?|videos?|numero|adresse|"
                r"mail|cv|passeport|profil|informations?|infos|coordonnees|image|trace|historique|nom|carte|"
                r"mention|champ|espace|page|clip|cliche|message|copie|liste|scan|post|story|listes)"
            ),
            (
                r"(?:compte|donnees|dossier|fiche|photos?|videos?|numero|passeport|profil|image|cv|cliche|mention|"
                r"photographie|tout)<_>(?:a |est a |sont a |soi(?:t|ent) |etre |d[oi]+t ?(?:etre )?|qu'elle soit |"
                r"devra (?:etre )?)(?:enleve\w*|supprim\w+|efface\w*|retire\w*|detrui\w+|ote\w*|radie\w*|jete\w*|"
                r"disparaitre|anonymise\w*)"
            ),
            (
                r"(?:vous pouvez|pouvez[- ]vous|pourriez[- ]vous|merci d(?:e|')|veuillez|je (?:veux|voudrais|"
                r"souhaite|demande)|il faut|svp|priere de|on peut|peut-on) ?(?:de |que vous |l'|la |le |les |m'|"
                r"me |bien |vouloir |qu'on )*(?:supprim\w+|effac\w+|enlev\w+|retir(?:er|ez|iez)|detrui\w+|virer|"
                r"oter|jeter|flouter|fermer|radier)"
            ),
            (
                r"(?:supprime[rz]?|efface[rz]?|enleve[rz]?|retirez|virez|vire|detruisez|otez|jetez|fermez|oubliez|"
                r"radiez|rayez|videz|suppr)[- ](?:moi|nous|la|le|les|tout|mon|ma|mes|cette|ce|ces|svp|"
                r"immediatement|son|sa|ses|vite|compte)\b"
            ),
            r"(?:fai(?:re|tes|ssiez)[- ](?:\w+ ){0,2}|doit )?disparaitre\b",
            r"faire (?:clore|fermer|effacer|retirer|supprimer|enlever)",
            r"plus (?:aucune )?(?:trace|exister|figurer)<_>(?:vos|fichiers?|chez vous|base|systeme)?",
            r"(?:ne pas|ne plus) (?:conserver|garder)\b",
            (
                r"(?:cloture|fermeture|suppression|effacement|destruction|retrait) (?:de |du |des |d'|"
                r"definitive)<_>(?:compte|donnees|dossier|photo|fiche|fichier|espace|profil|image|leur)"
            ),
            r"\ba (?:enlever|supprimer|effacer|retirer|detruire|jeter|oter)\b",
            r"oubliez[- ](?:moi|nous)",
            (
                r"(?:je )?(?:souhaite|demande|veux|exige|voudrais) (?:sa|leur|la) (?:suppression|destruction|"
                r"radiation|disparition|retrait)"
            ),
            (
                r"(?:qu'|que )(?:il|elle|ils|elles|ca|tout|cela) (?:soi(?:t|ent)) (?:\w+ )?(?:jete\w*|efface\w*|"
                r"supprime\w*|detrui\w+|enleve\w*|retire\w*|ote\w*)"
            ),
            r"(?:faites|fais)[- ]moi disparaitre",
            r"(?:couper|flouter|coupez|floutez)<_>(?:image|video|plans?|clip|photo|visage|secondes)",
        ),
        "en": (
            r"right to (?:be forgotten|erasure)|erasure request|deletion request",
            r"\b(?:article|art\.?) 17\b",
            (
                r"<delete><_>(?:my|the|our|his|her|all|any|every|everything|this|that|these|those|their|it|me|"
                r"whatever)\b ?(?:\w+ ){0,4}(?:account|data|photos?|pictures?|pics?|profile|records?|files?|copy|"
                r"copies|scans?|details|info\w*|number|address|video|page|post|name|forms?|list|card|cv|"
                r"application|note|everything|me|history|field|banner)?"
            ),
            r"(?:delete|erase|remove|wipe|forget|scrub) (?:me|us|it|them|everything|all|him|her|pls|please)\b",
            (
                r"(?:account|data|photos?|pictures?|records?|file|scans?|copy|copies|forms?|images?|details|it|"
                r"they|note|remark)<_>(?:be|been|to be|should be|must be|gets?|has to|needs to|can be) (?:\w+ "
                r")?(?:deleted|removed|erased|destroyed|wiped|taken down|scrubbed|thrown away|got rid|gone|come "
                r"(?:off|down)|go)"
            ),
            r"(?:take|pull|get) (?:\S+ ){0,7}?(?:down|off (?:your|the|it|facebook|instagram))\b",
            r"(?:get rid of|throw away|clear out|strip)\b<_>(?:my|the|all|whatever|passport|any|it)",
            r"close (?:\w+ )?(?:my|this|the) (?:\w+ )?account",
            r"(?:^|[.!?]\s)(?:please )?(?:remove|delete|erase)\b",
            (
                r"(?:can|could|will) (?:u|you|somebody|someone) (?:\w+ ){0,2}(?:pull|delete|remove|erase|wipe|"
                r"take me off|empty|nuke|destroy|lose)"
            ),
            r"please (?:empty|wipe|delete|erase|remove|destroy|purge)\b",
        ),
    },
    tasks=(
        *SEARCH,
        Task(
            "keep",
            {
                "fr": "repérer ce que la loi fait garder : fondement et durée",
                "en": "find what the law makes us keep: ground and time",
            },
            "17(3)",
        ),
        Task(
            "erase",
            {
                "fr": "effacer le reste partout, copies et sauvegardes comprises",
                "en": "erase the rest everywhere, copies and backups included",
            },
            "17(1)",
        ),
        Task(
            "public",
            {
                "fr": "publications : retirer, prévenir moteurs et réseaux",
                "en": "publications: take down, tell search engines and networks",
            },
            "17(2)",
        ),
        *MEDIA,
        RECIPIENTS,
        PROCESSORS,
    ),
)
