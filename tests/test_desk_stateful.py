"""Any walk of people, buttons and mails: no path leads to an unapproved, stale, doubled or misdirected letter."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlmodel import select

from bot.channels.base import TemporaryRefusal, Uncertain
from bot.desk.actions import Ask, perform
from bot.desk.basics import stamp
from bot.desk.cards import view_of
from bot.sending import send_due
from handlers.lifecycle import UNSETTLED
from store import cases, journal
from store.models import Button, Case, Draft, OutboxItem
from tests.fakes import Office
from tests.world import mail

JEAN = "Jean Roche <jean@boite.example>"
TEXTS = ("Bonjour, je voudrais une copie de mes données.", "Bonjour, arrêtez vos publicités.", "Supprimez mes données.")
USERS = ("dpo", "deputy", "auditor", "gone")
MERITS = {"answer", "refusal", "partial_refusal"}
ADDRESSES = ("jean@boite.example", "jean.roche@ailleurs.example")


class Desk(RuleBasedStateMachine):
    """A case, its drafts, its proofs, and people who press old and new buttons, together and twice."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.office = Office(Path(self.folder.name) / "data")
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

    @rule(text=st.sampled_from((*TEXTS, "Merci de votre réponse.", "Voici ma carte d'identité.")))
    def somebody_writes(self, text: str) -> None:
        self.letters += 1
        self.office.arrive(mail(text, sender=JEAN, subject="Re: Demande", message_id=f"<{self.letters}@boite.example>"))

    @rule(hours=st.integers(1, 24 * 20))
    def time_passes(self, hours: int) -> None:
        self.office.clock.move_to(self.office.clock.now() + timedelta(hours=hours))

    @rule(problem=st.sampled_from([TemporaryRefusal("451"), Uncertain("lost")]))
    def the_server_has_a_bad_moment(self, problem: Any) -> None:
        self.office.mailer.problem = problem

    @rule(user=st.sampled_from(("dpo", "deputy")))
    def a_card_is_drawn(self, user: str) -> None:
        """Keep what its buttons stand for, each with a key as in chat."""
        with self.office.app.database.transaction() as session:
            view = view_of(
                session, self.office.app, "case:1", masked=True, now=self.office.clock.now(),
                user=self.office.user(user),
            )  # fmt: skip
            assert view is not None
            for offer in (
                offer for row in view.offers for offer in row if offer.action not in ("show", "diff", "more")
            ):
                key = f"k{len(self.asks)}"
                session.add(
                    Button(
                        key=key, action=offer.action, subject="case:1", draft_id=offer.draft_id, chat_id=1,
                        created_at=self.office.clock.now(), expires_at=self.office.clock.now(),
                    )
                )  # fmt: skip
                self.asks.append(
                    Ask(
                        offer.action, "case:1", offer.draft_id, offer.revision, offer.digest, offer.argument, button=key,
                        seen=offer.seen,
                    )
                )  # fmt: skip

    @precondition(lambda self: self.asks)
    @rule(data=st.data(), user=st.sampled_from(USERS), text=st.sampled_from(("", "raison EDIT")), twice=st.booleans())
    def a_button_is_pressed(self, data: st.DataObject, user: str, text: str, twice: bool) -> None:
        ask = replace(data.draw(st.sampled_from(self.asks)), text=text)
        if ask.action in ("change_right", "make_draft"):
            argument = {"change_right": ("access", "objection", "erasure"), "make_draft": ("answer", "refusal")}
            ask = replace(ask, argument=data.draw(st.sampled_from(argument[ask.action])))
        for _ in range(2 if twice else 1):
            self._perform(ask, user)

    @rule(address=st.sampled_from(ADDRESSES))
    def the_requester_is_changed(self, address: str) -> None:
        self._perform(Ask("set_requester", "case:1", text=f"Jean Roche <{address}>"), "dpo")

    @rule(user=st.sampled_from(("dpo", "deputy")))
    def a_draft_is_completed_and_approved(self, user: str) -> None:
        self.office.complete()
        waiting = self.office.drafts()
        if waiting:
            draft = waiting[-1]
            self._perform(Ask("approve", "case:1", draft.id, draft.revision, draft.digest, text="vu"), user)

    @rule()
    def the_outbox_works(self) -> None:
        send_due(self.office.app)

    def _perform(self, ask: Ask, user: str) -> None:
        person = self.office.user("dpo").model_copy(update={"key": "gone", "role": "former"}) if user == "gone" else (
            self.office.user(user)
        )  # fmt: skip
        before = self._case()
        old_stamp = self._stamp()
        identity, kind = before.identity, self._kind(ask)
        told = perform(self.office.app, ask, user=person)
        if user in ("gone", "auditor"):
            assert not told.done
        if told.done and ask.seen is not None and ask.action not in ("take_charge", "leave_charge", "note"):
            assert ask.seen == old_stamp, (ask, told)
        if told.done and ask.action == "approve":
            if kind in MERITS and identity in UNSETTLED:
                assert ask.text, "an answer to somebody unknown, and nobody said why"
            with self.office.app.database.reading() as session:
                case = session.get(Case, 1)
                assert case is not None
                address = cases.person_of(session, self.office.app.vault, case).address
                event = [e for e in journal.of_case(session, 1) if e.type == "draft_approved"][-1]
            assert event.actor == user
            self.approved[str(event.data["sha256"])] = address

    def _case(self) -> Case:
        return self.office.case()

    def _stamp(self) -> int:
        with self.office.app.database.reading() as session:
            return stamp(journal.of_case(session, 1))

    def _kind(self, ask: Ask) -> str:
        with self.office.app.database.reading() as session:
            draft = session.get(Draft, ask.draft_id) if ask.draft_id else None
            return draft.kind if draft else ""

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
        # A letter that a person sent again on purpose is the same letter twice; nobody did that here.
        again = [e for e in self._events() if e == "letter_again"]
        assert len(seen) - len(set(seen)) <= len(again)

    def _events(self) -> list[str]:
        with self.office.app.database.reading() as session:
            return [event.type for event in journal.of_case(session, 1)]


TestDesk = Desk.TestCase
TestDesk.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
