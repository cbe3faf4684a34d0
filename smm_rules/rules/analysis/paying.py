"""Steps that pay before there is a reason to."""

from __future__ import annotations

from collections.abc import Iterator

from smm_rules.document.problem import Problem, Severity
from smm_rules.rules.checks import WrittenRule
from smm_rules.rules.model import StepKind

_MESSAGE = (
    "`reorder` pays as soon as the panel has taken the `cancel` before it, and the order is canceled only "
    "when its status says so, if at all"
)
_SUGGESTION = 'Only cancel here, and reorder in a rule of its own with when: status == "Canceled"'


def paid_too_soon(written: WrittenRule) -> Iterator[Problem]:
    """A warning at the first reorder behind a cancel in the same list of steps."""
    for section in ("do", "otherwise"):
        canceled = False
        for index, step in enumerate(getattr(written.spec, section)):
            if canceled and step.kind is StepKind.REORDER:
                position = written.document.position((*written.trail, section, index))
                yield Problem(position, _MESSAGE, _SUGGESTION, Severity.WARNING)
                break
            canceled = canceled or step.kind is StepKind.CANCEL
