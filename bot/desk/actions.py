"""Everything a person may do at the desk, one table and one function each, the same from chat, terminal or mail.

An action runs in one transaction and tells what really happened, after it happened. What is asked names the revision
and the digest it saw; if the case moved on meanwhile, nothing happens and the answer says so.

The functions are in a module for each group; a new one is a function and a line in the ``TABLE`` of its group.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, col, update

from bot import casework
from bot.app import App
from bot.desk import casefile, deciding, drafting, handling, lawful, office, outgoing, proof, sorting, tasks
from bot.desk.basics import (
    HOLE,
    LONGEST_TEXT,
    Action,
    Ask,
    NeedsReason,
    Outdated,
    Refused,
    Stale,
    Told,
    changed_since,
    is_number,
    masked_words,
    moment,
    say,
)  # fmt: skip
from bot.desk.deciding import kept_in_letters
from bot.desk.drafting import LETTERS
from bot.desk.masking import still_masked
from bot.learning import learn
from bot.settings import User
from handlers.types import Notice
from nlp.types import LABELS
from store.models import Button, Case, Draft, Message
from store.sealing import SealingError
from templates import TemplateError

__all__ = [
    "ACTIONS",
    "CHOICES",
    "HOLE",
    "LETTERS",
    "LONGEST_TEXT",
    "Action",
    "Ask",
    "NeedsReason",
    "Refused",
    "Told",
    "kept_in_letters",
    "perform",
]

log = logging.getLogger("dpobot.desk")


def perform(app: App, ask: Ask, *, user: User) -> Told:
    """Do what *user* asks, in one transaction. A refusal changes nothing and says why."""
    now = app.clock.now()
    language = app.settings.desk.language
    action = ACTIONS.get(ask.action)
    if action is None:
        return Told(False, say(language, "Action inconnue.", "Unknown action."))
    if user.role not in action.roles:
        return Told(False, say(language, "Votre rôle ne le permet pas.", "Your role does not allow this."))
    if action.text == "required" and not ask.text.strip():
        return Told(False, say(language, "Il manque un texte.", "A text is missing."))
    if ask.masked and ask.action in INTO_LETTERS and still_masked(ask.text):
        return Told(False, masked_words(language))
    if len(ask.text) > LONGEST_TEXT:
        return Told(
            False,
            say(language, "Texte trop long (20 000 caractères au plus).", "Text too long (20,000 characters at most)."),
        )
    try:
        with app.database.transaction() as session:
            if ask.button:
                _press_once(session, app, ask, user, now)
            _as_seen(session, app, action, ask)
            told = action.run(session, app, user, ask, now)
            learn(session, app, ask.action, ask.subject, by=user.key, now=now)
            _refresh(session, app, ask, now)
    except Refused as refusal:
        if isinstance(refusal, Stale):
            with app.database.transaction() as session:
                if isinstance(refusal, Outdated):
                    deciding.renew(session, app, ask, by=user.key, now=now)
                _refresh(session, app, ask, now)
        return Told(False, str(refusal), isinstance(refusal, NeedsReason))
    except TemplateError as error:
        return Told(False, say(language, f"Lettre impossible : {error}", f"Letter impossible: {error}"))
    except SealingError:
        return Told(False, say(language, "Contenu effacé ou altéré.", "The content was erased or altered."))
    if ask.action == "erase_case":
        app.database.scrub()
    log.info("desk.action", extra={"action": ask.action, "subject": ask.subject, "user": user.key})
    return Told(True, told)


def _press_once(session: Session, app: App, ask: Ask, user: User, now: datetime) -> None:
    """Use up the button; of two presses, or a press delivered twice, one has an effect."""
    used = session.exec(
        update(Button)
        .where(col(Button.key) == ask.button, col(Button.used_at).is_(None))
        .values(used_at=now, used_by=user.key)
    )
    if used.rowcount == 1:
        return
    button = session.get(Button, ask.button)
    by = button.used_by if button else "?"
    raise Refused(say(app.settings.desk.language, f"Déjà fait par {by}.", f"Done already by {by}."))


def _as_seen(session: Session, app: App, action: Action, ask: Ask) -> None:
    """Refuse a decision on a case that is no longer what the card showed, and say what came between.

    A draft that was edited or decided meanwhile says so itself, with the name of who did it.
    """
    kind, _, number = ask.subject.partition(":")
    if ask.seen is None or not action.bound or kind != "case" or not is_number(number):
        return
    case = session.get(Case, int(number))
    changed = changed_since(session, app, case, ask.seen) if case is not None else ""
    draft = session.get(Draft, ask.draft_id) if ask.draft_id else None
    if not changed or (draft is not None and draft.status != "proposed"):
        return
    raise Stale(
        say(
            app.settings.desk.language,
            f"Rien n'est fait : le dossier a changé depuis cette carte ({changed}). La voici à jour.",
            f"Nothing was done: the case has changed since this card ({changed}). Here it is as it stands.",
        )
    )


INTO_LETTERS = frozenset(
    {
        "fill",
        "extend",
        "identity_insufficient",
        "refuse",
        "refuse_partially",
        "ask_requester",
        "ask_fee",
        "lift_restriction",
    }
)
"""Actions whose text goes into a letter word for word (``edit`` restores what was masked, and looks for itself)."""


def _refresh(session: Session, app: App, ask: Ask, now: datetime) -> None:
    """Have the card drawn anew for everybody who sees it."""
    kind, _, number = ask.subject.partition(":")
    if kind == "case":
        case = session.get(Case, int(number))
        if case is not None:
            step = f"{moment(session)}:{ask.action}"
            # The key of a case that was just erased seals nothing any more; that it is erased must be seen all the same.
            key_id = case.key_id if case.address_hash else app.vault.new_key(session, now=now)
            casework.tell_desk(
                session, app, Notice("refresh"), subject=ask.subject, key_id=key_id, step=step, now=now, case=case
            )
    elif kind == "message":
        message = session.get(Message, int(number))
        if message is not None:
            subject = f"case:{message.case_id}" if message.disposition == "opened" else ask.subject
            casework.tell_desk(
                session,
                app,
                Notice("refresh"),
                subject=subject,
                key_id=message.key_id,
                step=f"{moment(session)}:{ask.action}",
                now=now,
            )


_GROUPS = (deciding, drafting, proof, handling, sorting, outgoing, casefile, office, lawful, tasks)

ACTIONS: Mapping[str, Action] = {action.name: action for group in _GROUPS for action in group.TABLE}
"""The one table of what can be done at the desk, by whom, and what it needs."""

CHOICES = (*LABELS, "unclear")
"""The rights one may choose from."""
