"""What people asked of a rollout that is under way: rows in the monolith's database, at which its executor looks."""

from __future__ import annotations

from dataclasses import dataclass

from strangler.plans.databases import MONOLITH, Databases
from strangler.rollout.rollout import Asked, Wish

ONCE = frozenset({Wish.PROMOTE, Wish.ABORT})
"""Fulfilled by the next step; PAUSE holds until GO_ON."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The wishes for one plan. Whoever asks last is heard; who asked for what stays. Raises PlanError where the
    database refuses."""

    databases: Databases
    plan: str

    def ask(self, wish: Wish, who: str) -> None:
        """Leave a wish for the plan's executor, which may run on another host or not yet."""
        with self.databases.connect(MONOLITH) as store:
            store.create_plan_tables("")
            store.execute(
                "INSERT INTO strangler.asked (plan, wish, who, asked_at) VALUES (%s, %s, %s, %s)",
                (self.plan, wish.value, who, store.now()),
            )

    def prepare(self) -> None:
        """Make what `current` looks at."""
        with self.databases.connect(MONOLITH) as store:
            store.create_plan_tables("")

    def current(self) -> Asked:
        """What was asked last, and by whom, if it is not fulfilled yet."""
        with self.databases.connect(MONOLITH) as store:
            rows = store.query(
                "SELECT wish, who, fulfilled FROM strangler.asked WHERE plan = %s ORDER BY id DESC LIMIT 1",
                (self.plan,),
            )
        if not rows or rows[0][2]:
            return Asked()
        return Asked(wish=Wish(rows[0][0]), who=rows[0][1])

    def fulfilled(self, wish: Wish) -> None:
        """Take a wish back that was for one step, unless something else was asked meanwhile."""
        if wish in ONCE:
            with self.databases.connect(MONOLITH) as store:
                store.execute(
                    "UPDATE strangler.asked SET fulfilled = true WHERE plan = %s AND wish = %s", (self.plan, wish.value)
                )
