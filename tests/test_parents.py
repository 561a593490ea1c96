"""Two parents, one child: the same child is recognised, opposite demands are flagged on both sides, granting takes two."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.app import build_app
from bot.desk.cards import view_of
from bot.parents import in_conflict, of_whom
from handlers.linter import fold
from handlers.parents import contradict, opposes, same_child
from store import cases, journal
from tests.fakes import Office
from tests.world import mail

MOTHER = "Estelle Varenne <estelle.varenne@libre.example>"
FATHER = "Joffrey Sablier <joffrey.sablier@telmobile.example>"
ASKS = (
    "Bonjour,\n\nMon fils Timéo Sablier (11 ans) a fait la colonie de février chez vous. Je souhaite une copie de sa fiche "
    "sanitaire et de toutes les données que vous avez sur lui.\n\nEstelle Varenne"
)
ERASES = (
    "Bonjour,\n\nJe suis le père de Timéo Sablier, 11 ans, venu en février. Je vous demande d'effacer toutes les données de mon "
    "fils, fiche sanitaire comprise.\n\nJoffrey Sablier"
)
FORBIDS = (
    "Mon ex-femme va vous demander des papiers sur la santé de notre fils Timéo. Je m'oppose à ce que vous lui donniez quoi que "
    "ce soit.\n\nJoffrey Sablier"
)


@pytest.mark.parametrize(
    "said",
    [
        "Ne donnez rien à son père.",
        "Sa mère n'a pas le droit de voir ce dossier.",
        "Mon ex-mari va vous écrire : je refuse que vous lui répondiez.",
        "L'autorité parentale lui a été retirée.",
        "Nous sommes devant le juge aux affaires familiales.",
        "Please do not send anything to her father.",
        "My ex-husband will write to you. I object to any disclosure.",
        "I have sole custody.",
        "There is a custody dispute about our daughter.",
    ],
)
def test_one_parent_against_the_other_is_heard(said):
    assert opposes(fold(said))


@pytest.mark.parametrize(
    "said",
    [
        "Je suis la mère de Léa et je voudrais une copie de son dossier.",
        "Son père et moi souhaitons que vous effaciez ses photos.",
        "Ma fille refuse que sa photo reste en ligne.",
        "Her father and I would like a copy of her file.",
        "My husband booked the room. Please delete my data.",
        "Je m'oppose à la publicité.",
    ],
)
def test_parents_who_agree_are_not_taken_for_a_conflict(said):
    assert not opposes(fold(said))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (["access"], ["erasure"], True),
        (["erasure"], ["portability", "access"], True),
        (["restriction"], ["erasure"], True),
        (["consent_withdrawal"], ["access"], True),
        (["access"], ["access"], False),
        (["erasure"], ["erasure"], False),
        (["access"], ["rectification"], False),
        (["complaint"], ["erasure"], False),
    ],
)
def test_what_cannot_both_be_done_contradicts(one, other, expected):
    assert contradict(one, other) is expected
    assert contradict(other, one) is expected


@pytest.mark.parametrize(
    ("child", "requester", "text", "sender", "expected"),
    [
        ("timeo sablier", "estelle varenne", "notre fils timeo", "joffrey sablier", True),
        ("timeo", "anna petit", "mon fils timeo petit", "marc petit", True),
        ("timeo", "anna petit", "timeo a passe la semaine", "marc petit", True),
        ("timeo", "anna petit", "mon fils timeo", "marc grand", False),
        ("timeo sablier", "estelle varenne", "ma fille lea sablier", "joffrey sablier", False),
        ("", "estelle varenne", "timeo", "joffrey sablier", False),
    ],
)
def test_a_first_name_alone_is_not_the_same_child(child, requester, text, sender, expected):
    assert same_child(child, requester, text, sender) is expected


# --- the way through the program --------------------------------------------------------------------------------------


@pytest.fixture
def office(tmp_path) -> Iterator[Office]:
    """The program with its own classifier: who writes for a child is read, not told."""
    made = Office(tmp_path / "data")
    made.app.close()
    made.app = build_app(made.settings, clock=made.clock, inboxes=(), mailer=made.mailer)
    made.arrive(mail(ASKS, sender=MOTHER, subject="Fiche sanitaire de mon fils"))
    yield made
    made.close()


def conflict(office: Office, reference: str) -> tuple[bool, tuple[str, ...]]:
    with office.app.database.reading() as session:
        case = cases.by_reference(session, reference)
        assert case is not None
        events = journal.of_case(session, case.id or 0)
    return in_conflict(events), of_whom(events)


def test_opposite_demands_link_and_flag_both_cases(office):
    assert conflict(office, "DSR-2026-0001") == (False, ())
    recorded = office.arrive(mail(ERASES, sender=FATHER, subject="Timéo Sablier"))
    assert recorded.reference == "DSR-2026-0002"
    assert conflict(office, "DSR-2026-0001") == (True, ("DSR-2026-0002",))
    assert conflict(office, "DSR-2026-0002") == (True, ("DSR-2026-0001",))
    with office.app.database.reading() as session:
        view = view_of(session, office.app, "case:1", masked=True, now=office.clock.now())
    assert view is not None
    assert "PARENTS EN DÉSACCORD (DSR-2026-0002)" in view.text
    assert "Sablier" not in view.text


def test_who_only_forbids_makes_the_open_case_a_matter_for_two(office):
    office.arrive(mail(FORBIDS, sender=FATHER, subject="Timéo Sablier"))
    assert conflict(office, "DSR-2026-0001")[0]
    to_mother = "".join(str(m) for m in office.mailer.to("estelle.varenne@libre.example"))
    assert "Joffrey" not in to_mother


def test_both_asking_for_the_same_is_linked_and_no_conflict(office):
    same = ASKS.replace("Estelle Varenne", "Joffrey Sablier")
    office.arrive(mail(same, sender=FATHER, subject="Fiche sanitaire"))
    assert conflict(office, "DSR-2026-0001") == (False, ())
    assert "linked" in office.types("DSR-2026-0001")
    assert "linked" in office.types("DSR-2026-0002")


def test_the_same_parent_writing_again_is_no_conflict(office):
    office.arrive(mail("Effacez aussi les photos de Timéo Sablier après.", sender=MOTHER, subject="Timéo"))
    assert not conflict(office, "DSR-2026-0001")[0]


def test_granting_takes_two_or_a_reason(office):
    office.arrive(mail(FORBIDS, sender=FATHER, subject="Timéo Sablier"))
    office.do("identity_verified", text="livret de famille")
    office.complete("answer")
    told = office.do("approve", kind="answer")
    assert "Les deux parents s'opposent" in told.text
    assert "letter_sent" not in [t for t in office.types() if t == "letter_sent"][1:]
    assert not office.do("approve", kind="answer").done
    assert office.do("approve", kind="answer", user="deputy").text.startswith("Approuvé")


def test_a_written_reason_stands_for_the_second_person_and_is_kept(office):
    office.arrive(mail(FORBIDS, sender=FATHER, subject="Timéo Sablier"))
    office.do("identity_verified", text="livret de famille")
    office.complete("answer")
    assert office.do("approve", kind="answer", text="Jugement du 3 février : exercice conjoint.").text.startswith(
        "Approuvé"
    )
    assert "override" in office.types()


def test_a_refusal_needs_no_second_person_and_the_desk_ends_the_conflict(office):
    office.arrive(mail(FORBIDS, sender=FATHER, subject="Timéo Sablier"))
    assert office.do("set_about", argument="parents=agree").done
    assert not conflict(office, "DSR-2026-0001")[0]
    assert not office.do("set_about", argument="parents=agree").done
    assert office.do("set_about", argument="parents=conflict").done
    assert conflict(office, "DSR-2026-0001")[0]
