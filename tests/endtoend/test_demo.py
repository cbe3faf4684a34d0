"""`smm-rules demo` as it is installed: it ends well, and its summary agrees with the panel's own journal."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from tests.endtoend.processes import start_installed


def account_of(journal: Path) -> dict[str, str]:
    """The panel's side of the summary, counted here line by line."""
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    asked = Counter(line["action"] for line in lines if line["kind"] == "request")
    caused = [line for line in lines if line.get("request")]
    orders = [line for line in caused if line["kind"] == "order_made"]
    refills = [line for line in caused if line["kind"] == "refill_made"]
    equal = Counter(json.dumps(line["parameters"], sort_keys=True) for line in orders)
    equal.update(line["order"] for line in refills)
    spent = sum((Decimal(line["amount"]) for line in orders), Decimal(0))
    return {
        "orders placed": ", ".join(sorted(line["order"] for line in orders)),
        "refills accepted": ", ".join(sorted(line["refill"] for line in refills)),
        "money spent": f"{spent.normalize():f}",
        "acting calls sent": str(asked["add"] + asked["refill"] + asked["cancel"]),
        "acted twice": str(sum(count - 1 for count in equal.values())),
    }


@pytest.mark.parametrize(("dialect", "speed"), [("classic", "120"), ("modern", "600")])
async def test_the_demonstration_agrees_with_the_journal(tmp_path: Path, dialect: str, speed: str) -> None:
    """Also so fast that minutes of its time go by before the daemon has started."""
    kept = tmp_path / "kept"
    arguments = ["demo", "--json", "--dialect", dialect, "--speed", speed, "--keep", str(kept)]
    demo = start_installed(arguments, tmp_path, {}, "demo")
    try:
        assert await demo.ended(60) == 0, demo.tail()
    finally:
        demo.end_now()
    summary = json.loads(demo.output.read_text())

    assert summary["good"] is True
    rules = {rule["rule"]: rule for rule in summary["rules"]}
    assert set(rules) == {"refill-partial", "low-balance", "reorder-canceled"}
    assert rules["refill-partial"]["actions"] == [
        "1 refill confirmed",
        "1 refill rejected",
        "1 reorder confirmed",
    ]
    assert rules["reorder-canceled"]["actions"] == ["1 reorder confirmed"]
    assert len(rules["low-balance"]["messages"]) == 1
    account = account_of(kept / "panel-journal.jsonl")
    told = {row["what"]: (row["ledger"], row["panel"], row["agrees"]) for row in summary["comparisons"]}
    assert {what: told[what] for what in account} == {
        what: (figure, figure, True) for what, figure in account.items()
    }
    assert account["acted twice"] == "0"
    assert all(row["agrees"] for row in summary["comparisons"])
    requests = [
        line for line in (kept / "panel-journal.jsonl").read_text().splitlines() if '"request"' in line
    ]
    assert summary["requests"] == sum(1 for line in requests if json.loads(line)["kind"] == "request")
    key = (kept / "panel.key").read_bytes().strip()
    others = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "panel.key"]
    assert [path.name for path in others if key in path.read_bytes()] == []
