"""Rule cues: phrases that speak for a label, and whether the writer means them.

Rights bring their cues in French and English (``handlers/rights``); this module holds those of the other
primaries and the basics of the rights in German, Spanish, Italian, Dutch and Portuguese. A cue is a regular
expression on folded text in which ``<concept>`` stands for the words of a concept (``nlp.lexicon``) and
``<_>`` for a gap of up to forty characters within the sentence.

"I do *not* ask you to delete it", "if I asked for deletion", "you wrote: « … »": such hits are kept, marked,
and never give a label by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from nlp.fold import Folded
from nlp.lexicon import expand, patterns
from nlp.openings import Index

GAP = r"[^.!?;\n]{0,40}?"
"""What ``<_>`` stands for."""

LANGUAGES_OF_CUES = ("fr", "en", "de", "es", "it", "nl", "pt")
MAX_HITS_OF_RULE = 4

Cues = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Label -> language -> expressions."""

_OTHERS: dict[str, dict[str, tuple[str, ...]]] = {
    "auto_reply": {
        "fr": (
            r"(?:reponse|message) automatique|accuse (?:automatique|de lecture)|ceci est un (?:message|accuse)<_>automatique",
            r"je (?:suis|serai) (?:\w+ )?(?:absent\w*|en conges?|en vacances|en arret|en deplacement|en formation|indisponible|de retour)",
            r"absente? (?:du bureau|jusqu'au|du \d|et|de)|en conges? (?:jusqu'|maternite|parental|du)|de retour (?:le|lundi|mardi|mercredi|jeudi|vendredi|au bureau)",
            r"nous avons bien recu votre (?:message|demande|mail|courriel|mel)<_>",
            r"votre (?:ticket|demande|message)<_>(?:n°|numero|a bien ete (?:enregistr|recu|pris)|est enregistr)",
            r"en cas d'urgence<_>(?:contact|ecri|appel|adress)|je ne (?:lirai|consulte|lis) (?:pas|plus)<_>(?:mail|message|boite)",
            r"votre message<_>(?:a ete (?:lu|affiche|ouvert)|transfer)|(?:boite|adresse) (?:\w+ ){0,3}n'est (?:plus|pas) (?:relevee|consultee|lue|utilisee|suivie)",
            r"(?:est|sera|sommes|serons) (?:ferme\w*|clos\w*)<_>|reouverture|generee? automatiquement|fermeture annuelle",
            r"(?:j'ai quitte|ne fais plus partie|ne travaille plus)<_>(?:entreprise|societe|association|cse|poste|depuis|le \d)|n'utilise plus cette (?:boite|adresse)|sera bientot desactivee",
            r"en tournee jusqu|en audience|retour le \d|traites? (?:a la rentree|dans l'ordre d'arrivee)",
        ),
        "en": (
            r"out of (?:the )?office|automatic (?:reply|response)|auto-?reply|on (?:annual |parental |maternity |sick |study )?leave|\bi(?:'m| am) (?:away|off|out)\b<_>(?:until|till|from)?",
            r"(?:thank you|thanks) for (?:your (?:email|message|enquiry|mail)|contacting|getting in touch|writing)<_>(?:we|i|this|will|aim|ticket|your)",
            r"we(?:'ve| have) received your|your (?:ticket|case|reference|message) (?:number )?(?:is|has been)<_>(?:registered|received|logged)|will (?:be|get) back (?:to you|on|in)",
            r"(?:your message|was) <_>(?:was|has been) (?:read|displayed|opened)|read receipt|return receipt",
            r"(?:this|the) (?:mailbox|inbox|address) is (?:no longer|not) (?:monitored|in use|read)|do not reply to this",
            r"no longer (?:work|employed|with)<_>|i've (?:left|moved on)|(?:mailbox|inbox|address)<_>(?:will close|isn't monitored|is not monitored|unmonitored)|automatic message",
            r"(?:i'm|im|i am)<_>(?:til|till|until) (?:\w+ )?\d|i'll get back to you|office is (?:closed|staffed)|we aim to (?:answer|reply|respond)|ticket number",
        ),
        "de": (r"abwesenheit\w*|nicht im (?:buro|haus)|im urlaub|automatische (?:antwort|nachricht)",),
        "es": (r"fuera de la oficina|respuesta automatica|de vacaciones|estare ausente",),
        "it": (r"fuori (?:ufficio|sede)|risposta automatica|in ferie",),
        "nl": (r"afwezig\w*|automatisch (?:antwoord|bericht)|met vakantie",),
        "pt": (r"fora do escritorio|resposta automatica|estou ausente|de ferias",),
    },
    "bounce": {
        "fr": (
            r"(?:n'a pas|n'ont pas|pas) (?:pu |ete )+(?:etre )?(?:remis|distribue|delivre|livre|achemine|transmis)\w*",
            r"(?:remise|distribution) (?:impossible|differee|retardee)|echec de (?:la )?(?:remise|distribution)|non[- ](?:remis|distribue|delivre)\w*|notification d'echec",
            r"utilisateur inconnu|adresse (?:\w+ )?(?:introuvable|inexistante|inconnue)|boite (?:\w+ ){0,3}(?:pleine|saturee)",
            r"(?:cliquez|repondez|confirmez)<_>(?:liberer|delivr\w+|remis|humain|robot|expediteur|antispam|anti-spam)",
            r"compte (?:desactive|suspendu|inexistant)|(?:place|mis|mise) en quarantaine|bloque par (?:notre|la) (?:politique|passerelle)|cliquer (?:une seule fois )?sur ce lien|vous etes (?:bien )?(?:humain|une personne)",
        ),
        "en": (
            r"undeliver\w+|delivery (?:status|has failed|failure|failed|incomplete|delayed|to the following)|(?:could not|couldn't|wasn't|was not|cannot) be(?:en)? delivered|message (?:blocked|not delivered|delayed|rejected)",
            r"mailer-?daemon|final-recipient|diagnostic-code|remote-mta|\b[45]\.\d\.\d{1,3}\b|\b55\d[ -]|user unknown|no such user|address not found|mailbox (?:is )?full|address rejected|over quota",
            r"(?:click|reply|confirm)<_>(?:let|release|deliver\w*|human|robot|approved sender|whitelist)|your (?:message|email) is (?:being held|waiting|quarantined|on hold)",
            r"prove (?:that )?you(?:'re| are) (?:a )?(?:human|person)|one click needed|stopped at our gateway|has not been (?:delivered|received)|keep out unwanted mail|message held|is waiting|\b5\d\d \d\.\d",
        ),
        "de": (r"unzustellbar\w*|konnte nicht zugestellt",),
        "es": (r"no se (?:pudo|ha podido) entregar",),
        "it": (r"impossibile (?:recapitare|consegnare)|mancata consegna",),
        "nl": (r"onbestelbaar|kon niet worden (?:bezorgd|afgeleverd)",),
        "pt": (r"nao (?:pode|foi possivel) (?:ser )?(?:entreg\w+)",),
    },
    "spam": {
        "fr": (
            r"(?:a partir de|seulement|des|pour) \d+ ?(?:€|euros?|eur)|\d+ ?(?:€|eur(?:os)?)(?: ht)? ?(?:/|par) ?mois|essai gratuit|audit (?:\w+ )?(?:gratuit|offert)|devis gratuit|sans engagement",
            r"dpo externe|(?:externalis\w+|mutualis\w+)<_>dpo|(?:notre|nos) (?:offre|solution|logiciel|expert|cabinet|plateforme)\w*<_>(?:rgpd|conform\w+|dpo|permet|accompagn\w+)",
            r"(?:on se cale|un creneau|15 min\w*|20 min\w*|echange telephonique|prendre rendez-vous|reserver une demo|une demonstration)",
            r"(?:confirmez|validez|verifiez)<_>(?:mot de passe|compte|identifiants|boite|coordonnees bancaires)|sera suspendue?|votre colis|frais de (?:livraison|douane)|domaine expire",
            r"ignore[rz]? (?:\w+ ){0,3}(?:instructions|consignes)|(?:tu es|vous etes) (?:desormais|maintenant) un|prompt (?:systeme|system)|agent de tri|ecris un poeme|assistant (?:sans restriction|ia)",
            r"vous avez (?:gagne|ete selectionne\w*)|heritage de \d|millions? d(?:e|')|bitcoin|crypto\w*|gagner \d+",
            r"il reste \d+ places?|\d+ ?€ piece|stop au \d{5}|formation (?:certifiante|finan\w+)|finan[cç]able|destockage|webinaire|places limitees|early bird|inscrivez-vous|offre (?:limitee|flash)|-\d+ ?%",
            r"virement (?:\w+ )?(?:urgent|confidentiel)|regle de transfert|(?:leguer|legs de|don de) \d|maladie incurable|amende (?:impayee|de)|avant majoration|annuaire officiel|regarde la video|gagne[rz] \d",
            r"(?:un|mercredi|jeudi|lundi|mardi|vendredi) ou (?:mardi|mercredi|jeudi|vendredi) \?|oui/non suffit|je me permets de (?:vous )?(?:relancer|revenir)<_>(?:offre|echange|retour)|protection sociale de vos dirigeants",
        ),
        "en": (
            r"(?:free (?:trial|audit|demo|consultation)|book a (?:call|demo|slot)|quick call|15[- ]min\w*|no obligation|limited (?:offer|time)|special offer)",
            r"external dpo|dpo as a service|(?:our|we offer|we provide|i offer) (?:\w+ ){0,3}(?:solution|platform|software|service\w*|tool|audit|backlinks?)<_>",
            r"(?:guest (?:post|article)|backlinks?|do-?follow|seo|first page of google|rank\w* higher|web ?design)",
            r"(?:verify|confirm|validate|update)<_>(?:your (?:account|password|mailbox|payment|identity)|password)|will be suspended|parcel|customs fee|delivery fee",
            r"(?:ignore|disregard|forget) (?:all |any |your )?(?:the )?(?:previous|prior|above)|system prompt|you are now|jailbreak|as an ai",
            r"(?:million|mio) (?:usd|dollars|euros?|pounds)|next of kin of a|bitcoin|btc\b|wallet|you have won|lottery|investment opportunity|business proposal|esteemed manuscript|call for papers?",
            r"seats left|early bird|free sample|we supply|can i send|masterclass|webinar|congratulations|claim your|winner|who do i speak to about|bumping this|my last \d (?:notes|emails)|did you get a chance",
            r"\x22role\x22|classify this message|^/admin|export (?:register|all)|bank (?:details|coordinates)<_>(?:rectified|changed|updated)|payment run|beneficiary|annual (?:charge|contribution|fee)|settle the|dear (?:user|beloved|friend)|current password|gift card",
        ),
    },
    "authority": {
        "fr": (
            r"(?:commission nationale de l'informatique|la cnil a ete saisie|mission de controle|presidente de la commission|controle sur pieces|service des plaintes)",
            r"requisition\w*|requerons|(?:officier|agent) de police judiciaire|\bopj\b|enquete (?:preliminaire|de flagrance|judiciaire|en cours)|garde a vue|procureur|commission rogatoire|gendarmerie|brigade",
            r"(?:tribunal|juge (?:aux affaires|d'instruction|des)|greffe|ordonnance du)<_>(?:ordonne|production|saisi|communication|judiciaire|\d)|droit de communication|livre des procedures fiscales|controle (?:fiscal|urssaf|taxe)",
            r"(?:consulat|ambassade|prefecture|inspection (?:du travail|acm)|urssaf|dgfip|finances publiques|batonnier|defenseur des droits)<_>",
            r"(?:suite au|lors du|dans le cadre d'un) controle|commissaire (?:de justice|divisionnaire)|ressortissant\w*",
            r"avis de controle|decision n|presidente? de la commission|n(?:°|o) parquet|comparaitre|en qualite de temoin|ordonnance de|mon attention a ete appelee|notre inspect\w+|procede a un controle|lettre de mission|registre des nuitees|sous (?:quinze|15|huit|8) jours|vous voudrez bien (?:renseigner|produire|me faire|nous)",
            r"(?:tenir|tenez) a (?:la )?disposition|merci de (?:regulariser|transmettre le registre)|pour les necessites d'une enquete|designation de dpo|adjudant|brigadier|capitaine de police|major\b",
        ),
        "en": (
            r"supervisory authority|data protection commission\w*|information commissioner'?s? office<_>(?:has|received|writing)|mutual assistance|request for observations|our reference<_>complain\w*",
            r"(?:embassy|consulate|consular|our national\b|police|interpol|constabulary|detective|inspector|prosecutor)<_>",
            r"(?:court order|warrant|subpoena|letters rogatory|witness summons|tax (?:authority|administration|inspection)|criminal (?:inquiry|investigation))",
            r"(?:you are|you're) (?:required|invited|requested|ordered) to (?:transmit|supply|produce|provide|preserve)",
            r"officer in the case|district judge|sealed (?:copy of the )?order|disclosure order|competent (?:supervisory )?authority|under art(?:icle|\.)? (?:56|61)|multilateral control|request for observations|commission nationale de l'informatique|complainant|administrative (?:inquiry|assistance)|magistrate",
        ),
        "de": (r"staatsanwaltschaft|kriminalpolizei|aufsichtsbehorde|generalkonsulat|botschaft",),
        "es": (r"agencia espanola de proteccion|policia nacional|juzgado|consulado general",),
        "it": (
            r"garante per la protezione dei dati personali (?:ha|comunica)|procura della repubblica|carabinieri|questura|consolato generale",
        ),
        "nl": (r"autoriteit persoonsgegevens (?:heeft|verzoekt)|officier van justitie|ambassade",),
        "pt": (r"comissao nacional de protecao de dados (?:recebeu|notifica)|ministerio publico|consulado[- ]geral",),
    },
    "reminder": {
        "fr": (
            r"toujours (?:pas|rien|aucun\w*|en ligne|sans)|(?:reste\w*|demeure\w*|restee?) (?:\w+ )?(?:sans (?:reponse|suite)|lettre morte)|sans (?:reponse|nouvelles?|retour) (?:de votre part|a ce jour|depuis)?",
            r"(?:\d+|deux|trois|quatre|cinq|six|sept|huit|plusieurs|trente\S*|un) (?:jours|semaines|mois)(?: et demi)? (?:que|apres|depuis|plus tard|sans|passes?)|(?:ca|cela|voila|voici) (?:fait )?(?:maintenant |deja )?(?:\w+ ){1,3}(?:jours|semaines|mois)",
            r"(?:relance|rappel)\b<_>(?:n|auto|demande|formel)?|(?:2|3)e (?:rappel|relance)|(?:deuxieme|seconde|troisieme|derniere|enieme) (?:fois|relance|demande|rappel|message)|par deux fois|je reitere|je relance",
            r"delai (?:\w+ ){0,4}(?:expire|depasse|ecoule|passe|est expire)|terme a expire|hors delai|(?:la prochaine fois|sinon|a defaut|faute de (?:quoi|reponse))<_>(?:cnil|plainte|juge|tribunal)",
            r"vous (?:m'aviez|m'avez|aviez|deviez) (?:promis|dit|assure|ecrit)|(?:vous )?attendez quoi|perds patience|j'attends (?:toujours|encore|depuis)",
            r"\bj\+\d+|(?:semaines?|mois|jours)[, ]+(?:et )?(?:pas|aucun\w*|toujours) (?:une? )?(?:ligne|mot|reponse|nouvelle)|pas un mot|dernier avertissement|echeance (?:legale )?:|combien de fois|on avait dit|je vous avais (?:prevenu\w*|ecrit|demande)|encore une (?:lettre|pub)|vous deviez",
            r"(?:le|un) mois<_>(?:a expire|est passe|ecoule)|ni reponse ni|n'ai (?:encore )?(?:recu )?(?:ni|aucune?|toujours) (?:reponse)?|(?:continue|elle y est|il y est|y sont) (?:encore|toujours)",
        ),
        "en": (
            r"still (?:waiting|no|nothing|not|there|up|online|getting|have(?:n't)?|receiving|in)\b|(?:no|without) (?:reply|answer|response)<_>|heard nothing|haven'?t (?:heard|received|had)|nothing (?:since|yet|back)",
            r"(?:\w+) (?:days|weeks|months) (?:since|ago|have|has|now|later|and|without)|it'?s been<_>(?:days|weeks|months)|you had until|that month has run|passed one month",
            r"(?:second|third|final|2nd|3rd) (?:notice|reminder|time|letter|request|email|mail)|\breminder\b|overdue|chasing|following up",
            r"(?:next (?:email|letter) goes|or (?:i|the next)|otherwise)<_>(?:cnil|ico|regulator|court)|you (?:said|told|promised)<_>",
            r"still (?:\w+ )?(?:online|up|visible|there)",
            r"day \d+\b|(?:the )?month (?:ran|has run|is) (?:out|up)|must press|how many times|one month ?!+|(?:seven|six|five|four|three|two|eight|nine|ten|twelve|\d+) (?:weeks|months|days)<_>(?:on|since|and|later|now|have|!)|continues there|not (?:yet )?received (?:any|the|a)<_>(?:reply|details|answer)|nudge|gentle reminder",
        ),
        "de": (
            r"immer noch (?:keine|nicht)|bisher keine antwort|erinnerung|seit \w+ (?:wochen|monaten)|zum zweiten mal",
        ),
        "es": (r"sigo sin|todavia no|aun no he recibido|segunda vez|recordatorio|hace (?:\w+ ){1,2}(?:semanas|meses)",),
        "it": (r"non ho ancora ricevuto|ancora nessuna|sollecito|seconda volta|e passat\w+",),
        "nl": (r"nog (?:steeds|altijd) (?:geen|niets|niet)|herinnering|tweede keer",),
        "pt": (r"ainda nao (?:recebi|tive)|continuo sem|segunda vez|lembrete",),
    },
    "status_inquiry": {
        "fr": (
            r"ou (?:en (?:est|etes|sont|sommes)|ca en est|en est-on)|(?:a quel|quel) stade|etat d'avancement|point d'etape|des nouvelles",
            r"(?:avez[- ]vous|est[- ]ce que vous avez|vous avez) (?:bien )?(?:recu|eu) (?:mon|ma|mes|notre|le)|(?:bien|est) (?:recu|arrive\w*|parti|transmis\w*)<_>\?|bonne reception",
            r"(?:quand|a quelle date|vers quelle date|sous combien|dans combien)<_>(?:pret\w*|recev\w+|aurai|avoir|reponse|disponible|pense[zr]|esperer|compte[zr])",
            r"sera\w*<_>pret\w*|(?:c'est|est-ce|la photo est-elle|c'est-tu) (?:fait|bon|complet|descendue?|parti)|ca s'en vient|(?:simple|petite) question|pas presse|(?:ne vous )presse pas",
            r"(?:est|sont)[- ](?:il|elle|ils|elles)<_>(?:arrive\w*|parti\w*|recu\w*|enregistre\w*|pret\w*|descendu\w*|bien)|bien parvenue?s?|toujours a l'etude|pas encore ?\?|(?:c'est|est-ce que c'est) (?:fini|fait|bon)<_>\?|date previsionnelle|l'esperer (?:vers|pour)",
        ),
        "en": (
            r"any (?:news|update|progress)|where (?:do )?(?:things|it|we|are we|my) <_>(?:stand|up to|at)|(?:just )?(?:checking|wondering) (?:if|whether|did|how|in)|status of",
            r"did (?:you|it|ye|u|my)<_>(?:get|receive|arrive|work|come)|(?:received|arrived|complete|safely)\?|has (?:it|my)<_>(?:arrived|been (?:received|passed))",
            r"(?:when|how long)<_>(?:expect|be ready|hear|ready|will|take)|no (?:rush|hurry|panic)|be ready (?:before|by)",
            r"(?:is|are) (?:it|they|the \w+|my \w+)<_>(?:ready|done|complete|gone|down)(?: yet)?\b|ready or not|did it work|if you have received|do i (?:need|have) to do something",
        ),
        "de": (r"stand der (?:dinge|bearbeitung)|haben sie<_>erhalten|wann (?:kann|darf|bekomme)",),
        "es": (r"en que estado|han recibido|cuando (?:estara|recibire)",),
        "it": (r"a che punto|avete ricevuto|quando (?:sara|ricevero)",),
        "nl": (r"hoe staat het|hebt u<_>ontvangen|wanneer (?:kan|krijg|is)",),
        "pt": (r"em que (?:ponto|pe|estado)|receberam|quando (?:estara|recebo)",),
    },
    "identity_reply": {
        "fr": (
            r"(?:voici|voila|ci-joint\w*|je (?:vous )?(?:joins|transmets|envoie|fais parvenir)|j'envoie|en pj|en piece jointe|vous trouverez)<_>(?:piece|carte|cni|passeport|justificatif|livret|permis|titre de sejour|identite|acte|attestation|elements|procuration|domicile|copie authentique|photo de ma carte)",
            r"(?:comme|que|ainsi que) (?:vous )?(?:l'avez |m'avez |aviez |avez )?(?:demande\w*|reclame\w*|souhait\w+|conseill\w+|dit|vouli\w+)|vous (?:me )?(?:reclam\w+|demandi\w+|vouli\w+|demandez)<_>(?:piece|identite|date|photo|savoir|verifier|preuve)",
            r"(?:j'ai|ai) (?:\w+ )?(?:cache|masque|barre|noirci|barbouille|caviarde|recouvert)|(?:cache|noirci|caviarde|masque|barre)e?s?<_>(?:numero|photo|reste)",
            r"(?:pour|afin de) (?:verifier|prouver|confirmer|etablir)<_>(?:identite|c'est bien moi|que je suis)|lever le doute|(?:part|arrive)<_>(?:par la poste|demain)",
            r"(?:ma|mon) (?:date de naissance|numero de reservation|carte d'identite|passeport)<_>(?:est|:|c'est)",
        ),
        "en": (
            r"(?:here(?:'s| is| are)|attached(?: is| are| please find)?|i attach|enclosed|please find|sending)<_>(?:id\b|identity|passport|licen[cs]e|card|certificate|proof|document|bill|student id|copy of my)",
            r"(?:like|as|which) (?:you|u) (?:asked|said|requested|wanted)|you (?:asked|wanted)<_>(?:proof|id|know|who|date|my)",
            r"(?:covered|blacked|scribbled|blanked|masked|redacted|hid)<_>(?:number|photo|out|up|on|rest)",
            r"(?:my|her|his) (?:date of birth|dob|booking (?:number|reference)|last booking) (?:is|was)|to (?:prove|confirm|verify)<_>(?:who i am|identity|it'?s me)",
            r"\bcert(?:ificate)? attached|^attached\.?$",
        ),
        "de": (r"anbei<_>(?:ausweis\w*|kopie|reisepass|dokument|nachweis)|ausweiskopie",),
        "es": (r"adjunto<_>(?:dni|pasaporte|documento|copia)|les (?:envio|adjunto)<_>(?:dni|pasaporte|identidad)",),
        "it": (r"(?:allego|in allegato)<_>(?:carta|documento|passaporto|copia)",),
        "nl": (r"(?:bijgevoegd|hierbij|in bijlage)<_>(?:kopie|paspoort|identiteitskaart|rijbewijs|bewijs)",),
        "pt": (r"(?:em anexo|anexo|segue)<_>(?:copia|cartao|passaporte|documento|comprovativo)",),
    },
    "not_request": {
        "fr": (
            r"(?:horaires?|ouvertures?|reception|tarifs?|chambre|lits?|nuits?|petit[- ]dej\w*|wifi|chauffage|douche|drap\w*|parking|ascenseur|menu|repas|dortoir)\b<_>",
            r"(?:remboursement|rembourser|facture|acompte|arrhes|caution|devis)\b<_>",
            r"(?:oublie|perdu|egare|laisse) (?:\w+ ){0,3}(?:mon|ma|mes|son|sa|un|une|le|la)\b(?! code)|objets? (?:trouve|perdu)s?|doudou",
            r"candidature|lettre de motivation|alternance|\bstage\b|poste de|memoire de|these sur|journalist\w+|reportage|questionnaire|etudiante? en",
            r"(?:avenant|annexe|convention|contrat|clause)s?\b<_>|ordre du jour|assemblee generale|newsletter n|bulletin de (?:paie|salaire)|certificat de travail|attestation de (?:sejour|travail|presence)",
            r"(?:merci|remercie)<_>(?:pour|beaucoup|bien|encore|reponse|rapid\w+|aide)|bien recu\b|tout est (?:en ordre|bon|regle|parfait)|n'attends plus rien|(?:laissez|laisse) tomber|j'annule ma demande|oubliez ma demande|erreur de ma part",
            r"(?:changer|modifier|decaler|deplacer|annuler)<_>(?:reservation|resa|dates?|sejour|nuits?|nombre)|(?:au lieu d[e']|passe(?:r|ons|e) de) \d+<_>\d*|(?:salut|coucou|hello),? <_>(?:tu|t'as|tu peux)",
            r"je (?:retire|annule) ma (?:demande|plainte)|classez (?:donc )?l'affaire|(?:n'en|ne) (?:parlons|faites) plus rien|vous pouvez clore|malentendu regle|plus besoin|ne vous derangez",
            r"je (?:lui |leur )?reponds quoi|je seche sur|rappelle-moi|cher confrere|chere consoeur|(?:t'as|tu as|as-tu|aurais-tu|tu aurais)\b|en interne|pour (?:ton|votre) information",
        ),
        "en": (
            r"(?:opening (?:hours|times)|office hours|prices?|rates|rooms?|beds?|nights?|breakfast|wifi|heating|shower|towels?|sheets?|parking|lift|menu|dinner|dorm|bunk)\b<_>",
            r"(?:refund|invoice|deposit|quote|overcharged|charged)\b<_>",
            r"(?:left|lost|forgot|forgotten|found|hand(?:ed)? in)<_>(?:coat|phone|charger|jacket|wallet|scarf|bag|umbrella|teddy|glasses|behind|keys?|toy)|lost property",
            r"apply(?:ing)? for|application for|vacancy|internship|cover letter|dissertation|thesis|journalist|interview|questionnaire|survey on|researcher",
            r"(?:contract|annex|clause|agreement draft|data (?:sharing|processing) agreement|allotment)\b<_>|agenda|newsletter|unsubscribe \||payslip|pay slip|employment reference|visa letter|accommodation letter",
            r"(?:thank you|thanks)<_>(?:for|all|so much|again|quick|fast|kind|help|sorting)|all (?:good|is ok|sorted|fine)|resolved|much appreciated|never ?mind|ignore my|i withdraw my request|changed my mind, keep",
            r"(?:change|amend|move|cancel|alter)<_>(?:booking|reservation|dates?|stay|numbers?|pupils)|(?:instead of|down to|up to|down from) \d+",
            r"forget i said|nothing for you to do|leave it (?:so|be)|you can close|no need any ?more|i changed my mind, ?(?:keep|leave)|please (?:ignore|disregard) my",
            r"am i allowed|a guest (?:is asking|asked|wants)|what do i (?:tell|answer|say)|before i answer|my thesis|privacy policy|curfew|check-?(?:in|out)\b|how do i get|what time|is there a\b",
        ),
        "de": (r"fruhstuck|zimmer|parkplatz|rechnung|ruckerstattung|verloren|vergessen<_>",),
        "es": (r"desayuno|habitacion|reembolso|factura|aparcamiento|he (?:olvidado|perdido)",),
        "it": (r"colazione|camera (?:doppia|singola)|rimborso|fattura|parcheggio|ho (?:dimenticato|perso)",),
        "nl": (r"ontbijt|kamer\b|terugbetaling|factuur|parkeren|(?:vergeten|verloren)<_>",),
        "pt": (r"pequeno-almoco|quarto\b|reembolso|fatura|estacionamento|(?:esqueci|perdi)<_>",),
    },
}

_RIGHTS_ABROAD: dict[str, dict[str, tuple[str, ...]]] = {
    "access": {
        "de": (
            r"auskunft<_>(?:daten|art|uber|nach|gespeichert)|auskunftsersuchen|welche (?:personenbezogenen )?daten|(?:was|kopie)<_>(?:gespeichert|uber mich|von mir|von ihm|von ihr)|art(?:ikel|\.)? 15",
        ),
        "es": (
            r"derecho de acceso|que datos<_>(?:tienen|tiene|sobre mi|mios)|copia de (?:mis|todos)<_>|acceso a mis datos|articulo 15",
        ),
        "it": (
            r"diritto di accesso|quali dati<_>|copia de(?:i|lle|l) <_>(?:dati|informazioni|mi)|accesso ai (?:miei )?dati|cosa (?:avete|sapete)<_>(?:su di me|di me)|articolo 15",
        ),
        "nl": (r"inzage<_>|welke gegevens<_>|kopie van (?:mijn|alle)<_>|artikel 15",),
        "pt": (
            r"direito de acesso|que dados<_>(?:tem|guardam|sobre mim|meus)|copia d(?:os|as|e) (?:meus|minhas|todos)<_>|acesso aos meus dados|artigo 15",
        ),
    },
    "portability": {
        "de": (r"datenubertrag\w*|ubertragbar\w*|maschinenlesbar\w*|art(?:ikel|\.)? 20|(?:csv|json|excel)<_>",),
        "es": (r"portabilidad|articulo 20|(?:csv|json|excel)<_>|formato (?:estructurado|electronico)",),
        "it": (r"portabilita|articolo 20|(?:csv|json|excel|file con)<_>|formato strutturato",),
        "nl": (r"overdraagbaar\w*|dataportabiliteit|artikel 20|(?:csv|json|excel)<_>",),
        "pt": (r"portabilidade|artigo 20|(?:csv|json|excel)<_>|formato estruturado",),
    },
    "rectification": {
        "de": (
            r"berichtig\w+|korrigier\w+|(?:falsch|fehler\w*|andern|aktualisier\w*)<_>(?:name\w*|adresse|geburts\w*|daten|nummer|geschrieben)|(?:name\w*|adresse|geburts\w*)<_>(?:falsch|andern|korrigier\w*)|umgezogen|neue (?:adresse|anschrift)|art(?:ikel|\.)? 16",
        ),
        "es": (
            r"rectific\w+|corrij\w+|corregir|(?:nombre|apellido|direccion|fecha)<_>(?:mal|equivocad\w*|incorrect\w*|erroneo)|nueva direccion|articulo 16",
        ),
        "it": (
            r"rettific\w+|corregg\w+|(?:nome|cognome|indirizzo|data)<_>(?:sbagliat\w*|errat\w*|scritto male)|nuovo indirizzo|articolo 16",
        ),
        "nl": (
            r"rectificatie|corrigeren|verbeteren|wijzigen|(?:naam|adres|geboortedatum)<_>(?:fout|verkeerd|onjuist|klopt niet)|verhuisd|nieuw adres|artikel 16",
        ),
        "pt": (
            r"retific\w+|corrig\w+|(?:nome|morada|data|apelido)<_>(?:errad\w*|incorret\w*|mal)|nova morada|artigo 16",
        ),
    },
    "erasure": {
        "de": (
            r"losch\w+<_>|geloscht|(?:entfern\w+|vernicht\w+)<_>(?:foto|bild|daten|konto|kopie)|(?:foto|bild|daten|konto|kopie)<_>(?:entfern\w+|loschen|vernichten|weg\b)|recht auf vergessen\w*|art(?:ikel|\.)? 17",
        ),
        "es": (
            r"(?:borr\w+|elimin\w+|suprim\w+|destru\w+|quit(?:en|ar))<_>(?:mi|mis|la|el|los|todos?|cuenta|datos|foto|copia)|derecho (?:de supresion|al olvido)|dar(?:me)? de baja mi cuenta|articulo 17",
        ),
        "it": (
            r"(?:cancell\w+|elimin\w+|rimuov\w+|toglie\w+|distrugg\w+)<_>(?:mio|mia|miei|mie|il|la|i|le|account|dati|foto|tutto)|diritto all'oblio|articolo 17",
        ),
        "nl": (
            r"(?:verwijder\w*|wis\w*|vernietig\w*)<_>|(?:foto|gegevens|account)<_>(?:verwijder\w*|wissen|weg\b)|recht op vergetelheid|artikel 17",
        ),
        "pt": (
            r"(?:apag\w+|elimin\w+|remov\w+|exclu\w+|tir(?:em|ar))<_>(?:a minha|o meu|os meus|as minhas|meu|minha|conta|dados|foto|tudo)|direito ao (?:apagamento|esquecimento)|artigo 17",
        ),
    },
    "objection": {
        "de": (
            r"widerspr\w+|keine? (?:\w+ )?(?:werbung|newsletter|mails?|anrufe?|post)<_>(?:mehr)?|(?:nicht|nie) mehr (?:anrufen|schreiben|kontaktier\w*|zusenden|schicken)|art(?:ikel|\.)? 21",
        ),
        "es": (
            r"me opongo|oponerme|(?:dejen|dejar|paren) de (?:enviar\w*|llamar\w*|mandar\w*)|no (?:quiero|deseo)<_>(?:publicidad|recibir|llamadas|mas)|no me (?:envien|llamen|manden)|articulo 21",
        ),
        "it": (
            r"mi oppongo|opposizione|(?:smett\w+|basta)<_>(?:inviar\w*|mandar\w*|chiam\w*|pubblicita|mail|messaggi)|non (?:voglio|desidero)<_>(?:pubblicita|ricevere|piu)|articolo 21",
        ),
        "nl": (
            r"bezwaar|geen (?:\w+ )?(?:reclame|mails?|post|telefoontjes|enquetes)<_>|stop met<_>|niet meer<_>(?:bellen|mailen|sturen|ontvangen|benaderd)|artikel 21",
        ),
        "pt": (
            r"oponho-?me|opor-me|oposicao|(?:parem|deixem) de (?:enviar|ligar|mandar|telefonar)<_>|nao quero<_>(?:publicidade|receber|mais)|artigo 21",
        ),
    },
    "consent_withdrawal": {
        "de": (
            r"(?:widerruf\w*|zuruckzieh\w*|ziehe|nehme)<_>(?:einwilligung|zustimmung|erlaubnis|zuruck)|(?:einwilligung|zustimmung)<_>(?:widerruf\w*|zuruck)|newsletter<_>(?:abmeld\w*|abbestell\w*)|(?:abmeld\w*|abbestell\w*)<_>newsletter",
        ),
        "es": (
            r"(?:retir\w+|revoc\w+)<_>(?:consentimiento|autorizacion|permiso)|dar(?:me)? de baja<_>(?:boletin|newsletter|lista)|ya no (?:quiero|autorizo|consiento)",
        ),
        "it": (
            r"(?:ritir\w+|revoc\w+)<_>(?:consenso|autorizzazione)|(?:disiscri\w+|cancellarmi dalla)<_>|non (?:do|autorizzo|acconsento) piu",
        ),
        "nl": (
            r"(?:trek|intrek\w*)<_>(?:toestemming|in\b)|toestemming<_>(?:in\b|intrekk\w*)|(?:uitschrij\w*|afmeld\w*)<_>nieuwsbrief|nieuwsbrief<_>(?:uitschrij\w*|afmeld\w*)",
        ),
        "pt": (
            r"(?:retir\w+|revog\w+)<_>(?:consentimento|autorizacao)|(?:ja nao|deixei de) (?:o |a )?(?:quero|autorizo|consinto)<_>|(?:inscrevi|subscrevi)<_>(?:ja nao|nao quero)",
        ),
    },
    "restriction": {
        "de": (
            r"einschrankung<_>verarbeitung|verarbeitung<_>einschrank\w*|(?:sperr\w*|einfrier\w*)<_>|weder<_>(?:nutzen|verwenden)<_>noch|nicht (?:loschen|verwenden)<_>(?:bis|solange)|art(?:ikel|\.)? 18",
        ),
        "es": (
            r"limitacion del tratamiento|(?:congel\w+|bloque\w+)<_>(?:datos|expediente)|(?:no (?:borren|usen|utilicen))<_>(?:hasta|mientras|ni)|articulo 18",
        ),
        "it": (
            r"limitazione del trattamento|(?:congel\w+|blocca\w+)<_>(?:dati|scheda)|(?:non (?:cancellat\w*|usat\w*))<_>(?:fino|finche|ma)|conservat\w*<_>senza (?:usar\w*|toccar\w*)|articolo 18",
        ),
        "nl": (
            r"beperking van de verwerking|(?:bevries\w*|bevroren|blokke\w+)<_>|niet (?:gebruiken|wissen|verwijderen)<_>(?:tot|zolang|maar)|artikel 18",
        ),
        "pt": (
            r"limitacao do tratamento|(?:congel\w+|bloque\w+|suspend\w+)<_>(?:dados|processo)|nao (?:apaguem|usem|utilizem)<_>(?:ate|enquanto|nem)|artigo 18",
        ),
    },
    "post_mortem": {
        "de": (r"verstorben\w*|gestorben|verstarb|erbin|erbe\b|erbschein|nachlass|sterbeurkunde",),
        "es": (r"fallec\w+|murio|difunt\w+|heredero|heredera|herencia|certificado de defuncion",),
        "it": (r"decedut\w+|defunt\w+|e (?:morto|morta|mancat\w+)|erede\b|eredita\b|certificato di morte",),
        "nl": (r"overleden|overlijden|nalatenschap|erfgenaam|nabestaande\w*",),
        "pt": (r"falec\w+|morreu|falecid\w+|herdeir\w+|heranca|certidao de obito",),
    },
    "complaint": {
        "de": (
            r"beschwer\w+<_>|ich (?:verlange|erwarte)<_>(?:erklarung|stellungnahme)|unzumutbar|inakzeptabel|unverschamt",
        ),
        "es": (
            r"(?:presentar|poner|formular)<_>(?:queja|reclamacion)|queja (?:formal|por)|exijo<_>(?:explicacion\w*|saber)|inaceptable|indignante",
        ),
        "it": (r"(?:reclamo|lamentel\w+)<_>|(?:pretendo|esigo)<_>spiegazion\w*|inaccettabile|vergogn\w+",),
        "nl": (r"klacht<_>|(?:wil|verwacht|eis)<_>uitleg|onaanvaardbaar|schandalig",),
        "pt": (r"(?:apresentar|fazer|formalizar)<_>(?:queixa|reclamacao)|exijo<_>explicac\w+|inaceitavel|vergonh\w+",),
    },
    "breach_report": {
        "de": (
            r"datenpanne|datenleck|(?:daten|liste|rechnung|unterlagen)<_>(?:fremd\w*|anderen? (?:gast\w*|person)|offentlich|einsehbar)|(?:habe|haben)<_>(?:rechnung|unterlagen|daten)<_>(?:anderen?|fremden?)<_>erhalten",
        ),
        "es": (
            r"(?:brecha|filtracion|fuga)<_>(?:datos|seguridad)|(?:he recibido|me han enviado)<_>(?:de otra?|datos de)<_>|datos<_>(?:expuest\w+|visibles|a la vista)",
        ),
        "it": (
            r"(?:violazione|fuga)<_>dati|(?:ho ricevuto|mi avete (?:mandato|inviato))<_>(?:di un altr\w+|di un'altra|dati di)<_>|dati<_>(?:visibili|espost\w+|di altri)",
        ),
        "nl": (
            r"datalek|(?:heb|kreeg|ontving)<_>(?:gegevens|factuur|mail)<_>(?:iemand anders|andere gast\w*)|gegevens<_>(?:zichtbaar|op straat|gelekt)",
        ),
        "pt": (
            r"(?:violacao|fuga)<_>dados|(?:recebi|enviaram-me)<_>(?:de outr\w+|dados de)<_>|dados<_>(?:expost\w+|visiveis|de outr\w+)",
        ),
    },
}

OTHERS: Cues = MappingProxyType(_OTHERS)
"""Cues of the primaries that are no right."""
RIGHTS_ABROAD: Cues = MappingProxyType(_RIGHTS_ABROAD)
"""Cues of the rights in the languages that the rights' own files leave out."""

NEGATABLE = frozenset(
    {"access", "portability", "rectification", "erasure", "consent_withdrawal", "post_mortem", "complaint"}
)
"""Labels that a negation before the cue takes back; objection and restriction are negations themselves."""

_NEGATED = re.compile(
    r"(?:\bne (?:\w+ ){0,2}?\w+ (?:\w+ )?(?:pas|point|nullement|aucunement|plus)\b|\bn'\w+ (?:\w+ )?(?:pas|point|nullement|aucunement|besoin)\b"
    r"|\b(?:inutile|pas besoin|sans pour autant|sans que|pas question|surtout pas|surtout ne|plutot que|au lieu|non pas|pas pour|pas d[eu'])\b"
    r"|\b(?:ne|n')(?=\s*$)|\b(?:do not|don'?t|does not|doesn'?t|did not|didn'?t|not asking|no need|not|without|rather than|instead of|never)\b"
    r"|\b(?:nicht|kein\w*|ohne|no|sin|non|senza|niet|geen|zonder|nao|sem)\b)[^.!?;,\n]{0,28}$"
)
_EXHORTED = re.compile(
    r"(?:n'hesitez pas|toujours (?:pas|rien|aucun\w*|sans)|sans (?:reponse|suite|nouvelles?)|aucune (?:reponse|suite)|pourquoi (?:\w+ ){0,2}(?:ne|n')|why (?:don'?t|do not) you|cannot you|can'?t you|you (?:still )?(?:have|did)n'?t|vous n'avez (?:toujours )?pas|still)[^.!?;\n]{0,40}$"
)
_CONDITIONAL = re.compile(
    r"\b(?:si (?:jamais )?(?:je|j'|nous|on) (?:\w+ )?(?:demand(?:ais|ions|ait|e)|voulais|souhaitais|venais)|au cas ou (?:je|nous)|si quelqu'un"
    r"|if (?:i|we|someone|somebody|a guest|one|ever) (?:\w+ ){0,2}(?:ask\w*|want\w*|were|request\w*|decide\w*)|in case (?:i|we)|suppose|what would happen if|hypothetically)\b[^.!?\n]{0,50}$"
)
_NEGATED_INSIDE = re.compile(r"\b(?:ne|n'|do not|don'?t|not)\s?(?:\w+ ){0,1}?$")
_QUOTES = re.compile(r"«[^»\n]{8,300}»|“[^”\n]{8,300}”|\"[^\"\n]{8,300}\"")
_LEADING_CONCEPT = re.compile(r"^<([a-z]+)>(?!\|)")


@dataclass(frozen=True)
class Hit:
    """A cue found in a folded text, with offsets of that text."""

    label: str
    rule: str
    start: int
    end: int
    negated: bool = False
    conditional: bool = False
    quoted: bool = False

    @property
    def meant(self) -> bool:
        """Whether the writer says it in earnest, here and now."""
        return not (self.negated or self.conditional or self.quoted)


@dataclass(frozen=True)
class _Rule:
    name: str
    label: str
    concept: str | None
    """Concept that the cue begins with; the expression then matches what follows it."""
    expression: re.Pattern[str]


class CueError(ValueError):
    """A cue is no valid expression or names an unknown concept; the message names the rule. Mend the right's file."""


class Rules:
    """All cues, compiled once."""

    def __init__(self, cues: Cues) -> None:
        """Compile *cues* (those of the rights) and the tables of this module.

        Raises :class:`CueError` for a cue that cannot be compiled.
        """
        self._rules: list[_Rule] = []
        for table in (cues, RIGHTS_ABROAD, OTHERS):
            for label, languages in table.items():
                for language, expressions in languages.items():
                    for number, cue in enumerate(expressions, start=1):
                        self._rules.append(_compile(f"{label}-{language}-{number}", label, cue))
        names = [rule.name for rule in self._rules]
        if len(set(names)) != len(names):
            raise CueError("a right's file and nlp.cues give cues for the same label and language")
        # The rules without a leading concept stand first, as the index numbers them.
        self._rules.sort(key=lambda rule: rule.concept is not None)
        self._index = Index([rule.expression for rule in self._rules if rule.concept is None])
        self._by_concept: dict[str, list[int]] = {}
        for number, rule in enumerate(self._rules):
            if rule.concept is not None:
                self._by_concept.setdefault(rule.concept, []).append(number)

    def find(self, folded: Folded, concepts: Mapping[str, Sequence[tuple[int, int]]] | None = None) -> list[Hit]:
        """Return the cues in *folded* in order of place; the same span stands once per label.

        *concepts* are the spans of :func:`concept_spans`, where the caller has them already.
        """
        text = folded.text
        spans = concept_spans(text) if concepts is None else concepts
        quotes = [found.span() for found in _QUOTES.finditer(text)]
        hits: list[Hit] = []
        counts = [0] * len(self._rules)
        for number, start, end in self._index.find(text):
            if counts[number] < MAX_HITS_OF_RULE:
                counts[number] += 1
                hits.append(_weigh(self._rules[number], text, start, end, quotes))
        for concept, numbers in self._by_concept.items():
            for start, end in spans.get(concept, ()):
                for number in numbers:
                    found = self._rules[number].expression.match(text, end)
                    if found and counts[number] < MAX_HITS_OF_RULE:
                        counts[number] += 1
                        hits.append(_weigh(self._rules[number], text, start, found.end(), quotes))
        hits.sort(key=lambda hit: (hit.start, -hit.end, hit.rule))
        return hits


def concept_spans(text: str) -> dict[str, list[tuple[int, int]]]:
    """Return the spans of each concept that occurs in the folded *text*."""
    names, index = _concepts()
    spans: dict[str, list[tuple[int, int]]] = {}
    for number, start, end in index.find(text):
        spans.setdefault(names[number], []).append((start, end))
    return spans


@lru_cache(maxsize=1)
def _concepts() -> tuple[Sequence[str], Index]:
    return list(patterns()), Index(list(patterns().values()))


def _compile(name: str, label: str, cue: str) -> _Rule:
    leading = _LEADING_CONCEPT.match(cue)
    concept = leading[1] if leading else None
    rest = cue[leading.end() :] if leading else cue
    try:
        return _Rule(name, label, concept, re.compile(expand(rest.replace("<_>", GAP))))
    except (re.error, KeyError) as error:
        raise CueError(f"cue {name} cannot be compiled: {error}") from error


def _weigh(rule: _Rule, text: str, start: int, end: int, quotes: Sequence[tuple[int, int]]) -> Hit:
    before = text[max(0, start - 70) : start]
    negated = rule.label in NEGATABLE and bool(_NEGATED.search(before)) and not _EXHORTED.search(before)
    return Hit(
        label=rule.label,
        rule=rule.name,
        start=start,
        end=end,
        negated=negated,
        conditional=bool(_CONDITIONAL.search(before)),
        quoted=any(opened <= start and end <= closed for opened, closed in quotes),
    )
