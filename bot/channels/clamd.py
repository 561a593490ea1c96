"""A virus scanner beside us: clamd, asked over its socket (INSTREAM). Optional; it never holds mail up."""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import Literal

CHUNK = 65_536
LONGEST_ANSWER = 4_096

Finding = Literal["clean", "found", "unscanned"]


class Clamd:
    """A scanner at *place*: the path of a socket, or ``host:port``. *timeout* is in seconds, for each step."""

    def __init__(self, place: str, *, timeout: float = 30) -> None:
        self._place = place
        self._timeout = timeout

    def scan(self, data: bytes) -> Finding:
        """Say whether clamd finds something in *data* (a raw mail, which it unpacks itself).

        Never raises: where the scanner cannot be asked, or refuses the size, the answer is ``unscanned``.
        """
        try:
            with self._connected() as connection:
                connection.sendall(b"zINSTREAM\0")
                for place in range(0, len(data), CHUNK):
                    piece = data[place : place + CHUNK]
                    connection.sendall(struct.pack("!I", len(piece)) + piece)
                connection.sendall(struct.pack("!I", 0))
                answer = self._answer(connection)
        except OSError:
            return "unscanned"
        if answer.endswith(b" FOUND"):
            return "found"
        return "clean" if answer.endswith(b": OK") else "unscanned"

    def check(self) -> str:
        """Ask for a sign of life, for ``dpobot check``. Raises :class:`OSError` with what to do."""
        try:
            with self._connected() as connection:
                connection.sendall(b"zPING\0")
                answer = self._answer(connection)
        except OSError as error:
            raise OSError(
                f"clamd does not answer at {self._place} ({error.strerror or type(error).__name__}): start it, or correct "
                "antivirus.clamd"
            ) from None
        if answer != b"PONG":
            raise OSError(f"what answers at {self._place} is not clamd: correct antivirus.clamd")
        return f"clamd answers at {self._place}"

    def _connected(self) -> socket.socket:
        host, colon, port = self._place.rpartition(":")
        if colon and port.isdecimal() and "/" not in self._place:
            return socket.create_connection((host.strip("[]"), int(port)), timeout=self._timeout)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self._timeout)
        try:
            connection.connect(str(Path(self._place)))
        except OSError:
            connection.close()
            raise
        return connection

    @staticmethod
    def _answer(connection: socket.socket) -> bytes:
        answer = b""
        while not answer.endswith(b"\0") and len(answer) < LONGEST_ANSWER:
            piece = connection.recv(1_024)
            if not piece:
                break
            answer += piece
        return answer.rstrip(b"\0\n")
