"""One proxy and its upstreams for all tests of a module, each with a table of its own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from world import Proxy, Server, table

_revisions = itertools.count(1)


class Common:
    """What a test has of them."""

    def __init__(self, proxy: Proxy, monolith: Server, reviews: Server) -> None:
        self.proxy, self.monolith, self.reviews = proxy, monolith, reviews

    def with_policies(self, *policies: object, stages: Sequence[object] = (), **changes: object) -> None:
        """Let these hold, with the move's routes anew: its versions of the test before are forgotten."""
        gateway = {"revision": next(_revisions), "policies": list(policies), "stages": list(stages)}
        offered = {**table(self.monolith, self.reviews, **changes), "gateway": gateway}
        for one in ({**offered, "moves": []}, offered):
            status, body = self.proxy.operate("PUT", "/-/table", one)
            assert status == 200, body
