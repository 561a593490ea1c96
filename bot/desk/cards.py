"""Cards: what the DPO sees of a case or of an item to sort, and which actions it offers, masked or not.

The same card serves chat and terminal. Masked (the default in chat) it carries reference, right, dates, doubt, cue
and draft with personal
data replaced; the digest of the draft is that of the unmasked letter, so what was approved masked is exactly what is
sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from bot import casework, parents
from bot.app import App
from bot.channels.chat import FIRST_NUMBER, utf16_length
from bot.desk import roster
from bot.desk.actions import ACTIONS, HOLE, kept_in_letters
from bot.desk.basics import permits
from bot.desk.diff import word_diff
from bot.desk.masking import hider
from bot.desk.offers import Offer, allowed, case_offers
from bot.desk.reasons import CHANNELS, DISPOSITIONS, FATES, LANGUAGES, in_words
from bot.desk.review import findings_of
from bot.desk.tasks import lines_of
from bot.desk.text import inert, mask_address, mask_name, mask_text, visible
from bot.desk.words import DOUBTS, FLAGS, IDENTITY, KINDS, NOTICES, RIGHTS, STATES, THIRD_PARTIES, WORDS, word
from bot.settings import User
from bot.tasks import inform_open, tracked
from handlers.standing import advice
from handlers.tasks import left_open, restricted_since
from handlers.types import Deadline
from nlp.types import LABELS
from store import cases, drafts, journal, messages, outbox
from store.models import Case, Draft, Event, Message
from store.sealing import SealingError
from templates import format_date

DRAFT_ON_CARD = 1500
"""Characters of a draft shown on the card itself; the whole of it on demand."""


@dataclass(frozen=True)
class View:
    """A card: its text and the actions it offers, in rows."""

    subject: str
    text: str
    offers: tuple[tuple[Offer, ...], ...]


def day(value: date | datetime | None, app: App) -> str:
    """Return a date in words, in the desk's language; a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        value = value.astimezone(app.settings.zone).date()
    return format_date(value, app.settings.desk.language)


def time_left(due: date | None, today: date, words: Any) -> str:
    """Return how long is left until *due*: ``J-7``, or how late it is."""
    if due is None:
        return ""
    days = (due - today).days
    if days < 0:
        return str(words["overdue"]).format(days=-days)
    return str(words["today"]) if days == 0 else str(words["days_left"]).format(days=days)


def _headline(app: App, notice: str) -> list[str]:
    known = NOTICES[app.settings.desk.language]
    return [f"■ {known[notice]}"] if notice in known else []


CARD_LIMIT = 4096
"""UTF-16 units of a card, whatever is in it: a longer message does not reach the chat."""


_LETTER = "\0letter"
"""Stands for the draft's text on a card, until it is known how much room the rest leaves it."""


def _cut(text: str, units: int) -> str:
    """Return *text*, or its start, marked so, where it is longer than *units* of UTF-16."""
    encoded = text.encode("utf-16-le", "surrogatepass")
    if len(encoded) // 2 <= units:
        return text
    return encoded[: 2 * max(0, units - 4)].decode("utf-16-le", "ignore").rstrip() + " […]"


def fitted(lines: Sequence[str], limit: int = CARD_LIMIT) -> str:
    """Join the lines of a card, cut where they would not fit into a message; the beginning, which matters most, stays."""
    return _cut("\n".join(lines), limit)


def _with_letter(lines: Sequence[str], text: str, *, whole: bool) -> list[str]:
    """Put the draft's text into its place; *whole*, or cut to what the rest of the card leaves: what is to mend must be seen,
    too."""
    if whole:
        return [text if line == _LETTER else line for line in lines]
    rest = utf16_length("\n".join(line for line in lines if line != _LETTER))
    room = max(200, min(DRAFT_ON_CARD, CARD_LIMIT - rest - 1))
    return [_cut(text, room) if line == _LETTER else line for line in lines]


def case_card(
    session: Session,
    app: App,
    case: Case,
    *,
    masked: bool,
    now: datetime,
    notice: str = "",
    letters: bool = True,
    discreet: bool = False,
    whole: bool = False,
) -> View:
    """Draw the card of a case; without *letters* (a helper's) no draft, no cue and no subject is on it. *whole*, for a
    terminal, cuts nothing.

    *discreet* is for a group: nothing of the person is on it, not even an initial, and no word of hers or of the letter.
    """
    language = app.settings.desk.language
    words = WORDS[language]
    events = journal.of_case(session, case.id or 0)
    deadline = casework.deadline_of(app, case, events, language=language)
    person = cases.person_of(session, app.vault, case)
    hide = _hider(app, masked, person)
    rights = ", ".join(word(RIGHTS, language, right) for right in case.rights)
    lines = _headline(app, notice)
    lines += [f"{words['case']} {case.reference} – {rights}"]
    lines += [
        f"{words['due']}{words['colon']}{_due(app, deadline, now)}",
        f"{words['received']}{words['colon']}{day(case.received_at, app)}",
    ]
    way = _way(person.address, person.chat_id, language, masked=masked)
    who = f"{mask_name(person.name)} {way}" if masked else f"{person.name} <{way}>"
    shown = "" if discreet else inert(who) if masked else visible(who)
    lines += [
        f"{words['from']}{words['colon']}{shown} "
        f"({_came_by(case.channel, case.person_language or case.language, language)})".replace("  ", " ")
    ]
    lines += [f"{words['state']}{words['colon']}{word(STATES, language, case.state)}"]
    lines += [
        f"{words['identity']}{words['colon']}{word(IDENTITY, language, case.identity)}{_doubts(events, language, words)}"
    ]
    if parents.in_conflict(events):
        others = ", ".join(parents.of_whom(events))
        lines.append(words["parents"].format(others=f" ({others})" if others else ""))
    informed = inform_open(session, app, case, events)
    if informed is not None:
        left = time_left(informed, casework.today(app, now), words)
        lines.append(f"{words['inform']}{words['colon']}{day(informed, app)} ({left})")
    lines += _each_right(app, case, events, now)
    given = [e.actor for e in events if e.type == "approval_first" and _still_given(e, session, case)]
    if given:
        lines.append(f"{words['approved_by']}{words['colon']}{', '.join(dict.fromkeys(given))}")
    if person.subject and not discreet:
        named = mask_name(person.subject) if masked else visible(person.subject)
        lines.append(f"{words['subject_person']}{words['colon']}{inert(named) if masked else named}")
    if case.third_party or case.minor:
        kinds = [word(THIRD_PARTIES, language, case.third_party)] if case.third_party else []
        lines.append(
            f"{words['about']}{words['colon']}{', '.join([*kinds, *([words['minor']] if case.minor else [])])}"
        )
    if case.charge:
        lines.append(f"{words['charge']}{words['colon']}{case.charge}")
    lines += _about(events, app)
    if letters and not discreet:
        lines += _why(session, app, case, hide, masked=masked)
    lines += _files(session, app, case, masked=masked)
    lines += [
        f"{words['warning']}{words['colon']}{warning.partition(': ')[2] or warning}"
        for warning in deadline.warnings[:3]
    ]
    lines += _sending(session, case, language, words)
    waiting = sorted(drafts.proposed(session, case.id or 0), key=_shown_first) if letters else []
    for draft in waiting[:1]:
        lines += ["", *_draft_lines(session, app, case, draft, hide, masked=masked, discreet=discreet)]
        if draft.kind != "status" and ACTIONS["approve"].warning is not None:
            letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
            posted = not letter.recipient and letter.chat_id is None
            lines += ["", words["then_post"] if posted else ACTIONS["approve"].warning[language]]
    lines += _tasks(session, app, case, events, masked=masked) if not discreet else []
    to_post = any(i.channel == "post" and i.status == "pending" for i in outbox.of_case(session, case.id or 0))
    in_doubt = any(
        i.channel in ("mail", "chat") and i.status in ("uncertain", "failed")
        for i in outbox.of_case(session, case.id or 0)
    )
    if to_post:
        lines.append(words["to_post"])
    shown_letter = drafts.letter_of(session, app.vault, case=case, draft=waiting[0]) if waiting else None
    holes = shown_letter is not None and bool(HOLE.search(shown_letter.text))
    if len(waiting) > 1:
        lines.append(f"(+ {len(waiting) - 1})")
    if shown_letter is not None:
        lines = _with_letter(lines, hide(shown_letter.text).strip(), whole=whole)
    return View(
        f"case:{case.id}",
        "\n".join(lines) if whole else fitted(lines),
        case_offers(app, case, events, waiting, holes=holes, to_post=to_post, in_doubt=in_doubt),
    )


def _came_by(channel: str, written_in: str, language: str) -> str:
    """How a message came, and in which language."""
    return f"{word(CHANNELS, language, channel)}, {word(LANGUAGES, language, written_in)}"


def _way(address: str, chat_id: int | None, language: str, *, masked: bool) -> str:
    """Where letters go: an address, the chat's platform (its number only unmasked), or the post."""
    if address:
        return mask_address(address) if masked else address
    if chat_id is None:
        return WORDS[language]["by_post"]
    if chat_id >= FIRST_NUMBER:
        return "Matrix"
    return "Telegram" if masked else f"Telegram {chat_id}"


def _tasks(session: Session, app: App, case: Case, events: Sequence[Event], *, masked: bool) -> list[str]:
    """What this case makes us do beside answering, as long as anything of it is open; since when data are restricted."""
    language = app.settings.desk.language
    words = WORDS[language]
    found = tracked(session, app, case, events)
    since = restricted_since(found)
    lines = [words["restricted"].format(date=day(since, app))] if since is not None else []
    if not left_open(found) or case.state in ("to_sort", "not_request", "withdrawn", "refused"):
        return lines
    count = sum(not task.open for task in found)
    return [*lines, "", f"{words['tasks']} ({count}/{len(found)})", *lines_of(found, language, masked=masked)]


def _each_right(app: App, case: Case, events: list[Any], now: datetime) -> list[str]:
    """A line for every right of a case with several: its own outcome, or its own last day."""
    if len(case.rights) < 2:
        return []
    language = app.settings.desk.language
    done = {entry.right: entry.outcome for entry in casework.state(events).settled}
    lines = []
    for right, clock in casework.clocks(app, case, events, language=language).items():
        said = word(STATES, language, done[right]) if right in done else _due(app, clock, now)
        lines.append(f"- {word(RIGHTS, language, right)}{WORDS[language]['colon']}{said}")
    return lines


def _about(events: Sequence[Event], app: App) -> list[str]:
    """What people at the desk decided about the case that its state does not show: that it is on hold."""
    words = WORDS[app.settings.desk.language]
    held = [event for event in events if event.type in ("held", "released")]
    if not held or held[-1].type == "released":
        return []
    return [words["held"].format(date=day(held[-1].at, app), by=held[-1].actor)]


def _still_given(event: Event, session: Session, case: Case) -> bool:
    """Whether a first approval still holds for a text that waits."""
    waiting = {(str(draft.id), draft.digest) for draft in drafts.proposed(session, case.id or 0)}
    return (event.data["draft"], event.data["digest"]) in waiting


def _shown_first(draft: Draft) -> tuple[bool, int]:
    """The letter the desk asked for last comes first; then what the program prepared, in its order."""
    asked = ":desk:" in draft.key
    return not asked, -(draft.id or 0) if asked else draft.id or 0


def _hider(app: App, masked: bool, person: cases.Person) -> Callable[[str], str]:
    """Return how a text from outside is shown: masked and with nothing clickable in chat, as it reads elsewhere."""
    if not masked:
        return visible
    hide = hider((person.name, person.address), keep=kept_in_letters(app))
    return lambda text: inert(hide(text))


def _due(app: App, deadline: Deadline, now: datetime) -> str:
    words = WORDS[app.settings.desk.language]
    last, unpaused = deadline.in_force, deadline.in_force_if_not_paused
    if last is None:
        return words["due_paused"].format(date=day(unpaused, app))
    shown = f"{day(last, app)} ({time_left(last, casework.today(app, now), words)})"
    if last != unpaused and deadline.suspended_days:
        shown += f" – {words['due_moved'].format(days=deadline.suspended_days, date=day(unpaused, app))}"
    return shown


def _doubts(events: list[Any], language: str, words: Any) -> str:
    opened = next((event for event in events if event.type == "case_opened"), None)
    codes = [code for code in str(opened.data.get("reason", "")).split(",") if code] if opened else []
    if not codes:
        return ""
    return f" ({words['doubts']}{words['colon']}{', '.join(word(DOUBTS, language, code) for code in codes)})"


def _why(session: Session, app: App, case: Case, hide: Callable[[str], str], *, masked: bool) -> list[str]:
    """The cue that justified each right, from the message that opened the case."""
    words = WORDS[app.settings.desk.language]
    own = messages.of_case(session, case.id or 0) or messages.of_case(session, casework.origin_of(session, case))
    opening = next((m for m in own if m.disposition == "opened"), None)
    if opening is None:
        return []
    try:
        view = messages.view(session, app.vault, opening)
    except SealingError:
        return []
    hide = _also_others(view["reading"], hide, masked=masked)
    lines = [f"{words['subject']}{words['colon']}{hide(view['subject'])[:120]}"] if view["subject"] else []
    return lines + cue_lines(app, view["reading"], hide)


def _also_others(reading: dict[str, Any], hide: Callable[[str], str], *, masked: bool) -> Callable[[str], str]:
    """Return *hide* for whoever else a message names, a child or a client: a cue may be a whole sentence of it."""
    named = reading["fields"].get("data_subject_name", ())
    names = (named,) if isinstance(named, str) else tuple(named)
    return (lambda text: hide(mask_text(text, names))) if masked and names else hide


def cue_lines(app: App, reading: dict[str, Any], hide: Callable[[str], str]) -> list[str]:
    """Say why a message was read as it was: its cues, each once, and how sure the reading is."""
    language = app.settings.desk.language
    words = WORDS[language]
    shown: dict[str, str] = {}
    for cue in reading["cues"]:
        if cue["label"] in reading["labels"] or cue["label"] == reading["primary"]:
            shown.setdefault(cue["label"], hide(" ".join(cue["text"].split()))[:90])
    lines = [
        f"{words['why']}{words['colon']}{word(RIGHTS, language, label)} ← « {text} »"
        for label, text in list(shown.items())[:4]
    ]
    flags = [word(FLAGS, language, name) for name, raised in reading["flags"].items() if raised is True]
    if flags:
        lines.append(f"{words['flags']}{words['colon']}{', '.join(flags)}")
    return [*lines, f"{words['sure']}{words['colon']}{round(100 * reading['confidence'])} %"]


def _files(session: Session, app: App, case: Case, *, masked: bool) -> list[str]:
    words = WORDS[app.settings.desk.language]
    lines, proofs = [], 0
    for message in messages.of_case(session, case.id or 0):
        for attachment in messages.attachments(session, message.id or 0):
            if attachment.is_identity and attachment.deleted_at is None:
                proofs += 1
            elif attachment.deleted_at is None and not masked:
                name = app.vault.open(session, attachment.key_id, attachment.name_sealed, "name").decode()
                about = f"({visible(attachment.content_type)}, {attachment.size} B)"
                lines.append(f"{words['files']}{words['colon']}{visible(name)} {about}")
    several = f" ({proofs})" if proofs > 1 else ""
    return [f"{words['files']}{words['colon']}{words['identity_file']}{several}", *lines] if proofs else lines


def _sending(session: Session, case: Case, language: str, words: Any) -> list[str]:
    return [
        f"{words['failed']}{words['colon']}{word(KINDS, language, item.kind)} – "
        f"{word(FATES, language, item.status)} <{item.message_id or ''}>"
        for item in outbox.of_case(session, case.id or 0)
        if item.status in ("failed", "uncertain")
    ][-3:]


def _draft_lines(
    session: Session,
    app: App,
    case: Case,
    draft: Draft,
    hide: Callable[[str], str],
    *,
    masked: bool,
    discreet: bool = False,
) -> list[str]:
    language = app.settings.desk.language
    words = WORDS[language]
    letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
    to = _way(letter.recipient, letter.chat_id, language, masked=masked)
    lines = [
        f"— {words['draft']}{words['colon']}{word(KINDS, language, draft.kind)}, {words['revision']} {draft.revision}, "
        f"{words['sealed_as']} {draft.digest[:12]}",
        f"{words['to']}{words['colon']}{inert(to) if masked else visible(to)}",
        f"{words['subject']}{words['colon']}{hide(letter.subject)}",
    ]
    if discreet:
        lines[1:] = [words["in_private"]]
    else:
        lines += ["", _LETTER]
    found = [
        f
        for f in findings_of(app, case, draft, letter, tasks=tracked(session, app, case))
        if f.severity == "error" or f.code == "open-tasks"
    ]
    if found:
        lines += [
            "",
            f"{words['findings']}{words['colon'].rstrip()}",
            *(f"- {finding.message[language]}" for finding in found[:6]),
        ]
    if draft.kind == "answer":
        steps = advice(case.third_party, minor=case.minor, language=language)
        lines += ["", f"{words['before']}{words['colon'].rstrip()}", *(f"- {step}" for step in steps)] if steps else []
    return lines


def draft_text(session: Session, app: App, case: Case, draft: Draft, *, masked: bool) -> str:
    """Return the whole of a draft as the person would read it, masked for chat."""
    letter = drafts.letter_of(session, app.vault, case=case, draft=draft)
    hide = _hider(app, masked, cases.person_of(session, app.vault, case))
    whole = f"{letter.subject}\n\n{letter.text}"
    return hide(whole) if masked else whole


def diff_text(session: Session, app: App, case: Case, draft: Draft, *, masked: bool) -> str:
    """Return what the last edit of a draft changed, and what all of them changed in the template's text; masked for chat."""
    words = WORDS[app.settings.desk.language]
    hide = _hider(app, masked, cases.person_of(session, app.vault, case))

    def text(revision: int) -> str:
        letter = drafts.letter_of(session, app.vault, case=case, draft=draft, revision=revision)
        return hide(f"{letter.subject}\n\n{letter.text}")

    if draft.revision < 2:
        return words["no_change"]
    last = text(draft.revision)
    parts = [
        f"{words['diff_previous']}{words['colon'].rstrip()}",
        word_diff(text(draft.revision - 1), last) or words["no_change"],
    ]
    if draft.revision > 2:
        parts += [
            "",
            f"{words['diff_template']}{words['colon'].rstrip()}",
            word_diff(text(1), last) or words["no_change"],
        ]
    else:
        parts[0] = f"{words['diff_both']}{words['colon'].rstrip()}"
    return "\n".join(parts)


def message_card(
    session: Session,
    app: App,
    message: Message,
    *,
    masked: bool,
    now: datetime,
    notice: str = "",
    discreet: bool = False,
    whole: bool = False,
) -> View:
    """Draw the card of an item to sort: what it may be, and when it would be due if it is a request."""
    language = app.settings.desk.language
    words = WORDS[language]
    view = messages.view(session, app.vault, message)
    reading = view["reading"]
    name, address = view["from_name"], view["from_addr"]
    hide = _hider(app, masked, cases.Person(name, address))
    inner = view["forwarded"]
    if inner:
        outer, within = hide, _hider(app, masked, cases.Person(inner["from_name"], inner["from_addr"]))

        def hide(text: str) -> str:
            return within(outer(text))

    hide = _also_others(reading, hide, masked=masked)
    lines = _headline(app, notice)
    lines += [f"{words['item']} #{message.id} – {word(RIGHTS, language, reading['primary'])}"]
    lines += [f"{words['received']}{words['colon']}{day(message.received_at, app)}"]
    would_be = casework.would_be_due(app, message.received_at)
    lines += [
        f"{words['due']}{words['colon']}{day(would_be, app)} ({time_left(would_be, casework.today(app, now), words)})"
    ]
    who = (
        f"{mask_name(name)} {mask_address(address)}"
        if masked
        else f"{name} <{address}>"
        if address
        else visible(name) or words["nobody"]
    )
    shown = inert(who) if masked else visible(who)
    came = f"({_came_by(message.channel, message.language, language)})"
    if discreet:
        lines.append(f"{words['from']}{words['colon']}{came}")
    else:
        lines += [f"{words['from']}{words['colon']}{shown.strip()} {came}"]
        lines += [f"{words['subject']}{words['colon']}{hide(view['subject'])[:200]}"] if view["subject"] else []
        lines += cue_lines(app, reading, hide)
    lines.append(f"({in_words(message.reason, language)})")
    if not masked:
        # Even to a terminal, what a stranger wrote is text: no sequence that moves its cursor or its colours.
        lines += ["", visible(view["text"]).strip()]
    offers: list[tuple[Offer, ...]] = []
    if message.sorted_at is None and message.disposition in (*messages.TO_A_PERSON, "ignored"):
        likely = [label for label in reading["labels"] if label in LABELS] or [reading["primary"]]
        if likely[0] in app.rights:
            joined = ",".join(likely)
            label = f"{ACTIONS['open_as'].label[language]}{words['colon']}{word(RIGHTS, language, likely[0])}"
            offers.append((Offer("open_as", label, argument=joined),))
        lines.append(words["receipt_leaves"])
        other = "Autre droit…" if language == "fr" else "Another right…"
        offers.append((Offer("choose_right", other), Offer("file", ACTIONS["file"].label[language])))
        offers.append((Offer("attach", ACTIONS["attach"].label[language]),))
    else:
        lines.append(f"{words['state']}{words['colon']}{word(DISPOSITIONS, language, message.disposition)}")
        if message.disposition == "added" and message.sorted_at is not None:
            # Only what a person put there: the requester's own letters stay in his case.
            offers.append((Offer("detach", ACTIONS["detach"].button(language)),))
    return View(f"message:{message.id}", "\n".join(lines) if whole else fitted(lines), tuple(offers))


def view_of(
    session: Session,
    app: App,
    subject: str,
    *,
    masked: bool,
    now: datetime,
    notice: str = "",
    facts: Mapping[str, Any] | None = None,
    user: User | None = None,
    discreet: bool = False,
    whole: bool = False,
) -> View | None:
    """Draw the card of ``case:<id>``, ``message:<id>`` or ``system:<part>``; None when it is gone or was erased.

    For a *user*, it shows and offers what his role permits; without one, everything. *discreet*, for a group, shows nothing
    of the person; *whole*, for a terminal, cuts nothing to the length of a chat message.
    """
    letters = user is None or permits(user, "unmasked")
    masked = masked or discreet or not letters
    kind, _, number = subject.partition(":")
    if kind == "system":
        told = "; ".join(f"{name}: {inert(' '.join(str(value).split()))}" for name, value in (facts or {}).items())
        return View(subject, fitted([*_headline(app, notice), told]).strip(), ())
    view = None
    try:
        if kind == "case":
            case = session.get(Case, int(number))
            if case is not None:
                view = case_card(
                    session,
                    app,
                    case,
                    masked=masked,
                    now=now,
                    notice=notice,
                    letters=letters,
                    discreet=discreet,
                    whole=whole,
                )
        else:
            message = session.get(Message, int(number))
            if message is not None:
                view = message_card(
                    session, app, message, masked=masked, now=now, notice=notice, discreet=discreet, whole=whole
                )
    except SealingError:
        return None
    if view is None or user is None:
        return view
    first = [absence.user for absence in roster.standing_in(session, user, casework.today(app, now))]
    text = f"{_say_for(app, first)}\n{view.text}" if first else view.text
    return View(view.subject, text if whole else fitted(text.split("\n")), allowed(view.offers, user))


def _say_for(app: App, absent: list[str]) -> str:
    """Tell a deputy on whose behalf he sees a card."""
    named = ", ".join(user.name for user in app.settings.desk.users if user.key in absent) or ", ".join(absent)
    return f"{WORDS[app.settings.desk.language]['stands_in']} {named}"
