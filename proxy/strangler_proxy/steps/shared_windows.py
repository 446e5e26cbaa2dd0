"""Quotas that all processes of the proxy count in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from strangler_proxy.shared import Away, Shared
from strangler_proxy.steps.windows import Used, Window, Windows

# As OwnWindows.use(). A window is forgotten when it is over.
_USE = """
local counts, left = {}, 1
for number, key in ipairs(KEYS) do
    counts[number] = tonumber(redis.call('GET', key) or 0)
    if counts[number] >= tonumber(ARGV[2 * number - 1]) then
        left = 0
    end
end
if left == 1 then
    for number, key in ipairs(KEYS) do
        counts[number] = redis.call('INCR', key)
        redis.call('EXPIRE', key, ARGV[2 * number])
    end
end
table.insert(counts, 1, left)
return counts
"""


@dataclass(frozen=True, kw_only=True)
class SharedWindows:
    """Those of the shared Valkey; while it is away, those of this process."""

    shared: Shared
    own: Windows

    async def use(self, windows: Sequence[Window]) -> Used:
        """See Windows."""
        keys = [f"window:{window.name}" for window in windows]
        numbers = [number for window in windows for number in (window.quota, window.ends_in)]
        try:
            counted, *counts = await self.shared.run(_USE, keys, numbers)
        except Away:
            return await self.own.use(windows)
        return Used(counted=bool(counted), counts=tuple(counts))
