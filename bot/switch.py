"""The switch that stops everything automatic at once: letters then wait for the DPO, and none leaves by itself.

A file beside the store, so that it can be thrown without the program, even by ``touch``, and survives restarts.
"""

from __future__ import annotations

from pathlib import Path

from bot.settings import Settings

NAME = "automatic.stopped"


def path(settings: Settings) -> Path:
    """Return where the switch lies."""
    return settings.store.data_dir / NAME


def stopped(settings: Settings) -> bool:
    """Whether automatic mail is stopped."""
    return path(settings).exists()


def stop(settings: Settings) -> None:
    """Stop automatic mail; harmless when it is stopped already. Raises :class:`OSError` where the folder cannot be
    written."""
    settings.store.data_dir.mkdir(parents=True, exist_ok=True)
    path(settings).touch(mode=0o600)


def start(settings: Settings) -> None:
    """Let automatic mail leave again; what waited as a draft goes on waiting for the DPO."""
    path(settings).unlink(missing_ok=True)
