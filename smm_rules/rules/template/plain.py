"""Templates that do nothing but print facts: most of them, and told from the others without Jinja2."""

from __future__ import annotations

import re

#: Names that Jinja2 takes for something else.
WORDS = frozenset("and or not in is if else elif endif true false none True False None".split())  # noqa: SIM905
_NAME = r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*+"
_PRINT = re.compile(rf"\{{\{{[ \t\n]*+({_NAME})[ \t\n]*+\}}\}}", re.ASCII)
_PLAIN = re.compile(rf"(?:[^{{]++|\{{(?![{{%#])|{_PRINT.pattern})*+", re.ASCII)


def plain_names(text: str) -> tuple[tuple[str, int], ...] | None:
    """The names that a template prints, each with its offset, in order; None where it does anything more."""
    if _PLAIN.fullmatch(text) is None:
        return None
    names = tuple((match[1], match.start(1)) for match in _PRINT.finditer(text))
    # `true` and `not` look like names and are none.
    return names if WORDS.isdisjoint(part for name, _ in names for part in name.split(".")) else None
