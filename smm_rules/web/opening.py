"""A site from the configuration: its secrets read, its rules found."""

from __future__ import annotations

from collections.abc import Mapping

from smm_rules.clock import Clock
from smm_rules.config.model import Configuration
from smm_rules.config.secrets import SecretUnavailable
from smm_rules.config.web import LoginSettings, WebSettings, is_password_hash
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.standing.rule_files import RulesFromFiles
from smm_rules.web.engine import Engine
from smm_rules.web.site import Login, Site


def make_site(
    configuration: Configuration,
    environment: Mapping[str, str],
    ledger: SqlLedger,
    clock: Clock,
    engine: Engine | None = None,
) -> Site:
    """The site over an opened ledger, which stays the caller's. `SecretUnavailable` says what is missing."""
    settings = configuration.web or WebSettings()
    rules = RulesFromFiles(configuration, clock) if engine is None else engine.rules
    token = settings.metrics_token.read(environment) if settings.metrics_token is not None else ""
    return Site(
        configuration=configuration,
        ledger=ledger,
        clock=clock,
        rules=rules,
        login=None if settings.login is None else _login(settings.login, environment),
        metrics_token=token,
        engine=engine,
    )


def _login(settings: LoginSettings, environment: Mapping[str, str]) -> Login:
    stored = settings.password_hash.read(environment)
    if not is_password_hash(stored):
        raise SecretUnavailable(
            f"web.login.password_hash {settings.password_hash} holds no hash. "
            "Make one with: smm-rules web password"
        )
    return Login(settings.user, stored, settings.needed_for == "everything")
