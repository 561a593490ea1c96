"""What every key of an expectation looks at, and says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.rehearsal.format import Expectation, shown
from bot.rehearsal.observe import KNOWN_KINDS, Mail, folded
from bot.rehearsal.steps import Cast, Outcome
from bot.rehearsal.world import Mark
from store.models import Case, Message

PASSED, FAILED, UNSUPPORTED, PERSON = "passed", "failed", "not supported", "for a person"


@dataclass(frozen=True)
class Finding:
    """What one key came to."""

    verdict: str
    key: str
    expected: str = ""
    seen: str = ""


class Unknown(Exception):
    """A word of the expectation means nothing here."""


@dataclass
class View:
    """Everything the keys of one expectation look at."""

    cast: Cast
    expectation: Expectation
    since: Mark
    outcome: Outcome
    checks: Mapping[str, Any]

    @property
    def case(self) -> Case | None:
        """The case of the expectation's handle."""
        return self.cast.case_of(self.handle) if self.handle else None

    @property
    def item(self) -> Message | None:
        """The message behind the expectation's handle."""
        return self.cast.opened_by(self.handle) if self.handle else None

    @property
    def handle(self) -> str:
        """The handle the expectation is about; the only one of the story where none is named."""
        handles = self.cast.scenario.cases
        return str(self.checks.get("case") or (next(iter(handles)) if len(handles) == 1 else ""))

    @property
    def mails(self) -> list[Mail]:
        """The mails of the window."""
        return self.cast.observer.mails(self.since)

    @property
    def selected(self) -> list[Mail]:
        """The mails of the window to the recipient and of the kind asked for."""
        found = self.mails
        if "mail_to" in self.checks:
            wanted = {a.lower() for a in listed(self.checks["mail_to"])}
            found = [mail for mail in found if wanted & {r.lower() for r in mail.attempt.recipients} or "*" in wanted]
        if "mail_kind" in self.checks:
            look_up(self.checks["mail_kind"])
            found = [mail for mail in found if is_kind(mail, self.checks["mail_kind"])]
        return found


Check = Callable[[View, str, Any], list[Finding]]
Shape = Callable[[Any], bool]
Keys = Mapping[str, tuple[Shape, Check]]
"""Key -> what its value may look like, and what looks at the world. An odd value must not pass for want of sense."""


def texts(value: Any) -> bool:
    """A text or a number, or a list of such that is not empty."""
    return bool(listed(value)) and all(isinstance(one, str | int) and not yes_no(one) for one in listed(value))


def count(value: Any) -> bool:
    """A whole number, none below zero."""
    return isinstance(value, int) and not yes_no(value) and value >= 0


def counts(value: Any) -> bool:
    """A whole number, or several of which any will do."""
    return bool(listed(value)) and all(count(one) for one in listed(value))


def yes_no(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def days(value: Any) -> bool:
    """A date, null while there is none, or a list of such."""
    found = [str(one)[:10] for one in listed(value) if one not in (None, "paused", "suspended", "none")]
    return bool(listed(value)) and all(re.fullmatch(r"\d{4}-\d\d-\d\d", one) for one in found)


def one_of(*shapes: Shape) -> Shape:
    """Whatever fits one of several shapes."""
    return lambda value: any(shape(value) for shape in shapes)


def anything(_value: Any) -> bool:
    """Whatever it is."""
    return True


def listed(value: Any) -> list[Any]:
    """One or several."""
    return list(value) if isinstance(value, list | tuple) else [value]


def is_kind(mail: Mail, wanted: Any) -> bool:
    """Whether a mail is of one of the kinds asked for; ``a+b`` asks for both at once."""
    return any(set(str(kind).split("+")) <= mail.kinds for kind in listed(wanted))


def look_up(wanted: Any) -> None:
    """Raise :class:`Unknown` for what is no kind of mail, also where there is no mail to compare it with."""
    strange = {part for kind in listed(wanted) for part in str(kind).split("+")} - KNOWN_KINDS
    if strange:
        raise Unknown(f'there is no kind of mail "{min(strange)}"')


def holds(good: bool, key: str, expected: Any, seen: Any) -> Finding:
    """What a key came to that a machine can judge."""
    return Finding(PASSED if good else FAILED, key, shown(expected), shown(seen))


def contains(text: str, wanted: Any) -> bool:
    """Whether a text has another in it, as people compare texts."""
    return folded(str(wanted)) in folded(text)


def text_check(key: str, value: Any, texts: Sequence[str], what: str) -> list[Finding]:
    """A key that names what texts have to contain, one of which they may, or must not."""
    wanted = listed(value)
    if key.endswith("must_not_contain"):
        return [
            holds(
                not any(contains(text, one) for text in texts),
                key,
                one,
                f"found in a {what}" if any(contains(t, one) for t in texts) else "none",
            )
            for one in wanted
        ]
    if key.endswith("_any"):
        good = any(contains(text, one) for text in texts for one in wanted)
        return [holds(good, key, value, texts[-1].strip()[:400] if texts else f"no {what}")]
    best = max((sum(contains(text, one) for one in wanted), text) for text in texts)[1] if texts else ""
    lacking = [one for one in wanted if not contains(best, one)]
    return [
        holds(
            bool(texts) and not lacking,
            key,
            value,
            f"lacks {shown(lacking)} in: {best.strip()[:300]}" if texts else f"no {what}",
        )
    ]
