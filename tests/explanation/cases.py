"""Times of "why didn't my rule fire?", each prepared end to end on a real ledger and a simulated panel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from smm_rules.explanation.model import Cause
from smm_rules.ledger.stops import StopKind, StopScope
from tests.explanation.stage import DAY, HOUR, MINUTE, Stage


@dataclass(frozen=True, slots=True)
class Case:
    """One question: the rule, what happened, the command, and the cause that it must name.

    `about` is the last argument of the command. `prose` is what the page says of it.
    """

    name: str
    title: str
    rule: str
    happen: Callable[[Stage], Awaitable[None]]
    about: str
    cause: Cause
    said: str
    prose: str
    mode: str = "live"


REFILL = """
name: refill-partial
watch: order
when: status == "Partial" and remains > 0 and service.refill
for: 10m
do: [refill]
limit: {per_order: 1, every: 24h}
"""
TELL = """
name: tell-partial
watch: order
when: status == "Partial"
do: [{notify: {channel: ops, message: "{{ order.id }} is partial"}}]
"""


async def _unknown_fact(stage: Stage) -> None:
    stage.panel.faults.always("services", "html_before_effect")
    await stage.get_acquainted()
    await stage.buy("a")
    await stage.look()
    stage.panel.set_status("1001", "Partial", 157)
    await stage.look(5 * MINUTE)


async def _clause_false(stage: Stage) -> None:
    await stage.get_acquainted()
    await stage.buy("a")
    await stage.look()
    stage.panel.set_status("1001", "Partial", 0)
    await stage.look(5 * MINUTE)


async def _still_holding(stage: Stage) -> None:
    await stage.get_acquainted()
    await stage.buy("a")
    await stage.look()
    stage.panel.set_status("1001", "Partial", 157)
    await stage.look(5 * MINUTE)
    await stage.look(5 * MINUTE)
    await stage.wait(MINUTE)


async def _first_seen(stage: Stage) -> None:
    await stage.get_acquainted()
    await stage.buy("a", status="Partial")
    await stage.look()
    await stage.look(5 * MINUTE)


async def _limit_every(stage: Stage) -> None:
    await stage.get_acquainted()
    await stage.buy("a")
    await stage.look()
    for status in ("Partial", "In progress", "Partial"):
        stage.panel.set_status("1001", status, 157)
        await stage.look(5 * MINUTE)


async def _limit_per_order(stage: Stage) -> None:
    await _limit_every(stage)


async def _limit_per_chain(stage: Stage) -> None:
    await stage.get_acquainted()
    await stage.buy("a")
    await stage.look()
    stage.panel.set_status("1001", "Canceled")
    await stage.look(5 * MINUTE)
    await stage.look(5 * MINUTE)
    stage.panel.set_status("1002", "Canceled")
    await stage.look(5 * MINUTE)


async def _limit_per_sweep(stage: Stage) -> None:
    await stage.get_acquainted()
    ids = await stage.buy("a", "b", "c")
    await stage.look()
    for each in ids:
        stage.panel.set_status(each, "Partial", 157)
    await stage.look(5 * MINUTE)


async def _paused(stage: Stage) -> None:
    await stage.get_acquainted()
    await stage.buy("a")
    await stage.look()
    stage.panel.set_status("1001", "Partial", 157)
    await stage.look(5 * MINUTE)
    now = stage.clock.now()
    await stage.ledger.stop(
        StopKind.PAUSE, StopScope.RULE, "refill-partial", "the panel counts wrongly", "operator:ann", now
    )
    await stage.look(15 * MINUTE)


async def _over_budget(stage: Stage) -> None:
    await stage.get_acquainted()
    ids = await stage.buy("a", "b")
    await stage.look()
    for each in ids:
        stage.panel.set_status(each, "Canceled")
    await stage.look(5 * MINUTE)


async def _panel_not_watched(stage: Stage) -> None:
    await _still_holding(stage)


async def _stale_panel(stage: Stage) -> None:
    await stage.get_acquainted()
    await stage.buy("a")
    await stage.look()
    await stage.wait(5 * MINUTE)
    stage.panel.set_status("1001", "Partial", 157)
    stage.panel.faults.always("*", "html_before_effect")
    await stage.look()
    await stage.look_at_health()
    await stage.wait(HOUR)


async def _settled(stage: Stage) -> None:
    rules, stage.rules = stage.rules, type(stage.rules)()
    await stage.get_acquainted()
    await stage.buy("a")
    await stage.look()
    stage.panel.set_status("1001", "Partial", 157)
    await stage.look(5 * MINUTE)
    await stage.look(DAY)
    stage.rules = rules
    await stage.look(HOUR)


async def _dry_run(stage: Stage) -> None:
    await stage.get_acquainted()
    await stage.buy("a")
    await stage.look()
    stage.panel.set_status("1001", "Partial", 157)
    await stage.look(5 * MINUTE)
    await stage.look(10 * MINUTE)


CASES = (
    Case(
        "clause-false",
        "A clause is false",
        REFILL,
        _clause_false,
        "1001",
        Cause.CLAUSE_FALSE,
        "remains must be above 0: it is 0",
        "The most frequent reason. Every clause is listed with its place, what it came to and the facts it "
        "read; what is false says what it would take.",
    ),
    Case(
        "unknown-fact",
        "A fact is unknown",
        REFILL,
        _unknown_fact,
        "1001",
        Cause.UNKNOWN_FACT,
        "service.refill is unknown: the catalogue of panel main has not been read",
        "A condition that needs a fact nobody knows is neither true nor false, also under `not`. The rule "
        "doesn't guess: it neither fires nor resolves until the fact is known. Use `known(...)` to ask.",
    ),
    Case(
        "still-holding",
        "The hold isn't over",
        REFILL,
        _still_holding,
        "1001",
        Cause.HOLDING,
        "wait 4m more",
        "With `for: 10m` the condition must hold that long without a break. The hold survives restarts and "
        "reloads; a stretch longer than `observation_gap` in which nobody looked begins it anew.",
    ),
    Case(
        "first-seen",
        "It was so before anybody looked",
        REFILL,
        _first_seen,
        "1001",
        Cause.FIRST_SEEN,
        "the rule has first_seen: ignore",
        "A rule that acts on a panel leaves alone what was already in its state when the order was first "
        "seen: importing a thousand old orders must not buy a thousand refills. Say `first_seen: act` where "
        "it should.",
    ),
    Case(
        "limit-every",
        "`limit.every` isn't over",
        """
name: tell-partial
watch: order
when: status == "Partial"
do: [{notify: {channel: ops, message: "{{ order.id }} is partial"}}]
limit: {every: 24h}
""",
        _limit_every,
        "1001",
        Cause.LIMIT_EVERY,
        "wait 23h50m more, until 2026-03-02 12:05:00Z",
        "At least so much time lies between two firings for one order. The time counts from the last firing, "
        "so an edited `every` applies at the next look.",
    ),
    Case(
        "limit-per-order",
        "`limit.per_order` is reached",
        """
name: tell-partial
watch: order
when: status == "Partial"
do: [{notify: {channel: ops, message: "{{ order.id }} is partial"}}]
limit: {per_order: 1}
""",
        _limit_per_order,
        "1001",
        Cause.LIMIT_PER_ORDER,
        "limit.per_order is 1, and it has fired once for this order",
        "So often a rule fires for one order, ever. An acting rule that states nothing has 3.",
    ),
    Case(
        "limit-per-chain",
        "`limit.per_chain` is reached",
        """
name: reorder-canceled
watch: order
when: status == "Canceled"
do: [reorder]
limit: {per_chain: 1}
""",
        _limit_per_chain,
        "1002",
        Cause.LIMIT_PER_CHAIN,
        "over the chain of orders that began with main/1001",
        "A reorder of a reorder belongs to the chain of the first order, and firings are counted over all of "
        "it: a service that cancels everything can't drain the balance.",
    ),
    Case(
        "limit-per-sweep",
        "More would have fired at once than `limit.per_sweep`",
        """
name: refill-partial
watch: order
when: status == "Partial" and remains > 0
do: [refill]
limit: {per_order: 1, per_sweep: 2}
""",
        _limit_per_sweep,
        "1001",
        Cause.ACTION_HELD,
        "held: more than limit.per_sweep would have acted in one look",
        "When a rule would act on more orders in one look than that, something is likely wrong with the"
        " panel, or with the rule. It acts on none: the actions are held for you to approve or deny.",
    ),
    Case(
        "paused",
        "The rule is paused",
        REFILL,
        _paused,
        "1001",
        Cause.PAUSED,
        "the rule is paused since 2026-03-01 12:05:00Z: the panel counts wrongly",
        "`smm-rules pause rule` lets a rule rest: what it remembers goes on, so a hold that ends meanwhile "
        "makes it fire at the first look after `smm-rules resume rule`.",
    ),
    Case(
        "over-budget",
        "A guard holds the action",
        """
name: reorder-canceled
watch: order
when: status == "Canceled"
do: [reorder]
limit: {per_order: 1}
spend: 0.50/day
""",
        _over_budget,
        "1001",
        Cause.ACTION_HELD,
        "rule reorder-canceled may spend 0.50 USD per day",
        "What would cost more than `spend` allows is held for you to approve or deny, and so is what any "
        "other guard stops: see guards.md.",
    ),
    Case(
        "panel-not-watched",
        "The rule isn't for this panel",
        """
name: refill-partial
watch: order
panels: [backup]
when: status == "Partial" and remains > 0
do: [refill]
limit: {per_order: 1}
""",
        _panel_not_watched,
        "1001",
        Cause.PANEL_NOT_WATCHED,
        "the rule is for panels: backup, and this is on main",
        "A rule with `panels:` looks at nothing else.",
    ),
    Case(
        "stale-panel",
        "The panel doesn't answer",
        TELL,
        _stale_panel,
        "1001",
        Cause.PANEL_FAILING,
        "rules don't act on stale facts",
        "While a panel fails, nothing that is on it fires and nothing resolves: everything stays as it was "
        "last known. Watch `panel` in a rule of its own to be told of that.",
    ),
    Case(
        "settled",
        "Nobody looks at the order any more",
        TELL,
        _settled,
        "1001",
        Cause.SETTLED,
        "has settled",
        "An order that has been in a final status for `settle_after` isn't asked about any more. A rule that "
        "is added later never sees it.",
    ),
    Case(
        "dry-run",
        "The daemon only pretends",
        REFILL,
        _dry_run,
        "1001",
        Cause.ACTION_HELD,
        "held: the mode is dry_run",
        "With `mode: dry_run` everything happens but the calls that change something: they are held.",
        mode="dry_run",
    ),
)
