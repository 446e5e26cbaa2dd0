"""The order of plans among each other: pure, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from strangler.plans.errors import PlanError


@dataclass(frozen=True)
class PlanGraph:
    """Which plan needs which others to be applied before it."""

    dependencies: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        for name, needed in self.dependencies.items():
            for dependency in needed:
                if dependency not in self.dependencies:
                    raise PlanError(f'plan "{name}" depends on "{dependency}", which does not exist')
        self.order()

    def order(self) -> tuple[str, ...]:
        """All plans, each after those it depends on, otherwise by name. Raises PlanError on a cycle."""
        sorter = TopologicalSorter(self.dependencies)
        try:
            sorter.prepare()
        except CycleError as error:
            # graphlib lists each plan after the one that needs it, the first again at the end.
            cycle = " -> ".join(reversed(error.args[1]))
            raise PlanError(f"plans depend on each other in a cycle, {cycle}; remove one dependency") from None
        ordered: list[str] = []
        ready: list[str] = []
        while sorter.is_active():
            ready = sorted([*ready, *sorter.get_ready()])
            name = ready.pop(0)
            ordered.append(name)
            sorter.done(name)
        return tuple(ordered)

    def layers(self) -> tuple[tuple[str, ...], ...]:
        """The plans by the length of the longest way to one that needs nothing, each layer by name."""
        depth: dict[str, int] = {}
        for name in self.order():
            depth[name] = 1 + max((depth[needed] for needed in self.dependencies[name]), default=-1)
        count = 1 + max(depth.values(), default=-1)
        return tuple(tuple(sorted(name for name in depth if depth[name] == layer)) for layer in range(count))

    def needed_by(self, name: str) -> tuple[str, ...]:
        """All plans that must be applied before this one, in order."""
        found: set[str] = set()
        waiting = list(self.dependencies[name])
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting.extend(self.dependencies[current])
        return tuple(plan for plan in self.order() if plan in found)

    def needing(self, name: str) -> tuple[str, ...]:
        """All plans that cannot stay applied without this one, the last one first."""
        return tuple(plan for plan in reversed(self.order()) if name in self.needed_by(plan))
