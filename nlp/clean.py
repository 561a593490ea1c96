"""The new part of a mail: what its author wrote now, without history, signature and disclaimers.

Only the new part says what is asked. History below it may hold our own letter, which lists every right;
a footer may promise rights to its reader. Where a rule is in doubt the text stays new: a line too many
costs the reader a second, a line too few may cost the person their request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from nlp import clean_words as words

MAX_CHARACTERS = 200_000
MAX_LINE = 2_000
MAX_LINES = 20_000
MAX_SIGNATURE_LINES = 60
LANGUAGES = ("fr", "en", "de", "es", "it", "nl", "pt")


@dataclass(frozen=True)
class Split:
    """A text in three: what is new, the history it quotes, and signature with footers. Line order is kept in each."""

    new: str
    quoted: str = ""
    signature: str = ""


@dataclass(frozen=True)
class HeaderBlock:
    """The header lines that a mail client writes above a quoted or forwarded message."""

    fields: dict[str, str]
    """``from``, ``date``, ``to``, ``cc``, ``subject``, as written."""
    start: int
    end: int
    """Line numbers: first line of the block, and first line behind it."""


def unquoted(line: str) -> str:
    """Return *line* without its quote marks."""
    return words.MARKS.sub("", line) if words.QUOTE.match(line) else line


def header_block(lines: list[str], start: int) -> HeaderBlock | None:
    """Read the header lines that begin at *start*, or None where there is no such block.

    "From: 12 May / To: 15 May" is a stay, no header: a block has a sender and two more fields, one of them
    a date or a subject, and it holds an address, or both a subject and a time of day.
    """
    fields: dict[str, str] = {}
    last = ""
    place = start
    blanks = 0
    while place < len(lines) and place - start < 24:
        line = unquoted(lines[place][:MAX_LINE]).strip()
        if not line:
            blanks += 1
            if blanks > 1 or (fields and {"from", "subject"} <= set(fields) and ("to" in fields or "date" in fields)):
                break
            place += 1
            continue
        found = words.KEY.match(line)
        key = words.HEADER_KEYS.get(" ".join(found[1].lower().split())) if found else None
        if key is None:
            # A long list of recipients runs on over several lines; a value may stand below its name.
            if last and not blanks and (not fields[last] or (last in ("to", "cc") and "@" in line)):
                fields[last] = f"{fields[last]} {line}".strip()
                place += 1
                continue
            break
        blanks = 0
        last = key
        fields.setdefault(key, (found[2] or "" if found else "").strip())
        place += 1
    while place > start and not unquoted(lines[place - 1]).strip():
        place -= 1
    fields.pop("other", None)
    if "from" not in fields or not fields["from"] or len(fields) < 3 or not {"date", "subject"} & set(fields):
        return None
    addressed = "@" in fields["from"] + fields.get("to", "")
    dated = "subject" in fields and re.search(r"\d{1,2}[:h]\d{2}", fields.get("date", "")) is not None
    if not addressed and not dated:
        return None
    return HeaderBlock(fields, start, place)


def is_forward_divider(line: str) -> bool:
    """Say whether *line* announces a forwarded message."""
    return len(line) < 200 and words.FORWARD_DIVIDER.match(line) is not None


def is_divider(line: str) -> bool:
    """Say whether *line* announces an older message, answered or forwarded."""
    return len(line) < 200 and (words.DIVIDER.match(line) is not None or words.FORWARD_DIVIDER.match(line) is not None)


@lru_cache(maxsize=1)
def _foreign_wrote() -> tuple[re.Pattern[str], ...]:
    """How mail clients in other languages than ours introduce a quote, from mail-parser-reply.

    Its patterns are used line by line: over a whole text they are quadratic.
    """
    from mailparser_reply.constants import MAIL_LANGUAGES

    return tuple(
        re.compile(rules["wrote_header"], re.IGNORECASE)
        for language, rules in MAIL_LANGUAGES.items()
        if language not in LANGUAGES and rules.get("wrote_header")
    )


def _attribution(lines: list[str], start: int, language_hint: str | None) -> int:
    """Return the line behind an attribution ("Le … a écrit :") that begins at *start*, or *start* if none does."""
    first = unquoted(lines[start][:MAX_LINE]).strip(" \t*_")
    if not first or not words.WROTE_OPENS.match(first):
        return _foreign_attribution(lines, start, language_hint)
    if len(first) < 200 and first.endswith((":", "：")) and "@" in first and not words.QUOTE.match(lines[start]):
        # "Quoting Marie <m@x>:" - whatever the words, an address and a colon right above quoted lines.
        below = next((line for line in lines[start + 1 : start + 3] if line.strip()), "")
        if words.QUOTE.match(below):
            return start + 1
    joined = ""
    for place in range(start, min(start + 4, len(lines))):
        line = unquoted(lines[place][:MAX_LINE]).strip()
        if not line:
            break
        joined = f"{joined} {line}".strip()
        if len(joined) > 400:
            break
        if words.WROTE.search(joined):
            followed = _next_line(lines, place + 1)
            quotes = followed is not None and words.QUOTE.match(followed) is not None
            if words.TOLD_ME.search(joined) and not quotes:
                return start
            stamped = words.STAMP.search(joined) is not None
            return place + 1 if stamped or (quotes and len(joined) < 200) else start
    return _foreign_attribution(lines, start, language_hint)


def _foreign_attribution(lines: list[str], start: int, language_hint: str | None) -> int:
    line = unquoted(lines[start][:300]).strip()
    if language_hint in LANGUAGES or not line.endswith((":", "：")) or not words.STAMP.search(line):
        return start
    return start + 1 if any(pattern.match(line) for pattern in _foreign_wrote()) else start


def _next_line(lines: list[str], start: int) -> str | None:
    return next((line for line in lines[start : start + 4] if line.strip()), None)


def split(text: str, language_hint: str | None = None, *, alone: bool = True) -> Split:
    """Split *text* into new part, quoted history and signature.

    Answers below and between quoted lines are new. *language_hint* (ISO 639-1) narrows the search to
    the languages we know well; without it, introductions in other languages are looked for too. Where
    nothing would be left as new, everything stays new, unless the text does not stand *alone*.
    """
    rest = text[MAX_CHARACTERS:]
    lines = text[:MAX_CHARACTERS].split("\n")
    if len(lines) > MAX_LINES:
        rest = "\n".join(lines[MAX_LINES:]) + rest
        lines = lines[:MAX_LINES]
    kinds = _mark_history(lines, language_hint)
    if rest:
        # Beyond what a person writes nothing is looked for: the remainder is what its beginning was.
        lines.append(rest)
        kinds.append(kinds[-1])
    _mark_broken_quotes(lines, kinds)
    _mark_signatures(lines, kinds)
    _mark_footers(lines, kinds)
    for forgiven in ("", "s", "sq"):
        new = [line for line, kind in zip(lines, kinds, strict=True) if kind == "n" or kind in forgiven]
        if "".join(new).strip() or not alone:
            quoted = [] if "q" in forgiven else _only(lines, kinds, "q")
            signature = [] if "s" in forgiven else _only(lines, kinds, "s")
            return Split(_joined(new), _joined(quoted), _joined(signature))
    return Split(text.strip())


def _only(lines: list[str], kinds: list[str], wanted: str) -> list[str]:
    return [line for line, kind in zip(lines, kinds, strict=True) if kind == wanted]


def _joined(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")


def _mark_history(lines: list[str], language_hint: str | None) -> list[str]:
    """Return a letter per line: ``q`` for history, ``n`` for the rest."""
    kinds = ["n"] * len(lines)
    place = 0
    while place < len(lines):
        line = lines[place]
        if words.QUOTE.match(line) and not words.GROUPWISE.match(line[:MAX_LINE]):
            kinds[place] = "q"
            place += 1
            continue
        behind = history_start(lines, place, language_hint)
        if behind == place:
            place += 1
            continue
        for number in range(_with_divider(lines, kinds, place), behind):
            kinds[number] = "q"
        followed = _next_line(lines, behind)
        if followed is None or words.QUOTE.match(followed):
            # Marked history ends where its marks end; what stands below is an answer.
            place = behind
            continue
        for number in range(behind, len(lines)):
            kinds[number] = "q"
        break
    return kinds


def _mark_broken_quotes(lines: list[str], kinds: list[str]) -> None:
    """Mark the ends of quoted lines that a mail program broke off: a few words, no mark, between two marked lines."""
    for place in range(1, len(lines) - 1):
        before, line, after = lines[place - 1].rstrip(), lines[place].strip(), lines[place + 1]
        if (
            kinds[place] == "n"
            and 0 < len(line) <= 30
            and 60 <= len(before) <= 120
            and words.QUOTE.match(before)
            and words.QUOTE.match(after)
            and not before.endswith((".", "?", "!", ":", ";", "…"))
        ):
            kinds[place] = "q"


def _with_divider(lines: list[str], kinds: list[str], place: int) -> int:
    """Return where what introduces history begins: a rule or a title right above it belongs to it."""
    above = place - 1
    while above >= 0 and place - above < 4 and not lines[above].strip():
        above -= 1
    if above > 0 and kinds[above] == "n" and len(lines[above]) < 200 and words.BARE_DIVIDER.match(lines[above]):
        return above
    return place


def history_start(lines: list[str], place: int, language_hint: str | None = None) -> int:
    """Return the line behind what introduces older messages at *place*, or *place* where nothing does."""
    line = lines[place]
    if not line.strip():
        return place
    if len(line) < 240 and (
        words.FRAMED_WROTE.match(line) or words.GROUPWISE.match(line) or words.ANSWER_ABOVE.match(line)
    ):
        block = header_block(lines, place + 1)
        return block.end if block else place + 1
    if is_divider(line) or words.LA_POSTE.match(line):
        block = _block_below(lines, place + 1)
        return block.end if block else _behind_attribution(lines, place + 1, language_hint)
    if words.RULE.match(line):
        block = _block_below(lines, place + 1)
        return block.end if block else place
    if ":" in line and (block := header_block(lines, place)):
        return block.end
    return _attribution(lines, place, language_hint)


def _behind_attribution(lines: list[str], start: int, language_hint: str | None) -> int:
    """Return the line behind an attribution right below a divider, or *start* where there is none."""
    for place in range(start, min(start + 3, len(lines))):
        if lines[place].strip():
            behind = _attribution(lines, place, language_hint)
            return behind if behind > place else start
    return start


def _block_below(lines: list[str], start: int) -> HeaderBlock | None:
    for place in range(start, min(start + 3, len(lines))):
        if lines[place].strip():
            return header_block(lines, place)
    return None


def _mark_signatures(lines: list[str], kinds: list[str]) -> None:
    """Mark ``-- `` signatures and the lines that phones and virus scanners add."""
    place = 0
    while place < len(lines):
        line = lines[place]
        if kinds[place] != "n":
            place += 1
            continue
        if line.rstrip("\r") in ("-- ", "--") or (words.RULE.match(line) and _is_list_footer(lines, kinds, place)):
            end = place + 1
            while end < len(lines) and kinds[end] == "n" and end - place <= MAX_SIGNATURE_LINES:
                end += 1
            tail = "\n".join(lines[place + 1 : end]).strip()
            if end - place <= MAX_SIGNATURE_LINES and _is_signature(
                tail, exact=line.startswith("-- ") or bool(words.RULE.match(line))
            ):
                for number in range(place, end):
                    kinds[number] = "s"
                place = end
                continue
        shown = words.LINK.sub("", line[:MAX_LINE]).rstrip()
        if (
            (
                len(shown.strip()) <= words.DEVICE_LIMIT
                and words.DEVICE.match(shown)
                and words.DEVICE_WORDS.search(shown)
            )
            or words.NO_WORDS.match(shown)
            or words.NO_WORDS.match(line[:MAX_LINE])
            or words.BANNER.match(line[:MAX_LINE])
        ):
            kinds[place] = "s"
        place += 1


def _is_signature(tail: str, *, exact: bool) -> bool:
    """A signature is short; two dashes alone may also be how somebody parts paragraphs."""
    if exact:
        return len(tail) <= 3_000
    return len(tail) <= 700 and tail.count("\n") <= 12 and not (len(tail) > 150 and words.DEMANDS.search(tail))


def _is_list_footer(lines: list[str], kinds: list[str], place: int) -> bool:
    below = [
        line.strip()
        for line, kind in zip(lines[place + 1 : place + 6], kinds[place + 1 :], strict=False)
        if kind == "n"
    ]
    return any(words.MAILMAN.match(line) for line in below if line)


def _mark_footers(lines: list[str], kinds: list[str]) -> None:
    """Mark disclaimers and footers that speak to a reader about the reader's rights.

    A footer never stands first, and a paragraph in which somebody says "I" or "my" is none. Behind the
    first footer only such a paragraph brings the new part back.
    """
    paragraphs: list[tuple[int, int]] = []
    start: int | None = None
    for number in range(len(lines) + 1):
        inside = number < len(lines) and kinds[number] == "n" and bool(lines[number].strip())
        if inside and start is None:
            start = number
        elif not inside and start is not None:
            paragraphs.append((start, number))
            start = None
    footers: list[int] = []
    personal: list[int] = []
    for index, (first, end) in enumerate(paragraphs):
        said = " ".join(lines[first:end])[:2_000]
        demands = words.DEMANDS.search(said) is not None
        if index and not demands and words.FOOTER.search(said):
            footers.append(index)
        elif demands or "?" in said:
            personal.append(index)
    last_personal = personal[-1] if personal else -1
    for index, (first, end) in enumerate(paragraphs):
        trailing = bool(footers) and index > footers[0] and index > last_personal
        if index in footers or trailing:
            for number in range(first, end):
                kinds[number] = "s"
