"""A file of orders to be placed: CSV, one a row, each known by its number or a reference of one's own."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from unicodedata import normalize

from smm_rules.intake.columns import REFERENCE, purchase_columns
from smm_rules.intake.lines import BadLine, IntakeOptions, SourceRefused, Unacceptable, shown
from smm_rules.intake.order_file import Format, OrderFile, format_of
from smm_rules.intake.readers.separated import read_records
from smm_rules.intake.values import Purchase, purchase_from

#: What is read at once: all of it is shown, and asked about, before anything is bought.
MOST_ROWS, MOST_BYTES = 10_000, 64 << 20
_LONGEST_REFERENCE = 100


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """A row of the file. `number` counts the rows from 1, whatever they hold, `line` is where it begins.

    `reference` is empty where the file has no column of that name. `problem` says why it is no purchase.
    """

    number: int
    line: int
    reference: str = ""
    purchase: Purchase | None = None
    problem: str = ""

    @property
    def digest(self) -> str:
        """What the row says, whatever it is known by."""
        assert self.purchase is not None, "there is nothing to be bought"
        bought = self.purchase
        says = [bought.panel, sorted(bought.parameters.items()), bought.label]
        return sha256(json.dumps(says).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PlanContent:
    """A whole file. `digest` is of its bytes."""

    digest: str
    entries: tuple[PlanEntry, ...]


def read_plan(path: Path, options: IntakeOptions) -> PlanContent:
    """The rows of the file; `SourceRefused` when it can't be used at all."""
    content = _bytes_of(path, options)
    entries = []
    references: dict[str, int] = {}
    for number, found in enumerate(_rows(content, options), start=1):
        if number > MOST_ROWS:
            raise SourceRefused(f"it has more than {MOST_ROWS:,} rows", "Split it into several")
        entries.append(_known_once(_entry(number, found), references))
    if not entries:
        raise SourceRefused("it has no rows", "Each row below the header is an order to be placed")
    return PlanContent(sha256(content).hexdigest(), tuple(entries))


def _bytes_of(path: Path, options: IntakeOptions) -> bytes:
    if format_of(path) is not Format.CSV:
        raise SourceRefused("a plan is a CSV file", "Save it as one: .csv or .tsv")
    with OrderFile(path, options) as file:
        if file.size > MOST_BYTES:
            raise SourceRefused(f"it is larger than {MOST_BYTES >> 20} MiB", "Split it into several")
    with path.open("rb") as opened:
        return opened.read(MOST_BYTES + 1)


_Row = tuple[str, Purchase]


def _rows(content: bytes, options: IntakeOptions) -> Iterator[tuple[int, _Row] | BadLine]:
    names = partial(purchase_columns, ignored=options.ignored)
    return read_records(io.BytesIO(content), names, partial(_row, options=options))


def _row(values: Mapping[str, str], options: IntakeOptions) -> _Row:
    given = dict(values)
    reference = ""
    if REFERENCE in given:
        # Two writings of one letter look alike, and must not be two references.
        reference = normalize("NFC", given.pop(REFERENCE).strip())
        if not reference or len(reference) > _LONGEST_REFERENCE or not reference.isprintable():
            raise Unacceptable(
                f"the reference {shown(reference)} can't be used",
                f"Give each row one of its own, at most {_LONGEST_REFERENCE} characters",
            )
    return reference, purchase_from(given, options)


def _entry(number: int, found: tuple[int, _Row] | BadLine) -> PlanEntry:
    if isinstance(found, BadLine):
        problem = f"{found.what}. {found.to_do}" if found.to_do else found.what
        return PlanEntry(number, found.line, problem=problem)
    line, (reference, purchase) = found
    return PlanEntry(number, line, reference, purchase)


def _known_once(entry: PlanEntry, references: dict[str, int]) -> PlanEntry:
    """The entry, refused where its reference stands in an earlier row."""
    if not entry.reference:
        return entry
    first = references.setdefault(entry.reference, entry.number)
    if first == entry.number:
        return entry
    problem = f"its reference {shown(entry.reference)} is that of row {first}, too. Give each row its own"
    return PlanEntry(entry.number, entry.line, entry.reference, None, problem)
