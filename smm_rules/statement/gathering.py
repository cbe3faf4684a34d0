"""A statement drawn up from the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from smm_rules.ledger.audit import Head
from smm_rules.ledger.books import Books
from smm_rules.statement.model import Statement
from smm_rules.statement.reckoning import panel_statement
from smm_rules.statement.span import Span


class BookKeeping(Protocol):
    """What a statement needs of the ledger."""

    async def books(self, panel: str, since: datetime, until: datetime) -> Books: ...

    async def audit_head(self) -> Head: ...


async def draw_up(ledger: BookKeeping, panels: Sequence[str], span: Span, kept_since: datetime) -> Statement:
    """The statement of these panels; `kept_since` is how far back the ledger keeps what was done."""
    found = [panel_statement(await ledger.books(name, span.since, span.until), span) for name in panels]
    return Statement(span, tuple(found), await ledger.audit_head(), span.since >= kept_since)
