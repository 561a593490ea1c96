"""Addresses made to be taken for others: homoglyphs, mixed scripts, a letter more, another ending.

Nothing is decided here but how an address resembles another; the gates and the matching name it to the DPO.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

# What the eye takes for a Latin letter: Cyrillic, Greek and Latin look-alikes of the Unicode confusables, the common ones.
_TWINS = str.maketrans(
    "аеорсухіјѕһԁԛԝѵгкмнтвпзчьαεορυχικντηωпßıłøđğőοʀɡɑ",
    "aeopcyxijshdqwvrkmhtbnз4baeopuxikvtnwnbilodgoorga",
)
_PAIRS = (
    ("rn", "m"),
    ("vv", "w"),
    ("cl", "d"),
    ("nn", "m"),
    ("0", "o"),
    ("1", "l"),
    ("5", "s"),
    ("3", "e"),
    ("i", "l"),
)


def skeleton(text: str) -> str:
    """Return what *text* looks like: lower case, without accents, twins replaced by the letter they imitate."""
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(char for char in plain if not unicodedata.combining(char)).translate(_TWINS)
    for pair, letter in _PAIRS:
        plain = plain.replace(pair, letter)
    return plain


def unicode_domain(domain: str) -> str:
    """Return *domain* with its ``xn--`` labels as people see them; as it is where they make no sense."""
    shown: list[str] = []
    for label in domain.lower().rstrip(".").split("."):
        if label.startswith("xn--") and len(label) <= 63:
            try:
                shown.append(label.removeprefix("xn--").encode("ascii").decode("punycode"))
                continue
            except (UnicodeError, ValueError):
                pass
        shown.append(label)
    return ".".join(shown)


def is_mixed(domain: str) -> bool:
    """Whether a label of *domain* mixes Latin letters with those of another script."""
    for label in unicode_domain(domain).split("."):
        scripts = {unicodedata.name(char, "").split(" ")[0] for char in label if char.isalpha()}
        if "LATIN" in scripts and len(scripts) > 1:
            return True
    return False


def resembles(address: str, others: Collection[str]) -> str:
    """Return the one of *others* (addresses or domains) that *address* is made to be taken for, or an empty string.

    The same address resembles nothing; nor do two different people at one large provider.
    """
    local, _, domain = address.lower().rpartition("@")
    shown = unicode_domain(domain)
    for other in sorted(others):
        own_local, _, own_domain = other.lower().rpartition("@")
        own_shown = unicode_domain(own_domain)
        if shown == own_shown and (not own_local or local == own_local):
            continue
        if own_local and shown == own_shown:
            # Same provider: only what looks exactly the same is suspicious.
            if skeleton(local) == skeleton(own_local):
                return other
            continue
        if own_local and skeleton(local) != skeleton(own_local):
            continue
        if skeleton(shown) == skeleton(own_shown) or _near(shown, own_shown):
            return other
    return ""


def _near(domain: str, other: str) -> bool:
    """Whether two domains differ by one slip in the name, or have the same name under another ending."""
    name, _, ending = domain.rpartition(".")
    other_name, _, other_ending = other.rpartition(".")
    if len(other_name) < 4 or not name:
        return False
    if name == other_name and ending != other_ending:
        return True
    return _one_slip(name, other_name)


def _one_slip(first: str, second: str) -> bool:
    """Whether one letter was added, left out, changed, or two neighbours changed places."""
    if abs(len(first) - len(second)) > 1 or first == second:
        return False
    start = next(
        (i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )
    rest, other = first[start:], second[start:]
    return (
        rest[1:] == other[1:]
        or rest[1:] == other
        or rest == other[1:]
        or (rest[:2] == other[:2][::-1] and rest[2:] == other[2:])
    )
