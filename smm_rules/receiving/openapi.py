"""The OpenAPI document, made from the models and the settings."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from smm_rules import __version__
from smm_rules.config.intake import HttpIntakeSettings
from smm_rules.receiving.call import JSON, PROBLEM
from smm_rules.receiving.keys import HEADER, REPLAYED
from smm_rules.receiving.models import (
    HealthAnswer,
    IntentAnswer,
    KnownOrder,
    OrderAnswer,
    ProblemAnswer,
    Purchase,
    TrackedAnswer,
)

_COMPONENT = "#/components/schemas/{model}"
_IN: tuple[type[BaseModel], ...] = (KnownOrder, Purchase)
_OUT: tuple[type[BaseModel], ...] = (TrackedAnswer, IntentAnswer, OrderAnswer, HealthAnswer, ProblemAnswer)
_PROBLEMS = {
    400: "The body or a header can't be read.",
    401: "The request carries no known token.",
    403: "The token may not do that.",
    404: "There is no such thing.",
    408: "The body didn't come in time.",
    409: "Another request under the same key is under way. Ask again.",
    413: "The body, or the list, is too long.",
    415: "The body's type isn't application/json.",
    422: "Something can't be taken as it is, or the key stands for something else.",
    429: "Too many requests came without a known token.",
    500: "A fault of the program.",
    503: "The ledger can't be used or is on hold. Ask again, with the same key.",
}
_ALWAYS = (401, 403, 429, 500, 503)
_WITH_BODY = (400, 408, 409, 413, 415, 422)
_DESCRIPTION = (
    "Hands over orders to be watched, and plans orders to be bought. A purchase is asked for under an "
    f"`{HEADER}`: however often it is asked for under the same key, it is bought once at most. Money is text."
)


def document(settings: HttpIntakeSettings) -> dict[str, Any]:
    """OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "smm-rules intake", "version": __version__, "description": _DESCRIPTION},
        "servers": [{"url": settings.base_url or "/"}],
        "security": [{"token": []}],
        "paths": {
            "/orders": {"post": _track(settings)},
            "/orders/place": {"post": _place()},
            "/orders/{panel}/{order}": {"get": _order()},
            "/intents/{intent}": {"get": _intent()},
            "/healthz": {"get": _health()},
            "/openapi.json": {"get": _self()},
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "parameters": {"key": _key(required=True), "key_if_wanted": _key(required=False)},
            "headers": {REPLAYED: {"description": "`true`: done before.", "schema": {"const": "true"}}},
        },
    }


def _schemas() -> dict[str, Any]:
    _, of_bodies = models_json_schema([(model, "validation") for model in _IN], ref_template=_COMPONENT)
    _, of_answers = models_json_schema([(model, "serialization") for model in _OUT], ref_template=_COMPONENT)
    return {**of_bodies.get("$defs", {}), **of_answers.get("$defs", {})}


def _track(settings: HttpIntakeSettings) -> dict[str, Any]:
    several = {
        "type": "array",
        "items": _ref(KnownOrder),
        "minItems": 1,
        "maxItems": settings.most_orders,
    }
    return {
        "operationId": "track",
        "summary": "Watch an order that was placed elsewhere, or a list of them.",
        "description": (
            "Each order is answered by itself: the good ones are watched whatever the others are. One that "
            "is watched already is left as it is. 422 when not one can be taken."
        ),
        "parameters": [{"$ref": "#/components/parameters/key_if_wanted"}],
        "requestBody": _body({"oneOf": [_ref(KnownOrder), several]}),
        "responses": {
            "200": _ok("What became of each.", TrackedAnswer, replayed=True),
            **_problems(*_WITH_BODY),
        },
    }


def _place() -> dict[str, Any]:
    answer = _ok("Planned, or held; it is sent later. See `state`.", IntentAnswer, replayed=True)
    answer["headers"]["Location"] = {"description": "Where it is seen.", "schema": {"type": "string"}}
    return {
        "operationId": "place",
        "summary": "Buy an order, once.",
        "description": (
            "The purchase is written to the ledger and sent later, under the guards, approvals and modes "
            "that are configured. Asked for again under the same key with the same body it isn't bought "
            "again and gets the same answer; `GET /intents/{intent}` says how it stands."
        ),
        "parameters": [{"$ref": "#/components/parameters/key"}],
        "requestBody": _body(_ref(Purchase)),
        "responses": {"202": answer, **_problems(*_WITH_BODY)},
    }


def _order() -> dict[str, Any]:
    return {
        "operationId": "order",
        "summary": "An order as it was last read.",
        "parameters": [_in_path("panel", {"type": "string"}), _in_path("order", {"type": "string"})],
        "responses": {"200": _ok("The order.", OrderAnswer), **_problems(404)},
    }


def _intent() -> dict[str, Any]:
    return {
        "operationId": "intent",
        "summary": "An action as it stands.",
        "parameters": [_in_path("intent", {"type": "integer", "minimum": 1})],
        "responses": {"200": _ok("The action.", IntentAnswer), **_problems(404)},
    }


def _health() -> dict[str, Any]:
    return {
        "operationId": "health",
        "summary": "Whether the process gets on.",
        "security": [],
        "responses": {"200": _ok("It does.", HealthAnswer), "503": _ok("It is stuck.", HealthAnswer)},
    }


def _self() -> dict[str, Any]:
    content = {JSON: {"schema": {"type": "object"}}}
    return {
        "operationId": "openapi",
        "summary": "This document.",
        "security": [],
        "responses": {"200": {"description": "OpenAPI 3.1.", "content": content}},
    }


# -- pieces ---------------------------------------------------------------------------------------------
def _ref(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": _COMPONENT.format(model=model.__name__)}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {JSON: {"schema": schema}}}


def _ok(description: str, model: type[BaseModel], *, replayed: bool = False) -> dict[str, Any]:
    headers = {REPLAYED: {"$ref": f"#/components/headers/{REPLAYED}"}} if replayed else {}
    return {"description": description, "headers": headers, "content": {JSON: {"schema": _ref(model)}}}


def _problems(*statuses: int) -> dict[str, Any]:
    content = {PROBLEM: {"schema": _ref(ProblemAnswer)}}
    return {
        str(status): {"description": _PROBLEMS[status], "content": content}
        for status in sorted({*_ALWAYS, *statuses})
    }


def _in_path(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _key(*, required: bool) -> dict[str, Any]:
    return {
        "name": HEADER,
        "in": "header",
        "required": required,
        "description": (
            "Names this request among all of your program's: the same key for the same request asked again."
        ),
        "schema": {"type": "string", "pattern": r"^[!#-\[\]-~]{1,200}$"},
    }
