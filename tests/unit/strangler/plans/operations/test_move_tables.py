from dataclasses import replace

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.operations import CutForeignKey, MoveTables, ReplicateTable
from tests.unit.strangler.plans.fake_world import CASCADE, foreign_key, model, schema

MOVE = MoveTables(["reviews.Review", "reviews.Vote"])
CUT = CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut")


@pytest.fixture
def cut(state, key):
    return CUT.state_forwards(key, state)


def test_the_service_owns_the_tables_afterwards(cut, key):
    after = MOVE.state_forwards(key, cut)
    assert after.owner_of_table("reviews.Review") == after.owner_of_table("reviews.Vote") == "reviews"


def test_a_foreign_key_across_the_boundary_must_be_cut_before(state, key):
    with pytest.raises(PlanError, match=r'"reviews.Review.product" points from one service to another; cut it'):
        MOVE.state_forwards(key, state)


def test_a_foreign_key_from_what_stays_into_what_moves_must_be_cut_too(cut, key):
    with pytest.raises(PlanError, match=r'"reviews.Vote.review" points from one service'):
        MoveTables(["reviews.Review"]).state_forwards(key, cut)


@pytest.mark.parametrize("kind", ["CASCADE", "PROTECT", "SET_NULL", "SET.<locals>.set_on_delete"])
def test_a_deletion_by_django_across_the_boundary_is_refused(state, key, kind):
    on_delete = f"django.db.models.deletion.{kind}"
    cut = CUT.state_forwards(key, replace(state, schema=schema(product_on_delete=on_delete)))
    with pytest.raises(PlanError, match="give it an on_delete of your own"):
        MOVE.state_forwards(key, cut)


def test_doing_nothing_on_deletion_is_accepted(state, key):
    on_delete = "django.db.models.deletion.DO_NOTHING"
    cut = CUT.state_forwards(key, replace(state, schema=schema(product_on_delete=on_delete)))
    assert MOVE.state_forwards(key, cut).moved


def test_the_hidden_table_of_a_many_to_many_field_cannot_stay_behind(cut, key):
    hidden = model("reviews.Review_tags", foreign_key("review", "reviews.Review", CASCADE))
    state = replace(cut, schema=replace(cut.schema, models=(*cut.schema.models, hidden)))
    with pytest.raises(PlanError, match=r"reviews.Review_tags.review"):
        MOVE.state_forwards(key, state)


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        ([], "names no model"),
        (["reviews.Revue"], 'unknown model "reviews.Revue"'),
        (["reviews.Review", "reviews.Review"], "named twice"),
    ],
)
def test_what_cannot_be_moved_is_refused(cut, key, models, sentence):
    with pytest.raises(PlanError, match=sentence):
        MoveTables(models).state_forwards(key, cut)


def test_a_table_moves_once(cut, key):
    moved = MOVE.state_forwards(key, cut)
    with pytest.raises(PlanError, match="moves its tables at once"):
        MOVE.state_forwards(key, moved)
    with pytest.raises(PlanError, match='has moved already, with plan "0001_reviews"'):
        MOVE.state_forwards(replace(key, name="0002_other"), moved)


def test_a_replicated_table_cannot_move_to_the_same_service(cut, key):
    replicated = ReplicateTable("reviews.Review", columns=["id"]).state_forwards(key, cut)
    with pytest.raises(PlanError, match="it cannot move there as well"):
        MOVE.state_forwards(key, replicated)
    elsewhere = replace(key, name="0000_search", service="search")
    replicated = ReplicateTable("reviews.Review", columns=["id"]).state_forwards(elsewhere, cut)
    with pytest.raises(PlanError, match='replicated to "search" by plan "0000_search", and that copy would not follow'):
        MOVE.state_forwards(key, replicated)


def test_forwards_creates_copies_catches_up_and_verifies_in_that_order(world, cut, key, events):
    MOVE.forwards(world, cut, MOVE.state_forwards(key, cut))
    assert [e[0] for e in events if e[0] not in ("progress", "step")] == ["create", "copy", "catch up"]
    assert [e[1]["step"] for e in events if e[0] == "step"] == ["created", "copied", "caught up", "verified"]
    assert ("progress", {"table": "reviews_review", "rows": 3, "total": 3, "rows_per_second": 0}) in events


def test_what_the_target_goes_without_and_who_is_asked_to_help_stand_in_the_record(world, cut, key, events, move):
    move.warnings = ("only the source has an index",)
    asked = replace(world, ask_workers=lambda: {"workers": 2, "queue": "copies"})
    MOVE.forwards(asked, cut, MOVE.state_forwards(key, cut))
    steps = [facts for event, facts in (e for e in events if e[0] == "step")]
    assert steps[0] == {"step": "warning", "what": "only the source has an index"}
    assert steps[2] == {"step": "workers asked", "workers": 2, "queue": "copies"}


def test_a_difference_is_an_error_that_names_it(world, cut, key, move):
    move.equal = False
    with pytest.raises(PlanError, match=r"differ.*reviews_review 2"):
        MOVE.forwards(world, cut, MOVE.state_forwards(key, cut))


def test_backwards_cancels_and_then_takes_the_move_from_the_routes(world, cut, key, events):
    MOVE.backwards(world, cut, MOVE.state_forwards(key, cut))
    assert [e[0] for e in events] == ["cancel", "step", "routes"]


def test_the_dry_run_shows_sql_and_every_table_and_does_nothing(world, cut, key, events):
    after = MOVE.state_forwards(key, ReplicateTable("catalog.Product", columns=["id"]).state_forwards(key, cut))
    lines = list(MOVE.effects(world, cut, after))
    assert "CREATE SCHEMA strangler;" in lines
    assert events == []
