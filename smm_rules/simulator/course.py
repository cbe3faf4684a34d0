"""How an order or a refill fares over time: a formula of its age, drawn from the seed and its number.

Nothing is stored per look and nothing ticks, so a hundred thousand orders cost no more than one until they
are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from smm_rules.simulator.statuses import RefillStatus, Status

_MASK = (1 << 64) - 1
_SHARE = 1 / 65536


def draw(seed: int, number: int, salt: int = 0) -> int:
    """64 pseudo-random bits that depend on nothing but the arguments (the splitmix64 mixing steps)."""
    bits = (seed * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03 + salt * 0x8CB92BA72F3D8DD7) & _MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
    return bits ^ (bits >> 31)


@dataclass(frozen=True, slots=True)
class Course:
    """The life of one order. Times are seconds since it was placed.

    It waits `pending`, is being processed for `processing`, delivers for `delivery` up to `share` of its
    quantity, and ends as `end`. With `end` None it gets stuck there, In progress for ever.
    `surplus` is how many too many a completed order delivered: its remains are negative then.
    """

    pending: float
    processing: float
    delivery: float
    end: str | None
    share: float = 1.0
    start_count: int | None = 0
    surplus: int = 0

    @property
    def ends_after(self) -> float | None:
        """Age in seconds at which the order ends, None when it never does."""
        return None if self.end is None else self.pending + self.processing + self.delivery

    def look(self, age: float, quantity: int) -> tuple[str, int]:
        """Status and remains of an order of `quantity` at `age` seconds."""
        if age < self.pending:
            return Status.PENDING, quantity
        delivering = age - self.pending - self.processing
        if delivering < 0:
            return Status.PROCESSING, quantity
        if delivering >= self.delivery:
            return self._ended(quantity)
        return Status.IN_PROGRESS, quantity - int(quantity * self.share * delivering / self.delivery)

    def _ended(self, quantity: int) -> tuple[str, int]:
        if self.end == Status.COMPLETED:
            return Status.COMPLETED, -self.surplus
        remains = quantity - int(quantity * self.share)
        if self.end == Status.PARTIAL:
            remains = max(1, remains)  # a partial order that misses nothing would be a completed one
        return self.end or Status.IN_PROGRESS, remains


def straight(end: str | None, after: timedelta, delivered: float = 1.0, start_count: int = 100) -> Course:
    """A course that delivers evenly from the start and ends as `end` after `after`; for scenarios."""
    return Course(0.0, 0.0, after.total_seconds(), end, delivered, start_count)


@dataclass(frozen=True, slots=True)
class RefillCourse:
    """The life of one refill: `pending` seconds, `working` seconds, then `end`."""

    pending: float
    working: float
    end: str

    @property
    def ends_after(self) -> float:
        """Age in seconds at which the refill is over."""
        return self.pending + self.working

    def look(self, age: float) -> str:
        """The refill's status at `age` seconds."""
        if age < self.pending:
            return RefillStatus.PENDING
        return RefillStatus.IN_PROGRESS if age < self.ends_after else self.end


Range = tuple[timedelta, timedelta]


@dataclass(frozen=True, slots=True)
class Script:
    """From which an order's course is drawn. Outcomes are weights, not per cents; ranges are (from, to)."""

    completed: float = 80
    partial: float = 8
    canceled: float = 6
    stuck: float = 4
    error: float = 2
    pending: Range = (timedelta(minutes=1), timedelta(minutes=10))
    processing: Range = (timedelta(minutes=0), timedelta(minutes=2))
    delivery: Range = (timedelta(minutes=10), timedelta(minutes=120))
    surplus_share: float = 0.05
    unknown_start_share: float = 0.1
    refill_rejected_share: float = 0.15
    refill_pending: Range = (timedelta(minutes=5), timedelta(minutes=30))
    refill_working: Range = (timedelta(minutes=10), timedelta(minutes=60))
    cancel_delay: Range = (timedelta(minutes=1), timedelta(minutes=10))
    post_interval: Range = (timedelta(minutes=60), timedelta(minutes=360))
    _ladder: tuple[tuple[float, str | None], ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        weights: list[tuple[float, str | None]] = [
            (self.completed, Status.COMPLETED),
            (self.partial, Status.PARTIAL),
            (self.canceled, Status.CANCELED),
            (self.stuck, None),
            (self.error, Status.ERROR),
        ]
        total = sum(weight for weight, _ in weights)
        if total <= 0 or any(weight < 0 for weight, _ in weights):
            raise ValueError("a script needs outcome weights of 0 or more, and one above 0")
        reached = 0.0
        ladder: list[tuple[float, str | None]] = []
        for weight, end in weights:
            reached += weight / total
            ladder.append((reached, end))
        object.__setattr__(self, "_ladder", tuple(ladder))

    def course(self, seed: int, number: int) -> Course:
        """The course of order `number`; the same for the same arguments, for ever."""
        bits = draw(seed, number)
        luck, pending, processing, delivery = ((bits >> shift & 0xFFFF) * _SHARE for shift in (0, 16, 32, 48))
        more = draw(seed, number, 1)
        start = None if (more & 0xFFFF) * _SHARE < self.unknown_start_share else (more >> 16) & 0x3FFF
        surplus = 1 + (more >> 30 & 7) if (more >> 48) * _SHARE < self.surplus_share else 0
        end = next((end for reached, end in self._ladder if luck < reached), Status.COMPLETED)
        return Course(
            _within(self.pending, pending),
            _within(self.processing, processing),
            max(1.0, _within(self.delivery, delivery)),
            end,
            1.0 if end == Status.COMPLETED else 0.05 + 0.9 * (more >> 33 & 0x7FFF) / 0x8000,
            start,
            surplus,
        )

    def refill_course(self, seed: int, number: int) -> RefillCourse:
        """The course of refill `number`."""
        bits = draw(seed, number, 2)
        rejected = (bits & 0xFFFF) * _SHARE < self.refill_rejected_share
        return RefillCourse(
            _within(self.refill_pending, (bits >> 16 & 0xFFFF) * _SHARE),
            _within(self.refill_working, (bits >> 32 & 0xFFFF) * _SHARE),
            RefillStatus.REJECTED if rejected else RefillStatus.COMPLETED,
        )

    def cancel_delay_seconds(self, seed: int, number: int) -> float:
        """How long after it was accepted the cancel of order `number` takes effect."""
        return _within(self.cancel_delay, (draw(seed, number, 3) & 0xFFFF) * _SHARE)

    def post_interval_seconds(self, seed: int, number: int, post: int) -> float:
        """How long subscription `number` waits for its `post`-th new post."""
        return _within(self.post_interval, (draw(seed, number, 4 + post) & 0xFFFF) * _SHARE)


def _within(bounds: Range, share: float) -> float:
    low, high = bounds[0].total_seconds(), bounds[1].total_seconds()
    return low + (high - low) * share
