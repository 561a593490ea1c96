"""The worker's process as the rehearsal holds it: started, asked, killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 120.0
"""Real seconds a worker has to answer before it counts as stuck."""


class Template:
    """The process that workers are forked from: what is slow to load is loaded once for many stories."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bot.rehearsal.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._said()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the template; workers that still run are not its business."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def fork(self, folder: Path, control: str) -> int:
        """Start a worker for *folder*, which reports at the socket *control*; return its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"folder": str(folder), "control": control}) + "\n")
        self._process.stdin.flush()
        return int(self._said())

    def _said(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError("the rehearsal's worker could not be started: see its message above")
        return line


class Died(Exception):
    """The worker is gone."""


class WorkerProcess:
    """A running worker. Raises :class:`Died` from :meth:`ask` when it has died meanwhile, however that came."""

    def __init__(self, template: Template, folder: Path) -> None:
        # A socket's path may have 107 bytes only, and the folder is the user's to choose.
        with tempfile.TemporaryDirectory(prefix="dpobot-") as place, socket.socket(socket.AF_UNIX) as listener:
            path = f"{place}/control"
            listener.bind(path)
            listener.listen(1)
            listener.settimeout(PATIENCE)
            self.pid = template.fork(folder, path)
            connected, _ = listener.accept()
        connected.settimeout(PATIENCE)
        self._socket = connected
        self._lines = connected.makefile("rb")
        self.alive = True
        self._read()

    def ask(self, **words: Any) -> dict[str, Any]:
        """Ask the worker for something and return its answer."""
        try:
            self._socket.sendall(json.dumps(words).encode() + b"\n")
        except OSError:
            self._gone()
        return self._read()

    def _read(self) -> dict[str, Any]:
        line = b""
        # A reset connection is a death like any other.
        with suppress(ConnectionError):
            line = self._lines.readline()
        if not line:
            self._gone()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _gone(self) -> None:
        self.alive = False
        self.close()
        raise Died

    def kill(self) -> None:
        """Kill it as the power cut does: SIGKILL, nothing is tidied up."""
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
            self.alive = False
            # Until the system has closed its files its locks are held.
            with suppress(OSError):
                while self._lines.readline():
                    pass
        self.close()

    def stop(self) -> None:
        """Ask it to end in order, and wait until it has."""
        if self.alive:
            with suppress(Died):
                self.ask(do="stop")
            self.alive = False
        self.close()

    def close(self) -> None:
        """Close our end of the line."""
        self._lines.close()
        self._socket.close()
        # Only when the process is gone are its locks given back, and may another worker take its place.
        with suppress(ProcessLookupError):
            while True:
                os.kill(self.pid, 0)
                threading.Event().wait(0.001)
