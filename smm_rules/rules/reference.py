"""The parts of docs/rules.md that are made from the tables the program itself uses.

`python -m smm_rules.rules.reference docs/rules.md` writes them anew, each between its two marks.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from smm_rules.facts import (
    FIELDS,
    RELATED,
    TERMINAL_ORDER_STATUSES,
    TERMINAL_REFILL_STATUSES,
    EntityKind,
    FactType,
    Field,
    OrderStatus,
    RefillStatus,
    format_duration,
)
from smm_rules.rules.build import (
    DEFAULT_EVERY,
    DEFAULT_PER_CHAIN,
    DEFAULT_PER_ORDER,
    DEFAULT_PER_SWEEP,
)
from smm_rules.rules.condition.functions import FUNCTIONS, Function
from smm_rules.rules.template.filters import FILTERS

_SECTION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(\n<!-- end -->)", re.DOTALL)


def facts() -> str:
    """Every fact of every kind, and what a rule watching that kind can read besides."""
    return "\n\n".join(_facts_of(kind) for kind in EntityKind)


def _facts_of(kind: EntityKind) -> str:
    rows = [(f"`{field.name}`", field.type, _meaning(field)) for field in FIELDS[kind].values()]
    related = ", ".join(f"`{other}.…`" for other in RELATED[kind])
    return f"### `watch: {kind}`\n\nAlso readable: {related}.\n\n" + _table(("fact", "type", "meaning"), rows)


def _meaning(field: Field) -> str:
    return f"{field.meaning} (unknown without `{field.since}`)" if field.since else field.meaning


def statuses() -> str:
    """The statuses, those that end the panel's work marked."""
    rows = [
        ("order", _listed(OrderStatus), _listed(sorted(TERMINAL_ORDER_STATUSES))),
        ("refill", _listed(RefillStatus), _listed(sorted(TERMINAL_REFILL_STATUSES))),
    ]
    return _table(("of", "statuses", "ends"), rows)


def functions() -> str:
    """The functions of conditions."""
    rows = [
        (
            f"`{_call(function)}`",
            function.gives or "what it is given",
            function.meaning,
            f"`{function.example}`",
        )
        for function in FUNCTIONS.values()
    ]
    return _table(("function", "gives", "meaning", "example"), rows)


def _call(function: Function) -> str:
    takes = ", ".join(parameter.name for parameter in function.takes)
    return f"{function.name}({takes}{', …' if function.many else ''})"


def filters() -> str:
    """The filters of templates."""
    rows = [(f"`{each.name}`", each.meaning, f"`{each.example}`") for each in FILTERS.values()]
    return _table(("filter", "gives", "example"), rows)


def limits() -> str:
    """What an acting rule's `limit` leaves out."""
    rows = [
        ("`per_order`", "firings for one order, ever", f"{DEFAULT_PER_ORDER}"),
        ("`every`", "the least time between two firings for one order", format_duration(DEFAULT_EVERY)),
        ("`per_chain`", "firings over an order, its reorder, that one's reorder …", f"{DEFAULT_PER_CHAIN}"),
        ("`per_sweep`", "orders it may fire for in one round of looks at a panel", f"{DEFAULT_PER_SWEEP}"),
    ]
    return _table(("key", "bounds", "when left out"), rows)


def types() -> str:
    """The types of facts and how values of them are written."""
    written = {
        FactType.BOOLEAN: "`true`, `false`; a boolean fact stands by itself: `service.refill`",
        FactType.NUMBER: "`5`, `0.25`, `1_000`, and `10%` for 0.1",
        FactType.MONEY: "`20` in whatever currency the panel counts, or `20 USD`",
        FactType.TEXT: '`"in quotes"`',
        FactType.ORDER_STATUS: '`"Partial"`, in any spelling: `"cancelled"` is `"Canceled"`',
        FactType.REFILL_STATUS: '`"Rejected"`, likewise',
        FactType.DURATION: "`30s`, `10m`, `1h30m`, `3d`, `2w`",
        FactType.TIME: "only from facts; `age < 3d` tells how long ago",
    }
    return _table(("type", "written"), [(kind, written[kind]) for kind in FactType])


SECTIONS: dict[str, Callable[[], str]] = {
    "types": types,
    "statuses": statuses,
    "functions": functions,
    "limits": limits,
    "filters": filters,
    "facts": facts,
}


def updated(page: str) -> str:
    """The page with every generated section made anew; `KeyError` for one that doesn't exist."""
    return _SECTION.sub(lambda found: f"{found[1]}\n{SECTIONS[found[2]]()}\n{found[3]}", page)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heading, tuple("---" for _ in heading), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
