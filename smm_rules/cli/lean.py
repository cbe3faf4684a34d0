"""Libraries without what they bring only for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Within the block these packages can't be imported, as if they weren't installed.

    For libraries that use them where they are there and do without where they aren't.
    """
    missing = object()
    before = {name: sys.modules.get(name, missing) for name in packages}
    sys.modules.update(dict.fromkeys(packages))  # type: ignore[arg-type]  # None is Python's own way to say so
    try:
        yield
    finally:
        for name, module in before.items():
            if module is missing:
                del sys.modules[name]
            else:
                sys.modules[name] = module  # type: ignore[assignment]  # it came from there
