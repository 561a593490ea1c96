"""``dpobot rehearse``: plays stories of weeks and months against the real program, under a clock that is moved."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path

import click

from bot.logs import set_up
from bot.rehearsal.chance import Chance
from bot.rehearsal.format import BadScenario, Scenario, load
from bot.rehearsal.player import Result, as_json, play
from bot.rehearsal.process import Template
from bot.rehearsal.report import details, table

ATTACKS = Path(__file__).parent.parent / "rehearsal" / "attacks.jsonl"
"""The stories of attackers that ship with the program."""


def rehearse(
    files: Sequence[str],
    *,
    only: Sequence[str],
    as_lines: bool,
    keep: Path | None,
    jobs: int,
    hourly: bool = False,
    seed: int | None = None,
) -> int:
    """Play the stories of *files*; return the exit status: 1 if a must failed or a story
    could not be read, 2 if there is none."""
    stories: list[Scenario] = []
    refused: list[str] = []
    for name in files:
        path = ATTACKS if name == "attacks" and not Path(name).exists() else Path(name)
        for found in load(path):
            if isinstance(found, BadScenario):
                refused.append(str(found))
            elif not only or found.id in only:
                stories.append(found)
    for line in refused:
        click.echo(line, err=True)
    if only:
        for name in sorted(set(only) - {story.id for story in stories}):
            refused.append(name)
            click.echo(f"there is no story {name}", err=True)
    if not stories:
        return 1 if refused else 2
    results: list[Result] = []
    with ExitStack() as stack:
        root = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dpobot-rehearsal-")))
        for result in played(stories, root, jobs=jobs, hourly=hourly, seed=seed):
            results.append(result)
            if as_lines:
                click.echo(json.dumps(as_json(result), ensure_ascii=False))
            else:
                click.echo("\n".join(details(result, kept=keep is not None)))
    if not as_lines:
        click.echo("\n".join(table(results, refused)))
    return 0 if all(result.good for result in results) and not refused else 1


def played(
    stories: Sequence[Scenario], root: Path, *, jobs: int, hourly: bool = False, seed: int | None = None
) -> Iterator[Result]:
    """Play *stories*, each in an empty folder below *root*, *jobs* at a time; yield the results in their order.

    A *seed* decides about that order, about ports and about who comes first where steps happen together.
    """
    stories = Chance(seed, "order").shuffled(stories)
    tasks = [(story, str(_folder(root, story)), hourly, seed) for story in stories]
    if jobs <= 1 or len(stories) == 1:
        with Template() as template:
            for story, folder, _, _ in tasks:
                yield play(story, Path(folder), template, hourly=hourly, seed=seed)
        return
    # Processes, not threads: each plays with servers and clocks of its own. Spawned, for a fork would take threads along.
    with ProcessPoolExecutor(min(jobs, len(stories)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_play_one, tasks)


_template: Template | None = None


def _play_one(task: tuple[Scenario, str, bool, int | None]) -> Result:
    global _template  # noqa: PLW0603 - one a process, loaded once for all the stories it plays
    if _template is None:
        set_up(verbose=False)
        _template = Template()
    story, folder, hourly, seed = task
    return play(story, Path(folder), _template, hourly=hourly, seed=seed)


def _folder(root: Path, story: Scenario) -> Path:
    """An empty folder for a story; what a rehearsal left there before goes first."""
    import shutil

    folder = root / re.sub(r"[^A-Za-z0-9._-]+", "-", f"{story.path.stem}.{story.id}")
    if (folder / "settings.json").exists():
        shutil.rmtree(folder)
    return folder.absolute()
