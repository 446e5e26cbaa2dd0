"""What plans see of, and refuse for, models of every odd kind."""

from dataclasses import replace

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.moves import move_spec
from strangler.plans.operations import CutForeignKey, MoveTables, ReplicateTable
from strangler.plans.state import ProjectState
from tests.unit.strangler.plans.tiny_models import tiny


@pytest.fixture
def schema(settings):
    settings.CART_OLD_MODEL = "cart.Person"
    with tiny() as (_, schema):
        yield replace(schema, models=tuple(model for model in schema.models if model.label != "cart.Mirror"))


@pytest.fixture
def state(schema):
    return ProjectState(schema=schema)


def cut(key, state, field, keep, migration="0002_cut"):
    return CutForeignKey(field, keep=keep, migration=migration).state_forwards(key, state)


def move(key, state, *models):
    return MoveTables(models).state_forwards(key, state)


def test_keys_are_read_whatever_they_are_made_of(schema):
    def keys(label):
        return [field.column for field in schema.model(label).fields if field.primary_key]

    assert keys("cart.Dish") == ["menu_id", "number"]
    assert keys("cart.Menu") == ["cafe_id"]
    assert keys("cart.Cafe") == ["place_ptr_id"]
    assert keys("cart.Note") == ["id"]


def test_the_copy_of_a_composite_key_needs_all_of_it(state, key):
    with pytest.raises(PlanError, match='needs the key "number"'):
        ReplicateTable("cart.Dish", columns=["menu_id"]).state_forwards(key, state)
    assert ReplicateTable("cart.Dish", columns=["menu_id", "number"]).state_forwards(key, state).replicated


def test_an_inherited_table_moves_with_its_parent_or_not_at_all(state, key):
    for models in (["cart.Cafe"], ["cart.Place"]):
        with pytest.raises(PlanError, match=r'"cart.Cafe" inherits from "cart.Place".*name both in one move'):
            move(key, state, *models)
    with pytest.raises(PlanError, match=r'"cart.Cafe" and "cart.Place" move together'):
        cut(key, state, "cart.Cafe.place_ptr", "place_ptr_id")


def test_tables_come_behind_what_they_point_at_by_any_kind_of_key(state, key):
    others = tuple(model for model in state.schema.models if model.label not in ("cart.Note", "cart.Stay"))
    state = replace(state, schema=replace(state.schema, models=others))
    moved = move(key, state, "cart.Dish", "cart.Tag_places", "cart.Tag", "cart.Menu", "cart.Cafe", "cart.Place")
    tables = move_spec(key, moved).moved
    for parent, child in (
        ("cart_place", "cart_cafe"),
        ("cart_cafe", "cart_menu"),
        ("cart_menu", "cart_dish"),
        ("cart_tag", "cart_tag_places"),
        ("cart_place", "cart_tag_places"),
    ):
        assert tables.index(parent) < tables.index(child)


def test_a_one_to_one_key_that_is_the_primary_key_is_cut_like_any_other(state, key):
    ready = cut(key, state, "cart.Menu.cafe", "cafe_id")
    assert move(key, ready, "cart.Menu", "cart.Dish").owner_of_table("cart.Menu") == "reviews"


def test_a_key_into_the_own_table_is_left_alone(state, key):
    with pytest.raises(PlanError, match="points into its own table"):
        cut(key, state, "cart.Tag.parent", "parent_id")


def test_the_hidden_table_of_a_many_to_many_field_goes_with_both_ends(state, key):
    with pytest.raises(PlanError, match=r'hidden table of "cart.Tag.places"; name "cart.Tag_places" and both ends'):
        move(key, state, "cart.Tag")
    with pytest.raises(PlanError, match=r'hidden table of "cart.Tag.places", whose deletions nobody can direct'):
        cut(key, state, "cart.Tag_places.place", "place_id")
    with pytest.raises(PlanError, match=r'many-to-many field; its foreign keys are those of "cart.Tag_places"'):
        cut(key, state, "cart.Tag.places", "places_id")


def test_a_many_to_many_field_by_a_model_of_its_own_is_cut_at_both_keys(state, key):
    with pytest.raises(PlanError, match=r'"cart.Stay.cafe" points from one service to another; cut it'):
        move(key, state, "cart.Stay")
    one = cut(key, state, "cart.Stay.cafe", "cafe_id")
    with pytest.raises(PlanError, match=r'"cart.Stay.guest" points from one service to another; cut it'):
        move(key, one, "cart.Stay")
    both = cut(key, one, "cart.Stay.guest", "guest_id")
    assert move(key, both, "cart.Stay").owner_of_table("cart.Stay") == "reviews"
    assert [owed.column for owed in both.cleanups] == ["cafe_id", "guest_id"]


def test_a_generic_key_that_leaves_is_said_to(state, key):
    ready = cut(key, state, "cart.Note.place", "place_id", migration=None)
    # The content types are of another app than the tiny registry has; their key is an ordinary one.
    ready = cut(key, ready, "cart.Note.about_type", "about_type_id")
    person = replace(ready.schema.model("cart.Person"), generic_relations=())
    others = tuple(model for model in ready.schema.models if model.label != "cart.Person")
    without = replace(ready, schema=replace(ready.schema, models=(*others, person)))
    with pytest.raises(PlanError, match=r'"cart.Note.about" may point at anything'):
        move(key, without, "cart.Note")
    with pytest.raises(PlanError, match="stored in column"):
        cut(key, without, "cart.Note.about", "about_id", migration=None)
    with pytest.raises(PlanError, match="a generic foreign key has no constraint; leave the migration out"):
        cut(key, without, "cart.Note.about", "about_key")
    said = cut(key, without, "cart.Note.about", "about_key", migration=None)
    assert move(key, said, "cart.Note").moved


def test_a_generic_relation_must_not_reach_over_the_boundary(state, key):
    ready = cut(key, state, "cart.Note.place", "place_id", migration=None)
    ready = cut(key, ready, "cart.Note.about_type", "about_type_id")
    ready = cut(key, ready, "cart.Note.about", "about_key", migration=None)
    with pytest.raises(PlanError, match=r'deleting a "cart.Person" .* through its relation "notes"'):
        move(key, ready, "cart.Note")


def test_a_key_by_another_column_without_a_constraint_needs_no_migration(state, key):
    with pytest.raises(PlanError, match=r'"cart.Note.place" has no constraint; leave the migration out'):
        cut(key, state, "cart.Note.place", "place_id")
    (owed,) = cut(key, state, "cart.Note.place", "place_id", migration=None).cleanups
    assert (owed.service, owed.on_delete, owed.references, owed.references_column) == (
        *("reviews", "set_null"),
        *("cart.Place", "name"),
    )
    with pytest.raises(PlanError, match=r'the database enforces "cart.Menu.cafe"; name the migration'):
        cut(key, state, "cart.Menu.cafe", "cafe_id", migration=None)


def test_a_deletion_that_must_be_decided_before_cannot_cross(state, key):
    """PROTECT needs the rows of the other side; no note written afterwards can stand for it."""
    person = replace(state.schema.model("cart.Person"), generic_relations=())
    visit = replace(state.schema.model("cart.Visit"), managed=True)
    ready = cut(
        key, replace(state, schema=replace(state.schema, models=(person, visit))), "cart.Visit.person", "person_id"
    )
    with pytest.raises(PlanError, match=r"on_delete PROTECT\); give it an on_delete of your own"):
        move(key, ready, "cart.Visit")


def test_what_moves_cannot_owe_a_deletion_to_what_stays(state, key):
    """The trigger stands in the monolith's database, where nobody deletes the rows that have moved."""
    others = tuple(model for model in state.schema.models if model.label != "cart.Stay")
    state = replace(state, schema=replace(state.schema, models=others))
    ready = cut(key, state, "cart.Note.place", "place_id", migration=None)
    with pytest.raises(PlanError, match=r'nobody would tell the rows of "cart.Note" that a "cart.Place" is gone'):
        move(key, ready, "cart.Place", "cart.Cafe", "cart.Menu", "cart.Dish", "cart.Tag", "cart.Tag_places")


def test_a_proxy_has_no_table_to_move(state, key):
    for refused in (
        lambda: move(key, state, "cart.NearPlace"),
        lambda: cut(key, state, "cart.NearPlace.name", "name"),
        lambda: ReplicateTable("cart.NearPlace", columns=["id"]).state_forwards(key, state),
    ):
        with pytest.raises(PlanError, match=r'"cart.NearPlace" is a proxy of "cart.Place" and has no table'):
            refused()


def test_of_an_unmanaged_model_no_migration_drops_a_constraint(state, key):
    with pytest.raises(PlanError, match=r'"cart.Visit" is not managed by Django'):
        cut(key, state, "cart.Visit.person", "person_id")


def test_an_unmanaged_model_may_move(state, key):
    visit = replace(state.schema.model("cart.Visit"), fields=state.schema.model("cart.Visit").fields[:1])
    assert move(key, replace(state, schema=replace(state.schema, models=(visit,))), "cart.Visit").moved


def test_a_swapped_model_is_named_by_what_stands_for_it(state, key):
    with pytest.raises(PlanError, match=r'"cart.Old" is swapped for "cart.Person"; name that one'):
        move(key, state, "cart.Old")


def test_a_table_that_two_models_use_is_not_moved_from_under_one_of_them(settings, key):
    settings.CART_OLD_MODEL = "cart.Person"
    with tiny() as (_, schema), pytest.raises(PlanError, match=r'"cart.Person" and "cart.Mirror" use one table'):
        move(key, ProjectState(schema=schema), "cart.Person")
