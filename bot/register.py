"""The register of processing as configured: inline entries, a file of one's own, or the one that ships for MIJE."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.settings import Settings
from handlers.annex import RegisterIncomplete

SHIPPED = Path(__file__).parent / "processing.toml"


def register_of(settings: Settings) -> tuple[Mapping[str, Any], ...]:
    """Return the activities of the register: ``[[processing]]`` of the settings, else ``processing_file``, else the
    register that ships. Raises :class:`RegisterIncomplete` where the file cannot be read."""
    if settings.processing:
        return tuple(_inline(entry.model_dump(), number) for number, entry in enumerate(settings.processing, start=1))
    path = settings.processing_file or SHIPPED
    try:
        status = path.stat()
        return _read(path, status.st_mtime_ns)
    except OSError as error:
        raise RegisterIncomplete(f"the register of processing {path.name} cannot be read: {error.strerror}") from None


@lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> tuple[Mapping[str, Any], ...]:  # noqa: ARG001 - a changed file is read again
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RegisterIncomplete(f"the register of processing {path.name} is not valid TOML: {error}") from None
    listed = values.get("activity")
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise RegisterIncomplete(f"the register of processing {path.name} has no [[activity]]")
    return tuple(listed)


def _inline(entry: dict[str, str], number: int) -> Mapping[str, Any]:
    """An entry written in the settings: one text for both languages, its recipients in one line."""
    name = re.sub(r"[^a-z0-9]+", "_", entry["name"].lower()).strip("_") or f"activity_{number}"
    recipients = [{"name": entry["recipients"], "role": "processor"}] if entry["recipients"] else []
    return {**entry, "id": name, "recipients": recipients, "keep": []}
