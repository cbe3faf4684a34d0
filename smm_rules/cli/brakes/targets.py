"""What a brake is put on: a rule, a panel, or everything."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import click

from smm_rules.cli.context import CONFIG_NAME
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.shapes import moment
from smm_rules.config.model import Configuration
from smm_rules.document import DocumentError, did_you_mean
from smm_rules.facts import parse_duration
from smm_rules.ledger.stops import Stop as Brake
from smm_rules.ledger.stops import StopScope
from smm_rules.rules.loader import load_rules
from smm_rules.rules.scope import scope_of
from smm_rules.standing.stops import in_words as in_words

scope_argument = click.argument("scope", type=click.Choice([scope.value for scope in StopScope]))
name_argument = click.argument("name", required=False, default="")


def target(scope: str, name: str) -> tuple[StopScope, str]:
    """Scope and name as written; `UsageError` when they don't go together."""
    found = StopScope(scope)
    if found is StopScope.ALL and name:
        raise click.UsageError("`all` takes no name")
    if found is not StopScope.ALL and not name:
        raise click.UsageError(f"say which {scope}: smm-rules pause {scope} NAME")
    return found, name


def check_name(scope: StopScope, name: str, configuration: Configuration) -> None:
    """`Stop` when the configuration has no such panel, or its rules no such rule."""
    if scope is StopScope.PANEL:
        _known("panel", name, [panel.name for panel in configuration.panels])
    if scope is StopScope.RULE:
        try:
            rules = load_rules(configuration.rules, scope_of(configuration)).rules
        except DocumentError:
            return  # a daemon still runs what it read before: it must be possible to stop that
        _known("rule", name, [rule.name for rule in rules.rules])


def _known(what: str, name: str, names: Collection[str]) -> None:
    if name in names:
        return
    meant = did_you_mean(name, names) or f"There are: {', '.join(sorted(names)) or 'none'}."
    raise Stop(f"There is no {what} {name} in {CONFIG_NAME} or its rules. {meant}", Exit.USAGE)


def end_of_pause(lasting: str | None, until: str | None, now: datetime) -> datetime | None:
    """When a pause is over: `--for 2h` or `--until TIME`; None for no end."""
    if lasting is not None and until is not None:
        raise click.UsageError("say either --for or --until")
    if lasting is not None:
        try:
            return now + parse_duration(lasting)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--for") from None
    return None if until is None else _ahead(until, now)


def _ahead(text: str, now: datetime) -> datetime:
    try:
        written = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no moment; write it like 2026-03-01T14:30:00Z", param_hint="--until"
        ) from None
    at = written.replace(tzinfo=UTC) if written.tzinfo is None else written.astimezone(UTC)
    if at <= now:
        raise click.BadParameter(f"{moment(at)} is over already", param_hint="--until")
    return at


def brake_shape(brake: Brake) -> dict[str, object]:
    """A brake as scripts get it in JSON."""
    return {
        "id": brake.id,
        "kind": brake.kind,
        "scope": brake.scope,
        "name": brake.name,
        "reason": brake.reason,
        "by": brake.by,
        "since": brake.since,
        "until": brake.until,
        "ended_at": brake.ended_at,
        "ended_by": brake.ended_by,
    }
