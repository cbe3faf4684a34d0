"""What stands before every page."""

from __future__ import annotations

import re

import pytest

from smm_rules.config.web import ListenAddress
from smm_rules.web.protection import names_of
from tests.web.conftest import Opener
from tests.web.visitor import Visitor


@pytest.mark.parametrize("path", ["/", "/nope", "/static/style.css", "/healthz", "/login"])
async def test_a_browser_runs_and_loads_nothing_of_others(open_shop: Opener, path: str) -> None:
    headers = (await Visitor(await open_shop()).get(path)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    kept = "public, max-age=31536000, immutable" if path.startswith("/static") else "no-store"
    assert headers["cache-control"] == kept


async def test_no_page_has_a_script_a_style_or_a_file_of_elsewhere(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop())
    for path in ("/", "/panels/north", "/intents/8", "/orders/north/7313"):
        text = await visitor.text(path)
        assert re.findall(r"<script|<style|<[^>]*\s(?:style|src|on\w+)=", text) == []
        assert re.findall(r'(?:href|action)="(?!/|#|\?)[^"]*"', text) == []


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "localhost.evil"])
async def test_a_name_that_is_not_its_own_is_refused(open_shop: Opener, host: str) -> None:
    visitor = Visitor(await open_shop())
    answer = await visitor.get("/", host=host)
    assert answer.status_code == 421
    assert "7313" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8787", "localhost:8787", "[::1]:8787", "LOCALHOST"])
async def test_its_own_names_are_taken(open_shop: Opener, host: str) -> None:
    assert (await Visitor(await open_shop()).get("/", host=host)).status_code == 200


def test_the_names_of_a_page() -> None:
    loopback, everywhere = ListenAddress("127.0.0.1", 80), ListenAddress("0.0.0.0", 80)
    socket = ListenAddress(path=__file__)  # type: ignore[arg-type]  # any path
    assert names_of(loopback, "") == {"127.0.0.1", "localhost", "::1"}
    assert names_of(everywhere, "https://ops.example") == {"0.0.0.0", "ops.example"}
    assert names_of(socket, "https://ops.example/smm") == {"ops.example"}
    assert names_of(socket, "") is None


async def test_a_body_announced_too_large_is_not_read(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop())
    answer = await visitor.http.post("/stops/panic", content=b"x" * 70_000)
    assert answer.status_code == 413


async def test_other_methods_are_refused(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop())
    assert (await visitor.http.put("/intents/9/approve")).status_code == 405
    assert (await visitor.http.delete("/")).status_code == 405
    assert (await visitor.http.head("/healthz")).status_code == 200
