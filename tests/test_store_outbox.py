"""What is to leave is claimed once, has one fate, and is exactly what was decided."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select, text

from store import outbox
from store.database import Database
from store.models import OutboxItem
from store.sealing import Vault
from tests.store_makers import NOW, make_case, together

pytest_plugins = ("tests.pg",)
MINUTE = timedelta(minutes=1)


def put(database: Database, vault: Vault, key: str = "letter", **others: Any) -> OutboxItem:
    values: dict[str, Any] = {"channel": "mail", "kind": "answer", "payload": b"Subject: a\r\n\r\nb", **others}
    with database.transaction() as session:
        key_id = values.pop("key_id", None) or vault.new_key(session, now=NOW)
        return outbox.enqueue(
            session, vault, key=key, key_id=key_id, recipient="camille@courrier.example", now=NOW, **values
        )


def claim(database: Database, *, channels: tuple[str, ...] = ("mail",), after: timedelta = MINUTE) -> OutboxItem | None:
    with database.transaction() as session:
        return outbox.claim(session, channels=channels, now=NOW + after)


def finish(database: Database, item: OutboxItem, status: str, **others: Any) -> bool:
    with database.transaction() as session:
        return outbox.finish(session, item_id=item.id or 0, status=status, now=NOW + 2 * MINUTE, **others)


def resolve(database: Database, item: OutboxItem, status: str) -> bool:
    with database.transaction() as session:
        return outbox.resolve(session, item_id=item.id or 0, status=status, now=NOW + timedelta(days=1))


def stored(database: Database, item: OutboxItem) -> OutboxItem:
    with database.reading() as session:
        return session.get_one(OutboxItem, item.id)


def test_a_decision_taken_twice_gives_one_item(database: Database, vault: Vault):
    first = put(database, vault, payload=b"first")
    second = put(database, vault, payload=b"second")

    with database.reading() as session:
        assert [row.id for row in session.exec(select(OutboxItem))] == [first.id]
        assert outbox.opened(session, vault, second) == ("camille@courrier.example", b"first")


def test_a_decision_taken_at_once_by_many_gives_one_item(database: Database, vault: Vault):
    items = together(6, lambda number: put(database, vault, payload=f"{number}".encode()))

    with database.reading() as session:
        assert {row.id for row in session.exec(select(OutboxItem))} == {item.id for item in items}
    assert len({item.id for item in items}) == 1


def test_each_item_is_claimed_by_one_worker_only(database: Database, vault: Vault):
    made = [put(database, vault, f"letter-{number}") for number in range(12)]

    def work(_number: int) -> list[int | None]:
        claimed = []
        while (item := claim(database)) is not None:
            claimed.append(item.id)
        return claimed

    claimed = [number for numbers in together(6, work) for number in numbers]

    assert sorted(claimed) == sorted(item.id for item in made)


def test_items_come_when_due_in_order_and_by_channel(database: Database, vault: Vault):
    put(database, vault, "later", not_before=NOW + timedelta(hours=1))
    put(database, vault, "second", not_before=NOW + MINUTE)
    put(database, vault, "chat", channel="desk")
    put(database, vault, "first")

    keys = []
    while (item := claim(database)) is not None:
        keys.append((item.key, item.status, item.attempts, item.claimed_at))

    assert keys == [("first", "sending", 1, NOW + MINUTE), ("second", "sending", 1, NOW + MINUTE)]
    late = [claim(database, channels=("desk", "mail"), after=timedelta(hours=2)) for _ in range(3)]
    assert [item and item.key for item in late] == ["chat", "later", None]


def test_a_claim_that_is_rolled_back_leaves_the_item_to_others(database: Database, vault: Vault):
    put(database, vault)
    with pytest.raises(OSError, match="power"), database.transaction() as session:  # noqa: PT012
        assert outbox.claim(session, channels=("mail",), now=NOW) is not None
        raise OSError("power")

    assert getattr(claim(database), "key", None) == "letter"


@pytest.mark.parametrize("status", ["sent", "failed", "uncertain", "pending"])
def test_only_what_is_being_sent_has_a_fate_and_only_one(database: Database, vault: Vault, status: str):
    item = put(database, vault)
    assert not finish(database, item, status)
    claim(database)

    noted = together(4, lambda _number: finish(database, item, status, response="250 ok", again_at=NOW))

    now = stored(database, item)
    sent = status == "sent"
    assert noted.count(True) == 1
    assert (now.status, now.sent_at, now.response) == (
        (status, NOW + 2 * MINUTE, "250 ok") if sent else (status, None, "")
    )
    assert not finish(database, item, "sent" if not sent else "failed")


def test_a_temporary_refusal_comes_back_later_and_counts(database: Database, vault: Vault):
    item = put(database, vault)
    claim(database)
    assert finish(database, item, "pending", error="451 try later", again_at=NOW + timedelta(hours=1))

    assert claim(database) is None
    again = claim(database, after=timedelta(hours=1))
    assert again is not None
    assert (again.key, again.attempts, again.last_error) == ("letter", 2, "451 try later")


@pytest.mark.parametrize("status", ["sending", "cancelled", "Sent", ""])
def test_a_status_that_is_no_fate_is_refused(database: Database, vault: Vault, status: str):
    item = put(database, vault)
    with pytest.raises(ValueError, match="is no fate; an item becomes failed, pending, sent, uncertain"):
        finish(database, item, status)


@pytest.mark.parametrize("fate", ["failed", "uncertain"])
@pytest.mark.parametrize("answer", ["sent", "pending", "cancelled"])
def test_a_person_resolves_what_failed_or_is_uncertain_once(database: Database, vault: Vault, fate: str, answer: str):
    item = put(database, vault)
    assert not resolve(database, item, answer)
    claim(database)
    assert not resolve(database, item, answer)
    finish(database, item, fate)
    with database.reading() as session:
        assert [row.id for row in outbox.unsettled(session)] == [item.id]

    assert together(4, lambda _number: resolve(database, item, answer)).count(True) == 1

    now = stored(database, item)
    sent_at = NOW + timedelta(days=1) if answer == "sent" else None
    assert (now.status, now.sent_at) == (answer, sent_at)
    assert (claim(database, after=timedelta(days=1)) is not None) == (answer == "pending")
    with database.reading() as session:
        assert outbox.unsettled(session) == []


@pytest.mark.parametrize("status", ["sending", "failed", "uncertain", ""])
def test_a_person_cannot_resolve_to_anything_else(database: Database, vault: Vault, status: str):
    item = put(database, vault)
    with pytest.raises(ValueError, match="resolves nothing; an item becomes cancelled, pending, sent"):
        resolve(database, item, status)


def test_what_a_dead_worker_had_claimed_is_found(database: Database, vault: Vault):
    items = [put(database, vault, f"letter-{number}") for number in range(3)]
    claim(database, after=MINUTE)
    claim(database, after=10 * MINUTE)
    with database.reading() as session:
        left = [row.id for row in outbox.left_in_sending(session)]
        old = [row.id for row in outbox.left_in_sending(session, claimed_before=NOW + 5 * MINUTE)]

    assert (left, old) == ([items[0].id, items[1].id], [items[0].id])


@pytest.mark.parametrize(
    "change",
    [
        "payload_sealed = (SELECT payload_sealed FROM outbox WHERE key = 'other')",
        "recipient_sealed = (SELECT recipient_sealed FROM outbox WHERE key = 'other')",
        "recipient_sealed = payload_sealed",
        "sha256 = (SELECT sha256 FROM outbox WHERE key = 'other')",
        "key_id = (SELECT max(id) FROM sealing_key)",
        "key = 'letter '",
    ],
)
def test_what_was_exchanged_since_the_decision_does_not_open(database: Database, vault: Vault, change: str):
    item = put(database, vault, "letter", payload=b"first")
    put(database, vault, "other", payload=b"second", key_id=item.key_id)
    put(database, vault, "third", payload=b"third")
    with database.reading() as session:
        assert outbox.opened(session, vault, item) == ("camille@courrier.example", b"first")
    with database.transaction() as session:
        session.execute(text(f"UPDATE outbox SET {change} WHERE key = 'letter'"))

    with database.reading() as session, pytest.raises(ValueError, match=f"outbox item {item.id} d"):
        outbox.opened(session, vault, session.get_one(OutboxItem, item.id))


def test_a_letter_of_an_erased_case_does_not_open(database: Database, vault: Vault):
    item = put(database, vault)
    with database.transaction() as session:
        vault.destroy_key(session, item.key_id, now=NOW)

    with database.reading() as session, pytest.raises(ValueError, match=f"outbox item {item.id} does not open"):
        outbox.opened(session, vault, item)


def test_automatic_mails_are_counted_by_time_and_case(database: Database, vault: Vault):
    with database.transaction() as session:
        case = make_case(session, vault)
    assert case.id is not None
    put(database, vault, "a", automatic=True, case_id=case.id)
    put(database, vault, "b", automatic=True)
    put(database, vault, "c", automatic=False, case_id=case.id)
    put(database, vault, "d", automatic=True, channel="desk", case_id=case.id)
    with database.reading() as session:
        counts = [
            outbox.count_automatic(session, since=NOW),
            outbox.count_automatic(session, since=NOW, case_ids=(case.id,)),
            outbox.count_automatic(session, since=NOW, case_ids=()),
            outbox.count_automatic(session, since=NOW + MINUTE),
        ]

    assert counts == [2, 1, 0, 0]


def test_a_mail_is_found_by_its_message_id_and_its_case(database: Database, vault: Vault):
    with database.transaction() as session:
        case = make_case(session, vault)
    item = put(database, vault, message_id="1.abc@mije.example", case_id=case.id)
    with database.reading() as session:
        found = outbox.by_message_id(session, "1.abc@mije.example")
        nothing = outbox.by_message_id(session, "2.abc@mije.example")
        of_case = [row.id for row in outbox.of_case(session, case.id or 0)]

    assert (found and found.id, nothing, of_case) == (item.id, None, [item.id])


def test_the_wait_doubles_up_to_two_hours():
    waits = [outbox.retry_delay(attempts) // MINUTE for attempts in (0, 1, 2, 3, 7, 8, 9, 500)]

    assert waits == [1, 1, 2, 4, 64, 120, 120, 120]
