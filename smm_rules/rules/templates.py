"""Message and parameter templates: sandboxed Jinja2 over plain facts, checked when a rule loads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smm_rules.facts import Entity, Known


class TemplateFailed(Exception):
    """A template can't be rendered with these facts. The message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """A mistake found in a template's text, at the character `offset` (from 0)."""

    offset: int
    message: str
    suggestion: str = ""


def check_template(text: str, names: frozenset[str]) -> tuple[TemplateProblem, ...]:
    """Everything wrong with a template that may read `names` (flat and dotted: `amount`, `panel.name`)."""
    raise NotImplementedError


def is_template(text: str) -> bool:
    """Whether `text` has any template markup at all."""
    raise NotImplementedError


def render(text: str, facts: Mapping[str, Known], extra: Mapping[str, object]) -> str:
    """The text with its facts filled in.

    `facts` are flat and dotted; `extra` adds plain values (`rule.name`, `firing.at`), dotted or not.
    Raises `TemplateFailed` for anything that goes wrong, an unknown fact included.
    """
    raise NotImplementedError


def render_parameter(text: str, facts: Mapping[str, Known], extra: Mapping[str, object]) -> str:
    """A rendered parameter of an action: never empty, never padded, never made of a missing value.

    Raises `TemplateFailed`.
    """
    raise NotImplementedError


def plain_fallback(rule_name: str, entity: Entity, facts: Mapping[str, Known]) -> str:
    """The text that stands in for a message whose template failed."""
    raise NotImplementedError
