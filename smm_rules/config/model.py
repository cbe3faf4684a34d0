"""The configuration, typed and frozen. It holds references to secrets, never a panel's key."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from smm_rules.config.addresses import PanelUrl
from smm_rules.config.alerts import AlertSettings
from smm_rules.config.channels import ChannelSettings
from smm_rules.config.cluster import ClusterSettings
from smm_rules.config.exchange import ExchangeRateSettings
from smm_rules.config.guards import GuardSettings, PanelGuards, UnknownSettings
from smm_rules.config.intake import IntakeSettings
from smm_rules.config.paths import FilePath
from smm_rules.config.place import LedgerPlace
from smm_rules.config.secrets import Secret, SecretReference
from smm_rules.config.statement import StatementSettings
from smm_rules.config.tracing import TracingSettings
from smm_rules.config.web import WebSettings
from smm_rules.document.types import Duration, Settings, Slug, at_least, one_or_many

_SECOND = at_least(timedelta(seconds=1))
#: How much sooner and later than usual an order is looked at, where nothing else is set.
_FASTER, _SLOWER = 5, 12


class PollSettings(Settings):
    """How often each kind of thing is read from a panel.

    With adaptive polling `orders` is the usual time between two looks at an order, which is never less than
    `fastest` and never more than `slowest`; a fifth and twelve times of it where they aren't set.
    """

    orders: Annotated[Duration, _SECOND] = timedelta(minutes=5)
    refills: Annotated[Duration, _SECOND] = timedelta(minutes=15)
    balance: Annotated[Duration, _SECOND] = timedelta(minutes=5)
    catalogue: Annotated[Duration, _SECOND] = timedelta(hours=6)
    fastest: Annotated[Duration, _SECOND] | None = None
    slowest: Annotated[Duration, _SECOND] | None = None

    @property
    def bounds(self) -> tuple[timedelta, timedelta]:
        """The least and the most time between two looks at an order."""
        fastest = max(self.orders / _FASTER, timedelta(seconds=1)) if self.fastest is None else self.fastest
        return fastest, self.orders * _SLOWER if self.slowest is None else self.slowest


class PanelSettings(Settings):
    """One panel: where it is and how hard it may be asked."""

    name: Slug
    url: PanelUrl
    key: Secret
    requests_per_minute: Annotated[int, Field(ge=1, le=6000)] = 60
    connections: Annotated[int, Field(ge=1, le=100)] = 4
    timeout: Annotated[Duration, _SECOND] = timedelta(seconds=30)
    poll: PollSettings = PollSettings()
    guards: PanelGuards = PanelGuards()


class OperatorSettings(Settings):
    """Who is told when an outcome is in doubt or the daemon itself has trouble."""

    channel: Slug


class ReloadSettings(Settings):
    """When rules are read again, beside SIGHUP: `watch` says whether a change of their files is enough."""

    watch: bool = True


class LoggingSettings(Settings):
    format: Literal["json", "console", "auto"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Configuration(Settings):
    """All settings of the daemon. Paths are absolute once loaded.

    `ledger_password` and `state_directory` belong to a ledger in a database: the directory is where this
    machine notes how far that has come. `services` is the mapping of equal services across panels.
    `observation_gap` is the longest time between two looks at a thing that still counts as having watched
    it. `settle_after` is how long a finished thing is still looked at. `retention` is how long history is
    kept. `polling` says whether each order has a pace of its own. `sweep_size` is how many orders one look
    takes at most.
    """

    panels: Annotated[tuple[PanelSettings, ...], Field(strict=False, min_length=1)]
    channels: dict[Slug, ChannelSettings] = Field(default_factory=dict)
    rules: Annotated[tuple[FilePath, ...], one_or_many(FilePath), Field(strict=False, min_length=1)]
    ledger: LedgerPlace
    ledger_password: Secret | None = None
    state_directory: FilePath | None = None
    services: FilePath | None = None
    exchange_rates: ExchangeRateSettings | None = None
    drop_folder: FilePath | None = None
    intake: IntakeSettings = IntakeSettings()
    operator: OperatorSettings | None = None
    alerts: AlertSettings = AlertSettings()
    mode: Literal["live", "dry_run", "shadow"] = "live"
    guards: GuardSettings = GuardSettings()
    unknown: UnknownSettings = UnknownSettings()
    observation_gap: Annotated[Duration, _SECOND] = timedelta(minutes=30)
    settle_after: Duration = timedelta(days=1)
    retention: Annotated[Duration, at_least(timedelta(days=1))] = timedelta(days=90)
    audit_retention: Annotated[Duration, at_least(timedelta(days=1))] = timedelta(days=730)
    statement: StatementSettings | None = None
    web: WebSettings | None = None
    tracing: TracingSettings | None = None
    reload: ReloadSettings = ReloadSettings()
    cluster: ClusterSettings = ClusterSettings()
    logging: LoggingSettings = LoggingSettings()
    stop_timeout: Annotated[Duration, _SECOND] = timedelta(seconds=30)
    polling: Literal["adaptive", "fixed"] = "adaptive"
    sweep_size: Annotated[int, Field(ge=1, le=100_000)] = 2000

    def panel(self, name: str) -> PanelSettings | None:
        """The panel called `name`, or None."""
        return next((panel for panel in self.panels if panel.name == name), None)

    @property
    def spend_is_guarded(self) -> bool:
        """Whether what actions cost is bounded over all panels, or on each of them."""
        return bool(self.guards.spend) or all(panel.guards.spend for panel in self.panels)

    @property
    def page_url(self) -> str:
        """The address of the status page for links in messages, without a slash at its end; may be empty."""
        return (self.web.base_url or "") if self.web is not None else ""

    @property
    def channel_types(self) -> dict[str, str]:
        """Each channel's type by its name."""
        return {name: channel.type for name, channel in self.channels.items()}

    @property
    def rule_sources(self) -> tuple[Path, ...]:
        """All that says what is bought: the rules, and the mapping of equal services beside them."""
        return self.rules if self.services is None else (*self.rules, self.services)

    @property
    def references(self) -> tuple[SecretReference, ...]:
        """Every secret that is kept elsewhere, for the redaction of logs and for `doctor`."""
        keys = [panel.key for panel in self.panels]
        channels = (secret for channel in self.channels.values() for secret in channel.references)
        ledger = () if self.ledger_password is None else (self.ledger_password,)
        web = self.web.references if self.web else ()
        tracing = self.tracing.references if self.tracing else ()
        return (*keys, *ledger, *channels, *web, *self.intake.references, *tracing)
