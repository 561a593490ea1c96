"""From a letter as the rules ask for it to the exact bytes that leave: facts, rendering, threading, MIME."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from bot.app import App
from bot.mail_policy import MAIL_POLICY
from handlers.types import Letter
from store.cases import Person
from store.drafts import LetterText
from store.models import Case
from templates import render, to_html

_MESSAGE_ID = re.compile(r"^dpobot\.([A-Z]{2,8}-\d{4}-\d{4,6})\.([a-z0-9]+)\.([a-z2-7]{16})@", re.IGNORECASE)


def new_message_id(app: App, reference: str) -> str:
    """Return a Message-ID (without brackets) that names the case and carries our signature: nobody else can make
    one."""
    nonce = secrets.token_hex(6)
    domain = app.settings.mail.address.rsplit("@", 1)[1]
    return f"dpobot.{reference}.{nonce}.{app.vault.token(reference, nonce)}@{domain}"


_ANY_OF_OURS = re.compile(r"^dpobot\.(.+)\.([a-z0-9]+)\.([a-z2-7]{16})@")


def is_our_message_id(app: App, message_id: str) -> bool:
    """Whether a Message-ID carries our signature: of a letter, a notice or a digest of this program."""
    found = _ANY_OF_OURS.match(message_id.strip().strip("<>"))
    return found is not None and app.vault.token_fits(found[3], found[1], found[2])


def reference_in_message_id(app: App, message_id: str) -> str | None:
    """Return the case reference of a Message-ID of ours, None for anybody else's or a forged one."""
    found = _MESSAGE_ID.match(message_id.strip().strip("<>"))
    if found is None:
        return None
    reference, nonce, token = found[1].upper(), found[2].lower(), found[3].lower()
    return reference if app.vault.token_fits(token, reference, nonce) else None


_PLUS = re.compile(r"^([^+@]+)\+([a-z]{2,8}-\d{4}-\d{4,6})\.([a-z2-7]{16})(@.+)$", re.IGNORECASE)


def plus_address(app: App, reference: str) -> str:
    """Return our address with the case and our signature behind a plus: what answers to it needs no header to be
    matched."""
    user, _, domain = app.settings.mail.address.partition("@")
    return f"{user}+{reference.lower()}.{app.vault.token(reference, 'plus')}@{domain}"


def reference_in_address(app: App, address: str) -> str | None:
    """Return the case reference behind the plus of an address of ours, None for others and for forged ones."""
    found = _PLUS.match(address.strip())
    if found is None or f"{found[1]}{found[4]}".lower() not in app.settings.own_addresses:
        return None
    reference = found[2].upper()
    return reference if app.vault.token_fits(found[3].lower(), reference, "plus") else None


def greeting_name(*candidates: str) -> str:
    """Return the first candidate that can stand after a greeting: a name in letters, of sensible length; else nothing.

    Display names come from outside and hold addresses, links, markup and jokes; a letter that greets nobody is better
    than one that greets those.
    """
    for name in candidates:
        folded = " ".join(unicodedata.normalize("NFC", name).split())
        letters = all(c.isalpha() or c in " '’-." or unicodedata.combining(c) for c in folded)
        if 2 <= len(folded) <= 60 and letters and sum(c.isalpha() for c in folded) >= 2 and len(folded.split()) <= 6:
            return folded.title() if folded.isupper() else folded
    return ""


def common_facts(app: App, *, case: Case, person: Person, today: date) -> dict[str, Any]:
    """Return what every letter says of us, of the authority and of the person (law: art. 13, 12(4))."""
    settings = app.settings
    return {
        "organisation": settings.organisation.model_dump(include={"name", "short_name", "postal_address", "website"}),
        "dpo": {"name": settings.dpo.name, "email": settings.dpo.email},
        "authority": settings.authority.model_dump(),
        "reference": case.reference,
        "person_name": greeting_name(person.name),
        "received_on": case.received_at.astimezone(settings.zone).date().isoformat(),
        "today": today.isoformat(),
    }


def compose(
    app: App,
    letter: Letter,
    *,
    case: Case,
    person: Person,
    today: date,
    in_reply_to: str = "",
    references: tuple[str, ...] = (),
) -> LetterText:
    """Render *letter* now, to the person of record. Raises ``templates.TemplateError`` when a fact is missing."""
    context: dict[str, Any] = {**letter.context, **common_facts(app, case=case, person=person, today=today)}
    if context.get("identity"):
        context["identity"] = {
            **context["identity"],
            "reply_to": app.settings.mail.address,
            "delete_after_days": app.settings.identity.delete_after_days,
        }
    rendered = render(letter.template, letter.language, context)
    return LetterText(
        recipient=person.address, subject=rendered.subject, text=rendered.text, html=rendered.html,
        in_reply_to=in_reply_to, references=references, chat_id=person.chat_id, rights=letter.rights,
    )  # fmt: skip


def with_text(letter: LetterText, text: str, *, language: str) -> LetterText:
    """Return *letter* with another text, as the DPO edited it; its HTML part is made anew from that text."""
    from templates import tidy

    text = tidy(text)
    return replace(letter, text=text, html=to_html(text, language))


def mime_bytes(
    app: App,
    letter: LetterText,
    *,
    message_id: str,
    now: datetime,
    automatic: bool,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return the exact bytes that leave: one recipient, threaded, and marked as automatic where no person approved it.

    RFC 3834: an automatic answer says so (``Auto-Submitted: auto-replied``), so that no robot answers it. Header
    injection is refused by the
    email package itself; nothing of the sender's Cc or Reply-To is ever taken over.
    """
    mail = EmailMessage(policy=MAIL_POLICY)
    user, _, domain = app.settings.mail.address.partition("@")
    mail["From"] = Address(app.settings.mail.from_name, user, domain)
    mail["To"] = letter.recipient
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(now.astimezone(app.settings.zone))
    mail["Message-ID"] = f"<{message_id}>"
    if letter.in_reply_to:
        mail["In-Reply-To"] = f"<{letter.in_reply_to}>"
        chain = [*(r for r in letter.references[-8:] if r != letter.in_reply_to), letter.in_reply_to]
        mail["References"] = " ".join(f"<{r}>" for r in chain)
    if app.settings.mail.plus_addresses and (reference := reference_in_message_id(app, message_id)):
        mail["Reply-To"] = plus_address(app, reference)
    if automatic:
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Dpobot"] = app.vault.token("own-mail", message_id)
    for name, value in (headers or {}).items():
        mail[name] = value
    mail.set_content(letter.text, subtype="plain", charset="utf-8", cte="quoted-printable")
    if letter.html:
        mail.add_alternative(letter.html, subtype="html", charset="utf-8", cte="quoted-printable")
        # The same each time it is made: the digest of a letter is that of its bytes. "=_" stands in no quoted-printable text.
        mail.set_boundary(f"=_{app.vault.token('boundary', message_id)}")
    return mail.as_bytes()
