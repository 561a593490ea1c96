"""Real servers on loopback for the tests: certificates made on the spot, and Dovecot where it is installed."""

from __future__ import annotations

import base64
import contextlib
import getpass
import grp
import hashlib
import hmac
import ipaddress
import json
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from bot.channels.imap import Settled

DOVECOT = shutil.which("dovecot", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
TOKEN_KEY = b"a key for tokens in tests, long enough for HS256"


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for ``localhost`` and 127.0.0.1."""

    cert: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context


def make_certificate(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Certificate(folder / "cert.pem", folder / "key.pem")
    found.cert.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return found


def make_token(user: str, *, key: bytes = TOKEN_KEY) -> str:
    """An OAuth2 token (JWT, HS256) as Dovecot can check it by itself."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")

    now = int(time.time())
    claims = {"sub": user, "email": user, "iat": now - 60, "nbf": now - 60, "exp": now + 3600}
    signed = f"{part(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(hmac.new(key, signed.encode('ascii'), hashlib.sha256).digest())}"


class CursorInMemory:
    """What the store does for ``bot.channels.imap.Cursor``, for as long as a test lasts."""

    def __init__(self) -> None:
        self.settled: dict[tuple[str, int], Settled] = {}

    def seen(self, source: str, uidvalidity: int) -> Settled:
        return self.settled.get((source, uidvalidity), Settled())

    def note(self, source: str, uidvalidity: int, uid: int) -> None:
        known = self.seen(source, uidvalidity)
        if uid not in known:
            self.settled[source, uidvalidity] = Settled(known.low, known.above | {uid})

    def raise_low(self, source: str, uidvalidity: int, low: int) -> None:
        known = self.seen(source, uidvalidity)
        above = frozenset(uid for uid in known.above if uid > low)
        self.settled[source, uidvalidity] = Settled(max(low, known.low), above)


class ScriptedServer:
    """A server that says what it was told to: for behaviour that no well-behaved server shows.

    *script* maps a regular expression for the client's line to the answer; ``{tag}`` stands for the first word of the
    last line of several words, None hangs up, and a line that nothing matches is answered with silence.
    """

    def __init__(self, greeting: bytes | None, script: Mapping[str, bytes | None]) -> None:
        self.host = "127.0.0.1"
        self.lines: list[str] = []
        self._greeting = greeting
        self._script = script
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for connection in self._sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        talks = []
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._sockets.append(connection)
                talks.append(threading.Thread(target=self._talk, args=(connection,), daemon=True))
                talks[-1].start()

    def _talk(self, connection: socket.socket) -> None:
        tag = b""
        with contextlib.suppress(OSError), connection.makefile("rb") as lines:
            if self._greeting is not None:
                connection.sendall(self._greeting)
            for raw in lines:
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                self.lines.append(line)
                answers = [answer for pattern, answer in self._script.items() if re.search(pattern, line)]
                if not answers:
                    continue
                if answers[0] is None:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                if " " in line:
                    tag = line.split(" ")[0].encode()
                connection.sendall(answers[0].replace(b"{tag}", tag))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Dovecot:
    """Dovecot in the foreground, with one user; the same face as ``bot.sandbox.imap.ImapServer``."""

    def __init__(self, certificate: Certificate) -> None:
        self.host = "127.0.0.1"
        self.port = free_port()
        self.tls_port = free_port()
        self.user = "dpo@mije.example"
        self.password = "correct horse"
        self._certificate = certificate
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # Its processes change to another user, who could not enter pytest's own folders.
        self._folder = Path(tempfile.mkdtemp(prefix="dovecot-test-"))
        self._folder.chmod(0o755)
        self._write_configuration()
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def append(self, raw: bytes, *, internal_date: datetime, folder: str = "INBOX", flags: Iterable[str] = ()) -> int:
        with self.client() as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            client.append(folder, raw, flags=list(flags), msg_time=internal_date)
            client.select_folder(folder, readonly=True)
            return int(max(client.search("ALL")))

    def messages(self, folder: str = "INBOX") -> list[bytes]:
        with self.client() as client:
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search("ALL"), ["BODY.PEEK[]"])
            return [found[uid][b"BODY[]"] for uid in sorted(found)]

    def flags(self, folder: str = "INBOX") -> dict[int, frozenset[str]]:
        with self.client() as client:
            client.select_folder(folder, readonly=True)
            found = client.get_flags(client.search("ALL"))
            return {uid: frozenset(flag.decode() for flag in flags) for uid, flags in found.items()}

    def remove(self, uid: int, folder: str = "INBOX") -> None:
        with self.client() as client:
            client.select_folder(folder)
            client.delete_messages([uid])
            client.expunge()

    def stop(self) -> None:
        """End the whole process group: a session's process would outlive the master."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def restart(self, *, new_uidvalidity: bool = False) -> None:
        self.stop()
        if new_uidvalidity:
            index = self._folder / "mail" / "Maildir"
            (index / "dovecot-uidlist").unlink()
            for path in index.glob("dovecot.index*"):
                path.unlink()
        self._start()

    def client(self) -> IMAPClient:
        client = IMAPClient(self.host, self.port, ssl=False, timeout=20)
        client.login(self.user, self.password)
        return client

    def _start(self) -> None:
        assert DOVECOT is not None
        self._process = subprocess.Popen(
            [DOVECOT, "-F", "-c", str(self._folder / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(400):
            try:
                with IMAPClient(self.host, self.port, ssl=False, timeout=5):
                    return
            except (OSError, IMAPClientError):
                time.sleep(0.025)
        raise RuntimeError("Dovecot did not start:\n" + (self._folder / "log").read_text(errors="replace"))

    def _write_configuration(self) -> None:
        as_root = os.geteuid() == 0
        user = "nobody" if as_root else getpass.getuser()
        account = pwd.getpwnam(user)
        group = grp.getgrgid(account.pw_gid).gr_name
        keys = self._folder / "keys" / "default" / "HS256"
        for folder in (self._folder / "mail", self._folder / "run", self._folder / "state", keys):
            folder.mkdir(parents=True)
        (keys / "default").write_bytes(base64.b64encode(TOKEN_KEY))
        (self._folder / "users").write_text(f"{self.user}:{{PLAIN}}{self.password}\n")
        (self._folder / "oauth2.conf").write_text(
            f"introspection_mode = local\nusername_attribute = sub\n"
            f"local_validation_key_dict = fs:posix:prefix={self._folder}/keys/\n"
        )
        if as_root:
            os.chown(self._folder / "mail", account.pw_uid, account.pw_gid)
        (self._folder / "dovecot.conf").write_text(
            f"""
protocols = imap
listen = {self.host}
base_dir = {self._folder}/run
state_dir = {self._folder}/state
log_path = {self._folder}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login xoauth2
first_valid_uid = 1
mail_location = maildir:{self._folder}/mail/Maildir
mailbox_idle_check_interval = 1 s
ssl = yes
ssl_cert = <{self._certificate.cert}
ssl_key = <{self._certificate.key}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {self._folder}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = {self._folder}/users
}}
userdb {{
  driver = static
  args = uid={account.pw_uid} gid={account.pw_gid} home={self._folder}/mail
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {self.port}
  }}
  inet_listener imaps {{
    port = {self.tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""
        )
