"""The HTTP intake: its tokens, what it needs, and whether it answers where it should."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping

import httpx

from smm_rules.cli.examination.finding import Finding, State, ok, problem, warning
from smm_rules.cli.examination.secret import examine_secret
from smm_rules.config.intake import SHORTEST_TOKEN, HttpIntakeSettings
from smm_rules.config.model import Configuration
from smm_rules.config.web import ListenAddress

_SUBJECT = "HTTP intake"
_SECONDS = 5.0


async def examine_intake(configuration: Configuration, environment: Mapping[str, str]) -> tuple[Finding, ...]:
    """Everything about it; nothing where there is none."""
    settings = configuration.intake.http
    if settings is None:
        return ()
    found = [*_tokens(settings, environment), *_extra()]
    return (*found, await _answer(settings.listen))


def _tokens(settings: HttpIntakeSettings, environment: Mapping[str, str]) -> Iterator[Finding]:
    for one in settings.tokens:
        found = examine_secret(f"token of {one.name}", one.token, environment)
        if found.state is not State.OK:
            yield found
        elif len(one.token.read(environment)) < SHORTEST_TOKEN:
            short = f"{one.token} is shorter than {SHORTEST_TOKEN} characters, so the intake isn't served"
            yield problem(found.subject, short, "Make one with: openssl rand -hex 32")
        else:
            yield ok(found.subject, f"{found.found}; it may {', '.join(one.may)}")


def _extra() -> Iterator[Finding]:
    if not all(importlib.util.find_spec(name) for name in ("starlette", "uvicorn")):
        yield problem(_SUBJECT, "it needs packages that aren't installed", "pip install 'smm-rules[web]'")


async def _answer(listen: ListenAddress) -> Finding:
    """Whether somebody answers there, and whether that is an intake."""
    if listen.path is not None and not listen.path.parent.is_dir():
        remedy = "Make it, or name another place in intake.http.listen"
        return problem(_SUBJECT, f"there is no directory {listen.path.parent} for its socket", remedy)
    transport = httpx.AsyncHTTPTransport(uds=None if listen.path is None else str(listen.path))
    url = "http://intake" if listen.path is not None else f"http://{_reachable(listen)}"
    try:
        async with httpx.AsyncClient(transport=transport, base_url=url, timeout=_SECONDS) as client:
            response = await client.get("/healthz")
        status = response.json().get("status")
    except httpx.ConnectError as error:
        if "Permission denied" in str(error):
            remedy = "Run doctor as the daemon's user, or as one of its group"
            return warning(_SUBJECT, f"this user may not connect to {listen}", remedy)
        return ok(_SUBJECT, f"nobody listens on {listen} now; the daemon does while it runs")
    except (httpx.HTTPError, ValueError, AttributeError):
        status = None
    if status == "ok":
        return ok(_SUBJECT, f"answers on {listen}")
    if status == "stuck":
        return problem(_SUBJECT, f"answers on {listen} that the daemon is stuck", "Read its log, restart it")
    remedy = "Stop it, or take another address for intake.http.listen"
    return problem(_SUBJECT, f"something else answers on {listen}", remedy)


def _reachable(listen: ListenAddress) -> str:
    """Where this machine reaches what listens on all its addresses."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104 - it isn't bound
    return str(ListenAddress(here, listen.port))
