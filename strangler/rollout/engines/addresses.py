"""Addresses of upstreams, for engines that need them beside the names."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from strangler_proxy.routes import Upstream

from strangler.rollout.engines.base import EngineError


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
