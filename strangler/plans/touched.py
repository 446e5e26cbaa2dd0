"""Which tables of the monolith a plan works on: what may not happen to them in two plans at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from strangler.plans.state import ProjectState


@dataclass(frozen=True, kw_only=True)
class Touched:
    """Tables by what the plan does with them."""

    changed: frozenset[str] = frozenset()
    """Moved, cut loose or split: for one plan alone."""
    read: frozenset[str] = frozenset()
    """Copied for a service: for several plans, as long as none changes them."""


NOTHING = Touched()


def touched(plan: str, after: ProjectState) -> Touched:
    """What the plan does until that state. Raises PlanError where a model is unknown."""
    cut = {cut.field.rpartition(".")[0] for cut in after.cuts if cut.plan == plan}
    split = {label for entry in after.splits if entry.plan == plan for label in (entry.model, entry.into)}
    changed = cut | split | {entry.model for entry in after.moved_by(plan)}
    read = {entry.model for entry in after.replicated_by(plan)} - changed
    return Touched(changed=_tables(changed, after), read=_tables(read, after))


def _tables(labels: set[str], state: ProjectState) -> frozenset[str]:
    return frozenset(state.schema.model(label).table for label in labels)
