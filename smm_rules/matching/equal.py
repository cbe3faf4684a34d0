"""Which services of several panels are the same thing, by the word of the mapping file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Member:
    """One panel's service of a group. `service` is the panel's own ID."""

    panel: str
    service: str

    def __str__(self) -> str:
        return f"{self.panel}/{self.service}"


@dataclass(frozen=True, slots=True)
class Group:
    """Equal services, one a panel at most, in the order of the file: that is the order of `next`."""

    name: str
    members: tuple[Member, ...]

    def on(self, panel: str) -> Member | None:
        """The group's service on one panel."""
        return next((member for member in self.members if member.panel == panel), None)


@dataclass(frozen=True, slots=True)
class EqualServices:
    """All groups in force. A service is in one group at most."""

    groups: tuple[Group, ...] = ()
    _by_member: Mapping[Member, Group] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        found = {member: group for group in self.groups for member in group.members}
        object.__setattr__(self, "_by_member", found)

    def group_of(self, panel: str, service: str | None) -> Group | None:
        """The group that a panel's service is in."""
        return None if service is None else self._by_member.get(Member(panel, service))

    @property
    def digest(self) -> str:
        """What the mapping is known by: equal ones have the same, and none has an empty one."""
        if not self.groups:
            return ""
        words = [f"{group.name}:{','.join(map(str, group.members))}" for group in self.groups]
        return sha256("\n".join(words).encode()).hexdigest()


NO_EQUALS = EqualServices()
