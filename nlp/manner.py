"""How a robot speaks and how a person does, by concept rather than by phrase, in seven languages.

A robot tells that nobody is there, or that something was received, and what becomes of the mail. A person who writes in the
same words also has an errand: sends something, wants something, disagrees, tells of what is over. Where an errand shows, no
robot is assumed. Data and two small rules; how they weigh beside headers stands in ``bot.channels.mime_robots``.
"""

from __future__ import annotations

import re

LONGEST = 900

ERRAND = re.compile(
    # papers and copies
    r"\b(?:passe?ports?|passaporto|pasaporte|paspoort|reisepass|pass?kopie|carte d['’]identit\w+|ausweis\w*|dni|"
    r"cop(?:y|ies?)|c[óo]pias?|copie[ns]?|kopie[ns]?|scan\w*|scann\w+|escan\w+|digitaliz\w+|justificati\w+|"
    r"photo|badge|fichier|ficha|bestand|record(?:ing)?s?|newsletters?)\b"
    # I send, I wait, I did
    r"|\b(?:je|i|ich|ik) (?:\w+ ){0,3}(?:envoie\w*|envoy\w+|transmet\w*|joins|attends|send|attach|wait|schick\w+|sende|warte|"
    r"stuur\w*|wacht|mande)\b|\b(?:schicke|sende) (?:\w+ ){0,2}(?:ich|es|ihn|sie|den|die|das)\b|\b(?:daarna|dan) stuur\b"
    r"|\b(?:mando|env[íi]o|invio|aspetto|espero|aguardo|les env[íi]o|segue a|segue em|hierbij|anbei|ecco|voici|ci-joint|"
    r"sigo esperando|continuo [àa] espera)\b"
    # sorry, and what is over
    r"|\b(?:sorry|d[ée]sol[ée]e?|excusez|pardon|entschuldig\w+|perd[óo]n|scusi?|scusate|desculp\w+|mi dispiace)\b"
    r"|\b(?:i was|i called|was (?:closed|away)|j['’][ée]tais|je rentre de|war ich|ich war|ero in|estaba|estuve|"
    r"estava|ik was)\b"
    # do this for me
    r"|\b(?:tell|send|give|take|call|answer|help|allow|write) (?:me|us)\b(?! (?:an? )?(?:e-?mail|message))|\bgo ahead\b"
    r"|\b(?:dites|envoyez|donnez|[ée]crivez|r[ée]pondez|rappelez|retirez|effacez|supprimez|radiez)[- ](?:le[- ]?|la[- ]?)?moi\b"
    r"|\bm['’](?:envoyer|[ée]crire|indiquer|informer|adresser|avez|a vol)|\b(?:schicken|senden|sagen|geben) sie mir\b"
    r"|\b(?:d[íi]ganme|env[íi]enme|ditemi|mandatemi|scrivetemi|toglietemi|stuur (?:me|mij)|digam-me|enviem-me)\b"
    # delete, stop, correct
    r"|\b(?:effacez|supprimez|cessez|arr[êe]tez|remplacez|radiez|retirez|corrigez|delete|erase|remove|unsubscribe|take me off|"
    r"l[öo]schen|streichen|tragen sie|ein(?:zu)?tragen|borren|borrad|eliminen|cancelen|cambien|togliete|cancellate|eliminate|"
    r"verwijder\w*|wis|zet|schrap|apaguem|parem|removam|eliminem|usem|usen)\b"
    # no
    r"|\b(?:not satisfied|don['’]t agree|do not agree|disagree|pas d['’]accord|inadmissible|ne r[ée]pond (?:pas|qu)|"
    r"nicht einverstanden|reicht mir nicht|no estoy de acuerdo|non sono d['’]accordo|niet (?:mee )?eens|n[ãa]o concordo)\b"
    # this address is mine no longer, said by whom it was
    r"|\b(?:gebruik ik|verwende ich|ich (?:nicht mehr )?nutze|ya no uso|la uso pi[ùu]|non uso|j[áa] n[ãa]o (?:uso|[ée] meu)|je n['’]utilise)\b",
    re.IGNORECASE,
)
"""A person's business: papers, deeds, wishes, dissent. Robots have none."""

AWAY = re.compile(
    r"\b(?:indisponibles?|absente?s?|jours de repos|cong[ée]s?|vacances|(?:ma|la|en) retraite|n['’]ai pas acc[èe]s|"
    r"ne travaille (?:que|pas)|hors du bureau|en (?:d[ée]placement|mission|formation)|"
    r"i(?: am|['’]m|['’]ll be| will be) (?:\w+ ){0,2}(?:out|off|away|unavailable|travell?ing|on (?:\w+ ){0,2}(?:leave|duty|holiday|vacation|trip))|"
    r"unavailable|retired|out of (?:the )?office|no longer with|"
    r"nicht am platz|nicht im (?:b[üu]ro|haus)|urlaub|freie tage|dienstreise|ruhestand|betriebsferien|abwesend|"
    r"eingeschr[äa]nkt erreichbar|verreist|elternzeit|mutterschutz|"
    r"desconectad[oa]|d[íi]as de descanso|jubilad[oa]|no me encuentro en|vacaciones|fuera de|ausente|de viaje|"
    r"fuori (?:sede|ufficio|fino)|ferie|congedo|in pensione|non sono in ufficio|assente|"
    r"weekje vrij|dagen? vrij|met pensioen|niet op kantoor|werk niet|vakantie|afwezig|verlof|"
    r"f[ée]rias|de licen[çc]a|reformei-me|reformad[oa]|fora do escrit[óo]rio|em viagem)\b"
    # a house that is closed; accounts and mailboxes are closed, too, and people ask for it
    r"|\b(?:bureaux?|cabinet|[ée]tude|secr[ée]tariat|magasin|agence|services?|mairie|offices?|shop|practice|school|b[üu]ro|praxis|"
    r"kanzlei|gesch[äa]ft|oficinas?|despacho|tienda|studio|uffici\w*|negozio|kantoor|winkel|praktijk|escrit[óo]rios?|servi[çc]os|"
    r"loja|wir (?:haben|sind)|nous sommes|we are|we['’]re|siamo|estamos)\b[^.!?\n]{0,60}?\b(?:ferm[ée]e?s?|closed|geschlossen|"
    r"cerrad[oa]s?|chius[oaie]|gesloten|encerrad[oa]s?)\b",
    re.IGNORECASE,
)
"""Nobody is there, now or soon."""
DEAD = re.compile(
    r"\b(?:adresse|messagerie|bo[îi]te|mailbox|inbox|account|address|postfach|e-?mail|buz[óo]n|correo|cuenta|casella|posta|"
    r"indirizzo|adres|postbus|caixa de correio|correio|endere[çc]o|courriels?|mails?)\b[^.!?\n]{0,40}?"
    r"(?:n['’](?:est|[ée]tant|sera) (?:plus|pas) (?:consult|relev|lu|surveill|active|utilis)\w*|"
    r"(?:is|are|account that is) (?:unattended|unmonitored|not (?:monitored|read|attended|checked)|no longer (?:active|monitored|read|in use|"
    r"attended|checked))|no longer (?:active|monitored|in use)|"
    r"(?:wird|ist) nicht (?:mehr )?(?:abgerufen|gelesen|genutzt|aktiv|betreut)|"
    r"(?:ya )?no (?:se (?:utiliza|lee|usa|consulta|atiende)|est[áa] activ[oa]|es le[íi]d[oa])|"
    r"non (?:[èe]|viene) (?:pi[ùu] )?(?:attiv|lett|consultat|utilizzat|presidiat)[oa]|"
    r"(?:wordt|is) niet (?:meer |langer )?(?:gelezen|gebruikt|actief|bemand|bekeken)|"
    r"deixou de ser \w+|(?:j[áa] )?n[ãa]o (?:[ée]|est[áa]) (?:consultad|lid|utilizad|monitorizad|ativ)[oa])"
    r"|\b(?:adresse|messagerie|bo[îi]te|mailbox|inbox|account|address|postfach|konto|buz[óo]n|correo|cuenta|direcci[óo]n|casella|"
    r"indirizzo|adres|caixa|endere[çc]o|e-?mail|mail)\b[^.!?\n]{0,60}?\b(?:n['’]\w+ (?:plus|pas)|not?|no longer|nicht(?: mehr)?|ya no|"
    r"non|niet(?: meer| langer)?|j[áa] n[ãa]o|n[ãa]o|ne\b)[^.!?\n]{0,25}?\b(?:valable|valide|surveill\w*|relev\w*|consult\w*|exist\w*|"
    r"monitor\w*|attended|valid|watched|read|g[üu]ltig|[üu]berwacht|gelesen|v[áa]lid\w*|vale|atendid\w*|vigilad\w*|vigiad\w*|"
    r"presidiat\w*|attiv\w*|bewaakt|geldig|bemand|operativ\w*|operational|op[ée]rationnel\w*)"
    r"|\b(?:not|un)[- ]?(?:a )?(?:monitored|attended|surveill[ée]e?) (?:mailbox|inbox|address|bo[îi]te)",
    re.IGNORECASE,
)
"""A mailbox that nobody reads."""
SEQUEL = re.compile(
    r"\b(?:de retour|[àa] mon retour|en rentrant|rouvri\w+|r[ée]ouverture|vous lirai|le lirai|seront trait\w+|prendrai connaissance|"
    r"ne (?:rel[èe]ve|consulte|lis) pas|prend le relais|mon coll[èe]gue|ma coll[èe]gue|urgen\w+|press[ée]|merci (?:de|d['’]) ?"
    r"(?:joindre|contacter|[ée]crire)|jusqu['’]|avant le|[àa] (?:compter|partir) du|"
    r"expect a reply|reply after|slow to respond|respond|reopen|will be (?:handled|read|answered|back)|checking (?:my )?e-?mail|"
    r"can['’]t wait|until|back (?:on|in)|return|direct (?:future|all|any)|please (?:try|contact|write)|patience|"
    r"wieder (?:f[üu]r sie da|da|im|erreichbar)|(?:nicht|wieder) (?:\w+ ){0,2}gelesen|lese ich|nachfolger\w*|eilig\w*|dringend\w*|"
    r"antworte ich|ich antworte|hilft ihnen|erreichen sie|"
    r"hasta|a mi (?:vuelta|regreso)|atender[ée]|no leer[ée]|no ser[áa] le[íi]do|contacte|escriba|compa[ñn]er[oa]|paciencia|"
    r"fino al?|rientro|riapertura|legger[òo]|al mio posto|pi[ùu] letta|urgenze|dal? \d|"
    r"weer (?:bereikbaar|voor u klaar|terug|aanwezig)|lees ik|mijn collega|neem contact|vanaf|spoed\w*|beperkt|"
    r"at[ée] (?:ao )?(?:dia )?\d|regresso|voltarei|n[ãa]o vou consultar|contacte|o meu colega|a minha colega|em caso de)\b"
    r"|@[\w.-]+\.\w{2,}|\b(?:du|del|dal|vom|from|van|de|desde) (?:el |o )?\d",
    re.IGNORECASE,
)
"""What becomes of the mail meanwhile: when somebody is back, who stands in."""
RECEIVED = re.compile(
    r"\b(?:vo(?:tre|s)|your|ihre?r?|su|sua|tu|uw|je|o seu|a sua|das|le|la|el|il) (?:\w+ )?(?:courriers?|messages?|mails?|e-?mails?|"
    r"courriels?|demandes?|sollicitations?|requests?|enquiry|inquiry|anliegen|nachricht|anfrage|ticket|consulta|solicitud|mensaje|"
    r"segnalazione|richiesta|messaggio|melding|bericht|vraag|pedido|mensagem)\b[^.!?\n]{0,60}?\b(?:arriv\w+|transmise?|enregistr\w+|re[çc]ue?s?|"
    r"received|registered|logged|forwarded|reviewed|eingegangen|angelegt|erfasst|registrad[oa]|recibid[oa]|registrat[oa]|ricevut[oa]|"
    r"geregistreerd|ontvangen|registad[oa]|recebid[oa])\b"
    r"|\b(?:got|received|have) your (?:e-?mail|message|request)|\bouverture du ticket|\bf[üu]r ihr anliegen wurde|"
    r"\bil messaggio [èe] arrivato|\bgracias por (?:escribir|contactar)\w*|\bagradecemos o seu|\bdank voor uw (?:mail|bericht)|"
    r"\bmerci de nous avoir|\bthank you, your (?:message|request)",
    re.IGNORECASE,
)
"""Something arrived, said in the passive of offices."""
OFFICE = re.compile(
    r"\b(?:(?:le |un )?(?:p[ôo]le|service|technicien|conseiller|secr[ée]tariat)|[ée]quipe|un (?:agent|op[ée]rateur)|"
    r"agents?|staff|(?:support|our) team|crew|department|specialist|business days?|working days?|response time|"
    r"(?:ein )?mitarbeiter\w*|schnellstm[öo]glich|bearbeitet|r[üu]ckfragen|nuestro equipo|responderemos|un (?:agente|t[ée]cnico)|"
    r"un operatore|ricontatteremo|la contatter\w+|segreteria|een medewerker|zo (?:snel|spoedig) mogelijk|werkdagen|"
    r"streven ernaar|nossa equipa|colaboradores|dias [úu]teis|ser[áa] contactad[oa]|rien d['’]autre [àa] faire)\b",
    re.IGNORECASE,
)
"""Whoever deals with it has no name."""

TOLD_OF = re.compile(
    r"(?:\b(?:only|just|had|got|received?|getting|re[çc]u|eu|nur|kam|bekommen|erhalten|bekam|s[óo]lo|recib\w+|ricevuto|solo|"
    r"alleen|kreeg|apenas|recebi)\b|qu['’]un)[^.!?\n]*$",
    re.IGNORECASE,
)
"""Before "automatic answer": a person complains of one."""


def nobody_there(text: str, *, answer: bool) -> bool:
    """Say whether *text* only tells that nobody is there. *answer*: the mail answers one of ours, as such notices do."""
    if len(text) > LONGEST or "?" in text or ERRAND.search(text):
        return False
    sequels = {found.group().casefold() for found in SEQUEL.finditer(text)}
    if DEAD.search(text):
        return answer or bool(sequels)
    if not AWAY.search(text):
        return False
    return len(sequels) >= (1 if answer else 2)


def only_received(text: str) -> bool:
    """Say whether *text* only tells that something was received and that somebody without a name will see to it."""
    if len(text) > LONGEST or "?" in text or ERRAND.search(text):
        return False
    return RECEIVED.search(text) is not None and OFFICE.search(text) is not None
