"""Deliberate faults, each put into a copy of the program: every one must be caught by at least one story.

``make mutants`` (by hand; minutes) plays ``tests/rehearsals`` against each faulty copy and prints which story failed first.
A fault that no story notices, or one whose place in the program is gone, gives exit status 1.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PARTS = ("bot", "handlers", "nlp", "store", "templates")


@dataclass(frozen=True)
class Mutant:
    """A fault: what is wrong with the program then, and the words of its source that are changed."""

    name: str
    path: str
    old: str
    new: str
    also: tuple[tuple[str, str, str], ...] = ()
    """Further changes, where the program holds by two locks and both must be broken."""


MUTANTS = (
    Mutant(
        "thirty days for a month", "handlers/clock.py",
        "    years, month = divmod(start.month - 1 + months, 12)",
        "    return start + timedelta(days=30 * months)\n    years, month = divmod(start.month - 1 + months, 12)",
    ),
    Mutant(
        "a due date may fall on a holiday", "handlers/clock.py",
        "def _roll(day: date, options: _Options) -> date:",
        "def _roll(day: date, options: _Options) -> date:\n    return day\n\n\ndef _never(day: date, options: _Options) -> date:",
    ),
    Mutant(
        "approval without revision and hash", "bot/desk/basics.py",
        "    if draft.revision != ask.revision or draft.digest != ask.digest:", "    if False:",
    ),
    Mutant(
        "acknowledgement to a robot", "handlers/gates.py",
        'may_answer = not facts.arrival.suppress and "sender-budget" not in reasons',
        'may_answer = "sender-budget" not in reasons',
    ),
    Mutant(
        "Reply-To trusted", "bot/intake.py",
        "    return Person(stated or arrival.from_name, arrival.from_addr)",
        "    return Person(stated or arrival.from_name, arrival.reply_to or arrival.from_addr)",
    ),
    Mutant(
        "settled before the commit", "bot/worker.py",
        "        for raw in inbox.fetch():\n", "        for raw in inbox.fetch():\n            inbox.settle(raw)\n",
    ),
    Mutant(
        "what may have left is sent again", "bot/sending.py",
        '            if item.channel == "desk":\n', '            if item.channel != "":\n',
    ),
    Mutant(
        "an answer before identity is proven", "handlers/lifecycle.py",
        "    if on_merits and state.identity in UNSETTLED and", "    if on_merits and state.identity in () and",
        (("handlers/linter.py", "    if facts.identity_state in OPEN_IDENTITY and", "    if facts.identity_state in () and"),),
    ),
    Mutant(
        "a stranger in the thread is taken for the person", "handlers/matching.py",
        "own = [c for c in pointing if c.by == by and c.same_sender]", "own = [c for c in pointing if c.by == by]",
    ),
    Mutant(
        "anybody may press the buttons", "bot/desk/chat.py",
        "            return roster.seated(session, self.app, account)",
        "            return roster.seated(session, self.app, account) or roster.Seat("
        "**self.app.settings.desk.users[0].model_dump(), account=account, chat_id=account)",
    ),
    Mutant(
        "the same mail is a new mail each time", "store/messages.py",
        "    return session.exec(select(Message).where(Message.content_key == content_key)).first()",
        '    return session.exec(select(Message).where(Message.content_key == f"{content_key}!")).first()',
    ),
    Mutant(
        "automatic mails do not say so", "bot/letters.py",
        '        mail["Auto-Submitted"] = "auto-replied"\n', "        pass\n",
    ),
    Mutant(
        "the chat shows personal data", "bot/desk/cards.py",
        "    if not masked:\n        return visible\n", "    return visible\n",
    ),
)  # fmt: skip


def known() -> dict[str, set[str]]:
    """What the faultless program fails already."""
    path = ROOT / "tests" / "rehearsals" / "known.toml"
    listed = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {story: set(indices) for story, indices in listed.items()}


def copy_with(mutant: Mutant, folder: Path) -> bool:
    """Copy the program into *folder* with the fault in it; False when its place is not there any more."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "training"))
    for name, old, new in ((mutant.path, mutant.old, mutant.new), *mutant.also):
        source = (folder / name).read_text(encoding="utf-8")
        if source.count(old) != 1:
            return False
        (folder / name).write_text(source.replace(old, new), encoding="utf-8")
    return True


def first_catch(folder: Path, jobs: int) -> str:
    """Play the stories against the copy in *folder*; return the first that fails and how, empty if none does."""
    files = [*sorted(str(path) for path in (ROOT / "tests" / "rehearsals").glob("*.jsonl")), "attacks"]
    command = [sys.executable, "-m", "bot", "rehearse", *files, "--json", "--jobs", str(jobs)]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    before = known()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            for judged in told["expectations"]:
                index = str(judged["index"])
                if judged["verdict"] == "failed" and index not in before.get(told["id"], set()):
                    process.terminate()
                    keys = ", ".join(c["key"] for c in judged["checks"] if c["verdict"] == "failed")
                    return f"{told['id']} ({'always' if index == '0' else f'expectation {index}'}: {keys})"
            if told["error"]:
                process.terminate()
                return f"{told['id']} ({told['error'][:60]})"
    return "" if process.returncode in (0, 1) else f"the program does not start (status {process.returncode})"


def main(names: list[str]) -> int:
    """Try every fault, or those whose name holds one of *names*."""
    jobs = os.cpu_count() or 1
    width = max(len(mutant.name) for mutant in MUTANTS)
    bad = 0
    for mutant in MUTANTS:
        if names and not any(name in mutant.name for name in names):
            continue
        with tempfile.TemporaryDirectory(prefix="dpobot-mutant-") as place:
            folder = Path(place)
            if copy_with(mutant, folder):
                caught = first_catch(folder, jobs)
                bad += not caught
                print(f"{mutant.name:<{width}}  {'caught by ' + caught if caught else 'NOT CAUGHT'}", flush=True)
            else:
                bad += 1
                print(f"{mutant.name:<{width}}  its place in {mutant.path} is gone: name the new one", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
