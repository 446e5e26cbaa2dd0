"""Addresses of upstreams, for engines that need them beside the names."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from strangler_proxy.routes import Upstream

from strangler.rollout.engines.base import EngineError

_ANY = ("", "*", "0.0.0.0", "::")  # noqa: S104
"""Where a server listens that does so on all addresses of its machine."""


def resolved(upstreams: Iterable[Upstream], engine: str) -> dict[str, tuple[str, int]]:
    """The address and port of each upstream, by its name. Raises EngineError naming the first that has none."""
    found = {}
    for upstream in upstreams:
        host, port = upstream.address
        try:
            found[upstream.name] = str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]), port
        except OSError as error:
            raise EngineError(
                f'the host "{host}" of upstream "{upstream.name}" has no address ({error.strerror}), and {engine} '
                "needs one; check the name"
            ) from error
    return found


def refuse_itself(upstreams: Iterable[Upstream], engine: str, listens: Iterable[tuple[str, int]]) -> None:
    """Raises EngineError naming the first upstream that is one of the addresses where the engine itself listens."""
    for upstream in upstreams:
        host, port = upstream.address
        for where, its_port in listens:
            if port == its_port and _reaches(host, where):
                raise EngineError(
                    f'upstream "{upstream.name}" ({upstream.url}) is {engine} itself, which would ask itself without '
                    "end; name the server behind it"
                )


def _reaches(host: str, where: str) -> bool:
    found = _addresses(host)
    return any(map(_is_here, found)) if where in _ANY else bool(found & _addresses(where))


def _addresses(host: str) -> set[str]:
    """None for a name that has none now."""
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return set()


def _is_here(address: str) -> bool:
    """Whether it is this machine's: it would talk to such a one from that address. Nothing is sent."""
    at = ipaddress.ip_address(address)
    if at.is_loopback:
        return True
    with socket.socket(socket.AF_INET6 if at.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
        except OSError:
            return False
        return bool(probe.getsockname()[0] == address)
