"""Step 12: is the old code gone, does nothing read the old rows, and is the plan over?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.files import tree_of
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.orchard import Standing, standing
from strangler.workshop.lessons.probing import Probed, probe

POSITION = "7"
_LOCAL = "monolith/reviews/local.py"
_STATEMENT = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(reviews_(?:review|vote))\b")
_MADE_FROM = ("monolith/seed/",)
"""What fills an empty shop, in which nothing has moved."""
_OPERATIONS = 9


def check(bench: Bench) -> list[Finding]:
    """Code, pages and statements of the learner's Orchard, and then the plan."""
    probed = probe(bench)
    found = [*([probed.broken] if probed.broken else []), *_code(bench), *_statements(bench), *_pages(probed)]
    now = standing(bench)
    return [*found, now] if isinstance(now, Finding) else [*found, *judge(now)]


def judge(now: Standing) -> Iterator[Finding]:
    """Whether the plan is over, decided purely."""
    if now.owner != "reviews":
        yield Finding(what="the service does not own the reviews", where='"strangler workshop reset" brings it there')
    elif now.applied < _OPERATIONS:
        what = f"{now.applied} of {_OPERATIONS} operations are applied: the way back is still open"
        yield Finding(what=what, where='"python manage.py applyplan 0001 --final", and only when the code is ready')


def _code(bench: Bench) -> Iterator[Finding]:
    if bench.text(_LOCAL) is not None:
        yield Finding(
            what=f'"{_LOCAL}" is still there', where='monolith/reviews/gateway.py: "reviews()" alone needs it'
        )


def _statements(bench: Bench) -> Iterator[Finding]:
    for path in tree_of(bench.home / "monolith"):
        text = bench.text(f"monolith/{path}") or ""
        if (
            path.endswith(".py")
            and not f"monolith/{path}".startswith(_MADE_FROM)
            and (found := _STATEMENT.search(text))
        ):
            line = text.count("\n", 0, found.start()) + 1
            what = f'a statement reads "{found[1]}" here: from now on it would show what was true once'
            yield Finding(what=what, where=f"monolith/{path}:{line}: ask the service, or give the page up")


def _pages(probed: Probed) -> Iterator[Finding]:
    for page in probed.pages:
        what = f"{page} shows, and would change, rows that are tombstones"
        yield Finding(what=what, where="the admin.py that registers it")
