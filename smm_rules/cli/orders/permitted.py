"""Whether anything may be bought now, before anybody is asked or anything is planned."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from smm_rules.cli.brakes.targets import in_words
from smm_rules.cli.exits import Stop
from smm_rules.config.model import Configuration
from smm_rules.ledger.sql.intents import OPERATOR
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.ledger.stops import concerning


def refuse_unless_live(configuration: Configuration) -> None:
    """`Stop` in a mode in which nothing is bought."""
    if configuration.mode != "live":
        raise Stop(
            f"The configuration says mode: {configuration.mode}, in which nothing is bought. "
            "Nothing was placed."
        )


async def refuse_stopped(ledger: SqlLedger, panels: Iterable[str], now: datetime) -> None:
    """`Stop` while a stop keeps what the operator orders on one of these panels."""
    stops = await ledger.stops()
    for panel in panels:
        stopped = concerning(stops, OPERATOR, panel, now)
        if stopped:
            raise Stop(f"Nothing is sent now. {in_words(stopped[0])}. Nothing was placed.")
