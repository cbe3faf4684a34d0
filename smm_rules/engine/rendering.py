"""What the templates of a firing's steps can print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from smm_rules.engine.firing import Firing
from smm_rules.facts import Facts, format_duration
from smm_rules.rules.templates import render, render_parameter


@dataclass(frozen=True, slots=True)
class TemplateContext:
    """The facts of a firing, own ones under their prefixed names too (`order.id`), and the extra values."""

    facts: Facts
    extra: Mapping[str, object]

    def text(self, template: str) -> str:
        """A rendered message text. Raises `TemplateFailed`."""
        return render(template, self.facts, self.extra)

    def parameter(self, value: object) -> str:
        """An action's parameter as plain text: never empty. Raises `TemplateFailed`.

        A flag is 1 or 0 and the entries of a list are lines of their own, as API v2 writes them.
        """
        if isinstance(value, str):
            return render_parameter(value, self.facts, self.extra)
        if isinstance(value, bool):
            return str(int(value))
        if isinstance(value, Sequence):
            return "\n".join(self.parameter(entry) for entry in value)
        return str(value)

    def data(self, value: object) -> object:
        """Nested data, ready for JSON, with every text in it rendered. Raises `TemplateFailed`."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {str(name): self.data(entry) for name, entry in value.items()}
        if isinstance(value, Sequence):
            return [self.data(entry) for entry in value]
        return json_value(value)


def template_context(firing: Firing, result: str, refusal: str) -> TemplateContext:
    """What the steps of `firing` can print.

    `result` is the panel's ID for what the step before made, `refusal` the panel's words when it refused;
    both are empty where there is none. The loader checks templates against these names
    (`rules.checks.EXTRA_NAMES`).
    """
    kind = firing.entity.kind
    prefixed: Facts = {f"{kind}.{name}": value for name, value in firing.facts.items() if "." not in name}
    extra = {
        "rule.name": firing.rule,
        "firing.at": firing.at,
        "firing.episode": firing.episode,
        "firing.occasion": firing.occasion.value,
        "firing.ordinal": firing.ordinal,
        "firing.entity": str(firing.entity),
        "result": result,
        "refusal": refusal,
    }
    return TemplateContext(firing.facts | prefixed, extra)


def json_value(value: object) -> object:
    """A plain value as JSON holds it without loss: money and instants are text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)
