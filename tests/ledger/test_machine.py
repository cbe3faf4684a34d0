"""Whatever is done to intents in whatever order, none is sent twice without a stated licence."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import IntentState, Outcome
from smm_rules.ledger.sqlite import SqliteLedger
from tests.ledger.builders import MINUTE, NOTHING, T0, draft, fired, firing, order, planned

S = IntentState
OUTCOMES = st.sampled_from([S.CONFIRMED, S.REJECTED, S.NOT_SENT, S.UNKNOWN])


class Intents(RuleBasedStateMachine):
    """A model of every intent beside the ledger: its state, and how often it may still be claimed.

    Planning gives one licence to send; only `not_sent` with another attempt, which somebody had to say,
    gives a further one. Of those about one order one is sent at a time. Two ledgers on one file stand for the
    daemon and another command.
    """

    ids = Bundle("ids")

    @initialize()
    def open(self) -> None:
        self.directory = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.ledgers = [self._open(), self._open()]
        self.states: dict[int, IntentState] = {}
        self.licences: dict[int, int] = {}
        self.claims: dict[int, int] = {}
        self.orders: dict[int, int] = {}
        self.now = T0

    def _open(self) -> SqliteLedger:
        return self.runner.run(SqliteLedger.open(self.directory / "ledger.db"))

    def teardown(self) -> None:
        for ledger in self.ledgers:
            self.runner.run(ledger.aclose())
        self.runner.close()
        shutil.rmtree(self.directory)

    def _later(self) -> datetime:
        self.now += MINUTE
        return self.now

    def _change(self, intent: int, start: IntentState, after: IntentState, change: object) -> None:
        """Make a change and hold the model to the same answer."""
        if self.states[intent] is start:
            self.runner.run(change)  # type: ignore[arg-type]  # each caller hands a coroutine
            self.states[intent] = after
        else:
            with pytest.raises(StateConflict):
                self.runner.run(change)  # type: ignore[arg-type]

    @rule(target=ids, number=st.integers(0, 3), day=st.integers(0, 1), which=st.integers(0, 1))
    def plan(self, number: int, day: int, which: int) -> int:
        what = firing(order(number), episode=T0 + timedelta(days=day))
        recorded = self.runner.run(self.ledgers[which].record(fired(planned(what, draft()))))
        for new in recorded.intents:
            assert new not in self.states
            self.states[new], self.licences[new], self.claims[new] = S.PLANNED, 1, 0
            self.orders[new] = number
        # A firing planned before is not planned again, and its intent is found among those there are.
        return next(iter(recorded.intents), min(self.states))

    @rule(intent=ids, which=st.integers(0, 1), owner=st.sampled_from(["d1", "d2"]))
    def claim(self, intent: int, which: int, owner: str) -> None:
        claimed = self.runner.run(self.ledgers[which].claim(intent, owner, self._later(), {}))
        assert claimed is (self.states[intent] is S.PLANNED and self.orders[intent] not in self._being_sent())
        if claimed:
            self.states[intent] = S.SENDING
            self.claims[intent] += 1

    def _being_sent(self) -> list[int]:
        """The orders that an intent being sent is about."""
        return [self.orders[intent] for intent, state in self.states.items() if state is S.SENDING]

    @rule(intent=ids, state=OUTCOMES, again=st.booleans(), which=st.integers(0, 1))
    def settle(self, intent: int, state: IntentState, again: bool, which: int) -> None:
        outcome, after = self._outcome(state, again)
        licensed = self.states[intent] is S.SENDING and after is S.PLANNED
        change = self.ledgers[which].settle(intent, outcome, NOTHING, self._later(), "d1")
        self._change(intent, S.SENDING, after, change)
        self.licences[intent] += licensed

    @rule(intent=ids, state=st.sampled_from([S.CONFIRMED, S.NOT_SENT]), again=st.booleans())
    def resolve(self, intent: int, state: IntentState, again: bool) -> None:
        outcome, after = self._outcome(state, again)
        licensed = self.states[intent] is S.UNKNOWN and after is S.PLANNED
        change = self.ledgers[1].resolve(intent, outcome, NOTHING, self._later(), "ann")
        self._change(intent, S.UNKNOWN, after, change)
        self.licences[intent] += licensed

    def _outcome(self, state: IntentState, again: bool) -> tuple[Outcome, IntentState]:
        if state is S.NOT_SENT and again:
            return Outcome(state, "again", retry_at=self.now), S.PLANNED
        return Outcome(state, "so"), state

    @rule(intent=ids)
    def refuse(self, intent: int) -> None:
        change = self.ledgers[0].refuse(intent, Outcome(S.NOT_SENT, "price"), NOTHING, self._later())
        self._change(intent, S.PLANNED, S.NOT_SENT, change)

    @rule(intent=ids)
    def hold(self, intent: int) -> None:
        self._change(intent, S.PLANNED, S.HELD, self.ledgers[0].hold(intent, "approval", "", self._later()))

    @rule(intent=ids)
    def approve(self, intent: int) -> None:
        self._change(intent, S.HELD, S.PLANNED, self.ledgers[1].approve(intent, self._later(), "ann"))

    @rule(intent=ids)
    def deny(self, intent: int) -> None:
        self._change(intent, S.HELD, S.DENIED, self.ledgers[1].deny(intent, self._later(), "ann"))

    @rule()
    def restart(self) -> None:
        self.runner.run(self.ledgers[0].aclose())
        self.ledgers[0] = self._open()
        now = self._later()
        found = self.runner.run(self.ledgers[0].recover(now, "d1", now))
        sending = {intent for intent, state in self.states.items() if state is S.SENDING}
        assert {intent.id for intent in found} == sending
        for intent_id in sending:
            self.states[intent_id] = S.UNKNOWN

    @invariant()
    def no_intent_is_sent_more_often_than_was_said(self) -> None:
        stored = self.runner.run(self.ledgers[1].intents([], 1000))
        assert {intent.id: intent.state for intent in stored} == self.states
        assert {intent.id: intent.attempts for intent in stored} == self.claims
        assert [intent for intent, count in self.claims.items() if count > self.licences[intent]] == []


TestIntents = Intents.TestCase
TestIntents.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
