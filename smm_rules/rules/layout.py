"""One layout for rule files: the order of a rule's keys, its indentation, and the blank lines between rules.

Whole lines are moved, never written anew, so comments, quotes and what an author lined up stay as they are.
A comment goes with the key below it; one that a blank line parts from what follows stays with what is above.
What isn't written in block style (`rules: [{name: …}]`) is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from smm_rules.document import Document
from smm_rules.document.document import MappingNode, Node, ScalarNode, SequenceNode

#: The order of a rule's keys: what it is, when it fires, what it does, how often.
KEY_ORDER = (
    "name",
    "description",
    "watch",
    "panels",
    "when",
    "for",
    "until",
    "remind",
    "escalate",
    "do",
    "otherwise",
    "done",
    "limit",
    "spend",
    "approve",
    "mode",
    "first_seen",
)
_FILE_ORDER = ("rules", "tests")
_DASH = 2
_KEYS = _DASH + 2
_NESTED = _KEYS + 2


@dataclass(frozen=True, slots=True)
class _Part:
    """The lines of one key: comments above it, and itself with its value."""

    key: str
    above: list[str]
    lines: list[str]


def formatted(document: Document) -> str:
    """The text of a rule file in the one layout. Its meaning is the same; see `same_meaning`."""
    lines = _without_trailing_spaces(document)
    root = document.root
    if not isinstance(root, MappingNode) or not _is_block(document, root):
        return _ended(lines)
    first = min(root.keys.values(), key=lambda place: place.line, default=None)
    if first is None or first.column != 1:
        return _ended(lines)
    starts = {key: _with_comments(lines, place.line - 1, 0) for key, place in root.keys.items()}
    order = sorted(starts, key=lambda key: starts[key])
    ends = [starts[key] for key in order[1:]] + [len(lines)]
    blocks = {
        key: _block(document, lines, key, root.entries[key], starts[key], end)
        for key, end in zip(order, ends, strict=True)
    }
    head = _trimmed(lines[: starts[order[0]]])
    ordered = sorted(order, key=lambda key: _rank(key, _FILE_ORDER))
    return _ended(_joined([head, *(blocks[key] for key in ordered)]))


def same_meaning(before: Document, after: Document) -> bool:
    """Whether two files hold the same values, whatever the order of their keys."""
    return before.value == after.value


def _ended(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in _trimmed(lines))


def _joined(groups: list[list[str]]) -> list[str]:
    """Groups of lines with one blank line between two of them."""
    joined: list[str] = []
    for group in groups:
        if group and joined:
            joined.append("")
        joined += group
    return joined


def _trimmed(lines: list[str]) -> list[str]:
    first = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    last = next((index for index in range(len(lines), first, -1) if lines[index - 1].strip()), first)
    return lines[first:last]


def _without_trailing_spaces(document: Document) -> list[str]:
    """The lines of the file; within a text of several lines spaces at their ends may mean something."""
    kept: set[int] = set()
    for node in _scalars(document.root):
        if node.end > node.start:
            lines = (document.lines.position(node.start).line, document.lines.position(node.end).line)
            kept |= set(range(lines[0], lines[1]))
    texts = document.text.split("\n")
    return [line if number in kept else line.rstrip() for number, line in enumerate(texts, 1)]


def _scalars(node: Node) -> Iterator[ScalarNode]:
    if isinstance(node, ScalarNode):
        yield node
    for inner in _inner(node):
        yield from _scalars(inner)


def _inner(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return list(node.entries.values())
    return node.items if isinstance(node, SequenceNode) else []


def _is_block(document: Document, node: Node) -> bool:
    """Whether a mapping or list is written on lines of its own and not in brackets."""
    line = document.text.split("\n")[node.position.line - 1]
    return line[node.position.column - 1 : node.position.column] not in ("{", "[", "*", "&")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _with_comments(lines: list[str], index: int, indent: int) -> int:
    """Where the comments directly above a line begin, else the line itself.

    Only comments no further in than the line are its own: a "#" further in may be within a text.
    """
    while index and lines[index - 1].lstrip(" ").startswith("#") and _indent(lines[index - 1]) <= indent:
        index -= 1
    return index


def _rank(key: str, order: tuple[str, ...]) -> int:
    return order.index(key) if key in order else len(order)


def _block(document: Document, lines: list[str], key: str, node: Node, start: int, end: int) -> list[str]:
    """The lines of one of the file's keys; rules each in their layout."""
    whole = _trimmed(lines[start:end])
    items = node.items if isinstance(node, SequenceNode) else []
    if key != "rules" or not items or not _is_block(document, node):
        return whole
    dashes = [_dash(lines, item) for item in items]
    if None in dashes:
        return whole
    starts = [_with_comments(lines, place.line, place.indent) for place in dashes if place is not None]
    head = _trimmed(lines[start : starts[0]])
    rules = [
        _rule(document, lines, item, first, last)
        for item, first, last in zip(items, starts, [*starts[1:], end], strict=True)
    ]
    return [*head, *_joined(rules)]


@dataclass(frozen=True, slots=True)
class _Dash:
    """Where the "-" of an item is: its line (from 0) and its indentation."""

    line: int
    indent: int


def _dash(lines: list[str], item: Node) -> _Dash | None:
    """The "-" before an item on its own line, None when it is written in another way."""
    line = item.position.line - 1
    before = lines[line][: item.position.column - 1]
    plain = before.strip() == "-" and before.endswith(" ")
    return _Dash(line, _indent(before)) if plain else None


def _rule(document: Document, lines: list[str], item: Node, start: int, end: int) -> list[str]:
    """The lines of one rule, and of comments after it that belong to no key."""
    dash = _dash(lines, item)
    assert dash is not None
    above = lines[start : dash.line]
    tail = _tail(lines, end, item.position.column - 1)
    comments = _trimmed(lines[tail:end])
    parts = _parts(document, lines, item, dash.line, tail)
    if parts is None:
        body = _shifted(_trimmed(lines[dash.line : tail]), _DASH - dash.indent)
        return _joined([[*_shifted(above, _DASH - dash.indent), *body], comments])
    ordered = sorted(parts, key=lambda part: _rank(part.key, KEY_ORDER))
    first, *rest = ordered
    told = [*above, *first.above]
    body = [f"{' ' * _DASH}{line}" for line in (text.lstrip(" ") for text in told)]
    body.append(f"{' ' * _DASH}- {first.lines[0].lstrip(' ')}")
    body += first.lines[1:]
    for part in rest:
        if body[-1].lstrip(" ").startswith("#"):
            body.append("")  # a comment that stands alone stays alone
        body += [f"{' ' * _KEYS}{line.lstrip(' ')}" for line in part.above]
        body += part.lines
    return _joined([body, comments])


def _tail(lines: list[str], end: int, indent: int) -> int:
    """Where comments less far in than the rule's keys begin at its end."""
    tail = end
    while tail and (not lines[tail - 1].strip() or _is_outer_comment(lines[tail - 1], indent)):
        tail -= 1
    return tail


def _is_outer_comment(line: str, indent: int) -> bool:
    return line.lstrip(" ").startswith("#") and _indent(line) < indent


def _parts(document: Document, lines: list[str], item: Node, dash: int, end: int) -> list[_Part] | None:
    """The keys of a rule with their lines, None when they aren't each on a line of its own."""
    if not isinstance(item, MappingNode) or not item.keys or not _is_block(document, item):
        return None
    column = item.position.column
    places = sorted(item.keys.items(), key=lambda entry: entry[1].line)
    rows = [place.line - 1 for _, place in places]
    if rows[0] != dash or len(set(rows)) < len(rows) or any(p.column != column for _, p in places):
        return None
    starts = [_with_comments(lines, row, column - 1) if row != dash else dash for row in rows]
    parts = []
    for (key, _), row, start, stop in zip(places, rows, starts, [*starts[1:], end], strict=True):
        own = _ended_part(lines[row:stop])
        own[0] = " " * (column - 1) + own[0][column - 1 :]
        value = _shifted(own, _KEYS - (column - 1))
        parts.append(_Part(key, lines[start:row], _nested(document, item.entries[key], own, value)))
    return parts


def _ended_part(lines: list[str]) -> list[str]:
    """A key's lines without the blank ones at their end."""
    return lines[: len(_trimmed(lines)) or 1] if lines[0].strip() else lines


def _nested(document: Document, node: Node, own: list[str], moved: list[str]) -> list[str]:
    """A key's lines with the list below it two further in."""
    if not isinstance(node, SequenceNode) or not node.items or not _is_block(document, node):
        return moved
    first = next((line for line in own[1:] if line.lstrip(" ").startswith("-")), None)
    if first is None:
        return moved
    return [moved[0], *_shifted(own[1:], _NESTED - _indent(first))]


def _shifted(lines: list[str], by: int) -> list[str]:
    """Lines moved to the right, or to the left as far as they can be."""
    if by >= 0:
        return [" " * by + line if line.strip() else line for line in lines]
    return [line[min(-by, _indent(line)) :] for line in lines]
