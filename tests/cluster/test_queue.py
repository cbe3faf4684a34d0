"""The queue: a backlog can't pile up, a dead worker's jobs are dropped, and a lost server is survived."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from procrastinate.exceptions import ConnectorException
from psycopg_pool import AsyncConnectionPool
from structlog.testing import capture_logs

from smm_rules.cluster.database import ServerAway, pool
from smm_rules.cluster.queue import ACTS, LOOKS, Queue, Task
from smm_rules.observe.counters import Counters
from tests.cluster.setting import Site
from tests.endtoend.waiting import eventually

UNIT = "unit"
_ALL = (
    "SELECT task_name, queueing_lock, status::text FROM procrastinate_jobs "
    "WHERE task_name = 'unit' ORDER BY id"
)


def task(name: str, queue: str = LOOKS, lock: str | None = None, priority: int = 0) -> Task:
    return Task(queue, UNIT, name, lock or name, priority)


async def opened(here: Site, handler: Callable[[str], Awaitable[object]], stalled: float = 10.0) -> Queue:
    connections: AsyncConnectionPool[object] = pool(here.access, "queue", 4)
    await connections.open()
    here.stack.push_async_callback(connections.close)

    async def dispatch() -> None:
        return

    queue = Queue(connections, {UNIT: handler}, dispatch, Counters(), stalled)
    await queue.open()
    return queue


async def nothing(name: str) -> None:
    return


class Doing:
    """A handler that notes what it does, and goes on when it is let."""

    def __init__(self, *, wait: bool = False) -> None:
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.at_once = 0
        self.most_at_once = 0
        self.let_go = asyncio.Event()
        if not wait:
            self.let_go.set()

    async def __call__(self, name: str) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.put_nowait(name)
        await self.let_go.wait()
        self.at_once -= 1

    async def saw(self, count: int) -> list[str]:
        async with asyncio.timeout(20):
            return [await self.begun.get() for _ in range(count)]


class Served:
    """A queue being served."""

    def __init__(self, queue: Queue, at_once: int = 4, name: str = LOOKS) -> None:
        self.stopping = asyncio.Event()
        self._task = asyncio.create_task(queue.serve(name, at_once, self.stopping, 10.0))

    async def __aenter__(self) -> Served:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stopping.set()
        async with asyncio.timeout(20):
            await self._task


async def test_of_one_unit_one_job_waits_at_most(here: Site) -> None:
    queue = await opened(here, nothing)
    assert await queue.defer([task("orders:north"), task("orders:south")]) == 2
    assert await queue.defer([task("orders:north"), task("orders:east")]) == 1
    assert await queue.defer([task("orders:north")], again=True) == 0
    assert [row[1] for row in await here.database.rows(_ALL)] == [
        "orders:north",
        "orders:south",
        "orders:east",
    ]


async def test_many_who_defer_the_same_at_once_defer_it_once(here: Site) -> None:
    queues = [await opened(here, nothing) for _ in range(4)]
    tasks = [task(f"orders:{number}") for number in range(5)]
    deferred = await asyncio.gather(*(queue.defer(tasks) for queue in queues))
    assert sum(deferred) == 5
    assert len(await here.database.rows(_ALL)) == 5


async def test_a_job_at_work_is_deferred_once_more_only_when_asked(here: Site) -> None:
    doing = Doing(wait=True)
    queue = await opened(here, doing)
    async with Served(queue):
        await queue.defer([task("outbox")])
        await doing.saw(1)
        assert await queue.defer([task("outbox")]) == 0
        assert await queue.defer([task("outbox")], again=True) == 1
        doing.let_go.set()
        assert await doing.saw(1) == ["outbox"]
    assert doing.most_at_once == 1
    assert await here.database.rows(_ALL) == []


async def test_jobs_of_one_lock_go_one_after_the_other_and_the_urgent_first(here: Site) -> None:
    doing = Doing()
    queue = await opened(here, doing)
    await queue.defer([task(f"look {number}", lock="a") for number in range(3)])
    await queue.defer([task("urgent", lock="b", priority=100)])
    async with Served(queue, at_once=1):
        assert await doing.saw(4) == ["urgent", "look 0", "look 1", "look 2"]
    assert doing.most_at_once == 1


async def test_a_queue_does_its_own_jobs_alone(here: Site) -> None:
    doing = Doing()
    queue = await opened(here, doing)
    await queue.defer([task("look"), task("act", queue=ACTS)])
    async with Served(queue, name=ACTS):
        assert await doing.saw(1) == ["act"]
    assert [row[1] for row in await here.database.rows(_ALL)] == ["look"]


async def test_a_job_that_raises_is_told_and_gone(here: Site) -> None:
    async def broken(name: str) -> None:
        raise ZeroDivisionError(name)

    queue = await opened(here, broken)
    with capture_logs() as logs:
        async with Served(queue):
            await queue.defer([task("orders:north")])
            await eventually(lambda: _is_empty(here))
    assert [(line["event"], line["job"]) for line in logs if line["log_level"] == "error"] == [
        ("job.raised", "orders:north")
    ]


async def _deferred(queue: Queue, one: Task) -> bool:
    """Whether a job could be deferred: whoever finds a connection cut tries again, as a dispatch does."""
    try:
        return await queue.defer([one]) == 1
    except (ConnectorException, ServerAway):
        return False


async def _is_empty(here: Site) -> bool:
    return await here.database.rows(_ALL) == []


async def test_jobs_of_a_worker_that_is_silent_are_dropped(here: Site) -> None:
    queue = await opened(here, nothing, stalled=5.0)
    await queue.defer([task("orders:north"), task("orders:south")])
    await here.database.rows(
        "WITH w AS (INSERT INTO procrastinate_workers (last_heartbeat) "
        "VALUES (now() - interval '6 seconds'), (now()) RETURNING id) "
        "UPDATE procrastinate_jobs j SET status = 'doing', worker_id = w.id FROM w "
        "WHERE (w.id %% 2 = 1) = (j.queueing_lock = 'orders:north')"
    )
    await queue.tidy()
    assert [row[1:] for row in await here.database.rows(_ALL)] == [("orders:south", "doing")]


async def test_a_job_whose_end_was_never_written_doesnt_lock_its_unit_for_ever(here: Site) -> None:
    queue = await opened(here, nothing)
    rows = await here.database.rows("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
    await queue.defer([task("orders:north"), task("orders:south")])
    await here.database.rows("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", (rows[0][0],))
    found = await here.database.rows("SELECT id FROM procrastinate_jobs WHERE queueing_lock = 'orders:south'")
    queue.running.workers.add(rows[0][0])
    queue.running.jobs[found[0][0]] = "orders:south"  # this one is at work
    await queue.tidy()  # the first time it may only be beginning or ending
    assert len(await here.database.rows(_ALL)) == 2
    await queue.tidy()
    assert [row[1] for row in await here.database.rows(_ALL)] == ["orders:south"]


async def test_cut_connections_and_a_job_under_way_survive_each_other(here: Site) -> None:
    doing = Doing(wait=True)
    queue = await opened(here, doing)
    async with Served(queue):
        await queue.defer([task("orders:north")])
        await doing.saw(1)
        await here.database.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'queue'"
        )
        await eventually(lambda: _deferred(queue, task("orders:south")))
        assert await doing.saw(1) == ["orders:south"]
        assert doing.at_once == 2  # what was under way wasn't cut off
        doing.let_go.set()


async def test_serving_ends_when_it_is_asked_to_and_lets_jobs_end(here: Site) -> None:
    doing = Doing(wait=True)
    queue = await opened(here, doing)
    served = Served(queue)
    await queue.defer([task("orders:north")])
    await doing.saw(1)
    served.stopping.set()
    await asyncio.sleep(0)
    doing.let_go.set()
    await served.__aexit__()
    assert (doing.at_once, await here.database.rows(_ALL)) == (0, [])


async def test_every_second_one_of_all_workers_looks_for_what_is_due(here: Site) -> None:
    looked: asyncio.Queue[int] = asyncio.Queue()
    served = []
    for number in range(2):
        connections: AsyncConnectionPool[object] = pool(here.access, f"queue {number}", 4)
        await connections.open()
        here.stack.push_async_callback(connections.close)

        async def dispatch(number: int = number) -> None:
            looked.put_nowait(number)

        queue = Queue(connections, {}, dispatch, Counters(), 10.0)
        await queue.open()
        served.append(Served(queue, name=ACTS))
    async with asyncio.timeout(20):
        for _ in range(3):
            await looked.get()
    for one in served:
        await one.__aexit__()
    periods = await here.database.rows("SELECT count(*) FROM procrastinate_periodic_defers")
    assert periods[0][0] <= 2  # those of the past are not kept
