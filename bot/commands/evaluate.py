"""``dpobot evaluate``: how good the classifier is on messages it never saw."""

from __future__ import annotations

import sys

from handlers.rights import load_rights
from nlp.corpus import CorpusError
from nlp.evaluate import evaluate as measure
from nlp.evaluate import table, worst, write


def evaluate(*, split: str) -> int:
    """Print the figures of one side of the split and the worst errors; those of the test part are kept.

    Only the test part was never trained on; on ``dev`` the figures flatter.
    """
    cues = {right.name: right.cues for right in load_rights().values()}
    try:
        figures, pairs = measure(None, cues=cues, split=split)
    except CorpusError as error:
        print(f"the corpus has faults:\n{error}", file=sys.stderr)
        return 1
    print(table(figures))
    for example, reading in worst(pairs):
        print(
            f"{example.message.id}: {example.primary} read as {reading.primary} ({reading.confidence:.2f}, {reading.decision})"
        )
    if split == "test":
        write(figures, None)
    return 0
