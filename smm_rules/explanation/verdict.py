"""The core of an explanation."""

from __future__ import annotations

from dataclasses import dataclass

from smm_rules.explanation.model import Cause


@dataclass(frozen=True, slots=True)
class Verdict:
    """The cause, a clause that names it, and a clause that says what would have to change."""

    cause: Cause
    summary: str
    change: str = ""
