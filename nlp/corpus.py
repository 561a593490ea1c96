"""The training corpus: reading it, checking it, and splitting it by voice.

A corpus file holds one JSON object a line. ``voice`` names the invented author: all messages of one
voice fall on the same side of the split, since messages of one hand share their phrasings and a split
by chance would let the model recognise what it has seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlp.types import FIELDS, FLAGS, LABELS, PRIMARIES, THIRD_PARTY_KINDS, Message

CORPUS = Path(__file__).parent / "training" / "corpus"
SECOND = Path(__file__).parent / "training" / "second_labelling.jsonl"
"""A sample of the corpus labelled once more, by somebody who saw neither the first labels nor their reasons."""
SPLITS = ("train", "dev", "test")


class CorpusError(ValueError):
    """A corpus line breaks a rule; the message names file, line and rule. Mend the line."""


@dataclass(frozen=True)
class Example:
    """A message with what two careful people would say of it."""

    message: Message
    voice: str
    split: str
    language: str
    primary: str
    labels: tuple[str, ...]
    cues: tuple[tuple[str, str], ...]
    """(label, literal span of the body) that justify the labels."""
    flags: dict[str, bool | str] = field(default_factory=dict)
    fields: dict[str, str | list[str]] = field(default_factory=dict)
    trap: str = ""
    debatable: tuple[str, ...] = ()
    """Other primaries that a careful person may give it, too."""


def check(row: dict[str, Any]) -> list[str]:
    """Return what is wrong with a corpus row, a sentence each; an empty list if nothing is."""
    faults = []
    for key in ("id", "voice", "language", "primary", "body"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            faults.append(f"{key} is missing or empty")
    if faults and "body is missing or empty" in faults and row.get("body") == "" and row.get("subject"):
        faults.remove("body is missing or empty")
    if faults:
        return faults
    body: str = row["body"]
    if row.get("primary") not in PRIMARIES:
        faults.append(f"primary {row['primary']!r} is not in the vocabulary")
    labels = row.get("labels")
    if not isinstance(labels, list) or any(label not in LABELS for label in labels):
        faults.append("labels must be a list from the ten labels")
        labels = []
    if row["primary"] in LABELS and row["primary"] not in labels:
        faults.append("a primary that is a label must be among the labels")
    if len(set(labels)) != len(labels):
        faults.append("a label stands twice")
    cues = row.get("cues", {})
    if not isinstance(cues, dict):
        faults.append("cues must map each label to a literal span of the body")
        cues = {}
    for label in labels:
        if label not in cues:
            faults.append(f"no cue for {label}")
    for label, span in cues.items():
        if span not in body and span not in row.get("subject", ""):
            faults.append(f"the cue of {label} is not in the body to the letter: {span!r}")
    for name, value in row.get("fields", {}).items():
        if name not in FIELDS:
            faults.append(f"unknown field {name}")
        for text in [value] if isinstance(value, str) else value:
            if text not in body and not (name == "request_ref" and text in row.get("subject", "")):
                faults.append(f"field {name} is not in the body to the letter: {text!r}")
    for name, value in row.get("flags", {}).items():
        if name == "third_party_kind":
            if value not in THIRD_PARTY_KINDS:
                faults.append(f"unknown third_party_kind {value!r}")
        elif name not in FLAGS or not isinstance(value, bool):
            faults.append(f"unknown or non-boolean flag {name}")
    if row.get("flags", {}).get("third_party") and "third_party_kind" not in row["flags"]:
        faults.append("third_party needs third_party_kind")
    debatable = row.get("debatable", [])
    if not isinstance(debatable, list) or any(one not in PRIMARIES for one in debatable):
        faults.append("debatable must be a list of primaries")
    elif row["primary"] in debatable or len(set(debatable)) != len(debatable):
        faults.append("debatable names the primary itself, or one twice")
    for key in ("from_email", "reply_to"):
        address = row.get(key, "")
        if address and not address.rsplit("@", 1)[-1].endswith((".example", "mije.com")):
            faults.append(f"{key} must end in .example")
    if row.get("channel", "email") not in ("email", "telegram"):
        faults.append("channel must be email or telegram")
    return faults


def example(row: dict[str, Any], split: str) -> Example:
    """Turn a checked row into an :class:`Example`."""
    message = Message(
        id=row["id"],
        body=row["body"],
        subject=row.get("subject", ""),
        channel=row.get("channel", "email"),
        from_name=row.get("from_name", ""),
        from_email=row.get("from_email", ""),
        reply_to=row.get("reply_to", ""),
        attachments=tuple((a["filename"], a["content_type"]) for a in row.get("attachments", [])),
    )
    return Example(
        message=message,
        voice=row["voice"],
        split=split,
        language=row["language"],
        primary=row["primary"],
        labels=tuple(row["labels"]),
        cues=tuple(row.get("cues", {}).items()),
        flags=dict(row.get("flags", {})),
        fields=dict(row.get("fields", {})),
        trap=row.get("trap", ""),
        debatable=tuple(row.get("debatable", ())),
    )


def rows(paths: Iterable[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) of every corpus line; *place* is ``file:line``."""
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                place = f"{path.name}:{number}"
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise CorpusError(f"{place}: not JSON: {error}") from error
                yield place, row


def load(folder: Path = CORPUS) -> list[Example]:
    """Read and check the whole corpus below *folder* (one sub-folder a split: train, dev, test).

    Raises :class:`CorpusError` with every fault found, and also when a voice stands on two sides of
    the split or an id or a body stands twice.
    """
    examples: list[Example] = []
    faults: list[str] = []
    ids: dict[str, str] = {}
    bodies: dict[str, str] = {}
    voices: dict[str, str] = {}
    for split in SPLITS:
        for place, row in rows(sorted((folder / split).glob("*.jsonl"))):
            found = check(row)
            faults += [f"{split}/{place}: {fault}" for fault in found]
            if found:
                continue
            key = " ".join((row.get("subject", "") + " " + row["body"]).lower().split())
            for seen, value, what in ((ids, row["id"], "id"), (bodies, key, "text")):
                if value in seen:
                    faults.append(f"{split}/{place}: the {what} stands already at {seen[value]}")
                seen[value] = f"{split}/{place}"
            if voices.setdefault(row["voice"], split) != split:
                faults.append(f"{split}/{place}: voice {row['voice']} is also in {voices[row['voice']]}")
            examples.append(example(row, split))
    if faults:
        raise CorpusError("\n".join(faults))
    return examples


def agreement(examples: Iterable[Example], path: Path = SECOND) -> dict[str, float]:
    """Return how far a second labelling, made without sight of the first, agrees with it; shares from 0 to 1.

    ``primary`` is the share of messages with the same primary, ``debatable`` counts those too where the second
    labeller named the first one's primary as admissible; the others are F1 over the labels and the two flags.
    """
    by_id = {one.message.id: one for one in examples}
    second = [row for _, row in rows([path]) if row["id"] in by_id]
    same = [row["primary"] == by_id[row["id"]].primary for row in second]
    near = [
        known or by_id[row["id"]].primary in row.get("debatable", ()) for known, row in zip(same, second, strict=True)
    ]

    def f1(pairs: list[tuple[bool, bool]]) -> float:
        return round(2 * sum(a and b for a, b in pairs) / max(1, sum(a + b for a, b in pairs)), 4)

    return {
        "messages": len(second),
        "primary": round(sum(same) / max(1, len(same)), 4),
        "debatable": round(sum(near) / max(1, len(near)), 4),
        "labels": f1(
            [(label in by_id[row["id"]].labels, label in row["labels"]) for row in second for label in LABELS]
        ),
        "third_party": f1([(bool(by_id[row["id"]].flags.get("third_party")), row["third_party"]) for row in second]),
        "minor": f1([(bool(by_id[row["id"]].flags.get("minor")), row["minor"]) for row in second]),
    }


if __name__ == "__main__":
    found = load()
    print(f"{len(found)} messages, {len({e.voice for e in found})} voices")
    print(f"second labelling: {agreement(found)}")
