"""All plans of a project in their order, over the monolith's models: what showplans, checkplans and applyplan see."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from strangler.plans.errors import PlanError
from strangler.plans.graph import PlanGraph
from strangler.plans.loader import load_plans
from strangler.plans.plan import Plan
from strangler.plans.schema import Schema
from strangler.plans.state import ProjectState


class Project:
    """The plans of one project. Reading the states checks every plan against all before it."""

    def __init__(self, plans: tuple[Plan, ...], schema: Schema) -> None:
        """Raises PlanError on an unknown dependency or a cycle."""
        self.graph = PlanGraph({plan.name: tuple(plan.dependencies) for plan in plans})
        by_name = {plan.name: plan for plan in plans}
        self.plans = tuple(by_name[name] for name in self.graph.order())
        self.schema = schema

    @classmethod
    def load(cls, directory: Path, schema: Schema) -> Project:
        """Raises PlanError."""
        return cls(load_plans(directory), schema)

    def plan(self, name: str) -> Plan:
        """Find a plan by its name or an unambiguous beginning of it. Raises PlanError."""
        found = [plan for plan in self.plans if plan.name == name] or [
            plan for plan in self.plans if name and plan.name.startswith(name)
        ]
        if len(found) == 1:
            return found[0]
        known = ", ".join(f'"{plan.name}"' for plan in found or self.plans) or "none"
        if found:
            raise PlanError(f'"{name}" could be any of {known}; write more of the name')
        raise PlanError(f'unknown plan "{name}"; there is {known}')

    def states(self, name: str) -> tuple[ProjectState, ...]:
        """The states before, between and after a plan's operations. Raises PlanError."""
        return self._states[name]

    def final_state(self) -> ProjectState:
        """The state after all operations of all plans. Raises PlanError."""
        return self._states[self.plans[-1].name][-1] if self.plans else ProjectState(schema=self.schema)

    @cached_property
    def _states(self) -> dict[str, tuple[ProjectState, ...]]:
        state = ProjectState(schema=self.schema)
        states = {}
        for plan in self.plans:
            states[plan.name] = plan.states(state)
            state = states[plan.name][-1]
        return states
