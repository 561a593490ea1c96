"""What the figures of an evaluation rest on: who wrote, what is mistaken for what, whether confidence can be believed,
and what it costs to ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from nlp.corpus import Example
from nlp.types import Reading

Pair = tuple[Example, Reading]

BINS = 10
CONFUSED = 15
_WIDTH = 40


def voice_kind(one: Example) -> str:
    """Return what kind of person writes, as far as the labels tell: it is read off them, not noted in the corpus."""
    kind = one.flags.get("third_party_kind")
    if kind in ("minor_child", "mandate", "deceased"):
        return {"minor_child": "for a child", "mandate": "for a client", "deceased": "for a dead"}[str(kind)]
    for flag, name in (("employee", "staff"), ("press", "press"), ("minor", "minor")):
        if one.flags.get(flag):
            return name
    if one.primary in ("authority", "spam"):
        return one.primary
    if one.primary in ("auto_reply", "bounce"):
        return "machine"
    if one.flags.get("urgent_tone"):
        return "upset"
    return "chat" if one.message.channel != "email" else "plain"


def right_as_debated(one: Example, primary: str) -> bool:
    """Say whether *primary* is the one given or another that a careful person may give, too."""
    return primary == one.primary or primary in one.debatable


def confusion(pairs: Sequence[Pair], limit: int = CONFUSED) -> list[dict[str, Any]]:
    """Return which primary is most often read as which other, the most frequent first."""
    found = Counter((one.primary, reading.primary) for one, reading in pairs if one.primary != reading.primary)
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [{"is": gold, "read_as": read, "messages": count} for (gold, read), count in ranked[:limit]]


def reliability(confidences: Sequence[tuple[float, bool]], bins: int = BINS) -> list[dict[str, float]]:
    """Return the reliability curve: of the messages read with about this confidence, how many were read right."""
    curve: list[dict[str, float]] = []
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = [(c, right) for c, right in confidences if low <= c < high or (number == bins - 1 and c >= high)]
        if inside:
            curve.append(
                {
                    "from": round(low, 2),
                    "to": round(high, 2),
                    "messages": len(inside),
                    "confidence": round(sum(c for c, _ in inside) / len(inside), 4),
                    "right": round(sum(right for _, right in inside) / len(inside), 4),
                }
            )
    return curve


def asking(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return what it cost to ask: how often, how many questions were needed, and what went wrong unasked."""
    asked = [one.primary != reading.primary for one, reading in pairs if reading.decision == "ask_dpo"]
    unasked = [one.primary != reading.primary for one, reading in pairs if reading.decision != "ask_dpo"]
    return {
        "asked": len(asked),
        "asked_share": round(len(asked) / len(pairs), 4) if pairs else 0.0,
        "asked_and_would_be_wrong": sum(asked),
        "asked_needlessly": len(asked) - sum(asked),
        "unasked": len(unasked),
        "unasked_and_wrong": sum(unasked),
        "errors_caught_share": round(sum(asked) / (sum(asked) + sum(unasked)), 4) if any((*asked, *unasked)) else 0.0,
    }


def curve_lines(curve: Sequence[Mapping[str, float]]) -> list[str]:
    """Return the reliability curve as text: a bar as long as what was right, a stroke where the confidence stands."""
    lines = [f"{'confidence':>11} {'n':>5} {'said':>6} {'right':>6}"]
    for one in curve:
        bar = list(("#" * round(one["right"] * _WIDTH)).ljust(_WIDTH + 1))
        bar[min(_WIDTH, round(one["confidence"] * _WIDTH))] = "|"
        lines.append(
            f"{one['from']:.1f} to {one['to']:.1f} {one['messages']:5.0f} {one['confidence']:6.3f} {one['right']:6.3f}  "
            + "".join(bar).rstrip()
        )
    return lines


def asking_lines(cost: Mapping[str, Any]) -> list[str]:
    """Return what it cost to ask, in words."""
    return [
        f"asked of the DPO {cost['asked']} ({cost['asked_share']:.3f}): "
        f"{cost['asked_and_would_be_wrong']} would have been wrong, {cost['asked_needlessly']} would have been right",
        f"not asked {cost['unasked']}: {cost['unasked_and_wrong']} wrong; asking caught "
        f"{cost['errors_caught_share']:.3f} of the errors",
    ]


def confusion_lines(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the most frequent confusions as text."""
    return [f"{one['messages']:4}  {one['is']} read as {one['read_as']}" for one in found]


def curve_svg(curve: Sequence[Mapping[str, float]], *, title: str) -> str:
    """Return the reliability curve as a picture (SVG): on the diagonal, confidence is what it says."""
    left, top, size = 60, 40, 400

    def place(x: float, y: float) -> str:
        return f"{left + x * size:.1f},{top + (1 - y) * size:.1f}"

    most = max((one["messages"] for one in curve), default=1.0)
    dots = "".join(
        f'<circle cx="{left + one["confidence"] * size:.1f}" cy="{top + (1 - one["right"]) * size:.1f}" '
        f'r="{3 + 9 * (one["messages"] / most) ** 0.5:.1f}" fill="#1f5f99" fill-opacity="0.7">'
        f"<title>{one['messages']:.0f} messages: {one['confidence']:.3f} said, {one['right']:.3f} right</title></circle>"
        for one in curve
    )
    marks = "".join(
        f'<text x="{left + tick / 5 * size:.0f}" y="{top + size + 18}" text-anchor="middle">{tick / 5:.1f}</text>'
        f'<text x="{left - 8}" y="{top + (1 - tick / 5) * size + 4:.0f}" text-anchor="end">{tick / 5:.1f}</text>'
        for tick in range(6)
    )
    line = " ".join(place(one["confidence"], one["right"]) for one in curve)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size + 90}" height="{size + 90}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{left}" y="22" font-size="14">{escape(title)}</text>'
        f'<rect x="{left}" y="{top}" width="{size}" height="{size}" fill="none" stroke="#999"/>'
        f'<polyline points="{place(0, 0)} {place(1, 1)}" stroke="#999" stroke-dasharray="4 4" fill="none"/>'
        f'<polyline points="{line}" stroke="#1f5f99" stroke-width="2" fill="none"/>{dots}{marks}'
        f'<text x="{left + size / 2:.0f}" y="{top + size + 38}" text-anchor="middle">confidence said</text>'
        f'<text transform="translate(16 {top + size / 2:.0f}) rotate(-90)" text-anchor="middle">read right</text></svg>\n'
    )
