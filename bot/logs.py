"""Logs: an event and references, one line each, never a name, an address or the text of a message."""

from __future__ import annotations

import json
import logging
import sys

_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime", "taskName"}


class Lines(logging.Formatter):
    """One JSON object a line: time (UTC), level, event, and the references given with it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. The text of an exception is left out: it may quote what a person wrote."""
        given = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        line = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **given,
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up(*, verbose: bool) -> None:
    """Send our own events to standard error; other libraries only speak up from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("dpobot").setLevel(logging.INFO if verbose else logging.WARNING)
    # Their lines hold addresses and texts.
    for name in ("mail.log", "httpx", "httpcore", "aiohttp.access", "telegram", "imapclient"):
        logging.getLogger(name).setLevel(logging.ERROR)
