"""Breaks the program on purpose, one promise at a time: a judge that never condemns proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import apsw

from smm_rules.actions import attempt, circumstances, evidence, executor, failover, voice
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sql import chains, changes, guarding, holds
from smm_rules.ledger.sqlite import connection
from smm_rules.rules.model import Limits


def _unsynced() -> Any:
    """Commits aren't synced: a loss of power forgets claims."""
    original = connection._choose_journal

    def choose(opened: apsw.Connection, *more: Any) -> None:
        original(opened, *more)
        opened.pragma("synchronous", "off")

    return patch.object(connection, "_choose_journal", choose)


def _resend() -> Any:
    """An answer that never came counts as a request that was never sent."""

    def outcome_of(error: BaseException, intent: Any, now: Any, patience: Any) -> Any:
        outcome = attempt.outcome_of(error, intent, now, patience)
        if outcome.state is IntentState.UNKNOWN:
            return replace(outcome, state=IntentState.NOT_SENT, retry_at=now + timedelta(minutes=1))
        return outcome

    return patch.object(executor, "outcome_of", outcome_of)


def _amnesia() -> Any:
    """What was under way when the process died is planned again."""
    return patch.object(changes, "_INTERRUPTED", changes._INTERRUPTED.replace("'unknown'", "'planned'"))


def _silence() -> Any:
    """Nobody is told of a doubt."""

    async def tell(*_: Any) -> int:
        return 0

    @contextmanager
    def both() -> Iterator[None]:
        with (
            patch.object(evidence, "tell_in_doubt", tell),
            patch("smm_rules.daemon.recovery.tell_in_doubt", tell),
            patch.object(executor, "about_outcome", _without_doubts),
        ):
            yield

    return both()


def _without_doubts(speaker: Any, intent: Any, now: Any) -> Any:
    return () if intent.state is IntentState.UNKNOWN else voice.about_outcome(speaker, intent, now)


def _limitless() -> Any:
    """A reorder of a reorder goes on for ever."""

    def verdict(_: Limits, __: int) -> None:
        return None

    return patch.object(chains, "chain_verdict", verdict)


def _spendthrift() -> Any:
    """No guard stops anything."""

    def verdict(*_: Any, **__: Any) -> None:
        return None

    return patch.object(guarding, "judge", verdict)


def _unheld() -> Any:
    """A ledger that was put back from a copy is taken for the one worked on last."""

    @contextmanager
    def all_of_it() -> Iterator[None]:
        with (
            patch.object(holds, "compare", lambda *_: None),
            patch.object(holds, "open_hold", lambda *_: None),
            patch.object(holds, "keeps", lambda *_: False),
        ):
            yield

    return all_of_it()


def _hasty() -> Any:
    """What is in doubt on one panel is tried on another, and nobody waits for an end."""

    def is_certain(intent: Any, outcome: Any) -> bool:
        return outcome.retry_at is None and outcome.state is not IntentState.CONFIRMED

    @contextmanager
    def both() -> Iterator[None]:
        with (
            patch.object(failover, "_is_certain", is_certain),
            patch.object(circumstances, "_earlier", _no_earlier),
        ):
            yield

    return both()


async def _no_earlier(*_: Any) -> tuple[Any, ...]:
    return ()


SABOTAGES: dict[str, Callable[[], Any]] = {
    "unsynced": _unsynced,
    "resend": _resend,
    "amnesia": _amnesia,
    "silence": _silence,
    "limitless": _limitless,
    "spendthrift": _spendthrift,
    "unheld": _unheld,
    "hasty": _hasty,
}


@contextmanager
def sabotaged(name: str) -> Iterator[None]:
    """The block runs on a program broken as `name` says; on a whole one when it is empty."""
    if not name:
        yield
        return
    with SABOTAGES[name]():
        yield
