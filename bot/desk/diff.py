"""What changed between two texts, word by word: what is gone in ``[-…-]``, what is new in ``{+…+}``, a few words around."""

from __future__ import annotations

from difflib import SequenceMatcher

AROUND = 5
"""Unchanged words shown on each side of a change."""


def word_diff(before: str, after: str) -> str:
    """Return the changes from *before* to *after*, a line each; empty where the words are the same.

    Lines are compared first and words only within what differs, so that a long letter takes no time.
    """
    old, new = before.split("\n"), after.split("\n")
    shown = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        shown += _words("\n".join(old[i:j]).split(), "\n".join(new[k:m]).split())
    return "\n".join(shown)


def _words(old: list[str], new: list[str]) -> list[str]:
    lines: list[str] = []
    current: list[str] = []
    opcodes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
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
