"""Who asks: a client, as far as its address tells.

Invariant: an address is that of the connection, or where `BACKFILE_PROXY_HOPS` says so, what the outermost of so many
proxies wrote down. What else is in a `X-Forwarded-For` is anybody's word and never looked at.
"""

from ipaddress import IPv6Address, ip_address, ip_network

from flask import has_request_context, request

IPV6_NETWORK = 64  # bits: whoever has one address of it has all
LOCAL = "local"


def client() -> str:
    """Return who sent this request: an IPv4 address, the network of an IPv6 one, or `LOCAL`."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:  # a socket without an address
        return LOCAL
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return LOCAL if address.is_loopback else str(ip_network((address, IPV6_NETWORK), strict=False))
        address = address.ipv4_mapped
    return LOCAL if address.is_loopback else str(address)


def turn_taker() -> str:
    """Return whose turn it is to be worked for: a client, and of local ones, who may all be one proxy, a connection."""
    if not has_request_context():
        return LOCAL
    who = client()
    return f"{LOCAL}:{request.environ.get('REMOTE_PORT', '')}" if who == LOCAL else who
