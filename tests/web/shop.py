"""A reseller's ledger after a busy week, as a daemon would have left it, and a page over it."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx

from smm_rules.actions.circumstances import (
    BALANCE_BEFORE,
    BALANCE_BEFORE_AT,
    COST,
    CURRENCY,
    RATE,
    SENT,
)
from smm_rules.actions.evidence import BALANCE_AFTER, BALANCE_DIFFERENCE, OTHER_SPENDING, SUGGESTS
from smm_rules.config.load import load_configuration
from smm_rules.config.model import Configuration
from smm_rules.config.web import ListenAddress
from smm_rules.engine.firing import AlertDraft, Firing, IntentDraft, MessageDraft, Occasion, Telling
from smm_rules.engine.guards_set import guards_of
from smm_rules.engine.memory import Memory
from smm_rules.engine.service_facts import observe_catalogue
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.alerts import Matcher
from smm_rules.ledger.codec import to_json
from smm_rules.ledger.records import Heartbeat, IntentState, NewOrder, Outcome, Remembered, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.panel.answers import Service
from smm_rules.rules.model import NO_LIMITS, RuleGuards, Step, StepKind
from smm_rules.standing.rule_files import RulesFromFiles
from smm_rules.web.app import make_app
from smm_rules.web.site import Login, Site
from tests.ledger.builders import NOTHING, observed, planned

NOW = datetime(2026, 3, 8, 15, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LISTEN = ListenAddress("127.0.0.1", 8787)
USER, PASSWORD = "ann", "correct horse battery"
#: Far cheaper than what `hash_password` makes.
_DIGEST = hashlib.scrypt(PASSWORD.encode(), salt=b"salt" * 4, n=16, r=8, p=1, dklen=32)
HASH = f"$scrypt$ln=4,r=8,p=1${b64encode(b'salt' * 4).decode()[:22]}${b64encode(_DIGEST).decode()[:43]}"
CONFIGURATION = """\
panels:
  - {name: north, url: "https://north.example/api/v2", key: {env: NORTH}, guards: {spend: 40.00/day}}
  - {name: south, url: "https://south.example/api/v2", key: {env: SOUTH}}
channels: {ops: {log: {}}}
operator: {channel: ops}
rules: rules.yaml
ledger: ledger.db
guards: {spend: [50.00/day, 600.00/month], actions: 100/day}
WEB
"""
RULES = """\
rules:
  - name: refill-partial
    description: A panel delivered only part; ask it to top the order up
    watch: order
    when: status == "Partial" and remains > 0
    for: 10m
    do:
      - refill:
      - notify: {channel: ops, message: "{{ order.id }}: {{ order.remains }} missing, refill asked"}
    otherwise:
      - reorder: {quantity: "{{ order.remains }}", max_rate_increase: 10%}
    limit: {per_order: 3, every: 24h}
  - name: reorder-canceled
    description: The panel canceled an order that was new; place it again
    watch: order
    when: status == "Canceled" and age < 3d
    do: [{reorder: {panel: same}}]
    limit: {per_chain: 2}
    approve: {above: 5.00, expires: 24h}
    spend: 20.00/day
  - name: low-balance
    description: A panel's balance is low
    watch: balance
    when: amount < 20
    do: [{notify: {channel: ops, message: "{{ panel.name }}: {{ amount }} {{ currency }} left"}}]
"""


def order(number: object, panel: str = "north") -> Entity:
    return Entity(EntityKind.ORDER, panel, str(number))


def write_files(directory: Path, web: str = "") -> Configuration:
    """Configuration and rules; `web` is the page's part of it."""
    text = CONFIGURATION.replace("WEB", web)
    (directory / "smm-rules.yaml").write_text(text, encoding="utf-8")
    (directory / "rules.yaml").write_text(RULES, encoding="utf-8")
    return load_configuration(directory / "smm-rules.yaml", {})


@dataclass
class HandClock:
    """A clock that is set by hand."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def real_seconds(self, duration: timedelta) -> float:
        return duration.total_seconds()


def firing(entity: Entity, rule: str, at: datetime, facts: dict[str, object]) -> Firing:
    return Firing(
        rule, "v1", entity, entity, at - 10 * MINUTE, Occasion.FIRED, 0, at, facts,  # type: ignore[arg-type]
        (Step(StepKind.REORDER),), (), NO_LIMITS, RuleGuards(),
    )  # fmt: skip


def draft(kind: StepKind, cost: str | None = None, panel: str = "north", **parameters: str) -> IntentDraft:
    estimate = None if cost is None else Decimal(cost)
    return IntentDraft("do.0", kind, panel, parameters, estimate, "USD" if cost else None)


async def fire(ledger: SqliteLedger, what: Firing, wanted: IntentDraft, *messages: MessageDraft) -> int:
    recorded = await ledger.record(Sweep(what.at, firings=(planned(what, wanted, messages),)))
    return recorded.intents[0]


async def send(ledger: SqliteLedger, intent: int, at: datetime, outcome: Outcome, **evidence: str) -> None:
    assert await ledger.claim(intent, "daemon", at, evidence)
    await ledger.settle(intent, outcome, NOTHING, at + timedelta(seconds=3), "daemon")


async def fill(ledger: SqliteLedger) -> None:
    """A week of the shop: some 60 orders, balances, actions in every state, messages, a pause."""
    await _orders(ledger)
    await _balances(ledger)
    await _actions(ledger)
    await _messages(ledger)
    await _services(ledger)
    await _alerts(ledger)
    await ledger.stop(
        StopKind.PAUSE, StopScope.RULE, "low-balance", "top-up is on its way", "operator:ben", NOW - HOUR,
        NOW + 5 * HOUR,
    )  # fmt: skip
    detail = {"status": "60 orders", "mode": "live"}
    await ledger.beat(Heartbeat("daemon", NOW - 3 * DAY, NOW - timedelta(seconds=12), detail))


async def _orders(ledger: SqliteLedger) -> None:
    statuses = ("Completed", "In progress", "Completed", "Pending", "Partial", "Completed", "Canceled")
    seen = []
    for number in range(60):
        panel = "south" if number % 3 == 0 else "north"
        one = order(7300 + number, panel)
        link = {"link": f"https://example.org/p/{number}", "quantity": "1000"}
        await ledger.track(
            [NewOrder(one, "102", link, NOW - 5 * DAY, f"customer {number % 9}")], NOW - 5 * DAY, "ann"
        )
        status = statuses[number % len(statuses)]
        facts = {
            "id": one.id, "status": status, "status_known": True, "error": "", "currency": "USD",
            "remains": 0 if status == "Completed" else 40 + number, "charge": Decimal("1.20"),
            "status_since": NOW - 3 * HOUR,
        }  # fmt: skip
        seen.append(observed(one, facts, due_at=NOW + 4 * MINUTE if status != "Completed" else None))
    await ledger.record(Sweep(NOW - DAY, tuple(seen)))
    late = observed(order(7301), {"status": "In progress", "remains": 12}, due_at=NOW - 9 * MINUTE)
    await ledger.record(Sweep(NOW - 9 * MINUTE, (late,)))


async def _balances(ledger: SqliteLedger) -> None:
    """It falls day by day, is topped up twice, and falls today by just what was bought, and once more."""
    amount = Decimal("96.00")
    falls = {hours * HOUR: Decimal("2.40") for hours in range(8 * 24, 22, -3)}
    falls |= {since - 2 * MINUTE: Decimal("4.80") for since in (20 * HOUR, 16 * HOUR, 12 * HOUR, 8 * HOUR)}
    falls[47 * MINUTE] = Decimal("4.80")
    for since, fall in sorted(falls.items(), reverse=True):
        amount += Decimal("80.00") if amount < 15 else -fall
        facts = {"amount": amount, "currency": "USD"}
        await ledger.record(Sweep(NOW - since, (observed(Entity(EntityKind.BALANCE, "north"), facts),)))
    south = {"amount": Decimal("14.20"), "currency": "EUR"}
    await ledger.record(Sweep(NOW - 2 * HOUR, (observed(Entity(EntityKind.BALANCE, "south"), south),)))
    answered = {
        "name": "north",
        "reachable": True,
        "failures": 0,
        "last_answer_at": NOW - MINUTE,
        "last_error": "",
        "catalogue_read_at": NOW - 2 * HOUR,
    }
    failing = {
        "name": "south", "reachable": False, "failures": 6, "failing_since": NOW - 40 * MINUTE,
        "last_answer_at": NOW - 41 * MINUTE, "last_error": "the panel didn't answer within 30s",
        "catalogue_read_at": NOW - 2 * DAY,
    }  # fmt: skip
    health = [
        observed(Entity(EntityKind.PANEL, name), facts)
        for name, facts in (("north", answered), ("south", failing))
    ]
    await ledger.record(Sweep(NOW - MINUTE, tuple(health)))


async def _actions(ledger: SqliteLedger) -> None:
    """1 to 4 bought, 5 denied, 6 refused, 7 held, 8 in doubt, 9 to be approved, 10 planned."""
    state = IntentState
    canceled = {"status": "Canceled", "remains": 1000}
    for number in range(4):
        at = NOW - (20 - number * 4) * HOUR
        what = firing(order(7306 + 7 * number), "reorder-canceled", at, dict(canceled))
        bought = await fire(ledger, what, draft(StepKind.REORDER, "4.80"))
        made = Outcome(state.CONFIRMED, "accepted", result=str(8100 + number))
        await send(ledger, bought, at + MINUTE, made, **{COST: "4.80", CURRENCY: "USD"})
    never = firing(order(7348), "reorder-canceled", NOW - 6 * HOUR, dict(canceled))
    denied = await fire(ledger, never, draft(StepKind.REORDER, "7.00"))
    await ledger.hold(denied, "approval", "", NOW - 6 * HOUR)
    await ledger.deny(denied, NOW - 5 * HOUR, "operator:ann")
    refused = firing(order(7304), "refill-partial", NOW - 5 * HOUR, {"status": "Partial", "remains": 44})
    asked = await fire(ledger, refused, draft(StepKind.REFILL))
    refusal = Outcome(state.REJECTED, "refill_not_available", "Refill is disabled")
    await send(ledger, asked, NOW - 5 * HOUR, refusal)
    stale = firing(order(7334), "reorder-canceled", NOW - 3 * HOUR, dict(canceled))
    held = await fire(ledger, stale, draft(StepKind.REORDER, "6.10"))
    await ledger.hold(held, "rate_increase", "its service costs 31% more than it did", NOW - 2 * HOUR)
    await _in_doubt(ledger, firing(order(7313), "reorder-canceled", NOW - 50 * MINUTE, dict(canceled)))
    dear = firing(order(7320), "reorder-canceled", NOW - 25 * MINUTE, dict(canceled))
    waits = await fire(ledger, dear, draft(StepKind.REORDER, "12.60"))
    await ledger.hold(waits, "approval", "rule reorder-canceled needs your approval above 5.00 USD", NOW)
    soon = firing(order(7311), "refill-partial", NOW - MINUTE, {"status": "Partial", "remains": 51})
    await fire(ledger, soon, draft(StepKind.REFILL))


async def _in_doubt(ledger: SqliteLedger, what: Firing) -> None:
    """A purchase whose answer never came, and what the balance said before and after."""
    now = await ledger.watched(Entity(EntityKind.BALANCE, "north"))
    assert now is not None
    after = now.facts["amount"]
    assert isinstance(after, Decimal)
    doubt = await fire(ledger, what, draft(StepKind.REORDER, "4.80"))
    evidence = {
        SENT: to_json({"service": "102", "link": "https://example.org/p/13", "quantity": "1000"}),
        COST: "4.80", CURRENCY: "USD", RATE: "4.80", BALANCE_BEFORE: str(after + Decimal("4.80")),
        BALANCE_BEFORE_AT: (NOW - HOUR).isoformat(),
    }  # fmt: skip
    outcome = Outcome(IntentState.UNKNOWN, "read_timeout", "the panel didn't answer within 30s")
    await send(ledger, doubt, NOW - 49 * MINUTE, outcome, **evidence)
    found = {BALANCE_AFTER: str(after), BALANCE_DIFFERENCE: "4.80", OTHER_SPENDING: "0.00"}
    await ledger.note(doubt, {**found, SUGGESTS: "happened"})


def _row(
    number: int, name: str, rate: str, least: int = 10, most: int = 10_000, refill: bool = True
) -> Service:
    return Service(
        str(number), name, "Default", "Instagram", Decimal(rate), least, most, refill, True, False
    )  # fmt: skip


async def _services(ledger: SqliteLedger) -> None:
    """102 became dearer by and by, 104 went and came back, 105 went, 106 is new; the south's are in euros."""
    prices = ("0.80", "0.84", "0.84", "0.92", "0.88", "1.10", "1.20")
    known: dict[str, dict[str, Facts]] = {"north": {}, "south": {}}
    for day, price in enumerate(prices):
        rows = [
            _row(101, "Likes [instant]", "0.40"),
            _row(102, "Followers [30 days refill]", price, 10 if day < 4 else 100, refill=day < 6),
        ]
        rows += [_row(104, "Story views", "0.15")] if day != 3 else []
        rows += [_row(105, "Comments", "6.50", 5, 500)] if day < 5 else []
        rows += [_row(106, "Followers [premium]", "2.75")] if day > 5 else []
        await _read_catalogue(ledger, "north", known["north"], rows, NOW - (6 - day) * DAY - 2 * HOUR)
    await _read_catalogue(ledger, "south", known["south"], [_row(77, "Fans", "1.05")], NOW - 6 * DAY)
    await _read_catalogue(ledger, "south", known["south"], [_row(77, "Fans", "0.95")], NOW - 2 * DAY)


async def _read_catalogue(
    ledger: SqliteLedger, panel: str, known: dict[str, Facts], rows: list[Service], at: datetime
) -> None:
    seen = observe_catalogue(known, rows, at)
    known |= {name: one.facts for name, one in seen.items()}
    changes = (
        observed(Entity(EntityKind.SERVICE, panel, name), one.facts, one.changed)
        for name, one in seen.items()
    )
    await ledger.record(Sweep(at, tuple(changes)))


async def _messages(ledger: SqliteLedger) -> None:
    def message(key: str, title: str, body: str, level: str = "info", channel: str = "ops") -> MessageDraft:
        return MessageDraft(key, StepKind.NOTIFY, channel, title, body, level)

    told = (
        message("a", "", "7304: 44 missing, refill asked"),
        message(
            "b",
            "Panel south: orders can't be read",
            "Reading orders from panel south has failed 3 times.",
            "error",
        ),
        message("c", "Unknown outcome: reorder on north", "The panel gave no usable answer.", "error"),
        message("d", "Approval needed: rule reorder-canceled", "One action waits for you.", "warning"),
        message("e", "Statement of 2026-03-07", "north: …", "info", "mail"),
    )
    for number, one in enumerate(told):
        at = NOW - (70 - 12 * number) * MINUTE
        await ledger.enqueue(one, at)
        queued = (await ledger.messages((), 1))[0]
        if one.channel == "mail":
            await ledger.undelivered(queued.id, "550 no such mailbox: ops@shop.example", None, at)
        elif number < 3:
            await ledger.delivered(queued.id, at)


async def _alerts(ledger: SqliteLedger) -> None:
    """Two go on, and one of them is silenced."""
    for panel, since in (("north", 3 * HOUR), ("south", 2 * HOUR)):
        balance = Entity(EntityKind.BALANCE, panel)
        alert = AlertDraft("low-balance", balance, NOW - since, Telling.FIRED)
        told = MessageDraft(
            f"{alert.key}:do.0", StepKind.NOTIFY, "ops", "", f"{panel}: 14.20 left", "warning", alert=alert
        )
        what = firing(balance, "low-balance", NOW - since, {"amount": Decimal("14.20"), "currency": "USD"})
        memory = Memory(true_since=NOW - since, fired_at=NOW - since, last_fired=NOW - since, firings=1)
        remembered = Remembered("low-balance", balance, memory)
        await ledger.record(
            Sweep(NOW - since, remembered=(remembered,), firings=(planned(what, messages=(told,)),))
        )
        queued = next(one for one in await ledger.messages((), 20) if one.body == told.body)
        await ledger.delivered(queued.id, NOW - since)
    matcher = Matcher(rule="low-balance", panel="south")
    await ledger.add_silence(matcher, "topping it up", "operator:ben", NOW - HOUR, NOW + 2 * HOUR)


async def open_site(
    directory: Path, web: str = "", login: Login | None = None, *, on_disk: bool = False
) -> Site:
    """A site over a ledger in memory, or over the one in `directory`, where its files are written."""
    configuration = write_files(directory, web)
    clock, guards = HandClock(), guards_of(configuration)
    ledger = (
        await SqliteLedger.open(directory / "ledger.db", guards=guards)
        if on_disk
        else await SqliteLedger.in_memory(guards)
    )
    return Site(configuration, ledger, clock, RulesFromFiles(configuration, clock), login)


def browser(
    site: Site, address: str = "http://127.0.0.1:8787", client: str = "127.0.0.1"
) -> httpx.AsyncClient:
    """A client in the same process that follows nothing by itself, as from the machine `client`."""
    transport = httpx.ASGITransport(make_app(site, LISTEN), client=(client, 50000))
    return httpx.AsyncClient(transport=transport, base_url=address)
