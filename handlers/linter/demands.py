"""What a controller may not ask, claim or withhold: sentences of a letter that the law does not let stand.

Each rule looks at one sentence. A *demand* is a thing that the law does not let us make a condition of (a form, a signature, a
reason, a fee, another language) beside words of condition; a *claim* is wrong by itself. A sentence that denies
(« aucune signature n'est requise ») is none, unless its « ne … que » restricts.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

_CONDITION = re.compile(
    r"\b(?:doi(?:t|vent|s)|devra\w*|devez|devrez|devons|faut|faudra|merci d[e']|veuillez|priere d[e']"
    r"|nous (?:vous )?(?:demandons|prions|exigeons|imposons|attendons)|avons besoin|exig\w+|requi\w+|obligatoire\w*"
    r"|necessaires?|indispensables?"
    r"|prealabl\w+|avant (?:de|d'|tout)|conditions?|sous reserve|seul(?:e|es|s)?|uniquement|seulement|exclusivement|qu'apres"
    r"|sans (?:quoi|cela)|pour (?:etre|que|vous|confirmer|donner)|permettra|tant que|afin (?:d[e']|que)|s'applique\w*|seront?"
    r"|must|ha(?:ve|s) to|needs?(?: to)?|should|shall|please|kindly|requir\w+|mandatory|necessary|only|before we|unless|until"
    r"|provided that|we ask|asked? you|ask you|subject to|in order to|without|applies|will be|required)\b"
    r"|\bn(?:e |')[^.]*\bqu[e']"
)
_DENIES = re.compile(
    r"\b(?:aucune?|jamais|ni|rien a|inutile|gratuit\w*|sans (?:frais|avoir|condition)|besoin ni|nul besoin)\b"
    r"|\bn(?:e |')\w+ (?:\w+ )?(?:pas|plus|rien|aucune?|ni)\b|\bn'(?:avez|a|est|etes|ont|y) (?:pas|rien|nul|plus)"
    r"|\bpas (?:besoin|necessaires?|oblig\w+|une condition|tenue?)"
    r"|\b(?:no|never|nor|need not|needs? no|not (?:a|be|have|need|necessary|required|needed|obliged|ask|depend)|do(?:es)? not|"
    r"are not|is not|free of charge|nothing|without (?:giving|having|any (?:reason|fee|charge)))\b"
)
_RESTRICTS = re.compile(r"\bn(?:e |')(?:\w+ ){0,6}?(?:\w+ )?qu(?:e |'(?:a |apres|en|avec|une? ))|\bonly\b|\bseule?s?\b")
_MANDATE = re.compile(r"mandat|procuration|power of attorney|pouvoir signe")


@dataclass(frozen=True)
class Rule:
    """A sentence that may not stand: its code, what it looks like, and what to write instead, by language."""

    code: str
    pattern: re.Pattern[str]
    fr: str
    en: str
    conditional: bool = False
    """Whether words of condition must stand beside it."""
    deniable: bool = True
    """Whether a denial in the same sentence makes it harmless."""
    unless: re.Pattern[str] | None = None
    kinds: frozenset[str] = frozenset()
    """Kinds of letters it is about; none: all."""
    not_kinds: frozenset[str] = frozenset()
    rights: frozenset[str] = frozenset()
    """Rights it is about, of which the letter must have one; none: all."""
    not_rights: frozenset[str] = frozenset()


def broken(sentence: str, *, kinds: Collection[str], rights: Collection[str]) -> list[Rule]:
    """Return the rules a folded sentence breaks in a letter of these *kinds* about these *rights*."""
    denied = bool(_DENIES.search(sentence)) and not _RESTRICTS.search(sentence)
    found = []
    for rule in RULES:
        if (rule.kinds and not rule.kinds & set(kinds)) or rule.not_kinds & set(kinds):
            continue
        if (rule.rights and not rule.rights & set(rights)) or rule.not_rights & set(rights):
            continue
        if rule.deniable and denied:
            continue
        if not rule.pattern.search(sentence) or (rule.unless is not None and rule.unless.search(sentence)):
            continue
        if rule.conditional and not _CONDITION.search(sentence):
            continue
        found.append(rule)
    return found


def _c(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts))


_ASKING = frozenset(
    {"acknowledgement", "identity_request", "information_request", "reminder", "status", "clarification"}
)
_DECIDES = frozenset({"refusal", "answer"})
_REQUEST = r"(?:demandes?|requetes?|courriers?|lettres?|messages?|formulaires?|requests?|letters?|forms?)"
_IDENTITY = r"(?:identit\w+|passeports?|passports?|\bids?\b|permis de conduire|driving licen[cs]e|justificatifs?)"

_COPY = r"(?:copies?|scans?|documents?|cartes?|photos?|photographies?|pieces?)\b"
_NUMBER = (
    r"(?:\d+|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|douze|quinze|vingt|trente|quarante(?:-cinq)?|cinquante|soixante|"
    r"quatre-vingt-dix|two|three|four|five|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty(?:-five)?|sixty|ninety)"
)
_BAD_GROUND = (
    r"(?:car|parce qu|pour (?:vous|nous|pouvoir|que|mieux)|afin|permett\w+ de|au cas|donc|because|in case"
    r"|so that|to be able|in order|would rather|guidelines|policy|rules|charte|politique)"
)
_LAWFUL = (
    r"code\b|\blois?\b|\blaw|oblig|article|legal|droits?\b|claims?\b|justice|court|assur|insur|prescri|comptab|account"
    r"|tax\b|fisca|police|"
    r"litige|defen[cs]e|l123|statut|minimal|seule fin|purpose alone|opposition|objection|suppression"
)

RULES: tuple[Rule, ...] = (
    # --- proof of identity (art. 12(6))
    Rule(
        "copy-kept",
        _c(rf"(?:conserv|gard|archiv|stock|vers\w+ (?:a|au)|demeur|kept|keep|stor|retain"
           rf"|on file)\w*[^.]*(?:{_IDENTITY}|{_COPY})",
           rf"(?:{_IDENTITY}|{_COPY})[^.]*(?:conserv|garde|archiv|stock|vers\w+ (?:a|au)|demeur|kept|keep|stor(?:e"
           rf"|ed)\b|retain|on file)"),
        "Une copie d'identité est détruite dès la vérification : n'annoncez pas qu'elle est gardée.",
        "A copy of an identity document is destroyed once checked: do not say that it is kept.",
        kinds=frozenset({"identity_request", "reminder"}),
        unless=_c(r"supprim|detrui|effac|delet|destroy|ne (?:gard|conserv)\w+ que|keep only|note only|registre"
        r"|register|type de|type of"),
    ),
    Rule(
        "over-asking",
        _c(r"prov(?:e|ing) (?:who you are|your identity)|prouv\w+ (?:qui vous etes|votre identite)"
           r"|justifi\w+ (?:de )?votre identite"),
        "Aucune preuve d'identité n'est demandée ici : retirez cette phrase.",
        "No proof of identity is asked here: remove this sentence.",
        rights=frozenset({"objection", "consent_withdrawal", "complaint", "breach_report"}), conditional=True,
        not_kinds=frozenset({"identity_request", "refusal", "answer"}),
    ),
    Rule(
        "upload-link",
        _c(r"(?:upload|televers|depos|envoy|send|cliqu|click)\w*[^.]*https?://", r"https?://\S+[^.]*(?:upload|televers|depos)"),
        "Ne faites déposer aucun document par un lien : donnez l'adresse du DPO et la poste.",
        "Have no document uploaded by a link: give the DPO's address and the post.",
        kinds=_ASKING,
    ),
    Rule(
        "overdone-copy",
        _c(r"(?:dans son (?:integralite|entier)|sans (?:rature|masqu\w+|cache\b)|entierement (?:lisible|visible)|non masquee?|"
           r"unredacted|without (?:redact\w+|hiding)|fully (?:legible|visible)|in its entirety|selfie|tenant votre"
           r"|holding (?:your|the|up))"),
        "Une copie masquée suffit : ne demandez ni copie entière, ni photo de la personne avec son document.",
        "A masked copy is enough: ask neither for the whole nor for a picture of the person with the document.",
        kinds=_ASKING, deniable=False,
        unless=_c(r"jamais|\bnever\b|pas besoin|not need"),
    ),
    Rule(
        "overdone-mandate",
        _c(r"(?:mandat|procuration|mandate|power of attorney)\w*[^.]*(?:notari|certifi|legalis|apostill|\boriginal)"),
        "Un mandat n'a besoin ni de notaire ni de certification.", "A mandate needs neither a notary nor a certification.",
        conditional=True,
    ),
    Rule(
        "minor-excluded",
        _c(r"(?:mineur|enfant|minor|child|\d+ ans)\w*[^.]*(?:ne peu\w+|ne pouv\w+|n'ont pas le droit|ne saurai\w*"
           r"|cannot|can not|may not|"
           r"not (?:allowed|entitled))[^.]*(?:exerc|demand|\bseuls?\b|eux-meme|lui-meme|toi-meme|request|rights?|alone"
           r"|yourself)",
           r"(?:moins de 1\d ans|under 1\d|under the age|mineur|minor|ton age|your age)\w*[^.]*(?:parents?|tuteur"
           r"|guardian|representant)[^.]*"
           r"(?:doi(?:t|vent)|a ta place|pour toi|this request|must|have to|on your behalf|instead)|(?:only"
           r"|seuls?) (?:your|tes|ses|vos) (?:parents|representants|guardian)",
           r"(?:deux|both) parents[^.]*(?:sign|accord|autoris|consent|agree|approv)|(?:sign|accord|autoris"
           r"|consent)\w*[^.]*(?:des|les|de tes|by|of) "
           r"(?:deux|both|tes) ?parents|autorisation parentale|parental (?:consent|authori[sz]ation|permission)"),
        "Un mineur exerce aussi ses droits lui-même : retirez cette condition.",
        "A minor exercises rights too: remove this condition.",
        kinds=_ASKING | {"refusal"}, deniable=False,
        unless=_c(r"pas (?:besoin|necessaire|oblig|exige)|n'est pas|not (?:needed|required|necessary)|sans (?:l'accord"
        r"|autorisation)|aucune autorisation"),
    ),
    # --- the clock (art. 12(3))
    Rule(
        "clock-start",
        _c(r"(?:mois|delai|month|period|time(?: limit)?|clock)\b[^.]*(?:a compter d|a partir d|court (?:qu|des)"
           r"|commence|debut|starts?\b|begins?\b|"
           r"runs? from|to run (?:when|once|from)|counted from|once we|le jour ou)[^.]*(?:verif|identit|\bids?\b"
           r"|justificatif|piece|ouverture|complet|formulaire|enregistre|"
           r"\bforms?\b|\bfees?\b|payment|paiement|opening|registr|\bopened|proof)",
           r"(?:mois|delai|month|time limit|period)\b[^.]*(?:jours ouvr|working days|business days)",
           r"(?:recue?s?|received|arriv\w+|envoyee?s?|sent)\b[^.]*(?:week-?ends?|samedi|dimanche|la nuit|saturday"
           r"|sunday|holiday|fermeture|"
           r"closed|evening)[^.]*(?:comp\w+|count\w*|treated|considere|repute|deemed|enregistr)"),
        "Le mois court dès la réception, quel que soit le jour ; attendre une preuve le suspend seulement.",
        "The month runs from receipt, whatever the day; waiting for proof only suspends it.",
        deniable=False, unless=_c(r"suspen|continue|reprend|resume|prolong|extend|ne compte pas dans|does not count"),
    ),
    Rule(
        "too-long",
        _c(rf"(?:repon[ds]\w*|delai|answer|reply|respond|hear from|time limit|deadline)[^.]*\b{_NUMBER} (?:mois|months"
           rf"|semaines|weeks|jours|days)\b",
           rf"\b{_NUMBER} (?:mois|months|semaines|weeks|jours|days)\b[^.]*(?:repon[ds]|answer|reply|respond)"),
        "Le délai est d'un mois à compter de la réception.", "The time limit is one month of receipt.",
        not_kinds=frozenset({"extension"}), deniable=False,
        unless=_c(r"prolong|report|exten[ds]|supplement|further|supprim|efface|conserv|\bgard|delet|erased|\bkept\b"
        r"|\bkeep\b|destroy|storage|"
                  r"retention|purge|sauvegard|backup|plus tard|rappel|remind|\bcode\b|72 h|heures|\b(?:sous|within) 30"
                  r"|\bcnil\b"),
    ),
    Rule(
        "silence",
        _c(r"(?:sans (?:reponse|nouvelles?)|silence|absence de reponse|(?:do not|don't) hear|no (?:answer|reply))[^.]*"
           r"(?:reput|consider|vaut|equiva|deemed|treated|amounts?|tenez)\w*[^.]*(?:rejet|refus|declin|reject|denied|dismiss)",
           r"(?:pas de nouvelles|sans (?:reponse|nouvelles)|hear nothing|(?:do not"
           r"|don't) hear)[^.]*(?:pas ete (?:retenu|accept|accord)|not (?:been )?(?:accepted|granted|"
           r"successful)|unsuccessful)"),
        "Le silence n'est pas une réponse : toute demande en reçoit une, motivée (article 12(4)).",
        "Silence is no answer: every request gets one, with reasons (Article 12(4)).",
        deniable=False,
    ),
    Rule(
        "extension-twice",
        _c(r"(?:prolong|report|exten[ds])\w*[^.]*(?:nouvelle fois|de nouveau|encore|seconde fois|deuxieme|again"
           r"|second time|once more|a further time)",
           r"(?:nouvelle fois|de nouveau|seconde?|deuxieme|second|another|further)[^.]{0,25}(?:prolong|report|extension)"),
        "Le délai ne se prolonge qu'une fois : répondez.", "The time limit is extended once only: answer.",
        kinds=frozenset({"extension"}),
    ),
    # --- conditions of asking (art. 12(2)-(3))
    Rule(
        "signature",
        _c(rf"{_REQUEST}[^.]*\bsign(?:e|ee|ez|er|ature|atures|ed|ing)?\b", rf"\bsign(?:ez|er|ed|ing"
           rf"|ature)?\b[^.]*(?:{_REQUEST}|return|renvoy|retourn)",
           r"signature (?:manuscrite|originale|handwritten)|(?:handwritten|wet|original) signature|\bunsigned\b"
           r"|non signee?s?\b"),
        "Une demande n'a pas besoin d'être signée : retirez cette condition (un mandat, lui, l'est).",
        "A request need not be signed: remove this condition (a mandate is another matter).",
        conditional=True, kinds=_ASKING | {"refusal"}, not_kinds=frozenset({"counter_receipt"}),
        unless=_c(_MANDATE.pattern, r"masqu|cach|\bhid(?:e|den)|conditions? (?:generale|of sale)|sign(?:ed"
        r"|ee?) (?:contract|contrat)|avez signe|you signed"),
    ),
    Rule(
        "signature",
        _c(r"\bunsigned\b[^.]*(?:cannot|not|refus|reject|invalid)|\bnon signee?s?\b[^.]*(?:irrecevable|ne (?:peu|sera"
           r"|seront)|refus|rejet)"),
        "Une demande n'a pas besoin d'être signée : retirez cette condition.",
        "A request need not be signed: remove this condition.",
        deniable=False,
    ),
    Rule(
        "one-channel",
        _c(r"(?:demand|request|submit|depos|formul|exerc|apply|address)\w*[^.]*(?:espace client|compte client|portail"
           r"|formulaire en ligne|portal|"
           r"online form|web ?form|customer area|(?:your|the) (?:online )?account|plateforme|platform|\bapp\b"
           r"|application mobile|guichet)",
           r"(?:espace client|portail|portal|online form|web ?form|guichet)[^.]*(?:demand|request|submit|exerc)",
           r"(?:logging|log|sign) ?in(?:to)? [^.]*account|(?:complet|rempli|fill|return"
           r"|renvoy)\w*[^.]*(?:questionnaire|formulaire|bordereau|\bforms?\b)",
           r"(?:send|envoy|adress|transm|resend|renvoy)\w*[^.]*(?:again|de nouveau|a nouveau|demande"
           r"|request)[^.]*(?:recorded delivery|registered|recommande|by post|par la poste)"),
        "Toute voie vaut : ne renvoyez pas à un portail, un compte ou un formulaire.",
        "Any way of asking counts: do not refer to a portal, an account or a form.",
        conditional=True, unless=_c(r"si vous (?:le )?(?:preferez|souhaitez)|vous pouvez aussi|if you (?:prefer|wish"
        r"|like)|you may also|you can also|au choix"),
        not_kinds=frozenset({"recipient_notice"}),
    ),
    Rule(
        "copy-withheld",
        _c(r"(?:copie|donnees|dossier|copy|data|file)[^.]*(?:ne (?:peu\w+|sera|seront)|only|uniquement"
           r"|seulement)[^.]*(?:consult|retir|view|collect|inspect|lu)\w*"
           r"[^.]*(?:locaux|sur place|bureaux?|accueil|siege|premises|office|in person)"),
        "La copie est remise par la voie de la demande (articles 12(3) et 15(3)) : ne faites pas venir la personne.",
        "The copy takes the way of the request (Articles 12(3), 15(3)): do not make the person come.",
        kinds=_DECIDES, rights=frozenset({"access", "portability"}), deniable=False,
    ),
    Rule(
        "language-demanded",
        _c(r"(?:only|uniquement|seulement|exclusivement|qu'en|que les? (?:demandes|messages))[^.]*(?:en francais"
           r"|en anglais|in french|in english|francophone)",
           r"(?:en francais|en anglais|in french|in english) (?:only|uniquement|seulement|exclusivement)",
           r"(?:renvoy|retourn|reecri|reformul|return|resend|resubmit|send)\w*[^.]*(?:traduit|traduction|translat\w+)",
           r"(?:traduction|translation)[^.]*(?:exig|requi|obligatoire|doit|devez|must|required|provide|fourni|joindre)"),
        "Une demande vaut dans toute langue : retirez cette condition.",
        "A request counts in any language: remove this condition.",
    ),
    Rule(
        "reason-demanded",
        _c(r"vous n(?:e |')(?:indiqu|expliqu|di(?:t|s)|precis|donn|motiv|justifi)\w* pas (?:pourquoi|la raison"
           r"|le motif|les (?:raisons|motifs)|votre demande)",
           r"(?:sans|faute de|absence de|defaut de) (?:raison|motif|motivation|justification)\w*[^.]*(?:refus|rejet"
           r"|ne pouvons|suite|irrecevable|impossible)",
           r"(?:refus|rejet|ne pouvons|irrecevable)\w*[^.]*(?:sans|faute de|absence de|defaut de) (?:raison|motif"
           r"|motivation|justification)",
           r"without (?:a |any )?(?:valid |good |proper )?(?:reason|justification)[^.]*(?:cannot|can not|unable"
           r"|will not|refuse|decline)",
           r"(?:cannot|unable|refuse|decline|reject)\w*[^.]*(?:no|without|lack of)[^.]*(?:reason|justification)",
           r"you (?:have not|did not|do not|failed to) (?:\w+ ){0,2}(?:say|state|explain|give|tell|justif"
           r"|motivat)\w*[^.]*(?:why|reason|purpose|request)",
           r"(?:merci|veuillez|please|kindly|dites|tell us|indiqu\w+|precis\w+)[^.]*(?:a quelles? fins?|dans quel but"
           r"|pour quel (?:usage|motif)|for what (?:purpose|use)|why you)",
           r"pour quelle raison (?:demandez|souhaitez|voulez)|what is your (?:reason|purpose)|(?:merci"
           r"|veuillez)[^.]*(?:expliquer|preciser|indiquer)[^.]*(?:pourquoi|motif|raison)"),
        "Une demande d'accès ou d'effacement n'a pas à être motivée : retirez cette condition.",
        "A request for access or erasure needs no reasons: remove this condition.",
        not_rights=frozenset({"objection", "complaint"}), deniable=False,
        unless=_c(r"n'avez pas a|not have to|need not|no need|sans avoir a|without having to"),
    ),
    Rule(
        "fee-demanded",
        _c(r"frais (?:de (?:dossier|gestion|traitement|copie|recherche|port)|administratifs?|d'envoi|postaux)",
           r"(?:administrative|handling|processing|copying|search|postage) (?:fee|charge|cost)s?|\b(?:fee"
           r"|charge) of (?:€|£|\$|\d)",
           r"moyennant (?:paiement|reglement|la somme|\d)|a vos frais|at your (?:own )?(?:expense|cost)"
           r"|enveloppe (?:timbree|affranchie)|"
           r"stamped (?:addressed )?envelope|s\.a\.e|\bcheques?\b[^.]*(?:\d|ordre)|(?:contribution|participation|somme"
           r"|payment|paiement|acompte|deposit) (?:of|de) (?:€|£|\$|\d)|"
           r"(?:€|£|\$) ?\d[^.]*(?:payable|\bdue\b|before)|\d ?(?:€|euros?)\b[^.]*(?:payable|a regler|a payer|\bdue\b"
           r"|before we|avant)|(?:vous )?ser(?:a|ont|ez) factur|will be (?:charged|billed|invoiced)"),
        "La réponse est gratuite (article 12(5))"
        " : des frais s'annoncent à part, et seulement pour une copie de plus ou un excès prouvé.",
        "The answer is free (Article 12(5)): a fee is announced apart, and only for a further copy or an excess that is shown.",
        not_kinds=frozenset({"fee"}),
    ),
    # --- grounds of refusal (art. 12(4)-(5), 17(3))
    Rule(
        "business-interest",
        _c(r"(?:conserv|gard|maint|keep|kept|retain|hold on)\w*[^.]*(?:\butiles?\b|nous servir|au cas ou"
           r"|besoins? (?:interne|futur)|statistique|commercia|"
           r"relation client|fidelis|politique interne|habitude|\buseful\b|in case (?:we|you)|marketing|follow-?up"
           r"|internal (?:policy|rules|purposes)|"
           r"company policy|our own purposes|future (?:use|stays|bookings))",
           r"(?:politique|reglement|procedures?|regles?) (?:interne|de la maison|de l'association)s?[^.]*(?:autoris"
           r"|permet|impos|exig|prevoi)",
           r"(?:internal|company|our|house) (?:\w+ )?(?:polic\w+|rules|procedures?|guidelines)[^.]*(?:allow|permit"
           r"|require|provide|entitle)",
           rf"^(?!.*(?:{_LAWFUL})).*(?:\b(?:nous )?(?:l(?:es|a|e) )?(?:gard|conserv)(?:ons|erons|e)\b|we (?:keep"
           rf"|retain|hold on|must keep|will keep|would rather)).*{_BAD_GROUND}",
           rf"^(?!.*(?:{_LAWFUL})).*{_BAD_GROUND}.*(?:(?:gard|conserv)(?:ons|erons|e)\b|we (?:keep|retain|hold on))"),
        "Ce n'est pas un motif de l'article 17(3) : nommez l'obligation légale ou la défense en justice.",
        "This is no ground of Article 17(3): name the legal obligation or the legal claim.",
        kinds=frozenset({"refusal"}),
        unless=_c(r"code de commerce|commercial (?:code|law)|obligation legale|legal obligation|l123|17\(3\)|statut"
        r"|seule fin|that purpose alone"),
    ),
    Rule(
        "cost-ground",
        _c(r"trop (?:cher|couteu\w+|long|complique|lourd|de travail)|cout\w* (?:disproportionne|excessif|trop)|"
           r"too (?:costly|expensive|burdensome|time-consuming|complicated|much (?:work|effort|time))|cost (?:us )?too much|"
           r"(?:travail|temps|charge|effort|ressources?|moyens) (?:\w+ )?(?:trop|disproportionne|excessi|considerable"
           r"|demesure)\w*|"
           r"(?:disproportionate|excessive|considerable|unreasonable) (?:amount of )?(?:work|effort|time|resources|cost)"),
        "Le coût ou l'effort n'est pas un motif de refus : faites droit à la demande, ou prolongez avec une raison.",
        "Cost or effort is no ground for refusing: comply, or extend with a reason.",
        kinds=frozenset({"refusal"}), deniable=False, unless=_c(r"destinataire|recipient|article 19"),
    ),
    Rule(
        "exemption",
        _c(r"(?:rgpd|gdpr|reglement general|data protection (?:law|rules))[^.]*(?:ne (?:s'applique|nous concerne"
           r"|vise)\w* pas|pas applicable|ne sommes pas|"
           r"exempt|does not (?:apply|concern|bind)|do not apply|not (?:subject|bound|applicable)|echapp)",
           r"(?:outside|hors|echapp\w+|not covered)[^.]*(?:rgpd|gdpr)",
           r"(?:exempt\w*|dispense\w*|not subject|pas soumis\w*)[^.]*(?:rgpd|gdpr|reglement general)"),
        "Le RGPD s'applique à l'association : retirez cette phrase.",
        "The GDPR applies to the association: remove this sentence.",
        deniable=False, not_rights=frozenset({"post_mortem"}), not_kinds=frozenset({"not_competent"}),
    ),
    Rule(
        "recipients-withheld",
        _c(r"(?:destinataires?|recipients?|prestataires?|providers?)[^.]*(?:confidentiel|confidential|secret"
           r"|ne (?:pouvons|souhaitons) (?:pas )?(?:nommer|"
           r"communiquer|reveler)|cannot (?:be )?(?:name|disclose)|not (?:be )?disclose)",
           r"ne (?:communiquons|revelons|nommons|donnons) pas[^.]*(?:destinataire|prestataire)",
           r"(?:unable|cannot|ne pouvons|ne sommes pas en mesure|refus\w+)[^.]*(?:to whom|a qui|destinataire|recipient)"),
        "Nommez les destinataires (article 15(1)(c), CJUE C-154/21).", "Name the recipients (Article 15(1)(c), CJEU C-154/21).",
        rights=frozenset({"access"}), kinds=_DECIDES, deniable=False,
    ),
    # --- remedies (art. 12(4), 77, 79)
    Rule(
        "no-remedy",
        _c(r"(?:aucun|sans) (?:recours|appel)\b|ne (?:peut|pourra|peuvent) (?:faire l'objet d'aucun|etre contest)"
           r"|(?:decision|reponse) est (?:definitive|sans appel)|"
           r"no (?:appeal|remedy|further recourse|way to (?:challenge|contest|appeal))|pas (?:contestable"
           r"|susceptible d)|(?:decision|answer) is final|cannot be (?:appealed|contested|challenged)"),
        "Un recours existe toujours : retirez cette phrase.", "There is always a remedy: remove this sentence.",
        deniable=False,
    ),
    Rule(
        "remedy-hindered",
        _c(r"(?:avant|prealabl\w+|d'abord|before|first|prior)\b[^.]*(?:\bcnil\b|autorite de controle|regulator"
           r"|supervisory)[^.]*(?:devez|doit|must|mediat|"
           r"internal|have to|saisir (?:notre|le) mediat|attendre|wait)",
           r"(?:must|devez|have to|need to|faut)\b[^.]*(?:before|avant|prealabl\w+)[^.]*(?:\bcnil\b"
           r"|autorite de controle|regulator|complain)",
           r"(?:\bcnil\b|regulator)[^.]*\b(?:only after|only once|qu'apres|seulement apres)|(?:deconseill|inutile"
           r"|pointless|advise you (?:not|against))\w*[^.]*(?:\bcnil\b|plainte|complain)"),
        "La réclamation à la CNIL n'a pas de préalable : retirez cette condition.",
        "A complaint to the CNIL has no precondition: remove this one.",
        deniable=False,
    ),
    Rule(
        "waiver",
        _c(r"(?:vous )?renonc\w+[^.]*(?:reclamation|recours|action|poursuite|plainte|droits)|waiv\w+[^.]*(?:claims?"
           r"|rights?|complaint|remed)",
           r"\b(?:si vous|if you) (?:retir\w+|renonc\w+|withdraw|drop|agree not)[^.]*(?:plainte|reclamation|complaint"
           r"|claim|avis|review)",
           r"(?:en contrepartie|en echange|in return|in exchange)[^.]*(?:efface|supprim|reponse|copie|answer|delet"
           r"|retir|withdraw)"),
        "Une réponse ne se marchande pas : aucune renonciation ne peut être demandée.",
        "An answer is no bargain: no waiver may be asked for.",
    ),
    Rule(
        "threat",
        _c(r"(?:fer(?:a|ont)|pourra\w* faire) l'objet de poursuites|engagerons des poursuites"
           r"|reserv\w+ le droit de (?:porter plainte|poursuivre|vous poursuivre|engager)|"
           r"reserve the right to (?:take legal|sue|prosecute|claim)|will be prosecuted|legal action (?:will"
           r"|may) be taken|take legal action against you"),
        "N'intimidez pas qui exerce un droit : retirez cette phrase.",
        "Do not intimidate whoever exercises a right: remove this sentence.",
        deniable=False,
    ),
    # --- single rights
    Rule(
        "marketing-goes-on",
        _c(r"(?:continuer(?:ez|ont|a)|will (?:still|continue)|toutefois recev|encore recevoir"
           r"|still receive)\w*[^.]*(?:offre|newsletter|infolettre|lettre d'information|"
           r"promotion|publicit|marketing|offers|mailing)",
           r"(?:recev|receive)\w*[^.]*(?:encore|cependant|toujours|still|however|nevertheless)[^.]*(?:offre|newsletter"
           r"|promo|publicit|offers|advert)"),
        "Une opposition à la prospection arrête tout, aussitôt (article 21(3)).",
        "An objection to marketing stops all of it, at once (Article 21(3)).",
        rights=frozenset({"objection", "consent_withdrawal"}),
    ),
    Rule(
        "not-at-once",
        _c(r"(?:desinscription|desabonnement|opposition|retrait|arret|unsubscri\w+|objection|withdrawal"
           r"|opt-?out)[^.]*(?:effecti|prise? en compte|take effect|"
           r"be processed|sera traite)\w*[^.]*(?:delai|sous|d'ici|within|after|in|apres) [^.]*(?:mois|semaines?|weeks?"
           r"|months?|\d+ (?:days|jours))",
           rf"{_NUMBER} (?:semaines?|mois|weeks|months|jours|days)[^.]*(?:mailings?|envois?|courriels?|publicit"
           rf"|offers?|messages)[^.]*(?:stop|cess|arret|end)",
           rf"(?:mailings?|envois?|publicit\w+|offers?)[^.]*(?:stop|cess|arret|end)\w*[^.]*{_NUMBER} (?:semaines?|mois"
           rf"|weeks|months|jours|days)"),
        "Cela s'arrête tout de suite, sans délai d'un mois (articles 21(3) et 7(3)).",
        "It stops at once, not within a month (Articles 21(3), 7(3)).",
        rights=frozenset({"objection", "consent_withdrawal"}),
    ),
    Rule(
        "withdrawal-hindered",
        _c(r"(?:retir|retrait|withdraw)\w*[^.]*(?:ne pourrez plus|plus (?:sejourner|reserver|venir)|no longer (?:stay"
           r"|book|come|be our)|perdr\w+|penalit|"
           r"you (?:will )?lose|cannot (?:stay|book))",
           r"(?:sans|without) (?:ce|cet|this|your|votre) (?:consentement|accord|consent)[^.]*(?:ne pourr|impossible"
           r"|plus|cannot|no longer|unable)",
           r"(?:consent\w*)[^.]*(?:withdrawn|retire)[^.]*(?:\bonly\b|\bqu[e'])",
           r"(?:retrait|withdraw\w*)[^.]*(?:possible qu|only (?:possible |take effect )?(?:after|once|from)"
           r"|pas possible avant|not possible (?:before|until))"),
        "Retirer un consentement est aussi simple que le donner, à tout moment et sans désavantage (article 7(3)).",
        "Withdrawing consent is as easy as giving it, at any time and without disadvantage (Article 7(3)).",
        rights=frozenset({"consent_withdrawal"}), deniable=False,
        unless=_c(r"repas|regime|allerg|meals?|diet"),
    ),
    Rule(
        "denial",
        _c(r"aucune (?:donnee|fuite|violation|information)[^.]*(?:fuite|touche|concern|compromis|expos|lieu|sorti)"
           r"|rassurez-vous|rien de grave|"
           r"(?:data|information|nothing)[^.]*(?:was|were|has|have)(?:n't| not| never)(?: been)? (?:affected|leaked"
           r"|compromised|exposed|lost)|"
           r"no (?:data|personal data|information)[^.]*(?:leaked|affected|lost|exposed)|no (?:breach"
           r"|leak) (?:has )?(?:occurred|happened)|nothing to worry|(?:pas|point) (?:eu )?de (?:fuite|violation"
           r"|incident)|there (?:was|has been|is) no (?:leak|breach|incident)"),
        "Rien n'est établi encore : dites que vous vérifiez.", "Nothing is established yet: say that you are checking.",
        rights=frozenset({"breach_report"}), kinds=frozenset({"acknowledgement"}), deniable=False,
    ),
    Rule(
        "portability-format",
        _c(r"(?:scann?|numeris)\w*[^.]*\bpdf\b|\bpdf\b[^.]*(?:scan|image)|(?:donnees|fichier|data|file)[^.]*\b(?:en|as"
           r"|in|au format) (?:an? |un )?(?:pdf|papier|paper)\b"
           r"|(?:remis|transmis|envoye|given|sent|delivered)\w*[^.]*\b(?:sur|on) (?:papier|paper)\b|(?:copie"
           r"|version) (?:papier|imprimee)|(?:paper|printed) (?:copy|version)"),
        "La portabilité veut un format structuré et lisible par machine : CSV, JSON ou XML (article 20(1)).",
        "Portability wants a structured, machine-readable format: CSV, JSON or XML (Article 20(1)).",
        rights=frozenset({"portability"}), kinds=frozenset({"answer"}), unless=_c(r"\b(?:csv|json|xml)\b"),
    ),
    Rule(
        "destroyed-early",
        _c(r"(?:avons|a ete|ont ete|sont|have been|has been|were|was|we have|we) (?:\w+ ){0,3}(?:detrui\w+|effac\w+"
           r"|supprim\w+|destroyed|deleted|erased)"),
        "Gelez d'abord : rien n'est détruit avant l'examen des droits des héritiers (article 85 II de la loi n° 78-17).",
        "Freeze first: nothing is destroyed before the heirs' rights were looked at (article 85 II of Act no. 78-17).",
        rights=frozenset({"post_mortem"}), kinds=frozenset({"acknowledgement"}), unless=_c(r"\brien\b|\bnothing\b"
        r"|\bnot\b|\bn'"),
    ),
    Rule(
        "other-person",
        _c(r"(?:voisine?s?|colleg\w+|collegues?|room-?mates?|neighbours?|colleagues?|amie?s?|friends?"
           r"|autres? (?:resident|client|personne|occupant)s?|other guests?)"
           r"\b[^.]*(?:joignable|reachable|\+?\d(?:[ .-]?\d){8,}|\bne(?:e)? le\b|born on|habite|lives at)"),
        "La lettre dit quelque chose d'une autre personne : retirez-le, ou masquez-le (article 15(4)).",
        "The letter says something of another person: remove or mask it (Article 15(4)).",
        not_kinds=frozenset({"recipient_notice"}), deniable=False,
    ),
)  # fmt: skip
