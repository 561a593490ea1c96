"""What mail programs wrap mail in: winmail.dat, saved Outlook messages, RTF, signatures, invitations, files with mail."""

import base64
import random
import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from bot.channels import mime_calendar, mime_crypto, mime_outlook, mime_rtf
from bot.channels.mime_charset import decode
from tests.test_mime import read

PDF = b"%PDF-1.4\n%EOF\n"


# --- builders, byte by byte ------------------------------------------------------------------------------------------


def attribute(level: int, kind: int, value: bytes) -> bytes:
    return struct.pack("<BII", level, kind, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def properties(*entries: tuple[int, int, bytes]) -> bytes:
    out = struct.pack("<I", len(entries))
    for name, kind, value in entries:
        out += struct.pack("<HHII", kind, name, 1, len(value)) + value + b"\0" * (-len(value) % 4)
    return out


def winmail(*, body: bytes = b"", message: bytes = b"", name: str = "cni.pdf", content: bytes = PDF) -> bytes:
    out = b"\x78\x9f\x3e\x22\x01\x00" + attribute(1, 0x00069007, struct.pack("<II", 1252, 0))
    out += attribute(1, 0x0002800C, body) if body else b""
    out += attribute(1, 0x00069003, message) if message else b""
    out += attribute(2, 0x00069002, b"\0" * 14) + attribute(2, 0x00018010, b"CNI~1.PDF\0")
    out += attribute(2, 0x0006800F, content)
    return out + attribute(2, 0x00069005, properties((0x3707, 0x1F, (name + "\0").encode("utf-16-le"))))


def compressed(rtf: bytes) -> bytes:
    """LZFu with literals only: eight bytes after each control byte of zero."""
    body = b"".join(b"\0" + rtf[place : place + 8] for place in range(0, len(rtf), 8))
    return struct.pack("<II4sI", len(body) + 12, len(rtf), b"LZFu", 0) + body


def container(streams: dict[str, bytes]) -> bytes:
    """A compound file with the streams named by their path; each padded, so that none lies in the mini stream."""
    entries: list[tuple[str, int, int, int, int, int]] = []  # name, type, right, child, start, size
    storages: dict[str, list[tuple[str, bytes]]] = {"": []}
    for path, content in streams.items():
        folder, _, name = path.rpartition("/")
        storages.setdefault(folder, []).append((name, content))
    data = b""
    sector = 2

    def chain(items: list[int]) -> int:
        for item, following in zip(items, [*items[1:], 0xFFFFFFFF], strict=True):
            name, kind, _, child, start, size = entries[item]
            entries[item] = (name, kind, following, child, start, size)
        return items[0] if items else 0xFFFFFFFF

    entries.append(("Root Entry", 5, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFE, 0))
    tops: list[int] = []
    fat: list[int] = []
    for folder, files in storages.items():
        members: list[int] = []
        for name, content in files:
            padded = content + b"\0" * (-max(len(content), 1) % 4096)
            count = len(padded) // 512
            entries.append((name, 2, 0xFFFFFFFF, 0xFFFFFFFF, sector, len(padded)))
            members.append(len(entries) - 1)
            fat += [*range(sector + 1, sector + count), 0xFFFFFFFE]
            sector += count
            data += padded
        if folder:
            entries.append((folder, 1, 0xFFFFFFFF, chain(members), 0, 0))
            tops.append(len(entries) - 1)
        else:
            tops += members
    name, kind, right, _, start, size = entries[0]
    entries[0] = (name, kind, right, chain(tops), start, size)
    written = b"".join(
        (name.encode("utf-16-le") + b"\0\0").ljust(64, b"\0")
        + struct.pack("<HBBIII", 2 * len(name) + 2, kind, 1, 0xFFFFFFFF, right, child)
        + b"\0" * 36
        + struct.pack("<IQ", start, size)
        for name, kind, right, child, start, size in entries
    )
    directory = -(-len(written) // 512)
    fat_table = [0xFFFFFFFD, 0xFFFFFFFE, *fat]
    # The directory's first sector is 1, the others lie behind the data.
    extra = list(range(sector, sector + directory - 1))
    fat_table[1] = extra[0] if extra else 0xFFFFFFFE
    fat_table += [*extra[1:], 0xFFFFFFFE] if extra else []
    assert len(fat_table) <= 128
    table = struct.pack("<128I", *fat_table, *[0xFFFFFFFF] * (128 - len(fat_table)))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    written = written.ljust(directory * 512, b"\0")
    return head + table + written[:512] + data + written[512:]


def utf16(text: str) -> bytes:
    return (text + "\0").encode("utf-16-le")


SENT = datetime(2026, 3, 1, 19, 11, tzinfo=UTC)
STEPS = int((SENT - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000
SAVED = container(
    {
        "__properties_version1.0": b"\0" * 32 + struct.pack("<HHIQ", 0x40, 0x0039, 6, STEPS),
        "__substg1.0_0037001F": utf16("mes données"),
        "__substg1.0_1000001F": utf16("Effacez-moi, merci.\r\nIda"),
        "__substg1.0_0C1A001F": utf16("Ida Sol"),
        "__substg1.0_0C1F001F": utf16("/O=X/OU=Y/CN=IDA"),
        "__substg1.0_5D01001F": utf16("ida@sol.example"),
        "__attach_version1.0_#00000000/__substg1.0_3707001F": utf16("cni.pdf"),
        "__attach_version1.0_#00000000/__substg1.0_370E001F": utf16("application/pdf"),
        "__attach_version1.0_#00000000/__substg1.0_37010102": PDF,
    }
)


def mail(kind: str, name: str, content: bytes, *, text: str = "") -> bytes:
    part = f"Content-Type: {kind}; name={name}\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment\n\n"
    head = "From: Paul <paul@mije.com>\nTo: dpo@mije.com\nSubject: TR\nMIME-Version: 1.0\n"
    head += "Content-Type: multipart/mixed; boundary=b\n\n"
    body = f"--b\nContent-Type: text/plain; charset=utf-8\n\n{text}\n" if text else ""
    return (head + body + "--b\n" + part + base64.encodebytes(content).decode() + "--b--\n").encode()


# --- winmail.dat -----------------------------------------------------------------------------------------------------


def test_winmail_gives_its_files_and_its_text_where_the_mail_has_none():
    arrived = read(mail("application/ms-tnef", "winmail.dat", winmail(body=b"Effacez mes donn\xe9es.\0")))

    assert (arrived.text, [(each.filename, each.content) for each in arrived.attachments[1:]]) == (
        "Effacez mes données.",
        [("cni.pdf", PDF)],
    )
    assert arrived.attachments[1].sniffed_type == "application/pdf"
    assert "winmail-dat" in arrived.problems


def test_the_text_of_the_mail_goes_before_that_of_its_winmail():
    arrived = read(mail("application/ms-tnef", "winmail.dat", winmail(body=b"le corps"), text="le corps"))

    assert arrived.text == "le corps"


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ((0x1000, 0x1F, utf16("Zoé demande")), "Zoé demande"),
        ((0x1013, 0x102, b"<html><body><p>Zo\xc3\xa9 demande</p></body></html>"), "Zoé demande"),
        ((0x1009, 0x102, compressed(rb"{\rtf1\ansi\ansicpg1252 Zo\'e9 demande\par}")), "Zoé demande"),
        (
            (
                0x1009, 0x102,
                compressed(
                    rb"{\rtf1\ansi\ansicpg1252\fromhtml1 {\*\htmltag84 <p>}\htmlrtf {\htmlrtf0 Zo\'e9 demande\htmlrtf }"
                    rb"\htmlrtf0 {\*\htmltag92 </p>}}"
                ),
            ),
            "Zoé demande",
        ),
    ],
    ids=["unicode", "html", "rtf", "html in rtf"],
)  # fmt: skip
def test_the_body_of_a_winmail_in_all_its_forms(entry, text):
    assert read(mail("application/ms-tnef", "winmail.dat", winmail(message=properties(entry)))).text == text


# --- saved messages --------------------------------------------------------------------------------------------------


def test_a_saved_outlook_message_is_a_forward():
    arrived = read(mail("application/vnd.ms-outlook", "demande.msg", SAVED, text="voir pièce jointe"))

    assert arrived.forwarded is not None
    assert (arrived.forwarded.from_addr, arrived.forwarded.from_name, arrived.forwarded.subject) == (
        "ida@sol.example", "Ida Sol", "mes données",
    )  # fmt: skip
    assert arrived.forwarded.received_at == "2026-03-01T19:11:00+00:00"
    assert arrived.new_text == "voir pièce jointe\n\nEffacez-moi, merci.\nIda"
    assert [each.filename for each in arrived.attachments] == ["demande.msg", "cni.pdf"]
    assert arrived.attachments[1].content.startswith(PDF)


def test_a_mail_saved_as_file_is_a_forward_whatever_its_type_says():
    inner = b"From: Ida Sol <ida@sol.example>\r\nSubject: mes donnees\r\n\r\nEffacez-moi.\r\n"

    arrived = read(mail("application/octet-stream", "demande.eml", inner, text="voir"))

    assert arrived.forwarded is not None
    assert (arrived.forwarded.from_addr, arrived.new_text) == ("ida@sol.example", "voir\n\nEffacez-moi.")
    assert [each.filename for each in arrived.attachments] == ["demande.eml"]


def test_damaged_containers_do_no_harm():
    source = random.Random(1)
    for original, opener in ((winmail(body=b"x"), mime_outlook.tnef), (SAVED, mime_outlook.msg)):
        for _ in range(300):
            data = bytearray(original)
            for _ in range(source.randint(1, 20)):
                data[source.randrange(len(data))] = source.randrange(256)
            opener(bytes(data[: source.randint(1, len(data))]))
    for _ in range(300):
        data = bytes(source.randrange(256) for _ in range(source.randint(0, 80)))
        mime_crypto.smime(b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80" + data)
        mime_rtf.as_text(b"{\\rtf1" + data)
        mime_rtf.decompressed(b"\0\0\0\0\xff\xff\0\0LZFu\0\0\0\0" + data)


def test_compressed_rtf_refers_back_to_its_dictionary():
    # The example of MS-OXRTFCP section 4.1.
    data = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232 0af32068656c090020627705b06c647d0a800fa0".replace(
            " ", ""
        )
    )

    assert mime_rtf.decompressed(data) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


# --- signed and encrypted --------------------------------------------------------------------------------------------


def signed(content: bytes, *, opaque: bool = True) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ida Sol")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(start).not_valid_after(start + timedelta(days=900)).sign(key, hashes.SHA256())
    )  # fmt: skip
    options = [pkcs7.PKCS7Options.Binary] if opaque else [pkcs7.PKCS7Options.DetachedSignature]
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(certificate, key, hashes.SHA256())
    return builder.sign(serialization.Encoding.DER, options)


def test_an_opaque_signed_mail_is_read():
    inner = b"Content-Type: text/plain; charset=utf-8\r\n\r\nEffacez mes donn\xc3\xa9es.\r\n"

    arrived = read(mail("application/pkcs7-mime; smime-type=signed-data", "smime.p7m", signed(inner)))

    assert (arrived.text, arrived.new_text) == ("Effacez mes données.", "Effacez mes données.")
    assert "smime-encrypted" not in arrived.problems


@pytest.mark.parametrize(
    ("data", "kind", "inner"),
    [
        (signed(b"x", opaque=False), "signed", b""),
        (bytes.fromhex("308006092a864886f70d010703a0800000"), "encrypted", b""),
        (
            # Without lengths and in pieces, as Outlook writes it.
            bytes.fromhex(
                "308006092a864886f70d010702a080308002010131003080"
                "06092a864886f70d010701a0802480040361626304026465000000000000000000000000"
            ),
            "signed",
            b"abcde",
        ),
        (b"", "", b""),
        (b"0\x84\xff\xff\xff\xff", "", b""),
    ],
    ids=["detached", "encrypted", "in pieces", "empty", "too long"],
)
def test_what_a_p7m_holds(data, kind, inner):
    assert mime_crypto.smime(data) == (kind, inner)


def test_an_encrypted_mail_is_said_to_be_so():
    raw = b"From: a@b.example\nSubject: x\n\n-----BEGIN PGP MESSAGE-----\n\nhQ\n-----END PGP MESSAGE-----"

    assert "pgp-encrypted" in read(raw).problems


# --- invitations -----------------------------------------------------------------------------------------------------


def test_an_invitation_is_shown_in_words():
    calendar = (
        'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nDTSTART;TZID="Europe: Paris":20260302T100000\r\n'
        "SUMMARY:Point\\, RGPD\r\nDESCRIPTION:Effacez\\nmes don\r\n nées\r\nBEGIN:VALARM\r\nDESCRIPTION:Rappel\r\n"
        "END:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )

    assert mime_calendar.method(calendar) == "REQUEST"
    assert mime_calendar.as_text(calendar) == "Point, RGPD\n2026-03-02 10:00\nEffacez\nmes données"


# --- charsets --------------------------------------------------------------------------------------------------------

SENTENCES = {
    "fr": "Bonjour, je demande l'accès à mes données et l'effacement de mon dossier créé à l'été dernier, ça presse.",
    "de": "Bitte löschen Sie meine persönlichen Daten, schöne Grüße aus München, Straße und Hausnummer gehören dazu.",
    "es": "Quiero que borren mis datos; la contraseña y el año están mal. ¿Cuándo responderán? Atención, señor.",
    "it": "Chiedo l'accesso ai miei dati perché così non è più possibile; la città è sbagliata e l'età pure.",
    "nl": "Ik verzoek u mijn gegevens te verwijderen, mét bevestiging per e-mail, vóór één maart, met vriendelijke groeten.",
    "pt": "Peço a eliminação dos meus dados; a informação não está correcta e já não é necessária. Até à próxima.",
}


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("written", ["utf-8", "cp1252", "iso-8859-15", "mac_roman", "cp850", "utf-16-le", "utf-16"])
@pytest.mark.parametrize("declared", ["", "us-ascii", "utf-8", "x-unknown"])
def test_six_languages_are_read_whatever_the_mail_declares(language, written, declared):
    assert decode(SENTENCES[language].encode(written), declared)[0] == SENTENCES[language]


def test_an_attached_mail_that_the_library_refuses_to_write_is_read():
    inner = b"From: Ida <ida@sol.example>\r\nDate: Mon, 2 Mar 2026 0\rH9:00:00 +0100\r\n\r\nEffacez-moi.\r\n"
    raw = b"From: a@b.example\r\nContent-Type: message/rfc822\r\n\r\n" + inner

    assert read(raw).forwarded is not None


# --- large mails -----------------------------------------------------------------------------------------------------

LARGE = """
import sys
from datetime import UTC, datetime
from bot.channels import mime
from bot.channels.base import RawMessage
head = b"From: a@b.example\\nSubject: s\\nContent-Type: multipart/mixed; boundary=b\\n\\n"
head += b"--b\\nContent-Type: text/plain\\n\\nvoici\\n--b\\n"
file = b"Content-Type: application/pdf; name=a.pdf\\nContent-Transfer-Encoding: base64\\n\\n"
line = b"JVBERi0xLjQKJVBERi0xLjQKJVBERi0xLjQKJVBERi0xLjQKJVBERi0xLjQKJVBERi0xLjQKJVBE\\n"
words = b"Bonjour. " * 1_000
body = (file, *[line * 1_000] * 330) if sys.argv[1] == "file" else (b"Content-Type: text/plain\\n\\n", *[words] * 2_800)
raw = b"".join((head, *body, b"\\n--b--\\n"))
arrived = mime.arrival(RawMessage("s", "1", datetime(2026, 3, 2, tzinfo=UTC), raw))
size = sum(each.size for each in arrived.attachments)
# Of this program alone: the peak that getrusage gives is inherited from the process that started it.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(len(raw) // 1_000_000, len(arrived.text), size, int(peak) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize(("kind", "text", "size"), [("file", 5, 18_810_000), ("text", 1_000_000, 0)])
def test_25_mb_are_read_in_less_than_200_mb(kind, text, size):
    done = subprocess.run([sys.executable, "-c", LARGE, kind], capture_output=True, text=True, check=True)
    length, read_text, read_size, peak = map(int, done.stdout.split())

    assert (length, read_text, read_size) == (25, text, size)
    assert peak < 200
