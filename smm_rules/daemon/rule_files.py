"""Notices that rule files changed, whatever the way: written, replaced by a rename, added, removed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from smm_rules.observe import get_logger
from smm_rules.rules.loader import rule_files

log = get_logger(__name__)

#: How long the files must have been left alone before they are read, in seconds: an editor writes in steps.
SETTLE_SECONDS = 1.0
#: How often the system's notices are gathered, in seconds; also how long a stop may have to wait.
GATHER_SECONDS = 0.2
#: Whatever the system says of changes, the files are looked at this often, in seconds. It also finds a
#: directory that was replaced as a whole, of which a watch of the old one hears nothing.
LONGEST_SECONDS = 5.0
#: A file as it stands: device and inode, size, time of the last change in nanoseconds.
_Mark = tuple[int, int, int, int]
Marks = dict[Path, _Mark]


class RuleFiles:
    """Watches the rule files of `paths` and calls `changed` each time they differ from before.

    The system's notices (watchfiles) make it quick; what counts is how the files stand, so that a touched
    neighbour, such as the ledger, is no reload, and a file replaced by a rename is one.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        changed: Callable[[], None],
        settle_seconds: float = SETTLE_SECONDS,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._paths = tuple(paths)
        self._changed = changed
        self._settle = settle_seconds
        self._longest = longest_seconds
        self._stopping = asyncio.Event()
        self._marks = marks(self._paths)
        self.watching = asyncio.Event()

    async def run(self) -> None:
        """Watch until `stop` is called. What changed since this was made counts, too."""
        while not self._stopping.is_set():
            async for _ in self._stirrings():
                if await self._look():
                    break

    def stop(self) -> None:
        """Stop watching; `run` returns within moments."""
        self._stopping.set()

    async def _look(self) -> bool:
        """Compare the files with how they stood; whether something changed, so that directories may have.

        What changed is told of once it has been left alone for a while.
        """
        now = await asyncio.to_thread(marks, self._paths)
        if now == self._marks:
            return False
        while not await self._stopped_within(self._settle):
            before, now = now, await asyncio.to_thread(marks, self._paths)
            if now == before:
                break
        changed = now != self._marks and not self._stopping.is_set()
        self._marks = now
        if changed:
            self._changed()
        return True

    async def _stopped_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    async def _stirrings(self) -> AsyncGenerator[None, None]:
        """Something may have changed: at each notice of the system, and every so often without one."""
        directories = await asyncio.to_thread(directories_of, self._paths)
        try:
            async for _ in self._notices(directories):
                yield
                if await asyncio.to_thread(directories_of, self._paths) != directories:
                    return
        except (OSError, RuntimeError, ImportError) as error:
            # No room for another watch, a file system without notices, or no watchfiles: ask every so often.
            log.warning("rules.watch_failed", error=str(error) or type(error).__name__)
            self.watching.set()
            while not await self._stopped_within(self._longest):
                yield

    async def _notices(self, directories: dict[Path, tuple[int, int]]) -> AsyncGenerator[None, None]:
        # Late: it costs time and is not needed by the other commands. Its `awatch` would bring a loop of
        # anyio, 1 MiB, for the thread that is begun here.
        from watchfiles import watch

        over = _Over(self._stopping)
        # The directories and not the files: a watch of a file ends when an editor replaces it by a rename.
        notices = watch(
            *directories,
            watch_filter=None,
            step=_milliseconds(min(self._settle, GATHER_SECONDS)),
            debounce=_milliseconds(min(self._settle, GATHER_SECONDS)),
            rust_timeout=_milliseconds(self._longest),
            yield_on_timeout=True,
            recursive=False,
            stop_event=over,
            raise_interrupt=False,
        )
        self.watching.set()
        try:
            while await asyncio.to_thread(next, notices, None) is not None:
                yield
        finally:
            over.is_left = True


class _Over:
    """Whether nobody listens to a watch any more. It is asked from the thread that waits for notices."""

    def __init__(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self.is_left = False

    def is_set(self) -> bool:
        return self.is_left or self._stopping.is_set()


def marks(paths: Sequence[Path]) -> Marks:
    """How every rule file of `paths` stands; one that can't be looked at is left out."""
    found: Marks = {}
    with suppress(OSError):
        for file in rule_files(paths):
            with suppress(OSError):
                status = file.stat()
                found[file] = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    return found


def directories_of(paths: Sequence[Path]) -> dict[Path, tuple[int, int]]:
    """Every directory in which a rule file may change, appear or go, with its device and inode."""
    found: dict[Path, tuple[int, int]] = {}
    for path in paths:
        with suppress(OSError):
            below = [path, *(each for each in path.rglob("*") if each.is_dir())] if path.is_dir() else []
            for directory in below or [path.parent]:
                with suppress(OSError):
                    status = directory.stat()
                    found[directory] = (status.st_dev, status.st_ino)
    return found


def _milliseconds(seconds: float) -> int:
    return max(round(seconds * 1000), 1)
