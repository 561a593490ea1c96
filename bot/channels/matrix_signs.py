"""Signs under a card: what stands for a button where there are none, and which one somebody meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.channels.chat import Buttons, cut_text

DIGITS: Final = (*(f"{digit}\ufe0f\u20e3" for digit in range(1, 10)), "🔟")
SIGNS: Final = {"approve": "✅", "reject": "❌"}
"""Actions with a sign of their own, where a card offers each once."""
SAME_SIGN: Final = {"👍": "✅", "✔": "✅", "☑": "✅", "👎": "❌", "✖": "❌"}
HINT: Final = {
    "fr": "Réagissez par le signe, ou répondez par le numéro :",
    "en": "React with the sign, or reply with the number:",
}
HINT_TYPED: Final = {
    "fr": "Répondez à cette carte par le numéro ou par le mot :",
    "en": "Reply to this card with the number or the word:",
}


def _bare(sign: str) -> str:
    """A reaction without what only says how to draw it: variation selectors and skin tones."""
    return "".join(c for c in sign if c not in "\ufe0e\ufe0f" and not "\U0001f3fb" <= c <= "\U0001f3ff")


def _words(label: str) -> str:
    """A label's words, without the sign before them."""
    return label.lstrip("".join(c for c in label if not c.isalnum())).casefold()


def chosen(facts: dict[str, Any], said: str) -> str:
    """Return the key of the button that a sign, a number or the beginning of its words means; empty for none."""
    options = facts["versions"].get(facts["current"], [])
    wanted = _bare(said.strip())
    wanted = _bare(SAME_SIGN.get(wanted, wanted))
    number = wanted.rstrip(".\u20e3")
    for place, (sign, label, key) in enumerate(options, start=1):
        if wanted == _bare(sign) or number == str(place):
            return str(key)
        _ = label
    folded = wanted.casefold()
    meant = [key for _, label, key in options if len(folded) > 2 and _words(label).startswith(folded)]
    return str(meant[0]) if len(meant) == 1 else ""


def drawn(
    text: str, buttons: Buttons, actions: Mapping[str, str], language: str, *, typed: bool = False
) -> tuple[str, list[tuple[str, str, str]]]:
    """Write the buttons under a text; return it with (sign, label, key) of each. *actions*: what each key does.

    A sign is the action's own where it has one and the card offers it once, else the number of its place. *typed*: signs decide
    nothing here, and the card says so.
    """
    flat = [pair for row in buttons for pair in row]
    if not flat:
        return cut_text(text), []
    named = list(actions.values())
    options = []
    for place, (label, key) in enumerate(flat):
        action = actions.get(key, "")
        own = action in SIGNS and named.count(action) == 1
        sign = SIGNS[action] if own else DIGITS[place] if place < len(DIGITS) else f"{place + 1}."
        options.append((sign, label, key))
    lines = [
        f"{place}. {sign} {label}" if sign in SIGNS.values() else f"{sign} {label}"
        for place, (sign, label, _) in enumerate(options, start=1)
    ]
    return "\n".join([f"{text}\n", (HINT_TYPED if typed else HINT)[language], *lines]), options
