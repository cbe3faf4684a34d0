"""An answer about many IDs cut into the text of each entry, without reading it.

Only the plain shape is cut: an object of entries by number, each a flat object, without escapes. In valid
JSON of that shape `},"7":{` can't stand inside a text, for what follows a text is never a digit, so every
entry is cut where it ends; and an entry that was read before is valid, so the whole is valid where the rest
is. Whatever else may decide what an entry means (HTTP status, the shape of the whole, an ID named twice, an
entry that names its order) sends the answer the ordinary way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from smm_rules.panel.replies import Reply

_SPACE = r"[ \t\n\r]*"
_ENTRY = re.compile(
    rf'("(\d{{1,64}})"{_SPACE}:{_SPACE}'
    rf"(\{{[^{{}}\[\]\\]*(?:\[[^{{}}\[\]\\]*\][^{{}}\[\]\\]*)*\}}){_SPACE}([,}}]){_SPACE})",
    re.ASCII,
)
_OPENING = re.compile(rf"{_SPACE}\{{{_SPACE}")
#: Longer answers about a hundred IDs have something in them that isn't plain.
_LONGEST = 256 * 1024


@dataclass(slots=True)
class Said:
    """One answer of the plain shape, cut when somebody asks for an entry's text."""

    reply: Reply
    _texts: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def about(self, name: str) -> str:
        """The text of the entry of `name`; LookupError when the answer has none."""
        if not self._texts:
            self._texts = entry_texts(self.reply) or {}
        return self._texts[name]


def entry_texts(reply: Reply) -> dict[str, str] | None:
    """The text of each entry by its ID; None for an answer of any but the plain shape."""
    body = reply.text
    if reply.status != 200 or len(body) > _LONGEST or '"order"' in body:
        return None
    opening = _OPENING.match(body)
    pieces = _ENTRY.findall(body)
    if opening is None or not pieces:
        return None
    # Nothing but entries, a comma after each and the closing brace after the last.
    if opening.end() + sum([len(piece[0]) for piece in pieces]) != len(body):
        return None
    if "".join([piece[3] for piece in pieces]) != "," * (len(pieces) - 1) + "}":
        return None
    texts = {name: text for _, name, text, _ in pieces}
    return texts if len(texts) == len(pieces) else None


def document_of(texts: Mapping[str, str], names: Iterable[str]) -> str:
    """What a panel would have answered about these `names` alone."""
    return "{" + ",".join([f'"{name}":{texts[name]}' for name in names]) + "}"
