"""``dpobot classify``: messages in, JSON lines out, in the same order."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from bot.channels import mime
from bot.channels.base import RawMessage
from handlers.rights import load_rights
from nlp.classifier import Classifier, load_classifier
from nlp.types import Message, Reading

BATCH = 256
_TEXTS = ("subject", "channel", "from_name", "reply_to", "body")


def as_json(reading: Reading) -> dict[str, Any]:
    """Return a reading in the shape of the command line's contract; scores have four decimals."""
    return {
        "id": reading.id,
        "language": reading.language,
        "primary": reading.primary,
        "labels": list(reading.labels),
        "scores": {label: round(score, 4) for label, score in reading.scores.items()},
        "mission_class": reading.mission_class,
        "decision": reading.decision,
        "confidence": round(reading.confidence, 4),
        "cues": [
            {"label": cue.label, "text": cue.text, "start": cue.start, "end": cue.end, "source": cue.source}
            for cue in reading.cues
        ],
        "fields": {name: value if isinstance(value, str) else list(value) for name, value in reading.fields.items()},
        "flags": dict(reading.flags),
    }


def message_of(row: Any) -> Message:
    """Make a message of a JSON object. Raises ``ValueError`` with a sentence that names what is wrong."""
    if not isinstance(row, dict):
        raise ValueError("a line must be a JSON object")
    for name in (*_TEXTS, "from_email"):
        if row.get(name) is not None and not isinstance(row[name], str):
            raise ValueError(f"{name} must be a text")
    if not isinstance(row.get("body"), str):
        raise ValueError("body is missing")
    attachments = row.get("attachments") or []
    try:
        files = tuple((str(a["filename"]), str(a["content_type"])) for a in attachments)
    except (TypeError, KeyError) as error:
        raise ValueError("attachments must be objects with filename and content_type") from error
    texts = {name: row.get(name) or "" for name in _TEXTS if name != "channel"}
    return Message(
        id=str(row.get("id", "")), channel=row.get("channel") or "email", from_email=row.get("from_email") or "",
        attachments=files, **texts,
    )  # fmt: skip


def _from_lines(lines: Iterable[str]) -> Iterator[tuple[Any, Message | str]]:
    for line in lines:
        if not line.strip():
            continue
        name: Any = None
        try:
            row = json.loads(line)
            name = row.get("id") if isinstance(row, dict) else None
            yield name, message_of(row)
        except (ValueError, RecursionError) as error:
            yield name, str(error)


def _from_files(files: Sequence[str]) -> Iterator[tuple[Any, Message | str]]:
    for file in files:
        try:
            raw = Path(file).read_bytes()
        except OSError as error:
            yield file, f"cannot be read: {error.strerror}"
            continue
        # The day of receipt plays no part in what a message says.
        arrived = mime.arrival(
            RawMessage(source="file", external_id=file, received_at=datetime(2000, 1, 1, tzinfo=UTC), raw=raw)
        )
        yield file, Message(
            id=file, body=arrived.new_text, subject=arrived.subject, from_name=arrived.from_name,
            from_email=arrived.from_addr, reply_to=arrived.reply_to,
            attachments=tuple((a.filename, a.content_type) for a in arrived.attachments),
        )  # fmt: skip


def classify(jsonl: str | None, files: Sequence[str], out: TextIO, *, model: Path | None = None) -> int:
    """Read messages from JSON lines and raw mails; print one object each; return 1 if some item failed, else 0.

    *model* is the folder of the model; None for the one that ships.
    """
    classifier = load_classifier(model, cues={right.name: right.cues for right in load_rights().values()})
    failed = False
    if jsonl == "-" or (jsonl is None and not files):
        failed |= _print(classifier, _from_lines(sys.stdin), out)
    elif jsonl is not None:
        try:
            with Path(jsonl).open(encoding="utf-8", errors="replace") as lines:
                failed |= _print(classifier, _from_lines(lines), out)
        except OSError as error:
            print(f"{jsonl} cannot be read: {error.strerror}", file=sys.stderr)
            return 2
    failed |= _print(classifier, _from_files(files), out)
    return int(failed)


def _print(classifier: Classifier, items: Iterable[tuple[Any, Message | str]], out: TextIO) -> bool:
    """Print the readings of *items*, many at a time, in their order; say whether one failed."""
    failed = False
    batch: list[tuple[Any, Message | str]] = []

    def flush() -> None:
        readings = iter(classifier.read_many([item for _, item in batch if isinstance(item, Message)]))
        for name, item in batch:
            shown = {"id": name, "error": item} if isinstance(item, str) else {**as_json(next(readings)), "id": name}
            out.write(json.dumps(shown, ensure_ascii=False) + "\n")
        batch.clear()

    for name, item in items:
        failed |= isinstance(item, str)
        batch.append((name, item))
        if len(batch) >= BATCH:
            flush()
    flush()
    return failed
