"""Letters: each renders for everybody it may be written to, says what it must, and lets nothing through from outside."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from templates import FOLDER, Rendered, TemplateError, format_date, names, render, tidy, to_html
from templates.__main__ import pages
from templates.samples import (
    ABOUT_IDENTITY,
    ACTS_FOR,
    DOUBTS,
    MEANS,
    NO_IDENTITY,
    REGISTER,
    RIGHTS,
    facts,
    identity,
    samples,
)

LANGUAGES = ("fr", "en")
STEPS = ("receipt", "answer", "refusal")
CASE = (
    "address_changed", "clarification", "closing", "code", "counter_receipt", "excessive", "extension", "fee", "holding",
    "identity", "identity_insufficient", "identity_reminder", "lifting", "moved_to_mail", "not_competent", "not_identified",
    "nothing_held", "recipients", "status", "status_neutral",
)  # fmt: skip
MARKER = re.compile(r"\[\[.*?\]\]", re.DOTALL)
EVERY_LETTER = frozenset({"organisation", "dpo", "reference", "person_name", "child"})


def primary_of(name):
    return name.split("/")[0] if name.split("/")[0] in RIGHTS else "access"


def situations(name):
    """Facts of every kind of reader a letter may have."""
    primary = primary_of(name)
    others = tuple(right for right in RIGHTS if right != primary)
    proofs = [identity(1), identity(2), identity(3, pause=False)]
    for proof in [None, *proofs]:
        for child in (False, True):
            for acts_for in ACTS_FOR:
                yield facts(primary, child=child, acts_for=acts_for, identity=proof, partial=child)
        yield facts(
            primary, *others, identity=proof, due="", channel="telegram", register=list(REGISTER), person_name=""
        )


def test_every_right_and_step_has_a_letter_in_every_language():
    wanted = {f"{right}/{step}" for right in RIGHTS for step in STEPS} | {f"case/{step}" for step in CASE}
    assert set(names()) == wanted
    missing = [
        f"{name}.{lang}" for name in names() for lang in LANGUAGES if not (FOLDER / f"{name}.{lang}.j2").exists()
    ]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", names())
def test_a_letter_renders_for_everybody_it_may_be_written_to(name, language):
    for context in situations(name):
        letter = render(name, language, context)
        whole = f"{letter.subject}\n{letter.text}"
        assert not re.search(r"\{\{|\}\}|\{%|\bNone\b|\bTrue\b|\bFalse\b|Undefined", MARKER.sub("", whole))
        assert (context["reference"] in whole) != (name == "case/status_neutral")
        assert "\n" not in letter.subject
        assert letter.subject.strip() == letter.subject != ""
        assert letter.html == to_html(letter.text, language)
        assert not re.search(r" {2}|\n{3}|^[ \t]|[ \t]$| [,.]", letter.text, re.MULTILINE)


@pytest.mark.parametrize("name", names())
def test_the_two_languages_have_the_same_shape(name):
    for context in situations(name):
        french, english = (render(name, language, context).text for language in LANGUAGES)
        shape = [
            [len(re.findall(pattern, text, re.MULTILINE)) for pattern in (r"^- ", r"^## ", r"\[\[")]
            for text in (french, english)
        ]
        assert shape[0] == shape[1]
        assert french.count("\n\n") == english.count("\n\n")


def missing_fact(name, language, context):
    """The fact that the letter says it lacks; nothing if it lacks none."""
    try:
        render(name, language, context)
    except TemplateError as error:
        return str(error).split("'")[1]
    return ""


@pytest.mark.parametrize("name", names())
def test_a_letter_needs_the_facts_its_head_names_and_a_missing_one_is_named(name):
    for language in LANGUAGES:
        head = (FOLDER / f"{name}.{language}.j2").read_text(encoding="utf-8").split("-#}")[0]
        said = re.search(r"Needs: ([a-z_, \n]*); and the facts of every letter\.", head)
        assert said, head
        needed = set()
        primary = primary_of(name)
        others = tuple(right for right in RIGHTS if right != primary)
        tried = [facts(primary, *others, identity=identity(3, pause=False), acts_for="deceased", due="")]
        tried += [
            facts(primary, identity=identity(2), child=True, partial=True),
            facts(primary, acts_for="minor_child"),
        ]
        for context in tried:
            for fact in context:
                said_missing = missing_fact(
                    name, language, {key: value for key, value in context.items() if key != fact}
                )
                assert said_missing in ("", fact)
                needed.add(said_missing)
        assert needed - EVERY_LETTER - {""} == set(said[1].split(", "))


# Of a reader whose language we do not write, or whom nobody verified, nothing is known: the letter is the same for all.
@pytest.mark.parametrize(
    "name", [name for name in names() if name not in ("case/holding", "case/recipients", "case/status_neutral")]
)
def test_a_french_child_is_called_tu_and_an_adult_vous(name):
    context = facts(primary_of(name), child=True, identity=identity(2) if name in ABOUT_IDENTITY else None)
    young = render(name, "fr", context)
    assert not re.search(
        r"\b(?:vous|votre|vos|vôtre)\b", MARKER.sub("", f"{young.subject} {young.text}"), re.IGNORECASE
    )
    adult = render(name, "fr", {**context, "child": False})
    assert not re.search(
        r"\b(?:tu|toi|tes|ton|ta|t')\b", MARKER.sub("", f"{adult.subject} {adult.text}"), re.IGNORECASE
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("right", RIGHTS)
def test_a_child_reads_short_sentences_without_articles_of_law(right, language):
    for step in ("receipt", "answer"):
        context = facts(
            right, child=True, identity=identity(2) if step == "receipt" and right not in NO_IDENTITY else None
        )
        text = MARKER.sub("", render(f"{right}/{step}", language, context).text).split("DSR-2026-0014\n")[0]
        assert not re.search(r"\barticles?\b|RGPD|GDPR|décret|\bact no\b", text, re.IGNORECASE)
        sentences = [s for s in re.split(r"[.!?;:]\s|\n", text) if s.strip()]
        words = [len(sentence.split()) for sentence in sentences]
        assert sum(words) / len(words) <= 14
        assert max(words) <= 32


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("right", RIGHTS)
def test_a_receipt_names_all_rights_and_both_dates_and_the_privacy_notice(right, language):
    others = tuple(other for other in RIGHTS if other != right)
    text = render(f"{right}/receipt", language, facts(right, *others)).text
    items = [line for line in text.split("\n") if line.startswith("- ")]
    if right != "unclear":
        assert len(items) == len(RIGHTS)
    assert format_date("2026-03-02", language) in text
    assert format_date("2026-04-02", language) in text
    wanted = {
        "fr": (
            "un mois à compter de la réception ; ce délai peut être prolongé dans les cas prévus par la loi",
            "registre des demandes",
        ),
        "en": (
            "one month of receipt; this period may be extended in the cases provided for by law",
            "register of requests",
        ),
    }
    assert [phrase for phrase in wanted[language] if phrase not in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("right", sorted(NO_IDENTITY))
def test_nothing_is_asked_where_no_proof_is_needed(right, language):
    asked = re.compile(
        r"pièce d'identité|document d'identité|passeport|passport|identity (?:document|card)", re.IGNORECASE
    )
    for acts_for in ACTS_FOR:
        assert not asked.search(render(f"{right}/receipt", language, facts(right, acts_for=acts_for)).text)


@pytest.mark.parametrize("child", [False, True])
@pytest.mark.parametrize("right", ["objection", "consent_withdrawal"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_that_something_was_stopped_is_said_only_once_the_dpo_has_written_what_and_when(right, language, child):
    assert "[[" not in render(f"{right}/receipt", language, facts(right, child=child)).text
    text = render(f"{right}/answer", language, facts(right, child=child)).text
    assert text.count("[[") == 1
    assert not re.search(r"c'est fait|it is done", text, re.IGNORECASE)


@pytest.mark.parametrize("right", RIGHTS)
def test_what_only_the_dpo_knows_is_marked_in_an_answer(right):
    for language, word in (("fr", "[[à compléter : "), ("en", "[[to complete: ")):
        text = render(f"{right}/answer", language, facts(right)).text
        markers = MARKER.findall(text)
        assert markers
        assert text.count("[[") == text.count("]]") == len(markers)
        assert all(marker.startswith(word) and "\n" not in marker for marker in markers)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("right", RIGHTS)
def test_a_refusal_tells_nothing_of_what_was_found_on_the_other_rights(right, language):
    others = tuple(other for other in RIGHTS if other != right)
    decided = {
        "fr": "[[à compléter : ce qui a été décidé sur ce point]]",
        "en": "[[to complete: what was decided on this point]]",
    }
    text = render(f"{right}/refusal", language, facts(right, *others, register=list(REGISTER))).text
    assert text.count(decided[language]) == len(others)
    assert REGISTER[0]["recipients"] not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_holds_a_section_for_every_right_of_the_message(language):
    for right in RIGHTS:
        others = tuple(other for other in RIGHTS if other != right)
        text = render(f"{right}/answer", language, facts(right, *others)).text
        assert len(re.findall(r"^## ", text, re.MULTILINE)) == len(RIGHTS) + 1  # and one for the remedies


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_access_answer_holds_every_column_of_the_register(language):
    entry = {**REGISTER[0], "transfers": "Suisse (décision d'adéquation)"}
    text = render("access/answer", language, facts(register=[entry])).text
    assert [value for value in entry.values() if value not in text] == []
    assert text.count("[[") == 2  # the data themselves, and the check of what the register says
    without = render("access/answer", language, facts(register=list(REGISTER) * 3)).text
    assert without.count("[[") == 2
    assert without.count("\n- ") == 3 * (len(entry) - 2)  # the name is a heading; transfers are to be confirmed
    assert render("access/answer", language, facts(nothing_held=True)).text.count("[[") == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_identity_request_says_all_that_the_law_wants(language):
    wanted = {
        "fr": (
            "doute",
            "Un seul",
            "Masquez le reste",
            "dpo@mije.example",
            "supprimée",
            "30 jours",
            "suspendu",
            "Sans nouvelles",
            "réclamation",
        ),
        "en": (
            "doubt",
            "One of the following",
            "Hide the rest",
            "dpo@mije.example",
            "deleted",
            "30 days",
            "suspended",
            "hear nothing",
            "complaint",
        ),
    }
    for name in ("case/identity", "case/identity_reminder", "access/receipt"):
        text = render(name, language, facts(identity=identity(2))).text
        assert [phrase for phrase in wanted[language] if phrase not in text] == []


@pytest.mark.parametrize("child", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_suspension_names_no_day_and_a_reminder_starts_none_and_announces_no_other(language, child):
    context = facts(child=child, identity=identity(2), today="2026-03-09")
    first, again = (render(f"case/{name}", language, context).text for name in ("identity", "identity_reminder"))
    since = {"fr": "epuis notre première demande", "en": "ince our first request"}[language]
    from_now = re.compile(
        r"à compter de l'envoi|à partir de ce message|from the moment|from this message", re.IGNORECASE
    )
    another = re.compile(r"un rappel|t'écrirons encore|send you a reminder|write to you again")
    assert format_date("2026-03-09", language) not in first + again
    assert [bool(from_now.search(text)) for text in (first, again)] == [True, False]
    assert [bool(another.search(text)) for text in (first, again)] == [True, False]
    assert [since in text for text in (first, again)] == [False, True]
    assert since in render("case/identity", language, {**context, "reminder": True}).text


@pytest.mark.parametrize(
    ("language", "nothing_yet", "not_enough"),
    [
        ("fr", "encore rien reçu", "ne suffisaient pas encore ; nous n'avons rien reçu depuis"),
        ("en", "not received anything yet", "was not enough yet; we have received nothing since"),
    ],
)
def test_a_reminder_after_a_proof_that_was_not_enough_does_not_say_that_nothing_came(language, nothing_yet, not_enough):
    for insufficient in (False, True):
        context = facts(identity=identity(2), insufficient=insufficient)
        text = render("case/identity_reminder", language, context).text
        assert (nothing_yet in text, not_enough in text) == (not insufficient, insufficient)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(ABOUT_IDENTITY))
def test_who_acts_for_another_is_asked_for_both_proofs(name, language):
    wanted = {
        "fr": ("Pour votre identité, un seul", "il nous faut aussi ceci"),
        "en": ("For your identity, one of", "we also need the following"),
    }
    for acts_for in ACTS_FOR:
        text = render(name, language, facts(acts_for=acts_for, identity=identity(2))).text
        assert [phrase in text for phrase in wanted[language]] == [bool(acts_for)] * 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("right", [right for right in RIGHTS if right not in NO_IDENTITY])
def test_a_registered_letter_is_offered_only_where_something_is_handed_over(right, language):
    text = render("case/identity", language, facts(right, identity=identity(3))).text
    offered = {"fr": "lettre recommandée", "en": "registered letter"}[language] in text
    assert offered == (right in ("access", "portability"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_the_dead_no_article_on_the_rights_of_the_living_is_cited(language):
    for name in ("case/identity", "case/identity_reminder", "case/identity_insufficient", "post_mortem/receipt"):
        text = render(name, language, facts("post_mortem", acts_for="deceased", identity=identity(2))).text
        assert not re.search(r"12\(3\)|article 77 du décret|Article 77 of French Decree", text)


@pytest.mark.parametrize("child", [False, True])
def test_the_erasure_of_what_a_minor_gave_is_not_extended(child):
    for language, extended, weeks in (
        ("fr", "prolongé|plus de temps", "trois semaines"),
        ("en", "extended|more time", "three weeks"),
    ):
        for minor_erasure in (False, True):
            context = facts("erasure", child=child, minor_erasure=minor_erasure)
            text = render("erasure/receipt", language, context).text
            assert (bool(re.search(extended, text)), weeks in text) == (not minor_erasure, minor_erasure)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_enclosed_proof_is_acknowledged_and_its_end_told(language):
    phrase = {"fr": "Vous avez joint un justificatif", "en": "You enclosed a proof of identity"}[language]
    for enclosed in (False, True):
        assert (phrase in render("access/receipt", language, facts(proof_enclosed=enclosed)).text) is enclosed


@pytest.mark.parametrize("child", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_doubt_and_every_means_has_a_sentence_of_its_own(language, child):
    asked = {**identity(3), "doubts": list(DOUBTS), "means": list(MEANS)}
    text = render("case/identity", language, facts(child=child, identity=asked)).text
    items = [line for line in text.split("\n") if line.startswith("- ")]
    assert len(set(items)) == len(DOUBTS) + len(MEANS) + 3  # and what to hide on a copy
    with pytest.raises(TemplateError):
        render("case/identity", language, facts(child=child, identity={**asked, "doubts": ["unheard_of"]}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_reason_to_doubt_the_letter_cannot_be_approved(language):
    assert "[[" in render("case/identity", language, facts(identity={**identity(3), "doubts": []})).text


def test_a_document_is_never_invited_into_a_chat():
    for name in ("case/identity", "access/receipt", "case/not_identified"):
        text = render(name, "fr", facts(channel="telegram", identity=identity(3))).text
        assert "N'envoyez aucun document par cette messagerie." in text


def test_a_status_says_no_more_than_dates_and_state():
    text = render("case/status", "en", facts("erasure", "complaint", state="unheard_of")).text
    assert "State: being examined" in text
    assert not re.search(r"erasure|complaint|delet", text, re.IGNORECASE)


@pytest.mark.parametrize("state", ["answered", "partially_refused", "refused", "closed", "withdrawn"])
def test_the_status_of_an_answered_case_has_no_time_limit(state):
    for language, limit in (("fr", "élai de réponse"), ("en", "ime limit")):
        for due in ("2026-04-02", ""):
            text = render("case/status", language, facts(state=state, identity_state="received", due=due)).text
            assert limit not in text
            assert not re.search(r"justificatif|your proof", text)


def test_a_status_says_that_a_proof_has_arrived():
    context = facts(state="awaiting_identity", identity_state="received")
    assert "État : votre justificatif est arrivé ; nous le vérifions\n" in render("case/status", "fr", context).text
    assert "State: your proof has arrived; we are checking it\n" in render("case/status", "en", context).text


def test_a_paused_clock_is_said_with_the_date_it_would_have():
    text = render("case/status", "en", facts(due="", due_if_not_paused="2026-04-02")).text
    assert (
        "suspended while we wait for the check we asked you for (without suspension, it ends on 2 April 2026)" in text
    )


def test_the_holding_reply_is_in_both_languages_and_its_dates_too():
    french, english = (render("case/holding", language, facts()).text for language in LANGUAGES)
    for text in (french, english):
        assert "2 mars 2026" in text
        assert "2 March 2026" in text
    assert french.startswith("## Français")
    assert english.startswith("## English")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_holding_reply_asks_for_proof_in_both_languages_where_it_is_needed(language):
    text = render("case/holding", language, facts(identity=identity(2))).text
    assert "## Une vérification avant de répondre" in text
    assert "## A check before we answer" in text
    assert text.count("un seul suffit") + text.count("One of the following is enough") >= 1
    assert "vérification" not in render("case/holding", language, facts()).text


@pytest.mark.parametrize("name", names())
def test_facts_from_outside_are_inert(name):
    hostile = "{{7*7}}{% raw %}<script>alert(1)</script>\r\n## Titre\n- point\u202e"
    context = facts(primary_of(name), person_name=hostile, identity=identity(2) if name in ABOUT_IDENTITY else None)
    plain = render(name, "fr", {**context, "person_name": "Camille"})
    letter = render(name, "fr", context)
    assert "49" not in letter.text.replace("TSA", "")
    assert "<script>" not in letter.html
    assert "\u202e" not in letter.text + letter.html
    assert "\r" not in letter.text + letter.subject
    for pattern in (r"^## ", r"^- ", r"\n"):
        assert len(re.findall(pattern, letter.text, re.MULTILINE)) == len(re.findall(pattern, plain.text, re.MULTILINE))


def test_a_name_cannot_reach_into_the_program():
    name = "{{ ''.__class__.__mro__ }}"
    assert render("case/status", "en", facts(person_name=name)).text.startswith(f"Dear {name},\n")


def test_the_reason_of_an_extension_keeps_its_paragraphs():
    text = render("case/extension", "fr", facts(reason="Douze séjours.\n\nTrois archives.\x00")).text
    assert "\n\nDouze séjours.\n\nTrois archives.\n\n" in text


@pytest.mark.parametrize(
    ("name", "language"),
    [("access/unheard_of", "fr"), ("unheard_of/receipt", "en"), ("access/receipt", "de"), ("../bot/x", "fr")],
)
def test_a_letter_that_does_not_exist_is_named(name, language):
    with pytest.raises(TemplateError):
        render(name, language, facts())


@pytest.mark.parametrize(
    ("value", "language", "words"),
    [
        ("2026-03-01", "fr", "1er mars 2026"),
        (date(2026, 8, 31), "fr", "31 août 2026"),
        ("2026-03-01T09:00:00Z", "en", "1 March 2026"),
    ],
)
def test_dates_in_words(value, language, words):
    assert format_date(value, language) == words


def test_html_is_made_of_paragraphs_lists_and_headings_all_escaped():
    html = to_html("Bonjour <b>,\nligne\n\n## Titre & co\n\n- un\n  suite\n- deux\n\nfin", "fr")
    assert re.findall(r"<(?!!)/?[a-z0-9]+", html) == [
        "<html", "<head", "<meta", "</head", "<body", "<p", "<br", "</p", "<h2", "</h2", "<ul", "<li", "</li", "<li", "</li",
        "</ul", "<p", "</p", "</body", "</html",
    ]  # fmt: skip
    assert "Bonjour &lt;b&gt;,<br>\nligne" in html
    assert "<li>un suite</li>" in html


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_becomes_html_without_markup_of_its_own(text):
    opened = set(re.findall(r"<([a-z0-9]+)", to_html(text, "fr")))
    assert opened <= {"html", "head", "meta", "body", "p", "br", "ul", "li", "h2"}
    assert tidy(tidy(text)) == tidy(text)


@settings(max_examples=60, deadline=None)
@given(name=st.text(max_size=60))
def test_any_name_leaves_the_letter_its_shape(name):
    plain = render("access/receipt", "fr", facts(person_name="Camille"))
    letter = render("access/receipt", "fr", facts(person_name=name))
    assert isinstance(letter, Rendered)
    assert letter.text.split("\n\n")[1:] == plain.text.split("\n\n")[1:]


def test_the_letters_in_the_documentation_are_those_of_the_program():
    folder = Path(__file__).parent.parent / "docs" / "letters"
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")} == pages()


def test_the_samples_show_every_letter():
    assert {sample.letter for sample in samples()} == set(names())
