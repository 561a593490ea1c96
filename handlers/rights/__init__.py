"""One file a right; each brings its cues, its first letters and its answer. Found by scanning this folder."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType

from handlers.types import Right


class DuplicateRight(Exception):
    """Two files of ``handlers/rights`` carry a right of the same name; rename one."""


@lru_cache
def load_rights() -> Mapping[str, Right]:
    """Collect the ``RIGHT`` of every module of this package, keyed by its name."""
    rights: dict[str, Right] = {}
    for found in pkgutil.iter_modules(__path__, f"{__name__}."):
        right: Right = import_module(found.name).RIGHT
        if right.name in rights:
            raise DuplicateRight(right.name)
        rights[right.name] = right
    return MappingProxyType(rights)
