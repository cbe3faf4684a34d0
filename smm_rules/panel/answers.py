"""What panels answer, typed. Numbers are int, money Decimal; None is what the panel left unsaid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from smm_rules.panel.entries import Said
from smm_rules.panel.errors import PanelError


@dataclass(frozen=True, slots=True)
class Service:
    """One row of a catalogue. `rate` is the price of 1000 in the panel's currency."""

    id: str
    name: str
    type: str
    category: str
    rate: Decimal | None
    min: int | None
    max: int | None
    refill: bool | None
    cancel: bool | None
    dripfeed: bool | None


class OrderState(NamedTuple):
    """The panel's answer for one order. `status` is canonical where known, else the panel's own text.

    There are many in a sweep, and a named tuple is made in a third of the time.
    """

    status: str
    status_known: bool
    remains: int | None = None
    start_count: int | None = None
    charge: Decimal | None = None
    currency: str | None = None
    runs: int | None = None
    posts: int | None = None
    expiry: str | None = None
    suborders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefillState:
    """The panel's answer for one refill."""

    status: str
    status_known: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """The panel's error for one ID of many, in its own words."""

    message: str


@dataclass(frozen=True, slots=True)
class Balance:
    """The money left. `currency` is three capitals, or None where the panel doesn't say."""

    amount: Decimal
    currency: str | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A panel took a refill or a cancel. `id` is its request's ID where it gives one, else empty."""

    id: str


@dataclass(frozen=True, slots=True)
class OrderStates:
    """The panel's answers for the orders asked about.

    Every order asked about is in `found`, `same` or `missing`. Missing is not gone: the panel left it
    out, its entry made no sense, or the request that asked for it failed. In the last case `failed` also
    holds the failure by order.

    `same` are the orders about which the panel said the very same as before, with the answers whose words
    `panel.repeats` can still read. `prints` are fingerprints of what it said of those in `found`, where they
    could be taken.
    """

    found: dict[str, OrderState | Refused]
    missing: tuple[str, ...] = ()
    failed: Mapping[str, PanelError] = field(default_factory=dict)
    same: Mapping[str, Said] = field(default_factory=dict)
    prints: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefillStates:
    """The panel's answers for the refills asked about; read like `OrderStates`."""

    found: dict[str, RefillState | Refused]
    missing: tuple[str, ...] = ()
    failed: Mapping[str, PanelError] = field(default_factory=dict)
