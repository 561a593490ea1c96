"""What a card offers: the actions that its state admits and its reader may do, in rows of buttons or lines of a menu."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from bot import casework
from bot.app import App
from bot.desk.actions import ACTIONS, CHOICES, LETTERS
from bot.desk.basics import Permission, permits, stamp
from bot.desk.casefile import merged_into
from bot.desk.words import ABOUT, KINDS, RIGHTS, WORDS, word
from bot.settings import User
from handlers.lifecycle import ALLOWED, UNSETTLED, may
from store import drafts, journal
from store.models import Case, Draft, Event


@dataclass(frozen=True)
class Offer:
    """An action a card offers: what a button or a menu line stands for."""

    action: str
    label: str
    draft_id: int | None = None
    revision: int | None = None
    digest: str = ""
    argument: str = ""
    seen: int | None = None
    """The state of the case on this card (``bot.desk.basics.stamp``)."""


def allowed(offers: tuple[tuple[Offer, ...], ...], user: User) -> tuple[tuple[Offer, ...], ...]:
    """Return what of *offers* this user may do: nothing is offered that would be refused for want of a role."""
    kept = (tuple(offer for offer in row if permits(user, needed(offer.action))) for row in offers)
    return tuple(row for row in kept if row)


def needed(action: str) -> Permission:
    """Return the permission behind an offer: that of its action; a letter is read by those who see names."""
    if action in ("choose_right", "more"):
        return "decide" if action == "choose_right" else "assist"
    return "unmasked" if action in SHOWN else ACTIONS[action].needs


SHOWN = frozenset({"show", "diff"})
"""Offers that only show something."""


def choices(action: str, language: str) -> tuple[Offer, ...]:
    """Return what one may choose from, for an action that needs a right or a kind of letter; empty for any other."""
    if action in ("change_right", "choose_right"):
        name = "open_as" if action == "choose_right" else "change_right"
        return tuple(Offer(name, word(RIGHTS, language, right), argument=right) for right in CHOICES)
    if action == "set_about":
        return tuple(Offer("set_about", label, argument=code) for code, label in ABOUT[language].items())
    if action == "make_draft":
        return tuple(Offer("make_draft", word(KINDS, language, letter), argument=letter) for letter in LETTERS)
    return ()


MORE = (
    "note", "leave_charge", "set_requester", "set_address", "set_subject", "set_about", "identity_in_person",
    "ask_requester", "move_to_mail", "refuse", "refuse_partially", "merge", "unmerge", "hold", "release", "erase_case",
    "task", "set_received", "data_obtained", "ask_fee", "tell_recipients", "lift_restriction", "choose_activities", "send_code",
)  # fmt: skip
"""Actions on a case that are used more rarely: behind a button of their own."""


def more_offers(session: Session, app: App, subject: str) -> tuple[tuple[Offer, ...], ...]:
    """Return the actions on a case that its card does not show, as far as its state admits them."""
    kind, _, number = subject.partition(":")
    case = session.get(Case, int(number)) if kind == "case" else None
    if case is None:
        return ()
    events = journal.of_case(session, case.id or 0)
    state, seen, language = casework.state(events), stamp(events), app.settings.desk.language
    known = frozenset[str]().union(*ALLOWED.values())
    names = [name for name in MORE if name not in known or may(state, name)]
    offers = [Offer(name, ACTIONS[name].button(language), seen=seen) for name in names if _fits(name, case, events)]
    if len(case.rights) > 1 and may(state, "split"):
        label = ACTIONS["split"].label[language]
        offers += [
            Offer(
                "split", f"{label}{WORDS[language]['colon']}{word(RIGHTS, language, right)}", argument=right, seen=seen
            )
            for right in case.rights
        ]
    for draft in drafts.proposed(session, case.id or 0)[:1]:
        offers.append(
            Offer("by_post", ACTIONS["by_post"].button(language), draft.id, draft.revision, draft.digest, seen=seen)
        )
    return tuple(tuple(offers[i : i + 2]) for i in range(0, len(offers), 2))


def _fits(name: str, case: Case, events: Sequence[Event]) -> bool:
    """Whether an action that the state admits would have an effect: nobody is offered to lift a hold there is not."""
    held = casework.state(events).held
    return {
        "leave_charge": bool(case.charge),
        "move_to_mail": case.channel in ("telegram", "matrix"),
        "hold": not held,
        "release": held,
        "unmerge": merged_into(events) is not None,
        "erase_case": bool(case.address_hash) and not held,
    }.get(name, True)


def case_offers(
    app: App, case: Case, events: list[Any], waiting: list[Draft], *, holes: bool, to_post: bool, in_doubt: bool
) -> tuple[tuple[Offer, ...], ...]:
    """Return the actions that a case's card offers, for the letter that is shown first, in rows."""
    language = app.settings.desk.language
    state = casework.state(events).state
    seen = stamp(events)

    def offer(name: str, draft: Draft | None = None, argument: str = "", label: str = "") -> Offer:
        shown = label or ACTIONS[name].button(language)
        if draft is None:
            return Offer(name, shown, argument=argument, seen=seen)
        return Offer(name, shown, draft.id, draft.revision, draft.digest, argument, seen)

    rows: list[tuple[Offer, ...]] = []
    if waiting:
        first = waiting[0]
        rows.append((offer("approve", first), offer("edit", first), offer("reject", first)))
        if holes:
            rows.append((offer("fill", first),))
        words = WORDS[language]
        seen_draft = (first.id, first.revision, first.digest)
        reading = [Offer("show", words["read_all"], *seen_draft)]
        reading += [Offer("diff", words["diff"], *seen_draft)] if first.revision > 1 else []
        rows.append(tuple(reading))
    if to_post:
        rows.append((offer("sent_by_post"),))
    if in_doubt:
        rows.append((offer("letter_left"), offer("letter_again")))
    if case.identity in UNSETTLED:
        names = ("identity_verified", "identity_insufficient", "identity_waived")
        rows.append(tuple(offer(name) for name in names if may(state, name)))
    elif may(state, "request_identity") and case.identity == "not_required":
        rows.append((offer("request_identity"),))
    more = [offer(name) for name in ("make_draft", "extend", "change_right") if may(state, name)]
    rows.append(tuple(more))
    last = [offer(name) for name in ("not_a_request", "close", "reopen", "take_charge") if may(state, name)]
    rows.append(tuple(last))
    rows.append((Offer("more", WORDS[language]["more"], seen=seen),))
    return tuple(row for row in rows if row)
