"""An order that somebody asks for, carried out like any other action: by the operator or by a program."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from smm_rules.actions.port import AskLedger, MarketLedger
from smm_rules.engine.buying import LABEL, SERVICE, money
from smm_rules.engine.firing import IntentDraft
from smm_rules.facts import Entity, EntityKind
from smm_rules.intake.lines import Unacceptable
from smm_rules.ledger.records import Intent
from smm_rules.panel.order_params import OrderParameterError, cost, order_parameters
from smm_rules.rules.model import StepKind


async def place_order(
    ledger: AskLedger,
    panel: str,
    parameters: Mapping[str, str],
    now: datetime,
    by: str,
    *,
    label: str = "",
) -> Intent:
    """Plan an order with these `add` parameters (`service` among them); the executor sends it.

    `Unacceptable` as `draft_order` raises it. Asking twice places two orders: that is what the API does.
    """
    draft = await draft_order(ledger, panel, parameters, f"place.{uuid4().hex}", label=label)
    return await ledger.ask(draft, Entity(EntityKind.PANEL, panel), now, by)


async def draft_order(
    ledger: MarketLedger, panel: str, parameters: Mapping[str, str], step: str, *, label: str = ""
) -> IntentDraft:
    """The action that places an order with these `add` parameters, `service` among them.

    What can be known to be wrong is refused at once with `Unacceptable`; bounds, price and balance are
    checked when its turn comes. `step` is what it is planned under: the same one is never planned twice at
    one instant.
    """
    given = {name: text.strip() for name, text in parameters.items() if text.strip()}
    service = given.get(SERVICE)
    if service is None:
        raise Unacceptable("no service is named", "Give the ID of a service in the panel's catalogue")
    row = await ledger.watched(Entity(EntityKind.SERVICE, panel, service))
    facts = row.facts if row else {}
    if facts.get("gone") is True:
        raise Unacceptable(f"service {service} is no longer in {panel}'s catalogue", "Name another one")
    estimate = None
    if "type" in facts:
        given, estimate = _checked(str(facts["type"]), given, facts.get("rate"))
    balance = await ledger.balance(panel)
    return IntentDraft(
        step=step,
        kind=StepKind.ADD,
        panel=panel,
        parameters=given | ({LABEL: label} if label else {}),
        estimate=estimate,
        currency=None if balance is None or estimate is None else balance.currency,
    )


def _checked(
    service_type: str, given: Mapping[str, str], rate: object
) -> tuple[dict[str, str], Decimal | None]:
    try:
        checked = order_parameters(service_type, given)
    except OrderParameterError as error:
        raise Unacceptable(str(error)) from None
    return checked, cost(money(rate), checked, service_type)
