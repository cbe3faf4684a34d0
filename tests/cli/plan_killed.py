"""The command, dying at once (SIGKILL) at a boundary of placing a plan.

    python -m tests.cli.plan_killed BOUNDARY before|after CALL ARGUMENTS…

`BOUNDARY` is one of `POINTS`, `CALL` the number of the call to it at which the process dies. It plans two
rows in a transaction, so that a plan has several.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from smm_rules.cli.app import run
from smm_rules.cli.orders.plan import placing
from smm_rules.cli.orders.plan.report import Report
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.panel.client import PanelClient

POINTS: dict[str, tuple[type, str]] = {
    "plan": (SqlLedger, "place_plan"),
    "claim": (SqlLedger, "claim"),
    "send": (PanelClient, "add"),
    "settle": (SqlLedger, "settle"),
    "report": (Report, "write"),
}


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(point: Callable[..., Any], when: str, at: int) -> Callable[..., Any]:
    """`point`, which kills the process before or after its call number `at`."""
    calls = 0

    def begun() -> bool:
        nonlocal calls
        calls += 1
        if calls == at and when == "before":
            _die()
        return calls == at

    if point.__name__ == "write":

        @functools.wraps(point)
        def plain(*given: Any) -> Any:
            last = begun()
            result = point(*given)
            if last:
                _die()
            return result

        return plain

    @functools.wraps(point)
    async def waiting(*given: Any, **named: Any) -> Any:
        last = begun()
        result = await point(*given, **named)
        if last:
            _die()
        return result

    return waiting


if __name__ == "__main__":
    boundary, when, at, *arguments = sys.argv[1:]
    owner, name = POINTS[boundary]
    setattr(owner, name, dying(getattr(owner, name), when, int(at)))
    placing.CHUNK = 2
    sys.exit(run(arguments))
