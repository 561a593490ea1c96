"""What every right has in common when a request arrives and when it is answered.

Art. 12(3) GDPR: the answer is due within a month; the acknowledgement is not demanded by law, but tells the person
what was understood
and from when the month runs. Proof of identity is asked in the same letter, and only where :mod:`handlers.identity`
found a reason to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handlers.identity import said_doubts
from handlers.types import Fact, IdentityNeed, Letter, Notice, Outcome, Situation
from store.models import CaseFacts

DELETE_AFTER_DAYS = 30
"""Longest life of a copy of an identity document, undecided or not (law: at once after the check, CNIL Carrefour)."""


def letter_facts(case: CaseFacts, situation: Situation, *, reviewed: bool = False) -> dict[str, Any]:
    """Return the facts that every letter about a case needs; the shell adds who we are and who is written to.

    Only a letter that the DPO reads first (*reviewed*) speaks to a child as to a child (art. 12(1)): that the writer is one was
    read from the message, and to be called « tu » by a machine's mistake is worse than plain words.
    """
    return {
        "reference": case.reference,
        "primary": case.primary,
        "rights": list(case.rights),
        "other_rights": [right for right in case.rights if right != case.primary],
        "channel": case.channel,
        "child": reviewed and case.minor and not case.third_party,
        "acts_for": case.third_party,
        "due": situation.due.isoformat() if situation.due else "",
        "due_if_not_paused": situation.due_if_not_paused.isoformat(),
        "today": situation.today.isoformat(),
        "late": situation.due is not None and situation.today > situation.due,
        "minor_erasure": case.minor and "erasure" in case.rights,
    }


def need_data(need: IdentityNeed) -> dict[str, Any]:
    """Return what the journal keeps of a decision about identity: the rung, the coded doubts, the means offered."""
    return {"reason": ",".join(need.doubts), "level": need.level, "means": list(need.means)}


def identity_facts(need: IdentityNeed, *, pause: bool = True) -> dict[str, Any] | None:
    """Return what a letter says about the proof it asks for; None where nothing is asked."""
    if not need.asked:
        return None
    return {
        "level": need.level,
        "doubts": list(said_doubts(need)),
        "means": list(need.means),
        "delete_after_days": DELETE_AFTER_DAYS,
        "pause": pause,
    }


def open_request(case: CaseFacts, situation: Situation, *, urgent: bool = False) -> Outcome:
    """Acknowledge a request, ask for proof of identity where it is needed, and tell the DPO."""
    need = situation.identity
    opened = Fact(
        "case_opened",
        {
            "rights": list(case.rights),
            "language": case.language,
            "channel": case.channel,
            "identity": "required" if need.asked else "not_required",
            **need_data(need),
        },
    )
    urgent = urgent or "breach_report" in case.rights
    notice = Notice("case_opened", urgent=urgent, facts={"reference": case.reference})
    return Outcome(events=(opened,), letters=_first_letters(case, situation), notices=(notice,))


def _first_letters(case: CaseFacts, situation: Situation) -> tuple[Letter, ...]:
    facts = letter_facts(case, situation)
    automatic = situation.may_answer and situation.acknowledge_automatic
    need = situation.identity
    asks = need.asked and not situation.proof_at_hand
    asks_now = asks and situation.identity_automatic and situation.may_answer
    if not situation.reply_language_supported:
        # Nobody should wait a month for a word he can read: a holding reply in two languages goes out at once. Where proof
        # is needed it is asked there too, since nothing else will reach that person before a human translates.
        holding = Letter(
            "case/holding",
            case.language,
            {**facts, "identity": identity_facts(need) if asks_now else None},
            "acknowledgement+identity_request" if asks_now else "acknowledgement",
            automatic,
        )
        return (holding, identity_letter(case, situation)) if asks and not asks_now else (holding,)
    receipt = Letter(
        f"{case.primary}/receipt",
        case.language,
        {
            **facts,
            "identity": identity_facts(need) if asks_now else None,
            "proof_enclosed": need.asked and situation.proof_at_hand,
        },
        "acknowledgement+identity_request" if asks_now else "acknowledgement",
        automatic,
    )
    if asks and not asks_now:
        return receipt, identity_letter(case, situation)
    return (receipt,)


def identity_letter(case: CaseFacts, situation: Situation, *, automatic: bool = False) -> Letter:
    """The stand-alone request for proof of identity (art. 12(6))."""
    facts = {**letter_facts(case, situation), "identity": identity_facts(situation.identity)}
    return Letter("case/identity", case.language, facts, "identity_request", automatic)


def part_of(case: CaseFacts, rights: Sequence[str]) -> CaseFacts:
    """Return the case as if only *rights* were exercised: what a letter that answers them is about."""
    return case.model_copy(update={"rights": list(rights), "primary": rights[0]})


def answer_letter(case: CaseFacts, situation: Situation, **more: Any) -> Letter:
    """The draft of the answer: always waits for the DPO (art. 12(3), 5(2), 24)."""
    facts = {**letter_facts(case, situation, reviewed=True), "register": [], **more}
    return Letter(f"{case.primary}/answer", case.language, facts, "answer")


def refusal_letter(case: CaseFacts, situation: Situation, *, partial: bool = False, **more: Any) -> Letter:
    """The draft of a refusal, whole or partial, with reasons and remedies (art. 12(4))."""
    facts = {**letter_facts(case, situation, reviewed=True), "partial": partial, **more}
    return Letter(f"{case.primary}/refusal", case.language, facts, "partial_refusal" if partial else "refusal")


def extension_letter(case: CaseFacts, situation: Situation, *, until: str, reason: str) -> Letter:
    """The draft of the notice of extension (art. 12(3)): until when (ISO date) and why, within the first month."""
    facts = {**letter_facts(case, situation), "extended_due": until, "reason": reason}
    return Letter("case/extension", case.language, facts, "extension")
