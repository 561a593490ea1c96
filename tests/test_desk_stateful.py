"""Any walk of people, buttons and mails: no path leads to an unapproved, stale, doubled or misdirected letter."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlmodel import select

from bot import casework
from bot.channels.base import TemporaryRefusal, Uncertain
from bot.desk.actions import Ask, perform
from bot.desk.basics import stamp
from bot.desk.cards import view_of
from bot.desk.offers import more_offers
from bot.sending import send_due
from handlers.lifecycle import UNSETTLED
from store import cases, drafts, journal
from store.models import Button, Case, Draft, OutboxItem
from tests.fakes import Office
from tests.world import mail

JEAN = "Jean Roche <jean@boite.example>"
TEXTS = ("Bonjour, je voudrais une copie de mes données.", "Bonjour, arrêtez vos publicités.", "Supprimez mes données.")
USERS = ("dpo", "deputy", "helper", "auditor", "gone")
PEOPLE = (JEAN, JEAN, "Lucie Roche <lucie@boite.example>")
MERITS = {"answer", "refusal", "partial_refusal"}
ADDRESSES = ("jean@boite.example", "jean.roche@ailleurs.example")


class Desk(RuleBasedStateMachine):
    """Cases, their drafts, their proofs, and people who press old and new buttons, together and twice, present and away."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        users = [
            {"key": "dpo", "name": "Claude Martinez", "role": "dpo"},
            {"key": "deputy", "name": "Adjointe", "role": "deputy"},
            {"key": "helper", "name": "Accueil", "role": "helper"},
            {"key": "auditor", "name": "Commissaire", "role": "auditor"},
        ]
        desk = {"users": users, "language": "fr", "second_approval": ["erasure"]}
        self.office = Office(Path(self.folder.name) / "data", desk=desk)
        self.asks: list[Ask] = []
        self.letters = 0
        self.approved: dict[str, str] = {}
        """SHA-256 of what a person approved -> the address of record at that moment."""

    def teardown(self) -> None:
        self.office.close()
        self.folder.cleanup()

    # --- what happens

    @initialize(text=st.sampled_from(TEXTS))
    def a_request_comes(self, text: str) -> None:
        self.office.arrive(mail(text, sender=JEAN, subject="Demande"))

    @rule(
        text=st.sampled_from((*TEXTS, "Merci de votre réponse.", "Voici ma carte d'identité.")),
        who=st.sampled_from(PEOPLE),
    )
    def somebody_writes(self, text: str, who: str) -> None:
        self.letters += 1
        self.office.arrive(mail(text, sender=who, subject="Re: Demande", message_id=f"<{self.letters}@boite.example>"))

    @rule(hours=st.integers(1, 24 * 20))
    def time_passes(self, hours: int) -> None:
        self.office.clock.move_to(self.office.clock.now() + timedelta(hours=hours))

    @rule(problem=st.sampled_from([TemporaryRefusal("451"), Uncertain("lost")]))
    def the_server_has_a_bad_moment(self, problem: Any) -> None:
        self.office.mailer.problem = problem

    @rule(user=st.sampled_from(("dpo", "deputy")), which=st.integers(0, 5))
    def a_card_is_drawn(self, user: str, which: int) -> None:
        """Keep what its buttons and those of its menus stand for, each with a key as in chat."""
        subject = f"case:{self._some(which)}"
        with self.office.app.database.transaction() as session:
            view = view_of(
                session, self.office.app, subject, masked=True, now=self.office.clock.now(),
                user=self.office.user(user),
            )  # fmt: skip
            assert view is not None
            offers = [offer for row in (*view.offers, *more_offers(session, self.office.app, subject)) for offer in row]
            for offer in (offer for offer in offers if offer.action not in ("show", "diff", "more")):
                key = f"k{len(self.asks)}"
                session.add(
                    Button(
                        key=key, action=offer.action, subject=subject, draft_id=offer.draft_id, chat_id=1,
                        created_at=self.office.clock.now(), expires_at=self.office.clock.now(),
                    )
                )  # fmt: skip
                self.asks.append(
                    Ask(
                        offer.action, subject, offer.draft_id, offer.revision, offer.digest, offer.argument, button=key,
                        seen=offer.seen,
                    )
                )  # fmt: skip

    @precondition(lambda self: self.asks)
    @rule(data=st.data(), user=st.sampled_from(USERS), text=st.sampled_from(("", "raison EDIT")), twice=st.booleans())
    def a_button_is_pressed(self, data: st.DataObject, user: str, text: str, twice: bool) -> None:
        ask = replace(data.draw(st.sampled_from(self.asks)), text=text)
        if ask.action in ("change_right", "make_draft"):
            argument = {
                "change_right": ("access", "objection", "erasure", "access,erasure"),
                "make_draft": ("answer", "refusal"),
            }
            ask = replace(ask, argument=data.draw(st.sampled_from(argument[ask.action])))
        if ask.action in ("merge", "erase_case"):
            ask = replace(ask, text=f"{self._reference(data.draw(st.integers(0, 5)))} {text}")
        for _ in range(2 if twice else 1):
            self._perform(ask, user)

    @rule(address=st.sampled_from(ADDRESSES), which=st.integers(0, 5))
    def the_requester_is_changed(self, address: str, which: int) -> None:
        self._perform(Ask("set_requester", f"case:{self._some(which)}", text=f"Jean Roche <{address}>"), "dpo")

    @rule(
        which=st.integers(0, 5),
        user=st.sampled_from(("dpo", "deputy")),
        action=st.sampled_from(("hold", "release", "reopen")),
    )
    def a_case_is_held_or_taken_up_again(self, which: int, user: str, action: str) -> None:
        self._perform(Ask(action, f"case:{self._some(which)}", text="litige"), user)

    @rule(
        which=st.integers(0, 5), action=st.sampled_from(("identity_verified", "identity_in_person", "identity_waived"))
    )
    def identity_is_settled(self, which: int, action: str) -> None:
        self._perform(Ask(action, f"case:{self._some(which)}", text="vue au comptoir"), "dpo")

    @rule(which=st.integers(0, 5), letter=st.sampled_from(("answer", "partial", "refusal")))
    def a_letter_is_asked_for(self, which: int, letter: str) -> None:
        self._perform(Ask("make_draft", f"case:{self._some(which)}", argument=letter), "deputy")

    @rule(which=st.integers(0, 5), right=st.sampled_from(("access", "objection", "erasure")))
    def a_right_is_set_apart(self, which: int, right: str) -> None:
        self._perform(Ask("split", f"case:{self._some(which)}", argument=right), "dpo")

    @rule(which=st.integers(0, 5), other=st.integers(0, 5), undone=st.booleans())
    def two_cases_are_merged(self, which: int, other: int, undone: bool) -> None:
        text = f"{self._reference(other)} même personne"
        self._perform(Ask("merge", f"case:{self._some(which)}", text=text), "deputy")
        if undone:
            self._perform(Ask("unmerge", f"case:{self._some(which)}"), "dpo")
            self._perform(Ask("unmerge", f"case:{self._some(other)}"), "dpo")

    @rule(user=st.sampled_from(("dpo", "deputy")), days=st.integers(0, 20), back=st.booleans())
    def somebody_goes_away(self, user: str, days: int, back: bool) -> None:
        today = self.office.clock.now().date()
        other = "deputy" if user == "dpo" else "dpo"
        text = f"{user} {other} {today.isoformat()} {(today + timedelta(days=days)).isoformat()}"
        perform(self.office.app, Ask("set_absence", "desk", text=text), user=self.office.user(user))
        if back:
            perform(self.office.app, Ask("end_absence", "desk", text=user), user=self.office.user(user))

    @rule(
        which=st.integers(0, 5), text=st.sampled_from(("Bonjour, voici. EDIT-1", "Bonjour, rien n'est détenu. EDIT-2"))
    )
    def a_letter_is_edited(self, which: int, text: str) -> None:
        case = self._some(which)
        for draft in self._waiting(case)[:1]:
            self._perform(Ask("edit", f"case:{case}", draft.id, draft.revision, draft.digest, text=text), "deputy")

    @rule(user=st.sampled_from(("dpo", "deputy")), which=st.integers(0, 5), second=st.booleans())
    def a_draft_is_completed_and_approved(self, user: str, which: int, second: bool) -> None:
        case = self._some(which)
        for draft in self._waiting(case)[-1:]:
            for _ in range(9):
                now = next((d for d in self._waiting(case) if d.id == draft.id), None)
                if now is None or not self._perform(
                    Ask("fill", f"case:{case}", now.id, now.revision, now.digest, text="rien de plus"), user
                ):
                    break
            for by in (user, *(("deputy" if user == "dpo" else "dpo",) if second else ())):
                for now in [d for d in self._waiting(case) if d.id == draft.id]:
                    self._perform(Ask("approve", f"case:{case}", now.id, now.revision, now.digest, text="vu"), by)

    @rule()
    def the_outbox_works(self) -> None:
        send_due(self.office.app)

    def _perform(self, ask: Ask, user: str) -> bool:
        person = self.office.user("dpo").model_copy(update={"key": "gone", "role": "former"}) if user == "gone" else (
            self.office.user(user)
        )  # fmt: skip
        number = int(ask.subject.partition(":")[2])
        before, old_stamp, kind = self._case(number), self._stamp(number), self._kind(ask)
        identity, decided = before.identity, self._types(number).count("draft_approved")
        told = perform(self.office.app, ask, user=person)
        if user in ("gone", "auditor") or (
            user == "helper" and ask.action not in ("take_charge", "leave_charge", "note")
        ):
            assert not told.done or (user == "helper" and ask.action == "sent_by_post")
        if (
            told.done
            and ask.seen is not None
            and ask.action not in ("take_charge", "leave_charge", "note", "sent_by_post")
        ):
            assert ask.seen == old_stamp, (ask, told)
        if told.done and ask.action == "approve" and self._types(number).count("draft_approved") > decided:
            if kind in MERITS and identity in UNSETTLED:
                assert ask.text, "an answer to somebody unknown, and nobody said why"
            with self.office.app.database.reading() as session:
                case = session.get(Case, number)
                assert case is not None
                address = cases.person_of(session, self.office.app.vault, case).address
                events = journal.of_case(session, number)
            event = [e for e in events if e.type == "draft_approved"][-1]
            assert event.actor == user
            assert event.data["digest"] == event.data["envelope"] == ask.digest
            if "erasure" in before.rights and kind in ("answer", "partial_refusal"):
                given = {e.actor for e in events if e.type == "approval_first" and e.data["digest"] == ask.digest}
                assert given - {user}, "one person alone approved what two have to"
            self.approved[str(event.data["sha256"])] = address
        return told.done

    def _count(self) -> int:
        with self.office.app.database.reading() as session:
            return len(cases.listed(session))

    def _some(self, which: int) -> int:
        return which % self._count() + 1

    def _reference(self, which: int) -> str:
        return self._case(self._some(which)).reference

    def _case(self, number: int) -> Case:
        with self.office.app.database.reading() as session:
            return session.get_one(Case, number)

    def _waiting(self, number: int) -> list[Draft]:
        with self.office.app.database.reading() as session:
            return drafts.proposed(session, number)

    def _stamp(self, number: int) -> int:
        with self.office.app.database.reading() as session:
            return stamp(journal.of_case(session, number))

    def _kind(self, ask: Ask) -> str:
        with self.office.app.database.reading() as session:
            draft = session.get(Draft, ask.draft_id) if ask.draft_id else None
            return draft.kind if draft else ""

    def _types(self, number: int) -> list[str]:
        with self.office.app.database.reading() as session:
            return [event.type for event in journal.of_case(session, number)]

    # --- what must hold

    @invariant()
    def every_letter_was_approved_by_a_person_for_its_recipient_and_left_once(self) -> None:
        if not hasattr(self, "office"):
            return
        seen: list[str] = []
        for recipient, raw in self.office.mailer.raw:
            sha256 = hashlib.sha256(raw).hexdigest()
            if recipient == "dpo@mije.com":
                continue
            if b"\r\nAuto-Submitted: auto-replied" in raw:
                # Routine letters only: what they are is in the outbox, and nothing on the merits is among them.
                with self.office.app.database.reading() as session:
                    item = session.exec(select(OutboxItem).where(OutboxItem.sha256 == sha256)).one()
                assert item.automatic
                assert not MERITS & set(item.kind.split("+"))
                continue
            assert self.approved.get(sha256) == recipient
            seen.append(sha256)
        # A letter that a person sent again on purpose is the same letter twice.
        again = sum(self._types(number + 1).count("letter_again") for number in range(self._count()))
        assert len(seen) - len(set(seen)) <= again

    @invariant()
    def the_register_says_what_the_journal_says(self) -> None:
        if not hasattr(self, "office"):
            return
        with self.office.app.database.reading() as session:
            for case in cases.listed(session):
                state = casework.state(journal.of_case(session, case.id or 0))
                assert (case.state, case.identity) == (state.state, state.identity)


TestDesk = Desk.TestCase
TestDesk.settings = settings(
    max_examples=int(os.environ.get("DPOBOT_WALKS", "25")),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
