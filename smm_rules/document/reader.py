"""YAML read safely: bounded, without surprises, and with the place of everything.

Works on the parser's events with a stack of its own, so no input can exhaust memory or recursion. Keys are
always text and unique; there are no tags, no merge keys and one document a file.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from smm_rules.document.document import Document, Lines, MappingNode, Node, ScalarNode, SequenceNode
from smm_rules.document.problem import DocumentError, Position, Problem
from smm_rules.document.scalars import NotAValue, Scalar, resolve
from smm_rules.document.syntax import UNQUOTED_TEMPLATE, explain


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a file may be: bytes, depth of nesting, values (aliases written out), aliases."""

    size: int = 1 << 20
    depth: int = 32
    values: int = 100_000
    aliases: int = 200


DEFAULT_BOUNDS = Bounds()

#: libyaml where PyYAML has it: the same events, ten times as fast.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FORBIDDEN = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ANCHOR = re.compile(r"&\S+\s*")
_MOST_CHARACTER_PROBLEMS = 10


def read_document(path: Path, bounds: Bounds = DEFAULT_BOUNDS) -> Document:
    """The YAML file at `path`. `DocumentError` carries every problem found."""
    start = Position(path, 1, 1)
    try:
        with path.open("rb") as file:
            content = file.read(bounds.size + 1)
    except FileNotFoundError:
        raise DocumentError([Problem(start, "There is no such file")]) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DocumentError([Problem(start, f"The file can't be read: {reason}")]) from None
    if len(content) > bounds.size:
        raise DocumentError([_oversize(start, bounds)])
    return read_text(_decoded(content, path), path, bounds)


def read_text(text: str, path: Path, bounds: Bounds = DEFAULT_BOUNDS) -> Document:
    """The YAML in `text`, told of as if it stood in `path`. `DocumentError` carries every problem found."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > bounds.size:
        raise DocumentError([_oversize(Position(path, 1, 1), bounds)])
    lines = Lines(path, text)
    forbidden = [
        Problem(
            lines.position(match.start()),
            f"The character U+{ord(match[0]):04X} can't be written in a YAML file",
            "Delete it",
        )
        for match, _ in zip(_FORBIDDEN.finditer(text), range(_MOST_CHARACTER_PROBLEMS), strict=False)
    ]
    if forbidden:
        raise DocumentError(forbidden)
    builder = _Builder(text, lines, bounds)
    root = builder.build()
    if builder.problems:
        raise DocumentError(builder.problems)
    return Document(path, text, root, lines)


def _oversize(start: Position, bounds: Bounds) -> Problem:
    return Problem(start, f"The file is larger than {bounds.size:,} bytes", "Split it into several files")


def _decoded(content: bytes, path: Path) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        message = "The file is saved as UTF-16"
        raise DocumentError([Problem(Position(path, 1, 1), message, "Save it as UTF-8")])
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        position = Lines(path, before).position(len(before))
        raise DocumentError([Problem(position, "This is not UTF-8 text", "Save the file as UTF-8")]) from None


class _Stop(Exception):
    """Reading on makes no sense; the reason is among the problems."""


@dataclass(slots=True)
class _Frame:
    """An open mapping or list. `key` is a mapping's key that waits for its value."""

    node: MappingNode | SequenceNode
    anchor: str | None
    offset: int
    key: _Key | None = None


@dataclass(slots=True)
class _Key:
    """A key read. `kept` is false for one that was refused: its value is read and dropped."""

    text: str
    node: Node
    kept: bool = True


@dataclass(slots=True)
class _Builder:
    """Builds the tree of nodes from events, counting as it goes."""

    text: str
    lines: Lines
    bounds: Bounds
    problems: list[Problem] = field(default_factory=list)
    frames: list[_Frame] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    root: Node | None = None
    values: int = 0
    aliases: int = 0
    documents: int = 0
    offset: int = 0  # of the event being taken
    opened: int = 0  # where the collection closed last was opened

    def build(self) -> Node:
        """The root of the document; an empty file's is an empty scalar."""
        with suppress(_Stop):
            self._read()
        return self.root or ScalarNode(self.lines, 0, None)

    def _read(self) -> None:
        """Take every event. Not by `yaml.parse`, which would hand each through two generators."""
        loader = _Loader(self.text)
        try:
            while loader.check_event():
                self._take(loader.get_event())
        except yaml.YAMLError as error:
            offset, message, suggestion = explain(error, self.text, self._open_bracket())
            line = self.lines.position(offset).line
            # An unquoted template is told of once, though the parser stumbles over it twice.
            if not (self.problems and self.problems[-1].position.line == line):
                self._refuse(offset, message, suggestion)
        finally:
            loader.dispose()

    def _open_bracket(self) -> int | None:
        """Where the innermost bracket stands that is open now."""
        offset = self.frames[-1].offset if self.frames else len(self.text)
        return offset if self.text[offset : offset + 1] in ("[", "{") else None

    def _refuse(self, offset: int, message: str, suggestion: str = "") -> None:
        self.problems.append(Problem(self.lines.position(offset), message, suggestion))

    def _stop(self, offset: int, message: str, suggestion: str = "") -> None:
        self._refuse(offset, message, suggestion)
        raise _Stop

    def _take(self, event: yaml.Event) -> None:
        offset = self.offset = event.start_mark.index  # type: ignore[union-attr]  # parsers give every event its marks
        # The commonest first: of a large file's events most are scalars.
        if isinstance(event, yaml.ScalarEvent):
            if event.tag is not None:
                self._untagged(event.tag, offset)
            self._add(self._scalar(event, offset), event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.CollectionStartEvent):
            self._untagged(event.tag, offset)
            self._open(event, offset)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "", offset)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._stop(offset, 'The file holds a second document after "---"', "Use one file for each")

    def _untagged(self, tag: str | None, offset: int) -> None:
        if tag is not None:
            self._refuse(offset, "Tags such as !!str are not used here", "Use quotes for text")

    def _scalar(self, event: yaml.ScalarEvent, start: int) -> ScalarNode:
        end = event.end_mark.index  # type: ignore[union-attr]  # as above
        if event.anchor and (match := _ANCHOR.match(self.text, start, end)):
            start = match.end()
        style = event.style or ""
        value: Scalar = event.value
        if not style:
            try:
                value = resolve(event.value)
            except NotAValue as error:
                self._refuse(start, str(error), "Put it in quotes if it is text")
        return ScalarNode(self.lines, start, value, end=end, style=style)

    def _open(self, event: yaml.CollectionStartEvent, offset: int) -> None:
        if len(self.frames) >= self.bounds.depth:
            self._stop(offset, f"Values are nested more than {self.bounds.depth} deep")
        if isinstance(event, yaml.MappingStartEvent):
            self.frames.append(_Frame(MappingNode(self.lines, offset, {}), event.anchor, offset))
        else:
            self.frames.append(_Frame(SequenceNode(self.lines, offset, []), event.anchor, offset))

    def _close(self) -> None:
        frame = self.frames.pop()
        self.opened = frame.offset
        self._add(frame.node, frame.anchor)

    def _alias(self, name: str, offset: int) -> None:
        node = self.anchors.get(name)
        self.aliases += 1
        if node is None:
            self._stop(offset, f'There is no "&{name}" before this "*{name}"', "Put a text with * in quotes")
        elif self.aliases > self.bounds.aliases:
            self._stop(offset, f"More than {self.bounds.aliases} aliases are used")
        else:
            if len(self.frames) + node.height >= self.bounds.depth:
                self._stop(offset, f"Values are nested more than {self.bounds.depth} deep")
            self._count(node.size)
            self._place(node)

    def _add(self, node: Node, anchor: str | None) -> None:
        self._count(1)
        if anchor is not None:
            self.anchors[anchor] = node
        self._place(node)

    def _count(self, values: int) -> None:
        self.values += values
        if self.values > self.bounds.values:
            self._stop(self.offset, f"The file holds more than {self.bounds.values:,} values")

    def _place(self, node: Node) -> None:
        """Put a finished node where it belongs: the root, a list, a key or a key's value."""
        if not self.frames:
            self.root = node
            return
        frame = self.frames[-1]
        if isinstance(frame.node, SequenceNode):
            frame.node.items.append(node)
            _append(frame.node, node)
        elif frame.key is None:
            frame.key = self._key(frame.node, node)
        else:
            self._value(frame.node, frame.key, node)
            frame.key = None

    def _key(self, mapping: MappingNode, node: Node) -> _Key:
        key = _Key("", node, kept=False)
        if not isinstance(node, ScalarNode):
            self._refuse_collection_key(node)
            return key
        key.text = node.value if isinstance(node.value, str) else self.text[node.start : node.end]
        earlier = mapping.key_nodes.get(key.text)
        if node.start == node.end:
            self._refuse(node.start, 'A key is missing before the ":"')
        elif key.text == "<<" and not node.style:
            self._refuse(node.start, 'Merging with "<<" is not supported', "Write the keys out")
        elif earlier is not None:
            message = (
                f'The key "{key.text}" is written twice; it stands at line {earlier.position.line} already'
            )
            self._refuse(node.start, message, "Keep one of them")
        else:
            key.kept = True
        return key

    def _refuse_collection_key(self, node: Node) -> None:
        if self.opened >= 1 and self.text[self.opened - 1 : self.opened + 1] == "{{":
            self._refuse(self.opened - 1, *UNQUOTED_TEMPLATE)
        else:
            what = "a mapping" if isinstance(node, MappingNode) else "a list"
            self.problems.append(Problem(node.position, f"A key must be plain text, not {what}"))

    def _value(self, mapping: MappingNode, key: _Key, node: Node) -> None:
        if key.kept:
            mapping.key_nodes[key.text] = key.node
            mapping.entries[key.text] = node
            _append(mapping, node, key.text)


def _append(parent: MappingNode | SequenceNode, node: Node, key: str = "") -> None:
    """Enter a child's value and what it adds to its parent's size and height."""
    if isinstance(parent.value, list):
        parent.value.append(node.value)
    elif isinstance(parent.value, dict):
        parent.value[key] = node.value
    parent.size += node.size
    parent.height = max(parent.height, node.height + 1)
