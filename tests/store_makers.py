"""What the tests of the store are made of: cases, letters, and several threads at the same moment."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlmodel import Session

from store import cases, drafts
from store.cases import Person
from store.drafts import LetterText
from store.models import Case, CaseFacts, Draft
from store.sealing import Vault

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MASTER_KEY = "bWFzdGVyIGtleSBvZiB0aGUgdGVzdHMsIDMyIGJ5dGU="
PERSON = Person("Camille Aubrac", "camille.aubrac@courrier.example")
LETTER = LetterText(
    recipient=PERSON.address, subject="Votre demande DSR-2026-0001", text="Bonjour Camille,\n…", html="<p>Bonjour</p>",
    in_reply_to="a@courrier.example", references=("a@courrier.example",),
)  # fmt: skip

Result = TypeVar("Result")


def together(count: int, act: Callable[[int], Result]) -> list[Result]:
    """Call *act* with 0 … count-1 in as many threads that all start at once; raise what any of them raised."""
    gate = threading.Barrier(count)

    def run(number: int) -> Result:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def quick_folder() -> str | None:
    """A folder in memory for what writes a lot, where there is one with room; None for the usual place."""
    shared = "/dev/shm"
    return shared if Path(shared).is_dir() and shutil.disk_usage(shared).free > 2**30 else None


def make_case(session: Session, vault: Vault, *, year: int = 2026) -> Case:
    facts = CaseFacts(
        reference=cases.next_reference(session, prefix="DSR", year=year), channel="email", language="fr",
        received_at=NOW, primary="access", rights=["access"],
    )  # fmt: skip
    key_id = vault.new_key(session, now=NOW)
    return cases.create(session, vault, facts=facts, person=PERSON, key_id=key_id, now=NOW)


def make_draft(
    session: Session, vault: Vault, case: Case, *, step: str = "answer", letter: LetterText = LETTER
) -> Draft:
    return drafts.propose(
        session, vault, case=case, key=f"{case.reference}:{step}", kind="answer", template="access/answer",
        language="fr", message_id=f"{case.reference}.{step}@mije.example", letter=letter, automatic=False, now=NOW,
    )  # fmt: skip
