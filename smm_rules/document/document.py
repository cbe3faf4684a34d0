"""A YAML file as plain values, each with its place in the file."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from smm_rules.document.offsets import source_offsets
from smm_rules.document.problem import Position, Problem, Severity

#: What a document holds. Keys are always text, numbers int or Decimal.
Plain = dict[str, "Plain"] | list["Plain"] | str | int | Decimal | bool | None
#: The way to a value: keys and list indexes from the top.
Trail = tuple[str | int, ...]


@dataclass(slots=True)
class Node:
    """A value with its place. `size` and `height` count what aliases stand for as written out."""

    position: Position
    value: Plain
    size: int = 1
    height: int = 0


@dataclass(slots=True)
class ScalarNode(Node):
    """Text, a number, true, false or null. `start` and `end` are offsets in the source."""

    start: int = 0
    end: int = 0
    style: str = ""


@dataclass(slots=True)
class SequenceNode(Node):
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class MappingNode(Node):
    keys: dict[str, Position] = field(default_factory=dict)
    entries: dict[str, Node] = field(default_factory=dict)


class Lines:
    """Offsets of a text as lines and columns."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def position(self, offset: int) -> Position:
        """The place of the character at `offset`."""
        line = bisect_right(self._starts, offset)
        return Position(self._path, line, offset - self._starts[line - 1] + 1)


@dataclass(frozen=True, slots=True)
class Document:
    """A file read: `value` is plain data, and every part of it can be found again in `text`."""

    path: Path
    text: str
    root: Node
    lines: Lines = field(repr=False)

    @property
    def value(self) -> Plain:
        return self.root.value

    def at(self, trail: Trail) -> Plain:
        """The value at `trail`; `KeyError` or `IndexError` when there is none."""
        node = self.root
        for step in trail:
            node = _child(node, step)
        return node.value

    def holds(self, trail: Trail) -> bool:
        """Whether there is a value at `trail`."""
        try:
            self.at(trail)
        except (KeyError, IndexError):
            return False
        return True

    def position(self, trail: Trail) -> Position:
        """Where the value at `trail` stands, or the nearest thing around it that exists.

        A value left empty (`refill:`) stands where its key does, an empty item of a list where its dash is.
        """
        node, key = self._nearest(trail)
        empty = isinstance(node, ScalarNode) and node.start == node.end and node.style == ""
        if not empty:
            return node.position
        return key if key is not None else self._dash_before(node)

    def key_position(self, trail: Trail) -> Position:
        """Where the last key of `trail` is written; for a list's item, where the item stands."""
        node, key = self._nearest(trail)
        return node.position if key is None else key

    def within(self, trail: Trail, offset: int) -> Position:
        """Where the character at `offset` of the text at `trail` stands.

        Exact through quotes, escapes, folds and indentation; the start of the text where YAML's finer
        rules make that impossible.
        """
        node, _ = self._nearest(trail)
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            return self.position(trail)
        if offset <= 0 and not node.style and node.value:
            return node.position
        places = source_offsets(self.text, node.start, node.end, node.style, node.value)
        if not places:
            return node.position
        if offset < len(places):
            return self.lines.position(places[max(offset, 0)])
        return self.lines.position(places[-1] + 1)

    def problem(
        self, trail: Trail, message: str, suggestion: str = "", severity: Severity = Severity.ERROR
    ) -> Problem:
        """A problem at the value at `trail`."""
        return Problem(self.position(trail), message, suggestion, severity)

    def overridden(self, trail: Iterable[str], value: Plain, position: Position) -> Document:
        """This document with the value at `trail` replaced by one that comes from `position`.

        Missing mappings on the way are made. Used for settings given outside the file.
        """
        return replace(self, root=_overridden(self.root, tuple(trail), value, position))

    def _dash_before(self, node: Node) -> Position:
        """The "-" of an item that has nothing after it, else where the item would stand."""
        start = node.start if isinstance(node, ScalarNode) else 0
        before = self.text[:start].rstrip()
        return self.lines.position(len(before) - 1) if before.endswith("-") else node.position

    def _nearest(self, trail: Trail) -> tuple[Node, Position | None]:
        node, key = self.root, None
        for step in trail:
            try:
                child = _child(node, step)
            except (KeyError, IndexError):
                break
            key = node.keys[step] if isinstance(node, MappingNode) and isinstance(step, str) else None
            node = child
        return node, key


def _child(node: Node, step: str | int) -> Node:
    if isinstance(node, MappingNode) and isinstance(step, str):
        return node.entries[step]
    if isinstance(node, SequenceNode) and isinstance(step, int):
        return node.items[step]
    raise KeyError(step)


def _overridden(node: Node | None, trail: tuple[str, ...], value: Plain, position: Position) -> Node:
    if not trail:
        return ScalarNode(position, value, start=0, end=1)
    if node is not None and not isinstance(node, MappingNode) and node.value is not None:
        return node  # a fault of the file itself, told by its own check
    keys = dict(node.keys) if isinstance(node, MappingNode) else {}
    entries = dict(node.entries) if isinstance(node, MappingNode) else {}
    key, *rest = trail
    keys[key] = position
    entries[key] = _overridden(entries.get(key), tuple(rest), value, position)
    values = {name: entry.value for name, entry in entries.items()}
    return MappingNode(node.position if node else position, values, keys=keys, entries=entries)
