"""What a plan comes to, before anything of it is bought. On standard error: it is no result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby

from rich.console import Console

from smm_rules.cli.orders.plan.judging import Fate, Judged, Markets
from smm_rules.cli.terminal import counted, errors, new_table, safe
from smm_rules.engine.buying import SERVICE

_SHOWN = 20


def show_plan(judged: Sequence[Judged], markets: Markets) -> None:
    """The table of costs, what is left of each balance, what guards would hold, and what can't be placed."""
    console = errors()
    placed = [one for one in judged if one.fate is Fate.PLACE]
    if placed:
        _show_costs(console, placed, markets)
        _show_balances(console, placed, markets)
    _show_guards(console, placed)
    _show_known(console, judged)
    refused = [one for one in judged if one.fate in (Fate.REFUSED, Fate.ENDED)]
    for one in refused[:_SHOWN]:
        console.print(f"[bold red]not placed[/]: row {one.entry.number}: {safe(one.why)}")
    if len(refused) > _SHOWN:
        console.print(f"… and {len(refused) - _SHOWN:,} more; the report has them all.")


def _show_costs(console: Console, placed: Sequence[Judged], markets: Markets) -> None:
    table = new_table("panel", "service", "", "orders", "for 1000", "cost")
    for column in table.columns[3:]:
        column.justify = "right"
    for (panel, service), group in groupby(sorted(placed, key=_where), key=_where):
        rows = list(group)
        facts = markets[panel].services[service].facts
        rate, currency = facts.get("rate"), markets[panel].balance.currency or ""
        table.add_row(
            safe(panel),
            safe(service),
            safe(facts.get("name", "")),
            f"{len(rows):,}",
            f"{rate:f}" if isinstance(rate, Decimal) else "not known",
            safe(_sum(rows, currency)),
        )
    console.print(table)


def _where(one: Judged) -> tuple[str, str]:
    assert one.draft is not None, "only what is to be placed is shown with its price"
    return one.draft.panel, one.draft.parameters[SERVICE]


def _sum(rows: Sequence[Judged], currency: str) -> str:
    costs = [one.draft.estimate for one in rows if one.draft is not None]
    known = [cost for cost in costs if cost is not None]
    told = money(sum(known, Decimal(0)), currency) if known else ""
    missing = len(costs) - len(known)
    if not missing:
        return told
    return f"{told} and {missing} that can't be told" if told else "can't be told beforehand"


def _show_balances(console: Console, placed: Sequence[Judged], markets: Markets) -> None:
    """Each panel's, and the total of each currency where several panels have it."""
    totals: dict[str, list[Judged]] = {}
    for panel, group in groupby(sorted(placed, key=_where), key=lambda one: _where(one)[0]):
        rows, market = list(group), markets[panel]
        currency = market.balance.currency or ""
        totals.setdefault(currency, []).extend(rows)
        cost = sum((one.draft.estimate or Decimal(0) for one in rows if one.draft), Decimal(0))
        left = market.balance.amount - market.reserved - cost
        aside = f", {money(market.reserved, currency)} set aside before" if market.reserved else ""
        console.print(
            f"{safe(panel)}: {counted(len(rows), 'order')}, {safe(_sum(rows, currency))}; balance "
            f"{safe(money(market.balance.amount, currency) + aside)}, "
            f"left then [bold]{safe(money(left, currency))}[/]"
        )
    for currency, rows in sorted(totals.items()):
        console.print(f"[bold]total[/]: {counted(len(rows), 'order')}, {safe(_sum(rows, currency))}")


def _show_guards(console: Console, placed: Sequence[Judged]) -> None:
    """What guards would hold, each guard once with the first row it touches."""
    held: dict[str, list[Judged]] = {}
    for one in placed:
        if one.guard is not None:
            held.setdefault(one.guard.reason, []).append(one)
    for reason, rows in held.items():
        first = rows[0]
        message = first.guard.message if first.guard is not None else ""
        console.print(
            f"[bold yellow]held[/]: {counted(len(rows), 'order')} until you approve: {safe(reason)} "
            f"(row {first.entry.number}: {safe(message)})"
        )


def _show_known(console: Console, judged: Sequence[Judged]) -> None:
    told = {
        Fate.BOUGHT: "placed before: not placed again",
        Fate.UNDER_WAY: "planned before and under way",
        Fate.HELD: "held: smm-rules intents list --state held",
        Fate.IN_DOUBT: "IN DOUBT: resolve the intent, don't place it in another way",
    }
    counts = Counter(one.fate for one in judged)
    for fate, words in told.items():
        if counts[fate]:
            console.print(f"{counted(counts[fate], 'row')} {words}")


def money(amount: Decimal, currency: str) -> str:
    return f"{amount:f} {currency}".rstrip()
