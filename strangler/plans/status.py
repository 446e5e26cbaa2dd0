"""What planstatus says of one plan: who owns, who serves, how far behind, whether one can go back, what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from strangler.plans.plan import Plan
from strangler.plans.standing import Entry, Position
from strangler.plans.state import MONOLITH
from strangler.plans.way_back import WayBack, way_back
from strangler.split import MoveStatus, Picture, Side


@dataclass(frozen=True, kw_only=True)
class PlanStatus:
    """One plan at one moment. What only a created move has is None, or empty, before."""

    plan: str
    service: str
    applied: int
    operations: int
    half_done: bool
    owner: str
    """"monolith", the service's name, "nobody" in the middle of a switch, or "unknown" where the databases disagree."""
    term: int | None
    version: int | None
    reads_to_service: float
    """Percent of the reads that the service answers, as published last."""
    pending: dict[str, int]
    """Changes that wait to be applied, by the side where they were made."""
    lag_seconds: dict[str, float | None]
    verified_at: str | None
    differences: int | None
    back: WayBack
    reasons: tuple[str, ...]
    """Why one cannot go back, or why the next switch would be refused now."""
    next: str

    def __str__(self) -> str:
        return "\n".join([f"{self.plan} ({self.service})", *(f"  {name:<13}{text}" for name, text in self._lines())])

    def _lines(self) -> Iterator[tuple[str, str]]:
        half = f", number {self.applied + 1} half done" if self.half_done else ""
        yield "applied", f"{self.applied} of {self.operations} operations{half}"
        yield "owner", self.owner + (f" (term {self.term})" if self.term is not None else "")
        yield "reads", f"{self.reads_to_service:g}% by {self.service}"
        if self.pending:
            yield "waiting", ", ".join(f"{count} changes of the {side}" for side, count in self.pending.items())
            yield "heartbeat", ", ".join(f"{side} {_age(age)}" for side, age in self.lag_seconds.items())
        if self.verified_at is not None:
            yield "verified", f"{self.verified_at}, {self.differences} differences"
        yield "back", str(self.back)
        yield from (("because", reason) for reason in self.reasons)
        yield "next", self.next


def plan_status(plan: Plan, position: Position, move: MoveStatus | None, entries: Iterable[Entry] = ()) -> PlanStatus:
    """Put together what the record and the databases say; "move" is None where the plan has none yet. Pure."""
    picture = move.picture if move else None
    routing = move.routing if move else None
    in_target = picture is not None and picture.last_owner is Side.TARGET
    irreversible = [op.describe() for op in plan.operations[: position.highest] if not op.reversible]
    reasons = tuple(f"{what} cannot be undone" for what in irreversible)
    broken = move is not None and move.broken
    # A plan of copies alone is never switched.
    to_be_switched = picture is not None and not picture.done and not plan.key.copies_alone
    if move is not None and (broken or to_be_switched):
        reasons += move.refusals
    # Only a reverse passes the gates; a plan whose tables the monolith still owns is undone without a switch.
    can_go_back = position.highest > 0 and not irreversible and not (in_target and reasons) and not broken
    weight = routing.weight / 100 if routing else 0.0
    return PlanStatus(
        plan=plan.name,
        service=plan.key.service,
        applied=position.lowest,
        operations=len(plan.operations),
        half_done=position.half_done,
        owner="unknown" if broken else _owner(picture, plan.key.service),
        term=picture.term if picture else None,
        version=routing.n if routing else None,
        reads_to_service=100 - weight if in_target else weight,
        pending={side.value: count for side, count in move.pending.items()} if move else {},
        lag_seconds={side.value: age for side, age in move.lag_seconds.items()} if move else {},
        verified_at=move.verified_at if move else None,
        differences=move.differences if move else None,
        back=way_back(plan, entries, possible=can_go_back, by_switch=in_target),
        reasons=reasons,
        next=_next(plan, position),
    )


def _owner(picture: Picture | None, service: str) -> str:
    if picture is None:
        return MONOLITH
    return {Side.SOURCE: MONOLITH, Side.TARGET: service, None: "nobody"}[picture.owner]


def _next(plan: Plan, position: Position) -> str:
    command = f"manage.py applyplan {plan.name}"
    final = " --final" if position.highest > plan.reversible_length else ""
    if position.half_done:
        return f'"{command}{final}" finishes {position.between}, "{command} {position.lowest}" undoes it'
    if position.lowest < plan.reversible_length:
        what = plan.operations[position.lowest].describe()
        return f'"{command} {position.lowest + 1}" goes on with: {what}'
    if position.lowest < len(plan.operations):
        back = "" if position.lowest > plan.reversible_length else f', "{command} zero" goes back'
        return f'"{command} --final" ends it for good{back}'
    return "nothing, the extraction is over"


def _age(seconds: float | None) -> str:
    return "never arrived" if seconds is None else f"{seconds:.1f} s ago"
