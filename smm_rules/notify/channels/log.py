"""A channel that writes messages into the daemon's own log: for trying out, or where the log is watched."""

from __future__ import annotations

from smm_rules.notify.channel import Message
from smm_rules.observe import correlation_of_message, get_logger

log = get_logger(__name__)


class LogChannel:
    """Each message becomes one event, `channel.message_logged`."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    async def send(self, message: Message) -> None:
        """Write the message to the log; never fails."""
        log.info(
            "channel.message_logged",
            channel=self._name,
            title=message.title,
            message=message.body,
            message_level=message.level,
            dedup_key=message.key,
            **correlation_of_message(message.key),
        )

    async def aclose(self) -> None:
        return
