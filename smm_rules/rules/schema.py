"""A rule file as written. The loader makes rules of it; an editor's schema can be made of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from smm_rules.document.allowances import Money, Spend
from smm_rules.document.types import (
    Duration,
    FilledText,
    Settings,
    Slug,
    at_least,
    duration_of,
    one_or_many,
    refuse,
    written,
)
from smm_rules.rules.steps import Escalation, StepSpec

_SHORTEST = timedelta(minutes=1)
_MINUTE = at_least(_SHORTEST)
_Count = Annotated[int, Field(ge=1, le=1_000_000)]
_Steps = Annotated[tuple[StepSpec, ...], Field(strict=False)]
#: One condition, or a list of conditions that must all hold.
Clauses = Annotated[tuple[FilledText, ...], one_or_many(FilledText), Field(strict=False, min_length=1)]


class LimitSpec(Settings):
    """How often a rule may fire; see `rules.model.Limits`."""

    hints: ClassVar[Mapping[str, str]] = {"per_day": "Write every: 24h", "per_hour": "Write every: 1h"}

    per_order: _Count | None = None
    every: Duration | None = None
    per_chain: _Count | None = None
    per_sweep: _Count | None = None


class RemindSpec(Settings):
    """How often an alert that goes on is told again; see `rules.model.Reminding`."""

    every: Annotated[Duration, _MINUTE]
    factor: Annotated[int, Field(ge=1, le=8)] = 2
    at_most: _Count | None = None


def _remind(value: Any) -> Any:
    """`remind: 6h` stands for `{every: 6h}`."""
    return value if isinstance(value, dict | RemindSpec) else RemindSpec(every=duration_of(value, _SHORTEST))


class ApproveSpec(Settings):
    """Which actions wait for the operator; see `rules.model.ApprovalNeed`."""

    above: Money | None = None
    expires: Annotated[Duration, _MINUTE] | None = None


def _approve(value: Any) -> Any:
    """`approve: always` stands for every action, without an end to the waiting."""
    if value == "always":
        return {}
    if not isinstance(value, dict | ApproveSpec):
        money = isinstance(value, int | Decimal) and not isinstance(value, bool)
        suggestion = f"Write approve: {{above: {value}}}" if money else ""
        refuse(f"must be `always` or like {{above: 5.00, expires: 2h}}, not {written(value)}", suggestion)
    return value


class RuleSpec(Settings):
    """One rule as written. What is left out is empty."""

    hints: ClassVar[Mapping[str, str]] = {
        "if": 'Did you mean "when"?',
        "condition": 'Did you mean "when"?',
        "then": 'Did you mean "do"?',
        "actions": 'Did you mean "do"?',
        "action": 'Did you mean "do"?',
        "steps": 'Did you mean "do"?',
        "else": 'Did you mean "otherwise"?',
        "every": "Write it below `limit:`",
        "per_order": "Write it below `limit:`",
        "per_chain": "Write it below `limit:`",
        "per_sweep": "Write it below `limit:`",
        "limits": 'Did you mean "limit"?',
        "budget": "Write spend: 20.00/day",
        "approval": "Write approve: {above: 5.00}",
        "dry_run": "Write mode: dry_run",
        "shadow": "Write mode: shadow",
    }

    name: Slug
    description: str = ""
    watch: Literal["order", "refill", "balance", "service", "panel"]
    when: Clauses
    hold: Duration = Field(default=timedelta(), alias="for")
    until: Clauses = ()
    remind: (
        Annotated[RemindSpec, BeforeValidator(_remind, json_schema_input_type=Duration | RemindSpec)] | None
    ) = None
    escalate: Escalation | None = None
    do: Annotated[_Steps, Field(min_length=1)]
    otherwise: _Steps = ()
    done: _Steps = ()
    limit: LimitSpec = LimitSpec()
    spend: Spend = ()
    approve: (
        Annotated[
            ApproveSpec,
            BeforeValidator(_approve, json_schema_input_type=Literal["always"] | ApproveSpec),
        ]
        | None
    ) = None
    mode: Literal["live", "dry_run", "shadow"] = "live"
    first_seen: Literal["ignore", "act"] | None = None
    panels: Annotated[tuple[Slug, ...], one_or_many(Slug), Field(strict=False, min_length=1)] = ()


class RuleFileOutline(Settings):
    """A rule file's top level. Its entries are checked one by one, so that one bad rule hides no other."""

    hints: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("name", "watch", "when", "do"), "Write the rule as an item below `rules:`"
    )

    rules: list[Any] = Field(default_factory=list)
    tests: list[Any] = Field(default_factory=list)

    @model_validator(mode="after")
    def _something(self) -> RuleFileOutline:
        if not self.model_fields_set:
            refuse("The key `rules` is missing")
        return self


class RuleFile(Settings):
    """A whole rule file, for the schema that editors use."""

    rules: tuple[RuleSpec, ...] = ()
    tests: tuple[dict[str, Any], ...] = ()
