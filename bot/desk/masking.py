"""Masking for chat, and back: what a person types over a masked draft must never put the mask into the letter."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from difflib import SequenceMatcher, get_close_matches

from bot.desk.text import inert, mask_address, mask_name, mask_text

_STAND_IN = 0x2580
"""First of the signs (block elements, in no letter) that stand for what must not be masked while the rest is."""
MASK_SIGN = "•"


def hider(known: Collection[str], *, keep: Collection[str]) -> Callable[[str], str]:
    """Return a function that masks personal data in a text; *known* names and addresses too, never *keep* (our own)."""
    kept = sorted((k for k in keep if k), key=len, reverse=True)

    def hide(text: str) -> str:
        for index, value in enumerate(kept):
            text = text.replace(value, chr(_STAND_IN + index))
        text = mask_text(text, [k for k in known if k])
        for index, value in enumerate(kept):
            text = text.replace(chr(_STAND_IN + index), value)
        return text

    return hide


def unmask(text: str, *, name: str, address: str, original: str, hide: Callable[[str], str]) -> str:
    """Put the real values back into an edited text that was made from a masked one, defused for chat or not.

    Lines left as they were masked become the original lines again. A changed line gets back what was masked in the
    line it resembles most, and the person's name and address. Where two lines look alike when masked and one of them
    is gone, neither is restored: a wrong number would be worse. What still carries the mask sign afterwards cannot be
    sent: see :func:`still_masked`.
    """
    shown = _shown(original, hide)
    typed = text.splitlines()
    seen = Counter(line.strip() for line in typed)
    whole: dict[str, list[str]] = {}
    for masked, real in shown:
        for form in dict.fromkeys((masked.strip(), inert(masked).strip())):
            whole.setdefault(form, []).append(real)
    lines = []
    for line in typed:
        candidates = whole.get(line.strip(), [])
        if len(set(candidates)) > 1 and len(candidates) != seen[line.strip()]:
            candidates = []
        if len(set(candidates)) == 1:
            lines.append(candidates[0])
        elif candidates:
            lines.append(candidates.pop(0))
            seen[line.strip()] -= 1
        else:
            lines.append(_changed(line, shown, name=name, address=address))
    return "\n".join(lines)


def _shown(original: str, hide: Callable[[str], str]) -> list[tuple[str, str]]:
    """Pair each line of a letter with what stands for it when it is masked."""
    real = original.splitlines()
    masked = hide(original).splitlines()
    if len(masked) != len(real):
        masked = [hide(line) for line in real]
    return list(zip(masked, real, strict=True))


def _changed(line: str, shown: Sequence[tuple[str, str]], *, name: str, address: str) -> str:
    """Put back what was masked into a line that somebody changed."""
    known: dict[str, set[str]] = {}
    for masked, real in shown:
        for form in (masked, inert(masked)):
            known.setdefault(form, set()).add(real)
    for close in get_close_matches(line, known, n=1, cutoff=0.5):
        if len(known[close]) == 1:
            line = _restored(line, close, *known[close])
    for masked, value in ((mask_address(address), address), (mask_name(name), name)):
        # A single initial or mere dots may stand for something else.
        if masked.startswith(MASK_SIGN) or not re.search(r"\S[. -]*\S", masked.rstrip(".")):
            continue
        for form in (masked, inert(masked)):
            line = re.sub(rf"(?<!\w){re.escape(form)}", value.replace("\\", r"\\"), line)
    return line


_PARTS = re.compile(r'\s+|[,;:!?()«»"]|[^\s,;:!?()«»"]+')


def _restored(line: str, masked: str, real: str) -> str:
    """Replace in *line* the words that masking changed, where they still stand between the same words."""
    before, after, typed = _PARTS.findall(masked), _PARTS.findall(real), _PARTS.findall(line)
    kept: dict[int, int] = {}
    for block in SequenceMatcher(None, before, typed, autojunk=False).get_matching_blocks():
        kept |= {block.a + step: block.b + step for step in range(block.size)}
    for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        places = [kept.get(index, -1) for index in range(i, j)]
        if kind == "replace" and places == list(range(places[0], places[0] + j - i)) and places[0] >= 0:
            typed[places[0] : places[-1] + 1] = ["".join(after[k:m]), *[""] * (j - i - 1)]
    return "".join(typed)


def still_masked(text: str) -> bool:
    """Whether a text carries the sign of a mask: it would reach the person with a hole in it."""
    return MASK_SIGN in text
