"""A panel on a raw socket: reads go well, and paid calls meet the fault of the test."""

from __future__ import annotations

import asyncio
from collections import deque

from tests.panel.fault_server import Fault, FaultServer, Turn, answer

SERVICE = {
    "service": 1,
    "name": "Followers",
    "type": "Default",
    "category": "All",
    "rate": "1.00",
    "min": "10",
    "max": "10000",
    "refill": True,
    "cancel": True,
}
#: The orders it knows, each in the state in which a rule of `ACTING_RULES` acts on it.
ORDERS = {"1": "Partial", "2": "Canceled", "3": "In progress"}
MADE = {"refill": "7001", "add": "9001", "cancel": ""}
PAID = ("refill", "add", "cancel")


class RawPanel(FaultServer):
    """`paid` holds the faults of each paid action's next calls; when they are used up, all goes well.

    With `refusing` set, nobody listens from the moment the orders' states have been asked for.
    """

    def __init__(self, *paid: Fault) -> None:
        super().__init__()
        self.paid = {action: deque(paid) for action in PAID}
        self.refusing = False
        self.script(self._answer)

    async def listen_again(self) -> None:
        self.refusing = False
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _answer(self, turn: Turn) -> None:
        action = turn.seen.form.get("action", "")
        faults = self.paid.get(action)
        if faults:
            await faults.popleft()(turn)
            return
        if action == "status" and self.refusing:
            self._server.close()
        await answer(self._well(action, turn.seen.form))(turn)

    def _well(self, action: str, form: dict[str, str]) -> object:
        if action == "services":
            return [SERVICE]
        if action == "balance":
            return {"balance": "100.00", "currency": "USD"}
        if action == "status":
            return _by_id(form, "order", _state)
        if action == "refill_status":
            return {"status": "Pending"}
        if action == "add":
            return {"order": int(MADE["add"])}
        if action == "refill":
            return {"refill": MADE["refill"]}
        return [{"order": form["orders"], "cancel": 1}]


def _state(order: str) -> dict[str, str]:
    status = ORDERS.get(order, "Pending")
    return {"charge": "1.00", "start_count": "0", "status": status, "remains": "400", "currency": "USD"}


def _by_id(form: dict[str, str], name: str, state: object) -> object:
    assert callable(state)
    if f"{name}s" in form:
        return {number: state(number) for number in form[f"{name}s"].split(",")}
    return state(form[name])
