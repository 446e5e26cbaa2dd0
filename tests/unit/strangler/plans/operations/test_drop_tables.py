from dataclasses import replace
from datetime import timedelta

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.moves import move_spec
from strangler.plans.operations import DropTables
from strangler.plans.state import Archived, Moved, Replicated

MODELS = ("reviews.Review", "reviews.Vote")
DROP = DropTables(MODELS, after=timedelta(days=30))


@pytest.fixture
def archived(state, key):
    return replace(
        state,
        moved=tuple(Moved(plan=key.name, service="reviews", model=label) for label in MODELS),
        replicated=(Replicated(plan=key.name, service="reviews", model="catalog.Product", columns=("id",)),),
        retired_tables=MODELS,
        archived=tuple(Archived(plan=key.name, model=label, to="archive") for label in MODELS),
    )


def test_it_is_final_and_irreversible(world, archived):
    assert (DROP.final, DROP.reversible) == (True, False)
    assert list(DROP.undo_effects(world, archived, archived)) == []
    with pytest.raises(PlanError, match="cannot be undone; the archive holds the rows"):
        DROP.backwards(world, archived, archived)


def test_it_comes_behind_archive_tables_and_once(archived, key):
    with pytest.raises(PlanError, match="put ArchiveTables before"):
        DROP.state_forwards(key, replace(archived, archived=()))
    with pytest.raises(PlanError, match="is dropped already"):
        DROP.state_forwards(key, DROP.state_forwards(key, archived))
    with pytest.raises(PlanError, match=r'DropTables must name "reviews.Vote" too'):
        replace(DROP, models=["reviews.Review"]).state_forwards(key, archived)


def test_the_move_goes_on_with_its_copies_alone(archived, key):
    spec = move_spec(key, DROP.state_forwards(key, archived))
    assert (spec.moved, [replica.table for replica in spec.replicated]) == ((), ["catalog_product"])
    assert move_spec(key, archived).moved == ("reviews_review", "reviews_vote")


def test_nonsense_is_refused_when_it_is_written():
    with pytest.raises(ValueError, match=r"DropTables: after .* is no waiting time"):
        DropTables(MODELS, after=timedelta(days=-1))
