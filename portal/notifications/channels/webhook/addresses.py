"""Where webhooks may go. Pure.

Names are resolved once for each sending, every address that the name has is judged, and the connection goes to the one that was judged: a name that
means something else a moment later (DNS rebinding) leads nowhere. Public addresses may be reached over TLS. Whatever is not public (private networks,
loopback, link-local with the metadata services of clouds, shared and reserved ranges, IPv4 in the clothes of IPv6) only where the operator named
its network in PORTAL_WEBHOOK_NETWORKS, and there without TLS as well.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
CARRIERS = tuple(
    ipaddress.ip_network(each)
    for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "::ffff:0:0:0/96", "fec0::/10")
)
LONGEST_URL = 2_000


class WrongUrl(ValueError):
    """It is no address of a receiver; the sentence says why."""


@dataclass(frozen=True)
class Url:
    """A receiver's address in its parts."""

    tls: bool
    host: str
    port: int
    target: str  # path and query, as the request line says them


def networks(words: Iterable[str]) -> tuple[Network, ...]:
    """The operator's networks. Raises ValueError for what is none."""
    return tuple(ipaddress.ip_network(word, strict=False) for word in words)


def parse(text: str) -> Url:
    """Read an address strictly.

    Raises:
        WrongUrl: with a sentence for who typed it.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise WrongUrl("This is no address of a server.") from None
    if len(text) > LONGEST_URL or not text.isascii() or any(each <= " " or each == "\x7f" for each in text):
        raise WrongUrl(f"An address has at most {LONGEST_URL} plain characters, without blanks.")
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise WrongUrl("An address begins with https:// and names a server.")
    if parts.username is not None or parts.fragment:
        raise WrongUrl("An address holds no user name and no #. The signature says who sent it.")
    tls, target = parts.scheme == "https", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(tls, parts.hostname, port or (443 if tls else 80), target)


def may_reach(address: str, *, tls: bool, named: Iterable[Network]) -> bool:
    """Whether a webhook may go to this IP address, over TLS or in clear."""
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if any(found in network for network in named):
        return True
    carried = any(found in network for network in CARRIERS)
    return tls and found.is_global and not found.is_multicast and not carried
