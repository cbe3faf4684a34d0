"""`smm-rules orders import`."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.cli.command import configure, said
from tests.cli.test_orders_track import tracked

Capture = pytest.CaptureFixture[str]
ORDERS = "order,service,link\n11,7,https://e.example/a\n12,7,https://e.example/b\n"


def test_every_order_of_a_file_is_watched(here: Path, capsys: Capture) -> None:
    configure(here)
    (here / "orders.csv").write_text(ORDERS)
    first = said(capsys, "orders", "import", "orders.csv")
    again = said(capsys, "orders", "import", "orders.csv")
    assert (first.code, first.out, first.err) == (0, "2 new, 0 known already, 0 bad.\n", "")
    assert (again.code, again.out) == (0, "0 new, 2 known already, 0 bad.\n")


def test_bad_lines_are_told_and_kept_and_the_rest_is_taken(here: Path, capsys: Capture) -> None:
    configure(here)
    bad = "".join(f"bad id {number},7,\n" for number in range(25))
    (here / "orders.csv").write_text(ORDERS + bad)
    done = said(capsys, "orders", "import", "orders.csv", "--bad", "bad.txt")
    told = done.err.splitlines()
    assert (done.code, done.out) == (1, "2 new, 0 known already, 25 bad.\n")
    assert told[0].startswith("orders.csv: line 4: 'bad id 0' is no order ID.")
    assert len(told) == 21
    assert told[20] == "… and 5 more; all are in bad.txt."
    kept = (here / "bad.txt").read_text().splitlines()
    assert kept[0].startswith("# line 4: 'bad id 0' is no order ID.")
    assert [line for line in kept if not line.startswith("#")] == bad.splitlines()


def test_json_for_scripts(here: Path, capsys: Capture) -> None:
    configure(here)
    (here / "orders.jsonl").write_text('{"id": 11}\n{"id": 12, "quantity": "x"}\n')
    done = said(capsys, "orders", "import", "orders.jsonl", "--json", "--bad", "bad.txt")
    assert done.code == 1
    assert json.loads(done.out) == {
        "added": 1,
        "known": 0,
        "bad": 1,
        "bad_lines": [
            {"line": 2, "what": "'x' is no quantity", "to_do": "Write a whole number above 0, like 1000"}
        ],
        "bad_file": "bad.txt",
    }


def test_standard_input_is_streamed(here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(here)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ORDERS.encode())))
    done = said(capsys, "orders", "import", "-", "--format", "csv")
    assert (done.code, done.out) == (0, "2 new, 0 known already, 0 bad.\n")


def test_columns_are_passed_over_and_times_get_a_zone(here: Path, capsys: Capture) -> None:
    configure(here)
    (here / "orders").write_text("id;created;colour\n11;2025-03-01 14:30;red\n")
    done = said(
        capsys, "orders", "import", "orders", "--format", "csv", "--ignore", "colour", "--time-zone", "UTC"
    )
    order = tracked(here, "11")
    assert done.code == 0
    assert order is not None
    assert order.placed_at is not None
    assert order.placed_at.isoformat() == "2025-03-01T14:30:00+00:00"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch.csv"], "nosuch.csv: it can't be opened: No such file or directory"),
        (["orders.txt"], 'the ending ".txt" says no known format'),
        (["broken.csv"], "broken.csv: the header (line 1): no column gives the order's ID"),
        (["-"], "say --format csv, jsonl or yaml"),
        (["orders.csv", "--bad", "orders.csv"], "is the file to be imported"),
        (["orders.csv", "--panel", "nort"], 'Did you mean "north"?'),
        (["orders.csv", "--format", "xls"], "'xls' is not one of"),
    ],
)
def test_wrong_use_takes_nothing(here: Path, capsys: Capture, arguments: list[str], words: str) -> None:
    configure(here)
    (here / "orders.csv").write_text(ORDERS)
    (here / "orders.txt").write_text(ORDERS)
    (here / "broken.csv").write_text("service,link\n7,x\n")
    done = said(capsys, "orders", "import", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert (here / "orders.csv").read_text() == ORDERS


def test_bad_lines_that_cant_be_written_end_the_import(here: Path, capsys: Capture) -> None:
    configure(here)
    (here / "orders.csv").write_text("order\nbad id\n")
    done = said(capsys, "orders", "import", "orders.csv", "--bad", "nowhere/bad.txt")
    assert (done.code, done.out) == (1, "")
    assert "can't be written to nowhere/bad.txt: No such file or directory" in done.err


def test_a_terminal_sees_progress_on_standard_error_only(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(here)
    (here / "orders.csv").write_text(ORDERS)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    done = said(capsys, "orders", "import", "orders.csv")
    assert done.out == "2 new, 0 known already, 0 bad.\n"
    assert "2 orders, 0 bad" in done.err
