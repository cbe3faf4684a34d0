"""The tests run over mutants: a fork for each, the likeliest test first, until one notices."""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import signal
import sys
import threading
import time
import types
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.proof.mutation.mutants import Mutant, function_named, mutants_of

#: So many functions are tried unchanged first.
CONTROLS = 25
#: A test that runs so much longer on a mutant than without it is taken for endless, and so for one that
#: notices; in seconds, and in times of what it took while it was mapped.
_PATIENCE, _TIMES = 20.0, 5.0

Line = tuple[str, int]


class Fate(StrEnum):
    """What became of a mutant."""

    NOTICED = "noticed"
    #: Noticed, for a test never came to its end: a loaded machine may make that of a survivor.
    ENDLESS = "endless"
    SURVIVED = "survived"
    #: No test passes over the line.
    UNREACHED = "unreached"
    #: The changed function can't take the place of the old one.
    IMPOSSIBLE = "not possible"


@dataclass
class Score:
    """What became of the mutants."""

    fates: defaultdict[Fate, list[str]] = field(default_factory=lambda: defaultdict(list))
    not_tried: int = 0
    controls_failed: list[str] = field(default_factory=list)
    by_module: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def note(self, mutant: Mutant, fate: Fate) -> None:
        self.fates[fate].append(str(mutant))
        self.by_module[mutant.module.removeprefix("smm_rules.")][fate] += 1

    @property
    def noticed(self) -> int:
        return len(self.fates[Fate.NOTICED]) + len(self.fates[Fate.ENDLESS])

    @property
    def share(self) -> float:
        """Of those that tests pass over, how many were noticed."""
        tried = self.noticed + len(self.fates[Fate.SURVIVED])
        return self.noticed / tried if tried else 0.0

    @property
    def share_of_all(self) -> float:
        """The same, with what no test passes over counted as not noticed."""
        tried = self.noticed + len(self.fates[Fate.SURVIVED]) + len(self.fates[Fate.UNREACHED])
        return self.noticed / tried if tried else 0.0

    def told(self) -> dict[str, object]:
        """As it is printed."""
        return {
            "score": round(self.share, 4),
            "score of all": round(self.share_of_all, 4),
            **{fate.value: len(self.fates[fate]) for fate in Fate},
            "not tried": self.not_tried,
            "controls failed": self.controls_failed,
            "by module": {name: dict(counts) for name, counts in sorted(self.by_module.items())},
            "survivors": sorted(self.fates[Fate.SURVIVED]),
            "unreached ones": sorted(self.fates[Fate.UNREACHED]),
            "endless ones": sorted(self.fates[Fate.ENDLESS]),
        }


class Driver:
    """A pytest plugin that runs mutants in place of tests."""

    def __init__(
        self, packages: list[str], minutes: float, seed: int, sample: int, wanted: Callable[[Mutant], bool]
    ) -> None:
        self.packages = packages
        self.until = time.monotonic() + 60 * minutes
        self.seed = seed
        self.sample = sample
        self.wanted = wanted
        self.score = Score()
        self.reached: defaultdict[Line, list[pytest.Item]] = defaultdict(list)
        self.durations: dict[str, float] = {}
        #: How often a test noticed a mutant of a function: it may well notice the next.
        self.noticers: defaultdict[str, Counter[pytest.Item]] = defaultdict(Counter)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        modules = [module for package in self.packages for module in _modules(package)]
        mutants = [mutant for module in modules for mutant in mutants_of(module) if self.wanted(mutant)]
        self._map(session.items, {str(sys.modules[mutant.module].__file__) for mutant in mutants})
        Random(self.seed).shuffle(mutants)
        if self.sample:
            mutants = mutants[: self.sample]
        _tell(f"{len(mutants)} mutants, {len(session.items)} tests")
        gc.collect()
        gc.freeze()  # a child that looks for garbage would copy all there is
        self._control(mutants)
        for number, mutant in enumerate(mutants):
            if time.monotonic() > self.until:
                self.score.not_tried = len(mutants) - number
                break
            fate = self._fate(mutant)
            self.score.note(mutant, fate)
            if fate is not Fate.NOTICED:
                _tell(f"{fate}: {mutant}")
            if number % 100 == 99:
                _tell(f"{number + 1}: {self.score.share:.1%}")
        return True

    def _control(self, mutants: list[Mutant]) -> None:
        """Unchanged functions must pass as mutants do, or the tests fail for another reason."""
        for mutant in mutants[:CONTROLS]:
            function = function_named(sys.modules[mutant.module], mutant.function)
            items = self._items(mutant)
            if function is None or not items:
                continue
            unchanged = replace(mutant, code=function.__code__)
            if self._tried(function, unchanged, items) is not Fate.SURVIVED:
                self.score.controls_failed.append(str(mutant))
        _tell(f"controls failed: {self.score.controls_failed}")

    def _map(self, items: list[pytest.Item], files: set[str]) -> None:
        """Run every test once, and note which lines of ours each passes over."""
        _tell(f"mapping {len(items)} tests")
        for item in items:
            began = time.monotonic()
            passed, lines = _traced(item, files)
            self.durations[item.nodeid] = time.monotonic() - began
            if passed:
                for line in lines:
                    self.reached[line].append(item)
            else:
                _tell(f"left out, for it fails by itself: {item.nodeid}")
        for found in self.reached.values():
            found.sort(key=lambda item: self.durations[item.nodeid])

    def _items(self, mutant: Mutant) -> list[pytest.Item]:
        """The tests that pass over a mutant's line, or over its statement where the line has no code of its
        own."""
        file = str(sys.modules[mutant.module].__file__)
        for line in (mutant.line, *mutant.statement):
            if items := self.reached.get((file, line)):
                return items
        return []

    def _fate(self, mutant: Mutant) -> Fate:
        function = function_named(sys.modules[mutant.module], mutant.function)
        if function is None or function.__code__.co_freevars != mutant.code.co_freevars:
            return Fate.IMPOSSIBLE
        items = self._items(mutant)
        return self._tried(function, mutant, items) if items else Fate.UNREACHED

    def _tried(self, function: types.FunctionType, mutant: Mutant, items: list[pytest.Item]) -> Fate:
        noticers = self.noticers[f"{mutant.module} {mutant.function}"]
        items = sorted(items, key=lambda item: -noticers[item])
        reading, writing = os.pipe()
        process = os.fork()
        if process == 0:
            self._child(function, mutant, items, writing)
        os.close(writing)
        _, status = os.waitpid(process, 0)
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)  # what its tests had started
        begun = os.read(reading, 65_536).split()
        os.close(reading)
        if status:
            noticers[items[int(begun[-1])]] += 1
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
            return Fate.ENDLESS
        return Fate.SURVIVED if status == 0 else Fate.NOTICED

    def _child(
        self, function: types.FunctionType, mutant: Mutant, items: list[pytest.Item], told: int
    ) -> None:
        """Run the tests on the mutant; never returns. Exit 0 says that none noticed.

        The number of each test is written to `told` before it begins.
        """
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        function.__code__ = mutant.code
        try:
            for number, item in enumerate(items):
                os.write(told, f"{number}\n".encode("ascii"))
                signal.setitimer(signal.ITIMER_REAL, _PATIENCE + _TIMES * self.durations[item.nodeid])
                if not _passes(item):
                    os._exit(1)
        except BaseException:
            os._exit(1)
        os._exit(0)


def _traced(item: pytest.Item, files: set[str]) -> tuple[bool, set[Line]]:
    """Whether a test passes, and the lines of these files it passes over."""
    lines: set[Line] = set()

    def local(frame: types.FrameType, event: str, _: Any) -> Any:
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    def trace(frame: types.FrameType, _: str, __: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        lines.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    threading.settrace(trace)
    sys.settrace(trace)
    try:
        return _passes(item), lines
    finally:
        sys.settrace(None)
        threading.settrace(None)


def _passes(item: pytest.Item) -> bool:
    reports = runtestprotocol(item, log=False, nextitem=None)
    return all(report.passed or report.skipped for report in reports)


def _tell(words: str) -> None:
    print(words, file=sys.__stderr__, flush=True)


def _modules(package: str) -> list[types.ModuleType]:
    root = importlib.import_module(f"smm_rules.{package}")
    names = [name for _, name, _ in pkgutil.walk_packages(root.__path__, f"{root.__name__}.")]
    return [root, *(importlib.import_module(name) for name in names)]
