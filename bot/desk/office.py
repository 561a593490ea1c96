"""What concerns the desk as a whole: requests entered by hand, absences and deputies, what is held on a person."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from email.utils import parseaddr

from sqlmodel import Session

from bot import casework, intake, switch
from bot.app import App
from bot.desk import roster
from bot.desk.basics import Action, Ask, Refused, both, say
from bot.desk.export import write_export
from bot.desk.words import RIGHTS, right_named
from bot.letters import common_facts
from bot.settings import Settings, User, is_address
from handlers.types import Arrival
from nlp.fold import fold
from store import cases, journal
from store.models import Case, Message
from templates import format_date, render

GDPR_APPLIES = date(2018, 5, 25)
"""Art. 99(2): what is dated earlier is a slip of the pen."""
WAYS = {
    "letter": ("letter", "lettre", "courrier", "post", "poste"),
    "phone": ("phone", "telephone", "appel", "call", "tel"),
    "counter": ("counter", "guichet", "accueil", "comptoir", "desk", "oral"),
    "forward": ("forward", "transfert", "collegue", "colleague"),
}
"""How a request may come to be entered by hand: channel -> the words for it."""


@dataclass(frozen=True)
class Entry:
    """A request as it is entered by hand. ``received`` is when the organisation got it, not when it is entered."""

    way: str
    received: datetime
    text: str
    name: str = ""
    address: str = ""
    rights: tuple[str, ...] = ()


class BadEntry(ValueError):
    """What was typed is no request: the code says what is wrong with it (``date``, ``future``, ``early``, …)."""


def read_date(text: str) -> date:
    """Read a day as people write it: ``2026-03-02``, ``02/03/2026``, ``2.3.2026``. Raises ``ValueError``."""
    found = re.fullmatch(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", text)
    return date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(text)


def received_at(app: App, text: str, *, now: datetime) -> datetime:
    """Return the instant an ISO day or instant stands for; noon for a day. Raises :class:`BadEntry`."""
    zone = app.settings.zone
    try:
        if len(text) <= 10:
            # A letter has a day and no hour: noon stands for it, far from both midnights.
            at = datetime.combine(date.fromisoformat(text), time(12), tzinfo=zone)
        else:
            at = datetime.fromisoformat(text)
            at = at if at.tzinfo else at.replace(tzinfo=zone)
        day = at.astimezone(zone).date()
    except (ValueError, OverflowError):
        raise BadEntry("date") from None
    if day > now.astimezone(zone).date():
        raise BadEntry("future")
    if day < GDPR_APPLIES:
        raise BadEntry("early")
    return min(at, now)


def check(app: App, entry: Entry) -> None:
    """Raise :class:`BadEntry` for an address that is none or ours, an unknown right, or an empty text."""
    if entry.address and (not is_address(entry.address) or entry.address.lower() in app.settings.own_addresses):
        raise BadEntry("address")
    if any(right not in app.rights for right in entry.rights):
        raise BadEntry("right")
    if not entry.text.strip():
        raise BadEntry("text")


def enter(session: Session, app: App, entry: Entry, *, now: datetime) -> tuple[intake.Recorded, Case | None]:
    """Record a request entered by hand; entered twice, it is the same. No letter leaves by itself.

    The address was typed, not proven. What came at the counter gets a dated receipt (décret n° 2019-536 art. 77),
    put into the desk's folder to be printed.
    """
    typed = f"{entry.way}\0{entry.received.isoformat()}\0{entry.name}\0{entry.address}\0{entry.text}"
    digest = hashlib.sha256(typed.encode()).hexdigest()
    why = ("entered-by-hand",) if entry.address else ("entered-by-hand", "no-address")
    arrival = Arrival(
        channel=entry.way,  # type: ignore[arg-type]  # one of WAYS
        source=f"desk:{entry.way}", external_id=digest[:32], received_at=entry.received, raw=entry.text.encode(),
        content_key=f"{entry.way}:{digest}", message_id=f"{entry.way}.{digest[:16]}", from_addr=entry.address,
        from_name=entry.name, text=entry.text, new_text=entry.text, suppress=True, suppress_reasons=why,
    )  # fmt: skip
    recorded = intake.enter_in(session, app, arrival, rights=entry.rights, now=now)
    message = session.get(Message, recorded.message_id)
    case = session.get(Case, message.case_id) if message is not None and message.case_id is not None else None
    return recorded, case


def receipt(session: Session, app: App, case: Case, *, now: datetime) -> str:
    """Return the dated receipt of a request made on the spot, to be printed and handed over."""
    person = cases.person_of(session, app.vault, case)
    facts = common_facts(app, case=case, person=person, today=casework.today(app, now))
    rendered = render("case/counter_receipt", case.language, {**facts, "child": False})
    return f"{rendered.subject}\n\n{rendered.text}"


def _parse(app: App, text: str, *, now: datetime) -> Entry:
    """Read what was typed: way, date, who, rights on the first line in any order; the request on the others."""
    head, _, body = text.strip().partition("\n")
    found = re.search(r"<([^<>]*)>|(?<!\S)(\S+@\S+)", head)
    address = (found[1] or found[2] or "").strip(" ,;") if found else ""
    way, received, rights, rest = "", "", [], []
    known = {fold(word).text: channel for channel, words in WAYS.items() for word in words}
    for word in re.split(r"[\s,;]+", head.replace(found[0], " ") if found else head):
        folded = fold(word).text
        if folded in known and not way:
            way = known[folded]
        elif re.fullmatch(r"\d{4}-\d\d-\d\d.*|\d{1,2}[/.]\d{1,2}[/.]\d{4}", word) and not received:
            received = word
        elif (right := right_named(folded)) in app.rights and right:
            rights.append(right)
        else:
            rest.append(word)
    if not way:
        raise BadEntry("way")
    if not received:
        raise BadEntry("date")
    if "/" in received or "." in received[:5]:
        try:
            received = read_date(received).isoformat()
        except ValueError:
            raise BadEntry("date") from None
    entry = Entry(
        way, received_at(app, received, now=now), body.strip(), " ".join(rest).strip(" -:"), address,
        tuple(dict.fromkeys(rights)),
    )  # fmt: skip
    # A counter request may be a right and a name, and no word of the person's own.
    if not entry.text and rights:
        named = ", ".join(RIGHTS[app.settings.desk.language].get(right, right) for right in entry.rights)
        entry = Entry(entry.way, entry.received, f"({named})", entry.name, entry.address, entry.rights)
    check(app, entry)
    return entry


PROBLEMS = {
    "way": both(
        "Dites d'abord comment : courrier, téléphone, guichet, collègue.",
        "Say first how: letter, phone, counter, colleague.",
    ),
    "date": both(
        "Il manque la date de réception (2026-03-02 ou 02/03/2026).",
        "The date of receipt is missing (2026-03-02 or 02/03/2026).",
    ),
    "future": both("La date de réception est dans l'avenir.", "The date of receipt lies in the future."),
    "early": both(
        "La date de réception est antérieure au RGPD : vérifiez l'année.",
        "The date of receipt lies before the GDPR: check the year.",
    ),
    "address": both("L'adresse n'est pas celle d'une personne.", "The address is no person's."),
    "right": both("Droit inconnu.", "Unknown right."),
    "text": both(
        "Il manque le texte de la demande, à partir de la deuxième ligne.",
        "The text of the request is missing, from the second line on.",
    ),
}
"""What is wrong with an entry: code -> language -> sentence."""


def _manual_intake(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    try:
        entry = _parse(app, ask.text, now=now)
    except BadEntry as problem:
        raise Refused(PROBLEMS[str(problem)][language]) from None
    recorded, case = enter(session, app, entry, now=now)
    if recorded.known:
        named = case.reference if case else f"#{recorded.message_id}"
        raise Refused(say(language, f"Déjà saisi : {named}.", f"Entered already: {named}."))
    if case is None:
        return say(
            language,
            f"Enregistré : message #{recorded.message_id}, à trier.",
            f"Recorded: message #{recorded.message_id}, to be sorted.",
        )
    casework.note(session, app, case, "entered", actor=user.key, now=now, data={"way": entry.way})
    due = format_date(case.due, language) if case.due else "–"
    got = format_date(entry.received.astimezone(app.settings.zone).date(), language)
    told = say(
        language,
        f"Dossier {case.reference} ouvert, reçu le {got}, échéance {due}.",
        f"Case {case.reference} opened, received {got}, due {due}.",
    )
    if entry.way == "counter":
        told += say(
            language,
            " Récépissé daté à remettre : « Mettre les pièces… » dans dpobot desk.",
            " Dated receipt to hand over: “Put the files…” in dpobot desk.",
        )
    return told


# --- absence ---------------------------------------------------------------------------------------------------------


def _set_absence(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Note an absence: cards and notices go to the deputy meanwhile, and say so. Kept in the journal."""
    language = app.settings.desk.language
    words = [word.strip(",;.") for word in re.split(r"[\s→]+", f"{ask.argument} {ask.text}") if word.strip(",;.")]
    keys = {u.key: u for u in app.settings.desk.users}
    named = list(dict.fromkeys(word.lower() for word in words if word.lower() in keys))
    days = []
    for word in words:
        try:
            days.append(read_date(word[:10] if re.match(r"\d{4}-", word) else word))
        except ValueError:
            continue
    absent, deputy = _who(app, user, named)
    if len(days) != 2 or deputy is None:
        raise Refused(
            say(
                language,
                "Écrivez : remplaçant, premier et dernier jour (deputy 2026-08-01 2026-08-15).",
                "Write: deputy, first and last day (deputy 2026-08-01 2026-08-15).",
            )
        )
    first, last = min(days), max(days)
    if last < casework.today(app, now):
        raise Refused(say(language, "Cette absence est passée.", "This absence is over."))
    if keys[deputy].role not in ("dpo", "deputy"):
        raise Refused(say(language, f"{deputy} ne peut pas décider.", f"{deputy} may not decide."))
    if deputy in roster.away(session, first) or deputy in roster.away(session, last):
        raise Refused(say(language, f"{deputy} est aussi absent alors.", f"{deputy} is away then, too."))
    data = {"user": absent, "deputy": deputy, "from": first.isoformat(), "until": last.isoformat()}
    journal.append(session, type="absence_set", actor=user.key, at=now, now=now, data=data)
    return say(
        language,
        f"Du {format_date(first, language)} au {format_date(last, language)}, {deputy} reçoit les cartes de {absent}. "
        "« Fin d'absence » l'annule.",
        f"From {format_date(first, language)} to {format_date(last, language)}, {deputy} gets the cards of {absent}. "
        "“Back” undoes it.",
    )


def _who(app: App, user: User, named: Sequence[str]) -> tuple[str, str | None]:
    """Return (who is away, who stands in): as named, else whoever asks, and the one other person who decides."""
    if len(named) >= 2:
        return named[0], named[1]
    others = [u.key for u in app.settings.desk.users if u.role in ("dpo", "deputy") and u.key != user.key]
    if named and named[0] != user.key:
        return user.key, named[0]
    return user.key, others[0] if len(others) == 1 else None


def _end_absence(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    known = {absence.user for absence in roster.absences(session)}
    who = ask.text.strip().lower() or ask.argument or user.key
    if who not in known:
        raise Refused(say(language, f"Aucune absence de {who} n'est notée.", f"No absence of {who} is noted."))
    journal.append(session, type="absence_ended", actor=user.key, at=now, now=now, data={"user": who})
    return say(language, f"{who} est de retour.", f"{who} is back.")


# --- the switch of automatic mail ------------------------------------------------------------------------------------


def _stop_automatic(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Stop everything automatic at once, what is queued included (RFC 3834 section 2: a responder must be stoppable)."""
    language = app.settings.desk.language
    if switch.stopped(app.settings):
        raise Refused(say(language, "Les envois automatiques sont déjà arrêtés.", "Automatic mail is stopped already."))
    _throw(app, switch.stop)
    journal.append(session, type="automatic_stopped", actor=user.key, at=now, now=now, data={})
    return say(
        language,
        "Envois automatiques arrêtés : plus rien ne part sans votre accord. « Reprendre les envois automatiques » l'annule.",
        "Automatic mail stopped: nothing leaves without your consent. “Resume automatic mail” undoes it.",
    )


def _start_automatic(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    language = app.settings.desk.language
    if not switch.stopped(app.settings):
        raise Refused(say(language, "Les envois automatiques ne sont pas arrêtés.", "Automatic mail is not stopped."))
    _throw(app, switch.start)
    journal.append(session, type="automatic_started", actor=user.key, at=now, now=now, data={})
    return say(
        language,
        "Les envois automatiques reprennent, dans leurs limites ; les projets en attente attendent toujours votre accord.",
        "Automatic mail leaves again, within its limits; the drafts that wait go on waiting for you.",
    )


def _throw(app: App, move: Callable[[Settings], None]) -> None:
    try:
        move(app.settings)
    except OSError as error:
        raise Refused(f"{switch.path(app.settings)}: {error.strerror}") from error


# --- what is held on a person ----------------------------------------------------------------------------------------


def _export_person(session: Session, app: App, user: User, ask: Ask, now: datetime) -> str:
    """Write what the program itself holds on a person into the desk's folder (art. 15: the register is data, too)."""
    language = app.settings.desk.language
    address = (parseaddr(ask.text.strip())[1] or ask.text.strip()).lower()
    if not is_address(address):
        raise Refused(say(language, "Écrivez une adresse électronique.", "Write a mail address."))
    folder, found = write_export(session, app, address, now=now)
    journal.append(
        session, type="person_exported", actor=user.key, at=now, now=now,
        data={"cases": list(found), "person": app.vault.address_hash(address)[:16]},
    )  # fmt: skip
    if folder is None:
        return say(language, "Rien n'est détenu sous cette adresse.", "Nothing is held under this address.")
    named = ", ".join(found) or say(language, "messages sans dossier", "messages without a case")
    return say(
        language,
        f"Mis dans {folder} sur la machine ({named}) ; effacé dans un jour.",
        f"Put into {folder} on the machine ({named}); removed after a day.",
    )


TABLE = (
    Action(
        "manual_intake", _manual_intake, "desk", both("Saisir une demande", "Enter a request"), "required",
        both(
            "Première ligne : courrier, téléphone, guichet ou collègue, date de réception, Nom <adresse> (et le droit, si "
            "vous le savez). Puis le texte, à partir de la deuxième ligne.",
            "First line: letter, phone, counter or colleague, date of receipt, Name <address> (and the right, if you know it). "
            "Then the text, from the second line on.",
        ), needs="assist", undo="not_a_request",
    ),
    Action(
        "set_absence", _set_absence, "desk", both("Absence", "Absence"), "required",
        both(
            "Remplaçant, premier et dernier jour (deputy 2026-08-01 2026-08-15) :",
            "Deputy, first and last day (deputy 2026-08-01 2026-08-15):",
        ), undo="end_absence",
    ),
    Action("end_absence", _end_absence, "desk", both("Fin d'absence", "Back"), "optional", undo="set_absence"),
    Action(
        "stop_automatic", _stop_automatic, "desk", both("Arrêter les envois automatiques", "Stop automatic mail"),
        undo="start_automatic",
    ),
    Action(
        "start_automatic", _start_automatic, "desk", both("Reprendre les envois automatiques", "Resume automatic mail"),
        undo="stop_automatic",
    ),
    Action(
        "export_person", _export_person, "desk", both("Ce qui est détenu sur une personne", "What is held on a person"),
        "required", both("Adresse électronique de la personne :", "Mail address of the person:"), needs="documents",
        warning=both(
            "Définitif : la consultation reste au journal ; les fichiers, en clair sur la machine, partent après un jour.",
            "Final: that it was looked at stays in the journal; the files, in the clear on the machine, go after a day.",
        ),
    ),
)  # fmt: skip
"""The actions of this group."""
