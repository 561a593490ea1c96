"""Case states and allowed moves: single journeys, then any walk through the tables."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.lifecycle import (
    ACTIONS,
    ALLOWED,
    ANSWERED,
    DRAFT_MOVES,
    FINISHED,
    IDENTITY_STATES,
    MOVES,
    REASONS,
    STATES,
    UNSETTLED,
    CaseState,
    DraftView,
    Settled,
    after,
    may,
    may_approve,
    state_of,
)
from handlers.types import Fact


def opened(*rights: str, identity: str = "not_required") -> Fact:
    data = {"rights": list(rights), "language": "fr", "channel": "email", "identity": identity, "reason": ""}
    return Fact("case_opened", data)


ASKED = Fact("identity_requested")
GOT = Fact("identity_received")
VERIFIED = Fact("identity_verified", {"method": "document"})
PROPOSED = Fact("draft_proposed", {"draft": "D1", "kind": "answer", "revision": 1})
APPROVED = Fact("draft_approved", {"draft": "D1", "kind": "answer", "sha256": "ab"})
SENT = Fact("letter_sent", {"kind": "answer", "message_id": "m1"})
CLOSED = Fact("closed", {"outcome": "done", "reason": ""})


def test_a_request_from_receipt_to_closing():
    journal = [opened("access", identity="required"), ASKED, Fact("message_added"), GOT, VERIFIED, PROPOSED, APPROVED]
    journal += [SENT, CLOSED]

    states = [(state_of(journal[:n]).state, state_of(journal[:n]).identity) for n in range(1, len(journal) + 1)]

    assert states == [
        ("received", "pending_dpo_decision"),
        ("awaiting_identity", "requested"),
        ("awaiting_identity", "requested"),
        ("awaiting_identity", "received"),
        ("open", "verified"),
        ("open", "verified"),
        ("open", "verified"),
        ("answered", "verified"),
        ("closed", "verified"),
    ]
    assert state_of(journal) == CaseState(
        state="closed",
        identity="verified",
        rights=("access",),
        language="fr",
        channel="email",
        delivery="sent",
        outcome="done",
        drafts=(DraftView("D1", "answer", 1, "sent", "ab"),),
        sent=(("answer", "m1"),),
        settled=(Settled("access", "answered", "m1"),),
    )


def part(draft: str, *rights: str, kind: str = "answer") -> list[Fact]:
    """A letter that answers a part of the message, from its draft to its departure."""
    proposed = Fact("draft_proposed", {"draft": draft, "kind": kind, "revision": 1, "rights": list(rights)})
    sent = Fact("letter_sent", {"kind": kind, "message_id": f"m-{draft}", "draft": draft})
    return [proposed, Fact("draft_approved", {"draft": draft, "kind": kind, "sha256": "ab"}), sent]


def test_each_right_has_its_own_outcome_and_the_case_is_answered_once_all_have_one():
    """Art. 21(3): the objection is answered while proof for the access is awaited."""
    journal = [opened("access", "objection", identity="required"), ASKED]
    assert state_of(journal).ready_rights == ("objection",)
    journal += part("D1", "objection")
    half = state_of(journal)
    assert (half.state, half.identity, half.open_rights, half.ready_rights) == (
        "awaiting_identity", "requested", ("access",), (),
    )  # fmt: skip
    assert may_approve(half, "answer", rights=("access",)) == (False, "identity-requested")
    assert may_approve(half, "answer", rights=("objection",)) == (False, "answered-already")
    journal += [GOT, VERIFIED]
    assert state_of(journal).ready_rights == ("access",)
    journal += part("D2", "access", kind="refusal")
    whole = state_of(journal)
    assert (whole.state, whole.open_rights) == ("partially_refused", ())
    assert whole.settled == (Settled("objection", "answered", "m-D1"), Settled("access", "refused", "m-D2"))
    lost = state_of([*journal, Fact("letter_bounced", {"message_id": "m-D1"})])
    assert (lost.state, lost.open_rights) == ("open", ("objection",))


def test_a_part_that_needs_no_proof_may_leave_while_the_rest_waits_and_only_that_part():
    state = state_of([opened("access", "complaint", "objection", identity="required"), ASKED])
    assert may_approve(state, "answer", rights=("complaint", "objection")) == (True, "")
    assert may_approve(state, "answer", rights=("complaint", "access")) == (False, "identity-requested")
    assert may_approve(state, "answer") == (False, "identity-requested")
    waiting = state_of([opened("access", "objection", identity="required"), ASKED, part("D1", "objection")[0]])
    assert waiting.ready_rights == ()


REFUSAL = Fact("letter_sent", {"kind": "refusal"})
JOURNEYS = {
    "nothing yet": ([], "to_sort", "not_required"),
    "an item to sort": ([opened()], "to_sort", "not_required"),
    "sorted": ([opened(), Fact("rights_changed", {"rights": ["erasure"]})], "open", "not_required"),
    "sorted, identity in doubt": (
        [opened(), Fact("rights_changed", {"rights": ["erasure"], "identity": "required"})],
        "received", "pending_dpo_decision"),
    "no identity needed": ([opened("complaint")], "open", "not_required"),
    "insufficient": (
        [opened("access", identity="required"), ASKED, GOT, Fact("identity_insufficient", {"reason": "unreadable"})],
        "awaiting_identity", "rejected"),
    "asked again": (
        [opened("access", identity="required"), ASKED, GOT, Fact("identity_insufficient"), ASKED],
        "awaiting_identity", "requested"),
    "waived": ([opened("access", identity="required"), Fact("identity_waived", {"reason": "seen"})], "open", "waived"),
    "proof sent unasked": ([opened("access", identity="required"), GOT], "awaiting_identity", "received"),
    "proof after verification": ([opened("access", identity="required"), ASKED, VERIFIED, GOT], "open", "verified"),
    "another address: asked anew": (
        [opened("access", identity="required"), ASKED, VERIFIED, ASKED], "awaiting_identity", "requested"),
    "relabelled as an objection to marketing": (
        [opened("access", identity="required"), ASKED,
         Fact("rights_changed", {"rights": ["objection"], "identity": "not_required"})],
        "open", "not_required"),
    "refused": ([opened("erasure"), REFUSAL], "refused", "not_required"),
    "partially refused": (
        [opened("erasure"), Fact("letter_sent", {"kind": "refusal", "partial": True})],
        "partially_refused", "not_required"),
    "one right granted, one refused": (
        [opened("access", "erasure"), SENT, REFUSAL], "partially_refused", "not_required"),
    "opened again after closing": ([opened("access"), CLOSED, opened("erasure")], "closed", "not_required"),
    "only acknowledged": (
        [opened("access"), Fact("letter_sent", {"kind": "acknowledgement+identity_request"})], "open", "not_required"),
    "answer bounced": (
        [opened("access"), SENT, Fact("letter_bounced", {"message_id": "m1"})], "open", "not_required"),
    "answer bounced after closing": ([opened("access"), SENT, CLOSED, Fact("letter_bounced")], "open", "not_required"),
    "acknowledgement bounced late": (
        [opened("access"), Fact("letter_sent", {"kind": "acknowledgement", "message_id": "m0"}), SENT,
         Fact("letter_bounced", {"message_id": "m0"})],
        "answered", "not_required"),
    "not a request": ([opened("access"), Fact("not_a_request", {"reason": "survey"})], "not_request", "not_required"),
    "not a request after all": (
        [opened("access"), Fact("not_a_request"), Fact("rights_changed", {"rights": ["access"]})],
        "open", "not_required"),
    "withdrawn": ([opened("access"), Fact("closed", {"outcome": "withdrawn"})], "withdrawn", "not_required"),
    "reopened": (
        [opened("access", identity="required"), ASKED, CLOSED, Fact("reopened")], "awaiting_identity", "requested"),
    "a letter after closing": ([opened("access"), CLOSED, SENT], "closed", "not_required"),
    "identity after closing": (
        [opened("access", identity="required"), CLOSED, VERIFIED], "closed", "pending_dpo_decision"),
    "an answer cannot become no request": ([opened("access"), SENT, Fact("not_a_request")], "answered", "not_required"),
}  # fmt: skip


@pytest.mark.parametrize("journey", JOURNEYS)
def test_journeys(journey):
    journal, state, identity = JOURNEYS[journey]

    result = state_of(journal)

    assert (result.state, result.identity) == (state, identity)


def test_unknown_events_change_nothing():
    journal = [opened("access"), ASKED]

    assert state_of(
        [*journal, Fact("from_a_later_version", {"x": 1}), Fact("note"), Fact("message_added")]
    ) == state_of(journal)


def test_small_facts_are_kept():
    journal = [
        opened("access"),
        Fact("clarification_requested"),
        Fact("extended", {"reason": "complex"}),
        Fact("taken_charge"),
        Fact("requester_set", {"language": "en"}),
        Fact("letter_uncertain"),
    ]

    assert state_of(journal) == CaseState(
        state="open",
        rights=("access",),
        language="en",
        channel="email",
        extended=True,
        awaiting_clarification=True,
        taken=True,
        delivery="uncertain",
    )
    assert not state_of([*journal, Fact("clarification_received")]).awaiting_clarification
    assert state_of([*journal, Fact("letter_failed")]).delivery == "failed"


# --- drafts ----------------------------------------------------------------------------------------------------------

EDITED = Fact("draft_edited", {"draft": "D1"})
DRAFTS = {
    "proposed": ([PROPOSED], (1, "proposed", "")),
    "approved": ([PROPOSED, APPROVED], (1, "approved", "ab")),
    "edited": ([PROPOSED, EDITED], (2, "proposed", "")),
    "an edit takes the approval back": ([PROPOSED, APPROVED, EDITED], (2, "proposed", "")),
    "edited with its number": (
        [PROPOSED, Fact("draft_edited", {"draft": "D1", "revision": 5})], (5, "proposed", "")),
    "rejected": ([PROPOSED, Fact("draft_rejected", {"reason": "tone"})], (1, "rejected", "")),
    "rejected, then approved by a late tap": ([PROPOSED, Fact("draft_rejected"), APPROVED], (1, "rejected", "")),
    "voided by a new message": ([PROPOSED, APPROVED, Fact("draft_voided")], (1, "void", "")),
    "voided, then approved by a late tap": ([PROPOSED, Fact("draft_voided"), APPROVED], (1, "void", "")),
    "made again": (
        [PROPOSED, APPROVED, Fact("draft_proposed", {"draft": "D1", "kind": "answer", "revision": 2})],
        (2, "proposed", "")),
    "sent": ([PROPOSED, APPROVED, SENT], (1, "sent", "ab")),
    "edited after it left": ([PROPOSED, APPROVED, SENT, EDITED], (1, "sent", "ab")),
    "closed": ([PROPOSED, APPROVED, CLOSED], (1, "void", "ab")),
}  # fmt: skip


@pytest.mark.parametrize("what", DRAFTS)
def test_drafts(what):
    journal, expected = DRAFTS[what]

    drafts = state_of([opened("access"), *journal]).drafts

    assert [(d.draft, d.kind) for d in drafts] == [("D1", "answer")]
    assert [(d.revision, d.state, d.sha256) for d in drafts] == [expected]


def test_a_letter_of_another_kind_leaves_the_approved_answer_waiting():
    journal = [opened("access"), PROPOSED, APPROVED, Fact("letter_sent", {"kind": "status", "message_id": "m2"})]

    assert state_of(journal).approved
    assert not state_of([*journal, SENT]).approved


# --- what may be done ------------------------------------------------------------------------------------------------


def test_the_tables_speak_of_every_state():
    assert set(ALLOWED) == set(MOVES) == set(STATES)
    assert set(ACTIONS) == {
        "approve", "edit", "reject", "make_draft", "change_right", "not_a_request", "request_identity",
        "identity_verified", "identity_insufficient", "identity_waived", "extend", "refuse", "close", "reopen", "note",
        "take_charge", "leave_charge", "identity_in_person", "refuse_partially", "ask_requester", "split", "merge",
        "unmerge", "set_subject", "set_about", "set_address", "hold", "release", "erase_case",
        "set_received", "ask_fee", "tell_recipients", "lift_restriction", "choose_activities", "send_code", "check_document",
        "task", "data_obtained",
    }  # fmt: skip


def test_what_is_finished_admits_only_a_note_a_hold_erasing_or_a_way_back():
    assert {state: ALLOWED[state] for state in FINISHED} == {
        "closed": {"reopen", "note", "hold", "release", "unmerge", "erase_case", "task"},
        "withdrawn": {"reopen", "note", "hold", "release", "erase_case"},
        "not_request": {"reopen", "note", "hold", "release", "erase_case", "change_right"},
    }


def test_a_period_is_extended_once():
    case = state_of([opened("access")])

    assert (may("open", "extend"), may(case, "extend")) == (True, True)
    assert may(after(case, Fact("extended")), "extend") is False


@pytest.mark.parametrize("identity", sorted(IDENTITY_STATES))
def test_an_answer_waits_for_identity_unless_overridden_with_a_reason(identity):
    case = CaseState(state="open", identity=identity, rights=("access",))
    unsettled = identity in ("requested", "received", "rejected", "pending_dpo_decision")
    refused = (False, f"identity-{identity}") if unsettled else (True, "")

    assert may_approve(case, "answer") == refused
    assert may_approve(case, "partial_refusal") == refused
    assert may_approve(case, "refusal") == refused
    assert may_approve(case, "answer", override_reason="  ") == refused
    assert may_approve(case, "answer", override_reason="seen in person") == (True, "")
    assert may_approve(case, "notice") == (True, "")
    assert may_approve(case, "acknowledgement+identity_request") == (True, "")


def test_what_else_stops_a_letter():
    def case(state):
        return CaseState(state=state, rights=("access",))

    assert may_approve(case("closed"), "status") == (False, "case-finished")
    assert may_approve(case("to_sort"), "answer") == (False, "not-sorted")
    assert may_approve(case("to_sort"), "acknowledgement") == (True, "")
    assert may_approve(case("answered"), "answer") == (False, "answered-already")
    assert may_approve(case("answered"), "closing") == (True, "")
    assert may_approve(replace(case("open"), extended=True), "extension") == (False, "extended-already")
    assert may_approve(case("open"), "extension") == (True, "")


def test_every_reason_has_a_sentence_in_both_languages():
    cases = [CaseState(s, i, ("access",), extended=True) for s in STATES for i in IDENTITY_STATES]
    codes = {may_approve(case, kind)[1] for case in cases for kind in ("answer", "refusal", "extension", "status")}

    assert codes - {""} == set(REASONS)
    assert [code for code, words in REASONS.items() if set(words) != {"en", "fr"}] == []


# --- any walk --------------------------------------------------------------------------------------------------------

LETTERS = ("answer", "refusal", "partial_refusal", "extension", "status", "closing", "acknowledgement")


def outcomes(action: str, draw, known: list[str], fresh: str) -> list[Fact]:
    """What the desk writes to the journal for an action; a new draft has a number of its own."""
    draft = draw(st.sampled_from([*known, "D-unknown"]))
    right = draw(st.sampled_from(["access", "erasure", "objection"]))
    need = draw(st.sampled_from(["required", "not_required"]))
    return {
        "approve": [Fact("draft_approved", {"draft": draft, "sha256": "ab"})],
        "edit": [Fact("draft_edited", {"draft": draft})],
        "reject": [Fact("draft_rejected", {"draft": draft, "reason": "tone"})],
        "make_draft": [Fact("draft_proposed", {"draft": fresh, "kind": draw(st.sampled_from(LETTERS)), "revision": 1})],
        "refuse": [Fact("draft_proposed", {"draft": fresh, "kind": "refusal", "revision": 1})],
        "change_right": [Fact("rights_changed", {"rights": [right], "identity": need})],
        "not_a_request": [Fact("not_a_request", {"reason": "survey"})],
        "identity_verified": [VERIFIED],
        "identity_insufficient": [Fact("identity_insufficient", {"reason": "unreadable"}), ASKED],
        "identity_waived": [Fact("identity_waived", {"reason": "seen"})],
        "request_identity": [ASKED],
        "extend": [Fact("extended", {"reason": "complex"})],
        "close": [Fact("closed", {"outcome": draw(st.sampled_from(["done", "withdrawn"])), "reason": ""})],
        "reopen": [Fact("reopened")],
        "note": [Fact("note")],
        "take_charge": [Fact("taken_charge")],
        "leave_charge": [Fact("charge_left")],
        "identity_in_person": [VERIFIED],
        "refuse_partially": [Fact("draft_proposed", {"draft": fresh, "kind": "partial_refusal", "revision": 1})],
        "ask_requester": [Fact("draft_proposed", {"draft": fresh, "kind": "information_request", "revision": 1})],
        "split": [Fact("split"), Fact("rights_changed", {"rights": [right]})],
        "merge": [Fact("merged"), Fact("closed", {"outcome": "merged"})],
        "unmerge": [Fact("unmerged"), Fact("reopened")],
        "set_subject": [Fact("subject_set")],
        "set_about": [Fact("subject_set")],
        "set_address": [Fact("requester_set")],
        "hold": [Fact("held")],
        "release": [Fact("released")],
        "erase_case": [Fact("case_erased")],
        "set_received": [Fact("received_set")],
        "ask_fee": [Fact("draft_proposed", {"draft": fresh, "kind": "fee", "revision": 1})],
        "tell_recipients": [Fact("draft_proposed", {"draft": fresh, "kind": "recipient_notice", "revision": 1})],
        "data_obtained": [Fact("data_obtained", {"on": "2026-03-01"})],
        "task": [Fact("task_set", {"task": "erase", "state": "done"})],
        "lift_restriction": [Fact("draft_proposed", {"draft": fresh, "kind": "lifting", "revision": 1})],
        "choose_activities": [Fact("activities_chosen")],
        "send_code": [Fact("code_sent")],
        "check_document": [Fact("document_compared")],
    }[action]


FROM_OUTSIDE = ("message_added", "identity_received", "clarification_received", "letter_bounced", "letter_failed")


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_walk_of_allowed_moves_stays_in_the_tables_and_keeps_the_promises(data):
    journal = [opened(*data.draw(st.sampled_from([(), ("access",), ("objection",)])), identity="required")]
    case = state_of(journal)
    answered_before_identity = False
    for _ in range(data.draw(st.integers(1, 25))):
        before = case
        approved = [d for d in case.drafts if d.state == "approved"]
        step = data.draw(st.sampled_from(["desk", "desk", "desk", "outside", "send"]))
        if step == "outside":
            facts = [Fact(data.draw(st.sampled_from(FROM_OUTSIDE)))]
        elif step == "send":
            draft = approved[0] if approved else None
            # The sender asks once more: identity may have come undone since the approval.
            if draft is None or not may_approve(case, draft.kind)[0]:
                continue
            facts = [Fact("letter_sent", {"kind": draft.kind, "draft": draft.draft, "message_id": str(len(journal))})]
            answered_before_identity |= (
                draft.kind in ("answer", "refusal", "partial_refusal") and case.identity in UNSETTLED
            )
        else:
            action = data.draw(st.sampled_from(sorted(a for a in ACTIONS if may(case, a))))
            if action == "approve" and not all(may_approve(case, d.kind)[0] for d in case.drafts):
                continue
            facts = outcomes(action, data.draw, [d.draft for d in case.drafts], f"D{len(journal)}")
        for fact in facts:
            was = case
            case = after(case, fact)
            journal.append(fact)
            assert case.state == was.state or case.state in MOVES[was.state]
            assert case.state in STATES
            assert case.identity in IDENTITY_STATES
            for old in was.drafts:
                new = next((d for d in case.drafts if d.draft == old.draft and d.kind == old.kind), old)
                assert new.state == old.state or new.state in DRAFT_MOVES[old.state]
        if before.state in FINISHED and before.state != case.state:
            assert facts[-1].type in ("reopened", "rights_changed", "letter_bounced")
        if case.state in FINISHED:
            assert [kind for kind in LETTERS if may_approve(case, kind)[0]] == []
            assert not case.approved
    assert not answered_before_identity
    assert state_of(journal) == case


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
TYPES = st.sampled_from(
    ["case_opened", "identity_requested", "identity_received", "identity_verified", "identity_insufficient",
     "identity_waived", "draft_proposed", "draft_edited", "draft_approved", "draft_rejected", "draft_voided",
     "letter_sent", "letter_failed", "letter_uncertain", "letter_bounced", "extended", "rights_changed",
     "not_a_request", "reopened", "requester_set", "taken_charge", "closed", "clarification_requested", "unheard-of"]
)  # fmt: skip
KEYS = st.sampled_from(
    ["rights", "language", "identity", "reason", "draft", "kind", "revision", "sha256", "outcome", "message_id"]
)


@given(st.lists(st.builds(Fact, TYPES, st.dictionaries(KEYS, ANYTHING, max_size=4)), max_size=15))
@settings(max_examples=150, deadline=None)
def test_no_journal_however_odd_breaks_the_reader(journal):
    case = CaseState()
    for fact in journal:
        was, case = case, after(case, fact)
        if fact.type != "case_opened" or was.state in FINISHED:
            assert case.state == was.state or case.state in MOVES[was.state]
        assert not (case.state in FINISHED and case.approved)
        assert case.state not in ANSWERED or case.sent
