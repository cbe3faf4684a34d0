"""Orders: a list to filter and leaf through, and everything on one."""

from __future__ import annotations

from starlette.responses import Response

from smm_rules.explanation.explain import explain
from smm_rules.explanation.gathering import records_of, standing_of
from smm_rules.explanation.model import Explanation
from smm_rules.explanation.words import sentence, with_stop
from smm_rules.facts import Entity, EntityKind
from smm_rules.notify.pages import about
from smm_rules.rules.model import RuleSet
from smm_rules.standing.memories import state_in_words
from smm_rules.standing.orders import known_of
from smm_rules.standing.surroundings import surroundings
from smm_rules.web.pages.statuses import UNREAD, colour_of, counts_of
from smm_rules.web.visit import NotFound, Visit

_PAGE = 50
_OBSERVATIONS_SHOWN = 30
#: What an observation is told apart by.
_TELLING = ("status", "remains", "charge", "start_count", "error")


async def orders(visit: Visit) -> Response:
    """The watched orders, of a panel and in a status if that was asked for."""
    panel = visit.argument("panel") or None
    status = visit.argument("status")
    asked = {"": None, UNREAD: ""}.get(status, status)
    if number := visit.argument("order"):
        return await _search(visit, number.strip().removeprefix("#"))
    after = _entity_before(visit)
    found = await visit.site.ledger.orders_page(panel, asked, after, _PAGE + 1)
    return visit.page(
        "orders.html",
        orders=found[:_PAGE],
        more=found[_PAGE - 1].entity if len(found) > _PAGE else None,
        panel=panel or "",
        wanted=status,
        statuses=counts_of(await visit.site.statuses(), panel),
        colour_of=colour_of,
        is_first=after is None,
    )


def _entity_before(visit: Visit) -> Entity | None:
    """Where the page before ended."""
    panel, name = visit.argument("after_panel"), visit.argument("after")
    return Entity(EntityKind.ORDER, panel, name) if panel and name else None


async def _search(visit: Visit, number: str) -> Response:
    """The order of this ID, whichever panel has it: straight to it where only one does."""
    panel, slash, rest = number.partition("/")
    candidates = (
        [Entity(EntityKind.ORDER, panel, rest)]
        if slash and panel in visit.site.panels
        else [Entity(EntityKind.ORDER, name, number) for name in visit.site.panels]
    )
    known = [entity for entity in candidates if await visit.site.ledger.order(entity) is not None]
    if len(known) == 1:
        return visit.redirect(about(known[0]))
    return visit.page("order_search.html", number=number, known=known)


async def order(visit: Visit) -> Response:
    """One order: its facts, its chain, its history, why each rule did or didn't act, its actions."""
    entity = Entity(EntityKind.ORDER, visit.request.path_params["panel"], visit.request.path_params["order"])
    known = await known_of(visit.site.ledger, entity, _OBSERVATIONS_SHOWN, visit.now)
    if known is None:
        raise NotFound(f"Order {entity.panel}/{entity.id} isn't known.")
    columns = [
        name for name in _TELLING if any(one.facts.get(name) not in (None, "") for one in known.history)
    ]
    loaded = visit.site.rules()
    return visit.page(
        "order.html",
        known=known,
        entity=entity,
        facts=known.watched.facts if known.watched is not None else {},
        history=list(reversed(known.history)),
        columns=columns,
        memories={rule: state_in_words(memory) for rule, memory in sorted(known.memories.items())},
        explanations=[
            (one, sentence(one.summary), with_stop(one.change) if one.change else "")
            for one in await _explanations(visit, entity, loaded.rules if loaded else RuleSet())
        ],
        colour_of=colour_of,
    )


async def _explanations(visit: Visit, entity: Entity, rules: RuleSet) -> list[Explanation]:
    ledger = visit.site.ledger
    asked = rules.watching(EntityKind.ORDER, entity.panel)
    if not asked:
        return []
    standing = await standing_of(ledger, entity, visit.now)
    stops, silences = await ledger.stops(), await ledger.silences()
    around = surroundings(visit.site.configuration, await ledger.heartbeat(), standing, stops, silences)
    return [explain(rule, standing, await records_of(ledger, rule.name, standing), around) for rule in asked]
