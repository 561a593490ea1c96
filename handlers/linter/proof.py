"""Proof of identity: asked where it may be, as it may be, and nothing said before it (art. 12(6) GDPR)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handlers.linter.letter import OPEN_IDENTITY, Finding, Letter, Severity, found

_DOCUMENT = re.compile(
    r"(?:piece|carte|document|justificatif|titre|preuve)s? (?:nationale )?d'identite|passeport|permis de conduire"
    r"|titre de sejour"
    r"|(?:identity|id) (?:card|document|paper)s?|passport|proof of identity|driving licen[cs]e"
    r"|(?:confirm|verifi|justifi|prouv)\w* (?:de )?(?:votre|your|l'|the)? ?identit\w+"
)
_NEGATED = re.compile(r"\b(?:ne|ni|aucune?|jamais|pas|sans|non|no|not|never|nor|without|need not)\b|\bn'")
_ONLY_AFTER = re.compile(r"\bn(?:e |')[^.]*\bqu[e']|\bonly\b")
"""Not "no", but "only once"."""
_ENCLOSED = re.compile(r"\bvous avez joint\b|\byou enclosed\b|\bdemanderons a part\b|\bask for it separately\b")
"""Says what came, and asks for nothing."""
_SYSTEMATIC = re.compile(
    r"(?:politique|procedure|reglement|regle|policy|rule)s?\b[^.]*(?:identit|passeport|passport|\bid\b)"
    r"|\bne (?:traitons|repondons|examinons|prenons|donnons)[^.]*qu[e'][^.]*(?:identit|passeport)"
    r"|(?:verify|check)\w* the identity of (?:all|every|each|any)|"
    r"(?:toutes?|chaque) (?:les )?demandes? [^.]*(?:doi|devr|accompagn|exige|subordonn)[^.]*(?:identite|passeport)"
    r"|(?:doi\w+|devez|devrez|faut|obligatoire\w*|exige\w*) [^.]*(?:carte|piece) d'identite "
    r"(?:recto|en cours|certifiee|lisible|complete)"
    r"|systematique\w* [^.]*(?:identite|passeport)|(?:identite|passeport)[^.]* systematique"
    r"|(?:every|any|all|each) requests? (?:must|shall|should|needs?|ha[sv]e?) [^.]*(?:identity|passport|\bid\b)"
    r"|(?:always|systematically) (?:require|need|ask)[^.]*(?:identity|passport|\bid\b)"
    r"|before (?:processing|examining) any (?:request|complaint)[^.]*identity"
    r"|avant de traiter toute (?:demande|reclamation)[^.]*identite"
)
_OVERDONE = re.compile(
    r"certifi(?:ee?|ed) |copie (?:integrale|complete|non masquee)|recto[- ]verso|en couleurs?\b|notari[sz]ed"
    r"|unmasked|full[- ]colou?r|both sides"
)
_LACKING = re.compile(
    r"manqu|ne (?:permet|suffi|se li|montre|correspond|figure)\w*|illisible|expire|incomplet|flou|pas lisible"
    r"|lack|missing|does not (?:yet )?(?:allow|show|match|suffice)|not enough|unreadable|illegible|expired|incomplete|blurred"
)
_NEVER_PROVED = frozenset({"objection", "consent_withdrawal", "complaint", "breach_report"})
"""Rights for which proof of identity is never asked (art. 21(2)-(3), 7(3), 38(4) GDPR)."""
_ASKS = frozenset({"acknowledgement", "identity_request", "information_request", "status", "reminder"})
"""Kinds that could ask for a document; an answer may name one because it is among the data held."""


def identity(letter: Letter) -> Iterator[Finding]:
    """Find proof asked where none is needed, or asked as it may not be (art. 12(6))."""
    facts, kinds = letter.facts, letter.facts.kinds
    if facts.identity_state in OPEN_IDENTITY and ("answer" in kinds or ("refusal" in kinds and facts.in_part)):
        yield found(
            "identity-open",
            "L'identité n'est pas encore vérifiée : décidez-la d'abord, ou levez le doute avec une raison.",
            "Identity is not verified yet: decide on it first, or waive it with a reason.",
        )
    if any(_SYSTEMATIC.search(sentence) for sentence in letter.sentences):
        yield found(
            "systematic-identity",
            "N'exigez pas de pièce d'identité pour toute demande : écrivez d'où vient le doute et les autres moyens possibles.",
            "Do not require an identity document for every request: say where the doubt comes from and offer other means.",
        )
    asking = [
        s
        for s in letter.sentences
        if _DOCUMENT.search(s) and not _ENCLOSED.search(s) and (not _NEGATED.search(s) or _ONLY_AFTER.search(s))
    ]
    justified = "identity_request" in kinds and not set(facts.rights) <= _NEVER_PROVED
    settled = facts.identity_level == 0 and facts.identity_state not in OPEN_IDENTITY
    if asking and kinds & _ASKS and settled and not justified:
        yield found(
            "over-asking",
            "Ce dossier ne demande aucune preuve d'identité : retirez cette demande.",
            "This case needs no proof of identity: remove the request for one.",
        )
    if facts.identity_state == "rejected" and "identity_request" in kinds and not _LACKING.search(letter.folded):
        yield found(
            "more-without-reason",
            "Vous redemandez une preuve : dites ce qui manquait à celle qui a été envoyée.",
            "You ask for proof again: say what the one that was sent lacked.",
        )
    if asking and any(_OVERDONE.search(s) and not _NEGATED.search(s) for s in letter.sentences):
        yield found(
            "overdone-copy",
            "Ne demandez ni copie certifiée, ni couleur, ni recto verso : une copie masquée, en noir et blanc, suffit.",
            "Ask for no certified, coloured or two-sided copy: a masked one in black and white is enough.",
        )
    if "identity_request" in kinds:
        yield from _identity_request(letter, copy=bool(asking))


_IDENTITY_NEEDS: tuple[tuple[str, bool, Severity, str, str, str], ...] = (
    ("identity-reason", False, "error", r"\bdoute|parce que|savoir qu|\bdoubt|because|know (?:that it|who)",
     "Dites pourquoi l'identité est en doute (article 12(6)).", "Say why identity is in doubt (Article 12(6))."),
    ("identity-alternatives", False, "error", r"un seul|au choix|l'un (?:de|des)|\bou bien\b|\bone of|either"
    r"|one is enough",
     "Offrez plusieurs moyens, dont un seul suffit.", "Offer several means, one of which is enough."),
    ("identity-masking", True, "error", r"masqu|\bcach|\bhid(?:e|den)|mask|black out",
     "Dites ce qui peut être masqué sur la copie.", "Say what may be hidden on the copy."),
    ("identity-deletion", True, "error",
     r"(?:copie|document|elle)[^.]{0,80}(?:supprime|efface|detruit)"
     r"|(?:copy|document|it)\b[^.]{0,80}(?:deleted|destroyed|erased)",
     "Dites quand la copie est supprimée.", "Say when the copy is deleted."),
    ("identity-effect", False, "error",
     r"suspen|continue de courir|ne compte pas|continue pendant|keeps running|does not count|goes on",
     "Dites l'effet sur le délai de réponse.", "Say what this does to the time limit for the answer."),
    ("identity-silence", False, "warning",
     r"sans (?:nouvelles?|reponse)|si vous ne repond|reprendre|hear nothing|do not reply"
     r"|without (?:a|your) reply|take (?:it )?up",
     "Dites ce qui se passe sans réponse.", "Say what happens without a reply."),
    ("identity-not-needed", False, "warning", r"publicite|reclamation|advertis|complain",
     "Rappelez qu'aucune preuve n'est nécessaire contre la publicité ou pour une réclamation.",
     "Recall that no proof is needed against advertising or for a complaint."),
)  # fmt: skip


def _identity_request(letter: Letter, *, copy: bool) -> Iterator[Finding]:
    for code, only_for_copy, severity, pattern, fr, en in _IDENTITY_NEEDS:
        if (copy or not only_for_copy) and not re.search(pattern, letter.folded):
            yield found(code, fr, en, severity)


_REVEALS = re.compile(
    r"vous (?:etes|avez ete) (?:bien )?(?:un |une |notre |l'un de nos )?(?:client|cliente|connue?|inscrite?|enregistree?)\b"
    r"|nous (?:detenons|avons bien|possedons|avons retrouve|traitons bien) "
    r"(?:des |vos |plusieurs )?(?:donnees|informations|reservations)"
    r"|votre (?:sejour|reservation) (?:du|de|n[°o])|vous avez sejourne|vous figurez"
    r"|votre compte (?:client )?(?:existe|est)"
    r"|you are (?:a |an |our |one of our )?(?:client|customer|guest|registered|known)\b|you stayed"
    r"|your account (?:exists|is)"
    r"|(?<!if )(?<!whether )\bwe (?:do |indeed )?(?:hold|found|have found) (?:your |some |several )?(?:data"
    r"|information|bookings)"
    r"|your (?:stay|booking) (?:of|from|on|no)\b"
    r"|nous (?:retrouvons|voyons|constatons|avons trouve)[^.]*(?:sejour|reservation|compte|dossier client|\bnom\b|facture)"
    r"|votre (?:dernier|precedent|prochain)\w* (?:facture|reservation|sejour|visite|commande)"
    r"|client(?:e)? (?:fidele|reguli\w+|de longue date)|(?:regular|loyal|former|returning|valued) (?:guest|customer|client)"
    r"|(?:votre|your) (?:reservation|booking|stay|sejour|invoice|facture)[^.]{0,30}"
    r"(?:montre|shows?\b|indique|mentions|figure|a bien ete|is under|was made)"
    r"|(?:nous nous souvenons|we remember|nous avons le plaisir de vous connaitre)"
    r"|votre compte (?:client )?(?:est|a ete|existe|figure)|(?:have|find|found) an? (?:account|booking|file) (?:under"
    r"|in|for) your"
    r"|your (?:last|previous|latest|upcoming|recent) (?:stay|booking|visit|invoice|reservation)"
    r"|we (?:can )?see (?:from|in) our (?:files|records|system)"
)
_PERSONAL = re.compile(
    r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){3,7}\b|(?<!\d)0[1-9](?:[ .-]?\d{2}){4}(?!\d)|\+\d{2}(?:[ .-]?\d){8,11}"
    r"|\bnee? le \d|date de naissance ?: ?\d|\bborn on \d|date of birth ?: ?\d"
)
_BEFORE_PROOF = frozenset(
    {"acknowledgement", "identity_request", "information_request", "reminder", "status", "not_identified"}
)


def reveals(letter: Letter) -> Iterator[Finding]:
    """Find what tells, before proof, that the person is known (art. 5(1)(f))."""
    facts = letter.facts
    unproved = facts.identity_state in OPEN_IDENTITY or facts.identity_level > 0
    told = any(_REVEALS.search(s) or _PERSONAL.search(s) for s in letter.sentences)
    if unproved and facts.kinds & _BEFORE_PROOF and told:
        yield found(
            "reveals",
            "Avant la preuve d'identité, n'écrivez rien qui dise si la personne nous est connue.",
            "Before proof of identity, write nothing that says whether the person is known to us.",
        )
