"""The dashboard and the alert rules name only metrics and labels that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from smm_rules.web.metric_names import METRICS

ROOT = Path(__file__).parents[2]
RULES = ROOT / "contrib" / "prometheus" / "smm-rules.rules.yml"
#: Debian's, or the one that `./dev test` puts beside the interpreter.
PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=str(Path(sys.executable).parent))
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool isn't there (Debian: prometheus)")
DASHBOARD = json.loads((ROOT / "contrib" / "grafana" / "smm-rules.json").read_text(encoding="utf-8"))
DOWN = {
    "summary": "Panel north doesn't answer",
    "description": "Rules keep their state and don't fire on what can't be read.",
}
LABELS = {metric.full_name: set(metric.labels) for metric in METRICS.values()}


def alerts() -> list[dict[str, object]]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, object]] = group["rules"]
    return found


def expressions() -> Iterator[str]:
    yield from (str(alert["expr"]) for alert in alerts())
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    yield from (variable.get("definition", "") for variable in DASHBOARD["templating"]["list"])


def labels_of(expression: str) -> set[str]:
    """All labels of the metrics in an expression."""
    return {label for name in re.findall(r"smm_rules_\w+", expression) for label in LABELS[name]}


def test_every_metric_named_exists_with_its_labels() -> None:
    named = set()
    for expression in expressions():
        for name, matchers in re.findall(r"\b(smm_rules_\w+)(?:\{([^}]*)\})?", expression):
            named.add(name)
            assert name in LABELS, expression
            used = set(re.findall(r'(\w+)\s*[=!]~?"', matchers))
            assert used <= LABELS[name], expression
    assert len(named) > 20


def test_what_is_shown_beside_a_value_is_a_label_of_it() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            names = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            labels = set().union(
                *(LABELS[name] for name in re.findall(r"smm_rules_\w+", target["expr"])), set()
            )
            assert names <= labels, target["expr"]
    for alert in alerts():
        words = json.dumps(alert["annotations"])
        assert set(re.findall(r"\$labels\.(\w+)", words)) <= labels_of(str(alert["expr"])), alert["alert"]


def test_the_dashboard_is_whole() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in DASHBOARD["panels"])


def test_every_alert_is_told_of_and_says_what_to_do() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for alert in alerts():
        assert f"`{alert['alert']}`" in page
        annotations = alert["annotations"]
        assert isinstance(annotations, dict)
        assert annotations.keys() == {"summary", "description"}


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(PROMTOOL), *arguments], capture_output=True, text=True, check=False)


@needs_promtool
def test_promtool_takes_the_rules() -> None:
    ran = subprocess.run(
        [str(PROMTOOL), "check", "rules", RULES], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@needs_promtool
def test_the_alerts_fire_when_they_should(tmp_path: Path) -> None:
    """By promtool's own unit tests: in doubt and dead letters fire, healthy numbers don't."""
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": 'up{job="smm-rules"}', "values": "1x60"},
                    {"series": 'smm_rules_intents{state="unknown"}', "values": "0x10 1x50"},
                    {"series": 'smm_rules_panel_reachable{panel="north"}', "values": "1x20 0x40"},
                    {"series": 'smm_rules_messages{state="dead"}', "values": "0x60"},
                ],
                "alert_rule_test": [
                    {"eval_time": "5m", "alertname": "SmmRulesActionInDoubt", "exp_alerts": []},
                    {"eval_time": "30m", "alertname": "SmmRulesPanelDown", "exp_alerts": []},
                    {"eval_time": "50m", "alertname": "SmmRulesMessagesDead", "exp_alerts": []},
                    {"eval_time": "50m", "alertname": "SmmRulesDown", "exp_alerts": []},
                    {
                        "eval_time": "50m",
                        "alertname": "SmmRulesPanelDown",
                        "exp_alerts": [
                            {
                                "exp_labels": {"severity": "warning", "panel": "north"},
                                "exp_annotations": DOWN,
                            }
                        ],
                    },
                ],
            }
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump(test), encoding="utf-8")
    ran = promtool("test", "rules", str(path))
    assert ran.returncode == 0, ran.stdout + ran.stderr
