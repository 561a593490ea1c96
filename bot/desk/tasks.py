"""Tasks at the desk: what a right makes us do beside answering, ticked off from the card by its numbers.

``fait 1 3``, ``sans objet 4 : nous n'avons rien transmis``, ``rouvrir 2``, ``ajouter : demander au transporteur``. A group
has a name (``fait search``), and ``fait tout`` means whatever is open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from bot import casework
from bot.app import App
from bot.desk.basics import Action, Ask, NeedsReason, Refused, both, case_of, say
from bot.desk.text import inert, visible
from bot.settings import User
from bot.tasks import tracked
from handlers.tasks import LIFT, OWN, Tracked, may_lift, restricted_since
from nlp.fold import fold
from store import journal
from store.models import Case, Event

_VERBS = {
    "done": ("fait", "faite", "faits", "faites", "done", "ok"),
    "skipped": ("sans objet", "so", "skip", "n/a", "na", "not applicable"),
    "open": ("rouvrir", "reopen", "open", "annuler", "undo"),
    "added": ("ajouter", "add", "plus"),
}  # fmt: skip
_ALL = frozenset({"tout", "tous", "toutes", "all", "*"})
LONGEST_TITLE = 200
"""Characters of a task that the desk adds."""
_MARKS = {"open": "☐", "done": "☑", "skipped": "–"}


def lines_of(found: Sequence[Tracked], language: str, *, masked: bool) -> list[str]:
    """Return the tasks as a card shows them: numbered, a line each; those of a group stand in one line."""
    show = inert if masked else visible
    lines: list[str] = []
    grouped: dict[str, list[str]] = {}
    for number, task in enumerate(found, start=1):
        title = task.task.titles[language]
        shown = f"{_MARKS[task.state]} {number} {show(title) if task.task.group == OWN else title}"
        if task.task.group in _GROUPS[language]:
            grouped.setdefault(task.task.group, []).append(shown)
            continue
        who = f" ({task.by})" if task.state != "open" and task.by else ""
        source = f" – {task.task.source}" if task.task.group != OWN else ""
        lines.append(f"{shown}{source}{who}")
    heads = [
        f"{_GROUPS[language][name]} : " if language == "fr" else f"{_GROUPS[language][name]}: " for name in grouped
    ]
    return [*(head + " · ".join(rows) for head, rows in zip(heads, grouped.values(), strict=True)), *lines]


_GROUPS = {
    "fr": {"search": "Chercher", "media": "Images publiées"},
    "en": {"search": "Search", "media": "Published pictures"},
}


def _task(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Say of tasks that they are done, without object (with the reason) or open again, or add one."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="task")
    verb, rest = _verb(f"{ask.argument} {ask.text}".strip())
    if verb == "added":
        return _add(session, app, user, case, rest, now)
    events = journal.of_case(session, case.id or 0)
    found = tracked(session, app, case, events)
    chosen, reason = _chosen(found, rest, every=verb == "open")
    if not verb or not chosen:
        raise Refused(
            say(language, "Écrivez : fait 1 3 · sans objet 2 : raison · rouvrir 2 · ajouter : texte (numéros de la carte).",
                "Write: done 1 3 · skip 2: reason · reopen 2 · add: text (numbers of the card).")
        )  # fmt: skip
    if verb == "skipped" and not reason:
        raise NeedsReason(
            say(language, "Dites pourquoi c'est sans objet : sans objet 2 : raison.", "Say why: skip 2: reason.")
        )
    _lifting(app, found, chosen, events, verb)
    for task in chosen:
        if task.state != verb:
            data = {"task": task.task.code, "state": verb}
            casework.note(session, app, case, "task_set", actor=user.key, now=now, data=data, text=reason)
    left = sum(t.open for t in tracked(session, app, case))
    return say(language, f"Noté ; {left} tâche(s) ouverte(s).", f"Noted; {left} task(s) open.")


def _verb(text: str) -> tuple[str, str]:
    """Split what was typed into what is said of the tasks and the rest; an unknown beginning gives no verb."""
    folded = fold(text).text
    for state, words in _VERBS.items():
        for word in sorted(words, key=len, reverse=True):
            if re.match(rf"{re.escape(word)}(?![\w])", folded):
                return state, text.strip()[len(word) :].strip(" :,-–")
    return "", text


def _chosen(found: Sequence[Tracked], text: str, *, every: bool) -> tuple[list[Tracked], str]:
    """Return the tasks that a text begins with, by number, code or group, and what follows: the reason."""
    chosen: list[Tracked] = []
    rest = text
    while match := re.match(r"\s*(?:,|et\b|and\b)?\s*([^\s,:;]+(?::[a-z_0-9]+)?)[\s,;]*", rest):
        name = match[1].lower()
        if name.isdecimal() and name.isascii() and len(name) < 4:
            named = list(found[int(name) - 1 : int(name)]) if int(name) else []
        elif name in _ALL:
            named = [t for t in found if (t.open or every) and t.task.when != "standing"]
        else:
            named = [t for t in found if name in (t.task.code, t.task.group)]
        if not named:
            break
        chosen += [t for t in named if t not in chosen]
        rest = rest[match.end() :]
        if rest.startswith(":"):
            break
    return chosen, rest.strip(" :,;-–\n")


def _lifting(app: App, found: Sequence[Tracked], chosen: Sequence[Tracked], events: Sequence[Event], verb: str) -> None:
    """A restriction is noted as lifted only once its marker was set and the person was told before (art. 18(3))."""
    if verb == "open" or all(t.task.code != LIFT for t in chosen):
        return
    language = app.settings.desk.language
    why = may_lift(found, events)
    if verb == "skipped" and restricted_since(found) is None:
        return
    if why == "no-marker":
        raise Refused(
            say(language, "La limitation n'est pas marquée : rien à lever.", "The restriction is not marked: nothing to lift.")
        )  # fmt: skip
    if why:
        raise Refused(
            say(language, "La personne doit être prévenue avant (art. 18.3) : « Lever la limitation » prépare l'avis.",
                "The person is told before (art. 18(3)): “Lift the restriction” prepares the notice.")
        )  # fmt: skip


def _add(session: Session, app: App, user: User, case: Case, title: str, now: datetime) -> str:
    language = app.settings.desk.language
    title = " ".join(title.split())
    if not title or len(title) > LONGEST_TITLE or not title.isprintable():
        raise Refused(say(language, "Écrivez la tâche en une ligne.", "Write the task in one line."))
    before = sum(event.type == "task_added" for event in journal.of_case(session, case.id or 0))
    data = {"task": f"{OWN}:{before + 1}"}
    casework.note(session, app, case, "task_added", actor=user.key, now=now, data=data, text=title)
    return say(language, "Tâche ajoutée.", "Task added.")


TABLE = (
    Action(
        "task", _task, "case", both("Tâches", "Tasks"), "required",
        both("fait 1 3 · sans objet 2 : raison · rouvrir 2 · ajouter : texte (numéros de la carte)",
             "done 1 3 · skip 2: reason · reopen 2 · add: text (numbers of the card)"),
        undo="task",
    ),
)  # fmt: skip
"""The actions of this group."""
