"""A plan's record as one page of HTML that stands alone: nothing is loaded from anywhere."""

from __future__ import annotations

from pathlib import Path

from django.template import Context, Engine
from django.utils import translation

from strangler.plans.history import history
from strangler.plans.recorder import Content
from strangler.plans.report import PlanReport

_TEMPLATE = Path(__file__).with_name("page.html")


def record_page(report: PlanReport, content: Content) -> str:
    """What was planned, what happened, when, by whom, how long it took, and whether the record is sound. Pure."""
    runs = history(content.entries)
    longest = max((run.seconds for run in runs), default=0.0)
    # No engine of the project's settings: the page is the same in every project.
    template = Engine(libraries={"humanize": "django.contrib.humanize.templatetags.humanize"}).from_string(
        _TEMPLATE.read_text(encoding="utf-8")
    )
    facts = Context(
        {
            "plan": report,
            "runs": [(run, 100 * run.seconds / longest if longest else 0.0) for run in runs],
            "who": sorted({run.who for run in runs}),
            "first": runs[0].started if runs else None,
            "last": max((run.ended for run in runs), default=None),
            "seconds": sum(run.seconds for run in runs),
            "rows": sum(run.rows for run in runs),
            "longest_pause": max((run.pause_ms for run in runs if run.pause_ms is not None), default=None),
            "unhappy": [run for run in runs if run.outcome != "done"],
            "lines": len(content.entries),
            "heads": content.heads,
        },
        use_tz=False,
    )
    # Numbers are written as the styles need them, whatever the project speaks.
    with translation.override("en"):
        return template.render(facts)
