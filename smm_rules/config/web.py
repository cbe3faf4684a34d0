"""The status page: where it listens, under which address people reach it, and who may press its buttons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema, model_validator

from smm_rules.config.addresses import SecureUrl
from smm_rules.config.paths import DIRECTORY
from smm_rules.config.secrets import InlineSecret, Secret, SecretReference
from smm_rules.document.types import Settings, Slug, refuse, written
from smm_rules.panel.endpoint import is_loopback

_HASH = re.compile(
    r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,})\$([A-Za-z0-9+/]{40,})", re.ASCII
)
_EXAMPLE = "Write it like 127.0.0.1:8787, [::1]:8787 or unix:/run/smm-rules/web.sock"
_HASH_HOW = "Make one with: smm-rules web password"


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where a server listens: a `host` and `port`, or the socket at `path`."""

    host: str = ""
    port: int = 0
    path: Path | None = None

    @property
    def is_private(self) -> bool:
        """Whether only this machine can reach it."""
        return self.path is not None or is_loopback(self.host)

    def __str__(self) -> str:
        if self.path is not None:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str, directory: Path | None = None) -> ListenAddress:
    """`127.0.0.1:8787`, `[::1]:8787` or `unix:PATH`, which may be relative to `directory`; `ValueError`."""
    kind, colon, rest = text.strip().partition(":")
    if kind == "unix" and colon:
        if not rest:
            raise ValueError("names no socket")
        path = Path(rest).expanduser()
        return ListenAddress(path=path if directory is None else directory / path)
    host, colon, port = text.strip().rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or not bare or (":" in bare and bare == host) or any(one.isspace() for one in bare):
        raise ValueError("names no host and port")
    if not (port.isascii() and port.isdecimal() and int(port) <= 65535):
        raise ValueError(f"has no port between 0 and 65535: {port!r}")
    return ListenAddress(bare, int(port))


def _listen(value: Any, info: ValidationInfo) -> ListenAddress:
    if isinstance(value, ListenAddress):
        return value
    if not isinstance(value, str):
        refuse(f"must be an address to listen on, not {written(value)}", _EXAMPLE)
    directory = (info.context or {}).get(DIRECTORY)
    try:
        return parse_listen(value, None if directory is None else Path(directory))
    except (ValueError, RuntimeError):
        refuse(f"must be an address to listen on, not {written(value)}", _EXAMPLE)


#: `127.0.0.1:8787` or `unix:/run/smm-rules/web.sock`.
Listen = Annotated[
    ListenAddress,
    BeforeValidator(_listen),
    WithJsonSchema({"type": "string", "minLength": 1, "examples": ["127.0.0.1:8787", "unix:web.sock"]}),
]


def without_query(url: str) -> str:
    """A base address, without a slash at its end."""
    if urlsplit(url).query:
        refuse('must not hold a "?" part')
    return url.rstrip("/")


def is_password_hash(text: str) -> bool:
    """Whether `text` has the form that `smm-rules web password` writes: PHC's, with scrypt."""
    found = _HASH.fullmatch(text)
    return found is not None and 14 <= int(found[1]) <= 20 and 1 <= int(found[2]) <= 32 and int(found[3]) > 0


def _password_hash(value: Any) -> Any:
    if isinstance(value, str):
        if not is_password_hash(value):
            refuse("must be a password's hash, never the password itself", _HASH_HOW)
        return InlineSecret(value)
    if isinstance(value, dict):
        return SecretReference.model_validate(value)
    if not isinstance(value, SecretReference | InlineSecret):
        refuse(f"must be a password's hash or say where one is kept, not {written(value)}", _HASH_HOW)
    return value


class LoginSettings(Settings):
    """Who may press buttons. `needed_for` says whether reading needs the login, too."""

    user: Slug
    password_hash: Annotated[SecretReference | InlineSecret, BeforeValidator(_password_hash)]
    needed_for: Literal["everything", "buttons"] = "everything"


class WebSettings(Settings):
    """The status page. Without `listen` the daemon doesn't serve it; without `login` it has no buttons.

    `base_url` is the address that people reach it under, for links in messages.
    """

    listen: Listen | None = None
    base_url: Annotated[SecureUrl, AfterValidator(without_query)] | None = None
    login: LoginSettings | None = None
    metrics_token: Secret | None = None

    @model_validator(mode="after")
    def _protected(self) -> WebSettings:
        if self.listen is not None and (what := exposed(self.listen, self)):
            refuse(f"The key `listen` is {self.listen}, which others than this machine can reach: {what}",
                   "Write listen: 127.0.0.1:8787")  # fmt: skip
        return self

    @property
    def references(self) -> tuple[SecretReference, ...]:
        """Every secret of it that is kept elsewhere."""
        given = (self.login.password_hash if self.login else None, self.metrics_token)
        return tuple(secret for secret in given if isinstance(secret, SecretReference))


def exposed(listen: ListenAddress, settings: WebSettings) -> str:
    """What is missing for listening where other machines can reach it; empty when nothing is."""
    if listen.is_private:
        return ""
    if settings.login is None:
        return "that needs a `login`"
    if settings.base_url is None or not settings.base_url.startswith("https://"):
        return "that needs a proxy with https in front, and its address as `base_url`"
    return ""
