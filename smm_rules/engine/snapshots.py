"""Stored facts → the complete, flat facts that conditions read, and the known ones that templates print."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from smm_rules.facts import (
    FIELDS,
    RELATED,
    UNKNOWN,
    EntityKind,
    Facts,
    Known,
    Unknown,
    Value,
    readable_fields,
)


def _blank(kind: EntityKind) -> dict[str, Value]:
    own = {name for name, field in FIELDS[kind].items() if field.since is None}
    others = {
        f"{other}.{name}"
        for other in RELATED[kind]
        for name, field in FIELDS[other].items()
        if field.since is None
    }
    return dict.fromkeys((*sorted(own), *sorted(others)), UNKNOWN)


def _running(kind: EntityKind) -> tuple[tuple[str, str], ...]:
    # The prefixed aliases of the entity's own fields carry the bare field, so their names differ.
    return tuple(
        (name, field.since)
        for name, field in readable_fields(kind).items()
        if field.since is not None and name == field.name
    )


# Made once: completing a snapshot is one copy and two updates, whatever the number of fields.
_BLANKS: dict[EntityKind, dict[str, Value]] = {kind: _blank(kind) for kind in EntityKind}
_RUNNING: dict[EntityKind, tuple[tuple[str, str], ...]] = {kind: _running(kind) for kind in EntityKind}


#: What a panel answers about a thing. Beside an error instead of an answer it is only what was said before.
_ANSWERED: dict[EntityKind, frozenset[str]] = {
    EntityKind.ORDER: frozenset(
        {
            *("status", "status_known", "remains", "start_count", "charge", "currency", "runs", "posts"),
            *("expiry", "suborders", "changed_at", "status_since", "delivered", "progress"),
        }
    ),
    EntityKind.REFILL: frozenset({"status", "status_known", "changed_at"}),
}


def related(kind: EntityKind, facts: Facts) -> dict[str, Value]:
    """The facts of something an entity belongs to, under dotted names: `rate` → `service.rate`.

    Made once for a service, a balance or a panel and handed to `complete` for every order of a sweep.
    """
    return {f"{kind}.{name}": value for name, value in facts.items()}


def complete(kind: EntityKind, own: Facts, related: Mapping[str, Value]) -> dict[str, Value]:
    """Every stored fact a rule watching `kind` may read, `UNKNOWN` where neither argument has it.

    `own` are the entity's stored facts under bare names, `related` those of what it belongs to under
    dotted ones. Running durations have no key: they follow from `now`.

    While the panel answers an `error` instead of a status, what it said before isn't confirmed: that is
    unknown, so that no rule fires on it, though it stays stored.
    """
    return complete_on(kind, own, shared(kind, related))


def shared(kind: EntityKind, related: Mapping[str, Value]) -> dict[str, Value]:
    """What is known of any entity of `kind` that belongs to `related`: made once for all of them."""
    return {**_BLANKS[kind], **related}


def complete_on(kind: EntityKind, own: Facts, shared: dict[str, Value]) -> dict[str, Value]:
    """`complete`, on top of what `shared` gave."""
    facts = shared.copy()
    facts.update(own)
    if own.get("error") and kind in _ANSWERED:
        facts.update(dict.fromkeys(_ANSWERED[kind] & own.keys(), UNKNOWN))
    return facts


def known_facts(kind: EntityKind, facts: Mapping[str, Value], at: datetime) -> Facts:
    """The known ones of complete `facts`, and the durations that run, as they stand at `at`.

    A duration whose instant is unknown is unknown too, hence absent.
    """
    known: Facts = {name: value for name, value in facts.items() if not isinstance(value, Unknown)}
    for name, since in _RUNNING[kind]:
        began: Known | None = known.get(since)
        if isinstance(began, datetime):
            known[name] = at - began
    return known
