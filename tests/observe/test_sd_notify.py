"""Word to systemd, heard on a real socket."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.observe import Notifier


@contextmanager
def listening(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        listener.settimeout(5)
        yield listener


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "notify") if request.param == "path" else f"@smm-rules-test-{os.getpid()}"


def test_every_word_arrives(address: str) -> None:
    with listening(address) as listener:
        notifier = Notifier.from_environment({"NOTIFY_SOCKET": address})
        said = [
            notifier.ready("watching 3 orders"),
            notifier.status("two\nlines\nREADY=1"),
            notifier.stopping(),
            notifier.watchdog(),
            notifier.extend_timeout(timedelta(seconds=90)),
        ]
        heard = [listener.recv(1000).decode() for _ in said]
    assert said == [True] * 5
    assert heard == [
        "READY=1\nSTATUS=watching 3 orders",
        "STATUS=two lines READY=1",
        "STOPPING=1",
        "WATCHDOG=1",
        "EXTEND_TIMEOUT_USEC=90000000",
    ]


def test_a_reload_carries_the_monotonic_time(address: str) -> None:
    with listening(address) as listener:
        Notifier.from_environment({"NOTIFY_SOCKET": address}).reloading()
        heard = listener.recv(1000).decode()
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", heard)


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_a_socket_nothing_is_said(environment: dict[str, str]) -> None:
    notifier = Notifier.from_environment({**environment, "WATCHDOG_USEC": "1000000"})
    assert (notifier.listening, notifier.ready(), notifier.watchdog_interval) == (False, False, None)


@pytest.mark.parametrize("named", ["/nowhere/notify", "/" + "x" * 300, "@" + "x" * 300, "/a\0b"])
def test_a_broken_socket_is_no_failure(named: str) -> None:
    assert Notifier.from_environment({"NOTIFY_SOCKET": named}).ready() is False


@pytest.mark.parametrize(
    ("environment", "interval"),
    [
        ({"WATCHDOG_USEC": "60000000"}, timedelta(seconds=30)),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, timedelta(seconds=30)),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "9" * 40}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_at_half_its_limit(
    environment: dict[str, str], interval: timedelta | None
) -> None:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": "/run/notify", **environment})
    assert notifier.watchdog_interval == interval
