"""Watch the new owner after a switch, until the switch lasts, the ownership goes back, or a person has to decide.

The record comes first: a run that dies finds there since when it watches and whether it is frozen, and goes on so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from strangler_proxy.cohorts import Cohorts

from strangler.errors import StranglerError
from strangler.plans.errors import PlanError
from strangler.plans.judged import Judged
from strangler.plans.rolling import WATCH_EVERY, heard, look, routing_of, set_weight, take_reads_back
from strangler.plans.watched import FROZEN, LASTS, WATCH, Watched, watched
from strangler.plans.world import Mover, World
from strangler.rollout.rollout import Asked, Wish
from strangler.rollout.verdict import Verdict, judge_owner
from strangler.rollout.watch import Next, Watch, after, unwell
from strangler.split.status import Routing


@dataclass(frozen=True, kw_only=True)
class Watching:
    """One run of a watch. "give_back" switches the ownership back under its own gates; it raises PlanError."""

    world: World
    move: Mover
    watch: Watch
    give_back: Callable[[], None]

    def until_it_lasts(self) -> None:
        """Returns once the switch lasts. Raises PlanError where the ownership went back, or the plan is frozen."""
        self.world.wishes.prepare()
        term = routing_of(self.move).term
        stands = watched(self.world.entries(), term)
        if stands.frozen:
            self._decide(stands.frozen, term)
        elif not stands.over:
            if stands.began is None:
                self.world.emit("step", step=WATCH, term=term, control=self.watch.control, seconds=self.watch.soak)
            self._stay(time.time() if stands.began is None else stands.began, term)
        take_reads_back(self.world, self.move)

    def _stay(self, began: float, term: int) -> None:
        routing = routing_of(self.move)
        if routing.weight != self.watch.control:
            routing = set_weight(self.world, self.move, self.watch.control)
        # As in a canary, what is compared is only what every proxy divides alike.
        self.world.publish_routes()
        well, asked = time.monotonic(), Asked()
        while True:
            try:
                now = self.world.wishes.current()
                verdict = self._look(routing)
                well = time.monotonic()
            except StranglerError as error:
                now, verdict = Asked(), unwell(str(error), time.monotonic() - well)
            else:
                asked = heard(self.world, asked, now)
            wish = now.wish
            follows = after(self.watch, verdict, spent=time.time() - began, wish=wish)
            if follows is Next.STAY:
                time.sleep(WATCH_EVERY)
                continue
            self._record(verdict, wish)
            if follows is Next.END:
                self.world.emit("step", step=LASTS, term=term)
                return
            if follows is Next.FREEZE:
                self._freeze(str(verdict), term)
            self._reverse("it was aborted" if wish is Wish.ABORT else verdict.reason, term)

    def _look(self, routing: Routing) -> Verdict:
        look(self.world, self.move)
        return _verdict(self.watch, self.world.cohorts(routing))

    def _decide(self, reason: str, term: int) -> None:
        """Do what a person has asked for since it froze; raises PlanError where that is nothing, or to go back."""
        take_reads_back(self.world, self.move)
        wish = heard(self.world, Asked(), self.world.wishes.current()).wish
        if wish is Wish.PROMOTE:
            self.world.emit("step", step=LASTS, term=term, asked=wish.value)
            self.world.wishes.fulfilled(wish)
        elif wish is Wish.ABORT:
            self.world.wishes.fulfilled(wish)
            self._reverse("it was aborted", term)
        else:
            raise PlanError(_sentence(reason, self.world.plan.name))

    def _reverse(self, reason: str, term: int) -> None:
        try:
            self.give_back()
        except PlanError as error:
            self._freeze(f"{reason}; and the ownership could not go back: {error}", term)
        raise PlanError(f"the switch did not last, the monolith owns and answers everything again: {reason}")

    def _freeze(self, reason: str, term: int) -> None:
        self.world.emit("step", step=FROZEN, term=term, reason=reason)
        try:
            # Nobody looks any more whether the control's rows are recent.
            take_reads_back(self.world, self.move)
        except StranglerError as error:
            self.world.emit("progress", reads=str(error))
        raise PlanError(_sentence(reason, self.world.plan.name))

    def _record(self, verdict: Verdict, wish: Wish) -> None:
        asked = {} if wish is Wish.GO_ON else {"asked": wish.value}
        self.world.emit("step", step="verdict", outcome=verdict.outcome.value, reason=verdict.reason, **asked)
        self.world.wishes.fulfilled(wish)


def told(watch: Watch, plan: str, routing: Routing, stands: Watched, cohorts: Callable[[], Cohorts]) -> Judged:
    """How the watch of a switch stands, without changing anything."""
    if stands.frozen:
        return Judged(stands=_sentence(stands.frozen, plan))
    if stands.over or stands.began is None:
        return Judged(stands="the switch lasts" if stands.over else "it is not watched yet")
    seen = cohorts()
    share = f"{routing.weight / 100:g}%"
    return Judged(
        stands=f"watched for {time.time() - stands.began:.0f} s, at least {watch.soak:g} s, beside {share} of the "
        "reads that the monolith answers",
        verdict=_verdict(watch, seen),
        rests_on=f"requests: {seen.control.requests} reads of the service and {seen.candidate.requests} of the "
        f"monolith, {seen.writes.requests} writes",
    )


def _verdict(watch: Watch, seen: Cohorts) -> Verdict:
    return judge_owner(seen, watch.limits, compare=watch.control > 0)


def _sentence(reason: str, plan: str) -> str:
    return (
        f'the plan is frozen after its switch: {reason}; decide with "manage.py rollout {plan} promote" (the switch '
        f'lasts) or "... abort" (the ownership goes back), then apply the plan again'
    )
