"""What the store can take: ``python benchmarks/bench_store.py [MESSAGES] [EVENTS]`` (default 500 and 100,000).

Records sealed messages of 1 KB and of 1 MB, one transaction each as the worker does, on a SQLite file in the
present folder's file system (each commit waits for the disk); then verifies a journal of EVENTS entries.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from store import journal, messages
from store.database import Database
from store.models import Message
from store.sealing import Vault, new_master_key

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def record(database: Database, vault: Vault, raw: bytes, number: int) -> None:
    """Record one message with a key of its own, where it lay, and its entry in the journal."""
    with database.transaction() as session:
        key_id = vault.new_key(session, now=NOW)
        message = Message(
            channel="email", content_key=hashlib.sha256(raw).hexdigest(), received_at=NOW, recorded_at=NOW,
            disposition="opened", key_id=key_id, raw_key_id=key_id, size=len(raw),
            view_sealed=vault.seal_json(session, key_id, {"subject": "Mes données", "text": "x" * 500}, "view"),
            raw_sealed=vault.seal(session, key_id, raw, "raw"),
        )  # fmt: skip
        session.add(message)
        session.flush()
        messages.note_sighting(
            session, source="imap:bench", external_id=f"1:{number}", message_id=message.id or 0, now=NOW
        )
        journal.append(session, type="recorded", actor="bot", at=NOW, now=NOW, data={"message": message.id})


def main() -> None:
    """Run both measurements and print the rates."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    events = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with tempfile.TemporaryDirectory(dir=".") as folder:
        database = Database(f"sqlite:///{Path(folder).absolute()}/dpobot.db")
        database.migrate()
        vault = Vault(new_master_key())
        number = 0
        for label, size, many in (("1 KB", 1024, count), ("1 MB", 1024**2, max(count // 10, 1))):
            raws = [os.urandom(size) for _ in range(many)]
            started = time.perf_counter()
            for raw in raws:
                number += 1
                record(database, vault, raw, number)
            seconds = time.perf_counter() - started
            print(f"{label}: {many} messages recorded in {seconds:.2f} s, {many / seconds:.0f} a second")

        with database.transaction() as session:
            started = time.perf_counter()
            for step in range(events):
                journal.append(session, type="note", actor="bot", at=NOW, now=NOW, data={"step": step})
                if step % 1000 == 999:
                    session.expunge_all()
            seconds = time.perf_counter() - started
        print(
            f"journal: {events} entries appended in one transaction in {seconds:.1f} s, {events / seconds:.0f} a second"
        )
        with database.reading() as session:
            started = time.perf_counter()
            if journal.verify(session) is not None:
                raise SystemExit("the journal does not hold")
            seconds = time.perf_counter() - started
        print(
            f"journal: {events + number} entries verified in {seconds:.1f} s, {(events + number) / seconds:.0f} a second"
        )
        database.close()


if __name__ == "__main__":
    main()
