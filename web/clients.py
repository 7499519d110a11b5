"""Who asks: a client, as far as its address tells.

Invariant: an address is that of the connection, or where `BACKFILE_PROXY_HOPS` says so, what the outermost of so many
proxies wrote down. What else is in a `X-Forwarded-For` is anybody's word and never looked at.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from flask import has_request_context, request

IPV6_NETWORK = 64  # bits: whoever has one address of it has all
LOCAL = "local"


def network() -> str:
    """Return where this request came from: an IPv4 address, the network of an IPv6 one, or `LOCAL` for a socket."""
    sender = _address()
    if isinstance(sender, IPv6Address):
        return str(ip_network((sender, IPV6_NETWORK), strict=False))
    return LOCAL if sender is None else str(sender)


def client() -> str:
    """Return who sent this request, as `network` does; `LOCAL` for any program on this machine."""
    sender = _address()
    return LOCAL if sender is not None and sender.is_loopback else network()


def _address() -> IPv4Address | IPv6Address | None:
    try:
        sender = ip_address(request.remote_addr or "")
    except ValueError:  # a socket without an address
        return None
    return (sender.ipv4_mapped or sender) if isinstance(sender, IPv6Address) else sender


def turn_taker() -> str:
    """Return whose turn it is to be worked for: a client, and of local ones, who may all be one proxy, a connection."""
    if not has_request_context():
        return LOCAL
    who = client()
    return f"{LOCAL}:{request.environ.get('REMOTE_PORT', '')}" if who == LOCAL else who
