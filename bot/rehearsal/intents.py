"""What the DPO of a story intends, in the program's own actions: one table, and the common sense of a person at a desk.

An intent is looked up by name among the actions of the desk, so that an action added there works here. A DPO who
approves a letter completes first what is marked in it for completion, and says why where a reason is asked for, unless
the story wants to see the refusal; never is a doubt about identity talked away here.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import OperationalError

from bot.commands.intake import intake as enter
from bot.desk import roster
from bot.desk.actions import ACTIONS, HOLE, Ask, perform
from bot.rehearsal.format import Step
from bot.rehearsal.mails import NotSupported
from bot.rehearsal.observe import ROUTINE, Observer
from bot.rehearsal.people import PEOPLE, number_of
from bot.rehearsal.world import DEPUTY, DPO, World
from bot.settings import User
from store import drafts
from store.models import Case, Draft, Message

NAMES: Mapping[str, tuple[str, ...]] = {
    "make_draft": ("make_draft",),
    "edit_draft": ("edit",),
    "approve": ("approve",),
    "approve_pending": ("approve",),
    "reject_draft": ("reject",),
    "identity_request": ("request_identity",),
    "identity_accept": ("identity_verified",),
    "identity_accept_manual": ("identity_in_person", "identity_verified"),
    "identity_reject": ("identity_insufficient",),
    "identity_waive": ("identity_waived",),
    "close": ("close",),
    "extend": ("extend",),
    "refuse_partially": ("refuse_partially", "make_draft"),
    "refuse": ("refuse", "make_draft"),
    "hold": ("hold", "legal_hold", "suspend"),
    "ask_fee": ("ask_fee", "fee", "charge_fee"),
    "reclassify": ("change_right", "open_as"),
    "mark_not_a_request": ("not_a_request", "file"),
    "set_requester": ("set_requester",),
    "manual_intake": ("*",),
    "mark_sent_by_post": ("sent_by_post",),
    "set_absence": ("set_absence", "absence", "absent", "away"),
    "erase_case": ("erase_case", "erase", "purge_case"),
    "export_person": ("export_person", "export"),
    "take_charge": ("take_charge",),
    "note": ("note",),
    "reopen": ("reopen",),
    "ask_requester": ("ask_requester",),
    "end_absence": ("end_absence",),
    "split": ("split",),
    "merge": ("merge",),
}
"""Intent -> the names its action may have at the desk, the first that exists is meant."""

RIGHTS = {
    "withdrawal": "consent_withdrawal", "consent": "consent_withdrawal", "deletion": "erasure", "breach": "breach_report",
    "deceased": "post_mortem", "correction": "rectification", "opposition": "objection",
}  # fmt: skip
CHANNELS = {
    "letter": "letter", "post": "letter", "courrier": "letter", "paper": "letter", "phone": "phone", "call": "phone",
    "appel": "phone", "counter": "counter", "desk": "counter", "site": "counter", "visit": "counter",
    "accueil": "counter", "forward": "forward", "colleague": "forward",
}  # fmt: skip
LETTER_WORDS = (
    (r"partial", "partial"),
    (r"not_identified|unidentified", "not_identified"),
    (r"refus|reject", "refusal"),
    (r"clarif|information|pr[ée]cision", "clarification"),
    (r"closing", "closing"),
)
"""What a story may call a letter -> what the desk's action takes."""
SENSE = "Vérifié le jour de la réponse."
"""What the DPO of a rehearsal writes where a letter waits for what only the DPO knows."""


@dataclass(frozen=True)
class Done:
    """What became of an intent."""

    done: bool
    told: str


@dataclass(frozen=True)
class Intent:
    """An intent as read from a payload: its name, the case's handle, who, and everything else by name."""

    name: str
    case: str
    user: int
    given: Mapping[str, Any]

    def text(self, *names: str) -> str:
        """The first of the named arguments that is there, as text."""
        for name in (*names, "text", "reason", "value"):
            value = self.given.get(name)
            if value not in (None, "", [], {}):
                return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        return ""


def read_intent(step: Step, handles: Mapping[str, Any]) -> Intent:
    """Read the intent of a step. Raises :class:`NotSupported` for one that has no name."""
    payload = step.payload
    given: dict[str, Any] = {}
    for nested in ("args", "arguments", "params", "with"):
        value = payload.get(nested)
        given |= value if isinstance(value, Mapping) else {"text": value} if value else {}
    given |= {k: v for k, v in payload.items() if k not in ("args", "arguments", "params", "with")}
    name = str(given.pop("intent", "") or given.pop("command", "") or given.pop("name_of_intent", ""))
    called = re.fullmatch(r"\s*(\w+)\s*\((.*)\)\s*", name, re.DOTALL)
    if called:
        name = called[1]
        given.setdefault("text", called[2].strip("'\" "))
    name = name.strip().lower().replace("-", "_").replace(" ", "_")
    if not name:
        raise NotSupported('dpo_command without an "intent"')
    case = step.case or (next(iter(handles)) if len(handles) == 1 else "")
    actor = step.actor if step.actor.lower() in PEOPLE else "dpo"
    user = number_of(given.get("user", given.get("by", given.get("as", actor))))
    return Intent(name, case, user, given)


class Desk:
    """The desk of the program, as the people of the story use it: the actions of ``dpobot desk``, on the same store."""

    def __init__(self, world: World, observer: Observer) -> None:
        self.world, self.observer = world, observer
        self.missing: set[str] = set()
        """Intents the program has no action for."""
        self.approvals: list[tuple[int, str]] = []
        """(How many mails had left, reference) of each approval by a person of the desk."""
        self.notes: list[str] = []
        """What the DPO had to do besides, to get at what the story says."""
        self.edited: dict[int, int] = {}
        """Case -> the draft edited last."""

    def user(self, number: int) -> User | None:
        """The desk's user with a Telegram number."""
        with self.world.app.database.reading() as session:
            return roster.by_telegram(session, self.world.app, number)

    # --- what is acted on

    def waiting(self, case: Case) -> list[Draft]:
        """The drafts that wait for a decision: what the desk shows first, but letters of routine behind the others.

        A story's "draft" is the answer; an acknowledgement that waits beside it (on paper, say) is not what it means.
        """
        from bot.desk.cards import _shown_first

        with self.world.app.database.reading() as session:
            found = drafts.proposed(session, case.id or 0)
        return sorted(found, key=lambda draft: (_is_routine(draft), *_shown_first(draft)))

    def _act(self, user: User, action: str, subject: str, draft: Draft | None = None, **more: Any) -> Done:
        ask = Ask(
            action, subject, draft.id if draft else None, draft.revision if draft else None,
            draft.digest if draft else "", **more,
        )  # fmt: skip
        try:
            told = perform(self.world.app, ask, user=user)
        except OperationalError as error:
            # The desk's own command would stop with this, having changed nothing.
            return Done(False, f"the store would not take it ({type(error.orig).__name__})")
        return Done(told.done, told.text)

    def carry_out(self, intent: Intent, case: Case | None, item: Message | None, *, helpful: bool, since: Any) -> Done:
        """Do what an intent says. *helpful*: as a sensible person would; else just as it is said, to be refused.

        *since* is when the previous command began, for ``approve_pending``. Raises :class:`NotSupported`.
        """
        if intent.name not in NAMES and intent.name not in ACTIONS:
            self.missing.add(intent.name)
            raise NotSupported(f'intent "{intent.name}": the program has no such action')
        names = NAMES.get(intent.name, (intent.name,))
        found = next((name for name in names if name in ACTIONS), "")
        if intent.name == "manual_intake":
            return self._intake(intent)
        if not found:
            self.missing.add(intent.name)
            raise NotSupported(f'intent "{intent.name}": the program has no such action')
        user = self.user(intent.user)
        if user is None:
            return Done(False, "not one of the desk's users: no desk to act at")
        if intent.name == "approve_pending":
            return self._approve_pending(user, since)
        if ACTIONS[found].on == "desk":
            text = self._absence(intent, user) if intent.name == "set_absence" else _told(intent, "email", "person")
            return self._act(user, found, "desk", text=text)
        if intent.name == "reclassify" and re.search(r"not_a?_?request|none|spam", _rights(intent)):
            intent = replace(intent, name="mark_not_a_request")
        if case is None and helpful and item is not None and intent.name not in ("reclassify", "mark_not_a_request"):
            case = self._sorted(user, item)
        if case is None:
            return self._on_item(intent, user, item, found)
        return self._on_case(intent, user, case, found, helpful=helpful)

    def _sorted(self, user: User, item: Message) -> Case | None:
        """What a person does first with something put aside that is a request: open a case as the card proposes."""
        labels = ",".join(sorted(self.observer.labels(item)))
        if not labels or not self._act(user, "open_as", f"message:{item.id}", argument=labels).done:
            return None
        self.notes.append(f"the DPO opened a case ({labels}) from an item to sort first")
        opened = self.observer.message(item.id or 0)
        return self.observer.case_by_id(opened.case_id) if opened is not None and opened.case_id else None

    def _absence(self, intent: Intent, user: User) -> str:
        """Who is away, who stands in, first and last day, as one types it at the desk."""
        stands_in = self.user(number_of(_first(intent.given, "deputy", "to_user", "replaced_by"), DEPUTY))
        absent = self.user(number_of(_first(intent.given, "absent", "who", "person"), user.telegram_id or DPO)) or user
        days = [
            str(_first(intent.given, *names) or "")[:10]
            for names in (("from", "start", "since"), ("to", "until", "end"))
        ]
        return " ".join([absent.key, stands_in.key if stands_in else "", *days])

    def _on_case(self, intent: Intent, user: User, case: Case, action: str, *, helpful: bool) -> Done:
        subject = f"case:{case.id}"
        name = intent.name
        if name == "approve":
            return self.approve(
                user, case, helpful=helpful, reason=intent.text("reason") if intent.given.get("reason") else ""
            )
        if name == "edit_draft":
            return self._edit(user, case, intent, helpful=helpful)
        if name == "reject_draft":
            waiting = self.waiting(case)
            if not waiting:
                return Done(False, "no draft waits")
            return self._act(user, action, subject, waiting[0], text=intent.text("reason") or "À reprendre.")
        if name in ("make_draft", "refuse", "refuse_partially") and action == "make_draft":
            return self._make(user, case, intent)
        if name == "erase_case":
            return self._act(user, action, subject, text=case.reference)
        if name == "identity_request":
            done = self._act(user, action, subject)
            if not done.done and case.identity in ("requested", "rejected") and helpful:
                return Done(True, f"asked already: {done.told}")
            return done
        if name in ("identity_accept", "identity_accept_manual"):
            how = intent.text("how", "note", "reason") or (
                "Vue à l'accueil, pièce présentée." if name.endswith("manual") else ""
            )
            return self._act(user, action, subject, text=how)
        if name == "reclassify":
            return self._act(user, "change_right", subject, argument=_rights(intent))
        if name == "mark_not_a_request":
            return self._act(user, "not_a_request", subject, text=intent.text("reason"))
        if name == "ask_fee":
            return self._act(user, action, subject, argument=_argument(intent), text=_fee(intent))
        if name == "set_requester":
            return self._act(user, action, subject, text=_requester(intent))
        if name == "close":
            argument = intent.text("outcome") if intent.given.get("outcome") else ""
            reason = intent.text("reason") or ("Clos." if helpful else "")
            return self._act(user, action, subject, argument=argument, text=reason)
        waiting = self.waiting(case)
        draft = waiting[0] if waiting and ACTIONS[action].on == "draft" else None
        text = _told(intent) or ("" if ACTIONS[action].text != "required" else SENSE)
        return self._act(user, action, subject, draft, argument=_argument(intent), text=text)

    def _on_item(self, intent: Intent, user: User, item: Message | None, action: str) -> Done:
        """An intent about something that was put aside to be sorted, and is no case yet."""
        if item is None:
            return Done(False, "there is neither a case nor an item to sort")
        subject = f"message:{item.id}"
        if intent.name == "mark_not_a_request":
            return self._act(user, "file", subject)
        if intent.name == "reclassify":
            return self._act(user, "open_as", subject, argument=_rights(intent))
        if action in ("file", "open_as", "attach"):
            return self._act(user, action, subject, argument=_argument(intent), text=_told(intent))
        return Done(False, f"the message is an item to sort, not a case: {intent.name} needs a case")

    # --- letters

    def complete(self, user: User, case: Case, text: str = SENSE) -> None:
        """Fill in whatever is marked for completion in the letter that waits, as a person does before approving."""
        for _ in range(40):
            waiting = self.waiting(case)
            if not waiting or not HOLE.search(self._text(case, waiting[0])):
                return
            if not self._act(user, "fill", f"case:{case.id}", waiting[0], text=text).done:
                return

    def _text(self, case: Case, draft: Draft) -> str:
        with self.world.app.database.reading() as session:
            return drafts.letter_of(session, self.world.app.vault, case=case, draft=draft).text

    def approve(self, user: User, case: Case, *, helpful: bool, reason: str = "", draft: Draft | None = None) -> Done:
        """Approve the letter that waits."""
        subject = f"case:{case.id}"
        before = len(self.world.sink.attempts)

        def waiting() -> Draft | None:
            found = self.waiting(case)
            if draft is not None:
                found = [one for one in found if one.id == draft.id]
            return found[0] if found else None

        if draft is None:
            # What was just edited is what is meant, where several letters wait.
            edited = self.edited.get(case.id or 0)
            draft = next((one for one in self.waiting(case) if one.id == edited), None)
        chosen = waiting()
        if chosen is None and helpful:
            self._again(user, case)
            chosen = waiting()
        if chosen is None:
            return Done(False, "no draft waits for approval")
        done = self._act(user, "approve", subject, chosen, text=reason)
        if not done.done and helpful and HOLE.search(self._text(case, chosen)) and not _is_identity(done.told):
            self.complete(user, case)
            chosen = waiting() or chosen
            done = self._act(user, "approve", subject, chosen, text=reason)
        if not done.done and helpful and not reason and _is_findings(done.told):
            # The linter's objections may be overridden with a reason; a doubt about identity may not, here.
            done = self._act(user, "approve", subject, chosen, text="Relu et assumé par le DPO.")
        if done.done:
            self.approvals.append((before, case.reference))
        return done

    def _again(self, user: User, case: Case) -> None:
        """Make anew a draft that a later mail or document made stale."""
        with self.world.app.database.reading() as session:
            before = [
                draft
                for draft in drafts.of_case(session, case.id or 0)
                if draft.kind in ("answer", "refusal", "partial_refusal")
            ]
        if before and before[-1].status == "void":
            argument = {"refusal": "refusal", "partial_refusal": "partial"}.get(before[-1].kind, "answer")
            self._act(user, "make_draft", f"case:{case.id}", argument=argument)

    def _approve_pending(self, user: User, since: datetime) -> Done:
        """Approve whatever was put up for approval since the previous command began."""
        with self.world.app.database.reading() as session:
            pending = [draft for draft in drafts.all_proposed(session) if draft.created_at >= since]
            cases_of = {draft.id: session.get(Case, draft.case_id) for draft in pending}
        # The answer is prepared by the program itself beside what a command puts up.
        asked = [draft for draft in pending if ":desk:" in draft.key] or pending
        told = []
        for draft in asked:
            case = cases_of[draft.id]
            if case is not None and (draft.kind != "answer" or len(asked) == 1):
                told.append(self.approve(user, case, helpful=True, draft=draft))
        if not told:
            return Done(True, "nothing waited: it was sent directly")
        return Done(all(done.done for done in told), " / ".join(done.told for done in told))

    def approve_routine(self) -> list[str]:
        """Approve at once the routine letters the settings want approved; return what was approved.

        What should leave by itself and does not is held back for a reason (too many mails, a fault in it), and waits.
        """
        user = self.user(DPO)
        settings = self.world.app.settings
        by_hand = settings.replies.acknowledge == "dpo" or settings.identity.request == "dpo"
        if user is None or not by_hand:
            return []
        with self.world.app.database.reading() as session:
            waiting = [
                (draft, session.get(Case, draft.case_id))
                for draft in drafts.all_proposed(session)
                if _is_routine(draft)
            ]
        approved = []
        for draft, case in waiting:
            if case is not None:
                done = self._act(user, "approve", f"case:{case.id}", draft)
                if done.done:
                    approved.append(f"{case.reference} {draft.kind}")
        return approved

    def _make(self, user: User, case: Case, intent: Intent) -> Done:
        said = intent.text("kind", "type", "letter", "outcome").lower() if intent.name == "make_draft" else intent.name
        argument = next((letter for words, letter in LETTER_WORDS if re.search(words, said)), "")
        waiting = self.waiting(case)
        kinds = {"partial": "partial_refusal", "clarification": "information_request", "not_identified": "notice"}
        wanted = kinds.get(argument, argument or "answer")
        shown = next((draft for draft in waiting if draft.kind == wanted), None)
        if shown is not None:
            return Done(True, f"a draft waits already, revision {shown.revision}: shown")
        done = self._act(user, "make_draft", f"case:{case.id}", argument=argument)
        if done.done and intent.name in ("refuse", "refuse_partially"):
            self.complete(user, case, intent.text("reason") or SENSE)
        return done

    def _edit(self, user: User, case: Case, intent: Intent, *, helpful: bool) -> Done:
        waiting = self.waiting(case)
        if (not waiting or _is_routine(waiting[0])) and helpful:
            self._again(user, case)
            waiting = self.waiting(case)
            if not waiting or _is_routine(waiting[0]):
                self._act(user, "make_draft", f"case:{case.id}")
                waiting = self.waiting(case)
        if not waiting:
            return Done(False, "no draft waits to be edited")
        draft = waiting[0]
        new = _edited(
            self._text(case, draft),
            intent.text("text", "body", "new_text"),
            whole=bool(intent.given.get("whole") or intent.given.get("replace")),
        )
        done = self._act(user, "edit", f"case:{case.id}", draft, text=new)
        if done.done:
            self.edited[case.id or 0] = draft.id or 0
        return done

    # --- intake by hand

    def _intake(self, intent: Intent) -> Done:
        """``dpobot intake``: a letter, a call, a visit, with the day the organisation got it."""
        app, given = self.world.app, intent.given
        if self.user(intent.user) is None:
            return Done(False, "not one of the desk's users")
        said = str(_first(given, "channel", "kind", "via") or "letter").lower()
        kind = next((kind for word, kind in CHANNELS.items() if word in said), "letter")
        today = self.world.now().astimezone(app.settings.zone).date().isoformat()
        received = str(_first(given, "received", "received_on", "received_at", "date") or today)
        wanted = _first(given, "rights", "right", "class", "case_class", "to") or ""
        named = wanted if isinstance(wanted, list) else re.split(r"[,+ ]+", str(wanted))
        rights = tuple(RIGHTS.get(right, right) for right in named if right)
        requester = _first(given, "requester", "from", "person") or {}
        person: Mapping[str, Any] = requester if isinstance(requester, Mapping) else {"name": str(requester)}
        email = str(given.get("email") or person.get("email") or "")
        name = str(given.get("name") or person.get("name") or "")
        text = intent.text("text", "body", "summary", "note", "request")
        text = text or f"Demande reçue ({kind}) : {', '.join(rights) or 'à préciser'}."
        said_out, said_err = io.StringIO(), io.StringIO()
        with redirect_stdout(said_out), redirect_stderr(said_err):
            status = enter(app, kind, received=received, name=name, email=email, rights=rights, text=text)
        # The reference, or why not; the receipt of a request at the counter, which is printed beside it, is for paper.
        return Done(status == 0, (said_out if status == 0 else said_err).getvalue().strip())


def _is_routine(draft: Draft) -> bool:
    return ":desk:" not in draft.key and set(draft.kind.split("+")) <= ROUTINE


def _is_identity(told: str) -> bool:
    return "12(6)" in told


def _is_findings(told: str) -> bool:
    return told.startswith(("À corriger d'abord", "To mend first"))


def _told(intent: Intent, *first: str) -> str:
    return intent.text(*first, "reason", "text", "note", "amount", "email", "method", "address", "question")


def _argument(intent: Intent) -> str:
    return str(intent.given.get("argument", intent.given.get("outcome", "")) or "")


def _fee(intent: Intent) -> str:
    """An amount and what it is made of, as the desk wants them typed; the amount may be a number by itself."""
    amount = str(intent.given.get("amount", "")).strip() or intent.text("text")
    number = re.match(r"\D*(\d+)(?:[.,](\d{1,2}))?", amount)
    if number is None:
        return amount
    rest = amount[number.end() :].strip().removeprefix("EUR").removeprefix("euros").removeprefix("€").strip()
    why = rest or str(intent.given.get("reason") or intent.given.get("basis") or "frais de copie et d'envoi")
    return f"{number[1]},{(number[2] or '00').ljust(2, '0')} € {why}"


def _rights(intent: Intent) -> str:
    given = intent.given.get(
        "to", intent.given.get("right", intent.given.get("rights", intent.given.get("class", intent.text())))
    )
    named = given if isinstance(given, list) else re.split(r"[,+ ]+", str(given))
    return ",".join(RIGHTS.get(right, right) for right in named if right)


def _requester(intent: Intent) -> str:
    given = intent.given.get("requester", intent.given)
    if not isinstance(given, Mapping):
        return str(given)
    email = str(given.get("email", given.get("address", given.get("to", "")))).strip()
    name = str(given.get("name", "")).strip()
    if not email:
        return intent.text("text")
    return email if "<" in email or not name else f"{name} <{email}>"


def _edited(letter: str, text: str, *, whole: bool) -> str:
    """Return the letter as the DPO edits it: *text* takes the place of what was left open, or goes before the closing.

    What is a whole letter by itself, or is meant to be one, replaces it.
    """
    greets = re.match(r"\s*(?:Bonjour|Madame|Monsieur|Dear|Hello)", text)
    if whole or (greets and len(text) > 600):
        return text
    if HOLE.search(letter):
        first = HOLE.sub(lambda _: text, letter, count=1)
        return HOLE.sub(lambda _: SENSE, first)
    paragraphs = letter.split("\n\n")
    place = 1 if len(paragraphs) > 1 else len(paragraphs)
    return "\n\n".join([*paragraphs[:place], text, *paragraphs[place:]])


def _first(given: Mapping[str, Any], *names: str) -> Any:
    return next((given[name] for name in names if given.get(name) not in (None, "")), None)
