"""``dpobot run``: the worker, until it is asked to stop."""

from __future__ import annotations

import asyncio
import logging
import signal

import click

from bot.app import App
from bot.desk.first_run import first_steps
from bot.worker import Worker

log = logging.getLogger("dpobot.run")


def run(app: App, *, once: bool) -> int:
    """Work until SIGTERM or SIGINT, or one round with *once*; return the exit status."""
    logging.getLogger("dpobot").setLevel(logging.INFO)
    # A broken model stops the program here, with a sentence, rather than setting every message aside.
    _ = app.reader
    if not once:
        for step in first_steps(app):
            click.echo(step, err=True)
    try:
        asyncio.run(_once(app) if once else _run(app))
    finally:
        app.close()
    return 0


async def _once(app: App) -> None:
    await Worker(app).run_once()


async def _run(app: App) -> None:
    worker = Worker(app)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, worker.stop.set)
    log.info("worker.started")
    await worker.run()
    log.info("worker.stopped")
