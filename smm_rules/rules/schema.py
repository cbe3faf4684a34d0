"""A rule file as written. The loader makes rules of it; an editor's schema can be made of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from smm_rules.document.types import Duration, FilledText, Settings, Slug, at_least, one_or_many, refuse
from smm_rules.rules.steps import StepSpec

_MINUTE = at_least(timedelta(minutes=1))
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
    }

    name: Slug
    description: str = ""
    watch: Literal["order", "refill", "balance", "service", "panel"]
    when: Clauses
    hold: Duration = Field(default=timedelta(), alias="for")
    until: Clauses = ()
    remind: Annotated[Duration, _MINUTE] = timedelta()
    do: Annotated[_Steps, Field(min_length=1)]
    otherwise: _Steps = ()
    done: _Steps = ()
    limit: LimitSpec = LimitSpec()
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
