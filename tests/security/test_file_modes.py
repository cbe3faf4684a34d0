"""What the program writes is its owner's alone, whatever the umask: here none at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smm_rules.cli.app import run
from smm_rules.config.secrets import SecretReference, SecretUnavailable
from smm_rules.intake.drop_folder import DropFolder
from smm_rules.intake.drop_report import BadLines, write_report
from smm_rules.intake.lines import BadLine
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.simulator.journal import JournalWriter
from tests.ledger.builders import new_order

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes(directory: Path) -> dict[str, int]:
    return {path.name: mode(path) for path in directory.iterdir()}


async def test_the_ledger_and_all_beside_it(tmp_path: Path) -> None:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        with DaemonLock(tmp_path / "ledger.db"):
            await ledger.track([new_order(1)], NOW)
            found = modes(tmp_path)
    assert {"ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.lock"} <= found.keys()
    assert set(found.values()) == {0o600}


async def test_the_folders_of_the_drop_folder(tmp_path: Path) -> None:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        await DropFolder(tmp_path / "drop", ledger, ("main",)).scan(NOW)
    assert mode(tmp_path / "drop") == 0o700
    assert modes(tmp_path / "drop") == dict.fromkeys(("processing", "done", "failed"), 0o700)


def test_reports_and_bad_lines_of_the_drop_folder(tmp_path: Path) -> None:
    (tmp_path / "x.bad").touch(mode=0o666)
    with BadLines(tmp_path / "x.bad") as lines:
        lines.add([BadLine(1, "no order", raw="https://example.org/customer")])
    write_report(tmp_path / "x.report.json", "x", NOW, {"result": "imported"})
    assert modes(tmp_path) == {"x.bad": 0o600, "x.report.json": 0o600}


def test_a_report_never_goes_where_a_link_points(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("untouched")
    (tmp_path / ".x.report.json.part").symlink_to(elsewhere)
    write_report(tmp_path / "x.report.json", "x", NOW, {"result": "imported"})
    assert elsewhere.read_text() == "untouched"


def test_fmt_keeps_the_mode_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules:\n    - {watch: balance, name: low, when: amount < 20, do: [{log: x}]}\n")
    for given in (0o600, 0o640):
        path.chmod(given)
        run(["fmt", str(path)])
        assert modes(tmp_path) == {"rules.yaml": given}
    capsys.readouterr()


def test_what_init_writes_is_changed_by_its_owner_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["init", str(tmp_path / "a" / "b"), "--panel-name", "main", "--key-env", "KEY"])
    capsys.readouterr()
    written = list((tmp_path / "a").rglob("*"))
    assert written
    assert [path for path in written if mode(path) & 0o022] == []


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o660, 0o644])
def test_a_secret_that_others_may_read_is_not_used(tmp_path: Path, open_to: int) -> None:
    path = tmp_path / "key"
    path.write_text("s3cret")
    path.chmod(open_to)
    with pytest.raises(SecretUnavailable, match="open to other users") as raised:
        SecretReference(file=path).read({})
    assert "s3cret" not in str(raised.value)


def test_the_simulator_s_journal(tmp_path: Path) -> None:
    JournalWriter(tmp_path / "journal.jsonl")
    assert modes(tmp_path) == {"journal.jsonl": 0o600}
