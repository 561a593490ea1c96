"""Cases: numbers without gaps, and the person of record sealed."""

import pytest

from store import cases
from store.cases import Person
from store.database import Database
from store.models import CaseFacts
from store.sealing import SealingError, Vault
from tests.store_makers import NOW, PERSON, make_case, together

pytest_plugins = ("tests.pg",)


def test_numbers_given_out_at_once_have_no_gap_and_no_double(database: Database):
    def take(_number: int) -> list[str]:
        taken = []
        for _ in range(4):
            with database.transaction() as session:
                taken.append(cases.next_reference(session, prefix="DSR", year=2026))
        return taken

    taken = [reference for references in together(6, take) for reference in references]

    assert sorted(taken) == [f"DSR-2026-{number:04d}" for number in range(1, 25)]


def test_a_number_that_was_rolled_back_is_given_out_again_and_each_year_counts_anew(database: Database):
    with database.transaction() as session:
        first = cases.next_reference(session, prefix="DSR", year=2026)
    with pytest.raises(OSError, match="power"), database.transaction() as session:  # noqa: PT012
        cases.next_reference(session, prefix="DSR", year=2026)
        raise OSError("power")
    with database.transaction() as session:
        later = [cases.next_reference(session, prefix="DSR", year=year) for year in (2026, 2027, 2026)]

    assert [first, *later] == ["DSR-2026-0001", "DSR-2026-0002", "DSR-2027-0001", "DSR-2026-0003"]


def test_a_case_comes_back_as_it_was_created(database: Database, vault: Vault):
    with database.transaction() as session:
        made = make_case(session, vault)
    with database.reading() as session:
        case = cases.by_reference(session, " dsr-2026-0001 ")
        assert case is not None
        assert cases.person_of(session, vault, case) == PERSON
        same_sender = cases.of_sender(session, vault.address_hash(PERSON.address.upper()))

    assert [row.id for row in same_sender] == [made.id]
    assert cases.facts_of(case) == CaseFacts(
        reference="DSR-2026-0001", channel="email", language="fr", received_at=NOW, primary="access", rights=["access"]
    )


def test_a_person_who_wrote_by_chat_is_found_by_that_chat(database: Database, vault: Vault):
    chatter = Person("Noé", "", chat_id=7_000_000_001)
    with database.transaction() as session:
        case = make_case(session, vault)
        cases.set_person(session, vault, case, chatter)
    with database.reading() as session:
        found = cases.of_sender(session, vault.address_hash("chat:7000000001"))
        assert [cases.person_of(session, vault, row) for row in found] == [chatter]
        assert cases.of_sender(session, vault.address_hash(PERSON.address)) == []


def test_an_erased_case_keeps_its_number_and_loses_its_person(database: Database, vault: Vault):
    with database.transaction() as session:
        case = make_case(session, vault)
        vault.destroy_key(session, case.key_id, now=NOW)

    with database.reading() as session:
        erased = cases.by_reference(session, "DSR-2026-0001")
        assert erased is not None
        with pytest.raises(SealingError, match="its case has been erased"):
            cases.person_of(session, vault, erased)


def test_the_register_lists_what_is_due_first_and_paused_cases_last(database: Database, vault: Vault):
    with database.transaction() as session:
        made = [make_case(session, vault) for _ in range(4)]
        for case, day, state in zip(
            made, (9, 3, None, 1), ("collecting", "received", "received", "closed"), strict=True
        ):
            case.due = None if day is None else NOW.date().replace(day=day)
            case.state = state
    with database.reading() as session:
        everything = [case.reference[-1] for case in cases.listed(session)]
        still_open = [case.reference[-1] for case in cases.listed(session, open_only=True)]
        named = cases.by_references(session, ["DSR-2026-0002", "DSR-2026-0404"])
        nobody = cases.by_references(session, [])

    assert (everything, still_open) == (["4", "2", "1", "3"], ["2", "1", "3"])
    assert ([case.reference for case in named], nobody) == (["DSR-2026-0002"], [])
