"""Fuzzed by its own OpenAPI document, over a real socket: every answer is one that the document tells of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from smm_rules.receiving.openapi import document
from tests.receiving.desk import TOKEN, configure
from tests.receiving.threaded import ThreadedDesk, threaded

EXAMPLES = 40
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
]
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _document(directory: Path) -> dict[str, Any]:
    http = configure(directory).intake.http
    assert http is not None
    return document(http)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedDesk]:
    with threaded(tmp_path_factory.mktemp("fuzzed")) as one:
        yield one


OPERATIONS = ("track", "place", "order", "intent", "health", "openapi")


#: What takes nothing can't be given anything wrong.
ASKED = [
    *((operation, GenerationMode.POSITIVE) for operation in OPERATIONS),
    *((operation, GenerationMode.NEGATIVE) for operation in OPERATIONS[:4]),
]


@pytest.mark.parametrize(("operation", "mode"), ASKED)
def test_whatever_is_sent_is_answered_as_the_document_says(
    desk: ThreadedDesk, tmp_path: Path, operation: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_dict(_document(tmp_path))
    schema.config.base_url = desk.url
    cases = schema.find_operation_by_id(operation).as_strategy(generation_mode=mode)
    bought: dict[str, int] = {}

    @given(case=cases, named=st.booleans())
    @BOUNDED
    def fuzz(case: schemathesis.Case, named: bool) -> None:
        if named:
            _name_a_panel(case.body)
        response = case.call(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
        case.validate_response(response, checks=CHECKS)
        if operation == "place" and response.status_code == 202:
            bought.setdefault(str((case.headers or {})["Idempotency-Key"]), response.json()["intent"])

    fuzz()
    planned = desk.run(desk.desk.intents())
    assert set(bought.values()) <= set(planned)
    assert len(bought) == len(set(bought.values()))
    assert bool(bought) is ((operation, mode) == ("place", GenerationMode.POSITIVE))


def _name_a_panel(body: object) -> None:
    """A made-up name is never a panel's: let some get further."""
    for one in body if isinstance(body, list) else [body]:
        if isinstance(one, dict) and isinstance(one.get("panel", ""), str | None):
            one["panel"] = "north"


@pytest.mark.parametrize("operation", ["track", "place", "order", "intent"])
@pytest.mark.parametrize("token", [None, "wrong", "Bearer"])
def test_no_call_but_health_goes_without_a_token(
    desk: ThreadedDesk, tmp_path: Path, operation: str, token: str | None
) -> None:
    schema = schemathesis.openapi.from_dict(_document(tmp_path))
    method = schema.find_operation_by_id(operation).method
    path = {"track": "/orders", "place": "/orders/place", "order": "/orders/north/1", "intent": "/intents/1"}
    headers = {"Idempotency-Key": "k"} | ({} if token is None else {"Authorization": f"Bearer {token}"})
    answer = requests.request(method, desk.url + path[operation], json={}, headers=headers, timeout=30)
    assert answer.status_code in (401, 429)


def test_the_document_is_openapi(desk: ThreadedDesk, tmp_path: Path) -> None:
    told = requests.get(f"{desk.url}/openapi.json", timeout=30).json()
    assert told == _document(tmp_path)
    schemathesis.openapi.from_dict(told).validate()
    for schema in told["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    assert {one["operationId"] for path in told["paths"].values() for one in path.values()} == set(OPERATIONS)
