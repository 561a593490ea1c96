"""Who wrote in a chat that we number: forgotten with the last case from there, and nobody else is."""

from __future__ import annotations

from sqlmodel import select

from bot import intake
from bot.desk.public import PublicChat, arrival_of
from bot.sending import send_due
from store import chat_places
from store.models import ChatPlace, SealingKey


def written(office, person: str, text: str) -> str:
    """Somebody writes in a direct room; return the case that came of it."""
    app, now = office.app, office.clock.now()
    with app.database.transaction() as session:
        room = chat_places.note(session, app.vault, "room", f"!{person}:mije.example", now=now)
        account = chat_places.note(
            session, app.vault, "account", f"@{person}:mije.example", now=now, facts={"room": f"!{person}:mije.example"}
        )
        event = chat_places.note(
            session, app.vault, "event", f"${person}{len(text)}", now=now, facts={"room": f"!{person}:mije.example"}
        )
    message = {
        "message_id": event, "date": int(now.timestamp()), "text": text, "chat": {"id": room, "type": "private"},
        "from": {"id": account, "first_name": person.title()},
    }  # fmt: skip
    return intake.record(app, arrival_of(app, message, text, event), now=now).reference or ""


def places(office) -> list[str]:
    with office.app.database.reading() as session:
        return sorted(row.kind for row in session.exec(select(ChatPlace)).all())


def test_the_room_of_the_last_case_is_forgotten_and_its_keys_with_it(office):
    first = written(office, "jean", "Bonjour, arrêtez vos publicités.")
    office.clock.move_to(office.clock.now())
    other = written(office, "lucie", "Bonjour, je voudrais une copie de mes données.")
    assert (first, other) == ("DSR-2026-0001", "DSR-2026-0002")
    with office.app.database.reading() as session:
        rows = session.exec(select(ChatPlace)).all()
        keys = {row.key_id for row in rows if "jean" in chat_places.named(
            session, office.app.vault, row.kind, chat_places.OFFSET + (row.id or 0))[0]}  # fmt: skip
    assert len(keys) == 3
    assert places(office) == ["account", "account", "event", "event", "room", "room"]
    assert office.do("close", text="clos").done
    assert office.do("erase_case", text=first).done
    assert places(office) == ["account", "event", "room"]
    with office.app.database.reading() as session:
        assert [session.get_one(SealingKey, key).wrapped for key in keys] == [None] * 3
        assert chat_places.number_of(session, office.app.vault, "room", "!lucie:mije.example") is not None


def test_a_room_with_another_case_stays(office):
    written(office, "jean", "Bonjour, arrêtez vos publicités.")
    written(office, "jean", "Bonjour, je voudrais une copie de mes données.")
    before = places(office)
    assert office.do("close", text="clos").done
    assert office.do("erase_case", text="DSR-2026-0001").done
    with office.app.database.reading() as session:
        others = len({row.kind for row in session.exec(select(ChatPlace)).all()})
    assert (places(office), others) == (before, 3)


def test_a_message_taken_back_is_noted_once_and_the_request_stands(office):
    reference = written(office, "jean", "Bonjour, arrêtez vos publicités.")
    with office.app.database.reading() as session:
        rows = {row.kind: chat_places.OFFSET + (row.id or 0) for row in session.exec(select(ChatPlace)).all()}
    public = PublicChat(office.app, None)
    taken_back = {
        "message_id": rows["event"], "date": 1, "chat": {"id": rows["room"]}, "from": {"id": rows["account"]},
    }  # fmt: skip
    due = office.case(reference).due
    public.withdrawn(taken_back)
    public.withdrawn({**taken_back, "message_id": rows["event"] + 1000})
    public.withdrawn({**taken_back, "chat": {"id": rows["room"] + 1000}})
    assert office.types(reference).count("message_withdrawn") == 1
    assert (office.case(reference).state, office.case(reference).due) == ("open", due)
    send_due(office.app)
    told = office.mailer.to("dpo@mije.com")[-1]
    assert str(told["Subject"]).startswith("Le demandeur a retiré un message")
