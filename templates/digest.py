"""The weekly digest's two texts: HTML with its style inlined, and plain text that says all the same.

The words stand once a language in ``digest/_words.<language>.j2``; the two ``_weekly`` files lay them out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from css_inline import CSSInliner
from jinja2 import FileSystemLoader, StrictUndefined, TemplateNotFound, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from templates import FOLDER, TemplateError, format_date, tidy

_WEEKDAYS = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}

_UNBROKEN = {
    "fr": re.compile(r" (?=[:;!?»%])|(?<=[«°]) |(?<=art\.) |(?<=\d) (?=h \d\d\b)|(?<=\d h) (?=\d\d\b)"),
    "en": re.compile(r"(?<=art\.) "),
}

# Mail clients ignore style sheets, so rules go into the elements; @media rules (dark, phone, print) can only stay.
# Nothing is ever fetched while a digest is made.
_INLINER = CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True)
class DigestText:
    """The digest as its readers see it: one line of subject, plain text, and HTML."""

    subject: str
    text: str
    html: str


def weekday(value: date | str, language: str) -> str:
    """Return the name of the day of the week (``jeudi``, ``Thursday``) of a date or its ISO form."""
    if isinstance(value, str):
        value = date.fromisoformat(value[:10])
    return _WEEKDAYS[language][value.weekday()]


def hour(value: datetime, language: str) -> str:
    """Return the time of day of an instant as it is given, in its own zone: ``8 h 05``, ``08:05``."""
    return f"{value.hour} h {value.minute:02}" if language == "fr" else f"{value:%H:%M}"


def spaced(text: str, language: str) -> str:
    """Return *text* with the spaces that must not break: after ``art.``, in French also before ``: ; ! ? »``."""
    return _UNBROKEN[language].sub("\N{NO-BREAK SPACE}", text)


@lru_cache
def _environment(language: str, html: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(FOLDER / "digest"),
        undefined=StrictUndefined,
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["date"] = lambda value: format_date(value, language)
    environment.filters["weekday"] = lambda value: weekday(value, language)
    environment.filters["hour"] = lambda value: hour(value, language)
    # What was escaped stays so: only spaces change.
    environment.filters["spaced"] = lambda text: type(text)(spaced(text, language))
    environment.globals["language"] = language
    return environment


def render_digest(language: str, context: Mapping[str, Any]) -> DigestText:
    """Render the weekly digest in *language* (``fr``, ``en``) with the facts of *context*.

    Raises :class:`templates.TemplateError` when there is no digest in that language or a fact is missing (named).
    """
    try:
        plain = _environment(language, False)
        words: Any = plain.get_template(f"_words.{language}.j2").make_module(dict(context))
        text = plain.get_template(f"weekly.{language}.txt.j2").render(context)
        html = _environment(language, True).get_template(f"weekly.{language}.html.j2").render(context)
        # A subject is one line, and is searched for: its spaces are plain ones.
        return DigestText(" ".join(words.subject().split()), spaced(tidy(text), language), _INLINER.inline(html))
    except TemplateNotFound as error:
        raise TemplateError(f"there is no template digest/{error.name}") from error
    except UndefinedError as error:
        raise TemplateError(f"digest/weekly.{language}: {error.message}") from error
