"""The cookbook's files by name, for starting a rule of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

_SCHEMA_LINE = re.compile(r"\A# yaml-language-server:.*\n")
_DESCRIPTION = re.compile(r"^    description: (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One rule to start from. Its rule has the name of its file."""

    name: str
    text: str

    @property
    def description(self) -> str:
        """What it is for, in one line."""
        found = _DESCRIPTION.search(self.text)
        return found[1] if found else ""

    def named(self, name: str, schema: str = "") -> str:
        """The text with the rule called `name`; `schema` is where its JSON Schema is, if anywhere."""
        text = _SCHEMA_LINE.sub(f"# yaml-language-server: $schema={schema}\n" if schema else "", self.text)
        text = re.sub(rf"^(  - name: ){re.escape(self.name)}$", rf"\g<1>{name}", text, flags=re.MULTILINE)
        return re.sub(rf"(?<=[\[{{ ]){re.escape(self.name)}(?=: \[)", name, text)


def recipes() -> dict[str, Recipe]:
    """Every recipe by its name."""
    return {recipe.name: recipe for recipe in _read()}


def _read() -> Iterator[Recipe]:
    for file in sorted(resources.files("smm_rules.cookbook").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            yield Recipe(file.name.removesuffix(".yaml"), file.read_text("utf-8"))
