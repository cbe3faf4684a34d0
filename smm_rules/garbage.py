"""Python's garbage collector, told when there is nothing for it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: By so many objects more than were let go Python looks for cycles: no sweep of looks has as many at once.
_MANY = 10_000


def look_seldom() -> None:
    """Look for garbage after 10,000 objects instead of 700: for a process that works through many things.

    What a sweep finds is held until it is recorded, and is gone then without the collector. Looking through
    it in between took a tenth of the time.
    """
    gc.set_threshold(_MANY, *gc.get_threshold()[1:])


@contextmanager
def nothing_is_garbage() -> Iterator[None]:
    """Nothing made within the block is looked through for garbage: for loading, whose results mostly stay.

    The collector looks for cycles each time so many objects more are there, and finds none while modules
    and rules are loaded; that took up to a quarter of the time. It is off for every thread meanwhile.
    Blocks may stand within each other; where the collector is off already, it stays off.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        # Together they make everything old, and look at nothing. Otherwise all that was made would count as
        # new, and the next object would have the whole of it looked through after all.
        gc.freeze()
        gc.unfreeze()
        gc.enable()
