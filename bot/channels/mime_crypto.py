"""Signed and encrypted mail: what is signed is read, what is encrypted is said to be so. Nothing is verified here.

A signature proves something only to who knows the key; the identity rules do not count on it.
"""

from __future__ import annotations

import re
import zlib

MAX_INFLATED = 40_000_000

_CLEARSIGNED = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Za-z]+:[^\n]*\n)*[ \t]*\n(.*?)\n?"
    r"^-----BEGIN PGP SIGNATURE-----[ \t]*\n.*?^-----END PGP SIGNATURE-----[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_ENCRYPTED = re.compile(r"^-----BEGIN PGP MESSAGE-----[ \t]*$", re.MULTILINE)
_OIDS = {
    bytes.fromhex("2a864886f70d010702"): "signed",
    bytes.fromhex("2a864886f70d010703"): "encrypted",
    bytes.fromhex("2a864886f70d0109100117"): "encrypted",
    bytes.fromhex("2a864886f70d0109100109"): "compressed",
    bytes.fromhex("2a864886f70d010701"): "data",
}


def unarmoured(text: str) -> tuple[str, str]:
    """Return *text* without the armour of PGP signatures, and a problem code where it is encrypted."""
    if "-----BEGIN PGP " not in text:
        return text, ""
    problem = "pgp-encrypted" if _ENCRYPTED.search(text) else ""
    return _CLEARSIGNED.sub(lambda found: re.sub(r"^- ", "", found[1], flags=re.MULTILINE), text), problem


def smime(data: bytes) -> tuple[str, bytes]:
    """Say what a ``.p7m`` holds: ``signed``, ``encrypted``, ``compressed`` or an empty string, and what is in it, if it
    can be read without a key. Never raises."""
    if data.lstrip().startswith(b"-----BEGIN"):
        return "", b""
    try:
        kind, inner = _content(data, 0, 0)
    except (ValueError, IndexError, zlib.error, RecursionError):
        return "", b""
    return kind, inner


def _content(data: bytes, place: int, depth: int) -> tuple[str, bytes]:
    """Read a CMS ContentInfo (RFC 5652 section 3)."""
    _, body, _ = _element(data, place)
    tag, identity, after = _element(data, body[0])
    kind = _OIDS.get(data[identity[0] : identity[1]], "") if tag == 0x06 else ""
    if kind in ("", "encrypted"):
        return kind, b""
    _, explicit, _ = _element(data, after)
    if kind == "data":
        return kind, _octets(data, explicit[0], depth)
    # SignedData: version, digest algorithms, then what was signed; CompressedData: version, algorithm, content.
    _, inner, _ = _element(data, explicit[0])
    place = _element(data, inner[0])[2]
    place = _element(data, place)[2]
    _, encapsulated, _ = _element(data, place)
    after = _element(data, encapsulated[0])[2]
    if after >= encapsulated[1] or data[after : after + 2] == b"\0\0":
        return kind, b""
    _, wrapped, _ = _element(data, after)
    content = _octets(data, wrapped[0], depth)
    if kind == "compressed":
        content = zlib.decompressobj().decompress(content, MAX_INFLATED)
    return kind, content


def _element(data: bytes, place: int) -> tuple[int, tuple[int, int], int]:
    """Return tag, (start, end) of the content, and where the next element begins (X.690: DER, and BER as Outlook sends)."""
    tag = data[place]
    length = data[place + 1]
    place += 2
    if length == 0x80:
        try:
            end = _end_of_indefinite(data, place)
        except (IndexError, ValueError):
            # Cut off: what is there is all there is.
            end = len(data)
        return tag, (place, end), end + 2
    if length & 0x80:
        size = length & 0x7F
        if size > 4:
            raise ValueError("length")
        length = int.from_bytes(data[place : place + size], "big")
        place += size
    if place + length > len(data) + 64:
        raise ValueError("length")
    return tag, (place, min(place + length, len(data))), place + length


def _end_of_indefinite(data: bytes, place: int) -> int:
    """Find the end-of-contents mark of an element without length; without recursion, since depth is the sender's choice."""
    level = 1
    steps = 0
    while steps < 200_000:
        steps += 1
        if data[place : place + 2] == b"\0\0":
            level -= 1
            if level == 0:
                return place
            place += 2
            continue
        length = data[place + 1]
        if length == 0x80:
            level += 1
            place += 2
            continue
        place = _element(data, place)[2]
        if place > len(data):
            raise ValueError("length")
    raise ValueError("too long")


def _octets(data: bytes, place: int, depth: int) -> bytes:
    """Return an OCTET STRING, also one in pieces."""
    tag, (start, end), _ = _element(data, place)
    if tag == 0x04:
        return data[start:end]
    if tag != 0x24 or depth > 8:
        raise ValueError("no octet string")
    pieces: list[bytes] = []
    while start < end:
        pieces.append(_octets(data, start, depth + 1))
        start = _element(data, start)[2]
    return b"".join(pieces)
