"""Databases of orders: how far they were read is written with the orders, or not at all."""

from __future__ import annotations

import pytest

from smm_rules.facts import Entity
from smm_rules.ledger.audit import AuditQuery
from smm_rules.ledger.port import Ledger, StateConflict
from smm_rules.ledger.records import NewOrder
from smm_rules.ledger.sources import BAD_ROWS_KEPT, BadRow, Piece, SourceStanding, Taken
from tests.ledger.builders import DAY, MINUTE, T0, order
from tests.ledger.conftest import Opener

BY = "source shop"


def orders(*numbers: int) -> list[NewOrder]:
    return [NewOrder(order(number)) for number in numbers]


def bad(name: str, what: str = "no quantity") -> BadRow:
    return BadRow(name, what, "Write one", T0)


async def standing(ledger: Ledger, name: str = "shop") -> SourceStanding:
    found = await ledger.source(name)
    assert found is not None
    return found


async def watched(ledger: Ledger, entity: Entity) -> bool:
    return await ledger.watched(entity) is not None


async def test_a_source_that_was_never_read_has_no_standing(ledger: Ledger) -> None:
    assert await ledger.source("shop") is None
    assert await ledger.sources() == ()


async def test_a_piece_is_taken_with_how_far_it_goes(open_ledger: Opener) -> None:
    ledger = await open_ledger()
    taken = await ledger.take_from_source("shop", 0, Piece(orders(1, 2), [], "w1"), T0, BY)
    assert taken == Taken(2, ())
    await ledger.take_from_source("shop", 0, Piece(orders(2, 3), [], None, T0 + DAY), T0 + MINUTE, BY)
    await ledger.aclose()
    ledger = await open_ledger()
    assert await standing(ledger) == SourceStanding(
        name="shop",
        watermark="w1",
        generation=0,
        added=3,
        bad=0,
        read_at=T0 + MINUTE,
        due_at=T0 + DAY,
        failures=0,
        failing_since=None,
        error="",
    )
    assert [await watched(ledger, order(number)) for number in (1, 2, 3)] == [True, True, True]
    [first, second] = await ledger.audit_page(AuditQuery(kinds=("track",)), 0, 10)
    assert (first.by, first.data["new"], second.data["new"]) == (BY, 2, 1)
    await ledger.aclose()


async def test_a_forgotten_order_is_not_brought_back_by_being_read_again(ledger: Ledger) -> None:
    await ledger.take_from_source("shop", 0, Piece(orders(1), []), T0, BY)
    await ledger.forget(order(1), T0)
    taken = await ledger.take_from_source("shop", 0, Piece(orders(1), []), T0 + MINUTE, BY)
    assert taken.added == 0
    assert not await watched(ledger, order(1))


async def test_a_read_under_way_can_t_undo_that_the_source_was_set_back(ledger: Ledger) -> None:
    await ledger.take_from_source("shop", 0, Piece(orders(1), [], "w1"), T0, BY)
    after = await ledger.set_source_back("shop", "", T0 + MINUTE)
    assert (after.watermark, after.generation, after.due_at) == ("", 1, T0 + MINUTE)
    with pytest.raises(StateConflict, match="source shop was set back while it was being read"):
        await ledger.take_from_source("shop", 0, Piece(orders(2), [], "w2"), T0 + MINUTE, BY)
    assert not await watched(ledger, order(2))
    assert (await standing(ledger)).watermark == ""
    await ledger.take_from_source("shop", 1, Piece(orders(2), [], "w2"), T0 + MINUTE, BY)
    assert (await standing(ledger)).watermark == "w2"


async def test_a_source_may_be_set_to_a_place_before_it_was_ever_read(ledger: Ledger) -> None:
    assert (await ledger.set_source_back("shop", "w7", T0)).watermark == "w7"


async def test_failures_are_counted_until_a_read_ends(ledger: Ledger) -> None:
    await ledger.source_failed("shop", "no route", T0 + MINUTE, T0)
    failed = await ledger.source_failed("shop", "refused", T0 + DAY, T0 + MINUTE)
    assert (failed.failures, failed.failing_since, failed.error, failed.due_at) == (
        2, T0, "refused", T0 + DAY,
    )  # fmt: skip
    await ledger.take_from_source("shop", 0, Piece([], [], "w1"), T0 + DAY, BY)
    assert (await standing(ledger)).failures == 2
    await ledger.take_from_source("shop", 0, Piece([], [], None, T0 + 2 * DAY), T0 + DAY, BY)
    known = await standing(ledger)
    assert (known.failures, known.failing_since, known.error, known.watermark) == (0, None, "", "w1")


async def test_a_bad_row_is_news_once_and_gone_when_it_is_an_order(ledger: Ledger) -> None:
    rows = [bad("north/7"), bad("x")]
    first = await ledger.take_from_source("shop", 0, Piece([], rows), T0, BY)
    again = await ledger.take_from_source("shop", 0, Piece([], rows), T0, BY)
    assert (first.news, again.news) == (tuple(rows), ())
    assert await ledger.bad_rows("shop", 10) == tuple(rows)
    await ledger.take_from_source("shop", 0, Piece(orders(7), []), T0, BY)
    assert [row.name for row in await ledger.bad_rows("shop", 10)] == ["x"]
    assert (await standing(ledger)).bad == 1


async def test_bad_rows_are_bounded_and_pruned(ledger: Ledger) -> None:
    rows = [bad(str(number)) for number in range(BAD_ROWS_KEPT + 5)]
    taken = await ledger.take_from_source("shop", 0, Piece([], rows), T0, BY)
    assert len(taken.news) == (await standing(ledger)).bad == BAD_ROWS_KEPT
    dropped = await ledger.prune(T0 + MINUTE)
    assert dropped["bad_rows"] == BAD_ROWS_KEPT


async def test_sources_are_told_apart(ledger: Ledger) -> None:
    await ledger.take_from_source("shop", 0, Piece([], [bad("x")], "w1"), T0, BY)
    await ledger.take_from_source("archive", 0, Piece([], [bad("x")], "w2"), T0, BY)
    found = [(known.name, known.watermark, known.bad) for known in await ledger.sources()]
    assert found == [("archive", "w2", 1), ("shop", "w1", 1)]
