"""Ask for something of a rollout, as manage.py rollout does: a wish is left, and the plan's executor hears it."""

from __future__ import annotations

from strangler.dashboard import steering
from strangler.dashboard.collecting import stage_of
from strangler.plans import wiring
from strangler.plans.errors import PlanError


def ask(name: str, action: str, *, typed: str, who: str) -> None:
    """Leave the wish of an action for the plan of this name, where it is offered at this very moment.

    "typed" is what a person typed to confirm it, the plan's name. Raises StranglerError; nothing is asked then.
    """
    if typed.strip() != name:
        raise PlanError(f'"{typed}" is not the plan\'s name; type "{name}" to confirm, nothing was asked')
    loaded = wiring.project()
    plan = next((plan for plan in loaded.plans if plan.name == name), None)
    if plan is None:
        raise PlanError(f'there is no plan "{name}" any more')
    wishes, stage = wiring.wishes(plan), stage_of(loaded, plan)
    offered = steering.actions(stage, wishes.current()) if stage else ()
    found = next((one for one in offered if one.name == action), None)
    if found is None:
        can = ", ".join(one.name for one in offered) or "nothing"
        raise PlanError(f'"{action}" cannot be asked of plan "{name}" as it stands now ({can} can); look at it again')
    wishes.ask(found.wish, who)
