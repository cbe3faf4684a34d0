"""Somebody with a browser: reads pages, logs in, sends the forms that are on them."""

from __future__ import annotations

import re
from html import unescape

import httpx

from smm_rules.web.site import Login, Site
from tests.web.shop import HASH, PASSWORD, USER, browser

LOGIN = Login(USER, HASH)
OPEN_LOGIN = Login(USER, HASH, everywhere=False)


class Visitor:
    """A browser with its cookies; forms are taken from the pages as they are."""

    def __init__(self, site: Site, client: str = "127.0.0.1", address: str = "http://127.0.0.1:8787") -> None:
        self.http = browser(site, address, client)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers=headers)

    async def text(self, path: str) -> str:
        """A page's text; it must be there."""
        answer = await self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    async def form(self, page: str, action: str | None = None) -> dict[str, str]:
        """The hidden fields of a form on a page, the one sent to `action` if there are several."""
        return hidden(await self.text(page), action or page)

    async def send(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        return await self.http.post(path, data=fields, headers=headers)

    async def log_in(self, password: str = PASSWORD, user: str = USER, after: str = "") -> httpx.Response:
        path = f"/login?next={after}" if after else "/login"
        csrf = re.search(r'name="csrf" value="([^"]+)"', await self.text(path))
        assert csrf is not None
        return await self.send(path, {"csrf": csrf[1], "user": user, "password": password})

    async def press(self, page: str, **fields: str) -> httpx.Response:
        """Send the form of a page that asks before it acts."""
        return await self.send(page, {**await self.form(page), **fields})


def hidden(html: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that is sent to `action`."""
    found = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', html, re.DOTALL)
    assert found is not None, f"no form is sent to {action}"
    inputs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', found[1])
    return {name: unescape(value) for name, value in inputs}
