"""`POST /orders`: known orders handed over by programs, each answered by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smm_rules.config.web import ListenAddress
from smm_rules.facts import Entity, EntityKind
from smm_rules.intake.columns import PARAMETERS
from smm_rules.ledger.audit import AuditKind, AuditQuery
from smm_rules.receiving.models import KnownOrder, Purchase
from tests.receiving.desk import Desk, opened


def order(number: object, panel: str = "north") -> Entity:
    return Entity(EntityKind.ORDER, panel, str(number))


@pytest.mark.parametrize("listen", [None, ListenAddress("127.0.0.1", 0)])
async def test_an_order_is_watched_over_either_kind_of_socket(
    tmp_path: Path, listen: ListenAddress | None
) -> None:
    async with opened(tmp_path, listen=listen) as desk:
        body = {
            "order": 1234, "panel": "north", "service": "7", "link": "https://example.com/a",
            "quantity": 100, "comments": ["great", "wonderful"], "placed_at": "2026-03-01T14:30:00+03:00",
            "label": "customer 9", "rate": "0.90", "parameters": {"foo": "bar"},
        }  # fmt: skip
        answer = await desk.post("/orders", body)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.json() == {
            "tracked": 1,
            "known": 0,
            "refused": 0,
            "orders": [{"row": 0, "order": "north/1234", "result": "tracked", "errors": []}],
        }
        known = await desk.ledger.order(order(1234))
        assert known is not None
        assert (known.service, known.label) == ("7", "customer 9")
        assert known.parameters == {
            "link": "https://example.com/a", "quantity": "100", "comments": "great\nwonderful",
            "rate": "0.90", "foo": "bar",
        }  # fmt: skip
        [entry] = await desk.ledger.audit_page(AuditQuery(kinds=(AuditKind.TRACK.value,)), 0, 10)
        assert entry.by == "http:shop"


async def test_each_row_is_answered_by_itself(desk: Desk) -> None:
    rows: list[Any] = [
        {"order": "1", "panel": "north"},
        {"order": "1", "panel": "north"},
        {"order": "2", "panel": "west"},
        {"order": "3", "panel": "north", "quantity": 0, "colour": "red"},
        "4",
        {"order": "5", "panel": "south"},
    ]
    answer = await desk.post("/orders", rows)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["tracked"], told["known"], told["refused"]) == (2, 1, 3)
    assert [row["result"] for row in told["orders"]] == [
        "tracked", "known", "refused", "refused", "refused", "tracked",
    ]  # fmt: skip
    assert [[fault["pointer"] for fault in row["errors"]] for row in told["orders"]] == [
        [], [], ["/2/panel"], ["/3/quantity", "/3/colour"], ["/4"], [],
    ]  # fmt: skip
    assert "is not a configured panel" in told["orders"][2]["errors"][0]["detail"]
    assert await desk.ledger.watched(order(5, "south")) is not None


async def test_where_no_row_can_be_taken_nothing_is(desk: Desk) -> None:
    answer = await desk.post("/orders", {"order": "1;2", "panel": "north"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    [fault] = answer.json()["errors"]
    assert fault["pointer"] == "/order"


async def test_a_known_order_is_left_as_it_was(desk: Desk) -> None:
    await desk.post("/orders", {"order": "1", "panel": "north", "label": "first"})
    answer = await desk.post("/orders", {"order": "1", "panel": "north", "label": "second"})
    assert answer.json()["known"] == 1
    known = await desk.ledger.order(order(1))
    assert known is not None
    assert known.label == "first"


async def test_with_several_panels_one_must_be_named(desk: Desk) -> None:
    answer = await desk.post("/orders", {"order": "1"})
    assert answer.status_code == 422
    assert "no panel is named" in answer.json()["detail"]


async def test_more_rows_than_allowed_are_refused_whole(tmp_path: Path) -> None:
    async with opened(tmp_path, intake="most_orders: 2") as desk:
        answer = await desk.post("/orders", [{"order": str(n), "panel": "north"} for n in range(3)])
        assert (answer.status_code, answer.json()["type"]) == (413, "urn:smm-rules:problem:too-large")
        assert await desk.ledger.watched(order(0)) is None
        assert (await desk.post("/orders", [])).status_code == 422


async def test_a_key_answers_alike_and_stands_for_one_list(desk: Desk) -> None:
    rows = [{"order": "1", "panel": "north"}, {"order": "x y", "panel": "north"}]
    first = await desk.post("/orders", rows, idempotency_key="monday")
    again = await desk.post("/orders", rows, idempotency_key="monday")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    other = await desk.post("/orders", rows[:1], idempotency_key="monday")
    assert (other.status_code, other.json()["type"]) == (422, "urn:smm-rules:problem:key-reused")
    assert (await desk.post("/orders", rows)).json()["known"] == 1


async def test_a_key_takes_up_nothing_while_nothing_was_done(desk: Desk) -> None:
    assert (await desk.post("/orders", {"order": "!"}, idempotency_key="k")).status_code == 422
    assert (
        await desk.post("/orders", {"order": "1", "panel": "north"}, idempotency_key="k")
    ).status_code == 200


@pytest.mark.parametrize("model", [KnownOrder, Purchase])
def test_a_body_may_say_all_that_an_add_takes(model: type[KnownOrder] | type[Purchase]) -> None:
    assert PARAMETERS - model.model_fields.keys() == set()


@pytest.mark.parametrize("parting", ["\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
async def test_a_list_s_entry_is_one_line(desk: Desk, parting: str) -> None:
    body = {"order": "1", "panel": "north", "comments": [f"one{parting}two"]}
    answer = await desk.post("/orders", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/comments"


async def test_parameters_of_every_panel_are_written_beside(desk: Desk) -> None:
    answer = await desk.post("/orders", {"order": "1", "panel": "north", "parameters": {"quantity": "5"}})
    assert answer.json()["errors"][0]["pointer"] == "/parameters/quantity"
    answer = await desk.post("/orders", {"order": "1", "panel": "north", "parameters": {"Foo Bar": "5"}})
    assert answer.json()["errors"][0]["pointer"] == "/parameters/Foo Bar"
