"""The watched folder: complete files only, nothing lost, nothing read for good twice."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from smm_rules.facts import EntityKind
from smm_rules.intake.drop_folder import DropFolder, ScanReport
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import NewOrder
from smm_rules.ledger.sqlite import SqliteLedger
from tests.intake.reading import NOW

GOOD = "order,quantity\n1,10\n2,10\n"
NOTHING = ScanReport()
AT_ONCE = timedelta(0)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


@pytest.fixture
def folder(path: Path, ledger: SqliteLedger) -> DropFolder:
    return DropFolder(path, ledger, ("north",), "north", quiet=AT_ONCE)


def tree(path: Path) -> list[str]:
    return sorted(str(each.relative_to(path)) for each in path.rglob("*") if each.is_file())


async def known(ledger: SqliteLedger) -> list[str]:
    return [item.entity.id for item in await ledger.watched_page(EntityKind.ORDER, None, None, 100)]


async def test_a_file_is_taken_when_it_has_stopped_growing(
    folder: DropFolder, path: Path, ledger: SqliteLedger
) -> None:
    file = path / "orders.csv"
    file.write_text("order\n1\n")
    assert await folder.scan(NOW) == NOTHING
    file.write_text(GOOD)
    assert await folder.scan(NOW) == NOTHING

    assert await folder.scan(NOW) == ScanReport(("orders.csv",), (), 2, 0)

    assert tree(path) == ["done/orders.csv", "done/orders.csv.report.json"]
    assert (path / "done/orders.csv").read_text() == GOOD
    assert json.loads((path / "done/orders.csv.report.json").read_text()) == {
        "file": "orders.csv",
        "at": NOW.isoformat(),
        "result": "imported",
        "added": 2,
        "known": 0,
        "bad": 0,
    }
    assert await known(ledger) == ["1", "2"]
    assert await folder.scan(NOW) == NOTHING


async def test_however_fast_scans_follow_a_writer_may_pause(path: Path, ledger: SqliteLedger) -> None:
    instants = iter([0.0, 0.2, 1.9, 2.0, 3.9, 4.0])
    quiet = timedelta(seconds=2)
    folder = DropFolder(path, ledger, ("north",), "north", quiet=quiet, seconds=lambda: next(instants))
    file = path / "orders.csv"
    file.write_text("order\n1\n")
    assert [await folder.scan(NOW) for _ in range(3)] == [NOTHING] * 3
    file.write_text(GOOD)
    assert [await folder.scan(NOW) for _ in range(2)] == [NOTHING] * 2

    assert await folder.scan(NOW) == ScanReport(("orders.csv",), (), 2, 0)


async def test_a_file_of_the_same_size_with_a_new_time_is_still_being_written(
    folder: DropFolder, path: Path
) -> None:
    file = path / "orders.csv"
    file.write_text(GOOD)
    await folder.scan(NOW)
    os.utime(file, ns=(1, 1))
    assert await folder.scan(NOW) == NOTHING


async def taken(folder: DropFolder) -> ScanReport:
    """What two scans do: the first sees, the second takes."""
    await folder.scan(NOW)
    return await folder.scan(NOW)


async def test_bad_lines_are_kept_with_their_reasons(
    folder: DropFolder, path: Path, ledger: SqliteLedger
) -> None:
    (path / "orders.csv").write_text("order,quantity\n1,10\n2,lots\n")

    assert await taken(folder) == ScanReport(("orders.csv",), (), 1, 1)

    assert (path / "done/orders.csv.bad").read_text() == (
        "# line 3: 'lots' is no quantity. Write a whole number above 0, like 1000\n2,lots\n"
    )
    assert tree(path) == ["done/orders.csv", "done/orders.csv.bad", "done/orders.csv.report.json"]
    assert await known(ledger) == ["1"]


@pytest.mark.parametrize(
    ("name", "text"), [("orders.csv", "lnik\nx\n"), ("orders.csv", ""), ("orders.pdf", "x"), ("o.yaml", "5")]
)
async def test_a_file_that_cannot_be_read_goes_to_failed_with_the_reason(
    folder: DropFolder, path: Path, name: str, text: str
) -> None:
    (path / name).write_text(text)

    assert await taken(folder) == ScanReport((), (name,), 0, 0)

    assert tree(path) == [f"failed/{name}", f"failed/{name}.report.json"]
    report = json.loads((path / f"failed/{name}.report.json").read_text())
    assert report["result"] == "failed"
    assert report["what"]


async def test_one_bad_file_does_not_stop_the_next(
    folder: DropFolder, path: Path, ledger: SqliteLedger
) -> None:
    (path / "a.csv").write_text("nonsense")
    (path / "b.csv").write_text(GOOD)

    report = await taken(folder)

    assert (report.imported, report.failed) == (("b.csv",), ("a.csv",))


async def test_what_is_no_finished_regular_file_is_left_alone(
    folder: DropFolder, path: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(GOOD)
    (path / "link.csv").symlink_to(outside)
    (path / "orders.csv.part").write_text(GOOD)
    (path / ".hidden.csv").write_text(GOOD)
    (path / "folder.csv").mkdir()
    os.mkfifo(path / "pipe.csv")

    assert await taken(folder) == NOTHING

    assert sorted(each.name for each in path.iterdir()) == [
        ".hidden.csv",
        "done",
        "failed",
        "folder.csv",
        "link.csv",
        "orders.csv.part",
        "pipe.csv",
        "processing",
    ]
    assert outside.read_text() == GOOD


async def test_a_link_planted_in_processing_is_left_alone(
    folder: DropFolder, path: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(GOOD)
    (path / "processing").mkdir()
    (path / "processing/link.csv").symlink_to(outside)
    assert await folder.scan(NOW) == NOTHING


async def test_a_name_already_done_is_not_overwritten(folder: DropFolder, path: Path) -> None:
    for text in (GOOD, "order\n3\n", "order\n4\n"):
        (path / "orders.csv").write_text(text)
        await taken(folder)

    assert (path / "done/orders.csv").read_text() == GOOD
    assert (path / "done/orders-2.csv").read_text() == "order\n3\n"
    assert (path / "done/orders-3.csv").read_text() == "order\n4\n"
    assert len(list((path / "done").glob("*.report.json"))) == 3


async def test_a_file_left_by_a_crash_is_read_again_at_once(
    folder: DropFolder, path: Path, ledger: SqliteLedger
) -> None:
    (path / "processing").mkdir()
    (path / "processing/orders.csv").write_text(GOOD + "bad one,1\n")
    (path / "processing/.orders.csv.bad").write_text("half a report of bad li")

    assert await folder.scan(NOW) == ScanReport(("orders.csv",), (), 2, 1)

    assert tree(path) == ["done/orders.csv", "done/orders.csv.bad", "done/orders.csv.report.json"]
    assert (path / "done/orders.csv.bad").read_text().startswith("# line 4: 'bad one' is no order ID")


class Crashing:
    """A ledger that takes so many batches and then fails, as when the daemon is killed."""

    def __init__(self, ledger: SqliteLedger, batches: int) -> None:
        self.ledger = ledger
        self.batches = batches

    async def track(self, orders: Sequence[NewOrder], now: datetime, by: str = "") -> int:
        if not self.batches:
            raise LedgerError("the disk is full")
        self.batches -= 1
        return await self.ledger.track(orders, now)


@pytest.mark.parametrize("batches", [0, 1])
async def test_an_import_cut_short_resumes_and_adds_each_order_once(
    path: Path, ledger: SqliteLedger, batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path / "orders.csv").write_text("order\n" + "".join(f"{number}\n" for number in range(10_000, 18_000)))
    first = DropFolder(path, Crashing(ledger, batches), ("north",), "north", quiet=AT_ONCE)
    with pytest.raises(LedgerError):
        await taken(first)
    assert tree(path) == ["processing/orders.csv"]

    report = await DropFolder(path, ledger, ("north",), "north", quiet=AT_ONCE).scan(NOW)

    assert (report.imported, report.added) == (("orders.csv",), 8_000 - 5_000 * batches)
    assert (await ledger.totals(NOW)).orders == 8_000


@pytest.mark.parametrize("step", ["write_report", "rename"])
async def test_a_crash_while_putting_away_loses_nothing(
    path: Path, folder: DropFolder, ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    (path / "orders.csv").write_text(GOOD + "bad one,1\n")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        await folder.scan(NOW)
        if step == "write_report":
            patched.setattr("smm_rules.intake.drop_folder.write_report", crash)
        else:
            patched.setattr(DropFolder, "_put_away_done", crash)
        with pytest.raises(KeyboardInterrupt):
            await folder._take("orders.csv" if folder._claim("orders.csv") else "", NOW, NOTHING)
    assert "processing/orders.csv" in tree(path)

    await DropFolder(path, ledger, ("north",), "north", quiet=AT_ONCE).scan(NOW)

    assert tree(path) == ["done/orders.csv", "done/orders.csv.bad", "done/orders.csv.report.json"]
    assert await known(ledger) == ["1", "2"]


async def test_a_name_too_long_is_told_and_left(folder: DropFolder, path: Path) -> None:
    name = "x" * 240 + ".csv"
    (path / name).write_text(GOOD)
    assert await taken(folder) == NOTHING
    assert (path / name).exists()


async def test_the_folder_is_made_when_it_is_missing(tmp_path: Path, ledger: SqliteLedger) -> None:
    path = tmp_path / "not" / "there"
    assert await DropFolder(path, ledger, ("north",)).scan(NOW) == NOTHING
    assert sorted(each.name for each in path.iterdir()) == ["done", "failed", "processing"]
