"""Faults on demand: crashes, refusals, broken connections, a locked store, a full disk, a chat that misbehaves.

A fault that is ``armed`` lies in wait for the event it names; one that is not happens now. What a payload calls a fault is
only partly fixed, so its words are read generously; a word that means nothing here is reported, never guessed at.
"""

from __future__ import annotations

import re
import resource
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from bot.rehearsal.format import Step, instant
from bot.rehearsal.mails import NotSupported, _number, lasting
from bot.rehearsal.world import World

CRASH_POINTS = (
    (r"digest|weekly", "before_digest_commit"),
    (r"tick|daily|purge", "before_tick_commit"),
    (r"settle|seen|cursor|mark(?:ing)? (?:the )?uid|before (?:the )?uid|imap is told|expunge", "after_intake_commit"),
    (r"getupdates|offset|update", "after_update_commit"),
    (r"callback|button|answercallback|press", "before_answer"),
    (r"card|sendmessage|telegram message|notice", "after_card"),
    (
        r"intake|imap|fetch|ingest|inbox|reading the mail|incoming|import|reception|received mail|classif|pars",
        "?intake",
    ),
    (r"send|sent|smtp|outbox|deliver|data|250|accepted|dispatch|approv|decision|letter", "?sending"),
    (r"store|record|mail|commit|transaction|database|note|case|sav", "?intake"),
)
"""Words -> the point of the work that is meant; the first line that fits wins."""
BETWEEN = re.compile(
    r"between|before (?:it is |being )?(?:not|mark|record|commit|sav|writ|stor|db|the (?:db|commit|note|status))"
)
BEFORE_SENDING = re.compile(r"before (?:the |it is |being )?(?:send|sent|smtp|mail|data|deliver|dispatch)")


def _words(payload: Mapping[str, Any]) -> str:
    """Everything a payload says, keys and values, as one line to look for words in."""
    parts = []
    for key, value in payload.items():
        if key not in ("armed", "case", "n"):
            parts.append(f"{key} {value}" if not isinstance(value, Mapping) else f"{key} {_words(value)}")
    return " ".join(parts).lower().replace("_", " ").replace("-", " ")


def crash_point(payload: Mapping[str, Any]) -> str:
    """Return the point of ``bot.rehearsal.worker.POINTS`` a payload means. Raises :class:`NotSupported`."""
    said = _words(payload)
    after = re.search(r"\bafter\b|\bonce\b|\bapr[eè]s\b", said)
    for words, point in CRASH_POINTS:
        if not re.search(rf"\b(?:{words})", said):
            continue
        if point == "?sending":
            between, before = BETWEEN.search(said), BEFORE_SENDING.search(said)
            return "after_send" if between or (after and not before) else "before_send"
        if point == "?intake":
            if re.search(r"before (?:it is |the |being )?(?:commit|record|stor|sav)", said):
                return "before_intake_commit"
            return "after_intake_commit" if after or "between" in said else "before_intake_commit"
        return point
    if not said.strip():
        return "before_send"
    raise NotSupported(f'crash "{said[:80]}": no known point of the work is named')


def crash(world: World, step: Step) -> str:
    """Kill the worker now, or let it die at the point named."""
    if not step.payload.get("armed"):
        world.kill()
        return "worker killed (SIGKILL)"
    point = crash_point(step.payload)
    passes = step.payload.get("nth", step.payload.get("passes", 1))
    world.doom(point, int(passes) if isinstance(passes, int) else 1)
    return f"armed: SIGKILL at {point}"


def _times(payload: Mapping[str, Any], default: int | None) -> int | None:
    for key in ("times", "count", "attempts", "repeat"):
        if key in payload:
            return _number(payload[key])
    return default


def _ends(step: Step, world: World) -> datetime | None:
    """When the fault is over by itself, if the step says so."""
    payload = step.payload
    for key in ("until", "to", "ends_at", "recovers_at"):
        if payload.get(key):
            # The same word may name a person.
            with suppress(ValueError):
                return instant(payload[key])
    length = duration(payload)
    return max(step.at, world.now()) + length if length else None


def duration(payload: Mapping[str, Any]) -> timedelta | None:
    """Read a length of time: ``days``, ``hours``, ``minutes``, ``duration: "3 days"``, ``PT2H`` …; None if none is named."""
    total = timedelta()
    for key, value in payload.items():
        unit = re.search(r"(?:^|_)(week|day|hour|minute|second)s?$", key)
        if unit and isinstance(value, int | float) and not isinstance(value, bool):
            total += timedelta(**{f"{unit[1]}s": float(value)})
    if total:
        return total
    for key in ("duration", "for", "length", "by", "advance"):
        if payload.get(key):
            return lasting(str(payload[key]))
    return None


def smtp_refuses(world: World, step: Step) -> str:
    """Let the server refuse mails (4xx, 5xx), or break the connection before, during or after the data."""
    payload, said = step.payload, _words(step.payload)
    sink = world.sink
    if re.search(r"\b(?:off|clear|accepts? again|recovers?|end)\b", said) and not payload.get("code"):
        sink.clear_faults()
        return "the server takes mail again"
    ends = _ends(step, world)
    times = _times(payload, None if ends else 1) or 100_000
    if ends is not None:
        world.agenda.append((ends, sink.clear_faults))
    code = payload.get("code", payload.get("status", payload.get("reply", payload.get("answer"))))
    if code is None:
        match = re.search(r"\b([45]\d\d)\b", said)
        code = match[1] if match else None
    if code is None:
        if re.search(r"after.{0,20}data|after_data|lost answer|no answer|uncertain|after the (?:final )?dot", said):
            sink.drop_after_data(times=times)
            return "armed: the connection breaks after the data"
        if re.search(r"during.{0,20}data|in the middle", said):
            sink.drop_during_data(times=times)
            return "armed: the connection breaks during the data"
        if re.search(r"drop|disconnect|break|reset|connection|timeout", said):
            sink.drop_before_data(times=times)
            return "armed: the connection breaks before the data"
        code = (
            451
            if re.search(r"temp|later|grey|4xx|soft|defer", said)
            else 550
            if re.search(r"perm|5xx|hard|unknown", said)
            else None
        )
    if code is None:
        raise NotSupported(f'smtp_refuses "{said[:80]}": neither a code nor a known way to break')
    number = int(re.sub(r"\D", "", str(code))[:3])
    text = str(payload.get("text", payload.get("message", ""))) or (
        "4.3.0 try later" if number < 500 else "5.1.1 refused"
    )
    recipient = payload.get("rcpt", payload.get("recipient", payload.get("to_address", payload.get("address"))))
    if recipient is None and "@" in str(payload.get("to", "")):
        recipient = payload["to"]
    stage = str(payload.get("stage", payload.get("at_stage", "rcpt"))).lower()
    stages: Any = {
        "connect": "connect",
        "mail": "mail",
        "mail from": "mail",
        "data": "data",
        "rcpt": "rcpt",
        "rcpt to": "rcpt",
    }
    answer = f"{number} {text}" if not text.startswith(str(number)) else text
    sink.refuse(answer, times=times, stage=stages.get(stage, "rcpt"), recipient=str(recipient) if recipient else None)
    return f"armed: {number} × {times if times < 100_000 else 'every'}"


def imap_drops(world: World, step: Step) -> str:
    """Take the mailbox away for a while, or break its connections."""
    payload, said = step.payload, _words(step.payload)
    ends = _ends(step, world)
    if ends is not None or "outage" in said or "unreachable" in said:
        world.imap.stop()
        world.agenda.append((ends or step.at + timedelta(hours=1), world.imap.restart))
        return "the mailbox is out of reach" + (f" until {ends.isoformat()}" if ends else " for an hour")
    times = _times(payload, 1) or 1
    if payload.get("armed"):
        world.drop_next_fetches += times
        return f"armed: the next {times} looks at the mailbox fail"
    world.imap.drop_connections()
    for _ in range(times - 1):
        world.settle()
        world.imap.drop_connections()
    return "connections to the mailbox broken"


def imap_uidvalidity_change(world: World, _step: Step) -> str:
    """Give every message a new UID under a new UIDVALIDITY, as after a restored mailbox."""
    world.imap.restart(new_uidvalidity=True)
    return "new UIDVALIDITY"


def db_locked(world: World, step: Step) -> str:
    """Hold the store's write lock, as a backup tool does, for a while or for the next event."""
    ends = _ends(step, world)
    world.release_lock()
    path = world.folder / "data" / "dpobot.db"
    holder = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    world.patience(150)

    world.locked_by = holder
    if ends is not None and ends > world.now():
        world.agenda.append((ends, world.release_lock))
        return f"store locked until {ends.isoformat()}"
    world.after_group.append(world.release_lock)
    return "store locked during the next event"


def disk_full(world: World, step: Step) -> str:
    """Let no file of the worker grow, as on a full disk, for a while or for the next event."""
    if world.worker is None or not world.worker.alive:
        return "no worker runs"
    pid = world.worker.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    def release() -> None:
        if world.worker is not None and world.worker.alive and world.worker.pid == pid:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    ends = _ends(step, world)
    if ends is not None and ends > world.now():
        world.agenda.append((ends, release))
        return f"disk full until {ends.isoformat()}"
    world.after_group.append(release)
    return "disk full during the next event"


METHODS = ("getUpdates", "sendMessage", "editMessageText", "answerCallbackQuery", "getMe", "getFile", "sendDocument")


def telegram_fault(world: World, step: Step) -> str:
    """Let the chat's server misbehave: errors, 429, silence, broken connections, web pages for JSON."""
    payload, said = step.payload, _words(step.payload)
    chat = world.chat
    if re.search(r"\b(?:off|clear|recovers?|end)\b", said):
        chat.clear_faults()
        return "the chat behaves again"
    method = str(payload.get("method", ""))
    known = {name.lower(): name for name in METHODS}
    method = known.get(method.lower(), next((name for low, name in known.items() if low in said), "sendMessage"))
    ends = _ends(step, world)
    times = _times(payload, None if ends else 1) or None
    if ends is not None:
        world.agenda.append((ends, chat.clear_faults))
    user = payload.get("user", payload.get("blocked_by"))
    if re.search(r"block", said):
        chat.block(
            int(user) if isinstance(user, int) else 700000002 if "dpo 2" in said or "deputy" in said else 700000001
        )
        return "the bot is blocked"
    if re.search(r"redeliver|twice|duplicate|again", said):
        last = max(chat._old_updates, default=None)
        if last is not None:
            chat.redeliver(last)
        return "the last update comes again"
    if re.search(r"restart.{0,12}ids|update ids? (?:restart|reset)", said):
        chat.restart_update_ids(1000)
        return "update ids start anew"
    code = payload.get("code", payload.get("status", payload.get("error_code")))
    if code is None:
        match = re.search(r"\b([45]\d\d)\b", said)
        code = match[1] if match else None
    if code is None and re.search(r"flood|too many|rate|slow down", said):
        code = 429
    if code is None and re.search(r"conflict|two poll|second instance", said):
        method, code = "getUpdates", 409
    if code is not None:
        number = int(code)
        wait = payload.get("retry_after")
        wait = int(wait) if isinstance(wait, int | float) else 5 if number == 429 else None
        if method == "getUpdates" and wait:
            # The worker would wait for real seconds here, which are nobody's in a rehearsal.
            wait = 1
        words = {409: "Conflict: terminated by other getUpdates request", 429: f"Too Many Requests: retry after {wait}"}
        said_as = str(
            payload.get("description", words.get(number, "Internal Server Error" if number >= 500 else "Bad Request"))
        )
        chat.fault(method, number, said_as, retry_after=wait, times=times)
        return f"armed: {method} {number}"
    if re.search(r"html|not json|captive|proxy", said):
        chat.answer_html(method, times)
        return f"armed: {method} answers a web page"
    after = bool(re.search(r"after", said)) or payload.get("after") is True
    if re.search(
        r"drop|reset|break|disconnect|connection|timeout|time out|hang|silent|outage|down|unreachable|network", said
    ):
        chat.drop(method if "outage" not in said and "down" not in said else "*", times, after=after)
        return f"armed: {method} connection breaks"
    raise NotSupported(f'telegram_fault "{said[:80]}": no known kind of trouble')
