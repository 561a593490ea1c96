"""Who works at the desk right now: the settings' users, the accounts they linked by a code, and who stands in for whom.

A link is made by a code that works once, for an hour, shown on the machine itself: whoever can read the worker's log or
run ``dpobot desk`` there is already trusted. Absences are in the journal, so that the record says on whose behalf a
deputy decided.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, select

from bot.app import App
from bot.channels.chat import FIRST_NUMBER
from bot.settings import User
from store import chat_places, journal
from store.models import Button, DeskLink, Event

CODE_FOR = timedelta(hours=1)
"""How long a code to link an account works."""
_LINK = "link"


def users(session: Session, app: App) -> tuple[User, ...]:
    """Return the desk's users, with the chat accounts they linked where the settings name none."""
    linked = {row.user_key: row for row in session.exec(select(DeskLink).where(DeskLink.channel == "telegram"))}
    taken = {user.telegram_id for user in app.settings.desk.users if user.telegram_id is not None}
    found = []
    for user in app.settings.desk.users:
        row = linked.get(user.key)
        if user.telegram_id is None and row is not None:
            account = int(app.vault.open(session, row.key_id, row.account_sealed, "account"))
            # What the settings say of an account goes before what was linked.
            found.append(user if account in taken else user.model_copy(update={"telegram_id": account}))
        else:
            found.append(user)
    return tuple(found)


def by_telegram(session: Session, app: App, telegram_id: int) -> User | None:
    """Return the desk user behind a Telegram account (its number, never its name), or None."""
    return next((user for user in users(session, app) if user.telegram_id == telegram_id), None)


class Seat(User):
    """A desk user at work on a chat platform: the account there, and the chat the cards go to (numbers)."""

    account: int
    chat_id: int
    group: int | None = None
    """A group of several people in which the user may work, too: what is shown there is for more eyes than the user's."""


def seated(session: Session, app: App, account: int) -> Seat | None:
    """Return the desk user behind an account, whatever the platform, or None."""
    if account < FIRST_NUMBER:
        user = by_telegram(session, app, account)
        return _seat(user, account, account, group=desk_group(app)) if user is not None else None
    found = chat_places.named(session, app.vault, "account", account)
    room = _desk_room(session, app)
    if found is None or room is None:
        return None
    user = next((user for user in users(session, app) if user.matrix_id == found[0]), None)
    return _seat(user, account, room) if user is not None else None


def seats_on_duty(session: Session, app: App, today: date) -> tuple[Seat, ...]:
    """Return whom cards and notices go to today: each to the chat of their own, those in a shared room once."""
    present = on_duty(session, app, today)
    found = [_seat(user, user.telegram_id, user.telegram_id) for user in present if user.telegram_id is not None]
    group = desk_group(app)
    if group is not None:
        linked = [user for user in users(session, app) if user.telegram_id is not None]
        found = [_shared(linked, present, group)] if linked else []
    room = _desk_room(session, app) if app.settings.matrix is not None else None
    inside = [user for user in users(session, app) if user.matrix_id is not None]
    if room is not None and inside:
        found.append(_shared(inside, present, room))
    return tuple(found)


def _shared(inside: Sequence[User], present: Sequence[User], chat_id: int) -> Seat:
    """One card for all: it offers what the first of them may who decides; what is pressed is judged by who presses."""
    first = min(inside, key=lambda user: (user.role not in ("dpo", "deputy"), user not in present))
    return _seat(first, chat_id, chat_id)


def _seat(user: User, account: int, chat_id: int, *, group: int | None = None) -> Seat:
    return Seat(**user.model_dump(), account=account, chat_id=chat_id, group=group)


def desk_group(app: App) -> int | None:
    """Return the number of the Telegram group that is a room of the desk, None where none is."""
    return app.settings.telegram.desk_group if app.settings.telegram is not None else None


def _desk_room(session: Session, app: App) -> int | None:
    settings = app.settings.matrix
    if settings is None or not settings.desk_room:
        return None
    return chat_places.number_of(session, app.vault, "room", settings.desk_room)


def without_chat(session: Session, app: App) -> list[User]:
    """Return the users that could work in chat and have no account there yet."""
    return [user for user in users(session, app) if user.telegram_id is None]


# --- linking an account ----------------------------------------------------------------------------------------------


def _hashed(code: str) -> str:
    return "code:" + hashlib.sha256(code.encode()).hexdigest()


def new_code(session: Session, *, user: User, now: datetime) -> str:
    """Make a one-time code by which *user* links a chat account (``/start CODE``); earlier ones stop working.

    Only its hash is kept.
    """
    earlier = select(Button).where(Button.action == _LINK, Button.subject == f"user:{user.key}")
    for row in session.exec(earlier.where(col(Button.used_at).is_(None))).all():
        row.used_at, row.used_by = now, "superseded"
        session.add(row)
    code = secrets.token_urlsafe(12)
    session.add(
        Button(
            key=_hashed(code), action=_LINK, subject=f"user:{user.key}", chat_id=0, created_at=now,
            expires_at=now + CODE_FOR,
        )
    )  # fmt: skip
    session.flush()
    return code


def link(session: Session, app: App, code: str, telegram_id: int, *, now: datetime) -> User | None:
    """Link the account that sent *code* to the user it was made for; None for a code that is wrong, old or used.

    An account that is somebody's already, or a user who has one, changes nothing: that is done in the settings.
    """
    row = session.get(Button, _hashed(code.strip()))
    if row is None or row.action != _LINK or row.used_at is not None or row.expires_at < now:
        return None
    key = row.subject.removeprefix("user:")
    user = next((u for u in without_chat(session, app) if u.key == key), None)
    if user is None or by_telegram(session, app, telegram_id) is not None:
        return None
    row.used_at, row.used_by = now, key
    session.add(row)
    key_id = app.vault.new_key(session, now=now)
    session.add(
        DeskLink(
            user_key=key, channel="telegram", key_id=key_id, linked_at=now,
            account_sealed=app.vault.seal(session, key_id, str(telegram_id).encode(), "account"),
            account_hash=app.vault.address_hash(f"telegram:{telegram_id}"),
        )
    )  # fmt: skip
    journal.append(session, type="account_linked", actor=key, at=now, now=now, data={"channel": "telegram"})
    return user.model_copy(update={"telegram_id": telegram_id})


# --- absence ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Absence:
    """Somebody is away, from the first day to the last (Paris dates), and who stands in."""

    user: str
    deputy: str
    first: date
    last: date


def absences(session: Session) -> list[Absence]:
    """Return the absences that hold, one a person: the last one set counts, until it is ended."""
    query = select(Event).where(col(Event.type).in_(("absence_set", "absence_ended"))).order_by(col(Event.id))
    found: dict[str, Absence] = {}
    for event in session.exec(query):
        user = str(event.data.get("user", ""))
        if event.type == "absence_ended":
            found.pop(user, None)
        else:
            first, last = (date.fromisoformat(str(event.data[name])) for name in ("from", "until"))
            found[user] = Absence(user, str(event.data.get("deputy", "")), first, last)
    return list(found.values())


def away(session: Session, today: date) -> dict[str, Absence]:
    """Return who is away *today* (a Paris date), by key."""
    return {absence.user: absence for absence in absences(session) if absence.first <= today <= absence.last}


def on_duty(session: Session, app: App, today: date) -> tuple[User, ...]:
    """Return who gets cards and notices today: everybody who is not away. Never nobody who decides."""
    gone = away(session, today)
    everybody = users(session, app)
    present = tuple(user for user in everybody if user.key not in gone)
    return present if any(user.role in ("dpo", "deputy") for user in present) else everybody


def standing_in(session: Session, user: User, today: date) -> tuple[Absence, ...]:
    """Return the absences in which *user* is the deputy today: on whose behalf a decision is taken."""
    return tuple(absence for absence in away(session, today).values() if absence.deputy == user.key)
