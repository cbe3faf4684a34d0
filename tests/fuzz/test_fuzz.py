"""The kept corpus is replayed, and each reader meets fresh inputs: mutated ones and those of Hypothesis."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import kept
from tests.fuzz.mutation import PIECES, mutated
from tests.fuzz.targets import TARGETS

CORPUS = [(target, name, data) for target in TARGETS for name, data in kept(target)]


@pytest.mark.parametrize(
    ("target", "data"),
    [(target, data) for target, _, data in CORPUS],
    ids=[f"{target}:{name}" for target, name, _ in CORPUS],
)
def test_a_kept_input_breaks_nothing(target: str, data: bytes) -> None:
    TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_mutated_inputs_break_nothing(target: str) -> None:
    """The same few at each run, so that a failure comes back; `python -m tests.fuzz` tries others."""
    chance = random.Random(target)
    corpus = [data for _, data in kept(target)]
    for _ in range(30):
        data = mutated(chance, corpus)[:2000]
        try:
            TARGETS[target](data)
        except Exception as error:
            raise AssertionError(f"{target} broke on {data!r}") from error


inputs = st.lists(
    st.binary(max_size=20)
    | st.sampled_from(PIECES)
    | st.text(max_size=10).map(lambda text: text.encode("utf-8", "surrogatepass")),
    max_size=20,
).map(b"".join)


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=40, deadline=None)
@given(data=inputs)
def test_any_pieces_break_nothing(target: str, data: bytes) -> None:
    TARGETS[target](data)
