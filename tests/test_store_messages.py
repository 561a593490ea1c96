"""Messages: found again wherever a copy lay, and mailboxes remembered without keeping every number for ever."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, SQLModel, create_engine, func, select

from store import messages
from store.database import Database
from store.models import Message, SettledUid, StoredAttachment
from store.sealing import Vault
from tests.store_makers import NOW, make_case

pytest_plugins = ("tests.pg",)
PLACES = st.tuples(st.sampled_from(["imap:a", "imap:b"]), st.sampled_from([1, 4_000_000_000]))
STEPS = st.lists(
    st.tuples(st.sampled_from(["settle", "settle", "settle", "raise"]), PLACES, st.integers(1, 15)), max_size=20
)
IN_MEMORY = create_engine("sqlite://")
SQLModel.metadata.create_all(IN_MEMORY)


@settings(max_examples=60)
@given(steps=STEPS)
def test_settled_numbers_are_those_below_the_mark_and_the_single_ones_above(steps: list[Any]):
    low: dict[Any, int] = {}
    done: dict[Any, set[int]] = {}
    with Session(IN_MEMORY) as session:
        for what, (source, uidvalidity), number in steps:
            mailbox, place = {"source": source, "uidvalidity": uidvalidity}, (source, uidvalidity)
            if what == "settle":
                messages.settle(session, **mailbox, uid=number)
                done.setdefault(place, set()).add(number)
            else:
                messages.raise_low_water(session, **mailbox, low=number)
                low[place] = max(low.get(place, 0), number)
            mark = low.get(place, 0)
            above = frozenset(uid for uid in done.get(place, ()) if uid > mark)
            assert messages.settled(session, **mailbox) == (mark, above)
        kept = session.exec(select(func.count()).select_from(SettledUid)).one()
    assert kept == sum(uid > low.get(place, 0) for place, uids in done.items() for uid in uids)


def test_a_mailbox_is_remembered_in_the_store(database: Database):
    mailbox = {"source": "imap:mail.example/dpo/INBOX", "uidvalidity": 4_294_967_295}
    for uid in (3, 1, 4, 3, 4_294_967_295):
        with database.transaction() as session:
            messages.settle(session, **mailbox, uid=uid)
    with database.transaction() as session:
        messages.raise_low_water(session, **mailbox, low=3)
    with database.reading() as session:
        assert messages.settled(session, **mailbox) == (3, frozenset({4, 4_294_967_295}))
        assert messages.settled(session, source="imap:other", uidvalidity=4_294_967_295) == (0, frozenset())


def make_message(session: Session, vault: Vault, content_key: str, **values: Any) -> Message:
    key_id = vault.new_key(session, now=NOW)
    message = Message(
        **{
            "channel": "email", "content_key": content_key, "received_at": NOW, "recorded_at": NOW, "key_id": key_id,
            "raw_key_id": key_id, "disposition": "opened", "sender_hash": "sender",
            "view_sealed": vault.seal_json(session, key_id, {"subject": content_key}, "view"),
            "raw_sealed": vault.seal(session, key_id, content_key.encode(), "raw"), **values,
        }
    )  # fmt: skip
    session.add(message)
    session.flush()
    return message


def test_a_message_is_found_by_each_place_it_lay_in_and_by_its_content(database: Database, vault: Vault):
    with database.transaction() as session:
        message = make_message(session, vault, "k1")
        make_message(session, vault, "k2")
        for external_id in ("1:7", "1:9"):
            messages.note_sighting(
                session, source="imap:a", external_id=external_id, message_id=message.id or 0, now=NOW
            )
        session.add(
            StoredAttachment(
                message_id=message.id, key_id=message.key_id, name_sealed=b"", content_sealed=b"", size=1, sha256="s",
                content_type="application/pdf",
            )
        )  # fmt: skip
    with database.reading() as session:
        places = [("imap:a", "1:7"), ("imap:a", "1:9"), ("imap:b", "1:7"), ("imap:a", "1:8")]
        found = [messages.seen_at(session, source=source, external_id=name) for source, name in places]
        copy = messages.by_content(session, "k1")
        assert copy is not None
        opened = (messages.view(session, vault, copy), messages.raw(session, vault, copy))
        files = [file.sha256 for file in messages.attachments(session, message.id or 0)]
        nothing = messages.by_content(session, "k3")

    assert found == [message.id, message.id, None, None]
    assert (copy.id, opened, files, nothing) == (message.id, ({"subject": "k1"}, b"k1"), ["s"], None)


def test_what_waits_for_a_person_and_what_was_ignored(database: Database, vault: Vault):
    hour = timedelta(hours=1)
    with database.transaction() as session:
        case = make_case(session, vault)
        make_message(session, vault, "newer", disposition="to_sort", received_at=NOW + hour)
        make_message(session, vault, "older", disposition="quarantine")
        make_message(session, vault, "done", disposition="authority", sorted_at=NOW)
        make_message(session, vault, "spam", disposition="ignored", recorded_at=NOW + hour)
        make_message(session, vault, "old spam", disposition="ignored", recorded_at=NOW - hour, sender_hash="other")
        make_message(session, vault, "second", case_id=case.id, received_at=NOW + hour)
        make_message(session, vault, "first", case_id=case.id)
    with database.reading() as session:
        waiting = [message.content_key for message in messages.waiting_for_a_person(session)]
        ignored = [message.content_key for message in messages.ignored_since(session, NOW)]
        of_case = [message.content_key for message in messages.of_case(session, case.id or 0)]
        counted = [
            messages.count_from_sender(session, sender, since=since)
            for sender, since in (("sender", NOW), ("sender", NOW + hour), ("other", NOW), ("nobody", NOW))
        ]

    assert (waiting, ignored, of_case) == (["older", "newer"], ["spam"], ["first", "second"])
    assert counted == [6, 2, 1, 0]
