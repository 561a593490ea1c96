"""The documentation says what the program does: commands, settings, defaults, log lines, links, the table of actions.

``python -m tests.test_docs`` writes ``docs/actions.md`` anew from the program's own table.
"""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from pydantic import BaseModel

from bot.__main__ import main
from bot.desk.actions import ACTIONS, Action
from bot.desk.words import STATES
from bot.settings import Settings, build
from handlers.lifecycle import ALLOWED
from handlers.rights import load_rights
from store.sealing import new_master_key

ROOT = Path(__file__).parent.parent
OWN = [
    ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "deploy").glob("*.md")),
]  # fmt: skip
PACKAGES = {"bot", "handlers", "nlp", "store", "templates", "tests"}
NO_SETTINGS = {"from.id", "api.telegram"}
"""Written like settings, and other people's words."""
FILE_ENDINGS = {
    "cfg",
    "db",
    "eml",
    "jsonl",
    "json",
    "j2",
    "key",
    "lock",
    "log",
    "md",
    "password",
    "png",
    "py",
    "service",
    "svg",
    "token",
    "toml",
    "txt",
    "yml",
}

INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(path: Path) -> list[tuple[str, str]]:
    """(language, content) of every fenced block."""
    return FENCE.findall(text_of(path))


def inline(path: Path) -> list[str]:
    """Everything set in code type within a line."""
    return INLINE.findall(FENCE.sub("", text_of(path)))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_page = pytest.mark.parametrize("page", OWN, ids=name_of)


# --- commands


def commands(path: Path) -> Iterator[str]:
    """Every ``dpobot …`` a page tells people to type."""
    lines = [
        line.strip().removeprefix("$ ")
        for kind, block in blocks(path)
        if kind in ("", "sh")
        for line in block.splitlines()
    ]
    lines += inline(path)
    for line in lines:
        # "sudo -u dpobot dpobot check": the program is the last word of that name before its arguments.
        found = re.search(r"(?:^|[\s/])dpobot(?= (?:--?\w|[a-z]))(?! dpobot)(.*)$", line.partition(" #")[0])
        if found and not line.startswith(("#", "adduser", "install ", "journalctl", "systemctl")):
            yield "dpobot" + found[1]


def wrong_in(command: str) -> list[str]:
    """What *command* names that the program has not; follows groups, takes the value after an option that wants one."""
    words = shlex.split(command.replace("…", " "))[1:]
    current: click.Command = main
    wrong = []
    index = 0
    while index < len(words):
        word = words[index]
        if word in ("|", ">", "<", "&&", ";"):
            break
        options = {
            text: p for p in current.params if isinstance(p, click.Option) for text in (*p.opts, *p.secondary_opts)
        }
        options |= {text: click.Option(["--help"], is_flag=True) for text in ("--help", "-h")}
        if word.startswith("-") and len(word) > 1:
            name, _, value = word.partition("=")
            if name not in options:
                wrong.append(f"{current.name} has no {name}")
            elif not options[name].is_flag and not value:
                index += 1
        elif isinstance(current, click.Group):
            found = current.commands.get(word)
            if found is None:
                return [*wrong, f"{current.name} has no command {word}"]
            current = found
        index += 1
    return wrong


@each_page
def test_every_command_and_option_exists(page):
    assert {command: wrong_in(command) for command in commands(page) if wrong_in(command)} == {}


def test_the_readme_names_the_commands_a_newcomer_needs():
    words = {word for command in commands(ROOT / "README.md") for word in command.split()}
    assert {"init", "check", "run", "desk", "explain"} <= words


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("dpobot check", []),
        ("dpobot --config /srv/dpobot.toml run --once", []),
        ("dpobot cases show DSR-2026-0001 --json", []),
        ("dpobot chekc", ["dpobot has no command chekc"]),
        ("dpobot run --twice", ["run has no --twice"]),
        ("dpobot cases list --everything", ["list has no --everything"]),
    ],
)
def test_a_misspelt_command_is_found(command, wrong):
    assert [w.replace("main has", "dpobot has") for w in wrong_in(command)] == wrong


@each_page
def test_every_make_target_exists(page):
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    code = "\n".join([*inline(page), *(block for kind, block in blocks(page) if kind in ("", "sh"))])
    assert set(re.findall(r"(?:^|\s)make ([a-z]+)", code)) <= targets


# --- settings


def sections() -> dict[str, type[BaseModel]]:
    """The settings' sections by name, also those that are lists of entries."""
    found: dict[str, type[BaseModel]] = {}
    for name, field in Settings.model_fields.items():
        for part in re.findall(r"bot\.settings\.(\w+)", repr(field.annotation)) or [
            getattr(field.annotation, "__name__", "")
        ]:
            kind = getattr(__import__("bot.settings", fromlist=[part]), part, None)
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found[name] = kind
    return found


SECTIONS = sections()


def fields_of(section: str) -> set[str]:
    """What may stand in a section of the file: its settings, and ``…_file`` for its secrets."""
    model = SECTIONS[section]
    secrets = {f"{name}_file" for name, field in model.model_fields.items() if "SecretStr" in repr(field.annotation)}
    return set(model.model_fields) | secrets


def is_unknown_setting(code: str) -> bool:
    """Say whether *code* is written like a setting and is none."""
    name = code.partition(" = ")[0]
    found = (
        re.fullmatch(r"DPOBOT_([A-Z_]+?)__([A-Z_]+)", name)
        or re.fullmatch(r"\[\[?([a-z_]+)(?:\.([a-z_]+))?\]\]?", name)
        or re.fullmatch(r"([a-z_]+)\.([a-z_]+)", name)
    )
    if found is None:
        return False
    section, setting = found[1].lower(), (found[2] or "").lower()
    if section in SECTIONS and (not setting or setting in fields_of(section)):
        return False
    return not (section in PACKAGES or setting in FILE_ENDINGS or name in NO_SETTINGS or is_log_line(name))


@each_page
def test_every_setting_exists(page):
    assert [code for code in inline(page) if is_unknown_setting(code)] == []


@pytest.mark.parametrize(
    "code", ["imap.pasword", "imaps.host", "[telegramm]", "DPOBOT_IMAP__PASSWORDS", "retention.days = 3"]
)
def test_a_misspelt_setting_is_found(code):
    assert is_unknown_setting(code)


def default_of(code: str) -> Any:
    section, setting = code.split(".")
    value = SECTIONS[section].model_fields[setting].default
    return list(value) if isinstance(value, tuple) else value


@each_page
def test_every_default_that_is_given_is_the_default(page):
    """`section.name = value` in a page is what holds where the file says nothing."""
    given = dict(code.split(" = ", 1) for code in inline(page) if re.fullmatch(r"[a-z_]+\.[a-z_]+ = .+", code))
    assert {code: tomllib.loads(f"x = {value}")["x"] for code, value in given.items()} == {
        code: default_of(code) for code in given
    }


def toml_blocks() -> list[Any]:
    found = [(page, block) for page in OWN for kind, block in blocks(page) if kind == "toml"]
    return [pytest.param(block, id=f"{name_of(page)}:{index}") for index, (page, block) in enumerate(found)]


@pytest.mark.parametrize("block", toml_blocks())
def test_every_excerpt_of_the_settings_is_valid(block):
    values = tomllib.loads(block)
    for section, content in values.items():
        assert section in Settings.model_fields
        for entry in content if isinstance(content, list) else [content]:
            if isinstance(entry, Mapping):
                assert set(entry) <= fields_of(section)


def test_the_configuration_in_the_readme_is_complete(tmp_path):
    (block,) = [block for kind, block in blocks(ROOT / "README.md") if kind == "toml"]
    values = tomllib.loads(block)
    secret = tmp_path / "secret"
    secret.write_text(new_master_key())
    for section, setting in (
        ("imap", "password"),
        ("smtp", "password"),
        ("telegram", "token"),
        ("store", "master_key"),
    ):
        values[section][f"{setting}_file"] = str(secret)
    settings = build(values)
    assert settings.imap is not None
    assert settings.telegram is not None
    assert len(block.strip().splitlines()) <= 16


# --- log lines


@cache
def log_lines() -> frozenset[str]:
    """Every event the program logs; parts that vary become ``*``."""
    found = set()
    for package in ("bot", "store", "handlers", "nlp", "templates"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(text_of(path))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                    continue
                if isinstance(node.func.value, ast.Name) and node.func.value.id == "log":
                    first = node.args[0]
                    if isinstance(first, ast.Constant):
                        found.add(str(first.value))
                    elif isinstance(first, ast.JoinedStr):
                        found.add("".join(str(p.value) if isinstance(p, ast.Constant) else "*" for p in first.values))
    return frozenset(found)


def is_log_line(event: str) -> bool:
    """Say whether the program logs *event*."""
    return any(re.fullmatch(re.escape(known).replace(r"\*", r"\w+"), event) for known in log_lines())


def test_the_log_lines_explained_are_those_the_program_writes():
    page = text_of(ROOT / "docs" / "operations.md")
    section = page.partition("## What the log says")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    explained = {code for row in rows for code in INLINE.findall(row.split("|")[1])}
    assert explained
    assert {event for event in explained if not is_log_line(event)} == set()


# --- links


def anchors(path: Path) -> set[str]:
    """The names GitHub gives to headings."""
    found = set()
    for line in FENCE.sub("", text_of(path)).splitlines():
        if heading := re.match(r"#{1,6} +(.+?)\s*$", line):
            plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
            found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


@each_page
def test_every_link_leads_somewhere(page):
    wrong = []
    for target in LINK.findall(FENCE.sub("", text_of(page))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        aim = (page.parent / file) if file else page
        if not aim.exists() or (anchor and anchor not in anchors(aim)):
            wrong.append(target)
    assert wrong == []


@each_page
def test_every_file_that_is_named_exists(page):
    named = [
        code
        for code in inline(page)
        if re.fullmatch(r"(?:bot|handlers|nlp|store|templates|tests|docs|deploy|benchmarks)/[\w./-]*", code)
    ]
    assert [code for code in named if not (ROOT / code).exists()] == []


def test_every_page_is_reached_from_the_readme():
    linked = {(ROOT / target.partition("#")[0]).resolve() for target in LINK.findall(text_of(ROOT / "README.md"))}
    assert {name_of(page) for page in OWN if page != ROOT / "README.md" and page.resolve() not in linked} == set()


def test_the_service_starts_a_command_that_exists():
    units = sorted((ROOT / "deploy").rglob("*.service"))
    assert units
    for unit in units:
        (start,) = re.findall(r"^ExecStart=.*/dpobot(.*)$", text_of(unit), re.MULTILINE)
        assert wrong_in(f"dpobot{start}") == []


def test_the_contributing_guide_names_every_right():
    assert set(load_rights()) <= set(inline(ROOT / "docs" / "architecture.md"))


# --- the table of actions


def states_of(action: Action) -> str:
    """In which states of a case the action is admitted, in French."""
    states = [state for state, allowed in ALLOWED.items() if action.name in allowed]
    if not states:
        return "–"
    return "tous" if len(states) == len(ALLOWED) else ", ".join(STATES["fr"].get(state, state) for state in states)


SENT = " ; la lettre, non : annoncé"
"""What the table says of an action by which a letter may leave at once."""


def actions_page() -> str:
    """The table of what can be done at the desk, as the program has it."""
    on = {"draft": "projet", "case": "dossier", "message": "message à trier", "desk": "bureau"}
    text = {"none": "–", "optional": "facultatif", "required": "oui"}
    rows = [
        f"| `{a.name}` | {on[a.on]} | {a.label['fr']} | {a.label['en']} | {text[a.text]} | "
        f"{(a.prompt or {}).get('fr', '–').replace(chr(10), ' ')} | {', '.join(sorted(a.roles, reverse=True))} | "
        f"{states_of(a)} | "
        f"{f'`{a.undo}`' if a.undo else 'définitif, annoncé'}{SENT if a.sends else ''} |"
        for a in ACTIONS.values()
    ]
    return "\n".join(
        [
            "# Les actions du bureau – actions at the desk",
            "",
            "Écrit par `python -m tests.test_docs` d'après `bot/desk/actions.py` et `handlers/lifecycle.py` ; un test échoue",
            "si la page et le programme diffèrent. Written from the program's own table; a test keeps them the same.",
            "Le mode d'emploi : [desk.md](desk.md).",
            "",
            "« Texte » : si l'action demande un texte (text asked for), et la question posée (prompt). « États » : les états du",
            "dossier où l'action est admise (states of the case); un tiret : l'action ne dépend pas de l'état du dossier.",
            "",
            "« Annulé par » (undone by) : l'action qui annule celle-ci ; ce qui est définitif (final) le dit avant.",
            "",
            "| action | porte sur | bouton | button | texte | question | rôles | états | annulé par |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def test_the_table_of_actions_is_current():
    assert text_of(ROOT / "docs" / "actions.md") == actions_page(), "run: python -m tests.test_docs"


if __name__ == "__main__":
    (ROOT / "docs" / "actions.md").write_text(actions_page(), encoding="utf-8")
