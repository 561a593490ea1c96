"""Keys about what people were shown and told: drafts, notices, the chat, refusals."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bot.rehearsal.format import shown
from bot.rehearsal.keys.base import (
    PERSON,
    Finding,
    Keys,
    View,
    count,
    holds,
    listed,
    one_of,
    text_check,
    texts,
    yes_no,
)
from bot.rehearsal.observe import DPO_CHATS, Notice, links_in
from bot.rehearsal.people import number_of
from bot.rehearsal.steps import Outcome
from bot.rehearsal.world import DEPUTY, DPO


def _draft(view: View, key: str, value: Any) -> list[Finding]:
    case = view.case
    cases = [case] if case is not None else [] if view.handle else view.cast.observer.cases()
    texts = [text for one in cases for _, text in view.cast.observer.drafts(one)]
    if not texts:
        good = key == "draft_must_not_contain"
        return [holds(good, key, value, "no draft")]
    # The desk shows one draft first; what is asked for may be in another one that waits beside it.
    return text_check(key, value, texts, "draft")


def _notified(view: View, key: str, value: Any) -> list[Finding]:
    told = view.cast.observer.notices(view.since)
    seen = "; ".join(_line(notice) for notice in told[:6]) or "nobody was told anything"
    return [holds(bool(told) == bool(value), key, value, seen)]


def _line(notice: Notice) -> str:
    first = next((line for line in notice.text.splitlines() if line.strip()), "")
    return f"{'dpo' if notice.user == DPO else notice.user} by {notice.by}: {first[:80]}"


def _notified_user(view: View, key: str, value: Any) -> list[Finding]:
    told = view.cast.observer.notices(view.since)
    found = []
    for user in listed(value):
        number = {"dpo_1": DPO, "dpo_2": DEPUTY}.get(str(user), 0) or number_of(user)
        hers = [notice for notice in told if notice.user == number]
        found.append(holds(bool(hers), key, user, "; ".join(_line(n) for n in hers[:3]) or "told nothing"))
    return found


def _urgent(view: View, key: str, value: Any) -> list[Finding]:
    told = [notice for notice in view.cast.observer.notices(view.since) if notice.new]
    urgent = [notice for notice in told if notice.urgent]
    seen = "; ".join(_line(notice) for notice in (urgent or told)[:4]) or "nobody was told anything"
    return [holds(bool(urgent) == bool(value), key, value, seen)]


def _dpo_message(view: View, key: str, value: Any) -> list[Finding]:
    told = view.cast.observer.notices(view.since)
    if key == "dpo_messages_max":
        new = [notice for notice in told if notice.new]
        per_user = max((sum(notice.user == user for notice in new) for user in DPO_CHATS), default=0)
        return [holds(per_user <= int(value), key, f"at most {value}", f"{per_user} to one person")]
    # What a command of the DPO is answered with is said to the DPO as well, in the chat or the terminal it was given in.
    answers = [
        outcome.told for n, outcome in view.cast.outcomes.items()
        if outcome.step.action == "dpo_command" and view.expectation.since_step <= n <= view.expectation.after_step
    ]  # fmt: skip
    return text_check(key, value, [*(notice.text for notice in told), *answers], "message to the DPO")


def _telegram(view: View, key: str, value: Any) -> list[Finding]:
    wanted = [number_of(user) for user in listed(view.checks["telegram_to"])] if "telegram_to" in view.checks else None
    messages = view.cast.observer.chat_messages(view.since, wanted)
    if key == "telegram_messages_max":
        # The same told to two people is one notice in each chat; what counts is how much one person gets.
        per_chat = Counter(notice.user for notice in messages if notice.new)
        most = max(per_chat.values(), default=0)
        return [holds(most <= int(value), key, f"at most {value}", f"{most} in one chat, {per_chat.total()} in all")]
    if key == "telegram_requests_max":
        calls = view.cast.observer.calls(view.since)
        return [holds(len(calls) <= int(value), key, f"at most {value}", f"{len(calls)} (polling aside)")]
    if key == "telegram_entities_must_not_link":
        if value in (False, None):
            return [Finding(PERSON, key, shown(value), "only true or texts can be checked")]
        hits = sorted({f"{kind}: {text}" for kind, text in links_in(messages)})
        if value is not True:
            hits = [hit for hit in hits if any(str(one).lower() in hit.lower() for one in listed(value))]
        return [holds(not hits, key, value, hits or "nothing can be clicked")]
    return text_check(key, value, [notice.text for notice in messages], "chat message")


def telegram_to(view: View, key: str, value: Any) -> list[Finding]:
    """Whether a chat was written to at all."""
    wanted = [number_of(user) for user in listed(value)]
    messages = view.cast.observer.chat_messages(view.since, wanted)
    return [holds(bool(messages), key, value, f"{len(messages)} messages")]


def _answered(view: View, key: str, value: Any) -> list[Finding]:
    pressed = [
        c
        for outcome in view.cast.outcomes.values()
        if view.expectation.since_step <= outcome.step.n
        for c in outcome.callbacks
    ]
    answered = {answer.callback_id for answer in view.cast.world.chat.answers}
    open_ones = [callback for callback in pressed if callback not in answered]
    if isinstance(value, int) and not isinstance(value, bool):
        return [holds(len(pressed) - len(open_ones) == value, key, value, f"{len(pressed) - len(open_ones)} answered")]
    return [holds((not open_ones) == bool(value), key, value, f"{len(pressed)} pressed, {len(open_ones)} unanswered")]


def _refused(view: View, key: str, value: Any) -> list[Finding]:
    outcome = view.outcome
    told, did = outcome.told, outcome.done
    answers = {answer.callback_id: answer for answer in view.cast.world.chat.answers}
    if outcome.callbacks:
        said = [answers[c] for c in outcome.callbacks if c in answers]
        told = " / ".join(answer.text for answer in said)
        did = any(answer.text and not answer.alert for answer in said)
    elif outcome.step.action == "telegram_message":
        replies = view.cast.observer.chat_messages(outcome.mark)
        told = " / ".join(notice.text.splitlines()[0][:100] for notice in replies if notice.text)
        did = None
    effects = _effects(view, outcome)
    refused = did is not True and not effects and bool(told.strip())
    seen = f"told: {told[:150] or 'nothing'}" + (f"; effects: {', '.join(effects)}" if effects else "")
    return [holds(refused == bool(value), key, value, seen)]


def _effects(view: View, outcome: Outcome) -> list[str]:
    """What a step did to mails and cases."""
    mails = [mail for mail in view.cast.observer.mails(outcome.mark) if not mail.to_dpo]
    found = [f"{mail.kind} → {', '.join(mail.attempt.recipients)}" for mail in mails]
    for case in view.cast.observer.cases():
        events = [event for event in view.cast.observer.events(case) if (event.id or 0) > outcome.mark.journal]
        found += [f"{case.reference} {event.type}" for event in events if event.actor not in ("person",)]
    return found


KEYS: Keys = {
    "draft_must_contain": (texts, _draft), "draft_must_contain_any": (texts, _draft),
    "draft_must_not_contain": (texts, _draft),
    "dpo_notified": (yes_no, _notified), "dpo_notified_user": (texts, _notified_user), "dpo_urgent": (yes_no, _urgent),
    "dpo_message_must_contain": (texts, _dpo_message), "dpo_message_must_contain_any": (texts, _dpo_message),
    "dpo_message_must_not_contain": (texts, _dpo_message), "dpo_messages_max": (count, _dpo_message),
    "telegram_must_contain": (texts, _telegram), "telegram_must_contain_any": (texts, _telegram),
    "telegram_must_not_contain": (texts, _telegram),
    "telegram_entities_must_not_link": (one_of(yes_no, texts), _telegram),
    "telegram_messages_max": (count, _telegram), "telegram_requests_max": (count, _telegram),
    "telegram_callbacks_answered": (one_of(yes_no, count), _answered), "command_refused": (yes_no, _refused),
}  # fmt: skip
