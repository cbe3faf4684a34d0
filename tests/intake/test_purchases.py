"""Orders to be placed, from plain texts: the same names and checks as orders that are known."""

from __future__ import annotations

import pytest

from smm_rules.intake import IntakeOptions, Unacceptable
from smm_rules.intake.values import Purchase, purchase_from
from tests.intake.reading import NOW

OPTIONS = IntakeOptions(NOW, ("north", "south"), "north")
ASKED = {"service": "7", "link": "https://example.com/a", "quantity": "100"}


def test_what_is_asked_for_is_checked_and_kept_as_text() -> None:
    given = {
        **ASKED,
        "panel": "south",
        "quantity": " 0100 ",
        "comments": "a \nb",
        "label": "mine",
        "runs": "",
    }
    assert purchase_from(given, OPTIONS) == Purchase(
        "south",
        {"service": "7", "link": "https://example.com/a", "quantity": "100", "comments": "a\nb"},
        "mine",
    )


def test_the_only_panel_needn_t_be_named() -> None:
    assert purchase_from(ASKED, OPTIONS).panel == "north"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"service": " "}, "no service is named"),
        ({"service": "7;8"}, "is no service ID"),
        ({"panel": "west"}, "is not a configured panel"),
        ({"quantity": "-1"}, "is no quantity"),
        ({"link": "a\x00b"}, "holds a control character"),
        ({"label": "x" * 201}, "is longer than 200 characters"),
        ({"order": "12"}, '"order" can\'t be asked for'),
        ({"placed_at": "2025-01-01T00:00:00Z"}, '"placed_at" can\'t be asked for'),
        ({"rate": "0.9"}, '"rate" can\'t be asked for'),
    ],
)
def test_what_can_t_be_placed_is_refused(more: dict[str, str], told: str) -> None:
    with pytest.raises(Unacceptable, match=told):
        purchase_from(ASKED | more, OPTIONS)
