"""A service as its panel's catalogue offers it, and what that says of a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from smm_rules.document import Problem, Severity
from smm_rules.facts import Facts
from smm_rules.matching.equal import Member
from smm_rules.matching.file import CONFIRMED, EntrySpec, LoadedMapping


@dataclass(frozen=True, slots=True)
class Offered:
    """One row of a catalogue. `rate` is the price of 1000 in the panel's currency. None: not said."""

    member: Member
    name: str
    type: str
    category: str = ""
    rate: Decimal | None = None
    least: int | None = None
    most: int | None = None
    refill: bool | None = None
    cancel: bool | None = None
    gone: bool = False


def offered(panel: str, facts: Facts) -> Offered:
    """The row that the ledger's facts of a service tell of."""
    return Offered(
        Member(panel, str(facts.get("id", ""))),
        str(facts.get("name", "")),
        str(facts.get("type", "Default")),
        str(facts.get("category", "")),
        _decimal(facts.get("rate")),
        _whole(facts.get("min")),
        _whole(facts.get("max")),
        _flag(facts.get("refill")),
        _flag(facts.get("cancel")),
        facts.get("gone") is True,
    )


def same_type(one: str, other: str) -> bool:
    """Whether two names of a service's type mean one, whatever their case and spacing."""
    return folded(one) == folded(other)


def common_quantities(one: Offered, other: Offered) -> tuple[int, int | None] | None:
    """The quantities that both take, from and to (None: no end); None when there are none."""
    least = max(one.least or 1, other.least or 1)
    bounds = [most for most in (one.most, other.most) if most is not None]
    most = min(bounds) if bounds else None
    return None if most is not None and most < least else (least, most)


def catalogue_problems(
    mapping: LoadedMapping, rows: Mapping[Member, Offered], panels: Iterable[str]
) -> Iterator[Problem]:
    """What the catalogues say against confirmed entries. `panels` are those whose catalogue was read.

    A service that is gone is a warning: the mapping is right and another panel's service stands in for it.
    """
    read = frozenset(panels)
    for index, entry in mapping.entries(CONFIRMED):
        group = mapping.equal.group_of(entry.members[0].panel, entry.members[0].service)
        known = [rows[member] for member in (group.members if group else ()) if member in rows]
        for member in entry.members:
            if member.panel in read:
                yield from _of_member(mapping, (index, entry), member, rows.get(member), known)


def _of_member(
    mapping: LoadedMapping,
    at: tuple[int, EntrySpec],
    member: Member,
    row: Offered | None,
    known: list[Offered],
) -> Iterator[Problem]:
    trail = ("services", at[0], "services", member.panel)
    if row is None or row.gone:
        message = f"Service {member.service} is not in the catalogue of {member.panel}"
        suggestion = "It isn't chosen meanwhile. Name another one, or take it out"
        yield mapping.document.problem(trail, message, suggestion, Severity.WARNING)
        return
    for first in known[:1]:
        if first.member == member:
            return
        if not same_type(first.type, row.type):
            message = (
                f"Service {member.service} of {member.panel} is of type {row.type}, and {first.member} of "
                f"type {first.type}"
            )
            yield mapping.document.problem(trail, message, "Equal services have one type; take it out")
        elif common_quantities(first, row) is None:
            message = (
                f"Service {member.service} of {member.panel} takes no quantity that {first.member} takes"
            )
            yield mapping.document.problem(trail, message, "Orders of one never fit the other; take it out")


def folded(name: str) -> str:
    """A type's name whatever its case and spacing."""
    return "".join(character for character in name.casefold() if character.isalnum())


def _decimal(value: object) -> Decimal | None:
    return Decimal(value) if isinstance(value, Decimal | int) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
