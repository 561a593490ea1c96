"""How many deadlines a minute on one core, without the trace: ``python benchmarks/bench_clock.py [COUNT]``.

Goal: a million a minute of processor time, whatever else the machine does. Half are plain requests, half have an
identity pause and an extension, over ten years.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta

from handlers.clock import ClockEvent, deadline


def main() -> None:
    """Time COUNT deadlines (default 200,000), with and without the trace, and print the rates."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    first = datetime(2018, 5, 25, 8, 0, tzinfo=UTC)
    for label, with_trace, number in (("without trace", False, count), ("with trace", True, count // 10)):
        started = time.process_time()
        for index in range(number):
            received = first + timedelta(minutes=index * 23 % 5_259_600)
            events = ()
            if index % 2:
                events = (
                    ClockEvent("identity_requested", received + timedelta(days=1)),
                    ClockEvent("identity_received", received + timedelta(days=index % 20 + 1)),
                    ClockEvent("extended", received + timedelta(days=25)),
                )
            deadline(received, events, with_trace=with_trace)
        seconds = time.process_time() - started
        print(f"{label}: {number} deadlines in {seconds:.2f} s, {number / seconds * 60 / 1e6:.2f} million a minute")


if __name__ == "__main__":
    main()
