"""The collector is off while things are loaded, and what was made is not looked through afterwards."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from smm_rules.garbage import look_seldom, nothing_is_garbage


@pytest.fixture(autouse=True)
def _collector_as_before() -> Iterator[None]:
    enabled, thresholds = gc.isenabled(), gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    (gc.enable if enabled else gc.disable)()


def test_the_collector_is_off_within_the_block_alone() -> None:
    gc.enable()
    with nothing_is_garbage():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_turns_it_on_again() -> None:
    gc.enable()
    with pytest.raises(ValueError, match="broken"), nothing_is_garbage():
        raise ValueError("broken")
    assert gc.isenabled()


def test_a_block_within_a_block_leaves_it_off() -> None:
    gc.enable()
    with nothing_is_garbage():
        with nothing_is_garbage():
            pass
        assert not gc.isenabled()


def test_where_it_is_off_it_stays_off() -> None:
    gc.disable()
    with nothing_is_garbage():
        pass
    assert not gc.isenabled()


def test_what_was_made_is_not_new_afterwards() -> None:
    gc.enable()
    with nothing_is_garbage():
        made = [[number] for number in range(10_000)]
    young = {id(thing) for generation in (0, 1) for thing in gc.get_objects(generation)}
    assert young.isdisjoint(map(id, made))


class _Circle:
    """Something that only the collector can tell is garbage."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_made_is_still_collected_when_it_is_garbage() -> None:
    gc.enable()
    with nothing_is_garbage():
        circle = _Circle()
    seen = weakref.ref(circle)
    del circle
    gc.collect()
    assert seen() is None


def test_what_is_looked_through_seldom_is_looked_through_as_often_once_it_is_older() -> None:
    gc.set_threshold(700, 11, 12)
    look_seldom()
    assert gc.get_threshold() == (10_000, 11, 12)
