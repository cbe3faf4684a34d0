"""A rule's own lines, as they stand in its file."""

from __future__ import annotations

from smm_rules.document import Document, Trail
from smm_rules.document.document import MappingNode, Node, SequenceNode


def written_text(document: Document, trail: Trail) -> str:
    """The lines of the list item at `trail` (`("rules", 2)`): with the comments within it.

    An item that shares its line with others, as in `rules: [{…}, {…}]`, comes with the whole line.
    """
    lines = document.text.splitlines(keepends=True)
    place = document.position(trail).line
    after = [line for line in _lines_after(document.root, trail) if line > place]
    return "".join(lines[place - 1 : min(after, default=len(lines) + 1) - 1]).rstrip() + "\n"


def _lines_after(root: Node, trail: Trail) -> list[int]:
    """The lines on which what follows begins: later items of the list, and other keys of the file."""
    key, index = trail[0], trail[1]
    if not isinstance(root, MappingNode) or not isinstance(key, str) or not isinstance(index, int):
        return []
    listed = root.entries[key]
    items = listed.items[index + 1 :] if isinstance(listed, SequenceNode) else []
    return [position.line for position in root.keys.values()] + [item.position.line for item in items]
