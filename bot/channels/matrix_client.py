"""The bot's session on a Matrix server: logged in, with its keys, and what the server's answers mean."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot.channels.chat import ChatRefused, ChatUnavailable
from bot.channels.matrix_memory import Memory

if TYPE_CHECKING:
    from bot.settings import Matrix

TIMELINE: Final = 50
"""Events of a room that one sync brings; what lies between is fetched from the room's history."""


class ChatPasswordRejected(ChatUnavailable):
    """The server does not accept the account's password. Put the right one into the settings."""

    def __init__(self) -> None:
        super().__init__("The Matrix server does not accept the bot's password: check [matrix] in the settings")


class TokenGone(ChatUnavailable):
    """The server no longer knows our session: log in again."""

    def __init__(self) -> None:
        super().__init__("the Matrix server no longer knows the bot's session")


class Connection:
    """One login, kept across restarts. *folder* holds the keys of the encryption, themselves encrypted."""

    def __init__(self, settings: Matrix, memory: Memory, folder: Path) -> None:
        self._settings, self._memory, self._folder = settings, memory, folder
        self.client: Any = None
        self.first: Any = None
        """What the first sync brought, until it was taken."""
        self._opening = asyncio.Lock()

    async def ready(self) -> Any:
        """Return the client, logged in and knowing its rooms."""
        async with self._opening:
            if self.client is None:
                client = self._new_client()
                try:
                    await self._log_in(client)
                    # One sync tells the rooms and what came since; it is kept for run(), which stores before it moves on.
                    token = (await asyncio.to_thread(self._memory.facts, "state", "sync")).get("token")
                    first = await self.asked(
                        client.sync(timeout=0, since=token, full_state=True, sync_filter=self.filter())
                    )
                    await self.exchange_keys(client)
                except BaseException:
                    await client.close()
                    raise
                if self._settings.desk_room in client.rooms:
                    await asyncio.to_thread(self._memory.note, "room", self._settings.desk_room)
                self.first, self.client = first, client
        return self.client

    def _new_client(self) -> Any:
        try:
            # Here, so that nothing of it is loaded where Matrix is not configured.
            from nio import AsyncClient, AsyncClientConfig
            from nio.crypto import ENCRYPTION_ENABLED
        except ImportError:
            raise ChatRefused("Matrix needs the extra of that name: pip install 'dpobot[matrix]'") from None
        if not ENCRYPTION_ENABLED:
            raise ChatRefused("Matrix needs encryption: pip install 'dpobot[matrix]'")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = AsyncClientConfig(
            max_timeouts=0,
            max_limit_exceeded=0,
            request_timeout=20,
            pickle_key=self._memory.vault.token("matrix", "keys of the encryption"),
        )
        return AsyncClient(self._settings.homeserver, self._settings.user, store_path=str(self._folder), config=config)

    async def _log_in(self, client: Any) -> None:
        """Take up the session of last time, or begin one; the device stays the same, and with it the keys."""
        login = await asyncio.to_thread(self._memory.facts, "state", "login")
        if login.get("user") == self._settings.user and login.get("token"):
            client.restore_login(login["user"], login["device"], login["token"])
            if type(await self.answered(client.whoami())).__name__ == "WhoamiResponse":
                return
        client.access_token = ""
        client.device_id = login.get("device") or client.device_id
        answer = await self.answered(
            client.login(self._settings.password.get_secret_value(), device_name="dpobot"), login=True
        )
        facts = {"user": answer.user_id, "device": answer.device_id, "token": answer.access_token}
        await asyncio.to_thread(self._memory.note, "state", "login", facts)

    async def answered(self, call: Awaitable[Any], *, login: bool = False) -> Any:
        """Return the server's answer, a refused access token included. Raises as :meth:`_asked`."""
        try:
            return await self.asked(call)
        except ChatRefused as error:
            if login:
                raise ChatPasswordRejected from error
            return None
        except TokenGone:
            return None

    async def asked(self, call: Awaitable[Any]) -> Any:
        """Return the server's answer, or raise what it means: the library hands errors out instead of raising them."""
        from aiohttp import ClientError
        from nio import ErrorResponse
        from nio.exceptions import LocalProtocolError, SendRetryError

        try:
            answer = await call
        except (ClientError, TimeoutError, OSError, SendRetryError):
            raise ChatUnavailable("the Matrix server could not be reached") from None
        except LocalProtocolError:
            raise ChatRefused("the bot is not in that Matrix room") from None
        if not isinstance(answer, ErrorResponse):
            return answer
        code = str(answer.status_code or "")
        status = getattr(answer.transport_response, "status", 0)
        if code == "M_LIMIT_EXCEEDED" or status == 429:
            wait = (getattr(answer, "retry_after_ms", None) or 5000) / 1000
            raise ChatUnavailable("the Matrix server asks to slow down (429)", wait)
        if code == "M_UNKNOWN_TOKEN":
            raise TokenGone
        if 400 <= status < 500:
            raise ChatRefused(f"the Matrix server refused ({status} {code[:40]})")
        raise ChatUnavailable(f"the Matrix server has an error of its own ({status})")

    async def exchange_keys(self, client: Any) -> None:
        """What encryption wants after a sync: our keys published, others' devices asked for, waiting keys sent on."""
        if client.olm is None:
            return
        if client.should_upload_keys:
            await self.asked(client.keys_upload())
        if client.should_query_keys:
            await self.asked(client.keys_query())
        if client.should_claim_keys:
            await self.asked(client.keys_claim(client.get_users_for_key_claiming()))
        with contextlib.suppress(ChatRefused):
            await client.send_to_device_messages()

    @staticmethod
    def filter() -> dict[str, Any]:
        """Return what a sync is to bring, and how much of it."""
        return {"room": {"timeline": {"limit": TIMELINE}}, "presence": {"types": []}}

    async def forget(self) -> None:
        """Give the session up; the next call begins another."""
        client, self.client, self.first = self.client, None, None
        if client is not None:
            await client.close()
