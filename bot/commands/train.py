"""``dpobot train``: the classifier, from the corpus, by its configuration."""

from __future__ import annotations

import sys
from pathlib import Path

from handlers.rights import load_rights
from nlp.classifier import MODEL
from nlp.corpus import CorpusError
from nlp.train import train as teach


def train(out: Path | None) -> int:
    """Train into *out* (the folder of the model that ships, if None), telling each step; return the exit status."""
    cues = {right.name: right.cues for right in load_rights().values()}
    try:
        trained = teach(out or MODEL, cues=cues, tell=lambda step: print(step, file=sys.stderr))
    except CorpusError as error:
        print(f"the corpus has faults; mend them and train again:\n{error}", file=sys.stderr)
        return 1
    print(
        f"{out or MODEL}: trained, {len(trained.cross_validated)} messages read by models that had not seen their voice"
    )
    return 0
