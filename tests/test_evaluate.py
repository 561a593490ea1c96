"""The evaluation report: figures with and without debatable readings, confusions, the curve, the cost of asking."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands.evaluate import commit_of, evaluate
from nlp.corpus import CORPUS, check, example
from nlp.evaluate import Pair, calibration_error, measure, table, worst, write
from nlp.report import asking, confusion, curve_lines, curve_svg, reliability, voice_kind
from nlp.types import PRIMARIES, Decision, Reading


def row(number: int, primary: str, **more: Any) -> dict[str, Any]:
    labels = [primary] if primary in ("access", "erasure", "objection") else []
    return {
        "id": f"r{number}", "voice": f"v{number}", "language": "fr", "body": "Effacez tout.", "primary": primary,
        "labels": labels, "cues": dict.fromkeys(labels, "Effacez"), **more,
    }  # fmt: skip


def pair(number: int, primary: str, read: str, confidence: float, *, asked: bool = False, **more: Any) -> Pair:
    decision: Decision = "ask_dpo" if asked else "accept"
    mission = read if read in ("access", "erasure", "objection") else "other"
    labels = (read,) if mission != "other" else ()
    reading = Reading(f"r{number}", "fr", read, labels, {}, mission, decision, confidence)
    return example(row(number, primary, **more), "test"), reading


PAIRS = [
    pair(1, "access", "access", 0.95),
    pair(2, "access", "erasure", 0.55, asked=True),
    pair(3, "erasure", "not_request", 0.91, debatable=["not_request"]),
    pair(4, "access", "erasure", 0.92, trap="wrong article"),
    pair(5, "not_request", "not_request", 0.52, asked=True),
    pair(6, "erasure", "erasure", 0.97, flags={"minor": True}),
]


def test_the_figures_strict_and_with_debatable_readings():
    figures = measure(PAIRS)
    assert {name: figures[name] for name in ("primary_accuracy", "primary_accuracy_debatable", "debatable")} == {
        "primary_accuracy": 0.5, "primary_accuracy_debatable": 0.6667, "debatable": 1,
    }  # fmt: skip
    assert (figures["mission_accuracy"], figures["mission_accuracy_debatable"]) == (0.5, 0.6667)
    assert figures["confusion"] == [
        {"is": "access", "read_as": "erasure", "messages": 2},
        {"is": "erasure", "read_as": "not_request", "messages": 1},
    ]
    assert figures["asking"] == {
        "asked": 2, "asked_share": 0.3333, "asked_and_would_be_wrong": 1, "asked_needlessly": 1, "unasked": 4,
        "unasked_and_wrong": 2, "errors_caught_share": 0.3333,
    }  # fmt: skip
    assert figures["reliability"] == [
        {"from": 0.5, "to": 0.6, "messages": 2, "confidence": 0.535, "right": 0.5},
        {"from": 0.9, "to": 1.0, "messages": 4, "confidence": 0.9375, "right": 0.5},
    ]
    assert {kind: sorted(groups) for kind, groups in figures["by"].items()} == {
        "label": ["access", "erasure", "not_request"], "language": ["fr"], "length": ["1 up to 60"],
        "channel": ["email"], "voice": ["minor", "plain"], "trap": ["plain", "trap"], "kind of trap": ["wrong article"],
    }  # fmt: skip
    # A request lost comes first, then the surer of the errors; what was asked about weighs least.
    assert [one.message.id for one, _ in worst(PAIRS)] == figures["worst"] == ["r3", "r4", "r2"]


def test_the_report_reads_as_text():
    lines = table(measure(PAIRS)).splitlines()
    assert "primary, debatable readings 0.667" in lines
    assert "   2  access read as erasure" in lines
    assert "asked of the DPO 2 (0.333): 1 would have been wrong, 1 would have been right" in lines
    assert lines[-2:] == [
        "0.5 to 0.6     2  0.535  0.500  " + "#" * 20 + " |",
        "0.9 to 1.0     4  0.938  0.500  " + "#" * 20 + " " * 18 + "|",
    ]


def test_nothing_read_is_no_error():
    assert (asking([]), confusion([]), reliability([]), curve_lines([])[1:]) == (
        {
            "asked": 0, "asked_share": 0.0, "asked_and_would_be_wrong": 0, "asked_needlessly": 0, "unasked": 0,
            "unasked_and_wrong": 0, "errors_caught_share": 0.0,
        }, [], [], [],
    )  # fmt: skip
    assert table(measure([])).startswith("messages 0")
    ElementTree.fromstring(curve_svg([], title="<nothing> & more"))


@pytest.mark.parametrize(
    ("debatable", "faults"),
    [
        (["erasure"], []),
        ([], []),
        ("erasure", ["debatable must be a list of primaries"]),
        (["delete"], ["debatable must be a list of primaries"]),
        (["access"], ["debatable names the primary itself, or one twice"]),
        (["erasure", "erasure"], ["debatable names the primary itself, or one twice"]),
    ],
)
def test_debatable_readings_are_checked(debatable, faults):
    assert check(row(1, "access", debatable=debatable)) == faults


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"flags": {"third_party": True, "third_party_kind": "minor_child", "minor": True}}, "for a child"),
        ({"flags": {"third_party": True, "third_party_kind": "mandate"}}, "for a client"),
        ({"flags": {"employee": True, "urgent_tone": True}}, "staff"),
        ({"flags": {"urgent_tone": True}}, "upset"),
        ({"channel": "telegram"}, "chat"),
        ({}, "plain"),
    ],
)
def test_the_kind_of_voice_is_read_off_the_labels(more, kind):
    assert voice_kind(example(row(1, "access", **more), "test")) == kind


@settings(max_examples=80)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.booleans(), st.sampled_from(PRIMARIES), st.sampled_from(PRIMARIES)), max_size=40
    )
)
def test_the_curve_counts_every_message_once_and_gives_the_error(found):
    confidences = [(confidence, right) for confidence, right, _, _ in found]
    curve = reliability(confidences)
    assert sum(one["messages"] for one in curve) == len(found)
    weighted = sum(abs(one["confidence"] - one["right"]) * one["messages"] for one in curve) / max(1, len(found))
    assert calibration_error(confidences) == pytest.approx(weighted, abs=2e-4)
    pairs = [pair(n, is_, read, c, asked=asked) for n, (c, asked, is_, read) in enumerate(found)]
    cost = asking(pairs)
    assert cost["asked"] + cost["unasked"] == len(found)
    assert cost["asked_and_would_be_wrong"] + cost["unasked_and_wrong"] == sum(i != r for _, _, i, r in found)


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def corpus(tmp_path) -> Path:
    """Thirty messages of the frozen part."""
    folder = tmp_path / "corpus"
    (folder / "test").mkdir(parents=True)
    lines = [line for path in sorted((CORPUS / "test").glob("*.jsonl")) for line in path.open(encoding="utf-8")]
    (folder / "test" / "few.jsonl").write_text("".join(lines[::6][:30]), encoding="utf-8")
    return folder


def test_the_report_is_kept_with_the_commit_and_texts_are_shown_only_when_asked_for(corpus, tmp_path, capsys):
    kept, picture = tmp_path / "metrics.json", tmp_path / "curve.html"

    assert evaluate(split="test", corpus=corpus, metrics=kept, curve=picture) == 0
    plain = capsys.readouterr().out
    assert evaluate(split="test", corpus=corpus, metrics=kept, show=True) == 0
    shown = capsys.readouterr().out

    written = json.loads(kept.read_text(encoding="utf-8"))
    assert (sorted(written), written["test"]["messages"]) == (["commit", "test", "training"], 30)
    assert written["commit"] == commit_of(CORPUS)
    assert ("how far confidence can be believed" in plain, "worst errors" in plain, "    | " in plain) == (
        True,
        True,
        False,
    )
    assert "    | " in shown
    page = picture.read_text(encoding="utf-8")
    root = ElementTree.fromstring(page[page.index("<svg") :])
    dots = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(dots) == len(written["test"]["reliability"])


def test_another_model_is_measured_without_being_written_down(corpus, tmp_path, capsys):
    kept = tmp_path / "metrics.json"
    assert evaluate(split="test", model=tmp_path / "none", corpus=corpus, metrics=kept) == 2
    assert "no usable calibration" in capsys.readouterr().err
    assert not kept.exists()


def test_the_commit_is_that_of_the_checkout(tmp_path):
    assert commit_of(tmp_path) == ""
    for command in (
        ["init", "-q"],
        ["-c", "user.name=x", "-c", "user.email=x@x.example", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", "-C", tmp_path, *command], check=True)
    head = subprocess.run(["git", "-C", tmp_path, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    found = commit_of(tmp_path)
    assert (len(found) >= 7, head.stdout.startswith(found)) == (True, True)


def test_the_file_of_figures_keeps_its_shape(tmp_path):
    path = tmp_path / "metrics.json"
    write(measure(PAIRS), None, path, commit="abc1234")
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert (kept["commit"], kept["test"]) == ("abc1234", json.loads(json.dumps(measure(PAIRS))))
