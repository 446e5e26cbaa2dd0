"""Token buckets that all processes of the proxy take from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from strangler_proxy.shared import Away, Shared
from strangler_proxy.steps.buckets import Bucket, Buckets, Taken

# As OwnBuckets.take(), by the server's clock. A bucket that is full again is forgotten.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local full, wait = {}, 0
for number, key in ipairs(KEYS) do
    local rate, burst = tonumber(ARGV[2 * number - 1]), tonumber(ARGV[2 * number])
    full[number] = math.max(tonumber(redis.call('GET', key) or now), now)
    wait = math.max(wait, full[number] - now - (burst - 1) / rate)
end
if wait <= 0.000001 then
    wait = 0
    for number, key in ipairs(KEYS) do
        full[number] = full[number] + 1 / tonumber(ARGV[2 * number - 1])
        redis.call('SET', key, string.format('%.17g', full[number]), 'PX', math.ceil((full[number] - now) * 1000))
    end
end
local answer = {string.format('%.6f', wait)}
for number = 1, #KEYS do
    answer[number + 1] = string.format('%.6f', full[number] - now)
end
return answer
"""


@dataclass(frozen=True, kw_only=True)
class SharedBuckets:
    """Those of the shared Valkey; while it is away, those of this process."""

    shared: Shared
    own: Buckets

    async def take(self, buckets: Sequence[Bucket]) -> Taken:
        """See Buckets."""
        keys = [f"bucket:{bucket.name}" for bucket in buckets]
        numbers = [number for bucket in buckets for number in (bucket.rate, bucket.burst)]
        try:
            wait, *full_in = map(float, await self.shared.run(_TAKE, keys, numbers))
        except Away:
            return await self.own.take(buckets)
        return Taken(wait=wait, full_in=tuple(full_in))
