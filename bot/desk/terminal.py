"""The desk in the terminal: the same cards and actions as in chat, unmasked, with the documents that never go to a
chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from bot import casework, switch
from bot.app import App
from bot.desk.actions import ACTIONS, Ask, Told, perform
from bot.desk.basics import permits
from bot.desk.cards import day, diff_text, draft_text, time_left, view_of
from bot.desk.export import save
from bot.desk.offers import SHOWN, Offer, allowed, choices, more_offers
from bot.desk.office import receipt
from bot.desk.reasons import in_words
from bot.desk.text import visible
from bot.desk.words import RIGHTS, STATES, WORDS, word
from bot.sending import as_approved
from bot.settings import User
from store import cases, journal, messages, outbox
from store.models import Case, Draft

TEXTS = {
    "fr": {
        "title": "dpobot – bureau du DPO",
        "cases": "Dossiers ouverts",
        "sort": "À trier",
        "choose": "Numéro ou référence (b : bureau, r : relire, q : quitter) : ",
        "action": "Action (numéro, entrée : retour) : ",
        "bad": "Ce choix n'existe pas.",
        "text": "Terminez par une ligne « . » seule.",
        "none": "Rien à faire.",
        "files": "Mettre les pièces et lettres à poster dans un dossier",
        "saved": "Enregistré dans {folder} ; à effacer après l'examen.",
        "no_files": "Aucune pièce jointe.",
        "altered": "La lettre n° {item} n'est plus celle qui a été approuvée : elle n'est pas à poster.",
        "reason": "{prompt} (entrée : ne rien faire)",
        "halted": "Envois automatiques arrêtés : rien ne part sans votre accord (b pour les reprendre).",
    },
    "en": {
        "title": "dpobot – the DPO's desk",
        "cases": "Open cases",
        "sort": "To sort",
        "choose": "Number or reference (b: desk, r: read again, q: quit): ",
        "action": "Action (number, return: back): ",
        "bad": "There is no such choice.",
        "text": "End with a line of a single full stop.",
        "none": "Nothing to do.",
        "files": "Put the files and letters to post into a folder",
        "saved": "Saved in {folder}; remove them once looked at.",
        "no_files": "No attachments.",
        "altered": "Letter no. {item} is no longer the one that was approved: it is not to be posted.",
        "reason": "{prompt} (return: do nothing)",
        "halted": "Automatic mail is stopped: nothing leaves without your consent (b to resume it).",
    },
}


class Terminal:
    """A session at the desk. *ask* reads a line (raises ``EOFError`` at the end), *say* prints one, *edit* opens an
    editor."""

    def __init__(
        self,
        app: App,
        user: User,
        *,
        ask: Callable[[str], str],
        say: Callable[[str], None],
        edit: Callable[[str], str | None] | None = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        self.app, self.user = app, user
        # Whatever a stranger wrote, on whatever line: nothing moves the cursor, turns the order, or changes a colour.
        self._ask: Callable[[str], str] = lambda prompt: ask(visible(prompt))
        self._say: Callable[[str], None] = lambda text: say(visible(text))
        self._edit = edit
        self._after = after
        self.language = app.settings.desk.language
        self.texts = TEXTS[self.language]

    def run(self) -> None:
        """Show what waits, let the user choose, until he quits."""
        self._say(self.texts["title"])
        while True:
            subjects = self._overview()
            try:
                choice = self._ask(self.texts["choose"]).strip()
            except EOFError:
                return
            if choice.lower() == "q":
                return
            if choice.lower() in ("", "r"):
                continue
            if choice.lower() == "b":
                try:
                    self._at_large()
                except EOFError:
                    return
                continue
            subject = _nth(subjects, choice) or self._by_reference(choice)
            if subject is None:
                self._say(self.texts["bad"])
                continue
            try:
                self.at(subject)
            except EOFError:
                return

    def _at_large(self) -> None:
        """What concerns no single case: entering a request, an absence, what is held on a person."""
        offers = [
            Offer(action.name, action.button(self.language))
            for action in ACTIONS.values()
            if action.on == "desk" and permits(self.user, action.needs)
        ]
        chosen = self._pick(offers) if offers else None
        if chosen is not None:
            self._do("desk", chosen)

    def _by_reference(self, reference: str) -> str | None:
        with self.app.database.reading() as session:
            case = cases.by_reference(session, reference)
            return f"case:{case.id}" if case else None

    def _overview(self) -> list[str]:
        now = self.app.clock.now()
        subjects: list[str] = []
        if switch.stopped(self.app.settings):
            self._say(f"\n{self.texts['halted']}")
        with self.app.database.reading() as session:
            listed = cases.listed(session, open_only=True)
            waiting = messages.waiting_for_a_person(session)
            self._say(f"\n{self.texts['cases']} ({len(listed)})")
            for case in listed:
                subjects.append(f"case:{case.id}")
                self._say(f"{len(subjects):>3}. {self._line(case, now)}")
            self._say(f"{self.texts['sort']} ({len(waiting)})")
            for message in waiting:
                subjects.append(f"message:{message.id}")
                right = word(RIGHTS, self.language, message.primary)
                self._say(
                    f"{len(subjects):>3}. #{message.id} {right} – {day(message.received_at, self.app)}"
                    f" ({in_words(message.reason, self.language)})"
                )
        return subjects

    def _line(self, case: Case, now: datetime) -> str:
        left = time_left(case.due, casework.today(self.app, now), WORDS[self.language])
        rights = ", ".join(word(RIGHTS, self.language, right) for right in case.rights)
        return (
            f"{case.reference} {rights} – {word(STATES, self.language, case.state)} – {day(case.due, self.app)} {left}"
        )

    def at(self, subject: str) -> None:
        """Work on one case or item until the user goes back."""
        while True:
            with self.app.database.reading() as session:
                view = view_of(
                    session, self.app, subject, masked=False, now=self.app.clock.now(), user=self.user, whole=True
                )
            if view is None:
                self._say(self.texts["none"])
                return
            self._say("\n" + view.text + "\n")
            offers = [offer for row in view.offers for offer in row]
            if permits(self.user, "documents") and subject.startswith("case:"):
                offers.append(Offer("files", self.texts["files"]))
                offers.append(Offer("check_document", ACTIONS["check_document"].label[self.language]))
            chosen = self._pick(offers)
            if chosen is None:
                return
            self._do(subject, chosen)
            if subject.startswith("message:"):
                return

    def _pick(self, offers: list[Offer]) -> Offer | None:
        for index, offer in enumerate(offers, start=1):
            self._say(f"{index:>3}. {offer.label}")
        while True:
            choice = self._ask(self.texts["action"]).strip()
            if not choice:
                return None
            chosen = _nth(offers, choice)
            if chosen is not None:
                return chosen
            self._say(self.texts["bad"])

    def _do(self, subject: str, offer: Offer) -> None:
        if offer.action in SHOWN:
            self._say(self._draft(offer))
            return
        if offer.action == "more":
            with self.app.database.reading() as session:
                rows = allowed(more_offers(session, self.app, subject), self.user)
            chosen = self._pick([more for row in rows for more in row])
            if chosen is not None:
                self._do(subject, chosen)
            return
        if offer.action == "files":
            self._files(subject)
            return
        if not offer.argument and choices(offer.action, self.language):
            chosen = self._pick(list(choices(offer.action, self.language)))
            if chosen is None:
                return
            offer = replace(chosen, seen=offer.seen)
        action = ACTIONS[offer.action]
        text = ""
        if offer.action == "edit" and self._edit is not None:
            text = self._edit(self._letter(offer)) or ""
        elif action.text == "required":
            self._say(action.asked(self.language))
            text = self._lines()
        ask = Ask(
            offer.action, subject, offer.draft_id, offer.revision, offer.digest, offer.argument, text, seen=offer.seen
        )
        told = self._perform(ask)
        if told.reason_helps:
            self._say(self.texts["reason"].format(prompt=action.asked(self.language)))
            reason = self._ask("").strip()
            # A number was meant for the menu, which is not what was asked.
            if reason.isdecimal():
                self._say(self.texts["bad"])
            elif reason:
                self._perform(replace(ask, text=reason))
        if told.done and offer.action in ("edit", "fill"):
            self._say(self._draft(replace(offer, action="diff")))
        if self._after is not None:
            self._after()

    def _perform(self, ask: Ask) -> Told:
        told = perform(self.app, ask, user=self.user)
        self._say(("✔ " if told.done else "✘ ") + told.text)
        return told

    def _lines(self) -> str:
        self._say(self.texts["text"])
        lines: list[str] = []
        # At the end of the input (EOFError) what was typed so far is dropped: half a letter is none.
        while (line := self._ask("")).strip() != ".":
            lines.append(line)
        return "\n".join(lines)

    def _draft(self, offer: Offer) -> str:
        with self.app.database.reading() as session:
            draft = session.get(Draft, offer.draft_id)
            case = session.get(Case, draft.case_id) if draft else None
            if draft is None or case is None:
                return self.texts["none"]
            made = diff_text if offer.action == "diff" else draft_text
            return made(session, self.app, case, draft, masked=False)

    def _letter(self, offer: Offer) -> str:
        return self._draft(replace(offer, action="show")).partition("\n\n")[2]

    def _files(self, subject: str) -> None:
        """Put a case's attachments, and its letters that go by post, into a private folder.

        Each look at an identity document is noted in the journal before it can be had.
        """
        case_id = int(subject.partition(":")[2])
        folder = self.app.settings.store.data_dir / "desk" / f"case-{case_id}"
        now = self.app.clock.now()
        found: dict[str, bytes] = {}
        with self.app.database.transaction() as session:
            case = session.get(Case, case_id)
            if case is None:
                return
            for message in messages.of_case(session, case_id):
                for attachment in messages.attachments(session, message.id or 0):
                    if attachment.deleted_at is not None:
                        continue
                    name = self.app.vault.open(session, attachment.key_id, attachment.name_sealed, "name").decode()
                    content = self.app.vault.open(session, attachment.key_id, attachment.content_sealed, "content")
                    found[f"{attachment.id}-{Path(name).name}"] = content
                    if attachment.is_identity:
                        data = {"attachment": attachment.id, "sha256": attachment.sha256}
                        journal.append(
                            session,
                            type="identity_document_seen",
                            actor=self.user.key,
                            at=now,
                            now=now,
                            case=case,
                            data=data,
                        )
            for item in outbox.of_case(session, case_id):
                if item.channel == "post" and item.status == "pending":
                    try:
                        found[f"a-poster-{item.id}.txt"] = as_approved(session, self.app, item)[1]
                    except ValueError:
                        self._say(self.texts["altered"].format(item=item.id))
            if case.channel == "counter":
                found["recepisse.txt"] = receipt(session, self.app, case, now=now).encode()
        for name, content in found.items():
            save(folder / name, content)
        self._say(self.texts["saved"].format(folder=folder) if found else self.texts["no_files"])


Choice = TypeVar("Choice")


def _nth(choices: Sequence[Choice], number: str) -> Choice | None:
    """The choice behind a typed number, counted from one; None where there is none."""
    known = number.isdecimal() and len(number) < 9 and 0 < int(number) <= len(choices)
    return choices[int(number) - 1] if known else None
