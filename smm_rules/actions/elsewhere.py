"""May an order be placed on the panel that was chosen for it? Not before the first one's end is certain."""

from __future__ import annotations

from smm_rules.actions.circumstances import Circumstances
from smm_rules.actions.failover import choice_of, is_left_to_us
from smm_rules.actions.verdict import Hold, Later, Refuse, Verdict, Why
from smm_rules.engine.choosing import Fitness
from smm_rules.engine.order_facts import whole_number
from smm_rules.facts import OrderStatus
from smm_rules.facts.statuses import TERMINAL_ORDER_STATUSES
from smm_rules.ledger.records import Intent, TrackedOrder, Watched

#: After these a panel works no more on an order. An unknown status says nothing, nor does an order that the
#: panel left out of its answer.
ENDED = TERMINAL_ORDER_STATUSES | {OrderStatus.ERROR}
_NOTHING = frozenset({OrderStatus.CANCELED, OrderStatus.REFUNDED, OrderStatus.ERROR})


def check_elsewhere(intent: Intent, order: TrackedOrder, circumstances: Circumstances) -> Verdict | None:
    """What keeps a chosen panel from being asked; None for nothing. One that the rule names need only fit.

    The order must be over by its status, and all that was made in its place must have come to nothing.
    Should it have been completed after the rule fired, it needs no other; should less of it be missing than
    is asked for, the operator is asked.
    """
    choice = choice_of(intent)
    if choice is None:
        return None
    taken = choice.taken
    if taken is not None and taken.fitness is Fitness.NEVER:  # of a panel that the rule named
        return Refuse(Why.NO_PANEL, f"{taken.member} can't take it: {taken.why}")
    if not is_left_to_us(choice):
        return None
    if choice.chosen is None:
        return Refuse(Why.NO_PANEL, choice.why)
    status = circumstances.order_facts.get("status")
    if status not in ENDED:
        told = f"is {status}" if isinstance(status, str) else "has no known status"
        return Later(
            Why.ORDER_UNDER_WAY,
            f"order {order.entity.id} {told}; another is placed on {intent.panel} only once it is over",
        )
    replaced = next((one for one in circumstances.replacements if not _came_to_nothing(one)), None)
    if replaced is not None and not circumstances.approved(Why.REPLACED):
        standing = replaced.facts.get("status", "not read yet")
        return Hold(
            Why.REPLACED,
            f"order {order.entity.id} has been replaced by {replaced.entity} already, which is {standing}",
        )
    return _overtaken(intent, order, circumstances, status)


def _came_to_nothing(order: Watched) -> bool:
    """What lives may yet be delivered, and what was completed, even in part, has been."""
    return order.facts.get("status") in _NOTHING


def _overtaken(
    intent: Intent, order: TrackedOrder, circumstances: Circumstances, status: object
) -> Verdict | None:
    """The order went on after the rule fired: what is missing is no longer what was missing then."""
    firing = circumstances.firing
    before = firing.facts.get("status", firing.facts.get("order.status")) if firing is not None else status
    if before in ENDED:
        return None
    if status == OrderStatus.COMPLETED:
        return Refuse(
            Why.ORDER_COMPLETED, f"order {order.entity.id} was completed after the rule asked for another"
        )
    asked = whole_number(intent.parameters.get("quantity", order.parameters.get("quantity")))
    remains = circumstances.order_facts.get("remains")
    missing = remains if isinstance(remains, int) else None
    if status != OrderStatus.PARTIAL or circumstances.approved(Why.MORE_THAN_ORDERED):
        return None
    if asked is not None and missing is not None and asked <= missing:
        return None
    of_it = "it isn't known how many" if missing is None else str(missing)
    return Hold(
        Why.MORE_THAN_ORDERED,
        f"order {order.entity.id} went on after the rule fired: {of_it} of it are missing now, and "
        f"{'all' if asked is None else asked} are asked for",
    )
