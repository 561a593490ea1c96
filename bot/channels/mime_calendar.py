"""Invitations: what a calendar part says in words. The desk is shown them; nothing is accepted or answered."""

from __future__ import annotations

import re

MAX_CALENDAR = 200_000

_SHOWN = ("SUMMARY", "DTSTART", "LOCATION", "DESCRIPTION", "COMMENT")


def method(calendar: str) -> str:
    """Return the method of a calendar (``REQUEST``, ``REPLY`` …) in upper case, or an empty string."""
    found = re.search(r"^METHOD:([A-Za-z-]{1,20})", calendar[:4_000], re.MULTILINE)
    return found[1].upper() if found else ""


def as_text(calendar: str) -> str:
    """Return title, beginning, place and description of the first event, a line each."""
    unfolded = re.sub(r"\r?\n[ \t]", "", calendar[:MAX_CALENDAR])
    event = unfolded.partition("BEGIN:VEVENT")[2].partition("END:VEVENT")[0] or unfolded
    event = re.sub(r"BEGIN:VALARM.*?END:VALARM", "", event, flags=re.DOTALL)
    found: dict[str, str] = {}
    for line in event.splitlines()[:500]:
        name, colon, value = _parted(line)
        if colon and name in _SHOWN and value.strip():
            found.setdefault(name, _unescaped(value))
    return "\n".join(_instant(found[name]) if name == "DTSTART" else found[name] for name in _SHOWN if name in found)


def _parted(line: str) -> tuple[str, str, str]:
    """Part ``NAME;PARAMETER="a:b":value`` at the colon that counts."""
    quoted = False
    for place, char in enumerate(line[:2_000]):
        if char == '"':
            quoted = not quoted
        elif char == ":" and not quoted:
            return line[:place].partition(";")[0].upper(), ":", line[place + 1 :]
    return "", "", ""


def _unescaped(value: str) -> str:
    return re.sub(r"\\([nN,;\\])", lambda each: "\n" if each[1] in "nN" else each[1], value).strip()


def _instant(value: str) -> str:
    """Write ``20260302T090000Z`` so that a person can read it; the zone stays as it is given."""
    found = re.fullmatch(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})\d{2}(Z?))?", value.strip())
    if not found:
        return value
    day = f"{found[1]}-{found[2]}-{found[3]}"
    return f"{day} {found[4]}:{found[5]}{' UTC' if found[6] else ''}" if found[4] else day
