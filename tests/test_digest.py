"""The weekly digest on a real store: what it says, when it leaves, and that it leaves once."""

from __future__ import annotations

import email.policy
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from lxml import html as lxml_html  # type: ignore[import-untyped]
from PIL import Image
from pydantic import SecretStr
from sqlmodel import Session, col, select

from bot import casework, chart, sending
from bot.app import App, build_app
from bot.clock import MovedClock
from bot.commands.digest import digest_now
from bot.digest import (
    build_digest,
    digest_due,
    last_digest,
    queue_digest,
    run_digest,
    scheduled,
    week_key,
)
from bot.mail_policy import MAIL_POLICY
from bot.settings import Settings, Telegram, build
from store import cases, health, journal, outbox
from store.cases import Person
from store.models import Case, CaseFacts, Event, Marker, Message, OutboxItem
from store.sealing import new_master_key
from templates import TemplateError
from templates.digest import render_digest

pytest_plugins = ("tests.pg",)

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 3, 9, 8, 0, tzinfo=PARIS)
"""The digest's moment in the week most tests play in; W11."""

HOSTILE = "ZZHOSTILE <script>alert(1)</script> {{ 7*7 }} \"'><b>"


def at(text: str) -> datetime:
    """An instant in Paris, as UTC: ``2026-03-09 08:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


@dataclass
class Sink:
    """A mailer that keeps what it is given."""

    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def send(self, *, sender: str, recipient: str, mime: bytes) -> str:
        self.sent.append((recipient, mime))
        return "250 2.0.0 queued"


def make_settings(data_dir: Path, url: str = "", **digest: Any) -> Settings:
    return build(
        {
            "organisation": {"name": "Auberges du Canal", "short_name": "ADC", "postal_address": "1 quai, 75000 Paris"},
            "authority": {
                "name": "CNIL",
                "full_name": "Commission",
                "address": "3 place",
                "url": "https://cnil.example",
            },
            "dpo": {"name": "Dominique Petit", "email": "dpo@adc.example"},
            "desk": {"users": [{"key": "dpo", "name": "Dominique Petit"}]},
            "mail": {"address": "dpo@adc.example", "from_name": "DPO – ADC"},
            "store": {"data_dir": data_dir, "url": url, "master_key": new_master_key()},
            "digest": {"to": ["dpo@adc.example", "direction@adc.example"], **digest},
            "imap": {"host": "imap.adc.example", "user": "dpo", "password": "secret"},
            "smtp": {"host": "smtp.adc.example"},
        }
    )


MakeApp = Callable[..., App]


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[MakeApp]:
    made: list[App] = []

    def make(url: str = "", **digest: Any) -> App:
        settings = make_settings(tmp_path / f"data-{len(made)}", url, **digest)
        made.append(build_app(settings, clock=MovedClock(MONDAY), inboxes=(), mailer=Sink()))
        return made[-1]

    yield make
    for app in made:
        app.close()


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app()


@pytest.fixture(params=["sqlite", "postgresql"])
def app_on_both(request: pytest.FixtureRequest, make_app: MakeApp) -> App:
    """An app on SQLite, and one on PostgreSQL where it is installed."""
    return make_app(request.getfixturevalue("postgres_server").new_database() if request.param == "postgresql" else "")


# --- what people did ------------------------------------------------------------------------------------------------


def open_case(
    session: Session,
    app: App,
    received: str,
    *rights: str,
    identity: str = "not_required",
    name: str = "Camille Durand",
) -> Case:
    received_at = at(received)
    facts = CaseFacts(
        reference=cases.next_reference(session, prefix="DSR", year=2026), channel="email", language="fr",
        received_at=received_at, primary=rights[0], rights=list(rights), person_language="fr",
    )  # fmt: skip
    person = Person(name, "camille@example.example")
    key_id = app.vault.new_key(session, now=received_at)
    case = cases.create(session, app.vault, facts=facts, person=person, key_id=key_id, now=received_at)
    opened = {"rights": list(rights), "language": "fr", "channel": "email", "identity": identity}
    note(session, app, case, "case_opened", received, **opened)
    return case


def note(session: Session, app: App, case: Case, type: str, when: str, **data: Any) -> Event:
    return casework.note(session, app, case, type, actor="bot", now=at(when), data=data)


def store_message(session: Session, app: App, received: str, disposition: str, primary: str, text: str = "") -> Message:
    received_at = at(received)
    key_id = app.vault.new_key(session, now=received_at)
    message = Message(
        channel="email", content_key=f"{received}:{disposition}:{primary}:{text}", received_at=received_at,
        recorded_at=received_at, disposition=disposition, primary=primary, key_id=key_id, raw_key_id=key_id,
        view_sealed=app.vault.seal(session, key_id, text.encode(), "view"),
        raw_sealed=app.vault.seal(session, key_id, text.encode(), "raw"),
    )  # fmt: skip
    session.add(message)
    session.flush()
    return message


def queue_letter(session: Session, app: App, case: Case, when: str, kind: str, status: str) -> OutboxItem:
    item = outbox.enqueue(
        session, app.vault, key=f"{case.reference}:{kind}:{when}", channel="mail", kind=kind, key_id=case.key_id,
        recipient="camille@example.example", payload=b"", now=at(when), case_id=case.id,
        message_id=f"{case.reference}.{kind}.{when}",
    )  # fmt: skip
    item.status, item.claimed_at = status, at(when)
    session.add(item)
    session.flush()
    return item


def a_full_week(app: App) -> None:
    """A store with something in every section of the digest of 9 March 2026."""
    with app.database.transaction() as session:
        # Received 2 February: due Monday 2 March, a week late.
        late = open_case(session, app, "2026-02-02 10:00", "access", "erasure")
        note(session, app, late, "draft_proposed", "2026-02-03 09:00", draft="1", kind="answer")
        # Due today (Sunday 8 March rolls on to Monday), and next Monday, the last day that counts as this week.
        open_case(session, app, "2026-02-08 10:00", "objection")
        extended = open_case(session, app, "2025-12-16 10:00", "access")
        note(session, app, extended, "extended", "2026-01-10 10:00")
        open_case(session, app, "2026-02-17 10:00", "rectification")
        paused = open_case(session, app, "2026-02-20 10:00", "access", identity="required")
        note(session, app, paused, "identity_requested", "2026-02-20 11:00")
        answered = open_case(session, app, "2026-02-24 10:00", "complaint")
        note(session, app, answered, "letter_sent", "2026-02-25 10:00", kind="answer", message_id="a")
        closed = open_case(session, app, "2026-02-24 11:00", "access")
        note(session, app, closed, "closed", "2026-02-25 10:00", outcome="answered")
        bounced = open_case(session, app, "2026-02-26 10:00", "portability")
        note(session, app, bounced, "letter_sent", "2026-02-27 10:00", kind="answer", message_id="b")
        note(session, app, bounced, "letter_bounced", "2026-02-27 10:05", kind="hard", letter="answer", message_id="b")
        queue_letter(session, app, paused, "2026-03-01 10:00", "reminder", "uncertain")
        store_message(session, app, "2026-03-03 10:00", "to_sort", "erasure")
        store_message(session, app, "2026-03-05 10:00", "authority", "authority")
        for number in range(3):
            store_message(session, app, "2026-03-04 10:00", "ignored", "auto_reply", str(number))
        store_message(session, app, "2026-03-04 10:00", "ignored", "spam")
        store_message(session, app, "2026-02-15 10:00", "ignored", "spam")
        session.add(Marker(key="digest:2026-W10", at=at("2026-03-02 08:00")))
        health.worked(session, part="imap", now=at("2026-03-09 07:58"))
        health.worked(session, part="smtp", now=at("2026-03-05 16:20"))


def read(raw: bytes) -> EmailMessage:
    made = message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    return made


def plain(text: str) -> str:
    """Text with ordinary spaces, to be compared with what is typed here."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def cells(markup: str) -> list[list[list[str]]]:
    """Every table of the HTML, row by row, cell by cell, as a reader sees it."""
    tree = lxml_html.fromstring(markup)
    for line_break in tree.iter("br"):
        line_break.tail = " / " + (line_break.tail or "")
    return [
        [[plain(" ".join(cell.text_content().split())) for cell in row] for row in table.iter("tr")]
        for table in tree.iter("table")
    ]


# --- what it says ---------------------------------------------------------------------------------------------------

FRENCH = """\
BILAN DES DEMANDES RGPD
Auberges du Canal, lundi 9 mars 2026

6 demandes attendent une réponse, dont 1 en retard et 2 à rendre sous 7 jours. 2 messages sont à trier.

LETTRES NON PARVENUES (2)
-------------------------
Une réponse qui n’est pas arrivée n’est pas donnée : le délai court toujours.
* DSR-2026-0008 – réponse
  revenue, non remise, le 27 février 2026
* DSR-2026-0005 – rappel au demandeur
  peut-être partie : à vérifier avant tout renvoi, le 1er mars 2026

EN RETARD (1)
-------------
* DSR-2026-0001 – accès (art. 15), effacement (art. 17)
  Échéance : lundi 2 mars 2026, en retard de 7 jours
  en préparation. Identité non demandée.

À RENDRE SOUS 7 JOURS (2)
-------------------------
* DSR-2026-0002 – opposition (art. 21)
  Échéance : lundi 9 mars 2026, aujourd’hui
  en préparation. Identité non demandée.
* DSR-2026-0003 – accès (art. 15)
  Échéance : lundi 16 mars 2026, dans 7 jours
  en préparation, délai prolongé. Identité non demandée.

MESSAGES À TRIER (2)
--------------------
Si c’est une demande, son délai court depuis l’arrivée du message.
* Message n° 2 – courrier d’une autorité
  Arrivé : 5 mars 2026 – sans délai légal ici : à lire tout de suite
* Message n° 1 – nature incertaine (peut-être : effacement (art. 17))
  Arrivé : 3 mars 2026 – Échéance éventuelle : vendredi 3 avril 2026, dans 25 jours

DÉLAI SUSPENDU, RÉPONSE DU DEMANDEUR ATTENDUE (1)
-------------------------------------------------
La date est celle qui vaudrait si la suspension était contestée.
* DSR-2026-0005 – accès (art. 15)
  Sans suspension : vendredi 20 mars 2026, dans 11 jours
  identité attendue. Identité demandée.

PLUS TARD (2)
-------------
* DSR-2026-0004 – rectification (art. 16)
  Échéance : mardi 17 mars 2026, dans 8 jours
  en préparation. Identité non demandée.
* DSR-2026-0008 – portabilité (art. 20)
  Échéance : jeudi 26 mars 2026, dans 17 jours
  en préparation. Identité non demandée.

RÉPONDU, À CLORE (1)
--------------------
* DSR-2026-0006 – réclamation (art. 38.4)
  Échéance : mardi 24 mars 2026
  répondu. Identité non demandée.

RÉPONDU, TÂCHES RESTANTES (1)
-----------------------------
Ce que la réponse annonce reste dû : destinataires à prévenir (art. 19), limitations en vigueur (art. 18.3).
* DSR-2026-0006 – réclamation (art. 38.4)
  2 tâches ouvertes

DEMANDES SANS RÉPONSE, SELON LES JOURS RESTANTS
-----------------------------------------------
* en retard : 1
* 0 à 7 jours : 2
* 8 à 14 jours : 1
* 15 à 21 jours : 1
* 22 à 31 jours : 0
* 32 jours et plus : 0
* délai suspendu : 1

CLASSÉS SANS SUITE
------------------
4 messages classés « pas une demande » depuis le 2 mars 2026 : réponse automatique 3, indésirable 1.
La liste se relit au poste du DPO ; un message mal classé s’y rouvre.

ÉTAT DU SERVICE
---------------
* Boîte aux lettres : fonctionne, dernier signe le 9 mars 2026 à 7 h 58 (il y a 2 minutes)
* Envoi du courrier : fonctionne, dernier signe le 5 mars 2026 à 16 h 20 (il y a 3 jours)
* File d’attente : vide
* Journal : 15 entrées, chaîne intacte
* Empreinte de tête du journal :
  {head}
Conservez ce message : votre boîte est le témoin que le journal n’a pas été réécrit.

Ce bilan part chaque semaine, même vide : s’il manque, le service est arrêté. Il ne contient ni nom, ni adresse, ni \
texte des demandes ; les dossiers s’ouvrent au poste du DPO.
"""

FRENCH_TABLES = [
    [
        ["en retard", "sous 7 jours", "plus tard", "délai suspendu", "à trier", "à clore"],
        ["1", "2", "2", "1", "2", "1"],
    ],
    [
        ["Dossier", "Lettre", "Ce qui s’est passé"],
        ["DSR-2026-0008", "réponse", "revenue, non remise / le 27 février 2026"],
        ["DSR-2026-0005", "rappel au demandeur", "peut-être partie : à vérifier avant tout renvoi / le 1er mars 2026"],
    ],
    [
        ["Dossier", "Échéance", "État"],
        [
            "DSR-2026-0001 / accès (art. 15), effacement (art. 17)",
            "lundi 2 mars 2026 / en retard de 7 jours",
            "en préparation / Identité non demandée",
        ],
    ],
    [
        ["Dossier", "Échéance", "État"],
        [
            "DSR-2026-0002 / opposition (art. 21)",
            "lundi 9 mars 2026 / aujourd’hui",
            "en préparation / Identité non demandée",
        ],
        [
            "DSR-2026-0003 / accès (art. 15)",
            "lundi 16 mars 2026 / dans 7 jours / délai prolongé",
            "en préparation / Identité non demandée",
        ],
    ],
    [
        ["Message", "Arrivé", "Échéance éventuelle"],
        ["n° 2 / courrier d’une autorité", "jeudi 5 mars 2026", "sans délai légal ici : à lire tout de suite"],
        [
            "n° 1 / nature incertaine / peut-être : effacement (art. 17)",
            "mardi 3 mars 2026",
            "vendredi 3 avril 2026 / dans 25 jours",
        ],
    ],
    [
        ["Dossier", "Sans suspension", "État"],
        [
            "DSR-2026-0005 / accès (art. 15)",
            "vendredi 20 mars 2026 / dans 11 jours",
            "identité attendue / Identité demandée",
        ],
    ],
    [
        ["Dossier", "Échéance", "État"],
        [
            "DSR-2026-0004 / rectification (art. 16)",
            "mardi 17 mars 2026 / dans 8 jours",
            "en préparation / Identité non demandée",
        ],
        [
            "DSR-2026-0008 / portabilité (art. 20)",
            "jeudi 26 mars 2026 / dans 17 jours",
            "en préparation / Identité non demandée",
        ],
    ],
    [
        ["Dossier", "Échéance", "État"],
        ["DSR-2026-0006 / réclamation (art. 38.4)", "mardi 24 mars 2026", "répondu / Identité non demandée"],
    ],
    [["Dossier", "État"], ["DSR-2026-0006 / réclamation (art. 38.4)", "2 tâches ouvertes"]],
]


def test_a_full_week_in_french(app_on_both: App) -> None:
    app = app_on_both
    a_full_week(app)
    with app.database.reading() as session:
        head = journal.head(session)

    mail = build_digest(app, now=MONDAY)

    assert mail.subject == (
        "RGPD : 2 lettres non parvenues, 1 en retard, 2 sous 7 jours, 2 à trier, 6 en cours – bilan du 9 mars 2026"
    )
    assert plain(mail.text) == FRENCH.format(head=head)
    assert cells(mail.html) == FRENCH_TABLES
    counts = [("overdue", 1), ("0-7", 2), ("8-14", 1), ("15-21", 1), ("22-31", 0), ("32+", 0), ("paused", 1)]
    assert mail.png == chart.bars(counts, language="fr")
    assert mail.cid == "digest-2026-03-09@adc.example"


EMPTY_ENGLISH = """\
DIGEST OF GDPR REQUESTS
Auberges du Canal, Monday 9 March 2026

No request is waiting for an answer.

UNANSWERED REQUESTS BY DAYS LEFT
--------------------------------
* overdue: 0
* 0 to 7 days: 0
* 8 to 14 days: 0
* 15 to 21 days: 0
* 22 to 31 days: 0
* 32 days or more: 0
* clock suspended: 0

FILED WITHOUT ACTION
--------------------
No message filed as “not a request” since 2 March 2026.

HEALTH OF THE SERVICE
---------------------
* Mailbox: works, last sign 9 March 2026 at 07:59 (1 minute ago)
* Outgoing mail: nothing to do yet
* Queue: empty
* Journal: 0 entries, chain intact
* Head of the journal:
  0000000000000000000000000000000000000000000000000000000000000000
Keep this message: your mailbox is the witness that the journal was not rewritten.

This digest leaves every week, also when empty: if it is missing, the service is down. It holds no name, no address \
and no text of a request; cases are opened at the DPO’s desk.
"""


def test_an_empty_week_in_english_is_told_all_the_same(make_app: MakeApp) -> None:
    app = make_app(language="en")
    with app.database.transaction() as session:
        health.worked(session, part="imap", now=at("2026-03-09 07:59"))

    mail = build_digest(app, now=MONDAY)

    assert mail.subject == "GDPR: 0 open – digest of 9 March 2026"
    assert plain(mail.text) == EMPTY_ENGLISH
    assert cells(mail.html) == [
        [["overdue", "within 7 days", "later", "clock suspended", "to sort", "to close"], ["0"] * 6]
    ]


def test_a_full_week_in_english_has_the_same_lines_as_in_french(make_app: MakeApp) -> None:
    app = make_app(language="en")
    a_full_week(app)

    mail = build_digest(app, now=MONDAY)

    assert mail.subject == (
        "GDPR: 2 letters not delivered, 1 overdue, 2 within 7 days, 2 to sort, 6 open – digest of 9 March 2026"
    )
    assert re.findall(r"DSR-\d{4}-\d{4}", mail.text) == re.findall(r"DSR-\d{4}-\d{4}", FRENCH)
    tables = cells(mail.html)
    assert [len(table) for table in tables] == [len(table) for table in FRENCH_TABLES]
    assert tables[3] == [
        ["Case", "Due", "State"],
        ["DSR-2026-0002 / objection (art. 21)", "Monday 9 March 2026 / today", "in preparation / Identity not asked"],
        [
            "DSR-2026-0003 / access (art. 15)",
            "Monday 16 March 2026 / in 7 days / period extended",
            "in preparation / Identity not asked",
        ],
    ]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_html_is_a_document_that_everybody_can_read(make_app: MakeApp, language: str) -> None:
    app = make_app(language=language)
    a_full_week(app)
    mail = build_digest(app, now=MONDAY)

    tree = lxml_html.fromstring(mail.html)

    assert tree.get("lang") == language
    image = tree.find(".//img")
    assert image is not None
    assert image.get("src") == f"cid:{mail.cid}"
    assert re.findall(r"(\d+)[,.](?: |$)", image.get("alt", "")) == ["1", "2", "1", "1", "0", "0", "1"]
    with Image.open(BytesIO(mail.png)) as picture:
        shown = (int(image.get("width", 0)) * 2, int(image.get("height", 0)) * 2)
        assert (picture.format, picture.size) == ("PNG", shown)
    assert all(cell.get("scope") in ("col", "row") for cell in tree.iter("th"))
    assert not list(tree.iter("link", "script", "iframe"))
    assert "http" not in mail.html
    # The rules are in the elements, and those for the dark, the phone and the printer are still there.
    assert "@media (prefers-color-scheme: dark)" in mail.html
    assert all(cell.get("style") for cell in tree.iter("td"))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_words_in_the_picture_need_no_letters_its_font_lacks(language: str) -> None:
    assert all(label.isascii() for label in chart.LABELS[language].values())
    assert [*chart.LABELS[language]] == ["overdue", "0-7", "8-14", "15-21", "22-31", "32+", "paused"]


def test_french_spaces_do_not_break(app: App) -> None:
    a_full_week(app)

    mail = build_digest(app, now=MONDAY)

    shown = lxml_html.fromstring(mail.html).findall(".//body")[0].text_content()
    for text in (mail.text, shown):
        assert re.findall(r" [:;!?»]", text) == []
        assert "«\N{NO-BREAK SPACE}pas une demande\N{NO-BREAK SPACE}»" in text
        assert "à 7\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}58" in text


def test_a_missing_fact_or_language_is_an_error_that_names_it() -> None:
    with pytest.raises(TemplateError, match="'organisation' is undefined"):
        render_digest("fr", {"today": date(2026, 3, 9)})
    with pytest.raises(TemplateError, match=re.escape("there is no template digest/_words.de.j2")):
        render_digest("de", {})


def test_nothing_a_stranger_wrote_can_appear(app: App) -> None:
    with app.database.transaction() as session:
        case = open_case(session, app, "2026-02-20 10:00", "access", name=HOSTILE)
        casework.note(session, app, case, "note", actor="dpo", now=at("2026-02-21 10:00"), text=HOSTILE)
        message = store_message(session, app, "2026-03-03 10:00", "to_sort", "<b>ZZHOSTILE", HOSTILE)
        message.primary = "unclear"
        queue_letter(session, app, case, "2026-03-01 10:00", "answer", "failed").last_error = HOSTILE
        health.failed(session, part="imap:ZZHOSTILE@example.example", now=at("2026-03-09 07:00"), problem=HOSTILE)

    assert queue_digest(app, now=MONDAY)
    sending.send_due(app)

    assert isinstance(app.mailer, Sink)
    for _, raw in app.mailer.sent:
        decoded = "".join(part.get_content() for part in read(raw).walk() if part.get_content_maintype() == "text")
        whole = raw.decode("ascii") + decoded
        assert "DSR-2026-0001" in decoded
        for trace in ("zzhostile", "camille", "durand", "<script", "alert("):
            assert trace not in whole.lower()


def test_what_the_store_says_in_codes_is_escaped_all_the_same(make_app: MakeApp) -> None:
    app = make_app(language="en")
    with app.database.transaction() as session:
        store_message(session, app, "2026-03-03 10:00", "to_sort", "<b>{{ 7*7 }}</b>")

    mail = build_digest(app, now=MONDAY)

    assert "perhaps: &lt;b&gt;{{ 7*7 }}&lt;/b&gt;" in mail.html


# --- letters and health ---------------------------------------------------------------------------------------------


def letters_told(app: App) -> list[list[str]]:
    tables = [table for table in cells(build_digest(app, now=MONDAY).html) if table[0][1] == "Lettre"]
    return tables[0][1:] if tables else []


def test_a_bounced_letter_is_told_until_another_of_its_kind_has_left(app: App) -> None:
    with app.database.transaction() as session:
        case = open_case(session, app, "2026-02-20 10:00", "access")
        note(session, app, case, "letter_sent", "2026-02-21 10:00", kind="acknowledgement", message_id="a")
        note(
            session,
            app,
            case,
            "letter_bounced",
            "2026-02-21 11:00",
            kind="hard",
            letter="acknowledgement",
            message_id="a",
        )
        note(session, app, case, "letter_sent", "2026-02-22 10:00", kind="status", message_id="b")
    assert letters_told(app) == [["DSR-2026-0001", "accusé de réception", "revenue, non remise / le 21 février 2026"]]

    with app.database.transaction() as session:
        again = session.get_one(Case, 1)
        note(session, app, again, "letter_sent", "2026-02-23 10:00", kind="acknowledgement", message_id="c")
    assert letters_told(app) == []


def test_a_delay_is_told_once(app: App) -> None:
    with app.database.transaction() as session:
        session.add(Marker(key="digest:2026-W10", at=at("2026-03-02 08:00")))
        case = open_case(session, app, "2026-02-20 10:00", "access")
        note(session, app, case, "letter_bounced", "2026-02-25 11:00", kind="delayed", letter="status")
        note(session, app, case, "letter_bounced", "2026-03-05 11:00", kind="delayed", letter="answer")

    assert letters_told(app) == [
        ["DSR-2026-0001", "réponse", "remise retardée, le serveur essaie encore / le 5 mars 2026"]
    ]


def test_a_letter_that_failed_is_told_until_another_of_its_kind_has_left_or_the_case_is_over(app: App) -> None:
    with app.database.transaction() as session:
        session.add(Marker(key="digest:2026-W10", at=at("2026-03-02 08:00")))
        sent_again, waiting, over = (open_case(session, app, "2026-02-20 10:00", "access") for _ in range(3))
        queue_letter(session, app, sent_again, "2026-02-21 10:00", "answer", "failed")
        queue_letter(session, app, sent_again, "2026-02-22 10:00", "answer", "sent")
        queue_letter(session, app, waiting, "2026-02-21 10:00", "status", "sent")
        queue_letter(session, app, waiting, "2026-02-21 11:00", "answer", "failed")
        queue_letter(session, app, over, "2026-02-21 10:00", "answer", "failed")
        queue_letter(session, app, over, "2026-03-03 10:00", "closing", "uncertain")
        note(session, app, over, "closed", "2026-03-04 10:00")

    assert letters_told(app) == [
        ["DSR-2026-0002", "réponse", "refusée par le serveur d’envoi / le 21 février 2026"],
        ["DSR-2026-0003", "clôture", "peut-être partie : à vérifier avant tout renvoi / le 3 mars 2026"],
    ]


def test_a_digest_that_did_not_reach_a_reader_is_told_in_the_next(app: App) -> None:
    assert queue_digest(app, now=at("2026-03-02 08:00"))
    with app.database.transaction() as session:
        first = session.exec(select(OutboxItem).order_by(col(OutboxItem.id))).first()
        assert first is not None
        first.status = "failed"
        session.add(first)

    assert letters_told(app) == [
        ["hors dossier", "bilan hebdomadaire", "refusée par le serveur d’envoi / le 2 mars 2026"]
    ]


def test_drafts_that_wait_for_the_dpo_are_counted(app: App) -> None:
    from store import drafts
    from store.drafts import LetterText

    with app.database.transaction() as session:
        case = open_case(session, app, "2026-02-20 10:00", "access")
        for number in range(2):
            drafts.propose(
                session, app.vault, case=case, key=f"k{number}", kind="answer", template="access/answer", language="fr",
                message_id=f"m{number}", letter=LetterText("camille@example.example", "s", "t", ""), automatic=False,
                now=at("2026-02-20 10:00"),
            )  # fmt: skip

    text = plain(build_digest(app, now=MONDAY).text)

    assert "Une demande attend une réponse. 2 projets de lettre attendent votre décision.\n" in text
    assert "  en préparation. Identité non demandée. 2 lettres à approuver.\n" in text


def test_what_is_wrong_with_the_program_tops_the_digest(app: App) -> None:
    with app.database.transaction() as session:
        case = open_case(session, app, "2026-02-20 10:00", "access")
        health.worked(session, part="imap", now=at("2026-03-08 23:00"))
        health.failed(session, part="smtp", now=at("2026-03-09 06:30"), problem="x")
        health.failed(session, part="smtp", now=at("2026-03-09 06:40"), problem="x")
        queue_letter(session, app, case, "2026-03-09 06:00", "status", "pending")
        outbox.enqueue(
            session, app.vault, key="card", channel="desk", kind="due", key_id=case.key_id, recipient="desk",
            payload=b"", now=at("2026-03-08 10:00"),
        ).status = "failed"  # fmt: skip

    mail = build_digest(app, now=MONDAY)

    assert mail.subject == "RGPD : service à vérifier, 1 en cours – bilan du 9 mars 2026"
    told = plain(mail.text).partition("À VÉRIFIER SANS ATTENDRE\n------------------------\n")[2].partition("\n\n")[0]
    assert told.splitlines() == [
        "! Boîte aux lettres : SILENCE depuis le 8 mars 2026 à 23 h 00, il y a 9 heures",
        "! Envoi du courrier : EN PANNE depuis le 9 mars 2026 à 6 h 30 (2 échecs de suite)",
        "! File d’attente : 1 envoi, le plus ancien il y a 2 heures : BLOQUÉE",
        "! Messagerie du poste : 1 avis N’EST PAS ARRIVÉ",
    ]
    shown = [plain(item.text_content()) for item in lxml_html.fromstring(mail.html).findall(".//ul[1]/li")]
    assert shown[:4] == [line.removeprefix("! ") for line in told.splitlines()]


def test_a_quiet_chat_is_no_alarm_and_a_mailbox_never_read_is(make_app: MakeApp) -> None:
    app = make_app(language="en")
    telegram = Telegram(token=SecretStr("1:x"))
    app.settings = app.settings.model_copy(update={"telegram": telegram})

    text = build_digest(app, now=MONDAY).text

    assert "TO BE CHECKED AT ONCE\n---------------------\n! Mailbox: NEVER REACHED\n\n" in text
    assert "* Telegram chat: nothing to do yet\n" in text


def test_a_journal_that_was_altered_is_told(app: App) -> None:
    with app.database.transaction() as session:
        for _ in range(3):
            open_case(session, app, "2026-02-20 10:00", "access")
    with app.database.engine.begin() as connection:
        # Whoever can write to the file can also remove what guards it.
        for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("UPDATE journal SET actor = 'somebody' WHERE id = 2")

    assert "! Journal : CHAÎNE ROMPUE à l’entrée 2, sur 3\n" in plain(build_digest(app, now=MONDAY).text)


# --- when it leaves -------------------------------------------------------------------------------------------------


def moment(settings: Settings, now: str) -> str:
    return scheduled(at(now), settings).astimezone(PARIS).isoformat()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param("2026-03-09 08:00", "2026-03-09T08:00:00+01:00", id="on the minute"),
        pytest.param("2026-03-09 07:59", "2026-03-02T08:00:00+01:00", id="a minute before"),
        pytest.param("2026-03-15 23:59", "2026-03-09T08:00:00+01:00", id="on the Sunday after"),
        pytest.param("2026-03-30 07:59", "2026-03-23T08:00:00+01:00", id="summer time has begun, not yet eight"),
        pytest.param("2026-03-30 08:00", "2026-03-30T08:00:00+02:00", id="summer time has begun, eight"),
        pytest.param("2026-10-26 07:59", "2026-10-19T08:00:00+02:00", id="winter time is back, not yet eight"),
        pytest.param("2026-10-26 08:00", "2026-10-26T08:00:00+01:00", id="winter time is back, eight"),
        pytest.param("2026-04-06 08:00", "2026-04-06T08:00:00+02:00", id="Easter Monday is no reason to skip"),
        pytest.param("2027-01-01 12:00", "2026-12-28T08:00:00+01:00", id="across the new year"),
    ],
)
def test_the_scheduled_moment_is_civil_time(tmp_path: Path, now: str, expected: str) -> None:
    assert moment(make_settings(tmp_path), now) == expected


def test_another_day_and_hour(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, day="friday", at=time(17, 30))

    assert moment(settings, "2026-03-13 17:29") == "2026-03-06T17:30:00+01:00"
    assert moment(settings, "2026-03-13 17:30") == "2026-03-13T17:30:00+01:00"


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        pytest.param(None, "2026-03-11 12:00", True, id="never yet"),
        pytest.param("2026-03-02 08:00", "2026-03-09 07:59", False, id="not yet"),
        pytest.param("2026-03-02 08:00", "2026-03-09 08:00", True, id="now"),
        pytest.param("2026-03-09 08:00", "2026-03-09 08:00", False, id="done this very minute"),
        pytest.param("2026-03-09 08:00", "2026-03-15 23:59", False, id="done this week"),
        pytest.param("2026-03-02 08:00", "2026-03-12 03:00", True, id="down on Monday, made up for on Thursday"),
        pytest.param("2026-03-12 03:00", "2026-03-16 07:59", False, id="made up for, and not due before Monday"),
        pytest.param("2026-03-12 03:00", "2026-03-16 08:00", True, id="made up for, and due again on Monday"),
    ],
)
def test_due_once_a_week_and_made_up_for(tmp_path: Path, last: str | None, now: str, due: bool) -> None:
    assert digest_due(at(now), make_settings(tmp_path), at(last) if last else None) is due


def test_the_marker_names_the_iso_week_the_digest_was_set_for(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)

    assert week_key(at("2026-03-09 08:00"), settings) == "digest:2026-W11"
    assert week_key(at("2026-03-09 07:00"), settings) == "digest:2026-W10"
    assert week_key(at("2027-01-03 12:00"), settings) == "digest:2026-W53"


@budget(max_examples=100)
@given(st.integers(0, 60 * 24 * 400), st.sampled_from(["monday", "wednesday", "friday"]), st.times())
def test_the_scheduled_moment_is_the_latest_one_that_has_passed(minutes: int, day: Any, hour: time) -> None:
    settings = make_settings(Path("/nonexistent"), day=day, at=hour.replace(second=0, microsecond=0))
    now = at("2026-01-01 00:00") + timedelta(minutes=minutes)

    found = scheduled(now, settings)

    local = found.astimezone(PARIS)
    assert found <= now < found + timedelta(days=7, hours=1)
    assert (local.strftime("%A").lower(), local.time()) == (day, settings.digest.at)
    # The moment it is queued settles it until the next one.
    assert digest_due(now, settings, found - timedelta(seconds=1))
    assert not digest_due(now, settings, found)


def play(app: App, moments: list[str]) -> list[str]:
    return [now for now in moments if run_digest(app, now=at(now))]


def test_hour_by_hour_through_a_clock_change_one_digest_a_week(app: App) -> None:
    start = at("2026-03-17 00:00")
    hours = [start + timedelta(hours=hour) for hour in range(24 * 28)]

    left = [now.astimezone(PARIS).isoformat() for now in hours if run_digest(app, now=now)]

    assert left == [
        "2026-03-23T08:00:00+01:00",
        "2026-03-30T08:00:00+02:00",
        "2026-04-06T08:00:00+02:00",
        "2026-04-13T08:00:00+02:00",
    ]


def test_a_new_store_sends_its_first_digest_at_the_next_scheduled_moment(app: App) -> None:
    assert play(app, ["2026-03-11 12:00", "2026-03-11 12:01", "2026-03-16 08:01", "2026-03-16 08:02"]) == [
        "2026-03-16 08:01",
    ]


def test_after_weeks_of_downtime_one_digest_makes_up_for_all(app: App) -> None:
    played = play(
        app, ["2026-03-01 20:00", "2026-03-02 08:00", "2026-03-26 03:00", "2026-03-26 04:00", "2026-03-30 08:00"]
    )

    assert played == ["2026-03-02 08:00", "2026-03-26 03:00", "2026-03-30 08:00"]


def test_a_day_changed_in_the_settings_gives_no_second_digest_in_a_week(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    assert queue_digest(app, now=MONDAY)

    app.settings = app.settings.model_copy(update={"digest": app.settings.digest.model_copy(update={"day": "friday"})})

    assert play(app, ["2026-03-13 08:00", "2026-03-20 08:00"]) == ["2026-03-20 08:00"]


# --- the mail itself ------------------------------------------------------------------------------------------------


def test_each_reader_gets_one_mail_of_their_own(app: App) -> None:
    a_full_week(app)

    assert queue_digest(app, now=MONDAY) is True
    assert queue_digest(app, now=MONDAY) is False
    assert sending.send_due(app) == 2

    assert isinstance(app.mailer, Sink)
    assert [recipient for recipient, _ in app.mailer.sent] == ["dpo@adc.example", "direction@adc.example"]
    ids = set()
    for recipient, raw in app.mailer.sent:
        mail = read(raw)
        assert not mail.defects
        message_id = mail["Message-ID"].strip("<>")
        ids.add(message_id)
        assert dict(mail.items()) == {
            "From": "DPO – ADC <dpo@adc.example>",
            "To": recipient,
            "Subject": "RGPD : 2 lettres non parvenues, 1 en retard, 2 sous 7 jours, 2 à trier, 6 en cours"
            " – bilan du 9 mars 2026",
            "Date": "Mon, 09 Mar 2026 08:00:00 +0100",
            "Message-ID": f"<{message_id}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            "X-Dpobot": app.vault.token("own-mail", message_id),
            "Content-Language": "fr",
            "MIME-Version": "1.0",
            "Content-Type": mail["Content-Type"],
        }
        shape = [part.get_content_type() for part in mail.walk()]
        assert shape == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
        built = build_digest(app, now=MONDAY)
        text, html, picture = (part for part in mail.walk() if not part.is_multipart())
        assert text.get_content().replace("\r\n", "\n").startswith("BILAN DES DEMANDES RGPD\n")
        assert cells(html.get_content()) == FRENCH_TABLES
        assert picture["Content-ID"] == f"<{built.cid}>"
        assert f'src="cid:{built.cid}"' in html.get_content()
        assert (picture.get_content_disposition(), picture.get_content()) == ("inline", built.png)
        assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert len(ids) == 2


@budget(max_examples=80)
@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from("    aé–,.=?_"), max_size=120))
def test_a_subject_is_read_as_it_was_written(subject: str) -> None:
    subject = " ".join(subject.split())
    made = EmailMessage(policy=MAIL_POLICY)
    made["Subject"] = subject
    raw = made.as_bytes()

    assert str(make_header(decode_header(message_from_bytes(raw)["Subject"]))) == subject
    assert all(len(word) <= 75 for word in re.findall(rb"=\?utf-8\?.*?\?=(?=\s)", raw))
    if not subject.isascii():
        # Two readers of headers agree: no blank more, no blank less.
        assert read(raw)["Subject"] == subject
        assert max(len(line) for line in raw.split(b"\r\n")) <= 78


def test_the_outbox_holds_the_digest_sealed_and_under_keys_without_addresses(app: App) -> None:
    queue_digest(app, now=MONDAY)

    with app.database.reading() as session:
        items = list(session.exec(select(OutboxItem)))
        session.expunge_all()
    assert [(i.channel, i.kind, i.status, i.automatic, i.case_id) for i in items] == [
        ("desk_mail", "digest", "pending", True, None)
    ] * 2
    assert all(re.fullmatch(r"digest:2026-W11:[0-9a-f]{16}", item.key) for item in items)
    assert not any(b"BILAN" in item.payload_sealed for item in items)


def test_a_reader_named_twice_gets_one_mail(make_app: MakeApp) -> None:
    app = make_app(to=["dpo@adc.example", "dpo@adc.example"])

    assert queue_digest(app, now=MONDAY)

    assert sending.send_due(app) == 1


def test_of_workers_that_queue_at_once_one_does(app_on_both: App) -> None:
    app = app_on_both
    queued: list[bool] = []
    workers = [threading.Thread(target=lambda: queued.append(queue_digest(app, now=MONDAY))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(queued) == [False, False, False, True]
    with app.database.reading() as session:
        assert len(session.exec(select(OutboxItem)).all()) == 2


def test_a_digest_that_cannot_be_queued_leaves_no_marker(app: App) -> None:
    settings = app.settings
    bad = settings.digest.model_copy(update={"to": ("dpo@adc.example", "a\r\nBcc: b@adc.example")})
    app.settings = settings.model_copy(update={"digest": bad})

    with pytest.raises(ValueError, match=r"CR or LF|linefeed"):
        queue_digest(app, now=MONDAY)

    app.settings = settings
    with app.database.reading() as session:
        assert session.exec(select(OutboxItem)).all() == []
    assert queue_digest(app, now=MONDAY) is True


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_writes_the_digest_and_sends_nothing(
    app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_full_week(app)

    assert digest_now(app, tmp_path / "out") == 0

    mail = build_digest(app, now=MONDAY)
    names = ["digest.html", "digest.txt", "digest.png", "digest.eml"]
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "out" / name) for name in names]
    written: Mapping[str, bytes] = {name: (tmp_path / "out" / name).read_bytes() for name in names}
    assert written["digest.txt"].decode() == mail.text
    assert written["digest.png"] == mail.png
    assert written["digest.html"].decode() == mail.html.replace(f"cid:{mail.cid}", "digest.png")
    assert read(written["digest.eml"])["To"] == "dpo@adc.example"
    with app.database.reading() as session:
        assert {m.key for m in session.exec(select(Marker))} == {"digest:2026-W10"}
        assert [i.kind for i in session.exec(select(OutboxItem))] == ["reminder"]
        assert last_digest(session) == at("2026-03-02 08:00")


def test_without_a_folder_the_command_prints_the_text(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    assert digest_now(app, None) == 0

    mail = build_digest(app, now=MONDAY)
    assert capsys.readouterr().out == f"{mail.subject}\n\n{mail.text}"


def test_a_folder_that_cannot_be_written_is_an_error_in_a_sentence(
    app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("a file")

    assert digest_now(app, tmp_path / "taken") == 1

    assert capsys.readouterr().err == f"the digest cannot be written to {tmp_path / 'taken'}: File exists\n"
