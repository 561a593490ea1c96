"""A draft is decided once, by somebody who saw exactly what it was."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select, text

from store import drafts
from store.database import Database
from store.drafts import LetterText
from store.models import Case, Draft, DraftRevision
from store.sealing import SealingError, Vault
from tests.store_makers import LETTER, NOW, make_case, make_draft, together

pytest_plugins = ("tests.pg",)
EDITED = replace(LETTER, text="Bonjour Camille,\nvoici vos données.")


@pytest.fixture
def draft(database: Database, vault: Vault) -> Draft:
    with database.transaction() as session:
        return make_draft(session, vault, make_case(session, vault))


def stored(database: Database) -> Draft:
    with database.reading() as session:
        return session.exec(select(Draft)).one()


def decide(database: Database, draft: Draft, status: str, by: str = "dpo", **seen: Any) -> bool:
    seen = {"revision": draft.revision, "digest": draft.digest, **seen}
    with database.transaction() as session:
        return drafts.decide(session, draft_id=draft.id or 0, status=status, by=by, now=NOW, **seen)


def revise(database: Database, vault: Vault, draft: Draft, letter: LetterText, *, seen: int, by: str = "dpo") -> bool:
    with database.transaction() as session:
        case, current = session.get_one(Case, draft.case_id), session.get_one(Draft, draft.id)
        return drafts.revise(
            session, vault, case=case, draft=current, seen_revision=seen, letter=letter, by=by, now=NOW
        )


def test_the_same_step_proposed_twice_is_one_draft(database: Database, vault: Vault, draft: Draft):
    with database.transaction() as session:
        again = make_draft(session, vault, session.get_one(Case, draft.case_id), letter=EDITED)

    with database.reading() as session:
        texts = [session.get_one(Draft, draft.id).digest, *session.exec(select(DraftRevision.digest))]
    assert (again.id, texts) == (draft.id, [LETTER.digest()] * 2)


@pytest.mark.parametrize("status", ["approved", "rejected", "void"])
def test_of_many_who_decide_at_once_one_does(database: Database, draft: Draft, status: str):
    decided = together(8, lambda number: decide(database, draft, status, by=f"desk-{number}"))

    winner = f"desk-{decided.index(True)}"
    now = stored(database)
    assert (sorted(decided), now.status, now.decided_by, now.decided_at) == ([False] * 7 + [True], status, winner, NOW)


@pytest.mark.parametrize("seen", [{"revision": 2}, {"revision": 0}, {"digest": EDITED.digest()}, {"digest": ""}])
def test_who_saw_something_else_changes_nothing(database: Database, draft: Draft, seen: dict[str, Any]):
    assert decide(database, draft, "approved", **seen) is False
    assert stored(database).model_dump() == draft.model_dump()


@pytest.mark.parametrize("status", ["proposed", "sent", "Approved", ""])
def test_a_status_that_is_no_decision_is_refused(database: Database, draft: Draft, status: str):
    with pytest.raises(ValueError, match="is no decision; a draft becomes approved, rejected, void"):
        decide(database, draft, status)


@pytest.mark.parametrize("first", ["approved", "rejected", "void"])
@pytest.mark.parametrize("second", ["approved", "rejected", "void"])
def test_a_decision_is_final(database: Database, vault: Vault, draft: Draft, first: str, second: str):
    assert decide(database, draft, first)

    assert not decide(database, draft, second, by="somebody-else")
    assert not revise(database, vault, draft, EDITED, seen=1)
    now = stored(database)
    assert (now.status, now.decided_by, now.revision, now.digest) == (first, "dpo", 1, LETTER.digest())


def test_a_revision_voids_what_was_seen_before_and_keeps_the_older_text(database: Database, vault: Vault, draft: Draft):
    assert revise(database, vault, draft, EDITED, seen=1, by="dpo")

    assert not decide(database, draft, "approved")
    assert not revise(database, vault, draft, LETTER, seen=1, by="assistant")
    changed = stored(database)
    assert (changed.status, changed.revision, changed.digest) == ("proposed", 2, EDITED.digest())
    assert letters(database, vault) == [LETTER, EDITED, EDITED]
    assert decide(database, changed, "approved")


def letters(database: Database, vault: Vault) -> list[LetterText]:
    """The letter of each revision of the only draft, and its current one."""
    with database.reading() as session:
        draft = session.exec(select(Draft)).one()
        case = session.get_one(Case, draft.case_id)
        numbers = [*range(1, draft.revision + 1), None]
        return [drafts.letter_of(session, vault, case=case, draft=draft, revision=number) for number in numbers]


def test_an_edit_and_an_approval_at_once_never_approve_the_edited_text(database: Database, vault: Vault):
    for _ in range(6):
        with database.transaction() as session:
            case = make_case(session, vault)
            draft = make_draft(session, vault, case)

        def act(number: int, draft: Draft = draft) -> bool:
            if number % 2:
                return decide(database, draft, "approved")
            return revise(database, vault, draft, replace(LETTER, text=f"{number}"), seen=1)

        done = together(4, act)

        with database.reading() as session:
            now = session.get_one(Draft, draft.id)
        assert done.count(True) == 1
        if done.index(True) % 2:
            assert (now.status, now.revision, now.digest) == ("approved", 1, LETTER.digest())
        else:
            edited = replace(LETTER, text=f"{done.index(True)}")
            assert (now.status, now.revision, now.digest) == ("proposed", 2, edited.digest())


FIRST = "(SELECT {0} FROM draft_revision WHERE revision = 1)"


@pytest.mark.parametrize(
    "exchanged",
    [
        {"draft_revision.letter_sealed"},
        {"draft_revision.digest"},
        {"draft_revision.letter_sealed", "draft_revision.digest"},
        {"draft_revision.letter_sealed", "draft_revision.digest", "draft.digest"},
    ],
)
def test_a_letter_that_was_exchanged_for_an_older_one_does_not_open(
    database: Database, vault: Vault, draft: Draft, exchanged: set[str]
):
    assert revise(database, vault, draft, EDITED, seen=1)
    with database.transaction() as session:
        for table, _, column in sorted(place.partition(".") for place in exchanged):
            session.execute(text(f"UPDATE {table} SET {column} = {FIRST.format(column)} WHERE revision = 2"))

    with pytest.raises(SealingError):
        letters(database, vault)


def test_what_waits_is_listed_oldest_first(database: Database, vault: Vault, draft: Draft):
    with database.transaction() as session:
        first = session.get_one(Case, draft.case_id)
        second = make_case(session, vault)
        made = [make_draft(session, vault, case, step=step) for case in (second, first) for step in ("b", "a")]
    assert decide(database, made[0], "rejected")
    with database.reading() as session:
        all_waiting = [row.key for row in drafts.all_proposed(session)]
        of_second = [row.key for row in drafts.proposed(session, second.id or 0)]
        every = [row.key for row in drafts.of_case(session, second.id or 0)]

    assert all_waiting == ["DSR-2026-0001:answer", "DSR-2026-0002:a", "DSR-2026-0001:b", "DSR-2026-0001:a"]
    assert (of_second, every) == (["DSR-2026-0002:a"], ["DSR-2026-0002:b", "DSR-2026-0002:a"])


texts = st.text(st.characters(), max_size=8)
some_letters = st.builds(
    LetterText, texts, texts, texts, texts, texts, st.lists(texts, max_size=3).map(tuple), st.none() | st.integers()
)


@given(one=some_letters, other=some_letters)
def test_two_letters_have_one_digest_only_if_they_are_the_same(one: LetterText, other: LetterText):
    assert (one.digest() == other.digest()) == (one == other)


@pytest.mark.parametrize(
    "change",
    [
        {"recipient": "camille.aubrac@courrier.exampl"}, {"subject": "Votre demande DSR-2026-0002"}, {"text": ""},
        {"html": "<p>Bonjour </p>"}, {"in_reply_to": ""}, {"references": ()}, {"chat_id": 0},
    ],
)  # fmt: skip
def test_every_part_of_a_letter_counts(change: dict[str, Any]):
    assert replace(LETTER, **change).digest() != LETTER.digest()
