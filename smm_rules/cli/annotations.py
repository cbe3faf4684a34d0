"""Problems as workflow commands of GitHub Actions, which shows each at its line of a pull request.

Format: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterable

from smm_rules.document import Problem

_IN_MESSAGES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTIES = _IN_MESSAGES | {":": "%3A", ",": "%2C"}


def annotation(problem: Problem) -> str:
    """One workflow command: `::error file=…,line=…,col=…,title=smm-rules::sentence`."""
    place = problem.position
    text = f"{problem.message}. {problem.suggestion}" if problem.suggestion else problem.message
    properties = {
        "file": place.file.as_posix(),
        "line": place.line,
        "col": place.column,
        "title": "smm-rules",
    }
    written = ",".join(f"{name}={_escaped(value, _IN_PROPERTIES)}" for name, value in properties.items())
    return f"::{problem.severity} {written}::{_escaped(text, _IN_MESSAGES)}"


def as_annotations(problems: Iterable[Problem]) -> str:
    """A line for each problem."""
    return "".join(f"{annotation(problem)}\n" for problem in problems)


def _escaped(value: object, marks: dict[str, str]) -> str:
    return "".join(marks.get(character, character) for character in str(value))
