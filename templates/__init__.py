"""Letters: template files and ``render()``.

A template says the words once, in the ``body`` block, as plain paragraphs; the HTML part is made from the same text
(``to_html``), so that the two parts of a mail can never say different things, also after the DPO edited the text.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, FileSystemLoader, StrictUndefined, TemplateNotFound, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

FOLDER = Path(__file__).parent
LANGUAGES = ("fr", "en")
"""Languages the letters exist in, the first being the one to fall back to."""

_MONTHS = {
    "fr": [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}

_MULTILINE = frozenset({"reason"})
"""Facts that the DPO types and that may have several lines; every other one is a line."""
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class TemplateError(Exception):
    """A letter cannot be rendered: no such template or language, or a fact it needs is missing (named)."""


@dataclass(frozen=True)
class Rendered:
    """A letter as a person will read it: one line of subject, plain text, and HTML made from that text."""

    subject: str
    text: str
    html: str


def format_date(value: date | datetime | str, language: str) -> str:
    """Return a date in words: ``1er mars 2026``, ``1 March 2026``. Takes a date or its ISO form."""
    if isinstance(value, str):
        value = date.fromisoformat(value[:10])
    day = "1er" if language == "fr" and value.day == 1 else str(value.day)
    return f"{day} {_MONTHS[language][value.month - 1]} {value.year}"


@lru_cache
def _environment(language: str) -> ImmutableSandboxedEnvironment:
    loader: BaseLoader = FileSystemLoader(FOLDER)
    # Facts from outside are data for the template, never template source; text is escaped when the HTML is made.
    environment = ImmutableSandboxedEnvironment(
        loader=loader, undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
    )
    # A letter in two languages names the language of each half.
    environment.filters["date"] = lambda value, other=language: format_date(value, other)
    environment.globals["language"] = language
    return environment


def names() -> tuple[str, ...]:
    """Return every letter there is, as ``<folder>/<step>``, sorted."""
    found = {
        f"{path.parent.name}/{path.name.split('.')[0]}"
        for path in FOLDER.glob("*/*.j2")
        if not path.parent.name.startswith("_") and path.parent.name not in {"digest", "desk"}
    }
    return tuple(sorted(found))


@lru_cache
def fingerprint(name: str, language: str) -> str:
    """Return the SHA-256 over a letter's template and the pieces it shares: which wording a case was written with."""
    digest = hashlib.sha256()
    for path in (FOLDER / f"{name}.{language}.j2", *sorted((FOLDER / "_parts").glob(f"*{language}.j2"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def render(name: str, language: str, context: Mapping[str, Any]) -> Rendered:
    """Render the letter *name* (``access/receipt``) in *language* with the facts of *context*.

    Raises :class:`TemplateError` when the letter does not exist in that language or lacks a fact; a letter with a
    hole never leaves.
    """
    path = f"{name}.{language}.j2"
    context = {key: _inert(value, lines=key in _MULTILINE) for key, value in context.items()}
    try:
        environment = _environment(language)
        template = environment.get_template(path)
        # Every letter finds the pieces it shares with others under the name "parts".
        parts = environment.get_template(f"_parts/{language}.j2").make_module(dict(context))
        whole = template.new_context({**context, "parts": parts})
        subject = " ".join("".join(template.blocks["subject"](whole)).split())
        text = tidy("".join(template.blocks["body"](whole)))
    except TemplateNotFound as error:
        raise TemplateError(f"there is no template {error.name}") from error
    except UndefinedError as error:
        raise TemplateError(f"{path}: {error.message}") from error
    except KeyError as error:
        raise TemplateError(f"{path} has no block {error.args[0]}") from error
    return Rendered(subject=subject, text=text, html=to_html(text, language))


def _inert(value: Any, *, lines: bool = False) -> Any:
    """Return a fact without what could change the shape of a letter: control and bidirectional characters, line ends.

    Text from outside stays on the line it was meant for, so that a name can make neither a paragraph nor a heading.
    """
    if isinstance(value, str):
        kept = "".join(
            c
            for c in value.replace("\r\n", "\n")
            if c in "\n\t\r" or (unicodedata.category(c) != "Cc" and c not in _BIDI)
        )
        return kept.replace("\r", "\n") if lines else " ".join(kept.split())
    if isinstance(value, Mapping):
        return {key: _inert(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_inert(inner) for inner in value]
    return value


def tidy(text: str) -> str:
    """Return *text* with trailing blanks cut and never more than one empty line, ended by a line feed."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def to_html(text: str, language: str) -> str:
    """Make the HTML part of a letter from its text: paragraphs, ``- `` lists and ``## `` headings, all escaped."""
    parts: list[str] = []
    for block in tidy(text).strip().split("\n\n"):
        parts.extend(_block(block.split("\n")))
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}"><head><meta charset="utf-8"></head>\n'
        '<body style="font-family:Arial,Helvetica,sans-serif;font-size:15px;line-height:1.5;color:#1a1a1a;max-width:44em">\n'
        f"{body}\n</body></html>\n"
    )


def _block(lines: list[str]) -> list[str]:
    parts: list[str] = []
    paragraph: list[str] = []
    items: list[str] = []

    def close() -> None:
        if paragraph:
            parts.append("<p>" + "<br>\n".join(paragraph) + "</p>")
            paragraph.clear()
        if items:
            parts.append("<ul>\n" + "\n".join(f"<li>{item}</li>" for item in items) + "\n</ul>")
            items.clear()

    for line in lines:
        if line.startswith("## "):
            close()
            parts.append(f'<h2 style="font-size:17px">{escape(line[3:])}</h2>')
        elif line.startswith("- "):
            if paragraph:
                close()
            items.append(escape(line[2:]))
        elif items and line.startswith("  "):
            items[-1] += " " + escape(line.strip())
        else:
            if items:
                close()
            paragraph.append(escape(line))
    close()
    return parts
