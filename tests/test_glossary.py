"""Words by concept, and expressions by how they begin."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.rights import load_rights
from nlp.cues import Rules, concept_spans
from nlp.fold import fold
from nlp.glossary import FOLDER, LANGUAGES, Glossary, GlossaryError, entries, glossary, table
from nlp.lexicon import patterns
from nlp.openings import WORD, Index, openings


def concepts(text: str, language: str, known: Glossary | None = None) -> list[tuple[str, ...]]:
    return [named for _, _, named in (known or glossary()).read(fold(text).text, language)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "Virez-moi de là"),
        ("en", "wipe it"),
        ("de", "alles löschen"),
        ("es", "borrad todo"),
        ("it", "cancellate tutto"),
        ("nl", "verwijder alles"),
        ("pt", "apaguem tudo"),
    ],
)
def test_one_deed_is_one_concept_in_every_language(language, text):
    assert "supprimer" in {concept for named in concepts(text, language) for concept in named}


def test_every_language_has_its_words_and_idioms_and_every_line_is_an_entry():
    sizes = {
        language: (
            len(list(entries(FOLDER / f"{language}.tsv"))),
            len(list(entries(FOLDER / f"{language}.phrases.tsv"))),
        )
        for language in LANGUAGES
    }
    assert {language for language, (words, idioms) in sizes.items() if words < 2000 or idioms < 400} == set()


def test_an_idiom_counts_as_a_whole_and_endings_may_be_open():
    known = Glossary({"en": table([("take", ("prendre",))], [("take* me off", ("supprimer",)), ("off", ("loin",))])})
    assert concepts("takes me away, takes me off", "en", known) == [("prendre",), ("supprimer",)]


def test_an_inflected_form_is_known_by_its_stem_and_a_compound_by_its_parts():
    known = Glossary({"de": table([("konto", ("compte",)), ("gaste", ("client",)), ("loschung", ("supprimer",))], [])})
    assert concepts("Gästekonto, Löschungen, Kontos", "de", known) == [
        ("client", "compte"),
        ("supprimer",),
        ("compte",),
    ]


def test_a_faulty_line_is_named(tmp_path):
    file = tmp_path / "fr.tsv"
    file.write_text("effacer\tsupprimer\nvirer supprimer\n", encoding="utf-8")
    with pytest.raises(GlossaryError, match=r"^fr\.tsv:2: wants `word<TAB>concept`, it is 'virer supprimer'$"):
        list(entries(file))


def test_offsets_lead_to_the_words():
    text = fold("Merci d'effacer mes photos").text
    found = {named[0]: text[start:end] for start, end, named in glossary().read(text, "fr")}
    assert found["supprimer"] == "effacer"
    assert found["photo"] == "photos"


@given(st.text(max_size=300), st.sampled_from([*LANGUAGES, "unknown", "ru"]))
@settings(max_examples=100, deadline=None)
def test_whatever_is_read_the_spans_are_in_order_and_within_the_text(text, language):
    folded = fold(text).text
    found = glossary().read(folded, language)
    places = [place for start, end, _ in found for place in (start, end)]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(folded) and named for start, end, named in found)


@pytest.mark.parametrize(
    ("expression", "begins"),
    [
        (r"(?:supp|eff)\w+", {"sup", "eff"}),
        (r"\b(?:a|an) photo", {"a p", "an "}),
        (r"no?ms?\b", {"n", "nm", "nms", "no", "nom"}),
        (r"\w+ing", None),
        (r"'quoted'", None),
        (r"x*", None),
        (r"[ab]c", {"ac", "bc"}),
    ],
)
def test_openings(expression, begins):
    found = openings(expression)
    if begins is None:
        assert found is None
    else:
        assert found is not None
        # Shorter beginnings cover longer ones; what matters is that nothing which matches is missed.
        assert all(any(text.startswith(one[: len(text)]) or one.startswith(text) for one in found) for text in begins)


SAID = """
supprimer mes donnees photo de mon fils je ne veux plus votre newsletter delete my account please the data vous
avez mal ecrit nom copie du dossier plainte cnil mort ma mere reponse toujours rien depuis un mois 30 jours
"""
WORDS = st.sampled_from(SAID.split())
INDEX = Index(list(patterns().values()))


@given(st.lists(WORDS, max_size=30))
@settings(max_examples=60, deadline=None)
def test_the_index_finds_what_searching_each_expression_finds_at_words(words):
    text = " ".join(words)
    expressions = list(patterns().values())
    begun = {match.start() for match in WORD.finditer(text)}
    wanted = {
        (number, match.start(), match.end())
        for number, expression in enumerate(expressions)
        for match in expression.finditer(text)
        if match.end() > match.start()
    }
    found = set(INDEX.find(text))
    assert {one for one in wanted if one[1] in begun} <= found


def test_an_expression_that_begins_anyhow_is_still_searched_for():
    index = Index([re.compile(r"\W?x+"), re.compile(r"abc")])
    assert sorted(index.find("abc xx")) == [(0, 3, 6), (1, 0, 3)]


def test_rules_and_concepts_agree_with_their_texts():
    rules = Rules({right.name: right.cues for right in load_rights().values()})
    text = fold("Merci de supprimer mes photos, je ne demande pas une copie.").text
    assert {text[start:end] for start, end in concept_spans(text)["delete"]} == {"supprimer"}
    assert "erasure" in {hit.label for hit in rules.find(fold(text)) if hit.meant}
