"""What the register of processing says of an activity, for letters: art. 15(1) and (2), 17(3), 19 GDPR.

A register is plain data (``processing.toml``). A field that a letter needs and the register lacks raises
:class:`RegisterIncomplete`, which names it: a draft with a guess or a hole in it is not made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

INFORMATION = ("purposes", "categories", "recipients", "retention", "legal_basis", "source", "transfers", "automated")
"""What an access answer says of each activity (art. 15(1)(a)-(d), (g), (h) and 15(2))."""
ROLES = frozenset({"internal", "processor", "controller", "authority"})
GROUNDS = frozenset({"17(3)(a)", "17(3)(b)", "17(3)(c)", "17(3)(d)", "17(3)(e)"})
"""The only grounds on which data are kept against an erasure (art. 17(3)); business purposes are none."""


class RegisterIncomplete(ValueError):
    """The register of processing lacks something a letter needs; the message names activity and field."""


def activities(register: Sequence[Mapping[str, Any]], chosen: Collection[str] = ()) -> list[Mapping[str, Any]]:
    """Return the activities of *register*, only the *chosen* ones where any are named (by id).

    Raises :class:`RegisterIncomplete` for an activity without an id or an id that the register does not have.
    """
    by_id: dict[str, Mapping[str, Any]] = {}
    for number, entry in enumerate(register, start=1):
        name = entry.get("id")
        if not isinstance(name, str) or not name:
            raise RegisterIncomplete(f"activity {number} of the register of processing has no id")
        if name in by_id:
            raise RegisterIncomplete(f"two activities of the register of processing have the id {name}")
        by_id[name] = entry
    unknown = [name for name in chosen if name not in by_id]
    if unknown:
        raise RegisterIncomplete(f"the register of processing has no activity {unknown[0]}; it has {', '.join(by_id)}")
    return [entry for name, entry in by_id.items() if not chosen or name in chosen]


def _said(entry: Mapping[str, Any], field: str, language: str, where: str) -> str:
    value = entry.get(field)
    text = value.get(language) if isinstance(value, Mapping) else value
    if not isinstance(text, str) or not text.strip():
        raise RegisterIncomplete(f"the register of processing lacks {field} ({language}) of {where}: add it")
    return " ".join(text.split())


def _listed(entry: Mapping[str, Any], field: str, where: str) -> Sequence[Mapping[str, Any]]:
    value = entry.get(field)
    if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
        raise RegisterIncomplete(
            f"the register of processing lacks {field} of {where}: add a list, empty if there is none"
        )
    return value


def information(
    register: Sequence[Mapping[str, Any]], language: str, chosen: Collection[str] = ()
) -> list[dict[str, str]]:
    """Return the annex of an access answer: a mapping an activity, every field in words (art. 15(1), (2)).

    Raises :class:`RegisterIncomplete`.
    """
    found = []
    for entry in activities(register, chosen):
        where = f"activity {entry['id']}"
        told = {"name": _said(entry, "name", language, where)}
        for field in INFORMATION:
            told[field] = (
                _recipients(entry, language, where) if field == "recipients" else _said(entry, field, language, where)
            )
        found.append(told)
    return found


def _recipients(entry: Mapping[str, Any], language: str, where: str) -> str:
    listed = _listed(entry, "recipients", where)
    if not listed:
        raise RegisterIncomplete(
            f"the register of processing lacks recipients of {where}: name at least your own staff"
        )
    return "; ".join(_said(item, "name", language, f"a recipient of {where}") for item in listed)


def recipients_to_tell(register: Sequence[Mapping[str, Any]], language: str, chosen: Collection[str] = ()) -> list[str]:
    """Return the names of the recipients outside the organisation, whom art. 19 wants told, each once.

    Raises :class:`RegisterIncomplete`, also for a role that does not exist.
    """
    names: dict[str, None] = {}
    for entry in activities(register, chosen):
        where = f"activity {entry['id']}"
        for item in _listed(entry, "recipients", where):
            role = item.get("role")
            if role not in ROLES:
                raise RegisterIncomplete(f"a recipient of {where} has no role: use one of {', '.join(sorted(ROLES))}")
            if role in ("processor", "controller"):
                names[_said(item, "name", language, f"a recipient of {where}")] = None
    return list(names)


def kept(register: Sequence[Mapping[str, Any]], language: str, chosen: Collection[str] = ()) -> list[dict[str, str]]:
    """Return what an erasure leaves: what, on which ground of art. 17(3), by which text, until when.

    Raises :class:`RegisterIncomplete`, also for a ground that art. 17(3) does not know.
    """
    found = []
    for entry in activities(register, chosen):
        where = f"activity {entry['id']}"
        for item in _listed(entry, "keep", where):
            ground = item.get("ground")
            if ground not in GROUNDS:
                raise RegisterIncomplete(
                    f"what {where} keeps has no ground of art. 17(3): {', '.join(sorted(GROUNDS))}"
                )
            part = f"what {where} keeps"
            found.append(
                {"ground": str(ground), **{f: _said(item, f, language, part) for f in ("what", "law", "until")}}
            )
    return found


def problems(register: Sequence[Mapping[str, Any]], languages: Iterable[str]) -> list[str]:
    """Return everything the register lacks, a sentence each; empty if every letter can be made from it."""
    found: dict[str, None] = {}
    try:
        listed = activities(register)
    except RegisterIncomplete as error:
        return [str(error)]
    for language in languages:
        for entry in listed:
            for ask in (information, recipients_to_tell, kept):
                try:
                    ask([entry], language)
                except RegisterIncomplete as error:
                    found[str(error)] = None
    return list(found)
