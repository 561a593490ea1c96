"""What a case is and holds, as the desk decides: split, merged, held, erased; who is away; what two people approve."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from email import policy
from email.parser import BytesParser

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from bot.casework import void_drafts
from bot.desk import roster
from bot.desk.actions import Ask, perform
from bot.desk.basics import stamp
from bot.desk.cards import CARD_LIMIT, view_of
from bot.desk.offers import more_offers
from bot.desk.terminal import Terminal
from bot.evidence import verified_before
from bot.purge import purge
from bot.sending import send_due
from store import cases, journal, messages, outbox
from store.models import Event, Message, OutboxItem, SealingKey
from tests.fakes import JEAN, OBJECTION, Office
from tests.world import mail, paris, text_of

ANA = "Ana Lima <ana@boite.example>"
BOTH = "Bonjour, je voudrais une copie de mes données, puis supprimez tout."
ACCESS = "Bonjour, je voudrais une copie de mes données."


def test_a_right_set_apart_keeps_the_date_of_receipt_and_merging_undoes_it(office):
    office.arrive(mail(BOTH, sender=JEAN, subject="Demande"))
    whole = office.case()
    office.clock.move_to(paris("2026-03-05 10:00"))

    told = office.do("split", argument="erasure")

    part = office.case("DSR-2026-0002")
    assert told.text.startswith("Mis à part : effacement (art. 17), dossier DSR-2026-0002, même date de réception.")
    assert (office.case().rights, part.rights) == (["access"], ["erasure"])
    assert (part.received_at, part.due, part.identity) == (whole.received_at, whole.due, whole.identity)

    told = office.do("merge", text="DSR-2026-0002")

    assert told.text.startswith("DSR-2026-0002 est réuni à DSR-2026-0001")
    assert (office.case().rights, office.case("DSR-2026-0002").state) == (["access", "erasure"], "closed")


def test_cases_are_merged_into_the_older_one_and_taken_apart_again(office):
    office.arrive(mail(ACCESS, sender=JEAN, subject="Mes données"))
    office.clock.move_to(paris("2026-03-04 10:00"))
    office.arrive(mail(OBJECTION, sender=ANA, subject="STOP"))
    before = {ref: office.case(ref).rights for ref in ("DSR-2026-0001", "DSR-2026-0002")}

    refused = office.do("merge", "case:2", text="DSR-2026-0001")
    merged = office.do("merge", "case:2", text="DSR-2026-0001 même personne, deux adresses")

    assert (refused.done, refused.reason_helps, merged.done) == (False, True, True)
    kept, gone = office.case("DSR-2026-0001"), office.case("DSR-2026-0002")
    assert (kept.rights, gone.state) == (["access", "objection"], "closed")
    with office.app.database.reading() as session:
        assert [m.case_id for m in session.exec(select(Message)).all()] == [1, 1]
        assert messages.view(session, office.app.vault, messages.of_case(session, 1)[1])["subject"] == "STOP"
        labels = [offer.action for row in more_offers(session, office.app, "case:2") for offer in row]
    assert "unmerge" in labels

    told = office.do("unmerge", "case:2")

    assert told.text == "DSR-2026-0002 et DSR-2026-0001 sont de nouveau séparés."
    assert {ref: office.case(ref).rights for ref in before} == before
    with office.app.database.reading() as session:
        assert [(m.case_id, m.disposition) for m in session.exec(select(Message)).all()] == [
            (1, "opened"),
            (2, "opened"),
        ]
        assert messages.view(session, office.app.vault, messages.of_case(session, 2)[0])["subject"] == "STOP"


def test_who_was_merged_writes_from_either_address_and_nobody_else_does(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    office.arrive(mail(ACCESS, sender="Jean Roche <jean@travail.example>", subject="Copie"), at=office.clock.now())
    assert office.do("merge", "case:2", text="DSR-2026-0001 même personne").done

    def added(sender: str, text: str, subject: str) -> tuple[str, int | None]:
        recorded = office.arrive(mail(text, sender=sender, subject=subject))
        with office.app.database.reading() as session:
            message = session.get(Message, recorded.message_id)
            assert message is not None
            return message.disposition, message.case_id

    assert added("jean@travail.example", "Je précise.", "Re: DSR-2026-0001") == ("added", 1)
    assert added("jean@travail.example", "Je précise encore.", "Re: DSR-2026-0002") == ("added", 1)
    assert added("jean@boite.example", "Moi aussi.", "Re: DSR-2026-0002") == ("added", 1)
    assert added("paul@travail.example", "Et moi ?", "Re: DSR-2026-0001")[0] == "quarantine"
    assert office.do("unmerge", "case:2").done
    assert added("jean@travail.example", "Séparé.", "Re: DSR-2026-0001")[0] == "quarantine"
    assert added("jean@travail.example", "Le mien.", "Re: DSR-2026-0002") == ("added", 2)


def test_a_case_on_hold_is_neither_purged_nor_erased_and_its_clock_runs_on(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    due = office.case().due
    assert office.do("hold", text="litige en cours").done
    with office.app.database.reading() as session:
        card = view_of(session, office.app, "case:1", masked=True, now=office.clock.now())
    assert card is not None
    assert "EN ATTENTE depuis le 2 mars 2026 (dpo) ; l'échéance court toujours" in card.text
    assert office.case().due == due
    office.do("close", text="clos")
    office.clock.move_to(paris("2035-01-01 10:00"))
    assert purge(office.app).cases == ()
    assert not office.do("erase_case", text="DSR-2026-0001").done

    assert office.do("release").text == "L'attente est levée."
    assert purge(office.app).cases == ("DSR-2026-0001",)


def test_erasing_a_case_wants_its_reference_and_leaves_nothing_that_can_be_read(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    office.do("close", text="clos")
    assert office.do("erase_case", text="oui").text == "Pour confirmer, écrivez la référence : DSR-2026-0001"
    assert office.do("erase_case", text="DSR-2026-0001").text.startswith("Dossier DSR-2026-0001 effacé.")
    with office.app.database.reading() as session:
        case = cases.by_reference(session, "DSR-2026-0001")
        assert case is not None
        row = session.get(SealingKey, case.key_id)
        assert row is not None
        assert (row.wrapped, case.address_hash, case.state) == (None, "", "closed")
    assert office.do("erase_case", text="DSR-2026-0001").text == "Ce dossier est déjà effacé."


# --- who it is about -------------------------------------------------------------------------------------------------


def test_what_was_read_of_the_person_is_corrected_and_the_letters_follow(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    (before,) = office.drafts()

    assert office.do("set_about", argument="language=en").done

    (after,) = office.drafts()
    assert (before.language, after.language, office.case().language) == ("fr", "en", "en")
    assert office.do("approve", draft_id=before.id, revision=1, digest=before.digest).text == (
        "Ce projet n'est plus valable : la personne concernée a changé."
    )
    assert office.do("set_about", argument="minor=yes").done
    assert office.case().minor
    assert office.do("set_about", argument="minor=yes").text == "C'est déjà le cas."
    assert office.do("set_about", argument="colour=red").text == "Choix inconnu."


def test_the_person_concerned_is_shown_masked_and_drafts_are_made_anew(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    assert office.do("set_subject", text="Lucie Roche").done
    with office.app.database.reading() as session:
        card = view_of(session, office.app, "case:1", masked=True, now=office.clock.now())
    assert card is not None
    assert "Personne concernée : L. R." in card.text
    assert "Lucie" not in card.text


def test_an_answer_by_post_is_printed_with_the_address_and_counts_once_it_was_posted(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    assert office.do("set_address", text="12 rue des Lilas\n75011 Paris").done
    office.complete("answer")
    assert office.do("approve", kind="answer").done
    assert (office.mailer.to("jean@boite.example")[1:], office.case().state) == ([], "open")
    assert office.do("sent_by_post").done
    assert office.case().state == "answered"


def test_one_letter_may_go_by_post_while_the_address_stays(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    office.complete("answer")
    before = len(office.mailer.sent)
    assert office.do("by_post", kind="answer").done
    assert office.do("approve", kind="answer").done
    assert (len(office.mailer.sent), office.case().state) == (before, "open")
    assert office.do("sent_by_post").done
    assert office.case().state == "answered"


@pytest.mark.parametrize(("action", "kind"), [("refuse", "refusal"), ("refuse_partially", "partial_refusal")])
def test_a_refusal_is_prepared_with_the_ground_that_was_given(office, action, kind):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    assert office.do(action, text="Obligation légale de conserver (article 17(3)(b)).").done
    (draft,) = [draft for draft in office.drafts() if draft.kind == kind]
    assert "Obligation légale de conserver (article 17(3)(b))." in office.letter(draft).text


def test_a_question_in_the_dpos_words_leaves_once_approved(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    assert office.do("ask_requester", text="De quelle liste recevez-vous ces messages ?").done
    assert office.do("approve", kind="information_request").done
    assert "De quelle liste recevez-vous ces messages ?" in text_of(office.mailer.to("jean@boite.example")[-1])


def test_identity_seen_in_person_is_noted_with_who_saw_it(office):
    office.arrive(mail(ACCESS, sender=JEAN, subject="Mes données"))
    assert office.do("identity_in_person", text="vu au guichet par l'accueil").done
    assert office.case().identity == "verified"
    with office.app.database.reading() as session:
        (event,) = [e for e in journal.of_case(session, 1) if e.type == "identity_verified"]
    assert event.data["method"] == "in_person"


# --- entered by hand -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        (
            "courrier 2026-02-20 Paul Ferry <paul@boite.example> accès\nJe veux savoir.",
            ("letter", ["access"], "2026-02-20"),
        ),
        ("Guichet, 27/02/2026, Paul Ferry, effacement", ("counter", ["erasure"], "2026-02-27")),
        ("phone 2026-03-01 objection\nNo more letters, please.", ("phone", ["objection"], "2026-03-01")),
    ],
)
def test_a_request_is_entered_in_a_line_and_counts_from_its_receipt(office, typed, seen):
    told = office.do("manual_intake", "desk", text=typed)
    case = office.case()
    assert told.text.startswith("Dossier DSR-2026-0001 ouvert, reçu le")
    assert (case.channel, case.rights, case.received_at.astimezone(office.settings.zone).date().isoformat()) == seen
    assert office.mailer.to("paul@boite.example") == []
    assert office.do("manual_intake", "desk", text=typed).text == "Déjà saisi : DSR-2026-0001."


def test_what_a_person_entered_opens_a_case_whatever_its_words_sound_like(office):
    office.arrive(mail(ACCESS, sender=JEAN, subject="Demande"))
    told = office.do(
        "manual_intake", "desk",
        text="courrier 2026-02-20 Paul Ferry accès\nRéponse automatique : je suis absent. Voir DSR-2026-0001.",
    )  # fmt: skip
    assert (told.done, office.case("DSR-2026-0002").rights) == (True, ["access"])


def test_two_who_left_no_address_are_two_people(office):
    office.do("manual_intake", "desk", text="courrier 2026-02-20 Paul Ferry accès\nJe veux savoir.")
    office.do("manual_intake", "desk", text="courrier 2026-02-20 Anne Morel accès\nQu'avez-vous sur moi ?")
    office.do("identity_in_person", "case:1", text="Passeport vu, aucune copie")
    first, second = office.case(), office.case("DSR-2026-0002")
    assert first.address_hash != second.address_hash
    with office.app.database.reading() as session:
        assert not verified_before(session, second)


def test_the_first_address_of_somebody_seen_in_person_is_asked_for_no_proof_again(office):
    office.do("manual_intake", "desk", text="guichet 2026-03-01 Paul Ferry effacement\nEffacez tout.")
    office.do("identity_in_person", "case:1", text="Passeport vu, aucune copie")
    assert office.do("set_requester", "case:1", text="Paul Ferry <paul@boite.example>").done
    assert (office.case().identity, office.mailer.to("paul@boite.example")) == ("verified", [])
    # A second address, or another person, is a change: what was proven was not proven for it.
    assert office.do("set_requester", "case:1", text="Paul Ferry <paul@autre.example>").done
    assert office.case().identity == "requested"


def test_the_first_address_of_somebody_else_is_asked_for_proof(office):
    office.do("manual_intake", "desk", text="guichet 2026-03-01 Paul Ferry effacement\nEffacez tout.")
    office.do("identity_in_person", "case:1", text="Passeport vu, aucune copie")
    assert office.do("set_requester", "case:1", text="Anne Ferry <anne@boite.example>").done
    assert office.case().identity == "requested"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2026-02-20 Paul\nJe veux savoir.", "Dites d'abord comment"),
        ("courrier Paul\nJe veux savoir.", "Il manque la date de réception"),
        ("courrier 2026-12-01\nJe veux savoir.", "La date de réception est dans l'avenir."),
        ("courrier 31/02/2026\nJe veux savoir.", "Il manque la date de réception"),
        ("courrier 2006-02-20\nJe veux savoir.", "La date de réception est antérieure au RGPD"),
        ("courrier 2026-02-20 DPO <dpo@mije.com>\nJe veux savoir.", "L'adresse n'est pas celle d'une personne."),
        ("courrier 2026-02-20 Paul", "Il manque le texte"),
    ],
)
def test_an_entry_that_lacks_something_says_what(office, typed, said):
    told = office.do("manual_intake", "desk", text=typed)
    assert (told.done, told.text[: len(said)]) == (False, said)


# --- absence, roles, two people --------------------------------------------------------------------------------------


def test_an_absence_sends_cards_to_the_deputy_who_is_told_for_whom(office):
    told = office.do("set_absence", "desk", text="deputy 2026-03-10 2026-03-20")
    assert told.text.startswith("Du 10 mars 2026 au 20 mars 2026, deputy reçoit les cartes de dpo.")
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))

    def on_duty(day: date) -> list[str]:
        with office.app.database.reading() as session:
            return [user.key for user in roster.on_duty(session, office.app, day) if user.role != "auditor"]

    days = [date(2026, 3, day) for day in (9, 10, 20, 21)]
    assert [on_duty(day) for day in days] == [["dpo", "deputy"], ["deputy"], ["deputy"], ["dpo", "deputy"]]
    office.clock.move_to(paris("2026-03-12 10:00"))
    with office.app.database.reading() as session:
        card = view_of(
            session, office.app, "case:1", masked=True, now=office.clock.now(), user=office.user("deputy")
        )  # fmt: skip
    assert card is not None
    assert card.text.splitlines()[0] == "En l'absence de Claude Martinez"
    office.complete("answer")
    assert office.do("approve", user="deputy", kind="answer").done
    with office.app.database.reading() as session:
        approved = [e for e in journal.of_case(session, 1) if e.type == "draft_approved" and e.actor == "deputy"]
    assert [e.data["on_behalf"] for e in approved] == ["dpo"]
    assert office.do("end_absence", "desk").text == "dpo est de retour."
    assert on_duty(date(2026, 3, 12)) == ["dpo", "deputy"]


@pytest.mark.parametrize(
    "typed", ["", "deputy", "2026-03-10 2026-03-20 auditor", "deputy 2026-01-01 2026-01-20", "deputy 2026-03-10"]
)
def test_an_absence_that_makes_no_sense_is_not_noted(office, typed):
    before = office.footprint()
    assert not office.do("set_absence", "desk", text=typed).done
    assert office.footprint() == before


def test_two_people_approve_where_the_rule_says_so_and_only_the_same_text(tmp_path):
    users = [
        {"key": "dpo", "name": "Claude Martinez", "role": "dpo"},
        {"key": "deputy", "name": "Adjointe", "role": "deputy"},
    ]
    office = Office(
        tmp_path / "data", desk={"users": users, "language": "fr", "second_approval": ["minor", "disclosure"]}
    )
    try:
        office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
        office.do("set_about", argument="minor=yes")
        office.complete("answer")
        left = len(office.mailer.sent)
        first = office.do("approve", kind="answer")
        assert first.text.startswith("Première approbation notée ; rien n'est parti")
        again = office.do("approve", kind="answer")
        assert again.text == "Vous avez déjà approuvé : il faut une seconde personne."
        (draft,) = office.drafts()
        office.do("edit", text=office.letter(draft).text.replace("publicité", "réclame"), kind="answer")
        assert office.do("approve", user="deputy", kind="answer").text.startswith("Première approbation notée")
        assert len(office.mailer.sent) == left
        assert office.do("approve", kind="answer").text.startswith("Approuvé")
        assert len(office.mailer.sent) == left + 1
    finally:
        office.close()


def test_a_helper_sees_no_personal_data_and_decides_nothing(tmp_path):
    users = [
        {"key": "dpo", "name": "Claude Martinez", "role": "dpo"},
        {"key": "helper", "name": "Accueil", "role": "helper"},
    ]
    office = Office(tmp_path / "data", desk={"users": users, "language": "fr"})
    try:
        office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP la pub"))
        with office.app.database.reading() as session:
            card = view_of(
                session, office.app, "case:1", masked=False, now=office.clock.now(), user=office.user("helper")
            )
        assert card is not None
        assert [word for word in ("Jean", "Roche", "boite", "STOP", "publicit", "Bonjour") if word in card.text] == []
        assert [offer.action for row in card.offers for offer in row] == ["take_charge", "more"]
        assert not office.do("approve", user="helper").done
        assert office.do("note", user="helper", text="rappelée").done
    finally:
        office.close()


# --- the state that was seen -----------------------------------------------------------------------------------------


def test_a_button_of_an_older_card_says_what_came_between_and_does_nothing(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    with office.app.database.reading() as session:
        seen = stamp(journal.of_case(session, 1))
    office.do("change_right", user="deputy", argument="complaint")
    before = office.footprint()

    told = perform(office.app, Ask("close", "case:1", text="rien à faire", seen=seen), user=office.user("dpo"))

    said = "Rien n'est fait : le dossier a changé depuis cette carte (droit changé (deputy)). La voici à jour."
    assert (told.done, told.text) == (False, said)
    assert office.footprint()[2] == before[2]
    assert office.case().state == "open"
    with office.app.database.reading() as session:
        now_seen = stamp(journal.of_case(session, 1))
    assert perform(office.app, Ask("close", "case:1", text="rien à faire", seen=now_seen), user=office.user("dpo")).done


def test_a_note_and_a_routine_letter_do_not_make_a_card_old(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    with office.app.database.reading() as session:
        seen = stamp(journal.of_case(session, 1))
    office.do("note", text="appelé")
    office.do("take_charge", user="deputy")
    office.clock.move_to(office.clock.now() + timedelta(days=1))
    assert perform(office.app, Ask("close", "case:1", text="vu", seen=seen), user=office.user("dpo")).done


def test_why_a_draft_was_voided_is_told(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    ask = office.ask("approve")
    with office.app.database.transaction() as session:
        case = cases.by_reference(session, "DSR-2026-0001")
        assert case is not None
        void_drafts(session, office.app, case, reason="recipient-changed", now=office.clock.now(), by="deputy")
    told = perform(office.app, ask, user=office.user("dpo"))
    assert told.text == "Ce projet n'est plus valable : le destinataire a changé."


# --- what is held, and cards -----------------------------------------------------------------------------------------


def test_what_is_held_on_a_person_is_written_out_and_removed_a_day_later(office, tmp_path):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    assert office.do("export_person", "desk", text="ana@boite.example").text == "Rien n'est détenu sous cette adresse."
    assert office.do("export_person", "desk", text="Jean@Boite.example").done
    (file,) = (tmp_path / "data" / "desk").glob("person-*/held.json")
    held = json.loads(file.read_text())
    assert [case["reference"] for case in held["cases"]] == ["DSR-2026-0001"]
    assert held["cases"][0]["messages"][0]["read_as"]["subject"] == "STOP"
    assert file.stat().st_mode & 0o077 == 0
    with office.app.database.reading() as session:
        events = [e.data for e in session.exec(select(Event)).all() if e.type == "person_exported"]
    assert [data["cases"] for data in events] == [[], ["DSR-2026-0001"]]


def test_a_card_fits_into_a_message_whatever_is_in_it(office):
    subject = "🙂" * 900 + "<b>*_[x](http://a.example)_*</b>"
    office.arrive(mail(OBJECTION + "\n" + "mot 🙂 " * 3000, sender=f'"{"N" * 300}" <n@boite.example>', subject=subject))
    for index in range(12):
        office.do("note", text=f"note {index} " + "x" * 900)
    with office.app.database.reading() as session:
        card = view_of(session, office.app, "case:1", masked=True, now=office.clock.now())
    assert card is not None
    assert len(card.text.encode("utf-16-le")) // 2 <= CARD_LIMIT


# --- exactly what was approved ---------------------------------------------------------------------------------------


def approved_and_waiting(office: Office) -> OutboxItem:
    """A letter that was approved and has not left yet."""
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    office.complete("answer")
    assert perform(office.app, office.ask("approve", kind="answer"), user=office.user("dpo")).done
    with office.app.database.reading() as session:
        return session.exec(select(OutboxItem).where(OutboxItem.status == "pending")).one()


def tamper(office: Office, item: OutboxItem, *, payload: bytes | None = None, recipient: str | None = None) -> None:
    """Change what waits in the outbox as somebody would who has the keys: sealed anew, its hash made to fit."""
    with office.app.database.transaction() as session:
        row = session.get(OutboxItem, item.id)
        assert row is not None
        vault = office.app.vault
        if payload is not None:
            row.payload_sealed = vault.seal(session, row.key_id, payload, f"payload:{row.key}")
            row.sha256 = hashlib.sha256(payload).hexdigest()
        if recipient is not None:
            row.recipient_sealed = vault.seal(session, row.key_id, recipient.encode(), f"recipient:{row.key}")
        session.add(row)


def others(office: Office) -> list[str]:
    """Who got a mail, the DPO aside (he is told that a letter did not leave)."""
    return [recipient for recipient, _ in office.mailer.sent if recipient != "dpo@mije.com"]


@given(data=st.data())
@settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_one_changed_byte_after_the_approval_and_the_letter_does_not_leave(tmp_path_factory, data):
    office = Office(tmp_path_factory.mktemp("bytes") / "data")
    try:
        item = approved_and_waiting(office)
        with office.app.database.reading() as session:
            _, mime = outbox.opened(session, office.app.vault, item)
        place = data.draw(st.integers(0, len(mime) - 1))
        changed = bytearray(mime)
        changed[place] ^= data.draw(st.integers(1, 255))
        tamper(office, item, payload=bytes(changed))
        before = others(office)
        send_due(office.app)
        assert others(office) == before
        with office.app.database.reading() as session:
            row = session.get(OutboxItem, item.id)
        assert row is not None
        assert (row.status, row.last_error) == ("failed", "the payload differs from what was approved")
    finally:
        office.close()


def test_another_recipient_or_an_added_attachment_after_the_approval_and_the_letter_does_not_leave(tmp_path):
    for name in ("recipient", "attachment"):
        office = Office(tmp_path / name)
        item = approved_and_waiting(office)
        with office.app.database.reading() as session:
            _, mime = outbox.opened(session, office.app.vault, item)
        if name == "recipient":
            tamper(office, item, recipient="mallory@boite.example")
        else:
            made = BytesParser(policy=policy.default).parsebytes(mime)
            made.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="a.pdf")
            tamper(office, item, payload=made.as_bytes())
        before = others(office)
        send_due(office.app)
        assert others(office) == before
        office.close()


def test_a_message_that_was_put_into_the_wrong_case_is_taken_out_again(office):
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    office.arrive(mail("Bonjour, peut-être faut-il que vous supprimiez tout ?", sender=ANA, subject="Question"))
    assert office.do("attach", "message:2", text="DSR-2026-0001").done
    assert office.do("detach", "message:2").text == "Retiré du dossier DSR-2026-0001."
    with office.app.database.reading() as session:
        message = session.get(Message, 2)
        assert message is not None
        assert (message.case_id, message.disposition) == (None, "to_sort")
        assert messages.view(session, office.app.vault, message)["subject"] == "Question"
    assert office.do("open_as", "message:2", argument="erasure").done
    assert office.case("DSR-2026-0002").rights == ["erasure"]


def test_the_terminal_offers_what_concerns_no_single_case(office):
    told: list[str] = []
    typed = iter(["b", "1", "courrier 2026-02-20 Paul Ferry accès", "Je veux savoir.", ".", "q"])
    Terminal(office.app, office.user("dpo"), ask=lambda _: next(typed), say=told.append).run()
    assert any(line.startswith("✔ Dossier DSR-2026-0001 ouvert, reçu le 20 février 2026") for line in told)
