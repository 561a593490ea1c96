"""What the linter finds in a draft, for the card and before an approval."""

from __future__ import annotations

from collections.abc import Sequence

from bot.app import App
from handlers.identity import NEVER_PROVED
from handlers.linter import Finding, LetterFacts, lint
from handlers.tasks import Tracked, left_open
from store.drafts import LetterText
from store.models import Case, Draft

GRANTING = frozenset({"answer", "partial_refusal"})
"""Kinds of letters that say something was done."""


def open_titles(
    tasks: Sequence[Tracked], case: Case, draft: Draft, letter: LetterText, language: str
) -> tuple[str, ...]:
    """Return the titles of the tasks nobody has settled although the letter says that the matter is done (art. 15-19)."""
    if draft.kind not in GRANTING:
        return ()
    found = left_open(tasks, letter.rights or tuple(case.rights))
    if draft.template == "case/nothing_held":
        # That nothing is held is true of what was searched; there is nothing to do and nobody to tell.
        found = tuple(task for task in found if task.task.group == "search")
    titles: dict[str, None] = {}
    for task in found:
        group = task.task.group
        titles[_GROUPS[language].get(group, task.task.titles[language])] = None
    return tuple(titles)


_GROUPS = {
    "fr": {"search": "chercher partout", "media": "images publiées"},
    "en": {"search": "search everywhere", "media": "published pictures"},
}


def findings_of(
    app: App, case: Case, draft: Draft, letter: LetterText, *, tasks: Sequence[Tracked] = ()
) -> tuple[Finding, ...]:
    """Lint a draft as it stands, with the *tasks* of its case; errors stop its approval."""
    settings = app.settings
    # A letter on what needs no proof does not wait for the proof that the rest of the message needs (art. 21(3)).
    part = bool(letter.rights) and NEVER_PROVED.issuperset(letter.rights)
    return lint(
        LetterFacts(
            kind=draft.kind,
            language=draft.language,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            rights=tuple(case.rights),
            reference=case.reference,
            dpo_email=settings.dpo.email,
            authority_name=settings.authority.name,
            authority_address=settings.authority.address,
            recipient=letter.recipient,
            own_addresses=settings.own_addresses,
            organisation=settings.organisation.name if draft.template != "case/recipients" else "",
            today=app.clock.now().astimezone(settings.zone).date(),
            due=case.due,
            due_if_not_paused=case.due_if_not_paused,
            extended_due=case.extended_due,
            received_on=case.received_at.astimezone(settings.zone).date(),
            partial=draft.kind == "partial_refusal",
            identity_state="not_required" if part else case.identity,
            open_tasks=open_titles(tasks, case, draft, letter, settings.desk.language),
        )
    )
