"""What a letter must and must not say, checked before anybody may approve it.

The linter reads the letter as it would leave, so it also sees what the DPO changed by hand. An *error* forbids approval:
the law wants something that is not there (art. 12(3), 12(4), 12(6) GDPR), or the letter says what it must not. A *warning*
is advice. Every finding says what to write instead. It judges words, not facts: whether data were erased, only the DPO knows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser
from typing import Literal

from handlers.linter_demands import broken
from handlers.linter_words import FORBIDDEN

Severity = Literal["error", "warning"]

OPEN_IDENTITY = frozenset({"required", "requested", "received", "rejected"})
"""States of identity in which nothing on the merits may leave (art. 5(1)(f), 12(6) GDPR)."""


_SAME_KIND: Mapping[str, str] = {
    "partial_refusal": "refusal",
    "extension_notice": "extension",
    "fee_notice": "fee",
    "notice": "not_identified",
}
"""Other names of kinds: a notice is the letter of art. 11(2), that the person could not be identified."""


@dataclass(frozen=True)
class LetterFacts:
    """A letter as it would leave, and what it has to agree with. Dates are Paris dates."""

    kind: str
    """As in ``handlers.types.Letter.kind``, joined by ``+``; also ``partial_refusal``, ``fee`` and ``not_identified``."""
    language: str
    subject: str
    text: str
    html: str
    """Empty for a chat."""
    rights: tuple[str, ...]
    reference: str
    dpo_email: str
    authority_name: str
    authority_address: str
    due: date | None
    """None while the clock is paused."""
    due_if_not_paused: date | None = None
    extended_due: date | None = None
    received_on: date | None = None
    today: date | None = None
    identity_state: str = "not_required"
    identity_level: int = 0
    """The rung of the ladder the case needs; 0: a document may be asked only by a letter that says why."""
    recipient_is_of_record: bool = True
    partial: bool = False
    recipient: str = ""
    """The address it goes to; empty where it is not known, or where it goes by chat or post."""
    own_addresses: frozenset[str] = frozenset()
    """Addresses that are ours, in lower case: like the recipient's own, they may stand in a letter."""
    organisation: str = ""
    """The controller's name, as letters give it; empty: not looked for."""
    open_tasks: tuple[str, ...] = ()
    """What has to be done before this letter is true and nobody has settled, in words for the desk."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of the letter, one word each, under the names the checks use."""
        return frozenset(_SAME_KIND.get(part, part) for part in self.kind.split("+"))

    @property
    def in_part(self) -> bool:
        """Whether the letter refuses a part only."""
        return self.partial or "partial_refusal" in self.kind


@dataclass(frozen=True)
class Finding:
    """Something wrong with a letter; ``message`` says by language what to write."""

    code: str
    severity: Severity
    message: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True)
class _Letter:
    """The letter in the forms the checks look at."""

    facts: LetterFacts
    folded: str
    """Subject and text in lower case, without accents, quotes and spaces made plain."""
    paragraphs: tuple[str, ...]
    sentences: tuple[str, ...]


def lint(text: LetterFacts) -> tuple[Finding, ...]:
    """Return what is wrong with a letter, errors first, in the order of the checks; nothing if it may be approved."""
    paragraphs = tuple(fold(part) for part in re.split(r"\n\s*\n", text.text) if part.strip())
    # A list item or a heading is a sentence of its own: the words of two items must not be read together.
    lines = [fold(line) for line in (text.subject, *text.text.split("\n")) if line.strip()]
    sentences = tuple(part for line in lines for part in re.split(r"(?<=[.!?;])\s+(?![a-z0-9]\))", line) if part)
    letter = _Letter(text, fold(f"{text.subject}\n{text.text}"), paragraphs, sentences)
    found = [finding for check in _CHECKS for finding in check(letter)]
    unique = list({finding.code: finding for finding in reversed(found)}.values())[::-1]
    return tuple(sorted(unique, key=lambda finding: finding.severity != "error"))


def fold(text: str) -> str:
    """Return *text* in lower case without accents, with plain quotes and single spaces: what the rules are written for."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'").replace("œ", "oe"))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def _found(code: str, fr: str, en: str, severity: Severity = "error") -> Finding:
    return Finding(code, severity, {"fr": fr, "en": en})


# --- the letter as a whole ---------------------------------------------------------------------------------------------

_MARKER = re.compile(r"\[\[|\]\]")
_TEMPLATE = re.compile(r"\{\{|\}\}|\{%|%\}")
_PLACEHOLDER = re.compile(r"\b(?:todo|xxx+|lorem ipsum|tbd)\b|_{4,}|\.{5,}|<[a-z ]{3,30}>")
_HIDDEN = frozenset("\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def _whole(letter: _Letter) -> Iterator[Finding]:
    facts = letter.facts
    if not facts.text.strip():
        yield _found("empty", "La lettre est vide : écrivez-la.", "The letter is empty: write it.")
    if not facts.subject.strip() or "\n" in facts.subject or "\r" in facts.subject:
        yield _found("subject", "Donnez un objet d'une seule ligne.", "Give a subject of one line.")
    count = len(_MARKER.findall(facts.text + facts.subject))
    if count:
        yield _found(
            "marker",
            f"Remplacez ou supprimez les passages [[à compléter : …]] ({(count + 1) // 2}).",
            f"Replace or delete the passages [[to complete: …]] ({(count + 1) // 2}).",
        )
    if _TEMPLATE.search(facts.text + facts.subject):
        yield _found("template", "Retirez les accolades de modèle ({{ }}).", "Remove the template braces ({{ }}).")
    if _PLACEHOLDER.search(letter.folded):
        yield _found(
            "placeholder",
            "Remplacez le texte provisoire (TODO, XXX, ____) par le texte final.",
            "Replace the provisional text (TODO, XXX, ____) by the final text.",
        )
    if _HIDDEN & set(facts.text + facts.subject):
        yield _found("hidden-characters", "Retirez les caractères invisibles.", "Remove the invisible characters.")
    # Whom nobody has verified is told of no case.
    if "neutral_status" not in facts.kinds and facts.reference.casefold() not in letter.folded:
        yield _found(
            "reference",
            f"Indiquez le numéro de dossier {facts.reference} dans l'objet ou le texte.",
            f"Give the case number {facts.reference} in the subject or the text.",
        )
    if not facts.recipient_is_of_record:
        yield _found(
            "recipient",
            "Envoyez à la seule adresse enregistrée du dossier ; une autre adresse se vérifie d'abord.",
            "Send only to the address of record of the case; another address is verified first.",
        )


_EMAIL = re.compile(r"[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}")
_TO_OTHERS = frozenset({"recipient_notice"})
"""Kinds that go to somebody else than the person."""


def _people(letter: _Letter) -> Iterator[Finding]:
    """Nobody else's address; who we are and how the DPO is reached (art. 13(1)(a)-(b), 15(4) GDPR)."""
    facts = letter.facts
    allowed = {facts.recipient.casefold(), facts.dpo_email.casefold(), *facts.own_addresses}
    if facts.recipient and set(_EMAIL.findall(letter.folded)) - allowed:
        yield _found(
            "other-address",
            "La lettre contient l'adresse électronique d'un tiers : retirez-la, ou masquez-la (article 15(4)).",
            "The letter holds somebody else's e-mail address: remove or mask it (Article 15(4)).",
        )
    if facts.organisation and facts.kinds & _MERITS:
        named = fold(facts.organisation) in letter.folded
        if not (named and facts.dpo_email.casefold() in letter.folded):
            yield _found(
                "contact-advised",
                f"Dites qui nous sommes ({facts.organisation}) et comment joindre le DPO ({facts.dpo_email}).",
                f"Say who we are ({facts.organisation}) and how to reach the DPO ({facts.dpo_email}).",
                "warning",
            )


_MERITS = frozenset({"answer", "refusal", "extension", "fee", "not_identified", "not_competent"})
_FRENCH = "le la les des du et vous nous est que qui pour dans pas une sur au aux ce votre notre avec par tu te"
_ENGLISH = "the of and you we is that who for in not a on to this your our with by it are will have be or"
_STOP_WORDS = {"fr": frozenset(_FRENCH.split()), "en": frozenset(_ENGLISH.split())}
"""Words that are frequent in one of the two languages and rare in the other."""


def _language(letter: _Letter) -> Iterator[Finding]:
    facts = letter.facts
    words = re.findall(r"[a-z]+", letter.folded)
    counts = {language: sum(word in stop for word in words) for language, stop in _STOP_WORDS.items()}
    if facts.language not in counts:
        return
    other = "en" if facts.language == "fr" else "fr"
    # A letter in two languages has about as much of each, and is fine.
    if counts[other] >= 5 and counts[other] > 2 * counts[facts.language]:
        yield _found(
            "language",
            f"Écrivez la lettre dans la langue de la demande ({facts.language}).",
            f"Write the letter in the language of the request ({facts.language}).",
        )


_TAGS = "html head meta title body div span p br ul ol li h1 h2 h3 strong em b i a table tbody tr td"
_PLAIN_TAGS = frozenset(_TAGS.split())
_SAFE_LINK = re.compile(r"(?:https://|mailto:)", re.IGNORECASE)


class _Visible(HTMLParser):
    """Collects the text a reader sees, and whatever is more than text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.active = False
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _PLAIN_TAGS:
            self.active = True
        for name, value in attrs:
            remote = name in ("src", "href", "background", "action") and not _SAFE_LINK.match((value or "").strip())
            if name.startswith("on") or remote or (name == "style" and "url(" in (value or "").casefold()):
                self.active = True
        if tag in ("script", "style", "title"):
            self._skipped += 1
        self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "title"):
            self._skipped = max(0, self._skipped - 1)
        self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.words.append(data)


def _two_parts(letter: _Letter) -> Iterator[Finding]:
    facts = letter.facts
    if not facts.html:
        return
    seen = _Visible()
    seen.feed(facts.html)
    seen.close()
    plain = " ".join(re.sub(r"^(?:## |- )", "", line) for line in facts.text.split("\n"))
    if plain.split() != "".join(seen.words).split():
        yield _found(
            "parts-differ",
            "Le texte et sa version HTML diffèrent : refaites le HTML à partir du texte.",
            "The text and its HTML version differ: make the HTML anew from the text.",
        )
    if seen.active:
        yield _found(
            "active-html",
            "Le HTML ne doit contenir que du texte : retirez scripts, images et liens non chiffrés.",
            "The HTML may hold text only: remove scripts, images and unencrypted links.",
        )


# --- proof of identity (art. 12(6) GDPR) -------------------------------------------------------------------------------

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


def _identity(letter: _Letter) -> Iterator[Finding]:
    facts, kinds = letter.facts, letter.facts.kinds
    if facts.identity_state in OPEN_IDENTITY and ("answer" in kinds or ("refusal" in kinds and facts.in_part)):
        yield _found(
            "identity-open",
            "L'identité n'est pas encore vérifiée : décidez-la d'abord, ou levez le doute avec une raison.",
            "Identity is not verified yet: decide on it first, or waive it with a reason.",
        )
    if any(_SYSTEMATIC.search(sentence) for sentence in letter.sentences):
        yield _found(
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
        yield _found(
            "over-asking",
            "Ce dossier ne demande aucune preuve d'identité : retirez cette demande.",
            "This case needs no proof of identity: remove the request for one.",
        )
    if facts.identity_state == "rejected" and "identity_request" in kinds and not _LACKING.search(letter.folded):
        yield _found(
            "more-without-reason",
            "Vous redemandez une preuve : dites ce qui manquait à celle qui a été envoyée.",
            "You ask for proof again: say what the one that was sent lacked.",
        )
    if asking and any(_OVERDONE.search(s) and not _NEGATED.search(s) for s in letter.sentences):
        yield _found(
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


def _identity_request(letter: _Letter, *, copy: bool) -> Iterator[Finding]:
    for code, only_for_copy, severity, pattern, fr, en in _IDENTITY_NEEDS:
        if (copy or not only_for_copy) and not re.search(pattern, letter.folded):
            yield _found(code, fr, en, severity)


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


def _reveals(letter: _Letter) -> Iterator[Finding]:
    facts = letter.facts
    unproved = facts.identity_state in OPEN_IDENTITY or facts.identity_level > 0
    told = any(_REVEALS.search(s) or _PERSONAL.search(s) for s in letter.sentences)
    if unproved and facts.kinds & _BEFORE_PROOF and told:
        yield _found(
            "reveals",
            "Avant la preuve d'identité, n'écrivez rien qui dise si la personne nous est connue.",
            "Before proof of identity, write nothing that says whether the person is known to us.",
        )


# --- what a decision must contain (art. 12(3)-(4) GDPR) ------------------------------------------------------------------

_DECISIONS = frozenset({"refusal", "extension", "fee", "not_identified", "not_competent"})
_REASON = re.compile(
    r"impos\w+ de|oblig\w+|en application d|pursuant to|\bha(?:s|ve) to stay|\brequires? (?:us|them|that)|raisons?\b"
    r"|parce qu|\bcar\b|motifs?\b|en effet|afin de|because|reasons?\b|\bsince (?:we|the|you)|grounds?\b"
)
_COURT = re.compile(r"tribun|recours jurid|recours devant|\bjuge\b|judicial remedy|\bcourts?\b")
_LIFTED_REASON = re.compile(
    r"charge de travail|surcroit d'activite|conges?\b|vacances|absen(?:ce|t)|arret maladie|malade\b|debord[ee]|surcharge"
    r"|(?:petite|jeune) equipe|equipe (?:reduite|restreinte)|(?:haute|pleine|forte) saison|saison (?:estivale"
    r"|touristique|chargee)"
    r"|(?:periode|semaine)s? (?:estivale|chargee)|panne|demenagement|recrut|stagiaire|retard accumule"
    r"|(?:delegue|collegue|equipe|personnel|agent|salarie|colleague|team|staff|officer)s?\b[^.]*(?:deplacement"
    r"|indisponib|parti[es]*\b"
    r"|quitte|remplac|conge|formation|reduit|manqu|\bleft\b|replac|unavailable|travel|training|reduced|short\b)|sick\b"
    r"|illness|small team|team is small|(?:peak|high|summer|busy) season|backlog|breakdown|office move|new (?:staff|system)"
    r"|manque de (?:personnel|temps|moyens)|effectifs?\b|sous-effectif"
    r"|workload|\bholidays?\b|\bleave\b|understaff|staff (?:shortage|absence)|lack of (?:staff|time)"
    r"|short of staff|very busy"
)


def _decision(letter: _Letter) -> Iterator[Finding]:
    facts, kinds = letter.facts, letter.facts.kinds
    if not kinds & _DECISIONS:
        if "answer" in kinds and not (
            facts.authority_name.casefold() in letter.folded and _COURT.search(letter.folded)
        ):
            yield _found(
                "remedies-advised",
                f"Ajoutez la ligne des recours ({facts.authority_name}, tribunal).",
                f"Add the line on remedies ({facts.authority_name}, court).",
                "warning",
            )
        return
    # The closing lines on remedies hold the word "recours" and articles of their own: reasons are looked for before them.
    body = " ".join(p for p in letter.paragraphs if not (fold(facts.authority_name) in p and _COURT.search(p)))
    if not _REASON.search(body):
        yield _found(
            "reasons",
            "Donnez les raisons, avec les données concernées (article 12(4)).",
            "Give the reasons, with the data concerned (Article 12(4)).",
        )
    if kinds & {"refusal", "fee"} and set(facts.rights) - {"complaint", "breach_report"} and not _LAW.search(body):
        yield _found(
            "legal-ground",
            "Citez le texte sur lequel la décision se fonde (par exemple l'article 17(3)).",
            "Name the text of law the decision rests on (for example Article 17(3)).",
        )
    yield from _remedies(letter)
    if "refusal" in kinds and facts.in_part and not re.search(r"partie|partiel|\bpart\b|partial", letter.folded):
        yield _found("partial", "Dites que le refus est partiel.", "Say that the refusal is partial.", "warning")
    if kinds & {"refusal", "fee"}:
        yield from _excessive(letter)
    if "extension" in kinds:
        yield from _extension(letter)
    if "fee" in kinds and not re.search(r"renonc|retirer|redui|\bdrop\b|withdraw|narrow", letter.folded):
        yield _found(
            "fee-choice",
            "Dites que la personne peut réduire sa demande ou y renoncer sans frais.",
            "Say that the person may narrow the request or drop it free of charge.",
        )


def _remedies(letter: _Letter) -> Iterator[Finding]:
    facts = letter.facts
    # The address of a web page names the authority to a machine, not to a reader.
    read = re.sub(r"https?://\S+", " ", letter.folded)
    if fold(facts.authority_name) not in read or fold(facts.authority_address) not in read:
        yield _found(
            "authority",
            f"Indiquez la réclamation auprès de la {facts.authority_name}, avec l'adresse : {facts.authority_address}.",
            f"Give the right to complain to the {facts.authority_name}, with its address: {facts.authority_address}.",
        )
    if not _COURT.search(letter.folded):
        yield _found("court", "Indiquez le recours devant le tribunal.", "Give the remedy before a court.")
    if facts.dpo_email.casefold() not in letter.folded:
        yield _found("dpo-contact", f"Donnez l'adresse {facts.dpo_email}.", f"Give the address {facts.dpo_email}.")


_EXCESSIVE = re.compile(
    r"mauvaise foi|intention de nuire|malveillan|malicious|frivol|abus de droit|abuse of (?:rights?|process|the right)"
    r"|bad faith|harcel|harass|"
    r"manifestement (?:infond|excessi)|(?:est|sont|caractere|jugee?|trop) (?:abusi|excessi|repetiti)"
    r"|manifestly (?:unfounded|excessive)|(?:\bis|are|considered?) (?:excessive|repetitive|abusive|vexatious)"
)


def _excessive(letter: _Letter) -> Iterator[Finding]:
    for index, paragraph in enumerate(letter.paragraphs):
        if _EXCESSIVE.search(paragraph):
            near = " ".join(letter.paragraphs[index : index + 2])
            # The day of receipt counts no requests.
            own = {letter.facts.received_on, letter.facts.today, letter.facts.due}
            for found in _DATE.finditer(near):
                if set(_dates(found[0])) <= own:
                    near = near.replace(found[0], " ")
            counted = _CITATION.sub(" ", near).replace(letter.facts.reference.casefold(), " ")
            if not re.search(r"\d", counted):
                yield _found(
                    "excessive-without-evidence",
                    "« Manifestement excessive » se prouve : donnez le nombre et les dates des demandes.",
                    '"Manifestly excessive" must be shown: give the number and the dates of the requests.',
                )


def _extension(letter: _Letter) -> Iterator[Finding]:
    facts = letter.facts
    if facts.extended_due and facts.extended_due not in set(_dates(letter.folded)):
        day = facts.extended_due.isoformat()
        yield _found("extension-date", f"Donnez la nouvelle date limite ({day}).", f"Give the new last day ({day}).")
    if any(_LIFTED_REASON.search(sentence) for sentence in letter.sentences):
        yield _found(
            "extension-reason",
            "Travail, congés et absences ne sont pas des raisons : dites la complexité ou le nombre des demandes.",
            "Workload, holidays and absences are no reasons: name the complexity or the number of requests.",
        )
    limit = facts.due or facts.due_if_not_paused
    if facts.today and limit and facts.today > limit:
        yield _found(
            "extension-late",
            "Le premier mois est passé : une prolongation n'est plus possible, répondez.",
            "The first month is over: an extension is no longer possible, answer.",
        )


# --- dates ---------------------------------------------------------------------------------------------------------------

_MONTHS = {
    name: number
    for names in (
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
        "january february march april may june july august september october november december",
    )
    for number, name in enumerate(names.split(), start=1)
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATE = re.compile(
    rf"\b(?P<d1>\d{{1,2}})(?:er|st|nd|rd|th)? (?P<m1>{_MONTH}) (?P<y1>\d{{4}})\b"
    rf"|\b(?P<m2>{_MONTH}) (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y2>\d{{4}})\b"
    r"|\b(?P<y3>\d{4})-(?P<m3>\d{2})-(?P<d3>\d{2})\b|\b(?P<d4>\d{1,2})/(?P<m4>\d{1,2})/(?P<y4>\d{4})\b"
)
_LAW_DATE = re.compile(
    rf"(?:loi|decret|act|decree|law)\b[^.;]{{0,20}}?\b(?:du|of) \d{{1,2}}(?:er)? (?:{_MONTH}) \d{{4}}"
)
_DEADLINE = re.compile(
    r"au plus tard|\bdelai|prend fin|echeance|mois finit|repondrons|(?:recevrez|recevras) notre reponse"
    r"|reponse est reportee|ici, jusqu'au"
    r"|no later than|time limit|deadline|period ends|\bit ends on|month ends|will answer|receive our answer"
    r"|answer (?:you )?by|here, by|is extended to"
)
_KEPT = re.compile(r"supprim|efface|conserv|\bgard|delet|erased|\bkept\b|\bkeep\b|destroy|storage|retention")


def _dates(folded: str) -> Iterator[date]:
    for match in _DATE.finditer(folded):
        part = {name[0]: value for name, value in match.groupdict().items() if value}
        month = _MONTHS.get(part["m"]) or int(part["m"])
        try:
            yield date(int(part["y"]), month, int(part["d"]))
        except ValueError:
            continue


_LATE = re.compile(
    r"retard|tardi|apres (?:le delai|l'echeance)|excus|regrett|\blate\b|delay|apolog|sorry|after the (?:time limit|deadline)"
)


def _overdue(letter: _Letter) -> Iterator[Finding]:
    """A late answer that does not say so invites the next complaint (art. 12(3)-(4))."""
    facts = letter.facts
    last = facts.due or facts.due_if_not_paused
    decides = facts.kinds & {"answer", "refusal", "not_competent", "not_identified"}
    if decides and facts.due and last and facts.today and facts.today > last and not _LATE.search(letter.folded):
        yield _found(
            "overdue",
            "Cette réponse est tardive : dites-le et excusez-vous, sans invoquer de raison que la loi ne connaît pas.",
            "This answer is late: say so and apologise, without a reason that the law does not know.",
            "warning",
        )


def _due_dates(letter: _Letter) -> Iterator[Finding]:
    facts = letter.facts
    allowed = {facts.due, facts.due_if_not_paused, facts.received_on, facts.today}
    last = facts.due or facts.due_if_not_paused
    if "extension" in facts.kinds:
        allowed.add(facts.extended_due)
        last = facts.extended_due or last
    if last is None:
        return
    speaking = [s for s in letter.sentences if _DEADLINE.search(s) and not _KEPT.search(s)]
    if any(set(_dates(_LAW_DATE.sub(" ", sentence))) - allowed for sentence in speaking):
        yield _found(
            "due-date",
            f"Une date limite contredit le dossier : écrivez {last.isoformat()}.",
            f"A last day contradicts the case: write {last.isoformat()}.",
        )


# --- articles ------------------------------------------------------------------------------------------------------------

_NUMBER = r"\d{1,4}(?:-\d+)?(?:\s?\([0-9a-z]{1,2}\))*"
_CITATION = re.compile(
    rf"\barticles? ({_NUMBER}(?:(?:, | et | ou | a | and | or | to ){_NUMBER})*)|\bart\. ?({_NUMBER})"
)
_LAW = re.compile(
    rf"{_CITATION.pattern}|article l\.? ?\d|\bloi n|\bdecret n|code (?:de|du|civil|general)|\bact no|\bdecree no"
)
_INSTRUMENT = re.compile(
    r"^\s*(?:i+\b\s*)?(?:du|de la|of the|of)?\s*(?:french\s+)?(?:civil\s+|commercial\s+)?"
    r"(decret|decree|loi|act\b|data protection act|code)"
)
_INSTRUMENTS = {"dec": "decree", "loi": "act", "act": "act", "dat": "act", "cod": "code"}
_OF_DECREE = frozenset({77, 80, 124, 144})
_OF_ACT = frozenset({8, 45, *range(48, 57), 82, 84, 85, 86})
_GENERAL = frozenset(
    {4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 19, 22, 23, 24, 25, 26, 28, 30, 32, 37, 38, 39, 77, 78, 79, 80, 82, 89}
)
_RIGHTS_OF_ARTICLES = frozenset({7, 15, 16, 17, 18, 20, 21, 33, 34})
_OWN: Mapping[str, int] = {
    "access": 15,
    "rectification": 16,
    "erasure": 17,
    "restriction": 18,
    "portability": 20,
    "objection": 21,
    "consent_withdrawal": 7,
}
_MAY_CITE: Mapping[str, frozenset[int]] = {
    # Beside its own article, the neighbours an honest letter points to.
    "access": frozenset({15, 16, 17, 18, 20, 21}),
    "rectification": frozenset({16, 18}),
    "erasure": frozenset({7, 17, 18, 21}),
    "restriction": frozenset({16, 17, 18, 21}),
    "portability": frozenset({15, 17, 20}),
    "objection": frozenset({17, 18, 21}),
    "consent_withdrawal": frozenset({7, 17, 21}),
    "post_mortem": frozenset(),
    "complaint": _RIGHTS_OF_ARTICLES,
    "breach_report": frozenset({33, 34}),
    "unclear": _RIGHTS_OF_ARTICLES,
}
_NAMES: tuple[tuple[re.Pattern[str], int], ...] = tuple(
    (re.compile(pattern), article)
    for pattern, article in (
        (
            r"droit d'acces|demande d'acces|acces aux donnees|right of access"
            r"|access to (?:the |your )?(?:personal )?data",
            15,
        ),
        (r"rectification", 16),
        (r"effacement|droit a l'oubli|\berasure|right to be forgotten", 17),
        (r"\blimitation\b|\brestriction\b", 18),
        (r"portabilite|portability", 20),
        (r"\bopposition\b|vous opposer|s'opposer|\bobjection\b|\bobject to", 21),
        (r"retrait (?:d'un|du|de (?:votre|ce)) consentement|withdrawal of (?:a |the |your |this )?consent", 7),
    )
)


def _articles(letter: _Letter) -> Iterator[Finding]:
    rights = letter.facts.rights
    cited = frozenset[int]().union(*(_MAY_CITE.get(right, frozenset()) for right in rights))
    own = {_OWN[right] for right in rights if right in _OWN}
    for sentence in letter.sentences:
        for number, instrument, before in _citations(sentence):
            known = {"gdpr": _GENERAL | _RIGHTS_OF_ARTICLES, "decree": _OF_DECREE, "act": _OF_ACT}.get(instrument)
            if known is None:
                continue
            if number not in known:
                yield _found(
                    "unknown-article",
                    f"L'article {number} cité n'a pas de rapport : vérifiez le numéro et le texte.",
                    f"Article {number} as cited has nothing to do with this: check the number and the text of law.",
                )
            elif instrument == "gdpr" and number in _RIGHTS_OF_ARTICLES - own:
                # A right named just before settles which article belongs to it; else the rights of the case do.
                named = [article for name, article in _NAMES if name.search(before)]
                if number not in (named or cited):
                    yield _wrong_article(number)


def _wrong_article(number: int) -> Finding:
    return _found(
        "wrong-article",
        f"L'article {number} n'est pas celui du droit exercé : accès 15, rectification 16, effacement 17, limitation 18, "
        "portabilité 20, opposition 21, retrait du consentement 7(3).",
        f"Article {number} is not that of the right exercised: access 15, rectification 16, erasure 17, restriction 18, "
        "portability 20, objection 21, withdrawal of consent 7(3).",
    )


def _citations(sentence: str) -> Iterator[tuple[int, str, str]]:
    """Yield every article cited, the text of law it is of (gdpr, decree, act, code), and the words just before it."""
    for match in _CITATION.finditer(sentence):
        after = _INSTRUMENT.match(sentence[match.end() :])
        instrument = _INSTRUMENTS[after[1][:3]] if after else "gdpr"
        before = re.split(r"[,;.)]", sentence[max(0, match.start() - 90) : match.start()])[-1]
        for number in re.findall(_NUMBER, match[1] or match[2]):
            yield int(re.split(r"\D", number)[0]), instrument, before


# --- words that must not appear ----------------------------------------------------------------------------------------------

_TO_ANSWER = re.compile(r"repon[ds]|delai|answer|repl(?:y|ies)|respond|time limit|deadline")
_THIRTY_DAYS = re.compile(r"\b(?:30|trente|thirty|45|forty-five) (?:jours|days)\b")
_SHORT_TIME = re.compile(
    r"\b(?:sous|dans les|d'ici|en moins de|within|in the next|in less than) "
    r"(?:un delai de |a period of )?(?:\d+|[a-z-]+) ?(?:h\b|heures|jours|hours|days|working days)"
)
_GUARANTEE = re.compile(
    r"nous (?:vous )?garantissons|nous nous engageons|nous promettons|we (?:guarantee|promise|undertake)"
)
_GRANTED = re.compile(
    r"nous (?:allons|venons de) (?:vous )?(?:effacer|supprimer|corriger|transmettre|envoyer|communiquer)"
    r"|nous (?:effacerons|supprimerons|corrigerons)"
    r"|\bseront? (?:effacee?s?|supprimee?s?|corrigee?s?)\b|faisons droit|accedons a|demande est (?:acceptee|accordee)"
    r"|we (?:will|shall|are going to) (?:erase|delete|correct|provide|send you (?:a|the|your))"
    r"|will be (?:erased|deleted|corrected)"
    r"|request (?:is|has been) (?:granted|accepted)|we (?:grant|accept) your"
)
_ADMITS = re.compile(
    r"(?:reconnaissons|admettons)|(?:notre|de notre) (?:faute|responsabilite|erreur|negligence)"
    r"|nous sommes (?:seuls )?responsables"
    r"|nous confirmons (?:la|une|cette) (?:violation|fuite|faille)"
    r"|we (?:admit|accept|acknowledge) (?:liability|responsibility|fault|that)"
    r"|our (?:fault|mistake|liability|negligence)|we are (?:liable|responsible for)"
    r"|we confirm (?:the|a|this|that) (?:\w+ )?(?:breach|leak)"
)


def _words(letter: _Letter) -> Iterator[Finding]:
    for code, pattern, fr, en in FORBIDDEN:
        if re.search(pattern, letter.folded):
            yield _found(code, fr, en)
    for sentence in letter.sentences:
        for rule in broken(sentence, kinds=letter.facts.kinds, rights=letter.facts.rights):
            yield _found(rule.code, rule.fr, rule.en)
        if _THIRTY_DAYS.search(sentence) and _TO_ANSWER.search(sentence) and not _KEPT.search(sentence):
            yield _found(
                "thirty-days",
                "Le délai est d'un mois, non de 30 jours : écrivez « un mois à compter de la réception ».",
                'The time limit is a month, not 30 days: write "one month of receipt".',
            )
    kinds = letter.facts.kinds
    if "answer" not in kinds and "refusal" not in kinds:
        yield from _promises(letter)
    if "breach_report" in letter.facts.rights and "acknowledgement" in kinds and _ADMITS.search(letter.folded):
        yield _found(
            "admission",
            "Un accusé de réception ne confirme rien et n'admet aucune faute : dites que vous vérifiez.",
            "An acknowledgement confirms nothing and admits no fault: say that you are checking.",
        )


def _promises(letter: _Letter) -> Iterator[Finding]:
    for sentence in letter.sentences:
        if (_SHORT_TIME.search(sentence) or _GUARANTEE.search(sentence)) and not _KEPT.search(sentence):
            yield _found(
                "promise",
                "Ne promettez que « un mois à compter de la réception, prolongeable dans les cas prévus par la loi ».",
                'Promise only "one month of receipt, which may be extended in the cases provided for by law".',
            )
        if (
            letter.facts.kinds & {"acknowledgement", "identity_request"}
            and _GRANTED.search(sentence)
            and not _NEGATION.search(sentence)
        ):
            yield _found(
                "outcome-promised",
                "Un accusé de réception ne dit rien de l'issue : écrivez que la demande est examinée.",
                "An acknowledgement says nothing of the outcome: write that the request is being examined.",
            )


_NEGATION = re.compile(r"\brien\b|\bnothing\b|\bne\b|\bn'|\bnot\b|copie|copy")


def _undone(letter: _Letter) -> Iterator[Finding]:
    """An answer says that something was done: searched, erased, corrected, recipients told (art. 15-19)."""
    tasks = letter.facts.open_tasks
    if tasks and letter.facts.kinds & {"answer", "refusal"}:
        named = ", ".join(tasks[:5]) + (" …" if len(tasks) > 5 else "")
        yield _found(
            "open-tasks",
            f"Tâches encore ouvertes, que cette lettre tient pour faites : {named}.",
            f"Tasks still open that this letter takes as done: {named}.",
            "warning",
        )


_CHECKS: tuple[Callable[[_Letter], Iterator[Finding]], ...] = (
    _whole, _people, _language, _two_parts, _identity, _reveals, _decision, _due_dates, _overdue, _articles, _words, _undone,
)  # fmt: skip
