"""Our own look at DKIM signatures: real signatures, keys from a function instead of the DNS."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from dataclasses import replace

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.base import RawMessage
from bot.channels.dkim_check import DkimCheck
from bot.intake import reading_of, set_aside
from bot.replay import replay
from store import journal, messages
from store.models import Message
from tests.fakes import Office
from tests.world import mail, paris

CAMILLE = "camille.durand@courrier.example"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = _KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
PUBLIC = b"v=DKIM1; k=rsa; p=" + base64.b64encode(
    _KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
)
LETTER = mail(
    "Bonjour, je voudrais une copie de mes données.\n\nCamille Durand",
    sender=f"Camille Durand <{CAMILLE}>", subject="Mes données",
)  # fmt: skip


def signed(domain: bytes = b"courrier.example", raw: bytes = LETTER, **more: object) -> bytes:
    return bytes(dkim.sign(raw, b"s1", domain, PEM, **more)) + raw


def check(record: bytes | None = PUBLIC) -> DkimCheck:
    return DkimCheck(lookup=lambda name, timeout: record)


def test_the_key_is_asked_for_under_the_selector_and_domain_of_the_signature():
    asked = []
    found = DkimCheck(lookup=lambda name, timeout: asked.append(name) or PUBLIC).verify(signed(), CAMILLE)
    assert (found, asked) == ("pass", ["s1._domainkey.courrier.example"])


@pytest.mark.parametrize(
    ("raw", "address", "verdict"),
    [
        (LETTER, CAMILLE, ""),
        (signed(), CAMILLE, "pass"),
        (signed(b"example"), CAMILLE, ""),
        (signed(b"autre.example"), CAMILLE, ""),
        (signed(b"autre.example", signed()), CAMILLE, "pass"),
        (signed(b"rier.example"), CAMILLE, ""),
        (signed(), "camille.durand@lettres.courrier.example", ""),
        (signed(signature_algorithm=b"rsa-sha1"), CAMILLE, ""),
        (signed(length=True) + b"\r\nEt mon adresse est desormais autre@ailleurs.example.", CAMILLE, ""),
        (signed().replace(b"copie", b"liste"), CAMILLE, "fail"),
        (signed().replace(b"Camille Durand <", b"Camille Martin <"), CAMILLE, "fail"),
        (b"From: autre@ailleurs.example\r\n" + signed(), CAMILLE, ""),
        (signed(raw=LETTER.replace(b"<" + CAMILLE.encode(), b"<x@y.example>, <" + CAMILLE.encode())), CAMILLE, ""),
        (signed() + b" " * 10_000_000, CAMILLE, ""),
    ],
    ids=[
        "none", "whole", "top-level", "foreign", "one-of-two", "lookalike", "other-from", "sha1", "beginning-only",
        "text-changed", "from-changed", "two-from", "two-authors", "too-large",
    ],
)  # fmt: skip
def test_what_a_signature_says(raw, address, verdict):
    assert check().verify(raw, address) == verdict


def test_the_domain_above_may_sign():
    letter = LETTER.replace(b"@courrier.example>", b"@lettres.courrier.example>")
    assert check().verify(signed(raw=letter), "camille.durand@lettres.courrier.example") == "pass"


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (None, "error"), (b"", "fail"), (b"nonsense", "fail"), (b"v=DKIM1; k=rsa; p=", "fail"), (PUBLIC + b"; t=y:s", "fail"),
        (b"v=DKIM1; k=rsa; p=AAAA", "fail"),
    ],
)  # fmt: skip
def test_a_key_that_is_missing_withdrawn_or_on_trial_proves_nothing(record, verdict):
    assert check(record).verify(signed(), CAMILLE) in {verdict, "error"}
    assert check(record).verify(signed(), CAMILLE) != "pass"


def test_a_resolver_that_fails_or_hangs_holds_nothing_up():
    def fails(name: str, timeout: float) -> bytes:
        raise OSError("no network")

    never = threading.Event()
    assert DkimCheck(lookup=fails).verify(signed(), CAMILLE) == "error"
    hanging = DkimCheck(lookup=lambda name, timeout: never.wait() and PUBLIC, timeout=0.01)
    # Four wait for the resolver at most; the fifth mail is not even looked at.
    assert [hanging.verify(signed(), CAMILLE) for _ in range(5)] == ["error", "error", "error", "error", ""]
    never.set()


@given(st.binary(max_size=400), st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_hostile_signatures_and_keys_never_raise_and_never_pass(header, record):
    raw = b"DKIM-Signature: " + header.replace(b"\n", b" ") + b"\r\n" + LETTER
    assert check(record).verify(raw, CAMILLE) in {"", "fail", "error"}


@pytest.fixture
def office(tmp_path) -> Iterator[Office]:
    path = tmp_path / "guests.csv"
    path.write_text(f"name,email\nCamille Durand,{CAMILLE}\n", encoding="utf-8")
    made = Office(tmp_path / "data", contacts={"csv": str(path)})
    made.app.signatures = check()
    yield made
    made.close()


def opened(office: Office) -> tuple[int, str]:
    with office.app.database.reading() as session:
        data = journal.of_case(session, 1)[0].data
    return data["level"], data["reason"]


def test_an_address_on_file_whose_signature_holds_is_asked_nothing(office):
    office.arrive(signed())
    assert (office.case().identity, opened(office)[0]) == ("not_required", 0)


@pytest.mark.parametrize("raw", [LETTER, signed().replace(b"Bonjour", b"Bonsoir")])
def test_without_a_signature_that_holds_the_contact_on_file_is_asked(office, raw):
    office.arrive(raw)
    assert (office.case().identity, opened(office)) == ("requested", (1, "authentication_missing"))


def test_what_is_read_again_is_checked_again(office):
    raw = RawMessage("imap:test", "1:1", paris("2026-03-02 09:00"), signed())
    assert (reading_of(office.app, raw).auth.own_dkim, reading_of(office.app, replace(raw, raw=LETTER)).auth.own_dkim) == (
        "pass", "",
    )  # fmt: skip
    item = set_aside(office.app, raw, problem="ValueError")
    again = replay(office.app, item.message_id)
    with office.app.database.reading() as session:
        message = session.get(Message, again.message_id)
        assert message is not None
        assert messages.view(session, office.app.vault, message)["auth"]["own_dkim"] == "pass"


def test_what_our_own_server_says_comes_first(office):
    refused = b"Authentication-Results: mx.mije.com; dmarc=fail header.from=courrier.example; dkim=fail\r\n"
    office.arrive(refused + signed())
    assert "authentication_failed" in opened(office)[1]
