"""The networks from which an API key is accepted."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network


@lru_cache(maxsize=1000)
def _parse(networks: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(network) for network in networks)


def is_within(address: str, networks: tuple[str, ...]) -> bool:
    """Whether the client's address belongs to one of the networks (CIDR); an IPv4 address embedded in an IPv6 one
    counts as the former."""
    parsed = ip_address(address)
    client = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(client in network for network in _parse(networks))
