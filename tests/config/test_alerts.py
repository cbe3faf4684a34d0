"""The settings of alerts: read, and refused with the place."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smm_rules.config import Configuration
from smm_rules.config.alerts import Rate
from smm_rules.config.load import load_configuration
from smm_rules.document import DocumentError

BASE = """\
panels: [{name: north, url: "https://north.example/api/v2", key: {env: KEY}}]
rules: rules.yaml
ledger: ledger.db
channels:
  ops: {log: {}}
"""


def load(tmp_path: Path, more: str) -> Configuration:
    path = tmp_path / "smm-rules.yaml"
    path.write_text(BASE + more, encoding="utf-8")
    return load_configuration(path, {})


def refused(tmp_path: Path, more: str) -> str:
    with pytest.raises(DocumentError) as error:
        load(tmp_path, more)
    [problem] = error.value.problems
    return str(problem).partition("smm-rules.yaml:")[2]


def test_nothing_is_kept_back_unless_it_is_asked_for_but_orders_of_a_panel_that_is_down(
    tmp_path: Path,
) -> None:
    settings = load(tmp_path, "")
    assert settings.alerts.model_dump() == {
        "inhibit": (),
        "quiet_hours": (),
        "maintenance": (),
        "outages": True,
    }
    assert (settings.channels["ops"].group, settings.channels["ops"].rate) == (None, None)


def test_all_of_it_is_read(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """\
  boss: {log: {}, group: {by: [rule, panel], wait: 1m, interval: 10m}, rate: 20/1h}
  all: {log: {}, group: {}}
alerts:
  inhibit: [{if: {rule: panel-down}, silences: {kind: order}, equal: [panel]}]
  quiet_hours:
    - {channels: [ops], days: mon-fri, from: "22:00", to: "07:00", time_zone: Europe/Berlin}
    - {days: [sat, sun], from: "20:00", to: "09:00", except_level: warning}
  maintenance: [{panel: north, schedule: "0 3 * * sun", for: 2h, time_zone: Europe/Berlin}]
  outages: false
""",
    )
    boss = settings.channels["boss"]
    assert boss.type == "log"
    assert boss.group is not None
    assert (boss.group.by, boss.group.wait) == (("rule", "panel"), timedelta(minutes=1))
    assert boss.rate == Rate(20, timedelta(hours=1))
    assert settings.channels["all"].group is not None
    alerts = settings.alerts
    [inhibit] = alerts.inhibit
    assert (inhibit.source.given, inhibit.silences.given) == ({"rule": "panel-down"}, {"kind": "order"})
    week, weekend = alerts.quiet_hours
    assert (week.channels, week.days, week.except_level) == (("ops",), frozenset(range(5)), "error")
    assert (week.begins, week.ends, week.time_zone) == (time(22), time(7), ZoneInfo("Europe/Berlin"))
    assert (weekend.channels, weekend.days, weekend.except_level) == ((), frozenset({5, 6}), "warning")
    assert week.written == "22:00 to 07:00 Europe/Berlin"
    [window] = alerts.maintenance
    assert (window.panel, window.lasting) == ("north", timedelta(hours=2))
    assert not alerts.outages


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        (
            'alerts: {quiet_hours: [{channels: [ops, opz], from: "22:00", to: "07:00"}]}',
            "6:41",
            'There is no channel "opz"',
        ),
        ('alerts: {quiet_hours: [{channels: opz, from: "22:00", to: "07:00"}]}', "6:35", "no channel"),
        ('alerts: {quiet_hours: [{from: "22:00", to: "22:00"}]}', "6:24", "the same time"),
        ('alerts: {quiet_hours: [{from: "25:00", to: "22:00"}]}', "6:31", "time of day"),
        (
            'alerts: {quiet_hours: [{days: mon-fry, from: "1:00", to: "2:00"}]}',
            "6:31",
            "days like mon-fri",
        ),
        (
            'alerts: {quiet_hours: [{time_zone: Berlin, from: "1:00", to: "2:00"}]}',
            "6:36",
            "a time zone like",
        ),
        ('alerts: {maintenance: [{panel: nort, schedule: "0 3 * * *", for: 2h}]}', "6:32", "no panel"),
        ('alerts: {maintenance: [{schedule: "61 3 * * *", for: 2h}]}', "6:35", "cron expression: bad minute"),
        ('alerts: {maintenance: [{schedule: "0 0 31 2 *", for: 2h}]}', "6:35", "bad day-of-month"),
        ("alerts: {inhibit: [{if: {}, silences: {kind: order}}]}", "6:25", "must name one of"),
        ("alerts: {inhibit: [{if: {rule: a}, silences: {kind: orders}}]}", "6:53", "order"),
        ("  boss: {log: {}, rate: 20}", "6:25", "like 20/1h"),
        ("  boss: {log: {}, rate: 0/1h}", "6:25", "like 20/1h"),
        ("  boss: {log: {}, group: {by: [order]}}", "6:32", "rule"),
        ("  boss: {group: {}}", "6:9", "One of these keys is needed"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, written: str, place: str, message: str) -> None:
    said = refused(tmp_path, written)
    assert message in said
    assert said.startswith(f"{place}: "), said


def test_days_may_pass_the_end_of_the_week(tmp_path: Path) -> None:
    settings = load(tmp_path, 'alerts: {quiet_hours: [{days: "fri-mon, wed", from: "1:00", to: "2:00"}]}')
    assert settings.alerts.quiet_hours[0].days == frozenset({4, 5, 6, 0, 2})
