"""YAML: a list of mappings, alone or under `orders:`; read as events, so its length costs no memory.

Scalars are taken as they are written: no number loses a digit, no date is guessed. Anchors, aliases and
tags are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import yaml

from smm_rules.intake.lines import LONGEST_LINE, BadLine, IntakeOptions, Line, SourceRefused, Unacceptable
from smm_rules.intake.readers.json_lines import named
from smm_rules.intake.values import order_from

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_SHAPE = "Write a list of orders, each a mapping like {order: 123, service: 7}"
_DEEPEST = 8


def read_yaml_list(file: BinaryIO, options: IntakeOptions) -> Iterator[Line]:
    """The orders of a YAML file. `SourceRefused` when it isn't a list; broken YAML ends the reading."""
    events = _Events(file)
    try:
        events.enter_list()
    except yaml.YAMLError as error:
        what, to_do = _broken(error)
        raise SourceRefused(f"line {_line_of(error, 1)}: {what}", to_do) from None
    while True:
        try:
            if isinstance(events.peek(), yaml.SequenceEndEvent):
                yield from events.after_list()
                return
            line = _order(events, options)
        except yaml.YAMLError as error:
            what, to_do = _broken(error)
            yield BadLine(_line_of(error, events.line), f"{what}; nothing after this is read", to_do)
            return
        yield line


def _order(events: _Events, options: IntakeOptions) -> Line:
    events.peek()
    line = events.line
    try:
        entry = events.node()
        if not isinstance(entry, _Mapping):
            raise Unacceptable("the entry isn't a mapping", _SHAPE)
        return order_from(named(entry, options.ignored), options)
    except Unacceptable as problem:
        return BadLine(line, problem.what, problem.to_do)


class _Mapping(list[tuple[str, object]]):
    """A YAML mapping as its pairs, so that a key given twice is seen."""


class _Rationed:
    """A file that gives only so much for one entry: the parser holds a whole scalar in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.ration()

    def ration(self) -> None:
        self._left = 4 * LONGEST_LINE

    def read(self, size: int = 1 << 16) -> bytes:
        piece = self._file.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise yaml.YAMLError(f"an entry is longer than {LONGEST_LINE} characters")
        return piece


class _Events:
    """The stream of YAML events with one look ahead."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = _Rationed(file)
        self._events: Iterator[yaml.Event] = yaml.parse(self._file, Loader=_Loader)
        self._ahead: yaml.Event | None = None
        self.line = 1

    def peek(self) -> yaml.Event:
        if self._ahead is None:
            self._ahead = next(self._events, None) or yaml.StreamEndEvent()
            if self._ahead.start_mark is not None:
                self.line = self._ahead.start_mark.line + 1
        return self._ahead

    def take(self) -> yaml.Event:
        event, self._ahead = self.peek(), None
        return event

    def enter_list(self) -> None:
        """Step into the list of orders; `SourceRefused` when there is none."""
        while isinstance(self.peek(), yaml.StreamStartEvent | yaml.DocumentStartEvent):
            self.take()
        if isinstance(self.peek(), yaml.StreamEndEvent):
            raise SourceRefused("the file is empty", _SHAPE)
        if isinstance(self.peek(), yaml.MappingStartEvent):
            self.take()
            key = self.peek()
            if not isinstance(key, yaml.ScalarEvent) or key.value != "orders":
                raise SourceRefused('the file doesn\'t begin with "orders:" or a list', _SHAPE)
            self.take()
        if not isinstance(self.peek(), yaml.SequenceStartEvent):
            raise SourceRefused("the file holds no list of orders", _SHAPE)
        self.take()

    def after_list(self) -> Iterator[BadLine]:
        """What follows the list, if anything does: it is not read, and said so."""
        while isinstance(event := self.take(), yaml.CollectionEndEvent | yaml.DocumentEndEvent):
            pass
        if not isinstance(event, yaml.StreamEndEvent):
            yield BadLine(self.line, "something follows the list of orders; it is not read", _SHAPE)

    def node(self) -> object:
        """The next node whole: text, None, list or `_Mapping`; what can't be used is taken, then refused."""
        self._file.ration()
        problems: list[Unacceptable] = []
        budget = [LONGEST_LINE]
        value = self._node(problems, budget, 0)
        if problems:
            raise problems[0]
        return value

    def _node(self, problems: list[Unacceptable], budget: list[int], depth: int) -> object:
        event = self.take()
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            problems.append(Unacceptable("anchors and aliases are not read", "Write the value out"))
        if depth > _DEEPEST:
            problems.append(Unacceptable("the entry is nested too deeply", _SHAPE))
            self._skip(event)
            return None
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, problems, budget)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(problems, budget, depth)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(problems, budget, depth)
        return None

    def _scalar(self, event: yaml.ScalarEvent, problems: list[Unacceptable], budget: list[int]) -> object:
        budget[0] -= len(event.value) + 1
        if budget[0] < 0:
            problems.append(Unacceptable(f"the entry is longer than {LONGEST_LINE} characters", "Split it"))
            return None
        if event.tag is not None and event.tag != "!":
            problems.append(Unacceptable(f"the tag {event.tag[:40]!r} is not read", "Remove it"))
        return None if not event.style and event.value in _NULLS else event.value

    def _sequence(self, problems: list[Unacceptable], budget: list[int], depth: int) -> list[object]:
        values = []
        while not isinstance(self.peek(), yaml.SequenceEndEvent):
            value = self._node(problems, budget, depth + 1)
            if budget[0] >= 0:
                budget[0] -= 1
                values.append(value)
        self.take()
        return values

    def _mapping(self, problems: list[Unacceptable], budget: list[int], depth: int) -> _Mapping:
        pairs = _Mapping()
        while not isinstance(self.peek(), yaml.MappingEndEvent):
            key = self._node(problems, budget, depth + 1)
            value = self._node(problems, budget, depth + 1)
            if not isinstance(key, str):
                problems.append(Unacceptable("a key isn't plain text", _SHAPE))
            elif budget[0] >= 0:
                budget[0] -= 1
                pairs.append((key, value))
        self.take()
        return pairs

    def _skip(self, event: yaml.Event) -> None:
        """Pass over a node whose first event was taken."""
        open_nodes = isinstance(event, yaml.CollectionStartEvent)
        depth = int(open_nodes)
        while depth:
            event = self.take()
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)


def _broken(error: yaml.YAMLError) -> tuple[str, str]:
    words = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return f"the YAML is broken ({words[:200]})", "Mend it and import the file again"


def _line_of(error: yaml.YAMLError, otherwise: int) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark is not None else otherwise
