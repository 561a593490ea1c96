"""Sentences a controller might add, faulty and sound, and whole letters in other words than ours: caught, and let pass."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from handlers.linter import LetterFacts, lint
from handlers.linter.demands import RULES
from templates import to_html
from templates.samples import facts, identity
from tests.test_linter import codes, letter

VECTORS = Path(__file__).parent / "vectors"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (VECTORS / name).read_text(encoding="utf-8").splitlines()]


SENTENCES = rows("sentences.jsonl")


def with_sentence(row: dict[str, Any]) -> LetterFacts:
    """A letter that ships, with the sentence as a paragraph after its greeting."""
    context = facts(row["primary"], **({"identity": identity(row["proof"])} if row["proof"] else {}))
    sound = letter(row["letter"], row["language"], context)
    text = sound.text.replace("\n\n", f"\n\n{row['add']}\n\n", 1)
    return replace(sound, text=text, html=to_html(text, row["language"]))


@pytest.mark.parametrize("row", [r for r in SENTENCES if r["faulty"]], ids=lambda r: f"{r['language']}: {r['what']}")
def test_a_sentence_that_the_law_does_not_let_stand_is_caught(row):
    assert codes(with_sentence(row))


@pytest.mark.parametrize("row", [r for r in SENTENCES if not r["faulty"]], ids=lambda r: r["add"][:40])
def test_a_sentence_that_only_sounds_like_one_passes(row):
    assert lint(with_sentence(row)) == ()


@pytest.mark.parametrize("row", rows("sound_letters.jsonl"), ids=lambda r: f"{r['language']}: {r['kind']}")
def test_a_sound_letter_in_other_words_than_ours_passes(row):
    written = LetterFacts(
        kind=row["kind"], language=row["language"], subject="DSR-2026-0014", text=row["text"],
        html=to_html(row["text"], row["language"]), rights=tuple(row["rights"]), reference="DSR-2026-0014",
        dpo_email="dpo@mije.example", authority_name="CNIL",
        authority_address="3 place de Fontenoy, TSA 80715, 75334 Paris Cedex 07", due=date(2026, 4, 2),
        due_if_not_paused=date(2026, 4, 2), extended_due=date(2026, 6, 2), received_on=date(2026, 3, 2),
        today=date(2026, 3, 20), identity_state=row["identity"], partial=row["kind"] == "partial_refusal",
        organisation="Association MIJE", recipient="camille@boite.example",
    )  # fmt: skip
    assert lint(written) == ()


def test_every_rule_says_what_to_write_in_both_languages():
    assert all(rule.fr.endswith(".") and rule.en.endswith(".") for rule in RULES)
