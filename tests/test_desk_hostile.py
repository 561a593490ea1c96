"""What a stranger can write into a card: nothing that can be pressed, nothing that hides, nothing too long for the chat."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import count

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot import intake
from bot.desk.cards import CARD_LIMIT, draft_text, view_of
from bot.sandbox.bot_api_entities import read_text, utf16_length
from handlers.types import Arrival
from store import cases, drafts
from tests.fakes import Office

PIECES = st.sampled_from(
    [
        "[ici](https://evil.example)", "<a href='https://evil.example'>ici</a>", "*gras* _i_ `code` ||secret||",
        "\u202eevil\u202c", "{{ 7 * 7 }}", "{% include 'x' %}", "%s {0} ${HOME} $(id)", "/approve 1", "@mije_bot", "#DSR",
        "tg://user?id=1", "javascript:1", "t.me/evil", "evil.example/x?y=1", "\x1b[2J", "\u200b\u200d\ufeff",
        "x@evil.example", "+33 6 12 34 56 78", "\n■ Nouvelle demande\n", "<script>alert(1)</script>",
        "'; DROP TABLE case_file; --", "\U0001f4a3" * 40, "A" * 900, "é\u0301" * 60, "﷽" * 200, "=cmd|x",
        "4111 1111 1111 1111", "data:text/html,x", "e\u200bvil.example", "http://[::1]/", "evil。example",
    ]
)  # fmt: skip
HOSTILE = st.lists(
    PIECES | st.text(st.characters(exclude_categories=("Cs",)), max_size=40), min_size=1, max_size=8
).map(" ".join)
MAILS = count()
INVISIBLE = {chr(n) for n in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0x200E, 0x200F, 0xFEFF, 0x1B)}


@pytest.fixture(scope="module", params=["fr", "en"])
def office(tmp_path_factory, request) -> Iterator[Office]:
    users = [{"key": "dpo", "name": "Claude Martinez", "role": "dpo"}]
    made = Office(tmp_path_factory.mktemp("hostile") / "data", desk={"users": users, "language": request.param})
    yield made
    made.close()


def written(office: Office, name: str, subject: str, text: str) -> Arrival:
    """A mail whose every part the stranger chose."""
    # The same words may be drawn twice, and are two mails then.
    key = sha256("\0".join((name, subject, text, str(next(MAILS)))).encode()).hexdigest()
    return Arrival(
        channel="email", source="imap:test", external_id=key, received_at=office.clock.now(), raw=b"x", content_key=key,
        message_id=f"{key[:24]}@evil.example", from_name=name, from_addr=f"{key[:12]}@evil.example", subject=subject,
        text=text, new_text=text,
    )  # fmt: skip


def faults(shown: str, *, limit: int | None = CARD_LIMIT) -> list[str]:
    """What is wrong with a text that goes to the chat."""
    found = [str(entity) for entity in read_text(shown, None)[1]]
    found += [f"U+{ord(character):04X}" for character in shown if character in INVISIBLE]
    return found + ([f"{utf16_length(shown)} units"] if limit and utf16_length(shown) > limit else [])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=HOSTILE, subject=HOSTILE, text=HOSTILE, right=st.sampled_from(["access", "objection", "erasure"]))
@example(name="A. " * 4000, subject="https://evil.example " * 300, text="/start " * 3000, right="access")
def test_whatever_a_stranger_writes_his_card_is_inert_and_fits(office, name, subject, text, right):
    arrival = written(office, name, subject, text)
    opened = intake.enter(office.app, arrival, rights=[right], now=office.clock.now())
    sorted_out = intake.record(office.app, written(office, name, subject, f"{text} peut-être"), now=office.clock.now())
    with office.app.database.reading() as session:
        case = cases.by_reference(session, opened.reference or "")
        assert case is not None
        now = office.clock.now()
        for about in (f"case:{case.id}", f"message:{opened.message_id}", f"message:{sorted_out.message_id}"):
            view = view_of(session, office.app, about, masked=True, now=now, notice="new")
            assert view is not None
            assert faults(view.text) == []
            assert [o.label for row in view.offers for o in row if faults(o.label, limit=64)] == []
        for draft in drafts.proposed(session, case.id or 0):
            shown = draft_text(session, office.app, case, draft, masked=True)
            assert faults(shown, limit=None) == []


def test_a_card_sets_its_colons_as_its_language_does(office):
    arrival = written(office, "Jean Roche", "My data", "Hello, I would like a copy of my data, please.")
    opened = intake.enter(office.app, arrival, rights=["access"], now=office.clock.now())
    with office.app.database.reading() as session:
        case = cases.by_reference(session, opened.reference or "")
        assert case is not None
        view = view_of(session, office.app, f"case:{case.id}", masked=True, now=office.clock.now())
    assert view is not None
    french = office.settings.desk.language == "fr"
    assert (" : " in view.text, "Received: " in view.text) == (french, not french)
