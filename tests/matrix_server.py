"""A real Matrix server (Synapse) on loopback, and people at their own programs, for the tests of the Matrix channel."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WHY = "no Matrix server: the extra 'dev-matrix' is not installed"
nio = pytest.importorskip("nio", reason=WHY)
yaml = pytest.importorskip("yaml", reason=WHY)
pytest.importorskip("synapse", reason=WHY)

SECRET = "registration secret of the tests"
NAME = "mije.example"


class Synapse:
    """Start it, register people, stop it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "signing.key").write_text(f"ed25519 a_test {base64.b64encode(os.urandom(32)).decode().rstrip('=')}\n")
        (folder / "log.yaml").write_text(
            yaml.safe_dump(
                {
                    "version": 1,
                    "handlers": {"file": {"class": "logging.FileHandler", "filename": str(folder / "synapse.log")}},
                    "root": {"level": "WARNING", "handlers": ["file"]},
                }
            )
        )
        fast = {"per_second": 10000, "burst_count": 10000}
        config = {
            "server_name": NAME,
            "listeners": [
                {
                    "port": self.port, "bind_addresses": ["127.0.0.1"], "type": "http", "tls": False,
                    "resources": [{"names": ["client"]}],
                }
            ],
            "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
            "signing_key_path": str(folder / "signing.key"),
            "media_store_path": str(folder / "media"),
            "log_config": str(folder / "log.yaml"),
            "registration_shared_secret": SECRET,
            "trusted_key_servers": [],
            "report_stats": False,
            "rc_message": fast, "rc_registration": fast, "rc_admin_redaction": fast,
            "rc_login": {"address": fast, "account": fast, "failed_attempts": fast},
            "rc_invites": {"per_room": fast, "per_user": fast, "per_issuer": fast},
            "rc_joins": {"local": fast, "remote": fast},
        }  # fmt: skip
        (folder / "homeserver.yaml").write_text(yaml.safe_dump(config))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [sys.executable, "-m", "synapse.app.homeserver", "-c", str(self.folder / "homeserver.yaml")]
        self._process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=1)
                return
            except OSError:
                if self._process.poll() is not None:
                    raise RuntimeError(f"synapse ended: {(self.folder / 'synapse.log').read_text()[-2000:]}") from None
                self._process.poll()
                subprocess.run(["sleep", "0.1"], check=True)
        raise RuntimeError("synapse does not answer")

    def stop(self) -> None:
        """Stop the server."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)
            self._process = None

    def register(self, name: str) -> str:
        """Make an account whose password is its name; return its id."""
        where = f"{self.url}/_synapse/admin/v1/register"
        nonce = json.load(urllib.request.urlopen(where))["nonce"]
        signed = "\0".join([nonce, name, name, "notadmin"]).encode()
        mac = hmac.new(SECRET.encode(), signed, hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": name, "password": name, "admin": False, "mac": mac}
        request = urllib.request.Request(where, json.dumps(body).encode(), {"Content-Type": "application/json"})
        urllib.request.urlopen(request)
        return f"@{name}:{NAME}"


class Person:
    """Somebody at a Matrix program of their own."""

    def __init__(self, server: Synapse, name: str, folder: Path) -> None:
        self.id = f"@{name}:{NAME}"
        self._name = name
        store = folder / name
        store.mkdir(parents=True, exist_ok=True)
        self.client = nio.AsyncClient(
            server.url, self.id, store_path=str(store), config=nio.AsyncClientConfig(max_timeouts=0, pickle_key="test")
        )
        self.seen: list[Any] = []
        self._since: str | None = None

    async def log_in(self) -> Person:
        """Log in, and look."""
        answer = await self.client.login(self._name)
        assert hasattr(answer, "access_token"), answer
        await self.look()
        return self

    async def look(self, timeout: int = 0) -> None:
        """Take in what is new, and exchange keys as a program does."""
        answer = await self.client.sync(timeout=timeout, since=self._since, full_state=self._since is None)
        self._since = answer.next_batch
        for info in answer.rooms.join.values():
            self.seen += info.timeline.events
        client = self.client
        if client.should_upload_keys:
            await client.keys_upload()
        if client.should_query_keys:
            await client.keys_query()
        if client.should_claim_keys:
            await client.keys_claim(client.get_users_for_key_claiming())
        await client.send_to_device_messages()

    async def room(self, *invited: str, direct: bool = False, encrypted: bool = False) -> str:
        """Make a room and invite others; return its id."""
        state = (
            [{"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}]
            if encrypted
            else []
        )
        answer = await self.client.room_create(invite=list(invited), is_direct=direct, initial_state=state)
        await self.look()
        return str(answer.room_id)

    async def say(self, room: str, text: str, *, reply_to: str = "") -> str:
        """Write; return the event's id."""
        content: dict[str, Any] = {"msgtype": "m.text", "body": text}
        if reply_to:
            content["m.relates_to"] = {"m.in_reply_to": {"event_id": reply_to}}
        answer = await self.client.room_send(room, "m.room.message", content, ignore_unverified_devices=True)
        return str(answer.event_id)

    async def react(self, room: str, event_id: str, sign: str) -> None:
        """Put a sign under a message."""
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": sign}
        await self.client.room_send(room, "m.reaction", {"m.relates_to": relation})

    def texts(self, sender: str) -> list[str]:
        """What somebody wrote, edits included, in order."""
        return [
            event.body
            for event in self.seen
            if isinstance(event, (nio.RoomMessageText, nio.RoomMessageNotice)) and event.sender == sender
        ]

    async def until(self, sender: str, fits: Callable[[str], bool]) -> Any:
        """Look until *sender* wrote something that fits, and return it (the newest)."""
        for _ in range(12):
            for event in reversed(self.seen):
                if (
                    isinstance(event, (nio.RoomMessageText, nio.RoomMessageNotice))
                    and event.sender == sender
                    and fits(event.body)
                ):
                    return event
            await self.look(1000)
        raise AssertionError(f"not seen; seen: {self.texts(sender)}")

    async def joined(self, room: str, who: str) -> None:
        """Look until somebody is in the room."""
        for _ in range(12):
            await self.look(500)
            if who in self.client.rooms[room].users and not self.client.rooms[room].invited_users.get(who):
                return
        raise AssertionError("not joined")

    async def close(self) -> None:
        """Leave."""
        await self.client.close()
        await asyncio.sleep(0)
