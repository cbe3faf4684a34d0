"""What is always so of facts, whatever panels answer; made sure by `engine`'s makers of facts."""

from __future__ import annotations

from datetime import timedelta
from functools import cache, lru_cache

from smm_rules.facts import RELATED, EntityKind, OrderStatus, RefillStatus
from smm_rules.rules.analysis.allowed import Allowed, Choice, Range, none_of, one_of
from smm_rules.rules.analysis.box import Box, Boxes, bounded

#: Numbers the daemon counts or calculates itself. What a panel says may be negative.
_COUNTS = {
    EntityKind.ORDER: ("refills", "chain_depth", "suborders"),
    EntityKind.PANEL: ("failures",),
}
#: Durations counted from instants that the daemon noted. Not an order's `age`: a file can say anything.
_RUNNING = {
    EntityKind.ORDER: ("tracked_for", "unchanged", "in_status"),
    EntityKind.REFILL: ("age", "unchanged"),
    EntityKind.BALANCE: ("unchanged",),
    EntityKind.SERVICE: ("unchanged", "listed_for"),
    EntityKind.PANEL: ("failing_for", "silent_for", "catalogue_age"),
}
_STATUSES: dict[EntityKind, frozenset[str]] = {
    EntityKind.ORDER: frozenset(OrderStatus),
    EntityKind.REFILL: frozenset(RefillStatus),
}
#: Facts that are noted together: when one is known, all are.
_TOGETHER: dict[EntityKind, tuple[tuple[str, ...], ...]] = {
    EntityKind.ORDER: (("status", "status_known", "changed_at", "status_since"),),
    EntityKind.REFILL: (("status", "status_known", "changed_at"),),
    EntityKind.BALANCE: (("amount", "changed_at"),),
    EntityKind.PANEL: (("name", "reachable", "failures", "last_error"),),
}
#: Facts that can't be known unless others are.
_FOLLOWS: dict[EntityKind, dict[str, tuple[str, ...]]] = {
    EntityKind.ORDER: {"delivered": ("quantity", "remains"), "progress": ("quantity", "remains")},
    EntityKind.BALANCE: {"previous_amount": ("amount",)},
    EntityKind.SERVICE: {"rate_increase": ("previous_rate",)},
    EntityKind.PANEL: {"failing_since": ("reachable",)},
}


#: What is known of a service when its last change is known to be one of this: what it was before, and is.
_CHANGES: dict[str, frozenset[str]] = {
    f"{name}_changed": frozenset({name, f"previous_{name}"})
    for name in ("rate", "min", "max", "name", "type")
}


@cache
def prefixes(kind: EntityKind) -> tuple[tuple[str, EntityKind], ...]:
    """What the names of facts begin with, by whose facts they are."""
    return (("", kind), *((f"{other}.", other) for other in RELATED[kind]))


def _base(kind: EntityKind) -> dict[str, Allowed]:
    """The values that facts have at all."""
    found: dict[str, Allowed] = {}
    for prefix, owner in prefixes(kind):
        found |= {f"{prefix}{name}": Range(low=0) for name in _COUNTS.get(owner, ())}
        found |= {f"{prefix}{name}": Range(low=timedelta()) for name in _RUNNING.get(owner, ())}
        if owner is EntityKind.ORDER:
            found[f"{prefix}progress"] = Range(0, 1)
    return found


BASE: dict[EntityKind, dict[str, Allowed]] = {kind: _base(kind) for kind in EntityKind}


def possible(boxes: Boxes, kind: EntityKind) -> Boxes:
    """Those boxes that facts of something of `kind` can be in, narrowed to it. Raises `TooManyBoxes`."""
    return bounded(tuple(found for box in boxes if (found := _narrowed(box, kind)) is not None))


def _narrowed(box: Box, kind: EntityKind) -> Box | None:
    base = {term: BASE[kind][term] for term in box.allowed if term in BASE[kind]}
    found = box.meeting(Box(base)) if base else box
    for prefix, owner in prefixes(kind):
        if found is not None and owner in _STATUSES:
            found = _with_status(found, prefix, _STATUSES[owner])
        if found is not None and owner is EntityKind.PANEL:
            found = _with_reachable(found, prefix)
        if found is not None and owner is EntityKind.SERVICE:
            found = _with_changes(found, prefix)
    if found is None:
        return None
    if not (found.known or found.missing):
        return found
    known = _with_followers(found.known, kind)
    return None if known & found.missing else Box(found.allowed, known, found.missing)


def _with_status(box: Box, prefix: str, statuses: frozenset[str]) -> Box | None:
    """`status_known` says whether `status` is one of the known ones."""
    status, is_known = f"{prefix}status", f"{prefix}status_known"
    flag = box.allowed.get(is_known)
    if isinstance(flag, Choice) and len(flag.values) == 1:
        wanted = one_of(*statuses) if flag.holds(True) else none_of(*statuses)
        return box.meeting(Box({status: wanted}))
    found = box.allowed.get(status)
    if isinstance(found, Choice) and not found.without and found.values <= statuses:
        return box.meeting(Box({is_known: one_of(True)}))
    return box


def _with_reachable(box: Box, prefix: str) -> Box | None:
    """A panel that answers has no failures, and one that doesn't has been failing for some time."""
    flag, failures = box.allowed.get(f"{prefix}reachable"), box.allowed.get(f"{prefix}failures")
    since = frozenset({f"{prefix}failing_since"})
    answers: bool | None = None
    if isinstance(flag, Choice) and len(flag.values) == 1:
        answers = flag.holds(True)
    elif since & box.known or (isinstance(failures, Range) and not failures.holds(0)):
        answers = False
    if answers is None:
        return box
    allowed: dict[str, Allowed] = {
        f"{prefix}reachable": one_of(answers),
        f"{prefix}failures": Range(0, 0) if answers else Range(low=1),
    }
    return box.meeting(Box(allowed, missing=since) if answers else Box(allowed, known=since))


def _with_changes(box: Box, prefix: str) -> Box | None:
    """What changed last has a value now and had one before."""
    known: frozenset[str] = frozenset()
    for name, others in _CHANGES.items():
        flag = box.allowed.get(f"{prefix}{name}")
        if isinstance(flag, Choice) and not flag.without and flag.values == frozenset({True}):
            known |= {f"{prefix}{other}" for other in others}
    return box.meeting(Box(known=known)) if known else box


@lru_cache(maxsize=512)
def _with_followers(known: frozenset[str], kind: EntityKind) -> frozenset[str]:
    """The facts that are known when `known` are."""
    found = set(known)
    for prefix, owner in prefixes(kind):
        for name, others in _FOLLOWS.get(owner, {}).items():
            if f"{prefix}{name}" in found:
                found |= {f"{prefix}{other}" for other in others}
        for group in _TOGETHER.get(owner, ()):
            names = {f"{prefix}{name}" for name in group}
            if names & found:
                found |= names
        if owner is EntityKind.ORDER and {f"{prefix}quantity", f"{prefix}remains"} <= found:
            found.add(f"{prefix}delivered")
    return frozenset(found)
