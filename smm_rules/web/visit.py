"""One request to the page: who asks, what may be shown to them, and how a page is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from smm_rules.web.protection import LARGEST_BODY, host_of
from smm_rules.web.rendering import render
from smm_rules.web.sessions import Session, new_form
from smm_rules.web.site import Site

#: The name of the cookie that keeps a login; with https under a name that browsers guard against others.
COOKIE, SECURE_COOKIE = "smm-rules", "__Host-smm-rules"
_MOST_FIELDS = 50


class NotFound(Exception):
    """There is no such thing; the message says what is missing."""


class Refused(Exception):
    """What was asked for isn't done. The message says why; `status` is HTTP's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class Visit:
    """A request with the site it came to."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.site: Site = request.app.state.site
        self.now: datetime = self.site.clock.now()
        self.session: Session | None = self.site.sessions.find(self.token, self.now)

    @property
    def token(self) -> str | None:
        """The token of the login that came with the request."""
        return self.request.cookies.get(self.cookie_name)

    @property
    def cookie_name(self) -> str:
        return SECURE_COOKIE if self.site.is_secure else COOKIE

    def numbered(self, what: str) -> int:
        """The number by which the path names a thing, by what it is called there; `NotFound` for none."""
        text: str = self.request.path_params[what]
        if not (text.isascii() and text.isdecimal() and len(text) < 19):
            raise NotFound(f"There is no {what} {text}.")
        return int(text)

    @property
    def may_read(self) -> bool:
        """Whether pages are shown to whoever asks."""
        login = self.site.login
        return login is None or not login.everywhere or self.session is not None

    @property
    def client(self) -> str:
        """Who asks, for counting wrong passwords: a proxy's last word where one stands before us."""
        peer = self.request.client.host if self.request.client else ""
        forwarded = self.request.headers.get("x-forwarded-for", "")
        if forwarded and peer in ("", "127.0.0.1", "::1"):
            return forwarded.rpartition(",")[2].strip()[:64]
        return peer

    @property
    def followed_a_link(self) -> bool:
        """Whether another site's or program's link led here, with which browsers send no strict cookie."""
        headers = self.request.headers
        return (
            self.request.method == "GET"
            and headers.get("sec-fetch-site") == "cross-site"
            and headers.get("sec-fetch-mode", "navigate") == "navigate"
        )

    @property
    def is_forwarded(self) -> bool:
        """Whether a proxy handed the request on."""
        return any(name in self.request.headers for name in ("x-forwarded-for", "forwarded", "via"))

    @property
    def here(self) -> str:
        """This page's path and query below the root, to come back to."""
        path = quote(self.request.scope["path"], safe="/")
        asked = self.request.url.query
        return f"{path}?{asked}" if asked else path

    def argument(self, name: str, most: int = 200) -> str:
        """A value of the query, cut to what is reasonable; empty when it isn't there."""
        return self.request.query_params.get(name, "")[:most]

    def number(self, name: str) -> int | None:
        """A number of the query, None when there is none."""
        text = self.argument(name, 19)
        return int(text) if text.isascii() and text.isdecimal() and int(text) < 2**62 else None

    def path(self, to: str) -> str:
        """The address of one of our pages, `to` below the root, as browsers see it."""
        return f"{self.site.root}/{to.lstrip('/')}"

    def page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """A page of the frame that all have in common."""
        notice, trouble = self.session.take_word() if self.session is not None else ("", "")
        frame: dict[str, object] = {
            "visit": self,
            "now": self.now,
            "session": self.session,
            "login": self.site.login,
            "panels": self.site.panels,
            "new_form": new_form,
            "notice": notice,
            "word": trouble,
            "refresh": None,
        }
        return HTMLResponse(render(template, frame | values), status)

    def redirect(self, to: str) -> RedirectResponse:
        """Look there next, by GET."""
        return RedirectResponse(self.path(to), status_code=303)

    def to_login(self) -> RedirectResponse:
        """Log in first, then come back here."""
        return self.redirect(f"login?next={quote(self.here, safe='')}")

    async def form(self) -> dict[str, str]:
        """The fields of the form that was sent; `Refused` when it is none of ours by its form."""
        self._check_origin()
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise Refused("That is no form of this page.", 415)
        body = bytearray()
        async for chunk in self.request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise Refused("That is too long.", 413)
        try:
            text = body.decode("utf-8")
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        except ValueError:
            raise Refused("That is no form of this page.") from None

    def _check_origin(self) -> None:
        """Browsers say where a form comes from. One of another site is refused even with the right token."""
        site = self.request.headers.get("sec-fetch-site", "same-origin")
        origin = self.request.headers.get("origin")
        own = host_of(self.request.scope)
        if site not in ("same-origin", "none") or (origin is not None and urlsplit(origin).hostname != own):
            raise Refused("The form came from another site, so nothing was done.", 403)


Handler = Callable[[Visit], Awaitable[Response]]


def safe_next(text: str) -> str:
    """Where to go after the login: a path of ours alone, else the first page."""
    ours = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if ours and "\\" not in text else "/"
