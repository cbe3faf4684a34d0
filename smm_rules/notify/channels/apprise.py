"""A channel through Apprise: any of its services, named by one URL (an extra, `smm-rules[apprise]`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from smm_rules.notify.channel import DeliveryFailed, Message
from smm_rules.notify.channels.worker import Worker

_KINDS = {"debug": "info", "info": "info", "warning": "warning", "error": "failure"}


class AppriseMissing(Exception):
    """The channel needs a package that isn't installed."""


class AppriseChannel:
    """Hands messages to one Apprise URL. The URL holds credentials: it is in no text this class makes.

    `AppriseMissing` when the extra isn't installed, `ValueError` when Apprise doesn't know the URL.
    Apprise only says whether it worked; why it didn't is in its own lines of the log.
    """

    def __init__(self, name: str, url: str, timeout: timedelta = timedelta(seconds=30)) -> None:
        self._name = name
        self._timeout = timeout
        self._worker = Worker(name)
        self._service = _service(name, url)

    @property
    def name(self) -> str:
        return self._name

    async def send(self, message: Message) -> None:
        """One attempt, in a thread; `DeliveryFailed` when Apprise says no or takes too long."""
        try:
            taken = await self._worker.run(lambda: self._notify(message), self._timeout)
        except (DeliveryFailed, MemoryError):
            raise
        except Exception as error:
            # A service's plug-in may put its URL into the text of what it raises.
            raise DeliveryFailed(f"Apprise failed with {type(error).__name__}") from None
        if not taken:
            raise DeliveryFailed("Apprise could not hand the message over; its warning is in the log")

    def _notify(self, message: Message) -> bool:
        return bool(
            self._service.notify(
                title=message.title,
                body=message.body or message.title,
                notify_type=_KINDS.get(message.level, "info"),
                body_format="text",
            )
        )

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
