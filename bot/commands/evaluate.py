"""``dpobot evaluate``: how good the classifier is on messages it never saw."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.app import App
from bot.learning import gathered
from bot.models import running_model
from bot.settings import Settings
from handlers.rights import load_rights
from nlp.classifier import MODEL, ModelError, load_classifier
from nlp.corpus import CORPUS, CorpusError
from nlp.evaluate import METRICS, Pair, measure, read_all, table, worst, write
from nlp.evaluate import evaluate as on_split
from nlp.report import curve_svg
from nlp.types import Reading

SHOWN = 600
"""How many characters of a message are shown."""


def evaluate(
    *,
    split: str,
    model: Path | None = None,
    settings: Settings | None = None,
    app: App | None = None,
    show: bool = False,
    curve: Path | None = None,
    corpus: Path = CORPUS,
    metrics: Path = METRICS,
) -> int:
    """Print the figures of one side of the split and the worst errors; those of the shipped model's test part are kept.

    Only the test part was never trained on; on ``dev`` and on ``local`` (this machine's corrections, which *app* opens) the
    figures flatter. *model* is a folder; without one it is the model that *settings* read with. *show* prints the texts of
    the errors, *curve* is a file for the picture of the reliability curve.
    """
    cues = {right.name: right.cues for right in load_rights().values()}
    folder = model or (running_model(settings) if settings is not None else None)
    try:
        if split == "local" and app is not None:
            with app.database.reading() as session:
                held = [one for _, one in gathered(session, app)]
            pairs = read_all(load_classifier(folder, cues=cues), held)
            figures = measure(pairs)
        else:
            figures, pairs = on_split(folder, cues=cues, split=split, corpus=corpus)
    except CorpusError as error:
        print(f"the corpus has faults:\n{error}", file=sys.stderr)
        return 1
    except ModelError as error:
        print(str(error), file=sys.stderr)
        return 2
    print(table(figures))
    print("\n" + "\n".join(_errors(worst(pairs), show=show)))
    if curve is not None:
        _draw(curve, curve_svg(figures["reliability"], title=f"Reliability on {len(pairs)} messages ({split})"))
    if split == "test" and (folder is None or folder.resolve() == MODEL.resolve()):
        write(figures, None, metrics, commit=commit_of(METRICS.parent))
    return 0


def _errors(pairs: Sequence[Pair], *, show: bool) -> list[str]:
    """Return the errors that weigh most, a line each; the texts only where they were asked for."""
    lines = ["worst errors" if pairs else "no errors"]
    for one, reading in pairs:
        lines.append(
            f"{one.message.id}: {one.primary} read as {reading.primary} ({reading.confidence:.2f}, {reading.decision})"
        )
        if show:
            said = "\n".join(part for part in (one.message.subject, one.message.body) if part)
            lines += [f"    | {line}" for line in (said[:SHOWN] + ("…" if len(said) > SHOWN else "")).splitlines()]
            lines += [f"    why: {_why(reading)}"]
    return lines


def _why(reading: Reading) -> str:
    return "; ".join(f"{cue.label}: “{' '.join(cue.text.split())[:80]}”" for cue in reading.cues[:3]) or "no cue"


def _draw(path: Path, svg: str) -> None:
    """Write the picture: as it is, or in a page where the name says so."""
    page = f'<!doctype html><meta charset="utf-8"><title>Reliability</title>{svg}'
    path.write_text(page if path.suffix.lower() in (".html", ".htm") else svg, encoding="utf-8")
    print(f"\nreliability curve: {path}")


def commit_of(folder: Path) -> str:
    """Return the commit that a checkout stands at (with ``-dirty`` where files differ); empty outside of one."""
    git = shutil.which("git")
    if git is None:
        return ""
    done = subprocess.run(  # noqa: S603
        [git, "-C", str(folder), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return done.stdout.strip() if done.returncode == 0 else ""
