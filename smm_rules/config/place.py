"""Where the ledger is: an SQLite file, or a PostgreSQL database by its address."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from smm_rules.config.paths import file_path
from smm_rules.document.types import refuse
from smm_rules.panel.endpoint import is_loopback

SCHEMES: Final = ("postgresql://", "postgres://")
_LIKE: Final = "postgresql://smm-rules@db.example/smm-rules?sslmode=verify-full"
#: Those that let nobody on the way read along.
_ENCRYPTED: Final = ("require", "verify-ca", "verify-full")


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """A PostgreSQL database. `url` has no password in it, so it may be shown. `name` is fit for a file's."""

    url: str
    name: str

    def __str__(self) -> str:
        return self.url


def database_address(url: str) -> DatabaseAddress:
    """The address that `url` gives; refused with a password in it, or where others could read along."""
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        password = parts.password
    except ValueError:
        refuse(f"must be the address of a database like {_LIKE}")
    if password or "password" in options:
        refuse("must not hold a password", "Say where it is kept: ledger_password: {credential: NAME}")
    database = unquote(parts.path.lstrip("/"))
    if not database or "/" in database:
        refuse(f"must name a database, like {_LIKE}")
    hosts = _hosts(parts, options)
    if not all(map(_is_here, hosts)) and options.get("sslmode") not in _ENCRYPTED:
        refuse("must be encrypted to another machine", "Add ?sslmode=verify-full, or at least require")
    name = f"{database}@{'+'.join(hosts) or 'local'}".replace("/", "_")
    return DatabaseAddress(url, name)


def _hosts(parts: SplitResult, options: dict[str, str]) -> list[str]:
    """Every host, with its port where one is written; a directory for a Unix socket."""
    written = options.get("host") or unquote(parts.netloc.rpartition("@")[2])
    return [host for host in written.split(",") if host]


def _is_here(host: str) -> bool:
    name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return host.startswith("/") or is_loopback(name)


def _place(value: Any, info: ValidationInfo) -> Path | DatabaseAddress:
    if isinstance(value, DatabaseAddress):
        return value
    if isinstance(value, str) and value.startswith(SCHEMES):
        return database_address(value)
    if isinstance(value, str) and "://" in value:
        refuse(f"must be the path of a file or the address of a database like {_LIKE}")
    return file_path(value, info)


#: The ledger's file, absolute once loaded, or its database.
LedgerPlace = Annotated[
    Path | DatabaseAddress, BeforeValidator(_place), WithJsonSchema({"type": "string", "minLength": 1})
]
