"""Which addresses of the network a webhook may reach.

A receiver is meant to be somewhere on the internet, or this very machine where its address says so. Whoever
answers for its name in DNS could otherwise point the daemon at what only it can reach: a router's page, a
database, a cloud's metadata service that hands out credentials (server-side request forgery).
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from smm_rules.panel.endpoint import is_loopback

Address = IPv4Address | IPv6Address

#: Where clouds hand out credentials, besides the link-local 169.254.169.254 that nearly all of them use.
_METADATA = frozenset(
    ip_address(written)
    for written in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)
#: The last 32 bits are an IPv4 address: mapped (RFC 4291), compatible (deprecated there), and those that a
#: translator sends on to it (RFC 6052, RFC 8215).
_HOLDING_IPV4 = tuple(
    IPv6Network(written) for written in ("::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48")
)
#: Every public IPv6 address is in it (RFC 4291, IANA's registry).
_GLOBAL_UNICAST = IPv6Network("2000::/3")
#: Networks of one's own: unique local addresses and the site-local ones before them.
_PRIVATE_IPV6 = (IPv6Network("fc00::/7"), IPv6Network("fec0::/10"))
#: "This network", which Linux takes for this machine, and the retired anycast address of 6to4 relays.
_RESERVED_IPV4 = (IPv4Network("0.0.0.0/8"), IPv4Network("192.88.99.0/24"))
# A host that ends in a number is an IPv4 address to the system's resolver, in whatever writing.
_NUMERIC = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$")


def unreachable(address: str, host: str, *, allow_private: bool) -> str:
    """Why the channel with `host` in its url must not connect to `address`; empty when it may.

    `address` is one that `host` was resolved to. `allow_private` opens this machine and private networks;
    link-local, metadata, multicast and reserved addresses stay closed.
    """
    reasons = [_unreachable(each, host, allow_private) for each in _meant(ip_address(address))]
    return next((reason for reason in reasons if reason), "")


def odd_number(host: str) -> bool:
    """Whether `host` is an IPv4 address in an unusual writing: `2130706433`, `0x7f.1`, `010.0.0.1`."""
    if ":" in host or not _NUMERIC.search(host):
        return False
    try:
        IPv4Address(host)
    except ValueError:
        return True
    return False


def _unreachable(address: Address, host: str, allow_private: bool) -> str:
    if is_loopback(host):
        # http:// is let through for such a host, so it must not lead anywhere else.
        return "" if address.is_loopback else "not an address of this machine"
    if address in _METADATA:
        return "a cloud's metadata service"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast:
        return "a multicast address"
    if address.is_loopback:
        return "" if allow_private else "this very machine"
    if _is_reserved(address):
        return "a reserved address"
    return "" if allow_private or _is_public(address) else "a private address"


def _is_reserved(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return address.is_reserved or any(address in network for network in _RESERVED_IPV4)
    return address not in _GLOBAL_UNICAST and not any(address in network for network in _PRIVATE_IPV6)


def _is_public(address: Address) -> bool:
    return address.is_global and (isinstance(address, IPv4Address) or address in _GLOBAL_UNICAST)


def _meant(address: Address) -> tuple[Address, ...]:
    """The address, or those that it stands for."""
    if not isinstance(address, IPv6Address) or address.is_loopback or address.is_unspecified:
        return (address,)
    if any(address in network for network in _HOLDING_IPV4):
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    return address.teredo or (address,)
