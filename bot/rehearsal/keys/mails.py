"""Keys about mails: to whom, of which kind, how many, in which language, with and without what, approved by whom."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.rehearsal.format import shown
from bot.rehearsal.keys.base import (
    FAILED,
    PERSON,
    Finding,
    Keys,
    Shape,
    Unknown,
    View,
    contains,
    count,
    counts,
    holds,
    is_kind,
    listed,
    look_up,
    texts,
    yes_no,
)
from bot.rehearsal.observe import Mail
from bot.rehearsal.steps import Cast
from bot.rehearsal.world import Mark


def mail(view: View) -> list[Finding]:
    """All keys about mails to somebody: how many, and what one of them has, and none of them may have."""
    for pattern in listed(view.checks.get("mail_raw_must_not_match", [])):
        try:
            re.compile(str(pattern))
        except re.error as error:
            raise Unknown(f"not a regular expression: {error}") from None
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
            findings.append(holds(good, key, f"{checks[key]} × {asked}", seen))
    if not counted:
        findings.append(
            holds(bool(found), "mail_to", f"at least one {asked}", described or f"none ({every or 'no mail at all'})")
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
            holds(not best, "+".join(one_of), {key: checks[key] for key in one_of}, "; ".join(best) or described)
        )
    for mail in found:
        findings += [holds(False, key, checks[key], said) for key, said in _has_too_much(mail, checks)]
    if checks.get("mail_same_message_id"):
        ids = {str(mail.parsed["Message-ID"]) for mail in found}
        findings.append(holds(len(ids) == 1, "mail_same_message_id", "one Message-ID", sorted(ids)))
    return findings


def _lacks(mail: Mail, checks: Mapping[str, Any]) -> list[str]:
    wrong = []
    text = mail.text
    for wanted in listed(checks.get("mail_must_contain", [])):
        if not contains(text, wanted):
            wrong.append(f"lacks “{wanted}”")
    any_of = listed(checks.get("mail_must_contain_any", []))
    if any_of and not any(contains(text, wanted) for wanted in any_of):
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
        if contains(mail.text, unwanted) or (mail.html and contains(mail.html, unwanted)):
            found.append(("mail_must_not_contain", f"“{unwanted}” is in mail {mail.number + 1}"))
    for pattern in listed(checks.get("mail_raw_must_not_match", [])):
        hit = re.search(str(pattern).encode(), mail.attempt.raw)
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
        found.append(holds(not bad, key, wanted, seen or "none"))
    return found


def _kinds(value: Any) -> bool:
    """A kind of mail, or {to, kind}, or several."""
    return bool(listed(value)) and all(
        isinstance(one, Mapping) or (isinstance(one, str) and bool(one)) for one in listed(value)
    )


def _no_mail_kind(view: View, key: str, value: Any) -> list[Finding]:
    found = []
    for rule in listed(value):
        given = rule if isinstance(rule, Mapping) else {"kind": rule}
        to = {str(a).lower() for a in listed(given.get("to", "*"))}
        kind = given.get("kind", given.get("mail_kind"))
        if kind is None:
            raise Unknown('no "kind" is named')
        look_up(kind)
        bad = [
            mail for mail in view.mails
            if is_kind(mail, kind) and ("*" in to or to & {r.lower() for r in mail.attempt.recipients})
        ]  # fmt: skip
        seen = ", ".join(f"{mail.kind} → {', '.join(mail.attempt.recipients)}" for mail in bad)
        found.append(holds(not bad, key, given, seen or "none"))
    return found


def _mail_total(view: View, key: str, value: Any) -> list[Finding]:
    found = [mail for mail in view.mails if not mail.to_dpo]
    seen = ", ".join(f"{mail.kind or '?'} → {', '.join(mail.attempt.recipients)}" for mail in found)
    return [holds(len(found) <= int(value), key, f"at most {value}", f"{len(found)}: {seen}")]


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
    return [holds(len(tries) <= int(value), key, f"at most {value}", f"{len(tries)}: {seen}")]


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
    return holds(not bad, key, "a person approved it first", "; ".join(bad) or "nothing left without")


KEYS: Keys = {
    "no_mail_to": (texts, _no_mail_to), "no_mail_kind": (_kinds, _no_mail_kind),
    "mail_total_max": (count, _mail_total), "smtp_attempts_max": (count, _attempts),
    "needs_dpo_approval": (yes_no, _approval),
}  # fmt: skip
PARTS: Mapping[str, Shape] = {
    "mail_to": texts, "mail_kind": texts, "mail_count": counts, "mail_count_min": count, "mail_count_max": count,
    "mail_lang": texts, "mail_headers": lambda value: isinstance(value, Mapping) and bool(value),
    "mail_must_contain": texts, "mail_must_contain_any": texts, "mail_must_not_contain": texts,
    "mail_raw_must_not_match": texts, "mail_size_max": count, "mail_same_message_id": yes_no,
}  # fmt: skip
"""Keys that say together which mails are meant and what they have; :func:`mail` looks at them all."""
