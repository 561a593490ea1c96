"""What the linter finds in a draft, for the card and before an approval."""

from __future__ import annotations

from bot.app import App
from handlers.identity import NEVER_PROVED
from handlers.linter import Finding, LetterFacts, lint
from store.drafts import LetterText
from store.models import Case, Draft


def findings_of(app: App, case: Case, draft: Draft, letter: LetterText) -> tuple[Finding, ...]:
    """Lint a draft as it stands; errors stop its approval."""
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
        )
    )
