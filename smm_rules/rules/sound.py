"""The sound parts of a broken rule, checked too: a misspelt key must not hide a misspelt status."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError

from smm_rules.document import Document, Problem, Trail
from smm_rules.rules.build import compiled
from smm_rules.rules.checks import WrittenRule, check_parts
from smm_rules.rules.schema import RuleSpec
from smm_rules.rules.scope import Scope

_SECTIONS = ("do", "otherwise", "done")
_STEP: Final = {"log": {"message": "…"}}
#: What stands in for needed keys that are missing or broken; nothing is said about these.
_STAND_INS: Final[dict[str, Any]] = {"name": "unnamed", "when": "…", "do": [_STEP]}


def sound_problems(document: Document, trail: Trail, scope: Scope | None) -> list[Problem]:
    """Problems in those values of the rule at `trail` whose shape is right."""
    rule = document.at(trail)
    if not isinstance(rule, dict):
        return []
    sound = _sound(rule)
    try:
        spec = RuleSpec.model_validate(_STAND_INS | sound)
    except ValidationError:
        return []  # what it watches is not known, so nothing more can be said
    written = WrittenRule(document, trail, spec)
    problems = list(check_parts(written, scope))
    for key in ("when", "until"):
        if key in sound:
            compiled(written, key, problems)
    return problems


def _sound(rule: dict[str, Any]) -> dict[str, Any]:
    """The rule without its broken keys; a broken step is replaced, so that the others keep their places."""
    sound = dict(rule)
    for section in _SECTIONS:
        if isinstance(rule.get(section), list):
            sound[section] = list(rule[section])
    for place in _broken(rule):
        key = str(place[0]) if place else ""
        if key in _SECTIONS and len(place) > 1 and isinstance(place[1], int) and key in sound:
            sound[key][place[1]] = _STEP
        else:
            sound.pop(key, None)
    return sound


def _broken(rule: dict[str, Any]) -> list[Trail]:
    try:
        RuleSpec.model_validate(rule)
    except ValidationError as error:
        return [detail["loc"] for detail in error.errors(include_url=False, include_context=False)]
    return []
