"""How many orders stand how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from smm_rules.charts.svg import Part, stacked_bar
from smm_rules.facts import OrderStatus

#: Each known status's colour in the page's style, in the order they are shown.
_COLOURS = {
    OrderStatus.PENDING.value: "waiting",
    OrderStatus.PROCESSING.value: "waiting",
    OrderStatus.IN_PROGRESS.value: "working",
    OrderStatus.ACTIVE.value: "working",
    OrderStatus.COMPLETED.value: "good",
    OrderStatus.PARTIAL.value: "short",
    OrderStatus.CANCELED.value: "ended",
    OrderStatus.REFUNDED.value: "ended",
    OrderStatus.ERROR.value: "bad",
}
UNREAD = "not read yet"


@dataclass(frozen=True, slots=True)
class StatusCount:
    """`status` is as the ledger has it, `label` as it is shown, `colour` the name of its colour."""

    status: str
    label: str
    colour: str
    count: int


def counts_of(counts: Mapping[tuple[str, str], int], panel: str | None = None) -> tuple[StatusCount, ...]:
    """The counts of one panel, or of all together, in the order of an order's life; unknown ones last."""
    sums: dict[str, int] = {}
    for (of, status), count in counts.items():
        if panel is None or of == panel:
            sums[status] = sums.get(status, 0) + count
    rank = {status: number for number, status in enumerate(_COLOURS)}
    names = sorted(sums, key=lambda status: (rank.get(status, len(rank)), status))
    return tuple(StatusCount(status, status or UNREAD, colour_of(status), sums[status]) for status in names)


def colour_of(status: object) -> str:
    """The name of a status's colour; one that nobody knows has its own."""
    return _COLOURS.get(str(status or ""), "strange" if status else "unread")


def status_bar(counts: Sequence[StatusCount], title: str) -> Markup:
    """The counts as one bar."""
    return stacked_bar([Part(one.label, one.count, one.colour) for one in counts], title)
