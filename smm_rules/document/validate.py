"""A document checked against a pydantic model, every fault told with its place and a way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from smm_rules.document.document import Document, Trail
from smm_rules.document.problem import DocumentError, Problem, did_you_mean, in_file_order
from smm_rules.document.types import REFUSED, written

_Model = TypeVar("_Model", bound=BaseModel)


def validate(
    document: Document, model: type[_Model], at: Trail = (), context: Mapping[str, Any] | None = None
) -> _Model:
    """The part of `document` at `at` as a `model`; `DocumentError` carries every problem in it.

    `context` is handed to the model's validators.
    """
    try:
        return model.model_validate(document.at(at), context=context)
    except ValidationError as error:
        details = error.errors(include_url=False)
    raise DocumentError(in_file_order(_problems(document, model, at, details)))


def _problems(
    document: Document, model: type[BaseModel], at: Trail, details: list[ErrorDetails]
) -> Iterator[Problem]:
    misspelt: set[Trail] = set()
    for detail in details:
        if detail["type"] == "extra_forbidden":
            problem, meant = _unknown_key(document, model, at, detail)
            misspelt.add((*detail["loc"][:-1], meant))
            yield problem
    for detail in details:
        if detail["type"] != "extra_forbidden" and not _told_already(detail, misspelt):
            yield _problem(document, at, detail)


def _told_already(detail: ErrorDetails, misspelt: set[Trail]) -> bool:
    """Whether another problem says it: a key missing as it is misspelt, a list short of refused items."""
    if detail["type"] == "missing":
        return tuple(detail["loc"]) in misspelt
    return detail["type"] == "too_short" and bool(detail.get("input"))


def _unknown_key(
    document: Document, model: type[BaseModel], at: Trail, detail: ErrorDetails
) -> tuple[Problem, str]:
    *around, name = detail["loc"]
    models = _models_at(model, tuple(around))
    known = sorted(field.alias or name for found in models for name, field in found.model_fields.items())
    suggestion = did_you_mean(str(name), known)
    hints = [found.hints[str(name)] for found in models if str(name) in getattr(found, "hints", {})]
    if hints:
        suggestion = hints[0]
    meant = suggestion.removeprefix('Did you mean "').removesuffix('"?')
    if not suggestion and known:
        suggestion = f"Known here: {', '.join(known)}"
    position = document.key_position((*at, *detail["loc"]))
    noun = getattr(models[0], "noun", "key") if models else "key"
    return Problem(position, f"Unknown {noun} {written(str(name))}", suggestion), meant


def _problem(document: Document, at: Trail, detail: ErrorDetails) -> Problem:
    trail = (*at, *detail["loc"])
    if detail["type"] == "missing":
        return Problem(document.position(trail[:-1]), f"The key `{trail[-1]}` is missing")
    if not trail and document.value is None:
        return Problem(document.position(()), "The file is empty")
    if detail["loc"] and detail["loc"][-1] == "[key]":
        trail = trail[:-1]
        position = document.key_position(trail)
    else:
        position = document.position(trail)
    message, suggestion = _sentence(detail)
    if message[:1].islower():
        message = f"{_label(document, trail)} {message}"
    return Problem(position, message, suggestion)


def _label(document: Document, trail: Trail) -> str:
    """What a sentence about the value at `trail` begins with."""
    names = [step for step in trail if isinstance(step, str)]
    if not names:
        return "The file" if not trail else "This"
    if isinstance(trail[-1], int) and document.holds(trail):
        return f"Item {trail[-1] + 1} of `{names[-1]}`"
    return f"`{names[-1]}`"


def _sentence(detail: ErrorDetails) -> tuple[str, str]:
    if detail["type"] == REFUSED:
        context = detail.get("ctx", {})
        return str(context.get("message", "")), str(context.get("suggestion", ""))
    tell = _SENTENCES.get(detail["type"])
    if tell is not None:
        return tell(detail.get("input"), detail.get("ctx", {}))
    return f"is not right: {detail['msg']}", ""


_Tell = Callable[[Any, Mapping[str, Any]], tuple[str, str]]


def _kind(expected: str) -> _Tell:
    def tell(given: Any, _: Mapping[str, Any]) -> tuple[str, str]:
        return f"must be {expected}, not {written(given)}", ""

    return tell


def _text(given: Any, _: Mapping[str, Any]) -> tuple[str, str]:
    if given is None:
        return "has no value; it must be text", ""
    quotable = not isinstance(given, dict | list)
    shown = written(given).removeprefix("the number ")
    return f"must be text, not {written(given)}", f'Put it in quotes: "{shown}"' if quotable else ""


def _true_or_false(given: Any, _: Mapping[str, Any]) -> tuple[str, str]:
    meant = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
    near = meant.get(given.casefold()) if isinstance(given, str) else None
    return f"must be true or false, not {written(given)}", f"Write {near}" if near else ""


def _choice(given: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
    listed = ", ".join(choices[:-1]) + f" or {choices[-1]}" if len(choices) > 1 else "".join(choices)
    suggestion = did_you_mean(given, choices) if isinstance(given, str) else ""
    return f"must be {listed}, not {written(given)}", suggestion


def _bound(words: str, key: str) -> _Tell:
    def tell(given: Any, context: Mapping[str, Any]) -> tuple[str, str]:
        return f"must be {words} {context.get(key)}, not {written(given).removeprefix('the number ')}", ""

    return tell


_MAPPING = _kind('a mapping (lines of "key: value")')
_LIST = _kind('a list (lines beginning with "- ")')
_SENTENCES: dict[str, _Tell] = {
    "string_type": _text,
    "int_type": _kind("a whole number"),
    "int_from_float": _kind("a whole number"),
    "decimal_type": _kind("a number"),
    "is_instance_of": _kind("a number"),
    "bool_type": _true_or_false,
    "literal_error": _choice,
    "enum": _choice,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "too_short": lambda *_: ("must not be empty", ""),
    "too_long": lambda _, context: (f"must have at most {context.get('max_length')} items", ""),
    "string_too_short": lambda *_: ("must not be empty", ""),
    "string_pattern_mismatch": lambda *_: ("has characters that can't stand in it", ""),
    "string_too_long": lambda _, context: (
        f"must be at most {context.get('max_length')} characters long",
        "",
    ),
}


def _models_at(model: type[BaseModel], around: Trail) -> list[Any]:
    """The models that the mapping at `around` of a `model` may be read as."""
    annotations: list[Any] = [model]
    for step in around:
        annotations = [found for annotation in annotations for found in _below(annotation, step)]
    return [annotation for annotation in annotations if _is_model(annotation)]


def _below(annotation: Any, step: str | int) -> list[Any]:
    if _is_model(annotation):
        for name, field in annotation.model_fields.items():
            if step in (name, field.alias):
                return _alternatives(field.annotation)
        return []
    arguments = get_args(annotation)
    if not arguments:
        return []
    inner = arguments[1] if issubclass(get_origin(annotation) or list, Mapping) else arguments[0]
    return _alternatives(inner)


def _alternatives(annotation: Any) -> list[Any]:
    """The plain types an annotation allows, unions and Annotated taken apart."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin is None or (isinstance(origin, type) and origin not in _UNIONS):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _alternatives(argument)]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


_UNIONS = (type(int | str),)
