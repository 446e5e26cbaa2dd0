from dataclasses import dataclass, replace

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.operations import CutForeignKey, MoveRoutes, MoveTables, MoveTask

MOVE = MoveTask("reviews.moderate", queue="reviews", app="shop.celery.app")


@dataclass
class FakeTasks:
    refused: tuple = ()
    queue: str = "celery"

    def refusals(self, task, queue):
        yield from self.refused

    def queue_of(self, task):
        return self.queue

    def held(self, task, queue):
        return {}


def test_it_is_described_with_its_queue_and_reversible():
    assert MOVE.describe() == "Move task reviews.moderate to queue reviews"
    assert (MOVE.reversible, MOVE.final) == (True, False)


def test_the_state_knows_who_runs_the_task(state, key):
    (entry,) = MOVE.state_forwards(key, state).tasks
    assert (entry.service, entry.task, entry.queue) == ("reviews", "reviews.moderate", "reviews")


def test_a_task_moves_once(state, key):
    after = MOVE.state_forwards(key, state)
    with pytest.raises(PlanError, match='has moved already, with plan "0001_reviews"'):
        MOVE.state_forwards(replace(key, name="0002_other"), after)


def test_a_plan_that_moves_tables_moves_its_tasks_behind_the_switch(state, key):
    cut = CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut").state_forwards(key, state)
    moved = MoveTables(["reviews.Review", "reviews.Vote"]).state_forwards(key, cut)
    with pytest.raises(PlanError, match="put MoveTask behind MoveRoutes"):
        MOVE.state_forwards(key, moved)
    assert MOVE.state_forwards(key, MoveRoutes(["/api/reviews/"]).state_forwards(key, moved)).tasks


def test_the_dry_run_shows_the_row_and_what_would_be_refused_now(world, state, key, events):
    world = replace(world, tasks=lambda path: FakeTasks(refused=(f"{path} is asleep",)))
    after = MOVE.state_forwards(key, state)
    first, row, last = MOVE.effects(world, state, after)
    assert first == "-- would be refused now: shop.celery.app is asleep"
    assert row == f"-- monolith: a row of strangler.task_routes sends {MOVE.task} to queue {MOVE.queue}"
    assert last.startswith("-- wait until")
    assert next(iter(MOVE.undo_effects(world, state, after))) == (
        f"-- monolith: the row of strangler.task_routes for {MOVE.task} goes"
    )
    assert events == []
