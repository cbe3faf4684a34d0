"""Records as JSON text and back, without losing a type.

JSON has no money, instants or durations, so these are written as a mapping with one tagged key:
`{"$decimal": "1.50"}`, `{"$at": microseconds since 1970, UTC}`, `{"$for": microseconds}`. A mapping of the
caller's own that has a key beginning with `$` is wrapped as `{"$map": [[key, value], …]}`, so no text a
panel or a rule file holds can be taken for a tag. Text outside JSON goes through `storable`.

The facts of an order, of which there are many, are a list in the order of `ORDER_FACTS` instead: what each
value is follows from its place (ADR 0017).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from smm_rules.engine.memory import BLANK, Memory, Reason
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.facts.allowance import Allowance, Per
from smm_rules.rules.model import NO_RULE_GUARDS, ApprovalNeed, Limits, Mode, RuleGuards, Step, StepKind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970, UTC; `ValueError` for a time without a time zone."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone, so it names no instant")
    return duration_to_micros(instant - EPOCH)


@lru_cache(maxsize=4096)
def from_micros(micros: int) -> datetime:
    """The instant `micros` microseconds after 1970, UTC.

    Many things share an instant: that of the sweep which saw them change, or of the import that told of them.
    """
    return EPOCH + timedelta(0, 0, micros)


def maybe_micros(instant: datetime | None) -> int | None:
    return None if instant is None else to_micros(instant)


def maybe_instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def duration_to_micros(duration: timedelta) -> int:
    """A duration in whole microseconds, exactly."""
    return (duration.days * 86_400 + duration.seconds) * 1_000_000 + duration.microseconds


def storable(text: str) -> str:
    """`text` as every database can hold it: half a surrogate pair and NUL, as JSON may have, become `?`."""
    text = text.replace("\0", "?")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


# -- entities as text -----------------------------------------------------------------------------------
def entity_text(entity: Entity) -> str:
    """`kind/panel/id`, with a slash in the panel's name escaped so that it reads back as it was."""
    panel = entity.panel.replace("%", "%25").replace("/", "%2F")
    return storable(f"{entity.kind.value}/{panel}/{entity.id}")


def entity_from_text(text: str) -> Entity:
    kind, panel, identifier = text.split("/", 2)
    return Entity(EntityKind(kind), panel.replace("%2F", "/").replace("%25", "%"), identifier)


# -- values ---------------------------------------------------------------------------------------------
def _tagged(value: object) -> object:
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime):
        return {"$at": to_micros(value)}
    if isinstance(value, timedelta):
        return {"$for": duration_to_micros(value)}
    raise TypeError(f"the ledger can't keep a {type(value).__name__}: {value!r}")


def _untagged(mapping: dict[str, Any]) -> Any:
    if len(mapping) != 1:
        return mapping
    [(tag, value)] = mapping.items()
    match tag:
        case "$decimal":
            return Decimal(value)
        case "$at":
            return from_micros(value)
        case "$for":
            return timedelta(microseconds=value)
        case "$map":
            return dict(value)
        case _:
            return mapping


def _guarded(value: object) -> object:
    """`value` as plain JSON containers, with mappings that look like tags wrapped."""
    if isinstance(value, Mapping):
        if any(not isinstance(key, str) for key in value):
            raise TypeError(f"the ledger keeps mappings with text keys only, not {value!r}")
        pairs = {key: _guarded(item) for key, item in value.items()}
        return {"$map": [list(pair) for pair in pairs.items()]} if _like_a_tag(pairs) else pairs
    if isinstance(value, list | tuple):
        return [_guarded(item) for item in value]
    if isinstance(value, float):
        raise TypeError(f"the ledger keeps no binary fractions; write {value!r} as a Decimal")
    return value


def _like_a_tag(mapping: Mapping[str, object]) -> bool:
    # The first test is one pass in C and nearly always settles it.
    return "$" in "".join(mapping) and any(key.startswith("$") for key in mapping)


_encode = json.JSONEncoder(separators=(",", ":"), default=_tagged).encode
_encode_sorted = json.JSONEncoder(separators=(",", ":"), default=_tagged, sort_keys=True).encode
_decode = json.JSONDecoder(object_hook=_untagged).decode


def to_json(value: object) -> str:
    """Any plain value as JSON text; `TypeError` for what the ledger doesn't keep."""
    return _encode(_guarded(value))


def to_canonical_json(value: object) -> str:
    """Like `to_json` with keys sorted: equal values are equal text."""
    return _encode_sorted(_guarded(value))


def from_json(text: str) -> Any:
    """What `to_json` wrote; tuples come back as lists."""
    return _decode(text)


# -- facts ----------------------------------------------------------------------------------------------
def encode_facts(facts: Facts) -> str:
    """Facts as JSON text, keys sorted, so that equal facts are equal text."""
    return _encode_sorted(_guarded(dict(sorted(facts.items()))) if _like_a_tag(facts) else facts)


def decode_facts(text: str) -> Facts:
    """What `encode_facts` or `encode_order_facts` wrote."""
    facts: Facts = _order_facts(text) if text.startswith("[") else _decode(text)
    return facts


# -- facts of an order, by their places -----------------------------------------------------------------
#: What stands where in the facts of an order. Names are only ever added, at the end, for rows of earlier
#: versions are read by the same places. What most orders don't have comes last: nothing stands for it there.
ORDER_FACTS = (
    *("status", "status_known", "remains", "charge", "currency", "start_count", "error"),
    *("delivered", "progress", "changed_at", "status_since", "refills", "chain_depth"),
    *("id", "quantity", "link", "label", "tracked_at", "placed_at"),
    *("runs", "posts", "expiry", "suborders"),
)
#: So many are always written, the rest only where there is any of it.
_USUAL = ORDER_FACTS.index("runs")
_NOTHING_RARE = [None] * (len(ORDER_FACTS) - _USUAL)
#: Instants are written as microseconds, money and shares as text, if they are no whole numbers.
_INSTANTS = tuple(map(ORDER_FACTS.index, ("changed_at", "status_since", "tracked_at", "placed_at")))
_FRACTIONS = tuple(map(ORDER_FACTS.index, ("charge", "progress")))


class _Misplaced(Exception):
    """A value that wouldn't be known by its place."""


def encode_order_facts(facts: Facts) -> str:
    """The facts of an order as JSON text, so that equal facts are equal text.

    Facts of other names or types than orders have are written as `encode_facts` does.
    """
    try:
        return _encode_placed(_placed(facts))
    except _Misplaced:
        return encode_facts(facts)


def _placed(facts: Facts) -> list[Any]:
    values: list[Any] = list(map(facts.get, ORDER_FACTS))
    for place in _INSTANTS:
        at = values[place]
        if at is not None:
            values[place] = _micros_of(at)
    for place in _FRACTIONS:
        number = values[place]
        if type(number) is Decimal:
            values[place] = str(number)
        elif isinstance(number, str):
            raise _Misplaced
    if len(facts) + values.count(None) != len(values):
        raise _Misplaced
    return values[:_USUAL] if values[_USUAL:] == _NOTHING_RARE else values


def _micros_of(value: object) -> int:
    if not isinstance(value, datetime):
        raise _Misplaced
    return to_micros(value)


def _misplaced(_: object) -> object:
    raise _Misplaced


_encode_placed = json.JSONEncoder(separators=(",", ":"), default=_misplaced).encode
_decode_placed = json.JSONDecoder().raw_decode


def _order_facts(text: str) -> Facts:
    values: list[Any] = _decode_placed(text)[0]
    is_full = None not in values
    for place in _INSTANTS:
        at = values[place]
        if at is not None:
            values[place] = from_micros(at)
    for place in _FRACTIONS:
        number = values[place]
        if type(number) is str:
            values[place] = Decimal(number)
    pairs = zip(ORDER_FACTS, values, strict=False)
    return dict(pairs) if is_full else {name: value for name, value in pairs if value is not None}


def encode_texts(texts: Mapping[str, str]) -> str:
    """A mapping of text to text as `to_json` writes it, in a third of the time."""
    return to_json(texts) if _like_a_tag(texts) else _encode(dict(texts))


def decode_texts(text: str) -> dict[str, str]:
    """A mapping of text to text, such as parameters or evidence."""
    # Without a dollar sign there is no tag in it, and the decoder needs no call of Python for each mapping.
    texts: dict[str, str] = _decode(text) if "$" in text else _decode_placed(text)[0]
    return texts


# -- steps and limits -----------------------------------------------------------------------------------
def encode_steps(steps: tuple[Step, ...]) -> str:
    return to_json([{"kind": step.kind.value, "parameters": step.parameters} for step in steps])


def decode_steps(text: str) -> tuple[Step, ...]:
    return tuple(Step(StepKind(step["kind"]), step["parameters"]) for step in from_json(text))


def encode_limits(limits: Limits) -> str:
    return to_json({field.name: getattr(limits, field.name) for field in fields(Limits)})


def decode_limits(text: str) -> Limits:
    stored = from_json(text)
    known = {field.name for field in fields(Limits)}
    return Limits(**{name: value for name, value in stored.items() if name in known})


# -- guards of a rule -----------------------------------------------------------------------------------
def encode_rule_guards(guards: RuleGuards) -> str:
    """`{}` for a rule without any, by far most."""
    if guards == NO_RULE_GUARDS:
        return "{}"
    approval = guards.approval
    return to_json(
        {
            "mode": guards.mode.value,
            "spend": [[allowance.amount, allowance.per.value] for allowance in guards.spend],
            "approval": approval and [approval.above, approval.expires],
        }
    )


def decode_rule_guards(text: str) -> RuleGuards:
    stored = from_json(text)
    if not stored:
        return NO_RULE_GUARDS
    spend = tuple(Allowance(amount, Per(per)) for amount, per in stored["spend"])
    approval = stored["approval"]
    return RuleGuards(Mode(stored["mode"]), spend, approval and ApprovalNeed(*approval))


# -- memories -------------------------------------------------------------------------------------------
_MEMORY_FIELDS = tuple((field.name, getattr(BLANK, field.name)) for field in fields(Memory))


def encode_memory(memory: Memory) -> str:
    """What of a memory differs from a blank one."""
    told = ((name, getattr(memory, name), blank) for name, blank in _MEMORY_FIELDS)
    return _encode({name: value for name, value, blank in told if value != blank})


def decode_memory(text: str) -> Memory:
    stored = _decode(text)
    if "stopped_by" in stored:
        stored["stopped_by"] = Reason(stored["stopped_by"])
    known = {name for name, _ in _MEMORY_FIELDS}
    return Memory(**{name: value for name, value in stored.items() if name in known})
