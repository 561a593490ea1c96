"""``dpobot suppression FILE``: a mailing list without those who said no (art. 21(3), 7(3) GDPR)."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from bot.app import App
from bot.suppression import NoAddresses, allowed_rows


def suppression(app: App, file: Path) -> int:
    """Print the rows of a CSV mailing list that may be written to, and say on standard error how many were left out.

    Exit status 2 when the file cannot be read or has no column of addresses.
    """
    left_out = 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            for row, stays in allowed_rows(app, lines):
                if stays:
                    writer.writerow(row)
                left_out += not stays
    except (OSError, UnicodeDecodeError, NoAddresses) as error:
        click.echo(f"{file.name}: {error}", err=True)
        return 2
    click.echo(f"{left_out} left out", err=True)
    return 0
