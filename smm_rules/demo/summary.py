"""What the demonstration came to: the daemon's ledger beside the panel's own journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from smm_rules.config.model import Configuration
from smm_rules.ledger.opening import open_ledger
from smm_rules.ledger.records import Intent, IntentState, QueuedMessage
from smm_rules.rules.model import StepKind
from smm_rules.simulator import Journal

_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure as the ledger has it and as the panel has it."""

    what: str
    ledger: str
    panel: str

    @property
    def agrees(self) -> bool:
        return self.ledger == self.panel


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one rule did: its actions by kind and state, and how many messages."""

    rule: str
    actions: tuple[str, ...]
    messages: tuple[str, ...]

    @property
    def fired(self) -> bool:
        return bool(self.actions or self.messages)


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of a demonstration. `good` when every rule fired and ledger and journal agree."""

    rules: tuple[RuleOutcome, ...]
    comparisons: tuple[Comparison, ...]
    requests: int

    @property
    def good(self) -> bool:
        return all(rule.fired for rule in self.rules) and all(item.agrees for item in self.comparisons)


async def summarise(configuration: Configuration, rules: Sequence[str], journal: Journal) -> Summary:
    """Read the ledger of a daemon that has stopped and set it beside the panel's journal."""
    async with await open_ledger(configuration) as ledger:
        intents = await ledger.intents((), _MANY)
        messages = await ledger.messages((), _MANY)
    return Summary(
        rules=tuple(_rule_outcome(name, intents, messages) for name in rules),
        comparisons=_comparisons(intents, journal),
        requests=len(journal.requests()),
    )


def _rule_outcome(name: str, intents: Sequence[Intent], messages: Sequence[QueuedMessage]) -> RuleOutcome:
    actions = Counter(f"{intent.kind} {intent.state}" for intent in intents if intent.rule == name)
    told = (message for message in messages if message.dedup_key.startswith(f"{name}:"))
    return RuleOutcome(
        rule=name,
        actions=tuple(f"{count} {action}" for action, count in sorted(actions.items())),
        messages=tuple(message.body for message in sorted(told, key=lambda message: message.id)),
    )


def _comparisons(intents: Sequence[Intent], journal: Journal) -> tuple[Comparison, ...]:
    """The panel's side counts only what the daemon asked for: effects of a request over HTTP."""
    made = [entry for entry in journal.orders_made() if entry.request]
    refilled = [entry for entry in journal.refills_made() if entry.request]
    done = [intent for intent in intents if intent.state is IntentState.CONFIRMED]
    reorders = [intent for intent in done if intent.kind is StepKind.REORDER]
    refills = [intent for intent in done if intent.kind is StepKind.REFILL]
    attempts = sum(1 for intent in intents if intent.claimed_at is not None)
    calls = sum(len(journal.requests(action)) for action in ("add", "refill", "cancel"))
    twice = sum(len(group) - 1 for group in journal.duplicates() if group[-1].request)
    cost = sum((Decimal(intent.evidence.get("cost", "0")) for intent in reorders), Decimal(0))
    paid = sum((entry.amount for entry in made), Decimal(0))
    return (
        Comparison("orders placed", _ids(i.result for i in reorders), _ids(e.order for e in made)),
        Comparison("refills accepted", _ids(i.result for i in refills), _ids(e.refill for e in refilled)),
        Comparison("money spent", _money(cost), _money(paid)),
        Comparison("acting calls sent", str(attempts), str(calls)),
        Comparison("acted twice", "0", str(twice)),
        Comparison("in doubt", str(sum(1 for i in intents if i.state is IntentState.UNKNOWN)), "0"),
    )


def _ids(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _money(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
