"""How long polling pauses while rules are reloaded: `python -m benchmarks.reload`.

`smm-rules run` as a process of its own, with 1,000,000 orders tracked, of which more are due than it may ask
about, against a light panel in a process of its own that notes when requests about orders arrive. One rule of
twenty, which holds for a tenth of all orders, is edited and SIGHUP sent, again and again: its hold and its
condition by turns. Told are the longest times between two requests: while nothing is reloaded, and from then
until a second after the reload is done.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs

from benchmarks.daemon import fill, write_stage
from benchmarks.measure import Row, arguments_of, median, spread, tell
from benchmarks.sweep import FIRST_ORDER, PANEL, RULES, SERVICES, TRACKED_AT_ONCE
from smm_rules.engine.memory import Memory
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Remembered, Sweep
from smm_rules.ledger.sqlite import SqliteLedger

_START_SECONDS, _RELOAD_SECONDS, _SETTLING_SECONDS, _AFTERWARDS = 120, 120, 10, 1.0
#: One request in 50 ms, and ticks as often as can be; each order comes due once.
_PACE = "poll: {orders: 2h, refills: 1s, balance: 2h, catalogue: 2h}\n    requests_per_minute: 1200"
#: The rule that is edited, and which holds for a tenth of the orders.
_RULE = "nearly-untouched"
_WRITTEN = '    when: status == "In progress" and remains > 900\n    for: 30d\n'
_KEY = "a key of the benchmark"
_QUIET_SECONDS = 20.0


# -- the panel ----------------------------------------------------------------------------------------------
async def serve(notes: Path) -> None:
    """Answer on a free port of loopback, whose number is the first line; the instants go to `notes`."""
    with notes.open("w", buffering=1) as noted:

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while head := await _head(reader):
                length = next(
                    int(line.partition(b":")[2])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                form = parse_qs((await reader.readexactly(length)).decode())
                if form["action"] == ["status"]:
                    noted.write(f"{time.monotonic()}\n")
                body = json.dumps(_answer(form)).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


async def _head(reader: asyncio.StreamReader) -> bytes:
    """A request up to its body; empty when the other side is done."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def _answer(form: dict[str, list[str]]) -> object:
    match form["action"]:
        case ["balance"]:
            return {"balance": "1000.00", "currency": "USD"}
        case ["services"]:
            return [_service(number) for number in range(1, SERVICES + 1)]
        case ["status"]:
            return {order: _order(int(order)) for order in form["orders"][0].split(",")}
        case _:
            return {"error": "not here"}


def _service(number: int) -> dict[str, object]:
    flags = {"refill": True, "cancel": True}
    bounds = {"rate": "0.90", "min": "10", "max": "100000"}
    return (
        {"service": number, "name": f"Service {number}", "type": "Default", "category": "All"}
        | bounds
        | flags
    )


def _order(number: int) -> dict[str, str]:
    """Every tenth has hardly begun, which the rule that is edited asks for."""
    remains = "950" if number % 10 == 0 else "400"
    order = {"charge": "0.90", "start_count": "10", "status": "In progress"}
    return order | {"remains": remains, "currency": "USD"}


@dataclass(frozen=True, slots=True)
class Panel:
    """The running panel: its address, its key, and the file with the instants of requests about orders."""

    url: str
    key: str
    notes: Path

    def instants(self) -> list[float]:
        """When requests about orders came, on the clock that all processes of the machine share."""
        return [float(line) for line in self.notes.read_text().splitlines()]


@contextmanager
def panel(directory: Path) -> Iterator[Panel]:
    notes = directory / "requests.txt"
    command = [sys.executable, "-m", "benchmarks.reload", "--serve", str(notes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            yield Panel(f"http://127.0.0.1:{port}/api/v2", _KEY, notes)
        finally:
            process.terminate()


# -- the ledger ---------------------------------------------------------------------------------------------
async def hold(path: Path, orders: int) -> None:
    """Have the rule hold since yesterday for every tenth order, none of which has fired."""
    now = datetime.now(UTC)
    memory = Memory(true_since=now - timedelta(days=1))
    numbers = range(FIRST_ORDER + FIRST_ORDER % 10, FIRST_ORDER + orders, 10)
    entities = [Entity(EntityKind.ORDER, PANEL, str(number)) for number in numbers]
    async with await SqliteLedger.open(path) as ledger:
        for batch in batched(entities, TRACKED_AT_ONCE):
            await ledger.record(Sweep(now, remembered=tuple(Remembered(_RULE, one, memory) for one in batch)))


def batched(entities: Sequence[Entity], size: int) -> Iterator[Sequence[Entity]]:
    for first in range(0, len(entities), size):
        yield entities[first : first + size]


# -- the daemon ---------------------------------------------------------------------------------------------
@contextmanager
def daemon(configuration: Path) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """`smm-rules run` from READY, with the socket on which it tells systemd how it stands."""
    address = str(configuration.with_name("notify.socket"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(address)
        program = str(Path(sys.executable).with_name("smm-rules"))
        environment = {**os.environ, "NOTIFY_SOCKET": address}
        command = [program, "run", "--config", str(configuration)]
        with subprocess.Popen(command, env=environment) as process:
            try:
                _until_ready(told, _START_SECONDS)
                yield process, told
            finally:
                process.terminate()
                process.wait(_START_SECONDS)


def _until_ready(told: socket.socket, seconds: float) -> None:
    told.settimeout(seconds)
    while b"READY=1" not in told.recv(4096):
        pass


def edit(rules: Path, turn: int) -> None:
    """Change what a rule asks, or how long it must hold, as an editor would: the file is replaced whole."""
    text = RULES.read_text(encoding="utf-8")
    assert _WRITTEN in text, "the benchmark's rules have changed"
    after = _WRITTEN.replace("900", str(900 + turn // 2)).replace("30d", f"{30 + (turn + 1) // 2}d")
    fresh = rules.with_suffix(".new")
    fresh.write_text(text.replace(_WRITTEN, after), encoding="utf-8")
    fresh.replace(rules)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Seconds from SIGHUP until the new rules were in force, and from when until when gaps are looked for."""

    seconds: float
    begun: float
    over: float


def reload(process: subprocess.Popen[bytes], told: socket.socket, rules: Path, turn: int) -> Reloaded:
    edit(rules, turn)
    begun = time.monotonic()
    process.send_signal(signal.SIGHUP)
    _until_ready(told, _RELOAD_SECONDS)
    done = time.monotonic()
    time.sleep(_AFTERWARDS)
    return Reloaded(done - begun, begun, done + _AFTERWARDS)


def longest_gap(instants: list[float], begun: float, over: float) -> float:
    """The longest time between two requests that touches the window."""
    return max(after - before for before, after in pairwise(instants) if after > begun and before < over)


def rows(orders: int, reloads: int, parent: Path | None) -> list[Row]:
    with tempfile.TemporaryDirectory(dir=parent) as name, panel(Path(name)) as asked:
        directory = Path(name)
        rules = directory / "rules.yaml"
        rules.write_text(RULES.read_text(encoding="utf-8"), encoding="utf-8")
        configuration = write_stage(directory, asked, _PACE, rules)
        with configuration.open("a", encoding="utf-8") as more:
            more.write("reload: {watch: false}\n")  # SIGHUP alone, whose instant is known
        asyncio.run(fill(directory / "ledger.db", orders))
        asyncio.run(hold(directory / "ledger.db", orders))
        with daemon(configuration) as (process, told):
            time.sleep(_SETTLING_SECONDS)
            quiet = time.monotonic()
            time.sleep(_QUIET_SECONDS)
            undisturbed = time.monotonic()
            done = [reload(process, told, rules, turn) for turn in range(1, reloads + 1)]
        instants = asked.instants()
    usual = [
        after - before for before, after in pairwise(instants) if quiet <= before and after <= undisturbed
    ]
    gaps = [longest_gap(instants, one.begun, one.over) for one in done]
    command = f"python -m benchmarks.reload --orders {orders}"
    return [
        Row(
            f"between two requests, {orders:,} tracked, nothing reloaded: median, longest",
            f"{median(usual) * 1000:.0f} ms, {max(usual) * 1000:.0f} ms",
            f"{len(usual) + 1} requests",
            command,
        ),
        Row(
            "longest between two requests while a rule is reloaded",
            f"{median(gaps) * 1000:.0f} ms",
            spread([gap * 1000 for gap in gaps], 0),
            command,
        ),
        Row(
            "from SIGHUP until the new rules are in force",
            f"{median(one.seconds for one in done) * 1000:.0f} ms",
            spread([one.seconds * 1000 for one in done], 0),
            command,
        ),
    ]


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--reloads", type=int, default=7)
    parser.add_argument("--directory", type=Path, help="where to put files (default: temporary ones)")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve is not None:
        asyncio.run(serve(given.serve))
        return
    tell(rows(given.orders, given.reloads, given.directory), as_json=given.json)


if __name__ == "__main__":
    main()
