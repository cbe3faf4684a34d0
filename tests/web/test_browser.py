"""The page in Debian's Chromium: wide and narrow, by the keyboard, and as screen readers see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from smm_rules.ledger.records import IntentState
from smm_rules.web.site import Site

pytest.importorskip("playwright.async_api", reason="playwright isn't there: pip install 'smm-rules[browser]'")
axe = pytest.importorskip(
    "axe_playwright_python.async_playwright", reason="axe isn't there (smm-rules[browser])"
)

from playwright.async_api import Browser, BrowserContext, Page  # noqa: E402

from tests.web.screens import (  # noqa: E402
    DARK,
    NARROW,
    PAGES,
    WIDE,
    browsing,
    chromium,
    log_in,
    served,
)

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="chromium isn't there (Debian: chromium)"),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def shop(tmp_path: Path) -> AsyncIterator[tuple[Site, str]]:
    async with served(tmp_path) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as found:
        yield found


async def opened(
    browser: Browser, address: str, size: dict[str, int] = WIDE, scheme: str = "light", **more: object
) -> tuple[BrowserContext, Page]:
    context = await browser.new_context(viewport=size, color_scheme=scheme, **more)  # type: ignore[arg-type]
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.complaints = complaints  # type: ignore[attr-defined]  # read at the test's end
    await log_in(page, address)
    return context, page


async def test_every_page_is_accessible_by_axe(shop: tuple[Site, str], browser: Browser) -> None:
    """Contrast in light and dark, labels, landmarks, names, order of headings: the rules of WCAG 2.2 AA."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    options = {"runOnly": {"type": "tag", "values": tags}, "resultTypes": ["violations"]}
    found: dict[str, list[str]] = {}
    for scheme in ("light", "dark"):
        context, page = await opened(browser, shop[1], scheme=scheme)
        for name in PAGES if scheme == "light" else DARK:
            await page.goto(shop[1] + PAGES[name])
            result = await axe.Axe().run(page, options=options)
            told = [
                f"{one['id']}: {node['html'][:120]}"
                for one in result.response["violations"]
                for node in one["nodes"]
            ]
            if told:
                found[f"{name} {scheme}"] = told
        await context.close()
    assert found == {}


async def test_nothing_is_wider_than_a_phone(shop: tuple[Site, str], browser: Browser) -> None:
    for size in (NARROW, {"width": 320, "height": 640}):
        context, page = await opened(browser, shop[1], size)
        for path in PAGES.values():
            await page.goto(shop[1] + path)
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert (path, width) == (path, size["width"])
        await context.close()


async def test_nothing_is_asked_of_elsewhere_and_the_policy_is_kept(
    shop: tuple[Site, str], browser: Browser
) -> None:
    context, page = await opened(browser, shop[1])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in PAGES.values():
        await page.goto(shop[1] + path)
    assert [url for url in asked if not url.startswith(shop[1])] == []
    assert page.complaints == []  # type: ignore[attr-defined]  # what the console said
    await context.close()


async def test_an_action_is_approved_by_the_keyboard_alone_without_scripts(
    shop: tuple[Site, str], browser: Browser
) -> None:
    site, address = shop
    context, page = await opened(browser, address, NARROW, java_script_enabled=False)
    await page.goto(f"{address}/intents/9")
    for _ in range(40):
        await page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if "Approve" in (await focused.inner_text() if await focused.count() else ""):
            break
    await page.keyboard.press("Enter")
    await page.get_by_text("That costs 12.60 USD.").wait_for()
    await page.get_by_role("button", name="Approve").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("status").wait_for()
    assert "Approved." in await page.get_by_role("status").inner_text()
    found = await site.ledger.intent(9)
    assert found is not None
    assert found.state is IntentState.PLANNED
    assert (await site.ledger.transitions(9))[-1].by == "web:ann"
    await context.close()


async def test_the_first_stop_of_the_tab_key_skips_to_the_content(
    shop: tuple[Site, str], browser: Browser
) -> None:
    context, page = await opened(browser, shop[1])
    await page.goto(f"{shop[1]}/intents")
    await page.keyboard.press("Tab")
    assert await page.locator(":focus").inner_text() == "Skip to content"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "content"
    await context.close()


async def test_landmarks_and_headings_lead_through_the_page(shop: tuple[Site, str], browser: Browser) -> None:
    context, page = await opened(browser, shop[1])
    for path in PAGES.values():
        await page.goto(shop[1] + path)
        for role in ("banner", "main", "contentinfo"):
            assert await page.get_by_role(role).count() == 1  # type: ignore[arg-type]  # a role's name
        assert await page.get_by_role("heading", level=1).count() == 1
        assert await page.get_by_role("navigation", name="Pages").count() == 1
    await context.close()


async def test_a_link_from_elsewhere_finds_the_login(shop: tuple[Site, str], browser: Browser) -> None:
    """As from a message on another site: the strict cookie isn't sent at first; the page comes still."""
    context, page = await opened(browser, shop[1])
    await page.route("http://mail.example/", lambda route: route.fulfill(
        body=f'<a href="{shop[1]}/intents/9">open</a>', content_type="text/html"))  # fmt: skip
    await page.goto("http://mail.example/")
    await page.get_by_role("link", name="open").click()
    await page.get_by_role("heading", name="Intent 9").wait_for()
    assert await page.get_by_role("link", name="Approve").count() == 1
    await context.close()


async def test_a_form_of_another_site_does_nothing(shop: tuple[Site, str], browser: Browser) -> None:
    site, address = shop
    context, page = await opened(browser, address)
    form = f'<form method="post" action="{address}/intents/9/approve"><button>go</button></form>'
    await page.route("http://evil.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
    await page.goto("http://evil.example/")
    await page.get_by_role("button", name="go").click()
    await page.wait_for_load_state()
    found = await site.ledger.intent(9)
    assert found is not None
    assert found.state is IntentState.HELD
    await context.close()
