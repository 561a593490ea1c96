"""Deliberate faults, each put into a copy of the program: every one must be caught by at least one story.

``make mutants`` (by hand; minutes) plays stories against each faulty copy and prints which failed first: those that are about
such a fault, then all the others, so that a fault nobody thought of a story for is looked for everywhere.
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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PARTS = ("bot", "handlers", "nlp", "store", "templates")


@dataclass(frozen=True)
class Mutant:
    """A fault: what is wrong with the program then, and the words of its source that are changed."""

    name: str
    stories: str
    """Names of the stories most likely to catch it."""
    path: str
    old: str
    new: str
    also: tuple[tuple[str, str, str], ...] = ()
    """Further changes, where the program holds by two locks and both must be broken."""


MUTANTS = (
    Mutant(
        "thirty days for a month", "verified-then-a-new-address month-ends-of-2026",
        "handlers/clock.py",
        "    years, month = divmod(start.month - 1 + months, 12)",
        "    return start + timedelta(days=30 * months)\n    years, month = divmod(start.month - 1 + months, 12)",
    ),
    Mutant(
        "a due date may fall on a holiday", "month-over-easter-and-clock-change holidays-of-spring-2026",
        "handlers/clock.py",
        "def _roll(day: date, options: _Options) -> date:",
        "def _roll(day: date, options: _Options) -> date:\n    return day\n\n\ndef _never(day: date, options: _Options) -> date:",
    ),
    Mutant(
        "approval without revision and hash", "approval-of-what-was-seen old-button-stranger-and-double-press",
        "bot/desk/basics.py",
        "    if draft.revision != ask.revision or draft.digest != ask.digest:", "    if False:",
    ),
    Mutant(
        "acknowledgement to a robot", "real-request-dressed-as-a-robot",
        "handlers/gates.py",
        "may_answer = not facts.arrival.suppress and not {",
        "may_answer = not {",
    ),
    Mutant(
        "Reply-To trusted", "reply-to-another-address cc-and-reply-all",
        "bot/intake.py",
        "    name = _fuller(stated, arrival.from_name)",
        "    name = _fuller(stated, arrival.from_name)\n    if arrival.reply_to:\n        return Person(name, arrival.reply_to)",
    ),
    Mutant(
        "settled before the commit", "crash-before-and-after-the-commit-of-intake",
        "bot/worker.py",
        "        for raw in inbox.fetch():\n", "        for raw in inbox.fetch():\n            inbox.settle(raw)\n",
    ),
    Mutant(
        "what may have left is sent again", "crash-between-send-and-note",
        "bot/sending.py",
        '            if item.channel == "desk":\n', '            if item.channel != "":\n',
    ),
    Mutant(
        "an answer before identity is proven", "ex-partner-who-knows-everything erasure-as-vandalism",
        "handlers/lifecycle.py",
        "    if on_merits and state.identity in UNSETTLED and", "    if on_merits and state.identity in () and",
        (
            (
                "handlers/linter/proof.py",
                "    if facts.identity_state in OPEN_IDENTITY and",
                "    if facts.identity_state in () and",
            ),
        ),
    ),
    Mutant(
        "a stranger in the thread is taken for the person", "stranger-in-the-thread look-alike-addresses-in-the-thread",
        "handlers/matching.py",
        "own = [c for c in pointing if c.by == by and c.same_sender]", "own = [c for c in pointing if c.by == by]",
    ),
    Mutant(
        "anybody may press the buttons", "buttons-in-the-wrong-hands old-button-stranger-and-double-press",
        "bot/desk/chat.py",
        "            return roster.seated(session, self.app, account)",
        "            return roster.seated(session, self.app, account) or roster.Seat("
        "**self.app.settings.desk.users[0].model_dump(), account=account, "
        "chat_id=self.app.settings.desk.users[0].telegram_id or account)",
    ),
    Mutant(
        "the same mail is a new mail each time", "the-same-mail-three-times",
        "store/messages.py",
        "    return session.exec(select(Message).where(Message.content_key == content_key)).first()",
        '    return session.exec(select(Message).where(Message.content_key == f"{content_key}!")).first()',
    ),
    Mutant(
        "automatic mails do not say so", "reply-to-another-address",
        "bot/letters.py",
        '        mail["Auto-Submitted"] = "auto-replied"\n', "        pass\n",
    ),
    Mutant(
        "the chat shows personal data", "digest-names-nobody",
        "bot/desk/cards.py",
        "    if not masked:\n        return visible\n", "    return visible\n",
    ),
    Mutant(
        "copies of identity documents are kept", "proof-with-another-spelling undecided-document-goes-after-thirty-days",
        "bot/purge.py", "        if due > now:\n", "        if True:\n",
    ),
    Mutant(
        "identity asked of who wants no advertising", "stop-in-four-ways", "handlers/rights/objection.py",
        "    identity_level=0,", "    identity_level=2,",
    ),
    Mutant(
        "the Date header says when it came",
        "date-header-from-another-year",
        "bot/channels/mime.py",
        "received_at=received_at(headers, authserv_ids) or raw.received_at,",
        "received_at=date or raw.received_at,",
    ),
    Mutant(
        "a card for each mail of a flood", "flood-from-many-senders", "bot/casework.py",
        "    if _is_flood(session, app, notice, now=now):", "    if False:",
    ),
    Mutant(
        "a silent chat is nobody's business", "chat-down-for-a-day", "bot/worker.py",
        "        if now - heard > CHAT_SILENCE:", "        if now < heard:",
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


def first_catch(folder: Path, jobs: int, stories: str = "") -> str:
    """Play all *stories*, or those named, against the copy in *folder*; return the first that fails and how, else ""."""
    files = [*sorted(str(path) for path in (ROOT / "tests" / "rehearsals").glob("*.jsonl")), "attacks"]
    command = [sys.executable, "-m", "bot", "rehearse", *files, "--json", "--jobs", str(jobs)]
    command += [word for story in stories.split() for word in ("--only", story)]
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


def result(mutant: Mutant) -> tuple[bool, str]:
    """Whether the fault was caught, and what there is to say of it."""
    with tempfile.TemporaryDirectory(prefix="dpobot-mutant-") as place:
        folder = Path(place)
        if not copy_with(mutant, folder):
            return False, f"its place in {mutant.path} is gone: name the new one"
        caught = first_catch(folder, 1, mutant.stories) or first_catch(folder, 1)
        return bool(caught), f"caught by {caught}" if caught else "NOT CAUGHT"


def main(names: list[str]) -> int:
    """Try every fault, or those whose name holds one of *names*; as many at a time as there are processors."""
    chosen = [mutant for mutant in MUTANTS if not names or any(name in mutant.name for name in names)]
    width = max((len(mutant.name) for mutant in chosen), default=0)
    good = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for mutant, (caught, told) in zip(chosen, pool.map(result, chosen), strict=True):
            good += caught
            print(f"{mutant.name:<{width}}  {told}", flush=True)
    print(f"{good} of {len(chosen)} faults were caught")
    return 0 if good == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
