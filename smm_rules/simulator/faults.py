"""What may go wrong on the way to an answer, asked for by hand or by chance."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum
from random import Random

#: Stands for every action.
ANY = "*"


class Fault(StrEnum):
    """One way a request can fail. Whether the panel had acted by then is in the name."""

    ERROR_BEFORE_EFFECT = "error_before_effect"
    ERROR_AFTER_EFFECT = "error_after_effect"
    CLOSE_BEFORE_EFFECT = "close_before_effect"
    CLOSE_AFTER_EFFECT = "close_after_effect"
    HANG_BEFORE_EFFECT = "hang_before_effect"
    HANG_AFTER_EFFECT = "hang_after_effect"
    #: The answer is right and comes `slow_for` late.
    SLOW = "slow"
    #: 503 with a proxy's HTML page; the panel itself never saw the request.
    HTML_BEFORE_EFFECT = "html_before_effect"
    #: 502 with a proxy's HTML page after the panel acted.
    HTML_AFTER_EFFECT = "html_after_effect"
    #: A whole HTTP answer whose JSON is cut in half.
    TRUNCATED_JSON = "truncated_json"
    #: Headers promise more than comes, then the connection closes.
    HALF_BODY = "half_body"
    #: Some of the IDs asked for are left out of the answer.
    MISSING_IDS = "missing_ids"
    #: Statuses as they were ten minutes before.
    STALE_STATUS = "stale_status"
    RATE_LIMITED = "rate_limited"
    EMPTY_CATALOGUE = "empty_catalogue"


#: With these the panel does nothing.
BEFORE_EFFECT = frozenset(
    {
        Fault.ERROR_BEFORE_EFFECT,
        Fault.CLOSE_BEFORE_EFFECT,
        Fault.HANG_BEFORE_EFFECT,
        Fault.HTML_BEFORE_EFFECT,
        Fault.RATE_LIMITED,
    }
)


@dataclass(frozen=True, slots=True)
class FaultRate:
    """`fault` strikes each request for `action` (`*` for any) with `probability`, 0 to 1."""

    action: str
    fault: Fault
    probability: float

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"a fault's probability is 0 to 1, not {self.probability}")

    @classmethod
    def parse(cls, text: str) -> FaultRate:
        """The rate written as `ACTION=FAULT:PROBABILITY`, such as `add=close_after_effect:0.05`."""
        action, equals, rest = text.partition("=")
        name, colon, share = rest.partition(":")
        if not (action and equals and colon):
            raise ValueError(
                f"{text!r}: expected ACTION=FAULT:PROBABILITY, as in add=close_after_effect:0.05"
            )
        try:
            fault = Fault(name)
        except ValueError:
            raise ValueError(f"{text!r}: no fault {name!r}; there are {', '.join(Fault)}") from None
        try:
            return cls(action, fault, float(share))
        except ValueError as error:
            raise ValueError(f"{text!r}: {error}") from None


class Faults:
    """Which fault strikes the next request. Safe to call from any thread while the panel answers."""

    def __init__(self, seed: int = 1, rates: tuple[FaultRate, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._chance = Random(seed)  # noqa: S311 - a seed that reproduces the run, not a secret
        self._rates = list(rates)
        self._queued: dict[str, deque[Fault]] = defaultdict(deque)
        self._lasting: dict[str, Fault] = {}

    def next(self, action: str, *faults: Fault | str) -> None:
        """Let the next requests for `action` meet `faults`, one each, in this order."""
        with self._lock:
            self._queued[action].extend(Fault(fault) for fault in faults)

    def always(self, action: str, fault: Fault | str) -> None:
        """Let every request for `action` meet `fault` until `clear`."""
        with self._lock:
            self._lasting[action] = Fault(fault)

    def chance(self, action: str, fault: Fault | str, probability: float) -> None:
        """Let each request for `action` meet `fault` with `probability`, drawn from the seed."""
        with self._lock:
            self._rates.append(FaultRate(action, Fault(fault), probability))

    def clear(self) -> None:
        """Let everything go well from now on."""
        with self._lock:
            self._rates.clear()
            self._queued.clear()
            self._lasting.clear()

    def take(self, action: str) -> Fault | None:
        """The fault for a request that has just come in; asked-for ones go before lasting ones and chance."""
        if not (self._queued or self._lasting or self._rates):
            return None
        with self._lock:
            for name in (action, ANY):
                if self._queued.get(name):
                    return self._queued[name].popleft()
            for name in (action, ANY):
                if name in self._lasting:
                    return self._lasting[name]
            for rate in self._rates:
                if rate.action in (action, ANY) and self._chance.random() < rate.probability:
                    return rate.fault
            return None

    def pending(self) -> dict[str, list[str]]:
        """The asked-for faults not yet met, by action."""
        with self._lock:
            return {
                action: [str(fault) for fault in queue] for action, queue in self._queued.items() if queue
            }
