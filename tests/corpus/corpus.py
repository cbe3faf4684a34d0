"""The corpus of broken rule files and its table of expectations.

`broken/` holds the files as a person might leave them. `expected.yaml` says, by each file's name, where its
first problem is, and a part of the sentence and of the suggestion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from smm_rules.document import DocumentError, Problem, read_document
from smm_rules.rules import Scope, load_rules

DIRECTORY = Path(__file__).parent
BROKEN = DIRECTORY / "broken"
#: What the broken files may name of a configuration.
SCOPE = Scope(frozenset({"main", "second"}), {"ops": "apprise", "hook": "webhook"})
#: What only a programmer would understand.
_JARGON = re.compile(
    r"Traceback|\w+Error\b|Exception|None\b|NoneType|\bdict\b|(?<!!)\bstr\b|\bint\b|\btuple\b|pydantic|jinja|yaml\.|"
    r"\bAST\b|\btoken\b|\bscalar\b|validator|object at 0x|<class|\bNode\b|literal_error|\\x"
)


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be said of one file."""

    name: str
    line: int
    column: int
    says: str
    suggests: str
    more: int

    @property
    def path(self) -> Path:
        return BROKEN / f"{self.name}.yaml"

    def is_exact(self, found: tuple[Problem, ...]) -> bool:
        """Whether the first problem is where it is expected."""
        place = found[0].position if found else None
        return place is not None and (place.line, place.column) == (self.line, self.column)


def expectations() -> list[Expected]:
    table = read_document(DIRECTORY / "expected.yaml").value
    assert isinstance(table, dict)
    return [Expected(name, **({"suggests": "", "more": 0} | entry)) for name, entry in table.items()]  # type: ignore[operator]


def problems(path: Path) -> tuple[Problem, ...]:
    """What is wrong with a file; nothing when it loads."""
    try:
        load_rules([path], SCOPE)
    except DocumentError as error:
        return error.problems
    return ()


def unclear(problem: Problem) -> str:
    """What in a problem's words only a programmer would understand, else an empty text."""
    written = re.sub(r'`[^`]*`|"[^"]*"', "…", f"{problem.message}. {problem.suggestion}")
    found = _JARGON.search(written)
    return found[0] if found else ""
