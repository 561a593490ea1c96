"""The digest's picture: unanswered requests by days left, as horizontal bars. Its words stand in the mail as well."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

WIDTH = 420
"""Of the picture as shown, in CSS pixels: narrow, so that a phone does not shrink its words; drawn at twice that."""

_SCALE = 2
_ROW = 26
_MARGIN = 10
_LABEL = 100
_NUMBER = 40
_INK, _MUTED, _PAPER, _RULE = "#1d2630", "#5a6672", "#ffffff", "#c6ced6"
_LATE, _SOON, _CALM = "#a32020", "#24496b", "#6f93b4"

LABELS = {
    "fr": {
        "overdue": "en retard", "0-7": "0-7 jours", "8-14": "8-14 jours", "15-21": "15-21 jours",
        "22-31": "22-31 jours", "32+": "32 jours et +", "paused": "suspendu",
    },
    "en": {
        "overdue": "overdue", "0-7": "0-7 days", "8-14": "8-14 days", "15-21": "15-21 days",
        "22-31": "22-31 days", "32+": "32 days +", "paused": "suspended",
    },
}  # fmt: skip
"""Short words beside the bars, plain ASCII: the font that comes with Pillow has no accents,
and no other is sure to be there."""


def height(rows: int) -> int:
    """Return the height of a picture of *rows* bars, in CSS pixels."""
    return rows * _ROW + 2 * _MARGIN


def bars(counts: Sequence[tuple[str, int]], *, language: str) -> bytes:
    """Draw (code, count) pairs as a PNG, in the order given: late in red, near in dark, suspended as an outline.

    On white whatever the reader's colours, so that it is legible in the dark too. The same counts give the same bytes.
    """
    size = (WIDTH * _SCALE, height(len(counts)) * _SCALE)
    image = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(14 * _SCALE)
    left = (_MARGIN + _LABEL) * _SCALE
    room = (WIDTH - 2 * _MARGIN - _LABEL - _NUMBER) * _SCALE
    most = max((count for _, count in counts), default=0)
    for row, (code, count) in enumerate(counts):
        top = (_MARGIN + row * _ROW) * _SCALE
        middle = top + _ROW * _SCALE // 2
        late = code == "overdue" and count > 0
        ink = _LATE if late else _INK if count else _MUTED
        draw.text((left - 10 * _SCALE, middle), LABELS[language][code], font=font, fill=ink, anchor="rm")
        # One request is a bar that can be seen, and never as wide as the picture: it is not a percentage.
        length = round(room * count / max(most, 4))
        box = (left, top + 5 * _SCALE, left + length, top + (_ROW - 5) * _SCALE)
        if count and code == "paused":
            draw.rectangle(box, outline=_SOON, width=_SCALE)
        elif count:
            draw.rectangle(box, fill=_LATE if late else _SOON if code == "0-7" else _CALM)
        draw.text((left + length + 8 * _SCALE, middle), str(count), font=font, fill=ink, anchor="lm")
    draw.line((left, _MARGIN * _SCALE, left, size[1] - _MARGIN * _SCALE), fill=_RULE, width=_SCALE)
    written = io.BytesIO()
    image.quantize(colors=32).save(written, format="PNG", optimize=True)
    return written.getvalue()
