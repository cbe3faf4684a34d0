"""Which rules are in force for all workers: the set that was put into force last, by whichever worker.

A worker whose files differ from it decides nothing. How it finds out which of the two is newer:

- files that changed under a running worker, or a set that was never in force, are newer: they are put into
  force;
- a set that was in force before, found at the start, is older: the worker waits for its files. So one
  machine that was left out of a roll-out can't bring the old rules back. To go back on purpose, change the
  files under a running worker, or start one with `--adopt-rules`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

import psycopg

from smm_rules.cluster.database import Database, away
from smm_rules.cluster.turns import RulesTurn
from smm_rules.daemon.rules_in_force import edited, no_longer_asked, questions, rule_texts, versions
from smm_rules.ledger.audit import RuleText
from smm_rules.observe import get_logger
from smm_rules.polling.carried import Carried
from smm_rules.rules.loader import LoadedRules

log = get_logger(__name__)

_NEWEST = "SELECT generation, digest, questions, versions FROM rules ORDER BY generation DESC LIMIT 1"
_WAS_IN_FORCE = "SELECT 1 FROM rules WHERE digest = %s LIMIT 1"
_PUT = """
  INSERT INTO rules (digest, questions, versions, worker) VALUES (%s, %s::jsonb, %s::jsonb, %s)
  RETURNING generation
"""


class RulesLedger(Protocol):
    """What putting rules into force needs of the ledger."""

    async def end_holds(self, rules: tuple[str, ...]) -> int: ...

    async def wake(self, rules: tuple[str, ...], now: datetime) -> int: ...

    async def rules_in_force(
        self, texts: tuple[RuleText, ...], now: datetime, by: str, files: tuple[str, ...] = ()
    ) -> bool: ...


@dataclass(frozen=True, slots=True)
class InForce:
    """A rule set in force."""

    generation: int
    digest: str
    questions: Mapping[str, str]
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Adopted:
    """A set that was put into force just now, with the rules whose unfinished holds it ended."""

    generation: int
    void: tuple[str, ...] = ()
    holds_ended: int = 0


def digest_of(loaded: LoadedRules) -> str:
    """What a rule set is known by: every rule's name, meaning and text, and the services that are equal.

    Without a mapping it is what it was before there were any.
    """
    texts = sorted((one.rule, one.version, one.digest) for one in rule_texts(loaded))
    if loaded.equal.digest:
        texts.append(("", "equal services", loaded.equal.digest))
    return sha256(json.dumps(texts).encode()).hexdigest()


class SharedRules:
    """The rules in force, in the database."""

    def __init__(self, database: Database, turns: Database, ledger: RulesLedger, worker: str) -> None:
        """`turns` has the connections on which a turn may be held."""
        self._database = database
        self._turns = turns
        self._ledger = ledger
        self._worker = worker

    async def newest(self) -> InForce | None:
        """The set in force; None on a ledger that never had workers."""
        row = await self._database.row(_NEWEST)
        return None if row is None else InForce(*row)

    async def was_in_force(self, digest: str) -> bool:
        """Whether a set was ever in force."""
        return await self._database.row(_WAS_IN_FORCE, (digest,)) is not None

    async def put_into_force(
        self, loaded: LoadedRules, files: tuple[str, ...], now: datetime, carried: Carried | None = None
    ) -> Adopted:
        """Put a set into force for all workers, with what that means for unfinished holds.

        Nobody judges or claims meanwhile. Does nothing when it is in force already, as when two workers of
        one machine saw the same files change. `carried` has the rules of a daemon that was on this ledger
        before.
        """
        digest = digest_of(loaded)
        async with RulesTurn(self._turns) as connection:
            try:
                row = await (await connection.execute(_NEWEST.encode())).fetchone()
                before = None if row is None else InForce(*row)
                if before is not None and before.digest == digest:
                    return Adopted(before.generation)
                void, ended = await self._apply(before or carried, loaded, files, now)
                values = (
                    digest,
                    json.dumps(questions(loaded.rules)),
                    json.dumps(versions(loaded.rules)),
                    self._worker,
                )
                row = await (await connection.execute(_PUT.encode(), values)).fetchone()
            except psycopg.Error as error:
                raise away(error) from error
        assert row is not None
        log.info("worker.rules_put_into_force", generation=row[0], rules=len(loaded.rules.rules))
        return Adopted(int(row[0]), void, ended)

    async def _apply(
        self, before: InForce | Carried | None, loaded: LoadedRules, files: tuple[str, ...], now: datetime
    ) -> tuple[tuple[str, ...], int]:
        """What a new set means for the ledger. Done again after a crash in the middle, it does no harm."""
        void: tuple[str, ...] = ()
        ended = 0
        if before is not None:
            void = no_longer_asked(before.questions, questions(loaded.rules))
            ended = await self._ledger.end_holds(void) if void else 0
            changed = edited(before.versions, versions(loaded.rules))
            await self._ledger.wake(tuple(name for name in changed if name not in void), now)
        await self._ledger.rules_in_force(rule_texts(loaded), now, self._worker, files)
        return void, ended
