"""Raw mail to Arrival: a folder of real-looking mails compared as a whole, rules by table, and bytes of every kind."""

import base64
import io
import json
import random
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels import mime
from bot.channels.base import RawMessage
from bot.channels.mime_files import clean_name, sniff
from bot.channels.mime_forwards import inline
from bot.channels.mime_headers import addresses, decode_words, message_ids, parameters
from bot.channels.mime_html import visible_text
from bot.commands.parse import parse
from handlers.types import Arrival, Authentication, Forwarded

MAIL = Path(__file__).parent / "mail"
TOOK_IN = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OURS = {"authserv_ids": ("mx.mije.com",), "own_addresses": ("dpo@mije.com",), "own_domains": ("mije.com",)}


def read(raw: bytes, **about: object) -> Arrival:
    message = RawMessage(
        "imap:test", "1:1", TOOK_IN, raw.replace(b"\n", b"\r\n") if b"\r\n" not in raw else raw, **about
    )  # type: ignore[arg-type]
    return mime.arrival(message, **OURS)


def expected() -> dict[str, dict[str, object]]:
    lines = (MAIL / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    return {shape["id"]: shape for shape in map(json.loads, lines)}


@pytest.mark.parametrize("name", sorted(path.stem for path in MAIL.glob("*.eml")))
def test_mail_is_read_as_expected(name):
    raw = (MAIL / f"{name}.eml").read_bytes()

    arrived = mime.arrival(RawMessage("imap:test", "1:1", TOOK_IN, raw), **OURS)

    assert mime.to_json(arrived, name) == expected()[name]


def test_every_expectation_has_its_mail():
    assert sorted(expected()) == sorted(path.stem for path in MAIL.glob("*.eml"))


# --- what makes two copies the same ----------------------------------------------------------------------------------

LETTER = b"""Received: from a.example by mx.mije.com; Mon, 2 Mar 2026 09:12:44 +0100
Delivered-To: dpo@mije.com
From: Eva <eva@client.example>
To: dpo@mije.com
Cc: contact@mije.com
Subject: =?utf-8?Q?Acc=C3=A8s?=
Date: Mon, 02 Mar 2026 09:12:40 +0100
Message-ID: <1@client.example>
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Mes donn\xc3\xa9es, merci.
"""


def test_two_deliveries_of_one_mail_have_one_key():
    other = (
        LETTER.replace(b"Delivered-To: dpo@mije.com", b"Delivered-To: contact@mije.com\nX-Spam-Score: 0.1")
        .replace(b"09:12:44", b"09:12:59")
        .replace(b"=?utf-8?Q?Acc=C3=A8s?=", b"=?UTF-8?B?QWNjw6hz?=")
        .replace(b"8bit\n\nMes donn\xc3\xa9es,", b"quoted-printable\n\nMes donn=C3=A9es,=20")
        .replace(b"\n", b"\r\n")
    )

    assert mime.content_key(other) == mime.content_key(LETTER)
    assert read(other).content_key == mime.content_key(LETTER)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Mes donn", b"Toutes mes donn"),
        (b"eva@client", b"eve@client"),
        (b"09:12:40", b"09:12:41"),
        (b"Acc=C3=A8s", b"Access"),
        (b"<1@client.example>", b"<2@client.example>"),
    ],
)
def test_two_mails_have_two_keys_even_under_one_message_id(old, new):
    assert mime.content_key(LETTER.replace(old, new)) != mime.content_key(LETTER)


def test_a_mail_without_message_id_gets_the_same_one_on_every_delivery():
    bare = LETTER.replace(b"Message-ID: <1@client.example>\n", b"")

    first, second = read(bare), read(bare.replace(b"09:12:44", b"09:12:59"))

    assert first.message_id == second.message_id == f"{first.content_key[:32]}@no-message-id.invalid"
    assert first.problems == ("no-message-id",)


# --- when it arrived, and who says so --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "instant"),
    [
        ("Received: from a by mx.mije.com; Mon, 2 Mar 2026 09:12:44 +0100", "2026-03-02T08:12:44+00:00"),
        (
            "Received: from mx by store.internal; Mon, 2 Mar 2026 11:00:00 +0100\n"
            "Received: from a\n\tby MX.mije.com (Postfix)\n\twith ESMTP; Mon, 2 Mar 2026 09:12:44 +0100 (CET)\n"
            "Received: from b by mx.mije.com; Mon, 23 Feb 2026 09:00:00 +0100",
            "2026-03-02T08:12:44+00:00",
        ),
        ("Received: from b by relay.pirate.example; Sun, 1 Feb 2026 09:00:00 +0100", "2026-03-02T09:30:00+00:00"),
        ("Received: by mx.mije.com; not a date", "2026-03-02T09:30:00+00:00"),
        ("X-None: 1", "2026-03-02T09:30:00+00:00"),
    ],
    ids=["own line", "topmost own line", "foreign line", "own line without date", "no line"],
)
def test_receipt_is_what_our_own_server_says_else_internaldate(lines, instant):
    assert read(f"{lines}\nFrom: a@b.example\n\nx".encode()).received_at.isoformat() == instant


OWN_LINE = "Received: from a by mx.mije.com; Mon, 2 Mar 2026 09:12:44 +0100"
FOREIGN_LINE = "Received: from a by evil.example; Mon, 2 Mar 2026 09:12:44 +0100"
PASSED = Authentication("pass", "pass", "pass", True)
ALL_PASS = "spf=pass smtp.mailfrom=b.example; dkim=pass header.d=b.example; dmarc=pass header.from=b.example"


@pytest.mark.parametrize(
    ("lines", "auth"),
    [
        ([f"Authentication-Results: mx.mije.com; {ALL_PASS}", OWN_LINE], PASSED),
        ([OWN_LINE, f"Authentication-Results: MX.mije.com 1; {ALL_PASS}", FOREIGN_LINE], PASSED),
        (
            [
                "Authentication-Results: mx.mije.com; spf=fail smtp.mailfrom=b.example",
                "Authentication-Results: mx.mije.com; dkim=fail header.d=b.example",
                OWN_LINE,
                FOREIGN_LINE,
                f"Authentication-Results: mx.mije.com; {ALL_PASS}",
            ],
            Authentication("fail", "fail", "", True),
        ),
        ([OWN_LINE, FOREIGN_LINE, f"Authentication-Results: mx.mije.com; {ALL_PASS}"], Authentication()),
        ([f"Authentication-Results: mx.google.example; {ALL_PASS}", OWN_LINE], Authentication()),
        ([OWN_LINE, f"Authentication-Results: {ALL_PASS};compauth=pass reason=100"], PASSED),
        ([f"Authentication-Results: {ALL_PASS}"], Authentication()),
        (["Authentication-Results: mx.mije.com; none", OWN_LINE], Authentication("", "", "", True)),
        (["Authentication-Results: mx.mije.com; spf=((((", OWN_LINE], Authentication("", "", "", True)),
    ],
    ids=[
        "ours on top", "ours below our line", "several of ours, a forgery below", "forgery only", "another server's",
        "Exchange, without a name", "nameless and not received by us", "none", "unreadable",
    ],
)  # fmt: skip
def test_only_our_own_server_is_believed(lines, auth):
    assert read("\n".join([*lines, "From: a@b.example", "", "x"]).encode()).auth == auth


def test_all_hosts_below_a_domain_can_be_ours():
    raw = b"Received: from a by PR0P264.PROD.outlook.example; Mon, 2 Mar 2026 09:12:44 +0100\nFrom: a@b.example\n\nx"

    arrived = mime.arrival(RawMessage("s", "1", TOOK_IN, raw), authserv_ids=(".outlook.example",))

    assert arrived.received_at == datetime(2026, 3, 2, 8, 12, 44, tzinfo=UTC)


def test_envelope_and_trace_lines_say_whom_it_was_delivered_to():
    raw = b"Delivered-To: dpo@mije.com\nX-Original-To: contact@mije.com\nFrom: a@b.example\n\nx"

    arrived = read(raw, envelope_to=("dpo@MIJE.com", "dpo@mije.com"), envelope_from="")

    assert arrived.delivered_to == ("dpo@MIJE.com", "dpo@mije.com", "contact@mije.com")
    assert arrived.suppress_reasons == ("null-return-path",)


# --- robots ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "reasons", "auto_reply", "is_list"),
    [
        ("Auto-Submitted: no", (), False, False),
        ("Auto-Submitted: auto-replied (vacation)", ("auto-submitted",), True, False),
        ("Auto-Submitted: auto-generated; owner=x", ("auto-submitted",), False, False),
        ("X-Autoreply: yes", ("x-autoreply",), True, False),
        ("X-Auto-Response-Suppress: DR, RN, NRN", (), False, False),
        ("X-Auto-Response-Suppress: DR, OOF", ("x-auto-response-suppress",), False, False),
        ("Precedence: bulk", ("precedence-bulk",), False, False),
        ("Precedence: auto_reply", ("precedence-auto-reply",), True, False),
        ("Precedence: list", ("precedence-list",), False, True),
        ("List-Unsubscribe: <mailto:u@l.example>", ("list-unsubscribe",), False, True),
        ("Return-Path: <>", ("null-return-path",), False, False),
        ("Return-Path: <a@b.example>", (), False, False),
        ("X-Dpobot: acknowledgement", ("own-mail",), False, False),
        ("Reply-To: no-reply@b.example", ("noreply-sender",), False, False),
    ],
)
def test_headers_of_robots(header, reasons, auto_reply, is_list):
    arrived = read(f"{header}\nFrom: a@b.example\nSubject: x\n\nEffacez mes données.".encode())

    assert (arrived.suppress_reasons, arrived.is_auto_reply, arrived.is_list) == (reasons, auto_reply, is_list)
    assert arrived.suppress is bool(reasons)
    assert arrived.new_text == "Effacez mes données."


@pytest.mark.parametrize(
    "sender",
    [
        "noreply@", "no-reply@", "ne-pas-repondre@", "nepasrepondre@", "do_not_reply@", "booking.noreply@", "noreply-fr@",
        "nicht-antworten@", "no.responder@", "non-rispondere@",
    ],
)  # fmt: skip
def test_senders_that_read_no_answer(sender):
    assert read(f"From: {sender}x.example\nSubject: s\n\nx".encode()).suppress_reasons == ("noreply-sender",)


@pytest.mark.parametrize("sender", ["marie@", "gdpr-request@", "contact@", "norbert.eply@", "bounty@", "reponse@"])
def test_senders_that_do(sender):
    assert read(f"From: {sender}x.example\nSubject: s\n\nx".encode()).suppress_reasons == ()


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Absence de réponse", "Bonjour, je n'ai pas eu de réponse à ma demande d'accès."),
        ("Re: réponse automatique", "Je maintiens ma demande."),
        ("Vacances", "Je suis en vacances jusqu'au 15 mars, merci d'effacer mes données avant."),
        ("Undelivered mail", "I found your mail undelivered in my neighbour's box, with my passport copy in it."),
        ("Lu dans votre politique", "Ce que j'y ai lu me choque : effacez tout."),
    ],
)
def test_a_person_is_not_taken_for_a_robot(subject, text):
    arrived = read(f"From: a@b.example\nSubject: {subject}\n\n{text}".encode())

    assert (arrived.suppress_reasons, arrived.is_auto_reply, arrived.is_bounce) == ((), False, False)


@pytest.mark.parametrize(
    ("status", "diagnostic", "action", "kind"),
    [
        ("5.1.1", "550 user unknown", "failed", "hard"),
        ("5.1.2", "host not found", "failed", "hard"),
        ("5.2.1", "mailbox disabled", "failed", "hard"),
        ("5.2.2", "quota", "failed", "soft"),
        ("5.0.0", "", "failed", "soft"),
        ("5.0.0", "550 no such user here", "failed", "hard"),
        ("5.0.0", "550 La boîte aux lettres du destinataire est pleine", "failed", "soft"),
        ("4.4.7", "delivery time expired", "failed", "soft"),
        ("4.4.1", "timed out", "delayed", "delayed"),
        ("5.7.1", "message rejected as spam", "failed", "policy"),
        ("5.7.26", "unauthenticated", "failed", "policy"),
        ("5.3.4", "message too big", "failed", "policy"),
        ("5.4.1", "Recipient address rejected: Access denied", "failed", "hard"),
    ],
)
def test_delivery_reports_fall_into_four_kinds(status, diagnostic, action, kind):
    raw = (
        "From: MAILER-DAEMON@x.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nx\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x.example\n\n"
        f"Final-Recipient: rfc822; lea@x.example\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; {diagnostic}\n\n--b--\n"
    )

    bounce = read(raw.encode()).bounce

    assert bounce is not None
    assert (bounce.recipient, bounce.status, bounce.kind) == ("lea@x.example", status, kind)


# --- forwards --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "block"),
    [
        ("Fwd: x", "---------- Forwarded message ---------\nFrom: {f}\nDate: {d}\nSubject: {s}\nTo: <a@mije.com>\n"),
        ("TR: x", "De : {f}\nEnvoyé : {d}\nÀ : a@mije.com\nObjet : {s}\n"),
        ("TR: x", "-----Message d'origine-----\nDe : {f}\nEnvoyé : {d}\nÀ : a@mije.com\nObjet : {s}\n"),
        ("Tr: x", "-------- Message transféré --------\nSujet : {s}\nDate : {d}\nDe : {f}\nPour : a@mije.com\n"),
        ("WG: x", "Von: {f}\nGesendet: {d}\nAn: a@mije.com\nBetreff: {s}\n"),
        ("RV: x", "---------- Mensaje reenviado ---------\nDe: {f}\nFecha: {d}\nAsunto: {s}\nPara: a@mije.com\n"),
        ("I: x", "Da: {f}\nInviato: {d}\nA: a@mije.com\nOggetto: {s}\n"),
        ("FW: x", "Van: {f}\nVerzonden: {d}\nAan: a@mije.com\nOnderwerp: {s}\n"),
        ("Enc: x", "---------- Mensagem encaminhada ---------\nDe: {f}\nData: {d}\nAssunto: {s}\nPara: a@mije.com\n"),
    ],
)
def test_inline_forwards_name_their_author(subject, block):
    head = block.format(f="Ida Sol <ida@sol.example>", d="dimanche 1 mars 2026 20:11", s="mes données")

    assert inline(f"Pour toi.\n\n{head}\nEffacez-moi.\n\nIda", subject) == (
        "Pour toi.",
        Forwarded(
            "ida@sol.example",
            "Ida Sol",
            "dimanche 1 mars 2026 20:11",
            "mes données",
            "Effacez-moi.\n\nIda",
            "2026-03-01T19:11:00+00:00",
            "written",
        ),
    )


@pytest.mark.parametrize("subject", ["RE: x", "", "Trois demandes", "Inscription"])
def test_history_under_an_answer_is_no_forward(subject):
    text = "Oui.\n\nDe : Ida <ida@sol.example>\nEnvoyé : dimanche 1 mars 2026 20:11\nÀ : a@mije.com\nObjet : x\n\nEffacez-moi."

    assert inline(text, subject) is None


# --- header fields ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "pairs"),
    [
        ("Marie Roux <marie@roux.example>", [("Marie Roux", "marie@roux.example")]),
        ('"Roux, Marie" <Marie@Roux.EXAMPLE>', [("Roux, Marie", "Marie@roux.example")]),
        ("Roux, Marie <marie@roux.example>", [("Roux, Marie", "marie@roux.example")]),
        ("marie@roux.example (Marie Roux)", [("Marie Roux", "marie@roux.example")]),
        ("marie@roux.example", [("", "marie@roux.example")]),
        ('"boss@bank.example" <evil@pirate.example>', [("boss@bank.example", "evil@pirate.example")]),
        (
            "=?utf-8?Q?Zo=C3=A9_=3Cfake=40bank=2Eexample=3E?= <zoe@x.example>",
            [("Zoé <fake@bank.example>", "zoe@x.example")],
        ),
        ("=?utf-8?Q?Zo=C3=A9_=3Czoe=40x=2Eexample=3E?=", [("Zoé", "zoe@x.example")]),
        ("undisclosed-recipients:;", []),
        ("Team: a@x.example, B <b@x.example>;", [("", "a@x.example"), ("B", "b@x.example")]),
        ("a@x.example; b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        ("<>", []),
        ("Marie", []),
        ("'Marie' <marie@x.example>", [("Marie", "marie@x.example")]),
        ("Marie\u202e\x07 <marie@x.example>", [("Marie", "marie@x.example")]),
    ],
)
def test_addresses_are_read_as_meant(written, pairs):
    assert addresses([written]) == pairs


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("=?utf-8?Q?Acc=C3=A8s?=", "Accès"),
        ("=?utf-8?B?QWNjw6g=?= =?utf-8?B?cw==?=", "Accès"),
        ("=?utf-8?B?QWNjww==?= =?utf-8?Q?=A8s?=", "Accès"),
        ("=?utf-8?B?QWNjw6hz?", "=?utf-8?B?QWNjw6hz?"),
        ("=?iso-8859-1?Q?Acc=E8s?=", "Accès"),
        ("=?iso-8859-1?Q?co=FBt_5_=80?=", "coût 5 €"),
        ("=?utf-8*fr?Q?Acc=C3=A8s?=", "Accès"),
        ("=?unknown-8bit?Q?Acc=E8s?=", "Accès"),
        ("=?utf-8?Q?Acc=E8s?=", "Accès"),
        ("=?utf-8?Q?mes données?=", "mes données"),
        ("RE: =?utf-8?Q?a?= b =?utf-8?Q?c?=", "RE: a b c"),
        ("=?idna?Q?a?=", "a"),
    ],
)
def test_encoded_words_and_their_violations(written, text):
    assert decode_words(written) == text


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('attachment; filename="pièce.pdf"', "pièce.pdf"),
        ("attachment; filename*=UTF-8''pi%C3%A8ce.pdf", "pièce.pdf"),
        ("attachment; filename*=iso-8859-1'fr'pi%E8ce.pdf", "pièce.pdf"),
        ("attachment; filename*0=pi; filename*1=ece.pdf", "piece.pdf"),
        ("attachment; filename*1=ece.pdf; filename*0=pi", "piece.pdf"),
        ('attachment; filename="=?utf-8?Q?pi=C3=A8ce.pdf?="', "pièce.pdf"),
        ("attachment; filename==?utf-8?Q?pi=C3=A8ce.pdf?=", "pièce.pdf"),
        ('attachment; filename="a;b.pdf"; size=3', "a;b.pdf"),
        ('attachment; filename="unclosed.pdf', "unclosed.pdf"),
        ("attachment", ""),
    ],
)
def test_file_names_in_all_spellings(value, name):
    assert parameters(value)[1].get("filename", "") == name


@pytest.mark.parametrize(
    ("given_name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\cni.pdf", "cni.pdf"),
        ("cni\u202efdp.exe", "cnifdp.exe"),
        ("a\r\nb\x00.pdf", "a b.pdf"),
        ("...", "attachment.pdf"),
        ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
    ],
)
def test_file_names_are_harmless(given_name, clean):
    assert clean_name(given_name, "application/pdf") == clean


def test_decomposed_accents_are_composed():
    arrived = read("From: Zoe\u0301 <z@x.example>\nSubject: acce\u0300s\n\nacce\u0300s".encode())

    assert (arrived.from_name, arrived.subject, arrived.text) == ("Zoé", "accès", "accès")


def test_message_ids_survive_bad_folding():
    assert message_ids(["<a@x.example> <b\n c@x.example>", "d@x.example text"]) == [
        "a@x.example",
        "bc@x.example",
        "d@x.example",
    ]


def test_what_a_file_is_is_told_by_its_bytes_and_doubt_is_none():
    kinds = [
        sniff(data)
        for data in (b"%PDF-1.7\n", b"\xff\xd8\xff\xe0", b"<svg onload=x>", b"MZ\x90", b"PK\x03\x04junk", b"", b"abc")
    ]

    assert kinds == ["application/pdf", "image/jpeg", None, None, None, None, None]


# --- HTML ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "style",
    [
        "display:none", "display: none !important", "visibility:hidden", "font-size:0", "font-size:1px", "font-size:0.01em",
        "color:#fff", "color:white", "color:rgb(255,255,255)", "color:#FEFEFE", "color:transparent", "opacity:0",
        "max-height:0;overflow:hidden", "text-indent:-9999px", "position:absolute;left:-9999px", "mso-hide:all",
        "background:#000;color:#000",
    ],
)  # fmt: skip
def test_hidden_text_is_not_seen(style):
    assert visible_text(f'<p>Bonjour <span style="{style}">effacez tout</span> merci</p>') == ("Bonjour merci", True)


@pytest.mark.parametrize(
    "html",
    [
        '<table bgcolor="#000080"><tr><td style="color:#fff">effacez tout</td></tr></table>',
        '<div style="font-size:0"><span style="font-size:14px">effacez tout</span></div>',
        '<div style="visibility:hidden"><b style="visibility:visible">effacez tout</b></div>',
        '<div style="background:url(x.png) #fff"><font color="white">effacez tout</font></div>',
        "<style>@media print{p{display:none}}</style><p>effacez tout</p>",
        '<p style="color:#333;height:0">effacez tout</p>',
    ],
)
def test_text_that_shows_is_seen(html):
    text, hid = visible_text(html)

    assert (text.strip(), hid) == ("effacez tout", False)


def test_quotes_in_html_keep_their_marks():
    html = "<div>Oui.</div><blockquote type=cite><p>Est-ce vous ?</p><blockquote>Qui ?</blockquote></blockquote><div>Marie</div>"

    assert [line for line in visible_text(html)[0].split("\n") if line.strip("> ")] == [
        "Oui.", "> Est-ce vous ?", "> > Qui ?", "Marie",
    ]  # fmt: skip


@pytest.mark.parametrize("levels", [10, 150, 300, 1_500, 4_000])
def test_deep_html_still_gives_its_text(levels):
    assert visible_text("<div>" * levels + "effacez tout" + "</div>" * levels)[0].strip() == "effacez tout"


# --- bounds ----------------------------------------------------------------------------------------------------------


def nested(levels: int) -> bytes:
    opening = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(levels))
    return b"From: a@b.example\n" + opening + b"Content-Type: text/plain\n\nau fond\n"


def test_the_text_below_120_levels_is_read():
    assert read(nested(120)).text == "au fond"


@pytest.mark.parametrize("levels", [250, 700, 3_000])
def test_deeper_mails_are_shown_as_they_are(levels):
    arrived = read(nested(levels))

    assert "au fond" in arrived.text
    assert "structure-unreadable" in arrived.problems


def test_a_large_attachment_passes_whole():
    data = random.Random(7).randbytes(25_000_000)
    body = base64.encodebytes(data).replace(b"\n", b"\r\n")
    raw = (
        b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nvoici\r\n--b\r\n"
        b"Content-Type: image/jpeg; name=x.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body + b"--b--\r\n"
    )

    arrived = read(raw)

    assert [each.content == data for each in arrived.attachments] == [True]
    assert arrived.text == "voici"


@dataclass(frozen=True)
class Oversize(RawMessage):
    full_size: int = 0


def test_a_cut_mail_says_so():
    message = Oversize("imap:test", "1:1", TOOK_IN, b"From: a@b.example\r\n\r\nx", full_size=99_000_000)

    assert "oversize" in mime.arrival(message).problems


@pytest.mark.parametrize(
    "raw",
    [
        b"A: b\r\n" * 100_000 + b"\r\nx",
        b"Subject: " + b"x" * 2_000_000 + b"\r\n\r\nx",
        b"To: " + b"a@b.example, " * 100_000 + b"\r\n\r\nx",
        b"Content-Type: multipart/mixed;" + b"a=b;" * 300_000 + b"boundary=x\r\n\r\n--x\r\n\r\ny",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\ny\r\n" * 50_000,
        b"Content-Type: message/rfc822\r\n\r\n" * 60 + b"From: a@b.example\r\n\r\nau fond",
        b"From: " + b"(" * 50_000 + b"\r\n\r\nx",
        b"Subject: " + b"=?utf-8?Q?a?= " * 20_000 + b"\r\n\r\nx",
        b"\r\n" + b"\n" * 300_000,
        b"\r\n" + b"Le " * 200_000,
        b"Subject: " + "a\u0301\u0316".encode() * 5_000 + b"\r\n\r\n" + b"a" + "\u0301\u0316".encode() * 100_000,
        b"Content-Type: text/html\r\n\r\n" + b"<a " * 200_000,
        b"Content-Type: text/html\r\n\r\n" + b"<" * 500_000,
    ],
    ids=[
        "header lines", "header length", "recipients", "parameters", "parts", "messages in messages", "comments",
        "encoded words", "empty lines", "Le Le Le", "combining marks", "open tags", "angle brackets",
    ],
)  # fmt: skip
def test_bombs_are_read_within_bounds(raw):
    arrived = read(raw)

    assert len(arrived.text) <= 1_000_000
    assert len(arrived.subject) <= 998
    assert len(arrived.to) <= 500
    assert len(arrived.attachments) <= 200


# --- any bytes -------------------------------------------------------------------------------------------------------

SEEDS = [path.read_bytes() for path in sorted(MAIL.glob("*.eml"))]


def check_whole(arrived: Arrival) -> None:
    """What must hold for any bytes: nothing raises, and every string can be written as UTF-8 on its line."""
    printed = json.dumps(mime.to_json(arrived, "x"), ensure_ascii=False).encode("utf-8")
    assert b"\x00" not in printed
    for line in (arrived.subject, arrived.from_name, arrived.from_addr, *(a.filename for a in arrived.attachments)):
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", line), ascii(
            line
        )
    assert all(a.filename for a in arrived.attachments)
    assert arrived.message_id
    assert arrived.received_at.tzinfo is not None
    assert arrived.suppress is bool(arrived.suppress_reasons)
    assert arrived.is_bounce is (arrived.bounce is not None)


def mutated(rng: random.Random) -> bytes:
    data = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randint(1, 12)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0:
            data[at : at + rng.randint(1, 40)] = b""
        elif kind == 1:
            data[at:at] = rng.randbytes(rng.randint(1, 6))
        elif kind == 2:
            other = rng.choice(SEEDS)
            start = rng.randrange(len(other))
            data[at:at] = other[start : start + rng.randint(1, 300)]
        elif kind == 3:
            data[at : at + 1] = rng.choice(
                (b"\x00", b"\xff", b"\r", b'"', b";", b"=?", b"<", b"\xe2\x80\xae", b"--", b"*0*=")
            )
        else:
            data[at:at] = data[at : at + rng.randint(1, 200)]
    return bytes(data)


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=0, max_value=2**64))
def test_mutated_mails_are_read(seed):
    raw = mutated(random.Random(seed))

    check_whole(mime.arrival(RawMessage("imap:test", "1:1", TOOK_IN, raw), **OURS))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read(raw):
    check_whole(read(raw))


# --- the command -----------------------------------------------------------------------------------------------------


def test_parse_prints_a_line_a_file_and_goes_on_after_a_missing_one(tmp_path):
    mail = tmp_path / "a.eml"
    mail.write_bytes(LETTER)
    out = io.StringIO()

    status = parse([tmp_path / "none.eml", mail], out, **OURS)

    missing, found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert status == 1
    assert missing == {"id": str(tmp_path / "none.eml"), "error": "No such file or directory"}
    assert (found["id"], found["received_at"], found["subject"]) == (str(mail), "2026-03-02T08:12:44+00:00", "Accès")


def test_parse_reads_standard_input():
    code = "import sys; from bot.commands.parse import parse; sys.exit(parse(['-'], sys.stdout))"

    done = subprocess.run([sys.executable, "-c", code], input=LETTER, capture_output=True, check=True)

    assert json.loads(done.stdout)["text"] == "Mes données, merci."
