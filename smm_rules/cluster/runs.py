"""Which run of a unit the code at work belongs to: under which lease it began, and what it has taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count

_numbers = count(1)
_current: ContextVar[Run | None] = ContextVar("cluster_run", default=None)

#: What names the workers' claims among those of commands and of a daemon.
OWNER_PREFIX = "worker/"


@dataclass(slots=True)
class Run:
    """One run of a unit. `epoch` is that of the lease it began under, `taken` counts what it reads, `rules`
    is the generation it judges by, None until it does."""

    epoch: int
    number: int
    taken: int = 0
    rules: int | None = None

    @property
    def owner(self) -> str:
        """The name under which it claims."""
        return owner_of(self.epoch)


def owner_of(epoch: int) -> str:
    """The name under which a lease claims."""
    return f"{OWNER_PREFIX}{epoch}"


def epoch_of(owner: str) -> int | None:
    """The epoch of a claim's owner; None when no worker made it."""
    number = owner.removeprefix(OWNER_PREFIX)
    return int(number) if owner.startswith(OWNER_PREFIX) and number.isdecimal() else None


def current() -> Run:
    """The run the caller belongs to. `RuntimeError` outside of any: nothing may be decided there."""
    run = _current.get()
    if run is None:
        raise RuntimeError("a worker decides within a run alone; report this as a defect")
    return run


def judging_by(rules: int | None) -> None:
    """The run at work, if there is one, judges by this generation of rules from now on."""
    run = _current.get()
    if run is not None:
        run.rules = rules


@contextmanager
def running(epoch: int) -> Iterator[Run]:
    """The block is a run of its own under the lease of this epoch."""
    run = Run(epoch, next(_numbers))
    token = _current.set(run)
    try:
        yield run
    finally:
        _current.reset(token)
