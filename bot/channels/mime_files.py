"""Attachments: a clean name, and what the file really is. Nothing is opened, rendered or unpacked."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile

from bot.channels.mime_headers import one_line
from handlers.types import Attachment

MAX_NAME = 150
MAX_ENTRIES = 5_000

_KNOWN = {
    "application/pdf",
    "image/jpeg",
    "image/png",
    "image/heic",
    "image/heif",
    "image/gif",
    "image/tiff",
    "image/webp",
    "image/bmp",
    "application/rtf",
    "application/zip",
    "video/mp4",
    "video/quicktime",
    "audio/mpeg",
}
_EXTENSIONS = {
    "pdf": ("application/pdf",),
    "jpg": ("image/jpeg",),
    "jpeg": ("image/jpeg",),
    "jpe": ("image/jpeg",),
    "png": ("image/png",),
    "gif": ("image/gif",),
    "webp": ("image/webp",),
    "heic": ("image/heic", "image/heif"),
    "tif": ("image/tiff",),
    "tiff": ("image/tiff",),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",),
    "odt": ("application/vnd.oasis.opendocument.text",),
    "doc": ("application/msword", "application/rtf"),
}
_BY_TYPE = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/heic": "heic",
    "text/plain": "txt",
    "text/html": "html",
    "text/calendar": "ics",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
    "message/rfc822": "eml",
    "application/zip": "zip",
    "application/pkcs7-signature": "p7s",
    "application/x-pkcs7-signature": "p7s",
    "application/pgp-signature": "asc",
}
_OFFICE = (
    ("word/document", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xl/workbook", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt/presentation", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_OPEN_DOCUMENT = {
    b"application/vnd.oasis.opendocument.text",
    b"application/vnd.oasis.opendocument.spreadsheet",
}
_EXECUTABLE = re.compile(
    r"\.(?:exe|scr|com|bat|cmd|pif|js|jse|vbs|vbe|wsf|hta|ps1|jar|lnk|msi|iso|img|dll|svg|html?)$", re.I
)


def clean_name(name: str, content_type: str = "") -> str:
    """Return *name* without path, controls, bidi marks and what file systems refuse; never empty."""
    name = one_line(name, 1_000).replace("\\", "/").rsplit("/", 1)[-1]
    name = re.sub(r'[<>:"|?*]', "_", name).strip(" .")
    if len(name) > MAX_NAME:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: MAX_NAME - len(ending) - 1]}.{ending}" if dot and len(ending) <= 10 else name[:MAX_NAME]
    if name:
        return name
    ending = _BY_TYPE.get(content_type, "bin")
    return f"attachment.{ending}"


def sniff(data: bytes) -> str | None:
    """Say what *data* is by its bytes, from a list of types we know how to show; None where it is none of them."""
    import filetype

    if data.startswith(b"PK\x03\x04"):
        return _zipped(data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "application/msword" if b"W\x00o\x00r\x00d\x00D\x00o\x00c\x00u\x00m\x00e\x00n\x00t" in data else None
    kind = filetype.guess(data[:8_192])
    found = str(kind.mime) if kind is not None else ""
    return found if found in _KNOWN else None


def _zipped(data: bytes) -> str | None:
    """Tell office files from other zips by their directory, without unpacking anything but a type label."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if len(names) > MAX_ENTRIES:
                return None
            if "[Content_Types].xml" in names:
                for start, kind in _OFFICE:
                    if any(name.startswith(start) for name in names):
                        return kind
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, OverflowError, EOFError):
        return None
    label = re.match(rb"application/vnd\.oasis\.opendocument\.(?:text|spreadsheet)", data[38:100])
    return label[0].decode("ascii") if label and label[0] in _OPEN_DOCUMENT else "application/zip"


def attachment(data: bytes, name: str, content_type: str, *, inline: bool) -> Attachment:
    """Make an :class:`Attachment` of decoded bytes."""
    declared = one_line(content_type, 100)
    return Attachment(
        filename=clean_name(name, declared),
        content_type=declared,
        sniffed_type=sniff(data),
        size=len(data),
        inline=inline,
        sha256=hashlib.sha256(data).hexdigest(),
        content=data,
    )


def problems(found: Attachment) -> list[str]:
    """Return what is odd about an attachment: its name lies, it can run, or it hides a mail from us."""
    noted: list[str] = []
    ending = found.filename.rpartition(".")[2].lower()
    expected = _EXTENSIONS.get(ending)
    if found.size == 0:
        noted.append("attachment-empty")
    elif expected and found.sniffed_type not in expected:
        noted.append("attachment-disguised")
    start = found.content[:4]
    if start[:2] == b"MZ" or start == b"\x7fELF" or _EXECUTABLE.search(found.filename):
        noted.append("attachment-executable")
    if found.filename.lower() == "winmail.dat" or found.content_type == "application/ms-tnef":
        noted.append("winmail-dat")
    if ending == "msg" or found.content_type == "application/vnd.ms-outlook":
        noted.append("outlook-item")
    if found.content_type in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
        noted.append("smime-opaque")
    if found.content_type == "application/pgp-encrypted":
        noted.append("pgp-encrypted")
    return noted
