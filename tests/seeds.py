"""The same stories with different seeds (ports, numbers of updates, order of stories and of what happens at once).

``make seeds`` (by hand; long) plays every story ten times and prints each expectation whose verdict is not the same in all;
exit status 1 if there is one. ``ARGS="--seeds 3 tests/rehearsals/faults.jsonl"`` plays less.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

STORIES = Path(__file__).parent / "rehearsals"


def verdicts(files: list[str], seed: int, jobs: int) -> dict[str, str]:
    """Play *files* with a seed; return story and expectation -> verdict."""
    command = [sys.executable, "-m", "bot", "rehearse", *files, "--json", "--jobs", str(jobs), "--seed", str(seed)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    found = {}
    for line in done.stdout.splitlines():
        told = json.loads(line)
        found[f"{told['id']}: played"] = told["error"] or "to its end"
        for judged in told["expectations"]:
            found[f"{told['id']}: expectation {judged['index']} after step {judged['after_step']}"] = judged["verdict"]
    return found


def main() -> int:
    """Play, compare, tell."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("files", nargs="*", default=[*map(str, sorted(STORIES.glob("*.jsonl"))), "attacks"])
    given.add_argument("--seeds", type=int, default=10)
    given.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = given.parse_args()
    first: dict[str, str] = {}
    different = set()
    for seed in range(1, asked.seeds + 1):
        found = verdicts(asked.files, seed, asked.jobs)
        first = first or found
        odd = {name for name in {*first, *found} if first.get(name) != found.get(name)}
        different |= odd
        print(f"seed {seed}: {len(found)} verdicts, {len(odd)} other than with seed 1", flush=True)
        for name in sorted(odd):
            print(f"    {name}: {found.get(name)}, with seed 1 {first.get(name)}", flush=True)
    print(f"{asked.seeds} seeds, {len(first)} verdicts, {len(different)} that differ")
    return 1 if different or not first else 0


if __name__ == "__main__":
    sys.exit(main())
