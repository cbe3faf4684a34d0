"""Rule files that change are noticed, however they are changed, and nothing else is."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from smm_rules.daemon.rule_files import RuleFiles
from tests.daemon.household import MINUTE, REFILL, Household, eventually, order

QUICK = {"settle_seconds": 0.02, "longest_seconds": 0.2}


@dataclass
class Notices:
    """How often a change was noticed."""

    count: int = 0
    files: RuleFiles = field(init=False)

    def note(self) -> None:
        self.count += 1

    async def more_than(self, before: int) -> None:
        await eventually(lambda: self.count > before)


@asynccontextmanager
async def watching(*paths: Path) -> AsyncIterator[Notices]:
    notices = Notices()
    notices.files = RuleFiles(paths, notices.note, **QUICK)
    running = asyncio.create_task(notices.files.run())
    await notices.files.watching.wait()
    try:
        yield notices
    finally:
        notices.files.stop()
        await running


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    directory = tmp_path / "rules"
    directory.mkdir()
    (directory / "one.yaml").write_text("rules: []\n", encoding="utf-8")
    return directory


async def test_a_file_that_is_written_again(rules: Path) -> None:
    async with watching(rules) as notices:
        (rules / "one.yaml").write_text("rules: [] # more\n", encoding="utf-8")
        await notices.more_than(0)


@pytest.mark.parametrize("watched", ["file", "directory"])
async def test_a_file_that_an_editor_replaces_by_a_rename_again_and_again(rules: Path, watched: str) -> None:
    async with watching(rules / "one.yaml" if watched == "file" else rules) as notices:
        for _ in range(3):
            before = notices.count
            (rules / ".one.swp").write_text("rules: []\n", encoding="utf-8")
            os.replace(rules / ".one.swp", rules / "one.yaml")
            await notices.more_than(before)


async def test_files_that_are_added_and_removed_in_a_directory_and_below_it(rules: Path) -> None:
    async with watching(rules) as notices:
        (rules / "two.yaml").write_text("rules: []\n", encoding="utf-8")
        await notices.more_than(0)
        before = notices.count
        (rules / "two.yaml").unlink()
        await notices.more_than(before)
        before = notices.count
        (rules / "deeper").mkdir()
        (rules / "deeper" / "three.yml").write_text("rules: []\n", encoding="utf-8")
        await notices.more_than(before)
        before = notices.count
        (rules / "deeper" / "three.yml").write_text("rules: [] # more\n", encoding="utf-8")
        await notices.more_than(before)


async def test_a_directory_that_is_replaced_as_a_whole(rules: Path, tmp_path: Path) -> None:
    async with watching(rules) as notices:
        shutil.copytree(rules, tmp_path / "fresh")
        (tmp_path / "fresh" / "one.yaml").write_text("rules: [] # other\n", encoding="utf-8")
        os.replace(rules, tmp_path / "old")
        os.replace(tmp_path / "fresh", rules)
        await notices.more_than(0)
        before = notices.count
        (rules / "one.yaml").write_text("rules: [] # once more\n", encoding="utf-8")
        await notices.more_than(before)


async def test_other_files_beside_a_rule_file_are_none_of_its_business(rules: Path) -> None:
    async with watching(rules / "one.yaml") as notices:
        (rules / "ledger.db").write_text("changes all the time", encoding="utf-8")
        (rules / "one.yaml.bak").write_text("rules: []\n", encoding="utf-8")
        (rules / "one.yaml").write_text("rules: [] # more\n", encoding="utf-8")
        await notices.more_than(0)
        assert notices.count == 1


async def test_several_steps_in_a_row_are_one_change(rules: Path) -> None:
    async with watching(rules) as notices:
        for step in range(3):
            (rules / "one.yaml").write_text("rules: []\n" * step, encoding="utf-8")
            (rules / f"new-{step}.yaml").write_text("rules: []\n", encoding="utf-8")
        (rules / "new-0.yaml").unlink()
        await notices.more_than(0)
        assert notices.count == 1


async def test_a_change_before_the_watch_began_is_found(rules: Path) -> None:
    notices = Notices()
    files = RuleFiles((rules,), notices.note, **QUICK)
    (rules / "one.yaml").write_text("rules: [] # more\n", encoding="utf-8")
    running = asyncio.create_task(files.run())
    await notices.more_than(0)
    files.stop()
    await running


async def test_without_notices_of_the_system_the_files_are_looked_at_every_so_often(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> object:
        raise OSError("inotify watch limit reached")

    monkeypatch.setattr("watchfiles.watch", no_room)
    with capture_logs() as logs:
        async with watching(rules) as notices:
            (rules / "one.yaml").write_text("rules: [] # more\n", encoding="utf-8")
            await notices.more_than(0)
    assert [line["error"] for line in logs if line["event"] == "rules.watch_failed"][:1] == [
        "inotify watch limit reached"
    ]


# -- in a daemon ------------------------------------------------------------------------------------------
@pytest.fixture
def watched(household: Household, monkeypatch: pytest.MonkeyPatch) -> Household:
    """A household whose daemon watches its rule files, and is quick at it."""
    monkeypatch.setattr("smm_rules.daemon.daemon.RuleFiles", partial(RuleFiles, **QUICK))
    household.mended = lambda text: text.replace("reload: {watch: false}", "reload: {watch: true}")
    return household


async def test_an_edited_file_is_in_force_without_a_signal(watched: Household) -> None:
    watched.write_rules(REFILL)
    name = watched.panel.add_order(4, status="Partial", remains=157)
    await watched.track(name)
    with capture_logs() as logs:
        async with watched.living() as daemon:
            await eventually(lambda: watched.holding(name))
            watched.clock.move(6 * MINUTE)
            watched.write_rules(REFILL.replace("for: 10m", "for: 5m"))
            await eventually(lambda: watched.panel.journal.refills_made())
            assert daemon.counters.value("reloads", result="failed") == 0
    (line,) = [line for line in logs if line["event"] == "rules.reloaded"]
    assert (line["changed"], line["holds_ended"], line["asked_by"]) == (["top-up"], 0, "files")


async def test_a_file_saved_with_a_fault_leaves_the_last_good_set_in_force(watched: Household) -> None:
    watched.write_rules(REFILL)
    async with watched.living() as daemon:
        watched.write_rules(REFILL.replace("remains", "remians"))
        await eventually(lambda: daemon.counters.value("reloads", result="failed") == 1)
        await eventually(watched.operator_told)
        watched.write_rules(REFILL.replace("for: 10m", "for: 9m"))
        await eventually(lambda: daemon.counters.value("reloads", result="done") == 1)
    assert await watched.operator_told() == ["reload"]


async def test_without_watching_only_a_signal_reloads(household: Household) -> None:
    household.write_rules(REFILL)
    async with household.living() as daemon:
        household.write_rules(REFILL.replace("for: 10m", "for: 9m"))
        daemon.reload()
        await eventually(lambda: daemon.counters.value("reloads", result="done") == 1)
    assert daemon.counters.value("reloads") == 1


async def test_ten_thousand_pending_holds_survive_a_reload(household: Household) -> None:
    slow = REFILL.replace("for: 10m", "for: 20m")
    household.write_rules(slow)
    household.mended = lambda text: f"{text}sweep_size: 10000\n"
    names = [household.panel.add_order(4, status="Partial", remains=157) for _ in range(10_000)]
    await household.track(*names)
    entities = [order(name) for name in names]
    async with household.living() as daemon:

        async def all_hold() -> bool:
            return await household.ledger.remembered_rules() == {"top-up": 10_000}

        await eventually(all_hold)
        before = await household.ledger.memories(entities)
        household.clock.move(MINUTE)
        household.write_rules(REFILL.replace("for: 10m", "for: 15m"))
        with capture_logs() as logs:
            daemon.reload()
            await eventually(lambda: daemon.counters.value("reloads", result="done") == 1)
        after = await household.ledger.memories(entities)
    assert len(after) == 10_000
    assert {key: memory.true_since for key, memory in after.items()} == {
        key: memory.true_since for key, memory in before.items()
    }
    (line,) = [line for line in logs if line["event"] == "rules.reloaded"]
    assert (line["changed"], line["holds_ended"]) == (["top-up"], 0)
