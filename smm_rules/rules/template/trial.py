"""A trial of every part of a template with values of the right kinds, so that a wrong use shows at load."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from jinja2 import Template, nodes

from smm_rules.facts import EntityKind, FactType, Known, readable_fields
from smm_rules.rules.template.checking import dotted_name
from smm_rules.rules.template.places import Places, Role
from smm_rules.rules.template.problem import TemplateProblem
from smm_rules.rules.template.rendering import grouped, rendered
from smm_rules.rules.template.sandbox import Sandbox, exact_numbers
from smm_rules.rules.template.writing import TemplateFailed, WrongKind

_SAMPLES: dict[FactType, Known] = {
    FactType.BOOLEAN: True,
    FactType.NUMBER: Decimal("0.5"),
    FactType.MONEY: Decimal("12.34"),
    FactType.TEXT: "text",
    FactType.ORDER_STATUS: "Partial",
    FactType.REFILL_STATUS: "Rejected",
    FactType.DURATION: timedelta(hours=1),
    FactType.TIME: datetime(2026, 1, 1, tzinfo=UTC),
}


def tried(sandbox: Sandbox, text: str, kind: EntityKind) -> list[TemplateProblem]:
    """The values of a template that fail whatever the facts are, for a rule watching `kind`."""
    samples = {name: _SAMPLES[field.type] for name, field in readable_fields(kind).items()}
    context = grouped(samples, {})
    places = Places(sandbox, text)
    problems: list[TemplateProblem] = []
    for value in _values(sandbox.parse(text)):
        names = list(_names(value))
        offset = places.next(Role.NAME, names[0], value.lineno) if names else places.line(value.lineno)
        if all(name in samples for name in names):
            problems += _failures(sandbox, value, context, offset)
        for name in names[1:]:
            places.next(Role.NAME, name, value.lineno)
    return problems


def _values(tree: nodes.Template) -> Iterator[nodes.Expr]:
    """What is printed and what is asked, in order."""
    for node in tree.find_all((nodes.Output, nodes.If)):
        if isinstance(node, nodes.If):
            yield node.test  # type: ignore[misc]  # Jinja2 types the test as any node; it is an expression
        elif isinstance(node, nodes.Output):
            yield from (part for part in node.nodes if not isinstance(part, nodes.TemplateData))


def _names(node: nodes.Node) -> Iterator[str]:
    dotted = dotted_name(node)
    if dotted is not None:
        yield dotted
        return
    for child in node.iter_child_nodes():
        yield from _names(child)


def _failures(
    sandbox: Sandbox, value: nodes.Expr, context: dict[str, object], offset: int
) -> Iterator[TemplateProblem]:
    alone = nodes.Template([nodes.Output([value], lineno=1)], lineno=1)
    alone.set_environment(sandbox)
    template = Template.from_code(sandbox, sandbox.compile(exact_numbers(alone)), {})
    try:
        rendered(template, context)
    except WrongKind as failure:
        yield TemplateProblem(offset, str(failure))
    except TemplateFailed:
        # Only with these values, such as a division by a difference that is zero here.
        return
