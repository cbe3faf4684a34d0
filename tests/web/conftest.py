"""A page over a busy shop's ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from smm_rules.web.site import Site
from tests.web.shop import fill, open_site
from tests.web.visitor import LOGIN, Visitor

#: Opens a site over the test's own ledger; closed when the test ends.
Opener = Callable[..., Awaitable[Site]]


@pytest.fixture
async def open_shop(tmp_path: Path) -> AsyncIterator[Opener]:
    """Makes sites; `full` fills the ledger."""
    opened: list[Site] = []

    async def open_(*, full: bool = True, **asked: object) -> Site:
        site = await open_site(tmp_path, **asked)  # type: ignore[arg-type]  # as the test names it
        opened.append(site)
        if full:
            await fill(site.ledger)  # type: ignore[arg-type]  # an SqliteLedger
        return site

    yield open_
    for site in opened:
        await site.ledger.aclose()


@pytest.fixture
async def site(open_shop: Opener) -> Site:
    """A full shop in which ann can log in."""
    return await open_shop(login=LOGIN)


@pytest.fixture
async def ann(site: Site) -> Visitor:
    """Ann, logged in."""
    visitor = Visitor(site)
    await visitor.log_in()
    return visitor
