"""From a checked body to the values of an order, every fault with its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from smm_rules.document.problem import did_you_mean
from smm_rules.intake import IntakeOptions, Unacceptable
from smm_rules.intake.values import check_value
from smm_rules.receiving.models import NOT_PARAMETERS, OWN_NAMES
from smm_rules.receiving.problem import Fault

Body = TypeVar("Body", bound=BaseModel)


class Faulty(Exception):
    """Values that can't be taken, all of them."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(str(faults[0]))
        self.faults = faults


def read_body(model: type[Body], value: Any, pointer: str) -> Body:
    """The value as a model; `Faulty` names everything that is wrong, from `pointer` on."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Faulty(_told(model, error, pointer)) from None


def values_of(body: BaseModel, options: IntakeOptions, pointer: str) -> dict[str, str]:
    """What a body says, by the names of `intake.columns`; `Faulty` for what intake doesn't take."""
    values = {name: _text(value) for name, value in body if value is not None and name not in NOT_PARAMETERS}
    faults = [*_wrong(values, options, pointer)]
    further = {name: _text(value) for name, value in (getattr(body, "parameters", None) or {}).items()}
    for name in further:
        if name in OWN_NAMES:
            what = f'"{name}" is a name that every panel knows'
            faults.append(Fault(f"{pointer}/parameters/{name}", what, "Write it beside `parameters`"))
    faults += _wrong(further, options, f"{pointer}/parameters")
    if faults:
        raise Faulty(faults)
    return values | further


def _text(value: object) -> str:
    return "\n".join(value) if isinstance(value, list) else str(value)


def _wrong(values: dict[str, str], options: IntakeOptions, pointer: str) -> Iterator[Fault]:
    for name, text in values.items():
        try:
            check_value(name, text, options)
        except Unacceptable as problem:
            yield Fault(f"{pointer}/{name}", problem.what, problem.to_do)


def _told(model: type[BaseModel], error: ValidationError, pointer: str) -> list[Fault]:
    """One fault a place: of a value that may be one of several types only the first complaint is told."""
    found: dict[str, Fault] = {}
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        place, name = _place(one["loc"], pointer)
        if place in found:
            continue
        if one["type"] == "extra_forbidden":
            known = [*model.model_fields]
            found[place] = Fault(place, "there is no such key", did_you_mean(name, known) or _free(known))
        elif one["type"] == "missing":
            found[place] = Fault(place, "it is missing", "Give it")
        else:
            found[place] = Fault(place, _sentence(one["msg"]), "")
    return list(found.values())


def _free(known: list[str]) -> str:
    if "parameters" not in known:
        return ""
    return "Write a parameter that only your panel knows below `parameters`"


def _sentence(message: str) -> str:
    return f"it {message.removeprefix('Input ')}" if message.startswith("Input ") else message


def _place(location: tuple[int | str, ...], pointer: str) -> tuple[str, str]:
    """The place as a JSON Pointer, and its last name.

    pydantic adds the member of a union that it tried, which no body has: what is below a key of the first
    level is told of the key, but in `parameters`.
    """
    parts = [str(part)[:64] for part in location[: 2 if location[:1] == ("parameters",) else 1]]
    escaped = [part.replace("~", "~0").replace("/", "~1") for part in parts]
    return "/".join((pointer, *escaped)), parts[-1] if parts else ""
