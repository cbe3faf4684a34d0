"""JSON Schemas: current, complete in words, true to every file that loads, and true to those that don't."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from smm_rules.cli.json_schema.generate import SCHEMAS, schema_text
from smm_rules.cli.json_schema.words import WORDS
from smm_rules.document import read_document, read_text
from smm_rules.document.types import Settings
from smm_rules.rules import LoadedRules, load_rules
from tests.cli.command import said
from tests.corpus.corpus import expectations, problems
from tests.corpus.report import as_json, readable

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "smm_rules" / "schemas"
RULES = sorted(
    path
    for pattern in (
        "rules/*.yaml",
        "smm_rules/cookbook/*.yaml",
        "smm_rules/demo/rules.yaml",
        "smm_rules/cli/first_set_up/first-rules*.yaml",
    )
    for path in ROOT.glob(pattern)
)
Capture = pytest.CaptureFixture[str]


def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SHIPPED / f"{kind}.json").read_text("utf-8")))


def told(kind: str, value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator(kind).iter_errors(as_json(value))]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_shipped_schema_is_the_one_the_models_make(kind: str, capsys: Capture) -> None:
    Draft202012Validator.check_schema(json.loads(schema_text(kind)))
    assert (SHIPPED / f"{kind}.json").read_text("utf-8") == schema_text(kind)
    assert said(capsys, "schema", kind).out == schema_text(kind)


def test_every_key_has_words_and_no_word_is_left_over() -> None:
    def models(base: type[Settings]) -> set[type[Settings]]:
        return {base} | {found for inner in base.__subclasses__() for found in models(inner)}

    named = {model.__name__: model for model in models(Settings)}
    for name, words in WORDS.items():
        assert set(words) <= {field.alias or key for key, field in named[name].model_fields.items()}
    for kind in SCHEMAS:
        schema = json.loads(schema_text(kind))
        for definition in (schema, *schema["$defs"].values()):
            for key, value in definition.get("properties", {}).items():
                assert value.get("description"), key


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_shipped_rules_are_valid_and_name_their_schema(path: Path) -> None:
    assert told("rules", read_document(path).value) == []
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text("utf-8"))
    assert named is not None
    if path.parent.name != "first_set_up":
        assert (path.parent / named[1]).resolve() == SHIPPED / "rules.json"


def test_what_init_writes_is_valid_and_names_schemas_that_are_there(here: Path, capsys: Capture) -> None:
    said(capsys, "init", ".")
    for kind, path in (("config", Path("smm-rules.yaml")), ("rules", Path("rules/first-rules.yaml"))):
        assert told(kind, read_document(path).value) == []
        named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text("utf-8"))
        assert named is not None
        assert (path.parent / named[1]).read_text("utf-8") == schema_text(kind)


@pytest.mark.parametrize("expected", expectations(), ids=lambda expected: expected.name)
def test_what_the_schema_refuses_the_loader_refuses(expected: Any) -> None:
    """The schema may miss what is wrong, but it never marks what loads."""
    sound, value = readable(expected.path)
    if sound and not validator("rules").is_valid(value):
        assert problems(expected.path) != ()


def test_the_schema_alone_finds_many_of_the_broken_files() -> None:
    values = [readable(expected.path) for expected in expectations()]
    refused = [value for sound, value in values if sound and not validator("rules").is_valid(value)]
    assert len(refused) >= 119


CONFIGURATION = """\
panels:
  - {name: main, url: "https://panel.example/api/v2", key: {env: KEY}, poll: {orders: 1m}}
channels:
  ops: {apprise: [{env: OPS}, "json://localhost"]}
  shop: {webhook: {url: "https://shop.example/x", secret: {file: secret}}}
  mail: {email: {host: m.example, from: a@m.example, to: [b@m.example]}}
  log: {log: }
rules: [rules, more]
ledger: ledger.db
operator: {channel: ops}
logging: {level: debug}
"""


def test_a_configuration_with_everything_is_valid() -> None:
    assert told("config", read_text(CONFIGURATION, Path("c.yaml")).value) == []


@pytest.mark.parametrize(
    ("sound", "broken"),
    [
        ("{env: KEY}", "{env: KEY, file: x}"),
        ("{env: KEY}", "secret-key"),
        ("orders: 1m", "orders: 60"),
        ("log: {log: }", "log: {log: , email: {}}"),
        ("logging", "loging"),
        ("level: debug", "level: warn"),
        ("ledger: ledger.db\n", ""),
        ("rules: [rules, more]", "rules: []"),
    ],
)
def test_a_broken_configuration_is_marked(sound: str, broken: str) -> None:
    assert sound in CONFIGURATION
    text = CONFIGURATION.replace(sound, broken, 1)
    assert told("config", read_text(text, Path("c.yaml")).value) != []


#: Ways of writing that load, so an editor must not mark them.
ALLOWED = """\
rules:
  - name: a
    watch: order
    when: [remains > 0, status == "Partial"]
    until: remains == 0
    panels: [main, second]
    first_seen: act
    do:
      - refill
      - refill:
      - cancel: {}
      - reorder
      - reorder: {quantity: 5, service: 12, parameters: {comments: [a, b], runs: 2}}
      - reorder: {quantity: "{{ remains }}", max_rate_increase: 12.5 %}
      - webhook: {channel: hook}
      - webhook: {channel: hook, data: {a: [1, 2.5, {b: null}]}}
      - log: {message: x, level: debug}
    otherwise: []
    limit: {per_sweep: 5, every: 1h30m}
"""


def test_every_way_of_writing_that_loads_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(ALLOWED, encoding="utf-8")
    assert isinstance(load_rules([path]), LoadedRules)
    assert told("rules", read_document(path).value) == []
