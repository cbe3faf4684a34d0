"""Which entries of the record are asked for, as written on the command line, and the entries page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import click

from smm_rules.cli.moments import moment_before
from smm_rules.cli.naming import entities
from smm_rules.config.model import Configuration
from smm_rules.intake import Unacceptable
from smm_rules.ledger.audit import AuditEntry, AuditKind, AuditQuery
from smm_rules.ledger.sql.ledger import SqlLedger

_PAGE = 2_000


def query_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which entries are chosen."""
    for option in (
        click.option("--intent", type=click.IntRange(min=1), metavar="ID", help="Only about this action."),
        click.option("--order", metavar="ORDER", help="Only about this order (1234, or PANEL/1234)."),
        click.option("--rule", metavar="RULE", help="Only what this rule decided or is about."),
        click.option(
            "--kind",
            "kinds",
            type=click.Choice([kind.value for kind in AuditKind]),
            multiple=True,
            help="Only entries of this kind; may be repeated.",
        ),
        click.option("--until", metavar="TIME", help="Only before this, written likewise."),
        click.option("--since", metavar="TIME", help="Only from then on: 7d ago, or a date or time (UTC)."),
    ):
        command = option(command)
    return command


def query(
    configuration: Configuration,
    now: datetime,
    *,
    since: str | None,
    until: str | None,
    kinds: tuple[str, ...],
    rule: str | None,
    order: str | None,
    intent: int | None,
) -> AuditQuery:
    """What the options come to."""
    named = [] if order is None else entities([order], None, configuration)
    if len(named) > 1:
        raise Unacceptable(f"--order {order!r} names {len(named)} orders", "Give one")
    return AuditQuery(
        None if since is None else moment_before(since, now),
        None if until is None else moment_before(until, now),
        kinds,
        named[0] if named else None,
        rule,
        intent,
    )


async def entries(ledger: SqlLedger, asked: AuditQuery) -> AsyncIterator[AuditEntry]:
    """All of them, the oldest first; a record of years needs no memory for all of it."""
    after = 0
    while page := await ledger.audit_page(asked, after, _PAGE):
        for entry in page:
            yield entry
        after = page[-1].id
