"""Plays one story from its first step to its last, and judges each expectation where it stands."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlmodel import select

from bot.clock import stopwatch
from bot.rehearsal.chance import Chance
from bot.rehearsal.config import changes_of
from bot.rehearsal.expectations import judge
from bot.rehearsal.format import Expectation, Scenario, Step
from bot.rehearsal.keys.base import FAILED, PASSED, PERSON, UNSUPPORTED, Finding
from bot.rehearsal.keys.mails import approvals_hold
from bot.rehearsal.observe import local_date
from bot.rehearsal.process import Template
from bot.rehearsal.steps import Cast, target_of
from bot.rehearsal.world import DEPUTY, DPO, World
from bot.settings import SettingsError
from store.models import StoredAttachment

BEFORE = timedelta(minutes=5)
"""The program runs a moment before the story begins."""


@dataclass(frozen=True)
class Judged:
    """What an expectation came to."""

    index: int
    after_step: int
    level: str
    verdict: str
    findings: tuple[Finding, ...]
    note: str = ""


@dataclass
class Result:
    """What a story came to; plain data."""

    id: str
    title: str
    file: str
    line: int
    judged: list[Judged] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)
    missing_intents: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str = ""
    """Why it could not be played to its end."""
    seconds: float = 0.0
    folder: str = ""

    @property
    def good(self) -> bool:
        """Whether it was played, and no must failed."""
        return not self.error and not any(j.verdict == FAILED and j.level == "must" for j in self.judged)

    def count(self, verdict: str) -> int:
        """How many expectations came to *verdict*."""
        return sum(j.verdict == verdict for j in self.judged)


def groups(steps: tuple[Step, ...]) -> Iterator[list[Step]]:
    """Put together the steps that happen at the same time."""
    group: list[Step] = []
    for step in steps:
        together = any(
            step.n in other.concurrent_with or other.n in step.concurrent_with for other in group
        )  # fmt: skip
        if group and not together:
            yield group
            group = []
        group.append(step)
    if group:
        yield group


def play(
    scenario: Scenario, folder: Path, template: Template, *, hourly: bool = False, seed: int | None = None
) -> Result:
    """Play *scenario* in *folder*, which is empty; the result says everything, this never raises for what a story holds."""
    begun = stopwatch()
    result = Result(scenario.id, scenario.title, scenario.path.name, scenario.line, folder=str(folder))
    changes, unread = changes_of(scenario.setup)
    result.unsupported += [f"setup: {what}" for what in unread]
    result.notes += [f'the name "{name}" is not known, passed over' for name in scenario.unknown]
    try:
        with World(
            folder,
            start=scenario.steps[0].at - BEFORE,
            template=template,
            changes=changes,
            hourly=hourly,
            chance=Chance(seed, scenario.id),
        ) as world:
            cast = Cast(scenario, world)
            world.settle()
            _play(scenario, world, cast, result)
            result.judged.append(_always(cast))
            _write_down(cast)
    except SettingsError as error:
        result.error = f"the settings of the story are refused: {error}"
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one story, the others are played
        place = traceback.extract_tb(error.__traceback__)[-1]
        result.error = (
            f"it could not be played to its end: {type(error).__name__}: {error} "
            f"({Path(place.filename).name}:{place.lineno})"
        )
    result.seconds = stopwatch() - begun
    return result


def _play(scenario: Scenario, world: World, cast: Cast, result: Result) -> None:
    refusals = {e.after_step for e in scenario.expect if e.checks.get("command_refused")}
    waiting = list(groups(scenario.steps))
    for number, group in enumerate(waiting):
        later = [step for other in waiting[number + 1 :] for step in other]
        world.restart_by_hand = any(step.action == "restart" for step in [*group, *later])
        ending, world.after_group = world.after_group, []
        passing = group[0] if len(group) == 1 and group[0].action == "time_passes" else None
        if passing is not None:
            target = target_of(passing, world.now(), later[0].at if later else None)
            if passing.at < target and passing.at > world.now():
                # It begins at its ``at``; otherwise it ends there, and what happens on the way belongs to it.
                world.advance(passing.at)
            cast.play(group, lambda _: False)
            if target > world.now():
                world.advance(target)
        else:
            if group[0].at > world.now():
                world.advance(group[0].at)
            elif world.now() - group[0].at > timedelta(minutes=1):
                result.notes.append(f"step {group[0].n}: the clock stood at {world.now().isoformat()} already")
            cast.play(group, lambda step: step.n in refusals)
            lasting = [until for step in group if (until := cast.outcomes[step.n].lasts_until) is not None]
            if lasting:
                world.settle()
                world.advance(min([max(lasting), *([later[0].at] if later else [])]))
        _quiet(world, cast)
        if ending:
            for end in ending:
                end()
            _quiet(world, cast)
        cast.bind_all()
        for step in group:
            outcome = cast.outcomes[step.n]
            result.unsupported += [f"step {step.n}: {what}" for what in outcome.unsupported]
            result.notes += [f"step {step.n}: {note}" for note in outcome.notes]
        happened = {step.n for step in group}
        for expectation in scenario.expect:
            if expectation.after_step in happened:
                result.judged.append(_judged(cast, expectation))
    result.missing_intents = sorted(cast.desk.missing)
    if world.doomed and world.alive:
        result.notes.append("a crash lay in wait to the end: the event it was armed for never came")


def _quiet(world: World, cast: Cast) -> None:
    world.settle()
    for _ in range(3):
        if not cast.desk.approve_routine():
            return
        world.settle()


def _judged(cast: Cast, expectation: Expectation) -> Judged:
    def made(verdict: str, findings: list[Finding], note: str = "") -> Judged:
        return Judged(expectation.index, expectation.after_step, expectation.level, verdict, tuple(findings), note)

    missing = [
        f"step {n}: {what}" for n, outcome in sorted(cast.outcomes.items()) for what in outcome.unsupported
        if n <= expectation.after_step
    ]  # fmt: skip
    at_this_step = cast.outcomes[expectation.after_step].unsupported
    if at_this_step:
        return made(UNSUPPORTED, [], f"depends on {missing[-1]}")
    findings = judge(cast, expectation)
    verdict = worst(findings)
    if verdict != FAILED:
        return made(verdict, findings)
    if missing and _depends(cast, expectation):
        return made(UNSUPPORTED, findings, f"depends on {missing[-1]}")
    if not expectation.debatable:
        return made(FAILED, findings)
    words = []
    for alternative in expectation.alternatives:
        checks = alternative if isinstance(alternative, Mapping) else None
        if checks is None:
            words.append(str(alternative))
            continue
        other = Expectation(
            expectation.index, expectation.after_step, expectation.since_step, expectation.level, False, (),
            {**({"case": expectation.checks["case"]} if "case" in expectation.checks else {}), **checks},
        )  # fmt: skip
        again = judge(cast, other)
        if worst(again) == PASSED:
            return made(PASSED, again, "by an alternative")
    if words:
        return made(PERSON, findings, "alternatives: " + " | ".join(words))
    return made(FAILED, findings)


def _depends(cast: Cast, expectation: Expectation) -> bool:
    """Whether something the program cannot do lies on this expectation's way: of its own case, or of nobody's."""
    for n, outcome in cast.outcomes.items():
        if outcome.unsupported and n <= expectation.after_step:
            mine = expectation.checks.get("case")
            if not mine or not outcome.step.case or outcome.step.case == mine:
                return True
    return False


def worst(findings: list[Finding]) -> str:
    """The verdict of an expectation, all of whose keys must hold."""
    verdicts = {finding.verdict for finding in findings}
    return next((verdict for verdict in (FAILED, UNSUPPORTED, PERSON) if verdict in verdicts), PASSED)


# --- what holds always -----------------------------------------------------------------------------------------------


def _always(cast: Cast) -> Judged:
    """What must be true in every story (rule 8 of the format)."""
    world, observer = cast.world, cast.observer
    findings = []

    def check(good: bool, key: str, seen: str) -> None:
        findings.append(Finding(PASSED if good else FAILED, key, "always", seen))

    check(world.unexpected_deaths == 0, "worker lives", f"{world.unexpected_deaths} unexpected deaths; see worker.log")
    findings.append(approvals_hold(cast, cast.start, "nothing unapproved"))
    mails = observer.mails(cast.start)
    crowd = [str(mail.number + 1) for mail in mails if len(mail.attempt.recipients) != 1]
    check(not crowd, "one recipient", f"mails to several: {', '.join(crowd) or 'none'}")
    unmarked = [str(m.number + 1) for m in mails if m.automatic and not m.parsed["Auto-Submitted"]]
    check(not unmarked, "Auto-Submitted", f"automatic mails without it: {', '.join(unmarked) or 'none'}")
    unknown = [str(mail.number + 1) for mail in mails if not mail.kind]
    check(not unknown, "on record", f"mails the record does not know: {', '.join(unknown) or 'none'}")
    with world.app.database.reading() as session:
        known = set(session.exec(select(StoredAttachment.sha256)).all())
    carried = [
        call.method for call in world.chat.requests for _, content in call.files.values()
        if hashlib.sha256(content).hexdigest() in known
    ]  # fmt: skip
    check(not carried, "no file in chat", f"{len(carried)} files of people went to the chat")
    lost, moved = [], []
    for n, outcome in cast.outcomes.items():
        for uid in outcome.uids:
            found = observer.message_by_uid(uid)
            if found is None:
                lost.append(str(n))
                continue
            message = observer.message(found)
            alone = len(outcome.uids) == 1 and not outcome.step.payload.get("loopback")
            if message is not None and alone and message.disposition in ("to_sort", "quarantine", "authority"):
                day = local_date(outcome.step.at, world.app)
                if local_date(message.received_at, world.app) > day:
                    moved.append(f"step {n}: {local_date(message.received_at, world.app)}")
    check(not lost or not world.alive, "no mail lost", f"not recorded: step {', '.join(lost)}" if lost else "none")
    check(not moved, "arrival kept", ", ".join(moved) or "yes")
    return Judged(0, max(cast.outcomes), "must", worst(findings), tuple(findings))


# --- what is left to look at -----------------------------------------------------------------------------------------


def _write_down(cast: Cast) -> None:
    """Write the chats, the journal and the verdicts beside the mails, for whoever looks into a failure."""
    folder = cast.world.folder
    lines = []
    for user, name in ((DPO, "dpo"), (DEPUTY, "deputy")):
        for message in cast.world.chat.messages(user):
            who = name if message.user_id == user else "dpobot"
            lines.append(
                f"--- chat of {name}, {who}, {message.date.astimezone(cast.world.app.settings.zone):%Y-%m-%d %H:%M}"
            )
            lines.append(message.text)
            lines += ["    " + "  ".join(f"[{label}]" for label, _ in row) for row in message.buttons]
    (folder / "chat.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lines = []
    for case in cast.observer.cases():
        lines += [f"=== {case.reference} {'+'.join(case.rights)} {case.state} {case.identity} due {case.due}"]
        lines += [cast.observer.history(case), ""]
    for stored in cast.observer.all_messages():
        lines.append(
            f"message {stored.id}: {stored.disposition} ({stored.reason}) {stored.primary} {stored.received_at}"
        )
    (folder / "journal.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lines = [f"step {n}: {o.step.action} – {o.told}" for n, o in sorted(cast.outcomes.items())]
    (folder / "steps.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def as_json(result: Result) -> dict[str, Any]:
    """A result as one JSON object."""
    return {
        "id": result.id, "title": result.title, "file": result.file, "line": result.line, "passed": result.good,
        "error": result.error, "seconds": round(result.seconds, 2), "folder": result.folder,
        "expectations": [
            {
                "index": j.index, "after_step": j.after_step, "level": j.level, "verdict": j.verdict, "note": j.note,
                "checks": [
                    {"key": f.key, "verdict": f.verdict, "expected": f.expected, "seen": f.seen} for f in j.findings
                ],
            }
            for j in result.judged
        ],
        "not_supported": result.unsupported, "missing_intents": result.missing_intents, "notes": result.notes,
    }  # fmt: skip
