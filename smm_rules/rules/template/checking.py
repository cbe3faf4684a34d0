"""The checker of templates: an allow-list over Jinja2's tree, and every name against what can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError, nodes

from smm_rules.document.problem import did_you_mean
from smm_rules.rules.template.filters import FILTERS, Filter
from smm_rules.rules.template.places import Places, Role
from smm_rules.rules.template.problem import TemplateProblem
from smm_rules.rules.template.sandbox import Sandbox

TESTS = ("known",)
_WAYS_OUT = {
    "for": "Facts are single values; print them one by one",
    "set": "Print the value where it is needed",
}
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.Neg,
    nodes.List,
    nodes.Tuple,
    nodes.Keyword,
)
_OPERATORS: dict[type[nodes.Node], str] = {
    nodes.Pow: "**",
    nodes.Mod: "%",
    nodes.FloorDiv: "//",
    nodes.Concat: "~",
    nodes.Pos: "+",
    nodes.Getitem: "[",
    nodes.Slice: "[",
    nodes.Dict: "{",
    nodes.Getattr: ".",
}
_OPERATOR_WAYS_OUT = {
    "~": "Print the parts one after the other: {{ a }}{{ b }}",
    "[": "Write a fact as order.id",
    ".": "Write a fact as order.id",
    "//": "Divide with /",
    "+": "Leave it out",
}


def check(
    sandbox: Sandbox, tree: nodes.Template, text: str, names: frozenset[str] | None
) -> list[TemplateProblem]:
    """What is wrong with a tree; without `names` any name passes, and rendering finds out."""
    return sorted(_Walk(Places(sandbox, text), names).problems(tree))


@dataclass(frozen=True, slots=True)
class _Walk:
    """One walk over one tree."""

    places: Places
    names: frozenset[str] | None

    def problems(self, node: nodes.Node) -> Iterator[TemplateProblem]:
        dotted = dotted_name(node)
        if dotted is not None:
            yield from self._name(node, dotted)
            return
        own = list(self._own(node))
        yield from own
        if own and isinstance(node, nodes.Stmt):
            # A refused tag is told of once; its names are passed over, so that later ones keep their places.
            for child in node.iter_child_nodes():
                list(self.problems(child))
            return
        for child in node.iter_child_nodes():
            if isinstance(child, nodes.List | nodes.Tuple) and not isinstance(node, nodes.Operand):
                yield self._line(child, "A list can only stand after `in`", "Write its values one by one")
            yield from self.problems(child)

    def _own(self, node: nodes.Node) -> Iterator[TemplateProblem]:
        match node:
            case nodes.Filter():
                yield from self._filter(node)
            case nodes.Test():
                if node.name not in (*TESTS, "defined"):
                    way_out = did_you_mean(node.name, TESTS) or "Ask `is known`, or compare with =="
                    yield self._problem(
                        Role.TEST, node.name, node, f'There is no test "{node.name}"', way_out
                    )
            case nodes.Const(value=None):
                yield self._line(node, "There is no `none` in a template", "Ask `is known`")
            case nodes.Const():
                pass
            case nodes.CondExpr(expr2=None):
                yield self._line(node, "An `if` within a value needs an `else`", 'Add else ""')
            case nodes.Call():
                message = "A template can't call anything"
                yield self._problem(Role.CALL, "", node, message, "Use a filter, like {{ amount | money }}")
            case _ if isinstance(node, _ALLOWED):
                pass
            case _:
                yield self._refused(node)

    def _refused(self, node: nodes.Node) -> TemplateProblem:
        if operator := _OPERATORS.get(type(node)):
            message = f"`{operator}` isn't part of the template language"
            return self._problem(Role.OPERATOR, operator, node, message, _OPERATOR_WAYS_OUT.get(operator, ""))
        tag = _tag(node)
        message = f"`{tag}` isn't part of the template language"
        way_out = _WAYS_OUT.get(tag, "Only `if`, `elif` and `else` are")
        return self._problem(Role.TAG, tag, node, message, way_out)

    def _filter(self, node: nodes.Filter) -> Iterator[TemplateProblem]:
        known = FILTERS.get(node.name)
        if known is None:
            way_out = did_you_mean(node.name, FILTERS) or f"The filters are {', '.join(FILTERS)}"
            yield self._problem(Role.FILTER, node.name, node, f'There is no filter "{node.name}"', way_out)
        elif not _arguments_fit(node, known) or node.node is None:
            message = f"The filter `{node.name}` doesn't take these values"
            yield self._problem(Role.FILTER, node.name, node, message, f"Write it like {known.example}")

    def _name(self, node: nodes.Node, dotted: str) -> Iterator[TemplateProblem]:
        if self.names is None or dotted in self.names:
            return
        message = f'There is no fact "{dotted}" here'
        inner = sorted(name for name in self.names if name.startswith(f"{dotted}."))
        if inner:
            message, way_out = f"`{dotted}` is not one value", f"Write one of its facts, like {inner[0]}"
        else:
            way_out = did_you_mean(dotted, self.names)
        yield self._problem(Role.NAME, dotted, node, message, way_out)

    def _problem(
        self, role: Role, word: str, node: nodes.Node, message: str, way_out: str
    ) -> TemplateProblem:
        return TemplateProblem(self.places.next(role, word, _line_of(node)), message, way_out)

    def _line(self, node: nodes.Node, message: str, way_out: str) -> TemplateProblem:
        return TemplateProblem(self.places.line(_line_of(node)), message, way_out)


def dotted_name(node: nodes.Node) -> str | None:
    """`order.id` for a chain of attributes that starts with a name."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        owner = dotted_name(node.node)
        return None if owner is None else f"{owner}.{node.attr}"
    return None


def _line_of(node: nodes.Node) -> int:
    """The line of a node from 1; the parser gives some that it makes up none of their own."""
    line: int | None = node.lineno
    if line is not None:
        return line
    return next((_line_of(child) for child in node.iter_child_nodes()), 1)


def _arguments_fit(node: nodes.Filter, known: Filter) -> bool:
    if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
        return False
    return known.least <= len(node.args) <= known.most


_TAGS = {
    "Assign": "set",
    "AssignBlock": "set",
    "FromImport": "from",
    "CallBlock": "call",
    "Scope": "autoescape",
}


def _tag(node: nodes.Node) -> str:
    name = type(node).__name__
    return _TAGS.get(name, name.lower().removesuffix("block") or "block")


_READABLE_ERRORS = (
    (r"Unknown file", "The template can't be read", ""),
    (r"unexpected '\}'", "A tag isn't closed in the way it was opened", "Close {{ with }} and {% with %}"),
    (
        r"[Uu]nexpected end of template|unexpected end",
        "A tag is never closed",
        "Close {{ with }} and {% if %} with {% endif %}",
    ),
    (r"[Mm]issing end of", "A comment or raw part is never closed", "Close {# with #}"),
    (
        r"expected token 'end of print statement', got '?(?P<got>.*?)'?$",
        "Something is missing before `{got}`",
        "Print one value in each {{ }}",
    ),
    (
        r"Expected an expression, got 'end of print statement'",
        "There is nothing to print in {{ }}",
        "Write a fact in it, like {{ status }}",
    ),
    (
        r"Encountered unknown tag '(?P<got>\w+)'",
        "`{got}` isn't part of the template language",
        "Only `if`, `elif` and `else` are",
    ),
)


def syntax_problem(sandbox: Sandbox, text: str, error: TemplateSyntaxError) -> TemplateProblem:
    """Jinja2's complaint in plain words, as near to its place as can be told."""
    places = Places(sandbox, text)
    original = (error.message or "").rstrip(".")
    at = re.search(r" at (\d+)$", original)
    for pattern, message, way_out in _READABLE_ERRORS:
        if found := re.search(pattern, original):
            got = found.groupdict().get("got", "")
            offset = places.text(got, error.lineno) if got else None
            place = places.line(error.lineno) if offset is None else offset
            return TemplateProblem(place, message.replace("{got}", got), way_out)
    got_name = re.search(r"got '(.*?)'$", original)
    named = places.text(got_name[1], error.lineno) if got_name else None
    offset = int(at[1]) if at else (named if named is not None else places.line(error.lineno))
    message = f"The template can't be read: {re.sub(r' at [0-9]+$', '', original)}"
    return TemplateProblem(min(offset, max(len(text) - 1, 0)), message)
