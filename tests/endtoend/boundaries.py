"""Every moment at which a daemon can die between two durable facts, by name.

`install` patches the moment named into this very process, so that it ends there by SIGKILL. Each ledger
transaction has three: `before` it, `inside` (all is written, nothing is committed) and `after` (committed,
but nobody has been told yet). A call to a panel has `before` (not a byte has left), `written` (the panel has
acted, its answer is not read) and `after` (the answer is read, nothing is written down).
"""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from smm_rules.ledger.records import Sweep
from smm_rules.ledger.sql import changes, intents, outbox, received, sweeps
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.notify.channels.webhook import WebhookChannel
from smm_rules.panel import transport
from smm_rules.panel.client import PanelClient

When = Callable[..., bool]


def _always(*_: Any, **__: Any) -> bool:
    return True


def _fires(*arguments: Any) -> bool:
    """A sweep that plans something: others are recorded all the time."""
    sweep = next(argument for argument in arguments if isinstance(argument, Sweep))
    return any(planned.firing.acts for planned in sweep.firings)


def _acting(*_: Any, acting: bool, **__: Any) -> bool:
    return acting


#: Whether the call under way in this task is a paid one.
_paid: ContextVar[bool] = ContextVar("paid", default=False)


def _answer_to_action(*_: Any) -> bool:
    return _paid.get()


def _note_paid_calls() -> None:
    """Know within a call whether it is a paid one: its answer alone doesn't say."""
    original = transport.Transport.post

    @functools.wraps(original)
    async def noted(*arguments: Any, acting: bool, **named: Any) -> Any:
        token = _paid.set(acting)
        try:
            return await original(*arguments, acting=acting, **named)
        finally:
            _paid.reset(token)

    transport.Transport.post = noted  # type: ignore[method-assign]


@dataclass(frozen=True)
class Transaction:
    """One kind of write to the ledger: the port's method, and the function inside its transaction.

    `owner` is the back end's class where it isn't the one that `install` is told.
    """

    method: str
    module: Any
    when: When = _always
    owner: type | None = None


TRANSACTIONS = {
    "record": Transaction("record", sweeps, _fires),
    "claim": Transaction("claim", changes),
    "settle": Transaction("settle", changes),
    "delivered": Transaction("delivered", outbox),
    "undelivered": Transaction("undelivered", outbox),
    "note": Transaction("note", intents),
    "enqueue": Transaction("enqueue", outbox),
    "recover": Transaction("recover", changes),
    # The HTTP intake has a ledger of its own, also in a worker.
    "purchase": Transaction("purchase", received, owner=SqlLedger),
}
#: What a settlement writes one after the other, all in its one transaction.
PIECES = ("follow", "watch_refill", "plan", "enqueue")
PAID_CALLS = ("add", "refill", "cancel")
NAMES = (
    *(f"{name}.{moment}" for name in TRANSACTIONS for moment in ("before", "inside", "after")),
    *(f"settle.{piece}" for piece in PIECES),
    "send.before",
    "send.written",
    "send.after",
    "deliver.before",
    "deliver.after",
)


class _Countdown:
    """Ends or stops the process the `occurrence`-th time the moment comes."""

    def __init__(self, occurrence: int, number: signal.Signals, ledger: type) -> None:
        self._left = occurrence
        self._number = number
        self.ledger = ledger

    def strike(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), self._number)


def install(
    name: str,
    occurrence: int = 1,
    *,
    ledger: type = SqlLedger,
    number: signal.Signals = signal.SIGKILL,
) -> None:
    """Make this process die at the moment `name`, the `occurrence`-th time it comes.

    `ledger` is the back end's class, `number` another signal to get, such as SIGSTOP.
    """
    if name not in NAMES:
        raise ValueError(f"no boundary {name!r}")
    what, _, moment = name.partition(".")
    end = _Countdown(occurrence, number, ledger)
    if moment in PIECES:
        _after(changes, moment, _always, end)
    elif what in TRANSACTIONS:
        _in_transaction(TRANSACTIONS[what], moment, end)
    elif what == "deliver":
        (_async_before if moment == "before" else _async_after)(WebhookChannel, "send", _always, end)
    elif moment == "before":
        _async_before(transport.Transport, "post", _acting, end)
    elif moment == "written":
        _note_paid_calls()
        _async_before(transport, "_bounded_body", _answer_to_action, end)
    else:
        for call in PAID_CALLS:
            _async_after(PanelClient, call, _always, end)


def _in_transaction(transaction: Transaction, moment: str, end: _Countdown) -> None:
    owner = transaction.owner or end.ledger
    if moment == "before":
        _async_before(owner, transaction.method, transaction.when, end)
    elif moment == "after":
        _async_after(owner, transaction.method, transaction.when, end)
    else:
        _after(transaction.module, transaction.method, transaction.when, end)


def _async_before(owner: Any, name: str, when: When, end: _Countdown) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    async def patched(*arguments: Any, **named: Any) -> Any:
        if when(*arguments, **named):
            end.strike()
        return await original(*arguments, **named)

    setattr(owner, name, patched)


def _async_after(owner: Any, name: str, when: When, end: _Countdown) -> None:
    """After it has ended, well or with an error: a refusal is an answer too."""
    original = getattr(owner, name)

    @functools.wraps(original)
    async def patched(*arguments: Any, **named: Any) -> Any:
        try:
            return await original(*arguments, **named)
        finally:
            if when(*arguments, **named):
                end.strike()

    setattr(owner, name, patched)


def _after(module: Any, name: str, when: When, end: _Countdown) -> None:
    original = getattr(module, name)

    @functools.wraps(original)
    def patched(*arguments: Any, **named: Any) -> Any:
        result = original(*arguments, **named)
        if when(*arguments, **named):
            end.strike()
        return result

    setattr(module, name, patched)
