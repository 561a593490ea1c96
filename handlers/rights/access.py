"""Access: the person wants to know what is held, or a copy (art. 15 GDPR)."""

from __future__ import annotations

from handlers.opening import answer_letter, open_request
from handlers.tasks import SEARCH
from handlers.types import Letter, Outcome, Right, Situation, Task
from store.models import CaseFacts


def open_case(case: CaseFacts, situation: Situation) -> Outcome:
    """Acknowledge; ask who is writing only where that is in doubt, since a copy in the wrong hands is a breach."""
    return open_request(case, situation)


def answer(case: CaseFacts, situation: Situation) -> Letter:
    """Confirm what is held, with the copy and the information of art. 15(1)(a)-(h) and 15(2)."""
    return answer_letter(case, situation)


RIGHT = Right(
    name="access",
    article="15",
    titles={"fr": "accès à vos données", "en": "access to your data"},
    identity_level=2,
    at_once=False,
    open=open_case,
    answer=answer,
    cues={
        "fr": (
            r"(?:demande|droit) d'acces\b(?! (?:a la|au|aux) (?:cour|chambre|parking|batiment|piscine|archives|salle))",
            r"\barticle 15\b(?! (?:du|de la|des) (?:contrat|convention))",
            (
                r"<copy><_>(?:de |du |des |d')?(?:mes|mon|ma|toutes?|tous?|ce que|l'ensemble|notes?|dossier|fiche|"
                r"donnees|renseignements|informations|images|enregistrements)\b"
            ),
            (
                r"ce que (?:vous|ton|votre|la|le)<_>(?:avez|detenez|conservez|gardez|savez|stockez|conserve|garde|"
                r"detient|raconte|possedez|tenez)\b"
            ),
            (
                r"(?:vous|vs) (?:\w+ )?(?:avez|gardez|savez) (?:\w+ )?(?:quoi|koi)\b<_>(?:sur (?:moi|nous|elle|"
                r"lui)|mon|ma|mes)\b"
            ),
            (
                r"(?:qu'est[- ]ce que|quest ce que|c koi|que) (?:vous|vs)? ?(?:\w+ )?(?:avez|gardez|savez|"
                r"conservez)<_>(?:sur (?:moi|elle|lui|mon|ma)|a mon (?:sujet|nom))"
            ),
            (
                r"(?:quelles?|lesquelles) (?:sont les )?(?:donnees|informations|infos)?<_>(?:sur moi|me "
                r"concern\w+|a mon (?:sujet|nom)|avez[- ]vous|vous (?:avez|detenez))"
            ),
            (
                r"(?:communiquer|communication|transmettre|fournir|envoyer|adresser|remettre|recevoir|obtenir|"
                r"parvenir)<_>(?:toutes? (?:les|mes) |l'integralite|l'ensemble|tout ce|mes donnees|mon dossier|ma "
                r"fiche|donnees (?:personnelles|me concernant|le concernant|la concernant))"
            ),
            (
                r"(?:a qui|a quels?|a quelles?)<_>(?:transmis|donne|communique|vendu|fourni|passe|refile|parti|"
                r"distribu|remis)\w*"
            ),
            (
                r"(?:qui|comment|d'ou|ou) (?:vous )?<_>(?:file|donne|fourni|refile|obtenu|trouve|eu|tenez|sortez|"
                r"vient) (?:\w+ ){0,3}(?:mon|mes|ma|adresse|numero|06|mail|nom|information|ces?)"
            ),
            r"d'ou (?:vous )?(?:vient|viennent|tenez|sortez|avez|provien\w+)",
            (
                r"<know><_>(?:qui|ce qui|ce que|si vous|quelles?|quoi)<_>(?:sur moi|mon (?:nom|dossier|sujet)|ma "
                r"(?:fiche|fille)|mon fils|me concern\w+|mes\b)"
            ),
            (
                r"(?:voir|lire|consulter|montre[rz][- ]?(?:moi)?)<_>(?:ma fiche|mon dossier|mes donnees|ce qui "
                r"(?:est|a ete)|ce qu'il y a|cette (?:fiche|note)|tout ce|la fiche|le dossier)"
            ),
            (
                r"(?:recuperer|avoir|recevoir|envoyer|obtenir|remettre|transmettre)<_>(?:les |mes |des |aux "
                r")?(?:photos?|images|videos?|clip)\b(?! d'identite)"
            ),
            (
                r"(?:y a[- ]t[- ]il|avez[- ]vous|est[- ]ce que vous avez)<_>(?:encore |quelque chose )?(?:a mon "
                r"nom|sur moi|me concernant|au nom d)"
            ),
            r"tout ce (?:que|qui|qu'|ke)<_>(?:sur moi|mon nom|me concern\w+|vous avez|mon dossier|ecrit|note)",
            r"(?:etre|suis) renseigne\w* sur",
            r"(?:combien de temps|jusqu'a quand|depuis quand)<_>(?:gard\w+|conserv\w+|avez|donnees|cv\b)",
            (
                r"(?:puis-je|peut-on|pourrais-je|j'aimerais|je voudrais|on voudrait)<_>(?:lire|voir|consulter|"
                r"avoir|savoir ce)<_>(?:fiche|dossier|cahier|notes?|donnees|informations?|ecrit|photos?|images?|"
                r"garde\w*)"
            ),
        ),
        "en": (
            r"\b(?:subject access|access request|right of access|dsar\b|sar\b)",
            r"\b(?:article|art\.?) 15\b",
            (
                r"<copy><_>(?:of )?(?:my|all|everything|any|the|what|whatever|personal|it)\b<_>(?:data|file|"
                r"record\w*|info\w*|hold|have|held|notes?|form|letter|footage|images?|personal)"
            ),
            (
                r"(?:everything|all|whatever|anything|what)(?: that| which)? (?:do )?(?:you|u|they|your "
                r"\w+)(?:'ve| have| guys have|'re| are| do| still| actually)*<_>(?:have|got|hold|holding|keep|"
                r"kept|store|stored|know|on me|about me|on file|under my name)"
            ),
            (
                r"(?:personal )?(?:data|info\w*|details|records?)<_>(?:you (?:hold|have|keep|store)|held|(?:is|"
                r"are) (?:stored|kept|lying|held))<_>(?:about|on|concerning|of|in)?"
            ),
            r"(?:which|what) (?:personal )?(?:data|info\w*|details|profile)<_>(?:about|on|of) (?:me|us|my|him|her)",
            (
                r"(?:who|how|where) (?:did |do |does |has |have |exactly )?<_>(?:gave|give|told|get|got|find|"
                r"found|obtain\w*|know|knows|come to know|sold|had|has)<_>(?:my|me|that i|this|her|his|our|about)"
            ),
            (
                r"(?:to whom|who else|with whom|who)<_>(?:sent|given|passed|shared|seen|received|has had|had) "
                r"(?:\w+ ){0,3}(?:my|it|them|this|that|her|his|our)"
            ),
            (
                r"(?:see|have|get|send (?:me|us|them)?|receive|show me|read|inspect|look up)<_>(?:my (?:file|data|"
                r"record\w*|personnel)|what(?:ever)? (?:you|is|was|they)|everything|all (?:of )?(?:the |my "
                r")?(?:data|info\w*)|your records on)"
            ),
            (
                r"(?:send|have|get|copies of|any|see)<_>(?:photos?|pictures?|pics?|images?|videos?|"
                r"footage)<_>(?:of (?:me|her|him|my|us)|with me|i'?m in|where (?:my|i|he|she)|from)"
            ),
            (
                r"what (?:have you|did you|has been|was|did he|did she|they) (?:got|written|write|wrote|noted|"
                r"said|say|recorded)<_>(?:about|on|down)?"
            ),
            r"how (?:she|he|they|you) (?:knows?|got)",
            (
                r"(?:have you|do you) (?:still )?(?:got|have|hold|keep)<_>(?:me\b|my|anything|letter|file|photo|"
                r"on (?:me|this)|records?)"
            ),
            (
                r"(?:might|may|can|could) (?:i|we) (?:see|read|have|get|look at)<_>(?:file|form|notes?|log|"
                r"record\w*|letter|data|copy|track|pictures?|it\b)"
            ),
            r"who (?:looks|has looked|has access|had access|can see)",
            r"why (?:have|do) you<_>(?:have|got|hold|keep)?<_>my (?:\w+ )?(?:address|number|name|data|passport|email)",
            r"how long<_>(?:keep|store|hold)",
        ),
    },
    tasks=(
        *SEARCH,
        Task(
            "mask",
            {"fr": "masquer ce qui concerne d'autres personnes", "en": "mask what concerns other people"},
            "15(4)",
        ),
        Task(
            "enclose",
            {"fr": "joindre la copie et l'annexe d'information", "en": "enclose the copy and the information annex"},
            "15(1)-(3)",
        ),
    ),
)
