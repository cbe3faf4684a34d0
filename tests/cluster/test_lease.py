"""Leases: an epoch is given once, the worker believes in less than the server, and an ended one is gone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest

from smm_rules.cluster.clock import ServerClock
from smm_rules.cluster.database import ServerAway
from smm_rules.cluster.lease import DaemonAtWork, Lease
from smm_rules.ledger.postgres import Access
from smm_rules.ledger.postgres.locks import Lock, call
from smm_rules.panel.sending import machine_time
from tests.cluster.setting import LEASE, Site


async def test_no_two_leases_have_one_epoch(here: Site) -> None:
    leases = await asyncio.gather(*(here.lease(f"worker {number}") for number in range(5)))
    assert len({lease.epoch for lease in leases}) == 5
    first = leases[0]
    before = first.epoch
    await first.end()
    await first.begin()
    assert first.epoch > max(before, *(lease.epoch for lease in leases[1:]))


async def test_the_worker_believes_in_less_of_its_lease_than_the_server(here: Site) -> None:
    lease = await here.lease()
    for _ in range(3):
        assert await lease.renew() is True
        row = await here.database.row(
            "SELECT extract(epoch FROM lease_until - clock_timestamp())::float FROM leases"
        )
        assert row is not None
        believed = lease.left()
        assert 0 < believed < row[0]
        assert believed <= LEASE.total_seconds() * 5 / 6


async def test_what_is_claimed_may_leave_until_the_lease_is_nearly_over(here: Site) -> None:
    lease = await here.lease()
    before = lease.send_before()
    assert before is not None
    assert 0 < before - machine_time() <= LEASE.total_seconds() * 5 / 6
    await lease.end()
    after = lease.send_before()
    assert after is not None
    assert after <= machine_time()


async def test_a_lease_that_somebody_ended_is_not_renewed(here: Site) -> None:
    lease = await here.lease()
    await here.database.rows("UPDATE leases SET ended_at = clock_timestamp()")
    assert await lease.renew() is False
    assert lease.left() <= 0


async def test_a_lease_that_ran_out_and_that_nobody_ended_goes_on(here: Site) -> None:
    lease = await here.lease()
    await here.end_lease_now(lease.epoch)
    assert await lease.renew() is True
    assert lease.left() > 0


async def test_a_cut_connection_costs_one_renewal_and_no_lease(here: Site) -> None:
    lease = await here.lease()
    left = lease.left()
    await here.database.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'one'"
    )
    with pytest.raises(ServerAway):
        await lease.renew()
    assert 0 < lease.left() <= left
    assert await lease.renew() is True


async def test_a_server_that_cant_be_reached_says_so() -> None:
    lease = Lease(Access("postgresql://nobody@127.0.0.1:1/none"), "one", LEASE, "", ServerClock())
    with pytest.raises(ServerAway, match="doesn't answer"):
        await lease.begin()


async def test_the_servers_clock_is_read_with_every_renewal(here: Site) -> None:
    lease = await here.lease()
    await lease.renew()
    row = await here.database.row("SELECT clock_timestamp()")
    assert row is not None
    assert abs(here.clock.now() - row[0]) < timedelta(seconds=1)


async def test_no_worker_starts_beside_a_daemon_and_no_daemon_beside_workers(here: Site) -> None:
    async with await psycopg.AsyncConnection.connect(here.access.url, autocommit=True) as daemon:
        take = f"SELECT {call('pg_try_advisory_lock', Lock.DAEMON)}".encode()
        assert (await (await daemon.execute(take)).fetchone()) == (True,)
        with pytest.raises(DaemonAtWork, match="stop the daemon first"):
            await here.lease()
        await daemon.execute(f"SELECT {call('pg_advisory_unlock', Lock.DAEMON)}".encode())
        await here.lease("one")
        await here.lease("two")
        assert (await (await daemon.execute(take)).fetchone()) == (False,)
