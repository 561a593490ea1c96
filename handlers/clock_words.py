"""What the deadline engine says to people, in French and English: warnings and the lines of its trace.

A small table of sentences, so that :mod:`handlers.clock` holds the rules alone. Dates come in as ``date`` and are
written out in words, since 5/6 is read in two ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

LANGUAGES = ("en", "fr")

_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
}
_MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
}  # fmt: skip

WARNINGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "late-identity-request": (
            "identity was asked on {asked}, more than {limit} working days after receipt; the decree suspends all the "
            "same, the EDPB only when asked without undue delay: aim for {unpaused} [DEC 77; EDPB-T]",
            "l'identité a été demandée le {asked}, plus de {limit} jours ouvrés après la réception ; le décret suspend "
            "malgré tout, le CEPD seulement si la demande est faite sans retard : visez le {unpaused} [DEC 77; EDPB-T]",
        ),
        "late-verdict": (
            "what was received on {received} was found insufficient on {judged} only; a suspension that our own delay "
            "prolongs may be contested: aim for {unpaused} [EDPB-T]",
            "les éléments reçus le {received} n'ont été jugés insuffisants que le {judged} ; une suspension que notre "
            "propre retard prolonge peut être contestée : visez le {unpaused} [EDPB-T]",
        ),
        "verdict-too-late": (
            "the proof of identity was found insufficient on {judged}, after the due date; the clock had run out "
            "and is not suspended again [DEC 77]",
            "la preuve d'identité a été jugée insuffisante le {judged}, après l'échéance ; le délai avait expiré et "
            "n'est pas suspendu de nouveau [DEC 77]",
        ),
        "verdict-without-request": (
            "a proof of identity was found insufficient on {judged}, but none had been asked for; only a request for "
            "identity suspends the clock [DEC 77]",
            "une preuve d'identité a été jugée insuffisante le {judged} sans avoir été demandée ; seule une demande "
            "d'identité suspend le délai [DEC 77]",
        ),
        "pause-too-late": (
            "the question of {asked} was asked after the last day of the first month ({limit}); it suspends nothing "
            "[DEC 77]",
            "la question du {asked} a été posée après le dernier jour du premier mois ({limit}) ; elle ne suspend rien "
            "[DEC 77]",
        ),
        "disputed-clarification": (
            "the question about the scope does not suspend the clock here: the decree speaks of identification only "
            "[DEC 77; Recital 63]",
            "la question sur l'étendue de la demande ne suspend pas le délai ici : le décret ne vise que "
            "l'identification [DEC 77; considérant 63]",
        ),
        "clarification-paused": (
            "the clock is suspended for a question about the scope, by configuration; this is disputed in France: aim "
            "for {unpaused} [DEC 77; Recital 63]",
            "le délai est suspendu pour une question sur l'étendue de la demande, par réglage ; c'est discuté en "
            "France : visez le {unpaused} [DEC 77; considérant 63]",
        ),
        "identity-not-needed": (
            "identity was asked, but an objection to marketing, a withdrawal of consent, a complaint or a breach "
            "report needs none; the suspension may be contested: aim for {unpaused} [GDPR 12(6), 21(3)]",
            "l'identité a été demandée, mais une opposition à la prospection, un retrait de consentement, une "
            "réclamation ou un signalement de violation n'en exige pas ; la suspension peut être contestée : visez le "
            "{unpaused} [RGPD 12(6), 21(3)]",
        ),
        "marketing-objection": (
            "an objection to marketing is absolute: stop at once, without reason or proof of identity; the month is "
            "only for the reply [GDPR 21(2)-(3)]",
            "l'opposition à la prospection est absolue : cesser aussitôt, sans motif ni preuve d'identité ; le mois ne "
            "vaut que pour la réponse [RGPD 21(2)-(3)]",
        ),
        "withdrawal-at-once": (
            "a consent is withdrawn as easily as it was given: stop at once; the month is only for the reply "
            "[GDPR 7(3)]",
            "un consentement se retire aussi simplement qu'il a été donné : cesser aussitôt ; le mois ne vaut que pour "
            "la réponse [RGPD 7(3)]",
        ),
        "breach-72h": (
            "a breach has a clock of its own: 72 elapsed hours from awareness to notify the authority, weekends "
            "included [GDPR 33(1)]",
            "une violation a son propre délai : 72 heures écoulées dès la connaissance pour notifier l'autorité, "
            "week-ends compris [RGPD 33(1)]",
        ),
        "minor-erasure": (
            "erasure of data collected from a minor: the person may go to the CNIL after one month; never extend "
            "[LIL 51 II]",
            "effacement de données collectées auprès d'un mineur : la personne peut saisir la CNIL au bout d'un mois ; "
            "ne jamais prolonger [LIL 51 II]",
        ),
        "extension-too-late": (
            "the notice of extension of {notice} left after the due date ({due}) and has no effect [GDPR 12(3)]",
            "l'avis de prolongation du {notice} est parti après l'échéance ({due}) et n'a pas d'effet [RGPD 12(3)]",
        ),
        "second-extension": (
            "the period can be extended once; the notice of {notice} changes nothing [GDPR 12(3)]",
            "le délai ne peut être prolongé qu'une fois ; l'avis du {notice} ne change rien [RGPD 12(3)]",
        ),
        "extension-on-rolled-day": (
            "the notice of extension left on {notice}, after {month_end} but within the days added by a weekend or "
            "holiday; accepted by the regulation, better avoided [R1182 3(4)]",
            "l'avis de prolongation est parti le {notice}, après le {month_end} mais dans les jours ajoutés par un "
            "week-end ou un jour férié ; admis par le règlement, à éviter [R1182 3(4)]",
        ),
        "extension-depends-on-pause": (
            "the notice of extension of {notice} is in time only because the clock was suspended; without the "
            "suspension the answer was due on {unpaused} [DEC 77]",
            "l'avis de prolongation du {notice} n'est à temps que grâce à la suspension ; sans elle la réponse était "
            "due le {unpaused} [DEC 77]",
        ),
        "month-end-extension": (
            "three months from receipt give {from_receipt}, two months from the first end give {from_end}; where the "
            "extension is used, aim for the earlier [GDPR 12(3); ICO-X]",
            "trois mois depuis la réception donnent le {from_receipt}, deux mois depuis la première échéance le "
            "{from_end} ; en cas de prolongation, visez la date la plus proche [RGPD 12(3); ICO-X]",
        ),
    }
)
"""Warning code -> its sentence in English and French."""

TRACE: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "receipt": (
            "EDPB-T",
            "Received on {day} ({zone}): day zero, whatever the hour. A night, a weekend or a holiday counts too.",
            "Reçu le {day} ({zone}) : jour zéro, quelle que soit l'heure. La nuit, le week-end et les fériés comptent.",
        ),
        "next-day": (
            "MISH",
            "By configuration day zero is the day after receipt, {day} (ICO's reckoning until 2019).",
            "Par réglage, le jour zéro est le lendemain de la réception, {day} (calcul de l'ICO jusqu'en 2019).",
        ),
        "restart": (
            "ICO25",
            "By configuration the clock starts again on the day identity was received, {day}.",
            "Par réglage, le délai recommence le jour où l'identité a été reçue, {day}.",
        ),
        "forwarded": (
            "EDPB-C",
            "Passed on to the DPO on {day}: the start does not move; days already lost: {days}.",
            "Transmis au DPO le {day} : le point de départ ne bouge pas ; jours déjà perdus : {days}.",
        ),
        "month": (
            "GDPR 12(3); R1182 3(2)(c)",
            "One month: the day with the same number in the next month, {day}.",
            "Un mois : le jour de même quantième du mois suivant, {day}.",
        ),
        "month-end": (
            "GDPR 12(3); R1182 3(2)(c)",
            "One month: the next month has no day {number}, so it ends on its last day, {day}.",
            "Un mois : le mois suivant n'a pas de {number}, il finit donc son dernier jour, {day}.",
        ),
        "identity-pause": (
            "DEC 77; EDPB-T",
            "Identity asked on {asked}, enough received on {received}. Suspended days, the first not counted: {days}.",
            "Identité demandée le {asked}, suffisante le {received}. Jours de suspension, sans le premier : {days}.",
        ),
        "clarification-pause": (
            "Recital 63; EDPB-T",
            "Scope asked on {asked}, answered on {received}. Suspended days, the first not counted: {days}.",
            "Précision demandée le {asked}, reçue le {received}. Jours de suspension, sans le premier : {days}.",
        ),
        "identity-open": (
            "DEC 77; EDPB-T",
            "Identity asked on {asked} and still awaited: the clock stands, there is no due date.",
            "Identité demandée le {asked} et toujours attendue : le délai est suspendu, pas d'échéance.",
        ),
        "clarification-open": (
            "Recital 63; EDPB-T",
            "Scope asked on {asked} and still awaited: the clock stands, there is no due date.",
            "Précision demandée le {asked} et toujours attendue : le délai est suspendu, pas d'échéance.",
        ),
        "pause-not-counted": (
            "DEC 77",
            "The question of {asked} came after {limit}, the end of the first month: it suspends nothing.",
            "La question du {asked} est venue après le {limit}, fin du premier mois : elle ne suspend rien.",
        ),
        "clarification-not-counted": (
            "DEC 77; Recital 63",
            "The question of {asked} about the scope suspends nothing; with a suspension the date would be {other}.",
            "La question du {asked} sur l'étendue ne suspend rien ; avec une suspension ce serait le {other}.",
        ),
        "clarification-not-counted-open": (
            "DEC 77; Recital 63",
            "The question of {asked} about the scope, still unanswered, suspends nothing.",
            "La question du {asked} sur l'étendue, restée sans réponse, ne suspend rien.",
        ),
        "suspension": (
            "CPC 641; DEC 77",
            "Months first, then days: suspended days added (overlaps counted once): {days}, to {day}.",
            "Les mois d'abord, les jours ensuite : jours ajoutés (une fois s'ils se chevauchent) : {days}, au {day}.",
        ),
        "guard": (
            "DEC 77",
            "Never before the day the awaited answer came, {day}.",
            "Jamais avant le jour où la réponse attendue est arrivée, {day}.",
        ),
        "roll": (
            "R1182 3(4), 2(2); CPC 642",
            "Moved once, at the end, to the next working day, {day}; not working: {skipped}.",
            "Reporté une seule fois, à la fin, au jour ouvré suivant, {day} ; non ouvrés : {skipped}.",
        ),
        "no-roll": (
            "R1182 3(4), 2(2); CPC 642",
            "{day} is a working day: nothing to move.",
            "Le {day} est un jour ouvré : aucun report.",
        ),
        "extension-possible": (
            "GDPR 12(3); ICO-X",
            "If an extension with its reasons is notified in time: three months from receipt, {day}.",
            "Si une prolongation motivée est notifiée à temps : trois mois depuis la réception, {day}.",
        ),
        "extension": (
            "GDPR 12(3); ICO-X",
            "Extension notified in time, on {notice}: three months from receipt, plus suspended days ({days}), {day}.",
            "Prolongation notifiée à temps, le {notice} : trois mois depuis la réception, plus {days} jours, le {day}.",
        ),
        "first-limit": (
            "GDPR 12(3); R1182 3(2)(c)",
            "The first limit stays {day}, 24:00 ({zone}): a notice of extension must leave by then.",
            "La première échéance reste le {day} à 24 h ({zone}) : un avis de prolongation doit partir d'ici là.",
        ),
        "extension-too-late": (
            "GDPR 12(3)",
            "Extension notified on {notice}, after the due date: no effect.",
            "Prolongation notifiée le {notice}, après l'échéance : sans effet.",
        ),
        "extension-minor": (
            "LIL 51 II; NOT-MIN",
            "Extension notified on {notice}, but the data were collected from a minor: never extended.",
            "Prolongation notifiée le {notice}, mais les données ont été collectées auprès d'un mineur : sans effet.",
        ),
        "second-extension": (
            "GDPR 12(3)",
            "A second extension, notified on {notice}, changes nothing.",
            "Une seconde prolongation, notifiée le {notice}, ne change rien.",
        ),
        "last-instant": (
            "R1182 3(2)(c)",
            "The answer is in time until 24:00 on {day} ({zone}).",
            "La réponse est à temps jusqu'au {day} à 24 h ({zone}).",
        ),
        "if-not-paused": (
            "EDPB-T",
            "If the suspension were contested, the month would end on {day}.",
            "Si la suspension était contestée, le mois finirait le {day}.",
        ),
        "if-not-paused-extended": (
            "EDPB-T; GDPR 12(3)",
            "The extension would hold even then, since its notice left in time: {day}.",
            "La prolongation vaudrait même alors, l'avis étant parti à temps : {day}.",
        ),
    }
)
"""Trace rule -> its source (the short tags of docs), its sentence in English and in French."""

NOT_WORKING = {"en": ("Saturday", "Sunday"), "fr": ("samedi", "dimanche")}


def in_words(day: date, language: str) -> str:
    """Write a date so that nobody can misread it: "Wed 5 March 2025", "mer. 5 mars 2025"."""
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    return f"{_DAYS[language][day.weekday()]} {number} {_MONTHS[language][day.month - 1]} {day.year}"


def _filled(sentence: str, language: str, facts: Mapping[str, object]) -> str:
    shown = {
        name: in_words(fact, language) if isinstance(fact, date) and not isinstance(fact, datetime) else fact
        for name, fact in facts.items()
    }
    return sentence.format_map(shown)


def warning(code: str, language: str, **facts: object) -> str:
    """Return ``code: sentence``; the code is stable, the sentence is for people."""
    return f"{code}: {_filled(WARNINGS[code][LANGUAGES.index(language)], language, facts)}"


def trace_text(rule: str, language: str, **facts: object) -> tuple[str, str]:
    """Return the source and the sentence of a trace line."""
    line = TRACE[rule]
    return line[0], _filled(line[1 + LANGUAGES.index(language)], language, facts)
