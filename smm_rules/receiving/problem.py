"""What is wrong with a request, as `application/problem+json` (RFC 9457): what, where, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

#: What the type of each problem begins with.
TYPE = "urn:smm-rules:problem:"


class Code(StrEnum):
    """The kinds of problems, as programs tell them apart."""

    UNAUTHORIZED = "unauthorized"
    THROTTLED = "throttled"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    METHOD = "method-not-allowed"
    MEDIA_TYPE = "media-type"
    TOO_LARGE = "too-large"
    TOO_SLOW = "too-slow"
    UNREADABLE = "unreadable"
    INVALID = "invalid"
    KEY_MISSING = "key-missing"
    KEY_MALFORMED = "key-malformed"
    KEY_REUSED = "key-reused"
    KEY_IN_USE = "key-in-use"
    ON_HOLD = "on-hold"
    LEDGER = "ledger-unavailable"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong. `pointer` is its place in the body (JSON Pointer), empty for the whole of it."""

    pointer: str
    detail: str
    to_do: str = ""


class Problem(Exception):
    """A request that isn't answered as it wished. `status` is HTTP's."""

    def __init__(
        self,
        status: int,
        code: Code,
        detail: str,
        to_do: str = "",
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.to_do = to_do
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    def document(self) -> dict[str, object]:
        """As the client gets it."""
        return {
            "type": TYPE + self.code,
            "title": TITLES[self.code],
            "status": self.status,
            "detail": self.detail,
            "to_do": self.to_do,
            "errors": [
                {"pointer": fault.pointer, "detail": fault.detail, "to_do": fault.to_do}
                for fault in self.faults
            ],
        }


TITLES = {
    Code.UNAUTHORIZED: "No known token",
    Code.THROTTLED: "Too many unknown tokens",
    Code.FORBIDDEN: "This token may not do that",
    Code.NOT_FOUND: "There is no such thing",
    Code.METHOD: "That can't be done to this",
    Code.MEDIA_TYPE: "The body is not JSON",
    Code.TOO_LARGE: "Too much at once",
    Code.TOO_SLOW: "The body didn't come in time",
    Code.UNREADABLE: "The body can't be read",
    Code.INVALID: "Something can't be taken as it is",
    Code.KEY_MISSING: "An idempotency key is needed",
    Code.KEY_MALFORMED: "That is no idempotency key",
    Code.KEY_REUSED: "The idempotency key stands for something else",
    Code.KEY_IN_USE: "The same is under way",
    Code.ON_HOLD: "Nothing is sent now",
    Code.LEDGER: "The ledger can't be used",
    Code.FAULT: "A fault of the program",
}


def invalid(faults: Sequence[Fault]) -> Problem:
    """Values that can't be taken, each with its place."""
    first = faults[0]
    where = f" at {first.pointer}" if first.pointer else ""
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Problem(422, Code.INVALID, f"{first.detail}{where}{more}", first.to_do, faults)
