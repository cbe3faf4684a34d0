"""Who gets in, what a body may be, and that nothing secret is repeated."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from smm_rules.config.secrets import SecretUnavailable
from smm_rules.receiving import call as call_module
from smm_rules.receiving.clients import Clients
from smm_rules.receiving.strict_json import digest_of, read_json
from smm_rules.web.throttle import MOST_FAILURES, WITHIN
from tests.receiving.desk import ENVIRONMENT, READER, TOKEN, TRACKER, Desk, configure, opened

ORDER = {"order": "1", "panel": "north"}


# -- tokens ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("given", [None, "wrong", TOKEN[:-1], TOKEN + "x"])
async def test_without_a_known_token_nothing_is_done(desk: Desk, given: str | None) -> None:
    async with desk.program(given) as program:
        answer = await program.post("/orders", json=ORDER)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["type"] == "urn:smm-rules:problem:unauthorized"
    assert await desk.ledger.order_statuses() == {}


@pytest.mark.parametrize("header", [f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN} {TOKEN}", f"Token {TOKEN}"])
async def test_a_token_is_a_bearer_s(desk: Desk, header: str) -> None:
    async with desk.program(None) as program:
        answer = await program.post("/orders", json=ORDER, headers={"authorization": header})
    assert answer.status_code == 401


async def test_two_tokens_at_once_are_none(desk: Desk) -> None:
    async with desk.program(None) as program:
        headers = [("authorization", f"Bearer {TOKEN}"), ("authorization", f"Bearer {READER}")]
        answer = await program.post("/orders", json=ORDER, headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("token", "allowed"),
    [(TOKEN, {"track", "place", "read"}), (READER, {"read"}), (TRACKER, {"track"})],
)
async def test_a_token_may_do_what_it_was_given(desk: Desk, token: str, allowed: set[str]) -> None:
    asked = {
        "track": await desk.post("/orders", ORDER, token),
        "place": await desk.place("k", token=token),
        "read": await desk.get("/orders/north/1", token),
    }
    refused = {name for name, answer in asked.items() if answer.status_code == 403}
    assert set(asked) - refused == allowed


async def test_strangers_are_counted_and_known_programs_let_in_all_the_same(desk: Desk) -> None:
    statuses = [(await desk.get("/intents/1", "wrong")).status_code for _ in range(MOST_FAILURES + 1)]
    assert statuses == [401] * MOST_FAILURES + [429]
    late = await desk.get("/intents/1", "wrong")
    assert int(late.headers["retry-after"]) <= WITHIN.total_seconds()
    assert (await desk.get("/intents/1", TOKEN)).status_code == 404
    desk.clock.at += WITHIN + timedelta(seconds=1)
    assert (await desk.get("/intents/1", "wrong")).status_code == 401


def _clients(directory: Path, **changed: str) -> Clients:
    settings = configure(directory).intake.http
    assert settings is not None
    environment = ENVIRONMENT | changed
    return Clients([(token, token.token.read(environment)) for token in settings.tokens])


def test_a_token_that_protects_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        SecretUnavailable, match=r"token of reader in intake.http is shorter than 32"
    ) as short:
        _clients(tmp_path, READER="hunter2")
    assert "hunter2" not in str(short.value)
    with pytest.raises(SecretUnavailable, match=r"token of reader in intake.http is given to another"):
        _clients(tmp_path, READER=TOKEN)


def test_a_program_may_have_two_tokens_while_one_is_changed(tmp_path: Path) -> None:
    settings = configure(tmp_path).intake.http
    assert settings is not None
    [shop, *_] = settings.tokens
    clients = Clients([(shop, TOKEN), (shop, READER)])
    found = {clients.find(f"Bearer {token}") for token in (TOKEN, READER)}
    assert [client.name for client in found if client is not None] == ["shop"]


# -- bodies ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b'{"order": 1,}', "column 13"),
        (b"\xff", "byte 0 is not UTF-8"),
        (b'{"order": NaN}', "NaN is not JSON"),
        (b'{"order": -Infinity}', "-Infinity is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"order": "1"} {}', "Extra data"),
        (b"\xef\xbb\xbf{}", "line 1, column 1"),
    ],
)
async def test_what_is_no_json_is_told_with_its_place(desk: Desk, body: bytes, told: str) -> None:
    answer = await _send(desk, body)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:smm-rules:problem:unreadable")
    assert told in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "pointer", "told"),
    [
        (b'{"order": "1", "order": "2"}', "/order", "given twice"),
        (b'[{"order": "1"}, {"a/b": 1, "a/b": 1}]', "/1/a~1b", "given twice"),
        (b'{"quantity": 1.0}', "/quantity", "fraction"),
        (b'{"rate": 0.9}', "/rate", "fraction"),
        (b'{"order": 1e3}', "/order", "exponent"),
        (b'{"order": 1234567890123456789}', "/order", "18 digits"),
        (b'{"label": "\\ud800"}', "/label", "half a character"),
        (b'{"\\ud800": 1}', "", "half a character"),
        (b'[[[[["x"]]]]]', "/0/0/0/0", "nested too deeply"),
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused(
    desk: Desk, body: bytes, pointer: str, told: str
) -> None:
    answer = await _send(desk, body)
    assert answer.status_code == 400
    [fault] = answer.json()["errors"]
    assert fault["pointer"] == pointer
    assert told in fault["detail"]


async def _send(desk: Desk, body: bytes, kind: str = "application/json") -> httpx.Response:
    async with desk.program() as program:
        return await program.post("/orders", content=body, headers={"content-type": kind})


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json", ""])
async def test_a_form_of_a_web_page_is_no_body(desk: Desk, kind: str) -> None:
    answer = await _send(desk, b'{"order": "1", "panel": "north"}', kind)
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:smm-rules:problem:media-type")


async def test_a_body_is_bounded_whether_it_says_its_length_or_not(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1_000

    async with opened(tmp_path, intake="largest_body: 2000") as desk, desk.program() as program:
        headers = {"content-type": "application/json"}
        said = await program.post("/orders", content=b" " * 3_000, headers=headers)
        unsaid = await program.post("/orders", content=pieces(), headers=headers)
        assert [answer.json()["type"] for answer in (said, unsaid)] == ["urn:smm-rules:problem:too-large"] * 2


async def test_a_body_that_doesn_t_come_is_not_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_module, "BODY_SECONDS", 0.01)
    assert desk.address.path is not None
    reader, writer = await asyncio.open_unix_connection(str(desk.address.path))
    writer.write(
        b"POST /orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " + TOKEN.encode()
        + b"\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
    )  # fmt: skip
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()


def test_a_digest_is_of_what_is_meant() -> None:
    same = [b'{"a": 1, "b": ["x"]}', b'{"b":["x"],"a":"1"}']
    assert len({digest_of("place", read_json(body)) for body in same}) == 1
    others = [
        *same[:1], b'{"a": 1, "b": "x"}', b'{"a": true, "b": ["x"]}', b'{"a": "true", "b": ["x"]}',
        b'{"a": null, "b": ["x"]}', b'{"a": "01", "b": ["x"]}', b'[{"a": 1, "b": ["x"]}]',
    ]  # fmt: skip
    assert len({digest_of("place", read_json(body)) for body in others}) == len(others)
    assert digest_of("place", {}) != digest_of("track", {})


# -- paths ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404), ("GET", "/nope", 404), ("POST", "/orders/", 404), ("GET", "/orders", 405),
        ("DELETE", "/orders", 405), ("OPTIONS", "/orders", 405), ("POST", "/intents/1", 405),
        ("PUT", "/orders/place", 405),
    ],
)  # fmt: skip
async def test_what_is_not_there_is_a_problem_too(desk: Desk, method: str, path: str, status: int) -> None:
    async with desk.program() as program:
        answer = await program.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status
    assert ("allow" in answer.headers) is (status == 405)


async def test_nothing_of_it_is_kept_by_others_or_read_by_other_sites(desk: Desk) -> None:
    for path in ("/healthz", "/intents/1", "/nope"):
        headers = (await desk.get(path)).headers
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
        assert not [name for name in headers if name.startswith("access-control")]


async def test_no_secret_is_repeated_to_anybody(desk: Desk) -> None:
    secrets = [*ENVIRONMENT.values()]
    with capture_logs() as lines:
        answers = [
            await desk.post("/orders", {"order": secret, "panel": secret, secret: secret, "label": "x" * 300})
            for secret in secrets
        ]
        answers.append(await desk.place(TOKEN, {"service": "north-key-canary-1!", "panel": "north"}))
        answers.append(await desk.get("/intents/1", "w" * 40))
        answers.append(await _send(desk, b'{"' + TOKEN.encode() + b'": 1, "' + TOKEN.encode() + b'": 1}'))
    told = "".join(answer.text + repr(answer.headers) for answer in answers) + json.dumps(lines, default=str)
    assert [secret for secret in secrets if secret in told] == []


# -- health, counts -------------------------------------------------------------------------------------
async def test_health_needs_no_token(desk: Desk) -> None:
    async with desk.program(None) as program:
        answer = await program.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "stuck": []})


async def test_a_stuck_process_is_not_healthy(tmp_path: Path) -> None:
    async with opened(tmp_path, stuck=("orders:north",)) as desk:
        answer = await desk.get("/healthz")
        assert (answer.status_code, answer.json()["stuck"]) == (503, ["orders:north"])


async def test_requests_are_counted_by_program_and_status(desk: Desk) -> None:
    await desk.post("/orders", ORDER)
    await desk.place("k")
    await desk.get("/intents/1", "wrong")
    counted = {(count.name, *dict(count.labels).values()): count.value for count in desk.counters.snapshot()}
    assert counted == {
        ("intake_requests", "shop", "track", "200"): 1,
        ("intake_requests", "shop", "place", "202"): 1,
        ("intake_requests", "-", "intent", "401"): 1,
    }
