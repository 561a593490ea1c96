"""What the law lets the DPO do beside answering: settle a date, announce a fee, tell recipients, lift a restriction, send a
code, compare a document. A group of the desk's actions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from email.utils import parseaddr

from sqlmodel import Session

from bot import casework, codes, intake
from bot.app import App
from bot.desk.basics import HOLE, Action, Ask, Refused, both, case_of, moment, register_words, say
from bot.letters import with_text
from bot.register import register_of
from bot.settings import User, is_address
from bot.tasks import tracked
from handlers import annex
from handlers.annex import RegisterIncomplete
from handlers.clock import ClockError, clock_events, deadline, information_limit
from handlers.documents import DocumentError, compare, typed
from handlers.opening import letter_facts
from handlers.tasks import restricted_since
from handlers.types import IdentityNeed, Letter
from nlp.types import Reading
from store import cases, drafts, journal, messages
from store.models import Case, Draft
from templates import format_date

_DAY = r"(\d{4})-(\d{2})-(\d{2})|(\d{1,2})[/.](\d{1,2})[/.](\d{4})"
BY_HAND = frozenset({"letter", "phone", "counter", "forward"})
"""Channels where a person typed the day of receipt; for the others a server vouches for it."""


def day_at_start(text: str, language: str) -> tuple[date | None, str]:
    """Return the date a text begins with (2026-03-01 or 01/03/2026) and the rest; no date gives None and the whole text.

    Raises :class:`Refused` for a date that does not exist.
    """
    found = re.match(rf"\s*(?:{_DAY})(?!\d)[\s:,;–-]*(.*)", text, re.DOTALL)
    if found is None:
        return None, text.strip()
    parts = [int(part) for part in found.groups()[:6] if part]
    year, month, day = parts if found[1] else reversed(parts)
    try:
        return date(year, month, day), found[7].strip()
    except ValueError:
        raise Refused(say(language, "Cette date n'existe pas.", "There is no such date.")) from None


# --- the clock -------------------------------------------------------------------------------------------------------


def _set_received(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Settle the day a request was received, with the reason: the month runs from it (art. 12(3)).

    Receipt by the organisation counts, on whatever channel; where a server vouches for the time, only an earlier day can be
    right (an earlier mailbox, a letter, a colleague), never a later one.
    """
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="set_received")
    received, reason = day_at_start(ask.text, language)
    if received is None or not reason:
        raise Refused(
            say(language, "Écrivez la date puis la raison : 2026-03-01 reçu à l'accueil.",
                "Write the date, then the reason: 2026-03-01 received at the desk.")
        )  # fmt: skip
    before = casework.today(app, case.received_at)
    if received == before:
        raise Refused(say(language, "C'est déjà cette date.", "It is that date already."))
    if received > casework.today(app, now):
        raise Refused(say(language, "Cette date est à venir.", "That date lies in the future."))
    if received > before and case.channel not in BY_HAND:
        raise Refused(
            say(language, "Le serveur l'a reçue plus tôt : une date plus tardive ne peut être retenue (art. 12.3).",
                "The server took it in earlier: a later date cannot hold (art. 12(3)).")
        )  # fmt: skip
    moment_of = datetime.combine(received, time(12), app.settings.zone)
    events = journal.of_case(session, case.id or 0)
    calendar = app.settings.calendar
    try:
        rows = casework.clock_rows(events)
        deadline(moment_of, clock_events(rows, moment_of), timezone=calendar.timezone, calendar=calendar.holidays,
                 rule=calendar.rule, with_trace=False)  # fmt: skip
    except ClockError as error:
        raise Refused(say(language, f"Impossible : {error}.", f"Impossible: {error}.")) from error
    case.received_at = moment_of
    session.add(case)
    data = {"before": before.isoformat(), "received": received.isoformat()}
    casework.note(session, app, case, "received_set", actor=user.key, now=now, data=data, text=reason)
    _renewed(session, app, case, "clock-changed", user=user, now=now)
    return say(
        language, "Date de réception changée ; l'échéance suit.", "Date of receipt changed; the due date follows."
    )


def _data_obtained(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Note the day data of this person were obtained from somebody else, and from whom: art. 14(3) gives a month from then to
    inform, sooner where the person is written to first."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="data_obtained")
    obtained, source = day_at_start(ask.text, language)
    if obtained is None or not source:
        raise Refused(
            say(language, "Écrivez la date puis la source : 2026-03-01 liste du professeur.",
                "Write the date, then the source: 2026-03-01 the teacher's list.")
        )  # fmt: skip
    if obtained > casework.today(app, now):
        raise Refused(say(language, "Cette date est à venir.", "That date lies in the future."))
    data = {"on": obtained.isoformat()}
    try:
        calendar = app.settings.calendar
        limit = information_limit(
            obtained, timezone=calendar.timezone, calendar=calendar.holidays, extra_holidays=calendar.extra_holidays
        )
    except ClockError as error:
        raise Refused(say(language, f"Impossible : {error}.", f"Impossible: {error}.")) from error
    casework.note(session, app, case, "data_obtained", actor=user.key, now=now, data=data, text=source)
    day = format_date(limit, language)
    return say(
        language,
        f"Noté : information de la personne au plus tard le {day} (art. 14.3), ou dès le premier courrier ; une tâche le suit.",
        f"Noted: the person is informed by {day} at the latest (art. 14(3)), or with the first letter; a task tracks it.",
    )


def _renewed(session: Session, app: App, case: Case, reason: str, *, user: User, now: datetime) -> None:
    """Void what was prepared on other facts, and prepare it anew."""
    casework.void_drafts(session, app, case, reason=reason, now=now, by=user.key)
    casework.prepare(session, app, case, step=f"desk:{moment(session)}", now=now)


def proof_received(session: Session, app: App, user: User, ask: Ask, case: Case, now: datetime) -> None:
    """Note the day a proof came, where the text of an identity decision begins with it: the month runs on from that day,
    not from the day somebody looked (décret 2019-536 art. 77). Raises :class:`Refused` for an impossible day."""
    language = app.settings.desk.language
    text = re.sub(r"(?i)^\s*(?:re[çc]ue?s?|received|arrivée?s?)\s*(?:le|on)?\s*:?\s*(?=\d)", "", ask.text)
    came, _ = day_at_start(text, language)
    if came is None or case.identity not in ("requested", "rejected", "pending_dpo_decision"):
        return
    asked = [
        casework.today(app, e.at) for e in journal.of_case(session, case.id or 0) if e.type == "identity_requested"
    ]
    earliest = max([casework.today(app, case.received_at), *asked[:1]])
    if not earliest <= came <= casework.today(app, now):
        raise Refused(
            say(language, f"La preuve n'a pu arriver ce jour-là : entre le {earliest} et aujourd'hui.",
                f"The proof cannot have come on that day: between {earliest} and today.")
        )  # fmt: skip
    at = min(datetime.combine(came, time(12), app.settings.zone), now)
    data = {"documents": 0, "by": "desk"}
    casework.note(session, app, case, "identity_received", actor=user.key, now=now, at=at, data=data)


# --- letters ---------------------------------------------------------------------------------------------------------

_AMOUNT = re.compile(
    r"^\s*(\d{1,6}(?:[ .,]\d{1,3})?)\s*(€|eur(?:os?)?)?(?![\w])[\s:,;–-]*(.*)$", re.IGNORECASE | re.DOTALL
)


def _ask_fee(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Announce a fee before charging it (art. 12(5), 15(3)): amount, what it is made of, and that nothing is due yet.

    Text: ``15,00 € copies of 120 pages``. Only a further copy, or a request shown to be excessive, may cost anything.
    """
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="ask_fee")
    found = _AMOUNT.match(ask.text)
    if found is None:
        raise Refused(
            say(language, "Écrivez le montant, puis ce qui le compose : 15,00 € copie de 120 pages.",
                "Write the amount, then what it is made of: 15.00 € copying 120 pages.")
        )  # fmt: skip
    if any(draft.kind == "fee" for draft in drafts.proposed(session, case.id or 0)):
        raise Refused(
            say(language, "Une annonce de frais attend déjà.", "An announcement of a fee is waiting already.")
        )
    extra = {
        "amount": f"{found[1].strip()} €",
        "basis": " ".join(found[3].split()),
        "cause": "copies" if ask.argument == "copies" else "",
    }
    _write(session, app, case, "case/fee", "fee", "fee", extra, now=now)
    return say(
        language,
        "Annonce de frais préparée : la première copie est toujours gratuite, la preuve de l'excès nous incombe (art. 12.5).",
        "Announcement of a fee prepared: the first copy is always free, and excess is ours to prove (art. 12(5)).",
    )


def _write(
    session: Session,
    app: App,
    case: Case,
    template: str,
    kind: str,
    step: str,
    extra: Mapping[str, object],
    *,
    now: datetime,
    recipient: str = "",
) -> Draft:
    situation = casework.situation(session, app, case, identity=IdentityNeed(0), now=now)
    facts = {**letter_facts(cases.facts_of(case), situation, reviewed=not recipient), "identity": None, **extra}
    letter = Letter(template, case.language, facts, kind)
    return casework.write_letter(
        session, app, case, letter, step=f"desk:{moment(session)}:{step}", now=now, recipient=recipient
    )


def _fill_first(session: Session, app: App, case: Case, draft: Draft, text: str, *, user: User, now: datetime) -> None:
    letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
    filled = with_text(letter, HOLE.sub(lambda _: text, letter.text, count=1), language=draft.language)
    casework.revise_letter(session, app, case, draft, filled, by=user.key, now=now)
    data = {"draft": str(draft.id), "kind": draft.kind, "revision": draft.revision, "digest": draft.digest}
    casework.note(session, app, case, "draft_edited", actor=user.key, now=now, data=data)


def _lift_restriction(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Prepare the notice that a restriction is about to end, before it does (art. 18(3))."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="lift_restriction")
    if "restriction" not in case.rights:
        raise Refused(say(language, "Ce dossier n'a pas de limitation.", "This case has no restriction."))
    if any(draft.kind == "lifting" for draft in drafts.proposed(session, case.id or 0)):
        raise Refused(say(language, "Cet avis attend déjà.", "That notice is waiting already."))
    draft = _write(session, app, case, "case/lifting", "lifting", "lifting", {}, now=now)
    _fill_first(session, app, case, draft, ask.text.strip(), user=user, now=now)
    told = say(
        language,
        "Avis préparé ; ne levez la limitation qu'après son départ (art. 18.3), puis notez-la levée dans les tâches.",
        "Notice prepared; lift the restriction only after it has left (art. 18(3)), then note it as lifted in the tasks.",
    )
    if restricted_since(tracked(session, app, case)) is None:
        told += say(
            language,
            " La limitation n'est pas marquée dans les tâches.",
            " The tasks do not say that data are restricted.",
        )
    return told


def _tell_recipients(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Prepare a notice for each recipient of data that were rectified, erased or restricted (art. 19). One address a line."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="tell_recipients")
    if not {"rectification", "erasure", "restriction"} & set(case.rights):
        raise Refused(
            say(language, "L'article 19 suit une rectification, un effacement ou une limitation.",
                "Article 19 follows a rectification, an erasure or a restriction.")
        )  # fmt: skip
    addresses = []
    for line in filter(None, (part.strip() for part in re.split(r"[\n;]", ask.text))):
        address = parseaddr(line)[1]
        if not is_address(address) or address.lower() in app.settings.own_addresses:
            raise Refused(say(language, "Écrivez une adresse par ligne.", "Write an address a line."))
        addresses.append(address)
    for address in dict.fromkeys(addresses):
        step = f"recipient:{app.vault.address_hash(address)[:12]}"
        _write(session, app, case, "case/recipients", "recipient_notice", step, {}, now=now, recipient=address)
    count = len(dict.fromkeys(addresses))
    named = "; ".join(_to_tell(app, case))
    told = say(
        language, f"{count} avis préparé(s), à compléter et approuver.", f"{count} notice(s) prepared, to be approved."
    )
    return f"{told}\n{say(language, 'Au registre', 'In the register')}: {named}" if named else told


def _to_tell(app: App, case: Case) -> list[str]:
    try:
        return annex.recipients_to_tell(register_of(app.settings), case.language)
    except RegisterIncomplete:
        return []


def _choose_activities(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Tick the activities of the register that concern this person: the annex and the reasons for keeping name only these."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="choose_activities")
    try:
        register = register_of(app.settings)
        known = [str(entry["id"]) for entry in annex.activities(register)]
    except RegisterIncomplete as error:
        raise Refused(register_words(error, language)) from error
    chosen = [name for name in re.split(r"[\s,;]+", ask.text.strip()) if name]
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise Refused(
            say(
                language,
                f"Le registre n'a pas de traitement « {unknown[0]} » ; il a : {', '.join(known)}.",
                f"The register has no activity “{unknown[0]}”; it has: {', '.join(known)}.",
            )
        )
    casework.note(
        session,
        app,
        case,
        "activities_chosen",
        actor=user.key,
        now=now,
        data={"activities": list(dict.fromkeys(chosen))},
    )
    _renewed(session, app, case, "superseded", user=user, now=now)
    return say(language, "Traitements retenus ; la réponse est refaite.", "Activities noted; the answer is made anew.")


# --- identity --------------------------------------------------------------------------------------------------------


def _send_code(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Send a one-time code to the contact on file, never to an address of the request."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="send_code")
    told = {
        "sent": ("Le code part vers le contact connu.", "The code is leaving for the contact on file."),
        "waits": ("Le code attend votre accord.", "The code waits for your approval."),
        "nobody": ("Aucun contact connu : proposez un autre moyen.", "No contact on file: offer another means."),
        "locked": ("Trop de codes faux : choisissez un autre moyen.", "Too many wrong codes: choose another means."),
        "settled": ("L'identité n'est pas en attente.", "No identity is awaited."),
    }[codes.send(session, app, case, _reading(session, app, case), now=now, by=user.key)]
    if told[0].startswith(("Le code",)):
        return say(language, *told)
    raise Refused(say(language, *told))


def _reading(session: Session, app: App, case: Case) -> Reading | None:
    found = messages.of_case(session, case.id or 0)
    return intake.restored(found[0], messages.view(session, app.vault, found[0]))[1] if found else None


def _check_document(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Compare what the DPO read on a document with what the case says. Advice: nothing is decided, nothing typed is kept."""
    language = app.settings.desk.language
    case = case_of(session, app, ask, does="check_document")
    if ask.masked or ask.button:
        raise Refused(say(language, "Seulement dans « dpobot desk ».", "In 'dpobot desk' only."))
    person = cases.person_of(session, app.vault, case)
    try:
        document = typed(ask.text)
        reading = _reading(session, app, case)
        remarks = compare(document, name=person.name, born=_born(reading), today=casework.today(app, now))
    except DocumentError as error:
        raise Refused(str(error)) from error
    results = {remark.code: remark.result for remark in remarks}
    casework.note(session, app, case, "document_compared", actor=user.key, now=now, data={"results": results})
    advice = say(language, "Ce n'est qu'un avis : à vous de décider.", "This is advice only: the decision is yours.")
    return "\n".join([*(remark.said[language] for remark in remarks), advice])


def _born(reading: Reading | None) -> date | None:
    """The birth date a person stated, where it reads as one."""
    stated = reading.fields.get("date_of_birth", "") if reading else ""
    stated = stated if isinstance(stated, str) else stated[0]
    try:
        return day_at_start(stated, "en")[0]
    except Refused:
        return None


_WHICH = both("Date (2026-03-01), puis la raison :", "Date (2026-03-01), then the reason:")

TABLE = (
    Action(
        "set_received", _set_received, "case", both("Date de réception", "Date of receipt"), "required", _WHICH,
        undo="set_received",
    ),
    Action(
        "data_obtained", _data_obtained, "case", both("Données venues d'un tiers", "Data from somebody else"), "required",
        both("Date (2026-03-01), puis la source (art. 14) :", "Date (2026-03-01), then the source (art. 14):"),
        undo="data_obtained",
    ),
    Action(
        "ask_fee", _ask_fee, "case", both("Annoncer des frais", "Announce a fee"), "required",
        both("Montant, puis ce qui le compose (la première copie est gratuite) :",
             "Amount, then what it is made of (the first copy is free):"),
        undo="reject",
    ),
    Action(
        "lift_restriction", _lift_restriction, "case", both("Lever la limitation", "Lift the restriction"), "required",
        both("Quelles données, à partir de quel jour, pourquoi ?", "Which data, from which day, why?"), undo="reject",
    ),
    Action(
        "tell_recipients", _tell_recipients, "case", both("Prévenir les destinataires", "Tell the recipients"), "required",
        both("Adresses, une par ligne (art. 19) :", "Addresses, one a line (art. 19):"), undo="reject",
    ),
    Action(
        "choose_activities", _choose_activities, "case", both("Traitements concernés", "Activities concerned"), "required",
        both("Identifiants du registre, séparés par des virgules :", "Ids of the register, separated by commas:"),
        undo="choose_activities",
    ),
    Action(
        "send_code", _send_code, "case", both("Envoyer un code au contact connu", "Send a code to the contact on file"),
        warning=both("Définitif : le code part.", "Final: the code leaves."),
    ),
    Action(
        "check_document", _check_document, "case", both("Comparer un document", "Compare a document"), "required",
        both("name: …, born: 1990-01-31, expires: …, lignes de lecture ; rien n'est gardé",
             "name: …, born: 1990-01-31, expires: …, lines of the zone; nothing is kept"),
        needs="documents", warning=both("Définitif : le résultat est noté.", "Final: the result is noted."),
    ),
)  # fmt: skip
"""The actions of this group."""
