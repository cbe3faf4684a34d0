"""Where a key may travel to."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from smm_rules.panel.endpoint import Endpoint

KEY = "canary-endpoint-key"


@pytest.mark.parametrize(
    "url",
    [
        "https://panel.example/api/v2",
        "https://panel.example:8443/api/v2?lang=en",
        "http://localhost:8000/api/v2",
        "http://127.0.0.1/api/v2",
        "http://127.9.9.9/api/v2",
        "http://[::1]:8000/api/v2",
        "HTTPS://panel.example/",
    ],
)
def test_https_and_loopback_are_taken(url: str) -> None:
    assert Endpoint("main", url, KEY).url == url


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://panel.example/api/v2", "http:// would send the API key to panel.example in the clear"),
        ("http://127.0.0.1.panel.example/", "in the clear"),
        ("http://localhost.panel.example/", "in the clear"),
        ("http://192.168.1.5/api", "in the clear"),
        ("ftp://panel.example/", "begins with https://"),
        ("panel.example/api/v2", "begins with https://"),
        ("", "begins with https://"),
        ("https:///api/v2", "names a host"),
        ("https://user:secret@panel.example/", "must not hold a user name or password"),
        ("https://panel.example/#top", "fragment"),
        ("https://panel.example/?key=secret", "must not hold the API key"),
        ("https://panel.example:no/", "looks like https://"),
        ("https://panel.example/a b", "spaces or control characters"),
        ("https://panel.example/\n", "spaces or control characters"),
        ("https://[::1/", "looks like https://"),
    ],
)
def test_other_addresses_are_refused_with_the_reason(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        Endpoint("main", url, KEY)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "wrong",
    [{"key": " "}, {"requests_per_minute": 0}, {"connections": 0}, {"timeout": timedelta(0)}],
)
def test_impossible_bounds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="panel main"):
        Endpoint(**{"name": "main", "url": "https://panel.example/", "key": KEY, **wrong})


def test_the_key_is_in_no_repr() -> None:
    endpoint = Endpoint("main", "https://panel.example/api/v2", KEY)
    assert KEY not in f"{endpoint} {endpoint!r}"
