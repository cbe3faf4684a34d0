"""Where a panel is and how hard it may be asked."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import SplitResult, parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One panel's API v2. The key is never part of the repr.

    `url` is https, or http on this machine alone. `timeout` bounds one whole attempt, from connecting to
    the last byte of the answer. `connections` bounds the requests under way at once. `ValueError` says
    what is wrong and never quotes the key or a password.
    """

    name: str
    url: str
    key: str = field(repr=False)
    requests_per_minute: int = 60
    connections: int = 4
    timeout: timedelta = timedelta(seconds=30)

    def __post_init__(self) -> None:
        check_url(self.url)
        if not self.key or not self.key.strip():
            raise ValueError(f"panel {self.name}: the API key is empty")
        if self.requests_per_minute < 1:
            raise ValueError(f"panel {self.name}: requests_per_minute must be at least 1")
        if self.connections < 1:
            raise ValueError(f"panel {self.name}: connections must be at least 1")
        if self.timeout <= timedelta(0):
            raise ValueError(f"panel {self.name}: timeout must be above 0")


def check_url(url: str) -> None:
    """Refuse, with `ValueError`, an address the key must not travel to."""
    parts = _split(url)
    if parts.scheme not in ("https", "http"):
        raise ValueError("a panel's url begins with https:// (http:// is for this machine alone)")
    if not parts.hostname:
        raise ValueError("a panel's url names a host, like https://panel.example/api/v2")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a panel's url must not hold a user name or password")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(
            f"http:// would send the API key to {parts.hostname} in the clear; use https:// "
            "(http:// is allowed only for localhost, 127.0.0.0/8 and [::1])"
        )
    if parts.fragment:
        raise ValueError("a panel's url must not have a #fragment")
    if any(name.casefold() == "key" for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError("a panel's url must not hold the API key; give it as `key`, it is sent in the body")


def _split(url: str) -> SplitResult:
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("a panel's url must not hold spaces or control characters")
    try:
        parts = urlsplit(url)
        _ = parts.port  # read for its check: a port that isn't a number raises only here
    except ValueError:
        raise ValueError("a panel's url looks like https://panel.example/api/v2") from None
    return parts


def is_loopback(host: str) -> bool:
    """Whether `host` is this very machine, by name or address, without asking DNS."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
