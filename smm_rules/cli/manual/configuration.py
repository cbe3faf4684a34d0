"""smm-rules.yaml(5), from the JSON Schema of the configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from smm_rules import __version__
from smm_rules.cli.manual import roff
from smm_rules.config.environment import VARIABLES

NAME = "smm-rules.yaml"
_EXAMPLE = """\
panels:
  - name: main
    url: https://panel.example/api/v2
    key: {env: MAIN_PANEL_KEY}
channels:
  ops: {log: {}}
rules: rules
ledger: smm-rules.db"""

_DESCRIPTION = """\
One YAML file says which panels there are, where messages go, where the rules and the ledger are, and what
bounds the rules. Paths start from its directory. Unknown keys are errors; `smm-rules check` tells of each
problem with its line.

Keys, passwords and addresses that hold a secret are named, not written: `{env: NAME}` for an environment
variable, `{file: PATH}`, or `{credential: NAME}` for one of systemd's."""

Schema = Mapping[str, Any]


def page(schema: Schema, date: str) -> str:
    """The page's text."""
    return roff.page(_lines(schema, date))


def _lines(schema: Schema, date: str) -> Iterator[str]:
    yield roff.title(NAME, 5, date, f"smm-rules {__version__}")
    yield roff.section("NAME")
    yield f"{roff.escaped(NAME)} \\- configuration of smm\\-rules"
    yield roff.section("DESCRIPTION")
    yield from roff.paragraphs(_DESCRIPTION)
    yield roff.section("ENVIRONMENT")
    yield from roff.paragraphs("These go before what the file says, for one setting each:")
    for variable, trail in VARIABLES.items():
        yield from roff.item(variable, f"`{'.'.join(trail)}`")
    yield roff.section("SETTINGS")
    yield from _settings(schema)
    for title, definition in sorted(_used(schema).items()):
        yield roff.section(title)
        yield from roff.paragraphs(str(definition.get("description", "")))
        yield from _settings(definition)
    yield roff.section("EXAMPLES")
    yield from roff.verbatim(_EXAMPLE.split("\n"))
    yield roff.section("SEE ALSO")
    yield roff.inline("smm-rules(1), smm-rules-check(1), smm-rules-schema(1)")


def _settings(schema: Schema) -> Iterator[str]:
    required = set(schema.get("required", ()))
    for name, setting in schema.get("properties", {}).items():
        told = [str(setting.get("description", "")), *_facts(setting, name in required)]
        yield from roff.item(name, " ".join(part for part in told if part))


def _facts(setting: Schema, is_required: bool) -> Iterator[str]:
    """What else is known of a setting: required, its choices, its default, where its parts are described."""
    if is_required:
        yield "Required."
    if "enum" in setting:
        yield f"One of {', '.join(map(_written, setting['enum']))}."
    default = setting.get("default")
    if default not in (None, "", [], {}):
        yield f"Default: {_written(default)}."
    names = sorted(set(_references(setting)))
    if names:
        yield f"See {' or '.join(_title(name) for name in names)}."


def _written(value: object) -> str:
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _references(node: object) -> Iterator[str]:
    if isinstance(node, Mapping):
        reference = node.get("$ref")
        if isinstance(reference, str):
            yield reference.rpartition("/")[2]
        for part in node.values():
            yield from _references(part)
    elif isinstance(node, list):
        for part in node:
            yield from _references(part)


def _used(schema: Schema) -> dict[str, Schema]:
    """The parts that have settings of their own, by their headings."""
    definitions = schema.get("$defs", {})
    return {_title(name): part for name, part in definitions.items() if part.get("properties")}


def _title(name: str) -> str:
    """`PanelSettings` as a heading: `PANEL SETTINGS`."""
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in name)
    return words.strip().upper()
