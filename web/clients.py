"""Who asks: a client, as far as its address tells.

Invariant: an address is that of the connection, or where `BACKFILE_PROXY_HOPS` says so, what the outermost of so many
proxies wrote down. What else is in a `X-Forwarded-For` is anybody's word and never looked at.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from flask import request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

IPV6_NETWORK = 64  # bits: whoever has one address of it has all
LOCAL = "local"

_Address = IPv4Address | IPv6Address


def network() -> str:
    """Return where this request came from: an IPv4 address, the network of an IPv6 one, or `LOCAL` for a socket."""
    return _network(_address(request.environ))


def client() -> str:
    """Return who sent this request, as `network` does; `LOCAL` for any program on this machine."""
    return _client(_address(request.environ))


def turn_taker(environ: "WSGIEnvironment") -> str:
    """Return whose turn it is to be worked for: a client, and of local ones, who may all be one proxy, a connection."""
    who = _client(_address(environ))
    return f"{LOCAL}:{environ.get('REMOTE_PORT', '')}" if who == LOCAL else who


def _client(sender: _Address | None) -> str:
    return LOCAL if sender is not None and sender.is_loopback else _network(sender)


def _network(sender: _Address | None) -> str:
    if isinstance(sender, IPv6Address):
        return str(ip_network((sender, IPV6_NETWORK), strict=False))
    return LOCAL if sender is None else str(sender)


def _address(environ: "WSGIEnvironment") -> _Address | None:
    try:
        sender = ip_address(environ.get("REMOTE_ADDR", ""))
    except ValueError:  # a socket without an address
        return None
    return (sender.ipv4_mapped or sender) if isinstance(sender, IPv6Address) else sender
