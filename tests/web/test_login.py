"""Who may read and press: sessions, forms, other sites, and wrong passwords."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smm_rules.ledger.records import IntentState
from smm_rules.web.password import hash_password, matches
from smm_rules.web.sessions import LIFETIME, MOST_SESSIONS, Sessions
from smm_rules.web.throttle import MOST_FAILURES, WITHIN
from smm_rules.web.visit import safe_next
from tests.web.conftest import Opener
from tests.web.shop import NOW, PASSWORD
from tests.web.visitor import LOGIN, OPEN_LOGIN, Visitor

HTTPS = "web: {base_url: 'https://ops.example'}"


async def test_with_a_login_nothing_is_read_without_it(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop(login=LOGIN))
    for path in ("/", "/intents/8", "/orders?order=7301", "/nope"):
        answer = await visitor.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=%2F")
    assert "7313" not in await visitor.text("/login")


async def test_the_login_leads_to_the_page_that_was_asked_for(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop(login=LOGIN))
    asked = (await visitor.get("/intents?state=held")).headers["location"]
    assert asked == "/login?next=%2Fintents%3Fstate%3Dheld"
    answer = await visitor.log_in(after="%2Fintents%3Fstate%3Dheld")
    assert (answer.status_code, answer.headers["location"]) == (303, "/intents?state=held")
    assert "ann" in await visitor.text("/intents?state=held")


async def test_the_cookie_is_kept_from_scripts_and_other_sites(open_shop: Opener) -> None:
    plain = await Visitor(await open_shop(login=LOGIN)).log_in()
    cookie = next(value for value in plain.headers.get_list("set-cookie") if value.startswith("smm-rules="))
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    site = await open_shop(full=False, login=LOGIN, web=HTTPS)
    visitor = Visitor(site, address="https://ops.example")
    secure = await visitor.log_in()
    cookie = next(value for value in secure.headers.get_list("set-cookie") if value.startswith("__Host-"))
    assert "Secure" in cookie
    assert "Path=/" in cookie


async def test_where_reading_is_open_only_buttons_need_the_login(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop(login=OPEN_LOGIN))
    text = await visitor.text("/intents/9")
    assert "Log in to decide" in text
    assert "/intents/9/approve" not in text
    asked = await visitor.get("/intents/9/approve")
    assert asked.headers["location"] == "/login?next=%2Fintents%2F9%2Fapprove"
    await visitor.log_in()
    assert "/intents/9/approve" in await visitor.text("/intents/9")


@pytest.mark.parametrize(
    ("user", "password"), [("ann", "wrong"), ("bob", PASSWORD), ("", ""), ("ann", "x" * 9999)]
)
async def test_a_wrong_name_or_password_is_answered_alike(
    open_shop: Opener, user: str, password: str
) -> None:
    visitor = Visitor(await open_shop(login=LOGIN))
    answer = await visitor.log_in(password, user)
    assert answer.status_code == 401
    assert "Name or password is wrong." in answer.text
    assert (await visitor.get("/")).status_code == 303


async def test_too_many_wrong_passwords_wait(open_shop: Opener) -> None:
    site = await open_shop(login=LOGIN)
    visitor = Visitor(site)
    codes = [(await visitor.log_in("wrong")).status_code for _ in range(MOST_FAILURES + 1)]
    assert codes == [401] * MOST_FAILURES + [429]
    refused = await visitor.log_in()
    assert refused.status_code == 429, "not even the right one"
    assert refused.headers["retry-after"] == str(int(WITHIN.total_seconds()) + 1)
    elsewhere = Visitor(site, client="192.0.2.9")
    assert (await elsewhere.log_in()).status_code == 303, "who is somewhere else may go on"
    site.clock.at = NOW + WITHIN  # type: ignore[attr-defined]  # a HandClock
    assert (await visitor.log_in()).status_code == 303


async def test_behind_a_proxy_its_word_says_who_tried(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop(login=LOGIN))
    visitor.http.headers["x-forwarded-for"] = "1.1.1.1, 192.0.2.1"
    for _ in range(MOST_FAILURES):
        await visitor.log_in("wrong")
    visitor.http.headers["x-forwarded-for"] = "2.2.2.2, 192.0.2.1"
    assert (await visitor.log_in()).status_code == 429, "what comes before it may be made up"
    visitor.http.headers["x-forwarded-for"] = "192.0.2.2"
    assert (await visitor.log_in()).status_code == 303


async def test_a_login_form_of_another_site_is_refused(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop(login=LOGIN))
    fields = {"user": "ann", "password": PASSWORD, "csrf": "made-up"}
    assert (await visitor.send("/login", fields)).status_code == 403
    stolen = Visitor(await open_shop(full=False, login=LOGIN))
    token = (await visitor.form("/login"))["csrf"]
    assert (await stolen.send("/login", {**fields, "csrf": token})).status_code == 403


async def test_a_session_ends_by_itself_and_by_the_button(open_shop: Opener) -> None:
    site = await open_shop(login=LOGIN)
    visitor = Visitor(site)
    await visitor.log_in()
    text = await visitor.text("/")
    assert (await visitor.send("/logout", {"csrf": "wrong"})).status_code == 403
    csrf = text.partition('name="csrf" value="')[2].partition('"')[0]
    assert (await visitor.send("/logout", {"csrf": csrf})).status_code == 303
    assert (await visitor.get("/")).status_code == 303
    await visitor.log_in()
    site.clock.at = NOW + LIFETIME  # type: ignore[attr-defined]  # a HandClock
    assert (await visitor.get("/")).status_code == 303


async def test_a_link_of_another_program_finds_the_login_that_is_there(open_shop: Opener) -> None:
    """Browsers keep a strict cookie from other sites' links: the page asks for itself once more."""
    visitor = Visitor(await open_shop(login=LOGIN))
    answer = await visitor.get("/intents/9?x=1", **{"sec-fetch-site": "cross-site"})
    assert answer.status_code == 200
    assert 'content="0; url=/intents/9?x=1"' in answer.text
    assert "12.60" not in answer.text
    again = await visitor.get("/intents/9?x=1", **{"sec-fetch-site": "same-origin"})
    assert again.status_code == 303


@pytest.mark.parametrize(
    ("asked", "comes_back"),
    [
        ("/orders/north/a%2Fb%3Fc%23d", "/orders/north/a/b%3Fc%23d"),
        ("//evil.example/orders", None),
        ("/orders/north/%22%3E%3Cx", "/orders/north/%22%3E%3Cx"),
    ],
)
async def test_the_page_that_is_asked_for_once_more_is_one_of_ours(
    open_shop: Opener, asked: str, comes_back: str | None
) -> None:
    visitor = Visitor(await open_shop(login=LOGIN))
    answer = await visitor.get(f"http://127.0.0.1:8787{asked}", **{"sec-fetch-site": "cross-site"})
    if comes_back is None:
        assert "evil.example" not in answer.text.partition("<title")[0]
    else:
        assert f'content="0; url={comes_back}"' in answer.text


async def test_without_a_login_there_is_no_button_and_no_form(open_shop: Opener) -> None:
    site = await open_shop()
    visitor = Visitor(site)
    assert "approve" not in (await visitor.text("/intents/9")).replace("intents approve 9", "")
    assert (await visitor.get("/intents/9/approve")).status_code == 403
    for path in ("/intents/9/approve", "/stops/panic", "/stops/pause", "/messages/5/drop", "/login"):
        assert (await visitor.send(path, {"csrf": "x", "form": "y"})).status_code == 403, path
    held = await site.ledger.intent(9)
    assert held is not None
    assert held.state is IntentState.HELD


@pytest.mark.parametrize(
    ("written", "goes_to"),
    [
        ("/intents/9", "/intents/9"), ("/orders?panel=a&status=b", "/orders?panel=a&status=b"), ("", "/"),
        ("//evil.example", "/"), ("/\\evil.example", "/"), ("https://evil.example", "/"), ("/a\\b", "/"),
        ("/\nx", "/"),
    ],
)  # fmt: skip
def test_the_login_leads_to_pages_of_ours_alone(written: str, goes_to: str) -> None:
    assert safe_next(written) == goes_to


def test_a_password_and_its_hash() -> None:
    stored = hash_password(PASSWORD)
    assert matches(PASSWORD, stored)
    assert not matches(PASSWORD + "x", stored)
    assert stored != hash_password(PASSWORD), "each has a salt of its own"
    assert matches("pässwörd with ünicode", hash_password("pässwörd with ünicode"))


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_a_password_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        hash_password(password)


@pytest.mark.parametrize("stored", ["", "hunter2", "$scrypt$ln=4$a$b", "$argon2id$ln=4,r=8,p=1$YWFh$YWFh"])
def test_what_is_no_hash_is_told(stored: str) -> None:
    with pytest.raises(ValueError, match="hash"):
        matches("x", stored)


def test_sessions_are_bounded() -> None:
    sessions = Sessions()
    first = sessions.begin("ann", NOW)
    for _ in range(MOST_SESSIONS):
        sessions.begin("ann", NOW)
    assert sessions.find(first, NOW) is None
    assert sessions.find("made up", NOW) is None
    assert sessions.find(None, NOW) is None


def test_a_session_of_a_clock_that_was_ahead_is_none() -> None:
    sessions = Sessions()
    token = sessions.begin("ann", NOW + timedelta(days=3))
    assert sessions.find(token, NOW) is None
