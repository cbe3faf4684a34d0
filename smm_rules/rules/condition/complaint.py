"""A mistake at a place in a condition's own text; the caller knows where that text stands in a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Complaint:
    """A mistake at the character `offset` (from 0): a plain sentence, and a way out where one is known."""

    offset: int
    message: str
    suggestion: str = ""
