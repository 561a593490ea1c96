"""The people of a story, by their numbers."""

from __future__ import annotations

import hashlib
from typing import Any

from bot.rehearsal.world import DEPUTY, DPO, STRANGER

PEOPLE = {
    "dpo": DPO, "dpo_1": DPO, "dpo1": DPO, "claude": DPO, "dpo_2": DEPUTY, "dpo2": DEPUTY, "deputy": DEPUTY,
    "adjoint": DEPUTY, "stranger": STRANGER, "attacker": STRANGER,
}  # fmt: skip


def number_of(user: Any, default: int = DPO) -> int:
    """Return the Telegram number of a person of the story: a number, ``dpo_2``, or any other name, always the same."""
    if user in (None, ""):
        return default
    if isinstance(user, int):
        return user
    text = str(user).strip()
    if text.isdigit():
        return int(text)
    known = PEOPLE.get(text.lower().replace("-", "_"))
    return known or 710_000_000 + int(hashlib.sha256(text.encode()).hexdigest()[:6], 16)
