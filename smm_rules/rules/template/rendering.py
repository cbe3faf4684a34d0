"""Filling a compiled template in."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import Template, UndefinedError

from smm_rules.facts import Known
from smm_rules.rules.template.sandbox import Group
from smm_rules.rules.template.writing import TemplateFailed, WrongKind, bounded_join


def rendered(template: Template, context: Mapping[str, object]) -> str:
    """The template's text with these names. Raises `TemplateFailed` and nothing else."""
    try:
        return bounded_join(template.generate(context))
    except TemplateFailed:
        raise
    except UndefinedError as error:
        raise TemplateFailed(error.message or "A fact is not known") from None
    except TypeError:
        raise WrongKind("The template compares values of different kinds") from None
    except Exception as error:
        # Whatever a template does, it costs its own message and nothing else.
        raise TemplateFailed(f"The template can't be rendered: {error}") from error


def grouped(facts: Mapping[str, Known], extra: Mapping[str, object]) -> dict[str, object]:
    """Flat names as values, dotted ones as attributes of their group."""
    names: dict[str, object] = {}
    groups: dict[str, dict[str, object]] = {}
    for values in (facts, extra):
        for name, value in values.items():
            group, dot, member = name.partition(".")
            if dot:
                groups.setdefault(group, {})[member] = value
            else:
                names[name] = value
    return names | {name: Group(name, members) for name, members in groups.items()}
