"""The models of rule files can be told to editors."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from smm_rules.config import Configuration
from smm_rules.document import read_document
from smm_rules.rules.schema import RuleFile

EXAMPLES = sorted((Path(__file__).parents[2] / "rules").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_schema_takes_an_example(path: Path) -> None:
    schema = RuleFile.model_json_schema(by_alias=True)
    value = json.loads(json.dumps(read_document(path).value, default=float))

    assert list(jsonschema.Draft202012Validator(schema).iter_errors(value)) == []


@pytest.mark.parametrize("model", [RuleFile, Configuration])
def test_the_schemas_are_schemas(model: type[RuleFile] | type[Configuration]) -> None:
    schema = model.model_json_schema(by_alias=True)

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
