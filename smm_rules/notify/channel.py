"""What the outbox needs of a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class DeliveryFailed(Exception):
    """A message could not be handed over. `permanent` says that another try can't help."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Message:
    """A message as handed to a channel. `key` stays the same over all attempts."""

    key: str
    title: str
    body: str
    level: str = "info"


class Channel(Protocol):
    """A place messages go to."""

    @property
    def name(self) -> str: ...

    async def send(self, message: Message) -> None:
        """Hand the message over; `DeliveryFailed` when it wasn't taken."""
        ...

    async def aclose(self) -> None: ...
