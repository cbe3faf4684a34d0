"""What conditions mean: compiled ones agree with a plain three-valued evaluator written here.

A generated part is its text together with a function that works it out in the plainest way, None standing
for unknown. Nothing of the evaluator under test is used.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.document.problem import Position
from smm_rules.facts import UNKNOWN, EntityKind, Value
from smm_rules.rules.condition.kleene import truth
from smm_rules.rules.expression import CompiledCondition, Trace, compile_condition

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AT = Position(Path("rules.yaml"), 1, 1)
Facts = dict[str, Value]


@dataclass(frozen=True)
class Part:
    """A piece of a condition; `binds` is how tightly its outermost operator does."""

    text: str
    binds: int
    value: Callable[[Facts], Any]

    def within(self, binding: int) -> str:
        return self.text if self.binds >= binding else f"({self.text})"


OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, ATOM = range(1, 9)


def known(facts: Facts, name: str) -> Any:
    value = facts.get(name, UNKNOWN)
    return None if value is UNKNOWN else value


def fact(name: str) -> Part:
    return Part(name, ATOM, lambda facts: known(facts, name))


def running(name: str, since: str) -> Part:
    def value(facts: Facts) -> Any:
        began = known(facts, since)
        return None if began is None else NOW - began

    return Part(name, ATOM, value)


def literal(text: str, value: Any) -> Part:
    return Part(text, ATOM, lambda facts: value)


def strict(work: Callable[..., Any], *parts: Part) -> Callable[[Facts], Any]:
    """Unknown when any part is, or when it can't be worked out."""

    def value(facts: Facts) -> Any:
        values = [part.value(facts) for part in parts]
        if any(each is None for each in values):
            return None
        with localcontext(Context(prec=28, traps=[])):
            try:
                result = work(*values)
            except ArithmeticError:
                return None
        return None if isinstance(result, Decimal) and not result.is_finite() else result

    return value


def exactly_divided(left: Any, right: Any) -> Decimal:
    return Decimal(left) / Decimal(right)


WORK = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": exactly_divided}


def binary(sign: str, left: Part, right: Part, work: Callable[..., Any] | None = None) -> Part:
    binds = SUM if sign in "+-" else PRODUCT
    text = f"{left.within(binds)} {sign} {right.within(binds + 1)}"
    return Part(text, binds, strict(work or WORK[sign], left, right))


def call(name: str, work: Callable[..., Any], *parts: Part) -> Part:
    return Part(f"{name}({', '.join(part.text for part in parts)})", ATOM, strict(work, *parts))


def half_up(number: Any) -> Any:
    return Decimal(number).quantize(Decimal(1), ROUND_HALF_UP)


def scaled(duration: timedelta, number: Any) -> timedelta:
    microseconds = Decimal(duration // timedelta(microseconds=1)) * number
    return timedelta(microseconds=int(microseconds.to_integral_value()))


NUMBERS = st.deferred(
    lambda: (
        st.sampled_from([fact("remains"), fact("quantity"), fact("order.start_count"), fact("service.min")])
        | st.integers(0, 50).map(lambda number: literal(str(number), number))
        | st.decimals(0, 9, places=2).map(lambda number: literal(f"{number:f}", number))
        | st.integers(0, 200).map(lambda number: literal(f"{number}%", Decimal(number) / 100))
        | st.builds(binary, st.sampled_from("+-*/"), NUMBERS, NUMBERS)
        | st.builds(lambda a: Part(f"-{a.within(SIGN)}", SIGN, strict(operator.neg, a)), NUMBERS)
        | st.builds(lambda a: call("abs", abs, a), NUMBERS)
        | st.builds(lambda a: call("round", half_up, a), NUMBERS)
        | st.builds(lambda a, b: call("min", min, a, b), NUMBERS, NUMBERS)
        | st.builds(lambda a, b, c: call("max", max, a, b, c), NUMBERS, NUMBERS, NUMBERS)
        | st.builds(lambda a, b: binary("/", a, b, operator.truediv), MONEY, MONEY)
    )
)
MONEY = st.deferred(
    lambda: (
        st.sampled_from([fact("charge"), fact("balance.amount")])
        | st.builds(lambda a, b: binary("*", a, b), MONEY, NUMBERS)
        | st.builds(lambda sign, a, b: binary(sign, a, b), st.sampled_from("+-"), MONEY, MONEY)
    )
)
DURATIONS = st.deferred(
    lambda: (
        st.sampled_from([running("age", "placed_at"), running("order.unchanged", "changed_at")])
        | st.sampled_from([literal("3d", timedelta(days=3)), literal("1h30m", timedelta(minutes=90))])
        | st.builds(binary, st.sampled_from("+-"), DURATIONS, DURATIONS)
        | st.builds(lambda a, b: binary("-", a, b), TIMES, TIMES)
        | st.builds(lambda a, b: binary("*", a, b, scaled), DURATIONS, NUMBERS)
    )
)
TIMES = st.deferred(
    lambda: (
        st.sampled_from([fact("placed_at"), fact("changed_at")])
        | st.builds(binary, st.sampled_from("+-"), TIMES, DURATIONS)
    )
)
WORDS = ("", "a", "ab", "A b", "é\"'\\")


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


TEXTS = st.deferred(
    lambda: (
        st.sampled_from([fact("label"), fact("service.name")])
        | st.builds(lambda a: call("lower", str.lower, a), st.sampled_from([fact("label"), fact("status")]))
    )
)
TEXT_LITERALS = st.sampled_from([literal(quoted(word), word) for word in WORDS if word == word.lower()])


COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def kleene_and(values: list[Any]) -> Any:
    if any(value is False for value in values):
        return False
    return None if any(value is None for value in values) else True


def kleene_or(values: list[Any]) -> Any:
    if any(value is True for value in values):
        return True
    return None if any(value is None for value in values) else False


def compared(signs: list[str], parts: list[Part]) -> Part:
    signs = signs[: len(parts) - 1]
    text = parts[0].within(SUM) + "".join(
        f" {sign} {part.within(SUM)}" for sign, part in zip(signs, parts[1:], strict=True)
    )
    pairs = [strict(COMPARISONS[sign], a, b) for sign, a, b in zip(signs, parts, parts[1:], strict=False)]
    return Part(text, COMPARE, lambda facts: kleene_and([pair(facts) for pair in pairs]))


def member(left: Part, items: list[Part], negative: bool, brackets: str) -> Part:
    word = "not in" if negative else "in"
    listed = ", ".join(item.text for item in items)
    text = f"{left.within(SUM)} {word} {brackets[0]}{listed}{brackets[1]}"
    return Part(text, COMPARE, strict(lambda a, *of: (a in of) is not negative, left, *items))


def in_dollars(sign: str, amount: int) -> Part:
    def value(facts: Facts) -> Any:
        currency, charge = known(facts, "currency"), known(facts, "charge")
        if charge is None or currency != "USD":
            return None
        return COMPARISONS[sign](charge, amount)

    return Part(f"charge {sign} {amount} USD", COMPARE, value)


def is_known(name: str) -> Part:
    return Part(f"known({name})", ATOM, lambda facts: known(facts, name) is not None)


def joined(word: str, parts: list[Part]) -> Part:
    binds, decide = (AND, kleene_and) if word == "and" else (OR, kleene_or)
    text = f" {word} ".join(part.within(binds + 1) for part in parts)
    return Part(text, binds, lambda facts: decide([part.value(facts) for part in parts]))


def inverted(part: Part) -> Part:
    def value(facts: Facts) -> Any:
        inner = part.value(facts)
        return None if inner is None else not inner

    return Part(f"not {part.within(NOT)}", NOT, value)


SIGNS = st.lists(st.sampled_from(list(COMPARISONS)), min_size=2, max_size=2)
EQUALITY = st.lists(st.sampled_from(["==", "!="]), min_size=2, max_size=2)
STATUSES = st.sampled_from([literal('"partial"', "Partial"), literal('"Cancelled"', "Canceled")])
STATUS = st.just(fact("status"))
BRACKETS = st.sampled_from(["()", "[]"])
SMALL = st.integers(0, 9).map(lambda number: literal(str(number), number))


def some(parts: st.SearchStrategy[Part], least: int = 2, most: int = 3) -> st.SearchStrategy[list[Part]]:
    return st.lists(parts, min_size=least, max_size=most)


LEAVES = (
    st.sampled_from(
        [fact("status_known"), fact("service.refill"), literal("true", True), literal("False", False)]
    )
    | st.sampled_from([is_known("start_count"), is_known("placed_at"), is_known("service.refill")])
    | st.builds(compared, SIGNS, some(NUMBERS))
    | st.builds(compared, SIGNS, some(MONEY))
    | st.builds(compared, SIGNS, some(DURATIONS))
    | st.builds(compared, SIGNS, some(TIMES))
    | st.builds(compared, EQUALITY, st.tuples(TEXTS, TEXT_LITERALS).map(list))
    | st.builds(compared, EQUALITY, st.tuples(STATUS, STATUSES).map(list))
    | st.builds(compared, EQUALITY, some(st.sampled_from([fact("status_known"), fact("service.refill")])))
    | st.builds(member, STATUS, some(STATUSES, 1), st.booleans(), BRACKETS)
    | st.builds(member, NUMBERS, some(SMALL, 1, 6), st.booleans(), BRACKETS)
    | st.builds(member, TEXTS, some(TEXT_LITERALS, 1, 6), st.booleans(), BRACKETS)
    | st.builds(lambda a, b: call("contains", operator.contains, a, b), TEXTS, TEXT_LITERALS)
    | st.builds(lambda a, b: call("starts_with", str.startswith, a, b), TEXTS, TEXTS)
    | st.builds(lambda a, b: call("ends_with", str.endswith, a, b), TEXTS, TEXT_LITERALS)
    | st.builds(in_dollars, st.sampled_from(list(COMPARISONS)), st.integers(0, 3))
)


def within_bounds(part: Part) -> bool:
    """Deeper conditions are refused, which is tested elsewhere."""
    depths = itertools.accumulate((character in "([") - (character in ")]") for character in part.text)
    return max(depths, default=0) < 12


CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(joined, st.sampled_from(["and", "or"]), some(inner, 2, 4)) | st.builds(inverted, inner)
    ),
    max_leaves=8,
).filter(within_bounds)

MOMENTS = st.integers(0, 10_000).map(lambda minutes: NOW - timedelta(minutes=minutes))
FACT_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "remains": st.integers(-5, 50),
    "quantity": st.integers(0, 50),
    "start_count": st.integers(0, 50),
    "service.min": st.integers(0, 50),
    "charge": st.decimals(0, 9, places=3),
    "balance.amount": st.decimals(0, 9, places=3),
    "currency": st.sampled_from(["USD", "EUR"]),
    "placed_at": MOMENTS,
    "changed_at": MOMENTS,
    "label": st.sampled_from(WORDS),
    "service.name": st.sampled_from(WORDS),
    "status": st.sampled_from(["Partial", "Canceled", "Completed", "Awaiting"]),
    "status_known": st.booleans(),
    "service.refill": st.booleans(),
}


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Facts of which some are unknown, and a few missing altogether."""
    chosen: Facts = {}
    for name, values in FACT_VALUES.items():
        state = draw(st.sampled_from(["known"] * 5 + ["unknown", "unknown", "missing"]))
        if state != "missing":
            chosen[name] = draw(values) if state == "known" else UNKNOWN
    return chosen


def aliased(values: Facts) -> Facts:
    """The reference reads `order.start_count` under the name it is written by."""
    own = {"order.start_count": "start_count"}
    return values | {alias: values[name] for alias, name in own.items() if name in values}


def compiled(source: str) -> CompiledCondition:
    return compile_condition(source, EntityKind.ORDER, AT)


@given(CONDITIONS, st.lists(facts(), min_size=1, max_size=3))
@settings(max_examples=300, deadline=None)
def test_a_compiled_condition_equals_the_plain_evaluator(condition: Part, several: list[Facts]) -> None:
    checked = compiled(condition.text)
    for values in several:
        assert checked.holds(values, NOW) is condition.value(aliased(values))
        assert checked.holds(values, NOW) is truth(checked.node, values, NOW)


def truths(trace: Trace) -> list[bool | None]:
    return [trace.truth, *(truth for part in trace.parts for truth in truths(part))]


@given(CONDITIONS, facts())
@settings(max_examples=100, deadline=None)
def test_clauses_and_traces_agree_with_the_whole(condition: Part, values: Facts) -> None:
    checked = compiled(condition.text)
    whole = checked.holds(values, NOW)
    clauses = [clause.holds(values, NOW) for clause in checked.clauses]
    assert kleene_and(clauses) is whole
    trace = checked.trace(values, NOW)
    assert trace.truth is whole
    assert [clause.trace(values, NOW).truth for clause in checked.clauses] == clauses
    assert set(trace.facts) == checked.names
    if whole is None:
        assert None in truths(trace)


@given(CONDITIONS)
@settings(max_examples=100, deadline=None)
def test_layout_does_not_change_the_canonical_text(condition: Part) -> None:
    spread = f"( {condition.text} )".replace(" and ", "\n  and ").replace(", ", " , ")
    assert compiled(spread).canonical == compiled(condition.text).canonical
