"""What a case makes us do beside answering: tracked, shown, warned about, owed after the answer, and never forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.desk.cards import view_of
from bot.desk.export import held_on
from bot.desk.review import findings_of
from bot.digest import build_digest
from bot.purge import purge
from bot.tasks import tracked
from bot.tick import tick
from handlers.rights import load_rights
from handlers.tasks import MEDIA, RECIPIENTS, SEARCH, left_open, may_lift, restricted_since, tasks_of
from store import drafts, outbox
from tests.fakes import Office
from tests.world import mail, paris

CAMILLE = "Camille Durand <camille.durand@courrier.example>"
RIGHTS = load_rights()
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass
class Noted:
    """A journal entry without a database."""

    type: str
    data: dict[str, Any] = field(default_factory=dict)
    actor: str = "dpo"
    at: datetime = START
    id: int | None = None


def states(asked: list[str], *events: Noted) -> dict[str, str]:
    return {t.task.code: t.state for t in tasks_of(RIGHTS, asked, events)}


# --- the rule ---------------------------------------------------------------------------------------------------------


def test_every_right_has_tasks_with_a_source_in_both_languages():
    for name, right in RIGHTS.items():
        codes = [task.code for task in right.tasks]
        assert codes, name
        assert len(codes) == len(set(codes)), name
        for task in right.tasks:
            assert task.source, task.code
            assert all(task.titles[language] for language in ("fr", "en")), task.code


def test_what_article_19_follows_has_recipients_to_tell_and_nothing_else_has():
    with_it = {name for name, right in RIGHTS.items() if any(t.code == RECIPIENTS.code for t in right.tasks)}
    assert with_it == {"rectification", "erasure", "restriction"}


def test_what_several_rights_share_is_done_once():
    found = tasks_of(RIGHTS, ["access", "erasure"], ())
    codes = [t.task.code for t in found]
    assert len(codes) == len(set(codes))
    assert {t.rights for t in found if t.task in SEARCH} == {("access", "erasure")}


def test_pictures_bring_the_list_of_where_they_may_be():
    plain, about = states(["consent_withdrawal"]), Noted("tasks_about", {"about": ["pictures"]})
    assert not set(plain) & {task.code for task in MEDIA}
    assert {task.code for task in MEDIA} <= set(states(["consent_withdrawal"], about))


def test_the_suppression_list_settles_the_stop():
    assert states(["objection"])["stop"] == "open"
    assert states(["objection"], Noted("suppression_listed"))["stop"] == "done"


def test_recipients_count_as_told_once_the_last_notice_has_left():
    first = Noted("draft_proposed", {"draft": "7", "kind": "recipient_notice"})
    second = Noted("draft_proposed", {"draft": "8", "kind": "recipient_notice"})
    sent = Noted("letter_sent", {"draft": "7", "kind": "recipient_notice"})
    dropped = Noted("draft_rejected", {"draft": "8"})
    last = Noted("letter_sent", {"draft": "8", "kind": "recipient_notice"})
    assert states(["erasure"], first, second, sent)["recipients"] == "open"
    assert states(["erasure"], first, second, sent, last)["recipients"] == "done"
    assert states(["erasure"], first, second, dropped, sent)["recipients"] == "done"


def test_a_restriction_is_in_force_from_its_marker_until_it_is_lifted_after_a_notice():
    later = START + timedelta(days=10)
    marked = Noted("task_set", {"task": "mark", "state": "done"})
    told = Noted("letter_sent", {"kind": "lifting"}, at=later)
    lifted = Noted("task_set", {"task": "lift", "state": "done"}, at=later)

    def found(*events: Noted) -> tuple[Any, ...]:
        return tasks_of(RIGHTS, ["restriction"], events)

    assert restricted_since(found()) is None
    assert may_lift(found(), ()) == "no-marker"
    assert restricted_since(found(marked)) == START
    assert may_lift(found(marked), [marked]) == "no-notice"
    # A notice that left before the marker announced the end of another restriction.
    early = Noted("letter_sent", {"kind": "lifting"}, at=START - timedelta(days=1))
    assert may_lift(found(marked), [early, marked]) == "no-notice"
    assert may_lift(found(marked), [marked, told]) == ""
    assert restricted_since(found(marked, lifted)) is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(RIGHTS)), min_size=1, max_size=4, unique=True),
    st.lists(
        st.tuples(
            st.sampled_from([t.code for r in RIGHTS.values() for t in r.tasks] + ["", "other"]),
            st.sampled_from(["open", "done", "skipped", "eaten"]),
        ),
        max_size=12,
    ),
)
def test_the_last_word_on_a_task_counts_and_nothing_else_changes(asked, said):
    events = [Noted("task_set", {"task": code, "state": state}) for code, state in said]
    found = tasks_of(RIGHTS, asked, events)
    valid = {code: state for code, state in said if state != "eaten"}
    assert {t.task.code: t.state for t in found} == {t.task.code: valid.get(t.task.code, "open") for t in found}
    assert all(t.by == ("" if t.open else "dpo") for t in found)
    assert list(left_open(found)) == [t for t in found if t.open and t.task.when != "standing"]


# --- the desk ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def office(tmp_path) -> Iterator[Office]:
    """A case of erasure whose identity is settled."""
    made = Office(tmp_path / "data")
    made.arrive(mail("Bonjour, effacez mes données.\n\nCamille Durand", sender=CAMILLE, subject="Effacement"))
    made.do("identity_waived", text="connue de l'accueil")
    yield made
    made.close()


def standing(office: Office) -> dict[str, str]:
    with office.app.database.reading() as session:
        return {t.task.code: t.state for t in tracked(session, office.app, office.case())}


def card(office: Office, *, masked: bool = True) -> str:
    with office.app.database.reading() as session:
        view = view_of(session, office.app, "case:1", masked=masked, now=office.clock.now())
    assert view is not None
    return view.text


def warned(office: Office, kind: str = "answer") -> set[str]:
    draft = next(d for d in office.drafts() if d.kind == kind)
    with office.app.database.reading() as session:
        case = office.case()
        letter = drafts.letter_of(session, office.app.vault, case=case, draft=draft)
        found = findings_of(office.app, case, draft, letter, tasks=tracked(session, office.app, case))
    return {finding.code for finding in found}


def test_tasks_are_ticked_by_number_code_group_or_all_at_once(office):
    codes = list(standing(office))
    assert office.do("task", text="fait 1 3").text == f"Noté ; {len(codes) - 2} tâche(s) ouverte(s)."
    assert {c for c, s in standing(office).items() if s == "done"} == {codes[0], codes[2]}
    assert office.do("task", text="Fait search").done
    assert office.do("task", text="sans objet public : rien n'était publié").done
    assert standing(office)["public"] == "skipped"
    assert office.do("task", text="rouvrir 1").done
    assert standing(office)[codes[0]] == "open"
    assert office.do("task", text="fait tout").done
    assert "open" not in standing(office).values()
    assert standing(office)["public"] == "skipped"


@pytest.mark.parametrize("text", ["", "bonjour", "fait", "fait 99", "fait xyz", "1 2", "sans objet"])
def test_what_cannot_be_understood_changes_nothing(office, text):
    before = standing(office)
    assert not office.do("task", text=text).done
    assert standing(office) == before


def test_without_object_needs_a_reason_and_keeps_it_sealed(office):
    told = office.do("task", text="sans objet 2")
    assert not told.done
    assert told.reason_helps
    assert office.do("task", text="sans objet recipients : MIREILLE n'a rien reçu").done
    assert b"MIREILLE" not in b"".join(p.read_bytes() for p in (office.settings.store.data_dir).rglob("*.db*"))


def test_the_desk_adds_tasks_of_its_own_whose_words_lie_sealed(office):
    assert office.do("task", text="ajouter : demander au transporteur de Lyon").done
    assert "demander au transporteur de Lyon" in card(office)
    assert office.do("task", text="fait own:1").done
    assert standing(office)["own:1"] == "done"
    assert not office.do("task", text="ajouter : ").done


def test_the_card_counts_and_the_draft_is_warned_about_until_they_are_settled(office):
    assert "Tâches (0/" in card(office)
    assert "open-tasks" in warned(office)
    office.do("task", text="fait tout")
    assert "Tâches" not in card(office)
    assert "open-tasks" not in warned(office)


def test_an_answer_that_leaves_with_open_tasks_says_so_and_the_digest_reminds(office):
    office.do("task", text="fait search keep erase public processors")
    office.complete("answer")
    told = office.do("approve", kind="answer", text="vu")
    assert told.done
    assert "Tâches encore ouvertes (1) : prévenir les destinataires" in told.text
    assert "RÉPONDU, TÂCHES RESTANTES (1)" in build_digest(office.app, now=office.clock.now()).text
    assert office.do("close").done
    assert "1 tâche ouverte" in build_digest(office.app, now=office.clock.now()).text
    assert office.do("task", text="fait recipients").done
    assert "TÂCHES RESTANTES" not in build_digest(office.app, now=office.clock.now()).text


def test_a_refusal_owes_nothing(office):
    office.do("refuse", text="Article 17(3)(b) : parce que la loi l'exige.")
    office.complete("refusal")
    assert office.do("approve", kind="refusal", text="vu").done
    assert "TÂCHES RESTANTES" not in build_digest(office.app, now=office.clock.now()).text


def test_a_case_with_recipients_to_tell_is_neither_purged_nor_erased(office):
    office.do("task", text="fait search keep erase public processors")
    office.complete("answer")
    office.do("approve", kind="answer", text="vu")
    office.do("close")
    office.clock.advance(timedelta(days=365 * 6))
    assert purge(office.app, dry_run=True).cases == ()
    assert "destinataires restent à prévenir" in office.do("erase_case", text="DSR-2026-0001").text
    office.do("task", text="sans objet recipients : aucun destinataire")
    assert purge(office.app, dry_run=True).cases == ("DSR-2026-0001",)


def test_the_copy_of_what_is_held_names_the_tasks(office):
    office.do("task", text="fait 1")
    with office.app.database.reading() as session:
        held = held_on(session, office.app, "camille.durand@courrier.example")
    first = held["cases"][0]["tasks"][0]
    assert (first["task"], first["state"], first["by"]) == ("search:bookings", "done", "dpo")


def test_a_restriction_is_lifted_only_after_its_notice_has_left(office):
    assert office.do("change_right", argument="restriction").done
    assert not office.do("task", text="fait lift").done
    assert office.do("task", text="fait mark").done
    assert "LIMITATION EN VIGUEUR depuis le 2 mars 2026" in card(office)
    refused = office.do("task", text="fait lift")
    assert not refused.done
    assert "art. 18.3" in refused.text
    office.complete("answer")
    office.do("approve", kind="answer", text="vu")
    office.do("task", text="fait tout")
    assert "limitation en vigueur depuis le 2 mars 2026" in build_digest(office.app, now=office.clock.now()).text
    assert office.do(
        "lift_restriction", text="Vos coordonnées, à partir du 20 mars 2026, car l'adresse est corrigée."
    ).done
    office.complete("lifting")
    assert office.do("approve", kind="lifting", text="vu").done
    office.clock.advance(timedelta(days=1))
    assert office.do("task", text="fait lift").done
    assert "EN VIGUEUR" not in card(office)


# --- art. 14 ----------------------------------------------------------------------------------------------------------


def notices(office: Office) -> list[str]:
    with office.app.database.reading() as session:
        items = outbox.of_case(session, 1)
    return [item.kind for item in items if item.kind.startswith("inform_") and item.key.endswith(":0")]


def test_data_from_somebody_else_have_a_month_of_their_own(office):
    told = office.do("data_obtained", text="2026-02-27 liste transmise par le professeur")
    assert "27 mars 2026" in told.text
    assert "Informer (art. 14) : 27 mars 2026" in card(office)
    assert standing(office)["inform"] == "open"
    for day in ("2026-03-19", "2026-03-20", "2026-03-23", "2026-03-24", "2026-03-30"):
        office.clock.move_to(paris(f"{day} 08:00"))
        tick(office.app)
    assert notices(office) == ["inform_due", "inform_due", "inform_overdue"]
    assert office.do("task", text="sans objet inform : la personne le savait déjà (art. 14.5.a)").done
    assert "art. 14) :" not in card(office)
    office.clock.move_to(paris("2026-03-31 08:00"))
    tick(office.app)
    assert len(notices(office)) == 3


@pytest.mark.parametrize("text", ["2026-03-09 à venir", "2026-02-30 non", "liste", "2026-02-27", "1850-01-01 jadis"])
def test_a_day_that_cannot_be_is_refused(office, text):
    assert not office.do("data_obtained", text=text).done
    assert "inform" not in standing(office)
