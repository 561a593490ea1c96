"""Two parents, one child: when is it the same child, and when do they want opposite things (CNIL, minors; Hellenic SA 2020)?

Both parents have the same right in principle (art. 372 C. civ.), and the organisation is no judge between them: where one
wants what the other does not, nothing is handed over or erased on one person's word. What is said here only makes a case
stop and be looked at twice; it decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_TAKES_AWAY = frozenset({"erasure", "objection", "consent_withdrawal", "restriction"})
_GIVES_OUT = frozenset({"access", "portability"})
_CHANGES = frozenset({"rectification"})

_OTHER_FR = (
    r"(?:(?:son|sa|leur|ses|le|la|mon|ma|du|de la|l') ?(?:pere|mere|papa|maman|autre parent|ex(?:[- ]\w+)?|mari|femme|"
    r"conjoint\w*|epou(?:x|se)|compagn\w+|beau-pere|belle-mere)|mon ancien\w* \w+)"
)
_OTHER_EN = (
    r"(?:(?:his|her|their|my|the) ?(?:father|mother|dad|mum|mom|other parent|ex(?:[- ]\w+)?|husband|wife|partner|stepfather|"
    r"stepmother|former \w+))"
)
_STOP_FR = (
    r"(?:ne (?:rien )?(?:lui )?(?:donn|remett|communiqu|transmett|envoy|effac|supprim|montr|confi|laiss|divulgu)\w*"
    r"|m'y? ?oppos\w*|refuse\w*|interdi\w*|pas d'accord|sans mon accord|contre ma volonte"
    r"|n'a pas (?:le droit|la garde|l'autorite)|ne doi\w+ (?:pas|rien))"
)
_STOP_EN = (
    r"(?:(?:do not|don't|must not|never|not to) (?:\w+ ){0,2}?"
    r"(?:give|send|hand|disclose|share|show|tell|erase|delete|release)\w*"
    r"|i object|we object|i refuse|against my (?:will|wishes)|without my (?:consent|agreement)|not agree|disagree\w*"
    r"|has no (?:right|custody|parental)|not entitled)"
)
_OPPOSES = re.compile(
    rf"{_OTHER_FR}[^.!?]{{0,140}}{_STOP_FR}|{_STOP_FR}[^.!?]{{0,140}}{_OTHER_FR}"
    rf"|{_OTHER_EN}[^.!?]{{0,140}}{_STOP_EN}|{_STOP_EN}[^.!?]{{0,140}}{_OTHER_EN}"
    r"|(?:autorite parentale|droit de garde|garde (?:exclusive|alternee))[^.!?]{0,100}"
    r"(?:retir|perdu|exclusi|seule?\b|conteste|litige)"
    rf"|\bex-\w+.{{0,120}}(?:{_STOP_FR}|{_STOP_EN})"
    r"|juge aux affaires familiales|(?:conflit|litige|procedure)[^.!?]{0,60}(?:parental|garde|entre (?:les )?parents|divorce)"
    r"|sole custody|custody (?:dispute|battle|order)|family court"
    r"|parental responsibility[^.!?]{0,60}(?:sole|removed|lost|disput)"
)


def opposes(folded: str) -> bool:
    """Say whether a folded text speaks of one parent against the other: what must not be given, custody, a court."""
    return bool(_OPPOSES.search(folded))


def contradict(one: Collection[str], other: Collection[str]) -> bool:
    """Say whether what two parents ask about one child cannot both be done without taking sides.

    The same demand twice is none; neither is a second access beside a correction.
    """
    first, second = set(one), set(other)
    if first == second:
        return False
    for mine, theirs in ((first, second), (second, first)):
        if mine & _TAKES_AWAY and theirs & (_GIVES_OUT | _CHANGES):
            return True
        if "restriction" in mine and "erasure" in theirs:
            return True
    return False


def words_in(text: str) -> frozenset[str]:
    """Return the words of a folded name or text, without what is too short to tell anybody apart."""
    return frozenset(word for word in re.split(r"[^a-z]+", text) if len(word) >= 3)


def same_child(child: str, requester: str, text: str, sender: str) -> bool:
    """Say whether a message may be about the child of a case: *child* and *requester* are names of the case, *text* and
    *sender* are the message and who sent it; all folded.

    The first name must be there, and with it a family name: the child's, or one that both adults bear. A first name alone
    is shared by many.
    """
    name = [word for word in re.split(r"[^a-z]+", child) if len(word) >= 2]
    there = frozenset(re.split(r"[^a-z]+", text))
    if not name or name[0] not in there:
        return False
    family = words_in(" ".join(name[1:])) | words_in(requester)
    return bool(family & (words_in(text) | words_in(sender)) - {name[0]})
