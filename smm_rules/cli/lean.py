"""Libraries without what they bring only for a terminal, or for work that nobody gives them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

#: What APScheduler and watchfiles take from these modules when they are imported, for pools and programs of
#: processes that are never begun here, and the standard library for packages that lie in archives.
_NAMES = {
    "multiprocessing": "get_context",
    "multiprocessing.context": "SpawnProcess",
    "concurrent.futures.process": "BrokenProcessPool",
    "zipfile": "Path",
}


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Within the block these packages can't be imported, as if they weren't installed.

    For libraries that use them where they are there and do without where they aren't.
    """
    with _replaced(dict.fromkeys(packages)):  # None is Python's own way to say so
        yield


@contextmanager
def hollow() -> Iterator[None]:
    """Within the block modules that start processes or read archives have a stand-in, whose names exist and
    can't be used.

    For libraries that insist on them when they are imported; afterwards everybody gets the real ones.
    """
    stand_ins: dict[str, ModuleType | None] = {}
    for name, used in _NAMES.items():
        stand_ins[name] = ModuleType(name, "Nothing that is used.")
        setattr(stand_ins[name], used, type(used, (Exception,), {}))
    with _replaced(stand_ins):
        yield


@contextmanager
def _replaced(modules: Mapping[str, ModuleType | None]) -> Iterator[None]:
    missing = object()
    before = {name: sys.modules.get(name, missing) for name in modules}
    sys.modules.update(modules)  # type: ignore[arg-type]  # None stands for what isn't installed
    try:
        yield
    finally:
        for name, module in before.items():
            if module is missing:
                del sys.modules[name]
            else:
                sys.modules[name] = module  # type: ignore[assignment]  # it came from there
