"""What mail programs write around a text: introductions of history, device lines, footers, in their languages.

Data only; how the signs are weighed stands in ``clean``.
"""

from __future__ import annotations

import re

HEADER_KEYS: dict[str, str] = {
    **dict.fromkeys(("de", "from", "von", "da", "van", "expéditeur", "expediteur", "envoyé par", "remitente"), "from"),
    **dict.fromkeys(
        ("envoyé", "envoye", "envoyé le", "date", "sent", "gesendet", "datum", "enviado", "enviado el", "enviada em"),
        "date",
    ),
    **dict.fromkeys(("fecha", "data", "inviato", "verzonden", "enviada", "date d'envoi", "reçu", "le"), "date"),
    **dict.fromkeys(("à", "a", "pour", "to", "an", "para", "aan", "per", "destinataire", "naar"), "to"),
    **dict.fromkeys(("cc", "copie", "copie à", "copie a", "kopie", "copia", "bcc", "cci", "kopie (cc)"), "cc"),
    **dict.fromkeys(("objet", "sujet", "subject", "betreff", "asunto", "oggetto", "onderwerp", "assunto"), "subject"),
    **dict.fromkeys(("répondre à", "repondre a", "reply-to", "antwort an", "importance", "importancia"), "other"),
    **dict.fromkeys(("från", "fra", "od", "lähettäjä", "feladó", "odesílatel"), "from"),
    **dict.fromkeys(("skickat", "sendt", "wysłano", "lähetetty", "elküldve", "odesláno", "dato"), "date"),
    **dict.fromkeys(("till", "til", "do", "vastaanottaja", "címzett", "komu"), "to"),
    **dict.fromkeys(("ämne", "emne", "temat", "aihe", "tárgy", "předmět"), "subject"),
    **dict.fromkeys(("pièces jointes", "attachments", "anlagen", "wichtigkeit", "priorité", "organisation"), "other"),
}

KEY = re.compile(r"^[\s*_]*((?:[^\W\d_]|['’()\- ]){1,20}?)[\s*_]{0,3}:[*_]{0,2}(?:\s+(.*)|(.{0}))$")
QUOTE = re.compile(r"^\s{0,3}(?:>|&gt;)")
MARKS = re.compile(r"^\s{0,3}(?:(?:>|&gt;) ?)+")
_OLDER = (
    r"(?:message|mail|e-mail|courriel) (?:d['’]origine|original|initial|transf[ée]r[ée]|transmis)",
    r"original (?:message|e-?mail)|forwarded message",
    r"(?:e-?mail|courriel) d['’]origine|urspr[üu]ngliche (?:nachricht|e-?mail)|original[- ]?nachricht",
    r"weitergeleitete nachricht",
    r"mensaje (?:original|reenviado)|messaggio (?:originale|inoltrato)",
    r"oorspronkelijk (?:bericht|e-?mail)|origineel bericht|doorgestuurd bericht",
    r"mensagem (?:original|encaminhada)",
)
_FORWARDED = (
    r"(?:message|mail|e-mail|courriel) (?:transf[ée]r[ée]|transmis)",
    r"forwarded message|weitergeleitete nachricht|mensaje reenviado",
    r"messaggio inoltrato|doorgestuurd bericht|mensagem encaminhada",
)
_FORWARD_BEGINS = (
    r"d[ée]but du message (?:transf[ée]r[ée]|r[ée]exp[ée]di[ée])|begin forwarded message",
    r"anfang der weitergeleiteten (?:nachricht|e-mail)|inicio del mensaje reenviado",
    r"inizio (?:del )?messaggio inoltrato|begin (?:van )?(?:het )?doorgestuurd bericht",
    r"in[íi]cio da mensagem (?:encaminhada|reencaminhada)",
)


def _any(*phrases: str) -> str:
    return "(?:" + "|".join(phrases) + ")"


DIVIDER = re.compile(rf"^[\s>]*[-_=]{{2,20}}\s*{_any(*_OLDER)}\s*:?\s*[-_=]{{2,20}}\s*$", re.IGNORECASE)
FORWARD_DIVIDER = re.compile(
    rf"^[\s>]*(?:[-_=]{{2,20}}\s*{_any(*_FORWARDED)}\s*:?\s*[-_=]{{2,20}}|{_any(*_FORWARD_BEGINS)}\s*:)\s*$",
    re.IGNORECASE,
)
BARE_DIVIDER = re.compile(
    rf"^[\s>]*(?:{_any(*_OLDER)}\s*:?|[-_=*]{{5,}}(?:[^-_=*]{{1,60}}[-_=*]{{2,}})?)\s*$", re.IGNORECASE
)
RULE = re.compile(r"^\s*(?:_{10,}|-{20,})\s*$")
FRAMED_WROTE = re.compile(
    r"^[\s>]*-{2,}.{5,200}\b(?:a [ée]crit|wrote|schrieb|geschrieben|escribió|ha scritto|schreef|geschreven|escreveu)"
    r"\s*:?\s*-{2,}\s*$",
    re.IGNORECASE,
)
GROUPWISE = re.compile(r"^>>> (?=.{0,160}\d).{3,160} >>>\s*$")
ANSWER_ABOVE = re.compile(
    r"^[\s>#=*_-]{0,20}"
    + _any(
        r"(?:please )?(?:type your |add your |write your |enter your )?(?:reply|replies|answer|respond) "
        r"(?:above|over) this line",
        r"(?:veuillez |merci de |pri[èe]re de )?(?:(?:taper|saisir|[ée]crire|entrer|inscrire|ajouter) )?"
        r"(?:votre r[ée]ponse|r[ée]pondre|r[ée]pondez) (?:au[- ]dessus|ci-dessus) de cette ligne",
        r"(?:bitte )?(?:geben sie |schreiben sie )?ihre antwort (?:bitte )?(?:über|oberhalb) dieser (?:zeile|linie).{0,20}",
        r"(?:por favor,? )?(?:escriba|escribe|responda) (?:su |tu )?(?:respuesta )?(?:por )?(?:encima|arriba) de esta l[íi]nea",
        r"(?:si prega di )?(?:scrivere|scrivi|digita|inserire|rispondi) (?:la (?:tua |propria )?risposta )?"
        r"(?:sopra|al di sopra di) (?:a )?questa (?:riga|linea)",
        r"(?:typ|schrijf|voer) (?:uw|je) (?:antwoord|reactie) boven deze (?:regel|lijn).{0,10}",
        r"(?:por favor,? )?(?:escreva|digite|responda) (?:a sua |sua )?(?:resposta )?acima desta linha",
    )
    + r"[\s.#=*_-]{0,20}$",
    re.IGNORECASE,
)
LA_POSTE = re.compile(r"^[\s>]*message du(?: :)? \d{1,2}[/.]\d{1,2}[/.]\d{2,4}", re.IGNORECASE)

WROTE_OPENS = re.compile(
    r"^(?:le\b|on\b|am\b|el\b|il\b|op\b|em\b|no dia\b|\S.{0,120}(?:@|\d{4}|\d{1,2}[:h]\d{2}|a écrit|wrote))",
    re.IGNORECASE,
)
WROTE = re.compile(
    _any(
        r"\ba\s+[ée]crit(?:\s+(?:le|à)\b.{0,80})?",
        r"\bwrote|\bwrites|\bescribió|\bha\s+scritto|\bgeschreven|\bgeschrieben",
        r"\b(?:schrieb|schreef|escreveu)(?:\s.{1,160})?",
    )
    + r"\s*:[\s_*]*$",
    re.IGNORECASE,
)
TOLD_ME = re.compile(
    _any(
        r"\b(?:m|t|l)['’]\s?a\s+[ée]crit|\b(?:nous|vous|lui|leur|on)\s+a\s+[ée]crit",
        r"\bwrote\s+(?:me|us|back)\b|\bschrieb\s+(?:mir|uns|er|sie|ich)\b",
        r"\bme\s+escribió|\bmi\s+ha\s+scritto|\bme\s+escreveu",
    ),
    re.IGNORECASE,
)
STAMP = re.compile(r"@|\b\d{1,2}[:h]\d{2}\b|\b(?:19|20)\d{2}\b|\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b")

DEVICE = re.compile(
    r"^[\s>*_-]*"
    + _any(
        r"envoy[ée]e? (?:de(?:puis)?|à partir d[e'’]|a partir d[e'’]|via|avec|par)\s?.{1,80}",
        r"t[ée]l[ée]charge[rz] (?:outlook|bluemail|yahoo|orange mail).{0,60}|obtene[rz] outlook.{0,40}",
        r"provenance\s?:\s?(?:courrier|outlook).{0,40}",
        r"sent (?:from|with|via|using)\s.{1,80}|get (?:outlook|bluemail) for\s.{1,40}",
        r"von meinem .{1,40} gesendet.{0,20}|gesendet (?:von|mit|über|aus)\s.{1,60}",
        r"diese nachricht wurde von meinem .{1,80}|(?:holen sie sich|laden sie) outlook.{0,30}",
        r"(?:obtenir|t[ée]l[ée]charge[rz]?|download|scarica|obter o?) (?:outlook|bluemail|yahoo|orange mail|spark)\b.{0,60}",
        r"outlook (?:voor|pour|for|für|per|para) (?:ios|android|windows|mac).{0,30}",
        r"enviad[oa] (?:desde|do|da|a partir do|pelo|con|com)\s.{1,60}|obter o? ?outlook.{0,30}",
        r"inviato (?:da|dal|con)\s.{1,60}|(?:scarica|ottieni) outlook.{0,30}",
        r"verzonden (?:vanaf|met|via|van)\s.{1,60}",
        r"(?:garanti sans virus|sans virus|virus-free|virenfrei|libre de virus|privo di virus)\b.{0,40}",
        r"l['’]absence de virus dans ce courrier.{0,120}|cet e-?mail a été vérifié par.{0,100}",
        r"ce courrier [ée]lectronique ne contient aucun virus.{0,120}",
    )
    + r"\s*$",
    re.IGNORECASE,
)
DEVICE_WORDS = re.compile(
    _any(
        r"i(?:phone|pad)|mobile|t[ée]l[ée]phone|smartphone|android|samsung|galaxy|huawei|xiaomi|oneplus|pixel|blackberry",
        r"outlook|yahoo|orange|gmail|proton|bluemail|mail|courrier|messagerie|zimbra|infomaniak|thunderbird|spark|tutanota",
        r"free|sfr|bouygues|laposte|la poste|apple|windows|k-9|handy|m[óo]vil|tel[ée]fono|telefon|virus|appareil|app\b",
    ),
    re.IGNORECASE,
)
DEVICE_LIMIT = 110
NO_WORDS = re.compile(
    r"^\s*(?:\[cid:[^\]]{1,200}\]|\[(?:image|bild|imagen|immagine|afbeelding|imagem)\s?:[^\]]{0,200}\]|<#[\w-]{8,60}>|"
    r"<https?://www\.(?:avast|avg|mcafee)\.[^<>]{1,300}>)\s*$",
    re.IGNORECASE,
)
"""Lines that stand for a picture or a link of a program; nobody wrote them."""
BANNER = re.compile(
    r"^\s*\[?(?:vous n['’ ]?(?:e recevez|obtenez|e recevez) pas souvent|certaines personnes ayant reçu ce message|"
    r"you don['’]t often get email from|some people who received this message don['’]t often|"
    r"sie erhalten nicht (?:oft|häufig) e-?mails?|no (?:suele|suelen) recibir|non si ricevono spesso|"
    r"u ontvangt niet vaak|não costuma receber).{0,400}aka\.ms/LearnAboutSenderIdentification.{0,20}$",
    re.IGNORECASE,
)
LINK = re.compile(r"\s?[<(\[]https?://[^\s<>()\[\]]{1,500}[>)\]]")

_RIGHTS_FOOTERS = (
    r"conform[ée]ment (?:à|au|aux)\b.{0,160}"
    r"\bvous (?:avez (?:le|un|des) droits?|pouvez (?:exercer|acc[ée]der|demander|obtenir))",
    r"\bvous (?:disposez|b[ée]n[ée]ficiez) (?:à tout moment |également )?"
    r"(?:d['’]un|des|du|de|d['’]une?)\s?(?:\w+ )?droits?\b",
    r"\bvous pouvez (?:à tout moment |également )?exercer (?:vos|ces|ce) droits?\b|\bpour exercer (?:vos|ces) droits\b",
    r"\bvos donn[ée]es (?:personnelles |à caract[èe]re personnel )?(?:sont|seront) "
    r"(?:trait|collect|utilis|conserv)[ée]",
    r"\bvos donn[ée]es (?:personnelles |à caract[èe]re personnel )?font l['’]objet d['’]un",
    r"\bnous traitons vos donn[ée]es\b|\bnotre politique de (?:confidentialit[ée]|protection des donn[ée]es)\b",
    r"\b(?:under|in accordance with|pursuant to) (?:the )?(?:gdpr|general data protection).{0,120}"
    r"\byou have the right\b",
    r"\byou have (?:the|a) rights? (?:of|to) (?:access|rectif|eras|object|request).{0,300}"
    r"\b(?:privacy (?:policy|notice)|our|us)\b",
    r"\b(?:read|see) our privacy (?:policy|notice)\b|\bhow we (?:process|use|handle) your (?:personal )?data\b",
    r"\bsie haben das recht auf (?:auskunft|berichtigung|löschung)",
    r"\b(?:tiene|podrá ejercer|puede ejercer)\b.{0,40}\bderechos? de acceso",
    r"\b(?:ha|avete) il diritto di accesso|\bu heeft (?:het )?recht op (?:inzage|toegang)",
    r"\btem o direito de (?:acesso|aceder)",
)
_CONFIDENTIAL_FOOTERS = (
    r"\b(?:ce|le pr[ée]sent) (?:message|courriel|e-?mail|mail)\b.{0,220}"
    r"\b(?:confidentiel|destinataire|propri[ée]t[ée] exclusive)",
    r"\bsi vous n['’][êe]tes pas (?:le|la|un|l['’]un des) (?:bon |v[ée]ritable )?destinataire",
    r"\bsi vous (?:avez re[çc]u|recevez) ce (?:message|courriel|mail|e-?mail) par erreur",
    r"\b(?:this|the) (?:e-?mail|message|communication)\b.{0,220}"
    r"\b(?:confidential|intended (?:only|solely|recipient)|privileged)",
    r"\bif you (?:are not the (?:intended|named)|have received this)\b",
    r"\bdiese (?:e-?mail|nachricht)\b.{0,160}\b(?:vertraulich|rechtlich geschützt)",
    r"\beste (?:mensaje|correo)\b.{0,200}\b(?:confidencial|destinatario)",
    r"\bquest[oa] (?:messaggio|e-?mail|comunicazione)\b.{0,200}\b(?:riservat|confidenzial|destinatari)",
    r"\bdit (?:bericht|e-?mail(?:bericht)?)\b.{0,200}\b(?:vertrouwelijk|geadresseerde)",
    r"\best[ae] (?:mensagem|e-?mail)\b.{0,200}\b(?:confidencia|destinatári)",
)
_OTHER_FOOTERS = (
    r"\b(?:pensez|pensons) (?:à|a) l['’]environnement|\bn['’]imprimez ce|\bavant d['’]imprimer\b|\bfaut-il imprimer\b",
    r"\bpr[ée]serve[rz]? (?:la plan[èe]te|l['’]environnement)",
    r"\bplease consider the environment\b|\bthink before (?:you )?print",
    r"\b(?:se|pour (?:vous|ne plus|se)) d[ée](?:sabonner|sinscrire)\b.{0,80}(?:clique|lien|ici|https?:)",
    r"\bpour vous d[ée]sinscrire\b|\bpour ne plus recevoir (?:nos|cette|ces|la)\b",
    r"\bvous recevez (?:ce|cet|cette) (?:message|e-?mail|courriel|mail|newsletter|lettre)\b.{0,120}"
    r"\b(?:car|parce que|suite)\b",
    r"\bto unsubscribe\b|\bunsubscribe (?:here|from this|at any time)\b",
    r"\byou (?:are receiving|received|receive) this (?:e-?mail|message|newsletter)\b",
)
FOOTER = re.compile(_any(*_RIGHTS_FOOTERS, *_CONFIDENTIAL_FOOTERS, *_OTHER_FOOTERS), re.IGNORECASE | re.DOTALL)

_POLITE_ORDERS = r"(?:ne pas|le |nous|d[ée]truire|d['’]en|bien vouloir (?:nous|le|d[ée]truire))"
DEMANDS = re.compile(
    _any(
        rf"\b(?:je|moi|mes|mon|ma)\b|\bj['’]\w|\bmerci de (?!{_POLITE_ORDERS})",
        r"\bnous (?:vous )?(?:demand|souhait|voul|exig)\w*",
        r"(?<!notify )(?<!inform )(?<!advise )(?<!contact )(?<!tell )\bme\b|\b(?-i:I)\b|\b(?:my|mine)\b",
        r"\b(?:ich|mein\w*|mir|mich)\b|\b(?:quiero|solicito|mis)\b|\b(?:chiedo|vorrei|miei|mie)\b",
        r"\b(?:ik|mijn)\b|\b(?:quero|meus|minhas)\b",
    ),
    re.IGNORECASE,
)
MAILMAN = re.compile(
    _any(
        r"\S.{0,60} (?:mailing list|liste de diffusion)|https?://\S*(?:listinfo|mailman|postorius|sympa|/list/)\S*",
        r"(?:pour vous d[ée]sabonner|to unsubscribe|unsubscribe|se d[ée]sabonner)\b.{0,200}",
        r".{0,80}you (?:received|are subscribed)\b.{0,200}|vous recevez ce message (?:car|parce que).{0,200}",
    ),
    re.IGNORECASE,
)
