"""Which addresses the nodes of a workflow may reach: public ones, and those the operator allows.

A workflow is written by people who must not reach what stands behind our own door: private networks, loopback, the
cloud's metadata service, in any spelling, also wrapped in IPv6 (mapped, 6to4, NAT64, Teredo).
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")

_ALSO_PRIVATE: tuple[_Network, ...] = (
    IPv4Network("168.63.129.16/32"),  # Azure's host, public in form only
    IPv4Network("192.0.0.0/24"),  # IETF protocols; Oracle Cloud's metadata is 192.0.0.192
    IPv4Network("192.88.99.0/24"),  # 6to4 relays, withdrawn (RFC 7526)
    IPv6Network("fec0::/10"),  # site-local, withdrawn (RFC 3879), still routed inside some sites
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)
"""What `ipaddress` takes for global although nothing on the public internet answers there."""


class Allowed:
    """`entries`: hosts (`localhost`), hosts with a port (`127.0.0.1:9000`, `[::1]:9000`), addresses, or networks
    (`10.1.0.0/16`)."""

    __slots__ = ("_hosts", "_networks")

    def __init__(self, entries: Sequence[str]) -> None:
        self._hosts = {entry.casefold() for entry in entries}
        self._networks = [network for entry in entries if (network := _network(entry)) is not None]

    def permits(self, host: str, port: int, address: Address) -> bool:
        """Whether a connection to `address`, found under the name `host`, may be made."""
        name = host.casefold()
        if not self._hosts.isdisjoint((name, f"{name}:{port}", f"[{name}]:{port}")):
            return True
        meant = _meant(address)
        if any(one in network for one in (address, *meant[:1]) for network in self._networks):
            return True
        return all(is_public(one) for one in meant)


def is_public(address: Address) -> bool:
    """Global unicast, and nothing that means another address."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _ALSO_PRIVATE)


def parsed(text: str) -> Address:
    """An address as the resolver gives it; a scope (`fe80::1%eth0`) does not matter here."""
    return ip_address(text.partition("%")[0])


def _network(entry: str) -> _Network | None:
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        return None


def _meant(address: Address) -> tuple[Address, ...]:
    """Where packets to `address` end, by all that can be told from it. Mapped and NAT64 addresses are only another
    way to write an IPv4 address (a resolver behind NAT64 gives nothing else); tunnels also lead through their own."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFF_FFFF),)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    return (address, *(address.teredo or ()))
