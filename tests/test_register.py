"""The register of processing: what answers say of it, what stops them, and where the published policies contradict."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands.check import policies
from bot.register import SHIPPED, register_of
from handlers.annex import (
    INFORMATION,
    RegisterIncomplete,
    activities,
    information,
    kept,
    problems,
    recipients_to_tell,
)
from handlers.linter import lint
from handlers.policies import PROMISES, compared
from templates import render
from templates.samples import facts
from tests.fakes import Office
from tests.test_linter import letter
from tests.world import mail, make_settings

REGISTER = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))["activity"]
IDS = [entry["id"] for entry in REGISTER]


# --- the annex -------------------------------------------------------------------------------------------------------


def test_the_register_that_ships_is_complete_in_both_languages():
    assert problems(REGISTER, ("fr", "en")) == []
    assert {"bookings", "invoices", "police_forms", "holiday_stays", "marketing", "pictures", "requests"} <= set(IDS)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_an_access_answer_says_everything_of_the_activities_that_concern_the_person(language):
    told = information(REGISTER, language, ["bookings", "invoices"])
    text = render("access/answer", language, facts(register=told, activities_chosen=True)).text
    assert [value for entry in told for value in entry.values() if value not in text] == []
    assert information(REGISTER, language, ["marketing"])[0]["name"] not in text
    assert text.count("[[") == 1  # the data themselves
    assert lint(letter("access/answer", language, facts(register=told, activities_chosen=True))) == ()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_an_erasure_answer_says_what_is_kept_on_which_ground_and_until_when(language):
    context = facts("erasure", kept=kept(REGISTER, language), to_tell=recipients_to_tell(REGISTER, language))
    text = render("erasure/answer", language, context).text
    for wanted in ("17(3)(b)", "L123-22", "R814-1", {"fr": "6 mois", "en": "6 months"}[language]):
        assert wanted in text
    assert {"fr": "prestataire de paiement", "en": "payment provider"}[language] in text
    assert lint(letter("erasure/answer", language, context)) == ()


def test_staff_and_authorities_are_not_told_under_article_19_and_processors_are():
    told = recipients_to_tell(REGISTER, "en", ["invoices", "police_forms"])
    assert told == ["payment provider"]


@given(st.data())
@settings(max_examples=100)
def test_a_missing_field_stops_the_draft_and_is_named(data):
    register = deepcopy(REGISTER)
    entry = data.draw(st.sampled_from(register))
    field = data.draw(st.sampled_from(("name", *INFORMATION)))
    if data.draw(st.booleans()) or field == "recipients":
        del entry[field]
    else:
        entry[field]["fr"] = data.draw(st.sampled_from(["", "  "]))
    with pytest.raises(RegisterIncomplete, match=f"(?s){field}.*{entry['id']}"):
        information(register, "fr")
    assert problems(register, ("fr", "en"))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda r: r[0].pop("id"), "has no id"),
        (lambda r: r[1].update(id=r[0]["id"]), "two activities"),
        (lambda r: r[0]["recipients"][0].update(role="friend"), "has no role"),
        (lambda r: r[0]["recipients"].clear(), "lacks recipients"),
        (lambda r: r[1]["keep"][0].update(ground="business"), "no ground of art. 17"),
        (lambda r: r[1]["keep"][0].pop("until"), "lacks until"),
    ],
)
def test_what_a_register_may_not_be_is_named(spoil, said):
    register = deepcopy(REGISTER)
    spoil(register)
    assert any(said in problem for problem in problems(register, ("fr", "en")))


def test_an_activity_that_does_not_exist_cannot_be_ticked():
    with pytest.raises(RegisterIncomplete, match="no activity bakery; it has bookings"):
        activities(REGISTER, ["bakery"])


def test_entries_in_the_settings_take_the_place_of_the_file(tmp_path):
    entry = {
        "name": "Cantine", "purposes": "repas", "categories": "nom", "recipients": "traiteur", "retention": "1 an",
        "legal_basis": "contrat", "source": "la personne", "transfers": "aucun", "automated": "aucune",
    }  # fmt: skip
    (told,) = information(register_of(make_settings(tmp_path, processing=[entry])), "fr")
    assert told["recipients"] == "traiteur"
    assert register_of(make_settings(tmp_path)) == tuple(REGISTER)
    with pytest.raises(RegisterIncomplete, match="cannot be read"):
        register_of(make_settings(tmp_path, processing_file=str(tmp_path / "none.toml")))


# --- in a case -------------------------------------------------------------------------------------------------------


@pytest.fixture
def lacking(tmp_path) -> Iterator[Office]:
    register = SHIPPED.read_text(encoding="utf-8").replace('retention = { fr = "6 mois", en = "6 months" }', "")
    (tmp_path / "processing.toml").write_text(register, encoding="utf-8")
    made = Office(tmp_path / "data", processing_file=str(tmp_path / "processing.toml"))
    made.arrive(mail("Bonjour, je voudrais une copie de mes données.", sender="Ana <ana@post.example>", subject="x"))
    yield made
    made.close()


def test_an_incomplete_register_makes_no_draft_and_says_what_to_add(lacking):
    assert lacking.do("identity_verified").done
    assert lacking.drafts() == []
    told = lacking.do("make_draft", argument="answer")
    assert not told.done
    assert "retention (fr)" in told.text
    assert "police_forms" in told.text


# --- policies --------------------------------------------------------------------------------------------------------

PLAIN = make_settings


def test_the_two_notices_give_the_findings_that_were_read_in_them(tmp_path):
    found = compared(make_settings(tmp_path).model_dump(), REGISTER)
    places = {place for one in found for place in one.places}
    listed = {promise for promises in PROMISES for promise in promises.places}
    wanted = {"S0-03", "S0-08", "S0-10", "S0-15", "S0-19", "S1-07", "S1-09", "S1-10", "S1-13", "S1-20", "S1-25"}
    assert wanted | {"S0-17", "S1-17", "S1-18"} | listed <= places
    assert "two-notices" in {one.code for one in found}
    assert all(set(one.said) == {"fr", "en"} and all(one.said.values()) for one in found)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"calendar": {"rule": "restart-on-id"}}, "clock-rule"),
        ({"calendar": {"pause_on_clarification": True}}, "clarification-pause"),
        ({"retention": {"identity_after_decision_hours": 720}}, "identity-copy-kept"),
        ({"identity": {"delete_after_days": 365}}, "identity-copy-undecided"),
        ({"dpo": {"name": "Quelqu'un d'Autre", "email": "dpo@mije.com"}}, "dpo-name"),
        ({"dpo": {"name": "Claude Martinez", "email": "autre@mije.com"}}, "dpo-contact"),
    ],
)
def test_a_setting_that_contradicts_is_reported(tmp_path, changes, code):
    before = {one.code for one in compared(make_settings(tmp_path).model_dump(), REGISTER)}
    after = {one.code for one in compared(make_settings(tmp_path, **changes).model_dump(), REGISTER)}
    assert after - before == {code}


SAID = {
    "systematic-identity-copy": "Toute demande doit être accompagnée de la copie d'une pièce d'identité.",
    "identity-before-everything": "We must check your identity before processing your request or complaint.",
    "post-only": "Vous pouvez demander une correction par écrit, par courrier à l'adresse suivante.",
    "complaint-conditions": "Your complaint must state your name, postal address, phone and grounds.",
    "consent-article": "Vous pouvez retirer votre consentement à tout moment (article 13-2c RGPD).",
    "business-purposes": "We delete data unless we need them for legitimate business or legal purposes.",
    "no-sensitive-data": "L'association ne collecte aucune donnée sensible.",
    "wrong-laws": "Selon la loi du 21 juin 2014 pour la confiance.",
    "deemed-consent": "Le consentement de ces personnes est réputé obtenu lors de la réservation.",
    "destroy-on-death": "Après un décès et sans instruction, l'association s'engage à détruire les données.",
    "minors-representative-only": "Seul le représentant légal est habilité à valider les données.",
    "retention-conflict": "Les données sont gardées 60 mois.",
    "transfers-conflict": "Elles ne sont pas transférées hors de l'Union européenne.",
    "breach-promise": "Tout incident de sécurité sera notifié sans délai au client.",
    "no-opt-out": "Nous envoyons des campagnes par courriel.",
}


def test_every_kind_of_promise_is_found_in_a_text_and_nothing_in_a_clean_one(tmp_path):
    values = make_settings(tmp_path).model_dump()
    people = "Contact : Claude Martinez, dpo@mije.com. Représentant : Rémy Vernay. "
    assert set(SAID) == {promise.code for promise in PROMISES}
    for code, sentence in SAID.items():
        found = {one.code: one.places for one in compared(values, REGISTER, {"notice": f"{people}\n{sentence}\n"})}
        assert code in found, code
    clean = people + "Écrivez-nous comme vous voulez. Vous pouvez vous désinscrire de nos campagnes à tout moment."
    assert compared(values, REGISTER, {"notice": clean}) == ()


def test_the_command_reports_and_fails(tmp_path, capsys):
    from bot.commands.init import init

    assert init(tmp_path) == 0
    assert (tmp_path / "processing.toml").exists()
    (tmp_path / "notice.txt").write_text(SAID["business-purposes"], encoding="utf-8")
    capsys.readouterr()
    assert policies(tmp_path / "dpobot.toml", [tmp_path / "notice.txt"], language="en") == 1
    said = capsys.readouterr().out
    assert "business-purposes (notice.txt:1; art. 17(3) GDPR)" in said
    (tmp_path / "dpobot.toml").write_text("languages = 3", encoding="utf-8")
    assert policies(tmp_path / "dpobot.toml") == 2
