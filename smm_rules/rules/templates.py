"""Message and parameter templates: sandboxed Jinja2 over plain facts, checked when a rule loads.

A template prints facts (`{{ order.id }}`), passes them through filters (`{{ amount | money }}`), does
simple sums, and chooses with `{% if %}`. Nothing can be called, looped over or included.
"""

from __future__ import annotations

from collections.abc import Mapping

from smm_rules.facts import Entity, EntityKind, Known
from smm_rules.rules.template.plain import plain_names
from smm_rules.rules.template.problem import TemplateProblem
from smm_rules.rules.template.writing import LONGEST_OUTPUT, TemplateFailed, bounded_join, written

__all__ = [
    "LONGEST_OUTPUT",
    "LONGEST_TEMPLATE",
    "TemplateFailed",
    "TemplateProblem",
    "check_template",
    "is_template",
    "plain_fallback",
    "printed_names",
    "render",
    "render_parameter",
]

#: The longest template, in characters.
LONGEST_TEMPLATE = 4096
_MARKS = ("{{", "{%", "{#")
_TOO_LONG = f"The template is longer than {LONGEST_TEMPLATE} characters"
#: What a value that isn't there looks like when something printed it nevertheless.
_NOTHINGS = frozenset({"none", "null", "unknown", "undefined", "nan"})
#: The facts worth telling when nothing else can be told.
_HEADLINES: dict[EntityKind, tuple[str, ...]] = {
    EntityKind.ORDER: ("status", "remains", "quantity", "charge", "currency", "error", "label"),
    EntityKind.REFILL: ("status", "order.id", "error"),
    EntityKind.BALANCE: ("amount", "currency", "previous_amount"),
    EntityKind.SERVICE: ("name", "rate", "previous_rate", "gone"),
    EntityKind.PANEL: ("reachable", "failures", "last_error"),
}
_LONGEST_TOLD = 200


def is_template(text: str) -> bool:
    """Whether `text` has any template markup at all."""
    return any(mark in text for mark in _MARKS)


def check_template(
    text: str, names: frozenset[str], kind: EntityKind | None = None
) -> tuple[TemplateProblem, ...]:
    """Everything wrong with a template that may read `names` (flat and dotted: `amount`, `panel.name`).

    With the `kind` of thing that is watched, facts used as what they are not (`{{ status | money }}`) are
    among it.
    """
    if not is_template(text):
        return ()
    if len(text) > LONGEST_TEMPLATE:
        return (TemplateProblem(LONGEST_TEMPLATE, _TOO_LONG),)
    printed = plain_names(text)
    if printed is not None and all(name in names for name, _ in printed):
        return ()  # any fact can be printed
    from smm_rules.rules.template.jinja import problems_of  # late: see there

    return problems_of(text, names, kind)


def printed_names(text: str) -> tuple[tuple[str, int], ...]:
    """The facts without which a sound template fails, each with the offset it is first written at.

    What stands behind `default(…)` or is asked for by `is known` is not among them.
    """
    if not is_template(text):
        return ()
    printed = plain_names(text)
    if printed is None:
        from smm_rules.rules.template.jinja import unguarded_names  # late: see there

        return unguarded_names(text)
    first: dict[str, int] = {}
    for name, offset in printed:
        first.setdefault(name, offset)
    return tuple(first.items())


def render(text: str, facts: Mapping[str, Known], extra: Mapping[str, object]) -> str:
    """The text with its facts filled in, at most `LONGEST_OUTPUT` characters.

    `facts` are flat and dotted; `extra` adds plain values (`rule.name`, `firing.at`), dotted or not.
    Raises `TemplateFailed` for anything that goes wrong, an unknown fact included.
    """
    if not is_template(text):
        return bounded_join([text])
    if len(text) > LONGEST_TEMPLATE:
        raise TemplateFailed(_TOO_LONG)
    from smm_rules.rules.template.jinja import filled_in  # late: see there

    return filled_in(text, facts, extra)


def render_parameter(text: str, facts: Mapping[str, Known], extra: Mapping[str, object]) -> str:
    """A rendered parameter of an action: never empty, never padded, never the word for a missing value.

    One line end at the end, as a YAML block leaves it, is taken off. Text without markup, such as a long
    list of comments, may be of any length. Raises `TemplateFailed`.
    """
    parameter = (render(text, facts, extra) if is_template(text) else text).removesuffix("\n")
    if not parameter.strip():
        raise TemplateFailed("The parameter comes out empty")
    if parameter != parameter.strip():
        raise TemplateFailed("The parameter comes out with spaces around it")
    if parameter.casefold() in _NOTHINGS:
        raise TemplateFailed(f'The parameter comes out as "{parameter}"')
    return parameter


def plain_fallback(rule_name: str, entity: Entity, facts: Mapping[str, Known]) -> str:
    """The text that stands in for a message whose template failed. It never fails itself."""
    thing = (
        f"{entity.kind} {entity.id} on panel {entity.panel}"
        if entity.id
        else f"{entity.kind} of {entity.panel}"
    )
    told = [
        f"{name} {_told(facts[name])}" for name in _HEADLINES[entity.kind] if _worth_telling(facts.get(name))
    ]
    return f"{rule_name}: {thing}" + (f" ({', '.join(told)})" if told else "")


def _worth_telling(value: Known | None) -> bool:
    return value is not None and value != ""


def _told(value: Known) -> str:
    try:
        text = written(value)
    except TemplateFailed:
        text = str(value)
    return text if len(text) <= _LONGEST_TOLD else text[: _LONGEST_TOLD - 1] + "…"
