"""Which characters the bytes of a text mean, where the mail does not say or says it wrongly.

Valid UTF-8 is UTF-8; escape sequences are ISO 2022; everything else is tried under the charsets that people still
send, and the most plausible reading wins: letters that belong to the languages of our mail, in words whose case makes
sense. windows-1252 is preferred where another reading is not clearly better.
"""

from __future__ import annotations

import re

from bot.channels.mime_headers import codec, decode_bytes, decode_mixed

MAX_SAMPLE = 20_000
MARGIN = 0.25
"""How much better, a character, another reading must be than windows-1252."""
DOUBT = 0.2
CLEARLY = 0.6
"""A declared western charset is doubted below the one, and given up where another reading is better by the other."""

_LATIN = "cp1252", "mac_roman", "cp850", "cp1250"
_WESTERN = "cp1252", "iso8859-1", "iso8859-15", "latin-1"
_CYRILLIC = "cp1251", "koi8-r", "cp866"
_EASTERN = "cp932", "euc_jp", "gb18030", "big5", "cp949"
_USUAL = frozenset("éèêëàâäçîïôöùûüÿœæñáíóúìòãõßåøÉÈÊÀÂÄÇÎÔÖÙÛÜŒÁÍÓÚÑ’‘“”«»–—…€°§¿¡ºª²³½£©®·\u00a0")
_POLISH = frozenset("ąćęłńóśźżčďěňřšťůžáéíýőűăâîșțĄĆĘŁŃÓŚŹŻČŘŠŽ’„”“–\u00a0")
_WORD_CASE = re.compile(r"[a-zß-öø-ÿ][À-ÖØ-ÞŽŠŒ]|[a-zа-яё-џ][A-ZА-ЯЁ][a-zа-яё]")
"""A capital within or at the end of a small word: nobody writes so."""
_SEQUENCE = re.compile(
    "[\u00c2-\u00c5\u00e2][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)


def decode(data: bytes, charset: str) -> tuple[str, str]:
    """Decode *data* by the declared *charset* (empty for none) where that can be true, else by what the bytes say.

    Returns the text and what was odd, as a code, or an empty string. Never raises.
    """
    for mark, name in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace"), ""
    if b"\x1b$" in data and (data.isascii() or not charset) and not charset.lower().startswith("iso-2022"):
        return data.decode("iso2022_jp_ext", "replace"), "charset-wrong" if charset else "charset-missing"
    name = (codec(charset) or "") if charset else ""
    if not name:
        problem = "charset-unknown" if charset else "" if data.isascii() else "charset-missing"
        return guessed(data), problem
    if data.isascii() and name.startswith(("cp125", "utf-8", "iso8859", "mac")):
        return data.decode("ascii"), ""
    if (wide := _wide(data)) and not name.startswith("utf-16"):
        return data.decode(wide, "replace"), "charset-wrong"
    ascii_declared = charset.strip("\"' ").lower() in ("us-ascii", "ascii")
    if name == "utf-8" or name.startswith(("cp125", "iso8859", "mac")):
        valid = is_utf8(data)
        problem = "charset-wrong" if valid != (name == "utf-8") or ascii_declared else ""
        if valid:
            text = data.decode("utf-8")
            repaired = _once(text)
            return (text, problem) if repaired is None else (repaired, "charset-doubled")
        if name == "utf-8" or ascii_declared:
            return guessed(data), problem
        if name in _WESTERN:
            other = _other_than(data, name)
            return _euro(data.decode(other, "replace") if other else decode_bytes(data, charset)), (
                "charset-wrong" if other else problem
            )
        return decode_bytes(data, charset), problem
    return decode_bytes(data, charset), ""


def is_utf8(data: bytes) -> bool:
    """Latin text hardly ever happens to be valid UTF-8, so what is valid is meant so."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def guessed(data: bytes) -> str:
    """Decode bytes that nothing is known about."""
    if data.isascii() or is_utf8(data):
        return data.decode("utf-8")
    if wide := _wide(data):
        return data.decode(wide, "replace")
    sample = data[:MAX_SAMPLE]
    if re.search(rb"[\xc3-\xc5][\x80-\xbf]", sample) and not _mostly_high(sample):
        # Some of it is UTF-8 already: a mixture, each part is read as what it is.
        return decode_mixed(data)
    best, most = "cp1252", _latin_score(sample, "cp1252", _USUAL) + MARGIN
    for name in _LATIN[1:]:
        score = _latin_score(sample, name, _POLISH if name == "cp1250" else _USUAL)
        if score > most:
            best, most = name, score
    if _mostly_high(sample):
        for name in _CYRILLIC:
            if (score := _cyrillic_score(sample, name)) > most:
                best, most = name, score
        for name in _EASTERN:
            if (score := _eastern_score(sample, name)) > most:
                best, most = name, score
    return decode_mixed(data) if best == "cp1252" else data.decode(best, "replace")


def _other_than(data: bytes, name: str) -> str:
    """Return the charset a text is rather in than in the western one it declares; empty where that may be true."""
    sample = data[:MAX_SAMPLE]
    high = sum(1 for byte in sample if byte >= 0x80)
    if high >= 12 and high > 2 * sum(1 for byte in sample if 0x41 <= byte <= 0x7A):
        # No western text has more letters with accents than without.
        return max(_CYRILLIC, key=lambda other: _cyrillic_score(sample, other))
    declared = _latin_score(sample, name, _USUAL)
    if declared >= DOUBT:
        return ""
    best = max(_LATIN, key=lambda other: _latin_score(sample, other, _USUAL))
    return best if best != name and _latin_score(sample, best, _USUAL) >= declared + CLEARLY else ""


def _euro(text: str) -> str:
    """Nobody means the sign for any currency, nor a half within a word: that was ISO 8859-15."""
    text = re.sub(r"(?<=[^\W\d_])½(?=[^\W\d_])", "œ", text)
    return text.replace("¤", "€")


def _wide(data: bytes) -> str:
    """Say whether every other byte is zero: UTF-16 without a mark."""
    sample = data[:2_000]
    if len(sample) < 4 or sample.count(0) * 3 < len(sample):
        return ""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    return "utf-16-le" if odd > 4 * even else "utf-16-be" if even > 4 * odd else ""


def _mostly_high(sample: bytes) -> bool:
    high = sum(1 for byte in sample if byte >= 0x80)
    letters = sum(1 for byte in sample if 0x41 <= byte <= 0x7A)
    return high >= 4 and high > letters


def _latin_score(sample: bytes, name: str, usual: frozenset[str]) -> float:
    text = sample.decode(name, "replace")
    odd = [char for char in text if ord(char) >= 0x80]
    if not odd:
        return 0.0
    good = sum(1 for char in odd if char in usual)
    bad = sum(1 for char in odd if char not in usual and (not char.isalpha() or char == "\ufffd"))
    return (good - bad - 2 * len(_WORD_CASE.findall(text))) / len(odd)


def _cyrillic_score(sample: bytes, name: str) -> float:
    text = sample.decode(name, "replace")
    odd = [char for char in text if ord(char) >= 0x80]
    lower = sum(1 for char in odd if "\u0430" <= char <= "\u045f")
    upper = sum(1 for char in odd if "\u0400" <= char <= "\u042f")
    return (lower + 0.3 * upper - (len(odd) - lower - upper) - 2 * len(_WORD_CASE.findall(text))) / len(odd) + MARGIN


def _eastern_score(sample: bytes, name: str) -> float:
    """Rate a reading by its common characters: kana, hangul, and ideographs of the first level of GB 2312."""
    try:
        text = sample.decode(name)
    except UnicodeDecodeError as error:
        if error.start < len(sample) - 2:
            return -1.0
        text = sample[: error.start].decode(name, "replace")
    odd = [char for char in text if ord(char) >= 0x80]
    if not odd:
        return -1.0
    good = 0.0
    for char in odd:
        if "\u3040" <= char <= "\u30ff" or "\uac00" <= char <= "\ud7a3":
            good += 1.0 if name in ("cp932", "euc_jp", "cp949") else -1.0
        elif "\u3000" <= char <= "\u303f" or "\uff00" <= char <= "\uff60":
            good += 0.5
        elif "\u4e00" <= char <= "\u9fff":
            good += _commonness(char, name)
        else:
            good -= 1.0
    return good / len(odd) + 2 * MARGIN


def _commonness(char: str, name: str) -> float:
    try:
        lead = char.encode("big5" if name == "big5" else "gb2312" if name == "gb18030" else name)[0]
    except UnicodeEncodeError:
        return -1.0
    if name == "gb18030":
        return 1.0 if 0xB0 <= lead <= 0xD7 else -1.0
    if name == "big5":
        return 0.9 if 0xA4 <= lead <= 0xC6 else -1.0
    return 0.4


def _once(text: str) -> str | None:
    """Undo a second encoding ("Ã©" for "é"); None where the text is not wholly so."""
    if len(_SEQUENCE.findall(text[:MAX_SAMPLE])) < 2:
        return None
    undone = bytearray()
    for char in text:
        try:
            undone += char.encode("cp1252")
        except UnicodeEncodeError:
            if not 0x80 <= ord(char) <= 0x9F:
                return None
            undone.append(ord(char))
    try:
        return undone.decode("utf-8")
    except UnicodeDecodeError:
        return None
