"""What state a case is in, and what may be done with it: pure tables, computed from the journal and never patched.

:func:`state_of` reads a case's events from the first to the last; :data:`ALLOWED` says which action of the desk a state
admits; :func:`may_approve` says which letter. Verification and answering are two axes (art. 12(6) and 12(3) GDPR): an
answer cannot leave before the person is known, in whatever order things happened.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, get_args

from handlers.identity import NEVER_PROVED
from handlers.types import Fact

CaseName = Literal[
    "received",
    "awaiting_identity",
    "open",
    "answered",
    "partially_refused",
    "refused",
    "closed",
    "to_sort",
    "not_request",
    "withdrawn",
]
"""``received``: it is not decided yet whether identity is asked. ``open``: the answer is being prepared. ``to_sort``: a
person must say whether this is a request, and which."""

IdentityName = Literal[
    "not_required", "requested", "received", "verified", "rejected", "waived", "pending_dpo_decision"
]
"""``received``: something came and nobody has looked yet. ``waived``: the DPO is sure by other means, with a reason."""

DraftName = Literal["proposed", "approved", "rejected", "void", "sent"]
Delivery = Literal["none", "sent", "failed", "uncertain", "bounced"]

STATES: tuple[CaseName, ...] = get_args(CaseName)
IDENTITY_STATES: tuple[IdentityName, ...] = get_args(IdentityName)

WORKING = frozenset[str]({"received", "awaiting_identity", "open"})
ANSWERED = frozenset[str]({"answered", "partially_refused", "refused"})
FINISHED = frozenset[str]({"closed", "not_request", "withdrawn"})
UNSETTLED = frozenset[str]({"requested", "received", "rejected", "pending_dpo_decision"})
"""States of identity in which nothing that speaks of the person's data may leave."""

ON_MERITS = frozenset({"answer", "refusal", "partial_refusal"})
"""Kinds of letters that decide on a right."""

_DRAFTS = frozenset({"approve", "edit", "reject"})
_COMMON = frozenset({"note", "take_charge", "leave_charge"})
_HOLD = frozenset({"hold", "release"})
_WORK = _DRAFTS | _COMMON | {
    "make_draft", "change_right", "not_a_request", "request_identity", "extend", "refuse", "close",
    "refuse_partially", "ask_requester", "split", "merge", "set_subject", "set_about", "set_address", "hold", "release",
    "set_received", "ask_fee", "choose_activities", "send_code", "check_document", "tell_recipients", "lift_restriction",
    "task", "data_obtained",
}  # fmt: skip
_AFTER = frozenset({"tell_recipients", "lift_restriction", "task", "data_obtained"})

ALLOWED: Mapping[CaseName, frozenset[str]] = MappingProxyType(
    {
        "to_sort": _DRAFTS
        | _COMMON
        | _HOLD
        | {"make_draft", "change_right", "not_a_request", "close", "merge", "set_about"},
        "received": _WORK | {"identity_verified", "identity_in_person", "identity_waived"},
        "awaiting_identity": _WORK
        | {"identity_verified", "identity_in_person", "identity_waived", "identity_insufficient"},
        "open": _WORK,
        "answered": _DRAFTS | _COMMON | _HOLD | _AFTER | {"close", "reopen"},
        "partially_refused": _DRAFTS | _COMMON | _HOLD | _AFTER | {"close", "reopen"},
        "refused": _DRAFTS | _COMMON | _HOLD | _AFTER | {"close", "reopen"},
        "closed": _HOLD | {"reopen", "note", "unmerge", "erase_case", "task"},
        "withdrawn": _HOLD | {"reopen", "note", "erase_case"},
        "not_request": _HOLD | {"reopen", "note", "change_right", "erase_case"},
    }
)
"""State -> the desk's actions it admits."""

ACTIONS: frozenset[str] = frozenset[str]().union(*ALLOWED.values())

_BACK = frozenset[CaseName]({"to_sort", "received", "awaiting_identity", "open"})
_ENDS = frozenset[CaseName]({"answered", "partially_refused", "refused", "closed", "withdrawn", "not_request"})

MOVES: Mapping[CaseName, frozenset[CaseName]] = MappingProxyType(
    {
        "to_sort": _BACK | {"closed", "withdrawn", "not_request"},
        "received": _BACK | _ENDS,
        "awaiting_identity": _BACK | _ENDS,
        "open": _BACK | _ENDS,
        "answered": _BACK | {"partially_refused", "closed", "withdrawn"},
        "partially_refused": _BACK | {"closed", "withdrawn"},
        "refused": _BACK | {"partially_refused", "closed", "withdrawn"},
        "closed": _BACK,
        "withdrawn": _BACK,
        "not_request": _BACK,
    }
)
"""State -> the states one event may lead to; a finished case comes back only by ``reopened``, a right given to what was
filed as no request, or the bounce of its answer (an answer that did not arrive is none)."""

DRAFT_MOVES: Mapping[DraftName, frozenset[DraftName]] = MappingProxyType(
    {
        "proposed": frozenset({"proposed", "approved", "rejected", "void"}),
        # Editing an approved draft takes the approval back: it was given to other bytes.
        "approved": frozenset({"proposed", "void", "sent"}),
        "rejected": frozenset(),
        "void": frozenset(),
        "sent": frozenset(),
    }
)

REASONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "case-finished": {
            "en": "the case is closed; reopen it first",
            "fr": "le dossier est clos ; rouvrez-le d'abord",
        },
        "not-sorted": {
            "en": "say first which right is exercised",
            "fr": "indiquez d'abord quel droit est exercé",
        },
        "answered-already": {
            "en": "the request has been answered; reopen the case to answer again",
            "fr": "la demande a reçu sa réponse ; rouvrez le dossier pour répondre de nouveau",
        },
        "extended-already": {
            "en": "the period has been extended once; it cannot be extended again (art. 12(3))",
            "fr": "le délai a déjà été prolongé ; il ne peut l'être qu'une fois (art. 12(3))",
        },
        "identity-requested": {
            "en": "proof of identity was asked for and has not come (art. 12(6))",
            "fr": "la preuve d'identité demandée n'est pas arrivée (art. 12(6))",
        },
        "identity-received": {
            "en": "a proof of identity has come and nobody has checked it yet (art. 12(6))",
            "fr": "une preuve d'identité est arrivée, personne ne l'a encore vérifiée (art. 12(6))",
        },
        "identity-rejected": {
            "en": "the proof of identity was not sufficient (art. 12(6))",
            "fr": "la preuve d'identité n'était pas suffisante (art. 12(6))",
        },
        "identity-pending_dpo_decision": {
            "en": "identity is in doubt: verify it, waive it or ask for proof first (art. 12(6))",
            "fr": "l'identité est douteuse : vérifiez-la, dispensez-en ou demandez une preuve d'abord (art. 12(6))",
        },
    }
)
"""Why a letter may not be approved: code -> language -> sentence for the DPO."""


@dataclass(frozen=True)
class DraftView:
    """A draft as the journal tells it."""

    draft: str
    kind: str
    revision: int = 1
    state: DraftName = "proposed"
    sha256: str = ""
    """Of the bytes that were approved; empty before."""
    rights: tuple[str, ...] = ()
    """The rights it answers, where it answers a part of the message; empty: all of them."""


@dataclass(frozen=True)
class Settled:
    """What was decided on one right, and by which letter."""

    right: str
    outcome: CaseName
    message_id: str = ""


@dataclass(frozen=True)
class CaseState:
    """What the journal says of a case. No personal data."""

    state: CaseName = "to_sort"
    identity: IdentityName = "not_required"
    rights: tuple[str, ...] = ()
    language: str = ""
    channel: str = ""
    extended: bool = False
    """An extension was notified; whether in time is the clock's business (:mod:`handlers.clock`)."""
    awaiting_clarification: bool = False
    taken: bool = False
    held: bool = False
    """On hold: nothing is erased, and the card says so; the period runs on (art. 12(3) knows no hold)."""
    delivery: Delivery = "none"
    """Fate of the last letter. ``uncertain``: it may have left; a person must look."""
    outcome: str = ""
    """As given when the case was closed."""
    reason: str = ""
    """Coded reason of the last closing, refusal of identity or filing as no request."""
    drafts: tuple[DraftView, ...] = ()
    settled: tuple[Settled, ...] = ()
    """The rights that were answered, each with its own outcome; the case is answered once all of them are."""
    sent: tuple[tuple[str, str], ...] = ()
    """(kind, Message-ID) of every letter that left, oldest first."""

    @property
    def open_rights(self) -> tuple[str, ...]:
        """The rights that still await their answer."""
        done = {entry.right for entry in self.settled}
        return tuple(right for right in self.rights if right not in done)

    @property
    def ready_rights(self) -> tuple[str, ...]:
        """The open rights that may be answered now: all once identity is settled, else those that need no proof
        (art. 21(3): an objection to advertising does not wait for the proof that access needs). Without those that a
        letter under way answers."""
        under_way: set[str] = set()
        for draft in self.drafts:
            if draft.state in ("proposed", "approved") and set(draft.kind.split("+")) & (ON_MERITS | {"not_competent"}):
                under_way |= set(draft.rights or self.rights)
        free = self.identity not in UNSETTLED
        return tuple(r for r in self.open_rights if r not in under_way and (free or r in NEVER_PROVED))

    @property
    def approved(self) -> bool:
        """Whether an approved letter waits to leave."""
        return any(draft.state == "approved" for draft in self.drafts)


def state_of(events: Iterable[Fact]) -> CaseState:
    """Return the state of a case from its whole journal, oldest event first.

    Never fails: an unknown event type, or one that makes no sense in the state it meets, changes nothing, so that a
    journal written by another version can be read.
    """
    state = CaseState()
    for event in events:
        state = after(state, event)
    return state


def after(state: CaseState, event: Fact) -> CaseState:
    """Return the state after one more event."""
    apply = _APPLY.get(event.type)
    return apply(state, event.data) if apply else state


def may(state: CaseState | CaseName, action: str) -> bool:
    """Say whether the desk may do *action* now. With the full state also: a period is extended once (art. 12(3))."""
    if isinstance(state, CaseState):
        if action == "extend" and state.extended:
            return False
        return action in ALLOWED[state.state]
    return action in ALLOWED[state]


def may_approve(
    state: CaseState, kind: str, *, override_reason: str = "", rights: Collection[str] = ()
) -> tuple[bool, str]:
    """Say whether a letter of *kind* may be approved now, and if not, why: a key of :data:`REASONS`, else ``""``.

    An answer or a refusal, whole or partial, speaks of the person's data: it does not leave while identity is
    unsettled, unless the DPO overrides it with a reason, which the caller writes to the journal (``identity_waived``).
    A request whose author cannot be identified ends with the notice ``not_identified`` (art. 11(2), 12(2), 12(4)).
    Routine letters always may, as long as the case lives. *kind* may join several by ``+``. *rights*: those the letter
    answers, where it answers a part of the message; where none of them needs proof, it does not wait for it (art. 21(3)).
    """
    if state.state in FINISHED:
        return False, "case-finished"
    kinds = set(kind.split("+"))
    on_merits = kinds & ON_MERITS
    if on_merits or kinds & {"extension", "not_competent"}:
        if state.state == "to_sort":
            return False, "not-sorted"
        if state.state in ANSWERED or (rights and not set(rights) & set(state.open_rights)):
            return False, "answered-already"
    if "extension" in kinds and state.extended:
        return False, "extended-already"
    needs_none = bool(rights) and NEVER_PROVED.issuperset(rights)
    if on_merits and state.identity in UNSETTLED and not needs_none and not override_reason.strip():
        return False, f"identity-{state.identity}"
    return True, ""


# --- one function an event -------------------------------------------------------------------------------------------


def _working(state: CaseState) -> CaseState:
    """Put a live case where its rights and identity say it belongs."""
    if not state.rights:
        return replace(state, state="to_sort")
    if state.identity in ("requested", "received", "rejected"):
        return replace(state, state="awaiting_identity")
    return replace(state, state="received" if state.identity == "pending_dpo_decision" else "open")


def _rearranged(state: CaseState) -> CaseState:
    return _working(state) if state.state in WORKING or state.state == "to_sort" else state


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _rights(data: Mapping[str, Any]) -> tuple[str, ...]:
    value = data.get("rights")
    return tuple(right for right in value if isinstance(right, str)) if isinstance(value, list | tuple) else ()


def _identity_need(state: CaseState, data: Mapping[str, Any]) -> CaseState:
    need = _text(data, "identity")
    if need == "required" and state.identity == "not_required":
        return replace(state, identity="pending_dpo_decision")
    if need == "not_required":
        return replace(state, identity="not_required")
    return state


def _case_opened(state: CaseState, data: Mapping[str, Any]) -> CaseState:
    if state.state in FINISHED:
        return state
    opened = replace(
        state, rights=_rights(data), language=_text(data, "language"), channel=_text(data, "channel"), state="to_sort"
    )
    return _working(_identity_need(opened, data))


def _identity(state: CaseState, name: IdentityName, data: Mapping[str, Any]) -> CaseState:
    if state.state in FINISHED:
        return state
    return _rearranged(replace(state, identity=name, reason=_text(data, "reason") or state.reason))


def _identity_received(state: CaseState, data: Mapping[str, Any]) -> CaseState:
    # What comes after identity is settled, or where none is needed, settles nothing anew.
    return _identity(state, "received", data) if state.identity in UNSETTLED else state


def _identity_insufficient(state: CaseState, data: Mapping[str, Any]) -> CaseState:
    return _identity(state, "rejected", data) if state.identity in UNSETTLED else state


def _rights_changed(state: CaseState, data: Mapping[str, Any]) -> CaseState:
    if state.state in FINISHED - {"not_request"}:
        return state
    rights = _rights(data)
    kept = tuple(entry for entry in state.settled if entry.right in rights)
    changed = _identity_need(replace(state, rights=rights, settled=kept), data)
    return changed if state.state in ANSWERED else _working(changed)


def _finished(state: CaseState, name: CaseName, data: Mapping[str, Any]) -> CaseState:
    if state.state in FINISHED:
        return state
    # Nothing leaves from a finished case, so nothing stays approved or proposed in it.
    drafts = tuple(
        replace(draft, state="void") if draft.state in ("proposed", "approved") else draft for draft in state.drafts
    )
    return replace(state, state=name, outcome=_text(data, "outcome"), reason=_text(data, "reason"), drafts=drafts)


def _closed(state: CaseState, data: Mapping[str, Any]) -> CaseState:
    return _finished(state, "withdrawn" if _text(data, "outcome") == "withdrawn" else "closed", data)


def _not_a_request(state: CaseState, data: Mapping[str, Any]) -> CaseState:
    return state if state.state in ANSWERED else _finished(state, "not_request", data)


def _reopened(state: CaseState, data: Mapping[str, Any]) -> CaseState:
    if state.state not in FINISHED | ANSWERED:
        return state
    return _working(replace(state, outcome="", reason=_text(data, "reason"), settled=()))


def _letter_sent(state: CaseState, data: Mapping[str, Any]) -> CaseState:
    kind, message_id = _text(data, "kind"), _text(data, "message_id")
    drafts = list(state.drafts)
    wanted = _text(data, "draft")
    covered: tuple[str, ...] = ()
    for index in reversed(range(len(drafts))):
        draft = drafts[index]
        if draft.state == "approved" and (draft.draft == wanted if wanted else draft.kind == kind):
            drafts[index], covered = replace(draft, state="sent"), draft.rights
            break
    state = replace(state, delivery="sent", drafts=tuple(drafts), sent=(*state.sent, (kind, message_id)))
    verdict = _verdict(kind, data)
    if verdict is None or state.state in FINISHED or state.state == "to_sort":
        return state
    before = {entry.right: entry for entry in state.settled}
    for right in covered or state.rights:
        earlier = before.get(right)
        outcome: CaseName = verdict if earlier is None or earlier.outcome == verdict else "partially_refused"
        before[right] = Settled(right, outcome, message_id)
    state = replace(state, settled=tuple(before.values()))
    if state.open_rights:
        return _working(state)
    outcomes = {entry.outcome for entry in state.settled}
    return replace(state, state=outcomes.pop() if len(outcomes) == 1 else "partially_refused")


def _verdict(kind: str, data: Mapping[str, Any]) -> CaseName | None:
    kinds = kind.split("+")
    if "partial_refusal" in kinds or ("refusal" in kinds and data.get("partial") is True):
        return "partially_refused"
    if "refusal" in kinds or "not_competent" in kinds:
        return "refused"
    return "answered" if "answer" in kinds else None


def _letter_bounced(state: CaseState, data: Mapping[str, Any]) -> CaseState:
    """An answer that did not arrive is no answer (art. 12(3): "provide"): the duty is back, closed or not."""
    wanted = _text(data, "message_id")
    known = [letter for letter in state.sent if letter[1] == wanted] if wanted else list(state.sent[-1:])
    state = replace(state, delivery="bounced")
    if not any(_verdict(kind, {}) for kind, _ in known):
        return state
    lost = {message_id for _, message_id in known}
    state = replace(state, settled=tuple(entry for entry in state.settled if entry.message_id not in lost))
    if state.state in ANSWERED or state.state == "closed":
        return _working(replace(state, outcome=""))
    return _rearranged(state)


def _delivery(name: Delivery) -> Callable[[CaseState, Mapping[str, Any]], CaseState]:
    return lambda state, data: replace(state, delivery=name)  # noqa: ARG005 - every event has the same shape


def _draft_proposed(state: CaseState, data: Mapping[str, Any]) -> CaseState:
    if state.state in FINISHED:
        return state
    name = _text(data, "draft")
    revision = data.get("revision")
    draft = DraftView(name, _text(data, "kind"), revision if isinstance(revision, int) else 1, rights=_rights(data))
    # A new revision of the same draft takes the place of the old one, approved or not; what was sent stays told.
    others = tuple(d for d in state.drafts if d.draft != name or d.state == "sent")
    return replace(state, drafts=(*others, draft))


def _draft_moved(name: DraftName) -> Callable[[CaseState, Mapping[str, Any]], CaseState]:
    def move(state: CaseState, data: Mapping[str, Any]) -> CaseState:
        wanted = _text(data, "draft")
        for index in reversed(range(len(state.drafts))):
            draft = state.drafts[index]
            if name in DRAFT_MOVES[draft.state] and (not wanted or draft.draft == wanted):
                revision = draft.revision
                if name == "proposed":
                    given = data.get("revision")
                    revision = given if isinstance(given, int) else revision + 1
                sha256 = _text(data, "sha256") if name == "approved" else ""
                moved = replace(draft, state=name, revision=revision, sha256=sha256)
                return replace(state, drafts=(*state.drafts[:index], moved, *state.drafts[index + 1 :]))
        return state

    return move


_APPLY: Mapping[str, Callable[[CaseState, Mapping[str, Any]], CaseState]] = MappingProxyType(
    {
        "case_opened": _case_opened,
        "identity_doubted": lambda state, data: _identity(state, "pending_dpo_decision", data),
        "identity_requested": lambda state, data: _identity(state, "requested", data),
        "identity_received": _identity_received,
        "identity_insufficient": _identity_insufficient,
        "identity_verified": lambda state, data: _identity(state, "verified", data),
        "identity_waived": lambda state, data: _identity(state, "waived", data),
        "clarification_requested": lambda state, _: replace(state, awaiting_clarification=True),
        "clarification_received": lambda state, _: replace(state, awaiting_clarification=False),
        "draft_proposed": _draft_proposed,
        "draft_edited": _draft_moved("proposed"),
        "draft_approved": _draft_moved("approved"),
        "draft_rejected": _draft_moved("rejected"),
        "draft_voided": _draft_moved("void"),
        "letter_sent": _letter_sent,
        "letter_failed": _delivery("failed"),
        "letter_uncertain": _delivery("uncertain"),
        "letter_bounced": _letter_bounced,
        "extended": lambda state, _: state if state.state in FINISHED else replace(state, extended=True),
        "rights_changed": _rights_changed,
        "not_a_request": _not_a_request,
        "reopened": _reopened,
        "requester_set": lambda state, data: replace(state, language=_text(data, "language") or state.language),
        "taken_charge": lambda state, _: replace(state, taken=True),
        "charge_left": lambda state, _: replace(state, taken=False),
        "held": lambda state, _: replace(state, held=True),
        "released": lambda state, _: replace(state, held=False),
        "closed": _closed,
    }
)
"""Event type -> what it does. ``message_added`` and ``note`` change no state, nor do the types of later versions."""
