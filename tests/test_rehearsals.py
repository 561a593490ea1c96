"""Every story of ``tests/rehearsals``, played against the whole program; what does not hold yet is listed as known.

``known.toml`` names, story by story, the expectations that fail and why; one that passes again fails the test until it
is taken off the list.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.rehearse import ATTACKS, rehearse
from bot.rehearsal.attachments import attachment
from bot.rehearsal.faults import crash_point, duration
from bot.rehearsal.format import BadScenario, Scenario, load
from bot.rehearsal.keys.base import FAILED
from bot.rehearsal.keys.mails import languages_of
from bot.rehearsal.mails import NotSupported, copies
from bot.rehearsal.placeholders import fill, fill_raw
from bot.rehearsal.player import Result, play
from bot.rehearsal.process import Template
from bot.rehearsal.report import details

FOLDER = Path(__file__).parent / "rehearsals"
FILES = [*sorted(FOLDER.glob("*.jsonl")), ATTACKS]
STORIES = [found for path in FILES if path.exists() for found in load(path)]
KNOWN_FILE = FOLDER / "known.toml"
KNOWN: dict[str, dict[str, str]] = tomllib.loads(KNOWN_FILE.read_text(encoding="utf-8")) if KNOWN_FILE.exists() else {}


@pytest.fixture(scope="session")
def template() -> Iterator[Template]:
    with Template() as made:
        yield made


def test_every_story_can_be_read():
    assert [str(story) for story in STORIES if isinstance(story, BadScenario)] == []


def test_what_is_known_to_fail_names_stories_that_exist():
    assert set(KNOWN) <= {story.id for story in STORIES if isinstance(story, Scenario)}


def failures(result: Result) -> set[str]:
    """The expectations that failed, by their index (0: what holds always)."""
    return {str(j.index) for j in result.judged if j.verdict == FAILED and j.level in ("must", "should")}


@pytest.mark.parametrize("story", [s for s in STORIES if isinstance(s, Scenario)], ids=lambda story: story.id)
def test_story(story, template, tmp_path):
    result = play(story, tmp_path / "world", template)

    assert result.error == ""
    assert failures(result) == set(KNOWN.get(story.id, {})), "\n".join(details(result, kept=True))


# --- what cannot be played is told with its line and the word at fault


def story(**changes) -> dict:
    mail = {
        "headers": {"From": "Ada <ada@courrier.example>", "Subject": "Bonjour"},
        "body": "Bonjour, quels horaires ?",
    }
    step = {"n": 1, "at": "2026-03-02T09:00:00+01:00", "actor": "subject", "action": "email", "payload": mail}
    return {"id": "s", "title": "t", "why": "w", "cases": {}, "steps": [step], "expect": [], **changes}


def step(n: int, action: str = "email", at: str = "2026-03-02T10:00:00+01:00", **payload) -> dict:
    return {"n": n, "at": at, "actor": "subject", "action": action, "payload": payload}


BROKEN = {
    "no JSON": ('{"id": "s", ', "column"),
    "no object": ("[1]", "a JSON object"),
    "no id": (json.dumps(story(id="")), '"id" is missing'),
    "no steps": (json.dumps(story(steps=[])), '"steps" is missing'),
    "no action": (json.dumps(story(steps=[{"n": 1, "at": "2026-03-02T09:00:00+01:00"}])), 'step 1: "action"'),
    "no instant": (json.dumps(story(steps=[step(1, at="lundi")])), "'lundi'"),
    "numbers out of order": (json.dumps(story(steps=[step(2), step(1)])), "step 1 is out of order"),
    "time out of order": (
        json.dumps(story(steps=[step(1), step(2, at="2026-03-01T10:00:00+01:00")])), "step 2 is out of order",
    ),
    "no such mail": (json.dumps(story(steps=[step(1, eml="nowhere.eml")])), '"nowhere.eml"'),
    "unknown handle in a step": (json.dumps(story(steps=[step(1, "dpo_command", intent="approve", case="B")])), '"B"'),
    "unknown handle expected": (json.dumps(story(expect=[{"after_step": 1, "case": "Z"}])), '"Z"'),
    "handle of no step": (json.dumps(story(cases={"A": {"opened_by_step": 9}})), "opened_by_step 9"),
    "expectation of no step": (json.dumps(story(expect=[{"after_step": 7}])), "after_step 7"),
    "unknown level": (json.dumps(story(expect=[{"after_step": 1, "level": "maybe"}])), '"maybe"'),
    "window that begins later": (
        json.dumps(story(steps=[step(1), step(2)], expect=[{"after_step": 1, "since_step": 2}])), "since_step 2",
    ),
    "steps that are no objects": (json.dumps(story(steps=[step(1), 5])), "step 2 is no object"),
    "an action that is no word": (json.dumps(story(steps=[step(1, action=["email"])])), "['email']"),
    "a number of a step that is none": (json.dumps(story(steps=[{**step(1), "n": "1"}])), "\"n\" is '1'"),
    "cases that are a list": (json.dumps(story(cases=["A"])), '"cases" is an object'),
    "expectations that are no list": (json.dumps(story(expect={"after_step": 1})), '"expect" is a list'),
    "an expectation that is no object": (json.dumps(story(expect=["nothing"])), "expectation 1 is no object"),
    "a handle that is no word": (json.dumps(story(expect=[{"case": [["A"]]}])), "['A']"),
    "a step that is true": (json.dumps(story(expect=[{"after_step": True}])), "after_step True"),
    "two at once with a word": (json.dumps(story(steps=[{**step(1), "concurrent_with": ["x"]}])), "step x, which"),
    "two at once with nobody": (
        json.dumps(story(steps=[{**step(1), "concurrent_with": 5}])), "step 5, which does not exist",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_a_broken_story_is_told_with_line_and_word_and_the_others_are_read(tmp_path, case):
    line, word = BROKEN[case]
    path = tmp_path / "stories.jsonl"
    path.write_text(f"{json.dumps(story(id='before'))}\n\n{line}\n{json.dumps(story(id='after'))}\n", encoding="utf-8")

    before, broken, after = load(path)

    assert isinstance(broken, BadScenario)
    assert str(broken).startswith("stories.jsonl:3")
    assert word in str(broken)
    assert isinstance(before, Scenario)
    assert isinstance(after, Scenario)
    assert (before.id, after.id) == ("before", "after")


ODD = st.sampled_from([None, True, -1, 1.5, "", "x", [], {}, [1], {"a": 1}, [None], [[]], "A", 10**30])


@given(data=st.data())
def test_whatever_is_put_into_a_story_it_is_read_or_refused(data, tmp_path_factory):
    """Damage anywhere: the reader says so, or passes over it; it never stops."""
    given_story = story(
        cases={"A": {"opened_by_step": 1}}, expect=[{"after_step": 1, "case": "A", "due": "2026-04-02"}]
    )
    place: Any = given_story
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(ODD)
    path = tmp_path_factory.getbasetemp() / "damaged.jsonl"
    path.write_text(json.dumps(given_story), encoding="utf-8")

    assert [type(found) for found in load(path)] in ([Scenario], [BadScenario])


def test_an_id_used_twice_is_refused_with_the_line_of_the_first(tmp_path):
    path = tmp_path / "stories.jsonl"
    path.write_text(f"{json.dumps(story())}\n{json.dumps(story())}\n", encoding="utf-8")

    _, second = load(path)

    assert str(second) == 'stories.jsonl:2 (s): the id "s" is used already in line 1'


# --- what is not supported, and what fails, is said so and never passed


def played(template, tmp_path, **changes) -> Result:
    path = tmp_path / "stories.jsonl"
    path.write_text(json.dumps(story(**changes)), encoding="utf-8")
    (found,) = load(path)
    assert isinstance(found, Scenario)
    return play(found, tmp_path / "world", template)


def test_unknown_actions_intents_and_keys_are_not_supported(template, tmp_path):
    expect = [
        {"after_step": 1, "moon_phase": "full"},
        {"after_step": 2, "cases_total": 0},
        {"after_step": 3, "cases_total": 0},
    ]
    result = played(
        template, tmp_path, expect=expect,
        steps=[step(1, "email", **story()["steps"][0]["payload"]), step(2, "teleport"), step(3, "dpo_command", intent="sing")],
    )  # fmt: skip

    assert [(j.index, j.verdict) for j in result.judged] == [
        (1, "not supported"), (2, "not supported"), (3, "not supported"), (0, "passed"),
    ]  # fmt: skip
    assert result.unsupported == [
        'step 2: action "teleport" is unknown', 'step 3: intent "sing": the program has no such action',
    ]  # fmt: skip
    assert result.missing_intents == ["sing"]


MALFORMED = {
    "cases_total": "many", "cases_open": [None], "due": {}, "case_class": "banana", "case_class_not": "banana",
    "identity_status": "asleep", "status_in": "asleep", "status_not_in": "asleep", "mail_count": {"min": 1},
    "mail_headers": ["Auto-Submitted"], "mail_kind": "postcard", "mail_raw_must_not_match": "(", "mail_must_contain": [],
    "no_mail_kind": "postcard", "no_mail_to": [], "mail_total_max": -1, "smtp_attempts_max": "few", "dpo_notified": "yes",
    "dpo_urgent": 1, "dpo_messages_max": None, "digest_count": 1.5, "store_must_not_contain": [{}],
    "telegram_to": None, "process_alive": "yes", "command_refused": [], "record_must_show": {},
}  # fmt: skip


def test_a_value_that_cannot_be_read_passes_nowhere(template, tmp_path):
    result = played(template, tmp_path, expect=[{"after_step": 1, key: value} for key, value in MALFORMED.items()])

    assert {key: j.verdict for key, j in zip(MALFORMED, result.judged[:-1], strict=True)} == dict.fromkeys(
        MALFORMED, "not supported"
    )
    assert result.error == ""


def test_a_step_that_cannot_be_read_is_told_and_the_story_goes_on(template, tmp_path):
    odd = [
        ("email", {"headers": 5}), ("email", {"headers": [["From"]]}), ("email", {"headers": {}, "repeat": {"a": 1}}),
        ("email", {"generate": {"count": "lots"}}), ("email", {"loopback": "step 9"}),
        ("telegram_message", {"edit_of_step": [1]}), ("telegram_button", {"on": "moon"}), ("dpo_command", {}),
        ("dpo_command", {"intent": ["approve"]}), ("crash", {"armed": True, "when": "ballet"}),
        ("smtp_refuses", {"code": "x"}), ("telegram_fault", {"code": [1]}), ("config_change", {"setting": "x.y"}),
    ]  # fmt: skip
    steps = [step(n, action, f"2026-03-02T10:{n:02}:00+01:00", **payload) for n, (action, payload) in enumerate(odd, 1)]
    last = {**step(99, **story()["steps"][0]["payload"]), "at": "2026-03-02T11:00:00+01:00"}

    result = played(template, tmp_path, steps=[*steps, last], expect=[{"after_step": 99, "process_alive": True}])

    assert [told.split(":")[0] for told in result.unsupported] == [f"step {n}" for n in range(1, len(odd) + 1)]
    assert result.error == ""


def test_a_failed_must_makes_the_exit_status_one_and_shows_what_was_seen(tmp_path, capsys):
    path = tmp_path / "stories.jsonl"
    path.write_text(json.dumps(story(expect=[{"after_step": 1, "cases_total": 7}])), encoding="utf-8")

    status = rehearse([str(path)], only=(), as_lines=True, keep=None, jobs=1)

    told = json.loads(capsys.readouterr().out)
    assert status == 1
    assert told["passed"] is False
    assert told["expectations"][0]["checks"] == [
        {"key": "cases_total", "verdict": "failed", "expected": "7", "seen": "0: "}
    ]


def test_a_debatable_expectation_passes_by_an_alternative_that_can_be_checked_or_goes_to_a_person(template, tmp_path):
    wrong = {"after_step": 1, "cases_total": 7, "debatable": True}
    result = played(
        template, tmp_path,
        expect=[{**wrong, "alternatives": [{"cases_total": 0}]}, {**wrong, "alternatives": ["nothing at all"]}],
    )  # fmt: skip

    assert [(j.index, j.verdict) for j in result.judged] == [(1, "passed"), (2, "for a person"), (0, "passed")]


def test_skipping_hours_in_which_nothing_is_due_changes_nothing(template, tmp_path):
    """A month, once from one due moment to the next and once hour by hour: the same letters, dates and verdicts."""
    told = []
    (found,) = [s for s in STORIES if isinstance(s, Scenario) and s.id == "identity-document-comes-late"]
    for hourly in (False, True):
        result = play(found, tmp_path / f"world-{hourly}", template, hourly=hourly)
        journal = (tmp_path / f"world-{hourly}" / "journal.txt").read_text(encoding="utf-8").splitlines()
        # Days and what happened; the hour and the random parts of names differ.
        events = [" ".join([line[:10], *line.split()[3:5]]) for line in journal if line.startswith("20")]
        told.append(([(j.index, j.verdict) for j in result.judged], events))

    assert told[0] == told[1]


# --- the words of faults, lengths of time, files


@pytest.mark.parametrize(
    ("payload", "point"),
    [
        ({"when": "between_send_and_note"}, "after_send"),
        ({"when": "after_send_before_record"}, "after_send"),
        ({"at": "after_smtp_data_before_commit"}, "after_send"),
        ({"point": "before_send"}, "before_send"),
        ({"when": "after approval is committed, before the mail is sent"}, "before_send"),
        ({"during": "intake", "moment": "before_commit"}, "before_intake_commit"),
        ({"point": "before_commit"}, "before_intake_commit"),
        ({"point": "after_commit"}, "after_intake_commit"),
        ({"when": "after the commit, before the UID is marked as seen"}, "after_intake_commit"),
        ({"when": "while the digest is being made"}, "before_digest_commit"),
        ({"when": "after the approval, before the callback query is answered"}, "before_answer"),
        ({"when": "after getUpdates, before the update is handled"}, "after_update_commit"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_the_words_of_a_crash_name_a_point_of_the_work(payload, point):
    assert crash_point({"armed": True, **payload}) == point


def test_a_crash_at_an_unknown_point_is_not_supported():
    with pytest.raises(NotSupported, match="ballet"):
        crash_point({"when": "ballet"})


@pytest.mark.parametrize(
    ("payload", "length"),
    [
        ({"days": 2, "hours": 1}, timedelta(days=2, hours=1)),
        ({"duration": "P3DT4H"}, timedelta(days=3, hours=4)),
        ({"duration": "3 jours"}, timedelta(days=3)),
        ({"duration_minutes": 90}, timedelta(minutes=90)),
        ({"times": 3}, None),
    ],
    ids=str,
)
def test_lengths_of_time_are_read_in_their_usual_forms(payload, length):
    assert duration(payload) == length


def test_files_made_by_script_are_what_they_claim_and_as_long_as_asked():
    import filetype

    made = [attachment({"filename": name, "size": 5000}) for name in ("a.jpg", "b.png", "c.pdf", "d.zip")]

    assert [(filetype.guess_mime(content), len(content) >= 5000) for _, _, content in made] == [
        ("image/jpeg", True), ("image/png", True), ("application/pdf", True), ("application/zip", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"), [(3, 3), ("the same bytes, twice", 2), ({"times": 4}, 4), ("5 fois", 5)], ids=str
)
def test_repeats_are_read_from_numbers_and_words(given, expected):
    assert copies({"repeat": given}) == (expected, timedelta())


def test_placeholders_are_filled_and_other_braces_stay():
    def look(kind: str, handle: str) -> str | None:
        return {"ref:A": "DSR-2026-0001", "outmid:A": "<x@mije.com>", "outsubject:A": "Accusé"}.get(f"{kind}:{handle}")

    assert fill("{{ref:A}} {{7*7}} {{ref:Z}} {{outmid:A}} <{{outmid:A}}>", look) == (
        "DSR-2026-0001 {{7*7}} {{ref:Z}} <x@mije.com> <x@mije.com>"
    )
    raw = fill_raw(b"Subject: Re: {{outsubject:A}}\r\n\r\n{{outsubject:A}} {{config}}", look)
    assert raw == "Subject: Re: =?utf-8?q?Accus=C3=A9?=\r\n\r\nAccusé {{config}}".encode()


def test_the_language_of_a_letter_is_that_of_its_paragraphs():
    french = "Bonjour,\n\nNous avons bien reçu votre demande et vous répondrons dans le délai prévu par la loi.\n"
    english = "Hello,\n\nWe have received your request and will answer it within the time that the law sets for us.\n"

    assert [languages_of(french), languages_of(english), languages_of(french + "\n" + english)] == [
        {"fr"}, {"en"}, {"fr", "en"},
    ]  # fmt: skip
