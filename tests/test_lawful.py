"""What the law lets the DPO do beside answering: dates, fees, recipients, restrictions, codes, documents, outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import casework
from bot.desk.basics import Refused
from bot.desk.lawful import day_at_start
from bot.tick import tick
from store import journal
from tests.fakes import Office
from tests.world import mail, paris, text_of

CAMILLE = "Camille Durand <camille.durand@courrier.example>"
ACCESS = "Bonjour, je voudrais une copie de mes données.\n\nCamille Durand"
ERASURE = "Bonjour, effacez mes données.\n\nCamille Durand"


@pytest.fixture
def office(tmp_path) -> Iterator[Office]:
    made = Office(tmp_path / "data")
    made.arrive(mail(ACCESS, sender=CAMILLE, subject="Mes données"))
    yield made
    made.close()


@pytest.fixture
def erased(tmp_path) -> Iterator[Office]:
    """A case of erasure whose identity is settled."""
    made = Office(tmp_path / "data")
    made.arrive(mail(ERASURE, sender=CAMILLE, subject="Effacement"))
    made.do("identity_waived", text="connue de l'accueil")
    yield made
    made.close()


def data_of(office: Office, kind: str) -> list[dict]:
    with office.app.database.reading() as session:
        return [event.data for event in journal.of_case(session, 1) if event.type == kind]


# --- the date of receipt ---------------------------------------------------------------------------------------------


def test_an_earlier_day_of_receipt_moves_the_month_and_keeps_the_reason_sealed(office):
    office.do("identity_waived", text="connue")
    assert office.case().due == date(2026, 4, 2)
    told = office.do("set_received", text="2026-02-27 : arrivée dans la boîte contact@, transmise plus tard")
    assert told.text == "Date de réception changée ; l'échéance suit."
    assert office.case().due == date(2026, 3, 27)
    assert data_of(office, "received_set") == [{"before": "2026-03-02", "received": "2026-02-27"}]
    (draft,) = office.drafts()
    assert "27 février 2026" in office.letter(draft).text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-02-30 erreur", "Cette date n'existe pas."),
        ("2026-02-27", "Écrivez la date puis la raison"),
        ("hier, au comptoir", "Écrivez la date puis la raison"),
        ("2026-03-02 pareil", "C'est déjà cette date."),
        ("2026-03-09 plus tard", "Cette date est à venir."),
        ("31/12/2099 plus tard", "Cette date est à venir."),
        ("0001-01-01 très tôt", "Impossible"),
    ],
)
def test_a_day_of_receipt_that_cannot_be_is_refused_by_name(office, text, said):
    told = office.do("set_received", text=text)
    assert not told.done
    assert told.text.startswith(said)
    assert office.case().received_at == paris("2026-03-02 09:00")


def test_a_later_day_than_the_servers_own_is_refused(office):
    office.clock.advance(timedelta(days=5))
    told = office.do("set_received", text="2026-03-05 vue seulement jeudi")
    assert "Le serveur l'a reçue plus tôt" in told.text


@given(st.dates(date(1980, 1, 1), date(2099, 12, 31)), st.sampled_from(["{:%Y-%m-%d}", "{:%d/%m/%Y}", "{:%d.%m.%Y}"]))
def test_dates_are_read_as_they_are_written(day, form):
    assert day_at_start(form.format(day) + ": au comptoir", "fr") == (day, "au comptoir")


def test_what_is_no_date_is_text_and_what_does_not_exist_is_named():
    assert day_at_start("vu au comptoir", "fr") == (None, "vu au comptoir")
    with pytest.raises(Refused, match="no such date"):
        day_at_start("31/02/2026 x", "en")


# --- when the proof came ---------------------------------------------------------------------------------------------


def test_the_month_runs_on_from_the_day_the_proof_came_not_from_the_day_somebody_looked(office):
    office.clock.move_to(paris("2026-03-20 10:00"))
    assert office.do("identity_verified", text="reçue le 2026-03-09, au comptoir").done
    assert office.case().due == date(2026, 4, 9)  # 2 April and the seven days from the 2nd to the 9th


@pytest.mark.parametrize("text", ["2026-02-20 avant la demande", "2026-04-01 à venir", "2026-03-32 ?"])
def test_a_proof_that_cannot_have_come_then_is_refused(office, text):
    office.clock.move_to(paris("2026-03-20 10:00"))
    assert not office.do("identity_verified", text=text).done
    assert office.case().identity == "requested"


def test_an_answer_to_our_question_is_noted_when_it_comes(office):
    office.do("identity_waived", text="connue")
    office.do("make_draft", argument="clarification")
    office.complete("information_request", "rien")
    assert office.do("approve", kind="information_request").done
    assert "clarification_requested" in office.types()
    office.arrive(mail("Bonjour, tout, s'il vous plaît.", sender=CAMILLE, subject="Re: DSR-2026-0001"))
    assert "clarification_received" in office.types()


def test_that_the_person_cannot_be_identified_is_proposed_three_days_ahead(office):
    for day in range(3, 31):
        office.clock.move_to(paris(f"2026-03-{day:02} 08:00"))
        tick(office.app)
        if any(draft.kind == "notice" for draft in office.drafts()):
            break
    assert office.clock.now() == paris("2026-03-30 08:00")  # due if not paused: 2 April


# --- letters ---------------------------------------------------------------------------------------------------------


def test_a_fee_is_announced_before_it_is_charged(erased):
    assert not erased.do("ask_fee", text="gratuit").done
    assert erased.do("ask_fee", text="15,00 € copie de 120 pages", argument="copies").done
    (draft,) = [draft for draft in erased.drafts() if draft.kind == "fee"]
    text = erased.letter(draft).text
    for wanted in ("15,00 €", "copie de 120 pages", "Rien n'est dû", "CNIL", "tribunal"):
        assert wanted in text
    assert "[[" not in text
    assert erased.do("ask_fee", text="20 € encore").text == "Une annonce de frais attend déjà."


def test_recipients_are_told_apart_from_the_person(erased):
    told = erased.do("tell_recipients", text="Envois SARL <dpo@envois.example>\nassureur@assur.example")
    assert told.text.startswith("2 avis préparé(s)")
    assert "prestataire de paiement" in told.text
    for draft in [d for d in erased.drafts() if d.kind == "recipient_notice"]:
        letter = erased.letter(draft)
        assert letter.recipient in ("dpo@envois.example", "assureur@assur.example")
        assert (letter.in_reply_to, letter.references) == ("", ())
        assert "Camille" not in letter.text
    erased.complete("recipient_notice", "le 3 mars 2026")
    assert erased.do("approve", kind="recipient_notice").done
    assert len(erased.mailer.to("assureur@assur.example")) == 1


def test_recipients_need_an_address_and_a_right_of_article_19(erased):
    assert "adresse par ligne" in erased.do("tell_recipients", text="quelqu'un").text
    erased.do("change_right", argument="access")
    assert "article 19" in erased.do("tell_recipients", text="a@b.example").text


def test_a_restriction_is_lifted_only_after_notice(tmp_path):
    made = Office(tmp_path / "more")
    made.arrive(mail(ERASURE, sender=CAMILLE, subject="x"))
    assert made.do("lift_restriction", text="x").text == "Ce dossier n'a pas de limitation."
    made.do("change_right", argument="restriction")
    made.do("identity_waived", text="connue")
    assert made.do("lift_restriction", text="Adresse postale, à partir du 20 mars 2026, vérifiée.").done
    (draft,) = [draft for draft in made.drafts() if draft.kind == "lifting"]
    text = made.letter(draft).text
    assert "à partir du 20 mars 2026, vérifiée" in text
    assert "18(3)" in text
    assert "[[" not in text
    made.close()


@pytest.mark.parametrize(
    ("letter", "state"), [("nothing_held", "answered"), ("not_competent", "refused"), ("excessive", "refused")]
)
def test_every_outcome_has_its_letter_and_its_state(erased, letter, state):
    assert erased.do("make_draft", argument=letter).done
    kind = {"nothing_held": "answer", "excessive": "refusal"}.get(letter, letter)
    erased.complete(
        kind, "trois demandes, les 2 janvier, 2 février et 2 mars 2026, sans fait nouveau (article 12(5) du RGPD)"
    )
    told = erased.do("approve", kind=kind)
    assert told.done, told.text
    assert erased.case().state == state


def test_excess_is_for_the_dpo_alone_to_find(erased):
    told = erased.do("make_draft", argument="excessive", user="deputy")
    assert (told.done, told.text) == (False, "Réservé au DPO (art. 12.5).")


def test_that_we_are_not_competent_tells_nothing_and_waits_for_no_proof(office):
    assert office.do("make_draft", argument="not_competent").done
    office.complete("not_competent", "la demande vise un autre organisme")
    assert office.do("approve", kind="not_competent").done
    assert office.case().state == "refused"


def test_ticked_activities_are_the_only_ones_the_answer_names(erased):
    erased.do("change_right", argument="access")
    whole = erased.letter(erased.drafts()[-1]).text
    assert "Fiches individuelles de police" in whole
    assert erased.do("choose_activities", text="bookings, invoices").done
    text = erased.letter(erased.drafts()[-1]).text
    assert "Facturation et comptabilité" in text
    assert "Fiches individuelles de police" not in text
    assert "n'a pas de traitement « bakery » ; il a : bookings" in erased.do("choose_activities", text="bakery").text


# --- identity --------------------------------------------------------------------------------------------------------


def test_another_address_after_proof_is_asked_again_and_the_old_one_is_told(office):
    office.do("identity_verified", argument="document")
    assert office.do("set_requester", text="Camille Durand <nouvelle@ailleurs.example>").done
    assert office.case().identity == "requested"
    (asked,) = office.mailer.to("nouvelle@ailleurs.example")
    assert "doute" in text_of(asked)
    told = office.mailer.to("camille.durand@courrier.example")[-1]
    assert "Une autre adresse" in told["Subject"]
    assert "nouvelle@" not in text_of(told)


def test_a_first_address_after_proof_at_the_counter_asks_nobody_again(office):
    told = office.do("manual_intake", "desk", text="Guichet, 27/02/2026, Paul Ferry, rectification")
    assert told.done
    assert office.do("identity_in_person", "case:2", text="Passeport vu au guichet, sans copie").done
    assert office.do("set_requester", "case:2", text="Paul Ferry <paul@boite.example>").done
    assert office.case("DSR-2026-0002").identity == "verified"
    assert office.mailer.to("paul@boite.example") == []


# --- where is my request? --------------------------------------------------------------------------------------------

ASKED = "Bonjour, où en est le dossier {} ?"


def outside(office: Office) -> list:
    """What left for anybody but the DPO."""
    return [(to, sent) for to, sent in office.mailer.sent if to != "dpo@mije.com"]


def test_status_goes_to_the_address_of_record_once_a_week_and_says_nothing_of_the_data(office):
    own = "camille.durand@courrier.example"
    before = len(outside(office))
    for _ in range(3):
        office.clock.move_to(office.clock.now() + timedelta(hours=30))
        body = ASKED.format("DSR-2026-0001") + f" ({office.clock.now():%d})"
        office.arrive(mail(body, sender=f"Camille <{own}>", subject="Suivi", Reply_To="autre@ailleurs.example"))
    assert [to for to, _ in outside(office)[before:]] == [own]
    said = text_of(outside(office)[-1][1])
    assert ("DSR-2026-0001" in said, "copie" in said, "accès" in said) == (True, False, False)


@pytest.mark.parametrize("closed", [False, True])
def test_whoever_else_asks_sees_no_difference_between_a_case_that_exists_and_one_that_does_not(office, closed):
    if closed:
        assert office.do("close", text="sans objet").done
    before = len(outside(office))
    asked = ["DSR-2026-0001", "DSR-2026-0999", "de Camille Durand", "DSR-2025-0001"]
    for number, named in enumerate(asked):
        office.arrive(mail(ASKED.format(named), sender=f"X <x{number}@ailleurs.example>", subject="Suivi"))
        office.arrive(mail(ASKED.format(named), sender="X <x@ailleurs.example>", subject=f"Suivi {named}"))
    # Everybody is answered once, in the same words: only the number that he wrote himself differs.
    answered = sorted((to, text_of(sent)) for to, sent in outside(office)[before:])
    assert [to for to, _ in answered] == ["x0@ailleurs.example", "x1@ailleurs.example", "x2@ailleurs.example",
                                          "x3@ailleurs.example", "x@ailleurs.example"]  # fmt: skip
    numbered = [text.replace(number, "N") for (_, text), number in zip(answered, [*asked, asked[0]], strict=True)]
    assert len({numbered[0], numbered[1], numbered[3], numbered[4]}) == 1


def test_a_code_needs_a_contact_on_file(office):
    told = office.do("send_code")
    assert (told.done, told.text) == (False, "Aucun contact connu : proposez un autre moyen.")


def test_a_document_is_compared_at_the_desk_only_and_nothing_typed_is_kept(office):
    typed = "name: DURAND Camille\nborn: 1990-01-31\nexpires: 2031-01-01"
    told = office.do("check_document", text=typed)
    assert "Nom : concorde" in told.text
    assert "à vous de décider" in told.text
    assert data_of(office, "document_compared") == [
        {"results": {"name": "agrees", "born": "unknown", "expires": "agrees"}}
    ]
    assert not office.do("check_document", text=typed, masked=True).done
    assert office.case().identity == "requested"


def test_dates_in_the_clock_follow_the_journal(office):
    with office.app.database.reading() as session:
        events = journal.of_case(session, 1)
        assert casework.deadline_of(office.app, office.case(), events).due_if_not_paused == date(2026, 4, 2)
