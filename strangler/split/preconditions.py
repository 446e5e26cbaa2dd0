"""What must hold before a move is created; everything is looked at before the first effect."""

from __future__ import annotations

from strangler.split import gates, installation
from strangler.split.errors import Refused
from strangler.split.exchange import by_value, refuse_misfits
from strangler.split.layout import Layout, unlike_rules
from strangler.split.spec import Capture, MoveSpec, Side
from strangler.split.store import Store


def refuse_unfit(source: Store, target: Store, spec: MoveSpec, layout: Layout) -> list[str]:
    """Raise Refused where the databases, their tables or their users are not fit; what the target goes without."""
    for store, side in ((source, Side.SOURCE), (target, Side.TARGET)):
        moved = layout.moved_tables(side)
        claimed = [claim.table for claim in layout.claims(side)]
        reasons = [*store.unfit(claimed, layout.captured(side))]
        reasons += store.lacking([pair.of(side) for pair in layout.pairs], filled=side is Side.TARGET)
        if spec.capture == Capture.LOG:
            reasons += store.log_unfit(layout.captured(side))
        if reasons := [*reasons, *store.crossing_keys(moved), *store.straddling(moved)]:
            raise Refused(f"in the {side} database {'; '.join(reasons)}")
        installation.refuse_claimed(store, spec, layout, side)
    if source.identity() == target.identity():
        raise Refused("the source and the target are the same database; correct one of the two DSNs")
    if reasons := list(gates.shared_numbers(source, target, layout)):
        raise Refused("; ".join(reasons))
    if target.has_tables() and installation.installed(target, spec.name):
        return []
    unlike, warnings = unlike_rules(layout, source, target)
    if unlike:
        raise Refused("; ".join(unlike))
    for pair in layout.pairs:
        if not target.is_empty(pair.target):
            raise Refused(
                f'table "{pair.target}" of the target is not empty; look whose rows these are, and empty it before '
                "the move is created"
            )
    if by_value(source, target):
        refuse_misfits(source, target, layout.pairs)
    return warnings
