"""What loads as a configuration and can hardly be meant."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from smm_rules.config.model import Configuration, PanelSettings
from smm_rules.document import Document, Problem, Severity

_DEFAULT_PORTS = {"https": 443, "http": 80}


def oddities(document: Document, configuration: Configuration) -> tuple[Problem, ...]:
    """Warnings about a configuration that was loaded from `document`."""
    first: dict[tuple[object, ...], str] = {}
    found = []
    for index, panel in enumerate(configuration.panels):
        earlier = first.setdefault(_account(panel), panel.name)
        if earlier != panel.name:
            message = (
                f'The panels "{earlier}" and "{panel.name}" are one account: they have the same address '
                "and key, so an order that is known under both names is acted on, and paid for, twice"
            )
            problem = document.problem(("panels", index, "name"), message, "Leave one of them out")
            found.append(replace(problem, severity=Severity.WARNING))
    return tuple(found)


def _account(panel: PanelSettings) -> tuple[object, ...]:
    """What tells one account from another, whatever the address is spelt like."""
    parts = urlsplit(panel.url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    return (parts.hostname, port, parts.path.rstrip("/"), parts.query, str(panel.key))
