"""Where a field may stand: spans of a message that could be a name, a relation, a date or a value, none left out.

Generous by design: which of them *is* a field is said by :mod:`nlp.field_model`, which learned it from the corpus.
"""

# ruff: noqa: E501  an expression in one line is easier to read than one in pieces

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from nlp.names import LEADING, trim
from nlp.patterns import ADDRESSES, DAY, EMAIL, MONTH, NAME, NUMERIC, PHONE, TITLE, YEAR, plain, words

NAME_KINDS = ("name", "titled name", "rest of name")
KIN_KINDS = ("kin", "described kin", "possessed kin", "possessed described kin")
MAX_NAMES = 40
MAX_DATES = 16
MAX_VALUES = 90


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that may be a field; *kind* says what it looks like."""

    start: int
    end: int
    kind: str


_NAME = re.compile(NAME)
_TITLED = re.compile(rf"(?<![\w'’])((?:{TITLE}\s){{1,2}})$")


def names(body: str) -> Iterator[Candidate]:
    """Yield what is written like a name, with the title before it and without; also without a first word that only opens a sentence."""
    for match in islice(_NAME.finditer(body), MAX_NAMES):
        start = match.start()
        while lead := LEADING.match(body, start, match.end()):
            start = lead.end()
        field = trim("", body, start, match.end())
        if field is None:
            continue
        start, end = field.start, field.end
        yield Candidate(start, end, "name")
        if titled := _TITLED.search(body, max(0, start - 16), start):
            yield Candidate(titled.start(), end, "titled name")
        elif field.start > match.start() and (
            inner := re.match(rf"(?:{TITLE}\s){{1,2}}$", body[match.start() : start])
        ):
            yield Candidate(match.start() + inner.start(), end, "titled name")
        _, _, rest = body[start:end].partition(" ")
        if rest and rest[0].isupper():
            yield Candidate(end - len(rest), end, "rest of name")


KIN = words(
    """
    abuela abuelo avo aunt aunty bebe boy boys brother brothers broer bruder bub child children client cliente clienta
    clients cliente colleague collegue compagne compagnon companera companero conjoint conjointe cousin cousine curateur
    curatrice dad daddy daughter daughters dochter dochtertje ehefrau ehemann eltern enfant enfants enkel enkelin epouse
    epoux esposa esposo executor executrix famille father femme fiance fiancee figli figlia figlio filha filho filhos
    filleul filleule fille fillette filles fils flatmate frau fratello frere freundin friend gamin gamine gamins garcon
    genero girl girls godfather godmother godson goddaughter gran grandad granddad granddaughter granddaughters grandfather
    grandma grandmother grandpa grandparents grandson grandsons granny guardian gosse gosses grossmutter grossvater heir
    heritier heritiere heiress hermana hermano hija hijas hijo hijos husband irma irmao jongen junge kid kids kind kinder
    kinderen kleindochter kleinzoon lad lass mae maman mama madre mama mam mamma mamie mandant mandantin man mann mari marido
    marito marraine meisje mere mere moeder moglie mom mother mujer mulher mum mummy mutter nan nana nanny neef neffe
    nephew neto neta neveu nicht nichte niece nieta nieto nina nino nipote nonna nonno nuora oma oncle onkel oom opa
    padre pai papa papi papy papou parent parents parrain partner patient patiente pepe pere petits petit petite pupille
    protege protegee roommate schwester schwiegermutter schwiegervater seour sister sisters sobrina sobrino soeur soeurs
    sohn son sons sour sours spouse stepdaughter stepfather stepmother stepson suocera suocero suegra suegro tante tata tia tio
    tochter tochterchen tonton tuteur tutrice tutor tutora uncle vader vater vedova vedovo veuf veuve viuda viudo viuva
    viuvo vormund vrouw vriend vriendin vriendin ward weduwe wife widow widower witwe witwer zia zio zoon zoontje zus
    zusje zuster mandataire meme memere pepere beau-pere cadette cadet aine ainee jumeaux jumelles twins triplets
    betreuer betreuerin bewindvoerder avocat avocate conseil solicitor lawyer notaire notary employeur employer
    """
)
_DETERMINERS = words(
    """
    mon ma mes notre nos son sa ses leur leurs le la les un une my our his her their the a mein meine meinen meinem meiner
    meines unser unsere unseren unserem unserer sein seine seinen seinem seiner ihr ihre ihren ihrem ihrer mi mis nuestra
    nuestro su sus el los las mio mia miei mie nostra nostro nostri suo sua mijn onze ons zijn haar de het meu minha
    nosso nossa seu o a moi der die das
    """
)
_OF_KIN = words(
    """
    late little eldest oldest youngest younger older elder dear poor step grand foster baby big teenage legal only twin
    petit petite grand grande beau belle arriere demi jeune defunt defunte feu feue pauvre ancien ancienne futur
    kleine kleiner kleinen lieber liebe verstorbene verstorbener verstorbenen jungste alteste pequena pequeno difunta
    difunto piccola piccolo povera povero defunta defunto kleine lieve overleden jongste oudste pequenina falecido
    falecida querida old ex
    """
)
_TOKEN = re.compile(r"[^\W_]+")


def relations(folded: str) -> Iterator[Candidate]:
    """Yield words for kin and other relations, alone, with what describes them, and with the possessive before."""
    if len(folded) > 12_000:
        return
    before: list[tuple[int, str]] = []
    count = 0
    for match in _TOKEN.finditer(folded):
        word = match[0]
        if word in KIN:
            start, end = match.span()
            yield Candidate(start, end, "kin")
            place = len(before) - 1
            described = False
            while place >= 0 and before[place][1] in _OF_KIN and start - before[place][0] - len(before[place][1]) == 1:
                start = before[place][0]
                yield Candidate(start, end, "described kin")
                place -= 1
                described = True
            if (
                place >= 0
                and before[place][1] in _DETERMINERS
                and start - before[place][0] - len(before[place][1]) == 1
            ):
                yield Candidate(before[place][0], end, "possessed described kin" if described else "possessed kin")
            count += 1
            if count >= 14:
                return
        before.append((match.start(), word))
        if len(before) > 4:
            del before[0]


_DM = rf"{DAY}(?: (?:de |di |of |do )?{MONTH})?(?:,? (?:de |del )?{YEAR})?"
_END = rf"(?:{DAY} (?:de |di |of |do )?{MONTH}(?:(?:,| de| del| of)? {YEAR})?|{NUMERIC})"
_TO = r"(?:\s?[-–—]\s?| (?:to|until|till|through|au|bis(?: zum)?|auf den|al|tot(?: en met)?|t/m|a|et|and|und|y|e|en|ao)(?: (?:the|le|zum|den|el|il|o|de))? )"
_SEASON = r"(?:summer|spring|winter|autumn|easter|christmas|ete|printemps|hiver|automne|noel|paques|toussaint|sommer|fruhling|herbst|weihnachten|ostern|verano|invierno|primavera|otono|estate|inverno|autunno|pasqua|natale|zomer|herfst|lente|kerst|verao|outono)"
_WHEN = re.compile(
    rf"\b(?:{_DM}|{NUMERIC}){_TO}{_END}"
    rf"|\b{MONTH} {DAY}{_TO}(?:{MONTH} )?{DAY}(?:,? {YEAR})?"
    rf"|\b(?:{DAY}, ){{1,4}}{DAY} (?:et|and|y|e|und|en) {_END}"
    rf"|\b{MONTH}(?: (?:de |of )?{YEAR})?{_TO}{MONTH} (?:de |of )?{YEAR}"
    rf"|\b{DAY}{_TO}{DAY}(?!\d)"
    rf"|\b{_END}|\b{MONTH} {DAY}(?:,? {YEAR})?|\b{MONTH} (?:de |of )?{YEAR}|\b{_SEASON}(?: (?:of |de |del )?{YEAR})?|\b{MONTH}|\b{YEAR}\b"
)
_LEAD = re.compile(
    r"(?:(?:(?:la |the |de |del |die |una )?(?:nuit|nuits|night|nights|noche|noches|nacht|notte|noite|semaine|week|weekend|week-end) (?:du|of|del|vom|von|van|de|da|des|auf den)(?: the| le)?|du|des?|from(?: the)?|vom|von|del|dal|van(?: de)?|entre le|between(?: the)?|zwischen dem|tra il|in(?: the)?|en|im|le|les|on(?: the)?|am|el|il|op|em|nel|l'|au|aux|dans la|the|late|early|mid|debut|fin|mi|pendant l'|der|die|dem|los|nos|dias|dia|dei|ai)(?<=[a-z])\s|l'|mi-)"
    r"(?:(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\s)?$"
)


_BEGINS = frozenset(
    part[:3] for part in re.findall(r"[a-z]{3,}", plain(MONTH.replace("[ée]", "e").replace("[uû]", "u") + _SEASON))
)


def _whens(folded: str) -> Iterator[re.Match[str]]:
    """Yield what :data:`_WHEN` finds, tried only at words that can begin a date."""
    passed = 0
    for word in _TOKEN.finditer(folded):
        start = word.start()
        if start >= passed and (folded[start] in "0123456789" or folded[start : start + 3] in _BEGINS):
            match = _WHEN.match(folded, start)
            if match:
                passed = match.end()
                yield match


def dates(folded: str) -> Iterator[Candidate]:
    """Yield days, stretches of days, months and years, with the small words before them and without."""
    for match in islice(_whens(folded), MAX_DATES):
        end = match.end()
        while end > match.start() and folded[end - 1] in " .,":
            end -= 1
        yield Candidate(match.start(), end, "date")
        if lead := _LEAD.search(folded, max(0, match.start() - 34), match.start()):
            yield Candidate(lead.start(), end, "led date")
            first = folded.find(" ", lead.start(), match.start()) + 1
            if 0 < first < match.start():
                yield Candidate(first, end, "led date")


_CODE = re.compile(r"(?<![\w@./+-])(?=[\w/-]{0,24}\d)[^\W_](?:[^\W_]|[/-](?=\w)|\.(?=\d{2,4}[/-])){3,22}(?![\w@])")
_DIGITS = re.compile(r"\d+")
_NO_CODE = re.compile(
    rf"{YEAR}|{NUMERIC}|\d{{1,2}}[hH]\d{{2}}|\d{{1,2}}[/-]\d{{1,2}}|\d+(?:th|st|nd|rd|eme|er|e|pm|am)"
)


def codes(body: str) -> Iterator[Candidate]:
    """Yield what is written like a reference: letters and digits, or digits and dashes."""
    count = passed = 0
    for digits in _DIGITS.finditer(body):
        if digits.start() < passed:
            continue
        start = max(body.rfind(" ", 0, digits.start()), body.rfind("\n", 0, digits.start()), digits.start() - 25) + 1
        match = _CODE.search(body, start, digits.end() + 25)
        passed = max(digits.end(), match.end() if match else 0)
        if match and match.end() > digits.start() and not _NO_CODE.fullmatch(match[0]):
            yield Candidate(*match.span(), "code")
            count += 1
            if count >= MAX_DATES:
                return


_QUOTED = re.compile(
    r"[«“„\"‹][ \u00a0\u202f]?(?=[^ \n])([^«»”“„\"\n]{1,70}?)[ \u00a0\u202f]?[»”“\"›]|(?<!\w)'([^'\n]{2,40})'(?!\w)|(?<!\w)‘([^’\n]{2,40})’(?!\w)"
)
_NUMBER = re.compile(
    r"(?<![\w.])(?:\+|[A-Z]{2})?\d(?:[\d .,/:-]{0,30}\d)?(?: ?(?:mg(?:/ml)?|ml|€|%|ans|years?|kg|cm|euros?|nuits?|nights?))?(?![\w])"
)
_ADDRESS_LIKE = re.compile(
    r"\b\d{1,4}(?: ?(?:bis|ter))?,? [^\W\d_][^\n,;!?.()«»\"]{3,45}(?:,? \d{4,5} [A-ZÀ-Ý][\w'’-]{1,25})?"
)
_STREET_LINE = re.compile(r"\b[A-ZÀ-Ý][\w'’ -]{3,40} \d{1,4}[a-z]?\b(?: in [A-Z]\w+)?")
_CUE = re.compile(
    r"\b(?:pas|non pas|plus|not|no longer|never|nicht|no|non|nao|niet|geen|sondern|sino|maar|mas|ma|but|mais|instead of|au lieu d[eu']|a la place d[eu']|statt|en vez de|invece di|in plaats van|em vez de|plutot que|rather than"
    r"|c'est|it's|its|it is|it should be|should (?:be|say|read)|must be|to be|is|are|was|am|i'm|je suis|suis|est|sont|etait|ist|bin|war|es|soy|son|era|e|sono|sou|het is|moet|zijn|wel"
    r"|to|en|par|comme|as|als|como|come|under|in|por|con|durch|mit|with|for|from|d[eu]|von|van|di"
    r"|says?|reads?|put|puts|wrote|written|have|has|had|mettez|mettre|mis|ecrit|ecrire|note|marque|inscrit|indique|avez|dit|devient|heisst|heiss|steht|stehe|pone|dice|figura|figuro|consta|staat|sta|aparece|risulta|risulto|noemt|correct|right|actual|vrai|vraie|bon|bonne|nom|prenom|nouveau|nouvelle|new|old|ancien|ancienne|name|surname|adresse|address|numero|number|:)"
    r"[ :]{1,3}(?:le |la |les |the |an? |une? |der |die |das |den |dem |el |los |il |o |l'|m\. |mme )?",
)
_PHRASE = re.compile(r"[^\s,;.!?()«»“”\"\n:][^,;.!?()«»“”\"\n:]{0,50}")


def values(body: str, folded: str) -> Iterator[Candidate]:
    """Yield what a correction may name: quoted words, numbers, addresses, and a few words behind what leads to a value."""
    for match in islice(_QUOTED.finditer(body), MAX_NAMES):
        group = match.lastindex or 0
        yield Candidate(*match.span(group), "quote")
    for pattern, kind in (
        (EMAIL, "email"),
        (PHONE, "phone"),
        (_NUMBER, "number"),
        (_ADDRESS_LIKE, "address"),
        (_STREET_LINE, "address"),
    ):
        for match in islice(pattern.finditer(body), MAX_NAMES):
            yield Candidate(*_stripped(body, match.start(), match.end()), kind)
    for pattern in ADDRESSES:
        for match in islice(pattern.finditer(body), MAX_NAMES):
            yield Candidate(*_stripped(body, match.start(), match.end()), "address")
    for match in islice(_CUE.finditer(folded), MAX_VALUES):
        phrase = _PHRASE.match(body, match.end())
        if phrase is None:
            continue
        start, end = _stripped(body, *phrase.span())
        ends = [place.start() for place in re.finditer(r"\s|$", body[start:end])][:4]
        for number, place in enumerate(ends):
            if place > 1:
                yield Candidate(start, start + place, f"phrase {number + 1}")
        if end - start not in ends and end - start > 1:
            yield Candidate(start, end, "phrase to the stop")


def _stripped(body: str, start: int, end: int) -> tuple[int, int]:
    while start < end and body[start] in " ,;:.-\t\n\r\u00a0":
        start += 1
    while end > start and body[end - 1] in " ,;:.-\t\n\r\u00a0":
        end -= 1
    return start, end


def distinct(found: Iterable[Candidate]) -> list[Candidate]:
    """Return each span once, as the first kind that it was found as, in order of place."""
    unique: dict[tuple[int, int], Candidate] = {}
    for one in found:
        if one.end > one.start:
            unique.setdefault((one.start, one.end), one)
    return sorted(unique.values(), key=lambda one: (one.start, one.end))
