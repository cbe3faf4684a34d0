"""Orders as an operator names them on a command line."""

from __future__ import annotations

import pytest

from smm_rules.facts import Entity, EntityKind
from smm_rules.intake import Unacceptable, order_entity, order_named, parse_order_ids
from tests.intake.reading import options


def test_ids_are_parted_by_commas_and_spaces_each_once() -> None:
    assert parse_order_ids(["12,13 14", "#15;12", ""]) == ("12", "13", "14", "15")


def test_an_id_that_cannot_be_one_is_named() -> None:
    with pytest.raises(Unacceptable, match=r"'1\.5' is no order ID"):
        parse_order_ids(["12,1.5"])


@pytest.mark.parametrize("text", ["12", "north/12", "order/north/12", "#12"])
def test_an_order_goes_by_its_id_or_its_full_name(text: str) -> None:
    assert order_entity(text, ["north"]) == Entity(EntityKind.ORDER, "north", "12")


def test_a_bare_id_is_not_enough_with_two_panels() -> None:
    with pytest.raises(Unacceptable, match="Write PANEL/ID; configured: north, south"):
        order_entity("12", ["north", "south"])


def test_what_the_operator_says_is_checked_like_a_column() -> None:
    said = {"service": "7", "url": "https://example.com/a", "quantity": "10", "label": ""}
    order = order_named("12", said, options())
    assert order.service == "7"
    assert order.parameters == {"link": "https://example.com/a", "quantity": "10"}
    with pytest.raises(Unacceptable, match="is no quantity"):
        order_named("12", {"quantity": "x"}, options())
    with pytest.raises(Unacceptable, match="Did you mean"):
        order_named("12", {"lnik": "x"}, options())
