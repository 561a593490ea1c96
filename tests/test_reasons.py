"""Codes of the register in words: complete in both languages, and no code reaches a person."""

import pytest

from bot.channels.mime_robots import Robots
from bot.desk import reasons
from bot.desk.reasons import in_words
from handlers.gates import BY_WORDS, SUSPICIOUS, TABLE

TABLES = (reasons.CHANNELS, reasons.LANGUAGES, reasons.DISPOSITIONS, reasons.FATES, reasons.REASONS)


@pytest.mark.parametrize("table", TABLES, ids=["channels", "languages", "dispositions", "fates", "reasons"])
def test_both_languages_have_words_for_the_same_codes(table):
    assert set(table["fr"]) == set(table["en"])


@pytest.mark.parametrize("code", sorted({*TABLE, *SUSPICIOUS, *BY_WORDS}))
def test_every_gate_has_words(code):
    assert code in reasons.REASONS["fr"]


def test_reasons_are_said_once_each_and_unknown_ones_stay():
    robots = Robots()
    for reason in ("list-id", "list-unsubscribe", "no-sender"):
        robots.because(reason)
    assert in_words(",".join(("list", *robots.reasons, "new-code")), "fr") == (
        "liste de diffusion, sans expéditeur, new-code"
    )
    assert in_words("", "en") == ""
