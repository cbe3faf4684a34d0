"""What a back end gives to the functions of `ledger.sql`: transactions to run them in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from smm_rules.ledger.sql.query import Connection

P = ParamSpec("P")
R = TypeVar("R")


class Transactions(Protocol):
    """Runs plain functions over a connection, off the event loop. `LedgerError` says what went wrong.

    A call that was cancelled while it ran is still carried out whole: its transaction commits or not, never
    half.
    """

    async def write(
        self, function: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """`function(connection, …)` in a write transaction, durable on return.

        One at a time, over all processes: what it judges by can't change under it.
        """
        ...

    async def write_beside(
        self, function: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Like `write`, but other writers may be at work at the same time, and it may be done twice.

        For what decides nothing and adds nothing to the record of decisions.
        """
        ...

    async def read(
        self, function: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """`function(connection, …)` in a read transaction: all it reads is of one moment."""
        ...

    async def alone(self, function: Callable[[Connection], R], /) -> R:
        """`function(connection)` outside a transaction, and with no other of this process meanwhile: it
        makes its own, by a `Transact`."""
        ...

    async def close(self) -> None:
        """Finish what was begun, then close. Closing twice does nothing."""
        ...


class Transact(Protocol):
    """Runs a function in a write transaction, durable on return; called by what runs `alone`."""

    def __call__(self, connection: Connection, function: Callable[[Connection], R], /) -> R: ...
