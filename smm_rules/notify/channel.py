"""What the outbox needs of a channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


class DeliveryFailed(Exception):
    """A message could not be handed over.

    `permanent` says that another try can't help. `retry_after` is how long the other side asked to be left
    alone, None when it didn't. The text holds no secret: it is kept in the ledger and shown.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


#: The media type of a message whose body is a webhook step's own JSON text.
JSON_BODY = "application/json"


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot that goes with a message where the channel takes one: a line of text, and the picture as SVG."""

    file_name: str
    line: str
    svg: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message as handed to a channel. `key` stays the same over all attempts.

    `media_type` is text/plain, or application/json for the body of a webhook step, which is sent as it is.
    """

    key: str
    title: str
    body: str
    level: str = "info"
    media_type: str = "text/plain"
    plots: tuple[Plot, ...] = ()


class Channel(Protocol):
    """A place messages go to."""

    @property
    def name(self) -> str: ...

    async def send(self, message: Message) -> None:
        """Hand the message over; `DeliveryFailed` when it wasn't taken."""
        ...

    async def aclose(self) -> None: ...
