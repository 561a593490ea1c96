"""``python -m templates [FOLDER]``: writes every letter with sample facts, so that a lawyer can read them all.

One page a folder and language, ``docs/letters/<folder>.<language>.md`` by default. The people in them are invented.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from templates import LANGUAGES, render
from templates.samples import samples

_TITLE = {"fr": "Lettres", "en": "Letters"}
_ABOUT = {
    "fr": "Lettres telles que le programme les propose, avec des données inventées. Les passages « [[à compléter : …]] » sont "
    "remplacés par le délégué à la protection des données, sans quoi la lettre ne peut pas partir.",
    "en": "Letters as the program proposes them, with invented data. The passages “[[to complete: …]]” are replaced by the "
    "data protection officer; without that, the letter cannot leave.",
}
_SUBJECT = {"fr": "Objet", "en": "Subject"}


def pages() -> dict[str, str]:
    """Return every page by its file name: the letters of a folder in a language, as Markdown."""
    found = {}
    for folder, grouped in groupby(samples(), key=lambda sample: sample.letter.split("/")[0]):
        together = list(grouped)
        for language in LANGUAGES:
            parts = [f"# {_TITLE[language]} : {folder}" if language == "fr" else f"# {_TITLE[language]}: {folder}"]
            parts.append(_ABOUT[language])
            for sample in together:
                letter = render(sample.letter, language, sample.facts)
                parts.append(f"## `{sample.letter}` – {sample.shows[language]}")
                parts.append(f"**{_SUBJECT[language]}{' ' if language == 'fr' else ''}:** {letter.subject}")
                parts.append(_quoted(letter.text.rstrip().split("\n")))
            found[f"{folder}.{language}.md"] = "\n\n".join(parts) + "\n"
    return found


def _quoted(lines: list[str]) -> str:
    """Return a letter as a Markdown quotation: its headings bold, its lines kept apart by a backslash."""
    quoted = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("## "):
            quoted.append(f"> **{line[3:]}**")
        elif line and following and not following.startswith("- "):
            quoted.append(f"> {line}\\")
        else:
            quoted.append(f"> {line}".rstrip())
    return "\n".join(quoted)


def main() -> None:
    """Write the pages to the folder named on the command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/letters")
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in pages().items():
        (folder / name).write_text(page, encoding="utf-8")
    sys.stdout.write(f"{folder}: {len(pages())} pages\n")


if __name__ == "__main__":
    main()
