"""Checks of calls: how many values a function takes, and of which types."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from smm_rules.facts import FactType
from smm_rules.rules.condition.functions import NUMERIC, Function, Parameter
from smm_rules.rules.condition.nodes import Call, Node
from smm_rules.rules.condition.typing_rules import a, alike, described


class Complaining(Protocol):
    """Who is told of problems."""

    def complain(self, offset: int, message: str, suggestion: str = "") -> None: ...


def check_call(call: Call, checker: Complaining) -> Call | None:
    """The call with its type, None when it is wrong."""
    if not _count_fits(call, checker):
        return None
    fits = [_fits(call.function, index, argument, checker) for index, argument in enumerate(call.arguments)]
    if not all(fits):
        return None
    return call if call.function.gives else _of_one_type(call, checker)


def _count_fits(call: Call, checker: Complaining) -> bool:
    function, count = call.function, len(call.arguments)
    wanted = len(function.takes)
    if count == wanted or (function.many and count > wanted):
        return True
    number = {1: "one value", 2: "two values"}[wanted]
    or_more = " or more" if function.many else ""
    message = f"`{function.name}` takes {number}{or_more}, not {count or 'none'}"
    checker.complain(call.start, message, f"Write it like `{function.example}`")
    return False


def _fits(function: Function, index: int, argument: Node, checker: Complaining) -> bool:
    parameter = function.takes[min(index, len(function.takes) - 1)]
    if argument.type in parameter.types:
        return True
    message = f"`{function.name}` takes {_types(parameter)}, not {described(argument)}"
    checker.complain(argument.start, message, f"Write it like `{function.example}`")
    return False


def _types(parameter: Parameter) -> str:
    names = [a(kind) for kind in FactType if kind in parameter.types]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _of_one_type(call: Call, checker: Complaining) -> Call | None:
    first = call.arguments[0]
    for argument in call.arguments[1:]:
        if not alike(first.type, argument.type):
            message = f"`{call.function.name}` can't compare {described(first)} with {described(argument)}"
            checker.complain(argument.start, message)
            return None
    money = any(argument.type is FactType.MONEY for argument in call.arguments)
    return replace(call, type=FactType.MONEY) if money and first.type in NUMERIC else call
