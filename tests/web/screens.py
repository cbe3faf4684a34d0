"""Pictures of the status page, wide and narrow, light and dark: `./dev screens [DIRECTORY]`.

Served as in life, over a ledger as a busy week leaves it, and looked at by Debian's Chromium.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from smm_rules.config.web import ListenAddress
from smm_rules.ledger.lock import DaemonLock
from smm_rules.web.app import make_app
from smm_rules.web.server import PageServer
from smm_rules.web.site import Login, Site
from tests.web.elsewhere import mail, terminal
from tests.web.shop import HASH, PASSWORD, USER, fill, open_site

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PAGES = {
    "overview": "/",
    "panel": "/panels/north",
    "orders": "/orders",
    "order": "/orders/north/7313",
    "services": "/services",
    "services-found": "/services?words=followers",
    "service": "/services/north/102",
    "rules": "/rules",
    "rule": "/rules/reorder-canceled",
    "intents": "/intents",
    "in-doubt": "/intents/8",
    "held": "/intents/9",
    "approve": "/intents/9/approve",
    "happened": "/intents/8/happened",
    "messages": "/messages",
    "alerts": "/alerts",
    "stops": "/stops",
    "statements": "/statements",
}
#: Shown in the dark as well.
DARK = ("overview", "panel", "in-doubt")


def chromium() -> str | None:
    """Where Debian's browser is; None where it isn't installed."""
    return shutil.which("chromium")


@asynccontextmanager
async def served(directory: Path, *, on_disk: bool = False) -> AsyncIterator[tuple[Site, str]]:
    """A full shop's page on a port of its own: the site and its address."""
    site = await open_site(directory, login=Login(USER, HASH), on_disk=on_disk)
    await fill(site.ledger)  # type: ignore[arg-type]  # an SqliteLedger
    lock = DaemonLock(site.configuration.ledger)
    lock.acquire()
    server = PageServer(make_app(site, ListenAddress("127.0.0.1", 0)), ListenAddress("127.0.0.1", 0))
    await server.start()
    try:
        yield site, f"http://{server.address}"
    finally:
        await server.stop()
        lock.release()
        await site.ledger.aclose()


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """Chromium without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            await browser.close()


async def log_in(page: Page, address: str) -> None:
    """Through the form, as people do."""
    await page.goto(f"{address}/login")
    await page.get_by_label("Name").fill(USER)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_text("Waits for you").wait_for()


async def take(directory: Path) -> None:
    """Every page, wide and narrow, and some in the dark; beside them `top` and a digest as mail."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as shop:
        async with served(Path(shop), on_disk=True) as (site, address), browsing() as browser:
            page = await browser.new_page(viewport=WIDE)
            for name, content in (("top", await terminal(site)), ("digest-mail", await mail(site))):
                await page.set_content(content)
                await page.screenshot(path=directory / f"{name}.png", full_page=True)
                print(directory / f"{name}.png")
            for width, size in (("wide", WIDE), ("narrow", NARROW)):
                for scheme in ("light", "dark"):
                    context = await browser.new_context(viewport=size, color_scheme=scheme)
                    page = await context.new_page()
                    await log_in(page, address)
                    for name in PAGES if scheme == "light" else DARK:
                        await page.goto(address + PAGES[name])
                        path = directory / f"{name}-{width}{'-dark' if scheme == 'dark' else ''}.png"
                        await page.screenshot(path=path, full_page=True)
                        print(path)
                    await context.close()


if __name__ == "__main__":
    if chromium() is None:
        sys.exit("There is no chromium. Debian has it: apt-get install chromium")
    asyncio.run(take(Path(sys.argv[1] if len(sys.argv) > 1 else "dist/screens")))
