"""What may be done at the desk, by whom, on what: whatever is refused leaves no trace, whatever is done is done once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from bot.channels.base import TemporaryRefusal, Uncertain
from bot.desk.actions import ACTIONS, CHOICES, LETTERS, LONGEST_TEXT, Ask, perform
from bot.desk.cards import view_of
from bot.desk.masking import hider, still_masked, unmask
from bot.desk.text import inert
from bot.purge import erase
from bot.sending import send_due
from handlers.lifecycle import ALLOWED
from store import drafts, journal, messages
from store.models import Button, Case, Event, Message, OutboxItem
from tests.fakes import ACCESS, CAMILLE, JEAN, OBJECTION, UNSURE, Office
from tests.store_makers import together
from tests.world import mail, paris, text_of


@pytest.fixture
def objection(office) -> Office:
    """A case whose answer is complete and waits: no proof of identity is needed."""
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    office.complete()
    return office


@pytest.fixture
def access(office) -> Office:
    """A case that waits for proof of identity."""
    office.arrive(mail(ACCESS, sender=CAMILLE, subject="Mes données"))
    return office


def refused(office: Office, *asks: Ask, user: str = "dpo") -> list[str]:
    """Ask for each, see that nothing at all came of it, and return what was said."""
    before = office.footprint()
    told = [perform(office.app, ask, user=office.user(user)) for ask in asks]
    assert [t.done for t in told] == [False] * len(asks)
    assert office.footprint() == before
    return [t.text for t in told]


# --- who


def test_every_action_is_for_those_who_decide_and_for_no_auditor(objection):
    asks = {name: objection.ask(name, text="x", argument="erasure") for name in ACTIONS}
    before = objection.footprint()
    told = {name: perform(objection.app, ask, user=objection.user("auditor")) for name, ask in asks.items()}
    assert {t.text for t in told.values()} == {"Votre rôle ne le permet pas."}
    assert objection.footprint() == before
    helped = {name for name, action in ACTIONS.items() if "helper" in action.roles}
    assert helped == {"note", "take_charge", "leave_charge", "sent_by_post", "manual_intake"}
    assert {frozenset(action.roles) - {"helper"} for action in ACTIONS.values()} == {frozenset({"dpo", "deputy"})}


def test_every_action_can_be_undone_or_says_beforehand_that_it_is_final():
    undone_by = {name: action.undo for name, action in ACTIONS.items() if action.warning is None}
    assert set(undone_by.values()) <= set(ACTIONS)
    said = [action.warning for action in ACTIONS.values() if action.warning is not None and not action.undo]
    assert {warning[language].split(" ")[0].rstrip(":") for warning in said for language in ("fr", "en")} == {
        "Définitif",
        "Final",
    }


def test_an_action_by_which_a_letter_leaves_says_so_before():
    sending = {name for name, action in ACTIONS.items() if action.sends}
    assert sending == {"request_identity", "identity_insufficient", "move_to_mail", "open_as"}
    for name in sending:
        action = ACTIONS[name]
        assert action.undo
        said = action.asked("fr") if action.text != "none" else action.button("fr")
        assert "part aussitôt" in said


@pytest.mark.parametrize("user", ["dpo", "deputy"])
def test_a_deputy_may_do_what_the_dpo_may(objection, user):
    told = objection.do("approve", user=user).text
    assert told.startswith("Approuvé : la lettre du dossier DSR-2026-0001 part. Tâches encore ouvertes (1) : prévenir")
    with objection.app.database.reading() as session:
        (approved,) = [e for e in journal.of_case(session, 1) if e.type == "draft_approved" and e.actor != "bot"]
    assert approved.actor == user


def test_what_is_no_action_is_told(objection):
    asks = [objection.ask("abolish"), objection.ask("note"), objection.ask("note", text="x" * (LONGEST_TEXT + 1))]
    said = ["Action inconnue.", "Il manque un texte.", "Texte trop long (20 000 caractères au plus)."]
    assert refused(objection, *asks) == said


# --- on what

NOWHERE = ("case:999", "case:", "case:²", "case:" + "9" * 30, "case:-1", "message:", "message:999", "system:imap", "")


ON_SOMETHING = [name for name, action in ACTIONS.items() if action.on != "desk"]


@pytest.mark.parametrize("action", ON_SOMETHING)
def test_an_action_on_what_does_not_exist_has_no_effect(objection, action):
    asks = [objection.ask(action, subject, text="texte", argument="erasure") for subject in NOWHERE]
    missing = "Message introuvable." if ACTIONS[action].on == "message" else "Dossier introuvable."
    assert refused(objection, *asks) == [missing] * len(NOWHERE)


@pytest.mark.parametrize("action", ON_SOMETHING)
def test_an_action_on_the_wrong_kind_of_thing_has_no_effect(objection, action):
    wrong = "case:1" if ACTIONS[action].on == "message" else "message:1"
    missing = "Message introuvable." if ACTIONS[action].on == "message" else "Dossier introuvable."
    assert refused(objection, objection.ask(action, wrong, text="texte", argument="erasure")) == [missing]


@pytest.mark.parametrize("action", [name for name, action in ACTIONS.items() if action.on == "message"])
def test_a_message_that_opened_a_case_is_not_sorted_again(objection, action):
    asked = objection.ask(action, "message:1", text="DSR-2026-0001", argument="erasure")
    said = "Ce message n'est joint à aucun dossier." if action == "detach" else "Ce message est déjà trié."
    assert refused(objection, asked) == [said]


@pytest.mark.parametrize("action", [name for name, action in ACTIONS.items() if action.on == "draft"])
def test_a_decision_on_anything_but_what_was_seen_has_no_effect(objection, action):
    objection.arrive(mail(OBJECTION, sender="Ana <ana@boite.example>", subject="STOP"))
    (draft,) = objection.drafts("DSR-2026-0001")
    (other,) = objection.drafts("DSR-2026-0002")

    def ask(**seen: object) -> Ask:
        return objection.ask(action, text="[[x]]", **{"digest": draft.digest, "revision": draft.revision, **seen})

    changed = "Le projet a changé depuis : regardez la nouvelle version."
    other_revisions = [ask(revision=draft.revision - 1), ask(revision=draft.revision + 1)]
    asks = [*other_revisions, ask(revision=None), ask(digest=""), ask(digest=other.digest)]
    assert refused(objection, *asks) == [changed] * len(asks)
    elsewhere = [ask(draft_id=None), ask(draft_id=999), ask(draft_id=other.id, digest=other.digest)]
    assert refused(objection, *elsewhere) == ["Projet introuvable."] * 3


@pytest.mark.parametrize("action", [name for name, action in ACTIONS.items() if action.on == "draft"])
@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("approve", "Déjà approuvé par deputy."),
        ("reject", "Ce projet a été refusé par deputy."),
        ("close", "Ce projet n'est plus valable : le dossier a été clos."),
    ],
)
def test_a_decision_on_what_is_decided_has_no_effect(objection, action, first, said):
    ask = objection.ask(action, text="Autre texte.")
    assert objection.do(first, user="deputy", text="Raison.").done
    assert refused(objection, ask) == [said]


def test_after_an_edit_the_older_revision_can_no_longer_be_approved(objection):
    old = objection.ask("approve")
    (draft,) = objection.drafts()
    before = objection.letter(draft).text
    after = before.replace("Bonjour Jean Roche,", "Bonjour Monsieur Roche,")
    assert objection.do("edit", text=after).text == f"Version {draft.revision + 1} enregistrée ; à approuver."
    assert refused(objection, old) == ["Le projet a changé depuis : regardez la nouvelle version."]
    assert objection.do("approve").done
    letter = objection.mailer.to("jean@boite.example")[-1]
    assert text_of(letter).replace("\r\n", "\n").strip() == after.strip() != before.strip()
    html = letter.get_body(("html",))
    assert html is not None
    assert "Bonjour Monsieur Roche," in html.get_content()


def test_an_edit_that_changes_nothing_is_told(objection):
    (draft,) = objection.drafts()
    assert refused(objection, objection.ask("edit", text=objection.letter(draft).text)) == ["Le texte est le même."]


# --- in which state


def put(office: Office, state: str) -> None:
    """Bring the one case into a state, by the desk's own means."""
    if state in ("answered", "refused", "partially_refused"):
        kind = {"answered": "answer", "refused": "refusal", "partially_refused": "partial"}[state]
        office.do("make_draft", argument=kind)
        wanted = {"partial": "partial_refusal"}.get(kind, kind)
        office.complete(wanted)
        assert office.do("approve", kind=wanted, text="contrôlé").done
    elif state in ("closed", "withdrawn"):
        assert office.do("close", argument="withdrawn" if state == "withdrawn" else "", text="Retirée.").done
    elif state == "not_request":
        assert office.do("not_a_request").done
    assert office.case().state == state


STATES = ("open", "answered", "refused", "partially_refused", "closed", "withdrawn", "not_request")
FREE = frozenset({"note", "set_requester", "sent_by_post", "letter_left", "letter_again", "move_to_mail"})
"""Actions that the table of states does not hold, or that go by the row of another."""


@pytest.mark.parametrize("state", STATES)
def test_in_each_state_only_what_it_admits_has_an_effect(objection, state):
    put(objection, state)
    names = [name for name, action in ACTIONS.items() if action.on == "case" and name not in ALLOWED[state] | FREE]
    asks = [objection.ask(name, text="Texte.", argument="erasure") for name in names]
    assert refused(objection, *asks) == ["Impossible dans l'état actuel du dossier DSR-2026-0001."] * len(names)


@pytest.mark.parametrize("state", ["closed", "withdrawn", "not_request"])
def test_in_a_finished_case_nothing_but_a_note_and_a_reopening_has_an_effect(objection, state):
    put(objection, state)
    still = {"note", "reopen", "hold"} | ({"change_right"} if state == "not_request" else set())
    names = [name for name, action in ACTIONS.items() if action.on == "case" and name not in still]
    refused(objection, *(objection.ask(name, text="A <a@b.example>", argument="erasure") for name in names))
    assert objection.do("note", text="Rappelé par téléphone.").text == "Note ajoutée au dossier."
    assert objection.do("reopen").text == "Rouvert ; l'échéance court depuis la réception."
    assert (objection.case().state, objection.case().due) == ("open", date(2026, 4, 2))


def test_what_was_erased_is_told_as_such(objection):
    put(objection, "closed")
    with objection.app.database.transaction() as session:
        case = session.get(Case, 1)
        assert case is not None
        erase(session, objection.app, case, actor="bot", reason="retention")
    gone = "Contenu effacé ou altéré."
    assert refused(objection, objection.ask("note", text="x"), objection.ask("reopen", text="x")) == [gone, gone]


# --- once


def press(office: Office, action: str, key: str = "b1") -> None:
    now = office.clock.now()
    with office.app.database.transaction() as session:
        session.add(Button(key=key, action=action, subject="case:1", chat_id=7, created_at=now, expires_at=now))


def test_a_button_works_once_whoever_presses_it(objection):
    press(objection, "take_charge")
    ask = Ask("take_charge", "case:1", button="b1")
    assert perform(objection.app, ask, user=objection.user("dpo")).text == "Vous êtes en charge."
    assert refused(objection, ask, user="deputy") == ["Déjà fait par dpo."]
    assert refused(objection, ask) == ["Déjà fait par dpo."]
    assert (objection.case().charge, objection.types().count("taken_charge")) == ("dpo", 1)


def test_a_button_whose_action_was_refused_is_not_used_up(objection):
    press(objection, "close")
    assert refused(objection, Ask("close", "case:1", button="b1")) == [
        "Aucune réponse n'est partie : dites pourquoi le dossier est clos."
    ]
    ask = Ask("close", "case:1", text="Sans objet.", button="b1")
    assert perform(objection.app, ask, user=objection.user("dpo")).text == "Dossier DSR-2026-0001 clos."


def test_a_button_nobody_made_does_nothing(objection):
    assert refused(objection, Ask("take_charge", "case:1", button="forged")) == ["Déjà fait par ?."]


@pytest.mark.parametrize("attempt", range(3))
def test_of_two_who_approve_at_once_one_does_and_one_letter_leaves(objection, attempt):
    ask = objection.ask("approve")
    users = [objection.user("dpo"), objection.user("deputy")]
    told = together(2, lambda number: perform(objection.app, ask, user=users[number]))
    together(2, lambda _: send_due(objection.app))
    winner = next(number for number, answer in enumerate(told) if answer.done)
    assert told[1 - winner].text == f"Déjà approuvé par {users[winner].key}."
    assert objection.types().count("draft_approved") == 2  # the receipt by itself, and the answer once
    assert len(objection.mailer.to("jean@boite.example")) == 2


# --- what leaves is what was approved


def test_an_answer_with_a_marker_left_does_not_leave_even_with_a_reason(access):
    access.do("identity_verified")
    said = refused(access, access.ask("approve"), access.ask("approve", text="pressé"))
    assert [text.partition("\n")[0] for text in said] == ["À corriger d'abord :"] * 2
    access.complete()
    assert access.do("approve").done


@pytest.mark.parametrize("place", [0, 200, -1])
def test_a_letter_that_was_changed_after_its_approval_does_not_leave(objection, place):
    assert perform(objection.app, objection.ask("approve"), user=objection.user("dpo")).done
    vault = objection.app.vault
    with objection.app.database.transaction() as session:
        item = session.exec(select(OutboxItem).where(OutboxItem.kind == "answer")).one()
        payload = bytearray(vault.open(session, item.key_id, item.payload_sealed, f"payload:{item.key}"))
        payload[place] ^= 1
        item.payload_sealed = vault.seal(session, item.key_id, bytes(payload), f"payload:{item.key}")
        session.add(item)
    send_due(objection.app)
    assert len(objection.mailer.to("jean@boite.example")) == 1  # the receipt
    assert objection.types()[-1] == "letter_failed"
    with objection.app.database.reading() as session:
        kept = session.get(OutboxItem, item.id)
    assert kept is not None
    assert (kept.status, kept.last_error) == ("failed", "the payload differs from what was approved")
    told = objection.mailer.to("dpo@mije.com")[-1]
    assert told["Subject"] == "[URGENT] Une lettre n'est pas partie – DSR-2026-0001"
    assert objection.case().state == "open"
    send_due(objection.app)
    assert len(objection.mailer.to("jean@boite.example")) == 1


def test_a_letter_from_another_row_does_not_leave_either(objection):
    """Sealed text is bound to its place: what was sealed for the receipt does not open as the answer."""
    assert perform(objection.app, objection.ask("approve"), user=objection.user("dpo")).done
    with objection.app.database.transaction() as session:
        receipt, answer = session.exec(
            select(OutboxItem).where(OutboxItem.channel == "mail").order_by(OutboxItem.id)  # type: ignore[arg-type]
        ).all()
        answer.payload_sealed, answer.sha256 = receipt.payload_sealed, receipt.sha256
        session.add(answer)
    send_due(objection.app)
    assert (len(objection.mailer.to("jean@boite.example")), objection.types()[-1]) == (1, "letter_failed")


# --- the month and its extension


def test_an_extension_holds_only_once_its_letter_has_left(objection):
    before = objection.case().due
    assert objection.do("extend", text="Douze demandes liées.").done
    assert refused(objection, objection.ask("extend", text="encore")) == ["Une lettre de prolongation attend déjà."]
    objection.complete("extension", "Rien n'est encore prêt.")
    objection.mailer.problem = TemporaryRefusal("451 later")
    assert objection.do("approve", kind="extension").done
    assert (objection.case().due, "extended" in objection.types()) == (before, False)
    objection.clock.advance(timedelta(minutes=2))
    send_due(objection.app)
    assert objection.types()[-2:] == ["letter_sent", "extended"]
    case = objection.case()
    assert (before, case.due, case.extended_due) == (date(2026, 4, 2), date(2026, 6, 2), date(2026, 6, 2))
    assert "Douze demandes liées." in text_of(objection.mailer.to("jean@boite.example")[-1])
    impossible = "Impossible dans l'état actuel du dossier DSR-2026-0001."
    assert refused(objection, objection.ask("extend", text="encore")) == [impossible]


@pytest.mark.parametrize(("moment", "done"), [("2026-04-02 23:59", True), ("2026-04-03 00:00", False)])
def test_an_extension_is_announced_within_the_first_month(objection, moment, done):
    objection.clock.move_to(paris(moment))
    told = objection.do("extend", text="Complexe.")
    late = "Trop tard : la prolongation s'annonce dans le premier mois (art. 12.3)."
    assert (told.done, told.text == late) == (done, not done)


def test_the_letter_the_desk_asked_for_is_shown_before_the_one_that_waits(objection):
    objection.do("extend", text="Complexe.")
    with objection.app.database.reading() as session:
        view = view_of(session, objection.app, "case:1", masked=False, now=objection.clock.now())
    assert view is not None
    kinds = {draft.id: draft.kind for draft in objection.drafts()}
    assert [kinds.get(offer.draft_id) for offer in view.offers[0]] == ["extension"] * 3


# --- identity


def test_an_answer_waits_for_identity_or_for_a_reason(access):
    access.do("make_draft", argument="answer")
    access.complete()
    waiting = "la preuve d'identité demandée n'est pas arrivée (art. 12(6))"
    assert refused(access, access.ask("approve")) == [waiting]
    assert access.do("approve", text="Je connais cette personne.").done
    assert [t for t in access.types() if t.startswith("identity")] == ["identity_requested", "identity_waived"]
    assert len(access.mailer.to("camille.durand@courrier.example")) == 2


def test_identity_that_does_not_suffice_asks_again_with_the_reason(access):
    access.clock.advance(timedelta(days=2))
    assert access.do("identity_insufficient", text="La copie est illisible.").done
    assert access.case().identity == "requested"
    assert "La copie est illisible." in text_of(access.mailer.to("camille.durand@courrier.example")[-1])
    access.clock.advance(timedelta(days=3))
    assert access.do("identity_verified").done
    # Suspended from 2 to 7 March: 2 April + 5 days.
    assert (access.case().identity, access.case().due) == ("verified", date(2026, 4, 7))
    assert [draft.kind for draft in access.drafts()] == ["answer"]


@pytest.mark.parametrize("action", ["identity_waived", "identity_insufficient"])
def test_a_judgement_on_identity_needs_its_reason(access, action):
    assert refused(access, access.ask(action)) == ["Il manque un texte."]


def test_a_proof_that_the_right_does_not_need_is_asked_for_only_with_a_reason(objection):
    """Art. 12(6): without reasonable doubt nothing is asked; who stops advertising need not say who he is."""
    waits = "La demande de justificatif est prête ; elle attend votre accord."
    assert objection.do("request_identity").text == waits
    assert [(draft.kind, draft.automatic) for draft in objection.drafts()] == [("identity_request", True)]
    (said,) = refused(objection, objection.ask("approve"))
    assert said.endswith("retirez cette demande.")
    assert objection.do("approve", text="Deux personnes portent ce nom à cette adresse.").done
    assert objection.types()[-6:] == [
        "draft_voided", "draft_proposed", "override", "draft_approved", "letter_sent", "identity_requested",
    ]  # fmt: skip
    assert (objection.drafts(), objection.case().state) == ([], "awaiting_identity")


# --- what the case is


def test_changing_the_right_keeps_the_clock_and_voids_the_draft(objection):
    before = objection.case()
    assert objection.do("change_right", argument="complaint,objection,complaint").done
    after = objection.case()
    assert (after.primary, after.rights, after.due) == ("complaint", ["complaint", "objection"], before.due)
    assert [(d.kind, d.template) for d in objection.drafts()] == [("answer", "complaint/answer")]
    same, none, unknown = "C'est déjà ce droit.", "Droit inconnu.", "Droit inconnu."
    asks = [objection.ask("change_right", argument=name) for name in ("complaint,objection", "", "divorce")]
    assert refused(objection, *asks) == [same, none, unknown]


def test_a_right_that_needs_proof_prepares_the_question_and_no_answer(objection):
    before = objection.case().due
    assert objection.do("change_right", argument="erasure").done
    assert [draft.kind for draft in objection.drafts()] == ["identity_request"]
    assert (objection.case().identity, objection.case().due) == ("pending_dpo_decision", before)
    assert objection.do("approve").done
    assert (objection.case().identity, objection.case().due) == ("requested", None)


@pytest.mark.parametrize(("action", "left"), [("letter_left", 1), ("letter_again", 2)])
def test_a_letter_that_may_have_left_waits_for_a_person_to_say_so(objection, action, left):
    none = "Aucun envoi n'est en suspens."
    assert refused(objection, objection.ask(action)) == [none]
    objection.mailer.problem = Uncertain("the connection broke after the data")
    ask = objection.ask(action)
    assert objection.do("approve").done
    assert (objection.types()[-1], objection.case().state) == ("letter_uncertain", "open")
    objection.clock.advance(timedelta(days=1))
    send_due(objection.app)
    assert len(objection.mailer.to("jean@boite.example")) == 1
    assert perform(objection.app, ask, user=objection.user("deputy")).done
    send_due(objection.app)
    assert len(objection.mailer.to("jean@boite.example")) == left
    assert (objection.types().count("letter_sent"), objection.case().state) == (2, "answered")
    assert refused(objection, ask) == [none]


def test_what_is_no_request_comes_back_with_its_clock(objection):
    assert objection.do("not_a_request").text == "Classé : pas une demande (« rouvrir » l'annule)."
    assert (objection.case().state, objection.drafts()) == ("not_request", [])
    objection.clock.advance(timedelta(days=5))
    assert objection.do("reopen").done
    assert (objection.case().state, objection.case().due) == ("open", date(2026, 4, 2))


@pytest.mark.parametrize("kind", LETTERS)
def test_every_letter_that_can_be_asked_for_can_be_written_once(access, kind):
    assert access.do("make_draft", argument=kind).text == "Projet préparé."
    assert len(access.drafts()) == 1
    assert access.do("make_draft", argument=kind).text == "Un projet attend déjà : le voici."
    assert len(access.drafts()) == 1
    assert refused(access, access.ask("make_draft", argument="invoice")) == ["Lettre inconnue."]


def test_a_refused_draft_leaves_its_reason_in_the_journal_and_nothing_in_the_outbox(objection):
    assert objection.do("reject", text="Trop froid.").text == "Projet refusé : rien n'est parti."
    assert (objection.drafts(), objection.types()[-1]) == ([], "draft_rejected")
    assert len(objection.mailer.to("jean@boite.example")) == 1
    with objection.app.database.reading() as session:
        event = journal.of_case(session, 1)[-1]
        assert event.secret_sealed is not None
        assert b"Trop froid" not in event.secret_sealed
        case = session.get(Case, 1)
        assert case is not None
        assert objection.app.vault.open(session, case.key_id, event.secret_sealed, "event") == b"Trop froid."


def test_another_requester_gets_the_letters_from_then_on(objection):
    bad = ["", "Jean", "Jean <jean>", "dpo@mije.com", "DPO <DPO@mije.com>", "Jean <a@b.example\nBcc: x@y.example>"]
    said = ["Il manque un texte.", *["Écrivez : Nom <adresse@domaine>."] * 5]
    assert refused(objection, *(objection.ask("set_requester", text=text) for text in bad)) == said
    assert objection.do("set_requester", text="Paul Roche <paul@boite.example>").done
    assert objection.drafts() == []
    objection.do("make_draft")
    objection.complete()
    assert objection.do("approve").done
    assert len(objection.mailer.to("jean@boite.example")) == 1
    assert "Bonjour Paul Roche," in text_of(objection.mailer.to("paul@boite.example")[0])


def test_a_letter_by_post_counts_once_somebody_says_it_went(office):
    from bot.commands.intake import intake

    intake(office.app, "letter", received="2026-03-01", name="P. Roche", email="", rights=("objection",), text="Stop.")
    assert refused(office, office.ask("sent_by_post")) == ["Aucune lettre n'attend d'être postée."]
    office.complete("answer")
    assert office.do("approve", kind="answer").done
    assert (office.mailer.to(""), office.case().state) == ([], "open")
    assert office.do("sent_by_post").text == "Noté : la lettre est postée."
    assert office.case().state == "answered"
    assert refused(office, office.ask("sent_by_post")) == ["Aucune lettre n'attend d'être postée."]


# --- items to sort


@pytest.fixture
def unsure(office) -> Office:
    """A message that may be a request."""
    office.arrive(mail(UNSURE, sender=CAMILLE, subject="Question"), at=paris("2026-02-27 18:00"))
    return office


@pytest.mark.parametrize("right", CHOICES)
def test_an_unsure_message_becomes_a_case_whose_clock_runs_from_receipt(unsure, right):
    unsure.clock.advance(timedelta(days=3))
    told = unsure.do("open_as", "message:1", argument=right)
    assert told.text == "Dossier DSR-2026-0001 ouvert ; l'échéance court depuis la réception."
    case = unsure.case()
    assert (case.primary, case.received_at, case.due_if_not_paused) == (
        right, paris("2026-02-27 18:00"), date(2026, 3, 27),
    )  # fmt: skip
    again = unsure.ask("open_as", "message:1", argument=right)
    assert refused(unsure, again) == ["Ce message est déjà trié."]


def test_an_item_is_filed_once_and_can_still_be_opened_after(unsure):
    assert unsure.do("file", "message:1").text == "Classé sans suite."
    assert refused(unsure, unsure.ask("file", "message:1")) == ["Ce message est déjà classé."]
    assert unsure.do("open_as", "message:1", argument="erasure").done


@pytest.mark.parametrize("argument", ["", "divorce", "erasure,divorce"])
def test_an_item_is_opened_for_a_known_right_only(unsure, argument):
    assert refused(unsure, unsure.ask("open_as", "message:1", argument=argument)) == ["Droit inconnu."]


def test_an_item_joins_the_case_that_a_person_names(objection):
    objection.arrive(mail(UNSURE, sender=CAMILLE, subject="Question"))
    asked = objection.ask("attach", "message:2", text="DSR-2026-0099")
    assert refused(objection, asked) == ["Aucun dossier de cette référence."]
    assert objection.do("attach", "message:2", text=" dsr-2026-0001 ").text == "Ajouté au dossier DSR-2026-0001."
    assert objection.types()[-2:] == ["message_added", "draft_voided"]
    with objection.app.database.reading() as session:
        first, second = (session.get(Message, number) for number in (1, 2))
        assert first is not None
        assert second is not None
        assert (second.case_id, second.disposition, second.key_id) == (1, "added", first.key_id)
        assert "supprimez mes données" in messages.view(session, objection.app.vault, second)["text"]
        assert b"supprimez" in messages.raw(session, objection.app.vault, second)
    # The sender of the item has no say in the case, and gets none of its letters.
    assert objection.mailer.to("camille.durand@courrier.example") == []


def test_the_journal_holds_after_all_of_it(objection):
    for action, more in (
        ("take_charge", {}), ("note", {"text": "Vu."}), ("extend", {"text": "Complexe."}), ("reject", {"text": "Non."}),
        ("change_right", {"argument": "erasure"}), ("approve", {}), ("close", {"text": "Fini."}), ("reopen", {}),
    ):  # fmt: skip
        objection.do(action, **more)
    with objection.app.database.reading() as session:
        assert journal.verify(session) is None
        assert {"taken_charge", "note", "draft_rejected", "rights_changed", "closed", "reopened"} <= {
            event.type for event in session.exec(select(Event)).all() if event.actor == "dpo"
        }


# --- masks


NAME, ADDRESS = "Camille Durand", "camille.durand@courrier.example"
OURS = ("Claude Martinez", "dpo@mije.com", "3 place de Fontenoy, TSA 80715, 75334 Paris cedex 07",
        "https://www.cnil.fr/fr/plaintes")  # fmt: skip
PIECES = st.sampled_from(
    [NAME, ADDRESS, *OURS, "Bonjour", "Mme Durand", "tél. 06 12 34 56 78", "tél. 06 99 99 99 78", "né le 3 mai 1980",
     "FR76 3000 6000 0112 3456 7890 189", "passeport n° 12AB34567", "autre@personne.example", "Votre dossier", "2 mars 2026",
     ",", ".", ":", "«", "»", "DSR-2026-0001", "article 15", "C. D.", "…", "é", "-", "12345678", "\t", "x@y"]
)  # fmt: skip
LINES = st.lists(st.lists(PIECES, max_size=6).map(" ".join), max_size=12)
HIDE = hider((NAME, ADDRESS), keep=OURS)


def restored(text: str, original: str) -> str:
    return unmask(text, name=NAME, address=ADDRESS, original=original, hide=HIDE)


@given(LINES)
@settings(max_examples=200, deadline=None)
def test_what_was_masked_comes_back_line_by_line(lines):
    original = "\n".join([*lines, "Fin"])
    for shown in (HIDE(original), inert(HIDE(original))):
        assert restored(shown, original).splitlines() == original.splitlines()


@given(LINES)
@settings(max_examples=100, deadline=None)
def test_what_is_ours_stays_readable_and_what_is_theirs_does_not(lines):
    masked = HIDE("\n".join(lines))
    for ours in OURS:
        assert masked.count(ours) == "\n".join(lines).count(ours)
    for theirs in (NAME, ADDRESS, "Durand", "06 12 34 56 78", "12AB34567", "autre@personne.example"):
        assert theirs not in masked


@given(LINES, st.integers(0, 11))
@example(["tél. 06 12 34 56 78", "tél. 06 99 99 99 78"], 0)
@settings(max_examples=200, deadline=None)
def test_a_deleted_line_never_brings_another_persons_number_into_the_one_that_stays(lines, number):
    original = "\n".join(lines)
    shown = HIDE(original).split("\n")
    gone = number % len(shown)
    kept = restored("\n".join(shown[:gone] + shown[gone + 1 :]), original).splitlines()
    real = original.split("\n")
    expected = real[:gone] + real[gone + 1 :]
    for got, wanted in zip(kept, expected, strict=False):
        # The person's own initials may come back as the name they stand for.
        same = got.replace(NAME, "C. D.") == wanted.replace(NAME, "C. D.")
        assert same or still_masked(got) or got == HIDE(wanted)


def test_a_changed_line_gets_back_what_it_hid():
    original = f"Bonjour {NAME},\n\nMme Durand, vous pouvez écrire à {ADDRESS}.\n\nTél. : 06 12 34 56 78"
    typed = "Chère C. D.,\n\nMme D., écrivez plutôt à c•••@c•••.example.\n\nTél. : •••78 (le soir)"
    assert restored(typed, original).split("\n\n") == [
        f"Chère {NAME},", f"Mme Durand, écrivez plutôt à {ADDRESS}.", "Tél. : 06 12 34 56 78 (le soir)",
    ]  # fmt: skip


def test_an_initial_the_dpo_writes_is_left_alone():
    original = "Bonjour Luc,\n\nVotre demande du 2 mars 2026 est faite."
    hide = hider(("Luc", "luc@boite.example"), keep=OURS)
    typed = "Bonjour L.,\n\nSelon l'article L. 3133-1 du code du travail, tout est fait."
    found = unmask(typed, name="Luc", address="luc@boite.example", original=original, hide=hide)
    assert found == "Bonjour Luc,\n\nSelon l'article L. 3133-1 du code du travail, tout est fait."


@given(
    typed=st.lists(st.one_of(PIECES, st.sampled_from(["•••", "c•••@c•••.example", "J. R.", "•"])), min_size=1).map(
        " ".join
    )
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_letter_never_keeps_the_sign_of_a_mask(objection, typed):
    ask = objection.ask("edit", text=typed, masked=True)
    told = perform(objection.app, ask, user=objection.user("dpo"))
    (draft,) = objection.drafts()
    letter = objection.letter(draft)
    assert "•" not in letter.text + letter.html + letter.subject
    assert told.done or told.text.startswith(("Le texte contient encore", "Le texte est le même", "Il manque"))


@pytest.mark.parametrize(("action", "kind"), [("extend", ""), ("identity_insufficient", ""), ("fill", "answer")])
def test_words_that_go_into_a_letter_carry_no_mask(access, action, kind):
    access.do("make_draft", argument="answer")
    masked = "Le texte contient encore des passages masqués (•) : complétez-les, ou modifiez dans « dpobot desk »."
    assert refused(access, access.ask(action, kind=kind, text="Écrire à c•••@c•••.example", masked=True)) == [masked]
    assert access.do(action, kind=kind, text="• un point de liste, tapé au terminal").done


def test_an_unmasked_edit_may_use_the_sign_as_a_bullet(objection):
    (draft,) = objection.drafts()
    assert objection.do("edit", text=objection.letter(draft).text + "\n• un point").done


def test_drafts_are_proposed_in_the_order_they_were_made(objection):
    objection.do("extend", text="Complexe.")
    with objection.app.database.reading() as session:
        assert [draft.kind for draft in drafts.proposed(session, 1)] == ["answer", "extension"]
