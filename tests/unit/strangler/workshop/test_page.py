"""The page, and when it says that all is well."""

import pytest

from strangler.split import Difference, Verification
from strangler.workshop.checker import Finding, Findings
from strangler.workshop.journal import Entry, Outcome
from strangler.workshop.page import Page, Switch, render


def page(**changes):
    entry = Entry(at=1, seconds=0.1, outcome=Outcome.ACKNOWLEDGED, what="GET page", status=200)
    switch = Switch(owner="target", pause_ms=12.5, waits=[0.1, 0.2, 0.3])
    given = {
        "entries": [entry],
        "findings": Findings(acknowledged=9),
        "looks": 100,
        "two_owners": 0,
        "watch_broken": "",
        "rows": 1000,
        "verification": Verification(rows=1000, differences=()),
        "switches": [switch] * 3,
        "status": "owner  reviews",
    }
    return Page(**{**given, **changes})


def test_a_clean_page_says_so_with_its_figures():
    text = render(page())
    assert "The three zeros hold." in text
    assert "1 made, 0 failed, 0 refused" in text
    assert "9 acknowledged, 0 lost, 0 duplicated, 0 out of nothing" in text
    assert "0 instants, in 100 looks" in text
    assert "writes paused 12.5 ms; 3 writes around it took p50 200, p99 300, longest 300 ms" in text


FINDING = Finding(kind="review", key="r1", what="is not there")
FAILED = Entry(at=1, seconds=0.1, outcome=Outcome.FAILED, what="GET page", status=502)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"entries": [FAILED]}, "GET page 502"),
        ({"findings": Findings(acknowledged=9, lost=[FINDING])}, "review r1: is not there"),
        ({"findings": Findings(acknowledged=9, unexplained=[FINDING])}, "1 out of nothing"),
        ({"findings": Findings(acknowledged=0)}, "0 acknowledged"),
        ({"two_owners": 1}, "1 instants"),
        ({"looks": 0}, "in 0 looks"),
        ({"watch_broken": "connection lost"}, "connection lost"),
        ({"switches": []}, "owner  reviews"),
        (
            {"verification": Verification(rows=1, differences=(Difference(table="t", key=("7",), what="missing"),))},
            "t 7: missing",
        ),
    ],
)
def test_anything_else_does_not_hold(changes, shown):
    text = render(page(**changes))
    assert "do NOT hold" in text
    assert shown in text
