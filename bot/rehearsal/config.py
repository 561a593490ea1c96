"""A story's changes of configuration, in the program's own settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.rehearsal.mails import NotSupported
from bot.rehearsal.people import number_of
from bot.rehearsal.world import DEPUTY, DPO, World
from bot.settings import Settings, SettingsError

ALIASES: Mapping[str, str] = {
    "acknowledge": "replies.acknowledge", "acknowledgement": "replies.acknowledge",
    "automatic_acknowledgement": "replies.acknowledge", "auto_acknowledgement": "replies.acknowledge",
    "auto_ack": "replies.acknowledge", "identity_request": "identity.request", "timezone": "calendar.timezone",
    "holidays": "calendar.holidays", "extra_holidays": "calendar.extra_holidays",
    "holiday": "calendar.extra_holidays", "extra_holiday": "calendar.extra_holidays", "digest_to": "digest.to",
    "digest_recipient": "digest.to", "digest_day": "digest.day", "digest_time": "digest.at",
    "digest_at": "digest.at", "language": "desk.language", "mask": "desk.mask",
    "public_chat": "telegram.public", "approvers": "desk.users", "users": "desk.users",
    "poll_seconds": "imap.poll_seconds", "dpo_email": "dpo.email", "dpo_name": "dpo.name",
    "authserv_id": "mail.authserv_ids", "trusted_authserv_id": "mail.authserv_ids", "aliases": "mail.aliases",
    "retention_days": "retention.case_days", "add_holiday": "calendar.extra_holidays",
    "public_holiday": "calendar.extra_holidays", "holidays_add": "calendar.extra_holidays",
    "holidays_extra": "calendar.extra_holidays", "calendar_rule": "calendar.rule", "telegram": "telegram",
}  # fmt: skip
"""What a story may call a setting -> its name in ``dpobot.toml``."""
IGNORED = frozenset({"note", "notes", "case", "why", "restart", "armed"})


def config_change(world: World, payload: Mapping[str, Any]) -> str:
    """Change settings as a step says. Raises :class:`NotSupported` for one there is none of, or a value it refuses."""
    changes: dict[str, Any] = {}
    for name, value in _pairs(payload):
        moved = re.fullmatch(r"(add|remove)_?(?:approver|user|desk_user)s?", name.lower().replace(" ", "_"))
        _lay(changes, "approvers" if moved else name, _moved(world, moved[1], value) if moved else value)
    if not changes:
        raise NotSupported(f"config_change: no setting is named in {sorted(payload)}")
    try:
        world.configure(changes)
    except SettingsError as error:
        raise NotSupported(f"config_change: {error}") from None
    return "settings changed: " + ", ".join(_names(changes))


def changes_of(setup: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the settings a story's ``setup`` asks for, and what in it cannot be read by machine."""
    changes: dict[str, Any] = {}
    notes: list[str] = []
    if setup in (None, "", {}):
        return changes, notes
    if not isinstance(setup, Mapping):
        return changes, [f"setup in words, not read: {str(setup)[:200]}"]
    for name, value in _pairs(setup):
        try:
            _lay(changes, name, value)
        except NotSupported as missing:
            notes.append(str(missing))
    return changes, notes


def _pairs(payload: Mapping[str, Any]) -> list[tuple[str, Any]]:
    named = payload.get("setting", payload.get("key", payload.get("name")))
    if isinstance(named, str):
        return [(named, payload.get("value", payload.get("to", payload.get("new"))))]
    pairs: list[tuple[str, Any]] = []
    for name, value in payload.items():
        if name in IGNORED:
            continue
        if name in ("settings", "config", "set", "changes") and isinstance(value, Mapping):
            pairs += _pairs(value)
        elif isinstance(value, Mapping) and name in Settings.model_fields:
            pairs += [(f"{name}.{inner}", one) for inner, one in value.items()]
        else:
            pairs.append((name, value))
    return pairs


def _lay(changes: dict[str, Any], name: str, value: Any) -> None:
    full = ALIASES.get(name.lower().replace(" ", "_").replace("-", "_"), name)
    section, _, setting = full.partition(".")
    if section not in Settings.model_fields:
        raise NotSupported(f'setting "{name}": there is none of that name')
    if full in ("replies.acknowledge", "identity.request"):
        off = value in (False, "off", "manual", "dpo", "approve", "approval", "draft")
        value = "dpo" if off else "auto"
    if full in ("calendar.extra_holidays", "digest.to", "mail.authserv_ids", "mail.aliases") and not isinstance(
        value, list
    ):
        value = [value]
    if full == "desk.users":
        value = _users(value)
    if not setting:
        changes[section] = None if value in (False, None, "off") else value
        return
    inside = changes.setdefault(section, {})
    if isinstance(inside, dict):
        inside[setting] = value


def _moved(world: World, way: str, value: Any) -> list[int]:
    """The numbers of the desk's users with some added, or without some."""
    there = [user.telegram_id for user in world.app.settings.desk.users if user.telegram_id is not None]
    named = [number_of(one) for one in (value if isinstance(value, list) else [value])]
    return [*there, *named] if way == "add" else [number for number in there if number not in named]


def _users(value: Any) -> list[dict[str, Any]]:
    """The desk's users from the numbers of the approvers, the first of whom is the DPO."""
    given = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
    keys = {DPO: "dpo", DEPUTY: "deputy"}
    users: list[dict[str, Any]] = []
    for n in (number_of(one) for one in given):
        name = keys.get(n, f"user-{n}")
        users.append({"key": name, "name": name, "role": "deputy" if users else "dpo", "telegram_id": n})
    return users


def _names(changes: Mapping[str, Any]) -> list[str]:
    return [
        f"{s}.{k}" if isinstance(v, dict) else s
        for s, v in changes.items()
        for k in (v if isinstance(v, dict) else [""])
    ]
