"""What became of an entity's stored facts at one look."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache

from smm_rules.facts import FIELDS, EntityKind, Facts, FactType, Known

#: Shares (`progress`, `rate_increase`) are kept to a millionth.
_MILLIONTH = Decimal("0.000001")
#: A share of this size has no room for millionths in a Decimal, and nobody reads them.
_ABSURD = 10**15


@dataclass(frozen=True, slots=True)
class Observation:
    """The facts to store, and whether they differ from those before in a way that belongs in the history.

    When nothing differs at all, `facts` of an order are the very object that was given.
    """

    facts: Facts
    changed: bool


def known_only(facts: dict[str, Known | None]) -> Facts:
    """Facts without those that are None: what a panel left unsaid is unknown, and unknown is absent."""
    return {name: value for name, value in facts.items() if value is not None}


_TIMES: dict[EntityKind, frozenset[str]] = {
    kind: frozenset(name for name, field in fields.items() if field.type is FactType.TIME)
    for kind, fields in FIELDS.items()
}


def differs(kind: EntityKind, before: Facts, after: Facts) -> bool:
    """Whether any fact but an instant differs. Instants only say when the others changed."""
    times = _TIMES[kind]
    for name, value in after.items():
        if before.get(name) != value and name not in times:
            return True
    return not before.keys() - after.keys() <= times


@lru_cache(maxsize=4096)
def share(part: Decimal | int, whole: Decimal | int) -> Decimal:
    """`part` / `whole`, cut to a millionth so that almost all is never all, and without trailing zeros."""
    exact = Decimal(part) / Decimal(whole)
    if abs(exact) >= _ABSURD:
        return exact
    cut = exact.quantize(_MILLIONTH, rounding=ROUND_DOWN)
    return Decimal(f"{cut.normalize():f}")
