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


class Lines:
    """Offsets of a text as lines and columns."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def position(self, offset: int) -> Position:
        """The place of the character at `offset`."""
        line = bisect_right(self._starts, offset)
        return Position(self._path, line, offset - self._starts[line - 1] + 1)


class Elsewhere(Lines):
    """Stands in for the lines of a value that comes from outside the file: all of it is at one place."""

    def __init__(self, place: Position) -> None:
        super().__init__(place.file, "")
        self._place = place

    def position(self, offset: int) -> Position:  # noqa: ARG002 - there is but one place
        """The place the value comes from."""
        return self._place


@dataclass(slots=True)
class Node:
    """A value, and the offset at which it starts. `size` and `height` count aliases as written out.

    Its position is worked out when it is asked for: of most nodes it never is.
    """

    lines: Lines = field(repr=False)
    start: int
    value: Plain
    size: int = 1
    height: int = 0

    @property
    def position(self) -> Position:
        """Where the value starts."""
        return self.lines.position(self.start)


@dataclass(slots=True)
class ScalarNode(Node):
    """Text, a number, true, false or null. It ends before the offset `end`."""

    end: int = 0
    style: str = ""


@dataclass(slots=True)
class SequenceNode(Node):
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class MappingNode(Node):
    """Keys with their values; `key_nodes` are the keys as written."""

    key_nodes: dict[str, Node] = field(default_factory=dict)
    entries: dict[str, Node] = field(default_factory=dict)

    @property
    def keys(self) -> dict[str, Position]:
        """Where each key is written."""
        return {key: node.position for key, node in self.key_nodes.items()}


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
        node: Node = self.root
        key: Node | None = None
        for step in trail:
            try:
                child = _child(node, step)
            except (KeyError, IndexError):
                break
            key = node.key_nodes[step] if isinstance(node, MappingNode) and isinstance(step, str) else None
            node = child
        return node, None if key is None else key.position


def _child(node: Node, step: str | int) -> Node:
    if isinstance(node, MappingNode) and isinstance(step, str):
        return node.entries[step]
    if isinstance(node, SequenceNode) and isinstance(step, int):
        return node.items[step]
    raise KeyError(step)


def _overridden(node: Node | None, trail: tuple[str, ...], value: Plain, position: Position) -> Node:
    if not trail:
        return ScalarNode(Elsewhere(position), 0, value, end=1)
    if node is not None and not isinstance(node, MappingNode) and node.value is not None:
        return node  # a fault of the file itself, told by its own check
    keys = dict(node.key_nodes) if isinstance(node, MappingNode) else {}
    entries = dict(node.entries) if isinstance(node, MappingNode) else {}
    key, *rest = trail
    keys[key] = ScalarNode(Elsewhere(position), 0, key)
    entries[key] = _overridden(entries.get(key), tuple(rest), value, position)
    values = {name: entry.value for name, entry in entries.items()}
    place = (node.lines, node.start) if node else (Elsewhere(position), 0)
    return MappingNode(*place, values, key_nodes=keys, entries=entries)
