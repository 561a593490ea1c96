"""The desk in the terminal: a whole case by typing, in the order a person would, and what bad input does (nothing)."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from datetime import date, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from bot.desk.actions import HOLE
from bot.desk.terminal import Terminal
from bot.sending import send_due
from store import journal
from tests.fakes import ACCESS, CAMILLE, JEAN, OBJECTION, Office
from tests.world import mail, paris, text_of

JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + b"\0" * 64 + b"\xff\xd9"


@pytest.fixture
def objection(office) -> Office:
    """A case whose answer is complete and waits."""
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    office.complete()
    return office


@pytest.fixture
def access(office) -> Office:
    office.arrive(mail(ACCESS, sender=CAMILLE, subject="Mes données"))
    return office


class Typist:
    """Somebody at the keyboard: types the lines in turn; ``=label`` is the number of the menu line that begins so."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = list(lines)
        self.said: list[str] = []

    def ask(self, prompt: str) -> str:
        self.said.append(prompt)
        if not self.lines:
            raise EOFError
        line = self.lines.pop(0)
        return self.number(line[1:]) if line.startswith("=") else line

    def number(self, label: str) -> str:
        for ending in (r"$", ""):
            for said in reversed(self.said):
                found = re.match(rf" *(\d+)\. {re.escape(label)}{ending}", said)
                if found:
                    return found[1]
        raise AssertionError(f"the screen shows no line {label!r}:\n" + "\n".join(self.said[-30:]))

    def say(self, text: str) -> None:
        self.said.append(text)


def sit(
    office: Office, *lines: str, user: str = "dpo", edit: Callable[[str], str | None] | None = None, left: int = 0
) -> list[str]:
    """Sit at the desk, type the lines, leave; return all that was shown. *left*: lines nobody asked for."""
    typist = Typist(lines)
    Terminal(
        office.app, office.user(user), ask=typist.ask, say=typist.say, edit=edit, after=lambda: void(send_due(office.app))
    ).run()  # fmt: skip
    assert len(typist.lines) == left, typist.said
    return typist.said


def void(_: object) -> None:
    return None


def marks(said: list[str]) -> list[str]:
    """What the desk answered."""
    return [line for line in said if line.startswith(("✔", "✘"))]


def test_a_whole_case_from_the_proof_of_identity_to_the_closing(access):
    access.clock.advance(timedelta(days=3))
    said = sit(
        access,
        "1", "=Identité vérifiée", "=Modifier", "=Lire en entier", "=Approuver et envoyer", "=Clore", "", "q",
        edit=lambda text: HOLE.sub("Nom, adresse et dates du séjour.", text),
    )  # fmt: skip
    assert marks(said) == [
        "✔ Identité vérifiée ; les copies seront détruites. La réponse est à préparer.",
        "✔ Version 2 enregistrée ; à approuver.",
        "✔ Approuvé : la lettre du dossier DSR-2026-0001 part. Tâches encore ouvertes (3) : chercher partout, masquer ce qui "
        "concerne d'autres personnes, joindre la copie et l'annexe d'information.",
        "✔ Dossier DSR-2026-0001 clos.",
    ]
    letter = access.mailer.to("camille.durand@courrier.example")[-1]
    assert "Nom, adresse et dates du séjour." in text_of(letter)
    assert any(line.startswith(str(letter["Subject"])) for line in said)  # it was read in full before it left
    assert access.case().state == "closed"
    assert "\nDossiers ouverts (0)" in said


def test_the_card_in_the_terminal_is_not_masked(access):
    said = "\n".join(sit(access, "1", "", "q"))
    assert "Camille Durand <camille.durand@courrier.example>" in said
    assert "•" not in said


def test_a_letter_is_edited_in_an_editor(objection):
    said = sit(
        objection, "1", "=Modifier", "=Approuver et envoyer", "", "q",
        edit=lambda text: text.replace("Bonjour Jean Roche,", "Bonjour Monsieur Roche,"),
    )  # fmt: skip
    assert marks(said)[1:] == [
        "✔ Approuvé : la lettre du dossier DSR-2026-0001 part. Tâches encore ouvertes (1) : prévenir les prestataires d'envoi."
    ]
    assert "Bonjour Monsieur Roche," in text_of(objection.mailer.to("jean@boite.example")[-1])


def test_the_editor_gets_the_letter_itself_and_nothing_else(objection):
    seen: list[str] = []
    before = objection.drafts()
    sit(objection, "1", "=Modifier", "", "q", edit=seen.append)  # type: ignore[arg-type]
    assert seen == [objection.letter(objection.drafts()[0]).text]
    assert objection.drafts() == before


def test_a_letter_is_typed_anew_without_an_editor_and_its_marker_completed(objection):
    revision = objection.drafts()[0].revision
    said = sit(
        objection,
        "1", "=Modifier", "Bonjour,", "", "C'est fait le [[à compléter : la date]].", ".", "=Compléter", "2 mars", ".", "", "q",
    )  # fmt: skip
    assert marks(said) == [f"✔ Version {revision + more} enregistrée ; à approuver." for more in (1, 2)]
    assert objection.letter(objection.drafts()[0]).text == "Bonjour,\n\nC'est fait le 2 mars.\n"


def test_a_draft_is_refused_and_another_letter_written(objection):
    said = sit(
        objection,
        "1", "=Refuser le projet", "Il faut refuser.", ".",
        "=Préparer une lettre", "=refus", "", "q",
    )  # fmt: skip
    assert marks(said) == ["✔ Projet refusé : rien n'est parti.", "✔ Projet préparé."]
    assert [draft.kind for draft in objection.drafts()] == ["refusal"]
    assert len(objection.mailer.to("jean@boite.example")) == 1


def test_the_menu_of_letters_speaks_one_language(objection):
    said = sit(objection, "1", "=Préparer une lettre", "", "q")
    menu = said[max(index for index, line in enumerate(said) if line == "  1. réponse") :][:10]
    assert [line[5:] for line in menu] == [
        "réponse", "refus", "refus partiel", "rien n'est détenu", "traitement qui n'est pas le nôtre",
        "refus : manifestement excessive (DPO)", "demande de précision", "identité non établie", "état d'avancement", "clôture",
    ]  # fmt: skip


def test_an_extension_is_written_completed_and_sent(objection):
    said = sit(
        objection,
        "1", "=Prolonger", "Douze demandes liées.", ".",
        "=Modifier", "=Approuver et envoyer", "", "q",
        edit=lambda text: HOLE.sub("Rien n'est encore prêt.", text),
    )  # fmt: skip
    assert marks(said) == [
        "✔ Lettre de prolongation préparée ; la prolongation vaut quand elle est partie.",
        "✔ Version 2 enregistrée ; à approuver.",
        "✔ Approuvé : la lettre du dossier DSR-2026-0001 part.",
    ]
    assert (objection.case().due, objection.case().state) == (date(2026, 6, 2), "open")
    assert [draft.kind for draft in objection.drafts()] == ["answer"]


def test_the_right_is_changed(objection):
    said = sit(objection, "dsr-2026-0001", "=Changer le droit", "=effacement", "", "q")
    assert marks(said) == ["✔ Droit changé : effacement (art. 17). L'échéance ne change pas."]
    assert (objection.case().rights, objection.case().due) == (["erasure"], date(2026, 4, 2))


def test_what_is_no_request_is_filed_and_found_again_by_its_reference(objection):
    said = sit(objection, "1", "=Pas une demande", "", "DSR-2026-0001", "=Rouvrir", "", "q")
    assert marks(said) == [
        "✔ Classé : pas une demande (« rouvrir » l'annule).", "✔ Rouvert ; l'échéance court depuis la réception.",
    ]  # fmt: skip
    assert (objection.case().state, objection.case().due) == ("open", date(2026, 4, 2))


def test_what_needs_a_reason_asks_for_it_and_goes_on_with_it(objection):
    said = sit(objection, "1", "=Clore", "Retirée par téléphone.", "", "q")
    assert marks(said) == [
        "✘ Aucune réponse n'est partie : dites pourquoi le dossier est clos.", "✔ Dossier DSR-2026-0001 clos.",
    ]  # fmt: skip
    assert "Pourquoi ? (entrée : ne rien faire)" in said
    for no_reason in ("", "3"):
        said = sit(objection, "DSR-2026-0001", "=Rouvrir", "=Clore", no_reason, "", "q")
        assert marks(said)[-1].startswith("✘ Aucune réponse")
        assert objection.case().state == "open"
        objection.do("close", text="Fini.")


def test_what_the_linter_stops_leaves_with_a_reason(objection):
    said = sit(
        objection, "1", "=Préparer une lettre", "=refus", "=Modifier", "Non.", ".",
        "=Approuver et envoyer", "Motifs donnés au téléphone.", "", "q",
    )  # fmt: skip
    assert [mark.partition("\n")[0] for mark in marks(said)] == [
        "✔ Projet préparé.", "✔ Version 2 enregistrée ; à approuver.", "✘ À corriger d'abord :",
        "✔ Approuvé : la lettre du dossier DSR-2026-0001 part.",
    ]  # fmt: skip
    assert "override" in objection.types()


def test_an_unsure_message_is_sorted(office):
    office.arrive(
        mail("Bonjour, peut-être supprimez-vous… supprimez mes données ?", sender=CAMILLE), at=paris("2026-02-27 18:00")
    )
    office.arrive(mail("Bonjour, peut-être une copie de mes données ?", sender=JEAN))
    said = sit(office, "=#1", "=Ouvrir un dossier", "=#2", "=Autre droit", "=rectification", "q")
    assert marks(said) == [
        "✔ Dossier DSR-2026-0001 ouvert ; l'échéance court depuis la réception.",
        "✔ Dossier DSR-2026-0002 ouvert ; l'échéance court depuis la réception.",
    ]
    assert [office.case(f"DSR-2026-000{n}").primary for n in (1, 2)] == ["erasure", "rectification"]
    assert office.case("DSR-2026-0001").due_if_not_paused == date(2026, 3, 27)


def test_what_a_stranger_wrote_cannot_move_the_cursor(office):
    office.arrive(mail("peut-être \x1b[2J\x1b]0;x\x07 supprimez \u202emes données", sender=CAMILLE))
    said = "".join(sit(office, "1", "", "q"))
    assert not [character for character in said if character != "\n" and not character.isprintable()]


# --- files


def with_proof(office: Office) -> Office:
    made = EmailMessage(policy=policy.SMTP)
    made["From"], made["To"], made["Subject"] = CAMILLE, "dpo@mije.com", "Re: DSR-2026-0001"
    made["Message-ID"] = "<proof@courrier.example>"
    made.set_content("Voici ma carte d'identité.")
    made.add_attachment(JPEG, maintype="image", subtype="jpeg", filename="../../cni.jpg")
    office.arrive(made.as_bytes())
    return office


def test_documents_are_saved_for_their_owner_only_and_each_look_is_noted(access, tmp_path):
    with_proof(access)
    said = sit(access, "1", "=Mettre les pièces et lettres", "", "q")
    folder = tmp_path / "data" / "desk" / "case-1"
    assert f"Enregistré dans {folder} ; à effacer après l'examen." in said
    (saved,) = folder.iterdir()
    assert (saved.name, saved.read_bytes()) == ("1-cni.jpg", JPEG)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o700}
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    with access.app.database.reading() as session:
        seen = [e for e in journal.of_case(session, 1) if e.type == "identity_document_seen"]
        assert [(e.actor, e.data["attachment"], len(e.data["sha256"])) for e in seen] == [("dpo", 1, 64)]
        assert journal.verify(session) is None


def test_a_file_that_lies_there_already_is_replaced_and_not_followed(access, tmp_path):
    with_proof(access)
    folder = tmp_path / "data" / "desk" / "case-1"
    folder.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"mine")
    (folder / "1-cni.jpg").symlink_to(elsewhere)
    sit(access, "1", "=Mettre les pièces et lettres", "", "q")
    assert (elsewhere.read_bytes(), (folder / "1-cni.jpg").is_symlink()) == (b"mine", False)


def test_without_attachments_nothing_is_written(access, tmp_path):
    before = access.footprint()
    assert "Aucune pièce jointe." in sit(access, "1", "=Mettre les pièces et lettres", "", "q")
    assert not (tmp_path / "data" / "desk").exists()
    assert access.footprint() == before


# --- who, and how


def test_an_auditor_sees_and_cannot_act(access, tmp_path):
    with_proof(access)
    access.do("make_draft", argument="answer")
    before = access.footprint()
    said = sit(access, "1", "=Lire en entier", "2", "3", "", "q", user="auditor")
    menu = [line for line in said if re.match(r" +\d+\. ", line) and "DSR-" not in line]
    assert {line[5:] for line in menu} == {"Lire en entier"}
    assert any("Camille Durand" in line for line in said)
    assert said.count("Ce choix n'existe pas.") == 2
    assert access.footprint() == before
    assert not (tmp_path / "data" / "desk").exists()


@pytest.mark.parametrize("typed", ["0", "99", "-1", "²", "1.", "x", "٣٤", "9" * 5000, "DSR-2026-0099", "1 2"])
def test_bad_input_is_said_and_asked_again(objection, typed):
    before = objection.footprint()
    said = sit(objection, typed, typed, "1", typed, typed, "", "q")
    assert said.count("Ce choix n'existe pas.") == 4
    assert objection.footprint() == before


def test_reading_again_shows_what_came_meanwhile(office):
    class Later(Typist):
        def ask(self, prompt: str) -> str:
            if len(self.lines) == 1:
                office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
            return super().ask(prompt)

    typist = Later(("r", "", "q"))
    Terminal(office.app, office.user("dpo"), ask=typist.ask, say=typist.say).run()
    assert [line for line in typist.said if line.startswith("\nDossiers")] == ["\nDossiers ouverts (0)"] * 3
    typist = Typist(("q",))
    Terminal(office.app, office.user("dpo"), ask=typist.ask, say=typist.say).run()
    assert typist.said[1] == "\nDossiers ouverts (1)"
    assert typist.said[2].startswith("  1. DSR-2026-0001 opposition (art. 21) – en préparation – 2 avril 2026 J-31")


@pytest.mark.parametrize(
    "typed",
    [(), ("1",), ("1", "=Modifier"), ("1", "=Modifier", "Bonjour,"), ("1", "=Préparer une lettre"), ("1", "=Clore")],
    ids=["at once", "at a case", "before a text", "in a text", "in a menu", "at a reason"],
)
def test_the_end_of_the_input_leaves_the_desk_and_half_a_text_does_nothing(objection, typed):
    before = objection.footprint()
    sit(objection, *typed)
    assert objection.footprint() == before


def test_two_at_their_desks_see_what_the_other_did(objection):
    class Slow(Typist):
        def ask(self, prompt: str) -> str:
            if len(self.lines) == 4:
                objection.do("approve", user="deputy")
            return super().ask(prompt)

    typist = Slow(("1", "=Approuver et envoyer", "", "", "q"))
    Terminal(objection.app, objection.user("dpo"), ask=typist.ask, say=typist.say).run()
    assert marks(typist.said) == ["✘ Déjà approuvé par deputy."]
    assert len(objection.mailer.to("jean@boite.example")) == 2


def test_the_desk_speaks_english_where_the_settings_say_so(tmp_path: Path):
    users = [{"key": "dpo", "name": "Claude Martinez"}]
    office = Office(tmp_path / "data", desk={"users": users, "language": "en"})
    office.arrive(mail(OBJECTION, sender=JEAN, subject="STOP"))
    said = sit(office, "zz", "1", "=I take it", "=Close", "Withdrawn.", "", "q")
    assert said[0] == "dpobot – the DPO's desk"
    assert "There is no such choice." in said
    assert marks(said) == [
        "✔ You are in charge.", "✘ No answer has left: say why the case is closed.", "✔ Case DSR-2026-0001 closed.",
    ]  # fmt: skip
    office.close()
