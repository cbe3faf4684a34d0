"""Asks a panel about what is due, many at a time, and keeps apart who was answered and who was not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import Watched
from smm_rules.observe import get_logger
from smm_rules.panel.answers import Refused
from smm_rules.panel.errors import PanelError
from smm_rules.polling.decisions import Look
from smm_rules.polling.watch import PanelWatch

log = get_logger(__name__)
State = TypeVar("State")
StateRead = TypeVar("StateRead", covariant=True)
_MOST_LISTED = 20
_MISSING = {EntityKind.ORDER: "order.missing", EntityKind.REFILL: "refill.missing"}


class States(Protocol[StateRead]):
    """What a panel answered about many, as `OrderStates` and `RefillStates` have it."""

    @property
    def found(self) -> Mapping[str, StateRead | Refused]: ...

    @property
    def failed(self) -> Mapping[str, PanelError]: ...


@dataclass(frozen=True, slots=True)
class Answered(Generic[State]):
    """The entities answered, each with its answer, all received by `now`."""

    now: datetime
    answers: tuple[tuple[Watched, State | Refused], ...]


async def ask_due(
    watch: PanelWatch,
    kind: EntityKind,
    what: str,
    interval: timedelta,
    ask: Callable[[Sequence[str]], Awaitable[States[State]]],
) -> Answered[State] | None:
    """Ask about the most overdue entities of `kind`; None when nothing is due or nothing was answered.

    - The call failed as a whole: an outage. Nothing changes, not even when they are due.
    - Some requests of many failed: an outage of the look, too, but what was answered counts. The others
      stay frozen and due, so they are the first to be asked after the pause.
    - The panel left an entity out of an answer: missing is not gone. It stays frozen and is asked again after
      `interval`, so that it stands in nobody's way.
    """
    due = await watch.ledger.due(kind, watch.panel, watch.clock.now(), watch.pace.sweep_size)
    if not due:
        return None
    states = await watch.read(what, lambda: ask([item.entity.id for item in due]))
    if states is None:
        return None
    now = watch.clock.now()
    await note_answers(watch, what, states.failed, now, interval)
    unanswered = [
        one.entity for one in due if one.entity.id not in states.found and one.entity.id not in states.failed
    ]
    await postpone_missing(watch, kind, unanswered, now + interval)
    answers = tuple((one, states.found[one.entity.id]) for one in due if one.entity.id in states.found)
    return Answered(now, answers)


async def note_answers(
    watch: PanelWatch, what: str, failed: Mapping[str, PanelError], now: datetime, interval: timedelta
) -> None:
    """The panel answered, but for those in `failed`."""
    if failed:
        failure = next(iter(failed.values()))
        await watch.failed_in_part(what, failure, len(failed), now, interval)
    else:
        await watch.answered(what, now)


async def make_looks(
    watch: PanelWatch,
    answered: Answered[State],
    interval: timedelta,
    make: Callable[[Watched, State | Refused, datetime], Awaitable[Look]],
) -> list[Look]:
    """A look for each answer. One that can't be made is logged, frozen and asked again after `interval`:
    a sweep that died of it would die of it again at every tick."""
    looks: list[Look] = []
    broken: list[Watched] = []
    for item, answer in answered.answers:
        try:
            looks.append(await make(item, answer, answered.now))
        except LedgerError:
            raise
        except Exception as error:  # whatever it is, it is about this one entity
            broken.append(item)
            watch.counters.increment("looks_failed", panel=watch.panel)
            log.exception("panel.look_failed", panel=watch.panel, entity=str(item.entity), error=repr(error))
    if broken:
        await watch.ledger.postpone([item.entity for item in broken], answered.now + interval)
    return looks


async def postpone_missing(
    watch: PanelWatch, kind: EntityKind, missing: Sequence[Entity], until: datetime
) -> None:
    """The panel left these out of its answer: they are asked about again at `until`."""
    if not missing:
        return
    await watch.ledger.postpone(missing, until)
    watch.counters.increment("missing", amount=len(missing), panel=watch.panel, kind=kind.value)
    names = [entity.id for entity in missing[:_MOST_LISTED]]
    log.warning(_MISSING[kind], panel=watch.panel, count=len(missing), ids=names)
