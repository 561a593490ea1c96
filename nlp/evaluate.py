"""How good the classifier is: figures on messages it has never seen, and the errors that weigh most."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nlp.calibration import DISMISSED, REQUESTS
from nlp.classifier import MODEL, Classifier, load_classifier, mission_class
from nlp.corpus import CORPUS, Example, load
from nlp.cues import Cues
from nlp.fold import fold
from nlp.report import (
    asking,
    asking_lines,
    confusion,
    confusion_lines,
    curve_lines,
    reliability,
    right_as_debated,
    voice_kind,
)
from nlp.types import LABELS, PRIMARIES, Reading

METRICS = Path(__file__).parent / "training" / "metrics.json"
WORST = 10

Pair = tuple[Example, Reading]


def evaluate(
    model: Path | None = None, *, cues: Cues, split: str = "test", corpus: Path = CORPUS
) -> tuple[dict[str, Any], list[Pair]]:
    """Measure the model in folder *model* on one side of the split; return the figures and what was read.

    On ``train`` and ``dev`` the figures flatter: the model has seen those messages.
    """
    classifier = load_classifier(model, cues=cues)
    examples = [one for one in load(corpus) if one.split == split]
    pairs = read_all(classifier, examples)
    return measure(pairs), pairs


def read_all(classifier: Classifier, examples: Sequence[Example]) -> list[Pair]:
    """Read *examples* as they would arrive."""
    return list(zip(examples, classifier.read_many([one.message for one in examples]), strict=True))


def measure(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return the figures of *pairs*; every share is from 0 to 1."""
    figures: dict[str, Any] = {
        "messages": len(pairs),
        "voices": len({one.voice for one, _ in pairs}),
        "primary_accuracy": _share(one.primary == reading.primary for one, reading in pairs),
        "mission_accuracy": _share(_mission(one) == reading.mission_class for one, reading in pairs),
        "primary_accuracy_debatable": _share(right_as_debated(one, reading.primary) for one, reading in pairs),
        "mission_accuracy_debatable": _share(_mission_as_debated(one, reading) for one, reading in pairs),
        "debatable": sum(bool(one.debatable) for one, _ in pairs),
        "accepted_accuracy": _share(
            one.primary == reading.primary for one, reading in pairs if reading.decision == "accept"
        ),
        "asked_share": _share(reading.decision == "ask_dpo" for _, reading in pairs),
        "requests": sum(one.primary in REQUESTS for one, _ in pairs),
        "requests_dismissed": sum(_lost(one, reading) for one, reading in pairs),
        "requests_dismissed_share": _share(_lost(one, reading) for one, reading in pairs if one.primary in REQUESTS),
        "calibration_error": calibration_error(
            [(reading.confidence, one.primary == reading.primary) for one, reading in pairs]
        ),
        "language_accuracy": _share(one.language == reading.language for one, reading in pairs),
        "cues_literal": _share(
            one.message.body[cue.start : cue.end] == cue.text for one, reading in pairs for cue in reading.cues
        ),
        "cue_overlap": _share(_overlaps(one, reading, label) for one, reading in pairs for label, _ in one.cues
                              if label in reading.labels),
    }  # fmt: skip
    figures["labels"] = {
        label: _f1([(label in one.labels, label in reading.labels) for one, reading in pairs]) for label in LABELS
    }
    figures["labels_micro"] = _f1(
        [(label in one.labels, label in reading.labels) for one, reading in pairs for label in LABELS]
    )
    figures["primaries"] = {
        primary: _f1([(one.primary == primary, reading.primary == primary) for one, reading in pairs])
        for primary in PRIMARIES
    }
    flags = sorted({name for one, _ in pairs for name, value in one.flags.items() if value is True})
    figures["flags"] = {
        name: _f1([(bool(one.flags.get(name)), bool(reading.flags.get(name))) for one, reading in pairs])
        for name in flags
    }
    figures["fields"], figures["fields_micro"] = _fields(pairs)
    figures["confusion"] = confusion(pairs)
    figures["reliability"] = reliability(
        [(reading.confidence, one.primary == reading.primary) for one, reading in pairs]
    )
    figures["asking"] = asking(pairs)
    figures["worst"] = [one.message.id for one, _ in worst(pairs)]
    figures["by"] = {
        "label": _by(pairs, lambda one: one.primary),
        "language": _by(pairs, lambda one: one.language),
        "length": _by(pairs, lambda one: _length(one.message.body)),
        "channel": _by(pairs, lambda one: one.message.channel),
        "voice": _by(pairs, voice_kind),
        "trap": _by(pairs, lambda one: "trap" if one.trap else "plain"),
        "kind of trap": _by([pair for pair in pairs if pair[0].trap], lambda one: one.trap),
    }
    return figures


def calibration_error(confidences: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Return the expected calibration error: how far confidence and truth lie apart, weighted over *bins*."""
    total = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = [(c, right) for c, right in confidences if low <= c < high or (high >= 1.0 and c >= 1.0)]
        if inside:
            mean = sum(c for c, _ in inside) / len(inside)
            right = sum(right for _, right in inside) / len(inside)
            total += abs(mean - right) * len(inside)
    return round(total / max(1, len(confidences)), 4)


def worst(pairs: Sequence[Pair], limit: int = WORST) -> list[Pair]:
    """Return the errors that weigh most: requests dismissed, then confident mistakes."""
    wrong = [(one, reading) for one, reading in pairs if one.primary != reading.primary]
    wrong.sort(key=lambda pair: (not _lost(*pair), pair[1].decision == "ask_dpo", -pair[1].confidence))
    return wrong[:limit]


def table(figures: Mapping[str, Any]) -> str:
    """Return *figures* as text for people."""
    lines = [
        f"messages {figures['messages']}, voices {figures['voices']}",
        f"primary (strict)            {figures['primary_accuracy']:.3f}",
        f"primary, debatable readings {figures['primary_accuracy_debatable']:.3f}",
        f"mission class               {figures['mission_accuracy']:.3f}",
        f"mission, debatable readings {figures['mission_accuracy_debatable']:.3f}",
        f"primary where accepted      {figures['accepted_accuracy']:.3f}",
        f"asked of the DPO            {figures['asked_share']:.3f}",
        f"requests dismissed unseen   {figures['requests_dismissed']} of {figures['requests']}",
        f"calibration error           {figures['calibration_error']:.3f}",
        f"language                    {figures['language_accuracy']:.3f}",
        f"cue overlaps the given one  {figures['cue_overlap']:.3f}",
        "",
        f"{'label':20} {'precision':>9} {'recall':>7} {'F1':>6} {'n':>5}",
    ]
    lines += [_row(label, figures["labels"][label]) for label in LABELS]
    lines += [_row("all labels (micro)", figures["labels_micro"]), "", "primary"]
    lines += [_row(primary, figures["primaries"][primary]) for primary in PRIMARIES]
    lines += ["", "flag"] + [_row(name, one) for name, one in figures["flags"].items()]
    lines += ["", "field"] + [_row(name, one) for name, one in figures["fields"].items()]
    lines += [_row("all fields (micro)", figures["fields_micro"]), ""]
    for kind, groups in figures["by"].items():
        for name, group in groups.items():
            lines.append(
                f"{kind} {name:18.36} n {group['messages']:4}  primary {group['primary_accuracy']:.3f}"
                f"  mission {group['mission_accuracy']:.3f}  asked {group['asked_share']:.3f}"
            )
    lines += ["", "most frequent confusions", *confusion_lines(figures["confusion"])]
    lines += ["", "what it cost to ask", *asking_lines(figures["asking"])]
    lines += ["", "how far confidence can be believed", *curve_lines(figures["reliability"])]
    return "\n".join(lines)


def write(figures: Mapping[str, Any], model: Path | None, path: Path = METRICS, *, commit: str = "") -> None:
    """Keep *figures* in the file that the tests hold the shipped model to, with how training went and at which *commit*."""
    trained = (model or MODEL) / "training.json"
    kept = {
        "commit": commit,
        "test": dict(figures),
        "training": json.loads(trained.read_text(encoding="utf-8")) if trained.is_file() else {},
    }
    path.write_text(json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _row(name: str, one: Mapping[str, float]) -> str:
    return f"{name:20} {one['precision']:9.3f} {one['recall']:7.3f} {one['f1']:6.3f} {one['support']:5}"


def _share(values: Iterable[bool]) -> float:
    found = list(values)
    return round(sum(found) / len(found), 4) if found else 0.0


def _mission(one: Example) -> str:
    return mission_class(one.primary, [label for label in one.labels if label != one.primary])


def _mission_as_debated(one: Example, reading: Reading) -> bool:
    others = [label for label in one.labels if label != one.primary]
    wanted = {_mission(one), *(mission_class(primary, others) for primary in one.debatable)}
    return reading.mission_class in wanted


def _lost(one: Example, reading: Reading) -> bool:
    return one.primary in REQUESTS and reading.primary in DISMISSED and reading.decision == "accept"


def _f1(pairs: Sequence[tuple[bool, bool]]) -> dict[str, float]:
    both = sum(gold and given for gold, given in pairs)
    gold = sum(gold for gold, _ in pairs)
    given = sum(given for _, given in pairs)
    return {
        "precision": round(both / given, 4) if given else 0.0,
        "recall": round(both / gold, 4) if gold else 0.0,
        "f1": round(2 * both / (gold + given), 4) if gold + given else 0.0,
        "support": gold,
    }


def _texts(value: str | Sequence[str] | None) -> set[str]:
    if value is None:
        return set()
    return {" ".join(fold(text).text.split()) for text in ([value] if isinstance(value, str) else value)}


def _fields(pairs: Sequence[Pair]) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    both: Counter[str] = Counter()
    gold: Counter[str] = Counter()
    given: Counter[str] = Counter()
    for one, reading in pairs:
        for name in {*one.fields, *reading.fields}:
            wanted, found = _texts(one.fields.get(name)), _texts(reading.fields.get(name))
            both[name] += len(wanted & found)
            gold[name] += len(wanted)
            given[name] += len(found)

    def figures(right: int, wanted: int, found: int) -> dict[str, float]:
        return {
            "precision": round(right / found, 4) if found else 0.0,
            "recall": round(right / wanted, 4) if wanted else 0.0,
            "f1": round(2 * right / (wanted + found), 4) if wanted + found else 0.0,
            "support": wanted,
        }

    each = {name: figures(both[name], gold[name], given[name]) for name in sorted({*gold, *given})}
    return each, figures(both.total(), gold.total(), given.total())


def _overlaps(one: Example, reading: Reading, label: str) -> bool:
    for name, span in one.cues:
        if name != label:
            continue
        start = one.message.body.find(span)
        if start < 0 or any(
            cue.label == label and cue.start < start + len(span) and start < cue.end for cue in reading.cues
        ):
            return True
    return False


def _length(body: str) -> str:
    size = len(body)
    return (
        "1 up to 60" if size <= 60 else "2 up to 200" if size <= 200 else "3 up to 600" if size <= 600 else "4 longer"
    )


def _by(pairs: Sequence[Pair], key: Callable[[Example], str]) -> dict[str, dict[str, float]]:
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(key(pair[0]), []).append(pair)
    return {
        name: {
            "messages": len(group),
            "primary_accuracy": _share(one.primary == reading.primary for one, reading in group),
            "mission_accuracy": _share(_mission(one) == reading.mission_class for one, reading in group),
            "asked_share": _share(reading.decision == "ask_dpo" for _, reading in group),
        }
        for name, group in sorted(groups.items())
    }
