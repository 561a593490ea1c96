"""What a decision must contain: reasons, ground, remedies, and what was done (art. 12(3)-(4) GDPR)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handlers.linter.articles import CITATION, LAW
from handlers.linter.dates import DATE, dates_in
from handlers.linter.letter import Finding, Letter, fold, found

_DECISIONS = frozenset({"refusal", "extension", "fee", "not_identified", "not_competent"})
_REASON = re.compile(
    r"impos\w+ de|oblig\w+|en application d|pursuant to|\bha(?:s|ve) to stay|\brequires? (?:us|them|that)|raisons?\b"
    r"|parce qu|\bcar\b|motifs?\b|en effet|afin de|because|reasons?\b|\bsince (?:we|the|you)|grounds?\b"
)
_COURT = re.compile(r"tribun|recours jurid|recours devant|\bjuge\b|judicial remedy|\bcourts?\b")
_LIFTED_REASON = re.compile(
    r"charge de travail|surcroit d'activite|conges?\b|vacances|absen(?:ce|t)|arret maladie|malade\b|debord[ee]|surcharge"
    r"|(?:petite|jeune) equipe|equipe (?:reduite|restreinte)|(?:haute|pleine|forte) saison|saison (?:estivale"
    r"|touristique|chargee)"
    r"|(?:periode|semaine)s? (?:estivale|chargee)|panne|demenagement|recrut|stagiaire|retard accumule"
    r"|(?:delegue|collegue|equipe|personnel|agent|salarie|colleague|team|staff|officer)s?\b[^.]*(?:deplacement"
    r"|indisponib|parti[es]*\b"
    r"|quitte|remplac|conge|formation|reduit|manqu|\bleft\b|replac|unavailable|travel|training|reduced|short\b)|sick\b"
    r"|illness|small team|team is small|(?:peak|high|summer|busy) season|backlog|breakdown|office move|new (?:staff|system)"
    r"|manque de (?:personnel|temps|moyens)|effectifs?\b|sous-effectif"
    r"|workload|\bholidays?\b|\bleave\b|understaff|staff (?:shortage|absence)|lack of (?:staff|time)"
    r"|short of staff|very busy"
)


def decision(letter: Letter) -> Iterator[Finding]:
    """Find what a decision lacks: reasons, ground, remedies (art. 12(3)-(4))."""
    facts, kinds = letter.facts, letter.facts.kinds
    if not kinds & _DECISIONS:
        if "answer" in kinds and not (
            facts.authority_name.casefold() in letter.folded and _COURT.search(letter.folded)
        ):
            yield found(
                "remedies-advised",
                f"Ajoutez la ligne des recours ({facts.authority_name}, tribunal).",
                f"Add the line on remedies ({facts.authority_name}, court).",
                "warning",
            )
        return
    # The closing lines on remedies hold the word "recours" and articles of their own: reasons are looked for before them.
    body = " ".join(p for p in letter.paragraphs if not (fold(facts.authority_name) in p and _COURT.search(p)))
    if not _REASON.search(body):
        yield found(
            "reasons",
            "Donnez les raisons, avec les données concernées (article 12(4)).",
            "Give the reasons, with the data concerned (Article 12(4)).",
        )
    if kinds & {"refusal", "fee"} and set(facts.rights) - {"complaint", "breach_report"} and not LAW.search(body):
        yield found(
            "legal-ground",
            "Citez le texte sur lequel la décision se fonde (par exemple l'article 17(3)).",
            "Name the text of law the decision rests on (for example Article 17(3)).",
        )
    yield from _remedies(letter)
    if "refusal" in kinds and facts.in_part and not re.search(r"partie|partiel|\bpart\b|partial", letter.folded):
        yield found("partial", "Dites que le refus est partiel.", "Say that the refusal is partial.", "warning")
    if kinds & {"refusal", "fee"}:
        yield from _excessive(letter)
    if "extension" in kinds:
        yield from _extension(letter)
    if "fee" in kinds and not re.search(r"renonc|retirer|redui|\bdrop\b|withdraw|narrow", letter.folded):
        yield found(
            "fee-choice",
            "Dites que la personne peut réduire sa demande ou y renoncer sans frais.",
            "Say that the person may narrow the request or drop it free of charge.",
        )


def _remedies(letter: Letter) -> Iterator[Finding]:
    facts = letter.facts
    # The address of a web page names the authority to a machine, not to a reader.
    read = re.sub(r"https?://\S+", " ", letter.folded)
    if fold(facts.authority_name) not in read or fold(facts.authority_address) not in read:
        yield found(
            "authority",
            f"Indiquez la réclamation auprès de la {facts.authority_name}, avec l'adresse : {facts.authority_address}.",
            f"Give the right to complain to the {facts.authority_name}, with its address: {facts.authority_address}.",
        )
    if not _COURT.search(letter.folded):
        yield found("court", "Indiquez le recours devant le tribunal.", "Give the remedy before a court.")
    if facts.dpo_email.casefold() not in letter.folded:
        yield found("dpo-contact", f"Donnez l'adresse {facts.dpo_email}.", f"Give the address {facts.dpo_email}.")


_EXCESSIVE = re.compile(
    r"mauvaise foi|intention de nuire|malveillan|malicious|frivol|abus de droit|abuse of (?:rights?|process|the right)"
    r"|bad faith|harcel|harass|"
    r"manifestement (?:infond|excessi)|(?:est|sont|caractere|jugee?|trop) (?:abusi|excessi|repetiti)"
    r"|manifestly (?:unfounded|excessive)|(?:\bis|are|considered?) (?:excessive|repetitive|abusive|vexatious)"
)


def _excessive(letter: Letter) -> Iterator[Finding]:
    for index, paragraph in enumerate(letter.paragraphs):
        if _EXCESSIVE.search(paragraph):
            near = " ".join(letter.paragraphs[index : index + 2])
            # The day of receipt counts no requests.
            own = {letter.facts.received_on, letter.facts.today, letter.facts.due}
            for day in DATE.finditer(near):
                if set(dates_in(day[0])) <= own:
                    near = near.replace(day[0], " ")
            counted = CITATION.sub(" ", near).replace(letter.facts.reference.casefold(), " ")
            if not re.search(r"\d", counted):
                yield found(
                    "excessive-without-evidence",
                    "« Manifestement excessive » se prouve : donnez le nombre et les dates des demandes.",
                    '"Manifestly excessive" must be shown: give the number and the dates of the requests.',
                )


def _extension(letter: Letter) -> Iterator[Finding]:
    facts = letter.facts
    if facts.extended_due and facts.extended_due not in set(dates_in(letter.folded)):
        day = facts.extended_due.isoformat()
        yield found("extension-date", f"Donnez la nouvelle date limite ({day}).", f"Give the new last day ({day}).")
    if any(_LIFTED_REASON.search(sentence) for sentence in letter.sentences):
        yield found(
            "extension-reason",
            "Travail, congés et absences ne sont pas des raisons : dites la complexité ou le nombre des demandes.",
            "Workload, holidays and absences are no reasons: name the complexity or the number of requests.",
        )
    limit = facts.due or facts.due_if_not_paused
    if facts.today and limit and facts.today > limit:
        yield found(
            "extension-late",
            "Le premier mois est passé : une prolongation n'est plus possible, répondez.",
            "The first month is over: an extension is no longer possible, answer.",
        )


def undone(letter: Letter) -> Iterator[Finding]:
    """An answer says that something was done: searched, erased, corrected, recipients told (art. 15-19)."""
    tasks = letter.facts.open_tasks
    if tasks and letter.facts.kinds & {"answer", "refusal"}:
        named = ", ".join(tasks[:5]) + (" …" if len(tasks) > 5 else "")
        yield found(
            "open-tasks",
            f"Tâches encore ouvertes, que cette lettre tient pour faites : {named}.",
            f"Tasks still open that this letter takes as done: {named}.",
            "warning",
        )
