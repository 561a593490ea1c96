"""``dpobot register export`` and ``dpobot report``: the register of requests and the figures of a year, without names."""

from __future__ import annotations

import csv
import io
import json
import statistics
import sys
import zipfile
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import click
from sqlmodel import Session

from bot.app import App
from bot.desk.words import IDENTITY, RIGHTS, STATES, word
from store import cases, journal
from store.models import Case, Event

COLUMNS = {
    "reference": {"fr": "Référence", "en": "Reference"},
    "channel": {"fr": "Voie", "en": "Channel"},
    "language": {"fr": "Langue", "en": "Language"},
    "received": {"fr": "Reçue le", "en": "Received"},
    "rights": {"fr": "Droits", "en": "Rights"},
    "state": {"fr": "État", "en": "State"},
    "identity": {"fr": "Identité", "en": "Identity"},
    "due": {"fr": "Échéance", "en": "Due"},
    "due_if_not_paused": {"fr": "Échéance sans suspension", "en": "Due if not suspended"},
    "extended": {"fr": "Prolongée", "en": "Extended"},
    "answered": {"fr": "Réponse partie le", "en": "Answered"},
    "days": {"fr": "Jours", "en": "Days"},
    "on_time": {"fr": "Dans le délai", "en": "On time"},
    "closed": {"fr": "Close le", "en": "Closed"},
    "charge": {"fr": "En charge", "en": "In charge"},
}
"""The register's columns, in this order for ever: new ones come last."""
_MERITS = frozenset({"answer", "refusal", "partial_refusal"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def entry(session: Session, app: App, case: Case) -> dict[str, Any]:
    """Return one line of the register: codes, Paris dates, no personal data."""
    zone = app.settings.zone
    events = journal.of_case(session, case.id or 0)
    received = case.received_at.astimezone(zone).date()
    answered = _answered(app, events)
    return {
        "reference": case.reference,
        "channel": case.channel,
        "language": case.language,
        "received": received,
        "rights": list(case.rights),
        "state": case.state,
        "identity": case.identity,
        "due": case.due,
        "due_if_not_paused": case.due_if_not_paused,
        "extended": any(event.type == "extended" for event in events),
        "answered": answered,
        "days": (answered - received).days if answered else None,
        "on_time": None if answered is None or case.due is None else answered <= case.due,
        "closed": case.closed_at.astimezone(zone).date() if case.closed_at else None,
        "charge": case.charge,
    }


def _answered(app: App, events: Sequence[Event]) -> date | None:
    """The day the first answer on the merits left that did not come back."""
    lost = {e.data.get("message_id") for e in events if e.type == "letter_bounced"}
    for event in events:
        kinds = set(str(event.data.get("kind", "")).split("+"))
        if event.type == "letter_sent" and kinds & _MERITS and event.data.get("message_id") not in lost - {""}:
            return event.at.astimezone(app.settings.zone).date()
    return None


def entries(app: App) -> list[dict[str, Any]]:
    """Return the whole register, by reference."""
    with app.database.reading() as session:
        return [entry(session, app, case) for case in sorted(cases.listed(session), key=lambda c: c.reference)]


def export(app: App, kind: str, out: Path | None) -> int:
    """Write the register as CSV, XLSX or JSON; return the exit status."""
    language = app.settings.desk.language
    rows = entries(app)
    if kind == "json":
        content = json.dumps(rows, ensure_ascii=False, indent=2, default=str).encode() + b"\n"
    else:
        table = [[COLUMNS[name][language] for name in COLUMNS], *(_in_words(row, language) for row in rows)]
        content = as_csv(table) if kind == "csv" else as_xlsx(table)
    if out is not None:
        out.write_bytes(content)
        click.echo(out)
    else:
        sys.stdout.buffer.write(content)
    return 0


def _in_words(row: dict[str, Any], language: str) -> list[str]:
    yes_no = {True: "oui", False: "non", None: ""} if language == "fr" else {True: "yes", False: "no", None: ""}
    words = {
        **row,
        "rights": ", ".join(word(RIGHTS, language, right) for right in row["rights"]),
        "state": word(STATES, language, row["state"]),
        "identity": word(IDENTITY, language, row["identity"]),
        "extended": yes_no[row["extended"]],
        "on_time": yes_no[row["on_time"]],
    }
    return ["" if words[name] is None else str(words[name]) for name in COLUMNS]


def as_csv(table: Sequence[Sequence[str]]) -> bytes:
    """Return a table as CSV that spreadsheets open by a double click: semicolons, UTF-8 with its mark.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerows([[f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row] for row in table])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def as_xlsx(table: Sequence[Sequence[str]]) -> bytes:
    """Return a table as a workbook (ECMA-376) of one sheet; every cell is text, so nothing in it is a formula."""
    lines = []
    for row in table:
        cells = "".join(
            f'<c t="inlineStr"><is><t xml:space="preserve">{escape(_printable(c))}</t></is></c>' for c in row
        )
        lines.append(f"<row>{cells}</row>")
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Registre" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}</sheetData></worksheet>',
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            # A fixed date: the same register gives the same file.
            info = zipfile.ZipInfo(name, (2018, 5, 25, 0, 0, 0))
            archive.writestr(info, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + content)
    return made.getvalue()


def _printable(cell: str) -> str:
    return "".join(c for c in cell if c >= " " or c in "\t\n")


def figures(rows: Sequence[dict[str, Any]], year: int) -> dict[str, Any]:
    """Return the figures of a year: of the requests received in it (Paris dates), not of what was filed as none."""
    of_year = [row for row in rows if row["received"].year == year and row["state"] != "not_request"]
    answered = [row for row in of_year if row["answered"]]
    days = [row["days"] for row in answered]
    return {
        "year": year,
        "received": len(of_year),
        "by_right": dict(Counter(right for row in of_year for right in row["rights"])),
        "by_channel": dict(Counter(row["channel"] for row in of_year)),
        "answered": len(answered),
        "on_time": sum(row["on_time"] is True for row in answered),
        "late": sum(row["on_time"] is False for row in answered),
        "median_days": statistics.median(days) if days else None,
        "extended": sum(row["extended"] for row in of_year),
        "refused": sum(row["state"] == "refused" for row in of_year),
        "partially_refused": sum(row["state"] == "partially_refused" for row in of_year),
        "open": sum(row["state"] not in cases.CLOSED and not row["answered"] for row in of_year),
    }


_FIGURES = {
    "received": {"fr": "Demandes reçues", "en": "Requests received"},
    "answered": {"fr": "Réponses parties", "en": "Answers sent"},
    "on_time": {"fr": "dans le délai", "en": "on time"},
    "late": {"fr": "en retard", "en": "late"},
    "median_days": {"fr": "Délai médian (jours)", "en": "Median days"},
    "extended": {"fr": "Prolongées", "en": "Extended"},
    "refused": {"fr": "Refusées", "en": "Refused"},
    "partially_refused": {"fr": "Refusées en partie", "en": "Partly refused"},
    "open": {"fr": "Sans réponse encore", "en": "Not answered yet"},
}


def report(app: App, year: int, *, as_json: bool) -> int:
    """Print the figures of a year; return the exit status."""
    language = app.settings.desk.language
    found = figures(entries(app), year)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return 0
    for name, said in _FIGURES.items():
        click.echo(f"{said[language]} : {'–' if found[name] is None else found[name]}")
    for right, count in sorted(found["by_right"].items(), key=lambda pair: -pair[1]):
        click.echo(f"  {word(RIGHTS, language, right)} : {count}")
    return 0
