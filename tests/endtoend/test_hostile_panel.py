"""A panel that attacks a running daemon: it stays small and at work, its log and messages plain."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from tests.endtoend.processes import Launcher
from tests.endtoend.raw_panel import SERVICE, RawPanel
from tests.endtoend.test_faults import raw_world
from tests.endtoend.waiting import eventually
from tests.panel import fault_server as raw
from tests.panel.fault_server import Turn
from tests.security.test_neutral_text import HOSTILE, plain_line

MIB = 1024 * 1024
ATTACK = " ".join(HOSTILE.values())
RULES = """\
rules:
  - name: say
    watch: order
    when: status == "Partial"
    first_seen: act
    do: [{notify: {channel: ops, message: "{{ order.id }}: {{ service.name }} {{ expiry }}"}}]
  - name: refill
    watch: order
    when: status == "Canceled"
    first_seen: act
    do: [{refill: }]
    otherwise: [{notify: {channel: ops, message: "refused: {{ service.name }}"}}]
    limit: {per_order: 1}
"""


class Attacker(RawPanel):
    """Answers reads with its attack's fault first and with hostile text ever after."""

    def __init__(self, first: raw.Fault) -> None:
        super().__init__()
        self.first = dict.fromkeys(("services", "balance", "status"), first)

    async def _answer(self, turn: Turn) -> None:
        attack = self.first.pop(turn.seen.form.get("action", ""), None)
        await (attack(turn) if attack is not None else super()._answer(turn))

    def _well(self, action: str, form: dict[str, str]) -> object:
        if action == "services":
            return [
                {**SERVICE, "service": number, "name": f"{ATTACK} {number}"} for number in range(1, 2_001)
            ]
        if action == "status":
            states = super()._well(action, form)
            assert isinstance(states, dict)
            for state in states.values():
                if isinstance(state, dict):
                    state["expiry"] = ATTACK
            return states
        if action == "refill":
            return {"error": f"Refill is not available {ATTACK}"}
        return super()._well(action, form)


ATTACKS = {
    "floods": raw.huge(100 * MIB),
    "bombs": raw.gzip_bomb(64 * MIB),
    "millions of values": raw.raw(b"[" + b"{}," * (4 * MIB) + b"0]"),
    "depth": raw.nested(),
    "numbers": raw.raw(b'{"balance": 1e99999999999999999999, "order": 1e99999999999999999999}'),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_daemon_under_attack_stays_small_plain_and_at_work(
    launcher: Launcher, tmp_path: Path, attack: str
) -> None:
    panel = Attacker(ATTACKS[attack])
    async with raw_world(launcher, tmp_path, panel) as world:
        world.set_timeout("5s")
        world.write_rules(RULES)
        daemon = world.start()
        process = psutil.Process(daemon.process)
        largest = 0

        def told() -> bool:
            nonlocal largest
            largest = max(largest, process.memory_info().rss)
            return len(world.bodies()) >= 2

        await eventually(told, "both messages", describe=world.tails)
        assert panel.first == {}
        assert await daemon.stop() == 0
        bodies = [json.loads(received.body)["body"] for received in world.hook.received]
    assert largest < 400 * MIB
    assert any(body.startswith("1: ") for body in bodies)
    assert all(plain_line(body) for body in bodies)
    lines = daemon.errors.read_text().splitlines()
    assert lines
    assert all(plain_line(line) and json.loads(line)["event"] for line in lines)
