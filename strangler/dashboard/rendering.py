"""A snapshot as HTML, in sections that can be replaced one by one. Pure: the same snapshot gives the same bytes."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.template import Context, Engine, Library
from django.utils import translation
from django.utils.html import escape

from strangler.dashboard.snapshot import PlanView, Snapshot, age, headline
from strangler.dashboard.steering import Action
from strangler.dashboard.traces import spans
from strangler.plans.history import Run
from strangler.rollout.showing import again
from strangler.tracing.logs import Trace

_TEMPLATES = Path(__file__).with_name("templates")
_PARTS = ("now", "routes", "tables", "steps", "rollout", "shadows")
"""Of a plan, in their order; each a template."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A piece of the page that is replaced when it changes."""

    id: str
    html: str


def sections(snapshot: Snapshot, *, may_steer: bool) -> dict[str, str]:
    """All of the page's contents, by the ids of their elements; with the actions only for whoever may take them."""
    found = {
        "said": escape("; ".join(map(headline, snapshot.plans))),
        "as-of": _render("as_of", snapshot=snapshot),
        "troubles": _render("troubles", troubles=snapshot.troubles),
        "proxies": _render("proxies", snapshot=snapshot),
        "happenings": _render("happenings", snapshot=snapshot),
        "traces": _render("traces", snapshot=snapshot),
    }
    for plan in snapshot.plans:
        for part in _PARTS:
            found[f"{plan.name}-{part}"] = _render(
                part, snapshot=snapshot, plan=plan, may_steer=may_steer, operations=list(_operations(plan))
            )
    return found


def page(snapshot: Snapshot, *, may_steer: bool, version: str, live: bool = True) -> str:
    """The whole page. "version" is of its assets, so that no old one is used; "live" is whether it is kept current."""
    found = sections(snapshot, may_steer=may_steer)
    plans = [
        (plan, [Section(id=f"{plan.name}-{part}", html=found[f"{plan.name}-{part}"]) for part in _PARTS])
        for plan in snapshot.plans
    ]
    return _render("page", plans=plans, found=found, version=version, live=live, root="")


def confirmation(
    plan: PlanView, name: str, action: Action | None, *, token: str, version: str, refused: str = ""
) -> str:
    """The page on which an action is confirmed by typing the plan's name; without a form where it is not offered."""
    return _render(
        "confirm",
        plan=plan,
        name=name,
        action=action,
        said=headline(plan),
        token=token,
        version=version,
        refused=refused,
        root="../../",
    )


def trace_page(trace: Trace, *, version: str) -> str:
    """The page of one trace, all components beneath each other."""
    return _render("trace", trace=trace, spans=spans(trace), first=trace.lines[0], version=version, root="../")


def _operations(plan: PlanView) -> Iterator[tuple[Any, Sequence[Run]]]:
    """Each operation with what its record says, the newest run first."""
    for operation in plan.report.operations:
        yield operation, [run for run in reversed(plan.runs) if run.number == operation.number]


def _render(name: str, /, **facts: object) -> str:
    # Figures are written as elements have them, whatever the project speaks.
    with translation.override("en"):
        return _engine().get_template(f"{name}.html").render(Context(facts, use_tz=False))


@functools.cache
def _engine() -> Engine:
    """Not that of the project's settings: the page is the same in every project."""
    engine = Engine(dirs=[str(_TEMPLATES)])
    engine.template_builtins.append(_filters())
    return engine


def _filters() -> Library:
    library = Library()
    library.filter("ago", _ago)
    library.filter("clock", lambda at: datetime.fromisoformat(at).strftime("%H:%M:%S"))
    library.filter("day", lambda at: datetime.fromisoformat(at).strftime("%Y-%m-%d"))
    library.filter("again", again)
    library.filter("get", lambda mapping, key: mapping[key])
    library.filter("thousands", lambda number: f"{number:,}")
    library.filter("rest", lambda share: 100 - share)
    return library


def _ago(then: str, now: str) -> str:
    """How long ago, in the largest unit of which there is one; no seconds, which would always be others."""
    seconds = age(now, then)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' * (count != 1)} ago"
    return "less than a minute ago"
