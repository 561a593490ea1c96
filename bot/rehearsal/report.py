"""What a rehearsal tells: every failure with what was expected, what was seen and where to look, and a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.rehearsal.keys.base import FAILED, PASSED, PERSON, UNSUPPORTED
from bot.rehearsal.player import Result


def details(result: Result, *, kept: bool) -> list[str]:
    """The lines about one story: what failed, what could not be checked, what a person is to judge."""
    lines = [f"{'ok  ' if result.good else 'FAIL'} {result.id} – {result.title} ({result.seconds:.1f} s)"]
    if result.error:
        lines.append(f"     {result.file}:{result.line}: {result.error}")
    for judged in result.judged:
        if judged.verdict == PASSED:
            continue
        place = f"expectation {judged.index} after step {judged.after_step}" if judged.index else "always"
        mark = "failed" if judged.verdict == FAILED else judged.verdict
        lines.append(f"     {mark} ({judged.level}): {place}" + (f" – {judged.note}" if judged.note else ""))
        for finding in judged.findings:
            if finding.verdict == PASSED:
                continue
            lines.append(f"         {finding.key}: expected {finding.expected}")
            lines.append(f"         {' ' * len(finding.key)}  seen     {finding.seen}")
    lines += [f"     not supported: {what}" for what in result.unsupported]
    lines += [f"     note: {note}" for note in result.notes]
    if kept and not result.good and result.folder:
        lines.append(f"     look at {result.folder}: sent/*.eml, chat.txt, journal.txt, steps.txt, worker.log")
    return lines


def table(results: Sequence[Result], refused: Iterable[str]) -> list[str]:
    """The summary: a line a story, and what there is in all."""
    refused = list(refused)
    width = max([len(result.id) for result in results] + [8])
    lines = ["", f"{'story':<{width}}  passed  failed  should/info failed  not supported  for a person    s"]
    total = [0, 0, 0, 0, 0]
    for result in results:
        hard = sum(j.verdict == FAILED and j.level == "must" for j in result.judged) + bool(result.error)
        row = [
            result.count(PASSED), hard, result.count(FAILED) - hard + bool(result.error), result.count(UNSUPPORTED),
            result.count(PERSON),
        ]  # fmt: skip
        total = [a + b for a, b in zip(total, row, strict=True)]
        lines.append(
            f"{result.id:<{width}}  {row[0]:>6}  {row[1]:>6}  {row[2]:>18}  {row[3]:>13}  {row[4]:>12}  {result.seconds:>4.1f}"
        )
    missing = sorted({intent for result in results for intent in result.missing_intents})
    good = sum(result.good for result in results)
    lines += [
        "",
        f"{good} of {len(results)} stories hold; expectations: {total[0]} passed, {total[1]} failed (must), {total[2]} failed "
        f"(should, info), {total[3]} not supported, {total[4]} for a person",
    ]
    if missing:
        lines.append(f"missing features ({len(missing)}): {', '.join(missing)}")
    if refused:
        lines.append(f"{len(refused)} could not be read: see above")
    return lines
