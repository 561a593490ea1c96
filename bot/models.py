"""Which model reads: the one that ships, one the settings name, or the one that was trained here."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.settings import Settings
from nlp.classifier import MODEL

log = logging.getLogger("dpobot.learning")

RECORD = "learned.json"
"""Beside a model that was trained here: what it learned from, and on which shipped model's training it builds."""


def local_folder(settings: Settings, data_dir: Path | None = None) -> Path:
    """Where the model that is trained here lies."""
    return (data_dir or settings.store.data_dir) / "model"


def shipped_digest(folder: Path = MODEL) -> str:
    """Return what names the model that ships: another version of the program brings another."""
    found = hashlib.sha256()
    for name in ("calibration.json", "training.json"):
        path = folder / name
        found.update(path.read_bytes() if path.is_file() else b"")
    return found.hexdigest()[:16]


def record_of(folder: Path) -> dict[str, Any]:
    """Return what is noted beside a model that was trained here; empty where nothing is, or it cannot be read."""
    try:
        noted = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def write_record(folder: Path, noted: Mapping[str, Any]) -> None:
    """Note beside a model what it learned from."""
    (folder / RECORD).write_text(json.dumps(dict(noted), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def running_model(settings: Settings, data_dir: Path | None = None) -> Path | None:
    """Return the folder of the model that reads; None for the one that ships. *data_dir* is that of other settings.

    A model trained here is set aside once the program brings a newer one: it knows nothing of what that has learned.
    """
    if settings.model is not None:
        return settings.model
    folder = local_folder(settings, data_dir)
    if not settings.learning.use or not (folder / RECORD).is_file():
        return None
    if record_of(folder).get("shipped") != shipped_digest():
        log.warning("learning.model_outdated")
        return None
    return folder
