"""Keys about the digest, the data directory, the network and the process; and what only a person can judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.rehearsal.format import shown
from bot.rehearsal.keys.base import (
    PERSON,
    Finding,
    Keys,
    View,
    anything,
    counts,
    holds,
    listed,
    text_check,
    texts,
    yes_no,
)


def _digest(view: View, key: str, value: Any) -> list[Finding]:
    digests = [mail for mail in view.mails if mail.is_digest]
    if key == "digest_count":
        weeks = {str(mail.parsed["Subject"]) + str(mail.parsed["Date"]) for mail in digests}
        return [
            holds(len(weeks) in [int(one) for one in listed(value)], key, value, f"{len(weeks)} ({len(digests)} mails)")
        ]
    if not digests:
        good = key.endswith("not_contain")
        return [holds(good, key, value, "no digest")]
    if key == "digest_html_must_not_contain":
        hits = [one for one in listed(value) if any(str(one).lower() in mail.html.lower() for mail in digests)]
        return [holds(not hits, key, value, hits or "none")]
    if key == "digest_must_not_contain":
        return text_check(key, value, [f"{mail.text}\n{mail.html}" for mail in digests], "digest")
    return text_check(key, value, [digests[-1].text], "digest")


def _store(view: View, key: str, value: Any) -> list[Finding]:
    root = view.cast.world.folder
    found = []
    places = [path for path in (root / "data").rglob("*") if path.is_file()] + [root / "worker.log"]
    for marker in listed(value):
        text = str(marker)
        forms = {text.encode(), text.encode("utf-16-le"), text.encode("latin-1", "ignore")} - {b""}
        hits = [path.name for path in places if path.is_file() and any(form in path.read_bytes() for form in forms)]
        found.append(holds(not hits, key, marker, hits or "nowhere below the data directory, nor in the log"))
    return found


def _files(view: View, key: str, value: Any) -> list[Finding]:
    root = view.cast.world.folder
    found = []
    for pattern in listed(value):
        text = str(pattern)
        hits = [path for path in root.rglob("*") if path.match(text.lstrip("/")) or path.name == text]
        if text.startswith("/") and Path(text).exists():
            hits.append(Path(text))
        found.append(holds(not hits, key, pattern, [str(hit) for hit in hits[:3]] or "none"))
    return found


def _network(view: View, key: str, value: Any) -> list[Finding]:
    note = view.cast.world.folder / "network.log"
    said = note.read_text(encoding="utf-8").splitlines() if note.exists() else []
    return [holds((not said) == bool(value), key, value, said[:3] or "nothing but this machine")]


def _alive(view: View, key: str, value: Any) -> list[Finding]:
    world = view.cast.world
    seen = "runs" if world.alive else "dead"
    return [holds(world.alive == bool(value), key, value, f"{seen}, {world.unexpected_deaths} unexpected deaths")]


def _statement(_view: View, key: str, value: Any) -> list[Finding]:
    return [Finding(PERSON, key, shown(value), "for a person to judge")]


KEYS: Keys = {
    "digest_count": (counts, _digest), "digest_must_contain": (texts, _digest),
    "digest_must_contain_any": (texts, _digest), "digest_must_not_contain": (texts, _digest),
    "digest_html_must_not_contain": (texts, _digest),
    "store_must_not_contain": (texts, _store), "files_must_not_exist": (texts, _files),
    "no_network_fetch": (yes_no, _network), "process_alive": (yes_no, _alive), "statement": (anything, _statement),
}  # fmt: skip
