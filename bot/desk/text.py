"""Personal data masked and links defused, for text that is shown in chat.

Telegram is a third party outside the Union, so the DPO's chat carries as little as it can (GDPR art. 5(1)(c), 32(1));
the unmasked text is on the terminal. Masking is generous on purpose: a word too many behind dots costs the DPO a look
at the terminal, a name too many in chat cannot be taken back. All functions are pure and idempotent; what they return
is at most three times as long as what they are given.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection

HIDDEN = "•••"
BIRTH_DATE = "••/••/••••"
ROUNDS = 8
"""Masking may bring two halves together; a fixed point is reached long before this many rounds."""

# Fillers and variation selectors that show as nothing; format characters (Cf) go by their category.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {chr(c) for c in range(0xFE00, 0xFE10)}
LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")


def visible(text: str) -> str:
    """Remove what cannot be seen or turns the order of what is seen: control, bidi and zero-width characters.

    Line ends of all kinds become ``\\n``, other white space a blank; letters are put together with their accents.
    """
    kept: list[str] = []
    for character in LINE_ENDS.sub("\n", text):
        category = unicodedata.category(character)
        if character == "\n":
            kept.append(character)
        elif character == "\t" or category == "Zs":
            kept.append(" ")
        elif category not in {"Cc", "Cf", "Cs", "Cn", "Co"} and character not in INVISIBLE:
            kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))


# --- names and addresses


def _initial(word: str) -> str:
    letter = next((character for character in word if character.isalpha()), "")
    # Where letters have no case, one of them may be a whole family name.
    return f"{letter}." if len(word) > 1 and letter.upper() != letter.lower() else "•."


def mask_name(name: str) -> str:
    """Return the initials of a name: ``Camille Durand`` -> ``C. D.``, ``Jean-Luc Roy`` -> ``J.-L. R.``.

    At most six words are shown; an e-mail address in place of a name is masked as one, and nothing gives ``•••``.
    A name that is masked already stays as it is.
    """
    name = visible(name).strip()
    if "@" in name:
        return mask_address(name)
    if re.fullmatch(r"(?:[^\W\d_]|•)\.(?:[ -](?:[^\W\d_]|•)\.)*|•••", name):
        return name[:48]
    words = [word for word in name.split() if any(character.isalnum() for character in word)]
    if not words:
        return HIDDEN
    return " ".join("-".join(_initial(part) for part in word.split("-")[:3] if part) for word in words[:6])


def mask_address(address: str) -> str:
    """Return an e-mail address as ``c•••@f•••.example``: first letters and the top-level domain.

    Parts too short to keep a letter of are hidden whole; what is no address gives ``•••``.
    """
    local, at, domain = visible(address).strip().strip("<>").rpartition("@")
    if not at:
        return HIDDEN
    host, _, ending = domain.rpartition(".")
    shown = f".{ending}" if host and re.fullmatch(r"[A-Za-z]{2,10}", ending) else ""
    return f"{_first(local)}@{_first(host or domain)}{shown}"


def _first(text: str) -> str:
    return f"{text[0]}{HIDDEN}" if len(text) > 2 and text[0].isalnum() and text[0].isascii() else HIDDEN


# --- free text

_EDGE = r"(?<![^\s<>()\[\]{},;:\"«»“”|=•])"
_LOCAL = r"[^\s<>()\[\]{},;:\"«»“”|=@•]{1,256}"
_LABEL = r"[^\s<>()\[\]{},;:\"«»“”|/?&=@.•]{1,63}"
ADDRESS = re.compile(rf"(?i){_EDGE}(?:mailto:)?{_LOCAL}(?:@|\[@\]){_LABEL}(?:(?:\.|\[\.\]){_LABEL}){{0,8}}")
SPELT_ADDRESS = re.compile(
    rf"(?i){_EDGE}{_LOCAL}(?:[ ]?[\[({{][ ]?(?:at|arobase|@)[ ]?[\])}}][ ]?|[ ]arobase[ ])"
    rf"{_LABEL}(?:(?:\.|[ ]?[\[({{][ ]?(?:dot|point|punkt|\.)[ ]?[\])}}][ ]?|[ ]point[ ]){_LABEL}){{1,8}}"
)
BARE_AT = re.compile(r"(?<=\w)@(?=\w)")

IBAN = re.compile(r"(?ai)(?<![^\W_])[A-Z]{2}[ .-]?\d{2}(?:[ .-]?[A-Z0-9]){11,30}(?![^\W_])")
# Length by country (SWIFT IBAN registry), for the countries guests of a hostel pay from.
IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "NL", "FO", "GL"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK"), 20),
    **dict.fromkeys(("CH", "CR", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS"), 22),
    **dict.fromkeys(("AE", "GI", "IL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("PT",), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "CY", "DO", "GT", "HU", "LB", "MA", "PL"), 28),
    **dict.fromkeys(("BR", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
}
DIGIT_RUN = re.compile(r"(?<!\d)\d(?:[ .·-]?\d){12,}")
CARD_RUN = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,}")
"""The only separators with which Telegram still takes digits for a card."""
SOCIAL_SECURITY = re.compile(
    r"(?<!\d)[1-478][ .]?\d\d[ .]?\d\d[ .]?(?:\d\d|2[ABab])[ .]?\d{3}[ .]?\d{3}(?:[ .]?\d\d)?(?!\d)"
)
PHONES = (
    # International; then French by pairs; then with an area code; then North American.
    re.compile(r"(?<![\d+])(?:\+|00)[ ]?\(?\d(?:[ .()/-]{0,3}\d){6,14}(?!\d)"),
    re.compile(r"(?<!\d)0[1-9]([ .\-/]?)\d\d(?:\1\d\d){3}(?!\d)"),
    re.compile(
        r"(?<!\d)(?<!\b\d\d[/.-])(?<!\b\d[/.-])(?!0\d[ /-](?:19|20)\d\d(?!\d))"
        r"\(?0\d{1,4}\)?[ /-]{1,2}\d{3,8}(?:[ -]?\d{2,4}){0,3}(?![\d/-])"
    ),
    re.compile(r"(?<!\d)\(?[2-9]\d\d\)?[ .-]\d{3}[ .-]\d{4}(?!\d)"),
)
CALLED_PHONE = re.compile(
    r"(?i)(\b(?:t[ée]l(?:[ée]phone|[ée]fono)?|telefon|phone|mobile|portable|fax|gsm|handy)\b"
    r"(?:[ ]?(?:n[°ºo]|number|num[ée]ro|nummer|is|est|:|\.)){0,4}[ ]?)\+?\(?\d(?:[ .()/-]{0,2}\d){5,14}(?!\d)"
)
_MONTH = (
    r"(?:jan|f[ée]v|feb|mar|m[äa]r|avr|apr|mai|may|jui|jun|jul|ao[uû]|aug|ago|sep|set|oct|okt|ott|out|nov|d[ée][czi]|"
    r"gen|mag|giu|lug|ene|abr)[^\W\d_]{0,8}\.?"
)
_DATE = (
    r"(?:\d{1,2}[ ]?[./-][ ]?\d{1,2}[ ]?[./-][ ]?\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2}|"
    rf"\d{{1,2}}(?:er|st|nd|rd|th|º|\.)?[ ]?(?:de[ ])?{_MONTH}(?:[ ]?(?:de[ ])?\d{{2,4}})?|"
    rf"{_MONTH}[ ]?\d{{1,2}}(?:st|nd|rd|th)?(?:,?[ ]\d{{2,4}})?|\d{{1,2}}[ ]\d{{1,2}}[ ](?:19|20)\d\d|(?:19|20)\d\d)"
)
_BORN = (
    r"(?:\bn[ée]e?(?:\(e\)|[·.•-]e)?(?=\s{1,3}(?:en|le|à|au|aux|the)\b)|\b(?:naissance|ddn|born|birth|birthday|birthdate|"
    r"dob|d\.o\.b|anniversaire|geb|geboren|geburtsdatum|geburtstag|geboortedatum|nat[oa]|nascita|nacid[oa]|nacimiento|"
    r"nascid[oa])\b)"
)
BORN_DATE = re.compile(rf"(?i)({_BORN}[^\d•]{{0,40}}?)(?<!\w){_DATE}(?!\w)")
DATE_BORN = re.compile(rf"(?i)(?<!\w){_DATE}(?=[ ]?[(,\-–:=][ ]?(?:date[ ]de[ ]|date[ ]of[ ])?{_BORN})")
DOCUMENT = re.compile(
    r"(?i)(\b(?:passe?port|reisepass|cni|carte (?:nationale )?d['’ ]identit[ée]|titre de s[ée]jour|permis de conduire|"
    r"identity card|id card|driving licen[cs]e)"
    r"(?:[ ]?(?:n[°ºo]|no\.|num[ée]ro|number|nr|is|est|:|\.|,|-|#)){0,4}[ ]{0,2})"
    r"(?=[A-Z0-9]{0,11}\d)[A-Z0-9]{6,12}(?!\w)"
)

PARTICLES = frozenset(
    {"al", "am", "and", "ben", "bin", "da", "das", "de", "del", "della", "der", "des", "di", "do", "dos", "du", "el"}
    | {"et", "la", "las", "le", "les", "los", "mc", "of", "san", "st", "ten", "ter", "the", "und", "van", "vom", "von"}
    | {"zu", "zum", "zur"}
)
LIGATURES = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "'", "ʼ": "'"}
)


def mask_text(text: str, known: Collection[str]) -> str:
    """Mask personal data in free text: addresses, phone, account, card, document numbers, birth dates, known names.

    *known* holds what the case knows of its people: names (each word of a name is masked wherever it stands as a word,
    in any case, with or without accents; single letters and particles such as ``de`` excepted), e-mail addresses,
    and anything with a digit in it (a postal address, a booking number), which is masked whole. Other dates stay.
    """
    rules = _known_rules(known)
    masked = visible(text)
    for _ in range(ROUNDS):
        before = masked
        masked = _masked_once(masked, rules)
        if masked == before:
            break
    return masked


Rule = tuple[re.Pattern[str], Callable[[str], str]]


def _masked_once(text: str, rules: list[Rule]) -> str:
    for pattern, mask in rules:
        text = _sub_folded(pattern, mask, text)
    for pattern in (ADDRESS, SPELT_ADDRESS):
        text = pattern.sub(_address, text)
    text = BARE_AT.sub("•", text)
    text = BORN_DATE.sub(rf"\g<1>{BIRTH_DATE}", text)
    text = DATE_BORN.sub(BIRTH_DATE, text)
    text = DOCUMENT.sub(rf"\g<1>{HIDDEN}", text)
    text = IBAN.sub(_iban, text)
    text = SOCIAL_SECURITY.sub(HIDDEN, text)
    text = DIGIT_RUN.sub(lambda match: _sub_cards(match[0], lambda number: f"{HIDDEN}{number[-2:]}"), text)
    text = CALLED_PHONE.sub(lambda match: f"{match[1]}{HIDDEN}{match[0][-2:].strip(' .()/-')}", text)
    for phone in PHONES:
        text = phone.sub(_phone, text)
    return text


def _address(match: re.Match[str]) -> str:
    plain = re.sub(r"(?i)[ ]?[\[({][ ]?(?:dot|point|punkt|\.)[ ]?[\])}][ ]?|[ ]point[ ]", ".", match[0])
    plain = re.sub(r"(?i)[ ]?[\[({][ ]?(?:at|arobase|@)[ ]?[\])}][ ]?|[ ]arobase[ ]", "@", plain)
    return mask_address(re.sub(r"(?i)^mailto:", "", plain))


def _phone(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    return f"{HIDDEN}{digits[-2:]}" if 8 <= len(digits) <= 17 else match[0]


def _iban(match: re.Match[str]) -> str:
    expected = IBAN_LENGTHS.get(match[0][:2].upper())
    places = [place for place, character in enumerate(match[0]) if character.isalnum()]
    length = min(expected or len(places), len(places))
    compact = "".join(match[0][place] for place in places[:length]).upper()
    number = int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4]))
    # A mistyped account number is still somebody's account number.
    mistyped = expected is not None and sum(character.isdigit() for character in compact) >= 12
    if number % 97 != 1 and not mistyped:
        return match[0]
    return f"{compact[:2]}{HIDDEN}{compact[-2:]}{match[0][places[length - 1] + 1 :]}"


def _luhn(digits: str) -> bool:
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def _cards(run: str) -> list[tuple[int, int]]:
    """Return where card numbers lie in a run of digit groups: 13 to 19 digits that pass Luhn's check, merged."""
    groups = [match.span() for match in re.finditer(r"\d+", run)]
    found: list[tuple[int, int]] = []
    for first, (start, _) in enumerate(groups):
        digits = ""
        for group_start, end in groups[first:]:
            digits += run[group_start:end]
            if len(digits) > 19:
                break
            if len(digits) >= 13 and _luhn(digits):
                if found and start < found[-1][1]:
                    found[-1] = (found[-1][0], max(end, found[-1][1]))
                else:
                    found.append((start, end))
    return found


def _sub_cards(run: str, replace: Callable[[str], str]) -> str:
    for start, end in reversed(_cards(run)):
        run = run[:start] + replace(run[start:end]) + run[end:]
    return run


# --- known names


def _fold(text: str) -> tuple[str, list[int]]:
    """Return *text* without case and accents, and for each of its characters the place it came from."""
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        plain = unicodedata.normalize("NFKD", character).casefold().translate(LIGATURES)
        for part in plain:
            if not unicodedata.combining(part):
                folded.append(part)
                places.append(place)
    places.append(len(text))
    return "".join(folded), places


def _sub_folded(pattern: re.Pattern[str], mask: Callable[[str], str], text: str) -> str:
    folded, places = _fold(text)
    out: list[str] = []
    done = 0
    for match in pattern.finditer(folded):
        start, end = places[match.start()], max(places[match.end() - 1] + 1, places[match.end()])
        if start < done:
            continue
        # An accent that stands apart belongs to the letter before it.
        masked = mask(text[start:end])
        out += [text[done:start], masked[:-1] if masked.endswith(".") and text[end : end + 1] == "." else masked]
        done = end
    return "".join(out) + text[done:]


def _unspaced(word: str) -> bool:
    """Whether *word* is of a script that writes without blanks, so that words have no edges to look for."""
    return any("\u0e00" <= character <= "\u0fff" or "\u2e80" <= character <= "\ud7ff" for character in word)


def _alternatives(words: Collection[str]) -> re.Pattern[str]:
    inner = "|".join(
        word if _unspaced(word) else rf"(?<![^\W_]){word}(?![^\W_])" for word in sorted(words, key=len, reverse=True)
    )
    return re.compile(inner)


def _known_rules(known: Collection[str]) -> list[Rule]:
    """Turn what is known of people into patterns over folded text, with how to mask what they find."""
    addresses: set[str] = set()
    wholes: set[str] = set()
    words: set[str] = set()
    glued: set[str] = set()
    for entry in known:
        folded = _fold(visible(entry).strip())[0]
        if re.search(r"[^\W_]\S*@\S*[^\W_]", folded):
            addresses.add(re.escape(folded))
        elif any(character.isdigit() for character in folded):
            parts = re.findall(r"[^\W_]+", folded)
            wholes.add(r"[\W_]{1,3}".join(re.escape(part) for part in parts))
        else:
            every = re.findall(r"[^\W_]+", folded)
            parts = [part for part in every if len(part) > 1 or _unspaced(part)]
            chosen = [part for part in parts if part not in PARTICLES] or parts
            words.update(re.escape(part) for part in chosen)
            if len(chosen) > 1:
                ends = (chosen[0] + chosen[-1], chosen[-1] + chosen[0], "".join(parts))
                glued.update(re.escape(end) for end in ends)
            elif not chosen and len(every) > 1:
                glued.add(r"[\W_]{1,3}".join(re.escape(part) for part in every))
    rules: list[Rule] = []
    if addresses:
        rules.append((re.compile("|".join(sorted(addresses, key=len, reverse=True))), mask_address))
    if wholes:
        rules.append((_alternatives(wholes), lambda _: HIDDEN))
    if glued:
        rules.append((_alternatives(glued), lambda _: HIDDEN))
    if words:
        rules.append((_alternatives(words), _initial))
    return rules


# --- nothing to click on


def inert(text: str) -> str:
    """Make sure that Telegram finds nothing to click on: links, addresses, @names, /commands, #tags, numbers.

    Control, bidi and zero-width characters go (see :func:`visible`); ``http://`` becomes ``hxxp://`` and the sign that
    makes something clickable is put into square brackets: ``evil[.]example``, ``[@]somebody``, ``[/]start``.
    """
    text = visible(text)
    text = re.sub(r"(?i)http(s?)://", lambda match: f"hxxp{match[1].lower()}://", text)
    text = re.sub(r"(?<!hxxp)(?<!hxxps)(?<!\[)://", "[://]", text)
    text = re.sub(r"\d{1,3}(?:\.\d{1,3}){3,}", lambda match: match[0].replace(".", "[.]"), text)
    text = re.sub(r"(?<=[^\s.。．｡\[])([.。．｡])(?=[^\W\d_])", r"[\1]", text)
    text = re.sub(r"\[([@＠])\]|([@＠])", lambda match: f"[{match[1] or match[2]}]", text)
    text = re.sub(r"(?<![\w/<])/(?=\w)", "[/]", text)
    text = re.sub(r"([#＃])(?=\w*[^\W\d_])", r"[\1]", text)
    text = re.sub(r"\$(?=[A-Z]|1INCH)", "[$]", text)
    text = re.sub(r"(?<!\w)\+(?=[ (]?\d)", "[+]", text)
    return CARD_RUN.sub(lambda match: _sub_cards(match[0], _ungrouped), text)


def _ungrouped(number: str) -> str:
    """Break a number up so that it does not look like a card's any more, neither here nor to Telegram."""
    return "·".join(part for group in re.split(r"[ -]", number) for part in re.findall(r"\d{1,4}", group))
