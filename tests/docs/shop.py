"""A reseller's directory after a busy week, as the pages take it for granted when they show commands.

Panel `main` with orders 1001 to 1005 and 12345; of its actions 1 and 7 are held for approval, 17 and 18 are
in doubt, the others were taken; alert 12 goes on; messages 17 and 18 are dead; silences 1 and 2 are there.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from smm_rules.actions.circumstances import BALANCE_BEFORE, BALANCE_BEFORE_AT, COST, CURRENCY, RATE, SENT
from smm_rules.actions.evidence import BALANCE_AFTER, BALANCE_DIFFERENCE
from smm_rules.engine.firing import AlertDraft, Firing, IntentDraft, MessageDraft, Occasion, Telling
from smm_rules.engine.memory import Memory
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.alerts import Matcher
from smm_rules.ledger.codec import to_json
from smm_rules.ledger.records import Heartbeat, IntentState, NewOrder, Observed, Outcome, Remembered, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rules.model import NO_LIMITS, RuleGuards, Step, StepKind
from tests.docs.pages import ROOT
from tests.ledger.builders import NOTHING, planned

PANEL = "main"
KEY_VARIABLE, KEY = "MAIN_PANEL_KEY", "docs-panel-key-55d0c1"
HELD, IN_DOUBT, DEAD = (1, 7), (17, 18), (17, 18)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_CONFIGURATION = """\
panels:
  - name: main
    url: {url}
    key: {{env: MAIN_PANEL_KEY}}
    requests_per_minute: 6000
    poll: {{orders: 1s, refills: 1s, balance: 1s, catalogue: 1h}}
channels:
  ops: {{log: {{}}}}
  shop: {{log: {{}}}}
  boss: {{log: {{}}}}
  owner: {{log: {{}}}}
operator: {{channel: ops}}
rules: rules
ledger: {ledger}
guards: {{spend: 50.00/day}}
"""
_LOG = (
    ("info", "daemon.started", {"panels": 1, "rules": 3}),
    ("info", "rule.fired", {"rule": "refill-partial", "entity": "order/main/1001", "reason": "fired"}),
    ("warning", "panel.poll_failed", {"panel": PANEL, "what": "orders", "error": "timed out"}),
)


def make(directory: Path, url: str, ledger: Path, backup: Path) -> str:
    """Write all of it into `directory`, and a copy of its ledger to `backup`; the head of its record.

    The panel answers at `url`.
    """
    directory.mkdir(parents=True)
    configuration = _CONFIGURATION.format(url=url, ledger=ledger)
    (directory / "smm-rules.yaml").write_text(configuration, encoding="utf-8")
    rules = directory / "rules"
    rules.mkdir(exist_ok=True)
    for source in sorted((ROOT / "rules").glob("*.yaml")):
        shutil.copy(source, rules)
    shutil.copy(ROOT / "rules" / "refill-partial.yaml", directory / "candidate.yaml")
    _write_log(directory / "daemon.log")
    return asyncio.run(_fill(ledger, backup, datetime.now(UTC)))


def _write_log(path: Path) -> None:
    lines = [
        {"timestamp": f"2026-03-01T12:00:0{number}Z", "level": level, "event": event, **fields}
        for number, (level, event, fields) in enumerate(_LOG)
    ]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def order(number: int) -> Entity:
    return Entity(EntityKind.ORDER, PANEL, str(number))


async def _fill(path: Path, backup: Path, now: datetime) -> str:
    async with await SqliteLedger.open(path) as ledger:
        await _things(ledger, now)
        for number in range(1, 21):
            await _action(ledger, number, now - DAY + number * HOUR / 2)
        for number in range(1, 13):
            await _alert(ledger, number, now - 2 * HOUR)
        for number in range(13, 21):
            await _message(ledger, number, now - HOUR)
        for rule in ("stuck-order", "price-increase"):
            await ledger.add_silence(Matcher(rule=rule), "known", "operator:ann", now - HOUR, now + DAY)
        detail = {"status": "6 orders", "mode": "live"}
        await ledger.beat(Heartbeat("daemon", now - 3 * DAY, now - timedelta(seconds=12), detail))
        await ledger.backup(backup, "operator:ann", now)
        return str(await ledger.audit_head())


async def _things(ledger: SqliteLedger, now: datetime) -> None:
    numbers = (*range(1001, 1006), 12345)
    placed = {"link": "https://example.com/p/1", "quantity": "1000"}
    await ledger.track(
        [NewOrder(order(number), "1", placed, now - 2 * DAY) for number in numbers], now - 2 * DAY, "ann"
    )
    seen = []
    for number in numbers:
        facts = {
            "id": str(number), "status": "Partial" if number == 1001 else "In progress", "status_known": True,
            "error": "", "remains": 157, "currency": "USD", "charge": Decimal("2.50"),
            "quantity": 1000, "link": placed["link"], "placed_at": now - 2 * DAY,
        }  # fmt: skip
        seen.append(Observed(order(number), facts, True, now + 5 * MINUTE))
    balance = {"amount": Decimal("46.50"), "currency": "USD"}
    panel = {
        "name": PANEL,
        "reachable": True,
        "failures": 0,
        "last_answer_at": now - MINUTE,
        "last_error": "",
    }
    service = {
        "id": "1", "name": "Followers", "type": "Default", "category": "Social", "rate": Decimal("2.50"),
        "min": 10, "max": 10_000, "refill": True, "cancel": True, "dripfeed": False, "gone": False,
    }  # fmt: skip
    seen += [
        Observed(Entity(EntityKind.BALANCE, PANEL), balance, True, now + 5 * MINUTE),
        Observed(Entity(EntityKind.PANEL, PANEL), panel, True, None),
        Observed(Entity(EntityKind.SERVICE, PANEL, "1"), service, True, None),
    ]
    await ledger.record(Sweep(now - 90 * MINUTE, tuple(seen)))


async def _action(ledger: SqliteLedger, number: int, at: datetime) -> None:
    """Action `number`: a reorder that was taken, or one of those the pages speak of."""
    facts = {"status": "Canceled", "remains": 1000, "service.id": "1"}
    what = Firing(
        "reorder-canceled", "v1", order(1003), order(1003), at - MINUTE, Occasion.FIRED, 0, at, facts,
        (Step(StepKind.REORDER),), (), NO_LIMITS, RuleGuards(),
    )  # fmt: skip
    sent = {"service": "1", "link": "https://example.com/p/1", "quantity": "1000"}
    wanted = IntentDraft("do.0", StepKind.REORDER, PANEL, sent, Decimal("2.50"), "USD")
    (intent,) = (await ledger.record(Sweep(at, firings=(planned(what, wanted),)))).intents
    assert intent == number
    if number in HELD:
        await ledger.hold(intent, "approval", "rule reorder-canceled needs your approval", at)
        return
    evidence = {SENT: to_json(sent), COST: "2.50", CURRENCY: "USD", RATE: "2.50"}
    evidence |= {BALANCE_BEFORE: "49.00", BALANCE_BEFORE_AT: at.isoformat()}
    assert await ledger.claim(intent, "daemon", at, evidence)
    taken = Outcome(IntentState.CONFIRMED, "accepted", result=str(2000 + number))
    doubt = Outcome(IntentState.UNKNOWN, "read_timeout", "the panel didn't answer within 30s")
    await ledger.settle(intent, doubt if number in IN_DOUBT else taken, NOTHING, at + MINUTE, "daemon")
    if number in IN_DOUBT:
        await ledger.note(intent, {BALANCE_AFTER: "46.50", BALANCE_DIFFERENCE: "2.50"})


async def _alert(ledger: SqliteLedger, number: int, at: datetime) -> None:
    """Alert `number`, told by message `number`."""
    entity = Entity(EntityKind.BALANCE, PANEL) if number == 12 else order(5000 + number)
    rule = "low-balance" if number == 12 else "stuck-order"
    if entity.kind is EntityKind.ORDER:
        await ledger.track([NewOrder(entity, "1", {}, at)], at)
    memory = Remembered(rule, entity, Memory(true_since=at, fired_at=at))
    await ledger.record(Sweep(at, remembered=(memory,)))
    alert = AlertDraft(rule, entity, at, Telling.FIRED)
    draft = MessageDraft(f"{alert.key}:do.0", StepKind.NOTIFY, "ops", "", "told", "warning", alert=alert)
    await ledger.enqueue(draft, at)
    await ledger.delivered(number, at + MINUTE)
    found = await ledger.alert(number)
    assert found is not None
    assert found.entity == entity


async def _message(ledger: SqliteLedger, number: int, at: datetime) -> None:
    """Message `number`; 17 and 18 are dead, those after them wait."""
    draft = MessageDraft(f"message-{number}", StepKind.NOTIFY, "ops", f"Message {number}", "told", "info")
    await ledger.enqueue(draft, at)
    if number in DEAD:
        await ledger.undelivered(number, "550 no such mailbox", None, at)
    elif number < 17:
        await ledger.delivered(number, at)
