"""Everything a simulator can be told before it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from smm_rules.simulator.catalogue import Service, default_services
from smm_rules.simulator.course import Script
from smm_rules.simulator.faults import FaultRate

#: The key of the one account there is unless the settings say otherwise.
DEFAULT_KEY = "simulator-key-8f3a51c07d"


class DialectName(StrEnum):
    """The two ways of answering."""

    CLASSIC = "classic"
    MODERN = "modern"


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One customer of the panel. Journals name it by `label`, never by its key."""

    label: str = "default"
    key: str = field(default=DEFAULT_KEY, repr=False)
    balance: Decimal = Decimal("100.00")
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """How a simulator behaves.

    `port` 0 takes a free one. `scenario` is `empty`, `mission`, `all-types`, `steady:N` or `moving:N`.
    `speed` is panel seconds per second of the machine; 0 lets time move by hand only. `start` is the panel's
    first instant, the machine's time if None. `requests_per_minute` counts per key in the panel's minutes,
    None for no limit. `journal` is the file to append to, None keeps it in memory. `latency` (from, to)
    delays every answer in the machine's time, `slow_for` one that the fault SLOW hits. `refill_pause` is the
    least time between two refills of an order. `changing_share` is the part of `steady:N` whose remains move
    every panel minute. `largest_body` is in bytes; a longer request gets 413.
    """

    host: str = "127.0.0.1"
    port: int = 0
    dialect: DialectName = DialectName.CLASSIC
    scenario: str = "empty"
    seed: int = 1
    speed: float = 1.0
    start: datetime | None = None
    accounts: tuple[AccountSettings, ...] = (AccountSettings(),)
    services: tuple[Service, ...] = field(default_factory=default_services, repr=False)
    script: Script = field(default_factory=Script, repr=False)
    requests_per_minute: int | None = None
    faults: tuple[FaultRate, ...] = ()
    latency: tuple[timedelta, timedelta] = (timedelta(0), timedelta(0))
    slow_for: timedelta = timedelta(seconds=1)
    journal: Path | None = None
    refill_pause: timedelta = timedelta(0)
    one_order_per_link: bool = False
    first_order: int = 1001
    changing_share: float = 0.0
    largest_body: int = 1_000_000

    def __post_init__(self) -> None:
        # From a command line or a marker both come as plain text.
        object.__setattr__(self, "dialect", DialectName(self.dialect))
        if not self.accounts:
            raise ValueError("a simulator needs at least one account")
        for what in ("key", "label"):
            if len({getattr(account, what) for account in self.accounts}) != len(self.accounts):
                raise ValueError(f"two accounts have the same {what}")
        if self.requests_per_minute is not None and self.requests_per_minute < 1:
            raise ValueError("requests_per_minute must be 1 or more, or None for no limit")
