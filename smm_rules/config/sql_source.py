"""Databases of orders: where each is, by which query it is read, and what its columns mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from smm_rules.config.paths import DIRECTORY
from smm_rules.config.secrets import Secret
from smm_rules.config.select_statement import check_query
from smm_rules.config.statement import TimeZone
from smm_rules.document.types import (
    Duration,
    FilledText,
    Settings,
    Slug,
    at_least,
    duration_of,
    refuse,
    written,
)
from smm_rules.panel.endpoint import is_loopback

#: Each scheme that can be written, and what it is to SQLAlchemy.
SCHEMES: Final = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "mariadb+pymysql": "mariadb+pymysql",
}
_EXAMPLES: Final = [
    "mysql+pymysql://reader@localhost/shop",
    "postgresql+psycopg://reader@localhost/shop",
    "sqlite:////srv/shop.db",
]
_LIKE: Final = f"{_EXAMPLES[0]}, postgresql+psycopg://… or {_EXAMPLES[2]}"
_ENCRYPTED_POSTGRES: Final = ("require", "verify-ca", "verify-full")
#: The first moment that is asked for where nothing else is set: all there is.
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST_OVERLAP: Final = timedelta(seconds=1)
#: How far back is read again for rows that were committed late: time, or numbers.
TIME_OVERLAP: Final = timedelta(minutes=10)
NUMBER_OVERLAP: Final = 1_000


def _url(value: Any, info: ValidationInfo) -> str:
    """The address as SQLAlchemy takes it; refused with a password in it, or where others could read along."""
    if not isinstance(value, str):
        refuse(f"must be the address of a database like {_LIKE}, not {written(value)}")
    try:
        parts = urlsplit(value)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        password, host, _ = parts.password, parts.hostname or "", parts.port
    except ValueError:
        refuse(f"must be the address of a database like {_LIKE}")
    scheme = SCHEMES.get(parts.scheme)
    if scheme is None or "://" not in value:
        refuse(f"must be the address of a database like {_LIKE}")
    if password is not None or {"password", "passwd"} & options.keys():
        refuse("must not hold a password", "Say where it is kept: password: {credential: NAME}")
    rest = value.partition("://")[2]
    if scheme == "sqlite":
        return f"sqlite:///{_file(rest, options, info)}"
    if not parts.path.lstrip("/"):
        refuse(f"must name a database, like {_LIKE}")
    _check_encrypted(scheme, options.get("host", host), options)
    return f"{scheme}://{rest}"


def _file(rest: str, options: dict[str, str], info: ValidationInfo) -> Path:
    if options:
        refuse("must not hold options behind a ?; an SQLite file is always opened read-only")
    if not rest.startswith("/") or rest == "/":
        refuse("must be the path of a file, like sqlite:////srv/shop.db")
    path = Path(rest[1:]).expanduser()
    directory = (info.context or {}).get(DIRECTORY)
    return path if directory is None else Path(directory) / path


def _check_encrypted(scheme: str, host: str, options: dict[str, str]) -> None:
    if not host or host.startswith("/") or is_loopback(host):
        return
    if scheme.startswith("postgresql"):
        if options.get("sslmode") not in _ENCRYPTED_POSTGRES:
            refuse("must be encrypted to another machine", "Add ?sslmode=verify-full, or at least require")
    elif not options.get("ssl_ca"):
        refuse("must be encrypted to another machine", "Add ?ssl_ca=/etc/ssl/certs/ca-certificates.crt")


def _overlap(value: Any) -> timedelta | int:
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= 1_000_000_000:
            refuse(f"must be a number from 0 on, not {written(value)}")
        return value
    return duration_of(value, _LEAST_OVERLAP)


def _start(value: Any) -> datetime | int:
    if isinstance(value, datetime) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    try:
        return datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        refuse(f"must be a time like 2025-03-01T00:00:00Z or a whole number, not {written(value)}")


class SqlSourceSettings(Settings):
    """A database that is read every so often for orders to watch. It is never written to.

    `columns` says which of the query's columns each of an order's is; one of the same name needn't be named.
    `watermark` is the column by which the query reads on: a time or a whole number that grows. `start` is
    where the first read begins. `overlap` is how far back is read again each time, for rows that are
    committed late. `time_zone` is that of times written without one.
    """

    name: Slug
    url: Annotated[str, BeforeValidator(_url), WithJsonSchema({"type": "string", "examples": _EXAMPLES})]
    password: Secret | None = None
    query: FilledText
    watermark: FilledText
    every: Annotated[Duration, at_least(timedelta(seconds=1))] = timedelta(minutes=5)
    columns: dict[FilledText, FilledText] = Field(default_factory=dict)
    ignore: Annotated[tuple[FilledText, ...], Field(strict=False)] = ()
    panel: Slug | None = None
    time_zone: TimeZone | None = None
    start: Annotated[
        datetime | int,
        BeforeValidator(_start, json_schema_input_type=int | Annotated[str, Field(json_schema_extra={})]),
    ] = BEGINNING
    overlap: Annotated[timedelta | int, BeforeValidator(_overlap, json_schema_input_type=int | Duration)] = (
        TIME_OVERLAP
    )
    timeout: Annotated[Duration, at_least(timedelta(seconds=1))] = timedelta(minutes=1)

    @model_validator(mode="after")
    def _readable(self) -> SqlSourceSettings:
        check_query(self.query, self.watermark)
        differ = isinstance(self.overlap, int) != isinstance(self.start, int)
        if "overlap" in self.model_fields_set and differ:
            refuse(
                "The keys `start` and `overlap` must both be of time or both be numbers",
                "Write start: 0 and overlap: 1000, or leave both out",
            )
        return self

    @property
    def kind(self) -> Literal["time", "number"]:
        """What the watermark is."""
        return "number" if isinstance(self.start, int) else "time"

    @property
    def reaching_back(self) -> timedelta | int:
        """How far back is read again each time."""
        if isinstance(self.start, int) and not isinstance(self.overlap, int):
            return NUMBER_OVERLAP
        return self.overlap
