"""What a message says of people and things: names, addresses, dates, references; and its flags.

Rules on the literal text, with offsets: what is found stands in the message to the letter, so that the DPO
can check it at a glance. A field that is not found is left out; nothing is guessed.
"""

# ruff: noqa: E501  an expression in one line is easier to read than one in pieces

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from nlp.fold import Folded, fold
from nlp.types import THIRD_PARTY_KINDS, Message

MAX_CHARACTERS = 12_000


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FieldValue = str | tuple[str, ...]

_MONTHS = (
    r"(?:janv(?:ier)?|f[ée]v(?:rier|r)?|mars|avr(?:il)?|mai|juin|juil(?:let)?|ao[uû]t|sept(?:embre)?|oct(?:obre)?|nov(?:embre)?|d[ée]c(?:embre)?"
    r"|jan(?:uary)?|feb(?:ruary)?|march|april|may|june?|july?|august|aug|september|october|november|december"
    r"|januar|februar|märz|juni|juli|oktober|dezember|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
    r"|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|novembre|dicembre|januari|februari|maart|mei|augustus"
    r"|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|dezembro)\.?"
)
_YEAR = r"(?:19|20)\d{2}"
_DAY = r"(?:[12]?\d|3[01])(?:er|st|nd|rd|th|\.|º)?"
_DATE = rf"(?:\d{{1,2}}[/.-]\d{{1,2}}[/.-](?:{_YEAR}|\d{{2}})|{_YEAR}-\d{{2}}-\d{{2}}|{_DAY}(?: (?:de|of))? {_MONTHS}(?:,? (?:de )?{_YEAR})?|{_MONTHS} {_DAY}(?:,? {_YEAR})?)"

_EMAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_PHONE = re.compile(
    r"(?<![\w/.-])(?:\+\d{1,3}[\s.()-]{0,2}(?:\(0\)\s?)?\d{1,4}(?:[\s.-]?\d{2,5}){1,4}|0\d(?:[\s.-]?\d{2}){4}|0\d{9}|07\d{3}[ -]?\d{6}|0\d{3} \d{2} \d{2} \d{2}|0\d{2,4} \d{3,4} \d{3,4})(?![\w/-])"
)
_REQUEST_REF = re.compile(r"\bDSR-\d{4}-\d{3,6}\b", re.IGNORECASE)
_BOOKING_REF = re.compile(
    r"\b(?:MJ|MIJE|MAU|FOU|FAU|FC|RES|BK)[-/ ]?(?:\d{4}[-/])?\d{3,6}\b|\b\d{2}-(?:FC|FOU|FAU|MAU)-\d{3,5}\b|\bMJ-\d{4}-\d{3,6}\b"
)
_BOOKING_NAMED = re.compile(
    r"(?:r[ée]servation|r[ée]sa|booking(?: (?:ref(?:erence)?|number|no\.?))?|reservation(?: number)?|dossier (?:de )?(?:r[ée]servation|groupe)|buchung(?:snummer)?|reserva|prenotazione|boeking)"
    r"(?: (?:n[°ºo]|num[ée]ro|nr\.?|no\.?|ref(?:erence)?|code|#))?\s?[:#]?\s?((?=[A-Z0-9/-]*\d)[A-Z0-9][A-Z0-9/-]{3,15})\b"
)
_CASE_REF = re.compile(
    r"(?:(?:notre|nos|ma|mes|our|your? ref|my|v/|n/|unser|nuestra|nostro|ons)?\s?(?:r[ée]f(?:[ée]rences?)?\.?|ref\.?|reference|dossier n[°ºo]|case(?: (?:no|number|id))?|ticket(?: (?:n[°ºo]|number))?|saisine n[°ºo]|complaint (?:no|number)"
    r"|plainte n[°ºo]|affaire|lot|PV|notification|aktenzeichen|expediente|n[°ºo]|#))\.?\s?(?:is |est |: ?|n[°ºo] ?|#)?((?=[\w./-]*\d)[A-Za-z0-9][\w./-]{3,18}\w)",
    re.IGNORECASE,
)
_BRACKET_REF = re.compile(r"\[(?:ref\.? |#)?((?=[\w-]*\d)[A-Za-z]{0,4}-?[\w-]{4,14})\]")
_BORN = re.compile(
    rf"(?:n[ée]e? le|n[ée]\(e\) le|date de naissance|dob|d\.o\.b\.?|date of birth|birth ?date|born(?: on)?(?: the)?|geboren am|geburtsdatum|fecha de nacimiento|nacid[oa] el|data di nascita|nat[oa] il|geboortedatum|geboren op|data de nascimento|nascid[oa] (?:em|a))"
    rf"[^\d\n]{{0,40}}?({_DATE})",
    re.IGNORECASE,
)
_AGED = re.compile(rf"\b(?:16|17|15|14|sixteen|seventeen|\d{{2}} ans)\s?\(({_DATE})\)", re.IGNORECASE)
_STAY = re.compile(
    rf"(?:\bdu (?:{_DAY}(?: {_MONTHS})?|{_DATE}) au {_DATE}|\b{_DAY}(?: {_MONTHS})? au {_DATE}|\b{_DAY}(?: {_MONTHS})?\s?(?:-|–|to|until|bis|al|tot|a)\s?{_DAY} (?:de |di )?{_MONTHS}(?: {_YEAR})?"
    rf"|\b{_MONTHS} {_DAY}\s?(?:-|–|to)\s?{_DAY}(?:,? {_YEAR})?|\bbetween {_DAY} and {_DAY} {_MONTHS}(?: {_YEAR})?|\bfrom {_DATE} to {_DATE}|\bfrom {_DAY} to {_DAY} {_MONTHS}"
    rf"|\bvom {_DAY}\.? ?(?:{_MONTHS} )?bis (?:zum )?{_DAY}\.? {_MONTHS}(?: {_YEAR})?|\bdel {_DAY} al {_DAY} de {_MONTHS}(?: de {_YEAR})?|\bdal {_DAY} al {_DAY} {_MONTHS}(?: {_YEAR})?"
    rf"|\bsemaine du {_DAY}(?: {_MONTHS})?(?: {_YEAR})?|\bweek of (?:the )?{_DATE}|\bnuit du {_DATE}(?: au {_DATE})?|\bnight of (?:the )?{_DATE})",
    re.IGNORECASE,
)
_STREETS = r"(?:rue|avenue|av\.|boulevard|bd|place|impasse|all[ée]es?|chemin|quai|route|cours|square|venelle|passage|sentier|faubourg|villa|cit[ée]|r[ée]sidence|lotissement|lieu-dit|mont[ée]e|promenade)"
_ADDRESS_FR = re.compile(
    rf"\b\d{{1,4}}(?: ?(?:bis|ter|quater))?,? (?:{_STREETS})\b[^\n,;.]{{2,45}}(?:, ?| )(?:[^\n,;.]{{2,30}}, ?)?\d{{5}} [A-ZÀ-Ý][\w'’ -]{{1,30}}(?<![ -])"
    rf"|\b\d{{1,4}}(?: ?(?:bis|ter))?,? (?:{_STREETS})\b[^\n,;.]{{2,40}}, [A-ZÀ-Ý][\w'’-]{{2,25}}",
    re.IGNORECASE,
)
_ADDRESS_PLACE = re.compile(r"\b[A-ZÀ-Ý][\w'’ -]{2,30}, \d{5} [A-ZÀ-Ý][\w'’-]+(?:-[\w'’-]+)*")
_ADDRESS_DE = re.compile(
    r"\b[A-ZÄÖÜ][\wäöüß.-]+(?: [A-ZÄÖÜ][\wäöüß.-]+)? \d{1,4}[a-z]?, (?:D-)?\d{4,5} [A-ZÄÖÜ][\wäöüß-]+"
)
_ADDRESS_EN = re.compile(
    r"\b(?:\d{1,4}[a-z]? (?:[A-Z][\w'’]+ ){1,3}(?:Street|St|Road|Rd|Lane|Avenue|Ave|Close|Drive|Way|End|Court|Crescent|Terrace|Gardens?|Place|Square|Hill|Row|Mews)\b"
    r"|(?:The )?(?:[A-Z][\w'’]+ ){1,2}(?:House|Cottage|Rectory|Farm|Lodge|Barn)\b)(?:, [A-Z0-9][\w'’ -]{1,30}){0,3}"
)

_TITLE = r"(?:Gp Capt|DC \d+|M(?:me|lle|\.|onsieur|adame|ademoiselle|a[îi]tre|e)|Mr\.?|Mrs\.?|Ms\.?|Miss|Dr\.?|Prof\.?|Sir|Herr|Frau|Se[ñn]or[a]?|Sr[a]?\.?|Signora?|Don|Dhr\.?|Mevr\.?)"
_NAME_WORD = (
    r"(?:[A-ZÀ-ÝŁŚŻ](?:[\w'’]+(?:-[\w'’]+)*|\.)|d[eu]|de la|des|von|van|der|den|di|da|dos|le|la|el|al|bin|O['’]\w+)"
)
_NAME = rf"[A-ZÀ-ÝŁŚŻ](?:[\w'’]+(?:-[\w'’]+)*|\.)(?:[ -]{_NAME_WORD}){{0,4}}"
_SELF = re.compile(
    rf"(?:\b[Jj]e (?:soussign[ée]e?|m['’]appelle|suis) |\b[Mm]on nom (?:est|c['’]est) |\b[Mm]y name is |\bI, |\bI am |\bI['’]m |\bThis is |\b[Ii]ch bin |\b[Mm]ein Name ist |\b[Mm]e llamo |\b[Mm]i chiamo |\b[Mm]ijn naam is |\b[Cc]hamo-me |\bO meu nome é )"
    rf"(?:soussign[ée]e?,? )?({_NAME})(?=[\s,.;:!)(]|$)"
)
_SELF_WEAK = _words(
    """
    a afraid also an ancien at away back client desole dpo en from going happy i in je just la le mije not
    now on out paris ravi responsable so sorry still sure the un une very writing your
    """
)
_CLOSING = re.compile(
    r"^(?:(?:bien )?(?:cordialement|amicalement|sinc[èe]rement|respectueusement|salutations?|bonne (?:journ[ée]e|soir[ée]e|r[ée]ception)|merci\b|cdlt|cdt|a\+|bien [àa] vous|[àa] bient[ôo]t|avec mes|veuillez|dans l['’]attente|"
    r"(?:kind |best |warm |many )?regards|best( wishes)?|thanks?|thank you|cheers|yours|sincerely|love|thx|ta\b|cordially|mit freundlichen|mfg|viele gr|gru[sß]|saludos|atentamente|un saludo|cordiali|distinti|grazie|gracias|obrigad|cumprimentos|atenciosamente|met vriendelijke|groet|envoy[ée]|sent from|bises|bisous|tel|t[ée]l|ps\b|p\.s))",
    re.IGNORECASE,
)
_SEGMENT_END = re.compile(
    r"(?<!\b[A-ZÀ-Ý])(?<!\bTh|\bMr|\bDr|\bSt)[.!?…)]\s+|[,:]\s+(?=[A-ZÀ-Ý]\S*(?: [A-ZÀ-Ý]\S*)?\.?$)|\bKisses |\bLove,? "
)
_RELATION_FR = r"(?:beau-|belle-|petite?-|arri[èe]re-)?(?:fils|fille|p[èe]re|m[èe]re|fr[èe]re|s[œo]e?ur|mari|femme|[ée]poux|[ée]pouse|compagn(?:on|e)|conjointe?|enfants?|gar[çc]on|ni[èe]ce|neveu|oncle|tante|maman|papa|grand-(?:m[èe]re|p[èe]re)|cousine?|collègue|cliente?|filleule?)"
_RELATION_EN = r"(?:late |little |eldest |youngest |step|grand|elder |younger )?(?:son|daughter|child|kid|boy|girl|girls|boys|lad|lass|husband|wife|partner|father|mother|dad|mum|mom|mam|brother|sister|uncle|aunt|nephew|niece|grandmother|grandfather|client|colleague)"
_RELATED = re.compile(
    rf"\b((?i:(?:mon|ma|mes|notre|nos|sa|son|leur)) ((?i:{_RELATION_FR}))|(?i:(?:my|our|his|her|their)) ((?i:{_RELATION_EN}))|(?i:mein(?:e|en|em|er)?) ((?i:Sohn|Tochter|Mann|Frau|Vater|Mutter|Bruder|Schwester|Kind))"
    rf"|(?i:mi) ((?i:hijo|hija|marido|mujer|padre|madre|hermano|hermana|esposa|esposo))|(?i:mi[oa]) ((?i:figlio|figlia|marito|moglie|padre|madre|fratello|sorella))|(?i:mijn) ((?i:zoon|dochter|man|vrouw|vader|moeder|broer|zus))|(?i:(?:o meu|a minha)) ((?i:filho|filha|marido|mulher|pai|mãe|irmão|irmã)))"
    rf"(?: défunte?)?(?:,? ({_NAME}))?"
)
_CLIENT = re.compile(
    rf"(?:\b(?:cliente?|utilisat(?:eur|rice)|notre adh[ée]rente?|mandante?|pour le compte de|au nom de|on behalf of|our (?:user|client|member)|my client|succession (?:de )?|feue?|d[ée]funte?|the late|estate of|l['’]enfant|l['’][ée]l[èe]ve|kept for|unserer? (?:Mandantin|Mandanten|Kund(?:in|en)))[,: ]+)((?:{_TITLE} )?{_NAME})"
)
_SUBJECT_LINE = re.compile(rf"^(?:Name|Nom|Nom et prénom|Person|Full name)\s?: ({_NAME})", re.MULTILINE)
_RECIPIENT = re.compile(
    r"\b(?:(?:directement |basculer? .{0,30}|transf[ée]r\w+ .{0,40}|transmettre .{0,40}|envoy\w+ .{0,40})(?:à|au|aux|chez|vers) |(?:[Dd]irectly|[Ss]traight|[Tt]ransferred?|[Ss]end|[Ss]ent|[Pp]ort) .{0,40}?\b(?:to|over to|across to) |chez |nouveau prestataire,? |new provider,? |service, |(?:an|zu) (?:die )?|a la |alla )"
    r"((?:la coop[ée]rative |l['’]association |l['’]agence |la soci[ée]t[ée] |the )?(?-i:[A-ZÀ-Ý][\w'’]+(?:[ &-]+(?:[A-ZÀ-Ý&][\w'’.]*|de|des|du|d['’]|et|l['’])){0,4}))",
)
_QUOTED = r"[«“\"]\s?([^»”\"\n]{1,60}?)\s?[»”\"]"
_VALUE = r"(?:[«“\"]\s?[^»”\"\n]{1,60}?\s?[»”\"]|[^\s,;.!?()]+(?: [A-ZÀ-Ý0-9][^\s,;.!?()]*){0,4})"
_CHANGES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), order)
    for pattern, order in (
        (
            rf"({_VALUE}) (?:au lieu d['’e]u? ?|à la place d['’e]u? ?|en lieu et place d['’e]u? ?)({_VALUE})",
            "wrong-right",
        ),
        (
            rf"(?:[Rr]emplace[rz]?|[Ss]ubstituer|[Cc]hange[rz]?|[Mm]odifie[rz]?) ({_VALUE}) (?:par|en) ({_VALUE})",
            "old-new",
        ),
        (
            rf"(?:[Rr]eplace|[Cc]hange|[Cc]orrect|[Uu]pdate|[Aa]mend)\s(?:it |this )?(?:from )?({_VALUE}) (?:to|with|into|by) ({_VALUE})",
            "old-new",
        ),
        (
            rf"(?:(?:c['’]est|s['’]écrit|suis|est|[Ii]t['’]s|[Ii]t is|[Ii] am|is|be|read) )({_VALUE}),? (?:et non(?: pas)?|et pas|pas|and not|not|and I am not an?|nicht|no|non) ({_VALUE})",
            "new-old",
        ),
        (rf"({_VALUE}),? (?:et non(?: pas)?|et pas|and not|, not|, pas|pas) ({_VALUE})", "new-old"),
        (
            rf"(?:c['’]est pas|n['’]est pas|ce n['’]est pas|[Ii]t['’]s not|is not|isn['’]t|not) ({_VALUE}),? (?:mais|c['’]est|c|but|it['’]s|it is) ({_VALUE})",
            "old-new",
        ),
        (rf"instead of ({_VALUE})", "old"),
        (
            rf"(?:should (?:be|read|say)|devrait être|doit être|wants to be|faut (?:mettre|lire)|correct(?:e|ed)? (?:is|to|date is|spelling is)) ({_VALUE})",
            "new",
        ),
        (
            rf"(?:[Nn]ouve(?:au|l|lle) (?:numéro|num|tel|téléphone|mail|email|adresse(?: mail)?|courriel|nom|iban|IBAN)|[Nn]ew (?:address|number|phone|email|mobile|surname|name))(?: est| is|\s?:)? ?(?:le |la |the )?:? ?({_VALUE})",
            "new",
        ),
    )
)
_AROUND_VALUE = '«»“”" \u00a0.,:;'
_PRONOUNS = _words(
    """
    a an be besoin cela de du elle il it je just la le les ma mes mon my not only pas plus que qui that the
    this to un une ça
    """
)


@dataclass(frozen=True)
class Field:
    """A value found in the message, with its offsets in the body (-1 where it stands in the subject)."""

    name: str
    text: str
    start: int
    end: int


def find(
    message: Message, labels: Sequence[str], *, third_party: bool = False, whole: str | None = None
) -> list[Field]:
    """Return the fields of *message* in order of place.

    *labels* are the labels decided: old and new values are looked for in a rectification only, a recipient in a
    transfer only, the name of somebody else more eagerly where *third_party* says that there is one. *whole* is the body with quoted history, where our request number may stand.
    """
    body = message.body[:MAX_CHARACTERS]
    found: list[Field] = []
    found += _references(message, body, whole)
    found += _contacts(message, body, labels)
    found += _dates(body)
    found += _names(message, body, third_party)
    if "rectification" in labels:
        found += _values(message, body)
    if "portability" in labels:
        found += _recipient(body)
    unique = {(field.name, field.text): field for field in reversed(found)}
    return sorted(unique.values(), key=lambda field: (field.start, field.name))


def as_mapping(found: Iterable[Field]) -> dict[str, FieldValue]:
    """Return the fields by name: a text, or several where the message gives several."""
    values: dict[str, list[str]] = {}
    for field in found:
        values.setdefault(field.name, []).append(field.text)
    return {name: texts[0] if len(texts) == 1 else tuple(texts) for name, texts in values.items()}


def _field(name: str, match: re.Match[str], group: int = 0) -> Field:
    start, end = match.span(group)
    text = match[group]
    stripped = text.strip(" ,;:.-\t")
    offset = start + text.index(stripped) if stripped else start
    return Field(name, stripped, offset, offset + len(stripped)) if stripped else Field(name, text, start, end)


def _references(message: Message, body: str, whole: str | None) -> list[Field]:
    found = [_field("request_ref", match) for match in _REQUEST_REF.finditer(body)]
    if not found:
        for text in (message.subject, (whole or "")[:200_000]):
            match = _REQUEST_REF.search(text)
            if match:
                found.append(Field("request_ref", match[0], -1, -1))
                break
    taken = [(field.start, field.end) for field in found]

    def free(field: Field) -> bool:
        return not any(start <= field.start < end for start, end in taken)

    for match in _BOOKING_REF.finditer(body):
        field = _field("booking_ref", match)
        if free(field):
            found.append(field)
            taken.append((field.start, field.end))
    for match in _BOOKING_NAMED.finditer(body):
        field = _field("booking_ref", match, 1)
        if free(field):
            found.append(field)
            taken.append((field.start, field.end))
    for pattern in (_BRACKET_REF, _CASE_REF):
        for match in pattern.finditer(body):
            field = _field("case_ref", match, 1)
            looks_like_date = re.fullmatch(r"\d{1,2}[/.]\d{1,2}([/.]\d{2,4})?", field.text)
            if free(field) and not looks_like_date and sum(c.isdigit() for c in field.text) >= 3:
                found.append(field)
                taken.append((field.start, field.end))
    return found


def _contacts(message: Message, body: str, labels: Sequence[str]) -> list[Field]:
    found: list[Field] = []
    own = message.from_email.lower()
    surname = fold(message.from_name).text.split()
    for match in _EMAIL.finditer(body):
        address = match[0].rstrip(".'-").lower()
        if address.endswith("@mije.com"):
            continue
        near = body[max(0, match.start() - 60) : match.start()].lower()
        if address == own:
            name = "email"
        elif "portability" in labels and not re.search(r"(?:mon|my|mein|ma) (?:mail|email|adresse|address)", near):
            name = "recipient_email"
        elif re.search(
            r"ancien|old |previous|former|plus |fille|fils|son |daughter|client|user|utilisat|wife|husband|mari\b|[ée]pou",
            near,
        ):
            name = "other_email"
        elif any(len(part) > 3 and part in address for part in surname) or re.search(
            r"mon (?:mail|e-?mail|adresse)|my (?:e-?mail|address)|(?:e-?mail|courriel)\s?:", near
        ):
            name = "email"
        else:
            continue
        end = match.start() + len(match[0].rstrip(".'-"))
        found.append(Field(name, body[match.start() : end], match.start(), end))
    emails = [(field.start, field.end) for field in found]
    for match in _PHONE.finditer(body):
        digits = sum(character.isdigit() for character in match[0])
        inside = any(start <= match.start() < end for start, end in emails)
        if 8 <= digits <= 15 and not inside:
            found.append(_field("phone", match))
    for pattern in (_ADDRESS_FR, _ADDRESS_DE, _ADDRESS_EN, _ADDRESS_PLACE):
        match_found = pattern.search(body)
        if match_found:
            found.append(_field("postal_address", match_found))
            break
    return found


def _dates(body: str) -> list[Field]:
    found = [_field("date_of_birth", match, 1) for pattern in (_BORN, _AGED) for match in pattern.finditer(body)][:3]
    born = [(field.start, field.end) for field in found]
    for match in _STAY.finditer(body):
        if not any(start <= match.start() < end for start, end in born):
            found.append(_field("stay_dates", match))
    return found[:8]


def _names(message: Message, body: str, third_party: bool) -> list[Field]:
    found: list[Field] = []
    own = _own_name(message, body)
    if own:
        found.append(own)
    own_words = set(fold(own.text).text.split()) if own else set()
    subject = None
    for match in _RELATED.finditer(body):
        group = next(number for number in range(2, 9) if match[number])
        place = match.span(group) if group in (2, 4) else match.span(1)
        text = body[place[0] : place[1]]
        name = match[9]
        if group != 2 and name:
            text = body[match.start(1) : match.end(group)]
            place = (match.start(1), match.end(group))
        near = fold(body[max(0, match.start() - 60) : match.end() + 60]).text
        if not any(field.name == "relationship" for field in found) and (name or _DECEASED.search(near)):
            found.append(Field("relationship", text, *place))
        if name and subject is None and not set(fold(name).text.split()) <= own_words:
            subject = _trim_name("data_subject_name", body, *match.span(9))
    if subject is None:
        for pattern in (_SUBJECT_LINE, _CLIENT):
            found_name = pattern.search(body)
            if found_name and not set(fold(found_name[1]).text.split()) <= own_words:
                subject = _trim_name("data_subject_name", body, *found_name.span(1))
                break
    if subject is None and third_party:
        subject = _somebody(body, own_words | set(fold(message.from_name).text.split()))
    if subject is not None:
        found.append(subject)
    return found


def _somebody(body: str, own_words: set[str]) -> Field | None:
    """Return the name of the person that a message for somebody else is about: named with an age, or most often."""
    if body.isupper():
        return None
    counts: dict[str, int] = {}
    places: dict[str, Field] = {}
    for match in re.finditer(_NAME, body):
        field = _trim_name("data_subject_name", body, *match.span())
        if field is None:
            continue
        first = field.text.split()[0]
        folded = set(re.split(r"[^\w]+", fold(field.text).text)) - {""}
        opens = re.search(r"(?:^|[.!?:;)»…\n]\s*|[-–•«“\"(]\s?)$", body[max(0, match.start() - 4) : match.start()])
        if (
            folded & own_words
            or folded & _NO_PERSON
            or (opens and len(field.text.split()) == 1)
            or first.isupper()
            or "I'" in first
            or first == "For"
        ):
            continue
        behind = body[field.end : field.end + 14]
        led = _LEADS_TO_PERSON.search(body[max(0, match.start() - 16) : match.start()])
        weight = 1 + bool(led)
        weight = (
            3
            if re.match(r",? \(?\d{1,2} (?:ans|years)|,? (?:\d{1,2}|aged) ", behind) or behind.startswith(", née")
            else weight
        )
        name = field.text.split()[0]
        counts[name] = counts.get(name, 0) + weight
        if name not in places or len(field.text) > len(places[name].text):
            places[name] = field
    counts = {name: count for name, count in counts.items() if count > 1}
    if not counts:
        return None
    return places[max(counts, key=lambda name: (counts[name], len(places[name].text)))]


_LEADS_TO_PERSON = re.compile(
    r"\b(?:de|d['’]|of|for|pour|à|[ée]l[èe]ve|student|pupil|notre|our|poor|pauvre|petite?|named|appel[ée]e?|is|est|my|mon|ma|von|di|van) ?$",
    re.IGNORECASE,
)
_NO_PERSON = _words(
    """
    allemand and anglais aout april art article association august avril berlin bonjour but can cher chere
    chers christmas cnil code college cordialement could csv cv dans dear december decembre des dimanche
    dpo dsr easter ecole elle en english europe facebook fauconnier february fevrier fourcy francais france
    french friday gdpr gervais google he hello hi hostel iban iii il instagram it january janvier je jeudi
    json juillet juin july june les loi london lundi lycee madame mai marais march mardi mars maubuisson
    merci mercredi mije monday monsieur my noel nous november novembre october octobre office on our paques
    paris pdf please pour regards rgpd rib rue saint samedi saturday school september septembre she sir
    sirs sms so sunday sur team thanks that the they this thursday tiktok toussaint tuesday type une union
    vendredi vous we wednesday whatsapp year you your youtube
    """
)


def _trim_name(name: str, body: str, start: int, end: int) -> Field | None:
    text = body[start:end]
    words = text.split(" ")
    while words and (
        words[-1] in ("de", "du", "des", "le", "la", "von", "van", "der", "di", "da")
        or words[-1].lower() in ("est", "is")
    ):
        words.pop()
    trimmed = " ".join(words).rstrip(" ,.'’-") if words else ""
    if len(trimmed) < 2 or trimmed.lower() in _SELF_WEAK:
        return None
    return Field(name, trimmed, start, start + len(trimmed))


def _own_name(message: Message, body: str) -> Field | None:
    """Return the sender's name as the body writes it: signed, or said."""
    claimed = [word for word in re.split(r"[^\w]+", fold(message.from_name).text) if word]
    signed = _signed(body, claimed)
    said = None
    for match in _SELF.finditer(body):
        candidate = _trim_name("full_name", body, *match.span(1))
        if candidate and candidate.text.split()[0].lower() not in _SELF_WEAK and candidate.text[0].isupper():
            said = candidate
            break
    options = [option for option in (signed, said) if option]
    mentioned = _mentioned(body, message.from_name)
    if mentioned:
        options.append(mentioned)
    return max(
        options, key=lambda option: (len(option.text.split()) > 1, option is signed, len(option.text)), default=None
    )


def _mentioned(body: str, from_name: str) -> Field | None:
    """Return the place where the body names its sender in full."""
    name = fold(re.sub(r"[^\w\s'’.-]", " ", from_name).strip())
    if len(name.text.split()) < 2:
        return None
    text = fold(body)
    place = text.text.rfind(name.text)
    if place < 0:
        return None
    start, end = text.span(place, place + len(name.text))
    return Field("full_name", body[start:end], start, end)


def _signed(body: str, claimed: Sequence[str]) -> Field | None:
    """Return the name below the text: the last short line that looks like one or holds the sender's name."""
    lines: list[tuple[int, str]] = []
    place = 0
    for line in body.split("\n"):
        if line.strip():
            lines.append((place, line))
        place += len(line) + 1
    for offset, line in reversed(lines[-6:]):
        last = line is lines[-1][1]
        segment_start = 0
        if len(line) > 45 or re.search(r"[.!?] ", line):
            ends = [match.end() for match in _SEGMENT_END.finditer(line)]
            if not ends or not last:
                continue
            segment_start = ends[-1]
        segment = line[segment_start:]
        lead = len(segment) - len(segment.lstrip(" -–—*\t,"))
        text = segment[lead:].rstrip(" !,\t\r")
        text = text if re.search(r"\b[A-ZÀ-Ý]\.$", text) else text.rstrip(".")
        text = re.split(r"\s*[,(|/]\s*|\s+[-–—:]\s+|\d", text, maxsplit=1)[0].strip()
        title = re.match(rf"{_TITLE}\s+(?=[A-ZÀ-Ý]\w)", text)
        if title:
            lead += title.end()
            text = text[title.end() :]
        words = [word for word in re.split(r"[\s]+", text) if word]
        if not 1 <= len(words) <= 5 or _CLOSING.match(text):
            continue
        folded_words = [word for word in re.split(r"[^\w]+", fold(text).text) if word]
        if all(len(word) == 1 for word in folded_words):
            continue
        known = sum(_same_name(word, claimed) for word in folded_words)
        capitalised = sum(
            word[0].isupper() or word in ("de", "du", "von", "van", "der", "la", "le", "di", "da", "dos")
            for word in words
        )
        plain_name = (
            capitalised == len(words)
            and all(re.fullmatch(r"[\w'’.-]+", word) for word in words)
            and len(words) >= 2
            and not text.isupper()
        )
        if (known and known >= len(folded_words) / 2) or (plain_name and not claimed and last):
            start = offset + segment_start + lead
            return Field("full_name", body[start : start + len(text)], start, start + len(text))
    return None


def _same_name(word: str, claimed: Sequence[str]) -> bool:
    return any(word == name or (len(word) <= 2 and name.startswith(word[:1])) for name in claimed)


def _values(message: Message, body: str) -> list[Field]:
    for pattern, order in _CHANGES:
        for match in pattern.finditer(body):
            groups = [_value(match, number) for number in range(1, (match.lastindex or 0) + 1)]
            if any(value is None or not _telling(value[0], body, value[1]) for value in groups):
                continue
            given = _VALUE_NAMES[order]
            if order == "wrong-right" and _WROTE.search(fold(body[max(0, match.start() - 40) : match.start()]).text):
                given = _VALUE_NAMES["old-new"]
            return [Field(name, *value) for name, value in zip(given, groups, strict=False) if value]
    return _respelled(message, body) or _new_contact(body)


_WROTE = re.compile(r"\b(?:mis|ecrit|note|marque|saisi|enregistre|inscrit|indique|figure|put|wrote|entered|has|says)\b")
"""You *wrote* 1985 instead of 2005: what stands first is the wrong one."""
_VALUE_NAMES = {
    "wrong-right": ("new_value", "old_value"),
    "old-new": ("old_value", "new_value"),
    "new-old": ("new_value", "old_value"),
    "old": ("old_value",),
    "new": ("new_value",),
}


def _telling(text: str, body: str, start: int) -> bool:
    """A value is a name, a number, an address or something in quotation marks; a bare verb or article is none."""
    quoted = start > 0 and body[max(0, start - 2) : start].strip() in ("«", "“", '"')
    return quoted or (bool(re.search(r"[A-ZÀ-Ý0-9@]", text)) and text.lower() not in _PRONOUNS)


def _respelled(message: Message, body: str) -> list[Field]:
    """Return two spellings of one name: that of the sender, or the later one, is the right one."""
    own = fold(message.from_name).text
    found = [match for match in re.finditer(rf"{_QUOTED}|{_NAME}", body) if len(match[0]) > 3]
    names = [value for match in found[:40] if (value := _value(match, 1 if match[1] else 0))]
    for index, (one, start, end) in enumerate(names):
        for other, begin, finish in names[index + 1 :]:
            first, second = fold(one).text, fold(other).text
            close = len(first.split()) == len(second.split()) and SequenceMatcher(None, first, second).ratio() >= 0.72
            if first != second and close and first[0] == second[0]:
                later_is_old = second not in own and first in own
                old, new = (
                    ((other, begin, finish), (one, start, end))
                    if later_is_old
                    else ((one, start, end), (other, begin, finish))
                )
                return [Field("old_value", *old), Field("new_value", *new)]
    return []


def _new_contact(body: str) -> list[Field]:
    """Return the new address, mail or number of a message that says something is new."""
    for pattern in (_ADDRESS_FR, _ADDRESS_DE, _ADDRESS_EN, _ADDRESS_PLACE, _EMAIL, _PHONE):
        for match in pattern.finditer(body):
            before = fold(body[max(0, match.start() - 60) : match.start()]).text
            if re.search(
                r"nouve\w+|new\b|now\b|demenag\w+|moved|bouge|desormais|maintenant|plutot|remplac\w+ .*par|mett\w+|c'est |neu\w*",
                before,
            ):
                return [_field("new_value", match)]
    return []


def _value(match: re.Match[str], number: int) -> tuple[str, int, int] | None:
    text = match[number]
    if text is None:
        return None
    stripped = text.strip(_AROUND_VALUE)
    if not stripped:
        return None
    start = match.start(number) + text.index(stripped)
    return stripped, start, start + len(stripped)


def _recipient(body: str) -> list[Field]:
    for match in _RECIPIENT.finditer(body):
        field = _trim_name("recipient", body, *match.span(1))
        if field and field.text.lower() not in ("mije", "paris", "json", "csv", "vous", "excel", "xml"):
            return [field]
    return []


_FLAG_CUES: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "health_data": r"allerg\w+|asthm\w+|medic(?:al|ament|aux|ale|ales|ation|in)\w*|sanitaire|sante\b|health|handicap\w*|disabil\w+|fauteuil roulant|wheelchair|diabet\w+|epilep\w+|maladie\w*|psycholog\w+|psy\b|traitement medical|inhaler|coeliac|celiac|intoleran\w+|vaccin\w*|ordonnance(?! du)|antidepress\w+|grossesse|pregnan\w+|hospital\w*|certificat medical|gesundheit\w*|krank\w*|salud\b|salute\b|gezondheid|saude\b|carte vitale|numero de secu\w*",
        "image_rights": r"photos?\b(?! d'identite| de (?:ma|mon|la) (?:carte|passeport))|fotos?\b|videos?\b|\bimage\b|images\b|filme\w*|filmer|film\b|clip\b|instagram|insta\b|tiktok|facebook|youtube|pictures?\b|pics?\b|banner|portrait\b|cliches?\b|droit a l'image|story\b|trombinoscope|bild(?:er)?\b|immagin\w+|imagens?\b",
        "litigation": r"tribunal|avocat\w*|prud'?hom\w*|contentieux|litige|huissier|mise en demeure|assign\w+|refere\b|juge\b|jugement|proces\b|plainte (?:a ete )?(?:deposee|au commissariat)|depot de plainte|expertise|conseil de m\.|lawyer\w*|attorney|solicitor\w*|barrister|court\b|lawsuit|litigation|legal (?:claim|action|proceedings)|small claims|consumer forum|anwalt\w*|rechtsanwalt\w*|gericht\b|abogad\w+|avvocat\w+|advocaat|advogad\w+|chambre disciplinaire|mediateur",
        "press": r"journalist\w*|redaction\b|reportage|enquete journalistique|hebdo\b|quotidien\b|magazine\b|freelance pour|pigiste|podcast|serie audio|newspaper|editorial|press (?:office|inquiry|request)|for an article|un papier sur",
        "employee": r"salarie\w*|employeur|bulletin de (?:salaire|paie)|fiche de paie|dossier du personnel|personnel file|mon contrat de travail|mon embauche|licenci\w+|solde de tout compte|j'ai travaille (?:chez|pour) vous|ancien(?:ne)? (?:salarie\w*|employe\w*|animat\w+|stagiaire)|pay ?slips?|payroll|la paye\b|dpae|certificat de travail|candidature|postule|j'etais (?:animat\w+|receptionniste|veilleur)|my employment|i worked (?:for|at)|former employee|trainee\b|mon stage|stagiaires?\b|veilleur de nuit|hr department|benevole\w*|logiciel de paie",
        "urgent_tone": r"urgen\w+|immediat\w*|tout de suite|aujourd'hui(?: meme)?\s?!|au plus vite|sans delai|dans les plus brefs|sous 48|au secours|help\b.{0,20}!|asap\b|immediately|right now|at once\b|within (?:24|48|two|2) hours?|tonight\b|\bnow!|!{2,}|\?{2,}|dringend|sofort|urgente|subito|onmiddellijk|spoed|des que possible",
        "mentions_authority": r"\bcnil\b|\bico\b|information commissioner|autorite de (?:controle|protection)|supervisory authorit\w+|data protection (?:authority|commission\w*)|garante\b|aepd|datenschutzbehorde|aufsichtsbehorde|autoriteit persoonsgegevens|cnpd\b|\bapd\b|\bdpc\b|police\b|procureur|defenseur des droits|commission nationale de l'informatique|gendarmerie|regulator\b",
        "bulk_platform": r"our user\b|notre utilisat\w+|on behalf of (?:our|the) (?:user|member)|mandat signe electroniquement|signed electronically|mandate (?:signed|linked)|limited power of attorney|\blot \d{4,}|compliance index|nos membres listes|demandes via|privacy platform|scan of (?:his|her|their) inbox|\[[a-z]{1,3}-\d{5,}\]|unsubscribe service|via (?:effacio|incognita|deseat|mine)\b",
    }.items()
}
FLAGS_BY_RULE = ("press", "employee", "bulk_platform")
LEARNED_FLAGS = (
    "third_party",
    "minor",
    "health_data",
    "image_rights",
    "litigation",
    "urgent_tone",
    "mentions_authority",
)
_MINOR_AGE = re.compile(
    r"\b(?:(?:j'ai|ai|age de|agee de|aged?|i'm|im|i am|a|il a|elle a|,|\() ?(?:\(?\s?)?([3-9]|1[0-7]) ?(?:ans\b|years?\b|yo\b|yrs?\b|\)|,|jahre|anos|anni|jaar)|(?:seize|quinze|quatorze|treize|douze|onze|dix|neuf|huit|sept|six|dix-sept) ans\b|(?:sixteen|fifteen|fourteen|thirteen|twelve|eleven|ten|nine|eight|seven|seventeen)(?: years? old|,| and\b)|aged? (?:[3-9]|1[0-7])\b|\b(?:[3-9]|1[0-7])[- ]years?[- ]old|(?:son|daughter|fils|fille|kid|boy|girl) \w+, (?:[3-9]|1[0-7])\b)"
)
_MINORS = re.compile(
    r"\bmineure?s?\b|\bminors?\b|mon (?:petit|gamin|garcon)\b|ma (?:petite|gamine)\b|\beleves?\b|\becoliers?|collegiens?|lyceens?|\bcolos?\b|colonie|classe de (?:cp|ce|cm|6|5|4|3)|\bcm[12]\b|\bcp\b|la classe\b|camarades de classe|\bpupils?\b|schoolchildren|\byear (?:[3-9]|1[0-3])\b|my (?:kid|kids|little)|our pupils|scouts?\b|fiches? sanitaires? (?:de|des)|\bbebe|schuler|alumnos|alunni|leerlingen|alunos|minderjahr\w*|enfants?\b|children\b|school trip|choir(?:boys|girls)|petits\b|autorisation parentale|louveteaux|les jeunes\b"
)
_OWN_CHILD = re.compile(
    r"\b(?:mon fils|ma fille|mes (?:enfants?|filles|fils|petits)|mon enfant|notre (?:fils|fille|enfant)|nos enfants|mon (?:petit|gamin|garcon)\b|ma (?:petite|gamine)\b|my (?:son|daughter|child|kid|kids|children|boy|girl|lad|lass|girls|boys|sons?)\b|our (?:son|daughter|child|kids?|children)|mein(?:e[nmr]?)? (?:sohn|tochter|kind)|mi hij[oa]|mi[oa] figli[oa]|mijn (?:zoon|dochter)|(?:o meu|a minha) filh[oa]|(?:pere|mere|maman|papa|parents?) de\b|(?:mother|father|mum|dad|parent) of\b)"
)
_MANDATE = re.compile(
    r"\b(?:mon client|ma cliente|my client|our client|notre (?:client|cliente|utilisat\w+|adherent\w*)|our user|on behalf of|au nom de (?:m|la|mon|ma)|pour le compte de|mandat\b|mandate\w*|procuration|power of attorney|je represente|i represent|we represent|acting for|tutelle|curatelle|tuteur|guardian of|nos (?:eleves|adherents|membres|salaries|jeunes|clients)|mes (?:eleves|clients)|my (?:pupils|clients|students|mother|father|wife|husband)|our (?:pupils|members|clients)|mandant\w*|vollmacht|mandato|volmacht|procura)\b"
)
_DECEASED = re.compile(
    r"\b(?:deced\w+|est mort\w*|defunt\w*|s'est eteint\w*|nous a quittes?|succession|feue? (?:mon|ma)|died\b|passed away|deceased|late (?:husband|wife|father|mother|brother|sister|son)|has died|is dead|we lost our|the estate|verstorben\w*|gestorben|fallec\w+|decedut\w+|overleden|falecid\w+|faleceu)\b"
)


FlagScore = Callable[[str, Sequence[float]], bool]
"""Whether a flag that the model has learned is raised, given its name and what the rules say of it."""


def flags(
    message: Message, folded: Folded, primary: str, decide: FlagScore, kinds: Mapping[str, float]
) -> dict[str, bool | str]:
    """Return the flags that are raised, and the kind where a third party is concerned.

    Rules speak alone where words are plain; where they are not, *decide* joins them with what the model has
    learned. *kinds* holds the model's probability of each kind of third party.
    """
    text = flag_text(message, folded)
    raised: dict[str, bool | str] = {}
    for name in FLAGS_BY_RULE:
        if _FLAG_CUES[name].search(text):
            raised[name] = True
    for name in LEARNED_FLAGS:
        if decide(name, flag_evidence(name, text, primary)):
            raised[name] = True
    if "third_party" in raised:
        raised["third_party_kind"] = third_party_kind(text, primary, kinds)
    if message.reply_to and message.from_email and message.reply_to.lower() != message.from_email.lower():
        raised["reply_to_differs"] = True
    return raised


def flag_text(message: Message, folded: Folded) -> str:
    """Return the folded text in which flags are looked for: subject and body."""
    return f"{fold(message.subject[:400]).text}\n{folded.text}"


def flag_evidence(name: str, text: str, primary: str) -> list[float]:
    """Return what the rules say of flag *name*: numbers that its regression was fitted on, in the same order."""
    if name == "third_party":
        cued = [bool(pattern.search(text)) for pattern in (_OWN_CHILD, _MANDATE, _DECEASED)]
        return [
            float(one) for one in (*cued, *(primary == kind for kind in ("authority", "breach_report", "post_mortem")))
        ]
    if name == "minor":
        return [float(bool(pattern.search(text))) for pattern in (_MINOR_AGE, _MINORS, _OWN_CHILD)]
    return [float(bool(_FLAG_CUES[name].search(text)))]


def third_party_kind(text: str, primary: str, kinds: Mapping[str, float]) -> str:
    """Return the likeliest kind of third party."""
    cued = {
        "deceased": bool(_DECEASED.search(text)) or primary == "post_mortem",
        "minor_child": bool(_OWN_CHILD.search(text)),
        "mandate": bool(_MANDATE.search(text)),
        "authority": primary == "authority",
        "unrelated": primary == "breach_report",
    }

    def strength(kind: str) -> float:
        probability = min(max(kinds.get(kind, 0.5), 1e-4), 1 - 1e-4)
        return math.log(probability / (1 - probability)) + 1.5 * cued[kind]

    return max(THIRD_PARTY_KINDS, key=strength)
