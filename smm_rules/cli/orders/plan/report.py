"""The report beside a plan: a CSV file with what became of each row, always replaced whole."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.orders.plan.judging import Judged, Reported
from smm_rules.engine.buying import SERVICE
from smm_rules.ledger.plans import PlannedRow, RowKey
from smm_rules.ledger.records import IntentState

COLUMNS = (
    "row", "reference", "panel", "service", "link", "quantity", "intent", "state", "order", "cost",
    "currency", "reason",
)  # fmt: skip
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Report:
    """The report at `path`, of the plan called `name`."""

    path: Path
    name: str

    def before(self) -> dict[RowKey, Reported]:
        """What an earlier report of this plan says of the rows that were planned."""
        if not self.path.exists():
            return {}
        with self._readable():
            if self.path.stat().st_size > _MOST_BYTES:
                raise Stop(f"The report {self.path} is larger than it can be; move it away.", Exit.USAGE)
            with self.path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                if reader.fieldnames is None or tuple(reader.fieldnames) != COLUMNS:
                    raise Stop(
                        f"{self.path} is no report of a plan and would be replaced: name another file with "
                        "--report.",
                        Exit.USAGE,
                    )
                return {self._key(row): _reported(row) for row in reader if row["intent"]}

    def _key(self, row: Mapping[str, str]) -> RowKey:
        return RowKey("", row["reference"]) if row["reference"] else RowKey(self.name, row["row"])

    def write(self, judged: Sequence[Judged], planned: Mapping[RowKey, PlannedRow]) -> None:
        """What is known of each row now; `Stop` when the file can't be written."""
        unfinished = self.path.with_name(f".{self.path.name}.part")
        with self._readable():
            unfinished.unlink(missing_ok=True)
            opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(opened, "w", encoding="utf-8", newline="", errors="backslashreplace") as file:
                writer = csv.writer(file)
                writer.writerow(COLUMNS)
                writer.writerows(_line(one, planned.get(one.key)) for one in judged)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.path)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise Stop(
                f"The report {self.path} can't be read or written: {error}. Name another with --report."
            ) from error


def _reported(row: Mapping[str, str | None]) -> Reported:
    return Reported(*(row[name] or "" for name in Reported._fields))


def _line(one: Judged, planned: PlannedRow | None) -> list[str]:
    bought = one.entry.purchase
    given = bought.parameters if bought is not None else {}
    known = [
        str(one.entry.number), one.entry.reference, bought.panel if bought is not None else "",
        given.get(SERVICE, ""), given.get("link", ""), given.get("quantity", ""),
    ]  # fmt: skip
    intent = planned.intent if planned is not None else None
    if one.reported is not None:
        return [*known, *one.reported, one.why]
    if planned is None:
        return [*known, "", "", "", "", "", one.why]
    if intent is None:
        return [*known, str(planned.intent_id), "", "", "", "", one.why]
    made = intent.result if intent.state is IntentState.CONFIRMED else ""
    cost = "" if intent.reserved is None else format(intent.reserved, "f")
    reason = one.why if planned.digest != (one.entry.digest if bought else "") else ""
    return [
        *known, str(intent.id), intent.state.value, made, cost, intent.currency or "",
        reason or intent.message or intent.reason,
    ]  # fmt: skip
