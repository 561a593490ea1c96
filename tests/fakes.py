"""Parts that stand in for slow ones in tests, each true to the protocol it replaces, and an office made of them."""

from __future__ import annotations

import re
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from bot import intake
from bot.app import App, build_app
from bot.channels.base import MailerError, RawMessage
from bot.clock import MovedClock
from bot.desk.actions import Ask, Told, perform
from bot.sending import send_due
from bot.settings import User
from handlers.triage import CONTINUES
from nlp.fold import fold
from nlp.types import MISSION_CLASS, Cue, Decision, Message, Reading
from store import cases, drafts, journal
from store.models import Case, Draft, Event, OutboxItem
from tests.world import make_settings, paris

# People and words that many tests tell their stories with.
CAMILLE = "Camille Durand <camille.durand@courrier.example>"
JEAN = "Jean Roche <jean@boite.example>"
ACCESS = "Bonjour, je voudrais une copie de mes données.\n\nCamille Durand"
OBJECTION = "Bonjour, arrêtez vos publicités."
UNSURE = "Bonjour, peut-être faut-il que vous supprimiez… supprimez mes données ?"

RULES = {
    "access": r"copie de (?:toutes )?mes donnees|copy of my data|quelles donnees",
    "erasure": r"supprimez|effacez|delete my",
    "objection": r"publicite|newsletter|unsubscribe",
    "rectification": r"rectifi|corrige",
    "identity_reply": r"carte d.identite|id card",
    "status_inquiry": r"ou en est",
}


class WordReader:
    """A classifier that knows a handful of words (``bot.app.Reader``): at once, and the same on every machine.

    "peut-etre" makes it unsure; what holds none of its words is no request.
    """

    def read(self, message: Message) -> Reading:
        """Say what a message asks for, by its words alone."""
        folded = fold(message.body)
        found = [(label, hit.span()) for label, rule in RULES.items() for hit in re.finditer(rule, folded.text)]
        names = tuple(dict.fromkeys(label for label, _ in found))
        primary = names[0] if names else "not_request"
        decision: Decision = "ask_dpo" if "peut-etre" in folded.text else "accept"
        return Reading(
            id=message.id,
            language="en" if re.search(r"\b(?:the|my|please|you)\b", folded.text) else "fr",
            primary=primary,
            labels=tuple(name for name in names if name not in CONTINUES),
            scores=dict.fromkeys(names, 0.95),
            mission_class=MISSION_CLASS.get(primary, "other"),
            decision=decision,
            confidence=0.5 if decision == "ask_dpo" else 0.95,
            cues=tuple(_cue(message.body, label, *folded.span(*span)) for label, span in found),
        )


def _cue(body: str, label: str, start: int, end: int) -> Cue:
    return Cue(label, body[start:end], start, end, "words")


class KeepingMailer:
    """A way out (``bot.channels.base.Mailer``) that keeps what it is given; *problem*, once set, is raised once."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, EmailMessage]] = []
        self.raw: list[tuple[str, bytes]] = []
        """The same, as the bytes that left."""
        self.problem: MailerError | None = None

    def send(self, *, sender: str, recipient: str, mime: bytes) -> str:
        """Keep a mail and answer like a server."""
        if self.problem is not None:
            problem, self.problem = self.problem, None
            raise problem
        parsed = BytesParser(policy=policy.default).parsebytes(mime)  # type: ignore[arg-type]
        self.sent.append((recipient, parsed))
        self.raw.append((recipient, mime))
        return "250 2.0.0 queued"

    def to(self, recipient: str) -> list[EmailMessage]:
        """The mails to one recipient, oldest first."""
        return [mail for address, mail in self.sent if address == recipient]


class Office:
    """The program on a store of its own, without servers: mail is handed in, and what leaves is kept."""

    def __init__(self, folder: Path, *, start: str = "2026-03-02 09:00", **changes: Any) -> None:
        self.clock = MovedClock(paris(start))
        self.mailer = KeepingMailer()
        users = [
            {"key": "dpo", "name": "Claude Martinez", "role": "dpo"},
            {"key": "deputy", "name": "Adjointe", "role": "deputy"},
            {"key": "auditor", "name": "Commissaire", "role": "auditor"},
        ]
        self.settings = make_settings(folder, **{"desk": {"users": users, "language": "fr"}, **changes})
        self.app: App = build_app(
            self.settings, clock=self.clock, inboxes=(), mailer=self.mailer, reader=WordReader()
        )  # fmt: skip
        self._arrived = 0

    def arrive(self, raw: bytes, *, at: datetime | None = None) -> intake.Recorded:
        """Take in a mail and send what follows from it."""
        self._arrived += 1
        received = at or self.clock.now()
        recorded = intake.take_in(self.app, RawMessage("imap:test", f"1:{self._arrived}", received, raw))
        send_due(self.app)
        return recorded

    def user(self, key: str) -> User:
        """A desk user by key."""
        return next(user for user in self.settings.desk.users if user.key == key)

    def case(self, reference: str = "DSR-2026-0001") -> Case:
        """A case as the register shows it."""
        with self.app.database.reading() as session:
            found = cases.by_reference(session, reference)
        assert found is not None
        return found

    def drafts(self, reference: str = "DSR-2026-0001") -> list[Draft]:
        """The drafts that wait for a decision, oldest first."""
        with self.app.database.reading() as session:
            return drafts.proposed(session, self.case(reference).id or 0)

    def letter(self, draft: Draft) -> drafts.LetterText:
        """The letter of a draft."""
        with self.app.database.reading() as session:
            case = session.get(Case, draft.case_id)
            assert case is not None
            return drafts.letter_of(session, self.app.vault, case=case, draft=draft)

    def ask(self, action: str, subject: str = "case:1", *, kind: str = "", **more: Any) -> Ask:
        """What somebody asks who sees the newest draft (of a kind)."""
        waiting = [draft for draft in self.drafts() if not kind or draft.kind == kind] if self._has_case() else []
        seen: dict[str, Any] = {}
        if waiting:
            seen = {"draft_id": waiting[-1].id, "revision": waiting[-1].revision, "digest": waiting[-1].digest}
        return Ask(action, subject, **{**seen, **more})

    def _has_case(self) -> bool:
        with self.app.database.reading() as session:
            return cases.by_reference(session, "DSR-2026-0001") is not None

    def do(self, action: str, subject: str = "case:1", *, user: str = "dpo", kind: str = "", **more: Any) -> Told:
        """Act at the desk, and send what follows."""
        told = perform(self.app, self.ask(action, subject, kind=kind, **more), user=self.user(user))
        send_due(self.app)
        return told

    def complete(self, kind: str = "", text: str = "Rien de plus n'est conservé.") -> None:
        """Replace every marker in a draft by *text*, however many its template has."""
        while self.do("fill", kind=kind, text=text).done:
            pass

    def types(self, reference: str = "DSR-2026-0001") -> list[str]:
        """The types of a case's events, in order."""
        with self.app.database.reading() as session:
            return [event.type for event in journal.of_case(session, self.case(reference).id or 0)]

    def footprint(self) -> tuple[int, int, list[tuple[str, int, str]]]:
        """All that an action could leave behind: length of journal and outbox, and every draft's state."""
        from sqlmodel import func, select

        with self.app.database.reading() as session:
            events = session.exec(select(func.count()).select_from(Event)).one()
            items = session.exec(select(func.count()).select_from(OutboxItem)).one()
            states = [(draft.status, draft.revision, draft.digest) for draft in session.exec(select(Draft)).all()]
        return events, items, states

    def close(self) -> None:
        """Close the store."""
        self.app.close()
