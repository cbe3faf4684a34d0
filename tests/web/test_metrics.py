"""`/metrics`, `/healthz` and `/readyz`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.observe.counters import MOST_SERIES, Counters
from smm_rules.rules.loader import LoadedRules
from smm_rules.web.metric_names import METRICS, OF_LEDGER, OF_PROCESS
from tests.web.conftest import Opener
from tests.web.shop import NOW, RULES
from tests.web.visitor import LOGIN, Visitor

ROOT = Path(__file__).parents[2]


@dataclass
class Daemon:
    """A daemon in the same process, as the page sees it."""

    counters: Counters = field(default_factory=Counters)
    jobs_stuck: tuple[str, ...] = ()
    missing: str = ""

    def rules(self) -> LoadedRules:
        return LoadedRules.__new__(LoadedRules)

    def stuck(self) -> tuple[str, ...]:
        return self.jobs_stuck

    def at_rest(self) -> Mapping[str, float]:
        return {"actions": 0.5, "orders:north": 3.25}

    def unready(self) -> str:
        return self.missing

    def changed(self) -> None: ...


def values(text: str) -> dict[str, float]:
    """Each sample by its name and sorted labels."""
    found = re.findall(r"^(smm_rules_\w+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)
    return {_sorted_labels(name): float(value) for name, value in found}


async def test_the_ledger_in_numbers(open_shop: Opener) -> None:
    found = values(await Visitor(await open_shop()).text("/metrics"))
    expected = {
        'smm_rules_orders{panel="north",status="Completed"}': 17,
        "smm_rules_orders_due": 1,
        'smm_rules_order_lateness_seconds{panel="north"}': 540,
        'smm_rules_panel_reachable{panel="north"}': 1,
        'smm_rules_panel_reachable{panel="south"}': 0,
        'smm_rules_panel_balance{currency="EUR",panel="south"}': 14.2,
        'smm_rules_intents{state="unknown"}': 1,
        'smm_rules_intents{state="held"}': 2,
        "smm_rules_oldest_doubt_age_seconds": 49 * 60,
        "smm_rules_oldest_held_age_seconds": 3 * 3600,
        'smm_rules_reserved_money{currency="USD"}': 23.5,
        'smm_rules_budget_used_ratio{currency="USD",name="reorder-canceled",per="day",scope="rule"}': 0.72,
        'smm_rules_budget_used_ratio{currency="actions",name="",per="day",scope="total"}': 0.05,
        'smm_rules_messages{state="dead"}': 1,
        'smm_rules_stops{kind="pause"}': 1,
        'smm_rules_stops{kind="panic"}': 0,
        "smm_rules_on_hold": 0,
        "smm_rules_heartbeat_age_seconds": 12,
    }
    assert {name: found.get(name) for name in expected} == expected


def _sorted_labels(name: str) -> str:
    metric, brace, labels = name.partition("{")
    inside = ",".join(sorted(re.findall(r'\w+="[^"]*"', labels)))
    return f"{metric}{{{inside}}}" if brace else metric


async def test_no_label_has_an_order_in_it(open_shop: Opener) -> None:
    text = await Visitor(await open_shop()).text("/metrics")
    assert re.findall(r'"[^"]*73\d\d[^"]*"', text) == []


async def test_what_happened_in_the_process_is_counted(open_shop: Opener) -> None:
    site = await open_shop()
    daemon = Daemon()
    daemon.counters.increment("requests", 7, panel="north", action="status", outcome="ok")
    daemon.counters.increment("actions", 2, state="confirmed")
    daemon.counters.increment("watchdog_withheld")
    daemon.counters.level("orders_late_seconds", 17, panel="north")
    for number in range(MOST_SERIES + 5):
        daemon.counters.increment("evaluations", rule=f"rule-{number}", reason="fired")
    site.engine, site.rules = daemon, lambda: None
    found = values(await Visitor(site).text("/metrics"))
    assert found['smm_rules_requests_total{action="status",outcome="ok",panel="north"}'] == 7
    assert found['smm_rules_actions_total{state="confirmed"}'] == 2
    assert found['smm_rules_orders_late_seconds{panel="north"}'] == 17
    assert found["smm_rules_watchdog_withheld_total"] == 1
    assert found['smm_rules_evaluations_total{reason="other",rule="other"}'] == 5
    assert found['smm_rules_job_rest_seconds{job="orders:north"}'] == 3.25
    assert "process_resident_memory_bytes" in await Visitor(site).text("/metrics")


async def test_hostile_names_in_labels_stay_within_them(open_shop: Opener) -> None:
    site = await open_shop(full=False)
    daemon = Daemon()
    daemon.counters.increment("deliveries", channel='x"} 1\nsmm_rules_on_hold 1', outcome="ok")
    site.engine, site.rules = daemon, lambda: None
    assert values(await Visitor(site).text("/metrics"))["smm_rules_on_hold"] == 0


def test_every_count_of_the_program_is_a_metric() -> None:
    counted = {
        name
        for path in (ROOT / "smm_rules").rglob("*.py")
        for name in re.findall(r'\.(?:increment|level)\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert counted - METRICS.keys() == set()


def test_the_page_lists_every_metric() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(smm_rules_\w+)` \|", page, re.MULTILINE))
    assert told == {metric.full_name for metric in (*OF_LEDGER, *OF_PROCESS)}


async def test_the_metrics_are_for_this_machine_or_a_token(open_shop: Opener) -> None:
    site = await open_shop(login=LOGIN)
    assert (await Visitor(site).get("/metrics")).status_code == 200, "without a login, from this machine"
    assert (await Visitor(site, client="192.0.2.1").get("/metrics")).status_code == 403
    forwarded = await Visitor(site).get("/metrics", **{"x-forwarded-for": "192.0.2.1"})
    assert forwarded.status_code == 403
    site.metrics_token = "s3cret"
    far = Visitor(site, client="192.0.2.1")
    codes = [
        (await far.get("/metrics", authorization=f"Bearer {token}")).status_code for token in ("no", "s3cret")
    ]
    assert codes == [403, 200]


async def test_health_without_a_daemon_is_that_the_page_answers(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop(login=LOGIN))
    assert (await visitor.get("/healthz")).json()["status"] == "ok"
    assert (await visitor.get("/healthz", host="10.0.0.7")).status_code == 200, "by whatever name"


async def test_health_is_bad_while_a_job_is_stuck(open_shop: Opener) -> None:
    site = await open_shop()
    site.engine = Daemon(jobs_stuck=("orders:north",))
    answer = await Visitor(site).get("/healthz")
    assert (answer.status_code, answer.json()["stuck"]) == (503, ["orders:north"])
    site.engine = Daemon()
    assert (await Visitor(site).get("/healthz")).json() == {
        "status": "ok",
        "stuck": [],
        "longest_rest_seconds": 3.2,
    }


async def test_ready_is_who_can_work(open_shop: Opener) -> None:
    site = await open_shop()
    assert (await Visitor(site).get("/readyz")).json() == {"status": "ready", "missing": []}
    site.engine = Daemon(missing="not looked at yet: north")
    answer = await Visitor(site).get("/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["not looked at yet: north"])


@pytest.mark.parametrize("what", ["silence", "rules", "ledger"])
async def test_what_is_missing_is_named(open_shop: Opener, what: str, tmp_path: Path) -> None:
    site = await open_shop()
    words = {"silence": "no daemon", "rules": "rules can't be read", "ledger": "ledger can't be read"}
    if what == "silence":
        site.clock.at = NOW + timedelta(hours=1)  # type: ignore[attr-defined]  # a HandClock
    elif what == "rules":
        (tmp_path / "rules.yaml").write_text(RULES.replace("watch: balance", "watch: weather"))
        site.clock.at = NOW + timedelta(seconds=20)  # type: ignore[attr-defined]  # a HandClock
    else:
        await site.ledger.aclose()
    answer = await Visitor(site).get("/readyz")
    assert answer.status_code == 503
    assert words[what] in answer.json()["missing"][0]
