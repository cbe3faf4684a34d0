"""The rules' own lines, as they stand in their file."""

from __future__ import annotations

from bisect import bisect_right

from smm_rules.document import Document
from smm_rules.document.document import MappingNode, SequenceNode


def written_texts(document: Document, key: str) -> list[str]:
    """The lines of each item of the list at the top-level `key`: with the comments within it.

    An item that shares its line with others, as in `rules: [{…}, {…}]`, comes with the whole line.
    """
    root = document.root
    listed = root.entries.get(key) if isinstance(root, MappingNode) else None
    if not isinstance(root, MappingNode) or not isinstance(listed, SequenceNode):
        return []
    lines = document.text.split("\n")
    places = [document.position((key, index)).line for index in range(len(listed.items))]
    # Where something begins: an item ends where the next does, or another key of the file.
    begins = sorted({*places, *(position.line for position in root.keys.values()), len(lines) + 1})
    ends = (begins[bisect_right(begins, place)] for place in places)
    return [
        "\n".join(lines[place - 1 : end - 1]).rstrip() + "\n" for place, end in zip(places, ends, strict=True)
    ]
