"""Copies of reads go to the candidate too, and its answers are compared with the owner's. No client waits for that.

The owner is asked twice: where it differs from itself, nothing can be said of the candidate, and such places are left
out for the endpoint from then on. What is kept is bounded: the queue, the bodies, the groups and their samples.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from mitmproxy import http

from strangler_proxy.comparing import COMPARED_HEADERS, Answer, Difference, differences
from strangler_proxy.effects import ASKED, Effects, compare, told_apart, unclear
from strangler_proxy.redacting import shown
from strangler_proxy.routes import MoveRoutes
from strangler_proxy.shadowed import SAMPLES, Differing, Noise, Sample, Shadowed
from strangler_proxy.unpacking import unpacked
from strangler_proxy.upstreams import TooLong

QUEUE = 200
"""Shadows that wait; more are dropped, and counted."""
WORKERS = 2
LONGEST_BODY = 1 << 19
_LONGEST_UNPACKED = 4 * LONGEST_BODY
_GROUPS = 200
_NUMBER = re.compile(r"/(?:\d+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{24,64})(?=/|$)")

Ask = Callable[[str], Awaitable[http.Response | None]]
"""Sends the shadowed request to an upstream, by its name; None where nobody answered. Raises TooLong."""


@dataclass(frozen=True, kw_only=True)
class Shadow:
    """A read that was answered, and how to send it again."""

    move: MoveRoutes
    method: str
    path: str
    answer: http.Response
    ask: Ask

    @property
    def endpoint(self) -> str:
        """The path without its numbers and without its query."""
        return _endpoint(self.method, self.path)


@dataclass(kw_only=True)
class _Group:
    count: int = 0
    samples: list[Sample] = field(default_factory=list)


@dataclass(kw_only=True)
class _Seen:
    """What the shadows of one version of a move's routes have shown."""

    version: tuple[int, int]
    compared: int = 0
    different: int = 0
    dropped: int = 0
    unanswered: int = 0
    unclear: int = 0
    too_large: int = 0
    noise: dict[tuple[str, str], int] = field(default_factory=dict)
    groups: dict[tuple[str, str, str], _Group] = field(default_factory=dict)

    def shadowed(self) -> Shadowed:
        differing = [
            Differing(endpoint=endpoint, path=path, kind=kind, count=group.count, samples=tuple(group.samples))
            for (endpoint, path, kind), group in self.groups.items()
        ]
        return Shadowed() + Shadowed(
            compared=self.compared,
            different=self.different,
            dropped=self.dropped,
            too_large=self.too_large,
            unanswered=self.unanswered,
            unclear=self.unclear,
            differing=tuple(differing),
            noise=tuple(Noise(endpoint=one, path=path, count=count) for (one, path), count in self.noise.items()),
        )


class Shadows:
    """One proxy's shadows."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._queue: asyncio.Queue[Shadow] = asyncio.Queue(maxsize=QUEUE)
        self._workers: list[asyncio.Task[None]] = []

    def offer(self, shadow: Shadow) -> None:
        """Have a read shadowed, sometime; where too many wait it is dropped."""
        if not self._workers:
            self._workers = [asyncio.create_task(self._work()) for _ in range(WORKERS)]
        seen = self._of(shadow.move)
        body = shadow.answer.raw_content
        if body is None or len(body) > LONGEST_BODY:  # None has passed, too long to be kept
            seen.too_large += 1
            return
        try:
            self._queue.put_nowait(shadow)
        except asyncio.QueueFull:
            seen.dropped += 1

    def dropped(self, move: MoveRoutes) -> None:
        """Count one that there was no room for."""
        self._of(move).dropped += 1

    def rehearsed(
        self, move: MoveRoutes, request: tuple[str, str], owner: http.Response | None, candidate: http.Response | None
    ) -> None:
        """Compare a write's answers, and the rows that both sides tell of; "request" is its method and path."""
        seen = self._of(move)
        if owner is None:
            seen.unanswered += 1
            return
        try:
            ours, theirs = _effects(owner), _effects(candidate)
        except ValueError:
            seen.unclear += 1
            return
        if candidate is None or unclear(ours, theirs):
            seen.unclear += 1
            return
        first, second = _answer(owner), _answer(candidate)
        if first is None or second is None:
            seen.too_large += 1
            return
        rows, same = compare(ours, theirs)
        found = [*told_apart(differences(first, second), same), *rows]
        found = [one for one in found if one.path not in move.ignore]
        seen.compared += 1
        seen.different += bool(found)
        method, path = request
        _note(seen, _endpoint(method, path), f"{method} {shown(path)}", found)

    def counts(self, move: str, version: tuple[int, int]) -> tuple[int, int]:
        """(how many were compared, how many of these were different) in this version."""
        seen = self._seen.get(move)
        return (seen.compared, seen.different) if seen is not None and seen.version == version else (0, 0)

    def shadowed(self, move: str) -> tuple[tuple[int, int], Shadowed] | None:
        """What a move's last version that was shadowed has shown, and that version; None where none was."""
        seen = self._seen.get(move)
        return None if seen is None else (seen.version, seen.shadowed())

    def _of(self, move: MoveRoutes) -> _Seen:
        seen = self._seen.get(move.move)
        if seen is None or seen.version < move.version:
            seen = self._seen[move.move] = _Seen(version=move.version)
        return seen

    async def _work(self) -> None:
        while True:
            await self._compare(await self._queue.get())

    async def _compare(self, shadow: Shadow) -> None:
        seen = self._of(shadow.move)
        if seen.version != shadow.move.version:
            return
        try:
            again, theirs = await shadow.ask(shadow.move.owner), await shadow.ask(shadow.move.candidate)
        except TooLong:
            seen.too_large += 1
            return
        if again is None:
            seen.unanswered += 1
            return
        first, second, third = _answer(shadow.answer), _answer(again), None if theirs is None else _answer(theirs)
        if first is None or second is None or (third is None and theirs is not None):
            seen.too_large += 1
            return
        for difference in differences(first, second):
            _count(seen.noise, (shadow.endpoint, difference.path))
        seen.compared += 1
        if third is None:
            nobody = Difference(path="status", kind="value", first=str(first.status), second="no answer")
            found = [nobody]
        else:
            # What is as either of the owner's answers is as the owner answers.
            as_again = {difference.place for difference in differences(second, third)}
            found = [difference for difference in differences(first, third) if difference.place in as_again]
        found = [one for one in found if not self._left_out(seen, shadow, one.path)]
        seen.different += bool(found)
        _note(seen, shadow.endpoint, f"{shadow.method} {shown(shadow.path)}", found)

    def _left_out(self, seen: _Seen, shadow: Shadow, path: str) -> bool:
        return path in shadow.move.ignore or (shadow.endpoint, path) in seen.noise


def _endpoint(method: str, path: str) -> str:
    return f"{method} {_NUMBER.sub('/<n>', path.partition('?')[0])}"


def _note(seen: _Seen, endpoint: str, request: str, found: Iterable[Difference]) -> None:
    for difference in found:
        key = (endpoint, *difference.place)
        if key not in seen.groups and len(seen.groups) >= _GROUPS:
            key = ("all others", "", "")
        group = seen.groups.setdefault(key, _Group())
        group.count += 1
        if len(group.samples) < SAMPLES:
            group.samples.append(Sample(request=request, owner=difference.first, candidate=difference.second))


def _count(noise: dict[tuple[str, str], int], key: tuple[str, str]) -> None:
    if key in noise or len(noise) < _GROUPS:
        noise[key] = noise.get(key, 0) + 1


def _effects(response: http.Response | None) -> Effects:
    return Effects.from_header(response.headers.get(ASKED.decode(), "") if response is not None else "")


def _answer(response: http.Response) -> Answer | None:
    """The answer as it is compared; None where it is too long. The two sides may pack their bodies differently."""
    packed = response.raw_content or b""
    if len(packed) > LONGEST_BODY:
        return None
    body = unpacked(packed, response.headers.get("content-encoding", ""), _LONGEST_UNPACKED)
    if body is None:
        return None
    fields = {name.lower(): value for name, value in response.headers.items() if name.lower() in COMPARED_HEADERS}
    return Answer(status=response.status_code, headers=fields, body=body)
