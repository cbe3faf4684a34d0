"""Judges a simulated world by the panel's own journal: after every death and at the end."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import apsw

from smm_rules.simulator import Kind
from tests.proof.household import EVER_HELD
from tests.proof.panel import Effect

if TYPE_CHECKING:
    from tests.proof.world import World

#: States in which an effect is accounted for.
ACCOUNTED = frozenset({"sending", "unknown", "confirmed"})
#: The loosest limits any edition of the rules ever had.
PER_ORDER = {"refill-partial": 3, "reorder-canceled": 1, "cancel-stuck": 1}
PER_CHAIN = {"reorder-canceled": 2}
EVERY = {"refill-partial": 24 * 3600}
#: Panels round what they charge.
_ROUNDING = Decimal("0.0001")
#: What the operator approved, and what he asked to be tried again.
_LET_GO = """
  SELECT DISTINCT intent FROM transitions
  WHERE id > ? AND after = 'planned' AND by = 'operator'
"""
_FINAL = frozenset({"confirmed", "rejected", "not_sent", "denied"})


@dataclass(frozen=True)
class Row:
    """An intent as the ledger's file has it."""

    id: int
    rule: str
    entity: str
    kind: str
    state: str
    reserved: Decimal | None
    result: str
    evidence: dict[str, str]
    claimed_at: int | None
    episode: int

    @property
    def order(self) -> str:
        return self.entity.rpartition("/")[2]

    @property
    def set_aside(self) -> Decimal:
        """The money that is not to be spent on anything else while the outcome is open."""
        return max(self.reserved or Decimal(0), Decimal(self.evidence.get("cost") or 0))


@dataclass
class Judge:
    """Holds what it finds against the world."""

    world: World
    #: Intents and firings ever read from the ledger: pruning forgets, the judge doesn't.
    rows: dict[int, Row] = field(default_factory=dict)
    firings: dict[int, tuple[str, str, int]] = field(default_factory=dict)
    doubted: set[int] = field(default_factory=set)
    approved: set[int] = field(default_factory=set)
    figures: Counter[str] = field(default_factory=Counter)
    #: What was done by runs that a restore has made the ledger forget: the intent as it was, by the effect.
    lost: dict[int, Row] = field(default_factory=dict)
    #: When a ledger was put back that had forgotten something, and since when rules may act again; None while
    #: they may not. Then what the operator let go since.
    restored_at: float | None = None
    act_since: datetime | None = None
    let_go: set[int] = field(default_factory=set)
    _decided_before: int = 0

    def after_death(self, power: bool) -> None:
        """A process has just died: every paid effect so far must be accounted for in its file."""
        if not self.world.ledger_path.exists():
            return
        try:
            with _opened(self.world) as connection:
                if power:
                    self._check_file(connection)
                self._read(connection)
        except apsw.Error as error:
            self.world.fail(f"the ledger is damaged: {error}")
        self._effects()

    def archive(self) -> None:
        """Read what there is before the housekeeping may drop it."""
        with _opened(self.world) as connection:
            self._read(connection)
        self._effects()

    def finally_(self) -> None:
        """The end: nothing may be open but what waits for the operator's word."""
        with _opened(self.world) as connection:
            self._check_file(connection)
            self._read(connection)
            messages = connection.execute(
                "SELECT dedup_key, state, channel, kind, sent_as FROM outbox"
            ).fetchall()
        self._effects()
        self._limits()
        self._ever_held()
        self._messages(messages)
        effects = {effect.intent for effect in self.world.panel.effects}
        for row in self.rows.values():
            if row.state in ("planned", "sending") and not self.world.wrong:
                self.world.fail(f"intent {row.id} never came to an end: {row}")
            if row.state == "confirmed" and row.id not in effects:
                self.world.fail(f"intent {row.id} is confirmed and the panel did nothing: {row}")
        self.figures["intents"] = len(self.rows)
        self.figures["paid effects"] = len(self.world.panel.effects)
        self.figures["doubts"] = len(self.doubted)
        for row in self.rows.values():
            self.figures[f"{row.kind} {row.state}"] += 1

    # -- restores ---------------------------------------------------------------------------------------
    def before_restore(self) -> None:
        """Judge the run that is about to be forgotten, for the last time."""
        self.archive()

    def after_restore(self, *, older_than_confirmed: bool) -> None:
        """What the panel did and the ledger has forgotten is lost on purpose: it may not be done again.

        A copy since which nothing was done may be worked on as if it had never been put back.
        `older_than_confirmed` says that it was made before the last hold was confirmed.
        """
        lost_before = len(self.lost)
        known, self.rows, self.firings, self.doubted, self.approved = self.rows, {}, {}, set(), set()
        with _opened(self.world) as connection:
            self._check_file(connection)
            self._read(connection)
            decided = connection.execute("SELECT coalesce(max(id), 0) FROM transitions").get
        for number, effect in enumerate(self.world.panel.effects):
            row = self.rows.get(effect.intent)
            if number not in self.lost and (row is None or row.state not in ACCOUNTED):
                self.lost[number] = known[effect.intent]
                self.figures["effects forgotten by a restore"] += 1
        if len(self.lost) > lost_before or (self.lost and older_than_confirmed):
            self.restored_at, self.act_since = self.world.timeline.seconds, None
            self.let_go, self._decided_before = set(), decided
        self.world.received.clear()  # what it never said it may say anew

    def hold_confirmed(self, act_since: datetime) -> None:
        """Rules may act again on what begins from now on."""
        self.act_since = act_since

    def was_lost(self, intent: int, rule: str, order: str) -> bool:
        """Whether a forgotten run did it: that very intent, or what the rule asks for about that order."""
        done = [(self.world.panel.effects[number].intent, row) for number, row in self.lost.items()]
        return any(known == intent or (row.rule, row.order) == (rule, order) for known, row in done)

    def _hold(self, effect: Effect, row: Row) -> None:
        """After a restore only what the operator approved may act, and what began after the hold was over."""
        if self.restored_at is None or effect.at <= self.restored_at or row.id in self.let_go:
            return
        since = None if self.act_since is None else round(self.act_since.timestamp() * 1_000_000)
        if since is None or row.episode < since:
            self.world.fail(f"FORGOTTEN: intent {row.id} acted on what began before the restore: {row}")

    # -- inside -----------------------------------------------------------------------------------------
    def _check_file(self, connection: apsw.Connection) -> None:
        found = connection.execute("PRAGMA quick_check").fetchall()
        if found != [("ok",)]:
            self.world.fail(f"the ledger is damaged: {found[:3]}")

    def _read(self, connection: apsw.Connection) -> None:
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'intents'").fetchall():
            return  # the power went while the very first schema was being written
        columns = "id, rule, entity, kind, state, reserved, result, evidence, claimed_at, episode"
        read: list[tuple[Any, ...]] = connection.execute(f"SELECT {columns} FROM intents").fetchall()
        for number, rule, entity, kind, state, reserved, result, evidence, claimed_at, episode in read:
            money = None if reserved is None else Decimal(reserved)
            texts = {name: str(text) for name, text in json.loads(evidence).items()}
            self.rows[number] = Row(
                number, rule, entity, kind, state, money, result, texts, claimed_at, episode
            )
        present = {row[0] for row in read}
        for number in [number for number, row in self.rows.items() if number not in present]:
            if self.rows[number].state not in _FINAL:
                self.world.fail(f"intent {number} is gone: {self.rows[number]}")
        for number, rule, entity, at in connection.execute("SELECT id, rule, entity, at FROM firings"):
            self.firings[number] = (rule, entity, at)
        doubted = connection.execute("SELECT DISTINCT intent FROM transitions WHERE after = 'unknown'")
        self.doubted |= {number for (number,) in doubted}
        approved = connection.execute("SELECT DISTINCT intent FROM transitions WHERE reason = 'approved'")
        self.approved |= {number for (number,) in approved}
        let_go = connection.execute(_LET_GO, (self._decided_before,))
        self.let_go |= {number for (number,) in let_go}

    def _effects(self) -> None:
        """At most one effect of each intent, and each effect known to the ledger, with money set aside."""
        seen: dict[int, Effect] = {}
        for number, effect in enumerate(self.world.panel.effects):
            entry = effect.entry
            told = f"{entry.kind} {entry.order} {entry.refill} by request {entry.request}"
            if effect.intent in seen:
                self.world.fail(f"DOUBLED: intent {effect.intent}: {told}")
            seen[effect.intent] = effect
            if number in self.lost:
                continue
            row = self.rows.get(effect.intent)
            if row is None or row.state not in ACCOUNTED:
                self.world.fail(f"LOST: intent {effect.intent} made {told}, and the ledger says {row}")
            elif row.state == "confirmed":
                made = entry.refill or (entry.order if entry.kind == Kind.ORDER_MADE else "")
                if made and row.result != made:
                    self.world.fail(f"intent {row.id} made {made} and claims {row.result}")
            elif row.set_aside + _ROUNDING < effect.possible:
                self.world.fail(
                    f"intent {row.id} may have cost {effect.possible}, set aside are {row.set_aside}"
                )
            elif (row.reserved or Decimal(0)) + _ROUNDING < effect.possible:
                self.figures["reserved less than its cost at the claim"] += 1
            if row is not None:
                self._hold(effect, row)

    def _kept(self) -> Iterator[Effect]:
        """The effects that the ledger hasn't forgotten by a restore: its limits can count no others."""
        return (effect for number, effect in enumerate(self.world.panel.effects) if number not in self.lost)

    def _limits(self) -> None:
        """By effects for how often, by firings for how soon after each other."""
        parents: dict[str, str] = {}
        for effect in self._kept():
            if effect.entry.kind == Kind.ORDER_MADE and effect.intent in self.rows:
                parents[effect.entry.order] = self.rows[effect.intent].order

        def root(order: str) -> str:
            while order in parents:
                order = parents[order]
            return order

        by_order: Counter[tuple[str, str]] = Counter()
        by_chain: Counter[tuple[str, str]] = Counter()
        for effect in self._kept():
            row = self.rows.get(effect.intent)
            if row is not None:
                by_order[row.rule, row.order] += 1
                by_chain[row.rule, root(row.order)] += 1
        for (rule, order), count in by_order.items():
            if count > PER_ORDER.get(rule, 0):
                self.world.fail(f"rule {rule} had {count} effects for order {order}")
        for (rule, order), count in by_chain.items():
            if count > PER_CHAIN.get(rule, count):
                self.world.fail(f"rule {rule} had {count} effects over the chain of order {order}")
        self._every()
        self._by_link()
        self._spending()

    def _every(self) -> None:
        instants: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for rule, entity, at in self.firings.values():
            instants[rule, entity].append(at)
        for (rule, entity), times in instants.items():
            times.sort()
            for earlier, later in pairwise(times):
                if later - earlier < EVERY.get(rule, 0) * 1_000_000:
                    apart = (later - earlier) / 1e6
                    self.world.fail(f"rule {rule} fired for {entity} twice within {apart} s")

    def _spending(self) -> None:
        """What left the account in a day of the daemon's clock, but for what the operator approved."""
        spent: defaultdict[int, Decimal] = defaultdict(Decimal)
        for effect in self._kept():
            row = self.rows.get(effect.intent)
            if row is not None and row.claimed_at is not None and row.id not in self.approved:
                spent[row.claimed_at // 86_400_000_000] += effect.possible
        for day, amount in spent.items():
            if amount > self.world.spend_a_day + _ROUNDING * 100:
                self.world.fail(f"{amount} were spent on day {day}, {self.world.spend_a_day} are allowed")
        self.figures["days at the edge of the allowed spending"] += sum(
            amount > self.world.spend_a_day * Decimal("0.8") for amount in spent.values()
        )

    def _by_link(self) -> None:
        """The same count with no knowledge of which request was whose: each chain has its own link."""
        allowed: Counter[str] = Counter()
        for row in (*self.rows.values(), *self.lost.values()):
            if row.kind == "reorder" and row.state in ACCOUNTED:
                allowed[json.loads(row.evidence["sent"])["link"]] += 1
        made = Counter(
            effect.entry.parameters["link"]
            for effect in self.world.panel.effects
            if effect.entry.kind == Kind.ORDER_MADE
        )
        for link, count in made.items():
            if count > allowed[link]:
                self.world.fail(f"{count} orders were made for {link}, the ledger knows of {allowed[link]}")

    def _ever_held(self) -> None:
        for effect in self._kept():
            row = self.rows.get(effect.intent)
            if row is None:
                continue
            told = self.world.panel.told[row.order]
            if not any(EVER_HELD[row.rule](status, remains) for status, remains in told):
                self.world.fail(f"rule {row.rule} acted on order {row.order}, of which was told only {told}")

    def _messages(self, messages: list[tuple[Any, ...]]) -> None:
        world = self.world
        for key, state, channel, kind, sent_as in messages:
            self.figures[f"messages {state}"] += 1
            # Of several that went out as one it is the one that arrives.
            if state == "delivered" and kind != "log" and not world.arrivals[sent_as or key]:
                world.fail(f"the message {key} counts as delivered to {channel} and never arrived")
            if state == "pending" and not world.wrong:
                world.fail(f"the message {key} was never delivered")
        dead = {key for key, state, *_ in messages if state == "dead"}
        for number in self.doubted:
            key = f"operator:unknown:{number}"
            if key not in world.arrivals and key not in dead:
                world.fail(f"nobody was told that intent {number} is in doubt")


class _opened:
    """The ledger's copy, opened by the judge on a plain file system."""

    def __init__(self, world: World) -> None:
        self._path = world.copy_of_ledger()

    def __enter__(self) -> apsw.Connection:
        self._connection = apsw.Connection(str(self._path), vfs="unix")
        self._connection.pragma("synchronous", "off")
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()
