"""How absences and acknowledgements are worded where no header says so, and how people word what they want.

Data only, in seven languages; how the signs are weighed stands in ``bot.channels.mime_robots``.
"""

from __future__ import annotations

import re

AWAY = re.compile(
    r"\b(?:notre|nos|le|les|l['’])\s?(?:bureaux?|agence|cabinet|secr[ée]tariat|service|[ée]tablissement|magasin|"
    r"soci[ée]t[ée]|"
    r"accueil|[ée]tude|mairie) (?:est|sont|sera|seront) (?:actuellement |exceptionnellement )?ferm[ée]e?s?"
    r"|\b(?:[ée]tant|je suis|actuellement) (?:\w+ ){0,2}en (?:arr[êe]t|cong[ée]s?|formation|mission|"
    r"d[ée]placement|vacances)\b"
    r"|\ben cong[ée] (?:maternit[ée]|paternit[ée]|parental|maladie)"
    r"|\bje ne travaille pas (?:le|les|ce|cette|aujourd)|\bje ne (?:fais plus partie|travaille plus)\b"
    r"|\bj['’]ai quitt[ée] (?:le|la|les|l['’]|mon|mes|cette|notre)|\bje n['’]utilise plus cette|\badresse sera "
    r"(?:bient[ôo]t |prochainement )?"
    r"(?:d[ée]sactiv|ferm|supprim)|\ba quitt[ée] (?:la soci[ée]t[ée]|l['’]entreprise|l['’]association|mes "
    r"fonctions|ses fonctions)"
    r"|\bcette (?:adresse|bo[îi]te)(?: \S+){0,3} n['’]est (?:plus|pas|que) (?:utilis|relev|consult|active|valide|"
    r"lue|surveill)"
    r"|\b(?:bo[îi]te|messagerie|mails?|e-?mails?|courriels?)(?: \S+){0,2} n['’](?:est|sont) "
    r"(?:pas |plus |que )?(?:consult|relev|lue?s?\b)"
    r"|\bi(?: am|['’]m) (?:currently |presently )?(?:away\b|on (?:\w+ )?(?:leave|holidays?|vacation|sabbatical)|"
    r"travell?ing|off (?:sick|work))"
    r"|\bi will (?:be )?(?:away|out of (?:the )?office|off)\b|\bi (?:no longer work|have left|am no longer "
    r"(?:with|at))\b"
    r"|\bno longer (?:works|working) (?:at|for|with)\b|\b(?:this )?(?:mailbox|e-?mail address|address|inbox) "
    r"(?:is|will be) "
    r"(?:no longer|not) (?:in use|used|monitored|active|checked|attended)"
    r"|\b(?:mailbox|inbox|address) (?:isn['’]t (?:monitored|read|used|checked)|will (?:be )?(?:close|deactivat|"
    r"shut))|\b(?:our|the) (?:offices?|shop|company|reception) (?:is|are|will be) (?:currently |now )?closed\b"
    r"|\bich (?:bin|befinde mich)\b(?: \S+){0,8} (?:im (?:\w*urlaub|mutterschutz|ausland)|in (?:elternzeit|"
    r"urlaub)|abwesend|"
    r"außer haus|verreist|krank|nicht (?:im (?:büro|haus)|erreichbar))"
    r"|^\W*bin (?:\S+ ){0,4}(?:im urlaub|nicht im büro)|\b(?:unser büro|unsere? \w+) (?:ist|bleibt) (?:\S+ "
    r"){0,6}geschlossen"
    r"|\bich (?:arbeite nicht mehr|bin nicht mehr (?:bei|für))|\bnicht mehr (?:für|bei) (?:\S+ ){1,4}tätig"
    r"|\b(?:estoy|estar[ée]|me encuentro|me hallo) (?:\w+ ){0,3}(?:de (?:baja|vacaciones|viaje|permiso)|ausente|"
    r"fuera (?:de la oficina|del despacho))|\b(?:nuestras? oficinas?|la oficina) (?:est[áa]n?|permanecer[áa]n?) "
    r"cerradas?"
    r"|\bya no trabajo\b"
    r"|\bsono (?:\w+ ){0,2}(?:in (?:ferie|malattia|maternità|viaggio|trasferta|congedo)|assente|fuori)"
    r"|\b(?:i nostri uffici|l['’]ufficio|gli uffici) (?:sono|sar(?:à|anno)|è|resteranno) chius[oi]|\bnon lavoro più\b"
    r"|\bik ben\b(?: \S+){0,5} (?:afwezig|niet (?:aanwezig|op kantoor|bereikbaar)|(?:met|op) (?:vakantie|verlof)|"
    r"vrij|ziek|met zwangerschapsverlof)|\bons kantoor is (?:\S+ ){0,4}gesloten|\bik (?:ben )?(?:werk )?niet "
    r"(?:meer|langer) (?:werkzaam|bij)"
    r"|\b(?:estou|estarei|encontro-me) (?:\w+ ){0,2}(?:de (?:f[ée]rias|baixa|licen[çc]a)|ausente|fora do "
    r"escrit[óo]rio|em viagem)"
    r"|\b(?:os nossos escrit[óo]rios|o nosso escrit[óo]rio|o escrit[óo]rio) (?:est[ãa]o?|encontra-se) (?:encerrad|"
    r"fechad)"
    r"|\bj[áa] n[ãa]o trabalho\b",
    re.IGNORECASE,
)
"""Absences said more loosely; they count where nothing speaks for a person who wants something now."""
PROMISE = re.compile(
    r"\b(?:je (?:vous |te |lui )?(?:r[ée]pondrai|recontacterai|traiterai)|je (?:ne )?pourrai pas (?:vous "
    r")?r[ée]pondre|"
    r"(?:sera|seront) (?:trait[ée]e?s?|lus?)|(?:nous|l['’][ée]quipe|un conseiller|notre \w+) (?:vous |te |y |le |"
    r"la )?"
    r"(?:r[ée]pondr|recontacter|reviendr|contacter|traiter)\w+|vous (?:sera|aurez) (?:une )?r[ée]pon\w+|"
    r"dans les (?:meilleurs|plus brefs) d[ée]lais|sous (?:un d[ée]lai de )?\d{1,3} ?(?:h\b|heures|jours)|"
    r"d[ée]lai de \d{1,3} (?:heures|jours)|en cours d['’]examen|prendre en charge|num[ée]ro de suivi|suivre "
    r"(?:ici|en ligne))"
    r"|\b(?:i|we|someone|a representative|our team|a member of) (?:\w+ ){0,4}(?:will|['’]ll) (?:\w+ ){0,3}"
    r"(?:reply|respond|get back|be (?:getting )?back|be in touch|contact|answer|read|review|return)"
    r"|\bwill (?:be )?(?:respond|repl|getting back|get back|contact|in touch|processed|dealt with)\w*"
    r"|\bbeing (?:reviewed|processed)\b|\b(?:typically|usually|aim to|normally) (?:reply|respond|answer)|"
    r"\bassigned to\b|\bas soon as (?:possible|i (?:can|return|get back))\b|\bwithin \d{1,3} "
    r"(?:business |working )?"
    r"(?:hours|days)\b"
    r"|\b(?:wir|ich) (?:\w+ ){0,3}(?:melde\w*|antworte\w*|bearbeite\w*|werde\w* (?:\S+ ){0,8}(?:antworten|melden|"
    r"beantworten|bearbeiten))"
    r"|\bschnellstmöglich\b|\bso bald wie möglich\b|\bnach meiner rückkehr\b|\bontvangt (?:u )?binnen\b|\ben "
    r"breve\b|\bbrevidade\b|\bpresa in carico\b"
    r"|\b(?:le |les )?(?:responder[ée]|responderemos|contestar[ée]\w*|contactaremos)|\blo antes posible\b|\ba la "
    r"mayor brevedad\b"
    r"|\b(?:(?:vi |ti |le )?risponder[òo]|risponderemo|contatteremo|ricontatteremo)|\b(?:al|il) più presto\b|"
    r"\bquanto prima\b"
    r"|\b(?:zo spoedig|zo snel) mogelijk\b|\b(?:nemen|neem) (?:\S+ ){0,6}contact (?:met u )?op\b|\b(?:zal|"
    r"zullen) (?:\S+ ){0,8}"
    r"(?:antwoorden|beantwoorden|reageren)"
    r"|\b(?:responderei|responderemos|entraremos em contacto)|\bassim que poss[íi]vel\b|\b(?:em|com a maior) "
    r"breve\w*\b",
    re.IGNORECASE,
)
REFERRED = re.compile(
    r"\b(?:adresse[rz]|[ée]crire|[ée]crivez|contacte[rz]|joindre|appele[rz]|vous adresser|vous "
    r"tourner)\b.{0,80}(?:@|\b0[1-9]\b|"
    r"\bmon coll[èe]gue|\bma coll[èe]gue|standard|secr[ée]tariat|accueil|\bM(?:me|lle|r|\.)\s)"
    r"|\b(?:please |kindly )?(?:contact|call|direct|e-?mail|write to|reach|send)\b.{0,80}(?:@|\bmy colleague|"
    r"\bcolleague|\bto\b.{0,30}@|"
    r"\+\d|\breception)"
    r"|\bwenden sie sich\b|\b(?:contacte|dir[íi]jase|escriba|p[óo]ngase en contacto)\b|\b(?:contattare|rivolgersi|"
    r"scrivere a)\b|"
    r"\bcontact opnemen\b|\bneem(?:t u)? contact op\b|\bcontact(?:e|ar)\b",
    re.IGNORECASE,
)
TICKET = re.compile(
    r"(?:ticket|dossier|incident|case|request|demande|anfrage|vorgang|incidencia|richiesta|aanvraag|"
    r"meldingsnummer|pedido|ref|"
    r"r[ée]f[ée]rence|n[°º]|num[ée]ro|number|nummer|n[úu]mero)\W{0,3}(?:is |est |de |du |ticket |dossier |le |la "
    r")*\W{0,3}#?\s?\d{3,}"
    r"|[\[(]#?\d{3,}[\])]|#\d{3,}|\[ref:|ticket#\d+",
    re.IGNORECASE,
)
WANTS = re.compile(
    r"\b(?:mes|mon|ma) (?:donn[ée]es|dossier|compte|adresse|nom|demande|pi[èe]ce|passeport|carte|fils|fille|"
    r"r[ée]servation|courriel du|"
    r"photo|num[ée]ro|s[ée]jour|consentement|justificatif)\b"
    r"|\bje (?:vous )?(?:demande|souhaite|voudrais|veux|d[ée]sire|m['’]oppose|conteste|r[ée]it[èe]re|exige|"
    r"maintiens|retire|renouvelle|"
    r"confirme|transmets|joins|refuse|signale|attends)\b"
    r"|\bj['’](?:attends|aimerais|ai (?:re[çc]u|envoy|demand|s[ée]journ|fait|r[ée]serv|jamais|chang)|exerce|"
    r"habite|ai bien re[çc]u)"
    r"|\b(?:supprime|efface|envoye|transmette|rectifie|corrige|cesse|arr[êe]te|confirme|retire|"
    r"communique)z[- ](?!un |une |votre )"
    r"|\bmerci de (?:m['’]|me |supprimer|effacer|corriger|rectifier|retirer|ne plus)|\bci-?joint|\ben pi[èe]ce jointe"
    r"|\bmy (?:data|account|request|details|address|name|file|id\b|passport|personal|booking|reservation|"
    r"information|son|daughter|consent|"
    r"identity)\b|\bi (?:want|would like|wish|request|ask|demand|object|withdraw|insist|attach|enclose|maintain|"
    r"have (?:sent|asked|attached|"
    r"stayed|booked)|stayed|sent|asked|booked)\b|\bplease (?:delete|erase|remove|send me|correct|stop|confirm "
    r"that|provide me|forward me|tell me)|"
    r"\battached\b|\bhere is my\b|\bwe do not agree\b"
    r"|\bmein\w* (?:daten|konto|anfrage|antrag|adresse|name\w*|ausweis|buchung|personenbezogen\w*)|\bich "
    r"(?:möchte|bitte (?:sie )?(?:um|darum)|"
    r"verlange|fordere|widerspreche|widerrufe|beantrage|habe (?:ihnen|bei|am))\b|\blöschen sie\b|\bschicken sie "
    r"mir\b|\banbei\b"
    r"|\bmis? (?:datos|cuenta|solicitud|direcci[óo]n|nombre|dni|reserva)\b|\b(?:quiero|solicito|deseo|exijo|me "
    r"opongo|les pido|adjunto)\b"
    r"|\b(?:i miei|miei|mio|mia|mie) (?:dati|account|richiesta|indirizzo|nome|documento|prenotazione)\b|"
    r"\b(?:vorrei|chiedo|richiedo|desidero|"
    r"mi oppongo|allego|in allegato)\b"
    r"|\bmijn (?:gegevens|account|verzoek|adres|naam|boeking|identiteits\w*)\b|\bik (?:wil|verzoek|vraag|zou "
    r"graag|maak bezwaar|stuur|heb (?:u|bij))\b|"
    r"\bin bijlage\b|\bbijgevoegd\b"
    r"|\b(?:os meus|meus|minha|meu|a minha|o meu) (?:dados|conta|pedido|morada|nome|reserva|documento)\b|"
    r"\b(?:quero|solicito|pretendo|gostaria|exijo|"
    r"oponho-me|anexo|em anexo)\b",
    re.IGNORECASE,
)
"""Somebody wants something, or has done something: robots have neither data nor wishes."""
ABSENCE_WORDS = re.compile(
    r"\b(?:cong[ée]s?|vacances|absente?s?|en d[ée]placement|temps partiel|hors du bureau|"
    r"rtt|"
    r"on leave|annual leave|parental leave|holidays?|vacation|away|out of (?:the )?office|travell?ing|"
    r"part[- ]time|not in on|off sick|"
    r"has left|have left|urlaub|abwesend|elternzeit|mutterschutz|außer haus|nicht im (?:haus|büro)|wieder im büro|"
    r"nicht erreichbar|"
    r"vacaciones|ausente|fuera de (?:la )?oficina|de baja|acceso al correo|in ferie|"
    r"fuori (?:ufficio|sede)|assente|"
    r"vakantie|verlof|afwezig|er even niet|niet (?:op kantoor|aanwezig)|f[ée]rias|fora do "
    r"escrit[óo]rio)\b",
    re.IGNORECASE,
)
RETURN = re.compile(
    r"\b(?:(?:de )?retour\b|à partir du|jusqu['’]|r[ée]ouverture|je prendrai connaissance|back (?:on|in|from)|"
    r"return(?:ing)?|until|from \d|"
    r"resume|in the office (?:on|again)|wieder|bis (?:zum|einschließlich|\d)|ab (?:dem )?\d|hasta|vuelta|"
    r"volver[ée]|regreso|fino al?|rientro|"
    r"torno|dal \d|riapertura|terug|vanaf|tot (?:en met )?\d|at[ée] (?:ao )?(?:dia )?\d|volto|regresso)\b",
    re.IGNORECASE,
)
NO_READING = re.compile(
    r"\b(?:mails?|messages?|courriels?)\b.{0,30}(?:ne (?:sont|seront) pas|n['’]est pas|pas (?:lus?|"
    r"transf[ée]r[ée]s?|consult[ée]s?))|"
    r"\bsans acc[èe]s\b|\b(?:won['’]t|not|no) (?:be )?(?:check|read|monitor|forward|access)\w*|\b(?:limited|"
    r"intermittent|sporadic) access|"
    r"\bdelay in (?:my|our) (?:response|reply)|\bwird nicht weitergeleitet|\bkeinen? zugriff|\bno tendr[ée] "
    r"acceso|\bnon (?:leggo|leggerò|avrò accesso)|"
    r"\bgeen toegang|\bwordt niet (?:gelezen|doorgestuurd)|\bsem acesso|\bn[ãa]o (?:terei|ser[áa]) (?:acesso|"
    r"reencaminhad)",
    re.IGNORECASE,
)
THANKS = re.compile(
    r"\b(?:merci (?:de|pour) votre (?:message|mail|e-?mail|courriel)|thank(?:s| you) for (?:your|the) (?:e-?mail|"
    r"message|mail)|"
    r"(?:vielen )?dank(?:e)? für (?:ihre|deine|die) |gracias por (?:su|tu) (?:mensaje|correo)|grazie per (?:la|il) |"
    r"(?:bedankt|dank u) voor |obrigad[oa] (?:pel|por)|agradeço o)",
    re.IGNORECASE,
)
PAST = re.compile(
    r"\b(?:j['’][ée]tais|nous [ée]tions|i was|i have been|i['’]ve been|ich war|estaba|estuve|ero|eravamo|ik was|"
    r"estava|estive)\b",
    re.IGNORECASE,
)
"""Somebody tells of an absence that is over: robots speak while it lasts."""
ABSENCE_SUBJECT = re.compile(
    r"^\W*(?:absente?|absence|hors du bureau|en (?:cong[ée]s?|vacances|d[ée]placement)|je suis (?:absente?|en "
    r"(?:cong[ée]s?|vacances))|"
    r"cong[ée]s?|vacances|fermeture|away|on (?:\w+ )?(?:leave|holiday|vacation)|i am (?:away|on )|außer haus|"
    r"urlaub|nicht im (?:haus|büro)|"
    r"abwesend|im urlaub|fuera|ausente|de vacaciones|fuori|assente|in ferie|afwezig|met vakantie|op vakantie|"
    r"f[ée]rias|de f[ée]rias)\b",
    re.IGNORECASE,
)
ABSENT = re.compile(
    r"\bje (?:suis|serai) (?:actuellement |moment\w+ |en ce moment |pr[ée]sentement )?"
    r"(?:absente?|en (?:cong[ée]|vacances|d[ée]placement|arr[êe]t)|hors du bureau)"
    r"|\bactuellement (?:absente?|en (?:cong[ée]s?|vacances))\b|\babsente? (?:du bureau|jusqu)"
    r"|\bi(?: am|['’]m| will be|['’]ll be) (?:currently |presently )?(?:out of (?:the )?office|away|"
    r"on (?:annual )?(?:leave|vacation|holiday))"
    r"|\bcurrently out of (?:the )?office\b"
    r"|\bich bin (?:\w+ ){0,4}(?:abwesend|nicht im (?:büro|haus)|im urlaub|außer haus)|"
    r"\bderzeit (?:nicht im büro|abwesend)"
    r"|\b(?:estoy|estar[ée]|me encuentro) (?:actualmente )?(?:fuera de (?:la )?oficina|ausente|de vacaciones)"
    r"|\bsono (?:attualmente )?(?:assente|fuori (?:ufficio|sede)|in ferie)|\bsar[òo] (?:assente|fuori ufficio|"
    r"in ferie)"
    r"|\b(?:ik ben|wij zijn) (?:\w+ ){0,4}(?:afwezig|niet (?:aanwezig|op kantoor)|met (?:vakantie|verlof)|"
    r"op vakantie)"
    r"|\b(?:estou|estarei|encontro-me) (?:actualmente |atualmente )?(?:ausente|fora do escrit[óo]rio|de f[ée]rias)",
    re.IGNORECASE,
)
AUTOMATIC_TEXT = re.compile(
    r"\b(?:ceci est (?:un message|une r[ée]ponse|un e-?mail|un mail|un courriel) automatique|(?:message|"
    r"courriel|e-?mail|mail) automatique\b|"
    r"r[ée]ponse automatique|(?:envoy[ée]|g[ée]n[ée]r[ée]) automatiquement|"
    r"this is an auto(?:mated|matic|matically[- ]generated)|automatically generated|"
    r"auto-?generated (?:message|e-?mail)|automated (?:message|response|reply|e-?mail)|"
    r"dies ist eine automatisch|automatisch (?:generiert|erstellt|erzeugt)|automatische (?:antwort|nachricht)|"
    r"(?:mensaje|respuesta|correo) autom[áa]tic[oa]|(?:messaggio|risposta|e-?mail) automatic[oa]|"
    r"automatisch (?:gegenereerd|bericht|antwoord)|(?:mensagem|resposta) autom[áa]tica)",
    re.IGNORECASE,
)
ACKNOWLEDGED = re.compile(
    r"\b(?:nous avons bien re[çc]u|nous accusons (?:bonne )?r[ée]ception|(?:bien|bonne) r[ée]ception de (?:votre|ta)|"
    r"vo(?:tre|s) (?:messages?|demandes?|courriels?|e-?mails?|mails?|ticket|r[ée]clamation|sollicitation)(?: "
    r"\S+){0,3} "
    r"(?:a (?:bien )?[ée]t[ée] (?:re[çc]u|enregistr|pris|transmis|transf[ée]r|cr[ée][ée])|nous est (?:bien "
    r")?parvenu|est "
    r"(?:bien )?(?:arriv|enregistr))|"
    r"(?:nous vous remercions|merci) (?:de |d['’]|pour )(?:nous avoir (?:contact|[ée]crit|sollicit)\w+|votre "
    r"(?:message|demande|mail|e-?mail|"
    r"courriel|int[ée]r[êe]t))|ticket a (?:bien )?[ée]t[ée] (?:cr[ée][ée]|ouvert)|"
    r"(?:we have|we['’]ve|we) (?:\w+ )?received your|thank(?:s| you) for (?:contacting|reaching out|getting in "
    r"touch|writing|your "
    r"(?:e-?mail|message|enquiry|inquiry|interest|request))|your (?:request|ticket|message|e-?mail|enquiry|"
    r"inquiry|case)(?: \S+){0,3} has been|"
    r"ticket has been (?:created|opened|received)|(?:got|have) your message|case \S{3,20} (?:has been|created)|"
    r"ticket vient d['’][êe]tre|"
    r"(?:demande|ticket|dossier) (?:n?[°º]? ?\S{2,20} )?a [ée]t[ée] (?:cr[ée][ée]|ouvert|enregistr)|merci "
    r"d['’]avoir (?:contact|[ée]crit)|"
    r"best[äa]tigen (?:wir )?(?:hiermit )?den eingang|eingang ihrer|in goede orde ontvangen|confirmamos (?:la "
    r"recepci[óo]n|a rece[çp]\w+)|"
    r"[èe] stata presa in carico|confermiamo (?:la ricezione|di aver)|wij bevestigen de ontvangst|"
    r"wir haben ihre|vielen dank für (?:ihre|ihr|die) |(?:ihre|die) (?:anfrage|nachricht|e-?mail) (?:ist|wurde) |"
    r"hemos recibido|gracias por (?:su|tu|contactar|ponerse|escribir)|(?:su|tu) (?:mensaje|solicitud|consulta) "
    r"ha sido|"
    r"abbiamo ricevuto|grazie per (?:averci|la sua|la tua|il suo|aver)|la (?:sua|tua) richiesta è stata|"
    r"(?:wij|we) hebben (?:uw|je)|(?:bedankt|dank u) voor (?:uw|je|het)|uw (?:bericht|vraag|aanvraag|e-?mail) is|"
    r"recebemos (?:a sua|o seu|sua|seu|a tua|o teu)|obrigado (?:por|pelo|pela)|o seu (?:pedido|contacto) foi)",
    re.IGNORECASE,
)
DO_NOT_ANSWER = re.compile(
    r"\b(?:(?:merci de )?ne pas (?:y )?r[ée]pondre|ne r[ée]pondez pas|please do not (?:reply|respond)|do not reply|"
    r"bitte (?:nicht (?:auf|antworten)|antworten sie nicht)|no responda|non rispond\w+|"
    r"niet (?:te )?(?:beantwoorden|antwoorden)|n[ãa]o responda)",
    re.IGNORECASE,
)
DEMANDED = re.compile(
    r"\b(?:donn[ée]es|fichiers?|rgpd|cnil|effacement|data|gdpr|ico|daten|dsgvo|datenschutz\w*|datos|rgpd|dati|gegevens|avg|dados)\b"
    r"|\b(?:nous|on|we|wir|wij) (?:\w+ ){0,4}(?:sollicit|demand|souhait|exige|r[ée]clam|interven|request|ask|demand|require|"
    r"act for|represent|beantrag|verlang|forder|vertret|verzoek|eis)\w*"
    r"|\b(?:sollicitons|demandons|souhaitons|exigeons|r[ée]clamons|intervenons|repr[ée]sentons|solicitamos|pedimos|exigimos|"
    r"representamos|chiediamo|richiediamo|rappresentiamo)\b"
    r"|\b(?:access|erasure|deletion|opt[- ]out) requests?\b|\bdemande d['’](?:acc[èe]s|effacement|opposition)\b"
    r"|\bart(?:\.|icles?|ikel|[íi]culo|icolo|igo)\s?\d{1,2}\b",
    re.IGNORECASE,
)
"""What a request is about, and how firms and lawyers word theirs."""
