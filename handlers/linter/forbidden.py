"""Words that no letter of ours may hold, whatever it is about: what the linter looks for, and what to write instead.

Each row: code, pattern on folded text (lower case, no accents, plain quotes), what to write in French and in English. Among
them are the demands that a controller makes of a requester and the law does not: a signature, a form, a reason, another
channel, another language.
"""

from __future__ import annotations

FORBIDDEN: tuple[tuple[str, str, str, str], ...] = (
    ("business-interest", r"legitimate (?:business|commercial)|business (?:interests?|reasons?)"
     r"|(?:interets?|motifs?|fins|raisons?|besoins?) (?:commercia\w+|professionnel\w*) legitimes?"
     r"|(?:interets?|motifs?) legitimes? commercia\w+|(?:raisons|motifs|besoins) commercia\w+",
     "Un intérêt commercial n'est pas un motif de l'article 17(3) : nommez l'obligation légale ou la défense en justice.",
     "A business interest is no ground of Article 17(3): name the legal obligation or the legal claim."),
    ("wrong-law", r"21 juin 2014|21 june 2014|june 21,? 2014|6 aout 2004|6 august 2004|august 6,? 2004|2005-1309"
     r"|article 92 du decret|article 92 of (?:the )?decree|uk gdpr|uk data protection|british data protection"
     r"|data protection act (?:1998|2018)|\bccpa\b|california|\bhipaa\b|\blgpd\b|\bpipeda\b"
     r"|directive 95/46",
     "Ce texte n'est pas le bon : RGPD, loi n° 78-17 du 6 janvier 1978, décret n° 2019-536 du 29 mai 2019.",
     "This is not the right law: GDPR, Act no. 78-17 of 6 January 1978, Decree no. 2019-536 of 29 May 2019."),
    ("withdrawal-article", r"13[- ]?2[ -]?c\b|13\(2\)\(c\)",
     "Le retrait du consentement est à l'article 7(3).", "The withdrawal of consent is in Article 7(3)."),
    ("one-channel", r"(?:uniquement|seulement|exclusivement|obligatoirement) "
    r"(?:par|en) (?:courrier|lettre|ecrit|recommande|voie postale)"
     r"|only (?:in writing|by (?:post|letter|registered))"
     r"|must be (?:sent|made) (?:in writing|by (?:post|letter|registered))"
     r"|formulaire (?:est )?obligatoire|(?:devez|doit) (?:utiliser|remplir|completer) (?:le|notre|un) formulaire"
     r"|must (?:use|complete|fill in) (?:our|the|a) form",
     "Une demande n'a besoin ni de formulaire ni de lettre recommandée : retirez cette condition.",
     "A request needs neither a form nor a registered letter: remove this condition."),
    ("no-sensitive-data", r"ne (?:collect|trait)\w+ (?:aucune|pas de|jamais de) donnees? sensibles?"
     r"|(?:do not|never) (?:collect|process) (?:any )?sensitive data",
     "N'affirmez pas que l'association ne traite aucune donnée sensible.",
     "Do not claim that the association processes no sensitive data."),
    ("deemed-consent", r"consentement[^.]{0,60}(?:repute|presume|tacite)"
    r"|consent[^.]{0,60}(?:deemed|presumed|implied)",
     "Un consentement réputé donné n'en est pas un : retirez cet argument.",
     "A consent deemed to be given is none: remove this argument."),
    ("signature", r"(?:demande|formulaire|courrier|lettre)[^.;]{0,40}(?:doit|devra|doivent) (?:etre )?sign"
     r"|(?:exige|demand|requer|manque|sans)\w*[^.;]{0,30}signature"
     r"|signature (?:est |manuscrite |originale )+(?:obligatoire|exigee|requise|necessaire)"
     r"|(?:signez|dater et signer|date et signe)[^.;]{0,40}(?:demande|formulaire|lettre)"
     r"|(?:request|form|letter)[^.;]{0,40}(?:must|has to|needs to|should) be signed"
     r"|(?:require|need|without|lacks?)[^.;]{0,30}signature"
     r"|sign (?:and return |your |the |this )+(?:request|form|letter)",
     "Une demande n'a pas besoin d'être signée : retirez cette condition (un mandat, lui, l'est).",
     "A request need not be signed: remove this condition (a mandate is another matter)."),
    ("medium", r"(?:demandes?|requetes?)[^.;]{0,40}(?:par|en) (?:courriel|e-?mail|mail|messagerie|telephone)[^.;]{0,40}"
     r"(?:pas (?:recevable|accept|valable|traite|pris)|irrecevable|ne (?:peu|pouv|son|son))"
     r"|(?:requests?)[^.;]{0,40}(?:by|via|through) (?:e-?mail|chat|phone|telephone)[^.;]{0,40}(?:cannot|not|invalid"
     r"|inadmissible)"
     r"|ne (?:traitons|acceptons|repondons)[^.;]{0,30}(?:par|en) (?:courriel|e-?mail|mail|messagerie)"
     r"|(?:do not|cannot|don't) (?:accept|process|treat|answer)[^.;]{0,30}(?:by|via) (?:e-?mail|chat|phone)"
     r"|(?:renvoyez|adressez|refaites)[^.;]{0,40}(?:demande)[^.;]{0,30}(?:par (?:courrier|la poste|voie postale)|recommande)"
     r"|(?:resend|submit|repeat)[^.;]{0,30}request[^.;]{0,30}by (?:post|registered)",
     "Tout moyen d'écrire vaut demande, et la réponse prend le même chemin : retirez ce refus (article 12(2)-(3)).",
     "Any way of writing is a request, and the answer takes the same way: remove this refusal (Article 12(2)-(3))."),
    ("language-demanded", r"(?:ecri\w+|reformul\w+|tradui\w+|adress\w+|formul\w+)[^.;]{0,50}"
     r"(?:uniquement |seulement |exclusivement )?en francais"
     r"|(?:uniquement|seulement|exclusivement) en (?:francais|anglais)"
     r"|(?<!not have to )(?<!need not )(?:write|translate|resubmit|rephrase|submit|sent|made)[^.;]{0,50}in (?:french|english)"
     r"|only in (?:french|english)",
     "Une demande vaut dans toute langue : retirez cette condition, et répondez comme vous le pouvez (article 12(1)-(2)).",
     "A request counts in any language: remove this condition, and answer as you can (Article 12(1)-(2))."),
    ("reason-demanded", r"(?:motivez|justifiez|precisez) (?:les raisons|le motif|pourquoi)[^.;]{0,40}(?:demand|souhait|acces)"
     r"|(?:doit|devez|devra)[^.;]{0,30}(?:motive|justifie)[^.;]{0,30}(?:demande|acces|effacement)"
     r"|(?:state|give|explain|justify)[^.;]{0,20}(?:the |your )?reasons?[^.;]{0,30}(?:for|of) (?:your|the) (?:request|access)"
     r"|you must (?:explain|justify|motivate)[^.;]{0,30}(?:request|access)",
     "Une demande d'accès ou d'effacement n'a pas à être motivée : retirez cette condition.",
     "A request for access or erasure needs no reasons: remove this condition."),
    ("password", r"mot de passe(?: est)? ?: ?\S|password(?: is)? ?: ?\S|le mot de passe est \S|the password is \S",
     "Envoyez le mot de passe par une autre voie que l'archive.", "Send the password by another route than the archive."),
)  # fmt: skip
