"""JSON Schema (2020-12) of the kinds of file, from the pydantic models that read them.

The models decide what keys there are and what they hold. What their validators do in code is added here,
where JSON Schema can say it: one kind of step, one place of a secret, a limit for rules that act.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from smm_rules.cli.json_schema.words import WORDS
from smm_rules.config.model import Configuration
from smm_rules.document.types import Settings
from smm_rules.facts import FIELDS, EntityKind, OrderStatus, RefillStatus, format_duration
from smm_rules.matching.file import MappingSpec
from smm_rules.rules.condition.functions import FUNCTIONS
from smm_rules.rules.schema import RuleFile

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ACTING = ("refill", "reorder", "cancel")
_BARE = ("refill", "cancel", "reorder")
_TEXT: Schema = {"type": "string", "pattern": r"\S"}
_TEMPLATE = r"\{[{%#]"


def rules_schema() -> Schema:
    """The schema of a rule file."""
    schema = _of(RuleFile, "A rule file of smm-rules")
    definitions = schema["$defs"]
    schema["minProperties"] = 1
    schema["properties"]["tests"] = {
        "type": "array",
        "description": WORDS["RuleFile"]["tests"],
        "items": _test(),
    }
    definitions["StepSpec"] = _step(definitions["StepSpec"])
    _complete_reorder(definitions["ReorderSpec"]["properties"])
    _complete_rule(definitions["RuleSpec"])
    return schema


def config_schema() -> Schema:
    """The schema of a configuration."""
    schema = _of(Configuration, "The configuration of smm-rules")
    definitions = schema["$defs"]
    for name in ("SecretReference", "ChannelSettings"):
        definitions[name] |= {"minProperties": 1, "maxProperties": 1}
    definitions["InlineSecret"] = {
        "type": "string",
        "description": "A text that may hold a secret, such as an address.",
    }
    schema["properties"]["channels"]["additionalProperties"] = False
    return schema


def services_schema() -> Schema:
    """The schema of a mapping of equal services."""
    schema = _of(MappingSpec, "A mapping of equal services for smm-rules")
    schema["$defs"]["EntrySpec"]["oneOf"] = [{"required": ["name"]}, {"required": ["joins"]}]
    return schema


#: What can be printed, by its name.
SCHEMAS = {"rules": rules_schema, "config": config_schema, "services": services_schema}


def schema_text(name: str) -> str:
    """The schema as the text of its file."""
    return json.dumps(SCHEMAS[name](), ensure_ascii=False, indent=2) + "\n"


def _of(model: type[BaseModel], title: str) -> Schema:
    plain = model.model_json_schema(by_alias=True)
    definitions = plain.pop("$defs", {})
    models = {found.__name__: found for found in _models(Settings)}
    for name, definition in (*definitions.items(), (model.__name__, plain)):
        _tidy(definition, models.get(name), WORDS.get(name, {}))
    head: Schema = {"$schema": DIALECT, "title": title}
    return head | {"$defs": dict(sorted(definitions.items()))} | plain | {"title": title}


def _models(base: type[Settings]) -> Iterator[type[Settings]]:
    for found in base.__subclasses__():
        yield found
        yield from _models(found)


def _tidy(definition: Schema, model: type[Settings] | None, words: dict[str, str]) -> None:
    """One object's schema with words for each key, and defaults as they are written in a file."""
    definition.pop("title", None)
    definition["description"] = str(definition.get("description", "")).split("\n\n", maxsplit=1)[0]
    for key, value in definition.get("properties", {}).items():
        value.pop("title", None)
        _put_bounds_on_lists(value)
        if key in words:
            value["description"] = words[key]
        default = _default(model, key)
        if default is None:
            value.pop("default", None)
        else:
            value["default"] = default


def _default(model: type[Settings] | None, key: str) -> object:
    """A default worth showing: a duration as it is written, a word, a number."""
    for name, field in model.model_fields.items() if model is not None else ():
        if key == (field.alias or name):
            default = field.default
            if isinstance(default, timedelta):
                return format_duration(default) if default else None
            return default if isinstance(default, str | int) and default != "" else None
    return None


def _put_bounds_on_lists(value: Schema) -> None:
    """One item or a list of them: pydantic puts the list's bound beside both, where it bounds the text."""
    around = [value, *value.get("anyOf", ())]
    for outer in around:
        lists = [inner for inner in outer.get("anyOf", ()) if inner.get("type") == "array"]
        for inner in lists:
            inner["minItems"] = 1
        if lists:
            outer.pop("minLength", None)


def _step(object_schema: Schema) -> Schema:
    """A step: one key, or a bare word for those that need no parameters."""
    kinds: list[Schema] = [
        {"enum": list(_BARE), "description": "A step without parameters."},
    ]
    for key, value in object_schema["properties"].items():
        alternatives = [one for one in value.get("anyOf", [value]) if one.get("type") != "null"]
        if key in _BARE:
            alternatives.append({"type": "null"})
        shape: Schema = alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
        kinds.append(
            {
                "type": "object",
                "properties": {key: {"description": value["description"], **shape}},
                "required": [key],
                "additionalProperties": False,
            }
        )
    return {"description": "One step.", "oneOf": kinds}


def _complete_reorder(properties: Schema) -> None:
    properties["quantity"] |= {
        "anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": rf"^[1-9][0-9]{{0,11}}$|{_TEMPLATE}"},
            {"type": "null"},
        ]
    }
    properties["service"] |= {"anyOf": [_TEXT, {"type": "integer"}, {"type": "null"}]}


def _complete_rule(rule: Schema) -> None:
    properties = rule["properties"]
    for key in ("when", "until"):
        properties[key] |= {
            "anyOf": [_TEXT, {"type": "array", "minItems": 1, "items": _TEXT}],
            "description": f"{properties[key]['description']}\n\n{_language()}",
            "examples": _examples(),
        }
        properties[key].pop("minLength", None)
    acting: Schema = {"contains": {"anyOf": [{"enum": list(_ACTING)}, *({"required": [k]} for k in _ACTING)]}}
    acts = {"required": ["do"], "properties": {"do": acting}}
    tells = {"properties": {"do": {"not": acting}, "otherwise": {"not": acting}}}
    watched = {"required": ["watch"], "properties": {"watch": {"enum": ["balance", "service", "panel"]}}}
    properties["done"] = {"not": acting, **properties["done"]}
    rule["allOf"] = [
        {"if": acts, "then": {"required": ["limit"], "properties": {"limit": {"minProperties": 1}}}},
        {"if": watched, "then": tells},
        {"if": {"required": ["otherwise"]}, "then": acts},
    ]


def _language() -> str:
    """The words of the condition language, for an editor to show."""
    facts = "\n".join(f"- {kind}: {', '.join(FIELDS[kind])}" for kind in EntityKind)
    return (
        f"Facts, by what is watched:\n{facts}\n\n"
        "An order also has its service.…, balance.… and panel.…, a refill its order.… too.\n\n"
        f"Statuses of an order: {', '.join(OrderStatus)}. Of a refill: {', '.join(RefillStatus)}.\n\n"
        f"Functions: {', '.join(FUNCTIONS)}. Durations: 30s, 10m, 1h30m, 3d."
    )


def _examples() -> list[str]:
    orders = [f'status == "{status}"' for status in OrderStatus]
    return [
        'status == "Partial" and remains > 0 and service.refill',
        'status in ("Pending", "In progress") and unchanged > 24h',
        "amount < 20",
        "rate_increase >= 10%",
        "not reachable and failing_for > 15m",
        *orders,
        'status == "Rejected"',
    ]


def _test() -> Schema:
    return {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "description": "What is tested, in words."},
            "given": {"type": "object", "description": "Facts at the beginning, by what they are of."},
            "at": {"type": "object", "description": "What the rules do, by the time since the beginning."},
        },
    }
