"""What is sealed opens with its key, for its purpose, unaltered, and not otherwise; a destroyed key is gone."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, SQLModel, col, create_engine, delete

from store import cases, drafts, outbox
from store.database import Database
from store.drafts import LetterText
from store.models import Marker, Message, SealingKey
from store.sealing import MasterKeyError, SealingError, Vault, new_master_key
from tests.store_makers import MASTER_KEY, NOW, make_case, make_draft

if TYPE_CHECKING:
    from tests.pg import PostgresServer

pytest_plugins = ("tests.pg",)
OTHER_KEY = "YW5vdGhlciBrZXkgb2YgdGhlIHRlc3RzIDMyIGJ5dGU="


SEARCH = """
import pathlib, sys
marker = bytes.fromhex(sys.argv[2])
print(*sorted(p.name for p in pathlib.Path(sys.argv[1]).rglob("*") if p.is_file() and marker in p.read_bytes()))
"""


def files_with(folder: Path, marker: bytes) -> list[str]:
    """Names of the files below *folder* that hold *marker*.

    Read by another process: to close a store's file in this one would drop SQLite's locks on it.
    """
    done = subprocess.run(
        [sys.executable, "-c", SEARCH, folder, marker.hex()], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def memory() -> Session:
    """A session on a store in memory with nothing but keys, for what needs hundreds of them."""
    engine = create_engine("sqlite://")
    SQLModel.metadata.tables["sealing_key"].create(engine)
    return Session(engine)


@settings(max_examples=60)
@given(data=st.binary(max_size=2000), purpose=st.text(st.characters(codec="ascii"), max_size=20))
def test_what_is_sealed_opens_again(data: bytes, purpose: str):
    with memory() as session:
        vault = Vault(MASTER_KEY)
        key_id = vault.new_key(session, now=NOW)
        sealed = vault.seal(session, key_id, data, purpose)

        assert (Vault(MASTER_KEY).open(session, key_id, sealed, purpose), len(sealed)) == (data, len(data) + 28)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(value=json_values)
def test_any_json_opens_again_even_with_half_characters(value: object):
    with memory() as session:
        vault = Vault(MASTER_KEY)
        key_id = vault.new_key(session, now=NOW)

        assert vault.open_json(session, key_id, vault.seal_json(session, key_id, value, "view"), "view") == value


def test_half_characters_of_broken_mail_are_kept(sqlite_store: Database, vault: Vault):
    broken = b"Andr\xe9".decode("utf-8", "surrogateescape")
    with sqlite_store.transaction() as session:
        key_id = vault.new_key(session, now=NOW)
        assert vault.open_json(session, key_id, vault.seal_json(session, key_id, broken, "view"), "view") == broken
    assert vault.address_hash(broken) != vault.address_hash("Andr")


@settings(max_examples=120)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.integers(0, 60))
def test_one_altered_bit_or_a_missing_end_is_found(at: int, bit: int, cut: int):
    with memory() as session:
        vault = Vault(MASTER_KEY)
        key_id = vault.new_key(session, now=NOW)
        sealed = vault.seal(session, key_id, b"proof of identity", "content")
        altered = bytearray(sealed)
        altered[at % len(sealed)] ^= 1 << bit

        for forged in (bytes(altered), sealed[: len(sealed) - 1 - cut % len(sealed)]):
            with pytest.raises(SealingError):
                vault.open(session, key_id, forged, "content")


def test_only_the_right_key_and_purpose_open_it(database: Database, vault: Vault):
    with database.transaction() as session:
        key_id, other = vault.new_key(session, now=NOW), vault.new_key(session, now=NOW)
        sealed = vault.seal(session, key_id, b"Camille", "person")
        refusals = []
        for opener, number, purpose in (
            (vault, key_id, "raw"),
            (vault, other, "person"),
            (vault, 404, "person"),
            (Vault(OTHER_KEY), key_id, "person"),
        ):
            with pytest.raises(SealingError) as refused:
                opener.open(session, number, sealed, purpose)
            refusals.append(str(refused.value))

    assert refusals == [
        "sealed raw does not open: altered, or sealed for something else",
        "sealed person does not open: altered, or sealed for something else",
        "key 404 was destroyed: its case has been erased",
        "the master key does not fit this store; use the one it was made with",
    ]


def test_a_wrong_master_key_is_found_at_the_start(database: Database, vault: Vault):
    with database.reading() as session:
        Vault(OTHER_KEY).check(session)
    with database.transaction() as session:
        vault.new_key(session, now=NOW)
        vault.destroy_key(session, vault.new_key(session, now=NOW), now=NOW)
    with database.reading() as session:
        vault.check(session)
        with pytest.raises(SealingError, match="the master key does not fit this store"):
            Vault(OTHER_KEY).check(session)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("", "the master key must be 32 bytes in base64; make one with 'dpobot init'"),
        ("c2hvcnQ=", "the master key must be 32 bytes in base64; make one with 'dpobot init'"),
        ("a", "the master key is not base64; make one with 'dpobot init'"),
        ("clé", "the master key is not base64; make one with 'dpobot init'"),
    ],
)
def test_a_bad_master_key_says_what_to_do(key: str, message: str):
    with pytest.raises(MasterKeyError) as refused:
        Vault(key)

    assert str(refused.value) == message


def test_fresh_master_keys_work_and_differ():
    assert Vault(new_master_key()).address_hash("a@b.example") != Vault(new_master_key()).address_hash("a@b.example")


def test_a_key_that_was_rolled_back_is_not_used_for_the_next_of_its_number(database: Database, vault: Vault):
    with pytest.raises(OSError, match="power"), database.transaction() as session:  # noqa: PT012
        first = vault.new_key(session, now=NOW)
        vault.seal(session, first, b"never stored", "raw")
        raise OSError("power")
    with database.transaction() as session:
        second = vault.new_key(session, now=NOW)
        sealed = vault.seal(session, second, b"stored", "raw")

    with database.reading() as session:
        assert Vault(MASTER_KEY).open(session, second, sealed, "raw") == b"stored"


def test_a_destroyed_key_opens_nothing_here_or_in_another_process(database: Database, vault: Vault):
    elsewhere = Vault(MASTER_KEY)
    with database.transaction() as session:
        key_id = vault.new_key(session, now=NOW)
        sealed = vault.seal(session, key_id, b"Camille", "person")
        assert elsewhere.open(session, key_id, sealed, "person") == b"Camille"
    with database.transaction() as session:
        vault.destroy_key(session, key_id, now=NOW)
        vault.destroy_key(session, key_id, now=NOW)
        vault.destroy_key(session, 404, now=NOW)

    for opener in (vault, elsewhere, Vault(MASTER_KEY)):
        with database.reading() as session, pytest.raises(SealingError, match="was destroyed"):
            opener.open(session, key_id, sealed, "person")
    with database.transaction() as session, pytest.raises(SealingError, match="was destroyed"):
        vault.seal(session, key_id, b"more", "person")


def test_destroying_a_key_that_is_rolled_back_destroys_nothing(database: Database, vault: Vault):
    with database.transaction() as session:
        key_id = vault.new_key(session, now=NOW)
        sealed = vault.seal(session, key_id, b"Camille", "person")
    with pytest.raises(OSError, match="power"), database.transaction() as session:  # noqa: PT012
        vault.destroy_key(session, key_id, now=NOW)
        session.flush()
        raise OSError("power")

    with database.reading() as session:
        assert vault.open(session, key_id, sealed, "person") == b"Camille"


MARKER = "Q7zMARKERx9"


def test_no_file_of_the_store_tells_what_was_sealed(sqlite_store: Database, vault: Vault):
    folder = sqlite_store.path.parent
    letter = LetterText(f"{MARKER}@courrier.example", MARKER, f"Bonjour {MARKER}", f"<p>{MARKER}</p>")
    with sqlite_store.transaction() as session:
        case = make_case(session, vault)
        cases.set_person(session, vault, case, cases.Person(MARKER, f"{MARKER}@courrier.example"))
        draft = make_draft(session, vault, case, letter=letter)
        drafts.revise(session, vault, case=case, draft=draft, seen_revision=1, letter=letter, by="dpo", now=NOW)
        outbox.enqueue(
            session, vault, key="k", channel="mail", kind="answer", key_id=case.key_id, recipient=letter.recipient,
            payload=MARKER.encode(), now=NOW, case_id=case.id,
        )  # fmt: skip
        view = {"subject": MARKER, "from_addr": f"{MARKER}@courrier.example"}
        session.add(
            Message(
                channel="email", content_key="k", received_at=NOW, recorded_at=NOW, disposition="opened",
                case_id=case.id, key_id=case.key_id, raw_key_id=case.key_id,
                view_sealed=vault.seal_json(session, case.key_id, view, "view"),
                raw_sealed=vault.seal(session, case.key_id, MARKER.encode(), "raw"),
            )
        )  # fmt: skip
        reference = case.reference

    found = {text: files_with(folder, text.encode()) for text in (MARKER, MARKER.lower(), MASTER_KEY[:20])}
    assert files_with(folder, reference.encode()) == ["dpobot.db-wal"]  # the search itself works
    assert found == {MARKER: [], MARKER.lower(): [], MASTER_KEY[:20]: []}


def test_a_destroyed_key_is_gone_from_every_file_once_scrubbed(sqlite_store: Database, vault: Vault):
    folder = sqlite_store.path.parent
    with sqlite_store.transaction() as session:
        key_ids = [vault.new_key(session, now=NOW) for _ in range(40)]
        key_id = key_ids[17]
        wrapped = session.get_one(SealingKey, key_id).wrapped or b""
        kept = session.get_one(SealingKey, key_ids[3]).wrapped or b""
    assert sqlite_store.scrub()
    assert files_with(folder, wrapped) == ["dpobot.db"]
    with sqlite_store.transaction() as session:
        vault.destroy_key(session, key_id, now=NOW)

    with sqlite_store.reading() as session:
        session.get(SealingKey, 1)
        impatient = Database(sqlite_store.url, busy_timeout=0.05)
        assert not impatient.scrub()
        impatient.close()
    assert sqlite_store.scrub()
    assert (files_with(folder, wrapped), files_with(folder, kept)) == ([], ["dpobot.db"])


def test_what_was_deleted_is_gone_from_every_file_once_scrubbed(sqlite_store: Database):
    with sqlite_store.transaction() as session:
        session.add_all(Marker(key=f"{MARKER}-{number}", at=NOW) for number in range(300))
    with sqlite_store.transaction() as session:
        session.exec(delete(Marker).where(col(Marker.key).endswith("7")))
    with sqlite_store.transaction() as session:
        session.exec(delete(Marker))

    assert sqlite_store.scrub()
    assert files_with(sqlite_store.path.parent, MARKER.encode()) == []


def test_a_destroyed_key_is_gone_from_postgresql_once_scrubbed(postgres_server: "PostgresServer", vault: Vault):
    store = Database(postgres_server.new_database())
    with store.transaction() as session:
        key_id = vault.new_key(session, now=NOW)
        wrapped = session.get_one(SealingKey, key_id).wrapped or b""
    with store.transaction() as session:
        vault.destroy_key(session, key_id, now=NOW)
    before = files_with(postgres_server.checkpointed() / "base", wrapped)

    assert store.scrub()

    after = files_with(postgres_server.checkpointed() / "base", wrapped)
    store.close()
    assert (len(before), after) == (1, [])


def test_tokens_are_ours_for_what_they_were_made_for(vault: Vault):
    token = vault.token("DSR-2026-0001", "answer")

    assert (len(token), vault.token_fits(token, "DSR-2026-0001", "answer")) == (16, True)
    assert not vault.token_fits(token, "DSR-2026-0002", "answer")
    assert not vault.token_fits(token, "DSR-2026-0001answer")
    assert not Vault(OTHER_KEY).token_fits(token, "DSR-2026-0001", "answer")


def test_addresses_compare_by_case_folded_text_and_nothing_else(vault: Vault):
    assert vault.address_hash(" Camille@Courrier.EXAMPLE ") == vault.address_hash("camille@courrier.example")
    assert vault.address_hash("a.b@courrier.example") != vault.address_hash("ab@courrier.example")
