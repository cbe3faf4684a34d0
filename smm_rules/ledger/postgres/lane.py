"""A lane: one thread with one connection, on which functions over the ledger run one after another.

A connection that is lost is made anew, and what was under way is done again, unless it may have been done: a
transaction whose COMMIT went unanswered is looked up by what it added to the record of decisions, which no
other transaction can have added. That is asked once the lock of those who decide is free again: until then
the server may be about to commit it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
from psycopg import errors

from smm_rules.ledger.audit import Head
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres.errors import CommitInDoubt
from smm_rules.ledger.postgres.locks import Lock, call
from smm_rules.ledger.postgres.session import Fetched, Session
from smm_rules.ledger.sql.audit import End
from smm_rules.ledger.sql.query import Connection, Row
from smm_rules.observe import get_logger

log = get_logger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

#: How long to try to reach a server that was there before.
PATIENCE = timedelta(seconds=10)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
#: How often a transaction is tried that another one got in the way of.
_TRIES = 20
_IN_THE_WAY = (errors.DeadlockDetected, errors.SerializationFailure)
_END_OF_RECORD = """
  SELECT coalesce((SELECT seq FROM handed_out WHERE name = 'audit'), 0),
    (SELECT hash FROM audit ORDER BY id DESC LIMIT 1)
"""
_HASH = "SELECT hash FROM audit WHERE id = ?"
_BESIDE = "BEGIN"
_DECIDING = f"BEGIN; SELECT {call('pg_advisory_xact_lock', Lock.DECIDING)}; {_END_OF_RECORD}"
_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Lane:
    """A connection that outlives the server's restarts. Used by one thread at a time.

    It is itself what functions over the ledger take for a connection. `make` makes a session that is fit for
    work.

    What a function wants nothing of (`execute_later`) goes to the server with what it asks next: in one round
    trip, and in the order in which it was said. Before a commit all of it has been done, or has failed.
    """

    def __init__(self, make: Callable[[], Session], patience: timedelta = PATIENCE) -> None:
        self._make = make
        self._patience = patience
        self._session: Session | None = None
        self._was_connected = False
        self._in_transaction = False
        self._later: list[tuple[str, tuple[Any, ...]]] = []
        #: In a transaction that decides, which is alone in appending: where the record of decisions ends.
        self.end_of_record: End | None = None
        #: Called with the lane after each deciding transaction, once it is durable.
        self.after_deciding: Callable[[Lane], None] = lambda _: None
        #: Called when a lost connection was made anew, before anything is done with it.
        self.reconnected: Callable[[], None] = lambda: None

    def open(self) -> None:
        """Connect now, at the first call that needs it otherwise."""
        self._connected(time.monotonic())

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    # -- as a connection --------------------------------------------------------------------------------
    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> Fetched:
        if not self._in_transaction:
            return self._again(lambda session: session.execute(statement, values))
        if self._later:
            return self._with_later([(statement, values)])[0]
        return self._live().execute(statement, values)

    def execute_together(self, asked: Sequence[tuple[str, tuple[Any, ...]]]) -> list[list[Row]]:
        """The rows of several statements, in one round trip."""
        if not self._in_transaction:
            return [self.execute(statement, values).fetchall() for statement, values in asked]
        return [fetched.fetchall() for fetched in self._with_later(asked)]

    def execute_later(self, statement: str, values: tuple[Any, ...]) -> None:
        """Run it before whatever is asked next, at the latest before the commit."""
        if self._in_transaction:
            self._later.append((statement, values))
        else:
            self.execute(statement, values)

    def _with_later(self, asked: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Fetched]:
        later, self._later = self._later, []
        return self._live().execute_all([*later, *asked])[len(later) :]

    def executemany(self, statement: str, many: Iterable[Sequence[Any]]) -> Fetched:
        self._do_later()
        return self._live().executemany(statement, many)

    def _do_later(self) -> None:
        if self._later:
            self._with_later([])

    def changes(self) -> int:
        return self._live().changes()

    # -- transactions -----------------------------------------------------------------------------------
    def decide(self, function: Callable[Concatenate[Lane, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """`function(lane, …)` in a transaction that is alone among those that decide; durable on return."""
        answer = self._decided(lambda: function(self, *args, **kwargs))
        self.after_deciding(self)
        return answer

    def transact(self, _: Connection, function: Callable[[Connection], R]) -> R:
        """Like `decide`, for what runs `alone`: nothing is called after it."""
        return self._decided(lambda: function(self))

    def beside(self, function: Callable[Concatenate[Lane, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """`function(lane, …)` in a transaction beside others. It must be one that may be done twice."""

        def attempt() -> R:
            return self._in(_BESIDE, lambda: function(self, *args, **kwargs))

        return self._until_done(attempt)

    def read(self, function: Callable[Concatenate[Lane, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """`function(lane, …)` in a read transaction: all it reads is of one moment."""

        def attempt() -> R:
            return self._in(_READING, lambda: function(self, *args, **kwargs))

        return self._until_done(attempt)

    def _decided(self, job: Callable[[], R]) -> R:
        promised: Head | None = None
        answer: list[R] = []

        def attempt() -> R:
            nonlocal promised
            if promised is not None and self._is_written(promised):
                return answer[0]
            promised = None
            answer.clear()
            return self._in(_DECIDING, whole)

        def whole() -> R:
            nonlocal promised
            end = self.end_of_record
            assert end is not None
            before = end.given
            answer[:] = [job()]
            self._do_later()
            # The entry that shows that it was committed; without one it may be done twice.
            promised = Head(end.given, end.hash or "") if end.given != before else None
            return answer[0]

        try:
            return self._until_done(attempt)
        except (psycopg.Error, LedgerError) as error:
            if promised is not None:
                raise CommitInDoubt(
                    "the connection to the ledger was lost while a change was being written, and whether it "
                    f"was isn't known: {error}"
                ) from error
            raise

    def _is_written(self, promised: Head) -> bool:
        """Whether the entry is in the record, asked when no other transaction can be about to add it."""
        found: list[tuple[Any, ...]] = []

        def look() -> None:
            found.extend(self.execute(_HASH, (promised.id,)).fetchall())

        self._in(_DECIDING, look)
        return found == [(promised.hash,)]

    def _in(self, begin: str, job: Callable[[], R]) -> R:
        session = self._live()
        self._in_transaction, self._later = True, []
        try:
            row = session.own(begin)
            self.end_of_record = None if row is None else End(*row)
            answer = job()
            self._do_later()
        except BaseException:
            _roll_back(session)
            raise
        finally:
            self._in_transaction, self._later, self.end_of_record = False, [], None
        _commit(session)
        return answer

    # -- connections that are lost ----------------------------------------------------------------------
    def _until_done(self, attempt: Callable[[], R]) -> R:
        """Try until it succeeds, fails for good, or the server stays away for too long."""
        end = time.monotonic() + self._patience.total_seconds()
        tries = 0
        while True:
            self._connected(end)
            try:
                return attempt()
            except _IN_THE_WAY:
                tries += 1
                if tries == _TRIES:
                    raise
            except psycopg.Error as error:
                if not self._is_lost() and not _ends_session(error):
                    raise
                self.close()
                log.warning("ledger.connection_lost", error=str(error).strip().partition("\n")[0])
                if time.monotonic() >= end:
                    raise

    def _again(self, job: Callable[[Session], R]) -> R:
        """A single read outside of a transaction."""
        return self._until_done(lambda: job(self._live()))

    def _is_lost(self) -> bool:
        return self._session is None or self._session.is_lost

    def _live(self) -> Session:
        assert self._session is not None, "the lane isn't connected"
        return self._session

    def _connected(self, end: float) -> None:
        """Connect unless connected; until `end` (monotonic) when the server was there before."""
        if not self._is_lost():
            return
        self.close()
        pause = _FIRST_PAUSE
        while self._session is None:
            try:
                self._session = self._make()
            except psycopg.OperationalError:
                if not self._was_connected or time.monotonic() >= end:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        if self._was_connected:
            log.info("ledger.reconnected")
            self.reconnected()
        self._was_connected = True


def _commit(session: Session) -> None:
    """COMMIT, and see that it was one: of a transaction that has failed PostgreSQL makes a ROLLBACK."""
    cursor = session.raw.execute(b"COMMIT")
    if cursor.statusmessage != "COMMIT":
        raise LedgerError("a change of the ledger failed and was undone; report this as a defect")


def _roll_back(session: Session) -> None:
    """A lost session's transaction is rolled back by the server."""
    with suppress(psycopg.OperationalError):
        session.own("ROLLBACK")


def _ends_session(error: psycopg.Error) -> bool:
    """Whether the server ends the session by this error; the client may notice later only."""
    return error.diag.severity_nonlocalized in ("FATAL", "PANIC")
