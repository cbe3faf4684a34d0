"""Orders: the panel's answer and what intake knows → the facts to store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smm_rules.engine.observation import Observation, differs, known_only, share
from smm_rules.facts import EntityKind, Facts, Known
from smm_rules.panel.answers import OrderState, Refused


@dataclass(frozen=True, slots=True)
class OrderIntake:
    """What the daemon knows of an order without asking its panel.

    None is what intake wasn't told. `refills` counts the refills the panel accepted through this daemon;
    None leaves the count that was stored before.
    """

    id: str
    tracked_at: datetime
    placed_at: datetime | None = None
    quantity: int | None = None
    link: str | None = None
    label: str = ""
    chain_depth: int = 0
    refills: int | None = None


def whole_number(text: str | None) -> int | None:
    """The number in an `add` parameter such as `quantity`, None where it isn't one."""
    stripped = (text or "").strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() and len(stripped) <= 18 else None


def observe_order(
    before: Facts, answer: OrderState | Refused, order: OrderIntake, now: datetime
) -> Observation:
    """The facts of an order after its panel answered.

    What the answer leaves unsaid becomes unknown, `remains` too: a number the panel no longer stands by
    must not be paid for. An error instead of a status is kept in `error` and leaves what the panel said
    last as it was.
    """
    said = _kept(before, answer) if isinstance(answer, Refused) else _said(before, answer, now)
    said |= _intake(before, order)
    after = known_only(said)
    _add_delivery(before, after)
    if after == before:
        return Observation(before, False)
    return Observation(after, differs(EntityKind.ORDER, before, after))


_SAID = (
    "status",
    "status_known",
    "remains",
    "start_count",
    "charge",
    "currency",
    "runs",
    "posts",
    "expiry",
    "suborders",
    "changed_at",
    "status_since",
)


def _kept(before: Facts, refused: Refused) -> dict[str, Known | None]:
    kept: dict[str, Known | None] = {name: before[name] for name in _SAID if name in before}
    return kept | {"error": refused.message}


def _said(before: Facts, answer: OrderState, now: datetime) -> dict[str, Known | None]:
    same_status = before.get("status") == answer.status
    # Becoming unknown is no sign of movement; becoming known again is, for nothing proves the contrary.
    same_remains = answer.remains is None or before.get("remains") == answer.remains
    changed_at = before.get("changed_at", now) if same_status and same_remains else now
    return {
        "status": answer.status,
        "status_known": answer.status_known,
        "remains": answer.remains,
        "start_count": answer.start_count,
        "charge": answer.charge,
        "currency": answer.currency,
        "error": "",
        "runs": answer.runs,
        "posts": answer.posts,
        "expiry": answer.expiry,
        "suborders": _suborders(answer),
        "changed_at": changed_at,
        "status_since": before.get("status_since", now) if same_status else now,
    }


def _suborders(answer: OrderState) -> int | None:
    """How many orders it made; unknown for an order that is neither drip-feed nor subscription."""
    makes_orders = answer.runs is not None or answer.posts is not None or answer.expiry is not None
    return len(answer.suborders) if makes_orders or answer.suborders else None


def _intake(before: Facts, order: OrderIntake) -> dict[str, Known | None]:
    return {
        "id": order.id,
        "quantity": order.quantity,
        "link": order.link,
        "label": order.label,
        "placed_at": order.placed_at,
        "tracked_at": order.tracked_at,
        "chain_depth": order.chain_depth,
        "refills": order.refills if order.refills is not None else before.get("refills", 0),
    }


def _add_delivery(before: Facts, facts: Facts) -> None:
    """`delivered`, which may be more than ordered, and `progress`, which is kept within 0 and 1."""
    quantity, remains = facts.get("quantity"), facts.get("remains")
    if not isinstance(quantity, int) or not isinstance(remains, int):
        return
    facts["delivered"] = delivered = quantity - remains
    if quantity <= 0:
        return
    if "progress" in before and before.get("delivered") == delivered and before.get("quantity") == quantity:
        facts["progress"] = before["progress"]
    else:
        facts["progress"] = share(min(max(delivered, 0), quantity), quantity)
