"""The floor plan: imports point downwards only, and the command line starts light."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {"bot", "handlers", "nlp", "store", "templates"}
MAY_IMPORT = {
    "nlp": set(),
    "store": set(),
    "templates": set(),
    "handlers": {"nlp.types", "store.models"},
    "bot": {"handlers", "nlp", "store", "templates"},
}
"""Packages (or single modules) each package may import besides itself."""


def imported_modules(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
    return {name for name in found if name.split(".")[0] in PACKAGES}


@pytest.mark.parametrize("folder", sorted(MAY_IMPORT))
def test_folders_import_only_what_lies_below(folder):
    allowed = MAY_IMPORT[folder]
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / folder).rglob("*.py")
        for name in imported_modules(path)
        if name.split(".")[0] != folder and name not in allowed and name.split(".")[0] not in allowed
    }
    assert wrong == set()


def test_only_the_clock_reads_the_time():
    wrong = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if path == ROOT / "bot" / "clock.py":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    owner = node.func.value
                    name = (
                        owner.id
                        if isinstance(owner, ast.Name)
                        else owner.attr
                        if isinstance(owner, ast.Attribute)
                        else ""
                    )
                    if (name, node.func.attr) in {
                        ("datetime", "now"),
                        ("datetime", "utcnow"),
                        ("date", "today"),
                        ("time", "time"),
                    }:
                        wrong.add(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == set()


def test_help_imports_nothing_heavy():
    code = (
        "import sys, json\n"
        "from bot.__main__ import main\n"
        "try:\n    main(['--help'], standalone_mode=False)\nexcept SystemExit:\n    pass\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert (
        loaded & {"spacy", "telegram", "sqlmodel", "sqlalchemy", "pydantic", "aiohttp", "numpy", "imapclient"} == set()
    )


def test_nothing_in_the_tree_names_the_machine_it_was_built_on():
    names = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    marks = ("/wo" + "rk/", "/ro" + "ot/", "index" + "-url", "/tmp/br" + "ief")
    wrong = {
        name
        for name in names
        if (ROOT / name).is_file()
        and (ROOT / name).stat().st_size < 2_000_000
        and any(mark in (ROOT / name).read_text(encoding="utf-8", errors="ignore") for mark in marks)
    }
    assert wrong == set()
