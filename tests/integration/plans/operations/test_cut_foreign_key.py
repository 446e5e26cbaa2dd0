"""Deletions in Orchard that a service has to follow: noted by the database, in the transaction that makes them."""

import pytest
from django.db import connection, transaction

from monolith.catalog.models import Category, Product
from strangler import cleanups
from strangler.plans.operations import CutForeignKey
from strangler.plans.state import ProjectState
from tests.unit.strangler.plans.fake_world import schema
from tests.unit.strangler.plans.tiny_models import tiny

CUT = CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut")


@pytest.fixture
def state():
    return ProjectState(schema=schema(product_on_delete="strangler.deletion.cascade"))


@pytest.fixture
def cut(orchard_world, state, key):
    after = CUT.state_forwards(key, state)
    for _ in range(2):
        CUT.forwards(orchard_world, state, after)
    yield orchard_world, state, after
    CUT.backwards(orchard_world, state, after)


@pytest.fixture
def products(transactional_db):
    category = Category.objects.create(name="Chairs", slug="chairs")
    return [
        Product.objects.create(name=f"Chair {n}", slug=f"chair-{n}", category=category, price=n) for n in range(1, 4)
    ]


def owed():
    return [(note.field, note.column, note.on_delete, note.key) for note in cleanups.owed("reviews")]


def test_deletions_by_models_and_by_plain_sql_are_noted(cut, products):
    one, two, three = (product.pk for product in products)
    products[0].delete()
    Product.objects.filter(pk=two).delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM catalog_product WHERE id = %s", [three])
    assert owed() == [("reviews.Review.product", "product_id", "cascade", str(pk)) for pk in (one, two, three)]


def test_a_deletion_that_is_rolled_back_leaves_no_note(cut, products):
    with transaction.atomic():
        products[0].delete()
        assert len(owed()) == 1
        transaction.set_rollback(True)
    assert owed() == []


def test_a_note_stays_until_it_is_settled(cut, products):
    key = products[0].pk
    products[0].delete()
    (note,) = cleanups.owed("reviews")
    assert str(note) == f"reviews owes cascade on reviews.Review.product: rows where product_id is {key}"
    assert cleanups.owed("reviews") == [note]
    cleanups.settle(note)
    cleanups.settle(note)
    assert cleanups.owed("reviews") == cleanups.owed("orders") == []


def test_an_emptied_table_is_noted_as_a_whole(cut, products):
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE catalog_product CASCADE")
    (note,) = cleanups.owed("reviews")
    assert (note.key, "all rows" in str(note)) == (None, True)


def test_going_back_deletions_are_noted_no_more_but_what_is_owed_stays(cut, products):
    products[0].delete()
    world, before, after = cut
    for _ in range(2):
        CUT.backwards(world, before, after)
    products[1].delete()
    assert len(owed()) == 1


def test_the_dry_run_shows_the_trigger_both_ways_and_makes_nothing(orchard_world, state, key, products):
    after = CUT.state_forwards(key, state)
    lines = list(CUT.effects(orchard_world, state, after))
    assert any(line.startswith("CREATE OR REPLACE TRIGGER") and '"catalog_product"' in line for line in lines)
    assert any(line.startswith("DROP TRIGGER") for line in CUT.undo_effects(orchard_world, state, after))
    products[0].delete()
    assert owed() == []


def test_notes_bear_the_key_that_is_pointed_at_whatever_it_is(world, key, source, settings):
    """A one-to-one key that is the primary key of an inherited table's child, and a text by to_field."""
    settings.CART_OLD_MODEL = "cart.Person"
    source.execute(
        """CREATE TABLE cart_place (id bigint PRIMARY KEY, name varchar(20) UNIQUE NOT NULL);
           CREATE TABLE cart_cafe (place_ptr_id bigint PRIMARY KEY REFERENCES cart_place, seats integer NOT NULL);
           INSERT INTO cart_place VALUES (7, 'Zum "Rössl", 1'), (8, 'else'); INSERT INTO cart_cafe VALUES (7, 12)"""
    )
    with tiny() as (_, odd):
        state = ProjectState(schema=odd)
    for operation in (
        CutForeignKey("cart.Menu.cafe", keep="cafe_id", migration="0002_cut"),
        CutForeignKey("cart.Note.place", keep="place_id"),
    ):
        after = operation.state_forwards(key, state)
        operation.forwards(world, state, after)
        state = after
    source.execute("DELETE FROM cart_cafe; DELETE FROM cart_place WHERE id = 7")
    assert source.execute(
        "SELECT field, key_column, on_delete, key FROM strangler.cleanups ORDER BY id"
    ).fetchall() == [
        ("cart.Menu.cafe", "cafe_id", "cascade", "7"),
        ("cart.Note.place", "place_id", "set_null", 'Zum "Rössl", 1'),
    ]
