"""Laws of chosen panels: whatever panels answer and the operator does, a firing has one effect at most."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.actions import (
    Patience,
    approve,
    deny,
    failover,
    resolve_did_not,
    resolve_happened,
    tell_in_doubt,
)
from smm_rules.actions.resolve import OPERATOR_SAYS
from smm_rules.engine.guards import NO_GUARDS
from smm_rules.ledger.records import DOUBTED, Intent, IntentState, Outcome
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.matching.equal import EqualServices
from smm_rules.matching.market import Market
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.errors import Ambiguous, NotSent, RateLimited, RefusalReason, Rejected, Unreadable
from tests.actions.panels import EQUAL, MEMBERS, Panels
from tests.actions.world import T0, order

HASTY = Patience(attempts=3, attempts_beside_others=2, waiting=timedelta(hours=1))
#: What a panel may do with an `add`: whether it makes an order, and what it answers.
ANSWERS = {
    "made": (True, None),
    "not reached": (False, NotSent("no route to host")),
    "rate limit": (False, RateLimited("too many requests")),
    "funds": (False, Rejected("not enough funds", RefusalReason.NOT_ENOUGH_FUNDS)),
    "service": (False, Rejected("no such service", RefusalReason.INCORRECT_SERVICE)),
    "duplicate": (False, Rejected("active order with this link", RefusalReason.DUPLICATE_ORDER)),
    "made, no answer": (True, Ambiguous("no answer in time")),
    "not made, no answer": (False, Ambiguous("no answer in time")),
    "made, HTML": (True, Unreadable("HTML")),
}
DEEDS = (
    "run", "later", "much later", "crash", "approve", "deny", "resolve", "retry", "broke", "rich", "gone",
    "back", "dear", "cheap", "canceled", "in progress", "completed", "no mapping", "mapping", "down", "up",
    "fire again",
)  # fmt: skip


#: What the panel in the south may come to offer.
_OFFERS: dict[str, dict[str, object]] = {
    "broke": {"balance": "0"},
    "rich": {"rate": "1.90"},
    "gone": {"gone": True},
    "back": {"rate": "1.90"},
    "dear": {"rate": "9.00"},
    "cheap": {"rate": "0.10"},
}


@dataclass
class Effects:
    """The panels' own journals together: which intents made orders, and how many."""

    made: Counter[int] = field(default_factory=Counter)
    number: int = 9000


class Shop:
    """A panel that answers by a list, and whose journal says what it made for which intent."""

    def __init__(self, answers: list[str], effects: Effects, asking: dict[str, int], name: str) -> None:
        self._answers = answers
        self._effects = effects
        self._asking = asking
        self._name = name

    async def ready(self) -> None:
        return None

    async def add(self, parameters: dict[str, str]) -> str:
        del parameters
        made, error = ANSWERS[self._answers.pop(0) if self._answers else "made"]
        if made:
            self._effects.number += 1
            self._effects.made[self._asking[self._name]] += 1
        if error is not None:
            raise error
        return str(self._effects.number)


class Played:
    """A world of three panels in which deeds are done one after the other."""

    def __init__(self, ledger: SqliteLedger, answers: dict[str, list[str]]) -> None:
        self.world = Panels(ledger)
        self.effects = Effects()
        asking: dict[str, int] = {}
        self.panels = {name: Shop(answers.get(name, []), self.effects, asking, name) for name in MEMBERS}
        self.episodes = 0
        claim = ledger.claim

        async def noted(intent_id: int, *more: object) -> bool:
            intent = await ledger.intent(intent_id)
            assert intent is not None
            asking[intent.panel] = intent_id
            return await claim(intent_id, *more)  # type: ignore[arg-type]

        ledger.claim = noted  # type: ignore[method-assign, assignment]

    async def begin(self, way: str) -> None:
        self.way = way
        await self.world.offer_all(north="2.00", south="1.90", east="2.05")
        await self.world.canceled()
        await self.fire()

    async def fire(self) -> None:
        await self.world.again(self.way, episode=T0 + timedelta(hours=self.episodes))
        self.episodes += 1

    async def run(self) -> None:
        executor = self.world.executor(panels=self.panels, patience=HASTY)  # type: ignore[arg-type]
        await executor.run_due(self.world.clock.now())

    async def in_state(self, state: IntentState) -> list[Intent]:
        return [one for one in await self.world.all_intents() if one.state is state]

    async def do(self, deed: str) -> None:
        world = self.world
        if deed in ("run", "fire again"):
            await (self.run() if deed == "run" else self.fire())
        elif deed in ("later", "much later"):
            world.clock.move(timedelta(minutes=20 if deed == "later" else 300))
            await world.status_again()
        elif deed in ("canceled", "in progress", "completed"):
            await world.status(deed.capitalize())
        elif deed in ("mapping", "no mapping"):
            world.ledger.use_equal_services(EQUAL if deed == "mapping" else EqualServices())
        elif deed in ("down", "up"):
            await world.health("north", reachable=deed == "up")
        elif deed in _OFFERS:
            await world.offer("south", **_OFFERS[deed])  # type: ignore[arg-type]
        else:
            await getattr(self, deed)()

    async def crash(self) -> None:
        """The process dies right after a claim, and the next one puts it in doubt."""
        world, now = self.world, self.world.clock.now()
        for one in (await self.in_state(IntentState.PLANNED))[:1]:
            await world.ledger.claim(one.id, "daemon", now, {})
        await world.ledger.recover(now, "daemon", now)
        await tell_in_doubt(world.ledger, self.voice, now)

    async def approve(self) -> None:
        for one in await self.in_state(IntentState.HELD):
            await approve(self.world.ledger, one.id, self.world.clock.now(), "ann")

    async def deny(self) -> None:
        for one in await self.in_state(IntentState.HELD):
            await deny(self.world.ledger, one.id, self.world.clock.now(), "ann")

    async def resolve(self, *, retry: bool = False) -> None:
        """The operator looks at the panel and says what is so."""
        ledger, now = self.world.ledger, self.world.clock.now()
        for one in await self.in_state(IntentState.UNKNOWN):
            if self.effects.made[one.id]:
                made = str(self.effects.number + one.id * 1000)
                await resolve_happened(ledger, self.voice, one.id, made, now, "ann")
            else:
                await resolve_did_not(ledger, self.voice, one.id, now, "ann", retry=retry)

    async def retry(self) -> None:
        await self.resolve(retry=True)

    @property
    def voice(self) -> OperatorVoice:
        return OperatorVoice(self.world.ledger, "ops")

    async def judge(self) -> None:
        """By the panels' own journals: nothing is doubled; and by the ledger: nothing is lost."""
        intents = await self.world.all_intents()
        by_firing: Counter[int] = Counter()
        for one in intents:
            assert one.firing is not None
            assert self.effects.made[one.id] <= 1
            by_firing[one.firing] += self.effects.made[one.id]
            if self.effects.made[one.id]:
                assert one.state in (IntentState.CONFIRMED, IntentState.UNKNOWN), one
            if one.state is IntentState.CONFIRMED:
                assert self.effects.made[one.id] == 1
        assert all(count <= 1 for count in by_firing.values()), by_firing
        for firing in by_firing:
            ours = [one for one in intents if one.firing == firing]
            chosen = [(one, failover.choice_of(one)) for one in ours]
            panels = [one.panel for one, choice in chosen if choice is not None and choice.chosen]
            assert len(panels) == len(set(panels)), "a panel was tried twice for one firing"
            unended = [one for one in ours if one.state.value in ("planned", "sending", "unknown", "held")]
            assert len(unended) <= 1, "two of one firing may happen"
            if unended:
                assert unended[0] is ours[-1], "it went on while one before may still happen"


async def play(way: str, answers: dict[str, list[str]], deeds: list[str]) -> Played:
    guards = NO_GUARDS.__class__(market=Market(EQUAL))
    async with await SqliteLedger.in_memory(guards) as ledger:
        played = Played(ledger, answers)
        await played.begin(way)
        for deed in deeds:
            await played.do(deed)
            await played.judge()
        for _ in range(30):
            await played.do("run")
            await played.do("much later")
            await played.judge()
        planned = [one for one in await played.world.all_intents() if one.state is IntentState.PLANNED]
        assert planned == [], "it was never given up"
        await _nothing_is_silent(played)
        return played


async def _nothing_is_silent(played: Played) -> None:
    """A firing without an effect has been told of, or waits for the operator."""
    told = await played.world.messages()
    for one in await played.world.all_intents():
        silent = one.state is IntentState.NOT_SENT and one.reason == OPERATOR_SAYS
        if one.state in (IntentState.NOT_SENT, IntentState.UNKNOWN, IntentState.HELD) and not silent:
            assert any(str(one.id) in key.split(":") for key in told), (one, told)


SCRIPT = st.dictionaries(
    st.sampled_from(sorted(MEMBERS)), st.lists(st.sampled_from(sorted(ANSWERS)), max_size=6)
)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(["cheapest", "next"]), SCRIPT, st.lists(st.sampled_from(DEEDS), max_size=14))
def test_a_firing_has_one_effect_at_most_and_none_is_lost(
    way: str, answers: dict[str, list[str]], deeds: list[str]
) -> None:
    asyncio.run(play(way, answers, deeds))


def test_the_law_can_condemn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failover from an action in doubt buys twice, and the law sees it."""

    def certain(intent: Intent, outcome: Outcome) -> bool:
        return not intent.evidence.get(DOUBTED) and outcome.state in (
            IntentState.UNKNOWN,
            IntentState.NOT_SENT,
        )

    monkeypatch.setattr(failover, "_is_certain", certain)
    with pytest.raises(AssertionError, match=r"went on while one before|two of one firing|Counter"):
        asyncio.run(play("cheapest", {"south": ["made, no answer"]}, ["run", "run"]))


def test_a_panel_is_left_as_soon_as_that_is_certain() -> None:
    played = asyncio.run(play("next", {"south": ["not reached"] * 9, "east": ["made"]}, []))

    assert sum(played.effects.made.values()) == 1
    assert order() == order()
