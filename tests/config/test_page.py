"""docs/configuration.md tells of every setting, with the default it has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from smm_rules.config import Configuration, PanelSettings, PollSettings, load_configuration
from smm_rules.config.channels import ChannelSettings, EmailSettings, WebhookSettings
from smm_rules.config.cluster import ClusterSettings
from smm_rules.config.environment import OTHERS, VARIABLES
from smm_rules.config.exchange import ExchangeRateSettings
from smm_rules.config.guards import BreakerSettings, GuardSettings, PanelGuards, UnknownSettings
from smm_rules.config.intake import HttpIntakeSettings
from smm_rules.config.model import LoggingSettings, ReloadSettings
from smm_rules.config.statement import StatementSettings
from smm_rules.config.tracing import TracingSettings
from smm_rules.config.web import LoginSettings, WebSettings
from smm_rules.facts import format_duration

TEXT = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([\w.]+)` \| (.*)$", TEXT, re.MULTILINE))

#: What has settings of its own.
NESTED = (
    "alerts",
    "panels",
    "channels",
    "operator",
    "reload",
    "tracing",
    "logging",
    "guards",
    "unknown",
    "statement",
    "web",
    "cluster",
    "intake",
    "exchange_rates",
)


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key of a model as the page writes it."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{field.alias or name}", field


def test_the_example_loads(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "smm-rules.yaml"
    path.write_text(example, encoding="utf-8")
    configuration = load_configuration(path, {})
    assert configuration.channel_types == {
        "ops": "apprise",
        "shop": "webhook",
        "mail": "email",
        "quiet": "log",
    }


def test_every_setting_is_told_of_with_its_default() -> None:
    told = [
        *((name, field) for name, field in settings(PanelSettings) if name not in ("poll", "guards")),
        *settings(PollSettings, "poll."),
        *((name, field) for name, field in settings(Configuration) if name not in NESTED),
        *settings(ReloadSettings, "reload."),
        *settings(ExchangeRateSettings, "exchange_rates."),
        *settings(ClusterSettings, "cluster."),
        *settings(LoggingSettings, "logging."),
        *settings(StatementSettings, "statement."),
        *settings(TracingSettings, "tracing."),
        *((name, field) for name, field in settings(WebSettings, "web.") if name != "web.login"),
        *settings(LoginSettings, "web.login."),
        *settings(HttpIntakeSettings, "intake.http."),
    ]
    missing = [name for name, field in told if shown(field) not in ROWS.get(name, "").partition("|")[0]]
    assert missing == []
    assert "operator.channel" in ROWS


def test_every_guard_is_told_of() -> None:
    told = [
        *(name for name, _ in settings(GuardSettings, "guards.")),
        *(name for name, _ in settings(PanelGuards, "guards.")),
        *(name for name, _ in settings(BreakerSettings, "guards.breaker.")),
        *(name for name, _ in settings(UnknownSettings, "unknown.")),
    ]
    assert [name for name in told if name not in ROWS] == []
    defaults = BreakerSettings()
    assert ROWS["guards.breaker.of"].startswith(f"`{defaults.of}`")
    assert ROWS["guards.breaker.pause"].startswith(f"`{format_duration(defaults.pause)}`")
    assert ROWS["guards.breaker.errors"].startswith(f"`{defaults.errors:.0%}`")
    assert ROWS["guards.max_rate_increase"].startswith(f"`{GuardSettings().max_rate_increase:.0%}`")


def shown(field: FieldInfo) -> str:
    """A setting's default as the page writes it."""
    if field.is_required():
        return "needed"
    if field.default is None:
        return "none"
    default = format_duration(field.default) if isinstance(field.default, timedelta) else field.default
    if isinstance(default, time):
        default = f"{default:%H:%M}"
    return f"`{default}`"


def test_every_type_of_channel_is_told_of_with_its_keys() -> None:
    assert set(ChannelSettings.model_fields) <= set(ROWS)
    for model, name in ((WebhookSettings, "webhook"), (EmailSettings, "email")):
        keys = {key for key, _ in settings(model)}
        assert [key for key in sorted(keys) if f"`{key}`" not in ROWS[name]] == []


def test_every_variable_is_told_of_beside_its_setting() -> None:
    beside = {variable: ROWS.get(".".join(trail), "") for variable, trail in VARIABLES.items()}
    assert [variable for variable, row in beside.items() if f"`{variable}`" not in row] == []
    assert [variable for variable in OTHERS if f"${variable}" not in TEXT] == []
