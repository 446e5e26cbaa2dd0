"""The labs: what is told to whoever answers them wrongly. Answers that do not touch each other share one look."""

import pytest

REMOTE = "monolith/reviews/remote.py"


def told(said, *expected):
    assert [one for one in expected if one not in said] == [], said


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            [("httpx.Timeout(2.0, connect=0.5)", "60.0"), ("most=4", "most=8"), ("failures=5", "failures=50")],
            ["product pages come before people go", "hold all 8 threads", "ask reviews that fail 30 times"],
        ),
        (
            [
                ("failures=5", "failures=1"),
                ("failure=ReviewsUnavailable", "failure=Exception"),
                ("        return response\n", "        _raise_for(response)\n        return response\n"),
            ],
            ["one error in between", '"not found" are taken for dead'],
        ),
        ([("raise ReviewsSpared(", "raise RuntimeError(")], ["a page breaks where the reviews are away: RuntimeError"]),
    ],
)
def test_reviews_that_take_the_shop_along_are_told(solved, changes, expected):
    told(solved(21, *((REMOTE, *change) for change in changes)), *expected)
