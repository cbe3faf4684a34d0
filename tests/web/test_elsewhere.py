"""The pictures beside the page show what they are of."""

from __future__ import annotations

import re
from html import unescape

from tests.web.conftest import Opener
from tests.web.elsewhere import mail, terminal


async def test_top_and_a_digest_are_pictured_from_the_shop(open_shop: Opener) -> None:
    site = await open_shop()
    shown = unescape(re.sub("<[^>]+>", "", await terminal(site))).replace("\u00a0", " ")
    assert re.search("IN DOUBT +8 reorder", shown)
    assert "ALERTS" in shown
    page = await mail(site)
    assert "<b>Subject:</b> 2 alerts (low-balance 2)" in page
    assert "north, 14 days: " in page
    assert "<figcaption>balance-north.svg</figcaption>" in page
