"""Which proxies before this one are believed when they say whom a request is from. Standard library only, pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_SCHEMES = ("http", "https")


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a request came here."""

    addresses: tuple[str, ...]
    """The client's first, then those of the trusted proxies that it came through; the last one is connected to us."""
    scheme: str
    """What the client speaks."""
    believed: bool
    """Whether the header's other words about the way are a trusted proxy's."""


@dataclass(frozen=True, kw_only=True)
class Trusted:
    """Networks of proxies. Each of them appends the address that it was asked from to X-Forwarded-For."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Trusted:
        """From "10.0.0.0/8, ::1". Raises ValueError with one sentence."""
        found = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            try:
                found.append(ip_network(part))
            except ValueError as error:
                raise ValueError(f'"{part}" is no address or network ({error}); write 10.0.0.0/8, say') from error
        return cls(networks=tuple(found))

    def way(self, peer: str, forwarded_for: Sequence[str], proto: Sequence[str], scheme: str) -> Way:
        """How a request came from the given headers' words, as far as they are to be believed.

        From the right, each address was written by the one after it. The first that is not trusted is the client, and
        whatever stands before it is the client's own word, which nobody gets to see.
        """
        if not self.networks or not self._trusts(peer):
            return Way(addresses=(peer,), scheme=scheme, believed=False)
        addresses = [peer]
        for said in reversed([part.strip() for value in forwarded_for for part in value.split(",")]):
            if _address(said) is None:
                break
            addresses.insert(0, said)
            if not self._trusts(said):
                break
        last = proto[-1].rpartition(",")[2].strip().lower() if proto else ""
        return Way(addresses=tuple(addresses), scheme=last if last in _SCHEMES else scheme, believed=True)

    def _trusts(self, text: str) -> bool:
        return _within(self.networks, text)


NOBODY = Trusted()


@lru_cache(maxsize=10_000)
def _within(networks: tuple[IPv4Network | IPv6Network, ...], text: str) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
