"""Whatever people and workers do in whatever order: a letter leaves once, and as it was approved."""

import functools
import json
import shutil
import tempfile
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from store import drafts, outbox
from store.database import Database
from store.drafts import LetterText
from store.models import Case, Draft, OutboxItem
from store.sealing import Vault
from tests.store_makers import LETTER, MASTER_KEY, NOW, make_case, make_draft, quick_folder

STEPS = st.sampled_from(["acknowledgement", "answer", "extension"])
LETTERS = st.sampled_from(["one", "two", "three"]).map(lambda words: replace(LETTER, text=words))


class PowerCut(Exception):
    """The program stops before its commit."""


@functools.cache
def migrated() -> bytes:
    """The file of an empty store: Alembic takes too long for every run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dpobot.db"
        store = Database(f"sqlite:///{path}")
        store.migrate()
        store.close()
        return path.read_bytes()


class Letters(RuleBasedStateMachine):
    """Two people at the desk with what each last saw, workers that may die, a person who settles what is unclear."""

    seen = Bundle("seen")
    """(draft, revision, digest, letter) as somebody saw it, perhaps a while ago."""
    claimed = Bundle("claimed")
    """(item, worker) as claimed; the worker may be dead by now."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="letters", dir=quick_folder()))
        (self.folder / "dpobot.db").write_bytes(migrated())
        self.database = Database(f"sqlite:///{self.folder}/dpobot.db")
        self.vault = Vault(MASTER_KEY)
        with self.database.transaction() as session:
            self.case_id = make_case(session, self.vault).id
        self.now: datetime = NOW
        self.worker = 1
        self.decided: dict[int, tuple[str, str]] = {}
        """What was decided of each draft, and on which text."""
        self.left: dict[str, list[str]] = {}
        """Digests of the letters that left, or may have left, by key."""
        self.sent_again: dict[str, int] = {}
        """How often a person asked for an item to be sent again."""

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.folder)

    @rule(target=seen, step=STEPS, letter=LETTERS)
    def propose(self, step: str, letter: LetterText) -> object:
        with self.database.transaction() as session:
            case = session.get_one(Case, self.case_id)
            draft = make_draft(session, self.vault, case, step=step, letter=letter)
            shown = drafts.letter_of(session, self.vault, case=case, draft=draft)
        return (draft.id, draft.revision, draft.digest, shown)

    @rule(target=seen, view=seen, letter=LETTERS, power_cut=st.booleans())
    def revise(self, view: tuple[int, int, str, LetterText], letter: LetterText, power_cut: bool) -> object:
        draft_id, revision, _, _ = view
        try:
            with self.database.transaction() as session:
                case, draft = session.get_one(Case, self.case_id), session.get_one(Draft, draft_id)
                was = (draft.status, draft.revision)
                changed = drafts.revise(
                    session, self.vault, case=case, draft=draft, seen_revision=revision, letter=letter, by="dpo",
                    now=self.now,
                )  # fmt: skip
                assert changed == (was == ("proposed", revision))
                if power_cut:
                    raise PowerCut
        except PowerCut:
            return multiple()
        return (draft_id, revision + 1, letter.digest(), letter) if changed else multiple()

    @rule(
        view=seen, status=st.sampled_from(["approved", "approved", "rejected", "void"]), by=st.sampled_from("ab"),
        power_cut=st.booleans(),
    )  # fmt: skip
    def decide(self, view: tuple[int, int, str, LetterText], status: str, by: str, power_cut: bool) -> None:
        draft_id, revision, digest, letter = view
        try:
            with self.database.transaction() as session:
                case, draft = session.get_one(Case, self.case_id), session.get_one(Draft, draft_id)
                decided = drafts.decide(
                    session, draft_id=draft_id, revision=revision, digest=digest, status=status, by=by, now=self.now
                )
                if decided and status == "approved":
                    outbox.enqueue(
                        session, self.vault, key=f"{draft.key}:letter", channel="mail", kind=draft.kind,
                        key_id=case.key_id, recipient=letter.recipient, payload=json.dumps(asdict(letter)).encode(),
                        now=self.now, case_id=case.id, draft_id=draft_id, message_id=draft.message_id,
                    )  # fmt: skip
                if power_cut:
                    raise PowerCut
        except PowerCut:
            return
        if decided:
            assert draft_id not in self.decided
            self.decided[draft_id] = (status, letter.digest())

    @rule(target=claimed, power_cut=st.booleans())
    def claim(self, power_cut: bool) -> object:
        try:
            with self.database.transaction() as session:
                item = outbox.claim(session, channels=("mail",), now=self.now)
                if power_cut:
                    raise PowerCut
        except PowerCut:
            return multiple()
        return (item.id, self.worker) if item is not None else multiple()

    @rule(claim=consumes(claimed), fate=st.sampled_from(["sent", "pending", "failed", "uncertain", "died"]))
    def send(self, claim: tuple[int, int], fate: str) -> None:
        item_id, worker = claim
        if worker != self.worker:
            return
        with self.database.reading() as session:
            item = session.get_one(OutboxItem, item_id)
            recipient, payload = outbox.opened(session, self.vault, item)
            approved = session.get_one(Draft, item.draft_id)
        letter = LetterText(**{**json.loads(payload), "references": tuple(json.loads(payload)["references"])})
        assert recipient == letter.recipient
        assert self.decided[item.draft_id or 0] == ("approved", letter.digest())
        assert (approved.status, approved.digest) == ("approved", letter.digest())
        if fate in ("sent", "uncertain", "died"):
            self.left.setdefault(item.key, []).append(letter.digest())
        if fate == "died":
            return
        with self.database.transaction() as session:
            assert outbox.finish(session, item_id=item_id, status=fate, now=self.now, again_at=self.now)

    @rule()
    def start_again(self) -> None:
        """A new worker, the old one being dead (``WorkerLock``): what is found in sending is uncertain."""
        self.worker += 1
        with self.database.transaction() as session:
            for item in outbox.left_in_sending(session):
                outbox.finish(session, item_id=item.id or 0, status="uncertain", now=self.now)

    @rule(number=st.integers(0, 5), answer=st.sampled_from(["sent", "pending", "cancelled"]))
    def resolve(self, number: int, answer: str) -> None:
        with self.database.transaction() as session:
            unclear = outbox.unsettled(session)
            if number < len(unclear):
                item = unclear[number]
                assert outbox.resolve(session, item_id=item.id or 0, status=answer, now=self.now)
                if answer == "pending":
                    self.sent_again[item.key] = self.sent_again.get(item.key, 0) + 1

    @rule()
    def wait(self) -> None:
        self.now += timedelta(minutes=5)

    @invariant()
    def a_letter_leaves_once_unless_a_person_sends_it_again(self) -> None:
        for key, digests in self.left.items():
            assert len(digests) <= 1 + self.sent_again.get(key, 0)
            assert len(set(digests)) == 1

    @invariant()
    def what_is_to_leave_was_approved(self) -> None:
        with self.database.reading() as session:
            items = [item.draft_id for item in outbox.of_case(session, self.case_id or 0)]
        assert sorted(items) == sorted(draft for draft, (status, _) in self.decided.items() if status == "approved")


TestLetters = Letters.TestCase
TestLetters.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
