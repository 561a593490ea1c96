"""Settings: ``dpobot.toml`` plus environment, read once and checked; everything that is the organisation's own is in
here.

Environment variables override the file: ``DPOBOT_IMAP__PASSWORD`` is ``password`` of ``[imap]``; an empty one counts
as not set. A secret may also be kept in a file of its own: ``password_file``, ``token_file``, ``master_key_file``.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, time
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as VariableError

from bot.channels.transport import Tls, require_protection

_ADDRESS = re.compile(r"^[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\".]+$|^[^@\s<>,;\"]+@localhost$")


_MATRIX_ID = r"^@[^:\s]+:[^\s]+$"


class SettingsError(Exception):
    """The settings lack something or hold something bad; the message names it and says how to mend it."""


def is_address(text: str) -> bool:
    """Whether *text* is a bare mail address (no name, no angle brackets)."""
    return _ADDRESS.fullmatch(text) is not None


def _address(value: Any) -> Any:
    if isinstance(value, str) and not is_address(value):
        raise ValueError("is not a mail address like dpo@mije.com")
    return value


def _some(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise ValueError("is empty: name at least one")
    return values


Address = Annotated[str, BeforeValidator(_address)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Section(BaseModel):
    """A section of the file: unknown names are refused, so that a misspelt setting never goes unnoticed."""

    # What was given may be a secret, so an error never quotes it.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _from_file(values: Any, name: str) -> Any:
    """Replace ``<name>_file`` by the secret it holds."""
    if not isinstance(values, dict) or not values.get(f"{name}_file"):
        return values
    if values.get(name):
        raise ValueError(f"{name} and {name}_file are both given: keep one of them")
    path = Path(values[f"{name}_file"])
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(
            f"{name}_file {path} cannot be read ({error.strerror}): mend its path or rights, or make the file"
        ) from None
    except UnicodeDecodeError:
        raise ValueError(f"{name}_file {path} is not text: write the secret into it as plain text") from None
    return {k: v for k, v in values.items() if k != f"{name}_file"} | {name: secret}


def _protected(tls: Tls, host: str) -> None:
    try:
        require_protection(tls, host)
    except ValueError as error:
        raise ValueError(str(error)) from None


class Organisation(Section):
    """The controller (art. 13(1)(a))."""

    name: str
    short_name: str
    postal_address: str
    website: str = ""
    legal_representative: str = ""


class Authority(Section):
    """The supervisory authority named in letters (art. 77)."""

    name: str
    full_name: str
    address: str
    url: str


class Dpo(Section):
    """The data protection officer (art. 37-39)."""

    name: str
    email: Address


ACTORS = frozenset({"bot", "person"})
"""Who acts in the journal besides the desk's users."""


class User(Section):
    """Somebody who works at the desk. ``key`` stands for the person in the journal."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    name: str
    role: Literal["dpo", "deputy", "helper", "auditor"] = "dpo"
    """What each may: ``bot.desk.basics.PERMISSIONS``."""
    telegram_id: int | None = None
    matrix_id: str | None = Field(default=None, pattern=_MATRIX_ID)
    email: Address | None = None


class Desk(Section):
    """The desk, in chat and in the terminal."""

    users: tuple[User, ...]
    mask: bool = True
    """Mask personal data in chat: Telegram is a third party outside the EU."""
    language: Literal["fr", "en"] = "fr"
    button_hours: int = Field(default=24 * 14, ge=1)
    mail_orders: bool = True
    """Whether a notice by mail to a user's own ``email`` carries a one-time key to decide by a reply."""
    second_approval: tuple[Literal["erasure", "disclosure", "minor", "sensitive"], ...] = ()
    """Answers that two people approve: to erasure; to access or portability; about a minor; with sensitive data."""
    cards_per_hour: int = Field(default=20, ge=1)
    """How many cards about new requests and messages to sort come within an hour; of a flood, one card tells instead."""

    @model_validator(mode="after")
    def _someone(self) -> Desk:
        if not any(user.role in ("dpo", "deputy") for user in self.users):
            raise ValueError("users: name at least one user with role dpo or deputy")
        if self.second_approval and sum(user.role in ("dpo", "deputy") for user in self.users) < 2:
            raise ValueError("second_approval: name two users with role dpo or deputy, or nothing could be approved")
        keys = [user.key for user in self.users]
        if len(set(keys)) != len(keys):
            raise ValueError("users: two users have the same key: give each one of its own")
        taken = sorted(set(keys) & ACTORS)
        if taken:
            raise ValueError(f"users: the key {taken[0]} stands for the program or the person who asks: choose another")
        numbers = [user.telegram_id for user in self.users if user.telegram_id is not None]
        if len(set(numbers)) != len(numbers):
            raise ValueError("users: two users have the same telegram_id: give each the number of their own account")
        accounts = [user.matrix_id for user in self.users if user.matrix_id is not None]
        if len(set(accounts)) != len(accounts):
            raise ValueError("users: two users have the same matrix_id: give each their own account")
        return self


class Imap(Section):
    """A mailbox that is read."""

    name: str = Field(default="dpo", pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")
    """Stands for the mailbox in logs and notices, so that its address need not."""
    host: str
    port: Port = 993
    user: str = Field(min_length=1)
    password: SecretStr = SecretStr("")
    token_command: str = ""
    """Prints an OAuth2 access token; used with XOAUTH2 instead of the password."""
    tls: Tls = "implicit"
    ca_file: Path | None = None
    folder: str = "INBOX"
    folders: tuple[str, ...] = ()
    """Further folders of the same mailbox, such as the one a rule files requests into."""
    poll_seconds: int = Field(default=60, ge=5, le=3600)
    idle: bool = True
    """Whether the server is asked to announce new mail; off, the folder is looked at every ``poll_seconds`` only."""
    since: date | None = None
    """Messages that the server took in before this day (in ``calendar.timezone``) are passed over: not recorded, not
    answered. None: everything in the folder is read."""
    after: str = "leave"
    """What happens to a message once it is recorded: leave, seen, or move:FOLDER."""
    timeout_seconds: float = Field(default=60, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _secret(cls, values: Any) -> Any:
        return _from_file(values, "password")

    @model_validator(mode="after")
    def _some_secret(self) -> Imap:
        if not self.password.get_secret_value() and not self.token_command:
            raise ValueError(
                "password is missing: write it into the file that password_file names, "
                "set DPOBOT_IMAP__PASSWORD, or give token_command"
            )
        return self

    @model_validator(mode="after")
    def _sensible(self) -> Imap:
        _protected(self.tls, self.host)
        if self.after not in {"leave", "seen"} and not re.fullmatch(r"move:.+", self.after):
            raise ValueError('after is "leave", "seen" or "move:FOLDER"')
        if self.after.removeprefix("move:") in (self.folder, *self.folders):
            raise ValueError("after: name another folder than the one that is read, or messages would move in circles")
        return self


class Smtp(Section):
    """The submission server that mail leaves by."""

    host: str
    port: Port = 465
    user: str = ""
    password: SecretStr = SecretStr("")
    tls: Tls = "implicit"
    ca_file: Path | None = None
    timeout_seconds: float = Field(default=60, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _secret(cls, values: Any) -> Any:
        return _from_file(values, "password")

    @model_validator(mode="after")
    def _sensible(self) -> Smtp:
        if self.user and not self.password.get_secret_value():
            raise ValueError(
                "password is missing: write it into the file that password_file names, set DPOBOT_SMTP__PASSWORD, "
                "or remove user where the server wants no login"
            )
        _protected(self.tls, self.host)
        return self


class Listen(Section):
    """A listener for mail that a server pushes (SMTP or LMTP)."""

    host: str = "127.0.0.1"
    port: int = Field(default=8025, ge=0, le=65535)
    protocol: Literal["smtp", "lmtp"] = "lmtp"
    recipients: tuple[Address, ...] = ()
    max_megabytes: int = Field(default=35, ge=1, le=200)
    max_connections: int = Field(default=20, ge=1, le=1000)
    max_recipients: int = Field(default=50, ge=1, le=1000)


class Telegram(Section):
    """The bot account: the desk's chat, and the chat channel for the public."""

    token: SecretStr
    base_url: str = ""
    """Of a Bot API server of your own; empty for Telegram's."""
    public: bool = True
    """Whether people other than the desk's users may write to the bot."""
    desk_group: int | None = Field(default=None, lt=0)
    """Number of a group in which the desk's users work together (it begins with a minus); every other group is ignored.
    Who is in it sees cards without names, subjects or letters; orders are taken from the desk's users alone."""

    @model_validator(mode="before")
    @classmethod
    def _secret(cls, values: Any) -> Any:
        return _from_file(values, "token")

    @model_validator(mode="after")
    def _some_secret(self) -> Telegram:
        if not self.token.get_secret_value():
            raise ValueError(
                "token is missing: write it into the file that token_file names, set DPOBOT_TELEGRAM__TOKEN, "
                "or remove the section to work without chat"
            )
        return self


class Matrix(Section):
    """An account on a Matrix server: the desk in a room of the approvers, and direct rooms for the public."""

    homeserver: str = Field(pattern=r"^https?://[^\s/]+$")
    """Where the server's client API is, such as ``https://matrix.mije.com``."""
    user: str = Field(pattern=_MATRIX_ID)
    password: SecretStr
    desk_room: str = Field(default="", pattern=r"^(![^\s]+)?$")
    """The id of the room of those who decide; empty: no desk in Matrix."""
    public: bool = True
    """Whether people other than the desk's users may write to the bot."""
    servers: tuple[str, ...] = ()
    """Servers whose people may invite the bot to a direct room; empty: the bot's own only; ``*``: any."""
    approve_by_sign: bool | None = None
    """Whether a reaction under a card decides. No reaction is encrypted, so the server could make one: without a value they count
    where the room is not encrypted either, and in an encrypted one a decision is written as a reply."""

    @model_validator(mode="before")
    @classmethod
    def _secret(cls, values: Any) -> Any:
        return _from_file(values, "password")

    @model_validator(mode="after")
    def _sensible(self) -> Matrix:
        if not self.password.get_secret_value():
            raise ValueError(
                "password is missing: write it into the file that password_file names, set DPOBOT_MATRIX__PASSWORD, "
                "or remove the section to work without Matrix"
            )
        host = self.homeserver.partition("://")[2].rpartition(":")[0] or self.homeserver.partition("://")[2]
        if self.homeserver.startswith("http://") and host not in ("localhost", "127.0.0.1", "[::1]"):
            raise ValueError("homeserver: use https, or the password crosses the network unprotected")
        return self

    def may_invite(self, account: str) -> bool:
        """Whether somebody who does not work at the desk may invite the bot: by the server their account is on."""
        server = account.partition(":")[2]
        allowed = self.servers or (self.user.partition(":")[2],)
        return self.public and ("*" in allowed or server in allowed)


class Mail(Section):
    """How our mail looks and what is believed of others' mail."""

    address: Address
    """The mailbox's own address: what we send from, and what people write to."""
    from_name: str
    aliases: tuple[Address, ...] = ()
    plus_addresses: bool = False
    """Whether our server delivers ``dpo+anything@`` too: answers then come to an address that names the case."""
    authserv_ids: tuple[str, ...] = ()
    """Names our own server signs its Authentication-Results with; without one nobody's SPF or DKIM is believed."""
    check_dkim: bool = False
    """Whether we look at DKIM signatures ourselves where none of these names left a verdict (extra ``dkim``)."""
    dns_servers: tuple[str, ...] = ()
    """IP addresses of the name servers that are asked for the keys; empty: the system's."""

    @field_validator("dns_servers")
    @classmethod
    def _addresses(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            try:
                ip_address(value)
            except ValueError:
                raise ValueError(f"{value} is no IP address: name servers are given by number") from None
        return values


class Antivirus(Section):
    """A virus scanner that looks at every mail; what it finds goes to a person, what it cannot look at is named."""

    clamd: str = Field(min_length=1)
    """The path of clamd's socket, or host:port."""
    timeout_seconds: float = Field(default=30, gt=0)


class Store(Section):
    """Where everything is kept, and the key it is sealed with."""

    data_dir: Path
    # It may hold the database's password.
    url: str = Field(default="", repr=False)
    """A database URL; empty for SQLite in ``data_dir``."""
    master_key: SecretStr

    @model_validator(mode="before")
    @classmethod
    def _secret(cls, values: Any) -> Any:
        return _from_file(values, "master_key")

    @property
    def database_url(self) -> str:
        """The URL in use."""
        return self.url or f"sqlite:///{self.data_dir / 'dpobot.db'}"


class Calendar(Section):
    """The clock's rules (``handlers.clock``)."""

    timezone: str = "Europe/Paris"
    holidays: Literal["FR", "FR-ALSACE-MOSELLE"] = "FR"
    extra_holidays: tuple[date, ...] = ()
    rule: Literal["edpb", "ico-next-day", "restart-on-id"] = "edpb"
    pause_on_clarification: bool = False
    late_identity_after: int = Field(default=3, ge=0)

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("is not a time zone like Europe/Paris") from error
        return value


class Identity(Section):
    """Proof of identity."""

    request: Literal["auto", "dpo"] = "auto"
    """auto: the request leaves by itself; dpo: it waits for approval."""
    remind_after_days: int = Field(default=10, ge=1)
    close_after_days: int = Field(default=30, ge=1)
    delete_after_days: int = Field(default=30, ge=1)
    code_hours: int = Field(default=72, ge=1)
    """How long a one-time code lives."""
    code_attempts: int = Field(default=5, ge=1)
    """Wrong codes after which a case's codes are locked."""


class Contacts(Section):
    """Contacts on file, read-only: where a one-time code may be sent, and whose address is known (``bot.contacts``)."""

    csv: Path | None = None
    """A CSV file with a header row: email, and as far as there are: name, other_emails, phone, booking, last_contact."""
    # It may hold the database's password.
    url: str = Field(default="", repr=False)
    """A database URL, instead of the file; only ever read."""
    query: str = ""
    """Takes ``:address`` and ``:booking`` and gives the columns of the file."""
    stale_after_days: int = Field(default=3 * 365, ge=1)
    """A contact unused for longer is no proof by itself: addresses are given to others."""

    @model_validator(mode="after")
    def _one_source(self) -> Contacts:
        if (self.csv is None) == (not self.url):
            raise ValueError("give either csv (a file) or url and query (a database)")
        if self.url and not self.query:
            raise ValueError("query is missing: a SELECT that takes :address and :booking")
        return self


class Replies(Section):
    """What may leave without a click, and how much of it."""

    acknowledge: Literal["auto", "dpo"] = "auto"
    status: Literal["auto", "off"] = "auto"
    per_sender_per_day: int = Field(default=5, ge=0)
    per_case_per_day: int = Field(default=4, ge=0)
    total_per_hour: int = Field(default=60, ge=0)


class Digest(Section):
    """The weekly digest."""

    to: Annotated[tuple[Address, ...], AfterValidator(_some)]
    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday"] = "monday"
    at: time = time(8, 0)
    language: Literal["fr", "en"] = "fr"


class Processing(Section):
    """One entry of the register of processing (art. 30): feeds the annex of art. 15(1) in access answers."""

    name: str
    purposes: str
    categories: str
    recipients: str
    retention: str
    legal_basis: str
    source: str
    transfers: str = ""
    """Art. 15(2): write "none" where there are none; empty stops the draft that needs it."""
    automated: str = ""
    """Art. 15(1)(h): likewise."""


class Retention(Section):
    """How long the bot keeps what it holds, in days (art. 5(1)(e)); confirmed by the DPO."""

    case_days: int = Field(default=5 * 365, ge=1)
    not_a_request_days: int = Field(default=30, ge=1)
    identity_after_decision_hours: int = Field(default=24, ge=0)
    suppression_days: int = Field(default=3 * 366, ge=3 * 365)
    """Of an entry of the suppression list, from the last word of the person or the last list it stood in."""


class Learning(Section):
    """Whether the classifier learns from what the DPO corrects, and how long it may keep what it learned from."""

    keep: Literal["with_case", "pseudonymised", "nothing"] = "with_case"
    """``with_case``: sealed with the case and erased with it; ``pseudonymised``: at the end of the case's retention a
    masked copy stays; ``nothing``: corrections are not kept."""
    pseudonymised_days: int = Field(default=3 * 365, ge=1)
    """How long a masked copy stays, from the decision on."""
    use: bool = True
    """Whether the model that ``dpobot train`` made on this machine is read with, where there is one."""


class Settings(BaseSettings):
    """Everything the program is told from outside."""

    model_config = SettingsConfigDict(
        env_prefix="DPOBOT_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )
    languages: Annotated[tuple[Literal["fr", "en"], ...], AfterValidator(_some)] = ("fr", "en")
    reference_prefix: str = Field(default="DSR", pattern=r"^[A-Z]{2,8}$")
    organisation: Organisation
    authority: Authority
    dpo: Dpo
    desk: Desk
    mail: Mail
    store: Store
    digest: Digest
    imap: Imap | None = None
    mailboxes: tuple[Imap, ...] = ()
    """Further mailboxes (``[[mailboxes]]``), each with a name of its own."""
    smtp: Smtp
    listen: Listen | None = None
    antivirus: Antivirus | None = None
    telegram: Telegram | None = None
    matrix: Matrix | None = None
    calendar: Calendar = Calendar()
    identity: Identity = Identity()
    contacts: Contacts | None = None
    replies: Replies = Replies()
    retention: Retention = Retention()
    learning: Learning = Learning()
    processing: tuple[Processing, ...] = ()
    processing_file: Path | None = None
    """The register of processing in a file of its own; empty for the one that ships."""
    model: Path | None = None
    """A classifier trained elsewhere; empty for the one that ships."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what :func:`build` is given: it looks at the environment itself, and only where it is told to."""
        return (init_settings,)

    @model_validator(mode="after")
    def _names_once(self) -> Settings:
        names = [mailbox.name for mailbox in self.all_mailboxes]
        if len(set(names)) != len(names):
            raise ValueError("mailboxes: two mailboxes have the same name: give each its own")
        return self

    @property
    def all_mailboxes(self) -> tuple[Imap, ...]:
        """Every mailbox that is read, the main one first."""
        return (*((self.imap,) if self.imap else ()), *self.mailboxes)

    @property
    def desk_in_chat(self) -> bool:
        """Whether the desk has a chat; notices go by mail where it has none."""
        return self.telegram is not None or (self.matrix is not None and bool(self.matrix.desk_room))

    @property
    def zone(self) -> ZoneInfo:
        """The civil time zone that dates are taken in."""
        return ZoneInfo(self.calendar.timezone)

    @property
    def own_addresses(self) -> frozenset[str]:
        """Every address that is ours, in lower case."""
        return frozenset(a.lower() for a in (self.mail.address, self.dpo.email, *self.mail.aliases))

    def user_by_telegram(self, telegram_id: int) -> User | None:
        """Return the desk user behind a Telegram account (its number, never its name), or None."""
        return next((u for u in self.desk.users if u.telegram_id == telegram_id), None)


def load(path: Path, *, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings file at *path*, and the environment (that of this process, unless another is given).

    Raises :class:`SettingsError` with one sentence that names the setting and how to mend it. Relative paths in the
    file are taken from the folder the file is in, those in the environment from where the program was started.
    """
    return build(read(path), environ=os.environ if environ is None else environ)


def read(path: Path) -> dict[str, Any]:
    """Return what the settings file at *path* says, unchecked, its paths made absolute. Raises :class:`SettingsError`."""
    try:
        # Some editors put a byte order mark in front.
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(
            f"there is no settings file at {path}: make one with 'dpobot init', or name yours with --config"
        ) from None
    except OSError as error:
        raise SettingsError(f"the settings file {path} cannot be read ({error.strerror}): mend its rights") from None
    except UnicodeDecodeError:
        raise SettingsError(f"the settings file {path} is not UTF-8 text: save it again as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"the settings file {path} is not valid TOML: {error}") from None
    return _absolute(values, path.resolve().parent)


def build(values: Mapping[str, Any], *, environ: Mapping[str, str] = MappingProxyType({})) -> Settings:
    """Build settings from a mapping (a parsed file, or a test's own) and the variables given. Raises
    :class:`SettingsError`."""
    try:
        return Settings(**with_environment(values, environ))
    except ValidationError as error:
        # The cause would be printed with a traceback; it says no more than the sentence does.
        raise SettingsError(_sentence(error)) from None


def with_environment(values: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return *values* with what the ``DPOBOT_`` variables of *environ* say in their place. Raises
    :class:`SettingsError` for a variable that names no setting or cannot be read."""
    merged = dict(values)
    source = EnvSettingsSource(Settings)
    for name, value in environ.items():
        if not name.upper().startswith("DPOBOT_") or not value:
            continue
        source.env_vars = {name.lower(): value}
        try:
            found = source()
        except (VariableError, ValueError):
            raise SettingsError(
                f'the variable {name} cannot be read: a list or a table is written as JSON there, e.g. ["fr", "en"]'
            ) from None
        if not found and "__" in name:
            raise SettingsError(f"the variable {name} names no setting: correct its spelling or remove it")
        merged = _over(merged, found)
    return merged


def _over(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Lay *others* over *values*; a secret takes the place of its file, and the other way round."""
    merged = dict(values)
    for name, value in others.items():
        merged.pop(f"{name}_file", None)
        if name.endswith("_file"):
            merged.pop(name.removesuffix("_file"), None)
        before = merged.get(name)
        merged[name] = _over(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return merged


_PATHS = (
    ("store", "data_dir"),
    ("store", "master_key_file"),
    ("imap", "password_file"),
    ("imap", "ca_file"),
    ("smtp", "password_file"),
    ("smtp", "ca_file"),
    ("telegram", "token_file"),
    ("matrix", "password_file"),
    ("contacts", "csv"),
)


def _absolute(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    for section, name in _PATHS:
        if isinstance(values.get(section), dict) and isinstance(values[section].get(name), str):
            values[section][name] = str(folder / Path(values[section][name]).expanduser())
    for mailbox in values.get("mailboxes", []) if isinstance(values.get("mailboxes"), list) else []:
        for name in ("password_file", "ca_file"):
            if isinstance(mailbox, dict) and isinstance(mailbox.get(name), str):
                mailbox[name] = str(folder / Path(mailbox[name]).expanduser())
    for name in ("model", "processing_file"):
        if isinstance(values.get(name), str):
            values[name] = str(folder / Path(values[name]).expanduser())
    return values


def _sentence(error: ValidationError) -> str:
    """Say what is wrong with the first bad setting, by its name in the file and its name in the environment."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = first["loc"]
    name = _named(where)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "missing":
        if len(where) == 1 and name in _SECTIONS:
            return f"section [{name}] is missing: add it to dpobot.toml; 'dpobot init' writes an example{more}"
        in_a_list = any(isinstance(part, int) for part in where)
        instead = "" if in_a_list else f", or set DPOBOT_{'__'.join(map(str, where)).upper()}"
        return f"setting {name} is missing: add it to dpobot.toml{instead}{more}"
    if first["type"] == "extra_forbidden":
        return f"setting {name} is unknown: correct its spelling or remove it{more}"
    said = first["msg"].removeprefix("Value error, ")
    return f"setting {name}: {said[:1].lower()}{said[1:]}{more}"


def _named(where: Sequence[int | str]) -> str:
    """A setting's name as a person says it: ``imap.host``, ``email of entry 2 of desk.users``."""
    for place in (place for place, part in enumerate(where) if isinstance(part, int)):
        entry = f"entry {int(where[place]) + 1} of {'.'.join(map(str, where[:place]))}"
        return f"{_named(where[place + 1 :])} of {entry}" if place + 1 < len(where) else entry
    return ".".join(map(str, where)) or "the settings"


_SECTIONS = frozenset(
    name
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
)
