"""What must be true: each key of an expectation is a function that says what it saw.

All keys of one expectation must hold. A key that is not known, a word that has no meaning here, and whatever only a
person can judge is said to be so, and never counts as passed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot import casework
from bot.rehearsal.format import Expectation, shown
from bot.rehearsal.mails import MALFORMED
from bot.rehearsal.observe import DPO_CHATS, Mail, Notice, folded, links_in
from bot.rehearsal.people import number_of
from bot.rehearsal.placeholders import PLACEHOLDER, fill
from bot.rehearsal.steps import Cast, Outcome
from bot.rehearsal.world import DEPUTY, DPO, Mark
from handlers.lifecycle import STATES
from store.models import Case, Message

PASSED, FAILED, UNSUPPORTED, PERSON = "passed", "failed", "not supported", "for a person"


@dataclass(frozen=True)
class Finding:
    """What one key came to."""

    verdict: str
    key: str
    expected: str = ""
    seen: str = ""


class Unknown(Exception):
    """A word of the expectation means nothing here."""


@dataclass
class View:
    """Everything the keys of one expectation look at."""

    cast: Cast
    expectation: Expectation
    since: Mark
    outcome: Outcome
    checks: Mapping[str, Any]

    @property
    def case(self) -> Case | None:
        """The case of the expectation's handle."""
        return self.cast.case_of(self.handle) if self.handle else None

    @property
    def item(self) -> Message | None:
        """The message behind the expectation's handle."""
        return self.cast.opened_by(self.handle) if self.handle else None

    @property
    def handle(self) -> str:
        """The handle the expectation is about; the only one of the story where none is named."""
        handles = self.cast.scenario.cases
        return str(self.checks.get("case") or (next(iter(handles)) if len(handles) == 1 else ""))

    @property
    def mails(self) -> list[Mail]:
        """The mails of the window."""
        return self.cast.observer.mails(self.since)

    @property
    def selected(self) -> list[Mail]:
        """The mails of the window to the recipient and of the kind asked for."""
        found = self.mails
        if "mail_to" in self.checks:
            wanted = {a.lower() for a in listed(self.checks["mail_to"])}
            found = [mail for mail in found if wanted & {r.lower() for r in mail.attempt.recipients} or "*" in wanted]
        if "mail_kind" in self.checks:
            found = [mail for mail in found if is_kind(mail, self.checks["mail_kind"])]
        return found


Check = Callable[[View, str, Any], list[Finding]]


def listed(value: Any) -> list[Any]:
    """One or several."""
    return list(value) if isinstance(value, list | tuple) else [value]


def is_kind(mail: Mail, wanted: Any) -> bool:
    """Whether a mail is of one of the kinds asked for; ``a+b`` asks for both at once."""
    return any(set(str(kind).split("+")) <= mail.kinds for kind in listed(wanted))


def judge(cast: Cast, expectation: Expectation) -> list[Finding]:
    """Look at every key of an expectation, now."""
    handles = expectation.checks.get("case")
    if isinstance(handles, list):
        each = [replace(expectation, checks={**expectation.checks, "case": handle}) for handle in handles]
        return [finding for one in each for finding in judge(cast, one)]
    checks = _filled(expectation.checks, cast)
    since = cast.outcomes[expectation.since_step].mark
    view = View(cast, expectation, since, cast.outcomes[expectation.after_step], checks)
    findings: list[Finding] = []
    left = [match[0] for value in _strings(checks) for match in PLACEHOLDER.finditer(value)]
    if left:
        return [Finding(FAILED, "placeholder", left[0], "nothing it could stand for yet")]
    for key, value in checks.items():
        if key in PARTS_OF_OTHERS:
            continue
        check = CHECKS.get(key)
        if check is None:
            findings.append(Finding(UNSUPPORTED, key, shown(value), "this key is not known"))
            continue
        findings += _readable(check, view, key, value)
    mail_keys = [key for key in checks if key.startswith("mail_") and key != "mail_total_max"]
    if mail_keys:
        given = {key: checks[key] for key in mail_keys}
        findings += _readable(lambda view, _key, _value: _mail(view), view, "+".join(mail_keys), given)
    if "telegram_to" in checks and not any(key.startswith("telegram_") and key != "telegram_to" for key in checks):
        findings += _readable(_telegram_to, view, "telegram_to", checks["telegram_to"])
    if not findings and "case" in checks:
        there = view.case is not None or view.item is not None
        findings.append(_found(there, "case", str(checks["case"]), "there" if there else "neither case nor item"))
    return findings


def _readable(check: Check, view: View, key: str, value: Any) -> list[Finding]:
    """What a key came to; a value that cannot be read is said to be so, and the other expectations are judged."""
    try:
        return check(view, key, value)
    except Unknown as unknown:
        return [Finding(UNSUPPORTED, key, shown(value), str(unknown))]
    except MALFORMED as error:
        return [Finding(UNSUPPORTED, key, shown(value), f"this value cannot be read ({type(error).__name__}: {error})")]


PARTS_OF_OTHERS = frozenset(
    {"case", "mail_to", "mail_kind", "mail_count", "mail_count_min", "mail_count_max", "mail_lang", "mail_headers"}
    | {"mail_must_contain", "mail_must_contain_any", "mail_must_not_contain", "mail_raw_must_not_match"}
    | {"mail_size_max", "mail_same_message_id", "telegram_to"}
)


def _filled(value: Any, cast: Cast) -> Any:
    if isinstance(value, str):
        return fill(value, cast.look)
    if isinstance(value, Mapping):
        return {key: _filled(part, cast) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, cast) for part in value]
    return value


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _found(good: bool, key: str, expected: Any, seen: Any) -> Finding:
    return Finding(PASSED if good else FAILED, key, shown(expected), shown(seen))


def _contains(text: str, wanted: Any) -> bool:
    return folded(str(wanted)) in folded(text)


# --- cases -----------------------------------------------------------------------------------------------------------


def _cases_open(view: View, key: str, value: Any) -> list[Finding]:
    cases = view.cast.observer.cases()
    if key == "cases_open":
        cases = [case for case in cases if case.state not in ("closed", "not_request", "withdrawn")]
    # What a person has yet to sort is no case of a right.
    cases = [case for case in cases if case.state != "to_sort"]
    wanted = [int(one) for one in listed(value)]
    seen = f"{len(cases)}: " + ", ".join(f"{case.reference} {'+'.join(case.rights)} {case.state}" for case in cases)
    return [_found(len(cases) in wanted, key, value, seen)]


def _optional(view: View) -> bool:
    handle = view.cast.scenario.cases.get(view.handle)
    return handle is not None and handle.optional


def _class(view: View, key: str, value: Any) -> list[Finding]:
    wanted = {CLASSES.get(str(one), str(one)) for one in listed(value)}
    case, item = view.case, view.item
    if case is None:
        labels = view.cast.observer.labels(item) if item is not None else set()
        if key == "case_class_not":
            return [_found(True, key, value, "no case")]
        if not _optional(view):
            return [
                _found(False, key, value, f"no case; the item is taken for {sorted(labels)}" if item else "nothing")
            ]
        return [_found(bool(wanted & labels) or not labels, key, value, f"an item to sort, taken for {sorted(labels)}")]
    rights = set(case.rights)
    good = {
        "case_class": bool(wanted & rights),
        "case_class_all": wanted <= rights,
        "case_class_not": not wanted & rights,
    }[key]
    return [_found(good, key, value, f"{case.reference}: {'+'.join(case.rights)}")]


CLASSES = {"withdrawal": "consent_withdrawal", "post-mortem": "post_mortem", "deletion": "erasure"}
STATUS_WORDS = {
    *STATES, "closed", "answered", "refused", "partially_refused", "approved", "awaiting_identity", "duplicate",
    "delivery_uncertain", "delivery_failed", "bounced", "not_a_request", "to_sort",
}  # fmt: skip


def _status(view: View, key: str, value: Any) -> list[Finding]:
    wanted = {str(one) for one in listed(value)}
    strange = sorted(wanted - STATUS_WORDS)
    if strange and key == "status_in" and not wanted & STATUS_WORDS:
        raise Unknown(f'the status "{strange[0]}" is unknown')
    case = view.case
    if case is None:
        item = view.item
        seen = {"to_sort", item.disposition} if item is not None else set[str]()
        if item is not None and item.sorted_at is not None:
            seen |= {"closed", "not_a_request"}
        if key == "status_in" and not (_optional(view) or wanted & {"to_sort", "not_a_request", "duplicate"}):
            return [_found(False, key, value, f"no case ({', '.join(sorted(seen)) or 'nothing'})")]
    else:
        seen = view.cast.observer.statuses(case, view.item)
    good = bool(seen & wanted) if key == "status_in" else not seen & wanted
    if case is None and _optional(view) and not good:
        good = key == "status_in"
    return [_found(good, key, value, ", ".join(sorted(seen)))]


IDENTITY_WORDS = {
    "requested", "received", "verified", "rejected", "not_required", "verified_by_other_means", "pending_dpo_decision",
    "waived",
}  # fmt: skip


def _identity(view: View, key: str, value: Any) -> list[Finding]:
    wanted = {str(one) for one in listed(value)}
    strange = sorted(wanted - IDENTITY_WORDS)
    if strange:
        raise Unknown(f'the state of identity "{strange[0]}" is unknown')
    case = view.case
    if case is None:
        good = key == "identity_status_not" or _optional(view)
        return [_found(good, key, value, "no case")]
    seen = view.cast.observer.identity(case)
    good = bool(seen & wanted) if key == "identity_status" else not seen & wanted
    return [_found(good, key, value, ", ".join(sorted(seen)))]


def _due(view: View, key: str, value: Any) -> list[Finding]:
    wanted = {None if one in (None, "paused", "suspended", "none") else str(one)[:10] for one in listed(value)}
    case, item = view.case, view.item
    if case is None:
        if item is None:
            return [_found(False, key, value, "nothing was opened")]
        would = casework.would_be_due(view.cast.world.app, item.received_at)
        return [_found(str(would) in wanted, key, value, f"{would} (an item to sort, if it is a request)")]
    due, unpaused = view.cast.observer.due(case)
    if due is None:
        return [_found(None in wanted or str(unpaused) in wanted, key, value, f"suspended; {unpaused} if it were not")]
    return [_found(str(due) in wanted, key, value, due)]


def _record(view: View, key: str, value: Any) -> list[Finding]:
    case = view.case
    if case is None:
        only = view.cast.observer.cases()
        if view.handle or len(only) != 1:
            return [_found(False, key, value, "no case")]
        case = only[0]
    told = view.cast.observer.history(case)
    kinds = {event.type for event in view.cast.observer.events(case)}
    found = []
    for wanted in listed(value):
        if _contains(told, wanted) or _contains(told.replace("_", " "), wanted):
            found.append(Finding(PASSED, key, shown(wanted), "in the history"))
            continue
        meant = [types for pattern, types in CONCEPTS if re.search(pattern, str(wanted).lower())]
        if meant:
            good = any(kinds & types for types in meant)
            found.append(_found(good, key, wanted, ", ".join(sorted(kinds))))
        elif len(str(wanted).split()) > 2:
            found.append(Finding(PERSON, key, shown(wanted), f"read the history of {case.reference}"))
        else:
            found.append(Finding(FAILED, key, shown(wanted), ", ".join(sorted(kinds))))
    return found


CONCEPTS: Sequence[tuple[str, frozenset[str]]] = tuple(
    (pattern, frozenset(types.split()))
    for pattern, types in (
        (r"bounce|non.?remis|undeliver", "letter_bounced letter_delayed"),
        (r"uncertain|incertain|may have left", "letter_uncertain"),
        (r"reject.*identit|identit.*(?:reject|insuff|refus)", "identity_insufficient"),
        (r"(?:waive|dispens)", "identity_waived"),
        (r"identit.*(?:verif|accept|vérif|check)|verif.*identit", "identity_verified"),
        (r"identit.*(?:receiv|reçu|arriv)|proof.*(?:receiv|arriv)", "identity_received"),
        (r"identit.*(?:request|demand|ask)|ask.*identit", "identity_requested"),
        (r"exten|prolong", "extended"),
        (r"approv|approuv", "draft_approved"),
        (r"reject.*draft|draft.*reject|projet refus", "draft_rejected"),
        (r"edit|modif", "draft_edited"),
        (r"void|stale|annul", "draft_voided"),
        (r"reclass|right.*chang|droit.*chang", "rights_changed"),
        (r"charge", "taken_charge"),
        (r"clos(?:ed|ing)|clôt", "closed"),
        (r"reopen|rouv", "reopened"),
        (r"requester|demandeur.*chang", "requester_set"),
        (r"not a request|pas une demande", "not_a_request"),
        (r"post(?:ed|é)|courrier", "posted"),
        (r"override|outrepass|passé outre", "override identity_waived"),
        (r"sent|envoy|left|parti", "letter_sent posted"),
        (r"received|reçu|opened|arriv", "case_opened message_added"),
    )
)
"""What a story's words mean among the events of the journal; the first that fits."""


# --- mails -----------------------------------------------------------------------------------------------------------


def _mail(view: View) -> list[Finding]:
    """All keys about mails to somebody: how many, and what one of them has, and none of them may have."""
    checks, found = view.checks, view.selected
    described = ", ".join(f"{mail.kind or '?'} → {', '.join(mail.attempt.recipients)}" for mail in found)
    every = ", ".join(f"{mail.kind or '?'} → {', '.join(mail.attempt.recipients)}" for mail in view.mails)
    findings = []
    asked = f"{checks.get('mail_kind', 'mail')} to {checks.get('mail_to', 'anybody')}"
    counted = False
    for key in ("mail_count", "mail_count_min", "mail_count_max"):
        if key in checks:
            counted = True
            wanted, n = [int(one) for one in listed(checks[key])], len(found)
            good = n in wanted if key == "mail_count" else n >= wanted[0] if key.endswith("min") else n <= wanted[0]
            seen = f"{n}: {described or every or 'none'}"
            findings.append(_found(good, key, f"{checks[key]} × {asked}", seen))
    if not counted:
        findings.append(
            _found(bool(found), "mail_to", f"at least one {asked}", described or f"none ({every or 'no mail at all'})")
        )
    if not found:
        return findings
    unknown = [mail for mail in found if not mail.kind]
    if unknown and "mail_kind" in checks:
        findings.append(Finding(FAILED, "mail_kind", asked, "a mail the program's record does not know"))
    one_of = [
        key for key in ("mail_must_contain", "mail_must_contain_any", "mail_lang", "mail_headers") if key in checks
    ]
    if one_of:
        wrong = [_lacks(mail, checks) for mail in found]
        best = min(wrong, key=len)
        findings.append(
            _found(not best, "+".join(one_of), {key: checks[key] for key in one_of}, "; ".join(best) or described)
        )
    for mail in found:
        findings += [_found(False, key, checks[key], said) for key, said in _has_too_much(mail, checks)]
    if checks.get("mail_same_message_id"):
        ids = {str(mail.parsed["Message-ID"]) for mail in found}
        findings.append(_found(len(ids) == 1, "mail_same_message_id", "one Message-ID", sorted(ids)))
    return findings


def _lacks(mail: Mail, checks: Mapping[str, Any]) -> list[str]:
    wrong = []
    text = mail.text
    for wanted in listed(checks.get("mail_must_contain", [])):
        if not _contains(text, wanted):
            wrong.append(f"lacks “{wanted}”")
    any_of = listed(checks.get("mail_must_contain_any", []))
    if any_of and not any(_contains(text, wanted) for wanted in any_of):
        wrong.append(f"has none of {shown(any_of)}")
    if "mail_lang" in checks:
        found = languages_of(mail.body)
        if not any(
            set(re.split(r"[+,/& ]+", EXPANDED.get(str(one), str(one)))) <= found for one in listed(checks["mail_lang"])
        ):
            wrong.append(f"is in {'+'.join(sorted(found)) or 'no known language'}")
    for name, wanted in (checks.get("mail_headers") or {}).items():
        given = [" ".join(str(value).split()) for value in mail.parsed.get_all(name, [])]
        if not _header_holds(given, wanted):
            wrong.append(f"{name}: {given or 'absent'}")
    return wrong


EXPANDED = {"bilingual": "fr+en", "both": "fr+en", "en_GB": "en", "fr_FR": "fr"}
COMMON_WORDS = {
    "fr": "le la les des nous vous votre vos notre et est une dans pour sur avec que qui ne pas du au aux",
    "en": "the of to and we you your our is in for on with that which not this are have has be from",
}
WORDS_OF = {language: frozenset(re.findall(r"\w+", words)) for language, words in COMMON_WORDS.items()}


def languages_of(text: str) -> set[str]:
    """The languages of a letter's paragraphs: fr, en, or both."""
    found: set[str] = set()
    for paragraph in re.split(r"\n\s*\n", text):
        words = re.findall(r"[^\W\d_]+", paragraph.casefold())
        score = {language: sum(word in known for word in words) for language, known in WORDS_OF.items()}
        best = max(score, key=lambda language: score[language])
        other = min(score.values())
        if score[best] >= 3 and score[best] > 2 * other:
            found.add(best)
    if len(found) == 2:
        # An address or a quoted phrase of the other language does not make a letter bilingual.
        total = {
            language: sum(word in known for word in re.findall(r"[^\W\d_]+", text.casefold()))
            for language, known in WORDS_OF.items()
        }
        less = min(total, key=lambda language: total[language])
        if total[less] * 6 < max(total.values()):
            found.discard(less)
    return found


def _header_holds(given: Sequence[str], wanted: Any) -> bool:
    if wanted in (None, False, "absent", "!", ""):
        return not given
    if wanted in (True, "present", "*", "any"):
        return bool(given)
    if isinstance(wanted, Mapping):
        rules = {
            "regex": lambda v: any(re.search(str(v), one) for one in given),
            "matches": lambda v: any(re.search(str(v), one) for one in given),
            "contains": lambda v: any(str(v).lower() in one.lower() for one in given),
            "not_contains": lambda v: not any(str(v).lower() in one.lower() for one in given),
            "equals": lambda v: any(str(v).lower() == one.lower() for one in given),
            "not": lambda v: not any(str(v).lower() == one.lower() for one in given),
            "absent": lambda v: bool(given) != bool(v),
            "present": lambda v: bool(given) == bool(v),
        }
        if not set(wanted) <= set(rules):
            raise Unknown(f'header rule "{sorted(set(wanted) - set(rules))[0]}" is unknown')
        return all(rules[name](value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return any(_header_holds(given, one) for one in wanted)
    text = str(wanted).strip().lower()
    for one in given:
        parts = [part.strip("<>;, ") for part in one.lower().split()]
        if text == one.lower() or text.strip("<>") in parts or ("@" not in text and text in one.lower()):
            return True
    return False


def _has_too_much(mail: Mail, checks: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for unwanted in listed(checks.get("mail_must_not_contain", [])):
        if _contains(mail.text, unwanted) or (mail.html and _contains(mail.html, unwanted)):
            found.append(("mail_must_not_contain", f"“{unwanted}” is in mail {mail.number + 1}"))
    for pattern in listed(checks.get("mail_raw_must_not_match", [])):
        try:
            hit = re.search(str(pattern).encode(), mail.attempt.raw)
        except re.error as error:
            raise Unknown(f"not a regular expression: {error}") from None
        if hit:
            found.append(("mail_raw_must_not_match", f"{hit[0][:60]!r} in mail {mail.number + 1}"))
    limit = checks.get("mail_size_max")
    if limit is not None and len(mail.attempt.raw) > int(limit):
        found.append(("mail_size_max", f"{len(mail.attempt.raw)} bytes"))
    return found


def _no_mail_to(view: View, key: str, value: Any) -> list[Finding]:
    found = []
    for wanted in listed(value):
        if str(wanted) == "*":
            bad = [mail for mail in view.mails if not mail.to_dpo]
        else:
            bad = [m for m in view.mails if str(wanted).lower() in {r.lower() for r in m.attempt.recipients}]
        seen = ", ".join(f"{mail.kind or '?'} → {', '.join(mail.attempt.recipients)}" for mail in bad)
        found.append(_found(not bad, key, wanted, seen or "none"))
    return found


def _no_mail_kind(view: View, key: str, value: Any) -> list[Finding]:
    found = []
    for rule in listed(value):
        given = rule if isinstance(rule, Mapping) else {"kind": rule}
        to = {str(a).lower() for a in listed(given.get("to", "*"))}
        kind = given.get("kind", given.get("mail_kind"))
        if kind is None:
            raise Unknown('no "kind" is named')
        bad = [
            mail for mail in view.mails
            if is_kind(mail, kind) and ("*" in to or to & {r.lower() for r in mail.attempt.recipients})
        ]  # fmt: skip
        seen = ", ".join(f"{mail.kind} → {', '.join(mail.attempt.recipients)}" for mail in bad)
        found.append(_found(not bad, key, given, seen or "none"))
    return found


def _mail_total(view: View, key: str, value: Any) -> list[Finding]:
    found = [mail for mail in view.mails if not mail.to_dpo]
    seen = ", ".join(f"{mail.kind or '?'} → {', '.join(mail.attempt.recipients)}" for mail in found)
    return [_found(len(found) <= int(value), key, f"at most {value}", f"{len(found)}: {seen}")]


def _attempts(view: View, key: str, value: Any) -> list[Finding]:
    tries = view.cast.observer.attempts(view.since)
    wanted = {str(a).lower() for a in listed(view.checks["mail_to"])} if "mail_to" in view.checks else None
    if wanted is not None:
        tries = [attempt for attempt in tries if wanted & {r.lower() for r in attempt.recipients}]
    else:
        # A try that ended before any recipient was named counts; what went to the DPO does not.
        tries = [
            a
            for a in tries
            if not a.recipients or not {r.lower() for r in a.recipients} <= view.cast.observer.dpo_addresses
        ]
    seen = ", ".join(attempt.answer for attempt in tries)
    return [_found(len(tries) <= int(value), key, f"at most {value}", f"{len(tries)}: {seen}")]


def _approval(view: View, key: str, value: Any) -> list[Finding]:
    if value is not True:
        return [Finding(PERSON, key, shown(value), "only true can be checked by machine")]
    return [approvals_hold(view.cast, view.since, key)]


def approvals_hold(cast: Cast, since: Mark, key: str = "needs_dpo_approval") -> Finding:
    """Whether every mail on the merits since a mark was approved, by the record and by what people really did."""
    keys = {user.key for user in cast.world.app.settings.desk.users if user.role in ("dpo", "deputy")}
    bad = []
    for mail in cast.observer.mails(since):
        if mail.to_dpo or mail.is_digest or mail.routine:
            continue
        acted = any(before <= mail.number and reference == mail.reference for before, reference in cast.desk.approvals)
        if mail.approver not in keys or not acted:
            bad.append(
                f"{mail.kind or 'unknown'} → {', '.join(mail.attempt.recipients)} (approved by {mail.approver or 'nobody'})"
            )
    return _found(not bad, key, "a person approved it first", "; ".join(bad) or "nothing left without")


# --- drafts, notices, chat -------------------------------------------------------------------------------------------


def _draft(view: View, key: str, value: Any) -> list[Finding]:
    case = view.case
    cases = [case] if case is not None else [] if view.handle else view.cast.observer.cases()
    texts = [text for one in cases for _, text in view.cast.observer.drafts(one)]
    if not texts:
        good = key == "draft_must_not_contain"
        return [_found(good, key, value, "no draft")]
    # The desk shows one draft first; what is asked for may be in another one that waits beside it.
    return _text_check(key, value, texts, "draft")


def _text_check(key: str, value: Any, texts: Sequence[str], what: str) -> list[Finding]:
    wanted = listed(value)
    if key.endswith("must_not_contain"):
        return [
            _found(
                not any(_contains(text, one) for text in texts),
                key,
                one,
                f"found in a {what}" if any(_contains(t, one) for t in texts) else "none",
            )
            for one in wanted
        ]
    if key.endswith("_any"):
        good = any(_contains(text, one) for text in texts for one in wanted)
        return [_found(good, key, value, texts[-1].strip()[:400] if texts else f"no {what}")]
    best = max((sum(_contains(text, one) for one in wanted), text) for text in texts)[1] if texts else ""
    lacking = [one for one in wanted if not _contains(best, one)]
    return [
        _found(
            bool(texts) and not lacking,
            key,
            value,
            f"lacks {shown(lacking)} in: {best.strip()[:300]}" if texts else f"no {what}",
        )
    ]


def _notified(view: View, key: str, value: Any) -> list[Finding]:
    told = view.cast.observer.notices(view.since)
    seen = "; ".join(_line(notice) for notice in told[:6]) or "nobody was told anything"
    return [_found(bool(told) == bool(value), key, value, seen)]


def _line(notice: Notice) -> str:
    first = next((line for line in notice.text.splitlines() if line.strip()), "")
    return f"{'dpo' if notice.user == DPO else notice.user} by {notice.by}: {first[:80]}"


def _notified_user(view: View, key: str, value: Any) -> list[Finding]:
    told = view.cast.observer.notices(view.since)
    found = []
    for user in listed(value):
        number = {"dpo_1": DPO, "dpo_2": DEPUTY}.get(str(user), 0) or number_of(user)
        hers = [notice for notice in told if notice.user == number]
        found.append(_found(bool(hers), key, user, "; ".join(_line(n) for n in hers[:3]) or "told nothing"))
    return found


def _urgent(view: View, key: str, value: Any) -> list[Finding]:
    told = [notice for notice in view.cast.observer.notices(view.since) if notice.new]
    urgent = [notice for notice in told if notice.urgent]
    seen = "; ".join(_line(notice) for notice in (urgent or told)[:4]) or "nobody was told anything"
    return [_found(bool(urgent) == bool(value), key, value, seen)]


def _dpo_message(view: View, key: str, value: Any) -> list[Finding]:
    told = view.cast.observer.notices(view.since)
    if key == "dpo_messages_max":
        new = [notice for notice in told if notice.new]
        per_user = max((sum(notice.user == user for notice in new) for user in DPO_CHATS), default=0)
        return [_found(per_user <= int(value), key, f"at most {value}", f"{per_user} to one person")]
    # What a command of the DPO is answered with is said to the DPO as well, in the chat or the terminal it was given in.
    answers = [
        outcome.told for n, outcome in view.cast.outcomes.items()
        if outcome.step.action == "dpo_command" and view.expectation.since_step <= n <= view.expectation.after_step
    ]  # fmt: skip
    return _text_check(key, value, [*(notice.text for notice in told), *answers], "message to the DPO")


def _telegram(view: View, key: str, value: Any) -> list[Finding]:
    wanted = [number_of(user) for user in listed(view.checks["telegram_to"])] if "telegram_to" in view.checks else None
    messages = view.cast.observer.chat_messages(view.since, wanted)
    if key == "telegram_messages_max":
        # The same told to two people is one notice in each chat; what counts is how much one person gets.
        per_chat = Counter(notice.user for notice in messages if notice.new)
        most = max(per_chat.values(), default=0)
        return [_found(most <= int(value), key, f"at most {value}", f"{most} in one chat, {per_chat.total()} in all")]
    if key == "telegram_requests_max":
        calls = view.cast.observer.calls(view.since)
        return [_found(len(calls) <= int(value), key, f"at most {value}", f"{len(calls)} (polling aside)")]
    if key == "telegram_entities_must_not_link":
        if value in (False, None):
            return [Finding(PERSON, key, shown(value), "only true or texts can be checked")]
        hits = sorted({f"{kind}: {text}" for kind, text in links_in(messages)})
        if value is not True:
            hits = [hit for hit in hits if any(str(one).lower() in hit.lower() for one in listed(value))]
        return [_found(not hits, key, value, hits or "nothing can be clicked")]
    return _text_check(key, value, [notice.text for notice in messages], "chat message")


def _telegram_to(view: View, key: str, value: Any) -> list[Finding]:
    wanted = [number_of(user) for user in listed(value)]
    messages = view.cast.observer.chat_messages(view.since, wanted)
    return [_found(bool(messages), key, value, f"{len(messages)} messages")]


def _answered(view: View, key: str, value: Any) -> list[Finding]:
    pressed = [
        c
        for outcome in view.cast.outcomes.values()
        if view.expectation.since_step <= outcome.step.n
        for c in outcome.callbacks
    ]
    answered = {answer.callback_id for answer in view.cast.world.chat.answers}
    open_ones = [callback for callback in pressed if callback not in answered]
    if isinstance(value, int) and not isinstance(value, bool):
        return [_found(len(pressed) - len(open_ones) == value, key, value, f"{len(pressed) - len(open_ones)} answered")]
    return [_found((not open_ones) == bool(value), key, value, f"{len(pressed)} pressed, {len(open_ones)} unanswered")]


def _refused(view: View, key: str, value: Any) -> list[Finding]:
    outcome = view.outcome
    told, did = outcome.told, outcome.done
    answers = {answer.callback_id: answer for answer in view.cast.world.chat.answers}
    if outcome.callbacks:
        said = [answers[c] for c in outcome.callbacks if c in answers]
        told = " / ".join(answer.text for answer in said)
        did = any(answer.text and not answer.alert for answer in said)
    elif outcome.step.action == "telegram_message":
        replies = view.cast.observer.chat_messages(outcome.mark)
        told = " / ".join(notice.text.splitlines()[0][:100] for notice in replies if notice.text)
        did = None
    effects = _effects(view, outcome)
    refused = did is not True and not effects and bool(told.strip())
    seen = f"told: {told[:150] or 'nothing'}" + (f"; effects: {', '.join(effects)}" if effects else "")
    return [_found(refused == bool(value), key, value, seen)]


def _effects(view: View, outcome: Outcome) -> list[str]:
    """What a step did to mails and cases."""
    mails = [mail for mail in view.cast.observer.mails(outcome.mark) if not mail.to_dpo]
    found = [f"{mail.kind} → {', '.join(mail.attempt.recipients)}" for mail in mails]
    for case in view.cast.observer.cases():
        events = [event for event in view.cast.observer.events(case) if (event.id or 0) > outcome.mark.journal]
        found += [f"{case.reference} {event.type}" for event in events if event.actor not in ("person",)]
    return found


# --- digest, store, machine ------------------------------------------------------------------------------------------


def _digest(view: View, key: str, value: Any) -> list[Finding]:
    digests = [mail for mail in view.mails if mail.is_digest]
    if key == "digest_count":
        weeks = {str(mail.parsed["Subject"]) + str(mail.parsed["Date"]) for mail in digests}
        return [
            _found(
                len(weeks) in [int(one) for one in listed(value)], key, value, f"{len(weeks)} ({len(digests)} mails)"
            )
        ]
    if not digests:
        good = key.endswith("not_contain")
        return [_found(good, key, value, "no digest")]
    if key == "digest_html_must_not_contain":
        hits = [one for one in listed(value) if any(str(one).lower() in mail.html.lower() for mail in digests)]
        return [_found(not hits, key, value, hits or "none")]
    if key == "digest_must_not_contain":
        return _text_check(key, value, [f"{mail.text}\n{mail.html}" for mail in digests], "digest")
    return _text_check(key, value, [digests[-1].text], "digest")


def _store(view: View, key: str, value: Any) -> list[Finding]:
    root = view.cast.world.folder
    found = []
    places = [path for path in (root / "data").rglob("*") if path.is_file()] + [root / "worker.log"]
    for marker in listed(value):
        text = str(marker)
        forms = {text.encode(), text.encode("utf-16-le"), text.encode("latin-1", "ignore")} - {b""}
        hits = [path.name for path in places if path.is_file() and any(form in path.read_bytes() for form in forms)]
        found.append(_found(not hits, key, marker, hits or "nowhere below the data directory, nor in the log"))
    return found


def _files(view: View, key: str, value: Any) -> list[Finding]:
    root = view.cast.world.folder
    found = []
    for pattern in listed(value):
        text = str(pattern)
        hits = [path for path in root.rglob("*") if path.match(text.lstrip("/")) or path.name == text]
        if text.startswith("/") and Path(text).exists():
            hits.append(Path(text))
        found.append(_found(not hits, key, pattern, [str(hit) for hit in hits[:3]] or "none"))
    return found


def _network(view: View, key: str, value: Any) -> list[Finding]:
    note = view.cast.world.folder / "network.log"
    said = note.read_text(encoding="utf-8").splitlines() if note.exists() else []
    return [_found((not said) == bool(value), key, value, said[:3] or "nothing but this machine")]


def _alive(view: View, key: str, value: Any) -> list[Finding]:
    world = view.cast.world
    seen = "runs" if world.alive else "dead"
    return [_found(world.alive == bool(value), key, value, f"{seen}, {world.unexpected_deaths} unexpected deaths")]


def _statement(_view: View, key: str, value: Any) -> list[Finding]:
    return [Finding(PERSON, key, shown(value), "for a person to judge")]


CHECKS: Mapping[str, Check] = {
    "cases_open": _cases_open, "cases_total": _cases_open,
    "case_class": _class, "case_class_all": _class, "case_class_not": _class,
    "status_in": _status, "status_not_in": _status,
    "identity_status": _identity, "identity_status_not": _identity,
    "due": _due, "record_must_show": _record,
    "no_mail_to": _no_mail_to, "no_mail_kind": _no_mail_kind, "mail_total_max": _mail_total,
    "smtp_attempts_max": _attempts, "needs_dpo_approval": _approval,
    "draft_must_contain": _draft, "draft_must_contain_any": _draft, "draft_must_not_contain": _draft,
    "dpo_notified": _notified, "dpo_notified_user": _notified_user, "dpo_urgent": _urgent,
    "dpo_message_must_contain": _dpo_message, "dpo_message_must_contain_any": _dpo_message,
    "dpo_message_must_not_contain": _dpo_message, "dpo_messages_max": _dpo_message,
    "telegram_must_contain": _telegram, "telegram_must_contain_any": _telegram, "telegram_must_not_contain": _telegram,
    "telegram_entities_must_not_link": _telegram, "telegram_messages_max": _telegram, "telegram_requests_max": _telegram,
    "telegram_callbacks_answered": _answered, "command_refused": _refused,
    "digest_count": _digest, "digest_must_contain": _digest, "digest_must_contain_any": _digest,
    "digest_must_not_contain": _digest, "digest_html_must_not_contain": _digest,
    "store_must_not_contain": _store, "files_must_not_exist": _files, "no_network_fetch": _network,
    "process_alive": _alive, "statement": _statement,
}  # fmt: skip
