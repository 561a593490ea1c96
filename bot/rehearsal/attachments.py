"""The files of a story, made by script: each is what its type says, as far as anybody who sniffs can tell.

A story names a file, or describes it: ``filename``, ``content_type``, a size, a text or marker within, the content in
base64 or hex. Hostile ones go by a word in ``kind`` (or ``generator``, ``script``): ``zip bomb``, ``nested`` mails, ``polyglot``,
``macro``, ``eicar``; pictures may have ``width`` and ``height``.
"""

from __future__ import annotations

import base64
import io
import re
import zipfile
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

WORDS = frozenset(
    {
        "filename",
        "name",
        "content_type",
        "type",
        "mime",
        "content_base64",
        "base64",
        "content_b64",
        "b64",
        "content_hex",
    }
    | {"hex", "size", "bytes", "size_bytes", "size_kb", "kb", "size_mb", "mb", "content", "text", "marker", "contains"}
    | {"kind", "generator", "script", "make", "width", "height", "depth", "levels", "uncompressed_mb", "note", "inline"}
    | {"disposition", "description"}
)
"""What a file may be described by."""

TYPES = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "pdf": "application/pdf", "heic": "image/heic",
    "txt": "text/plain", "csv": "text/csv", "html": "text/html", "htm": "text/html", "svg": "image/svg+xml",
    "zip": "application/zip", "exe": "application/x-msdownload", "ics": "text/calendar", "vcf": "text/vcard",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "eml": "message/rfc822",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "p7s": "application/pkcs7-signature",
}  # fmt: skip


def attachment(wanted: Any, index: int = 1) -> tuple[str, str, bytes]:
    """Make a file: (name, content type, content). *wanted* is a name, or an object with filename, type, size, text …"""
    given: Mapping[str, Any] = wanted if isinstance(wanted, Mapping) else {"filename": str(wanted)}
    name = str(given.get("filename", given.get("name", f"fichier-{index}")))
    ending = name.rpartition(".")[2].lower()
    kind = str(given.get("content_type", given.get("type", given.get("mime", "")))) or TYPES.get(ending, "")
    if "/" not in kind:
        kind = TYPES.get(kind.lower(), TYPES.get(ending, "application/octet-stream"))
    for key in ("content_base64", "base64", "content_b64", "b64"):
        if given.get(key):
            return name, kind, base64.b64decode(str(given[key]))
    for key in ("content_hex", "hex"):
        if given.get(key):
            return name, kind, bytes.fromhex(str(given[key]))
    hostile = _hostile(given, name, kind)
    if hostile is not None:
        return name, kind, hostile
    units = {"size": 1, "bytes": 1, "size_bytes": 1, "size_kb": 1000, "kb": 1000, "size_mb": 1_000_000, "mb": 1_000_000}
    size = next((int(given[k] * unit) for k, unit in units.items() if isinstance(given.get(k), int | float)), 0)
    inside = str(given.get("content", given.get("text", given.get("marker", given.get("contains", "")))))
    return name, kind, _content(kind, inside.encode(), size)


def _content(kind: str, inside: bytes, size: int) -> bytes:
    """Content that is what its type says, as far as anybody who sniffs can tell, padded to *size* bytes."""
    filler = inside or b"specimen "
    if kind in ("image/jpeg", "image/png"):
        return _picture(kind, inside, size, (480, 300))
    if kind == "application/pdf":
        start = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n%"
        end = b"\ntrailer<</Root 1 0 R>>\n%%EOF\n"
        return start + filler.ljust(max(size - len(start) - len(end), len(filler)), b" ") + end
    if kind.startswith("application/vnd.openxml") or kind == "application/zip":
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as packed:
            if kind != "application/zip":
                packed.writestr("[Content_Types].xml", "<Types/>")
            name = "contenu.txt" if kind == "application/zip" else "word/document.xml"
            # Stored, not packed: the file is as long as it was asked to be.
            packed.writestr(name, filler.ljust(size, b" "))
        return held.getvalue()
    if kind == "application/x-msdownload":
        return b"MZ\x90\0" + filler.ljust(max(size, 256), b"\0")
    return filler.ljust(size, b" ") if size else filler


def _picture(kind: str, inside: bytes, size: int, area: tuple[int, int]) -> bytes:
    from PIL import Image, ImageDraw

    picture = Image.new("L", area, 220)
    ImageDraw.Draw(picture).text((20, 20), "SPECIMEN", fill=20)
    held = io.BytesIO()
    picture.save(held, "JPEG" if kind == "image/jpeg" else "PNG")
    return held.getvalue() + inside.ljust(max(size - len(held.getvalue()), len(inside)), b"\0")


def _hostile(given: Mapping[str, Any], name: str, kind: str) -> bytes | None:
    """The content of a file meant to do harm, or to take room; None for any other."""
    said = " ".join(
        str(given.get(key, "")) for key in ("kind", "generator", "script", "make", "description", "type")
    ).lower()
    marker = str(given.get("marker", given.get("content", given.get("text", "")))).encode()
    if re.search(r"bomb|bombe", said):
        return _packed({"zeros.bin": bytes(1_000_000 * int(given.get("uncompressed_mb", 50))), "lisezmoi.txt": marker})
    if "nest" in said or "depth" in given:
        return _nested(int(given.get("depth", given.get("levels", 50))), marker)
    if "eicar" in said:
        # The test string of the antivirus makers, in two parts, so that this file is not one itself.
        return b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    if "polyglot" in said:
        return _picture("image/jpeg", marker, 0, (48, 30)) + _packed({"x.js": b"alert(1)"})
    if "macro" in said or name.lower().endswith((".docm", ".xlsm")):
        return _packed({"[Content_Types].xml": b"<Types/>", "word/vbaProject.bin": b"Sub AutoOpen()" + marker})
    if isinstance(given.get("width"), int) and isinstance(given.get("height"), int):
        form = "image/jpeg" if kind == "image/jpeg" else "image/png"
        return _picture(form, marker, 0, (given["width"], given["height"]))
    return None


def _packed(files: Mapping[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return held.getvalue()


def _nested(depth: int, marker: bytes) -> bytes:
    """A mail in a mail in a mail …"""
    inner = EmailMessage()
    inner["Subject"] = "le plus profond"
    inner.set_content(marker.decode("utf-8", "replace") or "fin")
    raw = inner.as_bytes()
    for level in range(max(depth, 0)):
        raw = b"Subject: niveau %d\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n" % level + raw
    return raw
