"""``dpobot train``: the classifier, from the corpus and from what the DPO corrected on this machine."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.app import App
from bot.learning import gathered
from bot.models import local_folder, running_model, shipped_digest, write_record
from handlers.rights import load_rights
from nlp.classifier import MODEL, load_classifier
from nlp.corpus import CORPUS, CorpusError, Example
from nlp.evaluate import evaluate, read_all
from nlp.train import FOLDS
from nlp.train import train as teach

TOLERANCE = 0.005
"""How far a share may fall without the model being worse; on a small frozen set, one message."""
ASKED_TOLERANCE = 0.02
"""How far the share of questions to the DPO may rise."""
_SHARES = (("primary_accuracy", "primary"), ("mission_accuracy", "mission class"), ("labels_f1", "labels F1"))


def _tell(step: str) -> None:
    print(step, file=sys.stderr)


def train(
    out: Path | None, *, corpus: Path | None = None, limit: int = 0, folds: int = FOLDS, epochs: int | None = None
) -> int:
    """Train from the corpus alone into *out* (the folder of the model that ships, if None); return the exit status."""
    cues = {right.name: right.cues for right in load_rights().values()}
    try:
        trained = teach(out or MODEL, cues=cues, corpus=corpus, limit=limit, folds=folds, epochs=epochs, tell=_tell)
    except CorpusError as error:
        print(f"the corpus has faults; mend them and train again:\n{error}", file=sys.stderr)
        return 1
    print(
        f"{out or MODEL}: trained, {len(trained.cross_validated)} messages read by models that had not seen their voice"
    )
    return 0


def listed(app: App) -> int:
    """Print what there is to learn from: number, what was decided, where the message is. No name, no text."""
    with app.database.reading() as session:
        found = gathered(session, app)
    for number, one in found:
        flags = ", ".join(f"{name}={value}" for name, value in sorted(one.flags.items()))
        print(
            f"{number:4}  {one.message.id:14} {one.language:3} {one.primary} [{', '.join(one.labels)}] {flags}".rstrip()
        )
    print(f"{len(found)} to learn from")
    return 0


def learn(
    app: App,
    *,
    without: Sequence[int] = (),
    out: Path | None = None,
    corpus: Path | None = None,
    limit: int = 0,
    folds: int = FOLDS,
    epochs: int | None = None,
) -> int:
    """Train from the corpus and this machine's corrections, compare on the frozen set, and take the new model if it is no worse.

    *without* leaves examples out by number; with *out* the model goes there and nothing is replaced. Status 1: the new
    model is worse, and the one that runs stays.
    """
    with app.database.reading() as session:
        found = [(number, one) for number, one in gathered(session, app) if number not in without]
    target = out or local_folder(app.settings)
    if not found and out is None:
        return _nothing_learned(target)
    cues = {right.name: right.cues for right in load_rights().values()}
    running = running_model(app.settings)
    fresh = target.with_name(f"{target.name}-new")
    held = [one for _, one in found]
    try:
        _tell(f"learning from {len(held)} corrections beside the corpus")
        teach(fresh, cues=cues, corpus=corpus, limit=limit, folds=folds, epochs=epochs, held=held, tell=_tell)
        before, _ = evaluate(running, cues=cues, corpus=corpus or CORPUS)
        after, _ = evaluate(fresh, cues=cues, corpus=corpus or CORPUS)
    except CorpusError as error:
        print(f"the corpus has faults; mend them and train again:\n{error}", file=sys.stderr)
        return 1
    print(comparison(before, after))
    known = [_as_decided(folder, held, cues) for folder in (running, fresh)]
    print(f"corrections read as decided  {known[0]} -> {known[1]} of {len(held)}")
    faults = worse(before, after)
    if faults and out is None:
        refused = target.with_name(f"{target.name}-refused")
        _move(fresh, refused)
        print(
            f"The new model is worse: {'; '.join(faults)}. The model that runs stays.\n"
            f"The refused one lies in {refused}: 'dpobot evaluate --model {refused}' shows its errors. Look through the\n"
            "corrections with 'dpobot train --list' and leave doubtful ones out: 'dpobot train --without NUMBER'.",
            file=sys.stderr,
        )
        return 1
    write_record(
        fresh,
        {
            "examples": [number for number, _ in found], "shipped": shipped_digest(), "trained": str(app.clock.now()),
            "before": _kept(before), "after": _kept(after),
        },
    )  # fmt: skip
    _move(fresh, target)
    print(
        f"{target}: trained."
        + ("" if out is not None else " A worker that runs reads with it once it is started anew.")
    )
    return 0


def _nothing_learned(target: Path) -> int:
    """Without corrections the model that ships is the one to read with; one from corrections since erased goes."""
    if target.exists():
        shutil.rmtree(target)
        print("What was learned from is gone: the model made here is removed, the one that ships reads again.")
    else:
        print("Nothing was corrected at the desk yet: there is nothing to learn from, the model that ships stays.")
    return 0


def _figures(figures: Mapping[str, Any]) -> dict[str, float]:
    return {**figures, "labels_f1": figures["labels_micro"]["f1"]}


def _kept(figures: Mapping[str, Any]) -> dict[str, float]:
    wanted = [*(name for name, _ in _SHARES), "asked_share", "requests_dismissed", "messages"]
    return {name: _figures(figures)[name] for name in wanted}


def worse(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what makes the new model worse on the frozen set, in words; empty where nothing does.

    Worse is: one more request missed; primary, mission class or labels F1 lower by more than :data:`TOLERANCE` (or
    one message, where that is more); the DPO asked about more than :data:`ASKED_TOLERANCE` more of the messages.
    """
    old, new = _figures(before), _figures(after)
    allowed = max(TOLERANCE, 1.01 / max(1, new["messages"]))
    faults = []
    if new["requests_dismissed"] > old["requests_dismissed"]:
        faults.append(f"{new['requests_dismissed']} requests missed instead of {old['requests_dismissed']}")
    for name, word in _SHARES:
        if new[name] < old[name] - allowed:
            faults.append(f"{word} {new[name]:.3f} instead of {old[name]:.3f}")
    if new["asked_share"] > old["asked_share"] + max(ASKED_TOLERANCE, allowed):
        faults.append(f"asks about {new['asked_share']:.3f} instead of {old['asked_share']:.3f}")
    return faults


def comparison(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return the figures before and after on the frozen set as a table."""
    old, new = _figures(before), _figures(after)
    lines = [f"on {new['messages']} messages of the frozen set      before   after"]
    for name, word in (*_SHARES, ("asked_share", "asked of the DPO")):
        lines.append(f"{word:36} {old[name]:7.3f} {new[name]:7.3f}")
    lines.append(f"{'requests missed':36} {old['requests_dismissed']:7} {new['requests_dismissed']:7}")
    return "\n".join(lines)


def _as_decided(folder: Path | None, held: Sequence[Example], cues: Any) -> int:
    """Count the corrections that the model in *folder* reads as the DPO decided."""
    pairs = read_all(load_classifier(folder, cues=cues), held)
    return sum(one.primary == reading.primary and set(one.labels) == set(reading.labels) for one, reading in pairs)


def _move(source: Path, target: Path) -> None:
    """Put a trained folder in the place of another; the place is empty for a moment only."""
    old = target.with_name(f"{target.name}-before")
    if old.exists():
        shutil.rmtree(old)
    if target.exists():
        target.rename(old)
    source.rename(target)
    if old.exists():
        shutil.rmtree(old)
