"""Everything the pages are made of, built once a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from smm_rules.clock import Clock
from smm_rules.config.model import Configuration
from smm_rules.config.web import WebSettings
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.rules.loader import LoadedRules
from smm_rules.web.engine import Engine
from smm_rules.web.kept import Kept, kept
from smm_rules.web.sessions import LoginForms, Sessions
from smm_rules.web.throttle import Throttle

#: Passwords are hashed one at a time: each takes 32 MiB.
_HASHING_AT_ONCE = 1


@dataclass(frozen=True, slots=True)
class Login:
    """Who may log in. `hash` is of the password, `everywhere` says that reading needs the login, too."""

    user: str
    hash: str = field(repr=False)
    everywhere: bool = True


@dataclass(slots=True)
class Site:
    """What every page may ask for.

    `ledger` is a connection of the page's own, so that its reading never stands before the daemon's work.
    `rules` gives the rules in force, None while they can't be read. `login` is None where nobody may press a
    button. `metrics_token` lets others than this machine read the metrics; empty for nobody.
    """

    configuration: Configuration
    ledger: SqlLedger
    clock: Clock
    rules: Callable[[], LoadedRules | None]
    login: Login | None = None
    metrics_token: str = ""
    engine: Engine | None = None
    sessions: Sessions = field(default_factory=Sessions)
    login_forms: LoginForms = field(default_factory=LoginForms)
    throttle: Throttle = field(default_factory=Throttle)
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_HASHING_AT_ONCE))
    statuses: Kept[dict[tuple[str, str], int]] = field(init=False)

    def __post_init__(self) -> None:
        self.statuses = kept(self.ledger.order_statuses)

    @property
    def settings(self) -> WebSettings:
        """The page's settings."""
        return self.configuration.web or WebSettings()

    @property
    def voice(self) -> OperatorVoice:
        """Who tells the operator."""
        operator = self.configuration.operator
        return OperatorVoice(self.ledger, operator.channel if operator else None, self.configuration.page_url)

    @property
    def root(self) -> str:
        """The path before every path of the page, as a proxy has it: empty or `/smm`."""
        return urlsplit(self.configuration.page_url).path.rstrip("/")

    @property
    def is_secure(self) -> bool:
        """Whether people reach the page by https alone."""
        return self.configuration.page_url.startswith("https://")

    @property
    def panels(self) -> tuple[str, ...]:
        """The panels' names."""
        return tuple(panel.name for panel in self.configuration.panels)

    def changed(self) -> None:
        """Wake the daemon, where one runs in this process."""
        if self.engine is not None:
            self.engine.changed()
