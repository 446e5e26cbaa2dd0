"""The engines that the settings name."""

from __future__ import annotations

from pathlib import Path

from strangler.conf import Proxy
from strangler.rollout.engines.base import RoutingEngine
from strangler.rollout.engines.envoy import EnvoyEngine
from strangler.rollout.engines.haproxy import HaproxyEngine
from strangler.rollout.engines.mitmproxy import MitmproxyEngine


def engine(proxy: Proxy, token: str) -> RoutingEngine:
    """The engine of one proxy; "token" is the operators' of all Python proxies."""
    companions = tuple(MitmproxyEngine(url=url, token=token) for url in proxy.companions)
    if proxy.engine == "haproxy":
        return HaproxyEngine(directory=Path(proxy.where), companions=companions)
    if proxy.engine == "envoy":
        return EnvoyEngine(directory=Path(proxy.where), companions=companions)
    return MitmproxyEngine(url=proxy.where, token=token)
