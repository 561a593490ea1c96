"""One message, one transaction: record it, pass the gates, match, triage, and do what follows. Repeating it changes
nothing."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from bot import casework, codes, continuation, parents, status, suppression
from bot.app import App
from bot.channels import mime
from bot.channels.base import RawMessage
from bot.channels.imap import OversizeMessage
from bot.evidence import disproved, evidence_of, vouched
from bot.letters import is_our_message_id, reference_in_address, reference_in_message_id
from handlers.gates import GateFacts, Verdict, judge
from handlers.identity import assess, looks_like_proof, tells_a_fact, tells_a_stay
from handlers.lifecycle import UNSETTLED, WORKING
from handlers.linter import fold as plain
from handlers.lookalike import is_mixed, resembles
from handlers.matching import Candidate, Match, match, references_in
from handlers.rights.objection import about_advertising
from handlers.triage import CONTINUES, Plan, decide
from handlers.types import Arrival, Authentication, Bounce, Forwarded, Notice, Outcome
from nlp.fold import fold
from nlp.types import LABELS, MISSION_CLASS, Cue, Reading
from nlp.types import Message as Question
from store import cases, journal, messages, outbox
from store.cases import Person
from store.models import Case, CaseFacts, Message, StoredAttachment

log = logging.getLogger("dpobot.intake")

MAX_BODY = 200_000
"""Characters of new text given to the classifier; a request is never that long, a mail bomb is."""


LONGEST_WAY = timedelta(days=366)
"""How long a request may have lain with a colleague; an older date in a forward is somebody else's story."""


@dataclass(frozen=True)
class Recorded:
    """What became of a message."""

    message_id: int
    disposition: str
    reference: str | None = None
    known: bool = False
    """It was recorded before: nothing was done but to note where this copy lay."""


def take_in(app: App, raw: RawMessage) -> Recorded:
    """Read and record one mail. Safe to repeat: the same message has the same effect once.

    Reading is slow and pure, so it happens outside the transaction. Raises only what the store raises; a message
    that cannot be understood is recorded for a person to sort, with its clock running.
    """
    now = app.clock.now()
    with app.database.reading() as session:
        known = messages.seen_at(session, source=raw.source, external_id=raw.external_id)
    if known is not None:
        return Recorded(known, "known", known=True)
    arrival = reading_of(app, raw)
    # A message over the mailbox's limit was fetched only in part: a person reads the whole of it.
    return record(app, arrival, now=now, too_large=isinstance(raw, OversizeMessage))


def reading_of(app: App, raw: RawMessage) -> Arrival:
    """Read a raw mail with what the settings say of our servers, addresses and domains, look at its signature ourselves
    where no server of ours left a verdict, and have it scanned."""
    settings = app.settings
    arrival = mime.arrival(
        raw, authserv_ids=settings.mail.authserv_ids, own_addresses=settings.own_addresses, own_domains=own_domains(app)
    )
    if app.signatures is not None and not arrival.auth.trusted:
        arrival = replace(
            arrival, auth=replace(arrival.auth, own_dkim=app.signatures.verify(raw.raw, arrival.from_addr))
        )
    if app.scanner is not None and (found := app.scanner.scan(raw.raw)) != "clean":
        arrival = replace(arrival, problems=(*arrival.problems, "malware" if found == "found" else "unscanned"))
    return arrival


def record(app: App, arrival: Arrival, *, now: datetime, too_large: bool = False) -> Recorded:
    """Classify an arrival and record it in one transaction."""
    arrival = first_received(app, arrival)
    reading = read(app, arrival)
    with app.database.transaction() as session:
        recorded = _record(session, app, arrival, reading, now=now, too_large=too_large)
    log.info(
        "message.recorded",
        extra={"message_id": recorded.message_id, "disposition": recorded.disposition, "case": recorded.reference},
    )
    return recorded


def record_in(session: Session, app: App, arrival: Arrival, *, now: datetime) -> Recorded:
    """Classify an arrival and record it within the caller's transaction."""
    arrival = first_received(app, arrival)
    return _record(session, app, arrival, read(app, arrival), now=now)


def enter(app: App, arrival: Arrival, *, rights: Sequence[str], now: datetime) -> Recorded:
    """Record what a person enters. With *rights* that person has judged it: a case is opened for just these."""
    with app.database.transaction() as session:
        return enter_in(session, app, arrival, rights=rights, now=now)


def enter_in(session: Session, app: App, arrival: Arrival, *, rights: Sequence[str], now: datetime) -> Recorded:
    """Do what :func:`enter` does, inside the caller's transaction."""
    reading = read(app, arrival)
    if rights:
        labels = tuple(rights)
        reading = replace(
            reading, primary=labels[0], labels=labels, decision="accept", confidence=1.0,
            mission_class=MISSION_CLASS.get(labels[0], "other"),
        )  # fmt: skip
    return _record(session, app, arrival, reading, now=now, judged=bool(rights))


def read(app: App, arrival: Arrival) -> Reading:
    """Classify the new text of an arrival (of the message inside it, for a forward)."""
    return app.reader.read(question_of(app, arrival))


def question_of(app: App, arrival: Arrival) -> Question:
    """Return what the classifier is asked about an arrival."""
    inner = forwarded_request(app, arrival)
    return Question(
        id=arrival.content_key[:12],
        body=arrival.new_text[:MAX_BODY],
        subject=inner.subject if inner else arrival.subject,
        channel=arrival.channel,
        from_name=inner.from_name if inner else arrival.from_name,
        from_email=inner.from_addr if inner else arrival.from_addr,
        reply_to=arrival.reply_to,
        attachments=tuple((a.filename, a.content_type) for a in arrival.attachments),
    )


def own_domains(app: App) -> frozenset[str]:
    """The organisation's own mail domains, in lower case."""
    return frozenset(address.rpartition("@")[2] for address in app.settings.own_addresses)


def first_received(app: App, arrival: Arrival) -> Arrival:
    """Let the clock of a request that a colleague passes on run from when the organisation first got it.

    Our own server's line in the attached message proves it; the date in a forward is only a claim, but an earlier
    day can only shorten our own time (EDPB guidelines 01/2022: the month runs from receipt by the controller, whoever
    in it received the request). Never later than the forward itself, never more than a year before it.
    """
    inner = forwarded_request(app, arrival)
    if inner is None or not inner.received_at or disproved(arrival):
        return arrival
    first = datetime.fromisoformat(inner.received_at)
    if not arrival.received_at - LONGEST_WAY <= first < arrival.received_at:
        return arrival
    noted = replace(inner, passed_on_at=arrival.received_at.isoformat())
    return replace(arrival, received_at=first, forwarded=noted)


def forwarded_request(app: App, arrival: Arrival) -> Forwarded | None:
    """Return the message that a colleague passes on: its sender is the requester, the colleague only the messenger."""
    inner = arrival.forwarded
    if inner is None or not inner.from_addr:
        return None
    return inner if arrival.from_addr.lower().rpartition("@")[2] in own_domains(app) else None


def _record(
    session: Session,
    app: App,
    arrival: Arrival,
    reading: Reading,
    *,
    now: datetime,
    too_large: bool = False,
    judged: bool = False,
) -> Recorded:
    known = messages.seen_at(session, source=arrival.source, external_id=arrival.external_id)
    if known is not None:
        return Recorded(known, "known", known=True)
    copy = messages.by_content(session, arrival.content_key)
    if copy is not None:
        assert copy.id is not None
        messages.note_sighting(
            session, source=arrival.source, external_id=arrival.external_id, message_id=copy.id, now=now
        )
        return Recorded(copy.id, copy.disposition, known=True)

    arrival = _named(app, arrival)
    inner = forwarded_request(app, arrival)
    sender_hash = app.vault.address_hash(inner.from_addr if inner else arrival.from_addr)
    verdict = judge(
        GateFacts(
            arrival=arrival,
            reading=reading,
            own_addresses=app.settings.own_addresses,
            too_large=too_large,
            judged=judged,
            is_ours=is_our_message_id(app, arrival.message_id),
            recent_from_sender=messages.count_from_sender(
                session, sender_hash, since=arrival.received_at - timedelta(hours=1)
            ),
        )
    )
    if inner is not None and not vouched(arrival):
        # The inner address was typed into a text: nothing leaves for it before a person has looked.
        verdict = replace(verdict, may_answer=False, reasons=(*verdict.reasons, "forwarded"))
    # A thread is joined by who the sender is; where that is disproved, or typed into a forward, he is a stranger.
    believed = not disproved(arrival) and (inner is None or vouched(arrival))
    found = _match(session, app, arrival, reading, verdict, sender_hash if believed else "")
    if found.stranger and codes.sent_back(session, app, found.reference, arrival, sender_hash if believed else ""):
        # The contact on file may answer from its own address: the code we sent there says so.
        found = replace(found, stranger=False)
    elif found.stranger and believed and continuation.moved(session, app, found.reference, arrival, now=now):
        # Who wrote in the chat goes on by mail: the code we gave there says so.
        found = replace(found, stranger=False)
    case = cases.by_reference(session, found.reference) if found.reference else None
    twin = _twin(session, sender_hash, reading) if case is None and believed and not _shared(arrival) else None
    live = case is None or case.state in WORKING or case.state == "to_sort"
    proves = case is not None and _tells_a_stay(session, app, case, arrival, reading)
    plan = decide(
        verdict, reading, found, case_rights=case.rights if case else (), case_live=live, twin=twin, proves=proves,
        judged=judged,
    )  # fmt: skip
    if plan.action == "quarantine" and found.reference and _imitates(session, app, found.reference, arrival):
        plan = replace(plan, reason="lookalike-in-thread")
    recorded = _carry_out(session, app, arrival, reading, verdict, plan, sender_hash, now=now)
    if recorded.disposition in ("opened", "added", "to_sort", "ignored") and verdict.way in ("judge", "to_sort"):
        message = messages.by_content(session, arrival.content_key)
        joined = cases.by_reference(session, recorded.reference) if recorded.reference else None
        if message is not None:
            parents.look(session, app, message, arrival, joined, now=now)
    lookalike = plan.action == "quarantine" and plan.reason != "stranger-in-thread"
    if reading.primary == "status_inquiry" and verdict.may_answer and believed and inner is None and not lookalike:
        own = cases.by_reference(session, recorded.reference) if recorded.reference else None
        named = references_in(arrival.subject, arrival.new_text, prefix=app.settings.reference_prefix)
        language = reply_language(app, reading.language)
        status.answer(session, app, arrival, case=own, named=named, language=language, now=now)
    return recorded


def _tells_a_stay(session: Session, app: App, case: Case, arrival: Arrival, reading: Reading) -> bool:
    """Whether a message brings the facts of a stay that the case waits for; what they are worth the DPO says.

    In a reply to our own letter they may have any form.
    """
    in_reply = any(reference_in_message_id(app, name) for name in (arrival.in_reply_to, *arrival.references))
    # The days of an absence are no days of a stay.
    absent = arrival.is_auto_reply or reading.primary == "auto_reply"
    if absent or case.identity not in ("requested", "rejected"):
        return False
    means = casework.identity_need_of(journal.of_case(session, case.id or 0)).means
    if tells_a_stay(means, reading.fields):
        return True
    if reading.primary in ("status_inquiry", "reminder"):
        return False
    said = arrival.new_text
    for reference in references_in(said, prefix=app.settings.reference_prefix):
        said = re.sub(re.escape(reference), " ", said, flags=re.IGNORECASE)
    return in_reply and tells_a_fact(means, fold(said).text)


def _named(app: App, arrival: Arrival) -> Arrival:
    """Name what is wrong with the sender's domain: made to be taken for ours, or letters of two scripts in a word."""
    domain = arrival.from_addr.rpartition("@")[2]
    odd = []
    if arrival.channel == "email" and resembles(arrival.from_addr, own_domains(app)):
        odd.append("lookalike-own-domain")
    if domain and is_mixed(domain):
        odd.append("mixed-script-domain")
    return replace(arrival, problems=tuple(dict.fromkeys((*arrival.problems, *odd)))) if odd else arrival


def _imitates(session: Session, app: App, reference: str, arrival: Arrival) -> bool:
    """Whether a stranger's address is made to be taken for the requester's."""
    case = cases.by_reference(session, reference)
    address = cases.person_of(session, app.vault, case).address if case is not None and case.address_hash else ""
    return bool(address) and bool(resembles(arrival.from_addr, [address]))


def _match(session: Session, app: App, arrival: Arrival, reading: Reading, verdict: Verdict, sender_hash: str) -> Match:
    if verdict.way == "bounce" and arrival.bounce is not None:
        reference = reference_in_message_id(app, arrival.bounce.original_message_id)
        return Match(reference, "token")
    pointers: dict[str, str] = {}
    for message_id in (arrival.in_reply_to, *reversed(arrival.references)):
        reference = reference_in_message_id(app, message_id)
        if reference:
            pointers.setdefault(reference, "token")
    for address in (*arrival.delivered_to, *arrival.to):
        reference = reference_in_address(app, address)
        if reference:
            pointers.setdefault(reference, "token")
    named = references_in(arrival.subject, arrival.new_text, prefix=app.settings.reference_prefix)
    for reference in named:
        pointers.setdefault(reference, "reference")
    candidates: list[Candidate] = []
    for found in cases.by_references(session, pointers):
        goes_on = casework.now_in(session, found)
        # Somebody whose two cases the desk put together writes from either address.
        own = sender_hash in casework.requesters_of(session, goes_on)
        candidates.append(_candidate(goes_on, pointers[found.reference], own))
    if sender_hash and not _shared(arrival):
        mine = (casework.now_in(session, found) for found in cases.of_sender(session, sender_hash))
        candidates += {case.reference: _candidate(case, "sender", True) for case in mine}.values()
    continues = reading.primary in CONTINUES or (bool(arrival.attachments) and not reading.labels)
    return match(candidates, continues=continues)


def _shared(arrival: Arrival) -> bool:
    """Whether many people write from this address: a form, a portal. It says nothing about whose message this is."""
    return "noreply-sender" in arrival.suppress_reasons


def _candidate(case: Case, by: Any, same_sender: bool) -> Candidate:
    return Candidate(case.reference, by, same_sender=same_sender, open=case.state not in cases.CLOSED)


def _twin(session: Session, sender_hash: str, reading: Reading) -> str | None:
    """An open case of the same sender that already carries every right of this message."""
    wanted = {label for label in reading.labels if label in LABELS}
    for case in cases.of_sender(session, sender_hash):
        if case.state not in cases.CLOSED and wanted and wanted <= set(case.rights):
            return case.reference
    return None


def _carry_out(
    session: Session,
    app: App,
    arrival: Arrival,
    reading: Reading,
    verdict: Verdict,
    plan: Plan,
    sender_hash: str,
    *,
    now: datetime,
) -> Recorded:
    joins = plan.action in ("add", "bounce") and plan.reference is not None
    case = cases.by_reference(session, plan.reference or "") if joins else None
    key_id = case.key_id if case else app.vault.new_key(session, now=now)
    disposition = {"open": "opened", "add": "added", "ignore": "ignored"}.get(plan.action, plan.action)
    if plan.action == "bounce":
        disposition = "added" if case else "ignored"
    message = _store(
        session, app, arrival, reading, verdict, plan, sender_hash, key_id=key_id, case=case, now=now,
        disposition=disposition,
    )  # fmt: skip
    if plan.action == "open":
        case = open_case(session, app, message, arrival, reading, verdict, rights=plan.rights, key_id=key_id, now=now)
        if plan.reference:
            casework.note(session, app, case, "linked", actor="bot", now=now, data={"reference": plan.reference})
    elif plan.action == "add" and case is not None:
        add_to_case(session, app, case, message, arrival, reading, plan, verdict, now=now)
    elif plan.action == "bounce" and case is not None:
        _bounced(session, app, case, message, arrival, now=now)
    elif disposition in messages.TO_A_PERSON:
        facts = {"reason": plan.reason, "primary": reading.primary}
        notice = Notice(disposition, urgent=plan.urgent, facts=facts)
        casework.tell_desk(
            session, app, notice, subject=f"message:{message.id}", key_id=key_id, step="arrived", now=now
        )
    assert message.id is not None
    return Recorded(message.id, disposition, case.reference if case else None)


def _store(
    session: Session,
    app: App,
    arrival: Arrival,
    reading: Reading,
    verdict: Verdict,
    plan: Plan,
    sender_hash: str,
    *,
    key_id: int,
    case: Case | None,
    now: datetime,
    disposition: str,
) -> Message:
    requested = case is not None and case.identity in UNSETTLED
    announced = reading.primary == "identity_reply"
    proofs = {
        attachment.sha256
        for attachment in arrival.attachments
        if looks_like_proof(
            attachment.filename,
            attachment.sniffed_type or attachment.content_type,
            requested=requested,
            announced=announced,
        )
    }
    # A copy of an identity document goes before its case does, so what holds it gets a key of its own.
    raw_key = app.vault.new_key(session, now=now) if proofs else key_id
    seal = app.vault
    message = Message(
        channel=arrival.channel,
        content_key=arrival.content_key,
        received_at=arrival.received_at,
        recorded_at=now,
        case_id=case.id if case else None,
        disposition=disposition,
        reason=",".join(dict.fromkeys((plan.reason, *verdict.reasons))),
        primary=reading.primary,
        language=reading.language,
        confidence=round(reading.confidence, 4),
        size=len(arrival.raw),
        key_id=key_id,
        raw_key_id=raw_key,
        sender_hash=sender_hash,
        view_sealed=seal.seal_json(session, key_id, _view(arrival, reading, verdict), "view"),
        raw_sealed=seal.seal(session, raw_key, arrival.raw, "raw"),
    )
    session.add(message)
    session.flush()
    assert message.id is not None
    messages.note_sighting(
        session, source=arrival.source, external_id=arrival.external_id, message_id=message.id, now=now
    )
    for attachment in arrival.attachments:
        is_proof = attachment.sha256 in proofs
        attachment_key = raw_key if is_proof else key_id
        session.add(
            StoredAttachment(
                message_id=message.id,
                key_id=attachment_key,
                name_sealed=seal.seal(session, attachment_key, attachment.filename.encode(), "name"),
                content_sealed=seal.seal(session, attachment_key, attachment.content, "content"),
                content_type=attachment.content_type,
                sniffed_type=attachment.sniffed_type,
                size=attachment.size,
                sha256=attachment.sha256,
                is_identity=is_proof,
            )
        )
    session.flush()
    return message


def _view(arrival: Arrival, reading: Reading, verdict: Verdict) -> dict[str, Any]:
    """What a person may read of a message later: everything but the bytes."""
    kept = asdict(replace(arrival, raw=b"", attachments=()))
    for name in ("raw", "received_at"):
        kept.pop(name)
    read_as = asdict(reading)
    read_as["scores"] = {label: round(score, 4) for label, score in reading.scores.items()}
    return {**kept, "reading": read_as, "verdict": asdict(verdict)}


def restored(message: Message, view: dict[str, Any]) -> tuple[Arrival, Reading, Verdict]:
    """Return a stored message as it was when it arrived, without its bytes: for what a person decides later."""
    kept: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in view.items()}
    read_as, verdict = kept.pop("reading"), kept.pop("verdict")
    kept["bounce"] = Bounce(**kept["bounce"]) if kept["bounce"] else None
    kept["forwarded"] = Forwarded(**kept["forwarded"]) if kept["forwarded"] else None
    kept["auth"] = Authentication(**kept["auth"])
    kept.pop("attachments")
    arrival = Arrival(**kept, raw=b"", received_at=message.received_at)
    cues = tuple(Cue(**cue) for cue in read_as.pop("cues"))
    fields = {name: tuple(v) if isinstance(v, list) else v for name, v in read_as.pop("fields").items()}
    labels = tuple(read_as.pop("labels"))
    reading = Reading(**read_as, labels=labels, cues=cues, fields=fields)
    return arrival, reading, Verdict(verdict["way"], verdict["may_answer"], tuple(verdict["reasons"]))


def open_case(
    session: Session,
    app: App,
    message: Message,
    arrival: Arrival,
    reading: Reading,
    verdict: Verdict,
    *,
    rights: Sequence[str],
    key_id: int,
    now: datetime,
    by: str = "bot",
) -> Case:
    """Open a case for a message: its clock runs from receipt by the organisation, whoever recognises it and when."""
    settings = app.settings
    facts = CaseFacts(
        reference=cases.next_reference(
            session, prefix=settings.reference_prefix, year=arrival.received_at.astimezone(settings.zone).year
        ),
        channel=arrival.channel,
        language=reply_language(app, reading.language),
        received_at=arrival.received_at,
        primary=rights[0],
        rights=list(rights),
        person_language=reading.language,
        minor=bool(reading.flags.get("minor", False)),
        third_party=str(reading.flags.get("third_party_kind", "")) if reading.flags.get("third_party") else "",
        sensitive=bool(reading.flags.get("health_data", False)),
    )
    person = requester(app, arrival, reading)
    case = cases.create(session, app.vault, facts=facts, person=person, key_id=key_id, now=now)
    if arrival.forwarded is not None and arrival.forwarded.passed_on_at:
        casework.note(
            session, app, case, "forwarded_to_dpo", actor="bot", now=now,
            at=datetime.fromisoformat(arrival.forwarded.passed_on_at), data={"evidence": arrival.forwarded.received_by},
        )  # fmt: skip
    message.case_id, message.disposition, message.sorted_at = case.id, "opened", now if by != "bot" else None
    session.add(message)
    session.flush()
    if message.key_id != key_id:
        raise ValueError("a case takes over the key of the message that opens it")
    need = assess(evidence_of(session, app, case, arrival, reading))
    proof = any(attachment.is_identity for attachment in messages.attachments(session, message.id or 0))
    current = casework.situation(
        session, app, case, identity=need, now=now, may_answer=verdict.may_answer, proof_at_hand=proof
    )
    right = app.rights[case.primary]
    outcome = right.open(facts, current)
    casework.apply(session, app, case, replace(outcome, notices=()), step="open", now=now)
    about = ["pictures"] if reading.flags.get("image_rights") else []
    if "objection" in rights and not about_advertising(plain(f"{arrival.subject}\n{arrival.new_text}")):
        about.append("situation")
    if about:
        casework.note(session, app, case, "tasks_about", actor="bot", now=now, data={"about": about})
    _proof_came_along(session, app, case, message, now=now)
    if need.level == 1 and app.settings.identity.request == "auto" and verdict.may_answer:
        codes.send(session, app, case, reading, now=now)
    if suppression.enter(session, app, case, now=now):
        casework.note(session, app, case, "suppression_listed", actor="bot", now=now)
    casework.prepare(session, app, case, step="open", now=now)
    casework.project(session, app, case)
    # Told last, so that a notice by mail shows the draft that waits.
    casework.apply(session, app, case, Outcome(notices=outcome.notices), step="open", now=now)
    return case


def requester(app: App, arrival: Arrival, reading: Reading) -> Person:
    """Return who asks: the inner sender of a forward by a colleague, else the sender; never Reply-To, never Cc."""
    stated = reading.fields.get("full_name", "")
    stated = stated if isinstance(stated, str) else stated[0]
    named = reading.fields.get("data_subject_name", ()) if reading.flags.get("third_party") else ()
    about = named if isinstance(named, str) else ", ".join(named)
    inner = forwarded_request(app, arrival)
    if inner is not None:
        return Person(_fuller(stated, inner.from_name), inner.from_addr, subject=about)
    name = _fuller(stated, arrival.from_name)
    if arrival.channel in ("telegram", "matrix"):
        return Person(name, "", int(arrival.from_addr.removeprefix("chat:")), subject=about)
    return Person(name, arrival.from_addr, subject=about)


def _fuller(stated: str, given: str) -> str:
    """Return the name the text states, unless it is but a part of the one the message came with."""
    part = set(fold(stated).text.split()) <= set(fold(given).text.split())
    return given if part and given else stated


def reply_language(app: App, language: str) -> str:
    """Return the language of the answer: the person's where letters exist in it, English for other known languages."""
    if language in app.settings.languages:
        return language
    if language in ("", "unknown") or "en" not in app.settings.languages:
        return app.settings.languages[0]
    return "en"


def add_to_case(
    session: Session,
    app: App,
    case: Case,
    message: Message,
    arrival: Arrival,
    reading: Reading,
    plan: Plan,
    verdict: Verdict,
    *,
    now: datetime,
) -> None:
    """Add a message of the requester to the case: proof, question, reminder, or more to the request."""
    data = {"message": message.id, "primary": reading.primary, "by": plan.reason}
    casework.note(session, app, case, "message_added", actor="person", now=now, at=arrival.received_at, data=data)
    if suppression.RIGHTS & set(reading.labels):
        suppression.enter(session, app, case, now=now)
    told = _tells_a_stay(session, app, case, arrival, reading)
    proof = _proof_came_along(session, app, case, message, now=now)
    if codes.check(session, app, case, arrival, now=now):
        # The contact on file answered: identity is settled, or one step from it; the draft follows below.
        proof = True
    elif not proof and case.identity in UNSETTLED and (told or reading.primary == "identity_reply"):
        proof = told
        casework.note(
            session, app, case, "identity_received", actor="person", now=now, at=arrival.received_at,
            data={"message": message.id, "documents": 0},
        )  # fmt: skip
    if casework.state(journal.of_case(session, case.id or 0)).awaiting_clarification and not arrival.is_auto_reply:
        # Whatever the person writes after our question may be the answer to it, and "everything" is one (recital 63).
        casework.note(
            session, app, case, "clarification_received", actor="person", now=now, at=arrival.received_at,
            data={"message": message.id},
        )  # fmt: skip
    flood = "sender-budget" in verdict.reasons
    if not flood:
        # What the DPO was shown rests on what was known then; a new message may change the answer.
        casework.void_drafts(session, app, case, reason="new-message", now=now)
    if not flood:
        casework.prepare(session, app, case, step=f"message-{message.id}", now=now)
    kind = "reminder" if reading.primary == "reminder" and not told else "proof" if proof else "message_added"
    events = journal.of_case(session, case.id or 0)
    if any(event.type == "document_reused" and event.data.get("message") == message.id for event in events):
        kind = "document_reused"
    notice = Notice(kind, urgent=plan.urgent, facts={"reference": case.reference})
    casework.tell_desk(
        session,
        app,
        notice,
        subject=f"case:{case.id}",
        key_id=case.key_id,
        step=f"flood-{now:%Y%m%d%H}" if flood else f"message-{message.id}",
        now=now,
        case=case,
    )


def _proof_came_along(session: Session, app: App, case: Case, message: Message, *, now: datetime) -> bool:
    documents = [a for a in messages.attachments(session, message.id or 0) if a.is_identity]
    if documents and case.identity in UNSETTLED:
        casework.note(
            session, app, case, "identity_received", actor="person", now=now, at=message.received_at,
            data={"message": message.id, "documents": len(documents)},
        )  # fmt: skip
        if messages.sent_by_another(session, [a.sha256 for a in documents], message.sender_hash):
            # One document cannot be two people's: a stock picture, or somebody else's copy.
            data = {"message": message.id}
            casework.note(session, app, case, "document_reused", actor="bot", now=now, data=data)
            notice = Notice("document_reused", urgent=True)
            casework.tell_desk(
                session, app, notice, subject=f"case:{case.id}", key_id=case.key_id, step=f"message-{message.id}",
                now=now, case=case,
            )  # fmt: skip
    return bool(documents)


def _bounced(session: Session, app: App, case: Case, message: Message, arrival: Arrival, *, now: datetime) -> None:
    """A letter of ours came back: the duty to answer is not met, and the DPO must know (art. 12(3))."""
    assert arrival.bounce is not None
    item = outbox.by_message_id(session, arrival.bounce.original_message_id)
    data = {
        "message": message.id,
        "message_id": arrival.bounce.original_message_id,
        "kind": arrival.bounce.kind,
        "status": arrival.bounce.status,
        "letter": item.kind if item else "",
    }
    final = arrival.bounce.kind in ("hard", "policy")
    event = "letter_bounced" if final else "letter_delayed"
    casework.note(session, app, case, event, actor="bot", now=now, at=arrival.received_at, data=data)
    notice = Notice("bounced" if final else "delayed", urgent=final, facts={"kind": arrival.bounce.kind})
    casework.tell_desk(
        session,
        app,
        notice,
        subject=f"case:{case.id}",
        key_id=case.key_id,
        step=f"message-{message.id}",
        now=now,
        case=case,
    )


def set_aside(app: App, raw: RawMessage, *, problem: str) -> Recorded:
    """Record a message that could not be read or judged, for a person: its clock runs, its bytes are kept.

    *problem* is the name of an exception, never its text.
    """
    now = app.clock.now()
    digest = hashlib.sha256(raw.raw).hexdigest()
    arrival = Arrival(
        channel="email",
        source=raw.source,
        external_id=raw.external_id,
        received_at=raw.received_at,
        raw=raw.raw,
        content_key=f"unread:{digest}",
        message_id=f"unread.{digest[:24]}",
        suppress=True,
        suppress_reasons=("unreadable",),
        problems=(problem,),
    )
    reading = Reading(
        id=digest[:12], language="unknown", primary="not_request", labels=(), scores={}, mission_class="other",
        decision="ask_dpo", confidence=0.0,
    )  # fmt: skip
    with app.database.transaction() as session:
        return _record(session, app, arrival, reading, now=now)
