"""What MoveTables and MoveRows have in common: one move, which brings rows to the service and keeps them there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace

from strangler.plans.errors import PlanError
from strangler.plans.operations import bringing
from strangler.plans.operations.base import Operation
from strangler.plans.operations.boundary import check_alone, check_boundary
from strangler.plans.state import Moved, PlanKey, ProjectState
from strangler.plans.world import World


class Moving(Operation):
    """Copy, follow the changes, verify; the monolith goes on owning the rows until MoveRoutes."""

    @abstractmethod
    def chosen(self) -> tuple[tuple[str, str | None], ...]:
        """The models, and a condition for those of which only some rows move."""

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        name, labels = type(self).__name__, [label for label, _ in self.chosen()]
        if not labels:
            raise PlanError(f"{name} names no model; name at least one")
        if state.moved_by(plan.name):
            raise PlanError(f"a plan moves its tables at once; name them all in one {name}")
        for label in labels:
            check_alone(state.schema.with_table(label), state)
            if moved := state.move_of(label):
                raise PlanError(f'table of "{label}" has moved already, with plan "{moved.plan}"')
            for copy in state.replicated:
                if copy.model == label and copy.service == plan.service:
                    raise PlanError(f'"{label}" is replicated to "{plan.service}"; it cannot move there as well')
                if copy.model == label:
                    raise PlanError(
                        f'"{label}" is replicated to "{copy.service}" by plan "{copy.plan}", and that copy would not '
                        f'follow "{plan.service}"; take it out of that plan, and let its service ask the new owner'
                    )
            split = state.split_of(label)
            if split and not split.contracted:
                raise PlanError(
                    f'triggers keep "{split.model}" and "{split.into}" equal, and would write past the fence; put '
                    f"ContractTable before {name}"
                )
            if labels.count(label) > 1:
                raise PlanError(f'"{label}" is named twice in {name}; name it once')
        entries = tuple(
            Moved(plan=plan.name, service=plan.service, model=label, where=where) for label, where in self.chosen()
        )
        after = replace(state, moved=(*state.moved, *entries))
        check_boundary(after, plan)
        return after

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield from bringing.effects(world, after)

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield from bringing.undo_effects(world, after)
        yield f"-- proxies: forget the routes of {world.plan.name}"

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        bringing.bring(world, after)

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        bringing.take_back(world, after)
        world.publish_routes()
