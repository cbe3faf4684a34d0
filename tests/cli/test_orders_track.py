"""`smm-rules orders track`."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import OrderSource, TrackedOrder
from smm_rules.ledger.sqlite import SqliteLedger
from tests.cli.command import CONFIGURATION, configure, said

Capture = pytest.CaptureFixture[str]
TWO_PANELS = CONFIGURATION.replace(
    "channels:",
    '  - {{name: south, url: "https://south.example/api/v2", key: {{env: SOUTH_KEY}}}}\nchannels:',
)
COMMAND = str(Path(sys.executable).with_name("smm-rules"))


def tracked(here: Path, name: str, panel: str = "north") -> TrackedOrder | None:
    """The order as the ledger has it."""

    async def read() -> TrackedOrder | None:
        async with await SqliteLedger.open(here / "ledger.db") as ledger:
            return await ledger.order(Entity(EntityKind.ORDER, panel, name))

    return asyncio.run(read())


def test_it_says_how_many_are_new_and_known(here: Path, capsys: Capture) -> None:
    configure(here)
    first = said(capsys, "orders", "track", "11", "12,13", "#14")
    again = said(capsys, "orders", "track", "north/14", "15")
    assert (first.code, first.out, first.err) == (0, "4 new, 0 known already.\n", "")
    assert (again.code, again.out) == (0, "1 new, 1 known already.\n")


def test_what_is_said_of_an_order_is_kept(here: Path, capsys: Capture) -> None:
    configure(here)
    done = said(
        capsys, "orders", "track", "11", "--service", "7", "--link", "https://e.example/a",
        "--quantity", "1000", "--label", "mine", "--placed-at", "2025-03-01T14:30:00",
        "--time-zone", "Europe/Berlin",
        "--param", "comments=First\nSecond=2", "--param", "parameter.speed=fast",
    )  # fmt: skip
    order = tracked(here, "11")
    assert done.code == 0
    assert order is not None
    assert (order.service, order.label, order.source) == ("7", "mine", OrderSource.TRACKED)
    assert order.placed_at == datetime(2025, 3, 1, 13, 30, tzinfo=UTC)
    assert order.parameters == {
        "link": "https://e.example/a",
        "quantity": "1000",
        "comments": "First\nSecond=2",
        "speed": "fast",
    }


def test_a_known_order_stays_as_it_is_and_the_way_out_is_told(here: Path, capsys: Capture) -> None:
    configure(here)
    said(capsys, "orders", "track", "11", "--service", "7")
    again = said(capsys, "orders", "track", "11", "--service", "8")
    order = tracked(here, "11")
    assert order is not None
    assert order.service == "7"
    assert "smm-rules orders forget north/11" in again.out


def test_json_for_scripts(here: Path, capsys: Capture) -> None:
    configure(here)
    done = said(capsys, "orders", "track", "11", "12", "--json")
    assert json.loads(done.out) == {"added": 2, "known": 0}


def test_of_two_panels_one_must_be_named(here: Path, capsys: Capture) -> None:
    configure(here).write_text(TWO_PANELS.format(url="https://north.example/api/v2"))
    bare = said(capsys, "orders", "track", "11")
    by_option = said(capsys, "orders", "track", "11", "--panel", "south")
    by_name = said(capsys, "orders", "track", "north/11", "south/12")
    assert (bare.code, bare.out) == (2, "")
    assert "doesn't say which panel" in bare.err
    assert (by_option.code, by_name.code) == (0, 0)
    assert [tracked(here, "11", "south") is None, tracked(here, "11") is None] == [False, False]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["1 2/3", "--panel", "nort"], 'no panel "nort"'),
        (["11", "--panel", "nort"], 'Did you mean "north"?'),
        (["south/11"], "is not a configured panel"),
        (["south/11", "--panel", "north"], "south/11 is not on north"),
        (["e*s"], "is no order ID"),
        ([","], "no order is named"),
        (["11", "--quantity", "many"], "is no quantity"),
        (["11", "--placed-at", "2025-03-01T14:30:00"], "doesn't say its time zone"),
        (["11", "--time-zone", "Mars"], "is no time zone"),
        (["11", "--param", "comments"], "NAME=VALUE"),
        (["11", "--param", "lnik=x"], 'Did you mean "link"?'),
        (["11", "--link", "a", "--param", "link=b"], '"link" is given twice'),
        ([], "Missing argument"),
    ],
)
def test_wrong_use_tracks_nothing(here: Path, capsys: Capture, arguments: list[str], words: str) -> None:
    configure(here)
    done = said(capsys, "orders", "track", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in " ".join(done.err.split())
    assert tracked(here, "11") is None


def test_the_installed_command_writes_plain_text_to_a_pipe(here: Path) -> None:
    configure(here)
    done = subprocess.run(
        [COMMAND, "orders", "track", "11"], cwd=here, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 new, 0 known already.\n", "")
