"""Every right, every outcome, in both languages and for every reader: the letter renders, passes the linter and can be read."""

from __future__ import annotations

from itertools import product

import pytest

from handlers.linter import lint
from templates import render
from templates.readability import reading_ease, sentences_of, syllables
from templates.samples import RIGHTS, facts, identity
from tests.test_linter import letter
from tests.test_templates import MARKER

OUTCOMES = {
    "granted": ("{right}/answer", {}),
    "partly refused": ("{right}/refusal", {"partial": True}),
    "refused": ("{right}/refusal", {}),
    "nothing held": ("case/nothing_held", {}),
    "cannot identify": ("case/not_identified", {"identity": identity(2)}),
    "not competent": ("case/not_competent", {}),
    "needs clarification": ("case/clarification", {}),
    "excessive": ("case/excessive", {}),
    "extended": ("case/extension", {}),
    "fee announced": ("case/fee", {}),
    "restriction lifted": ("case/lifting", {}),
    "closed": ("case/closing", {}),
    "acknowledged": ("{right}/receipt", {}),
}
AUDIENCES = {
    "adult": {},
    "child": {"child": True},
    "parent": {"acts_for": "minor_child"},
    "agent": {"acts_for": "mandate"},
    "relative": {"acts_for": "deceased"},
}


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_right_and_reader_gets_a_letter_that_passes(outcome, language):
    template, more = OUTCOMES[outcome]
    for right, (audience, who) in product(RIGHTS, AUDIENCES.items()):
        name = template.format(right=right)
        # What is lifted was restricted.
        others = ("restriction",) if outcome == "restriction lifted" and right != "restriction" else ()
        checked = letter(name, language, facts(right, *others, **more, **who))
        assert lint(checked) == (), (right, audience)


def test_there_is_a_letter_for_each_of_the_combinations():
    assert len(RIGHTS) * len(OUTCOMES) * 2 * len(AUDIENCES) == 1430


# --- readability -----------------------------------------------------------------------------------------------------


def eases(language: str, **who) -> dict[str, float]:
    found = {}
    for template, more in OUTCOMES.values():
        for right in RIGHTS:
            name = template.format(right=right)
            text = MARKER.sub("", render(name, language, facts(right, **{**more, **who})).text)
            found[name] = reading_ease(text.split("DSR-2026-0014\n")[0], language)
    return found


@pytest.mark.parametrize(("language", "plain", "young"), [("fr", 55, 72), ("en", 50, 68)])
def test_letters_are_plain_and_those_to_children_plainer(language, plain, young):
    adults, children = eases(language), eases(language, child=True)
    mean = sum(adults.values()) / len(adults)
    mean_young = sum(children.values()) / len(children)
    assert mean >= plain, sorted((round(v), k) for k, v in adults.items())[:5]
    assert mean_young >= young, sorted((round(v), k) for k, v in children.items())[:5]
    assert min(adults.values()) >= 35
    harder = [name for name in children if children[name] < adults[name] - 3 and "/" in name]
    assert harder == []


def test_what_is_long_and_of_long_words_is_harder():
    easy = "We got your message. We will write to you soon. It is free."
    hard = "Notwithstanding the aforementioned considerations, administrative authorities unilaterally determine applicability."
    assert reading_ease(easy, "en") > 80
    assert reading_ease(hard, "en") < 0
    assert reading_ease("", "fr") == 100
    assert [syllables(word, "fr") for word in ("demande", "données", "nous", "effacées")] == [2, 2, 1, 3]
    assert sentences_of("Voici la réponse. (article 12) Écrivez à dpo@mije.example :") == [["Voici", "la", "réponse"]]
