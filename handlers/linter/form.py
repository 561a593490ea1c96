"""The letter as a whole: whole, ours, in one language, the same in both its parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from handlers.linter.letter import Finding, Letter, fold, found

_MARKER = re.compile(r"\[\[|\]\]")
_TEMPLATE = re.compile(r"\{\{|\}\}|\{%|%\}")
_PLACEHOLDER = re.compile(r"\b(?:todo|xxx+|lorem ipsum|tbd)\b|_{4,}|\.{5,}|<[a-z ]{3,30}>")
_HIDDEN = frozenset("\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def whole(letter: Letter) -> Iterator[Finding]:
    """Find holes, template signs and provisional text, a missing case number, a wrong recipient."""
    facts = letter.facts
    if not facts.text.strip():
        yield found("empty", "La lettre est vide : écrivez-la.", "The letter is empty: write it.")
    if not facts.subject.strip() or "\n" in facts.subject or "\r" in facts.subject:
        yield found("subject", "Donnez un objet d'une seule ligne.", "Give a subject of one line.")
    count = len(_MARKER.findall(facts.text + facts.subject))
    if count:
        yield found(
            "marker",
            f"Remplacez ou supprimez les passages [[à compléter : …]] ({(count + 1) // 2}).",
            f"Replace or delete the passages [[to complete: …]] ({(count + 1) // 2}).",
        )
    if _TEMPLATE.search(facts.text + facts.subject):
        yield found("template", "Retirez les accolades de modèle ({{ }}).", "Remove the template braces ({{ }}).")
    if _PLACEHOLDER.search(letter.folded):
        yield found(
            "placeholder",
            "Remplacez le texte provisoire (TODO, XXX, ____) par le texte final.",
            "Replace the provisional text (TODO, XXX, ____) by the final text.",
        )
    if _HIDDEN & set(facts.text + facts.subject):
        yield found("hidden-characters", "Retirez les caractères invisibles.", "Remove the invisible characters.")
    # Whom nobody has verified is told of no case.
    if "neutral_status" not in facts.kinds and facts.reference.casefold() not in letter.folded:
        yield found(
            "reference",
            f"Indiquez le numéro de dossier {facts.reference} dans l'objet ou le texte.",
            f"Give the case number {facts.reference} in the subject or the text.",
        )
    if not facts.recipient_is_of_record:
        yield found(
            "recipient",
            "Envoyez à la seule adresse enregistrée du dossier ; une autre adresse se vérifie d'abord.",
            "Send only to the address of record of the case; another address is verified first.",
        )


_EMAIL = re.compile(r"[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}")
_TO_OTHERS = frozenset({"recipient_notice"})
"""Kinds that go to somebody else than the person."""


def people(letter: Letter) -> Iterator[Finding]:
    """Nobody else's address; who we are and how the DPO is reached (art. 13(1)(a)-(b), 15(4) GDPR)."""
    facts = letter.facts
    allowed = {facts.recipient.casefold(), facts.dpo_email.casefold(), *facts.own_addresses}
    if facts.recipient and set(_EMAIL.findall(letter.folded)) - allowed:
        yield found(
            "other-address",
            "La lettre contient l'adresse électronique d'un tiers : retirez-la, ou masquez-la (article 15(4)).",
            "The letter holds somebody else's e-mail address: remove or mask it (Article 15(4)).",
        )
    if facts.organisation and facts.kinds & MERITS:
        named = fold(facts.organisation) in letter.folded
        if not (named and facts.dpo_email.casefold() in letter.folded):
            yield found(
                "contact-advised",
                f"Dites qui nous sommes ({facts.organisation}) et comment joindre le DPO ({facts.dpo_email}).",
                f"Say who we are ({facts.organisation}) and how to reach the DPO ({facts.dpo_email}).",
                "warning",
            )


MERITS = frozenset({"answer", "refusal", "extension", "fee", "not_identified", "not_competent"})
_FRENCH = "le la les des du et vous nous est que qui pour dans pas une sur au aux ce votre notre avec par tu te"
_ENGLISH = "the of and you we is that who for in not a on to this your our with by it are will have be or"
_STOP_WORDS = {"fr": frozenset(_FRENCH.split()), "en": frozenset(_ENGLISH.split())}
"""Words that are frequent in one of the two languages and rare in the other."""


def language(letter: Letter) -> Iterator[Finding]:
    """Find a letter in the other language than the request's."""
    facts = letter.facts
    words = re.findall(r"[a-z]+", letter.folded)
    counts = {language: sum(word in stop for word in words) for language, stop in _STOP_WORDS.items()}
    if facts.language not in counts:
        return
    other = "en" if facts.language == "fr" else "fr"
    # A letter in two languages has about as much of each, and is fine.
    if counts[other] >= 5 and counts[other] > 2 * counts[facts.language]:
        yield found(
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


def two_parts(letter: Letter) -> Iterator[Finding]:
    """Find an HTML part that says something else than the text, or does more than show it."""
    facts = letter.facts
    if not facts.html:
        return
    seen = _Visible()
    seen.feed(facts.html)
    seen.close()
    plain = " ".join(re.sub(r"^(?:## |- )", "", line) for line in facts.text.split("\n"))
    if plain.split() != "".join(seen.words).split():
        yield found(
            "parts-differ",
            "Le texte et sa version HTML diffèrent : refaites le HTML à partir du texte.",
            "The text and its HTML version differ: make the HTML anew from the text.",
        )
    if seen.active:
        yield found(
            "active-html",
            "Le HTML ne doit contenir que du texte : retirez scripts, images et liens non chiffrés.",
            "The HTML may hold text only: remove scripts, images and unencrypted links.",
        )
