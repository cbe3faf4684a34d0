"""Which rules are in force: newer files win, older ones wait, and going back is a decision."""

from __future__ import annotations

from pathlib import Path

import pytest

from smm_rules.cluster.following import Following
from smm_rules.cluster.lease import Lease
from smm_rules.cluster.ledger import WorkerLedger
from smm_rules.cluster.rules import SharedRules, digest_of
from smm_rules.cluster.runs import running
from smm_rules.daemon.rules_in_force import RulesInForce
from smm_rules.engine.memory import Memory
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.audit import AuditKind, AuditQuery
from smm_rules.ledger.records import NewOrder, Remembered, Sweep
from smm_rules.notify.operator import OperatorVoice
from smm_rules.observe.counters import Counters
from smm_rules.polling.carried import Carried
from smm_rules.rules.scope import Scope
from tests.cluster.setting import PANEL, Site

RULE = """
rules:
  - name: partial
    watch: order
    when: {when}
    for: {hold}
    do: [{{log: {{message: "{message}"}}}}]
"""
SCOPE = Scope(panels=(PANEL,), channels={})


def text(when: str = 'status == "Partial"', hold: str = "10m", message: str = "hm") -> str:
    return RULE.format(when=when, hold=hold, message=message)


class Machine:
    """A worker on a machine with rule files of its own."""

    def __init__(self, here: Site, path: Path, lease: Lease, ledger: WorkerLedger) -> None:
        self.path = path
        self.lease = lease
        self.ledger = ledger
        shared = SharedRules(here.database, here.turns, ledger, lease.worker)
        self.following = Following(
            RulesInForce((path,), SCOPE),
            shared,
            lease,
            ledger,
            OperatorVoice(ledger, None),
            Counters(),
            lease.worker,
            here.clock.now,
        )

    async def start(self, *, adopt: bool = False) -> None:
        await self.following.start(Carried(), adopt=adopt)

    async def hears(self) -> bool:
        """Renew the lease; whether the worker finds other rules in force than its own."""
        await self.lease.renew()
        return self.following.look()


async def machine(here: Site, tmp_path: Path, name: str, written: str) -> Machine:
    path = tmp_path / f"{name}.yaml"
    path.write_text(written, encoding="utf-8")
    return Machine(here, path, await here.lease(name), await here.ledger())


async def test_the_first_worker_puts_its_rules_into_force_and_equal_ones_join(
    here: Site, tmp_path: Path
) -> None:
    one = await machine(here, tmp_path, "one", text())
    two = await machine(here, tmp_path, "two", text())
    await one.start()
    await two.start()
    assert (one.following.generation, two.following.generation) == (1, 1)
    entries = await one.ledger.audit_page(AuditQuery(kinds=(AuditKind.RULES,)), 0, 10)
    assert len(entries) == 1


async def test_files_never_in_force_are_newer_and_the_others_wait_for_theirs(
    here: Site, tmp_path: Path
) -> None:
    one = await machine(here, tmp_path, "one", text())
    await one.start()
    two = await machine(here, tmp_path, "two", text(message="new"))
    await two.start()
    assert two.following.generation == 2
    assert await one.hears() is True
    assert (one.following.behind.is_set(), one.following.current.is_set()) == (True, False)
    assert await one.following.follow() is False
    one.path.write_text(text(message="new"), encoding="utf-8")
    assert await one.following.follow() is True
    assert (one.following.generation, one.following.current.is_set()) == (2, True)
    assert await one.hears() is False


async def test_a_machine_left_out_of_a_roll_out_cant_bring_the_old_rules_back(
    here: Site, tmp_path: Path
) -> None:
    one = await machine(here, tmp_path, "one", text())
    await one.start()
    one.path.write_text(text(message="new"), encoding="utf-8")
    assert await one.following.reload("files") is True
    late = await machine(here, tmp_path, "late", text())
    await late.start()
    assert (late.following.generation, late.following.behind.is_set()) == (None, True)
    assert await one.hears() is False
    assert await late.following.reload("signal") is False  # its files are what they were
    assert await one.hears() is False


async def test_old_rules_come_back_on_purpose(here: Site, tmp_path: Path) -> None:
    one = await machine(here, tmp_path, "one", text())
    await one.start()
    one.path.write_text(text(message="new"), encoding="utf-8")
    await one.following.reload("files")
    one.path.write_text(text(), encoding="utf-8")
    assert await one.following.reload("files") is True
    assert one.following.generation == 3
    again = await machine(here, tmp_path, "again", text(message="new"))
    await again.start(adopt=True)
    assert again.following.generation == 4
    assert await one.hears() is True


async def test_two_workers_that_see_the_same_change_put_it_into_force_once(
    here: Site, tmp_path: Path
) -> None:
    one = await machine(here, tmp_path, "one", text())
    two = await machine(here, tmp_path, "two", text())
    await one.start()
    await two.start()
    for each in (one, two):
        each.path.write_text(text(message="new"), encoding="utf-8")
        await each.following.reload("files")
    assert (one.following.generation, two.following.generation) == (2, 2)


async def test_files_with_faults_change_nothing(here: Site, tmp_path: Path) -> None:
    one = await machine(here, tmp_path, "one", text())
    await one.start()
    one.path.write_text(text(when="statsu == 1"), encoding="utf-8")
    assert await one.following.reload("files") is False
    assert (one.following.generation, one.following.current.is_set()) == (1, True)
    entries = await one.ledger.audit_page(AuditQuery(kinds=(AuditKind.RELOAD_REFUSED,)), 0, 10)
    assert len(entries) == 1


@pytest.mark.parametrize(
    ("changed", "kept"), [({"when": 'status == "Canceled"'}, 0), ({"hold": "1m"}, 1), ({"message": "x"}, 1)]
)
async def test_holds_of_rewritten_rules_end_and_others_are_kept(
    here: Site, tmp_path: Path, changed: dict[str, str], kept: int
) -> None:
    one = await machine(here, tmp_path, "one", text())
    await one.start()
    now = here.clock.now()
    entity = Entity(EntityKind.ORDER, PANEL, "1")
    await one.ledger.track([NewOrder(entity, "1")], now)
    with running(one.lease.epoch):
        await one.ledger.record(
            Sweep(now, remembered=(Remembered("partial", entity, Memory(true_since=now)),))
        )
    one.path.write_text(text(**changed), encoding="utf-8")
    assert await one.following.reload("files") is True
    assert len(await one.ledger.memories([entity])) == kept


async def test_a_set_is_known_by_names_meanings_and_texts(tmp_path: Path) -> None:
    def digest(written: str) -> str:
        (tmp_path / "r.yaml").write_text(written, encoding="utf-8")
        return digest_of(RulesInForce((tmp_path / "r.yaml",), SCOPE).loaded)

    assert digest(text()) == digest(text())
    assert len({digest(text()), digest(text(message="x")), digest(text(hold="1m"))}) == 3
