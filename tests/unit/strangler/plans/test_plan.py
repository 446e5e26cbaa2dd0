"""The plan that ships: it fits Orchard's models."""

from pathlib import Path

import pytest
from django.apps import apps

from strangler.plans.loader import load_plans
from strangler.plans.operations import CutForeignKey, MoveTables, ReplicateTable
from strangler.plans.plan import Plan
from strangler.plans.project import Project
from strangler.plans.schema import schema_of

PLANS = Path(__file__).parents[4] / "migration_plans"


@pytest.fixture(scope="module")
def project():
    return Project(load_plans(PLANS), schema_of(apps))


def test_the_reviews_and_their_routes_belong_to_the_service_at_the_end(project):
    state = project.final_state()
    assert state.owner_of_table("reviews.Review") == state.owner_of_table("reviews.Vote") == "reviews"
    assert state.owner_of_route("/api/reviews/") == "reviews"
    assert state.owner_of_table("catalog.Product") == "monolith"


def test_a_plan_knows_how_many_copies_nothing_else_would_bring(state):
    copies = [ReplicateTable(model, columns=["id"]) for model in ("catalog.Product", "accounts.User")]
    alone = type("Plan", (Plan,), {"service": "search", "operations": copies})("0001_search", None)
    assert alone.key.copies_alone == 2
    assert len(alone.states(state)[-1].replicated_by("0001_search")) == 2
    cut = CutForeignKey("orders.Order.user", keep="user_id", migration="0002_cut")
    moving = type("Plan", (Plan,), {"service": "search", "operations": [*copies, cut, MoveTables(["orders.Order"])]})
    assert moving("0002_orders", None).key.copies_alone == 0


def test_only_the_retirement_is_final(project):
    plan = project.plan("0001")
    assert [operation.final for operation in plan.operations] == [False] * 7 + [True] * 2
    assert plan.reversible_length == 7
