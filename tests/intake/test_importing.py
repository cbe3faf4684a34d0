"""Imports into the real ledger: counted, batched, safe to repeat, bounded in memory."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from smm_rules.facts import EntityKind
from smm_rules.intake import SourceRefused
from smm_rules.intake.importing import ImportProgress, import_orders
from smm_rules.intake.lines import BadLine
from smm_rules.intake.order_file import Format, OrderFile, format_of
from smm_rules.ledger.records import NewOrder
from smm_rules.ledger.sqlite import SqliteLedger
from tests.intake.reading import NOW, options


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as opened:
        yield opened


async def test_an_import_counts_new_known_and_bad(ledger: SqliteLedger, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("order,quantity\n1,10\n2,none\n3,10\n")
    with OrderFile(path, options()) as source:
        first = await import_orders(source, ledger, NOW)
    path.write_text("order,quantity\n1,99\n4,10\n")
    with OrderFile(path, options()) as source:
        second = await import_orders(source, ledger, NOW)

    assert (first.added, first.known, first.bad, first.orders) == (2, 0, 1, 2)
    assert [line.line for line in first.bad_lines] == [3]
    assert (second.added, second.known, second.bad) == (1, 1, 0)
    watched = await ledger.watched_page(EntityKind.ORDER, "north", None, 10)
    assert [item.entity.id for item in watched] == ["1", "3", "4"]
    assert watched[0].order is not None
    assert watched[0].order.parameters == {"quantity": "10"}
    assert all(item.due_at == NOW for item in watched)


async def test_progress_ends_at_the_whole_file_and_every_bad_line_is_told(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("order\n" + "".join(f"{number if number % 10 else 'a b'}\n" for number in range(1, 101)))
    progress: list[ImportProgress] = []
    bad: list[BadLine] = []
    with OrderFile(path, options()) as source:
        report = await import_orders(source, ledger, NOW, progress.append, bad.extend, batch=25)

    assert [step.added for step in progress] == [23, 45, 68, 90]
    assert progress[-1].bytes_read == progress[-1].size == path.stat().st_size
    assert (report.added, report.bad, len(bad)) == (90, 10, 10)


class Counting:
    """A ledger that only counts, so that its own memory doesn't count."""

    tracked = 0

    async def track(self, orders: Sequence[NewOrder], now: datetime, by: str = "") -> int:
        self.tracked += len(orders)
        return len(orders)


@pytest.mark.parametrize(
    ("name", "header", "line", "count"),
    [
        ("orders.csv", "order,link\n", "{},https://example.com/a\n", 100_000),
        ("orders.jsonl", "", '{{"order": "{}", "link": "https://example.com/a"}}\n', 20_000),
        ("orders.yaml", "", "- {{order: {}, link: https://example.com/a}}\n", 10_000),
    ],
)
async def test_a_long_file_streams_in_little_memory(
    tmp_path: Path, name: str, header: str, line: str, count: int
) -> None:
    path = tmp_path / name
    with path.open("w") as file:
        file.write(header)
        file.writelines(line.format(f"{number}" if number % 10 else "a b") for number in range(count))
    ledger = Counting()
    tracemalloc.start()
    try:
        with OrderFile(path, options()) as source:
            report = await import_orders(source, ledger, NOW, batch=1000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (ledger.tracked, report.added, report.bad) == (count * 9 // 10, count * 9 // 10, count // 10)
    assert len(report.bad_lines) == 1000
    assert peak < 6_000_000


@pytest.mark.parametrize(
    ("name", "found"),
    [("a.csv", Format.CSV), ("a.TSV", Format.CSV), ("a.ndjson", Format.JSON_LINES), ("a.yml", Format.YAML)],
)
def test_the_name_says_the_format(name: str, found: Format) -> None:
    assert format_of(Path(name)) == found


@pytest.mark.parametrize("name", ["orders", "orders.xlsx", "orders.cvs"])
def test_a_name_that_says_no_format_is_refused(name: str) -> None:
    with pytest.raises(SourceRefused, match="says no known format"):
        format_of(Path(name))


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    for path in (tmp_path / "missing.csv", pipe):
        with pytest.raises(SourceRefused):
            OrderFile(path, options())
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(SourceRefused):
        OrderFile(tmp_path / "folder.csv", options())
