"""What an identity document says, compared with what the case says: advice for the DPO, never a decision.

The DPO reads the document on the local desk and types what it shows; nothing is read by machine. Names are compared
folded (accents, particles, the order of names, a married name beside the birth name, a name cut short), dates exactly, and
the machine-readable lines by their check digits (ICAO 9303 parts 3 to 6). A masked copy shows less, which is no fault.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

_PARTICLES = "d da das de del della der des di do dos du el la las le les los mc of van von zu ter ten"
PARTICLES = frozenset(_PARTICLES.split())
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ß": "ss"})
_SHORTEST = 3
"""Letters of a name cut short by the machine-readable zone that still count as the name."""


class DocumentError(ValueError):
    """What was typed cannot be read; the message says which line and how to write it, without quoting it."""


@dataclass(frozen=True)
class Document:
    """What the DPO typed of a document; empty where it was masked."""

    name: str = ""
    born: date | None = None
    expires: date | None = None
    mrz: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remark:
    """One result of a comparison: ``agrees``, ``differs`` or ``unknown`` (masked, or nothing to compare with)."""

    code: str
    result: str
    said: Mapping[str, str]


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, folded, without particles: what two spellings of it have in common."""
    folded = unicodedata.normalize("NFKD", name.casefold().translate(_LIGATURES))
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    words = [word for word in re.split(r"[^a-z0-9\u0400-\uffff]+", plain) if word]
    # The zone writes ü as UE or as U: both become the same.
    words = [re.sub(r"([aou])e", r"\1", word) for word in words]
    return tuple(word for word in words if word not in PARTICLES) or tuple(words)


def same_name(one: str, other: str) -> bool:
    """Say whether two spellings may be the same person's: all words of the shorter are in the longer, two at least.

    A word counts also where one is the beginning of the other (three letters or more): a name cut short, or an initial
    beside a whole name that agrees otherwise. One single word agrees only with the very same.
    """
    first, second = sorted((words_of(one), words_of(other)), key=len)
    if not first:
        return False
    if len(first) == 1:
        return first == second
    left = list(second)
    whole = 0
    for word in first:
        match = next((w for w in left if w == word), None)
        if match is None:
            match = next((w for w in left if _cut(w, word)), None)
        else:
            whole += 1
        if match is None:
            return False
        left.remove(match)
    return whole >= 1


def _cut(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and (len(short) >= _SHORTEST or len(short) == 1)


def typed(text: str) -> Document:
    """Read what the DPO typed: lines ``name: …``, ``born: 1990-01-31``, ``expires: …``, and lines of the machine-readable
    zone as they stand. Raises :class:`DocumentError`."""
    values: dict[str, str] = {}
    mrz: list[str] = []
    for number, line in enumerate((line.strip() for line in text.splitlines()), start=1):
        if not line:
            continue
        found = re.match(r"(?i)(name|nom|born|né|née|naissance|expires|expire|expiration)\s*:\s*(.*)$", line)
        if found:
            key = {"nom": "name", "né": "born", "née": "born", "naissance": "born", "expire": "expires",
                   "expiration": "expires"}.get(found[1].lower(), found[1].lower())  # fmt: skip
            values[key] = found[2]
        elif re.fullmatch(r"[A-Za-z0-9<]{30,44}", line.replace(" ", "")):
            mrz.append(line.replace(" ", "").upper())
        else:
            raise DocumentError(
                f"line {number}: write name:, born:, expires: (dates as 1990-01-31), or a line of the zone"
            )
    return Document(values.get("name", ""), _day(values, "born"), _day(values, "expires"), tuple(mrz))


def _day(values: Mapping[str, str], key: str) -> date | None:
    text = values.get(key, "").strip()
    if not text:
        return None
    french = re.fullmatch(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", text)
    try:
        return date(int(french[3]), int(french[2]), int(french[1])) if french else date.fromisoformat(text)
    except ValueError:
        raise DocumentError(f"{key}: write a date that exists, as 1990-01-31") from None


# --- the machine-readable zone ---------------------------------------------------------------------------------------

_VALUES = {**{str(n): n for n in range(10)}, **{chr(65 + n): 10 + n for n in range(26)}, "<": 0}


def check_digit(field: str) -> int:
    """Return the check digit of a field of the machine-readable zone (ICAO 9303-3, 4.9: weights 7, 3, 1, modulo 10).

    Raises :class:`DocumentError` for a character the zone does not have.
    """
    try:
        return sum(_VALUES[c] * (7, 3, 1)[i % 3] for i, c in enumerate(field)) % 10
    except KeyError:
        raise DocumentError("the machine-readable zone has A to Z, 0 to 9 and < only") from None


@dataclass(frozen=True)
class Zone:
    """What a machine-readable zone says. Two-digit years are given a century by *today*."""

    form: str
    """TD1 (cards, three lines of 30), TD2 (two of 36), TD3 (passports, two of 44), FR-ID (the older French card)."""
    names: str
    born: date | None
    expires: date | None
    wrong: tuple[str, ...]
    """Fields whose check digit does not agree: number, birth, expiry, whole."""


def zone_of(lines: tuple[str, ...], *, today: date) -> Zone:
    """Read a zone. Raises :class:`DocumentError` where the lines are of no known form."""
    form = {(30, 30, 30): "TD1", (36, 36): "TD2", (44, 44): "TD3"}.get(tuple(len(line) for line in lines))
    if form is None:
        raise DocumentError("the machine-readable zone has three lines of 30, two of 36 or two of 44 characters")
    if form == "TD2" and lines[0].startswith("ID"):
        return _french_card(lines, today)
    if form == "TD1":
        first, second, names = lines
        fields = {
            "number": (first[5:14], first[14]),
            "birth": (second[:6], second[6]),
            "expiry": (second[8:14], second[14]),
        }
        whole = (first[5:] + second[:7] + second[8:15] + second[18:29], second[29])
    else:
        names, second = lines[0][5:], lines[1]
        fields = {
            "number": (second[:9], second[9]),
            "birth": (second[13:19], second[19]),
            "expiry": (second[21:27], second[27]),
        }
        end = 43 if form == "TD3" else 35
        whole = (second[:10] + second[13:20] + second[21:end], second[end])
    wrong = [name for name, (field, digit) in {**fields, "whole": whole}.items() if not _fits(field, digit)]
    born, expires = _short(fields["birth"][0], today, past=True), _short(fields["expiry"][0], today, past=False)
    return Zone(form, names.replace("<", " "), born, expires, tuple(wrong))


def _french_card(lines: tuple[str, ...], today: date) -> Zone:
    """The French identity card of before 2021: no expiry in its zone, the given names in the second line."""
    first, second = lines
    fields = {
        "number": (second[:12], second[12]),
        "birth": (second[27:33], second[33]),
        "whole": (first + second[:35], second[35]),
    }
    wrong = tuple(name for name, (field, digit) in fields.items() if not _fits(field, digit))
    names = f"{first[5:30]} {second[13:27]}".replace("<", " ")
    return Zone("FR-ID", names, _short(second[27:33], today, past=True), None, wrong)


def _fits(field: str, digit: str) -> bool:
    if digit == "<":
        return not field.strip("<")
    return digit.isdecimal() and check_digit(field) == int(digit)


def _short(text: str, today: date, *, past: bool) -> date | None:
    if not re.fullmatch(r"\d{6}", text):
        return None
    year = int(text[:2]) + today.year // 100 * 100
    if past and year > today.year:
        year -= 100
    elif not past and year < today.year - 50:
        year += 100
    try:
        return date(year, int(text[2:4]), int(text[4:6]))
    except ValueError:
        return None


# --- the comparison --------------------------------------------------------------------------------------------------

_RESULTS = {
    "agrees": {"fr": "concorde", "en": "agrees"},
    "differs": {"fr": "diffère : à regarder de près", "en": "differs: look closely"},
    "unknown": {"fr": "rien à comparer", "en": "nothing to compare with"},
}
_SUBJECTS = {
    "name": {"fr": "Nom", "en": "Name"},
    "born": {"fr": "Date de naissance", "en": "Date of birth"},
    "expires": {"fr": "Validité", "en": "Expiry"},
    "zone-digits": {
        "fr": "Clés de contrôle de la zone de lecture (OACI 9303)",
        "en": "Check digits of the zone (ICAO 9303)",
    },
    "zone-name": {"fr": "Nom de la zone de lecture", "en": "Name in the zone"},
    "zone-born": {"fr": "Naissance de la zone de lecture", "en": "Birth in the zone"},
    "zone-expires": {"fr": "Validité de la zone de lecture", "en": "Expiry in the zone"},
}


def compare(document: Document, *, name: str, born: date | None, today: date) -> tuple[Remark, ...]:
    """Compare what a document shows with the *name* and birth date (where known) of the case. Advice only.

    An expired document still shows who somebody is: it is remarked upon, and the DPO judges. Raises
    :class:`DocumentError` for a zone that cannot be read.
    """
    remarks = [
        _remark("name", same_name(document.name, name) if document.name and name else None),
        _remark("born", document.born == born if document.born and born else None),
        _remark("expires", document.expires >= today if document.expires else None),
    ]
    if document.mrz:
        zone = zone_of(document.mrz, today=today)
        remarks.append(_remark("zone-digits", not zone.wrong))
        shown = document.name or name
        remarks.append(_remark("zone-name", same_name(zone.names, shown) if shown else None))
        birth = document.born or born
        remarks.append(_remark("zone-born", zone.born == birth if zone.born and birth else None))
        ends = document.expires
        agrees = None if zone.expires is None else (zone.expires == ends if ends else zone.expires >= today)
        remarks.append(_remark("zone-expires", agrees))
    return tuple(remarks)


def _remark(code: str, agrees: bool | None) -> Remark:
    result = "unknown" if agrees is None else "agrees" if agrees else "differs"
    said = {language: f"{_SUBJECTS[code][language]} : {_RESULTS[result][language]}" for language in ("fr", "en")}
    return Remark(code, result, {**said, "en": said["en"].replace(" :", ":")})
