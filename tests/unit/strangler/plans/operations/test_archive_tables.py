from dataclasses import replace
from datetime import timedelta

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.operations import ArchiveTables
from strangler.plans.state import Moved

MODELS = ("reviews.Review", "reviews.Vote")
ARCHIVE = ArchiveTables(MODELS, to="archive/reviews", after=timedelta(days=7))


@pytest.fixture
def moved(state, key):
    entries = tuple(Moved(plan=key.name, service="reviews", model=label) for label in MODELS)
    return replace(state, moved=entries)


@pytest.fixture
def retired(moved):
    return replace(moved, retired_tables=MODELS)


def test_it_is_final_and_says_where_and_when():
    assert (ARCHIVE.final, ARCHIVE.reversible) == (True, True)
    assert ARCHIVE.describe() == (
        "Archive tables reviews.Review, reviews.Vote to archive/reviews, 7 days, 0:00:00 after they were retired"
    )


def test_the_state_knows_where_the_rows_are(retired, key):
    after = ARCHIVE.state_forwards(key, retired)
    assert after.archive_of("reviews.Vote").to == "archive/reviews"
    assert after.archive_of("orders.Order") is None


def test_it_comes_behind_retire_tables_and_once(moved, retired, state, key):
    with pytest.raises(PlanError, match="put RetireTables before"):
        ARCHIVE.state_forwards(key, moved)
    with pytest.raises(PlanError, match="is archived already"):
        ARCHIVE.state_forwards(key, ARCHIVE.state_forwards(key, retired))
    with pytest.raises(PlanError, match=r'ArchiveTables must name "reviews.Vote" too'):
        replace(ARCHIVE, models=["reviews.Review"]).state_forwards(key, retired)
    with pytest.raises(PlanError, match="ArchiveTables names no model"):
        replace(ARCHIVE, models=[]).state_forwards(key, state)


@pytest.mark.parametrize(
    "wrong", [{"after": timedelta(days=-1)}, {"after": 7}, {"to": ""}, {"models": "reviews.Review"}]
)
def test_nonsense_is_refused_when_it_is_written(wrong):
    with pytest.raises(ValueError, match="ArchiveTables"):
        replace(ARCHIVE, **wrong)
