"""What robots write, in seven languages: absences, automatic answers, delivery reports, receipts, challenges.

Data only; how the signs are weighed stands in ``mime_robots`` and ``mime_bounces``.
"""

from __future__ import annotations

import re

OUT_OF_OFFICE_SUBJECT = re.compile(
    r"^\s*\W{0,3}(?:r[ée]ponse automatique|"
    r"r[ée]p(?:onse)?\.? auto\b|auto\]|vacation (?:responder|reply|message|notice)|"
    r"message (?:automatique|de vacances)|message d['’]absence|notification d['’]absence|"
    r"avis d['’]absence|"
    r"absence du bureau|absent du bureau|absen(?:t|te|ce)\s*(?::|-|–|du \d|jusqu)|"
    r"automatic(?: e-?mail)? reply|auto[- ]?reply|auto[- ]?response|auto(?:mated|matic) response|"
    r"(?:i am |i'm |currently )?out[- ]of[- ](?:the[- ])?office|"
    r"auto\s?:|ooo\s?:|on (?:annual leave|vacation|holiday)\b|"
    r"automatische antwort|automatische (?:e-?mail-?)?antwort|abwesenheits(?:notiz|nachricht|assistent|meldung)|"
    r"abwesend\b|nicht im büro|"
    r"respuesta autom[áa]tica|fuera de (?:la )?oficina|ausencia(?: de la oficina)?\s*(?::|-|$)|"
    r"risposta automatica|fuori (?:sede|ufficio)|assenza dall['’]ufficio|"
    r"automatisch antwoord|afwezigheids(?:bericht|melding|assistent)|automatisch bericht|"
    r"resposta autom[áa]tica|fora do escrit[óo]rio|aus[êe]ncia(?: tempor[áa]ria)?\s*(?::|-|$)|autosvar)",
    re.IGNORECASE,
)
ABSENCE_SUPPORT = (
    r"\bà mon retour\b|\bdès mon retour\b|\bde retour le\b|\bon my return\b|\bwhen i (?:return|am back)\b|"
    r"\bback (?:on|in the office)\b"
    r"|\bnach meiner rückkehr\b|\bwieder (?:im büro|erreichbar|da)\b|\ba mi (?:vuelta|regreso)\b|"
    r"\bal (?:mio )?rientro\b"
    r"|\bbij mijn terugkomst\b|\bterug op\b|\bno meu regresso\b|\bquando (?:regressar|voltar)\b",
    r"\ben cas d['’]urgence\b|\bpour toute urgence\b|\burgen(?:t|ces)\b|\bdringend\w*|\burgente\w*\b|"
    r"\bdringend(?:e)? (?:gevallen|zaken)",
    r"\b(?:veuillez|vous pouvez) (?:contacter|vous adresser|joindre)|\bplease contact\b|\bwenden sie sich\b|"
    r"\bcontacte con\b"
    r"|\b(?:contattare|rivolgersi)\b|\bcontact op(?:nemen)?\b|\bcontact(?:e|ar)\b",
    r"\b(?:limited|no) access to (?:my )?e-?mails?|\bacc[èe]s (?:limit[ée]|restreint|ponctuel)|\bnon (?:sarà|"
    r"verrà) inoltrat"
    r"|\bnicht weitergeleitet\b|\bne sera pas (?:transf[ée]r|lu)",
    r"\b(?:jusqu['’]au|du \d{1,2}.{1,20} au|until|from .{1,25} to|bis(?: zum| einschließlich)?|hasta el|"
    r"fino al|tot(?: en met)?|at[ée] (?:ao )?(?:dia )?)\s?\w",
)
NO_REPLY = re.compile(
    r"^(?:(?:[\w.+-]*[._+-])?(?:no[._-]?reply|do[._-]?not[._-]?reply|ne[._-]?pas[._-]?repondre|nepasrepondre|"
    r"pas[._-]?de[._-]?reponse|"
    r"nicht[._-]?antworten|keine[._-]?antwort|no[._-]?responder|non[._-]?rispondere|niet[._-]?beantwoorden|"
    r"nao[._-]?responda|noanswer)"
    r"(?:[._+-]?[\w.+-]*)?)$",
    re.IGNORECASE,
)
ROBOT = re.compile(
    r"^(?:mailer-daemon|maildaemon|postmaster|listserv|majordomo|mailman|sympa|owner-.+|.+-owner|"
    r".+-bounces?(?:[+=].*)?|bounces?(?:[+=-].*)?|"
    r"notifications?|alert[es]{0,2}|root|www-data|apache|cron|nobody|automate|robot|"
    r"r[ée]ponse[._-]?auto\w*|"
    r"mdaemon|daemon|autorespond\w*|auto-?reply|microsoftexchange[0-9a-f]+)$",
    re.IGNORECASE,
)
DAEMON = re.compile(
    r"^(?:mailer-daemon|maildaemon|mail-daemon|postmaster|mdaemon|microsoftexchange[0-9a-f]+|double-bounce)$",
    re.IGNORECASE,
)
BOUNCE_SUBJECT = re.compile(
    r"^\s*(?:undeliver(?:ed|able)\b|delivery (?:status notification|failure|report|has failed)|"
    r"mail delivery (?:failed|failure|system|subsystem)|"
    r"returned mail|failure notice|message (?:delayed|delivery (?:failed|failure))|warning: (?:message|"
    r"could not)|undelivered mail|"
    r"mail (?:system )?error|mail status report|delayed mail|delivery delayed|delivery (?:is )?delayed|"
    r"non remis|non distribuable|non distribu[ée]|[ée]chec (?:de |d['’])?(?:la )?(?:remise|distribution|"
    r"livraison|envoi)|message non (?:remis|distribu|d[ée]livr)|"
    r"courrier (?:non|en) (?:remis|distribu|souffrance)|notification d['’](?:[ée]tat|[ée]chec)|"
    r"notification de (?:non-?remise|remise|l['’][ée]tat)|"
    r"remise (?:diff[ée]r[ée]e|retard[ée]e)|message (?:retard[ée]|en attente)|retour de (?:courrier|mail)|"
    r"impossible de (?:remettre|distribuer)|"
    r"unzustellbar|nicht zustellbar|zustellung|no se puede entregar|no entregado|error de entrega|"
    r"mensaje no entregado|"
    r"impossibile recapitare|mancato recapito|non recapitabile|recapito|onbestelbaar|niet bezorgd|"
    r"n[ãa]o [ée] poss[íi]vel entregar|n[ãa]o entregue|falha na entrega|automatic delivery|automatically rejected|"
    r"rejected:|rejet[ée]?\b|message rejet[ée])",
    re.IGNORECASE,
)
BOUNCE_TEXT = re.compile(
    r"(?:could not be delivered|couldn['’]t be delivered|delivery (?:to the following|has failed|failed)|"
    r"permanent(?:ly)? (?:fatal )?(?:error|failure)|"
    r"undeliverable|unable to deliver|was not delivered|wasn['’]t (?:found|delivered)|user unknown|"
    r"mailbox (?:is )?full|over quota|"
    r"(?:n['’]a|n['’]ont) pas pu [êe]tre (?:remis|distribu|d[ée]livr|envoy)|[ée]chec de la remise|"
    r"impossible de remettre|n['’]a pas (?:encore )?[ée]t[ée] (?:remis|distribu|d[ée]livr)|"
    r"adresse (?:de messagerie )?(?:est )?(?:introuvable|inconnue|inexistante)|destinataire (?:inconnu|"
    r"introuvable)|bo[îi]te (?:aux lettres|de r[ée]ception|mail).{0,30}pleine|"
    r"(?:konnte|konnten) nicht zugestellt|no se (?:pudo|ha podido) entregar|"
    r"non [èe] stato (?:possibile )?(?:recapita|consegna)|"
    r"kon niet worden (?:bezorgd|afgeleverd)|n[ãa]o (?:p[ôo]de|foi poss[íi]vel) (?:ser )?entreg|"
    r"this is the mail (?:system|delivery)|i['’]m sorry to have to inform you)",
    re.IGNORECASE,
)
DELAYED = re.compile(
    r"\b(?:delayed|delay\b|will (?:retry|keep trying|be retried)|still (?:being )?(?:retried|trying)|"
    r"warning message only|temporarily deferred|"
    r"retard[ée]e?|diff[ée]r[ée]e?|n['’]a pas encore (?:pu|[ée]t[ée])|nouvelles? tentatives?|"
    r"continuer[ao]ns? (?:à|d)|verzögert|wird weiterhin versucht|"
    r"retrasad[oa]|ritardat[oa]|ritardo nella|vertraagd|atrasad[oa])",
    re.IGNORECASE,
)
FULL = re.compile(
    r"(?:mail ?box|inbox|quota|storage|bo[îi]te|postfach|buz[óo]n|casella|postvak|caixa).{0,60}(?:full|"
    r"exceeded|over|pleine|satur[ée]e|d[ée]pass[ée]|voll|llen[oa]|pien[ae]|vol\b|cheia)"
    r"|over ?quota|quota exceeded|(?:exceeded|d[ée]pass[ée]).{0,40}(?:quota|storage)|"
    r"insufficient (?:system )?storage|\b5\.2\.2\b|\b4\.2\.2\b",
    re.IGNORECASE,
)
POLICY = re.compile(
    r"\bspam\b|\bblocked\b|\bbloqu[ée]e?s?\b|\banti-?spam\b|\bblack-?list|\bblock-?list|\bpolicy\b|\bdmarc\b|\bspf\b|\bdkim\b|reputation|"
    r"\brbl\b|spamhaus|not authori[sz]ed|"
    r"unauthenticated|(?:mail|message) (?:content )?(?:automatically )?reject(?:ed|[ée])|automatically rejected|"
    r"mail rejet[ée]|"
    r"service refus|rejected (?:due to|for|as)|refus[ée]e? (?:pour|"
    r"par la politique|par le filtre)|ind[ée]sirable|liste noire|"
    r"access denied|rate limit|too many (?:messages|connections)|message (?:size|too (?:large|big))|"
    r"size (?:limit )?exceed|trop volumineux|d[ée]passe la taille|virus",
    re.IGNORECASE,
)
UNKNOWN_USER = re.compile(
    r"does(?:n['’]t| not) have an? .{0,40}account|unrouteable address|account (?:is )?(?:inactive|suspended|"
    r"closed)|inactive user|"
    r"no (?:such )?mailbox|(?:recipient|user) no longer|adresse.{0,60}invalide|aucun compte|"
    r"no se (?:encontr[óo]|ha encontrado) la direcci[óo]n|impossibile trovare l['’]indirizzo|"
    r"endere[çc]o.{0,60}n[ãa]o (?:foi )?encontrad|adresse.{0,60}nicht gefunden|adres.{0,60}niet gevonden|"
    r"user (?:is )?(?:unknown|not found|not listed)|not listed in \w+ directory|unknown (?:user|recipient|address|"
    r"local)|no such (?:user|recipient|mailbox|address|"
    r"person)|does ?n[o'’]t exist|invalid (?:recipient|mailbox|address)|"
    r"recipient (?:address rejected|not found|unknown|rejected)|mailbox (?:is |was |has been )?(?:not found|"
    r"unavailable|does not exist|disabled)|"
    r"(?:user|account|mailbox)(?:\(s\))?(?: account)? is (?:unknown|invalid)|not a valid (?:recipient|mailbox)|"
    r"address (?:couldn['’]t be|could not be|wasn['’]t|not) found|account (?:that you tried to reach|"
    r"has been (?:disabled|closed)|is disabled)|"
    r"utilisateur inconnu|destinataire (?:inconnu|introuvable|inexistant)|adresse.{0,40}(?:inconnue|"
    r"introuvable|inexistante|n['’]existe pas)|introuvable|n['’]existe pas|"
    r"host (?:or domain name )?not found|domain (?:name )?(?:not found|does not exist)|nxdomain|"
    r"empfänger.{0,20}(?:unbekannt|nicht gefunden)|unbekannter empfänger|"
    r"no existe|inesistente|sconosciuto|onbekend|bestaat niet|n[ãa]o existe|"
    r"\b5\.1\.(?:0|1|2|3|6|10)\b",
    re.IGNORECASE,
)
STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
REPLY_CODE = re.compile(r"(?<![\d.])([45])[0-5]\d(?:[ -]|$)")
READ_SUBJECT = re.compile(
    r"^\s*(?:lu|read|gelesen|le[íi]do|letto|gelezen|lida|not read|non lu|ungelesen|deleted|supprim[ée]|"
    r"accus[ée] de lecture|read receipt|"
    r"lesebest[äa]tigung|conferma di lettura|confirmaci[óo]n de lectura|leesbevestiging|retourkvittering|"
    r"return receipt)\s?(?:[:(]|$)",
    re.IGNORECASE,
)
RECEIPT_TEXT = re.compile(
    r"(?:this (?:is a (?:return )?receipt|receipt verifies)|receipt only acknowledges|no guarantee that the "
    r"message has been read|"
    r"ceci est un accus[ée] de r[ée]ception pour le (?:message|courrier)|cet accus[ée] de r[ée]ception "
    r"(?:confirme|v[ée]rifie)|"
    r"rien ne garantit qu['’]il a [ée]t[ée] lu|il n['’]y a aucune garantie que le (?:message|destinataire)|"
    r"dies ist eine empfangsbestätigung|diese (?:empfangs|lese)bestätigung|questa ricevuta|esto es un acuse de "
    r"recibo|"
    r"este acuse de recibo|dit is een ontvangstbevestiging|esta? [ée] um(?:a)? (?:recibo|confirma[çc][ãa]o) de "
    r"(?:leitura|rece))",
    re.IGNORECASE,
)
READ_TEXT = re.compile(
    r"(?:a [ée]t[ée] (?:lu|affich[ée]|supprim[ée]|ouvert)|was (?:read|displayed|deleted|opened)|"
    r"wurde (?:am .{1,60} )?(?:gelesen|angezeigt|geöffnet|gelöscht)|"
    r"(?:fue|ha sido) le[íi]do|[èe] stato (?:letto|visualizzato)|is gelezen|werd gelezen|foi (?:lida|lido))",
    re.IGNORECASE,
)
CHALLENGE = re.compile(
    r"(?:mailinblack|vade ?secure.{0,40}authentif|boxbe|spamarrest|challenge[- ]response)"
    r"|pour que (?:votre|ce) (?:message|e-?mail|mail|courriel).{0,80}(?:parvienne|soit (?:remis|d[ée]livr[ée]|"
    r"distribu[ée]|lu)).{0,200}(?:cliqu|authentifi|confirm|lien)"
    r"|(?:click|follow).{0,80}(?:so that|to have|for) your (?:message|e-?mail) (?:to be )?(?:deliver|"
    r"let through|released)"
    r"|(?:confirm|verify|prove) (?:that )?you(?:['’]re| are) (?:a |an )?(?:human|not a robot|real|person|"
    r"people)\w*.{0,240}"
    r"(?:deliver|message|e-?mail|mail|released|let through)"
    r"|(?:message|e-?mail|mail|released|on hold|waiting).{0,240}(?:confirm|verify|prove) (?:that )?you(?:['’]re| "
    r"are) (?:a |an )?"
    r"(?:human|not a robot|real|person)"
    r"|your (?:message|e-?mail)\b.{0,120}\b(?:is|has been) (?:being )?(?:held|on hold|quarantined|queued|"
    r"waiting) .{0,160}"
    r"(?:click|confirm|verif|prove)"
    r"|(?:confirmez|prouvez|v[ée]rifi(?:ez|er)|confirmer|prouver) que vous [êe]tes (?:bien )?(?:un(?:e)? "
    r")?(?:humain|[êe]tre humain|personne|"
    r"(?:pas|n['’][êe]tes pas) un robot)"
    r"|cliquez .{0,60}pour que \S+ (?:lise|re[çc]oive)|best[äa]tigen sie, dass sie (?:ein mensch|kein roboter)"
    r"|(?:confirme|demuestre|verifique) que (?:usted )?(?:es (?:una persona|humano)|no es un robot)"
    r"|(?:conferm[ai]|dimostr[ai]) (?:di essere una persona|che non sei un robot)|bevestig dat u (?:een mens|"
    r"geen robot)",
    re.IGNORECASE | re.DOTALL,
)
RECALL_SUBJECT = re.compile(r"^\s*(?:recall|rappel|rappel de message|r[üu]ckruf|message recall)\s?:", re.IGNORECASE)
RECALL_TEXT = re.compile(
    r"would like to recall|souhaite(?:rait)? rappeler|m[öo]chte die nachricht.{0,200}zur[üu]ckrufen", re.IGNORECASE
)
ORIGINAL_ID = re.compile(
    r"^[ \t>]{0,20}(?:message-id|id (?:du|de) message)\s*:\s*<([^<>\s]{3,300})>", re.IGNORECASE | re.MULTILINE
)
RECIPIENT_LINES = (
    r"(?:final|original)-recipient\s*:\s*(?:rfc822\s*;)?\s*<?([^\s<>;,]+@[^\s<>;,]+)",
    r"^[ \t]{0,20}<([^\s<>@]+@[^\s<>]+)>\s*:",
)
RECIPIENT_BEHIND = re.compile(
    r"following (?:recipient|address|email)|delivery to|delivered to|message to|destinataires?\b|destin[ée] à|"
    r"envoy[ée] à|"
    r"remettre à|remis à|empf[äa]nger|destinatari|ontvanger|gruppen",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"(?<![^\s<>()\"';,:])[^\s<>()\"';,:@]+@[^\s<>()\"';,:@]+")
