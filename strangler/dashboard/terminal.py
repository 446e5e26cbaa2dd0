"""The same page in a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from strangler.dashboard.snapshot import PlanView, Snapshot, headline
from strangler.rollout.rollout import Wish

_COLOURS = {
    "applied": "green",
    "done": "green",
    "success": "green",
    "half done": "yellow",
    "inconclusive": "yellow",
    "began": "yellow",
    "failed": "red",
    "unknown": "red",
}
_LAST = 8
"""Events, and traces, that are shown."""


def show(snapshot: Snapshot, console: Console | None = None) -> None:
    """Print it once."""
    (console or Console()).print(screen(snapshot))


def watch(collect: Callable[[], Snapshot], *, every: float) -> None:
    """Keep it on the screen until Ctrl-C."""
    with suppress(KeyboardInterrupt), Live(screen(collect()), screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(every)
            live.update(screen(collect()), refresh=True)


def screen(snapshot: Snapshot) -> RenderableType:
    """All of it. Pure."""
    return Group(*_lines(snapshot))


def _lines(snapshot: Snapshot) -> Iterator[RenderableType]:
    yield Text(f"as of {snapshot.at}", style="dim")
    for trouble in snapshot.troubles:
        yield Text(trouble, style="red")
    for plan in snapshot.plans:
        yield Panel(Group(*_plan(plan)), title=escape(headline(plan)), title_align="left")
    if not snapshot.plans and not snapshot.troubles:
        yield Text("There are no plans yet.")
    for proxy in snapshot.proxies:
        yield Text(
            "; ".join((f"proxy {proxy.name}: {proxy.state}", *proxy.moves)), style="green" if proxy.well else "red"
        )
    for one in snapshot.happenings[:_LAST]:
        yield Text.assemble(
            (one.at[11:19], "dim"),
            f" {one.plan} {one.number} ",
            (f"{one.kind} " if one.kind != "step" else "", _COLOURS.get(one.kind, "")),
            one.what,
        )
    for trace in (snapshot.traces or ())[:_LAST]:
        yield Text.assemble(
            (trace.at[11:19], "dim"),
            (" failed" if trace.failed else "", "red"),
            f" {trace.name} ",
            ("" if trace.milliseconds is None else f"{trace.milliseconds:.1f} ms ", "dim"),
            " > ".join(trace.components),
            (f" {trace.id}", "dim"),
        )


def _plan(plan: PlanView) -> Iterator[RenderableType]:
    for trouble in (*plan.report.problems, *plan.troubles):
        yield Text(trouble, style="red")
    status = plan.status
    if status is not None:
        yield Text.assemble("back: ", (str(status.back), "green" if status.back.possible else ""))
        yield from (Text(reason, style="yellow") for reason in status.reasons)
        yield Text(f"next: {status.next}")
    if plan.routes:
        yield _routes(plan)
    if plan.tables:
        yield _tables(plan)
    yield Text.assemble(
        "steps: ",
        *(
            piece
            for operation in plan.report.operations
            for piece in ((f"{operation.number} {operation.state}", _COLOURS.get(operation.state, "dim")), "  ")
        ),
    )
    for judged in plan.judged:
        yield Text(judged.stands)
        if judged.verdict is not None:
            yield Text(str(judged.verdict), style=_COLOURS[judged.verdict.outcome])
    if plan.asked.wish is not Wish.GO_ON:
        yield Text(f"{plan.asked.who} asked for: {plan.asked.wish}", style="yellow")
    if plan.shadows is not None and plan.shadows.seen is not None:
        seen = plan.shadows.seen
        yield Text(f"shadows: {seen.compared:,} compared, {seen.different:,} different")
        yield from (Text(f"  {differing}") for differing in seen.differing)


def _routes(plan: PlanView) -> Table:
    table = _table("route", "writes", "reads of the other side", "shadowed", "version")
    for route in plan.routes:
        reads = f"{route.reads_to_other:g}% {route.other}"
        table.add_row(*map(escape, (route.pattern, route.owner, reads, f"{route.shadowed:g}%", route.version or "-")))
    return table


def _tables(plan: PlanView) -> Table:
    table = _table("table", "owner", "term", "waiting", "heartbeat", "compared")
    status = plan.status
    waiting = heartbeat = compared = term = "-"
    if status is not None and status.pending:
        waiting = ", ".join(f"{side} {count:,}" for side, count in status.pending.items())
        heartbeat = ", ".join(
            f"{side} {'none' if age is None else f'{age:.0f} s'}" for side, age in status.lag_seconds.items()
        )
        compared = f"{status.verified_at}, {status.differences} differ" if status.verified_at else "never"
        term = str(status.term)
    for one in plan.tables:
        owner = f"{one.owner}, copy at {one.copy_at}" if one.copy_at else one.owner
        own = "-" if one.copy_at else term
        table.add_row(*map(escape, (one.name, owner, own, waiting, heartbeat, compared)))
    return table


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in heads:
        table.add_column(head)
    return table
