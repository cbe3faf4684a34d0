"""All of API v2 of one panel.

Reads are repeated with backoff. The calls that change something (`add`, `refill`, `refill_many`, `cancel`)
make exactly one attempt each, on a connection of their own, and their errors tell what is known:

- `NotSent`: nothing was written, the panel can't have acted;
- `Rejected`, `RateLimited`: the panel answered that it did not act;
- `Ambiguous`, `Unreadable`: it may have acted;
- `asyncio.CancelledError` passes through when the task is cancelled, and then too it may have acted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar

from smm_rules.observe import Redactor, get_logger, span
from smm_rules.panel import wire
from smm_rules.panel.answers import (
    Accepted,
    Balance,
    OrderState,
    OrderStates,
    RefillState,
    RefillStates,
    Refused,
    Service,
)
from smm_rules.panel.batches import ABOUT_AN_ID, LARGEST_BATCH, Gathered, gather, unique
from smm_rules.panel.budget import Budget, Turns
from smm_rules.panel.endpoint import Endpoint
from smm_rules.panel.errors import PanelError, RateLimited, Rejected, Unreadable
from smm_rules.panel.repeats import NOTHING_KNOWN, Reader, Reading, Remembered, Repeats
from smm_rules.panel.repeats import read as read_less_repeats
from smm_rules.panel.replies import Reply, judge
from smm_rules.panel.retrying import RetryPolicy, retried
from smm_rules.panel.shapes import Entries
from smm_rules.panel.transport import Transport

__all__ = ["CallReport", "Endpoint", "OrderStates", "PanelClient", "RefillStates", "RetryPolicy"]

log = get_logger(__name__)
Answer = TypeVar("Answer")
State = TypeVar("State", OrderState, RefillState)

LARGEST_CATALOGUE = 16 * 1024 * 1024
LARGEST_ANSWER = 4 * 1024 * 1024
#: An unknown status is told once; a panel that makes up statuses is not given the whole log.
MOST_STATUSES_TOLD = 100
#: To find one bad ID among a hundred takes up to 14 requests; more than 100 are never spent at once.
_LEAST_SPLITS, _MOST_SPLITS = 14, 100


@dataclass(frozen=True, slots=True)
class CallReport:
    """One HTTP attempt as it ended. `outcome` is `answered` or the snake_case name of the error."""

    panel: str
    action: str
    attempt: int
    outcome: str
    elapsed: timedelta


class PanelClient:
    """The client of one panel. Close it with `aclose`, or use it as an async context manager."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        retries: RetryPolicy | None = None,
        on_call: Callable[[CallReport], None] | None = None,
        budget: Turns | None = None,
    ) -> None:
        """`budget` is one that others share; without it the client keeps the endpoint's to itself."""
        self.endpoint = endpoint
        self._retries = retries or RetryPolicy()
        self._on_call = on_call
        self._budget: Turns = budget or Budget(endpoint.requests_per_minute, endpoint.connections)
        self._transport = Transport(endpoint)
        self._redactor = Redactor([endpoint.key])
        self._statuses_told: set[str] = set()
        self._repeated = Remembered()

    def __repr__(self) -> str:
        return f"PanelClient({self.endpoint!r})"

    # -- reads ------------------------------------------------------------------------------------------
    async def services(self) -> tuple[Service, ...]:
        """The catalogue. An empty one is `Unreadable`; single rows that can't be read are left out."""
        catalogue = await self._read("services", {}, wire.read_catalogue, LARGEST_CATALOGUE)
        self._tell_unreadable("services", catalogue.unreadable)
        return catalogue.services

    async def balance(self) -> Balance:
        """The money left."""
        return await self._read("balance", {}, wire.read_balance)

    async def order_states(self, ids: Sequence[str], known: Mapping[str, int] = NOTHING_KNOWN) -> OrderStates:
        """The states of these orders, in requests of 100. Raises only when every request failed.

        `known` has the fingerprints of the answers that were read before, by order: an order about which the
        panel says the very same isn't in `found` but in `same`.
        """
        asked = unique(ids)
        repeats = Repeats(known)
        gathered = await self._states("status", "order", asked, wire.read_order_states, repeats)
        # Nearly always nothing is missing, and all of a hundred thousand would be looked for.
        whole = len(gathered.found) + len(repeats.same) == len(asked)
        missing = () if whole else tuple(one for one in gathered.missing(asked) if one not in repeats.same)
        return OrderStates(gathered.found, missing, gathered.failed, repeats.same, repeats.prints)

    async def refill_states(self, ids: Sequence[str]) -> RefillStates:
        """The states of these refills, in requests of 100. Raises only when every request failed."""
        asked = unique(ids)
        gathered = await self._states(
            "refill_status", "refill", asked, wire.read_refill_states, Repeats(NOTHING_KNOWN)
        )
        return RefillStates(gathered.found, gathered.missing(asked), gathered.failed)

    # -- calls that change something: one attempt each --------------------------------------------------
    async def ready(self) -> None:
        """Wait until the budget has room for a call, so that a claimed action needn't wait for it."""
        await self._budget.ready()

    async def add(self, parameters: Mapping[str, str]) -> str:
        """Place an order with checked `parameters` (see `order_params`), and give its ID."""
        return await self._act("add", parameters, wire.read_new_order, effects=("order", "order_id"))

    async def refill(self, order: str) -> Accepted:
        """Ask for a refill of one order. A refusal is `Rejected`."""

        def read(document: object) -> Accepted:
            return wire.read_refill(document, order)

        return await self._act("refill", {"order": order}, read, effects=("refill",))

    async def refill_many(self, orders: Sequence[str]) -> dict[str, Accepted | Refused]:
        """Ask for refills of at most 100 orders in one request.

        An order that isn't in the result got no readable answer: it may have been refilled. `Unreadable`
        when that is so for all.
        """
        return await self._act_on_many("refill", orders, wire.read_refills)

    async def cancel(self, orders: Sequence[str]) -> dict[str, Accepted | Refused]:
        """Ask to cancel at most 100 orders in one request; read the result like `refill_many`'s.

        Accepted means asked for: an order is canceled when its status says so.
        """
        return await self._act_on_many("cancel", orders, wire.read_cancels)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    # -- inside -----------------------------------------------------------------------------------------
    async def _read(
        self,
        action: str,
        fields: Mapping[str, str],
        reader: Callable[[object], Answer],
        largest: int = LARGEST_ANSWER,
    ) -> Answer:
        return await self._read_reply(action, fields, lambda reply: reader(judge(reply)), largest)

    async def _read_reply(
        self,
        action: str,
        fields: Mapping[str, str],
        read: Callable[[Reply], Answer],
        largest: int = LARGEST_ANSWER,
    ) -> Answer:
        async def attempt(number: int) -> Answer:
            return await self._attempt(action, fields, read, largest=largest, number=number)

        def on_retry(number: int, error: PanelError) -> None:
            log.warning(
                "panel.retry",
                panel=self.endpoint.name,
                action=action,
                attempt=number,
                outcome=_outcome(error),
                error=str(error),
            )

        return await retried(attempt, self._retries, on_retry)

    async def _states(
        self,
        action: str,
        label: str,
        ids: Sequence[str],
        reader: Reader[State],
        repeats: Repeats,
    ) -> Gathered[State]:
        async def fetch(batch: tuple[str, ...]) -> dict[str, State | Refused]:
            name = label if len(batch) == 1 else f"{label}s"

            def read(reply: Reply) -> Reading[State]:
                return read_less_repeats(reply, batch, repeats.known, reader, self._repeated)

            try:
                reading = await self._read_reply(action, {name: ",".join(batch)}, read)
            except Rejected as refusal:
                if len(batch) > 1 or refusal.reason not in ABOUT_AN_ID:
                    raise
                return {batch[0]: Refused(refusal.message)}
            repeats.take(reading)
            self._tell_unreadable(action, reading.unreadable)
            self._tell_statuses(label, reading.found)
            return reading.found

        # Half a minute's requests, so that looking for bad IDs holds up other reads no longer than that.
        splits = min(_MOST_SPLITS, max(_LEAST_SPLITS, self.endpoint.requests_per_minute // 2))
        return await gather(ids, fetch, self.endpoint.connections, splits)

    async def _act_on_many(
        self,
        action: str,
        orders: Sequence[str],
        reader: Callable[[object, Sequence[str]], Entries[Accepted]],
    ) -> dict[str, Accepted | Refused]:
        asked = unique(orders)
        if len(asked) > LARGEST_BATCH:
            raise ValueError(f"at most {LARGEST_BATCH} orders fit one {action}, not {len(asked)}")
        if not asked:
            return {}

        def read(document: object) -> Entries[Accepted]:
            entries = reader(document, asked)
            if not entries.found:
                raise Unreadable(f"the answer to {action} is about none of the orders")
            return entries

        entries = await self._act(action, {"orders": ",".join(asked)}, read, effects=(action,))
        self._tell_unreadable(action, entries.unreadable)
        return entries.found

    async def _act(
        self,
        action: str,
        fields: Mapping[str, str],
        reader: Callable[[object], Answer],
        effects: tuple[str, ...],
    ) -> Answer:
        """One attempt at what changes something; `effects` are the members that show that it did."""
        return await self._attempt(action, fields, lambda reply: reader(judge(reply, effects)), acting=True)

    async def _attempt(
        self,
        action: str,
        fields: Mapping[str, str],
        read: Callable[[Reply], Answer],
        *,
        acting: bool = False,
        largest: int = LARGEST_ANSWER,
        number: int = 1,
    ) -> Answer:
        form = {**fields, "action": action}
        async with self._budget.turn(urgent=acting):
            started = time.monotonic()
            try:
                with span("panel.call", panel=self.endpoint.name, action=action, attempt=number):
                    reply = await self._transport.post(form, largest, acting=acting)
                    answer = self._answer(action, reply, read)
            except PanelError as error:
                self._without_key(error)
                if isinstance(error, RateLimited):
                    self._budget.pause(self._retries.pause_after(error))
                self._report(action, number, _outcome(error), started, str(error))
                raise
        self._report(action, number, "answered", started)
        return answer

    def _answer(self, action: str, reply: Reply, read: Callable[[Reply], Answer]) -> Answer:
        """What `read` makes of the reply. What no reader foresaw proves nothing and stops nothing."""
        try:
            return read(reply)
        except PanelError:
            raise
        except Exception as error:
            log.exception("panel.answer_unforeseen", panel=self.endpoint.name, action=action)
            unforeseen = f"an answer that could not be read ({type(error).__name__})"
        raise Unreadable(unforeseen)

    def _report(self, action: str, number: int, outcome: str, started: float, error: str = "") -> None:
        elapsed = timedelta(seconds=time.monotonic() - started)
        report = CallReport(self.endpoint.name, action, number, outcome, elapsed)
        log.debug(
            "panel.request",
            panel=report.panel,
            action=action,
            attempt=number,
            outcome=outcome,
            milliseconds=round(elapsed.total_seconds() * 1000),
            error=error,
        )
        if self._on_call is not None:
            self._on_call(report)

    def _without_key(self, error: PanelError) -> None:
        """Make sure that a panel which repeats the key in its words doesn't pass it on."""
        error.args = tuple(self._redactor.text(str(argument)) for argument in error.args)
        if isinstance(error, Rejected):
            error.message = self._redactor.text(error.message)

    def _tell_unreadable(self, action: str, unreadable: Sequence[str]) -> None:
        if unreadable:
            log.warning(
                "panel.row_unreadable",
                panel=self.endpoint.name,
                action=action,
                count=len(unreadable),
                example=unreadable[0],
            )

    def _tell_statuses(self, label: str, found: Mapping[str, State | Refused]) -> None:
        for name, state in found.items():
            if isinstance(state, Refused) or state.status_known or state.status in self._statuses_told:
                continue
            if len(self._statuses_told) < MOST_STATUSES_TOLD:
                self._statuses_told.add(state.status)
                log.warning(
                    "panel.status_unrecognised",
                    panel=self.endpoint.name,
                    kind=label,
                    id=name,
                    status=state.status,
                )


def _outcome(error: PanelError) -> str:
    name = type(error).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
