"""What every action of the desk is made of: what is asked, what is told, who may, and how things are found.

The groups of actions (letters, people, case files, absence …) import this; ``bot.desk.actions`` puts them into one table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from sqlmodel import Session

from bot import casework
from bot.app import App
from bot.desk.words import CHANGES, VOIDED, word
from bot.settings import User
from handlers.lifecycle import may
from store import journal
from store.models import Case, Draft, Event, Message

LONGEST_TEXT = 20_000
"""Characters of an edited letter or a reason."""

HOLE = re.compile(r"\[\[[^\[\]]*\]\]")
"""What only the DPO knows, marked in a draft; see ``handlers.linter``."""

Permission = Literal["read", "assist", "decide", "unmasked", "documents"]
"""``read`` cards; ``assist``: notes, taking charge, entering requests; ``decide``: everything else that can be done;
``unmasked``: names, addresses and texts as they are; ``documents``: files, exports, identity documents."""

PERMISSIONS: Mapping[str, frozenset[Permission]] = MappingProxyType(
    {
        "dpo": frozenset({"read", "assist", "decide", "unmasked", "documents"}),
        "deputy": frozenset({"read", "assist", "decide", "unmasked", "documents"}),
        "helper": frozenset({"read", "assist"}),
        "auditor": frozenset({"read", "unmasked"}),
    }
)
"""The one table of who may what at the desk: role -> permissions. Chat, terminal and mail all ask it."""


def permits(user: User, permission: Permission) -> bool:
    """Say whether *user* may; a role that the table does not know may nothing."""
    return permission in PERMISSIONS.get(user.role, frozenset())


@dataclass(frozen=True)
class Ask:
    """What somebody at the desk asks for."""

    action: str
    subject: str
    """``case:<id>``, ``message:<id>`` or ``desk``."""
    draft_id: int | None = None
    revision: int | None = None
    digest: str = ""
    argument: str = ""
    """A right, a kind of letter."""
    text: str = ""
    """Free text: an edited letter, a reason, a note."""
    button: str = ""
    """The key of the button that was pressed: it works once, in the same transaction as what it does."""
    masked: bool = False
    """Whether the text was written over a masked draft."""
    seen: int | None = None
    """The state of the case on the card that was acted on (:func:`stamp`); None where no card was looked at."""


@dataclass(frozen=True)
class Told:
    """What happened, in words for the one who asked."""

    done: bool
    text: str
    reason_helps: bool = False
    """Whether the same could be done by somebody who says why."""


class Refused(Exception):
    """The action had no effect; the message tells its author why. Codes and words, no personal data."""


class NeedsReason(Refused):
    """The action had no effect, but would have one with a reason."""


class Stale(Refused):
    """The action had no effect: the case is no longer what was on the card. It is drawn anew."""


class Outdated(Stale):
    """The action had no effect: what would leave is no longer what was on the card. It is made and drawn anew."""


FINAL: Mapping[str, str] = {"fr": "définitif", "en": "final"}
AT_ONCE: Mapping[str, str] = {"fr": "part aussitôt", "en": "leaves at once"}
SENDS: Mapping[str, str] = {
    "fr": "Une lettre part aussitôt au demandeur et ne se rappelle pas.",
    "en": "A letter leaves for the person at once and cannot be recalled.",
}
"""What is said before an action by which a letter may leave without another approval."""


@dataclass(frozen=True)
class Action:
    """An action: who may, what it needs, what it is called, and how it is undone."""

    name: str
    run: Callable[[Session, App, User, Ask, datetime], str]
    on: Literal["case", "draft", "message", "desk"]
    label: Mapping[str, str]
    text: Literal["none", "optional", "required"] = "none"
    prompt: Mapping[str, str] | None = None
    needs: Permission = "decide"
    undo: str = ""
    """The action that takes it back; empty where there is none: then it is final, and *warning* says so beforehand."""
    warning: Mapping[str, str] | None = None
    """What is said before an action that cannot be undone, or not at once."""
    sends: bool = False
    """Whether a letter may leave at once: the action can be undone, the letter not, and it says so beforehand."""

    @property
    def roles(self) -> frozenset[str]:
        """The roles that may."""
        return frozenset(role for role, permissions in PERMISSIONS.items() if self.needs in permissions)

    def button(self, language: str) -> str:
        """What stands on its button; an act that cannot be undone says so, unless it asks for a text first."""
        if self.text != "none" or not (self.sends or self.warning is not None):
            return self.label[language]
        return f"{self.label[language]} ({(AT_ONCE if self.sends else FINAL)[language]})"

    def asked(self, language: str) -> str:
        """The question that comes before it, with the warning where it is final."""
        question = (self.prompt or self.label)[language]
        before = self.warning or (SENDS if self.sends else None)
        return f"{before[language]}\n{question}" if before is not None else question

    @property
    def bound(self) -> bool:
        """Whether it holds only for the state that was seen; a note or an entry holds whatever happened meanwhile."""
        return self.on in ("case", "draft") and self.needs == "decide"


def say(language: str, french: str, english: str) -> str:
    """Return the sentence in the desk's language."""
    return french if language == "fr" else english


def both(french: str, english: str) -> dict[str, str]:
    """Return a sentence by language."""
    return {"fr": french, "en": english}


def register_words(error: Exception, language: str) -> str:
    """What is told where the register of processing lacks something; what exactly, the error says in English."""
    return say(language, f"Registre des traitements à compléter : {error}.", f"To complete: {error}.")


def masked_words(language: str) -> str:
    """What is told where a text still carries the sign of a mask."""
    return say(
        language,
        "Le texte contient encore des passages masqués (•) : complétez-les, ou modifiez dans « dpobot desk ».",
        "The text still holds masked passages (•): complete them, or edit in 'dpobot desk'.",
    )


def moment(session: Session) -> str:
    """Name this point of the journal: a step taken again later is another step, the same one repeated is not."""
    return journal.head(session)[:20]


# --- the state that was seen -----------------------------------------------------------------------------------------

_ON_MERITS = frozenset({"answer", "refusal", "partial_refusal", "extension"})


def matters(event: Event) -> bool:
    """Whether an event changes what a decision on the case rests on: routine letters and notes do not."""
    if event.type == "letter_sent":
        return bool(_ON_MERITS & set(str(event.data.get("kind", "")).split("+")))
    if event.type == "draft_approved":
        return event.actor != "bot"
    return event.type in CHANGES["fr"]


def stamp(events: Sequence[Event]) -> int:
    """Return what names the state of a case: the number of the last event that matters."""
    return max((event.id or 0 for event in events if matters(event)), default=0)


def changed_since(session: Session, app: App, case: Case, seen: int) -> str:
    """Say what changed in a case since the state *seen*; empty where nothing did."""
    language = app.settings.desk.language
    later = [event for event in journal.of_case(session, case.id or 0) if (event.id or 0) > seen and matters(event)]
    told = [f"{word(CHANGES, language, event.type)} ({event.actor})" for event in later]
    return ", ".join(dict.fromkeys(told))


# --- finding what is meant -------------------------------------------------------------------------------------------


def is_number(text: str) -> bool:
    """Whether a text is a row's number."""
    return text.isdecimal() and text.isascii() and len(text) <= 18


def case_of(session: Session, app: App, ask: Ask, *, does: str | None = None) -> Case:
    """Return the case that is meant. Raises :class:`Refused` if there is none, or its state does not admit *does*."""
    kind, _, number = ask.subject.partition(":")
    case = session.get(Case, int(number)) if kind == "case" and is_number(number) else None
    language = app.settings.desk.language
    if case is None:
        raise Refused(say(language, "Dossier introuvable.", "No such case."))
    if does is not None and not may(casework.state(journal.of_case(session, case.id or 0)), does):
        raise Refused(
            say(
                language,
                f"Impossible dans l'état actuel du dossier {case.reference}.",
                f"Not possible in the present state of case {case.reference}.",
            )
        )
    return case


def draft_of(session: Session, app: App, ask: Ask) -> tuple[Case, Draft]:
    """Return the draft that was seen, if it still is what was seen; else :class:`Refused` says why not."""
    language = app.settings.desk.language
    case = case_of(session, app, ask)
    draft = session.get(Draft, ask.draft_id) if ask.draft_id else None
    if draft is None or draft.case_id != case.id:
        raise Refused(say(language, "Projet introuvable.", "No such draft."))
    if draft.status == "approved":
        raise Refused(
            say(language, f"Déjà approuvé par {draft.decided_by}.", f"Approved already by {draft.decided_by}.")
        )
    if draft.status != "proposed":
        raise Refused(_no_longer_valid(session, app, case, draft))
    if draft.revision != ask.revision or draft.digest != ask.digest:
        raise Refused(
            say(
                language,
                "Le projet a changé depuis : regardez la nouvelle version.",
                "The draft has changed since: look at the new revision.",
            )
        )
    return case, draft


def _no_longer_valid(session: Session, app: App, case: Case, draft: Draft) -> str:
    """Say why a draft cannot be decided any more: refused by whom, or voided by what."""
    language = app.settings.desk.language
    if draft.status == "rejected":
        by = draft.decided_by
        return say(language, f"Ce projet a été refusé par {by}.", f"This draft was refused by {by}.")
    for event in reversed(journal.of_case(session, case.id or 0)):
        if event.type == "draft_voided" and event.data.get("draft") == str(draft.id):
            why = word(VOIDED, language, str(event.data.get("reason", "")))
            return say(language, f"Ce projet n'est plus valable : {why}.", f"This draft is no longer valid: {why}.")
    return say(language, "Ce projet n'est plus valable.", "This draft is no longer valid.")


def message_of(session: Session, app: App, ask: Ask) -> Message:
    """Return the item to sort that is meant. Raises :class:`Refused` if there is none."""
    kind, _, number = ask.subject.partition(":")
    message = session.get(Message, int(number)) if kind == "message" and is_number(number) else None
    if message is None:
        raise Refused(say(app.settings.desk.language, "Message introuvable.", "No such message."))
    return message
