"""The panel's own account of what it was asked and what it did, for whoever judges the asking program.

It is kept apart from everything the program under test writes. One JSON object a line:

    {"n": 7, "at": "…", "wall": 1.7e9, "kind": "request", "action": "add", "parameters": {…}, …}
    {"n": 8, "at": "…", "wall": 1.7e9, "kind": "order_made", "request": 7, "order": "1001", …}

`at` is the panel's time, `wall` the machine's in seconds since 1970. `key` is an account's label; the key
itself is never written. Effects are on the disk (fsync) before their answer leaves.
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from smm_rules.simulator.clock import instant

#: How many requests a journal in memory keeps; effects are all kept.
REQUESTS_IN_MEMORY = 100_000


class Kind(StrEnum):
    """What an entry tells of."""

    STARTED = "started"
    REQUEST = "request"
    ORDER_MADE = "order_made"
    REFILL_MADE = "refill_made"
    CANCEL_ACCEPTED = "cancel_accepted"
    #: The order became Canceled by an accepted cancel.
    CANCELED = "canceled"
    REFUND = "refund"
    REFILL_ENDED = "refill_ended"
    #: Money came or went otherwise: another use of the account, or a control call.
    BALANCE_CHANGED = "balance_changed"
    #: Somebody used the simulator's controls.
    CONTROL = "control"


#: The effects of the paid actions: what a program must not cause twice.
PAID_KINDS = frozenset({Kind.ORDER_MADE, Kind.REFILL_MADE, Kind.CANCEL_ACCEPTED})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal. What doesn't apply to its `kind` is empty.

    `request` of an effect is the `n` of the request that caused it, 0 when the panel acted by itself.
    `amount` is money in the account's currency: paid for an order made, returned by a refund, and the signed
    change for `balance_changed`. `parameters` never hold the key.
    """

    n: int
    kind: Kind
    at: str
    wall: float
    action: str = ""
    key: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    request: int = 0
    order: str = ""
    refill: str = ""
    service: str = ""
    parent: str = ""
    amount: Decimal = Decimal(0)
    note: str = ""

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Entry:
        """The entry a line of a journal file stands for."""
        return cls(**{**line, "kind": Kind(line["kind"]), "amount": Decimal(line.get("amount", "0"))})


class JournalWriter:
    """Appends entries to a file, or keeps them in memory when `path` is None.

    A file that is already there goes on: numbers continue, also those of orders and refills.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._requests: deque[Entry] = deque(maxlen=REQUESTS_IN_MEMORY)
        self._effects: list[Entry] = []
        self._number = self.last_order = self.last_refill = 0
        self._file: int | None = None
        if path is not None:
            self._open(path)

    def _open(self, path: Path) -> None:
        if path.exists():
            for entry in _read(path):
                self._number = entry.n
                self.last_order = max(self.last_order, int(entry.order or 0))
                self.last_refill = max(self.last_refill, int(entry.refill or 0))
        torn = path.exists() and not path.read_bytes().endswith(b"\n") and path.stat().st_size > 0
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if torn:  # the last process died in the middle of a line; keep the next one whole
            os.write(self._file, b"\n")

    def request(
        self, at: float, action: str, key: str, parameters: Mapping[str, str], fault: str = ""
    ) -> int:
        """Note a request as it arrived; its number in the journal."""
        return self._write({"kind": Kind.REQUEST, "action": action, "key": key, "parameters": parameters,
                            "fault": fault}, at)  # fmt: skip

    def effect(self, kind: Kind, at: float, **fields: Any) -> None:
        """Note what the panel did, and make it last before going on."""
        self._write({"kind": kind, **fields}, at)
        self.sync()

    def sync(self) -> None:
        """Put everything noted so far on the disk."""
        if self._file is not None:
            os.fsync(self._file)

    def _write(self, fields: dict[str, Any], at: float) -> int:
        self._number += 1
        line = {"n": self._number, "at": instant(at).isoformat(), "wall": round(time.time(), 6)}
        line |= {name: value for name, value in fields.items() if value}
        if self._file is not None:
            os.write(self._file, json.dumps(line, ensure_ascii=False, default=str).encode() + b"\n")
        elif fields["kind"] is Kind.REQUEST:
            self._requests.append(Entry.from_json(line))
        else:
            self._effects.append(Entry.from_json(line))
        return self._number

    def entries(self) -> tuple[Entry, ...]:
        """Everything noted, oldest first."""
        if self.path is not None:
            return tuple(_read(self.path))
        return tuple(sorted((*self._requests, *self._effects), key=lambda entry: entry.n))

    def close(self) -> None:
        """Sync and let go of the file."""
        if self._file is not None:
            self.sync()
            os.close(self._file)
            self._file = None


def _read(path: Path) -> Iterator[Entry]:
    """The entries of a file; a line torn by a crash is passed over, it never had an answer."""
    with path.open("rb") as lines:
        for line in lines:
            try:
                fields = json.loads(line)
            except ValueError:
                continue
            yield Entry.from_json(fields)


@dataclass(frozen=True, slots=True)
class Journal:
    """What happened, to be judged. `entries` are oldest first."""

    entries: tuple[Entry, ...]

    @classmethod
    def read(cls, path: Path) -> Journal:
        """The journal in the file at `path`; works while the simulator writes it and after it was killed."""
        return cls(tuple(_read(path)))

    def requests(self, action: str | None = None) -> tuple[Entry, ...]:
        """The requests as they arrived, for `action` or all."""
        return tuple(
            entry for entry in self.entries if entry.kind is Kind.REQUEST and action in (None, entry.action)
        )

    def effects(self, *kinds: Kind) -> tuple[Entry, ...]:
        """What the panel did, of these kinds or all of them."""
        wanted = frozenset(kinds) or frozenset(Kind) - {Kind.REQUEST, Kind.STARTED, Kind.CONTROL}
        return tuple(entry for entry in self.entries if entry.kind in wanted)

    def orders_made(self, suborders: bool = False) -> tuple[Entry, ...]:
        """The orders made by `add`, and with `suborders` those that drip-feeds and subscriptions made."""
        return tuple(entry for entry in self.effects(Kind.ORDER_MADE) if suborders or not entry.parent)

    def refills_made(self) -> tuple[Entry, ...]:
        """The refills accepted."""
        return self.effects(Kind.REFILL_MADE)

    def cancels_accepted(self) -> tuple[Entry, ...]:
        """The cancels accepted, whether or not they came in time to cancel."""
        return self.effects(Kind.CANCEL_ACCEPTED)

    def refunds(self) -> tuple[Entry, ...]:
        """The money given back."""
        return self.effects(Kind.REFUND)

    def paid_effects(self) -> tuple[Entry, ...]:
        """Every effect of a paid action that somebody asked for: orders, refills and cancels."""
        return tuple(entry for entry in self.effects(*PAID_KINDS) if not entry.parent)

    def duplicates(self) -> tuple[tuple[Entry, ...], ...]:
        """Groups of two or more paid effects of equal kind, account and parameters (or order).

        Two equal orders can be meant; whether they were is for the judge to say.
        """
        groups: dict[tuple[object, ...], list[Entry]] = {}
        for entry in self.paid_effects():
            what: object = entry.order
            if entry.kind is Kind.ORDER_MADE:
                what = tuple(sorted(entry.parameters.items()))
            groups.setdefault((entry.kind, entry.key, what), []).append(entry)
        return tuple(tuple(group) for group in groups.values() if len(group) > 1)

    def spent(self, key: str | None = None) -> Decimal:
        """What was paid for orders less what was refunded, on the account labelled `key` or on all."""
        paid = sum((e.amount for e in self.effects(Kind.ORDER_MADE) if key in (None, e.key)), Decimal(0))
        back = sum((e.amount for e in self.refunds() if key in (None, e.key)), Decimal(0))
        return paid - back
