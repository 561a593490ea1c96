"""``dpobot digest --now``: builds the digest as it would leave at this moment, without sending or marking anything."""

from __future__ import annotations

import sys
from pathlib import Path

from bot.app import App
from bot.digest import build_digest, digest_bytes
from bot.letters import new_message_id


def digest_now(app: App, out_dir: Path | None) -> int:
    """Write the digest of now into *out_dir* (made if missing), or its text to standard output; return the exit status.

    ``digest.html`` opens in a browser with ``digest.png`` beside it; ``digest.eml`` is the mail to the first reader.
    1 with a sentence on standard error when the folder cannot be written, else 0.
    """
    now = app.clock.now()
    mail = build_digest(app, now=now)
    if out_dir is None:
        print(f"{mail.subject}\n\n{mail.text}", end="")
        return 0
    message_id = new_message_id(app, "digest-now")
    files = {
        "digest.html": mail.html.replace(f"cid:{mail.cid}", "digest.png").encode(),
        "digest.txt": mail.text.encode(),
        "digest.png": mail.png,
        "digest.eml": digest_bytes(app, mail, to=app.settings.digest.to[0], message_id=message_id, now=now),
    }
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (out_dir / name).write_bytes(content)
    except OSError as error:
        print(f"the digest cannot be written to {out_dir}: {error.strerror}", file=sys.stderr)
        return 1
    for name in files:
        print(out_dir / name)
    return 0
