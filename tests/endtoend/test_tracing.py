"""Traces of a real daemon at a real receiver: a story in one trace, and no secret in any."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from urllib.parse import quote_plus

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from smm_rules.simulator import AccountSettings, RunningSimulator, SimulatorSettings
from tests.endtoend.processes import Launcher
from tests.endtoend.test_faults import three_orders
from tests.endtoend.waiting import eventually
from tests.endtoend.world import World, receiver
from tests.notify.receiver import Receiver, answering, receiving

KEY, TOKEN = "cAnArY/9f+27=b1-kEy", "collector-token-77"
ACTION = {"action", "action.check", "action.claim", "panel.call", "action.settle"}
STORY = {"rule.fired", "message.send"} | ACTION


def traces(collector: Receiver) -> dict[bytes, list[str]]:
    """The names of the spans that arrived, by their trace."""
    found: defaultdict[bytes, list[str]] = defaultdict(list)
    for received in collector.received:
        request = ExportTraceServiceRequest.FromString(received.body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for one in scope.spans:
                    found[one.trace_id].append(one.name)
    return found


async def test_each_story_arrives_as_one_trace_without_a_secret(launcher: Launcher, tmp_path: Path) -> None:
    settings = SimulatorSettings(
        speed=0, accounts=(AccountSettings(key=KEY),), journal=tmp_path / "panel-journal.jsonl"
    )
    async with receiver() as hook, receiving(lambda _: answering(200)) as collector:
        with RunningSimulator(settings) as panel:
            world = World(tmp_path, panel.url, KEY, hook, launcher, panel)
            (tmp_path / "token").write_text(TOKEN)
            (tmp_path / "token").chmod(0o600)
            with world.configuration.open("a") as file:
                file.write(
                    f"tracing:\n  endpoint: {collector.url('/v1/traces')}\n"
                    "  headers: {authorization: {file: token}}\n"
                )
            await three_orders(world)
            daemon = world.start()
            await world.until(lambda books: len(books.intents) == 3 and books.at_rest)
            assert await daemon.stop() == 0
            await eventually(
                lambda: sum(set(names) >= STORY for names in traces(collector).values()) == 3,
                "the traces of three stories",
                describe=lambda: str(dict(traces(collector))),
            )
    assert {received.headers["authorization"] for received in collector.received} == {TOKEN}
    looks = [names for names in traces(collector).values() if "look" in names]
    assert any({"look", "panel.call", "look.judge"} <= set(names) for names in looks)
    sent = b"".join(received.body for received in collector.received)
    for secret in (KEY, quote_plus(KEY), TOKEN, "https://example"):
        assert secret.encode() not in sent
    assert TOKEN not in daemon.tail()


async def test_a_collector_that_is_away_stops_nothing(launcher: Launcher, tmp_path: Path) -> None:
    settings = SimulatorSettings(speed=0, journal=tmp_path / "panel-journal.jsonl")
    async with receiver() as hook:
        with RunningSimulator(settings) as panel:
            world = World(tmp_path, panel.url, settings.accounts[0].key, hook, launcher, panel)
            with world.configuration.open("a") as file:
                file.write("tracing: {endpoint: http://127.0.0.1:9/v1/traces}\n")
            await three_orders(world)
            daemon = world.start()
            await world.until(lambda books: len(books.intents) == 3 and books.at_rest)
            assert await daemon.stop() == 0
