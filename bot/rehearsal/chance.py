"""What may differ between two plays of a story and must not matter: ports, numbers of updates, who comes first.

A seed decides it, so that a difference can be seen again: the same seed is the same play.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """Chance for one story; without a seed nothing is left to it, and the system chooses the ports."""

    def __init__(self, seed: int | None, name: str) -> None:
        self._random = None if seed is None else random.Random(f"{seed}:{name}")

    def port(self) -> int:
        """A port of this machine that is free now; 0, which lets the system choose, without a seed."""
        if self._random is not None:
            for _ in range(50):
                port = self._random.randrange(20_000, 32_000)
                with suppress(OSError), socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
                    return port
        return 0

    def number(self, usual: int) -> int:
        """A number to begin from where any will do."""
        return usual if self._random is None else self._random.randrange(1, 2_000_000_000)

    def shuffled(self, given: Sequence[T]) -> list[T]:
        """In another order; as they are without a seed."""
        found = list(given)
        if self._random is not None:
            self._random.shuffle(found)
        return found
