"""MoveRoutes: reads go over in steps, then ownership and writes, in one switch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import partial

from strangler_proxy.clients import CLIENT, check_key, check_mark
from strangler_proxy.routes import check_shared

from strangler.errors import StranglerError
from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation, freeze
from strangler.plans.patterns import Relation, check_pattern, relate
from strangler.plans.rolling import Rolling, owned_by_the_service, take_reads_back
from strangler.plans.state import PlanKey, ProjectState, Routed, Sharing
from strangler.plans.watching import Watching
from strangler.plans.world import Mover, World
from strangler.rollout.rollout import ALL, Rollout
from strangler.rollout.verdict import Limits
from strangler.rollout.watch import Watch
from strangler.split.spec import Side


@dataclass(frozen=True)
class MoveRoutes(Operation):
    """Let the service answer routes: a growing share of the reads first, then everything, with the ownership."""

    patterns: tuple[str, ...]
    _: KW_ONLY
    canary: tuple[int, ...] = (100, 1_000, 5_000)
    """Shares of the reads before the switch, in ten-thousandths, ascending. Above half, fewer are left to compare."""
    hold: float = 60.0
    """Seconds that each share lasts at least."""
    patience: float = 3_600.0
    """Seconds that each share lasts at most, while its verdict is inconclusive."""
    limits: Limits | None = field(default_factory=Limits)
    """How much worse than the owner the service may answer; None: each share is held while the service is ready."""
    shadow: int = 0
    """Share of the monolith's reads that are sent to the service as well, in ten-thousandths: before the canary, until
    their answers are judged to be equal, and beside it."""
    shadow_writes: int = 0
    """Share of the writes, beside these reads, that the service rehearses, in ten-thousandths; none of it happens."""
    ignore: tuple[str, ...] = ()
    """Places at which they may differ, as "$.results[].updated_at" or "header cache-control"."""
    key: str = CLIENT
    """What decides which clients are in the canary: "client", "cookie:sessionid" or "header:X-Tenant", by any name."""
    early: tuple[str, ...] = ()
    """Whose reads the service answers in the whole canary: "staff", "header:X-Beta=1", "cookie:beta=yes"."""
    only_routes: tuple[str, ...] = ()
    """Of the patterns, those whose reads are shared or shadowed before the switch; none: all."""
    only_methods: tuple[str, ...] = ()
    """Of the reads' methods likewise."""
    watch: Watch | None = None
    """How long, and by what, the service is watched once it owns; None: the switch is the end."""
    overlapping: tuple[str, ...] = ()
    """Patterns of other plans that these may lie inside or around; the more specific one wins."""

    def __post_init__(self) -> None:
        for name in ("patterns", "canary", "ignore", "early", "only_routes", "only_methods", "overlapping"):
            freeze(self, name, getattr(self, name))
        for pattern in self.patterns:
            check_pattern(pattern)
        check_key(self.key)
        for mark in self.early:
            check_mark(mark)
        check_shared(self.patterns, self.only_routes, self.only_methods)
        _ = self._rollout
        if not 0 <= self.shadow_writes <= (ALL if self.shadow else 0):
            raise ValueError(
                f"shadow_writes {self.shadow_writes} must lie between 0 and {ALL}, in ten-thousandths, and goes with a "
                "shadow of reads"
            )
        if self.limits is not None and self.canary and self.canary[-1] == ALL:
            raise ValueError(
                f"canary {list(self.canary)} leaves the owner no reads to compare with; end below {ALL}, or take the "
                "limits out"
            )

    def describe(self) -> str:
        return f"Move routes {', '.join(self.patterns)}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        if not self.patterns:
            raise PlanError("MoveRoutes names no route; name at least one")
        if not state.moved_by(plan.name):
            raise PlanError("put MoveTables before MoveRoutes; a service answers for tables that it owns")
        if state.routed_by(plan.name):
            raise PlanError("a plan moves its routes at once; name them all in one MoveRoutes")
        routed = state.routed
        for pattern in self.patterns:
            for other in routed:
                self._check_pair(pattern, other, plan)
            routed = (*routed, Routed(plan=plan.name, service=plan.service, pattern=pattern, sharing=self._sharing))
        return replace(state, routed=routed)

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        for pattern in self.patterns:
            yield f"-- proxies: {pattern} belongs to move {world.plan.name}"
        if self.shadow:
            share = f"{self.shadow / 100:g}%"
            yield f"-- proxies: {share} of the reads to {world.plan.service} as well, until it answers alike"
        if self.shadow_writes:
            share = f"{self.shadow_writes / 100:g}%"
            yield f"-- proxies: {share} of the writes to be rehearsed by {world.plan.service}, too"
        if self.early:
            yield f"-- proxies: all reads of {', '.join(self.early)} to {world.plan.service}, during the canary"
        for weight in self.canary:
            until = "while it is ready" if self.limits is None else "until it is as good as the owner"
            yield f"-- proxies: {weight / 100:g}% of the reads to {world.plan.service}, for {self.hold:g} s, {until}"
        yield f"-- both databases and the proxies: switch ownership of {world.plan.name} to {world.plan.service}"
        if self.watch is not None:
            follows = "the ownership goes back" if self.watch.reverse else "the plan is frozen"
            yield (
                f"-- proxies: {self.watch.control / 100:g}% of the reads to the monolith for {self.watch.soak:g} s, to "
                f"compare with; where {world.plan.service} fails, {follows}"
            )

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield f"-- both databases and the proxies: switch ownership of {world.plan.name} back to the monolith"
        yield f"-- proxies: no reads to {world.plan.service}"

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        move = world.move(after)
        move.recover(world.traffic, world.on_step)
        if not owned_by_the_service(move):
            if refusal := next(world.databases.unseen(), None):
                raise PlanError(refusal)
            if self.shadow_writes:
                world.rehearsals()
            rolling = Rolling(world=world, move=move, limits=self.limits, hold=self.hold, patience=self.patience)
            rolling.until_switched(self._rollout)
            _switch(world, move, Side.TARGET)
        if self.watch is not None:
            back = partial(_switch, world, move, Side.SOURCE)
            Watching(world=world, move=move, watch=self.watch, give_back=back).until_it_lasts()

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        move = world.move(after)
        move.recover(world.traffic, world.on_step)
        if owned_by_the_service(move):
            _switch(world, move, Side.SOURCE)
        take_reads_back(world, move)

    @property
    def _rollout(self) -> Rollout:
        return Rollout(steps=self.canary, shadow=self.shadow, early=bool(self.early))

    @property
    def _sharing(self) -> Sharing:
        return Sharing(
            ignore=self.ignore,
            shadow_writes=self.shadow_writes,
            key=self.key,
            early=self.early,
            only_routes=self.only_routes,
            only_methods=self.only_methods,
        )

    def _check_pair(self, pattern: str, other: Routed, plan: PlanKey) -> None:
        relation = relate(pattern, other.pattern)
        if relation is Relation.APART:
            return
        if relation is Relation.SAME:
            raise PlanError(
                f'route "{pattern}" would have two owners, plan "{other.plan}" (as "{other.pattern}") and '
                f'plan "{plan.name}"; remove it from one'
            )
        nested = relation is not Relation.CROSSING and other.plan != plan.name
        if nested and other.pattern in self.overlapping:
            return
        advice = f'name "{other.pattern}" in "overlapping" if that is meant' if nested else "remove one of them"
        raise PlanError(f'routes "{pattern}" and "{other.pattern}" (plan "{other.plan}") overlap; {advice}')


def _switch(world: World, move: Mover, to: Side) -> None:
    try:
        report = move.switch(to, world.traffic, world.on_step)
    except StranglerError as error:
        if owned_by_the_service(move) is not (to is Side.TARGET):
            take_reads_back(world, move)
        raise PlanError(f"the switch to the {to} was not finished: {error}") from error
    world.emit("step", step="switched", to=to.value, term=report.term, pause_ms=round(report.pause_ms, 1))
