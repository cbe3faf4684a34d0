"""A channel through Apprise: any of its services, named by URLs (an extra, `smm-rules[apprise]`)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from smm_rules.notify.channel import DeliveryFailed, Message
from smm_rules.notify.channels.worker import Worker

_KINDS = {"debug": "info", "info": "info", "warning": "warning", "error": "failure"}
#: Of how many messages under way it is kept which services took them.
_MOST_REMEMBERED = 1000


class AppriseMissing(Exception):
    """The channel needs a package that isn't installed."""


class AppriseChannel:
    """Hands messages to one or more Apprise URLs. They hold credentials: no text of this class shows them.

    A message is delivered when every URL took it. As long as the process lives, another attempt spares those
    that took it before. `AppriseMissing` when the extra isn't installed, `ValueError` when Apprise doesn't
    know a URL. Apprise only says whether it worked; why it didn't is in its own lines of the log.
    """

    def __init__(self, name: str, urls: Sequence[str], timeout: timedelta = timedelta(seconds=30)) -> None:
        if not urls:
            raise ValueError(f'channel "{name}": it has no Apprise URL')
        self._name = name
        self._timeout = timeout
        self._worker = Worker(name)
        self._services = [_service(name, url) for url in urls]
        self._taken: OrderedDict[str, set[int]] = OrderedDict()

    @property
    def name(self) -> str:
        return self._name

    async def send(self, message: Message) -> None:
        """One attempt, in a thread; `DeliveryFailed` when Apprise says no or takes too long."""
        try:
            missed = await self._worker.run(lambda: self._notify(message), self._timeout)
        except DeliveryFailed:
            raise
        except Exception as error:
            # A service's plug-in may put its URL into the text of what it raises.
            raise DeliveryFailed(f"Apprise failed with {type(error).__name__}") from None
        if missed:
            share = "" if len(self._services) == 1 else f" to {missed} of its {len(self._services)} URLs"
            raise DeliveryFailed(f"Apprise could not hand the message over{share}; its warning is in the log")
        self._taken.pop(message.key, None)

    def _notify(self, message: Message) -> int:
        """Notify every service that hasn't taken the message yet; how many still haven't."""
        taken = self._taken.setdefault(message.key, set())
        while len(self._taken) > _MOST_REMEMBERED:
            self._taken.popitem(last=False)
        for index, service in enumerate(self._services):
            if index not in taken and service.notify(
                title=message.title,
                body=message.body or message.title,
                notify_type=_KINDS.get(message.level, "info"),
                body_format="text",
            ):
                taken.add(index)
        return len(self._services) - len(taken)

    async def aclose(self) -> None:
        return


def _service(name: str, url: str) -> Any:  # Apprise ships no types.
    try:
        import apprise
    except ImportError:
        raise AppriseMissing(
            f'channel "{name}" is of type apprise, and Apprise is not installed; '
            'install it with: pip install "smm-rules[apprise]"'
        ) from None
    service = apprise.Apprise()
    if not service.add(url):
        scheme = url.partition("://")[0] if "://" in url else ""
        known = f'"{scheme}://…"' if scheme.isalnum() else "the given text"
        raise ValueError(
            f'channel "{name}": Apprise does not understand its URL ({known}); '
            "see https://github.com/caronc/apprise/wiki for the form each service wants"
        )
    return service
