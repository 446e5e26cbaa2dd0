"""Give a service a growing share of the reads, as far as verdicts, wishes and time allow. The switch is not made here.

Traffic moves first and the record follows: a run that dies at any point finds the weight as it was persisted and
published, and goes on there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from strangler_proxy.cohorts import Cohorts

from strangler.errors import StranglerError
from strangler.plans.errors import PlanError
from strangler.plans.judged import Judged
from strangler.plans.world import Mover, World
from strangler.rollout.rollout import Asked, Phase, Rollout, Wish, advance, standing
from strangler.rollout.verdict import Limits, Outcome, Verdict, judge, judge_early, judge_shadows, requests_for_success
from strangler.split.spec import Side
from strangler.split.status import Routing

STALE_SECONDS = 5.0
"""A canary ends where the service's rows cannot be brought up to the owner's in this time."""
WATCH_EVERY = 0.25
ASKED = "asked"
"""Step of a record: a person asked for something."""
_UNJUDGED = Verdict(outcome=Outcome.SUCCESS, reason="the plan sets no limits, so nobody judges")


@dataclass(frozen=True, kw_only=True)
class Rolling:
    """One run of a rollout. "hold" and "patience" are seconds: how long each step lasts at least, and at most."""

    world: World
    move: Mover
    limits: Limits | None
    hold: float
    patience: float

    def until_switched(self, rollout: Rollout) -> None:
        """Take step after step until nothing but the switch is left.

        Raises PlanError where it has ended otherwise; then the owner answers all reads.
        """
        self.world.wishes.prepare()
        found = routing_of(self.move)
        at = standing(rollout, found.weight, found.shadow, found.early)
        if at.phase is Phase.PLANNED:
            at = advance(at, _UNJUDGED, soaked=True)
        try:
            look(self.world, self.move)
            while at.phase is not Phase.SWITCHED:
                at = self._stay(at)
        except StranglerError as error:
            take_reads_back(self.world, self.move)
            failed = "last look before the switch" if at.phase is Phase.SWITCHED else at
            raise PlanError(f"the {failed} failed, the owner answers all reads: {error}") from error

    def _stay(self, at: Rollout) -> Rollout:
        """Put a step into effect and stay there until it is decided; the next one."""
        found = routing_of(self.move)
        if (found.weight, found.shadow, found.early) != (at.weight, at.shadowed, at.takes_early):
            found = set_weight(self.world, self.move, at.weight, at.shadowed, at.takes_early)
        # Unlike a switch, a canary has no fence to rely on: every proxy must have the table.
        self.world.publish_routes()
        self.world.emit("step", step="acknowledged", weight=at.weight, **_shadow(at.shadowed))
        began, paused, asked = time.monotonic(), 0.0, Asked()
        while True:
            looked = time.monotonic()
            look(self.world, self.move)
            verdict = self._verdict(at, found)
            asked = heard(self.world, asked, self.world.wishes.current())
            wish = asked.wish
            spent = time.monotonic() - began - paused
            after = advance(at, verdict, soaked=spent >= self.hold, wish=wish)
            if after != at:
                self._record(at, verdict, wish)
                if after.phase is Phase.PLANNED:
                    raise PlanError("it was aborted" if wish is Wish.ABORT else verdict.reason)
                return after
            if wish is Wish.GO_ON and spent >= max(self.patience, self.hold):
                self._record(at, verdict, wish)
                raise PlanError(
                    f"it was still {verdict.outcome} after {spent:.0f} s ({verdict.reason}); wait for more traffic, "
                    'give it more "patience", or decide yourself with "manage.py rollout ... promote"'
                )
            time.sleep(WATCH_EVERY)
            if wish is Wish.PAUSE:
                paused += time.monotonic() - looked

    def _verdict(self, at: Rollout, routing: Routing) -> Verdict:
        if self.limits is None:
            return _UNJUDGED
        seen = self.world.cohorts(routing)
        return _judge(seen, self.limits, shadows=at.phase is Phase.SHADOW, weight=at.weight)

    def _record(self, at: Rollout, verdict: Verdict, wish: Wish) -> None:
        asked = {} if wish is Wish.GO_ON else {"asked": wish.value}
        self.world.emit(
            "step", step="verdict", weight=at.weight, outcome=verdict.outcome.value, reason=verdict.reason, **asked
        )
        self.world.wishes.fulfilled(wish)


def heard(world: World, before: Asked, asked: Asked) -> Asked:
    """What is asked for now; who asked is recorded where it is something else than before."""
    if asked.wish is not before.wish:
        world.emit("step", step=ASKED, wish=asked.wish.value, by=asked.who)
    return asked


def look(world: World, move: Mover) -> None:
    """See that the service is fit to answer and that no side that answers reads has old rows."""
    moments = world.readers.moments()
    # The log's end is read behind these moments, so all that was answered before them is brought over.
    move.catch_up(STALE_SECONDS)
    world.readers.arrived(world.plan.name, moments)
    world.gate()


def judged(limits: Limits | None, routing: Routing, cohorts: Callable[[], Cohorts]) -> Judged:
    """How a canary stands, without changing anything."""
    if routing.owner is Side.TARGET:
        return Judged(stands="switched: the service owns and answers everything")
    canary = routing.weight or routing.early
    if not canary and not routing.shadow:
        return Judged(stands="the owner answers all reads")
    step = f"canary at {routing.weight / 100:g}%" if canary else f"shadow of {routing.shadow / 100:g}%"
    if limits is None:
        return Judged(stands=step, rests_on=_UNJUDGED.reason)
    seen = cohorts()
    verdict = _judge(seen, limits, shadows=not canary, weight=routing.weight)
    if not routing.weight:
        return Judged(stands=step, verdict=verdict)
    needed = requests_for_success(limits, seen.control.failed / max(seen.control.requests, 1))
    return Judged(
        stands=step,
        verdict=verdict,
        rests_on=f"requests: {seen.candidate.requests} of the candidate, {seen.control.requests} of the control; a "
        f"success takes about {needed} of each",
    )


def routing_of(move: Mover) -> Routing:
    """Owner, version and weight. Raises PlanError where the move is gone."""
    routing = move.routing()
    if routing is None:
        raise PlanError("the move is not set up in the databases any more; go back behind MoveTables and start again")
    return routing


def set_weight(world: World, move: Mover, weight: int, shadow: int = 0, early: bool = False) -> Routing:
    """Persist a weight, the shadows' share and who comes early, between two records; what is to be published then."""
    world.emit("step", step="reads", weight=weight, **_shadow(shadow))
    routing = move.set_weight(weight, shadow, early)
    world.emit("step", step="publish", weight=weight, term=routing.term, n=routing.n)
    return routing


def take_reads_back(world: World, move: Mover) -> None:
    """Have the owner answer all reads; nothing where it does."""
    found = routing_of(move)
    if found.weight or found.shadow or found.early:
        routing = set_weight(world, move, 0)
        world.traffic.publish(routing.owner, routing.term, routing.n, routing.weight)


def owned_by_the_service(move: Mover) -> bool:
    """Whether the switch has been made."""
    return routing_of(move).owner is Side.TARGET


def _judge(seen: Cohorts, limits: Limits, *, shadows: bool, weight: int) -> Verdict:
    if shadows:
        return judge_shadows(seen, limits)
    return judge(seen, limits) if weight else judge_early(seen, limits)


def _shadow(share: int) -> dict[str, int]:
    return {"shadow": share} if share else {}
