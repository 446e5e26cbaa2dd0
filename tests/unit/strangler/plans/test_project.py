import pytest

from strangler.plans import Plan
from strangler.plans.errors import PlanError
from strangler.plans.operations import CutForeignKey, MoveRoutes, MoveTables
from strangler.plans.project import Project
from strangler.plans.schema import Schema
from tests.unit.strangler.plans.fake_world import model, schema


def plan(name, *operations, service="reviews", dependencies=()):
    body = {"service": service, "operations": operations, "dependencies": dependencies}
    return type("Plan", (Plan,), body)(name, None)


CUT = CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut")
MOVE = MoveTables(["reviews.Review", "reviews.Vote"])


def test_a_plan_is_found_by_its_name_or_its_beginning():
    project = Project((plan("0001_reviews", CUT), plan("0002_orders", CUT)), schema())
    assert project.plan("0001").name == project.plan("0001_reviews").name == "0001_reviews"


@pytest.mark.parametrize(("name", "sentence"), [("0009", "unknown plan"), ("000", "could be any of"), ("", "unknown")])
def test_another_name_is_refused_with_the_names_there_are(name, sentence):
    project = Project((plan("0001_reviews", CUT), plan("0002_orders", CUT)), schema())
    with pytest.raises(PlanError, match=f'{sentence}.*"0001_reviews", "0002_orders"'):
        project.plan(name)


def test_states_follow_the_operations():
    project = Project((plan("0001_reviews", CUT, MOVE),), schema())
    before, cut, moved = project.states("0001_reviews")
    assert not before.cuts
    assert cut.is_cut("reviews.Review.product")
    assert moved.owner_of_table("reviews.Vote") == "reviews"
    assert project.final_state() == moved


def test_a_later_plan_starts_where_the_earlier_one_ends():
    other = plan("0002_again", MoveTables(["reviews.Review"]), service="other", dependencies=["0001_reviews"])
    project = Project((other, plan("0001_reviews", CUT, MOVE)), schema())
    with pytest.raises(PlanError, match=r'plan "0002_again", operation 1: table of "reviews.Review" has moved already'):
        project.final_state()


def test_a_route_of_two_owners_is_refused_with_both_plans():
    notes = model("notes.Note")
    other = plan("0002_notes", MoveTables(["notes.Note"]), MoveRoutes(["/api/<pk>/reviews/"]), service="notes")
    first = plan("0001_reviews", CUT, MOVE, MoveRoutes(["/api/<x>/reviews/"]))
    project = Project((first, other), Schema(models=(*schema().models, notes)))
    with pytest.raises(PlanError, match=r'two owners, plan "0001_reviews" .* and plan "0002_notes"'):
        project.final_state()


def test_the_fingerprint_changes_with_what_it_covers_only():
    one, two = plan("0001_reviews", CUT, MOVE), plan("0001_reviews", CUT)
    assert one.digest(1) == two.digest(1)
    assert one.digest(2) != two.digest(2)
