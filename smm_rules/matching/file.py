"""The mapping file: read, checked, and kept with the place of every entry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from smm_rules.document import (
    Document,
    DocumentError,
    Problem,
    did_you_mean,
    in_file_order,
    read_document,
    validate,
)
from smm_rules.document.types import Settings, Slug, exactly_one, refuse, written
from smm_rules.matching.equal import EqualServices, Group, Member
from smm_rules.panel.scalars import identifier

PROPOSED, CONFIRMED, REFUSED = "proposed", "confirmed", "refused"


def _service(value: Any) -> str:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else None
    if text is None or identifier(text) is None:
        refuse(f"must be the ID of a service, not {written(value)}")
    return text.strip()


_ServiceId = Annotated[
    str, BeforeValidator(_service), WithJsonSchema({"type": ["integer", "string"], "minLength": 1})
]


class EntrySpec(Settings):
    """Services of several panels that are the same thing, or one that joins a group confirmed before.

    `state` is the user's word: `proposed` and `refused` entries have no effect, and what is refused is never
    proposed again.
    """

    hints: ClassVar[dict[str, str]] = {
        "confirmed": "Write state: confirmed",
        "panels": "Write services: {PANEL: SERVICE, …}",
        "members": "Write services: {PANEL: SERVICE, …}",
    }
    noun: ClassVar[str] = "key"

    name: Slug | None = None
    joins: Slug | None = None
    state: Literal["proposed", "confirmed", "refused"]
    services: Annotated[dict[str, _ServiceId], Field(min_length=1)]

    @model_validator(mode="after")
    def _named(self) -> EntrySpec:
        exactly_one(("name", "joins"), self.model_fields_set, "name: instagram-followers")
        return self

    @property
    def members(self) -> tuple[Member, ...]:
        """The services in the file's order."""
        return tuple(Member(panel, service) for panel, service in self.services.items())


class MappingSpec(Settings):
    """The whole file."""

    services: Annotated[tuple[EntrySpec, ...], Field(strict=False)] = ()


@dataclass(frozen=True, slots=True)
class LoadedMapping:
    """A mapping file: its entries with their places, and the groups in force."""

    document: Document
    spec: MappingSpec
    equal: EqualServices

    def entries(self, state: str) -> Iterator[tuple[int, EntrySpec]]:
        """The entries of one state with their places in the list."""
        return ((index, entry) for index, entry in enumerate(self.spec.services) if entry.state == state)


def load_mapping(
    path: Path, panels: Collection[str] | None, read: Callable[[Path], Document] = read_document
) -> LoadedMapping:
    """The mapping in the file at `path`; `DocumentError` carries every problem.

    With `panels` their names are checked. What services the panels have is for `catalogue_problems`.
    """
    document = read(path)
    spec = validate(document, MappingSpec)
    problems = [*_fewer_than_two(document, spec), *_names(document, spec), *_in_two(document, spec)]
    if panels is not None:
        problems += _no_panel(document, spec, panels)
    if problems:
        raise DocumentError(in_file_order(problems))
    return LoadedMapping(document, spec, EqualServices(_groups(spec)))


def _groups(spec: MappingSpec) -> tuple[Group, ...]:
    found: dict[str, list[Member]] = {}
    for entry in spec.services:
        if entry.state == CONFIRMED and entry.name is not None:
            found[entry.name.casefold()] = list(entry.members)
    for entry in spec.services:
        if entry.state == CONFIRMED and entry.joins is not None:
            found[entry.joins.casefold()] += entry.members
    names = {entry.name.casefold(): entry.name for entry in spec.services if entry.name is not None}
    return tuple(Group(names[key], tuple(members)) for key, members in found.items())


def _fewer_than_two(document: Document, spec: MappingSpec) -> Iterator[Problem]:
    for index, entry in enumerate(spec.services):
        if entry.name is not None and len(entry.services) < 2 and entry.state == CONFIRMED:
            message = f'The group "{entry.name}" has one service; equal are two of two panels at least'
            yield document.problem(("services", index, "services"), message, "Add another panel's service")


def _names(document: Document, spec: MappingSpec) -> Iterator[Problem]:
    first: dict[str, int] = {}
    confirmed = {}
    for index, entry in enumerate(spec.services):
        if entry.name is None:
            continue
        name = entry.name.casefold()
        if name in first:
            line = document.position(("services", first[name])).line
            message = f'The name "{entry.name}" is taken; it stands at line {line} already'
            yield document.problem(("services", index, "name"), message, "Give each group a name of its own")
        first.setdefault(name, index)
        if entry.state == CONFIRMED:
            confirmed[name] = entry.name
    for index, entry in enumerate(spec.services):
        if entry.joins is None or entry.state != CONFIRMED or entry.joins.casefold() in confirmed:
            continue
        message = f'There is no confirmed group "{entry.joins}" to join'
        known = f"Confirmed are: {', '.join(confirmed.values()) or 'none'}"
        suggestion = did_you_mean(entry.joins, confirmed.values()) or known
        yield document.problem(("services", index, "joins"), message, suggestion)


def _in_two(document: Document, spec: MappingSpec) -> Iterator[Problem]:
    """A service in two groups, or two services of one panel in a group: which to order wouldn't be sure."""
    services: dict[Member, int] = {}
    panels: dict[tuple[str, str], int] = {}
    # By group and not by place: what joins a group comes after it wherever it stands.
    entries = [(index, entry) for index, entry in enumerate(spec.services) if entry.state == CONFIRMED]
    for index, entry in sorted(entries, key=lambda one: one[1].name is None):
        group = (entry.name or entry.joins or "").casefold()
        for member in entry.members:
            trail = ("services", index, "services", member.panel)
            if member in services:
                line = document.position(("services", services[member], "services", member.panel)).line
                message = f"Service {member.service} of {member.panel} stands at line {line} already"
                yield document.problem(trail, message, "A service can be in one group only")
            elif (group, member.panel) in panels:
                before = panels[group, member.panel]
                line = document.position(("services", before, "services", member.panel)).line
                message = f"The group has a service of {member.panel} at line {line} already"
                yield document.problem(trail, message, "A group has one service of each panel at most")
            services.setdefault(member, index)
            panels.setdefault((group, member.panel), index)


def _no_panel(document: Document, spec: MappingSpec, panels: Collection[str]) -> Iterator[Problem]:
    for index, entry in enumerate(spec.services):
        if entry.state != CONFIRMED:
            continue
        for panel in entry.services:
            if panel not in panels:
                known = f"Configured are: {', '.join(sorted(panels))}"
                suggestion = did_you_mean(panel, panels) or known
                position = document.key_position(("services", index, "services", panel))
                yield Problem(position, f'There is no panel "{panel}" in the configuration', suggestion)
