"""The public kit: the server's life, the clock, the fixture, and what is said when the extra is missing."""

from __future__ import annotations

import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

import smm_rules.simulator as kit
from smm_rules.simulator import AccountSettings, RunningSimulator, SimulatorClock, SimulatorSettings

pytest_plugins = ["pytester"]


def test_the_server_is_gone_after_the_with(client: httpx.Client) -> None:
    with RunningSimulator() as panel:
        reply = client.post(panel.url, data={"key": panel.key, "action": "balance"})
        assert reply.status_code == 200
        url = panel.url
    with pytest.raises(httpx.ConnectError):
        client.post(url)


async def test_the_server_runs_in_a_loop_too() -> None:
    async with RunningSimulator() as panel, httpx.AsyncClient() as client:
        reply = await client.post(panel.url, data={"key": panel.key, "action": "balance"})
    assert reply.json() == {"balance": "100.00000", "currency": "USD"}


def test_a_taken_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError), RunningSimulator(SimulatorSettings(port=port)):
            pass


def test_a_simulator_starts_once() -> None:
    with RunningSimulator() as panel, pytest.raises(RuntimeError, match="once"), panel:
        pass


def test_it_listens_on_ipv6(client: httpx.Client) -> None:
    try:
        panel = RunningSimulator(SimulatorSettings(host="::1")).__enter__()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    try:
        assert client.get(f"{panel.base_url}/control/state").status_code == 200
    finally:
        panel.__exit__(None, None, None)


def test_answers_are_kept_alive(client: httpx.Client) -> None:
    """A connection is used again: a hundred IDs a request would be lost in handshakes otherwise."""
    ports = set()
    with RunningSimulator() as panel:
        for _ in range(3):
            reply = client.post(panel.url, data={"key": panel.key, "action": "balance"})
            ports.add(reply.extensions["network_stream"].get_extra_info("client_addr")[1])
    assert len(ports) == 1


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_a_clock_runs_at_its_speed(speed: float) -> None:
    ticks = iter([0.0, 10.0, 10.0])
    clock = SimulatorClock(speed, datetime(2026, 1, 1, tzinfo=UTC), lambda: next(ticks))
    start = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert clock.seconds() == start + 10 * speed
    clock.advance(timedelta(seconds=5))
    assert clock.seconds() == start + 10 * speed + 5


def test_a_clock_never_runs_backwards() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        SimulatorClock(-1)
    with pytest.raises(ValueError, match="forward"):
        SimulatorClock(0).advance(timedelta(seconds=-1))


def test_a_clock_can_be_shared() -> None:
    clock = SimulatorClock(0)
    with RunningSimulator(clock=clock) as panel:
        before = panel.now()
        clock.advance(timedelta(hours=1))
        assert panel.now() - before == timedelta(hours=1)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"dialect": "ancient"}, "'ancient' is not a valid DialectName"),
        ({"accounts": ()}, "at least one account"),
        ({"accounts": (AccountSettings("a", "k"), AccountSettings("b", "k"))}, "the same key"),
        ({"accounts": (AccountSettings("a", "k"), AccountSettings("a", "l"))}, "the same label"),
        ({"requests_per_minute": 0}, "1 or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        SimulatorSettings(**fields)  # type: ignore[arg-type]


def test_every_public_name_is_there() -> None:
    assert [name for name in kit.__all__ if not hasattr(kit, name)] == []
    assert set(kit.__all__) <= set(dir(kit))
    with pytest.raises(AttributeError, match="no attribute 'Simulater'"):
        kit.Simulater  # noqa: B018


def run_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_without_the_extra_the_error_says_what_to_install() -> None:
    told = run_python(
        "import sys; sys.modules['uvicorn'] = None\n"
        "import smm_rules.simulator as kit; kit.SimulatorSettings\n"
        "try: kit.serve\n"
        "except ImportError as error: print(type(error).__name__, error)"
    )
    assert told == (
        "SimulatorUnavailable the simulator needs uvicorn, which isn't installed: "
        "pip install 'smm-rules[simulator]'\n"
    )


def test_the_plugin_loads_nothing_until_it_is_used() -> None:
    loaded = run_python(
        "import sys, smm_rules.simulator.pytest_plugin\n"
        "print([name for name in ('uvicorn', 'starlette', 'asyncio', 'smm_rules.simulator.settings')"
        " if name in sys.modules and name != 'asyncio'])"
    )
    assert loaded == "[]\n"


def test_the_fixture_in_a_project_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import json, pytest, urllib.parse, urllib.request

        def ask(panel, **form):
            body = urllib.parse.urlencode({"key": panel.key, **form}).encode()
            return json.loads(urllib.request.urlopen(panel.url, body).read())

        def test_default(smm_panel, pytestconfig):
            wanted = pytestconfig.getoption("--smm-panel-dialect")
            assert smm_panel.settings.dialect == wanted

        @pytest.mark.smm_panel(dialect="classic", scenario="mission")
        class TestMarked:
            def test_from_the_class(self, smm_panel):
                assert len(smm_panel.orders) == 5
                assert ask(smm_panel, action="status", order="1001")["remains"] == "1000"

            @pytest.mark.smm_panel(scenario="steady:3")
            def test_from_the_nearest(self, smm_panel):
                assert len(smm_panel.orders) == 3
        """
    )
    result = pytester.runpytest_subprocess("-q", "--strict-markers", "--smm-panel-dialect=modern")
    result.assert_outcomes(passed=3)


def test_a_wrong_marker_says_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.smm_panel(dialekt="modern")
        def test_misspelt(smm_panel): pass

        @pytest.mark.smm_panel("modern")
        def test_positional(smm_panel): pass
        """
    )
    result = pytester.runpytest_subprocess("-q")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*unexpected keyword argument 'dialekt'*", "*takes named settings only*"])


def test_the_example_in_the_documentation_runs(pytester: pytest.Pytester) -> None:
    text = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()
    blocks = [block.partition("```")[0] for block in text.split("```python\n")[1:]]
    tests = [block for block in blocks if "def test_" in block]
    assert tests
    pytester.makepyfile(**{f"test_documented_{number}": block for number, block in enumerate(tests)})
    result = pytester.runpytest_subprocess("-q", "-o", "asyncio_mode=auto")
    result.assert_outcomes(passed=sum(block.count("def test_") for block in tests))
