"""What is wrong with a template."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class TemplateProblem:
    """A mistake found in a template's text, at the character `offset` (from 0)."""

    offset: int
    message: str
    suggestion: str = ""
