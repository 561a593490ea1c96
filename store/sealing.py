"""Envelope encryption: one data key per case, wrapped by a master key; to destroy the key is to erase the case.

Art. 32 GDPR asks for encryption at rest, art. 17 for erasure that also holds for copies of the database: once
the wrapped data key is gone, what it sealed cannot be read again, here or in any backup taken of it later.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlmodel import Session, col, select

from store.models import SealingKey

_NONCE = 12


class SealingError(Exception):
    """Something sealed cannot be opened: wrong master key, altered bytes, or a key that was destroyed."""


class MasterKeyError(SealingError):
    """The master key is missing or is not 32 bytes in base64. Run ``dpobot init`` to make one."""


def new_master_key() -> str:
    """Return a fresh master key, as text for a settings file or a secret file."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode("ascii")


class Vault:
    """Seals and opens personal data. Holds the master key in memory; data keys live wrapped in the store."""

    def __init__(self, master_key: str) -> None:
        try:
            raw = base64.urlsafe_b64decode(master_key.strip().encode("ascii"))
        except (binascii.Error, ValueError) as error:
            raise MasterKeyError("the master key is not base64; make one with 'dpobot init'") from error
        if len(raw) != 32:
            raise MasterKeyError("the master key must be 32 bytes in base64; make one with 'dpobot init'")
        self._wrapping = AESGCM(self._derive(raw, b"dpobot wrap"))
        self._address_key = self._derive(raw, b"dpobot address")
        self._token_key = self._derive(raw, b"dpobot token")
        self._cache: dict[int, tuple[bytes, AESGCM]] = {}

    @staticmethod
    def _derive(master: bytes, purpose: bytes) -> bytes:
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(master)

    def new_key(self, session: Session, *, now: datetime) -> int:
        """Make a data key for a case (or for something that must be erasable by itself); return its id."""
        data_key = AESGCM.generate_key(bit_length=256)
        row = SealingKey(created_at=now)
        session.add(row)
        session.flush()
        if row.id is None:
            raise SealingError("the database gave a new key no number")
        nonce = os.urandom(_NONCE)
        row.wrapped = nonce + self._wrapping.encrypt(nonce, data_key, str(row.id).encode())
        session.add(row)
        session.flush()
        return row.id

    def destroy_key(self, session: Session, key_id: int, *, now: datetime) -> None:
        """Destroy a data key: all it sealed is unreadable from the commit on. Harmless when repeated.

        ``Database.scrub`` afterwards clears the wrapped key out of the store's files too.
        """
        row = session.get(SealingKey, key_id)
        if row is not None and row.wrapped is not None:
            row.wrapped = None
            row.destroyed_at = now
            session.add(row)
        self._cache.pop(key_id, None)

    def _data_key(self, session: Session, key_id: int) -> AESGCM:
        # The row is read each time, so that a key destroyed by another process is not used from memory.
        row = session.get(SealingKey, key_id)
        if row is None or row.wrapped is None:
            self._cache.pop(key_id, None)
            raise SealingError(f"key {key_id} was destroyed: its case has been erased")
        wrapped, key = self._cache.get(key_id, (b"", None))
        # The number alone does not name a key: after a rollback the database may give the same number to another.
        if key is None or wrapped != row.wrapped:
            try:
                raw = self._wrapping.decrypt(row.wrapped[:_NONCE], row.wrapped[_NONCE:], str(key_id).encode())
            except (InvalidTag, ValueError) as error:
                raise SealingError("the master key does not fit this store; use the one it was made with") from error
            key = AESGCM(raw)
            self._cache[key_id] = (row.wrapped, key)
        return key

    def check(self, session: Session) -> None:
        """Raise :class:`SealingError` if the store was made with another master key; silent on an empty store.

        Call it at the start: a worker with the wrong key would seal new cases with one nobody keeps.
        """
        newest = select(SealingKey.id).where(col(SealingKey.wrapped).is_not(None)).order_by(col(SealingKey.id).desc())
        key_id = session.exec(newest.limit(1)).first()
        if key_id is not None:
            self._data_key(session, key_id)

    def seal(self, session: Session, key_id: int, data: bytes, purpose: str) -> bytes:
        """Return *data* encrypted; *purpose* is bound to it and must be given again to open it."""
        nonce = os.urandom(_NONCE)
        return nonce + self._data_key(session, key_id).encrypt(nonce, data, f"{key_id}:{purpose}".encode())

    def open(self, session: Session, key_id: int, sealed: bytes, purpose: str) -> bytes:
        """Return what was sealed. Raises :class:`SealingError` if it was altered or its key destroyed."""
        try:
            return self._data_key(session, key_id).decrypt(
                sealed[:_NONCE], sealed[_NONCE:], f"{key_id}:{purpose}".encode()
            )
        except (InvalidTag, ValueError) as error:
            raise SealingError(f"sealed {purpose} does not open: altered, or sealed for something else") from error

    def seal_json(self, session: Session, key_id: int, value: Any, purpose: str) -> bytes:
        """Seal a JSON value. Half characters (lone surrogates), which broken mail contains, come back as they were."""
        return self.seal(session, key_id, json.dumps(value).encode(), purpose)

    def open_json(self, session: Session, key_id: int, sealed: bytes, purpose: str) -> Any:
        """Open a sealed JSON value."""
        return json.loads(self.open(session, key_id, sealed, purpose))

    def address_hash(self, address: str) -> str:
        """Return a keyed hash of a mail address or chat account: compares, but tells nothing without the key.

        Case is folded and nothing else: ``a.b+x@`` and ``ab@`` are different people until somebody proves otherwise.
        """
        return hmac.new(
            self._address_key, address.strip().casefold().encode("utf-8", "surrogatepass"), hashlib.sha256
        ).hexdigest()

    def token(self, *parts: str) -> str:
        """Return a short signature over *parts* (for Message-IDs): nobody without the key can make one."""
        digest = hmac.new(self._token_key, "\0".join(parts).encode(), hashlib.sha256).digest()
        return base64.b32encode(digest[:10]).decode("ascii").lower()

    def token_fits(self, token: str, *parts: str) -> bool:
        """Say whether *token* is ours for *parts*, in constant time."""
        return hmac.compare_digest(token.encode(), self.token(*parts).encode())
