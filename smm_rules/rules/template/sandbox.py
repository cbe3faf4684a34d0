"""The sandbox a template runs in: plain values, our filters, exact arithmetic, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from smm_rules.facts import UNKNOWN, FactType
from smm_rules.rules.condition.nodes import Operation
from smm_rules.rules.condition.operations import arithmetic, negative
from smm_rules.rules.condition.typing_rules import a, arithmetic_type
from smm_rules.rules.template.filters import FILTERS, implementation
from smm_rules.rules.template.writing import TemplateFailed, WrongKind, bounded, written

#: The filter that stands for a number with a point, which Jinja2 would make a float.
EXACT = "_exact"


class Group:
    """The facts of one related thing, read as `order.id`. It has no other attributes."""

    __slots__ = ("_facts", "_name")

    def __init__(self, name: str, facts: Mapping[str, object]) -> None:
        self._name = name
        self._facts = facts

    def __getattr__(self, name: str) -> object:
        try:
            return self._facts[name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self) -> str:
        return self._name


class UnknownName(StrictUndefined):
    """A fact that is not known: any use of it fails the template, in plain words."""

    @property
    def _undefined_message(self) -> str:
        owner = self._undefined_obj
        name = f"{owner!r}.{self._undefined_name}" if isinstance(owner, Group) else str(self._undefined_name)
        return f"`{name}` is not known"


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 without loaders, globals, its own filters and tests, and float arithmetic."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"-", "+"})

    def __init__(self) -> None:
        super().__init__(
            undefined=UnknownName,
            autoescape=False,  # messages are plain text, never HTML
            finalize=_finalize,
            keep_trailing_newline=True,
            cache_size=0,
            # It would fold constants over and over: seconds for one long sum or chain of filters.
            optimized=False,
        )
        self.globals.clear()
        self.filters.clear()
        self.filters.update(
            {name: implementation(each) for name, each in FILTERS.items()}, **{EXACT: Decimal}
        )
        self.tests.clear()
        self.tests.update({"known": _is_known, "defined": _is_known})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002
        """Exact arithmetic over plain values, as in conditions; two texts can be added."""
        for value in (left, right):
            if isinstance(value, Undefined):
                str(value)  # raises: the value is needed and not known
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return bounded(left + right)
        if operator not in set(Operation):
            raise TemplateFailed(f"`{operator}` isn't part of the template language")
        return _calculated(Operation(operator), left, right)

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:  # noqa: ARG002
        """A minus before a number or a duration."""
        if isinstance(arg, Undefined):
            str(arg)
        if operator != "-" or isinstance(arg, bool) or not isinstance(arg, int | Decimal | timedelta):
            raise WrongKind(f"`{operator}` can't stand before this value")
        return negative(arg)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        """Nothing can be called."""
        raise TemplateFailed("A template can't call anything")


def _finalize(value: object) -> str:
    if isinstance(value, Undefined):
        return str(value)  # raises: it is not known
    return written(value)


def _is_known(value: object) -> bool:
    return not isinstance(value, Undefined)


def _calculated(operation: Operation, left: object, right: object) -> object:
    kinds = _kind(left), _kind(right)
    if kinds[0] is None or kinds[1] is None or arithmetic_type(operation, kinds[0], kinds[1]) is None:
        names = [a(kind) if kind else "a text" for kind in kinds]
        raise WrongKind(f"`{operation}` can't be done with {names[0]} and {names[1]}")
    try:
        result: object = arithmetic(operation, kinds[0], kinds[1])(left, right)
    except ArithmeticError:
        result = UNKNOWN
    if result is UNKNOWN:
        raise TemplateFailed(f"`{operation}` has no result with these values")
    return result


def _kind(value: object) -> FactType | None:
    match value:
        case bool():
            return None
        case int() | Decimal():
            return FactType.NUMBER
        case timedelta():
            return FactType.DURATION
        case datetime():
            return FactType.TIME
    return None


def exact_numbers(template: nodes.Template) -> nodes.Template:
    """The tree with every number that has a point made a decimal."""
    for parent in (template, *template.find_all(nodes.Node)):
        for name, value in parent.iter_fields():
            if isinstance(value, list):
                setattr(parent, name, [_exact(entry) for entry in value])
            else:
                setattr(parent, name, _exact(value))
    return template


def _exact(value: Any) -> Any:
    if isinstance(value, nodes.Const) and isinstance(value.value, float):
        text = nodes.Const(repr(value.value), lineno=value.lineno)
        exact: Callable[..., nodes.Filter] = nodes.Filter
        return exact(text, EXACT, [], [], None, None, lineno=value.lineno)
    return value
