"""What use cases do to a case inside their transaction: note events, compute its state anew, write letters, tell the
desk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from bot import switch
from bot.app import App
from bot.desk.review import findings_of
from bot.desk.roster import on_duty
from bot.desk.text import visible
from bot.desk.words import NOTICES, RIGHTS, WORDS, word
from bot.envelope import envelope
from bot.letters import compose, mime_bytes, new_message_id
from bot.register import register_of
from bot.settings import User
from handlers import annex
from handlers.annex import RegisterIncomplete
from handlers.clock import clock_events, deadline
from handlers.identity import NEVER_PROVED
from handlers.lifecycle import WORKING, CaseState, state_of
from handlers.linter import fold
from handlers.opening import part_of
from handlers.rights.objection import about_advertising
from handlers.types import Deadline, Fact, IdentityNeed, Letter, Notice, Outcome, Situation
from store import drafts, journal, messages, outbox
from store.cases import Person, facts_of, person_of
from store.models import Case, Draft, Event
from templates import fingerprint

_BY_LETTER = frozenset({"identity_requested", "extended", "clarification_requested"})
"""Events that count because a letter arrived."""
_PROOF_ENDS = frozenset({"identity_verified", "identity_waived"})


def today(app: App, now: datetime) -> date:
    """Return the civil date at *now* where the organisation is."""
    return now.astimezone(app.settings.zone).date()


def clock_rows(events: Sequence[Event]) -> list[tuple[str, datetime]]:
    """Return what the journal tells the clock. A proof accepted or waived ends a suspension that is still open."""
    lost = {e.data.get("message_id") for e in events if e.type == "letter_bounced"} - {None, ""}
    rows: list[tuple[str, datetime]] = []
    waiting = False
    for event in sorted(events, key=lambda e: (e.at, e.id or 0)):
        if event.type in _BY_LETTER and event.data.get("message_id") in lost:
            # Nothing is awaited from somebody who was never reached, and nobody was told of the extension.
            continue
        if event.type in ("identity_requested", "identity_insufficient"):
            waiting = True
        elif event.type == "identity_received":
            waiting = False
        elif event.type in _PROOF_ENDS and waiting:
            rows.append(("identity_received", event.at))
            waiting = False
        rows.append((event.type, event.at))
    return rows


def deadline_of(
    app: App, case: Case, events: Sequence[Event], *, with_trace: bool = False, language: str = "en", right: str = ""
) -> Deadline:
    """Compute the due date of a case from its journal; of one *right* of it where one is named."""
    calendar = app.settings.calendar
    return deadline(
        case.received_at,
        clock_events(clock_rows(events), case.received_at),
        timezone=calendar.timezone,
        rule=calendar.rule,
        calendar=calendar.holidays,
        extra_holidays=calendar.extra_holidays,
        right=right or ("erasure" if case.minor and "erasure" in case.rights else case.primary),
        minor_at_collection=case.minor,
        pause_on_clarification=calendar.pause_on_clarification,
        late_identity_after=calendar.late_identity_after,
        with_trace=with_trace,
        language=language,
    )


def state(events: Sequence[Event]) -> CaseState:
    """Compute the state of a case from its journal."""
    return state_of([Fact(event.type, event.data) for event in events])


def project(session: Session, app: App, case: Case) -> Deadline:
    """Write into the case's row what the journal says now: state, identity, dates."""
    assert case.id is not None
    events = journal.of_case(session, case.id)
    computed = deadline_of(app, case, events)
    current = state(events)
    case.state, case.identity = current.state, current.identity
    if current.rights:
        case.rights, case.primary = list(current.rights), current.rights[0]
    # The row holds what counts now: in lists and letters a case has one date.
    case.due, case.due_if_not_paused = computed.in_force, computed.in_force_if_not_paused
    case.extended_due = computed.extended_due
    closing = [event.at for event in events if event.type in ("closed", "not_a_request", "reopened")]
    case.closed_at = closing[-1] if closing and current.state in ("closed", "not_request") else None
    session.add(case)
    session.flush()
    return computed


def note(
    session: Session,
    app: App,
    case: Case,
    type: str,
    *,
    actor: str,
    now: datetime,
    at: datetime | None = None,
    data: Mapping[str, Any] | None = None,
    text: str = "",
) -> Event:
    """Add an event to the journal of a case and compute its state anew. Free *text* is sealed."""
    sealed = app.vault.seal(session, case.key_id, text.encode(), "event") if text else None
    event = journal.append(
        session, type=type, actor=actor, at=at or now, now=now, case=case, data=data, secret_sealed=sealed
    )
    project(session, app, case)
    return event


def situation(
    session: Session,
    app: App,
    case: Case,
    *,
    identity: IdentityNeed,
    now: datetime,
    may_answer: bool = True,
    proof_at_hand: bool = False,
) -> Situation:
    """Return what a right needs to know besides the case."""
    computed = deadline_of(app, case, journal.of_case(session, case.id or 0))
    return Situation(
        today=today(app, now),
        due=computed.in_force,
        due_if_not_paused=computed.in_force_if_not_paused,
        identity=identity,
        may_answer=may_answer,
        proof_at_hand=proof_at_hand,
        reply_language_supported=case.person_language in ("", "unknown", *app.settings.languages),
        identity_automatic=app.settings.identity.request == "auto",
        acknowledge_automatic=app.settings.replies.acknowledge == "auto",
    )


def threading(session: Session, app: App, case: Case) -> tuple[str, tuple[str, ...]]:
    """Return (In-Reply-To, References) for a letter: it answers the person's newest message in the case."""
    incoming = messages.of_case(session, case.id or 0) or messages.of_case(session, origin_of(session, case))
    for message in reversed(incoming):
        if message.channel == "email":
            seen = messages.view(session, app.vault, message)
            return seen["message_id"], tuple(seen["references"])
    return "", ()


def origin_of(session: Session, case: Case) -> int:
    """Return the number of the case that this one was split off from, and whose messages speak for it; else 0."""
    opened = next((e for e in journal.of_case(session, case.id or 0) if e.type == "case_opened"), None)
    return int(opened.data.get("origin", 0)) if opened is not None else 0


def now_in(session: Session, case: Case) -> Case:
    """Return the case that a case was merged into, and which goes on for it; the case itself where it was not."""
    if case.state != "closed":
        return case
    moves = [e for e in journal.of_case(session, case.id or 0) if e.type in ("merged", "unmerged")]
    kept = session.get(Case, moves[-1].data["case"]) if moves and moves[-1].type == "merged" else None
    return now_in(session, kept) if kept is not None and kept.id != case.id else case


def requesters_of(session: Session, case: Case) -> frozenset[str]:
    """Return the keyed hashes of the addresses whose letters belong to a case: its requester's, and those of the cases that
    the desk merged into it, as long as they are."""
    found = {case.address_hash}
    for event in journal.of_case(session, case.id or 0):
        if event.type == "case_merged_in":
            gone = session.get(Case, event.data["case"])
            if gone is not None and gone.id != case.id and now_in(session, gone).id == case.id:
                found |= requesters_of(session, gone)
    return frozenset(found - {""})


def write_letter(
    session: Session, app: App, case: Case, letter: Letter, *, step: str, now: datetime, recipient: str = ""
) -> Draft:
    """Render *letter* now and propose it; a routine letter that may leave without a click is queued at once.

    It goes to the person of record; *recipient* is for what is meant for another: a code to the contact on file, a notice
    to a recipient of data. *step* names what made it, so that the same step repeated gives the same draft.
    """
    person = Person("", recipient) if recipient else person_of(session, app.vault, case)
    # Who is told something apart does not learn by what the request was threaded.
    in_reply_to, references = ("", ()) if recipient else threading(session, app, case)
    text = compose(
        app, letter, case=case, person=person, today=today(app, now), in_reply_to=in_reply_to, references=references
    )
    message_id = new_message_id(app, case.reference)
    draft = drafts.propose(
        session, app.vault, case=case, key=f"{case.reference}:{step}", kind=letter.kind, template=letter.template,
        language=letter.language, message_id=message_id, letter=text, automatic=letter.automatic, now=now,
        digest=envelope(session, app, case, text, message_id=message_id, now=now).digest(),
    )  # fmt: skip
    if draft.status != "proposed" or draft.revision > 1:
        return draft
    data: dict[str, Any] = {
        "draft": str(draft.id), "kind": draft.kind, "revision": draft.revision, "template": draft.template,
        "template_sha256": fingerprint(draft.template, draft.language),
    }  # fmt: skip
    if letter.rights:
        data["rights"] = list(letter.rights)
    note(session, app, case, "draft_proposed", actor="bot", now=now, data=data)
    # A routine letter with a fault in it waits for a person like any other.
    sound = not any(finding.severity == "error" for finding in findings_of(app, case, draft, text))
    if letter.automatic and sound and _within_budget(session, app, case, now=now):
        approve_bytes(session, app, case, draft, text, by="bot", now=now)
    return draft


def _within_budget(session: Session, app: App, case: Case, *, now: datetime) -> bool:
    """Whether one more automatic mail may leave: in this case and to this person today, and to anybody this hour (loop
    breaker); none while the switch is thrown."""
    from store.cases import of_sender

    if switch.stopped(app.settings):
        return False
    replies = app.settings.replies
    day = now - timedelta(days=1)
    if outbox.count_automatic(session, since=day, case_ids=(case.id or 0,)) >= replies.per_case_per_day:
        return False
    same = tuple(c.id for c in of_sender(session, case.address_hash) if c.id is not None)
    today_count = outbox.count_automatic(session, since=now - timedelta(days=1), case_ids=same)
    hour_count = outbox.count_automatic(session, since=now - timedelta(hours=1))
    return today_count < replies.per_sender_per_day and hour_count < replies.total_per_hour


def revise_letter(
    session: Session, app: App, case: Case, draft: Draft, text: drafts.LetterText, *, by: str, now: datetime
) -> bool:
    """Replace the text of a draft that waits; False where somebody decided or edited it meanwhile."""
    sent = envelope(session, app, case, text, message_id=draft.message_id, now=now)
    return drafts.revise(
        session, app.vault, case=case, draft=draft, seen_revision=draft.revision, letter=text, by=by, now=now,
        digest=sent.digest(),
    )  # fmt: skip


def approve_bytes(
    session: Session,
    app: App,
    case: Case,
    draft: Draft,
    text: drafts.LetterText,
    *,
    by: str,
    now: datetime,
    on_behalf: str = "",
) -> bool:
    """Approve a draft as it stands and queue its exact bytes; False when it changed or was decided meanwhile."""
    assert draft.id is not None
    if not drafts.decide(
        session, draft_id=draft.id, revision=draft.revision, digest=draft.digest, status="approved", by=by, now=now
    ):
        return False
    session.refresh(draft)
    automatic = by == "bot"
    sent = envelope(session, app, case, text, message_id=draft.message_id, now=now, automatic=automatic)
    item = outbox.enqueue(
        session, app.vault, key=f"{draft.key}:letter", channel=sent.channel, kind=draft.kind, key_id=case.key_id,
        recipient=sent.recipient, payload=sent.payload, now=now, case_id=case.id, draft_id=draft.id,
        message_id=draft.message_id, automatic=automatic,
    )  # fmt: skip
    data = {
        "draft": str(draft.id),
        "kind": draft.kind,
        "revision": draft.revision,
        "digest": draft.digest,
        "sha256": item.sha256,
        "envelope": sent.digest(),
        **({"on_behalf": on_behalf} if on_behalf else {}),
    }
    note(session, app, case, "draft_approved", actor=by, now=now, data=data)
    return True


def apply(session: Session, app: App, case: Case, outcome: Outcome, *, step: str, now: datetime) -> None:
    """Do what a rule says should happen to a case: events, letters (rendered now), notices."""
    for fact in outcome.events:
        note(session, app, case, fact.type, actor="bot", now=now, data=fact.data)
    for letter in outcome.letters:
        write_letter(session, app, case, letter, step=f"{step}:{letter.template}", now=now)
    for notice in outcome.notices:
        tell_desk(session, app, notice, subject=f"case:{case.id}", key_id=case.key_id, step=step, now=now, case=case)


def tell_desk(
    session: Session,
    app: App,
    notice: Notice,
    *,
    subject: str,
    key_id: int,
    step: str,
    now: datetime,
    case: Case | None = None,
) -> None:
    """Queue a notice for the desk, in the transaction of what it tells; the card itself is drawn when it is sent.

    It goes to the chat; where there is none, by mail to the DPO, with references and dates only. Of a flood of new
    requests one notice an hour tells, that of a single urgent one apart; the lists of the desk and the digest show each.
    """
    if _is_flood(session, app, notice, now=now):
        notice, subject = Notice("flood", urgent=True), "system:flood"
        key_id, step, case = app.vault.new_key(session, now=now), now.strftime("%Y-%m-%dT%H"), None
    if not app.settings.desk_in_chat:
        if notice.kind != "refresh":
            mail_desk(session, app, notice, subject=subject, step=step, now=now, case=case)
        return
    payload = json.dumps({"subject": subject, "kind": notice.kind, "urgent": notice.urgent, "facts": notice.facts})
    outbox.enqueue(
        session, app.vault, key=f"desk:{subject}:{notice.kind}:{step}", channel="desk", kind=notice.kind,
        key_id=key_id, recipient="desk", payload=payload.encode(), now=now, case_id=case.id if case else None,
    )  # fmt: skip


NEWCOMERS = ("case_opened", "to_sort", "quarantine")
"""Notices that anybody outside can cause, as many as he likes."""


def _is_flood(session: Session, app: App, notice: Notice, *, now: datetime) -> bool:
    """Whether a notice is one of too many that came within an hour; never an urgent one."""
    if notice.urgent or notice.kind not in NEWCOMERS:
        return False
    told = outbox.count_told(session, kinds=NEWCOMERS, since=now - timedelta(hours=1))
    return told >= app.settings.desk.cards_per_hour


def mail_desk(
    session: Session, app: App, notice: Notice, *, subject: str, step: str, now: datetime, case: Case | None = None
) -> None:
    """Queue a notice for the desk as a mail: to every user with an address, else to the DPO's. No personal data in it.

    To a user's own address it carries, where a draft waits, that draft masked and the key to decide by a reply.
    """
    language = app.settings.desk.language
    said = word(NOTICES, language, notice.kind)
    lines = [said]
    if case is not None:
        named = ", ".join(word(RIGHTS, language, right) for right in case.rights)
        lines += [f"{case.reference} – {named}", f"{WORDS[language]['due']} : {case.due or '–'}"]
    else:
        lines.append(subject)
    # What a server said of itself is one line, and moves nothing where it is read.
    lines += [f"{name}: {' '.join(visible(str(value)).split())}" for name, value in notice.facts.items()]
    lines += ["", "dpobot desk"]
    title = f"{'[URGENT] ' if notice.urgent else ''}{said} – {case.reference if case else subject}"
    # The desk by mail knows actions and cards, which know this module.
    from bot.desk.mail_orders import offer

    users = [u for u in on_duty(session, app, today(app, now)) if u.email and u.role != "auditor"]
    recipients: list[tuple[str, User | None]] = [(u.email or "", u) for u in users]
    recipients = recipients or [(app.settings.dpo.email, None)]
    for index, (recipient, user) in enumerate(recipients):
        key = f"desk-mail:{subject}:{notice.kind}:{step}:{index}"
        if outbox.by_key(session, key) is not None:
            continue
        order = offer(session, app, case, user, now=now) if case is not None and user is not None else []
        message_id = new_message_id(app, case.reference if case else f"{app.settings.reference_prefix}-0000-0000")
        letter = drafts.LetterText(recipient=recipient, subject=title, text="\n".join([*lines, *order]) + "\n", html="")
        payload = mime_bytes(app, letter, message_id=message_id, now=now, automatic=True)
        outbox.enqueue(
            session, app.vault, key=key, channel="desk_mail",
            kind=notice.kind, key_id=app.vault.new_key(session, now=now), recipient=recipient, payload=payload,
            now=now, case_id=case.id if case else None, message_id=message_id, automatic=True,
        )  # fmt: skip


def tell_system(
    session: Session, app: App, kind: str, *, part: str, step: str, now: datetime, facts: Mapping[str, Any]
) -> None:
    """Tell the desk about the program itself (mailbox not read, chat down), urgently."""
    notice = Notice(kind, urgent=True, facts=dict(facts))
    key_id = app.vault.new_key(session, now=now)
    tell_desk(session, app, notice, subject=f"system:{part}", key_id=key_id, step=step, now=now)


def void_drafts(session: Session, app: App, case: Case, *, reason: str, now: datetime, by: str = "bot") -> int:
    """Void the drafts of a case that still wait, because what they rest on changed; return how many.

    A letter that was approved and has not left yet is called back too: its approval was given to another situation.
    """
    count = _call_back(session, app, case, reason=reason, now=now, by=by)
    for draft in drafts.proposed(session, case.id or 0):
        assert draft.id is not None
        if reason == "identity-doubted" and _needs_no_proof(session, app, case, draft):
            continue
        if drafts.decide(
            session, draft_id=draft.id, revision=draft.revision, digest=draft.digest, status="void", by=by, now=now
        ):
            note(session, app, case, "draft_voided", actor=by, now=now, data={"draft": str(draft.id), "reason": reason})
            count += 1
    return count


def _call_back(session: Session, app: App, case: Case, *, reason: str, now: datetime, by: str) -> int:
    routine = reason in ("new-message", "right-changed", "identity-doubted")
    count = 0
    for item in outbox.of_case(session, case.id or 0):
        if item.status != "pending" or item.draft_id is None or (item.automatic and routine):
            continue
        draft = session.get(Draft, item.draft_id)
        assert draft is not None
        if reason == "identity-doubted" and _needs_no_proof(session, app, case, draft):
            continue
        if outbox.cancel(session, item_id=item.id or 0):
            draft.status = "void"
            session.add(draft)
            note(session, app, case, "draft_voided", actor=by, now=now, data={"draft": str(draft.id), "reason": reason})
            count += 1
    return count


def _needs_no_proof(session: Session, app: App, case: Case, draft: Draft) -> bool:
    rights = drafts.letter_of(session, app.vault, case=case, draft=draft).rights
    return bool(rights) and NEVER_PROVED.issuperset(rights)


def identity_need_of(events: Sequence[Event]) -> IdentityNeed:
    """Return what was last decided about the proof of identity the case needs, as the journal keeps it."""
    for event in reversed(events):
        if "level" in event.data:
            doubts = tuple(d for d in str(event.data.get("reason", "")).split(",") if d)
            level = int(event.data.get("level", 0))
            return IdentityNeed(level, doubts, tuple(event.data.get("means", ())))
    return IdentityNeed(0)


def prepare(session: Session, app: App, case: Case, *, step: str, now: datetime) -> Draft | None:
    """Propose the answer to whatever may be answered now, if anything may (art. 12(3), 21(3)).

    While proof is awaited for a part of the message, the rest gets an answer of its own: an objection to advertising, the
    withdrawal of a consent, a complaint and a report wait for nothing. What a letter under way answers is left alone.
    """
    ready = state(journal.of_case(session, case.id or 0)).ready_rights
    if case.state not in WORKING or not ready:
        return None
    try:
        return draft_answer(session, app, case, step=step, now=now, rights=ready)
    except RegisterIncomplete as error:
        notice = Notice("register_incomplete", urgent=True, facts={"problem": str(error)})
        tell_desk(session, app, notice, subject=f"case:{case.id}", key_id=case.key_id, step=step, now=now, case=case)
        return None


def _of_the_message(session: Session, app: App, case: Case) -> dict[str, Any]:
    """Return what the message that opened a case says that changes the wording of its answer."""
    found = messages.of_case(session, case.id or 0)
    if not found:
        return {}
    view = messages.view(session, app.vault, found[0])
    folded = fold(f"{view['subject']}\n{view['new_text']}")
    return {
        "pictures": bool(view["reading"]["flags"].get("image_rights")),
        "advertising": about_advertising(folded),
    }


def chosen_activities(events: Sequence[Event]) -> tuple[str, ...]:
    """Return the activities of the register that the DPO ticked for a case; none ticked: all of them."""
    ticked = [event.data.get("activities", ()) for event in events if event.type == "activities_chosen"]
    return tuple(ticked[-1]) if ticked else ()


def register_facts(app: App, case: Case, rights: Sequence[str], chosen: Sequence[str]) -> dict[str, Any]:
    """Return what an answer on *rights* says out of the register (art. 15(1)-(2), 17(3), 19). Raises
    ``RegisterIncomplete``."""
    register = register_of(app.settings)
    language = case.language
    found: dict[str, Any] = {"register": [], "activities_chosen": bool(chosen)}
    if "access" in rights:
        found["register"] = annex.information(register, language, chosen)
    if "erasure" in rights:
        found["kept"] = annex.kept(register, language, chosen)
    if {"rectification", "erasure", "restriction"} & set(rights):
        found["to_tell"] = annex.recipients_to_tell(register, language, chosen)
    return found


def draft_answer(
    session: Session, app: App, case: Case, *, step: str, now: datetime, rights: Sequence[str] = ()
) -> Draft:
    """Propose an answer to *rights* (to all that are open, where none are named): a draft, which waits for the DPO.

    Raises ``handlers.annex.RegisterIncomplete`` where the register of processing lacks what the answer must say.
    """
    current = situation(session, app, case, identity=IdentityNeed(0), now=now)
    events = journal.of_case(session, case.id or 0)
    wanted = tuple(rights) or state(events).open_rights or tuple(case.rights)
    part, rest = in_part(case, wanted)
    letter = app.rights[wanted[0]].answer(part_of(facts_of(case), wanted), current)
    context = {
        **letter.context,
        **register_facts(app, case, wanted, chosen_activities(events)),
        **_of_the_message(session, app, case),
        "pending": rest,
    }
    letter = replace(letter, context=context, rights=part)
    name = "answer" if not part else f"answer:{'+'.join(part)}"
    return write_letter(session, app, case, letter, step=f"{step}:{name}", now=now)


def in_part(case: Case, rights: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return (the rights a letter names as its own, those that are answered apart); both empty for a whole answer."""
    rest = [right for right in case.rights if right not in rights]
    return (tuple(rights), rest) if rest else ((), [])


def clocks(app: App, case: Case, events: Sequence[Event], *, language: str = "en") -> dict[str, Deadline]:
    """Return the clock of each right of a case: all began on the same day, and those that need no proof of identity run
    while the others are suspended (art. 21(3), 12(6))."""
    plain = [event for event in events if not event.type.startswith("identity_")]
    found = {}
    for right in case.rights:
        own = plain if right in NEVER_PROVED else events
        found[right] = deadline_of(app, case, own, language=language, right=right)
    return found


def would_be_due(app: App, received_at: datetime) -> date:
    """Return when an unsorted message would be due if it is a request: its clock runs from receipt all the same."""
    calendar = app.settings.calendar
    computed = deadline(
        received_at, (), timezone=calendar.timezone, rule=calendar.rule, calendar=calendar.holidays,
        extra_holidays=calendar.extra_holidays, with_trace=False,
    )  # fmt: skip
    return computed.due_if_not_paused
