"""What a message says of people and things: names, addresses, dates, references.

Rules on the literal text, with offsets: what is found stands in the message to the letter, so that the DPO
can check it at a glance. A field that is not found is left out; nothing is guessed.
"""

# ruff: noqa: E501  an expression in one line is easier to read than one in pieces

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from nlp.candidates import codes
from nlp.changes import recipient, values
from nlp.field_model import LEARNED, FieldModel, Leaning, Scene
from nlp.flags import LEARNED_FLAGS, flag_cues, flag_evidence, flag_text, flags
from nlp.names import data_subject, own_name, relationship
from nlp.patterns import ADDRESSES, DATE, DAY, EMAIL, MONTH, NUMERIC, PHONE, TEXTUAL, YEAR, Field, field_of, plain
from nlp.types import Message

__all__ = ["LEARNED_FLAGS", "Field", "as_mapping", "find", "flag_cues", "flag_evidence", "flag_text", "flags", "scene"]

MAX_CHARACTERS = 12_000

FieldValue = str | tuple[str, ...]

_EIGHT = re.compile(r"\d(?:[^\d\n]{0,4}\d){7}")
"""A number of a phone has eight digits, and little between them."""
_FOUR = re.compile(r"\d{4}")
_WITH_POSTCODE = (ADDRESSES[2], ADDRESSES[4])
_CODED = re.compile(r"[A-Z]{2,4}[-/ ]\d{3}|\d[ .]\d|\[\w")
_REQUEST_REF = re.compile(r"dsr-\d{4}-\d{3,6}\b")
_BOOKING_REF = re.compile(
    r"\b(?:MJ|MIJE|MAU|FOU|FAU|FC|RES|BK|GRP|SCH)[-/ ]?(?:\d{2,4}[-/])?\d{3,6}\b|\b[A-Z]{2,3}-20\d{2}-\d{3,5}(?![\w-])|(?<=[Dd]ossier )\d{2}-\d{4}\b|\b\d{2}-(?:FC|FOU|FAU|MAU)-\d{3,5}\b"
)
_CODE = r"(?:(?=[A-Z0-9/.-]{0,15}\d)[A-Z0-9](?:[A-Z0-9]|[/-](?=[A-Z0-9])){3,17}|\d{2}-\d{4})(?![\w])"
_BOOKING_NAMED = re.compile(
    rf"\b(?i:r[ée]servations?|r[ée]sas?|bookings?|reservations?|dossiers? (?:de )?(?:r[ée]servation|groupe|s[ée]jour)|s[ée]jour|stay|group|groupe|gruppe|buchung(?:s?(?:nr|nummer))?|reservierung(?:snummer)?|reserva|localizador|prenotazione|boeking(?:snummer)?|reservering(?:snummer)?|compra|pedido|order|commande|contrat de s[ée]jour)"
    rf"\.?(?: (?i:groupe|group|ref(?:erence|\.)?|r[ée]f(?:[ée]rence|\.)?|number|code|confirmation))?(?: (?i:n[°ºo]|num[ée]ro|n[úu]mero|numero|nummer|nr|no|is|est|#)\.?)?\s?[:#(]?\s?({_CODE})"
)
_CASE_REF = re.compile(
    r"(?:\b(?:r[ée]f(?:[ée]rences?)?|reference|referentie|referencia|riferimento|prot(?:ocollo)?|dossier(?: n[°ºo])?|our file|file(?: (?:no|number))?|case(?: (?:no|number|id))?|ticket(?: (?:n[°ºo]|number))?|saisine(?: n[°ºo])?|complaint (?:no|number)|quote|quoting"
    r"|plainte n[°ºo]|affaire|lot|pv|notification|proc[ée]dure|aktenzeichen|gesch[äa]ftszeichen|zeichen|az|gz|kenmerk|zaaknummer|expediente|processo|pratica|fasc(?:icolo)?|rg|parquet)|\bn[°ºo]|#)\.?\s?(?:n[°ºo] ?|is |est |: ?|#|f (?=\d))?"
    r"((?=[\w./-]{0,20}\d)(?:\d{1,3} [a-z]{2,3} )?[a-z0-9][\w./-]{3,22}\w(?: (?=[a-z]{1,3}\d)[a-z0-9]{3,8}\b)?|\d{1,3} [A-Z][a-z]{1,2} \d{2,6}/\d{2})",
)
_FILE_LINE = re.compile(r"^((?=[\w/-]{0,20}\d)[A-Za-z]{1,4}[/-][A-Za-z0-9]{1,6}[/-][A-Za-z0-9]{2,9})\s*$", re.MULTILINE)
_BRACKET_REF = re.compile(r"\[(?:ref\.? |#)?((?=[\w-]{0,18}\d)[A-Za-z]{0,4}-?[\w-]{4,14})\]")
_NO_CASE = re.compile(
    r"(?:facture|honoraires|commande|invoice|rechnung|fattura|factura|fatura|chambre|room|fiche|badge|article|art\.?|dipl\w+|carte)\b.{0,14}$",
    re.IGNORECASE,
)
_BORN = re.compile(
    rf"(?:\bnee? |\bne\(e\) |\bne·e |date de naissance|naissance|\bdob\b|d\.o\.b\.?|date of birth|birth ?da(?:te|y)|\bb-?day|\bborn|\bgeboren|\bgeb\.|geburtsdatum|geburtstag|fecha de nacimiento|\bnacid[oa]|\bnaci|data di nascita|\bnat[oa] |geboortedatum|data de nascimento|\bnascid[oa]|\bnasci )"
    rf"[^\d\n;!?]{{0,34}}?({DATE})",
)
_NAMED_DATE = re.compile(rf"(?<=[^\W\d_])(?: ?\(| ?, | )\(?({NUMERIC}|{TEXTUAL}(?<={YEAR}))(?=\s?\)|$)", re.MULTILINE)
_CAPITAL_END = re.compile(r"(?<![\w'’-])[A-ZÀ-Ý][\w'’-]{1,24}\.?$")
_DATE_LINE = re.compile(rf"^[ \t]*({NUMERIC})[ \t]*$", re.MULTILINE)
_DM = rf"{DAY}(?: (?:de |di |of )?{MONTH})?(?: (?:de )?{YEAR})?"
_WEEKDAY = r"(?:(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche) )?"
_END = rf"(?:{DAY} (?:de |di |of )?{MONTH}(?:(?:,| de| del| of)? {YEAR})?|{NUMERIC})"
_STAY = re.compile(
    rf"(?:\b(?:(?:la )?nuits? )?du {_WEEKDAY}(?:{_DM}|{NUMERIC}) au {_WEEKDAY}(?:{_END}|{DAY}(?= *[,.;)]|$))"
    rf"|\b(?:{DAY}, ){{1,4}}{DAY} (?:et|and|y|e|und|en) {_END}|\b(?:{_DM}|{NUMERIC})(?:\s?[-–—]\s?| (?:to|until|till|through|au|bis(?: zum)?|auf den|al|tot(?: en met)?|t/m|a|a|et|and|und|y|e|en|ao) (?:the |zum |den |el |il |o )?){_END}"
    rf"|\b{MONTH} {DAY}\s?(?:-|–| to | through | until | and )\s?(?:{MONTH} )?{DAY}(?:,? {YEAR})?"
    rf"|\bsemaine du {_DM}|\bweek of (?:the )?{_END}|\b(?:(?:la )?nuit|noche|notte|noite) (?:du|del|de|do) {_END}|\bnight of (?:the )?{_END}|\bnacht (?:vom|auf den) {_END})",
)
_STAY_MONTH = re.compile(
    rf"\b(?:venue?s?|sejour\w*|dormi|logee?s?|hebergee?s?|stayed|stay|estuv\w+|alojad\w+|esteve|stato|stata|soggiorn\w+|verbleef|logeer\w+|ubernachtet|aufenthalt)\b[^.!?\n]{{0,40}}?\b(?:in|en|im|em|nel|a|de) ({MONTH} (?:de |of )?{YEAR})",
)
_NO_STAY = re.compile(
    r"\b(?:closed|fermee?s?|absent\w*|vacances|conges?|holiday|leave|open|ouverte?s?|could i|available|geschlossen|chiuso|cerrado|entre les)\b"
)
_OTHERS_MAIL = re.compile(
    r"ancien|\bold |previous|former|plus |fille|\bfils|\bson |daughter|client|\buser|utilisat|wife|husband|\bmari\b|epou|compte|identifiant|remplac|contact|urgence|assistan|\btot\b|adresse$|mailadresse |nouvelle a|collegue|colleague|kolleg|instead|vervang|sustitu|sostitu|dead|courriel :|e-?mail ?:"
)
_OWN_MAIL = re.compile(
    r"\b(?:mon|my|mein\w*|mi|mia|mijn|meu) (?:\w+ )?(?:mail|e-?mail|adresse|address|courriel|correo|adres|indirizzo|endereco)|(?:e-?mail|courriel|mail)\s?:"
)


def find(
    message: Message,
    labels: Sequence[str],
    *,
    third_party: bool = False,
    whole: str | None = None,
    model: FieldModel | None = None,
    leaning: Leaning | None = None,
) -> list[Field]:
    """Return the fields of *message* in order of place.

    *labels* are the labels decided, *third_party* says whether somebody else is concerned, *whole* is the body with
    quoted history, where our request number may stand. What can be learned is said by *model*, given what the
    classifier thinks of the message (*leaning*). Without a model rules decide alone: old and new values are looked for
    in a rectification only, a recipient in a transfer only, somebody else's name only where there is one.
    """
    body = message.body[:MAX_CHARACTERS]
    folded = plain(body)
    digits = any(character in body for character in "0123456789")
    found = _references(message, body, folded, whole, digits=digits)
    found += _contacts(message, body, folded, labels, third_party, digits)
    own = own_name(message, body, folded)
    if own:
        found.append(own)
    if model and leaning:
        learned = model.choose(_scene(message, body, folded, own, leaning, found))
        found = [field for field in found if field.name not in LEARNED]
    else:
        found += _births(body, folded) if digits else []
        learned = _stays(body, folded, found) if digits else []
        learned += _ruled(message, body, own, found, labels, third_party=third_party)
        kin = relationship(body, folded) if third_party else None
        learned += [kin] if kin else []
    corrected = {name: [field for field in learned if field.name in names] for name, names in _CORRECTABLE.items()}
    found = [field for field in found if not _covered(field, corrected.get(field.name, ()))]
    unique = {(field.name, field.text): field for field in reversed(found + learned)}
    return sorted(unique.values(), key=lambda field: (field.start, field.name))


_VALUES = ("old_value", "new_value")
_CORRECTABLE = {
    "postal_address": ("old_value",),
    **dict.fromkeys(("phone", "date_of_birth", "email", "other_email"), _VALUES),
}
"""What is to be corrected is a value of the correction, and not said of the sender a second time; a new address is both."""
_PRESUPPOSED = 0.3
"""From which probability of what a field presupposes the rules are asked about it."""


def scene(message: Message, leaning: Leaning) -> Scene:
    """Return *message* as its candidates are judged; the model learns from the same."""
    body = message.body[:MAX_CHARACTERS]
    folded = plain(body)
    found = _references(message, body, folded, None, digits=True)
    return _scene(message, body, folded, own_name(message, body, folded), leaning, found)


def _scene(
    message: Message, body: str, folded: str, own: Field | None, leaning: Leaning, found: Sequence[Field]
) -> Scene:
    labels = [name for name in ("rectification", "portability") if getattr(leaning, name) >= _PRESUPPOSED]
    others = leaning.third_party >= _PRESUPPOSED
    ruled = _ruled(message, body, own, found, labels, third_party=others)
    ruled += [field for field in found if field.name in LEARNED]
    ruled += [own] if own else []
    return Scene(body, folded, plain(message.from_name), leaning, tuple(ruled))


def _ruled(
    message: Message,
    body: str,
    own: Field | None,
    known: Sequence[Field],
    labels: Sequence[str],
    *,
    third_party: bool,
) -> list[Field]:
    """Return what the rules say of the person concerned, of a correction and of the recipient of a transfer."""
    found: list[Field | None] = []
    if third_party:
        found.append(data_subject(message, body, own))
    if "rectification" in labels:
        found += values(message, body)
    if "portability" in labels:
        addresses = [field for field in known if field.name == "recipient_email"]
        found.append(recipient(message, body, own, addresses))
    return [field for field in found if field]


def _covered(field: Field, corrected: Sequence[Field]) -> bool:
    return any(value.start < field.end and field.start < value.end for value in corrected)


def as_mapping(found: Iterable[Field]) -> dict[str, FieldValue]:
    """Return the fields by name: a text, or several where the message gives several."""
    texts: dict[str, list[str]] = {}
    for field in found:
        texts.setdefault(field.name, []).append(field.text)
    return {name: given[0] if len(given) == 1 else tuple(given) for name, given in texts.items()}


def _at(name: str, body: str, match: re.Match[str], group: int = 0) -> Field:
    """Return what *body* holds where the folded text, of the same length, was matched."""
    start, end = match.span(group)
    text = body[start:end]
    stripped = text.strip(" ,;:.-\t\n\r\u00a0")
    offset = start + text.index(stripped)
    return Field(name, stripped, offset, offset + len(stripped))


def _references(message: Message, body: str, folded: str, whole: str | None, *, digits: bool) -> list[Field]:
    found = [_at("request_ref", body, match) for match in _REQUEST_REF.finditer(folded)] if digits else []
    if not found:
        for text in (message.subject, (whole or "")[:200_000]):
            match = _REQUEST_REF.search(text.lower()) if "DSR-" in text or "dsr-" in text else None
            if match:
                found.append(Field("request_ref", text[match.start() : match.end()], -1, -1))
                break
    if not digits or not (_CODED.search(body) or next(codes(body), None)):
        return found
    taken = [(field.start, field.end) for field in found]

    def keep(field: Field) -> None:
        if not any(start < field.end and field.start < end for start, end in taken):
            found.append(field)
            taken.append((field.start, field.end))

    for match in _BOOKING_REF.finditer(body):
        keep(field_of("booking_ref", match))
    for match in _BOOKING_NAMED.finditer(body):
        if not re.fullmatch(rf"{YEAR}|{NUMERIC}", match[1]):
            keep(field_of("booking_ref", match, 1))
    for pattern in (_BRACKET_REF, _FILE_LINE, _CASE_REF):
        for match in pattern.finditer(folded if pattern is _CASE_REF else body):
            field = _at("case_ref", body, match, 1)
            looks_like_date = re.fullmatch(rf"\d{{1,2}}[/.]\d{{1,2}}(?:[/.]\d{{2,4}})?|{YEAR}", field.text)
            before = body[max(0, match.start() - 24) : match.start() + 3]
            digit_count = sum(c.isdigit() for c in field.text)
            enough = digit_count >= 3 or (digit_count == 2 and "-" in field.text)
            if enough and not looks_like_date and not _NO_CASE.search(before):
                keep(field)
    return found


def _contacts(
    message: Message, body: str, folded: str, labels: Sequence[str], third_party: bool, digits: bool
) -> list[Field]:
    found: list[Field] = []
    own = message.from_email.lower()
    surname = plain(message.from_name).split()
    for match in EMAIL.finditer(body) if "@" in body else ():
        text = match[0].rstrip(".'-")
        address = text.lower()
        if address.endswith("@mije.com"):
            continue
        near = folded[max(0, match.start() - 60) : match.start()]
        inner = re.search(r"^[ >]{0,3}(?:de|von|from|da|van)\s?: [^\n]{0,60}$", near, re.MULTILINE)
        if address == own or inner:
            name = "email"
        elif "portability" in labels and not re.search(r"(?:mon|my|mein|ma) (?:mail|email|adresse|address)", near):
            name = "recipient_email"
        elif _says_own(near, plain(address), surname, third_party):
            name = "email"
        elif _OTHERS_MAIL.search(near):
            name = "other_email"
        else:
            continue
        found.append(
            Field(name, body[match.start() : match.start() + len(text)], match.start(), match.start() + len(text))
        )
    if not digits:
        return found
    emails = [(field.start, field.end) for field in found]
    for match in PHONE.finditer(body) if _EIGHT.search(body) else ():
        count = sum(character.isdigit() for character in match[0])
        inside = any(start <= match.start() < end for start, end in emails)
        if 8 <= count <= 15 and not inside and not re.fullmatch(NUMERIC, match[0]):
            found.append(field_of("phone", match))
    coded = bool(_FOUR.search(body))
    for pattern in ADDRESSES:
        if pattern in _WITH_POSTCODE and not coded:
            continue
        for match in pattern.finditer(body):
            before = folded[max(0, match.start() - 40) : match.start()]
            if not re.search(r"ancienne|non plus|not |\bold |down at|mije|celle d'|\bwas ", before):
                return [*found, field_of("postal_address", match)]
    return found


def _says_own(near: str, address: str, surname: Sequence[str], third_party: bool) -> bool:
    """Whether an address that is not in the header is the sender's all the same: by its name, or by what leads to it."""
    if any(len(part) > 3 and part in address for part in surname) and not _OTHERS_MAIL.search(near):
        return True
    return not third_party and bool(_OWN_MAIL.search(near)) and not re.search(r"ancien|old|plus", near)


def _births(body: str, folded: str) -> list[Field]:
    found = [_at("date_of_birth", body, match, 1) for match in _BORN.finditer(folded)][:3]
    if found:
        return found
    for pattern in (_NAMED_DATE, _DATE_LINE):
        for match in pattern.finditer(folded):
            year = re.search(r"\d{4}$", match[1])
            named = pattern is _DATE_LINE or _CAPITAL_END.search(body[max(0, match.start() - 26) : match.start()])
            if year and int(year[0]) <= 2016 and named:
                return [_at("date_of_birth", body, match, 1)]
    return []


def _stays(body: str, folded: str, known: Sequence[Field]) -> list[Field]:
    taken = [field for field in known if field.name == "date_of_birth"]
    found: list[Field] = []
    for match in _STAY.finditer(folded):
        stay = _at("stay_dates", body, match)
        away = _NO_STAY.search(folded[max(0, match.start() - 40) : match.start()])
        if len(found) < 4 and not away and not _covered(stay, taken):
            found.append(stay)
    if not found and (month := _STAY_MONTH.search(folded)):
        found.append(_at("stay_dates", body, month, 1))
    return found
