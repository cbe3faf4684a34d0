"""The HTTP intake's settings: safe by default, and refused where they would open it to others."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.config.intake import ApprovalSettings, HttpIntakeSettings
from smm_rules.config.web import ListenAddress
from tests.config.test_web import load, refusal

TOKEN = "{name: shop, token: {env: SHOP_TOKEN}, may: [track, place]}"


def written(more: str = "", listen: str = "unix:intake.sock", tokens: str = TOKEN) -> str:
    return f"intake: {{http: {{listen: '{listen}', tokens: [{tokens}]{more}}}}}"


def http(directory: Path, text: str) -> HttpIntakeSettings:
    settings = load(directory, text).intake.http
    assert settings is not None
    return settings


def test_it_is_off_by_default(tmp_path: Path) -> None:
    configuration = load(tmp_path, "")
    assert configuration.intake.http is None
    assert configuration.intake.references == ()


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    settings = http(tmp_path, written())
    assert settings.listen == ListenAddress(path=tmp_path / "intake.sock")
    assert [(one.name, one.may) for one in settings.tokens] == [("shop", ("track", "place"))]
    assert (settings.most_orders, settings.largest_body, settings.approve) == (1000, 1 << 20, None)


def test_one_permission_may_stand_alone(tmp_path: Path) -> None:
    settings = http(tmp_path, written(tokens="{name: shop, token: {env: T}, may: read}"))
    assert settings.tokens[0].may == ("read",)


def test_its_tokens_are_among_the_secrets(tmp_path: Path) -> None:
    assert "SHOP_TOKEN" in [secret.env for secret in load(tmp_path, written()).references]


@pytest.mark.parametrize(
    ("text", "approve"),
    [
        ("always", ApprovalSettings()),
        ("{above: 5.00}", ApprovalSettings(above=Decimal("5.00"))),
        ("{above: 5, expires: 2h}", ApprovalSettings(above=Decimal(5), expires=timedelta(hours=2))),
    ],
)
def test_purchases_may_wait_for_approval(tmp_path: Path, text: str, approve: ApprovalSettings) -> None:
    assert http(tmp_path, written(f", approve: {text}")).approve == approve


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (written(tokens=""), "tokens"),
        (written(tokens="{name: shop, token: abc, may: read}"), "must not be written out here"),
        (written(tokens="{name: shop, token: {env: T}, may: [buy]}"), "may"),
        (written(tokens="{name: shop, token: {env: T}, may: []}"), "may"),
        (written(tokens="{name: shop, token: {env: T}}"), "may"),
        (written(", approve: 5.00"), "Write approve: {above: 5.00}"),
        (written(", most_orders: 0"), "most_orders"),
        (written(", largest_body: 10"), "largest_body"),
        (written(listen="0.0.0.0:8099"), "that needs a proxy with https in front"),
        (written(", base_url: 'http://127.0.0.1'", "0.0.0.0:8099"), "that needs a proxy with https in front"),
        (written(", base_url: 'http://shop.example'"), "must begin with https://"),
        ("intake: {htp: {}}", "htp"),
    ],
)
def test_what_can_t_be_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(tmp_path, text)


def test_others_may_reach_it_through_a_proxy(tmp_path: Path) -> None:
    text = written(", base_url: 'https://shop.example/orders/'", "0.0.0.0:8099")
    assert http(tmp_path, text).base_url == "https://shop.example/orders"
