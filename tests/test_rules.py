"""The rules on one message: gates, matching, triage and identity, as tables and as properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.gates import GateFacts, Verdict, judge
from handlers.identity import Evidence, assess, looks_like_proof
from handlers.matching import Candidate, Match, match, references_in
from handlers.rights import load_rights
from handlers.triage import Plan, decide
from handlers.types import Arrival, Bounce, IdentityNeed
from nlp.types import LABELS, PRIMARIES, Cue, Reading

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
ARRIVAL = Arrival(
    channel="email", source="imap:x/dpo/INBOX", external_id="1:1", received_at=AT, raw=b"", content_key="k",
    message_id="m@x.example",
    from_addr="camille@courrier.example", subject="Mes données", new_text="Je voudrais une copie de mes données.",
)  # fmt: skip
READING = Reading(
    id="1", language="fr", primary="access", labels=("access",), scores={"access": 0.9}, mission_class="access",
    decision="accept", confidence=0.9,
)  # fmt: skip
NOTHING = replace(READING, primary="not_request", labels=(), scores={"not_request": 0.95}, mission_class="other")
UNSURE = replace(NOTHING, decision="ask_dpo", confidence=0.4)
OWN = frozenset({"dpo@mije.com"})


def facts(arrival: Arrival = ARRIVAL, reading: Reading = READING, **more) -> GateFacts:
    return GateFacts(arrival=arrival, reading=reading, own_addresses=OWN, **more)


# --- gates -----------------------------------------------------------------------------------------------------------

ROBOT = replace(ARRIVAL, is_auto_reply=True, suppress=True, suppress_reasons=("auto-submitted",))


@pytest.mark.parametrize(
    ("given_facts", "expected"),
    [
        pytest.param(facts(), Verdict("judge", True), id="an ordinary request"),
        pytest.param(
            facts(ROBOT),
            Verdict("judge", False, ("auto-submitted",)),
            id="a request with robot headers is still judged",
        ),
        pytest.param(
            facts(ROBOT, NOTHING), Verdict("ignore", False, ("robot", "auto-submitted")), id="an out-of-office reply"
        ),
        *(
            pytest.param(
                facts(replace(ROBOT, suppress_reasons=(reason,)), reading),
                Verdict(way, False, (reason,) if way == "judge" else ("robot", reason)),
                id=f"{reason}, in words only: {what}",
            )
            for reason in ("sounds-automatic", "out-of-office-text", "automatic-text", "acknowledgement-text")
            for what, reading, way in (
                ("a request is judged", READING, "judge"),
                ("what may be a request is judged", replace(NOTHING, scores={"erasure": 0.6}), "judge"),
                ("where the classifier is unsure a person decides", UNSURE, "to_sort"),
                ("a question about a case goes to a person", replace(NOTHING, primary="status_inquiry"), "to_sort"),
                ("where it is sure nothing is asked, it is filed", replace(NOTHING, primary="auto_reply"), "ignore"),
            )
        ),
        pytest.param(
            facts(ROBOT, UNSURE), Verdict("ignore", False, ("robot", "auto-submitted")), id="a robot by its headers"
        ),
        pytest.param(
            facts(ARRIVAL, replace(NOTHING, primary="auto_reply", decision="ask_dpo")),
            Verdict("to_sort", False, ("robot",)),
            id="what only the classifier takes for a robot, unsurely, goes to a person",
        ),
        pytest.param(
            facts(
                replace(ARRIVAL, from_addr="dpo@mije.com", suppress=True, suppress_reasons=("own-mail",)), is_ours=True
            ),
            Verdict("ignore", False, ("own-mail", "own-mail")),
            id="our own mail coming back",
        ),
        pytest.param(
            facts(replace(ARRIVAL, suppress=True, suppress_reasons=("own-mail",))),
            Verdict("judge", False, ("own-mail",)),
            id="a stranger who forges our header is judged all the same",
        ),
        pytest.param(
            facts(replace(ARRIVAL, is_bounce=True, bounce=Bounce("a@b.example", "5.1.1", "hard", "x@mije.com"))),
            Verdict("bounce", False, ("delivery-report",)),
            id="a delivery report",
        ),
        pytest.param(
            facts(reading=replace(NOTHING, primary="authority")),
            Verdict("authority", False, ("authority",)),
            id="an authority",
        ),
        *(
            pytest.param(
                facts(replace(ARRIVAL, is_list=True, suppress=True, suppress_reasons=reasons), reading),
                Verdict(way, False, reasons if way == "judge" else ("list", *reasons)),
                id=what,
            )
            for what, reasons, reading, way in (
                ("a request sent over a list", ("list-id",), READING, "judge"),
                ("a request to everybody is not one to us", ("list-id", "bulk-text"), READING, "to_sort"),
                ("bulk of which nobody is sure", ("list-id", "bulk-text"), UNSURE, "to_sort"),
                ("bulk that surely asks nothing", ("list-id", "bulk-text"), NOTHING, "ignore"),
            )
        ),
        pytest.param(
            facts(replace(ARRIVAL, is_list=True, suppress=True, suppress_reasons=("list-id",)), NOTHING),
            Verdict("ignore", False, ("list", "list-id")),
            id="a newsletter",
        ),
        pytest.param(
            facts(replace(ARRIVAL, new_text=" ", subject="")),
            Verdict("to_sort", False, ("unreadable",)),
            id="an empty mail",
        ),
        pytest.param(facts(too_large=True), Verdict("to_sort", False, ("unreadable",)), id="fetched only in part"),
        pytest.param(
            facts(replace(ARRIVAL, from_addr="")), Verdict("to_sort", False, ("unreadable",)), id="nobody to answer"
        ),
        pytest.param(
            facts(recent_from_sender=20), Verdict("judge", False, ("sender-budget",)), id="the twentieth in an hour"
        ),
    ],
)
def test_gates(given_facts, expected):
    assert judge(given_facts) == expected


# --- matching --------------------------------------------------------------------------------------------------------

candidates = st.builds(
    Candidate,
    st.sampled_from(["DSR-2026-0001", "DSR-2026-0002", "DSR-2026-0003"]),
    st.sampled_from(["token", "reference", "sender"]),
    same_sender=st.booleans(),
    open=st.booleans(),
)


@given(st.lists(candidates, max_size=6), st.booleans())
def test_a_message_never_joins_somebody_elses_case(found, continues):
    result = match(found, continues=continues)
    if result.reference is not None and not result.stranger:
        assert any(c.reference == result.reference and c.same_sender for c in found)
    pointing = [c for c in found if c.by in ("token", "reference")]
    assert result.stranger == (bool(pointing) and not any(c.same_sender for c in pointing))


def test_the_signed_token_goes_before_the_reference_and_the_reference_before_the_sender():
    found = [
        Candidate("DSR-2026-0003", "sender", same_sender=True, open=True),
        Candidate("DSR-2026-0002", "reference", same_sender=True, open=True),
        Candidate("DSR-2026-0001", "token", same_sender=True, open=True),
    ]
    assert match(found, continues=True) == Match("DSR-2026-0001", "token")
    assert match(found[:2], continues=True) == Match("DSR-2026-0002", "reference")
    assert match(found[:1], continues=True) == Match("DSR-2026-0003", "sender")
    assert match(found[:1], continues=False) == Match(None)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("Re: dossier DSR-2026-0042",), ("DSR-2026-0042",)),
        (("dsr-2026-0042 et DSR-2026-0042, DSR-2025-00017",), ("DSR-2026-0042", "DSR-2025-00017")),
        (("XDSR-2026-0042 DSR-26-42 DSR-2026-00421234",), ()),
    ],
)
def test_references_in_a_text(texts, expected):
    assert references_in(*texts, prefix="DSR") == expected


# --- triage ----------------------------------------------------------------------------------------------------------

JUDGE = Verdict("judge", True)


@pytest.mark.parametrize(
    ("reading", "found", "more", "expected"),
    [
        pytest.param(
            READING, Match(None), {}, Plan("open", "request", rights=("access",)), id="a request opens a case"
        ),
        pytest.param(
            replace(READING, decision="ask_dpo"),
            Match(None),
            {},
            Plan("to_sort", "unsure", rights=("access",)),
            id="doubt goes to a person",
        ),
        pytest.param(NOTHING, Match(None), {}, Plan("ignore", "not_request"), id="clearly no request"),
        pytest.param(
            replace(NOTHING, primary="reminder"),
            Match(None),
            {},
            Plan("to_sort", "no-case-found", urgent=True),
            id="a reminder of nothing known",
        ),
        pytest.param(
            READING,
            Match(None),
            {"twin": "DSR-2026-0001"},
            Plan("add", "repeat", "DSR-2026-0001"),
            id="the same request again",
        ),
        pytest.param(
            READING,
            Match("DSR-2026-0001", "token", stranger=True),
            {},
            Plan("quarantine", "stranger-in-thread", urgent=True),
            id="a stranger",
        ),
        pytest.param(
            replace(READING, primary="erasure", labels=("erasure",)),
            Match("DSR-2026-0001", "token"),
            {"case_rights": ("access",)},
            Plan("open", "new-request-in-thread", "DSR-2026-0001", ("erasure",)),
            id="a second right in the same thread has a month of its own",
        ),
        pytest.param(
            replace(READING, primary="breach_report", labels=("breach_report",)),
            Match("DSR-2026-0001", "token"),
            {"case_rights": ("access",), "proves": True},
            Plan("add", "proof-in-thread", "DSR-2026-0001"),
            id="the facts of a stay that were asked for, whatever else the text resembles",
        ),
        pytest.param(
            replace(
                READING, primary="erasure", labels=("erasure",), cues=(Cue("erasure", "erase", 0, 5, "erasure-en-1"),)
            ),
            Match("DSR-2026-0001", "token"),
            {"case_rights": ("access",), "proves": True},
            Plan("open", "new-request-in-thread", "DSR-2026-0001", ("erasure",)),
            id="proof, and another right in so many words",
        ),
        pytest.param(
            replace(NOTHING, primary="status_inquiry"),
            Match("DSR-2026-0001", "reference"),
            {"case_rights": ("access",)},
            Plan("add", "matched-by-reference", "DSR-2026-0001"),
            id="a question about the case",
        ),
    ],
)
def test_triage(reading, found, more, expected):
    assert decide(JUDGE, reading, found, **more) == expected


readings = st.builds(
    lambda primary, labels, decision: replace(READING, primary=primary, labels=tuple(labels), decision=decision),
    st.sampled_from(PRIMARIES),
    st.lists(st.sampled_from(LABELS), unique=True, max_size=3),
    st.sampled_from(["accept", "ask_dpo"]),
)


@given(readings, st.booleans())
def test_what_may_be_a_request_is_never_just_filed(reading, doubted):
    reading = replace(reading, decision="ask_dpo") if doubted else reading
    plan = decide(JUDGE, reading, Match(None))
    if reading.decision == "ask_dpo":
        assert plan.action == "to_sort"
    if reading.primary in LABELS or reading.labels:
        assert plan.action != "ignore"


# --- identity --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("right", ["objection", "consent_withdrawal", "complaint", "breach_report"])
def test_these_rights_never_ask_for_identity(right):
    level = load_rights()[right].identity_level
    assert assess(Evidence(levels=(level,), authentication_failed=True, reply_to_differs=True)) == IdentityNeed(0)


def test_a_copy_of_a_document_is_never_the_only_means():
    for right in load_rights().values():
        need = assess(Evidence(levels=(right.identity_level,)))
        assert need.means == () or set(need.means) - {"masked_document"}


@pytest.mark.parametrize(
    ("name", "kind", "requested", "announced", "expected"),
    [
        ("cni_recto.jpg", "image/jpeg", False, False, True),
        ("photo.jpg", "image/jpeg", True, False, True),
        ("photo.jpg", "image/jpeg", False, True, True),
        ("photo.jpg", "image/jpeg", False, False, False),
        (
            "passeport.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            True,
            True,
            False,
        ),
    ],
)
def test_what_counts_as_an_identity_document(name, kind, requested, announced, expected):
    assert looks_like_proof(name, kind, requested=requested, announced=announced) is expected


# --- rights ----------------------------------------------------------------------------------------------------------


def test_every_label_has_its_right_and_every_right_its_words():
    rights = load_rights()
    assert set(rights) == {*LABELS, "unclear"}
    for right in rights.values():
        assert set(right.titles) == {"fr", "en"}
