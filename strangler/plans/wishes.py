"""What a person asked of a rollout that is under way: a row in the monolith's database, which its executor looks at."""

from __future__ import annotations

from dataclasses import dataclass

from strangler.plans.databases import MONOLITH, Databases
from strangler.rollout.rollout import Wish

ONCE = frozenset({Wish.PROMOTE, Wish.ABORT})
"""Fulfilled by the next step; PAUSE holds until GO_ON."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The wish for one plan. Whoever asks last is heard. Raises PlanError where the database refuses."""

    databases: Databases
    plan: str

    def ask(self, wish: Wish) -> None:
        """Leave a wish for the plan's executor, which may run on another host or not yet."""
        with self.databases.connect(MONOLITH) as store:
            store.create_plan_tables("")
            with store.transaction():
                store.execute("DELETE FROM strangler.wishes WHERE plan = %s", (self.plan,))
                if wish is not Wish.GO_ON:
                    store.execute("INSERT INTO strangler.wishes (plan, wish) VALUES (%s, %s)", (self.plan, wish.value))

    def prepare(self) -> None:
        """Make what `current` looks at."""
        with self.databases.connect(MONOLITH) as store:
            store.create_plan_tables("")

    def current(self) -> Wish:
        """What was asked last and not fulfilled yet."""
        with self.databases.connect(MONOLITH) as store:
            rows = store.query("SELECT wish FROM strangler.wishes WHERE plan = %s", (self.plan,))
        return Wish(rows[0][0]) if rows else Wish.GO_ON

    def fulfilled(self, wish: Wish) -> None:
        """Take a wish back that was for one step, unless something else was asked meanwhile."""
        if wish in ONCE:
            with self.databases.connect(MONOLITH) as store:
                store.execute("DELETE FROM strangler.wishes WHERE plan = %s AND wish = %s", (self.plan, wish.value))
