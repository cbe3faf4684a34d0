"""Rows of a query as orders: which column is what, and each value as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

from smm_rules.config.sql_source import SqlSourceSettings
from smm_rules.document.problem import did_you_mean
from smm_rules.intake.columns import NAMES, ORDER, PANEL, column
from smm_rules.intake.lines import LONGEST_LINE, IntakeOptions, SourceRefused, Unacceptable, shown
from smm_rules.intake.sql.watermark import Watermark, watermark_of
from smm_rules.intake.values import LISTS, order_from
from smm_rules.ledger.records import NewOrder


def meanings(settings: SqlSourceSettings) -> dict[str, str]:
    """By the query's columns what each one that `columns` names is; `SourceRefused` for what nobody knows."""
    found: dict[str, str] = {}
    for ours, theirs in settings.columns.items():
        try:
            name = column(ours)
        except Unacceptable as problem:
            raise SourceRefused(f"`columns`: {problem.what}", did_you_mean(ours, NAMES)) from None
        if name is None:
            raise SourceRefused(
                f"`columns`: {shown(ours)} is read from the panel, never from a shop", "Leave it out"
            )
        if theirs in found:
            raise SourceRefused(
                f"`columns`: {shown(theirs)} is {found[theirs]} and {name}", "Name a column once"
            )
        found[theirs] = name
    return found


class Layout:
    """What the columns of a query's answer are. `SourceRefused` tells all that is wrong with them."""

    def __init__(self, settings: SqlSourceSettings, columns: Sequence[str]) -> None:
        self._watermark = settings.watermark
        given = ", ".join(columns)
        if len(set(columns)) < len(columns):
            raise SourceRefused(f"the query gives two columns of one name ({given})", "Name each by AS")
        known = meanings(settings)
        for theirs, ours in known.items():
            if theirs not in columns:
                raise SourceRefused(
                    f"the query gives no column {shown(theirs)}, which `columns` names for {ours}; it gives "
                    f"{given}",
                    did_you_mean(theirs, columns),
                )
        if settings.watermark not in columns:
            raise SourceRefused(
                f"the query gives no column {shown(settings.watermark)}, its watermark; it gives {given}",
                did_you_mean(settings.watermark, columns) or "Add it to the SELECT",
            )
        self._place = columns.index(settings.watermark)
        self.names = tuple(self._name(theirs, known, settings) for theirs in columns)
        self._check_names(given)

    def _name(self, theirs: str, known: Mapping[str, str], settings: SqlSourceSettings) -> str | None:
        if theirs in known:
            return known[theirs]
        try:
            return column(theirs, frozenset(settings.ignore))
        except Unacceptable as problem:
            if theirs == settings.watermark:
                return None
            to_do = f"{problem.to_do} (`ignore`), or leave it out of the query"
            raise SourceRefused(f"the query's column {problem.what}", to_do) from None

    def _check_names(self, given: str) -> None:
        names = [name for name in self.names if name is not None]
        for name in names:
            if names.count(name) > 1:
                raise SourceRefused(f'two of the query\'s columns are "{name}"', "Ignore one of them")
        if ORDER not in names:
            raise SourceRefused(
                f"no column of the query gives the order's ID; it gives {given}",
                "Say which it is: columns: {order: NAME}",
            )

    def watermark(self, row: Sequence[object]) -> Watermark:
        """Up to where everything has been read once this row was; `Unacceptable` for what can't be that."""
        return watermark_of(self._watermark, row[self._place])

    def order(self, row: Sequence[object], options: IntakeOptions) -> NewOrder:
        """The order in a row; `Unacceptable` names the column that can't be used."""
        values: dict[str, str] = {}
        for name, value in zip(self.names, row, strict=True):
            if name is not None:
                values[name] = text_of(name, value)
        if sum(map(len, values.values())) > LONGEST_LINE:
            raise Unacceptable(f"the row is longer than {LONGEST_LINE} characters", "Leave columns out")
        return order_from(values, options)

    def title(self, row: Sequence[object], options: IntakeOptions) -> str:
        """What a bad row is told apart by: its order's name, where it has one, else by all of it."""
        given = {name: value for name, value in zip(self.names, row, strict=True) if name in (ORDER, PANEL)}
        order, panel = given.get(ORDER), given.get(PANEL) or options.default_panel
        if isinstance(order, str | int) and isinstance(panel, str) and len(str(order)) <= 64:
            return f"{panel[:64]}/{order}"
        return f"row {sha256(repr(tuple(row)).encode(errors='replace')).hexdigest()[:12]}"


def text_of(name: str, value: object) -> str:
    """A value of the database as text, as a file would have it."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "1" if value else "0"
        case int():
            return str(value)
        case float() | Decimal():
            return _digits(name, Decimal(repr(value)) if isinstance(value, float) else value)
        case datetime() | date():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return _decoded(name, bytes(value))
        case list() | tuple() if name in LISTS and all(isinstance(entry, str) for entry in value):
            return "\n".join(value)
        case list() | tuple() | dict() | set():
            raise Unacceptable(f'"{name}" is no plain value', "Give a text or a number")
    return str(value)  # a UUID, an address: what has one writing


def _digits(name: str, number: Decimal) -> str:
    if not number.is_finite():
        raise Unacceptable(f'"{name}" is {number}', "Give a number")
    written = format(number, "f")
    # A column of money or of floating point has whole numbers with zeros behind them.
    whole, _, fraction = written.partition(".")
    return whole if not fraction.strip("0") else written


def _decoded(name: str, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise Unacceptable(f'"{name}" isn\'t UTF-8 text', "Convert it in the query") from None
