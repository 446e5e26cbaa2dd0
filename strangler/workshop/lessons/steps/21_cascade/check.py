"""Lab 21: do reviews that hang or fail take the shop along?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.probing import experiment

_REMOTE = "monolith/reviews/remote.py"
_PROGRAM = Path(__file__).parent / "start" / "labs" / "cascade.py"
_THREADS, _PAGES, _ONE_PAGE = 8, 12, 3


def check(bench: Bench) -> list[Finding]:
    """What the learner's client does with reviews that hang, fail and say no."""
    said, broken = experiment(bench, _PROGRAM)
    if broken is not None:
        return [broken]
    if said["broken"]:
        what = f"a page breaks where the reviews are away: {said['broken']}"
        return [Finding(what=what, where=f'{_REMOTE}: pages know "ReviewsUnavailable" and its kinds (errors.py)')]
    return [*_timeout(said), *_bulkhead(said), *_breaker(said), *_too_eager(said)]


def _timeout(said: Mapping[str, Any]) -> Iterator[Finding]:
    if said["pages"] < _PAGES:
        what = f"while the reviews hang, only {said['pages']} of {_PAGES} product pages come before people go"
        yield Finding(what=what, where=f"TIMEOUT in {_REMOTE}: how long would you look at an empty page?")


def _bulkhead(said: Mapping[str, Any]) -> Iterator[Finding]:
    if said["hung"] >= _THREADS:
        what = f"reviews that hang hold all {_THREADS} threads of the shop: the home page waits, and does not need them"
        yield Finding(what=what, where=f"{_REMOTE}: who passes the guard, and LIMITS.most")
    elif said["hung"] == 0:
        what = "the reviews are not asked at all"
        yield Finding(what=what, where=f"{_REMOTE}: LIMITS")


def _breaker(said: Mapping[str, Any]) -> Iterator[Finding]:
    if said["asked"] >= 10 * _ONE_PAGE:
        what = f"ten pages ask reviews that fail {said['asked']} times: each page has to find out for itself"
        yield Finding(what=what, where=f'{_REMOTE}: each call passes "self._guard", for which errors are to count')
    elif said["asked"] > 2 * _ONE_PAGE + 2:
        what = f"reviews that fail are asked {said['asked']} times before they are left alone"
        yield Finding(
            what=what, where=f"{_REMOTE}: LIMITS.failures, and whether each attempt passes the guard, or each page"
        )
    if not said["back"]:
        what = "reviews that are well again are not found"
        yield Finding(what=what, where="monolith/guard.py: what becomes of the failures after an answer")


def _too_eager(said: Mapping[str, Any]) -> Iterator[Finding]:
    if not said["one_error"]:
        what = "one error in between, and a page has no reviews"
        yield Finding(what=what, where=f"{_REMOTE}: LIMITS.failures, and READ_ATTEMPTS")
    if not said["no_is_an_answer"]:
        what = 'reviews that say "not found" are taken for dead'
        yield Finding(what=what, where=f'{_REMOTE}: what "_answer" raises, and what is raised behind the guard')
