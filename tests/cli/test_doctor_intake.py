"""`smm-rules doctor` on the HTTP intake: its tokens, its packages, and whether it answers."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse

from smm_rules.cli.examination.finding import Finding, State
from smm_rules.cli.examination.intake import examine_intake
from smm_rules.config.web import ListenAddress
from smm_rules.web.server import PageServer
from tests.receiving.desk import CONFIGURATION, ENVIRONMENT, configure, opened

TOKENS = ["token of shop", "token of reader", "token of tracker"]


async def examined(directory: Path, **changed: str) -> list[Finding]:
    return list(await examine_intake(configure(directory), ENVIRONMENT | changed))


async def test_one_that_answers_is_fit(tmp_path: Path) -> None:
    async with opened(tmp_path):
        found = await examined(tmp_path)
    assert [(one.subject, one.state) for one in found] == [
        *((subject, State.OK) for subject in TOKENS), ("HTTP intake", State.OK),
    ]  # fmt: skip
    assert found[-1].found == f"answers on unix:{tmp_path / 'intake.sock'}"
    assert [token for token in ENVIRONMENT.values() if token in repr(found)] == []


async def test_one_that_is_not_served_is_no_problem_while_the_daemon_rests(tmp_path: Path) -> None:
    (last,) = (await examined(tmp_path))[-1:]
    assert (last.state, "nobody listens" in last.found) == (State.OK, True)


async def test_a_stuck_daemon_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path, stuck=("orders",)):
        assert (await examined(tmp_path))[-1].state is State.PROBLEM


async def test_something_else_at_its_address_is_a_problem(tmp_path: Path) -> None:
    other = PageServer(PlainTextResponse("hello"), ListenAddress(path=tmp_path / "intake.sock"))
    await other.start()
    found = await examined(tmp_path)
    await other.stop()
    assert (found[-1].state, "something else answers" in found[-1].found) == (State.PROBLEM, True)


async def test_one_on_all_addresses_is_asked_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, listen=ListenAddress("127.0.0.1", 0)) as desk:
        text = CONFIGURATION.replace(
            "listen: unix:intake.sock",
            f"listen: '0.0.0.0:{desk.address.port}'\n    base_url: https://shop.example",
        )
        monkeypatch.setattr("tests.receiving.desk.CONFIGURATION", text)
        assert (await examined(tmp_path))[-1].found == f"answers on 0.0.0.0:{desk.address.port}"


async def test_a_directory_that_is_not_there_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.receiving.desk.CONFIGURATION", CONFIGURATION.replace("unix:", "unix:nowhere/"))
    assert (await examined(tmp_path))[-1].state is State.PROBLEM


async def test_tokens_that_serve_nobody_are_problems(tmp_path: Path) -> None:
    short = await examined(tmp_path, SHOP="hunter2")
    assert (short[0].state, "hunter2" in repr(short)) == (State.PROBLEM, False)
    missing = await examine_intake(configure(tmp_path), {})
    assert [one.state for one in missing[:3]] == [State.PROBLEM] * 3


async def test_a_credential_can_only_be_looked_at_by_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CONFIGURATION.replace("{env: SHOP}", "{credential: shop}")
    monkeypatch.setattr("tests.receiving.desk.CONFIGURATION", text)
    assert (await examined(tmp_path))[0].state is State.WARNING


async def test_packages_that_are_missing_are_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = await asyncio.create_task(examined(tmp_path))
    assert "pip install 'smm-rules[web]'" in [one.remedy for one in found]


async def test_without_one_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = CONFIGURATION.partition("intake:")[0]
    monkeypatch.setattr("tests.receiving.desk.CONFIGURATION", text)
    assert await examined(tmp_path) == []
