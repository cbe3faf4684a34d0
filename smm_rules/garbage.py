"""Python's garbage collector, told when there is nothing for it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
