"""Addresses that what is secret may travel to: https anywhere, http on this machine only."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from smm_rules.document.types import refuse
from smm_rules.panel.endpoint import check_url, is_loopback


def _secure_url(url: str) -> str:
    if any(character.isspace() or not character.isprintable() for character in url):
        refuse("must be a web address without spaces")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        refuse("must be a web address like https://hooks.example/ops")
    if parts.scheme not in ("https", "http") or not host:
        refuse("must be a web address like https://hooks.example/ops")
    if parts.username or parts.password:
        refuse("must not hold a user name or password")
    if parts.fragment:
        refuse('must not hold a "#" part')
    if parts.scheme == "http" and not is_loopback(host):
        refuse(
            "must begin with https://: what is sent would be readable on the way",
            "Write https:// instead of http://",
        )
    return url


def _panel_url(url: str) -> str:
    try:
        check_url(url)
    except ValueError as error:
        refuse(f"can't be used: {error}")
    return url


#: Where a panel's key may travel.
PanelUrl = Annotated[str, AfterValidator(_panel_url)]
#: An https address, or an http one on loopback.
SecureUrl = Annotated[str, AfterValidator(_secure_url)]
