"""History in the ways that mail programs write it: introductions, clients and languages times kinds of answer."""

import json
from pathlib import Path

import pytest

from nlp.clean import split

LINES = [
    json.loads(line)
    for line in (Path(__file__).parent / "vectors" / "history.jsonl").read_text(encoding="utf-8").splitlines()
]
INTRODUCTIONS: dict[str, tuple[str, bool | None]] = {
    each["id"]: (each["introduction"], each["marked"]) for each in LINES if "introduction" in each
}
"""What stands above the history, and whether its lines are marked with ">" (None: they are all there is)."""
CASES = {each["id"]: (each["sent"], each["new"]) for each in LINES if "sent" in each}

# (as sent, what of it is new)
ANSWERS = {
    "short": ("Oui.", "Oui."),
    "letter": ("Bonjour,\n\nJe maintiens ma demande d'accès. Voici ma pièce d'identité.\n\nCordialement,\nMarie Roux",)
    * 2,
    "list": (
        "Bonjour,\n\nJe souhaite recevoir :\n- mes réservations\n- mes factures\n\nEnvoyé au 12 rue X : rien reçu.\nMerci",
    )
    * 2,
    "date": (
        "Madame,\n\nLe 12 février 2026, votre collègue Jean m'a écrit :\n« tout est effacé ». C'est faux.\n\nM. Roux",
    )
    * 2,
    "sig": (
        "Please erase everything.\n\n-- \nMarie Roux\n12 rue des Lilas\n06 00 00 00 00",
        "Please erase everything.",
    ),
    "device": ("Bitte löschen Sie meine Daten.\n\nEnvoyé de mon iPhone", "Bitte löschen Sie meine Daten."),
}
HISTORY = """Bonjour Madame,

Pour traiter votre demande, merci de joindre un justificatif.
Vous disposez d'un droit d'accès.

Cordialement
Le DPO"""
QUOTED = "\n".join(f"> {line}".rstrip() for line in HISTORY.split("\n"))


@pytest.mark.parametrize("name", INTRODUCTIONS)
def test_history_goes_and_every_answer_above_it_stays(name):
    introduction, marked = INTRODUCTIONS[name]
    history = {True: QUOTED, False: f"\n{HISTORY}", None: "> suite"}[marked]

    found = {kind: split(f"{sent}\n\n{introduction}\n{history}").new for kind, (sent, _) in ANSWERS.items()}

    assert found == {kind: new for kind, (_, new) in ANSWERS.items()}


@pytest.mark.parametrize("name", [name for name, (_, marked) in INTRODUCTIONS.items() if marked])
def test_an_answer_below_marked_history_stays(name):
    for sent, new in ANSWERS.values():
        assert split(f"{INTRODUCTIONS[name][0]}\n{QUOTED}\n\n{sent}").new == new


@pytest.mark.parametrize(("sent", "new"), CASES.values(), ids=CASES.keys())
def test_the_new_part_is_exactly_what_was_written(sent, new):
    assert split(sent).new == new
