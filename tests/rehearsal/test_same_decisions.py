"""For random rules and histories, the daemon, `smm-rules test` and `smm-rules replay` decide the same."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smm_rules.document import Position
from smm_rules.facts import Entity, EntityKind, Known
from smm_rules.ledger.records import NewOrder, OrderSource
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.panel.answers import OrderState, Service
from smm_rules.rehearsal.happening import Record
from smm_rules.rehearsal.replay.model import Span
from smm_rules.rehearsal.replay.replaying import ReplaySettings, replay
from smm_rules.rehearsal.scripted_panel import Answer, Manner, Script
from smm_rules.rehearsal.testing.model import Change, Moment, RuleTest, Thing
from smm_rules.rehearsal.testing.playing import START, new_id, play
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import RuleSet, StepKind
from tests.rehearsal.daemon import PANEL, Daemon, Firing, Step, Truth

MINUTE = timedelta(minutes=1)
INTERVAL = 60 * MINUTE
#: Long enough for orders to settle.
HORIZON = timedelta(hours=36)
HERE = Position(Path("test.yaml"), 1, 1)

_CLAUSES = (
    'status == "Partial"',
    'status in ("Partial", "Canceled")',
    'status != "Completed"',
    "remains > 0",
    "remains < 500",
    "progress >= 0.5",
    "start_count > 5",
    "known(start_count)",
    "refills < 1",
    "unchanged > 1h30m",
    "unchanged <= 3h",
    "age < 10h",
    "in_status >= 2h or remains > 700",
    "max(age, unchanged) > 4h",
    "service.refill",
    "not service.refill",
    "service.rate <= 1.5",
    "balance.amount > 50",
    "status_known",
)
_DO = (
    "[{log: {message: hit}}]",
    "[refill]",
    "[refill, {log: {message: 'made {{ result }}'}}]",
    "[{reorder: {max_rate_increase: 10%}}, {log: {message: again}}]",
    "[{log: {message: first}}, cancel]",
)


@st.composite
def rule_texts(draw: st.DrawFn, number: int, unit: timedelta) -> str:
    """One rule as YAML. Its durations are whole units."""

    def duration(most: int) -> str:
        return f"{draw(st.integers(1, most)) * int(unit.total_seconds()) // 60}m"

    do = draw(st.sampled_from(_DO))
    acts = do != _DO[0]
    clauses = draw(st.lists(st.sampled_from(_CLAUSES), min_size=1, max_size=3))
    lines = [
        f"  - name: rule-{number}",
        "    watch: order",
        f"    when: [{', '.join(map(repr, clauses))}]",
        f"    do: {do}",
        f"    first_seen: {draw(st.sampled_from(['ignore', 'act', 'act']))}",
    ]
    if draw(st.booleans()):
        lines.append(f"    for: {duration(4)}")
    if draw(st.booleans()):
        lines.append(f"    until: {draw(st.sampled_from(_CLAUSES))!r}")
    if draw(st.booleans()):
        lines.append("    done: [{log: {message: over}}]")
    if draw(st.booleans()) and "log" in do:
        lines.append(f"    remind: {duration(3)}")
    if acts and draw(st.booleans()):
        lines.append("    otherwise: [{log: {message: 'refused {{ refusal }}'}}]")
    limits = {
        "per_order": draw(st.sampled_from(["1", "2", None])),
        "every": draw(st.sampled_from(["0s", duration(6), None])),
        "per_chain": draw(st.sampled_from(["1", "2", None])),
        "per_sweep": draw(st.sampled_from(["1", "2", None])),
    }
    if acts or draw(st.booleans()):
        written = ", ".join(f"{name}: {value}" for name, value in limits.items() if value)
        lines.append(f"    limit: {{{written or 'per_order: 3'}}}")
    return "\n".join(lines)


@st.composite
def states(draw: st.DrawFn) -> OrderState:
    status = draw(st.sampled_from(["In progress", "Partial", "Partial", "Canceled", "Completed"]))
    return OrderState(
        status=status,
        status_known=True,
        remains=draw(st.sampled_from([0, 100, 600, 900, None])),
        start_count=draw(st.sampled_from([None, 3, 50])),
        charge=Decimal("0.90"),
        currency="USD",
    )


@dataclass(frozen=True)
class Tale:
    """Orders, what their panel says at first, and what changes when."""

    imported: bool
    orders: tuple[str, ...]
    changes: dict[timedelta, dict[str, object]]
    answers: dict[StepKind, tuple[Answer, ...]]


ANSWERS = st.dictionaries(
    st.sampled_from([StepKind.REFILL, StepKind.REORDER, StepKind.CANCEL]),
    st.lists(
        st.sampled_from([Answer(), Answer(Manner.REFUSED, "Not eligible"), Answer(Manner.LOST)]),
        min_size=1,
        max_size=2,
    ).map(tuple),
    max_size=2,
)


@st.composite
def tales(draw: st.DrawFn, unit: timedelta, most_orders: int, *, related: bool) -> Tale:
    """Every change of an order is one: it differs from what was so before."""
    orders = tuple(str(number) for number in range(1, draw(st.integers(1, most_orders)) + 1))
    now: dict[str, OrderState] = {name: draw(states()) for name in orders}
    changes: dict[timedelta, dict[str, object]] = {timedelta(): dict(now)}
    steps = draw(st.lists(st.integers(1, 24), max_size=6))
    at = timedelta()
    for step in steps:
        at += step * unit
        if at >= HORIZON:
            break
        change: dict[str, object] = {}
        for name in draw(st.lists(st.sampled_from(orders), min_size=1, unique=True)):
            state = draw(states())
            if state != now[name]:
                now[name] = state
                change[name] = state
        if related and draw(st.booleans()):
            change["amount"] = Decimal(draw(st.sampled_from([10, 80])))
        if related and draw(st.booleans()):
            rate, refill = Decimal(draw(st.sampled_from(["1.00", "2.00"]))), draw(st.booleans())
            change["service"] = Service("1", "F", "Default", "S", rate, 10, 100_000, refill, True, False)
        if change:
            changes[at] = change
    return Tale(draw(st.booleans()), orders, changes, draw(ANSWERS))


def load(texts: list[str], directory: Path) -> RuleSet:
    path = directory / "rules.yaml"
    path.write_text("rules:\n" + "\n".join(texts) + "\n", encoding="utf-8")
    return load_rules([path]).rules


def order(name: str, imported: bool) -> NewOrder:
    source = OrderSource.TRACKED if imported else OrderSource.PLACED
    parameters = {"link": "https://example.com/post", "quantity": "1000"}
    return NewOrder(Entity(EntityKind.ORDER, PANEL, name), "1", parameters, START - 60 * MINUTE, "", source)


def facts_of(value: object) -> dict[str, Known | None]:
    if isinstance(value, OrderState):
        names = ("status", "remains", "start_count", "charge", "currency")
    else:
        names = ("name", "category", "rate", "min", "max", "refill", "cancel", "dripfeed")
    return {name: getattr(value, name) for name in names}


def things(change: dict[str, object], imported: bool) -> tuple[Thing, ...]:
    found = []
    for name, value in change.items():
        if name == "amount" and isinstance(value, Decimal):
            found.append(Thing(Entity(EntityKind.BALANCE, PANEL), {"amount": value, "currency": "USD"}))
        elif name == "service":
            found.append(Thing(Entity(EntityKind.SERVICE, PANEL, "1"), facts_of(value)))
        else:
            entity = Entity(EntityKind.ORDER, PANEL, name)
            found.append(Thing(entity, facts_of(value), service="1", imported=imported))
    return tuple(found)


def as_test(tale: Tale, rules: RuleSet) -> RuleTest:
    first = {"amount": Truth().amount, "service": Truth().service} | tale.changes[timedelta()]
    return RuleTest(
        name="as played",
        position=HERE,
        rules=rules.rules,
        given=things(first, tale.imported),
        moments=(Moment(HORIZON, HERE, ()),),
        changes=tuple(Change(at, things(change, tale.imported)) for at, change in tale.changes.items() if at),
        answers=tale.answers,
        every=INTERVAL,
    )


def firings_of(record: Record) -> list[Firing]:
    return sorted(
        (Firing(one.rule, str(one.entity), one.occasion.value, one.at) for one in record.fired), key=repr
    )


def steps_of(record: Record) -> list[Step]:
    steps = [Step(one.firing.rule, str(one.firing.entity), one.place, one.outcome) for one in record.steps]
    return sorted(steps, key=repr)


async def three_ways(tale: Tale, rules: RuleSet) -> None:
    end = START + HORIZON
    async with await SqliteLedger.in_memory() as ledger:
        daemon = Daemon(ledger, rules, Script(new_id, tale.answers), START, INTERVAL)
        changes = {START + at: change for at, change in tale.changes.items()}
        await daemon.play([order(name, tale.imported) for name in tale.orders], changes, end)
        fired, steps = await daemon.firings(START, end), await daemon.steps()

        result = await play(as_test(tale, rules))
        record = result.stage.record
        assert (firings_of(record), steps_of(record)) == (fired, steps)

        played = await replay(ledger, rules, Span(START, end), ReplaySettings((PANEL,), lambda _: INTERVAL))
        replayed = [
            Firing(one.rule, str(one.entity), one.occasion.value, one.at) for one in played.account.fired
        ]
        assert sorted(replayed, key=repr) == fired
        if not tale.answers:
            acted = [(one.rule, str(one.entity), one.kind, one.state) for one in played.account.acted]
            intents = await ledger.intents((), 10_000)
            real = [(one.rule, str(one.entity), one.kind.value, one.state.value) for one in intents]
            assert sorted(acted) == sorted(one for one in real if one[3] != "planned")


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True).flatmap(
        lambda numbers: st.tuples(*(rule_texts(number, INTERVAL) for number in numbers))
    ),
    tales(INTERVAL, 3, related=True),
)
def test_many_orders_on_the_grid_of_looks(tmp_path: Path, texts: tuple[str, ...], tale: Tale) -> None:
    asyncio.run(three_ways(tale, load(list(texts), tmp_path)))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule_texts(1, 7 * MINUTE), rule_texts(2, 11 * MINUTE), tales(13 * MINUTE, 1, related=False))
def test_one_order_at_any_instant(tmp_path: Path, first: str, second: str, tale: Tale) -> None:
    asyncio.run(three_ways(tale, load([first, second], tmp_path)))
