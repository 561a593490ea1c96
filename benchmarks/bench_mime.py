"""How fast mails are read, and whether any bytes make the reader raise.

    python benchmarks/bench_mime.py [COUNT] [SEED]

Mutates the mails of tests/mail COUNT times (default 5000) and prints failures, rate and the slowest mail.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.channels import mime
from bot.channels.base import RawMessage
from tests.test_mime import OURS, SEEDS, TOOK_IN, check_whole, mutated


def main(count: int, seed: int) -> int:
    """Read *count* mutated mails; return the number that failed."""
    failures = 0
    slowest = (0.0, 0)
    start = time.perf_counter()
    for number in range(count):
        raw = mutated(random.Random(seed + number))
        began = time.process_time()
        try:
            check_whole(mime.arrival(RawMessage("bench", str(number), TOOK_IN, raw), **OURS))
        except Exception as error:  # noqa: BLE001 - to count whatever comes out is what this is for
            failures += 1
            print(f"seed {seed + number}: {type(error).__name__}: {error}"[:300])
        slowest = max(slowest, (time.process_time() - began, seed + number))
    spent = time.perf_counter() - start
    print(
        f"{count} mutated mails from {len(SEEDS)}: {failures} failures, {count / spent:.0f}/s, "
        f"slowest {slowest[0]:.3f} s of CPU (seed {slowest[1]})"
    )
    return failures


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    sys.exit(1 if main(*(given + [5_000, 1][len(given) :])) else 0)
