"""The rules where no daemon in this process has them in force."""

from __future__ import annotations

from datetime import datetime

from smm_rules.clock import Clock
from smm_rules.config.model import Configuration
from smm_rules.document import DocumentError
from smm_rules.rules.loader import LoadedRules, load_rules
from smm_rules.rules.scope import scope_of


class RulesFromFiles:
    """The rules as their files say: read again once they are a while old."""

    _LASTS_SECONDS = 15.0

    def __init__(self, configuration: Configuration, clock: Clock) -> None:
        self._configuration = configuration
        self._clock = clock
        self._read_at: datetime | None = None
        self._found: LoadedRules | None = None

    def __call__(self) -> LoadedRules | None:
        """The rules; None while a file of them can't be used."""
        now = self._clock.now()
        if self._read_at is None or abs((now - self._read_at).total_seconds()) > self._LASTS_SECONDS:
            self._read_at = now
            try:
                self._found = load_rules(self._configuration.rules, scope_of(self._configuration))
            except DocumentError:
                self._found = None
        return self._found
