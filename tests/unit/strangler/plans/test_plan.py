"""The plan that ships: it fits Orchard's models."""

from pathlib import Path

import pytest
from django.apps import apps

from strangler.plans.errors import PlanError
from strangler.plans.loader import load_plans
from strangler.plans.operations import ReplicateTable
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


def test_a_plan_that_only_replicates_is_refused_since_nobody_would_copy(state):
    copies = type(
        "Plan", (Plan,), {"service": "search", "operations": [ReplicateTable("catalog.Product", columns=["id"])]}
    )
    with pytest.raises(PlanError, match=r'plan "0001_search" replicates "catalog.Product" and moves nothing'):
        copies("0001_search", None).states(state)


def test_only_the_retirement_is_final(project):
    plan = project.plan("0001")
    assert [operation.final for operation in plan.operations] == [False] * 7 + [True] * 2
    assert plan.reversible_length == 7
