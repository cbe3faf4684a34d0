"""Where messages go: each channel's settings by its type."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from smm_rules.config.addresses import SecureUrl
from smm_rules.config.alerts import GroupSettings, RateLimit
from smm_rules.config.reach import odd_number, unreachable
from smm_rules.config.secrets import Secret, SecretOrText, SecretReference
from smm_rules.document.types import FilledText, Settings, exactly_one, one_or_many, refuse
from smm_rules.panel.endpoint import is_loopback

_PORTS = {"tls": 465, "starttls": 587, "none": 25}
_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
_LONGEST_ADDRESS = 254
_TYPES = ("apprise", "webhook", "email", "log")


class WebhookSettings(Settings):
    """A signed HTTP POST. `secret` signs each request (HMAC).

    `allow_private` lets the url lead into a private network; see `config.reach`.
    """

    url: SecureUrl
    secret: Secret
    allow_private: bool = False

    @model_validator(mode="after")
    def _reachable(self) -> WebhookSettings:
        host = urlsplit(self.url).hostname or ""
        if odd_number(host):
            refuse(f'The host "{host}" is a number', "Write the address like 192.0.2.1")
        try:
            reason = unreachable(host, host, allow_private=self.allow_private)
        except ValueError:
            return self  # a name: its addresses are looked at when it is connected to
        if reason:
            private = not self.allow_private and not unreachable(host, host, allow_private=True)
            way_out = "Write allow_private: true beside it if it is meant" if private else ""
            refuse(f"The url leads to {reason}, {host}, where nothing is sent", way_out)
        return self


def _mail_address(value: str) -> str:
    if len(value) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(value):
        refuse("must be an e-mail address like ops@example.org")
    return value


MailAddress = Annotated[str, AfterValidator(_mail_address)]


class EmailSettings(Settings):
    """Mail by SMTP. `port` is the one of `security` unless given: 465, 587 or 25."""

    host: FilledText
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["tls", "starttls", "none"] = "tls"
    username: FilledText | None = None
    password: Secret | None = None
    sender: MailAddress = Field(alias="from")
    to: Annotated[tuple[MailAddress, ...], one_or_many(MailAddress), Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> EmailSettings:
        if self.security == "none" and not is_loopback(self.host):
            refuse("Mail without encryption is only sent to this machine", "Write security: starttls or tls")
        if (self.username is None) != (self.password is None):
            refuse("The keys `username` and `password` belong together", "Write both or neither")
        return self

    @property
    def effective_port(self) -> int:
        """The port to connect to."""
        return self.port if self.port is not None else _PORTS[self.security]


class LogSettings(Settings):
    """Messages go to the daemon's own log."""


def _nothing_is_empty(value: Any) -> Any:
    return {} if value is None else value


class ChannelSettings(Settings):
    """One channel: exactly one of the four types is set.

    `apprise` holds addresses in Apprise's writing, each a secret reference or written out. `group` puts the
    messages of alerts together, `rate` is how many messages of alerts it is given at most.
    """

    noun: ClassVar[str] = "channel type"

    apprise: (
        Annotated[tuple[SecretOrText, ...], one_or_many(SecretOrText), Field(strict=False, min_length=1)]
        | None
    ) = None
    webhook: WebhookSettings | None = None
    email: EmailSettings | None = None
    log: Annotated[LogSettings | None, BeforeValidator(_nothing_is_empty)] = None
    group: Annotated[GroupSettings | None, BeforeValidator(_nothing_is_empty)] = None
    rate: RateLimit | None = None

    @model_validator(mode="after")
    def _one_type(self) -> ChannelSettings:
        exactly_one(_TYPES, self.model_fields_set, "log: {}")
        if getattr(self, self.type) is None:
            refuse(f"The key `{self.type}` has no value")
        return self

    @property
    def type(self) -> str:
        """apprise, webhook, email or log."""
        return next(name for name in _TYPES if name in self.model_fields_set)

    @property
    def references(self) -> tuple[SecretReference, ...]:
        """Every secret the channel needs that is kept elsewhere."""
        given = (
            *(self.apprise or ()),
            self.webhook.secret if self.webhook else None,
            self.email.password if self.email else None,
        )
        return tuple(secret for secret in given if isinstance(secret, SecretReference))
