"""Every story of ``tests/rehearsals``, played against the whole program; what does not hold yet is listed as known."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.expectations import FAILED
from bot.rehearsal.format import BadScenario, Scenario, load
from bot.rehearsal.player import Result, play
from bot.rehearsal.process import Template
from bot.rehearsal.report import details

FOLDER = Path(__file__).parent / "rehearsals"
STORIES = [found for path in sorted(FOLDER.glob("*.jsonl")) for found in load(path)]
KNOWN_FILE = FOLDER / "known.toml"
KNOWN: dict[str, dict[str, str]] = tomllib.loads(KNOWN_FILE.read_text(encoding="utf-8")) if KNOWN_FILE.exists() else {}


@pytest.fixture(scope="session")
def template() -> Iterator[Template]:
    with Template() as made:
        yield made


def test_every_story_can_be_read():
    assert [str(story) for story in STORIES if isinstance(story, BadScenario)] == []


def failures(result: Result) -> dict[str, str]:
    """What failed, by the index of the expectation (0: what holds always)."""
    return {str(j.index): j.level for j in result.judged if j.verdict == FAILED and j.level in ("must", "should")}


@pytest.mark.parametrize("story", [s for s in STORIES if isinstance(s, Scenario)], ids=lambda story: story.id)
def test_story(story, template, tmp_path):
    result = play(story, tmp_path / "world", template)

    assert result.error == ""
    known = {index for index in KNOWN.get(story.id, {}) if index != "why"}
    assert set(failures(result)) == known, "\n".join(details(result, kept=True))
