"""Single values as panels write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.panel.scalars import currency, decimal_number, identifier, safe_text, whole_number


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("157", 157),
        (" -3 ", -3),
        ("+5", 5),
        ("1,000", 1000),
        ("12,345,678", 12_345_678),
        ("12.00", 12),
        (Decimal("7.0"), 7),
        (10**15, 10**15),
        (10**15 + 1, None),
        ("1,00", None),
        ("1,0000", None),
        ("1.000.000", None),
        ("1e3", None),
        ("٣", None),
        ("0x10", None),
        ("", None),
        (False, None),
        (Decimal("1.5"), None),
        (Decimal("Infinity"), None),
        ({}, None),
    ],
)
def test_whole_numbers(written: object, expected: int | None) -> None:
    assert whole_number(written) == expected


#: The short way is for what is plainly a number; a space before it sends it the long way.
@given(st.text("0123456789.,+-e٣", max_size=20))
def test_numbers_come_to_the_same_by_the_short_way_and_the_long(written: str) -> None:
    assert repr(decimal_number(written)) == repr(decimal_number(f" {written}"))
    assert whole_number(written) == whole_number(f" {written}")


@given(st.text("USDusdé1 ", max_size=4))
def test_a_currency_comes_to_the_same_by_the_short_way_and_the_long(written: str) -> None:
    assert currency(written) == currency(f" {written}")


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=6))
def test_money_survives_text_exactly(amount: Decimal) -> None:
    assert decimal_number(str(amount)) == amount
    assert decimal_number(f"{amount:,f}") == amount


@given(st.integers(min_value=1, max_value=10**18))
def test_an_id_is_the_same_as_number_and_text(number: int) -> None:
    assert identifier(number) == identifier(str(number)) == str(number)


@pytest.mark.parametrize("value", [0, -1, True, None, "", "0", "0.0", "a b", "-5", "x" * 65, "é", [], "1\n2"])
def test_what_is_no_id(value: object) -> None:
    assert identifier(value) is None


@pytest.mark.parametrize(
    ("written", "expected"), [("usd", "USD"), (" EUR ", "EUR"), ("$", None), ("Euro", None), (5, None)]
)
def test_a_currency_is_three_letters(written: object, expected: str | None) -> None:
    assert currency(written) == expected


@given(st.text(st.characters(), max_size=300), st.integers(min_value=1, max_value=80))
def test_text_is_one_bounded_printable_line(text: str, limit: int) -> None:
    shown = safe_text(text, limit)
    assert len(shown) <= limit
    assert not any(character < " " or "\x7f" <= character < "\xa0" for character in shown)
    assert len(shown.splitlines()) <= 1
    assert shown.encode("utf-8").decode("utf-8") == shown
