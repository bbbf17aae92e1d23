"""Which addresses the nodes of a workflow may reach: public ones, and those the operator allows.

A workflow is written by people who must not reach what stands behind our own door: private networks, loopback, the
cloud's metadata service, in any spelling, also wrapped in IPv6 (mapped, 6to4, NAT64, Teredo).
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


class Allowed:
    """`entries`: hosts (`localhost`), hosts with a port (`127.0.0.1:9000`), addresses, or networks (`10.1.0.0/16`)."""

    __slots__ = ("_hosts", "_networks")

    def __init__(self, entries: Sequence[str]) -> None:
        self._hosts = {entry.casefold() for entry in entries}
        self._networks = [network for entry in entries if (network := _network(entry)) is not None]

    def permits(self, host: str, port: int, address: Address) -> bool:
        """Whether a connection to `address`, found under the name `host`, may be made."""
        if host.casefold() in self._hosts or f"{host.casefold()}:{port}" in self._hosts:
            return True
        if any(address in network for network in self._networks):
            return True
        return all(is_public(one) for one in _unwrapped(address))


def is_public(address: Address) -> bool:
    """Global unicast, and nothing that means another address."""
    return address.is_global and not address.is_multicast and not address.is_reserved


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        return None


def _unwrapped(address: Address) -> Iterator[Address]:
    """The address, and every IPv4 address it carries inside."""
    yield address
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in _NAT64):
        yield IPv4Address(int(address) & 0xFFFF_FFFF)


def parsed(text: str) -> Address:
    """An address as the resolver gives it; a scope (`fe80::1%eth0`) does not matter here."""
    return ip_address(text.partition("%")[0])
