"""A watched folder: drop a file of orders into it and they are tracked.

    FOLDER/orders.csv                     taken when it has stopped growing
    FOLDER/processing/orders.csv          while it is read; found there at start, it is read again
    FOLDER/done/orders.csv                read, with orders.csv.report.json and, if any, orders.csv.bad
    FOLDER/failed/orders.csv              couldn't be read at all, with orders.csv.report.json

Nothing is ever deleted. Reading a file twice does no harm: a known order is left as it is.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from smm_rules.intake.drop_report import BadLines, write_report
from smm_rules.intake.importing import ImportReport, Tracker, import_orders
from smm_rules.intake.lines import IntakeOptions, SourceRefused
from smm_rules.intake.order_file import OrderFile
from smm_rules.observe import get_logger

log = get_logger(__name__)

_Mark = tuple[int, int]
#: Leaves room for `.report.json` and a number, where a name may take 255 bytes.
_LONGEST_NAME = 200
#: Endings of files that somebody is still writing.
_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", "~")


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What one scan did: names of files imported, files that couldn't be read, orders added, bad lines."""

    imported: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    added: int = 0
    bad: int = 0


#: Who gave the orders, for the record of decisions.
_BY = "drop folder"


class DropFolder:
    """The folder at `path`. Scans are made by whoever calls `scan`; two at once run one after the other.

    `default_panel` and `time_zone` are for files that leave these unsaid; `panels` are the configured ones.
    A file is complete when two scans found it unchanged for `quiet` of the machine's own time, which
    `seconds` gives: however fast scans follow each other, a writer may pause.
    """

    def __init__(
        self,
        path: Path,
        ledger: Tracker,
        panels: Collection[str],
        default_panel: str | None = None,
        time_zone: ZoneInfo | None = None,
        *,
        quiet: timedelta = timedelta(seconds=2),
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._ledger = ledger
        self._panels = panels
        self._default_panel = default_panel
        self._time_zone = time_zone
        self._quiet = quiet.total_seconds()
        self._seconds = seconds
        self._seen: dict[str, tuple[_Mark, float]] = {}
        self._troubled: set[str] = set()
        self._scanning = asyncio.Lock()

    async def scan(self, now: datetime) -> ScanReport:
        """Read again what a crash left half done, then every file unchanged since the last scan.

        A `LedgerError` ends the scan; the file stays in `processing/`, to be read again at the next one.
        """
        async with self._scanning:
            report = ScanReport()
            await asyncio.to_thread(self._make_folders)
            for name in await asyncio.to_thread(self._claimed_and_complete):
                report = await self._take(name, now, report)
            return report

    def _make_folders(self) -> None:
        # Whoever may write here has orders watched: only the operator opens a new folder to others.
        for folder in (self.path, self._processing, self._done, self._failed):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def _processing(self) -> Path:
        return self.path / "processing"

    @property
    def _done(self) -> Path:
        return self.path / "done"

    @property
    def _failed(self) -> Path:
        return self.path / "failed"

    def _claimed_and_complete(self) -> list[str]:
        """Names now in `processing/`: what was left there, and what is complete and could be moved there."""
        left = [entry.name for entry in _files(self._processing)]
        for name in left:
            log.warning("intake.file_resumed", file=name)
        return left + [claimed for name in self._complete() if (claimed := self._claim(name))]

    def _complete(self) -> list[str]:
        """Names of files that nobody is writing to any more."""
        before, now = self._seen, self._seconds()
        self._seen = {}
        complete = []
        for entry in _files(self.path):
            mark = _mark(entry)
            seen = before.get(entry.name)
            since = seen[1] if seen is not None and seen[0] == mark else now
            self._seen[entry.name] = (mark, since)
            if seen is not None and seen[0] == mark and now - since >= self._quiet:
                complete.append(entry.name)
        return complete

    def _claim(self, name: str) -> str | None:
        try:
            if len(os.fsencode(name)) > _LONGEST_NAME:
                raise OSError(f"its name is longer than {_LONGEST_NAME} bytes")
            claimed = _free_name(self._processing, name)
            (self.path / name).rename(self._processing / claimed)
        except OSError as error:
            self._stuck(name, error)
            return None
        self._seen.pop(name, None)
        log.info("intake.file_claimed", file=name)
        return claimed

    def _stuck(self, name: str, error: OSError) -> None:
        """Say once that a file can't be moved or read; it is tried again at every scan."""
        if name not in self._troubled:
            log.error("intake.file_stuck", file=name, error=str(error))
        self._troubled.add(name)

    async def _take(self, name: str, now: datetime, so_far: ScanReport) -> ScanReport:
        options = IntakeOptions(now, self._panels, self._default_panel, self._time_zone)
        try:
            try:
                report = await self._import(name, options)
            except SourceRefused as refusal:
                await asyncio.to_thread(self._put_away_failed, name, refusal, now)
                return ScanReport(so_far.imported, (*so_far.failed, name), so_far.added, so_far.bad)
            await asyncio.to_thread(self._put_away_done, name, report, now)
        except OSError as error:
            self._stuck(name, error)
            return so_far
        self._troubled.discard(name)
        return ScanReport(
            (*so_far.imported, name), so_far.failed, so_far.added + report.added, so_far.bad + report.bad
        )

    async def _import(self, name: str, options: IntakeOptions) -> ImportReport:
        with (
            OrderFile(self._processing / name, options, follow_links=False) as source,
            BadLines(self._bad_lines_of(name)) as bad_lines,
        ):
            return await import_orders(source, self._ledger, options.now, on_bad=bad_lines.add, by=_BY)

    def _bad_lines_of(self, name: str) -> Path:
        """Where bad lines are written while a file is read; hidden, so that it is never taken for orders."""
        return self._processing / f".{name}.bad"

    def _put_away_done(self, name: str, report: ImportReport, now: datetime) -> None:
        """The file goes last: until it has, a crash makes the next scan do all of this again."""
        final = _free_name(self._done, name)
        counts = {"added": report.added, "known": report.known, "bad": report.bad}
        write_report(self._done / f"{final}.report.json", name, now, {"result": "imported", **counts})
        bad_lines = self._bad_lines_of(name)
        if bad_lines.exists():
            bad_lines.replace(self._done / f"{final}.bad")
        (self._processing / name).rename(self._done / final)
        if report.bad:
            log.warning("intake.file_has_bad_lines", file=name, reasons=f"{final}.bad", bad=report.bad)
        log.info("intake.file_imported", file=name, added=report.added, known=report.known, bad=report.bad)

    def _put_away_failed(self, name: str, refusal: SourceRefused, now: datetime) -> None:
        final = _free_name(self._failed, name)
        outcome = {"result": "failed", "what": refusal.what, "to_do": refusal.to_do}
        write_report(self._failed / f"{final}.report.json", name, now, outcome)
        (self._processing / name).rename(self._failed / final)
        log.error("intake.file_failed", file=name, error=refusal.what, to_do=refusal.to_do)


def _files(folder: Path) -> Sequence[os.DirEntry[str]]:
    """Regular files only, the oldest first; no links, no folders, nothing hidden or still being written."""
    return sorted(_regular(folder), key=lambda entry: (_mark(entry)[1], entry.name))


def _regular(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            hidden = entry.name.startswith(".") or entry.name.casefold().endswith(_UNFINISHED)
            try:
                if not hidden and entry.is_file(follow_symlinks=False):
                    entry.stat(follow_symlinks=False)
                    yield entry
            except OSError:
                continue  # gone since the folder was listed


def _mark(entry: os.DirEntry[str]) -> _Mark:
    """Size in bytes and time of the last change in nanoseconds: the same while nobody is writing."""
    status = entry.stat(follow_symlinks=False)
    return status.st_size, status.st_mtime_ns


def _free_name(folder: Path, name: str) -> str:
    """`name`, or `stem-2.ending` and so on when the folder has it: nothing is overwritten."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122
    taken = (folder / name).exists
    number, free = 1, name
    while taken():
        number += 1
        free = f"{stem}-{number}{suffix}"
        taken = (folder / free).exists
    return free
