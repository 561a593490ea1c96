"""What changed between two texts, word by word: what is gone in ``[-…-]``, what is new in ``{+…+}``, a few words around."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

AROUND = 5
"""Unchanged words shown on each side of a change."""
MOST_PAIRS = 400_000
"""Places where two texts agree, word against word, up to which they are compared so: with many more, it would take minutes."""

Opcode = tuple[str, int, int, int, int]


def word_diff(before: str, after: str) -> str:
    """Return the changes from *before* to *after*, a line each; empty where the words are the same.

    Lines are compared first and words only within what differs, so that a long letter takes no time.
    """
    old, new = before.split("\n"), after.split("\n")
    shown = []
    for kind, i, j, k, m in _opcodes(old, new):
        if kind == "equal":
            continue
        shown += _words("\n".join(old[i:j]).split(), "\n".join(new[k:m]).split())
    return "\n".join(shown)


def _opcodes(old: Sequence[str], new: Sequence[str]) -> list[Opcode]:
    """Return what became of *old* in *new*, as ``difflib`` says it; where that would take too long, what lies between the
    common beginning and the common end counts as replaced."""
    counts = Counter(new)
    if sum(counts[piece] for piece in old) <= MOST_PAIRS:
        return list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())
    shorter = min(len(old), len(new))
    start = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    end = next((n for n in range(shorter - start) if old[-1 - n] != new[-1 - n]), shorter - start)
    found = [
        ("equal", 0, start, 0, start),
        ("replace", start, len(old) - end, start, len(new) - end),
        ("equal", len(old) - end, len(old), len(new) - end, len(new)),
    ]
    return [code for code in found if code[1] < code[2] or code[3] < code[4]]


def _words(old: list[str], new: list[str]) -> list[str]:
    lines: list[str] = []
    current: list[str] = []
    opcodes = _opcodes(old, new)
    for index, (kind, i, j, k, m) in enumerate(opcodes):
        if kind != "equal":
            gone, come = " ".join(old[i:j]), " ".join(new[k:m])
            current += [f"[-{gone}-]"] if gone else []
            current += [f"{{+{come}+}}"] if come else []
        elif j - i <= 2 * AROUND and 0 < index < len(opcodes) - 1:
            current += old[i:j]
        else:
            if index > 0:
                rest = old[i : i + AROUND]
                lines.append(" ".join([*current, *rest, *(["…"] if j - i > AROUND else [])]))
                current = []
            if index < len(opcodes) - 1:
                start = max(i, j - AROUND)
                current = [*(["…"] if start > i else []), *old[start:j]]
    changed = any(part.startswith(("[-", "{+")) for part in current)
    return [*lines, " ".join(current)] if changed else lines
