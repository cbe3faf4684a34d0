"""Which facts a template can't do without."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import TemplateSyntaxError, nodes

from smm_rules.rules.template.checking import dotted_name
from smm_rules.rules.template.places import Places, Role
from smm_rules.rules.template.sandbox import Sandbox


def unguarded_names(sandbox: Sandbox, text: str) -> tuple[tuple[str, int], ...]:
    """Each fact that is printed or asked about, with its first offset, in order.

    A fact with a `default`, and one that the template asks `is known` of anywhere, is left out.
    """
    try:
        tree = sandbox.parse(text)
    except (TemplateSyntaxError, RecursionError, ValueError):
        return ()
    places = Places(sandbox, text)
    guarded: set[str] = set()
    found: dict[str, int] = {}
    for name, line, safe in _names(tree, safe=False):
        offset = places.next(Role.NAME, name, line)
        if safe:
            guarded.add(name)
        else:
            found.setdefault(name, offset)
    return tuple((name, offset) for name, offset in found.items() if name not in guarded)


def _names(node: nodes.Node, *, safe: bool) -> Iterator[tuple[str, int, bool]]:
    dotted = dotted_name(node)
    if dotted is not None:
        yield dotted, node.lineno, safe
        return
    guards = isinstance(node, nodes.Test) or (isinstance(node, nodes.Filter) and node.name == "default")
    for child in node.iter_child_nodes():
        yield from _names(child, safe=safe or guards)
