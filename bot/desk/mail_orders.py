"""The desk by mail, for when the chat is down: a reply to a notice, with the one-time key that stands in it.

A notice that goes to a desk user's own address shows the draft that waits, masked, and a signed key bound to that very draft,
revision and digest, that state of the case, that user and address, and an hour until which it holds. A reply from that address
with that key approves it, refuses it or notes something, once. A mail "from the DPO" without a key gives no orders (attack: the
impostor); neither does one whose sender our own server disproves, nor a robot's. What came of it is told by mail, after it
happened.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.app import App
from bot.channels import mime
from bot.channels.base import RawMessage
from bot.desk import roster
from bot.desk.actions import ACTIONS, Ask, Told, perform
from bot.desk.basics import permits, say, stamp
from bot.desk.cards import draft_text
from bot.evidence import disproved
from bot.letters import is_our_message_id, mime_bytes, new_message_id
from bot.settings import User
from handlers.types import Arrival
from nlp.fold import fold
from store import drafts, journal, outbox
from store.models import Button, Case

log = logging.getLogger("dpobot.desk.mail")

_KEY = re.compile(r"(?<![\w-])dk_([A-Za-z0-9_-]{24})(?![\w-])")
_ORDERS = {
    "approve": ("approuver", "approuve", "approve", "approved", "ok"),
    "reject": ("refuser", "refuse", "reject"),
    "note": ("noter", "note"),
}
"""What a reply may say in its first word: action -> words, without accents."""
_WORDS = {word: action for action, words in _ORDERS.items() for word in words}


def _button_key(key: str) -> str:
    return "mail:" + hashlib.sha256(key.encode()).hexdigest()


def _signature(app: App, button: Button, nonce: str, address: str) -> str:
    """Sign (HMAC, with the store's key) what a key stands for: case, draft, revision, digest, user, address, until when.

    A row that somebody altered, or an address that is the user's no more, makes the key worthless.
    """
    until = str(int(button.expires_at.timestamp()))
    parts = (
        button.subject,
        str(button.draft_id),
        str(button.revision),
        button.digest,
        str(button.seen),
        button.argument,
    )
    return app.vault.token("mail-order", nonce, *parts, address.lower(), until)


def _holds(app: App, button: Button | None, user: User, key: str) -> bool:
    """Whether a key is one of ours, for this user at this address, for what its row says, and not too old."""
    if button is None or button.argument != f"user:{user.key}" or button.expires_at < app.clock.now():
        return False
    return hmac.compare_digest(key[8:], _signature(app, button, key[:8], user.email or ""))


def offer(session: Session, app: App, case: Case, user: User, *, now: datetime) -> list[str]:
    """Return the lines of a notice that let *user* decide by a reply; none where no draft waits, or he may not decide.

    The key is signed; only a hash of it is kept. It works as long as a button does (``desk.button_hours``).
    """
    waiting = drafts.proposed(session, case.id or 0)
    if not waiting or not permits(user, "decide") or not app.settings.desk.mail_orders:
        return []
    draft = waiting[-1]
    language = app.settings.desk.language
    nonce = secrets.token_hex(4)
    button = Button(
        key="", action="mail", subject=f"case:{case.id}", draft_id=draft.id, revision=draft.revision,
        digest=draft.digest, argument=f"user:{user.key}", seen=stamp(journal.of_case(session, case.id or 0)), chat_id=0,
        created_at=now, expires_at=now + timedelta(hours=app.settings.desk.button_hours),
    )  # fmt: skip
    key = nonce + _signature(app, button, nonce, user.email or "")
    button.key = _button_key(key)
    session.add(button)
    session.flush()
    shown = draft_text(session, app, case, draft, masked=True)
    return [
        "",
        say(language, "La lettre qui attend (données masquées) :", "The letter that waits (data masked):"),
        "",
        *(f"| {line}" for line in shown.splitlines()),
        "",
        say(
            language,
            "Pour décider par courriel, répondez à ce message, de cette adresse, en laissant la clé ci-dessous.\n"
            "Première ligne : APPROUVER (définitif : la lettre part aussitôt), ou REFUSER et la raison, ou NOTER et la note.",
            "To decide by mail, reply to this message, from this address, leaving the key below.\n"
            "First line: APPROVE (final: the letter leaves at once), or REJECT and the reason, or NOTE and the note.",
        ),
        say(language, f"Clé (une seule fois) : dk_{key}", f"Key (works once): dk_{key}"),
    ]


def take(app: App, raw: RawMessage) -> bool:
    """Carry out a mail that is a desk user's reply with a key; False for any other mail, which goes its usual way.

    Safe to repeat: a key works once, and what came of it is told once.
    """
    with app.database.reading() as session:
        people = {u.email.lower(): u for u in roster.users(session, app) if u.email and permits(u, "decide")}
    if not people or not any(address.encode() in raw.raw.lower() for address in people):
        return False
    settings = app.settings
    domains = frozenset(address.rpartition("@")[2] for address in settings.own_addresses)
    arrival = mime.arrival(
        raw, authserv_ids=settings.mail.authserv_ids, own_addresses=settings.own_addresses, own_domains=domains
    )
    user = people.get(arrival.from_addr.lower())
    found = _KEY.findall(f"{arrival.subject}\n{arrival.text}")
    if user is None or not found or is_our_message_id(app, arrival.message_id):
        return False
    if arrival.is_auto_reply or arrival.is_bounce or arrival.is_list or disproved(arrival):
        return False
    told = _order(app, arrival, user, found[0])
    _tell(app, arrival, user, told)
    log.info("desk.mail_order", extra={"user": user.key, "done": told.done})
    return True


def _order(app: App, arrival: Arrival, user: User, key: str) -> Told:
    language = app.settings.desk.language
    first, _, rest = arrival.new_text.strip().partition("\n")
    word, _, reason = first.strip().partition(" ")
    action = _WORDS.get(re.sub(r"\W", "", fold(word).text))
    with app.database.reading() as session:
        button = session.get(Button, _button_key(key))
    if button is None or not _holds(app, button, user, key):
        return Told(
            False,
            say(language, "Cette clé n'est pas valable, ou a expiré.", "This key is not valid, or has expired."),
        )
    if action is None:
        return Told(
            False,
            say(
                language,
                "Rien n'est fait : la première ligne doit dire APPROUVER, REFUSER ou NOTER.",
                "Nothing was done: the first line must say APPROVE, REJECT or NOTE.",
            ),
        )
    text = "" if action == "approve" else _without_key(f"{reason}\n{rest}").strip()
    ask = Ask(
        action, button.subject, button.draft_id, button.revision, button.digest, "", text, button=button.key,
        seen=button.seen if ACTIONS[action].bound else None,
    )  # fmt: skip
    return perform(app, ask, user=user)


def _without_key(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not _KEY.search(line))


def _tell(app: App, arrival: Arrival, user: User, told: Told) -> None:
    """Tell the user by mail what came of it, once for each mail of his."""
    now = app.clock.now()
    language = app.settings.desk.language
    done = say(language, "fait", "done") if told.done else say(language, "rien n'est fait", "nothing was done")
    letter = drafts.LetterText(
        recipient=user.email or "", subject=f"dpobot – {done}", text=f"{told.text}\n\ndpobot desk\n", html="",
        in_reply_to=arrival.message_id,
    )  # fmt: skip
    with app.database.transaction() as session:
        message_id = new_message_id(app, f"{app.settings.reference_prefix}-0000-0000")
        outbox.enqueue(
            session, app.vault, key=f"desk-order:{arrival.content_key}", channel="desk_mail", kind="order",
            key_id=app.vault.new_key(session, now=now), recipient=letter.recipient,
            payload=mime_bytes(app, letter, message_id=message_id, now=now, automatic=True), now=now,
            message_id=message_id, automatic=True,
        )  # fmt: skip
