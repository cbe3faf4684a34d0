"""All that needs Jinja2.

Imported when the first template is met that does more than print facts, or is rendered: many a rule file has
none, and loading Jinja2 takes as long as loading a hundred rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache

from jinja2 import Template, TemplateSyntaxError

from smm_rules.facts import EntityKind, Known
from smm_rules.rules.template.checking import check, syntax_problem
from smm_rules.rules.template.names import unguarded_names as _unguarded_names
from smm_rules.rules.template.problem import TemplateProblem
from smm_rules.rules.template.rendering import grouped, rendered
from smm_rules.rules.template.sandbox import Sandbox, exact_numbers
from smm_rules.rules.template.trial import tried
from smm_rules.rules.template.writing import TemplateFailed

_SANDBOX = Sandbox()
_TOO_DEEP = "The template is nested too deeply"


@lru_cache(maxsize=1024)
def problems_of(text: str, names: frozenset[str], kind: EntityKind | None) -> tuple[TemplateProblem, ...]:
    """Everything wrong with a template of bounded length; kept, for rules often share one."""
    compiled = _compiled(text)
    problems: list[TemplateProblem] = []
    with suppress(TemplateSyntaxError, RecursionError, ValueError):
        problems = check(_SANDBOX, _SANDBOX.parse(text), text, names)
    if not problems and isinstance(compiled, TemplateProblem):
        problems = [compiled]
    if not problems and kind is not None:
        problems = tried(_SANDBOX, text, kind)
    return tuple(problems)


@lru_cache(maxsize=1024)
def unguarded_names(text: str) -> tuple[tuple[str, int], ...]:
    """The facts without which a sound template fails, each with its first offset."""
    return _unguarded_names(_SANDBOX, text)


@lru_cache(maxsize=1024)
def _compiled(text: str) -> Template | TemplateProblem:
    """The template ready to render, or the first thing wrong with it whatever the names are."""
    try:
        tree = _SANDBOX.parse(text)
        problems = check(_SANDBOX, tree, text, None)
        if problems:
            return problems[0]
        code = _SANDBOX.compile(exact_numbers(tree))
        return Template.from_code(_SANDBOX, code, {})
    except TemplateSyntaxError as error:
        return syntax_problem(_SANDBOX, text, error)
    except (RecursionError, MemoryError, SyntaxError):
        return TemplateProblem(0, _TOO_DEEP)
    except (ValueError, OverflowError):
        return TemplateProblem(0, "The template holds a number that is too long")


def filled_in(text: str, facts: Mapping[str, Known], extra: Mapping[str, object]) -> str:
    """A template of bounded length with its facts filled in. Raises `TemplateFailed` and nothing else."""
    template = _compiled(text)
    if isinstance(template, TemplateProblem):
        raise TemplateFailed(template.message)
    return rendered(template, grouped(facts, extra))
