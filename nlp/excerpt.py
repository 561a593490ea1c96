"""The part of a message that is read: its author's own words, in such a form that offsets lead back to the body."""

from __future__ import annotations

from dataclasses import replace

from nlp.clean import is_forward_divider, split
from nlp.types import Message

MAX_CLEANED = 200_000
"""Characters of a body in which history is looked for; what lies behind them was not typed by hand."""
MAX_CHARACTERS = 12_000
"""Characters that are read: a request is said well before; the rest cannot slow the reading down."""
HEAD = 9_000
"""Of a longer text so many characters of the beginning are read, and the rest of the end."""
_BARE_FORWARD = 300
"""A forward with fewer characters of its own is read as the message that it passes on."""


class Excerpt:
    """The part of a body that is read.

    History, signatures and footers are blanked out; of an overlong body the middle is left out. A forward that
    adds little of its own is read with the message that it passes on.
    """

    def __init__(self, message: Message) -> None:
        """Cut the excerpt from *message*."""
        body = own_words(message.body[:MAX_CLEANED])
        self._left_out = max(0, len(body) - MAX_CHARACTERS)
        if self._left_out:
            body = body[:HEAD] + body[HEAD + self._left_out :]
        self.message = replace(message, body=body)

    def place(self, offset: int) -> int:
        """Turn an offset of the excerpt into one of the message's body."""
        return offset if offset < HEAD or not self._left_out else offset + self._left_out


def own_words(body: str) -> str:
    """Return *body*, of the same length, with every line blanked that is not its author's own."""
    if "\n" not in body:
        return body
    own = [line for line in split(body).new.split("\n") if line.strip()]
    lines = body.split("\n")
    kept: list[bool] = []
    place = 0
    for line in lines:
        new = place < len(own) and line.rstrip().strip("\n") == own[place]
        place += new
        kept.append(new or not line.strip())
    if place < len(own):
        # The parts could not be matched line by line: better read too much than lose a request.
        return body
    forward = next((number for number, line in enumerate(lines) if is_forward_divider(line)), None)
    if forward is not None and sum(len(line) for line in own) < _BARE_FORWARD:
        for number in range(forward + 1, len(lines)):
            kept[number] = True
    return "\n".join(line if keep else " " * len(line) for line, keep in zip(lines, kept, strict=True))
