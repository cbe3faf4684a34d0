"""Intake beyond commands and files: where programs may hand over orders, who they are and what they may."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from smm_rules.config.addresses import SecureUrl
from smm_rules.config.secrets import Secret, SecretReference
from smm_rules.config.sql_source import SqlSourceSettings
from smm_rules.config.web import Listen, without_query
from smm_rules.document.allowances import Money
from smm_rules.document.types import Duration, Settings, Slug, at_least, one_or_many, refuse, written

#: Tokens of fewer characters could be guessed.
SHORTEST_TOKEN = 32
#: What a program may be allowed: to have orders watched, to buy, to read orders and actions.
Permission = Literal["track", "place", "read"]


class ApprovalSettings(Settings):
    """Which purchases wait for the operator: those dearer than `above`, all of them without it.

    What waited for longer than `expires` is denied.
    """

    above: Money | None = None
    expires: Annotated[Duration, at_least(timedelta(minutes=1))] | None = None


def _approve(value: Any) -> Any:
    if value == "always":
        return {}
    if not isinstance(value, dict | ApprovalSettings):
        money = isinstance(value, int | Decimal) and not isinstance(value, bool)
        suggestion = f"Write approve: {{above: {value}}}" if money else ""
        refuse(f"must be `always` or like {{above: 5.00, expires: 2h}}, not {written(value)}", suggestion)
    return value


class TokenSettings(Settings):
    """A program that hands over orders. Its keys belong to the `name`, so a new token needs no new name."""

    name: Slug
    token: Secret
    may: Annotated[tuple[Permission, ...], one_or_many(Permission), Field(strict=False, min_length=1)]


class HttpIntakeSettings(Settings):
    """The HTTP intake at `listen`, for the programs in `tokens`.

    An address that other machines reach needs a proxy with https in front, and its address as `base_url`.
    `most_orders` and `largest_body` (bytes) bound one request.
    """

    listen: Listen
    base_url: Annotated[SecureUrl, AfterValidator(without_query)] | None = None
    tokens: Annotated[tuple[TokenSettings, ...], Field(strict=False, min_length=1)]
    approve: (
        Annotated[
            ApprovalSettings,
            BeforeValidator(_approve, json_schema_input_type=Literal["always"] | ApprovalSettings),
        ]
        | None
    ) = None
    most_orders: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    largest_body: Annotated[int, Field(ge=1_024, le=16_777_216)] = 1_048_576

    @model_validator(mode="after")
    def _protected(self) -> HttpIntakeSettings:
        https = self.base_url is not None and self.base_url.startswith("https://")
        if not self.listen.is_private and not https:
            refuse(
                f"The key `listen` is {self.listen}, which others than this machine can reach: that needs a "
                "proxy with https in front, and its address as `base_url`",
                "Write listen: unix:intake.sock or 127.0.0.1:8099",
            )
        return self


class IntakeSettings(Settings):
    """Ways by which orders become known beside commands and the drop folder."""

    http: HttpIntakeSettings | None = None
    sql: Annotated[tuple[SqlSourceSettings, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _named_once(self) -> IntakeSettings:
        names = [source.name.casefold() for source in self.sql]
        for name in names:
            if names.count(name) > 1:
                refuse(f'The key `sql` has two sources called "{name}"', "Give each a name of its own")
        return self

    @property
    def references(self) -> tuple[SecretReference, ...]:
        """Every secret of it."""
        tokens = () if self.http is None else tuple(token.token for token in self.http.tokens)
        return (*tokens, *(source.password for source in self.sql if source.password is not None))
