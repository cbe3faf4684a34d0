"""The queue of jobs: procrastinate on the ledger's own server. It says who does what, never what is true.

Every job only names a unit or an intent; what is due, claimed and done stands in the ledger. A job that is
lost is deferred again within moments, one that runs twice finds nothing to do. So the queue needn't be
durable, and its locks needn't hold against a worker that was taken for dead: the ledger's fences do
(`cluster.ledger`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import procrastinate
from procrastinate import exceptions, jobs
from psycopg_pool import AsyncConnectionPool

from smm_rules.cluster.database import Database, ServerAway
from smm_rules.cluster.ledger import Fenced
from smm_rules.observe import get_logger
from smm_rules.observe.counters import Counters

log = get_logger(__name__)
# Its own lines would say a second time, at another level, what is said here.
logging.getLogger("procrastinate").setLevel(logging.CRITICAL + 1)

#: Reads of panels wait for answers for long; what acts, tells or hands out must not wait behind them.
LOOKS, ACTS = "looks", "acts"
#: What goes first within a queue.
FIRST, SOON, ORDINARY = 100, 50, 0
DISPATCH = "dispatch"
#: How often what is due is looked for: the sixth field of a cron line is seconds.
EVERY_SECOND = "* * * * * *"
#: How often a worker asks for jobs when nobody told it of one, in seconds, and says that it lives.
ASK_SECONDS, BEAT_SECONDS = 1.0, 2.0
#: The pause before a queue that failed is served again, in seconds.
AGAIN_SECONDS = 0.5
#: How often the queue is tidied, in seconds.
TIDY_SECONDS = 2.0

#: procrastinate's own listing brings all jobs whole; with hundreds of panels that is most of the cost.
_LIVE = """
  SELECT queueing_lock, bool_or(status = 'todo') FROM procrastinate_jobs
  WHERE queueing_lock = ANY(%s) AND status IN ('todo', 'doing') GROUP BY queueing_lock
"""

Handler = Callable[[str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Task:
    """A job to be deferred. Of equal `name`s one at most waits; of equal `lock`s one at most runs."""

    queue: str
    kind: str
    name: str
    lock: str
    priority: int = ORDINARY

    def job(self) -> jobs.Job:
        return jobs.Job(
            queue=self.queue,
            priority=self.priority,
            lock=self.lock,
            queueing_lock=self.name,
            task_name=self.kind,
            task_kwargs={"name": self.name},
        )


@dataclass(slots=True)
class Running:
    """The jobs at work in this process, by their number in the queue."""

    jobs: dict[int, str] = field(default_factory=dict)
    workers: set[int] = field(default_factory=set)
    tasks: set[asyncio.Task[object]] = field(default_factory=set)


class Queue:
    """Defers jobs and does them. `dispatch` is called every second in one of all workers."""

    def __init__(
        self,
        connections: AsyncConnectionPool[Any],
        handlers: dict[str, Handler],
        dispatch: Callable[[], Awaitable[object]],
        counters: Counters,
        stalled_seconds: float,
    ) -> None:
        self._connections = connections
        self._database = Database(connections)
        self._counters = counters
        self._stalled = stalled_seconds
        self._suspects: set[int] = set()
        self.running = Running()
        self.app = procrastinate.App(connector=procrastinate.PsycopgConnector())
        for kind, handler in handlers.items():
            self._register(kind, handler)
        self._register_dispatch(dispatch)

    async def open(self) -> None:
        """Begin to use the connections, which stay the caller's."""
        await self.app.open_async(self._connections)

    # -- deferring ---------------------------------------------------------------------------------------
    async def defer(self, tasks: Sequence[Task], *, again: bool = False) -> int:
        """Defer those that don't wait; with `again` also those at work, to be done once more. How many."""
        live = await self._live([task.name for task in tasks]) if tasks else {}
        wanted = [task for task in tasks if task.name not in live or (again and not live[task.name])]
        if not wanted:
            return 0
        try:
            await self.app.job_manager.batch_defer_jobs_async([task.job() for task in wanted])
        except exceptions.AlreadyEnqueued:
            return await self._defer_singly(wanted)
        return len(wanted)

    async def _defer_singly(self, tasks: Iterable[Task]) -> int:
        """Somebody else deferred one of them at the same moment."""
        deferred = 0
        for task in tasks:
            try:
                await self.app.job_manager.batch_defer_jobs_async([task.job()])
                deferred += 1
            except exceptions.AlreadyEnqueued:
                continue
        return deferred

    async def _live(self, names: Sequence[str]) -> dict[str, bool]:
        """Those of these names that jobs have, with whether one waits."""
        found = await self._database.rows(_LIVE, (list(names),))
        return {str(name): bool(waits) for name, waits in found}

    # -- doing -------------------------------------------------------------------------------------------
    async def serve(self, queue: str, at_once: int, stopping: asyncio.Event, drain_seconds: float) -> None:
        """Do the jobs of a queue until `stopping`, through whatever happens to the server."""
        while not stopping.is_set():
            worker = asyncio.create_task(self._work(queue, at_once, drain_seconds))
            ending = asyncio.create_task(stopping.wait())
            await asyncio.wait((worker, ending), return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            if stopping.is_set():
                worker.cancel()  # which makes it stop in order
            try:
                await worker
            except asyncio.CancelledError:
                if not stopping.is_set():
                    raise
            except Exception as error:  # whatever the server's loss made of it: it is served again
                if not stopping.is_set():
                    self._counters.increment("queue_failures", queue=queue)
                    log.warning("worker.queue_failed", queue=queue, error=_words(error))
                    await _unless(stopping, AGAIN_SECONDS)

    async def _work(self, queue: str, at_once: int, drain_seconds: float) -> None:
        await self.app.run_worker_async(
            queues=[queue],
            name=queue,
            concurrency=at_once,
            install_signal_handlers=False,
            fetch_job_polling_interval=ASK_SECONDS,
            abort_job_polling_interval=3600.0,
            update_heartbeat_interval=BEAT_SECONDS,
            stalled_worker_timeout=self._stalled,
            shutdown_graceful_timeout=drain_seconds,
            delete_jobs="always",
        )

    async def tidy(self) -> None:
        """Drop jobs that nobody does: of workers that are silent, and of this one that it doesn't know.

        procrastinate writes the end of a job once: when the server is away just then, the job would count as
        being done for ever, and its lock would keep the unit from ever being done again.
        """
        manager = self.app.job_manager
        stalled = [job.id for job in await manager.get_stalled_jobs(seconds_since_heartbeat=self._stalled)]
        ours = set[int]()
        for worker in tuple(self.running.workers):
            for job in await manager.list_jobs_async(status="doing", worker_id=worker):
                if job.id is not None and job.id not in self.running.jobs:
                    ours.add(job.id)
        forgotten = ours & self._suspects  # seen twice: not one that is only just beginning or ending
        self._suspects = ours - forgotten
        for number in {*(number for number in stalled if number is not None), *forgotten}:
            await self._drop(number)

    async def _drop(self, number: int) -> None:
        try:
            await self.app.job_manager.finish_job_by_id_async(
                job_id=number, status=jobs.Status.FAILED, delete_job=True
            )
        except exceptions.ConnectorException:
            return  # somebody else has dropped it
        self._counters.increment("jobs_dropped")
        log.info("worker.job_dropped", job=number)

    # -- inside ------------------------------------------------------------------------------------------
    def _register(self, kind: str, handler: Handler) -> None:
        async def run(context: procrastinate.JobContext, name: str) -> None:
            await self._run(context, handler, name)

        self.app.task(name=kind, pass_context=True)(run)

    def _register_dispatch(self, dispatch: Callable[[], Awaitable[object]]) -> None:
        async def run(context: procrastinate.JobContext, timestamp: int) -> None:
            del timestamp  # of the clock of whoever deferred it
            await self._run(context, lambda _: dispatch(), DISPATCH)

        task = self.app.task(
            name=DISPATCH, queue=ACTS, queueing_lock=DISPATCH, priority=FIRST, pass_context=True
        )(run)
        self.app.periodic(cron=EVERY_SECOND, periodic_id=DISPATCH)(task)

    async def _run(self, context: procrastinate.JobContext, handler: Handler, name: str) -> None:
        """Do a job in a task of its own: what it does outlives the queue's worker, which ends with the
        server."""
        number = context.job.id or 0
        if context.job.worker_id is not None:
            self.running.workers.add(context.job.worker_id)
        outer = asyncio.current_task()
        if outer is not None:
            outer.add_done_callback(_heard)
        task = asyncio.ensure_future(self._guarded(handler, name))
        self.running.jobs[number] = name
        self.running.tasks.add(task)
        task.add_done_callback(lambda done: self._ended(number, done))
        await asyncio.shield(task)

    def _ended(self, number: int, task: asyncio.Task[object]) -> None:
        self.running.jobs.pop(number, None)
        self.running.tasks.discard(task)

    async def _guarded(self, handler: Handler, name: str) -> object:
        try:
            return await handler(name)
        except (ServerAway, Fenced) as error:
            self._counters.increment("jobs_cut_off", job=name)
            log.warning("worker.job_cut_off", job=name, error=str(error))
            return None
        except Exception as error:  # a job is done again when it is due again, never by itself
            self._counters.increment("jobs_raised", job=name)
            log.error("job.raised", job=name, error=repr(error), traceback="")
            return None


async def _unless(stopping: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return


def _heard(task: asyncio.Task[Any]) -> None:
    """The queue's own task of a job fails when the job's end can't be written: `tidy` sees to such jobs."""
    if not task.cancelled():
        task.exception()


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
