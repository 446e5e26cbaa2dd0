import importlib.util
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations import SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader

from monolith.reviews.migrations import __path__ as migrations_path
from strangler.plans.errors import PlanError
from strangler.plans.state import Cut
from strangler.plans.writer import write_cuts

NAME = "0002_cut_foreign_keys"
FIELDS = ("reviews.Review.product", "reviews.Review.author", "reviews.Vote.voter")
CUTS = tuple(Cut(plan="0001_reviews", field=field, migration=NAME) for field in FIELDS)


def load(path):
    spec = importlib.util.spec_from_file_location("written", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Migration(NAME, "reviews")


def shape(migration):
    (operation,) = migration.operations
    assert isinstance(operation, SeparateDatabaseAndState)
    assert operation.state_operations == []
    return {
        (alter.model_name, alter.name, repr(alter.field.deconstruct()[1:])) for alter in operation.database_operations
    }


def test_the_written_migration_does_what_the_handwritten_one_does(tmp_path):
    (path,) = write_cuts(CUTS, tmp_path)
    written, by_hand = load(path), load(f"{migrations_path[0]}/{NAME}.py")
    assert path.name == f"{NAME}.py"
    assert written.dependencies == by_hand.dependencies
    assert shape(written) == shape(by_hand)


def test_a_new_migration_follows_the_apps_last_one(tmp_path):
    cut = Cut(plan="0001_reviews", field="reviews.Vote.voter", migration="0003_more")
    (path,) = write_cuts((cut,), tmp_path)
    assert load(path).dependencies == [("reviews", NAME)]


def test_each_migration_named_gets_its_file(tmp_path):
    cuts = (*CUTS[:1], Cut(plan="0001_reviews", field="orders.Line.order", migration="0009_cut"), *CUTS[1:])
    assert sorted(path.name for path in write_cuts(cuts, tmp_path)) == [f"{NAME}.py", "0009_cut.py"]


def test_a_file_that_exists_is_left_alone_and_nothing_else_is_written(tmp_path):
    (tmp_path / f"{NAME}.py").write_text("mine")
    cuts = (*CUTS, Cut(plan="0001_reviews", field="orders.Line.order", migration="0009_cut"))
    with pytest.raises(PlanError, match="exists already"):
        list(write_cuts(cuts, tmp_path))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.django_db
def test_makemigrations_sees_no_difference():
    call_command("makemigrations", "reviews", check=True, dry_run=True, stdout=StringIO())


def foreign_keys_and_unique_columns(table):
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table).values()
    return (
        sorted(c["columns"][0] for c in found if c["foreign_key"]),
        sorted(c["columns"][0] for c in found if c["unique"] and not c["primary_key"]),
    )


@pytest.mark.django_db(transaction=True)
def test_a_one_to_one_key_loses_its_constraint_and_stays_unique(tmp_path):
    cut = Cut(plan="0001_orders", field="orders.Payment.order", migration="0009_cut")
    (path,) = write_cuts((cut,), tmp_path)
    state = MigrationLoader(connection).project_state()
    before = foreign_keys_and_unique_columns("orders_payment")
    (operation,) = load(path).operations
    with connection.schema_editor() as editor:
        operation.database_forwards("orders", editor, state, state)
    try:
        assert foreign_keys_and_unique_columns("orders_payment") == ([], before[1])
        assert "order_id" in before[0] and "order_id" in before[1]
    finally:
        with connection.schema_editor() as editor:
            operation.database_backwards("orders", editor, state, state)
    assert foreign_keys_and_unique_columns("orders_payment") == before
