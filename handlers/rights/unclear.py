"""Unclear: it may be a request and does not say which (art. 12(2): the controller helps the person exercise)."""

from __future__ import annotations

from handlers.opening import answer_letter, open_request
from handlers.types import Letter, Outcome, Right, Situation, Task
from store.models import CaseFacts


def open_case(case: CaseFacts, situation: Situation) -> Outcome:
    """Ask what the person wishes; the clock runs from the day the message arrived."""
    return open_request(case, situation)


def answer(case: CaseFacts, situation: Situation) -> Letter:
    """Answer what was asked once it is clear."""
    return answer_letter(case, situation)


RIGHT = Right(
    name="unclear",
    article="12(2)",
    titles={"fr": "votre message", "en": "your message"},
    identity_level=0,
    at_once=False,
    open=open_case,
    answer=answer,
    cues={
        "fr": (),
        "en": (),
    },
    tasks=(
        Task(
            "sort",
            {
                "fr": "dire quel droit est exercé, ou le demander à la personne",
                "en": "say which right is exercised, or ask the person",
            },
            "12(2)",
        ),
    ),
)
