"""The network someone comes from, for counting only: never the address itself, and for one day."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from starlette.requests import HTTPConnection

from bot.wiring import Waymark

_TOGETHER = {4: 24, 6: 56}
"""How many first bits of an address count as one place: a household or a school, about."""


def place(request: HTTPConnection, waymark: Waymark) -> str | None:
    """A hash of the network and the day; None where all that can be seen is our own proxy."""
    if waymark.settings.secure and not waymark.settings.behind_proxy:
        return None
    network = _network(_heard_from(request, waymark.settings.behind_proxy))
    if network is None:
        return None
    day = waymark.clock().date().isoformat()
    return waymark.keys.digest("place", f"{day}:{network}")[:32]


def _heard_from(request: HTTPConnection, proxies: int) -> str:
    """Each proxy adds, at the end, whom it heard from; what stands before may be made up."""
    if not proxies:
        return request.client.host if request.client else ""
    lines = request.headers.getlist("x-forwarded-for")
    hops = [hop.strip() for line in lines for hop in line.split(",")]
    return hops[-proxies] if len(hops) >= proxies else ""


def _network(address: str) -> str | None:
    """Some proxies name the port too: 203.0.113.7:5123 or [2001:db8::1]:5123."""
    if address.startswith("["):
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ip_network((found, _TOGETHER[found.version]), strict=False))
