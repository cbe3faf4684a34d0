"""`python -m tests.corpus.report`: what is told of broken rule files, counted.

The share with the exact place, with a way out, and what an editor alone finds by the JSON Schema.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from smm_rules.document import DocumentError, read_document
from tests.corpus.corpus import expectations, problems, unclear

SCHEMA = Path(__file__).parents[2] / "smm_rules" / "schemas" / "rules.json"


def as_json(value: Any) -> Any:
    """A document's value as JSON would hold it."""
    match value:
        case Decimal():
            return float(value)
        case dict():
            return {key: as_json(entry) for key, entry in value.items()}
        case list():
            return [as_json(entry) for entry in value]
    return value


def readable(path: Path) -> tuple[bool, Any]:
    """Whether the file is sound YAML, and its value."""
    try:
        return True, as_json(read_document(path).value)
    except DocumentError:
        return False, None


def main() -> None:
    validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    exact = suggested = plain = unreadable = by_schema = 0
    table = expectations()
    for expected in table:
        found = problems(expected.path)
        exact += expected.is_exact(found)
        suggested += bool(found and found[0].suggestion)
        plain += bool(found) and not any(unclear(problem) for problem in found)
        sound, value = readable(expected.path)
        unreadable += not sound
        by_schema += sound and not validator.is_valid(value)
        if not expected.is_exact(found):
            print(f"{expected.name}: expected {expected.line}:{expected.column}, told {found[:1]}")

    def line(words: str, count: int, of: int) -> None:
        print(f"{words:<44} {count:>4} of {of}  {count / of:6.1%}")

    line("told at the exact line and column", exact, len(table))
    line("told in plain words", plain, len(table))
    line("told with a way out", suggested, len(table))
    line("not sound YAML (any editor marks these)", unreadable, len(table))
    line("sound YAML, refused by the JSON Schema alone", by_schema, len(table) - unreadable)


if __name__ == "__main__":
    main()
