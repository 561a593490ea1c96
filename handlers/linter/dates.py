"""Dates that agree with the clock, and an answer that says when it is late (art. 12(3) GDPR)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from handlers.linter.letter import Finding, Letter, found

_MONTHS = {
    name: number
    for names in (
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
        "january february march april may june july august september october november december",
    )
    for number, name in enumerate(names.split(), start=1)
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
DATE = re.compile(
    rf"\b(?P<d1>\d{{1,2}})(?:er|st|nd|rd|th)? (?P<m1>{_MONTH}) (?P<y1>\d{{4}})\b"
    rf"|\b(?P<m2>{_MONTH}) (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y2>\d{{4}})\b"
    r"|\b(?P<y3>\d{4})-(?P<m3>\d{2})-(?P<d3>\d{2})\b|\b(?P<d4>\d{1,2})/(?P<m4>\d{1,2})/(?P<y4>\d{4})\b"
)
_LAW_DATE = re.compile(
    rf"(?:loi|decret|act|decree|law)\b[^.;]{{0,20}}?\b(?:du|of) \d{{1,2}}(?:er)? (?:{_MONTH}) \d{{4}}"
)
_DEADLINE = re.compile(
    r"au plus tard|\bdelai|prend fin|echeance|mois finit|repondrons|(?:recevrez|recevras) notre reponse"
    r"|reponse est reportee|ici, jusqu'au"
    r"|no later than|time limit|deadline|period ends|\bit ends on|month ends|will answer|receive our answer"
    r"|answer (?:you )?by|here, by|is extended to"
)
KEPT = re.compile(r"supprim|efface|conserv|\bgard|delet|erased|\bkept\b|\bkeep\b|destroy|storage|retention")


def dates_in(folded: str) -> Iterator[date]:
    """Yield the dates a folded text names, in any of the forms people write."""
    for match in DATE.finditer(folded):
        part = {name[0]: value for name, value in match.groupdict().items() if value}
        month = _MONTHS.get(part["m"]) or int(part["m"])
        try:
            yield date(int(part["y"]), month, int(part["d"]))
        except ValueError:
            continue


_LATE = re.compile(
    r"retard|tardi|apres (?:le delai|l'echeance)|excus|regrett|\blate\b|delay|apolog|sorry|after the (?:time limit|deadline)"
)


def overdue(letter: Letter) -> Iterator[Finding]:
    """A late answer that does not say so invites the next complaint (art. 12(3)-(4))."""
    facts = letter.facts
    last = facts.due or facts.due_if_not_paused
    decides = facts.kinds & {"answer", "refusal", "not_competent", "not_identified"}
    if decides and facts.due and last and facts.today and facts.today > last and not _LATE.search(letter.folded):
        yield found(
            "overdue",
            "Cette réponse est tardive : dites-le et excusez-vous, sans invoquer de raison que la loi ne connaît pas.",
            "This answer is late: say so and apologise, without a reason that the law does not know.",
            "warning",
        )


def due_dates(letter: Letter) -> Iterator[Finding]:
    """Find last days that are not those of the clock (art. 12(3))."""
    facts = letter.facts
    allowed = {facts.due, facts.due_if_not_paused, facts.received_on, facts.today}
    last = facts.due or facts.due_if_not_paused
    if "extension" in facts.kinds:
        allowed.add(facts.extended_due)
        last = facts.extended_due or last
    if last is None:
        return
    speaking = [s for s in letter.sentences if _DEADLINE.search(s) and not KEPT.search(s)]
    if any(set(dates_in(_LAW_DATE.sub(" ", sentence))) - allowed for sentence in speaking):
        yield found(
            "due-date",
            f"Une date limite contredit le dossier : écrivez {last.isoformat()}.",
            f"A last day contradicts the case: write {last.isoformat()}.",
        )
