"""A strict local Telegram Bot API: what the demo, the tests and rehearsals talk to instead of Telegram.

It refuses what the real server refuses, in the real server's words (broken markup, over-long text, callback data
above 64 bytes, edits that change nothing, stale callback queries, two pollers at once …), delivers an update again
until a higher offset is seen, and can be told to misbehave (errors, 429, hanging, dropped connections, HTML in place
of JSON). It has no flood limits of its own, delivers nothing to web hooks and does not read the old ``Markdown`` mode.

The other side, people with their phones, is played by the Python methods: :meth:`BotApiServer.say`,
:meth:`BotApiServer.press` and so on. They may be called from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

from bot.sandbox.bot_api_entities import EntityError
from bot.sandbox.bot_api_methods import ChatMethods
from bot.sandbox.bot_api_types import (
    TOKEN_FORM,
    UPLOAD_LIMIT,
    ApiCall,
    ApiError,
    CallbackAnswer,
    ChatMessage,
    MessageVersion,
    Params,
    SentFile,
    bad_request,
    integer,
)
from bot.sandbox.loop import LoopThread

__all__ = ["ApiCall", "BotApiServer", "CallbackAnswer", "ChatMessage", "MessageVersion", "SentFile"]


@dataclass
class _Fault:
    method: str
    kind: Literal["error", "hang", "drop", "html"]
    after: bool
    times: int | None
    status: int = 200
    description: str = ""
    parameters: dict[str, Any] | None = None


@dataclass
class _Poll:
    """A long poll that waits; the loop's future tells it what happened."""

    future: asyncio.Future[str]


class BotApiServer(ChatMethods):
    """The server, on a random port of the loopback interface.

    ``with BotApiServer(now=clock.now) as server`` runs it in a thread of its own, ``async with`` in the caller's event
    loop. *now* tells the time that dates, expiry of updates (24 h) and of callback queries (*callback_life*) go by;
    long polls wait in real seconds. After :meth:`stop` a second :meth:`start` listens on the same port and goes on
    with the same chats and updates, as when Telegram was out of reach for a while.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        token: str = "7000000001:sandbox-token-for-loopback-only",  # noqa: S107 (opens nothing but this very server)
        username: str = "dpobot_sandbox_bot",
        host: str = "127.0.0.1",
        port: int = 0,
        first_update_id: int = 500_000_001,
        callback_life: timedelta = timedelta(minutes=1),
    ) -> None:
        super().__init__(
            now=now, token=token, username=username, first_update_id=first_update_id, callback_life=callback_life
        )
        self._host = host
        self._port = port
        self._faults: list[_Fault] = []
        self._poll: _Poll | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._released: asyncio.Event | None = None
        self._runner: web.AppRunner | None = None
        self._thread: LoopThread | None = None

    # --- life of the server

    @property
    def base_url(self) -> str:
        """What python-telegram-bot wants as ``base_url``: everything before the token."""
        return f"http://{self._host}:{self._port}/bot"

    @property
    def base_file_url(self) -> str:
        """What python-telegram-bot wants as ``base_file_url``."""
        return f"http://{self._host}:{self._port}/file/bot"

    def start(self) -> None:
        """Listen, in a thread with an event loop of its own. Raises :class:`OSError` when the port is taken."""
        thread = LoopThread("bot-api")
        try:
            thread.run(self.open())
        except OSError:
            thread.close()
            raise
        self._thread = thread

    def stop(self) -> None:
        """Stop the thread; open connections break. Harmless when it does not run."""
        if self._thread is not None:
            self._thread.run(self.close())
            self._thread.close()
            self._thread = None

    async def open(self) -> None:
        """Listen in the running event loop. Raises :class:`OSError` when the port is taken."""
        application = web.Application(client_max_size=UPLOAD_LIMIT + 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._port = runner.addresses[0][1]
        self._loop = asyncio.get_running_loop()
        self._released = asyncio.Event()
        self._runner = runner

    async def close(self) -> None:
        """Stop listening in the running event loop; what hangs is let go."""
        if self._runner is None or self._released is None:
            return
        self._released.set()
        self._wake("closed")
        await self._runner.cleanup()
        self._runner = self._loop = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- trouble on demand

    def fault(
        self,
        method: str,
        status: int,
        description: str,
        retry_after: int | None = None,
        times: int | None = 1,
        *,
        migrate_to_chat_id: int | None = None,
    ) -> None:
        """Answer the next *times* calls of *method* (``*``: any; times None: all) with an error, and do nothing else.

        ``fault("sendMessage", 429, "Too Many Requests: retry after 7", retry_after=7)``.
        """
        given = {"retry_after": retry_after, "migrate_to_chat_id": migrate_to_chat_id}
        parameters = {name: value for name, value in given.items() if value is not None}
        self._arm(_Fault(method, "error", False, times, status, description, parameters or None))

    def hang(self, method: str, times: int | None = 1, *, after: bool = False) -> None:
        """Never answer the next calls; with *after*, only once the call has had its effect. :meth:`release` ends it."""
        self._arm(_Fault(method, "hang", after, times))

    def drop(self, method: str, times: int | None = 1, *, after: bool = False) -> None:
        """Cut the connection instead of answering; with *after*, only once the call has had its effect."""
        self._arm(_Fault(method, "drop", after, times))

    def answer_html(self, method: str, times: int | None = 1, *, status: int = 200, after: bool = False) -> None:
        """Answer with a web page instead of JSON, as proxies and captive portals do."""
        self._arm(_Fault(method, "html", after, times, status))

    def clear_faults(self) -> None:
        """Behave again."""
        with self._changed:
            self._faults.clear()

    def tick(self) -> None:
        """Answer the long poll that waits, with nothing: whoever moves a clock says so that its time is over."""
        with self._changed:
            self._wake("timeout")

    @property
    def deaf(self) -> bool:
        """Whether no poll will be answered until the faults are cleared."""
        return any(fault.times is None and fault.method.lower() in ("*", "getupdates") for fault in self._faults)

    def release(self) -> None:
        """Let go of all calls that hang: their connections close without an answer."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        if self._released is not None:
            self._released.set()
            self._released = asyncio.Event()

    def _arm(self, fault: _Fault) -> None:
        if fault.method != "*" and fault.method.lower() not in {*self._methods, "getupdates"}:
            raise ValueError(f"the server has no method {fault.method}")
        with self._changed:
            self._faults.append(fault)
            if fault.method.lower() in ("*", "getupdates"):
                # The poll under way meets it as well.
                self._wake("closed")

    def _next_fault(self, method: str) -> _Fault | None:
        for fault in self._faults:
            if fault.method == "*" or fault.method.lower() == method:
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None

    def _wake(self, word: str) -> None:
        poll, loop = self._poll, self._loop
        if poll is not None and loop is not None:
            self._poll = None

            def tell() -> None:
                if not poll.future.done():
                    poll.future.set_result(word)

            # The loop may be shutting down; then nobody waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(tell)

    # --- HTTP

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.path
        if match := re.fullmatch(r"/file/bot([^/]+)/(.+)", path):
            return self._serve_file(match[1], match[2])
        match = re.fullmatch(r"/bot([^/]+)/([^/]+)", path)
        if match is None or not TOKEN_FORM.fullmatch(match[1]):
            return self._failure(ApiError(404, "Not Found"))
        if match[1] != self.token:
            return self._failure(ApiError(401, "Unauthorized"))
        method = match[2].lower()
        try:
            params, files = await self._read(request)
        except web.HTTPRequestEntityTooLarge:
            return self._failure(ApiError(413, "Request Entity Too Large"))
        call = ApiCall(match[2], dict(params), dict(files), self._now())
        with self._changed:
            self.requests.append(call)
            fault = self._next_fault(method)
            self._changed.notify_all()
        if fault and not fault.after:
            return await self._misbehave(fault, request, call)
        response = await self._answer(method, call)
        if fault:
            return await self._misbehave(fault, request, call)
        with self._changed:
            self._changed.notify_all()
        return response

    async def _answer(self, method: str, call: ApiCall) -> web.Response:
        try:
            for value in call.params.values():
                if any("\ud800" <= character <= "\udfff" for character in value):
                    raise bad_request("strings must be encoded in UTF-8")
            if method == "getupdates":
                result: Any = await self._get_updates(call.params)
            elif method in self._methods:
                with self._changed:
                    result = self._methods[method](call)
            else:
                raise ApiError(404, "Not Found")
        except EntityError as error:
            call.status, call.description = 400, f"Bad Request: can't parse entities: {error}"
            return self._failure(ApiError(400, call.description))
        except ApiError as error:
            call.status, call.description = error.status, error.description
            return self._failure(error)
        call.status = 200
        return web.json_response({"ok": True, "result": result})

    @staticmethod
    def _failure(error: ApiError) -> web.Response:
        body: dict[str, Any] = {"ok": False, "error_code": error.status, "description": error.description}
        if error.parameters:
            body["parameters"] = error.parameters
        return web.json_response(body, status=error.status)

    async def _misbehave(self, fault: _Fault, request: web.Request, call: ApiCall) -> web.StreamResponse:
        if fault.kind == "error":
            call.status, call.description = fault.status, fault.description
            return self._failure(ApiError(fault.status, fault.description, fault.parameters))
        if fault.kind == "html":
            call.status = fault.status
            page = "<html><body><h1>Please log in to the network</h1></body></html>"
            return web.Response(text=page, content_type="text/html", status=fault.status)
        call.status = None
        if fault.kind == "hang" and self._released is not None:
            await self._released.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    @staticmethod
    async def _read(request: web.Request) -> tuple[dict[str, str], dict[str, tuple[str, bytes]]]:
        """Read parameters from the query, a form, multipart or JSON: the real server takes all four."""
        params = {str(name): str(value) for name, value in request.query.items()}
        files: dict[str, tuple[str, bytes]] = {}
        if request.content_type == "application/json":
            with contextlib.suppress(ValueError):
                body = json.loads(await request.read())
                if isinstance(body, dict):
                    params |= {k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items() if v is not None}
        elif request.can_read_body:
            for name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    files[name] = (value.filename, value.file.read())
                else:
                    params[name] = value if isinstance(value, str) else bytes(value).decode("utf-8", "replace")
        return params, files

    def _serve_file(self, token: str, path: str) -> web.Response:
        if token != self.token:
            return self._failure(ApiError(401 if TOKEN_FORM.fullmatch(token) else 404, "Unauthorized"))
        with self._changed:
            for file, where in self._files.values():
                if where == path:
                    return web.Response(body=file.content, content_type="application/octet-stream")
        return self._failure(ApiError(404, "Not Found"))

    # --- updates

    async def _get_updates(self, params: Params) -> list[dict[str, Any]]:
        loop = asyncio.get_running_loop()
        limit = min(max(integer(params, "limit", 100), 1), 100)
        deadline = loop.time() + min(max(integer(params, "timeout"), 0), 50)
        with self._changed:
            if self.webhook_url:
                raise ApiError(
                    409,
                    "Conflict: can't use getUpdates method while webhook is active; "
                    "use deleteWebhook to delete the webhook first",
                )
            if "allowed_updates" in params:
                self._allow(params["allowed_updates"])
        while True:
            with self._changed:
                found = self._take(integer(params, "offset"), limit)
                self._changed.notify_all()
                remaining = deadline - loop.time()
                if found or remaining <= 0:
                    return found
                # As on the real server it is the older of two long polls that is thrown out.
                self._wake("conflict")
                self._poll = poll = _Poll(loop.create_future())
            try:
                word = await asyncio.wait_for(poll.future, remaining)
            except TimeoutError:
                word = "timeout"
            with self._changed:
                if self._poll is poll:
                    self._poll = None
            if word == "conflict":
                raise ApiError(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                )
            if word == "webhook":
                raise ApiError(409, "Conflict: terminated by setWebhook request")
            if word == "timeout":
                return []
            if word == "closed":
                raise ApiError(502, "Bad Gateway")
